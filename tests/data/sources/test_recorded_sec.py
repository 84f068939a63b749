"""Answers that the SEC gave: figures to the dollar, releases to the moment, refusals as what they are."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import loopback
from data.catalogue.companies import company_entry
from data.events.completion import reference_events
from data.market.tables import CAPEX
from data.net.errors import NotFoundError, RateLimitError, SourceError
from data.net.settings import SourceSettings
from data.net.told import told
from data.sources.edgar import CompanyAnswer, fetch_company

pytestmark = pytest.mark.payloads

CONCEPTS = (
    "companyconcept-CIK0000320193-NetCashProvidedByUsedInOperatingActivities.json",
    "companyconcept-CIK0000320193-PaymentsToAcquireProductiveAssets.json",
    "companyconcept-CIK0000320193-PaymentsToAcquirePropertyPlantAndEquipment.json",
    "companyconcept-CIK0001045810-NetCashProvidedByUsedInOperatingActivities.json",
    "companyconcept-CIK0001045810-PaymentsToAcquireProductiveAssets.json",
    "companyconcept-CIK0001045810-PaymentsToAcquirePropertyPlantAndEquipment.json",
    "companyconcept-CIK0001652044-NetCashProvidedByUsedInOperatingActivities.json",
    "companyconcept-CIK0001652044-PaymentsToAcquirePropertyPlantAndEquipment.json",
)
NO_FILINGS: dict[str, Any] = {
    "filings": {
        "recent": {
            name: [] for name in ("accessionNumber", "filingDate", "acceptanceDateTime", "form", "items", "reportDate")
        },
        "files": [],
    }
}


def concept_path(file: str) -> str:
    _, cik, tag = file.removesuffix(".json").split("-")
    return f"/api/xbrl/companyconcept/{cik}/us-gaap/{tag}.json"


@pytest.fixture
def sec(server: Any, payloads: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The SEC as recorded: figures of Apple, Nvidia and Alphabet, releases of Apple; what it lacks, it says in XML."""
    monkeypatch.setenv("REVERSE_QE_CONTACT", "Jane Doe jane@example.org")
    gone = loopback.Answer((payloads / "sec/404.xml").read_bytes(), status=404)
    for tag in ("NetCashProvidedByUsedInOperatingActivitiesContinuingOperations",):
        for cik in (320193, 1045810, 1652044):
            server.answers(f"/api/xbrl/companyconcept/CIK{cik:010d}/us-gaap/{tag}.json", gone)
    for file in CONCEPTS:
        server.answers(concept_path(file), loopback.Answer((payloads / "sec" / file).read_bytes()))
    releases = (payloads / "sec/submissions-AAPL-results.json").read_bytes()
    server.answers("/submissions/CIK0000320193.json", loopback.Answer(releases))
    for cik in (1045810, 1652044):
        server.answers(f"/submissions/CIK{cik:010d}.json", loopback.Answer(NO_FILINGS))
    return server


def fetched(server: Any, company: str) -> CompanyAnswer:
    return fetch_company(company, SourceSettings(edgar_url=server.url, pause=0, edgar_per_second=1e6))


def quarters(answer: CompanyAnswer) -> pd.DataFrame:
    return answer.quarters.set_index("fiscal_period")


def figures(answer: CompanyAnswer, *periods: str) -> list[tuple[float, float, str]]:
    """Capex and operating cash flow in USD bn, and the moment from which the row is known."""
    rows = quarters(answer).loc[list(periods)]
    return [
        (round(row.capex_usd_bn, 9), round(row.ocf_usd_bn, 9), f"{row.capex_known_at:%Y-%m-%d %H:%M}")
        for row in rows.itertuples()
    ]


def test_apple_to_the_dollar_and_the_moment(sec: Any) -> None:
    answer = fetched(sec, "AAPL")

    # 2023: 2.163, not the 4.256 that two quarters came to.
    assert figures(answer, "2023Q1", "2023Q2", "2023Q3", "2023Q4") == [
        (3.787, 34.005, "2023-02-03 03:00"),
        (2.916, 28.560, "2023-05-04 21:30"),
        (2.093, 26.380, "2023-08-03 21:30"),
        (2.163, 21.598, "2023-11-02 21:30"),
    ]
    # Its older tag goes back to 2008; for 2013 both tell the same.
    assert list(quarters(answer).index[[0, -1]]) == ["2008Q4", "2026Q2"]
    assert figures(answer, "2012Q4", "2013Q1") == [
        (3.461, 9.136, "2012-10-25 21:30"),
        (2.317, 23.426, "2013-01-24 03:00"),
    ]
    assert quarters(answer)["capex_usd_bn"].notna().all()


def test_a_release_stamped_anew_counts_from_the_evening_of_its_filing(sec: Any) -> None:
    """Apple's release of 2020-07-30 stands there with 18:55 in New York, under which no filing has that day's date."""
    row = quarters(fetched(sec, "AAPL")).loc["2020Q3"]

    assert str(row["capex_known_at"]) == "2020-07-31 02:00:00+00:00"
    assert row["announced_basis"].endswith("its acceptance 2020-07-30T22:55:04.000Z fits no clock")


