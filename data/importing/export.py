"""A market as files: CSV in the formats of `data import`, or its tables as Parquet, with a manifest."""

from pathlib import Path
from typing import Literal

import pandas as pd

from data.catalogue.instruments import Instrument
from data.errors import InputError
from data.files.atomic import require_free, written_whole
from data.files.plain_text import spreadsheet_frame
from data.importing.action_file import ACTION_COLUMNS
from data.market.snapshot import Snapshot, write_files
from data.market.tables import COVERAGE, EVENT_TABLES, PACES, PRICE_COLUMNS, Table

Format = Literal["csv", "parquet"]
NEW_YORK = "America/New_York"


def export_market(snapshot: Snapshot, folder: Path, file_format: Format = "csv") -> list[Path]:
    """Write a market into a new folder, whole or not at all.

    Args:
        snapshot: of the market.
        folder: must not exist.
        file_format: ``csv``: ``prices/``, ``macro/``, ``events/`` and ``actions.csv``, which `data import` reads; of a
            series one value a date, the newest. ``parquet``: every table as it is, with the moments at which its rows
            were known, and a manifest with all entries: `data.market.snapshot.read_files` reads back the same market.

    Returns:
        The files, sorted, as paths below the folder.

    Raises:
        InputError: the folder is there already or cannot be written, or CSV files cannot hold the market.
    """
    require_free(folder)
    if file_format == "csv" and len(snapshot.memberships):
        raise InputError(
            f"market {snapshot.name} tells members by date, which no CSV file of data import does; export it by "
            "--format parquet"
        )
    try:
        with written_whole(folder) as aside:
            aside.mkdir()
            if file_format == "parquet":
                write_files(snapshot, aside)
            else:
                _write_csv(snapshot, aside)
            written = sorted(path.relative_to(aside) for path in aside.rglob("*") if path.is_file())
    except OSError as error:
        raise InputError(f"cannot write {folder}: {error}; choose another folder") from error
    return [folder / path for path in written]


def _write_csv(snapshot: Snapshot, folder: Path) -> None:
    for symbol, rows in snapshot.bars.groupby("symbol"):
        _write(
            _as_told(snapshot.catalogue.instruments.get(str(symbol)), rows)[list(PRICE_COLUMNS)],
            folder / "prices" / f"{symbol}.csv",
        )
    newest = snapshot.series.drop_duplicates(["series", "date"], keep="last")
    for name, rows in newest.groupby("series"):
        _write(rows[["date", "value"]], folder / "macro" / f"{name}.csv")
    for table in EVENT_TABLES:
        # What was known when follows from the rules of the tables.
        told = [column for column, kind in table.columns.items() if kind != "time"]
        rows = snapshot.table(table)
        _write(_flags_as_words(rows[[*told, *_marks(rows, table)]], table), folder / "events" / f"{table.name}.csv")
    for table in (PACES, COVERAGE):
        if len(rows := snapshot.table(table)):
            _write(rows[[*table.columns, *_marks(rows, table)]], folder / "events" / f"{table.name}.csv")
    if len(actions := snapshot.actions):
        known_on = actions["known_at"].dt.tz_convert(NEW_YORK).dt.tz_localize(None).dt.normalize()
        _write(actions.assign(known_on=known_on)[list(ACTION_COLUMNS)], folder / "actions.csv")


def _marks(rows: pd.DataFrame, table: Table) -> list[str]:
    """Columns of marks that some row has, such as that of a user's own rows."""
    return [name for name in table.later if (rows[name] != "").any()]


def _as_told(entry: Instrument | None, bars: pd.DataFrame) -> pd.DataFrame:
    """Volumes in the unit in which files of a symbol tell them."""
    return bars.assign(volume=bars["volume"] * bars["close"]) if entry and entry.volume_in == "usd" else bars


def _flags_as_words(rows: pd.DataFrame, table: Table) -> pd.DataFrame:
    flags = [column for column, kind in table.columns.items() if kind == "flag" and column in rows]
    return rows.assign(**{column: rows[column].map({True: "true", False: "false"}) for column in flags})


def _write(rows: pd.DataFrame, file: Path) -> None:
    file.parent.mkdir(exist_ok=True)
    moments = rows.select_dtypes("datetimetz").columns
    told = rows.assign(**{name: rows[name].dt.strftime("%Y-%m-%dT%H:%M:%S+00:00") for name in moments})
    spreadsheet_frame(told).to_csv(file, index=False, date_format="%Y-%m-%d", lineterminator="\n")
