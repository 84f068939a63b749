"""The tearsheet of a run: our own numbers, then the report of QuantStats, which renders and is not asked for numbers.

QuantStats gets daily returns that are aligned and checked, a benchmark that is a series, and a stated number of
periods. Where it has no report of such returns, a plain chart stands in.
"""

from dataclasses import dataclass
from importlib.metadata import version
from io import BytesIO

import numpy as np
import pandas as pd

from backtests.measures.performance import ROUNDING, SESSIONS_PER_YEAR
from data.errors import InputError
from reverse_qe.pages.kit import PageTable, inline_svg, page, plain_section, quantstats_section
from reverse_qe.pages.quantstats_report import quantstats_report, quiet_matplotlib

# QuantStats' rolling charts look back half a year: a shorter run would be a page of empty axes.
MINIMUM_SESSIONS = SESSIONS_PER_YEAR // 2
STRATEGY = "Strategy"


@dataclass(frozen=True)
class TearsheetInput:
    """What stands on the page. All texts are plain text.

    Attributes:
        title: of the page.
        subtitle: spec, market, span and run id, in one line.
        returns: daily returns as fractions; naive session dates; columns `strategy` and `benchmark`; no missing value.
        benchmark_name: for people.
        banners: label and text of each warning that must not be overlooked, as ("SIMULATED", "Every price ...").
        summary: measure, strategy, benchmark, ready to print: our own numbers, shown above QuantStats'.
        notes: one sentence each.
        run_id: salt of the ids inside the charts.
        epoch: seconds since 1970 that the charts are stamped with: the last session, never the time of the rendering.
        tables: further tables of ours, below the summary.
        risk_free_rate: fraction a year that QuantStats takes its Sharpe and Sortino over: the mean over the run.
    """

    title: str
    subtitle: str
    returns: pd.DataFrame
    benchmark_name: str
    banners: tuple[tuple[str, str], ...]
    summary: tuple[tuple[str, str, str], ...]
    notes: tuple[str, ...]
    run_id: str
    epoch: int
    tables: tuple[PageTable, ...] = ()
    risk_free_rate: float = 0.0


def render_tearsheet(sheet: TearsheetInput) -> str:
    """Return the HTML of the tearsheet: complete in itself, and the same bytes for the same input.

    Where QuantStats has no report of such returns, the page says why and shows a chart of equity and drawdown.

    Raises:
        InputError: returns without a row, a column, or with unordered, repeated or zoned dates or missing values;
            a benchmark named as the strategy.
    """
    _require_returns(sheet)
    reason = _reason_without_quantstats(sheet.returns["strategy"], sheet.returns["benchmark"])
    with quiet_matplotlib(sheet.run_id, sheet.epoch):
        if reason is None:
            report = quantstats_section(_quantstats_report(sheet))
            footer = f"Rendered by Reverse QE with QuantStats {version('quantstats')}."
        else:
            report = plain_section(reason, _plain_chart(sheet.returns, sheet.benchmark_name))
            footer = "Rendered by Reverse QE."
    return page(
        title=sheet.title,
        subtitle=sheet.subtitle,
        banners=sheet.banners,
        benchmark_name=sheet.benchmark_name,
        summary=sheet.summary,
        tables=sheet.tables,
        notes=sheet.notes + _length_notes(len(sheet.returns)),
        report=report,
        footer=footer,
    )


def _require_returns(sheet: TearsheetInput) -> None:
    returns, dates = sheet.returns, sheet.returns.index
    if list(returns.columns) != ["strategy", "benchmark"] or returns.empty:
        raise InputError(
            f"tearsheet: got {len(returns)} rows of the columns {', '.join(map(str, returns.columns)) or 'none'}, "
            "wanted at least one row of strategy, benchmark"
        )
    if not isinstance(dates, pd.DatetimeIndex) or dates.tz is not None or not dates.equals(dates.normalize()):
        raise InputError("tearsheet: got dates with a time or a time zone, wanted naive session dates")
    if not (dates.is_monotonic_increasing and dates.is_unique):
        raise InputError("tearsheet: got unordered or repeated dates, wanted each session once, in order")
    if not np.isfinite(returns.to_numpy(dtype="float64")).all():
        raise InputError("tearsheet: got missing or infinite returns, wanted a number for every session")
    if sheet.benchmark_name == STRATEGY:
        raise InputError(f"tearsheet: got a benchmark named {STRATEGY}, wanted another name")


def _reason_without_quantstats(strategy: pd.Series, benchmark: pd.Series) -> str | None:
    """Return why QuantStats has no report of these returns; None where it has."""
    if len(strategy) < MINIMUM_SESSIONS:
        return f"its charts look back {MINIMUM_SESSIONS} sessions, and this run has {len(strategy)}."
    if strategy.max() - strategy.min() < ROUNDING:
        return (
            "the strategy's return is the same in every session, as it is in cash, "
            "and a regression on the benchmark needs returns that differ."
        )
    for values in (strategy, benchmark):
        if values.min() >= 0 and values.max() > 1:
            return "it would take returns that never fall and once exceed 100% for prices."
    return None


def _length_notes(sessions: int) -> tuple[str, ...]:
    if sessions >= SESSIONS_PER_YEAR - 5:  # a calendar year has 248 to 253 sessions
        return ()
    unit = "session" if sessions == 1 else "sessions"
    return (f"The run has {sessions} {unit}, less than a year: yearly figures are extrapolated and mean little.",)


def _quantstats_report(sheet: TearsheetInput) -> str:
    return quantstats_report(
        sheet.returns["strategy"],
        sheet.returns["benchmark"],
        strategy_name=STRATEGY,
        benchmark_name=sheet.benchmark_name,
        risk_free_rate=sheet.risk_free_rate,
        salt=sheet.run_id,
    )


def _plain_chart(returns: pd.DataFrame, benchmark_name: str) -> str:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    figure = Figure(figsize=(11, 6), layout="constrained")
    top, bottom = figure.subplots(2, sharex=True, height_ratios=(2, 1))
    marker = "o" if len(returns) <= 25 else ""
    for column, name, color in (("benchmark", benchmark_name, "#e0a81f"), ("strategy", STRATEGY, "#348dc1")):
        wealth = (1 + returns[column]).cumprod()
        drawdown = wealth / wealth.cummax().clip(lower=1.0) - 1
        top.plot(wealth.index, wealth - 1, label=name, color=color, marker=marker)
        bottom.plot(drawdown.index, drawdown, color=color, marker=marker)
    top.set_title("Cumulative return")
    bottom.set_title("Drawdown")
    top.legend(frameon=False)
    for axes in (top, bottom):
        axes.axhline(0, color="#616e7c", linewidth=1)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    if len(returns) <= 10:  # a tick a session: an automatic axis would name hours
        bottom.set_xticks(returns.index, [f"{day:%Y-%m-%d}" for day in returns.index])
    else:
        locator = AutoDateLocator()  # type: ignore[no-untyped-call]
        bottom.xaxis.set_major_locator(locator)
        bottom.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    buffer = BytesIO()
    figure.savefig(buffer, format="svg")
    return inline_svg(buffer.getvalue().decode())
