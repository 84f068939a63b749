"""Drafts from filings: every passage as it was filed, nothing scaled, nothing filled in that a person has to read."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import loopback
from data.errors import InputError
from data.events.adding import new_row
from data.events.editions import reference_events
from data.net.errors import NotFoundError, RateLimitError, SourceError
from data.net.settings import SourceSettings
from data.sources.edgar_drafts import MOST_FILINGS, MOST_PASSAGES, Drafts, Filing, draft_of, fetch_drafts
from data.sources.filing_passages import LONGEST, is_preliminary, passages_of
from data.sources.filing_text import Block, Document, blocks_of, read_submission
from filings import (
    AMD_FINAL,
    AMD_PRELIMINARY,
    GUIDANCE,
    META_CIK,
    META_LINK,
    META_RELEASE,
    SPENT,
    filing_text,
    meta_release,
    submissions,
)

FRAGMENTS = (
    *(
        "<p>",
        "</p>",
        "<table>",
        "</table>",
        "<tr>",
        "<td>",
        "</td>",
        "<!",
        "<![",
        "]>",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
    ),
    *(
        "<script>",
        "</script>",
        "<title>",
        "<ix:header>",
        "<body>",
        "<?",
        "'",
        '"',
        "<a href=",
        "&#",
        ";",
        "\x00",
        "[",
        "<",
    ),
    *("capital expenditures 1", "$5,000,000,000 notes due 2031", "(in millions)"),
)
NOW = pd.Timestamp("2026-10-12T12:00", tz="UTC")
RELEASE = Filing(
    "8-K", META_RELEASE, date(2026, 7, 29), "2026-07-29T20:05:14.000Z", "edgar/data/1326801/000162828026050596"
)


def page(text: str, kind: str = "EX-99.1") -> Document:
    return Document(kind, "page.htm", f"<html><body>{text}</body></html>")


# The text


def test_a_filing_is_taken_apart_by_the_types_of_its_documents() -> None:
    read = read_submission(meta_release())
    assert read.accepted == "20260729160514"
    assert [(document.type, document.file) for document in read.documents] == [
        ("8-K", "meta-20260729.htm"),
        ("EX-99.1", "meta-06302026xexhibit991.htm"),
        ("GRAPHIC", "logo.jpg"),
    ]


def test_paragraphs_and_rows_are_what_a_reader_sees() -> None:
    shown = blocks_of(read_submission(meta_release()).documents[1])
    assert [block.text for block in shown if not block.table] == [
        "Second quarter 2026 results",
        SPENT,
        "CFO Outlook Commentary",
        f"{GUIDANCE} This is unlike our taxes.",
        "(In millions)",
        "(Unaudited)",
    ]
    assert [block.text for block in shown if block.table] == [
        "Three Months Ended June 30,",
        "2026 2025",
        "Net cash provided by operating activities $31,862",
        "Purchases of property and equipment (30,116)",
        "Principal payments on finance leases (962)",
    ]


def test_marks_of_a_word_processor_hide_nothing() -> None:
    text = "<p>a<![if !supportEmptyParas]>b<![endif]>c</p><![foo bar]><p>d</p>"
    assert [block.text for block in blocks_of(page(text))] == ["abc", "d"]
    late = Document("EX-99.1", "", "<html><title>never ended<body><p>e</p></body></html>")
    assert [block.text for block in blocks_of(late)] == ["e"]


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=25))
def test_no_page_breaks_the_reader(pieces: list[str]) -> None:
    for offering in (False, True):
        passages_of(Document("X", "", "<html>" + "".join(pieces)), offering)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<",
        "<td>",
        "</table></tr>",
        "<table>" * 500,
        "<tr><td>1<table><tr><td>2",
        "<p>&#99999999;&nbsp;",
        "\x00<p>\ud800",
    ],
)
def test_broken_pages_are_read_as_far_as_they_go(text: str) -> None:
    assert all(block.text.strip() for block in blocks_of(page(text)))


def test_plain_text_is_read_by_its_lines() -> None:
    lines = blocks_of(Document("FWP", "sheet.txt", "Issuer:   X\n\n Trade Date: 1 < 2\n"))
    assert lines == [Block("Issuer: X"), Block("Trade Date: 1 < 2")]


def test_a_file_name_that_is_none_is_not_linked() -> None:
    text = filing_text("x", "", ("8-K", "../../etc/passwd", "a"), ("EX-99", "a b.htm", "b"))
    assert [document.file for document in read_submission(text).documents] == ["", ""]
    assert read_submission(text).accepted == ""


# The passages


def test_the_passages_of_a_release_are_those_of_the_page_with_unit_and_columns() -> None:
    passages = passages_of(read_submission(meta_release()).documents[1], offering=False)
    assert [(each.what, each.text) for each in passages] == [
        ("capex", SPENT),
        ("guidance", GUIDANCE),
        ("cash flow", "Net cash provided by operating activities $31,862"),
        ("capex", "Purchases of property and equipment (30,116)"),
    ]
    assert [each.unit for each in passages] == ["", "", "(In millions)", "(In millions)"]
    assert passages[-1].columns == "Three Months Ended June 30, / 2026 2025"


def test_a_table_without_a_unit_says_so() -> None:
    rows = page("<table><tr><td>Additions to property and equipment</td><td>(30,876)</td></tr></table>")
    (row,) = passages_of(rows, offering=False)
    assert (row.text, row.unit) == ("Additions to property and equipment (30,876)", "no line above it tells the unit")


def test_a_unit_of_shares_is_shown_whole_and_left_to_the_reader() -> None:
    """A scale of shares alone was once taken for that of money (daniel3303/Equibles, 4114)."""
    table = "<p>(In thousands, shares in millions)</p><table><tr><td>Capital expenditures</td><td>12</td></tr></table>"
    (row,) = passages_of(page(table), offering=False)
    assert row.unit == "(In thousands, shares in millions)"


def test_sentences_without_a_figure_and_figures_of_other_things_are_no_passages() -> None:
    text = "<p>We expect capital expenditures to grow. Revenue was $59.9 billion. The property was sold for 3.</p>"
    assert passages_of(page(text), offering=False) == []


def test_a_long_passage_is_cut_and_says_so() -> None:
    (passage,) = passages_of(page(f"<p>Capital expenditures were 1 {'x' * 9999}</p>"), offering=False)
    assert passage.text.endswith(" [...]")
    assert len(passage.text) == LONGEST + len(" [...]")


def test_the_sizes_on_the_cover_of_a_prospectus_are_shown() -> None:
    (passage,) = passages_of(page(f"<p>{AMD_FINAL}</p>", "424B5"), offering=True)
    assert passage.what == "offering"
    assert "$4,750,000,000 $1,250,000,000 4.600% Senior Notes due 2029" in passage.text
    assert not is_preliminary(page(f"<p>{AMD_FINAL}</p>"))
    assert is_preliminary(page(f"<p>{AMD_PRELIMINARY}</p>"))


def test_a_term_sheet_shows_amounts_and_days() -> None:
    sheet = page(
        "<table><tr><td>Trade Date:</td><td>October 29, 2015</td></tr><tr><td>Principal Amount:</td><td>$</td>"
        "<td>1,750,000,000</td></tr><tr><td>Coupon:</td><td>1.300%</td></tr></table>",
        "FWP",
    )
    assert [each.text for each in passages_of(sheet, offering=True)] == [
        "Trade Date: October 29, 2015",
        "Principal Amount: $1,750,000,000",
    ]


# The drafts


def test_a_release_is_drafted_by_its_own_clock_and_leaves_every_figure_open() -> None:
    draft = draft_of("META", RELEASE, read_submission(meta_release()))
    assert draft.links["EX-99.1"] == META_LINK
    known = {"company": "META", "announced_at": "2026-07-29", "session": "16:05"}
    source = {"source": f"8-K {META_RELEASE}", "confidence": "?"}
    assert draft.rows == (
        ("result", {**known, "fiscal_period": "?", "capex_usd_bn": "?", "ocf_usd_bn": "?", **source}),
        (
            "guidance",
            {**known, **dict.fromkeys(("fiscal_year", "event", "basis", "low_usd_bn", "high_usd_bn"), "?"), **source},
        ),
    )


@pytest.mark.parametrize("exhibit", ["EX-99", "EX-99.1", "EX-99.01", "EX-99.2", "ex-99.1"])
def test_an_exhibit_goes_by_many_names(exhibit: str) -> None:
    """Releases filed as EX-99 were passed over (dgunning/edgartools, 38)."""
    draft = draft_of("META", RELEASE, read_submission(meta_release(exhibit)))
    assert len(draft.passages) == 4


def test_a_release_without_a_head_is_timed_by_the_list_read_late() -> None:
    text = meta_release().replace("<ACCEPTANCE-DATETIME>20260729160514\n", "")
    _, cells = draft_of("META", RELEASE, read_submission(text)).rows[0]
    # 20:05 is UTC, or the clock of New York after its hours for that day: the first alone agrees with the day.
    assert (cells["announced_at"], cells["session"]) == ("2026-07-29", "amc")


def test_new_york_tells_the_day_and_the_time_in_summer_and_winter() -> None:
    """The list labels New York's clock as UTC for one company in four (theOGognf/finagg, 64)."""
    for accepted, day, clock in (("20260128170459", "2026-01-28", "17:04"), ("20260729230001", "2026-07-29", "23:00")):
        text = meta_release().replace("20260729160514", accepted)
        _, cells = draft_of("META", RELEASE, read_submission(text)).rows[0]
        assert (cells["announced_at"], cells["session"]) == (day, clock)


