"""QuantStats' tables with what is wrong or misleading in them mended, or left out.

tests/reverse_qe/test_quantstats_mended.py holds a table of every figure, as QuantStats gives it and as it is shown: it
fails when QuantStats changes.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

from backtests.measures.holdings import drawdowns
from backtests.measures.performance import performance
from backtests.measures.periods import drawdown_periods, whole_periods, window_growth, window_return

# Without sign (Recovery Factor), of total returns where yearly ones are meant (Treynor), daily where a yearly one is
# meant (Information), of a formula of no meaning, or of days with a return where money in the market is meant (Time).
LEFT_OUT = ("Information Ratio", "Recovery Factor", "Risk of Ruin", "Serenity Index", "Time in Market", "Treynor Ratio")
NOT_YET = "not yet"
NONE = "-"


@contextmanager
def mended_tables(reports: Any, strategy: pd.Series, benchmark: pd.Series, risk_free_rate: float) -> Iterator[None]:
    """Mend the tables of a report while it is made.

    Args:
        reports: `quantstats.reports`.
        strategy: daily returns, fractions.
        benchmark: daily returns on the same index.
        risk_free_rate: fraction a year.
    """
    original = reports._html_table

    def rendered(frame: pd.DataFrame, showindex: Any = "default") -> str:
        if frame.index.name == "Metric":
            frame = mended_metrics(frame, benchmark, strategy, risk_free_rate)
        elif frame.index.name == "Year":
            frame = mended_years(frame, strategy)
        elif "Recovered" in frame:
            frame = mended_drawdowns(strategy)
        return str(original(frame, showindex))

    reports._html_table = rendered
    try:
        yield
    finally:
        reports._html_table = original


def mended_metrics(
    table: pd.DataFrame, benchmark: pd.Series, strategy: pd.Series, risk_free_rate: float
) -> pd.DataFrame:
    """The table of key figures: names of rows, then the benchmark's and the strategy's values as texts."""
    columns = [mended_figures(returns, risk_free_rate) for returns in (benchmark, strategy)]
    rows = [
        (name, *(column.get(str(name), shown) for column, shown in zip(columns, row, strict=True)))
        for name, *row in table.itertuples()
        if name not in LEFT_OUT
    ]
    mended = pd.DataFrame([row[1:] for row in rows], columns=table.columns, index=[row[0] for row in rows])
    mended.index.name = table.index.name
    return mended


def mended_figures(returns: pd.Series, risk_free_rate: float) -> Mapping[str, str]:
    """The figures that QuantStats gives otherwise, by its names.

    Windows begin after the day so many months before the last session, and are none where the run does not reach so
    far back. Months (those of gain to pain too), quarters and years are whole ones. Drawdowns begin with the start, and
    end where they recover. Value-at-risk and shortfall are of the returns as they were. The Ulcer Performance Index is
    of yearly growth.
    """
    return {**_windows(returns), **_periods(returns), **_drawdowns(returns), **_tails(returns, risk_free_rate)}


def mended_years(table: pd.DataFrame, strategy: pd.Series) -> pd.DataFrame:
    """Returns by year, without the ratio of two returns, which means nothing; years of which there is a part say so."""
    whole = {period.year for period in whole_periods(strategy, "Y").index}
    years = [str(year) if int(year) in whole else f"{year} (part)" for year in table.index]
    mended: pd.DataFrame = table.drop(columns="Multiplier").set_axis(years)
    mended.index.name = table.index.name
    return mended


def mended_drawdowns(strategy: pd.Series) -> pd.DataFrame:
    """The ten deepest drawdowns, under the heads of QuantStats' table."""
    deepest = drawdown_periods(strategy).sort_values("depth", kind="stable").head(10)
    return pd.DataFrame(
        {
            "Started": [f"{day:%Y-%m-%d}" for day in deepest["start"]],
            "Recovered": [_day(day) for day in deepest["recovered"]],
            "Drawdown": [f"{100 * depth:.2f}" for depth in deepest["depth"]],
            "Days": deepest["days"].tolist(),
        }
    )


def _windows(returns: pd.Series) -> dict[str, str]:
    short = {f"{months}M" if months < 12 else "1Y": window_return(returns, months) for months in (3, 6, 12)}
    long = {f"{years}Y (ann.)": window_growth(returns, 12 * years) for years in (3, 5, 10)}
    return {name: _percent(value) for name, value in {**short, **long}.items()}


def _periods(returns: pd.Series) -> dict[str, str]:
    months, quarters, years = (whole_periods(returns, frequency) for frequency in ("M", "Q", "Y"))
    figures: dict[str, float | None] = {
        "Expected Monthly": _of(months, _geometric_mean),
        "Expected Yearly": _of(years, _geometric_mean),
        "Avg. Up Month": _of(months[months > 0], pd.Series.mean),
        "Avg. Down Month": _of(months[months < 0], pd.Series.mean),
    }
    for name, each in (("Month", months), ("Year", years)):
        figures |= {f"Best {name}": _of(each, pd.Series.max), f"Worst {name}": _of(each, pd.Series.min)}
    for name, each in (("Month", months), ("Quarter", quarters), ("Year", years)):
        figures[f"Win {name}"] = _of(each > 0, pd.Series.mean)
    pain = -float(months[months < 0].sum())
    gain = {"Gain/Pain (1M)": f"{months.sum() / pain:.2f}" if pain else NONE}
    return {name: _percent(value) for name, value in figures.items()} | gain


def _drawdowns(returns: pd.Series) -> dict[str, str]:
    periods = drawdown_periods(returns)
    if periods.empty:
        names = ("Max DD Date", "Max DD Period Start", "Max DD Period End", "Longest DD Days", "Avg. Drawdown Days")
        return {**dict.fromkeys(names, NONE), "Max Drawdown": _percent(0.0), "Avg. Drawdown": _percent(0.0)}
    deepest = periods.iloc[int(periods["depth"].to_numpy().argmin())]
    return {
        "Max Drawdown": _percent(deepest["depth"]),
        "Max DD Date": _day(deepest["deepest"]),
        "Max DD Period Start": _day(deepest["start"]),
        "Max DD Period End": _day(deepest["recovered"]),
        "Longest DD Days": str(periods["days"].max()),
        "Avg. Drawdown": _percent(periods["depth"].mean()),
        "Avg. Drawdown Days": f"{periods['days'].mean():.0f}",
    }


def _tails(returns: pd.Series, risk_free_rate: float) -> dict[str, str]:
    bound = float(returns.quantile(0.05))
    ulcer = math.sqrt(float((drawdowns(returns) ** 2).mean()))
    growth = performance(returns, returns * 0.0).cagr
    ratio = NONE if growth is None or ulcer == 0 else f"{(growth - risk_free_rate) / ulcer:.2f}"
    return {
        "Daily Value-at-Risk": _percent(bound),
        "Expected Shortfall (cVaR)": _percent(float(returns[returns <= bound].mean())),
        "Ulcer Index": f"{ulcer:.2f}",
        "Ulcer Performance Index": ratio,
    }


def _of(values: pd.Series, measure: Callable[[pd.Series], Any]) -> float | None:
    return None if values.empty else float(measure(values))


def _geometric_mean(values: pd.Series) -> float:
    return float(np.prod(1.0 + values.to_numpy()) ** (1.0 / len(values))) - 1.0


def _percent(value: float | None) -> str:
    return NONE if value is None else f"{100.0 * value:,.2f}%"


def _day(day: Any) -> str:
    return NOT_YET if pd.isna(day) else f"{day:%Y-%m-%d}"
