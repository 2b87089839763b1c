#!/usr/bin/python3
"""The house rules that a compiler does not know, read from the sources as text.

Storeys include downwards only; a third-party header stands behind its wall; headers have
`#pragma once`; what is to be done is an issue, not a comment. The test first shows on made-up
sources that it can fail.
"""

import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent

# Who may include whom: a storey sees itself and those on its right.
SEES = {
    "tools": {"tools", "engine", "api", "io"},
    "engine": {"engine", "api", "io"},
    "api": {"api", "io"},
    "io": {"io"},
    "tests": {"tests", "bench", "tools", "engine", "api", "io"},
    "bench": {"tests", "bench", "tools", "engine", "api", "io"},
}

# Third-party headers, and the files that may include them (tests and benchmarks are free).
WALLS = [
    ("oneTBB", r"(oneapi/)?tbb/", r"engine/ordered_pipeline\."),
    ("libcurl", r"curl/", r"api/http/curl_"),
    ("zstd", r"zstd", r"io/codec/"),
    ("ISA-L", r"(isa-l|igzip)", r"io/(codec/|base/crc32c\.)"),
    ("SQLite", r"sqlite3", r"engine/ledger\."),
    ("simdjson", r"simdjson", r"(io/json|api/protocol)/"),
    ("Boost", r"boost/", r"tools/emulator/"),
    ("CLI11", r"CLI/", r"tools/command_line\.cc$"),
    ("toml++", r"toml", r"tools/config_file\.cc$"),
    ("xxHash", r"xxhash", r"io/base/checksum\.cc$"),
    ("OpenSSL", r"openssl/", r".*\.cc$"),
    ("nlohmann_json", r"nlohmann/(?!json_fwd)", r".*\.cc$"),
    ("a test library", r"(gtest|gmock|benchmark)/", r"(?!)"),
]

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def faults_of(path, text):
    """What is wrong in the file `path` (relative, with slashes), as sentences."""
    storey = path.split("/", 1)[0]
    free = storey in ("tests", "bench")
    if path.endswith(".h") and "#pragma once" not in text:
        yield f"{path}: a header without #pragma once"
    for number, line in enumerate(text.splitlines(), start=1):
        where = f"{path}:{number}"
        if UNFINISHED.search(line):
            yield f"{where}: open an issue instead of leaving a note: {line.strip()}"
        match = INCLUDE.match(line)
        if not match:
            continue
        quoted, name = match.group(1) == '"', match.group(2)
        target = name.split("/", 1)[0]
        if target in SEES and target not in SEES[storey]:
            yield f"{where}: {storey} may not include {name}"
        if quoted and target not in SEES:
            yield f"{where}: {name} is not written from the top of the repository"
        for library, pattern, home in WALLS:
            if not free and re.match(pattern, name) and not re.match(home, path):
                yield f"{where}: {library} may be included only by files like {home}"


def sources():
    for storey in SEES:
        for path in sorted((TOP / storey).rglob("*")):
            if path.suffix in (".h", ".cc", ".in"):
                yield path.relative_to(TOP).as_posix(), path.read_text(encoding="utf-8")


def self_test():
    """Each pair: a made-up file, and a word of the fault that must be found ("" for none)."""
    once = "#pragma once\n"
    cases = [
        ("io/x.h", once + '#include "io/base/error.h"\n', ""),
        ("io/x.h", once + '#include "api/http/transport.h"\n', "io may not include"),
        ("api/x.cc", '#include "engine/run.h"\n', "api may not include"),
        ("engine/x.cc", '#include "tools/units.h"\n', "engine may not include"),
        ("tools/x.cc", '#include "tests/support/x.h"\n', "tools may not include"),
        ("tests/x.cc", '#include "engine/run.h"\n#include <gtest/gtest.h>\n', ""),
        ("engine/x.cc", "#include <tbb/flow_graph.h>\n", "oneTBB"),
        ("engine/x.cc", "#include <oneapi/tbb/flow_graph.h>\n", "oneTBB"),
        ("engine/ordered_pipeline.cc", "#include <tbb/flow_graph.h>\n", ""),
        ("api/files/x.cc", "#include <curl/curl.h>\n", "libcurl"),
        ("io/shard/x.cc", "#include <zstd.h>\n", "zstd"),
        ("io/corpus/x.cc", "#include <isa-l/igzip_lib.h>\n", "ISA-L"),
        ("engine/run.cc", "#include <sqlite3.h>\n", "SQLite"),
        ("engine/x.cc", "#include <simdjson.h>\n", "simdjson"),
        ("tools/x.cc", "#include <boost/asio.hpp>\n", "Boost"),
        ("tools/run_command.cc", "  #  include <CLI/CLI.hpp>\n", "CLI11"),
        ("tools/settings.cc", "#include <toml++/toml.h>\n", "toml++"),
        ("tools/x.h", once + "#include <nlohmann/json.hpp>\n", "nlohmann"),
        ("io/x.cc", "#include <gtest/gtest.h>\n", "test library"),
        ("io/x.h", "int x;\n", "#pragma once"),
        ("io/x.cc", '#include "error.h"\n', "top of the repository"),
        ("io/x.cc", "// TO" + "DO: later\n", "open an issue"),
    ]
    for path, text, wanted in cases:
        faults = list(faults_of(path, text))
        if wanted == "" and faults:
            yield f"self-test: {path} should be clean, but: {faults}"
        if wanted != "" and not any(wanted in fault for fault in faults):
            yield f"self-test: nothing about '{wanted}' was found in {path}: {text!r}"


def main():
    faults = list(self_test())
    count = 0
    for path, text in sources():
        count += 1
        faults += faults_of(path, text)
    if count == 0:
        faults.append(f"no sources were found below {TOP}")
    print("\n".join(faults) if faults else f"house: {count} files keep the rules")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
