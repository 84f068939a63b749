"""What later dividends and later versions of a market change in decisions that were taken: nothing, if all is well."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from backtests.studies.audits.inputs import Input
from backtests.studies.audits.leaks import Ask
from backtests.studies.audits.probe import Probe, World
from backtests.studies.audits.report import Check
from backtests.studies.audits.rows import Difference
from backtests.studies.audits.worker import Answer, Task
from data.clock import decision_times
from data.market.snapshot import Snapshot

# Units are rounded to their quantum, and there are more of them where a price is scaled down.
QUANTUM = 1e-6
# Sources round the prices that they adjust: a weight that moves by less than this was not revised.
ROUNDED = 1e-4


def dividend_task() -> Task:
    """The run on prices as later dividends would scale them."""
    return Task(Probe("dividends", by_engine=True), tolerance=QUANTUM)


def dividend_check(world: World, answer: Answer, ask: Ask) -> Check:
    """The row of later dividends.

    Args:
        world: of the audit.
        answer: to `dividend_task`.
        ask: runs tasks.
    """
    key, tried = "dividends", "Prices scaled by later dividends"
    if answer.error:
        return Check(key, tried, 1, "FAILS", answer.error)
    if not answer.differences:
        return Check(key, tried, 1, "holds", "no decision changes")
    root = answer.differences[0]
    symbols = [symbol for symbol, entry in world.snapshot.instruments.items() if not entry.is_crypto]
    held = set(world.snapshot.bars["symbol"].unique())
    inputs = [Input("bars", symbol) for symbol in symbols if symbol in held]
    alone = [replace(dividend_task(), probe=Probe("dividends", only=each, by_engine=True)) for each in inputs]
    mover = next(
        (each for each, one in zip(inputs, ask(alone), strict=True) if _has(one.differences, root.column)), None
    )
    by = f", explained by the adjustment of {mover.name}" if mover is not None else ""
    text = f"{_row(root)}{by}: it rests on a price that dividends to come will change"
    return Check(key, tried, 1 + len(alone), "LEAK", text, [_told(each) for each in answer.differences])


def version_tasks(world: World) -> list[Task]:
    """The run on each earlier version, up to what that version knew."""
    tasks = []
    for number, version in enumerate(world.versions):
        tasks.append(
            Task(Probe("version", number=number), upto=_last_decision(version), tolerance=ROUNDED, common=True)
        )
    return tasks


def version_check(world: World, tasks: Sequence[Task], answers: Sequence[Answer]) -> Check:
    """The row of earlier versions of the market: what they knew is the one past that is no guess."""
    key, tried = "versions", "Earlier versions of the market"
    if not answers:
        return Check(key, tried, 0, "not tried", "none is kept; data fetch keeps them")
    rows = []
    for task, version, answer in zip(tasks, world.versions, answers, strict=True):
        day = "" if task.upto is None else str(task.upto.date())
        rows += [{"version": version.name, "upto": day, **_told(each)} for each in answer.differences if _decided(each)]
        if answer.error:
            rows.append({"version": version.name, "upto": day, "error": answer.error})
    if not rows:
        return Check(key, tried, len(answers), "holds", "each decided the same, up to what it knew")
    first = rows[0]
    if "error" in first:
        return Check(key, tried, len(answers), "FAILS", f"{first['version']}: {first['error']}", rows)
    text = (
        f"{first['column']} for {first['session']} was {first['becomes']} on {first['version']}, and is {first['was']} "
        "now: the past was told anew"
    )
    return Check(key, tried, len(answers), "LEAK", text, rows)


def _decided(difference: Difference) -> bool:
    """Values that were told anew, regimes and targets; orders of a book that began on other prices follow from them."""
    return difference.group != "order"


def _last_decision(version: Snapshot) -> pd.Timestamp:
    """The last session whose decision an earlier version could take."""
    from data.clock import next_session

    last = next_session(version.bars["date"].max())
    made = version.made_at
    if made is None:
        return last
    while decision_times(pd.DatetimeIndex([last]))[0] > pd.Timestamp(made):
        from data.clock import previous_session

        last = previous_session(last)
    return last


def _has(found: Sequence[Difference], column: str) -> bool:
    return any(each.column == column for each in found)


def _row(difference: Difference) -> str:
    return f"{difference.column} for {difference.session.date()} is {difference.was}, and {difference.becomes} then"


def _told(difference: Difference) -> dict[str, object]:
    return {
        "column": difference.column,
        "session": str(difference.session.date()),
        "was": difference.was,
        "becomes": difference.becomes,
        "rows": difference.rows,
    }
