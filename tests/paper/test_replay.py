"""A replay on paper, session by session, is the backtest: the same orders, statuses and reasons, the same equity."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from data.clock import sessions_between
from data.errors import InputError
from data.market.snapshot import save
from paper.config import PaperConfig
from paper.ledger.invariants import broken_invariants
from paper.ledger.reader import LEDGER_FILE, LedgerReader
from paper.overview.status import read_status
from paper.step.account import halt, reconcile, resume, run_step
from paper.storage import database

KEY = ["session", "symbol", "side"]


def replay(config, first, last):
    days = [day.date() for day in sessions_between(pd.Timestamp(first), pd.Timestamp(last))]
    for day in days:
        told = run_step(config, day)
        assert not told.halt
        assert not told.fault
    return days


def assert_same_as_backtest(folder, engine):
    with LedgerReader(folder / LEDGER_FILE) as ledger:
        orders, equity, positions = ledger.orders(), ledger.equity(), ledger.positions()
        assert broken_invariants(ledger) == []
    assert equity.index.equals(engine.equity.index)
    np.testing.assert_allclose(equity.to_numpy(), engine.equity.to_numpy(), rtol=1e-9, atol=1e-6)
    wanted = engine.positions.loc[:, (engine.positions > 0).any()].sort_index(axis=1)
    assert list(positions.columns) == list(wanted.columns)
    np.testing.assert_allclose(positions.to_numpy(), wanted.to_numpy(), rtol=1e-9, atol=1e-9)
    ours, theirs = (frame.sort_values(KEY).reset_index(drop=True) for frame in (orders, engine.orders))
    pd.testing.assert_frame_equal(ours[[*KEY, "status", "reason"]], theirs[[*KEY, "status", "reason"]])
    for name in ("size", "size_wanted", "price", "commission"):
        np.testing.assert_allclose(ours[name].to_numpy(), theirs[name].to_numpy(), rtol=1e-9, err_msg=name)


EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"

# Settings, and days in which orders are cut or not filled, and planned anew.
REPLAYS = {
    "shipped": ({}, "2021-01-04", "2021-06-30"),
    "daily": ({"policy.rebalance": "daily"}, "2021-04-01", "2021-06-08"),
    "raw prices, interest, dear": (
        {
            "run.prices": "raw",
            "cash.interest": "bill",
            "costs.settlement_sessions": 3,
            "costs.crypto.participation": 1e-7,
            "costs.us_stock.minimum_commission": 1.0,
            "policy.rebalance": "weekly",
        },
        "2021-03-08",
        "2021-03-31",
    ),
}


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    """Nobody pulls the plug here."""
    monkeypatch.setattr(database, "SYNCHRONOUS", "OFF")


@pytest.fixture
def write_spec(tmp_path):
    def write(base, settings):
        path = tmp_path / "spec.toml"
        path.write_text(load_spec(base, settings).to_toml(), encoding="utf-8")
        return path

    return write


@pytest.mark.slow
@pytest.mark.parametrize(("settings", "first", "last"), REPLAYS.values(), ids=REPLAYS)
def test_on_the_sample(settings, first, last, sample, tmp_path, write_spec):
    spec = write_spec("sample", settings)
    config = PaperConfig(market="sample", spec=str(spec), state={"path": tmp_path / "state"})
    days = replay(config, first, last)
    run = run_backtest(load_spec(str(spec), {"run.start": days[0], "run.end": days[-1]}), sample)
    assert len(set(run.engine.orders["status"])) > 1
    assert_same_as_backtest(tmp_path / "state", run.engine)
    assert reconcile(config) == []


def test_weights_from_a_file(sample, tmp_path, write_spec):
    """One row is in force when the account is opened, the next becomes known on the evening of June 30th."""
    spec = write_spec("sample", {"policy.weights": str(EXAMPLES / "weights.csv"), "policy.rebalance": "regime"})
    limits = {"largest_order": 0.7, "largest_position": 0.7}
    config = PaperConfig(market="sample", spec=str(spec), state={"path": tmp_path / "state"}, limits=limits)
    days = replay(config, "2020-06-24", "2020-07-08")
    run = run_backtest(load_spec(str(spec), {"run.start": days[0], "run.end": days[-1]}), sample)
    assert {"2020-06-24", "2020-07-01"} <= set(run.engine.orders["session"].astype(str))
    assert_same_as_backtest(tmp_path / "state", run.engine)
    assert reconcile(config) == []


@pytest.mark.real_history
@pytest.mark.slow
@pytest.mark.parametrize(("first", "last"), [("2023-10-02", "2024-09-30")])
def test_a_year_of_real_history(first, last, history, tmp_path):
    save(history)
    config = PaperConfig(market="history", spec="history", state={"path": tmp_path / "state"})
    days = replay(config, first, last)
    run = run_backtest(load_spec("history", {"run.start": days[0], "run.end": days[-1]}), history)
    assert_same_as_backtest(tmp_path / "state", run.engine)


def test_what_is_done_is_not_done_again(tmp_path):
    config = PaperConfig(market="sample", spec="sample", state={"path": tmp_path})
    first = run_step(config, date(2021, 1, 4))
    assert first.decision
    assert first.sent
    with LedgerReader(tmp_path / LEDGER_FILE) as ledger:
        before = ledger.orders(), ledger.entries(), ledger.equity()
    again = run_step(config, date(2021, 1, 4))
    assert (again.decision, again.sent, again.fills) == (None, [], [])
    with LedgerReader(tmp_path / LEDGER_FILE) as ledger:
        for one, other in zip(before, (ledger.orders(), ledger.entries(), ledger.equity()), strict=True):
            pd.testing.assert_frame_equal(one, other)


def test_a_rebalancing_that_fell_on_a_day_without_a_step_is_made_up_for(tmp_path):
    config = PaperConfig(market="sample", spec="sample", state={"path": tmp_path})
    replay(config, "2021-01-04", "2021-01-28")
    # The month begins on February 1st, a Monday; the next step is Wednesday's.
    told = run_step(config, date(2021, 2, 3))
    assert told.decision.why == "rebalancing"
    with LedgerReader(tmp_path / LEDGER_FILE) as ledger:
        assert ledger.equity().index.equals(sessions_between(pd.Timestamp("2021-01-04"), pd.Timestamp("2021-02-03")))


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(tmp_path):
    config = PaperConfig(market="sample", spec="sample", state={"path": tmp_path / "state"})
    dry = run_step(config, date(2021, 1, 4), dry_run=True)
    assert list((tmp_path / "state").iterdir()) == []
    assert dry.sent == []
    assert run_step(config, date(2021, 1, 4)).decision == dry.decision
    files = {path: path.read_bytes() for path in (tmp_path / "state").iterdir()}
    assert run_step(config, date(2021, 1, 5), dry_run=True).decision
    assert {path: path.read_bytes() for path in (tmp_path / "state").iterdir()} == files


def test_a_replay_is_refused_where_it_makes_no_sense(tmp_path):
    config = PaperConfig(market="sample", spec="sample", state={"path": tmp_path})
    with pytest.raises(InputError, match="2021-01-02, wanted an NYSE session; the next one is 2021-01-04"):
        run_step(config, date(2021, 1, 2))
    with pytest.raises(InputError, match="wanted one after"):
        run_step(config, date(2005, 1, 5))
    run_step(config, date(2021, 1, 5))
    with pytest.raises(InputError, match="has decided for 2021-01-05 already"):
        run_step(config, date(2021, 1, 4))
    with pytest.raises(InputError, match="only the simulated broker replays"):
        run_step(PaperConfig(market="sample", spec="sample", broker={"kind": "alpaca"}), date(2021, 1, 6))


def test_an_account_keeps_its_spec_and_its_broker(tmp_path, write_spec):
    given = {"market": "sample", "state": {"path": tmp_path / "state"}}
    run_step(PaperConfig(spec="sample", **given), date(2021, 1, 4))
    other = write_spec("sample", {"policy.rebalance": "daily"})
    with pytest.raises(InputError, match="is not the one that the account paper was opened with"):
        run_step(PaperConfig(spec=str(other), **given), date(2021, 1, 5))
    with pytest.raises(InputError, match="adjusted prices"):
        run_step(PaperConfig(spec="sample", **given), now=pd.Timestamp("2021-01-05 01:00", tz="UTC").to_pydatetime())


def test_a_market_without_the_instruments_of_the_spec_is_refused(tmp_path):
    config = PaperConfig(market="sample", spec="history", state={"path": tmp_path / "state"})
    with pytest.raises(InputError, match="unknown symbol"):
        run_step(config, date(2021, 1, 4))
    config = PaperConfig(market="nowhere", spec="history", state={"path": tmp_path / "other"})
    with pytest.raises(InputError, match="no market nowhere"):
        run_step(config, date(2021, 1, 4))


def test_a_session_that_ended_while_the_trader_was_halted_is_not_decided_for(tmp_path, write_spec):
    """Its orders could fill at no open any more, and would stand in the way of all that come after."""
    weekly = write_spec("sample", {"policy.rebalance": "weekly", "order_rules.band": 0.0})
    config = PaperConfig(market="sample", spec=str(weekly), state={"path": tmp_path / "state"})
    replay(config, date(2021, 1, 4), date(2021, 1, 8))
    halt(config, "away")
    monday = date(2021, 1, 11)
    assert run_step(config, monday).halt == "away"
    assert read_status(config).next_session == date(2021, 1, 12)
    resume(config, "back")
    told = run_step(config, monday)
    assert (told.decision, told.sent) == (None, [])
    assert told.notes == ["nothing to decide: 2021-01-11 is over; the next session to replay comes after 2021-01-11"]
    assert run_step(config, date(2021, 1, 12)).decision.why == "rebalancing"
    with LedgerReader(tmp_path / "state" / LEDGER_FILE) as ledger:
        orders = ledger.orders()
        assert "open" not in set(orders["status"])
        assert str(orders["session"].iloc[-1].date()) == "2021-01-12"
