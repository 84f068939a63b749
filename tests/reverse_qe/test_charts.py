"""Charts of our own: what they draw lies where the values are, whatever the values are."""

import math
import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverse_qe.pages.charts.scales import ACROSS, DOWN, TimeScale, ValueScale, linear_ticks, log_ticks, scale_of
from reverse_qe.pages.charts.time_chart import (
    PIECES,
    Area,
    Line,
    Mark,
    Span,
    TimeChart,
    path_of,
    stays,
    time_chart,
)

NUMBERS = st.floats(-1e9, 1e9).filter(lambda number: number == 0 or abs(number) > 1e-6)


def points(way: str) -> list[list[tuple[int, int]]]:
    """The points of a path of ours, run by run, from its relative steps."""
    runs = []
    for run in way.split("M")[1:]:
        numbers = [int(number) for number in re.findall(r"-?\d+", run.replace("h1", ""))]
        steps = np.array(numbers).reshape(-1, 2)
        runs.append([(int(x), int(y)) for x, y in steps.cumsum(axis=0)])
    return runs


@given(NUMBERS, NUMBERS)
def test_linear_ticks_are_round_and_within_the_ends(one: float, other: float) -> None:
    low, high = sorted((one, other))
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        return
    ticks = linear_ticks(low, high)
    assert 2 <= len(ticks) <= 11
    slack = 1e-6 * (high - low)
    assert all(low - slack <= tick <= high + slack for tick in ticks)
    step = ticks[1] - ticks[0]
    assert np.allclose(np.diff(ticks), step, rtol=1e-3)
    assert min(abs(step / 10.0 ** math.floor(math.log10(step) + 1e-9) - factor) for factor in (1, 2, 5, 10)) < 1e-2


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0.9, 62.0, [1, 2, 5, 10, 20, 50]),
        (0.04, 3000.0, [0.1, 1, 10, 100, 1000]),
        (0.97, 1.31, [1.0, 1.1, 1.2, 1.3]),
        (1e-6, 1.1, [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1]),
        (1e-19, 3.0, [1e-15, 1e-10, 1e-5, 1.0]),
    ],
)
def test_ticks_of_a_log_scale(low: float, high: float, wanted: list[float]) -> None:
    assert log_ticks(low, high) == pytest.approx(wanted)


def test_values_lie_where_the_scale_says() -> None:
    scale = ValueScale(1.0, 100.0, log=True, unit="times")
    assert scale.down(np.array([1.0, 10.0, 100.0])).tolist() == pytest.approx([DOWN, DOWN / 2, 0])
    assert [scale.text(tick) for tick in scale.ticks()] == ["1×", "2×", "5×", "10×", "20×", "50×", "100×"]  # noqa: RUF001
    plain = ValueScale(-0.5, 0.5, unit="percent")
    assert plain.down(np.array([-0.5, 0.0, 0.25, math.nan]))[:3].tolist() == [DOWN, DOWN / 2, DOWN / 4]
    assert [plain.text(tick) for tick in plain.ticks()] == ["-40%", "-20%", "0%", "20%", "40%"]
    assert [ValueScale(0, 0.02, unit="percent").text(tick) for tick in (0.005, 0.01)] == ["0.5%", "1.0%"]


@given(st.lists(st.one_of(NUMBERS, st.just(math.nan), st.just(math.inf)), max_size=20), st.booleans(), st.booleans())
def test_every_finite_value_is_on_its_scale(values: list[float], log: bool, has_zero: bool) -> None:
    scale = scale_of(np.array(values), "number", log, include=0.0 if has_zero and not log else None)
    assert scale.low < scale.high
    shown = [
        value for value in [*values, *([0.0] if has_zero else [])] if math.isfinite(value) and (value > 0 or not log)
    ]
    assert all(-1e-6 <= place <= DOWN + 1e-6 for place in scale.down(np.array(shown)))
    assert scale.ticks()


@pytest.mark.parametrize("sessions", [1, 2, 3, 10, 40, 130, 250, 500, 1300, 2500, 6500, 10_000])
def test_days_are_named_a_few_times_and_each_once(sessions: int) -> None:
    days = pd.bdate_range("2001-05-16", periods=sessions)
    time = TimeScale.of(days)
    ticks = time.ticks()
    assert 1 <= len(ticks) <= 18
    names = [name for _, name in ticks]
    assert len(set(names)) == len(names)
    places = time.across(pd.DatetimeIndex([day for day, _ in ticks]))
    assert ((places >= 0) & (places <= ACROSS)).all()
    assert time.across(days).tolist() == sorted(time.across(days))


