"""From runs under other futures to leaks with names: confirmed by a repeated run, explained by one input."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from backtests.spec.extensions import Extensions
from backtests.studies.audits.futures import BARS
from backtests.studies.audits.inputs import inputs_of
from backtests.studies.audits.probe import Change, Probe, World
from backtests.studies.audits.report import Check, Leak
from backtests.studies.audits.rows import GROUPS, Difference, Group
from backtests.studies.audits.worker import Answer, Task
from data.errors import ReverseQeError

Ask = Callable[[Sequence[Task]], list[Answer]]
FOLLOWS, PIECE = 12, 6


@dataclass(frozen=True)
class Tried:
    """A task and what came of it."""

    task: Task
    answer: Answer

    @property
    def root(self) -> Difference | None:
        """What changes first, in the order in which a run comes about; of one group the first session."""
        found = self.answer.differences
        if not found:
            return None
        group = min(found, key=lambda each: GROUPS.index(each.group)).group
        mine = [each for each in found if each.group == group]
        return min(mine, key=lambda each: each.session)


class NotRepeatableError(ReverseQeError):
    """The same run says something else when it is run again: what differs is no leak, and nothing can be told."""

    def __init__(self, difference: Difference | None, error: str = "") -> None:
        """Keep what differs, or the error of the run that failed.

        Args:
            difference: of the run from itself.
            error: in one line.
        """
        super().__init__(error or "the same run says something else when it is run again")
        self.difference, self.error = difference, error


def future_check(key: str, what: str, tried: Sequence[Tried]) -> Check:
    """The row of some runs under other futures.

    Args:
        key: of the row.
        what: was tried, for people.
        tried: runs.
    """
    hit = [each for each in tried if each.root is not None]
    failed = [each for each in tried if each.answer.error]
    if hit:
        root = min((each.root for each in hit if each.root is not None), key=lambda each: each.session)
        text = f"in {len(hit)} of {len(tried)} runs a row before changes: {root.column}, {root.session.date()}"
        return Check(key, what, len(tried), "LEAK", text)
    if failed:
        first = failed[0]
        cut = first.task.upto
        day = "" if cut is None else f" after {cut.date()}"
        text = f"{len(failed)} of {len(tried)} runs failed: with another future{day}: {first.answer.error}"
        return Check(key, what, len(tried), "FAILS", text)
    if not tried:
        return Check(key, what, 0, "not tried", "there was nothing to try")
    return Check(key, what, len(tried), "holds", "no row before changes")


def leaks_of(world: World, tried: Sequence[Tried], sessions: pd.DatetimeIndex, ask: Ask) -> list[Leak]:
    """Name the leaks that runs under other futures have shown, each input by itself.

    Args:
        world: of the audit.
        tried: all of the runs.
        sessions: of the run.
        ask: runs tasks.

    Raises:
        NotRepeatableError: a run differs from itself.
    """
    leaks = []
    for family in _families(tried):
        root, first = min(family, key=lambda each: (each[0].session, _distance(each[0], each[1].task, sessions)))
        _require_repeatable(first, ask)
        cut, probe = first.task.upto, first.task.probe
        assert cut is not None
        assert probe is not None
        leaks.append(
            Leak(
                group=root.group,
                column=root.column,
                session=root.session,
                was=root.was,
                becomes=root.becomes,
                change=probe.change,
                cut=cut,
                explained_by=_explained_by(world, root, first.task, ask),
                ahead=max(_distance(found, each.task, sessions) for found, each in family),
                probes=len(family),
                sessions=max(found.rows for found, _ in family),
                files=_files(world.given, root.group),
                follows=_follows(first.answer.differences, root),
            )
        )
    return leaks


def _families(tried: Sequence[Tried]) -> list[list[tuple[Difference, Tried]]]:
    """What changed, by what it is named by: each input of the signal, else the group of rows that changes first."""
    families: dict[tuple[Group, str], list[tuple[Difference, Tried]]] = {}
    for each in tried:
        if each.root is None:
            continue
        inputs: dict[str, Difference] = {}
        for difference in each.answer.differences:
            if difference.group == "input":
                inputs.setdefault(difference.column.rpartition(" ")[2], difference)
        for name, difference in inputs.items() or [("", each.root)]:
            families.setdefault((difference.group, name), []).append((difference, each))
    return [families[key] for key in sorted(families, key=lambda key: (GROUPS.index(key[0]), key[1]))]


def _require_repeatable(first: Tried, ask: Ask) -> None:
    """Run the same once more, and the run itself too."""
    assert first.task.probe is not None
    same = replace(first.task.probe, change="none", session=None, only=None, by_engine=True)
    again, base = ask([first.task, replace(first.task, probe=same, upto=None)])
    if base.differences or base.error:
        raise NotRepeatableError(next(iter(base.differences), None), base.error)
    # As text: a value that is not there is the same as itself.
    if again.error or str(again.differences) != str(first.answer.differences):
        before = {each.column: str(each) for each in first.answer.differences}
        other = next((each for each in again.differences if before.get(each.column) != str(each)), first.root)
        raise NotRepeatableError(other, again.error)


def _explained_by(world: World, root: Difference, task: Task, ask: Ask) -> str:
    """The first input whose future alone changes rows of the same column; "" where none does."""
    assert task.probe is not None
    inputs = inputs_of(world.spec, world.snapshot, world.given)
    of_signal = root.group in ("input", "signal", "regime")
    # Bars do not reach the signal, and are what policies and strategies read.
    ordered = [each for each in inputs if each.table != BARS]
    if not of_signal:
        bars = [each for each in inputs if each.table == BARS]
        ordered = [*sorted(bars, key=lambda each: not root.column.endswith(f" {each.name}")), *ordered]
    # Prices that end are carried on, and may say the same as before: other figures are tried first.
    changes: Sequence[Change] = ("late",) if task.probe.change == "late" else ("down", "up", "cut")
    alone = [Probe(change, task.probe.session, each) for change in changes for each in ordered]
    for begin in range(0, len(alone), PIECE):
        piece = alone[begin : begin + PIECE]
        answers = ask([replace(task, probe=probe) for probe in piece])
        for probe, answer in zip(piece, answers, strict=True):
            if any(found.column == root.column for found in answer.differences):
                return str(probe.only)
    return ""


def _distance(root: Difference, task: Task, sessions: pd.DatetimeIndex) -> int:
    """Sessions from that of the row to the cut, itself among them."""
    cut = task.upto
    assert cut is not None
    places = np.searchsorted(sessions.to_numpy(), [root.session.to_numpy(), cut.to_numpy()])
    return int(places[1] - places[0]) + 1


def _files(given: Extensions, group: Group) -> tuple[str, ...]:
    """The user's files that make rows of a group, or what these rest on."""
    makers = {
        "input": (*given.blocks,),
        "signal": (*given.blocks,),
        "regime": (*given.blocks,),
        "target": (given.policy,),
        "order": (given.strategy,),
    }[group]
    named = [each.file.path.name for each in makers if each is not None]
    if group in ("input", "signal", "regime") and given.source is not None:
        named.append(given.source.path.name)
    if group == "target" and given.weights is not None:
        named.append(given.weights.path.name)
    return tuple(dict.fromkeys(named))


def _follows(found: Sequence[Difference], root: Difference) -> tuple[str, ...]:
    return tuple(each.column for each in found if each.column != root.column)[:FOLLOWS]
