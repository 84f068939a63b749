"""What is said on stderr beside the data: how much of it, and what of it is kept in a log.

There is one talk a process. Whatever is said is kept where a log was asked for, also what is not shown.
"""

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import click

from data.errors import InputError
from data.files.plain_text import printable

# What must be heard, also by who wants quiet.
LOUD = ("! ", "Error: ")
# A stage that differs from the one before in its figures alone, a count, is told once in so many seconds.
COUNT_SECONDS = 5.0
_OURS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z reverse-qe ")


class Talk:
    """How much is said, and the log.

    Attributes:
        quiet: whether only warnings and errors are shown.
        verbose: whether each stage is shown with the seconds at which it began.
    """

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begin a command: nothing is asked for as yet."""
        self.quiet = self.verbose = False
        self._log: TextIO | None = None
        self._since = time.monotonic()
        self._counted, self._counted_at = "", 0.0

    def end(self, status: int) -> None:
        """End a command, whose exit status the log tells."""
        self.keep(f"exit {status} after {self.seconds:.2f} s")
        if self._log is not None:
            self._log.close()
        self.begin()

    @property
    def seconds(self) -> float:
        """Since the command began."""
        return time.monotonic() - self._since

    def is_heard(self, message: str) -> bool:
        """Whether something that is said is shown."""
        return not self.quiet or message.startswith(LOUD)

    def keep_in(self, path: Path) -> None:
        """Add what is said from here on to the end of a log.

        Raises:
            InputError: something else is there, or it cannot be written.
        """
        from importlib.metadata import version

        if self._log is not None:
            self._log.close()
        try:
            if path.exists() and not (path.is_file() and _is_log(path)):
                raise InputError(f"got --log {path}, which is something else; wanted a new name or an older log")
            self._log = path.open("a", encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise InputError(f"got --log {path}, which cannot be written: {error.strerror}; choose another") from error
        self.keep(f"reverse-qe {version('reverse-qe')}: {' '.join(sys.argv[1:])}")

    def keep(self, message: str) -> None:
        """Write a line into the log, where there is one; one that can no longer be written is told once."""
        if self._log is None:
            return
        now = datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
        try:
            self._log.write(f"{now}Z {printable(message)}\n")
            self._log.flush()
        except OSError as error:
            name, self._log = self._log.name, None
            click.echo(f"! the log {printable(name)} can no longer be written: {error.strerror}", err=True)

    def stage(self, message: str) -> str | None:
        """Keep the beginning of a stage; the line that shows it, where one is wanted."""
        uncounted = re.sub(r"[\d.,]+", "", message)
        if uncounted == self._counted and self.seconds - self._counted_at < COUNT_SECONDS:
            return None
        self._counted, self._counted_at = uncounted, self.seconds
        self.keep(message)
        return f"[{self.seconds:7.2f} s] {message}" if self.verbose else None


def _is_log(path: Path) -> bool:
    """Whether a file is empty, or begins as a log does."""
    with path.open(encoding="utf-8", errors="replace") as file:
        line = file.readline(200)
    return not line or _OURS.match(line) is not None


TALK = Talk()


@contextmanager
def kept_talk() -> Iterator[Callable[[int], None]]:
    """The talk of one command; the function yielded takes its exit status. What else ends it is in the log, too."""
    TALK.begin()
    status = 1

    def ended(given: int) -> None:
        nonlocal status
        status = given

    try:
        yield ended
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        raise
    except BaseException as error:
        TALK.keep(f"{type(error).__name__}: {error}")
        raise
    finally:
        TALK.end(status)
