"""Faults that only Vertex AI and Cloud Storage can have: of upload sessions, checksums, lists of objects,
addresses of results, and tokens. Beside those of transport_cases.py."""

import json
import re

from transport_cases import (CREATE, DOWNLOAD, HTML, LIST, POLL, QUERY, SEND, SHARDS, START, Case, first)
from wires import WIRE


# What the CI form leaves out over Vertex AI: other statuses, framings, ways to break off and members of
# the same fault. Both services go through the same HTTP client, and over Gemini CI meets them all.
LONG_ONLY = re.compile("|".join([
    "^U2 (start|bytes) (408|500|502|504)", "^U8 redirect 30[123] of the bytes",
    "^U8 redirect 30[12] of the start", "^S1 close", "^S1 cut JSON, (length|close|chunked)$",
    "^S1 (429|500|502|504) after",
    "^S3 the list is cut", "^L5 (cut|nested)", "^D1 cut, .*, reset$", "^D1 HTML again and again$",
    "^D3 .*gzip, told True", "^D3 (bomb|five layers), told False", "^D4 many headers",
    "^D4 endless refusal of (a poll|a start|the bytes)", "^stall of (the bytes|a poll), (before|after)",
    "^stall of a download, (before|after)", "^stall of a create, before",
    "^C2 308 with (a hole|no number|another unit)", "^C2 308 with less .*True", "^C2 308 with more .*True",
    "^C4 bit [05]", "^C4 a stored object has (no real sum|a size|a hostile|no generation)",
    "^C4 a description has (no real sum|a size|another bucket|no generation)",
    "^C4 a download says (Content-Encoding br|x-goog-generation)",
    "^C5 a (list|description) is cut, (length|close)", "^C5 a description is (nothing|nested|packed|endless)",
    "^C5 (redirect of )?a description( says 503)?$", "^C6 the next page is lost, drop",
    "^C7 a found folder is (empty|1 MB)", "^D9 (1 MB|a table)", "^A3 sign-in (408|500)", "^A3 redirect 302",
    "^A3 the answer is nested"]))


def refused(code, word, reason):
    """As Cloud Storage says it, and in the newer form of Vertex AI, which both are read from."""
    error = {"code": code, "status": word, "message": "no", "errors": [{"reason": reason}]}
    return json.dumps({"error": error})


GONE = refused(404, "NOT_FOUND", "notFound")
TAKEN = refused(412, "FAILED_PRECONDITION", "conditionNotMet")
UNKNOWN_TOKEN = refused(401, "UNAUTHENTICATED", "authError")
NO_ROOM = refused(403, "RESOURCE_EXHAUSTED", "quotaExceeded")


def member(name, value):
    """Arguments of an edit: the texts of that name have another value (as JSON has it)."""
    return {"fault": "edit", "pattern": f'"{name}": ?"[^"]*"', "by": f'"{name}":"{value}"'}


def all_kinds():
    """What a run always asks for, with words for it."""
    return (("a start", START), ("the bytes", SEND), ("a create", CREATE), ("a list of jobs", LIST),
            ("a poll", POLL), ("a list of objects", WIRE.LIST_OBJECTS), ("a description", WIRE.DESCRIBE),
            ("a download", DOWNLOAD))


def sessions():
    for code in (404, 410):
        yield f"C1 session gone, {code} of the bytes", Case(first(SEND, "status", code=code, body=GONE))
        yield f"C1 session gone, {code} of the question", Case(
            first(SEND, "cut_request"), first(QUERY, "status", code=code))
    yield "C2 nothing was kept", Case(first(SEND, "replace", status=308, effect=False))
    yield "C2 a part was kept", Case(first(SEND, "cut_request", at=0.7), service=["--fault", "keep-less"])
    for what, value in (("less than is there", "bytes=0-99"), ("more than there can be", "bytes=0-99999999"),
                        ("a hole", "bytes=5-9"), ("another unit", "items=0-3"), ("no number", "bytes=0-x"),
                        ("a huge number", "bytes=0-99999999999999999999")):
        for effect in (True, False):
            yield f"C2 308 with {what}, stored {effect}", Case(
                first(SEND, "replace", status=308, effect=effect, headers={"Range": value}))
    yield "C2 308 again and again", Case(
        {**SEND, "nth": [1, 2, 3], "fault": "replace", "status": 308, "effect": False})
    yield "C2 308 of the question too", Case(
        first(SEND, "drop_answer"), first(QUERY, "replace", status=308, effect=False))
    yield "A1 401 of a question", Case(
        first(SEND, "cut_request"), first(QUERY, "status", code=401, body=UNKNOWN_TOKEN), sign_ins=2)
    yield "C1 no upload address", Case(first(START, "headers", change={"Location": None}))
    for what, address in (("no whole one", "/upload/x?upload_id=1"),
                          ("a hostile scheme", "file:///etc/passwd"),
                          ("a name before the host", "http://127.0.0.1@x.invalid/?upload_id=1")):
        yield f"U8 an upload address that is {what}", Case(
            first(START, "headers", change={"Location": address}), refusals=[6])
    yield "U9 no room, 403", Case(first(START, "status", code=403, body=NO_ROOM))


