"""What is due: dates by hand, the dates that came, and nothing of what became known later."""

import csv
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from data.events.due import Due, due_announcements
from data.events.editions import REFERENCE_DIR, reference_events
from data.market.tables import CAPEX, GUIDANCE

FIVE = ("MSFT", "GOOGL", "AMZN", "META", "ORCL")


def due(moment: str, companies: tuple[str, ...] = FIVE, **tables: pd.DataFrame) -> list[Due]:
    events = {**reference_events(), **tables}
    return due_announcements(events[CAPEX.name], events[GUIDANCE.name], companies, pd.Timestamp(moment, tz="UTC"))


def test_the_next_ones_are_expected_52_weeks_after_those_of_a_year_before() -> None:
    # In 2025 Alphabet, Meta and Microsoft announced on Wednesday 29 October, Amazon on the 30th, Oracle on 10 December.
    found = [tuple(each)[:5] for each in due("2026-10-09") if each.kind == "result"]
    assert found == [
        ("GOOGL", "result", "2026Q3", pd.Timestamp("2026-10-28"), False),
        ("META", "result", "2026Q3", pd.Timestamp("2026-10-28"), False),
        ("MSFT", "result", "2027Q1", pd.Timestamp("2026-10-28"), False),
        ("AMZN", "result", "2026Q3", pd.Timestamp("2026-10-29"), False),
        ("ORCL", "result", "2027Q2", pd.Timestamp("2026-12-09"), False),
    ]
    day = pd.Timestamp("2026-10-28")
    assert Due("META", "guidance", "to 2026-12 and 2027-12", day, False, "guided on 2025-10-29") in due("2026-10-09")


@pytest.mark.parametrize(("moment", "is_over"), [("2026-10-28T23:59", False), ("2026-10-29", True)])
def test_it_is_overdue_when_its_day_is_over(moment: str, is_over: bool) -> None:
    mine = [each for each in due(moment, ("META",)) if each.kind == "result"]
    assert [each.overdue for each in mine] == ([True, False] if is_over else [False])
    assert [each.about for each in mine] == (["2026Q3", "2026Q4"] if is_over else ["2026Q3"])


def test_results_came_about_when_they_were_due() -> None:
    results = reference_events()[CAPEX.name]
    since = results[(results["announced_at"] >= "2023-07-01") & results["company"].isin(FIVE)]
    away = []
    for row in since.itertuples():
        before = str((row.capex_known_at - pd.Timedelta("30D")).date())
        (found,) = [
            each for each in due(before, (row.company,)) if (each.kind, each.about) == ("result", row.fiscal_period)
        ]
        away.append((row.announced_at - found.expected).days)
    days = pd.Series(away).abs()
    assert len(days) > 60
    assert days.median() <= 2
    assert (days <= 10).mean() > 0.97


def test_nothing_that_became_known_later_is_looked_at() -> None:
    moment = pd.Timestamp("2025-10-29T22:00", tz="UTC")
    events = reference_events()
    cut = {
        CAPEX.name: events[CAPEX.name][events[CAPEX.name]["capex_known_at"] <= moment],
        GUIDANCE.name: events[GUIDANCE.name][events[GUIDANCE.name]["known_at"] <= moment],
    }
    assert due("2025-10-29T22:00", **cut) == due("2025-10-29T22:00")


def test_guidance_that_has_been_given_since_is_not_due() -> None:
    events = reference_events()[GUIDANCE.name]
    given = events[(events["company"] == "META") & (events["announced_at"] == "2025-10-29")]
    later = given.assign(
        announced_at=pd.Timestamp("2026-10-20"), known_at=pd.Timestamp("2026-10-20T21:00", tz="UTC"), fiscal_year=2099.0
    )
    table = GUIDANCE.conform(pd.concat([events, later]))
    assert next(each.expected for each in due("2026-11-10", ("META",)) if each.kind == "guidance") == pd.Timestamp(
        "2026-10-28"
    )
    assert [
        each.expected for each in due("2026-11-10", ("META",), **{GUIDANCE.name: table}) if each.kind == "guidance"
    ] == [pd.Timestamp("2027-01-27")]


