"""`sluice jobs`, every verb, against the local service."""

import gzip
import json
import re
import signal

import harness

NAME = r"batches/[a-z0-9]{36}"


def generation(*texts):
    return [{"contents": [{"parts": [{"text": text}]}]} for text in texts]


def embedding(*texts):
    return [{"content": {"parts": [{"text": text}]}} for text in texts]


def keyed(requests):
    return [{"key": f"k{number}", "request": request} for number, request in enumerate(requests)]


class JobsTest(harness.CliTest):
    faults = ()

    def setUp(self):
        super().setUp()
        self.service = harness.LocalService(self, "--latency", "1ms..5ms", "--no-shuffle", *self.faults)

    def env(self):
        return {**self.service.env(), "GOOGLE_GEMINI_BASE_URL": self.service.base_url}

    def jobs(self, *arguments, **options):
        return self.sluice("jobs", *arguments, env=self.env(), **options)

    def write_lines(self, name, lines):
        (self.folder / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
        return name

    def create(self, *flags, texts=("one", "two")):
        """A generation job; its name."""
        source = self.write_lines("requests.jsonl", keyed(generation(*texts)))
        return self.jobs("create", source, "-m", "sluice-echo-1", *flags).out.strip()

    def ended(self, *flags, code=0, **options):
        name = self.create(*flags, **options)
        self.jobs("wait", name, "--poll", "5ms", "--timeout", "60s", code=code)
        return name

    def lines(self, ended):
        return [json.loads(line) for line in ended.out.splitlines()]

    def error(self, ended):
        error = json.loads(ended.err.splitlines()[-1])
        self.assertEqual((error["v"], error["type"]), (1, "error"))
        return error


class Create(JobsTest):
    def test_small_files_go_into_the_call(self):
        name = self.ended("--display-name", "nightly")
        self.assertRegex(name, f"^{NAME}$")
        job = self.jobs("get", name, "--json").json()["job"]
        self.assertEqual((job["display_name"], job["source_file"]), ("nightly", ""))
        self.assertEqual(job["stats"], {"total": 2, "success": 2, "failure": 0, "pending": 0})

    def test_inline_and_upload_are_obeyed(self):
        job = self.jobs("get", self.ended("--upload"), "--json").json()["job"]
        self.assertRegex(job["source_file"], "^files/")
        big = self.write_lines("big.jsonl", keyed(generation("x" * 1_200_000)))
        for flags, uploads in (([], 1), (["--inline"], 0)):
            before = len(self.service.events("upload.finalize"))
            self.jobs("create", big, "-m", "sluice-echo-1", *flags)
            self.assertEqual(len(self.service.events("upload.finalize")) - before, uploads)
        self.jobs("create", big, "--inline", "--upload", code=2)

    def test_from_an_uploaded_file(self):
        lines = self.write_lines("lines.jsonl", keyed(generation("one")))
        file = self.sluice("files", "upload", lines, env=self.env()).out.strip()
        job = self.jobs("create", file, "-m", "sluice-echo-1", "--json").json()["job"]
        self.assertEqual(job["source_file"], file)
        (self.folder / "config.json").write_text("{}")
        ended = self.jobs("create", file, "--generation-config", "config.json", code=2)
        self.assertIn("is at the service already", ended.err)
        self.jobs("create", file, "--upload", code=2)

    def test_bare_requests_get_their_number_as_key(self):
        source = self.write_lines("bare.jsonl", generation("one", "two"))
        for way in ("--inline", "--upload"):
            name = self.jobs("create", source, "-m", "sluice-echo-1", way).out.strip()
            self.jobs("wait", name, "--poll", "5ms")
            answers = self.lines(self.jobs("responses", name))
            self.assertEqual({line["key"]: line["text"] for line in answers}, {"1": "echo: one", "2": "echo: two"})

    def test_keys_are_strings_whichever_way_they_go(self):
        request = generation("one")[0]
        lines = [{"key": 5, "request": request}, {"key": None, "request": request}]
        source = self.write_lines("numbers.jsonl", lines)
        for way in ("--inline", "--upload"):
            name = self.jobs("create", source, "-m", "sluice-echo-1", way).out.strip()
            self.jobs("wait", name, "--poll", "5ms")
            answers = self.lines(self.jobs("responses", name))
            self.assertEqual(sorted(line["key"] for line in answers), ["2", "5"])

    def test_compressed_files_and_standard_input(self):
        lines = self.write_lines("lines.jsonl", keyed(generation("one", "two")))
        packed = self.folder / "lines.gz"
        packed.write_bytes(gzip.compress((self.folder / lines).read_bytes()))
        for way in ("--inline", "--upload"):
            names = [self.jobs("create", packed, "-m", "sluice-echo-1", way).out.strip()]
            for stdin_path in (self.folder / lines, packed):
                names.append(self.jobs("create", "-", "-m", "sluice-echo-1", way, stdin_path=stdin_path).out.strip())
            for name in names:
                self.jobs("wait", name, "--poll", "5ms")
                answers = self.lines(self.jobs("responses", name))
                self.assertEqual({line["key"]: line["text"] for line in answers}, {"k0": "echo: one", "k1": "echo: two"})
        packed.write_bytes(packed.read_bytes()[:-9])
        self.assertIn("lines.gz", self.jobs("create", packed, code=7).err)
        self.assertIn("standard input: there is no request", self.jobs("create", "-", code=7).err)
        self.assertIn("--api-key-file", self.jobs("create", "-", "--api-key-file", "-", code=2).err)

    def test_settings_of_the_job_reach_each_request(self):
        (self.folder / "config.json").write_text('{"topK": 7}')
        (self.folder / "system.txt").write_text("Be brief.")
        flags = ["--generation-config", "config.json", "--system-instruction", "system.txt"]
        for way, kept in (("--inline", "jobs"), ("--upload", "files")):
            self.ended(way, *flags)
            stored = b"".join(path.read_bytes() for path in sorted((self.service.state / kept).iterdir()))
            self.assertEqual((stored.count(b'"topK":7'), stored.count(b'"text":"Be brief."')), (2, 2))
        (self.folder / "config.json").write_text("[]")
        source = self.write_lines("requests.jsonl", keyed(generation("one")))
        refused = self.jobs("create", source, *flags, code=2).err
        self.assertIn("the generation config is not a JSON object", refused)
        self.assertNotIn(source, refused)  # its lines are fine
        self.jobs("create", source, "--generation-config", "nowhere", code=2)

    def test_embeddings_with_a_dimension_for_all(self):
        (self.folder / "config.json").write_text('{"outputDimensionality": 64}')
        source = self.write_lines("e.jsonl", keyed(embedding("one", "two")))
        name = self.jobs("create-embeddings", source, "-m", "sluice-lexical-1", "--generation-config", "config.json",
                         "--json").json()["job"]["name"]
        self.jobs("wait", name, "--poll", "5ms")
        self.assertEqual([len(line["embedding"]) for line in self.lines(self.jobs("responses", name))], [64, 64])

    def test_priority_is_sent(self):
        self.create("--priority", "-7")
        (stored,) = (self.service.state / "jobs").glob("*.json")
        self.assertEqual(json.loads(stored.read_text())["priority"], -7)
        self.jobs("create", "requests.jsonl", "--priority", "high", code=2)

    def test_a_dry_run_creates_nothing(self):
        source = self.write_lines("requests.jsonl", keyed(generation("one", "two")))
        ended = self.jobs("create", source, "-m", "sluice-echo-1", "-n")
        self.assertEqual(ended.out, "would create a generation job with sluice-echo-1 of 2 inline requests\n")
        self.assertTrue(self.jobs("create", source, "-n", "--upload", "--json").json()["dry_run"])
        self.assertEqual((self.service.events("create"), self.service.events("upload.finalize")), ([], []))

    def test_lines_that_are_no_requests_are_named(self):
        source = self.write_lines("bad.jsonl", [generation("one")[0], {"text": "two"}])
        self.assertIn("bad.jsonl: line 2", self.jobs("create", source, code=7).err)
        self.assertIn("no request", self.jobs("create", self.write_lines("empty.jsonl", []), code=7).err)
        self.assertEqual(self.error(self.jobs("create", "nowhere.jsonl", "--json", code=7))["class"], "input")
        self.assertIn("needs a SOURCE", self.jobs("create", code=2).err)

    def test_a_refused_job_leaves_no_file(self):
        source = self.write_lines("requests.jsonl", keyed(generation("one")))
        ended = self.jobs("create", source, "--upload", "-m", "no-such-model", code=6)
        self.assertIn("no-such-model", ended.err)
        self.assertEqual(len(self.service.events("upload.finalize")), 1)
        self.assertEqual(self.sluice("files", "list", env=self.env()).out, "")

    def test_sources_of_vertex_are_a_clear_mistake(self):
        for source in ("gs://bucket/lines.jsonl", "bq://project.dataset.table"):
            self.assertIn("goes with Vertex AI only", self.jobs("create", source, code=2).err)


class CreateLost(JobsTest):
    faults = ("--fault", "create-lost=503@1")

    def test_no_scheduler_may_start_it_again(self):
        source = self.write_lines("requests.jsonl", keyed(generation("one")))
        ended = self.jobs("create", source, "-m", "sluice-echo-1", code=1)
        self.assertIn("the job may exist", ended.err)
        self.assertEqual(len(self.service.events("create")), 1)


class CreateAnsweredByAStranger(JobsTest):
    faults = ("--fault", "error-html")

    def test_no_scheduler_may_start_it_again(self):
        source = self.write_lines("requests.jsonl", keyed(generation("one")))
        ended = self.jobs("create", source, "-m", "no-such-model", code=1)
        self.assertIn("the job may exist", ended.err)


class Get(JobsTest):
    def test_for_people_and_for_programs(self):
        name = self.ended("--display-name", "red \x1b[31m alert\u202e")
        text = self.jobs("get", name).out
        self.assertRegex(text, rf"(?m)^Name +{name}$")
        self.assertRegex(text, r"(?m)^State +SUCCEEDED$")
        self.assertRegex(text, r"(?m)^Requests +2 in all: 2 succeeded, 0 failed, 0 pending \(100 %\)$")
        self.assertIn(r"red \x1b[31m alert\u202e", text)
        document = self.jobs("get", name.removeprefix("batches/"), "--json").json()
        self.assertEqual((document["v"], document["type"]), (1, "job"))
        job = document["job"]
        self.assertEqual((job["name"], job["state"], job["raw_state"]), (name, "SUCCEEDED", "BATCH_STATE_SUCCEEDED"))
        self.assertEqual((job["progress"], job["error"], job["done"]), (100.0, None, True))

    def test_what_is_not_there(self):
        self.assertEqual(self.error(self.jobs("get", "nothing", "--json", code=6))["class"], "not_found")
        self.assertIn("Vertex", self.jobs("get", "batchPredictionJobs/1", code=2).err)
        self.jobs("get", "batches/../files", code=2)
        self.jobs("get", code=2)


class List(JobsTest):
    def test_tables_pages_and_limits(self):
        self.assertEqual(self.jobs("list").out, "")
        names = [self.ended() for _ in range(3)][::-1]
        table = self.jobs("list").out.splitlines()
        self.assertEqual(table[0].split()[:3], ["NAME", "STATE", "ANSWERED"])
        self.assertEqual([line.split()[0] for line in table[1:]], names)
        self.assertEqual(len({line.index("models/") for line in table[1:]}), 1)
        self.assertEqual(len(self.jobs("list", "--limit", "2", "--json").json()["jobs"]), 2)
        self.assertEqual(len(self.jobs("list", "--limit", "0", "--filter", "x", "--json").json()["jobs"]), 3)

        first = self.jobs("list", "--page-size", "2", "--json").json()
        self.assertEqual((first["type"], [job["name"] for job in first["jobs"]]), ("jobs", names[:2]))
        second = self.jobs("list", "--page-size", "2", "--page-token", first["next_page_token"], "--json").json()
        self.assertEqual([job["name"] for job in second["jobs"]], names[2:])
        self.assertEqual(second["next_page_token"], "")
        self.assertIn("next page: --page-token ", self.jobs("list", "--page-size", "1").err)
        self.assertIn("--limit", self.jobs("list", "--page-size", "1", "--limit", "1", code=2).err)

    def test_by_state(self):
        name = self.ended()
        self.assertIn(name, self.jobs("list", "--state", "succeeded").out)
        self.assertEqual(self.jobs("list", "--state", "failed").out, "")
        self.assertIn("none of", self.jobs("list", "--state", "done", code=2).err)


class SignIn(JobsTest):
    def test_keys_and_addresses(self):
        url = ["--base-url", self.service.base_url]
        (self.folder / "key").write_text(harness.KEY + "-in-a-file\n")
        self.sluice("jobs", "list", *url, env={"GOOGLE_API_KEY": harness.KEY})
        self.sluice("jobs", "list", *url, "--api-key-file", "key")
        self.sluice("jobs", "list", *url, "--api-key-file", "-", stdin_path=self.folder / "key")
        ended = self.sluice("jobs", "list", code=4)
        self.assertIn("API key", ended.err)
        self.assertNotIn("--backend", ended.err)  # that is a flag of `run`
        self.sluice("jobs", "list", *url)  # the local service takes any key
        self.sluice("jobs", "list", "--base-url", "http://example.com", env=self.service.env(), code=2)

    def test_a_key_file_that_cannot_be_read_is_exit_4(self):
        for path in ("nowhere", "."):
            self.assertIn(path, self.jobs("list", "--api-key-file", path, code=4).err)

    def test_a_key_file_that_others_can_read_is_worth_a_warning(self):
        path = self.folder / "key"
        path.write_text(harness.KEY + "\n")
        path.chmod(0o604)
        ended = self.jobs("list", "--api-key-file", "key")
        self.assertEqual(ended.err, "warning: others can read the API key in key: chmod 600 key\n")
        ended = self.sluice("files", "list", "--api-key-file", "key", "--json", env=self.env())
        self.assertEqual(json.loads(ended.err)["type"], "warning")
        path.chmod(0o600)
        self.assertEqual(self.jobs("list", "--api-key-file", "key").err, "")

    def test_nobody_is_signed_in_at_vertex(self):
        for env, flags in (({}, ["--auth", "vertex"]), ({"SLUICE_AUTH": "vertex_ai"}, [])):
            ended = self.sluice("jobs", "list", *flags, env={"NO_GCE_CHECK": "true", **env}, code=4)
            self.assertIn("gcloud", ended.err)
        self.assertIn("--auth", self.jobs("list", "--auth", "kerberos", code=2).err)
        self.jobs("list", "--auth", "gemini")


class Refused(harness.CliTest):
    def test_a_wrong_key_is_exit_4_and_never_shown(self):
        (self.folder / "right.key").write_text(harness.KEY + "-right\n")
        service = harness.LocalService(self, "--require-key-file", self.folder / "right.key")
        env = {"GEMINI_API_KEY": harness.KEY + "-wrong", "GOOGLE_GEMINI_BASE_URL": service.base_url}
        ended = self.sluice("jobs", "list", "--json", env=env, code=4)
        self.assertEqual(json.loads(ended.err)["class"], "auth")
        self.assertNotIn(harness.KEY, ended.err)


class Wait(JobsTest):
    def test_shows_each_look_on_stderr(self):
        name = self.create()
        ended = self.jobs("wait", name, "--poll", "1ms")
        self.assertRegex(ended.err.splitlines()[-1], rf"^\S+Z {name} SUCCEEDED 2/2$")
        ended = self.jobs("wait", name, "--json")
        self.assertEqual(ended.json()["job"]["state"], "SUCCEEDED")
        progress = json.loads(ended.err)
        self.assertEqual((progress["type"], progress["job"], progress["state"]), ("progress", name, "SUCCEEDED"))
        self.assertEqual(self.jobs("wait", name, "-q").err, "")
        self.jobs("wait", name, "--poll", "5", code=2)


class WaitForNothing(JobsTest):
    faults = ("--fault", "stuck-pending")

    def test_a_timeout_is_exit_75(self):
        name = self.create()
        ended = self.jobs("wait", name, "--poll", "5ms", "--timeout", "30ms", "--json", code=75)
        self.assertEqual(self.error(ended)["class"], "unfinished")
        self.assertIn(f"sluice jobs wait {name} --poll 5ms", self.error(ended)["hint"])
        self.assertEqual(ended.out, "")

    def test_ctrl_c_stops_it_and_no_job(self):
        name = self.create()
        for flags, said in (([], f"Stopping: the job keeps running.\nResume:   sluice jobs wait {name}\n"),
                            (["--json"], '{"v":1,"type":"stopping","jobs":1}\n')):
            process = self.spawn("jobs", "wait", name, *flags, env=self.env())
            self.assertIn("PENDING", process.stderr.readline())
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=harness.PATIENCE_S)
            self.assertEqual((process.returncode, err), (130, said))
        self.assertEqual(self.service.events("cancel"), [])

    def test_cancel(self):
        name = self.create()
        self.assertEqual(self.jobs("cancel", name, "-n").out, f"would cancel {name}\n")
        self.assertIn("-y", self.jobs("cancel", name, code=2).err)
        self.assertEqual(self.service.events("cancel"), [])
        self.assertEqual(self.jobs("cancel", name, "-y").out, f"cancelled {name}\n")
        self.assertIn("ended CANCELLED", self.jobs("wait", name, "--poll", "5ms", code=6).err)
        self.jobs("cancel", name, "-y")  # a job that has ended needs no cancel

    def test_responses_of_a_job_that_runs(self):
        ended = self.jobs("responses", self.create(), code=75)
        self.assertIn("sluice jobs wait batches/", ended.err)


