"""`runs trials`, and what a result says of the log: counted, as before, or not at all and loudly."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import reverse_qe
from backtests.archive.trials.counting import NotCountedWarning
from backtests.archive.trials.lines import LOG, RETURNS, log_folder
from backtests.archive.trials.log import add_trial
from backtests.archive.trials.project import project_folder
from backtests.archive.trials.reading import read_project, trials_of
from backtests.evidence.trials import TrialCount
from data.clock import sessions_between

SHORT = ("--start", "2026-01-02", "--end", "2026-06-30", "--no-tearsheet")
CAP = ("--set", "policy.instrument_cap=0.25")
DAYS = {"run.start": "2026-01-02", "run.end": "2026-03-31"}


def rows():
    return [json.loads(line) for line in (log_folder() / LOG).read_text().splitlines()]


@pytest.mark.slow
def test_backtests_are_listed_counted_and_verified(call, tmp_path):
    (tmp_path / ".git").mkdir()
    status, out, err = call("runs", "trials")
    assert (status, "Nothing was tried in" in out, "verifies: 0 rows" in err) == (0, True, True)
    assert "; trial 1 of this project on simulated markets" in call("backtest", *SHORT)[2]
    (first,) = (tmp_path / "runs").iterdir()
    assert "trial 2 of this project" in call("backtest", *SHORT, *CAP, "--label", "wary")[2]
    # The same again, by another engine, from its own spec, under another name: none of them is a trial.
    for more in (("--engine", "vector"), ("--set", "run.name=other")):
        assert "trial 1 of this project on simulated markets, as before" in call("backtest", *SHORT, *more)[2]
    assert ", as before" in call("backtest", first / "spec.toml", "--no-tearsheet")[2]
    assert ", as before" in call("backtest", *SHORT, "--stress")[2]
    call("signal")
    status, out, err = call("runs", "trials")
    assert status == 0
    assert "Tried in " in out
    assert "wary: sample with policy.instrument_cap=0.25, run.end=2026-06-30, run.start=2026-01-02" in out
    assert "On simulated markets: 2 trials, which count as 1." in out
    assert "verifies: 2 rows, of all projects" in err
    said = json.loads(call("runs", "trials", "--json")[1])
    assert (said["verifies"], said["project"], len(said["rows"])) == (True, str(tmp_path.resolve()), 2)
    assert said["counts"]["simulated"]["trials"] == 2
    row = said["rows"][0]
    strategy = json.loads((first / "metrics.json").read_text())["strategy"]
    assert (row["cagr"], row["sharpe"]) == (strategy["cagr"], strategy["sharpe"])
    assert row["run_id"] == json.loads((first / "manifest.json").read_text())["run_id"]


def made_up(number):
    """A row as short as one can be."""
    days = {"first_session": "2026-01-02", "last_session": "2026-06-30"}
    told = {"market": "sample", "spec": "sample", "differs": {"signal.enter": 0.1 * number}}
    return {
        "kind": "backtest",
        "project": str(project_folder()),
        "simulated": True,
        "key": f"{number:064x}",
        "trials": 1,
        **told,
        **days,
    }


def tried(number):
    """Count a trial that nobody made."""
    days = sessions_between(pd.Timestamp("2026-01-02"), pd.Timestamp("2026-06-30"))
    returns = np.random.default_rng(number).standard_normal(len(days)) / 100
    return add_trial(log_folder(), made_up(number), {"strategy": returns, "static_mix": 0.0 * returns})


def test_a_project_is_the_folder_with_a_git_and_what_lies_below_it(call, tmp_path, monkeypatch):
    (tmp_path / "a" / ".git").mkdir(parents=True)
    (tmp_path / "a" / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "a" / "deep")
    tried(1)
    monkeypatch.chdir(tmp_path)
    tried(2)
    assert [row["project"] for row in rows()] == [str((tmp_path / "a").resolve()), str(tmp_path.resolve())]
    assert len(json.loads(call("runs", "trials", "--json", "--project", tmp_path / "a" / "deep")[1])["rows"]) == 1
    status, _, err = call("runs", "trials", "--project", "nowhere")
    assert (status, err) == (2, "Error: got the project nowhere, wanted its folder; there is no such folder\n")


def test_from_python_a_result_says_whether_it_was_counted(sample, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    counted = reverse_qe.backtest("sample", sample, set=DAYS, label="mine")
    assert "; trial 1 of this project on simulated markets" in repr(counted)
    assert counted.counted.row is not None
    assert counted.counted.row["label"] == "mine"
    silent = reverse_qe.backtest("sample", sample, set={**DAYS, "policy.instrument_cap": 0.3}, count=False)
    assert "; NOT counted as a trial: count=False" in repr(silent)
    assert silent.counted.row is None
    assert len(rows()) == 1
    assert trials_of(simulated=True) == TrialCount(1, 1.0, None, None)
    assert trials_of() == TrialCount(1, 1.0, None, None)


@pytest.mark.parametrize("label", ["", " ", "two\nlines", "x" * 101, "\x1b[2J"])
def test_a_label_is_one_short_line(call, label, tmp_path):
    status, _, err = call("backtest", *SHORT, "--label", label)
    assert (status, "label" in err, len(err.splitlines())) == (2, True, 1)
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_runs_that_stand_in_no_row_are_named(call, sample, tmp_path):
    """An older copy of the whole log is whole in itself; what was made since lies about."""
    (tmp_path / "regimes.csv").write_text("known_at,regime\n2024-01-01T00:00:00+00:00,SCARCE\n")
    call("backtest", *SHORT, "--out", "runs/first")
    older = tmp_path / "older"
    shutil.copytree(log_folder(), older)
    call("backtest", *SHORT, "--set", "signal.source=regimes.csv", "--out", "runs/second")
    call("backtest", *SHORT, "--set", "run.name=other", "--engine", "vector", "--out", "runs/again")
    status, out, _ = call("runs", "trials")
    assert (status, "in no row: " in out) == (0, False)
    shutil.rmtree(log_folder())
    shutil.copytree(older, log_folder())
    said = json.loads(call("runs", "trials", "--json")[1])
    assert (said["verifies"], [Path(each).name for each in said["runs_in_no_row"]]) == (True, ["second"])
    assert "A run stands in no row: second. Made with count=False" in call("runs", "trials")[1]


@pytest.mark.slow
def test_a_log_that_cannot_be_written_fails_no_run_and_is_said_loudly(call, sample, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("REVERSE_QE_HOME", str(tmp_path / "file" / "home"))
    for more in ((), ("--json",)):
        status, _, err = call("backtest", *SHORT, *more, "--out", tmp_path / f"run{len(more)}")
        assert status == 0
        assert "! NOT COUNTED as a trial, though it was one: " in err
        assert "Warning" not in err
    with pytest.warns(NotCountedWarning, match="not counted as a trial: ") as warned:
        result = reverse_qe.backtest("sample", sample, set=DAYS)
    assert Path(warned[0].filename).name == Path(__file__).name
    assert "NOT counted as a trial" in repr(result)


@pytest.mark.slow
def test_runs_and_pages_hold_nothing_that_the_log_determines(call, tmp_path):
    call("backtest", *SHORT, "--out", tmp_path / "one")
    shutil.rmtree(log_folder())
    for number in range(3):
        call("backtest", *SHORT, "--set", f"policy.instrument_cap=0.{number + 2}", "--out", tmp_path / f"other{number}")
    call("backtest", *SHORT, "--out", tmp_path / "two")
    for path in sorted((tmp_path / "one").iterdir()):
        if path.name != "timings.json":
            assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_a_log_that_was_changed_ends_with_1_and_counts_for_nobody(call, tmp_path):
    tried(1)
    tried(2)
    path = log_folder() / LOG
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"trials":1', b'"trials":0', 1))
    status, out, err = call("runs", "trials")
    assert status == 1
    assert "! row 1 is not what row 2 follows" in err
    assert "does NOT verify: 1 fault" in err
    assert "Tried in" in out
    status, out, _ = call("runs", "trials", "--json")
    assert (status, json.loads(out)["faults"]) == (1, ["row 1 is not what row 2 follows"])
    with pytest.raises(reverse_qe.ReverseQeError, match=r"does not verify: row 1 .* see: reverse-qe runs trials"):
        trials_of(simulated=True)
    path.write_bytes(whole)
    assert call("runs", "trials")[0] == 0
    for each in (log_folder() / RETURNS).iterdir():
        each.unlink()
    status, out, err = call("runs", "trials")
    assert (status, "the returns of row 1 are missing" in err, "count as" in out) == (1, True, False)


@pytest.mark.slow
def test_a_sweep_is_one_row_of_all_its_variants(call, tmp_path):
    grid = ("--grid", "signal.enter=0.3,0.4,0.5,0.6", "--grid", "signal.leave=0.1,0.2,0.35")
    status, _, err = call("sweep", "sample", *grid, "--start", "2023-01-03", "--out", tmp_path / "s")
    # One of the twelve leaves above where it enters: it could not be run, and is no trial.
    assert (status, "; 11 trials, up to number 11 of this project on simulated markets" in err) == (0, True)
    (row,) = rows()
    assert (row["kind"], row["variants"], row["trials"], row["label"]) == ("sweep", 12, 11, None)
    assert 1.0 < row["effective"] < 6.0
    assert len(row["returns"]["columns"]) == 1 + 11
    assert ", as before" in call("sweep", "sample", *grid, "--start", "2023-01-03", "--out", tmp_path / "again")[2]
    one = ("backtest", "sample", "--start", "2023-01-03", "--no-tearsheet")
    settings = [part for key, value in row["best"]["settings"].items() for part in ("--set", f"{key}={value}")]
    assert "trial 12 of this project" in call(*one, *settings)[2]
    together = read_project().counts[True]
    assert together.trials == 12
    assert together.effective == pytest.approx(row["effective"], rel=0.15)
    walk = ("--train", "1y", "--test", "6m", "--no-tearsheet")
    call("sweep", "sample", *grid, "--start", "2023-01-03", "--out", tmp_path / "walk", *walk)
    assert rows()[-1]["trials"] == 12
    assert rows()[-1]["returns"]["columns"][-1] == "walk-forward"
    assert (
        "sweep of sample with run.start=2023-01-03 over signal.enter (4), signal.leave (3)" in call("runs", "trials")[1]
    )
    silent = reverse_qe.sweep("sample", {"signal.enter": [0.3]}, start="2025-01-02", out=tmp_path / "x", count=False)
    assert "NOT counted as a trial: count=False" in repr(silent)


@pytest.mark.slow
def test_of_many_variants_five_hundred_series_are_kept(call, tmp_path):
    enters = ",".join(f"{0.3 + 0.002 * number:.3f}" for number in range(70))
    grid = ("--grid", f"signal.enter={enters}", "--grid", "policy.instrument_cap=0.2,0.22,0.24,0.26,0.28,0.3,0.32,0.34")
    call("sweep", "sample", *grid, "--start", "2026-01-02", "--out", tmp_path / "s")
    (row,) = rows()
    assert (row["trials"], row["variants"]) == (560, 560)
    assert 490 <= len(row["returns"]["columns"]) - 1 <= 500
    assert str(row["best"]["variant"]) in row["returns"]["columns"]
