"""What a market tells late of sessions that were played is booked, by name, or halts the account by name."""

import itertools
import os
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data.clock import sessions_between
from late_world import Action, LateWorld
from paper.explain.causes import Cause
from paper.explain.explain import explain
from paper.ledger.invariants import broken_invariants
from paper.overview import status as overview
from paper.storage import database

FIRST, LAST = date(2024, 11, 6), date(2024, 11, 20)
TOLD_LATE = date(2024, 11, 18)
SESSIONS = [day.date() for day in sessions_between(pd.Timestamp(FIRST), pd.Timestamp(LAST))]


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "SYNCHRONOUS", "OFF")


@pytest.fixture
def world(tmp_path: Path) -> Callable[..., LateWorld]:
    def make(*actions: Action, **given: Any) -> LateWorld:
        return LateWorld(tmp_path / "account", actions, **({"first": FIRST, "last": LAST} | given))

    return make


def test_p1_a_split_that_is_told_six_days_late(world: Callable[..., LateWorld]) -> None:
    """1,000 MU at 100, 2:1 on November 12th; MU closes at 51.5 from then on: 2,000 units, 103,000 USD."""
    split = date(2024, 11, 12)
    after = [date(2024, 11, 12) + timedelta(days=each) for each in range(20)]
    account = world(Action("split", 2.0, split, TOLD_LATE), closes=dict.fromkeys(after, 51.5))
    for session in account.sessions:
        told = account.step(session)
        if session == date(2024, 11, 13):
            assert (
                "like a split: MU, of which 1000 units are held, moved -48.5% in one session, as by a split of 2:1"
                in (told.halt)
            )
        if session == TOLD_LATE:
            assert told.notes == [
                "booked +1,000 units of MU, told late by the market late.1118: split of MU on 2024-11-12, 2 for 1"
            ]
    assert account.halts == [date(2024, 11, 13)]
    assert account.holdings().units == pytest.approx({"MU": 2000.0})
    account.step(account._after(LAST))
    with account.ledger() as ledger:
        assert ledger.equity()["equity"].iloc[-1] == pytest.approx(103_000.0)
        assert broken_invariants(ledger) == []
        entries = ledger.entries()
    # As of the first session that is not played yet.
    (row,) = entries[entries["kind"] == "split"].itertuples()
    assert (row.units, row.session.date()) == (pytest.approx(1000.0), date(2024, 11, 15))
    assert row.amount == pytest.approx(0.0, abs=1e-6)
    assert row.reason.endswith("split of MU on 2024-11-12, 2 for 1")


def test_p2_a_dividend_that_is_told_three_sessions_late(world: Callable[..., LateWorld]) -> None:
    account = world(Action("dividend", 5.0, date(2024, 11, 12), date(2024, 11, 15))).run()
    assert account.halts == []
    held = account.holdings()
    assert (held.cash, held.units) == (pytest.approx(5000.0), pytest.approx({"MU": 1000.0}))
    with account.ledger() as ledger:
        assert ledger.equity()["equity"].iloc[-1] == pytest.approx(100_000.0)
        notices = [each.text for each in ledger.events(("notice",))]
    assert notices == []


@pytest.mark.slow
@pytest.mark.parametrize("close", [50.0, 60.0])
def test_who_resumes_after_a_move_of_a_price_has_looked_at_it(world: Callable[..., LateWorld], close: float) -> None:
    """The step of the same session goes on; another move halts anew."""
    falls = [date(2024, 11, 8), date(2024, 11, 12)]
    closes = {day: close if day < falls[1] else close / 2 for day in SESSIONS if day >= falls[0]}
    account = world(closes=closes)
    limits = account.config.limits.model_copy(update={"price_move_halt": 0.3})
    config = account.config.model_copy(update={"limits": limits})
    with mock.patch.object(LateWorld, "config", config):
        told = [(day, account.step(day), account.step(day)) for day in SESSIONS[:7]]
    assert account.halts == [date(2024, 11, 11), date(2024, 11, 13)]
    assert [day for day, _, again in told if again.decision] == account.halts


