"""An immutable, named set of bars, series and events, with an identity: the hash of its content."""

import json
from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field, replace
from datetime import datetime
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

import pandas as pd

from data.catalogue.catalogue import Catalogue, catalogue_of
from data.catalogue.companies import Company
from data.catalogue.instruments import Instrument
from data.catalogue.series import SeriesEntry
from data.errors import InputError
from data.files.atomic import write_whole, written_whole
from data.files.kept import MANIFEST, snapshot_names, snapshots_dir
from data.files.parquet import read_parquet
from data.market.files import changed, file_hash, require_files
from data.market.gate import kept_and_aside, refuse_faults
from data.market.manifest import FORMAT, BarUnits, Contents, FetchRecord, Manifest, manifest_in
from data.market.tables import (
    ACTIONS,
    ACTIONS_ASIDE,
    ASIDE_TABLES,
    BARS_ASIDE,
    COVERAGE,
    EVENT_TABLES,
    FILED,
    MEMBERSHIPS,
    OPTIONAL_TABLES,
    PACES,
    TABLES,
    Table,
    content_hash,
)

_ALWAYS = tuple(table for table in TABLES if table not in OPTIONAL_TABLES)
LONGEST_NAME = 200  # bytes: less than file systems hold, which leaves room for what is written aside
BUILT_IN = "sample"


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What a backtest reads; nothing else reaches it. Two are the same where their content hashes are.

    Attributes:
        name: under which it is kept.
        simulated: True where prices or series are made by a model, not observed.
        instruments: catalogue entries of its symbols.
        bars: `data.market.tables.BARS`, one row a symbol and date; dates are exchange dates, for coins UTC days.
        series: `data.market.tables.SERIES`; ``known_at`` says when a value was public.
        capex_actuals: `data.market.tables.CAPEX`.
        capex_guidance: `data.market.tables.GUIDANCE`.
        funding_events: `data.market.tables.FUNDING`.
        origin: one line for people: where it came from.
        actions: `data.market.tables.ACTIONS`: dividends, splits, delistings and the like; see `data.prices.actions`.
        filed_results: `data.market.tables.FILED`: figures as filed; `capex_actuals` has what is decided on.
        balance_sheet_paces: `data.market.tables.PACES`.
        event_coverage: `data.market.tables.COVERAGE`; what it does not name is not known to be complete.
        memberships: `data.market.tables.MEMBERSHIPS`; of a market that is no index, without a row.
        made_at: when it was imported or fetched (UTC); None where that is not known.
        bars_aside: `data.market.tables.BARS_ASIDE`: rows that the gate kept aside. Nothing is decided on them.
        actions_aside: `data.market.tables.ACTIONS_ASIDE`: what the prices themselves deny. Nothing is decided on it.
        bar_units: in what the bars of each instrument are told. One of which that is not known is named without it; one
            that is not named was made by hand.
        series_entries: catalogue entries of its series, as they were when it was made.
        companies: catalogue entries of the companies whose results were fetched, likewise.
        own_events: hash of the user's own rows that lie over the shipped events (`data.events.own_rows`); "" of none.
        gate: whether rows of days without a session are kept aside on the way in (`data.market.gate`); off only for
            what has passed before.

    Every table is conformed on the way in (`data.market.tables.Table.conform`), which raises what that and the gate do.
    """

    name: str
    simulated: bool
    instruments: Mapping[str, Instrument]
    bars: pd.DataFrame
    series: pd.DataFrame
    capex_actuals: pd.DataFrame
    capex_guidance: pd.DataFrame
    funding_events: pd.DataFrame
    origin: str = ""
    actions: pd.DataFrame = field(default_factory=ACTIONS.empty)
    filed_results: pd.DataFrame = field(default_factory=FILED.empty)
    balance_sheet_paces: pd.DataFrame = field(default_factory=PACES.empty)
    event_coverage: pd.DataFrame = field(default_factory=COVERAGE.empty)
    memberships: pd.DataFrame = field(default_factory=MEMBERSHIPS.empty)
    made_at: datetime | None = None
    bars_aside: pd.DataFrame = field(default_factory=BARS_ASIDE.empty)
    actions_aside: pd.DataFrame = field(default_factory=ACTIONS_ASIDE.empty)
    bar_units: Mapping[str, BarUnits] = field(default_factory=dict)
    series_entries: Mapping[str, SeriesEntry] = field(default_factory=dict)
    companies: Mapping[str, Company] = field(default_factory=dict)
    own_events: str = ""
    gate: InitVar[bool] = True

    def __post_init__(self, gate: bool) -> None:
        for table in (*TABLES, *ASIDE_TABLES):
            object.__setattr__(self, table.name, table.conform(self.table(table)))
        if gate:
            kept, aside = kept_and_aside(self.bars, self.bars_aside, self.instruments)
            object.__setattr__(self, "bars", kept)
            object.__setattr__(self, "bars_aside", aside)

    def table(self, table: Table) -> pd.DataFrame:
        """Return one table's rows."""
        return getattr(self, table.name)  # type: ignore[no-any-return]

    def bars_of(self, symbol: str) -> pd.DataFrame:
        """Return the bars of one instrument, in order of date; no row where there are none."""
        return self.bars.iloc[self._rows_of.get(symbol, slice(0))]

    def actions_of(self, symbol: str) -> pd.DataFrame:
        """Return the actions of one instrument, in order of date; no row where there are none."""
        return self.actions if self.actions.empty else self.actions[self.actions["symbol"] == symbol]

    @cached_property
    def _rows_of(self) -> Mapping[str, slice]:
        """The rows of each instrument, which follow each other: bars are sorted by symbol and date."""
        counts = self.bars.groupby("symbol", sort=True).size()
        ends = counts.cumsum()
        return {
            str(symbol): slice(int(end - count), int(end))
            for symbol, count, end in zip(counts.index, counts, ends, strict=True)
        }

    @property
    def kept_entries(self) -> Catalogue:
        """The entries that it was made with."""
        return Catalogue(self.instruments, self.series_entries, self.companies)

    @cached_property
    def catalogue(self) -> Catalogue:
        """Its entries, judged by those of today, and all others that there are (`data.catalogue.catalogue`)."""
        return catalogue_of(self.kept_entries)

    @cached_property
    def content_hash(self) -> str:
        """The snapshot's identity: a hash of what it holds, not of its files nor of its name.

        An optional table without rows adds nothing: a snapshot from before that table keeps its identity.
        """
        held = {
            table.name: table.identity(self.table(table))
            for table in (*TABLES, *ASIDE_TABLES)
            if table in _ALWAYS or len(self.table(table))
        }
        return content_hash(held, self._entry_text())

    def _entry_text(self) -> str:
        """What stands beside the tables, as text; a field that a later version adds says nothing at its default."""
        entries = {
            name: {key: entry.model_dump(mode="json", exclude_defaults=True) for key, entry in sorted(held.items())}
            for name, held in (
                ("bar_units", self.bar_units),
                ("companies", self.companies),
                ("instruments", self.instruments),
                ("series", self.series_entries),
            )
            if held or name == "instruments"
        }
        return json.dumps({**entries, "simulated": self.simulated}, sort_keys=True)


