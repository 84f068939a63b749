"""From values in their own units to comparable scores, by what trailing windows hold."""

from dataclasses import dataclass

import numpy as np

from signals.config import SignalConfig
from signals.known import Array
from signals.windows import trailing_moments, trailing_range


@dataclass(frozen=True)
class FirstPresent:
    """Parts, each a grouping itself, of which the first one with a value stands for all."""

    parts: tuple["Grouping", ...]


Grouping = str | tuple["Grouping", ...] | FirstPresent
"""The name of an input, or the parts of a mean, each a grouping itself, or the parts of a choice."""

NO_RANGE = 1e-9
"""Values within this of one another, in any of the signal's units, differ by rounding alone."""


def trailing_z(values: Array, config: SignalConfig) -> Array:
    """Standardize each column by its trailing window, the current value included, and clip it.

    Args:
        values: (sessions, inputs), any unit; NaN where missing.
        config: `window_sessions`, `min_window_sessions`, `clip`.

    Returns:
        z-scores of the same shape (mean and standard deviation, ddof 1, of the values in the window, NaN skipped). NaN
        where the value is missing, the window holds too few values, or they do not deviate.
    """
    counts, mean, deviation = trailing_moments(values, config.window_sessions)
    spread = trailing_range(values, config.window_sessions) > NO_RANGE
    scale = np.where((counts >= config.min_window_sessions) & spread, deviation, np.nan)
    z: Array = np.clip((values - mean) / scale, -config.clip, config.clip)
    return z


def trailing_scale(block: Array, config: SignalConfig) -> Array:
    """Measure the trailing standard deviation (ddof 1) by which a block is divided.

    Args:
        block: one value a session, NaN where missing (skipped).
        config: `window_sessions`, `min_scale_sessions`.

    Returns:
        Same shape. NaN where the window holds too few values, or they do not deviate.
    """
    column = block[:, None]
    counts, _, deviation = trailing_moments(column, config.window_sessions)
    spread = trailing_range(column, config.window_sessions) > NO_RANGE
    scale: Array = np.where((counts >= config.min_scale_sessions) & spread, deviation, np.nan)[:, 0]
    return scale


def nested_weights(grouping: Grouping, names: tuple[str, ...], present: Array) -> Array:
    """Weigh the inputs of a nested mean from which missing parts drop out at every level.

    Args:
        grouping: how the inputs are averaged; it names each input once.
        names: of the columns.
        present: (sessions, inputs), True where there is a value.

    Returns:
        (sessions, inputs), in the order of `names`. Rows sum to 1; to 0 where no input is present.
    """
    weights = np.zeros(present.shape)
    if isinstance(grouping, str):
        place = names.index(grouping)
        weights[:, place] = present[:, place]
        return weights
    first_only = isinstance(grouping, FirstPresent)
    parts = grouping.parts if isinstance(grouping, FirstPresent) else grouping
    live = np.zeros(len(present))
    for part in parts:
        own = nested_weights(part, names, present)
        is_live = own.any(axis=1)
        if first_only:
            own, is_live = own * (live == 0)[:, None], is_live & (live == 0)
        weights += own
        live += is_live
    return weights if first_only else weights / np.maximum(live, 1)[:, None]


def nested_mean(grouping: Grouping, names: tuple[str, ...], z: Array) -> Array:
    """Average z-scores as `nested_weights` weighs them.

    Args:
        grouping: of some of the columns.
        names: of the columns.
        z: (sessions, inputs), NaN where missing.

    Returns:
        One value a session; NaN where no input is present.
    """
    weights = nested_weights(grouping, names, ~np.isnan(z))
    mean: Array = np.where(weights.any(axis=1), (np.nan_to_num(z) * weights).sum(axis=1), np.nan)
    return mean
