"""Run a spec on a market: signal, policy, engine, numbers. Pure: it reads a snapshot and writes nothing."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pandas as pd

from backtests.audit.look_ahead import check_strategy
from backtests.engines.event_engine import run_event_engine
from backtests.engines.ledger import run_ledger
from backtests.execution.fill_rules import FillRules, fill_rules
from backtests.execution.result import EngineResult, LedgerResult
from backtests.identity import run_id
from backtests.measures.counts import run_counts, run_warnings
from backtests.measures.performance import daily_bill_return, order_flows
from backtests.measures.rotations import basket_returns, rotation_table
from backtests.measures.run_measures import run_metrics
from backtests.prepare.bill import bill_yield, run_interest
from backtests.prepare.plans import benchmark_decision_prices, make_run_plan, run_baseline_plans
from backtests.prepare.signal import read_signal
from backtests.prepare.span import default_end, last_bars, longest_span, without_delisted
from backtests.spec.costs import refuse_whole_units, trade_terms
from backtests.spec.extensions import read_extensions
from backtests.spec.spec import Spec
from data.catalogue.instruments import require_us_dollars
from data.files.user_code import UserCallable, UserFile, user_faults
from data.market.snapshot import Snapshot
from data.prices.actions import listed_bars
from data.prices.panel import Panel, build_panel, require_opens
from signals.liquidity import LiquiditySignal
from strategies.policy import Plan


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
        user_files: that the spec names, as they were when they were read.
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
    user_files: tuple[UserFile, ...] = ()

    @property
    def sessions(self) -> pd.DatetimeIndex:
        """The sessions of the run."""
        return pd.DatetimeIndex(self.returns.index)


def run_backtest(spec: Spec, snapshot: Snapshot, report: Callable[[str], None] = lambda _stage: None) -> Backtest:
    """Run a spec on a snapshot.

    Args:
        spec: what to run.
        snapshot: what to run it on.
        report: is told the name of each stage as it begins.

    Raises:
        InputError: the spec, its files and the snapshot do not fit together.
        LookAheadError: code of the user looks ahead.
    """
    seconds: dict[str, float] = {}

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        report(name)
        begin = time.perf_counter()
        yield
        seconds[name] = time.perf_counter() - begin

    given = read_extensions(spec)

    def play(panel: Panel, plan: Plan) -> EngineResult:
        return run_plan(spec, snapshot, panel, plan, signal, given.strategy)

    with stage("prices"):
        universe, traded = spec.universe, spec.universe.symbols
        everything = tuple(dict.fromkeys((*traded, universe.benchmark)))
        ends = without_delisted(last_bars(snapshot, universe), snapshot)
        require_us_dollars(everything, snapshot.instruments)
        classes = {snapshot.instruments[symbol].asset_class for symbol in everything}
        refuse_whole_units(spec.costs, classes, spec.run.prices)
        start, end = longest_span(spec.run, universe, snapshot)
        market = build_panel(snapshot, everything, start, end, spec.run.prices)
        benchmark_prices = benchmark_decision_prices(spec, snapshot, market)
    with stage("signal"):
        signal = read_signal(spec, snapshot, market.decides_for[-1], given)
    with stage("plan"):
        plan = make_run_plan(spec, snapshot, market, signal, given)
        if spec.run.end is None:
            # What a strategy of the user holds does not follow from the plan.
            held = plan if given.strategy is None else _as_plan(play(market.select(traded), plan))
            if (end := default_end(market, held, ends, universe.benchmark)) < market.sessions[-1]:
                market = build_panel(snapshot, everything, start, end, spec.run.prices)
                plan = make_run_plan(spec, snapshot, market, signal, given)
        require_opens(market)
        panel = market.select(traded)
    with stage("engine"):
        engine = play(panel, plan)
        if given.strategy is not None:
            check_strategy(engine, play, panel, plan, given.strategy)
    with stage("baselines"):
        fills = run_fill_rules(spec, snapshot, market)
        baselines = {
            name: run_ledger(fills, each, spec.order_rules, spec.run.initial_cash)
            for name, each in run_baseline_plans(spec, snapshot, market, signal, benchmark_prices).items()
        }
    with stage("metrics"):
        returns = book_returns(engine, baselines, spec.run.initial_cash)
        bill = bill_yield(snapshot, pd.DatetimeIndex(returns.index))
        flows = order_flows(engine.orders, returns.index)
        baskets = basket_returns(panel, panel.tradable(spec.order_rules.stale_sessions), universe)
        limits = trade_terms(panel.symbols, snapshot.instruments, spec.costs)
        counts = run_counts(panel, plan, limits, engine, signal, bill)
        bars = listed_bars(snapshot, universe.benchmark).index
        counts["benchmark_sessions_without_bar"] = int((~returns.index.isin(bars)).sum())
        metrics = run_metrics(engine, flows, baselines, returns, signal.regime, daily_bill_return(bill))
    return Backtest(
        spec=spec,
        snapshot=snapshot,
        run_id=run_id(spec.to_toml(), snapshot.content_hash, [file.content for file in given.files]),
        panel=panel,
        signal=signal,
        plan=plan,
        engine=engine,
        baselines=baselines,
        returns=returns,
        bill_yield=bill,
        metrics=metrics,
        rotations=rotation_table(signal, spec.signal, returns, baskets, flows["costs"]),
        counts=counts,
        warnings=run_warnings(spec, snapshot, panel, signal, counts),
        seconds=seconds,
        user_files=given.files,
    )


def run_plan(
    spec: Spec,
    snapshot: Snapshot,
    panel: Panel,
    plan: Plan,
    signal: LiquiditySignal,
    strategy: UserCallable | None = None,
) -> EngineResult:
    """Run a plan, or a strategy of the user beside it, as the spec has it; see `backtests.engines.event_engine`.

    Raises:
        InputError: what the strategy raises, or an order of it that is not offered.
        LookAheadError: it reads a later bar.
    """
    terms = (run_fill_rules(spec, snapshot, panel), plan, spec.order_rules, spec.run.initial_cash)
    if strategy is None:
        return run_event_engine(*terms)
    score = signal.score.reindex(panel.decides_for)
    with user_faults(strategy.file.path):
        return run_event_engine(*terms, strategy=strategy.load(), score=score)


def run_fill_rules(spec: Spec, snapshot: Snapshot, panel: Panel) -> FillRules:
    """What an engine must know to fill the sessions of a panel, as the spec has it."""
    interest = run_interest(spec, snapshot, panel)
    return fill_rules(panel, snapshot.instruments, spec.costs, spec.order_rules, interest)


def _as_plan(engine: EngineResult) -> Plan:
    """What a run held, in the form of a plan that says so."""
    held = (engine.positions > 0).astype(float).reindex(engine.decided.index, fill_value=0.0)
    return Plan(held, pd.Series(True, index=held.index))


def book_returns(engine: EngineResult, baselines: Mapping[str, LedgerResult], initial_cash: float) -> pd.DataFrame:
    """Daily returns by session, the first over the initial cash: columns strategy and each baseline."""
    equity = pd.DataFrame(
        {"strategy": engine.equity["equity"]} | {name: ledger.equity for name, ledger in baselines.items()}
    )
    returns = equity / equity.shift(fill_value=initial_cash) - 1.0
    return returns.rename_axis("session")
