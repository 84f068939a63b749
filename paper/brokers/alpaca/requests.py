"""Requests to Alpaca's trading API, through alpaca-py: one failure, one line, and no key in it.

alpaca-py alone waits for an answer for ever, repeats what was answered 429 or 504 after three seconds, orders too, and
refuses answers that hold a word newer than itself. So it has our time-outs, repeats nothing, and hands over answers as
they came; what is asked again, and when, is decided here.
"""

import math
import os
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar, cast
from urllib.parse import urlsplit

from data.errors import InputError
from data.files.plain_text import printable
from data.net.errors import SourceError
from data.net.retry import PACER, TransientError, persist
from data.net.settings import SourceSettings
from paper.brokers.alpaca.answers import Raw, understood
from paper.brokers.alpaca.orders import Order
from paper.config import BrokerSection, check_endpoint
from paper.errors import BrokerRefused, BrokerUnavailable

if TYPE_CHECKING:
    import requests
    from alpaca.trading.client import TradingClient

Answer = TypeVar("Answer")

NAME = "Alpaca"
# Alpaca's window of its rate limit is a minute.
ASKING = SourceSettings(attempts=4, pause=1.0, longest_wait=65.0, read_timeout=20.0)
# Its limit is 200 a minute.
PER_SECOND = 3.0
# Activities; its largest.
PAGE = 100

_PASSING = frozenset({429, 500, 502, 503, 504})
# The account is refused as such.
_UNAUTHORIZED = 401


class RequestRefused(BrokerRefused):
    """Alpaca understood a request and said no.

    Attributes:
        status: of HTTP: 403 forbidden, 404 not found, 422 not valid.
        code: Alpaca's own; 0 where it gave none.
        message: its words.
    """

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(f"{NAME}: {message} (HTTP {status}" + (f", code {code})" if code else ")"))
        self.status, self.code, self.message = status, code, message


