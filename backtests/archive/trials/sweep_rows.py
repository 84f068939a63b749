"""What the log tells of a sweep: one row for all of its variants, with the returns of some of them."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtests.archive.changes import told_by_change
from backtests.archive.trials.rows import MIX, Columns, begun, key_of
from backtests.evidence.trials import Tried, count_trials
from backtests.run import Backtest
from backtests.studies.sweeps.folder import about_sweep
from backtests.studies.sweeps.report import SweepReport, static_mix_returns
from backtests.studies.sweeps.sweep import Sweep

# Of more variants so many are kept, evenly spaced, the best among them.
SERIES = 500
CHAIN = "walk-forward"
# What a sweep is by what was asked.
_ASKED = ("keys", "values", "chosen", "grid", "variants", "first_session", "last_session")


def sweep_row(
    sweep: Sweep, table: Path, report: SweepReport, project: Path, choosing: str | None, chain: Backtest | None
) -> tuple[dict[str, Any], Columns]:
    """A sweep, and the daily returns of the static mix, of up to `SERIES` variants by number, and of a walk-forward.

    A variant that could not be run is no trial. A walk-forward is one more.

    Args:
        sweep: that was run.
        table: of its variants, the file.
        report: on them.
        project: see `backtests.archive.trials.project.project_folder`.
        choosing: how the walk-forward chose, in words; None: there was none.
        chain: its tests as one run.
    """
    snapshot, about, sessions = sweep.asked.snapshot, about_sweep(sweep), sweep.base.panel.sessions[1:]
    best = report.best[0]
    columns = _columns(sweep, table, best, chain)
    valid = pd.read_parquet(table, columns=["is_valid"])["is_valid"].sum()
    row = {
        **begun("sweep", snapshot, project),
        "key": key_of(project, snapshot.content_hash, {key: about[key] for key in _ASKED}, choosing),
        "trials": int(valid) + (chain is not None),
        "run_id": None if chain is None else chain.run_id,
        "label": None,
        **told_by_change(sweep.spec, snapshot.simulated),
        "grid": {"keys": about["keys"], "hash": about["grid"], "drawn": about["chosen"], "walk_forward": choosing},
        "variants": report.variants,
        "best": {
            "variant": best,
            "by": report.by,
            "settings": {key: str(value) for key, value in sweep.asked.grid.settings(best).items()},
        },
        "table": hashlib.sha256(table.read_bytes()).hexdigest(),
        "engine": "vector",
        "first_session": about["first_session"],
        "last_session": about["last_session"],
        "sessions": len(sessions),
    }
    return {**row, "effective": count_trials(as_tried(row, columns, sessions)).effective}, columns


def as_tried(row: Mapping[str, Any], columns: Columns, sessions: pd.DatetimeIndex) -> list[Tried]:
    """The series of a row less the static mix, each with the trials that it stands for."""
    mix = columns[MIX]
    variants = {name: each for name, each in columns.items() if name not in (MIX, CHAIN)}
    of_one = (row["trials"] - (CHAIN in columns)) / max(len(variants), 1)
    found = [Tried(pd.Series(each - mix, sessions), of_one) for each in variants.values()]
    return found + [Tried(pd.Series(columns[name] - mix, sessions)) for name in columns if name == CHAIN]


def _columns(sweep: Sweep, table: Path, best: int, chain: Backtest | None) -> Columns:
    valid = np.flatnonzero(pd.read_parquet(table, columns=["is_valid"])["is_valid"].to_numpy())
    some = valid[np.linspace(0, len(valid) - 1, min(SERIES - 1, len(valid))).astype(int)]
    numbers = np.unique(np.append(some, best))
    sessions = sweep.base.panel.sessions[1:]
    ran = sweep.run_numbers(numbers, keep_returns=True)
    from_the_end = "run.end" not in sweep.asked.grid.keys
    columns = {MIX: static_mix_returns(sweep.base)[1].to_numpy(dtype="float64")}
    for number, returns in zip(numbers.tolist(), ran["returns"], strict=True):
        columns[str(number)] = _fitted(np.array(returns, dtype="float64"), len(sessions), from_the_end)
    if chain is not None:
        columns[CHAIN] = chain.returns["strategy"].reindex(sessions).to_numpy(dtype="float64")
    return columns


def _fitted(returns: np.ndarray, sessions: int, from_the_end: bool) -> np.ndarray:
    """Returns on the sessions of the spec itself; no number on those that the variant does not have."""
    fitted = np.full(sessions, np.nan)
    count = min(len(returns), sessions)
    if from_the_end:
        fitted[sessions - count :] = returns[len(returns) - count :]
    else:
        fitted[:count] = returns[:count]
    return fitted
