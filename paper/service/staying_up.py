"""Steps by the clock that nothing ends but who is told to: what fails is told, and tried again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from data.errors import InputError
from paper.service.attended_step import Attendant, failure_words
from paper.service.schedule import keep_stepping
from paper.step.account import StepReport

Say = Callable[[str], None]


@dataclass(frozen=True)
class StayingUp:
    """An account that is stepped for as long as its process lives.

    Attributes:
        attendant: takes the steps and sends alerts.
        words: how a step ended, in one line.
        afterwards: what is to be done after each step, by name; one that fails is told and ends nothing.
        now: the time, UTC.
        say: is told everything, a line each; it must raise nothing.
    """

    attendant: Attendant
    words: Callable[[StepReport], str]
    afterwards: dict[str, Callable[[], None]]
    now: Callable[[], datetime]
    say: Say

    def run(self, wait: Callable[[float], bool]) -> None:
        """Step now and at every planned moment, until told to stop.

        Args:
            wait: so many seconds; True ends it all.

        Raises:
            InputError: the account cannot be opened: what is wrong from the beginning does not mend itself.
        """
        keep_stepping(self.attendant.config.schedule, self.step, self.now, wait, self.say)

    def step(self) -> bool:
        """Take a step and say how it ended; whether the next one should come soon.

        Raises:
            InputError: as for `run`.
        """
        work_is_left = True
        try:
            told = self.attendant.step()
        except InputError as error:
            if not self.attendant.is_open():
                raise
            self.say(f"! {failure_words(error)}")
        except Exception as error:  # Whatever it is: the account is as its ledger says, and the next step goes on.
            self.say(f"! {failure_words(error)}")
        else:
            self.say(self.words(told))
            with self._told("the ledger"):
                work_is_left = bool(told.fault) or self.attendant.has_work_left(self.now())
        for name, act in self.afterwards.items():
            with self._told(name):
                act()
        return work_is_left

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Tell of what fails inside."""
        try:
            yield
        except Exception as error:
            self.say(f"! {what}: {failure_words(error)}")
