#!/usr/bin/python3
"""A proxy on loopback that breaks exchanges as networks, middleboxes and services break them.

It stands between a client and an HTTP service (sluice and `sluice emulate`), passes requests on one by
one, and does to each what a script says, or, in random mode, what a seed says:

    fault_proxy.py --to http://127.0.0.1:8787 --script faults.json
    fault_proxy.py --to http://127.0.0.1:8787 --random 7 --rate 0.2 --faults-max 30

It prints its own base URL and runs until its parent is gone, SIGTERM, or --lifetime. --log FILE keeps one
JSON line for each request: method, path and what was done to it, never headers or bodies.

A script is a list of rules. The first rule that matches a request decides; a rule counts the requests
that match it, and `nth` (a number or a list, from 1; absent: each) chooses among them:

    [{"method": "GET", "path": ":download$", "nth": 1, "fault": "cut_answer", "at": 100}]

`path` is a regular expression, searched for in the path with its query; `upload` and `range` (regular
expressions too) are searched for in the headers X-Goog-Upload-Command and Content-Range. All further
members are arguments of the fault; docs/testing.md lists the faults, and each is one short function below.

Redirects and foreign upload addresses lead to a second origin, which keeps every byte that it is sent
(--second-log FILE): nothing secret may ever arrive there.
"""

import argparse
import email.utils
import gzip
import http.client
import inspect
import itertools
import json
import os
import random
import re
import select
import signal
import socket
import struct
import sys
import threading
import time
import urllib.parse

UPSTREAM_TIMEOUT_S = 60
HOLD_S = 600  # the longest time that a connection is held without a byte
HEAD_BYTES_MAX = 1 << 20

FAULTS = {}
# Members of a rule that choose by a header of the request.
MATCHED_HEADERS = {"upload": "x-goog-upload-command", "range": "content-range"}


def fault(function):
    """Registers a fault: a function of the exchange and of its arguments, all of which have defaults."""
    FAULTS[function.__name__] = function
    return function


class Ended(Exception):
    """The connection to the client has been ended."""


