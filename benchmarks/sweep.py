"""Sweeps on real history, CPU for CPU, measures included: beside vectorbt in its best form and plain Backtrader.

All sides have the same weights, prices and fees, and no band, so that every rebalancing trades. vectorbt runs 100
variants in one call, by target percent, with shared cash and `call_seq="auto"`; its values and returns are read. Its
rules are its own (it fills by the open's weights, and buys with money of stocks at once): final values differ a little.
"""

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import event_engine
import numpy as np
import pandas as pd
from event_engine import run_plain
from main_job import stored_history
from measuring import peak_so_far, show

from backtests.prepare.prepared import Prepared, prepare
from backtests.spec.spec import load_spec
from backtests.studies.sweeps.folder import run_into
from backtests.studies.sweeps.grid import Span, make_grid
from backtests.studies.sweeps.sweep import Sweep, SweepAsked
from data.market.snapshot import Snapshot

AT_ONCE = 100
ROUNDS = 5
# The place among them of one with the default costs.
USUAL = 1
NO_BAND = {"order_rules.band": 0.0}
# Of signal and costs; the same weights come again with other fees, as they do in any grid.
SAME: Mapping[str, list[Any]] = {
    "signal.enter": [0.3, 0.4, 0.5, 0.6],
    "signal.half_life_sessions": [5.0, 10.0, 15.0, 20.0, 30.0],
}
GRID: Mapping[str, list[Any]] = {
    "signal.half_life_sessions": [3.0, 5.0, 8.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 60.0],
    "signal.enter": [0.3, 0.35, 0.4, 0.45, 0.5],
    "signal.leave": [0.05, 0.1, 0.15, 0.2, 0.25],
    "signal.dwell_sessions": [5, 10],
    "policy.instrument_cap": [0.2, 0.3],
    "order_rules.band": [0.0, 0.02],
    "costs.us_stock.commission_bp": [2.0, 5.0, 8.0, 10.0, 15.0],
}
# In the place of the half-lives of the grid: a million variants.
MANY_HALF_LIVES = [3.0 + 0.06 * step for step in range(1000)]
HOSTILE: Mapping[str, Any] = {
    "signal.window_sessions": Span(300, 1000),
    "signal.clip": Span(2.0, 4.0),
    "signal.half_life_sessions": [5.0, 10.0, 20.0],
    "signal.enter": [0.3, 0.4],
    "order_rules.band": [0.0, 0.02],
}


