"""Faults that users of other back-testers have reported in public, tried here; each names its reports."""

from dataclasses import replace
from pathlib import Path

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backtests.engines.event_engine import run_event_engine
from backtests.engines.ledger import run_ledger
from backtests.engines.strategy_replay import LINES, Bars, ask_strategy
from backtests.engines.told_broker import Booked, Ended, Past, Sent
from backtests.engines.vector_engine import run_vector_engine
from backtests.execution.fill_rules import fill_rules
from backtests.spec.costs import Costs, trade_terms
from data.clock import sessions_between
from data.files.user_code import UserCallable, UserFile
from data.market.tables import ACTIONS
from data.prices.panel import build_panel
from hand_made import make_instrument, make_snapshot
from strategies.fills import buy_fill
from strategies.order_rules import OrderRulesConfig
from strategies.policy import Plan
from strategies.trade_terms import as_lists, commission

DAYS = [f"{day:%Y-%m-%d}" for day in sessions_between(pd.Timestamp("2024-04-08"), pd.Timestamp("2024-04-24"))]
FREE = {"us_stock": {"commission_bp": 0.0}}


def market(prices, quantum=1e-9, actions=()):
    """Bars that open where they close, and actions: (symbol, date, kind, value, known_at)."""
    bars = {name: [(day, each, each) for day, each in zip(DAYS, row, strict=False)] for name, row in prices.items()}
    snapshot = make_snapshot(bars, {name: make_instrument(quantum=quantum) for name in prices}, as_traded=True)
    if not actions:
        return snapshot
    table = pd.DataFrame([dict(zip(ACTIONS.columns, (*each, "made for a test"), strict=True)) for each in actions])
    table["date"], table["known_at"] = pd.to_datetime(table["date"]), pd.to_datetime(table["known_at"], utc=True)
    return replace(snapshot, actions=table)


def prepared(snapshot, costs=FREE):
    symbols = tuple(sorted(snapshot.bars["symbol"].unique()))
    panel = build_panel(snapshot, symbols, pd.Timestamp(DAYS[1]), pd.Timestamp(DAYS[-1]), "raw")
    return fill_rules(panel, snapshot.instruments, Costs.model_validate(costs), OrderRulesConfig())


def play(snapshot, strategy, costs=FREE, cash=1000.0):
    fills = prepared(snapshot, costs)
    decided = fills.panel.decides_for
    plan = Plan(pd.DataFrame(0.0, decided, list(fills.panel.symbols)), pd.Series(False, decided))
    return run_event_engine(fills, plan, OrderRulesConfig(), cash, strategy, pd.Series(0.0, decided))


def by_weights(snapshot, rows, costs=FREE, cash=1000.0, **rules):
    """Weights by number of the decision, in all three engines."""
    fills, config = prepared(snapshot, costs), OrderRulesConfig(**{"band": 0.0, "minimum_order": 0.0} | rules)
    decided, symbols = fills.panel.decides_for, list(fills.panel.symbols)
    targets = pd.DataFrame(np.nan, decided, symbols)
    for number, row in rows.items():
        targets.iloc[number] = [row.get(symbol, 0.0) for symbol in symbols]
    due = targets.notna().all(axis=1)
    plan = Plan(targets.ffill().fillna(0.0), due)
    event, vector = (run(fills, plan, config, cash) for run in (run_event_engine, run_vector_engine))
    for name in ("equity", "cash"):
        wanted = event.equity[name].to_numpy()
        for found in (vector.equity[name], getattr(run_ledger(fills, plan, config, cash), name)):
            np.testing.assert_allclose(found.to_numpy(), wanted, rtol=1e-9, atol=1e-9 * cash)
    return event


class BuysAndCloses(bt.Strategy):
    params = (("size", 9.0), ("closes", 4))

    def next(self):
        if len(self) == 1:
            self.buy(size=self.p.size)
        if len(self) == self.p.closes:
            self.close()


