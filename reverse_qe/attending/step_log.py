"""The log of a process that stays up: one line each, and a disk that is full ends nothing."""

from collections.abc import Callable
from datetime import datetime

from reverse_qe.output import OutputError, say, show


class StepLog:
    """Lines with their time on stdout, each written out at once; what could not be written is told when it can be."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Nothing is written yet.

        Args:
            now: the time, UTC.
        """
        self._now = now
        self._lost, self._since = 0, now()

    def line(self, text: str) -> None:
        """Write a line; where that fails it is said on stderr, once until it goes on, and nothing is raised."""
        now = self._now()
        time = f"{now:%Y-%m-%d %H:%M:%S} UTC"
        try:
            if self._lost:
                show(f"{time}  ! {self._lost} lines since {self._since:%Y-%m-%d %H:%M} UTC were lost")
                self._lost = 0
            show(f"{time}  {text}")
        except OutputError as error:
            if not self._lost:
                self._since = now
                say(f"! {error}: the log has a gap from {now:%Y-%m-%d %H:%M} UTC on, and the steps go on")
            self._lost += 1
