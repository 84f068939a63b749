"""The report of QuantStats as a piece of HTML: the one module that imports it.

What it and its import set in matplotlib and in the process is set back, so that a rendering leaves no trace and depends
on none. Two of its charts are mended on the way, and two are left out.
"""

import math
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from backtests.measures.holdings import monthly_returns
from backtests.measures.performance import SESSIONS_PER_YEAR
from reverse_qe.pages.quantstats_mended import mended_tables
from reverse_qe.pages.quantstats_speed import quickened

TEMPLATE = Path(__file__).parent / "quantstats_report.html.tmpl"
# DejaVu Sans comes with matplotlib, so that the page is the same on every machine.
FONT = "DejaVu Sans"
STYLE: dict[Any, Any] = {
    "font.family": FONT,
    "font.size": 11,
    "axes.labelsize": 11,
    "axes.titlesize": 12,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "legend.fontsize": 11,
    "text.parse_math": False,  # a name with a dollar sign is a name
    "text.color": "#333333",
    "xtick.color": "#616e7c",
    "ytick.color": "#616e7c",
    "xtick.bottom": False,
    "ytick.left": False,
    "axes.edgecolor": "#ffffff",
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.5,
    "lines.solid_capstyle": "round",
    "patch.edgecolor": "#ffffff",
    "path.simplify_threshold": 0.4,  # of a point: a sixth of the bytes less, and no difference to the eye
}
CHARTS = (
    "returns",
    "log_returns",
    "yearly_returns",
    "histogram",
    "rolling_beta",
    "rolling_volatility",
    "rolling_sharpe",
    "rolling_sortino",
    "drawdowns_periods",
    "drawdown",
    "monthly_heatmap",
)
# Summed daily returns that fall to zero at each weekend, and quantiles without the periods that end on one.
FAULTY_CHARTS = ("daily_returns", "distribution")


def quantstats_report(
    strategy: pd.Series,
    benchmark: pd.Series,
    *,
    strategy_name: str,
    benchmark_name: str,
    risk_free_rate: float,
    salt: str,
) -> str:
    """Return QuantStats' charts and tables; to be called inside `quiet_matplotlib`.

    Args:
        strategy: daily returns, fractions, naive session dates, no missing value; not all the same.
        benchmark: daily returns on the same index.
        strategy_name: for people; differs from the next.
        benchmark_name: for people.
        risk_free_rate: fraction a year, for Sharpe and Sortino.
        salt: of the ids inside the charts.
    """
    import quantstats

    _set_style(salt)  # its first import sets a style of its own
    with (
        quickened(quantstats.stats),
        mended_tables(quantstats.reports, strategy, benchmark, risk_free_rate),
        _mended_charts(quantstats.plots, risk_free_rate),
        tempfile.TemporaryDirectory() as folder,
    ):
        output = Path(folder) / "report.html"
        quantstats.reports.html(  # type: ignore[no-untyped-call]
            strategy.copy(),
            benchmark=benchmark.copy(),
            rf=risk_free_rate,
            periods_per_year=SESSIONS_PER_YEAR,
            match_dates=False,  # True would cut the days in cash at the start
            strategy_title=strategy_name,
            benchmark_title=benchmark_name,
            template_path=TEMPLATE,
            output=output,
        )
        report = output.read_text(encoding="utf-8")
    return report.replace("CAGR﹪", "CAGR")


def load() -> None:
    """Import what a report is drawn with, which takes as long as half of the drawing."""
    import quantstats  # noqa: F401


@contextmanager
def quiet_matplotlib(salt: str, epoch: int) -> Iterator[None]:
    """Give matplotlib one known state without a screen, random ids or the time of day, and put back what was there.

    Args:
        salt: of the ids inside the charts.
        epoch: seconds since 1970 that the charts are stamped with.
    """
    import matplotlib
    from matplotlib import pyplot

    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings(action="ignore"))
        stack.enter_context(_environment("SOURCE_DATE_EPOCH", str(epoch)))
        stack.enter_context(matplotlib.rc_context())
        stack.callback(pyplot.switch_backend, matplotlib.get_backend())
        pyplot.switch_backend("svg")
        _set_style(salt)
        yield


