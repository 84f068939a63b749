"""What became of an order, by hand: whether it was cut, whether all of it is told, whether its time is over."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from paper.broker import Account, Fill, Intent, Movement, OrderState
from paper.ledger.records import Holdings
from paper.step.order_desk import _booked_words, _is_outdated, _is_told, _measured, differences
from strategies.fills import OrderStatus

DAY = date(2024, 3, 4)
NOON = datetime(2024, 3, 4, 12, tzinfo=UTC)
BUY = Intent("buy", DAY, "S", "buy", False, None, 1000.0, 1.0, 100.0, NOON)
SELL = Intent("sell", DAY, "C", "sell", True, 0.8, None, 0.0, 50.0, NOON)


def filled(intent, units, price, fees=0.0):
    return Fill(f"fill of {units}", intent.client_id, intent.symbol, intent.side, units, price, fees, NOON)


def state(intent, units, status=OrderStatus.FILLED):
    return OrderState(intent.client_id, status, units)


@pytest.mark.parametrize(
    ("spent", "fees", "status"),
    [
        (1000.0, 0.0, OrderStatus.FILLED),  # all of its money
        (990.0, 10.0, OrderStatus.FILLED),  # fees are of it
        (996.0, 0.0, OrderStatus.FILLED),  # less by 4 in a thousand: rounding, or fees to come
        (994.0, 0.0, OrderStatus.REDUCED),  # by 6: it was cut
        (300.0, 0.0, OrderStatus.REDUCED),
        (1500.0, 0.0, OrderStatus.FILLED),
    ],
)
def test_a_buy_is_cut_where_it_spent_less_than_its_money(spent, fees, status):
    fills = [filled(BUY, 4.0, spent / 10, fees / 2), filled(BUY, 6.0, spent / 10, fees / 2), filled(SELL, 0.8, 5e4)]
    measured = _measured(state(BUY, 10.0), BUY, fills)
    assert measured.status == status
    assert bool(measured.reason) == (status == OrderStatus.REDUCED)
    assert measured.units_filled == 10.0


@pytest.mark.parametrize(
    ("units", "status"),
    [(0.8, OrderStatus.FILLED), (0.797, OrderStatus.FILLED), (0.795, OrderStatus.REDUCED), (0.1, OrderStatus.REDUCED)],
)
def test_a_sale_is_cut_where_it_sold_less_than_its_units(units, status):
    measured = _measured(state(SELL, units), SELL, [filled(SELL, units, 50.0)])
    assert measured.status == status
    assert measured.units_wanted == (0.8 if status == OrderStatus.REDUCED else None)


@pytest.mark.parametrize("status", [OrderStatus.OPEN, OrderStatus.UNFILLED, OrderStatus.REJECTED, OrderStatus.REDUCED])
def test_only_what_the_broker_calls_filled_is_measured(status):
    told = state(BUY, 3.0, status)
    assert _measured(told, BUY, []) == told


def test_an_order_is_told_when_it_has_ended_and_its_fills_are_all_there():
    fills = [filled(BUY, 0.25, 100.0), filled(BUY, 0.5, 100.0), filled(SELL, 0.8, 50.0)]
    assert _is_told(state(BUY, 0.75), fills)
    assert _is_told(state(BUY, 0.75 * (1 + 1e-10)), fills)
    assert not _is_told(state(BUY, 0.75, OrderStatus.OPEN), fills)
    assert not _is_told(state(BUY, 0.8), fills)
    assert not _is_told(state(BUY, 0.7), fills)
    assert _is_told(state(SELL, 0.0, OrderStatus.UNFILLED), fills[:2])


def test_a_stock_is_outdated_at_the_close_and_a_coin_at_the_next_decision():
    """New York closes at 21:00 UTC in winter; on 2024-03-08 the next session is the Monday after."""
    close = datetime(2024, 3, 4, 21, tzinfo=UTC)
    assert not _is_outdated(BUY, close - timedelta(seconds=1))
    assert _is_outdated(BUY, close)
    midnight = datetime(2024, 3, 5, tzinfo=UTC)
    assert not _is_outdated(SELL, midnight - timedelta(seconds=1))
    assert _is_outdated(SELL, midnight)
    friday = replace(SELL, session=date(2024, 3, 8))
    assert not _is_outdated(friday, datetime(2024, 3, 10, 23, tzinfo=UTC))
    assert _is_outdated(friday, datetime(2024, 3, 11, tzinfo=UTC))


def test_what_is_booked_late_is_told_in_its_own_words():
    late = Movement("m", DAY, "S", "split", 0.0, 0.5, NOON, "a split that was not known then")
    assert _booked_words(late) == "booked +0.5 units of S, a split that was not known then"
    assert _booked_words(replace(late, amount=0.004)) == "booked +0.5 units of S, a split that was not known then"
    assert _booked_words(replace(late, amount=-0.25)).startswith("booked +0.5 units of S and -0.25 USD, ")
    assert _booked_words(replace(late, units=0.0, amount=0.004)).startswith("booked +0.00 USD, ")
    assert _booked_words(replace(late, units=0.0, amount=1234.5)).startswith("booked +1,234.50 USD, ")


def test_a_difference_is_one_in_either_direction_and_below_a_unit():
    held = Holdings(0.5, {"C": 0.5})
    assert differences(held, Account(0.5, 0.0, {"C": 0.5}, NOON)) == []
    for cash in (0.4, 0.6, -0.5):
        assert len(differences(held, Account(cash, 0.0, {"C": 0.5}, NOON))) == 1
    for units in (0.4, 0.6):
        assert len(differences(held, Account(0.5, 0.0, {"C": units}, NOON))) == 1
    assert len(differences(held, Account(0.5, 0.0, {}, NOON))) == 1
    assert len(differences(Holdings(0.5, {}), Account(0.5, 0.0, {"C": 0.5}, NOON))) == 1
    # Rounding grows with what was turned over, and with what is held.
    assert differences(held, Account(0.5 + 1e-5, 0.0, {"C": 0.5}, NOON), turned=1e5) == []
    assert differences(Holdings(0.0, {"C": 1e6}), Account(0.0, 0.0, {"C": 1e6 + 5e-4}, NOON)) == []
    assert len(differences(Holdings(0.0, {"C": 1e6}), Account(0.0, 0.0, {"C": 1e6 + 5e-3}, NOON))) == 1
    # Nothing turned over: a billionth of a dollar is rounding, two are not.
    assert differences(Holdings(0.0, {}), Account(0.9e-9, 0.0, {}, NOON)) == []
    assert len(differences(Holdings(0.0, {}), Account(2e-9, 0.0, {}, NOON))) == 1
    # A broker that tells whole cents.
    assert differences(held, Account(0.504, 0.0, {"C": 0.5}, NOON, {}, 0.005)) == []
    assert len(differences(held, Account(0.506, 0.0, {"C": 0.5}, NOON, {}, 0.005))) == 1
