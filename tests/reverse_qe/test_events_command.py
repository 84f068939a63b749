"""The time-line of events and the checks of their tables: counted and worked out from the shipped files by hand."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click
import pandas as pd
import pytest

from data.errors import InputError
from data.events.editions import REFERENCE_DIR
from data.events.timeline import TIMELINE_COLUMNS, blank_figures, event_timeline, select_events
from data.events.validation import EventCheck, validate_events
from data.market.snapshot import Snapshot, save
from hand_made import make_snapshot
from reverse_qe.cli import cli

EVENT_TABLES = ("capex_actuals", "capex_guidance", "funding_events")


def call(*arguments: str) -> int | None:
    """Run the command; its exit status where it sets one."""
    status: int | None = cli.main(["events", *arguments], prog_name="reverse-qe", standalone_mode=False)
    return status


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    call(*arguments, "--json")
    return json.loads(capsys.readouterr().out)


def shipped(name: str) -> list[dict[str, str]]:
    with (REFERENCE_DIR / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def timeline(sample: Snapshot) -> pd.DataFrame:
    return event_timeline(sample)


def one(timeline: pd.DataFrame, **cells: object) -> pd.Series:
    rows = timeline
    for column, value in cells.items():
        rows = rows[rows[column] == value]
    assert len(rows) == 1
    return rows.iloc[0]


def test_no_price_is_made_to_list_events(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import data.sample.market

    monkeypatch.setattr(data.sample.market, "_bars", None)
    assert len(said(capsys, "list")["events"]) > 400
    assert said(capsys, "list", "--due", "--to", "2026-06-30")["due"]


@pytest.mark.slow
def test_no_run_is_imported_to_list_events() -> None:
    code = (
        "import sys\nfrom reverse_qe.cli import main\ntry:\n    main()\nexcept SystemExit:\n    pass\n"
        "packages = {name.partition('.')[0] for name in sys.modules}\n"
        "print(packages & {'backtests', 'signals', 'strategies'}, file=sys.stderr)"
    )
    words = [sys.executable, "-c", code, "events", "list"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "set()"


# The time-line


def test_every_figure_and_row_of_the_shipped_files_stands_once(timeline: pd.DataFrame, sample: Snapshot) -> None:
    results, guidance, funding = (shipped(name) for name in EVENT_TABLES)
    figures = [row[column] for row in results for column in ("capex_usd_bn", "ocf_usd_bn")]
    counts = timeline["kind"].value_counts()
    assert counts["result"] == sum(cell != "" for cell in figures)
    assert blank_figures(sample) == figures.count("")
    assert counts["guidance"] == len(guidance)
    for kind in {row["kind"] for row in funding}:
        assert counts[kind] == sum(row["kind"] == kind for row in funding)
    assert counts["balance_sheet_pace"] == len(sample.balance_sheet_paces) > 20
    told = len(figures) - figures.count("") + len(guidance) + len(funding) + len(sample.balance_sheet_paces)
    assert len(timeline) == counts.sum() == told
    assert tuple(timeline.columns) == TIMELINE_COLUMNS


def test_moments_are_those_of_the_shipped_files_in_order(timeline: pd.DataFrame) -> None:
    results, guidance, funding = (shipped(name) for name in EVENT_TABLES)
    moments = [row[column] for row in results for column in ("capex_known_at", "ocf_known_at")]
    moments += [row["known_at"] for row in [*guidance, *funding]]
    told = timeline[timeline["kind"] != "balance_sheet_pace"]
    assert timeline["known_at"].is_monotonic_increasing
    assert told["known_at"].tolist() == sorted(datetime.fromisoformat(text) for text in moments if text)


def test_rows_say_what_their_sources_say(timeline: pd.DataFrame) -> None:
    capex = one(timeline, company="AMZN", about="2016Q4 capex")
    assert capex["known_at"] == datetime(2017, 2, 2, 21, 30, tzinfo=UTC)  # as first told, in the release
    assert (capex["low_usd_bn"], capex["high_usd_bn"], capex["counts"]) == (2.006, 2.006, True)
    cash_flow = one(timeline, company="AMZN", about="2016Q4 cash flow")
    assert cash_flow["known_at"] == datetime(2017, 2, 2, 21, 30, tzinfo=UTC)
    assert cash_flow["low_usd_bn"] == 10.652
    meta = one(timeline, company="META", kind="guidance", date=pd.Timestamp("2026-04-29"))
    assert meta["known_at"] == datetime(2026, 4, 29, 23, 30, tzinfo=UTC)  # told on the call, later than the release
    assert (meta["low_usd_bn"], meta["high_usd_bn"], meta["counts"]) == (125, 145, True)
    assert meta["about"] == "raise, to 2026-12"
    umbrella = one(timeline, company="ORCL", kind="mega_deal", date=pd.Timestamp("2026-02-01"))
    assert (umbrella["low_usd_bn"], umbrella["counts"]) == (50, False)
    assert umbrella["known_at"] == datetime(2026, 2, 3, tzinfo=UTC)
    nomination = one(timeline, kind="fed_chair", date=pd.Timestamp("2026-01-30"))
    assert pd.isna(nomination["low_usd_bn"])
    assert nomination["source"] == "Fox Business 2026-01-30"


def test_selections_narrow_one_another_and_days_include_their_ends(timeline: pd.DataFrame) -> None:
    day = pd.Timestamp("2026-07-29")
    chosen = select_events(timeline, ["META", "MSFT"], ["guidance"], day, day)
    assert chosen[["company", "low_usd_bn"]].to_numpy().tolist() == [["META", 130], ["MSFT", 175], ["MSFT", 50]]
    assert select_events(timeline).equals(timeline)
    # 00:00 UTC: the evening of the 2nd in New York, the 3rd in UTC
    found = select_events(timeline, ["ORCL"], ["mega_deal"], pd.Timestamp("2026-02-03"), pd.Timestamp("2026-02-03"))
    assert found["about"].tolist() == ["announced (Sunday)"]
    before, after = pd.Timestamp("2020-05-31"), pd.Timestamp("2020-06-01")
    assert len(select_events(timeline, last=before)) + len(select_events(timeline, first=after)) == len(timeline)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"companies": ["IBM"]}, "got company IBM, wanted one of: AAPL, AMZN"),
        ({"kinds": ["bonds"]}, "got kind bonds, wanted one of: balance_sheet_pace, bond_issue"),
        ({"first": pd.Timestamp("2026-02-01"), "last": pd.Timestamp("2026-01-01")}, "wanted the earlier day first"),
    ],
)
def test_a_selection_of_what_is_not_there_is_refused(
    timeline: pd.DataFrame, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        select_events(timeline, **arguments)  # type: ignore[arg-type]


# The command: list


def test_list_says_that_the_events_of_the_sample_are_real(capsys: pytest.CaptureFixture[str]) -> None:
    call("list", "--company", "MSFT")
    assert "23 figures of results" in capsys.readouterr().err
    call("list", "--company", "MSFT", "--kind", "guidance")
    captured = capsys.readouterr()
    assert "SIMULATED market sample (its events are real)" in captured.out
    lines = [line.split() for line in captured.out.splitlines() if "guidance" in line]
    assert [line[:2] + line[-2:] for line in lines if line[0] == "2026-07-29"] == [
        ["2026-07-29", "23:30", "no", "high"],
        ["2026-07-29", "23:30", "no", "medium"],
    ]
    amounts = [" ".join(line) for line in lines]
    assert any(" 175 no high" in line for line in amounts)
    assert any(" from 50 no medium" in line for line in amounts)
    assert any(" - no high" in line for line in amounts)
    assert captured.err == ""


def test_what_was_never_known_is_listed_last_and_said(sample: Snapshot, capsys: pytest.CaptureFixture[str]) -> None:
    unknown = setting("known_at", pd.NaT, **META_RAISE)(sample.capex_guidance)
    save(replace(sample, name="unknown", capex_guidance=unknown))
    call("list", "--market", "unknown", "--company", "META")
    last = [line for line in capsys.readouterr().out.splitlines() if " META " in line][-1]
    assert last.split()[:2] == ["never", "2026-04-29"]
    assert said(capsys, "list", "--market", "unknown", "--company", "META")["events"][-1]["known_at"] is None


def test_list_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    got = said(capsys, "list", "--company", "Fed", "--company", "OpenAI", "--from", "2026-03-05", "--to", "2026-04-02")
    assert (got["market"], got["simulated"], got["blank_figures"]) == ("sample", True, 23)
    assert [(row["known_at"], row["company"], row["low_usd_bn"], row["counts"]) for row in got["events"]] == [
        ("2026-03-06T00:00:00Z", "Fed", None, False),
        ("2026-03-06T22:00:00Z", "OpenAI", 110.0, False),
        ("2026-04-02T00:00:00Z", "OpenAI", 122.0, True),
    ]
    assert list(got["events"][0]) == list(TIMELINE_COLUMNS)


def test_a_market_without_events_has_an_empty_time_line(capsys: pytest.CaptureFixture[str]) -> None:
    save(make_snapshot({"A": [("2024-01-02", 1.0, 1.0)]}, name="bare"))
    call("list", "--market", "bare")
    assert "Events of market bare, in order of when they became known: 0" in capsys.readouterr().out
    assert said(capsys, "list", "--market", "bare")["events"] == []
    assert said(capsys, "validate", "--market", "bare")["holds"] is True
    assert said(capsys, "validate", "--market", "bare", "--against", "bare")["holds"] is True
    with pytest.raises(InputError, match=r"^got market bare, which has no results to compare; wanted one that has$"):
        call("validate", "--market", "bare", "--against", "edgar")


def test_days_that_are_none_are_a_usage_error() -> None:
    with pytest.raises(click.BadParameter, match="got 'yesterday', wanted a day as in 2026-01-31"):
        call("list", "--from", "yesterday")


# The checks


def checks_of(snapshot: Snapshot) -> dict[str, EventCheck]:
    return {check.name: check for check in validate_events(snapshot)}


def test_the_shipped_tables_hold_and_what_is_left_open_is_noted(sample: Snapshot) -> None:
    checks = checks_of(sample)
    assert [name for name, check in checks.items() if not check.holds] == []
    notes = {name: "\n".join(check.notes) for name, check in checks.items()}
    # from the files themselves
    assert notes["quarters"] == ""
    assert notes["figures"] == "AAPL: operating cash flow is blank in 23 quarters (2020Q3 to 2026Q1)"
    cash_flow = "operating cash flow is of later vintage, known only from then, in 4 quarters (2017Q1 to 2017Q4)"
    assert notes["vintage"] == f"MSFT: {cash_flow}"
    # 25.0 notes, 5.0 preferred and 19.9 sold at the market, of the plan of 50
    assert "ORCL 2026-02-01: its parts (3) come to 49.9 of 50 USD bn" in notes["umbrellas"]
    assert "GOOGL 2026-06-01: its parts (1) come to 44.75 of 80 USD bn" in notes["umbrellas"]
    assert [line.partition(":")[2].split(":")[0] for line in checks["guidance chain"].notes] == [
        " ORCL 2026-09-10 2027 reiterate",
    ]
    for name in EVENT_TABLES:
        low = sum(row["confidence"] == "low" for row in shipped(name))
        assert f"{name}: {low} {'row' if low == 1 else 'rows'} of low confidence" in notes["confidence"]


@pytest.mark.real_history
def test_imported_events_hold_as_the_shipped_ones_do(history: Snapshot, sample: Snapshot) -> None:
    of_companies = replace(
        history, balance_sheet_paces=sample.balance_sheet_paces, event_coverage=sample.event_coverage
    )
    assert validate_events(of_companies) == validate_events(sample)
    assert all(check.holds for check in validate_events(history))


Change = Callable[[pd.DataFrame], pd.DataFrame]


def setting(column: str, value: object, **key: object) -> Change:
    """Set one cell of the one row that the key names."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        chosen = pd.Series(True, index=table.index)
        for name, wanted in key.items():
            chosen &= table[name] == wanted
        assert chosen.sum() == 1
        return table.assign(**{column: table[column].mask(chosen, value)})  # type: ignore[arg-type]

    return change


