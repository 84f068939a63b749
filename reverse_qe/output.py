"""How commands speak: data to stdout, talk and progress to stderr, JSON for machines.

Text is text: no markup and no control character is read from what is printed.
"""

import codecs
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, TextIO

import click

from data.errors import ReverseQeError
from data.files.plain_text import printable
from reverse_qe.tables import Column, Laid, lay_out, wrapped
from reverse_qe.terminal.talk import TALK

# Characters that are written at once.
PIECE = 16_000


class OutputError(ReverseQeError):
    """What was to be told could not be written."""


class NobodyReadsError(OutputError):
    """The reader of a pipe has gone, as `head` does when it has seen enough; there is nothing to complain of."""

    # As of a process that such a pipe ends.
    exit_status = 141


def print_json(value: Mapping[str, Any]) -> None:
    """Print one JSON object; days, moments (ISO 8601) and paths as text."""
    write(json.dumps(value, indent=2, default=_as_text, allow_nan=False))


def _as_text(value: object) -> str:
    if not isinstance(value, datetime):
        return str(value)
    text = value.isoformat()
    # A day that is told as its midnight, without an offset, is a day.
    return text.removesuffix("T00:00:00") if value.tzinfo is None else text.replace("+00:00", "Z")


def print_table(
    title: str, columns: Sequence[str | Column], rows: Sequence[Sequence[object]], *, apart: bool = True
) -> None:
    """Print a table on stdout: as wide as it is in a pipe, and on a terminal with the columns that have room.

    Args:
        title: above it.
        columns: of those that are named alone, the last is the first to be left out.
        rows: what `str` makes of each cell is shown.
        apart: whether a blank line stands below it.
    """
    width = terminal_width()
    heading, laid = table_lines(title, columns, rows, width)
    bold = [click.style(line, bold=True) for line in heading] if width and _takes_styles() else heading
    write("\n".join([*bold, *laid.lines, *([""] if apart else [])]))
    if laid.left_out:
        say(f"No room for {'; '.join(laid.left_out)}: a wider terminal, a pipe or --json shows them.")


def table_lines(
    title: str, columns: Sequence[str | Column], rows: Sequence[Sequence[object]], width: int | None
) -> tuple[list[str], Laid]:
    """Return the lines of a title and the table below it, as `print_table` shows them where a line has that width."""
    named = [
        column if isinstance(column, Column) else Column(printable(column), rank=place)
        for place, column in enumerate(columns)
    ]
    texts = [[printable(str(cell)) for cell in row] for row in rows]
    heading = printable(title)
    laid = lay_out(named, texts, width, "─" if _is_written("─") else "-")
    return [heading] if width is None else wrapped(heading, width), laid


def _takes_styles() -> bool:
    """Whether a terminal is to be sent anything but text; see https://no-color.org."""
    return os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")


def _is_written(letter: str) -> bool:
    """Whether the encoding of stdout knows a letter; click writes UTF-8 in the place of ASCII."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        letter.encode("utf-8" if codecs.lookup(encoding).name == "ascii" else encoding)
    except UnicodeEncodeError:
        return False
    return True


def terminal_width() -> int | None:
    """Places in a line of the terminal that stdout is; None where it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def show(line: str) -> None:
    """Print one line of data on stdout; what would steer the terminal is written out, a line feed too."""
    write(_for_people(line, sys.stdout))


def say(message: str) -> None:
    """Print one line of talk on stderr, as `show` does; where it cannot be written, nobody listens.

    With ``--quiet`` it is shown where it is a warning or an error (`reverse_qe.terminal.talk`); a log keeps it always.
    """
    TALK.keep(message)
    if not TALK.is_heard(message):
        return
    with suppress(OSError, ValueError):
        click.echo(_for_people(message, sys.stderr), err=True)


def write(text: str) -> None:
    """Print text on stdout as it is, and a line feed.

    Raises:
        NobodyReadsError: stdout is a pipe, and its reader has gone.
        OutputError: it cannot be written for another reason, such as a full disk.
    """
    try:
        # In pieces: of a long text Python, where it does not buffer, takes for written what a pipe took of it at once.
        for begin in range(0, max(len(text), 1), PIECE):
            click.echo(text[begin : begin + PIECE], nl=begin + PIECE >= len(text))
    except BrokenPipeError as error:
        raise NobodyReadsError("nobody reads what is written") from error
    except (OSError, ValueError) as error:  # ValueError: of a stream that was closed.
        reason = error.strerror if isinstance(error, OSError) else error
        raise OutputError(f"standard output cannot be written: {reason}") from error


def _for_people(line: str, stream: TextIO | None) -> str:
    """Text that steers nothing; on a terminal it is wrapped at words."""
    text = printable(line)
    if stream is None or not stream.isatty():
        return text
    return "\n".join(wrapped(text, shutil.get_terminal_size().columns))


@contextmanager
def progress(message: str) -> Iterator[Callable[[str], None]]:
    """Show on stderr, where it is a terminal, that something is under way; the function yielded names the stage.

    With ``--verbose`` each stage is a line of its own, on a terminal or not.
    """
    _tell_stage(message)
    if TALK.quiet or TALK.verbose or sys.stderr is None or not sys.stderr.isatty():
        yield lambda stage: _tell_stage(f"{message}: {stage}")
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status(Text(printable(message))) as status:

        def tell(stage: str) -> None:
            _tell_stage(f"{message}: {stage}")
            status.update(Text(printable(f"{message}: {stage}")))

        yield tell


def _tell_stage(message: str) -> None:
    line = TALK.stage(message)
    if line is not None:
        with suppress(OSError, ValueError):
            click.echo(_for_people(line, sys.stderr), err=True)
