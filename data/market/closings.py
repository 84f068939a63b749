"""Days on which the instruments of an exchange disagree with its calendar, all of them alike.

A calendar knows no closing that was announced after it was made, and no session that was held against its rules. What a
single instrument lacks is a hole in its data; what all of them lack is a day on which the exchange was closed.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd

# One instrument cannot tell a closing from a hole of its own.
MIN_INSTRUMENTS = 2
# A calendar lacks few days. Where all files disagree with it on more, it is the files: their dates are a day off, or
# they are no daily ones.
FEW, FEW_OF_ALL = 5, 0.05


def unknown_closings(sessions: pd.DatetimeIndex, held: Collection[pd.DatetimeIndex]) -> pd.DatetimeIndex:
    """Return the sessions on which no instrument has a bar, though two or more have bars before and after.

    None where they are many: that is no fault of the calendar.

    Args:
        sessions: of the exchange by its calendar: naive dates, ascending.
        held: the days of the bars of each of its instruments: naive dates, ascending.

    Returns:
        Some of `sessions`, in order.
    """
    return _few(_unanimous(sessions, held, present=False), sessions)


def unknown_openings(sessions: pd.DatetimeIndex, held: Collection[pd.DatetimeIndex]) -> pd.DatetimeIndex:
    """Return the days that are no session, on which all instruments that were there have a bar, and two or more were.

    None where they are many: that is no fault of the calendar.

    Args:
        sessions: of the exchange by its calendar: naive dates, ascending.
        held: the days of the bars of each of its instruments: naive dates, ascending.
    """
    days = pd.DatetimeIndex(pd.DatetimeIndex([]).as_unit("us").append(list(held)).unique().sort_values())
    return _few(_unanimous(days.difference(sessions), held, present=True), sessions)


def _few(days: pd.DatetimeIndex, sessions: pd.DatetimeIndex) -> pd.DatetimeIndex:
    return days if len(days) <= max(FEW, FEW_OF_ALL * len(sessions)) else days[:0]


def _unanimous(days: pd.DatetimeIndex, held: Collection[pd.DatetimeIndex], present: bool) -> pd.DatetimeIndex:
    """Those of the days on which every instrument that was there then has a bar, or none has."""
    stamps = days.to_numpy()
    there, agreeing = np.zeros(len(stamps), dtype=int), np.zeros(len(stamps), dtype=int)
    for bars in held:
        if len(bars):
            dates = bars.to_numpy()
            inside = slice(np.searchsorted(stamps, dates[0]), np.searchsorted(stamps, dates[-1], side="right"))
            asked = stamps[inside]
            has_bar = dates[np.searchsorted(dates, asked)] == asked
            there[inside] += 1
            agreeing[inside] += has_bar == present
    unanimous: pd.DatetimeIndex = days[(there >= MIN_INSTRUMENTS) & (agreeing == there)]
    return unanimous
