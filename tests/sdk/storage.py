"""The operations of google-cloud-storage, signed in as google-auth does it; every answer is looked into."""

import base64
import json
import os
import random
import sys

import google.auth
import google.auth.transport.requests
from google.api_core import exceptions
from google.auth import compute_engine
from google.cloud import storage
from google.oauth2 import credentials as user_credentials

SCRATCH, URL, KEY_FILE = sys.argv[1:4]
CHUNK = 256 * 1024
CONTENT = random.Random(7).randbytes(3 * CHUNK + 4321)


def check_raises(kind, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except kind:
        return
    raise AssertionError(f"{kind.__name__} was expected")


def check_sign_ins():
    """A token by each kind of sign-in that can be made without Google."""
    request = google.auth.transport.requests.Request()
    by_key, project = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
    by_key.refresh(request)
    assert by_key.token and project == "local-project", project
    user = user_credentials.Credentials(
        None, refresh_token="refresh", client_id="id", client_secret="secret", token_uri=URL + "/token")
    user.refresh(request)
    assert user.token
    machine = compute_engine.Credentials()
    machine.refresh(request)
    assert machine.token and machine.service_account_email.endswith(".gserviceaccount.com")


def check_objects(bucket):
    small = bucket.blob("dir/small \u00e4.txt")
    small.metadata = {"run": "7"}
    small.upload_from_string("content", content_type="text/plain", if_generation_match=0)
    assert small.size == 7 and small.generation and small.crc32c, small._properties
    check_raises(exceptions.PreconditionFailed, small.upload_from_string, "other", if_generation_match=0)
    assert small.download_as_bytes() == b"content"
    small.reload()
    assert small.metadata == {"run": "7"} and small.content_type == "text/plain"

    path = os.path.join(SCRATCH, "large.bin")
    with open(path, "wb") as file:
        file.write(CONTENT)
    large = bucket.blob("dir/large.bin", chunk_size=CHUNK)
    large.upload_from_filename(path, checksum="crc32c")
    assert large.size == len(CONTENT)
    assert large.download_as_bytes(checksum="crc32c") == CONTENT
    assert large.download_as_bytes(start=10, end=19) == CONTENT[10:20]
    whole = bucket.blob("dir/large.bin")
    assert whole.download_as_bytes(checksum="md5") == CONTENT
    with bucket.blob("dir/streamed", chunk_size=CHUNK).open("wb") as stream:  # of unknown length
        for begin in range(0, len(CONTENT), 100_000):
            stream.write(CONTENT[begin:begin + 100_000])
    assert bucket.blob("dir/streamed").download_as_bytes() == CONTENT
    return small, large


def check_lists(client, bucket):
    for i in range(7):
        bucket.blob(f"list/{i}").upload_from_string(str(i))
    names = [blob.name for blob in client.list_blobs(bucket, prefix="list/", page_size=2)]
    assert names == [f"list/{i}" for i in range(7)], names
    pager = client.list_blobs(bucket, delimiter="/")
    assert [blob.name for blob in pager] == [] and pager.prefixes == {"dir/", "list/"}, pager.prefixes
    assert client.get_bucket(bucket.name).name == bucket.name
    check_raises(exceptions.NotFound, client.get_bucket, "no-such-bucket")
    check_raises(exceptions.Conflict, client.create_bucket, bucket.name)


def check_compose_and_delete(bucket, small, large):
    both = bucket.blob("dir/both")
    both.content_type = "text/plain"
    both.compose([small, small], if_generation_match=0)
    assert both.download_as_bytes() == b"contentcontent" and both.component_count == 2
    check_raises(exceptions.PreconditionFailed, large.delete, if_generation_match=1)
    large.delete(if_generation_match=large.generation)
    check_raises(exceptions.NotFound, large.delete)
    check_raises(exceptions.NotFound, large.download_as_bytes)
    assert not large.exists() and both.exists()


def main():
    check_sign_ins()
    client = storage.Client(client_options={"api_endpoint": URL})
    bucket = client.create_bucket("python-bucket")
    small, large = check_objects(bucket)
    check_lists(client, bucket)
    check_compose_and_delete(bucket, small, large)
    with open(KEY_FILE, encoding="utf-8") as file:
        assert json.load(file)["type"] == "service_account"
    assert base64.b64decode(small.crc32c)
    print("google-cloud-storage: all operations did what they should")


main()
