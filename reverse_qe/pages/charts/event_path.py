"""Means around an event, session by session: a small chart each, with its interval, all of one scale."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from reverse_qe.pages.charts.scales import ACROSS, DOWN, ValueScale, linear_ticks, scale_of
from reverse_qe.pages.kit import Html, tag

HEIGHT = 170


class Path(NamedTuple):
    """A mean by session, and its interval."""

    name: str
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def event_paths(label: str, sessions: Sequence[int], paths: Sequence[Path]) -> Html:
    """Draw means around an event beside each other.

    Args:
        label: what they show, in words.
        sessions: from the one in which the event could first be answered, in order.
        paths: one value a session; NaN leaves a gap.
    """
    shown = np.concatenate([edge for each in paths for edge in (each.mean, each.low, each.high)] or [np.zeros(0)])
    scale = scale_of(shown, "percent", include=0.0)
    charts = [_chart(label, sessions, each, scale) for each in paths]
    return tag("div", tag("p", label, class_="soft small"), tag("div", *charts, class_="three"))


def _chart(label: str, sessions: Sequence[int], path: Path, scale: ValueScale) -> Html:
    first, last = sessions[0], max(sessions[-1], sessions[0] + 1)
    across = (np.asarray(sessions, dtype=float) - first) / (last - first) * ACROSS
    ticks = [(tick, f"{100 * (tick - first) / (last - first):.2f}%") for tick in linear_ticks(first, last, 6)]
    zero = round((0 - first) / (last - first) * ACROSS)
    layers = [
        tag("path", class_="grid", d="".join(f"M0 {_down(scale, tick)}H{ACROSS}" for tick in scale.ticks())),
        *_band(across, path, scale),
        tag("path", class_="guide", d=f"M0 {_down(scale, 0.0)}H{ACROSS}M{zero} 0V{DOWN}"),
        tag("path", class_="line c1", d=_way(across, scale.down(path.mean))) if np.isfinite(path.mean).any() else "",
    ]
    end = path.mean[np.isfinite(path.mean)]
    told = f"{path.name}: {label}; {end[-1]:+.1%} at the end" if end.size else f"{path.name}: {label}; nothing measured"
    plot = tag(
        "svg",
        tag("svg", *layers, viewBox=f"0 0 {ACROSS} {DOWN}", preserveAspectRatio="none", class_="stretched"),
        *(
            tag("text", scale.text(tick), class_="value", x=-8, y=f"{100 * _down(scale, tick) / DOWN:.2f}%")
            for tick in scale.ticks()
        ),
        *(tag("text", f"{tick:+g}" if tick else "0", class_="day", x=x, y="100%", dy=16) for tick, x in ticks),
        class_="plot narrow",
        height=HEIGHT,
        role="img",
        aria_label=told,
    )
    return tag("figure", tag("figcaption", tag("b", path.name)), plot, class_="chart")


def _band(across: np.ndarray, path: Path, scale: ValueScale) -> Iterator[Html]:
    known = np.isfinite(path.low) & np.isfinite(path.high)
    if not known.any():
        return
    there = across[known]
    edges = np.concatenate([scale.down(path.high[known]), scale.down(path.low[known])[::-1]])
    yield tag("path", class_="heat", fill_opacity=0.22, d=f"{_way(np.concatenate([there, there[::-1]]), edges)}z")


def _way(across: np.ndarray, down: np.ndarray) -> str:
    """The way through points; one that is missing is left out, and the next begins anew."""
    pieces, broken = [], True
    for x, y in zip(across, down, strict=True):
        if np.isfinite(y):
            pieces.append(f"{'M' if broken else 'L'}{x:.0f} {y:.0f}")
        broken = not np.isfinite(y)
    return "".join(pieces)


def _down(scale: ValueScale, value: float) -> int:
    return int(np.rint(scale.down(np.array([value]))[0]))
