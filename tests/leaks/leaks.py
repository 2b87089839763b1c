"""No key and no upload address in any log, error, file or process list, while all tests run.

Every key of the tests begins with KEY_START, every upload that the local service opens has an id that
begins with UPLOAD_START, every access token that it gives out begins with TOKEN_START, and a private key
is known by its first line, so that all are known wherever they turn up. CTest runs `begin` before
the first test and `end` after the last one (tests/CMakeLists.txt). In between all tests work below one
folder and leave there what they wrote, and a watcher looks at the command lines of their processes.
`end` then looks through all of it: files (packed ones too), names, command lines, and CTest's log,
where the output of the tests stands.

What finds nothing must be able to find: each run plants a decoy in each of these places, and fails
when one is not found.

    leaks.py begin|end FOLDER CTEST_LOG

FOLDER is emptied by `begin`, and removed by an `end` that found nothing.
"""

import gzip
import json
import multiprocessing
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import sys
import time

KEY_START = b"AIzaTestKey-"
UPLOAD_START = b"emulated-upload-"
TOKEN_START = b"ya29.emulated-token-"
PRIVATE_KEY = b"-----BEGIN PRIVATE KEY-----"
SECRETS = {start: re.compile(re.escape(start) + rb"[\w-]+") for start in (KEY_START, b"upload_id=")}
# The program itself holds these two starts, and its compiler may put other text behind them.
SECRETS |= {start: re.compile(re.escape(start) + rb"[0-9a-z]{8,}") for start in (UPLOAD_START, TOKEN_START)}
SECRETS[PRIVATE_KEY] = re.compile(re.escape(PRIVATE_KEY))
# Put together here, so that this file and its command line are no leaks themselves.
DECOY = KEY_START + b"decoy"
KEY_VARIABLES = (b"GOOGLE_API_KEY", b"GEMINI_API_KEY")

SAMPLE_S = 0.03
PATIENCE_S = 30
UPLOAD_STATE = {"v", "account", "fileId", "displayName", "content", "size", "mimeType", "url"}


def secrets_in(data):
    """The secrets in `data`, each once."""
    return {match.group() for start, secret in SECRETS.items() if data.find(start) >= 0
            for match in secret.finditer(data)}


def unpacked(path):
    """The plain bytes of a packed file as far as they can be had, or nothing when it is not packed."""
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dcq", path], capture_output=True, check=False).stdout
    if path.suffix == ".gz":
        try:
            return gzip.decompress(path.read_bytes())
        except (OSError, EOFError):
            return b""
    return b""


def is_meant_to_hold(path, data, secret):
    """The places where a secret belongs: the key file that a test wrote as its input, the state file of an
    upload (docs/library.md), the local service's own list of uploads, and the key file of its service
    account."""
    if secret == PRIVATE_KEY:
        return is_service_account(path, data)
    if secret.startswith(KEY_START):
        return path.name.endswith("key") and data.strip() == secret
    if path.parent.name == "uploads" and path.name.encode().startswith(UPLOAD_START):
        return True
    if stat.S_IMODE(path.stat().st_mode) != 0o600:
        return False
    try:
        return set(json.loads(data)) == UPLOAD_STATE
    except (ValueError, TypeError):
        return False


def is_service_account(path, data):
    try:
        return (json.loads(data)["type"] == "service_account"
                and not stat.S_IMODE(path.stat().st_mode) & 0o077)
    except (ValueError, TypeError, KeyError):
        return False


def leaks_of_file(path):
    leaks = list(leaks_of_name(path))
    # Not mapped: find() of Python 3.11 reads one byte behind a map, which may be no memory at all.
    data = path.read_bytes()
    for secret in secrets_in(data):
        if not is_meant_to_hold(path, data, secret):
            leaks.append((f"file {path}", secret))
    for secret in secrets_in(unpacked(path)):
        leaks.append((f"packed file {path}", secret))
    return leaks


def leaks_of_name(path):
    if path.parent.name != "uploads":
        for secret in secrets_in(path.name.encode(errors="replace")):
            yield f"name of {path}", secret


def files_of_tree(top):
    for folder, _, names in os.walk(top):
        for name in names:
            path = pathlib.Path(folder, name)
            if path.is_file() and not path.is_symlink():
                yield path


def leaks_of_tree(top):
    with multiprocessing.Pool() as pool:
        for leaks in pool.imap_unordered(leaks_of_file, files_of_tree(top), chunksize=50):
            yield from leaks


def leaks_of_processes(temporary):
    """What the processes whose TMPDIR is `temporary` show to everybody, right now."""
    mark = b"TMPDIR=" + os.fsencode(temporary)
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/environ", "rb") as file:
                variables = file.read().split(b"\0")
            if mark not in variables:
                continue
            with open(f"/proc/{process}/cmdline", "rb") as file:
                arguments = file.read()
        except OSError:
            continue  # It is gone, or somebody else's.
        shown = arguments.replace(b"\0", b" ").decode(errors="replace")
        for secret in secrets_in(arguments):
            yield f"process: {shown}", secret
        for variable in variables:
            name, _, value = variable.partition(b"=")
            if name in KEY_VARIABLES and value and not value.startswith(KEY_START):
                yield f"a key in {name.decode()} that this check would not know: {shown}", value


