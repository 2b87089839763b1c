"""The rows: what is promised, and which measurement shows it."""

import dataclasses
import json
import re
import statistics

from harness import machine

AT_MOST, AT_LEAST = "at most", "at least"


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    title: str
    quantity: str  # see QUANTITIES
    comparison: str = ""  # in COMPARISONS; or what QUANTITIES needs to know
    must: float | None = None
    reach: float | None = None
    direction: str = AT_MOST
    group: str = "Prepare"

    def holds(self, value):
        if self.must is None:
            return True
        return value <= self.must if self.direction == AT_MOST else value >= self.must


@dataclasses.dataclass(frozen=True)
class Figure:
    """Two medians as they are shown, and what is held against the bar."""
    ours: str
    theirs: str
    value: float
    low: float
    high: float


def seconds(values):
    return f"{statistics.median(values):.3f} s"


def megabytes(values):
    return f"{statistics.median(values) / 1e6:.2f} MB"


def mebibytes(values):
    return f"{statistics.median(values) / 2**20:.1f} MiB"


def nanoseconds(values):
    return f"{statistics.median(values) * 1e9:.3f} ns/B"


def in_pairs(ours, theirs, show):
    """The median of the ratios of the pairs: what slows the machine down slows both of a pair."""
    ratios = [one / other for one, other in zip(ours, theirs)]
    return Figure(show(ours), show(theirs), statistics.median(ratios), min(ratios), max(ratios))


def ratio_of(field, show):
    return lambda pairs: in_pairs([getattr(one.run, field) for one, _ in pairs],
                                  [getattr(other.run, field) for _, other in pairs], show)


def times_faster(pairs):
    figure = ratio_of("wall", seconds)(pairs)
    return Figure(figure.ours, figure.theirs, 1 / figure.value, 1 / figure.high, 1 / figure.low)


def time_a_byte(pairs):
    return in_pairs([one.run.wall / one.divisor for one, _ in pairs],
                    [other.run.wall / other.divisor for _, other in pairs], nanoseconds)


def peak(pairs):
    """In MiB, of ours alone; the largest run counts."""
    values = [one.run.peak / 2**20 for one, _ in pairs]
    return Figure(f"{max(values):.1f} MiB", "", max(values), min(values), max(values))


QUANTITIES = {
    "wall": ratio_of("wall", seconds),
    "cpu": ratio_of("cpu", seconds),
    "size": ratio_of("size", megabytes),
    "peak ratio": ratio_of("peak", mebibytes),
    "times faster": times_faster,
    "time a byte": time_a_byte,
    "peak": peak,
}


def float_kernel(inputs, repetitions):
    """Values a second of our best kernel and of fast_float, in one process and in turn."""
    report = json.loads(machine.run_shell(
        f"{inputs['bench']}/sluice_float_bench --benchmark_filter='avx|/fast_float' --benchmark_format=json "
        f"--benchmark_repetitions={max(repetitions, 5)} --benchmark_min_time=0.2 "
        "--benchmark_enable_random_interleaving=true 2> /dev/null"))
    rates = {"avx2": [], "avx512": [], "fast_float": []}
    for entry in report["benchmarks"]:
        name = entry["name"].split("/")[1]
        if entry["run_type"] == "iteration" and "items_per_second" in entry:
            rates[name].append(entry["items_per_second"])
    return in_pairs(sorted(rates["avx512"] or rates["avx2"]), sorted(rates["fast_float"]),
                    lambda values: f"{statistics.median(values) / 1e6:.0f} M floats/s")


def instructions(command, inputs):
    output = machine.run_shell("rm -rf {work} && mkdir -p {work} && valgrind --tool=callgrind "
                               "--callgrind-out-file=/dev/null ".format_map(inputs) +
                               command.format_map(inputs))
    return int(re.search(r"Collected : (\d+)", output).group(1))


def instructions_a_unit(command, large, small, units):
    """What a run on one document needs is taken off. `units`: of each of the two."""
    def count(inputs, _):
        spent = [instructions(command % name, inputs) for name in (large, small)]
        counts = units(inputs)
        value = (spent[0] - spent[1]) / (counts[0] - counts[1])
        return Figure(f"{value:.2f}", "", value, value, value)
    return count


def corpus_bytes(inputs):
    return inputs.size("corpus_8m"), inputs.size("corpus_one")


PACK_ONE = "{bench}/sluice_pack_corpus {work}/run %s 1 {%%s}"
DECODE_ONE = ("{bench}/sluice_decode_answers --drop {work}/out.npy 2000 768 1 {%s}/answers-*.jsonl")
SPECIAL = {
    "float kernel": float_kernel,
    "instructions, plain": instructions_a_unit(PACK_ONE % "none", "corpus_8m", "corpus_one", corpus_bytes),
    "instructions, level 1": instructions_a_unit(PACK_ONE % "1", "corpus_8m", "corpus_one", corpus_bytes),
    "instructions, decode": instructions_a_unit(DECODE_ONE, "answers_2k", "answers_one",
                                                lambda inputs: (2000 * 768, 768)),
}

