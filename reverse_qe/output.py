"""How commands speak: data to stdout, talk and progress to stderr, JSON for machines.

Text is text: no markup and no control character is read from what is printed.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from data.files.plain_text import printable

if TYPE_CHECKING:
    from rich.console import Console


def print_json(value: Mapping[str, Any]) -> None:
    """Print one JSON object; dates and paths as text."""
    click.echo(json.dumps(value, indent=2, default=str, allow_nan=False))


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table for people on stdout; the first column is left-aligned, the others right-aligned."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(Text(printable(column)), justify="left" if number == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*[Text(printable(str(cell))) for cell in row])
    console = _console()
    console.print(Text(printable(title), style="bold"))
    console.print(table)


def show(line: str) -> None:
    """Print one line of data on stdout; what would steer the terminal is written out, a line feed too."""
    click.echo(printable(line))


def say(message: str) -> None:
    """Print one line of talk on stderr, as `show` does."""
    click.echo(printable(message), err=True)


@contextmanager
def progress(message: str) -> Iterator[Callable[[str], None]]:
    """Show on stderr, where it is a terminal, that something is under way; the function yielded names the stage."""
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status(Text(printable(message))) as status:
        yield lambda stage: status.update(Text(printable(f"{message}: {stage}")))


def _console() -> "Console":
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 120, highlight=False)
