"""The ledger of a run that was killed half-way is damaged or gone: the run refuses and buys nothing, or goes
on and buys nothing twice. Starting over needs --fresh."""

import os
import signal
import subprocess

import harness
import lab


def cut(path):
    os.truncate(path, path.stat().st_size // 2)


def empty(path):
    os.truncate(path, 0)


def flip(path):
    content = bytearray(path.read_bytes())
    for place in range(100, len(content), 97):
        content[place] ^= 0x10
    path.write_bytes(content)


def garbage(path):
    path.write_bytes(os.urandom(8192))


DAMAGES = {"deleted": os.unlink, "half": cut, "empty": empty, "flipped": flip, "garbage": garbage,
           "zeroes": lambda path: path.write_bytes(bytes(path.stat().st_size))}


class LedgerLost(lab.CrashTest):
    endings = (".npy",)

    def killed_half_way(self):
        """A run of which some jobs are made."""
        output = self.next_run()
        made = len(self.service.events("create"))
        process = self.start(output)
        while len(self.service.events("create")) < made + 2:
            try:
                process.wait(timeout=0.002)
                break
            except subprocess.TimeoutExpired:
                pass
        process.kill()
        process.communicate(timeout=harness.PATIENCE_S)
        self.assertIn(process.returncode, (3, -signal.SIGKILL))
        return output

    def try_with(self, name, damage, output):
        folder = self.run_folder(output)
        for file in ("ledger.db", "ledger.db-wal"):
            if (folder / file).exists() and (file == "ledger.db" or name in ("deleted", "empty")):
                damage(folder / file)
        before = self.service.events("create")
        ended = self.sluice(*self.command(output), env=self.service.env(), code=None)
        bought = self.service.events("create")[len(before):]
        if ended.code == 3:  # the log still had everything
            self.judge(output, name)
        else:
            self.assertEqual(ended.code, 7, f"{name}\n{ended.err}")
            self.assertRegex(ended.err, "ledger", name)
            self.expect_only_late_jobs(bought, before, name)
        return ended.code

    def expect_only_late_jobs(self, bought, before, why):
        """A create request that the killed run has sent may still be under way; nobody asks anew or again."""
        killed = before[-1]["displayName"].split("/")[1]
        names = [event["displayName"] for event in before + bought if event["displayName"].split("/")[1] == killed]
        self.assertEqual(len(names), len(set(names)), why)
        self.assertEqual({event["displayName"].split("/")[1] for event in bought} - {killed}, set(), why)

    def test_each_damage(self):
        refused = 0
        for name, damage in DAMAGES.items():
            with self.subTest(damage=name):
                refused += self.try_with(name, damage, self.killed_half_way()) == 7
        self.assertGreaterEqual(refused, 3)

    def test_starting_over_is_asked_for(self):
        output = self.killed_half_way()
        self.assertEqual(self.try_with("deleted", os.unlink, output), 7)
        self.sluice(*self.command(output), "--fresh", "-y", env=self.service.env(), code=3)
        self.judge(output, "fresh")


if __name__ == "__main__":
    harness.main()
