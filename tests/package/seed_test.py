"""docs/seed.md: nothing of the seed is missing in it, and all that it names exists."""

import functools
import os
import pathlib
import re
import subprocess
import unittest

import harness

SOURCE = pathlib.Path(os.environ["SLUICE_SOURCE"])
TESTS = SOURCE / "tests"

# The whole surface of Gemini.APIs.Batches 0.9.0 and of the types that it gives.
SEED = """
create/2 create_embeddings/2 get/2 list/1 list_all/1 wait/2 cancel/2 delete/2 get_responses/1 Files.upload/1
:display_name :file_name :inlined_requests :gcs_uri :bigquery_uri :generation_config :system_instruction
:page_size :page_token :filter :poll_interval :timeout :on_progress
create_opts list_opts wait_opts batch_opts
BatchJob name display_name model state src dest create_time start_time end_time update_time
error code message details completion_stats total_count success_count failure_count
inlined_responses gcs_uri bigquery_uri batchPredictionJobs/...
ListBatchJobsResponse batch_jobs next_page_token CreateBatchJobConfig
BatchJob.complete?/1 BatchJob.succeeded?/1 BatchJob.failed?/1 BatchJob.running?/1 BatchJob.cancelled?/1
BatchJob.get_progress/1 BatchJob.get_id/1 ListBatchJobsResponse.has_more_pages?/1
""".split() + ["auth: :gemini", "auth: :vertex_ai"]


def code_words(cell):
    return re.findall(r"`([^`]+)`", cell)


def rows():
    """The cells of each row of each table."""
    for line in (SOURCE / "docs/seed.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and cells[0] != "Seed":
            yield cells


def public_headers():
    """The text of api/sluice.h and of all that it includes, comments left out."""
    found, left = {}, ["api/sluice.h"]
    while left:
        name = left.pop()
        if name not in found:
            found[name] = (SOURCE / name).read_text(encoding="utf-8")
            left += re.findall(r'^#include "([^"]+)"', found[name], re.MULTILINE)
    return re.sub(r"//.*", "", "\n".join(found.values()))


def body_of(name, headers):
    """What stands between the braces of the class, struct or enum `name`."""
    start = re.search(rf"\b(?:class|struct) {name}\b[^;{{}}]*\{{", headers)
    if not start:
        return ""
    depth, end = 1, start.end()
    while depth:
        depth += {"{": 1, "}": -1}.get(headers[end], 0)
        end += 1
    return headers[start.end():end]


def is_in_library(symbol, headers):
    owner, _, member = symbol.rpartition("::")
    return re.search(rf"\b{member}\b", body_of(owner, headers) if owner else headers) is not None


@functools.cache
def all_tests():
    tests = set()
    for path in TESTS.rglob("*_test.cc"):
        text = path.read_text(encoding="utf-8")
        tests |= {".".join(names) for names in re.findall(r"\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", text)}
    for path in TESTS.rglob("*_test.py"):
        text = path.read_text(encoding="utf-8")
        tests |= {f"{path.relative_to(TESTS)}:{name}" for name in re.findall(r"def (test_\w+)", text)}
    return tests


@functools.cache
def help_of(command):
    ended = subprocess.run([harness.BINARY, *command, "--help"], capture_output=True, text=True,
                           env=harness.environment(), check=False)
    return ended.stdout if ended.returncode == 0 else ""


class Table(unittest.TestCase):
    def test_every_point_of_the_seed_has_its_row(self):
        named = {word for cells in rows() for word in code_words(cells[0])}
        self.assertEqual(set(SEED) - named, set())

    def test_every_row_is_whole(self):
        for cells in rows():
            self.assertEqual(len(cells), 4, cells)
            self.assertTrue(all(cells), cells)
            self.assertTrue(code_words(cells[3]), cells)

    def test_every_name_in_the_library_exists(self):
        headers = public_headers()
        for _, library, _, _ in rows():
            for symbol in code_words(library):
                there = (SOURCE / symbol).exists() if "/" in symbol else is_in_library(symbol, headers)
                self.assertTrue(there, symbol)

    def test_every_command_and_flag_exists(self):
        for _, _, cell, _ in rows():
            for command in code_words(cell):
                if not command.startswith("sluice "):
                    continue
                words = command.split()[1:]
                page = help_of(tuple(words[:2]))
                self.assertTrue(page, command)
                for flag in words:
                    if flag.startswith("--"):
                        self.assertRegex(page, rf"(?<![\w-]){flag}(?![\w-])", command)

    def test_every_test_exists(self):
        for *_, cell in rows():
            for name in code_words(cell):
                self.assertIn(name, all_tests())

    def test_what_does_not_exist_is_noticed(self):
        headers = public_headers()
        self.assertTrue(is_in_library("BatchJob::progress", headers))
        self.assertFalse(is_in_library("BatchJob::poll_interval", headers))
        self.assertFalse(is_in_library("NoSuchType::progress", headers))
        self.assertFalse(help_of(("jobs", "no-such-verb")))
        self.assertNotIn("BatchJob.NoSuchTest", all_tests())


    def test_nothing_is_left_open(self):
        self.assertNotIn("**", (SOURCE / "docs/seed.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    harness.main()
