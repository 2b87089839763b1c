"""Help, mistyped words, exit codes, errors for people and for machines, status and neighbors."""

import json
import os
import pathlib
import pty
import signal
import subprocess
import unittest

import harness


class Help(harness.CliTest):
    def test_lists_the_commands_that_work(self):
        text = self.sluice("--help").out
        for command in ("run", "status", "retry", "cancel", "neighbors", "emulate"):
            self.assertIn(f"  {command} ", text)
            page = self.sluice(command, "--help").out
            self.assertIn(f"usage: sluice {command}", page)
            self.assertEqual(page, self.sluice("help", command).out)
        for command in ("plan", "merge", "doctor"):
            self.assertNotIn(f"  {command} ", text)

    def test_has_topics(self):
        self.assertIn("75", self.sluice("help", "exit-codes").out)
        self.assertIn("GOOGLE_GEMINI_BASE_URL", self.sluice("help", "environment").out)
        self.assertIn("numpy.load", self.sluice("help", "formats").out)
        self.assertIn("exit-codes", self.sluice("help", "nothing", code=2).err)

    def test_names_every_fault_of_the_emulator(self):
        page = self.sluice("emulate", "--help").out
        for fault in ("drop-line", "create-lost", "http-503"):
            self.assertIn(fault, page)

    def test_without_a_command_is_a_mistake(self):
        ended = self.sluice(code=2)
        self.assertEqual(ended.out, "")
        self.assertIn("usage: sluice", ended.err)

    def test_says_its_version(self):
        self.assertRegex(self.sluice("--version").out, r"^sluice \d+\.\d+\.\d+\n$")
        self.assertEqual(self.sluice("version", "--json").json()["type"], "version")


class Scripts(unittest.TestCase):
    def test_say_what_they_do_and_do_not_do_it(self):
        top = pathlib.Path(__file__).resolve().parents[2]
        for script, word in (("tools/quickstart", "WordNet"), ("tests/memory_test", "memory")):
            with self.subTest(script=script):
                ended = subprocess.run([top / script, "--help"], capture_output=True, text=True, check=True)
                self.assertIn(word, ended.stdout)
                self.assertEqual(ended.stderr, "")
                refused = subprocess.run([top / script, "nothing"], capture_output=True, check=False)
                self.assertEqual(refused.returncode, 2)


class Mistakes(harness.CliTest):
    def test_a_mistyped_command(self):
        ended = self.sluice("rnu", "docs/", code=2)
        self.assertEqual(ended.err, "error: unknown command 'rnu'. Did you mean 'run'?\n")
        self.assertEqual(ended.out, "")

    def test_a_mistyped_flag(self):
        ended = self.sluice("run", "docs/", "--modle", "gemini-embedding-001", code=2)
        self.assertEqual(ended.err, "error: unknown flag '--modle' for 'run'. Did you mean '--model'?\n")

    def test_no_key(self):
        self.write_corpus("c.jsonl", 3)
        ended = self.sluice("run", "c.jsonl", code=4)
        self.assertRegex(ended.err, r"^error: no API key.*\nhint:  .*GEMINI_API_KEY.*\(exit 4\)\n$")
        self.assertFalse((self.folder / "vectors.npy.sluice").exists())

    def test_no_key_for_a_service_on_loopback(self):
        self.write_corpus("c.jsonl", 3)
        service = harness.LocalService(self, "--latency", "1ms..5ms")
        self.sluice("run", "c.jsonl", "--dim", "4", *service.flags())
        self.assertTrue((self.folder / "vectors.npy").exists())

    def test_no_such_input(self):
        ended = self.sluice("run", "nowhere.jsonl", "--backend", "local", code=7)
        self.assertIn("nowhere.jsonl", ended.err)
        self.assertEqual(sorted(os.listdir(self.folder)), [".stderr", ".stdout"])

    def test_bad_values_name_their_flag(self):
        self.write_corpus("c.jsonl", 3)
        for flag, value in [("--dim", "x"), ("--shard-bytes", "1.5G"), ("--poll", "5"), ("--compress", "gzip"),
                            ("--on-error", "never"), ("--threads", "0"), ("--template", "nowhere.txt"),
                            ("--settle", "-1s")]:
            with self.subTest(flag=flag):
                ended = self.sluice("run", "c.jsonl", "--backend", "local", f"{flag}={value}", code=2)
                self.assertTrue(ended.err.startswith(f"error: {flag}: "), ended.err)

    def test_errors_for_machines_are_one_json_line(self):
        ended = self.sluice("run", "nowhere.jsonl", "--backend", "local", "--json", code=7)
        error = json.loads(ended.err)
        self.assertEqual((error["v"], error["type"], error["code"], error["class"]), (1, "error", 7, "input"))
        self.assertEqual(ended.out, "")
        error = json.loads(self.sluice("rnu", env={"SLUICE_JSON": "1"}, code=2).err)
        self.assertEqual((error["type"], error["code"]), ("error", 2))

    def test_hostile_words_cannot_steer_the_terminal(self):
        self.assertNotIn("\x1b", self.sluice("\x1b[2J", code=2).err)
        self.assertNotIn("\x1b", self.sluice("run", "\x1b[2J", "--backend", "local", code=7).err)

    def test_no_run_here(self):
        self.assertIn("-C DIR", self.sluice("status", code=2).err)

    def test_results_that_cannot_be_written_are_an_error(self):
        with open("/dev/full", "wb") as full:
            process = subprocess.run([harness.BINARY, "--help"], stdout=full, stderr=subprocess.PIPE,
                                     env=harness.environment(), text=True, check=False)
        self.assertEqual(process.returncode, 75)
        self.assertIn("standard output", process.stderr)


