"""The stationary bootstrap: sessions are drawn in blocks, which keeps how a session hangs on those before it.

Politis and Romano (1994), The Stationary Bootstrap, Journal of the American Statistical Association 89. A resample is
never laid out session by session: what is wanted of it are sums, and the sum of a block is a difference of two running
sums.
"""

import math
from dataclasses import dataclass

import numpy as np

# Resamples at a time: so much of their sums fits the processor's cache.
_CHUNK = 50


@dataclass(frozen=True)
class Blocks:
    """Resamples of n sessions in blocks; a block that passes the last session goes on at the first.

    Attributes:
        starts: (resamples, m) place of the first session of each block, from 0 to n - 1.
        lengths: (resamples, m) sessions of each block, from 0; those of a resample add up to n.
    """

    starts: np.ndarray
    lengths: np.ndarray


def draw_blocks(sessions: int, block_sessions: int, resamples: int, seed: int) -> Blocks:
    """Draw blocks of geometric lengths, each from a session that is as likely as any other.

    Args:
        sessions: n, from 1.
        block_sessions: mean length, from 1.
        resamples: from 1.
        seed: the same one draws the same blocks.
    """
    random = np.random.default_rng(seed)
    expected = sessions / block_sessions
    count = min(sessions, int(expected + 6.0 * math.sqrt(expected)) + 10)
    lengths = np.zeros((resamples, 0), dtype=np.int64)
    while not lengths.size or lengths.sum(axis=1).min() < sessions:
        lengths = np.hstack([lengths, _geometric(random.random((resamples, count)), block_sessions)])
    ends = np.minimum(lengths.cumsum(axis=1), sessions)
    return Blocks(random.integers(0, sessions, ends.shape), np.diff(ends, axis=1, prepend=0))


def resampled_moments(values: np.ndarray, blocks: Blocks) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sample standard deviation of each column in each resample.

    Args:
        values: (n, k) finite numbers; a column's mean is small beside its deviation, as that of daily returns is.
        blocks: resamples of n sessions.

    Returns:
        Two arrays of shape (resamples, k).
    """
    sessions, columns = values.shape
    both = np.hstack([values, values * values])
    running = np.vstack([np.zeros(2 * columns), np.cumsum(np.vstack([both, both]), axis=0)])
    ends = blocks.starts + blocks.lengths
    sums = np.vstack(
        [
            (running[ends[at : at + _CHUNK]] - running[blocks.starts[at : at + _CHUNK]]).sum(axis=1)
            for at in range(0, len(ends), _CHUNK)
        ]
    )
    means = sums[:, :columns] / sessions
    variances = (sums[:, columns:] - sums[:, :columns] * means) / (sessions - 1)
    return means, np.sqrt(np.maximum(variances, 0.0))


def block_length(values: np.ndarray) -> float:
    """The mean length of blocks that suits a series, in sessions, from 1.

    Politis and White (2004), Automatic Block-Length Selection for the Dependent Bootstrap, as corrected by Patton,
    Politis and White (2009), Econometric Reviews 28: twice as many lags as have an autocorrelation that is not noise
    are weighted down to 0, and the length grows with what they say of the spectrum at 0.

    Args:
        values: (n,) finite numbers that are not all the same, 100 of them or more.
    """
    count = len(values)
    deviations = values - values.mean()
    quiet = max(5, int(math.log10(count)))
    most = math.ceil(math.sqrt(count)) + quiet
    products = np.array([deviations[lag:] @ deviations[: count - lag] for lag in range(most + 1)])
    sizes = np.array(
        [math.sqrt((a := deviations[lag + 1 :]) @ a * ((b := deviations[: -lag - 1]) @ b)) for lag in range(most + 1)]
    )
    is_noise = np.abs(products) / sizes < 2.0 * math.sqrt(math.log10(count) / count)
    runs = [lag for lag in range(most + 1 - quiet) if is_noise[lag : lag + quiet].all()]
    lags = min(2 * max(runs[0], 1), most) if runs else most
    lag = np.arange(1, lags + 1)
    weights = np.where(lag / lags <= 0.5, 1.0, 2.0 * (1.0 - lag / lags))
    covariances = products / count
    slope = float((2.0 * weights * lag * covariances[1 : lags + 1]).sum())
    spectrum = float(covariances[0] + (2.0 * weights * covariances[1 : lags + 1]).sum())
    length = float((slope**2 / spectrum**2 * count) ** (1 / 3))
    return max(1.0, min(length, math.ceil(min(3.0 * math.sqrt(count), count / 3))))


def _geometric(uniform: np.ndarray, mean: int) -> np.ndarray:
    """Lengths from 1 on, of which each session is the last with the same chance."""
    if mean == 1:
        return np.ones(uniform.shape, dtype=np.int64)
    lengths: np.ndarray = 1 + np.floor(np.log1p(-uniform) / math.log1p(-1.0 / mean)).astype(np.int64)
    return lengths
