"""Address space that runs out anywhere ends a run as a full disk does: an error and 75, never a crash, and
the same command goes on where there is more. So does a library that is not there."""

import resource

import harness

MIB = 1 << 20
DOCUMENTS = 400
RUN = ["run", "c.jsonl", "--dim", "8", "--shard-rows", "100"]


class AddressSpace(harness.CliTest):
    def test_any_limit(self):
        self.write_corpus("c.jsonl", DOCUMENTS)
        service = harness.LocalService(self)
        command = [*RUN, *service.flags()]
        self.sluice(*command, "-o", "wanted.npy", env=service.env())
        ended = set()
        for limit in range(100 * MIB, 240 * MIB, 20 * MIB):
            output = f"{limit // MIB}.npy"
            process = self.spawn(*command, "-o", output, env=service.env(), preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_AS, (limit, limit)))
            _, err = process.communicate()
            ended.add(process.returncode)
            self.assertIn(process.returncode, (0, 75, 127), f"{limit // MIB} MiB: {err}")  # 127: no library fits
            if process.returncode == 75:
                self.assertIn("error: ", err)
            self.sluice(*command, "-o", output, env=service.env())
            self.assertEqual(self.read(output), self.read("wanted.npy"))
        self.assertLessEqual({0, 75}, ended)
        made = [event["displayName"] for event in service.events("create")]
        self.assertEqual(len(made), len(set(made)), "a job was made twice")


class BrokenLibrary(harness.CliTest):
    def test_libcurl_is_missed_by_who_speaks_to_a_service_alone(self):
        self.write_corpus("c.jsonl", 3)
        (self.folder / "libcurl.so.4").touch()
        broken = {"LD_LIBRARY_PATH": str(self.folder)}
        run = ["c.jsonl", "-C", "c.sluice", "--model", "sluice-lexical-1", "--dim", "8"]
        self.sluice("prepare", *run, env=broken)
        ended = self.sluice("run", *run, "--backend", "local", "-o", "c.npy", code=75, env=broken)
        self.assertIn("libcurl cannot be loaded", ended.err)
        self.assertIn("apt install libcurl4", ended.err)
        self.sluice("run", *run, "--backend", "local", "-o", "c.npy")


if __name__ == "__main__":
    harness.main()
