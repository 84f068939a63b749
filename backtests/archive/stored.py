"""Runs that were written: found, read, and checked for what is asked of them, so that a bad one costs its own line."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.errors import InputError
from data.files.paths import usable_path

RUNS = Path("runs")
MANIFEST, METRICS, LABEL = "manifest.json", "metrics.json", "label.txt"
# Of a run's folder; the first, of reverse-qe 0.1.0, did not say its number, and has no trades, attribution or changes.
FORMAT = 2
# What every version has written, and of which kind it is.
_TOLD = {"run_id": str, "spec": str, "market": str, "first_session": str, "last_session": str, "simulated": bool}


@dataclass(frozen=True)
class StoredRun:
    """A run that was written: its folder, manifest and metrics."""

    folder: Path
    manifest: Mapping[str, Any]
    metrics: Mapping[str, Any]


def stored_runs(root: Path = RUNS) -> tuple[list[StoredRun], list[str]]:
    """Every run below a folder, oldest first by the folder's name, and a line for each that cannot be read.

    What begins with a dot is none: it is being written, or was when its process was killed.

    Raises:
        InputError: `root` is no folder, and not the default one either, which the first run makes.
    """
    folder = usable_path(root)
    if not folder.is_dir():
        if folder == RUNS and not folder.exists():
            return [], []
        raise InputError(f"got {folder}, wanted the folder in which runs lie; there is no such folder")
    runs, faults = [], []
    try:
        names = sorted(each.name for each in folder.iterdir())
    except OSError as error:
        raise InputError(
            f"the folder {folder} cannot be read: {error.strerror}; wanted the one in which runs lie"
        ) from error
    for name in names:
        try:
            if not name.startswith(".") and (folder / name / MANIFEST).is_file():
                runs.append(read_run(folder / name))
        except (InputError, OSError) as error:
            faults.append(str(error))
    return runs, faults


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
