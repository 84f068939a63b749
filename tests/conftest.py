import importlib.util
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

from data.catalogue.instruments import AssetClass, Instrument
from data.market.snapshot import Snapshot
from data.market.tables import BARS, CAPEX, FUNDING, GUIDANCE, SERIES

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's snapshots."""
    monkeypatch.setenv("REVERSE_QE_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real history beside the checkout."""
    if not (SHARED / "market").is_dir():
        pytest.skip(f"real history is not there: no folder {SHARED}")
    return SHARED


def instrument(asset_class: AssetClass = "us_stock", listed: str = "2000-01-03", quantum: float = 1e-9) -> Instrument:
    return Instrument(
        name="Made for a test",
        currency="USD",
        calendar="24/7" if asset_class == "crypto" else "XNYS",
        asset_class=asset_class,
        listed=pd.Timestamp(listed).date(),
        quantum=quantum,
    )


@pytest.fixture(scope="session")
def make_instrument() -> Callable[..., Instrument]:
    return instrument


@pytest.fixture(scope="session")
def make_snapshot() -> Callable[..., Snapshot]:
    """A snapshot of hand-made bars: {symbol: [(date, open, close), ...]}; None is a blank open."""

    def make(
        bars: Mapping[str, Sequence[tuple[str, float | None, float]]],
        instruments: Mapping[str, Instrument] | None = None,
        name: str = "hand-made",
    ) -> Snapshot:
        rows = [
            {
                "symbol": symbol,
                "date": pd.Timestamp(date),
                "open": open_,
                "high": max(open_ or close, close),
                "low": min(open_ or close, close),
                "close": close,
                "adj_close": close,
                "volume": 1e6,
            }
            for symbol, lines in bars.items()
            for date, open_, close in lines
        ]
        return Snapshot(
            name=name,
            simulated=False,
            instruments={symbol: instrument() for symbol in bars} | dict(instruments or {}),
            bars=BARS.conform(pd.DataFrame(rows)),
            series=SERIES.empty(),
            capex_actuals=CAPEX.empty(),
            capex_guidance=GUIDANCE.empty(),
            funding_events=FUNDING.empty(),
        )

    return make


@pytest.fixture(scope="session")
def sample() -> Snapshot:
    """The built-in simulated market."""
    from data.markets import open_market

    return open_market("sample")


@pytest.fixture(scope="session")
def history(shared: Path) -> Snapshot:
    """Real history, imported from the folder beside the checkout."""
    from data.importing.folders import import_snapshot

    market = shared / "market"
    snapshot, _ = import_snapshot(market / "prices", market / "macro", shared / "capex", "history")
    return snapshot


def _beside(name: str) -> ModuleType:
    """Load a module of `tests/support`."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / "support" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def futures() -> ModuleType:
    """The module that cuts, garbles and delays the future."""
    return _beside("futures")


@pytest.fixture(scope="session")
def loopback() -> ModuleType:
    """The module of the HTTP server with scripted answers: `loopback.Answer`, `loopback.HTML_PAGE`."""
    return _beside("loopback")


@pytest.fixture
def server(loopback: ModuleType) -> Iterator[Any]:
    """A running `loopback.LoopbackServer`, with `server.answers`, `server.url` and `server.asked`."""
    with loopback.running() as running:
        yield running


@pytest.fixture(scope="session")
def alpaca_double() -> ModuleType:
    """The module of a server that behaves as Alpaca's paper trading API: `alpaca_double.running`, ..."""
    return _beside("alpaca_double")


@pytest.fixture(scope="session")
def fetch_world() -> ModuleType:
    """The module of sources in memory: `fetch_world.World`, `fetch_world.made_bars`, ..."""
    return _beside("fetch_world")


@dataclass(frozen=True)
class Outcome:
    """What a command printed, and its exit status."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def run_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run `reverse-qe` with the words given."""
    from reverse_qe.cli import main

    def run(*words: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["reverse-qe", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        printed = capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    return run


@pytest.fixture
def data_command(run_command: Callable[..., Outcome]) -> Callable[..., Outcome]:
    """Run `reverse-qe data` with the words given."""
    return partial(run_command, "data")


@pytest.fixture
def call(
    run_command: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., tuple[int, str, str]]:
    """Run the command line in an empty folder: exit status, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: astuple(run_command(*words))
