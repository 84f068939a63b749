"""What the engines make of a plan, by session: equity, positions, orders, cash."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.execution.records import Orders
from data.prices.panel import Panel
from strategies.fills import HINDRANCES, Hindrance

ORDER_COLUMNS = (
    "order_id",
    "decided_session",
    "session",
    "symbol",
    "side",
    "size",
    "size_wanted",
    "price",
    "commission",
    "slippage",
    "status",
    "reason",
)
CASH_COLUMNS = ("session", "symbol", "kind", "amount", "units")


@dataclass(frozen=True)
class EngineResult:
    """What happened, by session of the run.

    Attributes:
        equity: columns equity and cash, US dollars at the close.
        positions: units held at the close, one column an instrument.
        holdings: the same in US dollars.
        orders: `ORDER_COLUMNS`; status is a final one of `strategies.fills.OrderStatus`.
        cash: `CASH_COLUMNS`: every movement of cash, US dollars, and of units that is no order.
        next_orders: orders decided for the session to come: symbol, side, units to sell (sells) or money (buys, USD).
        decided: units asked for by the decision for each session, one column an instrument; sells are negative.
        unsent: rebalancings at which an order could not have been filled even at the decision's own price, and so was
            none: counted by symbol and reason.
        sent: orders as the broker got them, by the row of the panel's session for which they were.
    """

    equity: pd.DataFrame
    positions: pd.DataFrame
    holdings: pd.DataFrame
    orders: pd.DataFrame
    cash: pd.DataFrame
    next_orders: pd.DataFrame
    decided: pd.DataFrame
    unsent: pd.Series
    sent: Mapping[int, Orders]


@dataclass(frozen=True)
class LedgerResult:
    """What the ledger makes of a plan.

    Attributes:
        equity: by session of the run, US dollars at the close.
        holdings: by session and instrument, US dollars at the close; what the plan never wants is left out.
        cash: by session, US dollars at the close.
        traded: by session, value of everything bought and sold, US dollars.
        costs: by session, commissions and slippage, US dollars.
    """

    equity: pd.Series
    holdings: pd.DataFrame
    cash: pd.Series
    traded: pd.Series
    costs: pd.Series


@dataclass(frozen=True)
class EngineLog:
    """What an engine noted on its way.

    Attributes:
        closes: equity, cash and units of each instrument at the close of each of the panel's sessions.
        orders: rows of `ORDER_COLUMNS`.
        cash: rows of `CASH_COLUMNS`.
        waiting: orders for the session to come: symbol, side, units, money.
        decided: row of the panel, place of the instrument, units (negative for a sell) of every order that was sent.
        unsent: row of the panel, place of the instrument and reason of every order that a rebalancing did not send.
        sent: orders by the row of the session for which they were.
    """

    closes: Sequence[tuple[float, float, list[float]]]
    orders: Sequence[tuple[object, ...]]
    cash: Sequence[tuple[object, ...]]
    waiting: Sequence[tuple[str, str, float, float]]
    decided: Sequence[tuple[int, int, float]]
    unsent: Sequence[tuple[int, int, Hindrance]]
    sent: Mapping[int, Orders]


def collect_result(panel: Panel, log: EngineLog, initial_cash: float) -> EngineResult:
    """Lay an engine's notes out as tables.

    Args:
        panel: what was run; its first session carries the first decision alone.
        log: of the whole run.
        initial_cash: US dollars.
    """
    run = panel.sessions[1:]
    symbols = list(panel.symbols)
    equity = pd.DataFrame([row[:2] for row in log.closes[1:]], index=run, columns=["equity", "cash"])
    positions = pd.DataFrame([row[2] for row in log.closes[1:]], index=run, columns=symbols, dtype=float)
    orders = pd.DataFrame(log.orders, columns=list(ORDER_COLUMNS))
    deposit = (run[0].date(), "", "deposit", initial_cash, 0.0)
    cash = pd.DataFrame([deposit, *log.cash], columns=list(CASH_COLUMNS))
    for frame in (orders, cash):
        for column in frame.columns.intersection(["decided_session", "session"]):
            frame[column] = pd.to_datetime(frame[column]).astype("datetime64[us]")
    decided = np.zeros((len(panel.sessions), len(symbols)))
    for row, place, units in log.decided:
        decided[row, place] += units
    unsent = pd.DataFrame(
        [(symbols[place], HINDRANCES[hindrance]) for row, place, hindrance in log.unsent if row < len(run)],
        columns=["symbol", "reason"],
    )
    return EngineResult(
        equity=equity.rename_axis("session"),
        positions=positions.rename_axis("session"),
        # An instrument that is not held needs no price.
        holdings=(positions * panel.close[1:]).where(positions > 0, 0.0),
        orders=orders,
        cash=cash,
        next_orders=pd.DataFrame(log.waiting, columns=["symbol", "side", "size_wanted", "money"]),
        decided=pd.DataFrame(decided, index=panel.decides_for, columns=symbols),
        unsent=unsent.value_counts(["symbol", "reason"], sort=False),
        sent=dict(log.sent),
    )
