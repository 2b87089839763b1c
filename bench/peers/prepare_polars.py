"""Polars' streaming engine from JSON lines to JSON lines, plain.

    prepare_polars.py CORPUS.jsonl OUTPUT
"""

import sys

import polars

corpus, output = sys.argv[1:]
part = polars.struct(polars.col("text"))
content = polars.struct(polars.concat_list(part).alias("parts"))
(polars.scan_ndjson(corpus, schema={"text": polars.String})
 .with_row_index("number")
 .select(polars.col("number").cast(polars.String).str.zfill(12).alias("key"),
         polars.struct(content.alias("content"),
                       polars.lit(768).alias("outputDimensionality")).alias("request"))
 .sink_ndjson(output))
