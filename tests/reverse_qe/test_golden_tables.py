"""Every table that a command prints, at 80, 120 and 200 columns and in a pipe, as the files in `tests/golden` hold it.

`make goldens` writes them anew; read what changed.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import fetch_world
from backtests.archive.folder import write_run
from backtests.identity import ROOT
from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from data.catalogue.filed import filed_entry
from data.market.snapshot import Snapshot, save
from data.market.tables import SERIES
from data.markets import open_market
from golden_tables import Shown, call_sites, faults, golden_text, sites_held, tables_kept
from index_market import planted_market
from outcomes import Outcome
from paper import market
from paper.explain.causes import Cause
from paper.storage import database
from planted_causes import PlantedWorld

GOLDEN = ROOT / "tests" / "golden"
Run = Callable[..., Outcome]


@pytest.fixture
def told(run_command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs commands in an empty folder, each of which must end well."""
    monkeypatch.chdir(tmp_path)

    def run(line: str, code: int = 0) -> Outcome:
        outcome = run_command(*line.split())
        assert outcome.code == code, f"{line}: {outcome.err}"
        for each in outcome.out.splitlines():
            assert each == each.rstrip(), f"{line}: a blank at the end of {each!r}"
        return outcome

    return run


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlantedWorld]:
    """An account that missed steps, and a dividend of which was not paid."""
    monkeypatch.setattr(database, "SYNCHRONOUS", "OFF")
    market._SNAPSHOTS.clear()
    market._MARKETS.clear()
    yield PlantedWorld(tmp_path / "account", [Cause.STEPS, Cause.DIVIDENDS], sessions=9).run()
    market._SNAPSHOTS.clear()
    market._MARKETS.clear()


def hold(name: str, tables: list[Shown]) -> None:
    """The tables are those of a golden file, and nothing in them is broken at any width."""
    assert [fault for shown in tables for fault in faults(shown)] == []
    path, text = GOLDEN / f"{name}.txt", golden_text(tables)
    if os.environ.get("WRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, "read what changed; where it is meant: make goldens"


def test_markets_and_events(told: Run, tmp_path: Path) -> None:
    with tables_kept(tmp_path) as tables:
        told("data list")
        told("data show sample")
        told("data asof 2026-07-30 --market sample --later")
        told("events list --from 2026-08-01")
        told("events list --due --to 2026-05-10")
        told("events validate")
        told(
            "events add result company=META fiscal_period=2026Q3 announced_at=2026-10-28 session=16:05 "
            "capex_usd_bn=38.5 ocf_usd_bn=36.25 source=8-K confidence=high --dry-run"
        )
    hold("markets", tables)


@pytest.mark.slow
def test_results_that_differ(told: Run, tmp_path: Path, sample: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    others = sample.capex_actuals.copy()
    others.loc[others.index[:3], "capex_usd_bn"] += 0.25
    monkeypatch.setattr("data.markets.results_of", lambda _name: others)
    with tables_kept(tmp_path) as tables:
        told("events validate --market sample --against other")
    hold("differing", tables[1:2])


@pytest.mark.slow
def test_exposures(told: Run, tmp_path: Path) -> None:
    market = open_market("sample")
    symbol = load_spec("sample").universe.cash_flow[0]
    year = {"shares": (4.0, 4.0), "book": (80.0, 100.0), "earnings": (25.0, 30.0), "sales": (100.0, 150.0)}
    rows = [
        (f"{symbol}.{figure}", pd.Timestamp(day), value, pd.Timestamp("2024-02-22 21:05", tz="UTC"))
        for figure, values in year.items()
        for day, value in zip(("2022-12-31", "2023-12-31"), values, strict=True)
    ]
    series = pd.DataFrame(rows, columns=["series", "date", "value", "known_at"])
    entries = {f"{symbol}.{figure}": filed_entry(symbol, figure) for figure in year}
    save(replace(market, name="filed", series=SERIES.conform(pd.concat([market.series, series])),
                 series_entries={**market.series_entries, **entries}))  # fmt: skip
    with tables_kept(tmp_path) as tables:
        told("data exposures sample --market filed --date 2024-06-03")
    hold("exposures", tables)


@pytest.mark.slow
def test_fetched_markets(told: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bars = {"MU": fetch_world.made_bars("MU", "2020-10-01", "2021-03-31")}
    world = fetch_world.World(bars, series={"DGS10": fetch_world.made_series({"2021-02-01": 1.0, "2021-02-02": 1.1})})
    monkeypatch.setattr("data.fetch.collect.public_sources", lambda _settings: world.sources())
    with tables_kept(tmp_path) as tables:
        asked = "--source yahoo --source fred --symbols MU --series DGS10 --start 2020-10-01"
        told(f"data fetch --name live {asked}")
        world.bars["MU"] = fetch_world.made_bars("MU", "2020-10-01", "2021-03-31").assign(volume=7.0)
        world.series["DGS10"] = fetch_world.made_series({"2021-02-01": 1.0, "2021-02-02": 1.25})
        told("data fetch --name live --source yahoo --source fred")
        told("data list")
        told("data diff live.1 live.2")
    hold("fetched", tables)


@pytest.mark.slow
def test_runs_and_studies(told: Run, tmp_path: Path) -> None:
    with tables_kept(tmp_path) as tables:
        told("backtest --start 2024-01-02 --no-tearsheet --label base --stress")
        told("backtest --start 2024-01-02 --no-tearsheet --label keen --set signal.enter=0.3")
        told("runs list")
        told("runs show base")
        told("runs compare base keen")
        told("sweep sample --grid signal.enter=0.3,0.4 --set run.start=2025-01-02 --jobs 1 --out sweep")
        told("runs trials")
        told("signal --turn --judge --date 2026-10-09")
        told("evidence base")
        told("evidence base --universe --draws 39")
        told("events study --market sample")
        told("audit sample --cuts 1 --leaks-only --jobs 1 --set run.start=2025-01-02")
    hold("runs", tables)


@pytest.mark.slow
def test_baskets_by_rule(told: Run, tmp_path: Path, sample: Snapshot) -> None:
    universe = {"reserve": ["SIM-BILL"], "benchmark": "SIM-MARKET", "rule": {"by": "duration"}}
    spec = load_spec({"run": {"name": "by-rule", "start": "2018-05-01", "end": "2018-07-31"}, "universe": universe})
    write_run(run_backtest(spec, planted_market(sample, noise=0.03)), tmp_path / "by-rule")
    with tables_kept(tmp_path) as tables:
        told("runs show by-rule")
    hold("by-rule", tables)


@pytest.mark.slow
def test_paper_accounts(told: Run, tmp_path: Path, account: PlantedWorld) -> None:
    with tables_kept(tmp_path) as tables:
        told("paper init --market sample")
        told("paper step --date 2026-08-27")
        told("paper step --date 2026-08-28")
        told("paper status")
        lines = f'market = "planted"\nspec = "{account.config.spec}"\n[state]\npath = "{account.config.state_folder}"\n'
        Path("planted.toml").write_text(lines, encoding="utf-8")
        told("paper explain --config planted.toml")
    hold("paper", tables)


def test_no_table_is_left_out() -> None:
    """The golden files say which calls printed what they hold; `hold` compares that, too."""
    held = set().union(*(sites_held(path.read_text(encoding="utf-8")) for path in GOLDEN.glob("*.txt")))
    assert len(held) > 20
    assert set(call_sites()) - held == set(), "no test of this module prints these tables"
    assert held - set(call_sites()) == set(), "make goldens"
