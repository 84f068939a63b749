"""How records stand in the rows of a table."""

import json
import math
import reprlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from paper.errors import DamagedLedger
from paper.storage.database import Row
from strategies.fills import OrderStatus

Record = TypeVar("Record")


def as_text(moment: datetime) -> str:
    """A UTC moment as text that sorts by time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def as_row(record: Any) -> Row:
    """The columns of a record."""
    return {name: _cell(value) for name, value in asdict(record).items()}


def from_row(kind: type[Record], row: Row) -> Record:
    """The record of a row; columns that the record does not have are left out.

    Raises:
        DamagedLedger: a cell holds what no record can be made of.
    """
    return kind(**{field.name: read_cell(field.type, row[field.name], field.name) for field in fields(kind)})  # type: ignore[arg-type]


def read_cell(kind: Any, cell: Any, name: str) -> Any:
    """What a cell holds.

    Args:
        kind: type of the value, as a record has it.
        cell: as the database gives it.
        name: of the column.

    Raises:
        DamagedLedger: it holds no such thing.
    """
    try:
        value = cell if cell is None or kind not in _READ else _READ[kind](cell)
        if _is_sound(kind, value):
            return value
    except (ValueError, TypeError, AttributeError):
        pass
    raise DamagedLedger(
        f"the account's file was changed by hand: got {reprlib.repr(cell)} in a column {name}, which no step writes; "
        "put back a copy of its folder, or choose another account.name"
    )


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return as_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping | tuple):
        return json.dumps(value)
    return value


_READ: Mapping[Any, Callable[[Any], Any]] = {
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    date | None: date.fromisoformat,
    Mapping[str, float]: json.loads,
    Mapping[str, Sequence[float]]: json.loads,
    tuple[str, ...]: lambda cell: tuple(json.loads(cell)),
    bool: bool,
    OrderStatus: OrderStatus,
}


_NUMBERS = (Mapping[str, float], Mapping[str, Sequence[float]])


def _is_sound(kind: Any, value: Any) -> bool:
    if kind in _NUMBERS and value is not None:
        cells = value.values()
        numbers = cells if kind == Mapping[str, float] else [each for line in cells for each in line]
        return all(isinstance(each, int | float) for each in numbers)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, datetime):
        return value.tzinfo is not None
    return value is not None or kind not in _READ or kind == date | None
