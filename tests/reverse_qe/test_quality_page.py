"""The page of the quality report: all that was found is on it, in plain words, and nothing is loaded from afar."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest

from data.catalogue.publication import publication_times
from data.market.snapshot import Snapshot
from data.quality.findings import KINDS
from data.quality.ranking import ranked_lines
from data.quality.report import quality_report
from hand_made import make_instrument, make_snapshot
from reverse_qe.pages.charts.sparklines import Frame, line, strip
from reverse_qe.pages.quality import MEANINGS, quality_page


@pytest.fixture
def market() -> Snapshot:
    days = pd.date_range("2024-01-01", "2024-03-31")
    bars = {
        "BTC-USD": [(f"{day:%Y-%m-%d}", None if day.month == 2 else 100.0, 100.0 + day.day) for day in days],
        "BTC-USDT": [(f"{day:%Y-%m-%d}", 100.0, 103.0 + day.day) for day in days],
    }
    snapshot = make_snapshot(bars, dict.fromkeys(bars, make_instrument("crypto")), name="made <by> hand")
    dates = pd.date_range("2024-01-01", "2024-02-10")
    series = pd.DataFrame(
        {"series": "DGS10", "date": dates, "value": 4.0, "known_at": publication_times(dates, "next_business_day")}
    )
    return replace(snapshot, series=series, made_at=datetime(2024, 3, 31, 12, tzinfo=UTC))


def test_every_finding_is_on_the_page(market: Snapshot) -> None:
    report = replace(quality_report(market), notes=("not read: a & b",))
    page = quality_page(market, report)
    text = unescape(re.sub(r"<[^>]*>", "", page))

    for name, _, words in report.grouped():
        assert name in text
        assert words in text
    assert "bars of a day that had not ended" in text
    assert "Returns may be wrong in BTC-USD, BTC-USDT." in text
    assert "not read: a &amp; b" in page
    assert "made &lt;by&gt; hand" in page
    assert "<by>" not in page
    assert market.content_hash in page


def test_the_page_ranks_what_was_found_as_the_text_does_and_marks_what_a_spec_uses(market: Snapshot) -> None:
    report = quality_report(market)

    def told(*reading: Any) -> list[tuple[str, ...]]:
        """Cells of the first table of the page, row by row."""
        part = quality_page(market, report, *reading).split("<tbody>")[1].split("</tbody>")[0]
        rows = re.findall(r"<tr.*?</tr>", part, flags=re.DOTALL)
        cells = [re.findall(r"<t[hd].*?</t[hd]>", row, flags=re.DOTALL) for row in rows]
        return [tuple(unescape(re.sub(r"<[^>]*>", "", cell)) for cell in row) for row in cells]

    def wanted(*reading: Any) -> list[tuple[str, ...]]:
        lines = ranked_lines(report, *reading)
        star = {True: "* " if reading else "", False: ""}
        return [
            (f"{star[line.is_used]}{line.name}", f"{line.effect:.1%}" if line.effect else "-", line.words)
            for line in lines
        ]

    stakes = {"BTC-USDT": 0.5}
    assert told() == wanted()
    assert told(stakes) == wanted(stakes)
    assert {name for name, *_ in told(stakes)} == {"* BTC-USDT", "BTC-USD", "DGS10"}
    assert [name for name, *_ in told(stakes)] != [name for name, *_ in told()]


def test_the_page_needs_no_network_and_its_pictures_are_sound(market: Snapshot) -> None:
    page = quality_page(market, quality_report(market))

    assert re.findall(r"""src\s*=|href="(?!#|data:,")|url\(|@import""", page) == []
    pictures = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert len(pictures) == 4  # two instruments, a series, and the two sources beside each other
    for each in pictures:
        ElementTree.fromstring(each)
    assert "nan" not in " ".join(pictures)


def test_a_sound_market_says_so() -> None:
    snapshot = make_snapshot({"MU": [("2024-01-02", 1.0, 1.0)]})
    report = replace(quality_report(snapshot), findings=())

    assert "Nothing odd was found." in quality_page(snapshot, report)


def test_an_empty_market_has_a_page() -> None:
    snapshot = make_snapshot({"MU": [("2024-01-02", 1.0, 1.0)]})
    empty = replace(snapshot, bars=snapshot.bars.iloc[:0])

    assert "Nothing odd was found." in quality_page(empty, quality_report(empty))


def test_each_kind_has_its_meaning() -> None:
    assert tuple(MEANINGS) == KINDS


def test_a_line_runs_from_its_least_to_its_largest_value() -> None:
    days = pd.date_range("2024-01-01", periods=1001)
    frame = Frame(days[0], days[-1], width=100, height=50)
    values = pd.Series(0.0, index=days)
    values.iloc[333], values.iloc[777] = 5.0, -5.0

    points = [tuple(map(float, point.split(","))) for point in re.findall(r"[\d.]+,[\d.]+", line(values, frame, 2, 40))]

    assert len(points) <= 102
    assert min(points, key=lambda point: point[1]) == (33.3, 2.0)
    assert max(points, key=lambda point: point[1]) == (77.7, 40.0)
    assert (points[0][0], points[-1][0]) == (0.0, 100.0)
    assert line(values.iloc[:1], frame, 2, 40) == ""


def test_a_strip_shows_months_without_and_with_blanks_and_none() -> None:
    days = pd.date_range("2024-01-01", "2024-12-31")
    held = days[(days.month != 4) & (days.month != 5)]
    whole = held[held != "2024-07-04"]
    frame = Frame(days[0], days[-1], width=365, height=10)

    pieces = re.findall(r'x="([\d.]+)".*?width="([\d.]+)".*?class="(\w+)"', strip(held, whole, frame, 0, 5))

    # Of 2024: days before April, from June on, July, from August on.
    assert pieces == [
        ("0.0", "91.0", "whole"),
        ("152.0", "30.0", "whole"),
        ("182.0", "31.0", "partly"),
        ("213.0", "152.0", "whole"),
    ]
