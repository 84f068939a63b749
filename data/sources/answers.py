"""What a source gives back: an answer, or an error that a person can read; and how the sources are asked."""

from dataclasses import dataclass

import pandas as pd


class SourceError(Exception):
    """A source did not give what was asked: one line that says what failed and why, without a secret.

    Attributes:
        retry_later: the same question may well be answered at another time.
    """

    def __init__(self, message: str, *, retry_later: bool = False) -> None:
        super().__init__(" ".join(message.split()))
        self.retry_later = retry_later


class NoNetworkError(SourceError):
    """The source's host cannot be reached at all: asking it for more would only take time."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retry_later=True)


class RateLimitError(SourceError):
    """The source does not want to be asked for now: asking it for more would make it worse."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retry_later=True)


class NotFoundError(SourceError):
    """The source answered that it does not have what was asked (HTTP 404)."""


@dataclass(frozen=True)
class SourceSettings:
    """How the sources are asked. Keys are none of it: they come from the environment, where they are used.

    Attributes:
        yahoo_url: of Yahoo's prices, to see whether there is a network; the addresses asked are yfinance's own.
        fred_graph_url: of FRED's download without a key.
        fred_api_url: of FRED's API, which wants a key.
        edgar_url: of the SEC's data API.
        connect_timeout: seconds, above 0, until a host that does not take the call counts as out of reach.
        read_timeout: seconds, above 0, that one answer may take in whole.
        attempts: at least 1; how often a question is put when the answer is 429, 5xx, too slow or cut off.
        pause: seconds, at least 0, before the second attempt, and up to as much again by chance; doubled each time.
        longest_wait: seconds; a host that asks to be left alone for longer is not asked again.
        yahoo_per_second: symbols asked of Yahoo a second, above 0.
        fred_per_second: requests to FRED a second, above 0.
        edgar_per_second: requests to the SEC a second, above 0; its limit is 10.
        user_agent: how we introduce ourselves.
    """

    yahoo_url: str = "https://query2.finance.yahoo.com"
    fred_graph_url: str = "https://fred.stlouisfed.org/graph/fredgraph.csv"
    fred_api_url: str = "https://api.stlouisfed.org/fred"
    edgar_url: str = "https://data.sec.gov"
    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    attempts: int = 3
    pause: float = 1.0
    longest_wait: float = 60.0
    yahoo_per_second: float = 1.0
    fred_per_second: float = 2.0
    edgar_per_second: float = 5.0
    user_agent: str = "reverse-qe (backtesting research)"


@dataclass(frozen=True)
class PriceAnswer:
    """Daily prices of one instrument, as they were traded.

    Attributes:
        symbol: the instrument.
        bars: rows by date: ``date`` (naive, of the exchange; for a coin the UTC day), ``open``, ``high``, ``low``,
            ``close`` in the currency and for the units of that day, NaN where the source has none, ``volume`` in
            units of that day.
        actions: rows by date and kind: ``date`` (ex-date), ``kind`` (``dividend`` | ``split``), ``value`` (currency
            per unit as quoted on that day | new units for an old one), ``known_at`` (UTC).
        fetched_at: UTC.
        notes: what a person should know, one line each.
    """

    symbol: str
    bars: pd.DataFrame
    actions: pd.DataFrame
    fetched_at: pd.Timestamp
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class SeriesAnswer:
    """Values of one macro series.

    Attributes:
        name: of the series.
        rows: sorted by date and ``known_at``: ``date`` (naive; what the value is about), ``value`` (in the catalogue's
            unit; NaN where the source has a blank), ``known_at`` (UTC). A date comes once, or, where the source tells
            of revisions, once for each value that it has had.
        fetched_at: UTC.
        notes: what a person should know, one line each.
    """

    name: str
    rows: pd.DataFrame
    fetched_at: pd.Timestamp
    notes: tuple[str, ...] = ()
