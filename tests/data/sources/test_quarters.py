"""Quarters from year-to-date figures: what real companies filed against the shipped events, and figures by hand."""

from collections.abc import Sequence
from datetime import date

import pytest

from data.catalogue.companies import company_catalogue, company_entry
from data.errors import InputError
from data.events.editions import reference_events
from data.market.tables import CAPEX
from data.sources.edgar_quarters import (
    Fact,
    fiscal_period,
    nearest_month,
    quarter_history,
    quarters_as_known,
    sound_facts,
)

TAG, OTHER = "PaymentsToAcquireProductiveAssets", "PaymentsToAcquirePropertyPlantAndEquipment"

# Millions of US dollars, as the cash flow statements of the 10-Q and 10-K filings print them.
ALPHABET = [
    ("2024-01-01", "2024-03-31", 12012, "2024-04-26", "0001652044-24-000053"),
    ("2024-01-01", "2024-06-30", 25198, "2024-07-24", "0001652044-24-000079"),
    ("2024-01-01", "2024-09-30", 38259, "2024-10-30", "0001652044-24-000118"),
    ("2024-01-01", "2024-12-31", 52535, "2025-02-05", "0001652044-25-000014"),
    ("2025-01-01", "2025-03-31", 17197, "2025-04-25", "0001652044-25-000043"),
    ("2025-01-01", "2025-06-30", 39643, "2025-07-24", "0001652044-25-000062"),
    ("2025-01-01", "2025-09-30", 63596, "2025-10-30", "0001652044-25-000091"),
    ("2025-01-01", "2025-12-31", 91447, "2026-02-05", "0001652044-26-000018"),
]
# Fiscal years to June: three months are printed beside the year to date, but for the fourth quarter.
MICROSOFT = [
    ("2023-07-01", "2024-03-31", 30604, "2024-04-25", "0000950170-24-048288"),
    ("2024-01-01", "2024-03-31", 10952, "2024-04-25", "0000950170-24-048288"),
    ("2023-07-01", "2024-06-30", 44477, "2024-07-30", "0000950170-24-087843"),
    ("2024-07-01", "2024-09-30", 14923, "2024-10-30", "0000950170-24-118967"),
    ("2024-10-01", "2024-12-31", 15804, "2025-01-29", "0000950170-25-010491"),
    ("2024-07-01", "2024-12-31", 30727, "2025-01-29", "0000950170-25-010491"),
    ("2025-01-01", "2025-03-31", 16745, "2025-04-30", "0000950170-25-061046"),
    ("2024-07-01", "2025-03-31", 47472, "2025-04-30", "0000950170-25-061046"),
    ("2024-07-01", "2025-06-30", 64551, "2025-07-30", "0000950170-25-100235"),
]
# Trailing twelve months stand beside three and nine; they must not be taken for fiscal years.
AMAZON = [
    ("2023-10-01", "2024-09-30", 69753, "2024-11-01", "0001018724-24-000161"),
    ("2024-07-01", "2024-09-30", 22620, "2024-11-01", "0001018724-24-000161"),
    ("2024-01-01", "2024-09-30", 55165, "2024-11-01", "0001018724-24-000161"),
    ("2024-01-01", "2024-12-31", 82999, "2025-02-07", "0001018724-25-000004"),
    ("2025-01-01", "2025-03-31", 25019, "2025-05-02", "0001018724-25-000036"),
    ("2024-04-01", "2025-03-31", 93093, "2025-05-02", "0001018724-25-000036"),
    ("2025-04-01", "2025-06-30", 32183, "2025-08-01", "0001018724-25-000086"),
    ("2024-07-01", "2025-06-30", 107656, "2025-08-01", "0001018724-25-000086"),
    ("2025-01-01", "2025-06-30", 57202, "2025-08-01", "0001018724-25-000086"),
]


def facts(rows: Sequence[tuple[str, str, float, str, str]], tag: str = TAG) -> list[Fact]:
    day = date.fromisoformat
    return [
        Fact(tag, day(start), day(end), value * 1e6, day(filed), accession)
        for start, end, value, filed, accession in rows
    ]


