"""Answers to a Parquet file of FLOAT[768], in the order of their keys.

    decode_duckdb.py OUTPUT.parquet ANSWERS_GLOB
"""

import sys

import duckdb

output, answers = sys.argv[1:]
duckdb.sql("SET threads = 2")
duckdb.sql(f"""
    COPY (SELECT key, response.embedding.values::FLOAT[768] AS values
          FROM read_json('{answers}', format = 'newline_delimited',
                         columns = {{'key': 'VARCHAR',
                                     'response': 'STRUCT(embedding STRUCT("values" FLOAT[]))'}})
          ORDER BY key)
    TO '{output}' (FORMAT parquet)""")
