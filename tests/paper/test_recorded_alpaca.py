"""Answers of Alpaca as it documents and gives them: orders, account, clock, activities, assets, refusals."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import alpaca_double
import loopback
from data.net.settings import SourceSettings
from paper.broker import Fill, Intent, Movement, OrderState
from paper.brokers.alpaca.answers import fill_of, moment, movement_of, order_state
from paper.brokers.alpaca.broker import AlpacaBroker
from paper.brokers.alpaca.orders import Asset, Order
from paper.brokers.alpaca.requests import AlpacaRequests, RequestRefused
from paper.config import BrokerSection, PaperConfig
from paper.errors import BrokerRefused
from strategies.fills import OrderStatus

pytest.importorskip("alpaca")
pytestmark = pytest.mark.payloads

FAST = SourceSettings(attempts=2, pause=0.0, connect_timeout=1.0, read_timeout=5.0)
NOW = datetime(2025, 6, 24, 18, 15, 22, tzinfo=UTC)


def recorded(payloads: Path, name: str) -> Any:
    return json.loads((payloads / "alpaca" / name).read_text())


@pytest.fixture
def requests(server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[AlpacaRequests]:
    monkeypatch.setenv("ALPACA_API_KEY_ID", alpaca_double.KEY)
    monkeypatch.setenv("ALPACA_API_SECRET_KEY", alpaca_double.SECRET)
    requests = AlpacaRequests(BrokerSection(kind="alpaca", endpoint=server.url), FAST, per_second=1e6)
    yield requests
    requests.close()


@pytest.mark.parametrize(
    ("file", "client_id", "units"),
    [
        ("CryptoOrderResponse.json", "5b5d3d67-06ad-4ffa-af65-a117d0fc5a59", 0.02),
        ("EquityOrderResponse.json", "5680c4bc-9ac1-4a12-a44c-df427ba53032", 2.0),
    ],
)
def test_orders_that_were_just_taken(payloads: Path, file: str, client_id: str, units: float) -> None:
    order = recorded(payloads, file)

    assert order_state(order) == OrderState(client_id, OrderStatus.OPEN, 0.0, units_wanted=units)
    created = {"CryptoOrderResponse.json": (36, 51, 337711), "EquityOrderResponse.json": (31, 24, 668464)}[file]
    assert moment(order["created_at"]) == datetime(2023, 12, 12, 22, *created, tzinfo=UTC)


def test_account_and_clock(payloads: Path, server: Any, requests: AlpacaRequests) -> None:
    server.answers("/v2/account", loopback.Answer(recorded(payloads, "account.json")))
    server.answers("/v2/clock", loopback.Answer(recorded(payloads, "clock.json")))
    for path in ("/v2/positions", "/v2/account/activities/FILL", "/v2/account/activities/CFEE"):
        server.answers(path, loopback.Answer([]))
    config = PaperConfig(market="sample", spec="sample", broker=BrokerSection(kind="alpaca", endpoint=server.url))
    broker = AlpacaBroker(config, NOW, requests, wait=lambda _seconds: None)

    account, clock = broker.account(), broker.clock()

    # Cash, and what of it may be spent without margin.
    assert (account.cash, account.settled_cash) == (122_086.5, 122_086.5)
    assert dict(account.positions) == {}
    assert clock.is_open
    assert (clock.next_open, clock.next_close) == (
        datetime(2025, 6, 25, 13, 30, tzinfo=UTC),
        datetime(2025, 6, 24, 20, 0, tzinfo=UTC),
    )


def test_activities(payloads: Path) -> None:
    fee, dividend, fill = recorded(payloads, "activities.json")

    # The fee of a coin that was bought, in units of it; without a stamp, booked when its day was over.
    assert movement_of(fee) == Movement(
        movement_id=fee["id"],
        session=date(2022, 8, 12),
        symbol="ETH-USD",
        kind="fee",
        amount=0.0,
        units=-0.000195,
        at=datetime(2022, 8, 13, tzinfo=UTC),
    )
    # 0.51 for each of two shares: the units say what it was paid on.
    paid = movement_of(dividend)
    assert (paid.symbol, paid.kind, paid.amount, paid.units, paid.session) == (
        "T",
        "dividend",
        1.02,
        0.0,
        date(2019, 8, 1),
    )
    assert fill_of(fill, "mine") == Fill(
        fill_id=fill["id"],
        client_id="mine",
        symbol="LPCN",
        side="buy",
        units=1.0,
        price=1.63,
        fees=0.0,
        at=datetime(2019, 5, 24, 15, 34, 6, 977_000, tzinfo=UTC),
    )


def test_a_coin(payloads: Path) -> None:
    asset = Asset.of(recorded(payloads, "asset-crypto.json"))

    assert asset == Asset(tradable=True, fractionable=True, increment=Decimal("1E-9"), smallest=Decimal("0.000026873"))


@pytest.mark.parametrize(
    ("word", "kind", "told"),
    [
        ("cost basis", RequestRefused, "cost basis must be >= minimal amount of order 10 (HTTP 403, code 40310000)"),
        ("time_in_force", RequestRefused, "invalid crypto time_in_force (HTTP 422, code 42210000)"),
        ("extended hours", RequestRefused, "is allowed for extended hours orders (HTTP 422, code 40010001)"),
        ("unauthorized", BrokerRefused, "does not accept the keys in ALPACA_API_KEY_ID and ALPACA_API_SECRET_KEY"),
    ],
)
def test_refusals(
    payloads: Path, server: Any, requests: AlpacaRequests, word: str, kind: type[BrokerRefused], told: str
) -> None:
    errors = recorded(payloads, "errors.json")
    assert len(errors) == 4
    [error] = [each for each in errors if word in each["body"]["message"]]
    server.answers("/v2/orders", loopback.Answer(error["body"], status=error["status"]))

    with pytest.raises(kind) as failure:
        requests.get("/orders")

    assert told in str(failure.value)
    assert len(server.asked) == 1


# The same answers, through the broker.


@pytest.fixture
def broker(server: Any, requests: AlpacaRequests, payloads: Path) -> AlpacaBroker:
    """A broker whose account, clock and coin are the recorded ones."""
    for name in ("account", "clock"):
        server.answers(f"/v2/{name}", loopback.Answer(recorded(payloads, f"{name}.json")))
    for symbol in ("BTC%2FUSD", "MU"):
        server.answers(f"/v2/assets/{symbol}", loopback.Answer(recorded(payloads, "asset-crypto.json")))
    server.answers("/v2/orders", loopback.Answer([]))
    config = PaperConfig(market="sample", spec="sample", broker=BrokerSection(kind="alpaca", endpoint=server.url))
    return AlpacaBroker(config, NOW, requests, wait=lambda _seconds: None)


def test_orders_through_the_broker(payloads: Path, server: Any, broker: AlpacaBroker) -> None:
    orders = [recorded(payloads, f"{kind}OrderResponse.json") for kind in ("Crypto", "Equity")]
    server.answers("/v2/orders", loopback.Answer(orders))
    server.answers("/v2/account/activities/FILL", loopback.Answer([recorded(payloads, "activities.json")[2]]))
    coin, stock = (each["client_order_id"] for each in orders)

    assert broker.states([stock, coin, "another"]) == [
        OrderState(stock, OrderStatus.OPEN, 0.0, units_wanted=2.0),
        OrderState(coin, OrderStatus.OPEN, 0.0, units_wanted=0.02),
    ]
    # The recorded fill is of an order that is not among them.
    assert broker.fills([stock, coin]) == []


def test_a_fill_through_the_broker(payloads: Path, server: Any, broker: AlpacaBroker) -> None:
    fill = recorded(payloads, "activities.json")[2]
    order = recorded(payloads, "EquityOrderResponse.json") | {
        **{"id": fill["order_id"], "symbol": "LPCN", "submitted_at": fill["transaction_time"]},
        **{"status": "filled", "qty": "1", "filled_qty": "1", "filled_avg_price": "1.63"},
    }
    server.answers("/v2/orders", loopback.Answer([order]))
    server.answers("/v2/account/activities/FILL", loopback.Answer([fill]))
    name = order["client_order_id"]

    at = datetime(2019, 5, 24, 15, 34, 6, 977_000, tzinfo=UTC)
    assert broker.fills([name]) == [Fill(fill["id"], name, "LPCN", "buy", 1.0, 1.63, 0.0, at)]
    assert broker.states([name]) == [OrderState(name, OrderStatus.FILLED, 1.0, units_wanted=1.0)]


def test_activities_through_the_broker(payloads: Path, server: Any, broker: AlpacaBroker) -> None:
    fee, dividend, _ = recorded(payloads, "activities.json")
    server.answers("/v2/account/activities", loopback.Answer([fee, dividend]))

    found = [(each.movement_id, each.symbol, each.kind, each.amount, each.units) for each in broker.movements(None)]
    assert found == [
        (dividend["id"], "T", "dividend", 1.02, 0.0),
        (fee["id"], "ETH-USD", "fee", 0.0, -0.000195),
    ]
    # Without a stamp they are booked when their day is over.
    assert [each.symbol for each in broker.movements(datetime(2022, 8, 13, tzinfo=UTC))] == ["ETH-USD"]
    assert broker.movements(datetime(2022, 8, 13, 0, 0, 1, tzinfo=UTC)) == []


def test_notices_of_the_recorded_account(payloads: Path, server: Any, broker: AlpacaBroker) -> None:
    # It is marked as a day trader's, and has more than 25,000 USD.
    assert broker.notices() == []
    account = recorded(payloads, "account.json")
    server.answers("/v2/account", loopback.Answer(account | {"equity": "24999.99", "crypto_status": "INACTIVE"}))
    assert [each.split(":")[0] for each in broker.notices()] == [
        "Alpaca marks the account as that of a pattern day trader",
        "Alpaca says that coins are 'INACTIVE' for this account",
    ]
    # As accounts come since the marks of day traders were given up.
    server.answers("/v2/account", loopback.Answer({**account, "pattern_day_trader": None, "equity": "30"}))
    assert broker.notices() == []


@pytest.mark.parametrize(
    ("word", "status", "reason"),
    [
        ("cost basis", OrderStatus.UNFILLED, "less than the smallest order"),
        ("time_in_force", OrderStatus.REJECTED, "rejected by Alpaca: invalid crypto time_in_force (HTTP 422"),
        ("extended hours", OrderStatus.REJECTED, 'rejected by Alpaca: only type="limit" is allowed for extended'),
        ("unauthorized", None, "does not accept the keys in ALPACA_API_KEY_ID and ALPACA_API_SECRET_KEY"),
    ],
)
def test_refusals_through_the_broker(
    payloads: Path, server: Any, broker: AlpacaBroker, word: str, status: OrderStatus | None, reason: str
) -> None:
    [error] = [each for each in recorded(payloads, "errors.json") if word in each["body"]["message"]]
    refusal = loopback.Answer(error["body"], status=error["status"])
    none = loopback.Answer([])
    server.answers("/v2/orders", none, none, refusal, none)
    buy = Intent("mine", NOW.date(), "BTC-USD", "buy", True, None, 20.0, 0.0, 50_000.0, NOW)

    if status is None:
        with pytest.raises(BrokerRefused) as failure:
            broker.send([buy])
        assert reason in str(failure.value)
        return
    # One list of orders is asked for before it is placed, and one of what is promised; the order is the third.
    (ended,) = broker.send([buy])
    assert (ended.client_id, ended.status, ended.units_filled) == ("mine", status, 0.0)
    assert reason in ended.reason


def test_every_recorded_answer_is_read(payloads: Path) -> None:
    """Each file above, and none besides: a new one wants a test."""
    read = {"CryptoOrderResponse", "EquityOrderResponse", "account", "activities", "asset-crypto", "clock", "errors"}
    assert {file.stem for file in (payloads / "alpaca").iterdir()} == read


def test_the_double_answers_as_alpaca_does(payloads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Alpaca's answers hold those of the double do, where a trader could look at it."""
    monkeypatch.setenv("ALPACA_API_KEY_ID", alpaca_double.KEY)
    monkeypatch.setenv("ALPACA_API_SECRET_KEY", alpaca_double.SECRET)
    # Of brokers' customers and of margin that nobody asks for.
    unasked = {
        "admin_configurations",
        "balance_asof",
        "bod_dtbp",
        "crypto_tier",
        "daytrade_count",
        "user_configurations",
    }
    unasked |= {"options_trading_level", "maintenance_margin_requirement", "attributes"}
    with alpaca_double.running({"MU": 100.0, "BTC/USD": 50_000.0}, now=NOW) as double:
        requests = AlpacaRequests(BrokerSection(kind="alpaca", endpoint=double.url), FAST, per_second=1e6)
        coin = Order("coin", "BTC/USD", "buy", "gtc", money=Decimal("1000"))
        stock = Order("stock", "MU", "buy", "day", money=Decimal("1000"))
        for order in (coin, stock):
            requests.place(order)
        double.post_fees()
        pairs = [
            (recorded(payloads, "CryptoOrderResponse.json"), requests.order("coin")),
            (recorded(payloads, "EquityOrderResponse.json"), requests.order("stock")),
            (recorded(payloads, "account.json"), requests.get("/account")),
            (recorded(payloads, "clock.json"), requests.get("/clock")),
            (recorded(payloads, "asset-crypto.json"), requests.get("/assets/BTC%2FUSD")),
        ]
        fees, fills = requests.get("/account/activities/CFEE"), requests.get("/account/activities/FILL")
        fee, _, fill = recorded(payloads, "activities.json")
        for real, made in [*pairs, (fee, fees[0]), (fill, fills[0])]:
            assert real.keys() - unasked <= made.keys()
        assert "created_at" not in fees[0].keys() | fee.keys()
        small = Order("small", "BTC/USD", "buy", "gtc", money=Decimal("9.99"))
        real = recorded(payloads, "errors.json")[0]
        with pytest.raises(RequestRefused) as refused:
            requests.place(small)
        told = refused.value
        assert (told.status, {"code": told.code, "message": told.message}) == (real["status"], real["body"])
        requests.close()
