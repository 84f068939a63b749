"""A run in words and rows, for the terminal and for the head of the tearsheet."""

import math
from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd

from backtests.run import Backtest
from backtests.studies.gauge import DRIVERS, Gauge
from data.events.findings import counted
from reverse_qe.words.runs.figures import FORMATS, MEASURES, number_text
from signals.explain.explanation import Explanation, InputReason, explain
from signals.explain.sentence import signal_sentence
from signals.explain.titles import input_title
from signals.regime import Regime

Row = tuple[str, ...]

_PORTFOLIO_MEASURES = ("final_equity_usd", "cagr", "volatility", "sharpe", "max_drawdown", "turnover", "costs")
STRESS_HEAD = ("costs", "signal late by", "CAGR", "Sharpe", "max. drawdown", "turnover", "costs a year", "costs paid")
CAPEX_GROWTH = "drain.capex_growth"
"""An input that form 1 of the signal has, and form 2 does not."""
REASON_HEAD = ("", "contribution", "value", "unit", "about", "known at (UTC)")
RESPONSE_HEAD = ("", "to the score", "to its change over 5 sessions", "weeks")
PARTING_HEAD = ("", *(str(regime) for regime in Regime))


def headline(run: Backtest) -> str:
    """Spec, market, span and id of a run in one line."""
    market = f"{'SIMULATED market' if run.snapshot.simulated else 'market'} {run.snapshot.name}"
    first, last = run.sessions[0].date(), run.sessions[-1].date()
    return f"{run.spec.run.name} on {market}, {first} to {last} (run {run.run_id})"


def performance_rows(run: Backtest) -> list[tuple[str, str, str]]:
    """Measure, strategy, benchmark: formatted; a dash where a measure has no meaning."""
    strategy, benchmark = run.measures.strategy, run.measures.portfolios["benchmark"]
    return [
        (label, number_text(getattr(strategy, key), style), number_text(getattr(benchmark, key), style))
        for label, key, style in MEASURES
    ]


def portfolio_rows(run: Backtest, left_out: Collection[str] = ()) -> list[Row]:
    """The strategy and every baseline, one row each under `PORTFOLIO_HEAD`.

    Args:
        run: finished.
        left_out: names of baselines.
    """
    names = {"strategy": "strategy", "benchmark": f"benchmark: {run.spec.universe.benchmark}"}
    return [
        (names.get(name, name.replace("_", " ")), *_cells(asdict(run.measures.portfolios[name]), _PORTFOLIO_MEASURES))
        for name in ("strategy", *run.baselines)
        if name not in left_out
    ]


def regime_rows(run: Backtest) -> list[Row]:
    """The strategy's sessions by regime, one row each under `REGIME_HEAD`."""
    return [
        (name, str(row.sessions), f"{row.share:.0%}", *_cells(asdict(row), ("mean_return", "volatility", "sharpe")))
        for name, row in run.measures.by_regime.items()
    ]


def year_rows(run: Backtest) -> list[Row]:
    """Total return of each year by portfolio; the columns are those of `run.returns`."""
    return [
        (year, *(number_text(row[str(name)], "{:.1%}") for name in run.returns.columns))
        for year, row in run.measures.by_year.items()
    ]


def rotation_rows(run: Backtest) -> list[Row]:
    """Every stay in a regime: when, why, and how the legs, the strategy and the static mix did in it."""
    legs = ("speculative", "cash_flow", "reserve", "pair", "strategy", "static_mix")
    return [
        (
            f"{stay['start'].date()} to {stay['end'].date()}",
            str(stay["regime"]),
            *(number_text(stay[leg], "{:+.1%}") for leg in legs),
            str(stay["reason"]),
        )
        for stay in run.rotations.to_dict("records")
    ]


def stress_rows(table: pd.DataFrame) -> list[Row]:
    """One row a cell of `backtests.studies.stress.stress_table`, under `STRESS_HEAD`."""
    return [
        (
            f"x{cell['cost_factor']}",
            _sessions(cell["delay_sessions"]),
            *_cells(cell, ("cagr", "sharpe", "max_drawdown", "turnover", "costs")),
            f"{cell['costs_usd']:,.0f} USD",
        )
        for cell in table.to_dict("records")
    ]


def stress_sentence(run: Backtest) -> str:
    """What the stressed strategy is to be held against, with a word on strategies of the user."""
    benchmark, mix = (
        number_text(run.measures.portfolios[name].sharpe, "{:.2f}") for name in ("benchmark", "static_mix")
    )
    sentence = (
        f"To compare, at costs x1: the benchmark {run.spec.universe.benchmark} has a Sharpe of {benchmark}, "
        f"the static mix, which needs no signal, of {mix}."
    )
    if run.spec.run.strategy is None:
        return sentence
    return f"{sentence} A strategy of yours meets the delay only where it reads target, rebalance or score."


