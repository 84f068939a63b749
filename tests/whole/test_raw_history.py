"""The shipped spec on real prices as traded, with dividends, splits and a spin-off, beside the adjusted run."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtests.run import Backtest, run_backtest
from backtests.spec.spec import load_spec
from data.importing.folders import import_snapshot
from data.market.snapshot import Snapshot
from rebuilt import assert_gains_add_up

pytestmark = [pytest.mark.slow, pytest.mark.real_history]


@pytest.fixture(scope="module")
def market(shared: Path) -> Snapshot:
    folder = shared / "market"
    if not (folder / "prices_raw").is_dir():
        pytest.skip(f"prices as traded are not there: no folder {folder / 'prices_raw'}")
    prices = [folder / "prices", folder / "prices_raw"]
    return import_snapshot(prices, folder / "macro", None, "traded", folder / "actions.csv")[0]


@pytest.fixture(scope="module")
def raw(market: Snapshot) -> Backtest:
    return run_backtest(load_spec("history", {"run.prices": "raw"}), market)


def test_the_data_tell_what_was_traded(market: Snapshot) -> None:
    bases = {symbol: units.prices for symbol, units in market.bar_units.items()}
    universe = load_spec("history").universe
    assert {bases[symbol] for symbol in (*universe.symbols, universe.benchmark)} == {"as_traded"}
    # Files of adjusted prices alone; the last two of stocks that split.
    assert {bases[symbol] for symbol in ("QQQ", "TLT", "SHY", "HYG", "LQD", "MSFT", "ORCL", "AMZN", "GOOGL")} == {
        "adjusted"
    }
    assert market.actions["kind"].value_counts().to_dict() == {"dividend": 228, "split": 2, "spin_off": 1}
    assert market.actions_aside.empty


def test_profits_add_up_over_dividends_splits_and_a_spin_off(raw: Backtest) -> None:
    assert_gains_add_up(raw)


def test_equity_is_that_of_cash_and_units_at_the_closes_of_the_files(shared: Path, raw: Backtest) -> None:
    """Orders, prices as traded and actions.csv are all there is: a ledger by hand."""
    folder = shared / "market"
    symbols = list(raw.spec.universe.symbols)
    closes = {}
    for symbol in symbols:
        path = folder / "prices_raw" / f"{symbol}.csv"
        path = path if path.is_file() else folder / "prices" / f"{symbol}.csv"
        closes[symbol] = pd.read_csv(path, parse_dates=["date"], index_col="date")["close"]
    actions = pd.read_csv(folder / "actions.csv", parse_dates=["date"])
    actions = actions[actions["symbol"].isin(symbols)]
    orders = raw.engine.orders[raw.engine.orders["size"] > 0]
    cash, units, equity = raw.spec.run.initial_cash, dict.fromkeys(symbols, 0.0), []
    for session in raw.sessions:
        today = actions[actions["date"] == session]
        for action in today[today["kind"] != "dividend"].itertuples():
            if action.kind == "spin_off":
                assert (action.symbol, action.value) == ("WDC", 1.323)
                units["SNDK"] += units["WDC"] / 3
            else:
                units[action.symbol] *= action.value
        entitled = {
            action.Index: units[action.symbol] * action.value
            for action in today[today["kind"] == "dividend"].itertuples()
        }
        for order in orders[orders["session"] == session].itertuples():
            sign = 1 if order.side == "buy" else -1
            units[order.symbol] += sign * order.size
            cash -= sign * order.size * order.price + order.commission
        cash += sum(entitled.values())
        held = {symbol: count for symbol, count in units.items() if abs(count) > 1e-9}
        equity.append(cash + sum(count * closes[symbol].asof(session) for symbol, count in held.items()))
    # A part of a unit that a split leaves over, a millionth at most, is paid in cash.
    np.testing.assert_allclose(equity, raw.engine.equity["equity"], rtol=1e-7)


def test_raw_and_adjusted_runs_tell_one_story(market: Snapshot, raw: Backtest) -> None:
    adjusted = run_backtest(load_spec("history"), market)

    pd.testing.assert_series_equal(raw.signal.regime, adjusted.signal.regime)
    apart = raw.engine.equity["equity"] / adjusted.engine.equity["equity"] - 1.0
    assert apart.abs().max() < 0.04
    booked = raw.engine.cash.groupby("kind").size()
    assert booked["dividend"] > 100
    spun = raw.engine.cash.query("kind == 'spin_off'")
    assert len(spun) == 1
    before = raw.engine.positions["WDC"].shift()[pd.Timestamp("2025-02-24")]
    assert spun["units"].iloc[0] == pytest.approx(before / 3, abs=1e-6)
    # SPY bought once, its dividends left in cash.
    bought = adjusted.baselines["benchmark"].equity.iloc[-1], raw.baselines["benchmark"].equity.iloc[-1]
    assert bought == (pytest.approx(402_544, rel=1e-3), pytest.approx(372_364, rel=1e-3))
