"""Shipped results beside filed ones: what differs is corrected and told, what is missing between is filled."""

from datetime import date
from typing import Any

import pandas as pd
import pytest

import fetch_world
from data.events.editions import reference_events
from data.fetch.corrections import corrected_results
from data.fetch.fetch import fetch
from data.market.manifest import FetchRecord
from data.market.snapshot import load
from data.market.tables import CAPEX


def quarter(
    period: str, end: str, capex: float, filed: str, source: str = "SEC XBRL 0000320193-23-000106", **more: Any
) -> Any:
    row = fetch_world.made_quarter("AAPL", period, end, capex)
    return row.assign(filed_at=pd.Timestamp(filed), source=source, note="", **more)


def table(*rows: pd.DataFrame) -> pd.DataFrame:
    return CAPEX.conform(pd.concat(rows))


SHIPPED = table(
    quarter("2023Q1", "2022-12-31", 3.787, "2023-02-03", "shipped"),
    quarter("2023Q4", "2023-09-30", 4.256, "2023-11-03", "shipped"),
    quarter("2024Q1", "2023-12-30", 2.392, "2024-02-02", "shipped"),
)
FILED = table(
    quarter("2022Q4", "2022-09-24", 3.289, "2022-10-28"),  # before the first one that is shipped
    quarter("2023Q1", "2022-12-31", 3.7874, "2023-02-03"),  # but for rounding the same
    quarter("2023Q2", "2023-04-01", 2.916, "2023-05-05"),
    quarter("2023Q3", "2023-07-01", 2.093, "2023-08-04"),
    quarter("2023Q4", "2023-09-30", 2.163, "2023-11-03"),
    quarter("2024Q1", "2023-12-30", 9.9, "2025-01-31"),  # first filed a year later: restated
)


def test_a_figure_that_was_filed_otherwise_is_corrected_and_gaps_are_filled() -> None:
    corrected, told = corrected_results(SHIPPED, FILED)

    assert corrected.set_index("fiscal_period")["capex_usd_bn"].to_dict() == {
        "2023Q1": 3.787,
        "2023Q2": 2.916,
        "2023Q3": 2.093,
        "2023Q4": 2.163,
        "2024Q1": 2.392,
    }
    assert told == {
        "AAPL": [
            "2023Q4: capex is 2.163 USD bn by SEC XBRL 0000320193-23-000106, 4.256 as shipped: corrected",
            "2023Q2: not shipped, taken as it was filed",
            "2023Q3: not shipped, taken as it was filed",
        ]
    }
    row = corrected.set_index("fiscal_period").loc["2023Q4"]
    assert row["source"] == "SEC XBRL 0000320193-23-000106"
    assert row["note"].startswith("capex was shipped as 4.256")
    assert row["capex_known_at"] == SHIPPED.set_index("fiscal_period").loc["2023Q4", "capex_known_at"]


def test_figures_of_a_later_vintage_and_blanks_stay() -> None:
    later = SHIPPED.assign(capex_vintage="later_vintage")
    blank = SHIPPED.assign(capex_usd_bn=float("nan"), capex_vintage="")
    for shipped in (later, blank):
        corrected, told = corrected_results(shipped, FILED[FILED["fiscal_period"].isin(SHIPPED["fiscal_period"])])
        pd.testing.assert_frame_equal(corrected, shipped)
        assert told == {}


def test_without_filings_the_shipped_table_stays() -> None:
    reference = reference_events()[CAPEX.name]
    corrected, told = corrected_results(reference, CAPEX.empty())

    pd.testing.assert_frame_equal(corrected, reference)
    assert told == {}


@pytest.fixture
def world() -> fetch_world.World:
    """The SEC has one quarter of Microsoft otherwise than it is shipped."""
    rows = reference_events()[CAPEX.name].query("company == 'MSFT' and capex_vintage == 'as_first_reported'")
    wrong = rows.iloc[[-3]].assign(source="SEC XBRL 0000000000-26-000001")
    wrong = wrong.assign(capex_usd_bn=wrong["capex_usd_bn"] + 1.0)
    return fetch_world.World(quarters={"MSFT": CAPEX.conform(wrong)})


def test_a_correction_is_told_once_and_stays(world: fetch_world.World) -> None:
    shipped = reference_events()[CAPEX.name].query("company == 'MSFT'").set_index("fiscal_period")["capex_usd_bn"]
    period = world.quarters["MSFT"]["fiscal_period"].iloc[0]
    wanted = FetchRecord(companies=("MSFT",), start=date(2025, 1, 2))
    now = pd.Timestamp("2027-06-01", tz="UTC")
    outcome = fetch("live", wanted, world.sources(), now)

    [note] = [note for note in outcome.notes if "corrected" in note]
    assert note.startswith(f"MSFT: {period}: capex is {shipped[period] + 1:.3f} USD bn by SEC XBRL")
    assert note.endswith(f"{shipped[period]:.3f} as shipped: corrected")
    assert ("capex_actuals", "MSFT") in {(each.table, each.name) for each in outcome.differences}

    world.quarters.clear()
    world.series["DGS10"] = fetch_world.made_series({"2027-05-28": 4.0})
    again = fetch("live", FetchRecord(series=("DGS10",)), world.sources(), now)
    kept = load("live.2").capex_actuals.query("company == 'MSFT'").set_index("fiscal_period")["capex_usd_bn"]
    assert again.version == "live.2"
    assert kept[period] == shipped[period] + 1
    assert kept.drop(period).equals(shipped.drop(period))
