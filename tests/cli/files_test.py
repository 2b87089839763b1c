"""`sluice files`, every verb, against the local service."""

import hashlib
import json
import os
import pty
import signal
import subprocess
import time

import harness

LINE = {"key": "a", "request": {"contents": [{"parts": [{"text": "one"}]}]}}


class FilesTest(harness.CliTest):
    faults = ()

    def setUp(self):
        super().setUp()
        self.service = harness.LocalService(self, "--latency", "1ms..5ms", *self.faults)
        (self.folder / "lines.jsonl").write_text(json.dumps(LINE) + "\n")

    def env(self):
        return {**self.service.env(), "GOOGLE_GEMINI_BASE_URL": self.service.base_url}

    def files(self, *arguments, **options):
        return self.sluice("files", *arguments, env=self.env(), **options)

    def upload(self, *flags):
        return self.files("upload", "lines.jsonl", *flags).out.strip()

    def names(self, *flags):
        return [file["name"] for file in self.files("list", *flags, "--json").json()["files"]]

    def ended_job(self, source):
        """The name of a job, and its result file."""
        def jobs(*arguments):
            return self.sluice("jobs", *arguments, "--json", env=self.env()).json()["job"]

        name = jobs("create", source, "-m", "sluice-echo-1")["name"]
        return name, jobs("wait", name, "--poll", "5ms")["result_file"]


class Upload(FilesTest):
    def test_prints_the_name(self):
        name = self.upload("--display-name", "my input", "--name", "chosen-name", "--mime-type", "text/plain")
        self.assertEqual(name, "files/chosen-name")
        file = self.files("get", name, "--json").json()["file"]
        self.assertEqual((file["display_name"], file["mime_type"], file["source"], file["state"]),
                         ("my input", "text/plain", "UPLOADED", "ACTIVE"))

    def test_for_programs(self):
        document = self.files("upload", "lines.jsonl", "--json").json()
        bytes_sent = self.read("lines.jsonl")
        self.assertEqual((document["v"], document["type"]), (1, "file"))
        self.assertEqual(document["file"]["size_bytes"], len(bytes_sent))
        self.assertEqual(document["sha256"], hashlib.sha256(bytes_sent).hexdigest())

    def test_a_dry_run_sends_nothing(self):
        self.assertRegex(self.files("upload", "lines.jsonl", "-n").out, r"^would upload lines.jsonl \(\d+ B\)\n$")
        self.assertTrue(self.files("upload", "lines.jsonl", "-n", "--json").json()["dry_run"])
        self.assertEqual(self.service.events("upload.finalize"), [])

    def test_mistakes(self):
        self.assertIn("nowhere", self.files("upload", "nowhere", code=7).err)
        self.assertIn("Vertex", self.files("upload", "gs://bucket/x", code=2).err)
        self.assertIn("needs a FILE", self.files("upload", code=2).err)
        self.upload("--name", "taken")
        (self.folder / "lines.jsonl").write_text(json.dumps({**LINE, "key": "b"}) + "\n")
        self.assertEqual(json.loads(self.files("upload", "lines.jsonl", "--name", "taken", "--json", code=6).err)["class"],
                         "conflict")


