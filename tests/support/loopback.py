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

import numpy as np
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

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.do_GET()

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
    """Let the way to Yahoo lead to `server` instead, with the host as the first part of the path.

    `yahoo_path` is the path of a symbol's prices. yfinance keeps its session, and on disk a cookie: none of the user's
    is read or written.
    """
    from yfinance import cache, data

    from data.sources import yahoo_session

    class Redirected(yahoo_session.BoundedSession):
        def request(self, method: Any, url: str, **kwargs: Any) -> Any:  # type: ignore[override]
            parts = urlsplit(url)
            return super().request(method, f"{server.url}/{parts.netloc}{parts.path}", **kwargs)

    yahoo_session._session.cache_clear()
    monkeypatch.setattr(yahoo_session, "BoundedSession", Redirected)
    monkeypatch.setattr(data.SingletonMeta, "_instances", {})
    monkeypatch.setattr(cache._CookieCacheManager, "_Cookie_cache", cache._CookieCacheDummy())
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
    gains: Mapping[str, float] | None = None,
    live: bool = False,
) -> dict[str, Any]:
    """An answer as Yahoo's chart API gives it: date, open, high, low, close, adjusted close, volume.

    Prices are of single precision, written out in full. With `live`, the last bar has the moment of its last trade, as
    in and after a session, and not the one at which its day began.
    """
    zone = time_zone(symbol)
    opening, closing = (
        pd.Timedelta(hours=hours)
        for hours in {"UTC": (0.0, 23.98), "Asia/Seoul": (9.0, 15.5), "America/New_York": (9.5, 16.0)}[zone]
    )

    def stamp(day: str, after: pd.Timedelta = opening) -> int:
        return int((pd.Timestamp(day) + after).tz_localize(zone).timestamp())

    def paid(amounts: Mapping[str, float] | None) -> dict[str, Any]:
        return {str(stamp(day)): {"amount": amount, "date": stamp(day)} for day, amount in (amounts or {}).items()}

    columns = list(zip(*bars, strict=True))
    stamps = [stamp(day) for day in columns[0]]
    last_trade = stamp(columns[0][-1], closing) + 1
    if live:
        stamps[-1] = last_trade
    prices = {
        name: [None if value is None else float(np.float32(value)) for value in column]
        for name, column in zip(("open", "high", "low", "close", "adjclose"), columns[1:6], strict=True)
    }
    adjusted = prices.pop("adjclose")
    events = {"dividends": paid(dividends), "capitalGains": paid(gains)} | {
        "splits": {
            str(stamp(day)): {"date": stamp(day), "numerator": new, "denominator": old, "splitRatio": f"{new}:{old}"}
            for day, (new, old) in (splits or {}).items()
        }
    }
    told = {kind: rows for kind, rows in events.items() if rows}
    quote = {"quote": [{**prices, "volume": columns[6]}], "adjclose": [{"adjclose": adjusted}]}
    meta = _yahoo_meta(symbol, currency, zone, stamps[0], last_trade, prices["close"][-1])
    result = {"meta": meta, "timestamp": stamps, **({"events": told} if told else {}), "indicators": quote}
    return {"chart": {"result": [result], "error": None}}


def _yahoo_meta(
    symbol: str, currency: str, zone: str, first: int, last_trade: int, price: float | None
) -> dict[str, Any]:
    kind = {"UTC": "CRYPTOCURRENCY"}.get(zone, "EQUITY")
    exchange = {"UTC": ("CCC", "CCC"), "Asia/Seoul": ("KSC", "KSE")}.get(zone, ("NMS", "NasdaqGS"))
    offset = int(pd.Timestamp(last_trade, unit="s", tz=zone).utcoffset().total_seconds())  # type: ignore[union-attr]
    short = pd.Timestamp(last_trade, unit="s", tz=zone).tzname()
    period = {"timezone": short, "start": last_trade - 6 * 3600, "end": last_trade, "gmtoffset": offset}
    return {
        "currency": currency,
        "symbol": symbol,
        "exchangeName": exchange[0],
        "fullExchangeName": exchange[1],
        "instrumentType": kind,
        "firstTradeDate": first,
        "regularMarketTime": last_trade,
        "hasPrePostMarketData": kind == "EQUITY",
        "gmtoffset": offset,
        "timezone": short,
        "exchangeTimezoneName": zone,
        "regularMarketPrice": price,
        "longName": f"{symbol} of the double",
        "shortName": symbol,
        "chartPreviousClose": price,
        "priceHint": 2,
        "currentTradingPeriod": {"pre": period, "regular": period, "post": period},
        "dataGranularity": "1d",
        "range": "",
        "validRanges": ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"],
    }
