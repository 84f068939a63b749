"""Vintages from FRED's API: every value that an observation has had, with the day from which it had it."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from data.catalogue.publication import PublicationRule, publication_times
from data.net.errors import SourceError
from data.net.http import get
from data.net.settings import SourceSettings

# The API refuses a question about more vintages than this.
MOST_VINTAGES = 2000
_MOST_ROWS = {"vintage_dates": 10_000, "observations": 100_000}
# A vintage has a date and no hour; as for the publication rules, it is out by then.
_EVENING = pd.Timedelta(hours=22)


def fetch_vintages(
    name: str, first: pd.Timestamp, key: str, rule: PublicationRule, settings: SourceSettings
) -> tuple[pd.DataFrame, list[str]]:
    """Fetch every value that each observation from one date on has had.

    A value is known from the evening of its vintage on. Only for the archive's first vintage, which may be decades
    younger than what it tells of, the publication rule counts where it is earlier; what was published then may have
    been another value, which a note says.

    Args:
        name: of the series.
        first: naive date of the first observation that is wanted.
        key: of the API; it is in no error.
        rule: of publication.
        settings: how to ask.

    Returns:
        ``date``, ``value`` (NaN for a blank), ``known_at`` (UTC), sorted, a row for each change of a value; and notes.

    Raises:
        SourceError: no answer, or one that is not of the documented form.
    """
    series = {"series_id": name, "api_key": key, "file_type": "json"}
    vintages = _all("vintage_dates", "series/vintagedates", series, settings)
    told: list[Any] = []
    for begin in range(0, len(vintages), MOST_VINTAGES):
        some = vintages[begin : begin + MOST_VINTAGES]
        period = {"realtime_start": some[0], "realtime_end": some[-1], "observation_start": f"{first:%Y-%m-%d}"}
        told += _all("observations", "series/observations", {**series, **period}, settings)
    if not told:
        raise SourceError(f"FRED: {name}: got no vintages from {first.date()} on, wanted some")
    try:
        archive_began = pd.Timestamp(vintages[0])
        rows = _changes(told)
    except (KeyError, TypeError, ValueError) as error:
        raise _another_form(name, error) from None
    return _dated(rows, archive_began, rule)


def _all(field: str, path: str, params: Mapping[str, str], settings: SourceSettings) -> list[Any]:
    """Every row of an answer that comes by pages."""
    rows: list[Any] = []
    name, limit = params["series_id"], str(_MOST_ROWS[field])
    while True:
        body = get(
            f"{settings.fred_api_url}/{path}",
            {**params, "limit": limit, "offset": str(len(rows))},
            settings,
            source="FRED",
            wanted="JSON",
            per_second=settings.fred_per_second,
        )
        try:
            answer = json.loads(body)
            page, count = list(answer[field]), int(answer["count"])
        except (KeyError, RecursionError, TypeError, ValueError) as error:
            raise _another_form(name, error) from None
        rows += page
        if len(rows) >= count:
            return rows
        if not page:
            raise SourceError(f"FRED: {name}: got {len(rows)} {field} of {count}; try again later", retry_later=True)


def _changes(told: list[Any]) -> pd.DataFrame:
    """The values as rows of ``date``, ``value`` and ``vintage``, each only where it changes.

    The API begins each value no earlier than the period that was asked for, so a value that lasts from one period into
    the next is told in both.
    """
    rows = pd.DataFrame(
        {
            "date": pd.to_datetime([row["date"] for row in told], format="%Y-%m-%d").as_unit("us"),
            "value": np.array([np.nan if row["value"] == "." else float(row["value"]) for row in told]),
            "vintage": pd.to_datetime([row["realtime_start"] for row in told], format="%Y-%m-%d").as_unit("us"),
        }
    ).sort_values(["date", "vintage"], kind="stable", ignore_index=True)
    before = rows.groupby("date").shift()
    same = (rows["value"] == before["value"]) | (rows["value"].isna() & before["value"].isna())
    return rows[before["vintage"].isna() | ~same]


def _dated(rows: pd.DataFrame, archive_began: pd.Timestamp, rule: PublicationRule) -> tuple[pd.DataFrame, list[str]]:
    by_rule = pd.Series(publication_times(pd.DatetimeIndex(rows["date"]), rule), index=rows.index)
    by_vintage = (rows["vintage"] + _EVENING).dt.tz_localize("UTC")
    older = (rows["vintage"] == archive_began) & (by_rule < by_vintage)
    known_at = by_vintage.mask(older, by_rule)
    notes = []
    if older.any():
        notes.append(
            f"{int(older.sum())} dates have the value of {archive_began.date()}, the first day that is archived; "
            "another one may have been published before"
        )
    return rows.assign(known_at=known_at)[["date", "value", "known_at"]].reset_index(drop=True), notes


def _another_form(name: str, error: Exception) -> SourceError:
    return SourceError(f"FRED: {name}: got an answer of another form ({type(error).__name__}: {error}), or cut off")
