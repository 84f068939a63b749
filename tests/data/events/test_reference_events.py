"""The first edition of the reference events: facts as collected, moments and judgements by hand from the sources.

It is kept as it was shipped; `test_complete_events.py` is about the newest.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from data.catalogue.companies import company_entry
from data.errors import InputError
from data.events.completion import CASH_KINDS, Completed, complete_capex, complete_funding, complete_guidance
from data.events.editions import REFERENCE_DIR, reference_events
from data.market.tables import CAPEX, EVENT_TABLES, FUNDING, GUIDANCE, Table

FOUR = ["MSFT", "GOOGL", "AMZN", "META"]
FIVE = [*FOUR, "ORCL"]
ADDED = {
    CAPEX.name: ["capex_known_at", "ocf_known_at"],
    GUIDANCE.name: ["period_start", "period_end", "comparable", "known_at"],
    FUNDING.name: ["part_of", "counts", "known_at"],
}

# Guidance was stamped with the release, not with the call.
STAMPED_OTHERWISE = {GUIDANCE.name: ["known_at"]}
COMPLETE: dict[str, Callable[[pd.DataFrame], Completed]] = {
    CAPEX.name: complete_capex,
    GUIDANCE.name: complete_guidance,
    FUNDING.name: complete_funding,
}


def complete(table: Table, frame: pd.DataFrame) -> Completed:
    return COMPLETE[table.name](frame)


def raw(table: Table) -> pd.DataFrame:
    return reference_events("2026-10")[table.name].drop(columns=[*ADDED[table.name], "by_user"])


def cells(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def parsed(table: Table, text: pd.DataFrame) -> pd.DataFrame:
    """Parse the raw columns by the standard library's rules, apart from the code under test."""
    convert = {
        "text": str,
        "number": lambda cell: float(cell or "nan"),
        "date": lambda cell: pd.Timestamp(cell) if cell else pd.NaT,
    }
    frame = pd.DataFrame({name: text[name].map(convert[table.columns[name]]) for name in text})
    return frame.astype({name: "datetime64[us]" for name in frame if table.columns[name] == "date"})


def assert_alike(table: Table, got: pd.DataFrame, wanted: pd.DataFrame) -> None:
    """Equal, but for the stamps that follow another rule today."""
    aside = STAMPED_OTHERWISE.get(table.name, [])
    pd.testing.assert_frame_equal(got.drop(columns=aside), wanted.drop(columns=aside))


def row(table: Table, **key: object) -> pd.Series:
    frame = reference_events("2026-10")[table.name]
    for column, value in key.items():
        frame = frame[frame[column] == value]
    assert len(frame) == 1
    return frame.iloc[0]


def result(**changes: object) -> pd.DataFrame:
    """One made-up result, changed where told."""
    cells_of_one = dict.fromkeys(raw(CAPEX), "") | {
        "company": "NVDA",
        "fiscal_period": "2026Q1",
        "period_end": "2025-04-30",
        "announced_at": "2025-05-28",
        "session": "amc",
        "date_confidence": "high",
        "filed_at": "2025-05-28",
        "capex_usd_bn": "1.2",
        "capex_vintage": "as_first_reported",
        "source": "10-Q 0001045810-25-000116",
    }
    return parsed(CAPEX, pd.DataFrame([cells_of_one | changes]))


def guidance(**changes: object) -> pd.DataFrame:
    cells_of_one = dict.fromkeys(raw(GUIDANCE), "") | {
        "company": "ORCL",
        "announced_at": "2026-12-09",
        "session": "amc",
        "fiscal_year": "2027",
        "low_usd_bn": "95",
        "high_usd_bn": "100",
        "confidence": "high",
        "event": "raise",
    }
    return parsed(GUIDANCE, pd.DataFrame([cells_of_one | changes]))


def funding(**changes: object) -> pd.DataFrame:
    cells_of_one = dict.fromkeys(raw(FUNDING), "") | {
        "date": "2026-09-22",
        "kind": "bond_issue",
        "company": "META",
        "amount_usd_bn": "20",
        "confidence": "high",
        "date_basis": "pricing day",
    }
    return parsed(FUNDING, pd.DataFrame([cells_of_one | changes]))


