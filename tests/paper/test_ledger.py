"""The ledger: append-only, intent before action, its numbered invariants, its versions, a full disk."""

import shutil
import sqlite3
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime

import pandas as pd
import pytest

from data.errors import InputError
from ledgers_by_hand import by_hand, without_triggers
from paper.broker import Account, Fill, Intent, Movement, OrderState
from paper.config import PaperConfig
from paper.ledger.invariants import broken_invariants
from paper.ledger.ledger import Ledger
from paper.ledger.reader import LEDGER_FILE, LedgerReader
from paper.ledger.records import AccountRecord, Close, DecisionRecord, Holdings
from paper.ledger.schema import MIGRATIONS
from paper.step.account import run_step
from paper.step.order_desk import differences
from paper.storage import database
from paper.storage.database import Database
from paper.storage.rows import as_row, as_text
from strategies.fills import OrderStatus

SYNCHRONOUS = database.SYNCHRONOUS
DAY = date(2024, 3, 4)
NOON = datetime(2024, 3, 4, 12, tzinfo=UTC)
BUY = Intent("a-20240304-S-buy", DAY, "S", "buy", False, None, 400.0, 1.0, 100.0, NOON)
SELL = Intent("a-20240304-C-sell", DAY, "C", "sell", True, 2.0, None, 0.0, 50.0, NOON)
FILL = Fill("f1", BUY.client_id, "S", "buy", 3.0, 101.0, 0.5, NOON)
DIVIDEND = Movement("d1", DAY, "S", "dividend", 6.0, 0.0, NOON)
DECISION = DecisionRecord(
    DAY, NOON, "made", "abc", "NEUTRAL", None, 1000.0, 1000.0, {"C": 0.0, "S": 0.4}, "rebalancing", ()
)


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr(database, "SYNCHRONOUS", "OFF")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def ledger(path):
    with Ledger(path) as ledger:
        ledger.open_account(AccountRecord("a", "simulated", DAY, "raw", "spec", NOON), 1000.0)
        ledger.write_decision(DECISION, [SELL, BUY])
        yield ledger


def test_what_is_written_is_read_again(ledger):
    assert ledger.account() == AccountRecord("a", "simulated", DAY, "raw", "spec", NOON)
    assert ledger.last_decision() == DECISION
    assert ledger.unsent_intents() == [SELL, BUY]
    ledger.write_sent([BUY], [], NOON)
    assert (ledger.unsent_intents(), ledger.sent_intents()) == ([SELL], [BUY])
    ledger.write_answers([FILL], [DIVIDEND], [OrderState(BUY.client_id, OrderStatus.REDUCED, 3.0, "cut", 4.0)], NOON)
    assert ledger.sent_intents() == []
    assert ledger.holdings() == Holdings(1000.0 - 303.0 - 0.5 + 6.0, {"S": 3.0})
    assert ledger.short_symbols() == {"S"}
    sell, buy = ledger.orders().to_dict("records")
    assert (sell["status"], sell["size"], sell["size_wanted"]) == ("not sent", 0.0, 2.0)
    assert (buy["status"], buy["reason"], buy["size"], buy["size_wanted"]) == ("reduced", "cut", 3.0, 4.0)
    assert (buy["price"], buy["commission"], buy["times_sent"]) == (101.0, 0.5, 1)
    ledger.write_closes([Close(DAY, 1005.5, 702.5, "abc", {"S": 3.0})])
    assert ledger.last_close() == DAY
    assert ledger.equity()["equity"].tolist() == [1005.5]
    assert ledger.positions()["S"].tolist() == [3.0]
    assert broken_invariants(ledger) == []


def test_what_is_told_twice_is_written_once(ledger):
    for _ in range(2):
        ledger.write_sent([BUY], [], NOON)
        ledger.write_answers([FILL, FILL], [DIVIDEND], [OrderState(BUY.client_id, OrderStatus.FILLED, 3.0)], NOON)
    assert ledger.holdings() == Holdings(702.5, {"S": 3.0})
    assert len(ledger.entries()) == 3
    assert ledger.orders()["times_sent"].tolist() == [0, 1]


def test_a_rejection_halts(ledger):
    ledger.write_sent([BUY], [OrderState(SELL.client_id, OrderStatus.REJECTED, 0.0, "no such coin")], NOON)
    assert ledger.halt().text == "the broker rejected the order a-20240304-C-sell: no such coin"
    ledger.write_event("resume", "seen", NOON)
    ledger.write_sent([], [OrderState(SELL.client_id, OrderStatus.REJECTED, 0.0, "no such coin")], NOON)
    assert ledger.halt() is None


