"""DuckDB's COPY from JSON to JSON.

    prepare_duckdb.py CORPUS.jsonl OUTPUT zstd|uncompressed
"""

import sys

import duckdb

corpus, output, compression = sys.argv[1:]
duckdb.sql("SET threads = 2")
duckdb.sql(f"""
    COPY (SELECT printf('%012d', row_number() OVER () - 1) AS key,
                 {{'content': {{'parts': [{{'text': text}}]}}, 'outputDimensionality': 768}} AS request
          FROM read_json('{corpus}', format = 'newline_delimited', columns = {{'text': 'VARCHAR'}},
                         maximum_object_size = 16777216))
    TO '{output}' (FORMAT json, COMPRESSION {compression})""")
