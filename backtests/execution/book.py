"""A book of cash and units, and what a session does to it: the same rules as Backtrader's broker, without Backtrader.

The ledger and the simulated broker of paper trading keep such a book; `tests/backtests/test_ledger.py` compares it with
Backtrader.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from backtests.execution.fill_rules import FillRules
from strategies.trade_terms import (
    CAUSES,
    Fills,
    TradeTerms,
    at_places,
    buy_fills,
    commission,
    promised_units,
    sell_fills,
)


class SessionOrders(NamedTuple):
    """What `strategies.order_rules.plan_orders` returns, each of shape (m,)."""

    sell_units: np.ndarray
    buy_money: np.ndarray
    least: np.ndarray


class Trade(NamedTuple):
    """How one order ended; its fields are those of `backtests.execution.result.ORDER_COLUMNS`.

    `place` is that of the instrument; `price` is NaN where nothing filled.
    """

    place: int
    side: str
    size: float
    size_wanted: float
    price: float
    commission: float
    slippage: float
    status: str
    reason: str


class Movement(NamedTuple):
    """Cash, US dollars, and units that no order moved; `place` is -1 where no instrument did."""

    place: int
    kind: str
    amount: float
    units: float


@dataclass
class Notes:
    """What happened in a session, in the order in which it happened."""

    trades: list[Trade] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)


@dataclass
class Book:
    """Cash in US dollars and units by instrument.

    Attributes:
        cash: never negative.
        units: (m,); never changed in place.
        traded: value of everything bought and sold so far.
        costs: commissions and slippage so far.
        stock_flows: net proceeds of stocks by row, which coins may have to wait for.
    """

    cash: float
    units: np.ndarray
    traded: float = 0.0
    costs: float = 0.0
    stock_flows: dict[int, float] = field(default_factory=dict)

    def play(self, row: int, orders: SessionOrders | None, rules: FillRules, notes: Notes | None = None) -> bool:
        """Change held units, fill the orders of a session, pay what units and cash bring.

        Args:
            row: of the session in the panel, from 1.
            orders: decided for it; None for none.
            rules: of the run.
            notes: are added to.

        Returns:
            Whether an order was cut or not filled.
        """
        overnight = self.cash
        if rules.changes_units[row]:
            self._change_units(row, rules, notes)
            if orders is not None:
                orders = orders._replace(sell_units=orders.sell_units * rules.panel.split[row])
        entitled = self.units
        short = orders is not None and self._trade(row, orders, rules, notes)
        if rules.pays[row]:
            for place in np.flatnonzero(entitled):
                amount = float(entitled[place] * rules.panel.dividend[row, place])
                self._move(Movement(int(place), "dividend", amount, 0.0), notes)
            self._move(Movement(-1, "interest", float(overnight * rules.interest[row]), 0.0), notes)
        return short

    def _change_units(self, row: int, rules: FillRules, notes: Notes | None) -> None:
        for place in np.flatnonzero(self.units).tolist():
            held = float(self.units[place])
            kind, left, amount = rules.changed_units(row, place, held)
            if kind:
                self._move(Movement(place, kind, amount, left - held), notes)

    def _move(self, movement: Movement, notes: Notes | None) -> None:
        if not (movement.amount or movement.units):
            return
        self.cash += movement.amount
        if movement.units:
            self.units = self.units.copy()
            held = self.units[movement.place] + movement.units
            self.units[movement.place] = 0.0 if movement.kind != "split" else held
        if notes is not None:
            notes.movements.append(movement)

    def _trade(self, row: int, orders: SessionOrders, rules: FillRules, notes: Notes | None) -> bool:
        """Fill the orders in the order of the clock; whether one was cut or not filled."""
        sells, buys = (orders.sell_units > 0).nonzero()[0], (orders.buy_money > 0).nonzero()[0]
        short = False
        for coins in rules.moments:
            selling, buying = sells, buys
            if len(rules.moments) > 1:
                selling, buying = (places[rules.coins[places] == coins] for places in (sells, buys))
            if selling.size:
                short |= self._sell(row, selling, orders, rules, notes)
            if buying.size:
                cash = self._settled_cash(row, rules.settlement_sessions) if coins else self.cash
                short |= self._buy(row, buying, orders, cash, rules, notes)
        return short

    def _sell(self, row: int, places: np.ndarray, orders: SessionOrders, rules: FillRules, notes: Notes | None) -> bool:
        opened = self._without_open(row, places, orders, rules, notes)
        if opened.size:
            terms = at_places(rules.terms, opened)
            wanted, held = orders.sell_units[opened], self.units[opened]
            # All that is held, or whole multiples of the quantum, whatever a division leaves over.
            whole = np.floor(wanted / terms.quantum + 1e-6) * terms.quantum
            units = np.where(wanted >= held, held, np.minimum(whole, held))
            fills = sell_fills(units, rules.panel.open[row, opened], rules.panel.volume[row, opened], terms)
            self._book(row, opened, fills, -1, terms, orders, rules, notes)
            return opened.size < places.size or bool(fills.cause.any())
        return True

    def _buy(
        self,
        row: int,
        places: np.ndarray,
        orders: SessionOrders,
        cash: float,
        rules: FillRules,
        notes: Notes | None,
    ) -> bool:
        opened = self._without_open(row, places, orders, rules, notes)
        if opened.size:
            terms = at_places(rules.terms, opened)
            opens, volumes = rules.panel.open[row, opened], rules.panel.volume[row, opened]
            fills = buy_fills(orders.buy_money[opened], orders.least[opened], opens, volumes, terms, cash)
            self._book(row, opened, fills, +1, terms, orders, rules, notes)
            return opened.size < places.size or bool(fills.cause.any())
        return True

    def _without_open(
        self, row: int, places: np.ndarray, orders: SessionOrders, rules: FillRules, notes: Notes | None
    ) -> np.ndarray:
        """Note the orders that no open can fill, and return the places of the others."""
        blank = np.isnan(rules.panel.open[row, places])
        if notes is not None:
            for place in places[blank].tolist():
                notes.trades.append(_unfilled(row, place, orders, rules, "no open"))
        opened: np.ndarray = places[~blank]
        return opened

    def _settled_cash(self, row: int, settlement_sessions: int) -> float:
        """Cash without what stocks brought too few sessions ago to pay for coins."""
        late = range(row - settlement_sessions + 1, row)
        return self.cash - sum(max(self.stock_flows.get(each, 0.0), 0.0) for each in late)

    def _book(
        self,
        row: int,
        places: np.ndarray,
        fills: Fills,
        sign: int,
        terms: TradeTerms,
        orders: SessionOrders,
        rules: FillRules,
        notes: Notes | None,
    ) -> None:
        """Book what was bought (sign +1) or sold (-1)."""
        value = float(fills.units @ fills.prices)
        fees = commission(fills.units, fills.prices, terms)
        worse = np.abs(fills.prices - rules.panel.open[row, places])
        charged = float(fees.sum())
        paid = sign * value + charged
        self.units = self.units.copy()
        self.units[places] += sign * fills.units
        self.cash -= paid
        self.traded += value
        self.costs += charged + float(fills.units @ worse)
        if not rules.coins[places[0]]:
            self.stock_flows[row] = self.stock_flows.get(row, 0.0) - paid
        if notes is None:
            return
        for at, place in enumerate(places.tolist()):
            if not fills.units[at] > 0:
                notes.trades.append(_unfilled(row, place, orders, rules, CAUSES[fills.cause[at]]))
                continue
            reason = CAUSES[fills.cause[at]]
            notes.trades.append(
                Trade(
                    place,
                    "buy" if sign > 0 else "sell",
                    float(fills.units[at]),
                    float(fills.wanted[at]),
                    float(fills.prices[at]),
                    float(fees[at]),
                    float(fills.units[at] * worse[at]),
                    "reduced" if reason else "filled",
                    reason,
                )
            )


def _unfilled(row: int, place: int, orders: SessionOrders, rules: FillRules, reason: str) -> Trade:
    """An order that ended without a fill; a buy wanted what its money buys at the price known to the decision."""
    if orders.sell_units[place] > 0:
        side, wanted = "sell", float(orders.sell_units[place])
    else:
        price = rules.panel.decision_price[row - 1, place]
        terms = at_places(rules.terms, np.array([place]))
        side, wanted = "buy", float(promised_units(orders.buy_money[[place]], price, terms.spread, terms.rate)[0])
    return Trade(place, side, 0.0, wanted, np.nan, 0.0, 0.0, "unfilled", reason)
