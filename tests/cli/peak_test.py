"""The memory of `prepare` and `status` is bounded whatever the lines are: a sanitizer's own memory would hide it."""

import harness


class Peak(harness.CliTest):
    def test_memory_is_bounded_when_lines_are_short(self):
        giant = b'{"text":"' + b"a" * 2_300_000 + b'"}\n'
        for name, lines in (("short", b'{"text":"a"}\n' * 600_000), ("empty", b"{}\n" * 2_000_000),
                            ("mixed", (giant + b"1\n" * 900_000) * 3)):
            with self.subTest(name=name):
                (self.folder / f"{name}.jsonl").write_bytes(lines)
                ended = self.sluice("prepare", f"{name}.jsonl", "-C", name, "--threads", "2", "-q", code=None)
                self.assertIn(ended.code, (0, 3, 7))
                self.assertLess(ended.peak_kib, 80 * 1024)

    def test_status_shows_any_number_of_refused_lines(self):
        (self.folder / "bad.jsonl").write_bytes(b"{}\n" * 200_000 + b'{"text":"a"}\n')
        self.sluice("prepare", "bad.jsonl", "-C", "bad", code=3)
        ended = self.sluice("status", "-C", "bad", "--errors", "--json")
        self.assertEqual(len(ended.json()["errors"]["rejects"]), 200_000)
        self.assertLess(ended.peak_kib, 80 * 1024)


if __name__ == "__main__":
    harness.main()