def told(place, secret):
    """A leak in words, without the secret itself: words end up in logs."""
    hidden = place.encode()
    for pattern in SECRETS.values():
        hidden = pattern.sub(b"(the secret)", hidden)
    return f"{hidden.decode(errors='replace')}  [{secret[:12].decode(errors='replace')}...]"


class Suite:
    """The folder of one run of all tests."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.temporary = self.folder / "tmp"
        self.found = self.folder / "processes"
        self.watcher = self.folder / "watcher"

    def begin(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.temporary.mkdir(parents=True, mode=0o700)
        subprocess.Popen(
            [sys.executable, "-B", __file__, "watch", self.folder, str(os.getppid())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=open(self.folder / "watcher.err", "wb"),
            start_new_session=True,
        )
        await_that(self.watcher.exists, "the watcher did not start")

    def watch(self, ctest):
        """Writes down the leaks in command lines until SIGTERM, or until the process `ctest` is gone."""
        going = True

        def stop(*_):
            nonlocal going
            going = False

        signal.signal(signal.SIGTERM, stop)
        seen = set()
        with open(self.found, "wb", buffering=0) as found:
            write_whole(self.watcher, str(os.getpid()))
            while going and pathlib.Path(f"/proc/{ctest}").exists():
                for leak in set(leaks_of_processes(self.temporary)) - seen:
                    seen.add(leak)
                    found.write(leak[1] + b"\t" + leak[0].encode() + b"\n")
                time.sleep(SAMPLE_S)

    def watched(self):
        lines = self.found.read_bytes().splitlines()
        return [(place.decode(), secret) for secret, _, place in (line.partition(b"\t") for line in lines)]

    def plant_process(self):
        """Shows the decoy as an argument until the watcher has seen it."""
        decoy = subprocess.Popen(
            [sys.executable, "-c", "input()", DECOY],
            stdin=subprocess.PIPE,
            env={"TMPDIR": str(self.temporary)},
        )
        try:
            await_that(lambda: any(secret == DECOY for _, secret in self.watched()),
                       "the watcher does not see what a process shows")
        finally:
            decoy.communicate(b"\n")

    def plant_files(self):
        """Gives the places where the decoy must be found."""
        folder = self.temporary / "decoy"
        folder.mkdir()
        (folder / "plain.log").write_bytes(b"header: " + DECOY + b"\n")
        (folder / "packed.gz").write_bytes(gzip.compress(DECOY))
        (folder / "segment").write_bytes(DECOY + b"\n")
        subprocess.run(["zstd", "-q", "--rm", folder / "segment"], check=True)
        return {f"file {folder}/plain.log", f"packed file {folder}/packed.gz",
                f"packed file {folder}/segment.zst"}

    def end(self):
        """All leaks, in words."""
        if not self.watcher.exists():
            sys.exit("nothing was watched: `begin` has not run")
        self.plant_process()
        watcher = int(self.watcher.read_text())
        os.kill(watcher, signal.SIGTERM)
        await_that(lambda: not pathlib.Path(f"/proc/{watcher}").exists(), "the watcher did not end")
        planted = self.plant_files()
        found = self.watched() + list(leaks_of_tree(self.temporary))
        missed = planted - {place for place, secret in found if secret == DECOY}
        leaks = [told(place, secret) for place, secret in found if secret != DECOY]
        return leaks + [f"the decoy was not found: {place}" for place in missed]


def write_whole(path, text):
    part = path.with_suffix(".part")
    part.write_text(text)
    part.rename(path)


def await_that(condition, otherwise):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(otherwise)
        time.sleep(SAMPLE_S)


def leaks_of_log(path):
    """Of the log of CTest, where `begin` left a decoy."""
    secrets = secrets_in(path.read_bytes())
    if DECOY not in secrets:
        return [f"the decoy was not found: {path}"]
    return [told(f"log {path}", secret) for secret in secrets - {DECOY}]


def running_log(path):
    """CTest gives the log its name when all tests have ended."""
    part = path.with_name(path.name + ".tmp")
    return part if part.exists() else path


def main():
    command, *arguments = sys.argv[1:]
    if command == "watch":
        Suite(arguments[0]).watch(arguments[1])
        return
    if command == "begin":
        Suite(arguments[0]).begin()
        print("a decoy for the log:", DECOY.decode())
        return
    suite = Suite(arguments[0])
    leaks = suite.end() + leaks_of_log(running_log(pathlib.Path(arguments[1])))
    if leaks:
        sys.exit("\n".join(leaks))
    shutil.rmtree(suite.folder)


if __name__ == "__main__":
    main()
