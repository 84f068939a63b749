"""Run a spec on a market: signal, policy, engine, numbers. Pure: it reads a snapshot and writes nothing."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from backtests.event_engine import EngineResult, run_event_engine
from backtests.identity import run_id
from backtests.ledger import LedgerResult, run_ledger
from backtests.measures import run_metrics
from backtests.metrics import daily_bill_return, order_flows
from backtests.rotations import basket_returns, rotation_table
from backtests.span import default_end, last_bars, longest_span
from backtests.spec import Spec
from data.catalogue import series_entry
from data.clock import FIRST_DAY, sessions_between
from data.instruments import require_us_dollars
from data.panel import Panel, build_panel, listed_bars, require_opens
from data.snapshot import Snapshot
from signals.liquidity import LiquiditySignal, liquidity_signal, required_series
from signals.observations import as_known, series_observations
from strategies.baselines import MOVING_AVERAGE_MONTHS, baseline_plans
from strategies.policy import Plan, make_plan

BILL = "DGS3MO"


@dataclass(frozen=True)
class Backtest:
    """A finished run.

    Attributes:
        spec: complete.
        snapshot: that it read.
        run_id: see `backtests.identity`.
        panel: prices of what is traded, on the session clock.
        signal: over all sessions up to the one to come, warm-up included.
        plan: by session decided for.
        engine: orders, equity, positions, cash.
        baselines: what the plans of `strategies.baselines` came to, by name; the benchmark is one of them.
        returns: by session, columns strategy and each baseline.
        bill_yield: of the 3-month bill, percent a year, as known at each session's decision; NaN where it is not.
        metrics: as `metrics.json` has it.
        rotations: as `rotations.csv` has it.
        counts: orders by status, stale valuations, sessions by number of live blocks.
        warnings: sentences for people.
        seconds: by stage.
    """

    spec: Spec
    snapshot: Snapshot
    run_id: str
    panel: Panel
    signal: LiquiditySignal
    plan: Plan
    engine: EngineResult
    baselines: Mapping[str, LedgerResult]
    returns: pd.DataFrame
    bill_yield: pd.Series
    metrics: dict[str, Any]
    rotations: pd.DataFrame
    counts: dict[str, Any]
    warnings: tuple[str, ...]
    seconds: dict[str, float]

    @property
    def sessions(self) -> pd.DatetimeIndex:
        """The sessions of the run."""
        return pd.DatetimeIndex(self.returns.index)


def read_signal(spec: Spec, snapshot: Snapshot, last: pd.Timestamp) -> LiquiditySignal:
    """The regime signal over every session from the first observation of its series to `last`."""
    used = snapshot.series["series"].isin(required_series(spec.signal))
    first = max(snapshot.series.loc[used, "date"].min(), FIRST_DAY) if used.any() else FIRST_DAY
    sessions = sessions_between(first, last)
    return liquidity_signal(snapshot.series, snapshot.capex_actuals, sessions, spec.signal)


def run_backtest(spec: Spec, snapshot: Snapshot, report: Callable[[str], None] = lambda _stage: None) -> Backtest:
    """Run a spec on a snapshot.

    Args:
        spec: what to run.
        snapshot: what to run it on.
        report: is told the name of each stage as it begins.

    Raises:
        InputError: the spec and the snapshot do not fit together.
    """
    seconds: dict[str, float] = {}

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        report(name)
        begin = time.perf_counter()
        yield
        seconds[name] = time.perf_counter() - begin

    with stage("prices"):
        universe, traded = spec.universe, spec.universe.symbols
        everything = tuple(dict.fromkeys((*traded, universe.benchmark)))
        ends = last_bars(snapshot, everything)
        require_us_dollars(everything, snapshot.instruments)
        start, end = longest_span(spec.run, universe, snapshot)
        market = build_panel(snapshot, everything, start, end)
    with stage("signal"):
        signal = read_signal(spec, snapshot, market.decides_for[-1])
    with stage("plan"):
        plan = make_run_plan(spec, market, signal)
        if spec.run.end is None and (end := default_end(market, plan, ends)) < market.sessions[-1]:
            market = build_panel(snapshot, everything, start, end)
            plan = make_run_plan(spec, market, signal)
        require_opens(market)
        panel = market.select(traded)
    terms = (snapshot.instruments, spec.costs, spec.order_rules, spec.run.initial_cash)
    with stage("engine"):
        engine = run_event_engine(panel, plan, *terms)
    with stage("baselines"):
        baselines = {
            name: run_ledger(market, each, *terms)
            for name, each in run_baseline_plans(spec, market, signal, snapshot).items()
        }
    with stage("metrics"):
        returns = _returns(engine, baselines, spec.run.initial_cash)
        bill = _bill_yield(snapshot, pd.DatetimeIndex(returns.index))
        flows = order_flows(engine.orders, returns.index)
        baskets = basket_returns(panel, panel.tradable(spec.order_rules.stale_sessions), universe)
        counts = _counts(panel, engine, signal, bill)
        bars = listed_bars(snapshot, universe.benchmark).index
        counts["benchmark_sessions_without_bar"] = int((~returns.index.isin(bars)).sum())
        metrics = run_metrics(engine, flows, baselines, returns, signal.regime, daily_bill_return(bill))
    return Backtest(
        spec=spec,
        snapshot=snapshot,
        run_id=run_id(spec.to_toml(), snapshot.content_hash),
        panel=panel,
        signal=signal,
        plan=plan,
        engine=engine,
        baselines=baselines,
        returns=returns,
        bill_yield=bill,
        metrics=metrics,
        rotations=rotation_table(signal, spec.signal, returns, baskets, flows["commission"]),
        counts=counts,
        warnings=_warnings(spec, snapshot, panel, counts),
        seconds=seconds,
    )


def make_run_plan(spec: Spec, panel: Panel, signal: LiquiditySignal) -> Plan:
    """Lay the policy over a panel: targets and rebalancing by session decided for."""
    return make_plan(
        signal.regime.reindex(panel.decides_for),
        panel.tradable(spec.order_rules.stale_sessions),
        panel.decision_prices(),
        spec.universe,
        spec.policy,
    )


def run_baseline_plans(spec: Spec, market: Panel, signal: LiquiditySignal, snapshot: Snapshot) -> Mapping[str, Plan]:
    """Lay the baselines over a panel of the universe and the benchmark."""
    benchmark = spec.universe.benchmark
    # The moving average looks back on months before the run.
    first = market.sessions[1] - pd.DateOffset(months=MOVING_AVERAGE_MONTHS + 2)
    longer = build_panel(snapshot, (benchmark,), max(first, FIRST_DAY), market.sessions[-1])
    return baseline_plans(
        signal.regime.reindex(market.decides_for),
        market.tradable(spec.order_rules.stale_sessions),
        market.decision_prices(),
        longer.decision_prices()[benchmark],
        spec.universe,
        spec.policy,
    )


def _returns(engine: EngineResult, baselines: Mapping[str, LedgerResult], initial_cash: float) -> pd.DataFrame:
    equity = pd.DataFrame(
        {"strategy": engine.equity["equity"]} | {name: ledger.equity for name, ledger in baselines.items()}
    )
    returns = equity / equity.shift(fill_value=initial_cash) - 1.0
    return returns.rename_axis("session")


def _bill_yield(snapshot: Snapshot, sessions: pd.DatetimeIndex) -> pd.Series:
    """The 3-month bill's yield in percent, as known at each decision; NaN where it is not known."""
    if BILL not in set(snapshot.series["series"]):
        return pd.Series(np.nan, index=sessions)
    observations = series_observations(snapshot.series, BILL)
    return as_known(observations, sessions, series_entry(BILL).stale_after_days)["value"]


