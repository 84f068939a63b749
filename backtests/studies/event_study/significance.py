"""Tests of the mean of cumulative abnormal returns: plain, standardised, of correlated instruments, and of ranks.

Boehmer, Musumeci and Poulsen (1991): standardised by what was before the event, spread as they are in it, so that an
event may raise the variance. Kolari and Pynnonen (2010): the same for instruments that move together on one date.
Corrado (1989), with the scaling of Corrado and Zivney (1992) where returns are missing: by ranks alone.
"""

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

LEAST = 3


class Statistic(NamedTuple):
    """A statistic and its two-sided p-value; NaN both where there are fewer than three observations."""

    value: float
    p_value: float


NOTHING = Statistic(math.nan, math.nan)


def mean_test(values: np.ndarray) -> Statistic:
    """Whether the mean of independent values is 0: of cumulative returns the plain test, of standardised ones BMP."""
    count = len(values)
    if count < LEAST or not (spread := float(values.std(ddof=1))) > 0:
        return NOTHING
    return _student(float(values.mean()) * math.sqrt(count) / spread, count)


def correlated_test(values: np.ndarray, correlation: float) -> Statistic:
    """The same of standardised values whose correlation is this on average over all pairs.

    Args:
        values: standardised cumulative abnormal returns.
        correlation: mean over all pairs; that of two that share no date is 0.
    """
    plain, count = mean_test(values), len(values)
    inflation = 1.0 + (count - 1) * correlation
    if math.isnan(plain.value) or not inflation > 0 or not correlation < 1:
        return NOTHING
    return _student(plain.value * math.sqrt((1.0 - correlation) / inflation), count)


def rank_test(fitted: np.ndarray, around: np.ndarray) -> Statistic:
    """Whether ranks in a window are those of any other sessions.

    Args:
        fitted: (k, e) abnormal returns of the estimation window; NaN where there are none.
        around: (k, l) of the window.
    """
    if len(around) < LEAST:
        return NOTHING
    whole = np.concatenate([fitted, around], axis=1)
    whole = whole[:, ~np.isnan(whole).all(axis=0)]
    scaled = _ranks(whole)
    means = np.nanmean(scaled, axis=0)
    spread = math.sqrt(float(np.mean(np.square(means))))
    if not spread > 0:
        return NOTHING
    length = around.shape[1]
    value = float(means[-length:].sum()) / (math.sqrt(length) * spread)
    return Statistic(value, 2.0 * NormalDist().cdf(-abs(value)))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks within each row over one more than their number, less a half; NaN where there is no value."""
    there = ~np.isnan(values)
    order = np.argsort(np.where(there, values, np.inf), axis=1, kind="stable")
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, np.arange(1.0, values.shape[1] + 1)[None, :].repeat(len(values), axis=0), axis=1)
    return np.where(there, ranks / (1.0 + there.sum(axis=1, keepdims=True)) - 0.5, np.nan)


def mean_correlation(fitted: list[np.ndarray], observations: int) -> float:
    """The mean correlation over all pairs of observations; those of different groups have none.

    Args:
        fitted: a group of observations on one date: (m, e) what the fit leaves; NaN where there is nothing.
        observations: of all groups.
    """
    pairs = observations * (observations - 1) / 2
    return sum(_correlations(group) for group in fitted if len(group) > 1) / pairs if pairs else 0.0


def _correlations(group: np.ndarray) -> float:
    """The sum of the correlations of all pairs of rows, over the columns that both have."""
    there = ~np.isnan(group)
    values = np.where(there, group, 0.0)
    products, squares = values @ values.T, np.square(values) @ there.T.astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = products / np.sqrt(squares * squares.T)
    return float(np.nansum(np.triu(found, 1)))


def _student(value: float, count: int) -> Statistic:
    from scipy.stats import t

    return Statistic(value, 2.0 * float(t.sf(abs(value), count - 1)))