def test_an_offering_leaves_kind_day_and_amount_open() -> None:
    filing = Filing("424B5", "0000002488-26-000111", date(2026, 8, 14), "", "edgar/data/2488/000000248826000111")
    text = filing_text(filing.accession, "20260814163000", ("424B5", "a.htm", f"<html><p>{AMD_FINAL}</p></html>"))
    draft = draft_of("AMD", filing, read_submission(text))
    assert draft.rows == (
        (
            "funding",
            {
                **{"company": "AMD", "filed_at": "2026-08-14", "date": "?", "kind": "?", "amount_usd_bn": "?"},
                **{"date_basis": "?", "source": "424B5 0000002488-26-000111", "confidence": "?"},
            },
        ),
    )
    early = filing_text(filing.accession, "", ("424B5", "a.htm", f"<html><p>{AMD_PRELIMINARY}</p></html>"))
    notes = draft_of("AMD", filing, read_submission(early)).notes
    assert notes[0].startswith("a preliminary prospectus: its amounts are blank")
    assert notes[1] == "no passage was found in it; read it by its link"


def test_passages_beyond_the_bound_are_counted() -> None:
    many = "".join(f"<p>Capital expenditures were {number}.</p>" for number in range(MOST_PASSAGES + 3))
    text = filing_text("x", "", ("EX-99.1", "a.htm", f"<html>{many}</html>"))
    draft = draft_of("META", RELEASE, read_submission(text))
    assert (len(draft.passages), draft.notes) == (
        MOST_PASSAGES,
        ("3 passages more, which are not shown; read it by its link",),
    )


