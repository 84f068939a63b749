"""A market that is exported and imported again is the same market."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.catalogue.instruments import instrument_entry
from data.errors import InputError
from data.events.editions import reference_events
from data.files.kept import snapshot_names
from data.importing.export import export_market
from data.importing.folders import import_snapshot
from data.market.snapshot import load
from data.market.tables import ASIDE_TABLES, BARS, EVENT_TABLES, TABLES
from hand_made import make_snapshot

OLD = Path(__file__).resolve().parents[1] / "old" / "0.1.0" / "csv"


@pytest.fixture(scope="module")
def market():
    """Real symbols with made-up prices, series, shipped events and actions."""
    snapshot, _ = import_snapshot(OLD / "prices", OLD / "macro", None, "first", OLD / "actions.csv")
    return snapshot


def read_back(folder: Path, name: str = "second"):
    actions = folder / "actions.csv"
    given = (folder / "prices", folder / "macro", folder / "events", name, actions if actions.is_file() else None)
    return import_snapshot(*given)[0]


def test_csv_files_are_read_back_to_the_same_content(market, tmp_path):
    written = export_market(market, tmp_path / "out")
    assert written == sorted(path for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert {path.name for path in tmp_path.iterdir()} == {"out"}
    again = read_back(tmp_path / "out")
    coins = {symbol for symbol, entry in market.instruments.items() if entry.is_crypto}
    assert coins
    for table in TABLES:
        ours, theirs = market.table(table), again.table(table)
        if table is BARS:
            # The volume of coins is told in US dollars, and divided by the close again.
            np.testing.assert_allclose(theirs.pop("volume"), ours["volume"], rtol=1e-12)
            ours = ours.drop(columns="volume")
        pd.testing.assert_frame_equal(theirs, ours, check_exact=True)


def test_every_shipped_event_comes_back(sample, tmp_path):
    """All columns of all tables, texts with commas, quotes and signs among them."""
    bars = make_snapshot({"MU": [("2026-10-01", 1.0, 1.0)]}).bars
    rest = {
        "simulated": False,
        "bars": bars,
        "instruments": {"MU": instrument_entry("MU")},
        "series": sample.series[:0],
    }
    full = replace(sample, **reference_events(), **rest)
    export_market(full, tmp_path / "out")
    again = import_snapshot(tmp_path / "out" / "prices", None, tmp_path / "out" / "events", "again")[0]
    for table in EVENT_TABLES:
        theirs, ours = again.table(table), full.table(table)
        pd.testing.assert_frame_equal(theirs, ours, check_exact=True)
    pd.testing.assert_frame_equal(again.balance_sheet_paces, full.balance_sheet_paces, check_exact=True)
    pd.testing.assert_frame_equal(again.event_coverage, full.event_coverage, check_exact=True)


def test_a_companys_figures_need_no_entry_and_come_back_known_when_a_filing_is_due(market, tmp_path):
    """CSV files hold no moments: a figure counts from the last day for a 10-K, and is said to be of a file."""
    export_market(market, tmp_path / "out")
    (tmp_path / "out" / "macro" / "MU.book.csv").write_text("date,value\n2025-08-28,54165\n", encoding="utf-8")
    again = read_back(tmp_path / "out", "filed")
    [row] = again.series[again.series["series"] == "MU.book"].to_dict("records")
    assert (row["value"], str(row["known_at"])) == (54165.0, "2025-11-28 22:00:00+00:00")
    entry = again.series_entries["MU.book"]
    assert (entry.source, entry.publication, entry.unit) == ("file", "filing", "usd_millions")
    (tmp_path / "out" / "macro" / "MU.books.csv").write_text("date,value\n2025-08-28,1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"series MU.books has no entry in the catalogue"):
        read_back(tmp_path / "out", "none")


def test_parquet_files_hold_every_table_as_it_is(market, tmp_path):
    written = export_market(market, tmp_path / "out", "parquet")
    tables = {table.name: table for table in (*TABLES, *ASIDE_TABLES)}
    assert {path.name for path in written} == {*(f"{name}.parquet" for name in tables), "manifest.json"}
    for name, table in tables.items():
        rows = pd.read_parquet(tmp_path / "out" / f"{name}.parquet")
        pd.testing.assert_frame_equal(table.conform(rows), market.table(table), check_exact=True)


def test_parquet_files_are_read_back_as_the_same_market(data_command, sample, tmp_path):
    """Its entries, that it is simulated, and the hash of its content; CSV files have none of the entries."""
    out, back = tmp_path / "out", ("import", "--parquet", tmp_path / "out", "--name")
    assert data_command("export", "sample", out, "--format", "parquet").err.split()[-5:] == [
        *("import", "--parquet", str(out), "--name", "NEW"),
    ]
    assert data_command(*back, "mine", "--json").json["content_hash"] == sample.content_hash
    again = load("mine")
    assert (again.name, again.simulated, dict(again.instruments)) == ("mine", True, dict(sample.instruments))
    assert data_command("diff", "sample", "mine").out == "sample and mine hold the same.\n"
    told = data_command("export", "sample", tmp_path / "csv").err
    assert "! CSV files hold no entries of instruments: with --spec of one that has those of SIM-BILL, SIM-" in told
    # The name is taken, then free again.
    assert "data remove mine" in data_command(*back, "mine").err
    assert data_command("remove", "mine").code == 0
    assert data_command(*back, "mine").code == 0
    bars = out / "bars.parquet"
    bars.write_bytes(bars.read_bytes()[:-1])
    for words, said in (
        ((*back, "other"), "snapshot out was changed: bars.parquet has hash"),
        (
            ("import", "--parquet", tmp_path, "--name", "other"),
            "has no manifest.json, wanted a folder that data export",
        ),
        ((*back, "other", "--prices", out), "got --parquet beside other folders"),
        (("import", "--parquet", out), "Missing option '--name'"),
    ):
        refused = data_command(*words)
        assert (refused.code, refused.out, refused.err.count("\n")) == (2, "", 1)
        assert said in refused.err
    assert snapshot_names() == ["mine"]


def test_the_command_says_how_to_read_them_back(call, tmp_path):
    prices, macro = OLD / "prices", OLD / "macro"
    assert call("data", "import", "--prices", prices, "--macro", macro, "--name", "mine")[0] == 0
    status, out, err = call("data", "export", "mine", "out")
    assert (status, out) == (0, f"Wrote {len(list((tmp_path / 'out').rglob('*.csv')))} files into out\n")
    words = err.partition("reverse-qe ")[2].split()
    assert call(*words[:-1], "again")[0] == 0
    assert "the same" in call("data", "diff", "again", "again")[1]
    for wrong in (("nosuch", "x"), ("mine", "out"), ("mine", "x", "--format", "xls")):
        status, out, err = call("data", "export", *wrong)
        assert (status, out, err.count("\n")) == (2, "", 1)
