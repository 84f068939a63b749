"""What is odd in one macro series."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from data.catalogue.ranges import range_text, series_range
from data.catalogue.series import SeriesEntry
from data.market.units import outside
from data.quality.findings import Days, Finding, on_days, part_of_year, short_findings
from data.quality.moves import FAR, alone, taken_back, usual_moves

_DAYS_OF_A_YEAR, _OBSERVATIONS_OF_A_YEAR = 365, 252
# What is less is no fault, in a series that hardly moves: percentage points, and else a part of the value before.
_POINTS, _PART = 0.3, 0.25


@dataclass(frozen=True)
class Gap:
    """A stretch without an observation.

    Attributes:
        days: calendar days from the one observation to the next.
        first: day of the observation before it.
        last: day of the observation after it.
    """

    days: int
    first: date
    last: date


def largest_gap(days: pd.DatetimeIndex) -> Gap:
    """Return the longest stretch from one of these days to the next; the earliest of equal ones.

    Args:
        days: naive dates, ascending, two or more.
    """
    steps = np.diff(days.to_numpy())
    at = int(steps.argmax())
    first, last = days[at], days[at + 1]
    return Gap((last - first).days, first.date(), last.date())


def newest_values(observations: pd.DataFrame) -> pd.DataFrame:
    """Return of one series the newest value of each date; they are in order of date, and of when they were known."""
    dates = observations["date"].to_numpy()
    is_last = np.append(dates[1:] != dates[:-1], True)
    return observations if is_last.all() else observations[is_last]


def series_findings(
    series: str, rows: pd.DataFrame, entry: SeriesEntry, newest: pd.Timestamp, span: Days
) -> Iterator[Finding]:
    """Check one macro series.

    Args:
        series: its name.
        rows: ``date`` and ``value``, one row a date, in order.
        entry: of the catalogue.
        newest: the newest day that counts.
        span: the days that are told.
    """
    days = pd.DatetimeIndex(rows["date"])
    inside = span.hold(days)
    limit, plausible = entry.stale_after_days, series_range(entry)
    if plausible is not None:
        text = f"values outside {range_text(plausible)}, in no likely unit"
        yield from on_days(series, "implausible", days[outside(rows["value"], plausible) & inside], text, sizes=1.0)
    blank = rows["value"].isna().to_numpy()
    yield from on_days(series, "blank_cells", days[blank & inside], "blank value", "value")
    # Filings tell a few figures a year, which may well rise and fall, and were compared where they were read.
    if entry.publication != "filing":
        yield from _spikes(series, days[~blank], rows["value"].to_numpy()[~blank], entry, inside[~blank])
        yield from short_findings(series, days)
    valued = days[~blank & (days <= newest)]
    if len(valued) and (age := (newest - valued[-1]).days) > limit:
        text = f"stale: its last value is {age} days old on the newest day, at most {limit} may pass"
        size = part_of_year(age - limit, _DAYS_OF_A_YEAR)
        yield Finding(series, "stale", age, valued[-1].date(), newest.date(), text, size=size)
    # What ends before the span is of no use in it; the value before it is.
    valued = valued[max(int(valued.searchsorted(span.first)) - 1, 0) :]
    yield from _long_gaps(series, valued, limit)


def _long_gaps(series: str, valued: pd.DatetimeIndex, limit: int) -> Iterator[Finding]:
    """The stretches without a value that are longer than it may be old, in one finding."""
    steps = (np.diff(valued.to_numpy()) / np.timedelta64(1, "D")).astype(int)
    long = np.flatnonzero(steps > limit)
    if len(long):
        most, lacking = int(steps.max()), int((steps[long] - limit).sum())
        several = f"; {len(long)} such gaps in all" if len(long) > 1 else ""
        text = f"its largest gap is {most} days, at most {limit} may pass{several}"
        first, last = valued[long[0]].date(), valued[long[-1] + 1].date()
        size = part_of_year(lacking, _DAYS_OF_A_YEAR)
        yield Finding(series, "long_gap", most, first, last, text, size=size)


def _spikes(
    series: str, days: pd.DatetimeIndex, values: np.ndarray, entry: SeriesEntry, inside: np.ndarray
) -> Iterator[Finding]:
    """Values far from those beside them, which one of the few after takes back; what stays may be news."""
    if len(values) < 3:
        return
    moves = np.diff(values, prepend=np.nan)
    least = _POINTS if entry.unit == "percent" else _PART * np.abs(np.append(np.nan, values[:-1]))
    bound = np.fmax(FAR * usual_moves(moves), least)
    places = [each for each in taken_back(moves, bound).tolist() if inside[each] and alone(moves, each) > bound[each]]
    if places:
        largest = max(places, key=lambda place: abs(moves[place]))
        text = f"values that those after take back (the largest {moves[largest]:+.6g} on {days[largest].date()})"
        size = part_of_year(len(places), _OBSERVATIONS_OF_A_YEAR)
        yield from on_days(series, "outlier", days[places], text, sizes=size)
