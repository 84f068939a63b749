"""What changed from one snapshot to another: by instrument, series or company, since when, how often, by how much."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd

from data.catalogue.series import SeriesEntry
from data.market.snapshot import Snapshot
from data.market.tables import (
    ACTIONS,
    ASIDE_TABLES,
    BARS,
    COVERAGE,
    EVENT_TABLES,
    FILED,
    GUIDANCE,
    MEMBERSHIPS,
    PACES,
    SERIES,
    TABLES,
)

What = Literal["added", "removed", "changed"]

# The column that dates a row, where it is not `date` itself, and the one that names whom it is about.
_DATES = {table.name: "date" for table in (*TABLES, *ASIDE_TABLES)} | {
    "capex_actuals": "period_end",
    GUIDANCE.name: "announced_at",
    FILED.name: "filed_at",
    PACES.name: "announced_at",
    COVERAGE.name: "complete_from",
}
_NAMES = (
    {table.name: "symbol" for table in (BARS, ACTIONS, MEMBERSHIPS, *ASIDE_TABLES)}
    | {SERIES.name: "series"}
    | {table.name: "company" for table in (*EVENT_TABLES, FILED, PACES, COVERAGE)}
)
_SECONDS_A_DAY = 86_400
NAMED = 5  # names that a summary tells


@dataclass(frozen=True)
class Difference:
    """One way in which the rows of one name differ.

    Attributes:
        table: of the snapshot; "instruments", "series_entries" or "companies" for an entry of the catalogue.
        name: the instrument, series or company; "" where a row names none.
        what: whether rows are new, are gone, or have another value.
        column: of the values that changed; "" for rows that were added or removed.
        count: of rows.
        first: day of the first of them; None for an instrument's entry.
        last: day of the last.
        largest: the largest change, with its sign: of prices, volumes and amounts as a fraction of the old value, of a
            series in its unit, of a moment in days; None where no number became another.
        unit: of `largest`: "fraction", "days", or a series' unit; "" without it.
    """

    table: str
    name: str
    what: What
    column: str
    count: int
    first: date | None
    last: date | None
    largest: float | None = None
    unit: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it for machines; days as ISO text."""
        days = {"first": self.first and self.first.isoformat(), "last": self.last and self.last.isoformat()}
        return asdict(self) | days

    @property
    def largest_text(self) -> str:
        """The largest change, for people; a dash where there is none."""
        if self.largest is None:
            return "-"
        forms = {"fraction": "{:+.2%}", "days": "{:+.1f} days", "percent": "{:+g} percentage points"}
        return forms.get(self.unit, "{:+g} " + self.unit.replace("_", " ")).format(self.largest)

    @property
    def is_history(self) -> bool:
        """Whether it takes back something that was told before, instead of telling more."""
        return self.what != "added"


def differences(old: Snapshot, new: Snapshot) -> list[Difference]:
    """Compare two snapshots.

    Bars, actions and events are compared row by row. Of a series the newest value of each date is compared, and since
    when its first one was known: a revision keeps the older value beside it. Empty where both hold the same.

    Args:
        old: the snapshot before.
        new: the snapshot after.

    Returns:
        In the order of the tables, then by name; added rows, then removed ones, then columns that changed.
    """
    found: list[Difference] = []
    for table in (*TABLES, *ASIDE_TABLES):
        if table is SERIES:
            frames = _newest_values(old.series), _newest_values(new.series)
            units = {**old.catalogue.series, **new.catalogue.series}
            found += _compare(*frames, SERIES.name, ("series", "date"), ("value", "first_known_at"), units)
        else:
            columns = [name for name in table.columns if name not in table.key]
            found += _compare(old.table(table), new.table(table), table.name, table.key, columns)
    return [*found, *_instruments(old, new), *_other_entries(old, new)]


def summary(found: Sequence[Difference]) -> list[str]:
    """What two snapshots differ in, a sentence a kind of difference: how much of what, since when."""
    lines = []
    for what in ("added", "removed", "changed"):
        of_kind = [each for each in found if each.what == what]
        for table in dict.fromkeys(each.table for each in of_kind):
            parts = [each for each in of_kind if each.table == table]
            names = sorted({each.name or "-" for each in parts})
            rows = sum(each.count for each in parts)
            days = [day for each in parts for day in (each.first, each.last) if day is not None]
            span = f", {min(days)} to {max(days)}" if days else ""
            told = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
            unit = "value" if what == "changed" else "row"
            lines.append(
                f"{table.replace('_', ' ')}: {rows:,} {unit}{'' if rows == 1 else 's'} {what} in {len(names)} "
                f"({told}){span}."
            )
    return lines


