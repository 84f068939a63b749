"""A bound that may be looked at on every day, and what has come of a registration."""

import hashlib
import json
import math
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.linear_model import OLS

from backtests.evidence.any_day import ALPHA, FEWEST, any_day, count_needed, mixture, running_mean, running_slope
from backtests.evidence.table import Verdict
from backtests.prepare.signal import read_signal
from backtests.spec.spec import load_spec
from backtests.studies.evidence.of_registration import looks_row, registration_evidence
from backtests.studies.registration import registration
from data.market.snapshot import Snapshot
from pairs import with_pairs
from reverse_qe.words.registration import registration_toml

RHO = mixture(10, 252)


def test_the_running_slope_is_that_of_another_library() -> None:
    random = np.random.default_rng(7)
    predictor = random.normal(0.1, 0.3, 300)
    outcome = 0.01 * predictor + random.standard_t(4, 300) * (0.01 + 0.01 * (predictor > 0.2))
    slopes, deviations = running_slope(predictor, outcome)
    assert np.isnan(slopes[: FEWEST - 1]).all()
    for count in (FEWEST, 171, 300):
        fit = OLS(outcome[:count], np.column_stack([np.ones(count), predictor[:count]])).fit(cov_type="HC0")
        assert slopes[count - 1] == pytest.approx(fit.params[1], rel=1e-10)
        assert deviations[count - 1] == pytest.approx(fit.bse[1] * math.sqrt(count), rel=1e-10)


def test_what_comes_later_changes_nothing_that_was_said() -> None:
    random = np.random.default_rng(11)
    values, later = random.normal(0.001, 0.01, 400), random.normal(5.0, 9.0, 50)
    for make in (running_mean, lambda each: running_slope(np.arange(len(each)) % 7.0, each)):
        short, long = make(values), make(np.append(values, later))
        for one, other in zip(short, long, strict=True):
            np.testing.assert_allclose(other[:400], one, rtol=1e-12)


def test_the_bound_is_the_published_formula() -> None:
    values = np.random.default_rng(3).normal(0.2, 1.0, 500)
    found = any_day(*running_mean(values), RHO, 0.1)
    mean, deviation, n = values.mean(), values.std(ddof=1), 500
    # Waudby-Smith and others (2024), one-sided.
    inner = 2 * (n * RHO**2 + 1) / (n**2 * RHO**2) * math.log(1 + math.sqrt(n * RHO**2 + 1) / (2 * ALPHA))
    assert found.value == pytest.approx(mean)
    assert found.bound == pytest.approx(mean - deviation * math.sqrt(inner))
    assert found.yes_at is not None
    assert any_day(*running_mean(values[: found.yes_at]), RHO, 0.1).yes_at == found.yes_at
    assert any_day(*running_mean(values[: found.yes_at - 1]), RHO, 0.1).yes_at is None


def test_nothing_is_told_of_too_few_or_of_what_never_moves() -> None:
    for values in (np.array([]), np.ones(FEWEST - 1), np.ones(FEWEST + 50)):
        found = any_day(*running_mean(values), RHO, 0.1)
        assert (found.count, found.value, found.bound, found.yes_at) == (len(values), None, None, None)
    slopes, deviations = running_slope(np.ones(200), np.arange(200.0))
    assert np.isnan(slopes).all()
    assert np.isnan(deviations).all()


def test_so_many_values_have_the_power_when_they_are_simulated() -> None:
    effect = 0.15
    count = math.ceil(count_needed(effect, RHO))
    random, yes = np.random.default_rng(5), 0
    for _ in range(80):
        found = any_day(*running_mean(random.normal(effect, 1.0, count)), RHO, effect)
        yes += found.yes_at is not None
    # Whoever has looked on every day before has had further chances.
    assert yes / 80 >= 0.8


@pytest.fixture(scope="module")
def market(sample: Snapshot) -> Snapshot:
    return with_pairs(sample)


@pytest.fixture(scope="module")
def told(market: Snapshot) -> dict:
    """A registration, dated back so that a part of the sample has come after it."""
    spec = load_spec("sample")
    made = registration(spec, market, read_signal(spec, market, pd.Timestamp("2026-10-12")))
    early = json.loads(json.dumps(made)) | {
        "first_decision": "2024-01-02",
        "registered_at": "2024-01-01T00:00:00+00:00",
    }
    for year, look in enumerate(early["looks"]["look"]):
        look["date"] = f"{2025 + year}-01-01"
    return early


