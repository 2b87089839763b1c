"""The power fails at a sync: of the run only that is left which a disk may have kept. Resumed, it comes to
the same bytes, and no job is made twice.

A run is recorded by strace up to a sync and killed there, its files are made anew as the cut may have left
them (power_cut.py), and the real binary goes on with them at the service, which has seen no cut.

20 places x 5 images; SLUICE_LONG=1: all places; SLUICE_CUTS sets another number of places, SLUICE_SEED repeats.
"""

import random
import shutil
import signal
import unittest

import harness
import lab
import power_cut
import strace
from syscall_test import can_trace

SYNCS = ["fsync", "fdatasync"]
RECORDED = ["openat", "close", "fcntl", "write", "pwrite64", "ftruncate", "fsync", "fdatasync", "rename",
            "unlink", "rmdir", "mkdir"]
ALL_BYTES = ["-xx", "-s", str(1 << 24)]


@unittest.skipUnless(can_trace(), "no strace, or no right to trace")
class PowerCut(lab.CrashTest):
    def test_at_syncs(self):
        seed = lab.new_seed()
        chance = random.Random(seed)
        places = self.places()
        wanted = min(lab.amount(20, len(places), "SLUICE_CUTS"), len(places))
        chosen = chance.sample(places, wanted)
        for name, when in chosen:
            for kind in power_cut.IMAGES:
                self.cut(name, when, kind, chance, f"seed {seed}, {kind} at {name} {when}")
        print(f"{len(chosen)} of {len(places)} syncs, {len(chosen) * len(power_cut.IMAGES)} cuts", flush=True)

    def places(self):
        """Each sync of a run, and the end of one."""
        output, record = self.next_run(), self.folder / "trace"
        self.record(output, record, [])
        counts = strace.counts(record)
        return [(name, when) for name in SYNCS for when in range(1, counts.get(name, 0) + 2)]

    def record(self, output, record, injection):
        process = self.start(output, [strace.STRACE, "-f", "-qq", "--seccomp-bpf", *ALL_BYTES, "-o", record,
                                      "-e", "trace=" + ",".join(RECORDED), *injection])
        _, err = process.communicate(timeout=harness.PATIENCE_S)
        self.assertIn(process.returncode, (3, -signal.SIGKILL, 128 + signal.SIGKILL), err)

    def cut(self, name, when, kind, chance, why):
        output, record = self.next_run(), self.folder / "trace"
        self.record(output, record, ["-e", f"inject={name}:signal=KILL:when={when}"])
        stem = output.split(".")[0]
        disk = power_cut.Disk(self.folder, lambda path: self.belongs(path, stem))
        calls = strace.calls(record)
        disk.replay(calls)
        # What was under way when the process was killed may have been done or not.
        if all(call.result is not None or call.name in SYNCS for call in calls):
            self.assertEqual(disk.differs_from_files(), [], why)
        self.remove(stem)
        power_cut.put(disk.image(kind, chance))
        self.resume(output, why)

    def belongs(self, path, stem):
        """The ledger's -shm is shared memory that happens to have a name; SQLite makes it anew."""
        return path.startswith(str(self.folder / stem) + ".") and not path.endswith("-shm")

    def remove(self, stem):
        for path in self.folder.glob(f"{stem}.*"):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


if __name__ == "__main__":
    harness.main()
