"""Whatever a file or a source tells: it is read, or refused in one line. Nothing else is raised."""

import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hostile
import loopback
from backtests.spec.spec import load_spec
from data.catalogue.companies import Company
from data.errors import InputError, ReverseQeError
from data.events.validation import validate_events
from data.importing.action_file import read_actions
from data.importing.csv_files import read_prices, read_series
from data.importing.folders import import_snapshot
from data.market.snapshot import load, read_manifest, save
from data.net.errors import SourceError
from data.net.settings import SourceSettings
from data.quality.report import quality_report
from data.sources import edgar, edgar_asking, fred, yahoo, yahoo_session
from data.sources.edgar import fetch_company
from data.sources.fred import fetch_series
from data.sources.yahoo import fetch_prices
from hand_made import make_snapshot
from hostile import cells_exchanged, damaged, exchanged, fuzzed
from paper.config import read_config
from paper.template import write_config
from signals.source import read_source

DAYS = pd.bdate_range("2024-02-01", periods=12).strftime("%Y-%m-%d")
PRICES = "date,open,high,low,close,adj_close,volume\n" + "".join(
    f"{day},{10 + place},{11 + place},{9 + place},{10.5 + place},{10.5 + place},{1000 * (place + 1)}\n"
    for place, day in enumerate(DAYS)
)
SERIES = "date,value\n" + "".join(f"{day},{3 + place / 10}\n" for place, day in enumerate(DAYS))
ACTIONS = (
    "symbol,date,kind,value,known_on,source\nMU,2024-02-05,dividend,0.25,2024-02-02,release\n"
    "MU,2024-02-08,split,2,2024-02-03,release\nCRM,2024-02-12,delisting,12,2024-02-09,filing\n"
)
SOURCE = "known_at,regime\n" + "".join(
    f"{day}T00:00:00+00:00,{('SCARCE', 'NEUTRAL', 'ABUNDANT')[place % 3]}\n" for place, day in enumerate(DAYS)
)
SPEC = load_spec("sample").to_toml()
VALUES = load_spec("sample").model_dump(mode="json", exclude_none=True)
REFERENCE = Path(__file__).resolve().parents[2] / "data" / "events" / "reference"


def one_line(error: ReverseQeError) -> None:
    assert str(error)
    assert "\n" not in str(error)


def refused_or_read(area: str, read: Callable[[], Any], kinds: type[ReverseQeError] = InputError) -> Any:
    """What was read; None where it was refused as it should be."""
    hostile.COUNTS[area] += 1
    try:
        return read()
    except kinds as error:
        one_line(error)
    return None


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


# Files of users


@fuzzed("CSV files of prices", 0.05, 40)
@given(content=cells_exchanged(PRICES) | damaged(PRICES.encode()))
def test_prices(folder, content):
    frame = refused_or_read("CSV files of prices", lambda: read_prices(written(folder, "MU.csv", content)))
    if frame is not None:
        assert frame["date"].is_monotonic_increasing
        assert np.isfinite(frame["close"]).all()
        assert (frame["close"] > 0).all()


@fuzzed("CSV files of series", 0.04, 30)
@given(content=cells_exchanged(SERIES) | damaged(SERIES.encode()))
def test_series(folder, content):
    frame = refused_or_read("CSV files of series", lambda: read_series(written(folder, "DGS10.csv", content)))
    if frame is not None:
        assert frame["date"].is_unique


@fuzzed("CSV files of actions", 0.04, 30)
@given(content=cells_exchanged(ACTIONS) | damaged(ACTIONS.encode()))
def test_actions(folder, content):
    bars = make_snapshot({"MU": [("2024-01-02", 1.0, 1.0)], "CRM": [("2024-01-02", 1.0, 1.0)]}).bars
    refused_or_read("CSV files of actions", lambda: read_actions(written(folder, "actions.csv", content), bars))


