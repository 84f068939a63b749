"""An account whose baskets a rule chooses: the book of a backtest, through a June that changes them."""

from datetime import UTC, datetime

import pandas as pd
import pytest

from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from data.clock import sessions_between
from data.market.snapshot import save
from index_market import NAMES, planted_market
from paper.config import PaperConfig
from paper.step.account import run_step

FIRST, LAST = "2018-05-29", "2018-06-05"


@pytest.mark.slow
def test_an_account_holds_what_the_backtest_of_its_spec_holds(sample, tmp_path):
    market = planted_market(sample, noise=0.03)
    save(market)
    names = ", ".join(f'"{name}"' for name in NAMES)
    path = tmp_path / "rule.toml"
    path.write_text(
        f'[run]\nname = "rule"\nstart = {FIRST}\n[universe]\nreserve = ["SIM-BILL"]\nbenchmark = "SIM-MARKET"\n'
        f"[universe.rule]\nnames = [{names}]\n",
        encoding="utf-8",
    )
    config = PaperConfig(market="planted", spec=str(path), state={"path": tmp_path / "state"})
    fills, equity = [], {}
    for session in sessions_between(pd.Timestamp(FIRST), pd.Timestamp(LAST)):
        told = run_step(config, now=datetime(session.year, session.month, session.day, 0, 20, tzinfo=UTC))
        assert (told.halt, told.fault) == ("", "")
        fills += told.fills
        equity[session] = told.decision.equity
    run = run_backtest(load_spec(path, {"run.end": "2018-06-04"}), market)
    booked = run.engine.equity["equity"]
    for session, before in zip(booked.index[1:], booked.iloc[:-1], strict=True):
        assert equity[session] == pytest.approx(before, rel=1e-9)
    orders = run.engine.orders[run.engine.orders["size"] > 0]
    assert len(set(orders["session"])) > 1
    assert sorted((fill.symbol, fill.side) for fill in fills) == sorted(
        zip(orders["symbol"], orders["side"], strict=True)
    )
    assert sum(fill.units for fill in fills) == pytest.approx(orders["size"].sum(), rel=1e-9)
    # June has changed the baskets.
    assert {fill.symbol for fill in fills if fill.side == "sell"} - {"SIM-BILL"}
