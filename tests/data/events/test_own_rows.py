"""A user's own rows: what is completed and what is refused, what lies over what, and that nothing given is lost."""

import json
import multiprocessing
import os
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.errors import InputError
from data.events.adding import KINDS, NewRow, events_market, new_row, removal
from data.events.editions import SHIPPED_TABLES, reference_events
from data.events.own_rows import (
    append_change,
    cells_of,
    changing_own_rows,
    current_events,
    frame_of,
    keys_of,
    outdated,
    own_rows,
    own_rows_file,
    own_rows_hash,
    read_changes,
    with_own_rows,
)
from data.events.validation import validate_events
from data.files.locks import BusyError
from data.market.snapshot import load, read_manifest, save
from data.market.tables import CAPEX, FUNDING, GUIDANCE, PACES, Table

NOW = pd.Timestamp("2026-12-20T12:00", tz="UTC")
BACKED = {"source": "8-K 0001326801-26-000111", "confidence": "high"}
META_Q3 = {"company": "META", "fiscal_period": "2026Q3", "announced_at": "2026-10-28", "session": "amc"}
META_FIGURES = {**META_Q3, "capex_usd_bn": "38.5", "ocf_usd_bn": "36.25", **BACKED}
META_RAISE = {
    **{"company": "META", "announced_at": "2026-10-28", "session": "amc", "fiscal_year": "2026", "event": "raise"},
    **{"low_usd_bn": "140", "high_usd_bn": "150", "basis": "purchases of PP&E + finance-lease principal", **BACKED},
}
NOTES = {
    **{"date": "2026-11-02", "kind": "bond_issue", "company": "META", "amount_usd_bn": "25"},
    **{"date_basis": "pricing day (term sheet)", **BACKED},
}


def made(kind: str, cells: Mapping[str, str], **how: object) -> NewRow:
    return new_row(kind, cells, reference_events(), own_rows(), NOW, **how)  # type: ignore[arg-type]


def added(kind: str, cells: Mapping[str, str], **how: object) -> NewRow:
    row = made(kind, cells, **how)
    append_change(row.change)
    return row


def only(table: Table, **cells: object) -> pd.Series:
    rows = current_events()[0][table.name]
    for column, value in cells.items():
        rows = rows[rows[column] == value]
    assert len(rows) == 1
    return rows.iloc[0]


# What is completed


def test_a_result_is_completed_by_the_calendar_and_the_rules() -> None:
    row = made("result", META_FIGURES).change.row
    assert row is not None
    assert (row["period_end"], row["calendar_quarter"]) == ("2026-09-30", "2026Q3")
    assert (row["capex_known_at"], row["ocf_known_at"]) == ("2026-10-28T21:30:00Z", "2026-10-28T21:30:00Z")
    assert (row["capex_vintage"], row["by_user"]) == ("as_first_reported", "added")
    oracle = {**META_FIGURES, "company": "ORCL", "fiscal_period": "2027Q2", "announced_at": "2026-12-09"}
    row = made("result", {**oracle, "confidence": "low", "date_confidence": "low", "filed_at": "2026-12-11"}).change.row
    assert row is not None
    assert row["period_end"] == "2026-11-30"
    assert row["capex_known_at"] == "2026-12-12T03:00:00Z"  # 22:00 in New York, in winter


@pytest.mark.parametrize(
    ("day", "clock", "session", "known_at"),
    [
        ("2026-10-28", "16:05", "amc", "2026-10-28T21:30:00Z"),
        ("2026-10-28", "7:00", "bmo", "2026-10-28T13:00:00Z"),
        # 9:20 in summer is 13:20 UTC: after the stamp of what comes before the open.
        ("2026-10-28", "09:20", "intraday", "2026-10-28T20:00:00Z"),
        # 16:05 in winter is 21:05 UTC, and 17:00 there 22:00: later than every stamp but the evening's.
        ("2026-11-05", "16:05", "amc", "2026-11-05T21:30:00Z"),
        ("2026-11-05", "17:00", "", "2026-11-06T03:00:00Z"),
        # The day after Thanksgiving closes at 13:00.
        ("2026-11-27", "13:05", "intraday", "2026-11-27T20:00:00Z"),
    ],
)
def test_a_time_in_new_york_becomes_the_session_whose_stamp_is_not_before_it(
    day: str, clock: str, session: str, known_at: str
) -> None:
    row = made("result", {**META_FIGURES, "announced_at": day, "session": clock}).change.row
    assert row is not None
    assert (row["session"], row["capex_known_at"]) == (session, known_at)
    moment = pd.Timestamp(f"{day} {clock}", tz="America/New_York")
    assert pd.Timestamp(known_at) >= moment


