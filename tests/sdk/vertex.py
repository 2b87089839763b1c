"""google-genai in Vertex mode and google-cloud-bigquery; every answer is looked into."""

import json
import sys
import time

from google import genai
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage
from google.genai import errors, types
from google.oauth2 import credentials

SCRATCH, URL = sys.argv[1:3]
BUCKET = "sdk-bucket"
PROJECT = "sdk-project"


def wait(client, name):
    for _ in range(600):
        job = client.batches.get(name=name)
        if job.done:
            return job
        time.sleep(0.05)
    raise AssertionError(f"{name} has not ended")


def stage(bucket, name, lines):
    bucket.blob(name).upload_from_string("".join(json.dumps(line) + "\n" for line in lines))
    return f"gs://{BUCKET}/{name}"


def answers(bucket, prefix):
    blobs = [blob for blob in bucket.list_blobs(prefix=prefix) if blob.name.endswith("/predictions.jsonl")]
    assert len(blobs) == 1, [blob.name for blob in blobs]
    return {row["key"]: row for row in map(json.loads, blobs[0].download_as_text().splitlines())}


def check_objects(client, bucket):
    source = stage(bucket, "in/g.jsonl", [
        {"key": f"k{i}", "request": {"contents": [{"role": "user", "parts": [{"text": f"text {i}"}]}]}}
        for i in range(20)])
    job = client.batches.create(model="gemini-2.5-flash", src=source, config=types.CreateBatchJobConfig(
        display_name="sdk generation", dest=f"gs://{BUCKET}/out/g"))
    assert job.name.startswith("projects/") and job.state == types.JobState.JOB_STATE_PENDING, job
    job = wait(client, job.name)
    assert job.state == types.JobState.JOB_STATE_SUCCEEDED, job
    rows = answers(bucket, "out/g/")
    assert len(rows) == 20 and all(row["status"] == "" for row in rows.values())
    assert rows["k7"]["response"]["candidates"][0]["content"]["parts"][0]["text"] == "echo: text 7"
    listed = [found.name for found in client.batches.list(config={"page_size": 5, "filter": 'display_name:"sdk*"'})]
    assert listed == [job.name], listed
    client.batches.delete(name=job.name)
    try:
        client.batches.get(name=job.name)
        raise AssertionError("a deleted job is there")
    except errors.ClientError as error:
        assert error.code == 404, error

    source = stage(bucket, "in/e.jsonl", [{"key": "a", "request": {
        "content": {"parts": [{"text": "x y"}]}, "embed_content_config": {"output_dimensionality": 8}}}])
    job = client.batches.create(model="gemini-embedding-001", src=source, config={"dest": f"gs://{BUCKET}/out/e"})
    assert wait(client, job.name).state == types.JobState.JOB_STATE_SUCCEEDED
    assert len(answers(bucket, "out/e/")["a"]["response"]["embedding"]["values"]) == 8


def check_tables(client, tables):
    tables.create_dataset("sdk_dataset")
    rows = [{"key": f"k{i}", "request": {"contents": [{"role": "user", "parts": [{"text": f"text {i}"}]}]}}
            for i in range(30)]
    config = bigquery.LoadJobConfig(
        source_format="NEWLINE_DELIMITED_JSON",
        schema=[bigquery.SchemaField("key", "STRING", "REQUIRED"), bigquery.SchemaField("request", "JSON", "REQUIRED")])
    loaded = tables.load_table_from_json(rows, f"{PROJECT}.sdk_dataset.requests", job_config=config)
    loaded.result()
    assert loaded.output_rows == 30, loaded.output_rows
    job = client.batches.create(model="gemini-2.5-flash", src=f"bq://{PROJECT}.sdk_dataset.requests",
                                config={"dest": f"bq://{PROJECT}.sdk_dataset.answers"})
    assert wait(client, job.name).state == types.JobState.JOB_STATE_SUCCEEDED
    found = {row["key"]: row["response"] for row in tables.list_rows(f"{PROJECT}.sdk_dataset.answers", page_size=7)}
    assert len(found) == 30, len(found)
    extracted = tables.extract_table(
        f"{PROJECT}.sdk_dataset.answers", f"gs://{BUCKET}/ext/rows-*.jsonl",
        job_config=bigquery.ExtractJobConfig(destination_format="NEWLINE_DELIMITED_JSON"))
    extracted.result()
    tables.delete_table(f"{PROJECT}.sdk_dataset.answers")
    tables.delete_table(f"{PROJECT}.sdk_dataset.answers", not_found_ok=True)


def check_cancel(client, bucket):
    source = stage(bucket, "in/c.jsonl", [{"key": "a", "request": {"contents": [{"parts": [{"text": "x"}]}]}}])
    job = client.batches.create(model="gemini-2.5-flash", src=source, config={"dest": f"gs://{BUCKET}/out/c"})
    client.batches.cancel(name=job.name)
    assert wait(client, job.name).done


def main():
    client = genai.Client(vertexai=True, project=PROJECT, location="us-central1",
                          credentials=credentials.Credentials("AIzaTestKey-of-the-sdk-tests"),
                          http_options=types.HttpOptions(base_url=URL))
    options = ClientOptions(api_endpoint=URL)
    bucket = storage.Client(PROJECT, AnonymousCredentials(), client_options=options).bucket(BUCKET)
    tables = bigquery.Client(PROJECT, AnonymousCredentials(), client_options=options, location="us-central1")
    check_objects(client, bucket)
    check_tables(client, tables)
    check_cancel(client, bucket)


main()
