"""A CSV file of what happens to held units: dividends, capital gains, splits, spin-offs, symbol changes, delistings."""

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd

from data.errors import InputError
from data.events.times import filing_times
from data.importing.csv_files import read_events
from data.market.tables import ACTIONS, Table
from data.prices.actions import DELISTING, KINDS
from data.prices.adjustment import SPIN_OFF
from data.prices.conversions import SYMBOL_CHANGE
from data.prices.told_actions import added_up, with_spin_offs

ACTION_COLUMNS = ("symbol", "date", "kind", "value", "known_on", "source")
OPTIONAL_COLUMNS = tuple(ACTIONS.later)
_FILE = Table("actions", {**ACTIONS.columns, **ACTIONS.later, "known_on": "date"}, ACTIONS.key)


def read_actions(path: Path, bars: pd.DataFrame, left_out: Collection[str] = ()) -> pd.DataFrame:
    """Read actions; a day on which one became known alone is stamped with its late evening in New York.

    Args:
        path: CSV of `ACTION_COLUMNS`, and `OPTIONAL_COLUMNS` where it has them: ``date`` is the ex-date, the day from
            which a split counts, the first day after a spin-off, the first day under the new symbol, or the last day of
            trading; ``value`` US dollars a unit, new units for an old one, units given or received for one that was
            held (blank for a change of symbol: one), or US dollars paid a unit at the end (blank: not known);
            ``known_on`` the day on which it was public, blank for as the ``date`` begins, 00:00 UTC; ``into`` the
            symbol that is given or that the old one becomes; ``factor`` by which prices from before a spin-off are
            divided.
        bars: `data.market.tables.BARS` of the instruments.
        left_out: symbols whose rows are passed over, for their prices are not wanted.

    Returns:
        `data.market.tables.ACTIONS`; what is paid twice on a day, added up.

    Raises:
        InputError: the file cannot be read, or a row has an unknown kind or symbol, no date, no source, a value that
            its kind cannot have, or is the second delisting of its symbol; a spin-off that does not say what was
            given.
    """
    rows = read_events(path, _FILE, ACTION_COLUMNS, OPTIONAL_COLUMNS)
    rows = rows.assign(
        **{name: rows.get(name, "" if kind == "text" else np.nan) for name, kind in ACTIONS.later.items()}
    )
    rows = rows[~rows["symbol"].isin(list(left_out))].reset_index(drop=True)
    changes = rows["kind"] == SYMBOL_CHANGE
    rows["value"] = rows["value"].astype(float).where(~changes | rows["value"].notna(), 1.0)
    _refuse_first(path, rows, set(bars["symbol"]))
    # A price of the ex-date is without what is paid, and the decision for that day must know.
    of_date = pd.DatetimeIndex(rows["date"]).tz_localize("UTC")
    is_told = rows["known_on"].notna()
    told_at = pd.Series(filing_times(rows["known_on"].where(is_told, rows["date"])), index=rows.index)
    given = rows.assign(known_at=told_at.where(is_told, pd.Series(of_date, index=rows.index)))
    try:
        parts = [with_spin_offs(str(symbol), each) for symbol, each in added_up(given).groupby("symbol", sort=True)]
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return ACTIONS.conform(pd.concat(parts))


def _refuse_first(path: Path, rows: pd.DataFrame, symbols: set[str]) -> None:
    """Refuse the first row that is at fault."""
    value, kind = rows["value"], rows["kind"]
    delistings = kind == DELISTING
    moves = kind.isin((SPIN_OFF, SYMBOL_CHANGE))
    faults = {
        f"an unknown kind, wanted one of {', '.join(KINDS)}": ~kind.isin(KINDS),
        "a symbol without prices": ~rows["symbol"].isin(symbols),
        "no date": rows["date"].isna(),
        "no known_on, the day on which a delisting was announced": delistings & rows["known_on"].isna(),
        "no source": rows["source"] == "",
        "a value that is not above 0": ~delistings & ~(value > 0),
        "a negative value": value < 0,
        "a second delisting": delistings & rows[delistings].duplicated("symbol").reindex(rows.index, fill_value=False),
        "an into that belongs to spin-offs and changes of symbol alone": ~moves & (rows["into"] != ""),
        "a change of symbol without its into": (kind == SYMBOL_CHANGE) & (rows["into"] == ""),
        "a factor that is not above 1": rows["factor"].notna() & ~(rows["factor"] > 1),
    }
    for fault, wrong in faults.items():
        if wrong.any():
            place = int(np.argmax(wrong))
            named = ", ".join(str(rows.iloc[place][name]) for name in ("symbol", "date", "kind", "value"))
            raise InputError(f"{path}, row {place + 1} ({named}): got {fault}; correct the row")
