"""Paths that a user names for what is to be written: nothing is overwritten, and nothing stays half-written."""

import os
import secrets
from pathlib import Path

from data.errors import InputError


def require_free(path: Path, what: str = "the path") -> None:
    """Refuse, before any work is done, a path that exists or cannot be made.

    Args:
        path: of a file or folder to come.
        what: it is called in the message: an option, a key, or nothing but a path.
    """
    if path.exists():
        raise InputError(f"got {what} {path}, which exists; wanted a path that does not: choose another or delete it")
    above = next(parent for parent in path.absolute().parents if parent.exists())
    if not above.is_dir():
        raise InputError(f"got {what} {path}, but {above} is a file; wanted a path below a folder: choose another")
    if not os.access(above, os.W_OK):
        raise InputError(f"got {what} {path}, but {above} cannot be written to; choose another folder")


def write_new_file(path: Path, text: str, what: str = "the path") -> None:
    """Write a file aside and rename it into place; its folders are made.

    Args:
        path: must not exist.
        text: of the file, written as it is.
        what: as for `require_free`.

    Raises:
        InputError: the path is taken, or cannot be written to.
    """
    require_free(path, what)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(text, encoding="utf-8", newline="")
        aside.rename(path)
    except OSError as error:
        raise InputError(f"cannot write {what} {path}: {error}; choose another") from error
    finally:
        aside.unlink(missing_ok=True)
