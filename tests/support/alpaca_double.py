"""A server on 127.0.0.1 that behaves as Alpaca documents its paper trading API, and can be told to fail."""

import contextlib
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from decimal import ROUND_CEILING, ROUND_DOWN, Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
KEY, SECRET = "PKTESTKEY0123456789", "secret-of-a-test-abcdefghijklmnopqrstuv"
COIN_FEE = Decimal("0.0025")
NANO, CENT = Decimal("1e-9"), Decimal("0.01")
# What an order that was just taken says nothing of.
ORDER_BLANKS = (
    *(
        "canceled_at",
        "expired_at",
        "failed_at",
        "filled_at",
        "hwm",
        "legs",
        "limit_price",
        "replaced_at",
        "replaced_by",
    ),
    *("replaces", "source", "stop_price", "subtag", "trail_percent", "trail_price"),
)
ACCOUNT_ZEROS = (
    *(
        "daytrading_buying_power",
        "initial_margin",
        "intraday_adjustments",
        "last_maintenance_margin",
        "long_market_value",
    ),
    *(
        "maintenance_margin",
        "options_buying_power",
        "pending_transfer_in",
        "position_market_value",
        "short_market_value",
    ),
    *("effective_buying_power", "regt_buying_power", "sma"),
)
FINAL = ("filled", "canceled", "expired", "rejected")


class Refusal(Exception):  # noqa: N818
    def __init__(self, status: int, code: int, message: str, **more: Any) -> None:
        self.status, self.body = status, {"code": code, "message": message, **more}


@dataclass
class Fault:
    """A request that goes wrong.

    Attributes:
        on: beginning of "METHOD /path" below /v2.
        status: of the answer; 0: none, the connection is cut.
        accepted: whether the request is acted upon all the same.
        headers: of the answer.
        body: of the answer; None: an error as Alpaca words it.
        delay: seconds before it goes wrong.
        after: requests that go right before it.
    """

    on: str
    status: int = 0
    accepted: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    delay: float = 0.0
    after: int = 0


