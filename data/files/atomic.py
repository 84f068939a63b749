"""The one way to write a file or a folder: whole or not at all. It is made aside, then renamed into place."""

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data.errors import InputError
from data.files.paths import LONGEST_NAME, usable_path

_LONGEST_MADE_ASIDE = LONGEST_NAME - len("..01234567.tmp")  # bytes: what `_aside` adds to a name


@contextmanager
def written_whole(target: Path, replace: bool = False) -> Iterator[Path]:
    """Yield a path to write a file or a folder at, and rename it to `target` when the block ends well.

    However the block ends, nothing is left beside the target; its folder is made. A process that is killed inside
    leaves what `is_aside` knows.

    Args:
        target: of the file or folder.
        replace: whether a file that is there is replaced, in one step; else that is an error.

    Raises:
        OSError: something cannot be written, or `target` is there and may not be replaced.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = _aside(target)
    try:
        yield aside
        if replace:
            aside.replace(target)
        elif target.exists():
            raise FileExistsError(f"{target} is there already")
        else:
            aside.rename(target)
    finally:
        _remove(aside)


def write_whole(target: Path, content: str | bytes, replace: bool = False) -> None:
    """Write a file whole or not at all: text as UTF-8, with the ends of lines that it has.

    Args:
        target: of the file; its folder is made.
        content: of the file.
        replace: whether a file that is there is replaced; else that is an error.

    Raises:
        OSError: it cannot be written, or is there and may not be replaced.
    """
    with written_whole(target, replace) as aside:
        aside.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))


def write_new_file(path: Path, text: str, what: str = "the path") -> None:
    """Write a file that a user names; its folders are made.

    Args:
        path: must not exist.
        text: of the file, written as it is.
        what: it is called in the message: an option, a key, or nothing but a path.

    Raises:
        InputError: the path is taken, or cannot be written to.
    """
    require_free(path, what)
    try:
        write_whole(path, text)
    except OSError as error:
        raise InputError(f"cannot write {what} {path}: {error}; choose another") from error


def remove_whole(folder: Path) -> None:
    """Take a folder away: out of sight at once, then deleted.

    Raises:
        OSError: it cannot be taken away.
    """
    aside = _aside(folder)
    folder.rename(aside)
    shutil.rmtree(aside)


def is_aside(path: Path, target: str) -> bool:
    """Whether a path is what a killed process left of a file or folder.

    Args:
        path: of what is there.
        target: a regular expression of the names that it was to have.
    """
    return re.fullmatch(rf"\.(?:{target})\.[0-9a-f]{{8}}\.tmp", path.name) is not None


def require_free(path: Path, what: str = "the path") -> None:
    """Refuse, before any work is done, a path that exists or cannot be made.

    Args:
        path: of a file or folder to come.
        what: it is called in the message: an option, a key, or nothing but a path.

    Raises:
        InputError: it is taken, or nothing can be written there.
    """
    usable_path(path, what)
    if path.exists():
        raise InputError(f"got {what} {path}, which exists; wanted a path that does not: choose another or delete it")
    if (length := len(os.fsencode(path.name))) > _LONGEST_MADE_ASIDE:
        raise InputError(f"got {what} of a name of {length} bytes, wanted at most {_LONGEST_MADE_ASIDE}: shorten it")
    above = next(parent for parent in path.absolute().parents if parent.exists())
    if not above.is_dir():
        raise InputError(f"got {what} {path}, but {above} is a file; wanted a path below a folder: choose another")
    if not os.access(above, os.W_OK):
        raise InputError(f"got {what} {path}, but {above} cannot be written to; choose another folder")


def _aside(target: Path) -> Path:
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")


def _remove(aside: Path) -> None:
    """Delete a file or a folder where it is there; what cannot be deleted hides no other error."""
    if aside.is_dir():
        shutil.rmtree(aside, ignore_errors=True)
        return
    try:
        aside.unlink(missing_ok=True)
    except OSError:
        return
