"""The trailing windows of the signal, compiled: in the place of `signals.windows.PLAIN` where many are measured."""

from functools import cache

import numpy as np

from backtests.engines import trailing_loops
from backtests.engines.compiled import compile_functions
from data.files.cache import cache_folder
from signals.windows import Array, Moments, Windows, kept_powers


@cache
def compiled_windows() -> Windows:
    """Return them; each function has the arguments and the answer, to the bit, of the one that it stands for.

    Raises:
        InputError: numba is not installed.
    """
    loops = compile_functions((trailing_loops,), cache_folder() / "compiled")

    def moments(values: Array, window: int) -> Moments:
        columns = np.ascontiguousarray(values.T)
        found = [np.empty_like(columns) for _ in Moments._fields]
        loops.moments_in(columns, window, np.empty((3, window + 1)), *found)
        return Moments._make(each.T for each in found)

    def spread(values: Array, window: int) -> Array:
        columns = np.ascontiguousarray(values.T)
        found = np.empty_like(columns)
        loops.spread_in(columns, window, np.empty((2, window + 1)), found)
        return found.T

    def root_mean_square(values: Array, window: int, least: int) -> Array:
        columns = np.ascontiguousarray(values.T)
        found = np.empty_like(columns)
        loops.root_mean_square_in(columns, window, least, np.empty((2, window + 1)), found)
        return found.T

    def median(values: Array, window: int, least: int) -> Array:
        there = np.flatnonzero(~np.isnan(values))
        order = np.argsort(values[there])
        rank = np.full(len(values), -1)
        rank[there[order]] = np.arange(len(there))
        found = np.empty(len(values))
        ordered = values[there[order]]
        loops.median_in(ordered, rank, window, least, np.zeros(len(there), dtype=bool), found)
        return found

    def smooth(values: Array, half_life: float) -> Array:
        keep = 0.5 ** (1 / half_life)
        fresh = (1 - keep) * values
        carried, (rows, columns) = np.empty(values.shape), values.shape
        before = values[0].copy() if rows else np.zeros(columns)
        loops.decay_in(fresh, kept_powers(keep), before, np.empty(columns), carried)
        return carried

    return Windows(moments, spread, root_mean_square, median, smooth)
