"""A run goes on only with what it can rely on: damage between resumes, outputs that cannot be written, files
that are missing here and not at the service, and runs in which every job failed."""

import json
import os
import subprocess
import time

import harness

DOCUMENTS = 240
SHARDS = 4
FLAGS = ["--dim", "16", "--shard-rows", DOCUMENTS // SHARDS]


class Resume(harness.CliTest):
    def setUp(self):
        super().setUp()
        self.write_corpus("c.jsonl", DOCUMENTS)

    def serve(self, *arguments):
        if hasattr(self, "service"):
            self.service.stop()
        self.service = harness.LocalService(self, "--latency", "1ms..5ms", *arguments)

    def run_it(self, *flags, output="v.npy", code=0):
        return self.sluice("run", "c.jsonl", *FLAGS, *self.service.flags(), "-o", output, *flags, code=code,
                           env=self.service.env())

    def created(self):
        """By all services of this test, which share a folder."""
        return len(self.service.events("create"))

    def test_merged_rows_that_changed_are_fetched_again(self):
        def flip(path):
            data = bytearray(path.read_bytes())
            data[200] ^= 1
            path.write_bytes(data)

        def cut(path):
            path.write_bytes(path.read_bytes()[:700])

        for number, damage in enumerate((flip, cut, lambda path: path.unlink())):
            for output, rows in ((f"v{number}.npy", "rows.npy.part"),
                                 (f"v{number}.jsonl", "answers-000000000000.jsonl")):
                with self.subTest(output=output):
                    flags = ["--task", "embed"] if output.endswith("jsonl") else []
                    self.serve()
                    before = self.created()
                    self.run_it("--max-jobs", "2", *flags, output=output, code=5)
                    damage(self.folder / f"{output}.sluice" / "work" / rows)
                    self.run_it(*flags, output=output)
                    self.assertEqual(self.created() - before, SHARDS)
                    wanted = f"w{output}"
                    self.sluice("run", "c.jsonl", *FLAGS, *flags, "--backend", "local", "-o", wanted)
                    self.assertEqual(self.read(output), self.read(wanted))
                    self.sluice("verify", f"{output}.sluice")

    def test_an_output_that_cannot_be_written_costs_nothing(self):
        self.serve()
        (self.folder / "folder.npy").mkdir()
        for output in ("v.vec", "folder.npy", "nowhere/v.npy"):
            with self.subTest(output=output):
                self.run_it("--task", "embed", "-C", "r.sluice", output=output, code=2)
        self.assertEqual(self.created(), 0)
        self.run_it("-C", "r.sluice")
        self.assertEqual([path.name for path in self.folder.glob("*.try")], [])

    def test_a_shard_that_is_gone_from_this_disk_ends_the_run(self):
        self.serve()
        self.sluice("prepare", "c.jsonl", *FLAGS, "-C", "v.npy.sluice", "--model", "sluice-lexical-1")
        shard = next((self.folder / "v.npy.sluice" / "shards").iterdir())
        shard.rename(self.folder / "aside")
        self.assertIn(shard.name, self.run_it(code=7).err)
        (self.folder / "aside").rename(shard)
        self.run_it()

    def test_what_needs_no_call_does_not_wait_for_one(self):
        self.serve()
        began = time.monotonic()
        self.run_it("--max-jobs", "2", code=5)
        self.run_it("--max-jobs", "2", code=5)
        self.sluice("cancel", "-C", "v.npy.sluice", "-y", "--base-url", self.service.base_url, "--settle", "300ms",
                    env=self.service.env())
        # The pause of a planner that has nothing to do is a minute.
        self.assertLess(time.monotonic() - began, 45)

    def test_standard_input_can_be_given_again(self):
        filler = " ".join(f"word{number}" for number in range(60))
        text = "".join(json.dumps({"id": number, "text": f"{filler} {number}"}) + "\n" for number in range(6000))
        flags = ["-", "--dim", "8", "--shard-rows", "500", "--compress", "zstd:1", "-C"]
        for packer in ("cat", "gzip"):
            with self.subTest(packer=packer):
                for name, content in (("whole", text), ("other", text.replace("word7 ", "word8 "))):
                    packed = subprocess.run([packer], input=content.encode(), stdout=subprocess.PIPE, check=True)
                    (self.folder / name).write_bytes(packed.stdout)
                self.sluice("prepare", *flags, f"wanted-{packer}", stdin_path=self.folder / "whole")
                self.kill_in_the_middle(["prepare", *flags, packer], self.folder / packer / "manifest.jsonl")
                refused = self.sluice("prepare", *flags, packer, code=7, stdin_path=self.folder / "other")
                self.assertIn("standard input is not what it was", refused.err)
                self.sluice("prepare", *flags, packer, stdin_path=self.folder / "whole")
                self.assertEqual(self.unpacked(packer), self.unpacked(f"wanted-{packer}"))
                self.assertEqual(self.read(f"{packer}/ids.jsonl"), self.read(f"wanted-{packer}/ids.jsonl"))

    def unpacked(self, run):
        """Names and content: where frames end depends on where reading began."""
        shards = sorted((self.folder / run / "shards").iterdir())
        return [(path.name, subprocess.run(["zstd", "-dcq", path], stdout=subprocess.PIPE, check=True).stdout)
                for path in shards]

    def kill_in_the_middle(self, command, manifest):
        """Gives most of the input and kills the process when two shards are sealed."""
        reader, writer = os.pipe()
        process = self.spawn(*command, stdin=reader)
        os.close(reader)
        data = (self.folder / "whole").read_bytes()
        with open(writer, "wb") as pipe:
            pipe.write(data[:len(data) * 9 // 10])
            pipe.flush()
            while not manifest.exists() or manifest.read_bytes().count(b"\n") < 2:
                self.assertIsNone(process.poll())
                time.sleep(0.01)
            process.kill()
            process.communicate()

    def test_retry_asks_for_what_failed_altogether(self):
        self.serve("--fault", "fail-job=1.0")
        flags = ["run", "c.jsonl", "--shard-rows", DOCUMENTS, *self.service.flags(), "-o", "v.npy", "--attempts", "1"]
        self.sluice(*flags, code=6, env=self.service.env())
        self.serve()
        retried = self.sluice("retry", "-C", "v.npy.sluice", "--class", "all", "--base-url", self.service.base_url,
                              "--poll", "10ms..50ms", "--settle", "300ms", "--json", env=self.service.env())
        self.assertEqual(json.loads(retried.out)["counts"]["ok"], DOCUMENTS)

    def test_files_of_jobs_that_failed_are_deleted(self):
        self.serve("--fault", "fail-job=1.0@2")
        self.run_it()
        self.assertEqual(self.created(), SHARDS + 2)
        listed = self.sluice("files", "list", "--json", "--base-url", self.service.base_url, env=self.service.env())
        left = [line for line in listed.out.splitlines() if "sl-" in line]
        self.assertEqual(left, [])


if __name__ == "__main__":
    harness.main()
