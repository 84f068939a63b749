"""Readings that are scaled by what is usual of them and not centred: what lasts stays, and 0 is 0."""

import numpy as np

from signals.config import SignalConfig
from signals.known import Array
from signals.windows import PLAIN, Windows

NORMAL = 1.4826
"""The standard deviation of normal numbers over the median of their size."""

NOTHING = 1e-9
"""A divisor below this says that nothing is usual: the reading is 0."""


def change_over_usual(change: Array, config: SignalConfig, windows: Windows = PLAIN) -> Array:
    """Divide changes by the usual size of one, by the median of their sizes in the trailing window; not clipped yet.

    A median does not feel one extraordinary quarter, which a mean square would carry for three years.

    Args:
        change: by session, any unit; NaN where missing.
        config: `window_sessions`, `min_window_sessions`.
        windows: what measures them.

    Returns:
        NaN where the change is missing or the window holds too few values; 0 where most never moved.
    """
    return over_usual(change, usual_change(change, config, windows))


def usual_change(change: Array, config: SignalConfig, windows: Windows = PLAIN) -> Array:
    """The usual size of a change, as `change_over_usual` takes it; NaN where the window holds too few values."""
    usual: Array = NORMAL * windows.median(np.abs(change), config.window_sessions, config.min_window_sessions)
    return usual


def enough_values(change: Array, config: SignalConfig) -> Array:
    """Where a change is there and its trailing window holds enough of them to be read."""
    present = ~np.isnan(change)
    counts = np.cumsum(present)
    before = np.concatenate([np.zeros(min(config.window_sessions, len(counts)), dtype=int), counts])[: len(counts)]
    enough: Array = present & (counts - before >= config.min_window_sessions)
    return enough


def event_over_usual(faded: Array, config: SignalConfig, windows: Windows = PLAIN) -> Array:
    """Divide what is left of events by the root of its mean square in the trailing window; not clipped yet.

    A median of what is mostly 0 would be 0.

    Args:
        faded: by session, any unit; NaN where missing.
        config: `window_sessions`, `min_window_sessions`.
        windows: what measures them.

    Returns:
        As `change_over_usual`.
    """
    return over_usual(faded, root_mean_square(faded, config, config.min_window_sessions, windows))


def scaled(reading: Array, config: SignalConfig, windows: Windows = PLAIN) -> Array:
    """Divide readings, scaled already, by the root of their mean square in the trailing window.

    Args:
        reading: by session; NaN where missing.
        config: `window_sessions`, `min_scale_sessions`.
        windows: what measures them.
    """
    return over_usual(reading, root_mean_square(reading, config, config.min_scale_sessions, windows))


def root_mean_square(values: Array, config: SignalConfig, least: int, windows: Windows = PLAIN) -> Array:
    """The root of the mean square in the trailing window; NaN with fewer than `least` values."""
    root: Array = windows.root_mean_square(values[:, None], config.window_sessions, least)[:, 0]
    return root


def over_usual(values: Array, divisor: Array) -> Array:
    """Divide values by what is usual of them; 0 where the divisor is below `NOTHING`.

    Args:
        values: by session; NaN where missing.
        divisor: likewise.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        read: Array = values / divisor
    nothing = divisor < NOTHING
    if nothing.any():
        read[nothing] = np.where(np.isnan(values[nothing]), np.nan, 0.0)
    return read
