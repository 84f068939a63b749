"""Entries of one's own, as a spec names them: what no shipped catalogue knows, checked before anything is asked."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_serializer, model_validator

from data.catalogue.companies import Company
from data.catalogue.instruments import ALWAYS_OPEN, Instrument
from data.catalogue.series import SeriesEntry
from data.clock import calendar_names
from data.files.plain_text import printable

MOST_ENTRIES = 5_000
"""Entries of one kind that a spec may name."""

US_EXCHANGES = "XNYS"
US_CLASSES = ("us_stock", "us_etf")
# Hundredths of a currency that sources tell prices in, by the currency.
SUBUNITS = {"GBp": "GBP", "GBX": "GBP", "ZAc": "ZAR", "ZAC": "ZAR", "ILA": "ILS", "KWF": "KWD"}

_TICKER = re.compile(r"[A-Za-z0-9^][A-Za-z0-9.^=_-]{0,31}")
_TAG = re.compile(r"[A-Za-z][A-Za-z0-9]{0,149}")
_UNIT = re.compile(r"[a-z][a-z0-9_]{0,39}")
_FIRST_LISTED, _LAST_LISTED = date(1800, 1, 1), date(2100, 12, 31)


def is_name(text: str) -> bool:
    """Whether a text can name an instrument, series or company: a file, a part of an address and a column too."""
    return _TICKER.fullmatch(text) is not None and not text.endswith(".")


def _name(text: str) -> str:
    if not is_name(text):
        raise ValueError(
            f"got the name {text[:40]!r}, wanted 1 to 32 letters, digits, dots, dashes, underscores, ^ and =, "
            "beginning with a letter, a digit or ^"
        )
    return text


def _words(text: str) -> str:
    if not text.strip() or printable(text) != text:
        raise ValueError(f"got {text[:40]!r}, wanted one line of words")
    return text


def _tag(text: str) -> str:
    if not _TAG.fullmatch(text):
        raise ValueError(f"got {text[:40]!r}, wanted a us-gaap tag such as PaymentsToAcquirePropertyPlantAndEquipment")
    return text


def _unit(text: str) -> str:
    if not _UNIT.fullmatch(text):
        raise ValueError(f"got {text[:40]!r}, wanted a unit such as percent, usd_millions, usd_billions or index")
    return text


def _currency(text: str) -> str:
    if text in SUBUNITS:
        raise ValueError(
            f"got {text}, hundredths of {SUBUNITS[text]}, which no entry can express; import the prices in "
            f"{SUBUNITS[text]} from files"
        )
    if not re.fullmatch(r"[A-Z]{3,5}", text):
        raise ValueError(f"got {text[:40]!r}, wanted an ISO code such as USD, or the symbol of a coin such as USDT")
    return text


def _calendar(text: str) -> str:
    if text in (US_EXCHANGES, ALWAYS_OPEN):
        return text
    known = calendar_names()
    if known.get(text) != text:
        wanted = known.get(text) or f"one of exchange_calendars: {', '.join(dict.fromkeys(known.values()))}"
        raise ValueError(f"got the exchange calendar {text[:40]!r}, wanted {wanted}")
    return text


Name = Annotated[str, AfterValidator(_name)]
Words = Annotated[str, Field(max_length=200), AfterValidator(_words)]
Tag = Annotated[str, AfterValidator(_tag)]
_FROZEN = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _ascending(bounds: tuple[float, float] | None) -> tuple[float, float] | None:
    if bounds is not None and not bounds[0] < bounds[1]:
        raise ValueError(f"got {bounds[0]:g} and {bounds[1]:g}, wanted the smallest and then the largest")
    return bounds


Bounds = Annotated[tuple[float, float] | None, AfterValidator(_ascending)]


class OwnInstrument(Instrument):
    """An instrument of a user's own.

    Attributes:
        name: for people.
        currency: of its prices, ISO code or coin symbol. Only US dollars can be traded.
        calendar: name of its exchange calendar in exchange_calendars (``XNYS`` for all exchanges of the US, ``24/7``
            for coins).
        asset_class: ``us_stock``, ``us_etf``, ``crypto`` or ``foreign_stock``; it decides costs and the moment of the
            fill. The last can be imported and shown, not traded.
        listed: first day of regular trading; it is not traded, nor are its prices used, before.
        quantum: smallest tradable unit, above 0.
        second_source: symbol under which another source gives prices of the same thing, to compare them.
        volume_in: in what files of this symbol tell its volume: ``units``, or ``usd``, as Yahoo does of every coin.
        turnover: smallest and largest plausible turnover of its usual day, in its currency.
    """

    model_config = _FROZEN

    name: Words
    currency: Annotated[str, AfterValidator(_currency)]
    calendar: Annotated[str, AfterValidator(_calendar)]
    quantum: float = Field(gt=0, le=1e6)
    second_source: Name | None = None
    volume_in: Literal["units", "usd"] = "units"
    turnover: Bounds = None

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if not _FIRST_LISTED <= self.listed <= _LAST_LISTED:
            raise ValueError(f"got listed {self.listed}, wanted a day from {_FIRST_LISTED} to {_LAST_LISTED}")
        is_us = self.asset_class in US_CLASSES
        if is_us and (self.calendar, self.currency) != (US_EXCHANGES, "USD"):
            raise ValueError(
                f"got {self.asset_class} in {self.currency} on {self.calendar}, wanted USD on {US_EXCHANGES}; what "
                "trades elsewhere is a foreign_stock"
            )
        if self.is_crypto != (self.calendar == ALWAYS_OPEN):
            raise ValueError(
                f"got {self.asset_class} on {self.calendar}, wanted crypto on {ALWAYS_OPEN}, or neither of the two"
            )
        if self.asset_class == "foreign_stock" and self.calendar == US_EXCHANGES:
            raise ValueError(f"got foreign_stock on {US_EXCHANGES}, wanted us_stock or us_etf")
        return self

    def kept(self) -> Instrument:
        """What a snapshot keeps of it."""
        return Instrument.model_construct(**{name: getattr(self, name) for name in Instrument.model_fields})


class OwnSeries(SeriesEntry):
    """A series of a user's own.

    Attributes:
        unit: of the values, as published (``percent``, ``usd_millions``, ``usd_billions``, ``index``).
        meaning: one line for people.
        publication: the rule by which its values become known, of those that the shipped series follow. No source tells
            it, and a wrong one is a look-ahead: take one that is late rather than early.
        stale_after_days: calendar days from the observation date to the decision after which a value is too old to use.
        source: who publishes it.
        revised: whether values once published are changed as a matter of course.
        at_fred: whether FRED has it, and a fetch can ask for it there.
        range: smallest and largest plausible value.
    """

    model_config = _FROZEN

    unit: Annotated[str, AfterValidator(_unit)]
    meaning: Words
    stale_after_days: int = Field(gt=0, le=3_660)
    source: Words
    range: Bounds = None

    def kept(self) -> SeriesEntry:
        """What a snapshot keeps of it."""
        return SeriesEntry.model_construct(**{name: getattr(self, name) for name in SeriesEntry.model_fields})


class OwnCompany(Company):
    """A company of a user's own.

    Attributes:
        name: for people.
        cik: Central Index Key, its number at the SEC.
        fiscal_year_end_month: in which its fiscal year ends, 1 to 12.
        capex_tags: us-gaap tags of cash paid for property and equipment, the one that holds first.
        ocf_tags: us-gaap tags of operating cash flow, likewise.
        release_has_cash_flow: whether its earnings release shows both figures. Else they are known from the filing.
    """

    model_config = _FROZEN

    name: Words
    capex_tags: tuple[Tag, ...] = Field(min_length=1, max_length=10)
    ocf_tags: tuple[Tag, ...] = Field(default=Company.model_fields["ocf_tags"].default, min_length=1, max_length=10)

    def kept(self) -> Company:
        """What a snapshot keeps of it."""
        return Company.model_construct(**{name: getattr(self, name) for name in Company.model_fields})


@dataclass(frozen=True)
class Proposal:
    """An entry that was made of what a source tells.

    Attributes:
        kind: of entry, as a spec names it.
        name: of what it is about.
        entry: of it.
        source: where it comes from, for people.
    """

    kind: Literal["instruments", "companies"]
    name: str
    entry: OwnInstrument | OwnCompany
    source: str


class OwnCatalogue(BaseModel):
    """Instruments, series and companies that the shipped catalogues do not know, by name.

    Attributes:
        instruments: by symbol, as Yahoo and files of prices name them.
        series: by name, as FRED and files of series name them.
        companies: by symbol.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    instruments: dict[Name, OwnInstrument] = Field(default={}, max_length=MOST_ENTRIES)
    series: dict[Name, OwnSeries] = Field(default={}, max_length=MOST_ENTRIES)
    companies: dict[Name, OwnCompany] = Field(default={}, max_length=MOST_ENTRIES)

    @model_validator(mode="after")
    def _name_each_thing_once(self) -> Self:
        for names in (self.instruments, self.series, self.companies):
            _require_other_letters(names)
        if both := sorted({*self.instruments} & {*self.series}):
            raise ValueError(f"got {both[0]} as an instrument and as a series, wanted one of them; take one out")
        return self

    @model_serializer(mode="plain")
    def _in_order(self) -> dict[str, dict[str, dict[str, object]]]:
        """Sorted, and without what is not said: the order in which entries were written changes no run."""
        kinds: dict[str, Mapping[str, BaseModel]] = {
            "instruments": self.instruments,
            "series": self.series,
            "companies": self.companies,
        }
        return {
            kind: {
                name: entry.model_dump(mode="json", exclude_defaults=True) for name, entry in sorted(entries.items())
            }
            for kind, entries in kinds.items()
            if entries
        }

    def with_proposed(self, proposed: Iterable[Proposal]) -> Self:
        """The same with further entries."""
        kinds: dict[str, dict[str, BaseModel]] = {
            "instruments": {**self.instruments},
            "companies": {**self.companies},
        }
        for each in proposed:
            kinds[each.kind][each.name] = each.entry
        return self.model_copy(update=kinds)

    def __bool__(self) -> bool:
        """Whether it has an entry."""
        return bool(self.instruments or self.series or self.companies)


def _require_other_letters(names: Mapping[str, object]) -> None:
    """Refuse two names that a file system may take for one."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            raise ValueError(f"got {other} and {name}, wanted names that differ in more than capitals; take one out")
