"""Looks at fixed dates and every day: published bounds, another library's integrals, and simulated nulls."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from backtests.evidence.any_day import one_sided_radius, tightest_at, values_needed
from backtests.evidence.group_sequential import bounds, crossings, drift_for_power, spent_alpha

FIVE = (0.2, 0.4, 0.6, 0.8, 1.0)


def test_the_bounds_are_those_that_are_published() -> None:
    # Five equal looks at one-sided 0.025: the ldbounds package, of Lan and DeMets' function after O'Brien and Fleming.
    assert bounds(FIVE, 0.025) == pytest.approx([4.8769, 3.3569, 2.6803, 2.2898, 2.0310], abs=2e-3)
    assert bounds((1.0,), 0.05) == pytest.approx([1.6449], abs=1e-4)


def test_all_of_alpha_is_spent_at_the_last_look() -> None:
    assert spent_alpha(1.0, 0.05) == pytest.approx(0.05)
    assert [spent_alpha(each, 0.05) for each in FIVE] == sorted(spent_alpha(each, 0.05) for each in FIVE)
    assert sum(crossings(FIVE, bounds(FIVE, 0.05), 0.0)) == pytest.approx(0.05, abs=1e-9)


@pytest.mark.parametrize("drift", [0.0, 1.5, 2.5])
def test_crossings_are_those_of_the_multivariate_normal(drift: float) -> None:
    fractions = np.array([0.3, 0.7, 1.0])
    limits = np.array([2.5, 2.1, 1.8])
    covariance = np.sqrt(np.minimum.outer(fractions, fractions) / np.maximum.outer(fractions, fractions))
    below = multivariate_normal(drift * np.sqrt(fractions), covariance).cdf(limits)
    assert sum(crossings(fractions.tolist(), limits.tolist(), drift)) == pytest.approx(1 - below, abs=2e-4)


def test_the_drift_for_a_power_has_it() -> None:
    # One look: the textbook's sum of two quantiles.
    assert drift_for_power((1.0,), bounds((1.0,), 0.05), 0.8) == pytest.approx(1.6449 + 0.8416, abs=1e-3)
    # Five looks after O'Brien and Fleming cost a few percent of the information.
    drift = drift_for_power(FIVE, bounds(FIVE, 0.05), 0.8)
    assert 1.0 < (drift / 2.4865) ** 2 < 1.06


def test_a_null_strays_beyond_the_radius_at_any_time_with_alpha_at_the_most() -> None:
    alpha, count, paths = 0.05, 3_000, 2_000
    values = np.random.default_rng(5).normal(size=(paths, count))
    means = values.cumsum(axis=1) / np.arange(1, count + 1)
    rho = tightest_at(1_000, alpha)
    radius = np.array([one_sided_radius(each, alpha, rho) for each in range(1, count + 1)])
    strayed = (means > radius).any(axis=1).mean()
    assert 0.01 < strayed < alpha + 3 * (alpha * (1 - alpha) / paths) ** 0.5
    # Chosen for 1,000 values it is near the tightest there.
    others = [one_sided_radius(1_000, alpha, rho * factor) for factor in (0.5, 2.0)]
    assert one_sided_radius(1_000, alpha, rho) < min(others)


def test_values_needed_make_the_radius_as_small_as_the_effect() -> None:
    rho = tightest_at(2_500, 0.05)
    needed = values_needed(0.05, 0.05, rho)
    assert one_sided_radius(needed, 0.05, rho) == pytest.approx(0.05, rel=1e-6)
    assert needed > (2.4865 / 0.05) ** 2 / 2
