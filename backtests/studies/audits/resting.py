"""On what a result stands: where it starts, how much history it has, each input that may be missing or stop."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from backtests.measures.performance import performance
from backtests.prepare.span import Span
from backtests.studies.audits.futures import BARS
from backtests.studies.audits.inputs import Input, told_inputs
from backtests.studies.audits.probe import Made, Probe, World
from backtests.studies.audits.report import Check
from backtests.studies.audits.worker import Answer, Task
from data.clock import FIRST_DAY, sessions_between

STARTS = (-252, -21, 21, 252)
HISTORIES = (1260, 1008, 756, 504)
SHORTEST = 21

Tasks = Mapping[str, Sequence[tuple[str, Task]]]
Answers = Mapping[str, Sequence[Answer]]


def resting_tasks(world: World, span: Span) -> Tasks:
    """By the key of a check, what is tried, for people, and its task.

    Args:
        world: of the audit.
        span: of the run itself.
    """
    bars = world.snapshot.bars
    before = sessions_between(max(bars["date"].min(), FIRST_DAY), span.first)
    run = sessions_between(*span)
    starts = []
    for moved in STARTS:
        place = moved if moved > 0 else len(before) - 1 + moved
        days = run if moved > 0 else before
        if (0 < place < len(before) - 1 and moved < 0) or (0 < place < len(run) - SHORTEST and moved > 0):
            session, first = days[place], max(days[place], span.first)
            when = f"{abs(moved)} sessions {'later' if moved > 0 else 'earlier'}"
            starts.append((when, Task(Probe("start", session), first=first, upto=None, common=True)))
    histories = [
        (f"{length} sessions before it", Task(Probe("history", before[-length]), first=span.first, common=True))
        for length in HISTORIES
        if length < len(before)
    ]
    inputs = told_inputs(world.spec, world.snapshot)
    stop = run[len(run) * 3 // 4]
    begun = set(bars.loc[bars["date"] < stop, "symbol"].unique())
    traded = [Input(BARS, symbol) for symbol in world.spec.universe.symbols if symbol in begun]
    return {
        "start": starts,
        "history": histories,
        "without": [(f"without {each}", Task(Probe("without", only=each), first=span.first)) for each in inputs],
        "stopped": [(str(each), Task(Probe("stopped", stop, only=each), first=stop)) for each in [*inputs, *traded]],
    }


def resting_checks(tasks: Tasks, answers: Answers, base: Made) -> list[Check]:
    """The rows of an audit that judge nothing: they say what would be otherwise.

    Args:
        tasks: of `resting_tasks`.
        answers: to them.
        base: what the run itself says.
    """

    def rows(key: str) -> list[dict[str, Any]]:
        return [_row(what, answer, base) for (what, _), answer in zip(tasks[key], answers[key], strict=True)]

    starts, histories, without = rows("start"), rows("history"), rows("without")
    stopped = [
        _stopped(what, task.probe.only, answer)
        for (what, task), answer in zip(tasks["stopped"], answers["stopped"], strict=True)
        if task.probe is not None and task.probe.only is not None
    ]
    return [
        Check("start", "Start earlier or later", len(starts), *_verdict(starts, "the start")),
        Check("history", "Less history before the start", len(histories), *_verdict(histories, "the history")),
        Check("without", "One input missing, in turn", len(without), *_verdict(without, "one input")),
        Check("stopped", "One input stops, in turn", len(stopped), *_stop_verdict(stopped)),
    ]


def _row(what: str, answer: Answer, base: Made) -> dict[str, Any]:
    """What one trial came to, beside the run itself over the same sessions."""
    if answer.made is None:
        return {"tried": what, "error": answer.error}
    decided = [
        each for each in answer.differences if each.group in ("regime", "target") and each.column != "rebalancing"
    ]
    regimes = [each for each in decided if each.column == "regime"]
    targets = [each for each in decided if each.group == "target"]
    common = answer.made.returns.index.intersection(base.returns.index)
    risk_free = base.risk_free.loc[common]
    own, other = (performance(made.returns.loc[common], risk_free) for made in (base, answer.made))
    return {
        "tried": what,
        "regimes": max((each.rows for each in regimes), default=0),
        "targets": max((each.rows for each in targets), default=0),
        "first": _day(min((each.session for each in decided), default=None)),
        "last": _day(max((each.last for each in decided), default=None)),
        "sessions": len(common),
        "cagr": other.cagr,
        "cagr_as_it_is": own.cagr,
        "sharpe": other.sharpe,
        "sharpe_as_it_is": own.sharpe,
    }


def _verdict(rows: Sequence[Mapping[str, Any]], what: str) -> tuple[Any, str, Sequence[Mapping[str, Any]]]:
    if not rows:
        return "not tried", "the market has nothing to try it with", rows
    run = [row for row in rows if "error" not in row]
    refused = [row for row in rows if "error" in row]
    said = []
    moved = [row for row in run if row["regimes"] or row["targets"]]
    if moved:
        most = max(moved, key=lambda row: (row["regimes"], row["targets"]))
        said.append(
            f"the most: {most['tried']}, regime at {most['regimes']} and targets at {most['targets']} of "
            f"{most['sessions']} sessions, the last {most['last']}; CAGR {_percent(most['cagr'])}, as it is "
            f"{_percent(most['cagr_as_it_is'])}"
        )
    elif run:
        said.append(f"no regime or target depends on {what}")
    if refused:
        said.append(f"refused: {refused[0]['tried']}: {refused[0]['error']}")
    return "told", "; ".join(said), rows


def _stopped(what: str, only: Input, answer: Answer) -> dict[str, Any]:
    """How long an input that has stopped goes on to count."""
    if answer.made is None:
        return {"tried": what, "error": answer.error}
    moved = [each.column for each in answer.differences if each.column.startswith("value of ")]
    mine = [f"target weight of {only.name}"] if only.table == BARS else moved
    counted = {column: answer.made.still.get(column, 0) for column in mine}
    longest = max(counted, key=lambda column: counted[column], default=None)
    return {"tried": what, "column": longest, "sessions": 0 if longest is None else counted[longest]}


def _stop_verdict(rows: Sequence[Mapping[str, Any]]) -> tuple[Any, str, Sequence[Mapping[str, Any]]]:
    if not rows:
        return "not tried", "no input can stop", rows
    refused = [row for row in rows if "error" in row]
    counted = [row for row in rows if row.get("column")]
    if refused:
        return "told", f"refused: {refused[0]['tried']}: {refused[0]['error']}", rows
    if not counted:
        return "told", "no decision depends on one", rows
    most = max(counted, key=lambda row: row["sessions"])
    return (
        "told",
        f"the longest: {most['column']} still counts {most['sessions']} sessions after {most['tried']} stopped",
        rows,
    )


def _day(session: pd.Timestamp | None) -> str | None:
    return None if session is None else str(session.date())


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
