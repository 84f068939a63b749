"""The event engine: Backtrader, which is the truth.

A feed hands it the session clock's rows; a broker fills them in the order of the clock: coins at the UTC open, then
stocks at the NYSE open, in each sells before buys. `backtests.ledger` fills by the same rules, and is checked against
this.
"""

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence

import backtrader as bt
import numpy as np
import pandas as pd

from backtests.costs import Costs, cost_rates
from backtests.engine_result import EngineLog, EngineResult, collect_result
from backtests.feed_columns import feed_columns
from backtests.fill_rules import FillRules, fill_rules
from backtests.user_strategies import no_later_bar, refuse_cheating, refuse_settings, require_market_order
from data.errors import InputError
from data.instruments import Instrument
from data.panel import Panel
from strategies.order_rules import ROUNDING, OrderRulesConfig, units_for_money
from strategies.policy import Plan
from strategies.rotation import Rotation

__all__ = ["EngineResult", "SessionBroker", "SessionFeed", "run_event_engine"]


class SessionFeed(bt.feed.DataBase):
    """One instrument's rows of a `Panel` and a `Plan`: the bar of a session and, beside it, the decision for the next.

    ``close`` is the value of a unit, carried over sessions without a bar; ``open`` is NaN where nothing fills.
    """

    lines = ("target", "decision_price", "rebalance", "score")
    params = (("columns", None), ("trades_at_utc_open", False))

    def preload(self) -> None:
        """Hand Backtrader whole columns at once, not row by row and cell by cell."""
        for name, values in self.p.columns.items():
            getattr(self.lines, name).array = array("d", values)
        self.home()

    def start(self) -> None:
        """Begin at the first row."""
        super().start()
        self._row = -1

    def _load(self) -> bool:
        """Append one row, for a run that is not to hold later ones."""
        self._row += 1
        if self._row >= len(self.p.columns["datetime"]):
            return False
        for name, values in self.p.columns.items():
            getattr(self.lines, name)[0] = values[self._row]
        return True

    def advance(self, size: int = 1, datamaster: bt.feed.DataBase | None = None, ticks: bool = True) -> None:
        """Move on without the ticks that Backtrader keeps for bars under way: these are whole."""
        del ticks
        super().advance(size, datamaster, ticks=False)


