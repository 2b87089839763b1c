"""A thousand lines, sixty of them bad in twenty ways: each is refused with its place, the others are
untouched, and memory stays small."""

import base64
import json

import harness

MIB = 1 << 20
GIANT = b'{"text":"' + b"a" * (100 * MIB) + b'"}'

# One kind, one line; {N} makes each one different.
BAD_LINES = [
    b'{"text":"cut off {N}"',
    b'{"text":"a comma too many {N}",}',
    b"{'text':'single quotes {N}'}",
    b'{"text" "no colon {N}"}',
    b'{"text":"bytes behind {N}"} tail',
    b'{"text":"two"}{"text":"records {N}"}',
    b'{"text":"bad utf-8 \xff {N}"}',
    b'{"text":"overlong utf-8 \xc0\xaf {N}"}',
    b'{"text":"surrogate as utf-8 \xed\xa0\x80 {N}"}',
    b'{"text":"lone surrogate \\ud83d {N}"}',
    b'{"text":"NUL \x00 {N}"}',
    b'\xef\xbb\xbf{"text":"BOM in the middle {N}"}',
    b'{"id":"no text {N}"}',
    b'{"id":"{N}","text":""}',
    b'{"id":"text is a number","text":{N}}',
    b'{"id":"text is null {N}","text":null}',
    b'{"text":"bad escape \\x41 {N}"}',
    b'{"text":"leading zero {N}","n":01}',
    b'["no object {N}"]',
]
KINDS = len(BAD_LINES) + 1  # the giants are the twentieth


