"""Looking at fixed dates: how much of alpha each look may spend, the bounds that spend it, and their power.

One-sided tests of a drift. At a look with the fraction t of the information the statistic z has the mean drift times
the root of t and variance 1, and its covariances are those of sums of independent parts (Jennison and Turnbull, 2000).
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

Array = np.ndarray

NORMAL = NormalDist()

# Points of the integrals (odd), how many deviations below the mean they begin, and halvings of a search.
_POINTS, _FAR, _HALVINGS = 401, 7.0, 40


def spent_alpha(fraction: float, alpha: float) -> float:
    """Alpha spent up to a fraction of the information, by Lan and DeMets (1983) after O'Brien and Fleming.

    Args:
        fraction: above 0, to 1.
        alpha: one-sided, of all looks.
    """
    return 2.0 * (1.0 - NORMAL.cdf(NORMAL.inv_cdf(1.0 - alpha / 2.0) / fraction**0.5))


def bounds(fractions: Sequence[float], alpha: float) -> list[float]:
    """The values of z at which each look rejects, so that all of them together reject a true null with `alpha`.

    Args:
        fractions: of the information at the looks, increasing, the last one 1.
        alpha: one-sided.
    """
    found: list[float] = []
    walk, spent = _BEGIN, 0.0
    for fraction in fractions:
        share = spent_alpha(fraction, alpha) - spent
        low, high = 0.0, 10.0
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if _crossing(walk, fraction, middle, 0.0) > share else (low, middle)
        found.append(high)
        walk, spent = _below(walk, fraction, high, 0.0), spent + share
    return found


def crossings(fractions: Sequence[float], limits: Sequence[float], drift: float) -> list[float]:
    """The probability that each look is the first whose z is above its bound.

    Args:
        fractions: of the information at the looks, increasing.
        limits: bounds of z at them.
        drift: mean of z at all of the information.
    """
    found: list[float] = []
    walk = _BEGIN
    for fraction, limit in zip(fractions, limits, strict=True):
        found.append(_crossing(walk, fraction, limit, drift))
        walk = _below(walk, fraction, limit, drift)
    return found


def drift_for_power(fractions: Sequence[float], limits: Sequence[float], power: float) -> float:
    """The drift at which the looks reject with a probability; see `crossings`."""
    low, high = 0.0, 20.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(crossings(fractions, limits, middle)) < power else (low, middle)
    return high


class _Walk(NamedTuple):
    """Where z times the root of its fraction may stand among walks that have crossed nothing yet.

    Attributes:
        fraction: of the information so far.
        points: at which it may stand.
        weights: the probability that each stands for.
    """

    fraction: float
    points: Array
    weights: Array


_BEGIN = _Walk(0.0, np.zeros(1), np.ones(1))


def _crossing(walk: _Walk, fraction: float, limit: float, drift: float) -> float:
    """The probability to stand above a bound at the next look."""
    step = fraction - walk.fraction
    away = (limit * fraction**0.5 - walk.points - drift * step) / (2.0 * step) ** 0.5
    return float(walk.weights @ np.array([math.erfc(each) / 2.0 for each in away]))


def _below(walk: _Walk, fraction: float, limit: float, drift: float) -> _Walk:
    """The walks that stand below the bound at the next look."""
    step = fraction - walk.fraction
    root = fraction**0.5
    points = np.linspace(drift * fraction - _FAR * root, limit * root, _POINTS)
    away = points[:, None] - walk.points[None, :] - drift * step
    density = np.exp(-0.5 * away**2 / step) @ walk.weights / (2 * math.pi * step) ** 0.5
    # By Simpson's rule: its error is far below the digits that a registration shows.
    width = np.full(_POINTS, 2.0)
    width[1::2], width[[0, -1]] = 4.0, 1.0
    return _Walk(fraction, points, density * width * (points[1] - points[0]) / 3.0)
