"""Names and timing apart: what each of the two brought, in a table of names by moments."""

from dataclasses import dataclass

import numpy as np

# Of the draws that lie in an interval.
LEVEL = 0.95
# Of the product above it, which floats may leave a hair below a whole number.
ROUNDING = 1e-9
# Of fewer values no such interval can be told.
FEWEST = 39


@dataclass(frozen=True)
class Share:
    """What knowing one thing brought, beside what chance would have brought in its place.

    Attributes:
        value: of the result with it, less the mean without.
        low: with it, less what at most 2.5% of chance reaches.
        high: with it, less what at least 97.5% of chance reaches. Where 0 lies between the two, chance would do.
        percentile: share of chance that is not above it, a fraction; ties count half.
    """

    value: float
    low: float
    high: float
    percentile: float

    @property
    def holds_zero(self) -> bool:
        """Whether chance would do."""
        return self.low <= 0.0 <= self.high


@dataclass(frozen=True)
class Shares:
    """One measure of a table of names by moments, in which the spec's own names and the true moments stand first.

    Attributes:
        result: of the spec's names at the true moments.
        neither: mean of drawn names at moved moments.
        names_alone: mean of the spec's names at moved moments, less that.
        timing_alone: mean of drawn names at the true moments, less that.
        together: what is left: the result less the three.
        names: what knowing the names brought: the result, less the draws at the true moments.
        timing: what the true moments brought, whatever the names: the mean of the draws at them, less the same mean at
            each moved one.
        own_timing: the same of the spec's names alone.
        drawn: mean of the draws at the true moments.
        drawn_low: at most 2.5% of them are below it.
        drawn_high: at most 2.5% of them are above it.
    """

    result: float
    neither: float
    names_alone: float
    timing_alone: float
    together: float
    names: Share
    timing: Share
    own_timing: Share
    drawn: float
    drawn_low: float
    drawn_high: float


def shares_of(values: np.ndarray) -> Shares:
    """Part a result in two ways.

    The four parts add up to the result: it is the two-way table of an analysis of variance, with the spec's names and
    the true moments as its first row and column, and the means over draws and shifts beside them.

    Args:
        values: (1 + draws, shifts) of one measure, the true moments first; NaN where it has no meaning, which is left
            out of means.
    """
    result = float(values[0, 0])
    neither, own, drawn = _mean(values[1:, 1:]), _mean(values[0, 1:]), _mean(values[1:, 0])
    low, high = _range(values[1:, 0])
    by_moment = np.array([_mean(moment) for moment in values[1:].T])
    return Shares(
        result=result,
        neither=neither,
        names_alone=own - neither,
        timing_alone=drawn - neither,
        together=result - own - drawn + neither,
        names=_share(result, values[1:, 0]),
        timing=_share(float(by_moment[0]), by_moment[1:]),
        own_timing=_share(result, values[0, 1:]),
        drawn=drawn,
        drawn_low=low,
        drawn_high=high,
    )


def _share(value: float, chance: np.ndarray) -> Share:
    """A value beside those that chance gives."""
    low, high = _range(chance)
    found = chance[np.isfinite(chance)]
    below = float("nan") if not len(found) else float((found < value).mean()) + 0.5 * float((found == value).mean())
    return Share(value - _mean(found), value - high, value - low, below)


def _mean(values: np.ndarray) -> float:
    """Of what has a meaning; NaN where nothing has."""
    found = values[np.isfinite(values)]
    return float(found.mean()) if len(found) else float("nan")


def _range(values: np.ndarray) -> tuple[float, float]:
    """The bounds outside of which one more value of the same kind lies in 5% of cases at most; NaN of none.

    By ranks, and not by quantiles between them: of n values and one more, all as likely in any order, it is the largest
    or smallest k of all n + 1 that lie outside.
    """
    found = np.sort(values[np.isfinite(values)])
    if not len(found):
        return float("nan"), float("nan")
    outside = max(int((len(found) + 1) * (1.0 - LEVEL) / 2.0 + ROUNDING), 1)
    return float(found[outside - 1]), float(found[-outside])
