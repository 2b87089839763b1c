"""What the crash tests share: tiny runs against one local service that keeps running, disturbed in some
way and then resumed without disturbance, and the judgement of what came of them.

SLUICE_LONG=1 asks for the long forms; each test says what that means for it (docs/testing.md).
SLUICE_LAB_BACKEND=vertex: the same runs through Vertex AI and Cloud Storage, as the local service has them;
SLUICE_LAB_BACKEND=tables: through Vertex AI and BigQuery.
"""

import json
import os
import pathlib
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import time

import harness

DOCUMENTS = 24
SHARD_ROWS = 6
SHARDS = DOCUMENTS // SHARD_ROWS
LONG = os.environ.get("SLUICE_LONG") == "1"
BACKEND = os.environ.get("SLUICE_LAB_BACKEND", "gemini")
BUCKET = "crash-lab"
# So many runs a service sees: each list of its jobs has those of all of them.
RUNS_OF_A_SERVICE = 100
# What may stand in a run folder when the run is complete (docs/formats.md).
RUN_FILES = {"lock", "ledger.db", "ledger.db-wal", "ledger.db-shm", "manifest.jsonl", "content.jsonl", "ids.jsonl",
             "rejects.jsonl", "failures.jsonl", "report.json"}
# Exit codes of a run that a fault has stopped in good order: docs/cli.md.
STOPPED_WELL = {75}
CRASHES = {-signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS, -signal.SIGXFSZ, -signal.SIGPIPE}


def amount(ci, long, variable):
    """How many: what `variable` says, else one of the two."""
    return int(os.environ.get(variable, long if LONG else ci))


def new_seed():
    seed = int(os.environ.get("SLUICE_SEED", random.randrange(1 << 32)))
    print(f"seed {seed}   (SLUICE_SEED={seed} repeats it)", flush=True)
    return seed


