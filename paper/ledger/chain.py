"""The chain of a ledger: every row, whatever its table, carries the hash of the one that was written before it.

A row that is changed, taken away, put in or moved breaks it. That its end was not cut off is known by the head, a file
beside the ledger that names the newest link; it is written when a writer lets go of the ledger, never ahead of it.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from data.files.atomic import write_whole
from paper.storage.database import Database, Row
from paper.storage.rows import as_text

# By table, the column that names a row.
KEYS = {
    "accounts": "name",
    "events": "event_id",
    "decisions": "session",
    "intents": "intent_id",
    "order_states": "state_id",
    "entries": "entry_id",
    "closes": "session",
    "strategy_bars": "bar_id",
}
# Copied with the ledger, whose name it begins with.
HEAD_SUFFIX = ".head"
# Of these a step sees whether they are as they were written; `reconcile` looks at all.
NEWEST = 32
# Of what does not hold, so much is told.
TOLD = 20


def link_newest(database: Database, table: str) -> str:
    """Link the row that was inserted last, within `writing`, as it stands in the file; return the hash of the link."""
    (row,) = database.rows(f"SELECT * FROM {table} WHERE rowid = last_insert_rowid()")
    return _link(database, table, row, last_hash(database))


def chain_what_is_there(database: Database) -> None:
    """Link the rows of a ledger from before there was a chain, as they stand, within `writing`; that is told."""
    last, count = "", 0
    for table in KEYS:
        for row in database.rows(f"SELECT * FROM {table} ORDER BY rowid"):
            last, count = _link(database, table, row, last), count + 1
    if database.rows("SELECT 1 FROM accounts"):
        text = (
            "the ledger is of version 7: each row carries the hash of the one before; the "
            f"{count} rows from before stand in the chain as they were found now"
        )
        at = as_text(datetime.now(UTC))
        database.insert("events", {"at": at, "kind": "migration", "session": None, "text": text})
        link_newest(database, "events")


def write_head(database: Database) -> None:
    """Name the newest link beside the ledger; a disk that does not take it leaves an older one, which is as true.

    A head that the ledger does not have stays: it is the proof that something is missing.
    """
    newest = _newest_link(database)
    if newest is not None and read_head(database.path) != newest and not any(_cut(database)):
        with suppress(OSError):
            write_whole(head_of(database.path), json.dumps(newest), replace=True)


def head_of(ledger: Path) -> Path:
    """The path of a ledger's head."""
    return ledger.with_name(ledger.name + HEAD_SUFFIX)


def read_head(ledger: Path) -> Row | None:
    """What a ledger's head names: ``link`` and ``hash``; None where there is none that can be read."""
    try:
        head = json.loads(head_of(ledger).read_text(encoding="utf-8"))
        return {"link": int(head["link"]), "hash": str(head["hash"])}
    except (OSError, ValueError, TypeError, KeyError):
        return None


def newest_faults(database: Database) -> list[str]:
    """What a step must not go on from: a tail that was cut, newest rows that are not as they were written."""
    links = database.rows("SELECT * FROM chain ORDER BY link_id DESC LIMIT ?", NEWEST + 1)[::-1]
    is_whole = len(links) <= NEWEST
    return [*_cut(database), *_changed(database, links, is_whole)]


def is_head_lost(database: Database) -> bool:
    """Whether a ledger that was let go of before has no head: that its end was cut could not be said."""
    if read_head(database.path) is not None:
        return False
    since = "SELECT coalesce(max(event_id), 0) FROM events WHERE kind = 'migration'"
    steps = f"SELECT 1 FROM events WHERE kind = 'step' AND event_id > ({since}) LIMIT 2"
    # One may have been killed before it let go.
    return len(database.rows(steps)) == 2


def all_faults(database: Database) -> list[str]:
    """What of the chain does not hold, a sentence each."""
    links = database.rows("SELECT * FROM chain ORDER BY link_id")
    faults = [*_cut(database), *_changed(database, links, True), *_unlinked(database, links)]
    if is_head_lost(database):
        faults.append(
            f"{head_of(database.path).name} is missing, so that nobody can say whether the newest rows were cut off"
        )
    more = [f"and {len(faults) - TOLD} more of the chain"] if len(faults) > TOLD else []
    return [*faults[:TOLD], *more]


def _cut(database: Database) -> Iterator[str]:
    head = read_head(database.path)
    if head is None:
        if head_of(database.path).exists():
            yield f"{head_of(database.path).name} is not what a step writes"
        return
    found = database.rows("SELECT hash FROM chain WHERE link_id = ?", head["link"])
    if not found:
        yield (
            f"the ledger ends before row {head['link']}, which it had: its newest rows were cut off, or an older copy "
            "was put in its place"
        )
    elif found[0]["hash"] != head["hash"]:
        yield f"the ledger has another row {head['link']} than it had: it is another ledger, or was written anew"


def _changed(database: Database, links: list[Row], is_whole: bool) -> Iterator[str]:
    """Links that do not follow from their row and the link before; the first of a part is not looked at."""
    before: Row = {"link_id": 0, "hash": ""}
    rows = _rows_of(database, links, is_whole)
    for one, other in pairwise([before, *links] if is_whole else links):
        table, key = other["of_table"], other["row_key"]
        row = rows.get(table, {}).get(key)
        if other["link_id"] != one["link_id"] + 1:
            yield f"between the links {one['link_id']} and {other['link_id']} of the chain some are missing"
        elif row is None:
            yield f"{table} has no row {key} any more"
        elif _hash(one["hash"], table, row, other["width"]) != other["hash"]:
            yield f"the row {key} of {table}, or the one written before it, is not as it was written"


def _unlinked(database: Database, links: list[Row]) -> Iterator[str]:
    linked = {(link["of_table"], link["row_key"]) for link in links}
    if len(linked) < len(links):
        yield "a row stands twice in the chain"
    for table, key in KEYS.items():
        for row in database.rows(f"SELECT {key} AS row_key FROM {table}"):
            if (table, str(row["row_key"])) not in linked:
                yield f"the row {row['row_key']} of {table} was written by no step"


def _rows_of(database: Database, links: list[Row], is_whole: bool) -> dict[str, dict[str, Row]]:
    """The rows of links, by table and key."""
    rows = {}
    for table, key in KEYS.items():
        keys = [link["row_key"] for link in links if link["of_table"] == table]
        if keys:
            where = "" if is_whole else f"WHERE {key} IN ({', '.join('?' * len(keys))})"
            found = database.rows(f"SELECT * FROM {table} {where}", *([] if is_whole else keys))
            rows[table] = {str(row[key]): row for row in found}
    return rows


def _newest_link(database: Database) -> Row | None:
    rows = database.rows("SELECT link_id AS link, hash FROM chain ORDER BY link_id DESC LIMIT 1")
    return rows[0] if rows else None


def last_hash(database: Database) -> str:
    """The hash of the newest link; empty where there is none."""
    newest = _newest_link(database)
    return "" if newest is None else newest["hash"]


def _link(database: Database, table: str, row: Row, before: str) -> str:
    # A later version may add columns behind those of now.
    link = {"of_table": table, "row_key": str(row[KEYS[table]]), "width": len(row)}
    link["hash"] = _hash(before, table, row, len(row))
    database.insert("chain", link)
    return str(link["hash"])


def _hash(before: str, table: str, row: Row, width: int) -> str:
    text = json.dumps([before, table, width, *list(row.values())[:width]], default=repr)
    return hashlib.sha256(text.encode()).hexdigest()
