"""Intervals of Sharpe differences: against the literature, other libraries and samples with a known truth."""

import math
from dataclasses import asdict

import empyrical
import numpy as np
import pandas as pd
import pytest
from skfolio.datasets import load_sp500_index
from statsmodels.regression.linear_model import OLS

from backtests.evidence.sharpe_difference import SharpeDifference, sharpe_difference, sharpe_differences
from backtests.studies.overlay import overlay
from data.errors import InputError


def on_days(values):
    return pd.Series(values, pd.bdate_range("2015-01-01", periods=len(values)))


def nothing(returns):
    """A bill that yields nothing."""
    return pd.Series(0.0, returns.index)


def pair(seed=4, sessions=2520, correlation=0.8, means=(0.0008, 0.0004)):
    """Independent normal days of 1% deviation."""
    random = np.random.default_rng(seed)
    both = random.multivariate_normal(means, 1e-4 * np.array([[1, correlation], [correlation, 1]]), sessions)
    return on_days(both[:, 0]), on_days(both[:, 1])


@pytest.mark.parametrize("correlation", [0.0, 0.95])
def test_of_independent_normal_days_it_is_the_interval_of_jobson_korkie_and_memmel(correlation):
    """Memmel (2003), Performance Hypothesis Testing with the Sharpe Ratio, Finance Letters 1."""
    first, second = pair(correlation=correlation)
    found = sharpe_difference(first, second, nothing(first))
    a, b = first.mean() / first.std(), second.mean() / second.std()
    rho = first.corr(second)
    variance = (2 - 2 * rho + (a**2 + b**2 - 2 * a * b * rho**2) / 2) / len(first)
    half = 1.959964 * math.sqrt(252 * variance)
    assert found.value == pytest.approx(math.sqrt(252) * (a - b), rel=1e-12)
    assert found.low == pytest.approx(found.value - half, abs=0.1 * half)
    assert found.high == pytest.approx(found.value + half, abs=0.1 * half)


@pytest.fixture(scope="module")
def jump_overlay(request):
    """The published overlay on the S&P 500, by its stored path, and the index in the same sessions."""
    prices = load_sp500_index().iloc[:, 0].pct_change().dropna()
    changes = pd.read_csv(
        request.path.parents[1] / "fixtures" / "jump_path_sp500.csv", index_col="session", parse_dates=True
    )["position"]
    path = changes.reindex(prices[changes.index[0] :].index, method="ffill")
    returns = overlay(path, prices[path.index], delay_sessions=1, cost_bp=10.0).returns
    return returns, prices[returns.index]


def test_of_a_published_overlay_it_agrees_with_the_delta_method(jump_overlay):
    """Ledoit and Wolf (2008): the long-run variance of the influence values, here by Newey and West of statsmodels."""
    returns, index = jump_overlay
    found = sharpe_difference(returns, index, nothing(index))

    def influence(each):
        z = (each - each.mean()) / each.std(ddof=0)
        return z - (each.mean() / each.std(ddof=0)) / 2 * (z**2 - 1)

    values = influence(returns) - influence(index)
    fit = OLS(values, np.ones(len(values))).fit(cov_type="HAC", cov_kwds={"maxlags": 23})
    half = 1.96 * fit.bse.iloc[0] * math.sqrt(252)
    assert round(found.value, 3) == 0.168  # 0.573 less 0.404, as published
    assert found.block_sessions == 23  # the rule gives 22.3 for the overlay, 7.1 for the index
    assert found.high - found.low == pytest.approx(2 * half, rel=0.1)
    assert not found.excludes_zero


def test_the_difference_is_that_of_the_ratios_over_the_bill():
    first, second = pair(sessions=400)
    bill = on_days(np.linspace(0.0, 0.0003, 400))
    wanted = empyrical.sharpe_ratio(first, bill) - empyrical.sharpe_ratio(second, bill)
    assert sharpe_difference(first, second, bill, resamples=50).value == pytest.approx(wanted, rel=1e-9)


def test_the_same_returns_give_the_same_interval_and_no_difference_none():
    first, second = pair(sessions=300)
    once, again = (sharpe_difference(first, second, nothing(first), resamples=200) for _ in range(2))
    assert once == again
    turned = sharpe_difference(second, first, nothing(first), resamples=200)
    np.testing.assert_allclose(
        [turned.low, turned.value, turned.high], [-once.high, -once.value, -once.low], atol=1e-12
    )
    none = sharpe_difference(first, first, nothing(first), resamples=200)
    assert (none.value, none.low, none.high) == (0.0, 0.0, 0.0)
    assert not none.excludes_zero


def test_excluding_zero_takes_both_bounds():
    assert SharpeDifference(0.2, 0.1, 0.3, 5).excludes_zero
    assert SharpeDifference(-0.2, -0.3, -0.1, 5).excludes_zero
    assert not SharpeDifference(0.1, -0.1, 0.3, 5).excludes_zero


@pytest.mark.slow
def test_intervals_cover_the_truth_as_often_as_they_say():
    """Returns that hang on the day before; 95% of 80 are 76, and two standard errors are 4."""
    covered = []
    for seed in range(80):
        noise = [each.to_numpy() - 0.0006 for each in pair(seed, 760, 0.5, (0.0006, 0.0006))]
        first, second = (on_days(0.0006 + each[1:] + 0.3 * each[:-1]) for each in noise)
        found = sharpe_difference(first, second, nothing(first), resamples=300)
        covered.append(not found.excludes_zero)  # both have the same true ratio
    assert 70 <= sum(covered) <= 79


def test_clear_differences_are_found():
    first, second = pair(correlation=0.9, means=(0.0012, 0.0))
    found = sharpe_difference(first, second, nothing(first), resamples=500)
    assert found.low > 1.0
    assert found.excludes_zero


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda a, b: (a, b.iloc[1:], nothing(a)), "reference: got 299 sessions, wanted the 300"),
        (lambda a, b: (a, b, nothing(a).iloc[1:]), "risk_free: got 299 sessions"),
        (
            lambda a, b: (a.iloc[:99], b.iloc[:99], nothing(a.iloc[:99])),
            "got 99 sessions of returns, wanted at least 100",
        ),
        (lambda a, b: (a, b.mask(b == b.max()), nothing(a)), "got a missing or infinite return"),
        (lambda a, b: (a * 0 + 0.001, b, nothing(a)), "never move over the risk-free one"),
    ],
)
def test_what_cannot_be_compared_is_refused(spoil, message):
    with pytest.raises(InputError, match=message) as refused:
        sharpe_difference(*spoil(*pair(sessions=300)))
    assert "\n" not in str(refused.value)


def test_several_references_share_their_sessions():
    """Each has the interval that it has alone where the blocks have the same length."""
    first, second = pair(sessions=300)
    references = pd.DataFrame({"second": second, "turned": -second})
    found = sharpe_differences(first, references, nothing(first), resamples=200)
    for name, each in references.items():
        alone = sharpe_difference(first, each, nothing(first), resamples=200)
        assert alone.block_sessions == found[name].block_sessions
        assert asdict(found[name]) == pytest.approx(asdict(alone), rel=1e-9)
