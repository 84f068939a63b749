"""CSV files of prices, of macro series and of events, checked cell by cell.

The first fault in a file refuses it: `InputError` names the file, the line and the reason. Nothing is mended.
"""

import csv
import io
import math
import re
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray

from data.errors import InputError
from data.files.cells import FLAGS, ISO_DAY, MOMENT, day_in, number_in
from data.market.gate import Fault, bar_faults
from data.market.tables import PRICE_COLUMNS, Kind, Table

SERIES_COLUMNS = ("date", "value")

_MISSING_VALUE = ("", ".")  # FRED writes a dot
_NO_PLAIN_NUMBER = re.compile("[_nN]")  # 1_000, nan and inf are numbers to Python.
_PLAIN_TEXT = re.compile(r"[^\s\"]+(\n[^\s\"]+)+\n?")
_ISO_DAYS = re.compile(rf"{ISO_DAY.pattern}(,{ISO_DAY.pattern})*", re.ASCII)


@dataclass(frozen=True)
class _Cells:
    """The cells of a file, by column, and the line on which each row stands."""

    path: Path
    columns: dict[str, tuple[str, ...]]
    lines: tuple[int, ...]


@dataclass(frozen=True)
class _Check:
    """Where rows are at fault, and how to say so of one of them."""

    faults: np.ndarray
    reason: Callable[[int], str]


def read_prices(path: Path) -> pd.DataFrame:
    """Read daily prices of one instrument.

    Args:
        path: CSV of `PRICE_COLUMNS`; dates as YYYY-MM-DD, ascending.

    Returns:
        One row a date: naive dates and floats, NaN where a cell is blank (open, high, low and volume may be).

    Raises:
        InputError: an empty file, a missing or unknown column, a row of another width, an unparsable cell, a blank
            close, a duplicate or unordered date, a price that is not above 0, high below low, a negative volume.
    """
    cells = _read_cells(path, PRICE_COLUMNS)
    numbers = {name: _numbers(cells.columns[name]) for name in PRICE_COLUMNS[1:]}
    days, checks = _check_days(cells)
    checks += [_check_numbers(cells, name, values) for name, values in numbers.items()]
    checks += [_check_bars(cells, fault) for fault in bar_faults(numbers)]
    _refuse_first_fault(cells, checks)
    return pd.DataFrame({"date": days, **numbers})


def read_series(path: Path) -> pd.DataFrame:
    """Read the observations of one macro series.

    Args:
        path: CSV of `SERIES_COLUMNS`; dates as YYYY-MM-DD, ascending. A blank cell or a dot is no value.

    Returns:
        One row a date: naive dates and floats, NaN where there is no value.

    Raises:
        InputError: an empty file, a missing or unknown column, a row of another width, an unparsable cell, a duplicate
            or unordered date.
    """
    cells = _read_cells(path, SERIES_COLUMNS)
    values = _numbers(cells.columns["value"], _MISSING_VALUE)
    days, checks = _check_days(cells)
    _refuse_first_fault(cells, [*checks, _check_numbers(cells, "value", values)])
    return pd.DataFrame({"date": days, "value": values})


def read_events(path: Path, table: Table, required: Sequence[str], optional: Collection[str]) -> pd.DataFrame:
    """Read one table of events.

    Args:
        path: CSV of `required` and any of `optional`, in any order of columns and rows.
        table: what the file holds; it knows the kind of each column.
        required: columns that must be there.
        optional: columns that may be.

    Returns:
        Columns of the file, parsed: a blank text is "", a blank number NaN, a blank date or moment (UTC) NaT.

    Raises:
        InputError: an empty file, a missing or unknown column, a row of another width, an unparsable cell.
    """
    cells = _read_cells(path, required, optional)
    parsed, checks = {}, []
    for name, texts in cells.columns.items():
        parsed[name], check = _parse(cells, name, texts, {**table.columns, **table.later}[name])
        checks.append(check)
    _refuse_first_fault(cells, checks)
    return pd.DataFrame(parsed)


def _read_cells(path: Path, required: Sequence[str], optional: Collection[str] = ()) -> _Cells:
    text = _read_text(path)
    plain = _plain_cells(path, text, required, optional)
    if plain is not None:
        return plain
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True)
    try:
        rows = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: {error}; wanted a CSV file") from error
    if not rows:
        raise InputError(f"{path}: the file is empty, wanted the columns {','.join(required)}")
    header = [cell.strip() for cell in rows[0][1]]
    _check_header(path, rows[0][0], header, required, optional)
    if len(rows) == 1:
        raise InputError(f"{path}, line {rows[0][0]}: the file ends after the header, wanted at least one row")
    for line, row in rows[1:]:
        if len(row) != len(header):
            raise InputError(f"{path}, line {line}: {len(row)} cells, wanted the {len(header)} of the header")
    by_column = zip(*(row for _, row in rows[1:]), strict=True)
    return _Cells(path, dict(zip(header, by_column, strict=True)), tuple(line for line, _ in rows[1:]))


