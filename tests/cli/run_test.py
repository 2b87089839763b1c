"""The same documents give the same bytes, however they come and however the service shuffles."""

import fcntl
import gzip
import json
import os
import pty
import re
import struct
import subprocess
import termios

import numpy

import harness

LOCAL = ["--backend", "local", "--dim", "48"]


class SameBytes(harness.CliTest):
    def test_two_runs_give_the_same_array(self):
        self.write_corpus("c.jsonl", 3000)
        self.sluice("run", "c.jsonl", *LOCAL, "--shard-rows", "700", "-o", "a.npy")
        self.sluice("run", "c.jsonl", *LOCAL, "--shard-rows", "700", "-o", "b.npy")
        self.sluice("run", "c.jsonl", *LOCAL, "--threads", "1", "-o", "c.npy")
        self.assertEqual(self.read("a.npy"), self.read("b.npy"))
        self.assertEqual(self.read("a.npy"), self.read("c.npy"))
        self.assertEqual(self.read("a.ids.jsonl"), self.read("b.ids.jsonl"))

    def test_every_way_in_gives_the_same_array(self):
        lines = self.write_corpus("c.jsonl", 2000).read_bytes().splitlines(keepends=True)
        whole = b"".join(lines)
        with open(self.folder / "members.jsonl.gz", "wb") as file:
            for begin in range(0, 2000, 600):
                file.write(gzip.compress(b"".join(lines[begin:begin + 600])))
        zstd = ["zstd", "-q", "-c"]
        frames = [subprocess.run(zstd, input=part, stdout=subprocess.PIPE, check=True).stdout
                  for part in (whole[:100_000], whole[100_000:])]  # a frame may end in mid-line
        (self.folder / "frames.jsonl.zst").write_bytes(b"".join(frames))
        parts = [f"part-{number}.jsonl" for number in range(3)]
        for number, name in enumerate(parts):
            (self.folder / name).write_bytes(b"".join(lines[number * 700:(number + 1) * 700]))
        (self.folder / "stdin.npy.in").write_bytes(whole)

        self.sluice("run", "c.jsonl", *LOCAL, "-o", "plain.npy")
        self.sluice("run", "members.jsonl.gz", *LOCAL, "-o", "gz.npy")
        self.sluice("run", "frames.jsonl.zst", *LOCAL, "-o", "zst.npy")
        self.sluice("run", *parts, *LOCAL, "-o", "parts.npy")
        self.sluice("run", "part-*.jsonl", *LOCAL, "-o", "glob.npy")
        self.sluice("run", "-", *LOCAL, "-o", "stdin.npy", stdin_path=self.folder / "c.jsonl")
        self.sluice("run", "part-0.jsonl", "-", *LOCAL, "-o", "mixed.npy",
                    stdin_path=self.write_rest(lines[700:]))
        plain = self.read("plain.npy")
        for name in ("gz", "zst", "parts", "glob", "stdin", "mixed"):
            self.assertEqual(self.read(f"{name}.npy"), plain, name)
        ids = [line["id"] for line in self.json_lines("plain.ids.jsonl")]
        self.assertEqual(ids, [f"doc-{number}" for number in range(2000)])
        self.assertEqual([line["id"] for line in self.json_lines("parts.ids.jsonl")], ids)
        self.assertEqual(self.json_lines("parts.ids.jsonl")[700]["file"], "part-1.jsonl")

    def write_rest(self, lines):
        path = self.folder / "rest"
        path.write_bytes(b"".join(lines))
        return path


