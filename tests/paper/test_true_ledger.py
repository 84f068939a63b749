"""A ledger that was edited, cut or put in another order is found, whatever was edited; no cell brings a traceback."""

import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from data.errors import ReverseQeError
from ledgers_by_hand import edited, relinked, without_triggers
from paper.broker import Fill, Intent, Movement, OrderState
from paper.config import PaperConfig
from paper.ledger.chain import KEYS, head_of
from paper.ledger.invariants import broken_invariants
from paper.ledger.ledger import Ledger
from paper.ledger.reader import LEDGER_FILE, LedgerReader
from paper.ledger.records import AccountRecord, Close, DecisionRecord, SeenBar
from paper.step.account import reconcile, run_step
from paper.storage import database
from strategies.fills import OrderStatus

DAYS = (date(2024, 3, 4), date(2024, 3, 5))
TABLES = (*KEYS, "open_intents", "chain")


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "SYNCHRONOUS", "OFF")


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sessions of an account: bought, cut, a dividend, closes, a halt; one order is open, one not sent."""
    path = tmp_path_factory.mktemp("ledger") / LEDGER_FILE
    with Ledger(path) as ledger:
        ledger.open_account(AccountRecord("a", "simulated", DAYS[0], "raw", "spec", noon(DAYS[0])), 1000.0)
        cash = 1000.0
        for number, day in enumerate(DAYS):
            at, ids = noon(day), f"a-{day:%Y%m%d}"
            buy = Intent(f"{ids}-S-buy", day, "S", "buy", False, None, 400.0, 1.0, 100.0, at)
            coin = Intent(f"{ids}-C-buy", day, "C", "buy", True, None, 100.0, 1.0, 50.0, at)
            decision = DecisionRecord(
                day, at, "made", "abc", "NEUTRAL", 0.5, 1000.0, cash, {"C": 0.1, "S": 0.4}, "rebalancing", ()
            )
            bars = [SeenBar(day - timedelta(days=1), day, 1, number, "code", {"C": [50.0], "S": [100.0]})]
            ledger.write_decision(decision, [coin, buy], bars)
            ledger.write_sent([buy] if number else [coin, buy], [], at)
            if number:
                continue
            fills = [
                Fill("f1", buy.client_id, "S", "buy", 3.0, 101.0, 0.5, at),
                Fill("f2", coin.client_id, "C", "buy", 2.0, 50.0, 0.0, at),
            ]
            dividend = Movement("d1", day, "S", "dividend", 6.0, 0.0, at + timedelta(hours=9))
            ended = [
                OrderState(buy.client_id, OrderStatus.REDUCED, 3.0, "cut to the cash present", 4.0),
                OrderState(coin.client_id, OrderStatus.FILLED, 2.0),
            ]
            ledger.write_answers(fills, [dividend], ended, at + timedelta(hours=10))
            cash = ledger.holdings().cash
            ledger.write_closes([Close(day, cash + 403.0, cash, "abc", {"C": 2.0, "S": 3.0})])
            ledger.write_event("step", "decided; 2 orders sent, 2 fills", at, day)
        ledger.write_event("halt", "by hand", noon(DAYS[1]), DAYS[1])
        ledger.write_event("resume", "seen", noon(DAYS[1]), DAYS[1])
    return path


@pytest.fixture
def path(written: Path, tmp_path: Path) -> Path:
    for file in written.parent.glob("*.sqlite*"):
        shutil.copy2(file, tmp_path)
    return tmp_path / LEDGER_FILE


@pytest.fixture
def ledger(path: Path) -> Iterator[LedgerReader]:
    with LedgerReader(path) as ledger:
        yield ledger


def cells(ledger: LedgerReader) -> list[tuple[str, int, str, Any]]:
    """Table, rowid, column and value of every cell."""
    found = []
    for table in TABLES:
        for row in ledger._database.rows(f"SELECT rowid AS its_number, * FROM {table}"):
            number = row.pop("its_number")
            found += [(table, number, name, value) for name, value in row.items()]
    return found


def other(value: Any) -> Any:
    """A value of the same kind that could stand there as well."""
    if value is None:
        return "2024-03-06"
    return f"{value}0" if isinstance(value, str) else value + 1


def test_nothing_is_found_where_nothing_was_edited(ledger: LedgerReader) -> None:
    assert broken_invariants(ledger) == []


def test_every_cell_of_every_table_edited_is_found(ledger: LedgerReader) -> None:
    found, missed = 0, []
    for table, number, column, value in cells(ledger):
        for new in (other(value), None) if value is not None else (other(value), 1.0):
            change = f"UPDATE {table} SET {column} = ? WHERE rowid = ?"
            with edited(ledger, change, values=(new, number)) as is_taken:
                told = broken_invariants(ledger) if table == "open_intents" else ledger.faults_of_file()
            found += is_taken
            missed += [(table, number, column, new)] if is_taken and not told else []
    assert missed == []
    assert found > 300
    assert broken_invariants(ledger) == []


@pytest.mark.slow
def test_every_row_taken_away_is_found(ledger: LedgerReader) -> None:
    rows = sorted({(table, number) for table, number, *_ in cells(ledger)})
    assert len(rows) > 40
    for table, number in rows:
        with edited(ledger, f"DELETE FROM {table} WHERE rowid = ?", values=(number,)):
            assert broken_invariants(ledger), (table, number)


@pytest.mark.parametrize("table", KEYS)
def test_two_rows_swapped_are_found(ledger: LedgerReader, table: str) -> None:
    numbers = sorted({number for name, number, *_ in cells(ledger) if name == table})
    columns = [column for name, number, column, _ in cells(ledger) if (name, number) == (table, 1)]
    named = ", ".join(
        columns if KEYS[table] in ("name", "session") else [each for each in columns if each != KEYS[table]]
    )
    for one, two in pairwise(numbers):
        both = f"IN ({one}, {two})"
        taken = (
            f"CREATE TEMP TABLE swapped AS SELECT rowid AS its, {named} FROM {table} WHERE rowid {both}",
            f"DELETE FROM {table} WHERE rowid {both}",
            f"INSERT INTO {table} (rowid, {named}) SELECT {one} + {two} - its, {named} FROM swapped",
        )
        with edited(ledger, *taken) as is_taken:
            assert is_taken
            # Of a table without numbers it is the day that says which comes first, wherever the rows stand.
            assert broken_invariants(ledger) or KEYS[table] in ("name", "session"), (table, one, two)
    assert broken_invariants(ledger) == []


@pytest.mark.parametrize("rows", [1, 2, 5, 20])
def test_a_tail_that_is_cut_with_its_links_is_found_by_the_head(path: Path, rows: int) -> None:
    with Ledger(path) as ledger:
        links = ledger._database.rows("SELECT * FROM chain ORDER BY link_id DESC LIMIT ?", rows)
        cuts = [
            f"DELETE FROM {each['of_table']} WHERE {KEYS[each['of_table']]} = '{each['row_key']}'" for each in links
        ]
        with edited(ledger, *cuts, f"DELETE FROM chain WHERE link_id >= {links[-1]['link_id']}", keep=True):
            assert "its newest rows were cut off" in ledger.faults_of_newest_rows()[0]
    with Ledger(path) as ledger:
        ledger.write_event("step", "whoever writes since", noon(DAYS[1]))
    with LedgerReader(path) as ledger:
        assert [each for each in broken_invariants(ledger) if "cut off" in each or "has another row" in each]


def test_a_head_that_is_gone_or_edited_is_found(ledger: LedgerReader) -> None:
    head = head_of(ledger.path)
    before = head.read_text()
    for text in ("", "{}", before.replace('"link": ', '"link": 9'), before.replace(before[-9:-5], "....")):
        head.write_text(text)
        assert broken_invariants(ledger), text
    head.write_text(before)
    assert broken_invariants(ledger) == []


def test_what_was_added_by_hand_is_found(ledger: LedgerReader) -> None:
    added = "INSERT INTO events (at, kind, text) VALUES ('2024-03-05T12:00:00.000000+00:00', 'halt', 'x')"
    for statement, fault in {
        added: "I9: the row 4 of events was written by no step",
        "CREATE TABLE mine (x)": "I9: the table mine was added",
        "DROP INDEX sent_once": "I9: the index sent_once is missing",
    }.items():
        with edited(ledger, statement):
            assert fault in broken_invariants(ledger)
    without_triggers(ledger.path)
    assert "I9: the trigger entries_no_update is missing" in broken_invariants(ledger)


# Where the chain was written anew with what was edited, what follows from the rows still says so.
REWRITTEN = {
    "entries.amount": ("UPDATE entries SET amount = amount + 1 WHERE entry_id = 2", "entry 2: "),
    "entries.units": ("UPDATE entries SET units = units + 1 WHERE entry_id = 2", "entry 2: "),
    "entries.price": ("UPDATE entries SET price = 50.0 WHERE entry_id = 2", "entry 2: "),
    "entries.fees": ("UPDATE entries SET fees = 9.0 WHERE entry_id = 2", "entry 2: "),
    "entries.cash_after": ("UPDATE entries SET cash_after = cash_after + 1 WHERE entry_id = 3", "entry 3: cash after"),
    "entries.units_after": ("UPDATE entries SET units_after = 1 WHERE entry_id = 3", "entry 3: 1.0 units of"),
    "entries.symbol": ("UPDATE entries SET symbol = 'C' WHERE entry_id = 2", "entry 2: it is no fill of"),
    "entries.session": ("UPDATE entries SET session = '2024-03-05' WHERE entry_id = 2", "entry 2: it is no fill of"),
    "entries.at": ("UPDATE entries SET at = '2024-03-09T00:00:00.000000+00:00' WHERE entry_id = 2", "the close of"),
    "closes.cash": ("UPDATE closes SET cash = cash + 1", "the close of 2024-03-04: cash"),
    "closes.positions": ("UPDATE closes SET positions = '{\"S\": 3.0}'", "the close of 2024-03-04: 0.0 units of C"),
    "closes.session": ("UPDATE closes SET session = '2024-03-03'", "the close of 2024-03-03 is no session"),
    "decisions.cash": ("UPDATE decisions SET cash = 1 WHERE rowid = 2", "the decision for 2024-03-05: cash 1.0"),
    "decisions.why": ("UPDATE decisions SET why = '' WHERE rowid = 2", "the decision for 2024-03-05: it has orders"),
    "decisions.session": ("UPDATE decisions SET session = '2024-03-09' WHERE rowid = 2", "the decision for 2024-03-09"),
    "decisions": ("DELETE FROM decisions WHERE session = '2024-03-04'", "the step for 2024-03-04 decided, and"),
    "intents.symbol": ("UPDATE intents SET symbol = 'X' WHERE intent_id = 4", "the decision for 2024-03-05: the order"),
    "states.units_filled": (
        "UPDATE order_states SET units_filled = 1 WHERE status = 'filled'",
        "state 4: the order a-20240304-C-buy ended with 1.0 units, its fills come to 2.0",
    ),
    "states.at": (
        "UPDATE order_states SET at = '2024-03-01T00:00:00.000000+00:00' WHERE state_id = 1",
        "state 1: the order a-20240304-C-buy is sent before its intent was written",
    ),
    "states": ("DELETE FROM order_states WHERE state_id = 4", "I8: the orders that are noted as open"),
    "open_intents": ("DELETE FROM open_intents", "I8: the orders that are noted as open are not those"),
    "deposit": ("UPDATE entries SET kind = 'transfer' WHERE entry_id = 1", "the account begins with the entries []"),
}  # fmt: skip


@pytest.mark.parametrize(("statement", "words"), REWRITTEN.values(), ids=REWRITTEN)
def test_what_was_edited_together_with_the_chain_is_found(ledger: LedgerReader, statement: str, words: str) -> None:
    with edited(ledger, statement):
        relinked(ledger)
        told = broken_invariants(ledger)
    assert any(each.startswith(words) for each in told), told
    assert not any(each.startswith("I9: the row") for each in told), told


@pytest.mark.slow
@pytest.mark.parametrize("value", ["no moment", "", "[1]", -1, 1e999])
def test_a_cell_that_cannot_be_read_is_told_in_one_line(ledger: LedgerReader, value: Any) -> None:
    for table, number, column, before in cells(ledger):
        change = f"UPDATE {table} SET {column} = ? WHERE rowid = ?"
        with edited(ledger, change, values=(value, number)) as is_taken:
            if is_taken and value != before:
                told = broken_invariants(ledger)
                assert told, (table, number, column)
                assert not any("\n" in each for each in told)


# The same on an account that steps.

CONFIG: dict[str, Any] = {"market": "sample", "spec": "sample"}
STEPS = (date(2021, 1, 4), date(2021, 1, 5))


@pytest.fixture(scope="module")
def stepped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stepped")
    for day in STEPS:
        run_step(PaperConfig(state={"path": folder}, **CONFIG), day)
    return folder


@pytest.fixture
def account(stepped: Path, tmp_path: Path) -> PaperConfig:
    shutil.copytree(stepped, tmp_path / "account")
    return PaperConfig(state={"path": tmp_path / "account"}, **CONFIG)


def by_edit(account: PaperConfig, *statements: str, values: tuple[Any, ...] = (), chained: bool = False) -> bool:
    """Edit an account's ledger for good, its chain and its head with it or not; whether the tables have taken it."""
    path = account.state_folder / LEDGER_FILE
    with LedgerReader(path) as ledger, edited(ledger, *statements, values=values, keep=True) as is_taken:
        pass
    if chained:
        with LedgerReader(path) as ledger, edited(ledger):
            relinked(ledger)
            ledger._database._connection.execute("COMMIT")
        head_of(path).unlink()
        Ledger(path).close()
    return is_taken