def test_guidance_takes_its_period_its_moment_and_the_range_before() -> None:
    row = made("guidance", META_RAISE).change.row
    assert row is not None
    assert (row["period_start"], row["period_end"], row["comparable"]) == ("2026-01-01", "2026-12-31", True)
    assert row["known_at"] == "2026-10-28T23:30:00Z"
    assert (row["prior_low_usd_bn"], row["prior_high_usd_bn"]) == (130, 145)  # of 2026-07-29


def test_funding_is_known_by_what_its_date_rests_on() -> None:
    row, recalled = made("funding", NOTES).change.row, made("funding", {**NOTES, "confidence": "low"}).change.row
    assert row is not None
    assert recalled is not None
    assert (row["known_at"], row["counts"]) == ("2026-11-04T00:00:00Z", True)
    assert recalled["known_at"] == "2026-11-09T22:00:00Z"  # five business days after a Monday


def test_a_pace_without_a_moment_is_known_late_in_the_evening() -> None:
    pace = {"company": "Fed", "announced_at": "2026-10-28", "effective_from": "2026-11-01", "pace_usd_bn_month": "10"}
    row = made("pace", {**pace, **BACKED}).change.row
    assert row is not None
    assert row["known_at"] == "2026-10-29T02:00:00Z"


def test_coverage_may_be_carried_on() -> None:
    named = {"kind": "results", "company": "META"}
    cells = {"complete_to": "2026-12-01", "evidence": "every quarter", "confidence": "high"}
    row = added("coverage", cells, correct=named)
    assert row.was == {"complete_to": "2026-10-10", "evidence": "every quarter"} or "complete_to" in row.was
    spans = current_events()[0]["event_coverage"]
    (span,) = spans[(spans["kind"] == "results") & (spans["company"] == "META")].itertuples()
    assert (f"{span.complete_from:%Y-%m-%d}", f"{span.complete_to:%Y-%m-%d}") == ("2015-10-01", "2026-12-01")


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        ("result", {name: cell for name, cell in META_FIGURES.items() if name != "ocf_usd_bn"}),
        ("guidance", {**META_RAISE, "low_usd_bn": "", "high_usd_bn": "", "event": "qualitative raise"}),
        ("guidance", {**META_RAISE, "high_usd_bn": "", "comparable": "false"}),
        ("funding", {**NOTES, "amount_usd_bn": "", "kind": "fed_chair", "company": "Fed"}),
        ("pace", {"company": "Fed", "announced_at": "2026-10-28", "statement": "no change", **BACKED}),
        (
            "coverage",
            {
                **{"kind": "funding", "company": "AAPL", "complete_from": "2025-01-01", "complete_to": "2026-01-01"},
                **{"evidence": "all read", "confidence": "medium"},
            },
        ),
    ],
)
def test_what_a_source_leaves_open_stays_blank(kind: str, cells: dict[str, str]) -> None:
    row = added(kind, cells).change.row
    assert row is not None
    assert own_rows()[0].cells == row
    blank = {"ocf_known_at", "low_usd_bn", "high_usd_bn", "amount_usd_bn", "effective_from", "part_of", "rule"}
    assert [name for name, cell in row.items() if cell in (None, "") and name in blank]


# What is refused


