"""One way to ask an HTTP host: paced, with retries, and with every failure told in one line that holds no secret."""

import contextlib
import socket
import threading
import time
from collections.abc import Collection, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from data.net.errors import NoNetworkError, NotFoundError, SourceError, StatusError
from data.net.retry import PACER, TransientError, persist
from data.net.secrets import scrub
from data.net.settings import SourceSettings
from data.net.told import form_of, told

if TYPE_CHECKING:
    import requests

Format = Literal["CSV", "JSON", "filing"]

RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})
MOST_REDIRECTS = 5
_PIECE = 64 * 1024


def get(
    url: str,
    params: Mapping[str, str],
    settings: SourceSettings,
    *,
    source: str,
    wanted: Format,
    per_second: float,
    headers: Mapping[str, str] | None = None,
    retried: Collection[int] = RETRIED_STATUSES,
) -> bytes:
    """Ask for one document, and again where that may help.

    Args:
        url: without query.
        params: the query.
        settings: time-outs, attempts, pauses and user agent.
        source: name for people, the first word of every error (``FRED``).
        wanted: what the body should be; an HTML page in its place is an error. A filing of the SEC holds pages, and
            whoever asked for it judges it.
        per_second: how often this host may be asked.
        headers: beside, or instead of, User-Agent.
        retried: the statuses on which it asks again.

    Returns:
        The whole body, decompressed.

    Raises:
        NoNetworkError: the host cannot be reached; it is asked once.
        NotFoundError: the answer was 404.
        RateLimitError: the answer was 429, each time.
        StatusError: the answer was another status that says no.
        SourceError: anything else, such as an answer that is too large or a redirect to another host.
    """
    all_headers = {"User-Agent": settings.user_agent, **(headers or {})}
    host = urlsplit(url).netloc

    def once() -> bytes:
        PACER.wait(host, per_second)
        return _ask(url, params, all_headers, settings, source, retried)

    body = persist(once, settings, source)
    if wanted != "filing" and form_of(body) != "other":
        raise SourceError(f"{source}: got {told(body)} instead of {wanted}; try again later", retry_later=True)
    return body


def require_address(url: str, settings: SourceSettings, source: str) -> None:
    """Raise `NoNetworkError` where no address is found for a URL's host.

    Without a network the look-up of a name can take half a minute, which no time-out of an HTTP client cuts short.
    Where a proxy looks names up, it is left to the proxy.
    """
    import requests

    host = urlsplit(url).hostname or ""
    if requests.utils.get_environ_proxies(url):
        return
    found = threading.Event()

    def look_up() -> None:
        try:
            socket.getaddrinfo(host, None)
        except OSError:
            return
        found.set()

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(settings.connect_timeout)
    if not found.is_set():
        raise NoNetworkError(f"{source}: no network: no address found for {host}; connect and run it again")


def _ask(
    url: str,
    params: Mapping[str, str],
    headers: Mapping[str, str],
    settings: SourceSettings,
    source: str,
    retried: Collection[int],
) -> bytes:
    import requests

    failure: Exception
    try:
        require_address(url, settings, source)
        with _response(url, params, headers, settings, source) as response:
            body = _read(response, settings, source)
    except (requests.RequestException, ValueError) as error:  # A redirect to no address is a plain ValueError.
        failure = _explained(error, settings, source, urlsplit(url).netloc)
    else:
        if response.ok:
            return body
        failure = _refusal(response, body, source, retried)
    raise failure


def _response(
    url: str, params: Mapping[str, str], headers: Mapping[str, str], settings: SourceSettings, source: str
) -> "requests.Response":
    """The answer, its body unread; redirects are followed where they stay with the host."""
    import requests

    query: Mapping[str, str] | None = params
    for _ in range(1 + MOST_REDIRECTS):
        response = requests.get(
            url,
            params=query,
            headers=dict(headers),
            timeout=(settings.connect_timeout, settings.read_timeout),
            stream=True,
            allow_redirects=False,
        )
        if response.next is None:
            return response
        response.close()
        target = str(response.next.url)
        if urlsplit(target)[:2] != urlsplit(url)[:2]:
            scheme, host = urlsplit(target)[:2]
            raise SourceError(
                f"{source}: redirects from {urlsplit(url).netloc} to {scheme}://{host}, which is refused; wanted an "
                "answer of the host that was asked, over the same protocol"
            )
        url, query = target, None
    raise SourceError(f"{source}: redirects more than {MOST_REDIRECTS} times, wanted an answer")


def _read(response: "requests.Response", settings: SourceSettings, source: str) -> bytes:
    """The whole body. requests refuses one shorter than its Content-Length, but gives each single byte the time-out."""
    import requests

    expired = threading.Event()

    def give_up() -> None:
        expired.set()
        with contextlib.suppress(OSError, ValueError):  # It may have ended by itself just now.
            response.raw.shutdown()

    timer = threading.Timer(settings.read_timeout, give_up)
    timer.start()
    body = bytearray()
    try:
        for piece in response.iter_content(_PIECE):
            body += piece
            if len(body) > settings.largest_answer:
                raise too_large(source, settings)
    except requests.RequestException:
        if not expired.is_set():
            raise
    finally:
        timer.cancel()
    if expired.is_set():
        raise requests.ReadTimeout
    return bytes(body)


def too_large(source: str, settings: SourceSettings) -> SourceError:
    """Return the error for an answer that goes on beyond the bound."""
    limit = f"{settings.largest_answer / 1e6:g} MB"
    return SourceError(f"{source}: got an answer of more than {limit} when unpacked, wanted less; it was not read on")


def _explained(error: Exception, settings: SourceSettings, source: str, host: str) -> Exception:
    import requests
    from urllib3.exceptions import NewConnectionError, ReadTimeoutError

    first = error.args[0] if error.args else None
    cause = getattr(first, "reason", None)
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.ProxyError) or isinstance(
        cause, NewConnectionError
    ):
        return NoNetworkError(f"{source}: no network: {host} cannot be reached; connect and run it again")
    if isinstance(error, requests.exceptions.SSLError):
        return SourceError(scrub(f"{source}: no safe connection to {host}: {cause or error}"))
    if isinstance(error, requests.ReadTimeout) or isinstance(first, ReadTimeoutError):
        return TransientError(f"{host} gave no whole answer within {settings.read_timeout:g} s")
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return TransientError(f"the answer of {host} was cut off")
    if isinstance(error, requests.ConnectionError):
        return TransientError(f"{host} broke off the connection")
    return SourceError(scrub(f"{source}: {error}"))


def _refusal(response: "requests.Response", body: bytes, source: str, retried: Collection[int]) -> Exception:
    return refusal(
        response.status_code, response.reason, body, source, retried, response.headers.get("Retry-After", "")
    )


def refusal(
    status: int, reason: str, body: bytes, source: str, retried: Collection[int], retry_after: str = ""
) -> Exception:
    """Return what an answer with a status above 399 is raised as: `TransientError` where asking again may help.

    Args:
        status: of HTTP.
        reason: that came with it.
        body: of the answer.
        source: name for people.
        retried: statuses on which it is asked again.
        retry_after: of the header.
    """
    words = told(body)
    answered = f"answered {status} {reason}".strip() + (f": {words}" if words else "")
    if status in retried:
        return TransientError(answered, _retry_after(retry_after), limited=status == 429)
    kind = NotFoundError if status == 404 else StatusError
    return kind(scrub(f"{source}: {answered}"), status, words, form_of(body))


def _retry_after(text: str) -> float | None:
    """Seconds that the header asks for, as a number or as a date; None where it says nothing that can be read."""
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None
