"""What a project has tried, as the log has it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from backtests.archive.stored import StoredRun
from backtests.archive.trials.lines import RETURNS, log_folder
from backtests.archive.trials.project import project_folder
from backtests.archive.trials.rows import MIX
from backtests.archive.trials.series import read_series
from backtests.archive.trials.sweep_rows import as_tried
from backtests.archive.trials.unlogged import unlogged_runs
from backtests.archive.trials.verify import Verified, verify_log
from backtests.evidence.trials import TrialCount, Tried, count_trials
from data.clock import sessions_between
from data.errors import InputError


@dataclass(frozen=True)
class ProjectTrials:
    """What was tried in a project.

    Attributes:
        project: its folder.
        folder: of the log.
        verified: the whole log, of all projects.
    """

    project: Path
    folder: Path
    verified: Verified

    @property
    def rows(self) -> list[Mapping[str, Any]]:
        """Those of the project, in the order of the log."""
        return [row for row in self.verified.rows if row.get("project") == str(self.project)]

    @cached_property
    def counts(self) -> dict[bool, TrialCount]:
        """The trials on simulated markets, and on real ones, where there are any; of a log with faults nothing."""
        if self.verified.faults:
            return {}
        tried = {simulated: tried_in(self.folder, self.rows, simulated) for simulated in (True, False)}
        return {simulated: count_trials(each) for simulated, each in tried.items() if each}

    @cached_property
    def unlogged(self) -> list[StoredRun]:
        """Runs below the project's folder of runs, or the current one's, that stand in no row."""
        return unlogged_runs(self.project, self.rows)

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        counts = {"simulated" if each else "real": asdict(count) for each, count in self.counts.items()}
        return {
            "project": str(self.project),
            "log": str(self.folder),
            "verifies": not self.verified.faults,
            "faults": list(self.verified.faults),
            "notes": list(self.verified.notes),
            "runs_in_no_row": [str(run.folder) for run in self.unlogged],
            "rows_of_all_projects": len(self.verified.rows),
            "counts": counts,
            "rows": self.rows,
        }


def read_project(project: Path | None = None) -> ProjectTrials:
    """Read what a project has tried, and verify the log.

    Args:
        project: its folder or one below it; None: the current one.

    Raises:
        InputError: no such folder, or the log cannot be read.
    """
    if project is not None and not project.is_dir():
        raise InputError(f"got the project {project}, wanted its folder; there is no such folder")
    folder = log_folder()
    try:
        return ProjectTrials(project_folder(project), folder, verify_log(folder))
    except OSError as error:
        raise InputError(f"the log of trials in {folder} cannot be read: {error}; check REVERSE_QE_HOME") from error


def trials_of(project: Path | None = None, simulated: bool = False) -> TrialCount:
    """How many trials a project has made, and as how many independent ones they count.

    Args:
        project: its folder or one below it; None: the current one.
        simulated: whether those on simulated markets are meant, or those on real ones.

    Raises:
        InputError: the log does not verify, or cannot be read.
    """
    found = read_project(project)
    if found.verified.faults:
        raise InputError(
            f"got a log of trials that does not verify: {found.verified.faults[0]}; see: reverse-qe runs trials"
        )
    return count_trials(tried_in(found.folder, found.rows, simulated))


def tried_in(folder: Path, rows: Sequence[Mapping[str, Any]], simulated: bool) -> list[Tried]:
    """The series behind rows of a log, each less its static mix.

    Args:
        folder: of the log.
        rows: of it.
        simulated: whether those on simulated markets are meant, or those on real ones.

    Raises:
        InputError: a row or its series cannot be read.
    """
    found, days_of = [], cache(_sessions)
    for row in rows:
        if row.get("simulated") is simulated:
            try:
                series = read_series(folder / RETURNS, row, None if row["kind"] == "sweep" else ("strategy", MIX))
                found += as_tried(row, series, days_of(row["first_session"], row["last_session"]))
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                raise InputError(
                    f"got row {row['row']} of the log of trials, which cannot be counted ({error}); wanted it as "
                    "it was written; see: reverse-qe runs trials"
                ) from error
    return found


def _sessions(first: str, last: str) -> pd.DatetimeIndex:
    return sessions_between(pd.Timestamp(first), pd.Timestamp(last))
