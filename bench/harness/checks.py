#!/usr/bin/python3
"""The slow, independent reference: nothing here shares a line of code with sluice.

    checks.py requests CORPUS REQUESTS    REQUESTS ask for exactly the texts of CORPUS, in order
    checks.py same A B                    two files of requests ask for the same
    checks.py same-loosely A B            the same, where control characters in B need no escapes
    checks.py parquet FILE EXPECTED.npy   needs DuckDB
"""

import array
import itertools
import json
import subprocess
import sys

DIMENSION = 768
HEADER_BYTES = 128


def request(number, text):
    return {"key": f"{number:012}",
            "request": {"content": {"parts": [{"text": text}]}, "outputDimensionality": DIMENSION}}


def json_lines(path, strict=True):
    """The objects of a file, which may be compressed by zstd."""
    reader = ["zstd", "-dcq"] if path.endswith(".zst") else ["cat"]
    with subprocess.Popen(reader + [path], stdout=subprocess.PIPE) as process:
        for line in process.stdout:
            yield json.loads(line, strict=strict)


def wanted_requests(corpus):
    for number, record in enumerate(json_lines(corpus)):
        yield request(number, record["text"])


def compare(wanted, found):
    count = 0
    for one, other in itertools.zip_longest(wanted, found):
        if one != other:
            sys.exit(f"line {count + 1} differs:\n{str(one)[:300]}\n{str(other)[:300]}")
        count += 1
    print(f"{count} lines are the same")


def compare_parquet(path, expected):
    import duckdb
    rows = duckdb.sql(f"SELECT values FROM read_parquet('{path}')").fetchall()
    with open(expected, "rb") as file:
        file.seek(HEADER_BYTES)
        for number, (values,) in enumerate(rows):
            wanted = file.read(4 * DIMENSION)
            if array.array("f", values or [float("nan")] * DIMENSION).tobytes() != wanted:
                sys.exit(f"row {number} differs")
        if file.read(1):
            sys.exit("rows are missing")


def main():
    what, first, second = sys.argv[1:]
    if what == "requests":
        compare(wanted_requests(first), json_lines(second))
    elif what == "same":
        compare(json_lines(first), json_lines(second))
    elif what == "same-loosely":
        compare(json_lines(first), json_lines(second, strict=False))
    elif what == "parquet":
        compare_parquet(first, second)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
