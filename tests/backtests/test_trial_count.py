"""Effective numbers of trials: against closed forms, pandas, and what the best of many is in simulation."""

import math
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest

from backtests.evidence.trials import COMMON, TrialCount, Tried, correlations, count_trials
from data.errors import InputError

EULER = 0.5772156649015329


def on_days(values, first="2015-01-01"):
    return pd.Series(values, pd.bdate_range(first, periods=len(values)))


def equicorrelated(count, correlation, sessions=1000, seed=5):
    random = np.random.default_rng(seed)
    common = random.standard_normal((sessions, 1)) * math.sqrt(correlation)
    own = random.standard_normal((sessions, count)) * math.sqrt(1 - correlation)
    return [on_days(column) for column in 0.01 * (common + own).T]


def test_one_trial_is_one():
    assert count_trials([]) == TrialCount(1, 1.0, None, None)
    assert count_trials([Tried(on_days([0.1, -0.1, 0.2]))]) == TrialCount(1, 1.0, None, None)


def test_the_same_again_adds_nothing_to_the_effective_number():
    (series,) = equicorrelated(1, 0.0)
    found = count_trials([Tried(series)] * 7)
    assert (found.trials, found.effective, found.correlation) == (7, pytest.approx(1.0), pytest.approx(1.0))
    assert found.sharpe_variance == pytest.approx(0.0)


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.9])
def test_it_is_that_of_bailey_and_lopez_de_prado(correlation):
    """Their appendix: n independent ones where the correlation is 0, one where it is 1, on a line between them."""
    count = 40
    found = count_trials([Tried(each) for each in equicorrelated(count, correlation, sessions=1_500)])
    assert found.effective == pytest.approx(correlation + (1 - correlation) * count, rel=0.06)
    assert found.trials == count


def test_correlations_are_those_of_pandas_on_common_sessions():
    series = equicorrelated(6, 0.5, 300)
    series[1], series[2] = series[1].iloc[100:], series[2].iloc[:250]
    theirs = pd.concat(series, axis=1).corr(min_periods=COMMON).to_numpy()
    np.testing.assert_allclose(correlations(series), theirs, atol=1e-12)


def test_series_that_hardly_meet_count_as_independent():
    series = equicorrelated(2, 0.99, 400)
    apart = [Tried(series[0].iloc[:200]), Tried(series[1].iloc[200 - COMMON + 1 :])]
    assert count_trials(apart).effective == 2.0
    assert count_trials([Tried(series[0]), Tried(on_days(np.zeros(400)))]).effective == 2.0
    opposite = [Tried(series[0]), Tried(-series[0])]
    assert count_trials(opposite).effective == 2.0


def test_a_series_stands_for_as_many_trials_as_it_says():
    series = equicorrelated(30, 0.6, 500)
    all_of_them = count_trials([Tried(each) for each in series])
    some = count_trials([Tried(each, 3.0) for each in series[::3]])
    assert some.trials == all_of_them.trials == 30
    assert some.effective == pytest.approx(all_of_them.effective, rel=0.05)
    doubled = count_trials([Tried(each) for each in series for _ in range(2)])
    weighted = count_trials([Tried(each, 2.0) for each in series])
    assert weighted.sharpe_variance == pytest.approx(doubled.sharpe_variance)


@pytest.mark.slow
def test_of_very_many_series_some_are_looked_at():
    series = equicorrelated(1500, 0.5, 100)
    among = np.corrcoef([each.to_numpy() for each in series])
    mean = (among.sum() - 1500) / (1500 * 1499)
    found = count_trials([Tried(each) for each in series])
    assert (found.trials, found.effective) == (1500, pytest.approx(mean + (1 - mean) * 1500, rel=0.02))


def test_the_variance_is_that_of_sharpe_ratios_a_session():
    series = equicorrelated(12, 0.2)
    ratios = [each.mean() / each.std() for each in series]
    assert count_trials([Tried(each) for each in series]).sharpe_variance == pytest.approx(np.var(ratios, ddof=1))
    with_none = [*series, on_days(np.zeros(1000)), on_days([0.1])]
    assert count_trials([Tried(each) for each in with_none]).sharpe_variance == pytest.approx(np.var(ratios, ddof=1))


@pytest.mark.slow
@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_the_best_of_correlated_trials_is_what_the_effective_number_and_the_variance_say(correlation):
    """Without skill, the mean of the best Sharpe ratio of 50 stays within a tenth of what they give, in 100 markets."""
    count, sessions, best, said = 50, 120, [], []
    for seed in range(100):
        series = equicorrelated(count, correlation, sessions, seed)
        found = count_trials([Tried(each) for each in series])
        ratios = np.array([each.mean() / each.std() for each in series])
        best.append(ratios.max() - ratios.mean())
        n, normal = found.effective, NormalDist()
        quantiles = (1 - EULER) * normal.inv_cdf(1 - 1 / n) + EULER * normal.inv_cdf(1 - 1 / (n * math.e))
        said.append(math.sqrt(found.sharpe_variance) * quantiles)
    # The formula takes a smaller number for correlated ones, whose ratios spread less as well: it is below the truth.
    assert np.mean(said) == pytest.approx(np.mean(best), rel=0.04 if correlation == 0 else 0.2)


def test_a_user_may_state_more_and_never_fewer():
    found = count_trials([Tried(each) for each in equicorrelated(10, 0.5)])
    more = found.stated(25)
    assert (more.trials, more.effective) == (25, found.effective + 15)
    assert found.stated(10) == found
    for wrong in (9, 0, 10.0, True, "25"):
        with pytest.raises(InputError, match="wanted at least the 10 that were counted"):
            found.stated(wrong)
