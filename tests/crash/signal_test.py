"""Signals at random instants end a run within 5 seconds, and it goes on to the same bytes; readers of its
messages that are gone end nothing.

20 signals; SLUICE_LONG=1: 1,000; SLUICE_SIGNALS sets another number, SLUICE_SEED repeats a run.
"""

import os
import random
import signal
import subprocess
import time

import harness
import lab

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
OUT_WITHIN_S = 5


class Signals(lab.CrashTest):
    def test_at_random_instants(self):
        seed = lab.new_seed()
        chance = random.Random(seed)
        longest = max(self.time_of_a_run() for _ in range(3)) * 0.9
        wanted, caught, slowest, output = lab.amount(20, 1000, "SLUICE_SIGNALS"), 0, 0, None
        while caught < wanted:
            output = output or self.next_run()
            number = SIGNALS[caught % len(SIGNALS)]
            code, seconds = self.signalled_after(chance.uniform(0, longest), number, output)
            if code == 3:  # it was faster
                self.judge(output, f"seed {seed}")
                output = None
                continue
            caught += 1
            slowest = max(slowest, seconds)
            self.expect_no_half_files(output, f"seed {seed}")
        if output is not None:
            self.resume(output, f"seed {seed}")
        print(f"{caught} signals, the slowest end took {slowest:.2f} s", flush=True)

    def signalled_after(self, delay, number, output):
        process = self.start(output)
        try:
            process.wait(timeout=delay)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
        begin = time.monotonic()
        _, err = process.communicate(timeout=harness.PATIENCE_S)
        seconds = time.monotonic() - begin
        # A process that has hardly begun does not hear signals yet, and has nothing to save.
        self.assertIn(process.returncode, (3, 128 + number, -number), err)
        self.assertLess(seconds, OUT_WITHIN_S, f"{number!r}: {err}")
        self.assertNotIn("error:", err)
        return process.returncode, seconds

    def test_while_the_service_answers_nothing(self):
        for fault in ("stall=1.0", "create-lost=timeout", "stuck-pending"):
            with self.subTest(fault=fault):
                self.service.stop()
                self.service.state.rename(self.folder / f"service-before-{fault}")
                self.start_service("--latency", "1ms..4ms", "--fault", fault)
                output = self.next_run()
                self.assertEqual(self.signalled_after(1, signal.SIGTERM, output)[0], 128 + signal.SIGTERM)

    def test_with_nobody_who_reads(self):
        for closed in (("stdout",), ("stderr",), ("stdout", "stderr")):
            with self.subTest(closed=closed):
                output = self.next_run()
                reading, writing = os.pipe()
                os.close(reading)
                process = self.start(output, **{name: writing for name in closed})
                os.close(writing)
                process.communicate(timeout=harness.PATIENCE_S)
                self.assertEqual(process.returncode, 3)
                self.judge(output, f"without a reader of {closed}")

    def test_with_standard_descriptors_closed(self):
        """What the run opens first must not get their numbers: messages would go into it."""
        for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
            with self.subTest(closed=closed):
                output = self.next_run()
                process = self.start(output, ["/bin/sh", "-c", f'"$0" "$@" {closed}'])
                process.communicate(timeout=harness.PATIENCE_S)
                self.assertEqual(process.returncode, 3)
                self.judge(output, closed)


if __name__ == "__main__":
    harness.main()