# The shipped tables


@pytest.mark.parametrize("table", EVENT_TABLES, ids=lambda table: table.name)
def test_every_row_has_source_and_confidence(table: Table) -> None:
    frame = reference_events("2026-10")[table.name]
    assert (frame["source"].str.strip() != "").all()
    assert set(frame["confidence"]) <= {"high", "medium", "low"}


@pytest.mark.parametrize("table", EVENT_TABLES, ids=lambda table: table.name)
def test_shipped_tables_conform_and_their_added_columns_follow_from_the_raw_ones(table: Table) -> None:
    done = complete(table, raw(table))
    assert done.judged_by_rule == 0
    assert done.notes == ()
    assert_alike(table, done.table, reference_events("2026-10")[table.name])
    pd.testing.assert_frame_equal(done.table, table.conform(done.table))


@pytest.mark.real_history
@pytest.mark.parametrize("table", EVENT_TABLES, ids=lambda table: table.name)
def test_shipped_facts_are_the_collected_ones_and_complete_alike(table: Table, shared: Path) -> None:
    collected, shipped = (
        cells(shared / "capex" / f"{table.name}.csv"),
        cells(REFERENCE_DIR / "2026-10" / f"{table.name}.csv"),
    )
    assert list(shipped) == [*collected, *ADDED[table.name]]
    pd.testing.assert_frame_equal(shipped[list(collected)], collected)
    done = complete(table, parsed(table, collected))
    assert done.judged_by_rule == 0
    assert_alike(table, done.table, reference_events("2026-10")[table.name])


def test_a_moment_is_blank_where_and_only_where_its_figure_is() -> None:
    results = reference_events("2026-10")[CAPEX.name]
    for figure in ("capex", "ocf"):
        assert (results[f"{figure}_known_at"].isna() == results[f"{figure}_usd_bn"].isna()).all()
    for table in (GUIDANCE, FUNDING):
        assert reference_events("2026-10")[table.name]["known_at"].notna().all()


# Moments, worked out by hand from the sources


@pytest.mark.parametrize(
    ("company", "fiscal_period", "figure", "known_at"),
    [
        # after the close, announcement found: 21:30 UTC of the day, summer and winter
        ("MSFT", "2026Q3", "capex", "2026-04-29 21:30"),
        ("META", "2024Q4", "ocf", "2025-01-29 21:30"),
        ("AAPL", "2020Q4", "capex", "2020-10-29 21:30"),
        # announcement recalled: 22:00 New York time of the filing date, UTC-4 in summer, UTC-5 in winter
        ("ORCL", "2016Q4", "capex", "2016-06-23 02:00"),
        ("GOOGL", "2016Q2", "capex", "2016-08-05 02:00"),
        ("GOOGL", "2015Q4", "capex", "2016-02-12 03:00"),
        ("AMZN", "2015Q4", "ocf", "2016-01-30 03:00"),
        # either side of the change of clocks on 2017-03-12
        ("META", "2016Q4", "ocf", "2017-02-04 03:00"),
        ("ORCL", "2017Q3", "capex", "2017-03-18 02:00"),
        # later vintage: with the last filing that is named (10-Q of 2019-04-26, of 2018-10-26, 10-K of 2019-02-01)
        ("AMZN", "2016Q4", "capex", "2019-04-27 02:00"),
        ("AMZN", "2017Q3", "capex", "2018-10-27 02:00"),
        ("AMZN", "2017Q4", "capex", "2019-02-02 03:00"),
        # ... the other figure of the row does not wait for it
        ("AMZN", "2016Q4", "ocf", "2017-02-11 03:00"),
        ("AMZN", "2017Q4", "ocf", "2018-02-01 21:30"),
        # later vintage, no filing named: a year after the row's first moment
        ("MSFT", "2017Q1", "capex", "2016-10-21 02:00"),
        ("MSFT", "2017Q1", "ocf", "2017-10-21 02:00"),
        ("ORCL", "2018Q2", "ocf", "2018-12-19 03:00"),
    ],
)
def test_results_become_known(company: str, fiscal_period: str, figure: str, known_at: str) -> None:
    got = row(CAPEX, company=company, fiscal_period=fiscal_period)[f"{figure}_known_at"]
    assert got == pd.Timestamp(known_at, tz="UTC")


