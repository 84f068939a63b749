"""`reverse-qe data`: what it prints for people and for machines, and what it refuses."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data.files.kept import snapshots_dir
from data.market.snapshot import load

MU = """date,open,high,low,close,adj_close,volume
2025-11-25,230,232,228,231,231,1000
2025-11-28,,236,233,235,235,
"""
BTC = """date,open,high,low,close,adj_close,volume
2025-11-28,90000,91000,89000,90500,90500,10
2025-11-29,90500,92000,90000,91000,91000,10
"""
DGS10 = """date,value
2025-11-25,4.01
2025-11-26,.
2025-11-28,4.02
"""


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    files = {"prices/MU.csv": MU, "prices/BTC-USD.csv": BTC, "macro/DGS10.csv": DGS10}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return ["--prices", str(tmp_path / "prices"), "--macro", str(tmp_path / "macro")]


@pytest.fixture
def kept(data_command: Callable[..., Any], options: list[str]) -> Any:
    """A snapshot `market` was imported."""
    outcome = data_command("import", *options, "--name", "market")
    assert outcome.code == 0
    return outcome


def test_import_tells_what_it_kept_and_what_is_odd(kept: Any) -> None:
    content = load("market").content_hash[:12]
    lines = kept.out.splitlines()

    assert lines[0].startswith("Imported market: 2 symbols, 1 series, ")
    assert lines[0].endswith(f" events, bars from 2025-11-25 to 2025-11-29, content {content}")
    assert lines[1] == "Kept as it came, and odd, by what it can move of a result:"
    assert lines[2:] == [
        "    1.7%  MU: blank open: 1, blank volume: 1 (2025-11-28)",
        "    1.7%  MU: sessions of XNYS without a row: 1 (2025-11-26)",
        "       -  BTC-USD: short: 2 rows, fewer than 252 (2025-11-28 to 2025-11-29)",
        "       -  MU: short: 2 rows, fewer than 252 (2025-11-25 to 2025-11-28)",
        "       -  DGS10: blank value: 1 (2025-11-26)",
        "       -  DGS10: short: 3 rows, fewer than 252 (2025-11-25 to 2025-11-28)",
        "  events: the shipped reference set, for none were given",
    ]
    assert kept.err == f"Kept in {snapshots_dir() / 'market'}. Next: reverse-qe backtest --market market\n"


def test_import_for_machines(data_command: Callable[..., Any], options: list[str]) -> None:
    told = data_command("import", *options, "--name", "market", "--json").json

    assert told["name"] == "market"
    assert told["folder"] == str(snapshots_dir() / "market")
    assert told["content_hash"] == load("market").content_hash
    assert told["contents"]["symbols"] == 2
    assert told["contents"]["last"] == "2025-11-29"
    found = told["quality"]["findings"]
    assert {"name": "MU", "kind": "missing_sessions", "count": 1, "share": 1.0}.items() <= found[1].items()
    assert told["quality"]["notes"] == ["events: the shipped reference set, for none were given"]


def test_import_refuses_a_name_before_it_reads_a_file(
    data_command: Callable[..., Any], kept: Any, tmp_path: Path
) -> None:
    for name, reason in {
        "market": "snapshot market exists already",
        "sample": "got the name sample, which is built in",
        "a/b": "got 'a/b' as a snapshot's name",
        "live.3": "got the name live.3, which stands for a version of live that data fetch makes",
    }.items():
        outcome = data_command("import", "--prices", tmp_path / "nowhere", "--name", name)
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.err.startswith(f"Error: {reason}")
        assert outcome.err.count("\n") == 1


def test_import_needs_prices_and_a_name(data_command: Callable[..., Any], options: list[str]) -> None:
    for words, missing in ((["--name", "market"], "--prices"), (options, "--name")):
        outcome = data_command("import", *words)
        assert outcome.code == 2
        assert f"Missing option '{missing}'" in outcome.err


def test_list_shows_what_is_there(data_command: Callable[..., Any], kept: Any) -> None:
    content = load("market").content_hash

    rows = [line.split() for line in data_command("list").out.splitlines() if line.strip()]
    told = data_command("list", "--json").json

    assert ["sample", "yes", "-", "-", "-", "-", "-", "-", "built", "in"] in rows
    events = str(told["snapshots"][0]["contents"]["events"])
    made = load("market").made_at.strftime("%Y-%m-%d %H:%M").split()
    assert ["market", "no", "2025-11-25", "2025-11-29", "2", "1", events, *made, content[:12]] in rows
    assert told["built_in"] == ["sample"]
    assert told["damaged"] == []
    assert [(snapshot["name"], snapshot["content_hash"]) for snapshot in told["snapshots"]] == [("market", content)]


def test_list_of_nothing_still_names_the_sample(data_command: Callable[..., Any]) -> None:
    assert "sample" in data_command("list").out
    assert data_command("list", "--json").json["snapshots"] == []


def test_list_names_a_damaged_snapshot_and_shows_the_rest(data_command: Callable[..., Any], kept: Any) -> None:
    damaged = snapshots_dir() / "damaged"
    damaged.mkdir()
    (damaged / "manifest.json").write_text("{")

    outcome = data_command("list")

    assert outcome.code == 0
    assert "market" in outcome.out
    assert outcome.err.startswith(f"! {damaged / 'manifest.json'} is no manifest")
    assert len(data_command("list", "--json").json["damaged"]) == 1


def test_show_for_people(data_command: Callable[..., Any], kept: Any, tmp_path: Path) -> None:
    outcome = data_command("show", "market")
    rows = [line.split() for line in outcome.out.splitlines()]

    assert outcome.out.startswith(
        f"market: CSV files: prices {tmp_path / 'prices'}, macro {tmp_path / 'macro'}, events"
    )
    assert ["content", load("market").content_hash] in rows
    mu = ["MU", "us_stock", "USD", "XNYS", "1984-06-01", "2025-11-25", "2025-11-28", "2", "2"]
    assert mu in rows
    assert ["DGS10", "percent", "next_business_day", "2025-11-25", "2025-11-28", "3", "1", "3"] in rows
    assert any(row[:2] == ["funding_events", "bond_issue"] for row in rows)
    assert "    1.7%  MU: sessions of XNYS without a row: 1 (2025-11-26)" in outcome.out.splitlines()


def test_show_for_machines(data_command: Callable[..., Any], kept: Any) -> None:
    told = data_command("show", "market", "--json").json

    assert told["simulated"] is False
    assert told["symbols"][0] == {
        "symbol": "BTC-USD",
        "class": "crypto",
        "currency": "USD",
        "calendar": "24/7",
        "listed": "2014-09-17",
        "first": "2025-11-28",
        "last": "2025-11-29",
        "rows": 2,
        "blanks": 0,
    }
    assert told["series"][0]["blanks"] == 1
    by_table = {table: sum(row["rows"] for row in told["events"] if row["table"] == table) for table in _tables(told)}
    snapshot = load("market")
    assert by_table == {
        "capex_actuals": len(snapshot.capex_actuals),
        "capex_guidance": len(snapshot.capex_guidance),
        "funding_events": len(snapshot.funding_events),
    }
    counted = sum(row["count"] for row in told["events"] if row["table"] == "funding_events")
    assert counted == snapshot.funding_events["counts"].sum()
    assert told["quality"]["newest"] == "2025-11-29"


def _tables(told: dict) -> set[str]:
    return {row["table"] for row in told["events"]}


def test_show_says_that_there_are_no_series(data_command: Callable[..., Any], options: list[str]) -> None:
    data_command("import", *options[:2], "--name", "bare")

    assert "Series: none" in data_command("show", "bare").out.splitlines()


def test_show_of_the_sample_says_that_it_is_simulated(data_command: Callable[..., Any]) -> None:
    outcome = data_command("show", "sample")

    assert outcome.code == 0
    assert outcome.out.startswith("sample (SIMULATED): ")


def test_verify_holds(data_command: Callable[..., Any], kept: Any) -> None:
    content = load("market").content_hash
    outcome = data_command("verify", "market")

    assert outcome.code == 0
    assert outcome.out.startswith(f"market: files and content are unchanged, content {content}\n")
    assert "    1.7%  MU: sessions of XNYS without a row: 1 (2025-11-26)" in outcome.out.splitlines()
    assert data_command("verify", "market", "--json").json["content_hash"] == content


def test_verify_ranks_by_a_spec_and_marks_what_it_uses(
    data_command: Callable[..., Any], kept: Any, tmp_path: Path
) -> None:
    spec = tmp_path / "mine.toml"
    spec.write_text(
        """[run]
