"""`sluice cancel`: the jobs of a run end, nothing more is bought for it, and `retry` takes it up again."""

import contextlib
import json
import signal
import sqlite3

import harness

DOCUMENTS = 600
SHARDS = 3
FLAGS = ["--dim", "16", "--shard-rows", DOCUMENTS // SHARDS, "--jobs-in-flight", "2", "--uploads", "2"]


class Cancelled(harness.CliTest):
    def setUp(self):
        super().setUp()
        self.write_corpus("c.jsonl", DOCUMENTS)

    def serve(self, *faults):
        if hasattr(self, "service"):
            self.service.stop()
        switches = [word for fault in faults for word in ("--fault", fault)]
        self.service = harness.LocalService(self, "--latency", "1ms..5ms", *switches)

    def run_command(self):
        return ["run", "c.jsonl", *FLAGS, *self.service.flags(), "-o", "v.npy"]

    def cancel(self, *flags, code=0):
        return self.sluice("cancel", "-C", "v.npy.sluice", "--base-url", self.service.base_url, "--settle",
                           "200ms", *flags, "--json", code=code, env=self.service.env())

    def retry(self, code=0):
        return self.sluice("retry", "-C", "v.npy.sluice", "--base-url", self.service.base_url, "--poll",
                           "10ms..50ms", "--settle", "300ms", "--json", code=code, env=self.service.env())

    def start_and_stop(self, jobs=2):
        """Leaves a run behind with so many jobs at the service."""
        process = self.spawn(*self.run_command(), "--progress", "json", "--progress-interval", "1ms",
                             env=self.service.env())
        for _ in process.stderr:  # a line every millisecond
            if self.jobs_in_the_ledger() >= jobs:
                break
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=harness.PATIENCE_S)
        self.assertEqual(process.returncode, 130)

    def jobs_in_the_ledger(self):
        """Those of which the run knows the name: what the service was only asked for may be lost by a stop."""
        try:
            with contextlib.closing(sqlite3.connect(self.folder / "v.npy.sluice" / "ledger.db")) as ledger:
                return ledger.execute("SELECT count(*) FROM shards WHERE state = 'SUBMITTED'").fetchone()[0]
        except sqlite3.OperationalError:
            return 0  # it is being made

    def expect_whole(self):
        self.sluice("run", "c.jsonl", *FLAGS, "--backend", "local", "-o", "wanted.npy")
        self.assertEqual(self.read("v.npy"), self.read("wanted.npy"))
        created = [event["displayName"] for event in self.service.events("create")]
        self.assertEqual(len(created), len(set(created)))

    def test_asks_first_and_shows_what_it_would_do(self):
        self.serve("stuck-pending")
        self.start_and_stop()
        self.assertIn("needs a yes", self.cancel(code=2).err)
        plan = self.cancel("-n").json()
        self.assertEqual((plan["dry_run"], len(plan["names"])), (True, 2))
        self.assertEqual(self.service.events("cancel"), [])

    def test_ends_the_jobs_and_buys_nothing_more(self):
        self.serve("stuck-pending")
        self.start_and_stop()
        summary = self.cancel("-y", "--delete-files").json()
        self.assertEqual(len(summary["names"]), 2)
        self.assertGreaterEqual(len(summary["files"]), 2)
        self.assertEqual({event["job"] for event in self.service.events("cancel")}, set(summary["names"]))
        self.assertTrue(self.sluice("status", "--json", "-C", "v.npy.sluice").json()["cancelled"])
        created = len(self.service.events("create"))
        ended = self.sluice(*self.run_command(), code=6, env=self.service.env())
        self.assertIn("This run was cancelled", ended.err)
        self.assertIn("sluice retry -C v.npy.sluice", ended.err)
        self.assertEqual(len(self.service.events("create")), created)
        self.assertEqual(len(self.json_lines("v.npy.sluice/failures.jsonl")), DOCUMENTS)
        self.serve()
        self.assertEqual(self.retry().json()["counts"]["ok"], DOCUMENTS)
        self.expect_whole()

    def test_is_taken_up_again_without_being_finished_first(self):
        self.serve("stuck-pending")
        self.start_and_stop()
        self.cancel("-y")
        self.cancel("-y")  # again does no harm
        self.serve()
        self.assertEqual(self.retry().json()["counts"]["ok"], DOCUMENTS)
        self.expect_whole()

    def test_what_a_cancelled_job_still_delivered_is_kept(self):
        self.serve("stuck-running", "cancel-partial")
        self.start_and_stop()
        self.cancel("-y")
        summary = json.loads(self.sluice(*self.run_command(), "--json", code=6, env=self.service.env()).out)
        self.assertGreater(summary["counts"]["ok"], 0)
        self.assertEqual(summary["failed_by_class"], {"cancelled": summary["counts"]["failed"]})
        delivered = summary["counts"]["ok"]
        before = sum(int(event["requests"]) for event in self.service.events("create"))
        self.serve()
        self.retry()
        self.expect_whole()
        after = sum(int(event["requests"]) for event in self.service.events("create"))
        self.assertEqual(after - before, DOCUMENTS - delivered)

    def test_looks_for_lost_jobs_first(self):
        self.serve("stuck-pending", "create-lost=reset")
        process = self.spawn(*self.run_command(), env=self.service.env())
        while not self.service.events("create"):
            self.assertIsNone(process.poll())
        process.kill()
        process.communicate()
        summary = self.cancel("-y").json()
        made = {event["job"] for event in self.service.events("create")}
        self.assertEqual(set(summary["names"]), made)

    def test_a_complete_run_has_nothing_to_cancel(self):
        self.serve()
        self.sluice(*self.run_command(), env=self.service.env())
        self.assertEqual(self.cancel("-y").json()["names"], [])
        self.assertEqual(self.service.events("cancel"), [])


if __name__ == "__main__":
    harness.main()