def test_a_draft_is_no_row_before_every_question_mark_is_filled_in() -> None:
    for kind, cells in draft_of("META", RELEASE, read_submission(meta_release())).rows:
        with pytest.raises(InputError, match="is still a question mark; fill in what the source says"):
            new_row(kind, cells, reference_events(), [], NOW)
        open_cells = [name for name, cell in cells.items() if cell == "?"]
        for name in open_cells:
            with pytest.raises(InputError, match=f"{name} is still a question mark"):
                new_row(kind, {name: "?"}, reference_events(), [], NOW)


# Asking


@pytest.fixture
def sec(server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("REVERSE_QE_CONTACT", "Jane Doe jane@example.org")
    return server


def drafted(server: Any, company: str = "META", **how: Any) -> Drafts:
    settings = SourceSettings(
        edgar_url=server.url, edgar_archives_url=f"{server.url}/Archives", pause=0, edgar_per_second=1e6, attempts=1
    )
    return fetch_drafts(company, reference_events(), settings, NOW, **how)


def listed(server: Any, *rows: tuple[str, str, str, str], cik: int = META_CIK) -> None:
    server.answers(f"/submissions/CIK{cik:010d}.json", loopback.Answer(submissions(cik, rows)))


def archived(server: Any, accession: str, *answers: loopback.Answer, cik: int = META_CIK) -> None:
    server.answers(f"/Archives/edgar/data/{cik}/{accession.replace('-', '')}/{accession}.txt", *answers)


def test_only_new_releases_and_offerings_are_asked_for_with_the_contact(sec: Any) -> None:
    listed(
        sec,
        ("0001628280-26-060001", "2026-10-08", "4", ""),
        ("0001628280-26-060002", "2026-10-07", "8-K", "5.02"),
        ("0001628280-26-060003", "2026-10-06", "FWP", ""),
        ("0001628280-26-060004", "2026-10-05", "8-K/A", "2.02,9.01"),
        (META_RELEASE, "2026-07-29", "8-K", "2.02,9.01"),
    )
    for accession in ("0001628280-26-060003", "0001628280-26-060004", META_RELEASE):
        archived(sec, accession, loopback.Answer(meta_release()))
    found = drafted(sec)
    # The newest result that is shipped was told on 2026-07-29, the newest funding on 2026-07-27.
    assert found.since == (date(2026, 7, 29), date(2026, 7, 27))
    assert [draft.filing.form for draft in found.drafts] == ["FWP", "8-K/A"]
    again = drafted(sec, since=date(2026, 7, 28))
    assert [draft.filing.form for draft in again.drafts] == ["FWP", "8-K/A", "8-K"]
    assert {asked.headers["user-agent"] for asked in sec.asked} == {"Jane Doe jane@example.org"}


def test_the_newest_are_read_and_the_others_counted(sec: Any) -> None:
    rows = [(f"0001628280-26-07{number:04d}", f"2026-09-{1 + number % 28:02d}", "424B2", "") for number in range(25)]
    listed(sec, *rows)
    for accession, *_ in rows:
        archived(
            sec, accession, loopback.Answer(filing_text(accession, "", ("424B2", "a.htm", "<p>notes due 2031</p>")))
        )
    found = drafted(sec)
    assert (len(found.drafts), found.left) == (MOST_FILINGS, 5)
    days = [draft.filing.filed for draft in found.drafts]
    assert days == sorted(days, reverse=True)


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (loopback.Answer(loopback.HTML_PAGE), SourceError, "blocked.*, wanted the text of a filing"),
        (loopback.Answer("{}"), SourceError, "wanted the text of a filing"),
        (loopback.Answer(status=404), NotFoundError, "404"),
        (loopback.Answer(status=302, headers={"Location": "https://example.org/x"}), SourceError, "redirect"),
        (loopback.Answer(meta_release(), sent=200), SourceError, "cut off"),
    ],
)
def test_what_is_no_filing_is_refused(sec: Any, answer: loopback.Answer, error: type, message: str) -> None:
    listed(sec, ("0001628280-26-060003", "2026-10-06", "FWP", ""))
    archived(sec, "0001628280-26-060003", answer)
    with pytest.raises(error, match=message):
        drafted(sec)


