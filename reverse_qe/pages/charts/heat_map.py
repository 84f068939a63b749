"""A heat map, as SVG: a number in each cell, and the stronger its colour the better it is."""

from collections.abc import Sequence

import numpy as np

from reverse_qe.pages.kit import Html, box, tag

CELL, HIGH, LEFT, TOP = 76, 28, 132, 28
# No colour is so strong that the number on it could not be read.
STRONGEST = 0.5


def heat_map(
    label: str,
    rows: Sequence[str],
    columns: Sequence[str],
    values: np.ndarray,
    texts: Sequence[Sequence[str]],
    smaller_is_better: bool = False,
) -> Html:
    """Draw a table of numbers.

    Args:
        label: what it shows, in words.
        rows: their names.
        columns: their names.
        values: (rows, columns); NaN where there is none.
        texts: of the cells, as they are written.
        smaller_is_better: whether the least is the strongest.
    """
    merit = -values if smaller_is_better else values
    known = merit[np.isfinite(merit)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    strength = (merit - low) / (high - low) if high > low else np.zeros(values.shape)
    width, height = LEFT + CELL * len(columns), TOP + HIGH * len(rows)
    pieces = [_text(LEFT + CELL * at + CELL / 2, 18, name, "middle") for at, name in enumerate(columns)]
    for down, name in enumerate(rows):
        top = TOP + HIGH * down
        pieces.append(_text(LEFT - 8, top + 19, name, "end"))
        for across, text in enumerate(texts[down]):
            left = LEFT + CELL * across
            if np.isfinite(merit[down, across]):
                opacity = f"{STRONGEST * float(strength[down, across]):.2f}"
                pieces.append(
                    tag("rect", x=left, y=top, width=CELL - 2, height=HIGH - 2, class_="heat", fill_opacity=opacity)
                )
            pieces.append(_text(left + CELL / 2 - 1, top + 19, text, "middle"))
    drawn = tag(
        "svg", *pieces, width=width, height=height, viewBox=f"0 0 {width} {height}", role="img", aria_label=label,
        class_="heat-map",
    )  # fmt: skip
    return tag("figure", tag("figcaption", label), box(drawn, label))


def _text(x: float, y: float, words: str, anchor: str) -> Html:
    return tag("text", words, x=f"{x:g}", y=f"{y:g}", text_anchor=anchor, class_="heat-text")
