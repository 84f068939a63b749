"""SQLite files: every change a transaction, a schema with a version, faults of the disk told in one line."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from data.errors import InputError

BUSY_SECONDS = 5.0
# What is written stays when the power fails: an order is sent only after its intent is on the disk.
SYNCHRONOUS = "FULL"

Row = dict[str, Any]


class Database:
    """One SQLite file. Every method raises `InputError` where the file cannot be read or written.

    Where a change fails, nothing of it is written, and what was written before stays.
    """

    def __init__(self, path: Path, migrations: Sequence[str]) -> None:
        """Open the file, make it where there is none, bring it to the newest version of its schema.

        Args:
            path: of the file; its folder is made.
            migrations: one script a version, each from the version before; statements stand apart by an empty line.

        Raises:
            InputError: it is no such database, or of a newer version.
        """
        self.path = path
        with _told_in_one_line(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            # Transactions are begun and ended by `writing` alone.
            self._connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            with _told_in_one_line(path):
                self._connection.execute("PRAGMA foreign_keys = ON")
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
            self._migrate(migrations)
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Everything inside is written, or nothing is."""
        with _told_in_one_line(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def insert(self, table: str, row: Row, clash: str = "") -> bool:
        """Insert a row, within `writing`.

        Args:
            table: its name.
            row: values by column.
            clash: what is done where the row is there already, in SQL.

        Returns:
            Whether the row is new.
        """
        names, places = ", ".join(row), ", ".join("?" * len(row))
        return self.change(f"INSERT INTO {table} ({names}) VALUES ({places}) {clash}", *row.values()) > 0

    def change(self, statement: str, *values: Any) -> int:
        """Run a statement that changes rows, within `writing`; return how many it has changed."""
        return self._connection.execute(statement, values).rowcount

    def rows(self, query: str, *values: Any) -> list[Row]:
        """The rows that a query finds, by the names of their columns."""
        with _told_in_one_line(self.path):
            found = self._connection.execute(query, values)
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found]

    def frame(self, query: str) -> pd.DataFrame:
        """The rows that a query finds, as a table."""
        with _told_in_one_line(self.path):
            found = self._connection.execute(query)
            return pd.DataFrame(found.fetchall(), columns=[column[0] for column in found.description])

    def _migrate(self, migrations: Sequence[str]) -> None:
        if (version := self._version()) > len(migrations):
            raise InputError(
                f"{self.path} is of version {version}, this program knows versions up to {len(migrations)}; "
                "use the newer program"
            )
        if version == len(migrations):
            return
        with self.writing():
            # Another process may have been quicker.
            for script in migrations[self._version() :]:
                for statement in script.split(";\n\n"):
                    self.change(statement)
            self.change(f"PRAGMA user_version = {len(migrations)}")

    def _version(self) -> int:
        return int(self.rows("PRAGMA user_version")[0]["user_version"])


@contextmanager
def _told_in_one_line(path: Path) -> Iterator[None]:
    """Turn what SQLite and the disk raise into `InputError`."""
    try:
        yield
    except (sqlite3.OperationalError, OSError) as error:
        raise InputError(
            f"{path} cannot be read or written: {error}; see to the disk and step again: nothing written is lost"
        ) from error
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError):
            raise
        raise InputError(f"{path} is no database of paper trading: {error}; wanted one that a step made") from error
