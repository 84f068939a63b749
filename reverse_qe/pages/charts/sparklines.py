"""Sparklines, as SVG: a line over time, and a strip that shows where values are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from reverse_qe.pages.kit import Html, joined, tag


@dataclass(frozen=True)
class Frame:
    """The place of a picture and the days that it spans.

    Attributes:
        first: the day at its left edge.
        last: the day at its right edge.
        width: pixels.
        height: pixels.
    """

    first: pd.Timestamp
    last: pd.Timestamp
    width: int = 240
    height: int = 46

    def across(self, days: pd.DatetimeIndex) -> np.ndarray:
        """Where days lie, in pixels from the left edge."""
        whole = max((self.last - self.first).days, 1)
        places: np.ndarray = (days - self.first).days.to_numpy() / whole * self.width
        return places


def line(values: pd.Series, frame: Frame, top: float, bottom: float, kind: str = "") -> Html:
    """A line through values by day, from their least at `bottom` to their largest at `top`; blank without two values.

    Of many days one a pixel, evenly taken, is drawn, always with the least, the largest and the last.
    """
    values = values[np.isfinite(values)]
    if len(values) < 2:
        return Html()
    values = values.iloc[_shown(values.to_numpy(), frame.width)]
    low, high = float(values.min()), float(values.max())
    up = (values.to_numpy() - low) / (high - low or 1.0)
    points = zip(frame.across(pd.DatetimeIndex(values.index)), bottom - up * (bottom - top), strict=True)
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return tag("polyline", class_=f"small-line {kind}".strip(), points=path)


def strip(held: pd.DatetimeIndex, whole: pd.DatetimeIndex, frame: Frame, top: float, height: float) -> Html:
    """A strip by month: dark where every row held is whole, light where some are not, nothing where none is held.

    Args:
        held: days with a row.
        whole: those of them without a blank cell.
        frame: of the picture.
        top: of the strip.
        height: of it.
    """
    months = held.to_period("M")
    has_all = pd.Series(held.isin(whole)).groupby(months).all()
    index = pd.PeriodIndex(has_all.index, freq="M")
    lefts = np.clip(frame.across(index.to_timestamp()), 0, frame.width)
    rights = np.clip(frame.across((index + 1).to_timestamp()), 0, frame.width)
    # Months that follow each other in one state are one piece.
    begins = np.append(True, (np.diff(index.asi8) > 1) | (has_all.to_numpy()[1:] != has_all.to_numpy()[:-1]))
    ends = np.append(begins[1:], True)
    pieces = zip(lefts[begins], rights[ends], has_all.to_numpy()[begins], strict=True)
    return joined(
        tag(
            "rect",
            x=f"{left:.1f}",
            y=top,
            width=f"{right - left:.1f}",
            height=height,
            class_="whole" if is_whole else "partly",
        )
        for left, right, is_whole in pieces
    )


def picture(parts: Sequence[Html], frame: Frame, label: str) -> Html:
    """Put parts into one SVG; `label` says in words what is to be seen."""
    box = f"0 0 {frame.width} {frame.height}"
    return tag("svg", *parts, width=frame.width, height=frame.height, viewBox=box, role="img", aria_label=label)


def _shown(values: np.ndarray, most: int) -> np.ndarray:
    if len(values) <= most:
        return np.arange(len(values))
    even = np.linspace(0, len(values) - 1, most).astype(int)
    return np.unique([*even, values.argmin(), values.argmax()])
