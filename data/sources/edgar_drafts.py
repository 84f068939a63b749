"""New filings of a company that may hold an event, with their passages, as drafts of rows for a person to confirm.

Earnings releases (8-K with item 2.02, and its exhibits) and what is filed of offerings (prospectuses 424B, term sheets
FWP). What a filing says of itself is filled in; what a person has to read in it is left as a question mark.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from data.catalogue.companies import Company, company_entry
from data.events.typed_rows import UNKNOWN
from data.market.tables import CAPEX, FUNDING
from data.net.errors import SourceError
from data.net.settings import SourceSettings
from data.sources.edgar_asking import contact, edgar_document, edgar_submission, require_cik
from data.sources.edgar_releases import RESULTS_ITEM, read_release
from data.sources.filing_passages import Passage, is_preliminary, passages_of
from data.sources.filing_text import Document, Submission, read_submission

MOST_FILINGS = 20
MOST_PASSAGES = 40
_NEW = pd.Timedelta(days=90)
_FIELDS = ("accessionNumber", "filingDate", "acceptanceDateTime", "form", "items")
_ACCESSION = re.compile(r"\d{10}-\d{2}-\d{6}")
_RELEASE_FORMS = ("8-K", "8-K/A")
_LINK = "https://www.sec.gov/Archives"


@dataclass(frozen=True)
class Filing:
    """A filing as EDGAR's list has it.

    Attributes:
        form: such as ``8-K`` or ``424B5``.
        accession: its number.
        filed: day under which it was filed.
        accepted: ``acceptanceDateTime`` of the list, which is not to be trusted (`data.sources.edgar_releases`).
        folder: of its files, below the address of the archives.
    """

    form: str
    accession: str
    filed: date
    accepted: str
    folder: str

    @property
    def is_offering(self) -> bool:
        """Whether it is about an offering, else about results."""
        return self.form not in _RELEASE_FORMS


@dataclass(frozen=True)
class Draft:
    """One filing, what it says, and the rows that it may come to.

    Attributes:
        filing: from the list.
        links: to its documents that were read, by type.
        passages: by type of document.
        rows: kind and cells of each row; ``?`` where a person has to fill in what the filing says.
        notes: what a person should know, one line each.
    """

    filing: Filing
    links: Mapping[str, str]
    passages: tuple[tuple[str, Passage], ...]
    rows: tuple[tuple[str, Mapping[str, str]], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Drafts:
    """What a company has filed since its last events that are known.

    Attributes:
        company: its symbol.
        since: the day after which filings were looked for, of releases and of offerings.
        drafts: newest filing first.
        left: number of older filings that were not read.
    """

    company: str
    since: tuple[date, date]
    drafts: tuple[Draft, ...]
    left: int


def fetch_drafts(
    company: str,
    events: Mapping[str, pd.DataFrame],
    settings: SourceSettings,
    now: pd.Timestamp,
    since: date | None = None,
    report: Callable[[str], None] = lambda _stage: None,
) -> Drafts:
    """Ask for the new filings of a company; nothing is kept.

    Args:
        company: its symbol, an entry of data/catalogue/companies.toml.
        events: tables of events by name, for what is known already.
        settings: addresses, pace, time-outs, attempts and the largest answer.
        now: UTC.
        since: look for filings after this day; None: after the newest result, and the newest funding, that is known of
            the company, and where none is, of the last 90 days.
        report: is told which filing is read.

    Raises:
        InputError: no contact, or no such entry.
        SourceError: an answer did not come or cannot be read.
    """
    entry = company_entry(company)
    headers = {"User-Agent": contact()}
    after = tuple(
        since or _newest(events[table.name], company, day, now)
        for table, day in ((CAPEX, "announced_at"), (FUNDING, "date"))
    )
    document = edgar_document(f"submissions/CIK{entry.cik:010d}.json", settings, headers)
    if "cik" in document:
        require_cik(document, entry.cik, f"{company} filings")
    filings = [
        filing for filing in _filings(document, company, entry) if filing.filed > after[1 if filing.is_offering else 0]
    ]
    filings.sort(key=lambda filing: (filing.filed, filing.accession), reverse=True)
    drafts = []
    for filing in filings[:MOST_FILINGS]:
        report(f"{filing.form} of {filing.filed}")
        text = edgar_submission(f"{filing.folder}/{filing.accession}.txt", settings, headers)
        drafts.append(draft_of(company, filing, read_submission(text)))
    return Drafts(company, (after[0], after[1]), tuple(drafts), max(len(filings) - MOST_FILINGS, 0))


def draft_of(company: str, filing: Filing, submission: Submission) -> Draft:
    """Lay out what one filing says.

    Args:
        company: its symbol.
        filing: from the list.
        submission: its text.
    """
    read = [document for document in submission.documents if _is_read(document, filing)]
    passages = [(document.type, each) for document in read for each in passages_of(document, filing.is_offering)]
    links = {
        document.type: f"{_LINK}/{filing.folder}/{document.file or f'{filing.accession}-index.htm'}"
        for document in read
    }
    notes = []
    if filing.is_offering and any(is_preliminary(document) for document in read):
        notes.append("a preliminary prospectus: its amounts are blank; the term sheet or the final one has them")
    if not passages:
        notes.append("no passage was found in it; read it by its link")
    if len(passages) > MOST_PASSAGES:
        notes.append(f"{len(passages) - MOST_PASSAGES} passages more, which are not shown; read it by its link")
    rows = tuple(_rows(company, filing, submission.accepted, {passage.what for _, passage in passages}))
    return Draft(filing, links, tuple(passages[:MOST_PASSAGES]), rows, tuple(notes))


def _newest(rows: pd.DataFrame, company: str, day: str, now: pd.Timestamp) -> date:
    days = rows.loc[rows["company"] == company, day]
    newest = days.max() if len(days) else now.tz_convert(None) - _NEW
    return newest.date()


def _filings(document: Mapping[str, Any], company: str, entry: Company) -> Iterator[Filing]:
    try:
        recent = document["filings"]["recent"]
        columns = [recent[field] for field in _FIELDS]
        for accession, filed, accepted, form, items in zip(*columns, strict=True):
            is_release = form in _RELEASE_FORMS and RESULTS_ITEM in items.split(",")
            if not (is_release or form == "FWP" or form.startswith("424B")):
                continue
            if not _ACCESSION.fullmatch(accession):
                raise ValueError(f"the accession number {accession!r}")
            folder = f"edgar/data/{entry.cik}/{accession.replace('-', '')}"
            yield Filing(form, accession, date.fromisoformat(filed), accepted, folder)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SourceError(f"EDGAR: {company}: got a list of filings that cannot be read: {error!r}") from error


def _is_read(document: Document, filing: Filing) -> bool:
    """Exhibits of a release go by many names: EX-99, EX-99.1, EX-99.01, EX-99.2."""
    return document.type == filing.form or (not filing.is_offering and document.type.upper().startswith("EX-99"))


def _rows(company: str, filing: Filing, accepted: str, told: set[str]) -> Iterator[tuple[str, dict[str, str]]]:
    source = {"source": f"{filing.form} {filing.accession}", "confidence": UNKNOWN}
    if filing.is_offering:
        known = {"company": company, "filed_at": filing.filed.isoformat()}
        unknown = dict.fromkeys(("date", "kind", "amount_usd_bn", "date_basis"), UNKNOWN)
        yield "funding", {**known, **unknown, **source}
        return
    day, session = _announced(filing, accepted)
    known = {"company": company, "announced_at": day, "session": session}
    if told & {"capex", "cash flow"}:
        yield "result", {**known, **dict.fromkeys(("fiscal_period", "capex_usd_bn", "ocf_usd_bn"), UNKNOWN), **source}
    if "guidance" in told:
        unknown = dict.fromkeys(("fiscal_year", "event", "basis", "low_usd_bn", "high_usd_bn"), UNKNOWN)
        yield "guidance", {**known, **unknown, **source}


def _announced(filing: Filing, accepted: str) -> tuple[str, str]:
    """Day and time in New York: by the filing's own head, else by the list, read late."""
    if accepted:
        return f"{accepted[:4]}-{accepted[4:6]}-{accepted[6:8]}", f"{accepted[8:10]}:{accepted[10:12]}"
    release = read_release(filing.accession, filing.filed, filing.accepted)
    return release.announced_at.isoformat(), release.session
