"""What a judgement gives: every test of one thing, in a table that shows itself."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from backtests.archive.trials.reading import trials_of
from backtests.evidence.table import EvidenceTable
from backtests.evidence.trials import TrialCount
from reverse_qe.pages.studies.evidence import evidence_page
from reverse_qe.words.evidence_table import conclusion


@dataclass(frozen=True, repr=False, eq=False)
class EvidenceResult:
    """All tests of one thing.

    Attributes:
        kind: run, sweep, account, registration or file.
        name: of what was judged.
        market: it was run on; empty for a file of returns.
        simulated: whether the market is made up.
        first: its first session.
        last: its last session.
        sessions: their number.
        table: what the tests say.
    """

    kind: str
    name: str
    market: str
    simulated: bool
    first: pd.Timestamp
    last: pd.Timestamp
    sessions: int
    table: EvidenceTable

    @property
    def title(self) -> str:
        """What was judged, on one line."""
        label = "SIMULATED market" if self.simulated else "market"
        where = f" on {label} {self.market}" if self.market else ""
        if not self.sessions:
            return f"Evidence of {self.name}{where}, from {self.first.date()} on (no session yet)"
        return f"Evidence of {self.name}{where}, {self.first.date()} to {self.last.date()} ({self.sessions:,} sessions)"

    @property
    def values(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "kind": self.kind,
            "name": self.name,
            "market": self.market,
            "simulated": self.simulated,
            "first_session": str(self.first.date()),
            "last_session": str(self.last.date()),
            "sessions": self.sessions,
            "is_skill": self.table.is_skill,
            "rows": [row.as_json() for row in self.table.rows],
        }

    def page(self) -> str:
        """The table as a page that is complete in itself."""
        return evidence_page(self.table, self.title, self.simulated)

    def __repr__(self) -> str:
        return f"{self.title}\n{conclusion(self.table)}"


def counted_trials(stated: int | None, simulated: bool) -> TrialCount:
    """The trials of the project in whose folder this process works, or more where a user states more.

    Raises:
        InputError: fewer are stated than were counted; the log does not verify, or cannot be read.
    """
    counted = trials_of(simulated=simulated)
    return counted if stated is None else counted.stated(stated)


def stated_trials(stated: int | None) -> TrialCount:
    """The trials of something that no log counts: what a user states, or itself alone.

    Raises:
        InputError: fewer than one.
    """
    only = TrialCount(1, 1.0, None, None)
    return only if stated is None else only.stated(stated)
