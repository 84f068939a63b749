import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.order_rules import OrderRulesConfig, plan_orders
from strategies.trade_terms import CAUSES, TradeTerms, affordable_units, buy_fills, commission, sell_fills


def terms_of(count, rate=0.0, quantum=1e-9, **others):
    """Terms of `count` instruments alike."""
    values = {
        "rate": rate,
        "per_unit": 0.0,
        "minimum": 0.0,
        "maximum": np.inf,
        "spread": 0.0,
        "impact": 0.0,
        "participation": np.inf,
        "notional": 0.0,
        "quantum": quantum,
    } | others
    columns = {name: np.full(count, float(value)) for name, value in values.items()}
    return TradeTerms(
        **columns,
        by_volume=bool(values["impact"] or np.isfinite(values["participation"])),
        by_rate=not (values["per_unit"] or values["minimum"] or np.isfinite(values["maximum"])),
    )


def plan(
    units, prices, targets, cash, band=0.02, edge=0.0, adjustment=1.0, minimum=0.001, minimum_commission=0.0, **terms
):
    if minimum_commission:
        terms["minimum"] = minimum_commission
    sells, buys, _ = plan_orders(
        np.array(units, float),
        np.array(prices, float),
        np.array(targets, float),
        terms_of(len(units), **terms),
        cash,
        band,
        edge,
        adjustment,
        minimum,
    )
    return sells, buys


def bought(money, prices, cash, least=0.0, volume=np.nan, **terms):
    count = len(money)
    return buy_fills(
        np.array(money, float),
        np.full(count, least),
        np.array(prices, float),
        np.full(count, volume),
        terms_of(count, **terms),
        cash,
    )


def sold(units, prices, volume=np.nan, **terms):
    count = len(units)
    return sell_fills(np.array(units, float), np.array(prices, float), np.full(count, volume), terms_of(count, **terms))


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


def test_unknown_price_and_nan_target_are_left_alone():
    sells, buys = plan(units=[0, 10], prices=[np.nan, 10], targets=[0.5, np.nan], cash=100)
    assert sells.tolist() == buys.tolist() == [0.0, 0.0]


def test_units_are_whole_multiples_of_the_quantum():
    sells, _ = plan(units=[10], prices=[30], targets=[0.5], cash=0, quantum=1.0)
    assert sells.tolist() == [5.0]
    assert bought([100.0], [30.0], 1000.0, quantum=1.0).units.tolist() == [3.0]


def test_money_is_cut_by_one_factor():
    fills = bought([600.0, 400.0], [6.0, 4.0], 500.0)
    assert fills.units == pytest.approx([50.0, 50.0], rel=1e-9)
    assert fills.wanted == pytest.approx([100.0, 100.0], rel=1e-9)
    assert [CAUSES[cause] for cause in fills.cause] == ["cut to the cash present"] * 2


def test_what_is_cut_below_the_minimum_gets_nothing():
    fills = bought([600.0, 6.0], [1.0, 1.0], 303.0, least=5.0)
    assert fills.units == pytest.approx([300.0, 0.0], rel=1e-9)
    assert CAUSES[fills.cause[1]] == "too little cash at this moment"


def test_the_band_s_edge():
    """Equity 1,000, band 2%: A is 10 points over its target and sells 8; B, entered anew, is bought whole."""
    sells, buys = plan(units=[40, 0], prices=[10, 10], targets=[0.3, 0.1], cash=600, edge=0.02)
    assert sells.tolist() == pytest.approx([8.0, 0.0])
    assert buys.tolist() == pytest.approx([0.0, 100.0])
    assert OrderRulesConfig(trade_to="band_edge").edge == OrderRulesConfig().band
    assert OrderRulesConfig().edge == 0.0


def test_part_of_the_way_and_leaving_all_of_it():
    """A third of the way: A, 30 points over, sells 10; B, 30 points under, gets 100 dollars; C leaves at once."""
    sells, buys = plan(units=[60, 10, 5], prices=[10, 10, 10], targets=[0.3, 0.4, 0.0], cash=250, adjustment=1 / 3)
    assert sells.tolist() == pytest.approx([10.0, 0.0, 5.0])
    assert buys.tolist() == pytest.approx([0.0, 100.0, 0.0])


def test_the_smallest_notional_binds_orders_and_leaves_dust():
    sells, buys = plan(units=[0.5, 0], prices=[10, 10], targets=[0.0, 0.006], cash=995, notional=10.0)
    assert sells.tolist() == buys.tolist() == [0.0, 0.0]