@pytest.mark.parametrize(
    ("kind", "cells", "message"),
    [
        ("result", {**META_FIGURES, "source": " "}, "source is blank; a row wants a source"),
        ("result", {**META_FIGURES, "company": ""}, "company is blank; give its symbol, as in company=AAPL"),
        ("result", {**META_FIGURES, "company": "Meta"}, "got company Meta, wanted it as it is written there: META"),
        ("result", {**META_FIGURES, "confidence": ""}, "confidence is blank"),
        ("result", {**META_FIGURES, "confidence": "sure"}, "got confidence 'sure', wanted one of: low, medium, high"),
        ("result", {**META_FIGURES, "capex": "1"}, r"has no column 'capex' to give; is capex_usd_bn meant\?"),
        ("result", {**META_FIGURES, "capex_known_at": "2020-01-01T00:00:00Z"}, "has no column 'capex_known_at'"),
        ("result", {**META_FIGURES, "by_user": "me"}, "has no column 'by_user' to give"),
        ("result", {**META_FIGURES, "capex_usd_bn": "38,5"}, "got '38,5' in capex_usd_bn, wanted a number"),
        ("result", {**META_Q3, **BACKED}, "got a result without figures, wanted capex_usd_bn, ocf_usd_bn or both"),
        ("result", {**META_FIGURES, "fiscal_period": "\u0662\u0660\u0662\u0666Q3"}, "wanted a year and quarter"),
        ("result", {**META_FIGURES, "calendar_quarter": "9999Q9"}, "got calendar_quarter '9999Q9', wanted a year"),
        ("result", {**META_FIGURES, "capex_usd_bn": "1e308"}, "got '1e308' in capex_usd_bn, wanted a number, at most"),
        ("result", {**META_FIGURES, "capex_usd_bn": "nan"}, "got 'nan' in capex_usd_bn, wanted a number"),
        ("result", {**META_FIGURES, "capex_usd_bn": "?"}, "capex_usd_bn is still a question mark"),
        ("result", {**META_FIGURES, "capex_usd_bn": "38500"}, "units: .* is 38500, the quarters around it are"),
        ("result", {**META_FIGURES, "capex_usd_bn": "-38.5"}, "units: .* is -38.5, not above 0"),
        ("result", {**META_FIGURES, "announced_at": "28.10.2026"}, "got '28.10.2026' in announced_at, wanted a day"),
        ("result", {**META_FIGURES, "announced_at": "2027-01-28"}, "announced_at is 2027-01-28, which is to come"),
        ("result", {**META_FIGURES, "announced_at": "2026-09-28"}, "announced or filed before its period_end"),
        (
            "result",
            {**META_FIGURES, "fiscal_period": "Q3 2026"},
            "got fiscal_period 'Q3 2026', wanted a year and quarter",
        ),
        ("result", {**META_FIGURES, "session": "evening"}, "got session 'evening', wanted one of"),
        (
            "result",
            {**META_FIGURES, "note": "plain\x1b[31mred"},
            r"got 'plain\\\\x1b\[31mred' in note, with what steers",
        ),
        ("result", {**META_FIGURES, "note": "a\nb"}, "in note, with what steers or hides text"),
        ("result", {**META_FIGURES, "note": "x" * 2001}, "got 2001 letters in note, wanted at most 2000"),
        ("result", {**META_FIGURES, "fiscal_period": "2026Q2", "announced_at": "2026-07-29"}, "is there already"),
        (
            "result",
            {**META_FIGURES, "fiscal_period": "2026Q2", "period_end": "2026-06-27", "announced_at": "2026-07-29"},
            "META 2026-06-27 is like META 2026-06-30, which is there",
        ),
        ("guidance", {**META_RAISE, "low_usd_bn": "160"}, "low_usd_bn is above high_usd_bn"),
        ("guidance", {**META_RAISE, "low_usd_bn": "140000", "high_usd_bn": "150000"}, "units: .* is 140000"),
        (
            "guidance",
            {**META_RAISE, "prior_low_usd_bn": "100", "prior_high_usd_bn": "145"},
            "guidance chain: .*its prior range is 100 to 145, the row before gave 130 to 145",
        ),
        (
            "guidance",
            {**META_RAISE, "announced_at": "2026-07-30", "low_usd_bn": "130", "high_usd_bn": "145"},
            "META 2026-07-30 2026 raise is like META 2026-07-29 2026 narrow",
        ),
        ("guidance", {**META_RAISE, "company": "IBM"}, "no fiscal calendar for this company"),
        ("funding", {**NOTES, "amount_usd_bn": "25000"}, "units: .* is 25000, more than 1,000"),
        ("funding", {**NOTES, "part_of": "META 2020-01-01"}, "its part_of META 2020-01-01 is 0 other rows"),
        (
            "funding",
            {**NOTES, "date": "2025-11-03", "amount_usd_bn": "30"},
            r"is like 2025-10-30 bond_issue META .* 30, which is there; name that with --correct COLUMN=VALUE",
        ),
        ("pace", {"company": "Fed", "announced_at": "x", **BACKED}, "got 'x' in announced_at, wanted a day"),
        ("coverage", {"kind": "results", "company": "IBM", "confidence": "high"}, "evidence is blank"),
        ("result", {**META_FIGURES, "announced_at": "0001-01-01"}, "wanted a day of 1999 to 2040, as in 2026-01-31"),
        (
            "result",
            {**META_FIGURES, "fiscal_period": "0000Q1"},
            "got fiscal_period '0000Q1', wanted a year and quarter",
        ),
        ("funding", {**NOTES, "filed_at": "9999-12-31"}, "wanted a day of 1999 to 2040"),
        ("pace", {"company": "Fed", "known_at": "9999-12-31T23:59:59Z", **BACKED}, "wanted a moment of 1999 to 2040"),
        ("rumour", {}, "got the kind 'rumour', wanted one of: result, guidance"),
    ],
)
def test_what_is_wrong_is_refused_in_one_line(kind: str, cells: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message) as refusal:
        made(kind, cells)
    assert "\n" not in str(refusal.value)
    assert "\x1b" not in str(refusal.value)


