"""The files of a run, all of them or none; the same bytes on every system."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from backtests.archive.changes import told_by_change
from backtests.archive.json_forms import counts_json, evidence_json, measures_json
from backtests.archive.memory import peak_memory_mb
from backtests.archive.stored import FORMAT, LABEL, RUNS
from backtests.identity import package_versions
from backtests.measures.attribution import attribution
from backtests.measures.members import members_chosen
from backtests.measures.round_trips import round_trips
from backtests.prepare.prepared import EngineName
from backtests.run import Backtest
from backtests.spec.extensions import copy_user_files
from data.errors import InputError
from data.files.atomic import require_free, write_whole, written_whole
from data.files.plain_text import spreadsheet_frame
from signals.explain.history import signal_history
from signals.models.registry import model_packages


def default_folder(run: Backtest) -> Path:
    """Return ``runs/<UTC time>-<spec name>-<run id>``."""
    return unused(RUNS / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{run.spec.run.name}-{run.run_id}")


def unused(folder: Path) -> Path:
    """Return a folder, or where it exists, made in the same second, the first that is free of `-2`, `-3`, ..."""
    numbered = (folder.with_name(f"{folder.name}-{number}") for number in count(2))
    return next(path for path in chain([folder], numbered) if not path.exists())


def write_run(
    run: Backtest,
    folder: Path,
    stress: pd.DataFrame | None = None,
    further: Mapping[str, Callable[[Backtest], str]] = MappingProxyType({}),
    label: str | None = None,
) -> Path:
    """Write every file of a run into a new folder.

    Args:
        run: finished.
        folder: must not exist.
        stress: of the run, as `backtests.studies.stress.stress_table` gives it; None: no stress.csv.
        further: what makes the text of each further file, by its name; each is a stage of the run's timings.
        label: words of the user that name it; None: no label.txt.

    Returns:
        The folder.
    """
    require_free(folder)
    try:
        with written_whole(folder) as aside:
            aside.mkdir()
            _write_files(run, aside, stress, further)
            if label is not None:
                write_whole(aside / LABEL, f"{label}\n")
    except OSError as error:
        raise InputError(f"cannot write the run to {folder}: {error}; choose another path") from error
    return folder


def _write_files(
    run: Backtest, folder: Path, stress: pd.DataFrame | None, further: Mapping[str, Callable[[Backtest], str]]
) -> None:
    seconds = dict(run.seconds)
    begin = time.perf_counter()
    _write_tables(run, folder)
    if stress is not None:
        _write_table(folder / "stress.csv", stress, index=False)
    write_whole(folder / "spec.toml", run.spec.to_toml())
    copy_user_files(run.user_files, folder)
    _write_json(folder / "manifest.json", manifest(run))
    _write_json(folder / "metrics.json", measures_json(run.measures))
    _write_json(folder / "evidence.json", evidence_json(run.evidence))
    seconds["files"] = time.perf_counter() - begin
    for name, made in further.items():
        begin = time.perf_counter()
        write_whole(folder / name, made(run))
        seconds[Path(name).stem] = time.perf_counter() - begin
    _write_json(folder / "timings.json", {"seconds": seconds, "peak_mb": peak_memory_mb()})


def manifest(run: Backtest) -> dict[str, Any]:
    """What identifies a run and what must be known before its numbers are believed."""
    return {
        "format": FORMAT,
        "run_id": run.run_id,
        **told_by_change(run.spec, run.snapshot.simulated),
        "market": run.snapshot.name,
        "snapshot_hash": run.snapshot.content_hash,
        "simulated": run.snapshot.simulated,
        "hindsight": run.spec.universe.hindsight,
        "engine": run.prepared.engine,
        "strategy": run.spec.run.strategy,
        "first_session": str(run.sessions[0].date()),
        "last_session": str(run.sessions[-1].date()),
        "initial_cash": run.spec.run.initial_cash,
        "counts": counts_json(run.counts),
        "warnings": list(run.warnings),
        "notes": list(run.notes),
        "packages": package_versions([*model_packages(run.spec.signal), *engine_packages(run.prepared.engine)]),
    }


def engine_packages(engine: EngineName) -> tuple[str, ...]:
    """Packages that an engine needs beside those of every run."""
    return ("numba",) if engine == "vector" else ()


def run_tables(run: Backtest) -> dict[str, pd.DataFrame]:
    """The tables of a run by the name of their file, without its end; those by session have it as their index."""
    by_session = {
        "equity": run.engine.equity,
        "returns": run.returns,
        "positions": run.engine.positions,
        "targets": run.plan.targets,
        "regime": signal_history(run.signal).loc[run.panel.decides_for],
    }
    listings = {
        "orders": run.engine.orders,
        "cash": run.engine.cash,
        "rotations": run.rotations,
        "trades": trades_of(run),
        "attribution": attribution(run.engine, run.regime, run.spec.universe),
    }
    if run.spec.universe.rule is not None:
        listings["members"] = members_chosen(run.spec.universe, run.panel.decides_for[-1])
    return {name: frame.rename_axis("session") for name, frame in by_session.items()} | listings


def trades_of(run: Backtest) -> pd.DataFrame:
    """The round trips of a run, see `backtests.measures.round_trips.round_trips`."""
    engine = run.engine
    return round_trips(engine.orders, engine.cash, engine.holdings.iloc[-1], run.regime, run.spec.universe)


def _write_tables(run: Backtest, folder: Path) -> None:
    for name, frame in run_tables(run).items():
        _write_table(folder / f"{name}.csv", spreadsheet_frame(frame), index=frame.index.name == "session")


def _write_table(path: Path, frame: pd.DataFrame, index: bool) -> None:
    frame.to_csv(path, date_format="%Y-%m-%d", index=index, lineterminator="\n")


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    write_whole(path, json.dumps(value, indent=2, allow_nan=False) + "\n")
