"""Everything that an account's databases hold, whatever tables there are, or will be."""

from pathlib import Path
from typing import Any

from paper.ledger.reader import LEDGER_FILE
from paper.ledger.schema import MIGRATIONS
from paper.storage.database import Database

# What a step that was begun anew writes once more: the chain follows from the rows, and each step ends with a line.
_NOT_COMPARED = ("chain",)


def all_rows(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """By table of an account's ledger, its rows; of events those that no step ends with, without their numbers."""
    ledger = Database(folder / LEDGER_FILE, MIGRATIONS)
    try:
        names = [
            row["name"] for row in ledger.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        ]
        found = {name: ledger.rows(f"SELECT * FROM {name}") for name in names if name not in _NOT_COMPARED}
    finally:
        ledger.close()
    found["events"] = [row | {"event_id": 0} for row in found["events"] if row["kind"] != "step"]
    # When it was noted how an order ended: a replay that was broken off and begun anew has its clock set back.
    found["order_states"] = [row | {"at": ""} for row in found["order_states"]]
    return found
