"""SEC EDGAR: a company's capex and operating cash flow by fiscal quarter, as they were known.

Two documents are asked for: the company's figures under a tag (``companyconcept``) and the list of its filings
(``submissions``), for the moments of its earnings releases.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from data.catalogue.companies import Company, company_entry
from data.files.plain_text import printable
from data.market.tables import CAPEX
from data.net.errors import NotFoundError, SourceError
from data.net.settings import SourceSettings
from data.sources.answers import Profile
from data.sources.edgar_asking import contact, edgar_document, require_cik
from data.sources.edgar_plausible import plausible_facts
from data.sources.edgar_quarters import Fact, QuarterHistory, quarter_history, sound_facts
from data.sources.edgar_releases import RESULTS_ITEM, Release, read_release
from data.sources.edgar_results import CAPEX_FIGURE, FIGURES, result_notes, results_table, version_table

CAPEX_TAGS = ("PaymentsToAcquirePropertyPlantAndEquipment", "PaymentsToAcquireProductiveAssets")
"""Standard tags of capex; where the newest figures are equally new, the first is the narrower one."""

_YEAR_END = re.compile(r"(0[1-9]|1[0-2])([0-3][0-9])")
_FIRST_WEEK = 7  # A year of 52 or 53 weeks that ends in it belongs to the month before.

_OLDER_FILINGS = re.compile(r"CIK\d{10}-submissions-\d{3}\.json")
_FACT_FIELDS = ("start", "end", "val", "filed", "accn")
_FILING_FIELDS = ("accessionNumber", "filingDate", "acceptanceDateTime", "form", "items")


@dataclass(frozen=True)
class CompanyAnswer:
    """The results of one company.

    Attributes:
        company: its symbol.
        quarters: `data.market.tables.CAPEX`, one row a fiscal quarter, with the figures that were known first.
        versions: `data.sources.edgar_results.VERSION_COLUMNS`: every value that a figure has had.
        notes: what a person should know, one line each.
    """

    company: str
    quarters: pd.DataFrame
    versions: pd.DataFrame
    notes: tuple[str, ...] = ()


def fetch_company(company: str, settings: SourceSettings, entry: Company | None = None) -> CompanyAnswer:
    """Ask for the results of one company.

    Args:
        company: its symbol.
        settings: address, pace, time-outs and attempts.
        entry: of the company; default the shipped one.

    Raises:
        InputError: no contact, or no such entry.
        SourceError: an answer did not come or cannot be read.
    """
    entry = entry or company_entry(company)
    headers = {"User-Agent": contact()}
    notes: list[str] = []
    histories: dict[str, QuarterHistory] = {}
    filed: list[date] = []
    for figure, tags in zip(FIGURES, (entry.capex_tags, entry.ocf_tags), strict=True):
        sound, slips = _facts(company, entry, tags, settings, headers)
        facts, odd = plausible_facts(sound, never_falls=figure == CAPEX_FIGURE)
        slips += odd
        histories[figure] = quarter_history(facts, tags, entry.fiscal_year_end_month)
        filed += [fact.filed for fact in facts]
        notes += [f"{figure}: {note}" for note in slips]
    if not any(history.versions for history in histories.values()):
        raise SourceError(
            f"EDGAR: {company}: no quarter could be derived from {len(filed)} figures; correct its "
            "entry in the catalogue, where the spec has it"
        )
    releases = list(_releases(company, entry, min(filed), settings, headers))
    quarters = results_table(company, entry, histories, releases)
    notes += result_notes(histories, quarters)
    versions = version_table(company, histories, quarters)
    told = tuple(f"{company} {note}" for note in notes)
    return CompanyAnswer(company, quarters, versions, told)


def fetch_results(
    companies: Collection[str], settings: SourceSettings, report: Callable[[str], None]
) -> tuple[pd.DataFrame, list[str]]:
    """Ask for the results of some companies; the first that fails ends it.

    Args:
        companies: their symbols, at least one.
        settings: as in `fetch_company`.
        report: is told which company is asked for.

    Returns:
        `data.market.tables.CAPEX` of all of them, and their notes.
    """
    answers = []
    for company in companies:
        report(company)
        answers.append(fetch_company(company, settings))
    table = CAPEX.conform(pd.concat([answer.quarters for answer in answers]))
    return table, [note for answer in answers for note in answer.notes]


def _facts(
    company: str, entry: Company, tags: Sequence[str], settings: SourceSettings, headers: Mapping[str, str]
) -> tuple[list[Fact], tuple[str, ...]]:
    """Every sound figure filed under any of the tags, and notes; a tag that the company never used is passed over."""
    facts: list[Fact] = []
    missing = []
    for tag in tags:
        path = f"api/xbrl/companyconcept/CIK{entry.cik:010d}/us-gaap/{tag}.json"
        try:
            document = edgar_document(path, settings, headers)
        except NotFoundError as error:
            missing.append(f"{tag}: {error.status} {error.told}".strip())
            continue
        facts += _read_facts(document, f"{company} {tag}", entry.cik, tag)
    sound, slips = sound_facts(facts)
    if not sound:
        raise SourceError(
            f"EDGAR: {company} has filed nothing of use under {' or '.join(tags)}"
            + (f" ({'; '.join(missing)})" if missing else "")
            + "; correct its tags in the catalogue, where the spec has them"
        )
    return sound, slips


def _read_facts(document: Mapping[str, Any], name: str, cik: int, tag: str) -> list[Fact]:
    require_cik(document, cik, name)
    units = document.get("units")
    if not isinstance(units, dict) or "USD" not in units:
        got = f"units {', '.join(units)}" if isinstance(units, dict) else f"no units but {', '.join(document)}"
        raise SourceError(f"EDGAR: {name}: got {got}, wanted units with USD")
    if not isinstance(units["USD"], list):
        raise SourceError(f"EDGAR: {name}: got {type(units['USD']).__name__} in USD, wanted a list of figures")
    return [_read_fact(row, name, tag) for row in units["USD"]]


def _read_fact(row: Any, name: str, tag: str) -> Fact:
    if not isinstance(row, dict):
        raise SourceError(f"EDGAR: {name}: got {type(row).__name__} in place of a figure, wanted a JSON object")
    if absent := [field for field in _FACT_FIELDS if field not in row]:
        raise SourceError(f"EDGAR: {name}: got a figure with {', '.join(row)}, wanted also {', '.join(absent)}")
    try:
        start, end, filed = (date.fromisoformat(row[field]) for field in ("start", "end", "filed"))
        return Fact(tag, start, end, float(row["val"]), filed, str(row["accn"]))
    except (TypeError, ValueError) as error:
        raise SourceError(f"EDGAR: {name}: got a figure that cannot be read: {error}") from error


def _releases(
    company: str, entry: Company, first: date, settings: SourceSettings, headers: Mapping[str, str]
) -> Iterator[Release]:
    for filings in filing_lists(company, entry.cik, first, settings, headers):
        yield from _read_releases(filings, company)


def filing_lists(
    company: str, cik: int, first: date, settings: SourceSettings, headers: Mapping[str, str]
) -> Iterator[Any]:
    """A company's lists of filings, the newest first; of older ones those that reach to the first day that counts."""
    document = edgar_document(f"submissions/CIK{cik:010d}.json", settings, headers)
    if "cik" in document:
        require_cik(document, cik, f"{company} filings")
    try:
        recent, older = document["filings"]["recent"], document["filings"]["files"]
        lists = [file["name"] for file in older if date.fromisoformat(file["filingTo"]) >= first]
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(f"EDGAR: {company}: got a list of filings that cannot be read: {error!r}") from error
    yield recent
    for name in lists:
        if not isinstance(name, str) or not _OLDER_FILINGS.fullmatch(name):
            raise SourceError(f"EDGAR: {company}: got {name!r} as a list of older filings, wanted CIK..-submissions-..")
        yield edgar_document(f"submissions/{name}", settings, headers)


