"""One writer at a time: a lock that ends with its process, however that ends."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from data.errors import InputError, ReverseQeError


class BusyError(ReverseQeError):
    """Somebody else is at it: one line for people that names the process."""


@contextmanager
def only_one(path: Path, what: str, patience: float = 0.0) -> Iterator[None]:
    """Hold the lock at `path` while inside; a file beside it names the process that holds it, and both go at the end.

    The system lifts the lock when the process ends, so that a killed one blocks nobody.

    Args:
        path: of the lock's file; its folder is made where it is missing.
        what: is being done, for the message.
        patience: seconds to wait for another process that holds it.

    Raises:
        BusyError: another process holds it, and still does when patience ends.
        InputError: the file cannot be written.
    """
    from filelock import FileLock, Timeout

    holder = path.with_name(f"{path.name}.holder")
    lock = FileLock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=patience)
    except Timeout:
        raise BusyError(f"{what} is under way already, by process {_named(holder)}; wait for its end") from None
    except OSError as error:
        raise InputError(f"cannot write the lock {path}: {error.strerror}; check REVERSE_QE_HOME") from error
    try:
        # On Windows nobody else could read a name inside the locked file itself.
        with suppress(OSError):
            holder.write_text(str(os.getpid()), encoding="utf-8")
        yield
    finally:
        with suppress(OSError):
            holder.unlink()
        if not hasattr(lock, "pid"):
            # Held by the system, and still is: whoever opened the file meanwhile finds it gone once he has locked it,
            # and begins anew. Windows takes away no open file; there the lock does so when it is let go. Where the
            # system has no locks, the file's being there is the lock, and has a pid.
            with suppress(OSError):
                path.unlink()
        lock.release()


def _named(holder: Path) -> str:
    try:
        return holder.read_text(encoding="utf-8").strip() or "of an unknown number"
    except (OSError, ValueError):
        return "of an unknown number"