class FailedJob(JobsTest):
    faults = ("--fault", "fail-job")

    def test_is_exit_6_and_says_why(self):
        name = self.create()
        ended = self.jobs("wait", name, "--poll", "5ms", code=6)
        self.assertIn("ended FAILED: ", ended.err)
        self.assertRegex(ended.out, r"(?m)^Error +.*\(code 8\)$")
        self.assertEqual(self.error(self.jobs("responses", name, "--json", code=6))["class"], "remote_failed")
        self.assertEqual(self.jobs("list", "--state", "failed", "--json").json()["jobs"][0]["error"]["code"], 8)


class ExpiredJob(JobsTest):
    faults = ("--fault", "expire")

    def test_is_exit_6(self):
        self.assertIn("ended EXPIRED", self.jobs("wait", self.create(), "--poll", "5ms", code=6).err)


class Delete(JobsTest):
    def test_asks_and_tries_every_name(self):
        name = self.ended()
        self.assertIn("-y", self.jobs("delete", name, code=2).err)
        self.assertEqual(self.jobs("delete", name, "-n", "--json").json(),
                         {"v": 1, "type": "deleted", "dry_run": True, "names": [name]})
        ended = self.jobs("delete", "batches/nothing", name, "-y", "--json", code=6)
        self.assertEqual(ended.json()["names"], [name])
        self.assertEqual(self.error(ended)["code"], 6)
        self.jobs("get", name, code=6)
        self.jobs("delete", code=2)


