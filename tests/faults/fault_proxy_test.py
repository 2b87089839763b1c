"""The fault proxy does what it says: each of its faults, seen from both of its sides."""

import gzip
import http.server
import inspect
import itertools
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(TESTS / "support"))

import fault_proxy  # noqa: E402

BODY = b"".join(b"%04d," % number for number in range(200))


class Upstream(http.server.ThreadingHTTPServer):
    """A service that keeps what it gets, whole or not, and answers with BODY."""

    def __init__(self):
        self.got, self.changed = [], threading.Condition()
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def await_got(self, count):
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.got) >= count, timeout=20):
                raise AssertionError(f"{len(self.got)} of {count} requests came")
            return self.got


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.server.changed:
            self.server.got.append((self.command, self.path, dict(self.headers), body))
            self.server.changed.notify_all()
        begin, status = 0, 200
        if "Range" in self.headers:
            begin, status = int(re.search(r"\d+", self.headers["Range"]).group()), 206
        self.send_response_only(status)
        self.send_header("Content-Length", str(len(BODY) - begin))
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(BODY) - 1}/{len(BODY)}")
        self.send_header("X-Goog-Upload-URL", f"http://127.0.0.1:{self.server.server_port}/up?upload_id=1")
        self.end_headers()
        self.wfile.write(BODY[begin:])

    do_GET = do_POST = do_DELETE = answer

    def log_message(self, *_):
        pass


