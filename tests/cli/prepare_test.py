"""`prepare` makes the shards that `run` then goes on from, without a key or a network."""

import json
import os
import signal

import harness

ASK = ["-b", "local", "--dim", "48", "--shard-rows", "700"]


class Prepare(harness.CliTest):
    def test_a_run_goes_on_from_it_to_the_same_bytes(self):
        self.write_corpus("c.jsonl", 3000)
        self.sluice("run", "c.jsonl", *ASK, "-o", "direct.npy")
        for name, compress in [("packed", "zstd:1"), ("plain", "none")]:
            with self.subTest(compress=compress):
                self.sluice("prepare", "c.jsonl", *ASK, "--compress", compress, "-C", f"{name}.sluice")
                shards = {path.name: path.stat().st_mtime_ns
                          for path in (self.folder / f"{name}.sluice" / "shards").iterdir()}
                self.assertEqual(len(shards), 5)
                for path in shards:
                    self.assertEqual(path.endswith(".zst"), compress != "none")
                self.sluice("run", "c.jsonl", *ASK, "--keep-answers", "-C", f"{name}.sluice", "-o", f"{name}.npy")
                self.assertEqual(self.read(f"{name}.npy"), self.read("direct.npy"))
                self.assertEqual(self.read(f"{name}.ids.jsonl"), self.read("direct.ids.jsonl"))
                kept = list((self.folder / f"{name}.sluice").rglob("*answers*"))
                self.assertTrue(kept, "--keep-answers kept nothing")

    def test_needs_no_key_and_leaves_the_account_open(self):
        self.write_corpus("c.jsonl", 300)
        self.sluice("prepare", "c.jsonl", "-m", "sluice-lexical-1", "--dim", "48", "-C", "r")
        service = harness.LocalService(self)
        self.sluice("run", "c.jsonl", *service.flags(), "--dim", "48", "-C", "r", "-o", "v.npy", env=service.env())
        self.sluice("run", "c.jsonl", "-b", "local", "--dim", "48", "-o", "direct.npy")
        self.assertEqual(self.read("v.npy"), self.read("direct.npy"))

    def test_standard_input_is_read_once(self):
        self.write_corpus("c.jsonl", 1000)
        self.sluice("prepare", "-", *ASK, "-C", "r", stdin_path=self.folder / "c.jsonl")
        self.sluice("run", "-", *ASK, "-C", "r", "-o", "v.npy")
        self.sluice("run", "c.jsonl", *ASK, "-o", "direct.npy")
        self.assertEqual(self.read("v.npy"), self.read("direct.npy"))

    def test_says_what_it_made(self):
        self.write_corpus("c.jsonl", 1000)
        ended = self.sluice("prepare", "c.jsonl", *ASK, "-C", "my run")
        self.assertEqual(ended.out, "")
        self.assertRegex(ended.err, r"Prepared 1,000 documents in my run: 2 shards, ")
        self.assertIn("sluice run -C 'my run' INPUT... -o OUTPUT", ended.err)
        summary = self.sluice("prepare", "c.jsonl", *ASK, "-C", "my run", "--json").json()
        self.assertEqual((summary["type"], summary["exit_code"], summary["resumed"]), ("prepared", 0, True))
        self.assertEqual((summary["counts"]["documents"], summary["shards"]), (1000, 2))
        self.assertLess(summary["shard_bytes"], summary["request_bytes"])

    def test_exit_codes(self):
        path = self.write_corpus("c.jsonl", 10)
        with open(path, "a", encoding="utf-8") as file:
            file.write("{broken\n")
        ended = self.sluice("prepare", "c.jsonl", *ASK, "-C", "some", code=3)
        self.assertIn("1 lines were refused", ended.err)
        self.assertIn("c.jsonl", self.sluice("prepare", "c.jsonl", *ASK, "-C", "f", "--on-error", "fail", code=7).err)
        (self.folder / "bad.jsonl").write_text("{broken\n")
        self.assertIn("all 1 documents were refused", self.sluice("prepare", "bad.jsonl", "-C", "b", code=7).err)
        self.sluice("prepare", "c.jsonl", "--dim", "5", "-C", "some", code=2)
        self.sluice("prepare", "-C", "none", code=2)
        self.sluice("prepare", "nowhere.jsonl", "-C", "none", code=7)
        self.assertFalse((self.folder / "none").exists())

    def test_what_is_not_utf_8_is_refused(self):
        self.write_corpus("c.jsonl", 3)
        (self.folder / "bad.txt").write_bytes(b"be brief \xff")
        ask = ["prepare", "c.jsonl", "-C", "r", "--task", "generate"]
        for words in (["--system-instruction", "bad.txt"], ["--template", "bad.txt"], ["--text-field", b"a\xff"],
                      ["--id-field", b"a\xff"], ["-m", b"a\xff"]):
            with self.subTest(words=words):
                self.assertIn("UTF-8", self.sluice(*ask, *[os.fsdecode(word) for word in words], code=2).err)
        self.assertIn("UTF-8", self.sluice("run", "c.jsonl", "-b", "local", "-o", os.fsdecode(b"a\xff.npy"), code=2).err)
        self.assertFalse([name for name in os.listdir(self.folder) if name.endswith(".sluice")])

    def test_the_generation_config_is_sent_as_it_stands(self):
        self.write_corpus("c.jsonl", 1)
        config = '{"temperature":0.10, "seed":12345678901234567890123,"schema":{"zeta":1e999,"alpha":"a\\u0041"}}'
        (self.folder / "g.json").write_text("\n" + config.replace(", ", ",\n") + "\n")
        ask = ["prepare", "c.jsonl", "-b", "local", "--task", "generate", "--compress", "none"]
        self.sluice(*ask, "--generation-config", "g.json", "-C", "r")
        self.assertIn('"generationConfig":' + config, self.read("r/shards/00000.jsonl").decode())
        (self.folder / "g.json").write_text('{"temperature":}')
        self.assertIn("at byte 15", self.sluice(*ask, "--generation-config", "g.json", "-C", "s", code=2).err)

    def test_packing_in_another_form_leaves_nothing_of_the_first(self):
        self.write_corpus("c.jsonl", 60_000, words=40)
        command = ["prepare", "c.jsonl", *ASK, "-C", "r"]
        process = self.spawn(*command, "--compress", "none", "--progress", "json", "--progress-interval", "1ms")
        for line in process.stderr:
            if json.loads(line)["shards"] >= 2:
                break
        process.kill()
        process.communicate(timeout=harness.PATIENCE_S)
        self.sluice(*command, "--compress", "zstd:1")
        names = sorted(path.name for path in (self.folder / "r" / "shards").iterdir())
        self.assertEqual([name.split(".")[0] for name in names], [f"{number:05}" for number in range(86)])

    def test_what_the_output_needs_is_pinned_by_the_run(self):
        self.write_corpus("c.jsonl", 10)
        self.sluice("prepare", "c.jsonl", *ASK, "-C", "r")
        self.sluice("run", "c.jsonl", *ASK, "-C", "r", "-o", "v.npy")
        self.assertIn("--output", self.sluice("run", "c.jsonl", *ASK, "-C", "r", "-o", "other.npy", code=2).err)

    def test_stopped_it_goes_on_where_it_was(self):
        self.write_corpus("c.jsonl", 60_000, words=40)  # blocks that are in work are still finished
        command = ["prepare", "c.jsonl", *ASK, "--compress", "zstd:1", "-C", "r"]
        process = self.spawn(*command, "--progress", "json", "--progress-interval", "1ms")
        for line in process.stderr:
            if json.loads(line)["shards"] >= 2:
                break
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=harness.PATIENCE_S)[1]
        self.assertEqual(process.returncode, 130, said)
        self.assertIn("Resume:   sluice prepare c.jsonl ", said)
        self.assertTrue(self.sluice(*command, "--json").json()["resumed"])
        self.sluice(*command[:-1], "direct")
        names = sorted(path.name for path in (self.folder / "direct" / "shards").iterdir())
        self.assertEqual(len(names), 86)
        for name in [*(f"shards/{name}" for name in names), "ids.jsonl"]:
            self.assertEqual(self.read(f"r/{name}"), self.read(f"direct/{name}"), name)