def is_built_in(name: str) -> bool:
    """Whether a market's name is that of the built-in sample, or of a scenario or seed of it."""
    return name.split(":")[0].split("@")[0] == BUILT_IN


def contents(snapshot: Snapshot) -> Contents:
    """Count what a snapshot holds."""
    dates = snapshot.bars["date"]
    return Contents(
        symbols=snapshot.bars["symbol"].nunique(),
        series=snapshot.series["series"].nunique(),
        events=sum(len(snapshot.table(table)) for table in EVENT_TABLES),
        first=None if dates.empty else dates.min().date(),
        last=None if dates.empty else dates.max().date(),
    )


def save(snapshot: Snapshot, fetched: FetchRecord | None = None) -> Path:
    """Write a snapshot aside, then rename it into place, and return its folder.

    Args:
        snapshot: under a name that is free.
        fetched: what `data fetch` keeps beside it.

    Raises:
        InputError: the name is taken or is no plain name, or the folder cannot be written.
    """
    target = new_folder(snapshot.name)
    try:
        with written_whole(target) as aside:
            aside.mkdir()
            write_files(snapshot, aside, fetched)
    except OSError as error:
        raise InputError(f"cannot write the snapshot to {target}: {error}; check REVERSE_QE_HOME") from error
    return target


def write_files(snapshot: Snapshot, folder: Path, fetched: FetchRecord | None = None) -> None:
    """Write the tables of a snapshot and their manifest into an empty folder, for `read_files`.

    Raises:
        OSError: it cannot be written.
    """
    _write_tables(snapshot, folder)
    manifest = Manifest(
        format=FORMAT,
        name=snapshot.name,
        content_hash=snapshot.content_hash,
        simulated=snapshot.simulated,
        origin=snapshot.origin,
        contents=contents(snapshot),
        files={path.name: file_hash(path) for path in sorted(folder.iterdir())},
        instruments=dict(sorted(snapshot.instruments.items())),
        made_at=snapshot.made_at,
        fetched=fetched,
        bar_units=dict(sorted(snapshot.bar_units.items())),
        series=dict(sorted(snapshot.series_entries.items())),
        companies=dict(sorted(snapshot.companies.items())),
        own_events=snapshot.own_events,
    )
    write_whole(folder / MANIFEST, manifest.model_dump_json(indent=2) + "\n")


