"""Vertex AI: a run over the local service by Cloud Storage and by tables, and its jobs by hand."""

import json
import urllib.parse
import urllib.request

import harness

BUCKET = "cli-bucket"
PROJECT = "my-project"


class VertexTest(harness.CliTest):
    def serve(self, *flags):
        service = harness.LocalService(self, "--bucket", BUCKET, "--latency", "1ms..20ms", *flags)
        self.flags = ["--base-url", service.base_url, "--project", PROJECT, "--location", "us-central1"]
        self.run_flags = ["--backend", "vertex", *self.flags, "--bucket", f"{BUCKET}/runs",
                          "--poll", "10ms..50ms", "--settle", "300ms"]
        return service

    def gemini_run(self, service, corpus, output, *flags):
        self.sluice("run", corpus, "--base-url", service.base_url, "--poll", "10ms..50ms", "-o", output, *flags,
                    env={"GEMINI_API_KEY": harness.KEY})

    def stage(self, service, name, lines):
        query = urllib.parse.urlencode({"uploadType": "media", "name": name})
        data = "".join(json.dumps(line) + "\n" for line in lines).encode()
        urllib.request.urlopen(urllib.request.Request(
            f"{service.base_url}/upload/storage/v1/b/{BUCKET}/o?{query}", data=data, method="POST")).close()
        return f"gs://{BUCKET}/{name}"


