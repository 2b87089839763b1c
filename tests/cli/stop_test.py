"""Stopped by signals and killed in every stage, a run goes on to the same bytes, and no job is created
twice at the service."""

import json
import os
import random
import signal

import harness

FLAGS = ["--dim", "32", "--shard-rows", "1500", "--uploads", "2", "--jobs-in-flight", "3"]
DOCUMENTS = 12_000
SHARDS = 8


class Stopped(harness.CliTest):
    @classmethod
    def setUpClass(cls):
        cls.wanted = None  # the bytes of an undisturbed run, made by the first test

    def setUp(self):
        super().setUp()
        self.write_corpus("c.jsonl", DOCUMENTS)
        if self.wanted is None:
            self.sluice("run", "c.jsonl", *FLAGS, "--backend", "local", "-o", "wanted.npy")
            type(self).wanted = self.read("wanted.npy")
        self.service = harness.LocalService(self, "--latency", "20ms..80ms")

    def command(self):
        return ["run", "c.jsonl", *FLAGS, *self.service.flags(), "-o", "v.npy"]

    def start(self):
        """A run that tells its progress a thousand times a second."""
        return self.spawn(*self.command(), "--progress", "json", "--progress-interval", "1ms",
                          env=self.service.env())

    def stop_when(self, process, signal_number, reached):
        """Sends the signal at the first progress line that has `reached` its place; false when the run
        ended before."""
        for line in process.stderr:
            progress = json.loads(line) if line.startswith("{") else {}
            if progress.get("type") == "progress" and reached(progress):
                process.send_signal(signal_number)
                self.err = process.communicate(timeout=harness.PATIENCE_S)[1]
                return True
        process.communicate(timeout=harness.PATIENCE_S)
        return False

    def expect_whole(self):
        """Resumes until the end and looks at the array and at what the service was asked for."""
        summary = self.sluice(*self.command(), "--json", env=self.service.env()).json()
        self.assertEqual(summary["counts"]["ok"], DOCUMENTS)
        self.assertEqual(self.read("v.npy"), self.wanted)
        created = [event["displayName"] for event in self.service.events("create")]
        self.assertEqual(len(created), SHARDS, created)
        self.assertEqual(len(set(created)), SHARDS, created)
        ids = [line["id"] for line in self.json_lines("v.ids.jsonl")]
        self.assertEqual(ids, [f"doc-{number}" for number in range(DOCUMENTS)])

    def stop_and_go_on(self, signal_number, code, reached):
        process = self.start()
        self.assertTrue(self.stop_when(process, signal_number, reached), "the run ended too soon")
        self.assertEqual(process.returncode, code, self.err)
        self.expect_whole()


STAGES = {
    "reading": lambda p: p["documents"] > 0,
    "sealing": lambda p: p["shards"] >= 1,
    "uploading": lambda p: p["bytes_uploaded"] > 0,
    "staged": lambda p: p["shards_uploaded"] >= 2,
    "waiting": lambda p: p["jobs"]["queued"] + p["jobs"]["running"] >= 1,
    "fetching": lambda p: p["bytes_fetched"] > 0,
    "merging": lambda p: p["merged"] > 0,
    "nearly done": lambda p: p["merged"] > DOCUMENTS * 3 // 4,
}


class Killed(Stopped):
    def test_in_each_stage(self):
        process = self.start()
        for stage, reached in STAGES.items():
            with self.subTest(stage=stage):
                # Each kill hits what the one before has left; a stage that is passed already is hit
                # at once.
                if not self.stop_when(process, signal.SIGKILL, reached):
                    self.assertEqual(process.returncode, 0)
                    continue
                self.assertEqual(process.returncode, -signal.SIGKILL)
                process = self.start()
        process.kill()
        process.communicate()
        self.expect_whole()

    def test_in_each_stage_of_a_fresh_run(self):
        for number, (stage, reached) in enumerate(STAGES.items()):
            if number % 2 == 1:
                continue
            with self.subTest(stage=stage):
                self.stop_and_go_on(signal.SIGKILL, -signal.SIGKILL, reached)
            self.begin_anew()

    def begin_anew(self):
        """The next run is a new one at a service that knows nothing."""
        self.service.stop()
        os.rename(self.service.state, self.folder / f"service-{random.getrandbits(64):x}")
        os.rename(self.folder / "v.npy.sluice", self.folder / f"old-{random.getrandbits(64):x}")
        os.remove(self.folder / "v.npy")
        self.service = harness.LocalService(self, "--latency", "20ms..80ms")

    def test_at_random_places(self):
        seed = random.randrange(1 << 32)
        print(f"seed {seed}")
        chance = random.Random(seed)
        for _ in range(12):
            lines_to_wait = chance.randrange(1, 120)
            seen = iter(range(lines_to_wait))
            process = self.start()
            if not self.stop_when(process, signal.SIGKILL, lambda _: next(seen, None) is None):
                break
        self.expect_whole()

    def test_when_the_answer_to_a_create_is_lost_too(self):
        self.service.stop()
        self.service = harness.LocalService(self, "--latency", "20ms..80ms", "--fault", "create-lost=reset@4")
        process = self.start()
        self.stop_when(process, signal.SIGKILL, STAGES["waiting"])
        self.expect_whole()