class AfterARun(harness.CliTest):
    def setUp(self):
        super().setUp()
        texts = ["the cat sat on the mat", "a bicycle has two wheels", "tea is a hot drink",
                 "the cat sat on the roof", "\x1b[31mred\x1b[0m alert\u202e"]
        with open(self.folder / "c.jsonl", "w", encoding="utf-8") as file:
            for number, text in enumerate(texts):
                file.write(json.dumps({"id": f"t{number}", "text": text}) + "\n")
            file.write('{"id":"bad"}\n')
        self.run_end = self.sluice("run", "c.jsonl", "--backend", "local", "--dim", "64", "-o", "v.npy", code=3)

    def test_the_summary_says_what_was_written_and_refused(self):
        self.assertRegex(self.run_end.err, r"Wrote v\.npy +5 x 64 float32")
        self.assertIn("v.ids.jsonl", self.run_end.err)
        self.assertIn("v.npy.sluice/rejects.jsonl", self.run_end.err)
        self.assertIn("Report: v.npy.sluice/report.json", self.run_end.err)
        self.assertRegex(self.run_end.err, r"(?m)^\S+Z done rows=5 failed=0 refused=1 output=v.npy exit=3$")
        self.assertNotIn("\x1b", self.run_end.err)
        self.assertNotIn("\r", self.run_end.err)

    def test_the_report_names_the_service_honestly(self):
        report = json.loads(self.read("v.npy.sluice/report.json"))
        self.assertEqual((report["v"], report["type"], report["backend"]), (1, "report", "local"))
        self.assertEqual(report["model"], "sluice-lexical-1")
        self.assertIn("not a neural model", report["provider_note"])

    def test_the_local_service_leaves_nothing(self):
        self.assertFalse((self.folder / "v.npy.sluice" / "service").exists())

    def test_running_again_resumes(self):
        before = self.read("v.npy")
        again = self.sluice("run", "c.jsonl", "--backend", "local", "--dim", "64", "-o", "v.npy", "--json", code=3)
        self.assertTrue(again.json()["resumed"])
        self.assertEqual(self.read("v.npy"), before)

    def test_fresh_asks_before_it_throws_away(self):
        flags = ["run", "c.jsonl", "--backend", "local", "--dim", "64", "-o", "v.npy", "--fresh"]
        ended = self.sluice(*flags, code=2)
        self.assertIn("-y", ended.err)
        self.assertTrue((self.folder / "v.npy.sluice" / "report.json").exists())
        self.assertFalse(self.sluice(*flags, "-y", "--json", code=3).json()["resumed"])

    def test_fresh_never_empties_a_folder_that_is_no_run(self):
        (self.folder / "precious").mkdir()
        (self.folder / "precious" / "letter.txt").write_text("dear")
        self.sluice("run", "c.jsonl", "--backend", "local", "-C", "precious", "--fresh", "-y", code=2)
        self.assertEqual(self.read("precious/letter.txt"), b"dear")

    def test_other_settings_are_refused(self):
        ended = self.sluice("run", "c.jsonl", "--backend", "local", "--dim", "32", "-o", "v.npy", code=2)
        self.assertIn("--dim", ended.err)

    def test_status_in_words_and_as_json(self):
        text = self.sluice("status").out
        self.assertTrue(text.startswith("v.npy.sluice   DONE   5 of 5 merged (100 %), 1 refused\n"), text)
        status = self.sluice("status", "-C", "v.npy.sluice", "--json", "--errors").json()
        self.assertEqual((status["v"], status["type"], status["state"]), (1, "status", "DONE"))
        self.assertEqual(status["counts"], {"documents": 5, "merged": 5, "failed": 0, "rejected": 1, "pending": 0})
        self.assertEqual(status["errors"]["rejects"][0]["line"], 6)
        self.assertIn("c.jsonl:6", self.sluice("status", "--errors").out)
        self.assertIn("00000", self.sluice("status", "--jobs").out)
        self.assertIn("DONE", self.sluice("status", "--watch=10ms").out)

    def test_neighbors_of_a_text(self):
        lines = self.sluice("neighbors", "v.npy", "--ids", "v.ids.jsonl", "--text", "two wheels has a bicycle",
                            "-k", "2").out.splitlines()
        self.assertEqual(len(lines), 2)
        self.assertRegex(lines[0], r"^  1  0\.\d{4}  t1  c\.jsonl:2  a bicycle has two wheels$")

    def test_neighbors_of_a_row_leave_the_row_out(self):
        found = self.sluice("neighbors", "v.npy", "--row", "0", "-k", "9", "--json").json()
        self.assertEqual(sorted(near["row"] for near in found["neighbors"]), [1, 2, 3, 4])
        self.assertEqual(found["neighbors"][0]["text"], "the cat sat on the roof")

    def test_neighbors_show_hostile_documents_harmlessly(self):
        line = self.sluice("neighbors", "v.npy", "--text", "red alert", "-k", "1").out
        self.assertIn("\\x1b[31mred", line)
        self.assertNotIn("\x1b", line)
        self.assertNotIn("\u202e", line)

    def test_neighbors_know_the_texts_of_a_folder(self):
        (self.folder / "docs" / "sub").mkdir(parents=True)
        (self.folder / "docs" / "sub" / "a.txt").write_text("a boat with a sail")
        (self.folder / "docs" / "b.txt").write_text("bread and butter")
        self.sluice("run", "docs", "-b", "local", "--dim", "64", "-o", "d.npy", "-q")
        (self.folder / "elsewhere").mkdir()
        line = self.sluice("neighbors", self.folder / "d.npy", "--text", "a sail boat", "-k", "1").out
        self.assertRegex(line, r"sub/a\.txt.*a boat with a sail$")

    def test_json_on_a_terminal_cannot_steer_it(self):
        for words in (["neighbors", "v.npy", "--text", "red alert"], ["status", "--errors"], ["verify", "v.npy.sluice"]):
            master, slave = pty.openpty()
            self.addCleanup(os.close, master)
            process = subprocess.run([harness.BINARY, *words, "--json"], cwd=self.folder,
                                     env=harness.environment(TERM="xterm"), stdin=subprocess.DEVNULL, stdout=slave,
                                     timeout=harness.PATIENCE_S)
            os.close(slave)
            self.assertEqual(process.returncode, 0)
            said = os.read(master, 1 << 16)
            self.assertTrue(said.startswith(b"{"), said)
            self.assertTrue(said.isascii(), said)

    def test_neighbors_without_the_corpus_give_the_ids(self):
        os.remove(self.folder / "c.jsonl")
        line = self.sluice("neighbors", "v.npy", "--text", "hot tea", "-k", "1").out
        self.assertRegex(line, r"^  1  0\.\d{4}  t2  c\.jsonl:3\n$")

    def test_neighbors_refuse_what_is_no_array(self):
        (self.folder / "x.npy").write_bytes(b"\x93NUMPY\x01\x00\xff\xff{")
        self.assertIn("x.npy", self.sluice("neighbors", "x.npy", "--row", "0", code=7).err)
        self.sluice("neighbors", "v.npy", "--row", "99", code=2)
        self.sluice("neighbors", "v.npy", code=2)


