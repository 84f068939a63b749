"""The session clock against the published holidays of the exchanges."""

from pathlib import Path

import pandas as pd
import pytest

from data.clock import (
    calendar_sessions,
    decision_times,
    next_session,
    previous_session,
    sessions_between,
    trading_hours,
)
from data.errors import InputError


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text)


def days(sessions: pd.DatetimeIndex) -> list[str]:
    assert sessions.tz is None
    return [f"{session:%Y-%m-%d}" for session in sessions]


def test_thanksgiving_week() -> None:
    week = sessions_between(day("2025-11-22"), day("2025-11-30"))

    assert days(week) == ["2025-11-24", "2025-11-25", "2025-11-26", "2025-11-28"]


@pytest.mark.parametrize(
    ("closed", "why"),
    [
        ("2022-06-20", "the first Juneteenth that the exchange kept, observed on Monday"),
        ("2025-06-19", "Juneteenth"),
        ("2025-04-18", "Good Friday"),
        ("2025-01-09", "mourning for President Carter"),
        ("2012-10-29", "hurricane Sandy"),
        ("2001-09-11", "the attacks"),
        ("2025-11-22", "a Saturday"),
    ],
)
def test_no_session_when_the_exchange_was_closed(closed: str, why: str) -> None:
    assert sessions_between(day(closed), day(closed)).empty, why


@pytest.mark.parametrize("opened", ["2021-06-18", "2025-11-11", "2025-10-13", "2025-11-28", "2021-12-31"])
def test_session_on_days_that_only_others_keep(opened: str) -> None:
    assert days(sessions_between(day(opened), day(opened))) == [opened]


@pytest.mark.parametrize(
    ("year", "count"), [(2018, 251), (2019, 252), (2020, 253), (2021, 252), (2022, 251), (2023, 250), (2024, 252)]
)
def test_sessions_of_a_year(year: int, count: int) -> None:
    assert len(sessions_between(day(f"{year}-01-01"), day(f"{year}-12-31"))) == count


@pytest.mark.parametrize(
    ("of", "following", "before"),
    [
        ("2025-11-26", "2025-11-28", "2025-11-25"),
        ("2025-11-27", "2025-11-28", "2025-11-26"),
        ("2025-11-28", "2025-12-01", "2025-11-26"),
        ("2025-11-29", "2025-12-01", "2025-11-28"),
    ],
)
def test_next_and_previous_session(of: str, following: str, before: str) -> None:
    assert next_session(day(of)) == day(following)
    assert previous_session(day(of)) == day(before)


def test_the_ends_of_the_clock_do_not_wrap() -> None:
    assert previous_session(day("1999-01-01")) == day("1998-12-31")
    assert next_session(day("2040-12-31")) == day("2041-01-02")
    for outside in (day("1998-12-31"), day("2041-01-01")):
        for ask in (next_session, previous_session, lambda at: sessions_between(at, at)):
            with pytest.raises(InputError, match="which the session clock covers"):
                ask(outside)


def test_the_decision_is_taken_at_midnight_utc_after_the_evening_before() -> None:
    times = decision_times(pd.DatetimeIndex(["2025-11-28", "2025-12-01"]))

    assert [time.isoformat() for time in times] == ["2025-11-28T00:00:00+00:00", "2025-12-01T00:00:00+00:00"]
    # After the results of the evening before (21:30 UTC of the session before at the latest stamp), before the open.
    assert times[0].tz_convert("America/New_York").strftime("%a %H:%M") == "Thu 19:00"


def test_other_exchanges_keep_their_own_days() -> None:
    # The Korean new year of 2024: Friday, February 9, and Monday, February 12.
    korea = calendar_sessions("XKRX", day("2024-02-08"), day("2024-02-13"))
    coins = calendar_sessions("24/7", day("2024-02-09"), day("2024-02-11"))

    assert days(korea) == ["2024-02-08", "2024-02-13"]
    assert days(coins) == ["2024-02-09", "2024-02-10", "2024-02-11"]


def test_a_calendar_of_one_day_or_of_none() -> None:
    assert days(calendar_sessions("XNYS", day("2025-11-28"), day("2025-11-28"))) == ["2025-11-28"]
    assert calendar_sessions("XNYS", day("2025-11-29"), day("2025-11-30")).empty


@pytest.mark.parametrize(("calendar", "last"), [("NOWHERE", "2025-01-31"), ("XKRX", "2060-01-31")])
def test_a_calendar_that_is_not_there_is_refused(calendar: str, last: str) -> None:
    with pytest.raises(InputError, match=f"got the exchange calendar {calendar}.*exchange_calendars 4"):
        calendar_sessions(calendar, day("2025-01-01"), day(last))


@pytest.mark.real_history
def test_sessions_are_the_days_on_which_the_market_traded(shared: Path) -> None:
    traded = pd.read_csv(shared / "market" / "prices" / "SPY.csv", parse_dates=["date"])["date"]

    assert list(sessions_between(traded.iloc[0], traded.iloc[-1])) == list(traded)


def test_trading_hours_follow_daylight_saving_and_early_closes():
    # The US clocks went forward on 2024-03-10; on the day before Independence Day the NYSE closes at 13:00.
    hours = {"2024-03-08": ("14:30", "21:00"), "2024-03-11": ("13:30", "20:00"), "2024-07-03": ("13:30", "17:00")}
    for day, (opens, closes) in hours.items():
        expected = tuple(pd.Timestamp(f"{day} {clock}", tz="UTC") for clock in (opens, closes))
        assert trading_hours(pd.Timestamp(day)) == expected
    with pytest.raises(InputError, match="2024-07-04, wanted an NYSE session"):
        trading_hours(pd.Timestamp("2024-07-04"))
