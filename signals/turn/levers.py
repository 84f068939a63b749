"""What may move: the next figure of a series, the next result, guidance, act of funding or announced pace."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import pandas as pd

from data.market.tables import CAPEX, FUNDING, GUIDANCE, PACES, Table
from signals.block import SignalData
from signals.capex.spenders import Spenders

SERIES_MOVE, RESULT, GUIDED, FUNDED, PACE = "series", "result", "guidance", "funding", "pace"

# The table of each kind of event, and where `SignalData` has it.
_TABLES: Mapping[str, tuple[str, Table]] = {
    RESULT: ("capex", CAPEX),
    GUIDED: ("guidance", GUIDANCE),
    FUNDED: ("funding", FUNDING),
    PACE: ("paces", PACES),
}


class Span(NamedTuple):
    """The values that are tried.

    Attributes:
        held: at which nothing would be new.
        low: smallest.
        high: largest.
        step: what is published is a whole number of these.
    """

    held: float
    low: float
    high: float
    step: float

    def value(self, steps: int) -> float:
        """A whole number of steps, without what binary fractions add."""
        return round(steps * self.step, 9)

    @property
    def steps(self) -> tuple[int, int, int]:
        """Held, low and high in steps; all lie inside the span."""
        low, high = math.ceil(self.low / self.step - 1e-9), math.floor(self.high / self.step + 1e-9)
        return min(max(round(self.held / self.step), low), high), low, high


class Told(NamedTuple):
    """An event as the blocks read it from its table, with some figure.

    Attributes:
        spenders: with the event.
        value: of the figure.
        place: of the announcement among their news; None where it is none.
        more: by which what is compared with an expectation is above the figure: leases, where they count.
    """

    spenders: Spenders
    value: float
    place: int | None = None
    more: float = 0.0


@dataclass(frozen=True)
class Lever:
    """One thing that may move, and would be known at the next decision if it is an event.

    Attributes:
        name: series or company.
        kind: ``series``, ``result``, ``guidance``, ``funding`` or ``pace``.
        about: what would be told: the fiscal quarter, the year guided; "" where the name says it.
        unit: of the values, for people.
        span: of the values.
        blocks: names of those that it moves.
        inputs: names of those that it moves.
        row: of an event, as its table would have it.
        figures: columns that hold the value, each with what is added to it there.
        first: of a series, the date of the first observation that has the value.
        told: of an event of a company, as it is read.
        drawn: of a pace, the table with it.
    """

    name: str
    kind: str
    about: str
    unit: str
    span: Span
    blocks: tuple[str, ...]
    inputs: tuple[str, ...]
    row: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    first: pd.Timestamp | None = None
    told: Told | None = None
    drawn: pd.DataFrame | None = None

    def inserted(self, data: SignalData, value: float) -> SignalData:
        """Put it into the tables of a market in which nothing moves, see `signals.turn.held.held_data`.

        Money raised of 0 is none.
        """
        if self.kind == SERIES_MOVE:
            moved = (data.series["series"] == self.name) & (data.series["date"] >= self.first)
            return replace(data, series=data.series.assign(value=data.series["value"].mask(moved, value)))
        if self.kind == FUNDED and value == 0:
            return data
        name, table = _TABLES[self.kind]
        row = {**self.row, **{column: value + more for column, more in self.figures.items()}}
        changed: dict[str, Any] = {name: _with_row(table, getattr(data, name), row)}
        return replace(data, **changed)


def _with_row(table: Table, frame: pd.DataFrame, row: Mapping[str, Any]) -> pd.DataFrame:
    """A table with one row more; what the row does not say is blank, a flag false."""
    blank = {"text": "", "number": math.nan, "flag": False, "date": pd.NaT, "time": pd.NaT}
    kinds = {**table.columns, **table.later}
    added = {
        name: pd.Series([row.get(name, blank[kind])], dtype=frame[name].dtype if name in frame else None)
        for name, kind in kinds.items()
    }
    return table.conform(pd.concat([frame, pd.DataFrame(added)], ignore_index=True))
