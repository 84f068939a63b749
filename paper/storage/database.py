"""SQLite files: every change a transaction, a schema with a version, faults of the disk told in one line."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
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

    def __init__(self, path: Path, migrations: "Sequence[str | Callable[[Database], None]]") -> None:
        """Open the file, make it where there is none, bring it to the newest version of its schema.

        Args:
            path: of the file; its folder is made.
            migrations: one a version, each from the version before: a script, whose statements stand apart by an empty
                line, or a function of the database for what SQL cannot do.

        Raises:
            InputError: it is no such database, or of a newer version.
        """
        self.path, self._migrations = path, migrations
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

    def faults(self) -> list[str]:
        """What SQLite finds wrong with the file, and which tables, indexes and triggers are missing or were added."""
        told = [str(row["integrity_check"]) for row in self.rows("PRAGMA integrity_check(5)")]
        found = [f"{self.path.name}: {text}" for text in told if text != "ok"]
        for row in self.rows("PRAGMA foreign_key_check")[:5]:
            found.append(f"row {row['rowid']} of {row['table']} belongs to a row of {row['parent']} that is not there")
        wanted, there = _made_by(tuple(self._migrations)), self._objects()
        found += [f"the {kind} {name} is missing" for kind, name in sorted(set(wanted) - set(there))]
        found += [f"the {kind} {name} was added" for kind, name in sorted(set(there) - set(wanted))]
        both = set(wanted) & set(there)
        found += [
            f"the {kind} {name} was changed" for kind, name in sorted(both) if wanted[kind, name] != there[kind, name]
        ]
        return found

    def _objects(self) -> dict[tuple[str, str], str | None]:
        """By kind and name, the statement of every index and trigger; a table's changes with the way that it came."""
        rows = self.rows("SELECT type, name, sql FROM sqlite_master")
        return {(row["type"], row["name"]): None if row["type"] == "table" else row["sql"] for row in rows}

    def _migrate(self, migrations: "Sequence[str | Callable[[Database], None]]") -> None:
        if (version := self._version()) > len(migrations):
            raise InputError(
                f"{self.path} is of version {version}, this program knows versions up to {len(migrations)}; "
                "use the newer program"
            )
        if version == len(migrations):
            return
        with self.writing():
            # Another process may have been quicker.
            for migration in migrations[self._version() :]:
                if isinstance(migration, str):
                    for statement in migration.split(";\n\n"):
                        self.change(statement)
                else:
                    migration(self)
            self.change(f"PRAGMA user_version = {len(migrations)}")

    def _version(self) -> int:
        return int(self.rows("PRAGMA user_version")[0]["user_version"])


@lru_cache(maxsize=4)
def _made_by(migrations: "tuple[str | Callable[[Database], None], ...]") -> dict[tuple[str, str], str | None]:
    """What `Database._objects` says of the tables, indexes and triggers that migrations make."""
    made = Database(Path(":memory:"), migrations)
    objects = made._objects()
    made.close()
    return objects


@contextmanager
def _told_in_one_line(path: Path) -> Iterator[None]:
    """Turn what SQLite and the disk raise into `InputError`."""
    try:
        yield
    except (sqlite3.OperationalError, OSError) as error:
        raise InputError(
            f"{path} cannot be read or written: {error}; see to the disk and step again: nothing written is lost"
        ) from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        if isinstance(error, sqlite3.IntegrityError):
            raise
        raise InputError(f"{path} is no database of paper trading: {error}; wanted one that a step made") from error
