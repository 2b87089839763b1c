"""A run writes only what is its own: not over its corpus, not over what else lies in a folder, not through
links; and it ends when it is asked to, whatever it waits for."""

import os
import signal
import subprocess
import time

import harness

ASK = ["--dim", "4", "--backend", "local"]
OUT_WITHIN_S = 5


class OwnFiles(harness.CliTest):
    def setUp(self):
        super().setUp()
        self.write_corpus("c.jsonl", 20)

    def files_here(self):
        return {path.relative_to(self.folder): path.read_bytes() for path in self.folder.rglob("*")
                if path.is_file() and not path.name.startswith(".std")}

    def refused(self, *arguments, says):
        before = self.files_here()
        said = self.sluice("run", *arguments, *ASK, code=2).err
        self.assertIn(says, said)
        kept = self.files_here()
        self.assertEqual({name: kept.get(name) for name in before}, before)

    def test_a_folder_of_others_becomes_no_run_folder(self):
        for name in ("work/thesis.tex", "ids.jsonl", "report.json", "lock"):
            path = self.folder / "project" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("mine", encoding="utf-8")
        for more in ([], ["--fresh", "-y"]):
            self.refused("c.jsonl", "-C", "project", "-o", "v.npy", *more, says="is no run folder")
            self.refused("c.jsonl", "-C", ".", "-o", "v.npy", *more, says="is no run folder")
        said = self.sluice("prepare", "c.jsonl", "-m", "m", "-C", "project", code=2).err
        self.assertIn("a folder of its own", said)

    def test_fresh_leaves_what_no_run_made(self):
        self.sluice("run", "c.jsonl", "-o", "v.npy", *ASK)
        (self.folder / "v.npy.sluice/notes.txt").write_text("mine", encoding="utf-8")
        self.sluice("run", "c.jsonl", "-o", "v.npy", "--fresh", "-y", *ASK)
        self.assertEqual(self.read("v.npy.sluice/notes.txt"), b"mine")
        self.sluice("verify", "v.npy.sluice")

    def test_nothing_is_deleted_through_links(self):
        precious = self.folder / "precious"
        (precious / "sub").mkdir(parents=True)
        (precious / "sub/a").write_text("mine", encoding="utf-8")
        self.sluice("run", "c.jsonl", "-o", "v.npy", *ASK)
        run = self.folder / "v.npy.sluice"
        (run / "shards/link").symlink_to(precious)
        (run / "shards/to-nowhere").symlink_to(self.folder / "nobody")
        self.sluice("run", "c.jsonl", "-o", "v.npy", "--fresh", "-y", *ASK)
        self.assertEqual((precious / "sub/a").read_text(encoding="utf-8"), "mine")
        self.assertFalse((run / "shards/link").is_symlink())
        for name in ("work", "shards"):
            (run / name).rename(run / "aside")
            (run / name).symlink_to(precious)
            for more in ([], ["--fresh", "-y"]):
                self.sluice("run", "c.jsonl", "-o", "v.npy", *ASK, *more, code=2)
                self.assertEqual((precious / "sub/a").read_text(encoding="utf-8"), "mine")
            (run / name).unlink()
            (run / "aside").rename(run / name)
            if not (run / "ledger.db").exists():  # it had begun to start over
                self.sluice("run", "c.jsonl", "-o", "v.npy", "-C", "v.npy.sluice", *ASK, code=None)

    def test_the_corpus_is_not_written_over(self):
        self.write_corpus("v.ids.jsonl", 5)
        (self.folder / "link.jsonl").symlink_to("c.jsonl")
        (self.folder / "hard.jsonl").hardlink_to(self.folder / "c.jsonl")
        for arguments in (["c.jsonl", "-o", "c.jsonl"], ["c.jsonl", "-o", "./x/../c.jsonl"],
                          ["c.jsonl", "-o", "hard.jsonl"], ["v.ids.jsonl", "-o", "v.npy"],
                          ["link.jsonl", "-o", "c.jsonl"], ["c.jsonl", "-o", "r.npy", "--report", "c.jsonl"]):
            (self.folder / "x").mkdir(exist_ok=True)
            with self.subTest(arguments=arguments):
                self.refused(*arguments, says="is an input of this run")
        self.refused("c.jsonl", "-o", "r.npy", "--report", "./r.npy", says="--report names the file")
        self.refused("c.jsonl", "-o", "r.npy", "--report", "r.ids.jsonl", says="--report names the file")

    def test_no_device_is_replaced_and_no_file_of_the_run(self):
        os.mkfifo(self.folder / "pipe.npy")
        (self.folder / "null.npy").symlink_to("/dev/null")
        for name, says in (("pipe.npy", "is no regular file"), ("null.npy", "is no regular file"), (".", "is a folder"),
                           ("nowhere/r.json", "there is no folder"), ("r.npy.sluice/ledger.db", "lies in the run folder"),
                           ("./x/../r.npy.sluice/new.json", "lies in the run folder")):
            with self.subTest(name=name):
                self.refused("c.jsonl", "-o", "r.npy", "--report", name, says=says)
        for name in ("pipe.npy", "null.npy"):
            self.refused("c.jsonl", "-o", name, says="is no regular file")
        self.assertTrue((self.folder / "null.npy").is_symlink() and (self.folder / "pipe.npy").is_fifo())

    def test_no_link_of_the_system_is_replaced(self):
        # When output is redirected to a file, that is what they lead to.
        (self.folder / "link.npy").symlink_to("/dev/stdout")
        with (self.folder / "redirected").open("w", encoding="utf-8") as redirected:
            for name in ("/proc/self/fd/1", "link.npy"):
                for command in (("run", "c.jsonl", "-b", "local", "-o", "v.npy", "--report", name),
                                ("bench", "--docs", "10", "--export-json", name),
                                ("bench", "generate", "corpus", name, "--docs", "10")):
                    process = self.spawn(*command, stdout=redirected)
                    self.assertIn("is no regular file", process.communicate()[1])
                    self.assertEqual(process.returncode, 2)
        self.assertTrue((self.folder / "link.npy").is_symlink())
        self.assertEqual(self.read("redirected"), b"")

    def test_a_folder_is_read_without_what_the_run_makes_in_it(self):
        for number in range(4):
            (self.folder / f"{number}.txt").write_text(f"text {number}", encoding="utf-8")
        (self.folder / "c.jsonl").unlink()
        for _ in range(2):
            self.sluice("run", ".", *ASK)
            self.assertEqual(len(self.json_lines("vectors.ids.jsonl")), 4)
        self.sluice("run", ".", "-o", "other.npy", "--exclude", "vectors.*", *ASK)
        self.assertEqual(len(self.json_lines("other.ids.jsonl")), 4)
        self.sluice("verify", "other.npy.sluice")

    def test_a_complete_run_looks_at_its_output(self):
        self.sluice("run", "c.jsonl", "-o", "v.npy", *ASK)
        whole = self.read("v.npy")
        (self.folder / "v.npy").write_bytes(whole[:300])
        said = self.sluice("run", "c.jsonl", "-o", "v.npy", *ASK, code=7).err
        self.assertIn("300 bytes long", said)
        (self.folder / "v.npy").write_bytes(whole)
        self.sluice("run", "c.jsonl", "-o", "v.npy", *ASK)

    def test_a_password_in_an_address_is_not_shown(self):
        said = self.sluice("run", "c.jsonl", "--base-url", "https://user:s3cret@127.0.0.1:1/?key=s3cret",
                           env={"GEMINI_API_KEY": harness.KEY}, code=2)
        self.assertNotIn("s3cret", said.out + said.err)


