"""What earlier versions made opens, and goes on: specs, runs, markets and accounts on paper (`tests/old/README.md`)."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import alpaca_double
from backtests.spec.spec import load_spec
from data.clock import sessions_between, trading_hours
from data.importing.folders import import_snapshot
from data.market.snapshot import Snapshot, load
from data.market.versions import versions_of
from data.markets import open_market
from data.net.settings import SourceSettings
from ledgers_by_hand import by_hand
from paper.brokers.alpaca import broker as alpaca_broker
from paper.brokers.alpaca import requests as alpaca_requests
from paper.config import read_config
from paper.ledger.invariants import broken_invariants
from paper.ledger.reader import LEDGER_FILE, LedgerReader
from paper.step import step
from paper.step.account import reconcile, run_step

OLD = Path(__file__).resolve().parents[1] / "old"
VERSIONS = sorted(path.name for path in OLD.iterdir() if path.is_dir())


# What a version wrote is held to the next one: of the last one that differs from today, the others with the slow tests.
@pytest.fixture(params=[VERSIONS[0], *(pytest.param(each, marks=pytest.mark.slow) for each in VERSIONS[1:])])
def old(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what a version made, with its markets at home."""
    folder = tmp_path / "old"
    shutil.copytree(OLD / request.param, folder)
    monkeypatch.setenv("REVERSE_QE_HOME", str(folder / "home"))
    return folder


@pytest.fixture
def made(old: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[pd.Timestamp], None]:
    """Let the market `made` have grown up to the day before a session."""
    whole = load("made")

    def grow(session: pd.Timestamp) -> None:
        grown = replace(whole, bars=whole.bars[whole.bars["date"] < session])
        monkeypatch.setattr(step, "newest_snapshot", lambda _name: grown)

    return grow


def test_little_is_kept_and_none_of_it_names_a_machine() -> None:
    assert VERSIONS == ["0.1.0", "0.2.0"]
    for version in VERSIONS:
        assert sum(path.stat().st_size for path in (OLD / version).rglob("*") if path.is_file()) < 1.25e6
    for path in (path for path in OLD.rglob("*") if path.is_file()):
        assert not any(each + b"/" in path.read_bytes() for each in (b"/tmp", b"/home", b"/root", b"/work"))


# Markets.


def test_markets_open_unchanged(old: Path, data_command: Callable[..., Any]) -> None:
    assert versions_of("grown") == ["grown.1", "grown.2"]
    for name in ("made", "grown"):
        assert isinstance(open_market(name), Snapshot)
        assert data_command("verify", name).code == 0
        assert data_command("show", name).code == 0
    assert data_command("diff", "grown.1", "grown.2").code == 0
    again, _ = import_snapshot(
        old / "csv" / "prices", old / "csv" / "macro", None, "again", old / "csv" / "actions.csv"
    )
    pd.testing.assert_frame_equal(again.bars, load("made").bars)


# Specs and runs.


@pytest.mark.parametrize("name", ["sample", "turning"])
def test_a_runs_spec_opens_and_runs_again_with_the_same_files(
    old: Path, run_command: Callable[..., Any], name: str
) -> None:
    run, again = old / "runs" / name, old / "again"
    kept = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    words = [run / "spec.toml", "--market", kept["market"], "--out", again, "--no-tearsheet"]
    if kept["market"] == "sample":
        # The built-in market may become another one; the spec must still run.
        assert run_command("backtest", *words, "--end", "2021-01-29").code == 0
        return
    assert run_command("backtest", *words).code == 0
    for table in ("equity", "orders", "positions", "cash", "targets"):
        was, now = (pd.read_csv(folder / f"{table}.csv") for folder in (run, again))
        pd.testing.assert_frame_equal(now[list(was)], was, rtol=1e-9)


def test_runs_are_listed_and_shown(old: Path, run_command: Callable[..., Any]) -> None:
    listed = run_command("runs", "list", "--folder", old / "runs", "--json")
    assert [Path(each["folder"]).name for each in listed.json["runs"]] == ["sample", "turning"]
    assert run_command("runs", "list", "--folder", old / "runs").code == 0
    for name in ("sample", "turning"):
        shown = run_command("runs", "show", old / "runs" / name)
        assert shown.code == 0
        assert "strategy" in shown.out


def test_a_spec_of_a_person_opens(old: Path) -> None:
    spec = load_spec(str(old / "specs" / "turning" / "spec.toml"))
    assert (spec.run.name, spec.run.prices, spec.policy.rebalance) == ("turning", "raw", "weekly")


# Accounts on paper.