def reason_rows(reasons: Explanation) -> list[Row]:
    """What each block and input gives to the score, with the value behind it; one row each under `REASON_HEAD`."""
    rows: list[Row] = []
    for block in reasons.blocks:
        rows.append((block.name, _signed(block.contribution), "", "", "", ""))
        rows.extend(_reason_row(reason) for reason in block.inputs)
    return rows


def response_rows(gauge: Gauge) -> list[Row]:
    """How each leg answered the score and its change, with the interval; one row a leg under `RESPONSE_HEAD`."""
    cells = gauge.responses.set_index(["leg", "driver"])
    return [
        (
            str(leg).replace("_", " "),
            *(_estimate(cells.loc[(leg, driver)], "slope", "{:+.2%}") for driver in DRIVERS),
            str(cells.loc[(leg, DRIVERS[0]), "weeks"]),
        )
        for leg in dict.fromkeys(gauge.responses["leg"])
    ]


def parting_rows(gauge: Gauge) -> list[Row]:
    """Mean return of each leg by regime, with the interval; one row a leg under `PARTING_HEAD`, then the weeks."""
    cells = gauge.partings.set_index(["leg", "regime"])
    legs = list(dict.fromkeys(gauge.partings["leg"]))
    rows: list[Row] = [
        (
            str(leg).replace("_", " "),
            *(_estimate(cells.loc[(leg, str(regime))], "mean", "{:+.0%}") for regime in Regime),
        )
        for leg in legs
    ]
    return [*rows, ("weeks", *(str(cells.loc[(legs[-1], str(regime)), "weeks"]) for regime in Regime))]


def other_warnings(run: Backtest) -> list[str]:
    """The warnings but for those that the head of a page and the honest lines say."""
    return [warning for warning in run.warnings if not warning.startswith(("SIMULATED", "HINDSIGHT"))]


def order_sentence(run: Backtest) -> str:
    """How the orders of the run ended."""
    orders = run.counts.orders
    return (
        f"{counted(orders.total, 'order')}: {orders.filled} filled, {orders.reduced} reduced, "
        f"{orders.unfilled} unfilled, {orders.rejected} rejected"
    )


def regime_sentences(run: Backtest) -> list[str]:
    """The regime of the session to come and its reasons; then `state_sentences`."""
    coming = run.panel.decides_for[-1]
    sentence = signal_sentence(run.signal, coming, run.spec.signal)
    return [f"Regime for {coming.date()}: {sentence}.", *state_sentences(explain(run.signal, coming))]


def state_sentences(reasons: Explanation) -> list[str]:
    """The gate of idle money, blocks that are young and the regime's probabilities, each where the signal has them."""
    sentences = []
    if (gate := reasons.gate) is not None and gate.ratio is None:
        sentences.append("Gate of idle money: capex over operating cash flow is missing or too old.")
    elif gate is not None:
        inputs = (each.name for block in reasons.blocks for each in block.inputs)
        counts = "growth of capex counts times" if CAPEX_GROWTH in inputs else "capex drains by"
        sentences.append(
            f"Gate of idle money: trailing capex is {gate.ratio:.1%} of operating cash flow, g {gate.g:.2f} "
            f"(0 idle money, 1 none left); {counts} {gate.multiplier:+.2f}."
        )
    if reasons.young_blocks:
        young = ", ".join(name.replace("_", " ") for name in reasons.young_blocks)
        sentences.append(f"In the first year of its values, with little to be measured by: {young}.")
    if reasons.probability is not None:
        chances = ", ".join(f"{name} {chance:.0%}" for name, chance in reasons.probability.items())
        sentences.append(f"Probability: {chances}.")
    return sentences


def block_sentence(run: Backtest) -> str:
    """The share of sessions by number of live blocks."""
    shares = [f"{number}: {share:.0%}" for number, share in run.counts.live_blocks.items() if share]
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


def _sessions(count: int) -> str:
    return f"{count} session{'' if count == 1 else 's'}" if count else "not late"


def _estimate(estimate: pd.Series, name: str, style: str) -> str:
    if not math.isfinite(estimate[name]):
        return "-"
    return f"{style.format(estimate[name])} [{style.format(estimate['low'])}, {style.format(estimate['high'])}]"


def _reason_row(reason: InputReason) -> Row:
    return (
        f"  {input_title(reason.name)}",
        _signed(reason.contribution),
        "missing or too old" if reason.value is None else f"{reason.value:,.3f}",
        reason.unit,
        "-" if reason.observed is None else str(reason.observed.date()),
        "-" if reason.known_at is None else f"{reason.known_at:%Y-%m-%d %H:%M}",
    )


def _signed(contribution: float) -> str:
    """Three digits with their sign; what rounds to nothing has the sign of nothing."""
    return f"{round(contribution, 3) + 0.0:+.3f}"


def _cells(measures: Mapping[Any, Any], keys: tuple[str, ...]) -> list[str]:
    return [number_text(measures[key], FORMATS[key]) for key in keys]
