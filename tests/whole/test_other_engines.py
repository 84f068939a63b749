"""The orders of a run, replayed by other back-testing libraries at the same prices and costs, give the same equity."""

import warnings

import numpy as np
import pandas as pd
import pytest

from backtests.run import run_backtest
from backtests.spec.costs import trade_terms
from backtests.spec.spec import load_spec

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def replay(sample):
    """A run, its signed units and fill prices by session and symbol, its closes and cost rates."""
    run = run_backtest(load_spec("sample", {"run.start": "2021-01-04", "run.end": "2023-12-29"}), sample)
    filled = run.engine.orders.query("size > 0")
    signed = filled["size"].where(filled["side"] == "buy", -filled["size"])
    shape = {"index": run.sessions, "columns": list(run.panel.symbols)}
    units = signed.groupby([filled["session"], filled["symbol"]]).sum().unstack().reindex(**shape)
    prices = filled.groupby(["session", "symbol"])["price"].first().unstack().reindex(**shape)
    # What is not listed yet is not held; the others need a price every session.
    closes = pd.DataFrame(run.panel.close[1:], **shape).bfill()
    terms = trade_terms(run.panel.symbols, sample.instruments, run.spec.costs)
    rates = pd.Series(terms.rate, shape["columns"])
    return run, units, prices, closes, rates


def test_vectorbt_finds_the_same_equity(replay):
    run, units, prices, closes, rates = replay
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import vectorbt

        # Sells before buys, as in the order of the clock: the first of a session's calls are those that sell.
        calls = np.argsort(units.fillna(0.0).to_numpy(), axis=1, kind="stable")
        portfolio = vectorbt.Portfolio.from_orders(
            closes,
            size=units,
            price=prices.fillna(closes),
            fees=np.broadcast_to(rates.to_numpy(), closes.shape),
            init_cash=run.spec.run.initial_cash,
            cash_sharing=True,
            group_by=True,
            call_seq=calls,
            freq="1D",
        )
        value = portfolio.value()
    np.testing.assert_allclose(value.to_numpy(), run.engine.equity["equity"].to_numpy(), rtol=1e-8)


def test_bt_finds_the_same_equity(replay):
    run, units, prices, closes, rates = replay
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import bt

        moves = units.stack().dropna().rename("quantity").rename_axis(["Date", "Security"])
        # bt takes one commission for all securities: the costs of each asset class are put into its fill prices.
        paid = prices * (1.0 + np.sign(units) * rates)
        fills = pd.concat([moves, paid.stack().dropna().rename("price").rename_axis(["Date", "Security"])], axis=1)
        strategy = bt.Strategy("replay", [bt.algos.ReplayTransactions("fills")], children=list(closes.columns))
        test = bt.Backtest(
            strategy,
            closes,
            initial_capital=run.spec.run.initial_cash,
            integer_positions=False,
            commissions=lambda quantity, price: 0.0,
            additional_data={"fills": fills, "bidoffer": pd.DataFrame(0.0, index=closes.index, columns=closes.columns)},
        )
        test.run()
        value = test.strategy.values.reindex(closes.index)
    np.testing.assert_allclose(value.to_numpy(), run.engine.equity["equity"].to_numpy(), rtol=1e-8)
