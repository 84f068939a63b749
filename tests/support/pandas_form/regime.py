"""From score to regime: two thresholds, a shortest stay, and no regime without evidence."""

from collections.abc import Callable
from enum import StrEnum

import pandas as pd

from data.errors import InputError
from signals.config import SignalConfig

MIN_LIVE_BLOCKS = 2


class Regime(StrEnum):
    """The states of liquidity."""

    ABUNDANT = "ABUNDANT"
    NEUTRAL = "NEUTRAL"
    SCARCE = "SCARCE"


def regime_path(score: pd.Series, live_blocks: pd.Series, config: SignalConfig) -> pd.Series:
    """Walk the thresholds, session by session, from NEUTRAL.

    NEUTRAL becomes SCARCE above +`enter` and returns below +`leave`; ABUNDANT mirrors it; past the opposite `enter` a
    regime goes straight across. How long a regime holds: see `held_regimes`.

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
    values = score.tolist()
    return held_regimes(lambda regime, row: _wanted(regime, values[row], config), live_blocks, config.dwell_sessions)


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


def _wanted(regime: Regime, score: float, config: SignalConfig) -> Regime:
    if score > config.enter or (regime is Regime.SCARCE and score >= config.leave):
        return Regime.SCARCE
    if score < -config.enter or (regime is Regime.ABUNDANT and score <= -config.leave):
        return Regime.ABUNDANT
    return Regime.NEUTRAL
