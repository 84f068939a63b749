"""The broker Alpaca: the real alpaca-py against a server on loopback that behaves as Alpaca documents it."""

import builtins
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

import alpaca_double
from data.errors import InputError
from data.net.settings import SourceSettings
from paper.broker import Fill, Intent, Movement, OrderState
from paper.brokers.alpaca.answers import coin_fee_of, from_alpaca, is_coin, to_alpaca
from paper.brokers.alpaca.broker import AlpacaBroker
from paper.brokers.alpaca.fees import unposted_fees
from paper.brokers.alpaca.requests import AlpacaRequests
from paper.config import BrokerSection, PaperConfig
from paper.errors import BrokerRefused, BrokerUnavailable
from paper.ledger.reader import fell_short
from strategies.fills import OrderStatus

pytest.importorskip("alpaca")

PRICES = {"MU": 100.0, "CRM": 200.0, "BTC/USD": 50_000.0, "ETH/USD": 2_000.0}
# A Monday, two hours after the open in New York.
NOW = datetime(2026, 3, 2, 16, 30, tzinfo=UTC)
FAST = SourceSettings(attempts=4, pause=0.0, longest_wait=5.0, connect_timeout=1.0, read_timeout=0.3)


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("ALPACA_API_KEY_ID", alpaca_double.KEY)
    monkeypatch.setenv("ALPACA_API_SECRET_KEY", alpaca_double.SECRET)
    with alpaca_double.running(PRICES, now=NOW) as running:
        yield running


@pytest.fixture
def fault() -> Callable[..., Any]:
    fault: Callable[..., Any] = alpaca_double.Fault
    return fault


def section(double: Any) -> BrokerSection:
    return BrokerSection(kind="alpaca", endpoint=double.url)


@pytest.fixture
def broker(double: Any) -> Iterator[AlpacaBroker]:
    config = PaperConfig(market="sample", spec="sample", broker=section(double))
    requests = AlpacaRequests(config.broker, FAST, per_second=1e6)
    broker = AlpacaBroker(config, NOW, requests, wait=lambda _seconds: None)
    yield broker
    broker.close()


def intent(symbol: str, side: str, much: float, least: float = 0.0, name: str = "") -> Intent:
    price = PRICES[symbol.replace("-", "/")]
    return Intent(
        client_id=name or f"paper-20260302-{symbol}-{side}",
        session=date(2026, 3, 2),
        symbol=symbol,
        side="sell" if side == "sell" else "buy",
        is_coin="-" in symbol,
        units=much if side == "sell" else None,
        money=much if side == "buy" else None,
        least=least,
        decision_price=price,
        written_at=NOW,
    )


def one(states: list[OrderState]) -> OrderState:
    (state,) = states
    return state


def posts(double: Any) -> int:
    return sum(asked == "POST /orders" for asked, _ in double.asked)


# A normal day


def test_a_stock_is_bought_for_a_sum_of_money_and_sold_by_parts_of_a_unit(double: Any, broker: AlpacaBroker) -> None:
    buy, sell = intent("MU", "buy", 1234.567), intent("MU", "sell", 2.3456789012)
    assert broker.send([buy]) == []
    order = double.order(buy.client_id)
    assert (order["symbol"], order["notional"], order["qty"]) == ("MU", "1234.56", None)
    assert (order["type"], order["time_in_force"]) == ("market", "day")
    assert one(broker.states([buy.client_id])).status == "filled"
    bought = Fill(double.activities[0]["id"], buy.client_id, "MU", "buy", 12.3456, 100.0, 0.0, NOW)
    assert broker.fills([buy.client_id]) == [bought]
    account = broker.account()
    assert (account.cash, account.positions) == (100_000.0 - 1234.56, {"MU": 12.3456})

    assert broker.send([sell]) == []
    assert double.order(sell.client_id)["qty"] == "2.345678901"
    assert one(broker.states([sell.client_id])) == OrderState(
        sell.client_id, OrderStatus.FILLED, 2.345678901, "", 2.345678901
    )
    assert broker.account().positions == {"MU": 9.999921099}


