"""Is the best of many variants better than a benchmark: the test of superior predictive ability, of thousands of them.

Hansen (2005), "A test for superior predictive ability", Journal of Business and Economic Statistics 23. The mean of
each variant in a resample is its returns times how often each session was drawn, so that all resamples are one product
of matrices. `arch.bootstrap.SPA` gives the same on the same resamples, in minutes.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backtests.evidence.bootstrap import Blocks, block_length, draw_blocks
from backtests.measures.performance import ROUNDING

REPLICATIONS = 2_000
SEED = 20_240_101
# Variants at a time: their means in every resample fit into some megabytes.
_AT_A_TIME = 500


@dataclass(frozen=True)
class Superior:
    """How likely the best variant would be so far ahead if none were better than the benchmark.

    Attributes:
        lower: p-value where variants that are behind count as behind: too small where they are not.
        consistent: where those count that are not hopeless. The one to go by.
        upper: where all of them count as equal to the benchmark: that of White's reality check, too large.
        best: number of the variant with the highest mean.
        lead: mean of that variant over the benchmark, a session.
        block_sessions: mean length of the blocks that were drawn.
    """

    lower: float
    consistent: float
    upper: float
    best: int
    lead: float
    block_sessions: int


def superior(
    relative: np.ndarray,
    report: Callable[[int], None] = lambda _done: None,
    replications: int = REPLICATIONS,
    seed: int = SEED,
) -> Superior:
    """Test many variants at once.

    Args:
        relative: (k, n) returns of each variant over the benchmark; finite.
        report: is told how many variants are done.
        replications: resamples.
        seed: of them.
    """
    best = int(np.argmax(relative.mean(axis=1)))
    # A variant that is the benchmark itself has no lags that could say how long a block ought to be.
    block = math.ceil(block_length(relative[best])) if np.ptp(relative[best]) > ROUNDING else 1
    counts = drawn_counts(draw_blocks(relative.shape[1], block, replications, seed), relative.shape[1])
    return superior_of(relative, counts, block, report)


def superior_of(
    relative: np.ndarray, counts: np.ndarray, block_sessions: int, report: Callable[[int], None] = lambda _done: None
) -> Superior:
    """The same over given resamples.

    Args:
        relative: as for `superior`.
        counts: (resamples, n) how often each session was drawn.
        block_sessions: mean length of the blocks.
        report: as for `superior`.
    """
    variants, sessions = relative.shape
    means = relative.mean(axis=1)
    highest = np.full((3, len(counts)), -np.inf)
    limit = -math.sqrt(2.0 * math.log(math.log(sessions)))
    for begin in range(0, variants, _AT_A_TIME):
        part, mean = relative[begin : begin + _AT_A_TIME], means[begin : begin + _AT_A_TIME]
        drawn = part @ counts.T / sessions
        error = np.sqrt(np.maximum(long_run_variance(part, block_sessions), 0.0) / sessions)
        centres = (np.maximum(mean, 0.0), np.where(mean >= limit * error, mean, 0.0), mean)
        for row, centre in enumerate(centres):
            np.maximum(highest[row], (drawn - centre[:, np.newaxis]).max(axis=0), out=highest[row])
        report(min(begin + _AT_A_TIME, variants))
    best = int(np.argmax(means))
    lower, consistent, upper = ((row > means[best]).mean() for row in highest)
    return Superior(float(lower), float(consistent), float(upper), best, float(means[best]), block_sessions)


def drawn_counts(blocks: Blocks, sessions: int) -> np.ndarray:
    """How often each session stands in each resample: (resamples, n), each row adding up to n."""
    resamples = len(blocks.starts)
    width = 2 * sessions + 1
    offsets = width * np.arange(resamples)[:, np.newaxis]
    begun, ended = (
        np.bincount((places + offsets).ravel(), minlength=width * resamples).reshape(resamples, width)
        for places in (blocks.starts, blocks.starts + blocks.lengths)
    )
    drawn = np.cumsum(begun - ended, axis=1, dtype="float64")
    # What passes the last session goes on at the first.
    return np.asarray(drawn[:, :sessions] + drawn[:, sessions : 2 * sessions])


def long_run_variance(values: np.ndarray, block_sessions: int) -> np.ndarray:
    """Variance of the root of n times the mean, as the stationary bootstrap has it on average; of each row.

    Politis and Romano (1994): autocovariances, weighted by how likely two sessions so far apart are drawn together.

    Args:
        values: (k, n).
        block_sessions: mean length of a block.
    """
    count = values.shape[1]
    deviations = values - values.mean(axis=1, keepdims=True)
    # Twice as long, so that nothing goes round.
    spectrum = np.abs(np.fft.rfft(deviations, 2 * count, axis=1)) ** 2
    covariances = np.fft.irfft(spectrum, 2 * count, axis=1)[:, :count] / count
    lag, stay = np.arange(1, count), 1.0 - 1.0 / block_sessions
    weights = (1 - lag / count) * stay**lag + lag / count * stay ** (count - lag)
    variance: np.ndarray = covariances[:, 0] + 2.0 * (covariances[:, 1:] @ weights)
    return variance