def values(history_or_quarters: dict) -> dict[str, float]:
    return {period: quarter.value / 1e6 for period, quarter in history_or_quarters.items()}


def versions(rows: Sequence[Fact], year_end_month: int = 12, tags: Sequence[str] = (TAG, OTHER)) -> dict:
    """By fiscal period: (USD millions, day of filing) of each version."""
    history = quarter_history(rows, tags, year_end_month)
    return {
        period: [(round(quarter.value / 1e6, 6), str(quarter.filed)) for quarter in quarters]
        for period, quarters in history.versions.items()
    }


@pytest.mark.parametrize(
    ("company", "rows"), [("GOOGL", ALPHABET), ("MSFT", MICROSOFT), ("AMZN", AMAZON)], ids=["GOOGL", "MSFT", "AMZN"]
)
def test_filed_figures_give_the_shipped_quarters(company: str, rows: list) -> None:
    history = quarter_history(facts(rows), [TAG], company_entry(company).fiscal_year_end_month)
    assert history.notes == ()
    shipped = reference_events()[CAPEX.name]
    shipped = shipped[shipped["company"] == company].set_index("fiscal_period")
    assert len(history.versions) == {"GOOGL": 8, "MSFT": 6, "AMZN": 4}[company]
    for period, (quarter,) in history.versions.items():
        assert quarter.value / 1e9 == pytest.approx(shipped["capex_usd_bn"][period], abs=1e-9), period
        assert str(quarter.filed) == str(shipped["filed_at"][period].date()), period
        assert quarter.newest.accession in shipped["source"][period], period


def test_each_quarter_is_known_with_the_last_of_its_operands() -> None:
    assert versions(facts(ALPHABET)) == {
        "2024Q1": [(12012, "2024-04-26")],
        "2024Q2": [(13186, "2024-07-24")],
        "2024Q3": [(13061, "2024-10-30")],
        "2024Q4": [(14276, "2025-02-05")],
        "2025Q1": [(17197, "2025-04-25")],
        "2025Q2": [(22446, "2025-07-24")],
        "2025Q3": [(23953, "2025-10-30")],
        "2025Q4": [(27851, "2026-02-05")],
    }
    late_half = [row if row[2] != 25198 else (*row[:3], "2024-12-02", "late") for row in ALPHABET[:4]]
    assert versions(facts(late_half)) == {
        "2024Q1": [(12012, "2024-04-26")],
        "2024Q2": [(13186, "2024-12-02")],
        "2024Q3": [(13061, "2024-12-02")],
        "2024Q4": [(14276, "2025-02-05")],
    }


def test_a_difference_names_both_filings() -> None:
    fourth = quarter_history(facts(ALPHABET[:4]), [TAG], 12).versions["2024Q4"][0]
    assert fourth.derivation == "12 months of 0001652044-25-000014 less 9 months of 0001652044-24-000118"


def test_only_what_was_filed_by_the_day_counts() -> None:
    known = quarters_as_known(facts(ALPHABET), [TAG], 12, date(2024, 7, 23))
    assert values(known) == {"2024Q1": 12012}
    assert "2024Q2" in quarters_as_known(facts(ALPHABET), [TAG], 12, date(2024, 7, 24))


AMENDED = [
    ("2030-01-01", "2030-03-31", 100, "2030-05-01", "q1"),
    ("2030-01-01", "2030-06-30", 250, "2030-08-01", "q2"),
    ("2030-01-01", "2030-06-30", 240, "2030-09-10", "q2/a"),
    ("2030-01-01", "2030-09-30", 400, "2030-11-01", "q3"),
    ("2030-01-01", "2030-12-31", 600, "2031-02-10", "10-k"),
    ("2030-01-01", "2030-03-31", 100, "2031-05-01", "next q1"),
    ("2030-01-01", "2030-12-31", 590, "2032-02-10", "next 10-k"),
]


