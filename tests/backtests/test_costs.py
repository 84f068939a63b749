"""Costs and limits by asset class, in the spec and in the fills of both engines."""

import numpy as np
import pandas as pd
import pytest

from backtests.engines.event_engine import run_event_engine
from backtests.engines.ledger import run_ledger
from backtests.execution.fill_rules import fill_rules
from backtests.spec.costs import Costs, basis_warnings, trade_terms
from backtests.spec.spec import load_spec
from data.errors import InputError
from data.prices.panel import build_panel
from hand_made import make_instrument, make_snapshot
from strategies.order_rules import OrderRulesConfig
from strategies.policy import Plan

SIX = ("2024-04-08", "2024-04-09", "2024-04-10", "2024-04-11", "2024-04-12", "2024-04-15")
COLUMNS = ["session", "symbol", "side", "size", "price", "commission", "slippage", "status", "reason"]


def run(snapshot, targets, costs, cash=1000.0):
    """Hand-made targets through both engines, which agree; the orders and the equity of Backtrader."""
    symbols = tuple(sorted({symbol for weights in targets.values() for symbol in weights}))
    panel = build_panel(snapshot, symbols, pd.Timestamp(SIX[1]), pd.Timestamp(SIX[5]))
    frame = pd.DataFrame(np.nan, index=panel.decides_for, columns=list(symbols))
    for session, weights in targets.items():
        frame.loc[pd.Timestamp(session)] = [weights.get(symbol, 0.0) for symbol in symbols]
    rebalance = pd.Series(panel.decides_for.isin(pd.to_datetime(list(targets))), panel.decides_for)
    plan = Plan(frame.ffill().fillna(0.0), rebalance)
    rules = OrderRulesConfig(band=0.0, minimum_order=0.0)
    fills = fill_rules(panel, snapshot.instruments, Costs.model_validate(costs), rules)
    event, ledger = run_event_engine(fills, plan, rules, cash), run_ledger(fills, plan, rules, cash)
    np.testing.assert_allclose(ledger.equity, event.equity["equity"], rtol=1e-12)
    return event.orders[COLUMNS].astype({"session": str}), event.equity


def flat(price=10.0, days=SIX):
    return [(day, price, price) for day in days]


def test_every_cost_of_a_round_trip_to_the_cent():
    """1,000 dollars at 10.00: bought at 10.02, sold at 9.98; 0.01 a unit, 10 bp, at least 2 dollars an order."""
    stock = {
        "commission_bp": 10.0,
        "commission_per_unit": 0.01,
        "minimum_commission": 2.0,
        "half_spread_bp": 15.0,
        "slippage_bp": 5.0,
    }
    orders, equity = run(make_snapshot({"X": flat()}), {SIX[1]: {"X": 1.0}, SIX[3]: {"X": 0.0}}, {"us_stock": stock})
    buy, sell = orders.to_dict("records")
    # 10 bp of 997 dollars and a cent each on 99.6 units are 1.99: the minimum of 2 dollars is charged.
    units = (1000.0 - 2.0) / 10.02
    assert (buy["price"], buy["commission"]) == (pytest.approx(10.02), pytest.approx(2.0))
    assert buy["size"] == pytest.approx(units, rel=1e-8)
    assert buy["slippage"] == pytest.approx(units * 0.02, rel=1e-8)
    assert (sell["price"], sell["commission"]) == (pytest.approx(9.98), pytest.approx(2.0))
    assert equity["cash"].iloc[-1] == pytest.approx(units * 9.98 - 2.0, rel=1e-8)


def test_what_the_participation_limit_leaves_is_planned_anew():
    """10% of a volume of 300 units a session: 30, 30, 30, and the last 10 of a hundred."""
    snapshot = make_snapshot({"X": flat()})
    snapshot.bars["volume"] = 300.0
    orders, _ = run(snapshot, {SIX[1]: {"X": 1.0}}, {"us_stock": {"commission_bp": 0.0, "participation": 0.1}})
    assert orders["size"].tolist() == pytest.approx([30.0, 30.0, 30.0, 10.0])
    assert orders["status"].tolist() == ["reduced"] * 3 + ["filled"]
    assert set(orders["reason"][:3]) == {"cut to the participation limit"}


def test_settled_money_reaches_coins_after_two_sessions():
    """Sold at the open of the 11th: after one session the coin is bought on the 12th, after two on the 15th."""
    days = pd.date_range(SIX[0], SIX[5]).strftime("%Y-%m-%d")
    snapshot = make_snapshot({"COIN": flat(100.0, days), "STOCK": flat()}, {"COIN": make_instrument("crypto")})
    free = {name: {"commission_bp": 0.0} for name in ("crypto", "us_stock", "us_etf")}
    targets = {SIX[1]: {"STOCK": 1.0, "COIN": 0.0}, SIX[3]: {"STOCK": 0.0, "COIN": 1.0}}
    for sessions, bought in ((1, SIX[4]), (2, SIX[5])):
        orders, _ = run(snapshot, targets, free | {"settlement_sessions": sessions})
        coins = orders[(orders["symbol"] == "COIN") & (orders["status"] == "filled")]
        assert coins["session"].tolist() == [bought]


