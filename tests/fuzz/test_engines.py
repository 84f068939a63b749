"""Hundreds of specs and panels through the vector engine, Backtrader and the ledger: the same books."""

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

LONG = hostile.INPUTS > 0
# 170 and twice 165 are 500.
ON_EDGES, ON_SAMPLES, PANELS = (170, 165, 300) if LONG else (3, 2, 3)
BELOW_THE_SIGNAL = {
    key: drawn
    for key, drawn in KEYS.items()
    if key.startswith(("policy.", "order_rules.", "costs.", "cash.")) and not key.endswith(("units", "per_unit"))
}


def agree(spec: Spec, snapshot: Snapshot, **given: Any) -> None:
    prepared = prepare(spec, snapshot, **given)
    assert_engines_agree(prepared.rules, prepared.plan, spec.order_rules, spec.run.initial_cash)


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
    snapshot, spec = open_market(request.param), load_spec("sample")
    return snapshot, read_signal(spec, snapshot, snapshot.bars["date"].max())


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
    if "costs.preset" in drawn:  # on adjusted prices a fee a share is refused by name
        drawn = drawn | {f"costs.{name}.commission_per_unit": 0.0 for name in ("us_stock", "us_etf")}
        drawn |= {f"costs.{name}.units": "fractional" for name in ("us_stock", "us_etf")}
    agree(load_spec("sample", days | drawn), snapshot, signal=signal)


@pytest.mark.parametrize("seed", range(1000, 1000 + PANELS))
def test_random_panels(seed):
    assert_engines_agree(*random_run(seed))
