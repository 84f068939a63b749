"""How sure a difference of two Sharpe ratios is: an interval by the stationary bootstrap.

Two variants of one strategy hold the same things most of the time. So their sessions are drawn in pairs, which keeps
what they have in common, and in blocks, which keeps how a session hangs on those before it (Politis and Romano, 1994,
The Stationary Bootstrap, Journal of the American Statistical Association 89).
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.measures.performance import SESSIONS_PER_YEAR
from data.errors import InputError

CONFIDENCE = 0.95
RESAMPLES = 5_000
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
    """Measure how much higher one Sharpe ratio is than another, and how sure that is.

    The interval holds the middle 95% of the differences of resampled pairs. The mean block length is the longer of the
    two that the rule of Politis and White (2004, corrected 2009) gives for the two series, rounded up. The seed is
    fixed: the same returns give the same interval.

    Args:
        returns: daily, by session, fractions.
        reference: of the same sessions; its Sharpe ratio is what is subtracted.
        risk_free: daily, of the same sessions; both ratios are over it.
        resamples: to draw, from 1.

    Raises:
        InputError: other sessions, too few of them, a missing or infinite value, returns that never move over the
            risk-free one; or the extra `evidence` is not installed.
    """
    _require_arch()
    from arch.bootstrap import StationaryBootstrap, optimal_block_length

    pairs = _excess_pairs(returns, reference, risk_free)
    block = math.ceil(max(1.0, optimal_block_length(pairs)["stationary"].max()))
    bootstrap = StationaryBootstrap(block, pairs, seed=SEED)
    low, high = bootstrap.conf_int(_difference, resamples, method="percentile", size=CONFIDENCE).ravel()
    return SharpeDifference(float(_difference(pairs)[0]), float(low), float(high), block)


def _difference(pairs: np.ndarray) -> np.ndarray:
    """The difference of the Sharpe ratios of two columns of excess returns, shape (1,)."""
    own, other = pairs.mean(axis=0) / pairs.std(axis=0, ddof=1) * math.sqrt(SESSIONS_PER_YEAR)
    return np.array([own - other])


def _excess_pairs(returns: pd.Series, reference: pd.Series, risk_free: pd.Series) -> np.ndarray:
    for name, series in (("reference", reference), ("risk_free", risk_free)):
        if not series.index.equals(returns.index):
            raise InputError(
                f"{name}: got {len(series)} sessions, wanted the {len(returns)} of the returns; align them first"
            )
    if len(returns) < MINIMUM_SESSIONS:
        raise InputError(
            f"got {len(returns)} sessions of returns, wanted at least {MINIMUM_SESSIONS}; take a longer run"
        )
    pairs = np.column_stack([(each - risk_free).to_numpy(dtype="float64") for each in (returns, reference)])
    if not np.isfinite(pairs).all():
        raise InputError("got a missing or infinite return, wanted a number for every session of all three")
    if (np.ptp(pairs, axis=0) < 1e-12).any():
        raise InputError("got returns that never move over the risk-free one: they have no Sharpe ratio to compare")
    return pairs


def _require_arch() -> None:
    try:
        import arch  # noqa: F401
    except ImportError:
        raise InputError(
            "intervals need arch, which is not installed; install it by: pip install 'reverse-qe[evidence]'"
        ) from None
