"""Faults that only runs by tables of BigQuery can have: of loads, of descriptions and of pages of rows.
Beside the creates, lists, polls and tokens of transport_cases.py and vertex_cases.py."""

import json
import re

from transport_cases import CREATE, DOWNLOAD, ERROR_200, HTML, LIST, POLL, SEND, Case, first
from vertex_cases import GONE, member, refused, tokens
from wires import WIRE

# What the CI form leaves out: other statuses and ways to break off, and what it has of jobs and tokens
# over Cloud Storage.
LONG_ONLY = re.compile("|".join([
    "^A3 ", "^A1 401 of (a create|a list|a poll)", "^S1 ", "^L5 ", "^S3 the list is (cut|HTML)",
    "is cut, (length|close|chunked)$", "says (408|429|500)$", "is (a list|nested|endless|packed|elsewhere)$",
    "B3 .*(drop_request|cut_request|nothing|stalls)$", "^B2 it failed: (internal|stopped)"]))

TAKEN = refused(409, "ALREADY_EXISTS", "duplicate")
QUOTA = refused(403, "PERMISSION_DENIED", "rateLimitExceeded")
PAGE = '{"kind":"bigquery#tableDataList","totalRows":"%s","rows":[%s]}'
# What a page says of its table.
TOTAL = '"totalRows": ?"[0-9]+"'


def all_kinds():
    return (("a dataset", WIRE.DATASET), ("the bytes", SEND), ("a load", WIRE.LOAD), ("a create", CREATE),
            ("a list of jobs", LIST), ("a poll", POLL), ("a description", WIRE.DESCRIBE),
            ("a page", DOWNLOAD))


def answers(what, kind):
    """Each way in which an answer that may be asked for again is lost or is another."""
    for fault in ("drop_request", "drop_answer", "cut_request"):
        yield f"{what}: {fault}", Case(first(kind, fault))
    for framing in ("length", "agreeing", "close", "chunked"):
        yield f"{what} is cut, {framing}", Case(first(kind, "cut_answer", framing=framing))
    for form, body in (("HTML", HTML), ("nothing", ""), ("an error with 200", ERROR_200), ("a list", "[]"),
                       ("another object", "{}")):
        yield f"{what} is {form}", Case(first(kind, "replace", body=body))
    yield f"{what} is nested", Case(first(kind, "replace", body="[", repeat=1 << 20))
    yield f"{what} is endless", Case(first(kind, "endless", text="["))
    yield f"{what} is packed", Case(first(kind, "pack"))
    for code in (408, 429, 500, 503):
        yield f"{what} says {code}", Case(first(kind, "status", code=code, effect=code == 500))
    yield f"{what} says 403, which passes", Case(first(kind, "status", code=403, body=QUOTA))
    yield f"{what} says 404 in HTML", Case(first(kind, "status", code=404, body=HTML))
    yield f"{what} is elsewhere", Case(first(kind, "redirect", status=307))
    yield f"{what} stalls", Case(first(kind, "stall", where="before"),
                                 flags=["--stall-timeout", "1s", "--request-timeout", "2s"])


def loads():
    yield from answers("B1 the bytes", SEND)
    yield from answers("B2 a load", WIRE.LOAD)
    yield "B1 a bit is another", Case(first(SEND, "flip", of="request", at=0.5, bit=3))
    yield "B1 the bytes arrive twice", Case(first(SEND, "twice", give="last"))
    yield "B1 each answer is lost", Case({**SEND, "nth": [1, 2, 3], "fault": "drop_answer"})
    yield "B1 taken, though it is not", Case(first(SEND, "status", code=409, body=TAKEN))
    yield "B1 the load is lost", Case(service=["--fault", "table-job-lost"])
    yield "B2 it is not known", Case(first(WIRE.LOAD, "status", code=404, body=GONE))
    yield "B2 it is another", Case(first(WIRE.LOAD, **member("jobId", "another")))
    yield "B2 its state is another", Case(first(WIRE.LOAD, **member("state", "NEW_WORD")))
    yield "B2 its rows are others", Case(first(WIRE.LOAD, **member("sluice_sha256", "0" * 40)))
    for reason in ("backendError", "internalError", "stopped"):
        failed = {"state": "DONE", "errorResult": {"reason": reason, "message": "no"}}
        yield f"B2 it failed: {reason}", Case(first(
            WIRE.LOAD, "edit", pattern='"status": ?{[^}]*}', by=f'"status":{json.dumps(failed)}'))
    yield from answers("B3 a dataset", WIRE.DATASET)
    yield "B3 making it: taken", Case(first(WIRE.MAKE_DATASET, "status", code=409, body=TAKEN))
    yield "B3 making it: lost", Case(first(WIRE.MAKE_DATASET, "drop_answer"))