class Runs(VertexTest):
    def test_vectors_are_those_of_the_gemini_backend(self):
        service = self.serve()
        corpus = self.write_corpus("c.jsonl", 3000)
        for name, flags in (("a", ["--dim", "96"]), ("b", ["-m", "gemini-embedding-2", "--dim", "96"])):
            ask = [*flags, "--shard-rows", "700"]
            self.gemini_run(service, corpus, f"{name}-gemini.npy", *ask)
            self.sluice("run", corpus, *self.run_flags, "-o", f"{name}-vertex.npy", *ask)
            self.assertEqual(self.read(f"{name}-vertex.npy"), self.read(f"{name}-gemini.npy"))
            self.assertEqual(self.read(f"{name}-vertex.ids.jsonl"), self.read(f"{name}-gemini.ids.jsonl"))
            self.sluice("verify", f"{name}-vertex.npy.sluice")
        nearest = self.sluice("neighbors", "a-vertex.npy", "--text", "w1 w2", "--json", *self.flags[2:]).json()
        self.assertEqual(len(nearest["neighbors"]), 5)

    def test_text_embedding_models_have_lines_of_their_own(self):
        service = self.serve()
        corpus = self.write_corpus("c.jsonl", 1000)
        self.sluice("run", corpus, *self.run_flags, "-m", "text-embedding-005", "-o", "text.npy")
        # The stand-ins embed words alike, whatever they are called.
        self.gemini_run(service, corpus, "lexical.npy", "-m", "sluice-lexical-1")
        self.assertEqual(self.read("text.npy"), self.read("lexical.npy"))

    def test_texts_that_the_model_cut_are_counted_and_told(self):
        self.serve()
        corpus = self.folder / "c.jsonl"
        texts = ["short", "long " * 3000, "longer " * 4000]
        corpus.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        ended = self.sluice("run", corpus, *self.run_flags, "-m", "text-embedding-005", "-o", "v.npy")
        self.assertIn("warning: of 2 documents the service embedded the beginning only", ended.err)
        self.assertEqual(json.loads(self.read("v.npy.sluice/report.json"))["answers"]["truncated"], 2)
        self.sluice("verify", "v.npy.sluice")

    def test_text_embeddings_that_come_without_their_key_are_told_by_their_text(self):
        corpus = self.folder / "c.jsonl"
        texts = [f"w{i % 37} \u00e9 \"w{i % 3}\"" for i in range(200)]  # many a text twice and more
        corpus.write_text("".join(json.dumps({"id": i, "text": text}) + "\n" for i, text in enumerate(texts)))
        ask = ["-m", "text-embedding-005", "--dim", "16", "--shard-rows", "70", "--keep-answers"]
        self.serve()
        self.sluice("run", corpus, *self.run_flags, *ask, "-o", "keys.npy")
        for name, fault in (("some", "no-key=5"), ("none", "no-key=200")):
            service = self.serve("--fault", fault)
            before = len(service.events("create"))
            self.sluice("run", corpus, *self.run_flags, *ask, "-o", f"{name}.npy")
            self.assertEqual(self.read(f"{name}.npy"), self.read("keys.npy"))
            self.assertEqual(len(service.events("create")) - before, 3)
            self.sluice("verify", f"{name}.npy.sluice")

    def test_tables_give_the_rows_of_cloud_storage_in_the_same_order(self):
        service = self.serve()
        corpus = self.write_corpus("c.jsonl", 1500)
        ask = ["--task", "generate", "--shard-rows", "400"]
        self.sluice("run", corpus, *self.run_flags, *ask, "-o", "objects.jsonl")
        for name, flags in (("upload", []), ("bucket", ["--bucket", BUCKET])):
            tables = [flag for flag in self.run_flags if flag not in ("--bucket", f"{BUCKET}/runs")]
            self.sluice("run", corpus, *tables, *flags, "--bigquery-dataset", "answers", *ask, "-o", f"{name}.jsonl")
            self.assertEqual(self.read(f"{name}.jsonl"), self.read("objects.jsonl"))
        self.gemini_run(service, corpus, "gemini.jsonl", *ask)
        self.assertEqual(self.read("objects.jsonl"), self.read("gemini.jsonl"))

    def test_a_table_of_answers_is_found_though_the_job_does_not_name_it(self):
        service = self.serve("--fault", "no-output-info")
        corpus = self.write_corpus("c.jsonl", 60)
        ask = ["--task", "generate", "--shard-rows", "20"]
        tables = [flag for flag in self.run_flags if flag not in ("--bucket", f"{BUCKET}/runs")]
        self.sluice("run", corpus, *tables, "--bigquery-dataset", "answers", *ask, "-o", "tables.jsonl")
        self.gemini_run(service, corpus, "gemini.jsonl", *ask)
        self.assertEqual(self.read("tables.jsonl"), self.read("gemini.jsonl"))
        self.assertEqual(len(service.events("create")), 6)  # three of each run

    def test_faults_lose_nothing_and_buy_nothing_twice(self):
        service = self.serve("--fault", "http-503=0.1", "--fault", "create-lost=503@2", "--fault", "cut-download=2",
                             "--fault", "cut-upload=5000@2", "--fault", "list-empty-page", "--fault", "no-output-info=0.5",
                             "--fault", "item-error-13=0.05", "--fault", "duplicate-line=3", "--fault", "drop-line=3@2",
                             "--fault", "expire-partial@1", "--fault", "partly-succeeds@1")
        corpus = self.write_corpus("c.jsonl", 2000)
        ask = ["--dim", "48", "--shard-rows", "500", "--attempts", "8"]
        self.sluice("run", corpus, *self.run_flags, *ask, "-o", "v.npy")
        self.sluice("run", corpus, "-b", "local", "-m", "gemini-embedding-001", *ask, "-o", "local.npy")
        self.assertEqual(self.read("v.npy"), self.read("local.npy"))
        names = [event["displayName"] for event in service.events("create")]
        self.assertEqual(len(names), len(set(names)))

    def test_a_run_that_is_killed_again_and_again_loses_and_doubles_nothing(self):
        """At the first progress line, at the second and so on: each time a little further."""
        service = self.serve("--fault", "create-lost=reset@3")
        corpus = self.write_corpus("c.jsonl", 4000)
        for name, flags in (("objects", []), ("tables", ["--bigquery-dataset", "killed", "--task", "generate"])):
            output = f"{name}.jsonl"
            ask = ["run", corpus, *self.run_flags, *flags, "--shard-rows", "500", "-o", output,
                   *([] if flags else ["--dim", "16"])]
            before = len(service.events("create"))
            for kill_at in range(1, 9):
                process = self.spawn(*ask, "--progress", "json", "--progress-interval", "20ms")
                for _ in range(kill_at):
                    process.stderr.readline()
                process.kill()
                process.communicate()
            self.sluice(*ask)
            rows = self.json_lines(output)
            self.assertEqual([row["id"] for row in rows], [f"doc-{i}" for i in range(4000)])
            self.assertTrue(all("error" not in row for row in rows))
            names = [event["displayName"] for event in service.events("create")[before:]]
            self.assertEqual(len(names), len(set(names)))
            # Not one shard was bought twice: eight shards, eight jobs.
            self.assertEqual(len({name.split("/")[2] for name in names}), 8)
            self.assertEqual(len(names), 8, names)

    def test_vectors_that_are_too_long_are_cut_to_what_was_asked_for(self):
        self.serve("--fault", "ignore-dimension")
        corpus = self.write_corpus("c.jsonl", 20)
        self.sluice("run", corpus, *self.run_flags, "--dim", "64", "-o", "v.jsonl")
        for row in self.json_lines("v.jsonl"):
            vector = row["embedding"]
            self.assertEqual(len(vector), 64)
            self.assertAlmostEqual(sum(x * x for x in vector), 1, places=5)
        report = json.loads(self.read("v.jsonl.sluice/report.json"))
        self.assertEqual(report["answers"]["shortened"], 20)

    def test_what_the_service_refuses_is_one_error_before_anything_is_sent(self):
        service = self.serve()
        corpus = self.write_corpus("c.jsonl", 3)
        base = ["run", corpus, "--backend", "vertex", *self.flags]
        self.sluice(*base, "--bigquery-dataset", "here", "--task", "generate", "-o", "here.jsonl")
        created = service.events("create")
        for flags, word in ((["--bigquery-dataset", "d"], "tables"), ([], "place"),
                            (["--bucket", "B!"], "gs://"), (["--bucket", BUCKET, "--location", "a/b"], "location"),
                            (["--bucket", BUCKET, "--api-key-file", "k"], "API key"),
                            (["--bucket", BUCKET, "--task", "generate", "-m", "text-embedding-005"], "generates"),
                            (["--bucket", BUCKET, "--task", "embed", "-m", "gemini-2.5-flash"], "no embeddings"),
                            (["--bucket", BUCKET, "--task", "generate", "-m", "publishers/anthropic/models/c"],
                             "shape of its own"),
                            (["--location", "europe-west4", "--bigquery-dataset", "here", "--task", "generate",
                              "-o", "e.jsonl"], "is in us-central1")):
            ended = self.sluice(*base, *flags, "--fresh", "-y", code=2)
            self.assertIn(word, ended.err)
        self.assertIn("vertex", self.sluice("run", corpus, "--bucket", BUCKET, code=2).err)
        self.assertEqual(service.events("create"), created)

    def test_one_address_serves_the_objects_of_a_run_too(self):
        service = self.serve()
        corpus = self.write_corpus("c.jsonl", 40)
        self.sluice("run", corpus, *self.run_flags, "--dim", "8", "-o", f"gs://{BUCKET}/res/v.npy")
        object_of = f"{service.base_url}/storage/v1/b/{BUCKET}/o/res%2Fv.npy?alt=media"
        with urllib.request.urlopen(object_of) as answer:
            self.assertEqual(answer.read(), self.read("v.npy.sluice/v.npy"))
        self.sluice("run", f"gs://{BUCKET}/res/v.ids.jsonl", "--text-field", "file", *self.run_flags, "--dim", "8",
                    "-o", "again.npy")
        self.sluice("verify", "again.npy.sluice")

    def test_its_own_objects_are_no_part_of_its_corpus(self):
        service = self.serve()
        for name in ("a", "b"):
            self.stage(service, f"docs/{name}.jsonl", [{"text": f"{name} {number}"} for number in range(20)])
        flags = [flag for flag in self.run_flags if flag not in ("--bucket", f"{BUCKET}/runs")] + ["--dim", "8"]
        for corpus, bucket in ((f"gs://{BUCKET}", BUCKET), (f"gs://{BUCKET}/", f"{BUCKET}/"),
                               (f"gs://{BUCKET}/in/", BUCKET), (f"gs://{BUCKET}/r/out", f"{BUCKET}/r")):
            said = self.sluice("run", corpus, *flags, "--bucket", bucket, "-o", "v.npy", code=2).err
            self.assertIn("--bucket NAME/PREFIX", said)
        command = ["run", f"gs://{BUCKET}", *flags, "--bucket", f"{BUCKET}/r", "-o", "v.npy", "--json"]
        for more in ([], [], ["--fresh", "-y"]):
            self.assertEqual(self.sluice(*command, *more).json()["counts"]["documents"], 40)
        self.sluice("verify", "v.npy.sluice")

    def test_the_place_of_the_output_is_looked_at_before_anything_is_bought(self):
        service = self.serve("--credentials-file", self.folder / "sa.json")
        corpus = self.write_corpus("c.jsonl", 5)
        env = {"GOOGLE_APPLICATION_CREDENTIALS": str(self.folder / "sa.json")}
        ask = [*self.run_flags, "--dim", "8"]
        said = self.sluice("run", corpus, *ask, "-o", "gs://nobody-has-this/v.npy", env=env, code=6).err
        self.assertIn("hint:", said)
        said = self.sluice("run", corpus, *ask, "-o", f"gs://{BUCKET}/w.npy", code=4).err
        self.assertIn("GOOGLE_APPLICATION_CREDENTIALS", said)
        self.assertNotIn("GEMINI_API_KEY", said)
        self.assertEqual(service.events("create"), [])

    def test_a_key_file_signs_in_and_a_revoked_one_is_one_error(self):
        service = self.serve("--credentials-file", self.folder / "sa.json", "--token-life", "2s")
        corpus = self.write_corpus("c.jsonl", 500)
        env = {"GOOGLE_APPLICATION_CREDENTIALS": str(self.folder / "sa.json")}
        self.sluice("run", corpus, *self.run_flags, "--dim", "8", "-o", "v.npy", env=env)
        ended = self.sluice("run", corpus, *self.run_flags, "--dim", "8", "-o", "w.npy", code=4)
        self.assertEqual(len(service.events("create")), 1, ended.err)


