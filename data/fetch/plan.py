"""What a market lacks: what a source may have by now and the market does not hold."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Literal

import pandas as pd

from data.catalogue.catalogue import Catalogue, shipped_catalogue
from data.catalogue.filed import FILED_FIGURES, SHARES, filed_name
from data.catalogue.instruments import Instrument
from data.catalogue.publication import publication_times
from data.catalogue.series import SeriesEntry, series_entry
from data.clock import calendar_sessions
from data.errors import InputError
from data.market.manifest import FetchRecord
from data.market.snapshot import Snapshot

Source = Literal["yahoo", "fred", "edgar"]
SOURCES: tuple[Source, ...] = ("yahoo", "fred", "edgar")

# Days before the last one held that are asked again, to see whether the source still tells the same of them.
PRICES_AGAIN = pd.Timedelta(days=30)
SERIES_AGAIN = pd.Timedelta(days=120)
# The next quarter of a company has ended then; its results are out some weeks later.
_QUARTER = pd.Timedelta(days=92)
_RECENT = 60


@dataclass(frozen=True)
class Span:
    """Days to ask for, from `first` to `last` inclusive."""

    first: pd.Timestamp
    last: pd.Timestamp


@dataclass(frozen=True)
class Due:
    """What to ask for.

    Attributes:
        prices: days by symbol.
        series: the first day by series.
        companies: whose results.
        filings: instruments, whose companies' years.
        current: names of which everything is held that can be there by now.
    """

    prices: Mapping[str, Span]
    series: Mapping[str, pd.Timestamp]
    companies: tuple[str, ...]
    current: tuple[str, ...]
    filings: tuple[str, ...] = ()


def all_wanted(kept: FetchRecord, wanted: FetchRecord, catalogue: Catalogue | None = None) -> FetchRecord:
    """Add what is wanted to what a market keeps up to date.

    Args:
        kept: by the market.
        wanted: beside it.
        catalogue: default the shipped one.

    Raises:
        InputError: an instrument, series or company is not in its catalogue.
    """
    known = catalogue or shipped_catalogue()
    for symbol in (*wanted.symbols, *wanted.filings):
        known.instrument(symbol)
    for name in wanted.series:
        known.series_entry(name)
    for company in wanted.companies:
        known.company(company)
    return FetchRecord(
        symbols=tuple(sorted({*kept.symbols, *wanted.symbols})),
        series=tuple(sorted({*kept.series, *wanted.series})),
        companies=tuple(sorted({*kept.companies, *wanted.companies})),
        filings=tuple(sorted({*kept.filings, *wanted.filings})),
        start=kept.start if wanted.start is None else min(kept.first_day, wanted.start),
        answered=kept.answered,
    )


def with_filings(record: FetchRecord, symbols: Collection[str], catalogue: Catalogue) -> FetchRecord:
    """Want the years of every stock of the US that a market wants, or that is among some symbols.

    Raises:
        InputError: it wants none.
    """
    names = {*record.symbols, *symbols}
    stocks = [symbol for symbol in names if catalogue.instrument(symbol).asset_class == "us_stock"]
    if not stocks:
        raise InputError("got --filings, wanted a stock of the US among the instruments; name one with --symbols")
    return record.model_copy(update={"filings": tuple(sorted({*record.filings, *stocks}))})


def what_is_due(
    market: Snapshot,
    record: FetchRecord,
    now: pd.Timestamp,
    sources: Collection[Source],
    anew: bool,
    catalogue: Catalogue,
) -> Due:
    """What to ask of some sources.

    Args:
        market: what is held.
        record: what is wanted.
        now: UTC.
        sources: that will be asked.
        anew: ask for prices and series from the first day that is wanted on, whatever is held.
        catalogue: entries of all that is wanted.
    """
    symbols = record.symbols if "yahoo" in sources else ()
    names = record.series if "fred" in sources else ()
    companies = record.companies if "edgar" in sources else ()
    filings = record.filings if "edgar" in sources else ()
    first, held = record.first_day, market.series
    prices = {
        symbol: prices_due(
            catalogue.instrument(symbol),
            market.bars_of(symbol),
            now,
            first,
            anew or volumes_are_unknown(market, symbol, catalogue.instrument(symbol)),
        )
        for symbol in symbols
    }
    series = {
        name: series_due(name, held[held["series"] == name], now, first, anew, catalogue.series) for name in names
    }
    results = {name: company_due(name, market.capex_actuals, now) for name in companies}
    years = {filings_text(name): filings_due(name, held, now) for name in filings}
    return Due(
        prices={symbol: span for symbol, span in prices.items() if span is not None},
        series={name: day for name, day in series.items() if day is not None},
        companies=tuple(name for name, is_due in results.items() if is_due),
        current=tuple(name for each in (prices, series, results, years) for name, answer in each.items() if not answer),
        filings=tuple(name for name in filings if years[filings_text(name)]),
    )


def prices_due(
    instrument: Instrument, held: pd.DataFrame, now: pd.Timestamp, start: date, anew: bool = False
) -> Span | None:
    """Which days of an instrument to ask for; None where every day that is over is held.

    A day is over when its UTC day is, as the decision at 00:00 UTC has it; no bar of a day that goes on is asked for.

    Args:
        instrument: its entry.
        held: its bars, by date.
        now: UTC.
        start: first day that is wanted.
        anew: ask for every day from `start` on, whatever is held.
    """
    first = pd.Timestamp(max(start, instrument.listed))
    last = _last_session(instrument.calendar, now.tz_convert(None).normalize())
    if held.empty or anew:
        return Span(first, last) if first <= last else None
    if held["date"].iloc[-1] >= last:
        return None
    return Span(max(held["date"].iloc[0], held["date"].iloc[-1] - PRICES_AGAIN), last)


def series_due(
    name: str,
    held: pd.DataFrame,
    now: pd.Timestamp,
    start: date,
    anew: bool = False,
    catalogue: Mapping[str, SeriesEntry] | None = None,
) -> pd.Timestamp | None:
    """From which date to ask for a series; None where, by its publication rule, nothing more is public yet.

    Args:
        name: of the series.
        held: its rows, by date.
        now: UTC.
        start: first day that is wanted.
        anew: ask for every day from `start` on, whatever is held.
        catalogue: entries by name; default the shipped ones.
    """
    if held.empty or anew:
        return pd.Timestamp(start)
    following = pd.DatetimeIndex([_following_date(pd.DatetimeIndex(held["date"].unique()))])
    if publication_times(following, series_entry(name, catalogue).publication)[0] > now:
        return None
    first, last = held["date"].iloc[0], held["date"].iloc[-1]
    return pd.Timestamp(max(first, last - SERIES_AGAIN))


def company_due(company: str, held: pd.DataFrame, now: pd.Timestamp) -> bool:
    """Whether the quarter after the newest one held of a company is over.

    Args:
        company: by its ticker.
        held: `data.market.tables.CAPEX`.
        now: UTC.
    """
    ends = held.loc[held["company"] == company, "period_end"]
    return bool(ends.empty or ends.max() + _QUARTER < now.tz_convert(None))


def filings_due(symbol: str, held: pd.DataFrame, now: pd.Timestamp) -> bool:
    """Whether the quarter after the newest one that filings have told of is over.

    Args:
        symbol: of the instrument.
        held: `data.market.tables.SERIES`.
        now: UTC.
    """
    names = [filed_name(symbol, figure) for figure in FILED_FIGURES if figure != SHARES]  # Counted weeks later.
    ends = held.loc[held["series"].isin(names), "date"]
    return bool(ends.empty or ends.max() + _QUARTER < now.tz_convert(None))


def filings_text(symbol: str) -> str:
    """How the years of a company are called beside its instrument."""
    return f"{symbol} filings"


def by_span(due: Mapping[str, Span]) -> dict[Span, list[str]]:
    """Names by the days to ask for, so that those of one span can be asked for together."""
    spans: dict[Span, list[str]] = {}
    for name, span in due.items():
        spans.setdefault(span, []).append(name)
    return spans


def lacking(record: FetchRecord, market: Snapshot) -> tuple[str, ...]:
    """Names that are wanted and of which the market holds no row."""
    tables = (
        (record.symbols, market.bars["symbol"]),
        (record.series, market.series["series"]),
        (record.companies, market.capex_actuals["company"]),
    )
    absent = [name for names, held in tables for name in names if name not in set(held.unique())]
    told = {name.rpartition(".")[0] for name in market.series["series"].unique()}
    return (*absent, *(filings_text(symbol) for symbol in record.filings if symbol not in told))


def volumes_are_unknown(market: Snapshot, symbol: str, entry: Instrument) -> bool:
    """Whether the market holds volumes of a coin in a unit that it does not tell: one from before units were kept."""
    units = market.bar_units.get(symbol)
    return entry.is_crypto and symbol in market.instruments and (units is None or units.volume is None)


@cache
def _last_session(calendar: str, today: pd.Timestamp) -> pd.Timestamp:
    """The last session of a UTC day that is over; no exchange rests for a month."""
    yesterday = today - pd.Timedelta(days=1)
    return calendar_sessions(calendar, yesterday - pd.Timedelta(days=30), yesterday)[-1]


def _following_date(dates: pd.DatetimeIndex) -> pd.Timestamp:
    """The date on which a series' next observation should be, as its recent ones lie: by day, by weekday, by week."""
    recent = dates[-_RECENT:]
    steps = recent[1:] - recent[:-1]
    following = recent[-1] + (steps.to_series().median().ceil("D") if len(steps) else pd.Timedelta(days=1))
    # Too few of them may lack a weekday by chance.
    while len(recent) == _RECENT and following.day_of_week not in set(recent.day_of_week):
        following += pd.Timedelta(days=1)
    return following
