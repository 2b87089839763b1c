"""Links planted under the names of a run's files: what they lead to stays as it is. A temporary name is
taken over, and so is a final one when its file is complete; where a file of the run's own would have to be
gone on with, the run refuses, and goes on when the link is away."""

import os

import harness
import lab

PLACES = ["lock", "ledger.db", "ledger.db-wal", "manifest.jsonl", "ids.jsonl", "rejects.jsonl",
          "failures.jsonl", "failures.jsonl.tmp", "report.json", "report.json.tmp",
          "shards/00000.jsonl.zst", "shards/00000.jsonl.zst.tmp", "work/rows.npy.part",
          "work/00001.failures.jsonl.tmp", "work/answers-000000000000.jsonl.unsorted"]
# An array comes from the work folder and has no temporary name beside its own.
BESIDE = {".npy": [".npy", ".ids.jsonl", ".ids.jsonl.tmp"], ".jsonl": [".jsonl", ".jsonl.tmp"]}


class PlantedLinks(lab.CrashTest):
    def setUp(self):
        super().setUp()
        self.victim = self.folder / "victim"
        self.victim.write_text("precious", encoding="utf-8")

    def begin(self, folder):
        """A folder that a run has begun in, and got nowhere: no folder of others is taken for one."""
        folder.mkdir()
        command = [word if word != "c.jsonl" else "nobody.jsonl" for word in self.command(folder.stem + ".npy")]
        self.sluice(*command, env=self.service.env(), code=7)

    def plant(self, place, make_link):
        folder = next((folder for folder in place.parents if folder.suffix == ".sluice"), None)
        if folder is not None and place.name not in ("lock", "ledger.db"):
            self.begin(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        make_link(self.victim, place)

    def run_with_link(self, output, place, make_link):
        why = f"{make_link.__name__} at {place}"
        self.plant(place, make_link)
        ended = self.sluice(*self.command(output), env=self.service.env(), code=None)
        self.assertEqual(self.victim.read_text(encoding="utf-8"), "precious", why)
        self.assertIn(ended.code, (2, 3, 7, 75), f"{why}\n{ended.err}")
        if ended.code == 2:  # The ledger is never opened through a link.
            self.assertIn("is no file of its own", ended.err, why)
        if ended.code != 3:
            place.unlink()
            self.resume(output, why)
        else:
            self.judge(output, why)
            self.assertFalse(place.is_symlink(), why)

    def test_symbolic_and_hard_links(self):
        for name in PLACES:
            with self.subTest(name=name):
                output = self.next_run()
                self.run_with_link(output, self.run_folder(output) / name, os.symlink)
        # A hard link cannot be told from a file where one of ours may stand already.
        for name in [name for name in PLACES if name.endswith((".tmp", ".unsorted", ".zst"))]:
            with self.subTest(hard=name):
                output = self.next_run()
                self.run_with_link(output, self.run_folder(output) / name, os.link)

    def test_beside_the_output(self):
        for make_link in (os.symlink, os.link):
            for _ in range(len(BESIDE[".npy"]) + len(BESIDE[".jsonl"])):
                output = self.next_run()
                stem, ending = output.split(".")
                names = BESIDE["." + ending]
                place = self.folder / (stem + names[self.runs // 2 % len(names)])
                self.run_with_link(output, place, make_link)


if __name__ == "__main__":
    harness.main()
