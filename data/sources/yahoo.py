"""Daily prices, dividends and splits from Yahoo, through yfinance.

Yahoo divides its prices and dividends by every later split; what is given back is what was quoted on the day. So each
question goes up to today, whatever days are wanted: a later split tells what a price was. There is one question a
symbol, for `yfinance.download` asks no other way and tells less of what went wrong.
"""

import json
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pandas as pd

from data.catalogue.instruments import Instrument, instrument_entry
from data.errors import InputError
from data.net.errors import NoNetworkError, RateLimitError, SourceError
from data.net.http import require_address
from data.net.retry import PACER, TransientError, persist
from data.net.settings import SourceSettings
from data.sources.answers import PriceAnswer
from data.sources.yahoo_frame import price_answer

DAY = pd.Timedelta(days=1)

_OUT_OF_REACH = (5, 6, 7)  # curl: the proxy or host has no address, or does not take the call.
_TIMED_OUT = 28

# yfinance tells of each failure on its logger, beside raising it; without a handler Python would write it to stderr.
logging.getLogger("yfinance").addHandler(logging.NullHandler())


def fetch_prices(
    symbols: Sequence[str],
    first: pd.Timestamp,
    last: pd.Timestamp,
    settings: SourceSettings,
    report: Callable[[str], None] = lambda _stage: None,
    now: pd.Timestamp | None = None,
) -> dict[str, PriceAnswer | SourceError]:
    """Fetch daily bars, dividends and splits; what fails for one symbol costs the others nothing.

    A bar is given back when its UTC day is over, as the decision at 00:00 UTC has it: by then its exchange has closed,
    and a coin's day has just ended. Once there is no network, or Yahoo has been asked too often, the symbols that are
    left are not asked for.

    Args:
        symbols: of the instrument catalogue, as Yahoo has them.
        first: naive date of the first bar that is wanted; for each instrument not before it was listed.
        last: naive date of the last one.
        settings: how to ask.
        report: is told of each symbol before it is asked for.
        now: UTC; default the clock's.

    Returns:
        By symbol, in the order of `symbols`: the answer, or what was in its way.

    Raises:
        InputError: a symbol is not in the catalogue; nothing is asked then.
    """
    instruments = {symbol: instrument_entry(symbol) for symbol in symbols}
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

    def once() -> tuple[pd.DataFrame, str]:
        PACER.wait("Yahoo", settings.yahoo_per_second)
        return _history(symbol, begin, settings)

    frame, currency = persist(once, settings, f"Yahoo: {symbol}")
    if currency != instrument.currency:
        raise SourceError(f"Yahoo: {symbol}: got prices in {currency}, wanted {instrument.currency}")
    return price_answer(symbol, instrument, frame, begin, last, now)


def _history(symbol: str, first: pd.Timestamp, settings: SourceSettings) -> tuple[pd.DataFrame, str]:
    """What yfinance makes of Yahoo's answer, and its currency."""
    import yfinance
    from yfinance.exceptions import YFRateLimitError, YFTickerMissingError

    # By the machine's clock, for Yahoo has divided by every split to this day. `end` is exclusive, in Seoul it may be
    # tomorrow already, and what yfinance takes for the past it answers from its own memory.
    beyond_today = pd.Timestamp.now("UTC") + 2 * DAY
    failure: Exception
    try:
        with _failures_raised():
            ticker = yfinance.Ticker(symbol)
            frame = ticker.history(
                start=f"{first:%Y-%m-%d}",
                end=f"{beyond_today:%Y-%m-%d}",
                interval="1d",
                auto_adjust=False,
                back_adjust=False,
                actions=True,
                repair=False,
                rounding=False,
                keepna=True,
                timeout=settings.read_timeout,
            )
            answer = frame, str(ticker.get_history_metadata()["currency"])
    except YFRateLimitError:
        failure = TransientError("limits its requests", limited=True)
    except YFTickerMissingError as error:
        failure = SourceError(f"Yahoo: {symbol}: got no prices: {error.rationale}")
    except OSError as error:  # What curl or a socket raises.
        failure = _unreached(error, symbol, settings)
    except json.JSONDecodeError:
        failure = TransientError("an error page, or cut off: no JSON")
    except Exception as error:
        failure = SourceError(
            f"Yahoo: {symbol}: got an answer that yfinance {yfinance.__version__} cannot read "
            f"({type(error).__name__}: {error}); try a newer yfinance"
        )
    else:
        return answer
    raise failure


@contextmanager
def _failures_raised() -> Iterator[None]:
    """Let yfinance raise what it would log and answer with an empty frame; what pandas holds against it is no news."""
    from yfinance.config import YfConfig

    hidden = YfConfig.debug.hide_exceptions
    YfConfig.debug.hide_exceptions = False
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="yfinance")
            yield
    finally:
        YfConfig.debug.hide_exceptions = hidden


def _unreached(error: OSError, symbol: str, settings: SourceSettings) -> Exception:
    code = getattr(error, "code", None)
    if code in _OUT_OF_REACH:
        return NoNetworkError("Yahoo: no network: it cannot be reached; connect and run it again")
    if code == _TIMED_OUT:
        return TransientError(f"no whole answer within {settings.read_timeout:g} s")
    return TransientError(f"the connection broke off ({type(error).__name__})")
