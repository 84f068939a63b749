"""An HTTP server on 127.0.0.1 that gives the answers a test has written down, and remembers what it was asked."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest

HTML_PAGE = "<!DOCTYPE html><html><head><title>Sorry, you have been blocked</title></head><body>Sorry</body></html>"


@dataclass(frozen=True)
class Answer:
    """One scripted answer.

    Attributes:
        body: text, bytes, or anything else that JSON can hold.
        status: HTTP status.
        headers: beside Content-Length, which is always right for the whole body.
        delay: seconds before the answer begins.
        sent: bytes of the body that are sent before the connection is closed; None for all.
        reset: close the connection without any answer.
        pace: seconds from one byte of the body to the next.
    """

    body: Any = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    sent: int | None = None
    reset: bool = False
    pace: float = 0.0

    def encoded(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


@dataclass(frozen=True)
class Asked:
    """One request: path without query, query by name (the first value), headers in lower case, monotonic time."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    at: float


class LoopbackServer:
    """Scripted answers by path; a path without a script is answered 404.

    `server.answers("/data.csv", Answer("a,b\\n"), Answer(status=504))` gives the answers one by one, the last one again
    and again. `server.asked` lists the requests, in order.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._scripts: dict[str, list[Answer]] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.block_on_close = False
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def answers(self, path: str, *answers: Answer) -> None:
        """Set the answers of one path; an earlier script of it is forgotten."""
        with self._lock:
            self._scripts[path] = list(answers)

    def asked_for(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == path]

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def _next(self, asked: Asked) -> Answer:
        with self._lock:
            self.asked.append(asked)
            script = self._scripts.get(asked.path, [Answer("not found", status=404)])
            return script.pop(0) if len(script) > 1 else script[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
                headers = {name.lower(): value for name, value in self.headers.items()}
                self._give(server._next(Asked(parts.path, query, headers, time.monotonic())))

            def _give(self, answer: Answer) -> None:
                server._closing.wait(answer.delay)
                self.close_connection = True
                if answer.reset:
                    return
                body = answer.encoded()
                with contextlib.suppress(ConnectionError):  # The client may have gone away.
                    self.send_response(answer.status)
                    for name, value in {"Content-Length": str(len(body)), **answer.headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    step = 1 if answer.pace else len(body) or 1
                    for begin in range(0, len(body[: answer.sent]), step):
                        server._closing.wait(answer.pace)
                        self.wfile.write(body[: answer.sent][begin : begin + step])

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        return Handler


@contextlib.contextmanager
def running() -> Iterator[LoopbackServer]:
    server = LoopbackServer()
    try:
        yield server
    finally:
        server.close()


def closed_port_url() -> str:
    """Return the address of a port on which nobody listens: as good as no network."""
    with running() as server:
        return server.url


# Yahoo.

Bar = tuple[str, float | None, float | None, float | None, float | None, float | None, float | None]


def redirect_yahoo(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace yfinance's HTTP session by one that asks `server` instead, with the host as the first part of the path.

    `yahoo_path` is the path of a symbol's prices. yfinance keeps its session, and on disk a cookie and each symbol's
    time zone: none of the user's is read or written.
    """
    from curl_cffi.requests import Session
    from yfinance import cache, data

    class Redirected(Session[Any]):
        def request(self, method: Any, url: str, *args: Any, **kwargs: Any) -> Any:
            parts = urlsplit(url)
            return super().request(method, f"{server.url}/{parts.netloc}{parts.path}", *args, **kwargs)

    class TimeZones:
        def lookup(self, symbol: str) -> str:
            return time_zone(symbol)

        def store(self, symbol: str, zone: str) -> None:
            """Nothing new to learn."""

    monkeypatch.setattr(data.SingletonMeta, "_instances", {})
    monkeypatch.setattr(cache._TzCacheManager, "_tz_cache", TimeZones())
    monkeypatch.setattr(cache._CookieCacheManager, "_Cookie_cache", cache._CookieCacheDummy())
    data.YfData(session=Redirected())
    server.answers("/query1.finance.yahoo.com/v1/test/getcrumb", Answer("a-crumb"))


def yahoo_path(symbol: str) -> str:
    return f"/query2.finance.yahoo.com/v8/finance/chart/{symbol}"


def time_zone(symbol: str) -> str:
    if symbol.endswith("-USD"):
        return "UTC"
    return "Asia/Seoul" if symbol.endswith(".KS") else "America/New_York"


def yahoo_chart(
    symbol: str,
    bars: Sequence[Bar],
    dividends: Mapping[str, float] | None = None,
    splits: Mapping[str, tuple[int, int]] | None = None,
    currency: str = "USD",
) -> dict[str, Any]:
    """An answer in the shape of Yahoo's chart API: date, open, high, low, close, adjusted close, volume."""
    zone = time_zone(symbol)
    opening = pd.Timedelta(hours={"UTC": 0.0, "Asia/Seoul": 9.0, "America/New_York": 9.5}[zone])

    def stamp(day: str) -> int:
        return int((pd.Timestamp(day) + opening).tz_localize(zone).timestamp())

    columns = list(zip(*bars, strict=True))
    names = ("open", "high", "low", "close")
    return {
        "chart": {
            "result": [
                {
                    "meta": {
                        "currency": currency,
                        "symbol": symbol,
                        "exchangeName": "NMS",
                        "instrumentType": "CRYPTOCURRENCY" if zone == "UTC" else "EQUITY",
                        "exchangeTimezoneName": zone,
                        "gmtoffset": 0,
                        "priceHint": 2,
                        "dataGranularity": "1d",
                        "validRanges": ["1d", "5d", "max"],
                    },
                    "timestamp": [stamp(day) for day in columns[0]],
                    "events": {
                        "dividends": {
                            str(stamp(day)): {"amount": amount, "date": stamp(day)}
                            for day, amount in (dividends or {}).items()
                        },
                        "splits": {
                            str(stamp(day)): {
                                "date": stamp(day),
                                "numerator": new,
                                "denominator": old,
                                "splitRatio": f"{new}:{old}",
                            }
                            for day, (new, old) in (splits or {}).items()
                        },
                    },
                    "indicators": {
                        "quote": [{**dict(zip(names, columns[1:5], strict=True)), "volume": columns[6]}],
                        "adjclose": [{"adjclose": columns[5]}],
                    },
                }
            ],
            "error": None,
        }
    }
