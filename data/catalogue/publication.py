"""Publication rules: from the date that an observation is about to the moment that it is public.

Every rule errs to the late side. Nothing is published on federal holidays, on the days for which the President closed
the federal offices, and on Good Friday, when the bond market rests (SOFR is not published on its holidays, and a day
late is right for the rest).
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Literal

import numpy as np
import pandas as pd
from pandas.tseries.holiday import GoodFriday, USFederalHolidayCalendar

PublicationRule = Literal[
    "effective_date",
    "same_day",
    "next_business_day",
    "weekly_h41",
    "weekly_h8",
    "weekly_h10",
    "nfci",
    "following_thursday",
    "fifth_business_day",
    "following_month_end",
    "filing",
]

# Closed by executive order around Christmas, or in mourning for a President (2004-06-11, 2007-01-02, 2018-12-05,
# 2025-01-09).
_OFFICES_CLOSED = (
    *("2001-12-24", "2003-12-26", "2004-06-11", "2007-01-02", "2007-12-24", "2008-12-26", "2012-12-24", "2014-12-26"),
    *("2018-12-05", "2018-12-24", "2019-12-24", "2020-12-24", "2024-12-24", "2025-01-09", "2025-12-24", "2025-12-26"),
)


class _PublishersCalendar(USFederalHolidayCalendar):
    rules = [*USFederalHolidayCalendar.rules, GoodFriday]  # noqa: RUF012


@cache
def _holidays() -> np.ndarray:
    by_rule = _PublishersCalendar().holidays("1950-01-01", "2060-12-31").to_numpy().astype("datetime64[D]")
    return np.union1d(by_rule, np.array(_OFFICES_CLOSED, dtype="datetime64[D]"))


def _business_day(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """The first business day on or after each day."""
    rolled = np.busday_offset(days.to_numpy().astype("datetime64[D]"), 0, roll="forward", holidays=_holidays())
    return pd.DatetimeIndex(rolled)


def _next_business(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """The first business day after each day, which may itself be none."""
    return _business_day(days + pd.Timedelta(days=1))


def _late_in_holiday_week(first: pd.DatetimeIndex, release: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """The release day, a day later where a holiday falls from `first` to the release day, on a business day."""
    holidays = np.searchsorted(_holidays(), release.to_numpy().astype("datetime64[D]"), side="right") - np.searchsorted(
        _holidays(), first.to_numpy().astype("datetime64[D]"), side="left"
    )
    return _business_day(release + pd.to_timedelta((holidays > 0).astype(int), unit="D"))


def _effective_date(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Announced before it takes effect: known as the day begins."""
    return days


def _same_day(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Results on the afternoon of the day itself."""
    return days + pd.Timedelta(hours=22)


def _next_business_day(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """FRED's copies of H.15, of spreads and of overnight rates: the next business day."""
    return _next_business(days) + pd.Timedelta(hours=22)


def _weekly_h41(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """H.4.1: a Wednesday's figures on Thursday 16:30 New York time, a day later in a holiday week."""
    thursday = days + pd.Timedelta(days=1)
    monday = thursday - pd.to_timedelta(thursday.day_of_week, unit="D")
    return _late_in_holiday_week(monday, thursday) + pd.Timedelta(hours=22)


def _weekly_h8(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """H.8: a Wednesday's figures on the next week's Friday, 16:15 New York time, a day later in a holiday week."""
    friday = days + pd.Timedelta(days=9)
    return _late_in_holiday_week(friday - pd.Timedelta(days=4), friday) + pd.Timedelta(hours=22)


def _weekly_h10(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """H.10: a week's daily figures on the Monday after it."""
    return _business_day(days + pd.to_timedelta(7 - days.day_of_week, unit="D")) + pd.Timedelta(hours=22)


def _nfci(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """NFCI: the week to Friday, on the Wednesday after at 8:30 New York time, a day later in a holiday week."""
    wednesday = days + pd.Timedelta(days=5)
    return _late_in_holiday_week(days + pd.Timedelta(days=3), wednesday) + pd.Timedelta(hours=14)


def _following_thursday(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """A week to Friday, on the Thursday after."""
    return _business_day(days + pd.Timedelta(days=6)) + pd.Timedelta(hours=22)


def _fifth_business_day(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """The debt of a month's end, on the fourth business day of the month that follows; a day later is taken."""
    first = (days + pd.offsets.MonthEnd(0) + pd.Timedelta(days=1)).to_numpy().astype("datetime64[D]")
    fifth = np.busday_offset(first, 4, roll="forward", holidays=_holidays())
    return pd.DatetimeIndex(fifth) + pd.Timedelta(hours=22)


def _following_month_end(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """A month's figure by the end of the month that follows (money stock: its fourth Tuesday)."""
    return days + pd.offsets.MonthEnd(0) + pd.offsets.MonthEnd(1) + pd.Timedelta(hours=22)


def _filing(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """A figure of a year or quarter by the last day for a 10-K, three months after its end, in the evening."""
    return _next_business(days + pd.Timedelta(days=90)) + pd.Timedelta(hours=22)


_RULES: Mapping[PublicationRule, Callable[[pd.DatetimeIndex], pd.DatetimeIndex]] = {
    "effective_date": _effective_date,
    "same_day": _same_day,
    "next_business_day": _next_business_day,
    "weekly_h41": _weekly_h41,
    "weekly_h8": _weekly_h8,
    "weekly_h10": _weekly_h10,
    "nfci": _nfci,
    "following_thursday": _following_thursday,
    "fifth_business_day": _fifth_business_day,
    "following_month_end": _following_month_end,
    "filing": _filing,
}


def publication_times(days: pd.DatetimeIndex, rule: PublicationRule) -> pd.DatetimeIndex:
    """When the observations of these days become public.

    Args:
        days: naive dates, shape (n,), in any order.
        rule: the series' publication rule.

    Returns:
        UTC times, shape (n,), in the order of `days`.
    """
    return _RULES[rule](days.as_unit("us")).as_unit("us").tz_localize("UTC")