@contextmanager
def put_back(account: PaperConfig) -> Iterator[None]:
    """Whatever is done inside, the account's files are those of before."""
    folder = account.state_folder
    files = {file: file.read_bytes() for file in folder.iterdir()}
    yield
    for file in folder.iterdir():
        file.unlink()
    for file, content in files.items():
        file.write_bytes(content)


def test_reconcile_finds_what_was_edited_and_a_step_halts(account: PaperConfig) -> None:
    assert reconcile(account) == []
    for statement, words in {
        "UPDATE closes SET equity = equity + 1 WHERE session = '2021-01-04'": "the close of 2021-01-04: equity",
        "UPDATE intents SET decision_price = decision_price + 1 WHERE intent_id = 1": "the order paper-20210104-",
        "UPDATE decisions SET equity = equity + 1 WHERE session = '2021-01-05'": "the decision for 2021-01-05: equity",
    }.items():
        with put_back(account):
            by_edit(account, statement, chained=True)
            told = reconcile(account)
            assert [each for each in told if each.startswith(words) and "by its " in each], told
    by_edit(account, "UPDATE entries SET amount = amount + 0.01 WHERE entry_id = 2")
    for day in (6, 7):
        told = run_step(account, date(2021, 1, day))
        assert told.halt.startswith("the ledger is not as it was written: the row 2 of entries, or the one written")
        assert (told.decision, told.sent) == (None, [])
    with LedgerReader(account.state_folder / LEDGER_FILE) as ledger:
        assert len(ledger.events(("halt",))) == 1