def preconditions():
    yield "C3 taken after a lost answer", Case(
        first(SEND, "drop_answer"), first(QUERY, "status", code=412, body=TAKEN))
    for what, kind in (("start", START), ("bytes", SEND)):
        for form, body in (("JSON", TAKEN), ("HTML", HTML)):
            yield f"C3 412 of the {what} though nothing is there, {form}", Case(
                first(kind, "status", code=412, body=body))
    # They stay, because nobody hears that they are to go; the next try finds them under the name.
    yield "C3 taken by other bytes", Case(
        first(SEND, "flip", of="request", bit=1), first(WIRE.DELETE, "drop_request"))


def checksums():
    for bit in (0, 2, 5):
        yield f"C4 bit {bit} of an upload", Case(first(SEND, "flip", of="request", at=0.7, bit=bit))
        yield f"C4 bit {bit} of a download", Case(first(DOWNLOAD, "flip", at=0.6, bit=bit))
    yield "C4 bits of downloads again and again", Case(
        {**DOWNLOAD, "nth": [1, 2, 3, 4], "fault": "flip", "at": 0.6, "bit": 0})
    for what, name, value in (
            ("another sum", "crc32c", "AAAAAA=="), ("no real sum", "crc32c", "!!!!!!=="),
            ("no sum", "crc32c", ""), ("another size", "size", "7"), ("a size below zero", "size", "-7"),
            ("another name", "name", "runs/in/another.jsonl"), ("another bucket", "bucket", "another-bucket"),
            ("a hostile name", "name", "a\\r\\nX-Evil: 1"), ("another generation", "generation", "12345"),
            ("no generation", "generation", "")):
        yield f"C4 a stored object has {what}", Case(first(SEND, **member(name, value)))
        yield f"C4 a description has {what}", Case(first(WIRE.DESCRIBE, **member(name, value)))
    # Such an object is stored packed, and what is sent has no checksum: nobody may use it.
    yield "C4 a description has an encoding", Case(
        first(WIRE.DESCRIBE, "edit", pattern="^{", by='{"contentEncoding":"gzip",'), refusals=[6])
    for name, value in (("x-goog-hash", "crc32c=AAAAAA=="), ("x-goog-stored-content-length", "7"),
                        ("x-goog-stored-content-encoding", "gzip"), ("x-goog-generation", "7"),
                        ("Content-Encoding", "gzip"), ("Content-Encoding", "br"), ("ETag", None)):
        yield f"C4 a download says {name} {value}", Case(first(DOWNLOAD, "headers", change={name: value}))


def objects():
    for what, kind in (("a list", WIRE.LIST_OBJECTS), ("a description", WIRE.DESCRIBE)):
        for framing in ("length", "agreeing", "close"):
            yield f"C5 {what} is cut, {framing}", Case(first(kind, "cut_answer", framing=framing))
        yield f"C5 {what} is HTML", Case(first(kind, "replace", body=HTML))
        yield f"C5 {what} is nothing", Case(first(kind, "replace"))
        yield f"C5 {what} is nested", Case(first(kind, "replace", body="[", repeat=1 << 20))
        yield f"C5 {what} is endless", Case(first(kind, "endless", text="["))
        yield f"C5 {what} is packed", Case(first(kind, "pack"))
        yield f"C5 {what} says 503", Case(first(kind, "status"))
        yield f"C5 redirect of {what}", Case(first(kind, "redirect", status=302))
        yield f"C5 {what} says 404", Case(first(kind, "status", code=404, body=GONE))
        yield f"C5 {what} says 404 in HTML", Case(first(kind, "status", code=404, body=HTML))
    yield "C5 a download says 404", Case(first(DOWNLOAD, "status", code=404, body="No such object: a/b"))
    yield "C5 a download says 416", Case(first(DOWNLOAD, "status", code=416))
    for times in (1, 3):
        yield f"C6 objects are missing, {times} times", Case(
            {**WIRE.LIST_OBJECTS, "nth": list(range(1, times + 1)), "fault": "replace", "body": "{}"})
    next_page = {**WIRE.LIST_OBJECTS, "path": "^/storage/.*/o\\?.*pageToken="}
    for fault in ("drop_request", "drop_answer", "cut_answer", "status"):
        yield f"C6 the next page is lost, {fault}", Case(
            first(next_page, fault), service=["--fault", "list-empty-page"])
    another = {"fault": "edit", "pattern": '"kind": ?"storage#objects"', "by": '"nextPageToken":"after/"'}
    yield "C6 a page comes twice", Case(first(WIRE.LIST_OBJECTS, **another))
    yield "C6 the same page again and again", Case({**WIRE.LIST_OBJECTS, "nth": [1, 2, 3, 4], **another})
    yield "C6 cleaning up: lost", Case(first(WIRE.DELETE, "drop_answer"))
    yield "C6 cleaning up: HTML", Case(first(WIRE.DELETE, "replace", body=HTML))
    yield "C6 cleaning up: gone", Case(first(WIRE.DELETE, "status", code=404, body=GONE))


