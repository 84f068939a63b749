"""Trailing windows and exponential smoothing of columns of numbers, row by row from the past.

A window is summed from two parts, the end of one stretch of rows and the beginning of the next, and never by taking off
what has left it: nothing is lost to rounding, and a row depends on no later one to the last bit. NaN counts as absent.
"""

from bisect import bisect_left, insort
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

Array = np.ndarray

# Rows that are carried on at once, and the power of two by which the first of them may be raised.
_STRETCH, _EXPONENT = 64, 400


class Moments(NamedTuple):
    """What trailing windows hold, each of shape (rows, columns).

    Attributes:
        counts: of values.
        mean: of them; NaN where there is none.
        deviation: their standard deviation, ddof 1; NaN where there are fewer than two.
    """

    counts: Array
    mean: Array
    deviation: Array


def trailing_moments(values: Array, window: int) -> Moments:
    """Measure mean and standard deviation of the newest `window` rows, the current one included.

    Args:
        values: (rows, columns).
        window: rows, from 1.
    """
    blocks, rows = _in_blocks(values, window)
    present = ~np.isnan(blocks)
    near = _reference(blocks, present)
    counts = _trailing(present.astype(float), present[:-1].astype(float), rows)
    # Less what the stretch before is near to: the squares of what is left are of the size of the deviation.
    here = np.where(present, blocks - near[:, None], 0.0)
    before = np.where(present[:-1], blocks[:-1] - near[1:, None], 0.0)
    sums = _trailing(here, before, rows)
    squares = _trailing(here * here, before * before, rows)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = sums / counts
        variance = np.maximum(squares - sums * mean, 0.0) / (counts - 1)
    nearest = np.repeat(near, window, axis=0)[:rows]
    deviation = np.where(counts > 1, np.sqrt(np.where(counts > 1, variance, 0.0)), np.nan)
    return Moments(counts, np.where(counts > 0, nearest + mean, np.nan), deviation)


def trailing_range(values: Array, window: int) -> Array:
    """Measure the largest less the smallest of the newest `window` rows; NaN where there is no value."""
    blocks, rows = _in_blocks(values, window)
    high = _trailing_extreme(blocks, rows, np.fmax)
    low = _trailing_extreme(blocks, rows, np.fmin)
    spread: Array = high - low
    return spread


def trailing_root_mean_square(values: Array, window: int, least: int) -> Array:
    """Measure the root of the mean square of the newest `window` rows; NaN with fewer than `least` values."""
    blocks, rows = _in_blocks(values, window)
    present = ~np.isnan(blocks)
    squares = np.where(present, blocks * blocks, 0.0)
    counts = _trailing(present.astype(float), present[:-1].astype(float), rows)
    sums = _trailing(squares, squares[:-1], rows)
    root: Array = np.sqrt(np.where(counts >= least, sums, np.nan) / np.maximum(counts, 1.0))
    return root


def trailing_median(values: Array, window: int, least: int) -> Array:
    """Find the median of the newest `window` rows; NaN with fewer than `least` values.

    Args:
        values: (rows,).
        window: rows, from 1.
        least: values that a window needs, from 1.
    """
    rows: list[float] = values.tolist()
    present: list[bool] = (~np.isnan(values)).tolist()
    medians = [np.nan] * len(rows)
    held: list[float] = []
    count = 0
    for row, value in enumerate(rows):
        if row >= window and present[row - window]:
            del held[bisect_left(held, rows[row - window])]
            count -= 1
        if present[row]:
            insort(held, value)
            count += 1
        if count >= least:
            middle = count >> 1
            medians[row] = held[middle] if count & 1 else (held[middle - 1] + held[middle]) / 2
    return np.array(medians)


def smooth(values: Array, half_life: float) -> Array:
    """Smooth each column exponentially, from the first row on: s = a x + (1 - a) s before.

    Args:
        values: (rows, columns), no NaN.
        half_life: rows after which a value counts half, above 0.
    """
    keep = 0.5 ** (1 / half_life)
    return _decaying((1 - keep) * values, keep, values[:1])


