"""The look for leaks finds them, knows the places where a secret belongs, and misses no test."""

import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import leaks

KEY = leaks.KEY_START + b"0123"
UPLOAD = leaks.UPLOAD_START + b"456789ab"
BUILD = os.environ["SLUICE_BUILD"]
WAITING = [sys.executable, "-c", "print(flush=True); input()"]


class Leaks(unittest.TestCase):
    def setUp(self):
        # Not below TMPDIR, where all that is planted here would be found for good.
        scratch = tempfile.TemporaryDirectory(prefix="sluice-leaks-", dir="/tmp")
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def write(self, name, data, mode=0o644):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(mode)
        return path

    def found(self):
        return {secret for _, secret in leaks.leaks_of_tree(self.folder)}

    def test_a_key_in_a_log_is_found(self):
        self.write("run/log.jsonl", b'{"url":"https://host?key=' + KEY + b'"}\n')
        self.assertEqual(self.found(), {KEY})

    def test_an_upload_address_in_a_report_is_found(self):
        self.write("report.json", b"http://127.0.0.1:1/upload?upload_id=s1&x")
        self.write("journal.jsonl", b'{"id":"' + UPLOAD + b'"}')
        self.assertEqual(self.found(), {b"upload_id=s1", UPLOAD})

    def test_packed_files_are_looked_into(self):
        self.write("a.jsonl.gz", gzip.compress(KEY))
        self.write("b", UPLOAD)
        subprocess.run(["zstd", "-q", "--rm", self.folder / "b"], check=True)
        self.assertLessEqual({KEY, UPLOAD}, self.found())

    def test_names_count(self):
        self.write(f"{KEY.decode()}.txt", b"")
        self.assertEqual(self.found(), {KEY})

    def test_the_key_file_of_a_test_is_no_leak_and_a_copy_of_it_elsewhere_is(self):
        self.write("input/key", KEY + b"\n")
        self.assertEqual(self.found(), set())
        self.write("input/settings", KEY + b"\n")
        self.assertEqual(self.found(), {KEY})

    def test_tokens_and_private_keys_are_found_but_for_the_key_file_of_the_local_service(self):
        token = leaks.TOKEN_START + b"abcd0123"
        self.write("log", b"Authorization: Bearer " + token)
        self.assertEqual(self.found(), {token})
        account = json.dumps({"type": "service_account",
                              "private_key": leaks.PRIVATE_KEY.decode() + "\nMII"}).encode()
        self.write("credentials.json", account, 0o600)
        self.assertEqual(self.found(), {token})
        self.write("credentials.json", account, 0o644)
        self.assertEqual(self.found(), {token, leaks.PRIVATE_KEY})

    def test_the_state_of_an_upload_is_no_leak_as_long_as_only_its_owner_reads_it(self):
        state = json.dumps({name: "" for name in leaks.UPLOAD_STATE} | {"url": "upload_id=s1"}).encode()
        self.write("state", state, 0o600)
        self.assertEqual(self.found(), set())
        self.write("state", state, 0o640)
        self.assertEqual(self.found(), {b"upload_id=s1"})
        self.write("state", state.replace(b"s1", KEY), 0o600)
        self.assertIn(KEY, self.found())

    def test_the_list_of_the_local_service_is_no_leak(self):
        self.write(f"uploads/{UPLOAD.decode()}.json", b'{"id":"' + UPLOAD + b'"}')
        self.assertEqual(self.found(), set())
        self.write(f"uploads/{UPLOAD.decode()}.json", b'{"key":"' + KEY + b'"}')
        self.assertEqual(self.found(), {KEY})

    def test_arguments_of_a_process_are_found(self):
        self.assertEqual(self.shown_by([*WAITING, KEY], {}), {KEY})

    def test_a_key_that_would_not_be_known_is_found_in_the_environment(self):
        unknown = {"GEMINI_API_KEY": "another-kind-of-key"}
        self.assertEqual(self.shown_by(WAITING, unknown), {b"another-kind-of-key"})
        self.assertEqual(self.shown_by(WAITING, {"GEMINI_API_KEY": KEY.decode()}), set())

    def shown_by(self, command, variables):
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   env={"TMPDIR": str(self.folder), **variables})
        # Popen() may return before the new command line can be seen in /proc.
        process.stdout.readline()
        try:
            return {secret for _, secret in leaks.leaks_of_processes(self.folder)}
        finally:
            process.communicate(b"\n")

    def test_the_log_must_hold_the_decoy_and_nothing_else(self):
        log = self.write("LastTest.log", b"nothing")
        self.assertIn("decoy", "".join(leaks.leaks_of_log(log)))
        self.write("LastTest.log", leaks.DECOY)
        self.assertEqual(leaks.leaks_of_log(log), [])
        self.write("LastTest.log", leaks.DECOY + b"\nerror: " + KEY)
        self.assertEqual(len(leaks.leaks_of_log(log)), 1)

    def test_what_is_told_holds_no_secret(self):
        self.assertEqual(leaks.secrets_in(leaks.told(f"file /x/{KEY.decode()}", KEY).encode()), set())

    def test_all_tests_are_watched(self):
        # From a folder of its own, because a listing begins a new log, too.
        self.write("CTestTestfile.cmake", f'subdirs("{BUILD}")'.encode())
        listing = subprocess.run(["ctest", "--test-dir", self.folder, "--show-only=json-v1"],
                                 check=True, capture_output=True).stdout
        for test in json.loads(listing)["tests"]:
            properties = {item["name"]: item["value"] for item in test["properties"]}
            if not test["name"].startswith("leaks."):
                self.assertIn("leaks", properties.get("FIXTURES_REQUIRED", []), test["name"])
                self.assertIn("TMPDIR=set:", " ".join(properties["ENVIRONMENT_MODIFICATION"]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
