"""Inputs and outputs in Cloud Storage: the bytes of a run over local files, whatever breaks on the way."""

import gzip
import json
import os
import urllib.parse
import urllib.request

import harness

ASK = ["-b", "local", "--dim", "48", "--shard-rows", "700"]
BUCKET = "cli-bucket"


class Storage:
    """The Cloud Storage of a `sluice emulate`, by hand."""

    def __init__(self, service):
        self.url = service.base_url

    def put(self, name, data):
        query = urllib.parse.urlencode({"uploadType": "media", "name": name})
        urllib.request.urlopen(urllib.request.Request(
            f"{self.url}/upload/storage/v1/b/{BUCKET}/o?{query}", data=data, method="POST")).close()

    def get(self, name):
        path = urllib.parse.quote(name, safe="")
        with urllib.request.urlopen(f"{self.url}/storage/v1/b/{BUCKET}/o/{path}?alt=media") as answer:
            return answer.read()

    def env(self):
        return {"STORAGE_EMULATOR_HOST": self.url}


class Cloud(harness.CliTest):
    def serve(self, *flags):
        return Storage(harness.LocalService(self, "--bucket", BUCKET, *flags))

    def test_objects_are_read_and_written_like_files(self):
        corpus = self.write_corpus("c.jsonl", 3000)
        self.sluice("run", "c.jsonl", *ASK, "-o", "direct.npy")
        storage = self.serve("--fault", "http-503=0.1", "--fault", "cut-download=2", "--fault", "cut-upload=5000@2")
        storage.put("in/c.jsonl", corpus.read_bytes())
        address = f"gs://{BUCKET}/in/c.jsonl"
        output = f"gs://{BUCKET}/out/vectors.npy"
        for _ in range(2):  # The second time it is done already, and is published anew.
            ended = self.sluice("run", address, *ASK, "-o", output, env=storage.env())
            self.assertIn(f"published {output}", ended.err)
            self.assertEqual(storage.get("out/vectors.npy"), self.read("direct.npy"))
        names = [json.loads(line) for line in storage.get("out/vectors.ids.jsonl").splitlines()]
        self.assertEqual([name["id"] for name in names], [f"doc-{i}" for i in range(3000)])
        self.assertEqual(names[0]["file"], address)
        self.sluice("verify", "vectors.npy.sluice", env=storage.env())
        # The run knows its place, as it knows that of a local output.
        ended = self.sluice("run", address, *ASK, "-o", f"gs://{BUCKET}/elsewhere/vectors.npy", env=storage.env(), code=2)
        self.assertIn(f'was "{output}"', ended.err)

    def test_a_retry_replaces_the_object(self):
        self.write_corpus("c.jsonl", 60)
        ask, output = ["--dim", "8", "--shard-rows", "20"], f"gs://{BUCKET}/v.npy"
        self.sluice("run", "c.jsonl", *ask, "-b", "local", "-o", "direct.npy")
        service = harness.LocalService(self, "--bucket", BUCKET, "--fault", "item-error=0.3")
        env = {**service.env(), **Storage(service).env()}
        self.sluice("run", "c.jsonl", *ask, *service.flags(), "--attempts", "1", "-o", output, env=env,
                    code=3)
        self.assertNotEqual(Storage(service).get("v.npy"), self.read("direct.npy"))
        service.stop()
        service = harness.LocalService(self, "--bucket", BUCKET)  # It knows what the one before it knew.
        env = {**service.env(), **Storage(service).env()}
        ended = self.sluice("retry", "-C", "v.npy.sluice", "--class", "all", "--base-url", service.base_url,
                            "--poll", "10ms..50ms", "--settle", "300ms", env=env)
        self.assertIn(f"published {output}", ended.err)
        self.assertEqual(Storage(service).get("v.npy"), self.read("direct.npy"))

    def signed_in(self, *flags):
        """A service that asks for tokens, and what a client needs to get them."""
        key_file = self.folder / "account.json"
        service = harness.LocalService(self, "--bucket", BUCKET, "--credentials-file", key_file, *flags)
        return service, {"GOOGLE_APPLICATION_CREDENTIALS": str(key_file),
                         "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": service.base_url}

    def test_tokens_that_live_two_seconds_fail_nothing(self):
        self.write_corpus("c.jsonl", 2000)
        service, env = self.signed_in("--token-life", "2s", "--fault", "token-503=1", "--fault", "token-refused=1")
        output = f"gs://{BUCKET}/v.npy"
        ended = self.sluice("run", "c.jsonl", *ASK, "-o", output, env=env)
        self.assertIn(f"published {output}", ended.err)
        self.sluice("run", "c.jsonl", *ASK, "-o", "direct.npy")
        self.assertEqual(self.read("v.npy.sluice/v.npy"), self.read("direct.npy"))
        with urllib.request.urlopen(service.base_url + "/_sluice/counters") as answer:
            self.assertGreaterEqual(json.load(answer)["requests"]["token"], 2)

    def test_a_revoked_sign_in_is_one_clear_error(self):
        self.write_corpus("c.jsonl", 500)
        service, env = self.signed_in()
        urllib.request.urlopen(service.base_url + "/_sluice/revoke", data=b"").close()
        ended = self.sluice("run", "c.jsonl", *ASK, "-o", f"gs://{BUCKET}/v.npy", env=env, code=4)
        self.assertRegex(ended.err, "signing in at 127.0.0.1: invalid_grant")
        self.assertIn("gcloud auth application-default login", ended.err)
        with urllib.request.urlopen(service.base_url + "/_sluice/counters") as answer:
            self.assertEqual(json.load(answer)["requests"]["token"], 1)

    def test_folders_and_packed_objects_are_corpora_too(self):
        corpus = self.write_corpus("c.jsonl", 2000).read_bytes()
        lines = corpus.splitlines(keepends=True)
        os.mkdir(self.folder / "in")
        storage = self.serve()
        for name, data in [("a.jsonl", b"".join(lines[:900])), ("b.jsonl.gz", gzip.compress(b"".join(lines[900:])))]:
            storage.put(f"in/{name}", data)
            (self.folder / "in" / name).write_bytes(data)
        self.sluice("run", "in", *ASK, "-o", "direct.npy")
        self.sluice("run", f"gs://{BUCKET}/in/", *ASK, "-o", "v.npy", env=storage.env())
        self.assertEqual(self.read("v.npy"), self.read("direct.npy"))
        self.assertEqual(self.read("v.ids.jsonl"), self.read("direct.ids.jsonl"))

    def test_an_object_that_was_replaced_is_noticed(self):
        corpus = self.write_corpus("c.jsonl", 500).read_bytes()
        storage = self.serve()
        storage.put("c.jsonl", corpus)
        address = f"gs://{BUCKET}/c.jsonl"
        self.sluice("prepare", address, *ASK, "-C", "r", env=storage.env())
        storage.put("c.jsonl", corpus.replace(b"Nr. 7", b"Nr. 8"))
        ended = self.sluice("run", address, *ASK, "-C", "r", "-o", "v.npy", env=storage.env(), code=7)
        self.assertIn(address, ended.err)

    def test_what_is_not_there_or_no_address_is_one_clear_error(self):
        storage = self.serve()
        for address, code, words in [(f"gs://{BUCKET}/nothing.jsonl", 7, "nothing.jsonl"),
                                     ("gs://no-such-bucket/c.jsonl", 7, "no-such-bucket"),
                                     ("gs://X/c.jsonl", 2, "gs://bucket/prefix")]:
            ended = self.sluice("run", address, *ASK, "-o", "v.npy", env=storage.env(), code=code)
            self.assertIn(words, ended.err)
        self.write_corpus("c.jsonl", 10)
        ended = self.sluice("run", "c.jsonl", *ASK, "-o", f"gs://{BUCKET}", env=storage.env(), code=2)
        self.assertIn("gs://bucket/object", ended.err)

    def test_an_output_of_no_known_format_leaves_nothing_behind(self):
        self.write_corpus("c.jsonl", 3)
        for output in ("x.txt", f"gs://{BUCKET}/x.txt", "bq://p.d.t"):
            ended = self.sluice("run", "c.jsonl", *ASK, "-o", output, code=2)
            self.assertIn(".npy", ended.err)
        self.assertEqual([path.name for path in self.folder.glob("[!.]*")], ["c.jsonl"])

    def test_who_is_not_signed_in_gets_exit_code_4(self):
        env = {"NO_GCE_CHECK": "true", "HOME": str(self.folder)}
        ended = self.sluice("run", f"gs://{BUCKET}/c.jsonl", *ASK, "-o", "v.npy", env=env, code=4)
        self.assertIn("nobody is signed in to Google Cloud", ended.err)
        self.assertIn("gcloud auth application-default login", ended.err)


if __name__ == "__main__":
    harness.main()
