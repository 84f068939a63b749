"""A CSV file of dividends, splits and delistings."""

from pathlib import Path

import numpy as np
import pandas as pd

from data.errors import InputError
from data.events.times import filing_times
from data.importing.csv_files import read_events
from data.market.tables import ACTIONS, Table
from data.prices.actions import DELISTING, KINDS

ACTION_COLUMNS = ("symbol", "date", "kind", "value", "known_on", "source")
_FILE = Table("actions", {**ACTIONS.columns, "known_on": "date"}, ACTIONS.key)


def read_actions(path: Path, bars: pd.DataFrame) -> pd.DataFrame:
    """Read actions; a day on which one became known alone is stamped with its late evening in New York.

    Args:
        path: CSV of `ACTION_COLUMNS`: ``date`` is the ex-date, the day from which a split counts, or the last day of
            trading; ``value`` US dollars a unit, new units for an old one, or US dollars paid a unit at the end (blank:
            not known); ``known_on`` the day on which it was public.
        bars: `data.market.tables.BARS` of the instruments.

    Returns:
        `data.market.tables.ACTIONS`.

    Raises:
        InputError: the file cannot be read, or a row has an unknown kind or symbol, no date, no source, a value that
            its kind cannot have, or is the second delisting of its symbol.
    """
    rows = read_events(path, _FILE, ACTION_COLUMNS, ())
    symbols = set(bars["symbol"])
    delistings = rows["kind"] == DELISTING
    value = rows["value"].astype(float)
    faults = {
        f"an unknown kind, wanted one of {', '.join(KINDS)}": ~rows["kind"].isin(KINDS),
        "a symbol without prices": ~rows["symbol"].isin(symbols),
        "no date": rows["date"].isna() | rows["known_on"].isna(),
        "no source": rows["source"] == "",
        "a value that is not above 0": (rows["kind"] != DELISTING) & ~(value > 0),
        "a negative value": value < 0,
        "a second delisting": delistings & rows[delistings].duplicated("symbol").reindex(rows.index, fill_value=False),
    }
    for fault, wrong in faults.items():
        if wrong.any():
            place = int(np.argmax(wrong))
            named = ", ".join(str(rows.iloc[place][name]) for name in ("symbol", "date", "kind", "value"))
            raise InputError(f"{path}, row {place + 1} ({named}): got {fault}; correct the row")
    return ACTIONS.conform(rows.assign(known_at=filing_times(rows["known_on"])))
