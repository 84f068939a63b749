"""The event engine: Backtrader, which is the truth.

A feed hands it the session clock's rows; a broker fills them in the order of the clock: coins at the UTC open, then
stocks at the NYSE open, in each sells before buys. Nothing else of this project fills an order.
"""

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import backtrader as bt
import numpy as np
import pandas as pd

from backtests.costs import Costs, cost_rates
from data.instruments import Instrument
from data.panel import Panel
from strategies.order_rules import ROUNDING, OrderRulesConfig, units_for_money
from strategies.policy import Plan
from strategies.rotation import Rotation

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
    "status",
    "reason",
)
CASH_COLUMNS = ("session", "symbol", "kind", "amount")


@dataclass(frozen=True)
class EngineResult:
    """What happened, by session of the run.

    Attributes:
        equity: columns equity and cash, US dollars at the close.
        positions: units held at the close, one column an instrument.
        orders: `ORDER_COLUMNS`; status is filled, reduced, unfilled or rejected.
        cash: `CASH_COLUMNS`: every movement of cash that is no order.
        next_orders: orders decided for the session to come: symbol, side, units to sell (sells) or money (buys, USD).
    """

    equity: pd.DataFrame
    positions: pd.DataFrame
    orders: pd.DataFrame
    cash: pd.DataFrame
    next_orders: pd.DataFrame


@dataclass(frozen=True)
class FillRules:
    """What the broker must know of each instrument, by symbol.

    Attributes:
        cost_rates: costs of a trade as a fraction of its value.
        quanta: smallest tradable units.
        missing: by row of the panel, sessions in a row without a bar.
        stale_sessions: see `OrderRulesConfig`.
        stale_haircut: see `OrderRulesConfig`.
    """

    cost_rates: Mapping[str, float]
    quanta: Mapping[str, float]
    missing: Mapping[str, np.ndarray]
    stale_sessions: int
    stale_haircut: float


class SessionFeed(bt.feed.DataBase):
    """One instrument's rows of a `Panel` and a `Plan`: the bar of a session and, beside it, the decision for the next.

    ``close`` is the value of a unit, carried over sessions without a bar; ``open`` is NaN where nothing fills.
    """

    lines = ("target", "decision_price", "rebalance")
    params = (("columns", None), ("trades_at_utc_open", False))

    def preload(self) -> None:
        """Hand Backtrader whole columns at once, not row by row and cell by cell."""
        for name, values in self.p.columns.items():
            getattr(self.lines, name).array = array("d", values)
        self.home()

    def advance(self, size: int = 1, datamaster: bt.feed.DataBase | None = None, ticks: bool = True) -> None:
        """Move on without the ticks that Backtrader keeps for bars under way: these are whole."""
        del ticks
        super().advance(size, datamaster, ticks=False)