class Jobs(VertexTest):
    def jobs(self, verb, *arguments, **more):
        return self.sluice("jobs", verb, "--auth", "vertex", *self.flags, *arguments, **more)

    def test_a_job_from_its_creation_to_its_end(self):
        service = self.serve()
        source = self.stage(service, "in/r.jsonl", [
            {"key": f"k{i}", "request": {"contents": [{"role": "user", "parts": [{"text": f"text {i}"}]}]}}
            for i in range(30)])
        name = self.jobs("create", source, "-m", "gemini-2.5-flash", "--display-name", "by hand",
                         "--to", f"gs://{BUCKET}/answers").out.strip()
        self.assertRegex(name, r"^projects/\d+/locations/us-central1/batchPredictionJobs/\d+$")
        self.jobs("wait", name, "--poll", "10ms")
        for short in (name, "batchPredictionJobs/" + name.split("/")[-1], name.split("/")[-1]):
            job = self.jobs("get", short, "--json").json()["job"]
            self.assertEqual(job["name"], name)
            self.assertEqual(job["source_file"], source)
            self.assertTrue(job["result_file"].startswith(f"gs://{BUCKET}/answers/prediction-model-"))
            self.assertEqual(job["stats"]["success"], 30)
        self.jobs("responses", name, "-o", "r.jsonl")
        rows = {row["key"]: row["text"] for row in self.json_lines("r.jsonl")}
        self.assertEqual(rows, {f"k{i}": f"echo: text {i}" for i in range(30)})
        listed = self.jobs("list", "--filter", 'display_name="by hand"', "--json").json()["jobs"]
        self.assertEqual([job["name"] for job in listed], [name])
        self.assertEqual(self.jobs("list", "--filter", 'display_name="other"', "--json").json()["jobs"], [])
        self.jobs("cancel", name, "-y")
        self.jobs("delete", name, "-y")
        self.jobs("get", name, code=6)

    def test_embedding_jobs_of_both_kinds(self):
        service = self.serve()
        gemini = self.stage(service, "g.jsonl", [
            {"key": "a", "request": {"content": {"parts": [{"text": "x y"}]},
                                     "embed_content_config": {"output_dimensionality": 8}}}])
        text = self.stage(service, "t.jsonl", [{"key": "a", "content": "x y", "outputDimensionality": 8}])
        for source, model in ((gemini, "gemini-embedding-001"), (text, "text-embedding-005")):
            name = self.jobs("create-embeddings", source, "-m", model).out.strip()
            self.jobs("wait", name, "--poll", "10ms")
            row = json.loads(self.jobs("responses", name).out)
            self.assertEqual((row["key"], len(row["embedding"])), ("a", 8))

    def test_what_the_service_refuses_is_one_error_before_anything_is_sent(self):
        service = self.serve()
        local = self.folder / "r.jsonl"
        local.write_text('{"content":{"parts":[{"text":"x"}]}}\n', encoding="utf-8")
        source = f"gs://{BUCKET}/x.jsonl"
        for arguments, word in ((["bq://p.d.t"], "BigQuery"), ([source, "--to", "bq://p.d"], "BigQuery"),
                                ([local], "inline requests"), ([local, "--upload"], "no files"),
                                (["files/abc"], "uploaded file"), ([source, "--priority", "3"], "priority"),
                                ([source, "-m", "a b"], "model"), (["gs://x"], "gs://")):
            ended = self.jobs("create-embeddings", *arguments, code=2)
            self.assertIn(word, ended.err, arguments)
        for verb, model, word in (("create", "gemini-embedding-001", "generates nothing"),
                                  ("create-embeddings", "gemini-2.5-flash", "no embeddings")):
            self.assertIn(word, self.jobs(verb, source, "-m", model, code=2).err)
        for arguments in ([source, "--to", "bq://a.b.c.d"], ["bq://a.b.c", "-m", "gemini-embedding-001"]):
            self.jobs("create-embeddings", *arguments, "-n", code=2)  # as it would be without -n
        self.jobs("get", "batches/abc", code=2)
        self.jobs("get", "projects/../x", code=2)
        self.sluice("files", "list", "--auth", "vertex", *self.flags, code=2)
        self.assertEqual(service.events("create"), [])


if __name__ == "__main__":
    harness.main()
