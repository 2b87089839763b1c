"""What is timed: two shell commands that do the same, and how each one's result is checked.

Names in braces are inputs (harness/inputs.py), {out} is an empty folder, {url} a server on this machine
that serves the folder {served}.
"""

import dataclasses

ZSTD = "zstd -q -%d -T2 --check {%s} -o {out}/requests.zst"
SYNC = " && sync -f {out}"
CHECK = "/usr/bin/python3 {source}/harness/checks.py"
SHARDS = "{out}/run/shards"


@dataclasses.dataclass(frozen=True)
class Side:
    name: str
    command: str
    check: str = "true"  # ends with an error when the result is wrong
    bytes_of: str = ""  # the input by whose size the cost is divided
    result: str = "{out}"  # the folder whose size counts


@dataclasses.dataclass(frozen=True)
class Comparison:
    ours: Side
    theirs: Side | None = None
    on_disk: bool = False  # else in memory
    served: str = ""  # the input that a local server gives


def prepare(level, corpus, requests, workers=2):
    """Our side; the shards must unpack to requests that were compared with the reference."""
    reader = f"cat {SHARDS}/*.jsonl" if level == "none" else f"zstd -dcq {SHARDS}/*.zst"
    compress = level if level == "none" else f"zstd:{level}"
    return Side("sluice prepare",
                f"{{prepare}} -C {{out}}/run --compress {compress} --threads {workers} {{{corpus}}}",
                check=f"{reader} | cmp - {{{requests}}}", bytes_of=corpus, result=SHARDS)


def from_standard_input(corpus, requests):
    side = prepare(1, corpus, requests)
    command = f"cat {{{corpus}}} | " + side.command.replace(f"{{{corpus}}}", "-")
    return dataclasses.replace(side, command=command)


def zstd(level, requests):
    return Side(f"zstd -{level} -T2", ZSTD % (level, requests),
                check="zstd -dcq {out}/requests.zst | cmp - {%s}" % requests)


def peer(name, command, check="same"):
    """A program that writes requests to standard output, packed by the zstd command."""
    return Side(name, command + " | zstd -q -1 -T2 --check -o {out}/requests.zst",
                check=CHECK + " %s {requests_100m} {out}/requests.zst" % check)


def decode(answers, rows, flags=""):
    return Side("sluice" if not flags else "the same with simdjson",
                "{bench}/sluice_decode_answers %s {out}/out.npy {%s} 768 2 {%s}/answers-*.jsonl" % (
                    flags, rows, answers),
                check="cmp {out}/out.npy {%s}/expected.npy" % answers)


def pack_and_send(send):
    """The pack step of 1 GiB, its shards sent to the local server or not."""
    return Side("sluice's pack step", "{bench}/sluice_pack_corpus " + send + " {out}/run 1 2 {corpus_1g}",
                check=f"zstd -dcq {SHARDS}/*.zst | cmp - {{requests_1g}}")


def decode_peer(name, command, check):
    return Comparison(decode("answers_10k", "rows_10k"), Side(name, command, check))


def duckdb(level, python):
    """DuckDB's COPY, plain or with zstd at its own level, which is 3."""
    compression, name = ("uncompressed", "requests.jsonl") if level == "none" else ("zstd", "requests.zst")
    return Comparison(
        prepare(level, "corpus_100m", "requests_100m"),
        Side(f"DuckDB's COPY, {compression}", f"{{{python}}} {{source}}/peers/prepare_duckdb.py {{corpus_100m}} "
             f"{{out}}/{name} {compression}", check=f"{CHECK} same {{requests_100m}} {{out}}/{name}"))


MATRIX_CHECK = "cmp {out}/out.npy {answers_10k}/expected.npy"
ANSWERS = "{answers_10k}/answers-*.jsonl"
SMALL = prepare(1, "corpus_100m", "requests_100m")

