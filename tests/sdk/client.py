"""The calls of a batch pipeline through google-genai; every answer is looked into."""

import json
import math
import os
import sys
import time
import warnings

from google import genai
from google.genai import errors, types

SCRATCH = sys.argv[1]
COUNT = 40
DIMENSIONS = 16
ENDED = ("SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED")

warnings.simplefilter("ignore")
client = genai.Client()


def ended(job):
    deadline = time.monotonic() + 60
    while not job.state.name.endswith(ENDED):
        assert time.monotonic() < deadline, f"{job.name} stays {job.state}"
        time.sleep(0.05)
        job = client.batches.get(name=job.name)
    return job


def write_lines(name, request):
    path = os.path.join(SCRATCH, name)
    with open(path, "w", encoding="utf-8") as lines:
        for i in range(COUNT):
            lines.write(json.dumps({"key": f"k{i}", "request": request(i)}) + "\n")
    return path


def upload(path):
    config = types.UploadFileConfig(
        mime_type="application/jsonl", display_name=os.path.basename(path)
    )
    uploaded = client.files.upload(file=path, config=config)
    assert uploaded.state.name == "ACTIVE"
    assert uploaded.size_bytes == os.path.getsize(path)
    return uploaded


def results(job):
    """The lines of a job's result file by key; every key stands there once."""
    assert job.state.name == "JOB_STATE_SUCCEEDED", job
    lines = client.files.download(file=job.dest.file_name).decode().splitlines()
    by_key = {json.loads(line)["key"]: json.loads(line) for line in lines}
    assert len(lines) == COUNT
    assert set(by_key) == {f"k{i}" for i in range(COUNT)}
    return by_key


def embeddings_from_file():
    path = write_lines(
        "embed.jsonl",
        lambda i: {
            "content": {"parts": [{"text": f"document {i} about tides"}]},
            "output_dimensionality": DIMENSIONS,
        },
    )
    uploaded = upload(path)
    created = client.batches.create_embeddings(
        model="gemini-embedding-001",
        src={"file_name": uploaded.name},
        config={"display_name": "python file"},
    )
    assert created.state.name == "JOB_STATE_PENDING"
    assert created.display_name == "python file"
    for line in results(ended(created)).values():
        values = line["response"]["embedding"]["values"]
        assert len(values) == DIMENSIONS
        assert all(math.isfinite(value) for value in values)
    return uploaded, created


def embeddings_inline():
    texts = [f"inline text {i}" for i in range(5)]
    job = ended(
        client.batches.create_embeddings(
            model="gemini-embedding-001",
            src={
                "inlined_requests": {
                    "contents": texts,
                    "config": {"output_dimensionality": DIMENSIONS},
                }
            },
        )
    )
    answers = job.dest.inlined_embed_content_responses
    assert [len(a.response.embedding.values) for a in answers] == [DIMENSIONS] * len(texts)


def generation_from_file():
    path = write_lines(
        "generate.jsonl", lambda i: {"contents": [{"parts": [{"text": f"say {i}"}]}]}
    )
    job = ended(client.batches.create(model="gemini-2.5-flash", src=upload(path).name))
    answer = results(job)["k7"]["response"]["candidates"][0]["content"]["parts"][0]["text"]
    assert answer == "echo: say 7", answer


def generation_inline():
    src = [
        {"contents": [{"parts": [{"text": f"hello {i}"}], "role": "user"}], "metadata": {"key": f"m{i}"}}
        for i in range(3)
    ]
    job = ended(client.batches.create(model="gemini-2.5-flash", src=src))
    texts = {item.metadata["key"]: item.response.text for item in job.dest.inlined_responses}
    assert texts == {f"m{i}": f"echo: hello {i}" for i in range(3)}, texts


def listing(known):
    names = [job.name for job in client.batches.list(config={"page_size": 2})]
    assert len(names) == 4 and len(set(names)) == 4, names
    assert known.name in names


def cancel_and_delete(uploaded):
    job = client.batches.create_embeddings(
        model="gemini-embedding-001", src={"file_name": uploaded.name}
    )
    client.batches.cancel(name=job.name)
    assert ended(job).state.name.endswith(("CANCELLED", "SUCCEEDED"))
    client.batches.delete(name=job.name)
    refused_with(404, lambda: client.batches.get(name=job.name))


def files(uploaded):
    assert client.files.get(name=uploaded.name).sha256_hash == uploaded.sha256_hash
    names = [file.name for file in client.files.list(config={"page_size": 1})]
    assert len(names) == 2, names
    client.files.delete(name=uploaded.name)
    refused_with(403, lambda: client.files.get(name=uploaded.name))


def at_once():
    embedded = client.models.embed_content(
        model="gemini-embedding-001",
        contents=["one", "two"],
        config={"output_dimensionality": DIMENSIONS},
    )
    assert [len(e.values) for e in embedded.embeddings] == [DIMENSIONS, DIMENSIONS]
    counted = client.models.count_tokens(model="gemini-2.5-flash", contents="some text")
    assert counted.total_tokens == 3
    answer = client.models.generate_content(model="gemini-2.5-flash", contents="some text")
    assert answer.text == "echo: some text"
    refused_with(
        404,
        lambda: client.models.embed_content(model="text-embedding-004", contents="x"),
    )


def refused_with(status, call):
    try:
        call()
    except errors.ClientError as error:
        assert error.code == status, error
        return
    raise AssertionError(f"not refused with {status}")


def main():
    uploaded, job = embeddings_from_file()
    embeddings_inline()
    generation_from_file()
    generation_inline()
    listing(job)
    cancel_and_delete(uploaded)
    files(uploaded)
    at_once()
    print("python client: all calls answered as expected")


main()