class SessionBroker(bt.brokers.BackBroker):
    """Fills a session in the order of the clock and ends every order with its session.

    An order that is not wholly filled carries ``info.cut`` and its reason. A buy carries ``info.money``: the US dollars
    promised, costs included, and ``info.minimum``, below which it is not cut but left unfilled.
    """

    # Cash is checked by the fill itself; a check at submission would value buys by the bar's close.
    params = (("checksubmit", False), ("shortcash", False))

    def __init__(self, rules: FillRules) -> None:
        super().__init__()
        self.rules = rules
        self.orders_log: list[tuple[object, ...]] = []
        self.cash_log: list[tuple[object, ...]] = []

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

    def _fill_sells(self, orders: list[bt.Order]) -> None:
        for order in orders:
            price = order.data.open[0]
            if np.isnan(price):
                self._end_unfilled(order, "no open")
            else:
                self._fill(order, -abs(order.created.size), price)

    def _fill_buys(self, orders: list[bt.Order]) -> None:
        fillable = [order for order in orders if not np.isnan(order.data.open[0])]
        for order in orders:
            if order not in fillable:
                self._end_unfilled(order, "no open")
        names = [order.data._name for order in fillable]
        money = np.array([order.info.money for order in fillable])
        prices = np.array([order.data.open[0] for order in fillable])
        costs = np.array([self.rules.cost_rates[name] for name in names])
        quanta = np.array([self.rules.quanta[name] for name in names])
        minimum = np.array([order.info.minimum for order in fillable])
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
) -> EngineResult:
    """Run a plan over a panel through Backtrader.

    Args:
        panel: prices; its first session carries the first decision alone.
        plan: by session decided for, columns as `panel.symbols`.
        instruments: entries of the panel's symbols.
        costs: by asset class.
        rules: band, minimum order, stale holdings.
        initial_cash: US dollars.
    """
    rates = cost_rates(panel.symbols, instruments, costs)
    quanta = [instruments[symbol].quantum for symbol in panel.symbols]
    cerebro = bt.Cerebro(stdstats=False)
    broker = SessionBroker(
        rules=FillRules(
            cost_rates=dict(zip(panel.symbols, rates, strict=True)),
            quanta=dict(zip(panel.symbols, quanta, strict=True)),
            missing={symbol: panel.missing[:, place] for place, symbol in enumerate(panel.symbols)},
            stale_sessions=rules.stale_sessions,
            stale_haircut=rules.stale_haircut,
        )
    )
    broker.set_cash(initial_cash)
    cerebro.setbroker(broker)
    for place, symbol in enumerate(panel.symbols):
        feed = SessionFeed(
            columns=_feed_columns(panel, plan, place, rules), trades_at_utc_open=instruments[symbol].is_crypto
        )
        cerebro.adddata(feed, name=symbol)
        broker.setcommission(commission=rates[place], stocklike=True, name=symbol)
    cerebro.addstrategy(Rotation, rules=rules, costs=rates, quanta=quanta)
    cerebro.addanalyzer(_Recorder, _name="recorder")
    (strategy,) = cerebro.run()
    return _collect(panel, broker, strategy.analyzers.recorder.rows, initial_cash)


def _feed_columns(panel: Panel, plan: Plan, place: int, rules: OrderRulesConfig) -> dict[str, np.ndarray]:
    symbol = panel.symbols[place]
    stale = panel.missing[:, place] >= rules.stale_sessions
    close = panel.close[:, place]
    return {
        "datetime": np.array([bt.date2num(session) for session in panel.sessions.to_pydatetime()]),
        "open": panel.open[:, place],
        "high": close,
        "low": close,
        "close": close,
        "volume": np.zeros(len(close)),
        "openinterest": np.zeros(len(close)),
        # What is about to be closed out is left alone by the order rules.
        "target": np.where(stale, np.nan, plan.targets[symbol].to_numpy()),
        "decision_price": panel.decision_price[:, place],
        "rebalance": plan.rebalance.to_numpy().astype(float),
    }


def _collect(
    panel: Panel, broker: SessionBroker, rows: list[tuple[float, float, list[float]]], initial_cash: float
) -> EngineResult:
    run = panel.sessions[1:]
    equity = pd.DataFrame([row[:2] for row in rows[1:]], index=run, columns=["equity", "cash"])
    positions = pd.DataFrame([row[2] for row in rows[1:]], index=run, columns=list(panel.symbols), dtype=float)
    orders = pd.DataFrame(broker.orders_log, columns=list(ORDER_COLUMNS))
    deposit = (run[0].date(), "", "deposit", initial_cash)
    cash = pd.DataFrame([deposit, *broker.cash_log], columns=list(CASH_COLUMNS))
    for frame in (orders, cash):
        for column in frame.columns.intersection(["decided_session", "session"]):
            frame[column] = pd.to_datetime(frame[column]).astype("datetime64[us]")
    waiting = [
        (order.data._name, "buy" if order.isbuy() else "sell", abs(order.created.size), order.info.get("money", np.nan))
        for order in broker.pending
    ]
    next_orders = pd.DataFrame(waiting, columns=["symbol", "side", "size_wanted", "money"])
    return EngineResult(equity.rename_axis("session"), positions.rename_axis("session"), orders, cash, next_orders)
