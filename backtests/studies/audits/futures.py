"""Other futures of a market: after a moment it ends, has other prices and figures, or is told later.

Whatever was over, or known, at the moment stays as it is. That an instrument, a series or a company exists is no
secret: of one of which nothing is known yet a row stays that tells nothing.
"""

from collections.abc import Mapping
from copy import copy
from typing import Literal

import numpy as np
import pandas as pd

from data.market.snapshot import Snapshot
from data.market.tables import BARS as BARS_TABLE
from data.market.tables import SERIES, TABLES

Future = Literal["cut", "up", "down", "late"]
"""It ends; later figures are higher; lower; later news is told `DELAY` later."""

DELAY = pd.Timedelta(days=5)
BARS = "bars"
# Which figures of a table become known with which column.
FIGURES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "series": {"known_at": ("value",)},
    "capex_actuals": {"capex_known_at": ("capex_usd_bn",), "ocf_known_at": ("ocf_usd_bn",)},
    "capex_guidance": {"known_at": ("low_usd_bn", "high_usd_bn", "prior_low_usd_bn", "prior_high_usd_bn")},
    "funding_events": {"known_at": ("amount_usd_bn",)},
    "balance_sheet_paces": {"known_at": ("pace_usd_bn_month", "treasury_usd_bn_month", "mbs_usd_bn_month")},
    "actions": {"known_at": ("value",)},
    "filed_results": {"known_at": ("value_usd_bn",)},
}
# Dividends and splits have a size that prices have followed, and are only taken away or told later.
_SIZED = ("actions",)
_NAMES = {"series": "series", "actions": "symbol", BARS: "symbol"}
# Beside capex and cash flow, a company's row tells these of the same quarter.
_ALSO = {"capex_actuals": ("finance_lease_principal_usd_bn", "headline_capex_usd_bn")}
_PRICES = ("open", "high", "low", "close", "adj_close", "volume")
_DROPPED = 0.05  # share of later bars of each instrument that another future lacks


def name_of(table: str) -> str:
    """The column that says whose a row of a table is."""
    return _NAMES.get(table, "company")


def another_future(
    market: Snapshot, moment: pd.Timestamp, future: Future, only: tuple[str, str] = ("", "")
) -> Snapshot:
    """The same market with another future.

    Args:
        market: bars and what became known when.
        moment: UTC, midnight of a day; bars of days before it are over.
        future: which one; see `Future`.
        only: table and name, whose future alone is another one; ("", ""): of all.
    """
    tables: dict[str, pd.DataFrame] = {}
    for table, figures in FIGURES.items():
        frame = getattr(market, table)
        if only[0] not in ("", table) or frame.empty:
            continue
        mine = rows_of(frame, table, only[1])
        if future == "late":
            tables[table] = _late(frame, figures, moment, mine)
        elif future == "cut":
            tables[table] = _known(frame, table, figures, moment, mine)
        elif table not in _SIZED:
            tables[table] = _moved(frame, table, figures, moment, mine, future)
    if only[0] == "" and not market.memberships.empty:
        tables["memberships"] = _other_members(market.memberships, moment, future)
    if future != "late" and only[0] in ("", BARS):
        mine = rows_of(market.bars, BARS, only[1])
        later = (market.bars["date"] >= moment.tz_localize(None)).to_numpy() & mine
        tables[BARS] = _without_bars(market, later, moment) if future == "cut" else _other_bars(market, later, future)
    return with_tables(market, tables)


def _other_members(frame: pd.DataFrame, moment: pd.Timestamp, future: Future) -> pd.DataFrame:
    """Who comes to the list later, or leaves it, is not told, does the contrary, or is told later."""
    later = (frame["known_at"] > moment).to_numpy()
    if future == "cut":
        return frame[~later]
    if future == "late":
        return frame.assign(known_at=frame["known_at"].where(~later, frame["known_at"] + DELAY))
    return frame.assign(member=frame["member"].to_numpy() ^ later)


def with_tables(market: Snapshot, tables: Mapping[str, pd.DataFrame]) -> Snapshot:
    """The market with other tables, whose columns are as they were.

    Bars and series, which are long, must be in order; the others are put in order.
    """
    made = copy(market)
    for name in ("_rows_of", "content_hash"):  # What was worked out of the tables before.
        made.__dict__.pop(name, None)
    for table in TABLES:
        if table.name in tables:
            frame = tables[table.name]
            whole = frame.reset_index(drop=True) if table in (BARS_TABLE, SERIES) else table.conform(frame)
            object.__setattr__(made, table.name, whole)
    return made


def rows_of(frame: pd.DataFrame, table: str, name: str) -> np.ndarray:
    """Which rows of a table are of a name; all of them of none."""
    if not name:
        return np.ones(len(frame), dtype=bool)
    mine: np.ndarray = (frame[name_of(table)] == name).to_numpy()
    return mine


