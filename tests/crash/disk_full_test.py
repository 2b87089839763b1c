"""A disk that is full, and a limit on the size of files: the run stops with exit code 75 and says why, no
final name is borne by half a file, and with room again it goes on to the same bytes.

SLUICE_LONG=1: at many more sizes.
"""

import re
import resource
import shlex
import shutil
import subprocess
import unittest

import harness
import lab


def can_mount():
    """Without being root: in a user namespace of its own."""
    tried = subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True,
                           check=False) if shutil.which("unshare") else None
    return tried is not None and tried.returncode == 0


class DiskFull(lab.CrashTest):
    def expect_stopped(self, code, err, why):
        self.assertIn(code, (75, 3), f"{why}\n{err}")
        if code == 75:
            self.assertRegex(err, r"error: cannot .*: .*(large|space|full|I/O)", why)
            self.assertIn("make room", err, why)
        return code == 75

    def test_limit_on_file_sizes(self):
        stopped = 0
        for size in range(0, 40_000, 500 if lab.LONG else 4000):
            output, why = self.next_run(), f"files of {size} bytes at most"
            process = self.start(output, preexec_fn=lambda limit=size: resource.setrlimit(
                resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY)))
            _, err = process.communicate(timeout=harness.PATIENCE_S)
            stopped += self.expect_stopped(process.returncode, err, why)
            self.expect_no_half_files(output, why)
            self.resume(output, why)
        self.assertGreater(stopped, 3)

    @unittest.skipUnless(can_mount(), "no right to mount")
    def test_small_disk(self):
        stopped = 0
        for pages in range(1, 60, 1 if lab.LONG else 6):
            output, why = self.next_run(), f"a disk of {pages} pages"
            codes, err = self.run_on_disk_of(4 * pages, output)
            stopped += self.expect_stopped(codes[0], err, why)
            self.assertEqual(codes[1:], [3, 0], f"{why}\n{err}")
            self.judge(output, why, corpus_is_here=False)
        self.assertGreater(stopped, 3)

    def run_on_disk_of(self, kib, output):
        """On a disk of its own, which grows after the first run; both exit codes, that of `verify`, and the first's words."""
        place = self.folder / "disk"
        place.mkdir(exist_ok=True)
        command = " ".join(map(shlex.quote, [str(self.binary()), *self.command(output)]))
        stem = output.split(".")[0]
        script = f"""
            mount -t tmpfs -o size=8m none {place} && cp c.jsonl {place} && cd {place}
            used=$(du -k c.jsonl | cut -f1)
            mount -o remount,size=$((used + {kib}))k {place}
            {command}
            echo code=$?
            mount -o remount,size=8m {place}
            {command} 2>../second
            echo code=$?
            {shlex.quote(str(self.binary()))} verify {stem}.sluice >../verified
            echo code=$?
            cp -a {stem}.* .."""
        ended = subprocess.run(["unshare", "-rm", "sh", "-c", script], cwd=self.folder, capture_output=True,
                               text=True, check=False, env=harness.environment(**self.service.env()))
        harness.keep(self.said, ended.stdout, ended.stderr)
        return [int(code) for code in re.findall(r"code=(\d+)", ended.stdout)], ended.stderr


if __name__ == "__main__":
    harness.main()
