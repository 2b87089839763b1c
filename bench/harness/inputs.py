"""What commands are made of: names in braces, such as {corpus_1g}. An input is made when a command first
needs it and kept in the cache folder; what it was made from is noted beside it."""

import collections
import hashlib
import os
import shutil
import subprocess
import sys

from harness.machine import run_shell

GIB, MB = 1 << 30, 100 << 20
CACHE = os.path.expanduser("~/.cache/sluice/bench")  # on a disk
MEMORY = "/dev/shm/sluice-bench"
BENCH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Name, the shell command that makes it at {path}, and the files on which it depends.
TEXT = "{source}/text_corpus %d {path}"
ANSWERS = "{bench}/sluice_make_answers {path} %d 8 %s"
PLAIN = ("rm -rf {path}.run && {prepare} -C {path}.run --compress none {%(corpus)s} && "
         "cat {path}.run/shards/*.jsonl > {path} && rm -r {path}.run && "
         "/usr/bin/python3 {source}/harness/checks.py requests {%(corpus)s} {path}")
RECIPES = {
    "corpus_1g": (TEXT % GIB, ["{source}/text_corpus"]),
    "corpus_100m": (TEXT % MB, ["{source}/text_corpus"]),
    "corpus_8m": (TEXT % 8_000_000, ["{source}/text_corpus"]),
    "corpus_zst": ("zstd -q -3 -T2 --check -f {corpus_100m} -o {path}", ["{source}/text_corpus"]),
    "corpus_gz": ("gzip -c {corpus_100m} > {path}", ["{source}/text_corpus"]),
    # Compared with the independent reference line by line before anything is timed with it.
    "requests_1g": (PLAIN % {"corpus": "corpus_1g"},
                    ["{source}/text_corpus", "{build}/sluice"]),
    "requests_100m": (PLAIN % {"corpus": "corpus_100m"},
                      ["{source}/text_corpus", "{build}/sluice"]),
    "answers_plain": (ANSWERS % (100_000, "plain"), ["{bench}/sluice_make_answers"]),
    "answers_usage": (ANSWERS % (100_000, "usage"), ["{bench}/sluice_make_answers"]),
    "answers_spaced": (ANSWERS % (100_000, "spaced"), ["{bench}/sluice_make_answers"]),
    "answers_10k": (ANSWERS % (10_000, "plain"), ["{bench}/sluice_make_answers"]),
    "answers_2k": (ANSWERS % (2_000, "plain"), ["{bench}/sluice_make_answers"]),
    "answers_one": (ANSWERS % (1, "plain"), ["{bench}/sluice_make_answers"]),
    "corpus_one": ("head -n 1 {corpus_8m} > {path}", ["{source}/text_corpus"]),
    "peer_modules": ("/usr/bin/python3 -m pip install -q --target {path} duckdb polars", []),
    # The one that the bars were set with.
    "duckdb_15_modules": ("/usr/bin/python3 -m pip install -q --target {path} 'duckdb==1.5.*'", []),
}
ENDINGS = {"corpus_zst": ".jsonl.zst", "corpus_gz": ".jsonl.gz", "peer_modules": "", "duckdb_15_modules": ""}
PYTHONS = {"peer_python": "peer_modules", "duckdb_15_python": "duckdb_15_modules"}
QUICK = {"corpus_1g": "corpus_100m", "requests_1g": "requests_100m"}


class Inputs(dict):
    """Names for str.format_map(); an input that is not there yet is made."""

    def __init__(self, build, cache, quick):
        build = os.path.abspath(build)
        super().__init__(bench=os.path.join(build, "bench"), build=build, source=BENCH, rows=100_000,
                         rows_10k=10_000, prepare=f"{build}/sluice prepare -q --dim 768 --task-type ''")
        self.cache, self.quick = cache, quick
        os.makedirs(cache, exist_ok=True)

    def size(self, name):
        return os.path.getsize(self[name])

    def __missing__(self, name):
        if name in PYTHONS:
            return f"PYTHONPATH={self[PYTHONS[name]]} /usr/bin/python3"
        used = QUICK.get(name, name) if self.quick else name
        self[name] = self.provide(used)
        return self[name]

    def provide(self, name):
        recipe, sources = RECIPES[name]
        ending = "" if name.startswith("answers") else ENDINGS.get(name, ".jsonl")
        path = os.path.join(self.cache, name + ending)
        key = self.key_of(recipe, sources)
        if not os.path.exists(path) or read_text(path + ".key") != key:
            print(f"making {name} ...", file=sys.stderr, flush=True)
            remove(path)
            run_shell(recipe.format_map(collections.ChainMap({"path": path}, self)), timeout=1800)
            with open(path + ".key", "w", encoding="ascii") as note:
                note.write(key)
        if sources:
            run_shell(f"find {path} -type f -exec cat {{}} + > /dev/null")  # into the page cache
        return path

    def key_of(self, recipe, sources):
        digest = hashlib.sha256(recipe.encode())
        for source in sources:
            with open(source.format_map(self), "rb") as file:
                digest.update(file.read())
        return digest.hexdigest()


def read_text(path):
    if not os.path.exists(path):
        return ""
    with open(path, encoding="ascii") as file:
        return file.read()


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.remove(path)