def test_a_coin_has_its_own_words_and_comes_less_its_fee(double: Any, broker: AlpacaBroker) -> None:
    broker.send([buy := intent("BTC-USD", "buy", 10_000.0)])
    order = double.order(buy.client_id)
    assert (order["symbol"], order["time_in_force"]) == ("BTC/USD", "gtc")
    fill = broker.fills([buy.client_id])[0]
    assert (fill.symbol, fill.units) == ("BTC-USD", 0.2)
    account = broker.account()
    assert account.positions == {"BTC-USD": 0.1995}
    assert account.unposted_units == {"BTC-USD": pytest.approx(0.0005 + 1e-9, rel=1e-12)}
    assert broker.movements(None) == []

    double.now, posted = datetime(2026, 3, 3, 0, 0, 5, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)
    double.post_fees()
    # Without a moment of its own it counts from the end of its day.
    fee = Movement(double.activities[-1]["id"], date(2026, 3, 2), "BTC-USD", "fee", 0.0, -0.0005, posted)
    assert broker.movements(NOW) == [fee]
    assert broker.account().unposted_units["BTC-USD"] == pytest.approx(1e-9, rel=1e-6)
    assert fill.units + fee.units == pytest.approx(account.positions["BTC-USD"], rel=1e-15)


def test_the_fee_of_a_coin_that_is_sold_is_posted_in_us_dollars(double: Any, broker: AlpacaBroker) -> None:
    broker.send([intent("ETH-USD", "buy", 4_000.0)])
    before = broker.account()
    broker.send([sell := intent("ETH-USD", "sell", 1.0)])
    assert one(broker.states([sell.client_id])).units_filled == 1.0
    account = broker.account()
    assert account.cash == pytest.approx(before.cash + 2_000.0 - 5.0, rel=1e-12)
    assert account.cash_tolerance == pytest.approx(before.cash_tolerance + 5.01, rel=1e-9)
    double.post_fees()
    fees = {(fee.symbol, fee.amount, fee.units) for fee in broker.movements(None)}
    assert fees == {("ETH-USD", 0.0, -0.005), ("", -5.0, 0.0)}
    assert broker.account().cash_tolerance == pytest.approx(before.cash_tolerance + 0.01, abs=1e-9)


def test_ioc_can_be_chosen_for_coins(double: Any) -> None:
    config = PaperConfig.model_validate(
        {
            "market": "sample",
            "spec": "sample",
            "broker": {"kind": "alpaca", "endpoint": double.url},
            "orders": {"crypto": {"time_in_force": "ioc"}},
        }
    )
    double.fill_share = type(double.cash)("0.25")
    broker = AlpacaBroker(config, NOW, AlpacaRequests(config.broker, FAST, 1e6))
    broker.send([buy := intent("BTC-USD", "buy", 10_000.0)])
    state = one(broker.states([buy.client_id]))
    assert (state.status, state.units_filled, state.units_wanted) == ("reduced", 0.05, 0.2)


@pytest.mark.parametrize(
    ("ours", "theirs", "coin"), [("BTC-USD", "BTC/USD", True), ("BRK-B", "BRK.B", False), ("MU", "MU", False)]
)
def test_symbols_go_there_and_back(ours: str, theirs: str, coin: bool) -> None:
    assert to_alpaca(ours, coin) == theirs
    assert from_alpaca(theirs, coin) == ours
    assert is_coin(theirs) == coin
    if coin:
        assert from_alpaca(theirs.replace("/", ""), is_coin(theirs.replace("/", ""))) == ours


# What can be spent


def test_buys_are_cut_by_one_factor_to_the_cash_that_is_there_and_nothing_is_borrowed(
    double: Any, broker: AlpacaBroker
) -> None:
    assert double._account()["buying_power"] == "200000.0"
    broker.send([intent("MU", "buy", 90_000.0), intent("CRM", "buy", 60_000.0)])
    assert [float(order["notional"]) for order in double.orders] == [60_000.0, 40_000.0]
    assert double.cash == 0


def test_what_open_buys_promise_is_not_spent_twice(double: Any, broker: AlpacaBroker) -> None:
    double.now = NOW.replace(hour=13)
    broker = at(broker, double)
    broker.send([intent("MU", "buy", 70_000.0)])
    assert one(broker.states(["paper-20260302-MU-buy"])).status == "open"
    broker.send([intent("CRM", "buy", 50_000.0)])
    assert [float(order["notional"]) for order in double.orders] == [70_000.0, 30_000.0]


def test_coins_are_paid_with_settled_cash(double: Any, broker: AlpacaBroker) -> None:
    double.blocks = {"non_marginable_buying_power": "20000"}
    assert broker.account().settled_cash == 20_000.0
    broker.send([intent("BTC-USD", "buy", 50_000.0)])
    assert float(double.orders[0]["notional"]) == 20_000.0


