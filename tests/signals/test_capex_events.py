"""News of capex: each kind of expectation by hand, on made-up companies and on the shipped events."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data.clock import sessions_between
from data.errors import InputError
from data.events.editions import reference_events
from data.market.tables import CAPEX, GUIDANCE, Table
from frames import capex_news, fading_news, quarters_between
from signals.capex.news import KINDS
from signals.capex.spending import fiscal_period, followed_quarters
from signals.config import SignalConfig

CONFIG = SignalConfig(form=1, companies=("AAA",), further_event_companies=())
GROWN = 1.5  # of capex, over a year: 2, 2, 2, 2, 3, 3, 3, 3


def completed(table: Table, rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows) if rows else table.empty()
    blank = table.empty().reindex(frame.index)
    absent = {name: "" if kind == "text" else blank[name] for name, kind in table.columns.items() if name not in frame}
    frame = frame.assign(**absent)
    for name, kind in table.columns.items():
        if kind in ("date", "time"):
            frame[name] = pd.to_datetime(frame[name], utc=kind == "time")
    return table.conform(frame)


def results(
    figures: list[float], company: str = "AAA", first: str = "2020-03-31", headline: float = math.nan
) -> list[dict[str, Any]]:
    """Fiscal quarters from 2020Q1 on, each known at 21:30 UTC a month after its end."""
    ends = pd.date_range(first, periods=len(figures), freq="3ME")
    return [
        {
            "company": company,
            "fiscal_period": f"{2020 + place // 4}Q{place % 4 + 1}",
            "period_end": end,
            "capex_usd_bn": figure,
            "headline_capex_usd_bn": figure * headline,
            "capex_known_at": f"{end + pd.Timedelta(days=30):%Y-%m-%d} 21:30",
        }
        for place, (end, figure) in enumerate(zip(ends, figures, strict=True))
    ]


def guided(year: int, known_at: str, low: float, high: float, **cells: Any) -> dict[str, Any]:
    return {
        "company": "AAA",
        "announced_at": known_at[:10],
        "fiscal_year": year,
        "low_usd_bn": low,
        "high_usd_bn": high,
        "event": "statement",
        "basis": "cash capex",
        "period_start": f"{year}-01-01",
        "period_end": f"{year}-12-31",
        "comparable": True,
        "known_at": known_at,
        **cells,
    }


def news_of(
    capex: list[dict[str, Any]], guidance: list[dict[str, Any]] | None = None, config: SignalConfig = CONFIG
) -> pd.DataFrame:
    quarters = followed_quarters(completed(CAPEX, capex), config)
    return capex_news(quarters, completed(GUIDANCE, guidance or []), config)


def row_of(news: pd.DataFrame, about: str) -> pd.Series:
    rows = news[news["about"] == about]
    assert len(rows) == 1
    return rows.iloc[0]


TWO_YEARS = [2.0] * 4 + [3.0] * 4


# Results


def test_without_guidance_a_result_is_measured_by_the_year_before_at_trailing_growth() -> None:
    news = news_of(results([*TWO_YEARS, 5.0]))
    row = row_of(news, "2022Q1")
    assert row["expected_usd_bn"] == 3.0 * GROWN
    assert row["news"] == pytest.approx(math.log(5 / 4.5), rel=1e-12)
    assert row["weight"] == 1.0
    assert row["value"] == row["news"]
    assert row["known_at"] == pd.Timestamp("2022-04-30 21:30", tz="UTC")
    assert row["date"] == pd.Timestamp("2022-03-31")
    earlier = news[news["about"] != "2022Q1"]
    assert len(earlier) == 8
    assert earlier["value"].isna().all()
    assert set(earlier["reason"]) == {
        "no guidance of its year, and not all of the eight quarters before were known",
    }


def test_with_guidance_a_result_is_measured_by_what_is_left_for_each_quarter() -> None:
    capex = results([*TWO_YEARS, 5.0, 6.0, 4.0, 8.0])
    news = news_of(capex, [guided(2022, "2022-02-15 21:30", 19.0, 21.0), guided(2022, "2022-08-01 21:30", 22.0, 23.0)])
    assert row_of(news, "2022Q1")["expected_usd_bn"] == 20 / 4
    assert row_of(news, "2022Q2")["expected_usd_bn"] == (20 - 5) / 3  # the raise of 2022-08-01 came after it
    assert row_of(news, "2022Q3")["expected_usd_bn"] == (22.5 - 11) / 2
    assert row_of(news, "2022Q4")["expected_usd_bn"] == 22.5 - 15
    assert row_of(news, "2022Q4")["news"] == pytest.approx(math.log(8 / 7.5), rel=1e-12)
    assert row_of(news, "2022Q3")["rests_on"] == "guidance of 2022-08-01"


def test_guidance_told_with_a_result_is_no_expectation_of_it() -> None:
    news = news_of(results([*TWO_YEARS, 5.0]), [guided(2022, "2022-04-30 21:30", 40.0, 40.0)])
    assert row_of(news, "2022Q1")["expected_usd_bn"] == 3.0 * GROWN


@pytest.mark.parametrize(
    "cells",
    [
        {"comparable": False},
        {"basis": "company capex (accrual)"},
        {"basis": "gross of what customers pay"},
        {"basis": "cash capex, net of proceeds"},
        {"basis": "incl. finance leases"},  # no headline figure is told
        {"company": "BBB"},
        {"period_start": "2023-01-01", "period_end": "2023-12-31"},
        {"period_start": "2022-02-15", "period_end": "2023-02-14"},  # ends with no quarter
        {"low_usd_bn": 4.0, "high_usd_bn": 6.0, "known_at": "2022-05-15 21:30"},  # nothing is left after the first 5
    ],
)
def test_guidance_that_does_not_fit_leaves_the_year_before(cells: dict[str, Any]) -> None:
    capex = results([*TWO_YEARS, 5.0, 6.0])
    row = row_of(news_of(capex, [guided(2022, "2022-02-15 21:30", 20.0, 20.0) | cells]), "2022Q2")
    assert row["rests_on"] == "the same quarter a year before, at trailing growth"
    assert row["expected_usd_bn"] == pytest.approx(3.0 * (3 * 3 + 5) / (2 * 3 + 3), rel=1e-12)


def test_guidance_with_leases_is_measured_by_the_headline_figure() -> None:
    capex = results([*TWO_YEARS, 5.0, 6.0], headline=1.1)
    row = row_of(news_of(capex, [guided(2022, "2022-02-15 21:30", 22.0, 22.0, basis="incl. finance leases")]), "2022Q2")
    assert row["usd_bn"] == pytest.approx(6.6)
    assert row["expected_usd_bn"] == pytest.approx((22 - 5.5) / 3, rel=1e-12)


def test_an_old_figure_that_comes_out_late_is_no_news() -> None:
    capex = results([*TWO_YEARS, 5.0, 6.0])
    capex[8]["capex_known_at"] = "2022-11-01 21:30"
    news = news_of(capex)
    assert row_of(news, "2022Q1")["reason"] == "a later quarter was known before it"
    # Nor can the quarter after it be measured: it was not known then.
    assert math.isnan(row_of(news, "2022Q2")["value"])


def test_what_is_not_positive_has_no_logarithm() -> None:
    row = row_of(news_of(results([*TWO_YEARS, 0.0])), "2022Q1")
    assert row["expected_usd_bn"] == 4.5
    assert math.isnan(row["value"])
    assert row["reason"] == "no logarithm of what is not positive"


# Guidance


def test_a_revision_is_measured_by_the_mid_point_before() -> None:
    first = guided(2022, "2022-02-15 21:30", 19.0, 21.0, event="first")
    raised = guided(2022, "2022-05-02 21:30", 23.0, 25.0, event="raise")
    again = guided(2022, "2022-08-02 21:30", 23.0, 25.0, event="reiterate", prior_low_usd_bn=22, prior_high_usd_bn=24)
    news = news_of(results([*TWO_YEARS, 5.0]), [first, raised, again])
    assert row_of(news, "raise, to 2022-12")["news"] == pytest.approx(math.log(24 / 20), rel=1e-12)
    # What the company itself calls its range before comes first.
    assert row_of(news, "reiterate, to 2022-12")["news"] == pytest.approx(math.log(24 / 23), rel=1e-12)
    assert row_of(news, "raise, to 2022-12")["date"] == pd.Timestamp("2022-05-02")


def test_a_first_guidance_is_measured_by_the_year_before_at_trailing_growth() -> None:
    # Told with the result of the fourth quarter: the year before is known, 12, and has grown from 8.
    row = row_of(news_of(results(TWO_YEARS), [guided(2022, "2022-01-30 21:30", 19.0, 21.0)]), "statement, to 2022-12")
    assert row["rests_on"] == "the year before, at trailing growth"
    assert row["expected_usd_bn"] == 12 * GROWN
    assert row["news"] == pytest.approx(math.log(20 / 12) - math.log(12 / 8), rel=1e-12)


def test_before_the_year_is_over_its_guidance_stands_for_it() -> None:
    this_year = guided(2022, "2022-05-10 21:30", 18.0, 20.0, event="this year")
    next_year = guided(2023, "2022-11-15 21:30", 29.0, 31.0)
    row = row_of(news_of(results([*TWO_YEARS, 5.0, 5.0, 5.0]), [this_year, next_year]), "statement, to 2023-12")
    assert row["rests_on"] == "guidance of the year before, at trailing growth"
    assert row["expected_usd_bn"] == pytest.approx(19 * (3 + 5 + 5 + 5) / (2 + 3 + 3 + 3), rel=1e-12)


def test_a_first_guidance_without_a_year_before_on_its_basis_is_told_and_not_scored() -> None:
    accrued = guided(2022, "2022-02-15 21:30", 19.0, 21.0, basis="accrual")
    row = row_of(news_of(results(TWO_YEARS), [accrued]), "statement, to 2022-12")
    assert row["reason"] == "first of its year, and the year before is not known on its basis"
    row = row_of(news_of(results([2.0] * 5), [guided(2021, "2021-04-30 21:30", 9, 9)]), "statement, to 2021-12")
    assert row["reason"] == "first of its year, and not all of the last eight quarters were known"
    quarterly = guided(2022, "2022-02-15 21:30", 5.0, math.nan, event="quarterly guide", comparable=False)
    row = row_of(news_of(results(TWO_YEARS), [quarterly]), "quarterly guide, to 2022-12")
    assert row["reason"] == "not comparable with any other figure"


def test_guidance_of_another_basis_is_no_expectation() -> None:
    """16 in cash, then 18 with leases: neither of the two stands for the other, in the same year or the next."""
    cash = guided(2022, "2022-02-15 21:30", 15.0, 17.0, event="in cash")
    leased = guided(2022, "2022-03-15 21:30", 17.0, 19.0, event="with leases", basis="incl. leases")
    raised = guided(2022, "2022-05-02 21:30", 19.0, 21.0, event="in cash again")
    other = guided(2022, "2022-06-02 21:30", 23.0, 25.0, event="with leases again", basis="incl. leases")
    news = news_of(results([*TWO_YEARS, 5.0]), [cash, leased, raised, other])
    assert row_of(news, "in cash again, to 2022-12")["expected_usd_bn"] == 16.0
    assert row_of(news, "with leases again, to 2022-12")["expected_usd_bn"] == 18.0
    accrued = guided(2022, "2022-05-10 21:30", 18.0, 20.0, event="accrued", basis="accrual")
    later = guided(2022, "2022-06-10 21:30", 28.0, 30.0, event="gross", basis="gross")
    after = guided(2023, "2022-11-15 21:30", 29.0, 31.0, event="next", basis="accrual")
    row = row_of(news_of(results([*TWO_YEARS, 5.0, 5.0, 5.0]), [accrued, later, after]), "next, to 2023-12")
    assert row["expected_usd_bn"] == pytest.approx(19 * (3 + 5 + 5 + 5) / (2 + 3 + 3 + 3), rel=1e-12)


# Companies


def test_news_is_weighted_by_the_share_of_trailing_capex() -> None:
    config = SignalConfig(form=1, companies=("AAA", "BBB"), further_event_companies=("CCC",))
    # BBB's year ends in May: its quarters are those that it has told, three times the size; CCC is too young.
    capex = (
        results([*TWO_YEARS, 5.0]) + results([6.0] * 9, "BBB", "2020-02-29") + results([9.0] * 3, "CCC", "2021-09-30")
    )
    news = news_of(capex, config=config)
    row = row_of(news[news["company"] == "AAA"], "2022Q1")
    assert row["weight"] == pytest.approx((3 * 3 + 5) / (3 * 3 + 5 + 4 * 6), rel=1e-12)
    assert row["value"] == pytest.approx(row["weight"] * math.log(5 / 4.5), rel=1e-12)
    row = row_of(news[news["company"] == "BBB"], "2022Q1")  # known on 2022-03-30, a month before
    assert row["weight"] == pytest.approx(24 / (12 + 24), rel=1e-12)
    assert row["news"] == 0.0
    young = news[news["company"] == "CCC"]
    assert len(young) == 3
    assert young["value"].isna().all()


def test_a_young_company_counts_from_its_fourth_quarter_on() -> None:
    config = SignalConfig(form=1, companies=("AAA",), further_event_companies=("CCC",))
    told = guided(2022, "2021-12-01 21:30", 30.0, 30.0, company="CCC", event="first")
    raises = [
        guided(2022, day, usd_bn, usd_bn, company="CCC", event=f"raise of {day[:7]}")
        for day, usd_bn in (("2022-03-01 21:30", 33.0), ("2022-08-15 21:30", 36.0))
    ]
    capex = results([*TWO_YEARS, 5.0, 5.0]) + results([9.0] * 4, "CCC", "2021-09-30")
    news = news_of(capex, [told, *raises], config)
    assert row_of(news, "raise of 2022-03, to 2022-12")["reason"].startswith("no weight: fewer than four quarters")
    row = row_of(news, "raise of 2022-08, to 2022-12")
    assert row["weight"] == pytest.approx(36 / (36 + 3 + 3 + 5 + 5), rel=1e-12)
    assert row["value"] == pytest.approx(row["weight"] * math.log(36 / 33), rel=1e-12)


def test_a_company_that_has_told_nothing_yet_gives_none_and_one_that_nobody_knows_is_refused() -> None:
    capex = completed(CAPEX, results(TWO_YEARS))
    quarters = followed_quarters(capex, SignalConfig(form=1, companies=("AAA",)))
    assert list(quarters) == ["AAA", "CRWV"]
    assert not len(quarters["CRWV"].capex)
    assert capex_news(quarters, GUIDANCE.empty(), CONFIG)["company"].unique().tolist() == ["AAA"]
    with pytest.raises(InputError, match="company CRVW has no entry in the catalogue"):
        followed_quarters(capex, SignalConfig(form=1, companies=("AAA",), further_event_companies=("CRVW",)))


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"low_usd_bn": 21.0, "high_usd_bn": 20.0}, "low and high are no range"),
        ({"high_usd_bn": math.nan}, "low and high are no range"),
        ({"low_usd_bn": 0.0}, "low and high are no range"),
        ({"high_usd_bn": math.inf}, "low and high are no range"),
        ({"known_at": None, "announced_at": "2022-02-15"}, "no known_at; give its time"),
        ({"period_end": None}, "its period is no year; give period_start and period_end"),
        ({"period_start": None}, "its period is no year"),
        ({"period_start": "2022-10-01"}, "its period is no year"),
    ],
)
def test_bad_guidance_is_refused_in_one_line(cells: dict[str, Any], reason: str) -> None:
    row = guided(2022, "2022-02-15 21:30", 20.0, 20.0) | cells
    with pytest.raises(InputError, match=reason) as refused:
        news_of(results(TWO_YEARS), [row])
    assert str(refused.value).startswith("capex_guidance: AAA 2022-02-15 2022 statement: ")
    assert "\n" not in str(refused.value)
    row["comparable"] = False
    if cells.get("known_at", "") is not None and "period_end" not in cells:
        assert news_of(results(TWO_YEARS), [row])["reason"].iloc[-1] == "not comparable with any other figure"


def test_a_result_for_a_quarter_already_known_is_refused() -> None:
    again = results(TWO_YEARS)[-1] | {"period_end": "2022-01-31"}
    with pytest.raises(InputError, match=r"capex of AAA: got 2021Q4 twice, wanted each quarter once"):
        news_of([*results(TWO_YEARS), again])


# The shipped events, worked out with a pencil from data/events/reference/*.csv


@pytest.fixture(scope="module")
def shipped() -> pd.DataFrame:
    events = reference_events("2026-10")
    quarters = followed_quarters(events[CAPEX.name], SignalConfig(form=1))
    return capex_news(quarters, events[GUIDANCE.name], SignalConfig(form=1))


def one(news: pd.DataFrame, company: str, about: str, day: str) -> pd.Series:
    rows = news[(news["company"] == company) & (news["about"] == about)]
    return rows[rows["known_at"].dt.strftime("%Y-%m-%d") == day].squeeze()


def test_shipped_results_by_hand(shipped: pd.DataFrame) -> None:
    # Alphabet had guided 91 to 93 and told of 17.197, 22.446 and 23.953.
    google = one(shipped, "GOOGL", "2025Q4", "2026-02-04")
    assert google["news"] == pytest.approx(math.log(27.851 / (92 - 63.596)), rel=1e-9)
    # Oracle, whose fiscal 2026 ended in May, had guided 50 and told of 8.502, 12.033 and 18.635.
    oracle = one(shipped, "ORCL", "2026Q4", "2026-06-10")
    assert oracle["news"] == pytest.approx(math.log(16.493 / (50 - 39.170)), rel=1e-9)
    # Meta guides with finance leases: 130 to 145 of July; told of 13.692... in 2025 on that basis.
    meta = one(shipped, "META", "2025Q4", "2026-01-28")
    assert meta["news"] == pytest.approx(math.log(22.137 / (71 - (13.692 + 17.012 + 19.374))), rel=1e-9)
    # Amazon guides net of proceeds, which results do not tell: the year before, 32.183, at trailing growth.
    amazon = one(shipped, "AMZN", "2026Q2", "2026-07-30")
    growth = (32.183 + 35.095 + 39.522 + 44.203) / (17.620 + 22.620 + 27.834 + 25.019)
    assert amazon["news"] == pytest.approx(math.log(54.208 / (32.183 * growth)), rel=1e-9)
    # Microsoft's guidance is not comparable.
    microsoft = one(shipped, "MSFT", "2026Q4", "2026-07-29")
    growth = (17.079 + 19.394 + 29.876 + 30.876) / (13.873 + 14.923 + 15.804 + 16.745)
    assert microsoft["news"] == pytest.approx(math.log(35.802 / (17.079 * growth)), rel=1e-9)


def test_shipped_guidance_by_hand(shipped: pd.DataFrame) -> None:
    raised = one(shipped, "AMZN", "raise, to 2026-12", "2026-07-30")
    assert raised["news"] == pytest.approx(math.log(220 / 200), rel=1e-9)
    # Meta's first range for 2026 came with the last quarter of 2025: 72.215 with leases; cash capex grew to 69.691.
    meta = one(shipped, "META", "initial, to 2026-12", "2026-01-28")
    growth = (12.941 + 16.538 + 18.829 + 21.383) / (6.400 + 8.173 + 8.258 + 14.425)
    assert meta["news"] == pytest.approx(math.log(125 / (72.215 * growth)), rel=1e-9)
    # Its first range for 2023 came with the third quarter of 2022, when the mid-point for 2022 was 32.5.
    early = one(shipped, "META", "initial, to 2023-12", "2022-10-26")
    assert early["rests_on"] == "guidance of the year before, at trailing growth"
    # Amazon's for 2025 is measured by the 75 that it had guided for 2024, on the same basis.
    amazon = one(shipped, "AMZN", "initial, to 2025-12", "2025-02-06")
    growth = (14.925 + 17.620 + 22.620 + 27.834) / (14.207 + 11.455 + 12.479 + 14.588)
    assert amazon["expected_usd_bn"] == pytest.approx(75 * growth, rel=1e-3)


def test_what_is_left_out_of_the_shipped_events_is_told(shipped: pd.DataFrame) -> None:
    assert shipped["value"].notna().eq(shipped["reason"] == "").all()
    events = reference_events("2026-10")
    followed = [*SignalConfig(form=1).companies, "CRWV"]
    assert set(shipped["company"]) == set(followed)
    told = events[CAPEX.name][events[CAPEX.name]["capex_usd_bn"].notna()]["company"].isin(followed).sum()
    assert len(shipped) == told + events[GUIDANCE.name]["company"].isin(followed).sum()
    young = shipped[(shipped["company"] == "CRWV") & (shipped["known_at"] < "2026-02-01")]
    assert len(young) == 6
    assert young["value"].isna().all()
    raised = one(shipped, "CRWV", "raise, to 2026-12", "2026-08-11")
    assert raised["news"] == pytest.approx(math.log(37 / 33), rel=1e-9)
    microsoft = shipped[(shipped["company"] == "MSFT") & (shipped["kind"] == "guidance")]
    assert set(microsoft["reason"]) == {"not comparable with any other figure"}
    # Amazon's gross figures of 2017 and 2018 came out a year late: no news, and no measure of the quarters between.
    amazon = shipped[(shipped["company"] == "AMZN") & (shipped["known_at"] < "2019-10-01")]
    assert amazon["value"].isna().all()
    assert "a later quarter was known before it" in set(amazon["reason"])
    assert shipped.loc[shipped["value"].notna(), "weight"].between(0, 1).all()


@pytest.mark.parametrize("days", [1, 30, 200])
@pytest.mark.parametrize(
    ("table", "company", "day"),
    [
        (CAPEX, "META", "2023-07-26"),
        (CAPEX, "ORCL", "2025-12-10"),
        (GUIDANCE, "META", "2024-04-24"),
        (GUIDANCE, "ORCL", "2025-09-09"),
    ],
)
def test_an_event_that_comes_later_changes_no_earlier_row(table: Table, company: str, day: str, days: int) -> None:
    events = dict(reference_events("2026-10"))
    config, column = SignalConfig(form=1), "capex_known_at" if table is CAPEX else "known_at"
    sessions = sessions_between(pd.Timestamp("2018-01-02"), pd.Timestamp("2026-10-08"))

    def scored(tables: dict[str, pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
        news = capex_news(followed_quarters(tables[CAPEX.name], config), tables[GUIDANCE.name], config)
        return news, pd.concat([fading_news(news, kind, sessions, config)["value"] for kind in KINDS], axis=1)

    frame = events[table.name].copy()
    moved = (frame["company"] == company) & (frame[column].dt.strftime("%Y-%m-%d") == day)
    assert moved.sum() == 1
    moment = frame.loc[moved, column].iloc[0]
    frame.loc[moved, column] += pd.Timedelta(days=days)
    (news, faded), (later, later_faded) = scored(events), scored(events | {table.name: frame})
    pd.testing.assert_frame_equal(
        later[later["known_at"] < moment].reset_index(drop=True), news[news["known_at"] < moment].reset_index(drop=True)
    )
    before = faded.index[faded.index <= moment.tz_localize(None)]
    assert later_faded.loc[before].equals(faded.loc[before])
    assert not later_faded.equals(faded)


# Calendars


@pytest.mark.parametrize(
    ("earlier", "later", "count"),
    [
        ("2025-03-31", "2025-12-31", 3),
        ("2025-12-31", "2025-12-31", 0),
        ("2025-12-31", "2025-03-31", -3),
        ("2024-11-30", "2026-05-31", 6),
        ("2025-12-27", "2026-09-26", 3),  # years of 52 and 53 weeks
        ("2025-09-27", "2026-09-30", 4),
        ("2025-11-30", "2025-12-31", None),
        ("2025-11-30", "2026-03-31", None),
    ],
)
def test_quarters_are_counted_by_their_ends(earlier: str, later: str, count: int | None) -> None:
    assert quarters_between(np.datetime64(earlier), np.datetime64(later)) == count


def test_quarters_have_their_names() -> None:
    assert [fiscal_period(number) for number in (8081, 8084, 8085)] == ["2020Q1", "2020Q4", "2021Q1"]
