"""Instruments of one's own on paper: kept and refreshed by the market, named by the account's spec."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import fetch_world
from accounts import write_account_files
from data.catalogue.own import OwnCatalogue
from data.errors import InputError
from data.fetch.fetch import fetch
from data.market.manifest import FetchRecord
from data.market.snapshot import load
from paper.config import PaperConfig
from paper.step import refresh as refreshing
from paper.step.account import run_step

ENTRIES = """
[catalogue.instruments.XYZ]
name = "of my own"
currency = "USD"
calendar = "XNYS"
asset_class = "us_stock"
listed = 2024-01-02
quantum = 1e-6

[catalogue.instruments.DOGE-USD]
name = "a coin of my own"
currency = "USD"
calendar = "24/7"
asset_class = "crypto"
listed = 2024-01-02
quantum = 1e-8
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PaperConfig:
    regimes = {"2024-02-01T00:00:00+00:00": "NEUTRAL"}
    path = write_account_files(tmp_path, start=date(2024, 3, 4), regimes=regimes, instrument_cap=1.0, free=True)
    text = path.read_text(encoding="utf-8").replace('"COIN"', '"DOGE-USD"').replace('"STOCK"', '"XYZ"')
    # The market that the spec names is not the account's.
    path.write_text(text.replace("[run]\n", '[run]\nmarket = "nowhere"\n') + ENTRIES, encoding="utf-8")
    bars = {"XYZ": "MU", "DOGE-USD": "BTC-USD"}
    world = fetch_world.World(
        {name: fetch_world.made_bars(like, "2024-02-01", "2024-03-08") for name, like in bars.items()}
    )
    monkeypatch.setattr(refreshing, "public_sources", lambda _settings: world.sources())
    made = PaperConfig(
        market="mine",
        refresh=True,
        spec=str(path),
        state={"path": tmp_path / "state"},
        limits={"largest_position": 1.0},
    )
    own: OwnCatalogue = made.load_spec().catalogue
    wanted = FetchRecord(symbols=tuple(bars), start=date(2024, 2, 1))
    fetch("mine", wanted, world.sources(), pd.Timestamp(moment(2)), ("yahoo",), own=own)
    return made


def moment(day: int) -> datetime:
    return datetime(2024, 3, day, 0, 20, tzinfo=UTC)


def change(config: PaperConfig, old: str, new: str) -> None:
    path = Path(config.spec)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_an_account_trades_them_and_refreshes_their_market_without_the_spec(config: PaperConfig) -> None:
    told = run_step(config, now=moment(4))
    assert (told.decision.market, told.halt, told.notes) == ("mine.2", "", [])
    assert {order.symbol for order in told.sent} == {"XYZ", "DOGE-USD"}
    assert sorted(load("mine.2").instruments) == ["DOGE-USD", "XYZ"]
    later: Any = run_step(config, now=moment(5))
    assert later.halt == ""


def test_the_market_that_the_spec_names_is_for_backtests(config: PaperConfig) -> None:
    run_step(config, now=moment(4))
    change(config, 'market = "nowhere"', 'market = "elsewhere"')
    assert run_step(config, now=moment(5)).halt == ""


def test_an_entry_that_changed_is_refused_in_one_line(config: PaperConfig) -> None:
    change(config, "listed = 2024-01-02\nquantum = 1e-8", "listed = 2024-01-03\nquantum = 1e-8")
    told = r"catalogue\.instruments\.DOGE-USD\.listed: got 2024-01-03, but the market was made with 2024-01-02"
    with pytest.raises(InputError, match=told):
        run_step(config, now=moment(4))
    change(config, "2024-01-03", "2024-01-02")
    run_step(config, now=moment(4))
    change(config, 'name = "of my own"', 'name = "another"')
    with pytest.raises(InputError, match=r"it differs in catalogue\.instruments\.XYZ\.name; put it back"):
        run_step(config, now=moment(5))
