"""What is known of instruments, series and companies: shipped, kept by a market, or named by a spec.

What shaped the data of a market (currency, calendar, publication rule, ...) is what the market keeps, for ever. What
judges them (when a value is stale, what is plausible) is today's: the spec's, else what is shipped.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar

from pydantic import BaseModel

from data.catalogue.companies import Company, company_catalogue, company_entry
from data.catalogue.instruments import Instrument, instrument_catalogue, instrument_entry
from data.catalogue.own import OwnCatalogue
from data.catalogue.series import SeriesEntry, series_catalogue, series_entry
from data.errors import InputError

Entry = TypeVar("Entry", bound=BaseModel)

SHAPING: Mapping[type[BaseModel], tuple[str, ...]] = {
    Instrument: ("currency", "calendar", "asset_class", "listed", "quantum"),
    SeriesEntry: ("unit", "publication", "revised"),
    Company: ("cik", "fiscal_year_end_month", "capex_tags", "ocf_tags", "release_has_cash_flow"),
}
"""By kind of entry, what data were made by: no later entry can change it."""

JUDGING: Mapping[type[BaseModel], tuple[str, ...]] = {
    Instrument: ("second_source", "volume_in", "turnover"),
    SeriesEntry: ("stale_after_days", "range"),
    Company: (),
}
"""By kind of entry, what data are judged by. What is in neither is for people, or says where to ask."""


@dataclass(frozen=True)
class Catalogue:
    """Entries by name.

    Attributes:
        instruments: by symbol.
        series: by name.
        companies: by symbol.
    """

    instruments: Mapping[str, Instrument] = field(default_factory=dict)
    series: Mapping[str, SeriesEntry] = field(default_factory=dict)
    companies: Mapping[str, Company] = field(default_factory=dict)

    def instrument(self, symbol: str) -> Instrument:
        """Return the entry of an instrument; `InputError` where there is none."""
        return instrument_entry(symbol, self.instruments)

    def series_entry(self, name: str) -> SeriesEntry:
        """Return the entry of a series; `InputError` where there is none."""
        return series_entry(name, self.series)

    def company(self, symbol: str) -> Company:
        """Return the entry of a company; `InputError` where there is none."""
        return company_entry(symbol, self.companies)

    def kinds(self) -> Iterator[tuple[str, Mapping[str, BaseModel]]]:
        """The entries of each kind, with the name that it has in a spec."""
        yield from (("instruments", self.instruments), ("series", self.series), ("companies", self.companies))


@cache
def shipped_catalogue() -> Catalogue:
    """Return all that is shipped."""
    return Catalogue(instrument_catalogue(), series_catalogue(), company_catalogue())


def catalogue_of(kept: Catalogue, own: OwnCatalogue | None = None) -> Catalogue:
    """Return what holds for a market: what it keeps, judged by today's entries, and beside it all others there are.

    Args:
        kept: by the market.
        own: of the spec.

    Raises:
        InputError: the spec contradicts the market, or what is shipped.
    """
    spec, shipped = own_entries(own), shipped_catalogue()
    require_agreement(spec, kept)
    return Catalogue(
        _over(kept.instruments, spec.instruments, shipped.instruments, Instrument),
        _over(kept.series, spec.series, shipped.series, SeriesEntry),
        _over(kept.companies, spec.companies, shipped.companies, Company),
    )


def own_entries(own: OwnCatalogue | None) -> Catalogue:
    """The entries of a spec, as a snapshot keeps them."""
    if own is None:
        return Catalogue()
    return Catalogue(
        {name: entry.kept() for name, entry in own.instruments.items()},
        {name: entry.kept() for name, entry in own.series.items()},
        {name: entry.kept() for name, entry in own.companies.items()},
    )


def require_agreement(spec: Catalogue, kept: Catalogue) -> None:
    """Refuse a spec whose entries contradict the market or what is shipped.

    An entry with which the market was made stays right where a later version of the program ships another one.

    Raises:
        InputError: the first entry that does, its key, what was got and wanted.
    """
    shipped = shipped_catalogue()
    for (kind, ours), (_, held), (_, known) in zip(spec.kinds(), kept.kinds(), shipped.kinds(), strict=True):
        for name, entry in ours.items():
            key = f"catalogue.{kind}.{name}"
            if name in held and (found := _differing(entry, held[name], SHAPING)):
                raise InputError(
                    f"{key}.{found}: got {_text(entry, found)}, but the market was made with "
                    f"{_text(held[name], found)}; put it back, or make another market of the new entry"
                )
            other = next((each for each in known if each.casefold() == name.casefold()), name)
            if other != name:
                raise InputError(f"{key}: got {name}, which is shipped as {other}; name that, and take the entry out")
            if name in known and name not in held:
                found = _differing(entry, known[name], SHAPING) or _differing(entry, known[name], JUDGING)
                if found:
                    raise InputError(
                        f"{key}.{found}: got {_text(entry, found)}, but the shipped entry says "
                        f"{_text(known[name], found)}; take the entry of {name} out of the spec"
                    )
        across = shipped.series if kind == "instruments" else shipped.instruments if kind == "series" else {}
        for name in ours:
            if name in across:
                what = "a series" if kind == "instruments" else "an instrument"
                raise InputError(f"catalogue.{kind}.{name}: {name} is {what} of the shipped catalogue; take it out")


def newer_entries(kept: Catalogue) -> list[str]:
    """What is shipped today otherwise than a market keeps it, a sentence an entry."""
    told = []
    for (kind, held), (_, known) in zip(kept.kinds(), shipped_catalogue().kinds(), strict=True):
        for name, entry in sorted(held.items()):
            found = _differing(entry, known[name], SHAPING) if name in known else ""
            if found:
                told.append(
                    f"{name}: the shipped catalogue of {kind} now says {found} {_text(known[name], found)}; the market "
                    f"was made with {_text(entry, found)}, which is read here. Make it anew to follow."
                )
    return told


def _over(
    kept: Mapping[str, Entry], spec: Mapping[str, Entry], shipped: Mapping[str, Entry], kind: type[Entry]
) -> dict[str, Entry]:
    today = {**shipped, **spec}
    judged = {
        name: entry.model_copy(update={key: getattr(today[name], key) for key in JUDGING[kind]})
        if name in today
        else entry
        for name, entry in kept.items()
    }
    return {**today, **judged}


def _differing(one: BaseModel, other: BaseModel, fields: Mapping[type[BaseModel], tuple[str, ...]]) -> str:
    """The first of some fields in which two entries of a kind differ; empty where they agree."""
    names = next(names for kind, names in fields.items() if isinstance(one, kind))
    return next((name for name in names if getattr(one, name) != getattr(other, name)), "")


def _text(entry: BaseModel, name: str) -> str:
    value = getattr(entry, name)
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
