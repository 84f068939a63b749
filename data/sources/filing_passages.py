"""The sentences and rows of a filing in which capex, cash flow, guidance or the size of an offering stand.

They are shown as they are, each with the line that tells the unit and those that name the columns: what a figure
means is for a person to say.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from data.sources.filing_text import Block, Document, blocks_of

What = Literal["capex", "cash flow", "guidance", "offering"]

LONGEST = 500
"""Letters of a passage that are shown."""

_CAPEX = re.compile(
    r"purchases? of (?:property|premises)|(?:additions?|payments?) (?:to|for) (?:acquire )?property"
    r"|capital expenditure|\bcapex\b|acquisitions? of property|capital spending",
    re.I,
)
_CASH_FLOW = re.compile(
    r"net cash\b.{0,40}\boperat|operating cash flow|cash (?:flows? )?(?:provided by|from) operat", re.I
)
_AHEAD = re.compile(
    r"\b(?:expect|anticipat|outlook|guidance|forecast|project(?:ed|ion|s)|plan to|intend|believe|estimate"
    r"|in the range of|will (?:be|spend|invest|increase|grow))",
    re.I,
)
_SIZE = re.compile(
    r"principal amount|net proceeds|offering (?:price|size|amount)|issue (?:size|amount|price)|trade date|pricing date"
    r"|settlement date|notes due|debentures due|liquidation preference|depositary shares|[$€£¥]\s?\d[\d,]{6,}",
    re.I,
)
_FIGURE = re.compile(r"\d")
_UNIT = re.compile(r"\bin (?:millions|thousands|billions)\b", re.I)
_COLUMNS = re.compile(r"\b(?:ended|months|quarter|year|20\d\d)\b", re.I)
_PRELIMINARY = re.compile(r"preliminary prospectus supplement is not complete|subject to completion", re.I)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z“\"(])")

_ABOVE = 6
_HEADS = 3
_NO_UNIT = "no line above it tells the unit"


@dataclass(frozen=True)
class Passage:
    """One passage of a filing.

    Attributes:
        what: it may tell.
        text: as it was filed, cut after `LONGEST` letters with a mark.
        unit: of a row of a table, the line that tells in what its figures are, as it was filed; "" of a sentence.
        columns: of a row, the lines that name its columns, as they were filed.
    """

    what: What
    text: str
    unit: str = ""
    columns: str = ""


def passages_of(document: Document, offering: bool) -> list[Passage]:
    """Find the passages of one document, in its order; of those that read alike the first.

    Args:
        document: of a filing.
        offering: whether it is a prospectus or term sheet, else a release of results.
    """
    blocks = blocks_of(document)
    found = (_of_offering if offering else _of_release)(blocks)
    return list({(passage.what, passage.text): passage for passage in reversed(list(found))}.values())[::-1]


def is_preliminary(document: Document) -> bool:
    """Whether a prospectus says that it is not complete yet: its amounts are blank."""
    return any(_PRELIMINARY.search(block.text) for block in blocks_of(document)[:60])


def _of_release(blocks: Sequence[Block]) -> Iterator[Passage]:
    for place, block in enumerate(blocks):
        if block.table:
            what: What | None = "capex" if _CAPEX.search(block.text) else None
            what = "cash flow" if what is None and _CASH_FLOW.search(block.text) else what
            if what is not None and _FIGURE.search(block.text):
                yield _row(blocks, place, what)
            continue
        for sentence in _SENTENCE.split(block.text):
            if _FIGURE.search(sentence) and (_CAPEX.search(sentence) or _CASH_FLOW.search(sentence)):
                kind: What = "capex" if _CAPEX.search(sentence) else "cash flow"
                yield Passage("guidance" if _AHEAD.search(sentence) else kind, _cut(sentence))


def _of_offering(blocks: Sequence[Block]) -> Iterator[Passage]:
    for block in blocks:
        parts = [block.text] if block.table else _SENTENCE.split(block.text)
        for part in parts:
            if _SIZE.search(part) and _FIGURE.search(part):
                yield Passage("offering", _cut(part))


def _row(blocks: Sequence[Block], place: int, what: What) -> Passage:
    """A row with what stands over it: the unit in its table or just above, and the first lines that name columns."""
    table = blocks[place].table
    first = place
    while first and blocks[first - 1].table == table:
        first -= 1
    above = [*blocks[max(first - _ABOVE, 0) : first], *blocks[first:place]]
    unit = next((block.text for block in reversed(above) if _UNIT.search(block.text)), _NO_UNIT)
    heads = [block.text for block in blocks[first:place] if _COLUMNS.search(block.text) and block.text != unit]
    return Passage(what, _cut(blocks[place].text), _cut(unit), _cut(" / ".join(heads[:_HEADS])))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} [...]"