class AlpacaDouble:
    """One paper account on margin (multiplier 2), and the market that it trades in.

    `double.now = ...` moves the clock: what is due fills. Prices, faults and everything else may be set at any time.
    """

    def __init__(self, prices: dict[str, float], cash: float = 100_000.0, now: datetime | None = None) -> None:
        self.prices = {symbol: Decimal(repr(price)) for symbol, price in prices.items()}
        self.cash, self.positions = Decimal(repr(cash)), dict[str, Decimal]()
        self.orders: list[dict[str, Any]] = []
        self.activities: list[dict[str, Any]] = []
        self.holidays: set[date] = set()
        self.not_fractionable: set[str] = set()
        self.blocks: dict[str, Any] = {}
        self.faults: list[Fault] = []
        self.asked: list[tuple[str, dict[str, str]]] = []
        # Of an order, filled at a time; the rest stays open until `fill_open`.
        self.fill_share = Decimal(1)
        # How often its orders are read before it fills what it can.
        self.reads_before_fill = 0
        # Whether activities that are no fills bear the moment at which they were booked: recorded ones do not.
        self.stamped = False
        # What becomes of an answer, or of the words of a refusal, before it goes out; None: nothing.
        self.mutate: Callable[[str, Any], Any] | None = None
        # A chance for each request to go wrong, and for lists to come repeated and turned round.
        self.chaos: random.Random | None = None
        self.chance = 0.2
        self._fees: list[dict[str, Any]] = []
        self._count = 0
        self._now = now or datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
        self._lock = threading.RLock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.block_on_close = False
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    # The market.

    @property
    def now(self) -> datetime:
        return self._now

    @now.setter
    def now(self, moment: datetime) -> None:
        with self._lock:
            for days in range((moment.date() - self._now.date()).days + 1):
                self._pass_day(self._now.date() + timedelta(days=days), moment)
            self._now = moment
            self.fill_open()

    def hours(self, day: date) -> tuple[datetime, datetime] | None:
        if day.weekday() > 4 or day in self.holidays:
            return None
        opens, closes = time_of_day(9, 30), time_of_day(16, 0)
        return tuple(datetime.combine(day, each, NEW_YORK).astimezone(UTC) for each in (opens, closes))  # type: ignore[return-value]

    @property
    def is_open(self) -> bool:
        hours = self.hours(self._now.astimezone(NEW_YORK).date())
        return hours is not None and hours[0] <= self._now < hours[1]

    def fill_open(self) -> None:
        """Fill what is due, at the prices of now, a share of it."""
        with self._lock:
            for order in self.orders:
                if order["status"] not in FINAL and (order["asset_class"] == "crypto" or self.is_open):
                    self._fill(order)

    def post_fees(self) -> None:
        """Book the fees of coins, as Alpaca does after the end of the day."""
        with self._lock:
            for fee in self._fees:
                self._add_activity(fee | ({"created_at": self._now.isoformat()} if self.stamped else {}))
            self._fees.clear()

    def order(self, client_id: str) -> dict[str, Any]:
        (found,) = [order for order in self.orders if order["client_order_id"] == client_id]
        return found

    def _pass_day(self, day: date, moment: datetime) -> None:
        """Let New York open and close on a day, as far as both lie before a moment."""
        hours = self.hours(day)
        if hours and self._now < hours[0] < moment:
            self._now = hours[0]
            self.fill_open()
        if hours and self._now < hours[1] <= moment:
            for order in self.orders:
                if order["time_in_force"] == "day" and order["status"] not in FINAL:
                    order["status"] = "expired"

    def _fill(self, order: dict[str, Any]) -> None:
        symbol, price = order["symbol"], self.prices[order["symbol"]]
        filled = Decimal(order["filled_qty"])
        if order["qty"] is not None:
            wanted = Decimal(order["qty"])
        else:
            wanted = (Decimal(order["notional"]) / price).quantize(NANO, ROUND_DOWN)
        left = wanted - filled
        units = left if self.fill_share == 1 else (wanted * self.fill_share).quantize(NANO, ROUND_DOWN)
        units = min(units, left)
        if units <= 0:
            return
        self._move(order, units, price)
        total = filled + units
        order["filled_avg_price"] = str(price)
        order["filled_qty"] = str(total)
        short = "canceled" if order["time_in_force"] == "ioc" else "partially_filled"
        order["status"] = "filled" if total == wanted else short
        self._add_activity(
            {
                "activity_type": "FILL",
                "transaction_time": self._now.isoformat(),
                "type": "fill" if total == wanted else "partial_fill",
                "price": str(price),
                "qty": str(units),
                "side": order["side"],
                "symbol": symbol,
                "leaves_qty": str(wanted - total),
                "order_id": order["id"],
                "cum_qty": str(total),
                "order_status": order["status"],
            }
        )

    def _move(self, order: dict[str, Any], units: Decimal, price: Decimal) -> None:
        symbol, coin = order["symbol"].replace("/", ""), order["asset_class"] == "crypto"
        fee = {"activity_type": "CFEE", "date": f"{self._now:%Y-%m-%d}", "status": "executed", "currency": "USD"}
        sign = 1 if order["side"] == "buy" else -1
        received = units
        self.cash -= sign * units * price
        if coin and sign > 0:
            taken = (units * COIN_FEE).quantize(NANO, ROUND_CEILING)
            received -= taken
            words = {"description": "Coin Pair Transaction Fee (Non USD)", "symbol": symbol, "price": str(price)}
            self._fees.append({**fee, **words, "net_amount": "0", "qty": str(-taken)})
        elif coin:
            taken = (units * price * COIN_FEE).quantize(CENT, ROUND_CEILING)
            self.cash -= taken
            words = {"description": "Coin Pair Transaction Fee (USD)"}
            self._fees.append({**fee, **words, "net_amount": str(-taken)})
        held = self.positions.get(symbol, Decimal(0)) + sign * received
        self.positions[symbol] = held
        if not held:
            del self.positions[symbol]

    def _add_activity(self, activity: dict[str, Any]) -> None:
        stamp = self._now.astimezone(NEW_YORK)
        self.activities.append({"id": f"{stamp:%Y%m%d%H%M%S}000::{self._uuid()}", **activity})

    def _uuid(self) -> str:
        self._count += 1
        return str(UUID(int=self._count))

    # What is asked.

    def _answer(self, method: str, path: str, query: dict[str, str], body: Any) -> Any:
        if path == "/account":
            return self._account()
        if path == "/positions":
            return [self._position(symbol, units) for symbol, units in self.positions.items()]
        if path == "/clock":
            return self._clock()
        if path.startswith("/assets/"):
            return self._asset(unquote(path.removeprefix("/assets/")))
        if path.startswith("/account/activities"):
            return self._list_activities(path.removeprefix("/account/activities").strip("/"), query)
        if path == "/orders" and method == "POST":
            return self._submit(body)
        if path == "/orders":
            return self._list_orders(query)
        if path == "/orders:by_client_order_id":
            found = [each for each in self.orders if each["client_order_id"] == query["client_order_id"]]
            if not found:
                raise Refusal(404, 40410000, f"order not found for {query['client_order_id']}")
            return found[0]
        if path.startswith("/orders/") and method == "DELETE":
            return self._cancel(path.removeprefix("/orders/"))
        raise Refusal(404, 40410000, "endpoint not found.")

    def _account(self) -> dict[str, Any]:
        promised = sum(
            (
                Decimal(order["notional"])
                for order in self.orders
                if order["notional"] and order["side"] == "buy" and order["status"] not in FINAL
            ),
            Decimal(0),
        )
        value = sum((units * self._price(symbol) for symbol, units in self.positions.items()), Decimal(0))
        return {
            "id": str(UUID(int=0)),
            "account_number": "PA0000000000",
            "status": "ACTIVE",
            "crypto_status": "ACTIVE",
            "currency": "USD",
            "cash": str(self.cash),
            "buying_power": str(2 * self.cash + value - promised),
            "non_marginable_buying_power": str(self.cash - promised),
            "accrued_fees": "0",
            "pending_reg_taf_fees": "0",
            "equity": str(self.cash + value),
            "portfolio_value": str(self.cash + value),
            "multiplier": "2",
            "trading_blocked": False,
            "transfers_blocked": False,
            "account_blocked": False,
            "trade_suspended_by_user": False,
            "created_at": "2026-01-02T15:00:00Z",
            "pattern_day_trader": False,
            "shorting_enabled": True,
            "last_equity": str(self.cash + value),
            **dict.fromkeys(ACCOUNT_ZEROS, "0"),
            **self.blocks,
        }

    def _price(self, symbol: str) -> Decimal:
        return self.prices.get(symbol) or self.prices[f"{symbol[:-3]}/USD"]

    def _position(self, symbol: str, units: Decimal) -> dict[str, Any]:
        held = sum(
            (
                Decimal(order["qty"]) - Decimal(order["filled_qty"])
                for order in self.orders
                if order["side"] == "sell"
                and order["symbol"].replace("/", "") == symbol
                and order["status"] not in FINAL
            ),
            Decimal(0),
        )
        return {
            "asset_id": str(UUID(int=1)),
            "symbol": symbol,
            "exchange": "CRYPTO" if symbol not in self.prices else "NASDAQ",
            "asset_class": "crypto" if symbol not in self.prices else "us_equity",
            "qty": str(units),
            "qty_available": str(units - held),
            "side": "long" if units > 0 else "short",
            "avg_entry_price": "1",
            "cost_basis": "1",
        }

    def _clock(self) -> dict[str, Any]:
        days = [self._now.astimezone(NEW_YORK).date() + timedelta(days=each) for each in range(10)]
        hours = [each for each in map(self.hours, days) if each]
        return {
            # With nanoseconds, in New York's time, as Alpaca has it.
            "timestamp": f"{self._now.astimezone(NEW_YORK):%Y-%m-%dT%H:%M:%S}.123456789{self._offset()}",
            "is_open": self.is_open,
            "next_open": min(opens for opens, _ in hours if opens > self._now).astimezone(NEW_YORK).isoformat(),
            "next_close": min(closes for _, closes in hours if closes > self._now).astimezone(NEW_YORK).isoformat(),
        }

    def _offset(self) -> str:
        return f"{self._now.astimezone(NEW_YORK):%z}"[:3] + ":00"

    def _asset(self, symbol: str) -> dict[str, Any]:
        if symbol not in self.prices:
            raise Refusal(404, 40410000, f"asset not found for {symbol}")
        asset = {
            "id": str(UUID(int=1)),
            "class": "crypto" if "/" in symbol else "us_equity",
            "exchange": "CRXL" if "/" in symbol else "NASDAQ",
            "symbol": symbol,
            "status": "active",
            "tradable": True,
            "marginable": "/" not in symbol,
            "shortable": False,
            "easy_to_borrow": False,
            "fractionable": symbol not in self.not_fractionable,
        }
        coin = {"min_order_size": "0.0001", "min_trade_increment": "0.000000001", "price_increment": "1"}
        return asset | (coin if "/" in symbol else {})

    def _list_activities(self, kind: str, query: dict[str, str]) -> list[dict[str, Any]]:
        after = datetime.fromisoformat(query["after"]) if "after" in query else datetime(1970, 1, 1, tzinfo=UTC)
        found = [
            each
            for each in self.activities
            if (not kind or each["activity_type"] == kind)
            and (query.get("category") != "non_trade_activity" or each["activity_type"] != "FILL")
            and self._stamp(each) > after
        ]
        found.sort(key=lambda each: each["id"], reverse=query.get("direction", "desc") == "desc")
        if "page_token" in query:
            places = [place for place, each in enumerate(found) if each["id"] == query["page_token"]]
            found = found[places[0] + 1 :]
        return found[: int(query.get("page_size", 100))]

    @staticmethod
    def _stamp(activity: dict[str, Any]) -> datetime:
        text = activity.get("transaction_time") or activity.get("created_at") or activity["date"] + "T23:59:59+00:00"
        return datetime.fromisoformat(text)

    def _list_orders(self, query: dict[str, str]) -> list[dict[str, Any]]:
        self.reads_before_fill -= 1
        if self.reads_before_fill < 0:
            self.fill_open()
        found = [
            order
            for order in self.orders
            if (query["status"] == "all" or order["status"] not in FINAL)
            and query.get("side", order["side"]) == order["side"]
        ]
        return [dict(order) for order in reversed(found)][: int(query.get("limit", 50))]

    def _submit(self, body: dict[str, Any]) -> dict[str, Any]:
        client_id, symbol, side = body["client_order_id"], body["symbol"], body["side"]
        qty, notional = (None if body.get(each) is None else Decimal(str(body[each])) for each in ("qty", "notional"))
        if len(client_id) > 128:
            raise Refusal(422, 40010001, "client_order_id must be no more than 128 characters")
        if any(order["client_order_id"] == client_id for order in self.orders):
            raise Refusal(422, 40010001, "client_order_id must be unique")
        if symbol not in self.prices:
            raise Refusal(422, 42210000, f'asset "{symbol}" not found')
        coin, tif = "/" in symbol, body["time_in_force"]
        if coin and tif not in ("gtc", "ioc"):
            raise Refusal(422, 42210000, "invalid crypto time_in_force")
        is_part = notional is not None or (qty is not None and qty % 1 != 0)
        if is_part and not coin and tif != "day":
            raise Refusal(422, 42210000, "fractional orders must be DAY orders")
        if is_part and symbol in self.not_fractionable:
            raise Refusal(403, 40310000, f'asset "{symbol}" is not fractionable')
        if notional is not None and notional != notional.quantize(CENT):
            raise Refusal(422, 42210000, "notional value must be limited to 2 decimal places")
        if qty is not None and (qty <= 0 or qty != qty.quantize(NANO)):
            raise Refusal(422, 40010001, "qty must be limited to 9 decimal places and above 0")
        value = notional if notional is not None else (qty or Decimal(0)) * self.prices[symbol]
        if coin and value > 200_000:
            raise Refusal(403, 40310000, "max notional value of a crypto order is 200000")
        opposite = [each for each in self.orders if each["symbol"] == symbol and each["side"] != side]
        if any(each["status"] not in FINAL for each in opposite):
            raise Refusal(
                403, 40310000, "potential wash trade detected. use complex orders", reject_reason="opposite side"
            )
        account = self._account()
        if side == "buy":
            if value < (least := 10 if coin else 1):
                raise Refusal(403, 40310000, f"cost basis must be >= minimal amount of order {least}")
            power = Decimal(account["non_marginable_buying_power" if coin else "buying_power"])
            if value > power:
                raise Refusal(403, 40310000, "insufficient buying power", buying_power=str(power))
        else:
            plain = symbol.replace("/", "")
            free = Decimal(self._position(plain, self.positions.get(plain, Decimal(0)))["qty_available"])
            if (qty or Decimal(0)) > free:
                raise Refusal(403, 40310000, f"insufficient balance for {symbol} (requested: {qty}, available: {free})")
        order = {
            "id": self._uuid(),
            "client_order_id": client_id,
            "created_at": self._now.isoformat(),
            "updated_at": self._now.isoformat(),
            "submitted_at": self._now.isoformat(),
            "asset_class": "crypto" if coin else "us_equity",
            "symbol": symbol,
            "qty": None if qty is None else str(qty),
            "notional": None if notional is None else str(notional),
            "filled_qty": "0",
            "filled_avg_price": None,
            "order_class": "",
            "type": body["type"],
            "order_type": body["type"],
            "side": side,
            "time_in_force": tif,
            "status": "pending_new" if coin else "accepted",
            "extended_hours": False,
            "asset_id": str(UUID(int=1)),
            **dict.fromkeys(ORDER_BLANKS),
        }
        self.orders.append(order)
        if self.reads_before_fill <= 0:
            self.fill_open()
        return order

    def _cancel(self, order_id: str) -> None:
        (order,) = [each for each in self.orders if each["id"] == order_id]
        if order["status"] in FINAL:
            raise Refusal(422, 42210000, f'order is already in "{order["status"]}" state')
        order["status"] = "canceled"

    # How it goes wrong.

    def _fault(self, asked: str) -> Fault | None:
        for fault in self.faults:
            if asked.startswith(fault.on):
                if fault.after:
                    fault.after -= 1
                    continue
                self.faults.remove(fault)
                return fault
        if self.chaos is None or self.chaos.random() >= self.chance:
            return None
        status = self.chaos.choice([0, 0, 429, 500, 503])
        return Fault(asked, status, accepted=status != 429 and self.chaos.random() < 0.5)

    def _handle(
        self, method: str, target: str, headers: dict[str, str], body: Any
    ) -> tuple[int, dict[str, str], str] | None:
        """Status, headers and body of an answer; None: the connection is cut."""
        parts = urlsplit(target)
        path = parts.path.removeprefix("/v2")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        with self._lock:
            self.asked.append((f"{method} {path}", query))
            if (headers.get("apca-api-key-id"), headers.get("apca-api-secret-key")) != (KEY, SECRET):
                return 401, {}, json.dumps({"message": "unauthorized."})
            fault = self._fault(f"{method} {path}")
            status, answer = 200, None
            if fault is None or fault.accepted:
                try:
                    answer = self._answer(method, path, query, body)
                except Refusal as refusal:
                    status, answer = refusal.status, refusal.body
        if fault is not None:
            time.sleep(fault.delay)
            if not fault.status:
                return None
            words = json.dumps({"code": fault.status * 100_000, "message": f"failure {fault.status}"})
            return fault.status, fault.headers, words if fault.body is None else fault.body
        if isinstance(answer, list) and self.chaos is not None and "page_token" not in query and len(answer) < 50:
            answer = self.chaos.sample(answer, len(answer)) + answer[: self.chaos.randint(0, 1)]
        if self.mutate is not None and answer is not None:
            answer = self.mutate(f"{method} {path}", answer)
        return status, {}, "" if answer is None else answer if isinstance(answer, str) else json.dumps(answer)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # One packet an answer: with two, each waits for the acknowledgement of the one before.
            wbufsize = -1

            def _reply(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer = double._handle(self.command, self.path, headers, body)
                if answer is None:
                    self.close_connection = True
                    return
                status, more, text = answer
                self.send_response(status)
                for name, value in {"Content-Length": str(len(text.encode())), **more}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text.encode())

            def handle(self) -> None:
                # The client may have been killed.
                with contextlib.suppress(ConnectionError):
                    super().handle()

            def finish(self) -> None:
                with contextlib.suppress(ConnectionError):
                    super().finish()

            do_GET = do_POST = do_DELETE = _reply  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        return Handler


@contextlib.contextmanager
def running(prices: dict[str, float], cash: float = 100_000.0, now: datetime | None = None) -> Iterator[AlpacaDouble]:
    double = AlpacaDouble(prices, cash, now)
    try:
        yield double
    finally:
        double.close()