def test_an_amendment_counts_once_what_it_is_compared_with_is_filed_again() -> None:
    assert versions(facts(AMENDED)) == {
        "2030Q1": [(100, "2030-05-01")],  # filed again unchanged: no new version
        # Whether the first quarter was wrong too is not known before it is filed again.
        "2030Q2": [(150, "2030-08-01"), (140, "2031-05-01")],
        "2030Q3": [(160, "2030-11-01")],  # from the amended half year, which the nine months know of
        "2030Q4": [(200, "2031-02-10")],  # nine months were never told on the basis of the last filing
    }


def test_restated_and_unrestated_figures_are_never_in_one_difference() -> None:
    """A year whose cash flow is counted otherwise a year later: every comparative of the next year is restated."""
    year = [
        ("2030-01-01", "2030-03-31", 100, "2030-05-01", "q1"),
        ("2030-01-01", "2030-06-30", 210, "2030-08-01", "q2"),
        ("2030-01-01", "2030-09-30", 330, "2030-11-01", "q3"),
        ("2030-01-01", "2030-12-31", 460, "2031-02-10", "10-k"),
    ]
    day = {100: "2031-05-01", 210: "2031-08-01", 330: "2031-11-01", 460: "2032-02-10"}
    restated = [(*row[:2], row[2] / 10, day[row[2]], f"next {row[4]}") for row in year]

    assert versions(facts([*year, *restated])) == {
        "2030Q1": [(100, "2030-05-01"), (10, "2031-05-01")],
        "2030Q2": [(110, "2030-08-01"), (11, "2031-08-01")],
        "2030Q3": [(120, "2030-11-01"), (12, "2031-11-01")],
        "2030Q4": [(130, "2031-02-10"), (13, "2032-02-10")],
    }
    # As they were known in between, and where the restated year alone is ever told.
    known = quarters_as_known(facts([*year, *restated]), [TAG], 12, date(2031, 9, 1))
    assert values(known) == {"2030Q1": 10, "2030Q2": 11, "2030Q3": 120, "2030Q4": 130}
    assert versions(facts([*year, restated[3]]))["2030Q4"] == [(130, "2031-02-10")]


def test_of_two_restatements_the_second_one_has_to_be_followed() -> None:
    """The quarter is restated in February, the half year in June and again in September: that nobody has followed."""
    rows = [
        ("2030-01-01", "2030-03-31", 10, "2030-05-01", "a"),
        ("2030-01-01", "2030-06-30", 22, "2030-08-01", "b"),
        ("2030-01-01", "2030-03-31", 12, "2031-02-01", "c"),
        ("2030-01-01", "2030-06-30", 26, "2031-06-01", "d"),
        ("2030-01-01", "2030-06-30", 40, "2031-09-01", "e"),
    ]
    assert versions(facts(rows))["2030Q2"] == [(12.0, "2030-08-01"), (14.0, "2031-06-01")]
    followed = [*rows, ("2030-01-01", "2030-03-31", 15, "2031-10-01", "f")]
    assert versions(facts(followed))["2030Q2"] == [(12.0, "2030-08-01"), (14.0, "2031-06-01"), (25.0, "2031-10-01")]


def test_a_quarter_that_is_reported_by_itself_is_not_derived() -> None:
    rows = [
        *AMENDED[:2],
        ("2030-04-01", "2030-06-30", 149, "2030-08-01", "q2"),
    ]
    assert versions(facts(rows))["2030Q2"] == [(149, "2030-08-01")]


@pytest.mark.parametrize("day", sorted({row[3] for row in [*AMENDED, *AMAZON]}))
def test_later_filings_change_no_earlier_version(day: str) -> None:
    everything = facts([*AMENDED, *AMAZON])
    cut = date.fromisoformat(day)
    known = versions([fact for fact in everything if fact.filed <= cut])
    garbled = [
        fact if fact.filed <= cut else Fact(TAG, fact.start, fact.end, -3 * fact.value, fact.filed, fact.accession)
        for fact in everything
    ]
    for future in (everything, garbled):
        seen = {
            period: [version for version in all_versions if version[1] <= day]
            for period, all_versions in versions(future).items()
        }
        assert {period: kept for period, kept in seen.items() if kept} == known


