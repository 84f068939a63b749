"""What a run held over time, by basket and by name."""

import pandas as pd

from backtests.measures.holdings import held_weights
from backtests.run import Backtest
from reverse_qe.pages.charts.scales import TimeScale, ValueScale
from reverse_qe.pages.charts.time_chart import Area, TimeChart, time_chart
from reverse_qe.pages.kit import Html, Part, joined
from reverse_qe.pages.run_parts.standing import names_table
from strategies.universe import BASKETS

BASKET_KINDS = dict(zip(BASKETS, ("c3", "c1", "c4"), strict=True))
ROW = 22


def weights(run: Backtest) -> Part:
    """Weights at the close of every session: baskets one above the other, then a row for each name."""
    held = held_weights(run.engine.positions, run.panel.close[1:], run.engine.equity["equity"])
    time = TimeScale.of(run.sessions)
    return Part(
        "What it held", joined([_by_basket(run, held, time), _by_name(run, held, time), names_table(run)], "\n")
    )


def _by_basket(run: Backtest, held: pd.DataFrame, time: TimeScale) -> Html:
    areas, below = [], pd.Series(0.0, index=held.index)
    for basket, kind in BASKET_KINDS.items():
        above = below + run.spec.universe.part(basket, held).sum(axis="columns")
        areas.append(Area(basket.replace("_", " "), below, above, kind))
        below = above
    means = ", ".join(f"{area.name} {(area.above - area.below).mean():.0%}" for area in areas)
    return time_chart(
        TimeChart(
            title="Share of equity by basket; what is left is cash",
            label=f"Weights of the baskets over time; on average {means}",
            time=time,
            values=ValueScale(0.0, max(1.0, float(below.max())), unit="percent"),
            height=190,
            areas=areas,
            wide=True,
        )
    )


def _by_name(run: Backtest, held: pd.DataFrame, time: TimeScale) -> Html:
    """A row of its own for each name, as high as the largest weight of all."""
    symbols = run.spec.universe.symbols
    largest = max(float(held.to_numpy().max()), 1e-9)
    kinds = {symbol: kind for basket, kind in BASKET_KINDS.items() for symbol in run.spec.universe.members(basket)}
    areas = []
    for row, symbol in enumerate(symbols):
        bottom = pd.Series(float(len(symbols) - row - 1), index=held.index)
        areas.append(Area(symbol, bottom, bottom + 0.92 * held[symbol] / largest, kinds[symbol]))
    return time_chart(
        TimeChart(
            title=f"Share of equity by name; a full row is {largest:.0%}",
            label=f"Weights of {len(symbols)} instruments over time, a row each",
            time=time,
            values=ValueScale(0.0, float(len(symbols))),
            height=ROW * len(symbols),
            areas=areas,
            lanes=symbols,
            named=False,
            wide=True,
        )
    )
