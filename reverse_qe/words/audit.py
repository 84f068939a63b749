"""An audit in words and rows."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd

from backtests.studies.audits.report import AuditReport, Check, Leak
from data.clock import sessions_between
from reverse_qe.tables import Column

CHECK_HEAD = (Column("tried", prose=True), Column("runs", 1), Column("verdict"), Column("what came of it", prose=True))
LEAK_HEAD = ("", "session", "is", "becomes", "cut after", "future", "explained by", "looks ahead, at least")
RESTING_HEAD = ("", "regimes that differ", "targets that differ", "the last", "CAGR", "as it is", "Sharpe", "as it is")
STOPPED_HEAD = ("stopped", "still counts", "sessions")
FUTURES = {
    "cut": "cut off",
    "up": "with higher prices and figures",
    "down": "with lower prices and figures",
    "late": "in which news is told 5 days later",
}


def title(report: AuditReport) -> str:
    """What was audited."""
    market = f"{'SIMULATED market' if report.simulated else 'market'} {report.market}"
    return f"Audit of {report.spec} on {market}, {report.span.first.date()} to {report.span.last.date()}"


def check_row(check: Check) -> tuple[str, str, str, str]:
    """One question, under `CHECK_HEAD`."""
    return check.tried, str(check.count), check.verdict, f"{check.text}."


def verdict(report: AuditReport) -> str:
    """The whole audit in a sentence."""
    bad = {check.verdict for check in report.checks if check.verdict in ("LEAK", "FAILS", "NOT REPEATABLE")}
    if "NOT REPEATABLE" in bad:
        return "No verdict: the same run says something else when it is run again."
    if "LEAK" in bad:
        return "It looks ahead."
    if "FAILS" in bad:
        return "It fails where the future is another one: no look-ahead was seen, and none can be ruled out."
    return "No row that was decided changes with the future."


def reach_sentences(report: AuditReport) -> list[str]:
    """What the cuts would have met, and what they would not."""
    if report.stretch is None:
        return []
    run = len(sessions_between(*report.span))
    inside = len(sessions_between(*report.stretch))
    if inside >= run - 1:
        return ["Every session of the run was cut: what looks ahead on a single one of them was met."]
    met = min((report.cuts + inside) / (run - 1), 1.0)
    return [
        f"What looks ahead as a habit, or comes back within {inside} sessions, is met for certain where it changes a "
        f"row; what does so on one session of the {run:,} with a chance of about {met:.1%}. "
        f"--cuts {run} looks at every session; another --seed at others."
    ]


def leak_text(leak: Leak) -> str:
    """A leak in a few sentences."""
    becomes = "is not there" if leak.becomes is None else f"becomes {value_text(leak.becomes)}"
    by = leak.explained_by or "no single input: the number of sessions that are there, or several inputs together"
    ahead = "1 session" if leak.ahead == 1 else f"{leak.ahead} sessions"
    files = f" It is made by {', '.join(leak.files)}." if leak.files else ""
    return (
        f"LEAK: {leak.column} for {leak.session.date()} is {value_text(leak.was)}, and {becomes} with a future after "
        f"the decision for {leak.cut.date()} {_future(leak.change)}. Explained by: {by}. It looks at least {ahead} "
        f"ahead, and showed in {leak.probes} runs.{files}"
    )


def leak_row(leak: Leak) -> tuple[str, ...]:
    """A leak, under `LEAK_HEAD`."""
    return (
        leak.column,
        str(leak.session.date()),
        value_text(leak.was),
        "not there" if leak.becomes is None else value_text(leak.becomes),
        str(leak.cut.date()),
        FUTURES.get(leak.change, leak.change),
        leak.explained_by or "-",
        f"{leak.ahead} session{'' if leak.ahead == 1 else 's'}",
    )


def value_text(value: float | str) -> str:
    """A value of a run, for people."""
    return value if isinstance(value, str) else f"{value:.10g}"


def resting_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    """What one start, history or missing input came to, under `RESTING_HEAD`."""
    if "error" in row:
        return (row["tried"], f"refused: {row['error']}", *([""] * (len(RESTING_HEAD) - 2)))
    return (
        row["tried"],
        str(row["regimes"]),
        str(row["targets"]),
        row["last"] or "-",
        _number(row["cagr"], "{:.1%}"),
        _number(row["cagr_as_it_is"], "{:.1%}"),
        _number(row["sharpe"], "{:.2f}"),
        _number(row["sharpe_as_it_is"], "{:.2f}"),
    )


def stopped_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    """How long an input that stopped went on to count, under `STOPPED_HEAD`."""
    if "error" in row:
        return row["tried"], f"refused: {row['error']}", ""
    return row["tried"], row["column"] or "-", str(row["sessions"])


def audit_json(report: AuditReport) -> dict[str, Any]:
    """The audit for machines; days as text."""
    told = _plain(asdict(report))
    return {"holds": report.holds, "verdict": verdict(report), **told}


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return str(value.date())
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    # A value that a run has not.
    return None if isinstance(value, float) and value != value else value


def _future(change: str) -> str:
    told = FUTURES.get(change, change)
    return f"that is {told}" if change == "cut" else told


def _number(value: float | None, style: str) -> str:
    return "-" if value is None else style.format(value)