def hostile_names():
    for what, name in (
            ("..", "../../etc/passwd"), ("short", "a"), ("CRLF", "runs/out/a\\r\\nX-Evil: 1"), ("empty", ""),
            ("1 MB", "runs/" + "a" * (1 << 20)), ("far away", "z/" + "y" * 120 + "/predictions.jsonl"),
            (".. behind the prefix", "runs/out/" + "../" * 40 + "etc/predictions.jsonl")):
        rule = {**WIRE.LIST_OBJECTS, **member("name", name), "times": 1}
        yield f"C7 a listed name is {what}", Case(rule)
        # Here the list is all that tells where the answers are.
        yield f"C7 a found folder is {what}", Case(rule, service=["--fault", "no-output-info"])
    yield "C7 a listed object is in another bucket", Case(
        {**WIRE.LIST_OBJECTS, **member("bucket", "another-bucket"), "times": 1})
    own = f"gs://{WIRE.BUCKET}"
    for what, address in (
            ("..", "../../../../etc/passwd"), (".. as a bucket", "gs://../../etc"), ("empty", ""),
            (".. in a bucket", f"{own}/../../etc"), ("CRLF", f"{own}/a\\r\\nX-Evil: 1"),
            ("1 MB", f"{own}/" + "a" * (1 << 20)), ("another origin", "http://x/files/a"),
            ("another bucket", "gs://another-bucket/runs/out"), ("the whole bucket", own),
            ("all answers", f"{own}/runs/out"), ("another run's", f"{own}/runs/out/another"),
            ("a table", "bq://a.b.c")):
        yield f"D9 {what}", Case({**POLL, **member("gcsOutputDirectory", address), "times": 1})


def tokens(kinds):
    for what, kind in kinds:
        yield f"A1 401 of {what}", Case(first(kind, "status", code=401, body=UNKNOWN_TOKEN), sign_ins=2)
    # Not the service's word: it may have made the job.
    yield "A1 401 in HTML after the effect of a create", Case(
        first(CREATE, "status", code=401, body=HTML, effect=True), refusals=[4])
    token = WIRE.TOKEN
    yield "A2 tokens end, and the next one's answer is lost", Case(
        {**token, "nth": 2, "fault": "drop_answer"}, service=["--token-life", "300ms"])
    for code in (408, 429, 500, 503):
        yield f"A3 sign-in {code}", Case(first(token, "status", code=code))
    yield "A3 sign-in 400, which passes", Case(
        first(token, "status", code=400, body='{"error":"temporarily_unavailable"}'))
    yield "A3 sign-in 403 in HTML", Case(first(token, "status", code=403, body=HTML))
    yield "A3 the answer is lost", Case(first(token, "drop_answer"))
    yield "A3 the answer is late", Case(first(token, "late"))
    yield "A3 the answer is cut", Case(first(token, "cut_answer", framing="close"))
    yield "A3 the answer is HTML", Case(first(token, "replace", body=HTML))
    yield "A3 the answer is nothing", Case(first(token, "replace"))
    yield "A3 the answer is endless", Case(first(token, "endless", text="["))
    yield "A3 the answer is nested", Case(first(token, "replace", body="[", repeat=1 << 18))
    for status in (302, 307):
        yield f"A3 redirect {status}", Case(first(token, "redirect", status=status))
    for what, word in (("CRLF", "a\\r\\nX-Evil: 1"), ("1 MB", "a" * (1 << 20)), ("empty", "")):
        yield f"A3 a token is {what}", Case(first(token, **member("access_token", word)))
    yield "A3 a token that nobody knows", Case(
        first(token, **member("access_token", "ya29.emulated-token-unknown")), sign_ins=2)
    yield "A3 a token without a life", Case(
        first(token, "edit", pattern='"expires_in": ?[0-9]+', by='"expires_in":0'))


def of_vertex():
    return [*sessions(), *preconditions(), *checksums(), *objects(), *hostile_names(), *tokens(all_kinds())]
