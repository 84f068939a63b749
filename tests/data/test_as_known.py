"""The world as it was known: three days by hand from the files, revisions, and a future that changes nothing."""

import csv
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.errors import InputError
from data.events.adding import events_market
from data.events.editions import REFERENCE_DIR, reference_events
from data.market.snapshot import Snapshot
from data.market.tables import CAPEX, FUNDING, GUIDANCE, SERIES
from data.quality.as_known import as_known, known_later

DAYS = ("2019-04-26", "2025-10-30", "2026-07-30")


def series(*rows: tuple[str, str, float, str]) -> pd.DataFrame:
    name, date, value, known_at = zip(*rows, strict=True)
    return SERIES.conform(
        pd.DataFrame(
            {
                "series": name,
                "date": pd.to_datetime(date),
                "value": value,
                "known_at": pd.to_datetime(known_at, utc=True),
            }
        )
    )


REVISED = series(
    ("DGS10", "2026-07-27", 4.20, "2026-07-28T22:00Z"),
    ("DGS10", "2026-07-28", 4.25, "2026-07-29T22:00Z"),
    ("DGS10", "2026-07-28", 4.26, "2026-07-29T23:00Z"),
    ("DGS10", "2026-07-28", 4.30, "2026-08-03T22:00Z"),
    ("DGS10", "2026-07-29", 4.40, "2026-07-30T22:00Z"),
    ("WALCL", "2026-06-24", 6.7e6, "2026-06-25T22:00Z"),
    ("SOFR", "2026-07-27", 4.0, "2026-07-28T22:00Z"),
    ("SOFR", "2026-07-28", np.nan, "2026-07-29T22:00Z"),
)


@pytest.fixture(scope="module")
def market() -> Snapshot:
    return replace(events_market(reference_events()), series=REVISED)


