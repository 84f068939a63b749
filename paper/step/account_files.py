"""The files of an account: held by one process at a time, and copied to try something on."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from data.errors import InputError
from data.files.locks import only_one
from paper.config import PaperConfig
from paper.ledger.ledger import Ledger

LOCK_FILE = "lock"


@contextmanager
def held(config: PaperConfig) -> Iterator[None]:
    """Hold the account of a configuration while inside.

    Raises:
        BusyError: another process holds it.
        InputError: the disk cannot be read or written.
    """
    try:
        with only_one(config.state_folder / LOCK_FILE, f"a step of the account {config.account.name}"):
            yield
    except OSError as error:
        raise InputError(
            f"the account {config.account.name} in {config.state_folder}: {error}; see to it and step again: nothing "
            "written is lost"
        ) from error


@contextmanager
def copied(folder: Path) -> Iterator[Path]:
    """Copy an account's files, which must be held meanwhile, and yield the folder of the copies."""
    with tempfile.TemporaryDirectory(prefix="reverse-qe-") as copy:
        for file in folder.glob("*.sqlite*"):
            shutil.copy2(file, copy)
        yield Path(copy)


def tell_lost_head(ledger: Ledger, now: datetime) -> list[str]:
    """Write down, and return, that nobody can say whether rows of a ledger were cut off, where that is so."""
    if not ledger.is_head_lost():
        return []
    text = (
        f"the file that names the newest row of the ledger was gone before the step of {now:%Y-%m-%d %H:%M} UTC: "
        "whether rows were cut off cannot be said"
    )
    ledger.write_notice(text, now)
    return [text]
