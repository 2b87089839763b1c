"""Hostile corpora: every kind of line has its one verdict, bombs of every kind are refused in bounded
memory and disk, and what cannot be read at all is a plain error, at once.

SLUICE_LONG_TESTS=1: the bombs in full size (docs/testing.md)."""

import json
import os
import subprocess
import unittest
import zlib

import harness

LONG = "SLUICE_LONG_TESTS" in os.environ
MIB = 1 << 20
PEAK_KIB_MAX = 512 * 1024
ASK = ["-m", "sluice-lexical-1", "--dim", "8"]

# One JSON object with a text, on one line: these are.
GOOD = [
    '{"text":"x"}', ' {"text":"x"} ', '\t{"text"\t:\r"x"}\r', '{"text":"x","a":{}}', '{"text":"x","a":[]}',
    '{"text":"x","a":[[]]}', '{"text":"x","a":[{},[],"",0,null,true,false]}', '{"text":"x","":0}', '{"text":"x","a":-0}',
    '{"text":"x","a":0e+1}', '{"text":"x","a":1E22}', '{"text":"x","a":1e-2}', '{"text":"x","a":-123.456e78}',
    '{"text":"x","a":0.1}', '{"text":"x","a":1e999}', '{"text":"x","a":-1e-999}',
    '{"text":"x","a":123456789012345678901234567890}', '{"text":"a","text":"b"}', '{"te\\u0078t":"x"}',
    '{"text":"\\u0060\\u012a\\u12AB"}', '{"text":"\\ud801\\udc37"}', '{"text":"\\ud83d\\ude39\\ud83d\\udc8d"}',
    '{"text":"\\"\\\\\\/\\b\\f\\n\\r\\t"}', '{"text":"\\\\u0000"}', '{"text":"\\u0000"}', '{"text":"\\u0012"}',
    '{"text":"a/*b*/c"}', '{"text":"\\\\a"}', '{"text":"\\uFFFF"}', '{"text":"\\uDBFF\\uDFFF"}', '{"text":"\u2028\u2029"}',
    '{"text":"\x7f"}', '{"text":"\U0010ffff\ufffe\ufeff"}', '{"text":"\u0085"}', '{"text":"\\u0022"}', '{"text":" "}',
    '{"text":"x","a":' + "[" * 510 + "]" * 510 + "}", '{"a":' * 511 + "0" + "}" * 510 + ',"text":"x"}',
]
# These are not. Raw bytes as latin-1.
BAD = [
    # no object
    "[]", '["text"]', '"text"', "1", "-1", "null", "true", "x", "\x00", "[", "{", "}", "]", ",", ":", '"', "'", "#", "a\xe5", "\xe5",
    "[" * 100_000, '{"text":' * 100_000, "abc", "<html>", "text", "{]", "[}", "[1,{]}", "\xff\xfe{\x00}\x00", "\x1f\x8b{}",
    # more than one, or something behind
    '{"text":"x"}{}', '{"text":"x"}x', '{"text":"x"} {"text":"x"}', '{"text":"x"},', '{"text":"x"}}', '{"text":"x"}]',
    '{"text":"x"}#', '{"text":"x"}//', '{"text":"x"}/**/', '{"text":"x"}\x00', '{"text":"x"}\x0c', '{"text":"x"}\xef\xbb\xbf',
    # structure
    '{"text":"x",}', '{,"text":"x"}', '{"text":"x",,"a":1}', '{"text"}', '{"text":}', '{"text" "x"}', '{"text"::"x"}',
    '{text:"x"}', "{'text':'x'}", '{"text":"x" "a":1}', '{1:1,"text":"x"}', '{"a":1,"text":"x"', '{"text":"x"]', '{"text":"x",null}',
    '{null:null,"text":"x"}', '{"text":"x","a"', '{"text":"x","a":', '{"text":"x",', '{"text":"x","a":[}', '{"text":"x","a":[1,]}',
    '{"text":"x","a":[,1]}', '{"text":"x","a":[1 2]}', '{"text":"x","a":[1,,2]}', '{"text":"x","a":[1:2]}', '{"text":"x","a":[",]}',
    '{"text":"x"/**/}', '{"text":"x","a":{"b":1}', '{"text":"x";"a":1}', '{"text"=>"x"}', '\xef\xbb\xbf{"text":"x"}', '{\xef\xbb\xbf"text":"x"}',
    '{"text":\x0c"x"}', '{"text":\xc2\xa0"x"}', '{"text":\xe2\x81\xa0"x"}', '{"text":"x","a":' + "[" * 512 + "]" * 512 + "}",
    # numbers and words
    *('{"text":"x","a":%s}' % value for value in (
        "01", "-01", "00", "-", "--1", "+1", "++1", "-+1", ".1", "-.1", "1.", "-1.", "1.e1", "0.e1", "1e", "1e+", "1e-", "1eE2", "0e", "0E+",
        "1.2.3", "1 000", "1_000", "1,000.0,", "0x1", "0x", "1a", "1e1.5", "-a", "-1x", "Infinity", "-Infinity", "inf", "NaN", "-NaN",
        "nan", "True", "TRUE", "False", "Null", "nul", "truth", "fals", "tru", "undefined", "1\xe5", "1e1\xe5", "0\xe5", "\xef\xbc\x91", "0b1",
        "1f", "1d", "1L", "9.3e+", "2.e3", "2.e-3", "-2.", "$1", "(1)", "1+2")),
    # strings
    *('{"text":"x","a":"%s"}' % value for value in (
        "\\", "\\x00", "\\a", "\\'", "\\0", "\\u", "\\u1", "\\u12", "\\u123", "\\u123g", "\\uD800", "\\uD800\\u", "\\uD800\\u1", "\\uD800\\uD800",
        "\\uD800\\n", "\\uDC00", "\\uDFFF\\uD800", "\\ud800abc", "\\U0041", "\\u{41}", "\\\xe5", "\\\xf0\x9f\x8c\x80", "\\u\xe5", "\\ ", "\\\t",
        "\t", "\x00", "\x01", "\x1f", "\r", "\x0c", "\x08", "\x1b[31m", "\xff", "\xfe", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf",
        "\xed\xa0\x80", "\xed\xbf\xbf", "\xed\xa0\x80\xed\xb0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\x80", "\xbf",
        "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xc3(", "\xe2(\xa1", "\xf0(\x8c\xbc", 'x"y')),
    '{"text":"x', '{"text":"x\\', '{"text":"x\\"', '{"text":"x\\"}', '{"text":x"}', '{"text":`x`}', '{"text":"x"y"z"}', '{"text":"x\xff"}',
    '{"text":"x\\uD83D"}', '{"\xff":1,"text":"x"}', '{"\\uD800":1,"text":"x"}', '{"a\tb":1,"text":"x"}', '{\\"text":"x"}',
    # an object, but without a text to send
    "{}", '{"a":1}', '{"text":null}', '{"text":1}', '{"text":[]}', '{"text":{}}', '{"text":true}', '{"text":""}', '{"Text":"x"}',
    '{"a":{"text":"x"}}', '{"text":"x","text":""}', '{"text":"x","text":1}',
]