def cpu_of(work: Callable[[], object]) -> float:
    """Seconds of processor time of one call, all threads."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def a_sweep(snapshot: Snapshot, values: Mapping[str, Any], fixed: Mapping[str, Any], **how: Any) -> Sweep:
    return Sweep(SweepAsked("history", fixed, make_grid("history", values, fixed, yes=True, **how), snapshot))


def as_traded_everywhere(prepared: Prepared) -> Prepared:
    """Prices without a gap, which other engines need: what is not listed yet is never wanted."""
    rules = prepared.market_rules
    close = np.where(np.isnan(rules.panel.close), 1.0, rules.panel.close)
    opens = np.where(np.isnan(rules.panel.open), close, rules.panel.open)
    return replace(prepared, market_rules=replace(rules, panel=replace(rules.panel, close=close, open=opens)))


def vectorbt_run(plans: list[Prepared]) -> np.ndarray:
    """Final values of some plans, in one call."""
    import vectorbt

    panel, run = plans[0].panel, plans[0].panel.sessions[1:]
    weights = [
        each.plan.targets[list(panel.symbols)].where(each.plan.rebalance, np.nan).to_numpy()[:-1] for each in plans
    ]
    names = pd.MultiIndex.from_product([range(len(plans)), panel.symbols], names=["variant", "symbol"])

    def wide(values: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(np.tile(values, (1, len(plans))), run, names)

    portfolio = vectorbt.Portfolio.from_orders(
        wide(panel.close[1:]),
        size=pd.DataFrame(np.hstack(weights), run, names),
        size_type="targetpercent",
        price=wide(panel.open[1:]),
        fees=np.hstack([each.rules.terms.rate for each in plans]),
        init_cash=plans[0].spec.run.initial_cash,
        cash_sharing=True,
        group_by="variant",
        call_seq="auto",
        freq="1D",
    )
    values, returns = portfolio.value(), portfolio.returns()
    assert len(returns) == len(run)
    return values.iloc[-1].to_numpy()


def sizes(snapshot: Snapshot, million: bool) -> tuple[dict[str, float], float]:
    """Seconds of grids of several sizes and of the hostile sweep, written to a folder as a sweep is, and peak MB."""
    grids = {
        "grid_1000": {**GRID, "signal.half_life_sessions": [10.0]},
        "grid_10000": GRID,
        **({"grid_1000000": {**GRID, "signal.half_life_sessions": MANY_HALF_LIVES}} if million else {}),
    }
    seconds = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, values in grids.items():
            sweep = a_sweep(snapshot, values, {})
            assert sweep.asked.grid.size == int(name.partition("_")[2])
            seconds[name] = cpu_of(partial(run_into, Path(folder) / name, sweep))
        hostile = a_sweep(snapshot, HOSTILE, {}, random=10_000)
        seconds["hostile_10000"] = cpu_of(partial(run_into, Path(folder) / "hostile", hostile))
    return seconds, peak_so_far()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    parser.add_argument("--million", action="store_true", help="run a million variants of a grid too")
    arguments = parser.parse_args()
    snapshot = stored_history(arguments.shared)

    wide = a_sweep(snapshot, {**SAME, "costs.us_stock.commission_bp": [0.5 * step for step in range(100)]}, NO_BAND)
    wide.run(0, wide.asked.grid.size)  # compiles, or reads the cache
    seconds, peak_mb = sizes(snapshot, arguments.million)  # before other libraries are read

    sweep = a_sweep(snapshot, {**SAME, "costs.us_stock.commission_bp": [2.0, 5.0, 8.0, 10.0, 15.0]}, NO_BAND)
    table = sweep.run(0, AT_ONCE)
    base = as_traded_everywhere(sweep.base)
    plans = []
    for variant in range(AT_ONCE):
        spec = load_spec("history", sweep.settings(variant))
        plans.append(replace(base.with_costs(spec.costs), spec=spec, plan=prepare(spec, snapshot).plan))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = vectorbt_run(plans)  # compiles
        apart = np.abs(found / table["final_equity_usd"].to_numpy() - 1.0)
        assert np.median(apart) < 0.1, "vectorbt has run something else"
        # In turn, so that a slow spell of the machine hits all of them.
        event_engine.RULES = plans[USUAL].spec.order_rules
        plain = (plans[USUAL].panel, plans[USUAL].plan, snapshot.instruments)
        taken: dict[str, list[float]] = {"sweep": [], "vectorbt": [], "plain_backtrader": []}
        for _ in range(ROUNDS):
            taken["sweep"].append(cpu_of(lambda: wide.run(0, wide.asked.grid.size)) / wide.asked.grid.size)
            taken["vectorbt"].append(cpu_of(lambda: vectorbt_run(plans)) / AT_ONCE)
            taken["plain_backtrader"].append(cpu_of(lambda: run_plain(*plain)))
    final = run_plain(*plain).values[-1]
    assert abs(final / table["final_equity_usd"][USUAL] - 1.0) < 1e-6, "plain Backtrader has run something else"

    seconds |= {f"{name}_variant": median(each) for name, each in taken.items()}
    largest = max((name for name in seconds if name.startswith("grid_")), key=lambda name: int(name[5:]))
    few = "grid_1000" if largest == "grid_10000" else "grid_10000"
    ratios = {
        "sweep_rate_over_vectorbt": seconds["vectorbt_variant"] / seconds["sweep_variant"],
        "sweep_rate_over_plain_backtrader": seconds["plain_backtrader_variant"] / seconds["sweep_variant"],
        f"seconds_a_variant_of_{largest[5:]}_over_{few[5:]}": (seconds[largest] / int(largest[5:]))
        / (seconds[few] / int(few[5:])),
    }
    show("Sweeps on real history, seconds of processor time", ratios, seconds, arguments.json, peak_mb)


if __name__ == "__main__":
    main()
