"""A user's own rows of events: kept in one file, a line a change, and laid over the shipped tables.

The file is history and table in one: nothing in it is ever taken away, and the rows that hold are what its changes
come to, in order. Each line is a JSON object: ``at`` (UTC), ``change`` (``add``, ``correct`` or ``remove``), ``table``,
``row`` (every cell, by column; days and moments as text, null for a blank), ``key`` (that of the user's row that it
takes the place of or takes away) and ``replaces`` (the key of the shipped row that it corrects). A first line names the
format.
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from data.errors import InputError
from data.events.editions import SHIPPED_TABLES, reference_events
from data.files.atomic import write_whole
from data.files.cells import MOMENT, day_in
from data.files.home import home
from data.files.locks import only_one
from data.market.snapshot import Snapshot
from data.market.tables import CAPEX, Kind, Table

FORMAT = 1
SHIPPED = "the shipped reference set"
"""How the origin of a market ends that takes its events from the package, and with them the user's rows."""

Action = Literal["add", "correct", "remove"]
Cells = dict[str, Any]
Key = tuple[Any, ...]

_TABLES: Mapping[str, Table] = {table.name: table for table in SHIPPED_TABLES}
# What a cell of a kind may be, as it is kept.
_IS_CELL: Mapping[Kind, Callable[[Any], bool]] = {
    "text": lambda cell: isinstance(cell, str),
    "number": lambda cell: (
        cell is None or (isinstance(cell, int | float) and not isinstance(cell, bool) and math.isfinite(cell))
    ),
    "flag": lambda cell: isinstance(cell, bool),
    "date": lambda cell: cell is None or (isinstance(cell, str) and day_in(cell) is not None),
    "time": lambda cell: cell is None or (isinstance(cell, str) and MOMENT.fullmatch(cell) is not None),
}
_FIELDS = ("at", "change", "table", "row", "key", "replaces")
_HEAD = {"format": FORMAT, "what": "a user's own rows of events, one change a line"}


@dataclass(frozen=True)
class Change:
    """One change of the user's table.

    Attributes:
        at: when it was made, ISO text, UTC.
        change: what was done.
        table: name of the table.
        row: the user's row, complete; None where one is taken away.
        key: of the user's row whose place it takes, or that it takes away; None of a new one.
        replaces: key of the shipped row that it corrects; None where it corrects none.
    """

    at: str
    change: Action
    table: str
    row: Cells | None
    key: list[Any] | None = None
    replaces: list[Any] | None = None


@dataclass(frozen=True)
class OwnRow:
    """A row of the user that holds.

    Attributes:
        table: that it belongs to.
        cells: by column, as they are kept.
        replaces: key of the shipped row that it corrects; None where it corrects none.
        at: when it was given, ISO text, UTC.
    """

    table: Table
    cells: Cells
    replaces: Key | None
    at: str

    @property
    def key(self) -> Key:
        """What names the row among those of its table."""
        return tuple(self.cells[name] for name in self.table.key)

    @property
    def name_and_change(self) -> str:
        """Its key, and whether it is new or corrects a shipped row, for people."""
        key = " ".join(f"{cell:g}" if isinstance(cell, float) else str(cell) for cell in self.key if cell is not None)
        return f"{self.table.name} {key} ({self.cells['by_user']})"


def own_rows_file() -> Path:
    """Return the file that holds the changes; it need not be there."""
    return home() / "events" / "own.jsonl"


@contextmanager
def changing_own_rows() -> Iterator[None]:
    """Hold the right to change the user's rows; else `data.files.locks.BusyError`."""
    with only_one(own_rows_file().with_name(".own.lock"), "a change of your events"):
        yield


def read_changes() -> list[Change]:
    """Every change that the user has made, oldest first.

    Raises:
        InputError: the file cannot be read, or a line of it is none of ours.
    """
    path = own_rows_file()
    try:
        lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}; mend it, or move it away") from error
    changes = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
            if number == 1:
                _require_format(values)
            else:
                changes.append(_change(values))
        except (ValueError, KeyError, OverflowError, TypeError, RecursionError) as error:
            reason = str(error) or type(error).__name__
            raise InputError(f"{path}, line {number}: {reason}; mend the line, or take it out") from error
    return changes


def append_change(change: Change) -> None:
    """Keep one more change, whole or not at all; only for who holds `changing_own_rows`.

    Raises:
        InputError: the file cannot be written.
    """
    path = own_rows_file()
    lines = [json.dumps(_HEAD), *(json.dumps(asdict(each)) for each in (*read_changes(), change))]
    try:
        write_whole(path, "\n".join([*lines, ""]), replace=True)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error}; check REVERSE_QE_HOME") from error


def own_rows(changes: list[Change] | None = None) -> list[OwnRow]:
    """The user's rows that hold, in the order in which they were given.

    Args:
        changes: `read_changes`; None reads them.

    Raises:
        InputError: the file cannot be read, or a change is about a row that is not there.
    """
    held: dict[tuple[str, Key], OwnRow] = {}
    for number, change in enumerate(read_changes() if changes is None else changes, start=2):
        if change.key is not None and held.pop((change.table, tuple(change.key)), None) is None:
            raise InputError(f"{own_rows_file()}, line {number}: its key is of no row before it; take the line out")
        if change.row is not None:
            replaces = None if change.replaces is None else tuple(change.replaces)
            row = OwnRow(_TABLES[change.table], change.row, replaces, change.at)
            held[change.table, row.key] = row
    return list(held.values())