def test_notes_that_come_to_more_than_was_reported_are_refused() -> None:
    """Meta's cash flow statement reports proceeds of 29.906 for 2025, and the 30 of that autumn are there."""
    more = {**NOTES, "date": "2025-06-10", "amount_usd_bn": "5"}
    with pytest.raises(InputError, match=r"proceeds: META, 2025-01-01 to 2025-12-31: notes of 35.00 count"):
        made("funding", more)


def test_a_gap_and_a_day_without_a_session_are_told() -> None:
    notes = made("result", {**META_FIGURES, "announced_at": "2026-12-20"}).notes
    assert "announced_at 2026-12-20 is no session of the New York Stock Exchange: is the day right?" in notes
    late = {**META_FIGURES, "company": "GOOGL", "fiscal_period": "2026Q3", "session": ""}
    skipped = new_row("result", late, _without(CAPEX, company="GOOGL", fiscal_period="2026Q2"), [], NOW)
    assert "quarters: GOOGL: 1 quarter missing before 2026Q3" in skipped.notes


def _without(table: Table, **cells: str) -> dict[str, pd.DataFrame]:
    rows = reference_events()[table.name]
    gone = pd.Series(True, index=rows.index)
    for column, value in cells.items():
        gone &= rows[column] == value
    return {**reference_events(), table.name: rows[~gone]}


def test_an_event_like_one_that_is_there_may_stand_beside_it() -> None:
    added("funding", NOTES)
    again = {**NOTES, "date": "2026-11-04", "date_basis": "announced", "amount_usd_bn": "25.2"}
    with pytest.raises(InputError, match="is like 2026-11-02 bond_issue META"):
        made("funding", again)
    assert made("funding", again, beside=True).change.row is not None


# What lies over what


def test_a_row_is_added_corrected_and_taken_away_and_the_file_keeps_all_of_it() -> None:
    before = reference_events()
    added("result", META_FIGURES)
    assert only(CAPEX, company="META", fiscal_period="2026Q3")["capex_usd_bn"] == 38.5
    second = added("result", {"capex_usd_bn": "38.6", **BACKED}, correct={"company": "META", "fiscal_period": "2026Q3"})
    assert second.was == {"capex_usd_bn": "38.5"}
    row = only(CAPEX, company="META", fiscal_period="2026Q3")
    assert (row["capex_usd_bn"], row["ocf_usd_bn"], row["by_user"]) == (38.6, 36.25, "added")
    append_change(removal("result", {"company": "META"}, own_rows(), NOW).change)
    tables, told = current_events()
    assert told == ""
    for table in SHIPPED_TABLES:
        pd.testing.assert_frame_equal(tables[table.name], before[table.name])
    assert [change.change for change in read_changes()] == ["add", "correct", "remove"]


def test_a_correction_takes_the_place_of_the_shipped_row_even_under_another_key() -> None:
    named = {"date": "2026-09-11", "company": "AMZN"}
    row = added("funding", {"amount_usd_bn": "5.7", "date": "2026-09-10", **BACKED}, correct=named)
    assert row.was == {"date": "2026-09-11", "amount_usd_bn": "5.61"}
    rows = current_events()[0][FUNDING.name]
    mine = rows[(rows["company"] == "AMZN") & (rows["date"] >= pd.Timestamp("2026-09-01"))]
    assert mine[["amount_usd_bn", "by_user"]].to_numpy().tolist() == [
        [5.7, "corrects date 2026-09-11, amount_usd_bn 5.61"]
    ]
    assert len(rows) == len(reference_events()[FUNDING.name])
    # Corrected once more, it still stands for the shipped row; taken away, that holds again.
    again = added("funding", {"amount_usd_bn": "5.65", **BACKED}, correct={"date": "2026-09-10", "company": "AMZN"})
    assert again.was == {"amount_usd_bn": "5.7"}
    assert own_rows()[0].cells["by_user"] == "corrects date 2026-09-11, amount_usd_bn 5.61"
    assert len(current_events()[0][FUNDING.name]) == len(rows)
    append_change(removal("funding", {"company": "AMZN"}, own_rows(), NOW).change)
    pd.testing.assert_frame_equal(current_events()[0][FUNDING.name], reference_events()[FUNDING.name])


