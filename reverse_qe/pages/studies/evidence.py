"""The evidence as a page: a part a question, and in it the tests that answer it."""

from backtests.evidence.table import EvidenceTable, Question
from reverse_qe.pages.kit import Html, Part, page, table, tag
from reverse_qe.words.evidence_table import HEAD, conclusion, heading, question_rows, questions


def evidence_page(found: EvidenceTable, title: str, simulated: bool) -> str:
    """Draw a table of evidence.

    Args:
        found: what the tests say.
        title: what they are of.
        simulated: whether its market is made up.
    """
    return page(
        title=f"{title} - Reverse QE",
        heading="Evidence",
        subtitle=title,
        banners=[("SIMULATED", "This market is made up: nothing here was ever traded.")] if simulated else [],
        lead=tag("p", conclusion(found)),
        parts=evidence_parts(found),
    )


def evidence_parts(found: EvidenceTable) -> list[Part]:
    """A part of a page for each question."""
    head = [column.name for column in HEAD]
    return [Part(heading(each), _table(found, head, each)) for each in questions(found)]


def _table(found: EvidenceTable, head: list[str], question: Question) -> Html:
    return table(head, question_rows(found, question), texts=(1, 2))
