"""Readings that are scaled by what is usual of them and not centred: what lasts stays, and 0 is 0."""

import numpy as np

from signals.config import SignalConfig
from signals.known import Array
from signals.windows import trailing_median, trailing_root_mean_square

NORMAL = 1.4826
"""The standard deviation of normal numbers over the median of their size."""

NOTHING = 1e-9
"""A divisor below this says that nothing is usual: the reading is 0."""


def change_reading(change: Array, config: SignalConfig) -> Array:
    """Divide changes by the usual size of one, by the median of their sizes in the trailing window, and clip.

    A median does not feel one extraordinary quarter, which a mean square would carry for three years.

    Args:
        change: by session, any unit; NaN where missing.
        config: `window_sessions`, `min_window_sessions`, `clip`.

    Returns:
        NaN where the change is missing or the window holds too few values; 0 where most never moved.
    """
    usual = NORMAL * trailing_median(np.abs(change), config.window_sessions, config.min_window_sessions)
    return _over(change, usual, config.clip)


def enough_values(change: Array, config: SignalConfig) -> Array:
    """Where a change is there and its trailing window holds enough of them to be read."""
    present = ~np.isnan(change)
    counts = np.cumsum(present)
    before = np.concatenate([np.zeros(min(config.window_sessions, len(counts)), dtype=int), counts])[: len(counts)]
    enough: Array = present & (counts - before >= config.min_window_sessions)
    return enough


def event_reading(faded: Array, config: SignalConfig) -> Array:
    """Divide what is left of events by the root of its mean square in the trailing window, and clip.

    A median of what is mostly 0 would be 0.

    Args:
        faded: by session, any unit; NaN where missing.
        config: `window_sessions`, `min_window_sessions`, `clip`.

    Returns:
        As `change_reading`.
    """
    return _over(faded, root_mean_square(faded, config, config.min_window_sessions), config.clip)


def scaled(reading: Array, config: SignalConfig, clip: float = np.inf) -> Array:
    """Divide readings, scaled already, by the root of their mean square in the trailing window.

    Args:
        reading: by session; NaN where missing.
        config: `window_sessions`, `min_scale_sessions`.
        clip: bound on either side; none where not given.
    """
    return _over(reading, root_mean_square(reading, config, config.min_scale_sessions), clip)


def root_mean_square(values: Array, config: SignalConfig, least: int) -> Array:
    """The root of the mean square in the trailing window; NaN with fewer than `least` values."""
    root: Array = trailing_root_mean_square(values[:, None], config.window_sessions, least)[:, 0]
    return root


def _over(values: Array, divisor: Array, clip: float) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        read = np.clip(values / divisor, -clip, clip)
    return np.where(divisor < NOTHING, np.where(np.isnan(values), np.nan, 0.0), read)
