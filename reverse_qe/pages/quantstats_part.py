"""QuantStats' report as a part of a page, or a plain chart and the reason where it has no report of such returns.

QuantStats renders and is not asked for numbers: it gets daily returns that are aligned and checked, a benchmark that is
a series, and a stated number of periods.
"""

import re
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import pandas as pd

from backtests.measures.performance import ROUNDING, SESSIONS_PER_YEAR
from data.errors import InputError
from data.files.plain_text import printable
from reverse_qe.pages.drawings import embed
from reverse_qe.pages.kit import Html, Part, box, bullets, joined, tag
from reverse_qe.pages.quantstats_report import quantstats_report, quiet_matplotlib

# QuantStats' rolling charts look back half a year: a shorter run would be a page of empty axes.
MINIMUM_SESSIONS = SESSIONS_PER_YEAR // 2
STRATEGY = "Strategy"
DRAWINGS = (
    "Cumulative returns of strategy and benchmark",
    "Cumulative returns of strategy and benchmark, log scale",
    "Cumulative returns, the benchmark at the strategy's volatility",
    "Returns by year",
    "Rolling beta to the benchmark",
    "Rolling volatility of six months",
    "Rolling Sharpe ratio of six months",
    "Rolling Sortino ratio of six months",
    "The longest drawdowns",
    "Drawdown",
    "Returns by month",
    "Distribution of the monthly returns",
)
TABLES = ("QuantStats: key performance metrics", "QuantStats: returns by year", "QuantStats: worst drawdowns")
# Each line has its test in tests/reverse_qe/test_quantstats_part.py or test_quantstats_mended.py, which fails when
# QuantStats changes.
DIFFERENCES = (
    "Sharpe and Sortino: ours are over the bill's return of each day, QuantStats' over one rate for the whole run "
    "(its first line), its rolling Sharpe and Sortino charts too, which by themselves are over no rate at all.",
    "Average returns, wins of days and the ratios made of them leave out the days without a return.",
    "Mended: windows of 3 months to 10 years begin after the same day before the last one, and are none where the run "
    "does not reach so far back; months (of gain to pain too), quarters and years are whole ones, and a part of a year "
    "says so; drawdowns begin with the start of the run, and end on the session that recovers, or not yet; "
    "value-at-risk and expected shortfall are of the returns as they were, not of a normal distribution; the Ulcer "
    "Performance Index is of yearly growth; months outside the run are blank.",
    "Left out: Information Ratio, Recovery Factor, Risk of Ruin, Serenity Index, Time in Market (it counts days with a "
    "return, not money that is invested, as our exposure does), Treynor Ratio, and the ratio of the two returns of a "
    "year.",
    "Left out: its charts of summed daily returns, which fall to zero at each weekend, and of return quantiles, which "
    "lose every week, month and year that does not end on a session.",
)


@dataclass(frozen=True)
class ReportInput:
    """What QuantStats reports on.

    Attributes:
        returns: daily returns as fractions; naive session dates; columns `strategy` and `benchmark`; no missing value.
        benchmark_name: for people, plain text.
        risk_free_rate: fraction a year that it takes its Sharpe and Sortino over: the mean over the run.
        salt: of the ids inside the charts.
        epoch: seconds since 1970 that the charts are stamped with: the last session, never the time of the rendering.
    """

    returns: pd.DataFrame
    benchmark_name: str
    risk_free_rate: float
    salt: str
    epoch: int


def quantstats_part(given: ReportInput) -> Part:
    """The part of the page: the same bytes for the same input.

    Raises:
        InputError: returns without a row, a column, or with unordered, repeated or zoned dates or missing values;
            a benchmark named as the strategy.
    """
    _require_returns(given)
    reason = _reason_without_quantstats(given.returns["strategy"], given.returns["benchmark"])
    with quiet_matplotlib(given.salt, given.epoch):
        if reason is None:
            return Part("QuantStats report", _report(given))
        drawn = embed(_plain_chart(given.returns, given.benchmark_name), ["Cumulative return and drawdown"])
    told = tag("p", f"The QuantStats report is left out: {reason}", class_="said")
    return Part("Equity and drawdown", joined([told, drawn], "\n"))


def _report(given: ReportInput) -> Html:
    report = quantstats_report(
        given.returns["strategy"],
        given.returns["benchmark"],
        strategy_name=STRATEGY,
        # A name in two braces would be taken for a place of the template.
        benchmark_name=printable(given.benchmark_name).replace("{{", "{ {"),
        risk_free_rate=given.risk_free_rate,
        salt=given.salt,
    )
    known = tag("details", tag("summary", "What to know of its numbers and charts"), bullets(DIFFERENCES))
    return joined([known, embed(_told_tables(report), DRAWINGS)], "\n")


def _told_tables(report: str) -> str:
    """Tables that say what their cells belong to, and scroll by themselves where the window is too narrow."""
    names = iter(TABLES)

    def told(found: re.Match[str]) -> str:
        cells = found[1].replace("<th>", '<th scope="col">')
        named = re.sub(r"<tr><td>(.*?)</td>", r'<tr><th scope="row">\1</th>', cells)
        return box(Html(f"<table>{named}</table>"), next(names))

    return re.sub(r"<table>(.*?)</table>", told, report, flags=re.DOTALL)


def _require_returns(given: ReportInput) -> None:
    returns, dates = given.returns, given.returns.index
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
    if given.benchmark_name == STRATEGY:
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
    return buffer.getvalue().decode()
