"""Brokers for a strategy of the user that is to trade on paper: one that tries it, one that books what it is told.

On paper an instrument has one order a session, and the strategy is asked again at every step over all that it has seen:
what it sends must follow from that alone.
"""

import math
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import backtrader as bt

from backtests.engines.event_broker import MarketOrderBroker, SessionBroker
from backtests.engines.user_strategies import require_market_order
from backtests.execution.records import Sessions
from data.errors import InputError
from data.prices.panel import Panel

# Units and money that the arithmetic of floats may differ by, as a share.
ROUNDING = 1e-9
# Units that adding up leaves over.
DUST = 1e-10


class Sent(NamedTuple):
    """An order as a strategy sends it.

    Attributes:
        symbol: of the instrument.
        units: to sell; None for a buy.
        money: US dollars to spend, costs included; None for a sell.
        least: US dollars below which a buy is left unfilled.
    """

    symbol: str
    units: float | None
    money: float | None
    least: float

    def same_as(self, other: "Sent") -> bool:
        """Whether both are one order, but for rounding."""
        pairs = ((self.units, other.units), (self.money, other.money))
        return self.symbol == other.symbol and all(
            one is two or (one is not None and two is not None and abs(one - two) <= ROUNDING * max(one, two))
            for one, two in pairs
        )

    def __str__(self) -> str:
        return (
            f"buy {self.symbol} for {self.money:,.2f} USD"
            if self.units is None
            else f"sell {self.units:g} {self.symbol}"
        )


@dataclass(frozen=True)
class Booked:
    """What changed cash or units of an account.

    Attributes:
        order: number of the bar at which the order was sent; None for what no order moved.
        symbol: empty where no instrument moved.
        units: that came; negative for what went.
        price: of a fill, US dollars.
        fees: of a fill, US dollars.
        cash_after: US dollars.
        units_after: of the instrument.
    """

    order: int | None
    symbol: str
    units: float
    price: float
    fees: float
    cash_after: float
    units_after: float


@dataclass(frozen=True)
class Ended:
    """An order that has ended.

    Attributes:
        order: number of the bar at which it was sent.
        symbol: of the instrument.
        rejected: by the broker.
        cut: it got less than it wanted.
        short: for want of cash or volume, which the next session may have.
    """

    order: int
    symbol: str
    rejected: bool
    cut: bool
    short: bool


@dataclass(frozen=True)
class Past:
    """What an account knew at a decision, and what it decided.

    Attributes:
        told: since the decision before, in the order in which it was told; ends of orders last.
        sent: what it sent then; None for the decision that is to be taken.
    """

    told: Sequence[Booked | Ended]
    sent: Collection[Sent] | None


class OneOrderBroker(MarketOrderBroker):
    """Refuses, beside what is no market order, what no paper account can carry out."""

    def __init__(self, *arguments: object, path: Path) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.path = path
        self.lines: dict[tuple[int, str], int] = {}

    def submit(self, order: bt.Order, check: bool = True) -> bt.Order:
        """Take an order, and note the line of the user's file that sent it."""
        name = order.data._name
        if self.is_over:
            raise InputError(f"got an order for {name} in stop, which comes at every step on paper; wanted it in next")
        if any(each.data is order.data for each in self.pending):
            raise InputError(
                f"got a second order for {name} at one decision, wanted one: on paper an instrument has one a session"
            )
        taken = self.take(order, check)
        frame = sys._getframe()
        while frame.f_code.co_filename != str(self.path):
            if frame.f_back is None:
                return taken
            frame = frame.f_back
        self.lines[self.row, name] = frame.f_lineno
        return taken

    def take(self, order: bt.Order, check: bool) -> bt.Order:
        """Take an order that is the first of its instrument."""
        return super().submit(order, check)


class TryingBroker(OneOrderBroker, SessionBroker):
    """Plays sessions as a backtest does, and refuses what could not be traded on paper."""

    def __init__(self, panel: Panel, sessions: Sessions, warmup: int, path: Path) -> None:
        super().__init__(panel, sessions, warmup, path=path)


