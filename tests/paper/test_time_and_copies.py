"""Summer time, a clock that is set, two writers at one folder, a log that is removed, a backup that is put back."""

import itertools
import os
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from unittest import mock

import pytest

from data.files.locks import BusyError
from late_world import LateWorld
from paper.config import ScheduleSection
from paper.ledger.chain import head_of
from paper.ledger.invariants import broken_invariants
from paper.ledger.ledger import Ledger
from paper.ledger.reader import LEDGER_FILE
from paper.service.schedule import keep_stepping
from paper.step import account as account_steps
from paper.step import account_files
from paper.step import step as stepping
from paper.step.account import reconcile, resume, run_step
from paper.storage import database

FIRST, LAST = date(2024, 11, 6), date(2024, 11, 12)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "SYNCHRONOUS", "OFF")


@pytest.fixture
def world(tmp_path: Path) -> LateWorld:
    return LateWorld(tmp_path / "account", [], FIRST, LAST)


@pytest.fixture
def stepped(world: LateWorld, monkeypatch: pytest.MonkeyPatch) -> Callable[..., object]:
    """Takes a step at a moment, on a market that has the bars of the days before."""

    def step(text: str, on: str = "") -> object:
        now = datetime.fromisoformat(text).replace(tzinfo=UTC)
        market = world.market(date.fromisoformat(on) if on else now.date())
        monkeypatch.setattr("paper.step.step.newest_snapshot", lambda _name: market)
        return run_step(world.config, now=now)

    return step


# Summer time.


