import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.fills import Hindrance
from strategies.order_rules import OrderRules, OrderRulesConfig, plan_orders, unbuyable, unsellable
from terms import terms_of


def plan(
    units, prices, targets, cash, band=0.02, edge=0.0, adjustment=1.0, minimum=0.001, minimum_commission=0.0, **terms
):
    if minimum_commission:
        terms["minimum"] = minimum_commission
    orders = plan_orders(
        np.array(units, float),
        np.array(prices, float),
        np.array(targets, float),
        terms_of(len(units), **terms),
        OrderRules(band, edge, adjustment, minimum),
        cash,
    )
    return orders.sell_units, orders.buy_money


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
    sells, buys = plan(units=[100, 0, 0], prices=[10, 10, 10], targets=[0.0, 0.75, 0.25], cash=0, rate=0.01)
    assert sells.tolist() == [100.0, 0.0, 0.0]
    assert buys == pytest.approx([0.0, 742.5, 247.5])


def test_a_sale_is_planned_net_of_spread_and_commission():
    """100 units at 10.00, 1% worse, 1 dollar of commission: 989 dollars for the buy."""
    sells, buys = plan(units=[100, 0], prices=[10, 10], targets=[0.0, 1.0], cash=0, spread=0.01, minimum_commission=1.0)
    assert sells.tolist() == [100.0, 0.0]
    assert buys.tolist() == pytest.approx([0.0, 989.0])


def test_unknown_price_and_nan_target_are_left_alone():
    sells, buys = plan(units=[0, 10], prices=[np.nan, 10], targets=[0.5, np.nan], cash=100)
    assert sells.tolist() == buys.tolist() == [0.0, 0.0]


def test_the_band_s_edge():
    """Equity 1,000, band 2%: A is 10 points over its target and sells 8; B, entered anew, is bought whole."""
    sells, buys = plan(units=[40, 0], prices=[10, 10], targets=[0.3, 0.1], cash=600, edge=0.02)
    assert sells.tolist() == pytest.approx([8.0, 0.0])
    assert buys.tolist() == pytest.approx([0.0, 100.0])
    assert OrderRulesConfig(trade_to="band_edge").rules.edge == OrderRulesConfig().band
    assert OrderRulesConfig().rules == (0.02, 0.0, 1.0, 0.001)


def test_part_of_the_way_and_leaving_all_of_it():
    """A third of the way: A, 30 points over, sells 10; B, 30 points under, gets 100 dollars; C leaves at once."""
    sells, buys = plan(units=[60, 10, 5], prices=[10, 10, 10], targets=[0.3, 0.4, 0.0], cash=250, adjustment=1 / 3)
    assert sells.tolist() == pytest.approx([10.0, 0.0, 5.0])
    assert buys.tolist() == pytest.approx([0.0, 100.0, 0.0])


def test_the_smallest_notional_binds_orders_and_leaves_dust():
    sells, buys = plan(units=[0.5, 0], prices=[10, 10], targets=[0.0, 0.006], cash=995, notional=10.0)
    assert sells.tolist() == buys.tolist() == [0.0, 0.0]


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
    sells, buys = plan(units, prices, targets, cash, rate=costs)
    proceeds = (sells * np.array(prices)).sum() * (1 - costs)
    assert (sells >= 0).all()
    assert (sells <= np.array(units)).all()
    assert (buys >= 0).all()
    assert not ((sells > 0) & (buys > 0)).any()
    assert buys.sum() <= (cash + proceeds) * (1 + 1e-12)


def test_cash_promised_beyond_what_is_there_and_nothing_to_buy_is_no_fault():
    """On paper an open buy may promise more than a fall of equity has left."""
    sells, buys = plan([100.0], [10.0], [np.nan], -5.0)
    assert (sells, buys) == ([0.0], [0.0])


def test_units_sold_are_whole_multiples_of_the_quantum():
    sells, _ = plan(units=[10], prices=[30], targets=[0.5], cash=0, quantum=1.0)
    assert sells.tolist() == [5.0]