def fading_total(arrived: Array, half_life: float) -> Array:
    """Add up what is left of all that has arrived, when it halves in `half_life` rows.

    Args:
        arrived: (rows,), no NaN.
        half_life: rows, above 0.
    """
    return _decaying(arrived[:, None], 0.5 ** (1 / half_life), np.zeros((1, 1)))[:, 0]


class Windows(NamedTuple):
    """What measures trailing windows and smooths; `PLAIN` are the functions above, and compiled ones give the same.

    Attributes:
        moments: see `trailing_moments`.
        spread: see `trailing_range`.
        root_mean_square: see `trailing_root_mean_square`.
        median: see `trailing_median`.
        smooth: see `smooth`.
    """

    moments: Callable[[Array, int], Moments]
    spread: Callable[[Array, int], Array]
    root_mean_square: Callable[[Array, int, int], Array]
    median: Callable[[Array, int, int], Array]
    smooth: Callable[[Array, float], Array]


PLAIN = Windows(trailing_moments, trailing_range, trailing_root_mean_square, trailing_median, smooth)


def kept_powers(keep: float) -> Array:
    """What is left of a row after one row, two, ..., for as many rows as are carried on at once.

    Args:
        keep: what is left after one, from 0 up to 1.
    """
    stretch = max(1, min(_STRETCH, int(_EXPONENT / max(-np.log2(keep), 1e-300)))) if keep > 0 else 1
    powers: Array = keep ** np.arange(1, stretch + 1)
    return powers


def _decaying(values: Array, keep: float, begin: Array) -> Array:
    """Carry each row on, kept in part: y = x + keep y before, from `begin` on.

    Stretches of rows are summed at once, each term raised by what it has yet to lose; they are as short as keeps that
    within what a number can hold.
    """
    rows, columns = values.shape
    powers = kept_powers(keep)[:, None]
    stretch = len(powers)
    stretches = -(-rows // stretch)
    filled = np.zeros((stretches * stretch, columns))
    filled[:rows] = values
    raised = np.cumsum(filled.reshape(stretches, stretch, columns) / powers, axis=1) * powers
    before = begin
    for each in raised:
        each += powers * before
        before = each[-1:]
    carried: Array = raised.reshape(-1, columns)[:rows]
    return carried


def _in_blocks(values: Array, window: int) -> tuple[Array, int]:
    """The rows in stretches as long as the window, the last one filled up with NaN: (stretches, window, columns)."""
    rows, columns = values.shape
    stretches = -(-rows // window)
    filled = np.full((stretches * window, columns), np.nan)
    filled[:rows] = values
    return filled.reshape(stretches, window, columns), rows


def _reference(blocks: Array, present: Array) -> Array:
    """A number that each stretch is near to, from rows before it: the last value of the stretch before.

    Of the first stretch it is its first value, and of one that follows on nothing too.
    """
    first = np.take_along_axis(blocks, present.argmax(axis=1)[:, None], axis=1)[:, 0]
    behind = present.shape[1] - 1 - present[:, ::-1].argmax(axis=1)
    last = np.take_along_axis(blocks, behind[:, None], axis=1)[:, 0]
    before = np.concatenate([np.full((min(len(blocks), 1), blocks.shape[2]), np.nan), last[:-1]])
    return np.nan_to_num(np.where(np.isnan(before), first, before))


def _trailing(here: Array, before: Array, rows: int) -> Array:
    """Sums over the newest window of rows.

    Args:
        here: each stretch; zeros where nothing is.
        before: each stretch but the last, as the one after it takes it.
        rows: to give back.
    """
    total = np.cumsum(here, axis=1)
    # Of the stretch before, what lies behind the same place in this one.
    total[1:, :-1] += np.cumsum(before[:, ::-1], axis=1)[:, ::-1][:, 1:]
    summed: Array = total.reshape(-1, here.shape[2])[:rows]
    return summed


def _trailing_extreme(blocks: Array, rows: int, extreme: np.ufunc) -> Array:
    total = extreme.accumulate(blocks, axis=1)
    tails = extreme.accumulate(blocks[:-1, ::-1], axis=1)[:, ::-1]
    total[1:, :-1] = extreme(total[1:, :-1], tails[:, 1:])
    found: Array = total.reshape(-1, blocks.shape[2])[:rows]
    return found
