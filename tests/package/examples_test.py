"""The program that docs/library.md shows is examples/batch_embeddings.cc, and it works."""

import os
import pathlib
import re

import example
import harness

SOURCE = pathlib.Path(os.environ["SLUICE_SOURCE"])
EXAMPLES = pathlib.Path(os.environ["SLUICE_EXAMPLES"])


class Examples(harness.CliTest):
    def test_the_page_shows_the_program_that_is_tested(self):
        page = (SOURCE / "docs/library.md").read_text(encoding="utf-8")
        shown = re.findall(r"```cpp\n(.*?)```", page, re.DOTALL)
        program = (SOURCE / "examples/batch_embeddings.cc").read_text(encoding="utf-8")
        self.assertIn(program, shown)

    def test_the_workflow_runs(self):
        example.run_workflow(self, EXAMPLES / "example_batch_embeddings")


if __name__ == "__main__":
    harness.main()
