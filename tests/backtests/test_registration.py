"""What a registration freezes, and how long it says that it takes."""

import hashlib
import math
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.linear_model import OLS

from backtests.evidence.group_sequential import bounds, crossings
from backtests.prepare.signal import read_signal
from backtests.spec.spec import load_spec, read_written_spec
from backtests.studies.registration import (
    ALPHA,
    YEARS,
    endpoint_rows,
    newest_known_at,
    registration,
    years_needed,
)
from data.errors import InputError
from data.market.snapshot import Snapshot
from pairs import NAMES, with_pairs
from reverse_qe.words.registration import registration_toml

SHIPPED = Path(__file__).resolve().parents[2] / "docs" / "registrations" / "scarcity-2026-10-10.toml"


@pytest.fixture(scope="module")
def market(sample: Snapshot) -> Snapshot:
    return with_pairs(sample)


@pytest.fixture(scope="module")
def registered(market: Snapshot) -> dict[str, object]:
    spec = load_spec("sample")
    return registration(spec, market, read_signal(spec, market, pd.Timestamp("2026-10-12")))


def test_it_freezes_what_it_was_made_from(registered: dict[str, dict[str, object]], market: Snapshot) -> None:
    text = str(registered["spec"]["toml"])
    assert registered["spec"]["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert read_written_spec(text, "the spec")[0] == load_spec("sample")
    assert registered["market"]["sha256"] == market.content_hash
    assert registered["market"]["simulated"] is True
    assert registered["signal"]["form"] == 2
    changed = replace(market, bars=market.bars.iloc[:-1])
    spec = load_spec("sample", {"signal.form": 1})
    other = registration(spec, changed, read_signal(spec, changed, pd.Timestamp("2026-10-12")))
    for table in ("spec", "market"):
        assert other[table]["sha256"] != registered[table]["sha256"]
    assert other["code"] == registered["code"]
    assert other["signal"]["form"] == 1


def test_it_is_dated_by_the_newest_moment_and_counts_later_decisions_alone(
    registered: dict[str, object], market: Snapshot
) -> None:
    newest = newest_known_at(market, load_spec("sample").signal)
    assert pd.Timestamp(str(registered["registered_at"])) == newest == pd.Timestamp("2026-10-13T22:00Z")
    assert registered["first_decision"] == "2026-10-14"
    later = market.capex_guidance.tail(1).assign(announced_at=pd.Timestamp("2026-10-15"), fiscal_year=2099.0)
    later["known_at"] = pd.Timestamp("2026-10-16T00:00Z")
    told = replace(market, capex_guidance=pd.concat([market.capex_guidance, later]))
    spec = load_spec("sample")
    dated = registration(spec, told, read_signal(spec, told, pd.Timestamp("2026-10-12")))
    # The decision of the 16th is taken at that very moment: what it knew is not later.
    assert (dated["registered_at"], dated["first_decision"]) == ("2026-10-16T00:00:00+00:00", "2026-10-19")


def test_the_endpoint_is_that_of_the_next_session(market: Snapshot) -> None:
    spec = load_spec("sample")
    signal = read_signal(spec, market, pd.Timestamp("2026-10-12"))
    rows = endpoint_rows(market, signal)
    day, after = pd.Timestamp("2025-03-07"), pd.Timestamp("2025-03-10")
    closes = {name: market.bars_of(name).set_index("date")["adj_close"] for name in NAMES}
    moves = {name: close[after] / close[day] - 1 for name, close in closes.items()}
    outcome = ((moves["IGV"] - moves["SMH"]) + (moves["ARKK"] - moves["QQQ"])) / 2
    assert rows.loc[day, "outcome"] == pytest.approx(outcome)
    given = (signal.blocks.loc[day, "drain"] + signal.blocks.loc[day, "price_of_capital"]) / 2
    assert rows.loc[day, "predictor"] == pytest.approx(given)
    # The last session has no next one yet.
    assert rows.index[-1] < market.bars["date"].max()
    assert signal.live is not None
    assert signal.live.loc[rows.index, ["drain", "price_of_capital"]].all(axis=None)


def test_slope_and_error_are_those_of_another_library(registered: dict[str, dict], market: Snapshot) -> None:
    spec = load_spec("sample")
    rows = endpoint_rows(market, read_signal(spec, market, pd.Timestamp("2026-10-12")))
    lags = int(4 * (len(rows) / 100) ** (2 / 9))
    regressors = np.column_stack([np.ones(len(rows)), rows["predictor"]])
    fit = OLS(rows["outcome"].to_numpy(), regressors).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True}
    )
    so_far = registered["power"]["so_far"]
    assert so_far["sessions"] == len(rows)
    assert so_far["slope"] == pytest.approx(fit.params[1])
    assert so_far["error"] == pytest.approx(fit.bse[1], rel=2e-3)


