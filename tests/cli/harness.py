"""What the end-to-end tests share: the binary, a local service, and small corpora.

Every wait is for an event (a line on a pipe, the end of a process), never for a time.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

BINARY = os.environ.get("SLUICE_BINARY", "build/release/sluice")
KEY = "AIzaTestKey-of-the-cli-tests"  # begins as all keys of tests: see tests/leaks
PATIENCE_S = 120  # for a process that hangs; no test comes near it


def environment(**more):
    """No key, colours or settings of the person who runs the tests."""
    names = ("PATH", "TMPDIR", "LD_LIBRARY_PATH", "ASAN_OPTIONS")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return {**kept, "LC_ALL": "C.UTF-8", "TERM": "dumb", "XDG_CONFIG_DIRS": "/nowhere", **more}


class Ended:
    """A process that has ended: what it said and what it used."""

    def __init__(self, code, out, err, peak_kib):
        self.code, self.out, self.err, self.peak_kib = code, out, err, peak_kib

    def json(self):
        return json.loads(self.out)


class Process(subprocess.Popen):
    """Leaves what it said in the file `said`, too, where tests/leaks looks for keys. (Arguments are
    written there at the start: the watcher may miss a process that is quick.)"""

    said = os.devnull

    def communicate(self, *arguments, **named):
        texts = super().communicate(*arguments, **named)
        keep(self.said, *texts)
        return texts


def keep(path, *texts):
    with open(path, "a", encoding="utf-8") as file:
        file.writelines(text for text in texts if text)


class CliTest(unittest.TestCase):
    """A test in a folder of its own."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-cli-"))
        self.said = os.devnull
        if "SLUICE_KEEP_FILES" in os.environ:
            self.said = self.folder.with_suffix(".said")
        else:
            self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def spawn(self, *arguments, env=None, **popen):
        process = Process(
            [BINARY, *map(str, arguments)],
            cwd=self.folder,
            env=environment(**(env or {})),
            stdin=popen.pop("stdin", subprocess.DEVNULL),
            stdout=popen.pop("stdout", subprocess.PIPE),
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            **popen,
        )
        process.said = self.said
        keep(self.said, f"{arguments}\n")
        return process

    def sluice(self, *arguments, code=0, env=None, stdin_path=None):
        """Runs sluice to its end and expects `code` (None: any)."""
        out_path, err_path = self.folder / ".stdout", self.folder / ".stderr"
        with open(out_path, "wb") as out, open(err_path, "wb") as err, open(
            stdin_path or os.devnull, "rb"
        ) as stdin:
            process = subprocess.Popen(
                [BINARY, *map(str, arguments)],
                cwd=self.folder,
                env=environment(**(env or {})),
                stdin=stdin,
                stdout=out,
                stderr=err,
            )
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        ended = Ended(
            process.returncode,
            out_path.read_text(encoding="utf-8"),
            err_path.read_text(encoding="utf-8"),
            usage.ru_maxrss,
        )
        keep(self.said, f"{arguments}\n", ended.out, ended.err)
        if code is not None:
            self.assertEqual(ended.code, code, f"{arguments}\n{ended.out}\n{ended.err}")
        return ended

    def write_corpus(self, name, count, words=12):
        """`count` documents, all different; gives the path."""
        path = self.folder / name
        with open(path, "w", encoding="utf-8") as file:
            for number in range(count):
                text = " ".join(f"w{(number * 7919 + k * k * 31) % 5003}" for k in range(words))
                json.dump({"id": f"doc-{number}", "text": f"{text} Nr. {number}"}, file)
                file.write("\n")
        return path

    def read(self, name):
        return (self.folder / name).read_bytes()

    def json_lines(self, name):
        with open(self.folder / name, encoding="utf-8") as file:
            return [json.loads(line) for line in file]


class LocalService:
    """`sluice emulate` as a process of its own, with its journal."""

    def __init__(self, test, *arguments):
        self.state = test.folder / "service"
        self.process = test.spawn(
            "emulate", "--listen", "127.0.0.1:0", "--state", self.state, "--exit-with-parent", *arguments
        )
        test.addCleanup(self.stop)
        self.base_url = self.process.stdout.readline().strip()
        if not self.base_url.startswith("http://127.0.0.1:"):
            raise AssertionError(f"no base URL but {self.base_url!r}: {self.process.stderr.read()}")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=PATIENCE_S)

    def events(self, name):
        with open(self.state / "journal.jsonl", encoding="utf-8") as file:
            return [event for event in map(json.loads, file) if event["event"] == name]

    def flags(self):
        """Flags with which `run` uses this service, at a pace for tests."""
        return ["--base-url", self.base_url, "--model", "sluice-lexical-1", "--poll", "10ms..50ms",
                "--settle", "300ms"]

    def env(self):
        return {"GEMINI_API_KEY": KEY}


def main():
    unittest.main(verbosity=2)