@pytest.mark.slow
def test_what_is_told_late_is_booked_once_however_often_it_is_told(world: Callable[..., LateWorld]) -> None:
    account = world(Action("dividend", 5.0, date(2024, 11, 12), date(2024, 11, 15)))
    for session in account.sessions:
        notes = [account.step(session).notes, account.step(session).notes]
        assert [len(each) for each in notes] == ([1, 0] if session == date(2024, 11, 15) else [0, 0])


@pytest.mark.slow
def test_a_dividend_on_units_of_a_split_that_was_not_told(world: Callable[..., LateWorld]) -> None:
    """The split is told last; the dividend, in time, was paid on half of the units."""
    account = world(
        Action("split", 2.0, date(2024, 11, 12), TOLD_LATE),
        Action("dividend", 1.0, date(2024, 11, 14), date(2024, 11, 14)),
    ).run()
    held = account.holdings()
    assert (held.units, held.cash) == (pytest.approx({"MU": 2000.0}), pytest.approx(2000.0))


@pytest.mark.slow
def test_a_delisting_that_is_told_late_pays_out(world: Callable[..., LateWorld]) -> None:
    """Bars end on the 12th; told on the 18th: 40 USD a unit, and nothing is held any more."""
    account = world(Action("delisting", 40.0, date(2024, 11, 12), TOLD_LATE)).run()
    held = account.holdings()
    assert (held.units, held.cash) == ({}, pytest.approx(40_000.0))
    with account.ledger() as ledger:
        entries = ledger.entries()
    (row,) = entries[entries["kind"] == "delisting"].itertuples()
    assert "delisting of MU on 2024-11-13" in row.reason


def test_a_dividend_that_is_corrected_is_booked_by_the_difference(world: Callable[..., LateWorld]) -> None:
    """It was told as 5, and is 0.5."""
    wrong = world(Action("dividend", 5.0, date(2024, 11, 12), date(2024, 11, 12)))
    for session in wrong.sessions[:7]:
        wrong.step(session)
    assert wrong.holdings().cash == pytest.approx(5000.0)
    right = LateWorld(wrong.folder, [Action("dividend", 0.5, date(2024, 11, 12), FIRST)], FIRST, LAST)
    told = right.step(right.sessions[7])
    assert told.notes[0].startswith("booked -4,500.00 USD, told late by the market")
    assert right.holdings().cash == pytest.approx(500.0)


def test_units_that_were_sold_and_were_never_there_halt_by_name(world: Callable[..., LateWorld]) -> None:
    """A reverse split 1:10 is told after all units, which should have been a tenth, were sold."""
    account = world(Action("split", 0.1, date(2024, 11, 12), date(2024, 11, 19)))
    (account.folder / "regimes.csv").write_text(
        "known_at,regime\n2020-01-02T00:00:00+00:00,SCARCE\n2024-11-14T22:00:00+00:00,ABUNDANT\n", encoding="utf-8"
    )
    for session in account.sessions:
        told = account.step(session)
        if session == date(2024, 11, 19):
            break
    assert "the broker refuses: split of MU on 2024-11-12, 0.1 for 1, by the market late.1119" in told.halt
    assert "takes away units that have been sold since" in told.halt
    assert account.holdings().units["MU"] == pytest.approx(200.0)


def test_bars_that_change_are_told_and_change_nothing(world: Callable[..., LateWorld]) -> None:
    account = world()
    for session in account.sessions[:6]:
        assert account.step(session).notes == []
    before = account.holdings()
    revised = LateWorld(account.folder, [], FIRST, LAST, closes={date(2024, 11, 7): 101.0, date(2024, 11, 8): 99.0})
    told = revised.step(revised.sessions[6])
    assert told.notes == [
        "the market late.1114 has other bars of sessions that were played: MU 2024-11-07 open and close 100 and 100, "
        "now 101 and 101; MU 2024-11-08 open and close 100 and 100, now 99 and 99; fills and closes stay as they were "
        "booked"
    ]
    assert revised.step(revised.sessions[6]).notes == []
    assert revised.step(revised.sessions[7]).notes == []
    assert revised.holdings() == before
    with revised.ledger() as ledger:
        assert ledger.equity()["equity"].tolist() == [100_000.0] * len(ledger.equity())
        assert len(ledger.events(("notice",))) == 1


