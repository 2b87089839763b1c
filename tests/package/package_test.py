"""What `cmake --install` leaves is enough to build and run a program, by find_package and by
pkg-config, with nothing of the source tree in reach."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

import example
import harness

SOURCE = pathlib.Path(os.environ["SLUICE_SOURCE"])
BUILD = pathlib.Path(os.environ["SLUICE_BUILD"])
CONSUMER = SOURCE / "tests/package/consumer"


def package_names(depends):
    return {name for name in re.split(r"[\s,]+", depends) if name and not name.startswith("$")}


class Package(harness.CliTest):
    def setUp(self):
        super().setUp()
        self.prefix = self.folder / "prefix"
        self.call("cmake", "--install", BUILD, "--prefix", self.prefix)
        # A copy: what lies beside the example in the source tree must not help.
        self.program = self.folder / "main.cc"
        shutil.copy(SOURCE / "examples/batch_embeddings.cc", self.program)

    def call(self, *command, **env):
        ended = subprocess.run(
            list(map(str, command)), cwd=self.folder, capture_output=True, text=True, check=False,
            env={**os.environ, **env},
        )
        self.assertEqual(ended.returncode, 0, f"{command}\n{ended.stdout}\n{ended.stderr}")
        return ended.stdout

    def test_find_package(self):
        build = self.folder / "build"
        self.call("cmake", "-S", CONSUMER, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.prefix}",
                  f"-DCONSUMER_SOURCE={self.program}")
        self.call("ninja", "-C", build)
        example.run_workflow(self, build / "consumer")

    def test_pkg_config(self):
        pc_files = list(self.prefix.rglob("sluice.pc"))
        self.assertEqual(len(pc_files), 1)
        flags = self.call("pkg-config", "--cflags", "--libs", "sluice",
                          PKG_CONFIG_PATH=str(pc_files[0].parent)).split()
        self.call("g++", "-std=c++23", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror",
                  self.program, *flags, "-o", "consumer")
        example.run_workflow(self, self.folder / "consumer")

    def test_the_program_is_there_and_runs(self):
        self.assertTrue(self.call(self.prefix / "bin/sluice", "--version").startswith("sluice "))

    @unittest.skipUnless(shutil.which("dpkg-shlibdeps"), "dpkg-dev is not installed")
    def test_the_debian_packages_unpack_to_the_same(self):
        self.call("cpack", "-G", "DEB", "--config", BUILD / "CPackConfig.cmake", "-B", self.folder / "deb")
        library, program = sorted((self.folder / "deb").glob("*.deb"))
        for package in (library, program):
            self.call("dpkg-deb", "-x", package, self.folder / "root")
        top = self.folder / "root/usr"
        self.assertTrue(self.call(top / "bin/sluice", "--version").startswith("sluice "))
        names = [sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*")) for folder in
                 (top, self.prefix)]
        self.assertEqual(*names)
        depends = self.call("dpkg-deb", "-f", program, "Depends")
        for name in ("ca-certificates", "libcurl4", "libtbb12"):
            self.assertIn(name, depends)
        control = (SOURCE / "debian/control").read_text(encoding="utf-8")
        self.assertEqual(
            package_names(re.search(r"^Package: libsluice-dev\n.*?^Depends:(.*?)^\w", control,
                                    re.DOTALL | re.MULTILINE).group(1)),
            package_names(self.call("dpkg-deb", "-f", library, "Depends")))

    def test_only_public_headers_are_installed(self):
        top = self.prefix / "include/sluice"
        headers = {path.relative_to(top).as_posix() for path in top.rglob("*") if path.is_file()}
        self.assertIn("api/sluice.h", headers)
        self.assertEqual({header.split("/")[0] for header in headers}, {"api", "io"})
        self.assertFalse({"api/provider/provider.h", "api/http/json_fields.h", "io/sink/sink.h"} & headers)


if __name__ == "__main__":
    if os.environ.get("SLUICE_SANITIZE"):
        sys.exit(77)  # The archive would need the sanitizers' runtime, which no consumer asks for.
    harness.main()
