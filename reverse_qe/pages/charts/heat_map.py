"""A heat map, as SVG: a number in each cell, and the stronger its colour the better it is."""

import textwrap
from collections.abc import Sequence

import numpy as np

from reverse_qe.pages.kit import Html, box, tag

CELL, HIGH = 64, 28
# No colour is so strong that the number on it could not be read.
STRONGEST = 0.5
# Pixels of a letter and of a line of the names; letters of a name of a column on one line.
_LETTER, _LINE, _LETTERS = 6.6, 15, 11
_LEAST_LEFT = 90


def heat_map(
    label: str,
    rows: Sequence[str],
    columns: Sequence[str],
    values: np.ndarray,
    texts: Sequence[Sequence[str]],
    smaller_is_better: bool = False,
    from_zero: bool = False,
) -> Html:
    """Draw a table of numbers.

    Args:
        label: what it shows, in words.
        rows: their names.
        columns: their names.
        values: (rows, columns); NaN where there is none.
        texts: of the cells, as they are written.
        smaller_is_better: whether the least is the strongest.
        from_zero: whether 0 has no colour, and what lies below it has another one.
    """
    merit = -values if smaller_is_better else values
    strength = _from_zero(merit) if from_zero else _from_least(merit)
    names = [textwrap.wrap(name, _LETTERS, break_long_words=False) or [""] for name in columns]
    above = max((len(lines) for lines in names), default=1)
    left = max([_LEAST_LEFT, *(round(_LETTER * len(name)) + 16 for name in rows)])
    written = [*(line for lines in names for line in lines), *(text for row in texts for text in row)]
    cell = max([CELL, *(round(_LETTER * len(each)) + 8 for each in written)])
    top = _LINE * above + 12
    width, height = left + cell * len(columns), top + HIGH * len(rows)
    pieces = [
        _text(left + cell * (at + 0.5), top - 10 - _LINE * (len(lines) - 1 - number), line, "middle")
        for at, lines in enumerate(names)
        for number, line in enumerate(lines)
    ]
    for down, name in enumerate(rows):
        y = top + HIGH * down
        pieces.append(_text(left - 8, y + 19, name, "end"))
        for across, text in enumerate(texts[down]):
            x, share = left + cell * across, float(strength[down, across])
            if np.isfinite(share):
                kind = "heat" if share >= 0 else "heat against"
                opacity = f"{STRONGEST * abs(share):.2f}"
                pieces.append(tag("rect", x=x, y=y, width=cell - 2, height=HIGH - 2, class_=kind, fill_opacity=opacity))
            pieces.append(_text(x + cell / 2 - 1, y + 19, text, "middle"))
    drawn = tag(
        "svg", *pieces, width=width, height=height, viewBox=f"0 0 {width} {height}", role="img", aria_label=label,
        class_="heat-map",
    )  # fmt: skip
    return tag("figure", tag("figcaption", label), box(drawn, label))


def _from_least(merit: np.ndarray) -> np.ndarray:
    """0 for the least of all, 1 for the largest; NaN stays NaN."""
    known = merit[np.isfinite(merit)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    spread: np.ndarray = (merit - low) / (high - low) if high > low else merit * 0.0
    return spread


def _from_zero(merit: np.ndarray) -> np.ndarray:
    """0 for 0, 1 or -1 for what lies the farthest from it; NaN stays NaN."""
    largest = float(np.nanmax(np.abs(merit), initial=0.0))
    spread: np.ndarray = merit / largest if largest > 0 else merit * 0.0
    return spread


def _text(x: float, y: float, words: str, anchor: str) -> Html:
    return tag("text", words, x=f"{x:g}", y=f"{y:g}", text_anchor=anchor, class_="heat-text")
