"""When an earnings release was public: filings whose acceptance is known from their own headers."""

from datetime import date

import pandas as pd
import pytest

from data.events.times import announcement_times
from data.sources.edgar_releases import Release, acceptance_clock, read_release, release_of

DAY = date(2025, 10, 30)


@pytest.mark.parametrize(
    ("accepted", "filed", "wanted"),
    [
        # Genuine UTC: 20:13 would have been filed under the next day.
        ("2025-10-30T20:13:05.000Z", "2025-10-30", "2025-10-30 16:13:05"),
        ("2025-02-06T21:09:00.000Z", "2025-02-06", "2025-02-06 16:09:00"),
        # New York's clock with a Z: U.S. Steel 0001163302-25-000028, whose header says 16:21:59.
        ("2025-05-01T16:21:59.000Z", "2025-05-01", "2025-05-01 16:21:59"),
        # Hess 0001628280-25-020816: 07:30:32; as UTC it would be 03:30, when EDGAR is closed.
        ("2025-04-30T07:30:32.000Z", "2025-04-30", "2025-04-30 07:30:32"),
        # Genuine UTC around noon fits both clocks: the later one holds.
        ("2025-10-30T13:00:00.000Z", "2025-10-30", "2025-10-30 13:00:00"),
        # After 17:30 in New York, filed under the next business day: UTC past midnight, and over a weekend.
        ("2025-07-31T23:18:00.000Z", "2025-08-01", "2025-07-31 19:18:00"),
        ("2025-10-31T22:30:00.000Z", "2025-11-03", "2025-10-31 18:30:00"),
        ("2025-10-31T19:06:26.000Z", "2025-11-03", "2025-10-31 19:06:26"),
        # Eight hours late: neither clock agrees with the day of filing.
        ("2025-10-31T00:13:05.000Z", "2025-10-30", None),
        ("2025-10-30T20:13:05.000Z", "2025-10-29", None),
    ],
)
def test_the_day_of_filing_tells_the_clock(accepted: str, filed: str, wanted: str | None) -> None:
    clock = acceptance_clock(accepted, date.fromisoformat(filed))
    assert (None if clock is None else str(clock.tz_localize(None))) == wanted


@pytest.mark.parametrize("times", [0, 1, 2])
@pytest.mark.parametrize("month", [1, 7])
def test_the_stamp_is_never_before_the_acceptance(month: int, times: int) -> None:
    """Filed by EDGAR's rule at each time of day; New York's offset is added never, once (UTC) or twice."""
    for minute in range(6 * 60, 22 * 60 + 1, 10):
        true = pd.Timestamp(2025, month, 14, tz="America/New_York") + pd.Timedelta(minutes=minute)
        filed = true.date() if minute <= 17 * 60 + 30 else date(2025, month, 15)
        told = true.tz_localize(None) + times * (true.tz_convert("UTC").tz_localize(None) - true.tz_localize(None))
        release = read_release("a", filed, f"{told:%Y-%m-%dT%H:%M:%S}.000Z")
        stamp = announcement_times(pd.Series([pd.Timestamp(release.announced_at)]), pd.Series([release.session]))[0]
        assert stamp >= true, true
        assert release.announced_at <= filed


@pytest.mark.parametrize(
    ("accepted", "session", "stamp"),
    [
        ("2025-07-30T12:00:00.000Z", "intraday", "2025-07-30 20:00"),  # 8:00 or 12:00 in New York: the later
        ("2025-01-29T07:30:00.000Z", "bmo", "2025-01-29 13:00"),
        ("2025-07-30T20:08:00.000Z", "amc", "2025-07-30 21:30"),
        ("2025-01-29T21:08:00.000Z", "amc", "2025-01-29 21:30"),
        ("2025-01-29T21:31:00.000Z", "", "2025-01-30 03:00"),  # 16:31 in winter: after the stamp of the close
    ],
)
def test_the_session_is_the_first_whose_stamp_is_not_earlier(accepted: str, session: str, stamp: str) -> None:
    release = read_release("a", date.fromisoformat(accepted[:10]), accepted)
    assert release.session == session
    known_at = announcement_times(pd.Series([pd.Timestamp(release.announced_at)]), pd.Series([session]))[0]
    assert known_at == pd.Timestamp(stamp, tz="UTC")


def test_without_a_clock_the_filing_counts_from_the_evening_of_its_day() -> None:
    release = read_release("a-1", DAY, "2025-10-31T00:13:05.000Z")
    assert (release.announced_at, release.session) == (DAY, "")
    assert "fits no clock" in release.basis


def test_the_last_release_between_quarter_and_filing_is_the_one() -> None:
    releases = [
        Release(name, date.fromisoformat(day), "amc", "")
        for name, day in (
            ("before", "2025-09-30"),
            ("early", "2025-10-10"),
            ("own", "2025-10-30"),
            ("next", "2025-12-01"),
        )
    ]
    assert release_of(releases, date(2025, 9, 30), date(2025, 10, 31)) == releases[2]
    assert release_of(releases, date(2025, 9, 30), date(2025, 10, 30)) == releases[2]
    assert release_of(releases, date(2025, 10, 30), date(2025, 11, 1)) is None
