"""Snapshots: what is saved is what is loaded, its identity is its content, and a change to it is found."""

import hashlib
import json
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from data.errors import InputError
from data.files.kept import snapshot_names, snapshots_dir
from data.market.manifest import FORMAT
from data.market.snapshot import Snapshot, contents, load, new_folder, read_manifest, save
from data.market.tables import BARS, CAPEX, FUNDING, GUIDANCE, SERIES, TABLES, Table, content_hash
from hand_made import make_snapshot

MakeSnapshot = Callable[..., Snapshot]


VALUES = {
    "text": "",
    "number": 1.5,
    "flag": True,
    "date": pd.Timestamp("2024-02-01"),
    "time": pd.Timestamp("2024-02-01 21:30", tz="UTC"),
}


def one_event(table: Table, **values: object) -> pd.DataFrame:
    row = {name: VALUES[kind] for name, kind in table.columns.items()} | values
    times = {name: pd.to_datetime([row[name]], utc=True) for name, kind in table.columns.items() if kind == "time"}
    return pd.DataFrame({name: [value] for name, value in row.items()} | times)


@pytest.fixture
def market() -> Snapshot:
    """Two instruments, one with a blank open; a series with a blank value; one event of each table, with blanks."""
    bars = {
        "MU": [("2024-01-02", 10.0, 10.1), ("2024-01-03", 10.2, 0.1 + 0.2)],
        "BTC-USD": [("2024-01-02", None, 40000.0), ("2024-01-03", 40100.5, 40200.25)],
    }
    series = pd.DataFrame(
        {
            "series": "DGS10",
            "date": pd.to_datetime(["2024-01-02", "2024-01-03"]),
            "value": [3.95, float("nan")],
            "known_at": pd.to_datetime(["2024-01-03 22:00", "2024-01-04 22:00"], utc=True),
        }
    )
    return replace(
        make_snapshot(bars, name="market"),
        series=series,
        capex_actuals=one_event(CAPEX, company="MSFT", ocf_usd_bn=float("nan"), ocf_known_at=pd.NaT, filed_at=pd.NaT),
        capex_guidance=one_event(GUIDANCE, company="META"),
        funding_events=one_event(FUNDING, company="ORCL", note="a \x1f, a\nline and ü", counts=False),
        origin="made by hand",
    )


def rewrite(path: Path, compression: str) -> None:
    pq.write_table(pq.read_table(path), path, compression=compression, store_schema=False)


def correct_file_hashes(folder: Path) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"] = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in manifest["files"]}
    path.write_text(json.dumps(manifest))


def test_what_is_saved_is_what_is_loaded(market: Snapshot) -> None:
    folder = save(market)
    loaded = load("market")

    assert folder == snapshots_dir() / "market"
    assert snapshot_names() == ["market"]
    for table in TABLES:
        pd.testing.assert_frame_equal(loaded.table(table), market.table(table), check_exact=True)
    assert loaded.instruments == market.instruments
    assert (loaded.name, loaded.simulated, loaded.origin) == ("market", False, "made by hand")
    assert loaded.content_hash == market.content_hash
    assert loaded.funding_events.loc[0, "note"] == "a \x1f, a\nline and ü"


def test_the_manifest_tells_what_is_held(market: Snapshot) -> None:
    save(market)

    held = read_manifest("market").contents

    assert (held.symbols, held.series, held.events) == (2, 1, 3)
    assert (str(held.first), str(held.last)) == ("2024-01-02", "2024-01-03")
    assert held == contents(market)


def test_files_carry_no_metadata_of_a_library(market: Snapshot) -> None:
    folder = save(market)

    for table in TABLES:
        path = folder / f"{table.name}.parquet"
        assert pq.read_metadata(path).metadata is None
        assert pq.read_schema(path).names == list(table.columns)
        assert pq.read_schema(path).metadata is None


def test_the_content_hash_is_that_of_the_documented_bytes() -> None:
    frame = SERIES.conform(
        pd.DataFrame(
            {
                "series": ["B", "A"],
                "date": pd.to_datetime(["1970-01-02", "1970-01-01"]),
                "value": [-0.0, float("nan")],
                "known_at": pd.to_datetime(["1970-01-02 00:00:01", "1970-01-01 00:00:00"], utc=True),
            }
        )
    )
    microseconds = 24 * 60 * 60 * 1_000_000
    expected = hashlib.sha256(
        b"extra|series:2"
        + (b'|series:str:["A", "B"]')
        + (b"|date:datetime64[us]:" + struct.pack("<2q", 0, microseconds))
        + (b"|value:float64:" + struct.pack("<2d", float("nan"), 0.0))
        + (b"|known_at:datetime64[us, UTC]:" + struct.pack("<2q", 0, microseconds + 1_000_000))
    )

    assert content_hash({"series": frame}, "extra") == expected.hexdigest()


