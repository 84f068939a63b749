"""The files of a kept snapshot, held against what its manifest says of them."""

import hashlib
from pathlib import Path

from data.errors import InputError
from data.files.plain_text import printable
from data.market.manifest import Manifest


def require_files(folder: Path, manifest: Manifest) -> None:
    """Refuse a snapshot of which a file is gone, or is not what was written.

    Raises:
        InputError: so it is; the file is named.
    """
    for file, wanted in manifest.files.items():
        path, told = folder / file, printable(file)
        if not is_file(path):
            raise changed(folder.name, f"{told} is gone", wanted)
        if (got := file_hash(path)) != wanted:
            raise changed(folder.name, f"{told} has hash {got[:12]}", wanted)


def changed(name: str, got: str, wanted: str) -> InputError:
    """What is to be said of a snapshot that is not what its manifest says."""
    return InputError(
        f"snapshot {name} was changed: {got}, its manifest says {printable(wanted[:12])}; "
        "import it anew under another name"
    )


def is_file(path: Path) -> bool:
    """Whether a file is there; a name that none can have, as one that is too long, is of none."""
    try:
        return path.is_file()
    except OSError:
        return False


def file_hash(path: Path) -> str:
    """The SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
