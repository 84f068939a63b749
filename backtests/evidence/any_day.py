"""A test that may be looked at on every day: what has come so far, and a bound that holds on all days at once.

Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024), Time-uniform central limit theory and asymptotic confidence
sequences: Robbins' one-sided mixture of normals, with an estimated standard deviation.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

ALPHA, POWER = 0.05, 0.8
FEWEST = 100
"""Values before which nothing is said: the deviation is not known well enough."""


@dataclass(frozen=True)
class AnyDay:
    """What has been found so far of something that is expected to be above 0.

    Attributes:
        count: of values.
        value: as it is now; None before there are `FEWEST`.
        bound: the true one is above it; over all days at once that is wrong with a probability of `ALPHA`.
        yes_at: how many values there were when the bound was first above 0; None: it never was.
        count_needed: at which it will be above 0 with a probability of `POWER`, were the effect the one stated.
    """

    count: int
    value: float | None
    bound: float | None
    yes_at: int | None
    count_needed: float


def any_day(values: np.ndarray, deviations: np.ndarray, rho: float, effect: float) -> AnyDay:
    """Judge estimates that came one after the other.

    Args:
        values: of what is expected to be above 0, by the number of those that it was made from.
        deviations: of a single value, in the same order; both NaN where nothing can be said yet.
        rho: of the mixture, see `tightest_at`.
        effect: that the stated power is for, in deviations of a single value, above 0.
    """
    bounds = np.full(len(values), np.nan)
    for at in np.flatnonzero(np.isfinite(values) & np.isfinite(deviations)):
        bounds[at] = values[at] - deviations[at] * one_sided_radius(float(at + 1), ALPHA, rho)
    above = np.flatnonzero(bounds > 0)
    told = len(values) > 0 and bool(np.isfinite(bounds[-1]))
    return AnyDay(
        count=len(values),
        value=float(values[-1]) if told else None,
        bound=float(bounds[-1]) if told else None,
        yes_at=int(above[0]) + 1 if len(above) else None,
        count_needed=count_needed(effect, rho),
    )


def running_mean(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean of the first 1, 2, 3 ... values, and their deviation; both NaN before `FEWEST`, or without spread."""
    counts = np.arange(1, len(values) + 1)
    means = np.cumsum(values) / counts
    deviations = np.full(len(values), np.nan)
    for count in range(FEWEST, len(values) + 1):
        deviations[count - 1] = values[:count].std(ddof=1)
    return _spread_only(means, deviations)


def running_slope(predictor: np.ndarray, outcome: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The slope of the first 1, 2, 3 ... pairs, and the deviation of a single one.

    Least squares with a constant; the deviation allows for uneven variance (White 1980): the root of the count times
    the error of the slope.

    Args:
        predictor: n values.
        outcome: n values.

    Returns:
        n slopes and n deviations; NaN before there are `FEWEST`, and where the predictor has not moved.
    """
    slopes, deviations = (np.full(len(outcome), np.nan) for _ in range(2))
    for count in range(FEWEST, len(outcome) + 1):
        moved = predictor[:count] - predictor[:count].mean()
        spread = float(moved @ moved)
        if spread <= 0:
            continue
        slope = float(moved @ outcome[:count]) / spread
        left = outcome[:count] - outcome[:count].mean() - slope * moved
        slopes[count - 1] = slope
        deviations[count - 1] = np.sqrt(count) * float(np.linalg.norm(moved * left)) / spread
    return _spread_only(slopes, deviations)


def count_needed(effect: float, rho: float) -> float:
    """How many values it takes until the bound is above 0 with a probability of `POWER`.

    Args:
        effect: the true one, in deviations of a single value, above 0.
        rho: of the mixture.
    """
    quantile = NormalDist().inv_cdf(POWER)
    low, high = 1.0, 1e9
    for _ in range(200):
        middle = (low * high) ** 0.5
        enough = effect - one_sided_radius(middle, ALPHA, rho) >= quantile / middle**0.5
        low, high = (low, middle) if enough else (middle, high)
    return high


def one_sided_radius(count: float, alpha: float, rho: float) -> float:
    """How far the mean of so many values may stray above its expectation, in standard deviations of one value.

    Above it at any time, ever, a mean strays with a probability of about `alpha`.

    Args:
        count: of values so far, above 0.
        alpha: one-sided.
        rho: of the mixture, see `tightest_at`.
    """
    spread = count * rho**2 + 1.0
    return math.sqrt(2.0 * spread / (count * rho) ** 2 * math.log1p(math.sqrt(spread) / (2.0 * alpha)))


def tightest_at(count: float, alpha: float) -> float:
    """The mixture whose radius is about the smallest once there are so many values."""
    doubled = 2.0 * alpha
    return math.sqrt((-2.0 * math.log(doubled) + math.log(-2.0 * math.log(doubled) + 1.0)) / count)


def values_needed(effect: float, alpha: float, rho: float) -> float:
    """How many values it takes until the radius is as small as an effect, in standard deviations of one value."""
    low, high = 1.0, 1e9
    for _ in range(200):
        middle = math.sqrt(low * high)
        if one_sided_radius(middle, alpha, rho) > effect:
            low = middle
        else:
            high = middle
    return high


def mixture(years: float, sessions_a_year: int) -> float:
    """The mixture whose bound is tightest after so many years of daily values."""
    return tightest_at(years * sessions_a_year, ALPHA)


def _spread_only(values: np.ndarray, deviations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    known = deviations > 0
    return np.where(known, values, np.nan), np.where(known, deviations, np.nan)
