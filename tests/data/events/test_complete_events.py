"""The events as completed: the collected figures, moments and sums by hand, spans, and what finds a wrong figure."""

from dataclasses import replace
from itertools import chain
from pathlib import Path

import pandas as pd
import pytest

from data.errors import InputError
from data.events.completion import complete_capex, complete_funding, complete_guidance
from data.events.coverage import complete_coverage, complete_paces, covered_span
from data.events.editions import REFERENCE_DIR, SHIPPED_TABLES, reference_events
from data.events.timeline import PACE, event_timeline
from data.events.validation import validate_events
from data.market.snapshot import Snapshot, load, save
from data.market.tables import BARS, CAPEX, COVERAGE, EVENT_TABLES, FUNDING, GUIDANCE, PACES, SERIES, Table

FIVE = ("AMZN", "GOOGL", "META", "MSFT", "ORCL")
COMPLETE = {CAPEX.name: complete_capex, GUIDANCE.name: complete_guidance, FUNDING.name: complete_funding}
COLLECTED = {
    CAPEX.name: ("capex_actuals_corrections", ["capex_usd_bn", "ocf_usd_bn", "headline_capex_usd_bn", "announced_at"]),
    GUIDANCE.name: (
        "capex_guidance_complete",
        ["low_usd_bn", "high_usd_bn", "prior_low_usd_bn", "prior_high_usd_bn", "session", "basis", "confidence"],
    ),
    FUNDING.name: ("funding_events_complete", ["filed_at", "amount_local", "confidence"]),
    PACES.name: ("fed_pace", ["pace_usd_bn_month", "confidence", "statement"]),
}
KEYS = {
    CAPEX.name: ["company", "fiscal_period"],
    GUIDANCE.name: ["company", "announced_at", "fiscal_year", "event"],
    FUNDING.name: ["date", "kind", "company", "amount_usd_bn"],
    PACES.name: ["announced_at", "effective_from"],
}


def market(**tables: pd.DataFrame) -> Snapshot:
    return Snapshot(
        name="complete",
        simulated=False,
        instruments={},
        bars=BARS.empty(),
        series=SERIES.empty(),
        **{**reference_events(), **tables},
    )


