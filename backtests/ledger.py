"""A small daily ledger over the same order rules, fills and costs as the event engine; the baselines run on it.

It looks at a session only when something can happen there: a plan, or a holding without bars. In between, equity is
cash and units at their closes. `tests/test_ledger.py` runs its plans through Backtrader too and finds the same equity.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.costs import Costs, cost_rates
from data.instruments import Instrument
from data.panel import Panel
from strategies.order_rules import ROUNDING, OrderRulesConfig, plan_orders, units_for_money
from strategies.policy import Plan


@dataclass(frozen=True)
class LedgerResult:
    """What a plan came to.

    Attributes:
        equity: by session of the run, US dollars at the close.
        cash: by session, US dollars at the close.
        traded: by session, value of everything bought and sold, US dollars.
        commission: by session, US dollars.
    """

    equity: pd.Series
    cash: pd.Series
    traded: pd.Series
    commission: pd.Series


def run_ledger(
    panel: Panel,
    plan: Plan,
    instruments: Mapping[str, Instrument],
    costs: Costs,
    rules: OrderRulesConfig,
    initial_cash: float,
) -> LedgerResult:
    """Run a plan over a panel. Arguments as for `backtests.event_engine.run_event_engine`."""
    # What the plan never wants is never held.
    wanted = plan.targets[list(panel.symbols)].to_numpy() > 0
    panel = panel.select(tuple(np.array(panel.symbols)[wanted.any(axis=0)].tolist()))
    terms = _Terms(panel, plan, instruments, costs, rules)
    book = _Book(initial_cash, np.zeros(len(panel.symbols)))
    states: dict[int, _Book] = {0: book.copy()}
    plan_again = False
    for row in range(1, len(panel.sessions)):
        if terms.eventful[row - 1] or plan_again:
            plan_again = terms.play(book, row, plan_again)
            states[row] = book.copy()
    return _collect(panel, states)


class _Terms:
    """What does not change during a run: prices, targets, costs, rules."""

    def __init__(
        self,
        panel: Panel,
        plan: Plan,
        instruments: Mapping[str, Instrument],
        costs: Costs,
        rules: OrderRulesConfig,
    ) -> None:
        self.panel = panel
        self.rules = rules
        self.rates = np.array(cost_rates(panel.symbols, instruments, costs))
        self.quanta = np.array([instruments[symbol].quantum for symbol in panel.symbols])
        self.coins = np.array([instruments[symbol].is_crypto for symbol in panel.symbols])
        self.stale = panel.missing >= rules.stale_sessions
        # What is about to be closed out is left alone by the order rules.
        self.targets = np.where(self.stale, np.nan, plan.targets[list(panel.symbols)].to_numpy())
        self.rebalance: list[bool] = plan.rebalance.tolist()
        self.any_stale = np.any(self.stale, axis=1)
        self.eventful: list[bool] = (plan.rebalance.to_numpy() | self.any_stale).tolist()
        self.nothing = np.zeros(len(self.rates))
        self.listed = (self.rates.tolist(), self.quanta.tolist())

    def play(self, book: "_Book", row: int, plan_again: bool) -> bool:
        """Decide for a session and fill it; whether an order was cut or not filled."""
        before = row - 1
        sell_units = buy_money = self.nothing
        minimum = 0.0
        if self.rebalance[before] or plan_again:
            sell_units, buy_money, minimum = plan_orders(
                book.units.tolist(),
                self.panel.decision_price[before].tolist(),
                self.targets[before].tolist(),
                *self.listed,
                book.cash,
                self.rules.band,
                self.rules.minimum_order,
            )
        if self.any_stale[before]:
            self._close_out(book, before)
        placed = np.flatnonzero((sell_units > 0) | (buy_money > 0))
        if not placed.size:
            return False
        opens = self.panel.open[row]
        fillable: np.ndarray = placed[~np.isnan(opens[placed])]
        short: bool = fillable.size < placed.size
        for moment in (fillable[self.coins[fillable]], fillable[~self.coins[fillable]]):
            sells = moment[sell_units[moment] > 0]
            book.trade(sells, -sell_units[sells], opens[sells], self.rates[sells])
            buys = moment[buy_money[moment] > 0]
            short |= self._buy(book, buys, buy_money[buys], opens[buys], minimum)
        return short

    def _close_out(self, book: "_Book", row: int) -> None:
        gone = self.stale[row] & (book.units > 0)
        if gone.any():
            closes = self.panel.close[row]
            book.cash += float((book.units[gone] * closes[gone]).sum()) * (1.0 - self.rules.stale_haircut)
            book.units = np.where(gone, 0.0, book.units)

    def _buy(self, book: "_Book", places: np.ndarray, money: np.ndarray, prices: np.ndarray, minimum: float) -> bool:
        """Spend what was promised, cut to the cash present; whether anything was cut or left out."""
        if not places.size:
            return False
        rates = self.rates[places]
        least = np.full(len(places), minimum)
        units = units_for_money(money, least, prices, rates, self.quanta[places], book.cash)
        short = book.cash < money.sum() * (1.0 - ROUNDING) or bool((units <= 0).any())
        book.trade(places, units, prices, rates)
        return short


@dataclass
class _Book:
    """Cash, units, and what trading them has come to so far, in US dollars."""

    cash: float
    units: np.ndarray
    traded: float = 0.0
    commission: float = 0.0

    def copy(self) -> "_Book":
        """Return the book as it stands; units are never changed in place."""
        return _Book(self.cash, self.units, self.traded, self.commission)

    def trade(self, places: np.ndarray, units: np.ndarray, prices: np.ndarray, rates: np.ndarray) -> None:
        """Book units bought (positive) or sold (negative)."""
        if not places.size:
            return
        value = units * prices
        traded = np.abs(value)
        commission = float(traded @ rates)
        self.units = self.units.copy()
        self.units[places] += units
        self.cash -= float(value.sum()) + commission
        self.traded += float(traded.sum())
        self.commission += commission


def _collect(panel: Panel, states: dict[int, _Book]) -> LedgerResult:
    """Carry the book's states over the sessions at which nothing happened and value them at the closes."""
    rows = np.searchsorted(list(states), np.arange(1, len(panel.sessions)), side="right") - 1
    books = list(states.values())
    units = np.array([book.units for book in books])[rows]
    cash, traded, commission = (
        pd.Series(np.array([getattr(book, name) for book in books])[rows], index=panel.sessions[1:], name=name)
        for name in ("cash", "traded", "commission")
    )
    # An instrument that is not held needs no price.
    value = np.where(units > 0, units * panel.close[1:], 0.0).sum(axis=1)
    return LedgerResult(
        equity=(cash + value).rename("equity"),
        cash=cash,
        traded=traded.diff().fillna(traded.iloc[0]),
        commission=commission.diff().fillna(commission.iloc[0]),
    )
