"""Macro series from FRED: its CSV download, which wants no key; with a key, the vintages of series that are revised.

Each value becomes known by the publication rule of `data.catalogue.publication`: the download tells what a value is
about, and not when it was published.
"""

import os

import numpy as np
import pandas as pd

from data.catalogue.publication import publication_times
from data.catalogue.series import SeriesEntry, series_entry
from data.net.errors import SourceError, StatusError
from data.net.http import get
from data.net.settings import SourceSettings
from data.sources.answers import SeriesAnswer
from data.sources.fred_vintages import fetch_vintages

KEY_VARIABLE = "FRED_API_KEY"

_DATE_COLUMNS = ("observation_date", "DATE")  # Since December 2024, and before.
_BLANKS = (".", "")
_ICE_PREFIX = "BAML"
# Words of FRED's API.
_NOT_ARCHIVED = "does not exist in ALFRED"
_KEY_PARAMETER = "api_key"


def fetch_series(
    name: str,
    first: pd.Timestamp,
    settings: SourceSettings,
    now: pd.Timestamp | None = None,
    entry: SeriesEntry | None = None,
) -> SeriesAnswer:
    """Fetch a series from one date to its end.

    A series that is revised comes with its vintages where the environment has FRED_API_KEY and FRED archives it, and
    else with the values of today and a note.

    Args:
        name: as FRED and the catalogue have it.
        first: naive date of the first observation that is wanted.
        settings: how to ask.
        now: UTC; default the clock's.
        entry: of the series; default the shipped one.

    Raises:
        SourceError: no answer, or one that is not this series in the form that we know.
        InputError: the series is not in the catalogue.
    """
    entry = entry or series_entry(name)
    if not entry.at_fred:
        raise SourceError(
            f"FRED: {name}: FRED does not have it ({entry.source} has); import it from a file, by --macro"
        )
    now = now or pd.Timestamp.now("UTC")
    key = os.environ.get(KEY_VARIABLE)
    rows, notes = _vintages(name, first, key, entry, settings) if entry.revised and key else (None, [])
    if rows is None:
        rows = _download(name, first, entry, settings)
        if entry.revised:
            why = f"set {KEY_VARIABLE}" if not key else "FRED archives no vintages of it"
            notes = [f"values of today, of a series that is revised: its past was not known so; {why}"]
    return SeriesAnswer(name, rows, (*notes, *_span_notes(name, rows, first, now, entry)))


def _vintages(
    name: str, first: pd.Timestamp, key: str, entry: SeriesEntry, settings: SourceSettings
) -> tuple[pd.DataFrame | None, list[str]]:
    """The vintages and notes; no rows where the archive does not have the series."""
    try:
        return fetch_vintages(name, first, key, entry.publication, settings)
    except StatusError as error:
        if _NOT_ARCHIVED in error.told:
            return None, []
        if _KEY_PARAMETER in error.told:
            raise SourceError(
                f"FRED: got a key that FRED does not take ({error.told}); correct {KEY_VARIABLE}, or unset it to go "
                "without vintages"
            ) from None
        raise


def _download(name: str, first: pd.Timestamp, entry: SeriesEntry, settings: SourceSettings) -> pd.DataFrame:
    body = get(
        settings.fred_graph_url,
        {"id": name, "cosd": f"{first:%Y-%m-%d}"},
        settings,
        source="FRED",
        wanted="CSV",
        per_second=settings.fred_per_second,
    )
    rows = _parsed(body, name)
    return rows.assign(known_at=publication_times(pd.DatetimeIndex(rows["date"]), entry.publication))


def _parsed(body: bytes, name: str) -> pd.DataFrame:
    text = body.decode("utf-8-sig", "replace")
    if not text.strip():
        raise SourceError(f"FRED: {name}: got an empty answer; try again later", retry_later=True)
    lines = text.splitlines()
    header = tuple(lines[0].split(","))
    if header not in {(column, name) for column in _DATE_COLUMNS}:
        raise SourceError(
            f"FRED: {name}: got the columns {lines[0][:80]}, wanted {_DATE_COLUMNS[0]},{name}; "
            "the download is of another series, or has a new form"
        )
    if not text.endswith("\n"):
        raise SourceError(f"FRED: {name}: cut off after the line {lines[-1]!r}; try again later", retry_later=True)
    cells = [line.split(",") for line in lines[1:]]
    values = [cell[1].strip() if len(cell) == 2 else "another width" for cell in cells]
    blank = np.isin(values, _BLANKS) if values else np.zeros(0, dtype=bool)
    rows = pd.DataFrame(
        {
            "date": pd.to_datetime(
                pd.Series([cell[0] for cell in cells], dtype=str), format="%Y-%m-%d", errors="coerce"
            ),
            "value": pd.to_numeric(pd.Series(values, dtype=str).mask(blank), errors="coerce").astype(float),
        }
    )
    wrong = rows["date"].isna() | (np.isinf(rows["value"]) | rows["value"].isna()) & ~blank
    if wrong.any():
        line = int(wrong.to_numpy().argmax()) + 1
        raise SourceError(f"FRED: {name}: line {line + 1} is {lines[line][:80]!r}, wanted a date and a value")
    if not rows["date"].is_monotonic_increasing or not rows["date"].is_unique:
        raise SourceError(f"FRED: {name}: got dates out of order or twice, wanted them ascending")
    return rows.assign(date=rows["date"].astype("datetime64[us]"))


def _span_notes(name: str, rows: pd.DataFrame, first: pd.Timestamp, now: pd.Timestamp, entry: SeriesEntry) -> list[str]:
    """What a person should know of the days that came; `SourceError` where there is no value at all."""
    with_value = rows.loc[rows["value"].notna(), "date"]
    if with_value.empty:
        raise SourceError(f"FRED: {name}: got no value from {first.date()} on ({len(rows)} blank), wanted some")
    notes = []
    begins, ends = with_value.min(), with_value.max()
    stale = pd.Timedelta(days=entry.stale_after_days)
    if begins > first + stale:
        reason = "FRED has only the last three years of the ICE series; older rows stay as the market has them"
        asked = f"asked from {first.date()}, begins on {begins.date()}"
        notes.append(f"{asked}: {reason}" if name.startswith(_ICE_PREFIX) else asked)
    if ends + stale < now.tz_convert(None):
        notes.append(f"no value after {ends.date()}, {(now.tz_convert(None) - ends).days} days ago")
    blanks = rows["date"].nunique() - with_value.nunique()
    if blanks:
        notes.append(f"{blanks} of {rows['date'].nunique()} dates are blank")
    return notes
