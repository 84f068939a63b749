"""Whether the log of trials is as it was written: every row, in its order, up to the mark of its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backtests.archive.trials.lines import HEAD, LOG, RETURNS, Head, line_hash, read_head, read_line, read_log
from backtests.archive.trials.series import is_whole


@dataclass(frozen=True)
class Verified:
    """A log that was read.

    Attributes:
        rows: that can be read, in the order of the log.
        faults: sentences on what is missing or was changed; none: it is as it was written.
        notes: sentences on what is odd and no fault.
    """

    rows: tuple[Mapping[str, Any], ...]
    faults: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Line:
    """A row, where it stands and its hash."""

    row: Mapping[str, Any]
    hash: str
    place: int

    @property
    def number(self) -> int:
        """Of the row, as it says."""
        return int(self.row["row"])


def verify_log(folder: Path) -> Verified:
    """Read a log and check it.

    Args:
        folder: of the log; where there is none, nothing was tried.

    Raises:
        OSError: it cannot be read.
    """
    # The mark first: what another process adds meanwhile only comes after it.
    head, log = read_head(folder), read_log(folder)
    whole = log.rfind(b"\n") + 1
    lines, faults = [], []
    for place, line in enumerate(log[:whole].split(b"\n")[:-1], start=1):
        if (row := read_line(line)) is None:
            faults.append(f"line {place} of {LOG} is no row: it was changed")
        else:
            lines.append(_Line(row, line_hash(line), place))
    faults += _order_faults(lines) + _chain_faults(lines, head) + _end_faults(folder, lines, head, bool(log))
    faults += [
        f"row {line.number} follows a log without its mark: rows may be missing before it"
        for line in lines
        if "found" in line.row
    ]
    faults += [
        f"the returns of row {line.number} are missing or were changed"
        for line in lines
        if not is_whole(folder / RETURNS, line.row)
    ]
    return Verified(tuple(line.row for line in lines), tuple(faults), _notes(folder, head, log[whole:]))


def _order_faults(lines: Sequence[_Line]) -> list[str]:
    faults, newest = [], 0
    for line in lines:
        if line.number <= newest:
            faults.append(f"row {line.number} stands twice or out of its order, in line {line.place}")
        newest = max(newest, line.number)
    return faults


def _chain_faults(lines: Sequence[_Line], head: Head | None) -> list[str]:
    """Rows that are not there, and rows that are not what those after them say."""
    by_number = {line.number: line for line in lines}
    last = max([*by_number, *([] if head is None else [head.rows])], default=0)
    missing = [number for number in range(1, last + 1) if number not in by_number]
    faults = [f"{_spans(missing)} missing"] if missing else []
    for number, line in sorted(by_number.items()):
        before = by_number.get(number - 1)
        begins_here = number == 1 and head is not None and line.row["previous"] != head.log
        if begins_here or (before is not None and line.row["previous"] != before.hash):
            faults.append(
                "row 1 is of another log" if begins_here else f"row {number - 1} is not what row {number} follows"
            )
    if head is not None and head.rows in by_number and by_number[head.rows].hash != head.last:
        faults.append(f"row {head.rows} is not what the mark of the end says")
    return faults


def _end_faults(folder: Path, lines: Sequence[_Line], head: Head | None, is_there: bool) -> list[str]:
    if head is None and is_there:
        return [f"{folder / HEAD}, the mark of its end, is missing or was changed: rows may be missing at the end"]
    if head is not None and not is_there and head.rows:
        return [f"{folder / LOG} is missing"]
    return []


def _spans(numbers: Sequence[int]) -> str:
    """Row numbers in words, runs of them as spans."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][-1] + 1:
            spans[-1][1:] = [number]
        else:
            spans.append([number])
    told = ", ".join(str(span[0]) if len(span) == 1 else f"{span[0]} to {span[1]}" for span in spans)
    return f"row {told} is" if len(numbers) == 1 else f"rows {told} are"


def _notes(folder: Path, head: Head | None, torn: bytes) -> tuple[str, ...]:
    notes = []
    if torn:
        notes.append("the last line is torn: its process was killed while it wrote, and told nobody of the trial")
    if head is not None and head.home != str(folder.resolve().parent):
        notes.append(f"the log was begun in {head.home}: it was moved or copied")
    return tuple(notes)
