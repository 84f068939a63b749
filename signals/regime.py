"""From score to regime: two thresholds, a shortest stay, and no regime without evidence."""

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
    regime goes straight across. A regime, the first one too, holds at least `dwell_sessions` sessions; only fewer than
    two live blocks end it sooner: they give NEUTRAL at once, for as long as it lasts.

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
    regime = Regime.NEUTRAL
    held = 0
    path: list[str] = []
    for value, live in zip(score.tolist(), live_blocks.tolist(), strict=True):
        if live < MIN_LIVE_BLOCKS:
            wanted, may_change = Regime.NEUTRAL, True
        else:
            wanted, may_change = _wanted(regime, value, config), held >= config.dwell_sessions
        if may_change and wanted != regime:
            regime, held = wanted, 0
        held += 1
        path.append(regime.value)
    return pd.Series(path, index=score.index, dtype="str", name="regime")


def _wanted(regime: Regime, score: float, config: SignalConfig) -> Regime:
    if score > config.enter or (regime is Regime.SCARCE and score >= config.leave):
        return Regime.SCARCE
    if score < -config.enter or (regime is Regime.ABUNDANT and score <= -config.leave):
        return Regime.ABUNDANT
    return Regime.NEUTRAL