class Proxied(unittest.TestCase):
    def setUp(self):
        self.upstream = Upstream()
        self.addCleanup(self.upstream.server_close)
        self.addCleanup(self.upstream.shutdown)

    def proxy(self, fault, **arguments):
        proxy = fault_proxy.FaultProxy(f"http://127.0.0.1:{self.upstream.server_port}",
                                       fault_proxy.Script([{"fault": fault, **arguments}]))
        self.addCleanup(proxy.close)
        return proxy

    def ask(self, proxy, method="GET", headers="", body=b"", bytes_max=1 << 24):
        """The raw answer, and whether a reset ended it."""
        host, port = proxy.base_url.removeprefix("http://").split(":")
        got = b""
        with socket.create_connection((host, int(port)), timeout=20) as client:
            client.sendall(f"{method} /a?secret=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}"
                           f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
            try:
                while len(got) < bytes_max and not self.is_whole(got):
                    data = client.recv(1 << 16)
                    if not data:
                        break
                    got += data
            except ConnectionResetError:
                return got, True
        return got, False

    @staticmethod
    def is_whole(got):
        head, _, body = got.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        return bool(length) and len(body) >= int(length.group(1)) or got.endswith(b"\r\n0\r\n\r\n")

    def expect(self, fault, arguments, body, reset=False, headers=""):
        got, was_reset = self.ask(self.proxy(fault, **arguments), headers=headers)
        head, _, got_body = got.partition(b"\r\n\r\n")
        self.assertEqual((got_body, was_reset), (body, reset), (fault, arguments))
        return head.decode("latin-1")

    def test_none_passes_all_on_and_keeps_uploads_at_itself(self):
        proxy = self.proxy("none")
        got, _ = self.ask(proxy, "POST", "X-A: b\r\n", b"body")
        method, path, headers, body = self.upstream.await_got(1)[0]
        self.assertEqual((method, path, headers["X-A"], body), ("POST", "/a?secret=1", "b", b"body"))
        self.assertTrue(got.endswith(BODY))
        self.assertIn(f"X-Goog-Upload-URL: {proxy.base_url}/up?upload_id=1".encode(), got)
        self.assertEqual(proxy.requests, [("POST", "/a", "none")])

    def test_answers_that_never_come(self):
        for how, reset in (("reset", True), ("close", False)):
            self.assertEqual(self.ask(self.proxy("drop_request", how=how)), (b"", reset))
            self.assertEqual(len(self.upstream.got), 0)
        for how, reset in (("reset", True), ("close", False)):
            self.assertEqual(self.ask(self.proxy("drop_answer", how=how)), (b"", reset))
        self.assertEqual(len(self.upstream.got), 2)
        self.assertEqual(self.ask(self.proxy("late", after_s=0.1)), (b"", True))
        self.upstream.await_got(3)

    def test_a_cut_request_brings_a_part(self):
        self.assertEqual(self.ask(self.proxy("cut_request", at=3), "POST", body=b"abcdef"), (b"", True))
        self.assertEqual(self.upstream.await_got(1)[0][3], b"abc")

    def test_cut_answers(self):
        half = BODY[:500]
        self.assertIn("Content-Length: 1000", self.expect("cut_answer", {}, half))
        self.expect("cut_answer", {"how": "reset"}, half, reset=True)
        self.expect("cut_answer", {"at": -1}, BODY[:-1])
        self.assertIn("Content-Length: 500", self.expect("cut_answer", {"framing": "agreeing"}, half))
        self.assertNotIn("Content-Length", self.expect("cut_answer", {"framing": "close"}, half))
        self.expect("cut_answer", {"framing": "chunked"}, b"1f4\r\n" + half + b"\r\n")
        self.expect("cut_answer", {"framing": "chunked_agreeing"}, b"1f4\r\n" + half + b"\r\n0\r\n\r\n")
        got, _ = self.ask(self.proxy("cut_answer", part="head", at=20))
        self.assertEqual(len(got), 20)

    def test_stalls(self):
        for where, size in (("before", 0), ("after", 0), ("head", None), ("body", None)):
            started = time.monotonic()
            got, reset = self.ask(self.proxy("stall", where=where, seconds=0.2))
            self.assertTrue(reset)
            self.assertGreater(time.monotonic() - started, 0.2)
            self.assertEqual((len(got) == 0, got.endswith(BODY)), (size == 0, False), where)
            self.assertEqual(b"\r\n\r\n" in got, where == "body")
        self.assertEqual(len(self.upstream.got), 3)

    def test_slow_and_endless_bodies(self):
        self.expect("slow", {"interval_ms": 1, "bytes_max": 5}, BODY[:5])
        got, _ = self.ask(self.proxy("endless", text="ab"), bytes_max=1 << 21)
        self.assertGreater(len(got), 1 << 21)
        self.assertIn(b"abababab", got)

    def test_bits_lengths_and_headers(self):
        flipped = bytearray(BODY)
        flipped[10] ^= 1
        self.expect("flip", {"at": 10, "bit": 0}, bytes(flipped))
        self.ask(self.proxy("flip", of="request", at=0, bit=1), "POST", body=b"abc")
        self.assertEqual(self.upstream.await_got(2)[1][3], b"cbc")
        self.assertIn("Content-Length: 1007", self.expect("length", {"by": 7}, BODY))
        self.assertIn("Content-Length: 993", self.expect("length", {"by": -7}, BODY))
        self.assertEqual(self.expect("headers", {"count": 300, "size": 5}, BODY).count("hhhhh"), 300)

    def test_requests_that_arrive_twice(self):
        self.expect("twice", {}, BODY)
        self.assertEqual(len(self.upstream.await_got(2)), 2)

    def test_other_answers(self):
        self.assertIn("403", self.expect("replace", {"status": 403, "body": "no", "repeat": 2}, b"nono"))
        self.expect("edit", {"pattern": r"\d{4}", "by": "x"}, b"x," * 200)
        self.expect("edit", {"pattern": "^0000", "by": "x", "status": 203}, b"x" + BODY[4:])
        self.assertEqual(gzip.decompress(self.packed(header=True)), BODY)
        self.assertEqual(gzip.decompress(gzip.decompress(self.packed(header=False, layers=2))), BODY)
        self.assertEqual(len(self.packed(at=20)), 20)
        self.assertEqual(len(gzip.decompress(self.packed(bomb_bytes=3 << 20))) > 3000, True)
        head = self.expect("status", {"code": 429, "retry_after": 7, "body": "wait"}, b"wait")
        self.assertIn("Retry-After: 7", head)
        head = self.expect("status", {"retry_after": "+2"}, b"")
        self.assertRegex(head, r"503 [^$]*Retry-After: \w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT")

    def test_edits_are_counted_by_what_they_change(self):
        proxy = self.proxy("edit", pattern="^0000", by="x", times=2)
        self.assertEqual([self.ask(proxy)[0].endswith(b"\r\n\r\nx" + BODY[4:]) for _ in range(3)],
                         [True, True, False])
        nothing = self.proxy("edit", pattern="not there", by="x")
        self.ask(nothing)
        self.assertEqual((proxy.faults(), nothing.faults()), (["edit", "edit"], []))

    def test_headers_change(self):
        head = self.expect("headers", {"change": {"X-Goog-Upload-URL": None, "ETag": '"x"'}}, BODY)
        self.assertNotIn("Upload", head)
        self.assertIn('ETag: "x"', head)

    def packed(self, **arguments):
        got, _ = self.ask(self.proxy("pack", **arguments))
        head, _, body = got.partition(b"\r\n\r\n")
        self.assertEqual(b"Content-Encoding: gzip" in head, arguments.get("header", True))
        return body

    def test_other_origins_keep_what_they_get(self):
        proxy = self.proxy("redirect", status=308)
        got, _ = self.ask(proxy)
        location = re.search(rb"308 .*Location: (http://127\.0\.0\.1:\d+)/a\?secret=1", got, re.S).group(1)
        self.assertEqual(location.decode(), proxy.second.url)
        got, _ = self.ask(self.proxy("upload_address"))
        self.assertNotIn(str(self.upstream.server_port).encode() + b"/up", got)
        host, port = proxy.second.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as client:
            client.sendall(b"GET /follows HTTP/1.1\r\nX-Key: k\r\n\r\n")
            self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 200"))
        self.assertIn(b"X-Key: k", proxy.second.received)

    def test_ranges(self):
        half = BODY[:500]
        for do in ("ignore", "shift", "stale"):
            self.assertIn('ETag: "first"', self.expect("part_of", {"do": do}, half, reset=True))
        head = self.expect("part_of", {"do": "ignore"}, BODY, headers="Range: bytes=500-\r\n")
        self.assertTrue(head.startswith("HTTP/1.1 200"))
        head = self.expect("part_of", {"do": "shift"}, BODY[500:], headers="Range: bytes=500-\r\n")
        self.assertIn("Content-Range: bytes 507-1006/1007", head)
        head = self.expect("part_of", {"do": "stale"}, BODY[500:], headers="Range: bytes=500-\r\n")
        self.assertIn('ETag: "second"', head)

    def test_a_rule_counts_what_it_matches(self):
        rules = [{"method": "POST", "fault": "drop_request"},
                 {"path": r"\?secret", "nth": [2, 4], "fault": "replace", "body": "no"}]
        proxy = fault_proxy.FaultProxy(f"http://127.0.0.1:{self.upstream.server_port}",
                                       fault_proxy.Script(rules))
        self.addCleanup(proxy.close)
        answers = [self.ask(proxy)[0].endswith(b"no") for _ in range(5)]
        self.assertEqual(answers, [False, True, False, True, False])
        self.assertEqual(self.ask(proxy, "POST"), (b"", True))
        with self.assertRaises(ValueError):
            fault_proxy.Script([{"fault": "none", "size": 1}])

    def test_a_rule_chooses_by_headers(self):
        plan = fault_proxy.Script([{"range": r"^bytes \*", "fault": "stall"},
                                   {"upload": "query", "fault": "slow"}, {"path": "never", "fault": "twice"}])
        chosen = [plan.choose(fault_proxy.Exchange(None, None, "PUT", "/", headers, b""))[0]
                  for headers in ([("Content-Range", "bytes */9")], [("content-range", "bytes 0-8/9")],
                                  [("X-Goog-Upload-Command", "query")])]
        self.assertEqual(chosen, ["stall", "none", "slow"])
        self.assertEqual(plan.unused, {2})

    def test_a_seed_gives_the_same_faults_again(self):
        exchange = fault_proxy.Exchange(None, None, "GET", "/", [], b"")
        drawn = [[plan.choose(exchange) for _ in range(1000)]
                 for plan in (fault_proxy.Chance(5), fault_proxy.Chance(5), fault_proxy.Chance(6))]
        self.assertEqual(drawn[0], drawn[1])
        self.assertNotEqual(drawn[0], drawn[2])
        self.assertEqual(sum(name != "none" for name, _ in drawn[0]), 30)
        for name, arguments in itertools.chain(*drawn):
            inspect.signature(fault_proxy.FAULTS[name]).bind(None, **arguments)

    def test_as_a_program(self):
        with tempfile.TemporaryDirectory() as folder:
            script, log = pathlib.Path(folder, "script"), pathlib.Path(folder, "log")
            script.write_text(json.dumps([{"fault": "replace", "body": "no"}]))
            program = subprocess.Popen(
                [sys.executable, "-B", TESTS / "support" / "fault_proxy.py", "--to",
                 f"http://127.0.0.1:{self.upstream.server_port}", "--script", script, "--log", log,
                 "--lifetime", "60"], stdout=subprocess.PIPE, text=True)
            try:
                proxy = self.proxy("none")
                proxy.base_url = program.stdout.readline().strip()
                self.assertTrue(self.ask(proxy)[0].endswith(b"\r\n\r\nno"))
                self.assertEqual(json.loads(log.read_text())["path"], "/a")
            finally:
                program.terminate()
                program.communicate(timeout=20)
            self.assertEqual(program.returncode, 0)

    def test_the_manual_names_every_fault(self):
        manual = (TESTS.parent / "docs" / "testing.md").read_text(encoding="utf-8")
        missing = [name for name in fault_proxy.FAULTS if f"`{name}`" not in manual]
        self.assertEqual(missing, [])


if __name__ == "__main__":
    os.environ.pop("http_proxy", None)
    unittest.main(verbosity=2)
