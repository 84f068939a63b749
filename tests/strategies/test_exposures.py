"""Exposures and implied durations: statsmodels, planted slopes and the figures of the paper's formula."""

import math

import numpy as np
import pandas as pd
import pytest

from strategies.exposures import LAGS, TOGETHER, duration_score, exposures, regress, shrink, slopes_on
from strategies.valuation import LONGEST, Accounts, cash_flow_yield, implied_duration

WEEKS = pd.date_range("2020-01-06", periods=130, freq="7D")
NAMES = [f"A{number}" for number in range(30)]
PLANTED = {"real_yield": np.linspace(-0.3, 0.1, 30), "breakeven": np.full(30, 0.05),
           "credit_spread": np.linspace(-0.1, 0.3, 30), "net_liquidity": np.linspace(0.0, 0.02, 30)}  # fmt: skip


@pytest.fixture(scope="module")
def panel():
    """A simulated market whose assets answer to four factors as planted."""
    random = np.random.default_rng(8)
    factors = pd.DataFrame({name: random.normal(0, 0.1, 130) for name in PLANTED}, WEEKS)
    factors["net_liquidity"] *= 10
    market = pd.Series(random.normal(0, 0.02, 130), WEEKS) - 0.1 * factors["real_yield"]
    own = pd.DataFrame(random.normal(0, 0.01, (130, 30)), WEEKS, NAMES)
    answers = sum(np.outer(factors[name], slopes) for name, slopes in PLANTED.items())
    return own + answers + 1.2 * market.to_numpy()[:, np.newaxis], market, factors


def test_slopes_and_errors_are_those_of_statsmodels(panel):
    sm = pytest.importorskip("statsmodels.api")
    returns, market, factors = panel
    returns = returns.copy()
    returns.iloc[30:50, 3] = np.nan
    table = exposures(returns, market, factors)
    last = slice(-104, None)
    for names in (list(TOGETHER), ["net_liquidity"]):
        regressors = sm.add_constant(pd.concat([market.rename("market"), factors[names]], axis=1)).iloc[last]
        for asset in ("A0", "A3"):
            fit = sm.OLS(returns[asset].iloc[last], regressors, missing="drop")
            fit = fit.fit(cov_type="HAC", cov_kwds={"maxlags": LAGS})
            for name in names:
                found = table.loc[name, asset]
                assert found["slope"] == pytest.approx(fit.params[name], rel=1e-9)
                assert found["error"] == pytest.approx(fit.bse[name], rel=1e-9)
                assert found["weeks"] == fit.nobs


def test_planted_slopes_are_found(panel):
    table = exposures(*panel)
    for name, planted in PLANTED.items():
        found = table.xs(name, level="factor")
        # Three standard errors, of thirty assets.
        assert (np.abs(found["slope"] - planted) < 3.5 * found["error"]).all()
    longest = duration_score(table)
    assert longest.corr(pd.Series(-np.arange(30.0), NAMES), method="spearman") > 0.95


def test_the_market_is_held_fixed(panel):
    """The market falls as yields rise: an asset that is the market alone has no slope of its own."""
    _, market, factors = panel
    table = exposures(market.to_frame("index"), market, factors)
    assert table["slope"].abs().max() < 1e-12
    alone = np.column_stack([np.ones(130), factors["real_yield"]])
    assert regress(market.to_frame().to_numpy(), alone).slope[1, 0] < -0.05


def test_shrinking_is_vasiceks():
    slope, error = np.array([1.0, 3.0, np.nan, 5.0]), np.array([1.0, 2.0, np.nan, 0.0])
    # Their variance is 4 and their mean 3: weights 4/5, 4/8, 1.
    np.testing.assert_allclose(shrink(slope, error), [0.8 * 1 + 0.2 * 3, 3.0, np.nan, 5.0])
    np.testing.assert_array_equal(shrink(np.array([1.0, np.nan]), np.array([2.0, np.nan])), [1.0, np.nan])


def test_too_short_a_history_has_no_slope(panel):
    returns, market, factors = panel
    returns = returns.copy()
    returns.iloc[:-51, 0] = np.nan
    assert np.isnan(slopes_on(exposures(returns, market, factors), "real_yield")["A0"])
    returns.iloc[-52, 0] = 0.0
    assert np.isfinite(slopes_on(exposures(returns, market, factors), "real_yield")["A0"])


@pytest.mark.parametrize(
    ("accounts", "years"),
    [
        ((100, 100, 15, 110, 100, 120), 13.936),
        ((100, 80, 30, 150, 100, 400), 16.945),
        ((100, 90, 10, 130, 100, 1000), 18.833),
        ((100, 110, -20, 130, 100, 800), 19.423),
    ],
)
def test_implied_durations_are_those_of_the_formula(accounts, years):
    assert implied_duration(Accounts(*accounts)) == pytest.approx(years, abs=5e-4)


def test_the_longest_duration_is_that_of_a_price_without_payments():
    assert pytest.approx(19.333, abs=5e-4) == LONGEST
    assert implied_duration(Accounts(1, 1, 0.12, 1, 1, 1e12)) == pytest.approx(LONGEST)


@pytest.mark.parametrize("lacking", ["book_before", "sales_before", "value"])
def test_without_a_beginning_there_is_no_duration(lacking):
    assert math.isnan(implied_duration(Accounts(100, 100, 15, 110, 100, 120)._replace(**{lacking: 0.0})))
    assert math.isnan(cash_flow_yield(5.0, 0.0))
    assert cash_flow_yield(5.0, 100.0) == 0.05
