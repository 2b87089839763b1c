"""One process works on a run folder; the others leave at once with exit code 8 and say who works."""

import os
import re
import signal
import socket
import subprocess

import harness

ASK = ["-m", "sluice-lexical-1", "--dim", "8", "--shard-rows", "50"]


class Lock(harness.CliTest):
    def hold(self, folder="r"):
        """A `prepare` that has the lock and waits for its standard input; it ends with the test."""
        process = self.spawn("prepare", "-", *ASK, "-C", folder, "--progress", "json", "--progress-interval", "1ms",
                             stdin=subprocess.PIPE)
        self.addCleanup(self.end, process)
        process.stderr.readline()  # it shows progress, and soon works
        while not self.holder(folder).startswith(f"process {process.pid} "):
            process.stderr.readline()
        return process

    def holder(self, folder):
        try:
            return (self.folder / folder / "lock").read_text()
        except FileNotFoundError:
            return ""

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.communicate('{"text":"x"}\n', timeout=harness.PATIENCE_S)

    def test_the_second_leaves_and_names_the_first(self):
        self.write_corpus("c.jsonl", 100)
        first = self.hold()
        (self.folder / "link").symlink_to(self.folder / "r")
        for folder in ("r", "./r/", self.folder / "r", "link"):
            for command in (["prepare", "c.jsonl", *ASK, "-C"], ["run", "c.jsonl", "-b", "local", "-C"], ["verify"],
                            ["run", "c.jsonl", "-b", "local", "--fresh", "-y", "-C"], ["retry", "-C"], ["cancel", "-y", "-C"]):
                with self.subTest(folder=folder, command=command):
                    said = self.sluice(*command, folder, code=8).err
                    self.assertRegex(said, rf"process {first.pid} on {re.escape(socket.gethostname())} since "
                                           r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ: sluice prepare\b")
        self.end(first)
        self.assertEqual(first.returncode, 0)
        self.assertEqual(self.holder("r"), "")

    def test_a_dead_owner_never_blocks(self):
        self.write_corpus("c.jsonl", 100)
        first = self.hold()
        first.send_signal(signal.SIGKILL)
        first.communicate()
        self.assertIn(f"process {first.pid} ", self.holder("r"))
        # 7: it had noted its corpus, which was another one.
        self.assertIn(self.sluice("prepare", "c.jsonl", *ASK, "-C", "r", code=None).code, (0, 7))
        self.sluice("verify", "r")

    def test_a_lock_that_is_deleted_still_holds(self):
        self.write_corpus("c.jsonl", 100)
        first = self.hold()
        (self.folder / "r" / "lock").unlink()
        for _ in range(2):  # the one it leaves behind changes nothing
            self.assertIn("another sluice works on this run", self.sluice("prepare", "c.jsonl", *ASK, "-C", "r", code=8).err)
        self.end(first)
        self.assertEqual(first.returncode, 0)
        self.sluice("verify", "r")

    def test_of_many_at_the_same_instant_one_works(self):
        self.write_corpus("c.jsonl", 100)
        service = harness.LocalService(self, "--latency", "100ms..200ms")
        for count in (2, 8):
            with self.subTest(count=count):
                gate_out, gate_in = os.pipe()
                command = [harness.BINARY, "run", "c.jsonl", *ASK, *service.flags(), "-C", f"r{count}", "-o", f"v{count}.npy"]
                processes = [subprocess.Popen(["sh", "-c", 'read x; exec "$@"', "sh", *command], cwd=self.folder,
                                              env=harness.environment(**service.env()), stdin=gate_out,
                                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                             for _ in range(count)]
                os.close(gate_out)
                os.write(gate_in, b"\n" * count)
                os.close(gate_in)
                ended = [(process.communicate(timeout=harness.PATIENCE_S)[1], process.returncode) for process in processes]
                codes = sorted(code for _, code in ended)
                self.assertEqual(codes, [0] + [8] * (count - 1), ended)
                for said, code in ended:
                    if code == 8:
                        self.assertRegex(said, r"another sluice works on this run \(process \d+ on ")
                self.sluice("verify", f"r{count}")
        self.assertEqual(len(service.events("create")), 4)  # two shards a run


if __name__ == "__main__":
    harness.main()
