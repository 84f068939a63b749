"""The one clock: NYSE sessions, and the decision for session D at 00:00 UTC of D.

At that moment the US session before is over, its evening's earnings are out, and the coin's UTC day has just ended.

Sessions come from exchange_calendars. Some of its calendars take seconds to build, however short the span; so each is
built over the whole span of the clock, once for each version of the library, and kept in the user's cache folder.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import metadata

import numpy as np
import pandas as pd

from data.errors import InputError
from data.files.cache import keep_cached, read_cached

FIRST_DAY = pd.Timestamp("1999-01-01")
LAST_DAY = pd.Timestamp("2040-12-31")

# Built wider by a month, a calendar has a session on either side of every day that is asked for.
_MARGIN = pd.Timedelta(days=31)


@dataclass(frozen=True)
class _Schedule:
    """Sessions of one exchange.

    Attributes:
        first: naive date of the first day that is covered.
        last: naive date of the last one.
        sessions: naive dates.
        opens: moments, UTC, one a session.
        closes: moments, UTC, one a session.
    """

    first: pd.Timestamp
    last: pd.Timestamp
    sessions: pd.DatetimeIndex
    opens: pd.DatetimeIndex
    closes: pd.DatetimeIndex

    def covers(self, first: pd.Timestamp, last: pd.Timestamp) -> bool:
        return self.first <= first and last <= self.last

    def to_bytes(self) -> bytes:
        """Microseconds since 1970: of `first` and `last`, then of the three columns one after the other."""
        span = pd.DatetimeIndex([self.first, self.last]).as_unit("us").asi8
        columns = [times.as_unit("us").asi8 for times in (self.sessions, self.opens, self.closes)]
        return np.concatenate([span, *columns]).astype("<i8").tobytes()

    @classmethod
    def from_bytes(cls, content: bytes) -> "_Schedule":
        times = np.frombuffer(content, dtype="<i8").astype("datetime64[us]")
        sessions, opens, closes = (pd.DatetimeIndex(column) for column in times[2:].reshape(3, -1))
        first, last = pd.Timestamp(times[0]), pd.Timestamp(times[1])
        return cls(first, last, sessions, opens.tz_localize("UTC"), closes.tz_localize("UTC"))


def calendar_sessions(calendar: str, first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
    """Naive session dates of one exchange, from `first` to `last` inclusive; empty where there are none.

    Args:
        calendar: its name in exchange_calendars (``XNYS``, ``XKRX``, ``24/7``).
        first: naive date.
        last: naive date.

    Raises:
        InputError: there is no such calendar, or it does not reach so far.
    """
    schedule = _whole(calendar)
    if not schedule.covers(first, last):
        schedule = _built(calendar, first - _MARGIN, last + _MARGIN)
    if not schedule.covers(first, last):
        raise InputError(
            f"got the exchange calendar {calendar} from {first.date()} to {last.date()}, wanted days between "
            f"{schedule.first.date()} and {schedule.last.date()}, for exchange_calendars {calendars_version()} knows "
            "no others"
        )
    return _between(schedule.sessions, first, last)


@cache
def calendar_names() -> dict[str, str]:
    """The exchange calendars that there are, by name and by every other name that they have, sorted."""
    from exchange_calendars import get_calendar_names, resolve_alias

    return {name: resolve_alias(name) for name in sorted(get_calendar_names())}


def calendars_version() -> str:
    """Return the version of exchange_calendars, which knows no closing that was announced after it was made."""
    return metadata.version("exchange_calendars")


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
    schedule = _whole("XNYS")
    if session not in schedule.sessions:
        raise InputError(f"got the day {session.date()}, wanted an NYSE session")
    row = int(schedule.sessions.searchsorted(session))
    return schedule.opens[row].to_pydatetime(), schedule.closes[row].to_pydatetime()


def _nyse() -> pd.DatetimeIndex:
    return _whole("XNYS").sessions


@cache
def _whole(calendar: str) -> _Schedule:
    """What is known of an exchange within the span of the clock.

    The 1 in the name of the cached file is the form of its bytes.
    """
    first, last = FIRST_DAY - _MARGIN, LAST_DAY + _MARGIN
    span = f"{first:%Y%m%d}-{last:%Y%m%d}"
    name = f"sessions-1-{calendar.replace('/', '_')}-{span}-{calendars_version()}"
    kept = read_cached(name)
    if kept is not None:
        return _Schedule.from_bytes(kept)
    built = _built(calendar, first, last)
    keep_cached(name, built.to_bytes())
    return built


def _built(calendar: str, first: pd.Timestamp, last: pd.Timestamp) -> _Schedule:
    """The sessions of an exchange in a span, or in the part of it that exchange_calendars covers."""
    from exchange_calendars import get_calendar
    from exchange_calendars.errors import CalendarError

    try:
        try:
            known = get_calendar(calendar, start=first, end=last)
        except ValueError:  # It does not reach so far. Without a span it is made within its bounds, and tells them.
            bounds = get_calendar(calendar)
            first, last = max(first, bounds.bound_min() or first), min(last, bounds.bound_max() or last)
            known = get_calendar(calendar, start=first, end=last)
    except (CalendarError, ValueError) as error:
        raise InputError(
            f"got the exchange calendar {calendar}, wanted one that exchange_calendars {calendars_version()} knows "
            f"from {first.date()} to {last.date()}: {error}"
        ) from error
    hours = known.schedule
    opens, closes = (pd.DatetimeIndex(hours[column]).as_unit("us") for column in ("open", "close"))
    return _Schedule(first, last, pd.DatetimeIndex(hours.index).as_unit("us"), opens, closes)


def _between(days: pd.DatetimeIndex, first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
    return days[(days >= first) & (days <= last)]


def _require_known(first: pd.Timestamp, last: pd.Timestamp) -> None:
    if first < FIRST_DAY or last > LAST_DAY:
        raise InputError(
            f"got the days {first.date()} to {last.date()}, wanted days between {FIRST_DAY.date()} and "
            f"{LAST_DAY.date()}, which the session clock covers"
        )
