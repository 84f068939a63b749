"""The way to Yahoo: yfinance's cookies and crumbs over a session that bounds answers and stays with Yahoo.

yfinance introduces itself as a browser does, and gets the cookie and the crumb that Yahoo wants. It is asked for the
plain answer with its status: its own reading of prices gives failures from memory, takes an error page for a missing
field, and asks a second question for a time zone (see docs/decisions/yahoo-client.md).
"""

from functools import cache
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from curl_cffi.requests import Response, Session
from yfinance.data import YfData

from data.net.errors import SourceError
from data.net.http import MOST_REDIRECTS, too_large
from data.net.settings import SourceSettings

HOST = "query2.finance.yahoo.com"
_OWN = ".yahoo.com"
_STOP = 0xFFFFFFFF  # curl's word for a failed write: it breaks off.
_REDIRECTS = (301, 302, 303, 307, 308)


class BoundedSession(Session[Response]):
    """A session whose answers are not read beyond a bound, and whose redirects stay with Yahoo and its protocol."""

    def __init__(self, settings: SourceSettings) -> None:
        super().__init__(impersonate="chrome")
        self._settings = settings

    def request(self, method: Any, url: str, **kwargs: Any) -> Response:  # type: ignore[override]
        """Ask, as `curl_cffi.requests.Session.request`.

        Raises:
            SourceError: the answer is too large, or a redirect leads elsewhere.
        """
        wanted = {**kwargs, "allow_redirects": False}
        for _ in range(1 + MOST_REDIRECTS):
            response = self._bounded(method, url, **wanted)
            target = response.headers.get("Location")
            if response.status_code not in _REDIRECTS or not target:
                return response
            target = urljoin(url, target)
            _require_own(url, target)
            url, method, wanted = target, "GET", {**wanted, "params": None, "data": None, "json": None}
        raise SourceError(f"Yahoo: redirects more than {MOST_REDIRECTS} times, wanted an answer")

    def _bounded(self, method: Any, url: str, **kwargs: Any) -> Response:
        body = bytearray()
        limit = self._settings.largest_answer

        def take(piece: bytes) -> int:
            body.extend(piece)
            return len(piece) if len(body) <= limit else _STOP

        try:
            response = super().request(method, url, content_callback=take, **kwargs)
        except OSError:
            if len(body) > limit:
                raise too_large("Yahoo", self._settings) from None
            raise
        response.content = bytes(body)
        return response


@cache
def _session(settings: SourceSettings) -> BoundedSession:
    """One session for all questions, for it holds the cookie."""
    return BoundedSession(settings)


def chart_answer(symbol: str, first: int, end: int, settings: SourceSettings) -> Response:
    """Ask for the days of one instrument.

    Args:
        symbol: as Yahoo has it.
        first: seconds since 1970 of the first moment.
        end: of the first moment that is not wanted any more.
        settings: time-outs and bound.

    Raises:
        OSError: what curl raises.
        SourceError: the answer is too large, or a redirect leads elsewhere.
    """
    data = YfData(session=_session(settings))
    query = {"period1": first, "period2": end, "interval": "1d", "includePrePost": False}
    events = {"events": "div,splits,capitalGains"}
    address = f"https://{HOST}/v8/finance/chart/{quote(symbol, safe='=')}"
    answer: Response = data.get(address, params={**query, **events}, timeout=settings.read_timeout)
    return answer


def _require_own(url: str, target: str) -> None:
    here, there = urlsplit(url), urlsplit(target)
    is_own = f".{there.hostname}".endswith(_OWN) or there.netloc == here.netloc
    if there.scheme != here.scheme or not is_own:
        raise SourceError(
            f"Yahoo: redirects from {here.netloc} to {there.scheme}://{there.netloc}, which is refused; wanted an "
            "answer of Yahoo"
        )
