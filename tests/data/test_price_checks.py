"""Odd prices are found, and sound ones left alone: splits, far moves, adjustments, unfinished bars, two sources."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from data.clock import sessions_between
from data.market.snapshot import Snapshot
from data.market.tables import ACTIONS
from data.quality.findings import Finding
from data.quality.price_checks import price_findings, source_difference
from hand_made import make_instrument, make_snapshot

MakeSnapshot = Callable[..., Snapshot]


def market(closes: Sequence[float], symbol: str = "MU", first: str = "2024-01-02") -> Snapshot:
    """One instrument, a close a session."""
    days = sessions_between(pd.Timestamp(first), pd.Timestamp(first) + pd.Timedelta(days=2 * len(closes) + 10))
    return make_snapshot(
        {symbol: [(str(day.date()), close, close) for day, close in zip(days, closes, strict=False)]},
    )


def found(snapshot: Snapshot, kind: str, symbol: str = "MU") -> list[Finding]:
    return [finding for finding in price_findings(snapshot, symbol) if finding.kind == kind]


def with_actions(snapshot: Snapshot, *rows: tuple[str, str, float]) -> Snapshot:
    frame = pd.DataFrame(rows, columns=["date", "kind", "value"])
    days = pd.to_datetime(frame["date"])
    actions = frame.assign(symbol="MU", date=days, known_at=days.dt.tz_localize("UTC"), source="hand")
    return replace(snapshot, actions=ACTIONS.conform(actions))


@pytest.mark.parametrize(
    ("close", "told"),
    [
        (50.0, "2:1"),
        (51.9, "2:1"),
        (33.0, "3:1"),
        (10.3, "10:1"),
        (200.0, "1:2"),
        (1010.0, "1:10"),
        (60.0, None),
        (67.0, None),
        (45.0, None),
        (130.0, None),
        (230.0, None),
    ],
)
def test_a_move_by_the_ratio_of_a_split_is_told(close: float, told: str | None) -> None:
    findings = found(market([100.0, 100.0, close, close]), "split_like_move")

    assert len(findings) == (told is not None)
    if told:
        assert (findings[0].first, findings[0].last) == (date(2024, 1, 4), date(2024, 1, 4))
        assert f"as by a split of {told} that was not taken out" in findings[0].text
        assert f"moves by {close / 100 - 1:+.1%}" in findings[0].text


def test_a_split_that_is_taken_out_is_no_move() -> None:
    snapshot = with_actions(market([100.0, 100.0, 50.0, 50.0]), ("2024-01-04", "split", 2.0))
    adjusted = replace(snapshot, bars=snapshot.bars.assign(adj_close=50.0))

    assert list(price_findings(adjusted, "MU")) == []
    (missed,) = found(snapshot, "action_not_adjusted")
    assert (missed.count, missed.first) == (1, date(2024, 1, 4))
    assert len(found(snapshot, "split_like_move")) == 1


def test_a_far_move_is_one_that_is_far_from_the_usual() -> None:
    # Up and down by 1% each day: the usual move is 1.4826 times that.
    usual = 100 * np.exp(0.01 * (np.arange(100) % 2))
    for move, count in ((14.9, 0), (15.1, 1)):
        closes = [*usual, usual[-1] * np.exp(move * 0.01 * 1.4826)]
        findings = found(market(closes), "outlier")
        assert [finding.count for finding in findings] == [1] * count
    assert f"the largest {np.expm1(15.1 * 0.01 * 1.4826):+.1%} on {findings[0].first}" in findings[0].text
    assert found(market([100.0] * 90 + [120.0]), "outlier") == []  # nothing is usual there


def test_an_adjustment_that_no_action_explains_is_told() -> None:
    snapshot = market([100.0, 100.0, 100.0, 100.0])
    adjusted = replace(snapshot, bars=snapshot.bars.assign(adj_close=[98.0, 98.0, 100.0, 100.0]))

    (unexplained,) = found(adjusted, "unexplained_adjustment")
    assert (unexplained.count, unexplained.first, unexplained.last) == (1, date(2024, 1, 4), date(2024, 1, 4))
    assert found(with_actions(adjusted, ("2024-01-04", "dividend", 2.0)), "unexplained_adjustment") == []
    (missed,) = found(with_actions(adjusted, ("2024-01-04", "dividend", 5.0)), "action_not_adjusted")
    assert missed.first == date(2024, 1, 4)


def test_a_dividend_on_a_day_without_a_bar_belongs_to_the_next_one() -> None:
    snapshot = market([100.0, 100.0, 100.0, 100.0])
    adjusted = replace(snapshot, bars=snapshot.bars.assign(adj_close=[98.0, 98.0, 98.0, 98.0]))
    bars = adjusted.bars[adjusted.bars["date"] != "2024-01-04"].assign(adj_close=[98.0, 98.0, 100.0])

    held = with_actions(replace(adjusted, bars=bars), ("2024-01-04", "dividend", 2.0))

    assert list(price_findings(held, "MU")) == []


def test_actions_that_cannot_be_used_are_told_and_stop_nothing() -> None:
    snapshot = with_actions(market([100.0, 100.0]), ("2024-01-03", "dividend", 150.0))

    (finding,) = price_findings(snapshot, "MU")
    assert finding.kind == "action_not_adjusted"
    assert "its actions cannot be used: got a dividend" in finding.text


@pytest.mark.parametrize(
    ("symbol", "made_at", "count"),
    [
        ("BTC-USD", datetime(2024, 1, 3, 23, 59, tzinfo=UTC), 1),
        ("BTC-USD", datetime(2024, 1, 4, tzinfo=UTC), 0),
        ("MU", datetime(2024, 1, 3, 20, 59, tzinfo=UTC), 1),
        ("MU", datetime(2024, 1, 3, 21, tzinfo=UTC), 0),
        ("MU", None, 0),
    ],
)
def test_a_bar_of_a_day_that_went_on_is_told(symbol: str, made_at: datetime | None, count: int) -> None:
    entry = make_instrument("crypto" if symbol == "BTC-USD" else "us_stock")
    bars = {symbol: [("2024-01-02", 1.0, 1.0), ("2024-01-03", 1.0, 1.0)]}
    snapshot = replace(make_snapshot(bars, {symbol: entry}), made_at=made_at)

    assert [each.count for each in found(snapshot, "bar_not_ended", symbol)] == [1] * count


def test_two_sources_of_one_coin_are_compared() -> None:
    days = [f"2024-01-0{day}" for day in range(1, 7)]
    ours, theirs = [100.0, 100.0, 100.0, 103.0, 100.0], [100.0, 100.9, 101.1, 100.0, 100.0]
    bars = {
        "BTC-USD": [(day, close, close) for day, close in zip(days[:5], ours, strict=True)],
        "BTC-USDT": [(day, close, close) for day, close in zip(days[1:], [*theirs[1:], 100.0], strict=True)],
    }
    snapshot = make_snapshot(bars, dict.fromkeys(bars, make_instrument("crypto")))

    other, difference = source_difference(snapshot, "BTC-USD")
    (finding,) = found(snapshot, "sources_differ", "BTC-USD")

    assert other == "BTC-USDT"
    assert [str(day.date()) for day in difference.index] == days[1:5]
    assert (finding.count, finding.first, finding.last) == (2, date(2024, 1, 3), date(2024, 1, 4))
    assert "of 4 days in both; the largest +3.0% on 2024-01-04, the median 0.99%" in finding.text
    assert source_difference(snapshot, "BTC-USDT") is None


@pytest.mark.slow
@pytest.mark.real_history
def test_real_history_has_no_split_left_in_it_and_its_coins_differ(history: Snapshot) -> None:
    findings = [each for symbol in history.instruments for each in price_findings(history, symbol)]
    by_kind = {kind: [each.name for each in findings if each.kind == kind] for kind in {each.kind for each in findings}}

    assert set(by_kind) == {"far_cell", "outlier", "sources_differ"}
    assert by_kind["far_cell"].count("IGV") == 2  # high and low of 2010-05-06, the day of the flash crash
    assert by_kind["sources_differ"] == ["BTC-USD", "ETH-USD", "SOL-USD"]
    assert {"BTC-USD", "ETH-USD", "ORCL"} <= set(by_kind["outlier"])
