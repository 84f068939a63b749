"""Tables as commands print them, kept to be laid out again at any width: what the golden files hold."""

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

from backtests.identity import ROOT
from reverse_qe import output
from reverse_qe.tables import Column, text_width

WIDTHS = (80, 120, 200, None)
# Rows beyond these are like them.
MOST_ROWS = 8
# A number, a day, a moment or an id: what must stand in one piece.
UNBROKEN = re.compile(r"[-+$]?\d[\d,.:%-]*|[0-9a-f]{12}")

# Above the list of calls at a golden file's head.
PRINTED_BY = "==== printed by: module, function, place there ===="

Site = tuple[str, int]


@dataclass(frozen=True)
class Shown:
    """A table that was printed: by which line of which module, its title, its columns and its first rows."""

    site: Site
    title: str
    columns: Sequence[str | Column]
    rows: list[list[str]]

    def lines(self, width: int | None) -> list[str]:
        """The table at a width; what has no room is told below it."""
        heading, laid = output.table_lines(self.title, self.columns, self.rows, width)
        told = [f"[no room for {'; '.join(laid.left_out)}]"] if laid.left_out else []
        return [*heading, *laid.lines, *told]

    def shown_cells(self, width: int | None) -> list[tuple[Column, list[str]]]:
        """The columns that have room, each with its cells."""
        _, laid = output.table_lines(self.title, self.columns, self.rows, width)
        named = [each if isinstance(each, Column) else Column(each) for each in self.columns]
        return [
            (column, [row[place] for row in self.rows])
            for place, column in enumerate(named)
            if column.name not in laid.left_out
        ]


@contextmanager
def tables_kept(folder: Path) -> Iterator[list[Shown]]:
    """Keep every table that is printed; what differs from run to run, such as an id or `folder`, reads the same."""
    kept: list[Shown] = []
    laid_out = output.table_lines

    def keep(title: str, columns: Sequence[Any], rows: Sequence[Sequence[object]], width: int | None) -> Any:
        texts = [[_settled(str(cell), folder) for cell in row] for row in rows[:MOST_ROWS]]
        heads = [each if isinstance(each, Column) else _settled(each, folder) for each in columns]
        kept.append(Shown(_site(), _settled(title, folder), heads, texts))
        return laid_out(title, columns, rows, width)

    with mock.patch.object(output, "table_lines", keep):
        yield kept


def _site() -> Site:
    frame = sys._getframe(1)
    while frame.f_code.co_filename in (__file__, output.__file__):
        assert frame.f_back is not None
        frame = frame.f_back
    return Path(frame.f_code.co_filename).relative_to(ROOT).as_posix(), frame.f_lineno


def _settled(text: str, folder: Path) -> str:
    """Ids, the moment at which it is, and the folder of a test, as they are in no run; ids keep their length."""
    text = text.replace(str(folder), "FOLDER")
    text = re.sub(rf"{datetime.now(UTC):%Y-%m-%d} \d\d:\d\d", "2030-01-02 03:04", text)
    text = re.sub(r"\d{8}T\d{6}Z", "20300102T030405Z", text)
    return re.sub(r"\b[0-9a-f]{12}\b", "0123456789ab", text)


def golden_text(tables: Sequence[Shown]) -> str:
    """Which calls print the tables, then every table at every width, one below the other."""
    sites = call_sites()
    printed_by = {each for shown in tables for each, lines in sites.items() if is_of(shown.site, lines)}
    parts = [PRINTED_BY, *sorted(printed_by), ""]
    for width in WIDTHS:
        parts.append(f"==== {'in a pipe' if width is None else f'{width} columns'} ====\n")
        parts += ["\n".join([*shown.lines(width), "", ""]) for shown in tables]
    return "\n".join(parts)


def faults(shown: Shown) -> list[str]:
    """What does not hold of a table at any width: too wide, a blank at an end, a number, a day or an id in pieces."""
    found = []
    for width in WIDTHS:
        lines = shown.lines(width)[:-1] if shown.lines(width)[-1].startswith("[no room") else shown.lines(width)
        where = f"{shown.title!r} at {width}"
        found += [f"{where}: too wide: {line}" for line in lines if width is not None and text_width(line) > width]
        found += [f"{where}: blank at its end: {line!r}" for line in lines if line != line.rstrip()]
        text = "\n".join(lines)
        for column, cells in shown.shown_cells(width):
            whole = [piece for cell in cells for piece in ([cell] if not column.prose else UNBROKEN.findall(cell))]
            is_name = shown.columns[0] in (column, column.name)
            found += [f"{where}: {piece!r} is broken" for piece in whole if piece not in text and not is_name]
    return found


def call_sites() -> dict[str, tuple[str, int, int]]:
    """Every call of `print_table` in the house, named by its module, its function and its place there: its lines."""
    sites = {}
    for path in (ROOT / "reverse_qe").rglob("*.py"):
        module = path.relative_to(ROOT).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            printing = [each for each in calls if isinstance(each.func, ast.Name) and each.func.id == "print_table"]
            for place, call in enumerate(sorted(printing, key=lambda call: call.lineno), 1):
                sites[f"{module} {function.name} {place}"] = (module, call.lineno, call.end_lineno or call.lineno)
    return sites


def is_of(site: Site, lines: tuple[str, int, int]) -> bool:
    """Whether a line is one of a call's lines."""
    module, first, last = lines
    return site[0] == module and first <= site[1] <= last


def sites_held(text: str) -> set[str]:
    """Which calls a golden file says to have printed its tables."""
    return set(text.partition(PRINTED_BY)[2].partition("\n\n")[0].split("\n")) - {""}