@pytest.mark.parametrize(
    ("company", "announced_at", "fiscal_year", "known_at"),
    [
        ("META", "2025-01-24", 2025, "2025-01-24 13:00"),  # before the open
        ("MSFT", "2025-01-03", 2025, "2025-01-03 20:00"),  # during the session
        ("GOOGL", "2026-07-22", 2026, "2026-07-22 21:30"),
        ("META", "2023-10-25", 2024, "2023-10-25 21:30"),
        ("META", "2022-02-02", 2022, "2022-02-02 21:30"),  # recalled, but that day's 8-K was found
    ],
)
def test_guidance_becomes_known(company: str, announced_at: str, fiscal_year: int, known_at: str) -> None:
    got = row(GUIDANCE, company=company, announced_at=pd.Timestamp(announced_at), fiscal_year=fiscal_year)
    assert got["known_at"] == pd.Timestamp(known_at, tz="UTC")


@pytest.mark.parametrize(
    ("date", "company", "amount", "known_at"),
    [
        ("2025-11-03", "GOOGL", 17.5, "2025-11-05 00:00"),  # pricing day, high
        ("2026-02-01", "ORCL", 50.0, "2026-02-03 00:00"),  # announced on a Sunday, high
        ("2026-06-02", "GOOGL", 44.75, "2026-06-04 00:00"),  # priced
        ("2026-03-31", "OpenAI", 122.0, "2026-04-02 00:00"),  # closed
        ("2024-08-06", "META", 10.5, "2024-08-13 22:00"),  # pricing day recalled, medium
        ("2026-05-07", "GOOGL", 6.24, "2026-05-14 22:00"),  # the filing date, high
        ("2026-08-07", "GOOGL", 25.0, "2026-08-14 22:00"),  # the filing date; "pricing" is a guess
        ("2026-04-30", "META", 25.0, "2026-05-07 22:00"),  # the day before the filing
        ("2026-09-10", "ORCL", 19.9, "2026-09-17 22:00"),  # disclosed
        ("2026-02-12", "Anthropic", 30.0, "2026-02-20 22:00"),  # announced, medium; Presidents' Day between
        ("2026-06-16", "NVDA", 25.0, "2026-06-24 22:00"),  # completed, medium; Juneteenth between
    ],
)
def test_funding_becomes_known(date: str, company: str, amount: float, known_at: str) -> None:
    got = row(FUNDING, date=pd.Timestamp(date), company=company, amount_usd_bn=amount)
    assert got["known_at"] == pd.Timestamp(known_at, tz="UTC")


def test_policy_becomes_known() -> None:
    nomination = row(FUNDING, date=pd.Timestamp("2026-01-30"), kind="fed_chair")
    assert nomination["known_at"] == pd.Timestamp("2026-02-01", tz="UTC")
    recalled = row(FUNDING, date=pd.Timestamp("2022-06-01"), kind="fed_balance_sheet")
    assert recalled["known_at"] == pd.Timestamp("2022-06-08 22:00", tz="UTC")


def test_no_decision_uses_a_result_before_edgar_accepted_its_release() -> None:
    results = reference_events("2026-10")[CAPEX.name]
    found = results[results["announced_basis"].str.contains("acceptance time")]
    assert len(found) > 150
    clock = found["announced_basis"].str.extract(r"acceptance time (\d\d:\d\d) ET", expand=False)
    accepted = (found["announced_at"] + pd.to_timedelta(clock + ":00")).dt.tz_localize("America/New_York")
    for figure in ("capex", "ocf"):
        decision = found[f"{figure}_known_at"].dt.ceil("D")
        assert (decision.isna() | (decision >= accepted)).all()


# Figures and fiscal calendars