def _read_releases(filings: Any, company: str) -> Iterator[Release]:
    if not isinstance(filings, dict):
        raise SourceError(f"EDGAR: {company}: got {type(filings).__name__} as a list of filings, wanted a JSON object")
    if absent := [field for field in _FILING_FIELDS if field not in filings]:
        raise SourceError(
            f"EDGAR: {company}: got a list of filings with {', '.join(filings)}, wanted also {', '.join(absent)}"
        )
    try:
        columns = [filings[field] for field in _FILING_FIELDS]
        events = filings.get("reportDate") or [""] * len(columns[0])
        for accession, filed, accepted, form, items, event in zip(*columns, events, strict=True):
            if form == "8-K" and RESULTS_ITEM in items.split(","):
                happened = date.fromisoformat(event) if event else None
                yield read_release(accession, date.fromisoformat(filed), accepted, happened)
    except (AttributeError, TypeError, ValueError) as error:
        raise SourceError(f"EDGAR: {company}: got a list of filings that cannot be read: {error!r}") from error


def fetch_profile(company: str, settings: SourceSettings) -> Profile:
    """Ask what a company is.

    Args:
        company: its ticker.
        settings: addresses, pace, time-outs and attempts.

    Raises:
        InputError: no contact.
        SourceError: an answer did not come or cannot be read, the SEC lists no such ticker, tells no end of its fiscal
            year, or has no capex of it under `CAPEX_TAGS`.
    """
    headers = {"User-Agent": contact()}
    cik = number_of(company, tickers(settings, headers))
    document = edgar_document(f"submissions/CIK{cik:010d}.json", settings, headers)
    require_cik(document, cik, f"{company} filings")
    newest = {tag: _newest(tag, cik, company, settings, headers) for tag in CAPEX_TAGS}
    tags = sorted((tag for tag in CAPEX_TAGS if newest[tag]), key=lambda tag: newest[tag], reverse=True)
    if not tags:
        raise SourceError(f"EDGAR: {company}: got no capex under {' or '.join(CAPEX_TAGS)}, wanted some")
    name = printable(str(document.get("name") or company))
    return Profile(company, name, cik, _year_end_month(company, document), tuple(tags))


