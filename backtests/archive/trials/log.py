"""The log of trials: lines that are only ever added, each with the hash of the one before.

``log.jsonl`` has a row a line. ``head.json`` beside it marks where it ends, so that rows taken from its end are missed
too. ``returns`` has the series of the rows. No secret holds it together: whoever makes all of it anew makes another log
that is whole in itself. It is kept for those who want to know.
"""

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np

from backtests.archive.trials.lines import (
    LOG,
    RETURNS,
    Head,
    line_hash,
    line_of,
    read_head,
    read_line,
    read_log,
    write_head,
)
from backtests.archive.trials.series import is_same, keep_series
from data.files.locks import only_one

# Seconds to wait for another process, which adds its row in far less.
PATIENCE = 10.0


@dataclass(frozen=True)
class Added:
    """A row of the log, and whether it is new: where the same trial was there before, it is that one."""

    row: Mapping[str, Any]
    is_new: bool


def add_trial(folder: Path, values: Mapping[str, Any], columns: Mapping[str, np.ndarray]) -> Added:
    """Add a trial at the end of the log; one that is there already adds nothing.

    Args:
        folder: of the log; it is made.
        values: of the row, ``project``, ``simulated``, ``key`` and ``trials`` among them. What has the same key and the
            same series is the same trial.
        columns: daily returns by name, all of the same sessions.

    Raises:
        OSError: it cannot be written; the log is then as it was.
        InputError: the folder cannot be used.
        BusyError: another process holds it for too long.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with only_one(folder / ".lock", "adding to the log of trials", PATIENCE):
        log = read_log(folder)
        head, found = _end_of(folder, log)
        for row in _rows_with(log, line_of({"key": values["key"]})[1:-1]):
            if is_same(folder / RETURNS, row, columns):
                return Added(row, is_new=False)
        before = _so_far(log, values)
        so_far = {"rows": before["rows"] + 1, "trials": before["trials"] + values["trials"]}
        kept = keep_series(folder / RETURNS, columns)
        row = {"row": head.rows + 1, "previous": head.last, **values, "so_far": so_far, "returns": kept, **found}
        _append(folder, head, line_of(row))
    return Added(row, is_new=True)


def mark_of(values: Mapping[str, Any]) -> bytes:
    """What stands in every row of the same project and kind of market, and in no other."""
    return line_of({"project": values["project"], "simulated": values["simulated"]})[1:-1]


def _so_far(log: bytes, values: Mapping[str, Any]) -> Mapping[str, int]:
    """How much the project has tried before, as its last row says."""
    for row in _rows_with(log, mark_of(values), newest_first=True):
        so_far = row.get("so_far")
        if isinstance(so_far, dict) and all(type(so_far.get(name)) is int for name in ("rows", "trials")):
            return so_far
    return {"rows": 0, "trials": 0}


def _rows_with(log: bytes, mark: bytes, newest_first: bool = False) -> Iterator[dict[str, Any]]:
    """Rows in which a mark stands."""
    at = len(log) if newest_first else 0
    while (found := log.rfind(mark, 0, at) if newest_first else log.find(mark, at)) >= 0:
        begin, end = log.rfind(b"\n", 0, found) + 1, log.find(b"\n", found)
        end = len(log) if end < 0 else end
        if (row := read_line(log[begin:end])) is not None:
            yield row
        at = begin if newest_first else end


def _end_of(folder: Path, log: bytes) -> tuple[Head, dict[str, Any]]:
    """Where the log ends, and what the next row has to tell of how it was found.

    A process that was killed leaves rows after the mark: whole ones count, of a torn one nobody was told.
    """
    head = read_head(folder)
    if head is None:
        return _end_without_mark(log, str(folder.resolve().parent))
    whole = log.rfind(b"\n") + 1
    if whole < len(log) and whole >= head.size:
        return _gone_on(replace(head, size=whole), log[head.size : whole]), {}
    return _gone_on(replace(head, size=len(log)), log[head.size :]), {}


def _gone_on(head: Head, after: bytes) -> Head:
    """The mark moved over the rows that follow it."""
    for line in after.splitlines():
        row = read_line(line)
        if row is not None and row["row"] == head.rows + 1 and row["previous"] == head.last:
            head = replace(head, rows=head.rows + 1, last=line_hash(line))
    return head


def _end_without_mark(log: bytes, home: str) -> tuple[Head, dict[str, Any]]:
    """The end of a log that has no mark; of none, the beginning of a new one."""
    rows = [(row, line) for line in log.splitlines() if (row := read_line(line)) is not None]
    if not log:
        begun = secrets.token_hex(32)
        return Head(begun, 0, 0, begun, home), {}
    last, line = max(rows, key=lambda each: int(each[0]["row"]), default=({"row": 0}, log))
    begun = next((row["previous"] for row, _ in rows if row["row"] == 1), "")
    return Head(begun, last["row"], len(log), line_hash(line), home), {"found": "the mark of the end was missing"}


def _append(folder: Path, head: Head, line: bytes) -> None:
    """Write a line and move the mark; where that fails the log is as it was."""
    path = folder / LOG
    # Without a buffer, which would try again after the end was put back.
    with path.open("r+b" if path.exists() else "w+b", buffering=0) as file:
        file.truncate(head.size)
        try:
            _write_line(file, head.size, line)
            size = file.tell()
            write_head(folder, replace(head, rows=head.rows + 1, size=size, last=line_hash(line)))
        except BaseException:
            with suppress(OSError):
                file.truncate(head.size)
            raise


def _write_line(file: FileIO, size: int, line: bytes) -> None:
    """Write a line at the end of a file, to the disk."""
    file.seek(max(size - 1, 0))
    ends_well = size == 0 or file.read(1) == b"\n"
    left = memoryview((b"" if ends_well else b"\n") + line + b"\n")
    while left:
        left = left[file.write(left) :]
    os.fsync(file.fileno())