class BadLines(harness.CliTest):
    def bad_lines(self):
        """Sixty lines: three of each of eighteen kinds, two deep ones and so on, and a giant."""
        deep = b'{"text":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
        lines = [kind.replace(b"{N}", b"%d" % round) for round in range(3) for kind in BAD_LINES]
        lines += [deep, GIANT, b'{"text":"\t tab as it is"}']
        self.assertEqual(len(lines), 60)
        return lines

    def write_mixed_corpus(self):
        """Gives the (line, offset, size) of every bad line. Bad ones stand between good ones."""
        bad = self.bad_lines()
        places = []
        with open(self.folder / "c.jsonl", "wb") as mixed, open(self.folder / "good.jsonl", "wb") as clean:
            offset = 0
            for number in range(1000):
                if number % 16 == 7 and bad:
                    line = bad.pop(0) + b"\n"
                    places.append((number + 1, offset, len(line) - 1))
                else:
                    line = b'{"id":"d%d","text":"good line number %d"}\n' % (number, number)
                    clean.write(line)
                mixed.write(line)
                offset += len(line)
        self.assertEqual(bad, [])
        return places

    def test_are_refused_one_by_one(self):
        places = self.write_mixed_corpus()
        flags = ["--backend", "local", "--dim", "32"]
        ended = self.sluice("run", "c.jsonl", *flags, "-o", "v.npy", "--json", code=3)
        counts = ended.json()["counts"]
        self.assertEqual((counts["documents"], counts["ok"], counts["rejected"]), (940, 940, 60))
        self.assertLess(ended.peak_kib, 512 * 1024)

        rejects = self.json_lines("v.npy.sluice/rejects.jsonl")
        self.assertEqual([(r["line"], r["offset"], r["bytes"]) for r in rejects], places)
        for reject in rejects:
            self.assertEqual(reject["file"], "c.jsonl")
            self.assertTrue(reject["reason"])
        self.compare_raw_bytes(rejects)

        self.sluice("run", "good.jsonl", *flags, "-o", "good.npy")
        self.assertEqual(self.read("v.npy"), self.read("good.npy"))
        ids = [line["id"] for line in self.json_lines("v.ids.jsonl")]
        self.assertEqual(ids, [line["id"] for line in self.json_lines("good.ids.jsonl")])

    def compare_raw_bytes(self, rejects):
        with open(self.folder / "c.jsonl", "rb") as corpus:
            for reject in rejects:
                corpus.seek(reject["offset"])
                wanted = corpus.read(reject["bytes"])
                if "raw_file" in reject:
                    path = self.folder / reject["raw_file"]
                    self.assertTrue(path.read_bytes().rstrip(b"\n") == wanted, "the spooled line differs")
                elif "raw_base64" in reject:
                    self.assertEqual(base64.b64decode(reject["raw_base64"]), wanted)
                else:
                    self.assertEqual(reject["raw"].encode(), wanted)

    def test_blank_lines_shift_nothing(self):
        (self.folder / "c.jsonl").write_bytes(
            b'\xef\xbb\xbf{"text":"one"}\r\n\n  \t\r\n{"text":"four"}\nbad\n\n{"text":"seven"}')
        ended = self.sluice("run", "c.jsonl", "--backend", "local", "--dim", "8", "-o", "v.npy", "--json", code=3)
        self.assertEqual(ended.json()["counts"]["blank"], 3)
        self.assertEqual([line["line"] for line in self.json_lines("v.ids.jsonl")], [1, 4, 7])
        self.assertEqual([line["id"] for line in self.json_lines("v.ids.jsonl")],
                         ["c.jsonl:1", "c.jsonl:4", "c.jsonl:7"])
        self.assertEqual(self.json_lines("v.npy.sluice/rejects.jsonl")[0]["line"], 5)

    def test_refused_lines_can_be_mended_and_fed_back(self):
        (self.folder / "c.jsonl").write_text('{"text":"good"}\n{"text":"broken"\n')
        ended = self.sluice("run", "c.jsonl", "--backend", "local", "--dim", "8", code=3)
        self.assertIn("jq -r '.raw // empty'", ended.err)
        raw = self.json_lines("vectors.npy.sluice/rejects.jsonl")[0]["raw"]
        (self.folder / "mended.jsonl").write_text(raw + "}\n")
        self.sluice("run", "mended.jsonl", "--backend", "local", "--dim", "8", "-o", "mended.npy")

    def test_a_corpus_of_nothing_but_bad_lines_is_an_error(self):
        (self.folder / "c.jsonl").write_text("bad\nworse\n")
        ended = self.sluice("run", "c.jsonl", "--backend", "local", code=7)
        self.assertIn("c.jsonl:1", ended.err)
        # Nothing was packed of it, so that the mended one goes by the same command.
        (self.folder / "c.jsonl").write_text('{"text":"good"}\nworse\n')
        self.sluice("run", "c.jsonl", "--backend", "local", code=3)
        self.sluice("verify", "vectors.npy.sluice")

    def test_a_run_that_stopped_at_a_bad_line_goes_on_when_it_is_mended(self):
        lines = [b'{"text":"document %d"}\n' % number for number in range(100)]
        corpus = self.folder / "c.jsonl"
        service = harness.LocalService(self)
        command = ["run", "c.jsonl", "--dim", "8", "--shard-rows", "20", "--on-error", "fail", *service.flags()]
        for turn, bad in enumerate((0, 70)):
            corpus.write_bytes(b"".join(lines[:bad] + [b"bad\n"] + lines[bad + 1:]))
            said = self.sluice(*command, "-o", f"{bad}.npy", code=7, env=service.env()).err
            self.assertIn(f"c.jsonl:{bad + 1}: ", said)
            mended = b"".join(lines[:bad] + [b'{"text":"mended, and longer than before"}\n'] + lines[bad + 1:])
            if bad:  # What is packed has to stay as it is.
                corpus.write_bytes(mended.replace(b'document 3"', b'Document 3"'))
                said = self.sluice(*command, "-o", f"{bad}.npy", code=7, env=service.env()).err
                self.assertIn("bytes when this run began", said)
            corpus.write_bytes(mended)
            self.sluice(*command, "-o", f"{bad}.npy", env=service.env())
            self.sluice("verify", f"{bad}.npy.sluice")
            self.sluice(*command, "-o", f"fresh{bad}.npy", env=service.env())
            for ending in ("npy", "ids.jsonl"):
                self.assertEqual(self.read(f"{bad}.{ending}"), self.read(f"fresh{bad}.{ending}"))
            # Five shards twice, and none of them once more.
            self.assertEqual(len(service.events("create")), 10 * (turn + 1))


if __name__ == "__main__":
    harness.main()