def test_the_brokers_own_examples_of_a_commission_by_share():
    """The worked examples of Interactive Brokers' price list, and its minimum against its maximum."""
    terms = terms_of(4, per_unit=0.005, minimum=1.0, maximum=0.01)
    fees = commission(np.array([100.0, 1000.0, 1000.0, 2.0]), np.array([25.0, 25.0, 0.25, 25.0]), terms)
    assert fees.tolist() == pytest.approx([1.0, 5.0, 2.5, 0.5])


def test_a_sale_is_planned_net_of_spread_and_commission():
    """100 units at 10.00, 1% worse, 1 dollar of commission: 989 dollars for the buy."""
    sells, buys = plan(units=[100, 0], prices=[10, 10], targets=[0.0, 1.0], cash=0, spread=0.01, minimum_commission=1.0)
    assert sells.tolist() == [100.0, 0.0]
    assert buys.tolist() == pytest.approx([0.0, 989.0])


def test_spread_and_impact_move_the_price():
    """10 bp each way; a tenth of the volume costs a hundredth of the impact of 10%: 10 bp more."""
    sale = sold([100.0], [50.0], volume=1000.0, spread=0.001, impact=0.1)
    assert sale.prices.tolist() == pytest.approx([50.0 * (1 - 0.001 - 0.001)])
    # 5,000 dollars buy a hundred units at the open: the same tenth.
    buy = bought([5000.0], [50.0], 1e6, volume=1000.0, spread=0.001, impact=0.1)
    assert buy.prices.tolist() == pytest.approx([50.0 * 1.002])
    assert buy.units.tolist() == pytest.approx([5000.0 / 50.1])
    assert CAUSES[buy.cause[0]] == ""


def test_participation_cuts_both_sides_and_says_so():
    sale, buy = (
        sold([100.0], [50.0], volume=400.0, participation=0.1),
        bought([5000.0], [50.0], 1e6, volume=400.0, participation=0.1),
    )
    for fills in (sale, buy):
        assert fills.units.tolist() == pytest.approx([40.0])
        assert fills.wanted.tolist() == pytest.approx([100.0])
        assert CAUSES[fills.cause[0]] == "cut to the participation limit"
    unknown = sold([100.0], [50.0], volume=np.nan, participation=0.1)
    assert unknown.units.tolist() == [0.0]
    assert CAUSES[unknown.cause[0]] == "cut to the participation limit"


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


@given(books, st.floats(0, 5), st.floats(0, 0.1), st.floats(0, 0.05))
def test_units_bought_never_cost_more_than_the_cash(book, minimum, per_unit, spread):
    money, prices, _, cash, rate = book
    asked = {"rate": rate, "minimum": minimum, "per_unit": per_unit, "spread": spread, "quantum": 1e-8}
    fills = bought(money, prices, cash, **asked)
    fees = commission(fills.units, fills.prices, terms_of(len(prices), **asked))
    assert (fills.units * fills.prices + fees).sum() <= cash
    assert (fills.units <= fills.wanted * (1 + 1e-9)).all()


@given(
    st.floats(1e-3, 1e6), st.floats(0.01, 1e5), st.floats(0, 0.02), st.floats(0, 1), st.floats(0, 5), st.floats(0, 0.05)
)
def test_affordable_units_invert_the_commission(money, price, rate, per_unit, minimum, maximum):
    terms = terms_of(1, rate=rate, per_unit=per_unit, minimum=minimum, maximum=maximum)
    units = affordable_units(np.array([money]), np.array([price]), terms)
    cost = units * price + commission(units, np.array([price]), terms)
    assert cost[0] <= money * (1 + 1e-12)
    more = units * (1 + 1e-6) + 1e-9
    assert (more * price + commission(more, np.array([price]), terms))[0] >= money * (1 - 1e-12)


@pytest.mark.slow
def test_the_rules_compile_with_numba_and_give_the_same_bits():
    import numba

    compiled, terms = numba.njit(plan_orders), terms_of(5, rate=0.0005, quantum=1e-6, minimum=0.1, spread=0.0002)
    rng = np.random.default_rng(3)
    for _ in range(50):
        arguments = (
            rng.uniform(0, 50, 5) * (rng.random(5) > 0.3),
            np.where(rng.random(5) > 0.2, rng.uniform(1, 100, 5), np.nan),
            rng.dirichlet(np.ones(5)),
            terms,
            1000.0,
            0.02,
            0.01,
            0.5,
            0.001,
        )
        for plain, fast in zip(plan_orders(*arguments), compiled(*arguments), strict=True):
            np.testing.assert_array_equal(plain, fast)