class Answer:
    """What the service answered, to be changed before it is sent on."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def set(self, name, value):
        """Replaces a header; None removes it."""
        self.headers = [pair for pair in self.headers if pair[0].lower() != name.lower()]
        if value is not None:
            self.headers.append((name, value))

    def get(self, name, default=""):
        return next((value for key, value in self.headers if key.lower() == name.lower()), default)

    def head(self, framing="length", length=None):
        """`framing`: how the end of the body is told ("length", "chunked", "close")."""
        self.set("Content-Length", None)
        self.set("Transfer-Encoding", None)
        if framing == "length":
            self.set("Content-Length", str(len(self.body) if length is None else length))
        elif framing == "chunked":
            self.set("Transfer-Encoding", "chunked")
        else:
            self.set("Connection", "close")
        lines = [f"HTTP/1.1 {self.status} {http.client.responses.get(self.status, 'Status')}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunked(body, size=4096):
    parts = [body[at:at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)


class Exchange:
    """One request, and the two connections that it is about."""

    def __init__(self, proxy, client, method, target, headers, body):
        self.proxy, self.client = proxy, client
        self.method, self.target, self.headers, self.body = method, target, headers, body
        self.number = None  # of all that came to the proxy

    def header(self, name):
        """The last one of that name, which is told in small letters."""
        return dict((key.lower(), value) for key, value in self.headers).get(name, "")

    def forward(self):
        """Passes the request on and gives the whole answer."""
        upstream = http.client.HTTPConnection(*self.proxy.upstream, timeout=UPSTREAM_TIMEOUT_S)
        try:
            upstream.putrequest(self.method, self.target, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers:
                if name.lower() not in ("host", "connection"):
                    upstream.putheader(name, value)
            upstream.putheader("Host", "{}:{}".format(*self.proxy.upstream))
            upstream.endheaders(self.body if self.body else None)
            response = upstream.getresponse()
            body = response.read()
            headers = [(name, value.replace(self.proxy.upstream_url, self.proxy.base_url))
                       for name, value in response.getheaders() if name.lower() != "connection"]
            return Answer(response.status, headers, body)
        except (OSError, http.client.HTTPException):
            self.end("reset")
        finally:
            upstream.close()

    def send(self, data):
        try:
            self.client.sendall(data)
        except OSError:
            raise Ended from None

    def give(self, answer):
        self.send(answer.head() + answer.body)

    def end(self, how="close"):
        """Ends the connection to the client: politely, or with a reset."""
        if how == "reset":
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            try:  # so that no reset follows for bytes which nobody has read
                self.client.shutdown(socket.SHUT_WR)
                self.client.settimeout(1)
                while self.client.recv(1 << 16):
                    pass
            except OSError:
                pass
        raise Ended

    def hold(self, seconds=HOLD_S):
        """Sends nothing until the client leaves, or the time is over."""
        deadline = time.monotonic() + min(seconds, HOLD_S)
        while time.monotonic() < deadline and not self.proxy.closing.is_set():
            if self.is_left():
                raise Ended
            time.sleep(0.02)

    def is_left(self):
        readable, _, _ = select.select([self.client], [], [], 0)
        try:
            return bool(readable) and not self.client.recv(1, socket.MSG_PEEK)
        except OSError:
            return True


def place(at, size):
    """A place in `size` bytes: a number (from the end when negative) or a share of them."""
    offset = int(size * at) if isinstance(at, float) else at
    return max(0, min(size, size + offset if offset < 0 else offset))


# The faults.


@fault
def none(exchange):
    exchange.give(exchange.forward())


@fault
def drop_request(exchange, how="reset"):
    """Nothing reaches the service."""
    exchange.end(how)


@fault
def cut_request(exchange, at=0.5, how="reset"):
    """The service gets the request's body up to `at`; then both connections break."""
    upstream = socket.create_connection(exchange.proxy.upstream, timeout=UPSTREAM_TIMEOUT_S)
    with upstream:
        lines = [f"{exchange.method} {exchange.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in exchange.headers]
        upstream.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        upstream.sendall(exchange.body[:place(at, len(exchange.body))])
        upstream.shutdown(socket.SHUT_WR)
        try:
            while upstream.recv(1 << 16):  # until the service has seen the end
                pass
        except OSError:
            pass
    exchange.end(how)


@fault
def drop_answer(exchange, how="reset"):
    """The service does what it was asked; nobody hears of it."""
    exchange.forward()
    exchange.end(how)


@fault
def late(exchange, after_s=0.5, how="reset"):
    """The connection breaks at once, and the request reaches the service later."""
    thread = threading.Timer(after_s, exchange.proxy.quietly(exchange.forward))
    thread.daemon = True
    thread.start()
    exchange.end(how)


@fault
def cut_answer(exchange, at=0.5, how="close", part="body", framing="length"):
    """`framing`: "length" (announced whole), "agreeing" (announced cut), "close" (no length at all),
    "chunked" (without the last chunk), "chunked_agreeing" (with it)."""
    answer = exchange.forward()
    if part == "head":
        head = answer.head()
        exchange.send(head[:place(at, len(head))])
        exchange.end(how)
    kept = answer.body[:place(at, len(answer.body))]
    if framing == "agreeing":
        exchange.send(answer.head(length=len(kept)) + kept)
        return
    if framing.startswith("chunked"):
        exchange.send(answer.head("chunked") + chunked(kept))
        if framing == "chunked_agreeing":
            exchange.send(b"0\r\n\r\n")
            return
    else:
        exchange.send(answer.head(framing) + kept)
    exchange.end(how)


@fault
def stall(exchange, where="body", at=0.5, seconds=HOLD_S):
    """Nothing more comes: "before" the request is passed on, "after" it, in the "head", in the "body"."""
    if where != "before":
        answer = exchange.forward()
        head, body = answer.head(), answer.body[:place(at, len(answer.body))]
        exchange.send({"after": b"", "head": head[:place(at, len(head))], "body": head + body}[where])
    exchange.hold(seconds)
    exchange.end("reset")


@fault
def slow(exchange, interval_ms=50, bytes_max=1 << 30):
    """The body comes byte by byte; without a length, and for ever when it is to be `bytes_max` long."""
    answer = exchange.forward()
    exchange.send(answer.head("close"))
    for number in range(bytes_max):
        exchange.send(answer.body[number:number + 1] or b"x")
        time.sleep(interval_ms / 1000)
        if exchange.proxy.closing.is_set() or exchange.is_left():
            raise Ended
    exchange.end()


@fault
def flip(exchange, at=0.5, bit=7, of="answer"):
    """One bit on its way to the client, or ("request") to the service, is another."""

    def flipped(body):
        body = bytearray(body)
        if body:
            body[min(place(at, len(body)), len(body) - 1)] ^= 1 << bit
        return bytes(body)

    if of == "request":
        exchange.body = flipped(exchange.body)
    answer = exchange.forward()
    if of == "answer":
        answer.body = flipped(answer.body)
    exchange.give(answer)


@fault
def twice(exchange, give="first"):
    """The service gets the request two times."""
    answers = [exchange.forward(), exchange.forward()]
    exchange.give(answers[0 if give == "first" else 1])


@fault
def redirect(exchange, status=307, effect=False):
    """To the same path at the second origin."""
    if effect:
        exchange.forward()
    location = exchange.proxy.second.url + exchange.target
    exchange.give(Answer(status, [("Location", location)], b""))


@fault
def upload_address(exchange):
    """The service names an upload address at the second origin."""
    answer = exchange.forward()
    of_storage = ["Location"] if answer.get("Location") else []
    for name in ("X-Goog-Upload-URL", "X-Goog-Upload-Control-URL", *of_storage):
        answer.set(name, exchange.proxy.second.url + "/upload?upload_id=foreign")
    exchange.give(answer)


@fault
def length(exchange, by=10):
    """Content-Length is wrong by so much."""
    answer = exchange.forward()
    exchange.send(answer.head(length=max(0, len(answer.body) + by)) + answer.body)
    exchange.end()


@fault
def replace(exchange, status=200, body="", headers=None, repeat=1, effect=True):
    """Another answer in the place of the service's."""
    if effect:
        exchange.forward()
    exchange.give(Answer(status, list((headers or {}).items()), (body * repeat).encode()))


@fault
def edit(exchange, pattern="", by="", repeat=1, status=None, times=None):
    """All that matches in the answer's body becomes something else; `times`: only in the first so many
    answers in which anything matches."""
    answer = exchange.forward()
    text = answer.body.decode("utf-8", "surrogateescape")
    edited, count = re.subn(pattern, lambda _: by * repeat, text)
    if count > 0 and exchange.proxy.may_edit(pattern, times):
        answer.body = edited.encode("utf-8", "surrogateescape")
        answer.status = status or answer.status
    else:
        exchange.proxy.spare(exchange)
    exchange.give(answer)


@fault
def pack(exchange, header=True, layers=1, at=None, bomb_bytes=0):
    """The answer comes as gzip, told or not; cut at `at`; or a bomb of so many bytes."""
    answer = exchange.forward()
    body = gzip.compress(bytes(1 << 20)) * (bomb_bytes >> 20) if bomb_bytes else answer.body
    for _ in range(layers):
        body = gzip.compress(body)
    answer.body = body if at is None else body[:place(at, len(body))]
    if header:
        answer.set("Content-Encoding", ", ".join(["gzip"] * layers))
    exchange.give(answer)


@fault
def endless(exchange, text="x", status=200, bytes_max=1 << 40):
    """A body that never ends."""
    exchange.send(Answer(status, [("Content-Type", "application/json")], b"").head("chunked"))
    part = text.encode() * max(1, (1 << 18) // len(text))
    part = b"%x\r\n%s\r\n" % (len(part), part)
    for _ in range(bytes_max // len(part) + 1):
        if exchange.proxy.closing.is_set():
            break
        exchange.send(part)
    exchange.end("reset")


@fault
def headers(exchange, count=100, size=10, change=None):
    """So many more headers of that size, or (`change`) other values of those that are named; null
    removes one."""
    answer = exchange.forward()
    for name, value in (change or {}).items():
        answer.set(name, value)
    answer.headers += [] if change else [(f"X-Fault-{number}", "h" * size) for number in range(count)]
    exchange.give(answer)


@fault
def part_of(exchange, do="ignore", at=0.5):
    """What becomes of a request for a range: "ignore" (the whole comes), "shift" (another part is told),
    "stale" (another ETag). A request for the whole is cut at `at`, so that a range will be asked for;
    it tells an ETag."""
    asked = [value for name, value in exchange.headers if name.lower() == "range"]
    if not asked or do == "ignore":
        exchange.headers = [pair for pair in exchange.headers if pair[0].lower() != "range"]
    answer = exchange.forward()
    answer.set("ETag", '"second"' if asked and do == "stale" else '"first"')
    if not asked:
        exchange.send(answer.head() + answer.body[:place(at, len(answer.body))])
        exchange.end("reset")
    told = re.match(r"bytes (\d+)-(\d+)/(\d+)", answer.get("Content-Range"))
    if told and do == "shift":
        first, last, total = map(int, told.groups())
        answer.set("Content-Range", f"bytes {first + 7}-{last + 7}/{total + 7}")
    exchange.give(answer)


@fault
def status(exchange, code=503, retry_after=None, body="", effect=False):
    """An answer of that status; `retry_after` as it stands, or as a date so many seconds ahead ("+2")."""
    if effect:
        exchange.forward()
    answer = Answer(code, [("Content-Type", "text/plain")], body.encode())
    if str(retry_after).startswith("+"):
        answer.set("Retry-After", email.utils.formatdate(time.time() + float(retry_after), usegmt=True))
    elif retry_after is not None:
        answer.set("Retry-After", str(retry_after))
    exchange.give(answer)


# What happens to which request.


class Script:
    """Rules, as the head of this file says."""

    def __init__(self, rules):
        self.rules, self.counts, self.lock = rules, [0] * len(rules), threading.Lock()
        self.unused = set(range(len(rules)))  # places of rules that have not decided yet
        for rule in rules:
            known = inspect.signature(FAULTS[rule["fault"]]).parameters
            unknown = set(self.arguments(rule)) - set(known)
            if unknown:
                raise ValueError(f"{rule['fault']} does not know {unknown}")

    @staticmethod
    def arguments(rule):
        return {name: value for name, value in rule.items()
                if name not in ("method", "path", "nth", "fault", *MATCHED_HEADERS)}

    @staticmethod
    def matches(rule, exchange):
        return (rule.get("method", exchange.method) == exchange.method
                and re.search(rule.get("path", ""), exchange.target)
                and all(re.search(rule.get(member, ""), exchange.header(header))
                        for member, header in MATCHED_HEADERS.items()))

    def choose(self, exchange):
        """The name of a fault and its arguments."""
        for number, rule in enumerate(self.rules):
            if self.matches(rule, exchange):
                with self.lock:
                    self.counts[number] += 1
                    count = self.counts[number]
                nth = rule.get("nth", count)
                if count == nth or (isinstance(nth, list) and count in nth):
                    self.unused.discard(number)
                    return rule["fault"], self.arguments(rule)
                break
        return "none", {}


class Chance:
    """Faults from a seed, for a share of the requests and at most so many. No fault that a service
    can never be found out by: bits that are flipped in an answer break its UTF-8."""

    def __init__(self, seed, rate=0.2, faults_max=30):
        self.random, self.rate, self.left = random.Random(seed), rate, faults_max
        self.lock = threading.Lock()

    def choose(self, exchange):
        with self.lock:
            if self.left <= 0 or self.random.random() >= self.rate:
                return "none", {}
            self.left -= 1
            name, arguments = self.draw()
        # Only an upload is compared with what was sent; elsewhere TLS vouches for the bits.
        of_upload = "upload_id=" in exchange.target and exchange.body
        is_bad = arguments.get("of") == "request" and not of_upload
        return ("drop_request", {}) if is_bad else (name, arguments)

    def draw(self):
        pick, at = self.random.choice, self.random.random()
        how = pick(["reset", "close"])
        return pick([
            ("drop_request", {"how": how}),
            ("cut_request", {"at": at, "how": how}),
            ("drop_answer", {"how": how}),
            ("late", {"after_s": at / 2, "how": how}),
            ("cut_answer", {"at": at, "how": how, "part": "head"}),
            ("cut_answer", {"at": at, "how": how,
                            "framing": pick(["length", "agreeing", "close", "chunked", "chunked_agreeing"])}),
            ("flip", {"at": at}),
            ("flip", {"at": at, "of": "request", "bit": self.random.randrange(8)}),
            ("redirect", {"status": pick([301, 302, 303, 307, 308]), "effect": at < 0.5}),
            ("length", {"by": pick([-100, -1, 1, 100])}),
            ("replace", {"status": pick([200, 403, 502]), "body": pick(["<html>sign in</html>", "", "{}"])}),
            ("pack", {"header": at < 0.5, "at": pick([None, at])}),
            ("headers", {"count": pick([20, 2000]), "size": pick([10, 1000])}),
            ("part_of", {"do": pick(["ignore", "shift", "stale"]), "at": at}),
            ("status", {"code": pick([408, 429, 500, 502, 503, 504]), "effect": at < 0.5,
                        "retry_after": pick([None, None, 1, "+1", "soon"])}),
        ])


class Listener:
    """Serves each connection to a free loopback port in a thread of its own."""

    def __init__(self, serve, address=("127.0.0.1", 0)):
        self.serve = serve
        self.socket = socket.create_server(address, backlog=128)
        self.url = "http://{}:{}".format(*self.socket.getsockname()[:2])
        self.open, self.lock = set(), threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.run, args=(client,), daemon=True).start()

    def run(self, client):
        with self.lock:
            self.open.add(client)
        try:
            self.serve(client)
        except (Ended, OSError):
            pass
        finally:
            with self.lock:
                self.open.discard(client)
            client.close()

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
        with self.lock:
            for client in self.open:
                try:
                    client.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


class SecondOrigin:
    """Keeps all that it is sent, and answers as if all were well."""

    def __init__(self, log=None):
        self.received, self.log = b"", log
        self.listener = Listener(self.serve)
        self.url = self.listener.url

    def serve(self, client):
        while data := client.recv(1 << 16):
            self.received += data
            if self.log:
                with open(self.log, "ab") as file:
                    file.write(data)
            if b"\r\n\r\n" in data:
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


class FaultProxy:
    """`plan`: a Script or a Chance."""

    def __init__(self, upstream_url, plan, listen=("127.0.0.1", 0), log=None, second_log=None):
        parts = urllib.parse.urlsplit(upstream_url)
        self.upstream, self.upstream_url = (parts.hostname, parts.port), upstream_url.rstrip("/")
        self.plan, self.log, self.lock = plan, log, threading.Lock()
        self.requests = []  # (method, path, fault)
        self.edits = {}  # how often, by pattern
        self.mistakes = []  # of the proxy itself
        self.closing = threading.Event()
        self.second = SecondOrigin(second_log)
        self.listener = Listener(self.serve, listen)
        self.base_url = self.listener.url

    def close(self):
        self.closing.set()
        self.listener.close()
        self.second.listener.close()

    def faults(self):
        """The names of the faults that happened, in order."""
        with self.lock:
            return [name for _, _, name in self.requests if name != "none"]

    def may_edit(self, pattern, times):
        """Whether this is one of the first so many."""
        with self.lock:
            self.edits[pattern] = self.edits.get(pattern, 0) + 1
            return times is None or self.edits[pattern] <= times

    def serve(self, client):
        buffered = b""
        while True:
            while b"\r\n\r\n" not in buffered:
                data = client.recv(1 << 16)
                if not data or len(buffered) > HEAD_BYTES_MAX:
                    return
                buffered += data
            head, buffered = buffered.split(b"\r\n\r\n", 1)
            first, *lines = head.decode("latin-1").split("\r\n")
            method, target, _ = first.split(" ", 2)
            pairs = [tuple(part.strip() for part in line.split(":", 1)) for line in lines]
            size = int(dict((name.lower(), value) for name, value in pairs).get("content-length", 0))
            parts = [buffered]
            while sum(map(len, parts)) < size and (data := client.recv(1 << 20)):
                parts = [b"".join(parts) + data] if len(parts) > 64 else parts + [data]
            body = b"".join(parts)
            if len(body) < size:
                return
            buffered = body[size:]
            self.exchange(Exchange(self, client, method, target, pairs, body[:size]))

    def exchange(self, exchange):
        name, arguments = self.plan.choose(exchange)
        note = (exchange.method, exchange.target.split("?")[0], name)
        with self.lock:
            exchange.number = len(self.requests)
            self.requests.append(note)
            if self.log:
                with open(self.log, "a", encoding="utf-8") as file:
                    line = dict(zip(("method", "path", "fault"), note), arguments=arguments)
                    file.write(json.dumps(line) + "\n")
        try:
            FAULTS[name](exchange, **arguments)
        except (Ended, OSError):
            raise
        except Exception as error:
            self.mistakes.append(f"{name} {arguments}: {error!r}")
            raise

    def spare(self, exchange):
        """Nothing was done to it after all. To be called before the client hears anything."""
        with self.lock:
            self.requests[exchange.number] = (*self.requests[exchange.number][:2], "none")

    @staticmethod
    def quietly(work):
        def run():
            try:
                work()
            except (Ended, OSError):
                pass
        return run


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--to", required=True, metavar="URL", help="the service")
    parser.add_argument("--listen", default="127.0.0.1:0", metavar="ADDRESS:PORT")
    parser.add_argument("--script", metavar="FILE")
    parser.add_argument("--random", type=int, metavar="SEED")
    parser.add_argument("--rate", type=float, default=0.2, help="share of the requests, in random mode")
    parser.add_argument("--faults-max", type=int, default=30, help="in random mode")
    parser.add_argument("--lifetime", type=float, default=3600, metavar="SECONDS")
    parser.add_argument("--log", metavar="FILE")
    parser.add_argument("--second-log", metavar="FILE")
    options = parser.parse_args()
    if (options.script is None) == (options.random is None):
        parser.error("either --script or --random")
    if options.script:
        with open(options.script, encoding="utf-8") as file:
            plan = Script(json.load(file))
    else:
        plan = Chance(options.random, options.rate, options.faults_max)
    host, port = options.listen.rsplit(":", 1)
    proxy = FaultProxy(options.to, plan, (host, int(port)), options.log, options.second_log)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(proxy.base_url, flush=True)
    parent, deadline = os.getppid(), time.monotonic() + options.lifetime
    for _ in itertools.count():
        if os.getppid() != parent or time.monotonic() > deadline:
            return
        time.sleep(0.2)


if __name__ == "__main__":
    main()
