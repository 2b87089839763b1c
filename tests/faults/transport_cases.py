"""Faults of the network and of what stands in it, each with a name: those that mean the same to every
service, and those of the Gemini Developer API alone. vertex_cases.py has those of Vertex AI and Cloud
Storage, table_cases.py those of BigQuery.
"""

import json

from wires import WIRE

SHARDS = 3
START, SEND, QUERY, CREATE, LIST, POLL, DOWNLOAD = (
    WIRE.START, WIRE.SEND, WIRE.QUERY, WIRE.CREATE, WIRE.LIST, WIRE.POLL, WIRE.DOWNLOAD)

HTML = "<!DOCTYPE html><html><body>Sign in to the network</body></html>"
ERROR_200 = '{"error":{"code":503,"status":"UNAVAILABLE","message":"no"}}'
NO_SESSION = {"fault": "status", "code": 404, "body": "no such upload"}


def first(what, fault, **arguments):
    """A rule: the first request of that kind meets the fault."""
    return {**what, "nth": 1, "fault": fault, **arguments}


class Case:
    def __init__(self, *rules, refusals=(), service=(), flags=(), jobs_max=SHARDS, asked=WIRE.ASKED[0],
                 sign_ins=None):
        """`refusals`: exit codes with which the run may end, to be called again; `service`, `flags`: more
        arguments of the service and of the run; `asked`: what it asks of the model; `jobs_max`: jobs that
        may have been made, by us or by a network that repeats requests; `sign_ins`: tokens that were
        asked for."""
        self.rules, self.refusals = list(rules), refusals
        self.service, self.flags, self.jobs_max = service, flags, jobs_max
        self.asked, self.sign_ins = asked, sign_ins


def uploads():
    yield "U1 reset in the bytes", Case(first(SEND, "cut_request", at=0.4))
    yield "U1 close in the bytes", Case(first(SEND, "cut_request", at=0.9, how="close"))
    yield "U1 reset before the bytes", Case(first(SEND, "drop_request"))
    yield "U1 proxy 502", Case(first(SEND, "status", code=502, body=HTML))
    yield "U1 cut, and the query fails too", Case(
        first(SEND, "cut_request"), first(QUERY, "status", code=503))
    for code in (408, 429, 500, 502, 503, 504):
        yield f"U2 start {code}", Case(first(START, "status", code=code))
        yield f"U2 bytes {code}", Case(first(SEND, "status", code=code, effect=code % 2 == 0))
    yield "U2 Retry-After in seconds", Case(first(START, "status", code=429, retry_after=1))
    yield "U2 Retry-After as a date", Case(first(START, "status", retry_after="+2"))
    yield "U3 the session is gone", Case(first(SEND, **NO_SESSION))
    yield "U3 the session is gone in the middle", Case(
        first(SEND, "cut_request"), first(QUERY, "status", code=410))
    yield "U4 the last answer is lost", Case(first(SEND, "drop_answer"))
    yield "U4 the last answer is cut", Case(first(SEND, "cut_answer"))
    yield "U4 the last answer is no JSON", Case(first(SEND, "replace", body=HTML))
    yield "U5 a bit is another", Case(first(SEND, "flip", of="request", at=0.3, bit=3))
    yield "U7 the name is taken", Case(first(SEND, "drop_answer"), first(QUERY, **NO_SESSION))
    for code in (301, 302, 303, 307, 308):
        yield f"U8 redirect {code} of the start", Case(first(START, "redirect", status=code))
        yield f"U8 redirect {code} of the bytes", Case(first(SEND, "redirect", status=code))
    yield "U8 a foreign upload address", Case(first(START, "upload_address"), refusals=[6])
    yield "U9 no room", Case(first(START, "status", code=429, body=json.dumps(
        {"error": {"code": 429, **WIRE.NO_ROOM}})))
    yield "the bytes arrive twice", Case(first(SEND, "twice", give="last"))


def creates():
    for how in ("reset", "close"):
        yield f"S1 {how} after the effect", Case(first(CREATE, "drop_answer", how=how))
        yield f"S1 {how} before the effect", Case(first(CREATE, "drop_request", how=how))
        yield f"S1 {how} in the request", Case(first(CREATE, "cut_request", how=how))
    yield "S1 cut in the head", Case(first(CREATE, "cut_answer", part="head"))
    for framing in ("length", "agreeing", "close", "chunked", "chunked_agreeing"):
        yield f"S1 cut JSON, {framing}", Case(first(CREATE, "cut_answer", framing=framing))
    for code in (408, 429, 500, 502, 503, 504):
        yield f"S1 {code} after the effect", Case(first(CREATE, "status", code=code, effect=True))
    yield "S1 each answer is lost", Case({**CREATE, "nth": [1, 2, 3], "fault": "drop_answer"})
    yield "S1 HTML after the effect", Case(first(CREATE, "replace", body=HTML))
    yield "S1 nothing after the effect", Case(first(CREATE, "replace"))
    yield "S1 a hostile name", Case(first(CREATE, "edit", pattern=WIRE.JOB, by="../../etc"))
    yield "S1 packed", Case(first(CREATE, "pack"))
    yield "S2 late", Case(first(CREATE, "late", after_s=0.1))
    yield "S3 the list says 503", Case(first(CREATE, "drop_answer"), first(LIST, "status"))
    yield "S3 the list is cut", Case(first(CREATE, "drop_answer"), first(LIST, "cut_answer", framing="close"))
    yield "S3 the list is empty", Case(first(CREATE, "drop_answer"), first(LIST, "replace", body="{}"))
    yield "S3 the list is HTML", Case(first(CREATE, "drop_answer"), first(LIST, "replace", body=HTML))
    yield "redirect of a create", Case(first(CREATE, "redirect", status=307, effect=True))


