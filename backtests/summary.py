"""A run in words and rows, for the terminal and for the head of the tearsheet."""

import math
from typing import Any

from backtests.run import Backtest

Row = tuple[str, ...]

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
)
PORTFOLIO_HEAD = ("", "final equity", "CAGR", "volatility", "Sharpe", "max. drawdown", "turnover", "costs")
_PORTFOLIO_MEASURES = ("final_equity_usd", "cagr", "volatility", "sharpe", "max_drawdown", "turnover", "costs")
_FORMATS = {key: style for _, key, style in MEASURES} | {"mean_return": "{:.1%}", "final_equity_usd": "{:,.0f}"}
REGIME_HEAD = ("", "sessions", "share", "mean return a year", "volatility", "Sharpe")


def performance_rows(run: Backtest) -> list[tuple[str, str, str]]:
    """Measure, strategy, benchmark: formatted; a dash where a measure has no meaning."""
    strategy, benchmark = run.metrics["strategy"], run.metrics["benchmark"]
    return [(label, _text(strategy[key], style), _text(benchmark[key], style)) for label, key, style in MEASURES]


def portfolio_rows(run: Backtest) -> list[Row]:
    """The strategy and every baseline, one row each under `PORTFOLIO_HEAD`."""
    names = {"strategy": "strategy", "benchmark": f"benchmark: {run.spec.universe.benchmark}"}
    return [
        (names.get(name, name.replace("_", " ")), *_cells(run.metrics[name], _PORTFOLIO_MEASURES))
        for name in ("strategy", *run.baselines)
    ]


def regime_rows(run: Backtest) -> list[Row]:
    """The strategy's sessions by regime, one row each under `REGIME_HEAD`."""
    return [
        (name, str(row["sessions"]), f"{row['share']:.0%}", *_cells(row, ("mean_return", "volatility", "sharpe")))
        for name, row in run.metrics["by_regime"].items()
    ]


def year_rows(run: Backtest) -> list[Row]:
    """Total return of each year by portfolio; the columns are those of `run.returns`."""
    return [
        (year, *(_text(row[str(name)], "{:.1%}") for name in run.returns.columns))
        for year, row in run.metrics["by_year"].items()
    ]


def rotation_rows(run: Backtest) -> list[Row]:
    """Every stay in a regime: when, why, and how the legs, the strategy and the static mix did in it."""
    legs = ("speculative", "cash_flow", "reserve", "strategy", "static_mix")
    return [
        (
            f"{stay['start'].date()} to {stay['end'].date()}",
            str(stay["regime"]),
            *(f"{stay[leg]:+.1%}" for leg in legs),
            str(stay["reason"]),
        )
        for stay in run.rotations.to_dict("records")
    ]


def order_sentence(run: Backtest) -> str:
    """How the orders of the run ended."""
    orders = run.counts["orders"]
    return (
        f"{orders['total']} orders: {orders['filled']} filled, {orders['reduced']} reduced, "
        f"{orders['unfilled']} unfilled, {orders['rejected']} rejected"
    )


def block_sentence(run: Backtest) -> str:
    """The share of sessions by number of live blocks."""
    shares = [f"{number}: {share:.0%}" for number, share in run.counts["live_blocks"].items() if share]
    return f"live blocks, share of sessions: {', '.join(shares)}"


def next_orders_rows(run: Backtest) -> list[Row]:
    """Symbol, side and size of the orders decided for the session to come."""
    rows: list[Row] = []
    for order in run.engine.next_orders.to_dict("records"):
        size = f"{order['money']:,.2f} USD" if order["side"] == "buy" else f"{order['size_wanted']:,.6f} units"
        rows.append((str(order["symbol"]), str(order["side"]), size))
    return rows


def target_rows(run: Backtest) -> list[Row]:
    """Symbol and target weight for the session to come, largest first; what is left is cash."""
    targets = run.plan.targets.iloc[-1]
    held = targets[targets > 0].sort_values(ascending=False, kind="stable")
    rows: list[Row] = [(str(symbol), f"{weight:.1%}") for symbol, weight in held.items()]
    cash = 1.0 - float(targets.sum())
    return [*rows, ("cash", f"{cash:.1%}")] if cash > 5e-4 else rows


def _cells(measures: dict[str, Any], keys: tuple[str, ...]) -> list[str]:
    return [_text(measures[key], _FORMATS[key]) for key in keys]


def _text(value: float | None, style: str) -> str:
    return style.format(value) if value is not None and math.isfinite(value) else "-"
