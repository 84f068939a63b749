"""A company's years from `companyfacts`: a server on loopback answers in its shape; value, moment and refusals."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import loopback
from data.catalogue.companies import Company, company_entry
from data.errors import InputError
from data.net.errors import BlockedError, RateLimitError, SourceError
from data.net.settings import SourceSettings
from data.sources.answers import FilingsAnswer
from data.sources.company_facts.asking import _moments, fetch_filings, figures
from data.sources.edgar import tickers
from data.sources.edgar_quarters import Fact, quarter_history

FACTS, SUBMISSIONS, TICKERS = "/api/xbrl/companyfacts/CIK0000000042.json", "/submissions/CIK0000000042.json", "/tickers"
M = 1_000_000
# number: day of filing, form, stamp. The last is New York's clock (21:30 UTC would be 17:30 there, told as the same).
FILINGS = {
    "22": ("2022-02-24", "10-K", "2022-02-24T21:05:10.000Z"),
    "22q1": ("2022-04-28", "10-Q", "2022-04-28T20:10:00.000Z"),
    "23": ("2023-02-23", "10-K", "2023-02-23T21:05:10.000Z"),
    "23q1": ("2023-04-27", "10-Q", "2023-04-27T20:10:00.000Z"),
    "23a": ("2023-06-01", "10-K/A", "2023-06-01T15:00:00.000Z"),
    "24": ("2024-02-22", "10-K", "2024-02-22T21:05:10.000Z"),
}
YEAR = {year: (f"{year}-01-01", f"{year}-12-31") for year in range(2019, 2024)}
QUARTER = {year: (f"{year}-01-01", f"{year}-03-31") for year in range(2020, 2024)}
Row = tuple[str | None, str, float, str]


def over(periods: Mapping[int, tuple[str, str]], year: int, value: float, number: str) -> Row:
    return (*periods[year], value * M, number)


def on(day: str, value: float, number: str) -> Row:
    return (None, day, value, number)


# In millions of US dollars. The book of 2022 is restated by the amendment; 2021 has no first quarter of its own.
TOLD: dict[str, list[Row]] = {
    "StockholdersEquity": [
        on("2021-12-31", 70 * M, "22"), on("2022-03-31", 72 * M, "22q1"), on("2022-12-31", 81 * M, "23"),
        on("2021-12-31", 70 * M, "23"),
        on("2022-12-31", 80 * M, "23a"), on("2023-12-31", 100 * M, "24"), on("2022-12-31", 80 * M, "24"),
    ],
    "NetIncomeLoss": [
        over(YEAR, 2021, 20, "22"), over(QUARTER, 2022, 6, "22q1"), over(QUARTER, 2021, 4, "22q1"),
        over(YEAR, 2022, 25, "23"), over(YEAR, 2021, 20, "23"), over(QUARTER, 2023, 8, "23q1"),
        over(QUARTER, 2022, 6, "23q1"), over(YEAR, 2023, 30, "24"),
    ],
    "Revenues": [over(YEAR, 2021, 90, "22")],
    "RevenueFromContractWithCustomerExcludingAssessedTax": [
        over(YEAR, 2022, 100, "23"), over(YEAR, 2021, 91, "23"), over(YEAR, 2023, 150, "24"),
        over(YEAR, 2022, 100, "24"),
    ],
    "NetCashProvidedByUsedInOperatingActivities": [over(YEAR, 2022, 30, "23"), over(YEAR, 2023, 50, "24")],
    "PaymentsToAcquirePropertyPlantAndEquipment": [over(YEAR, 2022, 20, "23"), over(YEAR, 2023, 30, "24")],
}  # fmt: skip
COVERS: list[Row] = [on("2022-02-18", 1_990_000, "22"), on("2023-02-17", 2_000_000, "23"),
                     on("2023-04-21", 2_010_000, "23q1"),
                     on("2024-02-16", 4_000_000, "24")]  # fmt: skip


def fact(row: Row, form: str | None = None) -> dict[str, Any]:
    """As the SEC serves one; ``fy`` and ``fp`` name the filing, and are wrong on purpose."""
    start, end, value, number = row
    filed, own_form, _ = FILINGS[number]
    told = {"end": end, "val": value, "accn": number, "fy": 2099, "fp": "Q9", "form": form or own_form, "filed": filed}
    return ({"start": start} if start else {}) | told | {"frame": "CY1999Q1I"}


def served(told: Mapping[str, Sequence[Row]], unit: str = "USD") -> dict[str, Any]:
    return {
        tag: {"label": tag, "description": "...", "units": {unit: [fact(row) for row in rows]}}
        for tag, rows in told.items()
    }


def company(told: Mapping[str, Sequence[Row]] = TOLD, covers: Sequence[Row] = COVERS, **more: Any) -> dict[str, Any]:
    dei = served({"EntityCommonStockSharesOutstanding": covers}, "shares") if covers else {}
    return {"cik": 42, "entityName": "HAND", "facts": {"dei": dei, "us-gaap": served(told) | more}}


def filing_list(numbers: Sequence[str] = tuple(FILINGS)) -> dict[str, Any]:
    recent = {
        "accessionNumber": list(numbers),
        "filingDate": [FILINGS[each][0] for each in numbers],
        "acceptanceDateTime": [FILINGS[each][2] for each in numbers],
        "form": [FILINGS[each][1] for each in numbers],
    }
    return {"cik": "0000000042", "filings": {"recent": recent, "files": []}}


@pytest.fixture
def sec(server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("REVERSE_QE_CONTACT", "Jane Doe jane@example.org")
    server.answers(FACTS, loopback.Answer(company()))
    server.answers(SUBMISSIONS, loopback.Answer(filing_list()))
    server.answers(TICKERS, loopback.Answer({"0": {"cik_str": 42, "ticker": "HA-ND", "title": "Hand"}}))
    return server


def fetched(server: Any, symbol: str = "HA.ND") -> FilingsAnswer:
    settings = SourceSettings(
        edgar_url=server.url, edgar_tickers_url=f"{server.url}{TICKERS}", pause=0, edgar_per_second=1e6
    )
    return fetch_filings(symbol, settings, None, lambda: tickers(settings, {}))


def rows(answer: FilingsAnswer, figure: str) -> list[tuple[str, float, str]]:
    """Date, value and moment in New York."""
    frame = answer.series[f"{answer.symbol}.{figure}"].rows
    moments = frame["known_at"].dt.tz_convert("America/New_York").dt.strftime("%Y-%m-%d %H:%M")
    return list(zip(frame["date"].astype(str), frame["value"], moments, strict=True))


def test_every_figure_comes_with_its_versions_each_known_from_the_acceptance_of_its_filing(sec: Any) -> None:
    answer = fetched(sec)
    # 2022 was restated: both stand, the second from its amendment on. A figure that is told again adds nothing.
    assert rows(answer, "book") == [
        ("2021-12-31", 70, "2022-02-24 16:05"),
        ("2022-03-31", 72, "2022-04-28 16:10"),
        ("2022-12-31", 81, "2023-02-23 16:05"),
        ("2022-12-31", 80, "2023-06-01 15:00"),  # Both of its readings fit the day: the later one is taken.
        ("2023-12-31", 100, "2024-02-22 16:05"),
    ]
    # The year to March 2022 is 20 + 6 - 4, that to March 2023 is 25 + 8 - 6.
    assert [row[:2] for row in rows(answer, "earnings")] == [
        ("2021-12-31", 20), ("2022-03-31", 22), ("2022-12-31", 25), ("2023-03-31", 27), ("2023-12-31", 30)
    ]  # fmt: skip
    # The new tag tells the year before anew.
    assert rows(answer, "sales") == [
        ("2021-12-31", 90, "2022-02-24 16:05"),
        ("2021-12-31", 91, "2023-02-23 16:05"),
        ("2022-12-31", 100, "2023-02-23 16:05"),
        ("2023-12-31", 150, "2024-02-22 16:05"),
    ]
    assert [row[:2] for row in rows(answer, "free_cash_flow")] == [("2022-12-31", 10), ("2023-12-31", 20)]
    assert [row[:2] for row in rows(answer, "shares")] == [
        ("2022-02-18", 1.99),
        ("2023-02-17", 2.0),
        ("2023-04-21", 2.01),
        ("2024-02-16", 4),
    ]
    assert answer.notes == ()
    # A company is three requests, of which the list of tickers is asked for once a fetch.
    assert [each.path for each in sec.asked] == [TICKERS, FACTS, SUBMISSIONS]
    assert {each.headers["user-agent"] for each in sec.asked if each.path != TICKERS} == {"Jane Doe jane@example.org"}


def test_an_entry_of_the_company_gives_its_number_and_no_ticker_is_looked_up(sec: Any) -> None:
    entry = Company(name="Hand", cik=42, fiscal_year_end_month=12, capex_tags=("PaymentsToAcquireOther",))
    settings = SourceSettings(edgar_url=sec.url, pause=0, edgar_per_second=1e6)
    answer = fetch_filings("HAND", settings, entry, lambda: pytest.fail("the list of tickers was asked for"))
    # Its own tags hold: under them it has filed no capex, and there is no free cash flow.
    assert answer.notes == ("its filings do not tell: free_cash_flow",)


def test_cutting_the_filings_after_a_day_changes_nothing_that_was_known_by_then(sec: Any) -> None:
    whole = fetched(sec)
    for cut in ("23", "23q1", "23a"):
        until = FILINGS[cut][0]
        known = {tag: [row for row in told if FILINGS[row[3]][0] <= until] for tag, told in TOLD.items()}
        document = company(known, [row for row in COVERS if FILINGS[row[3]][0] <= until])
        sec.answers(FACTS, loopback.Answer(document))
        for name, answer in fetched(sec).series.items():
            moment = pd.Timestamp(until, tz="UTC") + pd.Timedelta(hours=29)
            before = whole.series[name].rows
            pd.testing.assert_frame_equal(answer.rows, before[before["known_at"] <= moment].reset_index(drop=True))


def test_a_filing_outside_of_its_list_is_known_when_edgar_closed_that_day(sec: Any) -> None:
    sec.answers(SUBMISSIONS, loopback.Answer(filing_list(["22", "22q1", "23", "23q1", "23a"])))
    answer = fetched(sec)
    assert rows(answer, "book")[-1] == ("2023-12-31", 100, "2024-02-22 22:00")
    assert answer.notes == ("1 filings are not in its list: known from 22:00 in New York on their day",)


def test_what_filings_hold_beside_is_left_out_and_counted(sec: Any) -> None:
    document = company()
    gaap = document["facts"]["us-gaap"]
    income = gaap["NetIncomeLoss"]["units"]
    # A proxy statement repeats the year in thousands; a slip has no first day, no number, another unit.
    income["USD"] += [
        fact(over(YEAR, 2023, 0.03, "24"), form="DEF 14A"),
        fact((None, "2023-12-31", 30 * M, "24")),
        fact(over(YEAR, 2020, 1, "24")) | {"val": None},
        fact(over(YEAR, 2020, 1, "24")) | {"val": "12"},
    ]
    income["USD/shares"] = [fact(over(YEAR, 2023, 2, "24"))]
    sec.answers(FACTS, loopback.Answer(document))
    answer = fetched(sec)
    assert [row[:2] for row in rows(answer, "earnings")][-1] == ("2023-12-31", 30)
    assert answer.notes == (
        "not used: 1 figures of other filings than 10-K and 10-Q, 1 figures without a first day, 2 figures without a "
        "number, 1 figures in USD/shares and not in USD",
    )


def test_the_whole_holds_over_its_part_and_a_tag_given_up_does_not(sec: Any) -> None:
    part, whole = "RevenueFromContractWithCustomerExcludingAssessedTax", "Revenues"
    both = {whole: [over(YEAR, 2023, 770, "24")], part: [over(YEAR, 2023, 24, "24")]}
    sec.answers(FACTS, loopback.Answer(company(TOLD | both)))
    assert rows(fetched(sec), "sales")[-1][:2] == ("2023-12-31", 770)
    # Others tell a part under the other name, and of a year that the whole does not have nothing is told.
    both = {whole: [over(YEAR, 2022, 2.0, "23"), over(YEAR, 2021, 1.9, "23")], part: [over(YEAR, 2022, 19.9, "23")]}
    sec.answers(FACTS, loopback.Answer(company(TOLD | both)))
    assert [row[:2] for row in rows(fetched(sec), "sales")] == [("2022-12-31", 19.9)]
    left = {whole: [over(YEAR, 2020, 20, "22")], part: [over(YEAR, 2022, 18, "23"), over(YEAR, 2023, 19, "24")]}
    sec.answers(FACTS, loopback.Answer(company(TOLD | left)))
    assert rows(fetched(sec), "sales")[-1][:2] == ("2023-12-31", 19)
    equity = {
        "StockholdersEquityIncludingPortionAttributableToNoncontrollingInterest": [on("2023-12-31", 130 * M, "24")]
    }
    sec.answers(FACTS, loopback.Answer(company(TOLD | equity)))
    assert rows(fetched(sec), "book")[-1][:2] == ("2023-12-31", 100)


def test_a_year_is_not_rolled_over_a_change_of_its_end(sec: Any) -> None:
    """The transition period of six months (10-KT) is no year, and nothing is rolled across it."""
    told = [
        over(YEAR, 2021, 20, "22"),
        over({2022: ("2022-01-01", "2022-06-30")}, 2022, 9, "23"),
        over({2022: ("2022-07-01", "2022-09-30")}, 2022, 5, "23q1"),
        over({2021: ("2021-07-01", "2021-09-30")}, 2021, 4, "23q1"),
        over({2023: ("2022-07-01", "2023-07-01")}, 2023, 21, "24"),
    ]
    sec.answers(FACTS, loopback.Answer(company(TOLD | {"NetIncomeLoss": told})))
    assert [row[:2] for row in rows(fetched(sec), "earnings")] == [("2021-12-31", 20), ("2023-07-01", 21)]


def test_a_year_is_not_rolled_over_a_restatement(sec: Any) -> None:
    """The first quarter of 2022 is told otherwise in 2023: the year that holds it was not."""
    told = [row if row[:2] != QUARTER[2022] or row[3] != "23q1" else over(QUARTER, 2022, 5, "23q1")
            for row in TOLD["NetIncomeLoss"]]  # fmt: skip
    sec.answers(FACTS, loopback.Answer(company(TOLD | {"NetIncomeLoss": told})))
    assert "2023-03-31" not in [row[0] for row in rows(fetched(sec), "earnings")]


@pytest.mark.parametrize(
    ("covers", "wanted", "note"),
    [
        ([*COVERS, on("2024-02-16", 9_000_000, "24")], 2.01, "gives 4000000 and 9000000, perhaps of several classes"),
        ([*COVERS, on("2024-02-16", 4_000_123, "24")], 4.000123, ""),
        ([*COVERS[:3], on("2024-02-16", 200, "24")], 2.01, "gives 200: not used, it cannot be"),
        ([*COVERS[:3], on("2024-02-16", 4_000_000_000, "24")], 2.01, "gives 4000000000: not used, it cannot be"),
        ([*COVERS[:3], on("2024-02-16", -4_000_000, "24")], 2.01, "gives -4000000: not used, it cannot be"),
        ([*COVERS[:3], on("2025-02-16", 4_000_000, "24")], 2.01, "was filed on 2024-02-22, before its day: not used"),
    ],
)
def test_counts_of_shares_that_cannot_be_are_told_and_not_used(
    sec: Any, covers: list[Row], wanted: float, note: str
) -> None:
    sec.answers(FACTS, loopback.Answer(company(covers=covers)))
    answer = fetched(sec)
    assert rows(answer, "shares")[-1][1] == wanted
    assert note in " ".join(answer.notes)
    assert bool(answer.notes) == bool(note)


def test_a_book_in_thousands_is_told_and_not_used_and_a_loss_that_eats_it_is(sec: Any) -> None:
    told = [*TOLD["StockholdersEquity"][:-2], on("2023-12-31", 100_000, "24")]
    sec.answers(FACTS, loopback.Answer(company(TOLD | {"StockholdersEquity": told})))
    answer = fetched(sec)
    assert rows(answer, "book")[-1][:2] == ("2022-12-31", 80)
    assert answer.notes == ("StockholdersEquity of 2023-12-31, 24 gives 100000: not used, it cannot be",)
    told = [*TOLD["StockholdersEquity"][:-2], on("2023-12-31", -5 * M, "24")]
    sec.answers(FACTS, loopback.Answer(company(TOLD | {"StockholdersEquity": told})))
    assert rows(fetched(sec), "book")[-1][:2] == ("2023-12-31", -5)


def test_shares_told_by_class_alone_are_said_to_be_missing(sec: Any) -> None:
    sec.answers(FACTS, loopback.Answer(company(covers=[])))
    answer = fetched(sec)
    assert "HA.ND.shares" not in answer.series
    assert answer.notes == ("its filings do not tell: shares; shares counted by class alone are not served",)


def test_a_foreign_filer_is_said_to_be_one(sec: Any) -> None:
    abroad = {"cik": "0000000042", "facts": {"dei": {}, "ifrs-full": served(TOLD, "EUR")}}
    sec.answers(FACTS, loopback.Answer(abroad))
    answer = fetched(sec)
    assert answer.series == {}
    assert "taxonomies: dei, ifrs-full); it seems to be a foreign filer" in answer.notes[0]
    # One that keeps its books by US rules counts ordinary shares, where the price is of a receipt for several.
    receipts = {key: [fact(row, form="20-F") for row in told] for key, told in TOLD.items()}
    sec.answers(
        FACTS,
        loopback.Answer(
            {"cik": 42, "facts": {"us-gaap": {tag: {"units": {"USD": told}} for tag, told in receipts.items()}}}
        ),
    )
    assert fetched(sec).series == {}
    sec.answers(FACTS, loopback.Answer({"cik": 42, "facts": {}}))
    assert "taxonomies: none" in fetched(sec).notes[0]


def test_a_company_without_figures_is_no_failure(sec: Any) -> None:
    sec.answers(FACTS, loopback.Answer('<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>', status=404))
    assert fetched(sec) == FilingsAnswer("HA.ND", {}, ("has filed no figures that the SEC serves",))


RATE = "<html><head><title>SEC.gov | Request Rate Threshold Exceeded</title></head></html>"


@pytest.mark.parametrize(
    ("answer", "error", "told"),
    [
        (loopback.Answer(RATE, status=403), RateLimitError, "try again in ten minutes"),
        (loopback.Answer("<html><title>no</title></html>", status=403), BlockedError, "REVERSE_QE_CONTACT"),
        (loopback.Answer("no", status=503), SourceError, "503"),
        (loopback.Answer("{"), SourceError, "got no JSON"),
        (loopback.Answer([]), SourceError, "got list, wanted a JSON object"),
        (loopback.Answer({"cik": 7, "facts": {}}), SourceError, "CIK 7, wanted 42"),
        (loopback.Answer({"cik": 42}), SourceError, "got NoneType as facts"),
        (loopback.Answer(company(Revenues={"units": None})), SourceError, "no lists of figures by unit"),
        (loopback.Answer(company(Revenues={"units": {"USD": [3]}})), SourceError, "got int in place of a figure"),
        (loopback.Answer(company(Revenues={"units": {"USD": [{"val": 1}]}})), SourceError, "wanted also end, filed"),
        (
            loopback.Answer(company(Revenues={"units": {"USD": [fact(over(YEAR, 2023, 1, "24")) | {"end": "soon"}]}})),
            SourceError,
            "cannot be read",
        ),
    ],
)  # fmt: skip
def test_every_refusal_and_every_other_shape_is_one_line(
    sec: Any, answer: loopback.Answer, error: type[Exception], told: str
) -> None:
    sec.answers(FACTS, answer)
    with pytest.raises(error, match=told) as raised:
        fetched(sec)
    assert len(str(raised.value).splitlines()) == 1


def test_a_list_of_filings_of_another_shape_or_an_unknown_ticker_or_no_contact(
    sec: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sec.answers(SUBMISSIONS, loopback.Answer({"filings": {"recent": {"form": []}, "files": []}}))
    with pytest.raises(SourceError, match="without accessionNumber"):
        fetched(sec)
    with pytest.raises(SourceError, match="the SEC lists no ticker NONE"):
        fetched(sec, "NONE")
    monkeypatch.delenv("REVERSE_QE_CONTACT")
    with pytest.raises(InputError, match="REVERSE_QE_CONTACT"):
        fetched(sec)


JUNK = (None, "", [], {}, 0, -1, 1e400, float("nan"), True, "2023-02-30", "x", 10**30, [1], "0001-01-01", "9999-12-31")


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key in node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
        yield from places(node[key], (*path, key))


def spoilt(document: Any, draw: random.Random) -> Any:
    """A copy with something else in one place."""
    copy = deepcopy(document)
    *way, last = draw.choice([path for path in places(copy) if path])
    node = copy
    for key in way:
        node = node[key]
    node[last] = draw.choice(JUNK)
    return copy


@pytest.mark.slow
def test_an_answer_that_is_spoilt_anywhere_is_read_or_refused() -> None:
    draw = random.Random(20261128)
    refused = []
    for _ in range(1000):
        try:
            figures(spoilt(company(), draw), "HAND", None)
            _moments("HAND", iter([spoilt(filing_list()["filings"]["recent"], draw)]))
        except SourceError as error:
            refused.append(str(error))
    assert 100 < len(refused) < 900
    assert {len(each.splitlines()) for each in refused} == {1}


@pytest.mark.payloads
@pytest.mark.parametrize(
    ("symbol", "wanted"),
    [
        ("AAPL", {"2022-09-24": 122_151 - 10_708, "2023-09-30": 110_543 - 10_959}),
        ("NVDA", {"2023-01-29": 5_641 - 1_833, "2024-01-28": 28_090 - 1_069}),
    ],
)
def test_recorded_answers_give_the_free_cash_flow_of_the_annual_reports(
    payloads: Path, symbol: str, wanted: Mapping[str, float]
) -> None:
    """And a year to a quarter's end is the sum of its four quarters, which are derived otherwise."""
    entry = company_entry(symbol)
    files = sorted((payloads / "sec").glob(f"companyconcept-CIK{entry.cik:010d}-*.json"))
    concepts = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    document = {"facts": {"us-gaap": {each["tag"]: {"units": each["units"]} for each in concepts}}}
    told, _ = figures(document, symbol, entry)
    newest = {str(version.end): version.value / M for version in told["free_cash_flow"]}
    assert {day: newest[day] for day in wanted} == wanted
    quarters = {}
    for tags in (entry.ocf_tags, entry.capex_tags):
        facts = [
            Fact(tag, *(pd.Timestamp(row[key]).date() for key in ("start", "end")), row["val"],
                 pd.Timestamp(row["filed"]).date(), row["accn"])
            for tag in tags
            for row in document["facts"]["us-gaap"].get(tag, {"units": {"USD": []}})["units"]["USD"]
        ]  # fmt: skip
        history = quarter_history(facts, tags, entry.fiscal_year_end_month).versions
        quarters[tags] = pd.Series({versions[-1].end: versions[-1].value for versions in history.values()})
    cash = (quarters[entry.ocf_tags] - quarters[entry.capex_tags]).dropna().sort_index() / M
    rolled = cash.rolling(4).sum()
    spans = pd.Series(pd.DatetimeIndex(cash.index)).diff(3).dt.days.to_numpy()
    both = [day for day, days in zip(cash.index, spans, strict=True) if 250 < days < 300 and str(day) in newest]
    same = [abs(rolled[day] - newest[str(day)]) < 0.5 for day in both]
    assert len(both) >= 16
    assert sum(same) / len(same) > 0.9
