"""Runs that were written: found, read, and checked for what is asked of them, so that a bad one costs its own line."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import InputError
from data.files.paths import usable_path

if TYPE_CHECKING:
    from backtests.spec.spec import Spec

RUNS = Path("runs")
MANIFEST, METRICS, LABEL = "manifest.json", "metrics.json", "label.txt"
LONGEST_LABEL = 100
# The name that a run's folder gets of itself; the run's id stands at its end.
OWN_NAME = re.compile(r"\d{8}T\d{6}Z-.*-([0-9a-f]{12})(?:-\d+)?")
# Of a run's folder; the first, of reverse-qe 0.1.0, did not say its number, and has no trades, attribution or changes.
FORMAT = 2
# What every version has written, and of which kind it is.
_TOLD = {"run_id": str, "spec": str, "market": str, "first_session": str, "last_session": str, "simulated": bool}


@dataclass(frozen=True, eq=False)
class StoredRun:
    """A run that was written: its folder, manifest and metrics."""

    folder: Path
    manifest: Mapping[str, Any]
    metrics: Mapping[str, Any]

    @cached_property
    def label(self) -> str:
        """Words of the user that name it; empty where there are none."""
        return label_of(self.folder)

    @property
    def name(self) -> str:
        """What it can be called by: the folder's name, or the run's id where the folder has one that nobody chose."""
        made = OWN_NAME.fullmatch(self.folder.name)
        return made[1] if made is not None and made[1] == self.manifest["run_id"] else self.folder.name

    @cached_property
    def spec(self) -> "Spec":
        """The spec, as the version that wrote it meant it.

        Raises:
            InputError: it cannot be read.
        """
        from backtests.spec.spec import read_written_spec  # lists of runs need none of it

        path = self.folder / "spec.toml"
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise InputError(f"{path} cannot be read: {error}; wanted the spec of a run") from error
        return read_written_spec(text, str(path))[0]

    @cached_property
    def changes(self) -> Mapping[str, Any]:
        """What the spec changes of a shipped one, by dotted key; see `backtests.archive.changes.told_by_change`."""
        told = self.manifest.get("differs")
        if isinstance(told, dict):
            return told
        from backtests.archive.changes import told_by_change

        try:
            found: Mapping[str, Any] = told_by_change(self.spec, self.manifest["simulated"])["differs"]
        except InputError:
            return {}
        return found


def stored_runs(root: Path = RUNS, newest: int | None = None) -> tuple[list[StoredRun], list[str], int]:
    """The runs below a folder, oldest first by the folder's name.

    What begins with a dot is none: it is being written, or was when its process was killed.

    Args:
        root: folder in which they lie.
        newest: so many are read, from the end; None: all.

    Returns:
        The runs, a line for each that cannot be read, and how many there are with those that were not read.

    Raises:
        InputError: `root` is no folder, and not the default one either, which the first run makes.
    """
    folder = usable_path(root)
    if not folder.is_dir():
        if folder == RUNS and not folder.exists():
            return [], [], 0
        raise InputError(f"got {folder}, wanted the folder in which runs lie; there is no such folder")
    runs, faults = [], []
    try:
        folders = run_folders(folder)
    except OSError as error:
        raise InputError(
            f"the folder {folder} cannot be read: {error.strerror}; wanted the one in which runs lie"
        ) from error
    for each in folders if newest is None else folders[max(len(folders) - newest, 0) :]:
        try:
            runs.append(read_run(each))
        except (InputError, OSError) as error:
            faults.append(str(error))
    return runs, faults, len(folders)


def run_folders(root: Path = RUNS) -> list[Path]:
    """Every folder below another that has a run's manifest, by name; what begins with a dot is being written.

    Raises:
        OSError: it cannot be read.
    """
    names = sorted(each.name for each in root.iterdir())
    return [root / name for name in names if not name.startswith(".") and _has_manifest(root / name)]


def _has_manifest(folder: Path) -> bool:
    try:
        return (folder / MANIFEST).is_file()
    except OSError:
        return False


def read_run(folder: Path) -> StoredRun:
    """Read a run's manifest and metrics.

    Raises:
        InputError: the folder is none of a run, or they do not hold what every run has told.
    """
    usable_path(folder)
    manifest, metrics = (_read_object(folder, name) for name in (MANIFEST, METRICS))
    for key, kind in _TOLD.items():
        if not isinstance(manifest.get(key), kind):
            raise _no_run(folder, f"{MANIFEST} has no {key}")
    for key in ("warnings", "notes"):
        told = manifest.get(key, [])
        if not isinstance(told, list) or not all(isinstance(each, str) for each in told):
            raise _no_run(folder, f"the {key} of {MANIFEST} are no texts")
    if (number := format_of(manifest)) > FORMAT:
        raise InputError(
            f"{folder} is a run of format {number}, wanted one of 1 to {FORMAT}: a later version wrote it; use that one"
        )
    tables = {name: each for name, each in metrics.items() if not name.startswith("by_")}
    tables |= {f"by_regime.{name}": each for name, each in _object(metrics.get("by_regime")).items()}
    for name, measures in ({"strategy": None} | tables).items():
        if not isinstance(measures, dict) or not all(map(_is_number, measures.values())):
            raise _no_run(folder, f"{METRICS} has no measures of {name}")
    return StoredRun(folder, manifest, metrics)


def label_of(folder: Path) -> str:
    """Words of the user that name a run; empty where there are none that can be read."""
    path = folder / LABEL
    try:
        return path.read_text(encoding="utf-8").strip()[:LONGEST_LABEL] if path.is_file() else ""
    except (OSError, ValueError):
        return ""


def format_of(manifest: Mapping[str, Any]) -> int:
    """The format of a run's folder; one that does not say so is the first."""
    number = manifest.get("format", 1)
    return number if type(number) is int else 1


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _read_object(folder: Path, name: str) -> dict[str, Any]:
    try:
        value = json.loads((folder / name).read_bytes(), parse_constant=_no_constant)
    except OSError as error:
        raise _no_run(folder, f"{name}: {error.strerror}") from error
    # Of text that is no JSON or no UTF-8, and of brackets nested too deep.
    except (ValueError, RecursionError) as error:
        raise _no_run(folder, f"{name} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise _no_run(folder, f"{name} is no JSON object")
    return value


def _is_number(value: Any) -> bool:
    """Whether it is a number as JSON has it and as it can be shown, or none."""
    return value is None or (isinstance(value, int | float) and abs(value) < 1e300)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _no_run(folder: Path, reason: str) -> InputError:
    return InputError(
        f"{folder} is no run folder ({reason}); wanted one that backtest wrote; see: reverse-qe runs list"
    )
