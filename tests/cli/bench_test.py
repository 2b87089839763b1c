"""`bench` measures, leaves nothing behind, and makes the same corpora and answers everywhere."""

import json
import os
import signal
import subprocess

import numpy

import harness

SMALL = ["--docs", "2k", "--bytes-per-doc", "500", "--rows", "200", "--dim", "16", "--runs", "2"]
STAGES = ["read", "prepare", "compress", "write", "pack", "pack", "decode"]


class Bench(harness.CliTest):
    def setUp(self):
        super().setUp()
        (self.folder / "work").mkdir()

    def bench(self, *arguments, **named):
        ended = self.sluice("bench", *arguments, "--work", "work", **named)
        self.assertEqual(os.listdir(self.folder / "work"), [])
        return ended

    def test_measures_every_stage(self):
        ended = self.bench(*SMALL, "--threads", "2", "--export-json", "b.json")
        table = [line.split() for line in ended.out.splitlines()]
        self.assertEqual(table[0][:4], ["stage", "in", "out", "p50"])
        self.assertEqual([row[0] for row in table[1:]], STAGES)
        self.assertIn("run 2 of 2", ended.err)
        found = json.loads(self.read("b.json"))
        self.assertEqual([row["stage"] for row in found["stages"]], STAGES)
        for row in found["stages"]:
            self.assertEqual(len(row["runs"]), 2)
            self.assertGreater(row["seconds"]["median"], 0)
            self.assertGreater(row["bound_seconds"]["median"], 0)
            self.assertGreater(row["peak_bytes"]["median"], 1_000_000)
            self.assertEqual("documents" in row, row["stage"] not in ("compress", "write"))
            self.assertLessEqual(row["seconds"]["min"], row["seconds"]["median"])
        by_name = {(row["stage"], row["threads"]): row for row in found["stages"]}
        corpus = by_name["read", 1]["bytes_in"]
        self.assertEqual({row["bytes_in"] for name, row in by_name.items() if name[0] in ("prepare", "pack")}, {corpus})
        self.assertEqual(by_name["pack", 2]["documents"], 2000)
        self.assertEqual(by_name["prepare", 2]["bytes_out"], by_name["compress", 2]["bytes_in"])
        self.assertEqual(by_name["decode", 2]["documents"], 200)
        asked = {"threads": 2, "compression": "zstd:3", "dimension": 16, "documents": 2000, "refused": 0,
                 "document_bytes": 500, "rows": 200, "seed": 1, "corpus": None, "cpus": os.cpu_count()}
        self.assertEqual({name: found[name] for name in asked}, asked)

    def test_on_a_corpus_of_ones_own(self):
        self.write_corpus("c.jsonl", 500)
        size = (self.folder / "c.jsonl").stat().st_size
        subprocess.run(["zstd", "-q", "c.jsonl"], cwd=self.folder, check=True)
        for name in ("c.jsonl", "c.jsonl.zst"):
            found = self.bench("--corpus", name, "--stage", "pack", "--stage", "read", "--runs", "1", "--threads", "1",
                               "--compress", "none", "--json").json()
            self.assertEqual(self.read(".stderr"), b"")
            self.assertEqual([row["stage"] for row in found["stages"]], ["pack", "read"])
            for row in found["stages"]:
                self.assertEqual((row["bytes_in"], row["documents"]), (size, 500), name)
            self.assertEqual(found["stages"][0]["bound"], "disk")
        self.bench("--corpus", "c.jsonl", "--text-field", "body", "--runs", "1", code=7)
        self.bench("--corpus", "nowhere.jsonl", code=7)

    def test_counts_all_of_a_corpus(self):
        long = json.dumps({"text": "x" * 17_000_000})
        good = '{"text":"good"}'
        for name, text, units, refused in (("cut.jsonl", good, 1, 0), ("a.txt", "no JSON\n" * 9, 1, 0),
                                           ("half.jsonl", f"{good}\nbad\n" * 300, 600, 300),
                                           ("long.jsonl", f"{good}\n{long}\n{good}\n", 3, 1)):
            with self.subTest(name=name):
                (self.folder / name).write_text(text)
                asked = ["--corpus", name, "--runs", "1", "--stage", "read", "--stage", "prepare", "--stage", "pack"]
                ended = self.bench(*asked, "--export-json", "b.json", "--threads", "1")
                found = json.loads(self.read("b.json"))
                self.assertEqual((found["documents"], found["refused"]), (units - refused, refused))
                self.assertEqual([row["documents"] for row in found["stages"]], [units] + [units - refused] * 2)
                for row in found["stages"]:
                    self.assertEqual(row["bytes_in"], len(text), row)
                last = ended.out.splitlines()[-1]
                self.assertEqual(last == f"{refused} of {units} documents were refused", refused > 0)
        self.assertIn("300 of 600", self.bench("--corpus", "half.jsonl", "--runs", "1", "--against", "true").out)

    def test_without_compression_there_is_no_compressing(self):
        asked = ["--docs", "1k", "--runs", "1", "--rows", "10", "--compress", "none"]
        found = self.bench(*asked, "--json").json()
        self.assertNotIn("compress", [row["stage"] for row in found["stages"]])
        self.assertIn("hint:", self.bench(*asked, "--stage", "compress", code=2).err)

    def test_times_another_command_in_turn(self):
        log = self.folder / "log"
        theirs = f"""zstd -q -1 {{}} -o "$SLUICE_BENCH_OUTPUT" && wc -l < "$SLUICE_BENCH_REQUESTS" >> '{log}' &&
                     cmp {{}} "$SLUICE_BENCH_INPUT"; rm "$SLUICE_BENCH_OUTPUT" """
        ended = self.bench(*SMALL, "--against", theirs, "--json", "-q")
        self.assertEqual(ended.err, "")
        race = ended.json()["against"]
        self.assertEqual((race["stage"], race["theirs"]["command"]), ("pack", theirs))
        self.assertEqual(len(race["ours"]["runs"]["seconds"]), 2)
        self.assertEqual(len(race["theirs"]["runs"]["seconds"]), 2)
        pairs = zip(race["ours"]["runs"]["seconds"], race["theirs"]["runs"]["seconds"])
        ratios = [ours / theirs for ours, theirs in pairs]
        self.assertAlmostEqual(race["time_ratio"], sum(ratios) / 2)
        self.assertAlmostEqual(race["time_ratio_range"]["max"], max(ratios))
        self.assertEqual(log.read_text().split(), ["2000"] * 3)  # one to warm up
        err = self.bench(*SMALL, "--against", "exit 9", code=2).err
        self.assertIn("exit code 9", err)
        self.assertIn("hint:", err)

    def test_stopped_it_leaves_nothing(self):
        process = self.spawn("bench", "--docs", "20k", "--work", "work", "--runs", "1000", "--stage", "pack")
        for line in process.stderr:
            if line.startswith("run 1 of"):
                break
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=harness.PATIENCE_S)
        self.assertEqual(process.returncode, 130)
        self.assertEqual(os.listdir(self.folder / "work"), [])

    def test_writes_over_nothing_that_is_not_its_own(self):
        self.write_corpus("c.jsonl", 50)
        corpus = self.read("c.jsonl")
        os.mkfifo(self.folder / "pipe")
        asked = ["--corpus", "c.jsonl", "--stage", "read", "--runs", "1"]
        for path in ("c.jsonl", "pipe", "work", "nowhere/x.json"):
            with self.subTest(path=path):
                ended = self.bench(*asked, "--export-json", path, code=2)
                self.assertIn("--export-json: ", ended.err)
                self.assertNotIn("warming up", ended.err)
        self.assertEqual(self.read("c.jsonl"), corpus)
        self.assertTrue((self.folder / "pipe").is_fifo())
        self.sluice("bench", "generate", "corpus", "pipe", "--docs", "5", code=2)
        self.assertTrue((self.folder / "pipe").is_fifo())

    def test_settings_files_hold_for_it(self):
        (self.folder / "sluice.toml").write_text("[bench]\nthreads = 1\ncompress = \"zstd:1\"\n")
        found = self.bench("--docs", "1k", "--stage", "prepare", "--runs", "1", "--json").json()
        self.assertEqual(found["stages"][0]["threads"], 1)
        self.assertEqual(found["compression"], "zstd:1")
        (self.folder / "sluice.toml").write_text("[bench]\nthread = 1\n")
        self.bench("--docs", "1k", "--stage", "prepare", code=2)

    def test_stopped_while_answers_are_made(self):
        process = self.spawn("bench", "--rows", "300k", "--work", "work", "--runs", "1", "--stage", "decode")
        process.stderr.readline()
        while not list((self.folder / "work").glob("*/answers/*.tmp")):
            self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=harness.PATIENCE_S)
        self.assertEqual(process.returncode, 130)
        self.assertEqual(os.listdir(self.folder / "work"), [])

    def test_mistakes(self):
        self.assertIn("none of read, prepare", self.bench("--stage", "nothing", code=2).err)
        self.bench("--stage", "read", "--stage", "pack", "--against", "true", code=2)
        self.bench("--runs", "0", code=2)
        self.bench("--rows", "0", "--stage", "decode", code=2)
        self.sluice("bench", "--work", "nowhere", code=2)
        self.assertIn("--work: ", self.sluice("bench", "--work", "/proc", code=2).err)
        self.sluice("bench", "--measure", "pack", code=2)
        for contradiction in (["--against", ""], ["--corpus", "a", "--corpus", "b"], ["--corpus", "a", "--docs", "5"],
                              ["--corpus", "a", "--bytes-per-doc", "5"], ["--corpus", "a", "--stage", "decode"]):
            with self.subTest(contradiction=contradiction):
                self.assertIn(contradiction[0], self.bench(*contradiction, code=2).err)
        page = self.sluice("bench", "--help").out
        self.assertIn("generate", page)
        self.assertNotIn("--measure", page)
        self.assertNotIn("measure", self.sluice("completion", "bash").out.split("--against")[1].split()[0])


