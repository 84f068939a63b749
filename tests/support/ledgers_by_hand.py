"""SQL past the ledger's own classes: what somebody with an editor could do to the file."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any


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
