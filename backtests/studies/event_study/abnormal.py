"""Abnormal returns: what the market model, fitted before an event, does not explain of the sessions around it."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

Window = tuple[int, int]
# Of the standard deviation of a return; what a fit leaves below it is rounding, as of the index by itself.
ROUNDING = 1e-9


@dataclass(frozen=True)
class StudyConfig:
    """How a study measures, in sessions from the one in which an event could first be answered.

    Attributes:
        windows: first and last session of each window over which abnormal returns are added up.
        estimation: first and last session of the fit of the market model; it ends before every window.
        least: sessions that the fit must have.
        path: first and last session of the chart.
    """

    windows: tuple[Window, ...] = ((-1, 1), (0, 5))
    estimation: Window = (-250, -30)
    least: int = 100
    path: Window = (-10, 20)

    @property
    def reach(self) -> Window:
        """From the first to the last session that any window, or the chart, holds."""
        spans = [*self.windows, self.path]
        return min(first for first, _ in spans), max(last for _, last in spans)


class Abnormal(NamedTuple):
    """Of k events and m instruments, abnormal returns in event time.

    Attributes:
        around: (k, m, r) over `StudyConfig.reach`; NaN where there is no return, or no fit.
        fitted: (k, m, e) over the estimation window: what the fit leaves; NaN where there is no return, or no fit.
        spread: (k, m) standard deviation of what the fit leaves, with two degrees of freedom taken.
        widened: (k, m, w) by window: variance of the sum of abnormal returns over that of one session, for the fit is
            itself uncertain.
    """

    around: np.ndarray
    fitted: np.ndarray
    spread: np.ndarray
    widened: np.ndarray


def abnormal_returns(returns: np.ndarray, market: np.ndarray, places: np.ndarray, config: StudyConfig) -> Abnormal:
    """Fit the market model before each event and take it from the returns around it.

    Args:
        returns: (n, m) by session; NaN where there is none.
        market: (n,) of the market, on the same sessions.
        places: (k, m) session of each event for each instrument.
        config: windows.
    """
    begin, end = config.estimation
    own, index = _taken(returns, market, places, np.arange(begin, end + 1))
    is_there = ~(np.isnan(own) | np.isnan(index))
    count = is_there.sum(axis=2)
    own, index = np.where(is_there, own, 0.0), np.where(is_there, index, 0.0)
    enough = np.where(count >= max(config.least, 3), count, np.nan)
    mean_own, mean_index = own.sum(axis=2) / enough, index.sum(axis=2) / enough
    apart = np.where(is_there, index - mean_index[..., None], 0.0)
    squares = np.square(apart).sum(axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = np.where(squares > 0, (apart * own).sum(axis=2) / squares, np.nan)
    level = mean_own - slope * mean_index
    fitted = np.where(is_there, own - level[..., None] - slope[..., None] * index, np.nan)
    spread = np.sqrt(np.nansum(np.square(fitted), axis=2) / (enough - 2))
    whole = np.sqrt(np.where(is_there, np.square(own - mean_own[..., None]), 0.0).sum(axis=2) / (enough - 2))
    spread = np.where(spread > ROUNDING * whole, spread, np.nan)
    first, last = config.reach
    own, index = _taken(returns, market, places, np.arange(first, last + 1))
    around = np.where(np.isnan(spread)[..., None], np.nan, own - level[..., None] - slope[..., None] * index)
    widened = np.stack(
        [_widened(index[..., a - first : b + 1 - first], mean_index, squares, enough) for a, b in config.windows],
        axis=2,
    )
    return Abnormal(around, np.where(np.isnan(spread)[..., None], np.nan, fitted), spread, widened)


def _taken(
    returns: np.ndarray, market: np.ndarray, places: np.ndarray, offsets: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns of instruments and market in event time; NaN beyond the ends."""
    rows = places[..., None] + offsets
    is_inside = (rows >= 0) & (rows < len(returns))
    rows = np.clip(rows, 0, len(returns) - 1)
    columns = np.arange(returns.shape[1])[None, :, None]
    return np.where(is_inside, returns[rows, columns], np.nan), np.where(is_inside, market[rows], np.nan)


def _widened(index: np.ndarray, mean: np.ndarray, squares: np.ndarray, count: np.ndarray) -> np.ndarray:
    """L2 + L2^2 / L1 + (sum of the market's returns - L2 its mean)^2 / its sum of squares (Boehmer et al. 1991)."""
    length = index.shape[-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(length + length**2 / count + np.square(index.sum(axis=-1) - length * mean) / squares)
