"""The events of a market on a page: a chart of when they became known, and a table that its marks lead to."""

from typing import Any

import pandas as pd

from data.events.completion import CASH_KINDS
from data.events.timeline import GUIDED, PACE, RESULT, amount_text, event_timeline, own_mark
from data.market.snapshot import Snapshot
from reverse_qe.pages.charts.scales import TimeScale, ValueScale
from reverse_qe.pages.charts.time_chart import Mark, Span, TimeChart, time_chart
from reverse_qe.pages.kit import Html, table

LANES = ("results", "guidance", "funding", "commitments", "policy")
HINT = (
    "Shaded bands are regimes. The mark of an event tells its text when the pointer rests on it, and leads to its row "
    "in the table of events. Commitments and policy are shown for the eye: they enter no score."
)


def events_between(snapshot: Snapshot, start: pd.Timestamp, decision: pd.Timestamp) -> pd.DataFrame:
    """What became known after a day (naive) and up to a decision (UTC): known_at, lane, text, and the id of its row.

    Of a result, its capex stands for all: the cash flow of the same quarter would be a second mark on the same spot.
    """
    events = event_timeline(snapshot)
    inside = (events["known_at"] > start.tz_localize("UTC")) & (events["known_at"] <= decision)
    second = (events["kind"] == RESULT) & ~events["about"].str.endswith(" capex")
    events = events[inside & ~second].reset_index(drop=True)
    return events.assign(
        lane=[_lane(kind) for kind in events["kind"]],
        text=[_text(event) for event in events.itertuples(index=False)],
        row=[f"event-{number}" for number in range(len(events))],
    )[["known_at", "lane", "text", "row"]]


def event_chart(events: pd.DataFrame, time: TimeScale, bands: list[Span]) -> Html:
    """A lane for each kind of event, as `events_between` gives them."""
    marks = [
        Mark(known_at.tz_localize(None), LANES.index(lane), text, f"c{LANES.index(lane) + 1}", f"#{row}")
        for known_at, lane, text, row in events.itertuples(index=False)
    ]
    return time_chart(
        TimeChart(
            title="Events, when they became known",
            label=f"{len(marks)} events over time, in lanes: {', '.join(LANES)}; the table of events names each",
            time=time,
            values=ValueScale(0.0, 1.0),
            height=140,
            bands=bands,
            lanes=LANES,
            marks=marks,
        )
    )


def event_table(events: pd.DataFrame) -> Html:
    """Every event in a row, newest first."""
    newest = events.iloc[::-1]
    known = newest["known_at"].dt.strftime("%Y-%m-%d %H:%M")
    rows = list(zip(known, newest["lane"], newest["text"], strict=True))
    return table(("Known at (UTC)", "What", "Event"), rows, texts=(1, 2), ids=list(newest["row"]))


def _lane(kind: str) -> str:
    if kind in CASH_KINDS:
        return "funding"
    if kind.startswith("fed_") or kind == PACE:
        return "policy"
    return {RESULT: "results", GUIDED: "guidance"}.get(kind, "commitments")


def _text(event: Any) -> str:
    amount = amount_text(event.low_usd_bn, event.high_usd_bn)
    money = "" if amount == "-" else f", {amount} bn USD"
    told = f"{event.date.date()} {event.company}, {event.kind.replace('_', ' ')}: {event.about}{money}"
    return told + own_mark(event.by_user)
