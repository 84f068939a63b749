"""The world as it was known at a moment: values, results, guidance and events, each with its age and source.

What became known later is in none of it, except in `known_later`, which tells nothing else.
"""

from dataclasses import dataclass

import pandas as pd

from data.errors import InputError
from data.events.timeline import GUIDED, RESULT, event_timeline
from data.market.snapshot import Snapshot

WEEK = pd.Timedelta(days=7)
STANDING = pd.Timedelta(days=365)
"""How long an event of funding or policy stands among those that are told first."""

VALUE_COLUMNS = ("series", "date", "value", "unit", "known_at", "age_days", "is_stale", "source")
EVENT_COLUMNS = (
    *("date", "company", "kind", "about", "low_usd_bn", "high_usd_bn", "counts", "known_at", "age_days"),
    *("confidence", "source", "by_user", "stands"),
)
PUBLISHED_COLUMNS = ("known_at", "name", "what", "about", "value", "is_revision")
LATER_COLUMNS = ("known_at", "name", "what", "about", "then", "now")

# The end of the period that guidance is about, as the time-line writes it.
_PERIOD = r", to (\d{4}-\d{2})$"


@dataclass(frozen=True)
class AsKnown:
    """What was known at a moment.

    Attributes:
        moment: UTC.
        values: `VALUE_COLUMNS`: of each series its newest value. ``date`` is what it is about (naive), ``age_days`` the
            whole days since then, ``is_stale`` whether it is older than the catalogue lets it be used.
        events: `EVENT_COLUMNS`: every result, guidance and event, in order of ``known_at``. ``date`` is that of the
            announcement or act. ``stands``: the newest result of a company, the newest guidance about each period that
            is not over, and other events of the last year.
        published: `PUBLISHED_COLUMNS`: what became known in the seven days before, in order of time; ``is_revision`` of
            a value whose date had another before.
    """

    moment: pd.Timestamp
    values: pd.DataFrame
    events: pd.DataFrame
    published: pd.DataFrame


def as_known(snapshot: Snapshot, moment: pd.Timestamp) -> AsKnown:
    """Tell what a market knew at a moment.

    Args:
        snapshot: of the market.
        moment: UTC.

    Raises:
        InputError: it is before everything that the market knows.
    """
    known = _known(snapshot.series, moment)
    timeline = event_timeline(snapshot)
    told = timeline[timeline["known_at"] <= moment]
    if known.empty and told.empty:
        first = pd.concat([snapshot.series["known_at"], timeline["known_at"]]).min()
        since = "it knows of nothing" if pd.isna(first) else f"it begins at {first:%Y-%m-%d %H:%M} UTC"
        raise InputError(f"got {moment:%Y-%m-%d %H:%M} UTC, before market {snapshot.name} knew anything; {since}")
    day = moment.tz_convert(None).normalize()
    return AsKnown(
        moment=moment,
        values=_values(snapshot, known, day),
        events=_events(told, day),
        published=_published(known, told, moment),
    )


def known_later(snapshot: Snapshot, moment: pd.Timestamp) -> pd.DataFrame:
    """Tell what a market knows of the days up to a moment that was not known then, or was known otherwise.

    Returns:
        `LATER_COLUMNS`, in order of ``known_at``: ``then`` and ``now`` are values as text; ``then`` is blank where
        nothing was known.
    """
    day = moment.tz_convert(None).normalize()
    past = snapshot.series[snapshot.series["date"] <= day]
    now = past.drop_duplicates(["series", "date"], keep="last")
    then = _known(past, moment).drop_duplicates(["series", "date"], keep="last")
    both = now.merge(then[["series", "date", "value"]], on=["series", "date"], how="left", suffixes=("", "_then"))
    changed = both[(both["known_at"] > moment) & both["value"].notna() & (both["value"] != both["value_then"])]
    values = pd.DataFrame(
        {
            "known_at": changed["known_at"],
            "name": changed["series"],
            "what": "value",
            "about": changed["date"].dt.strftime("%Y-%m-%d"),
            "then": changed["value_then"].map(_number),
            "now": changed["value"].map(_number),
        }
    )
    timeline = event_timeline(snapshot)
    events = timeline[(timeline["known_at"] > moment) & (timeline["date"] <= day)]
    told = pd.DataFrame(
        {
            "known_at": events["known_at"],
            "name": events["company"],
            "what": events["kind"],
            "about": events["about"],
            "then": "",
            "now": [_range(low, high) for low, high in events[["low_usd_bn", "high_usd_bn"]].to_numpy()],
        }
    )
    return _in_order([values, told], LATER_COLUMNS)


