"""What the log tells of a trial: which spec on which market, and what it came to."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from backtests.archive.changes import told_by_change
from backtests.run import RIVALS, Backtest
from backtests.spec.spec import Spec
from data.files.user_code import UserFile
from data.market.snapshot import Snapshot

MIX = "static_mix"
_BESIDE = ("benchmark", MIX, *RIVALS)
# They change no result, and where a market is kept is no part of what it holds.
_NAMES = ("run.name", "run.market", "universe.hindsight")

Columns = dict[str, np.ndarray]


def backtest_row(run: Backtest, project: Path, label: str | None = None) -> tuple[dict[str, Any], Columns]:
    """A backtest, and the daily returns of the strategy, the benchmark, the static mix and the rivals.

    Args:
        run: finished.
        project: see `backtests.archive.trials.project.project_folder`.
        label: that the user gave it.
    """
    strategy, days = run.measures.strategy, run.sessions
    row = {
        **begun("backtest", run.snapshot, project),
        "key": key_of(project, run.snapshot.content_hash, asked_of(run.spec), _hashes(run.user_files)),
        "trials": 1,
        "run_id": run.run_id,
        "label": label,
        **told_by_change(run.spec, run.snapshot.simulated),
        "files": _hashes(run.user_files),
        "engine": run.prepared.engine,
        "first_session": str(days[0].date()),
        "last_session": str(days[-1].date()),
        "sessions": len(days),
        "cagr": strategy.cagr,
        "sharpe": strategy.sharpe,
    }
    beside = [name for name in _BESIDE if name in run.returns]
    return row, {name: run.returns[name].to_numpy(dtype="float64") for name in ("strategy", *beside)}


def begun(kind: str, snapshot: Snapshot, project: Path) -> dict[str, Any]:
    """What every row begins with; project and kind of market stand side by side, where they are looked for."""
    return {
        "kind": kind,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "project": str(project),
        "simulated": snapshot.simulated,
        "market": snapshot.name,
        "snapshot_hash": snapshot.content_hash,
    }


def asked_of(spec: Spec) -> dict[str, Any]:
    """What a spec asks for by dotted key, without what changes no result."""
    return {key: value for key, value in spec.by_key().items() if key not in _NAMES}


def key_of(project: Path, content_hash: str, *parts: Any) -> str:
    """What a trial is by what was asked, of a market's content, not by which code answered."""
    text = json.dumps([str(project), content_hash, *parts], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _hashes(files: Sequence[UserFile]) -> dict[str, str]:
    return {file.path.name: hashlib.sha256(file.content).hexdigest() for file in files}
