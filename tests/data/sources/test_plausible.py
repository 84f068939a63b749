"""Figures that cannot be are told one by one and not used; nothing right is refused, whatever one slip does."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from data.sources.edgar_plausible import plausible_facts
from data.sources.edgar_quarters import Fact, quarter_history

TAG = "PaymentsToAcquirePropertyPlantAndEquipment"
ENDS = ((3, 31), (6, 30), (9, 30), (12, 31))


def year(number: int, quarters: list[float]) -> list[Fact]:
    """The year to date after each quarter, USD, as each filing tells it a month later."""
    facts = []
    for place, (month, day) in enumerate(ENDS):
        end = date(number, month, day)
        filed = date(number + (month == 12), month % 12 + 1, 28)
        total = sum(quarters[: place + 1])
        facts.append(Fact(TAG, date(number, 1, 1), end, total, filed, f"{number}-{place + 1}"))
    return facts


GOOD = [*year(2030, [100e6, 110e6, 120e6, 150e6]), *year(2031, [140e6, 160e6, 150e6, 200e6])]


def put(facts: list[Fact], accession: str, times: float) -> list[Fact]:
    return [
        Fact(each.tag, each.start, each.end, each.value * times, each.filed, each.accession)
        if each.accession == accession
        else each
        for each in facts
    ]


def test_what_is_right_is_used() -> None:
    assert plausible_facts(GOOD, never_falls=True) == (GOOD, ())


def test_six_months_above_nine_are_not_used() -> None:
    wrong = put(GOOD, "2031-2", 1.6)  # 480 of the 300 million, before 450 after nine months
    used, notes = plausible_facts(wrong, never_falls=True)

    assert [fact.accession for fact in wrong if fact not in used] == ["2031-2"]
    assert notes == (
        f"{TAG}, 2031-01-01 to 2031-06-30: 2031-2 gives 480000000 USD, a sum to 2031-06-30 that is above 450000000 to "
        "2031-09-30: not used",
    )
    quarters = quarter_history(used, [TAG], 12).versions
    assert sorted(quarters) == ["2030Q1", "2030Q2", "2030Q3", "2030Q4", "2031Q1", "2031Q4"]


def test_nine_months_below_six_are_not_used() -> None:
    wrong = put(GOOD, "2031-3", 0.5)
    used, notes = plausible_facts(wrong, never_falls=True)

    assert [fact.accession for fact in wrong if fact not in used] == ["2031-3"]
    assert "2031-3 gives 225000000 USD, a sum to 2031-09-30 that is below 300000000 to 2031-06-30" in notes[0]


def test_another_unit_is_told_with_its_factor() -> None:
    used, notes = plausible_facts(put(GOOD, "2031-1", 1000.0), never_falls=False)
    assert len(used) == 7
    assert notes[0].endswith("2031-1 gives 140000000000 USD, by the month 1.18e+03 times its neighbours: not used")

    used, notes = plausible_facts(put(GOOD, "2030-4", 0.001), never_falls=True)
    assert len(used) == 7
    assert notes[0].endswith("2030-4 gives 480000 USD, by the month 0.000845 times its neighbours: not used")


def test_cash_flow_may_fall_and_be_small() -> None:
    flows = [*year(2030, [100e6, -40e6, 0.2e6, 90e6]), *year(2031, [100e6, -150e6, 160e6, 90e6])]

    assert plausible_facts(flows, never_falls=False) == (flows, ())


def test_a_year_on_another_basis_is_no_slip() -> None:
    """A year later the whole is told at half of it, and nine months in between at the old one."""
    again = [Fact(each.tag, each.start, each.end, each.value / 2, date(2032, 2, 28), "new") for each in GOOD[3:4]]
    nine = [Fact(each.tag, each.start, each.end, each.value, date(2031, 10, 28), "old") for each in GOOD[2:3]]
    facts = [*GOOD, *nine, *again]

    assert plausible_facts(facts, never_falls=True) == (facts, ())


def test_few_figures_are_taken_as_they_are() -> None:
    facts = put(GOOD[:3], "2030-3", 1000.0)

    assert plausible_facts(facts, never_falls=True) == (facts, ())


@given(
    st.lists(st.floats(50e6, 200e6), min_size=12, max_size=12),
    st.sampled_from([f"{number}-{place}" for number in (2030, 2031, 2032) for place in (1, 2, 3, 4)]),
    st.sampled_from([1e-6, 1e-3, 1e3, 1e6]),
)
def test_one_figure_of_another_unit_is_the_one_that_is_left_out(
    quarters: list[float], accession: str, times: float
) -> None:
    years = [fact for place in range(3) for fact in year(2030 + place, quarters[4 * place : 4 * place + 4])]
    assert plausible_facts(years, never_falls=True) == (years, ())

    wrong = put(years, accession, times)
    used, notes = plausible_facts(wrong, never_falls=True)

    assert [fact.accession for fact in wrong if fact not in used] == [accession]
    assert len(notes) == 1
