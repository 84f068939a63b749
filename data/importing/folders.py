"""From folders of CSV files to a snapshot; what is wrong refuses the whole import, what is odd is kept and reported."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from data.catalogue.catalogue import Catalogue, catalogue_of, own_entries
from data.catalogue.companies import Company
from data.catalogue.filed import filed_or_entry
from data.catalogue.own import OwnCatalogue
from data.catalogue.publication import publication_times
from data.catalogue.series import SeriesEntry
from data.errors import InputError
from data.events.completion import complete_capex, complete_funding, complete_guidance
from data.events.coverage import COMPLETE_FURTHER
from data.events.own_rows import SHIPPED, current_events, own_notes, own_rows
from data.importing.action_file import read_actions
from data.importing.csv_files import read_events, read_series
from data.importing.listing import blamed, csv_files, left_out
from data.importing.price_files import read_price_folders
from data.importing.told_by_prices import told_by_prices
from data.market.manifest import FetchRecord
from data.market.snapshot import Snapshot
from data.market.tables import CAPEX, COVERAGE, EVENT_TABLES, FUNDING, GUIDANCE, PACES, SERIES, Table
from data.market.units import refuse_series_unit
from data.quality.report import QualityReport, quality_report

_JUDGEMENTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        CAPEX.name: (),
        GUIDANCE.name: ("period_start", "period_end", "comparable"),
        FUNDING.name: ("part_of", "counts"),
    }
)
"""Columns that a file of events may bring; `data.events.completion` adds those that it does not."""


def import_snapshot(
    prices: Path | Sequence[Path],
    macro: Path | Sequence[Path] | None,
    events: Path | None,
    name: str,
    actions: Path | None = None,
    own: OwnCatalogue | None = None,
    wanted: FetchRecord | None = None,
) -> tuple[Snapshot, QualityReport]:
    """Read folders of CSV files into a snapshot; nothing is written.

    Args:
        prices: one folder or several, see `data.importing.price_files.read_price_folders`.
        macro: one folder of <SERIES>.csv or several, see `data.importing.csv_files.read_series`; a series that two have
            is that of the later one. None for a market without series.
        events: holds capex_actuals.csv, capex_guidance.csv and funding_events.csv, and balance_sheet_paces.csv and
            event_coverage.csv where there are such; None for the shipped reference set.
        name: under which the snapshot will be kept.
        actions: CSV file of dividends, splits and delistings, see `data.importing.action_file.read_actions`; None for
            none.
        own: entries of a spec.
        wanted: what of the prices and series is taken; None: all.

    Returns:
        The snapshot, and what is odd in it. The report's notes tell of files that were not read and of events that were
        judged by rule.

    Raises:
        InputError: a folder or file is missing, a symbol or series has no catalogue entry, an entry of the spec
            contradicts a shipped one, or a file has a fault. The message names file, line and reason.
    """
    price_folders = [prices] if isinstance(prices, Path) else list(prices)
    known = catalogue_of(Catalogue(), own)
    files = read_price_folders(price_folders, known.instruments, wanted.symbols if wanted else None)
    notes = list(files.notes)
    macro_folders = [macro] if isinstance(macro, Path) else list(macro or ())
    series, macro_notes = _read_macro_folders(macro_folders, known.series, wanted.series if wanted else None)
    notes += macro_notes
    own_events = ""
    if events is None:
        event_tables, own_events = current_events()
        notes.append("events: the shipped reference set, for none were given")
        notes += own_notes()
    else:
        event_tables, judged = _read_event_tables(events, known.companies)
        notes += judged
        if rows := own_rows():
            over = "lie over the shipped ones alone, not over files of yours"
            notes.append(f"events: your own rows ({len(rows)}) {over}")
    told = told_by_prices(
        files.bars,
        None if actions is None else read_actions(actions, files.bars, files.left_out),
        files.instruments,
        files.in_units,
    )
    snapshot = Snapshot(
        name=name,
        simulated=False,
        instruments=files.instruments,
        bars=files.bars,
        series=series,
        capex_actuals=event_tables[CAPEX.name],
        capex_guidance=event_tables[GUIDANCE.name],
        funding_events=event_tables[FUNDING.name],
        balance_sheet_paces=event_tables.get(PACES.name, PACES.empty()),
        event_coverage=event_tables.get(COVERAGE.name, COVERAGE.empty()),
        origin=f"CSV files: prices {' and '.join(map(str, price_folders))}, "
        f"macro {' and '.join(map(str, macro_folders)) or 'none'}, "
        f"events {events or SHIPPED}",
        made_at=datetime.now(UTC),
        bar_units=told.units,
        own_events=own_events,
        actions=told.actions,
        actions_aside=told.aside,
        series_entries={name: filed_or_entry(name, known.series) for name in series["series"].unique()},
        companies=own_entries(own).companies,
    )
    return snapshot, replace(quality_report(snapshot), notes=tuple(notes))


def _read_macro_folders(
    folders: Sequence[Path], catalogue: Mapping[str, SeriesEntry], only: Collection[str] | None
) -> tuple[pd.DataFrame, list[str]]:
    """The series of all folders, of two of one name that of the later folder; and notes."""
    chosen: dict[str, Path] = {}
    notes = []
    for folder in folders:
        files, not_read = csv_files(folder, "macro series")
        notes += not_read
        twice = [path.stem for path in files if path.stem in chosen]
        if twice:
            notes.append(f"series in more than one folder, taken from {folder}: {', '.join(twice)}")
        chosen |= {path.stem: path for path in files}
    if only is not None and folders:
        notes += left_out("series", chosen, only)
        chosen = {name: path for name, path in chosen.items() if name in only}
    paths = [chosen[name] for name in sorted(chosen)]
    return (_read_all_series(paths, catalogue) if paths else SERIES.empty()), notes


def _read_all_series(files: list[Path], catalogue: Mapping[str, SeriesEntry]) -> pd.DataFrame:
    entries = {}
    for path in files:
        with blamed(path):
            entries[path.stem] = filed_or_entry(path.stem, catalogue)
    parts = []
    for path in files:
        values = read_series(path)
        with blamed(path):
            refuse_series_unit(path.stem, values, entries[path.stem])
        known_at = publication_times(pd.DatetimeIndex(values["date"]), entries[path.stem].publication)
        parts.append(values.assign(series=path.stem, known_at=known_at))
    return SERIES.conform(pd.concat(parts))


def _read_event_tables(folder: Path, companies: Mapping[str, Company]) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """The tables of events by name, completed, and notes on them."""
    files, notes = csv_files(folder, "events")
    paths = {table.name: folder / f"{table.name}.csv" for table in EVENT_TABLES}
    for path in paths.values():
        if path not in files:
            raise InputError(f"{path} is not there, wanted {', '.join(file.name for file in paths.values())}")
    further = {table.name: folder / f"{table.name}.csv" for table in (PACES, COVERAGE)}
    known = {*paths.values(), *further.values()}
    notes += [f"not read, no table of events: {path}" for path in files if path not in known]

    raw = {table.name: _read_raw_events(paths[table.name], table) for table in EVENT_TABLES}
    with blamed(paths[CAPEX.name]):
        capex = complete_capex(raw[CAPEX.name])
    with blamed(paths[GUIDANCE.name]):
        guidance = complete_guidance(raw[GUIDANCE.name], capex.table, companies)
    with blamed(paths[FUNDING.name]):
        funding = complete_funding(raw[FUNDING.name])
    completed = {CAPEX.name: capex, GUIDANCE.name: guidance, FUNDING.name: funding}
    notes += [note for events in completed.values() for note in events.notes]
    tables = {name: events.table for name, events in completed.items()}
    for table in (PACES, COVERAGE):
        path = further[table.name]
        if path in files:
            with blamed(path):
                tables[table.name] = COMPLETE_FURTHER[table.name](
                    read_events(path, table, list(table.columns), list(table.later))
                )
    return tables, notes


def _read_raw_events(path: Path, table: Table) -> pd.DataFrame:
    judgements = _JUDGEMENTS[table.name]
    required = [name for name, kind in table.columns.items() if kind != "time" and name not in judgements]
    return read_events(path, table, required, [*judgements, *table.later])