def _plain_cells(path: Path, text: str, required: Sequence[str], optional: Collection[str]) -> _Cells | None:
    """The cells of a file without quotes, spaces and blank lines, in a fraction of the time; None of any other."""
    if not _PLAIN_TEXT.fullmatch(text):
        return None
    lines = text.removesuffix("\n").split("\n")
    header, count = lines[0].split(","), len(lines) - 1
    if not count or {line.count(",") for line in lines} != {len(header) - 1}:
        return None
    _check_header(path, 1, header, required, optional)
    cells = ",".join(lines[1:]).split(",")
    columns = {name: tuple(cells[place :: len(header)]) for place, name in enumerate(header)}
    return _Cells(path, columns, tuple(range(2, count + 2)))


def _read_text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}, line {line}: {error.reason}; wanted text in UTF-8") from error


def _check_header(path: Path, line: int, header: list[str], required: Sequence[str], optional: Collection[str]) -> None:
    if missing := [name for name in required if name not in header]:
        raise InputError(
            f"{path}, line {line}: missing column {', '.join(missing)}: got {','.join(header)}, "
            f"wanted {','.join(required)}"
        )
    if unknown := [name for name in header if name not in {*required, *optional}]:
        raise InputError(
            f"{path}, line {line}: unknown column {', '.join(unknown)}, wanted {','.join(required)}; remove it"
        )
    if len(set(header)) != len(header):
        raise InputError(f"{path}, line {line}: a column stands twice: {','.join(header)}; remove one")


def _refuse_first_fault(cells: _Cells, checks: Sequence[_Check]) -> None:
    """Name the first line at fault; of faults on one line, that of the earlier check."""
    found = [(int(np.argmax(check.faults)), check) for check in checks if check.faults.any()]
    if found:
        row, check = min(found, key=lambda fault: fault[0])
        raise InputError(f"{cells.path}, line {cells.lines[row]}: {check.reason(row)}")


def _numbers(cells: Sequence[str], blanks: Collection[str] = ("",)) -> np.ndarray:
    """The numbers in cells, as `data.files.cells.number_in` has them: all at once where every cell is plainly one."""
    together = "".join(cells)
    if together.isascii() and not _NO_PLAIN_NUMBER.search(together):
        with suppress(ValueError):
            values = np.array([math.nan if cell in blanks else float(cell) for cell in cells])
            if not np.isinf(values).any():
                return values
    return np.array([number_in(cell, blanks) for cell in cells])


def _days(cells: Sequence[str]) -> np.ndarray:
    """The days in cells, NaT where one is none: all at once where each is plainly one."""
    if _ISO_DAYS.fullmatch(",".join(cells)):
        with suppress(ValueError):  # Such as the 31st of June.
            return np.array(cells, dtype="datetime64[D]").astype("datetime64[us]")
    return np.array([day_in(cell) for cell in cells], dtype="datetime64[us]")


def _check_days(cells: _Cells) -> tuple[np.ndarray, list[_Check]]:
    texts = cells.columns["date"]
    days = _days(texts)
    step = np.diff(days, prepend=np.datetime64("NaT", "us"))
    return days, [
        _Check(np.isnat(days), lambda row: f"date {texts[row]!r} is no day, wanted YYYY-MM-DD"),
        _Check(
            step == np.timedelta64(0), lambda row: f"date {texts[row]} stands twice, wanted one row a date; remove one"
        ),
        _Check(
            step < np.timedelta64(0),
            lambda row: f"date {texts[row]} stands after {texts[row - 1]}, wanted ascending dates; sort the rows",
        ),
    ]


def _check_numbers(cells: _Cells, name: str, values: np.ndarray) -> _Check:
    return _Check(
        np.isinf(values), lambda row: f"{name} {cells.columns[name][row]!r} is no number, wanted one or a blank cell"
    )


def _check_bars(cells: _Cells, fault: Fault) -> _Check:
    return _Check(
        fault.rows, lambda row: fault.words.format(**{name: cells.columns[name][row] for name in PRICE_COLUMNS})
    )


def _parse(cells: _Cells, name: str, texts: Sequence[str], kind: Kind) -> tuple[np.ndarray | ExtensionArray, _Check]:
    filled = np.array([text != "" for text in texts])
    if kind == "number":
        values = _numbers(texts)
        return values, _check_numbers(cells, name, values)
    if kind == "date":
        days = _days(texts)
        return days, _Check(np.isnat(days) & filled, lambda row: f"{name} {texts[row]!r} is no day, wanted YYYY-MM-DD")
    if kind == "time":
        moments = pd.to_datetime(
            pd.Series([text if MOMENT.fullmatch(text) else None for text in texts], dtype=object),
            format="ISO8601",
            utc=True,
            errors="coerce",
        )
        wrong = moments.isna().to_numpy() & filled
        wanted = "wanted one with its offset, as in 2026-01-31T22:00:00+00:00"
        return moments.array, _Check(wrong, lambda row: f"{name} {texts[row]!r} is no moment, {wanted}")
    if kind == "flag":
        flags = np.array([FLAGS.get(text.lower()) for text in texts])
        faults = np.array([flag is None for flag in flags])
        return flags, _Check(faults, lambda row: f"{name} {texts[row]!r} is no flag, wanted true or false")
    return np.array(texts, dtype=object), _Check(np.zeros(len(texts), dtype=bool), lambda row: "")
