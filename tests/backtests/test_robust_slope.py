"""A slope with errors for small samples: statsmodels, the degrees of freedom of the paper, and its size."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import binom, t

from backtests.studies.robust import robust_slope


def test_slope_and_error_are_those_of_statsmodels() -> None:
    random = np.random.default_rng(2)
    regressors = np.column_stack([np.ones(40), random.normal(size=(40, 2)), random.standard_t(2, 40)])
    response = random.normal(size=40) * np.abs(regressors[:, 3])
    fit, found = sm.OLS(response, regressors).fit(cov_type="HC2"), robust_slope(response, regressors)
    assert found.value == pytest.approx(fit.params[-1], rel=1e-9)
    assert found.error == pytest.approx(fit.bse[-1], rel=1e-9)
    assert found.p_value == pytest.approx(2 * t.sf(abs(found.value) / found.error, found.freedom), rel=1e-9)
    assert found.reach(0.05) == pytest.approx(t.ppf(0.975, found.freedom) * found.error, rel=1e-9)


def test_two_small_groups_have_the_degrees_of_freedom_of_the_paper() -> None:
    """Imbens and Kolesar (2016), 3 against 27: 2.5, by (N^2 (n - 1) (m - 1)) / (m^2 (m - 1) + n^2 (n - 1))."""
    random = np.random.default_rng(3)
    regressors = np.column_stack([np.ones(30), np.r_[np.zeros(3), np.ones(27)]])
    found = robust_slope(random.normal(size=30), regressors)
    assert found.freedom == pytest.approx(30**2 * 2 * 26 / (27**2 * 26 + 3**2 * 2), rel=1e-9)
    assert found.freedom == pytest.approx(2.5, abs=0.05)


@pytest.mark.parametrize("regressor", [np.r_[1.0, np.zeros(29)], np.ones(30)])
def test_one_observation_alone_or_none_makes_no_slope(regressor: np.ndarray) -> None:
    found = robust_slope(np.arange(30.0), np.column_stack([np.ones(30), regressor]))
    assert math.isnan(found.value)
    assert math.isnan(found.p_value)


@pytest.mark.slow
def test_a_true_null_is_rejected_in_one_of_twenty_worlds_where_little_news_weighs_much() -> None:
    """Three of 95 weeks bear half of the news; with errors HC3 far more than one world in a thousand is below 0.001."""
    random = np.random.default_rng(4)
    news = random.normal(size=95)
    news[:3] = (6.0, -5.0, 5.0)
    regressors = np.column_stack([np.ones(95), news])
    found, wide = [], []
    for _ in range(1000):
        response = random.normal(size=95)
        found.append(robust_slope(response, regressors).p_value)
        wide.append(sm.OLS(response, regressors).fit(cov_type="HC3", use_t=True).pvalues[1])
    low, high = binom.ppf([0.001, 0.999], 1000, 0.05)
    assert low <= (np.array(found) < 0.05).sum() <= high
    assert (np.array(found) < 0.001).sum() <= binom.ppf(0.999, 1000, 0.001)
    assert (np.array(wide) < 0.001).sum() > binom.ppf(0.999, 1000, 0.001)