class AlpacaRequests:
    """Asks one paper account.

    Args:
        account: endpoint, and the names of the environment variables that hold the keys.
        asking: time-outs, attempts and pauses; None: `ASKING`.
        per_second: how often the host may be asked; None: `PER_SECOND`.

    Raises:
        InputError: no endpoint of paper accounts, a variable that is not set, or alpaca-py is not installed.
    """

    def __init__(
        self, account: BrokerSection, asking: SourceSettings | None = None, per_second: float | None = None
    ) -> None:
        self._asking, self._per_second = asking or ASKING, per_second or PER_SECOND
        try:
            endpoint = check_endpoint(account.endpoint)
        except ValueError as error:
            raise InputError(f"broker.endpoint: {error}") from None
        self._host = urlsplit(endpoint).netloc
        self._secrets = _from_environment(account.key_env), _from_environment(account.secret_env)
        self._names = f"{account.key_env} and {account.secret_env}"
        self._client = _client(endpoint, *self._secrets, self._asking)

    def __repr__(self) -> str:
        return f"AlpacaRequests({self._host})"

    def close(self) -> None:
        """Close the connection."""
        self._client._session.close()

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """Read something, and ask again where that may help.

        Args:
            path: below ``/v2``.
            query: by name.

        Returns:
            What the JSON held.

        Raises:
            BrokerUnavailable: no answer, or none that could be read.
            BrokerRefused: the keys are not accepted.
            RequestRefused: the answer was no.
        """
        return self._persistently(lambda: self._once(lambda client: client.get(path, dict(query or {}))))

    def pages(self, path: str, query: Mapping[str, str]) -> list[Raw]:
        """Read all pages of activities, oldest first; each activity once. Like `get`."""
        found: dict[str, Raw] = {}
        wanted = {**query, "direction": "asc", "page_size": str(PAGE)}
        while True:
            page = self.get(path, wanted)
            with understood("a page of activities"):
                fresh = {each["id"]: each for each in page if each["id"] not in found}
            found |= fresh
            if len(page) < PAGE or not fresh:
                return list(found.values())
            wanted["page_token"] = page[-1]["id"]

    def delete(self, path: str) -> None:
        """End something; like `get`, for to end it twice is to end it once."""
        self._persistently(lambda: self._once(lambda client: client.delete(path)))

    def order(self, client_id: str) -> Raw | None:
        """Look up one order; None where there is none. Like `get`."""
        return self._persistently(lambda: self._find(client_id))

    def place(self, order: Order) -> None:
        """Send an order until it is known to have arrived: an answer that was lost is no order that was lost.

        Raises:
            BrokerUnavailable: no answer; whether it arrived is not known.
            BrokerRefused: the keys are not accepted.
            RequestRefused: the order is.
        """
        tries = 0

        def place_once() -> None:
            nonlocal tries
            tries += 1
            if tries == 1 or self._find(order.client_id) is None:
                answer = self._once(lambda client: client.post("/orders", _as_request(order)))
                if not (isinstance(answer, dict) and answer.get("client_order_id") == order.client_id):
                    raise TransientError("an answer to an order that is no such order")

        try:
            self._persistently(place_once)
        except RequestRefused as error:
            # "client_order_id must be unique": it arrived, and could not be found so soon.
            if "client_order_id" not in error.message or self.order(order.client_id) is None:
                raise

    def _find(self, client_id: str) -> Raw | None:
        try:
            found = self._once(lambda client: cast(Raw, client.get_order_by_client_id(client_id)))
        except RequestRefused as error:
            if error.status == 404:
                return None
            raise
        with understood("an order"):
            if found["client_order_id"] != client_id:
                raise ValueError(f"got the order {found['client_order_id']}, wanted {client_id}")
        return found

    def _persistently(self, action: Callable[[], Answer]) -> Answer:
        """Do what may be done again, and again where that may help."""
        try:
            return persist(action, self._asking, NAME)
        except SourceError as error:
            told = str(error)
        # Out of the reach of what was caught: it would take along the request, and with it the keys.
        raise BrokerUnavailable(told)

    def _once(self, action: Callable[["TradingClient"], Answer]) -> Answer:
        """Put one request; after `TransientError` nobody knows whether it was acted upon."""
        import requests
        from alpaca.common.exceptions import APIError

        PACER.wait(self._host, self._per_second)
        failure: Exception
        try:
            answer = action(self._client)
            if not _is_error(answer):
                return answer
            failure = TransientError(f"an error in the place of an answer: {self._words_of(answer)}")
        except APIError as error:
            failure = self._refusal(error.response)
        except requests.Timeout:
            failure = TransientError(f"no answer within {self._asking.read_timeout:g} s")
        except (requests.JSONDecodeError, RecursionError):
            failure = TransientError("an answer that is no JSON")
        except requests.RequestException:
            failure = TransientError(f"no connection to {self._host}, or it was cut")
        raise failure

    def _refusal(self, response: "requests.Response") -> Exception:
        status = response.status_code
        if status in _PASSING:
            return TransientError(f"answered {status}", _wait(response.headers), limited=status == 429)
        try:
            body = response.json()
        except (ValueError, RecursionError):
            body = {}
        if not isinstance(body, dict):
            body = {}
        message = self._words_of(body, response.reason)
        if status == _UNAUTHORIZED or (status == 403 and not body.get("code")):
            return BrokerRefused(f"{NAME} does not accept the keys in {self._names}: {message} (HTTP {status})")
        code = body.get("code", 0)
        return RequestRefused(status, code if isinstance(code, int) else 0, message)

    def _words_of(self, body: Mapping[str, Any], reason: str | None = None) -> str:
        return printable(self._scrubbed(str(body.get("message") or reason or "no reason given")))

    def _scrubbed(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def _from_environment(name: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        raise InputError(
            f"got no environment variable {name}, wanted a key of a paper account at {NAME}; set it, or name another "
            "under [broker] in the configuration"
        )
    return value


def _client(endpoint: str, key: str, secret: str, asking: SourceSettings) -> "TradingClient":
    try:
        from alpaca.trading.client import TradingClient
    except ImportError as error:
        raise InputError(
            "broker.kind alpaca needs alpaca-py, which is not installed; install it by: "
            "pip install '.[alpaca]' in the checkout"
        ) from error
    from requests.adapters import HTTPAdapter

    class WithTimeouts(HTTPAdapter):
        def send(self, request: Any, *args: Any, **options: Any) -> Any:
            return super().send(
                request, *args, **(options | {"timeout": (asking.connect_timeout, asking.read_timeout)})
            )

    client = TradingClient(key, secret, paper=True, raw_data=True, url_override=endpoint)
    # alpaca-py has no words for either.
    client._retry = 0
    for scheme in ("http://", "https://"):
        client._session.mount(scheme, WithTimeouts())
    return client


def _is_error(answer: object) -> TypeGuard[dict[str, Any]]:
    """Whether an answer that came as one (HTTP 200) is an error: nothing else has a code and a message."""
    return isinstance(answer, dict) and {"code", "message"} <= answer.keys()


def _as_request(order: Order) -> dict[str, str]:
    """An order as Alpaca takes it: numbers in decimals, for a float may be written with an exponent."""
    numbers = {"qty": order.units, "notional": order.money}
    return {
        "symbol": order.symbol,
        "side": order.side,
        "type": "market",
        "time_in_force": order.time_in_force,
        "client_order_id": order.client_id,
        **{name: f"{value:f}" for name, value in numbers.items() if value is not None},
    }


def _wait(headers: Mapping[str, str]) -> float | None:
    """Seconds that Alpaca asks for, before it is asked again; None where it says nothing that can be read."""
    now = time.time()
    for name, since in (("Retry-After", 0.0), ("X-RateLimit-Reset", now)):
        try:
            wait = float(headers[name]) - since
        except (KeyError, ValueError):
            continue
        if math.isfinite(wait):
            return max(0.0, wait)
    return None