def test_a_buy_that_is_cut_below_its_least_is_not_made(double: Any, broker: AlpacaBroker) -> None:
    double.cash /= 10
    ended = broker.send([intent("MU", "buy", 50_000.0, least=6_000.0), intent("CRM", "buy", 50_000.0)])
    assert ended == [OrderState("paper-20260302-MU-buy", OrderStatus.UNFILLED, 0.0, "too little cash at this moment")]
    assert [order["symbol"] for order in double.orders] == ["CRM"]


def test_dust_and_less_than_the_smallest_order_are_not_sent(double: Any, broker: AlpacaBroker) -> None:
    double.positions["BTCUSD"] = type(double.cash)("0.00009")
    ended = broker.send([intent("BTC-USD", "sell", 0.00009)])
    assert ended == [
        OrderState("paper-20260302-BTC-USD-sell", OrderStatus.UNFILLED, 0.0, "less than the smallest order")
    ]
    assert one(broker.send([intent("MU", "buy", 0.999)])).reason == "less than the smallest order"
    assert double.orders == []


def test_a_sell_is_cut_to_what_is_there(double: Any, broker: AlpacaBroker) -> None:
    """The ledger has the units before the fee, until the fee is posted."""
    broker.send([intent("BTC-USD", "buy", 10_000.0)])
    broker.send([sell := intent("BTC-USD", "sell", 0.2)])
    assert one(broker.states([sell.client_id])).units_filled == 0.1995
    assert double.positions == {}


def test_a_sell_of_all_leaves_no_dust(double: Any, broker: AlpacaBroker) -> None:
    double.positions["BTCUSD"] = type(double.cash)("0.530821549")
    broker.send([intent("BTC-USD", "sell", 0.5308215489999)])
    assert double.positions == {}


def test_an_order_of_coins_is_no_larger_than_alpaca_takes(double: Any, broker: AlpacaBroker) -> None:
    double.cash *= 10
    broker.send([buy := intent("BTC-USD", "buy", 450_000.0)])
    assert float(double.order(buy.client_id)["notional"]) == 200_000.0
    double.positions["BTCUSD"] = type(double.cash)(9)
    broker.send([sell := intent("BTC-USD", "sell", 9.0)])
    assert float(double.order(sell.client_id)["qty"]) == 3.2


# Waiting


def at(broker: AlpacaBroker, double: Any, waits: list[float] | None = None) -> AlpacaBroker:
    """The broker as a step at the double's time opens it."""
    config = PaperConfig(market="sample", spec="sample", broker=section(double))
    wait = (waits if waits is not None else []).append
    return AlpacaBroker(config, double.now, broker._requests, wait=wait)


def test_it_waits_for_fills_within_bounds(double: Any, broker: AlpacaBroker) -> None:
    waits: list[float] = []
    double.reads_before_fill = 6
    at(broker, double, waits).send([intent("MU", "buy", 1_000.0)])
    assert 0 < len(waits) < 10
    assert one(broker.states(["paper-20260302-MU-buy"])).status == "filled"
    waits.clear()
    double.reads_before_fill = 10**6
    at(broker, double, waits).send([intent("CRM", "buy", 1_000.0)])
    assert sum(waits) == 20.0
    assert one(broker.states(["paper-20260302-CRM-buy"])).status == "open"


def test_it_does_not_wait_for_stocks_while_their_market_is_closed(double: Any, broker: AlpacaBroker) -> None:
    double.now = datetime(2026, 3, 3, 0, 15, tzinfo=UTC)
    waits: list[float] = []
    early = at(broker, double, waits)
    early.send([order := intent("MU", "buy", 1_000.0)])
    assert waits == []
    assert one(early.states([order.client_id])).status == "open"
    double.prices["MU"] *= 2
    double.now = datetime(2026, 3, 3, 14, 30, tzinfo=UTC)
    assert [(fill.units, fill.price, fill.at) for fill in early.fills([order.client_id])] == [(5.0, 200.0, double.now)]


