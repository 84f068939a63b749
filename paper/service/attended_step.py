"""A step with its alerts: who wants to hear of it is told once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd

from data.clock import trading_hours
from data.errors import InputError
from paper.config import PaperConfig
from paper.ledger.reader import LEDGER_FILE, LedgerReader
from paper.service.alerts import Alerts
from paper.service.check import require_ready
from paper.step.account import StepReport, run_step


@dataclass
class Attendant:
    """Takes steps of one account and sends its alerts.

    A halt that was in force before the step, and a fault that the step before ended with too, are not sent again.

    Attributes:
        config: of the account.
        alerts: where they go.
        say: is told in one line of what could not be delivered.
        refused: why the last step that could not begin was refused; empty where none was.
    """

    config: PaperConfig
    alerts: Alerts
    say: Callable[[str], None]
    refused: str = ""

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
        was_halted, last_words = self._before()
        try:
            told = run_step(self.config, session, dry_run, now, report, self._check)
        except InputError as error:
            if not quiet and str(error) != self.refused:
                self.alerts.send("fault", str(error), self.say)
            self.refused = str(error)
            raise
        self.refused = ""
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
            last = next(iter(ledger.events(("step",), newest=1)), None)
            return ledger.halt() is not None, last.text if last else ""


def _trades(session: date, now: datetime) -> bool:
    opens, closes = trading_hours(pd.Timestamp(session))
    return opens <= now <= closes


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