def _late(
    frame: pd.DataFrame, figures: Mapping[str, tuple[str, ...]], moment: pd.Timestamp, mine: np.ndarray
) -> pd.DataFrame:
    moved = {}
    for known_at in figures:
        later = (frame[known_at] > moment).to_numpy() & mine
        moved[known_at] = frame[known_at] + pd.Series(
            later * DELAY.to_timedelta64().astype("timedelta64[us]"), frame.index
        )
    return frame.assign(**moved)


def _known(
    frame: pd.DataFrame, table: str, figures: Mapping[str, tuple[str, ...]], moment: pd.Timestamp, mine: np.ndarray
) -> pd.DataFrame:
    """What is known at the moment; the first row of whoever has none stays, blank."""
    left, blank = frame.copy(), mine.copy()
    for known_at, names in figures.items():
        unknown = ~(frame[known_at] <= moment).to_numpy() & mine
        left.loc[unknown, list(names)] = np.nan
        if len(figures) > 1:
            left.loc[unknown, known_at] = pd.NaT
        blank &= unknown
    left.loc[blank, list(_ALSO.get(table, ()))] = np.nan
    if table not in ("series", "capex_actuals"):
        return left[~blank]
    first = ~frame[name_of(table)].duplicated().to_numpy()
    return left[~blank | first]


def _moved(
    frame: pd.DataFrame,
    table: str,
    figures: Mapping[str, tuple[str, ...]],
    moment: pd.Timestamp,
    mine: np.ndarray,
    future: Future,
) -> pd.DataFrame:
    """Later figures are others of the same size, each row by a factor of its own; those of a range keep their order."""
    random, moved = np.random.default_rng(7), dict[str, np.ndarray]()
    for known_at, names in figures.items():
        later = (frame[known_at] > moment).to_numpy() & mine
        draws = random.uniform(0.5, 1.0, int(later.sum()))
        for name in names:
            column = frame[name].to_numpy(copy=True)
            values = column[later]
            if table == "series":  # Of either sign: moved by a share of its size, and by more than a step of any unit.
                step = np.abs(values) * draws + 0.5 + draws
                column[later] = values + step if future == "up" else values - step
            else:
                column[later] = values * (1.0 + draws) if future == "up" else values / (1.0 + draws)
            moved[name] = column
    return frame.assign(**moved)


def _without_bars(market: Snapshot, later: np.ndarray, moment: pd.Timestamp) -> pd.DataFrame:
    """Bars up to the moment; an instrument without any keeps one from before its listing, which nobody may trade on."""
    bars, kept = market.bars, ~later
    none = ~bars["symbol"].isin(bars.loc[kept, "symbol"].unique()).to_numpy()
    first = none & ~bars["symbol"].duplicated().to_numpy()
    left = bars[kept | first].copy()
    eve = moment.tz_localize(None) - pd.Timedelta(days=1)
    for row, symbol in bars.loc[first, "symbol"].items():
        listed = pd.Timestamp(market.instruments[str(symbol)].listed)
        left.loc[row, "date"] = min(listed - pd.Timedelta(days=1), eve)
    return left


def _other_bars(market: Snapshot, later: np.ndarray, future: Future) -> pd.DataFrame:
    """Later bars have other prices and volumes, and a few are not there; the last bar of an instrument is.

    A bar's close over its open moves the way of the future too, and its adjustment for dividends stays as it is.
    """
    random, bars, count = np.random.default_rng(7), market.bars, int(later.sum())
    whole, opens, volume = (random.uniform(*ends, count) for ends in ((1.6, 2.4), (0.9, 1.4), (0.3, 3.0)))
    if future == "down":
        whole, opens = 1.0 / whole, 1.0 / opens
    columns = {name: bars[name].to_numpy(copy=True) for name in _PRICES}
    made = {name: columns[name][later] * (opens if name == "open" else whole) for name in _PRICES}
    made["volume"] = columns["volume"][later] * volume
    highest, lowest = np.fmax(made["open"], made["close"]), np.fmin(made["open"], made["close"])
    made["high"], made["low"] = np.maximum(made["high"], highest), np.minimum(made["low"], lowest)  # A blank stays one.
    for name, values in made.items():
        columns[name][later] = values
    gone = np.zeros(len(bars), dtype=bool)
    gone[later] = random.random(count) < _DROPPED
    symbols = bars["symbol"].array
    first = np.append(True, np.asarray(symbols[1:] != symbols[:-1]))
    kept: np.ndarray = ~gone | first | np.append(first[1:], True)
    return bars.assign(**columns).loc[kept]