class Emulate(harness.CliTest):
    def test_announces_its_port_and_ends_on_sigterm(self):
        process = self.spawn("emulate", "--port-file", "port", "--json", "--exit-with-parent")
        ready = json.loads(process.stdout.readline())
        self.assertEqual(ready["type"], "ready")
        self.assertEqual((self.folder / "port").read_text(), f"{ready['port']}\n")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=harness.PATIENCE_S)
        self.assertEqual(process.returncode, 0)

    def test_ends_by_itself(self):
        self.sluice("emulate", "--exit-after", "1ms")

    def test_listens_on_loopback_only(self):
        self.sluice("emulate", "--listen", "0.0.0.0:0", "--exit-after", "1ms", code=2)

    def test_refuses_an_unknown_fault(self):
        self.assertIn("no-such-fault", self.sluice("emulate", "--fault", "no-such-fault", "--exit-after", "1ms",
                                                   code=2).err)

    def test_ends_with_its_parent(self):
        # The shell ends at once; the service, its child, must go too and close the pipe.
        shell = subprocess.Popen(
            ["sh", "-c", '"$0" emulate --exit-with-parent & read line; exit 0', harness.BINARY],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=self.folder, env=harness.environment(), text=True)
        self.assertTrue(shell.stdout.readline().startswith("http://127.0.0.1:"))
        shell.stdin.write("\n")
        shell.stdin.close()
        self.assertEqual(shell.stdout.read(), "")
        shell.wait(timeout=harness.PATIENCE_S)
        shell.stdout.close()


if __name__ == "__main__":
    harness.main()
