"""The folder of a sweep: its variants as they come, so that one that was killed goes on where it stood."""

import hashlib
import io
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from backtests.identity import ROOT, source_hash
from backtests.studies.sweeps.sweep import Sweep, json_copy, plain
from data.errors import InputError
from data.files.atomic import is_aside, remove_whole, write_whole, written_whole
from data.files.locks import only_one

TABLE = "variants.parquet"
ABOUT = "sweep.json"
PARTS = "parts"
# Variants of one part: what a kill may cost.
PART = 2048

# What must be known of a sweep to judge it.
_TOLD = {"market", "snapshot_hash", "first_session", "last_session", "variants", "simulated", "returns"}

Report = Callable[[int, int, float], None]
# Runs spans of variants, and gives each as it comes: the number of its first variant, and a Parquet file.
Runner = Callable[[Sweep, Sequence[tuple[int, int]], bool], Iterator[tuple[int, bytes]]]


def tell_nobody(_done: int, _size: int, _rate: float) -> None:
    """Report nothing."""


def run_here(sweep: Sweep, spans: Sequence[tuple[int, int]], keep_returns: bool) -> Iterator[tuple[int, bytes]]:
    """Run spans of variants in this process, one after the other."""
    for begin, end in spans:
        yield begin, as_parquet(sweep.run(begin, end, keep_returns))


def run_into(
    folder: Path,
    sweep: Sweep,
    keep_returns: bool = False,
    report: Report = tell_nobody,
    runner: Runner = run_here,
) -> Path:
    """Run a sweep into a folder; what is there of the same sweep is not run again.

    Args:
        folder: new, or of the same sweep.
        sweep: to run.
        keep_returns: whether daily returns of every variant are kept.
        report: is told how many variants are done, of how many, and how many a second are run.
        runner: where they are run.

    Returns:
        The table of all variants, a Parquet file.

    Raises:
        InputError: the folder holds something else, or cannot be written.
        BusyError: another process is at it.
    """
    about = {**about_sweep(sweep), "returns": keep_returns}
    try:
        _take(folder, about, sweep)
        with only_one(folder / ".lock", f"the sweep of {folder}"):
            _remove_left_over(folder)
            if not (folder / TABLE).exists():
                _run_parts(folder, sweep, keep_returns, report, runner)
                _join(folder, sweep.asked.grid.size)
            if (folder / PARTS).exists():
                remove_whole(folder / PARTS)
    except OSError as error:
        raise InputError(f"cannot write the sweep to {folder}: {error}; choose another path") from error
    return folder / TABLE


def read_table(table: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """The variants of a sweep, or some of their columns.

    Raises:
        InputError: the file is damaged.
    """
    frame: pd.DataFrame = _read(table, columns).to_pandas()
    return frame


def _read(path: Path, columns: Sequence[str] | None = None) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path, columns=None if columns is None else list(columns))
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path} cannot be read: {error}; remove it, and the sweep makes it again") from error


def read_about(folder: Path) -> dict[str, Any]:
    """What a sweep's folder says that it is of.

    Raises:
        InputError: it is none of a sweep, or the sweep has not come to its end.
    """
    try:
        about = json.loads((folder / ABOUT).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"got {folder}, wanted the folder of a sweep: {ABOUT} cannot be read ({error})") from error
    if not isinstance(about, dict) or not set(about) >= _TOLD:
        raise InputError(f"got {folder}, wanted the folder of a sweep: {ABOUT} does not say what it is of")
    if not (folder / TABLE).is_file():
        raise InputError(f"got {folder}, wanted a sweep that has come to its end; sweep again with --out {folder}")
    return about


def about_sweep(sweep: Sweep) -> dict[str, Any]:
    """What makes a sweep itself."""
    asked, grid = sweep.asked, sweep.asked.grid
    chosen = None if grid.chosen is None else hashlib.sha256(grid.chosen.tobytes()).hexdigest()[:16]
    return {
        "spec": sweep.spec.run.name,
        "keys": {axis.key: _few([plain(value) for value in axis.values]) for axis in grid.axes},
        "values": _hash(json_copy(sweep.values)),
        "chosen": chosen,
        "grid": _hash({axis.key: [plain(value) for value in axis.values] for axis in grid.axes}),
        "variants": grid.size,
        "part": PART,
        "market": asked.snapshot.name,
        "snapshot_hash": asked.snapshot.content_hash,
        "simulated": asked.snapshot.simulated,
        "source_hash": source_hash(ROOT)[:16],
        "first_session": str(sweep.base.panel.sessions[1].date()),
        "last_session": str(sweep.base.panel.sessions[-1].date()),
    }


def _take(folder: Path, about: dict[str, Any], sweep: Sweep) -> None:
    """Begin a folder, or find that it is of the same sweep."""
    if not folder.exists():
        with written_whole(folder) as aside:
            aside.mkdir()
            write_whole(aside / "spec.toml", sweep.spec.to_toml())
            write_whole(aside / ABOUT, json.dumps(about, indent=2) + "\n")
        return
    try:
        there = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        there = None
    if not isinstance(there, dict):
        raise InputError(f"got {folder}, which is there and no sweep, wanted a new folder, or that of the same sweep")
    if other := [key for key in about if there.get(key) != about[key]]:
        raise InputError(
            f"got {folder}, which is of another sweep: it differs in {', '.join(other)}; name another folder, or "
            "remove it"
        )


def _remove_left_over(folder: Path) -> None:
    """Delete what a killed process had half written or half deleted; a table may be large."""
    for path in folder.iterdir():
        if is_aside(path, f"{re.escape(TABLE)}|{PARTS}"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _run_parts(folder: Path, sweep: Sweep, keep_returns: bool, report: Report, runner: Runner) -> None:
    size = sweep.asked.grid.size
    (folder / PARTS).mkdir(exist_ok=True)
    spans = {begin: (begin, min(begin + PART, size)) for begin in range(0, size, PART)}
    missing = [span for begin, span in spans.items() if not _part(folder, begin).exists()]
    done, ran, start = size - sum(end - begin for begin, end in missing), 0, time.perf_counter()
    report(done, size, 0.0)
    for begin, content in runner(sweep, missing, keep_returns):
        write_whole(_part(folder, begin), content)
        count = spans[begin][1] - begin
        done, ran = done + count, ran + count
        report(done, size, ran / (time.perf_counter() - start))


def _join(folder: Path, size: int) -> None:
    """Make one table of the parts, in their order."""
    import pyarrow.parquet as pq

    with written_whole(folder / TABLE) as aside:
        writer = None
        for part in _parts(folder, size):
            table = _read(part)
            writer = writer or pq.ParquetWriter(aside, table.schema)
            writer.write_table(table)
        if writer is not None:
            writer.close()


def _parts(folder: Path, size: int) -> Iterator[Path]:
    return (_part(folder, begin) for begin in range(0, size, PART))


def _part(folder: Path, begin: int) -> Path:
    return folder / PARTS / f"{begin:09d}.parquet"


def as_parquet(frame: pd.DataFrame) -> bytes:
    """A table as a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    written = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), written)
    return written.getvalue()


def _few(values: list[Any]) -> list[Any]:
    """All of some values, or of many the ends."""
    return values if len(values) <= 50 else [*values[:3], f"... {len(values) - 6} more", *values[-3:]]


def _hash(values: object) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()[:16]
