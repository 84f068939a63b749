"""What a source gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from data.market.tables import ACTIONS_ASIDE


@dataclass(frozen=True)
class PriceAnswer:
    """Daily prices of one instrument, as they were traded.

    Attributes:
        symbol: the instrument.
        bars: rows by date: ``date`` (naive, of the exchange; for a coin the UTC day), ``open``, ``high``, ``low``,
            ``close`` in the currency and for the units of that day, NaN where the source has none, ``volume`` in
            units of that day.
        actions: rows by date and kind: ``date`` (ex-date), ``kind`` (``dividend`` | ``capital_gain`` | ``split``),
            ``value`` (currency per unit as quoted on that day | new units for an old one), ``known_at`` (UTC).
        missing: sessions of its exchange, of the days that were asked for, without a bar: naive dates. One answer alone
            does not tell a hole from a closing that the calendar does not know.
        notes: what a person should know, one line each.
        aside: rows like those of `actions` that the source's own adjusted close denies, with a column ``reason``.
    """

    symbol: str
    bars: pd.DataFrame
    actions: pd.DataFrame
    missing: pd.DatetimeIndex = field(default_factory=lambda: pd.DatetimeIndex([]))
    notes: tuple[str, ...] = ()
    aside: pd.DataFrame = field(default_factory=ACTIONS_ASIDE.empty)


@dataclass(frozen=True)
class Listing:
    """What a source tells of an instrument itself.

    Attributes:
        symbol: as it was asked for.
        name: for people; blank where the source has none.
        kind: in the source's words: EQUITY, ETF, CRYPTOCURRENCY, INDEX, ...
        currency: of its prices, in the source's words.
        venue: the exchange, in the source's short word for it.
        exchange: its name.
        first_bar: day of the first bar that there is; None where the source does not say.
    """

    symbol: str
    name: str
    kind: str
    currency: str
    venue: str
    exchange: str
    first_bar: date | None


@dataclass(frozen=True)
class Profile:
    """What a source tells of a company itself.

    Attributes:
        company: its ticker, as it was asked for.
        name: for people.
        cik: its number at the SEC.
        fiscal_year_end_month: in which its fiscal year ends.
        capex_tags: us-gaap tags of its purchases of property and equipment, the one with the newest figure first.
    """

    company: str
    name: str
    cik: int
    fiscal_year_end_month: int
    capex_tags: tuple[str, ...]


@dataclass(frozen=True)
class SeriesAnswer:
    """Values of one macro series.

    Attributes:
        name: of the series.
        rows: sorted by date and ``known_at``: ``date`` (naive; what the value is about), ``value`` (in the catalogue's
            unit; NaN where the source has a blank), ``known_at`` (UTC). A date comes once, or, where the source tells
            of revisions, once for each value that it has had.
        notes: what a person should know, one line each.
    """

    name: str
    rows: pd.DataFrame
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class FilingsAnswer:
    """The years of the company behind an instrument.

    Attributes:
        symbol: of the instrument.
        series: by name, those that its filings tell; none for a foreign filer.
        notes: what a person should know, one line each.
    """

    symbol: str
    series: Mapping[str, SeriesAnswer]
    notes: tuple[str, ...] = ()