ROWS = [
    Row("prepare-1", "zstd 1, 1 GiB of real text, against `zstd -1 -T2 --check` of the same requests: wall",
        "wall", "level-1", 0.90, 0.72),
    Row("prepare-1-cpu", "the same: CPU", "cpu", "level-1", 0.95, 0.78),
    Row("prepare-1-size", "the same: compressed size", "size", "level-1", 1.01, 1.003),
    Row("prepare-3", "zstd 3, 1 GiB, against `zstd -3 -T2 --check`: wall", "wall", "level-3", 0.98, 0.85),
    Row("prepare-3-cpu", "the same: CPU", "cpu", "level-3"),
    Row("prepare-3-size", "the same: compressed size", "size", "level-3", 1.01, 1.003),
    Row("prepare-plain", "plain, 1 GiB to disk, ended by fsync, against `cp` and sync: wall", "wall", "plain",
        1.7, 1.2),
    Row("prepare-workers", "1 worker over 2 workers, level 1: wall", "times faster", "workers", 1.75, 1.95,
        AT_LEAST),
    Row("prepare-zst", ".zst input over plain input, level 1: wall", "wall", "zst-input", 1.5, 1.25),
    Row("prepare-gz", ".gz input over plain input, level 1: wall", "wall", "gz-input", 1.5, 1.25),
    Row("prepare-peak", "peak resident memory, 1 GiB, level 1, MiB", "peak", "level-1", 80, 40),
    Row("prepare-peak-3", "peak resident memory, 1 GiB, level 3, MiB", "peak", "level-3", 80, 40),
    Row("growth-time", "1 GiB over 100 MB, level 1: time a byte", "time a byte", "growth", 1.05, 1.0),
    Row("growth-memory", "1 GiB over 100 MB, level 1: memory", "peak ratio", "growth", 1.05, 1.0),
    Row("growth-stdin-time", "the same through standard input: time a byte", "time a byte", "growth-stdin",
        1.05, 1.0),
    Row("growth-stdin-memory", "the same through standard input: memory", "peak ratio", "growth-stdin", 1.05,
        1.0),
    Row("against-node", "Node, tuned script, and zstd", "times faster", "node", 6, 8, AT_LEAST, "Prepare: times "
        "faster than"),
    Row("against-python", "Python with 2 processes and zstd", "times faster", "python", 7, 10, AT_LEAST,
        "Prepare: times faster than"),
    Row("against-jq", "jq and zstd", "times faster", "jq", 12, 16, AT_LEAST, "Prepare: times faster than"),
    Row("against-miller", "Miller and zstd", "times faster", "miller", 9, 12, AT_LEAST,
        "Prepare: times faster than"),
    Row("against-duckdb-3", "DuckDB's COPY, both at zstd level 3", "times faster", "duckdb-3", 3.5, 4.5, AT_LEAST,
        "Prepare: times faster than"),
    Row("against-duckdb-1.5-3", "the same with DuckDB 1.5, with which the bar was set", "times faster",
        "duckdb-15-3", 3.5, 4.5, AT_LEAST, "Prepare: times faster than"),
    Row("against-duckdb-plain", "DuckDB's COPY, both plain", "times faster", "duckdb-plain", 6, 9, AT_LEAST,
        "Prepare: times faster than"),
    Row("against-polars-plain", "Polars, both plain", "times faster", "polars-plain", direction=AT_LEAST,
        group="Prepare: times faster than"),
    Row("decode", "100,000 answers of 768 values over 8 files to .npy, against simdjson for the numbers: wall",
        "wall", "decode", 0.50, 0.38, group="Decode"),
    Row("decode-usage", "the same, members behind the array in every answer: wall", "wall", "decode-usage", 0.55,
        0.40, group="Decode"),
    Row("decode-spaced", "the same, blanks behind commas and colons: wall", "wall", "decode-spaced", 0.55, 0.40,
        group="Decode"),
    Row("float-kernel", "float kernel on one core: times faster than `fast_float::from_chars<float>`",
        "float kernel", "", 3.5, 6, AT_LEAST, "Decode"),
    Row("decode-peak-10k", "peak resident memory, 10,000 rows, MiB", "peak", "decode-10k", 80, 48, group="Decode"),
    Row("decode-peak-100k", "peak resident memory, 100,000 rows, MiB", "peak", "decode", 80, 48, group="Decode"),
    Row("decode-against-node", "Node with 2 workers", "times faster", "decode-node", 8, 12, AT_LEAST,
        "Decode of 10,000 rows: times faster than"),
    Row("decode-against-duckdb", "DuckDB to Parquet", "times faster", "decode-duckdb", 10, 16, AT_LEAST,
        "Decode of 10,000 rows: times faster than"),
    Row("decode-against-python", "Python with 2 processes", "times faster", "decode-python", 15, 24, AT_LEAST,
        "Decode of 10,000 rows: times faster than"),
    Row("decode-against-jq", "jq, parsing and counting only", "times faster", "decode-jq", 25, 45, AT_LEAST,
        "Decode of 10,000 rows: times faster than"),
    Row("download", "download of 1 GiB to disk against curl: wall", "wall", "download", 1.0, 0.75,
        group="Transfer"),
    Row("upload-cpu", "upload of 1 GiB against `curl -T`: client CPU", "cpu", "upload", 1.0, 0.8,
        group="Transfer"),
    Row("upload-hashed-cpu", "the same with the SHA-256 that an upload to the service needs: client CPU", "cpu",
        "upload-hashed", group="Transfer"),
    Row("prepare-while-uploading", "prepare with uploads of sealed shards going on, over prepare alone: wall",
        "wall", "while-uploading", 1.15, 1.05, group="Transfer"),
    Row("prepare-while-unpacking", "the same, shards unpacked and hashed on the way, as Gemini wants them: wall",
        "wall", "while-unpacking", group="Transfer"),
    Row("instructions-plain", "instructions a corpus byte, plain", "instructions, plain", "", 9, 6,
        group="Instructions (callgrind, one worker)"),
    Row("instructions-1", "instructions a corpus byte, level 1", "instructions, level 1", "", 41, 37,
        group="Instructions (callgrind, one worker)"),
    Row("instructions-float", "instructions a float, decoding alone", "instructions, decode", "", 90, 55,
        group="Instructions (callgrind, one worker)"),
]
