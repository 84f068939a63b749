"""What a book held and what each instrument brought, by hand, and so that it adds up to the equity of a run."""

import math

import numpy as np
import pandas as pd
import pytest

from backtests.measures.holdings import drawdowns, held_weights, instrument_profits, monthly_returns
from backtests.run import Backtest, run_backtest
from backtests.spec.spec import load_spec
from data.market.snapshot import Snapshot


@pytest.fixture(scope="module")
def run(sample: Snapshot) -> Backtest:
    spec = load_spec("sample", {"run.start": "2022-01-03", "run.end": "2023-06-30", "cash.interest": "bill"})
    return run_backtest(spec, sample)


def test_weights_and_cash_make_one(run: Backtest) -> None:
    equity = run.engine.equity
    weights = held_weights(run.engine.positions, run.panel.close[1:], equity["equity"])
    whole = weights.sum(axis="columns") + equity["cash"] / equity["equity"]
    assert np.allclose(whole, 1.0, rtol=1e-9, atol=0)
    assert (weights >= 0).all(axis=None)


def test_what_has_no_price_yet_weighs_nothing() -> None:
    days = pd.bdate_range("2024-01-01", periods=2)
    positions = pd.DataFrame({"A": [2.0, 0.0], "B": [0.0, 1.0]}, index=days)
    closes = np.array([[10.0, math.nan], [11.0, 30.0]])
    weights = held_weights(positions, closes, pd.Series([40.0, 60.0], index=days))
    assert weights.to_numpy().tolist() == [[0.5, 0.0], [0.0, 0.5]]


def test_profits_and_interest_add_up_to_the_gain(run: Backtest) -> None:
    engine = run.engine
    final = engine.positions.iloc[-1] * np.nan_to_num(run.panel.close[-1])
    profits = instrument_profits(engine.orders, engine.cash, final)
    interest = float(engine.cash.loc[engine.cash["kind"] == "interest", "amount"].sum())
    gain = float(engine.equity["equity"].iloc[-1]) - run.spec.run.initial_cash
    assert interest > 0
    assert float(profits.sum()) + interest == pytest.approx(gain, rel=1e-9)
    assert (profits != 0).sum() > 5


def test_profits_by_hand() -> None:
    orders = pd.DataFrame(
        [("A", "buy", 10.0, 5.0, 1.0), ("A", "sell", 4.0, 6.0, 0.5), ("B", "sell", 0.0, math.nan, 0.0)],
        columns=["symbol", "side", "size", "price", "commission"],
    )
    cash = pd.DataFrame([("", 100.0), ("A", 3.0)], columns=["symbol", "amount"])
    profits = instrument_profits(orders, cash, pd.Series({"A": 42.0, "B": 0.0, "C": 0.0}))
    # A: 6 units at 7 are left, 3 of dividends came, 50 + 1 were paid, 24 less 0.5 received.
    assert profits.to_dict() == {"A": 42.0 + 3.0 - 51.0 + 23.5, "B": 0.0, "C": 0.0}


def test_drawdowns_count_from_the_start_and_from_the_top() -> None:
    returns = pd.Series([-0.5, 1.0, 0.5, -0.2, 0.1], pd.bdate_range("2024-01-01", periods=5))
    assert drawdowns(returns).tolist() == pytest.approx([-0.5, 0.0, 0.0, -0.2, -0.12])


def test_months_without_a_session_have_no_return() -> None:
    days = pd.DatetimeIndex(["2023-11-30", "2024-01-02", "2024-01-03"])
    months = monthly_returns(pd.Series([0.1, 0.1, 0.1], days))
    assert list(months.index) == [2023, 2024]
    assert list(months.columns) == list(range(1, 13))
    assert months.loc[2023, 11] == pytest.approx(0.1)
    assert months.loc[2024, 1] == pytest.approx(0.21)
    assert months.notna().sum().sum() == 2
