"""The world in which code of users runs: what it prints goes to stderr, what it leaves behind is found and undone."""

import os
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from contextvars import ContextVar
from io import TextIOBase
from pathlib import Path
from typing import TextIO

import numpy as np

from data.errors import InputError
from data.files.plain_text import printable

_IS_HEARD: ContextVar[bool] = ContextVar("is_heard", default=True)


class _PlainText(TextIOBase):
    """A stream that writes what steers a terminal out, and passes the rest on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def write(self, text: str) -> int:
        """Write a text; it is talk: where nobody listens, it is lost."""
        if not _IS_HEARD.get():
            return len(text)
        try:
            self._stream.write(printable(str(text), keep="\n\t"))
            self._stream.flush()
        except (OSError, ValueError):
            pass
        return len(text)


@contextmanager
def unheard() -> Iterator[None]:
    """Let nobody hear code of users that runs once more, as a check for look-ahead does: it has said it all."""
    token = _IS_HEARD.set(False)
    try:
        yield
    finally:
        _IS_HEARD.reset(token)


def hear() -> None:
    """Listen again, until the `unheard` around it ends: what runs once more has come to what it has not said yet."""
    _IS_HEARD.set(True)


@contextmanager
def user_world() -> Iterator[None]:
    """Run code of users: stdout is for the program's own data, and the process stays as it was.

    Raises:
        InputError: the code changed the current folder, which is changed back, left a thread running, or failed in one.
    """
    folder, threads = _folder(), set(threading.enumerate())
    failed: list[threading.ExceptHookArgs] = []
    hook, threading.excepthook = threading.excepthook, failed.append
    heard: TextIO = _PlainText(sys.stderr)  # type: ignore[assignment]
    try:
        with redirect_stdout(heard), redirect_stderr(heard), np.errstate(), warnings.catch_warnings():
            yield
    finally:
        threading.excepthook = hook
        there = _folder()
        moved = there != folder
        if moved and folder is not None:
            os.chdir(folder)
    if moved:
        raise InputError(f"changed the current folder to {there}, wanted code that leaves it; take that out")
    if failed:
        raise InputError(f"a thread failed: {failed[0].exc_type.__name__}, wanted code that handles its errors")
    if running := [each.name for each in threading.enumerate() if each not in threads]:
        raise InputError(f"left the thread {running[0]} running, wanted all of them joined before it returns")


def _folder() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # it was removed
        return None
