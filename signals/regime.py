"""From score to regime: two thresholds, a shortest stay, and no regime without evidence."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import pandas as pd

from data.errors import InputError
from signals.config import SignalConfig

MIN_LIVE_BLOCKS = 2


class Regime(StrEnum):
    """The states of liquidity."""

    ABUNDANT = "ABUNDANT"
    NEUTRAL = "NEUTRAL"
    SCARCE = "SCARCE"


class Stay(NamedTuple):
    """A regime, and for how many sessions it has held."""

    regime: Regime = Regime.NEUTRAL
    held: int = 0


START = Stay()
"""What holds before the first session."""


def regime_path(score: pd.Series, live_blocks: pd.Series, config: SignalConfig) -> pd.Series:
    """Walk the thresholds, session by session, from NEUTRAL; see `walk_thresholds`.

    Args:
        score: one a session, + means scarcer.
        live_blocks: blocks with a value, same index.
        config: `enter`, `leave`, `dwell_sessions`.

    Returns:
        The names of `Regime`, same index.

    Raises:
        InputError: a score is NaN.
    """
    if score.isna().any():
        raise InputError(f"score: got NaN at {score.index[score.isna()][0]}, wanted a number for every session")
    regimes, _ = walk_thresholds(score.tolist(), live_blocks.tolist(), config)
    return pd.Series(np.array(regimes, dtype=object), index=score.index, dtype="str", name="regime")


def walk_thresholds(
    score: Sequence[float], live_blocks: Sequence[int], config: SignalConfig, begin: Stay = START
) -> tuple[list[Regime], int]:
    """Walk the thresholds, session by session.

    NEUTRAL becomes SCARCE above +`enter` and returns below +`leave`; ABUNDANT mirrors it; past the opposite `enter` a
    regime goes straight across. How long a regime holds: see `held_regimes`.

    Args:
        score: one a session, + means scarcer; no NaN.
        live_blocks: blocks with a value, one a session.
        config: `enter`, `leave`, `dwell_sessions`.
        begin: what held at the session before.

    Returns:
        The regime of each session, and for how many the last one has held.
    """
    enter, leave, dwell = config.enter, config.leave, config.dwell_sessions
    regime, held = begin
    path = []
    for value, live in zip(score, live_blocks, strict=True):
        if live < MIN_LIVE_BLOCKS:
            wanted, may_change = Regime.NEUTRAL, True
        else:
            may_change = held >= dwell
            if value > enter or (regime is Regime.SCARCE and value >= leave):
                wanted = Regime.SCARCE
            elif value < -enter or (regime is Regime.ABUNDANT and value <= -leave):
                wanted = Regime.ABUNDANT
            else:
                wanted = Regime.NEUTRAL
        if may_change and wanted is not regime:
            regime, held = wanted, 0
        held += 1
        path.append(regime)
    return path, held


def held_regimes(wanted: Callable[[Regime, int], Regime], live_blocks: pd.Series, dwell_sessions: int) -> pd.Series:
    """Walk the regimes that a model wants, session by session, from NEUTRAL.

    A regime, the first one too, holds at least `dwell_sessions` sessions; only fewer than two live blocks end it
    sooner: they give NEUTRAL at once, for as long as it lasts.

    Args:
        wanted: the regime that the model wants, given the one that holds and the row.
        live_blocks: blocks with a value, one row a session.
        dwell_sessions: from 1.

    Returns:
        The names of `Regime`, indexed as `live_blocks`.
    """
    regime = Regime.NEUTRAL
    held = 0
    path: list[str] = []
    for row, live in enumerate(live_blocks.tolist()):
        if live < MIN_LIVE_BLOCKS:
            next_regime, may_change = Regime.NEUTRAL, True
        else:
            next_regime, may_change = wanted(regime, row), held >= dwell_sessions
        if may_change and next_regime != regime:
            regime, held = next_regime, 0
        held += 1
        path.append(regime.value)
    return pd.Series(path, index=live_blocks.index, dtype="str", name="regime")