def test_what_came_after_a_registration_counts_alone(market: Snapshot, told: dict) -> None:
    spec = load_spec("sample")
    signal = read_signal(spec, market, pd.Timestamp("2026-10-12"))
    found = registration_evidence(told, market, signal, same_code=True)
    early = market.bars["date"] < "2024-01-02"
    # Other prices before it change nothing; the signal stands as it was.
    bars = market.bars.assign(adj_close=market.bars["adj_close"].where(~early, market.bars["adj_close"] ** 1.5))
    assert registration_evidence(told, replace(market, bars=bars), signal, same_code=True) == found
    looks, slope = found.rows
    assert [look["date"] for look in looks.values["looks"]] == ["2025-01-01", "2026-01-01"]
    assert looks.values["next"] == "2027-01-01"
    assert slope.values["sessions"] == len([day for day in signal.score.index if day >= pd.Timestamp("2024-01-02")]) - 2


def test_the_first_look_above_its_bound_says_yes_and_the_last_one_without_no(market: Snapshot, told: dict) -> None:
    random = np.random.default_rng(2)
    days = pd.bdate_range("2024-01-02", "2026-09-30")
    days = days[days.isin(market.bars["date"])]
    predictor = random.normal(size=len(days))
    moved = pd.DataFrame({"predictor": predictor, "outcome": -predictor + random.normal(size=len(days))}, days)
    assert looks_row(told, moved, market, True).verdict is Verdict.FOR
    turned = moved.assign(outcome=-moved["outcome"])
    assert looks_row(told, turned, market, True).verdict is Verdict.OPEN
    last = told | {"looks": told["looks"] | {"look": told["looks"]["look"][:2]}}
    assert looks_row(last, turned, market, True).verdict is Verdict.AGAINST
    fit = OLS(
        moved["outcome"][days < "2024-12-31"],
        np.column_stack([np.ones((days < "2024-12-31").sum()), predictor[days < "2024-12-31"]]),
    )
    lags = int(4 * ((days < "2024-12-31").sum() / 100) ** (2 / 9))
    z = -fit.fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True}).tvalues.iloc[1]
    assert looks_row(told, moved, market, True).values["looks"][0]["z"] == pytest.approx(z, rel=0.02)


def test_the_command_tells_what_has_come(
    call: Callable[..., tuple[int, str, str]],
    tmp_path: Path,
    market: Snapshot,
    told: dict,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("reverse_qe.judging.registration.open_market", lambda name: market)
    (tmp_path / "mine.toml").write_text(registration_toml(told), encoding="utf-8")
    status, out, _ = call("evidence", "mine.toml", "--page", "mine.html")
    assert (status, "What has come since?" in out, "SIMULATED" in out) == (0, True, True)
    assert "2025-01-01 z" in out
    assert "SIMULATED" in (tmp_path / "mine.html").read_text(encoding="utf-8")
    status, out, _ = call("evidence", "mine.toml", "--json")
    values = json.loads(out)
    assert (status, values["kind"], values["is_skill"]) == (0, "registration", None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda each: each["spec"].update(toml="version = 2"), "whose spec is not the one"),
        (lambda each: each.pop("looks"), "'looks' is missing or wrong"),
        (lambda each: each["looks"]["look"][0].update(date="soon"), "missing or wrong"),
        (lambda each: each["market"].update(simulated=False), "of the kind"),
    ],
)
def test_what_is_no_registration_any_more_is_refused(
    call: Callable[..., tuple[int, str, str]],
    tmp_path: Path,
    market: Snapshot,
    told: dict,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[dict], object],
    said: str,
) -> None:
    monkeypatch.setattr("reverse_qe.judging.registration.open_market", lambda name: market)
    edited = json.loads(json.dumps(told))
    change(edited)
    assert hashlib.sha256(told["spec"]["toml"].encode()).hexdigest() == told["spec"]["sha256"]
    (tmp_path / "mine.toml").write_text(registration_toml(edited), encoding="utf-8")
    assert tomllib.loads((tmp_path / "mine.toml").read_text(encoding="utf-8"))["registered_at"]
    status, out, err = call("evidence", "mine.toml")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert said in err
