"""A step is killed -9 wherever it may be, and started again: nothing lost, nothing twice, the same end."""

import os
import random
import signal
import time
from contextlib import contextmanager
from datetime import date

import pandas as pd
import pytest

from all_tables import all_rows
from backtests.spec.spec import load_spec
from data.clock import sessions_between
from data.files.locks import BusyError
from forking import forked
from late_world import Action, LateWorld
from paper.brokers.simulated.broker import SimulatedBroker
from paper.config import PaperConfig
from paper.ledger.invariants import broken_invariants
from paper.ledger.reader import LEDGER_FILE, LedgerReader
from paper.step.account import reconcile, run_step
from paper.step.account_files import LOCK_FILE
from paper.storage import database
from paper.storage.database import Database

KILLS = int(os.environ.get("REVERSE_QE_KILLS", "50"))
# Everything is bought on the first of these days; on the third the regime turns SCARCE and half of it is sold.
DAYS = [day.date() for day in sessions_between(pd.Timestamp("2021-03-16"), pd.Timestamp("2021-03-22"))]
SETTINGS = {"policy.rebalance": "daily"}


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    """A kill leaves the kernel, and what it was given to write, alone."""
    monkeypatch.setattr(database, "SYNCHRONOUS", "OFF")


@pytest.fixture(scope="module")
def config_of(tmp_path_factory):
    spec = tmp_path_factory.mktemp("spec") / "daily.toml"
    spec.write_text(load_spec("sample", SETTINGS).to_toml(), encoding="utf-8")
    return lambda folder: PaperConfig(market="sample", spec=str(spec), state={"path": folder})


def take_steps(config, days=DAYS):
    for day in days:
        told = run_step(config, day)
        assert not told.halt
        assert not told.fault


@pytest.fixture(scope="module")
def undisturbed(config_of, tmp_path_factory):
    """The end state of the same steps without a kill, and the seconds that they take in a child of this process."""
    config = config_of(tmp_path_factory.mktemp("undisturbed"))
    take_steps(config)
    timed = config_of(tmp_path_factory.mktemp("timed"))
    begin = time.perf_counter()
    assert not forked(lambda: take_steps(timed))
    return end_state(config), time.perf_counter() - begin


def end_state(config):
    with LedgerReader(config.state_folder / LEDGER_FILE) as ledger:
        assert broken_invariants(ledger) == []
        assert ledger.unsent_intents() == ledger.sent_intents() == []
        read = ledger.orders(), ledger.entries(), ledger.equity(), ledger.positions(), ledger.decisions()
    return *read, all_rows(config.state_folder)


def assert_same_end(config, wanted):
    assert reconcile(config) == []
    for one, other in zip(end_state(config), wanted, strict=True):
        if isinstance(one, pd.DataFrame):
            pd.testing.assert_frame_equal(one, other)
        else:
            assert one == other


def steps_left(config, days=DAYS):
    """From the last session that was decided for on, which is stepped once more."""
    if not (config.state_folder / LEDGER_FILE).exists():
        return days
    with LedgerReader(config.state_folder / LEDGER_FILE) as ledger:
        last = ledger.last_decision()
    return [day for day in days if last is None or day >= last.session]


@pytest.mark.slow
def test_killed_at_any_moment(config_of, undisturbed, tmp_path):
    wanted, seconds = undisturbed
    chance, kills, account = random.Random(20261123), 0, 0
    while kills < KILLS:
        account += 1
        config, was_killed = config_of(tmp_path / str(account)), True
        while was_killed:
            was_killed = forked(lambda c=config: take_steps(c, steps_left(c)), chance.uniform(0.0, seconds / 2))
            kills += was_killed
        assert_same_end(config, wanted)


STRATEGY = """
import backtrader as bt

class Mine(bt.Strategy):
    ended = 0

    def notify_order(self, order):
        self.ended += not order.alive()

    def next(self):
        for number, data in enumerate(self.datas):
            wanted = 0.05 * ((len(self) + self.ended + number) % 3)
            self.order_target_percent(data, target=wanted, price=data.decision_price[0])
"""


@pytest.mark.slow
def test_killed_with_a_strategy_of_ones_own(tmp_path):
    """It is asked anew over what is written: what it saw is written with what it decided, or neither is."""
    (tmp_path / "s.py").write_text(STRATEGY, encoding="utf-8")
    whole = load_spec("sample", SETTINGS).to_toml().replace("[run]\n", '[run]\nstrategy = "s.py:Mine"\n')
    (tmp_path / "own.toml").write_text(whole, encoding="utf-8")

    def config_of(folder):
        return PaperConfig(market="sample", spec=str(tmp_path / "own.toml"), state={"path": folder})

    take_steps(config_of(tmp_path / "undisturbed"))
    wanted = end_state(config_of(tmp_path / "undisturbed"))
    assert len(wanted[0]) > 30
    begin = time.perf_counter()
    assert not forked(lambda: take_steps(config_of(tmp_path / "timed")))
    seconds = time.perf_counter() - begin
    chance, kills = random.Random(20261127), 0
    for account in range(3):
        config, was_killed = config_of(tmp_path / str(account)), True
        while was_killed:
            was_killed = forked(lambda c=config: take_steps(c, steps_left(c)), chance.uniform(0.0, seconds))
            kills += was_killed
        assert_same_end(config, wanted)
    assert kills > 0


