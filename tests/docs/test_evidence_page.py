"""The page of the evidence: its commands do what it says, and its tables are what its scripts write."""

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest

import write_evidence
from reverse_qe.api import backtest
from reverse_qe.judging.judge import evidence

PAGE = Path(__file__).resolve().parents[2] / "docs" / "evidence.md"
TEXT = PAGE.read_text(encoding="utf-8")


def part(mark):
    return TEXT.partition(f"<!-- {mark}: begin -->\n")[2].partition(f"<!-- {mark}: end -->")[0].strip()


@pytest.mark.slow
def test_its_commands_run(call, tmp_path):
    """On the sample, in the place of real history."""
    commands = re.findall(r"^    reverse-qe (.+)$", TEXT, re.M)
    ran = [words.split()[0] for words in commands]
    assert ran[:4] == ["backtest", "evidence", "sweep", "evidence"]
    assert {"mine.csv", "paper.toml"} <= {word for words in commands for word in words.split()}
    for words in commands:
        named = words.replace("history --market history", "sample").replace("--market history", "--market sample")
        # An account needs a hundred sessions, and the registration is of real history.
        if "paper.toml" in named or "registrations" in named:
            continue
        if "mine.csv" in named:
            table = pd.read_csv(tmp_path / "runs" / "mine" / "returns.csv", index_col="session")
            table[["strategy", "static_mix"]].set_axis(["mine", "mix"], axis=1).to_csv(tmp_path / "mine.csv")
        days = ["--start", "2024-01-02"] if named.split()[0] in ("backtest", "sweep") else []
        code, out, err = call(*shlex.split(named), *days)
        assert code == 0, (named, err)
        assert "verdict" in out or days


@pytest.mark.slow
@pytest.mark.real_history
def test_the_shipped_spec_is_told_as_it_is(history):
    found = evidence(backtest("history", history, count=False), trials=write_evidence.TRIALS)
    assert write_evidence.shipped_section(found) == part("shipped")


@pytest.mark.slow
@pytest.mark.real_history
def test_nothing_has_come_of_the_registration_yet(history):
    found = evidence(PAGE.parent / "registrations" / "scarcity-2026-10-10.toml", market=history)
    assert (found.sessions, found.table.row("registered_looks").values["next"]) == (0, "2027-10-10")
    assert "(no session yet)" in found.title


def test_the_trials_are_those_of_the_page_that_shows_them():
    told = (PAGE.parent / "signal-evidence.md").read_text(encoding="utf-8")
    assert f"**{write_evidence.TRIALS} backtests stand behind this page**" in told
