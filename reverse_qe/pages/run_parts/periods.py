"""The returns of a run by regime, by year and by month."""

import math

import pandas as pd

from backtests.measures.holdings import monthly_returns
from backtests.run import Backtest
from reverse_qe.pages.kit import Html, Part, joined, table, tag
from reverse_qe.words.run import regime_rows, year_rows
from reverse_qe.words.runs.figures import REGIME_HEAD

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# A return of so much has the strongest tint.
STRONGEST = 0.12
TINTS = 4


def periods(run: Backtest) -> Part:
    """Tables by regime, by year and by month."""
    portfolios = tuple(str(name).replace("_", " ") for name in run.returns.columns)
    tables = [
        table(REGIME_HEAD, regime_rows(run), caption="The strategy by regime"),
        table(("", *portfolios), year_rows(run), caption="Return by year"),
        _by_month(run),
    ]
    return Part("By regime, year and month", joined(tables, "\n"))


def _by_month(run: Backtest) -> Html:
    months = monthly_returns(run.returns["strategy"])
    years = {year: row["strategy"] for year, row in run.measures.by_year.items()}
    rows = [
        (str(year), *(_cell(value) for value in values), f"{years[str(year)]:.1%}")
        for year, values in zip(months.index, months.to_numpy(), strict=True)
    ]
    return table(("", *MONTHS, "year"), rows, caption="The strategy's return by month")


def _cell(value: float) -> Html:
    """A return on a tint: the farther from 0 the stronger; blank for a month without a session."""
    if pd.isna(value):
        return Html()
    strength = min(TINTS, math.ceil(abs(value) / STRONGEST * TINTS))
    sign = "up" if value >= 0 else "down"
    return tag("span", f"{value:.1%}", class_=f"tint {sign}{strength}" if strength else "tint")
