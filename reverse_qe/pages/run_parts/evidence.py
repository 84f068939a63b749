"""The part of a run's page that holds its evidence: what the run says of itself, and what asks more."""

from backtests.evidence.table import EvidenceTable
from backtests.run import Backtest
from backtests.studies.evidence.of_run_alone import evidence_of_run_alone
from data.errors import InputError
from reverse_qe.pages.kit import Html, Part, joined, table, tag
from reverse_qe.words.evidence_table import HEAD, heading, question_rows, questions

CAPTION = "What the run says of itself; in brackets an interval of 95%"
MORE = (
    "These tests need nothing beside the run. What was tried before it, its alpha, names drawn by lot, dearer costs "
    "and later orders are judged by reverse-qe evidence and the folder of this run."
)


def evidence(run: Backtest) -> Part:
    """A row a test, under the question that it answers."""
    if not run.counts.orders.traded:
        return Part("Evidence", tag("p", "It never traded: all of it stayed cash, and there is nothing to judge."))
    try:
        found = evidence_of_run_alone(run)
    except InputError as error:
        return Part("Evidence", tag("p", f"Not measured: {error}."))
    return Part("Evidence", joined([_table(found), tag("p", MORE, class_="soft small")], "\n"))


def _table(found: EvidenceTable) -> Html:
    # A question stands at the first of its tests alone.
    rows = [
        (row[0], heading(each) if place == 0 else "", *row[1:])
        for each in questions(found)
        for place, row in enumerate(question_rows(found, each))
    ]
    head = (HEAD[0].name, "question", *(column.name for column in HEAD[1:]))
    return table(head, rows, caption=CAPTION, texts=(1, 2, 3))
