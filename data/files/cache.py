"""What took long to make, kept in the user's cache folder: it only ever costs time, never a result.

A cache that cannot be written, is damaged, or is written by two processes at once is made anew and nothing is said. The
folder may be deleted at any time.
"""

import hashlib
from contextlib import suppress
from pathlib import Path

from data.files.atomic import write_whole

_DIGEST_BYTES = hashlib.sha256().digest_size


def cache_folder() -> Path:
    """Return the user's cache folder of this program; it may not be there."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("reverse-qe", appauthor=False))


def read_cached(name: str) -> bytes | None:
    """Return what was kept under a name; None where nothing was, or where it is not what was written.

    Args:
        name: of the file, everything in it on which the content depends.
    """
    try:
        kept = (cache_folder() / name).read_bytes()
    except OSError:
        return None
    digest, content = kept[:_DIGEST_BYTES], kept[_DIGEST_BYTES:]
    return content if digest == _digest(name, content) else None


def keep_cached(name: str, content: bytes) -> None:
    """Keep content under a name, whole or not at all; a folder that cannot be written to keeps nothing.

    Args:
        name: of the file, everything in it on which the content depends.
        content: to keep.
    """
    with suppress(OSError):
        write_whole(cache_folder() / name, _digest(name, content) + content, replace=True)


def _digest(name: str, content: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\0" + content).digest()
