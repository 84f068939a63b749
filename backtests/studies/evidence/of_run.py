"""The evidence of a run: what its returns say, and what only its weights, stays, names and market can."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial

import pandas as pd

from backtests.evidence.best_stay import sessions_of
from backtests.evidence.circular_shift import circular_shift
from backtests.evidence.left_out import without_sessions
from backtests.evidence.sharpe_difference import sharpe_differences
from backtests.evidence.table import LUCK, SHIFT, EvidenceTable, Question, Row, Verdict, measured
from backtests.evidence.trials import TrialCount
from backtests.measures.performance import order_flows
from backtests.measures.rotations import basket_returns
from backtests.prepare.stages import tell_nobody
from backtests.run import Backtest
from backtests.studies.anatomy import stay_leads
from backtests.studies.evidence.markets import market_factors
from backtests.studies.evidence.of_returns import (
    alpha_rows,
    day_rows,
    difference_row,
    lasting_rows,
    require_sessions,
    tried_rows,
)
from backtests.studies.evidence.reruns import break_even_rows, name_rows
from backtests.studies.lottery.rows import lottery_rows
from strategies.universe import BASKETS

MIX = "static_mix"
TIMING_LEVEL = 0.05
# A stay that made so much of the gain is the gain.
LARGE = 0.5


def run_evidence(
    run: Backtest, trials: TrialCount, idea_known: date | None = None, report: Callable[[str], None] = tell_nobody
) -> EvidenceTable:
    """Make every test that a run allows.

    Args:
        run: finished.
        trials: what was tried before it, itself among them.
        idea_known: day on which the idea was published, in place of the spec's.
        report: is told each stage as it begins.
    """
    require_sessions(len(run.sessions))
    known = idea_known or run.spec.run.idea_known
    makers: dict[str, Callable[[], Iterator[Row]]] = {
        "rivals": lambda: _rival_rows(run),
        "trials": lambda: tried_rows(run.returns, MIX, trials),
        "timing": lambda: measured(Question.TIMING, SHIFT, partial(_timing, run)),
        "markets": lambda: _market_rows(run),
        "stays and days": lambda: _one_rows(run),
        "names": lambda: name_rows(run),
        "hindsight": lambda: _hindsight_rows(run),
        "names by lot": lambda: lottery_rows(run.prepared),
        "what lasts": lambda: lasting_rows(run.returns, run.risk_free, MIX, known),
        "costs and delay": lambda: break_even_rows(run),
    }
    rows: list[Row] = []
    for stage, make in makers.items():
        report(stage)
        rows.extend(make())
    return EvidenceTable(tuple(rows))


def _rival_rows(run: Backtest) -> Iterator[Row]:
    """The honest lines of the run in full, and behind them the other baselines, in the same sessions."""
    lines, count = run.evidence, len(run.sessions)
    if lines.luck is None:
        yield Row(Question.RIVALS, LUCK, Verdict.UNMEASURED, MIX, reason=lines.unknown)
        return
    yield difference_row(MIX, lines.luck, count, is_mix=True)
    for name, found in lines.rivals.items():
        yield difference_row(name, found, count, is_mix=False)
    others = [name for name in run.returns if name not in ("strategy", MIX, *lines.rivals)]
    for name, each in sharpe_differences(run.returns["strategy"], run.returns[others], run.risk_free).items():
        yield difference_row(name, each, count, is_mix=False)


def _hindsight_rows(run: Backtest) -> Iterator[Row]:
    """What the spec itself says of how its instruments were chosen; how much that was worth the lottery tells."""
    told = run.spec.universe.hindsight
    verdict = Verdict.AGAINST if told else Verdict.OPEN
    yield Row(Question.NAMES, "hindsight", verdict, "", {"hindsight": told})


def _timing(run: Backtest) -> Sequence[Row]:
    """The weights of the baskets moved round the run, times the returns of the baskets.

    Baskets, not instruments: a weight that is moved to before its instrument was listed would earn nothing there. So it
    asks whether the baskets were held at the right time, not which of their members were.
    """
    universe, equity = run.spec.universe, run.engine.equity["equity"]
    held = run.engine.holdings.div(equity, axis="index")
    weights = pd.DataFrame({name: held[list(universe.members(name))].sum(axis=1) for name in BASKETS})
    begins = weights.shift(fill_value=0.0)
    before = equity.shift(fill_value=run.spec.run.initial_cash)
    # Without an order the sum of costs has no kind.
    costs = order_flows(run.engine.orders, run.sessions)["costs"].astype(float) / before
    tradable = run.panel.tradable(run.spec.order_rules.stale_sessions)
    baskets = basket_returns(run.prepared.rules, tradable, universe)
    found = circular_shift(begins.to_numpy(), baskets.to_numpy(), costs.to_numpy(), run.risk_free.to_numpy())
    values = {
        "p_value": found.p_value,
        "sharpe": found.sharpe,
        "median": found.median,
        "shifts": found.shifts,
        "sharpe_of_the_run": run.measures.strategy.sharpe,
        "by": "weights of the baskets times their returns, less the run's costs; not the ledger",
    }
    verdict = Verdict.FOR if found.p_value <= TIMING_LEVEL else Verdict.OPEN
    return [Row(Question.TIMING, SHIFT, verdict, "", values)]


def _market_rows(run: Backtest) -> Iterator[Row]:
    risk_free = run.risk_free
    tradable = run.panel.tradable(run.spec.order_rules.stale_sessions)
    baskets = basket_returns(run.prepared.rules, tradable, run.spec.universe)
    own = [name for name in ("speculative", "cash_flow") if run.spec.universe.members(name)]
    strategy = run.returns["strategy"]
    yield from alpha_rows(strategy, baskets[own].sub(risk_free, axis=0), risk_free, "its own baskets")
    factors, missing = market_factors(run.snapshot, run.sessions, risk_free, run.spec.universe.benchmark)
    yield from alpha_rows(strategy, factors, risk_free, "the markets", missing)


def _one_rows(run: Backtest) -> Iterator[Row]:
    yield from measured(Question.ONE, "best_stays", partial(_stays, run))
    yield from day_rows(run.returns, run.risk_free, MIX)


def _stays(run: Backtest) -> Sequence[Row]:
    stays = stay_leads(run.rotations)
    best = stays.sort_values("lead", ascending=False, kind="stable")
    left = {
        count: without_sessions(run.returns, sessions_of(run.sessions, best.head(count)), run.risk_free)
        for count in (0, 1, 2)
    }
    gained, share = left[0].lead > 0, float(best["share"].iloc[0])
    verdict = Verdict.OPEN
    if gained:
        verdict = Verdict.AGAINST if share >= LARGE or left[2].lead <= 0 else Verdict.FOR
    values = {
        "lead": left[0].lead,
        "share": share if gained else None,
        "start": str(best["start"].iloc[0].date()),
        "end": str(best["end"].iloc[0].date()),
        "regime": str(best["regime"].iloc[0]),
        "without": {
            str(count): {"growth": each.growth, "sharpe": each.sharpe, "lead": each.lead}
            for count, each in left.items()
            if count
        },
        "stays": [
            {"start": str(start.date()), "end": str(end.date()), "regime": str(regime), "lead": float(lead)}
            for start, end, regime, lead in zip(
                stays["start"], stays["end"], stays["regime"], stays["lead"], strict=True
            )
        ],
    }
    return [Row(Question.ONE, "best_stays", verdict, MIX, values)]
