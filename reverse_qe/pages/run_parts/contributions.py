"""What the gain of a run is made of: its stays in a regime, and its instruments."""

import numpy as np

from backtests.measures.holdings import instrument_profits
from backtests.run import Backtest
from reverse_qe.pages.charts.bar_cell import bar_cell
from reverse_qe.pages.charts.scales import TimeScale, scale_of
from reverse_qe.pages.charts.time_chart import Span, TimeChart, time_chart
from reverse_qe.pages.kit import Html, Part, joined, table, tag
from reverse_qe.pages.run_parts.standing import basket_of


def contributions(run: Backtest) -> Part:
    """By stay over the static mix, and by instrument."""
    return Part("What the gain is made of", joined([_by_stay(run), _by_instrument(run)], "\n"))


def _by_stay(run: Backtest) -> Html:
    with np.errstate(divide="ignore", invalid="ignore"):  # a stay in which all was lost has no bar
        gains = np.log1p(run.rotations["strategy"]) - np.log1p(run.rotations["static_mix"])
    spans = [
        Span(first, last, f"{regime} {first.date()} to {last.date()}: {gain:+.1%}", f"bar {regime.lower()}", gain)
        for first, last, regime, gain in zip(
            run.rotations["start"], run.rotations["end"], run.rotations["regime"].astype(str), gains, strict=True
        )
        if np.isfinite(gain)
    ]
    best = max(spans, key=lambda span: span.value or 0.0, default=None)
    told = f"; the largest is {best.name}" if best else ""
    chart = time_chart(
        TimeChart(
            title="Each stay in a regime: log growth of the strategy less that of the static mix",
            label=f"{len(spans)} stays as bars over time{told}",
            time=TimeScale.of(run.sessions),
            values=scale_of(gains.to_numpy(), "percent", include=0.0),
            height=170,
            bands=spans,
            guides=[(0.0, "")],
            legend=[(name, f"bar {name.lower()}") for name in ("SCARCE", "NEUTRAL", "ABUNDANT")],
        )
    )
    return joined([chart, tag("p", "The bars add up to the log growth over the static mix.", class_="soft small")])


def _by_instrument(run: Backtest) -> Html:
    final = run.engine.positions.iloc[-1] * np.nan_to_num(run.panel.close[-1])
    profits = instrument_profits(run.engine.orders, run.engine.cash, final)
    gain = float(run.engine.equity["equity"].iloc[-1]) - run.spec.run.initial_cash
    rows = [
        (symbol, basket_of(run, str(symbol)), profit) for symbol, profit in profits.sort_values(ascending=False).items()
    ]
    rest = gain - float(profits.sum())
    if abs(rest) > 0.005:
        rows.append(("interest on cash", "", rest))
    largest = max((abs(profit) for _, _, profit in rows), default=0.0)
    cells = [(name, basket, f"{profit:,.0f}", bar_cell(profit, largest)) for name, basket, profit in rows]
    head = ("", "basket", "profit after costs, USD", "less and more")
    return table(head, [*cells, ("all", "", f"{gain:,.0f}", "")], caption="Profit of each instrument", texts=(1, 3))
