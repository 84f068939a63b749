import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.fills import (
    Fill,
    Hindrance,
    OrderStatus,
    buy_fill,
    falls_short,
    granted_share,
    impact,
    order_status,
    sell_fill,
    units_to_sell,
)
from strategies.order_rules import unbuyable
from strategies.trade_terms import HAIR, affordable_units, commission, promised_units, whole_units
from terms import terms_of


def bought(money, prices, cash, least=0.0, volume=np.nan, **terms):
    """What the buys of one moment get, column by column."""
    share, every = granted_share(sum(money), cash), terms_of(len(money), **terms)
    fills = [
        buy_fill(promise, least, share, price, volume, every, place)
        for place, (promise, price) in enumerate(zip(money, prices, strict=True))
    ]
    return Fill._make(np.array(column) for column in zip(*fills, strict=True))


def sold(units, price, volume=np.nan, **terms):
    return sell_fill(units, price, volume, terms_of(1, **terms), 0)


def test_units_are_whole_multiples_of_the_quantum():
    assert bought([100.0], [30.0], 1000.0, quantum=1.0).units.tolist() == [3.0]
    # A third of nine units of a tenth each is a multiple of the quantum, whatever its division leaves over.
    assert units_to_sell(0.3, 0.9, 0.1) == pytest.approx(0.3)
    assert units_to_sell(0.35, 0.9, 0.1) == pytest.approx(0.3)
    assert units_to_sell(1.0, 0.95, 0.1) == 0.95


def test_money_is_cut_by_one_factor():
    fills = bought([600.0, 400.0], [6.0, 4.0], 500.0)
    assert fills.units == pytest.approx([50.0, 50.0], rel=1e-9)
    assert fills.wanted == pytest.approx([100.0, 100.0], rel=1e-9)
    assert fills.hindrance.tolist() == [Hindrance.CASH] * 2


def test_a_share_that_rounding_left_below_one_hinders_nothing():
    """The impact, and no want of cash, makes it fewer units than wanted: as it is where all of the money is there."""
    terms = terms_of(1, impact=0.1, quantum=1.0)
    whole, hair = (buy_fill(1e5, 0.0, share, 10.0, 2e4, terms, 0) for share in (1.0, float(np.nextafter(1.0, 0.0))))
    assert whole.wanted - whole.units >= 1.0
    assert hair == whole
    assert whole.hindrance == Hindrance.NONE
    assert buy_fill(1e5, 0.0, 1.0 - 1e-6, 10.0, 2e4, terms, 0).hindrance == Hindrance.CASH


def test_what_is_cut_below_the_minimum_gets_nothing():
    fills = bought([600.0, 6.0], [1.0, 1.0], 303.0, least=5.0)
    assert fills.units == pytest.approx([300.0, 0.0], rel=1e-9)
    assert fills.hindrance[1] == Hindrance.NO_CASH


def test_the_brokers_own_examples_of_a_commission_by_share():
    """The worked examples of Interactive Brokers' price list, and its minimum against its maximum."""
    terms = terms_of(1, per_unit=0.005, minimum=1.0, maximum=0.01)
    for units, price, fee in ((100.0, 25.0, 1.0), (1000.0, 25.0, 5.0), (1000.0, 0.25, 2.5), (2.0, 25.0, 0.5)):
        assert commission(units, price, terms, 0) == pytest.approx(fee)
    assert commission(0.0, 25.0, terms, 0) == 0.0


def test_spread_and_impact_move_the_price():
    """10 bp each way; a tenth of the volume costs a hundredth of the impact of 10%: 10 bp more."""
    sale = sold(100.0, 50.0, volume=1000.0, spread=0.001, impact=0.1)
    assert sale.price == pytest.approx(50.0 * (1 - 0.001 - 0.001))
    # 5,000 dollars buy a hundred units at the open: the same tenth.
    buy = bought([5000.0], [50.0], 1e6, volume=1000.0, spread=0.001, impact=0.1)
    assert buy.price.tolist() == pytest.approx([50.0 * 1.002])
    assert buy.units.tolist() == pytest.approx([5000.0 / 50.1])
    assert buy.hindrance.tolist() == [Hindrance.NONE]


def test_the_spread_is_paid_by_both_sides():
    """0.1% worse than an open of 100: bought at 100.10, sold at 99.90; and what a promise comes to says so before."""
    assert bought([1001.0], [100.0], 1e6, spread=0.001).price.tolist() == pytest.approx([100.1])
    assert bought([1001.0], [100.0], 1e6, spread=0.001).units.tolist() == pytest.approx([10.0])
    assert sold(10.0, 100.0, spread=0.001).price == pytest.approx(99.9)
    assert promised_units(1001.0, 100.0, terms_of(1, spread=0.001), 0) == pytest.approx(10.0)
    assert promised_units(1001.0 * 1.01, 100.0, terms_of(1, spread=0.001, rate=0.01), 0) == pytest.approx(10.0)