class Responses(JobsTest):
    def test_inline_and_file_alike(self):
        for way in ("--inline", "--upload"):
            name = self.ended(way)
            ended = self.jobs("responses", name)
            self.assertEqual([(line["key"], line["text"]) for line in self.lines(ended)],
                             [("k0", "echo: one"), ("k1", "echo: two")])
            self.assertEqual(self.lines(ended)[0]["parts"], [{"text": "echo: one"}])
            self.assertEqual(ended.err, "2 responses, 0 failed\n")
            self.jobs("responses", name, "-o", "answers.jsonl")
            self.assertEqual(self.read("answers.jsonl").decode(), ended.out)

    def test_raw_lines_are_the_service_s_own(self):
        (line, _) = self.lines(self.jobs("responses", self.ended("--upload"), "--raw"))
        self.assertEqual((line["key"], line["response"]["candidates"][0]["content"]["parts"]),
                         ("k0", [{"text": "echo: one"}]))

    def test_places_of_vertex_are_a_clear_mistake(self):
        self.assertIn("Vertex", self.jobs("responses", "batches/x", "-o", "gs://bucket/x", code=2).err)

    def test_a_place_that_is_not_there_is_a_mistake(self):
        self.jobs("responses", self.ended(), "-o", "nowhere/answers.jsonl", code=2)

    def test_a_reader_that_leaves_early_is_no_news(self):
        name = self.ended(texts=["x" * 1000] * 1000)
        process = self.spawn("jobs", "responses", name, env=self.env())
        self.assertIn("x" * 1000, process.stdout.readline())
        process.stdout.close()
        self.assertEqual(process.stderr.read(), "")
        process.stderr.close()
        self.assertEqual(process.wait(timeout=harness.PATIENCE_S), 75)

    def test_nothing_is_left_of_a_file_that_failed(self):
        self.jobs("responses", "batches/nothing", "-o", "answers.jsonl", code=6)
        self.assertFalse(any("answers" in path.name for path in self.folder.iterdir()))


