"""Asking again what may pass, after a pause; and not asking too often."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from data.errors import ReverseQeError
from data.net.errors import RateLimitError, SourceError
from data.net.secrets import scrub
from data.net.settings import SourceSettings

Answer = TypeVar("Answer")

# stamina tells of each retry on its logger; without a handler Python would write that to stderr.
logging.getLogger("stamina").addHandler(logging.NullHandler())


class TransientError(ReverseQeError):
    """One attempt failed in a way that another may mend.

    Attributes:
        wait: seconds that the host asked for; None where it did not.
        limited: the host was asked too often.
    """

    def __init__(self, reason: str, wait: float | None = None, *, limited: bool = False) -> None:
        super().__init__(reason)
        self.wait = wait
        self.limited = limited


class Pacer:
    """Keeps the requests to one host apart; threads may share it.

    Args:
        clock: seconds, never going back.
        sleep: waits that many seconds.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._free_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def wait(self, host: str, per_second: float) -> None:
        """Return when it is our turn to ask the host: `per_second` times a second, evenly spaced."""
        with self._lock:
            now = self._clock()
            turn = max(now, self._free_at.get(host, now))
            self._free_at[host] = turn + 1 / per_second
        if turn > now:
            self._sleep(turn - now)


PACER = Pacer()


def persist(action: Callable[[], Answer], settings: SourceSettings, source: str) -> Answer:
    """Do an action, and again after `TransientError`.

    Between two attempts it waits for as long as the host asked, or `settings.pause`, doubled each time. A host that
    asks for more than `settings.longest_wait` is not asked again.

    Raises:
        RateLimitError: the last attempt failed because the host was asked too often.
        SourceError: it failed for another reason, which is told; or the action raised it.
    """
    import stamina

    failures: list[TransientError] = []

    def another(error: Exception) -> bool | float:
        if not isinstance(error, TransientError):
            return False
        failures.append(error)
        if error.wait is None:
            return True
        return error.wait if error.wait <= settings.longest_wait else False

    try:
        for attempt in stamina.retry_context(
            on=another,
            attempts=settings.attempts,
            timeout=None,
            wait_initial=settings.pause,
            wait_jitter=settings.pause,
            wait_max=settings.longest_wait,
        ):
            with attempt:
                return action()
    except TransientError:
        pass  # Told below, where the error takes along no request with its address.
    last = failures[-1]
    times = f" (asked {len(failures)} times)" if len(failures) > 1 else ""
    when = f"in {last.wait:.0f} s, as it asks" if last.wait else "later"
    message = scrub(f"{source}: {last}{times}; try again {when}")
    raise RateLimitError(message) if last.limited else SourceError(message, retry_later=True)