META_RAISE = {"company": "META", "announced_at": pd.Timestamp("2026-04-29")}
ORACLE_NOTES = {"company": "ORCL", "date": pd.Timestamp("2026-02-02"), "kind": "bond_issue"}
ORACLE_PLAN = {"company": "ORCL", "date": pd.Timestamp("2026-02-01")}
META_QUARTER = {"company": "META", "fiscal_period": "2025Q4"}
EARLY = pd.Timestamp("2025-12-31", tz="UTC")

DEFECTS: list[tuple[str, str, Change, str]] = [
    ("capex_actuals", "tables", setting("session", "evening", **META_QUARTER), "got session 'evening'"),
    ("capex_actuals", "tables", setting("confidence", "High", **META_QUARTER), "got confidence 'High'"),
    ("capex_actuals", "tables", setting("fiscal_period", "2025Q3", **META_QUARTER), "have this company, fiscal_period"),
    ("capex_guidance", "tables", setting("low_usd_bn", 150.0, **META_RAISE), "low_usd_bn is above high_usd_bn"),
    ("capex_actuals", "known_at", setting("capex_known_at", EARLY, **META_QUARTER), "gives 2026-01-28 21:30"),
    ("capex_guidance", "known_at", setting("known_at", EARLY, **META_RAISE), "gives 2026-04-29 23:30"),
    ("funding_events", "known_at", setting("known_at", EARLY, **ORACLE_NOTES), "gives 2026-02-04 00:00"),
    ("funding_events", "known_at", setting("known_at", pd.NaT, **ORACLE_NOTES), "known_at is NaT, the rule"),
    ("capex_actuals", "order of times", setting("capex_known_at", EARLY, **META_QUARTER), "not after its period_end"),
    ("capex_guidance", "order of times", setting("known_at", EARLY, **META_RAISE), "not after its announced_at"),
    ("funding_events", "order of times", setting("known_at", EARLY, **ORACLE_NOTES), "not after its date"),
    ("capex_actuals", "quarters", setting("fiscal_period", "2025-Q4", **META_QUARTER), "'2025-Q4' is none"),
    ("capex_actuals", "quarters", setting("fiscal_period", "2014Q4", **META_QUARTER), "META: 2015Q4 ends no later"),
    ("capex_actuals", "figures", setting("capex_known_at", pd.NaT, **META_QUARTER), "a figure without a moment"),
    ("capex_actuals", "figures", setting("capex_usd_bn", float("nan"), **META_QUARTER), "a moment without a figure"),
    ("capex_guidance", "figures", setting("high_usd_bn", float("nan"), **META_RAISE), "has no mid-point"),
    ("funding_events", "figures", setting("amount_usd_bn", float("nan"), **ORACLE_NOTES), "counts but has no amount"),
    ("funding_events", "umbrellas", setting("counts", True, **ORACLE_PLAN), "of which it is a part, both count"),
    ("funding_events", "umbrellas", setting("amount_usd_bn", 49.8, **ORACLE_PLAN), "come to 49.9, more than its 49.8"),
    ("funding_events", "umbrellas", setting("part_of", "ORCL 2026-02-03", **ORACLE_NOTES), "is 0 other rows"),
    ("capex_guidance", "guidance chain", setting("prior_low_usd_bn", 110.0, **META_RAISE), "prior range is 110 to 135"),
    ("capex_guidance", "guidance chain", setting("high_usd_bn", 150.0, **META_RAISE), "the row before gave 125 to 150"),
]


