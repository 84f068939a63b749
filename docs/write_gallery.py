"""Make the live pages of the gallery, on the sample market, below build/gallery: `make docs` runs it before Sphinx."""

import contextlib
import shlex
import tempfile
from pathlib import Path

from click.testing import CliRunner

from reverse_qe.cli import cli

GALLERY = Path(__file__).resolve().parents[1] / "build" / "gallery"
COMMANDS = (
    "backtest --out run",
    "backtest --set policy.instrument_cap=0.25 --out capped --no-tearsheet",
    "signal --page pages/signal.html",
    "runs compare run capped --page pages/compare.html",
    "sweep sample --grid signal.enter=0.3,0.4,0.5 --grid policy.instrument_cap=0.2,0.3 --start 2022-01-03 --out sweep"
    " --page pages/sweep.html",
    "paper init --broker simulated",
    *(f"paper step --date {day}" for day in ("2026-10-05", "2026-10-06", "2026-10-07", "2026-10-08", "2026-10-09")),
    "paper status --page pages/account.html",
)


def write_gallery(target: Path) -> None:
    """Run the commands in an empty folder and keep the pages.

    Args:
        target: a folder that is made; the pages lie in `pages` in it.
    """
    pages = target.absolute() / "pages"
    pages.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("pages").symlink_to(pages)  # pages are written where they stay
        runner = CliRunner(env={"REVERSE_QE_HOME": str(Path(folder) / "home")})
        for command in COMMANDS:
            result = runner.invoke(cli, shlex.split(command), catch_exceptions=False)
            if result.exit_code:
                raise SystemExit(f"reverse-qe {command}: {result.output}")
        (pages / "run.html").write_bytes((Path(folder) / "run" / "tearsheet.html").read_bytes())


if __name__ == "__main__":
    write_gallery(GALLERY)