class Generate(harness.CliTest):
    def test_a_corpus(self):
        flags = ["--bytes", "300k", "--non-ascii", "30%", "--script", "cjk", "--seed", "7"]
        self.sluice("bench", "generate", "corpus", "a.jsonl", *flags)
        self.assertEqual(self.sluice("bench", "generate", "corpus", "-", *flags).out.encode(), self.read("a.jsonl"))
        self.sluice("bench", "generate", "corpus", "b.jsonl", *flags[:-1], "8")
        self.assertNotEqual(self.read("a.jsonl"), self.read("b.jsonl"))
        records = self.json_lines("a.jsonl")
        self.assertEqual([record["id"] for record in records], [f"doc-{n}" for n in range(len(records))])
        self.assertLess(abs(len(self.read("a.jsonl")) - 300_000), 2000)
        for none in ("--bytes", "--docs"):
            self.assertEqual(self.sluice("bench", "generate", "corpus", "-", none, "0").out, "")

    def test_answers(self):
        self.sluice("bench", "generate", "answers", "made", "--rows", "50", "--dim", "8", "--files", "2", "--spaced",
                    "--usage-metadata", "--failed", "10%")
        array = numpy.load(self.folder / "made" / "expected.npy")
        self.assertEqual((array.shape, array.dtype), ((50, 8), numpy.float32))
        seen = 0
        for number in range(2):
            for answer in self.json_lines(f"made/answers-{number}.jsonl"):
                row = array[int(answer["key"])]
                seen += 1
                if "error" in answer:
                    self.assertTrue(numpy.isnan(row).all())
                else:
                    values = numpy.array(answer["response"]["embedding"]["values"], dtype=numpy.float32)
                    self.assertTrue((values == row).all())
        self.assertEqual(seen, 50)
        (self.folder / "short").mkdir()
        self.sluice("bench", "generate", "answers", "short", "--rows", "200k", "--dim", "1", "--files", "1")
        self.assertEqual(sorted(os.listdir(self.folder / "short")), ["answers-0.jsonl", "expected.npy"])
        self.assertTrue((abs(numpy.load(self.folder / "short" / "expected.npy")) == 1).all())

    def test_answers_take_the_place_of_nothing(self):
        (self.folder / "file").write_text("mine")
        (self.folder / "folder" / "answers-9.jsonl").mkdir(parents=True)
        (self.folder / "folder" / "expected.npy").write_text("mine")
        for place in ("file", "folder", "/proc/x"):
            with self.subTest(place=place):
                ended = self.sluice("bench", "generate", "answers", place, "--rows", "5", code=2)
                self.assertIn("a new or an empty folder", ended.err)
        self.assertEqual(self.read("file"), b"mine")
        self.assertEqual(self.read("folder/expected.npy"), b"mine")
        self.assertEqual(sorted(os.listdir(self.folder / "folder")), ["answers-9.jsonl", "expected.npy"])

    def test_memory_does_not_grow_with_the_corpus(self):
        small = self.sluice("bench", "generate", "corpus", "/dev/null/x", "--bytes", "1k", code=None)
        self.assertNotEqual(small.code, 0)
        few = self.sluice("bench", "generate", "corpus", "few.jsonl", "--bytes", "1M").peak_kib
        many = self.sluice("bench", "generate", "corpus", "many.jsonl", "--bytes", "40M").peak_kib
        self.assertLess(many, few * 1.3)

    def test_mistakes(self):
        for words in (["corpus"], [], ["nothing", "x"], ["corpus", "x", "--escapes", "140%"],
                      ["corpus", "x", "--script", "runic"], ["answers", "x", "--dim", "0"], ["corpus", "x.jsonl.gz"],
                      ["corpus", "x", "--rows", "5"], ["corpus", "x", "--bytes", "5", "--docs", "5"],
                      ["answers", "x", "--bytes-per-doc", "5"]):
            with self.subTest(words=words):
                self.sluice("bench", "generate", *words, code=2)
                self.assertFalse((self.folder / "x").exists())
        for place in ("/nonexistent/x", "/dev/null/x"):
            ended = self.sluice("bench", "generate", "corpus", place, code=2)
            self.assertIn(f"no folder for '{place}' that may be written into\nhint:", ended.err)


if __name__ == "__main__":
    harness.main()