# Tags

SWITCH = [("2030-01-01", "2030-03-31", 100, "2030-05-01", "q1")]
YEAR_BEFORE = [("2029-01-01", "2029-06-30", 180, "2029-08-01", "old q2")]


def test_a_change_of_tag_is_bridged_where_both_tags_agree() -> None:
    new = [("2030-01-01", "2030-06-30", 250, "2030-08-01", "q2"), ("2029-01-01", "2029-06-30", 180, "2030-08-01", "q2")]
    rows = [*facts([*YEAR_BEFORE, *SWITCH], OTHER), *facts(new, TAG)]
    assert versions(rows) == {"2030Q1": [(100, "2030-05-01")], "2030Q2": [(150, "2030-08-01")]}


@pytest.mark.parametrize("year_before_now", [[("2029-01-01", "2029-06-30", 210, "2030-08-01", "q2")], []])
def test_a_change_of_what_is_counted_is_not_bridged(year_before_now: list) -> None:
    new = [("2030-01-01", "2030-06-30", 250, "2030-08-01", "q2"), ("2030-07-01", "2030-09-30", 130, "2030-11-01", "q3")]
    rows = [*facts([*YEAR_BEFORE, *SWITCH], OTHER), *facts([*new, *year_before_now], TAG)]
    history = quarter_history(rows, [TAG, OTHER], 12)
    assert list(history.versions) == ["2030Q1", "2030Q3"]
    assert history.notes == ("no quarter could be derived for 2030Q2",)


def test_of_two_tags_the_first_of_the_catalogue_holds_and_only_from_its_filing() -> None:
    """Amazon's 2016: under the wider tag, filed a year later, more is counted."""
    rows = [
        *facts([("2016-01-01", "2016-09-30", 4652, "2016-10-28", "q3")], OTHER),
        *facts([("2016-01-01", "2016-12-31", 6737, "2017-02-10", "10-k")], OTHER),
        *facts([("2016-01-01", "2016-09-30", 5390, "2017-10-27", "next q3")]),
        *facts([("2016-01-01", "2016-12-31", 7804, "2018-02-02", "next 10-k")]),
    ]
    assert versions(rows) == {"2016Q4": [(2085, "2017-02-10"), (2414, "2018-02-02")]}
    assert versions(rows, tags=(OTHER, TAG)) == {"2016Q4": [(2085, "2017-02-10")]}


# Fiscal calendars


def test_fiscal_quarters_of_the_catalogue_are_those_of_the_shipped_events() -> None:
    for row in reference_events()[CAPEX.name].itertuples():
        month = company_entry(row.company).fiscal_year_end_month
        assert fiscal_period(row.period_end.date(), month) == row.fiscal_period, (row.company, row.period_end)


@pytest.mark.parametrize(
    ("end", "month", "wanted"),
    [
        ("2025-01-26", 1, "2025Q4"),  # NVIDIA, 52 weeks
        ("2016-01-31", 1, "2016Q4"),
        ("2025-10-26", 1, "2026Q3"),
        ("2023-12-30", 9, "2024Q1"),  # Apple
        ("2023-07-01", 9, "2023Q3"),
        ("2022-09-01", 8, "2022Q4"),  # Micron
        ("2024-02-29", 5, "2024Q3"),  # Oracle
        ("2024-11-30", 5, "2025Q2"),
        ("2024-10-31", 12, None),
    ],
)
def test_years_of_52_and_53_weeks_and_other_months(end: str, month: int, wanted: str | None) -> None:
    assert fiscal_period(date.fromisoformat(end), month) == wanted


