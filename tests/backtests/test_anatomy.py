"""Cuts of a signal and its run: counted by hand, and against the ratio and the gate that the market itself gives."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from backtests.studies.ablation import Variant, run_variant
from backtests.studies.anatomy import first_live, gate_crossings, shares_by_ratio, shares_by_year, stay_leads
from backtests.studies.choices import reading_choices, setting_choices
from signals.explain.history import signal_history

YEARS = {"run.start": "2021-01-04", "run.end": "2022-12-30"}


@pytest.fixture(scope="module")
def run(sample):
    return run_backtest(load_spec("sample", YEARS), sample)


def with_gate(run, **columns):
    days = pd.bdate_range("2020-01-01", periods=len(next(iter(columns.values()))))
    filled = {"ratio": np.nan, "g": np.nan, "multiplier": np.nan} | columns
    return replace(run.signal, gate=pd.DataFrame(filled, index=days)), days


def test_a_band_holds_what_lies_above_its_lower_edge(run):
    ratio = [0.40, 0.45, 0.46, 0.50, 0.55, 0.60, 0.61, math.nan]
    signal, days = with_gate(run, ratio=ratio)
    regimes = ["ABUNDANT", "NEUTRAL", "SCARCE", "SCARCE", "SCARCE", "NEUTRAL", "SCARCE", "SCARCE"]
    table = shares_by_ratio(replace(signal, regime=pd.Series(regimes, days)), days)
    assert table["sessions"].to_dict() == {"up to 0.45": 2, "0.45 to 0.50": 2, "0.50 to 0.60": 2, "above 0.60": 1}
    assert table.loc["up to 0.45", ["ABUNDANT", "NEUTRAL", "SCARCE"]].tolist() == [0.5, 0.5, 0.0]
    assert table.loc["0.50 to 0.60", "SCARCE"] == 0.5


def test_a_band_without_a_session_has_no_shares(run):
    signal, days = with_gate(run, ratio=[0.7, 0.8])
    table = shares_by_ratio(replace(signal, regime=pd.Series(["SCARCE"] * 2, days)), days)
    assert table.loc["up to 0.45"].isna().tolist() == [False, True, True, True]
    assert table.loc["above 0.60", "SCARCE"] == 1.0


def test_without_a_gate_no_session_is_in_a_band(run):
    assert shares_by_ratio(replace(run.signal, gate=None), run.sessions)["sessions"].sum() == 0
    assert gate_crossings(replace(run.signal, gate=None)).empty


def test_the_years_of_a_run_are_those_of_its_sessions(run):
    table = shares_by_year(run.signal, run.sessions)
    assert list(table.index) == [2021, 2022]
    assert table["sessions"].sum() == len(run.sessions)
    in_2022 = run.signal.regime.loc["2022-01-03":"2022-12-30"]
    assert table.loc[2022, "SCARCE"] == pytest.approx((in_2022 == "SCARCE").mean())


def test_a_crossing_counts_where_it_holds(run):
    g = [math.nan, *[0.2] * 4, *[0.9] * 2, *[0.3] * 5, *[0.8] * 3, *[0.1] * 2, *[0.7] * 4, *[0.5] * 3]
    signal, days = with_gate(run, g=g)
    found = gate_crossings(signal, hold=3)
    # Two sessions above, and later two below, are no side of their own.
    assert found["session"].tolist() == [days[12], days[21]]
    assert found["opens"].tolist() == [True, False]


def test_an_input_lives_from_its_first_value_on(run):
    values = pd.DataFrame({"a": [math.nan, 1.0, math.nan], "b": math.nan}, pd.bdate_range("2024-01-01", periods=3))
    found = first_live(replace(run.signal, values=values))
    assert found["a"] == pd.Timestamp("2024-01-02")
    assert pd.isna(found["b"])


def test_leads_of_stays_add_up_to_that_of_the_run(run):
    leads = stay_leads(run.rotations)
    whole = np.log1p(run.returns[["strategy", "static_mix"]]).sum()
    assert leads["lead"].sum() == pytest.approx(whole["strategy"] - whole["static_mix"], abs=1e-9)
    if leads["lead"].sum() > 0:
        assert leads["share"].sum() == pytest.approx(1.0)
    assert list(leads["start"]) == list(run.rotations["start"])


def test_a_lead_that_is_none_has_no_shares(run):
    worse = run.rotations.assign(strategy=-0.1, static_mix=0.1)
    leads = stay_leads(worse)
    assert leads["lead"].tolist() == pytest.approx([math.log(0.9 / 1.1)] * len(worse))
    assert leads["share"].isna().all()


# Choices


def test_every_choice_is_a_setting_of_the_spec_that_changes_what_is_said(run):
    config = run.spec.signal
    variants = {each.name: each for each in setting_choices(config)}
    assert len(variants) == 15
    wanted = {
        "width of the gate 0.10": {"signal.gate.width": 0.10},
        "events halve in 32 sessions": {
            "signal.event_half_life_sessions": 32.0,
            "signal.funding_half_life_sessions": 32.0,
        },
        "level over 126 sessions": {"signal.level_change_sessions": 126},
        "prices of capital over 20 sessions alone": {"signal.change_sessions": [20]},
        "enter at 0.3": {"signal.enter": 0.3},
    }
    for name, settings in wanted.items():
        assert variants[name].config == load_spec("sample", settings).signal
    assert "clip at 2" not in {each.name for each in setting_choices(config.model_copy(update={"clip": 2.0}))}


def test_every_market_lacks_one_thing_and_the_signal_says_another(run, sample):
    markets = reading_choices(sample)
    assert list(markets) == [
        "without the announced pace",
        "gate by cash capex alone",
        "WTREGEN for WDTGAL",
        "repo against DFF, not IORB",
        "without events",
    ]  # nothing was announced by the day in a simulated market
    full = Variant("full", run.spec.signal)
    histories = []
    for name, market in markets.items():
        found = run_variant(run, full, market)
        histories.append(signal_history(found.signal)["score"])
        assert not histories[-1].equals(run.signal.score), name
        assert len(found.returns) == len(run.sessions)
    assert len({tuple(each) for each in histories}) == len(markets)


@pytest.mark.real_history
def test_spring_2020_is_taken_from_real_paces_alone(history):
    changed = reading_choices(history)["without the daily targets of spring 2020"]
    gone = history.balance_sheet_paces.merge(changed.balance_sheet_paces, how="left", indicator=True)
    gone = gone[gone["_merge"] == "left_only"]
    assert gone["announced_at"].min() == pd.Timestamp("2020-03-18")
    assert gone["announced_at"].max() == pd.Timestamp("2020-06-05")
    assert len(gone) == 16