def _counts(panel: Panel, engine: EngineResult, signal: LiquiditySignal, bill: pd.Series) -> dict[str, Any]:
    statuses = engine.orders["status"].value_counts()
    orders = {status: int(statuses.get(status, 0)) for status in ("filled", "reduced", "unfilled", "rejected")}
    stale = (engine.positions.to_numpy() > 0) & (panel.missing[1:] > 0)
    live = signal.live_blocks.reindex(bill.index).value_counts(normalize=True)
    return {
        "sessions": len(bill),
        "orders": {"total": len(engine.orders), **orders},
        "close_outs": int((engine.cash["kind"] == "close_out").sum()),
        "stale_valuations": {
            symbol: int(count) for symbol, count in zip(panel.symbols, stale.sum(axis=0), strict=True) if count
        },
        "bars_without_open": {
            symbol: int(count) for symbol, count in zip(panel.symbols, panel.bars_without_open(), strict=True) if count
        },
        "sessions_without_bill_yield": int(bill.isna().sum()),
        "live_blocks": {str(number): float(live.get(number, 0.0)) for number in range(5)},
    }


def _warnings(spec: Spec, snapshot: Snapshot, panel: Panel, counts: dict[str, Any]) -> tuple[str, ...]:
    orders, days = counts["orders"], counts["sessions"]
    warnings = []
    if snapshot.simulated:
        warnings.append(f"SIMULATED: the prices and series of market {snapshot.name} are made by a model.")
    if spec.universe.hindsight:
        warnings.append(f"HINDSIGHT: {spec.universe.hindsight}")
    if orders["rejected"]:
        warnings.append(f"Rejected orders: {orders['rejected']}. That is a defect of the engine; report it.")
    if orders["reduced"] or orders["unfilled"]:
        warnings.append(
            f"Orders cut to the cash present: {orders['reduced']}; not filled: {orders['unfilled']}. "
            "The session after planned anew (orders.csv says why)."
        )
    for symbol, count in counts["stale_valuations"].items():
        warnings.append(f"{symbol} was held and valued at an old close on {_plural(count, 'session')} without a bar.")
    for symbol, count in counts["bars_without_open"].items():
        warnings.append(f"{symbol} has {_plural(count, 'bar')} without an open in the run: valued, not traded on.")
    if missing := counts["benchmark_sessions_without_bar"]:
        warnings.append(f"The benchmark has no bar on {_plural(missing, 'session')}: its return there is 0.")
    if counts["close_outs"]:
        warnings.append(f"{_plural(counts['close_outs'], 'holding')} without bars closed out below the last close.")
    if missing := counts["sessions_without_bill_yield"]:
        warnings.append(f"{BILL} is not known on {missing} of {days} sessions: Sharpe and Sortino take 0 there.")
    if (blind := counts["live_blocks"]["0"] + counts["live_blocks"]["1"]) > 0:
        warnings.append(f"On {blind:.0%} of the sessions fewer than two blocks were live: the regime was NEUTRAL.")
    for place, symbol in enumerate(panel.symbols):
        known = np.flatnonzero(~np.isnan(panel.decision_price[:, place]))
        if not known.size:
            warnings.append(f"{symbol} has no price in the run.")
        elif known[0] > 0:
            warnings.append(f"{symbol} can be traded from {panel.decides_for[known[0]].date()} on.")
    return tuple(warnings)


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
