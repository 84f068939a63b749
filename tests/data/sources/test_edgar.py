"""SEC EDGAR: a server on loopback answers in the documented shapes; what lands is asserted to value and moment."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

import fetch_world
import loopback
from data.catalogue.catalogue import Catalogue
from data.catalogue.companies import Company
from data.errors import InputError
from data.events.validation import validate_events
from data.fetch.collect import ask
from data.fetch.next_market import new_market
from data.fetch.plan import Due
from data.market.tables import CAPEX
from data.net import http
from data.net import retry as retrying
from data.net.errors import BlockedError, NoNetworkError, RateLimitError, SourceError
from data.net.settings import SourceSettings
from data.sources import edgar
from data.sources.edgar import CompanyAnswer, fetch_company
from hand_made import make_snapshot
from signals.capex.spending import company_quarters

CAPEX_TAG, OLD_TAG = "PaymentsToAcquireProductiveAssets", "PaymentsToAcquirePropertyPlantAndEquipment"
OCF_TAG = "NetCashProvidedByUsedInOperatingActivities"
CONTACT = "Jane Doe jane@example.org"

Rows = Sequence[tuple[str, str, float, str, str]]

# A fictitious company with years of 52 weeks that end on the last Saturday of January, in millions of US dollars. It
# prints the year to date only.
FICT = Company(name="Fictitious", cik=42, fiscal_year_end_month=1, capex_tags=(CAPEX_TAG, OLD_TAG), ocf_tags=(OCF_TAG,))
CAPEX_ROWS: Rows = [
    ("2030-01-27", "2030-04-27", 100, "2030-05-24", "0000000042-30-000001"),
    ("2030-01-27", "2030-07-27", 250, "2030-08-23", "0000000042-30-000002"),
    ("2030-01-27", "2030-10-26", 450, "2030-11-22", "0000000042-30-000003"),
    ("2030-01-27", "2031-01-25", 700, "2031-03-07", "0000000042-31-000001"),
]
OCF_ROWS: Rows = [(start, end, value * 3 + 1, filed, number) for start, end, value, filed, number in CAPEX_ROWS]
# The first is read as UTC (20:05 in New York would have been filed a day later), the second is New York's clock; the
# third has another item; the fourth quarter was told long before its 10-K.
FILINGS = [
    ("0000000042-30-000011", "2030-05-22", "2030-05-22T20:05:00.000Z", "8-K", "2.02,9.01"),
    ("0000000042-30-000012", "2030-08-21", "2030-08-21T16:05:00.000Z", "8-K", "2.02,9.01"),
    ("0000000042-30-000013", "2030-11-20", "2030-11-20T21:05:00.000Z", "8-K", "5.02"),
    ("0000000042-31-000011", "2031-02-19", "2031-02-19T12:30:00.000Z", "8-K", "2.02,9.01"),
    ("0000000042-31-000001", "2031-03-07", "2031-03-07T21:30:00.000Z", "10-K", ""),
]


def concept(rows: Rows, tag: str, cik: int = 42, unit: str = "USD") -> dict[str, Any]:
    """As `companyconcept` has it; ``fy`` and ``fp`` are those of the filing, the same for all of its figures."""
    facts = [
        {"start": start, "end": end, "val": value * 1_000_000, "accn": accession, "fy": 2099, "fp": "Q1"}
        | {"form": "10-Q", "filed": filed, "frame": "CY2030Q1"}
        for start, end, value, filed, accession in rows
    ]
    return {
        **{"cik": cik, "taxonomy": "us-gaap", "tag": tag, "label": tag, "description": "...", "entityName": "FICT"},
        "units": {unit: facts},
    }


def filing_list(filings: Sequence[tuple[str, ...]]) -> dict[str, list[str]]:
    columns = ("accessionNumber", "filingDate", "acceptanceDateTime", "form", "items")
    return {name: [filing[place] for filing in filings] for place, name in enumerate(columns)} | {
        "reportDate": [filing[1] for filing in filings],
        "primaryDocument": ["a.htm" for _ in filings],
    }


def submissions(filings: Sequence[tuple[str, ...]] = FILINGS, files: Sequence[Mapping[str, Any]] = ()) -> dict:
    return {"cik": "0000000042", "name": "FICT", "filings": {"recent": filing_list(filings), "files": list(files)}}


def path(tag: str) -> str:
    return f"/api/xbrl/companyconcept/CIK0000000042/us-gaap/{tag}.json"


SUBMISSIONS = "/submissions/CIK0000000042.json"


@pytest.fixture(autouse=True)
def _contact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVERSE_QE_CONTACT", CONTACT)
    monkeypatch.delenv("EDGAR_IDENTITY", raising=False)
    monkeypatch.setattr(edgar, "company_entry", lambda symbol: {"FICT": FICT}[symbol])


@pytest.fixture
def serve(server: Any) -> Callable[..., None]:
    """Answer for the fictitious company; other figures and filings on request."""

    def answer(
        capex: Rows = CAPEX_ROWS, old_tag: Rows | None = None, ocf: Rows = OCF_ROWS, filings: Any = None
    ) -> None:
        server.answers(path(CAPEX_TAG), loopback.Answer(concept(capex, CAPEX_TAG)))
        if old_tag is not None:
            server.answers(path(OLD_TAG), loopback.Answer(concept(old_tag, OLD_TAG)))
        server.answers(path(OCF_TAG), loopback.Answer(concept(ocf, OCF_TAG)))
        server.answers(SUBMISSIONS, loopback.Answer(submissions() if filings is None else filings))

    return answer


@pytest.fixture
def fetch(server: Any) -> Callable[[], CompanyAnswer]:
    settings = SourceSettings(edgar_url=server.url, attempts=3, pause=0.0, read_timeout=0.4, edgar_per_second=1e6)
    return lambda: fetch_company("FICT", settings)


def landed(answer: CompanyAnswer) -> list[tuple[str, float, float, str, str]]:
    """By quarter: capex and operating cash flow in USD millions, and the moments at which they became known."""
    return [
        (
            row.fiscal_period,
            round(row.capex_usd_bn * 1000, 6),
            round(row.ocf_usd_bn * 1000, 6),
            f"{row.capex_known_at:%Y-%m-%d %H:%M}",
            f"{row.ocf_known_at:%Y-%m-%d %H:%M}",
        )
        for row in answer.quarters.itertuples()
    ]


# 21:30 UTC after a release, 22:00 in New York after a filing alone (02:00 UTC in summer, 03:00 in winter).
WANTED = [
    ("2031Q1", 100, 301, "2030-05-22 21:30", "2030-05-22 21:30"),
    ("2031Q2", 150, 450, "2030-08-21 21:30", "2030-08-21 21:30"),
    ("2031Q3", 200, 600, "2030-11-23 03:00", "2030-11-23 03:00"),
    ("2031Q4", 250, 750, "2031-02-19 20:00", "2031-02-19 20:00"),
]


def test_quarters_of_an_off_calendar_year_land_to_the_value_and_the_moment(
    serve: Callable[..., None], fetch: Callable[[], CompanyAnswer], server: Any
) -> None:
    serve()
    answer = fetch()
    assert landed(answer) == WANTED
    assert answer.notes == ()
    assert answer.company == "FICT"
    assert [asked.path for asked in server.asked] == [path(CAPEX_TAG), path(OLD_TAG), path(OCF_TAG), SUBMISSIONS]
    assert {asked.headers["user-agent"] for asked in server.asked} == {CONTACT}


def test_a_row_says_where_it_comes_from(serve: Callable[..., None], fetch: Callable[[], CompanyAnswer]) -> None:
    serve()
    first, *_, fourth = fetch().quarters.to_dict("records")
    assert (first["period_end"], first["filed_at"]) == (pd.Timestamp("2030-04-27"), pd.Timestamp("2030-05-24"))
    assert first["announced_basis"] == "8-K 0000000042-30-000011, accepted 16:05 ET at the latest"
    assert (first["source"], first["note"]) == ("SEC XBRL 0000000042-30-000001", "")
    assert (fourth["calendar_quarter"], fourth["session"]) == ("2031Q1", "intraday")
    assert fourth["note"].startswith("capex = 12 months of 0000000042-31-000001 less 9 months of 0000000042-30-000003")


def test_the_rows_are_a_sound_table_that_the_signal_takes(
    serve: Callable[..., None], fetch: Callable[[], CompanyAnswer]
) -> None:
    from dataclasses import replace

    serve()
    quarters = fetch().quarters
    pd.testing.assert_frame_equal(quarters, CAPEX.conform(quarters))
    snapshot = replace(make_snapshot({"A": [("2030-01-02", 1.0, 1.0)]}), capex_actuals=quarters)
    assert [check.name for check in validate_events(snapshot) if not check.holds] == []
    assert company_quarters(quarters, "FICT").capex.tolist() == pytest.approx([0.1, 0.15, 0.2, 0.25])


def test_a_restatement_is_kept_as_a_later_version(
    serve: Callable[..., None], fetch: Callable[[], CompanyAnswer]
) -> None:
    amended = ("2030-01-27", "2030-07-27", 240, "2030-09-30", "0000000042-30-000009")
    beside = ("2030-01-27", "2030-04-27", 100, "2030-09-30", "0000000042-30-000009")
    serve(capex=[*CAPEX_ROWS, amended, beside])
    answer = fetch()
    assert landed(answer) == [
        *WANTED[:2],
        ("2031Q3", 210, 600, "2030-11-23 03:00", "2030-11-23 03:00"),  # from the amended half year
        WANTED[3],
    ]
    second = answer.versions[(answer.versions["fiscal_period"] == "2031Q2") & (answer.versions["figure"] == "capex")]
    assert second["version"].tolist() == [1, 2]
    assert second["value_usd_bn"].tolist() == pytest.approx([0.150, 0.140])
    assert second["known_at"].dt.strftime("%Y-%m-%d %H:%M").tolist() == ["2030-08-21 21:30", "2030-10-01 02:00"]
    assert second["derivation"].iloc[1] == "6 months of 0000000042-30-000009 less 3 months of 0000000042-30-000009"
    assert len(answer.versions) == 9


def test_a_company_that_changes_its_tag(serve: Callable[..., None], fetch: Callable[[], CompanyAnswer]) -> None:
    """The third 10-Q has a new tag, with the nine months of the year before under it too: they are the same."""
    before = ("2029-01-28", "2029-10-27", 380, "2029-11-23", "0000000042-29-000003")
    again = (*before[:3], "2030-11-22", "0000000042-30-000003")
    serve(capex=[again, *CAPEX_ROWS[2:]], old_tag=[before, *CAPEX_ROWS[:2]])
    assert landed(fetch()) == WANTED


def test_a_tag_that_counts_something_else_is_not_mixed_in(
    serve: Callable[..., None], fetch: Callable[[], CompanyAnswer]
) -> None:
    before = ("2029-01-28", "2029-10-27", 380, "2029-11-23", "0000000042-29-000003")
    again = (*before[:2], 420, "2030-11-22", "0000000042-30-000003")
    serve(capex=[again, *CAPEX_ROWS[2:]], old_tag=[before, *CAPEX_ROWS[:2]])
    answer = fetch()
    assert answer.quarters["capex_usd_bn"].notna().tolist() == [True, True, False, True]
    assert answer.notes == ("FICT capex: no quarter could be derived for 2031Q3",)


def test_without_releases_quarters_are_known_from_their_filings(
    serve: Callable[..., None], fetch: Callable[[], CompanyAnswer]
) -> None:
    serve(filings=submissions([FILINGS[-1]]))
    assert [row[3] for row in landed(fetch())] == [
        "2030-05-25 02:00",
        "2030-08-24 02:00",
        "2030-11-23 03:00",
        "2031-03-08 03:00",
    ]


def test_a_release_of_a_company_whose_release_lacks_the_cash_flow_is_not_used(
    serve: Callable[..., None], fetch: Callable[[], CompanyAnswer], monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = FICT.model_copy(update={"release_has_cash_flow": False})
    monkeypatch.setattr(edgar, "company_entry", lambda symbol: silent)
    serve()
    assert landed(fetch())[0][3] == "2030-05-25 02:00"


def test_lists_of_older_filings_are_read_as_far_as_they_count(
    serve: Callable[..., None], fetch: Callable[[], CompanyAnswer], server: Any
) -> None:
    pages = [
        {"name": f"CIK0000000042-submissions-00{number}.json", "filingCount": 1, "filingFrom": first, "filingTo": last}
        for number, first, last in ((1, "2030-01-01", "2030-06-30"), (2, "2020-01-01", "2029-12-31"))
    ]
    serve(filings=submissions(FILINGS[1:], pages))
    server.answers("/submissions/CIK0000000042-submissions-001.json", loopback.Answer(filing_list(FILINGS[:1])))
    assert landed(fetch()) == WANTED
    assert server.asked_for("/submissions/CIK0000000042-submissions-002.json") == []


def test_figures_filed_apart_wait_for_each_other_and_it_is_told(
    serve: Callable[..., None], fetch: Callable[[], CompanyAnswer]
) -> None:
    late = [(*OCF_ROWS[0][:3], "2030-06-20", "0000000042-30-000007"), *OCF_ROWS[1:]]
    serve(ocf=late)
    answer = fetch()
    assert landed(answer)[0] == ("2031Q1", 100, 301, "2030-06-21 02:00", "2030-06-21 02:00")
    assert answer.notes == (
        "FICT 2031Q1: capex was filed on 2030-05-24, operating cash flow on 2030-06-20; the row is known from the "
        "later",
    )


def test_a_row_that_waits_has_what_is_known_by_then(
    serve: Callable[..., None], fetch: Callable[[], CompanyAnswer]
) -> None:
    amended = (*CAPEX_ROWS[0][:2], 90, "2030-06-10", "0000000042-30-000006")
    late = (*OCF_ROWS[0][:3], "2030-06-20", "0000000042-30-000007")
    serve(capex=[*CAPEX_ROWS, amended], ocf=[late, *OCF_ROWS[1:]])
    assert landed(fetch())[0] == ("2031Q1", 90, 301, "2030-06-21 02:00", "2030-06-21 02:00")


def test_a_quarter_that_is_first_filed_a_year_later_is_known_from_that_filing(
    serve: Callable[..., None], fetch: Callable[[], CompanyAnswer]
) -> None:
    """It stands beside its successor, whose release of 2030-05-22 did not announce it."""
    before = ("2029-01-28", "2029-04-28", 80, "2030-05-24", "0000000042-30-000001")
    serve(capex=[before, *CAPEX_ROWS], ocf=[before, *OCF_ROWS])
    assert landed(fetch()) == [("2030Q1", 80, 80, "2030-05-25 02:00", "2030-05-25 02:00"), *WANTED]


def test_capex_below_zero_is_told(serve: Callable[..., None], fetch: Callable[[], CompanyAnswer]) -> None:
    serve(capex=[(*CAPEX_ROWS[0][:2], -10, *CAPEX_ROWS[0][3:])], ocf=OCF_ROWS[:1])
    assert fetch().notes == ("FICT 2031Q1: capex is -0.010 USD bn, below 0; compare SEC XBRL 0000000042-30-000001",)


def test_a_sum_that_falls_is_told_at_the_figure_and_not_used(
    serve: Callable[..., None], fetch: Callable[[], CompanyAnswer]
) -> None:
    """Six months of 455 before nine of 450: the second quarter is not known, nor the third, and neither is negative."""
    serve(capex=[CAPEX_ROWS[0], (*CAPEX_ROWS[1][:2], 455, *CAPEX_ROWS[1][3:]), *CAPEX_ROWS[2:]])
    answer = fetch()

    told = answer.quarters.set_index("fiscal_period")["capex_usd_bn"].dropna()
    assert told.to_dict() == {"2031Q1": 0.1, "2031Q4": 0.25}
    assert answer.notes[0] == (
        f"FICT capex: {CAPEX_TAG}, 2030-01-27 to 2030-07-27: 0000000042-30-000002 gives 455000000 USD, a sum to "
        "2030-07-27 that is above 450000000 to 2030-10-26: not used"
    )
    assert "FICT capex: no quarter could be derived for 2031Q2, 2031Q3" in answer.notes


def test_slips_in_filings_are_left_out_and_told(serve: Callable[..., None], fetch: Callable[[], CompanyAnswer]) -> None:
    serve(capex=[*CAPEX_ROWS, ("2030-01-27", "2033-04-27", 7, "2030-05-24", "0000000042-30-000001")])
    answer = fetch()
    assert landed(answer) == WANTED
    assert answer.notes == (
        f"FICT capex: {CAPEX_TAG}, 2030-01-27 to 2033-04-27: 0000000042-30-000001, filed on 2030-05-24, is not used, "
        "for these days are out of order",
    )


@pytest.mark.parametrize("status", [429, 500, 504])
def test_a_refusal_is_asked_again(
    status: int, serve: Callable[..., None], fetch: Callable[[], CompanyAnswer], server: Any
) -> None:
    serve()
    good = loopback.Answer(concept(CAPEX_ROWS, CAPEX_TAG))
    server.answers(path(CAPEX_TAG), loopback.Answer("no", status=status), loopback.Answer(status=status), good)
    assert landed(fetch()) == WANTED
    assert len(server.asked_for(path(CAPEX_TAG))) == 3


@pytest.mark.parametrize(
    ("body", "error", "told"),
    [
        (
            "<html><title>SEC.gov | Request Rate Threshold Exceeded</title></html>",
            RateLimitError,
            r'got an HTML page \("SEC\.gov \| Request Rate Threshold Exceeded"\): it was asked too often; try again',
        ),
        (
            "<html><title>SEC.gov | Your Request Originates from an Undeclared Automated Tool</title></html>",
            BlockedError,
            "Undeclared Automated Tool.*set REVERSE_QE_CONTACT to your name and mail",
        ),
        ("<html><body>Go away</body></html>", BlockedError, r"Go away.*check REVERSE_QE_CONTACT"),
        ("", BlockedError, r"answered 403 \(without a word\); check REVERSE_QE_CONTACT"),
    ],
)
def test_a_403_says_that_we_are_not_wanted_and_ends_the_source_at_once(
    serve: Callable[..., None], server: Any, body: str, error: type[SourceError], told: str
) -> None:
    serve()
    server.answers(path(CAPEX_TAG), loopback.Answer(body, status=403))
    settings = SourceSettings(edgar_url=server.url, pause=0.0, edgar_per_second=1e6)
    nothing = fetch_world.World().sources()
    sources = replace(nothing, company=lambda *_: fetch_company("FICT", settings))
    due = Due(prices={}, series={}, companies=("FICT", "OTHER", "THIRD"), current=())
    known = Catalogue(companies=dict.fromkeys(due.companies, FICT))

    failures = ask(due, new_market(), sources, lambda _stage: None, known).failures

    assert [failure.name for failure in failures] == ["FICT", "OTHER", "THIRD"]
    assert len({failure.reason for failure in failures}) == 1
    assert re.search(told, failures[0].reason)
    assert len(server.asked) == 1
    with pytest.raises(error):
        fetch_company("FICT", settings)


def test_a_file_that_is_not_there_is_a_tag_that_was_never_used(
    serve: Callable[..., None], fetch: Callable[[], CompanyAnswer], server: Any
) -> None:
    """Amazon's storage says so with 404 at one place of the SEC, with 403 at another."""
    serve()
    assert landed(fetch()) == WANTED  # The older tag has no file.
    denied = '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'
    server.answers(path(OLD_TAG), loopback.Answer(denied, status=403))
    assert landed(fetch()) == WANTED

    server.answers(path(CAPEX_TAG), loopback.Answer(denied, status=403))
    told = (
        rf"nothing of use under .* \({CAPEX_TAG}: 403 Access Denied; {OLD_TAG}: 403 Access Denied\); correct its tags"
    )
    with pytest.raises(SourceError, match=told):
        fetch()


