"""Run a spec on a market: signal, policy, engine, numbers. Pure: it reads a snapshot and writes nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import get_args

import pandas as pd

from backtests.audit.look_ahead import check_strategy
from backtests.engines.compiled import require_numba
from backtests.engines.ledger import run_ledger
from backtests.engines.vector_engine import run_vector_engine
from backtests.evidence.best_stay import best_stay
from backtests.evidence.honest_lines import HonestLines, honest_lines
from backtests.execution.result import EngineResult, LedgerResult
from backtests.identity import run_id
from backtests.measures import pair
from backtests.measures.counts import RunCounts, run_counts
from backtests.measures.data_findings import data_findings
from backtests.measures.performance import order_flows
from backtests.measures.rotations import basket_returns, rotation_table
from backtests.measures.run_measures import RunMeasures, run_measures
from backtests.measures.warnings import run_notes, run_warnings
from backtests.prepare.plans import (
    GATE_ALONE,
    ONE_SWITCH,
    PRICE_MOMENTUM,
    WITHOUT_DRAIN,
    run_baseline_plans,
    run_switch_plan,
)
from backtests.prepare.prepared import EngineName, Prepared, prepare
from backtests.prepare.span import default_end, last_bars, without_delisted
from backtests.prepare.stages import Stages, tell_nobody
from backtests.spec.extensions import read_extensions
from backtests.spec.spec import Spec
from data.clock import next_session
from data.errors import InputError
from data.files.user_code import UserFile
from data.files.user_world import unheard
from data.market.snapshot import Snapshot
from data.prices.panel import Panel, require_opens
from data.quality.ranking import Ranked
from signals.liquidity import LiquiditySignal
from strategies.policy import Plan

RIVALS = (PRICE_MOMENTUM, WITHOUT_DRAIN, GATE_ALONE, ONE_SWITCH)


@dataclass(frozen=True, repr=False)
class Played:
    """A run that was played, and not measured yet.

    Attributes:
        prepared: spec, market, signal and plan, as far as the run goes.
        run_id: see `backtests.identity`.
        engine: orders, equity, positions, cash.
        baselines: what the plans of `strategies.baselines` and of the rivals came to, by name; the benchmark is one of
            them.
        returns: by session, columns strategy and each baseline.
    """

    prepared: Prepared
    run_id: str
    engine: EngineResult
    baselines: Mapping[str, LedgerResult]
    returns: pd.DataFrame

    @property
    def spec(self) -> Spec:
        """The spec, complete."""
        return self.prepared.spec

    @property
    def snapshot(self) -> Snapshot:
        """The market that was read."""
        return self.prepared.snapshot

    @property
    def panel(self) -> Panel:
        """Prices of what is traded, on the session clock."""
        return self.prepared.panel

    @property
    def signal(self) -> LiquiditySignal:
        """The signal over all sessions up to the one to come, warm-up included."""
        return self.prepared.signal

    @property
    def regime(self) -> pd.Series:
        """The regime that was decided for each session of the run."""
        return self.signal.regime.loc[self.sessions]

    @property
    def plan(self) -> Plan:
        """The plan by session decided for."""
        return self.prepared.plan

    @property
    def sessions(self) -> pd.DatetimeIndex:
        """The sessions of the run."""
        return pd.DatetimeIndex(self.returns.index)

    @property
    def bill_yield(self) -> pd.Series:
        """The 3-month bill's yield, percent a year, as known at each session's decision; NaN where it is not."""
        return self.prepared.bill_yield.loc[self.sessions]

    @property
    def risk_free(self) -> pd.Series:
        """What the 3-month bill brings by session, fractions; 0 where its yield is not known."""
        return self.prepared.risk_free.loc[self.sessions]

    @property
    def user_files(self) -> tuple[UserFile, ...]:
        """The files that the spec names, as they were when they were read."""
        return self.prepared.extensions.files


@dataclass(frozen=True, repr=False)
class Backtest(Played):
    """A finished run.

    Attributes:
        measures: of the strategy and the baselines.
        evidence: the honest lines: luck, one stay, names; and the rivals.
        rotations: as `rotations.csv` has it.
        counts: what the run met with.
        findings: what is odd in the data that it has read and can change its result, the greatest first.
        warnings: sentences on what may have changed the result, the findings among them.
        notes: sentences on what it met with, and did as its rules say.
        seconds: by stage.
    """

    measures: RunMeasures
    evidence: HonestLines
    rotations: pd.DataFrame
    counts: RunCounts
    findings: tuple[Ranked, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    seconds: Mapping[str, float]


def run_backtest(
    spec: Spec,
    snapshot: Snapshot,
    report: Callable[[str], None] = tell_nobody,
    engine_name: EngineName = "event",
    give: Callable[[Played], None] = lambda _: None,
) -> Backtest:
    """Run a spec on a snapshot.

    Args:
        spec: what to run.
        snapshot: what to run it on.
        report: is told the name of each stage as it begins.
        engine_name: which engine plays the strategy; baselines and rivals run on the ledger.
        give: is given the run as soon as it is played: who draws it need not wait for its measures.

    Raises:
        InputError: the spec, its files and the snapshot do not fit together.
        LookAheadError: code of the user looks ahead.
    """
    require_engine(engine_name, spec)
    stages, given = Stages(report), read_extensions(spec)
    prepared = replace(prepare(spec, snapshot, extensions=given, stages=stages), engine=engine_name)
    spec = prepared.spec
    if spec.run.end is None:
        prepared = until_default_end(prepared)
    require_opens(prepared.market)
    with stages.stage("engine"):
        engine = play(prepared)
        if given.strategy is not None:
            check_strategy(engine, lambda cut: play(prepared.upto(cut)), given.strategy)
    with stages.stage("baselines"):
        baselines = _run_plans(prepared, run_baseline_plans(spec, snapshot, prepared.market, prepared.signal))
        returns = book_returns(engine, baselines, spec.run.initial_cash)
        # Named by what a market holds, not by what it is called.
        name = run_id(
            spec.on(None).to_toml(), snapshot.content_hash, [file.content for file in given.files], engine_name
        )
        give(Played(prepared, name, engine, baselines, returns))
        flows = order_flows(engine.orders, returns.index)
        rotations = _rotations(prepared, returns, flows["costs"])
    with stages.stage("evidence"):
        risk_free = prepared.risk_free.loc[returns.index]
        stay = best_stay(rotations, returns, risk_free, spec.run.initial_cash)
        if stay is not None:
            switch = run_switch_plan(spec, snapshot, prepared.market, stay.start, stay.regime)
            baselines |= _run_plans(prepared, {ONE_SWITCH: switch})
            returns = book_returns(engine, baselines, spec.run.initial_cash)
        rivals = [name for name in RIVALS if name in baselines]
        traded = bool((engine.orders["size"] > 0).any())
        evidence = honest_lines(returns, rivals, risk_free, stay, spec.universe.hindsight, traded)
    with stages.stage("metrics"):
        counts = run_counts(prepared, engine)
        regime, reserve = prepared.signal.regime, spec.universe.reserve
        measures = run_measures(engine, flows, baselines, returns, regime, risk_free, reserve)
    with stages.stage("data"):
        findings = data_findings(prepared)
    return Backtest(
        prepared=prepared,
        run_id=name,
        engine=engine,
        baselines=baselines,
        returns=returns,
        measures=measures,
        evidence=evidence,
        rotations=rotations,
        counts=counts,
        findings=findings,
        warnings=run_warnings(prepared, counts, findings),
        notes=run_notes(prepared, counts),
        seconds=stages.seconds,
    )


def require_engine(name: EngineName, spec: Spec) -> None:
    """Refuse an engine that there is not, and the vector engine where it cannot run the spec.

    Raises:
        InputError: no such engine; numba is not installed; or the spec names a strategy of the user.
    """
    if name not in get_args(EngineName):
        raise InputError(f"got {name!r} for engine, wanted one of {', '.join(get_args(EngineName))}")
    if name != "vector":
        return
    if spec.run.strategy is not None:
        raise InputError(
            f"run.strategy: got {spec.run.strategy} for the vector engine, wanted the event engine, which alone runs a "
            "strategy of the user; leave the engine out, or take run.strategy out"
        )
    require_numba()


def play(prepared: Prepared) -> EngineResult:
    """Run the plan, or the strategy of the user beside it, through the engine of the preparation.

    Raises:
        InputError: what the strategy raises, or an order of it that is not offered.
        LookAheadError: it reads a later bar.
        BooksError: its equity is not what its orders come to.
    """
    # Here, so that what plays nothing, as the signal, does not wait for the import of Backtrader.
    from backtests.engines.event_engine import run_event_engine
    from backtests.engines.strategy_run import run_user_strategy

    spec, strategy = prepared.spec, prepared.extensions.strategy
    terms = (prepared.rules, prepared.plan, spec.order_rules, spec.run.initial_cash)
    if strategy is None:
        return (run_vector_engine if prepared.engine == "vector" else run_event_engine)(*terms)
    return run_user_strategy(strategy, *terms, prepared.score, prepared.warmup)


def book_returns(engine: EngineResult, baselines: Mapping[str, LedgerResult], initial_cash: float) -> pd.DataFrame:
    """Daily returns by session, the first over the initial cash: columns strategy and each baseline."""
    equity = pd.DataFrame(
        {"strategy": engine.equity["equity"]} | {name: ledger.equity for name, ledger in baselines.items()}
    )
    before = equity.shift(fill_value=initial_cash)
    # What has lost everything loses nothing more.
    returns = (equity / before - 1.0).where(before > 0, 0.0)
    return returns.rename_axis("session")


def _run_plans(prepared: Prepared, plans: Mapping[str, Plan]) -> dict[str, LedgerResult]:
    """Run plans over the market through the ledger."""
    spec = prepared.spec
    return {
        name: run_ledger(prepared.market_rules, plan, spec.order_rules, spec.run.initial_cash)
        for name, plan in plans.items()
    }


def _rotations(prepared: Prepared, returns: pd.DataFrame, paid: pd.Series) -> pd.DataFrame:
    spec, panel = prepared.spec, prepared.panel
    baskets = basket_returns(prepared.rules, panel.tradable(spec.order_rules.stale_sessions), spec.universe)
    legs = baskets.assign(**{pair.NAME: pair.pair_returns(baskets)})
    return rotation_table(prepared.signal, spec.signal, returns, legs, paid)


def until_default_end(prepared: Prepared) -> Prepared:
    """End a run on the last session on which no held instrument lacks its bar merely because its file ends."""
    universe, given = prepared.spec.universe, prepared.extensions
    ends = without_delisted(last_bars(prepared.snapshot, universe), prepared.snapshot)
    # What a strategy of the user holds does not follow from the plan.
    with unheard():
        held = prepared.plan if given.strategy is None else _as_plan(play(prepared))
    end = default_end(prepared.market, held, ends, universe.benchmark)
    if end.session == prepared.market.sessions[-1]:
        return prepared
    cut = replace(prepared.upto(next_session(end.session)), cut_by={name: ends[name] for name in end.cut_by})
    # A policy of the user is asked again, and looked at again for what it knows of later days.
    return cut if given.policy is None else cut.with_signal(cut.signal)


def _as_plan(engine: EngineResult) -> Plan:
    """What a run held, in the form of a plan that says so."""
    held = (engine.positions > 0).astype(float).reindex(engine.decided.index, fill_value=0.0)
    return Plan(held, pd.Series(True, index=held.index))
