"""Entries for instruments that no catalogue knows, from the days of their files; nothing else is guessed."""

from pathlib import Path

import pandas as pd

from data.catalogue.instruments import ALWAYS_OPEN, AssetClass
from data.catalogue.own import US_EXCHANGES, OwnInstrument, Proposal, is_name
from data.catalogue.unknown import unknown_name
from data.clock import calendar_sessions
from data.errors import InputError
from data.importing.csv_files import read_prices
from data.importing.listing import blamed

# Weekdays on which New York rests, of all in the file, that tell its calendar from that of another exchange.
_HOLIDAYS = 3
_MISSING_SHARE = 0.01
_SATURDAY = 5
_USD = ("-USD", "USD")


def proposed_from_file(symbol: str, path: Path) -> Proposal:
    """The entry that a file of prices comes to.

    Its first day is that of the listing. Days that are sessions of New York, holidays left out and all, are those of a
    US stock, in US dollars; days of every week's end those of a coin, whose currency its name tells.

    Args:
        symbol: of no catalogue.
        path: of its prices, see `data.importing.csv_files.read_prices`.

    Raises:
        InputError: the name is none, the file has a fault, or its days tell no exchange.
    """
    with blamed(path):
        if not is_name(symbol):
            raise unknown_name("instrument", symbol)
    days = pd.DatetimeIndex(read_prices(path)["date"])
    asset_class, calendar, quantum = _told(symbol, path, days)
    entry = OwnInstrument(
        name=symbol,
        currency="USD",
        calendar=calendar,
        asset_class=asset_class,
        listed=days[0].date(),
        quantum=quantum,
    )
    kind = "weekends among them" if asset_class == "crypto" else f"sessions of {calendar}; of a fund, write us_etf"
    return Proposal("instruments", symbol, entry, f"from {path.name}: {len(days)} days, {kind}")


def _told(symbol: str, path: Path, days: pd.DatetimeIndex) -> tuple[AssetClass, str, float]:
    every_day = pd.date_range(days[0], days[-1])
    if (days.day_of_week >= _SATURDAY).sum() > len(every_day) / 7 and symbol.endswith(_USD):
        return "crypto", ALWAYS_OPEN, 1e-8
    sessions = calendar_sessions(US_EXCHANGES, days[0], days[-1])
    holidays = every_day[every_day.day_of_week < _SATURDAY].difference(sessions)
    missing = len(sessions.difference(days))
    if len(holidays) >= _HOLIDAYS and not len(days.difference(sessions)) and missing <= _MISSING_SHARE * len(sessions):
        return "us_stock", US_EXCHANGES, 1e-6
    raise InputError(
        f"{path}: got days from {days[0].date()} to {days[-1].date()} that do not tell the exchange, wanted those of "
        f"{US_EXCHANGES} with {_HOLIDAYS} of its holidays between them, or of a coin in US dollars; "
        f"{unknown_name('instrument', symbol)}"
    )