class SessionBroker(bt.brokers.BackBroker):
    """Fills a session in the order of the clock and ends every order with its session.

    An order that is not wholly filled carries ``info.cut`` and its reason. A buy carries ``info.money``: the US dollars
    promised, costs included, and may carry ``info.minimum``, below which it is not cut but left unfilled. A plain buy
    promises its size at the price known to its decision.
    """

    # Cash is checked by the fill itself; a check at submission would value buys by the bar's close.
    params = (("checksubmit", False), ("shortcash", False))

    def __init__(self, rules: FillRules) -> None:
        super().__init__()
        self.rules = rules
        self.orders_log: list[tuple[object, ...]] = []
        self.cash_log: list[tuple[object, ...]] = []
        self.decided_log: list[tuple[int, str, float]] = []

    def submit(self, order: bt.Order, check: bool = True) -> bt.Order:
        """Take a market order for the next session; refuse any other kind by name."""
        on_sale = sum(-each.created.size for each in self.pending if each.data is order.data and each.issell())
        require_market_order(order, self.positions[order.data].size - on_sale, self._ocos[order.ref] != order.ref)
        if order.isbuy() and "money" not in order.info:
            order.addinfo(money=order.created.size * order.data.decision_price[0])
        self.decided_log.append((len(order.data) - 1, order.data._name, order.created.size))
        return super().submit(order, check)

    def next(self) -> None:
        """Close out what has no price any more, then fill the session's orders."""
        self._close_out_stale()
        if not self.pending:
            return
        waiting = list(self.pending)
        self.pending.clear()
        for at_utc_open in (True, False):
            moment = [order for order in waiting if order.data.p.trades_at_utc_open == at_utc_open]
            self._fill_sells([order for order in moment if order.issell()])
            self._fill_buys([order for order in moment if order.isbuy()])

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

    def _fill_sells(self, orders: list[bt.Order]) -> None:
        for order in orders:
            size = self._units_to_sell(order)
            if reason := self._hindrance(order) or ("" if size > 0 else "less than the smallest unit"):
                self._end_unfilled(order, reason)
            else:
                self._fill(order, -size, order.data.open[0])

    def _units_to_sell(self, order: bt.Order) -> float:
        """All that is held, or whole multiples of the quantum."""
        size, held = abs(order.created.size), self.positions[order.data].size
        if size >= held:
            return float(held)
        quantum = self.rules.quanta[order.data._name]
        # A multiple stays what it is, whatever its division leaves over.
        return float(np.floor(size / quantum + 1e-6) * quantum)

    def _hindrance(self, order: bt.Order) -> str:
        """Why an order cannot fill at this session; empty where it can."""
        data = order.data
        if np.isnan(data.decision_price[-1]) or np.isnan(order.created.size):
            return "no price known to the decision"
        if self.rules.missing[data._name][len(data) - 2] >= self.rules.stale_sessions:
            return "without a bar for too long"
        return "no open" if np.isnan(data.open[0]) else ""

    def _fill_buys(self, orders: list[bt.Order]) -> None:
        hindrances = [self._hindrance(order) for order in orders]
        for order, reason in zip(orders, hindrances, strict=True):
            if reason:
                self._end_unfilled(order, reason)
        fillable = [order for order, reason in zip(orders, hindrances, strict=True) if not reason]
        names = [order.data._name for order in fillable]
        money = np.array([order.info.money for order in fillable])
        prices = np.array([order.data.open[0] for order in fillable])
        costs = np.array([self.rules.cost_rates[name] for name in names])
        quanta = np.array([self.rules.quanta[name] for name in names])
        minimum = np.array([order.info.get("minimum", 0.0) for order in fillable])
        units = units_for_money(money, minimum, prices, costs, quanta, self.cash)
        wanted = units_for_money(money, minimum, prices, costs, quanta, np.inf)
        short = self.cash < money.sum() * (1.0 - ROUNDING)
        for order, size, whole, price in zip(fillable, units, wanted, prices, strict=True):
            if size <= 0:
                self._end_unfilled(
                    order, "too little cash at this moment" if whole > 0 else "less than the smallest unit"
                )
            else:
                self._fill(order, size, price, wanted=whole, reason="cut to the cash present" if short else "")

    def _fill(self, order: bt.Order, size: float, price: float, wanted: float = 0.0, reason: str = "") -> None:
        # The units of a promise of money are known only at the fill.
        order.executed.remsize = size
        order.addinfo(cut=bool(reason))
        self._execute(order, ago=0, price=price)
        if order.status != bt.Order.Completed:
            order.addinfo(cut=True)
            self._log(order, 0.0, abs(wanted or size), np.nan, 0.0, "rejected", order.getstatusname())
        else:
            status = "reduced" if reason else "filled"
            self._log(order, abs(size), abs(wanted or size), price, order.executed.comm, status, reason)
        self.notify(order)

    def _end_unfilled(self, order: bt.Order, reason: str) -> None:
        order.addinfo(cut=True)
        order.cancel()
        self._log(order, 0.0, abs(order.created.size), np.nan, 0.0, "unfilled", reason)
        self.notify(order)

    def _log(
        self, order: bt.Order, size: float, wanted: float, price: float, commission: float, status: str, reason: str
    ) -> None:
        data = order.data
        side = "buy" if order.isbuy() else "sell"
        decided, session = data.datetime.date(-1), data.datetime.date(0)
        number = len(self.orders_log) + 1
        self.orders_log.append(
            (number, decided, session, data._name, side, size, wanted, price, commission, status, reason)
        )

    def _close_out_stale(self) -> None:
        """Sell at the last close, less the haircut, what had no bar for too long when this session was decided."""
        for data, position in self.positions.items():
            if not position.size or self.rules.missing[data._name][len(data) - 2] < self.rules.stale_sessions:
                continue
            amount = position.size * data.close[-1] * (1.0 - self.rules.stale_haircut)
            self.cash += amount
            position.update(-position.size, data.close[-1])
            self.cash_log.append((data.datetime.date(0), data._name, "close_out", amount))