def test_a_replay_goes_on(old: Path, run_command: Callable[..., Any]) -> None:
    words = ("--config", old / "paper" / "replay" / "paper.toml")
    assert run_command("paper", "status", *words).code == 0
    assert run_command("paper", "reconcile", *words).code == 0
    for day in ("2021-02-08", "2021-02-09"):
        told = run_command("paper", "step", *words, "--date", day, "--json")
        assert (told.code, told.json["halt"], told.json["fault"]) == (0, "", "")
    assert run_command("paper", "reconcile", *words).code == 0
    assert run_command("paper", "status", *words, "--json").json["next_session"] == "2021-02-10"


def test_an_account_of_the_simulated_broker_goes_on_as_it_would_have(
    old: Path, made: Callable[[pd.Timestamp], None]
) -> None:
    folder = old / "paper" / "daily"
    config = read_config(folder / "paper.toml")
    for session in sessions_between(pd.Timestamp("2026-02-09"), pd.Timestamp("2026-02-20")):
        made(session)
        told = run_step(config, now=session.to_pydatetime().replace(tzinfo=UTC) + timedelta(minutes=20))
        assert (told.halt, told.fault) == ("", "")
    with LedgerReader(config.state_folder / LEDGER_FILE) as ledger:
        equity = ledger.equity()["equity"]
        assert broken_invariants(ledger) == []
    wanted = pd.read_csv(folder / "equity-gone-on.csv", index_col="session", parse_dates=True)["equity"]
    pd.testing.assert_series_equal(equity, wanted, rtol=1e-9, check_index_type=False, check_names=False)
    assert reconcile(config, datetime(2026, 2, 20, 1, tzinfo=UTC)) == []


@contextmanager
def double_of(folder: Path) -> Iterator[alpaca_double.AlpacaDouble]:
    """The double of Alpaca as it stood beside an account."""
    kept = json.loads((folder / "double.json").read_text(encoding="utf-8"))
    with alpaca_double.running({}, 0.0, now=datetime.fromisoformat(kept["now"])) as double:
        double.prices = {symbol: Decimal(price) for symbol, price in kept["prices"].items()}
        double.cash = Decimal(kept["cash"])
        double.positions = {symbol: Decimal(units) for symbol, units in kept["positions"].items()}
        double.holidays = {date.fromisoformat(day) for day in kept["holidays"]}
        double.orders, double.activities, double._fees = kept["orders"], kept["activities"], kept["fees"]
        double._count = kept["count"]
        yield double


def test_an_account_at_alpaca_goes_on(
    old: Path, made: Callable[[pd.Timestamp], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("alpaca")
    monkeypatch.setenv("ALPACA_API_KEY_ID", alpaca_double.KEY)
    monkeypatch.setenv("ALPACA_API_SECRET_KEY", alpaca_double.SECRET)
    monkeypatch.setattr(alpaca_requests, "ASKING", SourceSettings(attempts=4, pause=0.0, longest_wait=1.0))
    monkeypatch.setattr(alpaca_requests, "PER_SECOND", 1e6)
    monkeypatch.setattr(alpaca_broker, "FILL_WAIT", 0.005)
    monkeypatch.setattr(alpaca_broker, "POLL", 0.001)
    folder = old / "paper" / "alpaca"
    with double_of(folder) as double:
        text = (folder / "paper.toml").read_text(encoding="utf-8")
        (folder / "paper.toml").write_text(text.replace("http://127.0.0.1:1", double.url), encoding="utf-8")
        config = read_config(folder / "paper.toml")
        sent = 0
        for session in sessions_between(pd.Timestamp("2026-02-02"), pd.Timestamp("2026-02-06")):
            made(session)
            opens, midnight = trading_hours(session)[0], session.to_pydatetime().replace(tzinfo=UTC)
            for now in (midnight + timedelta(minutes=15), opens + timedelta(minutes=5)):
                double.now = max(double.now, midnight)
                double.post_fees()
                double.now = now
                told = run_step(config, now=now)
                assert (told.halt, told.fault) == ("", "")
                sent += len(told.sent)
        assert sent
        assert reconcile(config, now) == []


def test_tables_are_of_the_newest_version_after_a_step(old: Path) -> None:
    """An old ledger is brought to today's tables when it is opened, and its rows stay."""
    path = old / "paper" / "replay" / "state" / LEDGER_FILE

    def rows() -> dict[str, int]:
        names = [name for (name,) in by_hand(path, "SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: by_hand(path, f"SELECT count(*) FROM {name}")[0][0] for name in names}

    before = rows()
    assert before["entries"]
    with LedgerReader(path) as ledger:
        assert ledger.account() is not None
    # An event may tell of it.
    after = rows()
    assert after.pop("events") >= before.pop("events")
    assert {name: count for name, count in after.items() if name in before} == before
