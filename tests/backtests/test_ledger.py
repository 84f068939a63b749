"""The ledger and Backtrader find the same equity for the same plan."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.engines.event_engine import run_event_engine
from backtests.engines.ledger import run_ledger
from backtests.execution.fill_rules import fill_rules
from backtests.measures.performance import order_flows
from backtests.prepare.plans import make_run_plan, run_baseline_plans
from backtests.prepare.signal import read_signal
from backtests.spec.costs import Costs
from backtests.spec.spec import load_spec
from data.prices.panel import build_panel
from hand_made import make_instrument, make_snapshot
from strategies.order_rules import OrderRulesConfig
from strategies.policy import Plan


def assert_engines_agree(panel, plan, instruments, costs, rules, cash, interest=None):
    fills = fill_rules(panel, instruments, costs, rules, interest)
    event, ledger = run_event_engine(fills, plan, rules, cash), run_ledger(fills, plan, rules, cash)
    np.testing.assert_allclose(ledger.equity.to_numpy(), event.equity["equity"].to_numpy(), rtol=1e-9)
    np.testing.assert_allclose(ledger.cash.to_numpy(), event.equity["cash"].to_numpy(), rtol=1e-9, atol=1e-4)
    flows = order_flows(event.orders, event.equity.index)
    np.testing.assert_allclose(ledger.traded.to_numpy(), flows["traded"].to_numpy(), rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(ledger.costs.to_numpy(), flows["costs"].to_numpy(), rtol=1e-9, atol=1e-6)
    return event


def every_plan(snapshot, spec_name, start, end):
    spec = load_spec(spec_name, {"run.start": start, "run.end": end})
    symbols = (*spec.universe.symbols, spec.universe.benchmark)
    market = build_panel(snapshot, symbols, pd.Timestamp(start), pd.Timestamp(end))
    signal = read_signal(spec, snapshot, market.decides_for[-1])
    baselines = run_baseline_plans(spec, snapshot, market, signal)
    return spec, market, {"strategy": make_run_plan(spec, snapshot, market, signal), **baselines}


def test_every_baseline_on_the_sample(sample):
    spec, market, plans = every_plan(sample, "sample", "2021-01-04", "2024-06-28")
    assert list(plans) == [
        "strategy",
        "benchmark",
        "static_mix",
        "always_speculative",
        "always_cash_flow",
        "inverse_rotation",
        "moving_average",
        "price_momentum",
        "signal_without_drain",
        "gate_alone",
    ]
    for plan in plans.values():
        assert_engines_agree(market, plan, sample.instruments, spec.costs, spec.order_rules, 100_000.0)


@pytest.mark.real_history
@pytest.mark.slow
def test_every_baseline_on_real_history(history):
    spec, market, plans = every_plan(history, "history", "2017-01-03", "2026-10-08")
    for plan in plans.values():
        assert_engines_agree(market, plan, history.instruments, spec.costs, spec.order_rules, 100_000.0)


DEAR = {
    "commission_bp": 10.0,
    "commission_per_unit": 0.01,
    "minimum_commission": 0.5,
    "maximum_commission_bp": 500.0,
    "half_spread_bp": 5.0,
    "slippage_bp": 5.0,
    "volume_impact": 0.1,
    "participation": 0.2,
    "minimum_notional": 2.0,
}
EVERY_COST = {
    "defaults": {},
    "alpaca": {"preset": "alpaca"},
    "every kind": {"crypto": DEAR, "us_stock": DEAR, "settlement_sessions": 3},
}


@pytest.mark.parametrize("costs", EVERY_COST.values(), ids=EVERY_COST)
@pytest.mark.parametrize("seed", range(4))
def test_random_plans_with_gaps_halts_blank_opens_and_close_outs(seed, costs):
    rng = np.random.default_rng(seed)
    days = pd.date_range("2023-01-03", "2023-12-29")
    sessions = days[days.day_of_week < 5]
    bars = {}
    for name in ("COIN", "A", "B", "C"):
        index = days if name == "COIN" else sessions
        price = 50 * np.exp(np.cumsum(rng.normal(0, 0.04, len(index))))
        keep = rng.random(len(index)) > 0.05
        keep[:2] = True
        if name == "C":
            keep[120:] = False
        opens = [None if rng.random() < 0.05 else p * rng.uniform(0.9, 1.1) for p in price]
        rows = zip(index.strftime("%Y-%m-%d"), opens, price, keep, strict=True)
        bars[name] = [(day, open_, close) for day, open_, close, kept in rows if kept]
    snapshot = make_snapshot(bars, {"COIN": make_instrument("crypto")})
    volume = np.where(rng.random(len(snapshot.bars)) > 0.05, rng.uniform(1.0, 60.0, len(snapshot.bars)), np.nan)
    snapshot = replace(snapshot, bars=snapshot.bars.assign(volume=volume))
    panel = build_panel(snapshot, tuple(bars), pd.Timestamp("2023-01-05"), pd.Timestamp("2023-12-29"))
    weights = rng.dirichlet(np.ones(5), len(panel.decides_for))[:, :4] * (rng.random((len(panel.decides_for), 4)) > 0.3)
    plan = Plan(
        pd.DataFrame(weights, panel.decides_for, list(panel.symbols)),
        pd.Series(rng.random(len(panel.decides_for)) > 0.8, panel.decides_for),
    )
    rules = OrderRulesConfig(stale_sessions=5, trade_to="band_edge", adjustment=0.8)
    interest = np.append(0.0, rng.uniform(0.0, 2e-4, len(panel.sessions) - 1))
    event = assert_engines_agree(
        panel, plan, snapshot.instruments, Costs.model_validate(costs), rules, 1_000.0, interest
    )
    statuses = set(event.orders["status"])
    assert {"filled", "unfilled"} <= statuses
    assert "rejected" not in statuses
    assert event.equity["cash"].min() >= 0.0
    assert "interest" in set(event.cash["kind"])