def _set_style(salt: str) -> None:
    import matplotlib

    matplotlib.rcdefaults()
    matplotlib.rcParams.update({**STYLE, "svg.hashsalt": salt})


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


@contextmanager
def _mended_charts(plots: ModuleType, risk_free_rate: float) -> Iterator[None]:
    """Let QuantStats draw in our font (it asks for Arial, and lets nobody choose), mend six charts, leave out two."""
    originals = {name: getattr(plots, name) for name in (*CHARTS, *FAULTY_CHARTS)}
    charts = {name: partial(originals[name], fontname=FONT) for name in CHARTS}
    mended = {
        **charts,
        "yearly_returns": partial(_yearly_returns, charts["yearly_returns"]),
        "rolling_beta": partial(_rolling_beta, charts["rolling_beta"]),
        # It has a rate for its table, and none for these.
        **{name: partial(charts[name], rf=risk_free_rate) for name in ("rolling_sharpe", "rolling_sortino")},
        "drawdowns_periods": partial(_drawdowns_periods, charts["drawdowns_periods"]),
        "monthly_heatmap": partial(_monthly_heatmap, charts["monthly_heatmap"]),
        **dict.fromkeys(FAULTY_CHARTS, _left_out),
    }
    try:
        for name, chart in mended.items():
            setattr(plots, name, chart)
        yield
    finally:
        for name, original in originals.items():
            setattr(plots, name, original)


def _yearly_returns(original: Any, *arguments: Any, savefig: dict[str, Any], **options: Any) -> None:
    """Put each year under its own bars: the ticks that QuantStats names are not where pandas 3 draws the bars."""
    figure = original(*arguments, **options)
    axes = figure.axes[0]
    years = sorted({day.year for day in arguments[0].index})
    bars = np.array([[bar.get_x() + bar.get_width() / 2 for bar in container] for container in axes.containers])
    centres = bars.mean(axis=0)
    step = math.ceil(len(years) / 14)  # as many names as there is room for
    axes.set_xticks(centres[::step], [str(year) for year in years[::step]], rotation=0, ha="center")
    axes.set_xlim(centres[0] - 0.6, centres[-1] + 0.6)
    figure.savefig(**savefig)


def _rolling_beta(original: Any, *arguments: Any, savefig: dict[str, Any], window1: int, **options: Any) -> None:
    """Start the line where its first window is full: QuantStats draws zeros before."""
    figure = original(*arguments, window1=window1, **options)
    line = figure.axes[0].lines[0]
    beta = np.array(line.get_ydata(), dtype="float64")
    beta[: window1 - 1] = np.nan
    line.set_ydata(beta)
    figure.savefig(**savefig)


def _drawdowns_periods(original: Any, *arguments: Any, savefig: dict[str, Any], **options: Any) -> None:
    """Say what is drawn: the longest drawdowns, which QuantStats calls the worst."""
    figure = original(*arguments, **options)
    for text in figure.texts:
        text.set_text(text.get_text().replace("Worst", "Longest"))
    figure.savefig(**savefig)


def _monthly_heatmap(original: Any, *arguments: Any, savefig: dict[str, Any], **options: Any) -> None:
    """Leave the months blank that are not in the run: QuantStats shows a return of 0.00 for them."""
    figure = original(*arguments, **options)
    axes = figure.axes[0]
    shown = monthly_returns(arguments[0]).notna().to_numpy()
    cells, texts = axes.collections[0], axes.texts
    cells.set_array(np.ma.masked_where(~shown, np.ma.getdata(cells.get_array()).reshape(shown.shape)))
    for text, is_shown in zip(texts, shown.ravel(), strict=True):
        text.set_visible(bool(is_shown))
    figure.savefig(**savefig)


def _left_out(*_arguments: Any, **_options: Any) -> None:
    """Draw nothing: the page has no place for this chart."""