LATE = [
    Action("dividend", 1.0, date(2024, 11, 8), date(2024, 11, 8)),
    Action("split", 2.0, date(2024, 11, 11), date(2024, 11, 14)),
    Action("dividend", 2.0, date(2024, 11, 12), date(2024, 11, 15)),
]


@pytest.mark.slow
def test_killed_while_it_books_what_was_told_late(tmp_path):
    """From day to day: dividends, a split that halts until it is told, corrections, and what a person resumed."""

    def world_in(name):
        return LateWorld(tmp_path / name, LATE, date(2024, 11, 6), date(2024, 11, 18))

    calm = world_in("calm")
    begin = time.perf_counter()
    calm.run()
    seconds = (time.perf_counter() - begin) / (len(calm.sessions) + 1)
    wanted = all_rows(calm.config.state_folder)
    assert {row["kind"] for row in wanted["entries"]} >= {"dividend", "split"}
    assert [row for row in wanted["entries"] if row["reason"]]
    chance, kills, killed, days = (
        random.Random(20261128),
        0,
        world_in("killed"),
        [*calm.sessions, calm._after(calm.last)],
    )
    for session in days:
        for _ in range(-(-KILLS // 4 // len(days))):
            kills += forked(lambda session=session: killed.step(session), chance.uniform(0.0, seconds))
        killed.step(session)
    assert kills >= KILLS // 8
    found = all_rows(killed.config.state_folder)
    for table in set(wanted) - {"events"}:
        assert found[table] == wanted[table], table
    # A person resumes by the real clock; a step that had ended before it was killed halts again on the same day.
    said = [list(dict.fromkeys(row["text"] for row in rows["events"])) for rows in (found, wanted)]
    assert said[0] == said[1]


@pytest.mark.slow
def test_killed_before_and_after_every_write(config_of, undisturbed, tmp_path, monkeypatch):
    """To ledger and broker, in steps that buy and sell."""
    whole = config_of(tmp_path / "undisturbed")
    take_steps(whole, DAYS[:3])
    wanted = end_state(whole)
    moments = 0
    writing = Database.writing

    @contextmanager
    def counted(self):
        nonlocal moments
        moments += 1
        with writing(self):
            yield

    with monkeypatch.context() as patch:
        patch.setattr(Database, "writing", counted)
        take_steps(config_of(tmp_path / "counted"), DAYS[:3])
    assert moments > 24
    for moment in range(1, moments + 1):
        config = config_of(tmp_path / f"{moment}")
        for after in (False, True):
            forked(lambda config=config, moment=moment, after=after: dies(config, moment, after))
        take_steps(config, steps_left(config, DAYS[:3]))
        assert_same_end(config, wanted)


def dies(config, moment, after):
    """Take steps, and die before, or after, the `moment`-th write."""
    writing, left = Database.writing, [moment]

    @contextmanager
    def killing(self):
        left[0] -= 1
        if left[0] == 0 and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        with writing(self):
            yield
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    Database.writing = killing
    take_steps(config, steps_left(config, DAYS[:3]))


def test_killed_between_sending_and_writing_down_that_it_was_sent(config_of, undisturbed, tmp_path):
    config = config_of(tmp_path)

    def dies_after_sending():
        taking = SimulatedBroker.send

        def sending(self, intents):
            taking(self, intents)
            os.kill(os.getpid(), signal.SIGKILL)

        SimulatedBroker.send = sending
        take_steps(config, DAYS[:1])

    assert forked(dies_after_sending)
    with LedgerReader(tmp_path / LEDGER_FILE) as ledger:
        assert ledger.unsent_intents()
    take_steps(config)
    assert_same_end(config, undisturbed[0])


def test_two_steps_at_once(config_of, tmp_path):
    config = config_of(tmp_path)
    child = os.fork()
    if child == 0:
        signal.alarm(120)  # a child that hangs fails the test, not the suite
        run_step(config, DAYS[0], report=lambda _stage: time.sleep(60))
        os._exit(0)
    lock = tmp_path / f"{LOCK_FILE}.holder"
    while not (lock.exists() and lock.read_text()):
        time.sleep(0.005)
    with pytest.raises(BusyError, match=rf"^a step of the account paper is under way already, by process {child}"):
        run_step(config, DAYS[0])
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    # The lock has ended with its process.
    take_steps(config, DAYS[:1])
