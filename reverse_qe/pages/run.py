"""The page of a run: its own numbers first, then QuantStats' report."""

from calendar import timegm
from importlib.metadata import version

from backtests.measures.performance import SESSIONS_PER_YEAR
from backtests.run import Backtest
from reverse_qe.pages.kit import Html, Part, bullets, joined, page, table, tag
from reverse_qe.pages.quantstats_part import ReportInput, quantstats_part
from reverse_qe.words.run import (
    PORTFOLIO_HEAD,
    REGIME_HEAD,
    block_sentence,
    order_sentence,
    performance_rows,
    portfolio_rows,
    regime_rows,
    regime_sentences,
    rotation_rows,
    year_rows,
)

SIMULATED = "Every price and series on this page is made by a model, none of it was observed: no market did this."


def run_page(run: Backtest) -> str:
    """Render the page of a run as HTML, complete in itself: the same bytes for the same run."""
    first, last = run.sessions[0], run.sessions[-1]
    market = f"{'SIMULATED ' if run.snapshot.simulated else ''}market {run.snapshot.name}"
    span = f"{first.date()} to {last.date()}"
    return page(
        title=f"{run.spec.run.name} on {market}, {span}, run {run.run_id} - Reverse QE",
        heading="Liquidity-regime rotation",
        subtitle=f"Spec {run.spec.run.name} on {market}, {span}, run {run.run_id}",
        banners=_banners(run),
        lead=_summary(run),
        parts=(*_parts(run), quantstats_part(_report_input(run))),
        footer=f"Rendered by Reverse QE with QuantStats {version('quantstats')}.",
    )


def _report_input(run: Backtest) -> ReportInput:
    return ReportInput(
        returns=run.returns[["strategy", "benchmark"]],
        benchmark_name=run.spec.universe.benchmark,
        risk_free_rate=float(run.bill_yield.fillna(0.0).mean()) / 100,
        salt=run.run_id,
        epoch=timegm(run.sessions[-1].timetuple()),
    )


def _banners(run: Backtest) -> tuple[tuple[str, str], ...]:
    simulated = (("SIMULATED", SIMULATED),) if run.snapshot.simulated else ()
    hindsight = (("HINDSIGHT", run.spec.universe.hindsight),) if run.spec.universe.hindsight else ()
    return simulated + hindsight


def _summary(run: Backtest) -> Html:
    head = ("Measure", "Strategy", run.spec.universe.benchmark)
    notes = joined([tag("h2", "Notes"), bullets(_notes(run))])
    return tag("div", table(head, performance_rows(run)), tag("div", notes), class_="beside")


def _notes(run: Backtest) -> tuple[str, ...]:
    said_by_banners = ("SIMULATED", "HINDSIGHT")
    sentences = (
        *regime_sentences(run),
        f"{order_sentence(run)}.",
        f"{block_sentence(run).capitalize()}.",
        *run.warnings,
        *_length_notes(len(run.sessions)),
    )
    return tuple(sentence for sentence in sentences if not sentence.startswith(said_by_banners))


def _length_notes(sessions: int) -> tuple[str, ...]:
    if sessions >= SESSIONS_PER_YEAR - 5:  # a calendar year has 248 to 253 sessions
        return ()
    unit = "session" if sessions == 1 else "sessions"
    return (f"The run has {sessions} {unit}, less than a year: yearly figures are extrapolated and mean little.",)


def _parts(run: Backtest) -> tuple[Part, ...]:
    portfolios = tuple(str(name).replace("_", " ") for name in run.returns.columns)
    legs = ("", "regime", "speculative", "cash flow", "reserve", "strategy", "static mix", "why it began")
    return (
        Part("Beside the baselines, which pay the same costs", table(PORTFOLIO_HEAD, portfolio_rows(run))),
        Part("The strategy by regime", table(REGIME_HEAD, regime_rows(run))),
        Part("Return by year", table(("", *portfolios), year_rows(run))),
        Part("Every stay in a regime, baskets before costs", table(legs, rotation_rows(run), texts=(1, 7))),
    )