class Outputs(harness.CliTest):
    def test_numpy_maps_the_array_and_zstd_accepts_the_shards(self):
        self.write_corpus("c.jsonl", 1000)
        self.sluice("run", "c.jsonl", *LOCAL, "--shard-rows", "300", "-o", "v.npy")
        array = numpy.load(self.folder / "v.npy", mmap_mode="r")
        self.assertIsInstance(array, numpy.memmap)
        self.assertEqual((array.shape, array.dtype, array.flags.c_contiguous), ((1000, 48), numpy.float32, True))
        self.assertTrue(numpy.isfinite(array).all())
        self.assertLess(abs(numpy.linalg.norm(array, axis=1) - 1).max(), 1e-5)
        shards = sorted((self.folder / "v.npy.sluice" / "shards").glob("*.jsonl.zst"))
        self.assertEqual([shard.name for shard in shards], [f"{n:05}.jsonl.zst" for n in range(4)])
        for shard in shards:
            subprocess.run(["zstd", "-q", "-t", shard], check=True)
        first = subprocess.run(["zstd", "-q", "-d", "-c", shards[0]], stdout=subprocess.PIPE, check=True).stdout
        request = json.loads(first.splitlines()[0])
        self.assertEqual(request["request"]["outputDimensionality"], 48)

    def test_a_folder_of_texts(self):
        for name, text in [("b.md", "second"), ("sub/c.md", "third"), ("a.md", "first"), ("d.txt", "other")]:
            (self.folder / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / "docs" / name).write_text(text)
        self.sluice("run", "docs", "--glob", "*.md", *LOCAL, "-o", "v.npy")
        self.assertEqual([line["id"] for line in self.json_lines("v.ids.jsonl")], ["a.md", "b.md", "sub/c.md"])
        line = self.sluice("neighbors", "v.npy", "--text", "third", "-k", "1").out
        self.assertIn("  sub/c.md  sub/c.md:1", line)

    def test_generation_answers_in_input_order(self):
        self.write_corpus("c.jsonl", 300)
        (self.folder / "prompt.txt").write_text("Say it back: {{text}}")
        self.sluice("run", "c.jsonl", "--backend", "local", "--template", "prompt.txt", "--shard-rows", "90")
        answers = self.json_lines("answers.jsonl")
        documents = self.json_lines("c.jsonl")
        self.assertEqual([answer["id"] for answer in answers], [document["id"] for document in documents])
        for answer, document in zip(answers, documents):
            self.assertIn(document["text"], json.dumps(answer, ensure_ascii=False))
            self.assertIn("finish_reason", json.dumps(answer))

    def test_progress_for_machines(self):
        self.write_corpus("c.jsonl", 2000)
        ended = self.sluice("run", "c.jsonl", *LOCAL, "--json", "--progress-interval", "1ms")
        lines = [json.loads(line) for line in ended.err.splitlines()]
        self.assertTrue(lines)
        self.assertTrue(all((line["v"], line["type"]) == (1, "progress") for line in lines))
        summary = ended.json()
        self.assertEqual((summary["v"], summary["type"], summary["exit_code"]), (1, "summary", 0))
        counts = summary["counts"]
        self.assertEqual((counts["documents"], counts["ok"], counts["failed"]), (2000, 2000, 0))
        self.assertEqual(summary["outputs"][0]["rows"], 2000)

    def test_quiet_says_nothing(self):
        self.write_corpus("c.jsonl", 5)
        ended = self.sluice("run", "c.jsonl", *LOCAL, "-q")
        self.assertEqual((ended.out, ended.err), ("", ""))

    def test_the_report_can_be_copied(self):
        self.write_corpus("c.jsonl", 5)
        self.sluice("run", "c.jsonl", *LOCAL, "--report", "r.json")
        self.assertEqual(self.read("r.json"), self.read("vectors.npy.sluice/report.json"))


