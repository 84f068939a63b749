"""Tables of text for terminals, pipes and files: numbers, dates and ids never break, and nothing blank ends a line."""

import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

GAP = "  "
# Prose is not wrapped to less than this; columns are dropped first.
NARROWEST_PROSE = 24
SHORTEST_NAME = 8


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: its head.
        rank: where the width does not suffice, columns are left out from the highest rank on; 0 always stays.
        prose: sentences, which are wrapped at words; everything else stays in one piece.
    """

    name: str
    rank: int = 0
    prose: bool = False


@dataclass(frozen=True)
class Laid:
    """A table in lines, and the names of the columns for which there was no room."""

    lines: tuple[str, ...]
    left_out: tuple[str, ...]


def lay_out(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None, rule: str = "─") -> Laid:
    """Lay a table out in lines.

    Args:
        columns: the first one names the row and is aligned to the left, as prose is; the others to the right.
        rows: texts, one a column.
        width: places that a line may take; None: any number.
        rule: what the line below the heads is made of.
    """
    wide = _natural_widths(columns, rows)
    shown = list(range(len(columns)))
    while True:
        widths = _fitted([columns[each] for each in shown], [wide[each] for each in shown], width)
        droppable = [each for each in shown if columns[each].rank > 0]
        if width is None or _total(widths) <= width or not droppable:
            break
        shown.remove(max(droppable, key=lambda each: (columns[each].rank, each)))
    if width is not None and _total(widths) > width:
        widths[0] = max(SHORTEST_NAME, widths[0] - (_total(widths) - width))
    kept = [columns[each] for each in shown]
    lines = [*_block([column.name for column in kept], kept, widths, wrapped=True), rule * _total(widths)]
    for row in rows:
        lines += _block([row[each] for each in shown], kept, widths)
    left_out = tuple(column.name for each, column in enumerate(columns) if each not in shown)
    return Laid(tuple(lines), left_out)


def _natural_widths(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[tuple[int, int]]:
    """Of each column, the width of its cells and that of its head."""
    return [
        (max((text_width(row[place]) for row in rows), default=0), text_width(column.name))
        for place, column in enumerate(columns)
    ]


def _fitted(columns: Sequence[Column], wide: Sequence[tuple[int, int]], width: int | None) -> list[int]:
    """Widths that fit, as far as wrapping sentences and heads brings them: what is needed, and no more."""
    widths = [max(cells, head) for cells, head in wide]
    for number, column in enumerate(columns):
        over = _total(widths) - (width or 0)
        if width is not None and over > 0 and column.prose:
            widths[number] = max(min(NARROWEST_PROSE, widths[number]), widths[number] - over)
    for number, column in enumerate(columns):
        over = _total(widths) - (width or 0)
        cells, head = wide[number]
        if width is not None and over > 0 and not column.prose and head > cells:
            longest_word = max((text_width(word) for word in column.name.split()), default=0)
            widths[number] = max(cells, longest_word, widths[number] - over)
    return widths


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _block(cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int], wrapped: bool = False) -> list[str]:
    """One row, in as many lines as its longest cell takes."""
    pieces = [
        _wrapped(cell, width) if wrapped or column.prose else [_shortened(cell, width)]
        for cell, column, width in zip(cells, columns, widths, strict=True)
    ]
    lines = []
    for number in range(max(map(len, pieces))):
        # Heads end at the rule, sentences begin beside their row.
        texts = [piece[number] if number < len(piece) else "" for piece in pieces]
        padded = [
            _padded(text, width, left=place == 0 or columns[place].prose)
            for place, (text, width) in enumerate(zip(texts, widths, strict=True))
        ]
        lines.append(GAP.join(padded).rstrip())
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    if text_width(text) <= width:
        return [text]
    return textwrap.wrap(text, max(width, 1), break_long_words=False, break_on_hyphens=False) or [""]


def _shortened(text: str, width: int) -> str:
    """A name that is too long, without its middle."""
    if text_width(text) <= width:
        return text
    head = (width - 1) // 2
    return f"{text[: width - 1 - head]}…{text[len(text) - head :]}"


def _padded(text: str, width: int, left: bool) -> str:
    blank = " " * max(width - text_width(text), 0)
    return text + blank if left else blank + text


def text_width(text: str) -> int:
    """Places that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text
    )