def test_an_intent_and_a_decision_are_written_together_or_not_at_all(ledger):
    later = replace(DECISION, session=date(2024, 3, 5))
    with pytest.raises(sqlite3.IntegrityError):
        ledger.write_decision(later, [replace(SELL, client_id="other", session=later.session), BUY])
    assert ledger.last_decision() == DECISION
    assert ledger.unsent_intents() == [SELL, BUY]


TABLES = ("accounts", "events", "decisions", "intents", "order_states", "entries", "closes")


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET rowid = rowid + 1"])
def test_nothing_that_is_written_can_be_changed(ledger, path, table, change):
    ledger.write_sent([BUY], [], NOON)
    ledger.write_event("step", "done", NOON)
    ledger.write_closes([Close(DAY, 1.0, 1.0, "abc", {})])
    with pytest.raises(sqlite3.IntegrityError, match=f"{table} is append-only"):
        by_hand(path, change.format(table))


# I1 and I2 are kept by the schema itself, whatever the program does.
def test_i1_no_order_without_an_intent(ledger):
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        ledger.write_sent([replace(BUY, client_id="unknown")], [], NOON)


def test_i1_to_i7_are_worked_out_anew(ledger, path):
    """Each is broken by hand, past the triggers, and found."""
    ledger.write_sent([BUY], [], NOON)
    ledger.write_answers([FILL], [], [OrderState(BUY.client_id, OrderStatus.FILLED, 3.0)], NOON)
    assert broken_invariants(ledger) == []
    without_triggers(path, ["sent_once"])
    breaks = {
        "I2: the intent a-20240304-S-buy was sent twice": (
            "INSERT INTO order_states (client_id, at, status, units_filled, reason) "
            "SELECT client_id, at, status, units_filled, reason FROM order_states WHERE status = 'sent'"
        ),
        "I3: S: the ledger has 4.0 units": "UPDATE entries SET units_after = 4.0 WHERE symbol = 'S'",
        "I4: the ledger has 1000.0 USD": "UPDATE entries SET cash_after = 1000.0 WHERE symbol = 'S'",
        "I7: the order a-20240304-S-buy has a fill stamped before": (
            "UPDATE entries SET at = replace(at, 'T12', 'T11') WHERE symbol = 'S'"
        ),
        "I1: the order a-20240304-S-buy has fills and no intent": "DELETE FROM intents WHERE symbol = 'S'",
    }
    found = []
    for sentence, change in breaks.items():
        by_hand(path, change)
        found.append(sentence)
        told = broken_invariants(ledger)
        assert any(each.startswith(sentence) for each in told), (sentence, told)
    assert len(found) == 5


def test_i5_what_ledger_and_broker_disagree_on():
    held = Holdings(100.0, {"S": 3.0, "C": 1.0})
    assert differences(held, Account(100.0, 100.0, {"C": 1.0, "S": 3.0}, NOON)) == []
    assert differences(held, Account(100.0 + 1e-9, 0.0, {"C": 1.0 + 1e-12, "S": 3.0}, NOON)) == []
    assert differences(held, Account(99.0, 99.0, {"C": 1.0, "D": 2.0}, NOON)) == [
        "cash: the ledger has 100.0000 USD, the broker 99.0000",
        "D: the ledger has 0.0 units, the broker 2.0",
        "S: the ledger has 3.0 units, the broker 0.0",
    ]
    # A fee in units that is not posted yet makes a position smaller, never larger.
    fee = {"C": 0.0025}
    assert differences(held, Account(100.0, 100.0, {"C": 0.9975, "S": 3.0}, NOON, fee)) == []
    assert differences(held, Account(100.0, 100.0, {"C": 1.0025, "S": 3.0}, NOON, fee)) != []


def test_a_ledger_of_the_first_version_is_brought_to_the_newest(path):
    first = Database(path, MIGRATIONS[:1])
    with first.writing():
        first.insert("closes", {"session": "2024-03-04", "equity": 5.0, "cash": 5.0, "content_hash": "abc"})
    first.close()
    with Ledger(path) as ledger:
        assert ledger.equity()["equity"].tolist() == [5.0]
        ledger.write_closes([Close(date(2024, 3, 5), 6.0, 2.0, "abc", {"S": 4.0})])
        assert ledger.positions()["S"].tolist() == [0.0, 4.0]
        assert ledger.events() == []
    assert by_hand(path, "PRAGMA user_version") == [(len(MIGRATIONS),)]
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        by_hand(path, "DELETE FROM closes")