@given(st.lists(st.one_of(st.floats(-1, 1), st.just(math.nan)), min_size=1, max_size=60), st.integers(1, 60))
def test_a_line_holds_its_ends_and_its_extremes_and_breaks_at_gaps(values: list[float], times: int) -> None:
    series = pd.Series(np.repeat(values, times), pd.bdate_range("2001-01-01", periods=len(values) * times))
    time, scale = TimeScale.of(pd.DatetimeIndex(series.index)), ValueScale(-1.0, 1.0)
    runs = points(path_of(series, time, scale))
    drawn = [point for run in runs for point in run]
    finite = series.dropna()
    if finite.empty:
        assert drawn == []
        return
    heights = [y for _, y in drawn]
    assert (min(heights), max(heights)) == tuple(np.rint(scale.down(np.array([finite.max(), finite.min()]))))
    assert len(drawn) <= min(max(2 * len(values) * times, 2), 2 * PIECES + 2)
    # Where each day is drawn (few days), the runs are those of the values.
    if len(series) <= PIECES:
        lengths = [len(run) for _, run in finite.groupby((series.isna().cumsum())[finite.index])]
        assert [len(run) for run in runs] == lengths
        places = np.rint(time.across(pd.DatetimeIndex(finite.index))).astype(int).tolist()
        assert [x for x, _ in drawn] == places
        assert heights == np.rint(scale.down(finite.to_numpy())).astype(int).tolist()


def test_a_long_line_keeps_the_day_of_its_deepest_fall() -> None:
    values = pd.Series(np.sin(np.arange(6300) / 50), pd.bdate_range("2001-01-01", periods=6300))
    values.iloc[4321] = -3.0
    time, scale = TimeScale.of(pd.DatetimeIndex(values.index)), ValueScale(-3.0, 1.0)
    ((*run,),) = points(path_of(values, time, scale))
    deepest = max(run, key=lambda point: point[1])
    assert deepest == (round(time.across(values.index[[4321]])[0]), DOWN)
    assert (run[0][0], run[-1][0]) == (0, ACROSS)
    assert len(run) < 1000


def test_stays_follow_each_other() -> None:
    days = pd.bdate_range("2024-01-01", periods=6)
    states = pd.Series(["SCARCE", "SCARCE", "NEUTRAL", "ABUNDANT", "ABUNDANT", "SCARCE"], days)
    bands = stays(states, {"SCARCE": "scarce", "ABUNDANT": "abundant"})
    assert [(band.kind, band.first, band.last) for band in bands] == [
        ("scarce", days[0], days[2]),
        ("abundant", days[3], days[5]),
        ("scarce", days[5], days[5]),
    ]


def whole_chart(name: str) -> TimeChart:
    days = pd.bdate_range("2024-01-01", periods=300)
    values = pd.Series(np.linspace(-0.5, 0.5, 300), days)
    return TimeChart(
        title=name,
        label=name,
        time=TimeScale.of(days),
        values=ValueScale(-0.5, 0.5, unit="percent"),
        lines=[Line(name, values, "c1"), Line("none", values * math.nan, "c2")],
        areas=[Area(name, values * 0, values, "c3")],
        bands=[Span(days[0], days[75], name, "scarce"), Span(days[75], days[150], name, "bar scarce", 0.25)],
        guides=[(0.25, name)],
    )


def test_a_chart_is_sound_and_says_what_it_shows() -> None:
    figure = ElementTree.fromstring(time_chart(whole_chart('a <b> & "c"')))
    plot = figure.find("svg")
    assert plot is not None
    assert (plot.get("role"), plot.get("aria-label")) == ("img", 'a <b> & "c"')
    assert "".join(figure.itertext()).count('a <b> & "c"') >= 5
    rects = {
        rect.get("class"): {key: int(rect.get(key, "")) for key in ("x", "y", "width", "height")}
        for rect in plot.iter("rect")
    }
    assert rects["scarce"] == {"x": 0, "y": 0, "width": pytest.approx(ACROSS / 4, rel=0.01), "height": DOWN}
    assert rects["bar scarce"]["y"] == DOWN / 4
    assert rects["bar scarce"]["height"] == DOWN / 4
    (line,) = [path for path in plot.iter("path") if path.get("class") == "line c1"]
    assert points(str(line.get("d")))[0][0] == (0, DOWN)
    (area,) = [path for path in plot.iter("path") if path.get("class") == "area c3"]
    ring = points(str(area.get("d")).removesuffix("z"))[0]
    assert (ring[0], ring[-1]) == ((0, DOWN), (0, DOWN // 2))


def test_marks_stand_in_their_lanes() -> None:
    days = pd.bdate_range("2024-01-01", periods=3)
    chart = TimeChart(
        title="Events",
        label="two",
        time=TimeScale.of(days),
        values=ValueScale(0.0, 1.0),
        lanes=("one", "two"),
        marks=[Mark(days[0], 0, "first", "c1", "#row-1"), Mark(days[2], 1, "<last>", "c2")],
    )
    made = time_chart(chart)
    figure = ElementTree.fromstring(made)
    ways = {link.findtext("title"): link.find("path").get("d") for link in [*figure.iter("a"), *figure.iter("g")]}  # type: ignore[union-attr]
    assert ways == {"first": "M0 360v1280", "<last>": f"M{ACROSS} 2360v1280"}
    assert '<a href="#row-1" tabindex="-1">' in made
    assert [text.text for text in figure.iter("text") if text.get("class") == "value"] == ["one", "two"]
