"""How records stand in the rows of a table."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, date, datetime
from typing import Any, TypeVar

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
    """The record of a row; columns that the record does not have are left out."""
    return kind(**{field.name: _value(field.type, row[field.name]) for field in fields(kind)})  # type: ignore[arg-type]


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


def _value(kind: Any, cell: Any) -> Any:
    return cell if cell is None or kind not in _READ else _READ[kind](cell)
