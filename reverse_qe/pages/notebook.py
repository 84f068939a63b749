"""Results as a notebook shows them: a headline, a few numbers and a picture, in HTML that is complete in itself.

A notebook knows nothing of the style sheet of our pages: what matters for the picture stands at its elements.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.run import Backtest
from data.files.plain_text import printable
from data.market.snapshot import Snapshot
from reverse_qe.pages.kit import Html, banner, joined, table, tag
from reverse_qe.words.run import (
    REASON_HEAD,
    headline,
    portfolio_rows,
    reason_rows,
    regime_sentences,
    state_sentences,
)
from reverse_qe.words.runs.figures import PORTFOLIO_HEAD
from signals.explain.explanation import Explanation
from signals.regime import Regime

WIDTH, HEIGHT = 760, 260
LEFT, RIGHT, TOP, BOTTOM = 52, 8, 26, 24
SHOWN = {"strategy": "#1f6fa5", "static_mix": "#d98a00", "benchmark": "#7b4fa3"}
BANDS = {Regime.SCARCE: "#e07a5f", Regime.ABUNDANT: "#3d9a8b"}
_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


def backtest_html(run: Backtest) -> str:
    """The headline, the equity, the baselines and the regime of a run."""
    hindsight = run.spec.universe.hindsight
    return printable(
        tag(
            "div",
            banner("SIMULATED", "No market did this.") if run.snapshot.simulated else "",
            banner("HINDSIGHT", hindsight) if hindsight else "",
            tag("p", tag("strong", headline(run))),
            equity_chart(run),
            table(PORTFOLIO_HEAD, portfolio_rows(run)),
            tag("p", regime_sentences(run)[0]),
        ),
        keep="\n",
    )


def signal_html(snapshot: Snapshot, sentence: str, reasons: Explanation) -> str:
    """The regime of a session in a sentence, and what each block and input gives to its score."""
    return printable(
        tag(
            "div",
            banner("SIMULATED", "The prices and series are made by a model.") if snapshot.simulated else "",
            tag("p", tag("strong", f"{reasons.session.date()}, market {snapshot.name}: {sentence}.")),
            *(tag("p", state) for state in state_sentences(reasons)),
            table(REASON_HEAD, reason_rows(reasons)),
        ),
        keep="\n",
    )


@dataclass(frozen=True)
class _Plane:
    """Where days and logarithms of growth lie in the picture, in pixels."""

    first: pd.Timestamp
    last: pd.Timestamp
    low: float
    high: float

    def across(self, days: pd.DatetimeIndex) -> np.ndarray:
        whole = max((self.last - self.first).days, 1)
        share = np.clip((days - self.first).days.to_numpy() / whole, 0.0, 1.0)
        places: np.ndarray = LEFT + share * (WIDTH - LEFT - RIGHT)
        return places

    def down(self, logs: np.ndarray) -> np.ndarray:
        places: np.ndarray = TOP + (self.high - logs) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)
        return places


def equity_chart(run: Backtest) -> Html:
    """Growth of one dollar as SVG, on a logarithmic scale, over bands that show the regimes."""
    growth = (1.0 + run.returns[list(SHOWN)]).cumprod()
    # A portfolio that lost everything still has a place at the bottom.
    logs = growth.clip(lower=_TICKS[0]).apply(np.log)
    low, high = float(logs.min().min()), float(logs.max().max())
    room = 0.04 * max(high - low, 1e-3)
    plane = _Plane(growth.index[0], growth.index[-1], low - room, high + room)
    names = [
        _text(LEFT + 110 * place, 16, name.replace("_", " "), fill=SHOWN[name]) for place, name in enumerate(SHOWN)
    ]
    key = _text(WIDTH - RIGHT, 16, "growth of one dollar; red SCARCE, green ABUNDANT", anchor="end")
    return tag(
        "svg",
        *_regime_bands(run.rotations, plane),
        *_grid(plane),
        *(_line(logs[name], plane, colour) for name, colour in SHOWN.items()),
        *names,
        key,
        xmlns="http://www.w3.org/2000/svg",
        width=WIDTH,
        height=HEIGHT,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=f"Growth of one dollar, {plane.first.date()} to {plane.last.date()}: {', '.join(SHOWN)}",
        style="max-width:100%;background:#fff",
    )


def _regime_bands(rotations: pd.DataFrame, plane: _Plane) -> Iterator[Html]:
    begins, ends = (plane.across(pd.DatetimeIndex(rotations[name])) for name in ("start", "end"))
    for regime, begin, end in zip(rotations["regime"].astype(str), begins, ends, strict=True):
        if regime in BANDS:
            place = {"x": f"{begin:.1f}", "y": TOP, "width": f"{end - begin:.1f}", "height": HEIGHT - TOP - BOTTOM}
            yield tag("rect", **place, fill=BANDS[Regime(regime)], fill_opacity=0.18)


def _grid(plane: _Plane) -> Iterator[Html]:
    ticks = [tick for tick in _TICKS if plane.low <= np.log(tick) <= plane.high]
    for tick, y in zip(ticks, plane.down(np.log(ticks)), strict=True):
        yield tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=f"{y:.1f}", y2=f"{y:.1f}", stroke="#d9dee4")
        yield _text(LEFT - 6, y + 4, f"{tick:g}", anchor="end")
    years = pd.DatetimeIndex([f"{year}-01-01" for year in range(plane.first.year + 1, plane.last.year + 1)])
    years = years[:: max(1, -(-len(years) // 10))]
    for year, x in zip(years.year, plane.across(years), strict=True):
        yield _text(x, HEIGHT - 8, str(year), anchor="middle")


def _line(logs: pd.Series, plane: _Plane, colour: str) -> Html:
    # One point a pixel is all that a line shows.
    shown = logs.iloc[np.unique(np.linspace(0, len(logs) - 1, min(len(logs), WIDTH)).astype(int))]
    places = zip(plane.across(pd.DatetimeIndex(shown.index)), plane.down(shown.to_numpy()), strict=True)
    points = joined((f"{x:.1f},{y:.1f}" for x, y in places), " ")
    return tag("polyline", fill="none", stroke=colour, stroke_width=1.4, points=points)


def _text(x: float, y: float, text: str, *, anchor: str = "start", fill: str = "#616e7c") -> Html:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}"}
    return tag("text", text, **place, font_size=11, font_family="sans-serif", text_anchor=anchor, fill=fill)
