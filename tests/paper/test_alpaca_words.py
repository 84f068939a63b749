"""Words of Alpaca by their kind, what was never seen, what is corrected or taken back; and the smallest order."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from paper.broker import Intent, Movement, OrderState
from paper.brokers.alpaca.answers import fill_of, movement_of, order_state, understood
from paper.brokers.alpaca.orders import Asset, Order, sized_buys
from paper.brokers.alpaca.requests import _as_request
from paper.errors import BrokerRefused, BrokerUnavailable
from paper.ledger.ledger import Ledger
from paper.ledger.records import AccountRecord
from strategies.fills import OrderStatus

NOW = datetime(2026, 3, 3, 0, 20, tzinfo=UTC)
FILL = {
    **{"id": "f1", "activity_type": "FILL", "symbol": "MU", "side": "buy", "qty": "2", "price": "100"},
    **{"transaction_time": "2026-03-02T15:00:00Z", "order_id": "o1"},
}
ORDER = {"client_order_id": "mine", "symbol": "MU", "side": "buy", "qty": "2", "filled_qty": "2", "status": "filled"}


def activity(kind: str, **more: Any) -> dict[str, Any]:
    return {"id": "a1", "activity_type": kind, "date": "2026-03-02", "net_amount": "1.5", **more}


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("DIV", "dividend"),
        ("DIVNRA", "dividend"),
        ("DIVROC", "dividend"),
        ("CGD", "dividend"),
        ("INT", "interest"),
        ("INTNRA", "interest"),
        ("INTTW", "interest"),
        ("JNL", "transfer"),
        ("JNLC", "transfer"),
        ("CSD", "transfer"),
        ("PTR", "fee"),
        ("PTC", "fee"),
        ("CFEE", "fee"),
        ("MISC", "miscellaneous"),
        ("CORR", "miscellaneous"),
        ("SPLIT", "split"),
        ("SPIN", "reorganisation"),
        ("NEWS", "unknown"),
    ],
)
def test_activities_by_their_kind(word: str, kind: str) -> None:
    found = movement_of(activity(word))
    assert (found.kind, found.amount, found.session) == (kind, 1.5, date(2026, 3, 2))


def test_what_was_never_seen_is_refused_by_name() -> None:
    with pytest.raises(BrokerRefused, match="its side is 'sell_short'"):
        fill_of(FILL | {"side": "sell_short"}, "mine")
    with pytest.raises(BrokerRefused, match="it is 'reborn'"):
        order_state(ORDER | {"status": "reborn"})
    with pytest.raises(BrokerRefused, match="it is 'halfway'"):
        movement_of(activity("DIV", status="halfway"))
    with pytest.raises(BrokerRefused, match="an order to buy CRM was to buy MU"):
        fill_of(FILL, "mine", ORDER | {"symbol": "CRM"})


@pytest.mark.parametrize(
    "change",
    [{"qty": "-2"}, {"qty": "0"}, {"price": "0"}, {"price": "NaN"}, {"transaction_time": "2026-03-02T15:00:00"}],
)
def test_a_fill_that_cannot_be_is_not_believed(change: dict[str, str]) -> None:
    with pytest.raises(BrokerUnavailable), understood("a fill"):
        fill_of(FILL | change, "mine")


def test_what_was_taken_back_or_has_not_come_moves_nothing() -> None:
    for status in ("canceled", "pending"):
        found = movement_of(activity("DIV", status=status, qty="3", symbol="MU"))
        assert (found.amount, found.units) == (0.0, 0.0)
    assert movement_of(activity("DIV", status="correct", previous_id="a0")).movement_id == "a0"


# A ledger of corrections


@pytest.fixture
def ledger(tmp_path: Path) -> Any:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.open_account(AccountRecord("paper", "alpaca", date(2026, 3, 2), "raw", "", NOW), 1_000.0)
        yield ledger


def told(amount: float, units: float = 0.0, kind: str = "dividend") -> Movement:
    return Movement("m1", date(2026, 3, 2), "MU", kind, amount, units, NOW)


def test_a_correction_stands_in_the_place_of_what_it_corrects(ledger: Ledger) -> None:
    assert ledger.write_answers([], [told(10.0)], [], NOW) == [told(10.0)]
    for amount, cash in (
        (10.0, 1_010.0),
        (7.0, 1_007.0),
        (7.0, 1_007.0),
        (0.0, 1_000.0),
        (0.0, 1_000.0),
        (4.0, 1_004.0),
    ):
        ledger.write_answers([], [told(amount)], [], NOW)
        assert ledger.holdings().cash == pytest.approx(cash, rel=1e-12)
    entries = ledger.entries().iloc[1:]
    assert list(entries["amount"]) == pytest.approx([10.0, -3.0, -7.0, 4.0])
    assert list(entries["source_id"].str.removeprefix("movement:m1")) == [
        "",
        "/corrected/1",
        "/corrected/2",
        "/corrected/3",
    ]
    assert all("corrected by the broker" in reason for reason in entries["reason"].iloc[1:])


def test_what_was_taken_back_before_it_was_booked_is_no_entry(ledger: Ledger) -> None:
    assert ledger.write_answers([], [told(0.0)], [], NOW) == []
    assert len(ledger.entries()) == 1


def test_an_activity_of_an_unknown_kind_is_booked_and_halts_by_name(ledger: Ledger) -> None:
    ledger.write_answers([], [told(3.0, kind="unknown")], [], NOW)
    halt = ledger.halt()
    assert halt is not None
    assert "+3.00 USD" in halt.text
    assert "kind that is not known (m1)" in halt.text
    assert ledger.holdings().cash == 1_003.0
    ledger.write_event("resume", "looked at", NOW)
    ledger.write_answers([], [told(3.0, kind="unknown")], [], NOW)
    assert ledger.halt() is None


# Orders

COIN = Asset(tradable=True, fractionable=True, increment=Decimal("1e-9"), smallest=Decimal("0.000026873"))


def intent(symbol: str, money: float) -> Intent:
    return Intent(symbol, date(2026, 3, 2), symbol, "buy", True, None, money, 0.0, 50_000.0, NOW)


def test_a_coin_for_less_than_ten_dollars_is_too_small() -> None:
    small, enough = intent("BTC-USD", 9.99), intent("ETH-USD", 10.0)
    ended, sent = sized_buys([small, enough], {"BTC-USD": COIN, "ETH-USD": COIN}, 30.0, "gtc")
    assert isinstance(ended, OrderState)
    assert (ended.status, ended.reason) == (OrderStatus.UNFILLED, "less than the smallest order")
    assert isinstance(sent, Order)


def test_quantities_go_out_as_decimals() -> None:
    order = Order("mine", "BTC/USD", "sell", "gtc", units=Decimal("1E-9"))
    assert _as_request(order) == {
        **{"symbol": "BTC/USD", "side": "sell", "type": "market", "time_in_force": "gtc", "client_order_id": "mine"},
        "qty": "0.000000001",
    }