class FailedRows(JobsTest):
    faults = ("--fault", "item-error=1")

    def test_are_exit_3_and_errors_by_key(self):
        name = self.ended(code=3)
        ended = self.jobs("responses", name, code=3)
        failed = [line for line in self.lines(ended) if "error" in line]
        self.assertEqual(len(failed), 1)
        self.assertEqual(failed[0]["key"][0], "k")
        self.assertGreater(failed[0]["error"]["code"], 0)
        self.assertEqual(ended.err, "2 responses, 1 failed\n")


class MissingRows(JobsTest):
    faults = ("--fault", "drop-line=1")

    def test_are_exit_3_and_counted(self):
        ended = self.jobs("responses", self.ended(), code=3)
        self.assertEqual(ended.err, "warning: 1 of 2 requests have no response\n1 responses, 0 failed\n")


class Nouns(harness.CliTest):
    def test_have_pages_and_suggestions(self):
        for noun, verbs in (("jobs", "create create-embeddings get list wait cancel delete responses"),
                            ("files", "upload get list delete download")):
            page = self.sluice(noun, "--help").out
            self.assertEqual(re.findall(r"(?m)^  ([a-z-]+) ", page), verbs.split())
            self.assertEqual(page, self.sluice("help", noun).out)
            bare = self.sluice(noun, code=2)
            self.assertEqual((bare.out, bare.err), ("", page))
            for verb in verbs.split():
                verb_page = self.sluice(noun, verb, "--help").out
                self.assertIn(f"usage: sluice {noun} {verb}", verb_page)
                self.assertEqual(verb_page, self.sluice("help", noun, verb).out)
        self.assertEqual(self.sluice("jobs", "lits", code=2).err,
                         "error: unknown command 'jobs lits'. Did you mean 'jobs list'?\n")
        self.assertEqual(self.sluice("jobs", "list", "--stat", "x", code=2).err,
                         "error: unknown flag '--stat' for 'jobs list'. Did you mean '--state'?\n")


if __name__ == "__main__":
    harness.main()
