"""Put what its commands print into first-ten-minutes.md: `make docs` runs them, a test compares."""

import contextlib
import re
import shlex
import tempfile
from pathlib import Path

from click.testing import CliRunner

from reverse_qe.cli import cli

PAGE = Path(__file__).with_name("first-ten-minutes.md")
BLOCK = re.compile(r"```console\n\$ reverse-qe (.+)\n(?:.*\n)*?```")


def page_with_output() -> str:
    """The page, with what each of its commands prints, one after the other in an empty folder."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        runner = CliRunner(env={"REVERSE_QE_HOME": str(Path(folder) / "home"), "COLUMNS": "100"})

        def run(block: re.Match[str]) -> str:
            printed = runner.invoke(cli, shlex.split(block[1]), catch_exceptions=False).output
            # A run's id depends on every source file; here it would only age.
            lines = (re.sub(r" \(run [0-9a-f]{12}\)", "", line.rstrip()) for line in printed.splitlines())
            return "\n".join([f"```console\n$ reverse-qe {block[1]}", *lines, "```"])

        return BLOCK.sub(run, PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    PAGE.write_text(page_with_output(), encoding="utf-8")
