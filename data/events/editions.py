"""The events that the project ships, by edition.

The newest edition lies in `data/events/reference/`, an earlier one in a folder of its own there, as it was shipped.
"""

from functools import cache
from pathlib import Path
from typing import Literal

import pandas as pd

from data.market.tables import COVERAGE, EVENT_TABLES, PACES, Table

REFERENCE_DIR = Path(__file__).parent / "reference"

Edition = Literal["newest", "2026-10"]
"""Editions of the shipped events: ``2026-10`` came with version 0.1.0, without paces and without coverage."""

SHIPPED_TABLES = (*EVENT_TABLES, PACES, COVERAGE)
_FOLDERS = {"newest": REFERENCE_DIR, "2026-10": REFERENCE_DIR / "2026-10"}


@cache
def reference_events(edition: Edition = "newest") -> dict[str, pd.DataFrame]:
    """Return the shipped events by name of the table (`SHIPPED_TABLES`); not to be changed."""
    return {table.name: _read(_FOLDERS[edition] / f"{table.name}.csv", table) for table in SHIPPED_TABLES}


@cache
def every_edition(table: str) -> pd.DataFrame:
    """Return the rows of one table, by name, in all editions; those of an earlier edition come first."""
    parts = [reference_events(edition)[table] for edition in ("2026-10", "newest")]
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def parse_cells(text: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Turn cells of text into the kinds of a table's columns; blank cells become blanks of the kind.

    Args:
        text: columns of the table, all or some of them.
        table: whose kinds they are.
    """
    return pd.DataFrame({str(name): _parse(cells, table.columns[str(name)]) for name, cells in text.items()})


def _read(path: Path, table: Table) -> pd.DataFrame:
    if not path.is_file():
        return table.empty()
    return table.conform(parse_cells(pd.read_csv(path, dtype=str, keep_default_na=False), table))


def _parse(cells: pd.Series, kind: str) -> pd.Series:
    if kind == "flag":
        return cells.map({"true": True, "false": False})
    if kind == "text":
        return cells
    filled = cells.mask(cells == "")
    return filled.astype("float64") if kind == "number" else pd.to_datetime(filled, utc=kind == "time")