@pytest.mark.parametrize(
    ("companies", "year", "capex", "ocf", "ratio"),
    [  # derived independently and published with the collected events; to half a unit of the last digit printed
        (FOUR, 2017, 40.57, 121.72, 0.333),
        (FOUR, 2018, 66.7, 154.09, 0.433),
        (FOUR, 2019, 69.06, 183.47, 0.376),
        (FOUR, 2020, 95.13, 237.96, 0.4),
        (FOUR, 2021, 127.48, 279.57, 0.456),
        (FOUR, 2022, 151.33, 273.11, 0.554),
        (FOUR, 2023, 147.45, 360.45, 0.409),
        (FOUR, 2024, 228.34, 458.09, 0.498),
        (FOUR, 2025, 376.05, 580.53, 0.648),
        (FIVE, 2018, 68.17, 169.33, 0.403),
        (FIVE, 2019, 70.65, 197.27, 0.358),
        (FIVE, 2020, 96.96, 251.93, 0.385),
        (FIVE, 2021, 130.59, 289.83, 0.451),
        (FIVE, 2022, 158.01, 288.18, 0.548),
        (FIVE, 2023, 154.38, 377.49, 0.409),
        (FIVE, 2024, 239.09, 478.37, 0.5),
        (FIVE, 2025, 411.53, 602.83, 0.683),
    ],
)
def test_annual_sums_are_the_published_ones(
    companies: list[str], year: int, capex: float, ocf: float, ratio: float
) -> None:
    results = reference_events("2026-10")[CAPEX.name]
    rows = results[results["company"].isin(companies) & (results["period_end"].dt.year == year)]
    assert len(rows) == 4 * len(companies)
    got = rows[["capex_usd_bn", "ocf_usd_bn"]].sum()
    assert got["capex_usd_bn"] == pytest.approx(capex, rel=0, abs=0.005 + 1e-9)
    assert got["ocf_usd_bn"] == pytest.approx(ocf, rel=0, abs=0.005 + 1e-9)
    assert got["capex_usd_bn"] / got["ocf_usd_bn"] == pytest.approx(ratio, rel=0, abs=0.0005 + 1e-9)


def test_twelve_months_to_june_2026_match_a_third_partys_study() -> None:
    results = reference_events("2026-10")[CAPEX.name]
    four = results[results["company"].isin(FOUR)]
    year = four[(four["period_end"] > "2025-06-30") & (four["period_end"] <= "2026-06-30")]
    assert round(year["capex_usd_bn"].sum(), 1) == 510.7
    assert round(year["capex_usd_bn"].sum() / year["ocf_usd_bn"].sum(), 2) == 0.77
    half = four[four["period_end"].between("2026-01-01", "2026-06-30")]
    assert round(half["capex_usd_bn"].sum(), 1) == 294.8
    assert round(half["ocf_usd_bn"].sum(), 1) == 322.5
    alphabet = row(CAPEX, company="GOOGL", fiscal_period="2026Q2")
    assert alphabet["ocf_usd_bn"] - alphabet["capex_usd_bn"] == pytest.approx(-5.855)


def test_fiscal_calendars_reproduce_the_ends_of_the_reported_quarters() -> None:
    results = reference_events("2026-10")[CAPEX.name]
    for company, period, end in results[["company", "fiscal_period", "period_end"]].itertuples(index=False):
        year, quarter = int(period[:4]), int(period[-1])
        last = pd.Period(year=year, month=company_entry(company).fiscal_year_end_month, freq="M") - 3 * (4 - quarter)
        assert last.end_time.normalize() == end, (company, period)


def test_quarters_of_each_company_follow_one_another() -> None:
    results = reference_events("2026-10")[CAPEX.name]
    for company in (*FIVE, "CRWV"):
        quarters = pd.PeriodIndex(results.loc[results["company"] == company, "fiscal_period"], freq="Q")
        assert (quarters[1:].asi8 - quarters[:-1].asi8 == 1).all(), company


# Judgements


