"""An immutable, named set of bars, series and events, with an identity: the hash of its content."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd

from data.errors import InputError
from data.instruments import Instrument
from data.tables import TABLES, Table, content_hash

FORMAT_VERSION = 1
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Snapshot:
    """What a backtest reads; nothing else reaches it.

    Attributes:
        name: under which it is kept.
        simulated: True where prices or series are made by a model, not observed.
        instruments: catalogue entries of its symbols.
        bars: `data.tables.BARS`, one row a symbol and date; dates are exchange dates, for coins UTC days.
        series: `data.tables.SERIES`; ``known_at`` says when a value was public.
        capex_actuals: `data.tables.CAPEX`.
        capex_guidance: `data.tables.GUIDANCE`.
        funding_events: `data.tables.FUNDING`.
        origin: one line for people: where it came from.
    """

    name: str
    simulated: bool
    instruments: Mapping[str, Instrument]
    bars: pd.DataFrame
    series: pd.DataFrame
    capex_actuals: pd.DataFrame
    capex_guidance: pd.DataFrame
    funding_events: pd.DataFrame
    origin: str = field(default="", compare=False)

    def table(self, table: Table) -> pd.DataFrame:
        """Return one table's rows."""
        frame: pd.DataFrame = getattr(self, table.name)
        return frame

    @cached_property
    def content_hash(self) -> str:
        """The snapshot's identity: a hash of what it holds, not of its files nor of its name."""
        return content_hash({table.name: self.table(table) for table in TABLES}, self._instrument_text())

    def _instrument_text(self) -> str:
        entries = {symbol: entry.model_dump(mode="json") for symbol, entry in sorted(self.instruments.items())}
        return json.dumps({"instruments": entries, "simulated": self.simulated}, sort_keys=True)


def home() -> Path:
    """Return the folder of snapshots and state: ``$REVERSE_QE_HOME``, or the user's data folder."""
    named = os.environ.get("REVERSE_QE_HOME")
    if named:
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("reverse-qe", appauthor=False))


def snapshots_dir() -> Path:
    """Return the folder that holds one folder a snapshot."""
    return home() / "snapshots"


def snapshot_names() -> list[str]:
    """Names of the snapshots that are kept, sorted."""
    if not snapshots_dir().is_dir():
        return []
    return sorted(path.parent.name for path in snapshots_dir().glob(f"*/{MANIFEST}"))


def save(snapshot: Snapshot) -> Path:
    """Write a snapshot aside, then rename it into place, and return its folder.

    Raises:
        InputError: the name is taken or is no plain name.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = _folder(snapshot.name)
    if target.exists():
        raise InputError(f"snapshot {snapshot.name} exists already at {target}; choose another --name")
    aside = target.with_name(f".{snapshot.name}.{os.getpid()}.tmp")
    try:
        aside.mkdir(parents=True)
        for table in TABLES:
            columns = pa.Table.from_pandas(snapshot.table(table), preserve_index=False)
            pq.write_table(columns.replace_schema_metadata(None), aside / f"{table.name}.parquet")
        manifest = {
            "format": FORMAT_VERSION,
            "name": snapshot.name,
            "content_hash": snapshot.content_hash,
            "simulated": snapshot.simulated,
            "origin": snapshot.origin,
            "files": {path.name: _file_hash(path) for path in sorted(aside.iterdir())},
            "instruments": {s: entry.model_dump(mode="json") for s, entry in sorted(snapshot.instruments.items())},
        }
        (aside / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        aside.rename(target)
    except OSError as error:
        raise InputError(f"cannot write the snapshot to {target}: {error}; check REVERSE_QE_HOME") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return target


def load(name: str) -> Snapshot:
    """Read a snapshot by name; the hash of every file is checked first.

    Raises:
        InputError: there is none of this name, or a file does not match the manifest.
    """
    folder, manifest = _manifest(name)
    _check_files(folder, manifest)
    return _read(folder, manifest)


def verify(name: str) -> Snapshot:
    """Read a snapshot and check its content hash as well as its files.

    Raises:
        InputError: there is none of this name, or content or files do not match the manifest.
    """
    folder, manifest = _manifest(name)
    _check_files(folder, manifest)
    snapshot = _read(folder, manifest)
    if snapshot.content_hash != manifest["content_hash"]:
        raise InputError(
            f"snapshot {name}: got content hash {snapshot.content_hash[:12]}, wanted "
            f"{str(manifest['content_hash'])[:12]} of its manifest; it was changed: import it anew"
        )
    return snapshot


def _folder(name: str) -> Path:
    if not name or name.startswith(".") or not all(c.isalnum() or c in "._-" for c in name):
        raise InputError(f"got {name!r} as a snapshot's name, wanted letters, digits, dots, dashes and underscores")
    return snapshots_dir() / name


def _manifest(name: str) -> tuple[Path, dict[str, object]]:
    folder = _folder(name)
    path = folder / MANIFEST
    if not path.is_file():
        known = ", ".join(["sample", *snapshot_names()])
        raise InputError(f"no market {name}; there are: {known} (import one by: reverse-qe data import)")
    try:
        manifest: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is no manifest ({error}); import the snapshot anew") from error
    if manifest.get("format") != FORMAT_VERSION:
        raise InputError(
            f"{path}: got format {manifest.get('format')}, wanted {FORMAT_VERSION}; import the snapshot anew"
        )
    return folder, manifest


def _check_files(folder: Path, manifest: Mapping[str, object]) -> None:
    files = manifest["files"]
    assert isinstance(files, dict)
    for file, wanted in files.items():
        path = folder / file
        got = _file_hash(path) if path.is_file() else "no file"
        if got != wanted:
            raise InputError(
                f"snapshot {folder.name} was changed: {file} has hash {got[:12]}, its manifest says {wanted[:12]}; "
                "import it anew under another name"
            )


def _read(folder: Path, manifest: Mapping[str, object]) -> Snapshot:
    import pyarrow.parquet as pq

    entries = manifest["instruments"]
    assert isinstance(entries, dict)
    tables = {
        table.name: table.conform(pq.read_table(folder / f"{table.name}.parquet").to_pandas()) for table in TABLES
    }
    return Snapshot(
        name=folder.name,
        simulated=bool(manifest["simulated"]),
        instruments={symbol: Instrument.model_validate(entry) for symbol, entry in entries.items()},
        origin=str(manifest["origin"]),
        **tables,
    )


def _file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
