import pandas as pd

from strategies.baselines import baseline_plans, buy_and_hold, moving_average
from strategies.policy import PolicyConfig
from strategies.universe import Universe

UNIVERSE = Universe(speculative=("S",), cash_flow=("C",), reserve=("R",), benchmark="B")
CONFIG = PolicyConfig(instrument_cap=1.0)


def frames(days):
    columns = [*UNIVERSE.symbols, UNIVERSE.benchmark]
    return pd.DataFrame(True, days, columns), pd.DataFrame(100.0, days, columns)


def test_weights_of_each_baseline_by_hand():
    days = pd.bdate_range("2024-01-02", periods=3)
    allowed, prices = frames(days)
    regime = pd.Series(["ABUNDANT", "NEUTRAL", "SCARCE"], days)
    plans = baseline_plans(regime, allowed, prices, prices["B"], UNIVERSE, CONFIG)
    # Columns S, C, R, B. Budgets 80/20/0, 40/40/20, 0/80/20.
    weights = {name: plan.targets.to_numpy().round(12).tolist() for name, plan in plans.items()}
    assert weights["benchmark"] == [[0, 0, 0, 1]] * 3
    assert weights["static_mix"] == [[0.4, 0.4, 0.2, 0]] * 3
    assert weights["always_speculative"] == [[1, 0, 0, 0]] * 3
    assert weights["always_cash_flow"] == [[0, 1, 0, 0]] * 3
    assert weights["inverse_rotation"] == [[0, 0.8, 0.2, 0], [0.4, 0.4, 0.2, 0], [0.8, 0.2, 0, 0]]
    assert weights["moving_average"] == [[0, 0, 1, 0]] * 3  # ten months are not known yet


def test_buy_and_hold_buys_once_and_when_it_can():
    days = pd.bdate_range("2024-01-02", periods=4)
    allowed, _ = frames(days)
    allowed["B"] = [False, True, False, True]
    plan = buy_and_hold("B", allowed)
    assert plan.targets["B"].tolist() == [0, 1, 1, 1]
    assert plan.rebalance.tolist() == [False, True, False, False]


def test_moving_average_over_ten_month_ends():
    """The price is 100 for ten months, then 120 in the eleventh and 90 in the twelfth."""
    days = pd.bdate_range("2022-12-30", "2024-02-29")
    price = pd.Series(100.0, days)
    price[days >= "2023-11-15"] = 120.0
    price[days >= "2023-12-15"] = 90.0
    known = price.shift().bfill()  # the price known at a decision is the close before
    run = days[days >= "2023-11-01"]
    allowed, prices = frames(run)
    plan = moving_average(known, allowed, prices, UNIVERSE, CONFIG)
    held = plan.targets["B"]
    assert held["2023-11-01":"2023-11-30"].tolist() == [0.0] * 22  # 100 is not above 100
    assert (held["2023-12-01":"2023-12-29"] == 1.0).all()  # 120 against 102
    assert (held["2024-01-01":"2024-02-29"] == 0.0).all()  # 90 against 101
    assert plan.targets["R"].tolist() == (1.0 - held).tolist()
    assert plan.rebalance[plan.rebalance].index.strftime("%Y-%m-%d").tolist() == [
        "2023-11-01",
        "2023-12-01",
        "2024-01-01",
        "2024-02-01",
    ]