class _Costs(bt.CommInfoBase):
    """A share of the traded value; Backtrader's own would size coins in whole units."""

    params = (("stocklike", True), ("percabs", True))

    def getsize(self, price: float, cash: float) -> float:
        return cash / price


class _Recorder(bt.Analyzer):
    """Equity, cash and units at every session's close."""

    def start(self) -> None:
        self.rows: list[tuple[float, float, list[float]]] = []

    def next(self) -> None:
        broker = self.strategy.broker
        units = [self.strategy.getposition(data).size for data in self.datas]
        self.rows.append((broker.get_value(), broker.get_cash(), units))


def run_event_engine(
    panel: Panel,
    plan: Plan,
    instruments: Mapping[str, Instrument],
    costs: Costs,
    rules: OrderRulesConfig,
    initial_cash: float,
    strategy: Callable[..., bt.Strategy] | None = None,
    score: pd.Series | None = None,
) -> EngineResult:
    """Run a plan over a panel through Backtrader.

    Args:
        panel: prices; its first session carries the first decision alone.
        plan: by session decided for, columns as `panel.symbols`.
        instruments: entries of the panel's symbols.
        costs: by asset class.
        rules: band, minimum order, stale holdings.
        initial_cash: US dollars.
        strategy: of a user, in the place of the rotation; the plan then is only something that it may read.
        score: of the signal by session decided for; for a strategy of a user.

    Raises:
        InputError: the strategy is none, or sends an order that is not offered.
        LookAheadError: the strategy reads a bar after that of its decision.
    """
    rates = cost_rates(panel.symbols, instruments, costs)
    quanta = [instruments[symbol].quantum for symbol in panel.symbols]
    cerebro = bt.Cerebro(stdstats=False)
    broker = SessionBroker(fill_rules(panel, instruments, rates, rules))
    broker.set_cash(initial_cash)
    cerebro.setbroker(broker)
    times = np.array([bt.date2num(session) for session in panel.sessions.to_pydatetime()])
    for place, symbol in enumerate(panel.symbols):
        columns = {"datetime": times, **feed_columns(panel, plan, place, rules, score)}
        feed = SessionFeed(columns=columns, trades_at_utc_open=instruments[symbol].is_crypto)
        cerebro.adddata(feed, name=symbol)
        broker.addcommissioninfo(_Costs(commission=rates[place]), name=symbol)
    cerebro.addanalyzer(_Recorder, _name="recorder")
    if strategy is None:
        cerebro.addstrategy(Rotation, rules=rules, costs=rates, quanta=quanta)
        cerebro.run()
    else:
        _run_strategy(cerebro, strategy)
    (ran,) = cerebro.runstrats[0]
    return collect_result(panel, broker.log(ran.analyzers.recorder.rows), initial_cash)


def _run_strategy(cerebro: bt.Cerebro, strategy: Callable[..., bt.Strategy]) -> None:
    """Run a strategy of the user on bars that are loaded one by one, so that a later one is not there to be read."""
    if not (isinstance(strategy, type) and issubclass(strategy, bt.Strategy)):
        raise InputError(f"got {strategy!r}, wanted a class derived from backtrader.Strategy")
    refuse_cheating(strategy, bt.Strategy)
    refuse_settings(cerebro.broker)
    cerebro.addstrategy(strategy)
    with no_later_bar(cerebro.datas):
        cerebro.run(preload=False, runonce=False)
