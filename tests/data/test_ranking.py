"""What was found, ranked by what it can do: shares of the money times what may be wrong, by hand."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from data.clock import sessions_between
from data.market.snapshot import Snapshot
from data.quality.findings import Days, Finding, Scope
from data.quality.ranking import ranked, ranked_lines
from data.quality.report import QualityReport, quality_report
from hand_made import make_snapshot

FIRST = date(2024, 1, 2)


def finding(name: str, size: float, day: date = FIRST) -> Finding:
    return Finding(name, "split_like_move", 1, day, day, "moves", size=size)


def market(closes: list[float], first: str = "2024-01-02") -> Snapshot:
    days = sessions_between(pd.Timestamp(first), pd.Timestamp("2026-01-02"))[: len(closes)]
    return make_snapshot({"MU": [(str(day.date()), None, close) for day, close in zip(days, closes, strict=True)]})


def sizes(snapshot: Snapshot, kind: str) -> list[float]:
    return [each.size for each in quality_report(snapshot).findings if each.kind == kind]


def test_what_can_do_most_stands_first() -> None:
    """A tenth of the money on a half of a price is 5%, a whole benchmark on 4% of it is less, the unused is nothing."""
    found = [finding("SPY", 0.04), finding("WDC", 0.9), finding("MU", 0.5), finding("STX", 0.0)]

    told = ranked(found, {"MU": 0.1, "SPY": 1.0, "STX": 0.3})

    assert [each.finding.name for each in told] == ["MU", "SPY", "STX", "WDC"]
    assert [each.effect for each in told] == pytest.approx([0.05, 0.04, 0.0, 0.0])
    assert [each.finding.name for each in ranked(found)] == ["WDC", "MU", "SPY", "STX"]
    lines = ranked_lines(QualityReport(FIRST, tuple(found)), {"MU": 0.1, "SPY": 1.0, "STX": 0.3})
    assert [line.is_used for line in lines] == [True, True, True, False]
    assert lines[0].text == "MU: moves (2024-01-02)"


def test_nothing_stands_on_what_lies_outside_the_days_that_are_read() -> None:
    day = pd.Timestamp("2024-01-03")
    scope = Scope(frozenset({"MU"}), frozenset({"DGS10"}), Days(day, day), Days(pd.Timestamp(FIRST), day))

    told = ranked([finding("MU", 0.5), finding("DGS10", 0.5)], None, scope)

    assert {each.finding.name: each.share for each in told} == {"MU": 0.0, "DGS10": 1.0}


def test_a_move_can_be_wrong_by_what_it_moves_up_as_down() -> None:
    assert sizes(market([100.0, 100.0, 1.0, 100.0, 100.0]), "split_like_move") == pytest.approx([0.99])
    assert sizes(market([100.0, 50.0]), "split_like_move") == pytest.approx([0.5])


def test_a_far_move_is_doubtful_where_it_is_taken_back_and_stands_alone() -> None:
    """Days of 1%: a price wrong by a third on one day, a fall that stays, and one among falls as large."""
    usual = list(100 * np.exp(0.01 * (np.arange(120) % 2)))
    wrong = [*usual, 65.0, *usual]
    falls = [*usual, *(0.65 * each for each in usual)]
    panic = [*usual, 65.0, 105.0, 65.0, 100.0, *usual]

    [alone, back] = sizes(market(wrong), "outlier") * 2
    assert alone == back == pytest.approx(1 - 65.0 / usual[0] * np.exp(0.01), rel=0.02)
    assert sizes(market(falls), "outlier") == [0.0]
    assert sizes(market(panic), "outlier")[0] < 0.1


@pytest.mark.parametrize("place", [3, 30])
def test_a_price_that_is_wrong_on_one_day_is_told_where_nothing_says_what_is_usual(place: int) -> None:
    closes = [100.0] * 40
    closes[place] = 70.0

    [told] = [each for each in quality_report(market(closes)).findings if each.kind == "outlier"]

    assert told.size == pytest.approx(0.3)
    assert told.text == f"moves that stand alone, or that no news makes (the largest -30.0% on {told.first}): 1"


def test_what_is_missing_can_be_wrong_by_the_move_over_it() -> None:
    """Three sessions without a row, over which the price goes from 100 to 80."""
    sound = market([100.0] * 10 + [80.0] * 10)
    holes = replace(sound, bars=sound.bars.drop(index=[8, 9, 10]))
    blank = sound.bars.copy()
    blank.loc[10, "open"] = np.nan
    blank.loc[[3, 4], "open"] = 100.0

    assert sizes(holes, "missing_sessions") == pytest.approx([0.2])
    assert sizes(replace(sound, bars=blank), "blank_cells")[0] == pytest.approx(0.2)


def test_what_is_told_of_a_span_is_what_lies_in_it() -> None:
    """Two days at a hundredth: of a run in the second year the first is of no use, and its usual moves are."""
    closes = [100.0] * 500
    closes[100] = closes[400] = 1.0
    snapshot = market(closes)
    days = pd.DatetimeIndex(snapshot.bars["date"])
    span = Days(days[300], days[-1])

    report = quality_report(snapshot, Scope(frozenset({"MU"}), frozenset(), span, span))

    assert [each.first for each in report.findings if each.kind == "split_like_move"] == [days[400].date()]
    nothing = quality_report(snapshot, Scope(frozenset(), frozenset(), span, span))
    assert nothing.findings == ()
