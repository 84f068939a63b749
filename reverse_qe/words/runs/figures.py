"""Measures in words, as they are told everywhere; it imports nothing, so that lists of runs are there at once."""

import math

# Label, key in metrics.json, format.
MEASURES = (
    ("Final equity", "final_equity_usd", "{:,.0f} USD"),
    ("CAGR", "cagr", "{:.1%}"),
    ("Volatility", "volatility", "{:.1%}"),
    ("Sharpe (over the 3-month bill)", "sharpe", "{:.2f}"),
    ("Sortino (over the 3-month bill)", "sortino", "{:.2f}"),
    ("Maximum drawdown", "max_drawdown", "{:.1%}"),
    ("Calmar", "calmar", "{:.2f}"),
    ("Turnover a year, one-sided", "turnover", "{:.1%}"),
    ("Costs a year, share of equity", "costs", "{:.2%}"),
    ("Exposure, mean share invested", "exposure", "{:.1%}"),
    ("Exposure without the reserve", "exposure_without_reserve", "{:.1%}"),
)
PORTFOLIO_HEAD = ("", "final equity", "CAGR", "volatility", "Sharpe", "max. drawdown", "turnover", "costs")
REGIME_HEAD = ("", "sessions", "share", "mean return a year", "volatility", "Sharpe")
FORMATS = {key: style for _, key, style in MEASURES} | {"mean_return": "{:.1%}", "final_equity_usd": "{:,.0f}"}


def measure_text(key: str, value: float | None) -> str:
    """A measure by its key: percent, dollars, or a number; a dash where it has no meaning."""
    return number_text(value, FORMATS.get(key, "{:,.2f}"))


def number_text(value: float | None, style: str) -> str:
    """A number in a format; a dash where there is none."""
    return style.format(value) if value is not None and math.isfinite(value) else "-"