def test_an_older_copy_of_the_ledger_halts(account: PaperConfig, tmp_path: Path) -> None:
    path = account.state_folder / LEDGER_FILE
    shutil.copy2(path, tmp_path / "older")
    assert not run_step(account, date(2021, 1, 6)).halt
    shutil.copy2(tmp_path / "older", path)
    for side in ("-wal", "-shm"):
        path.with_name(path.name + side).unlink(missing_ok=True)
    told = run_step(account, date(2021, 1, 6))
    assert "an older copy was put in its place" in told.halt
    assert "an older copy was put in its place" in run_step(account, date(2021, 1, 7)).halt


def test_a_ledger_that_is_gone_is_not_begun_anew(account: PaperConfig) -> None:
    """Nothing resets an account: without its ledger it halts, and says so as long as its folder is there."""
    (account.state_folder / LEDGER_FILE).unlink()
    for day in (6, 7):
        assert "the ledger ends before row" in run_step(account, date(2021, 1, day)).halt
    assert [each for each in reconcile(account) if each.startswith("I9: the ledger ends before row")]


@pytest.mark.slow
def test_bytes_that_were_written_over_bring_one_line(account: PaperConfig) -> None:
    """Whatever part of the file; what nothing is told of has changed no cell."""
    path, chance, told = account.state_folder / LEDGER_FILE, random.Random(20261128), 0
    with LedgerReader(path) as ledger:
        whole = {table: ledger.rows_of(table) for table in TABLES}
    for _ in range(60):
        with put_back(account):
            content = bytearray(path.read_bytes())
            at = chance.randrange(100, len(content))
            content[at : at + chance.choice([1, 8, 200])] = chance.randbytes(8)
            path.write_bytes(bytes(content))
            found = reconcile_in_one_line(account)
            told += bool(found)
            assert not any("\n" in each for each in found)
            step_in_one_line(account)
            if not found:
                with LedgerReader(path) as ledger:
                    assert {table: ledger.rows_of(table) for table in TABLES} == whole
    assert told > 20