def test_identity_is_content_not_name_nor_origin_nor_order_of_rows(market: Snapshot) -> None:
    other = replace(
        market,
        name="other",
        origin="elsewhere",
        bars=market.bars.sample(frac=1, random_state=3),
        series=market.series.iloc[::-1],
        instruments=dict(reversed(market.instruments.items())),
    )

    assert list(other.instruments) != list(market.instruments)
    assert other.content_hash == market.content_hash


@pytest.mark.parametrize(
    "change",
    [
        lambda market: {"simulated": True},
        lambda market: {"bars": market.bars.iloc[1:]},
        lambda market: {"bars": market.bars.assign(close=market.bars["close"] * (1 + 1e-15))},
        lambda market: {"bars": market.bars.assign(open=market.bars["open"].fillna(1.0))},
        lambda market: {"series": market.series.assign(known_at=market.series["known_at"] + pd.Timedelta("1us"))},
        lambda market: {"series": market.series.assign(series="DGS5")},
        lambda market: {"funding_events": market.funding_events.assign(counts=True)},
        lambda market: {"funding_events": market.funding_events.assign(note="")},
        lambda market: {
            "instruments": {s: e.model_copy(update={"quantum": 1.0}) for s, e in market.instruments.items()}
        },
    ],
)
def test_any_change_of_content_changes_the_identity(market: Snapshot, change: Callable[[Snapshot], dict]) -> None:
    assert replace(market, **change(market)).content_hash != market.content_hash


def test_text_cannot_move_between_cells_unseen() -> None:
    def hashed(*names: str) -> str:
        return content_hash({"t": pd.DataFrame({"name": pd.Series(names, dtype="str")})})

    assert hashed("a", 'b", "c') != hashed('a", "b', "c")
    assert hashed("a\x1f", "b") != hashed("a", "\x1fb")


def test_other_file_bytes_of_the_same_content_are_refused_by_file_and_accepted_by_content(market: Snapshot) -> None:
    folder = save(market)
    before = (folder / "bars.parquet").read_bytes()
    rewrite(folder / "bars.parquet", "gzip")
    assert (folder / "bars.parquet").read_bytes() != before

    with pytest.raises(InputError, match=r"snapshot market was changed: bars\.parquet has hash \w{12}, its manifest"):
        load("market")
    correct_file_hashes(folder)
    assert load("market").content_hash == market.content_hash


def test_changed_content_is_refused_though_the_file_hashes_fit(market: Snapshot) -> None:
    folder = save(market)
    path = folder / "bars.parquet"
    bars = pq.read_table(path).to_pandas()
    bars.loc[0, "close"] *= 2
    BARS.conform(bars).to_parquet(path)
    correct_file_hashes(folder)

    with pytest.raises(InputError, match="snapshot market was changed: its content has hash"):
        load("market")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda manifest: manifest | {"simulated": True}, "its content has hash"),
        (
            lambda manifest: manifest | {"files": {**manifest["files"], "more.parquet": "0" * 64}},
            "more.parquet is gone",
        ),
        (
            lambda manifest: manifest | {"format": 9},
            "has format 9, wanted 1 or 2: a newer version of reverse-qe made it",
        ),
        (lambda manifest: manifest | {"format": "1"}, "is no manifest: format Input should be 1 or 2"),
        (lambda manifest: {"name": "market"}, "is no manifest: format Field required"),
        (lambda manifest: [], "is no manifest:"),
    ],
)
def test_a_changed_manifest_is_refused(market: Snapshot, change: Callable[[dict], object], reason: str) -> None:
    path = save(market) / "manifest.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))

    with pytest.raises(InputError, match=reason):
        load("market")


def test_a_cut_off_manifest_and_a_lost_file_are_refused(market: Snapshot) -> None:
    folder = save(market)
    (folder / "series.parquet").unlink()
    with pytest.raises(InputError, match=r"series\.parquet is gone"):
        load("market")

    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text()[:40])
    with pytest.raises(InputError, match=r"manifest\.json is no manifest"):
        load("market")


def test_there_is_no_such_snapshot(market: Snapshot) -> None:
    save(market)

    with pytest.raises(InputError, match="no market histroy; there are: sample, market"):
        load("histroy")


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "../up", "a b", "a:b", "a@1"])
def test_a_name_that_is_no_plain_name_is_refused(market: Snapshot, name: str) -> None:
    for ask in (lambda: save(replace(market, name=name)), lambda: load(name), lambda: new_folder(name)):
        with pytest.raises(InputError, match="as a snapshot's name, wanted letters"):
            ask()