def test_alphabet_is_what_is_shipped(sec: Any) -> None:
    ours = quarters(fetched(sec, "GOOGL"))
    shipped = reference_events()[CAPEX.name].query("company == 'GOOGL'").set_index("fiscal_period")
    both = ours.index.intersection(shipped.index[shipped["capex_vintage"] == "as_first_reported"])

    assert len(both) > 30
    for figure in ("capex_usd_bn", "ocf_usd_bn"):
        assert (ours.loc[both, figure] - shipped.loc[both, figure]).abs().max() < 5e-7


def test_restated_figures_of_alphabet_are_in_no_difference_with_others(sec: Any) -> None:
    versions = fetched(sec, "GOOGL").versions
    rows = versions.query("figure == 'capex' and fiscal_period == '2015Q4'")

    # 9,915 for the year less 7,815 for nine months; restated together a year later, 9,950 less 7,848.
    assert rows["value_usd_bn"].round(9).tolist() == [2.1, 2.102]
    assert rows["filed_at"].astype(str).tolist() == ["2016-02-11", "2017-02-03"]


def test_nvidia_by_its_two_tags(sec: Any) -> None:
    answer = fetched(sec, "NVDA")

    assert figures(answer, "2026Q4", "2027Q1") == [
        (1.284, 36.188, "2026-02-26 03:00"),
        (1.757, 50.344, "2026-05-21 02:00"),
    ]
    assert quarters(answer).loc["2027Q1", "period_end"] == pd.Timestamp("2026-04-26")
    assert any("no quarter could be derived for" in note for note in answer.notes)


@pytest.mark.parametrize("file", ["submissions-MSFT-as-served.json", "submissions-MSFT-results.json"])
def test_lists_of_filings_give_the_moments_of_microsofts_releases(sec: Any, payloads: Path, file: str) -> None:
    """One as it is served, its number as text with zeros and older lists beside; one with the whole past in it."""
    document = json.loads((payloads / "sec" / file).read_text())
    assert document["cik"] == "0000789019"
    sec.answers("/submissions/CIK0000789019.json", loopback.Answer(document))
    capex, *_ = company_entry("MSFT").capex_tags
    fact = {"start": "2025-10-01", "end": "2025-12-31", "val": 29_876_000_000, "accn": "0001193125-26-027207"}
    facts = {"cik": 789019, "units": {"USD": [fact | {"filed": "2026-01-28"}]}}
    for tag in (capex, "NetCashProvidedByUsedInOperatingActivities"):
        sec.answers(f"/api/xbrl/companyconcept/CIK0000789019/us-gaap/{tag}.json", loopback.Answer(facts))

    [row] = fetched(sec, "MSFT").quarters.to_dict("records")

    assert (row["fiscal_period"], row["session"], str(row["capex_known_at"])) == (
        "2026Q2",
        "amc",
        "2026-01-28 21:30:00+00:00",
    )
    assert row["announced_basis"] == "8-K 0001193125-26-027198, accepted 16:04 ET at the latest"
    # No list of filings from before the first figure is asked for.
    assert [asked.path for asked in sec.asked if "submissions-" in asked.path] == []


def test_a_page_that_limits_requests_ends_it_at_once(sec: Any, payloads: Path) -> None:
    sec.answers(concept_path(CONCEPTS[2]), loopback.Answer((payloads / "sec/403-rate.html").read_bytes(), status=403))

    with pytest.raises(RateLimitError, match=r"SEC\.gov \| Request Rate Threshold Exceeded.*asked too often"):
        fetched(sec, "AAPL")
    assert len(sec.asked) == 1


def test_what_is_not_there_is_told_in_xml(sec: Any, payloads: Path) -> None:
    denied = (payloads / "sec/403-AccessDenied.xml").read_bytes()
    gone = (payloads / "sec/404.xml").read_bytes()
    assert (told(denied), told(gone)) == ("Access Denied", "The specified key does not exist.")

    sec.answers(concept_path(CONCEPTS[2]), loopback.Answer(denied, status=403))
    sec.answers(concept_path(CONCEPTS[1]), loopback.Answer(gone, status=404))
    with pytest.raises(SourceError, match=r"403 Access Denied; .*: 404 The specified key does not exist\.\)"):
        fetched(sec, "AAPL")

    sec.answers(concept_path(CONCEPTS[2]), loopback.Answer((payloads / "sec" / CONCEPTS[2]).read_bytes()))
    sec.answers("/submissions/CIK0000320193.json", loopback.Answer(gone, status=404))
    with pytest.raises(NotFoundError, match=r"EDGAR: answered 404 Not Found: The specified key does not exist\."):
        fetched(sec, "AAPL")
