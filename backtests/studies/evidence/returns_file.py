"""A file of daily returns that anything has made: a day a row, a column a portfolio."""

import math
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data.clock import FIRST_DAY, LAST_DAY, sessions_between
from data.errors import InputError
from data.files.cells import day_in, number_in
from data.files.known_rows import rows_by_line

BILL = "risk_free"
# Days without a row between two rows; the longest time without a session since 1950 were the days after 2001-09-10.
LONGEST = 10
# Days between two rows on average; between NYSE sessions there are 1.45.
SPARSEST = 2.0
# Of a day; above it the column is that of a year.
DEAREST_BILL = 0.001
# Daily deviations above it are those of percents.
WILD = 0.2
LARGEST = 256_000_000


def read_returns_file(path: Path) -> pd.DataFrame:
    """Read daily returns, a column each, by day.

    The first column, or the index of a Parquet file, is the day. A column ``risk_free`` is what the returns are over.

    Args:
        path: a CSV or a Parquet file.

    Returns:
        At least two columns of fractions, by day, each once and ascending, without a missing one.

    Raises:
        InputError: the first fault, with its line or day.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"got {path} of {path.stat().st_size:,} bytes, wanted at most {LARGEST:,}")
        table = _parquet(path) if path.suffix == ".parquet" else _csv(path, path.read_bytes())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}; wanted a CSV or a Parquet file") from error
    if len(table.columns) - (BILL in table) < 2:
        raise InputError(
            f"{path}: got {len(table.columns)} column of returns, wanted two at least: the strategy and a rival, such "
            "as what it would have been without its signal"
        )
    _require_returns(path, table)
    _require_daily_bill(path, table)
    _require_no_gap(path, pd.DatetimeIndex(table.index))
    return table


def chosen_columns(table: pd.DataFrame, strategy: str | None, rival: str | None) -> tuple[pd.DataFrame, str, list[str]]:
    """Put the strategy first.

    Args:
        table: as `read_returns_file` gives it.
        strategy: name of its column; None: the first.
        rival: name of the one that matters; None: the second.

    Returns:
        The returns with the column ``strategy`` in the place of its own, the rival that matters, and the others.

    Raises:
        InputError: no such column, or one for both.
    """
    names = [str(name) for name in table if name != BILL]
    own = names[0] if strategy is None else strategy
    left = [name for name in names if name != own]
    main = left[0] if rival is None else rival
    for what, name in (("strategy", own), ("rival", main)):
        if name not in names:
            raise InputError(f"got {name} for {what}, wanted one of the columns {', '.join(names)}")
    if own == main:
        raise InputError(f"got {own} for strategy and rival, wanted two columns of {', '.join(names)}")
    others = [name for name in left if name != main]
    returns = table[[own, main, *others]].rename(columns={own: "strategy"})
    if "strategy" in (main, *others):
        raise InputError(f"got the column strategy as a rival of {own}, wanted another name; rename it in the file")
    return returns, main, others


def _csv(path: Path, content: bytes) -> pd.DataFrame:
    rows = rows_by_line(path, content)
    header = rows[0][1] if rows else []
    if len(header) < 2 or len(set(header)) < len(header) or len(rows) < 2:
        raise InputError(
            f"{path}, line 1: got the columns {','.join(header) or 'none'} and {max(len(rows) - 1, 0)} rows, wanted "
            "the day, then a column of returns each, each once, and rows"
        )
    days: list[date] = []
    values: list[list[float]] = []
    for line, row in rows[1:]:
        if len(row) != len(header):
            raise InputError(f"{path}, line {line}: got {len(row)} cells, wanted {len(header)}")
        day = day_in(row[0][:10])
        if day is None:
            raise InputError(f"{path}, line {line}: got {row[0]!r}, wanted a day, as in 2026-01-31")
        if days and day <= days[-1]:
            raise InputError(f"{path}, line {line}: got {day} after {days[-1]}, wanted ascending days, each once")
        days.append(day)
        values.append([_return_in(path, line, cell, name) for cell, name in zip(row[1:], header[1:], strict=True)])
    return pd.DataFrame(values, pd.DatetimeIndex(days, name="session"), header[1:])


def _return_in(path: Path, line: int, cell: str, name: str) -> float:
    value = number_in(cell)
    if not math.isfinite(value):
        raise InputError(
            f"{path}, line {line}: {name}: got {cell[:40]!r}, wanted a return as a number, on every day; leave out "
            "days on which one of them has none"
        )
    return value


def _parquet(path: Path) -> pd.DataFrame:
    import pyarrow as pa

    try:
        table = pd.read_parquet(path)
    except (ValueError, pa.ArrowException) as error:
        raise InputError(f"{path} cannot be read as Parquet: {' '.join(str(error).split())[:200]}") from error
    if not isinstance(table.index, pd.DatetimeIndex) and len(table.columns):
        table = table.set_index(table.columns[0])
    days = _days_of(path, table.index)
    table = table.set_axis(days).set_axis([str(name) for name in table], axis=1)
    if table.columns.has_duplicates:
        raise InputError(f"{path}: got two columns of one name, wanted each once")
    for name in table:
        if not pd.api.types.is_numeric_dtype(table[name]) or pd.api.types.is_bool_dtype(table[name]):
            raise InputError(f"{path}: {name}: got values of the type {table[name].dtype}, wanted returns as numbers")
    table = table.astype("float64")
    bad = ~np.isfinite(table.to_numpy())
    if bad.any():
        row, column = (int(each[0]) for each in np.nonzero(bad))
        raise InputError(
            f"{path}, {days[row].date()}: {table.columns[column]}: got no number, wanted a return on every day; leave "
            "out days on which one of them has none"
        )
    if len(days) and not (days.is_monotonic_increasing and days.is_unique):
        raise InputError(f"{path}: got days that do not ascend, wanted each day once, in order")
    return table


def _days_of(path: Path, index: pd.Index) -> pd.DatetimeIndex:
    """Days that stand as moments, as days or as text."""
    if isinstance(index, pd.DatetimeIndex):
        moments = index.tz_localize(None) if index.tz is not None else index
        days: list[Any] = list(moments.normalize())
    else:
        days = [day_in(str(each)[:10]) for each in index]
    if strange := [name for name, day in zip(index, days, strict=True) if day is None or day is pd.NaT]:
        raise InputError(f"{path}: got {str(strange[0])[:40]!r}, wanted a day in the first column, as in 2026-01-31")
    return pd.DatetimeIndex(days, name="session")


def _require_returns(path: Path, table: pd.DataFrame) -> None:
    for name in table:
        values = table[name].to_numpy()
        at = int(np.argmax(np.abs(values)))
        if values.min() < -1.0 or values.max() > 1.0 or values.std() > WILD:
            raise InputError(
                f"{path}, {table.index[at].date()}: {name}: got {values[at]:g}, wanted daily returns as fractions, "
                "such as 0.012; divide percents by 100"
            )


def _require_daily_bill(path: Path, table: pd.DataFrame) -> None:
    if BILL in table and (mean := float(table[BILL].mean())) > DEAREST_BILL:
        raise InputError(
            f"{path}: {BILL}: got {mean:g} on average, wanted what the bill brings in one day, such as 0.0002; "
            "divide a yearly rate by 252"
        )


def _require_no_gap(path: Path, days: pd.DatetimeIndex) -> None:
    """Of NYSE sessions none may be missing; of other days none for long."""
    if days[0] >= FIRST_DAY and days[-1] <= LAST_DAY:
        sessions = sessions_between(days[0], days[-1])
        if days.isin(sessions).all():
            missing = sessions.difference(days)
            if len(missing):
                raise InputError(
                    f"{path}: got no row for {missing[0].date()} and {len(missing) - 1} more NYSE sessions, wanted all "
                    f"from {days[0].date()} to {days[-1].date()}"
                )
            return
    steps = np.diff(days.to_numpy()) / np.timedelta64(1, "D")
    if len(steps) and steps.max() > LONGEST:
        at = int(np.argmax(steps))
        raise InputError(
            f"{path}: got no row between {days[at].date()} and {days[at + 1].date()}, wanted daily returns without gaps"
        )
    if len(steps) and steps.mean() > SPARSEST:
        raise InputError(
            f"{path}: got a row every {steps.mean():.1f} days, wanted daily returns: a year is reckoned as 252 of them"
        )