def test_partial_fills_are_told_one_by_one(double: Any, broker: AlpacaBroker) -> None:
    double.fill_share = type(double.cash)("0.4")
    double.reads_before_fill = 10**6
    broker.send([order := intent("MU", "buy", 1_000.0)])
    for filled in (4.0, 8.0, 10.0):
        double.fill_open()
        state = one(broker.states([order.client_id]))
        assert (state.status, state.units_filled) == ("filled" if filled == 10 else "open", filled)
        assert sum(fill.units for fill in broker.fills([order.client_id])) == filled
    assert [fill.units for fill in broker.fills([order.client_id])] == [4.0, 4.0, 2.0]


def test_what_is_not_filled_ends_with_the_day_or_by_being_cancelled(double: Any, broker: AlpacaBroker) -> None:
    double.fill_share = type(double.cash)("0.4")
    double.reads_before_fill = 10**6
    stock, coin = intent("MU", "buy", 1_000.0), intent("BTC-USD", "buy", 1_000.0)
    broker.send([stock])
    broker.send([coin])
    double.fill_open()
    broker.cancel([coin.client_id])
    broker.cancel([coin.client_id])
    state = one(broker.states([coin.client_id]))
    assert (state.status, state.units_filled, state.reason) == ("reduced", 0.008, "canceled at Alpaca")
    assert state.units_wanted == pytest.approx(0.02)
    double.fill_share = type(double.cash)("1e-12")
    double.now = datetime(2026, 3, 2, 21, 0, tzinfo=UTC)
    state = one(broker.states([stock.client_id]))
    assert (state.status, state.units_filled, state.reason) == ("reduced", 4.0, "expired at Alpaca")


# It goes wrong


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize(("status", "delay"), [(0, 0.0), (500, 0.0), (503, 0.0), (504, 0.0), (0, 0.6)])
def test_an_order_whose_answer_is_lost_is_sent_once(
    double: Any, broker: AlpacaBroker, fault: Callable[..., Any], accepted: bool, status: int, delay: float
) -> None:
    double.faults.append(fault("POST /orders", status, accepted=accepted, delay=delay))
    order = intent("MU", "buy", 1_000.0)
    assert broker.send([order]) == []
    assert len(double.orders) == 1
    assert posts(double) == (1 if accepted else 2)
    assert sum(fill.units for fill in broker.fills([order.client_id])) == 10.0
    assert broker.send([order]) == []
    assert len(double.orders) == 1


def test_alpacas_word_that_it_has_the_order_is_taken_for_an_arrival(
    double: Any, broker: AlpacaBroker, fault: Callable[..., Any]
) -> None:
    """The answer was lost, and the order is not yet found: sent again it is refused as known."""
    double.faults.append(fault("POST /orders", 500, accepted=True))
    double.faults.append(fault("GET /orders:by_client_order_id", 404, after=1))
    assert broker.send([intent("MU", "buy", 1_000.0)]) == []
    assert (len(double.orders), posts(double)) == (1, 2)


def test_too_many_requests_are_put_again_when_alpaca_says(
    double: Any, broker: AlpacaBroker, fault: Callable[..., Any]
) -> None:
    double.faults.append(fault("POST /orders", 429, headers={"X-RateLimit-Reset": str(int(time.time()) + 1)}))
    double.faults.append(fault("GET /account", 429, headers={"Retry-After": "0"}))
    broker.send([intent("MU", "buy", 1_000.0)])
    assert len(double.orders) == 1
    double.faults.append(fault("GET /account", 429, headers={"Retry-After": "600"}))
    with pytest.raises(BrokerUnavailable, match=r"^Alpaca: answered 429; try again in 600 s, as it asks$"):
        broker.account()


@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize(
    "body", ["", "null", "[]", "{}", '{"code": 50010000, "message": "internal"}', '{"client_order_id": "another"}']
)
def test_an_answer_that_is_not_the_order_is_no_arrival(
    double: Any, broker: AlpacaBroker, fault: Callable[..., Any], accepted: bool, body: str
) -> None:
    """Answered 200 all the same: it is looked up, and sent again where it is not there."""
    double.faults.append(fault("POST /orders", 200, accepted=accepted, body=body))
    order = intent("MU", "buy", 1_000.0)
    assert broker.send([order]) == []
    assert (len(double.orders), posts(double)) == (1, 1 if accepted else 2)
    assert sum(fill.units for fill in broker.fills([order.client_id])) == 10.0


def test_an_order_that_is_never_answered_by_itself_is_not_taken_for_sent(
    double: Any, broker: AlpacaBroker, fault: Callable[..., Any]
) -> None:
    double.faults += [fault("POST /orders", 200, body="null") for _ in range(4)]
    with pytest.raises(
        BrokerUnavailable, match=r"^Alpaca: an answer to an order that is no such order \(asked 4 times"
    ):
        broker.send([intent("MU", "buy", 1_000.0)])
    assert double.orders == []


