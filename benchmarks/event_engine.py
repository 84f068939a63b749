"""The event engine beside the same strategy on plain Backtrader: its own PandasData and its own broker.

Prices and regimes are made up (random walks): only time is measured here. Both sides must send the same orders and find
the same equity. The stock broker knows no promises of money, so the plain strategy is told the opens that its buys will
fill at, in this benchmark alone, and sizes them as our broker does at the fill.
"""

import math
import sys
import time
from collections.abc import Mapping
from datetime import date
from statistics import median

import backtrader as bt
import numpy as np
import pandas as pd
from measuring import show

from backtests.engines.event_engine import run_event_engine
from backtests.execution.fill_rules import fill_rules
from backtests.spec.costs import Costs, trade_terms
from data.catalogue.instruments import Instrument
from data.clock import next_session, previous_session, sessions_between
from data.prices.panel import Panel
from strategies.fills import buy_fill, falls_short, granted_share
from strategies.order_rules import OrderRulesConfig, plan_orders
from strategies.policy import Plan, PolicyConfig, make_plan
from strategies.trade_terms import TradeTerms
from strategies.universe import Universe

CASH = 100_000.0
ROUNDS = 5
RULES = OrderRulesConfig()


def made_up_market(instruments: int, years: int) -> tuple[Panel, Plan, Mapping[str, Instrument]]:
    """Random walks of coins (one in seven) and stocks, and the default policy's plan for random regimes."""
    rng = np.random.default_rng(1)
    end = pd.Timestamp("2025-12-31")
    run = sessions_between(end - pd.DateOffset(years=years), end)
    sessions = pd.DatetimeIndex(run.insert(0, previous_session(run[0])))
    decides_for = pd.DatetimeIndex(run.append(pd.DatetimeIndex([next_session(run[-1])])))
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, (len(sessions), instruments)), axis=0))
    symbols = tuple(f"MADE-UP-{place}" for place in range(instruments))
    third = max(1, instruments // 3)
    universe = Universe(
        speculative=symbols[:third],
        cash_flow=symbols[third : 2 * third],
        reserve=symbols[2 * third : 2 * third + 1],
        benchmark=symbols[-1],
    )
    panel = Panel(
        sessions=sessions,
        decides_for=decides_for,
        symbols=symbols,
        open=close * np.exp(rng.normal(0, 0.005, close.shape)),
        high=close,
        low=close,
        close=close,
        volume=np.full(close.shape, np.nan),
        missing=np.zeros(close.shape, dtype=int),
        decision_price=close,
        adjusted_close=close,
        adjusted_decision_price=close,
        split=np.ones(close.shape),
        dividend=np.zeros(close.shape),
        leaving=np.zeros(close.shape, dtype=bool),
        ended=np.zeros(close.shape, dtype=bool),
        payout=np.full(close.shape, np.nan),
    )
    regimes = rng.choice(["ABUNDANT", "NEUTRAL", "SCARCE"], len(sessions) // 60 + 1).repeat(60)[: len(sessions)]
    plan = make_plan(
        pd.Series(regimes, decides_for),
        panel.tradable(RULES.stale_sessions),
        panel.decision_prices(),
        universe,
        PolicyConfig(),
    )
    entries = {
        symbol: Instrument(
            name="Made up",
            currency="USD",
            calendar="XNYS",
            asset_class="crypto" if place % 7 == 0 else "us_stock",
            listed=date(1999, 1, 4),
            quantum=1e-6,
        )
        for place, symbol in enumerate(symbols)
    }
    return panel, plan, entries


class PlainFeed(bt.feeds.PandasData):
    """Backtrader's own feed with the lines that a decision reads."""

    lines = ("target", "decision_price", "rebalance", "fill_price")
    params = (("target", -1), ("decision_price", -1), ("rebalance", -1), ("fill_price", -1))


class PlainRotation(bt.Strategy):
    """The rotation's decisions as orders that the stock broker fills at the next open."""

    params = (("terms", None), ("coins", ()))

    def __init__(self) -> None:
        self.short: set[int] = set()
        self.values: list[float] = []
        self.fills: list[tuple[str, float, float]] = []

    def notify_order(self, order: bt.Order) -> None:
        """Keep what was filled; nothing may be rejected."""
        if order.status == order.Completed:
            self.fills.append((order.data._name, order.executed.size, order.executed.price))
        elif order.status in (order.Margin, order.Rejected):
            raise AssertionError("the stock broker rejected an order")

    def next(self) -> None:
        """Decide as the rotation does, with units for the buys."""
        self.values.append(self.broker.getvalue())
        is_due, short = bool(self.data.rebalance[0]), self.short
        if not (is_due or short) or len(self) == self.data.buflen():
            return
        self.short = set()
        terms: TradeTerms = self.p.terms
        coins = np.array(self.p.coins)
        units = np.array([self.getposition(data).size for data in self.datas])
        prices = np.array([data.decision_price[0] for data in self.datas])
        targets = np.array(
            [data.target[0] if is_due or place in short else math.nan for place, data in enumerate(self.datas)]
        )
        opens = np.array([data.fill_price[0] for data in self.datas])
        cash = self.broker.getcash()
        sells, money, least, _ = plan_orders(units, prices, targets, terms, RULES.rules, cash)
        for moment in (coins, ~coins):
            for place in np.flatnonzero(moment & (sells > 0)):
                self.sell(self.datas[place], size=sells[place])
                cash += sells[place] * opens[place] * (1.0 - terms.rate[place])
            wanted = np.flatnonzero(moment & (money > 0))
            share = granted_share(money[wanted].sum(), cash)
            for place in wanted:
                fill = buy_fill(money[place], least[place], share, opens[place], math.nan, terms, place)
                if falls_short(fill.hindrance):
                    self.short.add(int(place))
                if fill.units > 0:
                    self.buy(self.datas[place], size=fill.units)
                    cash -= fill.units * opens[place] * (1.0 + terms.rate[place])


def run_plain(panel: Panel, plan: Plan, instruments: Mapping[str, Instrument]) -> PlainRotation:
    """The same plan through Backtrader as it comes."""
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.broker.setcash(CASH)
    cerebro.broker.set_checksubmit(False)
    terms = trade_terms(panel.symbols, instruments, Costs())
    for place, symbol in enumerate(panel.symbols):
        frame = pd.DataFrame(
            {
                "open": panel.open[:, place],
                "high": panel.close[:, place],
                "low": panel.close[:, place],
                "close": panel.close[:, place],
                "volume": 0.0,
                "target": plan.targets[symbol].to_numpy(),
                "decision_price": panel.decision_price[:, place],
                "rebalance": plan.rebalance.to_numpy().astype(float),
                "fill_price": np.append(panel.open[1:, place], np.nan),
            },
            index=panel.sessions,
        )
        cerebro.adddata(PlainFeed(dataname=frame), name=symbol)
        cerebro.broker.setcommission(commission=terms.rate[place], stocklike=True, name=symbol)
    coins = [instruments[symbol].is_crypto for symbol in panel.symbols]
    cerebro.addstrategy(PlainRotation, terms=terms, coins=coins)
    (strategy,) = cerebro.run()
    return strategy


def require_same(panel: Panel, plan: Plan, instruments: Mapping[str, Instrument]) -> None:
    """Both sides send the same orders and find the same equity, or the times mean nothing."""
    ours = run_event_engine(fill_rules(panel, instruments, Costs(), RULES), plan, RULES, CASH)
    plain = run_plain(panel, plan, instruments)
    np.testing.assert_allclose(ours.equity["equity"].to_numpy(), plain.values[1:], rtol=1e-9)
    filled = ours.orders.query("size > 0")
    signed = filled["size"].where(filled["side"] == "buy", -filled["size"])
    found = list(zip(filled["symbol"], signed, filled["price"], strict=True))
    assert [fill[0] for fill in found] == [fill[0] for fill in plain.fills]
    np.testing.assert_allclose([fill[1:] for fill in found], [fill[1:] for fill in plain.fills], rtol=1e-9)


def seconds_of(run: object, *arguments: object) -> float:
    """Wall seconds of one call."""
    begin = time.perf_counter()
    run(*arguments)  # type: ignore[operator]
    return time.perf_counter() - begin


def ours(panel: Panel, plan: Plan, instruments: Mapping[str, Instrument]) -> None:
    """The event engine as a backtest calls it."""
    run_event_engine(fill_rules(panel, instruments, Costs(), RULES), plan, RULES, CASH)


def main() -> None:
    """Measure the main case in turn, and how time grows with instruments and years."""
    main_case, many = made_up_market(instruments=15, years=11), made_up_market(instruments=500, years=11)
    require_same(*main_case)
    pairs = [(seconds_of(ours, *main_case), seconds_of(run_plain, *main_case)) for _ in range(ROUNDS)]
    few_and_more = [made_up_market(count, 11) for count in (30, 300)]
    growth = [[seconds_of(ours, *case) for case in few_and_more] for _ in range(ROUNDS)]
    seconds = {
        "event_engine": median(pair[0] for pair in pairs),
        "plain_backtrader": median(pair[1] for pair in pairs),
        "event_engine_500_instruments": median(seconds_of(ours, *many) for _ in range(3)),
        "plain_backtrader_500_instruments": seconds_of(run_plain, *many),
    }
    for count in (5, 15, 50):
        seconds[f"{count}_instruments_11_years"] = seconds_of(ours, *made_up_market(count, 11))
    for years in (5, 11, 25):
        seconds[f"15_instruments_{years}_years"] = seconds_of(ours, *made_up_market(15, years))
    ratios = {
        "event_time_over_plain_backtrader": median(mine / plain for mine, plain in pairs),
        "event_time_500_over_plain_backtrader": seconds["event_engine_500_instruments"]
        / seconds["plain_backtrader_500_instruments"],
        "event_time_300_over_30": median(more / few for few, more in growth),
    }
    show("Event engine, 11 years, 15 instruments", ratios, seconds, as_json="--json" in sys.argv[1:])


if __name__ == "__main__":
    main()
