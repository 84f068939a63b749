"""Slopes over horizons that overlap, with tests that keep their size, for many predictors at once.

Returns of 60 sessions that begin every day share 59 of 60 sessions. Ordinary least squares with Newey and West's errors
then finds three links too many among a hundred where none is, and more lags do not mend it: fewer than fifty windows do
not overlap. The same slope is had without overlap: the sum over decisions of predictor times the sum of the returns
that follow is the sum over sessions of return times the sum of the predictors before it. So one session's return is
set against the sum of the predictors of `horizon` decisions (Jegadeesh 1991, Hodrick 1992 1B), and its slope is scaled
to that of the long return (Wei and Wright, Journal of Applied Econometrics, 2013). Its errors are those of returns with
which the predictor has nothing to do, as Hodrick has them: those of the fitted ones are too small where a few wild
weeks make the slope, and Holm's correction, which lives on the tails, then tells of links too often.

What an asset may be expected to earn moves slowly, as what the signal says does, and two slow things go together for
a year by chance. Newey and West's usual lags, eight sessions, do not see that: with them one slope in ten that is none
leaves 0 out, of the score against the slowest basket one in four. So errors are made of the slowest waves alone, as
many as there are quarters of a year, which are as many degrees of freedom (Mueller 2007; Lazarus, Lewis, Stock and
Watson, Journal of Business and Economic Statistics, 2018).
"""

from typing import NamedTuple

import numpy as np

Array = np.ndarray
QUARTER = 63
"""Sessions that count as one observation for the error of a slope."""
LEAST_WAVES = 8


class Slopes(NamedTuple):
    """Slopes of one response on each of k predictors, with standard errors that allow for autocorrelation.

    Attributes:
        slope: (k,); NaN where the predictor never moves.
        error: (k,).
        freedom: degrees of freedom of the error.
    """

    slope: Array
    error: Array
    freedom: int


def slopes(predictors: Array, response: Array, lags: int | None = None) -> Slopes:
    """Regress a response on each predictor and a constant, one predictor at a time.

    Errors are those of Newey and West (1987), corrected for the degrees of freedom; statsmodels calls them HAC.

    Args:
        predictors: (n, k), finite.
        response: (n,), finite.
        lags: None: 4 (n / 100)^(2/9), rounded down (Newey and West 1994).
    """
    rows = len(response)
    nothing = np.full(predictors.shape[1], np.nan)
    if rows < 3:
        return Slopes(nothing, nothing, 0)
    lags = int(4 * (rows / 100) ** (2 / 9)) if lags is None else lags
    x, y, squares = _about_means(predictors, response)
    slope = (x * y).sum(axis=0) / squares
    moments = x * (y - x * slope)
    variance = (moments * moments).sum(axis=0)
    for lag in range(1, lags + 1):
        variance += 2 * (1 - lag / (lags + 1)) * (moments[lag:] * moments[:-lag]).sum(axis=0)
    return Slopes(slope, np.sqrt(variance * rows / (rows - 2)) / squares, rows - 2)


def _about_means(predictors: Array, response: Array) -> tuple[Array, Array, Array]:
    """Both less their means, and the predictors' sums of squares; NaN where one never moves."""
    x, y = predictors - predictors.mean(axis=0), (response - response.mean())[:, np.newaxis]
    squares = (x * x).sum(axis=0)
    # What is left of a predictor that never moves is rounding.
    least = 1e-18 * len(response) * np.maximum(1.0, predictors.mean(axis=0) ** 2)
    return x, y, np.where(squares > least, squares, np.nan)


def slopes_by_waves(predictors: Array, response: Array) -> Slopes:
    """The same slopes, with the errors of a response that the predictor has no part in, from its slowest waves.

    Each of the waves, cosines of half a period, one, one and a half and so on over the sample, weighs the products of
    predictor and response; the mean of the squares of these sums is the variance (Lazarus et al. 2018).

    Args:
        predictors: (n, k), finite.
        response: (n,), finite.
    """
    rows = len(response)
    waves = max(LEAST_WAVES, round(rows / QUARTER))
    if rows <= waves:
        nothing = np.full(predictors.shape[1], np.nan)
        return Slopes(nothing, nothing, 0)
    x, y, squares = _about_means(predictors, response)
    moments = x * y
    phase = np.pi * np.arange(1, waves + 1)[:, np.newaxis] * (np.arange(rows) + 0.5) / rows
    variance = 2.0 * np.square(np.cos(phase) @ moments).mean(axis=0)
    return Slopes(moments.sum(axis=0) / squares, np.sqrt(variance) / squares, waves)


def slopes_over(predictors: Array, returns: Array, horizon: int, lag: int = 0) -> Slopes:
    """Regress the sum of the returns of `horizon` sessions, `lag` sessions after a decision, on what was known at it.

    Args:
        predictors: (n, k) by decision, finite.
        returns: (n,) of the session that begins at the decision; NaN where there is none, which is left out.
        horizon: sessions.
        lag: sessions between the decision and the first return.

    Returns:
        In returns of the horizon per unit of a predictor.
    """
    before = np.vstack([np.zeros((1, predictors.shape[1])), np.cumsum(predictors, axis=0)])
    sums = before[horizon:] - before[:-horizon]
    first = horizon - 1 + lag
    answered = returns[first:]
    sums = sums[: len(answered)]
    known = np.isfinite(answered)
    found = slopes_by_waves(sums[known], answered[known])
    spread = predictors.var(axis=0)
    scale = sums[known].var(axis=0) / np.where(spread > 0, spread, np.nan) if known.any() else np.nan * spread
    return Slopes(found.slope * scale, found.error * scale, found.freedom)


def holm(p_values: Array) -> Array:
    """Raise p-values of many tests so that one that is too low among all of them comes in 5% of cases (Holm 1979).

    Args:
        p_values: NaN where there was no test, which does not count.
    """
    raised = np.full(len(p_values), np.nan)
    (tested,) = np.nonzero(np.isfinite(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    steps = p_values[order] * np.arange(len(order), 0, -1)
    raised[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(order) else steps
    return raised