def _known(series: pd.DataFrame, moment: pd.Timestamp) -> pd.DataFrame:
    return series[series["known_at"] <= moment]


def _values(snapshot: Snapshot, known: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    # Rows are sorted by series, date and known_at; a date whose newest value is blank has none.
    newest = known.drop_duplicates(["series", "date"], keep="last").dropna(subset="value")
    newest = newest.drop_duplicates("series", keep="last").reset_index(drop=True)
    entries = snapshot.catalogue.series
    age = (day - newest["date"]).dt.days
    limits = newest["series"].map({name: entry.stale_after_days for name, entry in entries.items()}).astype(float)
    return newest.assign(
        unit=newest["series"].map({name: entry.unit for name, entry in entries.items()}).fillna(""),
        source=newest["series"].map({name: entry.source for name, entry in entries.items()}).fillna(""),
        age_days=age,
        is_stale=(age > limits).to_numpy(dtype=bool),
    )[list(VALUE_COLUMNS)]


def _events(told: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    events = told.assign(age_days=(day - told["date"]).dt.days)
    is_result, is_guidance = events["kind"] == RESULT, events["kind"] == GUIDED
    of_quarter = events["about"].str.split(" ", n=1).str[1].where(is_result, "")
    newest = ~events.assign(figure=of_quarter)[is_result].duplicated(["company", "figure"], keep="last")
    period = events["about"].str.extract(_PERIOD, expand=False)
    ahead = pd.to_datetime(period, format="%Y-%m") + pd.offsets.MonthEnd(0) >= day
    last = ~events.assign(period=period)[is_guidance].duplicated(["company", "period"], keep="last")
    stands = (events["age_days"] <= STANDING.days) & ~is_result & ~is_guidance
    stands |= newest.reindex(events.index, fill_value=False) | (last.reindex(events.index, fill_value=False) & ahead)
    return events.assign(stands=stands.astype(bool))[list(EVENT_COLUMNS)].reset_index(drop=True)


def _published(known: pd.DataFrame, told: pd.DataFrame, moment: pd.Timestamp) -> pd.DataFrame:
    before = known.duplicated(["series", "date"], keep="first")
    of_week = known["known_at"] > moment - WEEK
    rows = known[of_week]
    values = pd.DataFrame(
        {
            "known_at": rows["known_at"],
            "name": rows["series"],
            "what": "value",
            "about": rows["date"].dt.strftime("%Y-%m-%d"),
            "value": rows["value"].map(_number),
            "is_revision": before[of_week],
        }
    )
    events = told[told["known_at"] > moment - WEEK]
    announced = pd.DataFrame(
        {
            "known_at": events["known_at"],
            "name": events["company"],
            "what": events["kind"],
            "about": events["about"],
            "value": [_range(low, high) for low, high in events[["low_usd_bn", "high_usd_bn"]].to_numpy()],
            "is_revision": False,
        }
    )
    return _in_order([values, announced], PUBLISHED_COLUMNS)


def _in_order(parts: list[pd.DataFrame], columns: tuple[str, ...]) -> pd.DataFrame:
    rows = pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)
    return rows.sort_values(["known_at", "what", "name", "about"], kind="stable", ignore_index=True)[list(columns)]


def _number(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.10g}"


def _range(low: float, high: float) -> str:
    low_text, high_text = _number(low), _number(high)
    if low_text and high_text:
        return low_text if low == high else f"{low_text} to {high_text}"
    return f"from {low_text}" if low_text else f"up to {high_text}" if high_text else ""