def new_folder(name: str) -> Path:
    """Return the folder that a new snapshot of this name goes to; it is not made yet.

    Raises:
        InputError: the name is taken or is no plain name.
    """
    if is_built_in(name):
        raise InputError(f"got the name {name}, which is built in; choose another name")
    folder = _folder(name)
    if folder.exists():
        raise InputError(f"snapshot {name} exists already at {folder}; choose another name, or data remove {name}")
    return folder


def load(name: str) -> Snapshot:
    """Read a snapshot by name; the hashes of its files and of its content are checked.

    Raises:
        InputError: there is none of this name, or files or content do not match the manifest.
    """
    return _checked(_folder(name), read_manifest(name))


def read_files(folder: Path) -> Snapshot:
    """Read a snapshot from files that `write_files` wrote, under the name of their folder; checked as by `load`.

    Raises:
        InputError: there is no manifest, or files or content do not match it.
    """
    if not (folder / MANIFEST).is_file():
        raise InputError(f"{folder} has no {MANIFEST}, wanted a folder that data export --format parquet wrote")
    return _checked(folder, manifest_in(folder))


def _checked(folder: Path, manifest: Manifest) -> Snapshot:
    require_files(folder, manifest)
    snapshot = _read(folder, manifest)
    if snapshot.content_hash != manifest.content_hash:
        raise changed(folder.name, f"its content has hash {snapshot.content_hash[:12]}", manifest.content_hash)
    return snapshot if manifest.format == FORMAT else _through_the_gate(snapshot)


def _through_the_gate(snapshot: Snapshot) -> Snapshot:
    """A snapshot from before the gate, as the gate leaves it; its identity stays that of what is kept.

    Raises:
        InputError: it holds what the gate refuses.
    """
    try:
        refuse_faults(snapshot.bars)
        passed = replace(snapshot, bar_units=dict.fromkeys(snapshot.instruments, BarUnits()))
    except InputError as error:
        raise InputError(f"{snapshot.name} was made by an older version: {error}; import or fetch it again") from error
    object.__setattr__(passed, "content_hash", snapshot.content_hash)
    return passed


def read_manifest(name: str) -> Manifest:
    """Read the manifest that stands beside a snapshot's tables.

    Raises:
        InputError: there is no snapshot of this name, or its manifest cannot be read.
    """
    folder = _folder(name)
    if not (folder / MANIFEST).is_file():
        known = [BUILT_IN, *snapshot_names()]
        near = get_close_matches(name, known, n=1)
        made = f"make it by: reverse-qe data fetch --name {name} (with its spec, if it has own tickers), or data import"
        step = f"is {near[0]} meant?" if near else made
        raise InputError(f"no market {name}; there are: {', '.join(known)}; {step}")
    return manifest_in(folder)


def _folder(name: str) -> Path:
    if not name or name.startswith(".") or not all(c.isalnum() or c in "._-" for c in name):
        raise InputError(f"got {name!r} as a snapshot's name, wanted letters, digits, dots, dashes and underscores")
    if (length := len(name.encode())) > LONGEST_NAME:
        raise InputError(f"got a snapshot's name of {length} bytes, wanted at most {LONGEST_NAME}")
    return snapshots_dir() / name


def _write_tables(snapshot: Snapshot, folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    for table in (*TABLES, *ASIDE_TABLES):
        columns = pa.Table.from_pandas(table.identity(snapshot.table(table)), preserve_index=False)
        # Without the schema, which would carry metadata of pandas and arrow: `Table.conform` knows the kinds.
        pq.write_table(columns, folder / f"{table.name}.parquet", store_schema=False)


def _read(folder: Path, manifest: Manifest) -> Snapshot:
    # A snapshot from before a table has no file of it.
    files = {table.name: f"{table.name}.parquet" for table in (*TABLES, *ASIDE_TABLES)}
    tables = {name: read_parquet(folder / file) for name, file in files.items() if file in manifest.files}
    try:
        return Snapshot(
            name=folder.name,
            simulated=manifest.simulated,
            instruments=manifest.instruments,
            origin=manifest.origin,
            made_at=manifest.made_at,
            bar_units=manifest.bar_units,
            series_entries=manifest.series,
            companies=manifest.companies,
            own_events=manifest.own_events,
            gate=False,
            **tables,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{folder} holds no market: {error}; import the snapshot anew under another name") from error
