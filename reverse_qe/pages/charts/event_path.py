"""Means around an event, session by session, as SVG: lines with their intervals, the event at a dashed line."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from reverse_qe.pages.charts.scales import linear_ticks, scale_of
from reverse_qe.pages.kit import Html, box, tag

WIDTH, HEIGHT = 760, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 120, 16, 32
# Names at the ends of lines are kept so far apart.
_LINE_HEIGHT = 14


class Path(NamedTuple):
    """A mean by session, and its interval; a kind is a class of the style sheet, such as ``c1``."""

    name: str
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    kind: str


def event_path(label: str, sessions: Sequence[int], paths: Sequence[Path]) -> Html:
    """Draw means around an event.

    Args:
        label: what it shows, in words.
        sessions: from the one in which the event could first be answered, in order.
        paths: one value a session; NaN leaves a gap. The interval of the first alone is drawn.
    """
    shown = [*(each.mean for each in paths), *(edge for each in paths[:1] for edge in (each.low, each.high))]
    scale = scale_of(np.concatenate(shown), "percent", include=0.0)

    def across(session: float) -> float:
        return round(_LEFT + (session - sessions[0]) / max(sessions[-1] - sessions[0], 1) * (WIDTH - _LEFT - _RIGHT), 1)

    def down(value: float) -> float:
        return round(_TOP + (scale.high - value) / (scale.high - scale.low) * (HEIGHT - _TOP - _BOTTOM), 1)

    pieces = []
    for tick in scale.ticks():
        pieces.append(tag("path", d=f"M{_LEFT} {down(tick):g}H{WIDTH - _RIGHT}", class_="grid"))
        pieces.append(_text(_LEFT - 8, down(tick) + 4, scale.text(tick), "end"))
    for session in linear_ticks(sessions[0], sessions[-1], 8):
        pieces.append(_text(across(session), HEIGHT - 10, f"{session:+g}", "middle"))
    pieces.append(tag("path", d=f"M{across(0):g} {_TOP}V{HEIGHT - _BOTTOM}", class_="guide"))
    ends = list[tuple[float, str, str]]()
    for place, path in enumerate(paths):
        there = np.flatnonzero(~np.isnan(path.mean)).tolist()
        if not len(there):
            continue
        points = [(across(sessions[at]), down(path.mean[at])) for at in there]
        known = np.flatnonzero(~np.isnan(path.low)).tolist()
        if place == 0 and len(known):
            edge = [(across(sessions[at]), down(path.high[at])) for at in known]
            edge += [(across(sessions[at]), down(path.low[at])) for at in known[::-1]]
            pieces.append(tag("path", d=f"{_line(edge)}Z", class_="heat", fill_opacity=0.18))
        pieces.append(tag("path", d=_line(points), class_=f"line {path.kind}", fill="none"))
        ends.append((points[-1][1], path.name, path.kind))
    below = -1e9
    for top, name, kind in sorted(ends):
        below = max(top + 4, below + _LINE_HEIGHT)
        begin = WIDTH - _RIGHT + 6
        pieces.append(tag("path", d=f"M{begin} {below - 4:g}h10", class_=f"line {kind}", fill="none"))
        pieces.append(_text(begin + 14, below, name, "start"))
    drawn = tag(
        "svg", *pieces, width=WIDTH, height=HEIGHT, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=label,
        class_="heat-map",
    )  # fmt: skip
    return tag("figure", tag("figcaption", label), box(drawn, label))


def _line(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def _text(x: float, y: float, words: str, anchor: str) -> Html:
    return tag("text", words, x=f"{x:g}", y=f"{y:g}", text_anchor=anchor, class_="heat-text")