@pytest.mark.slow
def test_guidance_with_successors_is_corrected_row_after_row() -> None:
    """Meta gave 125 to 145 in April 2026, and the row of July has it as its prior range."""
    april = {"company": "META", "announced_at": "2026-04-29"}
    first = added("guidance", {"low_usd_bn": "126", **BACKED}, correct=april)
    assert first.notes[0].startswith(
        "TO CORRECT NEXT: capex_guidance: META 2026-07-29 2026 narrow: its prior range is 125 to 145, the row before "
        "gave 126 to 145"
    )
    july = {"company": "META", "announced_at": "2026-07-29"}
    with pytest.raises(InputError, match="META 2026-07-29 2026 narrow would be a defect: guidance chain"):
        made("guidance", {"prior_low_usd_bn": "127", **BACKED}, correct=july)
    assert not added("guidance", {"prior_low_usd_bn": "126", **BACKED}, correct=july).notes
    assert all(check.holds for check in validate_events(events_market(current_events()[0])))


def test_a_correction_names_one_row_and_changes_it() -> None:
    with pytest.raises(InputError, match=r"company=AMZN names \d+ rows that is there, wanted one: .*; name more"):
        made("funding", BACKED, correct={"company": "AMZN"})
    with pytest.raises(InputError, match="names 0 rows that is there, wanted one; see: reverse-qe events list"):
        made("result", BACKED, correct={"company": "IBM"})
    with pytest.raises(InputError, match="got capx to name a row by, wanted some of: company"):
        made("result", BACKED, correct={"capx": "1"})
    shipped = only(CAPEX, company="META", fiscal_period="2026Q2")
    same = {"source": shipped["source"], "confidence": shipped["confidence"]}
    with pytest.raises(InputError, match="got nothing that differs from the row that is there"):
        made("result", same, correct={"company": "META", "fiscal_period": "2026Q2"})
    with pytest.raises(InputError, match="names 0 rows of your own rows"):
        removal("result", {"company": "META", "fiscal_period": "2026Q2"}, own_rows(), NOW)


@pytest.mark.parametrize(
    ("kind", "cells", "named"),
    [
        ("result", {"company": "META"}, {"company": "ORCL", "fiscal_period": "2027Q1"}),
        ("guidance", {"company": "ORCL"}, {"company": "META", "announced_at": "2026-04-29"}),
        ("funding", {"company": ""}, {"company": "AMZN", "date": "2026-09-11"}),
        ("coverage", {"kind": "pace"}, {"company": "META", "kind": "results"}),
    ],
)
def test_a_correction_does_not_make_a_row_that_of_another(
    kind: str, cells: dict[str, str], named: dict[str, str]
) -> None:
    """A quarter of Oracle ends in August: as one of Meta it would be told of a quarter that Meta does not have."""
    backed = {"evidence": "every quarter", "confidence": "high"} if kind == "coverage" else BACKED
    ((column, value),) = cells.items()
    with pytest.raises(InputError) as refused:
        made(kind, cells | backed, correct=named)
    assert f"got {column} {value!r} to correct " in str(refused.value)
    assert str(refused.value).endswith(
        "what a row is of is not corrected; take a row of yours away with events remove, and add the other one"
    )
    assert "\n" not in str(refused.value)


def test_a_correction_may_name_the_company_again() -> None:
    named = {"company": "ORCL", "fiscal_period": "2027Q1"}
    assert made("result", {"company": "ORCL", "capex_usd_bn": "28.5", **BACKED}, correct=named).was == {
        "capex_usd_bn": "28.499"
    }