@pytest.mark.parametrize("wait", ["-5", "nan", "inf", "-inf", "", "soon", "Wed, 21 Oct 2026 07:28:00 GMT", "0"])
def test_a_wait_that_cannot_be_is_none(double: Any, broker: AlpacaBroker, fault: Callable[..., Any], wait: str) -> None:
    double.faults.append(fault("GET /account", 429, headers={"Retry-After": wait}))
    assert broker.account().cash == 100_000.0


def test_an_error_in_the_place_of_an_answer_is_told_in_its_words(
    double: Any, broker: AlpacaBroker, fault: Callable[..., Any]
) -> None:
    """With HTTP 200, for which requests have no error."""
    error = '{"code": 50010000, "message": "internal server error occurred"}'
    double.faults.append(fault("GET /positions", 200, body=error))
    assert broker.account().positions == {}
    double.faults += [fault("GET /positions", 200, body=error) for _ in range(4)]
    with pytest.raises(
        BrokerUnavailable, match=r"^Alpaca: an error in the place of .*: internal server error occurred"
    ):
        broker.account()


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        ({"status": 500}, "answered 500"),
        ({"status": 0}, "no connection to 127.0.0.1:[0-9]+, or it was cut"),
        ({"status": 0, "delay": 0.5}, "no answer within 0.3 s"),
        ({"status": 200, "body": "<html>Sorry</html>"}, "an answer that is no JSON"),
        ({"status": 302, "body": ""}, "an answer that|an account that"),
    ],
)
def test_no_answer_is_told_in_one_line(
    double: Any, broker: AlpacaBroker, fault: Callable[..., Any], trouble: dict[str, Any], told: str
) -> None:
    double.faults += [fault("GET /account", **trouble) for _ in range(4)]
    with pytest.raises(BrokerUnavailable, match=told) as raised:
        broker.account()
    assert "\n" not in str(raised.value)


def test_an_answer_of_another_shape_is_told_in_one_line(
    double: Any, broker: AlpacaBroker, fault: Callable[..., Any]
) -> None:
    double.faults.append(fault("GET /account", 200, body='{"status": "ACTIVE"}'))
    with pytest.raises(BrokerUnavailable, match=r"^Alpaca: an account that cannot be understood \(KeyError: 'cash'\)"):
        broker.account()
    double.blocks = {"cash": "NaN"}
    with pytest.raises(BrokerUnavailable, match=r"^Alpaca: an account that cannot be understood \(ValueError: got the"):
        broker.account()


def test_answers_that_come_twice_and_out_of_order_change_nothing(
    double: Any, broker: AlpacaBroker, fault: Callable[..., Any]
) -> None:
    import json

    broker.send([intent("MU", "buy", 1_000.0)])
    broker.send([intent("CRM", "buy", 1_000.0)])
    ids = ["paper-20260302-MU-buy", "paper-20260302-CRM-buy"]
    calm = broker.fills(ids)
    turned = json.dumps(list(reversed(double.activities)) + double.activities)
    double.faults.append(fault("GET /account/activities/FILL", 200, body=turned))
    assert broker.fills(ids) == calm
    assert [state.client_id for state in broker.states([*ids[::-1]])] == ids[::-1]


def test_activities_of_many_pages_are_read_whole(double: Any, broker: AlpacaBroker) -> None:
    for place in range(250):
        double._add_activity(
            {"activity_type": "DIV", "date": "2026-03-02", "net_amount": "1", "symbol": "MU", "qty": str(place + 1)}
        )
    dividends = broker.movements(None)
    assert len(dividends) == 250
    assert {(each.kind, each.symbol, each.amount, each.units) for each in dividends} == {("dividend", "MU", 1.0, 0.0)}