COMPARISONS = {
    "level-1": Comparison(prepare(1, "corpus_1g", "requests_1g"), zstd(1, "requests_1g")),
    "level-3": Comparison(prepare(3, "corpus_1g", "requests_1g"), zstd(3, "requests_1g")),
    "plain": Comparison(
        prepare("none", "corpus_1g", "requests_1g"),
        Side("cp and sync", "cp {requests_1g} {out}/requests.jsonl" + SYNC,
             check="cmp {out}/requests.jsonl {requests_1g}"), on_disk=True),
    "workers": Comparison(SMALL, prepare(1, "corpus_100m", "requests_100m", workers=1)),
    "zst-input": Comparison(prepare(1, "corpus_zst", "requests_100m"), SMALL),
    "gz-input": Comparison(prepare(1, "corpus_gz", "requests_100m"), SMALL),
    "growth": Comparison(prepare(1, "corpus_1g", "requests_1g"), SMALL),
    "growth-stdin": Comparison(from_standard_input("corpus_1g", "requests_1g"),
                               from_standard_input("corpus_100m", "requests_100m")),
    "node": Comparison(SMALL, peer("Node, tuned, and zstd", "node {source}/peers/prepare.mjs {corpus_100m}")),
    "python": Comparison(SMALL, peer("Python, 2 processes, and zstd",
                                     "/usr/bin/python3 {source}/peers/prepare.py {corpus_100m}")),
    "jq": Comparison(SMALL, peer("jq and zstd", "jq -cn -f {source}/peers/prepare.jq {corpus_100m}")),
    # Miller 6.6 writes some control characters as they are.
    "miller": Comparison(SMALL, peer(
        "Miller and zstd", "mlr --ijsonl --ojsonl put -q -f {source}/peers/prepare.mlr {corpus_100m}",
        check="same-loosely")),
    "duckdb-3": duckdb(3, "peer_python"),
    "duckdb-15-3": duckdb(3, "duckdb_15_python"),
    "duckdb-plain": duckdb("none", "peer_python"),
    "polars-plain": Comparison(
        prepare("none", "corpus_100m", "requests_100m"),
        Side("Polars, plain", "{peer_python} {source}/peers/prepare_polars.py {corpus_100m} "
             "{out}/requests.jsonl", check=CHECK + " same {requests_100m} {out}/requests.jsonl")),
    "decode": Comparison(decode("answers_plain", "rows"), decode("answers_plain", "rows", "--reference")),
    "decode-usage": Comparison(decode("answers_usage", "rows"),
                               decode("answers_usage", "rows", "--reference")),
    "decode-spaced": Comparison(decode("answers_spaced", "rows"),
                                decode("answers_spaced", "rows", "--reference")),
    "decode-10k": Comparison(decode("answers_10k", "rows_10k")),
    "decode-node": decode_peer("Node, 2 workers",
                               "node {source}/peers/decode.mjs {out}/out.npy {rows_10k} " + ANSWERS,
                               MATRIX_CHECK),
    "decode-duckdb": decode_peer(
        "DuckDB to Parquet", "{peer_python} {source}/peers/decode_duckdb.py {out}/out.parquet '" + ANSWERS + "'",
        "{peer_python} {source}/harness/checks.py parquet {out}/out.parquet {answers_10k}/expected.npy"),
    "decode-python": decode_peer(
        "Python, 2 processes", "/usr/bin/python3 {source}/peers/decode.py {out}/out.npy {rows_10k} " + ANSWERS,
        MATRIX_CHECK),
    "decode-jq": decode_peer(
        "jq, parse and count only",
        "cat " + ANSWERS + " | jq -n 'reduce inputs as $answer (0; . + ($answer.response.embedding.values "
        "| length))' > {out}/count", "test $(($(cat {out}/count) % 768)) = 0"),
    "download": Comparison(
        Side("sluice's transport", "{bench}/sluice_transfer download {url}/requests_1g.jsonl {out}/file",
             check="cmp {out}/file {requests_1g}"),
        Side("curl", "curl -s -o {out}/file {url}/requests_1g.jsonl", check="cmp {out}/file {requests_1g}"),
        on_disk=True, served="requests_1g"),
    "upload": Comparison(
        Side("sluice's transport", "{bench}/sluice_transfer upload {url}/drop/file {requests_1g}",
             check="{bench}/sluice_transfer upload {url}/kept {requests_1g} && cmp {kept}/kept {requests_1g}"),
        Side("curl -T", "curl -s -T {requests_1g} {url}/drop/file",
             check="curl -s -T {requests_1g} {url}/kept && cmp {kept}/kept {requests_1g}"),
        served="requests_1g"),
    "upload-hashed": Comparison(
        Side("sluice's transport and SHA-256",
             "{bench}/sluice_transfer upload-hashed {url}/drop/file {requests_1g}",
             check='test "$({bench}/sluice_transfer upload-hashed {url}/kept {requests_1g})" = '
             '"$(sha256sum < {kept}/kept | cut -d " " -f 1)"'),
        Side("curl -T", "curl -s -T {requests_1g} {url}/drop/file"), served="requests_1g"),
    "while-uploading": Comparison(pack_and_send("--send {url}/drop/shard"), pack_and_send(""),
                                  served="corpus_8m"),
    "while-unpacking": Comparison(pack_and_send("--send-unpacked {url}/drop/shard"), pack_and_send(""),
                                  served="corpus_8m"),
}