@pytest.mark.parametrize(
    ("table", "name", "change", "message"), DEFECTS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_planted_defect_is_found_by_its_check(
    sample: Snapshot, table: str, name: str, change: Change, message: str
) -> None:
    check = checks_of(replace(sample, **{table: change(getattr(sample, table))}))[name]
    assert not check.holds
    assert any(message in line for line in check.defects), check.defects


def test_a_break_of_guidance_that_does_not_count_is_a_note(sample: Snapshot) -> None:
    row = {"company": "MSFT", "announced_at": pd.Timestamp("2026-07-29"), "event": "accounting cut"}
    change = setting("prior_high_usd_bn", 195.0, **row)
    check = checks_of(replace(sample, capex_guidance=change(sample.capex_guidance)))["guidance chain"]
    assert check.holds
    text = "its prior range is 190 to 195, the row before gave 190 to 190; it does not count"
    assert any(text in note for note in check.notes)


def test_a_missing_quarter_and_a_lost_source_are_noted(sample: Snapshot) -> None:
    results = sample.capex_actuals
    gone = (results["company"] == "META") & (results["fiscal_period"] == "2024Q4")
    thin = replace(sample, capex_actuals=results[~gone].assign(source=results["source"].mask(results.index == 0, "")))
    checks = checks_of(thin)
    assert "META: 1 quarter missing before 2025Q1" in checks["quarters"].notes
    assert "capex_actuals: 1 row without a source: AAPL 2020-06-30" in checks["confidence"].notes


# The command: validate


def kept_with_a_defect(sample: Snapshot) -> Snapshot:
    change = setting("known_at", EARLY, **META_RAISE)
    wrong = replace(sample, name="wrong", simulated=False, capex_guidance=change(sample.capex_guidance))
    save(wrong)
    return wrong


def test_validate_prints_checks_and_notes_and_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    call("validate")
    out = capsys.readouterr().out
    assert "SIMULATED market sample (its events are real)" in out
    assert "Defects: none" in out
    assert "  figures: AAPL: operating cash flow is blank in 23 quarters (2020Q3 to 2026Q1)\n" in out


def test_validate_of_tables_that_do_not_hold_ends_with_1(sample: Snapshot, capsys: pytest.CaptureFixture[str]) -> None:
    kept_with_a_defect(sample)
    assert call("validate", "--market", "wrong") == 1
    assert "  known_at: capex_guidance: META 2026-04-29 2026 raise: known_at is 2025-12-31" in capsys.readouterr().out


def test_validate_for_machines(sample: Snapshot, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "validate")["holds"] is True
    kept_with_a_defect(sample)
    assert call("validate", "--market", "wrong", "--json") == 1
    got = json.loads(capsys.readouterr().out)
    assert (got["market"], got["simulated"], got["holds"]) == ("wrong", False, False)
    broken = {check["name"] for check in got["checks"] if not check["holds"]}
    assert broken == {"known_at", "order of times"}


def test_the_module_loads_nothing_heavy() -> None:
    import subprocess
    import sys

    listing = (
        "import sys, reverse_qe.commands.events\n"
        "print(sorted(set(sys.modules) & {'numpy', 'pandas', 'pydantic', 'rich', 'backtrader'}))"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"


# The command: list --due


def test_due_lists_what_is_late_and_what_comes_as_known_at_a_day(capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "list", "--due", "--to", "2026-10-10", "--company", "AAPL")
    assert told["known_until"] == "2026-10-10T23:59:59Z"
    assert [(row["about"], row["expected"], row["overdue"], row["days_late"]) for row in told["due"]] == [
        ("2026Q2", "2026-04-30", True, 163),
        ("2026Q3", "2026-07-30", True, 72),
        ("2026Q4", "2026-10-29", False, -19),
    ]
    call("list", "--due", "--to", "2026-10-10")
    printed = capsys.readouterr()
    rows = [line.split() for line in printed.out.splitlines() if " MSFT " in line]
    assert rows == [
        ["2026-10-28", "MSFT", "guidance", "to", "2027-06", "coming", "-", "guided", "on", "2025-10-29"],
        ["2026-10-28", "MSFT", "result", "2027Q1", "coming", "-", "2026Q1", "on", "2025-10-29"],
    ]
    assert "fetch or import the market again" in printed.err


def test_due_takes_results_and_guidance_of_companies_that_are_there() -> None:
    with pytest.raises(InputError, match="got company IBM, wanted one of what is due: AAPL, AMZN"):
        call("list", "--due", "--company", "IBM")
    with pytest.raises(InputError, match="got kind bond_issue, wanted one of what is due: result, guidance"):
        call("list", "--due", "--kind", "bond_issue")
    with pytest.raises(click.UsageError, match="--due looks at what is known at the end of --to"):
        call("list", "--due", "--from", "2026-01-01")


def test_nothing_is_due_in_a_market_without_results(capsys: pytest.CaptureFixture[str]) -> None:
    save(make_snapshot({"AAA": [("2026-01-02", 1.0, 1.0)]}, name="bare"))
    assert said(capsys, "list", "--due", "--market", "bare")["due"] == []
    call("list", "--due", "--market", "bare")
    assert "Due in market bare" in capsys.readouterr().out
