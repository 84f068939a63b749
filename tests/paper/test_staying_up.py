"""An account stepped by the clock: what fails is told, alerted and tried again; who tells it to end, ends it."""

import errno
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from data.errors import InputError
from data.files.locks import BusyError
from late_world import LateWorld
from paper.config import PaperConfig
from paper.ledger.ledger import Ledger
from paper.ledger.reader import LEDGER_FILE
from paper.ledger.records import AccountRecord
from paper.service import attended_step
from paper.service.alerts import Alerts
from paper.service.attended_step import Attendant
from paper.service.staying_up import StayingUp
from paper.step.step import StepReport
from reverse_qe.attending.step_log import StepLog
from reverse_qe.attending.step_pages import ACCOUNT, MORNING, pages_in

NOW = datetime(2026, 1, 13, 0, 20, tzinfo=UTC)


class Receiver:
    """Who hears of alerts, and may fail."""

    def __init__(self, error: Exception | None = None) -> None:
        self.heard: list[str] = []
        self.error = error

    def notify(self, title: str, body: str) -> bool:
        self.heard.append(body)
        if self.error is not None:
            raise self.error
        return True


@dataclass
class Run:
    """A run under test.

    Attributes:
        config: of the account.
        outcomes: of its steps: a report, or what they raise.
        receiver: of alerts.
        pages: what is done after each step.
    """

    config: PaperConfig
    outcomes: list[Any]
    receiver: Receiver = field(default_factory=Receiver)
    pages: dict[str, Callable[[], None]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    now: datetime = NOW

    def step(self, *_given: Any) -> StepReport:
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def wait(self, seconds: float) -> bool:
        self.now += timedelta(seconds=seconds)
        return not self.outcomes

    def start(self, monkeypatch: pytest.MonkeyPatch) -> "Run":
        monkeypatch.setattr(attended_step, "run_step", self.step)
        alerts = Alerts(self.config.alerts, "paper")
        alerts._receivers = [("MINE", self.receiver)]
        attendant = Attendant(self.config, alerts, self.said.append)
        StayingUp(attendant, lambda told: told.fault or "done", self.pages, lambda: self.now, self.said.append).run(
            self.wait
        )
        return self


@pytest.fixture
def config(tmp_path: Path) -> PaperConfig:
    """Of an account that is open."""
    with Ledger(tmp_path / LEDGER_FILE) as ledger:
        ledger.open_account(AccountRecord("paper", "simulated", date(2026, 1, 13), "raw", "", NOW), 1000.0)
    return closed(tmp_path)


def closed(folder: Path) -> PaperConfig:
    return PaperConfig.model_validate({"market": "made", "spec": "made", "state": {"path": folder}})


def report(**given: Any) -> StepReport:
    return StepReport("paper", date(2026, 1, 13), NOW, False, **given)


WRONG = [
    InputError("the disk is full"),
    BusyError("a step is under way already, by process 1"),
    KeyError("filled_avg_price"),
    ZeroDivisionError("float division by zero"),
    RecursionError("maximum recursion depth exceeded"),
    MemoryError(),
    OSError(errno.ENOSPC, "No space left on device"),
    TypeError("'NoneType' object is not\nsubscriptable"),
]


@pytest.mark.parametrize("error", WRONG, ids=lambda error: type(error).__name__)
def test_whatever_fails_in_a_step_is_told_alerted_and_tried_again(
    config: PaperConfig, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    run = Run(config, [error, error, error, report()]).start(monkeypatch)
    told = [each for each in run.said if each.startswith("! ")]
    assert len(told) == 3
    assert not any("\n" in each for each in told)
    # Once, however often it fails so; by the words of the log.
    assert run.receiver.heard == [told[0][2:]]
    if not isinstance(error, InputError | BusyError):
        assert re.fullmatch(rf"! an error of the program, {type(error).__name__}.*\(test_staying_up\.py:\d+\)", told[0])
    # Tried again every ten minutes, not at once and not tomorrow.
    assert [each for each in run.said if "next step" in each][:2] == [
        "next step 2026-01-13 00:30 UTC",
        "next step 2026-01-13 00:40 UTC",
    ]
    assert "done" in run.said


def test_who_was_busy_once_alerts_nobody(config: PaperConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = BusyError("a step is under way already, by process 1")
    assert Run(config, [busy, report(), busy, report()]).start(monkeypatch).receiver.heard == []


def test_a_failure_that_comes_back_is_alerted_again(config: PaperConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(config, [InputError("one"), InputError("two"), report(), InputError("two"), report()])
    assert run.start(monkeypatch).receiver.heard == ["one", "two", "two"]


def test_an_alert_that_fails_ends_nothing(config: PaperConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    receiver = Receiver(ConnectionError("no route to json://user:secret@host"))
    run = Run(config, [report(fault="the broker is not available"), report(halt="by hand"), report()], receiver)
    told = [each for each in run.start(monkeypatch).said if "could not be delivered to MINE" in each]
    assert len(told) == 2
    assert not any("secret" in each for each in run.said)


def test_a_page_that_fails_is_told_and_ends_nothing(config: PaperConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []

    def fails() -> None:
        raise ValueError("no such regime")

    run = Run(
        config, [report(), InputError("no"), report()], pages={"the page a": fails, "b": lambda: written.append(1)}
    )
    run.start(monkeypatch)
    told = [each for each in run.said if each.startswith("! the page a: an error of the program, ValueError: no such")]
    assert (len(told), len(written)) == (3, 3)


def test_an_account_that_cannot_be_opened_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"^no such market"):
        Run(closed(tmp_path / "none"), [InputError("no such market"), report()]).start(monkeypatch)
    # What mends itself does not.
    Run(closed(tmp_path / "none"), [BusyError("busy"), report(fault="no answer"), report()]).start(monkeypatch)


def test_a_ledger_that_cannot_be_read_is_an_open_account(config: PaperConfig) -> None:
    attendant = Attendant(config, Alerts(config.alerts, "paper"), print)
    assert attendant.is_open()
    path = config.state_folder / LEDGER_FILE
    path.write_bytes(b"no database at all" * 1000)
    assert attendant.is_open()
    path.unlink()
    assert attendant.is_open()  # Its head is there.
    assert not Attendant(closed(path.parent / "none"), attendant.alerts, print).is_open()


def test_a_log_that_cannot_be_written_has_a_gap_that_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log = StepLog(lambda: NOW)
    with monkeypatch.context() as patch, Path("/dev/full").open("w", encoding="utf-8") as full:
        patch.setattr(sys, "stdout", full)
        log.line("one")
        log.line("two")
        with pytest.raises(OSError, match="No space left"):
            full.close()
    log.line("three")
    told = capsys.readouterr()
    assert told.err.splitlines() == [
        "! standard output cannot be written: No space left on device: the log has a gap from 2026-01-13 00:20 UTC on, "
        "and the steps go on"
    ]
    assert told.out.splitlines() == [
        "2026-01-13 00:20:00 UTC  ! 2 lines since 2026-01-13 00:20 UTC were lost",
        "2026-01-13 00:20:00 UTC  three",
    ]


# Pages.


@pytest.mark.slow
def test_the_pages_are_those_of_signal_and_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = LateWorld(tmp_path / "account", [], date(2024, 11, 6), date(2024, 11, 8)).run()
    everything = world.market(date(2024, 11, 11), everything=True)
    monkeypatch.setattr("paper.overview.status.newest_snapshot", lambda _name: everything)
    monkeypatch.setattr("reverse_qe.api.open_market", lambda _name: everything)
    folder = tmp_path / "pages"
    pages = pages_in(folder, world.config)
    for act in pages.values():
        act()
    assert sorted(each.name for each in folder.iterdir()) == [ACCOUNT, MORNING]
    account, morning = ((folder / name).read_text(encoding="utf-8") for name in (ACCOUNT, MORNING))
    assert "Paper account paper" in account
    assert "Equity beside the backtest" in account
    assert "SCARCE" in morning
    # Whole or not at all: where the new one cannot be made, the old one stays.
    monkeypatch.setattr(
        "data.files.atomic.Path.write_bytes", lambda *_given: (_ for _ in ()).throw(OSError(28, "full"))
    )
    with pytest.raises(InputError, match=r"account\.html"):
        pages[f"the page {ACCOUNT}"]()
    assert (folder / ACCOUNT).read_text(encoding="utf-8") == account
    assert len(list(folder.iterdir())) == 2


def test_a_folder_of_pages_that_cannot_be_is_refused_before_the_first_step(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(InputError, match=r"^got --pages .*file, which exists"):
        pages_in(file, closed(tmp_path))
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / ACCOUNT).write_text("mine")
    with pytest.raises(InputError, match=r"account\.html"):
        pages_in(tmp_path / "pages", closed(tmp_path))


# Real processes.

CODE = """
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from late_world import LateWorld
from paper.step import step as stepping
from reverse_qe.cli import main

world = LateWorld(Path(sys.argv[1]), [], date(2024, 11, 6), date(2024, 11, 20))
class Fixed(datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime(2024, 11, 6, 0, 20, tzinfo=UTC)
stepping.newest_snapshot = lambda _name: world.market(date(2024, 11, 6))
for module in ("paper.step.account", "paper.service.check", "reverse_qe.commands.paper"):
    __import__(module)
    sys.modules[module].datetime = Fixed
import paper.service.check
paper.service.check.newest_snapshot = stepping.newest_snapshot
(world.folder / "paper.toml").write_text(
    'market = "late"\\nspec = "spec.toml"\\n[state]\\npath = "state"\\n[limits]\\nlargest_order = 10.0\\n'
    'largest_position = 10.0\\nlargest_turnover_a_day = 10.0\\nstale_sessions_halt = 1000\\n'
)
sys.argv = ["reverse-qe", "paper", "run", "--config", str(world.folder / "paper.toml"), *sys.argv[2:]]
main()
"""


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts `paper run` in a process of its own, its clock standing at a decision."""
    running: list[subprocess.Popen[str]] = []

    def start(*words: str, **given: Any) -> "subprocess.Popen[str]":
        support = Path(__file__).resolve().parents[1] / "support"
        environment = {**os.environ, "PYTHONPATH": str(support), "REVERSE_QE_HOME": str(tmp_path / "home")}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | given
        command: list[str] = [sys.executable, "-c", CODE, str(tmp_path / "account"), *words]
        running.append(subprocess.Popen(command, env=environment, text=True, **pipes))
        return running[-1]

    yield start
    for each in running:
        each.kill()
        each.communicate()


def has_stepped(folder: Path) -> bool:
    path = folder / "account" / "state" / LEDGER_FILE
    if not path.is_file():
        return False
    with Ledger(path) as ledger:
        return bool(ledger.events(("step",)))


def wait_for(happens: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    for _ in range(1500):
        if happens():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    pytest.fail("it did not happen")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_process_between_two_steps_with_status_0(
    tmp_path: Path, started: Callable[..., Any], number: signal.Signals
) -> None:
    process = started()
    first = process.stdout.readline()
    assert "SCARCE" in first, process.communicate()
    assert "next step 2024-11-06 14:20 UTC" in process.stdout.readline()
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert out.endswith("UTC  ended\n")
    assert err == ""


@pytest.mark.slow
def test_a_log_on_a_full_disk_ends_no_process(tmp_path: Path, started: Callable[..., Any]) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        process = started(stdout=full)
        told = process.stderr.readline()
    assert "the log has a gap from 2024-11-06 00:20 UTC on, and the steps go on" in told
    assert has_stepped(tmp_path)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 0


@pytest.mark.slow
def test_a_reader_of_the_log_that_has_gone_ends_no_process(tmp_path: Path, started: Callable[..., Any]) -> None:
    reading, writing = os.pipe()
    process = started(stdout=writing)
    os.close(writing)
    os.close(reading)
    assert "the log has a gap" in process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert has_stepped(tmp_path)


@pytest.mark.slow
def test_a_hang_up_that_is_ignored_stays_ignored(tmp_path: Path, started: Callable[..., Any]) -> None:
    """As under nohup."""
    process = started(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    process.stdout.readline()
    process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 0


@pytest.mark.slow
def test_a_full_disk_is_told_and_the_step_taken_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files may grow to 20 kB, which holds no ledger; then without a limit."""
    world = LateWorld(tmp_path / "account", [], date(2024, 11, 6), date(2024, 11, 8))
    world.step(world.sessions[0])
    day, said, steps = world.sessions[1], list[str](), list[int]()
    monkeypatch.setattr("paper.step.step.newest_snapshot", lambda _name: world.market(day))
    limits, real = resource.getrlimit(resource.RLIMIT_FSIZE), attended_step.run_step
    clock = [datetime(day.year, day.month, day.day, 0, 20, tzinfo=UTC)]

    def wait(seconds: float) -> bool:
        clock[0] += timedelta(seconds=seconds)
        return len(steps) == 3

    def step(*given: Any) -> StepReport:
        steps.append(1)
        room = 20_000 if len(steps) < 3 else limits[0]
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
        try:
            return real(given[0], None, False, clock[0], *given[4:])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    monkeypatch.setattr(attended_step, "run_step", step)
    attendant = Attendant(world.config, Alerts(world.config.alerts, "paper"), said.append)
    StayingUp(attendant, lambda told: f"done {told.session}", {}, lambda: clock[0], said.append).run(wait)
    told = [each for each in said if each.startswith("! ")]
    assert len(told) == 2
    assert all("nothing written is lost" in each for each in told)
    assert said[-2] == f"done {day}"
    with world.ledger() as ledger:
        assert [each.session for each in ledger.decisions()] == [day, world.sessions[0]]
