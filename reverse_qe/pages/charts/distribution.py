"""A distribution, as SVG: a stroke for each value on one axis, a box over its middle, and values to compare it with."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from reverse_qe.pages.charts.scales import ValueScale, linear_ticks
from reverse_qe.pages.kit import Html, box, tag

WIDTH, HEIGHT, SIDE = 760, 118, 40
_TOP, _BOTTOM, _AXIS = 44, 72, 90


class Compared(NamedTuple):
    """A value that a distribution is compared with, and what it is."""

    name: str
    value: float


def distribution(
    label: str, values: np.ndarray, middle: tuple[float, float, float], others: Sequence[Compared]
) -> Html:
    """Draw a distribution.

    Args:
        label: what it shows, in words.
        values: finite, one at least.
        middle: where the box begins, its median, and where it ends.
        others: to compare with; each has a dashed line and its name above it.
    """
    whole = np.concatenate([values, [each.value for each in others]])
    low, high = float(whole.min()), float(whole.max())
    margin = (high - low) * 0.05 or abs(high) * 0.1 or 0.1
    scale = ValueScale(low - margin, high + margin)

    def across(value: float) -> float:
        return round(SIDE + (value - scale.low) / (scale.high - scale.low) * (WIDTH - 2 * SIDE), 1)

    begin, median, end = (across(value) for value in middle)
    pieces = [tag("line", x1=SIDE, x2=WIDTH - SIDE, y1=_AXIS, y2=_AXIS, class_="grid")]
    for tick in linear_ticks(scale.low, scale.high):
        pieces += [_upright(across(tick), _AXIS, _AXIS + 5, "grid"), _text(across(tick), _AXIS + 19, scale.text(tick))]
    pieces.append(
        tag(
            "rect",
            x=begin,
            y=_TOP,
            width=round(end - begin, 1),
            height=_BOTTOM - _TOP,
            class_="heat",
            fill_opacity=0.25,
        )
    )
    pieces += [_upright(across(value), _TOP + 4, _BOTTOM - 4, "mark c1") for value in np.sort(values).tolist()]
    pieces.append(_upright(median, _TOP - 4, _BOTTOM + 4, "mark c3"))
    for number, each in enumerate(others):
        top = 12 + 14 * number
        place = across(each.value)
        anchor = "start" if place < WIDTH / 4 else "end" if place > WIDTH * 3 / 4 else "middle"
        pieces += [_upright(place, top + 4, _AXIS, "guide"), _text(place, top, each.name, anchor)]
    drawn = tag(
        "svg", *pieces, width=WIDTH, height=HEIGHT, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=label,
        class_="heat-map",
    )  # fmt: skip
    return tag("figure", tag("figcaption", label), box(drawn, label))


def _upright(x: float, top: float, bottom: float, kind: str) -> Html:
    return tag("path", d=f"M{x:g} {top:g}V{bottom:g}", class_=kind)


def _text(x: float, y: float, words: str, anchor: str = "middle") -> Html:
    return tag("text", words, x=f"{x:g}", y=f"{y:g}", text_anchor=anchor, class_="heat-text")