def test_a_reverse_split_that_leaves_no_share_pays_and_ends_the_order():
    """zipline-reloaded 332, zipline 1988: an order for 9 before a split of 1 for 100 was for 0 shares, and crashed."""
    split = ("X", DAYS[4], "split", 0.01, DAYS[3])
    snapshot = market({"X": [10.0] * 4 + [1000.0] * 20}, quantum=1.0, actions=[split])
    snapshot.bars["adj_close"] = 1000.0
    result = play(snapshot, BuysAndCloses)
    assert result.positions["X"].iloc[-1] == 0.0
    # Paid at what it was worth, not at what it had cost; the run goes on to its end.
    assert result.equity["equity"].to_numpy() == pytest.approx(1000.0)
    assert result.orders["status"].tolist() == ["filled", "unfilled"]
    assert len(result.equity) == len(DAYS) - 1


def test_closing_a_position_needs_no_cash_and_never_makes_debt():
    """backtrader 194, backtesting.py 328, Vibe-Trading 1542: a sell that cash was wanted for; cash below 0."""
    falls = market({"X": [10.0] * 3 + [0.005] * 20})
    dear = {"us_stock": {"commission_bp": 0.0, "minimum_commission": 5.0}}
    bankrupt = play(falls, type("All", (BuysAndCloses,), {"params": (("size", 100.0), ("closes", 4))}), dear)
    assert bankrupt.equity["cash"].min() >= 0.0
    assert bankrupt.orders["reason"].tolist()[1:] == ["less than the smallest order"]
    fine = play(market({"X": [10.0] * 23}), type("All", (BuysAndCloses,), {"params": (("size", 100.0),)}), dear)
    assert fine.orders["status"].tolist() == ["filled", "filled"]
    assert fine.equity["cash"].iloc[-1] == pytest.approx(990.0)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    prices=st.lists(st.floats(0.001, 500.0), min_size=len(DAYS), max_size=len(DAYS)),
    weights=st.lists(st.sampled_from([0.0, 0.0, 0.3, 1.0]), min_size=6, max_size=6),
    minimum=st.floats(0.0, 50.0),
    per_unit=st.floats(0.0, 2.0),
    quantum=st.sampled_from([1.0, 1e-9]),
)
def test_no_costs_ever_take_cash_below_nothing(prices, weights, minimum, per_unit, quantum):
    """Whatever a fill costs, beside what it brings: in every engine."""
    costs = {"us_stock": {"commission_bp": 0.0, "minimum_commission": minimum, "commission_per_unit": per_unit}}
    rows = {2 * number: {"X": weight} for number, weight in enumerate(weights)}
    result = by_weights(market({"X": prices}, quantum), rows, costs)
    assert result.equity["cash"].min() >= 0.0
    assert result.equity["equity"].min() >= 0.0


@pytest.mark.parametrize(("row", "bp"), [({"X": 0.5, "Y": 0.25}, 0.0), ({"X": 1.0}, 30.0)])
def test_the_same_weights_again_trade_nothing(row, bp):
    """bt 571, bt 82: a target that is met already was traded again, for its cash or its costs were reckoned twice."""
    snapshot = market({"X": [10.0] * 20, "Y": [7.0] * 20})
    result = by_weights(snapshot, dict.fromkeys(range(6), row), {"us_stock": {"commission_bp": bp}})
    assert result.orders["session"].unique().tolist() == [pd.Timestamp(DAYS[1])]


@settings(max_examples=200, deadline=None)
@given(
    money=st.floats(1.0, 5_000.0),
    price=st.floats(0.5, 300.0),
    per_unit=st.floats(0.0, 0.05),
    minimum=st.floats(0.0, 5.0),
    maximum_bp=st.sampled_from([50.0, 100.0, 9_000.0]),
)
@example(money=1.0, price=1.0, per_unit=0.0, minimum=1e-10, maximum_bp=50.0)
@example(money=1.0, price=1.0, per_unit=0.0, minimum=0.0, maximum_bp=50.0)
def test_no_more_whole_shares_could_be_paid_under_any_commission(money, price, per_unit, minimum, maximum_bp):
    """bt 384, 461, 530: under a fee with a minimum and a cap the last share was jumped over, or not found."""
    costs = {"commission_bp": 0.0, "commission_per_unit": per_unit, "minimum_commission": minimum}
    costs |= {"maximum_commission_bp": maximum_bp}
    instruments = {"X": make_instrument(quantum=1.0)}
    terms = as_lists(trade_terms(("X",), instruments, Costs.model_validate({"us_stock": costs})))
    units = buy_fill(money, 0.0, 1.0, price, 1e9, terms, 0).units

    def paid(count):
        return count * price + commission(float(count), price, terms, 0)

    def most(hair):
        counts = range(int(money / price) + 2)
        return max((count for count in counts if paid(count) <= money * (1.0 + hair)), default=0)

    # Money that exactly pays for the last share buys it; a hair, of 1e-12, is what rounding may leave over.
    assert most(0.0) <= units <= most(4e-12)


