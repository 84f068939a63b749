"""The nearest moves from the cache are those that are solved, and are those of their market, spec and session alone."""

from dataclasses import replace

import pandas as pd
import pytest

from backtests.prepare.signal import read_signal
from backtests.prepare.turn import read_turn
from backtests.spec.spec import Spec, load_spec
from data.market.snapshot import Snapshot
from signals.turn.turn import Turn

DAY = pd.Timestamp("2022-03-15")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[pd.Timestamp]:
    """The sessions that were solved for, in order; what is kept is kept for the test alone."""
    from backtests.prepare import turn

    solved: list[pd.Timestamp] = []
    kept: dict[str, bytes] = {}

    def solve(data: object, session: pd.Timestamp, *others: object) -> Turn:
        solved.append(session)
        return what_would_turn(data, session, *others)

    what_would_turn = turn.what_would_turn
    monkeypatch.setattr(turn, "what_would_turn", solve)
    monkeypatch.setattr(turn, "read_cached", kept.get)
    monkeypatch.setattr(turn, "keep_cached", kept.__setitem__)
    return solved


def nearest(spec: Spec, market: Snapshot, day: pd.Timestamp = DAY, count: int = 3) -> Turn:
    return read_turn(spec, market, read_signal(spec, market, day), day, count)


@pytest.mark.slow
def test_what_is_kept_is_what_was_solved(sample: Snapshot, asked: list[pd.Timestamp]) -> None:
    spec = load_spec("sample")
    solved, kept = nearest(spec, sample), nearest(spec, sample)
    assert asked == [DAY]
    assert len(solved.moves) >= 3
    assert kept.moves == solved.moves
    assert kept.coming.equals(solved.coming)
    for name in ("session", "regime", "score", "dwells_until", "base"):
        assert getattr(kept, name) == getattr(solved, name)
    # Of all that may move, they are the nearest.
    signal = read_signal(spec, sample, DAY)
    every = read_turn(spec, sample, signal, DAY)
    assert [move.name for move in every.nearest[:3]] == [move.name for move in kept.nearest[:3]]
    assert asked == [DAY, DAY]


@pytest.mark.slow
def test_another_market_spec_or_session_is_solved_anew(sample: Snapshot, asked: list[pd.Timestamp]) -> None:
    spec = load_spec("sample")
    nearest(spec, sample)
    nearest(load_spec("sample", {"signal.enter": 0.41}), sample)
    later = sample.series.assign(value=sample.series["value"].where(sample.series["series"] != "DGS10", 4.0))
    nearest(spec, replace(sample, series=later))
    nearest(spec, sample, DAY + pd.Timedelta(days=1))
    assert len(asked) == 4
