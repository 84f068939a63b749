"""What a check of the event tables finds: defects, which contradict a rule, and notes, which one should know."""

from dataclasses import dataclass, field

import pandas as pd

from data.events.refusals import row_name
from data.market.tables import Table


@dataclass(frozen=True)
class EventCheck:
    """One check of the event tables.

    Attributes:
        name: of the check.
        wanted: what holds where there is no defect.
        defects: one line each: the row, what is wrong and what mends it.
        notes: one line each: facts of the sources that the reader of the events should know.
    """

    name: str
    wanted: str
    defects: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether there is no defect."""
        return not self.defects


@dataclass
class Findings:
    """Lines under way, see `EventCheck`."""

    defects: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def named_row(table: Table, rows: pd.DataFrame, place: int) -> str:
    """Name the row at an index value, with its table."""
    return f"{table.name}: {row_name(table, rows.loc[[place]].iloc[0])}"


def counted(number: int, noun: str) -> str:
    """Write a number with its noun in the right form."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
