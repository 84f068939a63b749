"""Do the books of a strategy of the user add up? Its orders are played once more, on books that it cannot reach."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from backtests.execution.book import NO_ORDERS, Trade, trades
from backtests.execution.fill_rules import FillRules
from backtests.execution.records import Orders
from backtests.execution.result import EngineResult
from backtests.execution.session import play_session, unsettled_money
from data.errors import ReverseQeError

# Shares of equity, or of an order, that the arithmetic of floats may differ by.
ROUNDING = 1e-9


class BooksError(ReverseQeError):
    """A run whose equity is not what its orders, cash and closes come to: nothing of it is believed."""


def require_rebuilt(engine: EngineResult, rules: FillRules, initial_cash: float, who: object) -> None:
    """Refuse a run whose books differ from those that are rebuilt from its orders by the spec's prices and costs.

    Args:
        engine: the run.
        rules: of filling, which its code had no hand on.
        initial_cash: US dollars.
        who: sent the orders, for messages.

    Raises:
        BooksError: names the first session, what differs there and by how much.
    """
    made, cash, units = _played(engine.sent, rules, initial_cash)
    panel, days = rules.panel, engine.equity.index
    value = np.where(units > 0, units * panel.close[1:], 0.0).sum(axis=1)
    equity = pd.Series(cash + value, days)
    scale = equity.abs().clip(lower=1.0)
    _require_same(engine.equity["cash"], pd.Series(cash, days), scale, "cash", who)
    closes = np.nan_to_num(panel.close[1:])
    for place, symbol in enumerate(panel.symbols):
        worth = pd.Series(units[:, place] * closes[:, place], days)
        _require_same(engine.positions[symbol] * closes[:, place], worth, scale, f"the holding of {symbol}", who)
    _require_same(engine.equity["equity"], equity, scale, "equity", who)
    _require_same_orders(engine.orders, made, panel.symbols, who)


def _played(
    sent: Mapping[int, Orders], rules: FillRules, initial_cash: float
) -> tuple[list[Trade], np.ndarray, np.ndarray]:
    """How the orders end, and cash and units at the close of each session."""
    sessions, count = rules.sessions, len(rules.panel.sessions)
    cash, units = initial_cash, np.zeros(len(rules.panel.symbols))
    flows, made = [0.0] * count, list[Trade]()
    cash_at, units_at = np.empty(count - 1), np.empty((count - 1, len(units)))
    for row in range(1, count):
        orders = sent.get(row, NO_ORDERS)
        unsettled = unsettled_money(flows, row, sessions.settlement_sessions)
        played = play_session(cash, units, unsettled, orders, row, sessions)
        made += trades(orders, played)
        cash, units, flows[row] = played.cash, played.units, played.stock_flow
        cash_at[row - 1], units_at[row - 1] = cash, units
    return made, cash_at, units_at


def _require_same(told: pd.Series, rebuilt: pd.Series, scale: pd.Series, what: str, who: object) -> None:
    differs = ~((told - rebuilt).abs() <= ROUNDING * scale)
    if differs.any():
        day = differs.index[differs][0]
        raise BooksError(
            f"{who}: the books do not add up: {what} at the close of {day.date()} is {told[day]:,.2f} US dollars, and "
            f"{rebuilt[day]:,.2f} by orders, cash and closes; the strategy, or what it calls, changed cash, holdings, "
            "prices or costs by other ways than orders"
        )


def _require_same_orders(orders: pd.DataFrame, made: list[Trade], symbols: tuple[str, ...], who: object) -> None:
    if len(orders) != len(made):
        raise BooksError(f"{who}: the books do not add up: {len(orders)} orders are noted, and {len(made)} were sent")
    for name in ("size", "price", "commission"):
        told, rebuilt = orders[name].to_numpy(dtype=float), np.array([getattr(trade, name) for trade in made])
        differs = ~np.isclose(told, rebuilt, rtol=ROUNDING, atol=ROUNDING, equal_nan=True)
        if differs.any():
            at = int(differs.argmax())
            raise BooksError(
                f"{who}: the books do not add up: the {name} of the {made[at].side} of {symbols[made[at].place]} on "
                f"{orders['session'].iloc[at].date()} is {told[at]:g}, and {rebuilt[at]:g} by the spec's prices and "
                "costs"
            )
