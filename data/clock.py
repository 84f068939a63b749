"""The one clock: NYSE sessions, and the decision for session D at 00:00 UTC of D.

At that moment the US session before is over, its evening's earnings are out, and the coin's UTC day has just ended.
"""

from functools import cache
from typing import TYPE_CHECKING

import pandas as pd

from data.errors import InputError

if TYPE_CHECKING:
    from exchange_calendars import ExchangeCalendar

FIRST_DAY = pd.Timestamp("1999-01-01")
LAST_DAY = pd.Timestamp("2040-12-31")


@cache
def _nyse() -> pd.DatetimeIndex:
    return calendar_sessions("XNYS", FIRST_DAY, LAST_DAY)


def calendar_sessions(calendar: str, first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
    """Naive session dates of one exchange, from `first` to `last` inclusive."""
    return pd.DatetimeIndex(_calendar(calendar, first, last).sessions).as_unit("us")


def _calendar(calendar: str, first: pd.Timestamp, last: pd.Timestamp) -> "ExchangeCalendar":
    import exchange_calendars

    return exchange_calendars.get_calendar(calendar, start=first, end=last)


def sessions_between(first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
    """NYSE sessions from `first` to `last` inclusive, as naive dates; empty where there are none."""
    sessions = _nyse()
    _require_known(first, last)
    return sessions[(sessions >= first) & (sessions <= last)]


def next_session(day: pd.Timestamp) -> pd.Timestamp:
    """Return the first NYSE session after `day`."""
    _require_known(day, day)
    return _nyse()[int(_nyse().searchsorted(day, side="right"))]


def previous_session(day: pd.Timestamp) -> pd.Timestamp:
    """Return the last NYSE session before `day`."""
    _require_known(day, day)
    return _nyse()[int(_nyse().searchsorted(day, side="left")) - 1]


def decision_times(sessions: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the moments at which the decisions for these sessions are taken: 00:00 UTC of each."""
    return sessions.as_unit("us").tz_localize("UTC")


def _require_known(first: pd.Timestamp, last: pd.Timestamp) -> None:
    if first < FIRST_DAY or last > LAST_DAY:
        raise InputError(
            f"got the days {first.date()} to {last.date()}, wanted days between {FIRST_DAY.date()} and "
            f"{LAST_DAY.date()}, which the session clock covers"
        )
