"""What the rule of a universe chose each June, in rows and for machines."""

from typing import Any

import pandas as pd

from backtests.archive.compared import read_run_table
from backtests.archive.stored import StoredRun
from backtests.measures.members import comings_and_goings
from reverse_qe.tables import Column

TITLE = "Baskets by rule, chosen each June"
HEAD = (
    Column("chosen at"),
    Column("basket"),
    Column("of listed", rank=3),
    Column("names"),
    Column("came", prose=True, rank=1),
    Column("went", prose=True, rank=2),
)


def stored_members(run: StoredRun) -> pd.DataFrame | None:
    """Which names came and went in a run that was written; None where no rule chose, or its version kept nothing.

    Raises:
        InputError: the file cannot be read.
    """
    table = read_run_table(run, "members")
    return None if table is None else comings_and_goings(table)


def member_rows(table: pd.DataFrame) -> list[tuple[str, ...]]:
    """A row a June and basket, under `HEAD`."""
    return [
        (
            row["chosen_at"],
            row["basket"].replace("_", " "),
            f"{row['ranked']} of {row['listed']}",
            f"{len(row['members'])}",
            ", ".join(row["came"]) or "none",
            ", ".join(row["went"]) or "none",
        )
        for row in members_json(table)
    ]


def members_json(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The same for machines."""
    days = table.assign(chosen_at=table["chosen_at"].dt.strftime("%Y-%m-%d"))
    return [
        {str(key): list(value) if isinstance(value, tuple) else value for key, value in row.items()}
        for row in days.to_dict("records")
    ]