def test_a_year_of_53_weeks_by_hand() -> None:
    """A fictitious company whose year ends on the last Saturday of January; its last quarter has 14 weeks."""
    rows = [
        ("2028-01-30", "2028-04-29", 10, "2028-06-01", "q1"),
        ("2028-01-30", "2028-07-29", 30, "2028-09-01", "q2"),
        ("2028-01-30", "2028-10-28", 60, "2028-12-01", "q3"),
        ("2028-01-30", "2029-02-03", 100, "2029-03-20", "10-k"),
        ("2029-02-04", "2029-05-05", 50, "2029-06-08", "q1 2"),
    ]
    assert versions(facts(rows), year_end_month=1) == {
        "2029Q1": [(10, "2028-06-01")],
        "2029Q2": [(20, "2028-09-01")],
        "2029Q3": [(30, "2028-12-01")],
        "2029Q4": [(40, "2029-03-20")],
        "2030Q1": [(50, "2029-06-08")],
    }


def test_what_ends_on_no_fiscal_quarter_is_told() -> None:
    rows = [*AMENDED[:1], ("2030-02-01", "2030-04-30", 40, "2030-06-01", "stub")]
    history = quarter_history(facts(rows), [TAG], 12)
    assert list(history.versions) == ["2030Q1"]
    assert history.notes == ("not used: figures to 2030-04-30, for no quarter of a fiscal year to month 12 ends there",)


@pytest.mark.parametrize(
    ("end", "month", "is_one"),
    [("2030-03-10", 2, False), ("2030-03-11", 2, True), ("2030-04-30", 4, True), ("2030-05-01", 4, False)],
)
def test_a_quarter_has_70_to_120_days(end: str, month: int, is_one: bool) -> None:
    rows = facts([("2030-01-01", end, 1, "2030-06-01", "q")])
    assert bool(quarter_history(rows, [TAG], month).versions) == is_one


# One filing, two values


def test_of_two_values_of_one_filing_the_more_exact_is_taken_and_told() -> None:
    rows = [("2030-01-01", "2030-03-31", value, "2030-05-01", "q1") for value in (12000, 12012, 12012)]
    kept, notes = sound_facts(facts(rows))
    assert [fact.value for fact in kept] == [12012e6]
    assert notes == (
        f"{TAG}, 2030-01-01 to 2030-03-31: q1 gives 12000000000 and 12012000000 USD; 12012000000 is taken, "
        "the more exact",
    )


def test_periods_and_filings_out_of_order_are_left_out_and_told() -> None:
    rows = [
        *AMENDED[:1],
        ("2030-04-01", "2030-03-31", 5, "2030-05-01", "q1"),
        ("2030-01-01", "2030-06-30", 9, "2030-05-01", "q1"),
    ]
    kept, notes = sound_facts(facts(rows))
    assert kept == facts(AMENDED[:1])
    assert notes == (
        f"{TAG}, 2030-04-01 to 2030-03-31: q1, filed on 2030-05-01, is not used, for these days are out of order",
        f"{TAG}, 2030-01-01 to 2030-06-30: q1, filed on 2030-05-01, is not used, for these days are out of order",
    )


# The catalogue


def test_the_catalogue_holds_every_company_of_the_shipped_results() -> None:
    assert set(reference_events()[CAPEX.name]["company"]) <= set(company_catalogue())
    assert company_entry("MSFT").cik == 789019


def test_an_unknown_company_is_told_which_line_to_add() -> None:
    wanted = r"company IBM has no entry .*; add to the spec, under \[catalogue\.companies\].*: \"IBM\" = \{ name"
    with pytest.raises(InputError, match=wanted):
        company_entry("IBM")


@pytest.mark.parametrize(
    ("end", "month"),
    [
        ("2024-03-31", "2024-03"),
        ("2024-03-16", "2024-03"),
        ("2024-03-15", "2024-02"),
        ("2024-03-01", "2024-02"),
        ("2024-01-15", "2023-12"),
    ],
)
def test_the_month_whose_end_is_nearest(end: str, month: str) -> None:
    assert str(nearest_month(date.fromisoformat(end))) == month
