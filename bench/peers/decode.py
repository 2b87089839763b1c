#!/usr/bin/python3
"""Answers to a .npy file with two processes, each with half of the files.

    decode.py OUTPUT.npy ROWS ANSWERS...
"""

import array
import json
import multiprocessing
import os
import sys

DIMENSION = 768
HEADER_BYTES = 128


def decode(task):
    output, path = task
    with open(path, "rb") as answers, open(output, "r+b") as out:
        for line in answers:
            answer = json.loads(line)
            values = [float("nan")] * DIMENSION
            if "response" in answer:
                values = answer["response"]["embedding"]["values"]
            os.pwrite(out.fileno(), array.array("f", values).tobytes(),
                      HEADER_BYTES + int(answer["key"]) * DIMENSION * 4)


def main():
    output, rows, *paths = sys.argv[1:]
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {DIMENSION}), }}"
    with open(output, "wb") as out:
        out.write(b"\x93NUMPY\x01\x00v\x00" + head.ljust(117).encode() + b"\n")
    with multiprocessing.Pool(2) as pool:
        pool.map(decode, [(output, path) for path in paths], chunksize=1)


if __name__ == "__main__":
    main()
