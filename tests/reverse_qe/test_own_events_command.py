"""`reverse-qe events add` and `remove`, and where a user's rows are seen: in markets made after, marked, and told."""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import loopback
from data.events.own_rows import own_rows_file, read_changes
from data.market.snapshot import load
from data.net.settings import SourceSettings
from filings import GUIDANCE, META_CIK, META_LINK, META_RELEASE, meta_release, submissions
from outcomes import Outcome

Run = Callable[..., Outcome]
BACKED = ("source=8-K 0001326801-26-000111", "confidence=high")
RESULT = (
    *("result", "company=META", "fiscal_period=2026Q3", "announced_at=2026-10-28", "session=16:05"),
    *("capex_usd_bn=38.5", "ocf_usd_bn=36.25", *BACKED),
)


@pytest.fixture
def events(run_command: Run) -> Run:
    return lambda *words: run_command("events", *words)


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    folder = tmp_path / "prices"
    folder.mkdir()
    (folder / "MU.csv").write_text(
        "date,open,high,low,close,adj_close,volume\n2026-11-02,1,1,1,1,1,1\n2026-11-03,1,1,1,1,1,1\n"
    )
    return folder


def test_a_row_is_shown_complete_and_kept(events: Run) -> None:
    done = events("add", *RESULT)
    assert done.code == 0
    assert "Added: META 2026-09-30" in done.out
    assert "2026-10-28T21:30:00Z" in done.out
    assert str(own_rows_file()) in done.err
    assert len(own_rows_file().read_text().splitlines()) == 2


def test_a_dry_run_keeps_nothing(events: Run) -> None:
    told = events("add", *RESULT, "--dry-run", "--json").json
    assert (told["dry_run"], told["change"], told["row"]["period_end"]) == (True, "add", "2026-09-30")
    assert not own_rows_file().exists()
    events("add", *RESULT)
    assert "Would remove: META 2026-09-30" in events("remove", "result", "company=META", "--dry-run").out
    assert len(own_rows_file().read_text().splitlines()) == 2


def test_a_correction_says_what_was_and_its_removal_restores_it(events: Run) -> None:
    named = ("--correct", "company=ORCL", "--correct", "fiscal_period=2027Q1")
    told = events("add", "result", *named, "capex_usd_bn=28.5", *BACKED, "--json").json
    assert told["was"] == {"capex_usd_bn": "28.499"}
    assert told["row"]["by_user"] == "corrects capex_usd_bn 28.499"
    removed = events("remove", "result", "company=ORCL", "--json").json
    assert (removed["change"], removed["key"]) == ("remove", ["ORCL", "2026-08-31"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("add",), "Missing argument"),
        (("add", "rumour"), "'rumour' is not one of"),
        (("add", "result", "company"), "got 'company', wanted COLUMN=VALUE"),
        (("add", "result", "company=META", "company=MSFT"), "got company twice, wanted it once"),
        (("add", "result", "company=META"), "source is blank; a row wants a source"),
        (("remove", "result", "company=META"), "company=META names 0 rows of your own rows"),
        (("remove", "result"), "got no column to name a row by"),
    ],
)
def test_what_is_wrong_is_one_line_and_status_2(events: Run, words: tuple[str, ...], message: str) -> None:
    refused = events(*words)
    assert refused.code == 2
    assert message in refused.err
    assert refused.err.count("\n") == 1
    assert not own_rows_file().exists()


def test_a_market_takes_the_rows_marks_them_and_is_told_when_they_change(
    events: Run, data_command: Run, prices: Path
) -> None:
    events("add", *RESULT)
    imported = data_command("import", "--prices", prices, "--name", "mine")
    assert "capex_actuals META 2026-09-30 (added) lies over the shipped ones" in imported.out + imported.err
    listed = events("list", "--market", "mine", "--company", "META", "--from", "2026-10-01")
    assert [line.split()[-1] for line in listed.out.splitlines() if "2026Q3" in line] == ["added", "added"]
    assert "have changed" not in listed.err
    told = events("list", "--market", "mine", "--company", "META", "--json").json["events"]
    assert [row["by_user"] for row in told if row["about"].startswith("2026Q3")] == ["added", "added"]
    checked = events("validate", "--market", "mine")
    assert checked.code == 0
    assert "META 2026-09-30: by the user: added" in checked.out

    before = load("mine").content_hash
    events("remove", "result", "company=META")
    for command in (("list", "--company", "META"), ("validate",), ("list", "--due", "--to", "2026-11-04")):
        told_again = events(*command, "--market", "mine")
        assert "Your own events have changed since market mine was made" in told_again.err
        assert "to take them: reverse-qe data import, under another name" in told_again.err
    assert load("mine").content_hash == before
    assert "2026Q3" in events("list", "--market", "mine", "--company", "META").out


def test_a_row_that_came_is_due_no_more(events: Run, data_command: Run, prices: Path) -> None:
    events("add", *RESULT)
    data_command("import", "--prices", prices, "--name", "mine")
    due = json.loads(
        events("list", "--due", "--market", "mine", "--to", "2026-11-04", "--company", "META", "--json").out
    )
    assert [(row["kind"], row["about"]) for row in due["due"] if row["overdue"]] == [
        ("guidance", "to 2026-12 and 2027-12")
    ]


