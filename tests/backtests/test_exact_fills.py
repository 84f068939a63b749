"""Fills to the last unit: money that exactly pays, orders that cannot be, residues of rounding."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backtests.engines.event_engine import run_event_engine
from backtests.engines.ledger import run_ledger
from backtests.engines.vector_engine import run_vector_engine
from backtests.execution.fill_rules import fill_rules
from backtests.run import Backtest, run_backtest
from backtests.spec.costs import Costs
from backtests.spec.spec import load_spec
from data.clock import sessions_between
from data.market.snapshot import Snapshot
from data.prices.panel import build_panel
from engines import assert_same_books
from hand_made import make_instrument, make_snapshot
from strategies.order_rules import OrderRulesConfig
from strategies.policy import Plan

DAYS = [f"{day:%Y-%m-%d}" for day in sessions_between(pd.Timestamp("2024-01-02"), pd.Timestamp("2024-05-31"))]
FREE = {name: {"commission_bp": 0.0} for name in ("crypto", "us_stock", "us_etf")}


def market_of(prices: Mapping[str, float], quantum: float = 1e-6) -> Snapshot:
    """A market in which nothing moves."""
    bars = {symbol: [(day, price, price) for day in DAYS] for symbol, price in prices.items()}
    return make_snapshot(bars, {symbol: make_instrument(quantum=quantum) for symbol in prices}, as_traded=True)


def scarce_run(
    snapshot: Snapshot, cash_flow: tuple[str, ...], folder: Path, cash: float = 1000.0, **values: object
) -> Backtest:
    """A run whose regime is SCARCE throughout, all of it in one basket, without costs."""
    (folder / "regimes.csv").write_text("known_at,regime\n2023-12-01T00:00:00+00:00,SCARCE\n")
    given = {
        "run": {"name": "exact", "start": "2024-01-10", "prices": "raw", "initial_cash": cash},
        "universe": {"speculative": ["UNUSED"], "cash_flow": list(cash_flow), "benchmark": "UNUSED"},
        "signal.source": str(folder / "regimes.csv"),
        "policy.instrument_cap": 1.0,
        "policy.budgets": {"SCARCE": {"speculative": 0.0, "cash_flow": 1.0, "reserve": 0.0}},
        "costs": FREE,
    }
    return run_backtest(load_spec("sample", given | values), snapshot)


@pytest.mark.parametrize(("units", "bought"), [("whole", 10.0), ("fractional", 10.0)])
def test_money_that_exactly_pays_buys_the_last_unit(tmp_path, units, bought):
    """1,000 US dollars at 100: ten units, to the bit, and no cent is left."""
    costs = FREE | {"us_stock": {"commission_bp": 0.0, "units": units}}
    run = scarce_run(market_of({"X": 100.0, "UNUSED": 50.0}), ("X",), tmp_path, costs=costs)
    assert run.engine.orders[["symbol", "size", "status"]].values.tolist() == [["X", bought, "filled"]]
    assert run.engine.equity["cash"].tolist() == [0.0] * len(run.sessions)


def test_an_order_that_cannot_be_is_counted_once_a_rebalancing_and_not_sent(tmp_path):
    """Three stocks in whole units, one of them at 900,000: the others trade as they do where it costs 100."""
    days = {}
    for dear in (100.0, 900_000.0):
        costs = FREE | {"us_stock": {"commission_bp": 0.0, "units": "whole"}}
        drift = {"A": 1.002, "B": 0.999, "DEAR": 1.0}
        bars = {
            symbol: [(day, price * step**row, price * step**row) for row, day in enumerate(DAYS)]
            for (symbol, step), price in zip(drift.items(), (40.0, 70.0, dear), strict=True)
        } | {"UNUSED": [(day, 50.0, 50.0) for day in DAYS]}
        run = scarce_run(
            make_snapshot(bars, as_traded=True),
            ("A", "B", "DEAR"),
            tmp_path,
            100_000.0,
            **{"costs": costs, "order_rules.band": 0.0},
        )
        orders = run.engine.orders
        days[dear] = sorted(set(orders[orders["symbol"] != "DEAR"]["session"]))
        assert set(orders["status"]) == {"filled"}
    # From January to May.
    assert len(days[900_000.0]) == 5
    assert days[900_000.0] == days[100.0]
    assert "DEAR" not in set(orders["symbol"])
    assert run.counts.unsent == {"DEAR": 5}
    assert any(warning.startswith("DEAR was to be traded for less than its smallest unit") for warning in run.notes)


def test_a_sell_of_less_than_a_unit_is_not_sent(make_plan):
    snapshot = market_of({"X": 400.0}, quantum=1.0)
    event, ledger = make_plan(snapshot, [{"X": 0.9}, {"X": 0.7}], 1000.0)
    assert event.orders["size"].tolist() == [2.0]
    assert event.unsent.to_dict() == {("X", "less than the smallest unit"): 1}
    assert ledger.traded.sum() == 800.0


@pytest.mark.parametrize("left", [4.6e-07, 0.0099])
def test_a_residue_below_a_cent_is_no_order_and_no_reason_to_plan_anew(make_plan, left):
    """Bought for all but a residue, then asked for all: nothing happens, however small the smallest order may be."""
    months = [{"X": 1.0 - left / 1000.0}, {"X": 1.0}, {"X": 1.0}]
    event, ledger = make_plan(market_of({"X": 100.0}, 1e-9), months, 1000.0)
    assert event.orders["status"].tolist() == ["filled"]
    assert ledger.traded.sum() == pytest.approx(1000.0 - left)


def test_a_cent_is_an_order(make_plan):
    event, _ = make_plan(market_of({"X": 100.0}, 1e-9), [{"X": 1.0 - 0.011 / 1000.0}, {"X": 1.0}], 1000.0)
    assert event.orders["status"].tolist() == ["filled", "filled"]


def test_only_what_fell_short_is_planned_anew(make_plan):
    """A may take 10 units a session; B has moved since, but was filled as it wanted: it is left alone."""
    b = [(day, price, price) for day, price in zip(DAYS, np.linspace(50.0, 80.0, len(DAYS)), strict=True)]
    snapshot = make_snapshot({"A": [(day, 10.0, 10.0) for day in DAYS], "B": b}, as_traded=True)
    snapshot.bars["volume"] = np.where(snapshot.bars["symbol"] == "A", 100.0, 1e9)
    costs = FREE | {"us_stock": {"commission_bp": 0.0, "participation": 0.1}}
    event, _ = make_plan(snapshot, [{"A": 0.4, "B": 0.5}], 1000.0, costs)
    assert event.orders["symbol"].tolist()[:5] == ["A", "B", "A", "A", "A"]
    assert event.orders.query("symbol == 'A'")["size"].tolist()[:4] == [10.0] * 4
    assert (event.orders["symbol"] == "B").sum() == 1


@pytest.fixture(scope="module")
def make_plan():
    """Play targets, one mapping of weights a month, through both engines, which must agree; no band, no minimum."""

    def play(snapshot, monthly, cash, costs=FREE):
        symbols = tuple(monthly[0])
        panel = build_panel(snapshot, symbols, pd.Timestamp(DAYS[3]), pd.Timestamp(DAYS[-1]), "raw")
        month = panel.decides_for.month - 1
        rows = [monthly[min(place, len(monthly) - 1)] for place in month]
        begins = np.append(True, np.diff(month) != 0) & (month < len(monthly))
        plan = Plan(pd.DataFrame(rows, panel.decides_for), pd.Series(begins, panel.decides_for))
        rules = OrderRulesConfig(band=0.0, minimum_order=0.0)
        fills = fill_rules(panel, snapshot.instruments, Costs.model_validate(costs), rules)
        event, ledger = run_event_engine(fills, plan, rules, cash), run_ledger(fills, plan, rules, cash)
        np.testing.assert_allclose(ledger.equity, event.equity["equity"], rtol=1e-12)
        np.testing.assert_allclose(ledger.cash, event.equity["cash"], rtol=1e-9, atol=1e-9 * cash)
        assert_same_books(run_vector_engine(fills, plan, rules, cash), event)
        return event, ledger

    return play


whole_counts = st.lists(st.tuples(st.integers(1, 100_000), st.integers(1, 50_000)), min_size=1, max_size=4)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@example(counts=[(1013, 27077), (1, 2)], rate_bp=5, spread_bp=0, quantum=1.0)  # two cents beside 274,290 dollars
@given(
    counts=whole_counts,
    rate_bp=st.sampled_from([0, 5, 25]),
    spread_bp=st.sampled_from([0, 3]),
    quantum=st.sampled_from([1.0, 0.01, 1e-6]),
)
def test_money_that_exactly_pays_buys_the_last_unit_of_anything(make_plan, counts, rate_bp, spread_bp, quantum):
    """Prices in cents, costs in basis points: the cash is, as an exact fraction, what so many units cost."""
    prices = {f"S{place}": cents / 100 for place, (cents, _) in enumerate(counts)}
    worse = (1 + Fraction(spread_bp, 10_000)) * (1 + Fraction(rate_bp, 10_000))
    owed = [Fraction(cents, 100) * units * Fraction(str(quantum)) * worse for cents, units in counts]
    if min(owed) < Fraction(1, 50):  # a few parts of a cent are nothing
        return
    costs = FREE | {"us_stock": {"commission_bp": float(rate_bp), "half_spread_bp": float(spread_bp)}}
    weights = {symbol: float(share / sum(owed)) for symbol, share in zip(prices, owed, strict=True)}
    event, _ = make_plan(market_of(prices, quantum), [weights], float(sum(owed)), costs)
    assert event.orders["status"].tolist() == ["filled"] * len(counts)
    assert event.orders["size"].tolist() == pytest.approx([units * quantum for _, units in counts], rel=1e-12)
    assert event.equity["cash"].min() >= 0.0
    assert event.equity["cash"].max() <= 1e-9 * float(sum(owed))


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    prices=st.lists(st.floats(0.5, 5_000.0), min_size=2, max_size=4),
    dear=st.floats(1e5, 1e7),
    months=st.integers(1, 4),
    cash=st.floats(50_000.0, 99_000.0),
)
def test_what_cannot_be_bought_changes_nothing_for_the_others(make_plan, prices, dear, months, cash):
    """Beside an instrument whose unit costs more than everything, the others trade as beside one that is not wanted."""
    share = 1.0 / (len(prices) + 1)
    names = [f"S{place}" for place in range(len(prices))]
    market = market_of(dict(zip(names, prices, strict=True)) | {"DEAR": dear}, quantum=1.0)
    beside = [dict.fromkeys([*names, "DEAR"], share)] * months
    alone = [dict.fromkeys(names, share) | {"DEAR": 0.0}] * months
    with_dear, without = make_plan(market, beside, cash)[0], make_plan(market, alone, cash)[0]
    pd.testing.assert_frame_equal(with_dear.orders, without.orders)
    assert with_dear.unsent.xs("DEAR").to_dict() == {"less than the smallest unit": months}


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    price=st.floats(0.5, 90_000.0),
    cash=st.floats(1_000.0, 1e7),
    cents=st.floats(0.0, 0.009),
    months=st.integers(1, 3),
)
def test_less_than_a_cent_is_never_an_order_nor_a_shortfall(make_plan, price, cash, cents, months):
    """Bought for all but less than a cent, then asked for all, month after month: one order, and no plan anew."""
    first = 1.0 - cents / cash
    event, ledger = make_plan(market_of({"X": price}, 1e-9), [{"X": first}, *[{"X": 1.0}] * months], cash)
    assert event.orders["status"].tolist() == ["filled"]
    assert ledger.traded.sum() == pytest.approx(cash, abs=0.02)