@pytest.mark.parametrize(
    ("cik", "is_ours"), [("0000000042", True), (42, True), ("43", False), ("", False), (None, False)]
)
def test_the_number_of_the_company_may_stand_there_with_zeros(
    serve: Callable[..., None], fetch: Callable[[], CompanyAnswer], server: Any, cik: object, is_ours: bool
) -> None:
    serve()
    server.answers(path(CAPEX_TAG), loopback.Answer(GOOD | {"cik": cik}))
    server.answers(SUBMISSIONS, loopback.Answer(submissions() | {"cik": cik}))
    if is_ours:
        assert landed(fetch()) == WANTED
        return
    with pytest.raises(SourceError, match=f"FICT {CAPEX_TAG}: got what is about CIK .*, wanted 42"):
        fetch()


def test_filings_of_another_company_are_refused(serve: Callable[..., None], fetch: Callable[[], CompanyAnswer]) -> None:
    serve(filings=submissions() | {"cik": "0000000043"})
    with pytest.raises(SourceError, match="FICT filings: got what is about CIK 0000000043, wanted 42"):
        fetch()


def test_an_acceptance_stamped_before_its_event_counts_as_the_evening_of_the_filing(
    serve: Callable[..., None], fetch: Callable[[], CompanyAnswer]
) -> None:
    """Stamped anew to the evening before, which would agree with the day of filing alone."""
    filings = [(FILINGS[0][0], "2030-05-22", "2030-05-21T22:05:00.000Z", *FILINGS[0][3:]), *FILINGS[1:]]
    serve(filings=submissions(filings))
    first = landed(fetch())[0]

    assert first[3] == "2030-05-23 02:00"  # 22:00 in New York on the 22nd.


