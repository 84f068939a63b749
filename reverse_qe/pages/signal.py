"""The signal as a page for people: its sentence, its charts over time, its reasons and the events behind them."""

import pandas as pd

from backtests.spec.spec import Spec
from data.clock import decision_times
from data.market.snapshot import Snapshot
from reverse_qe.pages.charts.scales import TimeScale
from reverse_qe.pages.kit import Part, joined, page, table, tag
from reverse_qe.pages.market_events import HINT, event_chart, event_table, events_between
from reverse_qe.pages.run_parts.standing import SIMULATED
from reverse_qe.pages.signal_charts import regime_bands, signal_charts
from reverse_qe.words.run import REASON_HEAD, reason_rows, state_sentences
from signals.explain.explanation import explain
from signals.explain.sentence import signal_sentence
from signals.liquidity import LiquiditySignal


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
    events = events_between(snapshot, sessions[0], decision_times(sessions)[-1])
    market = f"{'SIMULATED ' if snapshot.simulated else ''}market {snapshot.name}"
    explanation = explain(signal, session)
    span = f"{sessions[0].date()} to {session.date()}"
    why = f"What each block and input gives to the score of {session.date()}, {explanation.score:+.2f}"
    said = [
        tag("p", f"{signal_sentence(signal, session, spec.signal)}.", class_="said"),
        *(tag("p", state) for state in state_sentences(explanation)),
        signal_charts(signal, sessions, spec.signal),
        event_chart(events, TimeScale.of(sessions), regime_bands(signal, sessions)),
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
            Part("Events, newest first", event_table(events)),
        ),
    )
