"""The equity of a run, rebuilt from its files by a ledger of ten lines that knows nothing of ours."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtests.archive.folder import run_tables
from backtests.measures.holdings import instrument_profits
from backtests.run import Backtest


def rebuilt_equity(folder: Path, run: Backtest) -> np.ndarray:
    """The equity at each close by the orders and payments that were written, and the closes of the market."""
    sessions = run.returns.index
    column = "adj_close" if run.spec.run.prices == "adjusted" else "close"
    bars = run.snapshot.bars[run.snapshot.bars["symbol"].isin(run.spec.universe.symbols)]
    closes = bars.pivot(index="date", columns="symbol", values=column)
    known = closes.reindex(closes.index.union(sessions)).ffill().reindex(sessions)
    return by_hand(folder, known).to_numpy()


def by_hand(folder: Path, closes: pd.DataFrame) -> pd.Series:
    """A ledger by hand: orders, cash and closes are all there is."""
    orders = pd.read_csv(folder / "orders.csv", parse_dates=["session"]).query("size > 0")
    movements = pd.read_csv(folder / "cash.csv", parse_dates=["session"], keep_default_na=False)
    money, units, equity = 0.0, dict.fromkeys(map(str, closes.columns), 0.0), {}
    movement: Any
    order: Any
    for session, row in closes.iterrows():
        for movement in movements[movements["session"] == session].itertuples():
            money += float(movement.amount)
            if movement.units:
                units[movement.symbol] += movement.units
        for order in orders[orders["session"] == session].itertuples():
            sign = 1 if order.side == "buy" else -1
            units[order.symbol] += sign * order.size
            money -= sign * order.size * order.price + order.commission
        equity[session] = money + sum(units[symbol] * row[symbol] for symbol in units if units[symbol])
    return pd.Series(equity)


def assert_gains_add_up(run: Backtest) -> None:
    """Round trips with the interest, and the attribution, come to the gain; each instrument to its own."""
    engine = run.engine
    final = float(engine.equity["equity"].iloc[-1])
    gain = final - run.spec.run.initial_cash
    tables = run_tables(run)
    trades, parts = tables["trades"], tables["attribution"]
    interest = float(engine.cash.loc[engine.cash["symbol"] == "", "amount"].sum()) - run.spec.run.initial_cash
    scale = 1e-9 * max(abs(final), run.spec.run.initial_cash)
    assert abs(trades["profit"].sum() + interest - gain) <= scale
    assert abs(parts["profit"].sum() - gain) <= scale
    by_symbol = instrument_profits(engine.orders, engine.cash, engine.holdings.iloc[-1])
    for table in (trades, parts[parts["basket"] != "cash"]):
        found = table.groupby("symbol")["profit"].sum().reindex(by_symbol.index, fill_value=0.0).astype(float)
        np.testing.assert_allclose(found, by_symbol.astype(float), rtol=0.0, atol=scale)
    paid = engine.orders["commission"] + engine.orders["slippage"]
    for table in (trades, parts):
        np.testing.assert_allclose(table["costs"].sum(), paid.sum(), rtol=1e-9, atol=1e-9)
    still_held = set(trades.loc[trades["closed"].isna(), "symbol"])
    assert {name for name, value in engine.holdings.iloc[-1].items() if value > 1.0} <= still_held
