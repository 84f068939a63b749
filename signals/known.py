"""What was known at each decision, on arrays: the ground that everything of the signal stands on.

Days and moments are whole microseconds since 1970 (UTC), as pandas keeps them. The decision for a session is at 00:00
UTC of it, so a session is its own decision. `NEVER` stands for what is never known, `NAT` for a day that is not there.
"""

from bisect import insort
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

NAT = np.iinfo(np.int64).min
NEVER = np.iinfo(np.int64).max
DAY = 86_400_000_000
_WEEK_DAYS = 7

Array = np.ndarray


class Observations(NamedTuple):
    """Values of one thing, one row a date and vintage, in order of `known`, then `day`.

    Attributes:
        day: that the value is about.
        value: never NaN.
        known: from when it was public.
    """

    day: Array
    value: Array
    known: Array


class Known(NamedTuple):
    """What each decision knew of one thing.

    Attributes:
        value: NaN where nothing is known, or it is too old.
        observed: the day that the newest value known is about, also where it is too old; `NAT` where there is none.
        known: from when it was public; `NAT` where there is none.
    """

    value: Array
    observed: Array
    known: Array


def in_order(day: Array, value: Array, known: Array) -> Observations:
    """Put rows into the order in which they became known."""
    if len(day) and ((known[1:] > known[:-1]) | ((known[1:] == known[:-1]) & (day[1:] >= day[:-1]))).all():
        return Observations(day, value, known)
    order = np.lexsort((day, known))
    return Observations(day[order], value[order], known[order])


def together(parts: Sequence[Observations]) -> tuple[Array, Array, Array]:
    """Bring several things together on the days that all of them have.

    A row is known when the last of its values is; a revision of one of them makes a further row.

    Returns:
        ``day``, ``known`` and the values (rows, things), in order of ``known``, then ``day``.
    """
    days = parts[0].day
    for part in parts[1:]:
        days = days[np.isin(days, part.day)]
    kept = [np.isin(part.day, days) for part in parts]
    day = np.concatenate([part.day[rows] for part, rows in zip(parts, kept, strict=True)])
    known = np.concatenate([part.known[rows] for part, rows in zip(parts, kept, strict=True)])
    value = np.concatenate([part.value[rows] for part, rows in zip(parts, kept, strict=True)])
    whose = np.repeat(np.arange(len(parts)), [int(rows.sum()) for rows in kept])
    order = np.lexsort((known, day))
    day, known, value, whose = day[order], known[order], value[order], whose[order]
    place = np.arange(len(day))
    begins = np.maximum.accumulate(np.where(np.diff(day, prepend=day[:1] - 1) != 0, place, 0))
    # For each row, where the newest vintage of each thing for its day stands.
    newest = np.maximum.accumulate(np.where(whose[:, None] == np.arange(len(parts)), place[:, None], -1), axis=0)
    whole = (newest >= begins[:, None]).all(axis=1)
    last = np.append((day[1:] != day[:-1]) | (known[1:] != known[:-1]), True)[: len(day)]
    rows = np.flatnonzero(whole & last)
    rows = rows[np.lexsort((day[rows], known[rows]))]
    return day[rows], known[rows], value[newest[rows]]


def on_weeks(daily: Observations, weeks: Array) -> Observations:
    """Let a daily value stand for a day of the week: the last one up to it, less than seven days before.

    A later day takes the place of an earlier one from when it is known; so a holiday has the value of the day before.

    Args:
        daily: one thing by day.
        weeks: days of weeks, increasing.
    """
    place = np.searchsorted(weeks, daily.day)
    inside = place < len(weeks)
    week = weeks[np.minimum(place, len(weeks) - 1)] if len(weeks) else daily.day
    inside &= (week - daily.day) < _WEEK_DAYS * DAY
    day, value, known, week = daily.day[inside], daily.value[inside], daily.known[inside], week[inside]
    order = np.lexsort((day, known, week))
    day, value, known, week = day[order], value[order], known[order], week[order]
    # Weeks follow one another, so that a day that is not the newest so far has been overtaken in its own week.
    newest = day == np.maximum.accumulate(day) if len(day) else day == day
    last = np.append((week[1:] != week[:-1]) | (known[1:] != known[:-1]), True)[: len(week)]
    kept = newest & last
    return Observations(week[kept], value[kept], known[kept])


def mean_of_newest(observations: Observations, count: int) -> Observations:
    """Average the newest `count` days known, each in its newest vintage, anew whenever one becomes known or is revised.

    Returns:
        By the newest day of each mean; no row while fewer than `count` days are known.
    """
    day, value, known = observations
    if (day[1:] > day[:-1]).all():  # no revision, and nothing late
        if len(day) < count:
            return Observations(day[:0], value[:0], known[:0])
        means = np.lib.stride_tricks.sliding_window_view(value, count).sum(axis=1) / count
        return Observations(day[count - 1 :], means, known[count - 1 :])
    days: list[int] = []
    values: dict[int, float] = {}
    rows: list[tuple[int, float, int]] = []
    for each, number, moment in zip(day.tolist(), value.tolist(), known.tolist(), strict=True):
        if each not in values:
            insort(days, each)
        values[each] = number
        newest = days[-count:]
        if len(newest) == count and each >= newest[0]:
            if rows and (rows[-1][0], rows[-1][2]) == (newest[-1], moment):
                rows.pop()
            rows.append((newest[-1], sum(values[one] for one in newest) / count, moment))
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return Observations(
        np.array(columns[0], dtype=np.int64), np.array(columns[1], dtype=float), np.array(columns[2], dtype=np.int64)
    )


def known_values(observations: Observations, sessions: Array, stale_after_days: int) -> Known:
    """Look up, for each session's decision, the newest value known then.

    Args:
        observations: of one thing.
        sessions: increasing.
        stale_after_days: calendar days from the day to the decision after which the value is too old to use.
    """
    day, value, known = observations
    # A row that is about the newest day so far takes over; the others are late news of the past.
    takes_over = day == np.maximum.accumulate(day) if len(day) else day == day
    day, value, known = day[takes_over], value[takes_over], known[takes_over]
    place = np.searchsorted(known, sessions, side="right") - 1
    found = place >= 0
    place = np.maximum(place, 0)
    if not len(day):
        return Known(np.full(len(sessions), np.nan), np.full(len(sessions), NAT), np.full(len(sessions), NAT))
    observed = np.where(found, day[place], NAT)
    fresh = found & (days_between(observed, sessions) <= stale_after_days)
    return Known(np.where(fresh, value[place], np.nan), observed, np.where(found, known[place], NAT))


def days_between(earlier: Array, later: Array) -> Array:
    """Count whole days from one moment to another; more than any limit from `NAT`."""
    days: Array = np.where(earlier == NAT, NEVER, (later - np.where(earlier == NAT, 0, earlier)) // DAY)
    return days


def latest(moments: Sequence[Array]) -> Array:
    """The latest of several moments, place by place; `NAT` only where all are."""
    found = moments[0]
    for each in moments[1:]:
        found = np.maximum(found, each)
    return found


def microseconds(days: pd.Series | pd.DatetimeIndex) -> Array:
    """Turn days or moments (UTC) into whole microseconds since 1970; blank is `NAT`."""
    index = pd.DatetimeIndex(days).as_unit("us")
    numbers: Array = index.asi8
    return numbers


def moments_of(numbers: Array) -> pd.DatetimeIndex:
    """Turn whole microseconds into naive moments."""
    return pd.DatetimeIndex(numbers.view("datetime64[us]"))
