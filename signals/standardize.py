"""From values in their own units to comparable scores, by what trailing windows hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from signals.config import SignalConfig
from signals.known import Array
from signals.rows import across, or_zero
from signals.windows import PLAIN, Windows


@dataclass(frozen=True)
class FirstPresent:
    """Parts, each a grouping itself, of which the first one with a value stands for all."""

    parts: tuple["Grouping", ...]


Grouping = str | tuple["Grouping", ...] | FirstPresent
"""The name of an input, or the parts of a mean, each a grouping itself, or the parts of a choice."""

NO_RANGE = 1e-9
"""Values within this of one another, in any of the signal's units, differ by rounding alone."""


def trailing_z(values: Array, config: SignalConfig, windows: Windows = PLAIN) -> Array:
    """Standardize each column by its trailing window, the current value included, and clip it.

    Args:
        values: (sessions, inputs), any unit; NaN where missing.
        config: `window_sessions`, `min_window_sessions`, `clip`.
        windows: what measures them.

    Returns:
        z-scores of the same shape (mean and standard deviation, ddof 1, of the values in the window, NaN skipped). NaN
        where the value is missing, the window holds too few values, or they do not deviate.
    """
    return clipped(unclipped_z(values, config, windows), config)


def unclipped_z(values: Array, config: SignalConfig, windows: Windows = PLAIN) -> Array:
    """The same before the clip."""
    counts, mean, deviation = windows.moments(values, config.window_sessions)
    spread = windows.spread(values, config.window_sessions) > NO_RANGE
    scale = np.where((counts >= config.min_window_sessions) & spread, deviation, np.nan)
    z: Array = (values - mean) / scale
    return z


def clipped(values: Array, config: SignalConfig) -> Array:
    """Bound values on either side by `config.clip`; NaN stays NaN."""
    bounded: Array = np.clip(values, -config.clip, config.clip)
    return bounded


def trailing_scale(block: Array, config: SignalConfig, windows: Windows = PLAIN) -> Array:
    """Measure the trailing standard deviation (ddof 1) by which a block is divided.

    Args:
        block: one value a session, NaN where missing (skipped).
        config: `window_sessions`, `min_scale_sessions`.
        windows: what measures them.

    Returns:
        Same shape. NaN where the window holds too few values, or they do not deviate.
    """
    column = block[:, None]
    counts, _, deviation = windows.moments(column, config.window_sessions)
    spread = windows.spread(column, config.window_sessions) > NO_RANGE
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
    columns, _ = _weights_by_name(grouping, {name: present[:, place] for place, name in enumerate(names)})
    for name, column in columns.items():
        weights[:, names.index(name)] = column
    return weights


def _weights_by_name(grouping: Grouping, present: Mapping[str, Array]) -> tuple[dict[str, Array], Array]:
    """Weights of the inputs of a grouping by name, and where it is live."""
    if isinstance(grouping, str):
        there = np.array(present[grouping])
        return {grouping: there.astype(float)}, there
    first_only = isinstance(grouping, FirstPresent)
    parts = grouping.parts if isinstance(grouping, FirstPresent) else grouping
    columns: dict[str, Array] = {}
    rows = len(next(iter(present.values())))
    live = np.zeros(rows)
    for part in parts:
        own, is_live = _weights_by_name(part, present)
        if first_only:
            free = live == 0
            own, is_live = {name: column * free for name, column in own.items()}, is_live & free
        columns |= own
        live += is_live
    if not first_only:
        shared = np.maximum(live, 1)
        columns = {name: column / shared for name, column in columns.items()}
    return columns, live > 0


class Weighed(NamedTuple):
    """Readings before any clip and how a mean weighs them, each of shape (sessions, inputs).

    Attributes:
        readings: 0 where missing.
        weights: see `nested_weights`.
        live: (sessions,) whether an input is present.
    """

    readings: Array
    weights: Array
    live: Array

    def parts(self, config: SignalConfig) -> Array:
        """What each input gives to the mean of the clipped readings; the whole row is NaN where no input is present."""
        weighted: Array = clipped(self.readings, config) * self.weights
        weighted[~self.live] = np.nan
        return weighted


def weigh(readings: Array, grouping: Grouping, names: tuple[str, ...]) -> Weighed:
    """Weigh readings, NaN where missing, as `nested_weights` does."""
    weights = nested_weights(grouping, names, ~np.isnan(readings))
    return Weighed(or_zero(readings), weights, across(np.logical_or, weights > 0))


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
    weighted = across(np.add, or_zero(z) * weights)
    mean: Array = np.where(across(np.logical_or, weights > 0), weighted, np.nan)
    return mean
