"""What docs/trading.md says of the fill rules of other engines, run on those engines."""

import warnings

import numpy as np
import pandas as pd
import pytest

from strategies.order_rules import OrderRules, plan_orders
from terms import terms_of

pytestmark = pytest.mark.slow
DAYS = pd.bdate_range("2024-04-08", periods=4)


def vectorbt_orders(closes, targets, **options):
    """Symbol, units and price of what vectorbt fills for target weights."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import vectorbt

        portfolio = vectorbt.Portfolio.from_orders(
            closes,
            size=targets,
            size_type="targetpercent",
            init_cash=1000.0,
            cash_sharing=True,
            group_by=True,
            freq="1D",
            **options,
        )
        records = portfolio.orders.records_readable
    signed = records["Size"].where(records["Side"] == "Buy", -records["Size"])
    return list(zip(records["Column"], signed, records["Price"], strict=True))


@pytest.mark.parametrize("columns", [["A", "B"], ["B", "A"]])
def test_vectorbt_fills_in_the_order_of_the_columns(columns):
    """From B into A: where A stands first, its buy comes before the sale that pays for it."""
    closes = pd.DataFrame(10.0, DAYS, columns)
    targets = pd.DataFrame(np.nan, DAYS, columns)
    targets.loc[DAYS[0], ["A", "B"]] = [0.0, 1.0]
    targets.loc[DAYS[2], ["A", "B"]] = [1.0, 0.0]
    moved = [("B", 100.0, 10.0), ("B", -100.0, 10.0), ("A", 100.0, 10.0)]
    assert vectorbt_orders(closes, targets) == (moved[:2] if columns == ["A", "B"] else moved)
    assert vectorbt_orders(closes, targets, call_seq="auto") == moved


def test_vectorbt_sizes_by_the_price_it_fills_at():
    """Half of 100 units of 10.00 is 50 units to a decision that knows 10.00, whatever the open; A opens at 20.00."""
    closes = pd.DataFrame({"A": [10.0, 10.0, 20.0, 20.0], "B": [10.0] * 4}, DAYS)
    targets = pd.DataFrame({"A": [0.5, np.nan, 0.5, np.nan], "B": [0.5, np.nan, 0.5, np.nan]}, DAYS)
    assert vectorbt_orders(closes, targets, call_seq="auto")[2:] == [("A", -12.5, 20.0), ("B", 25.0, 10.0)]
    held, known = np.array([50.0, 50.0]), np.array([10.0, 10.0])
    orders = plan_orders(held, known, np.array([0.5, 0.5]), terms_of(2), OrderRules(0.0, 0.0, 1.0, 0.0), 0.0)
    assert orders.sell_units.tolist() == orders.buy_money.tolist() == [0.0, 0.0]


def bt_transactions(closes, **options):
    """Price and units of what bt fills for half of the money in A, decided on the first day."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import bt

        weights = pd.DataFrame({"A": 0.5}, closes.index)
        steps = [bt.algos.RunOnce(), bt.algos.WeighTarget(weights), bt.algos.Rebalance()]
        test = bt.Backtest(bt.Strategy("half", steps), closes, initial_capital=1000.0, **options)
        return bt.run(test).get_transactions()[["price", "quantity"]].to_numpy().tolist()


def test_bt_fills_at_the_close_that_the_decision_has_seen_in_whole_units():
    closes = pd.DataFrame({"A": [3.0, 4.0, 5.0, 6.0]}, DAYS)
    assert bt_transactions(closes) == [[3.0, 166.0]]
    assert bt_transactions(closes, integer_positions=False) == [[3.0, pytest.approx(500.0 / 3.0)]]


def test_backtrader_rejects_a_buy_beyond_the_cash_and_drops_parts_of_a_unit():
    import backtrader as bt

    class Buys(bt.Strategy):
        params = (("weight", 1.0), ("check", True))

        def __init__(self):
            self.ended = []

        def notify_order(self, order):
            if not order.alive():
                self.ended.append(order.getstatusname())

        def next(self):
            if len(self) == 1:
                self.order_target_percent(target=self.p.weight)

    def ended(prices, weight):
        frame = pd.DataFrame({"open": prices, "high": prices, "low": prices, "close": prices, "volume": 1.0}, DAYS)
        cerebro = bt.Cerebro()
        cerebro.adddata(bt.feeds.PandasData(dataname=frame))
        cerebro.broker.setcash(1000.0)
        cerebro.addstrategy(Buys, weight=weight)
        return cerebro.run()[0].ended

    assert ended([10.0, 11.0, 11.0, 11.0], 1.0) == ["Margin"]
    assert ended([40_000.0] * 4, 0.5) == []
