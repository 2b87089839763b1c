"""Killed at the N-th call of each kind, or with that call failing, a run that is resumed comes to the same
bytes, and no job is made twice.

Every 7th kill and every 35th failure; SLUICE_LONG=1: every one; SLUICE_EVERY sets another step. Needs strace
and the right to trace, without which it is skipped.
"""

import random
import signal
import subprocess
import tempfile
import unittest

import harness
import lab
import strace

KILLED_AT = ["openat", "mkdir", "write", "pwrite64", "ftruncate", "fsync", "fdatasync", "rename", "unlink",
             "connect", "sendto", "recvfrom"]
# Errors that the disk may give, and of which calls.
ERRORS = {"ENOSPC": ["openat", "mkdir", "write", "pwrite64", "rename"],
          "EDQUOT": ["write", "pwrite64"],
          "EIO": ["openat", "read", "write", "pread64", "pwrite64", "ftruncate", "fsync", "fdatasync",
                  "rename", "unlink"],
          "EINTR": ["openat", "read", "write", "pwrite64", "ftruncate", "fsync"]}
SOCKET_ERRORS = {"EINTR": ["connect", "sendto", "recvfrom"], "ECONNRESET": ["sendto", "recvfrom"],
                 "ENOBUFS": ["sendto"]}


def can_trace():
    """Whether strace may follow the binary, and see what it writes."""
    if strace.STRACE is None:
        return False
    with tempfile.NamedTemporaryFile("r", encoding="ascii") as record:
        subprocess.run([strace.STRACE, "-f", "-qq", "--seccomp-bpf", "-e", "trace=write", "-o", record.name,
                        harness.BINARY, "version"], capture_output=True, check=False)
        return '"sluice ' in record.read()


@unittest.skipUnless(can_trace(), "no strace, or no right to trace")
class AtEachCall(lab.CrashTest):
    def setUp(self):
        super().setUp()
        self.counts = self.counts_of_a_run()

    def counts_of_a_run(self):
        output, record = self.next_run(), self.folder / "trace"
        words = [strace.STRACE, "-f", "-qq", "--seccomp-bpf", "-o", str(record), "-e",
                 "trace=" + ",".join({*KILLED_AT, *(name for names in ERRORS.values() for name in names)})]
        process = self.start(output, words)
        process.communicate(timeout=harness.PATIENCE_S)
        self.assertEqual(process.returncode, 3)
        self.judge(output, "traced")
        return strace.counts(record)

    def every(self, step, cases):
        """Every `step`th, beginning anywhere among the first of them."""
        seed, step = lab.new_seed(), lab.amount(step, 1, "SLUICE_EVERY")
        return cases[random.Random(seed).randrange(step)::step]

    def run_with(self, output, words):
        process = self.start(output, words)
        _, err = process.communicate(timeout=harness.PATIENCE_S)
        return process.returncode, err

    def test_killed(self):
        cases = [(name, when) for name in KILLED_AT for when in range(1, self.counts.get(name, 0) + 1)]
        chosen = self.every(7, cases)
        for name, when in chosen:
            output, why = self.next_run(), f"killed at {name} {when}"
            code, err = self.run_with(output, strace.inject([name], "signal=KILL", when))
            # Threads share the work differently each time, so that a run may get by.
            self.assertIn(code, (-signal.SIGKILL, 128 + signal.SIGKILL, 3), f"{why}\n{err}")
            self.expect_no_half_files(output, why)
            self.resume(output, why)
        print(f"{len(chosen)} of {len(cases)} calls", flush=True)

    def own_paths(self, output):
        """The files of a run as it names them, and as the kernel does."""
        made = self.run_folder("wanted." + output.split(".")[1])
        stem = output.split(".")[0]
        names = [f"{stem}.sluice/{path.relative_to(made)}" for path in made.rglob("*")]
        names += [output, f"{stem}.ids.jsonl", f"{stem}.sluice", f"{stem}.sluice/work/rows.npy.part"]
        names += [f"{stem}.sluice/ledger.db-wal"]
        for shard in range(lab.SHARDS):
            names += [f"{stem}.sluice/work/{shard:05}.failures.jsonl",
                      f"{stem}.sluice/work/answers-{shard * lab.SHARD_ROWS:012}.jsonl",
                      f"{stem}.sluice/work/answers-{shard * lab.SHARD_ROWS:012}.jsonl.unsorted"]
        names += [f"{name}.tmp" for name in names]
        return names + [self.folder / name for name in names]

    def fail_calls(self, cases, with_paths):
        chosen = self.every(35, cases)
        for error, name, when in chosen:
            output, why = self.next_run(), f"{error} at {name} {when}"
            paths = self.own_paths(output) if with_paths else ()
            code, err = self.run_with(output, strace.inject([name], f"error={error}", when, paths))
            self.assertIn(code, (75, 3), f"{why}\n{err}")
            self.expect_no_half_files(output, why)
            self.resume(output, why)
        print(f"{len(chosen)} of {len(cases)} calls", flush=True)

    def test_with_a_disk_that_fails(self):
        self.fail_calls([(error, name, f"{when}{more}") for error, names in ERRORS.items() for name in names
                         for when in range(1, self.counts.get(name, 0) + 1)
                         # A full disk stays full; other errors come once.
                         for more in (["+"] if error == "ENOSPC" else [""])], with_paths=True)

    def test_with_a_network_that_fails(self):
        self.fail_calls([(error, name, when) for error, names in SOCKET_ERRORS.items() for name in names
                         for when in range(1, self.counts.get(name, 0) + 1)], with_paths=False)


if __name__ == "__main__":
    harness.main()