def test_guided_periods() -> None:
    rows = reference_events("2026-10")[GUIDANCE.name]
    calendar_2026 = rows["note"].str.startswith("CALENDAR 2026")
    assert calendar_2026.sum() == 2
    quarterly = rows["event"] == "quarterly guide"
    fiscal = rows[~calendar_2026 & ~quarterly]
    ends = fiscal["company"].map({"MSFT": "-06-30", "ORCL": "-05-31"}).fillna("-12-31")
    assert (fiscal["period_end"] == pd.to_datetime(fiscal["fiscal_year"].astype(int).astype(str) + ends)).all()
    assert (fiscal["period_start"] == fiscal["period_end"] + pd.Timedelta("1D") - pd.DateOffset(years=1)).all()
    assert (rows.loc[calendar_2026, "period_start"] == "2026-01-01").all()
    assert (rows.loc[calendar_2026, "period_end"] == "2026-12-31").all()
    assert rows.loc[quarterly, "period_start"].dt.strftime("%Y-%m-%d").tolist() == ["2025-07-01", "2026-07-01"]
    assert rows.loc[quarterly, "period_end"].dt.strftime("%Y-%m-%d").tolist() == ["2025-09-30", "2026-09-30"]


def test_what_is_comparable_can_be_counted() -> None:
    rows = reference_events("2026-10")[GUIDANCE.name]
    comparable = rows[rows["comparable"]]
    assert comparable[["low_usd_bn", "high_usd_bn"]].notna().all(axis=None)
    for _, year in comparable.groupby(["company", "fiscal_year"]):
        assert year["basis"].nunique() == 1
        assert year["period_end"].nunique() == 1
        prior = year["low_usd_bn"].shift(), year["high_usd_bn"].shift()
        later = year[1:]
        assert (later["prior_low_usd_bn"] == prior[0][1:]).all()
        assert (later["prior_high_usd_bn"] == prior[1][1:]).all()
    others = rows[~rows["comparable"]]
    assert [f"{r.company} {r.announced_at.date()} {r.event}" for r in others.itertuples()] == [
        "AMZN 2023-08-03 initial",
        "GOOGL 2024-04-25 initial",
        "MSFT 2025-01-03 initial",
        "MSFT 2025-07-30 quarterly guide",
        "MSFT 2025-10-29 qualitative raise",
        "MSFT 2026-04-29 initial",
        "MSFT 2026-07-29 accounting cut",
        "MSFT 2026-07-29 quarterly guide",
        "ORCL 2026-06-10 initial",
        "ORCL 2026-09-10 reiterate",
    ]


@pytest.mark.parametrize(
    ("date", "company", "amount"),
    [
        ("2026-02-01", "ORCL", 50.0),
        ("2026-06-10", "ORCL", 40.0),
        ("2026-06-01", "GOOGL", 80.0),
        ("2026-02-27", "OpenAI", 110.0),
        ("2026-05-06", "META", 13.0),
        ("2025-10-23", "ORCL", 38.0),
        ("2026-03-27", "SoftBank", 40.0),
    ],
)
def test_umbrellas_repeats_and_what_is_not_ones_own_do_not_count(date: str, company: str, amount: float) -> None:
    assert not row(FUNDING, date=pd.Timestamp(date), company=company, amount_usd_bn=amount)["counts"]


def test_only_cash_counts_and_policy_and_commitments_never() -> None:
    rows = reference_events("2026-10")[FUNDING.name]
    counted = rows[rows["counts"]]
    assert set(counted["kind"]) == set(CASH_KINDS)
    assert (counted["amount_usd_bn"] > 0).all()
    assert len(rows[rows["kind"].isin(["bond_issue"])]) == (counted["kind"] == "bond_issue").sum()


def test_a_part_and_its_umbrella_are_never_both_counted() -> None:
    rows = reference_events("2026-10")[FUNDING.name]
    names = rows["company"] + " " + rows["date"].dt.strftime("%Y-%m-%d")
    parts = rows[rows["part_of"] != ""]
    assert parts["part_of"].value_counts().to_dict() == {
        "ORCL 2026-02-01": 3,
        "GOOGL 2026-06-01": 1,
        "OpenAI 2026-03-31": 1,
        "Fed 2025-12-10": 1,
    }
    for name, part in parts.groupby("part_of"):
        umbrella = rows[names == name]
        assert len(umbrella) == 1
        assert part["counts"].any() + umbrella["counts"].any() <= 1
        assert umbrella["counts"].any() or part["amount_usd_bn"].sum() <= umbrella["amount_usd_bn"].item()


