"""`reverse-qe evidence`: what it prints, what it writes, what it refuses."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import reverse_qe
from backtests.archive.trials.lines import log_folder
from backtests.evidence.deflated_sharpe import deflated_sharpe
from backtests.evidence.sharpe_difference import sharpe_differences
from backtests.studies.evidence.of_sweep import read_swept
from data.clock import sessions_between
from data.markets import open_market
from paper.config import PaperConfig
from paper.step.account import run_step

SHORT = ("--start", "2021-01-04", "--end", "2021-12-31", "--no-tearsheet", "--out", "runs/it")


@pytest.mark.slow
def test_a_run_is_judged(call, tmp_path):
    assert call("backtest", "sample", *SHORT)[0] == 0
    code, out, _ = call("evidence", "it", "--trials", "12", "--page", "it.html", "--idea-known", "2021-07-01")
    assert code == 0
    assert out.startswith("Evidence of sample on SIMULATED market sample, 2021-01-04 to 2021-12-31 (252 sessions)\n")
    for told in (
        "Better than its rivals?",
        "in 12 trials",
        "of 252 shifts: Sharpe",
        "alpha on its own baskets",
        "the market has no SPY, SMH, IGV, BTC-USD",
        "without the best ten",
        "the spec names no hindsight",
        "ahead in",
        "In brackets: an interval of 95%.",
        "Taken together: ",
    ):
        assert told in out
    page = (tmp_path / "it.html").read_text(encoding="utf-8")
    assert "SIMULATED" in page
    assert "Would it last?" in page
    assert call("evidence", "latest")[0] == 0
    assert (
        "got strategy for a run, wanted it where it changes something" in call("evidence", "it", "--strategy", "a")[2]
    )
    assert "got nothing, wanted the folder of a run" in call("evidence", "nothing")[2]
    code, out, _ = call("evidence", "runs/it", "--json")
    told = json.loads(out)
    assert (told["kind"], told["sessions"]) == ("run", 252)
    assert {row["verdict"] for row in told["rows"]} <= {"for it", "against it", "cannot be told", "not measured"}
    # What the count of trials determines is no part of the run's folder.
    (beside,) = (log_folder() / "told").iterdir()
    kept = json.loads(beside.read_text(encoding="utf-8"))
    assert (kept["rows"], kept["trials"]["trials"]) == (told["rows"], 1)

    table = tmp_path / "runs" / "it" / "returns.csv"
    table.write_text(table.read_text().replace("2021-03-01,", "2021-03-01,1", 1))
    assert "that this version does not give (on 2021-03-01" in call("evidence", "it")[2]
    spec = tmp_path / "runs" / "it" / "manifest.json"
    spec.write_text(spec.read_text().replace('"snapshot_hash": "', '"snapshot_hash": "0'))
    assert "wanted that of the run" in call("evidence", "it")[2]


def test_a_result_of_python_is_judged_as_it_is():
    result = reverse_qe.backtest("sample", start="2021-01-04", end="2021-06-30")
    found = reverse_qe.evidence(result, trials=3)
    assert found.sessions == len(result.returns)
    assert "Taken together:" in repr(found)
    assert (
        found.table.row("sharpe_against_the_mix", "static_mix").values["difference"] == result.run.evidence.luck.value
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "got nothing to judge, wanted the folder of a run"),
        (("nothing",), "got nothing, wanted the folder of a run"),
        (("nothing", "--trials", "0"), "got nothing, wanted the folder of a run"),
        (("nothing", "--set", "a.b=1"), "got --set, wanted it with --register alone"),
        (("sample", "--register", "it.toml", "--trials", "3"), "got an option of a test with --register"),
        (("nothing", "--page", "there"), "there"),
    ],
)
def test_what_is_refused(call, tmp_path, arguments, told):
    (tmp_path / "there").mkdir()
    code, out, err = call("evidence", *arguments)
    assert (code, out) == (2, "")
    assert told in err
    assert len(err.splitlines()) == 1
    assert not Path(tmp_path / "it.toml").exists()


def test_returns_of_days_to_come_are_none(call, tmp_path):
    days = pd.bdate_range("2073-01-02", periods=300)
    pd.DataFrame({"mine": 0.001, "mix": 0.0}, days.rename("date")).to_csv(tmp_path / "to-come.csv")
    code, out, err = call("evidence", "to-come.csv")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"got a return of {days[-1].date()}, wanted none of days after today" in err


def test_trials_are_those_of_the_log_or_more():
    for end in ("2021-06-30", "2021-09-30"):
        result = reverse_qe.backtest("sample", start="2021-01-04", end=end)
    row = reverse_qe.evidence(result).table.row("deflated_sharpe", "static_mix").values
    assert row["trials"] == 2
    assert 1 <= row["effective_trials"] <= 2
    with pytest.raises(reverse_qe.ReverseQeError, match="got 1 trials, wanted at least the 2 that were counted"):
        reverse_qe.evidence(result, trials=1)


SWEEP = ("sweep", "sample", "--start", "2021-01-04", "--end", "2022-06-30", "--out", "sweeps/it")
GRID = ("--grid", "signal.enter=0.3,0.35,0.4,0.5", "--grid", "order_rules.band=0.0,0.02,0.05")


@pytest.mark.slow
def test_a_sweep_is_judged_and_says_so_from_then_on(call, tmp_path):
    assert call(*SWEEP, *GRID, "--returns", "--cpcv", "6,2")[0] == 0
    code, out, _ = call("evidence", "it", "--page", "it.html")
    assert code == 0
    assert out.startswith("Evidence of 12 variants of sample on SIMULATED market sample")
    for told in ("superior ability, at equal volatility", "of 12,870 halves", "5 paths: median Sharpe", "in 12 trials"):
        assert told in out
    assert "Is the best of the sweep luck?" in (tmp_path / "it.html").read_text(encoding="utf-8")
    _, again, _ = call(*SWEEP, *GRID, "--returns", "--page", "sweep.html")
    assert "Overfitting by halves: in " in again
    assert "Overfitting by halves: in " in (tmp_path / "sweep.html").read_text(encoding="utf-8")
    # The returns are those of runs of their own.
    swept = read_swept(tmp_path / "sweeps" / "it", open_market("sample"))
    settings = {"signal.enter": 0.4, "order_rules.band": 0.02}
    run = reverse_qe.backtest("sample", start="2021-01-04", end="2022-06-30", set=settings, count=False).run
    table = pd.read_parquet(tmp_path / "sweeps" / "it" / "variants.parquet")
    (number,) = table.index[(table["signal.enter"] == 0.4) & (table["order_rules.band"] == 0.02)]
    assert swept.excess[number] + swept.bill == pytest.approx(run.returns["strategy"].to_numpy(), abs=1e-9)
    own = reverse_qe.backtest("sample", start="2021-01-04", end="2022-06-30", count=False).run
    assert swept.mix == pytest.approx(own.returns["static_mix"].to_numpy(), abs=1e-12)


@pytest.mark.slow
def test_sweeps_that_cannot_be_judged(call, tmp_path):
    call(*SWEEP, *GRID)
    assert "which kept no daily returns; sweep again with --returns" in call("evidence", "it")[2]
    few = ("--grid", "signal.enter=0.3,0.4")
    call(*SWEEP[:-1], "few", *few, "--returns")
    assert "got 2 variants that could be run, wanted 10 or more" in call("evidence", "few")[2]
    other = ("evidence", "few", "--market", "sample:null")
    assert "wanted that of the sweep" in call(*other)[2]
    (tmp_path / "few" / "variants.parquet").write_bytes(b"nothing")
    assert "cannot be read" in call("evidence", "few")[2]
    (tmp_path / "few" / "variants.parquet").unlink()
    assert "wanted a sweep that has come to its end" in call("evidence", "few")[2]
    (tmp_path / "few" / "sweep.json").write_text("{}")
    code, out, err = call("evidence", "few")
    assert (code, out, len(err.splitlines())) == (2, "", 1)


def returns_file(path, sessions=300, edge=0.0):
    days = sessions_between(pd.Timestamp("2022-01-03"), pd.Timestamp("2024-12-31"))[:sessions]
    random = np.random.default_rng(8)
    mix = random.normal(0.0003, 0.01, len(days))
    own = mix + random.normal(edge, 0.004, len(days))
    pd.DataFrame({"mine": own, "mix": mix, "other": mix * 0.5}, days.rename("date")).to_csv(path)


def test_a_file_of_returns_is_judged(call, tmp_path):
    returns_file(tmp_path / "it.csv", edge=0.001)
    code, out, _ = call("evidence", "it.csv", "--json", "--idea-known", "2022-08-01", "--trials", "4")
    told = json.loads(out)
    assert (code, told["kind"], told["name"], told["sessions"]) == (0, "file", "mine of it.csv against mix", 300)
    rows = {(row["test"], row["of"]): row for row in told["rows"]}
    table = pd.read_csv(tmp_path / "it.csv", index_col="date", parse_dates=True)
    luck = sharpe_differences(table["mine"], table[["mix", "other"]], table["mine"] * 0)
    found = rows[("sharpe_against_the_mix", "mix")]["values"]
    assert (found["difference"], found["low"]) == (luck["mix"].value, luck["mix"].low)
    excess = (table["mine"] - table["mix"]).to_numpy()
    deflated = deflated_sharpe(excess, 4, 1 / 300**0.5).probability
    assert rows[("deflated_sharpe", "mix")]["values"]["probability"] == pytest.approx(deflated)
    assert rows[("circular_shift", "")]["verdict"] == "not measured"
    assert rows[("published", "after")]["values"]["sessions"] == int((table.index >= "2022-08-01").sum())
    _, out, _ = call("evidence", "it.csv", "--strategy", "other", "--rival", "mine")
    assert out.startswith("Evidence of other of it.csv against mine, 2022-01-03 to ")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("short.csv",), "got 99 sessions of returns, wanted at least 100"),
        (("it.csv", "--rival", "nobody"), "got nobody for rival"),
        (("it.csv", "--market", "nowhere"), "nowhere"),
        (("it.csv", "--trials", "0"), "got 0 trials"),
        (("it.csv", "--trials", "9" * 30), "got 30 digits of trials, wanted at most 1,000,000,000,000"),
        (("it.csv", "--trials", "9" * 400), "got 400 digits of trials"),
        (("it.txt",), "wanted the folder of a run or of a sweep"),
        (("history",), "got the spec history, wanted a run of it: reverse-qe backtest history"),
        (("spec.toml",), "spec.toml"),
    ],
)
def test_files_that_are_refused(call, tmp_path, arguments, told):
    returns_file(tmp_path / "it.csv")
    returns_file(tmp_path / "short.csv", 99)
    (tmp_path / "it.txt").write_text("date,a,b\n")
    (tmp_path / "spec.toml").write_text('[run]\nname = "it"\nstart = 2020-01-02\n')
    code, out, err = call("evidence", *arguments)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert told in err


@pytest.mark.slow
def test_an_account_is_judged_by_its_closes(tmp_path):
    config = PaperConfig(market="sample", spec="sample", state={"path": tmp_path / "state"})
    (tmp_path / "paper.toml").write_text(
        f'market = "sample"\nspec = "sample"\n[state]\npath = "{tmp_path / "state"}"\n', encoding="utf-8"
    )
    for day in sessions_between(pd.Timestamp("2021-01-04"), pd.Timestamp("2021-05-28")):
        run_step(config, day.date())
        if day == pd.Timestamp("2021-03-01"):
            with pytest.raises(reverse_qe.ReverseQeError, match=r"got \d+ sessions of returns, wanted at least 100"):
                reverse_qe.evidence(tmp_path / "paper.toml")
    found = reverse_qe.evidence(tmp_path)
    last = found.last.date()
    run = reverse_qe.backtest("sample", start="2021-01-04", end=str(last), count=False).run
    luck = sharpe_differences(run.returns["strategy"], run.returns[["static_mix", "benchmark"]], run.risk_free)
    for rival, test in (("static_mix", "sharpe_against_the_mix"), ("benchmark", "sharpe_against_a_rival")):
        assert found.table.row(test, rival).values["difference"] == pytest.approx(luck[rival].value, abs=1e-6)
    assert (found.kind, found.sessions) == ("account", len(run.returns))
    assert found.table.row("circular_shift").verdict == "not measured"
    lead = run.returns["strategy"] - run.returns["static_mix"]
    assert found.table.row("any_day", "the lead over the static mix").values["value"] == pytest.approx(
        lead.mean(), abs=1e-7
    )


def test_a_strategy_that_is_its_rival_is_nothing(call, tmp_path):
    returns_file(tmp_path / "it.csv")
    table = pd.read_csv(tmp_path / "it.csv", index_col="date")
    table.assign(mine=table["mix"]).to_csv(tmp_path / "same.csv")
    code, out, _ = call("evidence", "same.csv")
    assert code == 0
    assert "Sharpe +0.00 [+0.00, +0.00]; not ahead" in out
    assert "returns that never move over what they are compared with" in out
    assert "growth over mix x1.00" in out
    assert "no skill is shown" in out
