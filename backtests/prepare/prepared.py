"""A run, prepared: everything that stands between a spec with its market and an engine, worked out once.

A run, its stress and its variants, the comparison with a known truth, a decision for one session, the gauge and the
paper account all begin here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import pandas as pd

from backtests.execution.fill_rules import FillRules, fill_rules
from backtests.prepare.bill import bill_yield
from backtests.prepare.choice import with_choice
from backtests.prepare.plans import make_run_plan
from backtests.prepare.signal import read_signal
from backtests.prepare.span import Span, longest_span, require_known
from backtests.prepare.stages import Stages
from backtests.prepare.traded_units import require_traded_units
from backtests.prepare.warmup import warmup_panel
from backtests.spec.cash import bill_returns, interest_rates
from backtests.spec.costs import Costs
from backtests.spec.extensions import Extensions, read_extensions
from backtests.spec.spec import Spec
from data.catalogue.instruments import require_us_dollars
from data.files.user_world import unheard
from data.market.entries import read_by
from data.market.snapshot import Snapshot
from data.prices.panel import Panel, build_panel
from signals.liquidity import LiquiditySignal
from strategies.policy import Plan

EngineName = Literal["event", "vector"]


@dataclass(frozen=True, eq=False)
class Prepared:
    """What engines, studies and paper accounts need of a spec and a market.

    Attributes:
        spec: complete; a rule of its universe has chosen.
        snapshot: that it reads.
        extensions: the spec's files, as they were when they were read.
        signal: over all sessions up to the last decision of the span, warm-up included.
        plan: by session decided for, over the instruments of the market.
        bill_yield: of the 3-month bill, percent a year, as known at the decision for each of the panel's sessions; NaN
            where it is not.
        market_rules: how the universe and the benchmark are filled.
        cut_by: instruments whose files have cut the run short, with the day on which each ends.
        engine: that plays the plan.
    """

    spec: Spec
    snapshot: Snapshot
    extensions: Extensions
    signal: LiquiditySignal
    plan: Plan
    bill_yield: pd.Series
    market_rules: FillRules
    cut_by: Mapping[str, pd.Timestamp] = field(default_factory=dict)
    engine: EngineName = "event"

    @property
    def market(self) -> Panel:
        """Prices of the universe and the benchmark."""
        return self.market_rules.panel

    @cached_property
    def rules(self) -> FillRules:
        """How the universe is filled."""
        return self.market_rules.select(self.spec.universe.symbols)

    @property
    def panel(self) -> Panel:
        """Prices of the universe."""
        return self.rules.panel

    @cached_property
    def warmup(self) -> Panel | None:
        """The sessions before those of the panel that a strategy of the user may look back on."""
        return warmup_panel(self.spec, self.snapshot, self.panel)

    @property
    def score(self) -> pd.Series:
        """The signal's score by session decided for, from the warm-up on; 0 where there is none."""
        panels = [self.panel] if self.warmup is None else [self.warmup, self.panel]
        decided = pd.DatetimeIndex([session for each in panels for session in each.decides_for])
        return self.signal.score.reindex(decided, fill_value=0.0)

    @cached_property
    def risk_free(self) -> pd.Series:
        """What the 3-month bill brings by session of the panel, fractions; 0 where its yield is not known."""
        return bill_returns(self.bill_yield)

    def upto(self, session: pd.Timestamp) -> "Prepared":
        """Return what is there up to the decision for a session; the signal is left as it is."""
        rules = self.market_rules.upto(session)
        plan = Plan(self.plan.targets.loc[:session], self.plan.rebalance.loc[:session])
        return replace(self, market_rules=rules, plan=plan, bill_yield=self.bill_yield.loc[: rules.panel.sessions[-1]])

    def with_signal(self, signal: LiquiditySignal) -> "Prepared":
        """Return the same with the plan of another signal, which covers the panel's decisions.

        Raises:
            InputError: see `backtests.prepare.plans.make_run_plan`.
        """
        with unheard():
            plan = make_run_plan(self.spec, self.snapshot, self.market, signal, self.extensions)
        return replace(self, signal=signal, plan=plan)

    def with_costs(self, costs: Costs) -> "Prepared":
        """Return the same with other costs of trading."""
        spec = self.spec.model_copy(update={"costs": costs})
        rules = fill_rules(self.market, self.snapshot.instruments, costs, spec.order_rules, self.market_rules.interest)
        return replace(self, spec=spec, market_rules=rules)


def prepare(
    spec: Spec,
    snapshot: Snapshot,
    span: Span | None = None,
    extensions: Extensions | None = None,
    signal: LiquiditySignal | None = None,
    stages: Stages | None = None,
) -> Prepared:
    """Work out a run: prices and rules of filling on the session clock, the signal, the plan.

    Args:
        spec: complete.
        snapshot: prices, series and events.
        span: first and last day; None: the longest that the days of the spec and the bars of the market allow.
        extensions: of the spec; read where they are not given.
        signal: of the spec, up to the decision after the span or further; read where it is not given.
        stages: are measured and told.

    Raises:
        InputError: the spec, its files and the snapshot do not fit together.
        LookAheadError: a block or policy of the user looks ahead.
    """
    stages, given = stages or Stages(), extensions or read_extensions(spec)
    snapshot = read_by(spec.catalogue, snapshot)
    with stages.stage("prices"):
        spec = with_choice(spec, snapshot, span)
        universe = spec.universe
        symbols = tuple(dict.fromkeys((*universe.symbols, universe.benchmark)))
        require_known(universe, snapshot)
        require_us_dollars(symbols, snapshot.instruments)
        require_traded_units(spec.costs, snapshot, symbols, spec.run.prices)
        span = span or longest_span(spec.run, universe, snapshot)
        market = build_panel(snapshot, symbols, span.first, span.last, spec.run.prices)
        bill = bill_yield(snapshot, market.sessions)
        interest = interest_rates(spec.cash, bill)
        rules = fill_rules(market, snapshot.instruments, spec.costs, spec.order_rules, interest)
    with stages.stage("signal"):
        read = signal or read_signal(spec, snapshot, market.decides_for[-1], given)
    with stages.stage("plan"):
        plan = make_run_plan(spec, snapshot, market, read, given)
    return Prepared(spec, snapshot, given, read, plan, bill, rules)
