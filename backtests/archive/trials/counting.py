"""Count a trial, and read what was counted; counting never fails a run, and says so where it did not happen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from backtests.archive.trials.lines import RETURNS, log_folder
from backtests.archive.trials.log import add_trial
from backtests.archive.trials.project import project_folder
from backtests.archive.trials.rows import MIX, Columns, backtest_row
from backtests.archive.trials.series import read_series
from backtests.archive.trials.verify import verify_log
from backtests.evidence.trials import TrialCount, Tried, count_trials
from backtests.run import Backtest
from data.clock import sessions_between
from data.errors import InputError


class NotCountedWarning(UserWarning):
    """A result was not counted among the trials, though it was asked for: the log could not be written."""


@dataclass(frozen=True)
class Counted:
    """Whether a result was counted among what was tried.

    Attributes:
        row: of the log; None where it was not counted.
        is_new: whether the row was added now, and not by the same trial before.
        reason: why it was not counted; empty where it was.
    """

    row: Mapping[str, Any] | None
    is_new: bool = False
    reason: str = ""

    @property
    def trials(self) -> int | None:
        """How many trials the project had with this one, on the same kind of market; None: unknown."""
        return None if self.row is None else int(self.row["so_far"]["trials"])


NOT_ASKED = Counted(None, reason="count=False")


def count_backtest(run: Backtest, label: str | None = None) -> Counted:
    """Count a backtest as a trial of the project in whose folder this process works."""
    try:
        return _counted(*backtest_row(run, project_folder(), label))
    except Exception as error:  # a run never fails because of the log, whatever has become of it
        return Counted(None, reason=" ".join(str(error).split()) or type(error).__name__)


def _counted(row: dict[str, Any], columns: Columns) -> Counted:
    added = add_trial(log_folder(), row, columns)
    return Counted(added.row, added.is_new)


def trials_of(project: Path | None = None, simulated: bool = False) -> TrialCount:
    """How many trials a project has made, and as how many independent ones they count.

    Args:
        project: None: the one in whose folder this process works.
        simulated: whether those on simulated markets are meant, or those on real ones.

    Raises:
        InputError: the log does not verify.
        OSError: it cannot be read.
    """
    folder = log_folder()
    verified = verify_log(folder)
    if verified.faults:
        raise InputError(f"got a log of trials that does not verify: {verified.faults[0]}; see: reverse-qe runs trials")
    place = str(project_folder() if project is None else project)
    return count_trials(tried_in(folder, [row for row in verified.rows if row.get("project") == place], simulated))


def tried_in(folder: Path, rows: Sequence[Mapping[str, Any]], simulated: bool) -> list[Tried]:
    """The series behind rows of a log, each less its static mix.

    Args:
        folder: of the log.
        rows: of it.
        simulated: whether those on simulated markets are meant, or those on real ones.

    Raises:
        ValueError: series of a row cannot be read.
    """
    found = []
    for row in rows:
        if row.get("simulated") is not simulated:
            continue
        series = read_series(folder / RETURNS, row, None if row["kind"] == "sweep" else ("strategy", MIX))
        days = sessions_between(pd.Timestamp(row["first_session"]), pd.Timestamp(row["last_session"]))
        mix = series.pop(MIX)
        found += [Tried(pd.Series(each - mix, days), row["trials"] / len(series)) for each in series.values()]
    return found
