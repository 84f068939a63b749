"""Asking for a company's years: its figures, and the moments at which its filings were accepted."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from data.catalogue.companies import Company
from data.catalogue.filed import BOOK, CASH_FLOW, EARNINGS, SALES, SHARES, filed_name
from data.events.times import filing_times
from data.net.errors import NotFoundError, SourceError
from data.net.settings import SourceSettings
from data.sources.answers import FilingsAnswer, SeriesAnswer
from data.sources.company_facts.facts import LEAST_SHARES, Wanted, day_facts, read_facts, taxonomies
from data.sources.company_facts.years import Version, days_as_known, less, versions, years_as_known
from data.sources.edgar import CAPEX_TAGS, filing_lists, number_of
from data.sources.edgar_asking import contact, edgar_document, require_cik
from data.sources.edgar_plausible import plausible_facts
from data.sources.edgar_quarters import Fact, sound_facts
from data.sources.edgar_releases import acceptance_clock

MILLION = 1e6

SHARES_FILED = Wanted("dei", ("EntityCommonStockSharesOutstanding",), unit="shares", at_a_day=True)
BOOK_FILED = Wanted(
    "us-gaap",
    ("StockholdersEquity", "StockholdersEquityIncludingPortionAttributableToNoncontrollingInterest"),
    at_a_day=True,
)
EARNINGS_FILED = Wanted("us-gaap", ("NetIncomeLoss", "ProfitLoss"))
SALES_FILED = Wanted(
    "us-gaap",
    (
        "Revenues",
        "RevenueFromContractWithCustomerExcludingAssessedTax",
        "RevenueFromContractWithCustomerIncludingAssessedTax",
        "SalesRevenueNet",
    ),
)
"""Of equally new ones that tell about the same, the shorter name."""

_FILING_FIELDS = ("accessionNumber", "filingDate", "acceptanceDateTime")
_DOMESTIC = "us-gaap"


def fetch_filings(
    symbol: str, settings: SourceSettings, entry: Company | None, listed: Callable[[], Mapping[str, Any]]
) -> FilingsAnswer:
    """Ask for the years of the company behind an instrument.

    Args:
        symbol: of the instrument.
        settings: address, pace, time-outs and attempts.
        entry: of the company, where a catalogue has one under this name: its number and its tags hold.
        listed: gives `data.sources.edgar.tickers`; called where there is no entry.

    Returns:
        The series that its filings tell; what they do not tell is among the notes.

    Raises:
        InputError: no contact.
        SourceError: an answer did not come or cannot be read, or the SEC lists no such ticker.
    """
    headers = {"User-Agent": contact()}
    cik = entry.cik if entry else number_of(symbol, listed())
    try:
        document = edgar_document(f"api/xbrl/companyfacts/CIK{cik:010d}.json", settings, headers)
    except NotFoundError:
        return FilingsAnswer(symbol, {}, ("has filed no figures that the SEC serves",))
    require_cik(document, cik, symbol)
    told, notes = figures(document, symbol, entry)
    known = [version for each in told.values() for version in each]
    if not known:
        had = ", ".join(taxonomies(document)) or "none"
        foreign = "" if _DOMESTIC in had else "; it seems to be a foreign filer, whose figures are not read"
        return FilingsAnswer(
            symbol, {}, (f"no figures of use in its 10-K and 10-Q (taxonomies: {had}){foreign}", *notes)
        )
    moments = _moments(symbol, filing_lists(symbol, cik, min(each.filed for each in known), settings, headers))
    unlisted = {name for each in known for name in each.accessions} - moments.keys()
    if unlisted:
        notes.append(f"{len(unlisted)} filings are not in its list: known from 22:00 in New York on their day")
    series = {
        filed_name(symbol, figure): SeriesAnswer(filed_name(symbol, figure), _rows(each, moments))
        for figure, each in told.items()
        if each
    }
    if lacking := [figure for figure, each in told.items() if not each]:
        notes.insert(0, f"its filings do not tell: {', '.join(lacking)}{_of_classes(lacking)}")
    return FilingsAnswer(symbol, series, tuple(notes))


def figures(
    document: Mapping[str, Any], symbol: str, entry: Company | None
) -> tuple[dict[str, list[Version]], list[str]]:
    """Every value that each figure of a company has had, in units and US dollars; and what was not used.

    Args:
        document: ``companyfacts``.
        symbol: for messages.
        entry: of the company; None for the usual tags of operating cash flow and capex.
    """
    ocf = Wanted(_DOMESTIC, entry.ocf_tags if entry else Company.model_fields["ocf_tags"].default)
    capex = Wanted(_DOMESTIC, entry.capex_tags if entry else CAPEX_TAGS)
    notes: list[str] = []
    left_out: Counter[str] = Counter()

    def on_days(wanted: Wanted, **options: float) -> list[Fact]:
        facts, unused = read_facts(document, symbol, wanted)
        sound, slips = day_facts(facts, **options)
        left_out.update(unused)
        notes.extend(slips)
        return sound

    def of_years(wanted: Wanted, never_falls: bool = False) -> list[Fact]:
        facts, unused = read_facts(document, symbol, wanted)
        sound, slips = sound_facts(facts)
        plausible, odd = plausible_facts(sound, never_falls)
        left_out.update(unused)
        notes.extend([*slips, *odd])
        return plausible

    shares, book = on_days(SHARES_FILED, least=LEAST_SHARES), on_days(BOOK_FILED)
    earnings, sales = of_years(EARNINGS_FILED), of_years(SALES_FILED)
    cash = [*of_years(ocf), *of_years(capex, never_falls=True)]
    told = {
        SHARES: versions(shares, lambda facts: days_as_known(facts, SHARES_FILED.tags)),
        BOOK: versions(book, lambda facts: days_as_known(facts, BOOK_FILED.tags)),
        EARNINGS: versions(earnings, lambda facts: years_as_known(facts, EARNINGS_FILED.tags)),
        SALES: versions(sales, lambda facts: years_as_known(facts, SALES_FILED.tags, whole=True)),
        CASH_FLOW: versions(
            cash, lambda facts: less(years_as_known(facts, ocf.tags), years_as_known(facts, capex.tags))
        ),
    }
    if left_out:
        notes.append(f"not used: {', '.join(f'{count} figures {why}' for why, count in left_out.items())}")
    return told, notes


def _of_classes(lacking: Sequence[str]) -> str:
    return "; shares counted by class alone are not served" if SHARES in lacking else ""


def _moments(symbol: str, lists: Iterator[Any]) -> dict[str, pd.Timestamp]:
    """When each filing was accepted at the latest (UTC); 22:00 in New York of its day where its stamp fits no clock."""
    moments = {}
    for filings in lists:
        if not isinstance(filings, dict) or any(field not in filings for field in _FILING_FIELDS):
            raise SourceError(f"EDGAR: {symbol}: got a list of filings without {' or '.join(_FILING_FIELDS)}")
        try:
            for accession, filed, accepted in zip(*(filings[field] for field in _FILING_FIELDS), strict=True):
                day = date.fromisoformat(filed)
                clock = acceptance_clock(accepted, day) if accepted else None
                moments[str(accession)] = _evening(day) if clock is None else clock.tz_convert("UTC")
        except (AttributeError, NotImplementedError, TypeError, ValueError) as error:
            raise SourceError(f"EDGAR: {symbol}: got a list of filings that cannot be read: {error!r}") from error
    return moments


def _rows(told: Sequence[Version], moments: Mapping[str, pd.Timestamp]) -> pd.DataFrame:
    """Observations in millions; of two that became known at one moment the later one."""
    rows = [
        (each.end, each.value / MILLION, max(moments.get(name, _evening(each.filed)) for name in each.accessions))
        for each in told
    ]
    frame = pd.DataFrame(rows, columns=["date", "value", "known_at"])
    frame = frame.astype({"date": "datetime64[us]", "known_at": "datetime64[us, UTC]"})
    ordered = frame.sort_values(["date", "known_at"], kind="stable")
    return ordered.drop_duplicates(["date", "known_at"], keep="last").reset_index(drop=True)


def _evening(day: date) -> pd.Timestamp:
    [moment] = filing_times(pd.Series([pd.Timestamp(day)]))
    return pd.Timestamp(moment)
