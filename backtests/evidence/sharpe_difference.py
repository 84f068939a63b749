"""How sure a difference of two Sharpe ratios is: an interval by the stationary bootstrap.

Two variants of one strategy hold the same things most of the time. So their sessions are drawn in pairs, which keeps
what they have in common, and in blocks.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.evidence.bootstrap import block_length, draw_blocks, resampled_moments
from backtests.measures.performance import ROUNDING, SESSIONS_PER_YEAR
from data.errors import InputError

CONFIDENCE = 0.95
TAILS = (100 * (1 - CONFIDENCE) / 2, 100 * (1 + CONFIDENCE) / 2)
RESAMPLES = 2_000
SEED = 20_240_101
MINIMUM_SESSIONS = 100


@dataclass(frozen=True)
class SharpeDifference:
    """The Sharpe ratio of one series of returns less that of another, a year.

    Attributes:
        value: of the sessions as they were.
        low: lower bound of its interval of 95%.
        high: upper bound of it.
        block_sessions: mean length of the blocks that were drawn, sessions.
    """

    value: float
    low: float
    high: float
    block_sessions: int

    @property
    def excludes_zero(self) -> bool:
        """Whether both bounds lie on one side of 0."""
        return self.low > 0 or self.high < 0


def sharpe_difference(
    returns: pd.Series, reference: pd.Series, risk_free: pd.Series, resamples: int = RESAMPLES
) -> SharpeDifference:
    """Measure how much higher one Sharpe ratio is than another, and how sure that is; see `sharpe_differences`."""
    return sharpe_differences(returns, reference.to_frame("reference"), risk_free, resamples)["reference"]


def sharpe_differences(
    returns: pd.Series, references: pd.DataFrame, risk_free: pd.Series, resamples: int = RESAMPLES
) -> dict[str, SharpeDifference]:
    """Measure how much higher a Sharpe ratio is than each of some others, and how sure that is.

    An interval holds the middle 95% of the differences of resampled pairs. The mean block length is the longest that
    the rule of Politis and White gives for one of the series, rounded up. The seed is fixed: the same returns give the
    same intervals, and all references are drawn in the same sessions.

    Args:
        returns: daily, by session, fractions.
        references: of the same sessions, a column each; their Sharpe ratios are what is subtracted.
        risk_free: daily, of the same sessions; all ratios are over it.
        resamples: to draw, from 1.

    Raises:
        InputError: other sessions, too few of them, a missing or infinite value, returns that never move over the
            risk-free one.
    """
    excess = _excess(returns, references, risk_free)
    block = math.ceil(max(block_length(column) for column in excess.T))
    ratios = excess.mean(axis=0) / excess.std(axis=0, ddof=1)
    means, deviations = resampled_moments(excess, draw_blocks(len(excess), block, resamples, SEED))
    with np.errstate(divide="ignore", invalid="ignore"):  # a resample that never moves has no ratio
        drawn = means / deviations
    found = {}
    for place, name in enumerate(references, start=1):
        differences = (drawn[:, 0] - drawn[:, place]) * math.sqrt(SESSIONS_PER_YEAR)
        low, high = np.nanpercentile(differences, TAILS)
        value = (ratios[0] - ratios[place]) * math.sqrt(SESSIONS_PER_YEAR)
        found[str(name)] = SharpeDifference(float(value), float(low), float(high), block)
    return found


def _excess(returns: pd.Series, references: pd.DataFrame, risk_free: pd.Series) -> np.ndarray:
    """Returns over the risk-free one: the first column those of the strategy, then the references'."""
    for name, table in (("reference", references), ("risk_free", risk_free)):
        if not table.index.equals(returns.index):
            raise InputError(
                f"{name}: got {len(table)} sessions, wanted the {len(returns)} of the returns; align them first"
            )
    if len(returns) < MINIMUM_SESSIONS:
        raise InputError(
            f"got {len(returns)} sessions of returns, wanted at least {MINIMUM_SESSIONS}; take a longer run"
        )
    columns = np.column_stack([returns.to_numpy(dtype="float64"), references.to_numpy(dtype="float64")])
    excess: np.ndarray = columns - risk_free.to_numpy(dtype="float64")[:, np.newaxis]
    if not np.isfinite(excess).all():
        raise InputError("got a missing or infinite return, wanted a number for every session of all of them")
    if (np.ptp(excess, axis=0) < ROUNDING).any():
        raise InputError("got returns that never move over the risk-free one: they have no Sharpe ratio to compare")
    return excess