def tickers(settings: SourceSettings, headers: Mapping[str, str]) -> dict[str, Any]:
    """The SEC's list of tickers: a row a ticker, by number of the row."""
    return edgar_document("company_tickers.json", settings, headers, settings.edgar_tickers_url)


def number_of(company: str, listed: Mapping[str, Any]) -> int:
    """The number that stands beside a ticker, of `tickers`; a class of shares is written BRK-B there."""
    wanted = company.replace(".", "-").casefold()
    for row in listed.values():
        if isinstance(row, dict) and str(row.get("ticker", "")).casefold() == wanted:
            cik = row.get("cik_str")
            if isinstance(cik, int) and 0 < cik < 10**10:
                return cik
            raise SourceError(f"EDGAR: {company}: got the number {cik!r}, wanted a CIK")
    raise SourceError(f"EDGAR: the SEC lists no ticker {company}")


def _year_end_month(company: str, document: Mapping[str, Any]) -> int:
    """The month of the end of the fiscal year, which is told as in 0926."""
    told = document.get("fiscalYearEnd")
    end = _YEAR_END.fullmatch(str(told))
    if end is None:
        raise SourceError(f"EDGAR: {company}: got {told!r} as the end of its fiscal year, wanted month and day")
    month, day = int(end[1]), int(end[2])
    return (month - 2) % 12 + 1 if day <= _FIRST_WEEK else month


def _newest(tag: str, cik: int, company: str, settings: SourceSettings, headers: Mapping[str, str]) -> str:
    """The newest day that a figure under a tag is about, as text; empty where there is none."""
    try:
        document = edgar_document(f"api/xbrl/companyconcept/CIK{cik:010d}/us-gaap/{tag}.json", settings, headers)
    except NotFoundError:
        return ""
    require_cik(document, cik, f"{company} {tag}")
    units = document.get("units")
    rows = units.get("USD") if isinstance(units, dict) else None
    ends = [str(row.get("end", "")) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return max(ends, default="")
