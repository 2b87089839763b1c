"""A run that goes on with another corpus or other settings is refused, says what changed, and buys
nothing; a time stamp alone is no change."""

import json
import os
import shutil
import subprocess

import harness

ASK = ["--dim", "8", "--shard-rows", "300"]


class Changed(harness.CliTest):
    def setUp(self):
        super().setUp()
        self.service = harness.LocalService(self, "--latency", "1ms..5ms")

    def run_again(self, *inputs, code, more=()):
        return self.sluice("run", *inputs, *ASK, *self.service.flags(), "-C", "r", "-o", "v.npy", *more,
                           env=self.service.env(), code=code)

    def prepare(self, *inputs):
        self.sluice("prepare", *inputs, "-m", "sluice-lexical-1", *ASK, "-C", "r")

    def expect_refused(self, *inputs, says, code=7):
        said = self.run_again(*inputs, code=code).err
        for words in says:
            self.assertIn(words, said)
        self.assertEqual(self.service.events("create") if (self.service.state / "journal.jsonl").exists() else [], [])


def touch(path, seconds=100):
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + seconds * 10**9))


class Corpus(Changed):
    def corpus(self):
        return self.folder / "c.jsonl"

    def test_edits(self):
        self.write_corpus("c.jsonl", 1000)
        self.prepare("c.jsonl")
        whole = self.read("c.jsonl")
        size = len(whole)
        changes = {
            "append": (whole + b'{"text":"more"}\n', [f"\"c.jsonl\" had {size} bytes", f"has {size + 16} now"]),
            "cut": (whole[:-20], [f"had {size} bytes", f"has {size - 20} now"]),
            "edit": (whole.replace(b"Nr. 500", b"Nr. 5OO"), ["\"c.jsonl\" is as long as", "its content is another"]),
            "swap of lines": (b"".join(whole.splitlines(keepends=True)[::-1]), ["its content is another"]),
        }
        for name, (data, says) in changes.items():
            with self.subTest(change=name):
                stat = self.corpus().stat()
                self.corpus().write_bytes(data)
                self.expect_refused("c.jsonl", says=says)
                os.utime(self.corpus(), ns=(stat.st_atime_ns, stat.st_mtime_ns))
                self.expect_refused("c.jsonl", says=says)  # with its old time stamp, too
                self.corpus().write_bytes(whole)
        self.run_again("c.jsonl", code=0)  # the same bytes with new stamps: no change
        self.assertEqual(len(self.service.events("create")), 4)

    def test_a_touch_or_a_copy_is_no_change(self):
        self.write_corpus("c.jsonl", 1000)
        self.prepare("c.jsonl")
        touch(self.corpus())
        self.prepare("c.jsonl")
        shutil.copy(self.corpus(), self.folder / "copy")
        os.rename(self.folder / "copy", self.corpus())
        self.run_again("c.jsonl", code=0)
        touch(self.corpus())
        self.run_again("c.jsonl", code=0)
        (self.folder / "r" / "content.jsonl").unlink()
        touch(self.corpus())
        self.assertIn("its content is another", self.run_again("c.jsonl", code=7).err)

    def test_a_bit_that_turned_in_the_ids_is_not_published(self):
        self.write_corpus("c.jsonl", 1000)
        self.prepare("c.jsonl")
        ids = self.folder / "r" / "ids.jsonl"
        whole = ids.read_bytes()
        at = whole.index(b"\n", len(whole) // 2) - 3  # inside a line number or an offset
        ids.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
        for _ in range(2):
            said = self.run_again("c.jsonl", code=7).err
            self.assertIn("ids.jsonl' was changed: rows 300 to 599", said)
            self.assertFalse((self.folder / "v.npy").exists() or (self.folder / "v.ids.jsonl").exists())
        ids.write_bytes(whole)
        self.run_again("c.jsonl", code=0)
        self.assertEqual(self.read("v.ids.jsonl"), whole)
        self.assertEqual(len(self.service.events("create")), 4)

    def test_files_that_come_go_and_change_places(self):
        for name, count in (("a.jsonl", 300), ("b.jsonl", 300), ("c.jsonl", 300)):
            self.write_corpus(name, count)
        (self.folder / "b.jsonl").write_bytes(self.read("b.jsonl").replace(b"Nr. 7", b"Nr. X"))
        self.prepare("a.jsonl", "b.jsonl")
        self.expect_refused("a.jsonl", says=["had 2 files", "has 1 now", "\"b.jsonl\" is gone"])
        self.expect_refused("a.jsonl", "b.jsonl", "c.jsonl", says=["\"c.jsonl\" is new"])
        self.expect_refused("b.jsonl", "a.jsonl", says=["file 1 of the corpus was \"a.jsonl\"", "is \"b.jsonl\" now"])
        os.rename(self.folder / "a.jsonl", self.folder / "x")
        os.rename(self.folder / "b.jsonl", self.folder / "a.jsonl")
        os.rename(self.folder / "x", self.folder / "b.jsonl")
        self.expect_refused("a.jsonl", "b.jsonl", says=["its content is another"])

    def test_what_is_packed_counts_when_it_was_stopped_midway(self):
        """A change behind what was read is none yet; before, it is one."""
        self.write_corpus("c.jsonl", 60_000, words=40)
        whole = self.read("c.jsonl")
        self.prepare("c.jsonl")
        manifest = self.folder / "r" / "manifest.jsonl"
        lines = manifest.read_bytes().splitlines(keepends=True)
        manifest.write_bytes(b"".join(lines[:20]))  # as a kill leaves it
        read = self.folder / "r" / "content.jsonl"
        sealed = json.loads(lines[19])["after"]["offset"]
        notes = [line for line in read.read_text().splitlines(keepends=True) if line.strip()]
        keep = next(number for number, line in enumerate(notes) if json.loads(line)["to"] >= sealed)
        self.assertLess(json.loads(notes[keep])["to"], len(whole))
        read.write_text("".join(notes[:keep + 1]) + notes[-1][:20])  # and a torn line
        flags = ["prepare", "c.jsonl", "-m", "sluice-lexical-1", *ASK, "-C", "r"]
        self.corpus().write_bytes(whole.replace(b"Nr. 10.", b"Nr. 1O.").replace(b"Nr. 10\"", b"Nr. 1O\""))
        self.assertIn("its content is another", self.sluice(*flags, code=7).err)
        self.corpus().write_bytes(whole.replace(b"Nr. 59999", b"Nr. 5999X"))
        self.sluice(*flags)
        self.sluice("verify", "r")

    def test_a_compressed_corpus(self):
        self.write_corpus("c.jsonl", 1000)
        subprocess.run(["zstd", "-q", "c.jsonl", "-o", "c.jsonl.zst"], cwd=self.folder, check=True)
        self.prepare("c.jsonl.zst")
        touch(self.folder / "c.jsonl.zst")
        self.prepare("c.jsonl.zst")
        data = bytearray(self.read("c.jsonl.zst"))
        data[-1] ^= 1
        (self.folder / "c.jsonl.zst").write_bytes(data)
        self.expect_refused("c.jsonl.zst", says=["its content is another"])

    def test_standard_input_that_was_read_to_its_end(self):
        """Given again it must be the same; nothing at all will do."""
        plain = self.write_corpus("c.jsonl", 3000)
        other = self.write_corpus("other.jsonl", 2999)
        subprocess.run(["gzip", "-k", "c.jsonl"], cwd=self.folder, check=True)
        subprocess.run(["zstd", "-q", "c.jsonl"], cwd=self.folder, check=True)
        longer = self.folder / "longer.jsonl"
        longer.write_bytes(self.read("c.jsonl") + b"\n")
        for name in ("c.jsonl", "c.jsonl.gz", "c.jsonl.zst"):
            with self.subTest(name=name):
                output = f"{name}.npy"
                command = ["run", "-", "-b", "local", "--dim", "8", "-o", output]
                self.sluice(*command, stdin_path=self.folder / name)
                whole = self.read(output)
                self.sluice(*command, stdin_path=self.folder / name)
                self.sluice(*command)
                for wrong in (other, longer, plain if name != "c.jsonl" else other):
                    said = self.sluice(*command, stdin_path=wrong, code=7).err
                    self.assertIn("standard input is not what it was", said)
                self.assertEqual(self.read(output), whole)

    def test_a_file_that_changes_while_it_is_read(self):
        """`prepare` reads from a pipe first, and the file behind it changes meanwhile."""
        for change in ("append", "cut", "replace", "edit", "gone", "touch"):
            with self.subTest(change=change):
                self.write_corpus("c.jsonl", 100)
                whole = self.read("c.jsonl")
                process = self.spawn("prepare", "-", "c.jsonl", "-m", "sluice-lexical-1", *ASK, "-C", change,
                                     "--progress", "json", "--progress-interval", "1ms", stdin=subprocess.PIPE)
                process.stdin.write('{"text":"first"}\n')
                process.stdin.flush()
                while json.loads(process.stderr.readline())["corpus_bytes_total"] == 0:
                    pass  # until it has listed its inputs and waits for the pipe
                if change == "append":
                    self.corpus().write_bytes(whole + b'{"text":"more"}\n')
                elif change == "cut":
                    os.truncate(self.corpus(), len(whole) // 2)
                elif change == "replace":
                    (self.folder / "new").write_bytes(whole + b"\n")
                    os.rename(self.folder / "new", self.corpus())
                elif change == "edit":
                    self.corpus().write_bytes(whole.replace(b"Nr. 50", b"Nr. 5O"))
                elif change == "gone":
                    self.corpus().unlink()
                else:
                    touch(self.corpus())
                said = process.communicate(timeout=harness.PATIENCE_S)[1]
                # Before a byte of it was read, another content is as good as the first: what is
                # pinned is compared by the next command.
                wanted = 0 if change in ("edit", "touch") else 7
                self.assertEqual(process.returncode, wanted, said)
                if wanted == 7:
                    self.assertIn("c.jsonl", said)


class Settings(Changed):
    def test_each_that_changes_what_is_sent_is_pinned(self):
        self.write_corpus("c.jsonl", 10)
        for name in ("t1", "t2"):
            (self.folder / name).write_text(f"{name} {{{{text}}}}")
            (self.folder / f"{name}.json").write_text('{"temperature":%s}' % name[1])
        embed = [("--model", "sluice-lexical-1", "sluice-prepared-1"), ("--dim", "8", "9"),
                 ("--task-type", "RETRIEVAL_DOCUMENT", "CLUSTERING"), ("--text-field", "text", "id"),
                 ("--title-field", "id", "text"), ("--id-field", "id", "text"),
                 ("--max-line-bytes", "1M", "2M"), ("--shard-rows", "5", "6"), ("--shard-bytes", "1M", "2M"),
                 ("--shard-tokens", "1000", "2000"), ("--shard-answer-bytes", "1M", "2M"),
                 ("--input-format", "jsonl", "text"), ("--normalize", None, ""), ("--request-field", None, "text")]
        generate = [("--template", "t1", "t2"), ("--generation-config", "t1.json", "t2.json"),
                    ("--system-instruction", "t1", "t2")]
        for task, settings in (("embed", embed), ("generate", generate)):
            def flags(changed=None, task=task, settings=settings):
                words = ["--task", task, "-b", "local"]
                for name, first, second in settings:
                    value = second if name == changed else first
                    words += [name] if value == "" else [name, value] if value is not None else []
                return words
            self.sluice("prepare", "c.jsonl", *flags(), "-C", task)
            for name, _, _ in settings:
                with self.subTest(setting=name):
                    said = self.sluice("prepare", "c.jsonl", *flags(name), "-C", task, code=2).err
                    self.assertIn(name, said)
                    self.assertIn("when this run began", said)
            self.sluice("prepare", "c.jsonl", *flags(), "-C", task)
        self.sluice("prepare", "c.jsonl", "--task", "generate", "-b", "local", "-C", "embed", code=2)

    def test_the_account(self):
        self.write_corpus("c.jsonl", 10)
        self.prepare("c.jsonl")
        self.run_again("c.jsonl", code=0)
        other = {"GEMINI_API_KEY": harness.KEY + "-other"}
        said = self.sluice("run", "c.jsonl", *ASK, *self.service.flags(), "-C", "r", "-o", "v.npy", env=other, code=2).err
        self.assertIn("the account (API key or --base-url)", said)
        self.assertNotIn(harness.KEY, said)


if __name__ == "__main__":
    harness.main()