def test_movements_are_those_since_a_moment(double: Any, broker: AlpacaBroker) -> None:
    deposit = {"activity_type": "JNLC", "date": "2026-03-02", "net_amount": "100000"}
    for activity in (
        deposit,
        {"activity_type": "INT", "date": "2026-02-27", "net_amount": "3", "created_at": "2026-02-28T05:00:00Z"},
        {"activity_type": "DIV", "date": "2026-03-02", "net_amount": "2", "symbol": "MU", "qty": "8"},
        {"activity_type": "SPLIT", "date": "2026-03-02", "net_amount": "0", "symbol": "MU", "qty": "8"},
        {"activity_type": "MA", "date": "2026-03-02", "net_amount": "0", "symbol": "MU", "qty": "-8"},
        {"activity_type": "FEE", "date": "2026-03-02", "net_amount": "-0.01", "status": "canceled"},
    ):
        double._add_activity(activity)
    found = [(each.kind, each.amount, each.units) for each in broker.movements(NOW)]
    # What was taken back moves nothing; it is told, so that what was booked of it before is taken back too.
    taken_back = ("fee", 0.0, 0.0)
    assert found == [("dividend", 2.0, 0.0), ("split", 0.0, 8.0), ("reorganisation", 0.0, -8.0), taken_back]
    everything = [each.kind for each in broker.movements(None)]
    assert everything == ["interest", "transfer", "dividend", "split", "reorganisation", "fee"]


# It says no


def test_a_rejected_order_is_told_with_alpacas_words(double: Any, broker: AlpacaBroker) -> None:
    double.not_fractionable.add("MU")
    ended = one(broker.send([intent("MU", "buy", 1_000.0)]))
    assert (ended.status, ended.reason) == (
        "rejected",
        "MU trades in whole units only at Alpaca: it cannot be bought for a sum of money",
    )


def test_a_wash_trade_is_refused_and_planned_anew(double: Any, broker: AlpacaBroker) -> None:
    double.positions["MU"] = type(double.cash)(10)
    double.reads_before_fill = 10**6
    broker.send([intent("MU", "sell", 5.0)])
    ended = one(broker.send([intent("MU", "buy", 1_000.0)]))
    words = "refused by Alpaca: potential wash trade detected. use complex orders (HTTP 403, code 40310000)"
    assert ended == OrderState("paper-20260302-MU-buy", OrderStatus.UNFILLED, 0.0, words)
    assert fell_short(ended.status, ended.reason)


@pytest.mark.parametrize(
    ("status", "message", "wanted"),
    [
        (422, "potential wash trade detected. use complex orders", "unfilled"),
        (403, "insufficient balance for BTC (requested: 1, available: 0.9)", "unfilled"),
        (403, "insufficient qty available for order (requested: 20, available: 0)", "unfilled"),
        (403, "trade denied due to pattern day trading protection", "unfilled"),
        (422, 'asset "MU" is not tradable', "unfilled"),
        (403, "cost basis must be >= minimal amount of order 5", "unfilled"),
        # These would be met at every order: somebody has to look.
        (403, "new orders are rejected by user request", "rejected"),
        (403, "your account is set to liquidation only", "rejected"),
        (422, "qty must be integer", "rejected"),
    ],
)
def test_refusals_of_business_end_the_order_and_others_are_rejections(
    double: Any, broker: AlpacaBroker, fault: Callable[..., Any], status: int, message: str, wanted: str
) -> None:
    double.faults.append(fault("POST /orders", status, body=json.dumps({"code": 40310000, "message": message})))
    ended = one(broker.send([intent("MU", "buy", 1_000.0)]))
    assert (ended.status, ended.units_filled) == (wanted, 0.0)
    too_small = "minimal" in message
    assert ("less than the smallest order" if too_small else message) in ended.reason


def test_an_order_that_is_rejected_later_is_told_so(double: Any, broker: AlpacaBroker) -> None:
    double.reads_before_fill = 10**6
    broker.send([order := intent("MU", "buy", 1_000.0)])
    double.order(order.client_id)["status"] = "rejected"
    assert one(broker.states([order.client_id])).status == "rejected"


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ({"trading_blocked": True}, "trading_blocked"),
        ({"account_blocked": True}, "account_blocked"),
        ({"trade_suspended_by_user": True}, "trade_suspended_by_user"),
        ({"status": "ACCOUNT_CLOSED"}, "status 'ACCOUNT_CLOSED'"),
    ],
)
def test_an_account_that_may_not_trade_is_refused(
    double: Any, broker: AlpacaBroker, block: dict[str, Any], told: str
) -> None:
    double.blocks = block
    with pytest.raises(BrokerRefused, match=f"^the account at Alpaca may not trade: {told}$"):
        broker.account()
    with pytest.raises(BrokerRefused, match="may not trade"):
        broker.send([intent("MU", "buy", 1_000.0)])


