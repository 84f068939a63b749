"""The regime as a forecast of rise or fall: its hit rate, its balanced accuracy, and what moved moments have of it."""

from typing import NamedTuple

import numpy as np

from signals.regime import Regime

Array = np.ndarray


class Hits(NamedTuple):
    """How often a call of rise or fall was right.

    Attributes:
        calls: decisions with a call and a return that is not 0.
        hit_rate: share of the calls that were right; NaN without any.
        balanced_accuracy: mean of the share of the rises that were called and of the falls that were; 0.5 is chance,
            however often prices rise. NaN where all rose, or all fell.
        p_value: share of all moments to which the calls could be moved, round the sample, at which they are as good;
            NaN likewise.
    """

    calls: int
    hit_rate: float
    balanced_accuracy: float
    p_value: float


def calls_of(regime: Array, sign: int) -> Array:
    """What a regime says of a leg: +1 it rises, -1 it falls, 0 nothing.

    Args:
        regime: (n,) names of `signals.regime.Regime`.
        sign: of the leg while money is scarce, as the thesis has it.
    """
    calls: Array = sign * ((regime == Regime.SCARCE).astype(int) - (regime == Regime.ABUNDANT).astype(int))
    return calls


def hits(calls: Array, returns: Array, moved: bool = True) -> Hits:
    """Compare calls with the returns that followed.

    Args:
        calls: (n,) +1, -1 or 0, which is no call.
        returns: (n,); NaN and 0 are left out.
        moved: whether to try all moments.
    """
    happened = np.where(np.isfinite(returns), np.sign(returns), 0.0)
    says = {side: (calls == side).astype(float) for side in (1, -1)}
    does = {side: (happened == side).astype(float) for side in (1, -1)}
    # counts[said, done] by the number of sessions by which the calls are moved.
    turn = _counts if moved else _count
    counts = {(said, done): turn(says[said], does[done]) for said in (1, -1) for done in (1, -1)}
    right = counts[1, 1] + counts[-1, -1]
    rises, falls = (counts[1, done] + counts[-1, done] for done in (1, -1))
    number = rises + falls
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = right / number
        balanced = (counts[1, 1] / rises + counts[-1, -1] / falls) / 2
    tried = balanced[np.isfinite(balanced)]
    told = moved and np.isfinite(balanced[0])
    p_value = float((tried >= balanced[0] - 1e-12).mean()) if told else np.nan
    return Hits(int(number[0]), float(rate[0]), float(balanced[0]), p_value)


def _counts(calls: Array, happened: Array) -> Array:
    """How often both are 1, with the calls moved round by 0, 1, ... n - 1 sessions."""
    size = len(calls)
    if size == 0:
        return np.zeros(1)
    product = np.conj(np.fft.rfft(calls)) * np.fft.rfft(happened)
    counts: Array = np.round(np.fft.irfft(product, size))
    return counts


def _count(calls: Array, happened: Array) -> Array:
    return np.array([(calls * happened).sum()])