@pytest.mark.parametrize(("year", "billions"), [(2025, 93.25), (2026, 157.0)])
def test_counted_registered_dollar_notes_sum_to_the_published_figure(year: int, billions: float) -> None:
    rows = reference_events("2026-10")[FUNDING.name]
    notes = rows[rows["counts"] & rows["source"].str.contains("424B") & (rows["amount_local"] == "")]
    assert notes.loc[notes["date"].dt.year == year, "amount_usd_bn"].sum() == pytest.approx(billions, abs=1e-9)


# Tables of users


def test_what_the_frame_judges_is_kept_and_known_at_is_made_anew() -> None:
    rows = reference_events("2026-10")[FUNDING.name]
    changed = rows.assign(counts=~rows["counts"], part_of="mine", known_at=pd.Timestamp("1990-01-01", tz="UTC"))
    done = complete_funding(changed)
    assert (done.table["counts"] == ~rows["counts"]).all()
    assert set(done.table["part_of"]) == {"mine"}
    pd.testing.assert_series_equal(done.table["known_at"], rows["known_at"])


def test_a_row_outside_the_reference_is_judged_by_rule_and_said() -> None:
    done = complete_guidance(pd.concat([raw(GUIDANCE), guidance()]))
    assert done.judged_by_rule == 1
    (note,) = done.notes
    assert "1 of 62" in note
    assert "ORCL 2026-12-09 2027 raise" in note
    new = done.table[done.table["announced_at"] == "2026-12-09"].iloc[0]
    assert (new["period_start"], new["period_end"]) == (pd.Timestamp("2026-06-01"), pd.Timestamp("2027-05-31"))
    assert new["comparable"]
    others = done.table.drop(new.name).reset_index(drop=True)
    assert_alike(GUIDANCE, others, reference_events("2026-10")[GUIDANCE.name])


def test_a_reference_row_with_another_figure_is_judged_by_rule() -> None:
    rows = raw(GUIDANCE)
    microsoft = (rows["company"] == "MSFT") & (rows["announced_at"] == "2025-01-03")
    done = complete_guidance(rows.assign(high_usd_bn=rows["high_usd_bn"].mask(microsoft, 88.8)))
    assert done.judged_by_rule == 1
    assert done.table.loc[done.table["high_usd_bn"] == 88.8, "comparable"].item()


@pytest.mark.parametrize(
    ("changes", "comparable"),
    [
        ({}, True),
        ({"event": "accounting cut"}, False),
        ({"event": "qualitative raise"}, False),
        ({"event": "quarterly guide"}, False),
        ({"high_usd_bn": ""}, False),
        ({"low_usd_bn": ""}, False),
    ],
)
def test_comparable_by_rule(changes: dict[str, object], comparable: bool) -> None:
    assert complete_guidance(guidance(**changes)).table["comparable"].item() is comparable


def test_a_company_without_a_fiscal_calendar_needs_its_periods_only() -> None:
    start, end = pd.Timestamp("2027-01-01"), pd.Timestamp("2027-12-31")
    got = complete_guidance(guidance(company="IBM").assign(period_start=start, period_end=end)).table.iloc[0]
    assert (got["period_start"], got["period_end"], got["comparable"]) == (start, end, True)


