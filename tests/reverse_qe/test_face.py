"""The face that Python sees: words, types, results that show themselves, and nothing heavy before it is used."""

import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pytest

import reverse_qe
from backtests.archive.folder import write_run
from backtests.spec.spec import Spec, load_spec
from data.errors import InputError
from data.files.plain_text import spreadsheet_frame
from data.market.snapshot import Snapshot
from reverse_qe.results import BacktestResult, SignalReading
from signals.explain.history import signal_history

ROOT = Path(__file__).resolve().parents[2]
SHORT = {"run.start": "2026-01-02", "run.end": "2026-03-31"}
HEAVY = {
    "numpy",
    "pandas",
    "pydantic",
    "rich",
    "backtrader",
    "quantstats",
    "yfinance",
    "matplotlib",
    "pyarrow",
    "requests",
}


@pytest.fixture(scope="module")
def result(sample: Snapshot) -> BacktestResult:
    return reverse_qe.backtest(market=sample, set=SHORT)


@pytest.fixture(scope="module")
def reading(sample: Snapshot) -> SignalReading:
    return reverse_qe.signal(market=sample, day="2025-06-02")


def python(code: str, cwd: Path) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=cwd, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def mypy(path: Path) -> str:
    """What mypy says of a user's file, in a folder that knows nothing of ours."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context"]
    return subprocess.run([*command, path.name], capture_output=True, text=True, cwd=path.parent, check=False).stdout


# Words


def test_the_words_are_offered_each_by_one_name(tmp_path: Path) -> None:
    assert {"backtest", "signal", "events", "fetch", "import_files", "open_market", "load_spec", "Spec"} < set(
        reverse_qe.__all__
    )
    assert set(dir(reverse_qe)) == {*reverse_qe.__all__, "__version__"}
    for name in reverse_qe.__all__:
        assert getattr(reverse_qe, name).__name__ == name
    assert reverse_qe.Spec is Spec
    assert reverse_qe.__version__ == importlib.metadata.version("reverse-qe")
    assert python("from reverse_qe import *; print(backtest.__name__)", tmp_path) == "backtest\n"


def test_what_is_not_offered_is_told(tmp_path: Path) -> None:
    with pytest.raises(AttributeError, match="no attribute 'nosuch'; it offers ReverseQeError, Spec, audit, backtest"):
        getattr(reverse_qe, "nosuch")  # noqa: B009


@pytest.mark.parametrize(
    "code",
    [
        "import reverse_qe; dir(reverse_qe)",
        "import reverse_qe.cli",
        "import sys; sys.argv = ['reverse-qe', '--help']\nfrom reverse_qe.cli import main\n"
        "try: main()\nexcept SystemExit: pass",
    ],
    ids=["import", "command line", "help"],
)
def test_the_import_is_light(code: str, tmp_path: Path) -> None:
    loaded = json.loads(
        python(f"{code}\nimport json, sys; print(json.dumps(sorted(sys.modules)))", tmp_path).splitlines()[-1]
    )
    assert {name.partition(".")[0] for name in loaded} & HEAVY == set()


def test_every_package_of_the_wheel_is_typed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for package in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        assert (ROOT / package / "py.typed").read_bytes() == b""


# Specs, markets, and what is written


def test_every_form_of_a_spec_and_of_a_market_runs_the_same(sample: Snapshot, result: BacktestResult) -> None:
    values = tomllib.loads(load_spec("sample").to_toml())
    for spec in (None, "sample", values, load_spec("sample")):
        again = reverse_qe.backtest(spec, sample, start="2026-01-02", end="2026-03-31")
        assert again.run.run_id == result.run.run_id
    assert reverse_qe.backtest(market="sample", set=SHORT).run.run_id == result.run.run_id


def test_nothing_is_written_unless_a_folder_is_named(
    sample: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert reverse_qe.backtest(market=sample, set=SHORT, count=False).folder is None
    reverse_qe.signal(market=sample)
    reverse_qe.events(sample)
    assert list(tmp_path.iterdir()) == []
    written = reverse_qe.backtest(market=sample, set=SHORT, out="mine", tearsheet=False)
    assert written.folder == Path("mine")
    assert (tmp_path / "mine" / "manifest.json").is_file()


def test_the_tables_are_those_of_the_files(result: BacktestResult, tmp_path: Path) -> None:
    folder = write_run(result.run, tmp_path / "run")
    for path in folder.glob("*.csv"):
        table = getattr(result, path.stem)
        by_session = table.index.name == "session"
        assert spreadsheet_frame(table).to_csv(date_format="%Y-%m-%d", index=by_session) == path.read_text(
            encoding="utf-8"
        )
    assert len(list(folder.glob("*.csv"))) == 10
    assert result.metrics == json.loads((folder / "metrics.json").read_text(encoding="utf-8"))


def test_the_history_of_a_signal_is_by_the_moment_of_its_decision(reading: SignalReading) -> None:
    history, wanted = reading.history, signal_history(reading.signal, reading.switches)
    assert history.index.name == "decided_at"
    assert list(history.index.strftime("%Y-%m-%dT%H:%M:%SZ")) == list(wanted["decided_at"])
    pd.testing.assert_frame_equal(history.set_index("session"), wanted.drop(columns="decided_at"), check_freq=False)
    assert (history["session"].iloc[-1], history["regime"].iloc[-1]) == (pd.Timestamp("2025-06-02"), reading.regime)
    assert history["score"].iloc[-1] == reading.score


def test_events_are_chosen_as_by_the_command(sample: Snapshot) -> None:
    chosen = reverse_qe.events(sample, companies=["MSFT"], kinds=["result"], first="2025-01-01", last="2025-12-31")
    assert set(chosen["company"]) == {"MSFT"}
    assert (len(chosen), set(chosen["known_at"].dt.year)) == (8, {2025})


def test_files_are_imported_and_backtested(sample: Snapshot, tmp_path: Path) -> None:
    prices, macro = tmp_path / "prices", tmp_path / "macro"
    prices.mkdir()
    macro.mkdir()
    for symbol, source in {"MU": "SIM-MEMORY-A", "CRM": "SIM-SAAS-A", "SPY": "SIM-MARKET"}.items():
        sample.bars_of(source).drop(columns="symbol").to_csv(prices / f"{symbol}.csv", index=False)
    for name, rows in sample.series.groupby("series"):
        rows[["date", "value"]].to_csv(macro / f"{name}.csv", index=False)
    imported = reverse_qe.import_files("mine", prices, macro=macro)
    assert imported.folder.is_dir()
    universe = {"speculative": ["CRM"], "cash_flow": ["MU"], "benchmark": "SPY"}
    spec = {"run": {"name": "mine", "start": "2026-01-02"}, "universe": universe}
    kept = reverse_qe.open_market("mine")
    assert kept.content_hash == imported.snapshot.content_hash
    assert len(reverse_qe.backtest(spec, kept, end="2026-02-27").equity) == 39


# What results show


def test_a_result_prints_as_five_lines(result: BacktestResult, reading: SignalReading) -> None:
    for each in (result, reading):
        lines = repr(each).splitlines()
        assert len(lines) == 5
        assert "SIMULATED market sample" in lines[0]
        assert max(map(len, lines)) < 400
    assert "100,000" not in repr(result)
    assert f"{result.equity['equity'].iloc[-1]:,.0f} USD" in repr(result)


def test_a_result_shows_itself_in_a_notebook(result: BacktestResult) -> None:
    page = result._repr_html_()
    assert "sample on SIMULATED market sample, 2026-01-02 to 2026-03-31" in page
    assert page.count("<svg ") == page.count("</svg>") == 1
    assert "<script" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    (points,) = re.findall(r'stroke="#1f6fa5"[^>]*points="([^"]*)"', page)
    places = [tuple(map(float, point.split(","))) for point in points.split()]
    assert len(places) == len(result.equity)
    # The highest point of the line is the day of the highest equity.
    ys = pd.Series([y for _, y in places], index=result.equity.index)
    assert ys.idxmin() == result.equity["equity"].idxmax()


def test_what_is_shown_is_escaped(sample: Snapshot) -> None:
    from dataclasses import replace

    odd = replace(sample, name="<img src=x onerror=alert(1)>\x1b[31m\n")
    values = {"universe.hindsight": "<script>alert(1)</script>", **SHORT}
    for page in (
        reverse_qe.backtest("sample", odd, set=values)._repr_html_(),
        reverse_qe.signal("sample", odd, set=values)._repr_html_(),
    ):
        assert "<img" not in page
        assert "<script" not in page
        assert "&lt;img src=x" in page
        assert "\x1b" not in page
    assert "\x1b" not in repr(reverse_qe.backtest("sample", odd, set=values))
    assert len(repr(reverse_qe.signal("sample", odd, set=values)).splitlines()) == 5


# What is refused


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        (lambda: reverse_qe.backtest(5), "got 5 as a spec, wanted a path, the name of a shipped spec, a mapping"),  # type: ignore[arg-type]
        (lambda: reverse_qe.backtest(market=5), "got 5 as the market, wanted its name or a Snapshot"),  # type: ignore[arg-type]
        (lambda: reverse_qe.backtest(set=["run.start=2024-01-02"]), "to set, wanted a mapping of values by key"),  # type: ignore[arg-type]
        (lambda: reverse_qe.backtest(set={"policy.nosuch": 1}), "unknown key policy.nosuch"),
        (lambda: reverse_qe.backtest(set={"nosuch": 1}), "unknown key nosuch"),
        (lambda: reverse_qe.backtest({"run": {"name": "x"}}), "the spec that was given: the key run.start is missing"),
        (
            lambda: reverse_qe.Spec(a=1),
            "the spec: the key run is missing, add it; the key universe is missing, add it; un",
        ),
        (lambda: reverse_qe.Spec(run={"name": "x"}, polcy={}), "unknown key polcy, the nearest is policy"),
        (lambda: reverse_qe.backtest(start="yesterday"), "run.start: got 'yesterday'"),
        (lambda: reverse_qe.backtest(start="1999-06-01"), "mend run.start or run.end"),
        (lambda: reverse_qe.backtest(out="."), "got out ., which exists"),
        (lambda: reverse_qe.backtest(market="nosuch"), "no market nosuch"),
        (lambda: reverse_qe.signal(day="1999-06-01"), "got the day 1999-06-01"),
        (lambda: reverse_qe.signal(day="June"), "got 'June' for day, wanted a date"),
        (lambda: reverse_qe.events(first=5), "got 5 for first, wanted a date"),  # type: ignore[arg-type]
        (lambda: reverse_qe.events(companies=["NOBODY"]), "NOBODY"),
        (lambda: reverse_qe.import_files("sample", "nowhere"), "got the name sample, which is built in"),
        (lambda: reverse_qe.import_files("mine", "nowhere"), "nowhere"),
        (lambda: reverse_qe.fetch(symbols=["NOBODY"]), "NOBODY"),
        (lambda: reverse_qe.backtest(out=5), "got 5 for out, wanted the path of a file or folder"),  # type: ignore[arg-type]
        (lambda: reverse_qe.backtest(out=""), "got out '', wanted the name of a file or folder"),
        (lambda: reverse_qe.backtest(out="x" * 250), "got out of a name of 250 bytes, wanted at most 241"),
        (lambda: reverse_qe.open_market(None), "got None as the market"),  # type: ignore[arg-type]
        (lambda: reverse_qe.events(companies=5), "got 5 for companies, wanted a list of names"),  # type: ignore[arg-type]
        (lambda: reverse_qe.events(companies="MSFT"), "got 'MSFT' for companies, wanted a list of names"),
        (lambda: reverse_qe.fetch(5), "got 5 for name, wanted the name of a market"),  # type: ignore[arg-type]
        (lambda: reverse_qe.fetch(symbols="SPY"), "got 'SPY' for symbols, wanted a list of names"),
        (
            lambda: reverse_qe.fetch(sources=cast("Any", ["bloomberg"])),
            "got the source bloomberg, wanted some of: yahoo, fred, edgar",
        ),
        (lambda: reverse_qe.import_files(5, "nowhere"), "got 5 for name, wanted the name of a market"),  # type: ignore[arg-type]
        (lambda: reverse_qe.import_files("mine", 5), "got 5 for prices, wanted the path"),  # type: ignore[arg-type]
        (lambda: reverse_qe.import_files("mine", []), "got no folder for prices, wanted one at least"),
        (lambda: reverse_qe.import_files("mine", "nowhere", events=5), "got 5 for events, wanted the path"),  # type: ignore[arg-type]
    ],
)
def test_errors_speak_of_arguments_in_one_line(call, wanted):
    with pytest.raises(InputError) as refusal:
        call()
    assert wanted in str(refusal.value)
    # A remedy may be a whole command; no argument is called by an option's name.
    assert "--" not in re.sub(r"reverse-qe data fetch --name \w+", "", str(refusal.value))
    assert "\n" not in str(refusal.value)


# Types


def page_script() -> str:
    (script,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len([line for line in script.splitlines() if line.strip()]) <= 11
    return str(script)


@pytest.mark.slow
def test_the_script_of_the_page_runs(tmp_path: Path) -> None:
    printed = python(page_script(), tmp_path).splitlines()
    assert printed[0].startswith("plain ")
    assert "files in capped" in printed[-1]
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "home") == ["capped"]


REVEALED = {
    "reverse_qe.backtest": "BacktestResult",
    "reverse_qe.signal": "SignalReading",
    "reverse_qe.open_market": "Snapshot",
    "reverse_qe.load_spec": "Spec",
    "reverse_qe.fetch": "FetchOutcome",
    "reverse_qe.import_files": "ImportedFiles",
    "reverse_qe.events": "DataFrame",
    "reverse_qe.__version__": "str",
    "plain.equity": "DataFrame",
    "plain.folder": "Path | None",
    "today.history": "DataFrame",
    "today.regime": "str",
    "market": "Snapshot",
    "wary": "Spec",
}


@pytest.mark.slow
def test_mypy_takes_the_script_and_knows_the_types(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(page_script() + "".join(f"reveal_type({each})\n" for each in REVEALED))
    said = mypy(path).splitlines()
    assert all("Revealed type is" in line for line in said), said
    for line, (each, kind) in zip(said, REVEALED.items(), strict=True):
        assert re.search(rf"\b{re.escape(kind)}\"$", line), (each, line)
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "import reverse_qe\nreverse_qe.nosuch\nreverse_qe.backtest(market=5)\nreverse_qe.backtest(settings=())\n"
        "reverse_qe.signal().nosuch\n"
    )
    assert [line.rpartition("[")[2] for line in mypy(wrong).splitlines() if ": error: " in line] == [
        "attr-defined]",
        "arg-type]",
        "call-arg]",
        "attr-defined]",
    ]
