"""The returns of a trial, in a file that is named by its content: an array of numpy, a row a series."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from data.files.atomic import write_whole

# Two runs of one spec on one market whose returns differ by less are one trial, whatever played them.
SAME = 1e-6


def keep_series(folder: Path, columns: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Keep series, and say in the form of a row how to find them again.

    Args:
        folder: of all such files.
        columns: daily returns by name, all of the same sessions; seven digits of them are kept.

    Raises:
        OSError: they cannot be written.
    """
    written = io.BytesIO()
    np.save(written, np.stack(list(columns.values())).astype("<f4"), allow_pickle=False)
    content = written.getvalue()
    name = hashlib.sha256(content).hexdigest()
    if not _path(folder, name).exists():
        write_whole(_path(folder, name), content, replace=True)
    return {"file": name, "columns": list(columns)}


def read_series(folder: Path, row: Mapping[str, Any], names: Sequence[str] | None = None) -> dict[str, np.ndarray]:
    """The series of a row, or some of them, by name.

    Raises:
        ValueError: they are not what was written, or not there.
    """
    try:
        kept = row["returns"]
        table = np.load(_path(folder, kept["file"]), mmap_mode="r", allow_pickle=False)
        columns = kept["columns"]
        wanted = columns if names is None else [name for name in names if name in columns]
        found = {name: np.asarray(table[columns.index(name)], dtype="float64") for name in wanted}
    except (OSError, ValueError, KeyError, TypeError, IndexError, EOFError, AttributeError) as error:
        raise ValueError(f"the returns of row {row.get('row')} cannot be read: {error}") from error
    if table.ndim != 2 or len(table) != len(columns):
        raise ValueError(f"the returns of row {row.get('row')} are {table.shape}, wanted {len(columns)} series")
    return found


def is_whole(folder: Path, row: Mapping[str, Any]) -> bool:
    """Whether the series of a row are there, to the byte."""
    try:
        name = str(row["returns"]["file"])
        return hashlib.sha256(_path(folder, name).read_bytes()).hexdigest() == name
    except (OSError, KeyError, TypeError, ValueError):
        return False


def is_same(folder: Path, row: Mapping[str, Any], columns: Mapping[str, np.ndarray]) -> bool:
    """Whether the series of a row are others, name by name."""
    try:
        found = read_series(folder, row)
    except ValueError:
        return False
    return found.keys() == columns.keys() and all(
        each.shape == columns[name].shape
        and bool(np.allclose(each, columns[name], rtol=0.0, atol=SAME, equal_nan=True))
        for name, each in found.items()
    )


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}.npy"
