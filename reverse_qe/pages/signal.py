"""The page of the morning: the regime, why, what changed since the decision before, the gauge, events, inputs."""

from collections.abc import Mapping, Sequence

import pandas as pd

from backtests.measures.rotations import basket_returns, leg_returns
from backtests.prepare.prepared import prepare
from backtests.prepare.span import Span
from backtests.spec.spec import Spec
from data.clock import decision_times, previous_session
from data.events.due import Due
from data.market.snapshot import Snapshot
from reverse_qe.pages.charts.scales import TimeScale, scale_of
from reverse_qe.pages.charts.time_chart import Line, TimeChart, time_chart
from reverse_qe.pages.kit import Html, Part, bullets, joined, page, table, tag
from reverse_qe.pages.market_events import HINT, event_chart, event_table, events_between
from reverse_qe.pages.run_parts.standing import SIMULATED
from reverse_qe.pages.signal_charts import BAND_LEGEND, regime_bands, signal_charts
from reverse_qe.pages.turning import due_part, in_short, turning_part
from reverse_qe.words.run import state_sentences
from signals.config import SignalConfig
from signals.explain.explanation import Explanation, explain
from signals.explain.sentence import input_words, signal_sentence
from signals.explain.titles import input_title
from signals.liquidity import LiquiditySignal
from signals.turn.turn import Turn
from strategies.universe import BASKETS

CRYPTO = "crypto"
LEG_KINDS: dict[str, str] = {CRYPTO: "c5", **dict(zip(BASKETS, ("c3", "c1", "c4"), strict=True))}
INPUT_HEAD = ("", "in words", "gives to the score", "about", "known at (UTC)", "age in days")


def signal_page(
    spec: Spec,
    snapshot: Snapshot,
    signal: LiquiditySignal,
    session: pd.Timestamp,
    turn: Turn | None = None,
    due: Sequence[Due] | None = None,
    trades: Mapping[str, pd.Series] | None = None,
    judged: Part | None = None,
) -> str:
    """Render the signal on a session, and over time from the start of the spec's run, as HTML, complete in itself.

    Nothing on it became known after the session's decision. The same bytes for the same input.

    Args:
        spec: universe, start of the run, and the signal's configuration.
        snapshot: prices and events.
        signal: over all sessions, `session` one of them.
        session: the last one shown.
        turn: what would turn the regime of the session; None: the part is left out.
        due: announcements expected then; None: likewise.
        trades: that another regime would bring, by regime.
        judged: what judges it, see `reverse_qe.pages.studies.judged`; None: the part is left out.
    """
    sessions = pd.DatetimeIndex(signal.score.loc[min(pd.Timestamp(spec.run.start), session) : session].index)
    events = events_between(snapshot, sessions[0], decision_times(sessions)[-1])
    market = f"{'SIMULATED ' if snapshot.simulated else ''}market {snapshot.name}"
    reasons = explain(signal, session)
    hindsight = spec.universe.hindsight
    simulated = [("SIMULATED", SIMULATED)] if snapshot.simulated else []
    return page(
        title=f"{reasons.regime} for {session.date()}: {spec.run.name} on {market} - Reverse QE",
        heading=f"Liquidity regime for {session.date()}: {reasons.regime}",
        subtitle=f"Spec {spec.run.name} on {market}, charts from {sessions[0].date()} on",
        # Judged by returns, what is known of them comes first.
        banners=simulated + ([("HINDSIGHT", hindsight)] if judged is not None and hindsight else []),
        lead=_lead(signal, session, spec.signal, events, in_short(turn, due, spec.signal)),
        parts=[
            Part("Score and blocks", _charts(spec, snapshot, signal, sessions, events)),
            *([] if turn is None else [Part("What would turn it", turning_part(turn, due or (), trades or {}))]),
            *([] if due is None else [Part("Expected next", due_part(due))]),
            *([] if judged is None else [judged]),
            Part("Inputs", _inputs(reasons, spec.signal)),
            Part("Events, newest first", event_table(events)),
        ],
    )


def _lead(
    signal: LiquiditySignal, session: pd.Timestamp, config: SignalConfig, events: pd.DataFrame, coming: Html
) -> Html:
    reasons = explain(signal, session)
    said = [
        tag("p", f"{signal_sentence(signal, session, config)}.", class_="said"),
        *(tag("p", state) for state in state_sentences(reasons)),
    ]
    place = int(signal.score.index.get_indexer(pd.DatetimeIndex([session]))[0])
    if place > 0:
        said.append(_changes(explain(signal, signal.score.index[place - 1]), reasons, events, coming))
    else:
        said.append(coming)
    return joined(said, "\n")


