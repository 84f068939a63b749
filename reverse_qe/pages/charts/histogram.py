"""A histogram: how many values fall into each of some steps, and where one value stands among them."""

from itertools import cycle

import numpy as np

from reverse_qe.pages.charts.scales import ValueScale
from reverse_qe.pages.kit import Html, tag

HEIGHT, STEPS = 180, 24


def histogram(title: str, label: str, values: np.ndarray, own: float, own_name: str) -> Html:
    """Draw a histogram.

    Args:
        title: above it.
        label: what it shows, in words.
        values: shares, finite, one at least.
        own: to be found among them; its step has another colour, and its place a dashed line.
        own_name: what it is called.
    """
    whole = np.append(values, own)
    low, high = float(whole.min()), float(whole.max())
    margin = (high - low) * 0.02 or 0.01
    scale = ValueScale(low - margin, high + margin, unit="percent")
    edges = np.linspace(low - margin, high + margin, STEPS + 1)
    counts = np.histogram(values, edges)[0].tolist()
    most = max(counts)
    place = min(int(np.searchsorted(edges, own, side="right")) - 1, STEPS - 1)
    bars = [
        tag(
            "g",
            tag("title", f"{edges[at]:.1%} to {edges[at + 1]:.1%}: {count:,}"),
            tag(
                "rect",
                x=f"{100 * at / STEPS + 0.2:.2f}%",
                width=f"{100 / STEPS - 0.4:.2f}%",
                y=f"{100 * (1 - count / most):.2f}%",
                height=f"{100 * count / most:.2f}%",
                class_="bar c3" if at == place else "bar c1",
            ),
        )
        for at, count in enumerate(counts)
        if count
    ]
    stands = _across(scale, own)
    side = {"x": stands, "dx": -6, "class_": "guide-name"}
    if own < (low + high) / 2:
        side = {"x": stands, "dx": 6, "class_": "guide-name left"}
    plot = tag(
        "svg",
        tag("line", x1=0, x2="100%", y1="100%", y2="100%", class_="grid"),
        *bars,
        tag("line", x1=stands, x2=stands, y1=0, y2="100%", class_="guide"),
        tag("text", f"{own_name}, {own:.1%}", **side, y=12),
        *(tag("text", f"{count:,}", class_="value", x=-8, y=y) for count, y in ((most, 6), (0, "100%"))),
        *(
            tag("text", scale.text(tick), class_=kind, x=_across(scale, tick), y="100%", dy=16)
            for tick, kind in zip(scale.ticks(), cycle(("day", "day second")), strict=False)
        ),
        class_="plot narrow",
        height=HEIGHT,
        role="img",
        aria_label=label,
    )  # fmt: skip
    return tag("figure", tag("figcaption", tag("b", title)), plot, class_="chart")


def _across(scale: ValueScale, value: float) -> str:
    return f"{100 * (value - scale.low) / (scale.high - scale.low):.2f}%"
