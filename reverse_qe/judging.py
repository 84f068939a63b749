"""`reverse_qe.evidence`: every test that can be made of a run, as a function."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtests.archive.stored import MANIFEST, RUNS, StoredRun, read_run
from backtests.archive.trials.reading import trials_of
from backtests.evidence.table import EvidenceTable, Question
from backtests.evidence.trials import TrialCount
from backtests.prepare.stages import tell_nobody
from backtests.run import Backtest, run_backtest
from backtests.spec.spec import load_spec
from backtests.studies.evidence.of_run import run_evidence
from backtests.studies.evidence.of_sweep import WRITTEN, read_swept, rows_json, sweep_evidence
from backtests.studies.sweeps.folder import ABOUT, read_about
from data.errors import InputError
from data.files.atomic import write_whole
from data.files.paths import usable_path
from data.market.snapshot import Snapshot
from data.markets import open_market
from reverse_qe.arguments import as_day
from reverse_qe.pages.studies.evidence import evidence_page
from reverse_qe.results import BacktestResult
from reverse_qe.sweeping import SWEEPS, SweepResult
from reverse_qe.words.evidence_table import conclusion

# By which a return that was written may differ from the same one today.
ROUNDING = 1e-9


@dataclass(frozen=True, repr=False, eq=False)
class EvidenceResult:
    """All tests of one thing.

    Attributes:
        kind: run, sweep, account or file.
        name: of what was judged.
        market: it was run on; empty for a file of returns.
        simulated: whether the market is made up.
        first: its first session.
        last: its last session.
        sessions: their number.
        table: what the tests say.
    """

    kind: str
    name: str
    market: str
    simulated: bool
    first: pd.Timestamp
    last: pd.Timestamp
    sessions: int
    table: EvidenceTable

    @property
    def title(self) -> str:
        """What was judged, on one line."""
        label = "SIMULATED market" if self.simulated else "market"
        where = f" on {label} {self.market}" if self.market else ""
        return f"Evidence of {self.name}{where}, {self.first.date()} to {self.last.date()} ({self.sessions:,} sessions)"

    @property
    def values(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "kind": self.kind,
            "name": self.name,
            "market": self.market,
            "simulated": self.simulated,
            "first_session": str(self.first.date()),
            "last_session": str(self.last.date()),
            "sessions": self.sessions,
            "is_skill": self.table.is_skill,
            "rows": [row.as_json() for row in self.table.rows],
        }

    def page(self) -> str:
        """The table as a page that is complete in itself."""
        return evidence_page(self.table, self.title, self.simulated)

    def __repr__(self) -> str:
        return f"{self.title}\n{conclusion(self.table)}"


def evidence(
    of: str | Path | BacktestResult | SweepResult,
    *,
    market: str | Snapshot | None = None,
    trials: int | None = None,
    idea_known: date | str | None = None,
    report: Callable[[str], None] = tell_nobody,
) -> EvidenceResult:
    """Make every test that something allows: is it luck, timing, its markets, one stay, and would it last.

    Args:
        of: the folder of a run or of a sweep, its name below ``runs`` or ``sweeps``, or a result of
            `reverse_qe.backtest` or `reverse_qe.sweep`.
        market: that the run was made on, where it goes by another name now.
        trials: how many variants were tried, this one among them, where the user knows of more than were counted.
        idea_known: day on which the idea was published, in place of the spec's.
        report: is told each stage as it begins.

    Raises:
        InputError: there is no such run, its market is gone or another one, or it is too short.
    """
    if isinstance(of, SweepResult):
        return _of_sweep(of.folder, market, trials, report)
    if not isinstance(of, BacktestResult):
        path = _folder(usable_path(of))
        if (path / ABOUT).is_file():
            return _of_sweep(path, market, trials, report)
    run = of.run if isinstance(of, BacktestResult) else _run_again(read_run(path), market, report)
    known = counted_trials(trials, run.snapshot.simulated)
    day = as_day(idea_known, "idea_known")
    table = run_evidence(run, known, None if day is None else day.date(), report)
    return EvidenceResult(
        kind="run",
        name=run.spec.run.name,
        market=run.snapshot.name,
        simulated=run.snapshot.simulated,
        first=run.sessions[0],
        last=run.sessions[-1],
        sessions=len(run.sessions),
        table=table,
    )


def counted_trials(stated: int | None, simulated: bool) -> TrialCount:
    """The trials of the project in whose folder this process works, or more where a user states more.

    Raises:
        InputError: fewer are stated than were counted; the log does not verify, or cannot be read.
    """
    try:
        counted = trials_of(simulated=simulated)
    except (OSError, ValueError) as error:
        raise InputError(f"the log of trials cannot be read: {error}; see: reverse-qe runs trials") from error
    return counted if stated is None else counted.stated(stated)


def _folder(path: Path) -> Path:
    """The folder that is meant: a path, or a name below the folder of runs or of sweeps."""
    for folder in (path, RUNS / path, SWEEPS / path):
        if (folder / MANIFEST).is_file() or (folder / ABOUT).is_file():
            return folder
    raise InputError(
        f"got {path}, wanted the folder of a run or of a sweep, or its name below {RUNS}/ or {SWEEPS}/; see: "
        "reverse-qe runs list"
    )


def _of_sweep(
    folder: Path, market: str | Snapshot | None, trials: int | None, report: Callable[[str], None]
) -> EvidenceResult:
    """The tests of a sweep; what nothing but the sweep decides is written beside it."""
    report("market")
    named = read_about(folder)["market"] if market is None else market
    snapshot = named if isinstance(named, Snapshot) else open_market(named)
    report("returns")
    swept = read_swept(folder, snapshot)
    table = sweep_evidence(swept, folder, counted_trials(trials, snapshot.simulated), report)
    text = rows_json(table.of(Question.SWEEP))
    try:
        write_whole(folder / WRITTEN, text, replace=True)
    except OSError as error:
        raise InputError(f"cannot write {folder / WRITTEN}: {error.strerror}; mend that") from error
    return EvidenceResult(
        kind="sweep",
        name=f"{swept.asked:,} variants of {swept.name}",
        market=snapshot.name,
        simulated=snapshot.simulated,
        first=swept.sessions[0],
        last=swept.sessions[-1],
        sessions=len(swept.sessions),
        table=table,
    )


def _run_again(stored: StoredRun, market: str | Snapshot | None, report: Callable[[str], None]) -> Backtest:
    """The run from its own spec and market: it must come out as it was written."""
    report("market")
    named = stored.manifest["market"] if market is None else market
    snapshot = named if isinstance(named, Snapshot) else open_market(named)
    wanted = stored.manifest.get("snapshot_hash")
    if snapshot.content_hash != wanted:
        raise InputError(
            f"got market {snapshot.name} with the content {snapshot.content_hash[:12]}, wanted that of the run, "
            f"{str(wanted)[:12]}; name its market by --market, or run the spec again: "
            f"reverse-qe backtest {stored.folder / 'spec.toml'}"
        )
    spec = load_spec(stored.folder / "spec.toml")
    run = run_backtest(spec, snapshot, report, stored.manifest.get("engine", "event"))
    _require_same(run, stored)
    return run


def _require_same(run: Backtest, stored: StoredRun) -> None:
    again = f"run the spec again: reverse-qe backtest {stored.folder / 'spec.toml'}"
    try:
        written = pd.read_csv(stored.folder / "returns.csv", index_col="session", parse_dates=["session"])["strategy"]
        values = written.to_numpy(dtype="float64")
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{stored.folder / 'returns.csv'} cannot be read: {error}; {again}") from error
    if not pd.DatetimeIndex(written.index).equals(run.sessions):
        raise InputError(
            f"got a run of {len(written)} sessions in {stored.folder}, which is now one of {len(run.sessions)}; {again}"
        )
    difference = np.abs(values - run.returns["strategy"].to_numpy())
    if not difference.max() <= ROUNDING:
        day = run.sessions[int(np.nanargmax(difference))].date()
        raise InputError(
            f"got returns in {stored.folder} that this version does not give (on {day} they differ by "
            f"{np.nanmax(difference):.1e}), wanted the run of this version; {again}"
        )
