"""The signal as a page for people: its sentence, its picture over time, its reasons and the events behind them."""

import re
from typing import Any

import pandas as pd

from backtests.spec.spec import Spec
from data.clock import decision_times
from data.events.completion import CASH_KINDS
from data.events.timeline import GUIDED, RESULT, amount_text, event_timeline
from data.market.snapshot import Snapshot
from reverse_qe.pages.kit import Html, Part, joined, page, table, tag
from reverse_qe.pages.run import SIMULATED
from reverse_qe.pages.signal_chart import signal_chart
from reverse_qe.words.run import REASON_HEAD, reason_rows, state_sentences
from signals.explain.explanation import explain
from signals.explain.sentence import signal_sentence
from signals.liquidity import LiquiditySignal

HINT = (
    "Shaded bands are regimes. The mark of an event tells its text when the pointer rests on it, and leads to its row "
    "below when it is clicked. Commitments and policy are shown for the eye: they enter no score."
)


def signal_page(spec: Spec, snapshot: Snapshot, signal: LiquiditySignal, session: pd.Timestamp) -> str:
    """Render the signal from the start of the spec's run to a session as HTML, complete in itself.

    Nothing on it became known after the session's decision. The same bytes for the same input.

    Args:
        spec: start of the run, and the signal's configuration.
        snapshot: events.
        signal: over all sessions, `session` one of them.
        session: the last one shown.
    """
    sessions = pd.DatetimeIndex(signal.score.loc[min(pd.Timestamp(spec.run.start), session) : session].index)
    events = _events(snapshot, sessions[0], decision_times(sessions)[-1])
    chart = signal_chart(signal, sessions, events, spec.signal, salt=f"{snapshot.content_hash} {session.date()}")
    market = f"{'SIMULATED ' if snapshot.simulated else ''}market {snapshot.name}"
    explanation = explain(signal, session)
    span = f"{sessions[0].date()} to {session.date()}"
    why = f"What each block and input gives to the score of {session.date()}, {explanation.score:+.2f}"
    said = [
        tag("p", f"{signal_sentence(signal, session, spec.signal)}.", class_="said"),
        *(tag("p", state) for state in state_sentences(explanation)),
        _with_tooltips(chart, events),
        tag("p", HINT, class_="soft small"),
    ]
    return page(
        title=f"Liquidity regime for {session.date()}: {spec.run.name} on {market} - Reverse QE",
        heading="Liquidity regime",
        subtitle=f"Spec {spec.run.name} on {market}, {span}",
        banners=(("SIMULATED", SIMULATED),) if snapshot.simulated else (),
        lead=joined(said, "\n"),
        parts=(
            Part(why, table(REASON_HEAD, reason_rows(explanation), texts=(3,))),
            Part("Events, in the order in which they became known", _event_table(events)),
        ),
    )


def _events(snapshot: Snapshot, start: pd.Timestamp, decision: pd.Timestamp) -> pd.DataFrame:
    """What became known in a span: known_at, lane, text, and the link to its row.

    Of a result, its capex stands for all: the cash flow of the same quarter would be a second mark on the same spot.
    """
    events = event_timeline(snapshot)
    inside = (events["known_at"] > start.tz_localize("UTC")) & (events["known_at"] <= decision)
    second = (events["kind"] == RESULT) & ~events["about"].str.endswith(" capex")
    events = events[inside & ~second].reset_index(drop=True)
    return events.assign(
        lane=[_lane(kind) for kind in events["kind"]],
        text=[_text(event) for event in events.itertuples(index=False)],
        link=[f"#event-{number}" for number in range(len(events))],
    )[["known_at", "lane", "text", "link"]]


def _lane(kind: str) -> str:
    if kind in CASH_KINDS:
        return "funding"
    if kind.startswith("fed_"):
        return "policy"
    return {RESULT: "results", GUIDED: "guidance"}.get(kind, "commitments")


def _text(event: Any) -> str:
    amount = amount_text(event.low_usd_bn, event.high_usd_bn)
    money = "" if amount == "-" else f", {amount} bn USD"
    return f"{event.date.date()} {event.company}, {event.kind.replace('_', ' ')}: {event.about}{money}"


def _with_tooltips(chart: Html, events: pd.DataFrame) -> Html:
    """Let the link around every mark tell the text of its event, and stay on the page where matplotlib leaves it."""
    texts = dict(zip(events["link"], events["text"], strict=True))
    return Html(
        re.sub(
            r'<a (?:xlink:)?href="(#event-\d+)"[^>]*>',
            lambda link: f'<a href="{link[1]}">{tag("title", texts[link[1]])}',
            chart,
        )
    )


def _event_table(events: pd.DataFrame) -> Html:
    known = events["known_at"].dt.strftime("%Y-%m-%d %H:%M")
    rows = list(zip(known, events["lane"], events["text"], strict=True))
    ids = [link.removeprefix("#") for link in events["link"]]
    return table(("Known at (UTC)", "What", "Event"), rows, texts=(1, 2), ids=ids)
