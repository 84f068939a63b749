"""Parallel coordinates, as SVG: an upright axis for each key and for the measure, and a line for each variant."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reverse_qe.pages.kit import Html, box, tag

WIDTH, HEIGHT, TOP, BOTTOM, SIDE = 1100, 340, 44, 310, 70


@dataclass(frozen=True)
class Upright:
    """One axis.

    Attributes:
        name: above it.
        places: of each line, from 0 at the bottom to 1 at the top; NaN where it has none.
        low: what stands at the bottom, in words.
        high: what stands at the top.
    """

    name: str
    places: np.ndarray
    low: str
    high: str


def parallel_lines(label: str, axes: Sequence[Upright], marked: np.ndarray) -> Html:
    """Draw lines across axes; those that are marked stand out, above the others.

    Args:
        label: what it shows, in words.
        axes: from left to right, two at least.
        marked: (lines,) whether a line stands out.
    """
    step = (WIDTH - 2 * SIDE) / (len(axes) - 1)
    lefts = [SIDE + step * at for at in range(len(axes))]
    places = np.column_stack([axis.places for axis in axes])
    order = np.argsort(marked, kind="stable")
    lines = [
        tag("polyline", points=_points(lefts, places[at]), class_="way marked" if marked[at] else "way")
        for at in order.tolist()
        if np.isfinite(places[at]).all()
    ]
    frame = []
    for left, axis in zip(lefts, axes, strict=True):
        frame += [
            tag("line", x1=f"{left:.1f}", x2=f"{left:.1f}", y1=TOP, y2=BOTTOM, class_="upright"),
            _text(left, 16, axis.name),
            _text(left, TOP - 10, axis.high),
            _text(left, BOTTOM + 18, axis.low),
        ]
    drawn = tag(
        "svg", *lines, *frame, width=WIDTH, height=HEIGHT, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img",
        aria_label=label, class_="heat-map",
    )  # fmt: skip
    return tag("figure", tag("figcaption", label), box(drawn, label))


def _points(lefts: Sequence[float], places: np.ndarray) -> str:
    downs = BOTTOM - places * (BOTTOM - TOP)
    return " ".join(f"{left:.1f},{down:.1f}" for left, down in zip(lefts, downs.tolist(), strict=True))


def _text(x: float, y: float, words: str) -> Html:
    return tag("text", words, x=f"{x:.1f}", y=y, text_anchor="middle", class_="heat-text")
