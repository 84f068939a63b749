"""The small charts: what is drawn lies where the axis says that its value is."""

import re

import numpy as np
import pytest

from reverse_qe.pages.charts.dot_rows import Dot, dot_rows
from reverse_qe.pages.charts.event_path import Path, event_paths
from reverse_qe.pages.charts.heat_map import heat_map
from reverse_qe.pages.charts.histogram import histogram
from reverse_qe.pages.charts.scales import ACROSS, DOWN


def percent(text: str) -> float:
    return float(text.rstrip("%")) / 100


def by_two_points(places: list[float], values: list[float], place: float) -> float:
    """The value at a place, by the first and the last tick."""
    share = (place - places[0]) / (places[-1] - places[0])
    return values[0] + share * (values[-1] - values[0])


def test_a_dot_and_its_whisker_lie_where_the_axis_says() -> None:
    dots = [Dot("A", 0.012, -0.004, 0.03, "c1", True), Dot("<b>long name", -0.02, np.nan, np.nan, "c3")]
    drawn = dot_rows("t", "l", [*dots, Dot("none", np.nan, np.nan, np.nan, "c2")])
    ticks = re.findall(r'<text class="day[^>]*x="([\d.]+)%"[^>]*>([^<]*)</text>', drawn)
    places, values = [float(place) for place, _ in ticks], [percent(text) for _, text in ticks]
    assert len(ticks) > 2
    square = re.search(r'<rect x="([\d.]+)%"[^>]*class="bar c1"', drawn)
    circle = re.search(r'<circle cx="([\d.]+)%"[^>]*class="bar c3"', drawn)
    whiskers = re.findall(r'<line x1="([\d.]+)%" x2="([\d.]+)%"[^>]*class="mark c1"', drawn)
    assert square is not None
    assert circle is not None
    assert by_two_points(places, values, float(square[1])) == pytest.approx(0.012, abs=1e-4)
    assert by_two_points(places, values, float(circle[1])) == pytest.approx(-0.02, abs=1e-4)
    ((left, right),) = whiskers
    assert by_two_points(places, values, float(left)) == pytest.approx(-0.004, abs=1e-4)
    assert by_two_points(places, values, float(right)) == pytest.approx(0.03, abs=1e-4)
    assert drawn.count("<circle") + drawn.count("<rect") == 2
    assert "<title>&lt;b&gt;long name</title>&lt;b&gt;long n…" in drawn


def test_a_path_around_an_event_lies_where_its_axes_say() -> None:
    sessions = list(range(-2, 4))
    mean = np.array([0.0, 0.01, np.nan, 0.02, 0.03, -0.01])
    drawn = event_paths("l", sessions, [Path("x", mean, mean - 0.01, mean + 0.01)] * 2)
    assert drawn.count('<svg class="plot') == 2
    ticks = re.findall(r'<text class="value" x="-8" y="([\d.]+)%">([^<]*)</text>', drawn)
    ticks = ticks[: len(ticks) // 2]
    places, values = [float(place) / 100 * DOWN for place, _ in ticks], [percent(text) for _, text in ticks]
    way = re.search(r'class="line c1" d="([^"]*)"', drawn)
    assert way is not None
    # A session without a mean parts the way.
    assert way[1].count("M") == 2
    points = [tuple(map(float, point.split())) for point in re.findall(r"[ML](\d+ \d+)", way[1])]
    known = np.flatnonzero(np.isfinite(mean))
    assert [x for x, _ in points] == pytest.approx([ACROSS * at / 5 for at in known])
    found = [by_two_points(places, values, y) for _, y in points]
    assert found == pytest.approx(mean[known].tolist(), abs=1e-4)


def test_nothing_measured_is_drawn_as_nothing() -> None:
    blank = np.full(3, np.nan)
    drawn = event_paths("l", [0, 1, 2], [Path("x", blank, blank, blank)])
    assert "nothing measured" in drawn
    assert 'class="line' not in drawn


def test_a_histogram_counts_every_value_once() -> None:
    values = np.array([0.01, 0.011, 0.05, 0.2, 0.2, 0.21])
    drawn = histogram("t", "l", values, 0.2, "the <run>")
    bars = re.findall(
        r'<title>([\d.-]+)% to ([\d.]+)%: (\d+)</title><rect [^>]*height="([\d.]+)%" class="bar (c\d)"', drawn
    )
    assert sum(int(bar[2]) for bar in bars) == len(values)
    most = max(int(bar[2]) for bar in bars)
    for low, high, count, height, kind in bars:
        assert float(height) == pytest.approx(100 * int(count) / most, abs=0.01)
        assert (kind == "c3") == (float(low) <= 20.0 <= float(high))
    assert "the &lt;run&gt;, 20.0%" in drawn


def test_one_value_alone_has_a_histogram() -> None:
    assert histogram("t", "l", np.array([0.1]), 0.1, "x").count("bar c3") == 1


def test_from_zero_what_is_below_has_a_colour_of_its_own() -> None:
    drawn = heat_map("x", ["a"], ["b", "c", "d"], np.array([[-4.0, 0.0, 2.0]]), [["1", "2", "3"]], from_zero=True)
    found = re.findall(r'class="(heat[^"]*)" fill-opacity="([\d.]+)"/><text [^>]*>([^<]*)<', drawn)
    assert found == [("heat against", "0.50", "1"), ("heat", "0.00", "2"), ("heat", "0.25", "3")]


def test_names_of_columns_break_into_lines_and_rows_have_room() -> None:
    drawn = heat_map("x", ["a long name of a row"], ["spec. - cash flow"], np.array([[1.0]]), [["1"]])
    assert re.findall(r"<text[^>]*>([^<]*)<", drawn)[:2] == ["spec. -", "cash flow"]
    left = re.search(r'<text x="([\d.]+)" [^>]*text-anchor="end"', drawn)
    assert left is not None
    assert float(left[1]) > 6.2 * len("a long name of a row")