def test_an_order_beyond_the_cash_is_cut_and_told():
    """backtesting.py 1334, 1360, 1216: an order of an absolute size beyond the cash vanished without a word."""
    told = []

    class Asks(bt.Strategy):
        def notify_order(self, order):
            if not order.alive():
                told.append((order.getstatusname(), bool(order.info.cut), round(order.executed.size, 6)))

        def next(self):
            if len(self) == 1:
                self.buy(size=150)

    snapshot = market({"X": [10.0] * 20})
    (order,) = play(snapshot, Asks).orders.to_dict("records")
    assert (order["status"], order["reason"]) == ("reduced", "cut to the cash present")
    assert order["size"] == pytest.approx(100.0)
    assert told == [("Completed", True, 100.0)]


@settings(max_examples=30, deadline=None)
@given(units=st.floats(1e-7, 1e6), price=st.floats(0.01, 1e5))
def test_a_target_of_nothing_leaves_nothing_to_the_bit(units, price):
    """vectorbt 31, zipline 1720: a target of 0 left a residue of the position behind."""

    class Leaves(bt.Strategy):
        def next(self):
            if len(self) == 1:
                self.buy(size=units)
            if len(self) == 3:
                self.order_target_percent(target=0.0)

    result = play(market({"X": [price] * 20}), Leaves, cash=units * price * 2.0)
    assert result.positions["X"].iloc[-1] == 0.0


TOLD = """
import backtrader as bt
class Mine(bt.Strategy):
    def notify_order(self, order):
        print(order.getstatusname(), order.executed.size, round(order.executed.price, 9), order.executed.comm)
    def notify_trade(self, trade):
        print("trade", trade.size, round(trade.pnl, 9), round(trade.pnlcomm, 9), trade.isclosed)
    def next(self):
        if len(self) == 1: self.buy(size=10)
        if len(self) == 4: self.close()
"""


def test_fills_in_parts_are_each_counted_once():
    """backtrader 403, backtrader2 7: the parts of a partly filled order were counted again at each later part."""
    sessions = sessions_between(pd.Timestamp(DAYS[0]), pd.Timestamp(DAYS[5]))
    values = np.full((len(sessions), len(LINES)), 10.0)
    bought, sold = Sent("X", None, 100.0, 0.0), Sent("X", 10.0, None, 0.0)
    past = {
        0: Past([], [bought]),
        1: Past([Booked(0, "X", 4.0, 10.0, 1.0, 959.0, 4.0)], []),
        2: Past([Booked(0, "X", 6.0, 11.0, 2.0, 891.0, 10.0), Ended(0, "X", False, False, False)], []),
        3: Past([], [sold]),
        4: Past([Booked(3, "X", -4.0, 12.0, 1.0, 938.0, 6.0), Booked(3, "X", -6.0, 13.0, 1.0, 1015.0, 0.0)], []),
        5: Past([Ended(3, "X", False, False, False)], None),
    }
    terms = as_lists(trade_terms(("X",), {"X": make_instrument()}, Costs.model_validate(FREE)))
    lines = heard(TOLD, Bars(sessions, {"X": values}), past, terms)
    assert lines == [
        "Accepted 0 0.0 0.0",
        "Partial 4.0 10.0 1.0",
        "trade 4.0 0.0 -1.0 False",
        "Completed 10.0 10.6 3.0",
        "Accepted 0 0.0 0.0",
        "Partial -4.0 12.0 1.0",
        "Partial -10.0 12.6 2.0",
        # 48 and 78 for what had cost 106, less fees of five.
        "trade 0.0 20.0 15.0 True",
        "Completed -10.0 12.6 2.0",
    ]


def heard(code, bars, past, terms):
    """What a strategy says over a whole past, of which people hear the last decision's alone."""
    said = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.print", lambda *parts: said.append(" ".join(map(str, parts))))
        ask_strategy(UserCallable(UserFile(Path("s.py"), code.encode()), "Mine"), bars, 0, past, terms, 1000.0)
    return said
