"""Whatever a valid spec says: weights and cash make up all of equity, nothing is owed, no order is rejected, and the
ledger and any other order of the symbols come to the same."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from any_spec import KEYS, LEFT, LISTED, any_market, assert_whole, paths, spec_of, specs
from backtests.engines.event_engine import run_event_engine
from backtests.engines.ledger import run_ledger
from backtests.run import Backtest, run_backtest
from backtests.spec.spec import Spec


@pytest.fixture(scope="module")
def market():
    return any_market()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("any-spec")


def assert_ledger_agrees(run: Backtest) -> None:
    ledger = run_ledger(run.prepared.rules, run.plan, run.spec.order_rules, run.spec.run.initial_cash)
    equity = run.engine.equity["equity"].to_numpy()
    np.testing.assert_allclose(ledger.equity.to_numpy(), equity, rtol=1e-9)
    np.testing.assert_allclose(ledger.cash.to_numpy() / equity, run.engine.equity["cash"] / equity, atol=1e-9)


def assert_order_of_symbols_changes_nothing(run: Backtest) -> None:
    turned = run.prepared.rules.select(tuple(reversed(run.panel.symbols)))
    other = run_event_engine(turned, run.plan, run.spec.order_rules, run.spec.run.initial_cash)
    by = ["session", "symbol", "side"]
    before, after = (
        each.orders.drop(columns="order_id").sort_values(by, ignore_index=True) for each in (run.engine, other)
    )
    pd.testing.assert_frame_equal(after, before, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(drawn=specs, regimes=paths)
@pytest.mark.slow
def test_any_spec_keeps_its_books(market, folder, drawn, regimes):
    run = run_backtest(spec_of(drawn, regimes, folder), market)
    assert_whole(run)
    assert_ledger_agrees(run)
    assert_order_of_symbols_changes_nothing(run)


def test_the_market_has_every_trouble(market, folder):
    """A run in which each of them comes about, so that the property is not one of quiet markets."""
    drawn = {
        "universe.speculative": ["COIN", "COIN-B", "LATE", "GAPS"],
        "universe.cash_flow": ["DEAR", "ACTS", "GONE", "BLANK"],
        "universe.reserve": ["FUND"],
        "policy.rebalance": "daily",
        "run.prices": "raw",
        "order_rules.band": 0.0,
    }
    run = run_backtest(spec_of(drawn, ["SCARCE", "NEUTRAL", "ABUNDANT"] * 4, folder), market)
    assert set(run.engine.orders["status"]) == {"filled", "reduced", "unfilled"}
    assert {"close_out", "dividend"} <= set(run.engine.cash["kind"])
    assert run.counts.stale_valuations.keys() >= {"GAPS"}
    assert run.counts.bars_without_open == {"BLANK": 1}
    assert run.engine.orders.query("symbol == 'LATE'")["session"].min() > LISTED
    assert_whole(run)
    assert_ledger_agrees(run)
    assert_order_of_symbols_changes_nothing(run)


def keys_of(model: Any, prefix: str = "") -> list[str]:
    inner = {name: field.annotation for name, field in model.model_fields.items()}
    return [
        key
        for name, kind in inner.items()
        for key in (keys_of(kind, f"{prefix}{name}.") if hasattr(kind, "model_fields") else [prefix + name])
    ]


def test_every_key_is_drawn_or_left_by_name():
    for key in keys_of(Spec):
        drawn = any(key == each or key.startswith(f"{each}.") for each in KEYS)
        assert drawn != key.startswith(LEFT), f"{key}: one line in KEYS, or in LEFT"
