"""The page of a run, in the order in which a portfolio manager asks, then QuantStats' report."""

from calendar import timegm
from collections.abc import Callable
from importlib.metadata import version

import pandas as pd

from backtests.run import Backtest, Played
from data.clock import decision_times
from reverse_qe.pages.kit import Part, joined, page, table
from reverse_qe.pages.market_events import event_table, events_between
from reverse_qe.pages.quantstats_part import ReportInput, quantstats_part
from reverse_qe.pages.run_parts.contributions import contributions
from reverse_qe.pages.run_parts.evidence import evidence
from reverse_qe.pages.run_parts.growth import growth, headline
from reverse_qe.pages.run_parts.periods import periods
from reverse_qe.pages.run_parts.settings import settings
from reverse_qe.pages.run_parts.standing import banners, notes, standing
from reverse_qe.pages.run_parts.trading import rotations, stressed, trading
from reverse_qe.pages.run_parts.weights import weights
from reverse_qe.pages.signal_charts import signal_charts
from reverse_qe.words.run import REASON_HEAD, reason_rows
from signals.explain.explanation import explain


def run_page(
    run: Backtest,
    stress: pd.DataFrame | None = None,
    quantstats: Callable[[ReportInput], Part] = quantstats_part,
) -> str:
    """Render the page of a run as HTML, complete in itself: the same bytes for the same run.

    Args:
        run: finished.
        stress: as `backtests.studies.stress.stress_table` gives it; None where it was not asked for.
        quantstats: what draws its part: here, or `reverse_qe.pages.beside.worker.RenderWorker`, which has begun before.
    """
    market = f"{'SIMULATED ' if run.snapshot.simulated else ''}market {run.snapshot.name}"
    span = f"{run.sessions[0].date()} to {run.sessions[-1].date()}"
    own = run.spec.run.strategy
    return page(
        title=f"{run.spec.run.name} on {market}, {span}, run {run.run_id} - Reverse QE",
        heading=f"A strategy of the user: {own}" if own else "Liquidity-regime rotation",
        subtitle=f"Spec {run.spec.run.name} on {market}, {span}, run {run.run_id}",
        banners=banners(run),
        lead=standing(run),
        parts=[*_parts(run, stress), quantstats(report_input(run))],
        footer=f"Rendered by Reverse QE with QuantStats {version('quantstats')}.",
    )


def _parts(run: Backtest, stress: pd.DataFrame | None) -> list[Part]:
    decision = decision_times(pd.DatetimeIndex([run.panel.decides_for[-1]]))[0]
    events = events_between(run.snapshot, run.sessions[0], decision)
    return [
        growth(run, events),
        headline(run),
        evidence(run),
        contributions(run),
        weights(run),
        _signal(run),
        periods(run),
        rotations(run),
        trading(run),
        *([] if stress is None else [stressed(run, stress)]),
        *notes(run),
        settings(run),
        Part("Events, newest first", event_table(events)),
    ]


def _signal(run: Backtest) -> Part:
    coming = run.panel.decides_for[-1]
    explanation = explain(run.signal, coming)
    why = f"What each block and input gives to the score of {coming.date()}, {explanation.score:+.2f}"
    charts = signal_charts(run.signal, run.panel.decides_for[1:], run.spec.signal)
    return Part("Signal", joined([charts, table(REASON_HEAD, reason_rows(explanation), caption=why, texts=(3,))], "\n"))


def report_input(run: Played) -> ReportInput:
    """What QuantStats reports on."""
    return ReportInput(
        returns=run.returns[["strategy", "benchmark"]],
        benchmark_name=run.spec.universe.benchmark,
        risk_free_rate=float(run.bill_yield.fillna(0.0).mean()) / 100,
        salt=run.run_id,
        epoch=timegm(run.sessions[-1].timetuple()),
    )
