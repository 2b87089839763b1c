"""Settings in files: where they come from, what goes before what, and what is refused."""

import unittest

import harness


class ConfigTest(harness.CliTest):
    def setUp(self):
        super().setUp()
        self.own = self.folder / "own" / "sluice" / "config.toml"
        self.own.parent.mkdir(parents=True)
        self.env = {"XDG_CONFIG_HOME": str(self.folder / "own"), "XDG_CONFIG_DIRS": str(self.folder / "etc")}
        (self.folder / "c.jsonl").write_text('{"text":"a"}\nnot json\n{"text":"b"}\n')

    def settings(self, *arguments, **env):
        shown = self.sluice("config", "show", "--json", *arguments, env={**self.env, **env}).json()
        return {entry["name"]: (entry["value"], entry["origin"]) for entry in shown["settings"]}

    def test_nearer_goes_before_farther(self):
        system = self.folder / "etc" / "sluice" / "config.toml"
        system.parent.mkdir(parents=True)
        system.write_text("threads = 1\nattempts = 1\nsettle = '1s'\n")
        self.own.write_text("attempts = 2\nsettle = '2s'\n")
        (self.folder / "sluice.toml").write_text("settle = '3s'\n")
        settings = self.settings()
        self.assertEqual(settings["threads"], ("1", f"{system}:1"))
        self.assertEqual(settings["attempts"], ("2", f"{self.own}:1"))
        self.assertEqual(settings["settle"], ("3s", "./sluice.toml:1"))
        self.assertEqual(settings["poll"], (None, "default"))
        self.assertEqual(self.settings(SLUICE_THREADS="7")["threads"], ("7", "SLUICE_THREADS"))
        (self.folder / "alone.toml").write_text("poll = '1s'\n")
        alone = self.settings("--config", "alone.toml")
        self.assertEqual((alone["poll"], alone["settle"]), (("1s", "alone.toml:1"), (None, "default")))
        self.assertEqual(self.settings(SLUICE_CONFIG="alone.toml"), alone)

    def test_a_flag_that_is_off_here_is_off(self):
        self.own.write_text("normalize = true\n")
        (self.folder / "sluice.toml").write_text("normalize = false\n")
        self.assertEqual(self.settings()["normalize"], ("false", "./sluice.toml:1"))

    def test_profiles(self):
        self.own.write_text("poll = '1s'\n[profile.night]\npoll = '9m'\n[profile.night.retry]\npoll = '8m'\n")
        self.assertEqual(self.settings("run", "--profile", "night")["poll"], ("9m", f"{self.own}:3"))
        self.assertEqual(self.settings("retry", SLUICE_PROFILE="night")["poll"], ("8m", f"{self.own}:5"))
        refused = self.sluice("run", "c.jsonl", "--profile", "nigth", code=2, env=self.env)
        self.assertIn("no settings file has a profile 'nigth'", refused.err)

    def test_a_run_goes_by_its_settings(self):
        self.own.write_text("[run]\nbackend = 'local'\non-error = 'fail'\n")
        stopped = self.sluice("run", "c.jsonl", "-q", code=7, env=self.env)
        self.assertIn("c.jsonl:2", stopped.err)
        self.sluice("run", "c.jsonl", "-q", "--on-error", "skip", "--fresh", "-y", code=3, env=self.env)
        self.assertTrue((self.folder / "vectors.npy").exists())

    def test_a_wrong_value_is_named_with_its_place(self):
        (self.folder / "sluice.toml").write_text("[run]\n\npoll = '30x'\n")
        refused = self.sluice("run", "c.jsonl", "-b", "local", code=2, env=self.env)
        self.assertIn("--poll (./sluice.toml:3): '30x' is not a duration", refused.err)
        (self.folder / "sluice.toml").write_text("on-unknown = 'maybe'\n")
        refused = self.sluice("run", "c.jsonl", "-b", "local", code=2, env=self.env)
        self.assertIn("--on-unknown (./sluice.toml:1): 'maybe' is none of adopt, ask", refused.err)

    def test_the_folder_decides_nothing_about_the_key(self):
        for line in ("base-url = 'http://127.0.0.1:1'", "[run]\napi-key-file = 'x'"):
            (self.folder / "sluice.toml").write_text(line)
            refused = self.sluice("run", "c.jsonl", code=2, env={**self.env, "GEMINI_API_KEY": harness.KEY})
            self.assertIn("may not stand here", refused.err)
        (self.folder / "sluice.toml").rename(self.own)
        self.assertEqual(self.settings()["api-key-file"][0], "x")

    def test_files_that_cannot_be_used(self):
        refused = self.sluice("status", "--config", "gone.toml", code=2)
        self.assertIn("gone.toml", refused.err)
        (self.folder / "sluice.toml").write_text("threads = \n")
        refused = self.sluice("status", code=2, env=self.env)
        self.assertIn("./sluice.toml:1:", refused.err)
        (self.folder / "sluice.toml").write_bytes(b"# " + b"x" * (1 << 20))
        self.assertNotEqual(self.sluice("status", code=None, env=self.env).code, 0)
        # What explains sluice works all the same.
        self.sluice("--help", env=self.env)
        self.sluice("run", "--help", env=self.env)
        self.sluice("version", env=self.env)
        self.assertIn("yes", self.sluice("config", "path", env=self.env).out)


if __name__ == "__main__":
    unittest.main()
