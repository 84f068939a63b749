"""The evidence of a run: what its returns say, and what only its weights, stays, names and market can."""

from collections.abc import Callable, Iterator
from datetime import date

from backtests.evidence.sharpe_difference import sharpe_differences
from backtests.evidence.table import EvidenceTable, Row
from backtests.evidence.trials import TrialCount
from backtests.measures.rotations import basket_returns
from backtests.prepare.stages import tell_nobody
from backtests.run import Backtest
from backtests.studies.evidence.markets import market_factors
from backtests.studies.evidence.of_returns import (
    alpha_rows,
    difference_row,
    lasting_rows,
    require_sessions,
    tried_rows,
)
from backtests.studies.evidence.of_run_alone import (
    MIX,
    evidence_of_cash,
    hindsight_rows,
    line_rows,
    one_rows,
    timing_rows,
)
from backtests.studies.evidence.reruns import break_even_rows, name_rows
from backtests.studies.lottery.rows import lottery_rows


def run_evidence(
    run: Backtest, trials: TrialCount, idea_known: date | None = None, report: Callable[[str], None] = tell_nobody
) -> EvidenceTable:
    """Make every test that a run allows.

    Args:
        run: finished.
        trials: what was tried before it, itself among them.
        idea_known: day on which the idea was published, in place of the spec's.
        report: is told each stage as it begins.

    Raises:
        InputError: it is too short for any of them.
    """
    require_sessions(len(run.sessions))
    if not run.counts.orders.traded:
        return evidence_of_cash(run)
    known = idea_known or run.spec.run.idea_known
    makers: dict[str, Callable[[], Iterator[Row]]] = {
        "rivals": lambda: _rival_rows(run),
        "trials": lambda: tried_rows(run.returns, MIX, trials),
        "timing": lambda: timing_rows(run),
        "markets": lambda: _market_rows(run),
        "stays and days": lambda: one_rows(run),
        "names": lambda: name_rows(run),
        "hindsight": lambda: hindsight_rows(run),
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
    yield from line_rows(run)
    lines, count = run.evidence, len(run.sessions)
    if lines.luck is None:
        return
    others = [name for name in run.returns if name not in ("strategy", MIX, *lines.rivals)]
    for name, each in sharpe_differences(run.returns["strategy"], run.returns[others], run.risk_free).items():
        yield difference_row(name, each, count, is_mix=False)


def _market_rows(run: Backtest) -> Iterator[Row]:
    risk_free = run.risk_free
    tradable = run.panel.tradable(run.spec.order_rules.stale_sessions)
    baskets = basket_returns(run.prepared.rules, tradable, run.spec.universe)
    own = [name for name in ("speculative", "cash_flow") if run.spec.universe.members(name)]
    strategy = run.returns["strategy"]
    yield from alpha_rows(strategy, baskets[own].sub(risk_free, axis=0), risk_free, "its own baskets")
    factors, missing = market_factors(run.snapshot, run.sessions, risk_free, run.spec.universe.benchmark)
    yield from alpha_rows(strategy, factors, risk_free, "the markets", missing)
