"""On a disk that nothing can be written on, what only looks still looks, at a run that ended and at one that
was killed; what must write says why it cannot."""

import shlex
import shutil
import subprocess
import unittest

import harness
import lab


def can_mount():
    """Without being root: in a user namespace of its own."""
    tried = subprocess.run(["unshare", "-rm", "mount", "--bind", "-o", "ro", "/usr", "/usr"], capture_output=True,
                           check=False) if shutil.which("unshare") else None
    return tried is not None and tried.returncode == 0


@unittest.skipUnless(can_mount(), "no right to mount")
class ReadOnly(lab.CrashTest):
    def looked_at(self, *arguments, code=0):
        """What the command says where the test's folder is read-only."""
        command = shlex.join([str(self.binary()), *map(str, arguments)])
        script = f"mount --bind . . && mount -o remount,ro,bind . && cd {shlex.quote(str(self.folder))} && {command}"
        ended = subprocess.run(["unshare", "-rm", "sh", "-c", script], cwd=self.folder, capture_output=True,
                               text=True, check=False, env=harness.environment(**self.service.env()))
        harness.keep(self.said, ended.stdout, ended.stderr)
        self.assertEqual(ended.returncode, code, f"{arguments}\n{ended.stderr}")
        return ended.stdout + ended.stderr

    def expect_looks(self, output, state):
        folder = self.run_folder(output).name
        self.assertIn(state, self.looked_at("status", "-C", folder, "--json"))
        self.looked_at("verify", folder)

    def test_a_run_that_ended(self):
        output = self.undisturbed(self.next_run())
        self.expect_looks(output, '"DONE"')
        self.looked_at("retry", "-n", "-C", self.run_folder(output).name)
        self.assertIn("Read-only file system", self.looked_at(*self.command(output), code=75))

    def test_a_run_that_was_killed(self):
        output = self.next_run()
        process = self.start(output)
        while not (self.run_folder(output) / "manifest.jsonl").exists() and process.poll() is None:
            pass
        process.kill()
        process.communicate()
        self.assertTrue((self.run_folder(output) / "ledger.db-wal").exists())
        before = {path.name: path.read_bytes() for path in self.run_folder(output).iterdir() if path.is_file()}
        self.expect_looks(output, '"STOPPED"')
        after = {path.name: path.read_bytes() for path in self.run_folder(output).iterdir() if path.is_file()}
        self.assertEqual(before, after)
        self.resume(output, "looked at on a read-only disk")


if __name__ == "__main__":
    harness.main()
