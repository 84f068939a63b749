"""The one clock: NYSE sessions, and the decision for session D at 00:00 UTC of D.

At that moment the US session before is over, its evening's earnings are out, and the coin's UTC day has just ended.
"""

from datetime import datetime
from functools import cache

import pandas as pd

from data.errors import InputError

FIRST_DAY = pd.Timestamp("1999-01-01")
LAST_DAY = pd.Timestamp("2040-12-31")

# Built wider by a month, a calendar has a session on either side of every day that is asked for.
_MARGIN = pd.Timedelta(days=31)


@cache
def _nyse() -> pd.DatetimeIndex:
    return pd.DatetimeIndex(_nyse_schedule().index).as_unit("us")


def calendar_sessions(calendar: str, first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
    """Naive session dates of one exchange, from `first` to `last` inclusive; empty where there are none.

    Args:
        calendar: its name in exchange_calendars (``XNYS``, ``XKRX``, ``24/7``). Some take seconds to build.
        first: naive date.
        last: naive date.

    Raises:
        InputError: there is no such calendar, or it does not reach so far.
    """
    return _between(_sessions(calendar, first, last), first, last)


def _sessions(calendar: str, first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(_schedule(calendar, first, last).index).as_unit("us")


def _schedule(calendar: str, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    """Columns open and close, UTC, by session."""
    import exchange_calendars
    from exchange_calendars.errors import InvalidCalendarName

    try:
        schedule: pd.DataFrame = exchange_calendars.get_calendar(
            calendar, start=first - _MARGIN, end=last + _MARGIN
        ).schedule
    except (InvalidCalendarName, ValueError) as error:
        raise InputError(
            f"got the exchange calendar {calendar} from {first.date()} to {last.date()}, wanted one that "
            f"exchange_calendars knows over that span: {error}"
        ) from error
    return schedule[["open", "close"]]


def _between(days: pd.DatetimeIndex, first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
    return days[(days >= first) & (days <= last)]


def sessions_between(first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
    """NYSE sessions from `first` to `last` inclusive, as naive dates; empty where there are none."""
    _require_known(first, last)
    return _between(_nyse(), first, last)


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


def trading_hours(session: pd.Timestamp) -> tuple[datetime, datetime]:
    """Return the moments, UTC, at which an NYSE session opens and closes.

    Raises:
        InputError: the day is no session.
    """
    _require_known(session, session)
    if session not in _nyse_schedule().index:
        raise InputError(f"got the day {session.date()}, wanted an NYSE session")
    row = int(_nyse_schedule().index.searchsorted(session))
    opens, closes = _nyse_schedule()["open"].iloc[row], _nyse_schedule()["close"].iloc[row]
    return opens.to_pydatetime(), closes.to_pydatetime()


@cache
def _nyse_schedule() -> pd.DataFrame:
    return _schedule("XNYS", FIRST_DAY, LAST_DAY)


def _require_known(first: pd.Timestamp, last: pd.Timestamp) -> None:
    if first < FIRST_DAY or last > LAST_DAY:
        raise InputError(
            f"got the days {first.date()} to {last.date()}, wanted days between {FIRST_DAY.date()} and "
            f"{LAST_DAY.date()}, which the session clock covers"
        )
