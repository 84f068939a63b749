"""The files of a folder, and refusals in a file's name."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from data.errors import InputError


def csv_files(folder: Path, what: str) -> tuple[list[Path], list[str]]:
    """Return the CSV files of a folder, and notes of the files that are none.

    Args:
        folder: to look into.
        what: its files hold, for messages.

    Raises:
        InputError: it is no folder, or holds no CSV file.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder, wanted a folder of CSV files of {what}")
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    found = [path for path in files if path.suffix == ".csv"]
    if not found:
        raise InputError(f"{folder} holds no CSV file, wanted one or more of {what}")
    others = [path.name for path in files if path.suffix != ".csv"]
    return found, [f"not read, no .csv file: {folder / other}" for other in others]


def left_out(what: str, files: Collection[str], only: Collection[str]) -> list[str]:
    """Notes on what a spec names and no file holds, and on files that it does not name.

    Args:
        what: the files hold.
        files: names that they have.
        only: names that are wanted.
    """
    other, lacking = sorted({*files} - {*only}), sorted({*only} - {*files})
    return [
        *([f"{what} without a file, which the spec names: {', '.join(lacking)}"] if lacking else []),
        *([f"{what} not read, for the spec does not name them: {_some(other)}"] if other else []),
    ]


def _some(names: list[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


@contextmanager
def blamed(path: Path) -> Iterator[None]:
    """Whatever is refused inside is refused in the name of this file."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
