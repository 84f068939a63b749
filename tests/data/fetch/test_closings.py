"""Calendars that age: what every instrument of an exchange lacks is a closing, what one lacks is a hole in its data."""

from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fetch_world
from data.clock import calendars_version
from data.fetch.fetch import FetchOutcome, fetch
from data.market.closings import unknown_closings, unknown_openings
from data.market.manifest import FetchRecord
from data.market.snapshot import load
from data.quality.report import quality_report

MONDAY = pd.Timestamp("2025-12-01 12:00", tz="UTC")
NYSE = ("MU", "STX", "WDC")
CLOSED = ("2025-11-12", "2025-11-13")
START = date(2025, 11, 3)
NOTE = (
    "XNYS: no instrument has a bar on 2025-11-12, 2025-11-13: taken for closings that exchange_calendars "
    f"{calendars_version()} does not know"
)


@pytest.fixture
def world() -> fetch_world.World:
    """Three stocks and a coin; New York is closed on two days that no calendar knows of, as after a hurricane."""
    symbols = (*NYSE, "BTC-USD")
    world = fetch_world.World(bars={each: fetch_world.made_bars(each, "2025-11-03", "2025-12-31") for each in symbols})
    for symbol in NYSE:
        lack(world, symbol, *CLOSED)
    return world


def lack(world: fetch_world.World, symbol: str, *days: str) -> None:
    bars = world.bars[symbol]
    world.bars[symbol] = bars[~bars["date"].isin(pd.DatetimeIndex(days))].reset_index(drop=True)


def fetched(world: fetch_world.World, *symbols: str, now: pd.Timestamp = MONDAY, start: date = START) -> FetchOutcome:
    return fetch("live", FetchRecord(symbols=symbols, start=start), world.sources(), now)


def test_a_closing_that_the_calendar_does_not_know_costs_nothing_else(world: fetch_world.World) -> None:
    outcome = fetched(world, *NYSE, "BTC-USD")
    kept = load("live.1")

    assert (outcome.failures, outcome.lacking) == ((), ())
    assert outcome.notes == (NOTE,)
    # Twenty weekdays of November, less Thanksgiving, less the two; the coin has every day.
    assert {symbol: len(kept.bars_of(symbol)) for symbol in (*NYSE, "BTC-USD")} == {
        **dict.fromkeys(NYSE, 17),
        "BTC-USD": 28,
    }
    # The prices made for the three are the same.
    made = ("short", "alike")
    found = {finding.kind: finding for finding in quality_report(kept).findings if finding.kind not in made}
    assert list(found) == ["unknown_closing"]
    closing = found["unknown_closing"]
    assert (closing.name, closing.count, closing.first, closing.last) == (
        "XNYS",
        2,
        date(2025, 11, 12),
        date(2025, 11, 13),
    )
    assert calendars_version() in closing.text


def test_the_next_fetch_takes_it_as_well(world: fetch_world.World) -> None:
    fetched(world, *NYSE)
    outcome = fetched(world, *NYSE, now=MONDAY + pd.Timedelta(days=1))

    assert (outcome.version, outcome.failures, outcome.notes) == ("live.2", (), (NOTE,))


def test_an_instrument_asked_for_alone_is_judged_by_those_that_are_held(world: fetch_world.World) -> None:
    fetched(world, "STX", "WDC")
    outcome = fetched(world, "MU")

    assert [asked[0] for asked in world.asked[-1:]] == ["MU"]
    assert (outcome.failures, outcome.notes) == ((), (NOTE,))


def test_what_one_instrument_lacks_is_a_hole_of_its_own(world: fetch_world.World) -> None:
    lack(world, "MU", "2025-11-18", "2025-11-19")
    lack(world, "STX", "2025-11-18")
    outcome = fetched(world, *NYSE)

    [failure] = outcome.failures
    assert failure.name == "MU"
    assert failure.reason == (
        "Yahoo: MU: asked for 19 sessions, got 15; missing 2025-11-18, 2025-11-19; try again later, or, if XNYS was "
        f"closed, with a newer exchange_calendars than {calendars_version()}"
    )
    assert outcome.lacking == ("MU",)
    assert outcome.notes == ("STX: asked for 19 sessions, got 16; missing 2025-11-18", NOTE)


def test_one_instrument_alone_cannot_tell_a_closing(world: fetch_world.World) -> None:
    [failure] = fetched(world, "MU", "BTC-USD").failures

    assert "missing 2025-11-12, 2025-11-13" in failure.reason


def test_days_that_have_not_come_yet_are_no_closing(world: fetch_world.World) -> None:
    for symbol in NYSE:
        lack(world, symbol, "2025-11-26", "2025-11-28")

    assert [failure.name for failure in fetched(world, *NYSE).failures] == list(NYSE)


def test_bars_of_all_on_a_closed_day_are_told_with_the_calendar(world: fetch_world.World) -> None:
    thanksgiving, saturday = pd.Timestamp("2025-11-27"), pd.Timestamp("2025-11-22")
    for symbol in NYSE:
        days = [thanksgiving, saturday] if symbol == "MU" else [thanksgiving]
        extra = pd.concat([world.bars[symbol].iloc[[0]].assign(date=day) for day in days])
        world.bars[symbol] = pd.concat([world.bars[symbol], extra]).sort_values("date", ignore_index=True)
    outcome = fetched(world, *NYSE)

    opened = "XNYS: all instruments have a bar on 2025-11-27: sessions that exchange_calendars"
    assert not outcome.failures
    assert set(outcome.notes) == {
        NOTE,
        "MU: bars on days without a session of XNYS: 2025-11-22",
        f"{opened} {calendars_version()} does not know",
    }


DAYS = pd.date_range("2025-11-03", periods=12, unit="us")
SOME_DAYS = st.sets(st.integers(0, 11)).map(lambda places: DAYS[sorted(places)])


@given(SOME_DAYS, st.lists(SOME_DAYS, max_size=4))
def test_closings_and_openings_day_by_day(sessions: pd.DatetimeIndex, held: list[pd.DatetimeIndex]) -> None:
    def there(day: pd.Timestamp) -> list[pd.DatetimeIndex]:
        return [days for days in held if len(days) and days[0] <= day <= days[-1]]

    closed = [day for day in sessions if len(there(day)) >= 2 and not any(day in days for days in there(day))]
    opened = [
        day for day in DAYS if day not in sessions and len(there(day)) >= 2 and all(day in days for days in there(day))
    ]

    # More than a few are no fault of the calendar.
    assert list(unknown_closings(sessions, held)) == (closed if len(closed) <= 5 else [])
    assert list(unknown_openings(sessions, held)) == (opened if len(opened) <= 5 else [])
