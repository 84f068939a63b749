"""The event study against statsmodels, values worked out by hand, and worlds in which the truth is known."""

import math
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from backtests.spec.spec import load_spec
from backtests.studies.event_study.abnormal import StudyConfig, abnormal_returns
from backtests.studies.event_study.events import _stock_session, study_events, weeks_of
from backtests.studies.event_study.legs import leg_window
from backtests.studies.event_study.significance import correlated_test, mean_correlation, mean_test, rank_test
from backtests.studies.event_study.study import event_study
from data.clock import sessions_between
from data.errors import InputError
from data.market.snapshot import Snapshot

ONE_DAY = StudyConfig(windows=((0, 0),), path=(-1, 1))
WORLDS = 1000
# Of 1,000 worlds without an effect, so many are called one at 5%: 99.9% of all such counts lie between.
SIZE = (0.029, 0.074)


def world(seed: int, sessions: int = 900, names: int = 1, common: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Returns of some names that move with a market, and among themselves."""
    chance = np.random.default_rng(seed)
    market = chance.normal(0.0003, 0.01, sessions)
    shared, own = chance.normal(size=(sessions, 1)), chance.normal(size=(sessions, names))
    noise = 0.02 * (math.sqrt(common) * shared + math.sqrt(1 - common) * own)
    return 1.3 * market[:, None] + noise, market


# The parts


def test_abnormal_returns_are_those_of_ordinary_least_squares() -> None:
    """Of statsmodels: what the fit leaves, and the standard deviation of a forecast."""
    returns, market = world(1)
    config = StudyConfig(windows=((0, 0), (-1, 2)), path=(-1, 2))
    found = abnormal_returns(returns, market, np.array([[400]]), config)
    inside, index = slice(150, 371), sm.add_constant(market)
    fit = sm.OLS(returns[inside, 0], index[inside]).fit()
    assert found.around[0, 0] == pytest.approx(returns[399:403, 0] - fit.predict(index[399:403]), rel=1e-10)
    assert found.fitted[0, 0] == pytest.approx(fit.resid, rel=1e-9, abs=1e-15)
    forecast = fit.get_prediction(index[400:401]).se_obs[0]
    assert found.spread[0, 0] * math.sqrt(found.widened[0, 0, 0]) == pytest.approx(forecast, rel=1e-10)
    # Over several sessions errors of the fit add up: the variance of the sum of forecasts.
    rows = index[399:403]
    summed = rows.sum(axis=0) @ fit.cov_params() @ rows.sum(axis=0) + 4 * fit.scale
    assert found.spread[0, 0] ** 2 * found.widened[0, 0, 1] == pytest.approx(summed, rel=1e-10)


def test_a_return_that_is_missing_is_left_out_and_too_few_make_no_fit() -> None:
    returns, market = world(2)
    returns[200:230, 0] = np.nan
    found = abnormal_returns(returns, market, np.array([[400]]), ONE_DAY)
    kept = np.r_[150:200, 230:371]
    fit = sm.OLS(returns[kept, 0], sm.add_constant(market)[kept]).fit()
    assert found.spread[0, 0] == pytest.approx(math.sqrt(fit.scale), rel=1e-10)
    returns[150:280, 0] = np.nan
    assert np.isnan(abnormal_returns(returns, market, np.array([[400]]), ONE_DAY).spread[0, 0])
    # Beyond the ends there are no returns.
    assert np.isnan(abnormal_returns(returns, market, np.array([[899]]), ONE_DAY).around[0, 0]).any()


def test_statistics_by_hand() -> None:
    """Boehmer et al.: mean sqrt(N) / sd; Kolari and Pynnonen: times sqrt((1 - r) / (1 + (N - 1) r))."""
    values = np.array([1.0, 2.0, 3.0, 6.0])  # mean 3, variance 14/3
    plain = mean_test(values)
    assert plain.value == pytest.approx(3.0 * 2.0 / math.sqrt(14 / 3), rel=1e-12)
    assert plain.p_value == pytest.approx(0.06913, abs=1e-4)  # of a t of 3 degrees of freedom at 2.777
    assert correlated_test(values, 0.2).value == pytest.approx(plain.value * math.sqrt(0.8 / 1.6), rel=1e-12)
    assert math.isnan(mean_test(values[:2]).value)
    # Two names on one date with correlation 1, two on another with -1, and no pair besides: 0 of six pairs.
    up, down = np.array([[1.0, -1.0, 2.0], [2.0, -2.0, 4.0]]), np.array([[1.0, -1.0, 2.0], [-1.0, 1.0, -2.0]])
    assert mean_correlation([up, down], 4) == pytest.approx(0.0, abs=1e-15)
    assert mean_correlation([up, up], 4) == pytest.approx(2 / 6)
    # Corrado and Zivney: of five sessions the last is the largest of both: ranks 5/6 - 1/2.
    fitted, around = np.array([[1.0, 2.0, 3.0, 4.0]] * 3), np.array([[9.0]] * 3)
    scaled = np.arange(1, 6) / 6 - 0.5
    assert rank_test(fitted, around).value == pytest.approx(scaled[-1] / math.sqrt((scaled**2).mean()), rel=1e-12)


# When an event counts


@pytest.mark.parametrize(
    ("known", "stocks", "coins"),
    [
        ("2026-03-06 12:00", "2026-03-06", "2026-03-06"),  # before the open
        ("2026-03-06 20:59", "2026-03-06", "2026-03-06"),  # a minute before the close in New York
        ("2026-03-06 21:00", "2026-03-09", "2026-03-06"),  # at it: a coin's day goes on to midnight
        ("2026-03-07 15:00", "2026-03-09", "2026-03-09"),  # on a Saturday
        ("2026-03-09 20:30", "2026-03-10", "2026-03-09"),  # after the close of summer time
        ("2025-11-28 18:30", "2025-12-01", "2025-11-28"),  # after the early close
    ],
)
def test_an_event_counts_from_the_session_that_could_answer_it(known: str, stocks: str, coins: str) -> None:
    moment, sessions = (
        pd.Timestamp(known, tz="UTC"),
        sessions_between(pd.Timestamp("2025-11-03"), pd.Timestamp("2026-03-31")),
    )
    assert _stock_session(moment) == pd.Timestamp(stocks)
    assert sessions[sessions.searchsorted(moment.tz_localize(None).normalize())] == pd.Timestamp(coins)


def test_events_are_there_once_with_their_news(sample: Snapshot) -> None:
    sessions = sessions_between(pd.Timestamp("2016-01-04"), pd.Timestamp("2026-10-09"))
    found = study_events(sample, load_spec("sample").signal, sessions)
    assert not found.duplicated(["known_at", "company", "kind"]).any()
    assert set(found["kind"]) == {"results", "guidance", "funding", "commitments", "policy"}
    assert found.loc[~found["kind"].isin(["results", "guidance"]), "news"].isna().all()
    assert found["news"].notna().sum() > 100
    assert (found["coins"] <= found["stocks"]).all()


def test_ten_events_of_a_day_are_one_observation() -> None:
    returns, market = world(3)
    days = np.array([[400], [401], [600], [700]])
    found = abnormal_returns(returns, market, days, ONE_DAY)
    weeks = weeks_of(pd.bdate_range("2020-01-06", periods=900), [400, 401, 600, 700])
    once = leg_window(found, [0], weeks, 0, ONE_DAY, np.ones(4, dtype=bool))
    assert len(once.car) == 3  # two days of one week are one observation
    own = found.around[:, 0, 1]
    assert once.car == pytest.approx([own[:2].mean(), own[2], own[3]], rel=1e-12)


# Worlds in which nothing, or something, is there


def leg_of(
    seed: int, jump: float = 0.0, scale: float = 1.0, names: int = 1, common: float = 0.0, events: int = 30
) -> tuple:
    """Tests of one leg in a world whose abnormal returns in the event's session are wider, or moved."""
    returns, market = world(seed, names=names, common=common)
    places = np.linspace(300, 880, events).astype(int)
    noise = returns[places] - 1.3 * market[places][:, None]
    returns[places] += (scale - 1.0) * noise + jump
    found = abnormal_returns(returns, market, places[:, None].repeat(names, axis=1), ONE_DAY)
    weeks = np.arange(events)
    return leg_window(found, range(names), weeks, 0, ONE_DAY, np.ones(events, dtype=bool)), found


def is_right(rejected: float) -> bool:
    return SIZE[0] <= rejected <= SIZE[1]


@pytest.mark.slow
@pytest.mark.parametrize("scale", [1.0, math.sqrt(2.0)])
def test_a_true_null_is_rejected_in_one_of_twenty_worlds(scale: float) -> None:
    """And where the event doubles the variance, which misleads a test by what was before it."""
    p_values, before = [], []
    for seed in range(WORLDS):
        leg, found = leg_of(seed, scale=scale)
        p_values.append([leg.plain.p_value, leg.standardised.p_value, leg.correlated.p_value, leg.ranks.p_value])
        standardised = found.around[:, 0, 1] / found.spread[:, 0]
        before.append(abs(standardised.mean()) * math.sqrt(len(standardised)) > NormalDist().inv_cdf(0.975))
    plain, bmp, kp, ranks = (np.array(p_values) < 0.05).mean(axis=0)
    assert all(is_right(rejected) for rejected in (plain, bmp, kp)), (plain, bmp, kp)
    if scale == 1.0:
        assert is_right(ranks), ranks
    else:
        assert np.mean(before) > 0.1  # the test that does not allow for it


@pytest.mark.slow
def test_names_that_move_together_are_not_so_many_observations() -> None:
    """Ten names on each of twelve dates: taken by themselves they reject far too often."""
    naive, corrected = [], []
    for seed in range(WORLDS):
        leg, found = leg_of(seed, names=10, common=0.5, events=12)
        each = (found.around[:, :, 1] / (found.spread * np.sqrt(found.widened[:, :, 0]))).ravel()
        naive.append(mean_test(each).p_value < 0.05)
        corrected.append([leg.correlated.p_value < 0.05, leg.standardised.p_value < 0.05])
        assert leg.effective < 40
    assert np.mean(naive) > 0.2
    kp, weeks = np.mean(corrected, axis=0)
    assert is_right(kp), kp
    assert is_right(weeks), weeks


@pytest.mark.slow
def test_an_effect_is_found_as_often_as_its_power_says() -> None:
    """A jump of a session's standard deviation times 0.5, in 30 events: by a t of 29 degrees, in some 75% of worlds."""
    from scipy.stats import nct, t

    edge = t.ppf(0.975, 29)
    power = float(nct.sf(edge, 29, 0.5 * math.sqrt(30)) + nct.cdf(-edge, 29, 0.5 * math.sqrt(30)))
    found = np.mean([leg_of(seed, jump=0.01)[0].standardised.p_value < 0.05 for seed in range(400)])
    assert power == pytest.approx(0.75, abs=0.03)
    assert abs(found - power) < 4 * math.sqrt(power * (1 - power) / 400)


# The whole


@pytest.fixture(scope="module")
def jumped(sample: Snapshot) -> Snapshot:
    """The sample, in which both coins fall by 8% on the day of every result."""
    from dataclasses import replace

    spec = load_spec("sample")
    sessions = sessions_between(pd.Timestamp("2014-01-02"), pd.Timestamp("2026-10-09"))
    events = study_events(sample, spec.signal, sessions)
    days = sessions[sorted(set(events.loc[events["kind"] == "results", "coins"]))]
    bars = sample.bars.copy()
    for symbol in ("SIM-COIN-A", "SIM-COIN-B"):
        rows = bars["symbol"] == symbol
        fallen = 0.92 ** np.searchsorted(days, bars.loc[rows, "date"], side="right")
        for column in ("open", "high", "low", "close", "adj_close"):
            bars.loc[rows, column] *= fallen
    return replace(sample, bars=bars)


@pytest.mark.slow
def test_what_was_planted_is_found_and_nothing_else(sample: Snapshot, jumped: Snapshot) -> None:
    spec = load_spec("sample")
    calm, found = event_study(spec, sample), event_study(spec, jumped)
    named = ["kind", "leg", "first", "last"]
    before, after = (each.tests.set_index(named) for each in (calm, found))
    crypto = ("results", "crypto", 0, 5)
    assert before.loc[crypto, "holm"] > 0.5
    assert after.loc[crypto, "holm"] < 0.001
    assert after.loc[crypto, "mean"] - before.loc[crypto, "mean"] == pytest.approx(-0.08, abs=0.02)
    # Its power: in such a study 8% are far above what is found in four of five cases.
    error = (after.loc[crypto, "high"] - after.loc[crypto, "low"]) / 2 / 1.98
    assert 2.8 * error < 0.08
    legs = ["cash_flow", "SIM-MEMORY-A"]
    assert after.loc[after.index.get_level_values("leg").isin(legs), "mean"].to_numpy() == pytest.approx(
        before.loc[before.index.get_level_values("leg").isin(legs), "mean"].to_numpy(), rel=1e-9
    )


@pytest.mark.slow
def test_what_comes_after_a_window_changes_nothing_of_it(sample: Snapshot) -> None:
    from dataclasses import replace

    spec, cut = load_spec("sample"), pd.Timestamp("2022-01-03")
    events = study_events(sample, spec.signal, sessions_between(pd.Timestamp("2014-01-02"), pd.Timestamp("2026-10-09")))
    bars = sample.bars.copy()
    late = bars["date"] >= cut
    chance = np.random.default_rng(5)
    for column in ("open", "high", "low", "close", "adj_close"):
        bars.loc[late, column] *= np.exp(chance.normal(0, 0.3, int(late.sum())))
    from backtests.studies.event_study.study import _returns

    names = tuple(spec.universe.symbols)
    early = events[events["stocks"] < 2000]
    config = StudyConfig()
    found = []
    for each in (sample, replace(sample, bars=bars)):
        returns, market = _returns(each, names, spec.universe.benchmark)
        edge = int(returns.index.searchsorted(cut))
        rows = early[early["stocks"] + config.reach[1] < edge]["stocks"].to_numpy()
        found.append(
            abnormal_returns(returns.to_numpy(), market.to_numpy(), rows[:, None].repeat(len(names), axis=1), config)
        )
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"index": "GOLD"}, "got GOLD, wanted instruments of market sample"),
        ({"index": ""}, "got a blank, wanted instruments of market sample"),
        ({"symbols": ("X", "Y")}, "got X, Y, wanted instruments of market sample"),
        ({"kinds": ("rumours",)}, "got the kind rumours, wanted some of: results, guidance"),
        ({"config": StudyConfig(estimation=(-40, -5))}, "got an estimation window of -40 to -5"),
        ({"config": StudyConfig(estimation=(-60, -30))}, "got an estimation window of 31 sessions"),
        ({"config": StudyConfig(windows=((5, 0),))}, "got the window 5,0"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(sample: Snapshot, given: dict, told: str) -> None:
    with pytest.raises(InputError) as error:
        event_study(load_spec("sample"), sample, **given)
    assert told in str(error.value)
