"""Random numbers of the simulated market: one stream for every purpose, so that one more asset changes no other."""

import zlib

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def generator(seed: int, *purpose: str) -> np.random.Generator:
    """Return the stream of one purpose: the same seed and words give the same numbers, other words independent ones."""
    words = [zlib.crc32(word.encode()) for word in purpose]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words])))


def heavy_tailed(stream: np.random.Generator, size: int, tail: float, limit: float) -> Array:
    """Symmetric noise with mean 0 and about unit deviation, cut at `limit`.

    Args:
        stream: to draw from.
        size: how many, n.
        tail: degrees of freedom of Student's t, above 2.
        limit: in deviations.

    Returns:
        Shape (n,).
    """
    scaled = stream.standard_t(tail, size) * np.sqrt((tail - 2) / tail)
    return np.asarray(np.clip(scaled, -limit, limit))