def own_rows_hash(rows: list[OwnRow]) -> str:
    """What tells whether the user's rows have changed: SHA-256; "" without a row."""
    if not rows:
        return ""
    told = sorted(json.dumps([row.table.name, row.cells, row.replaces]) for row in rows)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def with_own_rows(tables: Mapping[str, pd.DataFrame], rows: list[OwnRow]) -> dict[str, pd.DataFrame]:
    """Lay the user's rows over tables of events: each takes the place of what has its key, or that of what it corrects.

    A result takes the place of any other of its fiscal quarter too, whose last day may be told otherwise.

    Args:
        tables: by name; a table that is not among them is left out.
        rows: of `own_rows`.
    """
    laid = dict(tables)
    for name in laid:
        own = [row for row in rows if row.table.name == name]
        if own:
            gone = {row.key for row in own} | {row.replaces for row in own}
            stays = [key not in gone for key in keys_of(own[0].table, laid[name])]
            kept = laid[name].loc[np.array(stays, dtype=bool)]
            added = pd.concat([frame_of(row.table, row.cells) for row in own])
            if name == CAPEX.name:
                quarter = ["company", "fiscal_period"]
                kept = kept[~pd.MultiIndex.from_frame(kept[quarter]).isin(pd.MultiIndex.from_frame(added[quarter]))]
            laid[name] = own[0].table.conform(pd.concat([kept, added], ignore_index=True))
    return laid


def current_events() -> tuple[dict[str, pd.DataFrame], str]:
    """The shipped events with the user's rows over them, and `own_rows_hash` of these."""
    rows = own_rows()
    return with_own_rows(reference_events(), rows), own_rows_hash(rows)


def own_notes() -> list[str]:
    """One line for each row of the user that a market takes, for people."""
    return [f"events: {row.name_and_change} lies over the shipped ones" for row in own_rows()]


def outdated(snapshot: Snapshot) -> bool:
    """Whether a market takes the user's rows, and these have changed since it was made."""
    return snapshot.origin.endswith(SHIPPED) and snapshot.own_events != own_rows_hash(own_rows())


def keys_of(table: Table, frame: pd.DataFrame) -> list[Key]:
    """The key of each row, in the form in which keys are kept."""
    columns = [[cell_of(value) for value in frame[name]] for name in table.key]
    return list(zip(*columns, strict=True))


def cells_of(table: Table, row: pd.Series) -> Cells:
    """The cells of one row, in the form in which they are kept."""
    return {name: cell_of(row[name]) for name in (*table.columns, *table.later)}


def cell_of(value: Any) -> Any:
    """One cell as it is kept: days and moments as ISO text, None for a blank."""
    if isinstance(value, str | bool):
        return value
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}" if value.tz is None else f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return value.item() if hasattr(value, "item") else value


def frame_of(table: Table, cells: Cells) -> pd.DataFrame:
    """One row as a table."""
    kinds = {**table.columns, **table.later}
    return table.conform(
        pd.DataFrame(
            {
                name: pd.to_datetime(pd.Series([cells[name]]), utc=kind == "time")
                if kind in ("date", "time")
                else pd.Series([float("nan") if cells[name] is None and kind == "number" else cells[name]])
                for name, kind in kinds.items()
            }
        )
    )


def _require_format(values: Any) -> None:
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        got = values.get("format") if isinstance(values, dict) else None
        raise ValueError(f"got format {got}, wanted {FORMAT}")


def _change(values: Any) -> Change:
    if not isinstance(values, dict) or set(values) != set(_FIELDS):
        raise ValueError(f"wanted an object of {', '.join(_FIELDS)}")
    change = Change(**values)
    table = _TABLES.get(change.table)
    if table is None or change.change not in get_args(Action):
        raise ValueError(f"got the change {change.change} of {change.table}, which are none")
    if (change.row is None) != (change.change == "remove"):
        raise ValueError("wanted a row, and none where one is removed")
    for key in (change.key, change.replaces):
        if key is not None and not (isinstance(key, list) and len(key) == len(table.key)):
            raise ValueError(f"got {key!r}, wanted a key of {', '.join(table.key)}")
        if any(isinstance(cell, list | dict) for cell in key or ()):
            raise ValueError(f"got {key!r}, wanted a key of texts and numbers")
    if change.row is not None:
        _require_cells(table, change.row)
        frame_of(table, change.row)
    return change


def _require_cells(table: Table, cells: Cells) -> None:
    kinds = {**table.columns, **table.later}
    if not isinstance(cells, dict) or set(cells) != set(kinds):
        raise ValueError(f"wanted a row of {', '.join(kinds)}")
    for name, cell in cells.items():
        if not _IS_CELL[kinds[name]](cell):
            raise ValueError(f"got {cell!r} in {name}, wanted a {kinds[name]}")
    if not cells["by_user"]:
        raise ValueError("by_user is blank; it says of a row that it is yours")