def test_a_users_quarter_takes_the_place_of_one_that_ends_on_another_day() -> None:
    added("result", META_FIGURES)
    filed = frame_of(CAPEX, {**(made_row := own_rows()[0].cells), "period_end": "2026-09-26", "by_user": ""})
    table = CAPEX.conform(pd.concat([reference_events()[CAPEX.name], filed]))
    laid = with_own_rows({CAPEX.name: table}, own_rows())[CAPEX.name]
    mine = laid[(laid["company"] == "META") & (laid["fiscal_period"] == "2026Q3")]
    assert [f"{day:%Y-%m-%d}" for day in mine["period_end"]] == [made_row["period_end"]]


@pytest.mark.slow
def test_every_shipped_row_is_kept_and_read_back_as_it_is() -> None:
    for table in SHIPPED_TABLES:
        rows = reference_events()[table.name]
        read = [frame_of(table, json.loads(json.dumps(cells_of(table, row)))) for _, row in rows.iterrows()]
        pd.testing.assert_frame_equal(table.conform(pd.concat(read)), rows)
        assert len(set(keys_of(table, rows))) == len(rows)


def test_what_a_user_may_add_is_every_shipped_table() -> None:
    assert [table.name for table in KINDS.values()] == [table.name for table in SHIPPED_TABLES]


def test_the_market_of_events_with_a_users_rows_passes_every_check_and_names_them() -> None:
    added("result", META_FIGURES)
    added("guidance", META_RAISE)
    checks = {check.name: check for check in validate_events(events_market(current_events()[0]))}
    assert all(check.holds for check in checks.values())
    assert checks["own rows"].notes == (
        "capex_actuals: META 2026-09-30: by the user: added",
        "capex_guidance: META 2026-10-28 2026 raise: by the user: added",
    )


# The file


def test_a_file_that_was_spoiled_is_refused_by_its_line() -> None:
    added("result", META_FIGURES)
    path = own_rows_file()
    head, line, _ = path.read_text().split("\n")
    good = json.loads(line)
    for spoiled, message in (
        ("{", "line 2: Expecting property name"),
        ("[]", "line 2: wanted an object of at, change"),
        (json.dumps({**good, "table": "bars"}), "line 2: got the change add of bars"),
        (json.dumps({**good, "change": "guess"}), "line 2: got the change guess of capex_actuals"),
        (json.dumps({**good, "row": None}), "line 2: wanted a row"),
        (json.dumps({**good, "key": [[1], 2]}), "line 2: got .* wanted a key of texts and numbers"),
        (json.dumps({**good, "key": ["META"]}), "line 2: got .* wanted a key of company, period_end"),
        (json.dumps({**good, "key": ["META", "2026-03-31"]}), "line 2: its key is of no row before it"),
        (json.dumps({**good, "row": {**good["row"], "period_end": "soon"}}), "line 2: "),
        (json.dumps({**good, "row": {"company": "META"}}), "line 2: wanted a row of company, fiscal_period"),
        (json.dumps({**good, "row": {**good["row"], "capex_usd_bn": "38"}}), "line 2: got '38' in capex_usd_bn"),
        (json.dumps({**good, "row": {**good["row"], "period_end": 20260930}}), "line 2: got 20260930 in period_end"),
        (json.dumps({**good, "row": {**good["row"], "by_user": ""}}), "line 2: by_user is blank"),
    ):
        path.write_text(f"{head}\n{spoiled}\n")
        with pytest.raises(InputError, match=f"{re.escape(str(path))}, {message}"):
            own_rows()
    path.write_text('{"format": 2}\n' + line)
    with pytest.raises(InputError, match="line 1: got format 2, wanted 1"):
        own_rows()
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="cannot be read"):
        own_rows()


def test_without_a_file_there_is_no_row() -> None:
    assert own_rows() == []
    assert current_events()[1] == ""
    assert not own_rows_file().exists()


