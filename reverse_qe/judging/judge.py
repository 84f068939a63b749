"""`reverse_qe.evidence`: every test that can be made of a run, as a function."""

import shlex
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from backtests.archive.named import SeveralRunsError, find_run
from backtests.archive.stored import MANIFEST, RUNS, StoredRun, read_run
from backtests.archive.trials.beside import write_beside_log
from backtests.evidence.table import Question
from backtests.evidence.trials import TrialCount
from backtests.prepare.stages import tell_nobody
from backtests.run import Backtest, run_backtest
from backtests.spec.spec import is_shipped, load_spec
from backtests.studies.evidence.of_registration import is_registration
from backtests.studies.evidence.of_run import run_evidence
from backtests.studies.evidence.of_sweep import WRITTEN, read_swept, rows_json, sweep_evidence
from backtests.studies.sweeps.folder import ABOUT, read_about
from data.errors import InputError
from data.files.atomic import write_whole
from data.files.paths import usable_path
from data.market.snapshot import Snapshot
from data.markets import open_market
from paper.config import DEFAULT_FILE
from reverse_qe.arguments import as_day
from reverse_qe.judging.registration import judge_registration
from reverse_qe.judging.result import EvidenceResult, counted_trials
from reverse_qe.judging.returns import judge_account, judge_file
from reverse_qe.results import BacktestResult
from reverse_qe.sweeping import SWEEPS, SweepResult

Report = Callable[[str], None]
# By which a return that was written may differ from the same one today.
ROUNDING = 1e-9


def evidence(
    of: str | Path | BacktestResult | SweepResult,
    *,
    market: str | Snapshot | None = None,
    strategy: str | None = None,
    rival: str | None = None,
    trials: int | None = None,
    idea_known: date | str | None = None,
    report: Report = tell_nobody,
) -> EvidenceResult:
    """Make every test that something allows: is it luck, timing, its markets, one stay, and would it last.

    Args:
        of: the folder of a run or of a sweep, or its name below ``runs`` or ``sweeps``; the TOML file of a paper
            account, or of a registration; a CSV or Parquet file of daily returns; or a result of `reverse_qe.backtest`
            or `reverse_qe.sweep`.
        market: that the run was made on, where it goes by another name now; of a file, the market that holds what its
            returns are held against; of a registration, one that has gone on.
        strategy: column of the file that is judged; None: the first.
        rival: column that it is judged by; None: the second.
        trials: how many variants were tried, this one among them, where the user knows of more than were counted.
        idea_known: day on which the idea was published, in place of the spec's.
        report: is told each stage as it begins.

    Raises:
        InputError: there is nothing of this name, its market is gone or another one, or it is too short.
    """
    known = as_day(idea_known, "idea_known")
    day = None if known is None else known.date()
    columns = {"strategy": strategy, "rival": rival}
    if isinstance(of, BacktestResult):
        _refuse("a run that is there", columns | {"market": market})
        return _of_run(of.run, counted_trials(trials, of.run.snapshot.simulated), day, report)
    path = of.folder if isinstance(of, SweepResult) else _found(usable_path(of))
    if path.is_dir() and (path / ABOUT).is_file():
        _refuse("a sweep", columns | {"idea_known": idea_known})
        return _of_sweep(path, market, trials, report)
    if path.is_dir():
        _refuse("a run", columns)
        stored = read_run(path)
        # Before the run is made again, which takes longer than to refuse it.
        counted = counted_trials(trials, stored.manifest["simulated"])
        return _of_run(_run_again(stored, market, report), counted, day, report)
    if path.suffix == ".toml" and is_registration(path):
        _refuse("a registration", columns | {"trials": trials, "idea_known": idea_known})
        return judge_registration(path, market, report)
    if path.suffix == ".toml":
        _refuse("an account", columns | {"market": market})
        return judge_account(path, trials, day, report)
    return judge_file(path, strategy, rival, market, trials, day, report)


def _refuse(what: str, given: Mapping[str, object]) -> None:
    """Refuse what would change nothing."""
    if named := [name for name, value in given.items() if value is not None]:
        raise InputError(f"got {', '.join(named)} for {what}, wanted it where it changes something; leave it out")


def _of_run(run: Backtest, counted: TrialCount, idea_known: date | None, report: Report) -> EvidenceResult:
    table = run_evidence(run, counted, idea_known, report)
    result = EvidenceResult(
        kind="run",
        name=run.spec.run.name,
        market=run.snapshot.name,
        simulated=run.snapshot.simulated,
        first=run.sessions[0],
        last=run.sessions[-1],
        sessions=len(run.sessions),
        table=table,
    )
    write_beside_log(f"evidence-of-run-{run.run_id}", result.values, counted)
    return result


def run_to_judge(
    of: str | Path | BacktestResult, market: str | Snapshot | None = None, report: Callable[[str], None] = tell_nobody
) -> Backtest:
    """A run as it was written, from its own spec and market; arguments and errors as for `evidence`."""
    if isinstance(of, BacktestResult):
        return of.run
    path = _found(usable_path(of))
    if not (path / MANIFEST).is_file() or (path / ABOUT).is_file():
        raise InputError(f"got {path}, wanted the folder of a run, which alone can be played with other names")
    return _run_again(read_run(path), market, report)


def _found(path: Path) -> Path:
    """The folder or file that is meant: a path, a name below the folder of runs or of sweeps, or of a run otherwise."""
    for folder in (path, RUNS / path, SWEEPS / path):
        if (folder / MANIFEST).is_file() or (folder / ABOUT).is_file():
            return folder
    if path.is_dir() and (path / DEFAULT_FILE).is_file():
        return path / DEFAULT_FILE
    if path.is_file() and path.suffix in (".csv", ".parquet", ".toml"):
        return path
    try:
        return find_run(path)
    except SeveralRunsError:
        raise
    except InputError:  # there is more that it could have meant
        pass
    if is_shipped(path):
        raise InputError(f"got the spec {path}, wanted a run of it: reverse-qe backtest {path}")
    raise InputError(
        f"got {path}, wanted the folder of a run or of a sweep, or its name below {RUNS}/ or {SWEEPS}/, the TOML file "
        "of an account or a registration, or a CSV or Parquet file of daily returns; see: reverse-qe runs list"
    )


def _of_sweep(folder: Path, market: str | Snapshot | None, trials: int | None, report: Report) -> EvidenceResult:
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


def _run_again(stored: StoredRun, market: str | Snapshot | None, report: Report) -> Backtest:
    """The run from its own spec and market: it must come out as it was written."""
    report("market")
    named = stored.manifest["market"] if market is None else market
    snapshot = named if isinstance(named, Snapshot) else open_market(named)
    wanted = stored.manifest.get("snapshot_hash")
    if snapshot.content_hash != wanted:
        raise InputError(
            f"got market {snapshot.name} with the content {snapshot.content_hash[:12]}, wanted that of the run, "
            f"{str(wanted)[:12]}; name its market by --market, or run the spec again: "
            f"reverse-qe backtest {shlex.quote(str(stored.folder / 'spec.toml'))}"
        )
    spec = load_spec(stored.folder / "spec.toml")
    run = run_backtest(spec, snapshot, report, stored.manifest.get("engine", "event"))
    _require_same(run, stored)
    return run


def _require_same(run: Backtest, stored: StoredRun) -> None:
    again = f"run the spec again: reverse-qe backtest {shlex.quote(str(stored.folder / 'spec.toml'))}"
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
