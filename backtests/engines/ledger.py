"""A small daily ledger over the same order rules, fills and costs as the event engine; the baselines run on it.

It looks at a session only when something can happen there: a plan, or a holding without bars. In between, equity is
cash and units at their closes. `tests/backtests/test_ledger.py` runs its plans through Backtrader too and finds the
same equity.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from backtests.execution.book import Book
from backtests.execution.fill_rules import FillRules
from backtests.execution.result import LedgerResult
from data.prices.panel import Panel
from strategies.order_rules import OrderRulesConfig, SessionOrders, plan_orders
from strategies.policy import Plan


class _State(NamedTuple):
    """A book at the close of a session; units are never changed in place."""

    cash: float
    units: np.ndarray
    traded: float
    costs: float


def run_ledger(fills: FillRules, plan: Plan, rules: OrderRulesConfig, initial_cash: float) -> LedgerResult:
    """Run a plan. Arguments as for `backtests.engines.event_engine.run_event_engine`."""
    # What the plan never wants, and no other holding brings, is never held.
    wanted = plan.targets.columns[(plan.targets > 0).any()]
    fills = fills.select(fills.panel.with_what_they_bring(wanted))
    panel = fills.panel
    targets = plan.targets.reindex(columns=list(panel.symbols), fill_value=0.0).to_numpy()
    decisions = _Decisions(targets, plan.rebalance.to_numpy(), fills, rules)
    book = Book(initial_cash, np.zeros(len(panel.symbols)), [0.0] * len(panel.sessions))
    states = {0: _State(book.cash, book.units, book.traded, book.costs)}
    short: list[int] = []
    for row in range(1, len(panel.sessions)):
        if decisions.eventful[row] or short:
            short = book.play(row, decisions.orders(book, row, short), fills.sessions)
            states[row] = _State(book.cash, book.units, book.traded, book.costs)
    return _collect(panel, states)


class _Decisions:
    """What is decided for each session: targets, and whether the book is brought to them."""

    def __init__(self, targets: np.ndarray, rebalance: np.ndarray, fills: FillRules, rules: OrderRulesConfig) -> None:
        self.sessions, self.rules = fills.sessions, rules.rules
        # What is about to be closed out is left alone by the order rules.
        self.targets = np.where(fills.stale, np.nan, targets)
        self.rebalance: list[bool] = rebalance.tolist()
        moves = self.sessions.changes_units | self.sessions.pays_dividends | (self.sessions.interest > 0.0)
        self.eventful: list[bool] = (np.append(False, rebalance[:-1]) | moves).tolist()

    def orders(self, book: Book, row: int, short: list[int]) -> SessionOrders | None:
        """The orders of a session; None where nothing is planned for it.

        Args:
            book: as it is.
            row: of the session.
            short: places of the instruments that fell short the session before; without a rebalancing they alone are
                planned for anew.
        """
        targets = self.targets[row - 1]
        if not self.rebalance[row - 1]:
            if not short:
                return None
            targets = np.full_like(targets, np.nan)
            targets[short] = self.targets[row - 1, short]
        return plan_orders(
            book.units.tolist(),
            self.sessions.decision_price[row - 1].tolist(),
            targets.tolist(),
            self.sessions.terms,
            self.rules,
            book.cash,
        )


def _collect(panel: Panel, states: dict[int, _State]) -> LedgerResult:
    """Carry the book's states over the sessions at which nothing happened and value them at the closes."""
    rows = np.searchsorted(list(states), np.arange(1, len(panel.sessions)), side="right") - 1
    books = list(states.values())
    units = np.array([book.units for book in books])[rows]
    cash, traded, paid = (
        pd.Series(np.array([getattr(book, name) for book in books])[rows], index=panel.sessions[1:], name=name)
        for name in ("cash", "traded", "costs")
    )
    # An instrument that is not held needs no price.
    held = np.where(units > 0, units * panel.close[1:], 0.0)
    return LedgerResult(
        equity=(cash + held.sum(axis=1)).rename("equity"),
        holdings=pd.DataFrame(held, panel.sessions[1:], list(panel.symbols)),
        cash=cash,
        traded=traded.diff().fillna(traded.iloc[0]),
        costs=paid.diff().fillna(paid.iloc[0]),
    )
