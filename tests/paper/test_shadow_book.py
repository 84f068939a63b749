"""What a broker does not book of the market's actions: beside the ledger, and a halt where units are missing."""

import os
import random
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from unittest import mock

import pytest

from at_alpaca import FIRST, LAST, AtAlpaca, at_alpaca
from forking import forked
from late_world import Action, LateWorld
from paper.explain.causes import Cause
from paper.explain.explain import explain
from paper.ledger.invariants import broken_invariants
from paper.overview import status as overview
from paper.overview.status import Status, read_status
from paper.step.account import reconcile, resume
from reverse_qe.pages.account import _shadow
from reverse_qe.words.paper import position_rows, shadow_sentence

pytest.importorskip("alpaca")
pytestmark = pytest.mark.slow

KILLS = max(3, int(os.environ.get("REVERSE_QE_KILLS", "50")) // 10)
DAY = date(2026, 3, 6)
NEXT = date(2026, 3, 9)


def status(world: LateWorld, now: datetime | None = None) -> Status:
    with mock.patch.object(overview, "newest_snapshot", return_value=world.market(LAST, everything=True)):
        return read_status(world.config, now)


def test_dividends_stand_beside_the_account_and_halt_nothing(tmp_path: Path) -> None:
    paid, late = Action("dividend", 1.0, DAY, DAY), Action("dividend", 0.5, date(2026, 3, 4), date(2026, 3, 11))
    with at_alpaca(tmp_path, paid, late) as world:
        world.run()
        assert world.halts == []
        held = world.holdings()
        stands = status(world)
    units = held.units["MU"]
    assert units > 900
    # By hand: so many units were held on both days, at half a dollar and a dollar; the ledger has neither.
    rows = [(each.session, each.symbol, each.kind, each.units) for each in stands.shadow.rows]
    assert rows == [(date(2026, 3, 4), "MU", "dividend", 0.0), (DAY, "MU", "dividend", 0.0)]
    assert [each.amount for each in stands.shadow.rows] == pytest.approx([0.5 * units, 1.0 * units], rel=1e-9)
    assert stands.cash == held.cash
    assert stands.equity_with_shadow == pytest.approx(stands.equity + 1.5 * units, rel=1e-12)
    assert f"2 actions of the market since 2026-03-04, {1.5 * units:,.2f} USD" in shadow_sentence(stands)
    assert position_rows(stands)[-1][3] == f"{stands.equity_with_shadow:,.2f}"
    assert f"{units:+,.2f}" in _shadow(stands).body


def test_a_split_without_its_activity_halts_by_name_within_two_sessions(tmp_path: Path) -> None:
    with at_alpaca(tmp_path, Action("split", 2.0, DAY, DAY)) as world:
        told = {session: world.step(session) for session in world.sessions if session < NEXT}
        with mock.patch("late_world.resume"):
            told[NEXT] = world.step(NEXT)
        with mock.patch("paper.step.step.newest_snapshot", return_value=world.market(NEXT)):
            # Ledger and broker agree, and both lack the units.
            assert reconcile(world.config, world.double.now) == [told[NEXT].halt]
        resume(world.config, "looked at")
        units = world.holdings().units["MU"]
        assert world.halts == [NEXT]
        words = f"MU: the market tells of a split on {DAY} that the broker has not booked: {units:+g} units are missing"
        assert words in told[NEXT].halt
        stands = status(world)
        # Half of what was there is gone, as it is at the broker; with the units that are missing it is there.
        assert stands.equity == pytest.approx(50_000.0, rel=0.05)
        assert stands.equity_with_shadow == pytest.approx(100_000.0, rel=0.05)
        # Whoever resumes takes it as it is.
        world.step(date(2026, 3, 10))
        assert world.halts == [NEXT]


def test_a_delisting_that_is_not_booked_leaves_units_that_should_be_gone(tmp_path: Path) -> None:
    with at_alpaca(tmp_path, Action("delisting", 40.0, DAY, NEXT)) as world:
        told = [world.step(session).halt for session in world.sessions if session <= date(2026, 3, 10)]
        stands = status(world)
    assert "MU: the market tells of a delisting on 2026-03-09 that the broker has not booked: " in told[-1]
    assert "1000 units are left that should be gone at it" in told[-1]
    assert stands.equity_with_shadow == pytest.approx(40_000.0, rel=1e-6)


def test_a_small_split_that_the_market_tells_weeks_late_halts_when_it_is_told(tmp_path: Path) -> None:
    """No move of a price gives it away: 103 units for 100."""
    told = date(2026, 3, 31)
    with at_alpaca(tmp_path, Action("split", 1.03, DAY, told), last=told) as world:
        for session in world.sessions:
            world.step(session)
        assert world.halts == [told]
        with world.ledger() as ledger:
            (halt,) = ledger.events(("halt",))
        assert f"MU: the market tells of a split on {DAY} that the broker has not booked: +" in halt.text


def test_a_split_with_its_activity_is_booked(tmp_path: Path) -> None:
    with at_alpaca(tmp_path, Action("split", 2.0, DAY, DAY)) as world:
        for session in world.sessions:
            if session == NEXT:
                held = world.double.positions["MU"]
                split = {
                    "activity_type": "SPLIT",
                    "date": str(DAY),
                    "net_amount": "0",
                    "symbol": "MU",
                    "qty": str(held),
                }
                world.double._add_activity(split)
                world.double.positions["MU"] = 2 * held
            assert world.step(session).halt == ""
        assert status(world).shadow.rows == ()
        with mock.patch("paper.step.step.newest_snapshot", return_value=world.market(LAST, everything=True)):
            assert reconcile(world.config, datetime(2026, 3, 13, 0, 30, tzinfo=UTC)) == []


@pytest.mark.parametrize("told", [DAY, date(2026, 3, 11)])
@pytest.mark.parametrize(("kind", "value"), [("dividend", 1.0), ("split", 2.0), ("split", 0.5)])
def test_where_the_broker_books_all_there_is_no_shadow(tmp_path: Path, kind: str, value: float, told: date) -> None:
    """The simulated broker works actions out by other code; in time or late, nothing is left."""
    world = LateWorld(tmp_path, [Action(kind, value, DAY, told)], FIRST, LAST).run()
    with world.ledger() as ledger:
        assert kind in set(ledger.entries()["kind"])
    assert status(world).shadow.rows == ()


# What is killed, and started again.

PAID = (
    Action("dividend", 1.0, date(2026, 3, 4), date(2026, 3, 4)),
    Action("dividend", 0.5, date(2026, 3, 5), date(2026, 3, 10)),
    Action("dividend", 0.25, date(2026, 3, 9), date(2026, 3, 9)),
)
# The session of the third, which the broker books by itself.
BOOKED_FOR = date(2026, 3, 9)


def seen(world: AtAlpaca) -> tuple[object, ...]:
    """All that must be the same, however often a step was broken off."""
    stands = status(world)
    with world.ledger() as ledger:
        assert broken_invariants(ledger) == []
        entries = ledger.entries()[["session", "symbol", "kind", "units", "amount", "cash_after"]].values.tolist()
        return stands.shadow, stands.cash, stands.equity_with_shadow, entries, ledger.equity()["equity"].tolist()


def book_one(world: AtAlpaca, session: date) -> None:
    if session == BOOKED_FOR + timedelta(days=1):
        world.book("DIV", 0.25 * float(world.double.positions["MU"]), BOOKED_FOR, symbol="MU")


def test_kills_at_any_moment_lose_and_repeat_nothing_of_it(tmp_path: Path) -> None:
    with at_alpaca(tmp_path / "calm", *PAID) as world:
        begin = time.perf_counter()
        for session in world.sessions:
            book_one(world, session)
            assert world.step(session).halt == ""
        seconds = (time.perf_counter() - begin) / len(world.sessions)
        wanted = seen(world)
        units = world.holdings().units["MU"]
        # What the broker booked pays for the oldest: a quarter of a dollar of the first.
        assert status(world).shadow.cash == pytest.approx(1.5 * units, rel=1e-9)
    chance, kills, account = random.Random(20261128), 0, 0
    while kills < KILLS:
        account += 1
        with at_alpaca(tmp_path / str(account), *PAID) as world:
            for session in world.sessions:
                book_one(world, session)
                world.move(session)
                was_killed = True
                while was_killed:
                    was_killed = forked(
                        lambda world=world, session=session: LateWorld.step(world, session),  # type: ignore[misc]
                        chance.uniform(0.0, 2 * seconds),
                    )
                    kills += was_killed
            assert seen(world) == wanted


def test_it_is_the_row_of_dividends_not_paid(tmp_path: Path) -> None:
    """What `paper explain` finds by replays is what the shadow book finds by adding up."""
    with at_alpaca(tmp_path, *PAID) as world:
        for session in world.sessions:
            book_one(world, session)
            assert world.step(session).halt == ""
        owed = status(world).shadow
        with mock.patch.object(overview, "newest_snapshot", return_value=world.market(LAST, everything=True)):
            told = explain(world.config)
    amounts = {row.cause: row.amount for row in told.causes}
    assert told.holds
    assert owed.cash > 1_000.0
    assert amounts[Cause.DIVIDENDS] == pytest.approx(-owed.cash, rel=1e-9)