def test_a_change_that_cannot_be_written_leaves_the_file_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    added("result", META_FIGURES)
    before = own_rows_file().read_bytes()
    change = made("guidance", META_RAISE).change

    def fail(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(InputError, match=r"cannot write .*own\.jsonl: .*No space left"):
        append_change(change)
    assert own_rows_file().read_bytes() == before
    assert [path.name for path in own_rows_file().parent.iterdir()] == ["own.jsonl"]


def test_of_two_at_once_the_second_is_told_and_loses_nothing() -> None:
    with (
        changing_own_rows(),
        pytest.raises(BusyError, match="a change of your events is under way already"),
        changing_own_rows(),
    ):
        pass
    added("result", META_FIGURES)
    assert len(own_rows()) == 1


def _take_home(folder: str) -> None:
    os.environ["REVERSE_QE_HOME"] = folder


def _add_one(number: int) -> str:
    """In a process of its own: one row, as the command adds it."""
    cells = {**NOTES, "date": f"2026-11-{number + 1:02d}", "amount_usd_bn": str(1 + number)}
    for _ in range(2000):
        try:
            with changing_own_rows():
                append_change(made("funding", cells, beside=True).change)
            return "added"
        except BusyError:
            time.sleep(0.05)
    return "never"


@pytest.mark.slow
def test_processes_that_add_at_once_lose_no_row() -> None:
    with multiprocessing.get_context("spawn").Pool(
        3, initializer=_take_home, initargs=(os.environ["REVERSE_QE_HOME"],)
    ) as pool:
        assert pool.map(_add_one, range(4)) == ["added"] * 4
    assert sorted(row.cells["amount_usd_bn"] for row in own_rows()) == [1, 2, 3, 4]


# Markets


def test_a_market_keeps_its_rows_for_ever_and_knows_that_they_have_changed() -> None:
    added("result", META_FIGURES)
    tables, told = current_events()
    snapshot = replace(events_market(tables), name="mine", own_events=told)
    save(snapshot)
    kept = load("mine")
    assert read_manifest("mine").own_events == told == own_rows_hash(own_rows())
    assert not outdated(kept)
    assert kept.content_hash != replace(events_market(reference_events()), name="plain").content_hash
    added("guidance", META_RAISE)
    assert outdated(load("mine"))
    assert load("mine").content_hash == kept.content_hash
    append_change(removal("guidance", {"company": "META"}, own_rows(), NOW).change)
    assert not outdated(load("mine"))


def test_the_sample_and_markets_of_ones_own_files_take_no_row(sample) -> None:
    added("result", META_FIGURES)
    assert not outdated(sample)
    assert not outdated(replace(events_market(reference_events()), origin="CSV files: events mine"))
    from data.sample.market import load_market

    assert (load_market("sample").capex_actuals["by_user"] == "").all()


def test_a_market_without_a_users_row_is_the_same_as_before_there_were_any() -> None:
    """The column says nothing then, and adds nothing to the identity."""
    plain = events_market(reference_events())
    for table in (CAPEX, GUIDANCE, FUNDING, PACES):
        assert "by_user" not in table.identity(plain.table(table))


def test_a_quarter_that_is_missing_inside_a_complete_span_is_a_defect() -> None:
    """Coverage makes silence a fact; it must not say of a hole that nothing happened."""
    for period, is_inside in (("2024Q1", True), ("2016Q1", False), ("2026Q2", False)):
        holes = _without(CAPEX, company="AMZN", fiscal_period=period)
        (coverage,) = [check for check in validate_events(events_market(holes)) if check.name == "coverage"]
        assert coverage.holds == (not is_inside), period
    holes = _without(CAPEX, company="AMZN", fiscal_period="2024Q1")
    (coverage,) = [check for check in validate_events(events_market(holes)) if check.name == "coverage"]
    assert coverage.defects == (
        "AMZN: 1 quarter missing before 2024Q2, and its results are said to be complete from 2017-10-01 to 2026-10-10; "
        "add the rows, or shorten the span",
    )


def test_the_note_names_the_command_that_takes_what_has_changed() -> None:
    from reverse_qe.words.own_events import own_events_notes

    plain = events_market(reference_events())
    assert own_events_notes(replace(plain, name="live.3")) == []
    added("result", META_FIGURES)
    (fetched,), (imported,) = (own_events_notes(replace(plain, name=name)) for name in ("live.3", "mine"))
    assert fetched.endswith("to take them: reverse-qe data fetch --name live")
    assert imported.endswith("to take them: reverse-qe data import, under another name")
    assert own_events_notes(replace(plain, name="x", origin="CSV files: events mine")) == []


def test_a_figure_at_the_end_of_the_floats_is_a_defect_and_no_overflow() -> None:
    tables = dict(reference_events())
    capex = tables["capex_actuals"].copy()
    capex.loc[capex.index[5], ["capex_usd_bn", "headline_capex_usd_bn", "ocf_usd_bn"]] = 1.7e308
    with np.errstate(over="raise"):
        checks = validate_events(events_market({**tables, "capex_actuals": capex}))
    assert any("1.7e+308" in line for check in checks for line in check.defects)
