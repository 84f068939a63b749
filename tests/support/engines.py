"""Runs of one plan through every engine, and panels in which everything happens that can."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from backtests.engines.event_engine import run_event_engine
from backtests.engines.ledger import run_ledger
from backtests.engines.vector_engine import run_vector_engine
from backtests.execution.fill_rules import FillRules, fill_rules
from backtests.execution.result import EngineResult
from backtests.spec.costs import Costs
from data.prices.conversions import Conversion
from data.prices.panel import Panel, build_panel
from hand_made import make_instrument, make_snapshot
from strategies.order_rules import OrderRulesConfig
from strategies.policy import Plan

CLOSE = 1e-12  # of equity
# The largest difference that was found, of what; `tests/fuzz` prints it.
LARGEST: dict[str, float] = {}
BP_KEYS = ("commission_bp", "maximum_commission_bp", "half_spread_bp", "slippage_bp")


def assert_engines_agree(fills: FillRules, plan: Plan, rules: OrderRulesConfig, cash: float) -> EngineResult:
    """Vector engine, Backtrader and ledger: equity, cash and holdings to 1e-12 of equity, orders one by one."""
    vector, event = (run(fills, plan, rules, cash) for run in (run_vector_engine, run_event_engine))
    ledger = run_ledger(fills, plan, rules, cash)
    assert_same_books(vector, event)
    equity = vector.equity["equity"].to_numpy()
    _assert_close("equity, ledger", ledger.equity / equity, 1.0)
    _assert_close("cash, ledger", ledger.cash / equity, vector.equity["cash"] / equity)
    held = ledger.holdings.reindex(columns=vector.holdings.columns, fill_value=0.0)
    _assert_close("holdings, ledger", held.to_numpy() / equity[:, None], vector.holdings.to_numpy() / equity[:, None])
    paid = (vector.orders["commission"] + vector.orders["slippage"]).groupby(vector.orders["session"]).sum().to_dict()
    costs = np.array([paid.get(session, 0.0) for session in vector.equity.index])
    # The haircut of a close-out is a cost without an order.
    closed_out = set(vector.cash.loc[vector.cash["kind"] == "close_out", "session"])
    is_plain = np.array([session not in closed_out for session in vector.equity.index])
    _assert_close("costs, ledger", (ledger.costs.to_numpy() / equity)[is_plain], (costs / equity)[is_plain])
    return vector


def assert_same_books(vector: EngineResult, event: EngineResult) -> None:
    equity = event.equity["equity"].to_numpy()
    _assert_close("equity", vector.equity["equity"] / equity, 1.0)
    _assert_close("cash", vector.equity["cash"] / equity, event.equity["cash"] / equity)
    _assert_close("holdings", *(each.holdings.to_numpy() / equity[:, np.newaxis] for each in (vector, event)))
    np.testing.assert_allclose(vector.positions.to_numpy(), event.positions.to_numpy(), rtol=1e-9)
    _assert_same_rows(vector.orders, event.orders, ("size", "size_wanted", "price", "commission", "slippage"), equity)
    _assert_same_rows(vector.cash, event.cash, ("amount", "units"), equity)
    _assert_same_rows(vector.next_orders, event.next_orders, ("size_wanted", "money"), equity)
    pd.testing.assert_series_equal(vector.unsent, event.unsent)
    pd.testing.assert_frame_equal(vector.decided, event.decided, rtol=1e-9, atol=1e-9)
    assert list(vector.sent) == list(event.sent)


def _assert_close(what: str, mine: Any, theirs: Any) -> None:
    """To 1e-12 of equity."""
    difference = np.abs(np.asarray(mine, dtype=float) - np.asarray(theirs, dtype=float))
    LARGEST[what] = max(LARGEST.get(what, 0.0), float(difference.max(initial=0.0)))
    np.testing.assert_array_less(difference, CLOSE, err_msg=what)


def _assert_same_rows(mine: pd.DataFrame, theirs: pd.DataFrame, numbers: Sequence[str], equity: np.ndarray) -> None:
    """Words, days and counts exactly; numbers to 1e-9, or what is nothing beside the equity."""
    pd.testing.assert_frame_equal(mine.drop(columns=list(numbers)), theirs.drop(columns=list(numbers)))
    for name in numbers:
        np.testing.assert_allclose(
            mine[name].to_numpy(float), theirs[name].to_numpy(float), rtol=1e-9, atol=CLOSE * equity.max(), err_msg=name
        )


def random_run(seed: int) -> tuple[FillRules, Plan, OrderRulesConfig, float]:
    """A panel with gaps, blank opens, splits, dividends, delistings and coins, and a plan, rules and costs for it."""
    rng = np.random.default_rng(seed)
    days = pd.date_range("2023-01-03", "2023-07-31")
    sessions = days[days.day_of_week < 5]
    names = ("COIN", "COIN-B", "A", "B", "C", "D")
    bars: dict[str, list[Any]] = {}
    for name in names:
        index = days if name.startswith("COIN") else sessions
        price = rng.uniform(1, 900) * np.exp(np.cumsum(rng.normal(0, 0.04, len(index))))
        keep = rng.random(len(index)) > rng.choice([0.0, 0.05])
        keep[:2] = True
        if name == "C" and rng.random() < 0.7:
            keep[90:] = False
        opens = [None if rng.random() < 0.03 else p * rng.uniform(0.9, 1.1) for p in price]
        rows = zip(index.strftime("%Y-%m-%d"), opens, price, keep, strict=True)
        bars[name] = [(day, open_, close) for day, open_, close, kept in rows if kept]
    quanta = {name: float(rng.choice([1.0, 0.5, 1e-6, 1e-9])) for name in names}
    instruments = {
        name: make_instrument("crypto" if name.startswith("COIN") else "us_stock", quantum=quanta[name])
        for name in names
    }
    snapshot = make_snapshot(bars, instruments)
    volume = np.where(rng.random(len(snapshot.bars)) > 0.05, rng.uniform(1.0, 60.0, len(snapshot.bars)), np.nan)
    snapshot = replace(snapshot, bars=snapshot.bars.assign(volume=volume))
    panel = with_actions(rng, build_panel(snapshot, names, pd.Timestamp("2023-01-05"), pd.Timestamp("2023-07-31")))
    shape = (len(panel.decides_for), len(names))
    weights = rng.dirichlet(np.ones(len(names) + 1), len(panel.decides_for))[:, : len(names)]
    weights = weights * (rng.random(shape) > 0.3)
    plan = Plan(
        pd.DataFrame(weights, panel.decides_for, list(panel.symbols)),
        pd.Series(rng.random(len(panel.decides_for)) > rng.choice([0.0, 0.5, 0.9]), panel.decides_for),
    )
    rules = OrderRulesConfig(
        band=float(rng.choice([0.0, 0.02, 0.1])),
        trade_to=str(rng.choice(["target", "band_edge"])),
        adjustment=float(rng.choice([1.0, 0.6])),
        minimum_order=float(rng.choice([0.0, 0.001, 0.05])),
        stale_sessions=int(rng.integers(1, 12)),
    )
    interest = np.append(0.0, rng.uniform(0.0, 2e-4, len(panel.sessions) - 1)) * rng.choice([0.0, 1.0])
    costs = {"crypto": _costs(rng), "us_stock": _costs(rng), "settlement_sessions": int(rng.choice([1, 3, 5]))}
    fills = fill_rules(panel, snapshot.instruments, Costs.model_validate(costs), rules, interest)
    return fills, plan, rules, float(rng.choice([100.0, 1e5]))


def with_actions(rng: np.random.Generator, panel: Panel) -> Panel:
    """Splits, dividends, a delisting, a spin-off and a change of symbol, at some sessions."""
    count, width = panel.open.shape
    split, dividend = np.ones((count, width)), np.zeros((count, width))
    ended, payout, opens = np.zeros((count, width), dtype=bool), np.full((count, width), np.nan), panel.open.copy()
    for place in range(width):
        split[rng.integers(2, count, 2), place] = rng.choice([3.0, 0.1, 1.5])
        dividend[rng.integers(2, count, 3), place] = rng.uniform(0, 2)
    gone = int(rng.integers(60, count))
    ended[gone, 5], payout[gone, 5], opens[gone:, 5] = True, rng.choice([np.nan, 0.0, 31.0]), np.nan
    conversions = [
        Conversion(panel.sessions[int(rng.integers(20, count))], *pair, 0.7, 12.0, keeps)
        for pair, keeps in ((("A", "B"), True), (("B", "A"), False))
        if rng.random() < 0.5
    ]
    changed: dict[str, Any] = {"split": split, "dividend": dividend, "ended": ended, "payout": payout, "open": opens}
    return replace(panel, conversions=tuple(conversions), **changed)


def _costs(rng: np.random.Generator) -> Mapping[str, Any]:
    """Each cost and limit, or none of its kind."""
    some = {name: float(rng.uniform(0, 100)) for name in BP_KEYS}
    some |= {
        "commission_per_unit": float(rng.uniform(0, 0.02)),
        "minimum_commission": float(rng.uniform(0, 1)),
        "volume_impact": float(rng.uniform(0, 0.2)),
        "participation": float(rng.uniform(0.05, 1)),
        "minimum_notional": float(rng.uniform(0, 5)),
    }
    return {name: value for name, value in some.items() if rng.random() < 0.5} | {
        "units": str(rng.choice(["fractional", "whole"]))
    }
