"""Count a trial, and read what was counted; counting never fails a run, and says so where it did not happen."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backtests.archive.trials.lines import log_folder
from backtests.archive.trials.log import add_trial
from backtests.archive.trials.project import project_folder
from backtests.archive.trials.rows import Columns, backtest_row
from backtests.archive.trials.sweep_rows import sweep_row
from backtests.run import Backtest
from backtests.studies.sweeps.report import SweepReport
from backtests.studies.sweeps.sweep import Sweep
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


def warn_if_not_counted(counted: Counted) -> None:
    """Warn the caller of the caller's caller where a result was to be counted and was not."""
    if counted.row is None and counted is not NOT_ASKED:
        warnings.warn(f"not counted as a trial: {counted.reason}", NotCountedWarning, stacklevel=3)


@contextmanager
def warned_otherwise() -> Iterator[None]:
    """Let nobody be warned inside: the caller tells what was not counted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotCountedWarning)
        yield


def count_backtest(run: Backtest, label: str | None = None) -> Counted:
    """Count a backtest as a trial of the project in whose folder this process works."""
    try:
        return _counted(*backtest_row(run, project_folder(), label))
    except Exception as error:  # a run never fails because of the log, whatever has become of it
        return Counted(None, reason=" ".join(str(error).split()) or type(error).__name__)


def count_sweep(
    sweep: Sweep, table: Path, report: SweepReport, choosing: str | None = None, chain: Backtest | None = None
) -> Counted:
    """Count a sweep; see `backtests.archive.trials.sweep_rows.sweep_row`."""
    try:
        return _counted(*sweep_row(sweep, table, report, project_folder(), choosing, chain))
    except Exception as error:  # as above
        return Counted(None, reason=" ".join(str(error).split()) or type(error).__name__)


def _counted(row: dict[str, Any], columns: Columns) -> Counted:
    added = add_trial(log_folder(), row, columns)
    counted = Counted(added.row, added.is_new)
    try:
        assert counted.trials is not None
        int(added.row["trials"])
    except (AssertionError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"row {added.row['row']} of the log, of the same trial, was changed") from error
    return counted
