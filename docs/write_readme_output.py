"""Put what `make backtest` prints into the README: `make docs` runs it, a test compares."""

import re
import tempfile
from pathlib import Path

from click.testing import CliRunner

from reverse_qe.cli import cli

README = Path(__file__).resolve().parents[1] / "README.md"
MARKED = re.compile(r"(<!-- output: begin \(make docs\) -->\n).*?(<!-- output: end -->)", re.S)


def readme_with_output() -> str:
    """The README with the summary of a fresh run on the sample market between its marks."""
    with tempfile.TemporaryDirectory() as folder:
        result = CliRunner(env={"REVERSE_QE_HOME": str(Path(folder) / "home")}).invoke(
            cli, ["backtest", "--no-tearsheet", "--out", str(Path(folder) / "run")], catch_exceptions=False
        )
    lines = "\n".join(line.rstrip() for line in result.stdout.splitlines())
    # The folder is this script's own. The run's id depends on every source file; here it would only age.
    lines = lines.replace(str(Path(folder) / "run"), "runs/...")
    lines = re.sub(r" \(run [0-9a-f]{12}\)", "", lines)
    return MARKED.sub(lambda marks: f"{marks[1]}```text\n{lines}\n```\n{marks[2]}", README.read_text(encoding="utf-8"))


if __name__ == "__main__":
    README.write_text(readme_with_output(), encoding="utf-8")
