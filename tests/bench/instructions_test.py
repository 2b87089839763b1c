#!/usr/bin/python3
"""Speed that does not flicker: instructions of the hot paths, counted by callgrind.

Packs 8 MB of made-up text with one worker and decodes made-up answers, whose rows are dropped, and
counts instructions a byte and a float. What the same program needs for a single document is taken off: starting is not what is
measured. A bar is what may be spent before somebody has to look why; today's figures stand beside it.
"""

import os
import re
import subprocess
import sys
import tempfile

SKIPPED = 77
BENCH = os.environ["SLUICE_BENCH_FOLDER"]
SOURCE = os.environ["SLUICE_SOURCE"]
CORPUS_BYTES = 8_000_000
ROWS = 3_000
DIMENSION = 768

# What, unit, bar. Measured on 2026-11-22 with -O2: 7.5, 36.2 and 78.6.
PLAIN = ("pack, plain", "corpus byte", 9)
LEVEL_1 = ("pack, zstd level 1", "corpus byte", 41)
DECODE = ("decode", "float", 90)


def reason_to_skip():
    if os.environ.get("SLUICE_SANITIZE"):
        return "a build with sanitizers counts the sanitizers"
    if not re.search(r"-O[23]", os.environ["SLUICE_FLAGS"]):
        return "a build without -O2 is nobody's"
    return None


def has_avx2():
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        return " avx2 " in lines.read()


def instructions(program, *arguments):
    """What callgrind counts while `program` runs."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
               os.path.join(BENCH, program), *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    match = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not match:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return int(match.group(1))


def make_corpus(path, size):
    maker = os.path.join(SOURCE, "bench", "made_corpus")
    subprocess.run([sys.executable, maker, str(size), path], check=True)
    return path, os.path.getsize(path)


def pack_cost(folder, level):
    """Instructions a byte, from two corpora: the second is one document."""
    large, large_bytes = make_corpus(os.path.join(folder, "large.jsonl"), CORPUS_BYTES)
    small, small_bytes = make_corpus(os.path.join(folder, "small.jsonl"), 1)
    spent = [instructions("sluice_pack_corpus", os.path.join(folder, f"{level}-{number}"), level, 1, corpus)
             for number, corpus in enumerate((large, small))]
    return (spent[0] - spent[1]) / (large_bytes - small_bytes)


def decode_instructions(folder, rows):
    answers = os.path.join(folder, f"answers-{rows}")
    subprocess.run([os.path.join(BENCH, "sluice_make_answers"), answers, str(rows), "1", "usage"],
                   check=True)
    output = os.path.join(answers, "out.npy")
    return instructions("sluice_decode_answers", "--drop", output, rows, DIMENSION, 1,
                        os.path.join(answers, "answers-0.jsonl"))


def decode_cost(folder):
    return (decode_instructions(folder, ROWS) - decode_instructions(folder, 1)) / (
        (ROWS - 1) * DIMENSION)


def check(gate, cost):
    what, unit, bar = gate
    print(f"{what}: {cost:.2f} instructions a {unit}, at most {bar}", flush=True)
    return cost <= bar


def main():
    reason = reason_to_skip()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory(prefix="sluice-gates-") as folder:
        good = [check(PLAIN, pack_cost(folder, "none")), check(LEVEL_1, pack_cost(folder, "1"))]
        if has_avx2():
            good.append(check(DECODE, decode_cost(folder)))
        else:
            print("decode: not counted, this processor has no AVX2")
    if not all(good):
        sys.exit("more instructions than allowed")


if __name__ == "__main__":
    main()
