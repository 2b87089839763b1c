"""Only what failed is asked again: by the run itself, by `sluice retry`, after jobs that ended early and
after kills; and the limits that a run is given are kept."""

import json
import os
import signal

import harness

DOCUMENTS = 900
SHARDS = 3
FLAGS = ["--dim", "16", "--shard-rows", DOCUMENTS // SHARDS, "--jobs-in-flight", "3"]


class Asked(harness.CliTest):
    def setUp(self):
        super().setUp()
        self.write_corpus("c.jsonl", DOCUMENTS)
        self.output = "v.npy"

    def serve(self, *faults):
        """A service with these faults, that knows what the one before it knew."""
        if hasattr(self, "service"):
            self.service.stop()
        switches = [word for fault in faults for word in ("--fault", fault)]
        self.service = harness.LocalService(self, "--latency", "1ms..5ms", *switches)

    def run_it(self, *flags, code=0):
        return self.sluice("run", "c.jsonl", *FLAGS, *self.service.flags(), "-o", self.output, *flags,
                           "--json", code=code, env=self.service.env())

    def retry_command(self, *flags):
        return ["retry", "-C", f"{self.output}.sluice", "--base-url", self.service.base_url, "--poll",
                "10ms..50ms", "--settle", "300ms", *flags]

    def retry(self, *flags, code=0):
        return self.sluice(*self.retry_command(*flags), "--json", code=code, env=self.service.env())

    def wanted(self, *flags):
        """The output of a run that nothing happened to."""
        name = "wanted" + os.path.splitext(self.output)[1]
        self.sluice("run", "c.jsonl", *FLAGS, "--backend", "local", "-o", name, *flags)
        return self.read(name)

    def rows_asked(self):
        return [int(event["requests"]) for event in self.service.events("create")]


class ByTheRun(Asked):
    def expect_whole(self, summary):
        self.assertEqual((summary["counts"]["ok"], summary["counts"]["failed"]), (DOCUMENTS, 0))
        self.assertEqual(self.read("v.npy"), self.wanted())

    def test_rows_that_failed_for_a_while(self):
        self.serve("item-error-13=0.3@3")
        summary = self.run_it().json()
        self.expect_whole(summary)
        asked = self.rows_asked()
        self.assertEqual(len(asked), 2 * SHARDS)
        self.assertEqual(sum(asked[:SHARDS]), DOCUMENTS)
        self.assertLess(sum(asked[SHARDS:]), DOCUMENTS * 2 // 5)
        self.assertEqual(len({event["inputFile"] for event in self.service.events("create")}), len(asked))
        self.assertEqual(summary["jobs_created"], len(asked))
        self.assertFalse([name for name in os.listdir(self.folder / "v.npy.sluice/shards") if ".r" in name])

    def test_jobs_that_expired_half_way(self):
        self.serve("expire-partial@3")
        self.expect_whole(self.run_it().json())
        self.assertEqual(sum(self.rows_asked()), DOCUMENTS + DOCUMENTS // 2)

    def test_jobs_that_failed_or_expired_without_a_result(self):
        self.serve("fail-job=1", "expire=1")
        summary = self.run_it().json()
        self.expect_whole(summary)
        self.assertEqual(summary["jobs_failed"], 2)

    def test_up_to_the_limit_and_no_further(self):
        self.serve("item-error-13=0.3")
        summary = self.run_it("--attempts", "2", code=3).json()
        self.assertEqual(summary["counts"]["ok"] + summary["counts"]["failed"], DOCUMENTS)
        self.assertEqual(summary["failed_by_class"], {"transient": summary["counts"]["failed"]})
        self.assertEqual(summary["jobs_created"], 2 * SHARDS)

    def test_what_was_refused_for_good_is_not_asked_again(self):
        self.serve("drop-line=3", "duplicate-line=2")
        summary = self.run_it("--attempts", "1", code=3).json()
        self.assertEqual(summary["failed_by_class"], {"missing": 3 * SHARDS})
        self.assertEqual(summary["jobs_created"], SHARDS)
        # The service counts what it did not write: looked for three times, twice each.
        self.assertEqual(len(self.service.events("download")), 3 * 2 * SHARDS)

    def test_answers_that_can_never_be_read_are_no_strangers(self):
        # The last job's file is one line, and that has no key.
        self.serve("no-key=1")
        summary = self.run_it("--attempts", "3", code=3).json()
        self.assertEqual(summary["failed_by_class"], {"missing": SHARDS})
        self.assertEqual(summary["jobs_created"], 3 * SHARDS)

    def test_killed_in_the_midst_of_it(self):
        for stage in (0, 40, 80, 160, 240):
            with self.subTest(stage=stage):
                self.serve("item-error-13=0.3@3")
                self.output = f"v{stage}.npy"
                process = self.spawn("run", "c.jsonl", *FLAGS, *self.service.flags(), "-o", self.output,
                                     "--progress", "json", "--progress-interval", "1ms",
                                     env=self.service.env())
                for number, line in enumerate(process.stderr):
                    # The last lines of a run that is done before are no JSON.
                    retries = line.startswith("{") and json.loads(line).get("failed", 0) > 0
                    if retries and number >= stage:
                        break
                process.kill()
                process.communicate()
                summary = self.run_it().json()
                self.assertEqual(summary["counts"]["ok"], DOCUMENTS)
                if not hasattr(self, "bytes"):
                    self.bytes = self.wanted()
                self.assertEqual(self.read(self.output), self.bytes)
                created = [event["displayName"] for event in self.service.events("create")]
                self.assertEqual(len(created), len(set(created)))


class Later(Asked):
    def fail_some(self, *flags):
        self.serve("item-error-13=0.2")
        summary = self.run_it("--attempts", "1", *flags, code=3).json()
        self.assertGreater(summary["counts"]["failed"], 0)
        self.serve()
        return summary["counts"]["failed"]

    def test_an_array(self):
        failed = self.fail_some()
        old = self.read("v.npy")
        plan = self.retry("-n").json()
        self.assertEqual((plan["rows"], plan["shards"]), (failed, SHARDS))
        self.assertEqual(self.read("v.npy"), old)
        summary = self.retry().json()
        self.assertEqual((summary["exit_code"], summary["counts"]["ok"]), (0, DOCUMENTS))
        self.assertEqual(self.read("v.npy"), self.wanted())
        self.assertEqual(sum(self.rows_asked()), DOCUMENTS + failed)
        self.assertEqual(json.loads(self.read("v.npy.sluice/report.json"))["documents"]["ok"], DOCUMENTS)
        # A run that is complete asks for nothing more, whichever command looks.
        self.retry()
        self.run_it()
        self.assertEqual(sum(self.rows_asked()), DOCUMENTS + failed)

    def test_an_array_without_its_failed_rows(self):
        failed = self.fail_some("--on-error", "skip")
        self.assertEqual(len(self.json_lines("v.ids.jsonl")), DOCUMENTS - failed)
        self.retry()
        self.assertEqual(self.read("v.npy"), self.wanted())
        self.assertEqual([line["row"] for line in self.json_lines("v.ids.jsonl")], list(range(DOCUMENTS)))

    def test_lines(self):
        for flags in ([], ["--on-error", "skip"]):
            with self.subTest(flags=flags):
                self.output = f"v{len(flags)}.jsonl"
                self.fail_some("--task", "embed", *flags)
                self.retry()
                self.assertEqual(self.read(self.output), self.wanted("--task", "embed"))

    def test_only_the_classes_that_are_named(self):
        self.fail_some()
        before = len(self.rows_asked())
        ended = self.sluice(*self.retry_command("--class", "blocked", "--class", "too-long"), code=3,
                            env=self.service.env())
        self.assertIn("nothing was sent", ended.err)
        self.assertEqual(len(self.rows_asked()), before)
        self.assertIn("no class", self.retry("--class", "unlucky", code=2).err)

    def test_rows_that_fail_again_stay_failed(self):
        self.fail_some()
        self.serve("item-error-13=0.5")
        summary = self.retry("--attempts", "1", code=3).json()
        self.assertEqual(summary["counts"]["ok"] + summary["counts"]["failed"], DOCUMENTS)
        self.assertEqual(len(self.json_lines("v.npy.sluice/failures.jsonl")), summary["counts"]["failed"])
        self.serve()
        self.retry()
        self.assertEqual(self.read("v.npy"), self.wanted())

    def test_killed_and_repeated(self):
        for stage in (0, 20, 60, 120):
            with self.subTest(stage=stage):
                self.output = f"k{stage}.npy"
                failed = self.fail_some()
                before = sum(self.rows_asked())
                old = self.read(self.output)
                process = self.spawn(*self.retry_command("--progress", "json", "--progress-interval", "1ms"),
                                     env=self.service.env())
                for number, _ in enumerate(process.stderr):
                    if number >= stage:
                        break
                process.kill()
                process.communicate()
                if not hasattr(self, "bytes"):
                    self.bytes = self.wanted()
                self.assertIn(self.read(self.output), (old, self.bytes), "a half output")
                self.retry()
                self.assertEqual(self.read(self.output), self.bytes)
                self.assertEqual(sum(self.rows_asked()), before + failed)

    def test_an_output_that_is_not_ours_is_left_alone(self):
        self.fail_some()
        with open(self.folder / "v.npy", "ab") as file:
            file.write(b"x")
        self.assertIn("is not what this run wrote", self.retry(code=2).err)

    def test_another_account_is_refused(self):
        self.fail_some()
        ended = self.sluice(*self.retry_command(), code=2,
                            env={"GEMINI_API_KEY": harness.KEY + "-another"})
        self.assertIn("the account", ended.err)

    def test_what_is_no_run(self):
        self.assertIn("no run here", self.sluice("retry", code=2).err)
        self.assertIn("not a run directory", self.sluice("retry", "-C", "nowhere", code=2).err)


class Limits(Asked):
    def test_of_jobs(self):
        self.serve()
        ended = self.run_it("--max-jobs", "2", code=5)
        self.assertIn("--max-jobs 2: 2 jobs were made", ended.err)
        self.assertEqual(len(self.rows_asked()), 2)
        status = self.sluice("status", "--json", "-C", "v.npy.sluice").json()
        self.assertEqual(status["counts"]["merged"], 2 * DOCUMENTS // SHARDS, "what was bought came home")
        self.run_it("--max-jobs", "2", code=5)
        self.assertEqual(len(self.rows_asked()), 2)
        self.run_it("--max-jobs", "3")
        self.assertEqual(len(self.rows_asked()), SHARDS)

    def test_of_rows(self):
        self.serve()
        ended = self.run_it("--max-rows", DOCUMENTS - 1, code=5)
        self.assertIn(f"--max-rows {DOCUMENTS - 1}", ended.err)
        self.assertEqual(sum(self.rows_asked()), DOCUMENTS * (SHARDS - 1) // SHARDS)

    def test_of_time(self):
        self.serve("stuck-pending")
        ended = self.run_it("--deadline", "2s", code=75)
        self.assertIn("the --deadline has come, and 3 of 3 shards are open (3 PENDING)", ended.err)
        self.assertEqual(self.sluice("status", "--json", "-C", "v.npy.sluice").json()["state"], "STOPPED")

    def test_of_one_request(self):
        self.serve("stall=2")
        self.run_it("--request-timeout", "200ms")

    def test_of_answers(self):
        self.serve()
        error = json.loads(self.run_it("--max-answer-bytes", "1000", code=6).err.splitlines()[-1])
        self.assertIn("larger than 1000 bytes", error["message"])
        self.assertIn("goes on with a larger --max-answer-bytes", error["hint"])
        self.run_it()


class Lost(Asked):
    def test_is_asked_about_when_the_user_wants_it(self):
        # The request is on its way and may arrive at any time: in ten minutes, in this case.
        self.serve("create-late=600000@1")
        ended = self.run_it("--on-unknown", "ask", code=75)
        self.assertIn("nobody knows", ended.err)
        self.assertIn("--on-unknown adopt", ended.err)
        self.assertEqual(len(self.rows_asked()), SHARDS - 1)
        self.assertEqual(self.service.events("file.delete") == [], False, "the others were cleaned up")
        self.run_it("--on-unknown", "ask", code=75)
        self.assertEqual(len(self.rows_asked()), SHARDS - 1)
        self.run_it()
        self.assertEqual(self.rows_asked(), [DOCUMENTS // SHARDS] * SHARDS)
        self.assertEqual(self.read("v.npy"), self.wanted())


class Signals(Asked):
    def test_end_a_retry_and_it_goes_on(self):
        self.serve("item-error-13=0.2")
        self.run_it("--attempts", "1", code=3)
        self.serve("stuck-pending")
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)):
            process = self.spawn(*self.retry_command("--progress", "json", "--progress-interval", "1ms"),
                                 env=self.service.env())
            for line in process.stderr:
                if json.loads(line)["jobs"]["queued"] > 0:
                    break
            process.send_signal(number)
            process.communicate(timeout=5)
            self.assertEqual(process.returncode, code)
        created = [event["displayName"] for event in self.service.events("create")]
        self.assertEqual(len(created), len(set(created)))
        self.assertLessEqual(len(created), 2 * SHARDS)


if __name__ == "__main__":
    harness.main()
