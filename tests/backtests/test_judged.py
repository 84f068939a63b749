"""The signal judged: against statsmodels, scipy and scikit-learn, by hand, and by its size where nothing is linked."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, spearmanr, t

from backtests.prepare.signal import read_signal
from backtests.prepare.span import session_to_come
from backtests.spec.spec import load_spec
from backtests.studies.gauge import CRYPTO
from backtests.studies.judged.cells import (
    ALL_YEARS,
    HORIZONS,
    LAGS,
    MINIMUM_WINDOWS,
    SCORE,
    SPREADS,
    WANTED,
    cells_of,
    hits_of,
    predictors,
    session_returns,
    sums_ahead,
)
from backtests.studies.judged.hits import calls_of, hits
from backtests.studies.judged.judge import Judgement, judge_spec
from backtests.studies.judged.regression import holm, slopes, slopes_over
from data.clock import previous_session, sessions_between
from data.market.snapshot import Snapshot
from data.markets import open_market
from data.prices.panel import build_panel
from hand_made import make_snapshot

SIMULATIONS = 1000


def judged(snapshot: Snapshot) -> Judgement:
    spec, coming = load_spec("sample"), session_to_come(snapshot)
    return judge_spec(spec, snapshot, read_signal(spec, snapshot, coming), previous_session(coming))


@pytest.fixture(scope="module")
def of_sample() -> Judgement:
    return judged(open_market("sample"))


def persistent(random: np.random.Generator, sessions: int, count: int, memory: float = 0.98) -> np.ndarray:
    """Predictors that move as slowly as the score does."""
    shocks = random.normal(size=(sessions + 500, count))
    for row in range(1, len(shocks)):
        shocks[row] += memory * shocks[row - 1]
    return shocks[500:]


def test_slopes_and_errors_are_those_of_statsmodels() -> None:
    from statsmodels.regression.linear_model import OLS

    random = np.random.default_rng(4)
    x, noise = persistent(random, 400, 3), random.standard_t(4, 402)
    y = 0.02 * x[:, 0] + noise[2:] + 0.5 * noise[1:-1]
    for lags in (None, 0, 12):
        found = slopes(x, y, lags)
        used = int(4 * (400 / 100) ** (2 / 9)) if lags is None else lags
        for place in range(3):
            regressors = np.column_stack([np.ones(400), x[:, place]])
            fit = OLS(y, regressors).fit(cov_type="HAC", cov_kwds={"maxlags": used, "use_correction": True}, use_t=True)
            assert found.slope[place] == pytest.approx(fit.params[1], rel=1e-9)
            assert found.error[place] == pytest.approx(fit.bse[1], rel=1e-9)


@pytest.mark.parametrize(("horizon", "lag"), [(1, 0), (1, 5), (20, 0), (60, 10)])
def test_a_long_slope_is_that_of_overlapping_returns_and_its_test_that_of_the_reverse_regression(
    horizon: int, lag: int
) -> None:
    from scipy.fft import dct

    random = np.random.default_rng(5)
    n = 3000
    x = persistent(random, n, 1)
    returns = 0.01 * np.concatenate([np.zeros(lag), x[: n - lag, 0]]) + random.normal(size=n)
    found = slopes_over(x, returns, horizon, lag)
    # By hand: at each session the sum of what was said `lag` to `lag + horizon - 1` sessions before.
    rows = range(lag + horizon - 1, n)
    sums = np.array([x[row - lag - horizon + 1 : row - lag + 1, 0].sum() for row in rows])
    about, left = sums - sums.mean(), returns[rows] - returns[rows].mean()
    # The moments of a slope of 0, and their slowest waves, the constant left out, as scipy transforms them.
    waves = round(len(sums) / 63)
    variance = np.square(dct(about * left, norm="ortho")[1 : waves + 1]).mean() * len(sums)
    assert found.freedom == waves
    assert found.slope[0] / found.error[0] == pytest.approx((about * left).sum() / np.sqrt(variance), rel=1e-9)
    ahead = sums_ahead(returns, horizon, lag)
    whole = np.isfinite(ahead)
    overlapping = np.polyfit(x[whole, 0], ahead[whole], 1)[0]
    assert found.slope[0] == pytest.approx(overlapping, abs=0.25 * found.error[0])


def test_returns_ahead_by_hand() -> None:
    returns = np.array([np.nan, 0.01, 0.02, np.nan, 0.04, 0.05])
    expected = [np.nan, 0.03, 0.02, 0.04, 0.09, np.nan]
    np.testing.assert_allclose(sums_ahead(returns, 2), expected)
    np.testing.assert_allclose(sums_ahead(returns, 2, lag=1), [*expected[1:], np.nan])
    assert np.isnan(sums_ahead(returns, 7)).all()
    assert np.isnan(sums_ahead(np.full(4, np.nan), 1)).all()


def test_holm_is_that_of_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests

    p_values = np.random.default_rng(6).uniform(size=200) ** 4
    np.testing.assert_allclose(holm(p_values), multipletests(p_values, method="holm")[1], rtol=1e-12)
    with_gaps = np.array([0.01, np.nan, 0.04, 0.03])
    np.testing.assert_allclose(holm(with_gaps), [0.03, np.nan, 0.06, 0.06])
    assert np.isnan(holm(np.full(3, np.nan))).all()


@pytest.mark.slow
def test_hits_are_those_of_scikit_learn_and_of_every_shift() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(7)
    regime = np.repeat(random.choice(["SCARCE", "NEUTRAL", "ABUNDANT"], 40), 10)
    returns = random.normal(0.1, 1, 400)
    returns[5], returns[17] = np.nan, 0.0
    calls = calls_of(regime, -1)
    assert set(calls[regime == "SCARCE"]) == {-1}
    assert set(calls[regime == "NEUTRAL"]) == {0}

    def by_oracle(said: np.ndarray) -> tuple[float, float, int]:
        kept = (said != 0) & np.isfinite(returns) & (returns != 0)
        rose = returns[kept] > 0
        accuracy = metrics.balanced_accuracy_score(rose, said[kept] > 0)
        return accuracy, metrics.accuracy_score(rose, said[kept] > 0), int(kept.sum())

    found = hits(calls, returns)
    balanced, rate, count = by_oracle(calls)
    assert (found.balanced_accuracy, found.hit_rate) == pytest.approx((balanced, rate))
    assert found.calls == count
    moved = [by_oracle(np.roll(calls, by))[0] for by in range(400)]
    assert found.p_value == pytest.approx(np.mean(np.array(moved) >= balanced - 1e-12))
    # Where all rose there is no share of the falls.
    risen = hits(calls, np.abs(returns))
    assert risen.calls == count
    assert np.isnan([risen.balanced_accuracy, risen.p_value]).all()
    none = hits(np.zeros(400), returns)
    assert none.calls == 0
    assert np.isnan([none.hit_rate, none.balanced_accuracy, none.p_value]).all()


def planted(effect: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    sessions = sessions_between(pd.Timestamp("2010-01-04"), pd.Timestamp("2019-12-31"))
    random = np.random.default_rng(9)
    said = persistent(random, len(sessions), 2)
    said /= said.std(axis=0, ddof=1)
    table = pd.DataFrame(
        said, sessions, pd.MultiIndex.from_tuples([("score", SCORE), ("input", "a.b")], names=["kind", "predictor"])
    )
    noise = random.normal(0, 0.01, (len(sessions), 2))
    noise[:, 0] += effect * said[:, 0]
    return table, pd.DataFrame(noise, sessions, ["crypto", "cash_flow"])


def test_a_planted_slope_is_found_at_every_horizon_and_only_there() -> None:
    said, returns = planted(-0.003)
    cells = cells_of(said, returns)
    assert len(cells) == 2 * 2 * len(HORIZONS) * len(LAGS)
    by = cells.set_index(["predictor", "leg", "horizon", "lag"])
    assert by.loc[(SCORE, "crypto", 1, 0), "slope"] == pytest.approx(-0.003, abs=0.0005)
    for horizon in HORIZONS:
        found = by.loc[(SCORE, "crypto", horizon, 0)]
        assert found["p_holm"] < 0.001
        assert found["low"] < found["slope"] < found["high"] < 0
        assert found["apart_slope"] == pytest.approx(found["slope"], rel=0.25)
    assert (cells.loc[cells["predictor"] == "a.b", "p_holm"] > 0.05).all()
    one = by.loc[(SCORE, "cash_flow", 20, 5)]
    ahead = sums_ahead(returns["cash_flow"].to_numpy(), 20, 5)
    whole = np.isfinite(ahead)
    oracle = spearmanr(said[("score", SCORE)].to_numpy()[whole], ahead[whole]).statistic
    assert one["rank_correlation"] == pytest.approx(oracle, rel=1e-9)
    freedom = round((len(returns) - 24) / 63)
    assert one["p"] == pytest.approx(2 * t.sf(abs(one["t"]), freedom), rel=1e-9)
    error = one["slope"] / one["t"]
    assert one["detectable"] == pytest.approx((t.ppf(0.975, freedom) + t.ppf(0.8, freedom)) * error, rel=1e-9)
    edge = t.ppf(1 - 0.025 / (len(cells) / 2), freedom)
    assert one["detectable_holm"] == pytest.approx((edge + t.ppf(0.8, freedom)) * error, rel=1e-9)
    # The score is one family, its parts are another.
    for family in (cells["kind"] == "score", cells["kind"] == "input"):
        np.testing.assert_array_equal(cells.loc[family, "p_holm"], holm(cells.loc[family, "p"].to_numpy()))
    assert (cells["p_holm"] >= cells["p"]).all()


def test_what_cannot_be_measured_is_left_open() -> None:
    said, returns = planted(0.0)
    short = cells_of(said.iloc[:300], returns.iloc[:300])
    by = short.set_index(["predictor", "horizon"])
    assert by.loc[(SCORE, 5), "p"].notna().all()
    assert by.loc[(SCORE, 60), ["slope", "p", "rank_correlation", "apart_p"]].isna().all(axis=None)
    assert MINIMUM_WINDOWS * 60 > 300
    flat = cells_of(said, returns.assign(crypto=0.0))
    assert (
        flat.loc[flat["leg"] == "crypto", ["t", "p", "detectable", "rank_correlation", "apart_p"]].isna().all(axis=None)
    )
    assert flat.loc[flat["leg"] == "cash_flow", "p"].notna().all()
    still = cells_of(said * 0.0, returns)
    assert still[["slope", "low", "high", "p", "p_holm", "rank_correlation"]].isna().all(axis=None)


def test_hits_by_year_by_hand() -> None:
    sessions = sessions_between(pd.Timestamp("2018-12-27"), pd.Timestamp("2019-01-07"))
    regime = pd.Series(["SCARCE", "SCARCE", "ABUNDANT", "NEUTRAL", "ABUNDANT", "SCARCE", "SCARCE"], sessions)
    returns = pd.DataFrame({"crypto": [-0.1, 0.2, 0.3, 0.1, -0.1, -0.2, 0.1]}, sessions)
    found = hits_of(regime, pd.Series(range(7), sessions, dtype=float), returns)
    one = found[(found["horizon"] == 1) & (found["lag"] == 0)].set_index("year")
    # 2018: fell as called, rose against the call, rose as called. 2019: a fall and a rise missed, a fall called.
    assert one["calls"].to_dict() == {ALL_YEARS: 6, "2018": 3, "2019": 3}
    assert one["hit_rate"].to_dict() == pytest.approx({ALL_YEARS: 3 / 6, "2018": 2 / 3, "2019": 1 / 3})
    assert one.loc["2018", "balanced_accuracy"] == pytest.approx((1 + 1 / 2) / 2)
    later = found[(found["horizon"] == 1) & (found["lag"] == 1)].set_index("year")
    # The first call is then of the second session's return, and the last has none.
    assert later.loc[ALL_YEARS, "calls"] == 5


def test_a_spread_is_its_first_leg_less_its_second_from_open_to_open() -> None:
    days = [f"{day:%Y-%m-%d}" for day in sessions_between(pd.Timestamp("2024-01-02"), pd.Timestamp("2024-01-08"))]
    opens = {"AAA": [10.0, 10.0, 11.0, 11.0, 9.9], "BBB": [50.0, 50.0, 50.0, 55.0, 55.0], "CCC": [1.0] * 5}
    bars = {
        symbol: [(day, price, 7.0) for day, price in zip(days, prices, strict=True)] for symbol, prices in opens.items()
    }
    panel = build_panel(make_snapshot(bars), tuple(opens), pd.Timestamp(days[1]), pd.Timestamp(days[-1]))
    legs = {CRYPTO: ("CCC",), "speculative": ("AAA", "CCC"), "cash_flow": ("BBB",), "reserve": ()}
    found = session_returns(panel, panel.tradable(10), legs)
    assert list(found) == [CRYPTO, "speculative", "cash_flow", *SPREADS]
    assert found["speculative"].tolist() == pytest.approx([0.05, 0.0, -0.05])
    assert found["cash_flow"].tolist() == pytest.approx([0.0, 0.1, 0.0])
    assert found["speculative_less_cash_flow"].tolist() == pytest.approx([0.05, -0.1, -0.05])
    assert found["crypto_less_cash_flow"].tolist() == pytest.approx([0.0, -0.1, 0.0])
    # A rule has CCC in the basket on the second session alone, and AAA on the others.
    allowed = panel.tradable(10)
    held = allowed.assign(AAA=[True, False, True, True, True], CCC=[False, True, False, False, False])
    by_rule = session_returns(panel, allowed, legs, {"speculative": held})
    assert by_rule["speculative"].tolist() == pytest.approx([0.1, 0.0, -0.1])
    assert by_rule[CRYPTO].tolist() == found[CRYPTO].tolist()


@pytest.mark.slow
def test_the_future_changes_nothing_that_was_said(sample: Snapshot) -> None:
    """All that became known after a decision is garbled: what is judged says the same up to it, to the bit."""
    spec, cut = load_spec("sample"), pd.Timestamp("2024-03-04")
    last = session_to_come(sample)
    moment = cut.tz_localize("UTC")
    series = sample.series.copy()
    later = series["known_at"] > moment
    series.loc[later, "value"] *= 3.0
    bars = sample.bars.copy()
    bars.loc[bars["date"] >= cut, ["open", "high", "low", "close", "adj_close"]] *= 2.0
    garbled = replace(sample, series=series, bars=bars)
    assert later.any()
    one, other = (predictors(read_signal(spec, each, last)) for each in (sample, garbled))
    pd.testing.assert_frame_equal(one.loc[:cut], other.loc[:cut], check_exact=True)
    assert not one.loc[cut:].equals(other.loc[cut:])


@pytest.mark.slow
def test_the_planted_effect_of_the_sample_is_found_and_is_the_thesis(of_sample: Judgement) -> None:
    told = of_sample.told
    assert of_sample.tested == len(of_sample.cells) > 1000
    for leg, horizons in (("speculative", {1, 5}), ("speculative_less_cash_flow", {1, 5, 20})):
        assert set(told.loc[(told["predictor"] == SCORE) & (told["leg"] == leg), "horizon"]) >= horizons
    assert all(np.sign(row["slope"]) == WANTED[row["leg"]] for _, row in told.iterrows())
    whole = of_sample.hits[of_sample.hits["year"] == ALL_YEARS].set_index(["leg", "horizon", "lag"])
    assert whole.loc[("speculative", 20, 0), "balanced_accuracy"] > 0.6
    assert set(of_sample.hits["year"]) > {"2017", "2024"}


@pytest.mark.slow
def test_where_nothing_is_linked_nothing_is_told() -> None:
    found = [judged(open_market(f"sample:null@{seed}")) for seed in (1, 2)]
    assert [len(each.told) for each in found] == [0, 0]


@pytest.mark.slow
@pytest.mark.parametrize("horizon", HORIZONS)
def test_a_true_null_is_rejected_in_five_of_a_hundred(horizon: int) -> None:
    """Slow predictors, returns with fat tails whose variance comes in waves, horizons that overlap."""
    random = np.random.default_rng(horizon)
    sessions = 2450
    said = persistent(random, sessions, SIMULATIONS)
    wave = np.exp(0.5 * np.sin(np.arange(sessions) / 40))
    rejected = 0
    for place in range(SIMULATIONS):
        returns = random.standard_t(4, sessions) * wave
        found = slopes_over(said[:, place : place + 1], returns, horizon)
        rejected += 2 * t.sf(abs(found.slope[0] / found.error[0]), found.freedom) < 0.05
    low, high = binom.ppf([0.001, 0.999], SIMULATIONS, 0.05)
    assert low <= rejected <= high
    # Overlapping returns and Newey and West's errors with as many lags as the horizon would not hold their size.
    if horizon == 60:
        wrong = 0
        for place in range(200):
            ahead = sums_ahead(random.standard_t(4, sessions) * wave, horizon)
            whole = np.isfinite(ahead)
            naive = slopes(said[whole, place : place + 1], ahead[whole], lags=horizon)
            wrong += 2 * t.sf(abs(naive.slope[0] / naive.error[0]), naive.freedom) < 0.05
        assert wrong > 200 * 0.08


@pytest.mark.slow
@pytest.mark.parametrize("horizon", [1, 20])
def test_returns_that_drift_slowly_by_themselves_are_no_link(horizon: int) -> None:
    """A twentieth of the variance moves as slowly as the predictor does, and has nothing to do with it."""
    random = np.random.default_rng(horizon)
    sessions, worlds = 2450, 500
    said, drift = persistent(random, sessions, worlds), persistent(random, sessions, worlds)
    returns = 0.2 * drift / drift.std(axis=0) + random.standard_normal((sessions, worlds))
    found, usual = 0, 0
    for place in range(worlds):
        by_waves = slopes_over(said[:, place : place + 1], returns[:, place], horizon)
        found += 2 * t.sf(abs(by_waves.slope[0] / by_waves.error[0]), by_waves.freedom) < 0.05
        plain = slopes(said[:, place : place + 1], returns[:, place])
        usual += 2 * t.sf(abs(plain.slope[0] / plain.error[0]), plain.freedom) < 0.05
    assert found < 0.12 * worlds
    assert usual > 0.15 * worlds
