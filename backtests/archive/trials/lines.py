"""The lines of the log of trials, and the mark of its end."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from data.files.atomic import write_whole
from data.files.home import home

LOG, HEAD, RETURNS = "log.jsonl", "head.json", "returns"


@dataclass(frozen=True)
class Head:
    """Where the log ends.

    Attributes:
        log: drawn when it was begun, which its first row names in the place of a row before; 64 hex digits.
        rows: that were written.
        size: of the log, bytes.
        last: hash of the last row.
        home: folder in which the log was begun.
    """

    log: str
    rows: int
    size: int
    last: str
    home: str


def log_folder() -> Path:
    """Where the log lies: below ``$REVERSE_QE_HOME``."""
    return home() / "trials"


def read_head(folder: Path) -> Head | None:
    """The mark beside the log; None where there is none that can be read."""
    try:
        head = Head(**json.loads((folder / HEAD).read_bytes()))
    except (FileNotFoundError, ValueError, TypeError, RecursionError):
        return None
    numbers, texts = (head.rows, head.size), (head.log, head.last, head.home)
    fits = all(type(each) is int and each >= 0 for each in numbers) and all(isinstance(each, str) for each in texts)
    return head if fits else None


def write_head(folder: Path, head: Head) -> None:
    """Put the mark where the log ends now."""
    write_whole(folder / HEAD, json.dumps(asdict(head)) + "\n", replace=True)


def line_of(row: Mapping[str, Any]) -> bytes:
    """A row as it stands in the log, without its end."""
    return json.dumps(row, separators=(",", ":"), allow_nan=False).encode()


def line_hash(line: bytes) -> str:
    """What the row after it names as the one before."""
    return hashlib.sha256(line).hexdigest()


def read_line(line: bytes) -> dict[str, Any] | None:
    """A row of the log; None where the line is none."""
    try:
        row = json.loads(line, parse_float=_number, parse_constant=_number)
    except (ValueError, RecursionError):
        return None
    is_row = isinstance(row, dict) and type(row.get("row")) is int and isinstance(row.get("previous"), str)
    return row if is_row else None


def _number(text: str) -> float:
    """A number as the log is written: none that is not one, and none without end."""
    if not math.isfinite(value := float(text)):
        raise ValueError(f"{text} is no number of JSON")
    return value


def read_log(folder: Path) -> bytes:
    """The whole log; nothing where there is none."""
    try:
        return (folder / LOG).read_bytes()
    except FileNotFoundError:
        return b""
