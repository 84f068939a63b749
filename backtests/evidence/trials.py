"""How many trials a result was chosen from: counted, and as so many independent ones, by the correlation of returns."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from backtests.measures.performance import ROUNDING
from data.errors import InputError

# Two series with fewer sessions in common say nothing of each other: they count as independent.
COMMON = 60
# Of more series so many are looked at, evenly spaced: the average of their correlations is what is wanted.
MOST = 1_000
# Of more trials than these nobody can know.
MOST_STATED = 10**12


@dataclass(frozen=True, eq=False)
class Tried:
    """A series of returns that was tried.

    Attributes:
        excess: daily return of the strategy less that of the static mix beside it, by session, fractions; not a number
            on a session that it does not have.
        trials: that it stands for; of a sweep whose returns are kept in part, more than one.
    """

    excess: pd.Series
    trials: float = 1.0


@dataclass(frozen=True)
class TrialCount:
    """From how many trials a result was chosen, as the deflated Sharpe ratio asks for them.

    Attributes:
        trials: that were counted, and those that a user stated beyond them; from 1.
        effective: so many independent ones; from 1 to `trials`.
        correlation: mean of the correlations between them, fraction from 0 to 1; None for fewer than two.
        sharpe_variance: sample variance of their Sharpe ratios over the static mix, a session, not a year; None for
            fewer than two that have one.
    """

    trials: int
    effective: float
    correlation: float | None
    sharpe_variance: float | None

    def stated(self, trials: int) -> "TrialCount":
        """The count of a user who knows of more trials than were counted; each of those counts as independent.

        Raises:
            InputError: fewer than were counted, or more than `MOST_STATED`.
        """
        if isinstance(trials, bool) or not isinstance(trials, int) or trials < self.trials:
            raise InputError(
                f"got {trials!r} trials, wanted at least the {self.trials:,} that were counted; nothing is forgotten"
            )
        if trials > MOST_STATED:
            raise InputError(f"got {len(str(trials))} digits of trials, wanted at most {MOST_STATED:,}")
        return replace(self, trials=trials, effective=self.effective + trials - self.trials)


def count_trials(tried: Sequence[Tried]) -> TrialCount:
    """Count trials, and as how many independent ones they do.

    The effective number is that of Bailey and López de Prado (2014, "The deflated Sharpe ratio", Journal of Portfolio
    Management 40, appendix): r + (1 - r) n of n trials whose correlations have the mean r. A mean below 0 counts as 0.
    Trials are correlated by what they earn over the static mix, for that is what is judged: what all of them hold
    anyway makes no two of them alike.

    Args:
        tried: each series once; none: one trial.
    """
    trials = max(math.fsum(each.trials for each in tried), 1.0)
    kept = list(tried) if len(tried) <= MOST else [tried[at] for at in np.linspace(0, len(tried) - 1, MOST).astype(int)]
    weights = np.array([each.trials for each in kept])
    correlation = _mean_correlation(kept, weights) if len(kept) > 1 else None
    effective = trials if correlation is None else correlation + (1.0 - correlation) * trials
    return TrialCount(round(trials), max(effective, 1.0), correlation, _variance(kept, weights))


def _mean_correlation(tried: Sequence[Tried], weights: np.ndarray) -> float:
    """Mean over all pairs of different series, by the trials that they stand for; at least 0."""
    pairs = np.outer(weights, weights)
    np.fill_diagonal(pairs, 0.0)
    return float(np.clip(np.average(correlations([each.excess for each in tried]), weights=pairs), 0.0, 1.0))


def correlations(series: Sequence[pd.Series]) -> np.ndarray:
    """Correlations of series on the sessions that each pair has in common.

    Args:
        series: by session.

    Returns:
        A square; 0 for a pair with fewer than `COMMON` such sessions, or in which one never moves on them.
    """
    table = pd.concat(list(series), axis=1, sort=True).to_numpy(dtype="float64")
    there = np.isfinite(table).astype("float64")
    # Near 0 each, so that differences of sums lose nothing.
    values = np.where(there > 0, table - np.nanmean(np.where(there > 0, table, np.nan), axis=0), 0.0)
    count = there.T @ there
    with np.errstate(divide="ignore", invalid="ignore"):
        sums = values.T @ there
        squares = (values**2).T @ there - sums**2 / count
        products = values.T @ values - sums * sums.T / count
        found = products / np.sqrt(squares * squares.T)
    moves = np.sqrt(np.maximum(squares, 0.0) / np.maximum(count, 1.0)) > ROUNDING
    return np.where((count >= COMMON) & moves & moves.T, np.clip(found, -1.0, 1.0), 0.0)


def _variance(tried: Sequence[Tried], weights: np.ndarray) -> float | None:
    ratios = np.array([_ratio(each.excess.to_numpy(dtype="float64")) for each in tried])
    has_one = np.isfinite(ratios)
    ratios, weights = ratios[has_one], weights[has_one]
    if len(ratios) < 2:
        return None
    mean = np.average(ratios, weights=weights)
    return float(np.sum(weights * (ratios - mean) ** 2) / (np.sum(weights) - 1.0))


def _ratio(excess: np.ndarray) -> float:
    """Sharpe ratio a session, of those that there are; not a number where there is none."""
    excess = excess[np.isfinite(excess)]
    if len(excess) < 2:
        return math.nan
    deviation = float(np.std(excess, ddof=1))
    return float(np.mean(excess)) / deviation if deviation > ROUNDING else math.nan
