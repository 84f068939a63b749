"""The tearsheet of a run: what the page says around QuantStats' figures."""

from calendar import timegm

from backtests.run import Backtest
from reverse_qe.pages.kit import PageTable
from reverse_qe.pages.tearsheet import TearsheetInput, render_tearsheet
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


def tearsheet_page(run: Backtest) -> str:
    """Render the tearsheet of a run as HTML, complete in itself."""
    first, last = run.sessions[0], run.sessions[-1]
    market = f"{'SIMULATED ' if run.snapshot.simulated else ''}market {run.snapshot.name}"
    return render_tearsheet(
        TearsheetInput(
            title="Liquidity-regime rotation",
            subtitle=f"Spec {run.spec.run.name} on {market}, {first.date()} to {last.date()}, run {run.run_id}",
            returns=run.returns[["strategy", "benchmark"]],
            benchmark_name=run.spec.universe.benchmark,
            banners=_banners(run),
            summary=tuple(performance_rows(run)),
            notes=_notes(run),
            tables=_tables(run),
            risk_free_rate=float(run.bill_yield.fillna(0.0).mean()) / 100,
            run_id=run.run_id,
            epoch=timegm(last.timetuple()),
        )
    )


def _banners(run: Backtest) -> tuple[tuple[str, str], ...]:
    simulated = (("SIMULATED", SIMULATED),) if run.snapshot.simulated else ()
    hindsight = (("HINDSIGHT", run.spec.universe.hindsight),) if run.spec.universe.hindsight else ()
    return simulated + hindsight


def _notes(run: Backtest) -> tuple[str, ...]:
    said_by_banners = ("SIMULATED", "HINDSIGHT")
    sentences = (
        *regime_sentences(run),
        f"{order_sentence(run)}.",
        f"{block_sentence(run).capitalize()}.",
        *run.warnings,
    )
    return tuple(sentence for sentence in sentences if not sentence.startswith(said_by_banners))


def _tables(run: Backtest) -> tuple[PageTable, ...]:
    portfolios = tuple(str(name).replace("_", " ") for name in run.returns.columns)
    legs = ("", "regime", "speculative", "cash flow", "reserve", "strategy", "static mix", "why it began")
    return (
        PageTable("Beside the baselines, which pay the same costs", PORTFOLIO_HEAD, tuple(portfolio_rows(run))),
        PageTable("The strategy by regime", REGIME_HEAD, tuple(regime_rows(run))),
        PageTable("Return by year", ("", *portfolios), tuple(year_rows(run))),
        PageTable("Every stay in a regime, baskets before costs", legs, tuple(rotation_rows(run))),
    )
