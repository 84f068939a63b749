"""One writer at a time: a lock that ends with its process, however that ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from data.errors import InputError, ReverseQeError


class BusyError(ReverseQeError):
    """Somebody else is at it: one line for people that names the process."""


@contextmanager
def only_one(path: Path, what: str) -> Iterator[None]:
    """Hold the lock at `path` while inside; the file names the process that holds it, and goes with the lock.

    The kernel lifts the lock when the process ends, so that a killed one blocks nobody.

    Args:
        path: of the lock's file; its folder is made where it is missing.
        what: is being done, for the message.

    Raises:
        BusyError: another process holds it.
        InputError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        locked = _locked(path, what)
    except OSError as error:
        raise InputError(f"cannot write the lock {path}: {error.strerror}; check REVERSE_QE_HOME") from error
    with locked as file:
        try:
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield
        finally:
            with suppress(FileNotFoundError):
                path.unlink()


def _locked(path: Path, what: str) -> IO[str]:
    while True:
        file = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "of an unknown number"
            file.close()
            raise BusyError(f"{what} is under way already, by process {holder}; wait for its end") from None
        if _is_at(path, file):
            return file
        file.close()  # The holder before removed the file between our opening and our locking it.


def _is_at(path: Path, file: IO[str]) -> bool:
    try:
        return path.stat().st_ino == os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return False
