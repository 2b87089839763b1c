"""The answer to "create job" is lost in every way that the local service knows, for every job of a run: each
job is made once all the same.

Each kind once; SLUICE_LONG=1: 20 times; SLUICE_ROUNDS sets another number.
"""

import signal
import subprocess

import harness
import lab

# What the service does, and how long a job may be missing in its list. (Faults of the list are of jobs
# whose answer was lost, or nobody would look.)
KINDS = {
    "503 after the effect": (["create-lost=503"], "25ms"),
    "reset after the effect": (["create-lost=reset"], "25ms"),
    "429 without an effect": (["create-429=plain@3"], "25ms"),
    "effect later than the answer": (["create-late=15"], "60ms"),
    "effect later than the fence": (["create-late=900@3"], "60ms"),
    "list that lags": (["create-lost=reset", "list-lag=60"], "120ms"),
    "list that begins with an empty page": (["create-lost=503", "list-empty-page=1.0"], "25ms"),
    "list that is out of date": (["create-lost=reset", "list-stale-stats"], "25ms"),
    "errors that are no JSON": (["create-lost=503", "error-html=0.5"], "25ms"),
    "errors without a body": (["create-lost=503", "error-empty=0.5"], "25ms"),
    "service that fails now and then": (["create-lost=503", "http-503=0.15"], "60ms"),
}


class LostAnswers(lab.CrashTest):
    endings = lab.CrashTest.endings[:1]

    def lose(self, faults, settle, seed):
        self.service.stop()
        self.service.state.rename(self.folder / f"service-before-{self.runs}")
        words = [word for fault in faults for word in ("--fault", fault)]
        self.start_service("--latency", "1ms..4ms", "--seed", seed, *words)
        self.more_flags = ("--settle", settle)

    def rounds(self):
        return range(lab.amount(1, 20, "SLUICE_ROUNDS"))

    def test_each_kind(self):
        for turn in self.rounds():
            for kind, (faults, settle) in KINDS.items():
                with self.subTest(kind=kind, turn=turn):
                    self.lose(faults, settle, turn + 1)
                    self.resume(self.next_run(), f"{kind}, seed {turn + 1}")

    def test_killed_while_the_answer_is_out(self):
        """The request was acted upon and is never answered; the process dies waiting."""
        for turn in self.rounds():
            self.lose([f"create-lost=timeout@{lab.SHARDS}"], "25ms", turn + 1)
            output = self.next_run()
            while self.die_at_the_next_create(output):
                pass
            self.judge(output, f"seed {turn + 1}")

    def die_at_the_next_create(self, output):
        """False when the run came to its end without one."""
        before = len(self.service.events("create"))
        process = self.start(output)
        while len(self.service.events("create")) == before:
            try:
                process.wait(timeout=0.005)
                break
            except subprocess.TimeoutExpired:
                pass
        process.kill()
        _, err = process.communicate(timeout=harness.PATIENCE_S)
        self.assertIn(process.returncode, (3, -signal.SIGKILL), err)
        return process.returncode != 3


if __name__ == "__main__":
    harness.main()