def test_a_sale_of_less_than_a_unit_pays_for_a_buy():
    """0.9 coins at 1,000 dollars, 1% worse, 0.1% of commission: 890.109 dollars for the buy."""
    sells, buys = plan([0.9, 0], [1000.0, 10.0], [0.0, 1.0], cash=0.0, spread=0.01, rate=0.001)
    assert sells.tolist() == [0.9, 0.0]
    assert buys.tolist() == pytest.approx([0.0, 0.9 * 990.0 * 0.999])
    # And half of one is planned, where the rest is to stay.
    sells, _ = plan([0.9, 0], [1000.0, 10.0], [0.4 / 0.9, 0.0], cash=0.0)
    assert sells.tolist() == pytest.approx([0.5, 0.0])


def test_the_band_and_the_smallest_order_at_their_ends():
    """Equity 1,024: a band of 1/64 is 16 dollars. Just as far is left alone; further is brought to the target."""
    even = {"prices": [2.0, 1.0], "band": 1 / 64, "minimum": 0.0}
    assert plan(units=[8 + 256.0, 0], targets=[0.5, 0.0], cash=496.0, **even)[0].tolist() == [0.0, 0.0]
    assert plan(units=[9 + 256.0, 0], targets=[0.5, 0.0], cash=494.0, **even)[0].tolist() == pytest.approx([9.0, 0.0])
    # The smallest order of 1/64, without a band: 16 dollars are one, 15 are none.
    none = {"prices": [1.0, 1.0], "band": 0.0, "minimum": 1 / 64}
    assert plan(units=[0, 0], targets=[1 / 64, 15 / 1024], cash=1024.0, **none)[1].tolist() == [16.0, 0.0]
    # Never below a cent, whatever the equity is.
    assert plan(units=[0], prices=[1.0], targets=[0.009], cash=1.0, minimum=0.0)[1].tolist() == [0.0]
    assert plan(units=[0], prices=[1.0], targets=[0.011], cash=1.0, minimum=0.0)[1].tolist() == [0.011]


def test_a_buy_that_the_cash_leaves_below_its_smallest_order_is_not_sent():
    """90 for 1,000 and for 30 by their targets; 103 dollars are there, a tenth of it: 3 dollars are too few."""
    orders = plan_orders(
        np.array([90.0, 0.0, 0.0]),
        np.array([10.0, 1.0, 1.0]),
        np.array([np.nan, 0.5, 0.03]),
        terms_of(3, notional=5.0),
        OrderRules(0.0, 0.0, 1.0, 0.0),
        100.0,
    )
    # Wanted: 500 and 30 of 100 dollars.
    assert orders.buy_money.tolist() == pytest.approx([0.0, 100.0 * 500 / 530, 100.0 * 30 / 530])
    assert orders.least.tolist() == [5.0, 5.0, 5.0]
    poorer = plan_orders(
        np.array([99.0, 0.0, 0.0]),
        np.array([10.0, 1.0, 1.0]),
        np.array([np.nan, 0.5, 0.03]),
        terms_of(3, notional=5.0),
        OrderRules(0.0, 0.0, 1.0, 0.0),
        10.0,
    )
    assert poorer.buy_money.tolist() == pytest.approx([0.0, 10.0 * 500 / 530, 0.0])


def test_why_an_order_is_not_sent():
    """A whole unit costs 30 dollars: 20 buy none, and what lies 20 over its target sells none."""
    orders = plan_orders(
        np.array([0.0, 4.0, 0.0]),
        np.array([30.0, 30.0, 19.0]),
        np.array([0.02, 0.1, 0.02]),
        terms_of(3, quantum=1.0, spread=0.01),
        OrderRules(0.0, 0.0, 1.0, 0.0),
        880.0,
    )
    assert orders.unsent.tolist() == [Hindrance.NO_UNIT, Hindrance.NO_UNIT, Hindrance.NONE]
    assert orders.sell_units.tolist() == [0.0, 0.0, 0.0]
    assert orders.buy_money.tolist() == [0.0, 0.0, 20.0]
    # 19.90 a unit are 20.099 with the spread: what buys it without, does not with it.
    assert unbuyable(20.0, 19.9, terms_of(1, quantum=1.0), 0) == Hindrance.NONE
    assert unbuyable(20.0, 19.9, terms_of(1, quantum=1.0, spread=0.01), 0) == Hindrance.NO_UNIT
    assert unsellable(0.5, 30.0, terms_of(1, notional=15.0), 0) == Hindrance.NONE
    assert unsellable(0.5, 30.0, terms_of(1, notional=15.1), 0) == Hindrance.NO_ORDER
    assert unsellable(0.0, 30.0, terms_of(1), 0) == Hindrance.NO_UNIT
