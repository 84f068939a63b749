"""When a step is due, in summer and winter, on holidays and short days; and the loop that takes it."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from paper.broker import Intent
from paper.config import PaperConfig, ScheduleSection
from paper.ledger.ledger import Ledger
from paper.ledger.reader import LEDGER_FILE
from paper.ledger.records import AccountRecord, DecisionRecord
from paper.service.alerts import Alerts
from paper.service.attended_step import Attendant
from paper.service.schedule import keep_stepping, next_step_at

SCHEDULE = ScheduleSection(decide_after=15, before_open=10, after_open=5, repeat=10)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-01-13 00:00", "2026-01-13 00:15"),  # a Tuesday
        ("2026-01-13 00:15", "2026-01-13 14:20"),  # New York opens at 14:30 UTC in winter
        ("2026-01-13 14:20", "2026-01-13 14:35"),
        ("2026-01-13 14:35", "2026-01-14 00:15"),
        ("2026-07-14 00:15", "2026-07-14 13:20"),  # and at 13:30 in summer
        ("2026-07-14 13:20", "2026-07-14 13:35"),
        ("2026-01-16 14:35", "2026-01-20 00:15"),  # a weekend and a holiday
        ("2026-01-17 12:00", "2026-01-20 00:15"),
        ("2026-03-06 14:34", "2026-03-06 14:35"),
        ("2026-03-06 23:00", "2026-03-09 00:15"),  # the clocks go forward in between
        ("2026-03-09 01:00", "2026-03-09 13:20"),
    ],
)
def test_the_next_step(now: str, due: str) -> None:
    assert next_step_at(SCHEDULE, at(now)) == at(due)


def test_work_that_is_left_brings_the_next_step_nearer_and_never_puts_it_off() -> None:
    assert next_step_at(SCHEDULE, at("2026-01-13 14:36"), work_is_left=True) == at("2026-01-13 14:46")
    assert next_step_at(SCHEDULE, at("2026-01-13 00:10"), work_is_left=True) == at("2026-01-13 00:15")


class Clock:
    """A clock that waiting moves on, and that ends the loop at a moment."""

    def __init__(self, begin: str, end: str) -> None:
        self.moment, self.end = at(begin), at(end)
        self.waits: list[float] = []

    def now(self) -> datetime:
        return self.moment

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.moment += timedelta(seconds=seconds)
        return self.moment >= self.end


def test_a_week_of_steps() -> None:
    clock = Clock("2026-01-16 09:00", "2026-01-21 20:00")
    steps: list[datetime] = []
    said: list[str] = []

    def step() -> bool:
        steps.append(clock.moment)
        # The third step leaves something to do, twice.
        return len(steps) in (3, 4)

    keep_stepping(SCHEDULE, step, clock.now, clock.wait, said.append)
    assert [f"{each:%d %H:%M}" for each in steps] == [
        *("16 09:00", "16 14:20", "16 14:35", "16 14:45", "16 14:55"),
        *("20 00:15", "20 14:20", "20 14:35"),
        *("21 00:15", "21 14:20", "21 14:35"),
    ]
    assert max(clock.waits) <= 60
    assert said[0] == "next step 2026-01-16 14:20 UTC"
    assert len(said) == len(steps)


def test_a_machine_that_slept_steps_when_it_wakes() -> None:
    clock = Clock("2026-01-13 00:16", "2026-01-13 14:40")
    steps: list[datetime] = []

    def step() -> bool:
        steps.append(clock.moment)
        return False

    def wait(seconds: float) -> bool:
        if clock.moment == at("2026-01-13 00:20"):
            clock.moment = at("2026-01-13 14:31")
        return clock.wait(seconds)

    keep_stepping(SCHEDULE, step, clock.now, wait, lambda _line: None)
    assert [f"{each:%H:%M}" for each in steps] == ["00:16", "14:32", "14:35"]


def test_a_stop_ends_the_loop_between_steps() -> None:
    steps: list[int] = []
    keep_stepping(
        SCHEDULE,
        lambda: bool(steps.append(1)),
        lambda: at("2026-01-13 03:00"),
        lambda _seconds: True,
        lambda _line: None,
    )
    assert steps == [1]


@pytest.mark.parametrize(
    ("symbol", "now", "left"),
    [
        ("STOCK", "2026-01-13 00:20", False),  # it waits for the open, for which a step is planned
        ("STOCK", "2026-01-13 14:36", True),
        ("STOCK", "2026-01-13 21:30", False),
        ("COIN", "2026-01-13 00:20", True),
    ],
)
def test_orders_at_a_broker_bring_the_next_step_nearer_while_they_can_fill(
    tmp_path: Path, symbol: str, now: str, left: bool
) -> None:
    session, written_at = date(2026, 1, 13), at("2026-01-13 00:15")
    order = Intent(f"paper-{symbol}", session, symbol, "buy", symbol == "COIN", None, 100.0, 1.0, 10.0, written_at)
    decided = DecisionRecord(
        session=session,
        decided_at=written_at,
        market="made",
        content_hash="",
        regime="NEUTRAL",
        score=0.0,
        equity=1000.0,
        cash=1000.0,
        targets={symbol: 0.1},
        why="rebalancing",
        left_alone=(),
    )

    def has_work_left(broker: str) -> bool:
        given = {"market": "made", "spec": "made", "broker": {"kind": broker}, "state": {"path": tmp_path}}
        config = PaperConfig.model_validate(given)
        return Attendant(config, Alerts(config.alerts, "paper"), print).has_work_left(at(now))

    assert not has_work_left("alpaca")
    with Ledger(tmp_path / LEDGER_FILE) as ledger:
        ledger.open_account(AccountRecord("paper", "alpaca", session, "raw", "", written_at), 1000.0)
        ledger.write_decision(decided, [order])
    assert has_work_left("alpaca") is left
    # A book of ours fills when the bars are there, which no waiting brings nearer.
    assert not has_work_left("simulated")
    with Ledger(tmp_path / LEDGER_FILE) as ledger:
        ledger.write_unsent_end(order, "cancelled", written_at)
    assert not has_work_left("alpaca")