def _newest_values(series: pd.DataFrame) -> pd.DataFrame:
    """One row a series and date: its newest value, and when its first was known."""
    # Rows are sorted by series, date and known_at.
    first = series.drop_duplicates(["series", "date"], keep="first")["known_at"]
    newest = series.drop_duplicates(["series", "date"], keep="last").drop(columns="known_at")
    return newest.assign(first_known_at=first.array)


def _compare(
    old: pd.DataFrame,
    new: pd.DataFrame,
    table: str,
    key: Sequence[str],
    columns: Sequence[str],
    series: Mapping[str, SeriesEntry] = MappingProxyType({}),
) -> list[Difference]:
    if old.equals(new):
        return []
    both = old.merge(new, on=list(key), how="outer", suffixes=("_old", "_new"), indicator=True)
    both["day"] = _days(both, _DATES[table])
    found: list[Difference] = []
    sides: tuple[tuple[What, str], ...] = (("added", "right_only"), ("removed", "left_only"))
    for what, side in sides:
        for name, rows in both[both["_merge"] == side].groupby(_NAMES[table]):
            found.append(_difference(rows["day"], table, str(name), what))
    kept = both[both["_merge"] == "both"]
    for column in columns:
        before, after = kept[f"{column}_old"], kept[f"{column}_new"]
        changed = (before != after) & ~(before.isna() & after.isna())
        for name, rows in kept[changed].groupby(_NAMES[table]):
            unit = _series_unit(series.get(str(name))) if table == SERIES.name else None
            size = _largest(before[rows.index], after[rows.index], unit)
            found.append(_difference(rows["day"], table, str(name), "changed", column, *size))
    return sorted(found, key=lambda each: each.name)


def _days(rows: pd.DataFrame, day: str) -> pd.Series:
    """The days of the rows; a column that is no part of the key stands twice after the merge."""
    return rows[day] if day in rows else rows[f"{day}_new"].fillna(rows[f"{day}_old"])


def _difference(
    days: pd.Series,
    table: str,
    name: str,
    what: What,
    column: str = "",
    largest: float | None = None,
    unit: str = "",
) -> Difference:
    return Difference(table, name, what, column, len(days), days.min().date(), days.max().date(), largest, unit)


def _series_unit(entry: SeriesEntry | None) -> str:
    return "unknown unit" if entry is None else entry.unit


def _largest(before: pd.Series, after: pd.Series, series_unit: str | None) -> tuple[float | None, str]:
    """The largest change with its sign, and its unit; none among texts and flags, nor from or to a blank.

    Values of a series, which may be near 0, change by a difference, other numbers by a fraction.
    """
    if isinstance(before.dtype, pd.DatetimeTZDtype) or before.dtype.kind == "M":
        change, unit = (after - before).dt.total_seconds() / _SECONDS_A_DAY, "days"
    elif before.dtype.kind == "f":
        change, unit = after - before, series_unit or "fraction"
        change = change if series_unit else change / before.abs()
    else:
        return None, ""
    sizes = change[np.isfinite(change)].to_numpy()
    return (float(sizes[np.abs(sizes).argmax()]), unit) if len(sizes) else (None, "")


def _instruments(old: Snapshot, new: Snapshot) -> Iterator[Difference]:
    """Entries of the catalogue that are not the same."""
    for symbol in sorted({*old.instruments, *new.instruments}):
        before, after = old.instruments.get(symbol), new.instruments.get(symbol)
        if before is None or after is None:
            yield Difference("instruments", symbol, "added" if before is None else "removed", "", 1, None, None)
        else:
            # What a snapshot does not keep of the catalogue's entry is no difference.
            kept = before.model_dump()
            fields = [name for name, value in after.model_dump().items() if value != kept[name]]
            if fields:
                yield Difference("instruments", symbol, "changed", ", ".join(fields), 1, None, None)


def _other_entries(old: Snapshot, new: Snapshot) -> Iterator[Difference]:
    """Entries of series and companies that both have, and that are not the same."""
    for table in ("series_entries", "companies"):
        before, after = getattr(old, table), getattr(new, table)
        for name in sorted({*before} & {*after}):
            kept = before[name].model_dump()
            fields = [key for key, value in after[name].model_dump().items() if value != kept[key]]
            if fields:
                yield Difference(table, name, "changed", ", ".join(fields), 1, None, None)