@fuzzed("regimes and scores from a file", 0.04, 30)
@given(content=cells_exchanged(SOURCE) | cells_exchanged(SOURCE.replace("regime", "score")) | damaged(SOURCE.encode()))
def test_sources(content):
    frame = refused_or_read("regimes and scores from a file", lambda: read_source(Path("s.csv"), content))
    if frame is not None:
        assert frame["known_at"].is_monotonic_increasing


def few_lines(name: str) -> str:
    return "".join((REFERENCE / f"{name}.csv").read_text(encoding="utf-8").splitlines(keepends=True)[:6])


EVENTS = {
    name: few_lines(name)
    for name in ("capex_actuals", "capex_guidance", "funding_events", "balance_sheet_paces", "event_coverage")
}


@fuzzed("folders of events, prices and series", 0.05, 15)
@given(data=st.data(), name=st.sampled_from([*EVENTS, "prices", "series", "actions"]))
def test_whole_imports(folder, data, name):
    """What an import takes can be checked, told of and kept."""
    texts = {f"events/{each}.csv": text for each, text in EVENTS.items()}
    texts |= {"prices/MU.csv": PRICES, "prices/CRM.csv": PRICES, "macro/DGS10.csv": SERIES, "actions.csv": ACTIONS}
    key = {"prices": "prices/MU.csv", "series": "macro/DGS10.csv", "actions": "actions.csv"}.get(
        name, f"events/{name}.csv"
    )
    whole = texts[key]
    for each, text in texts.items():
        written(folder, each, text.encode())
    written(folder, key, data.draw(cells_exchanged(whole) | damaged(whole.encode())))
    given = (folder / "prices", folder / "macro", folder / "events", "fuzzed", folder / "actions.csv")
    imported = refused_or_read("folders of events, prices and series", lambda: import_snapshot(*given))
    if imported is not None:
        snapshot, quality = imported
        assert isinstance(quality.lines(), list)
        assert len(validate_events(snapshot)) > 3


# Specs and configurations


@fuzzed("specs, by their values", 0.08, 60)
@given(values=exchanged(VALUES, most=3))
def test_specs_by_value(values):
    if isinstance(values, dict):
        spec = refused_or_read("specs, by their values", lambda: load_spec(values))
        if spec is not None:
            assert load_spec(tomllib.loads(spec.to_toml())) == spec


@fuzzed("specs, by what is set", 0.05, 30)
@given(
    pairs=st.dictionaries(
        st.sampled_from(list(map(".".join, ([str(key) for key in place] for place in hostile.places(VALUES) if place))))
        | hostile.texts,
        hostile.values,
        max_size=4,
    )
)
def test_specs_by_setting(pairs):
    refused_or_read("specs, by what is set", lambda: load_spec("sample", pairs))


@fuzzed("specs, by their bytes", 0.06, 40)
@given(content=damaged(SPEC.encode()))
def test_specs_by_byte(folder, content):
    refused_or_read("specs, by their bytes", lambda: load_spec(written(folder, "spec.toml", content)))


@pytest.fixture(scope="module")
def configuration(tmp_path_factory):
    path = tmp_path_factory.mktemp("paper") / "paper.toml"
    write_config(path, "sample", "sample", "simulated")
    return path.read_bytes()


@fuzzed("configurations of accounts", 0.04, 30)
@given(data=st.data())
def test_configurations(folder, configuration, data):
    content = data.draw(damaged(configuration))
    path = written(folder, "paper.toml", content)
    config = refused_or_read("configurations of accounts", lambda: read_config(path))
    if config is not None:
        assert isinstance(config.state_folder, Path)