name = "mine"
start = 2025-11-28
[universe]
speculative = ["BTC-USD"]
benchmark = "BTC-USD"
[signal]
source = "regimes.csv"
"""
    )
    outcome = data_command("verify", "market", "--spec", spec)

    assert outcome.out.splitlines()[1:] == [
        "Kept as it came, and odd, by what it can move of a result, * used by the spec:",
        "       -  * BTC-USD: short: 2 rows, fewer than 252 (2025-11-28 to 2025-11-29)",
        "       -    MU: blank open: 1, blank volume: 1 (2025-11-28)",
        "       -    MU: sessions of XNYS without a row: 1 (2025-11-26)",
        "       -    MU: short: 2 rows, fewer than 252 (2025-11-25 to 2025-11-28)",
        "       -    DGS10: blank value: 1 (2025-11-26)",
        "       -    DGS10: short: 3 rows, fewer than 252 (2025-11-25 to 2025-11-28)",
    ]
    spec.write_text(spec.read_text().replace('speculative = ["BTC-USD"]', 'cash_flow = ["MU"]'))
    found = data_command("verify", "market", "--spec", spec, "--json").json["quality"]["findings"]
    assert [(each["name"], each["kind"], each["share"]) for each in found[:2]] == [
        ("MU", "blank_cells", 0.3),
        ("BTC-USD", "short", 1.0),
    ]
    assert found[0]["effect"] == pytest.approx(0.3 * (1 - 231 / 235), rel=1e-9)
    assert data_command("verify", "market", "--spec", tmp_path / "no.toml").code == 2


def test_verify_writes_the_report_as_a_page(data_command: Callable[..., Any], kept: Any, tmp_path: Path) -> None:
    outcome = data_command("verify", "market", "--page", tmp_path / "page.html")

    assert outcome.code == 0
    assert outcome.err == f"Page: {tmp_path / 'page.html'}\n"
    assert "sessions of XNYS without a row: 1" in (tmp_path / "page.html").read_text()
    made = data_command("verify", "market", "--page", tmp_path / "new" / "page.html")
    assert (made.code, made.err.count("its folder was not there, and was made")) == (0, 1)
    assert "was made" not in data_command("verify", "market", "--page", tmp_path / "new" / "page.html").err
    assert data_command("verify", "market", "--page", tmp_path / "page.html" / "page.html").code == 2


def test_import_show_and_verify_give_the_same_findings_in_the_same_order(
    data_command: Callable[..., Any], options: list[str]
) -> None:
    imported = data_command("import", *options, "--name", "market", "--json").json["quality"]["findings"]
    shown, verified = (
        data_command(name, "market", "--json").json["quality"]["findings"] for name in ("show", "verify")
    )

    assert imported == shown == verified
    assert [each["effect"] for each in shown] == sorted((each["effect"] for each in shown), reverse=True)
    assert shown[0]["effect"] > 0 == shown[-1]["effect"]


@pytest.mark.parametrize("command", ["verify", "show"])
def test_a_tampered_snapshot_is_refused(data_command: Callable[..., Any], kept: Any, command: str) -> None:
    path = snapshots_dir() / "market" / "bars.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    outcome = data_command(command, "market")

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("Error: snapshot market was changed: bars.parquet has hash ")
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["show", "nothing"], "no market nothing; there are: sample, market"),
        (["verify", "nothing"], "no market nothing; there are: sample, market"),
        (["verify", "sample"], "sample is built in and made anew each time"),
        (["verify", "sample:boom@3"], "sample:boom@3 is built in"),
    ],
)
def test_a_market_that_is_not_there_is_refused(
    data_command: Callable[..., Any], kept: Any, words: list[str], reason: str
) -> None:
    outcome = data_command(*words)

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"Error: {reason}")
    assert outcome.err.count("\n") == 1


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['reverse-qe', 'data', 'import', '--help']\n"
        "from reverse_qe.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit:\n    pass\n"
        "print({'numpy', 'pandas', 'pydantic', 'rich', 'pyarrow'} & set(sys.modules))"
    )

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert "--prices" in printed
    assert printed.splitlines()[-1] == "set()"