def check(snapshot: Snapshot, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    (found,) = [each for each in validate_events(snapshot) if each.name == name]
    return found.defects, found.notes


def one(table: Table, **key: object) -> pd.Series:
    rows = reference_events()[table.name]
    for column, value in key.items():
        rows = rows[rows[column] == value]
    assert len(rows) == 1
    return rows.iloc[0]


def cells(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


# The tables


@pytest.mark.parametrize("table", SHIPPED_TABLES, ids=lambda table: table.name)
def test_every_row_has_its_confidence_and_what_it_rests_on(table: Table) -> None:
    rows = reference_events()[table.name]
    assert set(rows["confidence"]) <= {"high", "medium", "low"}
    assert (rows["evidence" if table is COVERAGE else "source"].str.strip() != "").all()


@pytest.mark.parametrize("table", EVENT_TABLES, ids=lambda table: table.name)
def test_moments_and_judgements_follow_from_the_raw_columns(table: Table) -> None:
    shipped = reference_events()[table.name]
    judged = {"period_start", "period_end", "comparable", "part_of", "counts"} - {*CAPEX.columns}
    raw = shipped.drop(columns=[name for name in shipped if name in judged or name.endswith("known_at")])
    if table is GUIDANCE:  # its period_end is a judgement
        raw = raw.drop(columns=["period_end"], errors="ignore")
    done = COMPLETE[table.name](raw)
    assert done.judged_by_rule == 0
    pd.testing.assert_frame_equal(done.table, shipped)


@pytest.mark.real_history
@pytest.mark.parametrize("table", [CAPEX, GUIDANCE, FUNDING, PACES], ids=lambda table: table.name)
def test_figures_are_the_collected_ones(table: Table, shared: Path) -> None:
    file, columns = COLLECTED[table.name]
    collected, shipped = cells(shared / "capex" / f"{file}.csv"), cells(REFERENCE_DIR / f"{table.name}.csv")
    key = KEYS[table.name]
    both = collected[[*key, *columns]].merge(shipped[[*key, *columns]], on=key, how="left", suffixes=("", "_shipped"))
    assert len(both) == len(collected)
    for column in columns:
        assert both[column].tolist() == both[f"{column}_shipped"].tolist(), column
    if table is CAPEX:
        before = cells(REFERENCE_DIR / "2026-10" / "capex_actuals.csv")
        kept = before.merge(collected[key], on=key, how="left", indicator="found")
        kept = kept[kept["found"] == "left_only"].drop(columns="found")
        again = kept[key].merge(shipped, on=key)
        assert again[list(kept)].to_numpy().tolist() == kept.to_numpy().tolist()


def test_no_word_of_how_it_was_collected_is_left() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in REFERENCE_DIR.glob("*.csv"))
    assert not any(word in text for word in ("(id ", "stored ", "the brief", "as supplied"))


# By hand


def test_amazon_is_as_first_reported_and_stands_on_one_basis_from_the_end_of_2017() -> None:
    quarter = one(CAPEX, company="AMZN", fiscal_period="2016Q4")
    assert (quarter["capex_usd_bn"], quarter["capex_vintage"]) == (2.006, "as_first_reported")
    assert quarter["capex_known_at"] < pd.Timestamp("2017-02-11", tz="UTC")  # not two years later
    assert covered_span(reference_events()[COVERAGE.name], "results", "AMZN") == (
        pd.Timestamp("2017-10-01"),
        pd.Timestamp("2026-10-10"),
    )


@pytest.mark.parametrize(
    ("period", "capex", "known_at"),
    [
        ("2023Q2", 2.916, "2023-05-04 21:30"),
        ("2023Q3", 2.093, "2023-08-03 21:30"),
        ("2023Q4", 2.163, "2023-11-02 21:30"),
    ],
)
def test_apples_quarters_of_2023(period: str, capex: float, known_at: str) -> None:
    row = one(CAPEX, company="AAPL", fiscal_period=period)
    assert (row["capex_usd_bn"], row["capex_known_at"]) == (capex, pd.Timestamp(known_at, tz="UTC"))


def test_guidance_is_told_on_the_call_after_the_release() -> None:
    guided = one(GUIDANCE, company="META", announced_at=pd.Timestamp("2026-07-29"))
    reported = one(CAPEX, company="META", fiscal_period="2026Q2")
    assert reported["capex_known_at"] == pd.Timestamp("2026-07-29 21:30", tz="UTC")
    assert guided["known_at"] == pd.Timestamp("2026-07-29 23:30", tz="UTC")  # before the decision at midnight


@pytest.mark.parametrize(
    ("day", "company", "amount", "counts"),
    [
        ("2016-08-01", "MSFT", 19.75, True),
        ("2026-06-08", "AMZN", 17.5, False),  # undrawn
        ("2025-10-07", "xAI", 20.0, False),  # a plan
        ("2025-11-07", "ORCL", 18.0, False),  # the landlord's
        ("2026-05-06", "META", 13.0, False),  # superseded by
        ("2026-07-27", "META", 12.5, True),
        ("2021-02-01", "AAPL", 14.0, False),  # no spender, and not complete
    ],
)
def test_what_counts_as_raised(day: str, company: str, amount: float, counts: bool) -> None:
    row = one(FUNDING, date=pd.Timestamp(day), company=company, amount_usd_bn=amount)
    assert row["counts"] == counts


@pytest.mark.parametrize(
    ("companies", "first", "last", "billions"),
    [  # Reuters, 2026-07-29: about 108 and 194; the 10-K of 2022: 21.2
        (("AMZN", "GOOGL", "META", "ORCL"), "2025-01-01", "2025-12-31", 108.43),
        (("AMZN", "GOOGL", "META", "ORCL"), "2026-01-01", "2026-07-07", 194.45),
        (("AMZN",), "2022-01-01", "2022-12-31", 21.0),
        (("MSFT",), "2017-02-01", "2026-09-26", 0.0),
    ],
)
def test_notes_come_to_the_published_sums(companies: tuple[str, ...], first: str, last: str, billions: float) -> None:
    rows = reference_events()[FUNDING.name]
    notes = rows[rows["counts"] & (rows["kind"] == "bond_issue") & rows["company"].isin(companies)]
    assert notes.loc[notes["date"].between(first, last), "amount_usd_bn"].sum() == pytest.approx(billions, abs=1e-9)


def test_the_pace_of_the_balance_sheet_is_announced_ahead() -> None:
    paces = reference_events()[PACES.name]
    steps = paces[(paces["announced_at"] == "2022-05-04") & paces["effective_from"].notna()]
    assert steps["pace_usd_bn_month"].tolist() == [-47.5, -95.0]
    assert steps["effective_from"].dt.strftime("%Y-%m-%d").tolist() == ["2022-06-01", "2022-09-01"]
    assert set(steps["known_at"]) == {pd.Timestamp("2022-05-04 18:00", tz="UTC")}


def test_paces_stand_on_the_time_line() -> None:
    listed = event_timeline(market())
    paces = listed[listed["kind"] == PACE]
    assert len(paces) == 59
    assert paces["counts"].sum() == 55
    twice = paces[paces["date"] == "2022-05-04"]
    assert sorted(twice["low_usd_bn"]) == [-95.0, -47.5]
    assert any("(from 2022-09-01)" in about for about in twice["about"])


# Spans


def test_the_five_are_covered_from_2015_to_the_end() -> None:
    coverage = reference_events()[COVERAGE.name]
    for company in FIVE:
        span = covered_span(coverage, "funding", company)
        assert span is not None
        assert span[0] == pd.Timestamp("2015-07-01")
        assert span[1] >= pd.Timestamp("2026-09-03")
    assert covered_span(coverage, "funding", "AAPL") is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": "rumours"}, "got kind 'rumours'"),
        ({"complete_from": pd.NaT}, "its complete_from is blank"),
        ({"complete_from": pd.Timestamp("2030-01-01")}, "its complete_to is before its complete_from"),
        ({"confidence": ""}, "got confidence ''"),
    ],
)
def test_a_wrong_span_is_refused(change: dict[str, object], reason: str) -> None:
    rows = reference_events()[COVERAGE.name].iloc[[3]].assign(**change)
    with pytest.raises(InputError, match=reason):
        complete_coverage(rows)