def test_files_of_ones_own_and_the_sample_take_no_row(events: Run, data_command: Run, prices: Path) -> None:
    data_command("import", "--prices", prices, "--name", "plain")
    data_command("export", "plain", prices.parent / "files")
    events("add", *RESULT)
    imported = data_command(
        *("import", "--prices", prices, "--events", prices.parent / "files" / "events", "--name", "theirs")
    )
    assert "your own rows (1) lie over the shipped ones alone" in imported.out + imported.err
    assert load("theirs").own_events == ""
    for market in ("theirs", "sample"):
        listed = events("list", "--market", market, "--company", "META", "--from", "2026-07-01")
        assert "2026Q3" not in listed.out
        assert "have changed" not in listed.err
    assert "Your own events have changed" in events("list", "--market", "plain").err


def test_a_spoiled_file_stops_no_reading_of_a_market(events: Run, data_command: Run, prices: Path) -> None:
    data_command("import", "--prices", prices, "--name", "mine")
    own_rows_file().parent.mkdir(parents=True)
    own_rows_file().write_text('{"format": 1}\n{')
    listed = events("list", "--market", "mine")
    assert listed.code == 0
    assert "Your own events: " in listed.err
    assert "line 2" in listed.err
    refused = events("add", *RESULT)
    assert (refused.code, refused.out) == (2, "")


def test_hostile_text_steers_no_terminal(events: Run) -> None:
    refused = events("add", *RESULT, "note=\x1b]0;owned\x07")
    assert refused.code == 2
    assert "\x1b" not in refused.err
    kept = events("add", *RESULT, 'note==cmd|"/c calc"!A1 <script>alert(1)</script>')
    assert kept.code == 0
    assert json.loads(own_rows_file().read_text().splitlines()[1])["row"]["note"].startswith("=cmd|")


# Drafts


@pytest.fixture
def sec(server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The SEC with one new release of Meta."""
    monkeypatch.setenv("REVERSE_QE_CONTACT", "Jane Doe jane@example.org")
    settings = SourceSettings(edgar_url=server.url, edgar_archives_url=f"{server.url}/Archives", edgar_per_second=1e6)
    monkeypatch.setattr("data.net.settings.SourceSettings", lambda: settings)
    rows = [(META_RELEASE, "2026-07-30", "8-K", "2.02,9.01")]
    server.answers(f"/submissions/CIK{META_CIK:010d}.json", loopback.Answer(submissions(META_CIK, rows)))
    folder = META_RELEASE.replace("-", "")
    server.answers(f"/Archives/edgar/data/{META_CIK}/{folder}/{META_RELEASE}.txt", loopback.Answer(meta_release()))
    return server


def test_a_draft_shows_passages_links_and_the_command_to_confirm(events: Run, sec: Any) -> None:
    shown = events("add", "--draft", "META").out
    assert f"guidance (EX-99.1): {GUIDANCE}" in shown
    assert META_LINK in shown
    assert (
        "To confirm: reverse-qe events add result company=META announced_at=2026-07-29 session=16:05 'fiscal_period=?' "
        f"'capex_usd_bn=?' 'ocf_usd_bn=?' 'source=8-K {META_RELEASE}' 'confidence=?'"
    ) in shown
    told = events("add", "--draft", "META", "--json").json
    assert told["since"] == ["2026-07-29", "2026-07-27"]
    assert told["drafts"][0]["rows"][0][1]["capex_usd_bn"] == "?"
    assert events("add", "--draft", "META", "--since", "2026-07-30").out.startswith("META: 0 filings")
    assert not own_rows_file().exists()


def test_a_draft_takes_nothing_beside_a_day(events: Run) -> None:
    refused = events("add", "result", "--draft", "META")
    assert (refused.code, "--draft takes a company and --since alone" in refused.err) == (2, True)
    assert "got --since without --draft" in events("add", "result", "--since", "2026-01-01").err


def test_every_command_of_the_page_does_what_it_says(
    run_command: Run, data_command: Run, prices: Path, sec: Any
) -> None:
    data_command("import", "--prices", prices, "--name", "live")
    text = (Path(__file__).resolve().parents[2] / "docs" / "own-events.md").read_text(encoding="utf-8")
    commands = [shlex.split(line) for line in re.findall(r"^ {4}(reverse-qe .*)$", text, re.M)]
    assert len(commands) == 5
    for command in commands:
        done = run_command(*command[1:])
        assert done.code == 0, (command, done.err)
    assert [change.change for change in read_changes()] == ["correct", "remove"]


def test_the_mark_goes_through_files(events: Run, data_command: Run, prices: Path) -> None:
    coverage = ("coverage", "--correct", "kind=results", "--correct", "company=META", "complete_to=2026-11-30")
    events("add", *RESULT)
    events("add", *coverage, "evidence=every quarter", "confidence=high")
    data_command("import", "--prices", prices, "--name", "mine")
    files = prices.parent / "files"
    data_command("export", "mine", files)
    data_command("import", "--prices", prices, "--events", files / "events", "--name", "theirs")
    for name in ("capex_actuals", "event_coverage"):
        before, after = (getattr(load(market), name) for market in ("mine", "theirs"))
        assert before["by_user"].tolist() == after["by_user"].tolist()
        assert (after["by_user"] != "").sum() == 1
    assert "by_user" not in (files / "events" / "capex_guidance.csv").read_text(encoding="utf-8").partition("\n")[0]