def loads_from_the_bucket():
    for name, case in answers("B8 an insert", WIRE.INSERT):
        case.flags = [*case.flags, "--bucket", WIRE.BUCKET]
        yield name, case
    yield "B8 taken, though it is not", Case(
        first(WIRE.INSERT, "status", code=409, body=TAKEN), flags=["--bucket", WIRE.BUCKET])


def pages():
    yield from answers("B4 a description", WIRE.DESCRIBE)
    yield "B4 a column has another name", Case(
        first(WIRE.DESCRIBE, "edit", pattern="response", by="another"))
    yield from answers("B5 a page", DOWNLOAD)
    yield "B5 HTML again and again", Case(
        {**DOWNLOAD, "nth": [1, 2, 3, 4], "fault": "replace", "body": HTML})
    for what, total in (("fewer", 1), ("more", 21), ("none", 0), ("huge", 1 << 62), ("below zero", -1)):
        yield f"B5 rows are {what}", Case(first(DOWNLOAD, "edit", pattern=TOTAL, by=f'"totalRows":"{total}"'))
    yield "B5 no row comes", Case(first(DOWNLOAD, "replace", body=PAGE % ("20", "")))
    yield "B5 no row is there", Case(first(DOWNLOAD, "replace", body=PAGE % ("0", "")))
    yield "B5 rows have no cells", Case(first(DOWNLOAD, "replace", body=PAGE % ("1", "{}")))
    yield "B5 rows have too many cells", Case(
        first(DOWNLOAD, "replace", body=PAGE % ("1", '{"f":[%s]}' % ",".join(['{"v":"x"}'] * 1000))))
    yield "B5 rows without end", Case(first(DOWNLOAD, "endless", text='{"rows":[' + '{"f":[]},' * 50))
    # A page that leads to itself.
    another = {"fault": "edit", "pattern": '"kind": ?"bigquery#tableDataList"', "by": '"pageToken":"@0"'}
    yield "B5 a page comes twice", Case(first(DOWNLOAD, **another))
    yield "B5 the same page again and again", Case({**DOWNLOAD, "nth": [1, 2, 3, 4], **another})
    yield "B6 cleaning up: lost", Case(first(WIRE.DELETE, "drop_answer"))
    yield "B6 cleaning up: HTML", Case(first(WIRE.DELETE, "replace", body=HTML))
    yield "B6 cleaning up: gone", Case(first(WIRE.DELETE, "status", code=404, body=GONE))


def hostile_addresses():
    for what, table in (("..", "../../etc"), ("CRLF", "a\\r\\nX-Evil: 1"), ("empty", ""), ("1 MB", "a" * (1 << 20)),
                        ("another", "out_another"), ("the input", "in_another"), ("two", "a.b.c.d")):
        yield f"B7 a table is {what}", Case({**POLL, **member("bigqueryOutputTable", table), "times": 1})
    for what, dataset in (("..", "bq://../../etc"), ("empty", ""), ("another project", "bq://another.faults"),
                          ("an object", "gs://another-bucket/x"), ("an origin", "http://x.invalid/x")):
        yield f"B7 a dataset is {what}", Case({**POLL, **member("bigqueryOutputDataset", dataset), "times": 1})
    yield "B7 no table is named", Case(service=["--fault", "no-output-info"])


def of_tables():
    return [*loads(), *loads_from_the_bucket(), *pages(), *hostile_addresses(), *tokens(all_kinds())]
