"""The world as it was known at a moment, in rows for people."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from data.events.timeline import GUIDED, RESULT, amount_text
from data.quality.as_known import AsKnown
from reverse_qe.tables import Column

Row = tuple[object, ...]
VALUE_HEAD = ("series", "value", "unit", "about", "age in days", "known (UTC)", "source")
# What was told, and how much, stays where there is no room for all.
EVENT_HEAD = (
    Column("company"),
    Column("kind"),
    Column("about", prose=True),
    Column("USD bn"),
    Column("told", 1),
    Column("age in days", 3),
    Column("known (UTC)", 2),
    Column("confidence", 4),
    Column("source", 5, prose=True),
)
PUBLISHED_HEAD = (
    Column("known (UTC)", 1),
    Column("name"),
    Column("what"),
    Column("about", prose=True),
    Column("value"),
)
LATER_HEAD = (
    Column("known (UTC)", 1),
    Column("name"),
    Column("what"),
    Column("about", prose=True),
    Column("then"),
    Column("now"),
)


def value_rows(known: AsKnown) -> list[Row]:
    """The newest value of each series; one that is too old to use is marked."""
    return [
        (
            row.series,
            f"{row.value:,.10g}",
            row.unit,
            row.date.date(),
            f"{row.age_days}{' STALE' if row.is_stale else ''}",
            _moment(row.known_at),
            row.source,
        )
        for row in _each(known.values)
    ]


def event_rows(known: AsKnown, kinds: Sequence[str]) -> list[Row]:
    """The events that stand, of some kinds; none of them: of every kind but results and guidance."""
    rows = known.events[known.events["stands"]]
    of_kind = rows["kind"].isin(list(kinds)) if kinds else ~rows["kind"].isin([RESULT, GUIDED])
    return [
        (
            row.company,
            row.kind,
            row.about,
            amount_text(row.low_usd_bn, row.high_usd_bn),
            row.date.date(),
            row.age_days,
            _moment(row.known_at),
            row.confidence,
            row.source + (f" (by you: {row.by_user})" if row.by_user else ""),
        )
        for row in _each(rows[of_kind].sort_values(["company", "date"], kind="stable"))
    ]


def published_rows(known: AsKnown) -> list[Row]:
    """What became known in the week before: every event, and of each series the newest value and how many came."""
    rows = known.published
    values = rows[rows["what"] == "value"]
    counted = values.groupby("name").size()
    newest = values.drop_duplicates("name", keep="last")
    revised = values[values["is_revision"]].groupby("name").size()
    lines = [
        (
            _moment(row.known_at),
            row.name,
            row.what
            + (f", {counted[row.name]} of them" if counted[row.name] > 1 else "")
            + (f", {revised[row.name]} revised" if row.name in revised.index else ""),
            row.about,
            _figure(row.value),
        )
        for row in _each(newest)
    ]
    events = [
        (_moment(row.known_at), row.name, row.what, row.about, _figure(row.value))
        for row in _each(rows[rows["what"] != "value"])
    ]
    return [*events, *lines]


def later_rows(later: pd.DataFrame) -> list[Row]:
    """What was revised or announced after the moment."""
    return [
        (_moment(row.known_at), row.name, row.what, row.about, _figure(row.then), _figure(row.now))
        for row in _each(later)
    ]


def counts_sentence(known: AsKnown) -> str:
    """How much was known, and how much of it is shown."""
    standing, every = int(known.events["stands"].sum()), len(known.events)
    stale = int(known.values["is_stale"].sum())
    too_old = f", {stale} of them too old to use" if stale else ""
    return f"{len(known.values)} series{too_old}; {every} events were known, {standing} of them stand and are shown."


def _each(rows: pd.DataFrame) -> Iterator[Any]:
    """Rows by the names of their columns."""
    return iter(rows.itertuples(index=False))


def _moment(moment: pd.Timestamp) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _figure(text: str) -> str:
    """A number with its thousands apart; a range stays as it is, and nothing is a dash."""
    try:
        return f"{float(text):,.10g}"
    except ValueError:
        return text or "-"
