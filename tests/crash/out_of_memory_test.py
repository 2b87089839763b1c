"""Memory that runs out at any allocation ends a run in good order, or is borne; resumed, it comes to the same
bytes, and no job is made twice.

Some 40 allocations; SLUICE_LONG=1: 4,000; SLUICE_ALLOCATIONS sets another number, SLUICE_SEED repeats a run.
SLUICE_FAILING_MALLOC is the library of tests/support/failing_malloc.cc.
"""

import os
import random
import signal
import unittest

import harness
import lab

LIBRARY = os.environ.get("SLUICE_FAILING_MALLOC")


@unittest.skipUnless(LIBRARY, "no library whose allocations fail (a build with sanitizers has none)")
class OutOfMemory(lab.CrashTest):
    def run_with(self, output, **variables):
        words = ["env", f"LD_PRELOAD={LIBRARY}", *(f"{name}={value}" for name, value in variables.items())]
        process = self.start(output, words)
        _, err = process.communicate(timeout=harness.PATIENCE_S)
        return process.returncode, err

    def allocations_of_a_run(self):
        output, record = self.next_run(), self.folder / "allocations"
        code, err = self.run_with(output, SLUICE_COUNT_ALLOCATIONS=record)
        self.assertEqual(code, 3, err)
        return int(record.read_text(encoding="ascii"))

    def test_anywhere(self):
        seed = lab.new_seed()
        chance = random.Random(seed)
        count = self.allocations_of_a_run()
        stopped, crashed, wanted = 0, 0, lab.amount(40, 4000, "SLUICE_ALLOCATIONS")
        for number in range(wanted):
            output = self.next_run()
            # Once, and for good: what is freed on the way out then helps nobody.
            first, how_many = chance.randrange(1, count), chance.choice([1, 1, 100, 10**9])
            why = f"seed {seed}, case {number}: {how_many} from allocation {first} of {count}"
            code, err = self.run_with(output, SLUICE_FAIL_ALLOCATION=first, SLUICE_FAIL_ALLOCATIONS=how_many)
            # Libraries may crash, as OpenSSL 3.0 does in a lock for which it found no memory; we do not.
            self.assertIn(code, (75, 3, -signal.SIGSEGV, -signal.SIGABRT), f"{why}\n{err}")
            self.assertNotRegex(err, "terminate called|check failed", why)
            stopped += code == 75
            crashed += code < 0
            self.expect_no_half_files(output, why)
            self.resume(output, why)
        self.assertGreater(stopped, wanted / 2)
        self.assertLessEqual(crashed, 1 + wanted / 100)
        print(f"{stopped} of {wanted} runs stopped, {crashed} crashed in a library, {count} allocations in a run", flush=True)


if __name__ == "__main__":
    harness.main()
