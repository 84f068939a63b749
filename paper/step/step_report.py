"""What a step of an account did."""

from dataclasses import dataclass, field
from datetime import date, datetime

from paper.broker import Fill, Intent
from paper.step.decision import Decision


@dataclass
class StepReport:
    """What a step did.

    Attributes:
        account: its name.
        session: that it was for; None where there was none to decide for.
        at: UTC.
        dry_run: whether nothing of it was written or sent.
        decision: that it took; None where it took none.
        sent: orders that the broker has taken in it.
        not_taken: orders that the broker has not taken; `notes` says why.
        fills: of the orders that were open.
        halt: why the trader is halted; empty where it is not.
        fault: why the step could not be ended; empty where it was. The next one goes on from there.
        notes: sentences for people.
        odd_data: the gravest of what is odd in the data since the decision before, and how much more is; empty where
            nothing is, or nothing was decided.
    """

    account: str
    session: date | None
    at: datetime
    dry_run: bool
    decision: Decision | None = None
    sent: list[Intent] = field(default_factory=list)
    not_taken: list[Intent] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    halt: str = ""
    fault: str = ""
    notes: list[str] = field(default_factory=list)
    odd_data: str = ""


def summary(told: StepReport) -> str:
    """How a step ended, in one line."""
    decided = "decided" if told.decision else "nothing to decide"
    refused = f", {len(told.not_taken)} not taken" if told.not_taken else ""
    counts = f"{len(told.sent)} orders sent{refused}, {len(told.fills)} fills"
    return "; ".join(part for part in (decided, counts, told.halt and f"halted: {told.halt}", told.fault) if part)
