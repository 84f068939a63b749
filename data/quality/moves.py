"""How far a value moves from one day to the next, what is usual, and what stands alone."""

import math

import numpy as np
import pandas as pd

# Robust deviations of daily moves beyond which one is told; in 38 instruments over 20 years some twenty are.
OUTLIER_DEVIATIONS = 15.0
_DEVIATION_OF_MEDIAN = 1.4826  # of a normal variable, over its median size
FAR = OUTLIER_DEVIATIONS * _DEVIATION_OF_MEDIAN
SPIKE = math.log(1.2)  # what a move that stands alone has to come to where nothing says what is usual
_YEAR, _QUARTER, _LEAST = 252, 63, 60
_AROUND = 5  # days on either side of a move, with which it is compared, and within which a fault ends


def log_moves(bars: pd.DataFrame) -> np.ndarray:
    """The move of the adjusted close of each bar of one instrument from the bar before, as a logarithm; NaN first."""
    closes = np.log(bars["adj_close"].to_numpy())
    return np.diff(closes, prepend=np.nan)


def usual_moves(moves: np.ndarray) -> np.ndarray:
    """The median size of the moves of the year before, of the same shape; NaN where there are too few of them.

    Every 63 days it is taken anew, so that it costs little and knows no later move. The first move is none, but NaN.
    """
    sizes = np.abs(moves)
    starts = np.arange(0, len(sizes), _QUARTER)
    medians = np.full(len(starts), np.nan)
    whole = starts > _YEAR
    if whole.any():
        windows = np.lib.stride_tricks.sliding_window_view(sizes, _YEAR)
        medians[whole] = np.median(windows[starts[whole] - _YEAR], axis=1)
    for place in np.flatnonzero(~whole & (starts > _LEAST)).tolist():
        ordered = np.sort(sizes[1 : starts[place]])  # a tenth of the time of np.median on so few
        medians[place] = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    return np.repeat(medians, _QUARTER)[: len(sizes)]


def taken_back(moves: np.ndarray, bound: np.ndarray) -> np.ndarray:
    """The places of moves beyond a bound that one of the few after takes back by as much; `alone` judges them.

    Args:
        moves: n of them, NaN where there is none.
        bound: (n,) of their sizes.
    """
    far = np.abs(moves) > bound
    found = np.zeros(len(moves), dtype=bool)
    for steps in range(1, _AROUND + 1):
        back, move = moves[steps:], moves[:-steps]
        found[:-steps] |= far[:-steps] & (back * move < 0) & (np.abs(back) > bound[:-steps])
    return np.flatnonzero(found)


def alone(moves: np.ndarray, place: int) -> float:
    """What of a move one of the few days after takes back, beyond the largest of the moves around the two.

    A wrong price stands alone so, for a day or some. In a panic days as large stand around, and what comes with news
    stays; the last move of all can be either.
    """
    move = float(moves[place])
    if place + 1 == len(moves):
        return max(abs(move) - _largest(moves[max(place - _AROUND, 0) : place]), 0.0)
    found = 0.0
    for back in range(place + 1, min(place + 1 + _AROUND, len(moves))):
        if move * moves[back] < 0:
            others = np.delete(moves[max(place - _AROUND, 0) : back + 1 + _AROUND], _within(place, back))
            found = max(found, min(abs(move), abs(float(moves[back]))) - _largest(others))
    return found


def _within(place: int, back: int) -> list[int]:
    """The places of both moves in the stretch that begins before the first."""
    first = max(place - _AROUND, 0)
    return [place - first, back - first]


def _largest(moves: np.ndarray) -> float:
    return float(np.nanmax(np.abs(moves), initial=0.0))
