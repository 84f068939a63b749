"""Why money is scarce: taken by capex, short of supply, or both. The remedy of one is not that of the other."""

from enum import StrEnum

import numpy as np
import pandas as pd

from signals.config import SignalConfig
from signals.known import Array
from signals.regime import Regime

GONE = 0.5
"""Gate above which more than half of the idle money is gone: up to it capex is a stimulus, and takes none."""


class Scarcity(StrEnum):
    """The kinds of scarcity."""

    TAKEN = "taken by capex"
    SHORT = "short of supply"
    BOTH = "taken by capex and short of supply"


def scarcity(regime: pd.Series, drain: pd.Series, score: pd.Series, g: Array, config: SignalConfig) -> pd.Series:
    """Tell the kind of scarcity by what would have to go for the regime to end.

    It is taken by capex where without the drain the score would be below `config.leave` and without the other blocks it
    would not; short of supply where it is the other way round, and wherever the gate is at most `GONE`; else both.

    Args:
        regime: names of `signals.regime.Regime`, by session.
        drain: what the drain gives to the score, smoothed.
        score: of all blocks.
        g: state of the gate; NaN where it is missing.
        config: `leave`.

    Returns:
        Names of `Scarcity`; "" where the regime is not SCARCE.
    """
    by_drain = drain.to_numpy()
    needs_drain = score.to_numpy() - by_drain < config.leave
    needs_supply = by_drain < config.leave
    kind = np.where(needs_drain == needs_supply, Scarcity.BOTH, np.where(needs_drain, Scarcity.TAKEN, Scarcity.SHORT))
    kind = np.where(g > GONE, kind, Scarcity.SHORT)
    named = np.where((regime == Regime.SCARCE).to_numpy(), kind, "").astype(object)
    return pd.Series(named, regime.index, dtype="str", name="kind")