@pytest.fixture(params=["America/New_York", "Europe/Berlin", "Australia/Lord_Howe"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The machine's own zone."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("begin", "opens"),
    [("2026-03-05", ["14:30", "14:30", "13:30", "13:30"]), ("2026-10-29", ["13:30", "13:30", "14:30", "14:30"])],
)
def test_steps_go_by_the_exchange_over_both_changes_of_summer_time(zone: str, begin: str, opens: list[str]) -> None:
    """Thursday to Tuesday; New York changes on the Sunday, Europe on another one, Lord Howe by half an hour."""
    clock = [datetime.fromisoformat(begin).replace(tzinfo=UTC)]
    end, steps = clock[0] + 6 * DAY, list[datetime]()

    def wait(seconds: float) -> bool:
        clock[0] += timedelta(seconds=seconds)
        return clock[0] >= end

    keep_stepping(ScheduleSection(), lambda: bool(steps.append(clock[0])), lambda: clock[0], wait, lambda _line: None)
    days = [day for day in sorted({each.date() for each in steps[1:]}) if day.weekday() < 5]
    assert len(days) == 4
    for day, opened in zip(days, opens, strict=True):
        at = datetime.fromisoformat(f"{day}T{opened}").replace(tzinfo=UTC)
        midnight = datetime(day.year, day.month, day.day, 0, 15, tzinfo=UTC)
        assert [each for each in steps[1:] if each.date() == day] == [
            midnight,
            at - timedelta(minutes=10),
            at + timedelta(minutes=5),
        ]


@pytest.mark.slow
def test_an_account_in_any_zone_does_the_same(tmp_path: Path, zone: str) -> None:
    """Over the change of New York on November 3rd: sessions of October 31st to November 5th."""
    account = LateWorld(tmp_path / "account", [], date(2024, 10, 31), date(2024, 11, 5)).run()
    with account.ledger() as ledger:
        assert [str(each.session) for each in ledger.decisions()] == [
            *("2024-11-06", "2024-11-05", "2024-11-04", "2024-11-01", "2024-10-31")
        ]
        (fill,) = ledger.entries()[1:].itertuples()
    assert (str(fill.at), account.halts) == ("2024-10-31 13:30:00+00:00", [])


# A clock that is set.


def test_a_clock_that_was_set_forward_halts_when_it_is_right_again(
    world: LateWorld, stepped: Callable[..., object]
) -> None:
    stepped("2024-11-06 00:20")
    # A day ahead: the decision for the 8th is taken on the 7th, on the bars of the 6th.
    early = stepped("2024-11-08 00:20", on="2024-11-07")
    assert early.session == date(2024, 11, 8)
    told = stepped("2024-11-07 00:40")
    assert told.halt == (
        "the clock says 2024-11-07 00:40 UTC, and the last step was at 2024-11-08 00:20 by it, for 2024-11-08: it was "
        "set forward then, or is set back now; set it right, then resume"
    )
    assert (told.sent, told.decision) == ([], None)
    # It stays so, also when the time has come that was told too early.
    assert stepped("2024-11-08 00:40").halt == told.halt
    resume(world.config, "the clock is right")
    told = stepped("2024-11-11 00:20")
    assert (told.halt, told.session) == ("", date(2024, 11, 11))
    with world.ledger() as ledger:
        assert broken_invariants(ledger) == []
        assert [str(each.session) for each in ledger.decisions()] == ["2024-11-11", "2024-11-08", "2024-11-06"]


@pytest.mark.parametrize(("back", "halts"), [("2024-11-07 00:19", False), ("2024-11-07 00:14", True)])
def test_a_clock_that_is_set_back_within_the_day(
    world: LateWorld, stepped: Callable[..., object], back: str, halts: bool
) -> None:
    stepped("2024-11-06 00:20")
    stepped("2024-11-07 00:20")
    assert bool(stepped(back).halt) is halts


@pytest.mark.parametrize("back", [timedelta(milliseconds=1), timedelta(hours=1), timedelta(days=1)])
def test_a_clock_that_is_set_back_within_a_step_stamps_nothing_before_what_it_follows_from(
    world: LateWorld, back: timedelta
) -> None:
    told = datetime(2024, 11, 6, 0, 20, tzinfo=UTC)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            nonlocal told
            told -= back
            return told

    with (
        mock.patch.object(account_steps, "datetime", Clock),
        mock.patch.object(stepping, "newest_snapshot", return_value=world.market(date(2024, 11, 6))),
    ):
        assert len(run_step(world.config).sent) == 1
    with world.ledger() as ledger:
        assert broken_invariants(ledger) == []


def test_a_clock_that_is_set_back_a_little_before_what_a_killed_step_decided_is_sent(
    world: LateWorld, stepped: Callable[..., object]
) -> None:
    with mock.patch.object(Ledger, "write_sent", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        stepped("2024-11-06 00:20")
    told = stepped("2024-11-06 00:17")
    assert (told.halt, len(told.sent)) == ("", 1)
    with world.ledger() as ledger:
        assert broken_invariants(ledger) == []


def test_a_step_goes_on_after_a_resume_though_the_clock_was_wrong(
    world: LateWorld, stepped: Callable[..., object]
) -> None:
    stepped("2024-11-06 00:20")
    stepped("2024-11-08 00:20", on="2024-11-07")
    assert stepped("2024-11-07 00:20").halt
    resume(world.config, "looked at it")
    told = stepped("2024-11-07 00:30")
    # What was decided too early stays decided.
    assert (told.halt, told.decision) == ("", None)
    assert stepped("2024-11-07 00:40").halt == ""


def test_a_loop_whose_clock_is_set_back_a_year_does_not_wait_for_a_year() -> None:
    clock, steps, said = [datetime(2026, 1, 13, 0, 16, tzinfo=UTC)], list[datetime](), list[str]()

    def wait(seconds: float) -> bool:
        clock[0] += timedelta(seconds=seconds)
        if clock[0] == datetime(2026, 1, 13, 0, 30, tzinfo=UTC):
            clock[0] = datetime(2025, 1, 13, 0, 5, tzinfo=UTC)
        return len(steps) == 3

    keep_stepping(ScheduleSection(), lambda: bool(steps.append(clock[0])), lambda: clock[0], wait, said.append)
    assert [f"{each:%Y-%m-%d %H:%M}" for each in steps] == ["2026-01-13 00:16", "2025-01-13 00:15", "2025-01-13 14:20"]
    assert "! the clock was set back, from 2026-01-13 00:29:00 to 2025-01-13 00:05:00 UTC" in said


# Two at one folder.


def forked(work: Callable[[], int]) -> int:
    """Begin `work` in a child of this warm process; the number of the process, whose status is what it returns."""
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        status = 99
        try:
            status = work()
        finally:
            os._exit(status)
    return child


def status_of(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


DONE, BUSY, HALTED = 0, 1, 2


def step_of_a_host(world: LateWorld, session: date, seed: int, begin: float) -> int:
    """As of one of two hosts, which begin at one moment; whom the other is in the way tries again. How it came out."""
    chance, outcome = random.Random(seed), DONE
    for attempt in range(50):
        time.sleep(chance.uniform(0, 0.02) if attempt else max(0.0, begin - time.monotonic()))
        try:
            return HALTED if world.step(session).halt else outcome
        except BusyError:
            outcome = BUSY
    return HALTED


def state_of(world: LateWorld) -> list[object]:
    """What an account has come to; that it holds together."""
    with world.ledger() as ledger:
        assert broken_invariants(ledger) == []
        rows = [ledger.rows_of(table) for table in ("intents", "entries")]
        # A close that is written later is valued on a later version of the market.
        names = ("session", "equity", "cash", "positions")
        closes = [[row[name] for name in names] for row in ledger.rows_of("closes")]
        found = [*rows, closes, [each.session for each in ledger.decisions()]]
    after = world.last + DAY
    with mock.patch.object(stepping, "newest_snapshot", return_value=world.market(after)):
        assert reconcile(world.config, datetime(after.year, after.month, after.day, 0, 20, tzinfo=UTC)) == []
    return found


@pytest.mark.slow
@pytest.mark.parametrize("lock_holds", [True, False])
def test_of_two_processes_at_one_folder_one_wins(
    world: LateWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lock_holds: bool
) -> None:
    """With the lock of the folder; and without, as where two hosts share a network drive that has none."""
    if not lock_holds:
        monkeypatch.setattr(account_files, "only_one", lambda *_given: nullcontext())
    outcomes = set[int]()
    for session in world.sessions:
        begin = time.monotonic() + 0.1
        children = [forked(partial(step_of_a_host, world, session, seed, begin)) for seed in (1, 2)]
        outcomes |= {status_of(child) for child in children}
    alone = LateWorld(tmp_path / "alone", [], FIRST, LAST)
    for session in alone.sessions:
        alone.step(session)
    assert state_of(world) == state_of(alone)
    assert BUSY in outcomes
    assert outcomes <= {DONE, BUSY}


def test_who_finds_rows_that_he_has_not_written_ends_and_writes_nothing(world: LateWorld) -> None:
    world.step(world.sessions[0])
    path, at = world.config.state_folder / LEDGER_FILE, datetime(2024, 11, 6, 1, tzinfo=UTC)
    with Ledger(path) as one, Ledger(path) as other:
        one.write_event("notice", "mine", at)
        with pytest.raises(BusyError, match=r"^another process has written to .*ledger\.sqlite while this one was at"):
            other.write_event("notice", "yours", at)
        one.write_event("notice", "mine again", at)
        # Having failed does not make a writer of it.
        with pytest.raises(BusyError):
            other.write_event("notice", "yours", at)
    with world.ledger() as ledger:
        assert [each.text for each in ledger.events(("notice",))] == ["mine again", "mine"]
        assert broken_invariants(ledger) == []


def test_a_change_that_failed_is_no_other_writer(world: LateWorld) -> None:
    world.step(world.sessions[0])
    at = datetime(2024, 11, 6, 1, tzinfo=UTC)
    with Ledger(world.config.state_folder / LEDGER_FILE) as ledger:
        row = {"at": "2024-11-06T01:00:00.000000+00:00", "kind": "notice", "text": "a"}

        def two_rows() -> None:
            with ledger._writing():
                ledger._append("events", row)
                ledger._append("events", row | {"at": None})

        with pytest.raises(sqlite3.IntegrityError):
            two_rows()
        ledger.write_event("notice", "c", at)
        assert [each.text for each in ledger.events(("notice",))] == ["c"]
        assert broken_invariants(ledger) == []


# Files that are removed or put back.


@contextmanager
def dying_at(moment: int) -> Iterator[None]:
    """The process dies after the `moment`-th write."""
    writing, left = database.Database.writing, [moment]

    @contextmanager
    def killing(self: database.Database) -> Iterator[None]:
        with writing(self):
            yield
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    database.Database.writing = killing  # type: ignore[method-assign]
    yield


@pytest.mark.slow
def test_a_log_that_is_removed_after_a_kill_loses_nothing_or_halts(tmp_path: Path) -> None:
    """Of the ledger, of the broker's book, or of both; after each write of a step that sends, and of one that fills."""
    last, ends = date(2024, 11, 7), set[str]()
    both = (LEDGER_FILE, "simulated-broker.sqlite")
    wanted = state_of(LateWorld(tmp_path / "alone", [], FIRST, last).run())
    for number, moment, names in itertools.product(range(2), (3, 5, 7), (both[:1], both)):
        world = LateWorld(tmp_path / f"{number}-{moment}-{len(names)}{names[0][0]}", [], FIRST, last)
        for session in world.sessions[:number]:
            world.step(session)

        def dies(world: LateWorld = world, moment: int = moment, number: int = number) -> int:
            with dying_at(moment):
                world.step(world.sessions[number])
            return DONE

        if status_of(forked(dies)) != -signal.SIGKILL:
            continue
        for name in names:
            for side in ("-wal", "-shm"):
                (world.config.state_folder / (name + side)).unlink(missing_ok=True)
        told = [world.step(session) for session in [*world.sessions[number:], last + DAY]]
        halts = [each.halt for each in told if each.halt]
        ends.add(halts[0].partition(":")[0] if halts else "")
        if not halts:
            assert state_of(world) == wanted
    assert "" in ends
    assert ends <= {"", "ledger and broker do not agree", "the ledger is not as it was written"}, ends


def backed_up(world: LateWorld, names: tuple[str, ...]) -> Callable[[], None]:
    """Copy files of an account now; what puts them back."""
    folder = world.config.state_folder
    kept = {name: (folder / name).read_bytes() for name in names}

    def put_back() -> None:
        for name, content in kept.items():
            (folder / name).write_bytes(content)
            for side in ("-wal", "-shm"):
                (folder / (name + side)).unlink(missing_ok=True)

    return put_back


HEAD = head_of(Path(LEDGER_FILE)).name
BOOK = "simulated-broker.sqlite"


def test_yesterdays_ledger_put_back_halts_by_its_head(world: LateWorld) -> None:
    world.step(world.sessions[0])
    put_back = backed_up(world, (LEDGER_FILE,))
    world.step(world.sessions[1])
    put_back()
    assert "an older copy was put in its place" in world.step(world.sessions[2]).halt


def test_yesterdays_ledger_and_head_put_back_are_found_by_the_broker(world: LateWorld) -> None:
    """Yesterday the order was open; it has filled, and was sold again, by a broker who knows."""
    world.step(world.sessions[0])
    put_back = backed_up(world, (LEDGER_FILE, HEAD))
    for session in world.sessions[1:3]:
        world.step(session)
    put_back()
    told = world.step(world.sessions[3])
    # The broker's fill of the order that stands open in it is booked; nothing is missing then.
    assert [each.symbol for each in told.fills] == ["MU"]
    assert told.halt == ""
    with world.ledger() as ledger:
        assert broken_invariants(ledger) == []


def test_a_ledger_from_before_an_order_is_found_by_the_fill(tmp_path: Path) -> None:
    """The backup knows nothing of the order that has sold since."""
    world = LateWorld(tmp_path / "account", [], FIRST, date(2024, 11, 20))
    for session in world.sessions[:3]:
        world.step(session)
    put_back = backed_up(world, (LEDGER_FILE, HEAD))
    (world.folder / "regimes.csv").write_text(
        "known_at,regime\n2020-01-02T00:00:00+00:00,SCARCE\n2024-11-08T22:00:00+00:00,ABUNDANT\n", encoding="utf-8"
    )
    for session in world.sessions[3:5]:
        world.step(session)
    put_back()
    told = world.step(world.sessions[5])
    assert told.halt.startswith("ledger and broker do not agree: ")
    assert told.sent == []


def test_the_whole_folder_put_back_goes_on_from_then(world: LateWorld, tmp_path: Path) -> None:
    world.step(world.sessions[0])
    shutil.copytree(world.config.state_folder, tmp_path / "backup")
    for session in world.sessions[1:3]:
        world.step(session)
    shutil.rmtree(world.config.state_folder)
    shutil.copytree(tmp_path / "backup", world.config.state_folder)
    for session in [*world.sessions[3:], LAST + DAY]:
        assert world.step(session).halt == ""
    with world.ledger() as ledger:
        assert broken_invariants(ledger) == []
        assert ledger.holdings().units == pytest.approx({"MU": 1000.0})
