"""Paths as users name them: what no file system could hold is refused before it is looked for."""

import os
from pathlib import Path

from data.errors import InputError

# What common file systems hold; longer names raise in the midst of whatever asks for them.
LONGEST_NAME = 255
LONGEST_PATH = 4095


def usable_path(path: str | Path, what: str = "the path") -> Path:
    """Return a path that can be looked for.

    Args:
        path: as it was named. Nothing is expanded: that is for shells.
        what: it is called in the message: an option, a key, or nothing but a path.

    Raises:
        InputError: it is no text or path, is blank, holds a zero character, or it or one of its names is too long.
    """
    if not isinstance(path, str | Path):
        raise InputError(f"got {path!r} for {what}, wanted the path of a file or folder")
    text = str(path)
    if not text.strip():
        raise InputError(f"got {what} {text!r}, wanted the name of a file or folder")
    if "\0" in text:
        raise InputError(f"got {what} {text!r}, wanted one without a zero character")
    try:
        longest, whole = max(len(os.fsencode(part)) for part in (*Path(text).parts, "")), len(os.fsencode(text))
    except UnicodeEncodeError as error:
        raise InputError(f"got {what} {text!r}, which no file system can write; wanted another name") from error
    if longest > LONGEST_NAME or whole > LONGEST_PATH:
        raise InputError(
            f"got {what} {text[:40]}..., a path of {whole} bytes with a name of {longest}; "
            f"wanted at most {LONGEST_PATH}, and names of at most {LONGEST_NAME}"
        )
    return Path(text)
