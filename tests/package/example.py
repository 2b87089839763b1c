"""The workflow of docs/library.md, run against a local service."""

import subprocess

import harness

OUTPUT_END = ["a: 3072 values", "b: 3072 values"]


def run_workflow(test, program):
    """Runs `program`, which is examples/batch_embeddings.cc however it was built, and judges it."""
    service = harness.LocalService(test, "--latency", "1ms..5ms")
    folder = test.folder / "work"
    folder.mkdir(exist_ok=True)
    ended = subprocess.run(
        [str(program)],
        cwd=folder,
        env=harness.environment(GOOGLE_GEMINI_BASE_URL=service.base_url, GEMINI_API_KEY=harness.KEY),
        capture_output=True,
        text=True,
        timeout=harness.PATIENCE_S,
    )
    test.assertEqual(ended.returncode, 0, ended.stderr)
    lines = ended.stdout.splitlines()
    test.assertTrue(lines[0].startswith("batches/"), ended.stdout)
    test.assertEqual(lines[-3].split()[1], "SUCCEEDED", ended.stdout)
    test.assertEqual(sorted(lines[-2:]), OUTPUT_END)
    test.assertEqual([path.name for path in folder.iterdir()], ["requests.jsonl"])