# Snapshots and answers that were kept


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """The folder of a small snapshot, and its files as they were."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REVERSE_QE_HOME", str(home))
        folder = save(make_snapshot({"MU": [(day, 1.0, 1.0) for day in DAYS]}, name="kept"))
    return folder, {path.name: path.read_bytes() for path in folder.iterdir()}


@fuzzed("manifests of markets", 0.04, 30)
@given(data=st.data())
def test_manifests_of_markets(kept, data):
    folder, files = kept
    whole = files["manifest.json"]
    changed = data.draw(damaged(whole) | exchanged(json.loads(whole)).map(hostile.as_json))
    (folder / "manifest.json").write_bytes(changed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REVERSE_QE_HOME", str(folder.parents[1]))
        refused_or_read("manifests of markets", lambda: (read_manifest("kept"), quality_report(load("kept"))))
    (folder / "manifest.json").write_bytes(whole)


@fuzzed("tables of markets", 0.05, 30)
@given(data=st.data())
def test_tables_of_markets(kept, data):
    """A table of other bytes, and a manifest that says so."""
    import hashlib

    folder, files = kept
    name = data.draw(st.sampled_from(sorted(each for each in files if each.endswith(".parquet"))))
    content = data.draw(damaged(files[name]))
    (folder / name).write_bytes(content)
    manifest = json.loads(files["manifest.json"])
    manifest["files"][name] = hashlib.sha256(content).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REVERSE_QE_HOME", str(folder.parents[1]))
        refused_or_read("tables of markets", lambda: load("kept"))
    for each, whole in files.items():
        (folder / each).write_bytes(whole)


# Answers of sources

ASKING = SourceSettings(attempts=1, pause=0.0, edgar_per_second=1e9, fred_per_second=1e9, yahoo_per_second=1e9)
FRED = "observation_date,DGS10\n" + "".join(f"{day},{3 + place / 10}\n" for place, day in enumerate(DAYS))


@fuzzed("answers of FRED", 0.05, 30)
@given(content=cells_exchanged(FRED) | damaged(FRED.encode()))
def test_answers_of_fred(content):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fred, "get", lambda *_, **__: content)
        first, now = pd.Timestamp(DAYS[0]), pd.Timestamp("2024-03-01", tz="UTC")
        answer = refused_or_read(
            "answers of FRED",
            lambda: fetch_series("DGS10", first, ASKING, now),
            (InputError, SourceError),  # type: ignore[arg-type]
        )
    if answer is not None:
        assert np.isfinite(answer.rows["value"].dropna()).all()


@fuzzed("answers of Yahoo", 0.05, 30)
@given(data=st.data())
def test_answers_of_yahoo(data):
    whole = chart()
    content = data.draw(damaged(hostile.as_json(whole)) | exchanged(whole, most=3).map(hostile.as_json))
    answer = SimpleNamespace(status_code=200, content=content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yahoo, "require_address", lambda *_: None)
        patch.setattr(yahoo_session, "chart_answer", lambda *_: answer)
        first, last = pd.Timestamp(DAYS[0]), pd.Timestamp(DAYS[-1])
        hostile.COUNTS["answers of Yahoo"] += 1
        answers = fetch_prices(["MU"], first, last, ASKING, now=pd.Timestamp("2024-03-01", tz="UTC"))
    if isinstance(answers["MU"], SourceError):
        one_line(answers["MU"])


def chart() -> dict[str, Any]:
    days = [(day, 10.0, 11.0, 9.0, 10.5, 10.5, 1000) for day in DAYS]
    return loopback.yahoo_chart("MU", days)


def companies() -> Iterator[tuple[str, Any]]:
    tags = ("PaymentsToAcquirePropertyPlantAndEquipment", "NetCashProvidedByUsedInOperatingActivities")
    quarters = [
        ("2023-01-01", f"2023-{month}", f"2023-{filed}")
        for month, filed in (("03-31", "05-02"), ("06-30", "08-02"), ("09-30", "11-02"))
    ]
    for factor, tag in enumerate(tags, start=1):
        facts = [
            {"start": start, "end": end, "val": factor * place * 10**9, "accn": f"0000000042-23-{place:06}", "fy": 2023}
            | {"fp": f"Q{place}", "form": "10-Q", "filed": filed, "frame": f"CY2023Q{place}"}
            for place, (start, end, filed) in enumerate(quarters, start=1)
        ]
        yield f"us-gaap/{tag}.json", {"cik": 42, "taxonomy": "us-gaap", "tag": tag, "units": {"USD": facts}}
    recent = {
        "accessionNumber": ["0000000042-23-000011"],
        "filingDate": ["2023-05-01"],
        "acceptanceDateTime": ["2023-05-01T20:05:00.000Z"],
        "form": ["8-K"],
        "items": ["2.02,9.01"],
        "reportDate": ["2023-05-01"],
        "primaryDocument": ["a.htm"],
    }
    yield "submissions", {"cik": "0000000042", "name": "FICT", "filings": {"recent": recent, "files": []}}


FICT = Company(
    name="Fictitious",
    cik=42,
    fiscal_year_end_month=12,
    capex_tags=("PaymentsToAcquirePropertyPlantAndEquipment",),
    ocf_tags=("NetCashProvidedByUsedInOperatingActivities",),
)
DOCUMENTS = dict(companies())


@fuzzed("answers of the SEC", 0.06, 30)
@given(data=st.data(), name=st.sampled_from(sorted(DOCUMENTS)))
def test_answers_of_the_sec(data, name):
    whole = DOCUMENTS[name]
    changed = data.draw(damaged(hostile.as_json(whole)) | exchanged(whole, most=3).map(hostile.as_json))
    bodies = {each: hostile.as_json(document) for each, document in DOCUMENTS.items()} | {name: changed}

    def get(url: str, *_: Any, **__: Any) -> bytes:
        return next((body for each, body in bodies.items() if each in url), b"{}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REVERSE_QE_CONTACT", "Jane Doe jane@example.org")
        patch.setattr(edgar_asking, "get", get)
        patch.setattr(edgar, "company_entry", lambda _: FICT)
        refused_or_read("answers of the SEC", lambda: fetch_company("FICT", ASKING), (InputError, SourceError))  # type: ignore[arg-type]


def test_the_whole_ones_are_read(folder, kept, configuration, monkeypatch):
    """Fuzzing begins at what is right: else it would only show that rubbish is refused."""
    assert len(read_prices(written(folder, "MU.csv", PRICES.encode()))) == len(DAYS)
    assert len(read_series(written(folder, "DGS10.csv", SERIES.encode()))) == len(DAYS)
    assert len(read_source(Path("s.csv"), SOURCE.encode())) == len(DAYS)
    assert read_config(written(folder, "paper.toml", configuration)).market == "sample"
    monkeypatch.setenv("REVERSE_QE_HOME", str(kept[0].parents[1]))
    assert len(load("kept").bars) == len(DAYS)
    monkeypatch.setenv("REVERSE_QE_CONTACT", "Jane Doe jane@example.org")
    monkeypatch.setattr(edgar, "company_entry", lambda _: FICT)
    monkeypatch.setattr(
        edgar_asking,
        "get",
        lambda url, *_, **__: hostile.as_json(next(each for name, each in DOCUMENTS.items() if name in url)),
    )
    assert len(fetch_company("FICT", ASKING).quarters) == 3
    monkeypatch.setattr(fred, "get", lambda *_, **__: FRED.encode())
    now = pd.Timestamp("2024-03-01", tz="UTC")
    assert len(fetch_series("DGS10", pd.Timestamp(DAYS[0]), ASKING, now).rows) == len(DAYS)
    answer = SimpleNamespace(status_code=200, content=hostile.as_json(chart()))
    monkeypatch.setattr(yahoo, "require_address", lambda *_: None)
    monkeypatch.setattr(yahoo_session, "chart_answer", lambda *_: answer)
    answers = fetch_prices(["MU"], pd.Timestamp(DAYS[0]), pd.Timestamp(DAYS[-1]), ASKING, now=now)
    assert not isinstance(answers["MU"], SourceError), answers["MU"]