def test_less_than_a_unit_is_traded_as_much_as_more():
    """Half a coin of 60,000 dollars, on every path."""
    sale = sold(0.5, 60_000.0, spread=0.01)
    assert (sale.units, sale.wanted, sale.hindrance) == (0.5, 0.5, Hindrance.NONE)
    buy = bought([30_300.0], [60_000.0], 1e6, spread=0.01)
    assert (buy.units.tolist(), buy.hindrance.tolist()) == (pytest.approx([0.5]), [Hindrance.NONE])
    assert commission(0.5, 60_000.0, terms_of(1, rate=0.002), 0) == pytest.approx(60.0)
    assert affordable_units(0.5, 1.0, terms_of(1), 0) == 0.5
    assert order_status(0.5, Hindrance.NONE) is OrderStatus.FILLED
    part = sold(0.5, 60_000.0, volume=0.8, participation=0.5)
    assert (part.units, part.hindrance) == (pytest.approx(0.4), Hindrance.PARTICIPATION)
    part = bought([30_000.0], [60_000.0], 1e6, volume=0.8, participation=0.5)
    assert (part.units.tolist(), part.hindrance.tolist()) == (pytest.approx([0.4]), [Hindrance.PARTICIPATION])
    # A fifth of what traded, with an impact of 10% for all of it: 0.4%.
    assert sold(0.1, 100.0, volume=0.5, impact=0.1).price == pytest.approx(100.0 * (1 - 0.004))
    assert impact(0.7, 0.7, terms_of(1, impact=0.1), 0) == pytest.approx(0.1)
    assert impact(0.7, 0.5, terms_of(1, impact=0.1), 0) == pytest.approx(0.1)
    assert impact(0.7, np.nan, terms_of(1, impact=0.1), 0) == pytest.approx(0.1)


def test_the_smallest_notional_at_the_open():
    """10 dollars: what reaches them is sold, what falls below them is not; a limit may be what lets it fall."""
    assert sold(2.0, 5.0, notional=10.0).units == 2.0
    below = sold(1.9, 5.0, notional=10.0)
    assert (below.units, below.hindrance) == (0.0, Hindrance.NO_ORDER)
    cut = sold(4.0, 5.0, volume=3.0, participation=0.5, notional=10.0)
    assert (cut.units, cut.hindrance) == (0.0, Hindrance.PARTICIPATION)
    assert sold(0.0, 5.0).hindrance == Hindrance.NO_UNIT
    cut = bought([20.0], [5.0], 1e6, volume=3.0, participation=0.5, notional=10.0)
    assert (cut.units.tolist(), cut.hindrance.tolist()) == ([0.0], [Hindrance.PARTICIPATION])
    even = bought([20.0], [5.0], 1e6, volume=4.0, participation=0.5, notional=10.0)
    assert (even.units.tolist(), even.hindrance.tolist()) == (pytest.approx([2.0]), [Hindrance.PARTICIPATION])


def test_what_is_missed_for_less_than_a_cent_is_missed_by_nobody():
    """0.001 units of 9 dollars are 0.9 cents; of 11 dollars, 1.1 cents."""
    for price, hindrance in ((9.0, Hindrance.NONE), (11.0, Hindrance.PARTICIPATION)):
        assert sold(1.0, price, volume=0.999, participation=1.0).hindrance == hindrance
        assert bought([price], [price], 1e6, volume=0.999, participation=1.0).hindrance.tolist() == [hindrance]


def test_money_below_a_unit_and_no_cash_at_all():
    assert bought([29.0], [30.0], 1000.0, quantum=1.0).hindrance.tolist() == [Hindrance.NO_UNIT]
    assert bought([60.0], [30.0], 29.0, quantum=1.0).hindrance.tolist() == [Hindrance.NO_CASH]
    assert bought([60.0], [30.0], -5.0).hindrance.tolist() == [Hindrance.NO_CASH]
    assert bought([60.0], [30.0], 0.0).units.tolist() == [0.0]
    # What is cut to the least itself is bought; the least of another moment is heeded too.
    assert bought([60.0], [30.0], 30.0, least=30.0).units.tolist() == pytest.approx([1.0])
    assert granted_share(100.0, 100.0) == 1.0
    assert granted_share(100.0, 25.0) == 0.25
    assert granted_share(100.0, -1.0) == 0.0
    assert granted_share(0.0, -1.0) == 1.0


