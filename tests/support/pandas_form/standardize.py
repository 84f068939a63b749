"""From values in their own units to comparable scores, by what trailing windows hold."""

from typing import TYPE_CHECKING, TypeVar

import pandas as pd

from signals.config import SignalConfig
from signals.standardize import FirstPresent, Grouping

if TYPE_CHECKING:
    from pandas.core.window import Rolling

Values = TypeVar("Values", pd.Series, pd.DataFrame)


NO_RANGE = 1e-9
"""Values within this of one another, in any of the signal's units, differ by rounding alone."""


def trailing_z(values: pd.DataFrame, config: SignalConfig) -> pd.DataFrame:
    """Standardize each column by its trailing window, the current value included, and clip it.

    Args:
        values: sessions by inputs, any unit; NaN where missing.
        config: `window_sessions`, `min_window_sessions`, `clip`.

    Returns:
        z-scores of the same shape (mean and standard deviation, ddof 1, of the values in the window, NaN skipped). NaN
        where the value is missing, the window holds too few values, or they do not deviate.
    """
    window = values.rolling(config.window_sessions, min_periods=config.min_window_sessions)
    z = (values - window.mean()) / _deviation(window)
    return z.clip(-config.clip, config.clip)


def trailing_scale(block: pd.Series, config: SignalConfig) -> pd.Series:
    """Measure the trailing standard deviation (ddof 1) by which a block is divided.

    Args:
        block: one value a session, NaN where missing (skipped).
        config: `window_sessions`, `min_scale_sessions`.

    Returns:
        Same shape. NaN where the window holds too few values, or they do not deviate.
    """
    return _deviation(block.rolling(config.window_sessions, min_periods=config.min_scale_sessions))


def nested_weights(grouping: Grouping, present: pd.DataFrame) -> pd.DataFrame:
    """Weigh the inputs of a nested mean from which missing parts drop out at every level.

    Args:
        grouping: how the inputs are averaged; it names each input once.
        present: sessions by inputs, True where there is a value.

    Returns:
        Sessions by inputs, in the order of `grouping`. Rows sum to 1; to 0 where no input is present.
    """
    if isinstance(grouping, str):
        return present[[grouping]].astype(float)
    if isinstance(grouping, FirstPresent):
        parts = [nested_weights(part, present) for part in grouping.parts]
        live = pd.concat([part.any(axis=1) for part in parts], axis=1).astype(int)
        chosen = live.where(live.cumsum(axis=1) == 1, 0)
        return pd.concat([part.mul(chosen[place], axis=0) for place, part in enumerate(parts)], axis=1)
    parts = [nested_weights(part, present) for part in grouping]
    live_parts = sum((part.any(axis=1).astype(int) for part in parts), start=pd.Series(0, index=present.index))
    return pd.concat(parts, axis=1).div(live_parts.clip(lower=1), axis=0)


def nested_mean(grouping: Grouping, z: pd.DataFrame) -> pd.Series:
    """Average z-scores as `nested_weights` weighs them.

    Args:
        grouping: of some of the columns.
        z: sessions by inputs, NaN where missing.

    Returns:
        One value a session; NaN where no input is present.
    """
    weights = nested_weights(grouping, z.notna())
    return (z[list(weights.columns)] * weights).sum(axis=1, min_count=1)


def _deviation(window: "Rolling[Values]") -> Values:
    # The range is exact where the deviation, updated from window to window, keeps a trace of values that have left.
    return window.std(ddof=1).where(window.max() - window.min() > NO_RANGE)
