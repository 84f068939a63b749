"""What an audit says: a row a question, what was tried, how often, a plain verdict; and every leak by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from backtests.prepare.span import Span
from backtests.studies.audits.rows import Group

Verdict = Literal["holds", "LEAK", "FAILS", "CHANGES", "NOT REPEATABLE", "told", "not tried"]
BAD: frozenset[Verdict] = frozenset({"LEAK", "FAILS", "CHANGES", "NOT REPEATABLE"})


@dataclass(frozen=True)
class Leak:
    """A row of a run that another future changes.

    Attributes:
        group: what kind of row it is.
        column: the first column, in the order in which a run comes about, that changes.
        session: the first session at which it does.
        was: its value.
        becomes: its value under the other future; None where the row is not there then.
        change: the future, a `backtests.studies.audits.probe.Change`.
        cut: the session after whose decision the future is another.
        explained_by: the first input whose future alone changes the column; "" where none does by itself.
        ahead: sessions that it looks ahead at least.
        probes: how many runs it changed in.
        sessions: at how many sessions at most in one of them.
        files: the user's files that may make it.
        follows: what else changed with it.
    """

    group: Group
    column: str
    session: pd.Timestamp
    was: float | str
    becomes: float | str | None
    change: str
    cut: pd.Timestamp
    explained_by: str
    ahead: int
    probes: int
    sessions: int
    files: tuple[str, ...]
    follows: tuple[str, ...]


@dataclass(frozen=True)
class Check:
    """One question of an audit.

    Attributes:
        key: of it, for machines.
        tried: what was tried, for people.
        count: how often.
        verdict: what came of it.
        text: the same as a sentence.
        rows: what each trial came to, where they differ.
    """

    key: str
    tried: str
    count: int
    verdict: Verdict
    text: str
    rows: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class AuditReport:
    """A finished audit.

    Attributes:
        spec: its name.
        market: its name.
        simulated: whether the market is.
        span: first and last session of the run.
        cuts: sessions that were drawn from the whole run.
        seed: of the draw.
        stretch: first and last session of the stretch; None where nothing could be tried.
        checks: in the order of their questions.
        leaks: by what they change first.
        runs: of the spec, in all.
        seconds: that they took, side by side.
    """

    spec: str
    market: str
    simulated: bool
    span: Span
    cuts: int
    seed: int
    stretch: Span | None
    checks: tuple[Check, ...]
    leaks: tuple[Leak, ...]
    runs: int
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether nothing was found that must not be."""
        return not any(check.verdict in BAD for check in self.checks)