@pytest.mark.parametrize("trouble", ["slow", "cut"])
def test_a_slow_or_a_cut_answer_is_asked_again(
    trouble: str, serve: Callable[..., None], fetch: Callable[[], CompanyAnswer], server: Any
) -> None:
    serve()
    body = concept(CAPEX_ROWS, CAPEX_TAG)
    bad = loopback.Answer(body, delay=2.0) if trouble == "slow" else loopback.Answer(body, sent=200)
    server.answers(path(CAPEX_TAG), bad, loopback.Answer(body))
    assert landed(fetch()) == WANTED


def test_what_stays_bad_is_one_line_that_can_be_tried_later(
    serve: Callable[..., None], fetch: Callable[[], CompanyAnswer], server: Any
) -> None:
    serve()
    server.answers(path(OCF_TAG), loopback.Answer(status=504))
    with pytest.raises(SourceError, match=r"^EDGAR: .*504.*") as caught:
        fetch()
    assert caught.value.retry_later
    assert "jane" not in str(caught.value)


def without(document: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != key}


GOOD = concept(CAPEX_ROWS, CAPEX_TAG)
FACT = GOOD["units"]["USD"][0]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "got no JSON"),
        ("[]", "got list, wanted a JSON object"),
        ("<html><title>Your Request Originates from an Undeclared Automated Tool</title></html>", "instead of JSON"),
        (GOOD | {"cik": 43}, r"got what is about CIK 43, wanted 42"),
        (without(GOOD, "units") | {"measures": {}}, r"got no units but cik, .*measures, wanted units with USD"),
        (GOOD | {"units": {"EUR": []}}, r"got units EUR, wanted units with USD"),
        (GOOD | {"units": {"USD": [without(FACT, "val") | {"value": 1}]}}, r"got a figure with .*, wanted also val"),
        (GOOD | {"units": {"USD": [FACT | {"val": None}]}}, r"got a figure that cannot be read"),
        (GOOD | {"units": {"USD": [FACT | {"end": "soon"}]}}, r"got a figure that cannot be read"),
        (
            GOOD | {"units": {"USD": []}},
            rf"FICT has filed nothing of use under {CAPEX_TAG} or {OLD_TAG} .*; correct its tags",
        ),
    ],
    ids=["empty", "list", "page", "other company", "no units", "euros", "renamed", "null", "no day", "none"],
)
def test_answers_in_another_shape_are_refused_by_name(
    body: Any, message: str, serve: Callable[..., None], fetch: Callable[[], Any], server: Any
) -> None:
    serve()
    server.answers(path(CAPEX_TAG), loopback.Answer(body))
    with pytest.raises(SourceError, match=message) as caught:
        fetch()
    assert str(caught.value).startswith("EDGAR: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("filings", "message"),
    [
        ({"name": "FICT"}, "list of filings that cannot be read: KeyError"),
        ({"filings": {"recent": without(filing_list(FILINGS), "items"), "files": []}}, "wanted also items"),
        (
            {"filings": {"recent": filing_list(FILINGS) | {"items": []}, "files": []}},
            "list of filings that cannot be read: ValueError",
        ),
        (
            submissions([("a", "2030-05-22", "noon", "8-K", "2.02")]),
            "list of filings that cannot be read: .*noon",
        ),
        (
            submissions(files=[{"name": "../secret", "filingTo": "2030-12-31"}]),
            r"got '\.\./secret' as a list of older filings",
        ),
    ],
    ids=["no filings", "renamed", "short column", "no moment", "odd name"],
)
def test_a_list_of_filings_in_another_shape_is_refused(
    filings: Any, message: str, serve: Callable[..., None], fetch: Callable[[], Any]
) -> None:
    serve(filings=filings)
    with pytest.raises(SourceError, match=message):
        fetch()


