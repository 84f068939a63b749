"""Tables of text for terminals, pipes and files: numbers, dates and ids never break, and nothing blank ends a line."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

GAP = "  "
# Prose is not wrapped to less than this; columns are dropped first.
NARROWEST_PROSE = 20
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


def ranked(names: Sequence[str], ranks: Sequence[int], prose: Sequence[int] = ()) -> list[Column]:
    """Columns of some names, with the rank of each; those at the places of `prose` hold sentences."""
    return [Column(name, rank, place in prose) for place, (name, rank) in enumerate(zip(names, ranks, strict=True))]


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
    wide = [_Widths.of(column, [row[place] for row in rows]) for place, column in enumerate(columns)]
    shown = list(range(len(columns)))
    while True:
        here = [columns[each] for each in shown]
        widths = _fitted(here, [wide[each] for each in shown], width)
        droppable = [each for each in shown if columns[each].rank > 0 and len(shown) > 1]
        if width is None or _total(widths) <= width or not droppable:
            break
        shown.remove(max(droppable, key=lambda each: (columns[each].rank, each)))
    if width is not None:
        widths = _squeezed(here, widths, width)
    kept = [columns[each] for each in shown]
    lines = [*_block([column.name for column in kept], kept, widths, is_head=True), rule * _total(widths)]
    for row in rows:
        lines += _block([row[each] for each in shown], kept, widths)
    left_out = tuple(column.name for each, column in enumerate(columns) if each not in shown)
    return Laid(tuple(lines), left_out)


@dataclass(frozen=True)
class _Widths:
    """Of a column: the widest cell, the head, the longest word of the cells and that of the head."""

    cells: int
    head: int
    word: int
    head_word: int

    @classmethod
    def of(cls, column: Column, cells: Sequence[str]) -> "_Widths":
        return cls(
            max(map(text_width, cells), default=0),
            text_width(column.name),
            max(map(_longest_word, cells), default=0) if column.prose else 0,
            _longest_word(column.name),
        )

    @property
    def natural(self) -> int:
        return max(self.cells, self.head)


def _fitted(columns: Sequence[Column], wide: Sequence[_Widths], width: int | None) -> list[int]:
    """Widths that fit, as far as wrapping sentences and heads between words brings them, and no further."""
    widths = [each.natural for each in wide]
    for number, (column, each) in enumerate(zip(columns, wide, strict=True)):
        over = _total(widths) - (width or 0)
        if width is not None and over > 0 and column.prose:
            least = max(min(NARROWEST_PROSE, each.natural), each.word, each.head_word)
            widths[number] = max(least, each.natural - over)
    for number, (column, each) in enumerate(zip(columns, wide, strict=True)):
        over = _total(widths) - (width or 0)
        if width is not None and over > 0 and not column.prose and each.head > each.cells:
            widths[number] = max(each.cells, each.head_word, each.natural - over)
    return widths


def _squeezed(columns: Sequence[Column], widths: Sequence[int], width: int) -> list[int]:
    """Where nothing more can be left out: words of sentences are broken, then the name of the row is shortened."""
    squeezed = list(widths)
    for number, column in enumerate(columns):
        if column.prose and (over := _total(squeezed) - width) > 0:
            squeezed[number] = max(min(NARROWEST_PROSE, squeezed[number]), squeezed[number] - over)
    if (over := _total(squeezed) - width) > 0:
        squeezed[0] = max(min(SHORTEST_NAME, squeezed[0]), squeezed[0] - over)
    return squeezed


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _block(cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int], is_head: bool = False) -> list[str]:
    """One row, in as many lines as its longest cell takes."""
    pieces = [
        wrapped(cell, width, breaks_words=True) if is_head or column.prose else [_shortened(cell, width)]
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


def wrapped(text: str, width: int, breaks_words: bool = False) -> list[str]:
    """Lines of a text of at most so many places, each as far in as the first; a line ends with a word.

    Args:
        text: to be wrapped.
        width: places that a line may take.
        breaks_words: whether a word that is wider is broken; else it stands in a line that is too long.
    """
    if text_width(text) <= width:
        return [text]
    inset = " " * _inset(text)
    lines, line = [], inset
    for word in text.split():
        if line.strip() and text_width(line) + 1 + text_width(word) > width:
            lines.append(line)
            line = inset
        line += f" {word}" if line.strip() else word
        while breaks_words and text_width(line) > max(width, len(inset) + 2):
            fits = _fitting(line, width)
            lines.append(line[:fits])
            line = inset + line[fits:]
    return [*lines, line]


def _fitting(text: str, width: int) -> int:
    """How many letters of a text that has no room take so many places, inset and one letter at least."""
    least = _inset(text) + 1
    return next((count for count in range(len(text), least, -1) if text_width(text[:count]) <= width), least)


def _longest_word(text: str) -> int:
    """The longest word of a text and how far in it stands: it cannot be wrapped to less."""
    return _inset(text) + max(map(text_width, text.split()), default=0)


def _inset(text: str) -> int:
    return min(len(text) - len(text.lstrip()), SHORTEST_NAME)


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
