"""SQL past the ledger's own classes: what somebody with an editor could do to the file."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from paper.ledger import chain
from paper.ledger.chain import KEYS
from paper.ledger.reader import LedgerReader


def by_hand(path: Path, *statements: str) -> list[tuple[Any, ...]]:
    """Run statements on a database, each for itself, and return the rows of the last."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        rows: list[tuple[Any, ...]] = []
        for statement in statements:
            rows = connection.execute(statement).fetchall()
        return rows


def without_triggers(path: Path, more: Iterable[str] = ()) -> None:
    """Take the triggers away, which keep rows from being changed, and whatever else stands in the way.

    Args:
        path: of the database.
        more: indexes to take away too.
    """
    names = [name for (name,) in by_hand(path, "SELECT name FROM sqlite_master WHERE type = 'trigger'")]
    by_hand(path, *(f"DROP TRIGGER {name}" for name in names), *(f"DROP INDEX {name}" for name in more))


@contextmanager
def edited(ledger: LedgerReader, *statements: str, values: Iterable[Any] = (), keep: bool = False) -> Iterator[bool]:
    """Edit a ledger past its triggers, which stand again when it is looked at, and take it back afterwards.

    Args:
        ledger: looked at by the same connection meanwhile.
        statements: that edit it.
        values: of the first of them.
        keep: whether the edit stays in the file.

    Yields:
        Whether the tables have taken it.
    """
    connection = ledger._database._connection
    triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for pragma in ("ignore_check_constraints = ON", "foreign_keys = OFF"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    is_taken, left = True, tuple(values)
    try:
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        try:
            for each in statements:
                connection.execute(each, left)
                left = ()
        except sqlite3.IntegrityError:
            is_taken = False
        for _, sql in triggers:
            connection.execute(sql)
        if keep:
            connection.execute("COMMIT")
        yield is_taken
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def relinked(ledger: LedgerReader) -> None:
    """Write the chain of a ledger anew, within `edited`, as somebody could who knows how it is made."""
    file = ledger._database
    triggers = file.rows("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'chain'")
    links = file.rows("SELECT of_table FROM chain ORDER BY link_id")
    for trigger in triggers:
        file.change(f"DROP TRIGGER {trigger['name']}")
    file.change("DELETE FROM chain")
    before, left = "", {table: file.rows(f"SELECT * FROM {table} ORDER BY rowid") for table in KEYS}
    for link in links:
        if left[link["of_table"]]:
            before = chain._link(file, link["of_table"], left[link["of_table"]].pop(0), before)
    for trigger in triggers:
        file.change(trigger["sql"])