class UploadAfterAKill(FilesTest):
    # Nothing of what is sent is ever kept: an upload that begins cannot end.
    faults = ("--fault", "cut-upload=100", "--fault", "keep-whole-chunks")

    def setUp(self):
        super().setUp()
        (self.folder / "lines.jsonl").write_text((json.dumps(LINE) + "\n") * 1000)

    def test_ctrl_c_says_how_to_go_on_where_that_is_so(self):
        for flags, said in (([], ""), (["--state", "a state"], "Stopping: what was sent is kept.\nResume:   "
                                      "sluice files upload lines.jsonl --state 'a state'\n")):
            process = self.spawn("files", "upload", "lines.jsonl", *flags, env=self.env())
            self.wait_for_an_upload()
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=harness.PATIENCE_S)
            self.assertEqual((process.returncode, err), (130, said))

    def wait_for_an_upload(self):
        """One that began since the last call."""
        uploads = self.service.state / "uploads"
        known = getattr(self, "known_uploads", set())
        deadline = time.monotonic() + harness.PATIENCE_S
        while not (new := set(uploads.glob("*.json")) - known):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.001)
        self.known_uploads = known | new

    def test_goes_on_with_the_same_session(self):
        state = self.folder / "upload.state"
        process = self.spawn("files", "upload", "lines.jsonl", "--state", state, env=self.env())
        while process.poll() is None and not state.exists():
            time.sleep(0.001)
        process.kill()
        _, err = process.communicate()
        self.assertEqual(state.stat().st_mode & 0o777, 0o600)
        self.assertNotIn(json.loads(state.read_text())["url"], err)

        address = self.service.base_url.removeprefix("http://")
        self.service.stop()
        self.service = harness.LocalService(self, "--listen", address)
        self.upload("--state", state)
        self.assertFalse(state.exists())
        self.assertEqual(len(self.names()), 1)
        self.assertEqual(len(list((self.service.state / "uploads").glob("*.json"))), 1)


class Get(FilesTest):
    def test_for_people(self):
        text = self.files("get", self.upload("--display-name", "a\x1b[2Jb")).out
        self.assertRegex(text, r"(?m)^State +ACTIVE$")
        self.assertRegex(text, r"(?m)^Display name +a\\x1b\[2Jb$")
        self.assertNotIn("https://", text)

    def test_what_is_not_there(self):
        # The service does not say whether a file is somebody else's or nobody's.
        self.assertIn("files/nothing", self.files("get", "files/nothing", code=None).err)
        self.files("get", "batches/x", code=2)


class List(FilesTest):
    def test_tables_pages_and_limits(self):
        self.assertEqual(self.files("list").out, "")
        names = {self.upload("--display-name", f"n{number}") for number in range(3)}
        table = self.files("list").out.splitlines()
        self.assertEqual(table[0].split()[:4], ["NAME", "STATE", "SIZE", "SOURCE"])
        self.assertEqual({line.split()[0] for line in table[1:]}, names)
        self.assertEqual(len(self.names("--limit", "2")), 2)
        first = self.files("list", "--page-size", "2", "--json").json()
        second = self.files("list", "--page-size", "2", "--page-token", first["next_page_token"], "--json").json()
        self.assertEqual(first["type"], "files")
        self.assertEqual({file["name"] for file in first["files"] + second["files"]}, names)
        self.assertEqual(second["next_page_token"], "")

    def test_by_age(self):
        self.upload()
        self.assertEqual(self.names("--older-than", "1h"), [])
        self.assertEqual(len(self.names("--older-than", "0s")), 1)
        self.files("list", "--older-than", "1", code=2)


class Orphans(FilesTest):
    def test_are_files_that_no_job_names(self):
        used, lost = self.upload("--name", "used"), self.upload("--name", "lost")
        job, result = self.ended_job(used)
        self.assertEqual(self.names("--orphans", "--older-than", "0s"), [lost])
        self.assertEqual(self.names("--orphans", "--older-than", "0s", "--page-size", "100"), [lost])
        self.sluice("jobs", "delete", job, "-y", env=self.env())
        # Without its job the source is one, too; the result can never be deleted.
        self.assertEqual(set(self.names("--orphans", "--older-than", "0s")), {used, lost})
        self.assertEqual(len(self.names("--orphans", "--older-than", "0s", "--limit", "1")), 1)
        self.assertNotIn(result, self.names("--orphans", "--older-than", "0s"))

    def test_are_at_least_an_hour_old(self):
        # Its job may be still to come.
        self.upload()
        self.assertEqual(self.names("--orphans"), [])
        self.assertEqual(self.files("delete", "--orphans", "-y").out, "")

    def test_are_not_what_a_run_here_needs(self):
        self.write_corpus("c.jsonl", 3)
        self.sluice("run", "c.jsonl", "-o", "v.npy", "--keep-remote", *self.service.flags(), env=self.service.env())
        (name,) = self.names()
        (job,) = self.sluice("jobs", "list", "--json", env=self.env()).json()["jobs"]
        self.sluice("jobs", "delete", job["name"], "-y", env=self.env())
        flags = ("--orphans", "--older-than", "0s")
        self.assertEqual(self.names(*flags), [])
        os.rename(self.folder / "v.npy.sluice", self.folder / "elsewhere")
        self.assertEqual(self.names(*flags, "-C", "elsewhere"), [])
        self.assertEqual(self.names(*flags), [name])
        self.assertIn("no run folder", self.files("list", *flags, "-C", "nowhere", code=2).err)