def test_a_name_that_is_taken_is_refused_and_nothing_changes(market: Snapshot) -> None:
    save(market)
    before = {path.name: path.read_bytes() for path in (snapshots_dir() / "market").iterdir()}

    with pytest.raises(InputError, match="snapshot market exists already"):
        save(replace(market, simulated=True))
    with pytest.raises(InputError, match="got the name sample, which is built in"):
        save(replace(market, name="sample"))
    assert {path.name: path.read_bytes() for path in (snapshots_dir() / "market").iterdir()} == before
    assert snapshot_names() == ["market"]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, OSError("disk full")])
def test_a_write_that_breaks_off_leaves_nothing(
    market: Snapshot, monkeypatch: pytest.MonkeyPatch, interruption: BaseException
) -> None:
    def break_off(*_: object) -> None:
        raise interruption

    monkeypatch.setattr(Path, "rename", break_off)
    with pytest.raises((KeyboardInterrupt, InputError)):
        save(market)

    assert list(snapshots_dir().iterdir()) == []


def test_what_a_killed_import_left_is_not_listed(market: Snapshot) -> None:
    folder = save(market)
    folder.rename(folder.with_name(".market.0123abcd.tmp"))

    assert snapshot_names() == []


def test_a_home_that_cannot_be_written_is_refused(
    market: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "snapshots").write_text("")
    monkeypatch.setenv("REVERSE_QE_HOME", str(tmp_path))

    with pytest.raises(InputError, match=r"cannot write the snapshot to .*/snapshots/market.*check REVERSE_QE_HOME"):
        save(market)


def test_two_rows_of_one_key_are_refused(market: Snapshot) -> None:
    doubled = pd.concat([market.bars, market.bars.iloc[[0]]])

    with pytest.raises(InputError, match="bars: got two rows of symbol BTC-USD, date 2024-01-02 00:00:00, wanted one"):
        replace(market, bars=doubled)


def test_a_table_is_put_in_order_and_blanks_are_blank(market: Snapshot) -> None:
    shuffled = market.funding_events[list(reversed(FUNDING.columns))].assign(note=None)

    conformed = FUNDING.conform(shuffled)

    assert list(conformed.columns) == [*FUNDING.columns, *FUNDING.later]
    assert conformed.loc[0, "note"] == ""
    with pytest.raises(ValueError, match="counts: a flag is true or false, never blank"):
        FUNDING.conform(shuffled.assign(counts=None))
    with pytest.raises(KeyError, match="kind"):
        FUNDING.conform(shuffled.drop(columns="kind"))


@pytest.mark.parametrize("name", ["x" * 5000, "a\x00b", "a\nError: b", "", "..", "bars.parquet/x", "\ud800"])
def test_a_manifest_that_names_a_file_that_none_can_be_is_refused_in_one_line(market: Snapshot, name: str) -> None:
    path = save(market) / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"][name] = "0\n" * 32
    path.write_text(json.dumps(manifest))
    with pytest.raises(InputError) as refused:
        load(market.name)
    assert "\n" not in str(refused.value)
    assert "is gone" in str(refused.value) or "is no manifest" in str(refused.value)


def test_what_is_kept_says_the_newest_format(market: Snapshot) -> None:
    manifest = json.loads((save(market) / "manifest.json").read_text())
    assert (manifest["format"], FORMAT) == (2, 2)
    assert read_manifest(market.name).format == 2


def test_what_was_changed_is_told_by_the_first_twelve_digits(market: Snapshot) -> None:
    folder = save(market)
    (folder / "bars.parquet").write_bytes(b"other bytes")
    got, wanted = hashlib.sha256(b"other bytes").hexdigest(), read_manifest(market.name).files["bars.parquet"]
    with pytest.raises(InputError, match=f"bars.parquet has hash {got[:12]}, its manifest says {wanted[:12]}; import"):
        load(market.name)
    (folder / "bars.parquet").unlink()
    with pytest.raises(InputError, match=f"bars.parquet is gone, its manifest says {wanted[:12]}; import"):
        load(market.name)


def test_content_that_is_not_the_manifest_s_is_told_by_the_first_twelve_digits(market: Snapshot) -> None:
    folder = save(market)
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"content_hash": "0" * 64}))
    told = f"its content has hash {market.content_hash[:12]}, its manifest says {'0' * 12};"
    with pytest.raises(InputError, match=told):
        load(market.name)