class Times(harness.CliTest):
    def test_a_run_says_where_its_time_went(self):
        self.write_corpus("c.jsonl", 3000)
        ended = self.sluice("run", "c.jsonl", *ASK, "-o", "v.npy")
        self.assertRegex(ended.err, r"\nTime: pack \S+ \(\w+\), send \S+ \(\w+\), merge \S+ \(\w+\), close \S+; bound: \w+\n")
        times = json.loads(self.read("v.npy.sluice/report.json"))["times"]
        self.assertEqual([step["step"] for step in times["steps"]], ["pack", "send", "merge", "close"])
        for step in times["steps"]:
            self.assertLessEqual(0, step["wall_seconds"])
            self.assertLessEqual(step["wall_seconds"], times["wall_seconds"])
            self.assertIn(step["bound"], times["stage_thread_seconds"])
        self.assertIn(times["bound"], [*times["stage_thread_seconds"], "service"])

    def test_the_report_has_the_share_of_unusual_numbers(self):
        self.write_corpus("c.jsonl", 100)
        self.sluice("run", "c.jsonl", *ASK, "-o", "v.npy")
        answers = json.loads(self.read("v.npy.sluice/report.json"))["answers"]
        self.assertEqual(answers["values"], 100 * 48)
        self.assertLess(answers["general_values"], answers["values"] / 4)


if __name__ == "__main__":
    harness.main()
