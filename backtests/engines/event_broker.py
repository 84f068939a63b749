"""Backtrader's broker for the session clock: it translates orders to `backtests.execution.session` and fills back."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

import backtrader as bt
import numpy as np

from backtests.engines.user_strategies import require_market_order
from backtests.execution.book import Movement, Trade, payments, trades, unit_movements
from backtests.execution.records import Orders, Sessions
from backtests.execution.result import EngineLog
from backtests.execution.session import play_session, unsettled_money
from data.errors import InputError
from data.prices.panel import Panel
from strategies.fills import Hindrance, OrderStatus, falls_short
from strategies.trade_terms import HAIR, commission

# A buy that costs more than the cash by less than this share does so by the arithmetic of floats alone.
ROUNDING = 1e-9


class MarketOrderBroker(bt.brokers.BackBroker):
    """Takes market orders for the next session alone, and values what is held; what becomes of them is a subclass's.

    A plain buy promises its size at the price known to its decision.
    """

    cash: float

    # Cash is checked by the fill itself; a check at submission would value buys by the bar's close.
    params = (("checksubmit", False), ("shortcash", False))

    def __init__(self, symbols: Sequence[str], warmup: int = 0) -> None:
        super().__init__()
        self.symbols, self.warmup = tuple(symbols), warmup
        self.place = {symbol: place for place, symbol in enumerate(symbols)}
        self.units = [0.0] * len(self.symbols)
        self.turnover = 0.0
        self.on_sale: dict[bt.feed.DataBase, list[bt.Order]] = defaultdict(list)
        self.is_over = False

    @property
    def row(self) -> int:
        """Of the panel: the session that has ended; negative before its first."""
        return len(self.cerebro.datas[0]) - 1 - self.warmup

    def submit(self, order: bt.Order, check: bool = True) -> bt.Order:
        """Take a market order for the next session; refuse any other kind by name."""
        on_sale = sum(-each.created.size for each in self.on_sale[order.data] if each.alive())
        if self.row < 0:
            raise InputError(f"got an order for {order.data._name} before the first decision, wanted orders in next")
        require_market_order(order, self.positions[order.data].size - on_sale, self._ocos[order.ref] != order.ref)
        if order.issell():
            self.on_sale[order.data].append(order)
        elif "money" not in order.info:
            order.addinfo(money=order.created.size * order.data.decision_price[0])
        return super().submit(order, check)

    def get_value(
        self, datas: Iterable[bt.feed.DataBase] | None = None, mkt: bool = False, lever: bool = False
    ) -> float:
        """Cash and holdings at this session's close, in US dollars; an instrument that is not held needs no price."""
        every = self.cerebro.datas
        chosen = (
            [(data, self.positions[data].size) for data in datas]
            if datas is not None
            else [(every[place], units) for place, units in enumerate(self.units) if units]
        )
        value = sum(units * data.close[0] for data, units in chosen if units)
        return float(value + (self.cash if datas is None else 0.0))

    getvalue = get_value

    def move_units(self, place: int, left: float, price: float) -> None:
        """Let a position become so many units by no order: its cost stays, unless nothing is left of it."""
        position = self.positions[self.cerebro.datas[place]]
        if left:
            position.size, position.price = left, position.price * position.size / left
        else:
            position.update(-position.size, price)