class ToldBroker(OneOrderBroker):
    """Books what a paper account was told, at the decision at which it was known; by itself it fills nothing.

    Attributes:
        differs: why what the strategy sends is not what the account has it sending; empty where it is.
        differs_row: the row of that decision.
    """

    def __init__(self, symbols: Sequence[str], warmup: int, past: Mapping[int, Past], path: Path) -> None:
        """Take the past of an account.

        Args:
            symbols: in the order of the feeds.
            warmup: bars before the first decision.
            past: by row: the number of the bar, from 0 at the first decision's.
            path: of the user's file.
        """
        super().__init__(symbols, warmup, path=path)
        self.past, self.differs, self.differs_row = past, "", 0
        self.open: dict[tuple[int, str], bt.Order] = {}

    def take(self, order: bt.Order, check: bool) -> bt.Order:
        """Take an order; one for an instrument of which an order is open, or no price known, goes nowhere."""
        is_open = any(symbol == order.data._name for _, symbol in self.open)
        order.addinfo(nowhere=is_open or not order.data.decision_price[0] > 0)
        if not is_open:
            return super().take(order, check)
        require_market_order(order, math.inf, self._ocos[order.ref] != order.ref)
        return bt.brokers.BackBroker.submit(self, order, check)

    def is_asked(self, bar: int) -> bool:
        """Whether the account took a decision at a bar, of which this is the number, from 1."""
        return not self.differs and bar - 1 - self.warmup in self.past

    def next(self) -> None:
        """Send on what was decided at the bar before; book what has become known since."""
        row = self.row
        if self.differs or row < 0:
            return
        self._send(row - 1)
        if self.differs or row not in self.past:
            return
        told = self.past[row].told
        ends: dict[tuple[int | None, str], Ended] = {}
        ends |= {(each.order, each.symbol): each for each in told if isinstance(each, Ended)}
        last = {(each.order, each.symbol): each for each in told if isinstance(each, Booked)}
        for each in told:
            key = each.order, each.symbol
            if isinstance(each, Booked):
                self._book(each, ends.pop(key, None) if each is last[key] else None)
            elif key in ends:
                self._end(each)
        for data, waiting in list(self.on_sale.items()):
            self.on_sale[data] = [order for order in waiting if order.alive()]
        self.units = [self.positions[data].size for data in self.cerebro.datas]

    def sendable(self) -> list[Sent]:
        """What was decided at the last bar and can be sent, in the order of the instruments."""
        sent = [
            Sent(
                order.data._name,
                abs(order.created.size) if order.issell() else None,
                None if order.issell() else order.info.money,
                0.0 if order.issell() else order.info.get("minimum", 0.0),
            )
            for order in self.pending
            if not order.info.nowhere
        ]
        return sorted(sent, key=lambda each: self.place[each.symbol])

    @property
    def left_alone(self) -> list[str]:
        """Symbols that the last decision wants to trade and cannot: an order is open, or no price known."""
        return [order.data._name for order in self.pending if order.info.nowhere]

    def _send(self, row: int) -> None:
        """Let the orders of a row be open, if the account sent the same ones then."""
        past = self.past.get(row)
        if past is not None and past.sent is not None:
            self.differs, self.differs_row = self._difference(row, past.sent), row
        for order in list(self.pending):
            if past is None or order.info.nowhere:
                self.cancel(order)
        for order in self.pending:
            self.open[row, order.data._name] = order
        self.pending.clear()

    def _difference(self, row: int, sent: Collection[Sent]) -> str:
        told, wanted = {each.symbol: each for each in sent}, {each.symbol: each for each in self.sendable()}
        for symbol in {**told, **wanted}:
            then, now = told.get(symbol), wanted.get(symbol)
            if then is None or now is None or not then.same_as(now):
                line = self.lines.get((row, symbol))
                where = f"{self.path}, line {line}" if line else str(self.path)
                return f"{where}: now it would {now or f'send nothing of {symbol}'}, and then it did {then or 'not'}"
        return ""

    def _book(self, each: Booked, end: Ended | None) -> None:
        """Book what changed cash or units; `end` is told where it is the last of its order."""
        self.cash = each.cash_after
        if not each.symbol:
            return
        place, left = self.place[each.symbol], each.units_after if abs(each.units_after) > DUST else 0.0
        data = self.cerebro.datas[place]
        order = None if each.order is None else self.open.get((each.order, each.symbol))
        if order is None:
            self.move_units(place, left, data.close[0])
            return
        position = self.positions[data]
        size, cost = each.units if left else -position.size, position.price
        units, price, opened, closed = position.update(size, each.price)
        position.size = left
        # Some is left over until the end is told.
        order.executed.remsize = 2.0 * size if end is None else size
        costs = (each.fees, 0.0) if closed else (0.0, each.fees)
        value = (-closed * cost, costs[0], opened, opened * each.price, costs[1])
        gained = -closed * (each.price - cost)
        order.execute(data.datetime[0], size, each.price, closed, *value, None, gained, units, price)
        order.addcomminfo(self.getcommissioninfo(data))
        if end is not None:
            self._close(order, end)
        self.notify(order)

    def _end(self, each: Ended) -> None:
        """End an order of which nothing was told beside it."""
        order = self.open.get((each.order, each.symbol))
        if order is None:
            return
        self._close(order, each)
        if each.rejected:
            order.reject(self)
        elif order.executed.size:
            order.completed()
        else:
            order.cancel()
        self.notify(order)

    def _close(self, order: bt.Order, end: Ended) -> None:
        order.addinfo(cut=end.cut, short=end.short)
        del self.open[end.order, end.symbol]