def test_orders_of_a_ledger_of_before_end_in_the_words_of_now(path):
    """Written by hand in the words of the second version: what ended partial is reduced, what ended is unfilled."""
    second = Database(path, MIGRATIONS[:2])
    with second.writing():
        second.insert("accounts", as_row(AccountRecord("a", "simulated", DAY, "raw", "spec", NOON)))
        second.insert("decisions", as_row(DECISION) | {"last_state": 0})
        for order, statuses in ((BUY, ("sent", "partial")), (SELL, ("ended",))):
            second.insert("intents", as_row(order))
            for status in statuses:
                row = {"client_id": order.client_id, "at": as_text(NOON), "status": status, "reason": "cut"}
                second.insert("order_states", row | {"units_filled": 1.0, "units_wanted": None})
    second.close()
    with Ledger(path) as ledger:
        assert set(ledger.orders()["status"]) == {"reduced", "unfilled"}
        assert ledger.short_symbols() == {"S", "C"}
        told = ledger.events()
        assert [(each.kind, each.at.tzinfo) for each in told] == [("migration", UTC)] * 2
        assert told[0].text.endswith("the 8 rows from before stand in the chain as they were found now"), told[0].text
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            ledger._database._connection.execute("UPDATE order_states SET status = 'filled'")
    Ledger(path).close()
    with Ledger(path) as again:
        assert len(again.events()) == 2


def test_a_migration_that_fails_leaves_the_version_before(path):
    Database(path, MIGRATIONS[:1]).close()
    with pytest.raises(InputError):
        Database(path, (*MIGRATIONS[:1], "CREATE TABLE more (x);\n\nCREATE TABLE closes (x);"))
    assert by_hand(path, "PRAGMA user_version") == [(1,)]
    assert by_hand(path, "SELECT count(*) FROM sqlite_master WHERE name = 'more'") == [(0,)]


def test_a_newer_version_is_refused_in_one_line(path):
    Ledger(path).close()
    by_hand(path, f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(InputError, match=r"is of version \d, this program knows .* up to \d; use the newer program$"):
        Ledger(path)


def test_what_is_no_ledger_is_refused_in_one_line(path):
    path.write_bytes(b"no database at all " * 100)
    with pytest.raises(InputError, match="is no database of paper trading"):
        Ledger(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match="cannot be read or written"):
        Ledger(path)


def test_a_full_disk_loses_nothing(ledger, path):
    ledger.write_sent([BUY], [], NOON)
    pages = ledger._database.rows("PRAGMA page_count")[0]["page_count"]
    ledger._database.rows(f"PRAGMA max_page_count = {pages}")
    fills = [replace(FILL, fill_id=f"f{number}", units=0.01) for number in range(2000)]
    with pytest.raises(InputError, match=r"database or disk is full; .* nothing written is lost$"):
        ledger.write_answers(fills, [], [], NOON)
    assert ledger.holdings() == Holdings(1000.0, {})
    assert ledger.sent_intents() == [BUY]
    ledger._database.rows("PRAGMA max_page_count = 100000")
    ledger.write_answers(fills, [], [], NOON)
    assert ledger.holdings().units["S"] == pytest.approx(20.0)
    assert broken_invariants(ledger) == []


@pytest.fixture
def small_disk(tmp_path):
    """A disk that grows when it is told to, by KiB."""
    folder = tmp_path / "small"
    folder.mkdir()

    def resize(size, first=False):
        options = f"size={size}k" if first else f"remount,size={size}k"
        device = ["-t", "tmpfs", "tmpfs"] if first else []
        return subprocess.run(["mount", "-o", options, *device, folder], capture_output=True, check=False)

    if shutil.which("mount") is None or resize(24, first=True).returncode:
        pytest.skip("no file system can be mounted here: it needs root")
    yield folder, resize
    subprocess.run(["umount", folder], check=True)


def test_steps_on_a_disk_that_is_full_time_and_again(small_disk, tmp_path):
    folder, resize = small_disk
    full, roomy = (
        PaperConfig(market="sample", spec="sample", state={"path": path}) for path in (folder / "a", tmp_path / "b")
    )
    faults = []
    for day in (4, 5, 6, 7):
        while True:
            try:
                run_step(full, date(2021, 1, day))
                break
            except InputError as error:
                faults.append(str(error))
                resize(24 + 24 * len(faults))
        run_step(roomy, date(2021, 1, day))
    assert len(faults) > 5
    assert not any("\n" in fault for fault in faults)
    with LedgerReader(folder / "a" / LEDGER_FILE) as one, LedgerReader(tmp_path / "b" / LEDGER_FILE) as other:
        pd.testing.assert_frame_equal(one.entries(), other.entries())
        pd.testing.assert_frame_equal(one.orders(), other.orders())
        pd.testing.assert_frame_equal(one.equity(), other.equity())


def test_the_file_is_as_safe_as_it_is_said_to_be(path, monkeypatch):
    monkeypatch.setattr(database, "SYNCHRONOUS", SYNCHRONOUS)
    file = Database(path, MIGRATIONS)
    for pragma, value in {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2}.items():
        assert file.rows(f"PRAGMA {pragma}") == [{pragma: value}]
    file.close()
