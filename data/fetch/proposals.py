"""Entries of instruments and companies that no catalogue knows, from what sources tell; nothing else is guessed."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from data.catalogue.instruments import ALWAYS_OPEN, AssetClass
from data.catalogue.own import OwnCompany, OwnInstrument, Proposal, is_name
from data.catalogue.unknown import near_miss, unknown_name
from data.errors import InputError
from data.fetch.collect import ENDS, Failure, Report, Sources, failure_of
from data.fetch.plan import Source
from data.files.plain_text import printable
from data.net.errors import SourceError
from data.sources.answers import Listing, Profile

US = "XNYS"
# Calendars by Yahoo's word for an exchange.
CALENDARS: Mapping[str, str] = {
    **dict.fromkeys(("NMS", "NGM", "NCM", "NYQ", "NYS", "PCX", "ASE", "BTS", "CBO", "PNK", "OQB", "OQX", "OEM"), US),
    **{"CCC": ALWAYS_OPEN, "KSC": "XKRX", "KOE": "XKRX", "JPX": "XTKS", "HKG": "XHKG", "SHH": "XSHG", "SHZ": "XSHG"},
    **{"TAI": "XTAI", "TWO": "XTAI", "ASX": "XASX", "NZE": "XNZE", "SES": "XSES", "TOR": "XTSE", "VAN": "XTSE"},
    **{"LSE": "XLON", "GER": "XETR", "FRA": "XFRA", "PAR": "XPAR", "AMS": "XAMS", "BRU": "XBRU", "LIS": "XLIS"},
    **{"MIL": "XMIL", "MCE": "XMAD", "EBS": "XSWX", "VIE": "XWBO", "STO": "XSTO", "CPH": "XCSE", "HEL": "XHEL"},
    **{"OSL": "XOSL", "ISE": "XDUB", "SAO": "BVMF", "MEX": "XMEX", "JNB": "XJSE", "BSE": "XBOM", "NSI": "XBOM"},
}
_UNITS = {US: 1e-6, ALWAYS_OPEN: 1e-8}
_KINDS = ("EQUITY", "ETF", "CRYPTOCURRENCY")
# Of a share class some write BRK.B where Yahoo has BRK-B.
_DOTTED_CLASS = re.compile(r"([A-Z]{1,5})[./]([A-Z])")
_LONGEST = 200


@dataclass(frozen=True)
class Proposals:
    """Entries that were not there.

    Attributes:
        found: in the order in which they were asked for.
        failures: names of which the sources told nothing.
    """

    found: tuple[Proposal, ...] = ()
    failures: tuple[Failure, ...] = ()


def proposals(symbols: Collection[str], companies: Collection[str], sources: Sources, report: Report) -> Proposals:
    """Ask for what no catalogue knows.

    Args:
        symbols: of instruments without an entry.
        companies: without an entry.
        sources: how they are asked.
        report: is told what is under way.

    Raises:
        InputError: a name is none, or that of something else, or what a source tells of it no entry can express.
    """
    for symbol in symbols:
        _require_new_name(symbol)
    for company in companies:
        if not is_name(company):
            raise unknown_name("company", company)
    found: list[Proposal] = []
    failures: list[Failure] = []

    kinds: tuple[tuple[Source, Collection[str], Callable[[str], Any], Callable[[Any], Proposal]], ...] = (
        ("yahoo", symbols, sources.listing, _instrument),
        ("edgar", companies, sources.profile, _company),
    )
    for source, names, ask, make in kinds:
        end: Failure | None = None
        for name in names:
            if end is not None:
                failures.append(replace(end, name=name))
                continue
            report(f"{source}: what is {name}?")
            try:
                told = ask(name)
            except (SourceError, InputError) as error:  # Without a contact the SEC is not asked.
                failure = failure_of(source, name, error)
                failures.append(replace(failure, reason=f"{failure.reason}{_hint(name) if source == 'yahoo' else ''}"))
                end = failure if isinstance(error, ENDS) else None
            else:
                found.append(make(told))
    return Proposals(tuple(found), tuple(failures))


def _instrument(told: Listing) -> Proposal:
    source = f"from Yahoo: {told.kind} on {told.exchange or told.venue}, first bar {told.first_bar}"
    return Proposal("instruments", told.symbol, proposed(told), printable(source))


def _company(told: Profile) -> Proposal:
    entry = proposed_company(told)
    return Proposal("companies", told.company, entry, "from the SEC; the first tag has the newest figure")


def proposed_company(told: Profile) -> OwnCompany:
    """The entry that what a source tells of a company comes to.

    Whether its earnings release shows the cash flow nobody tells; it is taken to be known from the filing, later.

    Raises:
        InputError: no entry can express it.
    """
    try:
        return OwnCompany(
            name=(told.name.strip() or told.company)[:_LONGEST],
            cik=told.cik,
            fiscal_year_end_month=told.fiscal_year_end_month,
            capex_tags=told.capex_tags,
            release_has_cash_flow=False,
        )
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise InputError(f"company {told.company}: from the SEC: {reason}") from error


def proposed(told: Listing) -> OwnInstrument:
    """The entry that what a source tells comes to.

    Raises:
        InputError: it is nothing that could be traded, or its exchange or currency is none that an entry can express.
    """
    by_hand = f"; {unknown_name('instrument', told.symbol)}"
    if told.kind not in _KINDS:
        near = near_miss("instrument", told.symbol)
        raise InputError(
            f"instrument {told.symbol}: got {told.kind or 'something without a kind'} ({told.name or told.symbol}) "
            f"from Yahoo, wanted one of {', '.join(_KINDS)}{f'; {near}' if near else ''}"
        )
    if told.first_bar is None:
        raise InputError(
            f"instrument {told.symbol}: got no first bar from Yahoo, wanted the day of its listing" + by_hand
        )
    if told.venue not in CALENDARS:
        raise InputError(
            f"instrument {told.symbol}: got the exchange {told.exchange or 'without a name'} ({told.venue}) from "
            f"Yahoo, wanted one whose calendar is known{by_hand}"
        )
    calendar = CALENDARS[told.venue]
    try:
        return OwnInstrument(
            name=(told.name.strip() or told.symbol)[:_LONGEST],
            currency=told.currency,
            calendar=calendar,
            asset_class=_asset_class(told.kind, calendar),
            listed=told.first_bar,
            quantum=_UNITS.get(calendar, 1.0),
        )
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise InputError(f"instrument {told.symbol}: from Yahoo: {reason}") from error


def _asset_class(kind: str, calendar: str) -> AssetClass:
    if kind == "CRYPTOCURRENCY":
        return "crypto"
    if calendar != US:
        return "foreign_stock"
    return "us_etf" if kind == "ETF" else "us_stock"


def _require_new_name(symbol: str) -> None:
    near = near_miss("instrument", symbol)
    if not is_name(symbol) or near.endswith("is a series") or near == f"is {symbol.upper()} meant?":
        raise unknown_name("instrument", symbol)


def _hint(symbol: str) -> str:
    dotted = _DOTTED_CLASS.fullmatch(symbol)
    if dotted:
        return f"; Yahoo writes classes of shares with a dash: is {dotted[1]}-{dotted[2]} meant?"
    near = near_miss("instrument", symbol)
    return f"; {near}" if near else ""