class CrashTest(harness.CliTest):
    """Runs have names; what belongs to run r is r.npy or r.jsonl, r.ids.jsonl and r.sluice/."""

    endings = (".jsonl",) if BACKEND == "tables" else (".npy", ".jsonl")
    asked = ("--task", "generate") if BACKEND == "tables" else ("--dim", "8")
    more_flags = ()

    def setUp(self):
        super().setUp()
        self.write_corpus("c.jsonl", DOCUMENTS)
        lines = (self.folder / "c.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        # One line that is refused, one that is blank and one too long to be held.
        lines[9:9] = ['{"id":"broken"\n', "\n", json.dumps({"text": "x" * 5000}) + "\n"]
        (self.folder / "c.jsonl").write_text("".join(lines), encoding="utf-8")
        self.runs = 0
        self.start_service("--latency", "1ms..4ms")
        self.can_verify = re.search(r"^ +verify\b", self.sluice("--help").out, re.MULTILINE) is not None
        self.wanted = {}
        for ending in self.endings:
            self.wanted[ending] = self.made_by(self.undisturbed("wanted" + ending[1:] + ending))

    def start_service(self, *arguments):
        self.service_arguments = arguments
        self.service = harness.LocalService(self, *(("--bucket", BUCKET) if BACKEND != "gemini" else ()), *arguments)
        self.seen = 0  # bytes of its journal
        self.created = {}  # display names of jobs by run id and shard

    def next_run(self):
        """The output's name of a run that is new to everybody."""
        self.runs += 1
        if self.runs % RUNS_OF_A_SERVICE == 0:
            self.service.stop()
            shutil.rmtree(self.service.state)
            self.start_service(*self.service_arguments)
        return f"r{self.runs}{self.endings[self.runs % len(self.endings)]}"

    def command(self, output):
        return ["run", "c.jsonl", "-o", output, "-C", self.run_folder(output).name, *self.asked,
                "--shard-rows", str(SHARD_ROWS), "--max-line-bytes", "4k", "--threads", "2",
                *self.service_flags(), "--poll", "2ms..8ms", "--settle", "25ms", *self.more_flags]

    def service_flags(self):
        if BACKEND == "gemini":
            return self.service.flags()
        place = ["--bigquery-dataset", "crashes"] if BACKEND == "tables" else ["--bucket", f"{BUCKET}/runs"]
        return ["--backend", "vertex", "--base-url", self.service.base_url, "--project", "crash-lab",
                "--location", "us-central1", *place]

    def run_folder(self, output):
        return self.folder / (output.split(".")[0] + ".sluice")

    @staticmethod
    def binary():
        return pathlib.Path(harness.BINARY).resolve()

    def start(self, output, before=(), **popen):
        """The run as a process; `before` are the words of a program that starts it."""
        binary = [*map(str, before), str(self.binary())]
        process = harness.Process([*binary, *self.command(output)], cwd=self.folder,
                                  env=harness.environment(**self.service.env()),
                                  stdin=subprocess.DEVNULL, stdout=popen.pop("stdout", subprocess.PIPE),
                                  stderr=popen.pop("stderr", subprocess.PIPE), text=True, encoding="utf-8",
                                  **popen)
        process.said = self.said
        return process

    def undisturbed(self, output):
        self.sluice(*self.command(output), env=self.service.env(), code=3)  # 3: some lines are refused
        return output

    def made_by(self, output):
        """The bytes of all that a run leaves for people, by kind. Of what names the run folder or a
        job, which differ, only the rest."""
        stem = output.split(".")[0]
        files = {"output": self.read(output)}
        if output.endswith(".npy"):
            files["ids"] = self.read(stem + ".ids.jsonl")
        folder = self.run_folder(output)
        files["run ids"] = (folder / "ids.jsonl").read_bytes()
        files["rejects"] = (folder / "rejects.jsonl").read_bytes().replace(stem.encode(), b"")
        files["failures"] = (folder / "failures.jsonl").read_bytes()
        for spool in (folder / "rejects").iterdir():
            files[spool.name] = spool.read_bytes()
        for shard in (folder / "shards").iterdir():
            files[shard.name] = shard.read_bytes()
        return files

    def resume(self, output, why):
        """Without faults, to the end; and looks at everything."""
        ended = self.sluice(*self.command(output), env=self.service.env(), code=None)
        self.assertEqual(ended.code, 3, f"{why}: the resumed run of {output} failed\n{ended.err}")
        self.judge(output, why)

    def judge(self, output, why, corpus_is_here=True):
        found, wanted = self.made_by(output), self.wanted["." + output.split(".")[1]]
        self.assertEqual(found.keys(), wanted.keys(), f"{why}: {output}")
        for kind, content in wanted.items():
            self.assertEqual(found[kind], content, f"{why}: {kind} of {output} differ")
        self.expect_one_job_for_each_shard(output, why)
        self.expect_nothing_left_over(output, why)
        if self.can_verify and corpus_is_here:
            self.sluice("verify", self.run_folder(output).name)
        # They are those of the undisturbed run, which are kept: tests/leaks has enough to unpack.
        shutil.rmtree(self.run_folder(output) / "shards")

    def expect_one_job_for_each_shard(self, output, why):
        with sqlite3.connect(self.run_folder(output) / "ledger.db") as ledger:
            (run_id,) = ledger.execute("SELECT value FROM meta WHERE key='run_id'").fetchone()
        ledger.close()
        self.read_journal()
        jobs = self.created.get(run_id, {})
        self.assertEqual({shard: len(names) for shard, names in jobs.items()},
                         {str(shard): 1 for shard in range(SHARDS)}, f"{why}: jobs of {output}: {jobs}")

    def read_journal(self):
        with open(self.service.state / "journal.jsonl", "rb") as journal:
            journal.seek(self.seen)
            lines = journal.readlines()
            self.seen = journal.tell()
            for event in map(json.loads, lines):
                if event["event"] == "create":
                    _, run_id, shard, _ = event["displayName"].split("/")
                    self.created.setdefault(run_id, {}).setdefault(shard, []).append(event)

    def expect_nothing_left_over(self, output, why):
        folder = self.run_folder(output)
        left = {path.name for path in folder.iterdir() if path.is_file()} - RUN_FILES
        left |= {str(path) for path in (folder / "work").rglob("*")}
        stem = output.split(".")[0]
        left |= {path.name for path in self.folder.glob(f"{stem}.*") if path.suffix in (".tmp", ".part")}
        left |= {path.name for path in (folder / "shards").iterdir() if ".tmp" in path.name}
        self.assertEqual(left, set(), f"{why}: left over by {output}")

    def expect_no_half_files(self, output, why):
        """After a fault and before the resume: a final name is borne by the whole or by nothing."""
        wanted = self.wanted["." + output.split(".")[1]]
        stem = output.split(".")[0]
        finals = [("output", self.folder / output), ("ids", self.folder / f"{stem}.ids.jsonl")]
        finals += [(path.name, path) for path in (self.run_folder(output) / "shards").glob("*.zst")]
        for kind, path in finals:
            if path.exists():
                self.assertEqual(path.read_bytes(), wanted[kind], f"{why}: {path.name} is not whole")

    def time_of_a_run(self):
        begin = time.monotonic()
        self.undisturbed(self.next_run())
        return time.monotonic() - begin
