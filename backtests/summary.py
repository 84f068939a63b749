"""A run in words and rows, for the terminal and for the head of the tearsheet."""

import math
from typing import Any

import numpy as np

from backtests.run import Backtest

Row = tuple[str, str, str]


def performance_rows(run: Backtest) -> list[Row]:
    """Measure, strategy, benchmark: formatted; a dash where a measure has no meaning or none was taken."""
    strategy, benchmark = run.metrics["strategy"], run.metrics["benchmark"]
    rows: list[Row] = [("Final equity", f"{strategy['final_equity_usd']:,.0f} USD", _final(run, "benchmark"))]
    for label, key, style in (
        ("CAGR", "cagr", "percent"),
        ("Volatility", "volatility", "percent"),
        ("Sharpe (over the 3-month bill)", "sharpe", "ratio"),
        ("Sortino (over the 3-month bill)", "sortino", "ratio"),
        ("Maximum drawdown", "max_drawdown", "percent"),
        ("Calmar", "calmar", "ratio"),
        ("Turnover a year, one-sided", "turnover", "percent"),
        ("Costs a year, share of equity", "costs", "small_percent"),
        ("Exposure, mean share invested", "exposure", "percent"),
    ):
        rows.append((label, _format(strategy.get(key), style), _format(benchmark.get(key), style)))
    return rows


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
    rows = []
    for order in run.engine.next_orders.to_dict("records"):
        size = f"{order['money']:,.2f} USD" if order["side"] == "buy" else f"{order['size_wanted']:,.6f} units"
        rows.append((str(order["symbol"]), str(order["side"]), size))
    return rows


def target_rows(run: Backtest) -> list[tuple[str, str]]:
    """Symbol and target weight for the session to come, largest first; what is left is cash."""
    targets = run.plan.targets.iloc[-1]
    held = targets[targets > 0].sort_values(ascending=False, kind="stable")
    rows = [(str(symbol), f"{weight:.1%}") for symbol, weight in held.items()]
    cash = 1.0 - float(targets.sum())
    return [*rows, ("cash", f"{cash:.1%}")] if cash > 5e-4 else rows


def _final(run: Backtest, column: str) -> str:
    growth = float(np.prod(1.0 + run.returns[column].to_numpy()))
    return f"{run.spec.run.initial_cash * growth:,.0f} USD"


def _format(value: Any, style: str) -> str:
    if value is None or not math.isfinite(value):
        return "-"
    if style == "ratio":
        return f"{value:.2f}"
    return f"{value:.2%}" if style == "small_percent" else f"{value:.1%}"
