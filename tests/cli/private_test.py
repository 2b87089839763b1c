"""What a run keeps is nobody else's: modes, descriptors, links, cores, and an environment that lacks
everything."""

import os
import pathlib
import resource
import signal
import stat
import subprocess

import harness

ASK = ["-b", "local", "--dim", "8", "--shard-rows", "50"]


class Private(harness.CliTest):
    def setUp(self):
        super().setUp()
        self.write_corpus("c.jsonl", 120)
        with open(self.folder / "c.jsonl", "ab") as corpus:
            corpus.write(b"{broken\n" + b'{"text":"' + b"a" * 5000 + b'"}\n')
        self.command = ["run", "c.jsonl", *ASK, "--max-line-bytes", "4000"]

    def popen(self, *arguments, env=None, **popen):
        return subprocess.Popen([harness.BINARY, *map(str, arguments)], cwd=self.folder,
                                env=harness.environment() if env is None else env, **popen)

    def test_no_file_is_open_to_others(self):
        process = self.popen(*self.command, "--keep-answers", "-o", "v.npy", preexec_fn=lambda: os.umask(0),
                             stderr=subprocess.DEVNULL)
        self.assertEqual(process.wait(timeout=harness.PATIENCE_S), 3)
        run = self.folder / "v.npy.sluice"
        seen = [run, self.folder / "v.npy", self.folder / "v.ids.jsonl", *run.rglob("*")]
        self.assertGreater(len(seen), 12)
        for path in seen:
            mode = stat.S_IMODE(path.stat().st_mode)
            self.assertEqual(oct(mode), oct(0o700 if path.is_dir() else 0o600), path)

    def test_without_standard_streams(self):
        self.sluice(*self.command, "-o", "wanted.npy", code=3)
        for closed in ((0,), (1,), (2,), (0, 1, 2)):
            with self.subTest(closed=closed):
                name = f"v{''.join(map(str, closed))}.npy"

                def close(closed=closed):
                    for stream in closed:
                        os.close(stream)
                process = self.popen(*self.command, "-o", name, preexec_fn=close, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
                self.assertEqual(process.wait(timeout=harness.PATIENCE_S), 3)
                self.assertEqual(self.read(name), self.read("wanted.npy"))
                self.sluice("verify", f"{name}.sluice")

    def test_with_an_empty_environment(self):
        self.sluice(*self.command, "-o", "wanted.npy", code=3)
        for number, env in enumerate(({}, {"LANG": "C", "LC_ALL": "C"}, {"HOME": "/nowhere", "LC_ALL": "xx_YY"})):
            process = self.popen(*self.command, "-o", f"v{number}.npy", env=env, stderr=subprocess.DEVNULL)
            self.assertEqual(process.wait(timeout=harness.PATIENCE_S), 3)
            self.assertEqual(self.read(f"v{number}.npy"), self.read("wanted.npy"))

    def test_planted_links_lead_nowhere(self):
        victim = self.folder / "victim"
        victim.write_text("precious")
        names = ["lock", "ledger.db", "ledger.db-wal", "manifest.jsonl", "content.jsonl", "ids.jsonl", "rejects.jsonl",
                 "failures.jsonl.tmp", "report.json.tmp", "shards/00000.jsonl.zst.tmp", "work/rows.npy.part",
                 "work/00000.failures.jsonl.tmp", "rejects/000000-5000.bin"]
        for number, name in enumerate(names):
            with self.subTest(link=name):
                link = self.folder / f"r{number}" / name
                if name not in ("lock", "ledger.db"):  # a run has begun there, and got nowhere
                    (self.folder / f"r{number}").mkdir()
                    nowhere = [word if word != "c.jsonl" else "nobody.jsonl" for word in self.command]
                    self.sluice(*nowhere, "-C", f"r{number}", "-o", f"v{number}.npy", code=7)
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(victim)
                ended = self.sluice(*self.command, "-C", f"r{number}", "-o", f"v{number}.npy", code=None)
                self.assertEqual(victim.read_text(), "precious")
                # What is made anew takes the link's place; rejects/... is of no line here.
                if name.endswith(".tmp") or name == "rejects/000000-5000.bin":
                    self.assertEqual(ended.code, 3)
                else:
                    self.assertNotIn(ended.code, (0, 1, 3), ended.err)
                    self.assertIn("error: ", ended.err)

    def test_a_link_in_the_output_s_place_is_replaced(self):
        victim = self.folder / "victim"
        victim.write_text("precious")
        for name in ("v.npy", "v.ids.jsonl"):
            (self.folder / name).symlink_to(victim)
        self.sluice(*self.command, "-o", "v.npy", code=3)
        self.assertEqual(victim.read_text(), "precious")
        self.assertFalse((self.folder / "v.npy").is_symlink() or (self.folder / "v.ids.jsonl").is_symlink())

    def test_a_crash_leaves_no_core(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
        process = self.popen("prepare", "-", "-m", "x", "-C", "r", "--progress", "json", "--progress-interval", "1ms",
                             stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (hard, hard)))
        process.stderr.readline()
        limits = pathlib.Path(f"/proc/{process.pid}/limits").read_text()
        self.assertRegex(limits, r"Max core file size +0 +0 ")
        process.send_signal(signal.SIGSEGV)
        _, status = os.waitpid(process.pid, 0)
        process.returncode = -signal.SIGSEGV
        process.stdin.close()
        process.stderr.close()
        self.assertTrue(os.WIFSIGNALED(status))
        self.assertFalse(os.WCOREDUMP(status))


if __name__ == "__main__":
    harness.main()