def test_what_is_wanted_anew_is_what_cash_or_volume_may_yet_bring():
    again = {Hindrance.CASH, Hindrance.PARTICIPATION, Hindrance.NO_CASH, Hindrance.NO_OPEN}
    assert {each for each in Hindrance if falls_short(each)} == again


def test_participation_cuts_both_sides_and_says_so():
    sale = sold(100.0, 50.0, volume=400.0, participation=0.1)
    buy = bought([5000.0], [50.0], 1e6, volume=400.0, participation=0.1)
    assert (sale.units, sale.wanted, sale.hindrance) == (pytest.approx(40.0), 100.0, Hindrance.PARTICIPATION)
    assert buy.units.tolist() == pytest.approx([40.0])
    assert buy.wanted.tolist() == pytest.approx([100.0])
    assert buy.hindrance.tolist() == [Hindrance.PARTICIPATION]
    unknown = sold(100.0, 50.0, volume=np.nan, participation=0.1)
    assert (unknown.units, unknown.hindrance) == (0.0, Hindrance.PARTICIPATION)


def test_how_an_order_ends():
    assert order_status(0.0, Hindrance.NO_OPEN) is OrderStatus.UNFILLED
    assert order_status(1.0, Hindrance.CASH) is OrderStatus.REDUCED
    assert order_status(1.0, Hindrance.NONE) is OrderStatus.FILLED


moments = st.lists(st.tuples(st.floats(0, 1e6), st.floats(0.01, 1e5)), min_size=1, max_size=6)


@given(moments, st.floats(0, 1e7), st.floats(0, 0.02), st.floats(0, 5), st.floats(0, 0.1), st.floats(0, 0.05))
def test_units_bought_cost_a_hair_more_than_the_cash_at_most(moment, cash, rate, minimum, per_unit, spread):
    money, prices = zip(*moment, strict=True)
    asked = {"rate": rate, "minimum": minimum, "per_unit": per_unit, "spread": spread, "quantum": 1e-8}
    fills, terms = bought(money, prices, cash, **asked), terms_of(1, **asked)
    spent = sum(
        units * price + commission(units, price, terms, 0)
        for units, price in zip(fills.units.tolist(), fills.price.tolist(), strict=True)
    )
    assert spent <= cash * (1.0 + 2.0 * HAIR)
    assert (fills.units <= fills.wanted * (1 + 1e-9)).all()


@given(
    st.floats(1e-3, 1e6), st.floats(0.01, 1e5), st.floats(0, 0.02), st.floats(0, 1), st.floats(0, 5), st.floats(0, 0.05)
)
def test_affordable_units_invert_the_commission(money, price, rate, per_unit, minimum, maximum):
    terms = terms_of(1, rate=rate, per_unit=per_unit, minimum=minimum, maximum=maximum)
    units = affordable_units(money, price, terms, 0)
    assert units * price + commission(units, price, terms, 0) <= money * (1 + 1e-12)
    more = units * (1 + 1e-6) + 1e-9
    assert more * price + commission(more, price, terms, 0) >= money * (1 - 1e-12)


def test_a_limit_just_below_a_holding_sells_no_more_than_is_held():
    """Rounding adds a hair of the quotient, which of millions of units in tiny quanta is more than what is between."""
    terms = terms_of(1, quantum=1e-9, participation=1.0)
    held = 1_000_000.0000001
    fill = sell_fill(held, 10.0, 1_000_000.00000005, terms, 0)
    assert fill.units <= held


COMMISSION = {"rate": st.floats(0, 0.02), "per_unit": st.floats(0, 1), "spread": st.floats(0, 0.05)}


@given(st.floats(0, 1e7), st.floats(0.001, 1e5), st.fixed_dictionaries(COMMISSION))
def test_without_bounds_of_the_commission_the_short_way_is_the_long_one(money, price, asked):
    terms = terms_of(1, **asked)
    by_rate = money / (price * (1.0 + terms.rate[0]) + terms.per_unit[0])
    assert affordable_units(money, price, terms, 0) == max(min(by_rate, money / price), money / np.inf, 0.0)


@given(
    money=st.floats(0.01, 1e4),
    price=st.floats(0.001, 1e4),
    asked=st.fixed_dictionaries(
        COMMISSION
        | {"minimum": st.floats(0, 5), "maximum": st.sampled_from([0.0, 0.01, np.inf])}
        | {"quantum": st.sampled_from([1e-9, 0.001, 1.0, 10.0])}
    ),
)
def test_what_pays_twice_for_the_smallest_unit_buys_one(money, price, asked):
    terms = terms_of(1, **asked)
    worse = price * (1.0 + terms.spread[0])
    units = whole_units(affordable_units(money, worse, terms, 0), terms.quantum[0])
    assert unbuyable(money, price, terms, 0) == (Hindrance.NONE if units > 0 else Hindrance.NO_UNIT)
