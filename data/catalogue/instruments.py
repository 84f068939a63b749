"""The catalogue of instruments: currency, exchange calendar, asset class, listing date and quantum of each."""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from data.catalogue.series import CATALOGUE_DIR, read_catalogue
from data.catalogue.unknown import unknown_name
from data.errors import InputError

INSTRUMENTS_FILE = CATALOGUE_DIR / "instruments.toml"
ALWAYS_OPEN = "24/7"  # the calendar of coins: each day is a session

AssetClass = Literal["us_stock", "us_etf", "crypto", "foreign_stock"]


class Instrument(BaseModel):
    """What one instrument is.

    Attributes:
        name: for people.
        currency: of its prices, ISO code or coin symbol. Only US dollars can be traded.
        calendar: name of its exchange calendar in exchange_calendars (``24/7`` for coins).
        asset_class: decides costs and the moment of the fill.
        listed: first day of regular trading; it is not traded, nor are its prices used, before.
        quantum: smallest tradable unit.
        second_source: symbol under which another source gives prices of the same thing, to compare them.
        volume_in: in what files of this symbol tell its volume: ``units``, or ``usd``, as Yahoo does of every coin
            and the files that come from it.
        turnover: smallest and largest plausible turnover of its usual day, in its currency, where it is narrower than
            that of the asset class (`data.catalogue.ranges`).

    The last three judge what comes and shape nothing that is kept: they are read from the catalogue alone, and are no
    part of a snapshot.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    currency: str
    calendar: str
    asset_class: AssetClass
    listed: date
    quantum: float = Field(gt=0)
    second_source: str | None = Field(default=None, exclude=True)
    volume_in: Literal["units", "usd"] = Field(default="units", exclude=True)
    turnover: tuple[float, float] | None = Field(default=None, exclude=True)

    @property
    def is_crypto(self) -> bool:
        """Whether it trades around the clock, in UTC days."""
        return self.asset_class == "crypto"


@cache
def instrument_catalogue() -> Mapping[str, Instrument]:
    """Return the shipped catalogue, by symbol."""
    return read_catalogue(INSTRUMENTS_FILE, Instrument)


def instrument_entry(symbol: str, catalogue: Mapping[str, Instrument] | None = None) -> Instrument:
    """Return the entry of one symbol, by default a shipped one; `InputError` with what to add where there is none."""
    entries = instrument_catalogue() if catalogue is None else catalogue
    if symbol not in entries:
        raise unknown_name("instrument", symbol)
    return entries[symbol]


def require_us_dollars(symbols: Iterable[str], catalogue: Mapping[str, Instrument]) -> None:
    """Refuse, in one line, to trade what is not priced in US dollars, or not on an exchange of the US."""
    foreign = [f"{symbol} ({catalogue[symbol].currency})" for symbol in symbols if catalogue[symbol].currency != "USD"]
    if foreign:
        raise InputError(
            f"the spec trades {', '.join(foreign)}: got a price that is not in US dollars, wanted USD; "
            "take it out of the spec (its prices can be imported and shown)"
        )
    abroad = [
        f"{symbol} ({catalogue[symbol].calendar})"
        for symbol in symbols
        if catalogue[symbol].asset_class == "foreign_stock"
    ]
    if abroad:
        raise InputError(
            f"the spec trades {', '.join(abroad)}: got a stock of an exchange abroad, wanted one of the US or a coin; "
            "take it out of the spec (its prices can be imported and shown)"
        )
