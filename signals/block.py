"""What a block of the signal is: inputs, each as known at every decision, and how they are averaged.

A block is made by a function of `SignalData` and `SignalConfig`; `signals.liquidity` lists them and does the rest.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, is_numeric_dtype

from data.catalogue.catalogue import Catalogue, shipped_catalogue
from data.errors import InputError
from data.events.editions import SHIPPED_TABLES, reference_events
from data.market.snapshot import Snapshot
from data.market.tables import CAPEX, COVERAGE, FUNDING, GUIDANCE, PACES
from signals.config import SignalConfig
from signals.regime import Regime
from signals.standardize import FirstPresent, Grouping


@dataclass(frozen=True)
class SignalData:
    """What blocks are made from. Rows carry the time at which they became known; nothing is cut yet.

    Attributes:
        series: `data.market.tables.SERIES`.
        capex: `data.market.tables.CAPEX`.
        guidance: `data.market.tables.GUIDANCE`.
        funding: `data.market.tables.FUNDING`.
        sessions: naive NYSE sessions, increasing; the decision for each is at 00:00 UTC of it.
        paces: `data.market.tables.PACES`.
        coverage: `data.market.tables.COVERAGE`; it is about the tables, and known at no moment.
        catalogue: entries of series and companies.
    """

    series: pd.DataFrame
    capex: pd.DataFrame
    guidance: pd.DataFrame
    funding: pd.DataFrame
    sessions: pd.DatetimeIndex
    paces: pd.DataFrame = field(default_factory=PACES.empty)
    coverage: pd.DataFrame = field(default_factory=COVERAGE.empty)
    catalogue: Catalogue = field(default_factory=shipped_catalogue)

    @classmethod
    def of(cls, snapshot: Snapshot, sessions: pd.DatetimeIndex, config: SignalConfig) -> Self:
        """Take the tables of a snapshot, its events as `config.events` names them."""
        events = {table.name: snapshot.table(table) for table in SHIPPED_TABLES}
        if config.events != "market":
            events = reference_events(config.events)
        return cls(
            series=snapshot.series,
            capex=events[CAPEX.name],
            guidance=events[GUIDANCE.name],
            funding=events[FUNDING.name],
            sessions=sessions,
            paces=events[PACES.name],
            coverage=events[COVERAGE.name],
            catalogue=snapshot.catalogue,
        )


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
        gate: of idle money, by session, where the block's values depend on it: see `signals.capex.gate.gate_state`.
    """

    name: str
    inputs: tuple[BlockInput, ...]
    grouping: Grouping
    gate: pd.DataFrame | None = None


BlockBuilder = Callable[[SignalData, SignalConfig], Block]

# Columns that stand beside those of the blocks in regime.csv.
_TAKEN = frozenset(
    {"session", "decided_at", "regime", "score", "live_blocks", "gate_ratio", "gate_g", "gate_multiplier"}
) | {f"probability_{regime}" for regime in Regime}


def require_block(block: Block, sessions: pd.DatetimeIndex) -> Block:
    """Return a block as it is, if it is one: for blocks that others have written.

    Args:
        block: what a builder returned.
        sessions: those of the `SignalData` that it was given.

    Raises:
        InputError: the first thing that is wrong with it.
    """
    if not isinstance(block, Block):
        raise InputError(f"got {type(block).__name__}, wanted a signals.block.Block")
    if not re.fullmatch(r"[A-Za-z0-9_-]+", block.name) or block.name in _TAKEN:
        raise InputError(f"got the block name {block.name!r}, wanted letters, digits and _, none of {sorted(_TAKEN)}")
    if block.gate is not None:
        raise InputError(f"block {block.name}: got a gate, wanted none; multiply the values of its inputs by it")
    names = [each.name for each in block.inputs]
    if not names or sorted(_members(block.grouping)) != sorted(set(names)) or len(set(names)) < len(names):
        raise InputError(
            f"block {block.name}: got the inputs {', '.join(names)} and the grouping {block.grouping}, wanted at least "
            "one input and each of them once in the grouping"
        )
    for each in block.inputs:
        _require_input(block.name, each, sessions)
    return block


def _require_input(block: str, given: BlockInput, sessions: pd.DatetimeIndex) -> None:
    if not given.name.startswith(f"{block}."):
        raise InputError(f"got the input name {given.name!r}, wanted {block}.NAME")
    if given.scarcer_when not in (1, -1):
        raise InputError(f"input {given.name}: got scarcer_when {given.scarcer_when!r}, wanted +1 or -1")
    for part in ("value", "observed", "known"):
        column = getattr(given, part)
        if not isinstance(column, pd.Series) or not column.index.equals(sessions):
            raise InputError(f"input {given.name}: wanted {part} as a Series with the index that data.sessions gives")
        if not (is_numeric_dtype(column) if part == "value" else is_datetime64_any_dtype(column)):
            wanted = "numbers" if part == "value" else "times"
            raise InputError(f"input {given.name}: got {part} of dtype {column.dtype}, wanted {wanted}")
    if (infinite := np.isinf(given.value)).any():
        raise InputError(f"input {given.name}: got an infinite value for {sessions[infinite][0].date()}, wanted none")


def _members(grouping: Grouping) -> list[str]:
    if isinstance(grouping, str):
        return [grouping]
    parts = grouping.parts if isinstance(grouping, FirstPresent) else grouping
    return [name for part in parts for name in _members(part)]