class OnATerminal(harness.CliTest):
    """The block of four lines is drawn on a real (pseudo) terminal, and gone at the end."""

    COLUMNS = 60

    def run_on_terminal(self, *arguments):
        """What arrives on a terminal as stderr, and the exit code."""
        try:
            screen, terminal = pty.openpty()
        except OSError as error:  # a bare chroot has no /dev/pts
            self.skipTest(f"there are no pseudo terminals here: {error}")
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, self.COLUMNS, 0, 0))
        process = subprocess.Popen([harness.BINARY, *arguments], cwd=self.folder, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=terminal,
                                   env=harness.environment(TERM="xterm"))
        os.close(terminal)
        seen = b""
        while True:
            try:
                some = os.read(screen, 1 << 16)
            except OSError:  # EIO: the other end was closed
                break
            if not some:
                break
            seen += some
        os.close(screen)
        return seen.decode(), process.wait(timeout=harness.PATIENCE_S)

    def test_the_block_is_drawn_and_replaced_by_the_summary(self):
        self.write_corpus("c.jsonl", 2000)
        seen, code = self.run_on_terminal("run", "c.jsonl", *LOCAL)
        self.assertEqual(code, 0)
        head, summary = seen.rsplit("\x1b[J", 1)
        for step in ("Prepare", "Upload", "Jobs", "Merge"):
            self.assertIn(f"\r{step} ", head)
        self.assertTrue(summary.startswith("Wrote vectors.npy"), summary)
        for line in head.split("\r\n"):
            self.assertLess(len(re.sub(r"\x1b\[\d*[A-Z]|\r", "", line)), self.COLUMNS, line)

    def test_errors_are_coloured_unless_no_color_is_set(self):
        seen, code = self.run_on_terminal("rnu")
        self.assertEqual((seen, code), ("\x1b[31merror:\x1b[0m unknown command 'rnu'. Did you mean 'run'?\r\n", 2))
        seen, code = self.run_on_terminal("rnu", "--color=never")
        self.assertNotIn("\x1b", seen)


class RowsThatFail(harness.CliTest):
    """The service answers some requests with errors that no second try mends."""

    COUNT = 400

    def setUp(self):
        super().setUp()
        self.write_corpus("c.jsonl", self.COUNT)
        service = harness.LocalService(self, "--latency", "1ms..5ms", "--fault", "item-error=7")
        self.run_flags = ["run", "c.jsonl", *service.flags(), "--dim", "16", "-o", "v.npy"]
        self.env = service.env()

    def test_are_rows_of_nan(self):
        summary = self.sluice(*self.run_flags, "--json", code=3, env=self.env).json()
        counts = summary["counts"]
        self.assertEqual((counts["ok"], counts["failed"]), (self.COUNT - 7, 7))
        self.assertEqual(sum(summary["failed_by_class"].values()), 7)
        array = numpy.load(self.folder / "v.npy")
        bad = numpy.flatnonzero(numpy.isnan(array).any(axis=1))
        failures = self.json_lines("v.npy.sluice/failures.jsonl")
        self.assertEqual([failure["row"] for failure in failures], bad.tolist())
        self.assertEqual(failures[0]["id"], f"doc-{bad[0]}")
        self.assertIn("Failed rows:", self.sluice("status", "--errors").out)

    def test_are_left_out_when_asked(self):
        self.sluice(*self.run_flags, "--on-error", "skip", code=3, env=self.env)
        array = numpy.load(self.folder / "v.npy")
        self.assertEqual(array.shape, (self.COUNT - 7, 16))
        self.assertTrue(numpy.isfinite(array).all())
        ids = self.json_lines("v.ids.jsonl")
        self.assertEqual([line["row"] for line in ids], list(range(self.COUNT - 7)))

    def test_end_the_run_when_asked(self):
        ended = self.sluice(*self.run_flags, "--on-error", "fail", code=None, env=self.env)
        self.assertNotIn(ended.code, (0, 1, 3))
        self.assertIn("error: ", ended.err)
        self.assertFalse((self.folder / "v.npy").exists())


class JobsOfOthers(harness.CliTest):
    def test_an_inline_job_without_a_name_is_not_ours(self):
        self.write_corpus("c.jsonl", 5)
        (self.folder / "one.jsonl").write_text('{"key":"x","request":{"content":{"parts":[{"text":"hi"}]}}}\n')
        service = harness.LocalService(self, "--fault", "create-lost=503@2")
        ask = ["--base-url", service.base_url, "-m", "sluice-lexical-1"]
        self.sluice("jobs", "create-embeddings", "one.jsonl", "--inline", *ask, code=1, env=service.env())
        self.sluice("run", "c.jsonl", "--dim", "4", *service.flags(), "-o", "v.npy", env=service.env())
        named = [event["displayName"] for event in service.events("create") if event.get("displayName")]
        self.assertEqual(len(named), 1)


if __name__ == "__main__":
    harness.main()
