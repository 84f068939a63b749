"""What a block of the signal is: inputs, each as known at every decision, and how they are averaged.

A block is made by a function of `SignalData` and `SignalConfig`; `signals.liquidity` lists them and does the rest.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from signals.config import SignalConfig
from signals.standardize import Grouping


@dataclass(frozen=True)
class SignalData:
    """What blocks are made from. Rows carry the time at which they became known; nothing is cut yet.

    Attributes:
        series: `data.tables.SERIES`.
        capex: `data.tables.CAPEX`.
        sessions: naive NYSE sessions, increasing; the decision for each is at 00:00 UTC of it.
    """

    series: pd.DataFrame
    capex: pd.DataFrame
    sessions: pd.DatetimeIndex


@dataclass(frozen=True)
class BlockInput:
    """One input of a block, as known at each decision; all series are indexed by session.

    Attributes:
        name: "block.input".
        unit: of `value`, for people.
        value: in its unit; NaN where missing or too old.
        scarcer_when: +1 where a higher value means scarcer money, -1 where a lower one does.
        observed: the date that the newest observation known is about; NaT where there is none.
        known: when what is known of it last changed, UTC; NaT where nothing is.
    """

    name: str
    unit: str
    value: pd.Series
    scarcer_when: int
    observed: pd.Series
    known: pd.Series


@dataclass(frozen=True)
class Block:
    """A block before standardization.

    Attributes:
        name: of the block.
        inputs: in the order in which they are shown.
        grouping: how their z-scores are averaged, by name.
    """

    name: str
    inputs: tuple[BlockInput, ...]
    grouping: Grouping


BlockBuilder = Callable[[SignalData, SignalConfig], Block]
