"""Daily prices, dividends, capital gains and splits from Yahoo.

Yahoo divides its prices and dividends by every later split; what is given back is what was quoted on the day. So each
question goes up to today, whatever days are wanted: a later split tells what a price was. There is one question a
symbol.
"""

import http.client
import json
import logging
from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus
from typing import Any

import pandas as pd

from data.catalogue.instruments import Instrument, instrument_entry
from data.errors import InputError
from data.files.plain_text import printable
from data.net.errors import NoNetworkError, RateLimitError, SourceError
from data.net.http import RETRIED_STATUSES, refusal, require_address
from data.net.retry import PACER, TransientError, persist
from data.net.settings import SourceSettings
from data.net.told import told
from data.sources.answers import Listing, PriceAnswer
from data.sources.yahoo_chart import Chart, read_chart
from data.sources.yahoo_frame import price_answer

DAY = pd.Timedelta(days=1)

_OUT_OF_REACH = (5, 6, 7)  # curl: the proxy or host has no address, or does not take the call.
_TIMED_OUT = 28
# A crumb that is no longer taken is another one the next time.
_RETRIED = RETRIED_STATUSES | {401}
_CODES = {
    "not found": HTTPStatus.NOT_FOUND,
    "unauthorized": HTTPStatus.UNAUTHORIZED,
    "internal error": HTTPStatus.INTERNAL_SERVER_ERROR,
    "too many requests": HTTPStatus.TOO_MANY_REQUESTS,
}

# yfinance tells of each failure on its logger; without a handler Python would write it to stderr.
logging.getLogger("yfinance").addHandler(logging.NullHandler())


def fetch_prices(
    symbols: Collection[str],
    first: pd.Timestamp,
    last: pd.Timestamp,
    settings: SourceSettings,
    report: Callable[[str], None] = lambda _stage: None,
    now: pd.Timestamp | None = None,
    catalogue: Mapping[str, Instrument] | None = None,
) -> dict[str, PriceAnswer | SourceError]:
    """Fetch daily bars, dividends and splits; what fails for one symbol costs the others nothing.

    A bar is given back when its UTC day is over, as the decision at 00:00 UTC has it: by then its exchange has closed,
    and a coin's day has just ended. Once there is no network, or Yahoo has been asked too often, the symbols that are
    left are not asked for.

    Args:
        symbols: of the catalogue, as Yahoo has them.
        first: naive date of the first bar that is wanted; for each instrument not before it was listed.
        last: naive date of the last one.
        settings: how to ask.
        report: is told of each symbol before it is asked for.
        now: UTC; default the clock's.
        catalogue: entries by symbol; default the shipped ones.

    Returns:
        By symbol, in the order of `symbols`: the answer, or what was in its way.

    Raises:
        InputError: a symbol is not in the catalogue; nothing is asked then.
    """
    instruments = {symbol: instrument_entry(symbol, catalogue) for symbol in symbols}
    now = now or pd.Timestamp.now("UTC")
    answers: dict[str, PriceAnswer | SourceError] = {}
    end: SourceError | None = None
    for place, (symbol, instrument) in enumerate(instruments.items(), start=1):
        if end is not None:
            answers[symbol] = end
            continue
        report(f"{symbol} ({place} of {len(instruments)})")
        try:
            answers[symbol] = _fetch(symbol, instrument, first, last, settings, now)
        except NoNetworkError as error:
            answers[symbol] = end = error
        except RateLimitError as error:
            answers[symbol] = error
            end = RateLimitError("Yahoo: not asked, for it limits its requests; try again later")
        except SourceError as error:
            answers[symbol] = error
        except InputError as error:  # The calendar does not reach so far.
            answers[symbol] = SourceError(f"Yahoo: {symbol}: {error}")
    return answers


