"""A book of cash and units that sessions are played on; the ledger and paper trading's simulated broker keep one."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from backtests.execution.records import Orders, PlayedSession, Sessions, UnitChange
from backtests.execution.session import play_session, unsettled_money
from strategies.fills import HINDRANCES, Hindrance, OrderStatus, falls_short, order_status
from strategies.order_rules import SessionOrders
from strategies.trade_terms import promised_units

NO_ORDERS = Orders([], [], [], [], [])


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
    status: OrderStatus
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
        stock_flows: (n,) net proceeds of stocks by session, which coins may have to wait for.
        traded: value of everything bought and sold so far.
        costs: commissions and slippage so far.
    """

    cash: float
    units: np.ndarray
    stock_flows: list[float]
    traded: float = 0.0
    costs: float = 0.0

    def play(self, row: int, orders: SessionOrders | None, sessions: Sessions, notes: Notes | None = None) -> list[int]:
        """Play a session.

        Args:
            row: of the session in the panel, from 1.
            orders: decided for it; None for none.
            sessions: of the run.
            notes: are added to.

        Returns:
            The places of the instruments that fell short for want of cash or volume.
        """
        sent = NO_ORDERS if orders is None else list_orders(orders, row, sessions)
        unsettled = unsettled_money(self.stock_flows, row, sessions.settlement_sessions)
        played = play_session(self.cash, self.units, unsettled, sent, row, sessions)
        if notes is not None:
            notes.trades += trades(sent, played)
            notes.movements += [*unit_movements(self.units, played), *payments(played)]
        self.cash, self.units = played.cash, played.units
        self.stock_flows[row] = played.stock_flow
        self.traded += played.traded
        self.costs += played.costs
        hindrances = played.fills.hindrance
        return [sent.place[at] for at in np.flatnonzero(hindrances).tolist() if falls_short(Hindrance(hindrances[at]))]


def list_orders(orders: SessionOrders, row: int, sessions: Sessions) -> Orders:
    """One order for each instrument that has one."""
    places = np.flatnonzero((orders.sell_units > 0) | (orders.buy_money > 0)).tolist()
    sold, money = orders.sell_units[places].tolist(), orders.buy_money[places].tolist()
    prices = sessions.decision_price[row - 1, places].tolist()
    units = [
        sell if sell > 0 else promised_units(buy, price, sessions.terms, place)
        for place, sell, buy, price in zip(places, sold, money, prices, strict=True)
    ]
    return Orders(places, [sell > 0 for sell in sold], units, money, orders.least[places].tolist())


def trades(orders: Orders, played: PlayedSession) -> list[Trade]:
    """How the orders of a session ended, in the order in which they were played."""
    units, prices, wanted, fees, slippage, numbers, sequence = (part.tolist() for part in played.fills)
    hindrances = [Hindrance(number) for number in numbers]
    return [
        Trade(
            place=orders.place[at],
            side="sell" if orders.sells[at] else "buy",
            size=units[at],
            size_wanted=wanted[at],
            price=prices[at],
            commission=fees[at],
            slippage=slippage[at],
            status=order_status(units[at], hindrances[at]),
            reason=HINDRANCES[hindrances[at]],
        )
        for at in sequence
    ]


def unit_movements(held: np.ndarray, played: PlayedSession) -> list[Movement]:
    """What changed held units when a session began.

    Args:
        held: (m,) units before.
        played: the session.
    """
    return [
        Movement(
            place,
            UnitChange(kind).name.lower(),
            float(played.change_paid[place]),
            float(played.changed_units[place] - held[place]),
        )
        for place, kind in enumerate(played.change.tolist())
        if kind
    ]


def payments(played: PlayedSession) -> list[Movement]:
    """What units and cash brought when a session ended."""
    dividends = [Movement(place, "dividend", amount, 0.0) for place, amount in enumerate(played.dividend.tolist())]
    paid = [*dividends, Movement(-1, "interest", float(played.interest), 0.0)]
    return [movement for movement in paid if movement.amount]
