"""What the program makes for shells and for man loads there, and completes."""

import os
import pathlib
import shutil
import subprocess
import unittest

import harness

SHARE = pathlib.Path(os.environ.get("SLUICE_SHARE", "build/release/generated/share"))
VERBS = ["cancel", "create", "create-embeddings", "delete", "get", "list", "responses", "wait"]


class CompletionTest(harness.CliTest):
    def call(self, *command, stdin=""):
        ended = subprocess.run([*map(str, command)], input=stdin, capture_output=True, text=True, check=False,
                               cwd=self.folder, timeout=harness.PATIENCE_S,
                               env=harness.environment(HOME=str(self.folder)))
        self.assertEqual((ended.returncode, ended.stderr), (0, ""), command)
        return ended.stdout


class Bash(CompletionTest):
    file = SHARE / "bash-completion/completions/sluice"

    def complete(self, *words):
        quoted = " ".join(f"'{word}'" for word in words)
        return self.call("bash", "--norc", stdin=f"""
            source '{self.file}'
            COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}
            _sluice sluice '{words[-1]}' '{words[-2]}'
            printf '%s\\n' "${{COMPREPLY[@]}}"
        """).split()

    def test_is_what_the_program_says(self):
        self.assertEqual(self.file.read_text(), self.sluice("completion", "bash").out)

    def test_is_registered(self):
        self.assertIn("-F _sluice sluice", self.call("bash", "--norc", stdin=f"source '{self.file}'; complete -p sluice"))

    def test_completes(self):
        self.assertEqual(self.complete("sluice", "ru"), ["run"])
        self.assertEqual(sorted(self.complete("sluice", "jobs", "")), VERBS)
        self.assertEqual(self.complete("sluice", "--color", "never", "jobs", "li"), ["list"])
        self.assertEqual(self.complete("sluice", "jobs", "list", "--sta"), ["--state"])
        self.assertEqual(self.complete("sluice", "jobs", "list", "--state", "s"), ["succeeded"])
        self.assertEqual(self.complete("sluice", "jobs", "list", "--state", "=", "e"), ["expired"])
        self.assertEqual(self.complete("sluice", "run", "-b", ""), ["gemini", "vertex", "local"])
        self.assertEqual(self.complete("sluice", "run", "--task", "="), ["embed", "generate"])
        self.assertEqual(self.complete("sluice", "completion", "z"), ["zsh"])
        self.assertEqual(self.complete("sluice", "run", "status", "--fres"), ["--fresh"])
        self.assertEqual(self.complete("sluice", "--dump"), [])
        (self.folder / "some.sluice").mkdir()
        self.assertEqual(self.complete("sluice", "status", "-C", "so"), ["some.sluice"])


@unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
class Zsh(CompletionTest):
    file = SHARE / "zsh/vendor-completions/_sluice"

    def test_loads_and_registers(self):
        found = self.call("zsh", "-f", stdin=f"""
            fpath=('{self.file.parent}' $fpath)
            autoload -Uz compinit && compinit -u -D
            autoload +X _sluice && print $_comps[sluice] $+functions[_sluice]
        """)
        self.assertEqual(found.split(), ["_sluice", "1"])

    def test_completes(self):
        # A shell on a pseudo terminal; what it lists is read back. The prompt says that the line
        # editor listens, and no echo of what is typed looks like READY or END.
        listed = self.call("zsh", "-f", stdin=f"""
            zmodload zsh/zpty
            zpty shell zsh -f -i
            zpty -w shell "fpath=('{self.file.parent}' \\$fpath); autoload -Uz compinit; compinit -u -D; PROMPT=REA''DY"
            zpty -r shell seen '*READY*'
            zpty -w -n shell $'sluice jobs list --state su\\t\\x01: \\n'
            zpty -w shell "print EN''D"
            zpty -r shell seen '*END*'
            print -r -- $seen
            zpty -d shell
        """)
        self.assertIn("sluice jobs list --state succeeded", listed)


@unittest.skipUnless(shutil.which("fish"), "fish is not installed")
class Fish(CompletionTest):
    file = SHARE / "fish/vendor_completions.d/sluice.fish"

    def complete(self, line):
        out = self.call("fish", "--no-config", stdin=f"source '{self.file}'; complete -C '{line}'")
        return sorted(word.split("\t")[0] for word in out.splitlines())

    def test_completes(self):
        self.assertEqual(self.complete("sluice ru"), ["run"])
        self.assertEqual(self.complete("sluice jobs "), VERBS)
        self.assertEqual(self.complete("sluice jobs list --sta"), ["--state"])
        self.assertEqual(self.complete("sluice jobs list --state s"), ["succeeded"])
        self.assertEqual(self.complete("sluice completion z"), ["zsh"])


class Man(CompletionTest):
    file = SHARE / "man/man1/sluice.1"

    def test_is_what_the_program_says(self):
        self.assertEqual(self.file.read_text(), self.sluice("--dump-man").out)
        self.assertNotIn("dump-man", self.sluice("--help").out)

    @unittest.skipUnless(shutil.which("man"), "man is not installed")
    def test_is_shown_without_a_warning(self):
        page = self.call("man", "--warnings", "-l", self.file)
        for word in ("sluice jobs list", "--page-token", "EXIT STATUS", "GOOGLE_GEMINI_BASE_URL"):
            self.assertIn(word, page)


class Shells(harness.CliTest):
    def test_of_no_other_kind(self):
        self.assertIn("bash, zsh, fish", self.sluice("completion", "csh", code=2).err)
        self.sluice("completion", code=2)


if __name__ == "__main__":
    harness.main()
