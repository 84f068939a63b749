"""A step with its alerts: who wants to hear of it is told once."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pandas as pd

from data.clock import trading_hours
from data.errors import ReverseQeError
from data.files.locks import BusyError
from paper.config import PaperConfig
from paper.errors import DamagedLedger
from paper.ledger.chain import head_of
from paper.ledger.reader import LEDGER_FILE, LedgerReader
from paper.service.alerts import Alerts
from paper.service.check import require_ready
from paper.step.account import StepReport, run_step

# Letters of an error that nobody has thought of.
LONGEST = 300


@dataclass
class Attendant:
    """Takes steps of one account and sends its alerts.

    A halt that was in force before the step, and a fault that the step before ended with too, are not sent again.

    Attributes:
        config: of the account.
        alerts: where they go.
        say: is told in one line of what could not be delivered.
        failed: how the last step failed in one line; empty where it did not.
        times: how many steps in a row have failed so.
    """

    config: PaperConfig
    alerts: Alerts
    say: Callable[[str], None]
    failed: str = ""
    times: int = 0

    def step(
        self,
        session: date | None = None,
        dry_run: bool = False,
        now: datetime | None = None,
        report: Callable[[str], None] = lambda _stage: None,
    ) -> StepReport:
        """Take a step; arguments and errors are those of `paper.step.account.run_step`.

        A replay and a dry run alert nobody.
        """
        quiet = dry_run or session is not None
        try:
            was_halted, last_words = self._before()
            told = run_step(self.config, session, dry_run, now, report, self._check)
        except Exception as error:
            self._tell_failure(error, quiet)
            raise
        self.failed, self.times = "", 0
        if quiet:
            return told
        if told.decision is not None and not told.halt:
            self.alerts.send("decision", decision_text(told), self.say)
        if told.halt and not was_halted:
            self.alerts.send(
                "halt", f"{told.halt}. Nothing is sent until: reverse-qe paper resume --why TEXT", self.say
            )
        if told.fault and told.fault not in last_words:
            self.alerts.send("fault", told.fault, self.say)
        return told

    def is_open(self) -> bool:
        """Whether the account has been opened; also where its file is there and cannot be read."""
        path = self.config.state_folder / LEDGER_FILE
        try:
            if not path.is_file():
                return head_of(path).is_file()
            with LedgerReader(path) as ledger:
                return ledger.account() is not None
        except (ReverseQeError, OSError):
            return True

    def _tell_failure(self, error: Exception, quiet: bool) -> None:
        """Alert once of a step that failed; of one that others were in the way of, when it happens again."""
        words = failure_words(error)
        self.times = self.times + 1 if words == self.failed else 1
        self.failed = words
        if not quiet and self.times == (2 if isinstance(error, BusyError) else 1):
            self.alerts.send("fault", words, self.say)

    def has_work_left(self, now: datetime) -> bool:
        """Whether orders at a broker can fill, or be sent, before the next planned step."""
        path = self.config.state_folder / LEDGER_FILE
        if self.config.broker.entry.replays or not path.is_file():
            return False
        with LedgerReader(path) as ledger:
            left = [*ledger.unsent_intents(), *ledger.sent_intents()]
        return any(each.is_coin or _trades(each.session, now) for each in left)

    def _check(self, now: datetime) -> None:
        """What an account must pass before it is opened."""
        require_ready(self.config, now)

    def _before(self) -> tuple[bool, str]:
        """Whether the account is halted, and how its last step ended."""
        path = self.config.state_folder / LEDGER_FILE
        if not path.is_file():
            return False, ""
        with LedgerReader(path) as ledger:
            try:
                last = next(iter(ledger.events(("step",), newest=1)), None)
                return ledger.halt() is not None, last.text if last else ""
            except DamagedLedger:  # What the step says of it comes from the step.
                return False, ""


def _trades(session: date, now: datetime) -> bool:
    opens, closes = trading_hours(pd.Timestamp(session))
    return opens <= now <= closes


def failure_words(error: Exception) -> str:
    """Why a step could not be taken, in one line; of an error of the program, where it happened."""
    if isinstance(error, ReverseQeError):
        return str(error)
    (*_, last) = traceback.extract_tb(error.__traceback__) or [None]
    where = f" ({Path(last.filename).name}:{last.lineno})" if last is not None else ""
    said = " ".join(str(error).split())[:LONGEST]
    return f"an error of the program, {type(error).__name__}{f': {said}' if said else ''}{where}"


def decision_text(told: StepReport) -> str:
    """The decision of a step in one line."""
    assert told.decision is not None
    decision = told.decision
    orders = [
        f"{each.side} {each.symbol} {f'{each.units:g} units' if each.units is not None else f'{each.money:,.2f} USD'}"
        for each in decision.intents
    ]
    return (
        f"{decision.session}: {decision.regime}, equity {decision.equity:,.2f} USD; "
        f"{'; '.join(orders) if orders else 'no orders'}"
    )
