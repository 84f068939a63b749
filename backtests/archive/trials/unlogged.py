"""Runs that lie in a project and of which the log says nothing: it may be an older copy of itself."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backtests.archive.stored import MANIFEST, RUNS, StoredRun, format_of, read_run, run_folders
from backtests.archive.trials.rows import asked_of, key_of
from backtests.spec.spec import COPIES
from data.errors import InputError

# Runs of earlier formats were made before there was a log.
FIRST_LOGGED = 2


def unlogged_runs(project: Path, rows: Sequence[Mapping[str, Any]]) -> list[StoredRun]:
    """Find the runs below a project's folder of runs, or the current one's, that no row of the log tells of.

    Args:
        project: its folder.
        rows: of the log, of that project.
    """
    ids, keys = {row.get("run_id") for row in rows}, {row.get("key") for row in rows}
    found = {}
    for root in (project / RUNS, RUNS.absolute()):
        for folder in _folders(root):
            # Most are known by their id alone, which needs no more than the manifest.
            if _told(folder).get("run_id") in ids or format_of(_told(folder)) < FIRST_LOGGED:
                continue
            run = _read(folder)
            if run is not None and _key(run, project) not in keys:
                found[folder.resolve()] = run
    return list(found.values())


def _folders(root: Path) -> list[Path]:
    try:
        return run_folders(root)
    except OSError:
        return []


def _told(folder: Path) -> Mapping[str, Any]:
    try:
        told = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _read(folder: Path) -> StoredRun | None:
    try:
        return read_run(folder)
    except (InputError, OSError):
        return None


def _key(run: StoredRun, project: Path) -> str | None:
    """Of the trial that it was, whatever its name and the engine that played it; None where that cannot be told."""
    copies = run.folder / COPIES
    try:
        kept = [path for path in copies.glob("*") if path.is_file()]
        files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}
        return key_of(project, str(run.manifest.get("snapshot_hash")), asked_of(run.spec), files)
    except (InputError, OSError):
        return None
