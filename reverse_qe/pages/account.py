"""The page of a paper account: how it stands, its equity beside the backtest, its orders, what the ledger says."""

import numpy as np
import pandas as pd

from paper.explain.explain import Explanation
from paper.overview.history import AccountHistory
from paper.overview.status import Status
from reverse_qe.pages.account_parts.explanation import explanation_part
from reverse_qe.pages.charts.scales import TimeScale, scale_of
from reverse_qe.pages.charts.time_chart import Line, TimeChart, time_chart
from reverse_qe.pages.kit import Html, Part, bullets, joined, page, table, tag
from reverse_qe.pages.run_parts.standing import SIMULATED
from reverse_qe.words.paper import (
    POSITION_HEAD,
    SHADOW_HEAD,
    account_sentence,
    comparison_sentence,
    position_rows,
    shadow_rows,
    shadow_sentence,
    step_sentences,
)

# The newest of orders, movements and events; the ledger has all.
SHOWN = 60
CUT = ("reduced", "unfilled", "rejected")
ORDER_HEAD = ("session", "", "side", "units filled", "units wanted", "price", "fees, USD", "status", "why")
ENTRY_HEAD = ("at (UTC)", "kind", "", "units", "price", "amount, USD", "cash after, USD")


def account_page(stands: Status, history: AccountHistory, told: Explanation | None = None) -> str:
    """Render an account as HTML, complete in itself: the same bytes for the same ledger, market and time.

    Args:
        stands: how it stands.
        history: what it did.
        told: why it differs from its backtest; None where that is not asked.
    """
    market = f"{'SIMULATED ' if stands.simulated else ''}market {stands.market}"
    reached = stands.decision.session if stands.decision else stands.next_session
    return page(
        title=f"Account {stands.account}: {stands.spec} on {market}, {reached} - Reverse QE",
        heading=f"Paper account {stands.account}",
        subtitle=f"{account_sentence(stands)}, {reached}",
        banners=_banners(stands),
        lead=_lead(stands),
        parts=[
            Part("Equity beside the backtest", _equity(stands, history)),
            *([] if told is None else [explanation_part(told)]),
            *([_shadow(stands)] if stands.shadow.rows else []),
            Part("Orders, newest first", _orders(history.orders)),
            Part("Halts and steps, newest first", _events(history)),
            Part("Ledger, newest entries first", _entries(history.entries)),
        ],
    )


def _banners(stands: Status) -> list[tuple[str, str]]:
    halted = stands.halt
    banners = [("HALTED", f"since {halted.at:%Y-%m-%d %H:%M} UTC: {halted.text}")] if halted else []
    return [*banners, ("SIMULATED", SIMULATED)] if stands.simulated else banners


def _lead(stands: Status) -> Html:
    title = f"Positions at {stands.valued_at}" if stands.valued_at else "Positions"
    positions = table(POSITION_HEAD, position_rows(stands), caption=title)
    return joined([tag("p", f"{stands.regime}.", class_="said"), positions, bullets(step_sentences(stands))], "\n")


def _equity(stands: Status, history: AccountHistory) -> Html:
    said = tag("p", f"{comparison_sentence(stands)}.")
    if history.equity.empty:
        return said
    cut = int(history.orders["status"].isin(CUT).sum())
    words = f"{len(history.orders)} orders, {cut} of them cut or not filled."
    return joined([said, *_charts(history.equity), tag("p", words)], "\n")


def _charts(equity: pd.DataFrame) -> list[Html]:
    time = TimeScale.of(pd.DatetimeIndex(equity.index))
    difference = equity["paper"] / equity["backtest"] - 1.0
    ends = ", ".join(f"{name} {equity[name].iloc[-1]:,.2f} USD" for name in equity.columns)
    both = TimeChart(
        title="Equity, US dollars",
        label=f"Equity of the account and of the backtest; at the end {ends}",
        time=time,
        values=scale_of(equity.to_numpy().ravel(), "number"),
        lines=[Line("paper", equity["paper"], "c1"), Line("backtest", equity["backtest"], "c3")],
    )
    apart = TimeChart(
        title="Account over backtest, less 1",
        label=f"Difference over time; the largest is {difference.abs().max():.2e}",
        time=time,
        # Differences of rounding are drawn as none.
        values=scale_of(np.append(difference.to_numpy(), [-1e-4, 1e-4]), "percent", include=0.0),
        height=120,
        lines=[Line("difference", difference, "c1")],
        guides=[(0.0, "")],
    )
    return [time_chart(both), time_chart(apart)]


def _shadow(stands: Status) -> Part:
    rows = shadow_rows(stands)
    caption = _caption(len(rows[:SHOWN]), len(rows), "action")
    shown = table(SHADOW_HEAD, rows[:SHOWN], caption=caption, texts=(1, 2))
    return Part(
        "Not booked by the broker, newest first", joined([tag("p", f"{shadow_sentence(stands)}."), shown], "\n")
    )


def _orders(orders: pd.DataFrame) -> Html:
    if orders.empty:
        return tag("p", "There was no order yet.")
    rows = [
        (
            str(order["session"].date()),
            str(order["symbol"]),
            str(order["side"]),
            f"{order['size']:,.6f}",
            _number(order["size_wanted"], "{:,.6f}"),
            _number(order["price"], "{:,.4f}"),
            f"{order['commission']:,.2f}",
            str(order["status"]),
            str(order["reason"]),
        )
        for order in orders.iloc[::-1].head(SHOWN).to_dict("records")
    ]
    return table(ORDER_HEAD, rows, caption=_caption(len(rows), len(orders), "order"), texts=(1, 2, 7, 8))


def _entries(entries: pd.DataFrame) -> Html:
    rows = [
        (
            f"{entry['at']:%Y-%m-%d %H:%M}",
            str(entry["kind"]),
            str(entry["symbol"]),
            _number(entry["units"] or None, "{:+,.6f}"),
            _number(entry["price"], "{:,.4f}"),
            f"{entry['amount']:+,.2f}",
            f"{entry['cash_after']:,.2f}",
        )
        for entry in entries.iloc[::-1].head(SHOWN).to_dict("records")
    ]
    return table(ENTRY_HEAD, rows, caption=_caption(len(rows), len(entries), "entry", "entries"), texts=(1, 2))


def _events(history: AccountHistory) -> Html:
    rows = [
        (f"{event.at:%Y-%m-%d %H:%M}", event.kind, str(event.session or ""), event.text)
        for event in history.events[:SHOWN]
    ]
    if not rows:
        return tag("p", "Nothing was told yet.")
    head = ("at (UTC)", "what", "session", "text")
    return table(head, rows, caption=_caption(len(rows), len(history.events), "event"), texts=(1, 2, 3))


def _caption(shown: int, whole: int, one: str, many: str = "") -> str:
    noun = one if whole == 1 else many or f"{one}s"
    return f"{whole:,} {noun}" if shown == whole else f"The newest {shown} of {whole:,} {noun}"


def _number(value: float | None, style: str) -> str:
    return "-" if value is None or pd.isna(value) else style.format(value)
