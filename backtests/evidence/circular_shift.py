"""Is it timing: the weights as they were, moved round the run, against all other moments at which they might have come.

A shift keeps what was held, how long each stay was and what it cost, and destroys only when it came. Where the weights
know nothing of the returns, and the returns are as likely in any order of beginning, each of the n shifts is as good as
the one that was lived: the test is exact. So all shifts count, the small ones too, which look like the truth; to leave
them out would find timing too often.
"""

import math
from dataclasses import dataclass

import numpy as np

from backtests.measures.performance import ROUNDING, SESSIONS_PER_YEAR
from data.errors import InputError

MINIMUM_SESSIONS = 100
# Numbers of shifts times sessions at a time: it fits the processor's cache.
_AT_A_TIME = 500_000


@dataclass(frozen=True)
class Timing:
    """Where the weights as they came stand among all of their shifts.

    Attributes:
        p_value: share of the shifts, the one that was lived among them, whose Sharpe ratio is as high.
        sharpe: of the weights as they came, a year, by these simple returns.
        median: of all shifts.
        shifts: their number, that of the sessions.
    """

    p_value: float
    sharpe: float
    median: float
    shifts: int


def circular_shift(weights: np.ndarray, returns: np.ndarray, costs: np.ndarray, risk_free: np.ndarray) -> Timing:
    """Move weights and their costs round the run by every number of sessions.

    Args:
        weights: (n, k) held when each session begins, fractions of the wealth; what is left to 1 is cash, at nothing.
        returns: (n, k) of what is weighted, in each session.
        costs: (n,) of trading in each session, a fraction of the wealth; they move with the weights.
        risk_free: (n,) in each session; it stays where it is, as the returns do.

    Raises:
        InputError: too few sessions, a missing or infinite number, weights that never earn anything.
    """
    count = len(returns)
    if count < MINIMUM_SESSIONS:
        raise InputError(f"got {count} sessions of weights, wanted at least {MINIMUM_SESSIONS}; take a longer run")
    if not all(np.isfinite(each).all() for each in (weights, returns, costs, risk_free)):
        raise InputError("got a missing or infinite weight, return or cost, wanted a number for every session")
    # Of shift s, session t holds what was held at t - s.
    twice, paid = np.vstack([weights, weights]), np.concatenate([costs, costs])
    held = np.lib.stride_tricks.sliding_window_view(twice, count, axis=0)
    spent = np.lib.stride_tricks.sliding_window_view(paid, count)
    ratios = np.empty(count)
    step = max(1, _AT_A_TIME // count)
    for begin in range(0, count, step):
        shifts = np.arange(begin, min(begin + step, count))
        starts = count - shifts
        earned = np.einsum("skt,tk->st", held[starts], returns) - spent[starts] - risk_free
        deviation = earned.std(axis=1, ddof=1)
        ratios[shifts] = np.divide(
            earned.mean(axis=1), deviation, out=np.full(len(shifts), np.nan), where=deviation > ROUNDING
        )
    if not np.isfinite(ratios).all():
        raise InputError("got weights that never move over the risk-free return: they have no Sharpe ratio to compare")
    # Shifts of weights that never change are one and the same but for rounding.
    as_high = ratios >= ratios[0] - ROUNDING
    year = math.sqrt(SESSIONS_PER_YEAR)
    return Timing(float(as_high.mean()), float(ratios[0] * year), float(np.median(ratios) * year), count)
