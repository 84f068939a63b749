"""Values by name, each with its interval: a row, and in it a dot on a whisker."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from reverse_qe.pages.charts.scales import Unit, ValueScale, scale_of
from reverse_qe.pages.kit import Html, tag

ROW = 20
# Of a name so much is shown; the pointer is told all of it.
LETTERS = 10


class Dot(NamedTuple):
    """A value with its interval; a kind is a class of the style sheet, and a square where `square` says so."""

    name: str
    value: float
    low: float
    high: float
    kind: str
    square: bool = False


def dot_rows(title: str, label: str, dots: Sequence[Dot], unit: Unit = "percent") -> Html:
    """Draw a row for each dot, in order.

    Args:
        title: above it.
        label: what it shows, in words.
        dots: NaN leaves a row without a dot, or a dot without a whisker.
        unit: of the values.
    """
    scale = scale_of(np.array([[each.value, each.low, each.high] for each in dots]).ravel(), unit, include=0.0)
    ticks = [(tick, _x(scale, tick)) for tick in scale.ticks()]
    height = ROW * len(dots)
    plot = tag(
        "svg",
        *(tag("line", x1=x, x2=x, y1=0, y2=height, class_="grid") for _, x in ticks),
        tag("line", x1=_x(scale, 0.0), x2=_x(scale, 0.0), y1=0, y2=height, class_="guide"),
        *(piece for place, each in enumerate(dots) for piece in _row(each, ROW * place + ROW // 2, scale)),
        *(
            tag("text", scale.text(tick), class_="day" if place % 2 == 0 else "day second", x=x, y="100%", dy=16)
            for place, (tick, x) in enumerate(ticks)
        ),
        class_="plot named",
        height=height,
        role="img",
        aria_label=label,
    )  # fmt: skip
    return tag("figure", tag("figcaption", tag("b", title)), plot, class_="chart")


def _row(dot: Dot, y: int, scale: ValueScale) -> Iterator[Html]:
    short = dot.name if len(dot.name) <= LETTERS else f"{dot.name[: LETTERS - 1]}…"
    yield tag("text", tag("title", dot.name) if short != dot.name else "", short, class_="value", x=-8, y=y)
    if np.isfinite([dot.low, dot.high]).all():
        yield tag("line", x1=_x(scale, dot.low), x2=_x(scale, dot.high), y1=y, y2=y, class_=f"mark {dot.kind}")
    if np.isfinite(dot.value):
        x = _x(scale, dot.value)
        told = tag("title", f"{dot.name} {scale.text(dot.value)}")
        shape = (
            tag("rect", x=x, y=y - 4, width=8, height=8, transform="translate(-4 0)", class_=f"bar {dot.kind}")
            if dot.square
            else tag("circle", cx=x, cy=y, r=4.5, class_=f"bar {dot.kind}")
        )
        yield tag("g", told, shape)


def _x(scale: ValueScale, value: float) -> str:
    return f"{100 * (value - scale.low) / (scale.high - scale.low):.2f}%"
