"""`verify` finds nothing wrong with what runs leave, and notices everything that is changed in it."""

import ctypes
import json
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess

import numpy

import harness

LOCAL = ["--backend", "local", "--dim", "8", "--shard-rows", "40"]
BAD = [b"{broken\n", b'{"text":7}\n', b"\n", b'{"text":"\xff"}\n', b"  \t\r\n"]


class Verified(harness.CliTest):
    def verify(self, run="v.npy.sluice", code=None):
        ended = self.sluice("verify", run, "--json", code=code)
        return ended.json()

    def write_mixed_corpus(self, name="c.jsonl", count=100, bad=True):
        """Documents, with every kind of line that is none between them."""
        with open(self.folder / name, "wb") as file:
            for number in range(count):
                file.write(b'{"id":"d%d","text":"document %d"}\n' % (number, number))
                if bad and number % 20 == 7:
                    file.write(BAD[number // 20 % len(BAD)])

    def expect_good(self, run, state="DONE", **counts):
        report = self.verify(run, code=0)
        self.assertEqual((report["state"], report["problems"], report["problem_count"]), (state, [], 0))
        for name, count in counts.items():
            self.assertEqual(report["counts"][name], count, name)
        found = report["counts"]
        self.assertEqual(found["units"], sum(found[name] for name in (
            "results", "failed", "missing", "pending", "refused", "blank")))
        return report


class GoodRuns(Verified):
    def test_a_complete_run(self):
        self.write_mixed_corpus()
        self.sluice("run", "c.jsonl", *LOCAL, "--keep-answers", "-o", "v.npy", code=3)
        report = self.expect_good("v.npy.sluice", units=105, results=100, refused=3, blank=2, shards=3,
                                  answers_compared=3, pending=0)
        self.assertEqual(report["notes"], [])
        said = self.sluice("verify").out  # the newest run here
        self.assertIn("105 lines and documents = 100 results + 0 failed + 0 missing", said)
        self.assertIn("Nothing is wrong.", said)
        # From elsewhere, and by another name of the folder.
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "link.sluice").symlink_to(self.folder / "v.npy.sluice")
        for run in ("../v.npy.sluice/", self.folder / "v.npy.sluice"):
            ended = subprocess.run([harness.BINARY, "verify", run], cwd=elsewhere, env=harness.environment(),
                                   stdout=subprocess.PIPE, check=False)
            self.assertEqual(ended.returncode, 0, ended.stdout)

    def test_every_kind_of_corpus_and_output(self):
        self.write_mixed_corpus("a.jsonl", 50)
        self.write_mixed_corpus("b.jsonl", 50, bad=False)
        subprocess.run(["zstd", "-q", "b.jsonl"], cwd=self.folder, check=True)
        subprocess.run(["gzip", "-k", "b.jsonl"], cwd=self.folder, check=True)
        (self.folder / "empty.jsonl").touch()
        (self.folder / "docs").mkdir()
        for name, text in (("x.md", "a text"), ("y.md", "another"), ("z.md", "")):
            (self.folder / "docs" / name).write_text(text)
        long = b'{"text":"' + b"a" * 5000 + b'"}\n'
        (self.folder / "long.jsonl").write_bytes(b'{"text":"short"}\n' + long + b'{"text":"last"}')
        flags = [*LOCAL, "--max-line-bytes", "4000"]
        self.sluice("run", "a.jsonl", "b.jsonl.zst", "empty.jsonl", "docs", "b.jsonl.gz", "long.jsonl", *flags,
                    "--keep-answers", "-o", "v.npy", code=3)
        self.expect_good("v.npy.sluice", results=154, refused=4)
        self.sluice("run", "a.jsonl", *LOCAL, "--compress", "none", "-o", "v.jsonl", code=3)
        self.expect_good("v.jsonl.sluice", results=50)
        (self.folder / "prompt").write_text("Say {{text}}")
        self.sluice("run", "a.jsonl", "-b", "local", "--template", "prompt", "--keep-answers", "-o", "g.jsonl", code=3)
        self.expect_good("g.jsonl.sluice", results=51, answers_compared=1)
        self.sluice("run", "a.jsonl", *LOCAL, "--normalize", "--keep-answers", "-o", "n.npy", code=3)
        self.expect_good("n.npy.sluice", results=50)

    def test_rows_that_failed(self):
        self.write_mixed_corpus("c.jsonl", 100, bad=False)
        service = harness.LocalService(self, "--latency", "1ms..5ms", "--fault", "item-error=7", "--fault",
                                       "drop-line=0.05")
        ask = ["run", "c.jsonl", *service.flags(), "--dim", "8", "--shard-rows", "40", "--keep-answers"]
        for name, on_error in (("nan.npy", "nan"), ("skip.npy", "skip"), ("nan.jsonl", "nan"), ("skip.jsonl", "skip")):
            with self.subTest(output=name):
                self.sluice(*ask, "-o", name, "--on-error", on_error, code=3, env=service.env())
                report = self.expect_good(f"{name}.sluice", units=100)
                self.assertGreater(report["counts"]["failed"], 0)

    def test_what_is_not_there_yet(self):
        self.write_mixed_corpus()
        self.sluice("prepare", "c.jsonl", *LOCAL, "-C", "r", code=3)
        report = self.expect_good("r", "PREPARED", units=105, pending=100, refused=3, blank=2, shards=3)
        self.assertIn("0 of 3 shards are merged; there is no output yet", report["notes"])
        # A pack that was killed: the shards and lines that its manifest does not know are no fault.
        manifest = (self.folder / "r" / "manifest.jsonl").read_bytes().splitlines(keepends=True)
        for kept, torn in ((2, b""), (1, manifest[1][:30]), (0, b"")):
            (self.folder / "r" / "manifest.jsonl").write_bytes(b"".join(manifest[:kept]) + torn)
            self.expect_good("r", "PREPARING", shards=kept, pending=40 * kept)

    def test_runs_that_were_killed(self):
        """Whatever a kill leaves is no fault, and what the ledger claims is there."""
        seed = random.randrange(1 << 32)
        print(f"seed {seed}")
        chance = random.Random(seed)
        self.write_corpus("c.jsonl", 12_000)
        service = harness.LocalService(self, "--latency", "20ms..80ms")
        for name in ("v.npy", "v.jsonl"):
            for _round in range(6):
                process = self.spawn("run", "c.jsonl", "--dim", "32", "--shard-rows", "1500", *service.flags(), "-o", name,
                                     "--progress", "json", "--progress-interval", "1ms", env=service.env())
                for _ in range(chance.randrange(1, 200)):
                    if not process.stderr.readline():
                        break
                process.kill()
                process.communicate(timeout=harness.PATIENCE_S)
                if (self.folder / f"{name}.sluice" / "ledger.db").exists():
                    self.verify(f"{name}.sluice", code=0)

    def test_standard_input_is_checked_as_far_as_can_be(self):
        self.write_mixed_corpus()
        self.sluice("run", "-", *LOCAL, "-o", "v.npy", code=3, stdin_path=self.folder / "c.jsonl")
        report = self.expect_good("v.npy.sluice", results=100, refused=3, blank=2)
        self.assertIn("standard input", report["notes"][0])
        shard = self.folder / "v.npy.sluice" / "shards" / "00001.jsonl.zst"
        lines = unpacked(shard)
        write_packed(shard, lines[:3] + lines[4:])
        self.assertEqual(self.verify(code=7)["problem_count"] > 0, True)

    def test_shards_that_were_dropped_after_their_merge(self):
        self.write_mixed_corpus()
        self.sluice("run", "c.jsonl", *LOCAL, "-o", "v.npy", code=3)
        (self.folder / "v.npy.sluice" / "shards" / "00001.jsonl.zst").unlink()
        report = self.expect_good("v.npy.sluice")
        self.assertEqual(report["notes"], ["1 shard files are gone; their rows are merged"])

    def test_nothing_is_written(self):
        self.write_mixed_corpus()
        self.sluice("run", "c.jsonl", *LOCAL, "-o", "v.npy", code=3)
        before = {path: (path.stat().st_mtime_ns, path.stat().st_size, path.stat().st_ino)
                  for path in self.folder.rglob("*") if not path.name.startswith(".std")}
        self.verify(code=0)
        after = {path: (path.stat().st_mtime_ns, path.stat().st_size, path.stat().st_ino)
                 for path in self.folder.rglob("*") if not path.name.startswith(".std")}
        self.assertEqual(before, after)

    def test_what_is_no_run(self):
        (self.folder / "x").mkdir()
        self.sluice("verify", "x", code=2)
        self.sluice("verify", code=2)
        self.sluice("verify", "nowhere", code=2)


def unpacked(path):
    """The lines of a file, plain or packed."""
    data = path.read_bytes()
    if path.suffix == ".zst":
        data = subprocess.run(["zstd", "-dcq"], input=data, stdout=subprocess.PIPE, check=True).stdout
    return data.splitlines(keepends=True)


def write_packed(path, lines):
    data = b"".join(lines)
    if path.suffix == ".zst":
        data = subprocess.run(["zstd", "-cq"], input=data, stdout=subprocess.PIPE, check=True).stdout
    path.write_bytes(data)


def edit(path, change):
    """`change` gets the bytes and gives what shall stand there."""
    data = path.read_bytes()
    changed = change(data)
    assert changed != data, path
    path.write_bytes(changed)


def flip(path, place):
    def change(data):
        at = int(place * (len(data) - 1))
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
    edit(path, change)


def edit_lines(path, change):
    """The same with lines."""
    lines = unpacked(path)
    changed = change(list(lines))
    assert changed != lines, path
    write_packed(path, changed)


def xxh3(data):
    library = ctypes.CDLL("libxxhash.so.0")
    library.XXH3_64bits.restype = ctypes.c_uint64
    library.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    return f"{library.XXH3_64bits(data, len(data)):016x}"


def swap(lines, a, b):
    lines[a], lines[b] = lines[b], lines[a]
    return lines


class Damage(Verified):
    """One run; each test damages a copy of its folder in many ways, and each has to be noticed."""

    @classmethod
    def setUpClass(cls):
        cls.whole = None

    def setUp(self):
        super().setUp()
        if self.whole is None:
            type(self).whole = self.make_run()
            self.addClassCleanup(shutil.rmtree, self.whole, ignore_errors=True)
        self.at = self.folder / "copy"

    def make_run(self):
        self.write_mixed_corpus("c.jsonl", 100)
        service = harness.LocalService(self, "--latency", "1ms..5ms", "--fault", "item-error=7")
        ask = [*service.flags(), "--dim", "8", "--shard-rows", "40", "--max-line-bytes", "4000"]
        with open(self.folder / "c.jsonl", "ab") as corpus:
            corpus.write(b'{"text":"' + b"a" * 5000 + b'"}\n')
        self.sluice("run", "c.jsonl", *ask, "--keep-answers", "-o", "v.npy", code=3, env=service.env())
        self.sluice("run", "c.jsonl", *ask, "-o", "l.jsonl", code=3, env=service.env())
        self.sluice("prepare", "c.jsonl", "-m", "sluice-lexical-1", "--dim", "8", "--shard-rows", "40", "-C", "p.sluice",
                    "--max-line-bytes", "4000", code=3)
        service.stop()
        self.expect_good("v.npy.sluice")
        self.expect_good("l.jsonl.sluice")
        self.expect_good("p.sluice", "PREPARED")
        whole = pathlib.Path(f"{self.folder}.whole")
        shutil.copytree(self.folder, whole, ignore=shutil.ignore_patterns("service", ".std*"))
        return whole

    def damaged(self, what, damage, run="v.npy.sluice"):
        """Copies, damages, verifies; gives what was found."""
        with self.subTest(damage=what):
            if self.at.exists():
                shutil.rmtree(self.at)
            shutil.copytree(self.whole, self.at)
            self.point_at_copy(run)
            damage(self.at / run)
            report = self.verify(self.at / run, code=7)
            self.assertGreater(report["problem_count"], 0)
            for problem in report["problems"]:
                self.assertTrue(problem["where"] and problem["what"], problem)
            return report
        return None

    def point_at_copy(self, run):
        """The corpus that the ledger names is the copy's."""
        with sqlite3.connect(self.at / run / "ledger.db") as ledger:
            files = json.loads(ledger.execute("SELECT value FROM meta WHERE key='files'").fetchone()[0])
            files[0]["path"] = str(self.at / "c.jsonl")
            ledger.execute("UPDATE meta SET value=? WHERE key='files'", (json.dumps(files),))
        ledger.close()

    def test_the_copy_itself_is_good(self):
        for run, state in (("v.npy.sluice", "DONE"), ("l.jsonl.sluice", "DONE"), ("p.sluice", "PREPARED")):
            if self.at.exists():
                shutil.rmtree(self.at)
            shutil.copytree(self.whole, self.at)
            self.point_at_copy(run)
            self.expect_good(self.at / run, state)

    def test_any_bit_of_any_file(self):
        seed = random.randrange(1 << 32)
        print(f"seed {seed}")
        chance = random.Random(seed)
        names = ["manifest.jsonl", "ids.jsonl", "rejects.jsonl", "failures.jsonl", "shards/00000.jsonl.zst",
                 "shards/00002.jsonl.zst", "answers/00001.jsonl.zst", "../v.npy", "../v.ids.jsonl"]
        names += [str(path.relative_to(self.whole / "v.npy.sluice"))
                  for path in (self.whole / "v.npy.sluice" / "rejects").iterdir()]
        for name in names:
            # The last refused line names its file in the folder that the run had then, which may be
            # another one now.
            share = 0.5 if name == "rejects.jsonl" else 1
            for place in (0, 1, share * chance.random(), share * chance.random()):
                self.damaged(f"bit at {place} of {name}", lambda run: flip(run / name, place))
        for place in (0, 1, chance.random(), chance.random()):
            self.damaged(f"bit at {place} of the lines", lambda run: flip(run.parent / "l.jsonl", place), "l.jsonl.sluice")
            self.damaged(f"bit at {place} of a shard", lambda run: flip(run / "shards/00001.jsonl.zst", place), "p.sluice")

    def test_a_number_that_is_written_otherwise(self):
        """The same float, and not what was written."""
        def lengthen(run):
            edit(run.parent / "l.jsonl", lambda data: data.replace(b"]", b"0]", 1))

        self.damaged("a zero at the end of a number", lengthen, "l.jsonl.sluice")

    def test_any_file_cut_or_gone(self):
        for name in ("manifest.jsonl", "ids.jsonl", "rejects.jsonl", "failures.jsonl", "report.json",
                     "shards/00001.jsonl.zst", "answers/00001.jsonl.zst", "../v.npy", "../v.ids.jsonl", "../c.jsonl"):
            for keep in (0.0, 0.5, 0.999):
                self.damaged(f"{name} cut to {keep}", lambda run: edit(run / name, lambda data: data[:int(len(data) * keep)]))
            self.damaged(f"{name} grown", lambda run: edit(run / name, lambda data: data + b"{}\n"))
        for name in ("manifest.jsonl", "ids.jsonl", "rejects.jsonl", "failures.jsonl", "report.json", "../v.npy",
                     "../v.ids.jsonl", "../c.jsonl", "answers/00001.jsonl.zst"):
            self.damaged(f"{name} gone", lambda run: (run / name).unlink())
        self.damaged("a shard gone before its merge", lambda run: (run / "shards/00001.jsonl.zst").unlink(), "p.sluice")

    def test_lines_of_shards_with_a_manifest_that_agrees(self):
        """The hash is brought up to date, so that the lines themselves have to tell."""
        def rehash(run, number):
            path = run / "shards" / f"{number:05}.jsonl.zst"
            plain = b"".join(unpacked(path))
            lines = (run / "manifest.jsonl").read_bytes().splitlines(keepends=True)
            entry = json.loads(lines[number])
            entry.update(compressed_bytes=path.stat().st_size, plain_bytes=len(plain), xxh3=xxh3(path.read_bytes()))
            lines[number] = json.dumps(entry).encode() + b"\n"
            (run / "manifest.jsonl").write_bytes(b"".join(lines))

        def shard(change):
            def damage(run):
                edit_lines(run / "shards/00001.jsonl.zst", change)
                rehash(run, 1)
            return damage

        report = self.damaged("a word changed", shard(
            lambda lines: [line.replace(b"document 50", b"document 5O") for line in lines]), "p.sluice")
        self.assertEqual(report["problem_count"], 1, report)
        self.assertRegex(report["problems"][0]["where"], r"^shards/00001.jsonl.zst:\d+$")

        key = b'"000000000041"'
        for run in ("v.npy.sluice", "p.sluice"):
            self.damaged("two rows swapped", shard(lambda lines: swap(lines, 3, 4)), run)
            self.damaged("a row gone", shard(lambda lines: lines[:5] + lines[6:]), run)
            self.damaged("the last row gone", shard(lambda lines: lines[:-1]), run)
            self.damaged("a row twice", shard(lambda lines: lines[:5] + lines[4:]), run)
            self.damaged("a key twice", shard(lambda lines: [line.replace(b'"000000000042"', key) for line in lines]), run)
            self.damaged("texts swapped under their keys", shard(
                lambda lines: [line.replace(b"document 45", b"document 4X").replace(b"document 46", b"document 45")
                               .replace(b"document 4X", b"document 46") for line in lines]), run)
            self.damaged("a word changed", shard(lambda lines: [line.replace(b"document 50", b"document 5O") for line in lines]), run)

        def swap_shards(run):
            a, b = (run / "shards" / f"{number:05}.jsonl.zst" for number in (0, 1))
            data = a.read_bytes()
            a.write_bytes(b.read_bytes())
            b.write_bytes(data)
        report = self.damaged("two shards swapped", swap_shards)
        self.assertIn("shards/00000.jsonl.zst", [problem["where"] for problem in report["problems"]])

    def test_ids_and_refused_lines(self):
        for name in ("ids.jsonl", "rejects.jsonl", "failures.jsonl", "../v.ids.jsonl"):
            self.damaged(f"{name}: lines swapped", lambda run: edit_lines(run / name, lambda lines: swap(lines, 0, 1)))
            self.damaged(f"{name}: a line gone", lambda run: edit_lines(run / name, lambda lines: lines[:1] + lines[2:]))
            self.damaged(f"{name}: a line twice", lambda run: edit_lines(run / name, lambda lines: lines[:1] + lines))
        self.damaged("an id", lambda run: edit(run / "ids.jsonl", lambda data: data.replace(b'"d77"', b'"d78"')))
        self.damaged("the checksum of ids", lambda run: edit(
            run / "manifest.jsonl", lambda data: data.replace(b'"ids_xxh3":"', b'"ids_xxh3":"0', 1)))
        self.damaged("an offset", lambda run: edit(run / "ids.jsonl", lambda data: data.replace(b'"offset":0', b'"offset":1')))
        self.damaged("a reason", lambda run: edit(run / "rejects.jsonl", lambda data: data.replace(b'"reason":"', b'"reason":"not ', 1)))
        self.damaged("a class", lambda run: edit(run / "failures.jsonl", lambda data: data.replace(b'"class":"', b'"class":"x', 1)))

    def test_the_array(self):
        def header(data):
            return data.replace(b"(100, 8)", b"(101, 8)")
        self.damaged("its row count", lambda run: edit(run.parent / "v.npy", header))

        def change(rows):
            def damage(run):
                array = numpy.load(run.parent / "v.npy")
                rows(array)
                numpy.save(run.parent / "v.npy", array)
            return damage

        def swap_rows(array):
            good = numpy.flatnonzero(numpy.isfinite(array).all(axis=1))
            array[good[:2]] = array[good[1::-1]]
        self.damaged("two rows swapped", change(swap_rows))
        self.damaged("a row of NaN", change(lambda array: array[50:60].fill(numpy.nan)))
        self.damaged("one value", change(lambda array: array.__setitem__((99, 7), 1 - numpy.nan_to_num(array[99, 7]))))

        def change_nan(array):
            array.view(numpy.uint32)[numpy.flatnonzero(numpy.isnan(array[:, 0]))[0], 3] ^= 1
        self.damaged("a bit of a failed row", change(change_nan))
        self.damaged("an infinite value", change(lambda array: array.__setitem__((3, 3), numpy.inf)))
        self.damaged("failed rows with values", change(lambda array: array.__setitem__(numpy.isnan(array), 1)))

    def test_lines_as_the_output(self):
        def lines(change):
            return lambda run: edit_lines(run.parent / "l.jsonl", change)
        for what, change in (("swapped", lambda l: swap(l, 10, 11)), ("gone", lambda l: l[:10] + l[11:]),
                             ("twice", lambda l: l[:11] + l[10:])):
            self.damaged(f"a line {what}", lines(change), "l.jsonl.sluice")

        def swap_values(lines):
            good = [number for number, line in enumerate(lines) if b'"embedding"' in line][:2]
            a, b = (lines[number].partition(b',"embedding"') for number in good)
            lines[good[0]], lines[good[1]] = b"".join((a[0], *b[1:])), b"".join((b[0], *a[1:]))
            return lines
        self.damaged("two values swapped", lines(swap_values), "l.jsonl.sluice")

    def test_the_ledger(self):
        statements = [
            "UPDATE merges SET counts=json_set(counts,'$.ok',39) WHERE shard=0",
            "UPDATE merges SET counts=json_set(counts,'$.failed',json_extract(counts,'$.failed')+1) WHERE shard=0",
            "UPDATE merges SET counts=json_set(counts,'$.digest',7) WHERE shard=1",
            "UPDATE merges SET counts=json_set(counts,'$.duplicates',7) WHERE shard=1",
            "UPDATE merges SET counts='x' WHERE shard=1",
            "DELETE FROM merges WHERE shard=2",
            "DELETE FROM shards WHERE shard=2",
            "CREATE TEMP TABLE one AS SELECT * FROM shards WHERE shard=0; UPDATE one SET shard=9; "
            "INSERT INTO shards SELECT * FROM one",
            "UPDATE shards SET rows=39 WHERE shard=0",
            "UPDATE shards SET state='SUBMITTED' WHERE shard=0",
            "UPDATE shards SET state='LOST' WHERE shard=0",
            "UPDATE shards SET job='batches/other' WHERE shard=0",
            "UPDATE attempts SET job=(SELECT job FROM attempts WHERE shard=1) WHERE shard=0",
            "UPDATE attempts SET display_name='sluice/x/0/1' WHERE shard=0",
            "DELETE FROM attempts WHERE shard=1",
            "UPDATE meta SET value='000000000000' WHERE key='run_id'",
            "UPDATE meta SET value='9' WHERE key='dimension'",
            "UPDATE meta SET value=json_set(value,'$[0].rows',99) WHERE key='outputs'",
            "DELETE FROM meta WHERE key='outputs'",
            "DELETE FROM meta WHERE key='settings'",
            "UPDATE meta SET value=json_set(value,'$.\"--model\"','other') WHERE key='settings'",
            "UPDATE meta SET value=json_set(value,'$.\"--text-field\"','id') WHERE key='settings'",
            "UPDATE meta SET value=json_set(value,'$.\"--task-type\"','') WHERE key='settings'",
            "DROP TABLE merges",
            "UPDATE shards SET given_up='x' WHERE shard=1",
            "UPDATE meta SET value='x' WHERE key='dimension'",
            "UPDATE attempts SET outcome='UNKNOWN',job='' WHERE shard=1",
            "UPDATE attempts SET outcome='DEAD' WHERE shard=1",
            "UPDATE attempts SET outcome='UNKNOWN',job='' WHERE shard=0 AND attempt=1",
            "CREATE TEMP TABLE one AS SELECT * FROM attempts WHERE shard=0 AND attempt=(SELECT attempt FROM shards WHERE "
            "shard=0); UPDATE one SET job='',outcome='UNKNOWN',attempt=attempt+1,display_name='sluice/'||(SELECT value FROM "
            "meta WHERE key='run_id')||'/0/'||(attempt+1); INSERT INTO attempts SELECT * FROM one; "
            "UPDATE shards SET attempt=attempt+1 WHERE shard=0",
            "UPDATE attempts SET rows=39 WHERE shard=0",
            "UPDATE shards SET rows_asked=39 WHERE shard=0",
            "INSERT INTO surplus VALUES('batches/x','sluice/x/0/1','SUCCEEDED',0)",
        ]
        for statement in statements:
            def damage(run, statement=statement):
                with sqlite3.connect(run / "ledger.db") as ledger:
                    ledger.executescript(statement)
                ledger.close()
            self.damaged(statement, damage)
        for what, change in (("half", lambda data: data[:len(data) // 2]), ("zeros", lambda data: bytes(len(data))),
                             ("empty", lambda data: b"")):
            self.damaged(f"the file: {what}", lambda run: edit(run / "ledger.db", change))

    def test_the_report(self):
        for path, value in (("documents.ok", 1), ("documents.accepted", 101), ("documents.rejected", 0), ("answers.bytes", 1),
                            ("shards.count", 2), ("jobs.created", 99), ("model", "x"), ("dimension", 3)):
            def damage(run, path=path, value=value):
                report = json.loads((run / "report.json").read_text())
                *above, name = path.split(".")
                place = report
                for member in above:
                    place = place[member]
                place[name] = value
                (run / "report.json").write_text(json.dumps(report))
            self.damaged(path, damage)

    def test_the_corpus(self):
        for what, change in (("a word", lambda data: data.replace(b"document 33", b"document 3E")),
                             ("two lines swapped", lambda data: b"".join(swap(data.splitlines(keepends=True), 20, 21))),
                             ("a line more", lambda data: data + b'{"text":"new"}\n'),
                             ("a blank line gone", lambda data: data.replace(b"\n\n", b"\n", 1)),
                             ("a refused line mended", lambda data: data.replace(b"{broken", b'{"a":1}'))):
            self.damaged(what, lambda run: edit(run.parent / "c.jsonl", change))


class Names(Verified):
    def test_a_name_that_is_not_utf8_is_refused_before_anything_is_bought(self):
        (self.folder / "docs").mkdir()
        (self.folder / "docs" / "good.txt").write_text("a text")
        bad = bytes(self.folder / "docs") + b"/caf\xe9.txt"
        with open(bad, "w") as file:
            file.write("another")
        service = harness.LocalService(self)
        for name in ("v.npy", "v.jsonl"):
            ended = self.sluice("run", "docs", *service.flags(), "--dim", "8", "-o", name, code=7, env=service.env())
            self.assertIn("its name is not UTF-8", ended.err)
            self.assertIn("caf", ended.err)
        self.assertEqual(service.events("create"), [])
        self.sluice("run", "docs", *LOCAL, "--exclude", "caf*", "-o", "v.npy", "--fresh")
        self.expect_good("v.npy.sluice", results=1)

    def test_a_working_folder_that_is_not_utf8(self):
        below = os.fsencode(self.folder) + b"/caf\xe9"
        os.mkdir(below)
        os.mkdir(below + b"/docs")
        with open(below + b"/docs/good.txt", "w") as file:
            file.write("a text")
        for words in (("run", "docs", *LOCAL, "-o", "v.npy"), ("verify", "v.npy.sluice")):
            ended = subprocess.run([harness.BINARY, *words], cwd=below, env=harness.environment(),
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            self.assertEqual(ended.returncode, 0, ended.stdout)


if __name__ == "__main__":
    harness.main()
