"""What is odd in the data of a step: what came since the decision before, and what is stale as long as it is."""

from dataclasses import replace
from datetime import date, datetime
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from accounts import write_account_files
from backtests.prepare.bill import BILL
from data.catalogue.publication import publication_times
from data.clock import sessions_between
from data.market.snapshot import Snapshot
from hand_made import make_instrument, make_snapshot
from paper.config import PaperConfig
from paper.ledger.reader import LEDGER_FILE, LedgerReader
from paper.overview import status
from paper.overview.history import read_history
from paper.step import step as stepping
from paper.step.account import StepReport, run_step
from paper.storage import database
from reverse_qe.pages.account import account_page
from reverse_qe.words.paper import step_line
from reverse_qe.words.paper_day import day_lines

REGIMES = {"2022-01-01T00:00:00+00:00": "NEUTRAL"}
WRONG, LONG_AGO = pd.Timestamp("2024-03-06"), pd.Timestamp("2024-01-10")


@pytest.fixture
def whole() -> Snapshot:
    """Some years; the stock closes at 72 on March 6th and is back on the 7th; the coin was at a third in January."""
    days = pd.date_range("2022-01-03", "2024-03-13")
    sessions = sessions_between(days[0], days[-1])
    usual = 100 * np.exp(0.01 * (np.arange(len(days)) % 2))
    coin = np.where(days == LONG_AGO, usual / 3, usual)
    stock = np.where(sessions == WRONG, 72.0, usual[: len(sessions)])
    bars = {
        "STOCK": [(str(day.date()), 100.0, close) for day, close in zip(sessions, stock.tolist(), strict=True)],
        "COIN": [(str(day.date()), 100.0, close) for day, close in zip(days, coin.tolist(), strict=True)],
    }
    return make_snapshot(bars, {"COIN": make_instrument("crypto", quantum=1e-9)}, as_traded=True)


class World:
    """An account, and a market that has grown up to the day of a step."""

    def __init__(self, config: PaperConfig, whole: Snapshot, patch: pytest.MonkeyPatch) -> None:
        self.config, self.whole, self.patch = config, whole, patch

    def step(self, day: int, **given: bool) -> StepReport:
        begins = pd.Timestamp(f"2024-03-{day:02d}")
        now = datetime.fromisoformat(f"2024-03-{day:02d}T00:20:00+00:00")
        series = self.whole.series[self.whole.series["known_at"] <= pd.Timestamp(now)]
        grown = replace(self.whole, bars=self.whole.bars[self.whole.bars["date"] < begins], series=series)
        self.patch.setattr(stepping, "newest_snapshot", lambda _name: grown)
        return run_step(self.config, now=now, **given)

    def notices(self) -> list[str]:
        with LedgerReader(self.config.state_folder / LEDGER_FILE) as ledger:
            return [event.text for event in ledger.events(("notice",))]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: Snapshot) -> World:
    monkeypatch.setattr(database, "SYNCHRONOUS", "OFF")
    spec = write_account_files(tmp_path, start=date(2024, 3, 4), regimes=REGIMES, instrument_cap=1.0, free=True)
    config = PaperConfig(
        market="made",
        spec=str(spec),
        state={"path": tmp_path / "state"},
        limits={"largest_position": 1.0, "price_move_halt": 0.9},
    )
    return World(config, whole, monkeypatch)


def told(step: StepReport) -> str:
    assert step.decision is not None
    return step.odd_data


def test_what_is_odd_in_new_bars_is_told_once_with_what_it_can_move(world: World) -> None:
    """The close of the 6th is known on the 7th, when it is the newest; no step tells again of the coin's January."""
    assert told(world.step(5)) == ""
    assert told(world.step(6)) == ""
    found = told(world.step(7))
    assert found.startswith("odd in the data since the decision for 2024-03-06: STOCK: ")
    assert "(2024-03-06)" in found
    # From 100 or 101 to 72, less the usual hundredth; the stock is the benchmark too, on which all stands.
    assert "it can move the result by up to 27.3%." in found
    assert "COIN" not in found
    assert world.notices() == [found]
    assert told(world.step(8)) == ""
    assert told(world.step(11)) == ""


def test_a_dry_run_tells_it_too_and_writes_nothing(world: World) -> None:
    world.step(6)
    assert told(world.step(7, dry_run=True)) != ""
    assert world.notices() == []
    assert told(world.step(7)) != ""


def test_a_stale_series_is_told_at_every_step_until_it_goes_on(world: World) -> None:
    """The yield of the bill ended in December, and goes on in March."""
    dates = pd.date_range("2022-01-03", "2023-12-22", freq="B")
    known = publication_times(dates, "next_business_day")
    rows = pd.DataFrame({"series": BILL, "date": dates, "value": 4.0, "known_at": known})
    world.whole = replace(world.whole, series=rows)
    for day in (5, 6):
        found = told(world.step(day))
        assert f"{BILL}: stale: its last value is " in found
    more = pd.DataFrame({"series": [BILL], "date": [pd.Timestamp("2024-03-04")], "value": [4.0]})
    more["known_at"] = pd.Timestamp("2024-03-06T12:00Z")
    world.whole = replace(world.whole, series=pd.concat([rows, more], ignore_index=True))
    found = told(world.step(7))
    assert "stale: " not in found
    assert found.startswith("odd in the data since the decision for 2024-03-06: STOCK: ")
    assert "reverse-qe data verify made --spec " in found  # for the gap that the new value ends


def test_a_revision_of_an_old_value_makes_no_old_days_new(world: World) -> None:
    """An old value of the yield was out of every unit; the first step tells it, and none after a revision beside it."""
    dates = pd.date_range("2022-01-03", "2024-03-12", freq="B")
    known = publication_times(dates, "next_business_day")
    rows = pd.DataFrame({"series": BILL, "date": dates, "value": 4.0, "known_at": known})
    rows.loc[rows["date"] == "2024-02-20", "value"] = 4_000.0
    revised = rows[rows["date"] == "2024-02-19"].assign(value=4.1, known_at=pd.Timestamp("2024-03-05T12:00Z"))
    both = pd.concat([rows, revised]).sort_values(["series", "date", "known_at"], ignore_index=True)
    world.whole = replace(world.whole, series=both)
    assert f"{BILL}: " in told(world.step(5))
    assert told(world.step(6)) == ""


def test_the_page_of_the_account_has_what_was_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in (6, 7):
        found = told(world.step(day))
    grown = replace(world.whole, bars=world.whole.bars[world.whole.bars["date"] < pd.Timestamp("2024-03-07")])
    monkeypatch.setattr(status, "newest_snapshot", lambda _name: grown)
    page = unescape(account_page(status.read_status(world.config), read_history(world.config)))
    assert found.partition(" more: ")[0] in page


def test_a_step_of_today_has_six_lines_at_most_and_the_odd_data_in_one_of_them(world: World) -> None:
    step = world.step(5)
    assert step.sent
    step.odd_data, step.notes, step.halt, step.fault = "odd in the data: MU: moves.", ["late", "later"], "why", "fault"
    lines = day_lines(step, world.config)
    assert len(lines) == 6
    assert lines[4] == "! odd in the data: MU: moves.; late (1 more: reverse-qe paper status)"
    assert "! odd in the data: MU: moves.; ! late; ! later" in step_line(step)
    step.notes = []
    assert day_lines(step, world.config)[4] == "! odd in the data: MU: moves."
