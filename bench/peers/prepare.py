#!/usr/bin/python3
"""What a Python programmer writes who cares: two processes, pieces of some MiB, ordered results.

    prepare.py CORPUS.jsonl > REQUESTS.jsonl
"""

import json
import multiprocessing
import sys

PIECE_BYTES = 4 << 20
DUMPS = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def pieces(path):
    """Whole lines, with the number of the first one."""
    number = 0
    with open(path, "rb") as corpus:
        while piece := corpus.read(PIECE_BYTES):
            piece += corpus.readline()
            yield number, piece
            number += piece.count(b"\n")


def prepare(numbered):
    first, piece = numbered
    return "".join(
        f'{{"key":"{number:012}","request":{{"content":{{"parts":[{{"text":'
        f'{DUMPS(json.loads(line)["text"])}}}]}},"outputDimensionality":768}}}}\n'
        for number, line in enumerate(piece.splitlines(), first)).encode()


def main():
    with multiprocessing.Pool(2) as pool:
        for lines in pool.imap(prepare, pieces(sys.argv[1])):
            sys.stdout.buffer.write(lines)


if __name__ == "__main__":
    main()
