"""A chart over time: lines, areas or bars, above bands, with guides and marks; it is drawn as wide as the page is.

The plot is stretched to its place, the texts beside it are not: they can be read at 360 pixels. What the script of the
kit needs to tell the values under the pointer stands in the attributes; without it the chart is whole.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from reverse_qe.pages.charts.scales import ACROSS, DOWN, TimeScale, ValueScale
from reverse_qe.pages.kit import Html, tag

# Of so many pieces of a line the least and the largest value are drawn: about a point a pixel.
PIECES = 450
# Pixels of a plot in a window of 320, and of a letter below it.
NARROWEST, LETTER = 190, 7
# Of the name of a lane so much is shown; the pointer is told all of it.
LANE_LETTERS = 15


@dataclass(frozen=True)
class Line:
    """Values over time.

    Attributes:
        name: in the legend.
        values: by day, in order; NaN leaves a gap.
        kind: a class of the style sheet: ``c1`` to ``c8``.
    """

    name: str
    values: pd.Series
    kind: str


@dataclass(frozen=True)
class Area:
    """A surface between two lines over time.

    Attributes:
        name: in the legend.
        below: its lower edge, by day.
        above: its upper edge, by day.
        kind: a class of the style sheet.
    """

    name: str
    below: pd.Series
    above: pd.Series
    kind: str


@dataclass(frozen=True)
class Span:
    """A stretch of time.

    Attributes:
        first: day.
        last: day.
        name: told where the pointer rests.
        kind: a class of the style sheet: ``scarce``, ``abundant``.
        value: height of a bar from 0; None: a band over the whole height.
    """

    first: pd.Timestamp
    last: pd.Timestamp
    name: str
    kind: str
    value: float | None = None


@dataclass(frozen=True)
class Mark:
    """A moment in one of the lanes below a chart.

    Attributes:
        at: when.
        lane: its place, counted from above, from 0.
        name: told where the pointer rests.
        kind: a class of the style sheet.
        link: where it leads to, inside the page; None: nowhere.
    """

    at: pd.Timestamp
    lane: int
    name: str
    kind: str
    link: str | None = None


@dataclass(frozen=True)
class TimeChart:
    """What a chart shows.

    Attributes:
        title: of the chart.
        label: what is to be seen, in words, for those who do not see it.
        time: across.
        values: up and down.
        height: pixels.
        lines: drawn last, in order.
        areas: drawn below the lines.
        bands: drawn below everything.
        guides: horizontal lines, value and name.
        lanes: names of the rows of marks; they take the place of values.
        marks: in the lanes.
        ticks: whether days are named below.
        named: whether the legend names lines and areas.
        legend: further names and their classes.
        wide: whether there is more room for the names of the lanes.
    """

    title: str
    label: str
    time: TimeScale
    values: ValueScale
    height: int = 240
    lines: Sequence[Line] = ()
    areas: Sequence[Area] = ()
    bands: Sequence[Span] = ()
    guides: Sequence[tuple[float, str]] = ()
    lanes: Sequence[str] = ()
    marks: Sequence[Mark] = ()
    ticks: bool = True
    named: bool = True
    legend: Sequence[tuple[str, str]] = ()
    wide: bool = False


def time_chart(chart: TimeChart) -> Html:
    """The chart as a figure with its title and its legend."""
    named = [(line.name, f"line {line.kind}") for line in chart.lines]
    named += [(area.name, f"area {area.kind}") for area in chart.areas]
    legend = tag(
        "span", *(_key(name, kind) for name, kind in (*(named if chart.named else ()), *chart.legend)), class_="legend"
    )
    plot = tag(
        "svg",
        tag("svg", *_layers(chart), viewBox=f"0 0 {ACROSS} {DOWN}", preserveAspectRatio="none", class_="stretched"),
        *_value_labels(chart),
        *_lane_labels(chart),
        *(_day_labels(chart.time) if chart.ticks else ()),
        class_=f"plot{'' if chart.ticks else ' close'}{' wide' if chart.wide else ''}",
        height=chart.height,
        # What holds links is no image; the keyboard reaches their rows in a table instead.
        role="group" if any(mark.link for mark in chart.marks) else "img",
        aria_label=chart.label,
        **_for_the_script(chart),
    )
    return tag("figure", tag("figcaption", tag("b", chart.title), legend), plot, class_="chart")


def stays(states: pd.Series, kinds: dict[str, str]) -> list[Span]:
    """Bands of a state by day: unbroken stays in one, each until the next begins, of those that have a kind."""
    begins = states[states != states.shift()]
    ends = [*begins.index[1:], states.index[-1]]
    return [
        Span(first, last, f"{state} {first.date()} to {last.date()}", kinds[str(state)])
        for state, first, last in zip(begins, begins.index, ends, strict=True)
        if str(state) in kinds
    ]


def path_of(values: pd.Series, time: TimeScale, scale: ValueScale) -> str:
    """The way of a line in whole units of the grid, as SVG writes it; blank where there is no value.

    Of many values the least and the largest of each piece are drawn.
    """
    across = np.rint(time.across(pd.DatetimeIndex(values.index)))
    # What is infinitely deep, as nothing is on a log scale, lies at the bottom.
    down = np.clip(np.rint(scale.down(values.to_numpy(dtype=float))), 0, DOWN)
    kept = _extremes(down)
    return " ".join(_run(across[run], down[run]) for run in _runs(kept, np.isfinite(down)))


def _run(across: np.ndarray, down: np.ndarray) -> str:
    points = np.column_stack([across, down]).astype(int)
    steps = np.diff(points, axis=0)
    first = f"M{points[0, 0]} {points[0, 1]}"
    if not len(steps):
        return f"{first}h1"  # one point alone is a dot
    way = " ".join(f"{x} {y}" for x, y in steps.tolist())
    return f"{first}l{way}".replace(" -", "-")


def _runs(places: np.ndarray, finite: np.ndarray) -> Iterator[np.ndarray]:
    """The places that are kept, in runs that no gap parts."""
    part = np.cumsum(~finite)[places]
    kept = places[finite[places]]
    yield from np.split(kept, np.flatnonzero(np.diff(part[finite[places]])) + 1) if kept.size else ()


def _extremes(values: np.ndarray) -> np.ndarray:
    """Places of the first, the last, and the least and the largest value of each of `PIECES` pieces, in order."""
    size = -(-len(values) // PIECES)
    if size <= 2:
        return np.arange(len(values))
    padded = np.pad(values, (0, -len(values) % size), mode="edge").reshape(-1, size)
    starts = np.arange(len(padded)) * size
    least = starts + np.where(np.isfinite(padded), padded, np.inf).argmin(axis=1)
    largest = starts + np.where(np.isfinite(padded), padded, -np.inf).argmax(axis=1)
    last = len(values) - 1
    return np.unique(np.minimum(np.concatenate([least, largest, [0, last]]), last))


def _layers(chart: TimeChart) -> Iterator[Html]:
    yield from (_band(band, chart) for band in chart.bands)
    yield tag("path", class_="grid", d="".join(f"M0 {y}H{ACROSS}" for y in _rows(chart)))
    for area in chart.areas:
        yield tag("path", tag("title", area.name), class_=f"area {area.kind}", d=_closed(area, chart))
    for value, _ in chart.guides:
        yield tag("path", class_="guide", d=f"M0 {_down(chart.values, value)}H{ACROSS}")
    for line in chart.lines:
        way = path_of(line.values, chart.time, chart.values)
        if way:
            alone = " alone" if line.values.notna().sum() == 1 else ""
            yield tag("path", class_=f"line {line.kind}{alone}", d=way, data_name=line.name)
    yield from (_mark(mark, chart) for mark in chart.marks)


def _rows(chart: TimeChart) -> list[int]:
    if chart.lanes:
        # Marks stand across the middle of their lane, areas on its floor.
        return [_lane(number + (0.5 if chart.areas else 0.0), chart) for number in range(len(chart.lanes))]
    return [_down(chart.values, tick) for tick in chart.values.ticks()]


def _lane(number: float, chart: TimeChart) -> int:
    return round((number + 0.5) / len(chart.lanes) * DOWN)


def _down(scale: ValueScale, value: float) -> int:
    return int(np.rint(scale.down(np.array([value]))[0]))


def _band(span: Span, chart: TimeChart) -> Html:
    left, right = np.rint(chart.time.across(pd.DatetimeIndex([span.first, span.last]))).astype(int).tolist()
    if span.value is None:
        top, bottom = 0, DOWN
    else:
        top, bottom = sorted((_down(chart.values, span.value), _down(chart.values, 0.0)))
    box = {"x": left, "y": top, "width": max(right - left, ACROSS // 1000), "height": max(bottom - top, 1)}
    return tag("g", tag("title", span.name), tag("rect", class_=span.kind, **box))


def _closed(area: Area, chart: TimeChart) -> str:
    """The way along the upper edge and back along the lower one, on the same days."""
    days = pd.DatetimeIndex(area.above.index)
    edges = [chart.values.down(each.to_numpy(dtype=float)) for each in (area.above, area.below)]
    kept = np.union1d(_extremes(edges[0]), _extremes(edges[1]))
    across = chart.time.across(days)[kept]
    if len(kept) == 1:  # one day alone is a narrow column
        across, kept = across + np.array([-ACROSS / 100, ACROSS / 100]), np.repeat(kept, 2)
    ring = (
        np.rint(np.concatenate([across, across[::-1]])),
        np.rint(np.concatenate([edges[0][kept], edges[1][kept][::-1]])),
    )
    return _run(*ring) + "z"


def _mark(mark: Mark, chart: TimeChart) -> Html:
    place = int(np.rint(chart.time.across(pd.DatetimeIndex([mark.at])))[0])
    half = round(0.32 * DOWN / max(len(chart.lanes), 1))
    line = tag("path", class_=f"mark {mark.kind}", d=f"M{place} {_lane(mark.lane, chart) - half}v{2 * half}")
    told = (tag("title", mark.name), line)
    return tag("a", *told, href=mark.link, tabindex=-1) if mark.link else tag("g", *told)


def _value_labels(chart: TimeChart) -> Iterator[Html]:
    if chart.lanes:
        return
    for tick in chart.values.ticks():
        yield tag("text", chart.values.text(tick), class_="value", x=-8, y=_share(_down(chart.values, tick), DOWN))
    for number, (value, name) in enumerate(chart.guides):
        # At the right and at the left in turn: two that lie close do not cover each other.
        side = (
            {"x": "100%", "dx": -4, "class_": "guide-name"}
            if number % 2 == 0
            else {"x": 4, "class_": "guide-name left"}
        )
        yield tag("text", name, **side, dy=-4, y=_share(_down(chart.values, value), DOWN))


def _lane_labels(chart: TimeChart) -> Iterator[Html]:
    for number, name in enumerate(chart.lanes):
        short = name if len(name) <= LANE_LETTERS else f"{name[: LANE_LETTERS - 1]}…"
        told = tag("title", name) if short != name else ""
        yield tag("text", told, short, class_="value", x=-8, y=_share(_lane(number, chart), DOWN))


def _day_labels(time: TimeScale) -> Iterator[Html]:
    ticks = time.ticks()
    places = time.across(pd.DatetimeIndex([day for day, _ in ticks]))
    # Where a window is narrow, so many as have room there.
    every = -(-sum(LETTER * len(name) + LETTER for _, name in ticks) // NARROWEST)
    for number, ((_, name), place) in enumerate(zip(ticks, places, strict=True)):
        kind = "day" if number % max(every, 1) == 0 else "day second"
        yield tag("text", name, class_=kind, x=_share(place, ACROSS), y="100%", dy=16)


def _share(place: float, whole: int) -> str:
    return f"{100 * place / whole:.2f}%"


def _key(name: str, kind: str) -> Html:
    sample = (
        tag("path", d="M0 6h22", class_=kind)
        if kind.startswith("line")
        else tag("rect", y=1, width=22, height=10, class_=kind)
    )
    return tag("span", tag("svg", sample, width=22, height=12, aria_hidden="true"), name, class_="key")


def _for_the_script(chart: TimeChart) -> dict[str, object]:
    time, scale = chart.time, chart.values
    days = {"data_first": time.first.isoformat(), "data_last": time.last.isoformat()}
    if not chart.lines:
        return {**days}
    return {
        **days,
        "data_low": repr(scale.low),
        "data_high": repr(scale.high),
        "data_log": 1 if scale.log else None,
        "data_unit": scale.unit,
    }
