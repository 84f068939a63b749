"""Variants at the volatility of a benchmark, by what was known before each session."""

import numpy as np

from backtests.measures.performance import ROUNDING

WINDOW = 252
# No variant is raised further: one that lay in cash for a year has hardly any volatility.
MOST = 5.0
# Variants at a time, so that no more than their returns is held of all.
_AT_A_TIME = 500


def at_equal_volatility(excess: np.ndarray, benchmark: np.ndarray, window: int = WINDOW) -> np.ndarray:
    """Scale returns by the volatilities of the sessions before each, and leave out the first of them.

    Args:
        excess: (k, n) returns over the bill.
        benchmark: (n,) those of the benchmark.
        window: sessions of a volatility.

    Returns:
        (k, n - window) returns over the bill at the benchmark's volatility, at most `MOST` times what they were;
        0 where a variant has not moved.
    """
    wanted = _trailing(benchmark[np.newaxis], window)
    scaled = np.zeros((len(excess), excess.shape[1] - window))
    for begin in range(0, len(excess), _AT_A_TIME):
        part = excess[begin : begin + _AT_A_TIME]
        own = _trailing(part, window)
        scale = np.divide(wanted, own, out=np.zeros_like(own), where=own > ROUNDING)
        np.multiply(np.minimum(scale, MOST), part[:, window:], out=scaled[begin : begin + _AT_A_TIME])
    return scaled


def _trailing(values: np.ndarray, window: int) -> np.ndarray:
    """Standard deviation of the sessions before each from the one after the first window on."""
    centred = values - values.mean(axis=1, keepdims=True)
    zero = np.zeros((len(values), 1))
    sums, squares = (np.hstack([zero, np.cumsum(each, axis=1)]) for each in (centred, centred**2))
    mean, square = ((each[:, window:-1] - each[:, : -window - 1]) / window for each in (sums, squares))
    deviation: np.ndarray = np.sqrt(np.maximum(square - mean**2, 0.0))
    return deviation