def test_a_company_that_never_used_any_of_its_tags_is_told(fetch: Callable[[], Any]) -> None:
    with pytest.raises(SourceError, match=f"FICT has filed nothing of use under {CAPEX_TAG} or {OLD_TAG}"):
        fetch()


def test_no_network_is_told_at_once() -> None:
    with pytest.raises(NoNetworkError, match="no network"):
        fetch_company("FICT", SourceSettings(edgar_url=loopback.closed_port_url(), attempts=9, pause=9.0))


def test_a_company_that_files_years_only_is_refused(
    serve: Callable[..., None], fetch: Callable[[], CompanyAnswer]
) -> None:
    serve(capex=CAPEX_ROWS[3:], ocf=OCF_ROWS[3:])
    with pytest.raises(
        SourceError, match=r"EDGAR: FICT: no quarter could be derived from 2 figures; correct its entry"
    ):
        fetch()


def test_results_of_several_companies_come_as_one_table(
    serve: Callable[..., None], server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(capex=[*CAPEX_ROWS, ("2030-01-27", "2033-04-27", 7, "2030-05-24", "0000000042-30-000001")])
    monkeypatch.setattr(edgar, "company_entry", lambda symbol: FICT)
    asked: list[str] = []
    settings = SourceSettings(edgar_url=server.url, edgar_per_second=1e6)
    results, notes = edgar.fetch_results(["FICT", "TWIN"], settings, asked.append)
    assert results["company"].tolist() == ["FICT"] * 4 + ["TWIN"] * 4
    assert asked == ["FICT", "TWIN"]
    assert [note.split()[0] for note in notes] == ["FICT", "TWIN"]


# Who is asking


@pytest.mark.parametrize(("given", "got"), [("", "none"), ("Jane Doe", "one without a mail address"), ("@", "one ")])
def test_without_a_contact_nothing_is_asked(
    given: str, got: str, fetch: Callable[[], Any], server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REVERSE_QE_CONTACT", given)
    with pytest.raises(InputError, match=rf"EDGAR: got {got}.*; set REVERSE_QE_CONTACT to your name and mail address"):
        fetch()
    assert server.asked == []


def test_the_contact_may_be_that_of_edgartools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REVERSE_QE_CONTACT")
    monkeypatch.setenv("EDGAR_IDENTITY", " John Roe john@example.org ")
    assert edgar.contact() == "John Roe john@example.org"


def test_at_most_five_requests_a_second(
    serve: Callable[..., None], server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a clock that only waiting moves."""
    now = [0.0]
    moments: list[float] = []

    def sleep(seconds: float) -> None:
        now[0] += seconds

    pacer = retrying.Pacer(clock=lambda: now[0], sleep=sleep)
    wait = pacer.wait

    def recorded(host: str, per_second: float) -> None:
        wait(host, per_second)
        moments.append(now[0])

    monkeypatch.setattr(pacer, "wait", recorded)
    monkeypatch.setattr(http, "PACER", pacer)
    serve()
    fetch_company("FICT", SourceSettings(edgar_url=server.url))
    assert moments == pytest.approx([0.0, 0.2, 0.4, 0.6])