def at(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


def shipped(name: str) -> list[dict[str, str]]:
    with (REFERENCE_DIR / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# By hand


@pytest.mark.parametrize("day", DAYS)
def test_a_day_is_what_the_files_say_and_nothing_more(day: str, market: Snapshot) -> None:
    """Counted and summed with the csv module alone."""
    moment = datetime.fromisoformat(f"{day}T00:00:00+00:00")
    events = as_known(market, at(day)).events

    def is_known(cell: str) -> bool:
        return cell != "" and datetime.fromisoformat(cell) <= moment

    results = {
        (row["company"], f"{row['fiscal_period']} {word}"): float(row[f"{figure}_usd_bn"])
        for row in shipped("capex_actuals")
        for figure, word in (("capex", "capex"), ("ocf", "cash flow"))
        if is_known(row[f"{figure}_known_at"])
    }
    told = events[events["kind"] == "result"]
    assert {(row.company, row.about): row.low_usd_bn for row in told.itertuples()} == results
    guided = [row for row in shipped("capex_guidance") if is_known(row["known_at"])]
    assert sorted(events.loc[events["kind"] == "guidance", "source"]) == sorted(row["source"] for row in guided)
    funded = [row for row in shipped("funding_events") if is_known(row["known_at"])]
    paces = [row for row in shipped("balance_sheet_paces") if is_known(row["known_at"])]
    assert len(events) == len(results) + len(guided) + len(funded) + len(paces)
    assert (events["age_days"] == (at(day).tz_convert(None) - events["date"]).dt.days).all()


def test_what_stands_on_the_morning_after_three_results(market: Snapshot) -> None:
    # Meta and Microsoft told on the evening of the 29th, Amazon on that of the 30th.
    known = as_known(market, at("2026-07-30"))
    standing = known.events[known.events["stands"]]
    capex = standing[standing["about"].str.endswith(" capex")].set_index("company")
    assert capex["about"].drop("AAPL").to_dict() == {
        **{"AMZN": "2026Q1 capex", "CRWV": "2026Q1 capex", "GOOGL": "2026Q2 capex", "META": "2026Q2 capex"},
        **{"MSFT": "2026Q4 capex", "ORCL": "2026Q4 capex"},
    }
    assert (capex["low_usd_bn"]["META"], capex["age_days"]["META"]) == (30.116, 1)
    guidance = standing[standing["kind"] == "guidance"]
    meta = guidance[guidance["company"] == "META"]
    assert meta[["about", "low_usd_bn", "high_usd_bn"]].to_numpy().tolist() == [["narrow, to 2026-12", 130, 145]]
    others = standing[~standing["kind"].isin(["guidance", "result"])]
    assert others["age_days"].max() <= 365


def test_of_a_series_the_newest_value_known_then_stands(market: Snapshot) -> None:
    values = as_known(market, at("2026-07-30")).values.set_index("series")
    assert (values["value"]["DGS10"], f"{values['date']['DGS10']:%Y-%m-%d}") == (4.26, "2026-07-28")
    assert (values["age_days"]["DGS10"], values["is_stale"]["DGS10"]) == (2, False)
    assert (values["unit"]["DGS10"], values["source"]["DGS10"]) == ("percent", "Federal Reserve H.15")
    # A blank is no value; the balance sheet of five weeks before is too old to use.
    assert (values["value"]["SOFR"], f"{values['date']['SOFR']:%Y-%m-%d}") == (4.0, "2026-07-27")
    assert (values["age_days"]["WALCL"], values["is_stale"]["WALCL"]) == (36, True)
    assert as_known(market, at("2026-07-29T22:30")).values.set_index("series")["value"]["DGS10"] == 4.25


def test_the_week_before_tells_what_was_published_and_what_of_it_was_a_revision(market: Snapshot) -> None:
    published = as_known(market, at("2026-07-30")).published
    values = published[published["name"] == "DGS10"]
    assert values[["about", "value", "is_revision"]].to_numpy().tolist() == [
        ["2026-07-27", "4.2", False],
        ["2026-07-28", "4.25", False],
        ["2026-07-28", "4.26", True],
    ]
    week = [
        row
        for row in shipped("capex_guidance")
        if datetime.fromisoformat("2026-07-23T00:00:00+00:00")
        < datetime.fromisoformat(row["known_at"])
        <= datetime.fromisoformat("2026-07-30T00:00:00+00:00")
    ]
    assert (published["what"] == "guidance").sum() == len(week) == 3
    assert published["known_at"].is_monotonic_increasing


def test_what_was_revised_or_announced_later_is_told_apart(market: Snapshot) -> None:
    later = known_later(market, at("2026-07-30"))
    values = later[later["what"] == "value"]
    assert values[["name", "about", "then", "now"]].to_numpy().tolist() == [
        ["DGS10", "2026-07-29", "", "4.4"],
        ["DGS10", "2026-07-28", "4.26", "4.3"],
    ]
    events = later[later["what"] != "value"]
    assert (events["known_at"] > at("2026-07-30")).all()
    # The private credit of the 27th was known two days after it; no event of a later day is told.
    assert ("META", "private_credit") not in set(zip(events["name"], events["what"], strict=True))
    assert ("AMZN", "result") in set(
        zip(*(known_later(market, at("2026-07-30T21:00"))[name] for name in ("name", "what")), strict=True)
    )


# No look-ahead


@pytest.mark.parametrize("day", [*DAYS, "2026-07-29T21:30"])
def test_a_garbled_future_changes_no_byte(day: str, market: Snapshot) -> None:
    from reverse_qe.pages.as_known import as_known_page

    moment, random = at(day), np.random.default_rng(3)
    rows, results = market.series.copy(), market.capex_actuals.copy()
    guidance, funding, paces = (
        market.capex_guidance.copy(),
        market.funding_events.copy(),
        market.balance_sheet_paces.copy(),
    )
    future = rows["known_at"] > moment
    rows.loc[future, "value"] = random.normal(0, 1e6, int(future.sum()))
    for figure in ("capex", "ocf"):
        later = ~(results[f"{figure}_known_at"] <= moment)
        results.loc[later, f"{figure}_usd_bn"] = random.normal(0, 1e6, int(later.sum()))
    unknown = ~(results[["capex_known_at", "ocf_known_at"]].min(axis=1) <= moment)
    results.loc[unknown, ["source", "by_user", "confidence"]] = "garbled"
    for table, names in (
        (guidance, ["low_usd_bn", "high_usd_bn"]),
        (funding, ["amount_usd_bn"]),
        (paces, ["pace_usd_bn_month"]),
    ):
        later = table["known_at"] > moment
        table.loc[later, names] = random.normal(0, 1e6, (int(later.sum()), len(names)))
        table.loc[later, "source"] = "garbled"
    garbled = replace(
        market,
        series=rows,
        capex_actuals=CAPEX.conform(results),
        capex_guidance=GUIDANCE.conform(guidance),
        funding_events=FUNDING.conform(funding),
        balance_sheet_paces=paces,
    )
    one, other = as_known(market, moment), as_known(garbled, moment)
    for name in ("values", "events", "published"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))
    assert as_known_page(market, one) == as_known_page(garbled, other)
    cut = replace(
        market,
        series=market.series[~future],
        capex_guidance=market.capex_guidance[market.capex_guidance["known_at"] <= moment],
        funding_events=market.funding_events[market.funding_events["known_at"] <= moment],
    )
    assert as_known_page(cut, as_known(cut, moment)) == as_known_page(market, one)
    end = at("2027-01-01")
    assert not as_known(garbled, end).events.equals(as_known(market, end).events)


def test_a_moment_before_everything_is_refused(market: Snapshot) -> None:
    with pytest.raises(InputError, match="knew anything; it begins at 2014-09-17 18:00 UTC"):
        as_known(market, at("2001-01-01"))
    with pytest.raises(InputError, match="it knows of nothing"):
        as_known(events_market({}), at("2026-01-01"))


@pytest.mark.real_history
def test_a_yield_of_real_history_is_that_of_two_days_before(history: Snapshot, shared: Path) -> None:
    with (shared / "market" / "macro" / "DGS10.csv").open(newline="") as file:
        told = {row["date"]: row["value"] for row in csv.DictReader(file)}
    # Known at 22:00 UTC of the next business day: on the morning of a Thursday, that of Tuesday.
    values = as_known(history, at("2025-10-30")).values.set_index("series")
    assert f"{values['date']['DGS10']:%Y-%m-%d}" == "2025-10-28"
    assert values["value"]["DGS10"] == float(told["2025-10-28"])