def _fetch(
    symbol: str,
    instrument: Instrument,
    first: pd.Timestamp,
    last: pd.Timestamp,
    settings: SourceSettings,
    now: pd.Timestamp,
) -> PriceAnswer:
    begin = max(first, pd.Timestamp(instrument.listed))
    today = now.tz_convert(None).normalize()
    last = min(last, today - DAY)
    if begin > last:
        raise SourceError(f"Yahoo: {symbol}: got the days {begin.date()} to {last.date()}, wanted some that are over")
    require_address(settings.yahoo_url, settings, "Yahoo")

    # By the machine's clock, for Yahoo has divided by every split to this day; in Seoul it may be tomorrow already.
    begins, ends = (int(day.timestamp()) for day in (begin.tz_localize("UTC") - DAY, pd.Timestamp.now("UTC") + DAY))

    def once() -> Chart:
        PACER.wait("Yahoo", settings.yahoo_per_second)
        return _chart(symbol, begins, ends, settings)

    chart = persist(once, settings, f"Yahoo: {symbol}")
    if chart.currency != instrument.currency:
        raise SourceError(f"Yahoo: {symbol}: got prices in {chart.currency}, wanted {instrument.currency}")
    return price_answer(symbol, instrument, chart, begin, last, now)


def fetch_listing(symbol: str, settings: SourceSettings) -> Listing:
    """Ask what an instrument is: its name, kind, currency, exchange and first bar.

    Args:
        symbol: as Yahoo has it, of any catalogue or of none.
        settings: how to ask.

    Raises:
        SourceError: there is no answer, or no such instrument.
    """
    require_address(settings.yahoo_url, settings, "Yahoo")
    now = pd.Timestamp.now("UTC")
    begins, ends = (int(day.timestamp()) for day in (now - 10 * DAY, now + DAY))

    def once() -> Chart:
        PACER.wait("Yahoo", settings.yahoo_per_second)
        return _chart(symbol, begins, ends, settings)

    chart = persist(once, settings, f"Yahoo: {symbol}")
    return Listing(
        symbol, printable(chart.name), chart.kind, chart.currency, chart.venue, chart.exchange, chart.first_trade
    )


def _chart(symbol: str, begins: int, ends: int, settings: SourceSettings) -> Chart:
    from yfinance.exceptions import YFRateLimitError

    from data.sources.yahoo_session import chart_answer

    failure: Exception
    try:
        response = chart_answer(symbol, begins, ends, settings)
    except YFRateLimitError:
        failure = TransientError("limits its requests (429)", limited=True)
    except OSError as error:  # What curl or a socket raises.
        failure = _unreached(error, settings)
    else:
        return read_chart(symbol, _document(symbol, response.status_code, response.content))
    raise failure


def _document(symbol: str, status: int, body: bytes) -> Any:
    """What an answer's JSON holds, if it says yes.

    Yahoo says no in the status, in the document (under ``chart`` or ``finance``), or in a page or plain text.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    status = max(status, _status_within(document))
    if status >= 400:
        raise refusal(status, http.client.responses.get(status, ""), body, f"Yahoo: {symbol}", _RETRIED)
    if document is None:
        raise TransientError(f"got {told(body) or 'nothing'} in place of JSON, or it was cut off")
    return document


def _status_within(document: Any) -> int:
    """The status that stands for the code of an error inside of a document; 0 where it tells of none."""
    for part in ("chart", "finance"):
        inside = document.get(part) if isinstance(document, dict) else None
        error = inside.get("error") if isinstance(inside, dict) else None
        if error:
            code = str(error.get("code", "")) if isinstance(error, dict) else ""
            return _CODES.get(code.lower().replace("-", " "), HTTPStatus.BAD_REQUEST)
    return 0


def _unreached(error: OSError, settings: SourceSettings) -> Exception:
    code = getattr(error, "code", None)
    if code in _OUT_OF_REACH:
        return NoNetworkError("Yahoo: no network: it cannot be reached; connect and run it again")
    if code == _TIMED_OUT:
        return TransientError(f"no whole answer within {settings.read_timeout:g} s")
    return TransientError(f"the connection broke off ({type(error).__name__})")