class SessionBroker(MarketOrderBroker):
    """Plays a session by the rules, books it by Backtrader's own arithmetic and ends every order with its session.

    An order that is not wholly filled carries ``info.cut``, and ``info.short`` where it was for want of cash or volume:
    the next session may have what was missing. A buy carries ``info.money``: the US dollars promised, costs included,
    and may carry ``info.minimum``, below which it is not cut but left unfilled.
    """

    def __init__(self, panel: Panel, sessions: Sessions, warmup: int = 0) -> None:
        super().__init__(panel.symbols, warmup)
        self.sessions, self.dates = sessions, panel.sessions.date
        self.orders_log: list[tuple[object, ...]] = []
        self.cash_log: list[tuple[object, ...]] = []
        self.decided_log: list[tuple[int, int, float]] = []
        self.sent_log: dict[int, Orders] = {}
        self.stock_flows = [0.0] * len(panel.sessions)

    def submit(self, order: bt.Order, check: bool = True) -> bt.Order:
        """Take a market order for the next session, and note it."""
        taken = super().submit(order, check)
        self.decided_log.append((self.row, self.place[order.data._name], order.created.size))
        return taken

    def next(self) -> None:
        """Change held units, fill the session's orders, pay what units and cash bring."""
        row, sessions = self.row, self.sessions
        if row < 1 or not (
            self.pending or sessions.changes_units[row] or sessions.pays_dividends[row] or sessions.interest[row]
        ):
            return
        waiting = list(self.pending)
        self.pending.clear()
        self.on_sale.clear()
        held = np.array(self.units)
        orders = self._list(waiting)
        if waiting:
            self.sent_log[row] = orders
        unsettled = unsettled_money(self.stock_flows, row, sessions.settlement_sessions)
        played = play_session(self.cash, held, unsettled, orders, row, sessions)
        self.turnover = played.traded
        for movement in unit_movements(held, played):
            self._move(row, movement, float(played.changed_units[movement.place]))
        for at, trade in zip(played.fills.sequence.tolist(), trades(orders, played), strict=True):
            waiting[at].addinfo(short=falls_short(Hindrance(played.fills.hindrance[at])))
            self._end(row, waiting[at], trade)
        for movement in payments(played):
            self._book(row, movement)
        self.stock_flows[row] = played.stock_flow
        self.units = [self.positions[data].size for data in self.cerebro.datas]

    def log(
        self, closes: Sequence[tuple[float, float, list[float]]], unsent: Sequence[tuple[int, int, Hindrance]]
    ) -> EngineLog:
        """What was noted of the run, with the book at every close and the orders that were none."""
        waiting = [
            (order.data._name, order.ordtypename().lower(), abs(order.created.size), order.info.get("money", np.nan))
            for order in self.pending
        ]
        return EngineLog(closes, self.orders_log, self.cash_log, waiting, self.decided_log, unsent, self.sent_log)

    def _list(self, waiting: Sequence[bt.Order]) -> Orders:
        sells = [order.issell() for order in waiting]
        return Orders(
            place=[self.place[order.data._name] for order in waiting],
            sells=sells,
            units=[abs(order.created.size) for order in waiting],
            money=[0.0 if sale else order.info.money for order, sale in zip(waiting, sells, strict=True)],
            least=[0.0 if sale else order.info.get("minimum", 0.0) for order, sale in zip(waiting, sells, strict=True)],
        )

    def _end(self, row: int, order: bt.Order, trade: Trade) -> None:
        """Fill an order, wholly or in part, or end it without a fill."""
        order.addinfo(cut=bool(trade.reason))
        if trade.size > 0:
            # The units of a promise of money are known only at the fill.
            order.executed.remsize = trade.size if order.isbuy() else -trade.size
            if order.isbuy():
                self._round_up_cash(trade.size * trade.price, trade.commission)
            self._execute(order, ago=0, price=trade.price)
            if order.status != bt.Order.Completed:
                order.addinfo(cut=True, short=True)
                trade = trade._replace(
                    size=0.0,
                    price=np.nan,
                    commission=0.0,
                    slippage=0.0,
                    status=OrderStatus.REJECTED,
                    reason=order.getstatusname(),
                )
        else:
            order.cancel()
            self.notify(order)
        number, session, symbol = len(self.orders_log) + 1, self.dates[row], self.symbols[trade.place]
        self.orders_log.append((number, self.dates[row - 1], session, symbol, *trade[1:]))

    def _round_up_cash(self, value: float, fee: float) -> None:
        """Let the last unit cost a hair more than there is, as the rules do: Backtrader itself would refuse it.

        A hair of the order, or of all that the session trades: what large orders leave over is told to no more digits.
        """
        cash: float = self.cash
        if -max(ROUNDING * (value + fee), HAIR * self.turnover) <= cash - value - fee < 0.0:
            cash = value + fee
            while cash - value - fee < 0.0:
                cash = math.nextafter(cash, math.inf)
            self.cash = cash

    def _move(self, row: int, movement: Movement, left: float) -> None:
        """Let a split change a position, or close one that has no market any more, and book it."""
        self.move_units(movement.place, left, self.cerebro.datas[movement.place].close[-1])
        self._book(row, movement)

    def _book(self, row: int, movement: Movement) -> None:
        """Book cash, or units, that no order moved."""
        self.cash += movement.amount
        symbol = self.symbols[movement.place] if movement.place >= 0 else ""
        self.cash_log.append((self.dates[row], symbol, *movement[1:]))


class TermsCommission(bt.CommInfoBase):
    """Commission by the terms of one instrument; Backtrader's own would size coins in whole units."""

    params = (("stocklike", True), ("percabs", True), ("terms", None), ("place", 0))

    def getsize(self, price: float, cash: float) -> float:
        """Return units that cash buys, whole or not."""
        return cash / price

    def _getcommission(self, size: float, price: float, pseudoexec: bool) -> float:
        return commission(abs(size), price, self.p.terms, self.p.place)