def test_an_answer_that_goes_on_is_not_read_on(sec: Any) -> None:
    listed(sec, ("0001628280-26-060003", "2026-10-06", "FWP", ""))
    archived(sec, "0001628280-26-060003", loopback.Answer("<SEC-DOCUMENT>" + "x" * 200_000))
    settings = SourceSettings(
        edgar_url=sec.url, edgar_archives_url=f"{sec.url}/Archives", edgar_per_second=1e6, largest_answer=100_000
    )
    with pytest.raises(SourceError, match=r"more than 0\.1 MB"):
        fetch_drafts("META", reference_events(), settings, NOW)


@pytest.mark.parametrize(
    ("list_of_filings", "message"),
    [
        ({}, "a list of filings that cannot be read"),
        (submissions(1, [("0001628280-26-060003", "2026-10-06", "FWP", "")]), "about CIK 0000000001, wanted 1326801"),
        (submissions(META_CIK, [("../../x", "2026-10-06", "FWP", "")]), "the accession number '../../x'"),
        (submissions(META_CIK, [("0001628280-26-060003", "soon", "FWP", "")]), "a list of filings that cannot be read"),
    ],
)
def test_a_list_that_is_none_is_refused(sec: Any, list_of_filings: Any, message: str) -> None:
    sec.answers(f"/submissions/CIK{META_CIK:010d}.json", loopback.Answer(list_of_filings))
    with pytest.raises(SourceError, match=message):
        drafted(sec)


def test_without_a_contact_nothing_is_asked(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REVERSE_QE_CONTACT", "EDGAR_IDENTITY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match="set REVERSE_QE_CONTACT"):
        drafted(server)
    assert server.asked == []


@pytest.mark.payloads
def test_microsofts_list_as_it_was_served_has_its_two_releases(sec: Any, payloads: Path) -> None:
    recorded = (payloads / "sec" / "submissions-MSFT-as-served.json").read_bytes()
    sec.answers("/submissions/CIK0000789019.json", loopback.Answer(recorded))
    for accession in ("0001193125-26-027198", "0001193125-25-256310"):
        archived(sec, accession, loopback.Answer(filing_text(accession, "", ("8-K", "a.htm", "<p>x</p>"))), cik=789019)
    found = drafted(sec, "MSFT", since=date(2025, 9, 1))
    assert [draft.filing.accession for draft in found.drafts] == ["0001193125-26-027198", "0001193125-25-256310"]
    assert len(json.loads(recorded)["filings"]["recent"]["form"]) == 120


@pytest.mark.payloads
def test_refusals_of_the_archive_are_what_they_are(sec: Any, payloads: Path) -> None:
    listed(sec, ("0001628280-26-060003", "2026-10-06", "FWP", ""))
    for file, error in (("403-rate.html", RateLimitError), ("403-AccessDenied.xml", NotFoundError)):
        archived(sec, "0001628280-26-060003", loopback.Answer((payloads / "sec" / file).read_bytes(), status=403))
        with pytest.raises(error):
            drafted(sec)
