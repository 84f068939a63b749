"""An audit as a page: the verdict, what was tried, the leaks by name, and on what the result stands."""

from backtests.studies.audits.report import AuditReport, Check
from reverse_qe.pages.kit import Html, Part, bullets, joined, page, table, tag
from reverse_qe.words.audit import (
    CHECK_HEAD,
    LEAK_HEAD,
    RESTING_HEAD,
    STOPPED_HEAD,
    check_row,
    leak_row,
    leak_text,
    reach_sentences,
    resting_row,
    stopped_row,
    title,
    verdict,
)

_RESTING = {
    "start": "Another start: over the sessions that both runs have",
    "history": "Bars and series that begin later: nothing is known of what came before",
    "without": "One input missing throughout",
}
HOW_TO_READ = (
    "A cut is a session after whose decision the future is another one: it ends, its prices and figures are others, or "
    "what is told in it is told 5 days later. Every row that was decided up to the cut must stay as it was, to the "
    "last bit: values of inputs, score, regime, target weights, orders.",
    "Every run goes the whole way of a backtest, code of the user included, in a process of its own that has run "
    "nothing before. The run as it is was run twice, and so was whatever showed a leak: what follows chance is none.",
    "What is not judged only says what would be otherwise. An input whose absence changes much is one to look at.",
)


def audit_page(report: AuditReport) -> str:
    """Draw an audit.

    Args:
        report: of the audit.
    """
    bad = [] if report.holds else [("FOUND", verdict(report))]
    simulated = [("SIMULATED", "This market is made up: nothing here was ever traded.")] if report.simulated else []
    parts = [Part("What was tried", _checks(report))]
    if report.leaks:
        parts.append(Part("Leaks", _leaks(report)))
    resting = [check for check in report.checks if check.rows and (check.key in _RESTING or check.key == "stopped")]
    if resting:
        parts.append(Part("On what it stands", joined([_resting(check) for check in resting], "\n")))
    parts.append(Part("How to read it", bullets(HOW_TO_READ)))
    return page(
        title=title(report),
        heading=verdict(report),
        subtitle=f"{title(report)}. {report.runs:,} runs, seed {report.seed}.",
        lead=bullets(reach_sentences(report)),
        banners=[*bad, *simulated],
        parts=parts,
    )


def _checks(report: AuditReport) -> Html:
    head = [column.name for column in CHECK_HEAD]
    return table(head, [check_row(check) for check in report.checks], texts=(2, 3))


def _leaks(report: AuditReport) -> Html:
    follows = [
        tag("p", f"With {leak.column} changed: {', '.join(leak.follows)}.") for leak in report.leaks if leak.follows
    ]
    rows = [leak_row(leak) for leak in report.leaks]
    return joined(
        [bullets([leak_text(leak) for leak in report.leaks]), table(LEAK_HEAD, rows, texts=(5, 6)), *follows], "\n"
    )


def _resting(check: Check) -> Html:
    if check.key == "stopped":
        rows = [stopped_row(row) for row in check.rows]
        return table(STOPPED_HEAD, rows, caption="Nothing more of an input after three quarters of the run", texts=(1,))
    return table(RESTING_HEAD, [resting_row(row) for row in check.rows], caption=_RESTING[check.key])
