"""What `signals.windows` measures, as loops in the subset of Python that numba compiles.

The sums are taken in the order in which numpy takes them there, so that both give the same bits;
`tests/backtests/test_compiled_windows.py` holds them to it. Nothing here makes an array: the caller brings the room.
"""

import math
import sys

import numpy as np

LARGEST = sys.float_info.max


def moments_in(
    values: np.ndarray, window: int, tails: np.ndarray, counts: np.ndarray, mean: np.ndarray, deviation: np.ndarray
) -> None:
    """Measure trailing moments of each column.

    Args:
        values: (columns, rows); NaN where nothing is.
        window: rows, from 1.
        tails: (3, window + 1), to write on.
        counts: (columns, rows), is written to, as are the next two; see `signals.windows.Moments`.
        mean: as above.
        deviation: as above.
    """
    rows = values.shape[1]
    for column in range(values.shape[0]):
        series = values[column]
        for begin in range(0, rows, window):
            end = min(begin + window, rows)
            near = reference(series, begin, end, window)
            tails[:, window] = 0.0
            for place in range(window - 1, -1, -1):
                value = series[begin - window + place] if begin else math.nan
                is_there = value == value
                value = value - near if is_there else 0.0
                tails[0, place] = tails[0, place + 1] + (1.0 if is_there else 0.0)
                tails[1, place] = tails[1, place + 1] + value
                tails[2, place] = tails[2, place + 1] + value * value
            count = total = squares = 0.0
            for row in range(begin, end):
                value = series[row]
                if value == value:
                    value -= near
                    count += 1.0
                    total += value
                    squares += value * value
                rest = min(row - begin + 1, window)
                held = count + tails[0, rest]
                summed, squared = total + tails[1, rest], squares + tails[2, rest]
                counts[column, row] = held
                mean[column, row] = deviation[column, row] = math.nan
                if held > 0.0:
                    middle = summed / held
                    mean[column, row] = near + middle
                    if held > 1.0:
                        deviation[column, row] = math.sqrt(max(squared - summed * middle, 0.0) / (held - 1.0))


def reference(series: np.ndarray, begin: int, end: int, window: int) -> float:
    """A number that a stretch of rows is near to: see `signals.windows`."""
    for row in range(begin - 1, begin - window - 1 if begin else begin - 1, -1):
        if series[row] == series[row]:
            return min(max(float(series[row]), -LARGEST), LARGEST)
    for row in range(begin, end):
        if series[row] == series[row]:
            return min(max(float(series[row]), -LARGEST), LARGEST)
    return 0.0


def spread_in(values: np.ndarray, window: int, tails: np.ndarray, spread: np.ndarray) -> None:
    """Measure the largest less the smallest of each column's trailing window.

    Args:
        values: (columns, rows); NaN where nothing is.
        window: rows, from 1.
        tails: (2, window + 1), to write on.
        spread: (columns, rows), is written to; NaN where there is no value.
    """
    rows = values.shape[1]
    for column in range(values.shape[0]):
        series = values[column]
        for begin in range(0, rows, window):
            tails[0, window], tails[1, window] = -math.inf, math.inf
            for place in range(window - 1, -1, -1):
                value = series[begin - window + place] if begin else math.nan
                # A comparison with NaN is false: what is not there changes nothing.
                tails[0, place] = value if value > tails[0, place + 1] else tails[0, place + 1]
                tails[1, place] = value if value < tails[1, place + 1] else tails[1, place + 1]
            high, low = -math.inf, math.inf
            for row in range(begin, min(begin + window, rows)):
                value = series[row]
                high = value if value > high else high
                low = value if value < low else low
                rest = row - begin + 1
                top, bottom = max(high, tails[0, rest]), min(low, tails[1, rest])
                spread[column, row] = top - bottom if top >= bottom else math.nan


def root_mean_square_in(values: np.ndarray, window: int, least: int, tails: np.ndarray, root: np.ndarray) -> None:
    """Measure the root of the mean square of each column's trailing window.

    Args:
        values: (columns, rows); NaN where nothing is.
        window: rows, from 1.
        least: values that a window needs.
        tails: (2, window + 1), to write on.
        root: (columns, rows), is written to; NaN with fewer values.
    """
    rows = values.shape[1]
    for column in range(values.shape[0]):
        series = values[column]
        for begin in range(0, rows, window):
            tails[:, window] = 0.0
            for place in range(window - 1, -1, -1):
                value = series[begin - window + place] if begin else math.nan
                is_there = value == value
                tails[0, place] = tails[0, place + 1] + (1.0 if is_there else 0.0)
                tails[1, place] = tails[1, place + 1] + (value * value if is_there else 0.0)
            count = squares = 0.0
            for row in range(begin, min(begin + window, rows)):
                value = series[row]
                if value == value:
                    count += 1.0
                    squares += value * value
                rest = row - begin + 1
                held = count + tails[0, rest]
                enough = held >= least
                root[column, row] = math.sqrt((squares + tails[1, rest]) / max(held, 1.0)) if enough else math.nan


def median_in(
    ordered: np.ndarray, rank: np.ndarray, window: int, least: int, held: np.ndarray, median: np.ndarray
) -> None:
    """Find the median of a trailing window, by a place that moves up and down among all values in order.

    Args:
        ordered: (values,) those that are there, from low to high.
        rank: (rows,) place of each row's value among them; -1 where there is none.
        window: rows, from 1.
        least: values that a window needs, from 1.
        held: (values,) all False, to write on.
        median: (rows,), is written to; NaN with fewer values.
    """
    count = at = below = 0
    for row in range(len(rank)):
        if row >= window and rank[row - window] >= 0:
            gone = rank[row - window]
            held[gone] = False
            count -= 1
            below -= 1 if gone < at else 0
        if rank[row] >= 0:
            held[rank[row]] = True
            count += 1
            below += 1 if rank[row] < at else 0
        if count < least:
            median[row] = math.nan
            continue
        middle = (count - 1) >> 1
        while below > middle:
            at -= 1
            below -= 1 if held[at] else 0
        while below < middle or not held[at]:
            below += 1 if held[at] else 0
            at += 1
        above = at
        if not count & 1:
            above += 1
            while not held[above]:
                above += 1
        median[row] = ordered[at] if above == at else (ordered[at] + ordered[above]) / 2.0


def decay_in(
    values: np.ndarray, powers: np.ndarray, before: np.ndarray, total: np.ndarray, carried: np.ndarray
) -> None:
    """Carry each row on, kept in part; see `signals.windows`.

    Args:
        values: (rows, columns).
        powers: of what is kept of a row, (stretch,): after one row, two, ...
        before: (columns,) what is there before the first row, is written to.
        total: (columns,), to write on.
        carried: (rows, columns), is written to.
    """
    rows, columns = values.shape
    stretch = len(powers)
    for begin in range(0, rows, stretch):
        total[:] = 0.0
        end = min(begin + stretch, rows)
        for row in range(begin, end):
            power = powers[row - begin]
            for column in range(columns):
                total[column] += values[row, column] / power if power > 0.0 else math.nan
                carried[row, column] = total[column] * power + power * before[column]
        for column in range(columns):
            before[column] = carried[end - 1, column]