def _changes(before: Explanation, now: Explanation, events: pd.DataFrame, coming: Html) -> Html:
    """What changed since the decision before: score and blocks; beside it what became known, and what may come."""
    earlier = {block.name: block.contribution for block in before.blocks}
    rows = [("score", before.score, now.score)]
    rows += [(block.name.replace("_", " "), earlier[block.name], block.contribution) for block in now.blocks]
    cells = [(name, f"{was:+.3f}", f"{is_now:+.3f}", f"{is_now - was:+.3f}") for name, was, is_now in rows]
    head = ("", str(before.session.date()), str(now.session.date()), "change")
    caption = f"Since the decision before, when it was {before.regime}"
    since = decision_times(pd.DatetimeIndex([before.session]))[0]
    fresh = [text for known_at, _, text, _ in events.itertuples(index=False) if known_at > since]
    told = (
        joined([tag("p", "Became known since:"), bullets(fresh)]) if fresh else tag("p", "No event became known since.")
    )
    return tag("div", table(head, cells, caption=caption), tag("div", told, coming), class_="beside")


def _charts(
    spec: Spec, snapshot: Snapshot, signal: LiquiditySignal, sessions: pd.DatetimeIndex, events: pd.DataFrame
) -> Html:
    bands = regime_bands(signal, sessions)
    charts = [
        signal_charts(signal, sessions, spec.signal),
        _gauge(spec, snapshot, signal, sessions),
        event_chart(events, TimeScale.of(sessions), bands),
        tag("p", HINT, class_="soft small"),
    ]
    return joined(charts, "\n")


def _gauge(spec: Spec, snapshot: Snapshot, signal: LiquiditySignal, sessions: pd.DatetimeIndex) -> Html:
    """Growth of crypto and of each basket up to the session before the last, beside the regimes."""
    last = previous_session(sessions[-1])
    if last < sessions[0]:
        return Html()
    prepared = prepare(spec, snapshot, Span(sessions[0], last), signal=signal)
    universe, rules = prepared.spec.universe, prepared.rules
    coins = [symbol for symbol in universe.symbols if snapshot.instruments[symbol].is_crypto]
    tradable = prepared.panel.tradable(spec.order_rules.stale_sessions)
    returns = leg_returns(rules, tradable, {CRYPTO: coins}).join(basket_returns(rules, tradable, universe))
    members: dict[str, Sequence[str]] = {CRYPTO: coins, **{basket: universe.members(basket) for basket in BASKETS}}
    legs = [leg for leg, names in members.items() if names]
    growth = (1.0 + returns[legs]).cumprod()
    ends = ", ".join(f"{leg.replace('_', ' ')} {growth[leg].iloc[-1]:.3g}" for leg in legs)
    chart = time_chart(
        TimeChart(
            title="The gauge: growth of 1 US dollar in crypto and in each basket, log scale",
            label=f"Growth of 1 US dollar up to {last.date()}: {ends}",
            time=TimeScale.of(sessions),
            values=scale_of(growth.to_numpy().ravel(), "times", log=True, include=1.0),
            height=190,
            lines=[Line(leg.replace("_", " "), growth[leg], LEG_KINDS[leg]) for leg in legs],
            bands=regime_bands(signal, sessions),
            legend=BAND_LEGEND,
        )
    )
    words = (
        "Prices are the gauge of the signal, never an input of it; legs are equal parts of what trades, before costs."
    )
    hindsight = f" HINDSIGHT: {spec.universe.hindsight}" if spec.universe.hindsight else ""
    return joined([chart, tag("p", f"{words}{hindsight}", class_="soft small")])


def _inputs(reasons: Explanation, config: SignalConfig) -> Html:
    """What each block and input gives to the score, in words, with the age of what it rests on."""
    rows: list[tuple[object, ...]] = []
    for block in reasons.blocks:
        rows.append((tag("b", block.name.replace("_", " ")), "", f"{block.contribution:+.3f}", "", "", ""))
        for each in block.inputs:
            observed, known_at = each.observed, each.known_at
            rows.append(
                (
                    input_title(each.name),
                    input_words(each, reasons.gate, config),
                    f"{each.contribution:+.3f}",
                    "-" if observed is None else str(observed.date()),
                    "-" if known_at is None else f"{known_at:%Y-%m-%d %H:%M}",
                    "-" if observed is None else str((reasons.session - observed).days),
                )
            )
    title = f"What each block and input gives to the score of {reasons.session.date()}, {reasons.score:+.2f}"
    return table(INPUT_HEAD, rows, caption=title, texts=(1,))
