"""Every batch and file operation of google-genai, blocking and asynchronous; every answer is looked into."""

import asyncio
import base64
import collections
import hashlib
import io
import json
import math
import os
import sys
import time
import warnings

import google.oauth2.credentials
from google import genai
from google.genai import errors, types

SCRATCH = sys.argv[1]
COUNT = 40
DIMENSIONS = 16
ENDED = ("SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED")
MIME_TYPE = "application/jsonl"

warnings.simplefilter("ignore")


class Recorder:
    """A module of the client that remembers which of its methods were called."""

    def __init__(self, module):
        self.module, self.called = module, set()

    def __getattr__(self, name):
        self.called.add(name)
        return getattr(self.module, name)

    def check_that_all_were_called(self):
        methods = {
            name
            for name in dir(type(self.module))
            if not name.startswith("_") and callable(getattr(type(self.module), name))
        }
        assert methods == self.called, methods ^ self.called


class Waiting:
    """An asynchronous module as a blocking one; a pager becomes the list of all its items."""

    def __init__(self, module, loop):
        self.module, self.loop = module, loop

    def __getattr__(self, name):
        def call(*args, **kwargs):
            return self.loop.run_until_complete(finish(getattr(self.module, name)(*args, **kwargs)))

        return call


async def finish(awaitable):
    result = await awaitable
    return [item async for item in result] if hasattr(result, "__aiter__") else result


