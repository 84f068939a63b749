"""Backtrader's broker for the session clock: it fills coins at the UTC open, then stocks, in each sells before buys."""

from collections.abc import Iterable, Sequence

import backtrader as bt
import numpy as np

from backtests.engines.user_strategies import require_market_order
from backtests.execution.fill_rules import FillRules
from backtests.execution.result import EngineLog
from strategies.trade_terms import CAUSES, at_places, buy_fills, commission, sell_fills


class SessionBroker(bt.brokers.BackBroker):
    """Fills a session in the order of the clock and ends every order with its session.

    A session begins with what changes held units (splits, payouts, close-outs) and ends with what they and the cash
    bring (dividends, interest), which can be spent at the next one. An order that is not wholly filled carries
    ``info.cut`` and its reason. A buy carries ``info.money``: the US dollars promised, costs included, and may carry
    ``info.minimum``, below which it is not cut but left unfilled. A plain buy promises its size at the price known to
    its decision.
    """

    # Cash is checked by the fill itself; a check at submission would value buys by the bar's close.
    params = (("checksubmit", False), ("shortcash", False))

    def __init__(self, rules: FillRules) -> None:
        super().__init__()
        self.rules = rules
        self.place = {symbol: place for place, symbol in enumerate(rules.panel.symbols)}
        self.orders_log: list[tuple[object, ...]] = []
        self.cash_log: list[tuple[object, ...]] = []
        self.decided_log: list[tuple[int, str, float]] = []
        self.stock_flows: dict[int, float] = {}

    def submit(self, order: bt.Order, check: bool = True) -> bt.Order:
        """Take a market order for the next session; refuse any other kind by name."""
        on_sale = sum(-each.created.size for each in self.pending if each.data is order.data and each.issell())
        require_market_order(order, self.positions[order.data].size - on_sale, self._ocos[order.ref] != order.ref)
        if order.isbuy() and "money" not in order.info:
            order.addinfo(money=order.created.size * order.data.decision_price[0])
        self.decided_log.append((len(order.data) - 1, order.data._name, order.created.size))
        return super().submit(order, check)

    def next(self) -> None:
        """Change held units, fill the session's orders, pay what units and cash bring."""
        row = len(self.cerebro.datas[0]) - 1
        overnight = self.cash
        if self.rules.changes_units[row]:
            self._change_units(row)
        entitled = [(data, position.size) for data, position in self.positions.items() if position.size]
        if self.pending:
            waiting = list(self.pending)
            self.pending.clear()
            for coins in (True, False):
                moment = [order for order in waiting if self.rules.coins[self.place[order.data._name]] == coins]
                self._fill_moment(row, [order for order in moment if order.issell()])
                self._fill_moment(row, [order for order in moment if order.isbuy()])
        if self.rules.pays[row]:
            for data, units in entitled:
                self._book(data, "dividend", units * self.rules.panel.dividend[row, self.place[data._name]])
            self._book(self.cerebro.datas[0], "interest", overnight * self.rules.interest[row], symbol="")

    def get_value(
        self, datas: Iterable[bt.feed.DataBase] | None = None, mkt: bool = False, lever: bool = False
    ) -> float:
        """Cash and holdings at this session's close, in US dollars; an instrument that is not held needs no price."""
        chosen = self.positions.items() if datas is None else [(data, self.positions[data]) for data in datas]
        value = sum(position.size * data.close[0] for data, position in chosen if position.size)
        return float(value + (self.cash if datas is None else 0.0))

    getvalue = get_value

    def log(self, closes: Sequence[tuple[float, float, list[float]]]) -> EngineLog:
        """What was noted of the run, with the book at every close."""
        waiting = [
            (order.data._name, order.ordtypename().lower(), abs(order.created.size), order.info.get("money", np.nan))
            for order in self.pending
        ]
        return EngineLog(closes, self.orders_log, self.cash_log, waiting, self.decided_log)

    def _fill_moment(self, row: int, orders: list[bt.Order]) -> None:
        """Fill the sells, or the buys, of one moment."""
        fillable = []
        for order in orders:
            if reason := self._hindrance(row, order):
                self._end_unfilled(order, reason)
            else:
                fillable.append(order)
        if not fillable:
            return
        places = np.array([self.place[order.data._name] for order in fillable])
        panel, terms = self.rules.panel, at_places(self.rules.terms, places)
        opens, volumes = panel.open[row, places], panel.volume[row, places]
        if fillable[0].isbuy():
            money = np.array([order.info.money for order in fillable])
            least = np.array([order.info.get("minimum", 0.0) for order in fillable])
            cash = self._settled_cash(row) if self.rules.coins[places[0]] else self.cash
            fills = buy_fills(money, least, opens, volumes, terms, cash)
        else:
            units = np.array([self._units_to_sell(order) for order in fillable])
            fills = sell_fills(units, opens, volumes, terms)
        for order, size, price, wanted, cause in zip(fillable, *(part.tolist() for part in fills), strict=True):
            if size > 0:
                self._fill(row, order, size, price, wanted, CAUSES[cause])
            else:
                self._end_unfilled(order, CAUSES[cause])

    def _units_to_sell(self, order: bt.Order) -> float:
        """All that is held, or whole multiples of the quantum."""
        size, held = abs(order.created.size), self.positions[order.data].size
        if size >= held:
            return float(held)
        quantum = self.rules.terms.quantum[self.place[order.data._name]]
        # A multiple stays what it is, whatever its division leaves over.
        return float(np.floor(size / quantum + 1e-6) * quantum)

    def _hindrance(self, row: int, order: bt.Order) -> str:
        """Why an order cannot fill at this session; empty where it can."""
        place, panel = self.place[order.data._name], self.rules.panel
        if np.isnan(panel.decision_price[row - 1, place]) or np.isnan(order.created.size):
            return "no price known to the decision"
        if self.rules.stale[row - 1, place]:
            return "without a bar for too long"
        return "no open" if np.isnan(panel.open[row, place]) else ""

    def _settled_cash(self, row: int) -> float:
        """Cash without what stocks brought too few sessions ago to pay for coins."""
        late = range(row - self.rules.settlement_sessions + 1, row)
        return float(self.cash - sum(max(self.stock_flows.get(each, 0.0), 0.0) for each in late))

    def _fill(self, row: int, order: bt.Order, size: float, price: float, wanted: float, reason: str) -> None:
        # The units of a promise of money are known only at the fill.
        order.executed.remsize = size if order.isbuy() else -size
        order.addinfo(cut=bool(reason))
        before = self.cash
        self._execute(order, ago=0, price=price)
        if order.status != bt.Order.Completed:
            order.addinfo(cut=True)
            self._log(order, 0.0, wanted, np.nan, (0.0, 0.0), "rejected", order.getstatusname())
        else:
            slippage = size * abs(price - float(self.rules.panel.open[row, self.place[order.data._name]]))
            costs = (order.executed.comm, slippage)
            self._log(order, size, wanted, price, costs, "reduced" if reason else "filled", reason)
        if not self.rules.coins[self.place[order.data._name]]:
            self.stock_flows[row] = self.stock_flows.get(row, 0.0) + self.cash - before
        self.notify(order)

    def _end_unfilled(self, order: bt.Order, reason: str) -> None:
        order.addinfo(cut=True)
        order.cancel()
        self._log(order, 0.0, abs(order.created.size), np.nan, (0.0, 0.0), "unfilled", reason)
        self.notify(order)

    def _log(
        self,
        order: bt.Order,
        size: float,
        wanted: float,
        price: float,
        costs: tuple[float, float],
        status: str,
        reason: str,
    ) -> None:
        """Note what became of an order; its costs are commission and slippage, US dollars."""
        data = order.data
        side = "buy" if order.isbuy() else "sell"
        decided, session = data.datetime.date(-1), data.datetime.date(0)
        number = len(self.orders_log) + 1
        self.orders_log.append(
            (number, decided, session, data._name, side, size, wanted, price, *costs, status, reason)
        )

    def _change_units(self, row: int) -> None:
        """Pay out what has no market any more, and let splits change units, those on sale too."""
        for data, position in self.positions.items():
            units, place = position.size, self.place[data._name]
            if not units:
                continue
            kind, left, amount = self.rules.changed_units(row, place, units)
            if kind == "split":
                position.size, position.price = left, position.price * units / left if left else 0.0
            elif kind:
                position.update(-units, data.close[-1])
            if kind:
                self._book(data, kind, amount, left - units)
        for order in self.pending:
            if order.issell():
                order.created.size *= self.rules.panel.split[row, self.place[order.data._name]]

    def _book(
        self, data: bt.feed.DataBase, kind: str, amount: float, units: float = 0.0, symbol: str | None = None
    ) -> None:
        """Book cash, or units, that no order moved."""
        if amount or units:
            self.cash += amount
            name = data._name if symbol is None else symbol
            self.cash_log.append((data.datetime.date(0), name, kind, amount, units))


class TermsCommission(bt.CommInfoBase):
    """Commission by the terms of one instrument; Backtrader's own would size coins in whole units."""

    params = (("stocklike", True), ("percabs", True), ("terms", None))

    def getsize(self, price: float, cash: float) -> float:
        """Return units that cash buys, whole or not."""
        return cash / price

    def _getcommission(self, size: float, price: float, pseudoexec: bool) -> float:
        return float(commission(np.array(abs(size)), np.array(price), self.p.terms))
