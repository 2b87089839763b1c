"""Killed at random instants, again and again, a run comes to the same bytes, and no job is made twice.

200 kills; SLUICE_LONG=1: 10,000; SLUICE_KILLS sets another number, SLUICE_SEED repeats a run.
"""

import random
import signal
import subprocess

import harness
import lab


class KilledAtRandom(lab.CrashTest):
    def test_many_times(self):
        seed = lab.new_seed()
        chance = random.Random(seed)
        longest = max(self.time_of_a_run() for _ in range(3))
        wanted, kills, runs = lab.amount(200, 10_000, "SLUICE_KILLS"), 0, 0
        while kills < wanted:
            output = self.next_run()
            why = f"seed {seed}, run {runs}"
            # Each kill hits what the one before has left.
            for _ in range(chance.randrange(2, 12)):
                if not self.killed_after(longest * chance.random() ** 1.5, output):
                    break
                kills += 1
                self.expect_no_half_files(output, why)
            self.resume(output, why)
            runs += 1
        print(f"{kills} kills of {runs} runs", flush=True)

    def killed_after(self, seconds, output):
        """False when the run was faster."""
        process = self.start(output)
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate(timeout=harness.PATIENCE_S)
        self.assertIn(process.returncode, (-signal.SIGKILL, 3), output)
        return process.returncode == -signal.SIGKILL


if __name__ == "__main__":
    harness.main()