class Tour:
    """All calls through one kind of client. Jobs and files that it leaves behind are known by name."""

    jobs, kept_files = set(), set()

    def __init__(self, batches, files, models):
        self.batches, self.files, self.models = batches, files, models

    def ended(self, job):
        deadline = time.monotonic() + 60
        while not job.state.name.endswith(ENDED):
            assert time.monotonic() < deadline, f"{job.name} stays {job.state}"
            time.sleep(0.05)
            job = self.batches.get(name=job.name)
        return job

    def succeeded(self, job):
        self.jobs.add(job.name)
        assert job.state.name == "JOB_STATE_PENDING", job
        assert job.create_time and not job.end_time
        job = self.ended(job)
        assert job.state.name == "JOB_STATE_SUCCEEDED" and job.done, job
        assert job.end_time >= job.create_time
        return job

    def upload(self, file, size, **config):
        uploaded = self.files.upload(file=file, config={"mime_type": MIME_TYPE, **config})
        self.kept_files.add(uploaded.name)
        assert uploaded.state.name == "ACTIVE" and uploaded.source.name == "UPLOADED"
        assert uploaded.size_bytes == size and uploaded.mime_type == MIME_TYPE
        assert (uploaded.expiration_time - uploaded.create_time).total_seconds() == 48 * 3600
        return uploaded

    def upload_lines(self, name, request):
        path = os.path.join(SCRATCH, name)
        with open(path, "w", encoding="utf-8") as lines:
            for i in range(COUNT):
                lines.write(json.dumps({"key": f"k{i}", "request": request(i)}) + "\n")
        return self.upload(path, os.path.getsize(path), display_name=name)

    def results(self, job):
        """The lines of a job's result file by key; every key stands there once."""
        lines = self.files.download(file=job.dest.file_name).decode().splitlines()
        by_key = {json.loads(line)["key"]: json.loads(line) for line in lines}
        assert len(lines) == COUNT
        assert set(by_key) == {f"k{i}" for i in range(COUNT)}
        return by_key

    def embeddings_from_file(self, model):
        uploaded = self.upload_lines(
            "embed.jsonl",
            lambda i: {
                "content": {"parts": [{"text": f"document {i} about tides"}]},
                "output_dimensionality": DIMENSIONS,
            },
        )
        created = self.batches.create_embeddings(
            model=model, src={"file_name": uploaded.name}, config={"display_name": "python file"}
        )
        assert created.display_name == "python file" and created.model == f"models/{model}"
        for line in self.results(self.succeeded(created)).values():
            values = line["response"]["embedding"]["values"]
            assert len(values) == DIMENSIONS
            assert all(math.isfinite(value) for value in values)
        return uploaded

    def embeddings_inline(self, model):
        texts = [f"inline text {i}" for i in range(5)]
        config = {"output_dimensionality": DIMENSIONS, "task_type": "CLUSTERING", "title": "t"}
        job = self.succeeded(
            self.batches.create_embeddings(
                model=model, src={"inlined_requests": {"contents": texts, "config": config}}
            )
        )
        answers = job.dest.inlined_embed_content_responses
        assert [len(a.response.embedding.values) for a in answers] == [DIMENSIONS] * len(texts)

    def generation_from_file(self):
        uploaded = self.upload_lines(
            "generate.jsonl",
            lambda i: {
                "contents": [{"parts": [{"text": f"say {i}"}]}],
                "generation_config": {"temperature": 0.5},
            },
        )
        for src in (uploaded.name, types.BatchJobSource(file_name=uploaded.name)):
            job = self.succeeded(self.batches.create(model="gemini-2.5-flash", src=src))
            answer = types.GenerateContentResponse.model_validate(self.results(job)["k7"]["response"])
            assert answer.text == "echo: say 7", answer

    def generation_inline(self):
        requests = [
            {
                "contents": [{"parts": [{"text": f"hello {i}"}], "role": "user"}],
                "config": {"temperature": 0.5, "system_instruction": "be brief", "max_output_tokens": 9},
                "metadata": {"key": f"m{i}"},
            }
            for i in range(3)
        ]
        for src in (requests, {"inlined_requests": requests}):
            job = self.succeeded(self.batches.create(model="gemini-2.5-flash", src=src))
            answers = {item.metadata["key"]: item.response for item in job.dest.inlined_responses}
            assert set(answers) == {f"m{i}" for i in range(3)}
            for i in range(3):
                assert answers[f"m{i}"].text == f"echo: hello {i}"
                assert answers[f"m{i}"].candidates[0].finish_reason.name == "STOP"
                assert answers[f"m{i}"].usage_metadata.prompt_token_count > 0

    def uploads(self):
        """Bytes in several pieces, under a name of ours, from a stream."""
        content = b"0123456789abcdef" * (9 << 16)
        name = f"files/python-{len(self.kept_files)}"
        uploaded = self.upload(io.BytesIO(content), len(content), name=name)
        assert uploaded.name == name
        # The service keeps the hash as hex text.
        assert base64.b64decode(uploaded.sha256_hash).decode() == hashlib.sha256(content).hexdigest()

    def listing(self):
        jobs = list(self.batches.list(config={"page_size": 2}))
        assert_same([job.name for job in jobs], self.jobs)
        assert jobs == sorted(jobs, key=lambda job: job.create_time, reverse=True)
        assert_same([job.name for job in self.batches.list()], self.jobs)
        for page_size in (1, 2, 100):
            listed = self.files.list(config={"page_size": page_size})
            assert_same([file.name for file in listed], self.kept_files)

    def cancel_and_delete(self, uploaded):
        job = self.batches.create_embeddings(
            model="gemini-embedding-001", src={"file_name": uploaded.name}
        )
        self.batches.cancel(name=job.name)
        assert self.ended(job).state.name.endswith(("CANCELLED", "SUCCEEDED"))
        self.batches.cancel(name=job.name)
        self.batches.delete(name=job.name)
        for call in (self.batches.get, self.batches.cancel, self.batches.delete):
            refused_with(404, lambda: call(name=job.name))
        refused_with(400, lambda: self.batches.create(model="gemini-2.5-flash", src="files/none"))

    def get_and_delete_files(self, uploaded):
        assert self.files.get(name=uploaded.name) == uploaded
        refused_with(400, lambda: self.files.download(file=uploaded.name))
        self.files.delete(name=uploaded.name)
        self.kept_files.discard(uploaded.name)
        for call in (self.files.get, self.files.delete):
            refused_with(403, lambda: call(name=uploaded.name))

    def register(self):
        auth = google.oauth2.credentials.Credentials(token="a-token-for-tests")
        answer = self.files.register_files(auth=auth, uris=["gs://bucket/one", "gs://bucket/two"])
        assert [file.source.name for file in answer.files] == ["REGISTERED", "REGISTERED"]
        self.kept_files.update(file.name for file in answer.files)

    def at_once(self):
        embedded = self.models.embed_content(
            model="gemini-embedding-001",
            contents=["one", "two"],
            config={"output_dimensionality": DIMENSIONS},
        )
        assert [len(e.values) for e in embedded.embeddings] == [DIMENSIONS, DIMENSIONS]
        counted = self.models.count_tokens(model="gemini-2.5-flash", contents="some text")
        assert counted.total_tokens == 3
        answer = self.models.generate_content(model="gemini-2.5-flash", contents="some text")
        assert answer.text == "echo: some text"
        assert "models/gemini-2.5-flash" in [model.name for model in self.models.list()]
        assert self.models.get(model="gemini-2.5-flash").input_token_limit == 1048576
        refused_with(
            404,
            lambda: self.models.embed_content(model="text-embedding-004", contents="x"),
        )

    def run(self):
        uploaded = self.embeddings_from_file("gemini-embedding-001")
        self.embeddings_from_file("gemini-embedding-2")
        self.embeddings_inline("gemini-embedding-001")
        self.embeddings_inline("gemini-embedding-2")
        self.generation_from_file()
        self.generation_inline()
        self.uploads()
        self.register()
        self.listing()
        self.cancel_and_delete(uploaded)
        self.get_and_delete_files(uploaded)
        self.listing()
        self.at_once()


def assert_same(names, expected):
    assert collections.Counter(names) == collections.Counter(expected), (names, expected)


def refused_with(status, call):
    try:
        call()
    except errors.ClientError as error:
        assert error.code == status, error
        return
    raise AssertionError(f"not refused with {status}")


def main():
    client = genai.Client()
    batches, files = Recorder(client.batches), Recorder(client.files)
    Tour(batches, files, client.models).run()

    loop = asyncio.new_event_loop()
    later_batches, later_files = Recorder(client.aio.batches), Recorder(client.aio.files)
    Tour(
        Waiting(later_batches, loop), Waiting(later_files, loop), Waiting(client.aio.models, loop)
    ).run()
    loop.run_until_complete(client.aio.aclose())

    for recorder in (batches, files, later_batches, later_files):
        recorder.check_that_all_were_called()
    print("python client: all calls answered as expected")


main()