@pytest.mark.parametrize(
    ("company", "announced_at", "fiscal_year", "start", "end"),
    [  # known from the companies' fiscal calendars
        ("MSFT", "2025-10-29", 2026, "2025-10-01", "2025-12-31"),
        ("MSFT", "2026-04-29", 2026, "2026-04-01", "2026-06-30"),
        ("ORCL", "2026-09-10", 2027, "2026-09-01", "2026-11-30"),
        ("NVDA", "2025-02-26", 2026, "2025-02-01", "2025-04-30"),
        ("AAPL", "2025-07-31", 2025, "2025-07-01", "2025-09-30"),
        ("AMZN", "2025-10-30", 2026, "2026-01-01", "2026-03-31"),  # the year's first quarter is still to come
    ],
)
def test_a_quarterly_guide_is_about_the_quarter_in_progress(
    company: str, announced_at: str, fiscal_year: int, start: str, end: str
) -> None:
    frame = guidance(company=company, announced_at=announced_at, fiscal_year=fiscal_year, event="quarterly guide")
    got = complete_guidance(frame).table.iloc[0]
    assert (got["period_start"], got["period_end"]) == (pd.Timestamp(start), pd.Timestamp(end))


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, True),
        ({"kind": "private_credit"}, True),
        ({"kind": "equity_raise"}, True),
        ({"kind": "mega_deal"}, False),
        ({"kind": "fed_chair", "amount_usd_bn": ""}, False),
        ({"amount_usd_bn": ""}, False),
    ],
)
def test_funding_counts_by_rule(changes: dict[str, object], counts: bool) -> None:
    done = complete_funding(funding(**changes))
    assert done.judged_by_rule == 1
    assert done.table["counts"].item() is counts
    assert done.table["part_of"].item() == ""


@pytest.mark.parametrize(
    ("changes", "known_at"),
    [
        ({}, "2026-09-24 00:00"),
        ({"confidence": "medium"}, "2026-09-29 22:00"),
        ({"confidence": "medium", "filed_at": "2026-09-23"}, "2026-09-29 22:00"),
        ({"confidence": "medium", "filed_at": "2026-09-30"}, "2026-10-01 02:00"),
        ({"date_basis": "filing date; priced the day before"}, "2026-09-29 22:00"),
        ({"date": "2026-09-26", "confidence": "low"}, "2026-10-02 22:00"),  # a Saturday: Monday is the first day
        ({"date": "2025-11-21", "confidence": "low"}, "2025-12-01 22:00"),  # Thanksgiving between
    ],
)
def test_funding_of_users_becomes_known(changes: dict[str, object], known_at: str) -> None:
    assert complete_funding(funding(**changes)).table["known_at"].item() == pd.Timestamp(known_at, tz="UTC")


def test_without_a_session_a_result_is_known_late_in_the_evening() -> None:
    done = complete_capex(result(session=""))
    assert done.table["capex_known_at"].item() == pd.Timestamp("2025-05-29 02:00", tz="UTC")


def test_recalled_guidance_waits_for_the_filing_of_that_days_result() -> None:
    frame = guidance(announced_at="2017-02-01", company="META", fiscal_year="2017", confidence="low")
    assert complete_guidance(frame, raw(CAPEX)).table["known_at"].item() == pd.Timestamp("2017-02-04 03:00", tz="UTC")
    frame["confidence"] = "medium"
    assert complete_guidance(frame).table["known_at"].item() == pd.Timestamp("2017-02-01 23:30", tz="UTC")
    frame["confidence"] = "low"
    no_results = raw(CAPEX).iloc[:0]
    assert complete_guidance(frame, no_results).table["known_at"].item() == pd.Timestamp("2017-02-01 23:30", tz="UTC")


def test_part_of_the_results_still_finds_the_filings_of_later_vintages() -> None:
    amazon = raw(CAPEX)
    amazon = amazon[(amazon["company"] == "AMZN") & (amazon["fiscal_period"] <= "2017Q1")]
    got = complete_capex(amazon).table.set_index("fiscal_period")["capex_known_at"]
    assert got["2016Q4"] == pd.Timestamp("2019-04-27 02:00", tz="UTC")


def test_a_later_filing_of_the_users_own_table_is_found_and_the_later_date_of_two_holds() -> None:
    revised = result(capex_vintage="later_vintage", source="0001045810-25-000116; capex 0001045810-26-000021")
    later = result(
        fiscal_period="2027Q1",
        period_end="2026-04-30",
        announced_at="2026-05-20",
        filed_at="2026-05-21",
        source="10-Q 0001045810-26-000021",
    )
    done = complete_capex(pd.concat([revised, later])).table
    assert done["capex_known_at"].iloc[0] == pd.Timestamp("2026-05-22 02:00", tz="UTC")
    claim = later.assign(company="AAPL", filed_at=pd.Timestamp("2026-05-26"))
    done = complete_capex(pd.concat([claim, revised, later])).table
    assert done.loc[done["company"] == "NVDA", "capex_known_at"].iloc[0] == pd.Timestamp("2026-05-27 02:00", tz="UTC")


