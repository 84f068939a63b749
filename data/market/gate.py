"""The one gate of bars: whichever way they come, what stands in a snapshot could have been quoted.

A price is above 0 or blank, a close and an adjusted close are never blank, high is not below low, a volume is not
below 0: what breaks this is refused by symbol, day and cell. A row of a day on which the instrument's exchange holds no
session is kept aside: it enters no decision, no valuation and no volatility, and is told.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.catalogue.instruments import ALWAYS_OPEN, Instrument
from data.clock import calendar_sessions
from data.errors import InputError
from data.market.closings import unknown_openings
from data.market.tables import BARS, BARS_ASIDE, PRICE_COLUMNS

NO_SESSION = "no session"

_PRICES = ("open", "high", "low", "close", "adj_close")
# A bar is valued at its close, on the adjusted basis: without them it would blank the worth of a whole book, while a
# day without a row is carried at the close before and reported as a gap.
_NEVER_BLANK = ("close", "adj_close")
# More rows than these on days without a session, and the calendar is not that of the instrument.
_FEW, _FEW_OF_ALL = 5, 0.05


@dataclass(frozen=True)
class Fault:
    """What is wrong in some bars.

    Attributes:
        rows: (n,) whether each of n bars is at fault.
        words: what was got and wanted; the names of columns, in braces, stand for the text of the row's cells.
    """

    rows: np.ndarray
    words: str


def bar_faults(columns: Mapping[str, np.ndarray]) -> list[Fault]:
    """What of some bars no market can have quoted; faults without a row are left out.

    Args:
        columns: (n,) floats by name, NaN where a cell is blank: open, high, low, close and volume, and the adjusted
            close unless it is yet to be derived.
    """
    prices = [name for name in _PRICES if name in columns]
    faults = [
        Fault(np.isinf(values), f"{name} {{{name}}}, wanted a number or a blank cell")
        for name, values in columns.items()
    ]
    faults += [Fault(columns[name] <= 0, f"{name} {{{name}}}, wanted a price above 0") for name in prices]
    faults += [
        Fault(
            np.isnan(columns[name]),
            f"{name} is blank, wanted a price; remove the row (a day without one is carried, and reported)",
        )
        for name in prices
        if name in _NEVER_BLANK
    ]
    faults += [
        Fault(columns["high"] < columns["low"], "high {high} is below low {low}; correct or blank them"),
        Fault(columns["volume"] < 0, "volume {volume}, wanted 0 or more, or a blank cell"),
    ]
    return [fault for fault in faults if fault.rows.any()]


def refuse_faults(bars: pd.DataFrame) -> None:
    """Refuse bars that no market can have quoted.

    Args:
        bars: `data.market.tables.BARS`; an adjusted close that is yet to be derived may be left out.

    Raises:
        InputError: the first row at fault, by symbol, day and cell.
    """
    columns = {name: bars[name].to_numpy(dtype=float) for name in PRICE_COLUMNS[1:] if name in bars}
    faults = bar_faults(columns)
    if faults:
        row, fault = min(((int(fault.rows.argmax()), fault) for fault in faults), key=lambda found: found[0])
        words = fault.words.format(**{name: f"{values[row]:g}" for name, values in columns.items()})
        raise InputError(f"{bars['symbol'].iloc[row]} {bars['date'].iloc[row].date()}: {words}")


def blank_zeros(bars: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read a price of 0, by which sources say that they have none, as blank.

    Args:
        bars: of one instrument, without an adjusted close.

    Returns:
        Bars without the rows whose close is 0 or blank, and what was blank, in words.
    """
    prices = [name for name in _PRICES if name in bars]
    zero = bars[prices] == 0
    blanked = bars.assign(**{name: bars[name].mask(zero[name]) for name in prices})
    notes = tuple(
        f"{name} of 0, read as blank: {_days(bars.loc[zero[name], 'date'])}" for name in prices if zero[name].any()
    )
    return blanked[blanked["close"].notna()].reset_index(drop=True), notes


def kept_and_aside(
    bars: pd.DataFrame, aside: pd.DataFrame, instruments: Mapping[str, Instrument]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part the rows of days on which the instrument's exchange held a session from the others.

    A day on which all instruments of an exchange have a bar, two or more, is a session that its calendar does not know
    (`data.market.closings`), unless the bar only repeats the close before it.

    Args:
        bars: `data.market.tables.BARS`.
        aside: `data.market.tables.BARS_ASIDE`: what an earlier look has kept aside; it is judged anew.
        instruments: entries of the symbols. What has none has no exchange either, and keeps its rows.

    Returns:
        Both tables, conformed.

    Raises:
        InputError: an instrument has so many such rows that its calendar must be another one.
    """
    rows = bars if aside.empty else pd.concat([bars, aside[list(BARS.columns)]])
    rows = BARS.conform(rows)
    calendars = rows["symbol"].map({symbol: entry.calendar for symbol, entry in instruments.items()})
    extra = np.zeros(len(rows), dtype=bool)
    for calendar in sorted(set(calendars.dropna().unique()) - {ALWAYS_OPEN}):
        there = (calendars == calendar).to_numpy()
        extra[there] = _without_session(rows[there], calendar)
    if not extra.any():
        return rows, BARS_ASIDE.empty()
    _require_few(rows["symbol"], extra, instruments)
    return BARS.conform(rows[~extra]), BARS_ASIDE.conform(rows[extra].assign(reason=NO_SESSION))


def _without_session(rows: pd.DataFrame, calendar: str) -> np.ndarray:
    days = pd.DatetimeIndex(rows["date"])
    sessions = calendar_sessions(calendar, days.min(), days.max())
    extra = ~days.isin(sessions)
    if extra.any():
        traded = rows[~_repeats_the_last(rows)]
        held = [pd.DatetimeIndex(dates) for _, dates in traded.groupby("symbol")["date"]]
        extra &= ~days.isin(unknown_openings(sessions, held))
    return np.asarray(extra)


def _repeats_the_last(rows: pd.DataFrame) -> np.ndarray:
    """Whether each row says no more than the close before it: some sources fill days without a session so."""
    closes = rows["close"].to_numpy()
    repeats = (closes == np.append(np.nan, closes[:-1])) & ~(rows["volume"] > 0).to_numpy()
    for name in ("open", "high", "low"):
        repeats &= (rows[name].isna() | (rows[name] == rows["close"])).to_numpy()
    return np.asarray(repeats)


def _require_few(symbols: pd.Series, extra: np.ndarray, instruments: Mapping[str, Instrument]) -> None:
    for symbol, count in symbols[extra].value_counts(sort=False).items():
        rows = int((symbols == symbol).sum())
        if count > max(_FEW, _FEW_OF_ALL * rows):
            raise InputError(
                f"{symbol}: got {count} of {rows} rows on days that are no session of "
                f"{instruments[str(symbol)].calendar}, wanted bars of its sessions; mend calendar in its catalogue "
                "entry, or take the rows out"
            )


def _days(days: pd.Series) -> str:
    shown = [f"{day:%Y-%m-%d}" for day in days[:3]]
    return ", ".join(shown) + (f" and {len(days) - 3} more" if len(days) > 3 else "")