def test_a_head_that_is_gone_is_told_by_the_step(account: PaperConfig) -> None:
    head_of(account.state_folder / LEDGER_FILE).unlink()
    assert [each for each in reconcile(account) if "is missing, so that nobody can say" in each]
    told = run_step(account, date(2021, 1, 6))
    assert [each for each in told.notes if each.startswith("the file that names the newest row")]
    assert not told.halt
    assert reconcile(account) == []


@pytest.mark.slow
@pytest.mark.parametrize("value", ["no moment", "", -1.0])
def test_no_cell_that_cannot_be_read_brings_a_traceback(account: PaperConfig, value: Any) -> None:
    """Each cell edited in turn, the chain written anew with it or not: a step halts, is refused, or goes on."""
    with LedgerReader(account.state_folder / LEDGER_FILE) as ledger:
        found = cells(ledger)
    # A row of each table is enough: the last that was written.
    last = {table: number for table, number, *_ in found}
    for table, number, column, before in found:
        if table == "chain" or number != last[table] or value == before:
            continue
        with put_back(account):
            change = f"UPDATE {table} SET {column} = ? WHERE rowid = ?"
            if not by_edit(account, change, values=(value, number)):
                continue
            assert reconcile_in_one_line(account), (table, number, column)
            by_edit(account, chained=True)
            reconcile_in_one_line(account)
            step_in_one_line(account)


def reconcile_in_one_line(account: PaperConfig) -> list[str]:
    try:
        return reconcile(account)
    except ReverseQeError as error:
        return [str(error)]


def step_in_one_line(account: PaperConfig) -> None:
    with suppress(ReverseQeError):
        assert "\n" not in run_step(account, date(2021, 1, 6), dry_run=True).halt
