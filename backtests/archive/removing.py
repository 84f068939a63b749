"""Runs that go: what still uses one, and its removal."""

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from backtests.archive.named import SWEEP
from backtests.archive.stored import MANIFEST, StoredRun
from data.errors import InputError
from data.files.atomic import remove_whole

# Where files that name a run are looked for, from a folder: specs, accounts on paper, sweeps and their chained tests.
_PLACES = ("*.toml", "*/*.toml", "sweeps/*/*.toml", "sweeps/*/*/*.toml")


def require_unused(run: StoredRun, around: Sequence[Path]) -> None:
    """Refuse to let a run go that something else reads.

    Args:
        run: that is to go.
        around: folders in and below which specs and accounts are looked for.

    Raises:
        InputError: it is a part of a sweep, or a file names it or something in it: an account, or a spec.
    """
    folder = run.folder.resolve()
    if (folder.parent / SWEEP).is_file():
        raise InputError(
            f"got {run.folder} to remove, which is a part of the sweep {run.folder.parent}; wanted a run of its own: "
            "remove the sweep's folder"
        )
    for file in _files_of(around):
        if file.parent.resolve() != folder and (key := _key_that_names(file, folder)) is not None:
            raise InputError(
                f"got {run.folder} to remove, which {file} uses ({key}); wanted a run that nothing reads: change the "
                "file first"
            )


def remove_run(run: StoredRun) -> None:
    """Delete a run's folder, or the link to it.

    Raises:
        InputError: it cannot be deleted.
    """
    try:
        if run.folder.is_symlink():
            run.folder.unlink()
        else:
            remove_whole(run.folder)
    except OSError as error:
        raise InputError(f"cannot remove {run.folder}: {error.strerror}; check who owns it") from error


def _files_of(around: Sequence[Path]) -> Iterator[Path]:
    seen = set()
    for folder in around:
        for place in _PLACES:
            for file in sorted(folder.glob(place)):
                if file not in seen and not (file.parent / MANIFEST).is_file():
                    seen.add(file)
                    yield file


def _key_that_names(file: Path, folder: Path) -> str | None:
    """The key of a TOML file under which a path into a folder stands; None where none does."""
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return None
    for key, text in _texts(values):
        # A path may be followed by the name of what is in the file.
        path = Path(text.rpartition(":")[0] or text) if "\0" not in text else Path()
        try:
            if folder in ((file.parent / path).resolve() / "_").parents:
                return key
        except (OSError, RuntimeError):
            continue
    return None


def _texts(values: Any, *above: str) -> Iterator[tuple[str, str]]:
    if isinstance(values, dict):
        for name, value in values.items():
            yield from _texts(value, *above, name)
    elif isinstance(values, list):
        for value in values:
            yield from _texts(value, *above)
    elif isinstance(values, str) and values:
        yield ".".join(above), values
