"""The signal over time as charts: score, blocks, gate, probabilities, regimes shaded."""

import pandas as pd

from reverse_qe.pages.charts.scales import TimeScale, ValueScale, scale_of
from reverse_qe.pages.charts.time_chart import Line, Span, TimeChart, stays, time_chart
from reverse_qe.pages.kit import Html, joined
from signals.config import SignalConfig
from signals.liquidity import LiquiditySignal
from signals.regime import Regime

BANDS = {str(Regime.SCARCE): "scarce", str(Regime.ABUNDANT): "abundant"}
BAND_LEGEND = tuple(BANDS.items())


def regime_bands(signal: LiquiditySignal, sessions: pd.DatetimeIndex) -> list[Span]:
    """The stays in SCARCE and ABUNDANT during sessions, as bands of a chart."""
    return stays(signal.regime.loc[sessions], BANDS)


def signal_charts(signal: LiquiditySignal, sessions: pd.DatetimeIndex, config: SignalConfig) -> Html:
    """Score, blocks, and where the signal has them gate and probabilities, one below the other.

    Args:
        signal: over `sessions`, and others.
        sessions: to draw, in order, at least one.
        config: of the signal, for its thresholds.
    """
    time, bands = TimeScale.of(sessions), regime_bands(signal, sessions)
    charts = [_score(signal.score.loc[sessions], time, bands, _thresholds(signal, config))]
    if len(signal.blocks.columns):
        charts.append(_blocks(signal.blocks.loc[sessions], time, bands))
    if signal.gate is not None:
        charts.append(_gate(signal.gate.loc[sessions], time, bands))
    if signal.probability is not None:
        charts.append(_probability(signal.probability.loc[sessions], time, bands))
    return joined(charts, "\n")


def _thresholds(signal: LiquiditySignal, config: SignalConfig) -> list[tuple[float, str]]:
    if config.model.name != "threshold" or signal.is_given:
        return []
    named = (("enter", config.enter), ("leave", config.leave), ("enter", -config.enter), ("leave", -config.leave))
    return [(value, f"{name} {value:+g}") for name, value in named]


def _score(score: pd.Series, time: TimeScale, bands: list[Span], guides: list[tuple[float, str]]) -> Html:
    ends = pd.concat([score, pd.Series([value for value, _ in guides], dtype=float)])
    return time_chart(
        TimeChart(
            title="Score: + means that money is scarcer",
            label=f"The score over time; at the end {score.iloc[-1]:+.2f}",
            time=time,
            values=scale_of(ends.to_numpy(), "number"),
            height=230,
            lines=[Line("score", score, "c1")],
            bands=bands,
            guides=guides,
            legend=BAND_LEGEND,
        )
    )


def _blocks(blocks: pd.DataFrame, time: TimeScale, bands: list[Span]) -> Html:
    lines = [
        Line(str(name).replace("_", " "), values, f"c{place % 8 + 1}")
        for place, (name, values) in enumerate(blocks.items())
    ]
    last = ", ".join(f"{line.name} {line.values.iloc[-1]:+.2f}" for line in lines)
    return time_chart(
        TimeChart(
            title="What each block gives to the score",
            label=f"The blocks over time; at the end {last}",
            time=time,
            values=scale_of(blocks.to_numpy().ravel(), "number", include=0.0),
            height=190,
            lines=lines,
            bands=bands,
            guides=[(0.0, "")],
        )
    )


def _gate(gate: pd.DataFrame, time: TimeScale, bands: list[Span]) -> Html:
    lines = [
        Line("trailing capex over operating cash flow", gate["ratio"], "c1"),
        Line("gate: 0% idle money, 100% none left", gate["g"], "c3"),
    ]
    top = max(1.0, float(gate["ratio"].max(skipna=True)) if gate["ratio"].notna().any() else 1.0)
    return time_chart(
        TimeChart(
            title="Idle money",
            label=f"Capex over operating cash flow, and the gate; at the end {gate['ratio'].iloc[-1]:.0%}",
            time=time,
            values=ValueScale(0.0, 1.05 * top, unit="percent"),
            height=140,
            lines=lines,
            bands=bands,
        )
    )


def _probability(probability: pd.DataFrame, time: TimeScale, bands: list[Span]) -> Html:
    kinds = {str(Regime.SCARCE): "c3", str(Regime.ABUNDANT): "c4"}
    lines = [Line(str(name), values, kinds.get(str(name), "c2")) for name, values in probability.items()]
    return time_chart(
        TimeChart(
            title="Probability of each regime",
            label="The probability of each regime over time",
            time=time,
            values=ValueScale(0.0, 1.0, unit="percent"),
            height=130,
            lines=lines,
            bands=bands,
        )
    )
