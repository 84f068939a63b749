"""docs/runs.md, command by command, in an empty folder; then its Python on what the commands left."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from backtests.identity import ROOT

PAGE = (ROOT / "docs" / "runs.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)


@pytest.mark.slow
def test_two_variants_are_made_compared_and_exported(call: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    (script,) = blocks("sh")
    printed = {}
    for line in script.splitlines():
        command, *words = shlex.split(line)
        assert command == "reverse-qe"
        status, out, err = call(*words)
        assert status == 0, f"{line}: {err}"
        printed[" ".join(words[:2])] = out
    listed = [line for line in printed["runs list"].splitlines() if "mine" in line]
    # In either order: both may have been made in one second.
    told = sorted(("policy.instrument_cap=0.2" in line, "base: " in line) for line in listed)
    assert told == [(False, True), (True, False)]
    compared = {line.split()[0]: line.split()[1:] for line in printed["runs compare"].splitlines() if line.strip()}
    assert compared["policy.instrument_cap"] == ["0.3", "0.2"]
    assert "2 trials, which count as 1." in printed["runs trials"]
    assert "<figure" in (tmp_path / "compared.html").read_text(encoding="utf-8")
    (code,) = blocks("python")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "speculative" in done.stdout
    exported = json.loads((tmp_path / "trades.json").read_text(encoding="utf-8"))
    capped = next(path for path in (tmp_path / "runs").iterdir() if (path / "label.txt").read_text() == "capped\n")
    equity = pd.read_csv(capped / "equity.csv")["equity"].iloc[-1]
    assert sum(each["profit"] for each in exported) == pytest.approx(equity - 100_000, rel=1e-9)
