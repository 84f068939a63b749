"""The text of a filing of the SEC, taken apart: its documents, and of a page its paragraphs and the rows of its tables.

Text is only taken apart, never changed: no figure is scaled, and none is read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

_ACCEPTED = re.compile(r"<ACCEPTANCE-DATETIME>\s*(\d{14})")
_DOCUMENT = re.compile(r"<DOCUMENT>(.*?)</DOCUMENT>", re.S | re.I)
_FIELD = {name: re.compile(rf"<{name}>[ \t]*([^\r\n<]*)", re.I) for name in ("TYPE", "FILENAME")}
_TEXT = re.compile(r"<TEXT>(.*)</TEXT>", re.S | re.I)
_MARKED_UP = re.compile(r"<(?:html|body|div|p|table|tr)\b", re.I)
_SPACE_INSIDE = re.compile(r"(?<=[($])\s+|\s+(?=[)%,])")

_UNSEEN = frozenset({"script", "style", "title", "ix:header", "noscript"})
_PARTING = frozenset({"p", "div", "br", "li", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "ul", "ol", "table", "pre"})


@dataclass(frozen=True)
class Document:
    """One document of a filing.

    Attributes:
        type: as the filer has it, such as ``8-K`` or ``EX-99.1``.
        file: its name in the archive; "" where it has none of plain letters.
        text: of the document, as it was filed.
    """

    type: str
    file: str
    text: str


@dataclass(frozen=True)
class Submission:
    """A filing.

    Attributes:
        accepted: when EDGAR took it, on New York's clock, as in ``20250430163230``; "" where it does not say.
        documents: in the order of the filing.
    """

    accepted: str
    documents: tuple[Document, ...]


@dataclass(frozen=True)
class Block:
    """A paragraph, or one row of a table with its cells parted by spaces.

    Attributes:
        text: in one line.
        table: number of the table that it is a row of; 0 of a paragraph.
    """

    text: str
    table: int = 0


def read_submission(text: str) -> Submission:
    """Take a whole filing apart.

    Args:
        text: as the archive has it; EDGAR writes the moment of acceptance into its head.
    """
    head = text.split("<DOCUMENT>", 1)[0]
    accepted = _ACCEPTED.search(head)
    return Submission(accepted[1] if accepted else "", tuple(_documents(text)))


def blocks_of(document: Document) -> list[Block]:
    """Paragraphs and rows of a document in order; of plain text each line."""
    if not _MARKED_UP.search(document.text[:20_000]):
        return [Block(" ".join(line.split())) for line in document.text.splitlines() if line.strip()]
    parser = _Blocks()
    parser.feed(document.text)
    parser.close()
    parser.part()
    return parser.blocks


def _documents(text: str) -> Iterator[Document]:
    for match in _DOCUMENT.finditer(text):
        part = match[1]
        body = _TEXT.search(part)
        head = part[: body.start()] if body else part
        kind, file = (_field(head, name) for name in ("TYPE", "FILENAME"))
        plain = re.fullmatch(r"\w[\w.-]*", file, re.ASCII)
        yield Document(kind, file if plain else "", body[1] if body else "")


def _field(head: str, name: str) -> str:
    found = _FIELD[name].search(head)
    return found[1].strip() if found else ""


class _Blocks(HTMLParser):
    """Gathers what is seen: a block a paragraph, or a row of a table."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[Block] = []
        self._text: list[str] = []
        self._cells: list[str] | None = None
        self._unseen = self._depth = self._tables = 0

    def parse_html_declaration(self, i: int) -> int:
        """Pass over a declaration; one of a word processor's own, such as ``<![foo bar]>``, as a comment."""
        try:
            return super().parse_html_declaration(i)
        except AssertionError:
            return self.parse_bogus_comment(i)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a paragraph, a table, a row or a cell, or what is not seen."""
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "body":  # A title that never ended hides nothing of it.
            self._unseen = 0
        elif tag == "tr":
            self.part()
            self._cells = []
        elif tag in ("td", "th"):
            self._end_cell()
        elif tag in _PARTING:
            if self._cells is None:
                self.part()
            else:
                self._text.append(" ")
        if tag == "table":
            self._depth += 1
            self._tables += self._depth == 1

    def handle_endtag(self, tag: str) -> None:
        """End what `handle_starttag` began."""
        if tag in _UNSEEN:
            self._unseen = max(self._unseen - 1, 0)
        elif tag == "tr":
            self.part()
        elif tag in ("td", "th"):
            self._end_cell()
        elif tag in _PARTING and self._cells is None:
            self.part()
        if tag == "table":
            self.part()
            self._depth = max(self._depth - 1, 0)

    def handle_data(self, data: str) -> None:
        """Gather text that is seen."""
        if not self._unseen:
            self._text.append(data)

    def part(self) -> None:
        """End the paragraph or the row that is under way."""
        self._end_cell()
        text = "".join(self._text) if self._cells is None else " ".join(self._cells)
        line = _SPACE_INSIDE.sub("", " ".join(text.split()))
        if line:
            self.blocks.append(Block(line, self._tables if self._depth else 0))
        self._text, self._cells = [], None

    def _end_cell(self) -> None:
        if self._cells is not None:
            cell = " ".join("".join(self._text).split())
            if cell:
                self._cells.append(cell)
            self._text = []