class Delete(FilesTest):
    def test_by_name(self):
        first, second = self.upload(), self.upload()
        self.assertEqual(self.files("delete", first, "-n").out, f"would delete {first}\n")
        self.assertIn("-y", self.files("delete", first, code=2).err)
        self.assertEqual(self.files("delete", first, second, "-y", "--json").json(),
                         {"v": 1, "type": "deleted", "dry_run": False, "names": [first, second]})
        self.assertEqual(self.names(), [])

    def test_orphans_and_old_ones(self):
        used, lost = self.upload("--name", "used"), self.upload("--name", "lost")
        self.ended_job(used)
        flags = ("--older-than", "0s", "-y")
        self.assertEqual(self.files("delete", "--older-than", "36h", "-y").out, "")
        self.assertEqual(self.files("delete", "--orphans", *flags).out, f"deleted {lost}\n")
        self.assertEqual(self.files("delete", *flags).out, f"deleted {used}\n")

    def test_needs_to_be_told_which(self):
        self.files("delete", "-y", code=2)
        self.files("delete", "files/x", "--orphans", "-y", code=2)

    def test_a_result_file_stays(self):
        _, result = self.ended_job(self.upload())
        self.assertNotEqual(self.files("delete", result, "-y", code=None).code, 0)

    def test_asks_on_a_terminal(self):
        for answer, code in (("n\n", 2), ("y\n", 0)):
            name = self.upload()
            keyboard, terminal = pty.openpty()
            os.write(keyboard, answer.encode())
            ended = subprocess.run([harness.BINARY, "files", "delete", name], stdin=terminal, cwd=self.folder,
                                   capture_output=True, env=harness.environment(**self.env()), check=False,
                                   text=True, timeout=harness.PATIENCE_S)
            os.close(keyboard)
            os.close(terminal)
            self.assertIn(f"delete {name}?", ended.stderr)
            self.assertEqual((ended.returncode, name in self.names()), (code, code != 0))


class Download(FilesTest):
    def test_to_a_file_and_to_standard_output(self):
        _, result = self.ended_job(self.upload())
        document = self.files("download", result, "-o", "answers.jsonl", "--json").json()
        self.assertEqual((document["type"], document["name"]), ("downloaded", result))
        self.assertEqual(document["bytes"], len(self.read("answers.jsonl")))
        self.assertEqual(self.files("download", result, "-o", "-").out.encode(), self.read("answers.jsonl"))

    def test_mistakes(self):
        self.assertIn("-o FILE", self.files("download", "files/x", code=2).err)
        self.assertIn("Vertex", self.files("download", "files/x", "-o", "bq://x", code=2).err)
        self.files("download", self.upload(), "-o", "x", code=6)
        self.files("download", "files/x", "-o", "nowhere/x", code=2)
        (self.folder / "link").symlink_to("/dev/null")
        self.assertIn("no regular file", self.files("download", "files/x", "-o", "link", code=2).err)
        self.assertFalse((self.folder / "x").exists())


class CutDownload(FilesTest):
    faults = ("--fault", "cut-download=1", "--fault", "range-ignored")

    def test_standard_output_holds_every_byte_once(self):
        _, result = self.ended_job(self.upload())
        cut = self.files("download", result, "-o", "-").out.encode()
        self.files("download", result, "-o", "whole.jsonl")
        self.assertEqual(cut, self.read("whole.jsonl"))


if __name__ == "__main__":
    harness.main()