class Stops(harness.CliTest):
    def stopped_after(self, delay, *arguments, stdin=subprocess.DEVNULL):
        process = self.spawn(*arguments, stdin=stdin)
        try:
            process.wait(timeout=delay)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
        begin = time.monotonic()
        process.communicate(timeout=harness.PATIENCE_S)
        self.assertLess(time.monotonic() - begin, OUT_WITHIN_S)
        return process.returncode

    def test_while_standard_input_is_silent(self):
        for command in (["run", "-", "-o", "v.npy", *ASK], ["prepare", "-", "-m", "m", "-C", "p"]):
            silent = subprocess.Popen(["sleep", "60"], stdout=subprocess.PIPE)
            self.addCleanup(silent.kill)
            self.assertEqual(self.stopped_after(1, *command, stdin=silent.stdout), 128 + signal.SIGTERM)
            silent.kill()
            silent.communicate()

    def test_while_a_block_is_packed_at_a_high_level(self):
        self.write_corpus("c.jsonl", 60_000, words=40)
        code = self.stopped_after(1.5, "prepare", "c.jsonl", "-m", "m", "-C", "p", "--compress", "zstd:19",
                                  "--threads", "1")
        self.assertEqual(code, 128 + signal.SIGTERM)


if __name__ == "__main__":
    harness.main()
