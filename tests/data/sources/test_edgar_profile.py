"""What the SEC tells of a company itself, by answers of the form that it gives."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import loopback
from data.errors import InputError
from data.fetch.proposals import proposed_company
from data.net.errors import BlockedError, SourceError
from data.net.settings import SourceSettings
from data.sources.answers import Profile
from data.sources.edgar import CAPEX_TAGS, fetch_profile

TICKERS = "/files/company_tickers.json"
CIK = 51143
NARROW, WIDE = CAPEX_TAGS


def concept(tag: str, *ends: str, cik: int = CIK) -> loopback.Answer:
    rows = [{"end": end, "val": 1} for end in ends]
    return loopback.Answer({"cik": cik, "tag": tag, "units": {"USD": rows}})


def path(tag: str) -> str:
    return f"/api/xbrl/companyconcept/CIK{CIK:010d}/us-gaap/{tag}.json"


@pytest.fixture
def ask(server: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Profile]:
    monkeypatch.setenv("REVERSE_QE_CONTACT", "Jane Doe jane@example.org")
    rows = {"0": {"cik_str": 320193, "ticker": "AAPL", "title": "Apple Inc."}}
    rows["1"] = {"cik_str": CIK, "ticker": "IBM", "title": "INTERNATIONAL BUSINESS MACHINES CORP"}
    server.answers(TICKERS, loopback.Answer(rows))
    server.answers(
        f"/submissions/CIK{CIK:010d}.json",
        loopback.Answer({"cik": f"{CIK:010d}", "name": "INTL BUSINESS MACHINES CORP", "fiscalYearEnd": "1231"}),
    )
    server.answers(path(NARROW), concept(NARROW, "2023-12-31", "2024-12-31"))
    settings = SourceSettings(
        edgar_url=server.url, edgar_tickers_url=f"{server.url}{TICKERS}", attempts=1, edgar_per_second=1e6
    )
    return lambda company="IBM": fetch_profile(company, settings)


def test_number_name_year_and_tags(ask: Callable[..., Profile], server: Any) -> None:
    told = ask("ibm")
    assert (told.cik, told.name, told.fiscal_year_end_month) == (CIK, "INTL BUSINESS MACHINES CORP", 12)
    assert told.capex_tags == (NARROW,)  # The other is answered 404.
    entry = proposed_company(told)
    assert (entry.cik, entry.release_has_cash_flow) == (CIK, False)
    assert {asked.headers["user-agent"] for asked in server.asked} == {"Jane Doe jane@example.org"}


def test_the_tag_with_the_newest_figure_holds_first(ask: Callable[..., Profile], server: Any) -> None:
    server.answers(path(WIDE), concept(WIDE, "2025-12-31"))
    assert ask().capex_tags == (WIDE, NARROW)
    server.answers(path(WIDE), concept(WIDE, "2024-12-31"))
    assert ask().capex_tags == (NARROW, WIDE)


@pytest.mark.parametrize(
    ("told", "month"),
    # Apple's, NVIDIA's; weeks that run over: a year that ends on January 3, and one on October 1.
    [("0926", 9), ("0126", 1), ("0630", 6), ("0103", 12), ("1001", 9), ("0229", 2)],
)
def test_the_fiscal_year_ends_in_the_month_of_its_weeks(
    ask: Callable[..., Profile], server: Any, told: str, month: int
) -> None:
    server.answers(
        f"/submissions/CIK{CIK:010d}.json", loopback.Answer({"cik": CIK, "name": "x", "fiscalYearEnd": told})
    )
    assert ask().fiscal_year_end_month == month


@pytest.mark.parametrize(
    ("where", "body", "reason"),
    [
        (TICKERS, {"0": {"cik_str": 1, "ticker": "AAPL"}}, "the SEC lists no ticker IBM"),
        (TICKERS, {"0": {"cik_str": "x", "ticker": "IBM"}}, "got the number 'x', wanted a CIK"),
        (TICKERS, {"0": {"cik_str": 10**10, "ticker": "IBM"}}, "wanted a CIK"),
        (TICKERS, [1, 2], "got list, wanted a JSON object"),
        (TICKERS, {"0": None, "1": "IBM"}, "the SEC lists no ticker IBM"),
        ("submissions", {"cik": 7, "name": "x", "fiscalYearEnd": "1231"}, "about CIK 7, wanted 51143"),
        ("submissions", {"cik": CIK, "name": "x"}, "got None as the end of its fiscal year"),
        ("submissions", {"cik": CIK, "name": "x", "fiscalYearEnd": "1331"}, "got '1331' as the end"),
        ("concept", {"cik": CIK, "units": {"EUR": []}}, "got no capex under PaymentsToAcquireProperty"),
        ("concept", {"cik": CIK, "units": None}, "got no capex under"),
        ("concept", {"cik": CIK, "units": {"USD": [7, {}]}}, "got no capex under"),
    ],
)
def test_an_answer_of_another_form_is_told(
    ask: Callable[..., Profile], server: Any, where: str, body: Any, reason: str
) -> None:
    places = {"submissions": f"/submissions/CIK{CIK:010d}.json", "concept": path(NARROW)}
    server.answers(places.get(where, where), loopback.Answer(body))
    with pytest.raises(SourceError, match=reason) as refusal:
        ask()
    assert "\n" not in str(refusal.value)


def test_without_a_contact_nobody_is_asked_and_a_403_ends_it(
    ask: Callable[..., Profile], server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers(TICKERS, loopback.Answer("<html><title>Undeclared Automated Tool</title></html>", status=403))
    with pytest.raises(BlockedError):
        ask()
    monkeypatch.delenv("REVERSE_QE_CONTACT")
    asked = len(server.asked)
    with pytest.raises(InputError, match="wanted a contact"):
        ask()
    assert len(server.asked) == asked


def test_a_name_steers_nothing(ask: Callable[..., Profile], server: Any) -> None:
    server.answers(
        f"/submissions/CIK{CIK:010d}.json",
        loopback.Answer({"cik": CIK, "name": "Evil\x1b[2J\n", "fiscalYearEnd": "1231"}),
    )
    assert "\x1b" not in proposed_company(ask()).name


@pytest.mark.payloads
def test_recorded_answers_come_to_the_shipped_entries(payloads: Path, ask: Callable[..., Profile], server: Any) -> None:
    """Apple's, as the SEC gave them: the tag that it files under today is the first of the shipped entry too."""
    folder, cik = payloads / "sec", "0000320193"
    filings = json.loads((folder / "submissions-AAPL-results.json").read_text(encoding="utf-8"))
    server.answers(f"/submissions/CIK{cik}.json", loopback.Answer(filings))
    for tag in CAPEX_TAGS:
        document = (folder / f"companyconcept-CIK{cik}-{tag}.json").read_text(encoding="utf-8")
        server.answers(f"/api/xbrl/companyconcept/CIK{cik}/us-gaap/{tag}.json", loopback.Answer(document))
    from data.catalogue.companies import company_entry

    told, shipped = ask("AAPL"), company_entry("AAPL")
    assert (told.cik, told.fiscal_year_end_month) == (shipped.cik, shipped.fiscal_year_end_month)
    assert told.capex_tags == shipped.capex_tags