def test_money_that_stocks_take_back_the_same_session_is_not_waited_for():
    """A stock is sold for another one: nothing is in settlement, the coin's own money is free."""
    days = pd.date_range(SIX[0], SIX[5]).strftime("%Y-%m-%d")
    snapshot = make_snapshot({"COIN": flat(100.0, days), "A": flat(), "B": flat()}, {"COIN": make_instrument("crypto")})
    free = {name: {"commission_bp": 0.0} for name in ("crypto", "us_stock", "us_etf")} | {"settlement_sessions": 2}
    targets = {SIX[1]: {"A": 0.5}, SIX[3]: {"B": 0.5}, SIX[4]: {"B": 0.5, "COIN": 0.5}}
    orders, _ = run(snapshot, targets, free)
    assert orders.iloc[-1][["session", "symbol", "status"]].tolist() == [SIX[4], "COIN", "filled"]


def test_defaults_hold_under_what_a_spec_leaves_out():
    costs = Costs.model_validate({"crypto": {"half_spread_bp": 5.0}})
    assert costs.crypto.commission_bp == 25.0
    assert costs.us_stock == Costs().us_stock
    assert Costs().us_stock.commission_bp == 5.0


def test_a_spec_wins_over_its_preset_and_reads_back_the_same(tmp_path):
    spec = load_spec("sample", {"costs.preset": "alpaca", "costs.us_stock.half_spread_bp": 2})
    assert (spec.costs.settlement_sessions, spec.costs.us_stock.half_spread_bp) == (2, 2.0)
    assert (spec.costs.us_etf.half_spread_bp, spec.costs.us_stock.commission_bp) == (5.0, 0.0)
    path = tmp_path / "spec.toml"
    path.write_text(spec.to_toml())
    assert load_spec(str(path)).costs == spec.costs


def test_the_preset_of_interactive_brokers_charges_its_own_examples():
    from strategies.trade_terms import commission

    costs = Costs.model_validate({"preset": "interactive_brokers"})
    terms = trade_terms(["X"], {"X": make_instrument()}, costs)
    for units, price, fee in ((100.0, 25.0, 1.0), (1000.0, 25.0, 5.0), (1000.0, 0.25, 2.5)):
        assert commission(units, price, terms, 0) == pytest.approx(fee)


def test_scaled_costs_multiply_prices_and_leave_limits():
    costs = Costs.model_validate({"preset": "interactive_brokers", "crypto": {"participation": 0.1}}).scaled(2.0)
    assert costs.us_stock.commission_per_unit == 0.01
    assert costs.us_stock.maximum_commission_bp == 200.0
    assert costs.crypto.half_spread_bp == 10.0
    assert costs.crypto.participation == 0.1
    with pytest.raises(InputError, match=r"costs times 1000, wanted a smaller multiple"):
        costs.scaled(1000.0)


def test_adjusted_prices_warn_of_what_they_distort():
    notional = Costs.model_validate({"us_etf": {"minimum_notional": 1.0}})
    (warning,) = basis_warnings(notional, ["us_etf", "us_stock"], "adjusted")
    assert warning.startswith("costs.us_etf.minimum_notional: on adjusted prices a holding is worth what it became")
    assert "raw" not in warning
    assert basis_warnings(notional, ["us_etf"], "raw") == basis_warnings(notional, ["us_stock"], "adjusted") == ()


def test_borrowing_is_refused_by_name():
    for key in ("policy.leverage", "order_rules.borrowing", "costs.margin"):
        with pytest.raises(InputError, match="borrowing and short sales are not supported"):
            load_spec("sample", {key: 1})


def test_dust_that_cannot_be_sold_is_counted_and_told(sample):
    """From 20,000 dollars an order on, most stocks of a book of 100,000 are never sold once they are held."""
    from backtests.run import run_backtest

    spec = load_spec("sample", {"costs.us_stock.minimum_notional": 20000})
    run = run_backtest(spec, sample)
    positions, targets = run.engine.positions, run.plan.targets.reindex(run.engine.positions.index)
    stock = next(iter(run.counts.dust))
    kept = (positions[stock] > 0) & (targets[stock] == 0)
    assert 0 < run.counts.dust[stock] <= kept.sum()
    assert f"{stock} was kept on {run.counts.dust[stock]} sessions because" in " ".join(run.notes)
    assert run_backtest(load_spec("sample"), sample).counts.dust == {}


def test_a_volume_that_is_not_known_is_told_where_it_is_asked_for(sample):
    from dataclasses import replace

    from backtests.run import run_backtest

    blank = (sample.bars["symbol"] == "SIM-BILL") & (sample.bars["date"] >= "2026-02-02")
    market = replace(sample, bars=sample.bars.assign(volume=sample.bars["volume"].mask(blank)))
    days = {"run.start": "2026-01-02", "run.end": "2026-02-06"}
    limited = run_backtest(load_spec("sample", {"costs.us_etf.participation": 0.1} | days), market)
    assert limited.counts.bars_without_volume == {"SIM-BILL": 5}
    assert "SIM-BILL has 5 bars without a volume in the run" in " ".join(limited.warnings)
    assert run_backtest(load_spec("sample", days), market).counts.bars_without_volume == {}


def test_cash_without_a_known_bill_is_told(sample):
    from dataclasses import replace

    from backtests.run import run_backtest

    market = replace(sample, series=sample.series[sample.series["series"] != "DGS3MO"])
    days = {"run.start": "2026-01-02", "run.end": "2026-01-30"}
    run = run_backtest(load_spec("sample", {"cash.interest": "bill"} | days), market)
    assert any("Sharpe, Sortino and idle cash take 0 there" in warning for warning in run.warnings)
    assert set(run.engine.cash["kind"]) == {"deposit"}