# Clock and calendar


def test_the_clock_is_alpacas_and_agrees_with_ours(double: Any, broker: AlpacaBroker) -> None:
    clock = broker.clock()
    assert clock.now == NOW.replace(microsecond=123456)
    assert clock.is_open
    assert clock.next_close == datetime(2026, 3, 2, 21, 0, tzinfo=UTC)
    # Daylight saving begins on 8 March.
    double.now = datetime(2026, 3, 7, 12, 0, tzinfo=UTC)
    clock = at(broker, double).clock()
    assert (clock.is_open, clock.next_open) == (False, datetime(2026, 3, 9, 13, 30, tzinfo=UTC))


@pytest.mark.parametrize(("off", "fine"), [(-20, True), (-40, False), (600, True), (7200, False)])
def test_a_clock_that_is_not_ours_is_refused_before_anything_is_sent(
    double: Any, broker: AlpacaBroker, off: int, fine: bool
) -> None:
    double.now = NOW + timedelta(seconds=off)
    if fine:
        assert broker.send([intent("MU", "buy", 1_000.0)]) == []
        return
    with pytest.raises(BrokerRefused, match=r"^Alpaca's clock says 2026-03-02 .* UTC, ours 2026-03-02 16:30"):
        broker.send([intent("MU", "buy", 1_000.0)])
    assert double.orders == []


def test_a_day_off_that_our_calendar_does_not_know_is_refused(double: Any, broker: AlpacaBroker) -> None:
    double.now = datetime(2026, 3, 3, 0, 15, tzinfo=UTC)
    double.holidays.add(date(2026, 3, 3))
    with pytest.raises(BrokerRefused, match=r"calendar says closed, next open 2026-03-04 14:30 UTC.*ours closed, next"):
        at(broker, double).send([intent("MU", "buy", 1_000.0)])
    assert double.orders == []


@pytest.mark.parametrize(
    "at_the_bell", [datetime(2026, 3, 2, 14, 30, tzinfo=UTC), datetime(2026, 3, 2, 21, tzinfo=UTC)]
)
def test_at_the_bell_the_two_may_be_a_moment_apart(double: Any, broker: AlpacaBroker, at_the_bell: datetime) -> None:
    double.now = at_the_bell - timedelta(milliseconds=1)
    told = double._clock()
    double._clock = lambda: {**told, "timestamp": at_the_bell.isoformat()}
    assert at(broker, double).clock().is_open == (at_the_bell.hour == 21)


# Keys, endpoints, the extra


@pytest.mark.parametrize("name", ["ALPACA_API_KEY_ID", "ALPACA_API_SECRET_KEY"])
@pytest.mark.parametrize("value", [None, " "])
def test_a_missing_key_is_told_by_the_name_of_its_variable(
    double: Any, monkeypatch: pytest.MonkeyPatch, name: str, value: str | None
) -> None:
    monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=f"^got no environment variable {name}, wanted a key of a paper account"):
        AlpacaRequests(section(double))


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://api.alpaca.markets",
        "https://API.alpaca.markets/",
        "http://paper-api.alpaca.markets",
        "https://paper-api.alpaca.markets.evil.test",
        "https://paper-api.alpaca.markets@evil.test",
        "https://127.0.0.1.evil.test",
        "http://127.0.0.1@evil.test",
    ],
)
def test_only_paper_accounts_are_asked(double: Any, endpoint: str) -> None:
    account = BrokerSection.model_construct(
        kind="alpaca", endpoint=endpoint, key_env="ALPACA_API_KEY_ID", secret_env="ALPACA_API_SECRET_KEY"
    )
    with pytest.raises(InputError, match=r"^broker\.endpoint: got .*only paper accounts are traded"):
        AlpacaRequests(account)


