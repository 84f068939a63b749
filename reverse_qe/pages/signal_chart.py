"""The signal over time as one picture: score, blocks, regimes, gate, probability and events."""

from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reverse_qe.pages.drawings import embed
from reverse_qe.pages.kit import Html
from reverse_qe.pages.quantstats_report import quiet_matplotlib
from signals.config import SignalConfig
from signals.liquidity import LiquiditySignal
from signals.regime import Regime

if TYPE_CHECKING:
    from matplotlib.axes import Axes

REGIME_COLORS = {Regime.SCARCE: "#e07a5f", Regime.ABUNDANT: "#3d9a8b", Regime.NEUTRAL: "#9aa5b1"}
LANES = ("results", "guidance", "funding", "commitments", "policy")
_LINE_COLORS = ("#1f6fa5", "#d98a00", "#7b4fa3", "#2f8f46", "#b3261e", "#5b6770", "#a0522d", "#00798c")
_INK = "#1f2933"
_LEGEND: dict[str, Any] = {"frameon": False, "fontsize": 9}


def signal_chart(
    signal: LiquiditySignal, sessions: pd.DatetimeIndex, events: pd.DataFrame, config: SignalConfig, salt: str
) -> Html:
    """Draw a signal as SVG to stand inside a page; the same bytes for the same input.

    Args:
        signal: over `sessions`, and others.
        sessions: to draw, in order, at least one.
        events: columns known_at (UTC), lane (of `LANES`) and link (where a mark leads to).
        config: of the signal, for its thresholds.
        salt: of the ids inside the picture.
    """
    panels = [("score", 3.2), ("blocks", 2.4)]
    panels += [("gate", 1.4)] if signal.gate is not None else []
    panels += [("probability", 1.2)] if signal.probability is not None else []
    panels += [("events", 1.7)]
    with quiet_matplotlib(salt, epoch=int(sessions[-1].timestamp())):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(11, 1.1 * sum(height for _, height in panels)), layout="constrained")
        grid = figure.subplots(len(panels), sharex=True, height_ratios=[height for _, height in panels], squeeze=False)
        axes = dict(zip((name for name, _ in panels), grid[:, 0], strict=True))
        for each in axes.values():
            _shade_regimes(each, signal.regime.loc[sessions])
        has_thresholds = config.model.name == "threshold" and not signal.is_given
        _draw_score(axes["score"], signal.score.loc[sessions], config if has_thresholds else None)
        _draw_lines(axes["blocks"], signal.blocks.loc[sessions], "What each block gives to the score")
        if signal.gate is not None:
            _draw_gate(axes["gate"], signal.gate.loc[sessions])
        if signal.probability is not None:
            probability = signal.probability.loc[sessions]
            _draw_lines(axes["probability"], probability, "Probability of each regime", REGIME_COLORS)
        _draw_events(axes["events"], events)
        _label_time(axes["events"], sessions)
        buffer = BytesIO()
        figure.savefig(buffer, format="svg")
    return embed(buffer.getvalue().decode(), ["Score, blocks, regimes and events over time"])


def _shade_regimes(axes: "Axes", regime: pd.Series) -> None:
    begins = regime[regime != regime.shift()]
    # A stay lasts until the next one begins: the bands leave no gap.
    ends = [*begins.index[1:], regime.index[-1]]
    for name, begin, end in zip(begins, begins.index, ends, strict=True):
        if name != Regime.NEUTRAL:
            axes.axvspan(begin, end, color=REGIME_COLORS[Regime(name)], alpha=0.22, linewidth=0)


def _draw_score(axes: "Axes", score: pd.Series, thresholds: SignalConfig | None) -> None:
    from matplotlib.patches import Patch

    axes.plot(score.index, score, color=_INK, linewidth=1.4)
    axes.axhline(0, color="#9aa5b1", linewidth=0.8)
    if thresholds is not None:
        for value, style, name in ((thresholds.enter, "--", "enter"), (thresholds.leave, ":", "leave")):
            for sign in (1, -1):
                axes.axhline(sign * value, color="#616e7c", linestyle=style, linewidth=0.9)
                axes.annotate(
                    f"{name} {sign * value:+g}",
                    xy=(1.003, sign * value),
                    xycoords=("axes fraction", "data"),
                    fontsize=8,
                    color="#616e7c",
                    va="center",
                )
    axes.set_title("Score: + means that money is scarcer", loc="left")
    bands = [
        Patch(color=REGIME_COLORS[regime], alpha=0.3, linewidth=0, label=str(regime))
        for regime in (Regime.SCARCE, Regime.ABUNDANT)
    ]
    axes.legend(handles=bands, loc="upper left", ncols=2, **_LEGEND)


def _draw_lines(axes: "Axes", values: pd.DataFrame, title: str, colors: Mapping[Regime, str] | None = None) -> None:
    for place, (name, column) in enumerate(values.items()):
        color = _LINE_COLORS[place % len(_LINE_COLORS)] if colors is None else colors[Regime(str(name))]
        axes.plot(column.index, column, color=color, linewidth=1.2, label=str(name).replace("_", " "))
    axes.axhline(0, color="#9aa5b1", linewidth=0.8)
    axes.set_title(title, loc="left")
    # Probabilities keep to the edges, other lines to the middle.
    axes.legend(loc="upper left" if colors is None else "center left", ncols=len(values.columns), **_LEGEND)


def _draw_gate(axes: "Axes", gate: pd.DataFrame) -> None:
    from matplotlib.ticker import PercentFormatter

    axes.plot(gate.index, gate["ratio"], color=_INK, linewidth=1.2, label="trailing capex over operating cash flow")
    axes.plot(gate.index, gate["g"], color=_LINE_COLORS[4], linewidth=1.2, label="gate: 0% idle money, 100% none left")
    axes.set_ylim(0, 1.05 * max(1.0, np.nan_to_num(gate["ratio"].max())))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_title("Idle money", loc="left")
    axes.legend(loc="upper left", ncols=2, **_LEGEND)


def _draw_events(axes: "Axes", events: pd.DataFrame) -> None:
    for place, lane in enumerate(reversed(LANES)):
        rows = events[events["lane"] == lane]
        days = rows["known_at"].dt.tz_localize(None)
        color = _LINE_COLORS[place % len(_LINE_COLORS)]
        marks = axes.scatter(days, [place] * len(rows), marker="|", s=110, linewidths=1.6, color=color)
        marks.set_urls(rows["link"].tolist())
    axes.set_yticks(range(len(LANES)), list(reversed(LANES)))
    axes.set_ylim(-0.6, len(LANES) - 0.4)
    axes.grid(axis="y", visible=False)
    axes.set_title("Events, when they became known", loc="left")


def _label_time(axes: "Axes", sessions: pd.DatetimeIndex) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num

    first, last = sessions[0], max(sessions[-1], sessions[0] + pd.Timedelta(days=10))
    axes.set_xlim(date2num(first), date2num(last))  # type: ignore[no-untyped-call]
    locator = AutoDateLocator()  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