def test_two_spans_of_one_company_are_refused() -> None:
    rows = reference_events()[COVERAGE.name].iloc[[3, 3]]
    with pytest.raises(InputError, match="two rows have this kind, company"):
        complete_coverage(rows)


def test_a_pace_known_before_its_day_is_refused() -> None:
    rows = reference_events()[PACES.name].iloc[[5]]
    assert len(complete_paces(rows)) == 1
    with pytest.raises(InputError, match="its known_at is before its announced_at"):
        complete_paces(rows.assign(known_at=rows["known_at"] - pd.Timedelta(days=2)))


# Checks


def test_every_check_holds() -> None:
    assert [found.name for found in validate_events(market()) if not found.holds] == []


def test_a_difference_across_a_gap_is_a_defect() -> None:
    defects, _ = check(market(**reference_events("2026-10")), "neighbours")
    assert [line.partition(": it is")[0] for line in defects] == ["capex_actuals: AAPL 2023-09-30"]
    assert not any("AAPL 2023" in line for line in [*chain.from_iterable(check(market(), "neighbours"))])


def test_a_quarter_far_from_those_around_it_is_told() -> None:
    results = reference_events()[CAPEX.name]
    wrong = (results["company"] == "META") & (results["fiscal_period"] == "2023Q3")
    doubled = results.assign(capex_usd_bn=results["capex_usd_bn"].mask(wrong, 2 * results["capex_usd_bn"]))
    _, notes = check(market(capex_actuals=doubled), "neighbours")
    assert any(note.startswith("META: capex of 2023Q3 is 13.086") for note in notes)


def test_notes_above_the_reported_proceeds_are_a_defect_and_below_them_a_note() -> None:
    funding = reference_events()[FUNDING.name]
    amazon = (funding["company"] == "AMZN") & (funding["date"] == "2021-05-10")
    more = funding.assign(amount_usd_bn=funding["amount_usd_bn"].mask(amazon, 19.5))
    defects, _ = check(market(funding_events=more), "proceeds")
    assert defects == (
        "AMZN, 2021-01-01 to 2021-12-31: notes of 19.50 count, proceeds of 19.003 were reported; correct an amount, a "
        "date or counts",
    )
    defects, notes = check(market(funding_events=funding[~amazon]), "proceeds")
    assert defects == ()
    assert any("AMZN, 2021-01-01 to 2021-12-31: notes of 0.00 count" in note for note in notes)


def test_without_coverage_no_sum_is_judged() -> None:
    bare = market(event_coverage=COVERAGE.empty())
    assert check(bare, "proceeds") == ((), ())
    assert check(bare, "coverage") == ((), ("the market does not say from when to when its events are complete",))


def test_a_pace_told_after_it_took_effect_is_a_defect() -> None:
    paces = reference_events()[PACES.name]
    late = paces.assign(effective_from=paces["effective_from"] - pd.Timedelta(days=90))
    assert check(market(balance_sheet_paces=late), "paces")[0] != ()


# Snapshots


def test_a_market_keeps_spans_and_paces(tmp_path: Path) -> None:
    made = market()
    save(made)
    kept = load("complete")
    for table in SHIPPED_TABLES:
        pd.testing.assert_frame_equal(kept.table(table), made.table(table))
    assert kept.content_hash == made.content_hash
    assert replace(made, event_coverage=COVERAGE.empty()).content_hash != made.content_hash
