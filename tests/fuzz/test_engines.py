"""Hundreds of specs and panels through the vector engine, Backtrader and the ledger: the same books."""

import os
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hostile
from any_spec import KEYS, any_market, paths, spec_of, specs
from backtests.prepare.prepared import prepare
from backtests.prepare.signal import read_signal
from backtests.spec.spec import Spec, load_spec
from data.market.snapshot import Snapshot
from data.markets import open_market
from engines import assert_engines_agree, random_run
from signals.liquidity import LiquiditySignal

LONG = hostile.INPUTS > 0
SPECS = int(os.environ.get("REVERSE_QE_PARITY_SPECS", "500" if LONG else "9"))
PANELS = int(os.environ.get("REVERSE_QE_PARITY_PANELS", "300" if LONG else "3"))
# A third on the market full of trouble, and of the rest half on each sample.
ON_EDGES = SPECS - 2 * (ON_SAMPLES := max(SPECS // 3, 1))
ON_HISTORY = max(SPECS // 25, 1)
BELOW_THE_SIGNAL = {
    key: drawn
    for key, drawn in KEYS.items()
    if key.startswith(("policy.", "order_rules.", "costs.", "cash.")) and not key.endswith(("units", "per_unit"))
}
# Of prices that are adjusted alone, a share of the volume is refused by name.
WITHOUT_VOLUMES = {
    key: drawn
    for key, drawn in BELOW_THE_SIGNAL.items()
    if not key.startswith(("costs.us_stock.", "costs.us_etf.")) or not key.endswith(("impact", "participation"))
}


def agree(spec: Spec, snapshot: Snapshot, **given: Any) -> None:
    prepared = prepare(spec, snapshot, **given)
    assert_engines_agree(prepared.rules, prepared.plan, spec.order_rules, spec.run.initial_cash)


@cache
def signal_of(spec: str, snapshot: Snapshot) -> LiquiditySignal:
    return read_signal(load_spec(spec), snapshot, snapshot.bars["date"].max())


def adjusted(drawn: dict[str, Any]) -> dict[str, Any]:
    """What was drawn, for adjusted prices: a fee a share and whole units are refused there by name."""
    if "costs.preset" not in drawn:
        return drawn
    drawn = drawn | {f"costs.{name}.commission_per_unit": 0.0 for name in ("us_stock", "us_etf")}
    return drawn | {f"costs.{name}.units": "fractional" for name in ("us_stock", "us_etf")}


@pytest.fixture(scope="module")
def edges() -> Snapshot:
    return any_market()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("engines")


@pytest.mark.slow
@settings(max_examples=ON_EDGES, derandomize=True, database=None)
@given(drawn=specs, regimes=paths)
def test_specs_on_a_market_full_of_trouble(edges, folder, drawn, regimes):
    agree(spec_of(drawn, regimes, folder), edges)


@pytest.fixture(scope="module", params=["sample", "sample:null"])
def simulated(request):
    snapshot = open_market(request.param)
    return snapshot, signal_of("sample", snapshot)


@pytest.mark.slow
@settings(max_examples=ON_SAMPLES, derandomize=True, database=None)
@given(
    drawn=st.fixed_dictionaries({}, optional=BELOW_THE_SIGNAL),
    start=st.dates(load_spec("sample").run.start, load_spec("sample").run.start.replace(year=2022)),
    years=st.integers(1, 2),
)
def test_specs_on_the_sample_and_on_the_null(simulated, drawn, start, years):
    snapshot, signal = simulated
    days = {"run.start": start, "run.end": start.replace(year=start.year + years, day=min(start.day, 28))}
    agree(load_spec("sample", days | adjusted(drawn)), snapshot, signal=signal)


@pytest.mark.slow
@pytest.mark.real_history
@settings(max_examples=ON_HISTORY, derandomize=True, database=None)
@given(drawn=st.fixed_dictionaries({}, optional=WITHOUT_VOLUMES))
def test_specs_on_real_history(history, drawn):
    agree(load_spec("history", adjusted(drawn)), history, signal=signal_of("history", history))


@pytest.mark.parametrize("seed", range(1000, 1000 + PANELS))
def test_random_panels(seed):
    assert_engines_agree(*random_run(seed))