class Verdicts(harness.CliTest):
    def test_every_line_has_its_one_verdict(self):
        lines = []
        for number, bad in enumerate(BAD):
            lines += [(GOOD[number % len(GOOD)].encode(), True), (bad.encode("latin-1"), False)]
        lines += [(good.encode(), True) for good in GOOD]
        (self.folder / "c.jsonl").write_bytes(b"".join(line + b"\n" for line, _ in lines))
        self.sluice("prepare", "c.jsonl", *ASK, "-C", "r", code=3)
        refused = {reject["line"] for reject in self.json_lines("r/rejects.jsonl")}
        accepted = {entry["line"] for entry in self.json_lines("r/ids.jsonl")}
        wrong = [line[:100] for number, (line, is_good) in enumerate(lines, 1)
                 if (number in accepted, number in refused) != (is_good, not is_good)]
        self.assertEqual(wrong, [])
        print(f"{len(lines)} lines, {len(BAD)} kinds of bad ones")
        self.sluice("verify", "r")

    def test_files_of_one_line_each(self):
        """Alone in a file, and without a line end behind it."""
        for kind, lines, is_good in (("good", GOOD, True), ("bad", BAD, False)):
            (self.folder / kind).mkdir()
            for number, line in enumerate(lines):
                name = self.folder / kind / f"{number:03}.jsonl"
                name.write_bytes(line.encode() if is_good else line.encode("latin-1"))
        # A byte order mark is no fault at the start of a file, and a file of packed bytes is packed.
        special = {number for number, line in enumerate(BAD) if line.startswith(("\xef\xbb\xbf{\"t", "\x1f\x8b"))}
        self.assertEqual(len(special), 2)
        for number in special:
            (self.folder / "bad" / f"{number:03}.jsonl").unlink()
        (self.folder / "bad" / "zzz.jsonl").write_text('{"text":"good"}')
        good = self.sluice("prepare", "good", *ASK, "-C", "g", "--json").json()["counts"]
        self.assertEqual((good["documents"], good["rejected"]), (len(GOOD), 0))
        bad = self.sluice("prepare", "bad", *ASK, "-C", "b", "--json", code=3).json()["counts"]
        self.assertEqual((bad["documents"], bad["rejected"]), (1, len(BAD) - 2))

    def test_hostile_ids_and_names_are_data(self):
        ids = ["../../x", "-rf", "a\r\nb", "\u001b[2J", "x" * 10_000, "", "\u202e", "NUL\u0000"]
        with open(self.folder / "c\x1b[31m\n.jsonl", "w", encoding="utf-8") as file:
            for name in ids:
                file.write(json.dumps({"id": name, "text": "x"}) + "\n")
            file.write("{\x1b[31m broken\n")
        self.sluice("run", "c\x1b[31m\n.jsonl", "-b", "local", "--dim", "8", "-o", "v.npy", code=3)
        self.assertEqual([line["id"] for line in self.json_lines("v.ids.jsonl")], ids)
        self.assertEqual([path for path in (self.folder.parent / "x", self.folder / "x", self.folder / "-rf") if path.exists()], [])
        for command in (["status", "--errors"], ["verify"], ["neighbors", "v.npy", "--row", "0"]):
            said = self.sluice(*command)
            for text in (said.out, said.err):
                self.assertFalse([c for c in text if c != "\n" and not c.isprintable()], text)
        self.assertIn("\\x1b[31m\\n.jsonl:9", self.sluice("status", "--errors").out)
        (self.folder / "v.npy").write_bytes(b"")
        said = self.sluice("verify", code=7)
        self.assertFalse([c for c in said.out if c != "\n" and not c.isprintable()], said.out)


