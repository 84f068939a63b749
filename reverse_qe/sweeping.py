"""`reverse_qe.sweep`: variants of a spec, as a function."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from backtests.archive.folder import unused, write_run
from backtests.archive.trials.counting import NOT_ASKED, Counted, count_sweep, warn_if_not_counted
from backtests.engines.batch import COUNTS, MEASURES
from backtests.engines.compiled import require_numba
from backtests.evidence.table import Row
from backtests.prepare.stages import tell_nobody
from backtests.run import Backtest, run_backtest
from backtests.studies.evidence.of_sweep import read_rows
from backtests.studies.sweeps.cluster import connected, require_scheduler, require_sendable
from backtests.studies.sweeps.confirm import Confirmed, confirm
from backtests.studies.sweeps.cross_validation import (
    CrossValidation,
    cross_validate,
    make_splits,
    require_same_sessions,
    require_splitter,
)
from backtests.studies.sweeps.folder import Report, read_table, run_into
from backtests.studies.sweeps.folder import tell_nobody as tell_no_count
from backtests.studies.sweeps.grid import AnySpec, Span, base_spec, make_grid
from backtests.studies.sweeps.report import SweepReport, report_sweep
from backtests.studies.sweeps.sweep import Sweep, SweepAsked
from backtests.studies.sweeps.walk_forward import (
    WalkForward,
    chain_spec,
    chained_weights,
    make_folds,
    require_chained,
    walk_forward,
    write_weights,
)
from data.errors import InputError
from data.files.atomic import remove_whole, write_whole
from data.files.paths import usable_path
from data.market.snapshot import BUILT_IN, Snapshot, is_built_in
from data.markets import open_market
from reverse_qe.arguments import as_day
from reverse_qe.pages.run import run_page
from reverse_qe.pages.studies.sweep import sweep_page
from reverse_qe.results import BacktestResult
from reverse_qe.words.evidence_table import sweep_sentences
from reverse_qe.words.runs.trials import counted_words

SWEEPS = Path("sweeps")
CHAIN = "walk-forward"
CROSS = "cpcv.json"
# Threads of a sweep.
MOST_JOBS = 256


@dataclass(frozen=True, repr=False, eq=False)
class SweepResult:
    """A finished sweep.

    Attributes:
        folder: that holds its files.
        sweep: what was run.
        report: best variant, its surroundings, luck.
        confirmed: the best variants in Backtrader, where they were asked for.
        walk: what would have been chosen, test by test; None where it was not asked for.
        chain: the tests of it as one run.
        cross: what cross-validation came to; None where it was not asked for.
        counted: whether its variants were counted as trials.
    """

    folder: Path
    sweep: Sweep
    report: SweepReport
    confirmed: tuple[Confirmed, ...] = ()
    walk: WalkForward | None = None
    chain: BacktestResult | None = None
    cross: CrossValidation | None = None
    counted: Counted = NOT_ASKED

    @property
    def variants(self) -> pd.DataFrame:
        """A row a variant: its keys, whether it is a valid spec, its measures and counts."""
        return read_table(self.folder / "variants.parquet")

    def settings(self, variant: int) -> dict[str, Any]:
        """The keys of a variant, as `reverse_qe.backtest` takes them in `set`."""
        return self.sweep.asked.grid.settings(variant)

    @cached_property
    def judged(self) -> tuple[Row, ...]:
        """What `reverse_qe.evidence` has found of the variants alone; nothing where it was not asked."""
        return tuple(read_rows(self.folder))

    def page(self) -> str:
        """The sweep as a page that is complete in itself: heat maps, and lines across its keys."""
        return sweep_page(self.sweep, self.report, self.variants, self.cross, sweep_sentences(self.judged))

    def __repr__(self) -> str:
        best = self.report.best[0]
        return (
            f"{self.report.variants:,} variants of {self.sweep.spec.run.name} in {self.folder}; the best by "
            f"{self.report.by} is number {best}: {self.settings(best)}; {counted_words(self.counted)}"
        )


def sweep(
    spec: AnySpec | None,
    grid: Mapping[str, Sequence[Any] | Span],
    market: str | Snapshot | None = None,
    *,
    start: date | str | None = None,
    end: date | str | None = None,
    set: Mapping[str, Any] | None = None,
    random: int | None = None,
    seed: int = 0,
    jobs: int = 1,
    cluster: str | None = None,
    out: str | Path | None = None,
    by: str = "sharpe",
    returns: bool = False,
    confirm_best: int = 0,
    train: str | None = None,
    test: str | None = None,
    purge: int = 0,
    embargo: int = 0,
    cpcv: tuple[int, int] | None = None,
    tearsheet: bool = True,
    yes: bool = False,
    report: Callable[[str], None] = tell_nobody,
    count: bool = True,
    done: Report = tell_no_count,
) -> SweepResult:
    """Run every combination of some values of a spec's keys, or a random choice of them, in the vector engine.

    Args:
        spec: as for `reverse_qe.backtest`.
        grid: by dotted key, its values; or a `Span`, from which random variants draw.
        market: as for `reverse_qe.backtest`.
        start: first day of all variants.
        end: last day of all variants.
        set: values of all variants.
        random: how many variants to draw; None: all.
        seed: of the draw.
        jobs: threads, from 1 to `MOST_JOBS`.
        cluster: address of a dask scheduler, on whose workers the variants are run; None: here.
        out: folder of the sweep; of one that was killed, it goes on. None: a new one below ``sweeps``.
        by: measure to rank by.
        returns: whether to keep daily returns of every variant.
        confirm_best: how many of the best to run in Backtrader as well.
        train: length of the past that a walk-forward chooses on, such as ``5y``; None: no walk-forward.
        test: length of what it chooses for, such as ``6m``.
        purge: sessions left out between the two; of cross-validation, on both sides of each test.
        embargo: sessions after a test that no later choice looks at; see the two modules of `backtests.studies.sweeps`.
        cpcv: groups of a combinatorial purged cross-validation, and how many of them each split tests; None: none.
        tearsheet: whether the run of the chained tests has one.
        yes: whether more than a hundred thousand variants are wanted.
        report: is told each stage as it begins.
        count: whether its variants are trials; the result tells.
        done: is told how many variants are done.

    Warns:
        NotCountedWarning: the log of trials could not be written.

    Raises:
        InputError: numba is not there, or spec, grid, market, days, folder or cluster are wrong.
        ClusterError: the cluster was lost on the way.
    """
    require_numba()
    _require_whole("jobs", jobs, 1)
    if jobs > MOST_JOBS:
        raise InputError(f"got {jobs} for jobs, wanted at most {MOST_JOBS}: each is a thread with accounts of its own")
    _require_whole("confirm", confirm_best, 0)
    if by not in MEASURES:
        raise InputError(f"got {by!r} to rank by, wanted one of {', '.join(MEASURES)}")
    if cluster is not None and jobs != 1:
        raise InputError(f"got {jobs} jobs and a cluster, wanted one of them: a worker has threads of its own")
    _require_tests(train, test, cpcv, {"purge": purge, "embargo": embargo})
    named = BUILT_IN if market is None else market
    chosen = ("sample" if isinstance(named, str) and is_built_in(named) else "history") if spec is None else spec
    days = {"run.start": as_day(start, "start"), "run.end": as_day(end, "end")}
    fixed = {**(set or {}), **{key: day.date() for key, day in days.items() if day is not None}}
    varied = make_grid(chosen, grid, fixed, random, seed, yes)
    base = base_spec(chosen, fixed)
    made_at = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    folder = unused(SWEEPS / f"{made_at}-{base.run.name}") if out is None else usable_path(out, "out")
    if cluster is not None:
        require_sendable(base)
        require_scheduler(cluster)
    report("market")
    asked = market if market is not None else base.run.market or BUILT_IN
    snapshot = asked if isinstance(asked, Snapshot) else open_market(asked)
    report("the spec itself")
    made = Sweep(SweepAsked(chosen, fixed, varied, snapshot), jobs)
    sessions, folds, splits = made.base.panel.sessions[1:], None, None
    if train is not None and test is not None:
        require_chained(varied)
        folds = make_folds(sessions, train, test, purge, embargo)
    if cpcv is not None:
        require_same_sessions(varied)
        splits = make_splits(len(sessions), *cpcv, purge, embargo)
    keep_returns = returns or folds is not None or splits is not None
    if cluster is None:
        table = run_into(folder, made, keep_returns, done)
    else:
        report("cluster")
        with connected(cluster) as runner:
            table = run_into(folder, made, keep_returns, done, runner)
    report("what it says")
    ranked = report_sweep(varied, read_table(table, [*{by, "sharpe"}]), made.base, by)
    confirmed = confirm(made, ranked.best[:confirm_best], report)
    cross = walk = chain = None
    if splits is not None:
        report("cross-validation")
        cross = cross_validate(made, table, splits, ranked.static_mix.sharpe)
        write_whole(folder / CROSS, json.dumps(cross.as_json(varied), indent=2) + "\n", replace=True)
    if folds is not None:
        report("walk-forward")
        walk = walk_forward(made, table, folds)
        chain = _write_chain(made, walk, folder / CHAIN, tearsheet)
    counted = NOT_ASKED
    if count:
        choosing = None if walk is None else f"train {train}, test {test}, purge {purge}, embargo {embargo}"
        counted = count_sweep(made, table, ranked, choosing, None if chain is None else chain.run)
        warn_if_not_counted(counted)
        chain = None if chain is None else replace(chain, counted=counted)
    return SweepResult(folder, made, ranked, tuple(confirmed), walk, chain, cross, counted)


def _write_chain(made: Sweep, walk: WalkForward, folder: Path, tearsheet: bool) -> BacktestResult:
    """Run the chained tests in the event engine; the run's folder holds the choices too."""
    weights = folder.with_name(f"{folder.name}-weights.csv")
    write_weights(chained_weights(made, walk), weights)
    run = run_backtest(chain_spec(made, walk, weights.resolve()), made.asked.snapshot)
    choices = walk.table(made.asked.grid).to_csv(index=False, lineterminator="\n")
    pages: dict[str, Callable[[Backtest], str]] = {"choices.csv": lambda _run: choices}
    if folder.exists():
        remove_whole(folder)
    write_run(run, folder, None, {**pages, **({"tearsheet.html": run_page} if tearsheet else {})})
    return BacktestResult(run, folder)


def _require_tests(
    train: str | None, test: str | None, cpcv: tuple[int, int] | None, around: Mapping[str, int]
) -> None:
    """Refuse half of a walk-forward, and what lies around tests where there is none."""
    if (train is None) != (test is None):
        raise InputError(f"got train {train or 'none'} and test {test or 'none'}, wanted both, or neither")
    for name, value in around.items():
        if value and train is None and cpcv is None:
            raise InputError(
                f"got {name} {value} without tests that it could lie beside, wanted train and test, or cpcv"
            )
    if cpcv is not None:
        require_splitter()


def _require_whole(name: str, value: object, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InputError(f"got {value!r} for {name}, wanted a whole number from {least}")


__all__ = ["COUNTS", "MEASURES", "Span", "SweepResult", "sweep"]
