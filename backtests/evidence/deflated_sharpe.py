"""The best of many trials: how high a Sharpe ratio luck alone would have found, and whether one is above it.

Bailey and López de Prado (2012), "The Sharpe ratio efficient frontier", Journal of Risk 15; (2014), "The deflated
Sharpe ratio", Journal of Portfolio Management 40. Ratios are those of a session here, never of a year.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from backtests.measures.performance import ROUNDING
from data.errors import InputError

EULER = 0.5772156649015329
CONFIDENCE = 0.95
MINIMUM_SESSIONS = 100

_NORMAL = NormalDist()


@dataclass(frozen=True)
class DeflatedSharpe:
    """A Sharpe ratio against the best that luck would have found among as many trials.

    Attributes:
        probability: that the true ratio is above 0, the trials taken into account; from 0 to 1.
        sharpe: of the returns, a session.
        bar: that the best of the trials would reach without any skill, a session; 0 for a single one.
        trials: how many independent ones were reckoned with.
        spread: standard deviation of the trials' ratios, a session.
    """

    probability: float
    sharpe: float
    bar: float
    trials: float
    spread: float

    @property
    def is_above(self) -> bool:
        """Whether the probability is 95% or more."""
        return self.probability >= CONFIDENCE


def expected_best(trials: float, spread: float) -> float:
    """The Sharpe ratio that the best of independent trials reaches where the true one of all is 0.

    Args:
        trials: from 1; of one trial it is 0.
        spread: standard deviation of their Sharpe ratios.
    """
    if trials <= 1:
        return 0.0
    first, second = (-_NORMAL.inv_cdf(1 / (trials * each)) for each in (1.0, math.e))
    # Between one and two trials the formula, which is one of extreme values, falls below 0.
    return max(0.0, spread * ((1 - EULER) * first + EULER * second))


def probabilistic_sharpe(excess: np.ndarray, bar: float) -> float:
    """The probability that the true Sharpe ratio is above a bar, skewness and kurtosis allowed for.

    Args:
        excess: (n,) returns over what they are compared with; at least three, not all the same.
        bar: a session.

    Raises:
        InputError: returns so skewed that the ratio has no standard error.
    """
    ratio = sharpe_of(excess)
    deviations = excess - excess.mean()
    scale = math.sqrt(float((deviations**2).mean()))
    skewness, kurtosis = (float((deviations**power).mean()) / scale**power for power in (3, 4))
    variance = 1 - skewness * ratio + (kurtosis - 1) / 4 * ratio**2
    if not variance > 0:
        raise InputError(
            f"got returns with a skewness of {skewness:.1f} at a Sharpe ratio of {ratio:.2f} a session, wanted such as "
            "have a standard error"
        )
    return _NORMAL.cdf((ratio - bar) * math.sqrt(len(excess) - 1) / math.sqrt(variance))


def deflated_sharpe(excess: np.ndarray, trials: float, spread: float | None = None) -> DeflatedSharpe:
    """Hold a Sharpe ratio against the best that luck would have found.

    Args:
        excess: (n,) returns over what they are compared with.
        trials: independent ones, from 1.
        spread: standard deviation of their Sharpe ratios, a session. None: that of unrelated trials without any skill
            over as many sessions, 1 over the root of n.

    Raises:
        InputError: too few sessions, no number, returns that never move, less than one trial.
    """
    if len(excess) < MINIMUM_SESSIONS:
        raise InputError(
            f"got {len(excess)} sessions of returns, wanted at least {MINIMUM_SESSIONS}; take a longer run"
        )
    if not np.isfinite(excess).all():
        raise InputError("got a missing or infinite return, wanted a number for every session")
    if np.ptp(excess) < ROUNDING:
        raise InputError("got returns that never move over what they are compared with: they have no Sharpe ratio")
    if not trials >= 1:
        raise InputError(f"got {trials} trials, wanted 1 or more")
    width = 1 / math.sqrt(len(excess)) if spread is None else spread
    bar = expected_best(trials, width)
    return DeflatedSharpe(probabilistic_sharpe(excess, bar), sharpe_of(excess), bar, float(trials), width)


def sharpe_of(excess: np.ndarray) -> float:
    """Mean over sample standard deviation, a session."""
    return float(excess.mean() / excess.std(ddof=1))