def test_a_young_company_is_due_as_long_after_its_quarter_as_the_last_time_and_a_stranger_never() -> None:
    results = reference_events()[CAPEX.name]
    young = results[(results["company"] == "CRWV") & (results["period_end"] <= "2025-03-31")]
    (last,) = young["announced_at"].tail(1)
    (found,) = [each for each in due("2025-06-01", ("CRWV",), **{CAPEX.name: young.tail(1)}) if each.kind == "result"]
    assert (found.about, found.expected) == ("2025Q2", pd.Timestamp("2025-06-30") + (last - pd.Timestamp("2025-03-31")))
    assert due("2025-06-01", ("AAA",)) == []


def test_every_quarter_that_is_missing_is_named() -> None:
    # Apple's rows end with the quarter to December 2025; it never guided capex.
    assert [(each.about, f"{each.expected:%Y-%m-%d}") for each in due("2027-06-10", ("AAPL",))] == [
        ("2026Q2", "2026-04-30"),
        ("2026Q3", "2026-07-30"),
        ("2026Q4", "2026-10-29"),
        ("2027Q1", "2027-01-28"),
        ("2027Q2", "2027-04-29"),
        ("2027Q3", "2027-07-29"),
    ]


def test_a_day_without_a_session_gives_way_to_the_next_one() -> None:
    results = reference_events()[CAPEX.name]
    told = results["announced_at"].replace(pd.Timestamp("2025-12-10"), pd.Timestamp("2025-12-26"))
    # 52 weeks after that Friday is Christmas, a Friday too.
    (found,) = [
        each
        for each in due("2026-10-10", ("ORCL",), **{CAPEX.name: results.assign(announced_at=told)})
        if each.kind == "result"
    ]
    assert (found.about, found.expected) == ("2027Q2", pd.Timestamp("2026-12-28"))


def test_a_fiscal_period_that_names_no_quarter_is_passed_over() -> None:
    results = reference_events()[CAPEX.name]
    spoiled = results.assign(fiscal_period=results["fiscal_period"].replace({"2027Q1": "first", "2026Q4": "2026Q5"}))
    (found, *_) = [each for each in due("2026-10-10", ("ORCL",), **{CAPEX.name: spoiled}) if each.kind == "result"]
    assert found.about == "2026Q4"
    assert not due("2026-10-10", ("ORCL",), **{CAPEX.name: results.assign(fiscal_period="")})[1:]


def test_no_shipped_result_came_later_than_is_said() -> None:
    """Counted with the csv module alone."""
    with (REFERENCE_DIR / "capex_actuals.csv").open(newline="", encoding="utf-8") as file:
        told = {
            (row["company"], date.fromisoformat(row["period_end"])): date.fromisoformat(row["announced_at"])
            for row in csv.DictReader(file)
        }
    late = []
    for (company, end), day in told.items():
        near = [each for (other, last), each in told.items() if other == company and abs((end - last).days - 365) < 20]
        late += [(day - near[0] - timedelta(weeks=52)).days] if near else []
    assert len(late) == 217
    assert max(late) == 8
    assert sorted(late)[len(late) // 2] == 0


@pytest.mark.parametrize("at", ["2019-05-02", "2023-10-25T21:00", "2026-07-29T22:00"])
def test_what_comes_later_may_be_anything(at: str) -> None:
    moment, random = pd.Timestamp(at, tz="UTC"), np.random.default_rng(7)
    results, guidance = (reference_events()[table.name].copy() for table in (CAPEX, GUIDANCE))
    for table, known_at in ((results, results["capex_known_at"]), (guidance, guidance["known_at"])):
        later = ~(known_at <= moment)
        for column in ("announced_at", "period_end"):
            table.loc[later, column] -= pd.to_timedelta(random.integers(1, 900, int(later.sum())), unit="D")
        table.loc[later, "company"] = "META"
    garbled = due(at, **{CAPEX.name: results, GUIDANCE.name: guidance})
    assert garbled == due(at)
    assert len(garbled) > 4