def test_units_of_dates_do_not_matter_and_no_rows_are_no_fault() -> None:
    for table in EVENT_TABLES:
        dates = [name for name in raw(table) if table.columns[name] == "date"]
        fine = raw(table).astype(dict.fromkeys(dates, "datetime64[ns]"))
        assert_alike(table, complete(table, fine).table, reference_events("2026-10")[table.name])
        pd.testing.assert_frame_equal(complete(table, raw(table).iloc[:0]).table, table.empty())


@pytest.mark.parametrize(
    ("table", "frame", "message"),
    [
        (CAPEX, lambda: result(announced_at=""), "NVDA 2025-04-30: its announced_at is blank"),
        (CAPEX, lambda: result(period_end=""), "NVDA (blank): its period_end is blank"),
        (
            CAPEX,
            lambda: pd.concat([result(), result(fiscal_period="2026Q2")]),
            "two rows have this company, period_end",
        ),
        (
            CAPEX,
            lambda: pd.concat([result(), result(period_end="2025-04-27")]),
            "this company, fiscal_period; keep one",
        ),
        (CAPEX, lambda: result(session="evening"), "got session 'evening', wanted one of: blank, bmo, intraday, amc"),
        (CAPEX, lambda: result(date_confidence="Low"), "got date_confidence 'Low', wanted one of: blank, low"),
        (CAPEX, lambda: result(date_confidence="low", filed_at=""), "filed_at is blank; give the filing date"),
        (CAPEX, lambda: result(capex_vintage="restated"), "got capex_vintage 'restated', wanted one of: as_first"),
        (CAPEX, lambda: result(capex_vintage=""), "got capex_vintage '', wanted one of: as_first_reported"),
        (CAPEX, lambda: result(announced_at="2025-04-28"), "announced or filed before its period_end"),
        (
            CAPEX,
            lambda: result(capex_vintage="later_vintage", source="0001045810-25-000116; capex 0001045810-26-000001"),
            "NVDA 2025-04-30: its capex is of later vintage and its source names a filing whose date no row",
        ),
        (GUIDANCE, lambda: guidance(announced_at=""), "ORCL (blank) 2027 raise: its announced_at is blank"),
        (GUIDANCE, lambda: guidance(fiscal_year=""), "its fiscal_year is blank or no year"),
        (GUIDANCE, lambda: guidance(fiscal_year="2026.5"), "its fiscal_year is blank or no year"),
        (GUIDANCE, lambda: guidance(low_usd_bn="101"), "ORCL 2026-12-09 2027 raise: low_usd_bn is above high_usd_bn"),
        (GUIDANCE, lambda: guidance(prior_low_usd_bn="9", prior_high_usd_bn="8"), "prior_low_usd_bn is above"),
        (GUIDANCE, lambda: guidance(session="pm"), "got session 'pm'"),
        (GUIDANCE, lambda: pd.concat([guidance(), guidance()]), "two rows have this company, announced_at"),
        (GUIDANCE, lambda: guidance(company="IBM"), "IBM 2026-12-09 2027 raise: no fiscal calendar for this company"),
        (GUIDANCE, lambda: guidance(fiscal_year="2026"), "the period guided is blank, reversed or over"),
        (FUNDING, lambda: funding(date=""), "(blank) bond_issue META pricing day 20: its date is blank"),
        (FUNDING, lambda: pd.concat([funding(), funding()]), "two rows have this date, kind, company"),
    ],
)
def test_bad_rows_are_refused_by_name(table: Table, frame: Callable[[], pd.DataFrame], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        complete(table, frame())
    assert str(caught.value).startswith(f"{table.name}: ")
    assert "\n" not in str(caught.value)