class Signalled(Stopped):
    def test_ctrl_c_saves_the_state_and_says_how_to_go_on(self):
        self.stop_and_go_on(signal.SIGINT, 130, STAGES["waiting"])
        self.assertIn("Stopping: ", self.err)
        self.assertIn("Resume:   sluice run c.jsonl --dim 32 ", self.err)
        self.assertNotIn("error:", self.err)

    def test_sigterm_and_sighup_too(self):
        self.stop_and_go_on(signal.SIGTERM, 143, STAGES["sealing"])

    def test_sighup_too(self):
        self.stop_and_go_on(signal.SIGHUP, 129, STAGES["staged"])

    def test_a_second_ctrl_c_leaves_at_once(self):
        # Jobs of this service never end, so only a signal ends the run.
        self.service.stop()
        self.service = harness.LocalService(self, "--fault", "stuck-pending")
        process = self.start()
        self.assertTrue(self.stop_when_twice(process))
        self.assertEqual(process.returncode, 130)

    def stop_when_twice(self, process):
        for line in process.stderr:
            if line.startswith("{") and STAGES["waiting"](json.loads(line)):
                process.send_signal(signal.SIGINT)
                process.send_signal(signal.SIGINT)
                process.communicate(timeout=harness.PATIENCE_S)
                return True
        return False

    def test_sigusr1_prints_one_line(self):
        self.service.stop()
        self.service = harness.LocalService(self, "--fault", "stuck-pending")
        process = self.spawn(*self.command(), "--progress", "plain", "--progress-interval", "1h",
                             env=self.service.env())
        while not self.service.events("create"):
            pass
        process.send_signal(signal.SIGUSR1)
        self.assertRegex(process.stderr.readline(), r"^\S+Z progress stage=\w+ documents=")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=harness.PATIENCE_S)
        self.assertEqual(process.returncode, 130)

    def test_two_at_once_are_told_apart(self):
        self.service.stop()
        self.service = harness.LocalService(self, "--fault", "stuck-pending")
        process = self.start()
        for line in process.stderr:
            if STAGES["waiting"](json.loads(line)):
                break
        self.assertIn("error: ", self.sluice(*self.command(), env=self.service.env(), code=8).err)
        status = self.sluice("status", "--json").json()
        self.assertEqual(status["state"], "RUNNING")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=harness.PATIENCE_S)
        self.assertEqual(self.sluice("status", "--json").json()["state"], "STOPPED")


class InProcess(harness.CliTest):
    def test_a_killed_local_run_finds_its_jobs_again(self):
        self.write_corpus("c.jsonl", DOCUMENTS)
        self.sluice("run", "c.jsonl", *FLAGS, "--backend", "local", "-o", "wanted.npy")
        command = ["run", "c.jsonl", *FLAGS, "--backend", "local", "-o", "v.npy"]
        process = self.spawn(*command, "--progress", "json", "--progress-interval", "1ms")
        for line in process.stderr:
            if STAGES["waiting"](json.loads(line)):
                break
        process.kill()
        process.communicate()
        summary = self.sluice(*command, "--json").json()
        self.assertEqual((summary["resumed"], summary["jobs_created"]), (True, SHARDS))
        self.assertEqual(self.read("v.npy"), self.read("wanted.npy"))
        self.assertFalse((self.folder / "v.npy.sluice" / "service").exists())


if __name__ == "__main__":
    harness.main()