class Bombs(harness.CliTest):
    """Between two good lines stands one that is far too long."""

    BEFORE, BEHIND = b'{"text":"before"}\n{"text":"', b'"}\n{"text":"behind"}\n'
    SIZE = (1024 if LONG else 320) * MIB

    def expect_refused(self, name, size):
        ended = self.sluice("prepare", name, *ASK, "-C", f"{name}.sluice", "--json", code=3)
        self.assertLess(ended.peak_kib, PEAK_KIB_MAX)
        counts = ended.json()["counts"]
        self.assertEqual((counts["documents"], counts["rejected"]), (2, 1))
        reject = self.json_lines(f"{name}.sluice/rejects.jsonl")[0]
        self.assertEqual((reject["line"], reject["offset"], reject["bytes"]), (2, 18, size))
        kept = (self.folder / reject["raw_file"]).stat().st_size
        self.assertEqual(kept, min(size, 256 * MIB))
        verified = self.sluice("verify", f"{name}.sluice")
        self.assertLess(verified.peak_kib, PEAK_KIB_MAX)
        print(f"{name}: {size:,} bytes, peak {ended.peak_kib / 1024:.0f} MiB, verify {verified.peak_kib / 1024:.0f} MiB")
        # Where tests leave their files for tests/leaks, these are too large.
        (self.folder / reject["raw_file"]).unlink()
        (self.folder / name).unlink()

    def test_gzip(self):
        packer = zlib.compressobj(1, wbits=31)
        with open(self.folder / "c.jsonl.gz", "wb") as file:
            file.write(packer.compress(self.BEFORE))
            for _ in range(self.SIZE // MIB):
                file.write(packer.compress(b"a" * MIB))
            file.write(packer.compress(self.BEHIND) + packer.flush())
        self.expect_refused("c.jsonl.gz", self.SIZE + 11)

    def test_zstd(self):
        with open(self.folder / "c.jsonl.zst", "wb") as file:
            packer = subprocess.Popen(["zstd", "-q", "-c"], stdin=subprocess.PIPE, stdout=file)
            packer.stdin.write(self.BEFORE)
            for _ in range(self.SIZE // MIB):
                packer.stdin.write(b"a" * MIB)
            packer.stdin.write(self.BEHIND)
            packer.stdin.close()
            self.assertEqual(packer.wait(), 0)
        self.assertLess((self.folder / "c.jsonl.zst").stat().st_size, self.SIZE // 10_000)
        self.expect_refused("c.jsonl.zst", self.SIZE + 11)

    def test_a_sparse_line_of_nul(self):
        size = 5 * 1024 * MIB if LONG else self.SIZE
        with open(self.folder / "c.jsonl", "wb") as file:
            file.write(self.BEFORE[:18])
            file.seek(size, os.SEEK_CUR)
            file.write(b'\n{"text":"behind"}\n')
        self.expect_refused("c.jsonl", size)

    def test_a_text_document(self):
        (self.folder / "docs").mkdir()
        (self.folder / "docs" / "a.txt").write_text("small")
        with open(self.folder / "docs" / "b.txt", "wb") as file:
            file.truncate(self.SIZE)
        ended = self.sluice("prepare", "docs", *ASK, "-C", "r", "--json", code=3)
        self.assertLess(ended.peak_kib, PEAK_KIB_MAX)
        self.assertEqual(ended.json()["counts"]["rejected"], 1)
        self.sluice("verify", "r")
        for path in (self.folder / "docs" / "b.txt", *(self.folder / "r" / "rejects").iterdir()):
            path.unlink()

    def test_packed_files_that_are_cut(self):
        self.write_corpus("c.jsonl", 3000)
        subprocess.run(["zstd", "-q", "c.jsonl"], cwd=self.folder, check=True)
        subprocess.run(["gzip", "-k", "c.jsonl"], cwd=self.folder, check=True)
        for name in ("c.jsonl.gz", "c.jsonl.zst"):
            data = self.read(name)
            for number, end in enumerate(range(1, len(data), max(len(data) // (40 if LONG else 8), 1))):
                (self.folder / f"{number}-{name}").write_bytes(data[:end])
                said = self.sluice("prepare", f"{number}-{name}", *ASK, "-C", f"{number}-{name}.sluice", code=7).err
                self.assertIn(f"{number}-{name}", said)


class WhatCannotBeRead(harness.CliTest):
    PATIENCE_S = 10

    def expect_refused(self, name, *words):
        process = self.spawn("run", name, "-b", "local", "--dim", "8", "-o", "v.npy")
        _, said = process.communicate(timeout=self.PATIENCE_S)
        self.assertEqual(process.returncode, 7, said)
        self.assertIn("error: ", said)
        self.assertFalse([c for c in said if c != "\n" and not c.isprintable()], said)
        for word in words:
            self.assertIn(word, said)
        self.assertFalse((self.folder / "v.npy.sluice" / "service").exists())

    def test_each(self):
        os.mkfifo(self.folder / "pipe.jsonl")
        (self.folder / "folder").mkdir()
        (self.folder / "loop").symlink_to("loop")
        (self.folder / "gone.jsonl").symlink_to("nowhere")
        self.expect_refused("missing.jsonl", "'missing.jsonl'", "no such file")
        self.expect_refused("pipe.jsonl", "'pipe.jsonl'", "neither a regular file nor a folder")
        self.expect_refused("folder", "'folder'", "no file in it matches")
        self.expect_refused("loop", "'loop'")
        self.expect_refused("gone.jsonl", "'gone.jsonl'")
        self.expect_refused("line\nbreak.jsonl", "'line\\nbreak.jsonl'")
        self.expect_refused("/dev/zero", "neither a regular file nor a folder")

    @unittest.skipIf(os.geteuid() == 0, "root reads everything")
    def test_unreadable(self):
        self.write_corpus("c.jsonl", 1).chmod(0)
        self.expect_refused("c.jsonl", "'c.jsonl'", "ermission")

    def test_a_line_break_in_the_name_of_a_good_file(self):
        self.write_corpus("line\nbreak.jsonl", 3)
        self.sluice("run", "line\nbreak.jsonl", "-b", "local", "--dim", "8", "-o", "v.npy")
        self.assertEqual([line["file"] for line in self.json_lines("v.ids.jsonl")], ["line\nbreak.jsonl"] * 3)
        self.sluice("verify")


if __name__ == "__main__":
    harness.main()