def test_signals_that_are_told_late_change_no_decision(world: Callable[..., LateWorld]) -> None:
    account = world()
    for session in account.sessions[:4]:
        account.step(session)
    with account.ledger() as ledger:
        before = ledger.decisions()
    (account.folder / "regimes.csv").write_text(
        "known_at,regime\n2020-01-02T00:00:00+00:00,SCARCE\n2024-11-07T22:00:00+00:00,ABUNDANT\n", encoding="utf-8"
    )
    told = account.step(account.sessions[4])
    assert [each for each in told.notes if each.startswith("told late")] == [
        f"told late: the decision for {day} was taken on SCARCE, score +1.0000; by what the market says of that day "
        "now it is ABUNDANT, score -1.0000; the decision stays"
        for day in ("2024-11-08", "2024-11-11")
    ]
    with account.ledger() as ledger:
        assert ledger.decisions()[1:] == before


# Whatever of dividends arrives late, with rebalancings in between; without, see test_late_schedules.py.

Schedule = list[tuple[float, int, int]]
SCHEDULES = int(os.environ.get("REVERSE_QE_SCHEDULES", "8"))


def actions_of(schedule: Schedule, late: bool) -> Iterator[Action]:
    for value, place, sessions in schedule:
        told = SESSIONS[min(place + max(sessions, 0), len(SESSIONS) - 1)] if late else FIRST
        yield Action("dividend", value, SESSIONS[place], told)


@st.composite
def schedules_of_dividends(draw: st.DrawFn) -> Schedule:
    """Value, the session's place and by how many sessions it is told late; at most one a session."""
    places = draw(st.lists(st.integers(2, 8), min_size=1, max_size=4, unique=True))
    return [(draw(st.sampled_from([0.25, 1.0, 4.0])), place, draw(st.integers(-2, 5))) for place in places]


@pytest.mark.slow
def test_with_a_rebalancing_in_between_it_differs_by_what_explain_names_late(tmp_path: Path) -> None:
    """What was told in time bought units at the next session; what came late did so later, at another price."""
    rules = {"policy": {"rebalance": "daily"}, "order_rules": {"band": 0.0}}
    folders, differed = itertools.count(), list[bool]()

    @settings(max_examples=max(SCHEDULES // 4, 1))
    @example([(4.0, 3, 3)], [0, 0, 0, 0, 3, -3, 2, 1, -2, 0, 0])
    @given(schedules_of_dividends(), st.lists(st.integers(-3, 3), min_size=len(SESSIONS), max_size=len(SESSIONS)))
    def however_late(schedule: Schedule, moves: list[int]) -> None:
        folder = tmp_path / str(next(folders))
        # No session on which something is paid has a price of its own making.
        quiet = {SESSIONS[place + each] for _, place, _ in schedule for each in (-1, 0)}
        closes = {day: 100.0 + move for day, move in zip(SESSIONS, moves, strict=True) if day not in quiet}
        in_time, late = (
            LateWorld(folder / name, list(actions_of(schedule, told)), FIRST, LAST, settings=rules, closes=closes)
            for name, told in (("in-time", False), ("late", True))
        )
        equity = []
        for account in (in_time, late):
            with account.run().ledger() as ledger:
                equity.append(float(ledger.equity()["equity"].iloc[-1]))
        everything = late.market(date(2024, 11, 21), everything=True)
        with mock.patch.object(overview, "newest_snapshot", return_value=everything):
            told = explain(late.config)
        assert told.holds
        assert late.halts == []
        (by_name,) = [each.amount for each in told.causes if each.cause == Cause.LATE_ACTIONS]
        assert by_name == pytest.approx(equity[1] - equity[0], abs=1e-9 * equity[0])
        assert all(abs(each.amount) <= 1e-9 * equity[0] for each in told.causes if each.cause != Cause.LATE_ACTIONS)
        differed.append(abs(by_name) > 1e-6)

    however_late()
    assert any(differed)
