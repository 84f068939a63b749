import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.order_rules import plan_orders, units_for_money


def plan(units, prices, targets, cash, costs=0.0, quantum=1e-9, band=0.02, minimum=0.001):
    count = len(units)
    sells, buys, _ = plan_orders(
        np.array(units, float),
        np.array(prices, float),
        np.array(targets, float),
        np.full(count, costs),
        np.full(count, quantum),
        cash,
        band,
        minimum,
    )
    return sells, buys


def test_hand_made_rebalance():
    """Equity 1,000: A is 200 dollars over its target, B 150 under, C is to be left."""
    sells, buys = plan(units=[50, 10, 5], prices=[10, 20, 20], targets=[0.3, 0.35, 0.0], cash=200)
    assert sells.tolist() == [20.0, 0.0, 5.0]
    assert buys.tolist() == [0.0, 150.0, 0.0]


def test_inside_the_band_nothing_trades_but_entries_and_exits_do():
    sells, buys = plan(units=[31.9, 0, 1], prices=[10, 10, 10], targets=[0.3, 0.015, 0.0], cash=671)
    assert sells.tolist() == [0.0, 0.0, 1.0]
    assert buys.tolist() == [0.0, 15.0, 0.0]


def test_buys_share_what_the_sales_bring_after_costs():
    """1% costs: selling 1,000 brings 990, which the two buys share 3 to 1."""
    sells, buys = plan(units=[100, 0, 0], prices=[10, 10, 10], targets=[0.0, 0.75, 0.25], cash=0, costs=0.01)
    assert sells.tolist() == [100.0, 0.0, 0.0]
    assert buys == pytest.approx([0.0, 742.5, 247.5])


def test_unknown_price_and_nan_target_are_left_alone():
    sells, buys = plan(units=[0, 10], prices=[np.nan, 10], targets=[0.5, np.nan], cash=100)
    assert sells.tolist() == buys.tolist() == [0.0, 0.0]


def test_units_are_whole_multiples_of_the_quantum():
    sells, _ = plan(units=[10], prices=[30], targets=[0.5], cash=0, quantum=1.0)
    assert sells.tolist() == [5.0]
    money, none = np.array([100.0]), np.zeros(1)
    assert units_for_money(money, none, np.array([30.0]), none, np.array([1.0]), 1000.0).tolist() == [3.0]


def test_money_is_cut_by_one_factor():
    money, zero = np.array([600.0, 400.0]), np.zeros(2)
    units = units_for_money(money, zero, np.array([6.0, 4.0]), zero, np.full(2, 1e-9), 500.0)
    assert units == pytest.approx([50.0, 50.0], rel=1e-9)


def test_what_is_cut_below_the_minimum_gets_nothing():
    money, minimum = np.array([600.0, 6.0]), np.array([5.0, 5.0])
    units = units_for_money(money, minimum, np.ones(2), np.zeros(2), np.full(2, 1e-9), 303.0)
    assert units == pytest.approx([300.0, 0.0], rel=1e-9)


books = st.integers(1, 6).flatmap(
    lambda count: st.tuples(
        *[
            st.lists(number, min_size=count, max_size=count)
            for number in (
                st.floats(0, 1e6).map(lambda units: 0.0 if units < 1e-3 else units),
                st.floats(0.01, 1e5),
                st.floats(0, 1),
            )
        ],
        st.floats(0, 1e7),
        st.floats(0, 0.02),
    )
)


@given(books)
def test_orders_never_spend_more_than_there_is(book):
    units, prices, weights, cash, costs = book
    targets = np.array(weights) / max(1.0, sum(weights))
    sells, buys = plan(units, prices, targets, cash, costs)
    proceeds = (sells * np.array(prices)).sum() * (1 - costs)
    assert (sells >= 0).all()
    assert (sells <= np.array(units)).all()
    assert (buys >= 0).all()
    assert not ((sells > 0) & (buys > 0)).any()
    assert buys.sum() <= (cash + proceeds) * (1 + 1e-12)


@given(books)
def test_units_bought_never_cost_more_than_the_cash(book):
    money, prices, _, cash, costs = book
    count = len(prices)
    bought = units_for_money(
        np.array(money), np.zeros(count), np.array(prices), np.full(count, costs), np.full(count, 1e-8), cash
    )
    assert (bought * np.array(prices) * (1 + costs)).sum() <= cash


@pytest.mark.slow
def test_the_rules_compile_with_numba_and_give_the_same_bits():
    import numba

    compiled, units_compiled = numba.njit(plan_orders), numba.njit(units_for_money)
    rng = np.random.default_rng(3)
    for _ in range(50):
        arguments = (
            rng.uniform(0, 50, 5) * (rng.random(5) > 0.3),
            np.where(rng.random(5) > 0.2, rng.uniform(1, 100, 5), np.nan),
            rng.dirichlet(np.ones(5)),
            np.full(5, 0.0005),
            np.full(5, 1e-6),
            1000.0,
            0.02,
            0.001,
        )
        for plain, fast in zip(plan_orders(*arguments), compiled(*arguments), strict=True):
            np.testing.assert_array_equal(plain, fast)
        money, prices = rng.uniform(0, 500, 5), rng.uniform(1, 100, 5)
        buys = (money, np.full(5, 1.0), prices, np.full(5, 0.0005), np.full(5, 1e-6), 1000.0)
        np.testing.assert_array_equal(units_for_money(*buys), units_compiled(*buys))
