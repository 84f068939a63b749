"""What Yahoo's chart API tells of one instrument: an answer as JSON to a table of days, with its dividends and splits.

Its prices are numbers of single precision, written out in full: 269.7 stands there as 269.70001220703125. What is given
back is the shortest decimal number that single precision tells from its neighbours, which is the one that was quoted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from data.files.plain_text import printable
from data.net.errors import SourceError

PRICES = {"Open": "open", "High": "high", "Low": "low", "Close": "close"}
ACTIONS = {"Dividends": "dividends", "Capital Gains": "capitalGains", "Stock Splits": "splits"}
COLUMNS = (*PRICES, "Adj Close", "Volume", *ACTIONS)

# What reading an answer can raise where something stands in it that is not what stands there: the last two come of
# numbers that are no days and of zones that are no names of files.
_OF_ANOTHER_FORM = (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, OSError)

# Days of some exchanges begin, after a change of clocks, an hour or two before midnight.
_BEFORE_MIDNIGHT = pd.Timedelta(hours=2)


@dataclass(frozen=True)
class Chart:
    """One answer.

    Attributes:
        days: by naive date of the exchange, ascending, each once: `COLUMNS`, as Yahoo has them today, divided by every
            later split. Prices and volume are NaN on a day that has an action alone; without an action it is 0.
        currency: of prices and dividends, as in ``USD`` and ``GBp``.
        kind: of instrument, in Yahoo's words: EQUITY, ETF, MUTUALFUND, CRYPTOCURRENCY, ...
        exchange: its name.
        venue: its short name at Yahoo.
        zone: its time zone.
        first_trade: day of the first bar that Yahoo has of it; None where it does not say.
        name: of the instrument; blank where it does not say.
    """

    days: pd.DataFrame
    currency: str
    kind: str
    exchange: str
    venue: str
    zone: str
    first_trade: date | None
    name: str


def read_chart(symbol: str, answer: Any) -> Chart:
    """Read an answer.

    Args:
        symbol: that was asked for.
        answer: what its JSON holds.

    Raises:
        SourceError: it is of another form, tells no currency, or a dividend in another one.
    """
    try:
        [result] = answer["chart"]["result"]
        meta = result["meta"]
        currency, zone = meta["currency"], meta["exchangeTimezoneName"]
        if not currency:
            raise SourceError(
                f"Yahoo: {symbol}: got no prices: it is {meta.get('instrumentType')} on {meta.get('exchangeName')} "
                "there, without a currency; is the symbol right?"
            )
        days = _days(symbol, result, ZoneInfo(zone), currency)
        first = meta.get("firstTradeDate")
        first_trade = None if first is None else _dates([first], ZoneInfo(zone))[0].date()
    except _OF_ANOTHER_FORM as error:
        raise SourceError(
            f"Yahoo: {symbol}: got an answer of another form ({type(error).__name__}: {printable(str(error)[:200])}); "
            "its chart API has changed"
        ) from None
    return Chart(
        days=days,
        currency=str(currency),
        kind=str(meta.get("instrumentType", "")),
        exchange=str(meta.get("fullExchangeName") or meta.get("exchangeName", "")),
        venue=str(meta.get("exchangeName", "")),
        zone=str(zone),
        first_trade=first_trade,
        name=str(meta.get("longName") or meta.get("shortName") or ""),
    )


def decimal(values: np.ndarray) -> np.ndarray:
    """The shortest decimal numbers that single precision tells apart; what is of higher precision stays as it is.

    Args:
        values: shape (n,); NaN stays NaN.
    """
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    shortest: np.ndarray = np.where(single == values, single.astype(str).astype(float), values)
    return shortest


def _days(symbol: str, result: Mapping[str, Any], zone: ZoneInfo, currency: str) -> pd.DataFrame:
    quote = result["indicators"]["quote"][0]
    stamps = result["timestamp"] if quote else []  # An answer without a day has no columns either.
    columns = {ours: quote[theirs] if stamps else [] for ours, theirs in PRICES.items()}
    columns["Adj Close"] = _adjusted(result, columns["Close"]) if stamps else []
    columns["Volume"] = quote["volume"] if stamps else []
    bars = pd.DataFrame(columns, index=_dates(stamps, zone), dtype=float)
    for name in (*PRICES, "Adj Close"):
        bars[name] = decimal(bars[name].to_numpy())
    # The day that goes on, or just ended, may come a second time, with the moment of its last trade.
    bars = bars[~bars.index.duplicated(keep="last")]
    events = {ours: _events(symbol, result, theirs, zone, currency) for ours, theirs in ACTIONS.items()}
    return bars.join(pd.DataFrame(events), how="outer").fillna(dict.fromkeys(ACTIONS, 0.0)).rename_axis("date")


def _adjusted(result: Mapping[str, Any], closes: Any) -> Any:
    """Of what pays nothing, such as a currency, there may be none."""
    adjusted = result["indicators"].get("adjclose")
    return adjusted[0]["adjclose"] if adjusted else closes


def _events(symbol: str, result: Mapping[str, Any], kind: str, zone: ZoneInfo, currency: str) -> pd.Series:
    """What happened, by day; two of a kind on one day add up, two splits multiply."""
    rows = list(((result.get("events") or {}).get(kind) or {}).values())
    days = _dates([row["date"] for row in rows], zone)
    if kind == "splits":
        ratios = pd.Series(
            [float(row["numerator"]) / float(row["denominator"]) for row in rows], index=days, dtype=float
        )
        return ratios.groupby(level=0).prod()
    for row in rows:
        if row.get("currency") not in (None, "", currency):
            raise SourceError(
                f"Yahoo: {symbol}: got a payment in {row['currency']}, wanted {currency}, as its prices are; import it "
                "from files"
            )
    return pd.Series([float(row["amount"]) for row in rows], index=days, dtype=float).groupby(level=0).sum()


def _dates(stamps: list[int], zone: ZoneInfo) -> pd.DatetimeIndex:
    """The naive dates of the exchange on which moments, in seconds since 1970, lie."""
    clock = (
        pd.to_datetime(pd.Series(stamps, dtype="int64"), unit="s", utc=True).dt.tz_convert(zone).dt.tz_localize(None)
    )
    midnight = clock + _BEFORE_MIDNIGHT
    on_the_hour = (clock.dt.minute == 0) & (clock.dt.second == 0)
    return pd.DatetimeIndex(clock.mask(on_the_hour, midnight).dt.normalize()).as_unit("us")