def repeated():
    # The network buys a job too many; the audit at the end must find it.
    yield "S7 a create arrives twice", Case(first(CREATE, "twice"), jobs_max=SHARDS + 1)
    yield "S7 a create arrives twice, the second answer comes", Case(
        first(CREATE, "twice", give="last"), jobs_max=SHARDS + 1)


def polls():
    yield "L1 nobody answers", Case({"nth": list(range(6, 14)), "fault": "drop_request"})
    yield "L5 cut", Case(first(POLL, "cut_answer", framing="close"))
    yield "L5 HTML", Case(first(POLL, "replace", body=HTML))
    yield "L5 empty", Case(first(POLL, "replace"))
    yield "L5 200 with an error", Case(first(POLL, "replace", body=ERROR_200))
    yield "L5 another job", Case(first(POLL, "edit", pattern=WIRE.JOB, by=f"{WIRE.JOBS}/another"))
    yield "L5 nested", Case(first(POLL, "replace", body="[", repeat=1 << 20))
    yield "redirect of a poll", Case(first(POLL, "redirect", status=302))


def downloads():
    for framing in ("length", "agreeing", "close", "chunked", "chunked_agreeing"):
        for how in ("reset", "close"):
            yield f"D1 cut, {framing}, {how}", Case(
                first(DOWNLOAD, "cut_answer", framing=framing, how=how, at=0.6))
    yield "D1 fewer bytes than announced", Case(first(DOWNLOAD, "length", by=50))
    yield "D1 more bytes than announced", Case(first(DOWNLOAD, "length", by=-50))
    yield "D1 HTML", Case(first(DOWNLOAD, "replace", body=HTML))
    yield "D1 HTML again and again", Case({**DOWNLOAD, "nth": [1, 2, 3, 4], "fault": "replace", "body": HTML})
    yield "D1 HTML again and again, length unknown", Case(
        {**DOWNLOAD, "nth": [1, 2, 3, 4], "fault": "replace", "body": HTML}, asked=WIRE.ASKED[-1])
    yield "D1 empty", Case(first(DOWNLOAD, "replace"))
    yield "D1 empty again and again", Case({**DOWNLOAD, "nth": [1, 2, 3, 4, 5, 6, 7], "fault": "replace"})
    yield "D1 bits are others", Case(first(DOWNLOAD, "flip"))
    yield "D2 ignored", Case({**DOWNLOAD, "nth": [1, 2], "fault": "part_of", "do": "ignore"})
    yield "D2 shifted", Case({**DOWNLOAD, "nth": [1, 2], "fault": "part_of", "do": "shift"})
    yield "D2 changed in between", Case({**DOWNLOAD, "nth": [1, 2], "fault": "part_of", "do": "stale"})
    for told in (True, False):
        yield f"D3 gzip, told {told}", Case(first(DOWNLOAD, "pack", header=told))
        yield f"D3 cut gzip, told {told}", Case(first(DOWNLOAD, "pack", header=told, at=0.5))
        yield f"D3 bomb, told {told}", Case(first(DOWNLOAD, "pack", header=told, bomb_bytes=1 << 30))
        yield f"D3 five layers, told {told}", Case(first(DOWNLOAD, "pack", header=told, layers=5))
    yield "D4 huge headers", Case(first(DOWNLOAD, "headers", count=1, size=90_000))
    yield "D4 many headers", Case(first(DOWNLOAD, "headers", count=2000))
    yield "D4 endless lines", Case(first(DOWNLOAD, "endless", text='{"key":"999999","response":{}}\n'),
                                    refusals=[6])
    yield "D4 an endless line", Case(first(DOWNLOAD, "endless", text="["), refusals=[6])
    for what, kind in (("a poll", POLL), ("a create", CREATE), ("a start", START), ("the bytes", SEND)):
        yield f"D4 endless answer to {what}", Case(first(kind, "endless", text="["))
        yield f"D4 endless refusal of {what}", Case(first(kind, "endless", text="[", status=503))
    yield "redirect of a download", Case(first(DOWNLOAD, "redirect", status=302))


def with_limits(help_text):
    """Cases that need limits to be set by flags."""
    if "--stall-timeout" in help_text:
        flags = ["--stall-timeout", "1s", "--request-timeout", "2s"]
        for what, kind in (("the bytes", SEND), ("a create", CREATE), ("a poll", POLL), ("a download", DOWNLOAD)):
            for where in ("before", "after", "body"):
                yield f"stall of {what}, {where}", Case(first(kind, "stall", where=where), flags=flags)
        yield "D4 a byte now and then", Case(first(DOWNLOAD, "slow"), flags=flags)


def of_jobs():
    return [*creates(), *repeated(), *polls()]


def common(help_text):
    """Those of every service that takes files."""
    return [*uploads(), *of_jobs(), *downloads(), *with_limits(help_text)]


def of_gemini():
    yield "U6 part of a chunk is kept", Case(
        first(SEND, "cut_request", at=0.7), service=["--fault", "keep-whole-chunks"])
    for what, by, repeat in (("..", "../../../../etc/passwd", 1), ("CRLF", "files/a\\r\\nX-Evil: 1", 1),
                             ("1 MB", "files/" + "a" * 1024, 1024), ("another origin", "http://x/files/a", 1)):
        yield f"D9 {what}", Case({**POLL, "fault": "edit", "pattern": "files/batch-[a-z0-9]+", "by": by,
                                  "repeat": repeat, "times": 1})
