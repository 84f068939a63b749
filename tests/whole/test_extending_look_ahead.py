"""Leaks planted in code of users: each stops the run and names file, column and session; honest code passes."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtests.audit.look_ahead import CUTS, known_by, require_same_past, spread, telling_sessions, with_another_future
from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from data.clock import decision_times, sessions_between
from data.errors import InputError
from data.files.user_code import LookAheadError
from reverse_qe import cli
from signals.block import SignalData
from signals.config import SignalConfig

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
# They end in another regime than some of the cuts, or the leak of the last regime would not show.
DAYS = {"run.start": "2022-01-03", "run.end": "2023-10-31"}
BLOCK = (EXAMPLES / "my_block.py").read_text()
POLICY = (EXAMPLES / "my_policy.py").read_text()
STRATEGY = (EXAMPLES / "my_strategy.py").read_text()


@pytest.fixture
def mine(tmp_path):
    """A spec of the sample with one file of the user; its path."""

    def write(kind, code):
        (tmp_path / f"my_{kind}.py").write_text(code)
        path = tmp_path / f"{kind}.toml"
        path.write_text((EXAMPLES / f"{kind}.toml").read_text())
        return str(path)

    return write


def by_date(series):
    """A block that takes the date of a value for the time at which it was known."""
    return BLOCK.replace(
        "    known = as_known(observations, data.sessions, stale_after_days=10)\n",
        "    last = observations.drop_duplicates('date', keep='last').set_index('date')['value'].sort_index()\n"
        "    known = as_known(observations, data.sessions, stale_after_days=10)\n"
        "    known['value'] = last.reindex(data.sessions, method='ffill')\n",
    ).replace("DGS3MO", series)


VALUE = 'basis_points(known["value"].diff(63))'
LEAKS = {
    "a centred window": ("block", BLOCK.replace(VALUE, 'known["value"].rolling(21, center=True).mean()')),
    "a mean of the full sample": ("block", BLOCK.replace(VALUE, 'known["value"] - known["value"].mean()')),
    "the value of the session after": ("block", BLOCK.replace(VALUE, 'known["value"].shift(-1)')),
    "filled backwards": ("block", BLOCK.replace(VALUE, 'known["value"].where(known["value"].diff() != 0).bfill()')),
    "a daily series by its dates": ("block", by_date("DGS3MO")),
    "a weekly series by its dates": ("block", by_date("WALCL")),
    "a time of knowledge in the future": (
        "block",
        BLOCK.replace('known=known["known"]', 'known=known["known"].shift(-1)'),
    ),
    "capex at the end of its quarter": (
        "block",
        BLOCK.replace(
            VALUE,
            "data.capex[data.capex['company'] == 'MSFT'].set_index('period_end')['capex_usd_bn']"
            ".reindex(data.sessions, method='ffill')",
        ),
    ),
    "tomorrow's prices": ("policy", POLICY.replace("prices >= ", "prices.shift(-1) >= ")),
    "the mean of all prices": ("policy", POLICY.replace("prices.rolling(100, min_periods=1).mean()", "prices.mean()")),
    "the last regime": (
        "policy",
        POLICY.replace("rising = prices", "rising = prices.where(regime == regime.iloc[-1])"),
    ),
    "the bar to come": ("strategy", STRATEGY.replace("price = data.decision_price[0]", "price = data.close[1]")),
    "the columns behind the bars": (
        "strategy",
        STRATEGY.replace(
            "share = 0.45 if self.data.score[0] > 0.2 else 0.9",
            "share = 0.9 if self.data.p.columns['close'][-1] > 100 * len(self.data.p.columns['close']) ** 0.5 else 0.3"
            " + 0.0001 * len(self.data.p.columns['close'])",
        ),
    ),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_planted_leak_stops_the_run(mine, sample, leak):
    kind, code = LEAKS[leak]
    assert code not in (BLOCK, POLICY, STRATEGY)
    with pytest.raises(LookAheadError) as stopped:
        run_backtest(load_spec(mine(kind, code), DAYS), sample)
    said = str(stopped.value)
    column = {"block": "money_market", "policy": "target weight of SIM-", "strategy": "SIM-"}[kind]
    assert f"my_{kind}.py" in said
    assert column in said
    assert re.search(r"20\d\d-\d\d-\d\d", said)


@pytest.mark.parametrize("kind", ["block", "policy", "strategy"])
def test_honest_code_passes_and_is_run_again(mine, sample, kind, monkeypatch):
    compared = []

    def counting(whole, again, cuts, file_of):
        compared.extend(cuts)
        require_same_past(whole, again, cuts, file_of)

    monkeypatch.setattr("backtests.audit.look_ahead.require_same_past", counting)
    code = {"block": BLOCK, "policy": POLICY, "strategy": STRATEGY}[kind]
    run_backtest(load_spec(mine(kind, code), DAYS), sample)
    assert len(compared) == (2 * CUTS if kind == "block" else CUTS)
    # Code of the user that looks back is checked over the year before the run too.
    first = pd.Timestamp("2022-01-03" if kind == "block" else "2020-12-31")
    assert all(first < cut <= pd.Timestamp("2023-11-01") for cut in compared)


def test_what_a_module_remembers_hides_no_leak(mine, sample):
    code = POLICY.replace("def weights", "MEMORY = {}\n\n\ndef weights").replace(
        "prices.rolling(100, min_periods=1).mean()", 'MEMORY.setdefault("mean", prices.mean())'
    )
    with pytest.raises(LookAheadError, match="target weight of"):
        run_backtest(load_spec(mine("policy", code), DAYS), sample)


def test_the_bar_to_come_is_named_by_line(mine, sample):
    code = STRATEGY.replace("price = data.decision_price[0]", "price = data.open[2]")
    with pytest.raises(LookAheadError, match=r"my_strategy\.py, line \d+: reads open of SIM-COIN-A, 2 bars after"):
        run_backtest(load_spec(mine("strategy", code), DAYS), sample)


def test_a_bar_before_the_first_is_no_look_ahead(mine, sample):
    code = STRATEGY.replace("price = data.decision_price[0]", "price = data.close[-5]")
    with pytest.raises(InputError, match="IndexError"):
        run_backtest(load_spec(mine("strategy", code), DAYS | {"run.warmup_sessions": 0}), sample)


def test_reading_a_signal_or_a_decision_checks_too(mine, sample):
    from reverse_qe.api import signal

    for kind in ("block", "policy"):
        code = LEAKS["a centred window" if kind == "block" else "tomorrow's prices"][1]
        with pytest.raises(LookAheadError, match=f"my_{kind}.py"):
            signal(mine(kind, code), "sample")


def test_the_command_line_stops_with_status_1_and_writes_nothing(mine, tmp_path, monkeypatch, capsys):
    path, out = mine("policy", LEAKS["tomorrow's prices"][1]), tmp_path / "out"
    days = ["--start", DAYS["run.start"], "--end", DAYS["run.end"]]
    monkeypatch.setattr("sys.argv", ["reverse-qe", "backtest", path, *days, "--out", str(out), "--no-tearsheet"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "my_policy.py looks ahead: target weight of " in line
    assert not out.exists()


# The parts.


def data_of(market):
    sessions = sessions_between(pd.Timestamp("2012-01-03"), market.bars["date"].max())
    return SignalData.of(market, sessions, SignalConfig())


def test_nothing_known_later_is_left(sample):
    session = pd.Timestamp("2025-02-03")
    cut, whole = known_by(data_of(sample), session), data_of(sample)
    (decision,) = decision_times(pd.DatetimeIndex([session]))
    assert cut.sessions[-1] == session
    known = whole.series[whole.series["known_at"] <= decision].reset_index(drop=True)
    pd.testing.assert_frame_equal(
        cut.series[cut.series["value"].notna()].reset_index(drop=True), known.dropna().reset_index(drop=True)
    )
    for figure in ("capex", "ocf"):
        assert not (cut.capex[f"{figure}_known_at"] > decision).any()
        known = whole.capex[whole.capex[f"{figure}_known_at"] <= decision]
        left = cut.capex[cut.capex[f"{figure}_usd_bn"].notna()]
        assert left[f"{figure}_usd_bn"].tolist() == known[f"{figure}_usd_bn"].dropna().tolist()
    blank = cut.capex[cut.capex["capex_known_at"].isna() & cut.capex["ocf_known_at"].isna()]
    assert set(blank["company"]) == {"CRWV"}
    for table in ("guidance", "funding"):
        kept, rows = getattr(cut, table), getattr(whole, table)
        pd.testing.assert_frame_equal(kept, rows[rows["known_at"] <= decision].reset_index(drop=True))
        assert 0 < len(kept) < len(rows)


def test_another_future_leaves_what_was_known(sample):
    session = pd.Timestamp("2025-02-03")
    (decision,) = decision_times(pd.DatetimeIndex([session]))
    other, whole = with_another_future(data_of(sample), session), data_of(sample)
    later = whole.series["known_at"] > decision
    assert other.series[~later].equals(whole.series[~later])
    assert (other.series.loc[later, "value"] != whole.series.loc[later, "value"]).all()
    for figure in ("capex", "ocf"):
        later = whole.capex[f"{figure}_known_at"] > decision
        values, before = other.capex[f"{figure}_usd_bn"], whole.capex[f"{figure}_usd_bn"]
        assert values[~later].equals(before[~later])
        assert (values[later] != before[later]).all()
    for table, figures in (("guidance", ["low_usd_bn", "high_usd_bn"]), ("funding", ["amount_usd_bn"])):
        rows, before = getattr(other, table), getattr(whole, table)
        later = before["known_at"] > decision
        assert rows[~later].equals(before[~later])
        changed = (rows[later][figures] != before[later][figures]) | before[later][figures].isna()
        assert changed.all(axis=None)
    assert not (other.guidance["low_usd_bn"] > other.guidance["high_usd_bn"]).any()


def test_a_series_that_is_not_known_yet_keeps_one_blank_row(sample):
    cut = known_by(data_of(sample), pd.Timestamp("1999-01-05"))
    assert sorted(cut.series["series"]) == sorted(set(sample.series["series"]))
    assert cut.series["value"].isna().all()
    assert sorted(cut.capex["company"]) == sorted(set(sample.capex_actuals["company"]))
    assert cut.capex[["capex_usd_bn", "ocf_usd_bn", "headline_capex_usd_bn"]].isna().all(axis=None)


def test_the_cuts_fall_where_each_series_is_about_to_be_known(sample):
    data = data_of(sample)
    run = data.sessions[data.sessions >= "2016-01-04"]
    chosen = telling_sessions(data, run)
    rows = sample.series.dropna()
    found = set()
    for session, middle in zip(chosen, spread(run), strict=True):
        (decision,) = decision_times(pd.DatetimeIndex([session]))
        assert abs(run.get_loc(session) - run.get_loc(middle)) <= 31
        found |= set(rows.loc[(rows["date"] <= session) & (rows["known_at"] > decision), "series"])
    assert found == set(sample.series["series"]) - {"IORB"}  # known before its day


@pytest.mark.parametrize(("length", "places"), [(2, [1]), (3, [1, 2]), (400, [100, 200, 300])])
def test_cuts_are_spread_over_the_run(length, places):
    sessions = pd.bdate_range("2020-01-01", periods=length)
    assert spread(sessions) == [sessions[place] for place in places]


def test_the_comparison_is_to_the_bit_and_blanks_are_the_same():
    days = pd.bdate_range("2020-01-01", periods=4)
    whole = pd.DataFrame({"x": [np.nan, 1.0, 2.0, 3.0], "y": ["a", "b", "c", "d"]}, days)
    require_same_past(whole, lambda cut: whole.loc[:cut].copy(), [days[2]], lambda column: "f.py")
    other = whole.copy()
    other.loc[days[1], "x"] = np.nextafter(1.0, 2.0)
    with pytest.raises(LookAheadError, match=r"f\.py looks ahead: x for 2020-01-02 is 1\.0, and 1\.0000000000000002"):
        require_same_past(whole, lambda cut: other.loc[:cut], [days[2]], lambda column: "f.py")
    with pytest.raises(LookAheadError, match="y for 2020-01-03 is c, and nan"):
        require_same_past(whole[["y"]], lambda cut: whole.loc[: days[1]], [days[2]], lambda column: "f.py")
