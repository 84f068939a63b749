"""`reverse-qe data asof`: table, JSON and page of one moment; what is wrong is one line."""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from outcomes import Outcome

Run = Callable[..., Outcome]


def test_a_day_is_the_moment_of_its_decision(data_command: Run) -> None:
    shown = data_command("asof", "2026-07-30")
    assert shown.code == 0
    assert shown.out.startswith("SIMULATED market sample as known at 2026-07-30 00:00 UTC. 11 series")
    (meta,) = [line for line in shown.out.splitlines() if " 2026Q2 capex " in line and line.startswith("META")]
    assert meta.split()[:8] == ["META", "result", "2026Q2", "capex", "30.116", "2026-07-29", "1", "2026-07-29"]
    assert "Revised or announced later" not in shown.out


def test_a_moment_with_its_offset_is_told_in_utc(data_command: Run) -> None:
    told = data_command("asof", "2026-07-29T17:31-04:00", "--json").json
    assert told["moment"] == "2026-07-29T21:31:00Z"
    results = [row for row in told["events"] if row["company"] == "META" and row["kind"] == "result"]
    assert results[-1]["about"] == "2026Q2 cash flow"
    before = data_command("asof", "2026-07-29T21:29Z", "--json").json
    assert "2026Q2 capex" not in {row["about"] for row in before["events"] if row["company"] == "META"}
    assert {"values", "events", "published"} < set(told)
    assert "later" not in told


def test_a_page_is_written_and_the_same_again(data_command: Run, tmp_path: Path) -> None:
    first, second = tmp_path / "one.html", tmp_path / "two.html"
    said = data_command("asof", "2026-07-30", "--page", first)
    data_command("asof", "2026-07-30", "--page", second)
    assert f"Page: {first}" in said.err
    text = first.read_text(encoding="utf-8")
    assert text == second.read_text(encoding="utf-8")
    for heading in ("Series", "Results", "Guidance", "Published in the week before"):
        assert f">{heading}</h2>" in text
    assert "Revised or announced later" not in text
    data_command("asof", "2026-07-30", "--later", "--page", second)
    assert ">Revised or announced later</h2>" in second.read_text(encoding="utf-8")


def test_what_came_later_is_told_where_it_is_asked_for(data_command: Run) -> None:
    later = data_command("asof", "2026-07-30", "--later", "--json").json["later"]
    assert min(row["known_at"] for row in later) > "2026-07-30T00:00:00Z"
    assert "Revised or announced later" in data_command("asof", "2026-07-30", "--later").out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("asof",), "Missing argument 'TIME'"),
        (("asof", "yesterday"), "got 'yesterday' for TIME, wanted a day, or a moment with its offset"),
        (("asof", "2026-07-30T22:00"), "wanted a day, or a moment with its offset as in 2026-07-29T22:00Z"),
        (("asof", "9999-12-31T23:59-12:00"), "wanted a day, or a moment with its offset"),
        (("asof", "2026-02-30"), "got '2026-02-30' for TIME"),
        (("asof", "1999-01-01"), "got 1999-01-01 00:00 UTC, before market sample knew anything"),
        (("asof", "2026-07-30", "--market", "nowhere"), "no market nowhere"),
    ],
)
def test_what_is_wrong_is_one_line_and_status_2(data_command: Run, words: tuple[str, ...], message: str) -> None:
    refused = data_command(*words)
    assert (refused.code, refused.out) == (2, "")
    assert message in refused.err
    assert refused.err.count("\n") == 1


def test_a_market_of_another_version_knows_the_same_of_the_past(data_command: Run, tmp_path: Path) -> None:
    """Prices are in none of it: two markets of the same events and other bars say the same."""
    told = []
    for name, close in (("one", 1), ("two", 2)):
        folder = tmp_path / name
        folder.mkdir()
        bars = f"date,open,high,low,close,adj_close,volume\n2026-11-02,{close},{close},{close},{close},{close},1\n"
        (folder / "MU.csv").write_text(bars)
        data_command("import", "--prices", folder, "--name", name)
        told.append(data_command("asof", "2026-07-30", "--market", name, "--json").json)
    assert json.dumps({**told[0], "market": ""}) == json.dumps({**told[1], "market": ""})


def test_every_command_of_the_page_does_what_it_says(
    run_command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (Path(__file__).resolve().parents[2] / "docs" / "as-known.md").read_text(encoding="utf-8")
    commands = [shlex.split(line) for line in re.findall(r"^ {4}(reverse-qe .*)$", text, re.M)]
    assert len(commands) == 3
    for command in commands:
        done = run_command(*command[1:])
        assert done.code == 0, (command, done.err)
    assert (tmp_path / "asof.html").is_file()