def test_the_years_needed_have_the_power_when_they_are_simulated() -> None:
    fractions = [year / YEARS for year in range(1, YEARS + 1)]
    limits = bounds(fractions, ALPHA)
    slope, error, sessions = 0.01, 0.004, 1_000
    years = years_needed(slope, error, sessions, fractions, limits)
    assert years == int(years)
    a_year = (slope / error) ** 2 * 252 / sessions
    steps = np.random.default_rng(3).normal(a_year, a_year**0.5, size=(20_000, YEARS)).cumsum(axis=1)
    z = steps / np.sqrt(a_year * np.arange(1, YEARS + 1))
    yes = np.maximum.accumulate(z > np.array(limits), axis=1).mean(axis=0)
    assert yes[int(years) - 1] >= 0.79
    assert yes[int(years) - 2] < 0.81
    assert math.isinf(years_needed(-slope, error, sessions, fractions, limits))
    longer = years_needed(slope / 20, error, sessions, fractions, limits)
    assert longer > YEARS
    drift = (a_year / 400 * longer) ** 0.5
    assert sum(crossings(fractions, limits, drift)) == pytest.approx(0.8, abs=1e-6)


def test_a_market_without_the_pairs_is_refused(sample: Snapshot) -> None:
    spec = load_spec("sample")
    with pytest.raises(InputError, match="without IGV, SMH, ARKK, QQQ"):
        registration(spec, sample, read_signal(spec, sample, pd.Timestamp("2026-10-12")))


def test_the_command_writes_it_once_and_says_how_long_it_takes(
    call: Callable[..., tuple[int, str, str]], tmp_path: Path, market: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reverse_qe.api.open_market", lambda name: market)
    status, out, err = call("evidence", "sample", "--register", "mine.toml", "--market", "sample")
    assert (status, "Registration: mine.toml" in err) == (0, True)
    values = tomllib.loads((tmp_path / "mine.toml").read_text(encoding="utf-8"))
    assert values["first_decision"] == "2026-10-14"
    assert "SIMULATED market with pairs" in out
    for look in values["looks"]["look"]:
        assert look["date"] in out
    assert f"{values['power']['years_needed']:.0f} by the looks" in out
    status, _, err = call("evidence", "sample", "--register", "mine.toml", "--market", "sample")
    assert (status, err.count("\n"), "which exists" in err) == (2, 1, True)


def test_the_shipped_registration_holds_what_the_code_makes_of_it() -> None:
    values = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    assert registration_toml(values) == SHIPPED.read_text(encoding="utf-8")
    fractions = [look["fraction"] for look in values["looks"]["look"]]
    assert [look["bound"] for look in values["looks"]["look"]] == pytest.approx(bounds(fractions, ALPHA), abs=1e-9)
    assert values["spec"]["sha256"] == hashlib.sha256(values["spec"]["toml"].encode()).hexdigest()
    assert (values["signal"]["form"], values["market"]["simulated"]) == (2, False)
    assert values["registered_at"] < values["first_decision"] == "2026-10-12"


@pytest.mark.real_history
def test_the_shipped_registration_is_of_real_history(history: Snapshot) -> None:
    values = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    spec, _ = read_written_spec(values["spec"]["toml"], "the spec")
    made = registration(spec, history, read_signal(spec, history, pd.Timestamp("2026-10-12")))
    for table in ("registered_at", "first_decision", "endpoint", "looks", "daily"):
        assert made[table] == values[table]
    # The shipped events may have changed since; what was said then stands.
    if made["market"]["sha256"] == values["market"]["sha256"]:
        assert made["power"]["so_far"]["slope"] == pytest.approx(values["power"]["so_far"]["slope"], rel=1e-6)
