"""A CSV file of what was known when, as users give it: its rows by line, and moments that ascend."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from data.errors import InputError


def rows_by_line(path: Path, content: bytes) -> list[tuple[int, list[str]]]:
    """The rows of a file, the header first, each with the number of its line; cells without the blanks around them.

    Args:
        path: of the file, for messages.
        content: CSV in UTF-8, with or without a byte order mark.

    Raises:
        InputError: it is none.
    """
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True, skipinitialspace=True)
        return [(reader.line_num, [cell.strip() for cell in row]) for row in reader if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: {error}; wanted a CSV file in UTF-8") from error


def next_moment(cell: str, earlier: Sequence[datetime]) -> datetime:
    """The moment (UTC) in a cell ``known_at``, after those of the rows above.

    Raises:
        ValueError: it is none, has no offset, lies beyond the calendar, or does not ascend.
    """
    try:
        moment = datetime.fromisoformat(cell)
        known = None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # The latter at the ends of the calendar.
        known = None
    if known is None:
        raise ValueError(f"known_at {cell!r}, wanted a time with its offset, such as 2024-01-31T22:00:00+00:00")
    if earlier and known <= earlier[-1]:
        fault = "stands twice" if known == earlier[-1] else f"stands after {earlier[-1].isoformat()}"
        raise ValueError(f"known_at {cell} {fault}, wanted ascending times, each once")
    return known
