"""Import of CSV files: every refusal by file, line and reason; everything else arrives as it was written."""

import shutil
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from data.catalogue.instruments import Instrument
from data.errors import InputError
from data.events.editions import reference_events
from data.files.kept import snapshots_dir
from data.importing.folders import import_snapshot
from data.market.snapshot import Snapshot, load, save
from data.quality.report import QualityReport
from reverse_qe.cli import main

MU = """date,open,high,low,close,adj_close,volume
2025-11-25,230.1,232.5,228.25,231.0,231.0,1000
2025-11-26,231.5,,,233.75,233.75,
2025-11-28,,236,233,235.5,235.25,0
"""
DGS10 = """date,value
2025-11-25,4.01
2025-11-26,.
2025-11-27,
2025-11-28,-0.02
"""
CAPEX = (
    "company,fiscal_period,calendar_quarter,period_end,announced_at,session,announced_basis,date_confidence,filed_at,"
    "capex_usd_bn,ocf_usd_bn,capex_vintage,ocf_vintage,finance_lease_principal_usd_bn,headline_capex_usd_bn,source,"
    "confidence,note\n"
    "META,2025Q3,2025Q3,2025-09-30,2025-10-29,amc,8-K,high,2025-10-30,18.8,30.0,as_first_reported,as_first_reported,"
    ',,"release, page 1",high,\n'
)
GUIDANCE = (
    "company,announced_at,session,fiscal_year,low_usd_bn,high_usd_bn,prior_low_usd_bn,prior_high_usd_bn,source,"
    "confidence,event,basis,note\n"
    "META,2025-10-29,amc,2025,70,72,66,72,release,high,narrow,cash,\n"
    "META,2026-10-28,amc,2027,200,,,,made up,high,initial,cash,\n"
)
FUNDING = (
    "date,kind,company,amount_usd_bn,source,confidence,date_basis,filed_at,amount_local,note\n"
    "2025-10-30,bond_issue,META,30,press,high,priced,,,\n"
)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Folders prices, macro and events that import well."""
    files = {
        "prices/MU.csv": MU,
        "macro/DGS10.csv": DGS10,
        "events/capex_actuals.csv": CAPEX,
        "events/capex_guidance.csv": GUIDANCE,
        "events/funding_events.csv": FUNDING,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def refusal(folders: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """Runs `reverse-qe data import` on the folders, which must refuse in one line and write nothing."""

    def run() -> str:
        options = [f"--{kind}={folders / kind}" for kind in ("prices", "macro", "events")]
        monkeypatch.setattr(sys, "argv", ["reverse-qe", "data", "import", *options, "--name", "market"])
        with pytest.raises(SystemExit) as stop:
            main()
        printed = capsys.readouterr()
        assert stop.value.code == 2
        assert printed.out == ""
        assert printed.err.startswith("Error: ")
        assert printed.err.count("\n") == 1
        assert not snapshots_dir().exists()
        return printed.err

    return run


def imported(folders: Path) -> tuple[Snapshot, QualityReport]:
    return import_snapshot(folders / "prices", folders / "macro", folders / "events", "market")


def test_prices_arrive_as_they_were_written(folders: Path) -> None:
    (folders / "prices" / "BTC-USD.csv").write_text(
        "volume,adj_close,close,low,high,open,date\n5,0.30000000000000004,1e-3,0.0001,3.5e1,2,2025-11-29\n"
    )

    bars = imported(folders)[0].bars

    nan = float("nan")
    assert bars.columns.tolist() == ["symbol", "date", "open", "high", "low", "close", "adj_close", "volume"]
    expected = [
        ["BTC-USD", "2025-11-29", 2.0, 35.0, 0.0001, 0.001, 0.30000000000000004, 5.0],
        ["MU", "2025-11-25", 230.1, 232.5, 228.25, 231.0, 231.0, 1000.0],
        ["MU", "2025-11-26", 231.5, nan, nan, 233.75, 233.75, nan],
        ["MU", "2025-11-28", nan, 236.0, 233.0, 235.5, 235.25, 0.0],
    ]
    wanted = pd.DataFrame(expected, columns=bars.columns).astype({"symbol": "str", "date": "datetime64[us]"})
    pd.testing.assert_frame_equal(bars, wanted, check_exact=True)


def test_series_arrive_with_blanks_and_with_the_time_at_which_they_were_known(folders: Path) -> None:
    series = imported(folders)[0].series

    # Thanksgiving was 2025-11-27: what is about the Wednesday before was published on Friday.
    assert list(series["known_at"]) == [
        pd.Timestamp(known_at, tz="UTC")
        for known_at in ("2025-11-26 22:00", "2025-11-28 22:00", "2025-11-28 22:00", "2025-12-01 22:00")
    ]
    assert series["value"].tolist()[0] == 4.01
    assert series["value"].isna().tolist() == [False, True, True, False]
    assert series["value"].tolist()[3] == -0.02


def test_events_arrive_with_what_follows_from_them(folders: Path) -> None:
    snapshot, report = imported(folders)

    assert snapshot.capex_actuals[["company", "capex_usd_bn", "source"]].to_numpy().tolist() == [
        ["META", 18.8, "release, page 1"]
    ]
    assert snapshot.capex_actuals["capex_known_at"].tolist() == [pd.Timestamp("2025-10-29 21:30", tz="UTC")]
    assert snapshot.capex_guidance["comparable"].tolist() == [True, False]
    assert snapshot.capex_guidance["high_usd_bn"].isna().tolist() == [False, True]
    assert snapshot.funding_events["known_at"].tolist() == [pd.Timestamp("2025-11-01", tz="UTC")]
    assert any("judged by rule: META 2026-10-28" in note for note in report.notes)


def test_guidance_recalled_with_the_results_of_the_same_folder_is_known_from_their_filing(folders: Path) -> None:
    capex = CAPEX.replace(",8-K,high,2025-10-30,", ",recalled,low,2025-10-31,")
    (folders / "events" / "capex_actuals.csv").write_text(capex)
    (folders / "events" / "capex_guidance.csv").write_text(
        GUIDANCE.replace("release,high,narrow", "recalled,low,narrow")
    )

    guidance = imported(folders)[0].capex_guidance

    assert guidance["known_at"][0] == pd.Timestamp("2025-10-31 22:00", tz="America/New_York")


def test_judgements_that_a_file_brings_are_kept(folders: Path) -> None:
    rows = FUNDING.splitlines()
    text = f"{rows[0]},part_of,counts\n{rows[1]},META 50,false\n"
    (folders / "events" / "funding_events.csv").write_text(text)

    funding = imported(folders)[0].funding_events

    assert funding[["part_of", "counts"]].to_numpy().tolist() == [["META 50", False]]


def test_instruments_come_from_the_catalogue(folders: Path) -> None:
    snapshot = imported(folders)[0]

    assert list(snapshot.instruments) == ["MU"]
    assert (snapshot.instruments["MU"].currency, str(snapshot.instruments["MU"].listed)) == ("USD", "1984-06-01")
    assert not snapshot.simulated


def test_prices_alone_will_do_and_the_shipped_events_are_named(folders: Path) -> None:
    snapshot, report = import_snapshot(folders / "prices", None, None, "market")

    assert snapshot.series.empty
    for name, table in reference_events().items():
        pd.testing.assert_frame_equal(getattr(snapshot, name), table)
    assert report.notes == ("events: the shipped reference set, for none were given",)
    assert snapshot.origin == f"CSV files: prices {folders / 'prices'}, macro none, events the shipped reference set"


def test_of_an_instrument_in_several_folders_the_last_file_counts_and_that_is_told(folders: Path) -> None:
    (folders / "more").mkdir()
    (folders / "more" / "MU.csv").write_text(MU.replace("231.0,231.0", "331.0,331.0").replace("232.5", "332.5"))
    (folders / "more" / "WDC.csv").write_text(MU)

    snapshot, report = import_snapshot([folders / "prices", folders / "more"], None, None, "market")

    assert snapshot.bars_of("MU")["close"].iloc[0] == 331.0
    assert sorted(snapshot.instruments) == ["MU", "WDC"]
    assert f"of MU the files in {folders / 'more'} count, not those of the folders before it" in report.notes
    assert snapshot.origin.startswith(f"CSV files: prices {folders / 'prices'} and {folders / 'more'}, macro none")


def test_of_two_folders_of_series_the_later_one_wins_and_it_is_told(folders: Path) -> None:
    more = folders / "further"
    more.mkdir()
    (more / "DGS10.csv").write_text("date,value\n2025-11-25,5.0\n")
    (more / "DGS1.csv").write_text("date,value\n2025-11-25,3.7\n")
    snapshot, report = import_snapshot(folders / "prices", [folders / "macro", more], None, "market")

    values = snapshot.series.set_index("series")["value"]
    assert values.to_dict() == {"DGS1": 3.7, "DGS10": 5.0}
    assert f"series in more than one folder, taken from {more}: DGS10" in report.notes
    assert f"macro {folders / 'macro'} and {more}," in snapshot.origin
    turned, _ = import_snapshot(folders / "prices", [more, folders / "macro"], None, "market")
    assert len(turned.series) == 5


def test_files_that_are_not_read_are_named(folders: Path) -> None:
    (folders / "prices" / "README.md").write_text("about")
    (folders / "prices" / ".hidden").write_text("")
    (folders / "macro" / "DGS5.CSV").write_text(DGS10)
    (folders / "events" / "sources.csv").write_text("a\nb\n")

    notes = imported(folders)[1].notes

    not_read = [note for note in notes if note.startswith("not read")]
    assert not_read == [
        f"not read, no .csv file: {folders / 'prices' / 'README.md'}",
        f"not read, no .csv file: {folders / 'macro' / 'DGS5.CSV'}",
        f"not read, no table of events: {folders / 'events' / 'sources.csv'}",
    ]


def test_what_was_imported_is_what_is_loaded(folders: Path) -> None:
    snapshot = imported(folders)[0]
    save(snapshot)

    assert load("market").content_hash == snapshot.content_hash


def test_the_bytes_of_the_files_do_not_matter_to_the_identity(folders: Path) -> None:
    before = imported(folders)[0].content_hash
    windows = "\ufeff" + MU.replace("231.0,231.0", "231, +231.000").replace("\n", "\r\n") + "\r\n"
    (folders / "prices" / "MU.csv").write_bytes(windows.encode())

    assert imported(folders)[0].content_hash == before


HEADER = MU.splitlines()[0]


def prices(*rows: str) -> str:
    return "\n".join([HEADER, "2025-11-25,10,11,9,10,10,100", *rows]) + "\n"


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", None, "the file is empty, wanted the columns date,open,high,low,close,adj_close,volume"),
        ("\n\n", None, "the file is empty"),
        (HEADER + "\n", 1, "the file ends after the header, wanted at least one row"),
        (MU.replace(",volume", ",vol"), 1, "missing column volume: got date,open,high,low,close,adj_close,vol"),
        ("date;open;high\n", 1, "missing column date, open, high, low, close, adj_close, volume: got date;open;high"),
        (MU.replace(",volume", ",volume,dividend"), 1, "unknown column dividend"),
        (MU.replace(",volume", ",volume,volume"), 1, "a column stands twice"),
        (prices("2025-11-26,10,11,9,10,10"), 3, "6 cells, wanted the 7 of the header"),
        (prices("2025-11-26,10,11,9,10,10,1,1"), 3, "8 cells, wanted the 7 of the header"),
        (prices("2025-11-26,ten,11,9,10,10,1"), 3, "open 'ten' is no number, wanted one or a blank cell"),
        (prices("2025-11-26,10,11,9,10,10,NaN"), 3, "volume 'NaN' is no number"),
        (prices("2025-11-26,10,inf,9,10,10,1"), 3, "high 'inf' is no number"),
        (prices("2025-11-26,10,11,9,10,10,1_000"), 3, "volume '1_000' is no number"),
        (prices('2025-11-26,10,11,9,10,10,"1,000"'), 3, "volume '1,000' is no number"),
        (prices("2025-11-26,10,11,.,10,10,1"), 3, "low '.' is no number"),
        (prices("2025-11-26,10,11,9,\u0661\u0660,10,1"), 3, "close '\u0661\u0660' is no number"),
        (prices("2025-13-26,10,11,9,10,10,1"), 3, "date '2025-13-26' is no day, wanted YYYY-MM-DD"),
        (prices("11/26/2025,10,11,9,10,10,1"), 3, "date '11/26/2025' is no day"),
        (prices("2025-W48-3,10,11,9,10,10,1"), 3, "date '2025-W48-3' is no day"),
        (prices("20251126,10,11,9,10,10,1"), 3, "date '20251126' is no day"),
        (prices(",10,11,9,10,10,1"), 3, "date '' is no day"),
        (prices("2025-11-25,10,11,9,10,10,1"), 3, "date 2025-11-25 stands twice"),
        (prices("2025-11-24,10,11,9,10,10,1"), 3, "date 2025-11-24 stands after 2025-11-25, wanted ascending dates"),
        (prices("2025-11-26,0,11,9,10,10,1"), 3, "open 0, wanted a price above 0"),
        (prices("2025-11-26,10,-1,-2,10,10,1"), 3, "high -1, wanted a price above 0"),
        (prices("2025-11-26,10,11,-0.01,10,10,1"), 3, "low -0.01, wanted a price above 0"),
        (prices("2025-11-26,10,11,9,-10,10,1"), 3, "close -10, wanted a price above 0"),
        (prices("2025-11-26,10,11,9,10,0.0,1"), 3, "adj_close 0.0, wanted a price above 0"),
        (prices("2025-11-26,10,11,9,,10,1"), 3, "close is blank, wanted a price; remove the row"),
        (prices("2025-11-26,10,11,9,10,,1"), 3, "adj_close is blank, wanted a price; remove the row"),
        (prices("2025-11-26,10,9,11,10,10,1"), 3, "high 9 is below low 11"),
        (prices("2025-11-26,10,11,9,10,10,-1"), 3, "volume -1, wanted 0 or more"),
        (prices("", "2025-11-26,0,11,9,10,10,1", "2025-11-27,x,11,9,10,10,1"), 4, "open 0, wanted a price above 0"),
        (prices('2025-11-26,10,11,9,10,10,"1'), 3, "unexpected end of data; wanted a CSV file"),
    ],
)
def test_prices_at_fault_are_refused(
    folders: Path, refusal: Callable[[], str], text: str, line: int | None, reason: str
) -> None:
    path = folders / "prices" / "MU.csv"
    path.write_text(text, encoding="utf-8")

    place = f"{path}, line {line}: " if line else f"{path}: "
    assert f"Error: {place}{reason}" in refusal()


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", None, "the file is empty, wanted the columns date,value"),
        ("date,value\n", 1, "the file ends after the header"),
        ("observation_date,DGS10\n2025-11-25,4.0\n", 1, "missing column date, value: got observation_date,DGS10"),
        ("date,value\n2025-11-25,4.0\n2025-11-26,n/a\n", 3, "value 'n/a' is no number"),
        ("date,value\n2025-11-25,4.0\n2025-11-31,4.0\n", 3, "date '2025-11-31' is no day"),
        ("date,value\n2025-11-25,4.0\n2025-11-25,4.0\n", 3, "date 2025-11-25 stands twice"),
        ("date,value\n2025-11-25,4.0\n2025-11-26,4.0\n2025-11-25,.\n", 4, "date 2025-11-25 stands after 2025-11-26"),
        ("date,value\n2025-11-25\n", 2, "1 cells, wanted the 2 of the header"),
    ],
)
def test_series_at_fault_are_refused(
    folders: Path, refusal: Callable[[], str], text: str, line: int | None, reason: str
) -> None:
    path = folders / "macro" / "DGS10.csv"
    path.write_text(text, encoding="utf-8")

    place = f"{path}, line {line}: " if line else f"{path}: "
    assert f"Error: {place}{reason}" in refusal()


@pytest.mark.parametrize(
    ("file", "old", "new", "reason"),
    [
        ("capex_actuals", "18.8", "18,8", ", line 2: 19 cells, wanted the 18 of the header"),
        ("capex_actuals", "18.8", "about 19", ", line 2: capex_usd_bn 'about 19' is no number"),
        ("capex_actuals", "2025-09-30", "30.9.2025", ", line 2: period_end '30.9.2025' is no day"),
        (
            "capex_actuals",
            ",amc,",
            ",evening,",
            ": capex_actuals: META 2025-09-30: got session 'evening', wanted one of",
        ),
        ("capex_actuals", "confidence,note", "confidence,notes", ", line 1: missing column note"),
        ("capex_guidance", ",70,72,", ",72,70,", ": capex_guidance: META 2025-10-29 2025 narrow: low_usd_bn is above"),
        (
            "capex_guidance",
            "META,2025-10-29",
            "META,",
            ": capex_guidance: META (blank) 2025 narrow: its announced_at is blank; an event needs its date",
        ),
        (
            "capex_guidance",
            "META,2026-10-28",
            "IBM,2026-10-28",
            ": capex_guidance: IBM 2026-10-28 2027 initial: no fiscal calendar for this company",
        ),
        (
            "capex_actuals",
            "META,2025Q3",
            "META,2025Q3,2025Q2,2025-06-30,2025-07-30,amc,8-K,high,2025-07-31,17.0,25.6,as_first_reported,"
            "as_first_reported,,,,high,\nMETA,2025Q3",
            ": capex_actuals: META 2025-09-30: two rows have this company, fiscal_period; keep one",
        ),
        (
            "funding_events",
            "2025-10-30,",
            ",",
            ": funding_events: (blank) bond_issue META priced 30: its date is blank",
        ),
        ("funding_events", "kind", "sort", ", line 1: missing column kind"),
        ("funding_events", "note\n", "note,known_at\n", ", line 1: unknown column known_at"),
        ("funding_events", "note\n2025-10-30,", "note,counts\nyes,", ", line 2: 10 cells, wanted the 11 of the header"),
    ],
)
def test_events_at_fault_are_refused(
    folders: Path, refusal: Callable[[], str], file: str, old: str, new: str, reason: str
) -> None:
    path = folders / "events" / f"{file}.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))

    assert f"Error: {path}{reason}" in refusal()


def test_a_flag_that_is_none_is_refused(folders: Path, refusal: Callable[[], str]) -> None:
    rows = FUNDING.splitlines()
    path = folders / "events" / "funding_events.csv"
    path.write_text(f"{rows[0]},counts\n{rows[1]},yes\n")

    assert f"Error: {path}, line 2: counts 'yes' is no flag, wanted true or false" in refusal()


def test_a_symbol_without_a_catalogue_entry_is_refused_with_the_line_to_add(
    folders: Path, refusal: Callable[[], str]
) -> None:
    (folders / "prices" / "BRK.B.csv").write_text(MU)

    message = refusal()

    assert f"Error: {folders / 'prices' / 'BRK.B.csv'}: instrument BRK.B has no entry in the catalogue; add" in message
    entry = tomllib.loads(message[message.index('"BRK.B"') :])["BRK.B"]
    assert Instrument.model_validate(entry).calendar == "XNYS"


def test_a_series_without_a_catalogue_entry_is_refused(folders: Path, refusal: Callable[[], str]) -> None:
    (folders / "macro" / "CPIAUCSL.csv").write_text(DGS10)

    assert (
        f"Error: {folders / 'macro' / 'CPIAUCSL.csv'}: series CPIAUCSL has no entry in the catalogue; add" in refusal()
    )


@pytest.mark.parametrize("kind", ["prices", "macro", "events"])
def test_folders_without_files_are_refused(folders: Path, refusal: Callable[[], str], kind: str) -> None:
    for path in (folders / kind).iterdir():
        path.rename(path.with_suffix(".txt"))
    assert f"Error: {folders / kind} holds no CSV file" in refusal()

    shutil.rmtree(folders / kind)
    assert f"Error: {folders / kind} is no folder" in refusal()


def test_a_missing_table_of_events_is_refused(folders: Path, refusal: Callable[[], str]) -> None:
    (folders / "events" / "funding_events.csv").unlink()

    wanted = "capex_actuals.csv, capex_guidance.csv, funding_events.csv"
    assert f"Error: {folders / 'events' / 'funding_events.csv'} is not there, wanted {wanted}" in refusal()


def test_a_file_in_another_encoding_is_refused(folders: Path, refusal: Callable[[], str]) -> None:
    path = folders / "macro" / "DGS10.csv"
    path.write_bytes("date,value\n2025-11-25,4.0\u00e9\n".encode("latin-1"))

    assert f"Error: {path}, line 2: invalid continuation byte; wanted text in UTF-8" in refusal()


def test_one_fault_refuses_all(folders: Path) -> None:
    (folders / "prices" / "WDC.csv").write_text(MU.replace("233.75,233.75", "233.75,0"))

    with pytest.raises(InputError, match=r"WDC\.csv, line 3"):
        imported(folders)


@pytest.fixture(scope="module")
def history(shared: Path) -> tuple[Snapshot, QualityReport]:
    market = shared / "market"
    return import_snapshot(market / "prices", market / "macro", shared / "capex", "history")


@pytest.mark.real_history
def test_real_history_arrives_whole(shared: Path, history: tuple[Snapshot, QualityReport]) -> None:
    provenance = pd.read_csv(shared / "market" / "PROVENANCE.csv").set_index("file")
    snapshot = history[0]
    held = {
        **{f"prices/{symbol}.csv": rows["date"] for symbol, rows in snapshot.bars.groupby("symbol")},
        **{f"macro/{series}.csv": rows["date"] for series, rows in snapshot.series.groupby("series")},
    }

    assert sorted(held) == sorted(provenance.index)
    for file, days in held.items():
        row = provenance.loc[file]
        assert (len(days), str(days.min().date()), str(days.max().date())) == (
            row["rows"],
            row["first_date"],
            row["last_date"],
        ), file
    counts = [len(snapshot.capex_actuals), len(snapshot.capex_guidance), len(snapshot.funding_events)]
    assert counts == [243, 61, 59]


@pytest.mark.real_history
def test_further_series_of_real_history_arrive_whole(shared: Path) -> None:
    market = shared / "market"
    snapshot, _ = import_snapshot(market / "prices", [market / "macro", market / "macro_more"], None, "further")
    held = snapshot.series.groupby("series")["date"].agg(["size", "min", "max"])
    provenance = pd.read_csv(market / "PROVENANCE_MORE.csv")
    rows = provenance[provenance["file"].str.startswith("macro_more/")]

    assert len(rows) == 24
    for row in rows.itertuples():
        told = held.loc[Path(row.file).stem]
        assert (told["size"], str(told["min"].date()), str(told["max"].date())) == (
            row.rows,
            row.first_date,
            row.last_date,
        ), row.file


@pytest.mark.real_history
def test_what_is_odd_in_real_history_is_what_its_readme_tells(history: tuple[Snapshot, QualityReport]) -> None:
    report = history[1]
    found = {(finding.name, finding.kind, finding.column): finding for finding in report.findings}

    def named(kind: str) -> set[str]:
        return {finding.name for finding in report.findings if finding.kind == kind}

    # "NYSE calendar: no missing and no extra session in any US file."
    assert named("missing_sessions") == {"005930.KS"}
    assert named("unknown_sessions") == set()
    # What both Korean files have otherwise than the calendar, such as the local elections of 2026-06-03.
    assert named("unknown_closing") == named("unknown_opening") == {"XKRX"}
    assert found["XKRX", "unknown_closing", ""].count == 3
    # "SNDK starts 2025-02-13 (when-issued; regular-way 2025-02-24)": six sessions, for the 17th was a holiday.
    early = found["SNDK", "before_listing", ""]
    assert (early.count, str(early.first), str(early.last)) == (6, "2025-02-13", "2025-02-21")
    # The coin's bar of 2026-03-27 has a close alone.
    blank = found["BTC-USD", "blank_cells", "open"]
    assert (blank.count, str(blank.first)) == (1, "2026-03-27")
    # "ARKK, WCLD almost wholly; SOL-USD before 2026-08-20; HUBS; IGV; a few single days": the rest have every open.
    opens = {finding.name for finding in report.findings if finding.column == "open"}
    assert opens == {"ARKK", "WCLD", "SOL-USD", "HUBS", "IGV", "BTC-USD", "ETH-USD"}
    assert found["WCLD", "blank_cells", "open"].count == 1748
    # Spans: what ends with 2026-10-09 or 10-08 is fresh.
    ended = {"005930.KS", "000660.KS", "SOL-USD", "TEAM", "MDB", "META", "WCLD", "BTC-USDT", "ETH-USDT", "SOL-USDT"}
    series = {"DFII10", "T10Y2Y", "DTWEXBGS", "EFFR", "M2SL", "STLFSI4"}
    assert named("stale") == ended | series
    assert found["META", "stale", ""].count == 10
    assert found["DFII10", "stale", ""].count == 22
    # "high/low bounds hold", but for the Korean file.
    assert named("close_outside_range") <= {"005930.KS", "000660.KS"}
    assert named("short") == set()
    assert str(report.newest) == "2026-10-09"
