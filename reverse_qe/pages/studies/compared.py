"""Runs beside each other as a page: curves, and tables of what differs."""

from collections.abc import Sequence

import pandas as pd

from backtests.archive.compared import Comparison
from backtests.measures.holdings import drawdowns
from reverse_qe.pages.charts.scales import TimeScale, scale_of
from reverse_qe.pages.charts.time_chart import Line, TimeChart, time_chart
from reverse_qe.pages.kit import Html, Part, Row, bullets, joined, page, table, tag
from reverse_qe.words.runs.compared import (
    difference_rows,
    likeness_sentences,
    measure_rows,
    profit_rows,
    run_lines,
    stay_rows,
    trade_rows,
)


def compared_page(compared: Comparison) -> str:
    """Draw a comparison."""
    runs, names = compared.runs, compared.names
    simulated = any(run.manifest["simulated"] for run in runs)
    differs, stays, profits = difference_rows(compared), stay_rows(compared), profit_rows(compared)
    head = ("", *names)
    parts = [
        Part("What differs", _differences(names, differs) if differs else tag("p", "Nothing of spec or market.")),
        Part("Growth", _curves(compared)),
        Part("Measures", table(head, measure_rows(compared))),
        Part("Stays", table(("stay", *names), stays) if stays else tag("p", "All have the same stays.")),
        Part("Round trips", table(head, trade_rows(compared))),
    ]
    if profits:
        caption = "Profit after costs by basket and instrument, US dollars"
        parts.append(Part("Profit", table(head, profits, caption=caption)))
    return page(
        title=f"Compared: {', '.join(names)}",
        heading=f"{len(runs)} runs beside each other",
        subtitle=", ".join(names),
        banners=[("SIMULATED", "A market here is made up: nothing on it was ever traded.")] if simulated else [],
        lead=joined([bullets(run_lines(compared)), bullets(likeness_sentences(compared))]),
        parts=parts,
    )


def _differences(names: Sequence[str], rows: Sequence[Row]) -> Html:
    """Values are texts: on paper they break wherever they have to."""
    return table(("key", *names), rows, texts=range(1, len(names) + 1))


def _curves(compared: Comparison) -> Html:
    growth = compared.growth
    time = TimeScale.of(pd.DatetimeIndex(growth.index))
    kinds = {name: f"c{place}" for place, name in enumerate(compared.names, start=1)}
    last = ", ".join(f"{name} {growth[name].dropna().iloc[-1]:.3g}" for name in kinds)
    fallen = pd.DataFrame(
        {name: drawdowns(growth[name].pct_change(fill_method=None).fillna(growth[name] - 1.0)) for name in kinds}
    )
    return joined(
        [
            time_chart(
                TimeChart(
                    title="Growth of 1 US dollar, log scale",
                    label=f"Growth of 1 US dollar: {last}",
                    time=time,
                    values=scale_of(growth.to_numpy().ravel(), "times", log=True, include=1.0),
                    height=300,
                    lines=[Line(name, growth[name], kind) for name, kind in kinds.items()],
                )
            ),
            time_chart(
                TimeChart(
                    title="Drawdown",
                    label=f"Drawdowns; the deepest: {', '.join(f'{name} {fallen[name].min():.1%}' for name in kinds)}",
                    time=time,
                    values=scale_of(fallen.to_numpy().ravel(), "percent", include=0.0),
                    height=150,
                    lines=[Line(name, fallen[name], kind) for name, kind in kinds.items()],
                )
            ),
        ],
        "\n",
    )