def test_a_missing_extra_is_one_line(double: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def without(name: str, *args: Any, **options: Any) -> Any:
        if name.startswith("alpaca"):
            raise ImportError(name)
        return imported(name, *args, **options)

    for module in [name for name in sys.modules if name.partition(".")[0] == "alpaca"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"not installed; install it by: pip install '\.\[alpaca\]' in the checkout"):
        AlpacaRequests(section(double))


def test_keys_stand_in_no_error_log_or_repr(
    double: Any,
    broker: AlpacaBroker,
    fault: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    import traceback

    caplog.set_level(logging.DEBUG)
    key, secret = alpaca_double.KEY, alpaca_double.SECRET
    said = [repr(broker), repr(broker._requests), str(vars(broker))]
    echo = f'{{"code": 40310000, "message": "forbidden for {key} {secret}"}}'
    for trouble in ({"status": 403, "body": echo}, {"status": 500, "body": echo}, {"status": 422, "body": echo}):
        double.faults += [fault("GET /account", **trouble) for _ in range(4)]
        with pytest.raises((BrokerUnavailable, BrokerRefused)) as raised:
            broker.account()
        double.faults.clear()
        said += ["".join(traceback.format_exception(raised.value))]
    double.faults.append(fault("POST /orders", 403, body=echo))
    said.append(str(broker.send([intent("MU", "buy", 1_000.0)])))
    monkeypatch.setattr(alpaca_double, "SECRET", "another")
    with pytest.raises(BrokerRefused, match="does not accept the keys in ALPACA_API_KEY_ID and ALPACA_API_SECRET_KEY"):
        broker.account()
    said.append(caplog.text)
    assert "***" in "".join(said)
    assert not [text for text in said if key in text or secret in text]


# Fees that are not posted


def coin_fill(day: int, units: float, side: str = "buy", symbol: str = "BTC-USD") -> Fill:
    at = datetime(2026, 3, day, 12, tzinfo=UTC)
    return Fill(f"{symbol}{day}{side}", "", symbol, "sell" if side == "sell" else "buy", units, 50_000.0, 0.0, at)


def coin_fee(day: int, units: float, amount: float = 0.0) -> Movement:
    at = datetime(2026, 3, day, 0, 5, tzinfo=UTC)
    return Movement(f"fee{day}", at.date(), "BTC-USD" if units else "", "fee", amount, units, at)


def test_fees_are_unposted_until_they_are_posted_or_long_past() -> None:
    fills = [coin_fill(2, 1.0)]
    assert unposted_fees(fills, [], date(2026, 3, 2)).units == {"BTC-USD": 0.0025 + 1e-9}
    assert unposted_fees(fills, [], date(2026, 3, 7)).units == {"BTC-USD": 0.0025 + 1e-9}
    assert unposted_fees(fills, [], date(2026, 3, 8)).units == {}
    assert unposted_fees(fills, [coin_fee(3, -0.0025)], date(2026, 3, 3)).units["BTC-USD"] == pytest.approx(1e-9)


def test_a_fee_is_not_set_against_a_later_fill() -> None:
    """Coins are bought day after day; each fee is posted a day later."""
    fills = [coin_fill(day, 1.0) for day in range(2, 11)]
    fees = [coin_fee(day + 1, -0.0025) for day in range(2, 10)]
    for today in range(2, 11):
        left = unposted_fees(
            [fill for fill in fills if fill.at.day <= today],
            [fee for fee in fees if fee.at.day <= today],
            date(2026, 3, today),
        )
        assert left.units["BTC-USD"] == pytest.approx(0.0025, abs=2e-8)


def test_a_fee_that_is_posted_late_is_of_the_day_that_it_is_dated_on() -> None:
    """Of Friday's buy, posted on Tuesday: it does not stand for the fee of Wednesday's buy, which is not posted yet."""
    fee = {"id": "1", "activity_type": "CFEE", "date": "2026-01-16", "symbol": "BTCUSD", "net_amount": "0"}
    late = coin_fee_of({**fee, "qty": "-0.0025", "created_at": "2026-01-20T00:00:00+00:00"})
    friday, wednesday = (
        Fill(f"{day}", "x", "BTC-USD", "buy", 1.0, 50_000.0, 0.0, datetime(2026, 1, day, 1, tzinfo=UTC))
        for day in (16, 21)
    )
    left = unposted_fees([friday, wednesday], [late], date(2026, 1, 21))
    assert left.units == {"BTC-USD": pytest.approx(0.0025, abs=2e-9)}


def test_unposted_fees_of_sells_are_us_dollars() -> None:
    fills = [coin_fill(2, 1.0, "sell"), coin_fill(2, 1.0, "sell", "ETH-USD")]
    assert unposted_fees(fills, [], date(2026, 3, 3)).cash == pytest.approx(2 * (125.0 + 0.01))
    assert unposted_fees(fills, [coin_fee(3, 0.0, -250.0)], date(2026, 3, 3)).cash == pytest.approx(0.02)
    assert unposted_fees(fills, [], date(2026, 3, 3)).units == {}
