"""Round trips and attribution: a book by hand, another library, and runs of every kind, to the last cent."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtests.archive.folder import run_tables, write_run
from backtests.execution.result import CASH_COLUMNS, ORDER_COLUMNS
from backtests.measures.attribution import attribution
from backtests.measures.round_trips import round_trips
from backtests.run import Backtest, run_backtest
from backtests.spec.spec import load_spec
from edge_runs import edge_runs
from rebuilt import assert_gains_add_up
from strategies.universe import Universe

DAYS = pd.bdate_range("2024-01-01", periods=6)
REGIME = pd.Series(["NEUTRAL", "NEUTRAL", "SCARCE", "SCARCE", "ABUNDANT", "ABUNDANT"], DAYS)
UNIVERSE = Universe(speculative=("A",), cash_flow=("B",), benchmark="A")


@pytest.fixture(scope="module")
def sample_run(sample):
    return run_backtest(load_spec("sample", {"run.start": "2023-01-03", "cash.interest": "bill"}), sample)


def orders(*rows: tuple[int, int, str, str, float, float, float]) -> pd.DataFrame:
    """Of (number, day, symbol, side, size, price, commission); each slips by one dollar."""
    filled = [
        (number, DAYS[day], DAYS[day], symbol, side, size, size, price, fee, 1.0, "filled", "")
        for number, day, symbol, side, size, price, fee in rows
    ]
    return pd.DataFrame(filled, columns=list(ORDER_COLUMNS))


def cash(*rows: tuple[int, str, str, float, float]) -> pd.DataFrame:
    deposit = (DAYS[0], "", "deposit", 1000.0, 0.0)
    return pd.DataFrame([deposit, *((DAYS[day], *rest) for day, *rest in rows)], columns=list(CASH_COLUMNS))


def test_a_book_by_hand() -> None:
    """A is bought, added to, sold whole and bought again on one day; B is split, pays and is delisted."""
    found = round_trips(
        orders(
            (0, 0, "A", "buy", 10.0, 10.0, 1.0),
            (1, 1, "A", "buy", 5.0, 12.0, 1.0),
            (2, 3, "A", "sell", 15.0, 14.0, 2.0),
            (3, 3, "A", "buy", 2.0, 15.0, 1.0),
            (4, 0, "B", "buy", 4.0, 50.0, 0.0),
        ),
        cash(
            (1, "B", "split", 0.0, 4.0),
            (2, "B", "dividend", 8.0, 0.0),
            (3, "A", "dividend", 3.0, 0.0),
            (4, "B", "delisting", 160.0, -8.0),
            (4, "", "interest", 0.5, 0.0),
        ),
        pd.Series({"A": 2.0 * 16.0, "B": 0.0}),
        REGIME,
        UNIVERSE,
    )
    first, second, third = found.to_dict("records")
    assert (first["symbol"], first["opened"], first["closed"], first["sessions"]) == ("A", DAYS[0], DAYS[3], 3)
    assert (first["regime_opened"], first["regime_closed"], first["basket"]) == ("NEUTRAL", "SCARCE", "speculative")
    assert (first["buys"], first["sells"], first["paid"], first["received"]) == (2, 1, 162.0, 208.0)
    # The dividend of the day on which it was sold is of those who held it when the day began.
    assert (first["payments"], first["profit"], first["return"]) == (3.0, 49.0, pytest.approx(49 / 162))
    assert first["costs"] == 4.0 + 3.0
    assert (second["symbol"], second["closed"], second["sessions"], second["sells"]) == ("B", DAYS[4], 4, 0)
    assert (second["payments"], second["profit"]) == (168.0, -32.0)
    assert (third["symbol"], third["opened"], third["sessions"], third["value_at_end"]) == ("A", DAYS[3], 3, 32.0)
    assert pd.isna(third["closed"])
    assert (third["regime_closed"], third["profit"]) == ("", 1.0)


def test_less_than_a_cent_ends_a_round_trip_and_its_rest_is_part_of_the_next() -> None:
    dust = 1e-4
    found = round_trips(
        orders(
            (0, 0, "A", "buy", 10.0, 10.0, 0.0),
            (1, 1, "A", "sell", 10.0 - dust, 10.0, 0.0),
            (2, 3, "A", "buy", 1.0, 10.0, 0.0),
            (3, 4, "A", "sell", 1.0, 10.0, 0.0),
        ),
        cash(),
        pd.Series({"A": dust * 20, "B": 0.0}),
        REGIME,
        UNIVERSE,
    )
    assert found["closed"].tolist() == [DAYS[1], DAYS[4]]
    assert found["profit"].sum() == pytest.approx(dust * 20 - dust * 10 + dust * 10 - 10 * dust)


def test_nothing_was_traded() -> None:
    nothing = pd.Series({"A": 0.0, "B": 0.0})
    assert round_trips(orders(), cash(), nothing, REGIME, UNIVERSE).empty


@pytest.mark.slow
def test_round_trips_are_the_positions_of_vectorbt(sample_run: Backtest) -> None:
    """The same orders in vectorbt: profit, opening and closing session of every position."""
    import vectorbt as vbt

    engine = sample_run.engine
    closes = pd.DataFrame(sample_run.panel.close[1:], engine.equity.index, engine.positions.columns).ffill()
    for symbol in ("SIM-SAAS-A", "SIM-COIN-B", "SIM-BILL", "SIM-MEMORY-C"):
        mine = engine.orders[(engine.orders["symbol"] == symbol) & (engine.orders["size"] > 0)].set_index("session")
        assert mine.index.is_unique
        sizes = (mine["size"] * np.where(mine["side"] == "buy", 1, -1)).reindex(closes.index)
        theirs = vbt.Portfolio.from_orders(
            closes[symbol].bfill(),
            size=sizes,
            price=mine["price"].reindex(closes.index),
            fixed_fees=mine["commission"].reindex(closes.index).fillna(0.0),
            init_cash=1e9,
        ).positions.records
        ours = run_tables(sample_run)["trades"].query("symbol == @symbol")
        assert len(ours) == len(theirs) > 0
        np.testing.assert_allclose(ours["profit"], theirs["pnl"], rtol=1e-9, atol=1e-6)
        assert ours["opened"].tolist() == closes.index[theirs["entry_idx"]].tolist()
        closed = [
            day if status else pd.NaT
            for day, status in zip(closes.index[theirs["exit_idx"]], theirs["status"], strict=True)
        ]
        assert ours["closed"].tolist() == closed


def test_attribution_is_the_sum_over_days_of_what_each_holding_earned(sample_run: Backtest) -> None:
    """By hand, session by session: value after less value before, less what was paid, by the regime of the day."""
    engine, regime = sample_run.engine, sample_run.regime
    found: dict[tuple[str, str], float] = {}
    before: dict[str, float] = {}
    for day, values in engine.holdings.iterrows():
        for symbol, value in values.items():
            key = (str(regime[day]), str(symbol))
            found[key] = found.get(key, 0.0) + float(value) - before.get(str(symbol), 0.0)
            before[str(symbol)] = float(value)
    order: Any
    for order in engine.orders[engine.orders["size"] > 0].itertuples():
        sign = 1 if order.side == "buy" else -1
        found[str(regime[order.session]), order.symbol] -= sign * order.size * order.price + order.commission
    table: Any = attribution(engine, regime, sample_run.spec.universe)
    table = table[table["basket"] != "cash"]
    assert {(row.regime, row.symbol) for row in table.itertuples()} <= {*found}
    for row in table.itertuples():
        assert row.profit == pytest.approx(found[row.regime, row.symbol], rel=1e-9, abs=1e-6)
    assert sum(found.values()) == pytest.approx(table["profit"].sum(), rel=1e-9)


def test_they_add_up_on_the_sample_with_interest(sample_run: Backtest) -> None:
    assert_gains_add_up(sample_run)
    parts = run_tables(sample_run)["attribution"]
    interest = sample_run.engine.cash.query("kind == 'interest'")["amount"].sum()
    assert parts.query("symbol == 'cash' and basket == 'cash'")["profit"].sum() == pytest.approx(interest) != 0


@pytest.mark.slow
def test_both_engines_have_the_same_round_trips(sample: Any) -> None:
    spec = load_spec("sample", {"run.start": "2023-01-03"})
    event, vector = (run_tables(run_backtest(spec, sample, engine_name=name)) for name in ("event", "vector"))
    for name in ("trades", "attribution"):
        pd.testing.assert_frame_equal(event[name], vector[name], rtol=1e-9, atol=1e-6)


@pytest.mark.slow
def test_they_add_up_in_runs_of_every_kind(tmp_path: Any) -> None:
    for run in edge_runs(tmp_path).values():
        assert_gains_add_up(run)


@pytest.mark.slow
@pytest.mark.real_history
def test_they_add_up_on_real_history(history: Any) -> None:
    assert_gains_add_up(run_backtest(load_spec("history"), history))


def test_they_are_written_and_read_back_to_the_same_gain(sample_run: Backtest, tmp_path: Any) -> None:
    folder = write_run(sample_run, tmp_path / "run")
    equity = pd.read_csv(folder / "equity.csv")["equity"].iloc[-1]
    trades, parts = (pd.read_csv(folder / name) for name in ("trades.csv", "attribution.csv"))
    cash = pd.read_csv(folder / "cash.csv").query("kind == 'interest'")["amount"].sum()
    assert parts["profit"].sum() == pytest.approx(equity - 100_000, rel=1e-9)
    assert trades["profit"].sum() + cash == pytest.approx(equity - 100_000, rel=1e-9)
    assert trades["closed"].isna().any()
