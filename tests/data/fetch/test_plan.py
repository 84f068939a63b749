"""What a market lacks: neither what cannot be there yet nor what is held is asked for."""

from collections.abc import Callable
from datetime import date

import pandas as pd
import pytest

from data.catalogue.instruments import instrument_entry
from data.catalogue.publication import publication_times
from data.fetch.plan import Span, all_wanted, company_due, prices_due, series_due
from data.market.manifest import FetchRecord

START = date(2020, 1, 1)


def moment(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


def bars(first: str, last: str) -> pd.DataFrame:
    return pd.DataFrame({"date": pd.to_datetime([first, last])})


def series(days: pd.DatetimeIndex) -> pd.DataFrame:
    return pd.DataFrame({"date": days, "value": 1.0, "known_at": publication_times(days, "next_business_day")})


def span(first: str, last: str) -> Span:
    return Span(pd.Timestamp(first), pd.Timestamp(last))


@pytest.mark.parametrize(
    ("symbol", "now", "wanted"),
    [
        # Friday, November 28, 2025 is over at 00:00 UTC of the 29th, the session of Monday at 00:00 UTC of Tuesday.
        ("MU", "2025-11-28 23:59", None),
        ("MU", "2025-11-29 00:00", span("2025-10-28", "2025-11-28")),
        ("MU", "2025-12-01 23:59", span("2025-10-28", "2025-11-28")),
        ("MU", "2025-12-02 00:00", span("2025-10-28", "2025-12-01")),
        ("BTC-USD", "2025-11-28 00:00", None),
        ("BTC-USD", "2025-11-29 00:00", span("2025-10-28", "2025-11-28")),
    ],
)
def test_days_that_are_over_and_not_held_are_due(symbol: str, now: str, wanted: Span | None) -> None:
    held = bars("2020-01-02", "2025-11-27")

    assert prices_due(instrument_entry(symbol), held, moment(now), START) == wanted


def test_an_instrument_that_is_not_held_is_due_from_its_listing_or_the_start() -> None:
    nothing, now = bars("2020-01-02", "2020-01-03").iloc[:0], moment("2025-12-02")

    assert prices_due(instrument_entry("MU"), nothing, now, START) == span("2020-01-01", "2025-12-01")
    assert prices_due(instrument_entry("SNDK"), nothing, now, START) == span("2025-02-24", "2025-12-01")
    assert prices_due(instrument_entry("SNDK"), nothing, moment("2025-02-24 23:00"), START) is None


def test_anew_is_from_the_first_day_that_is_wanted() -> None:
    held = bars("2024-01-02", "2025-12-01")

    assert prices_due(instrument_entry("MU"), held, moment("2025-12-02"), START) is None
    assert prices_due(instrument_entry("MU"), held, moment("2025-12-02"), START, anew=True) == span(
        "2020-01-01", "2025-12-01"
    )
    assert series_due(
        "DGS10", series(pd.bdate_range("2024-01-02", "2025-12-01")), moment("2025-12-02"), START, anew=True
    )


@pytest.mark.parametrize(
    ("name", "frequency", "last", "due_at"),
    [
        # The value of the next weekday becomes public on the weekday after, 22:00 UTC.
        ("DGS10", "B", "2025-11-20", "2025-11-24 22:00"),
        ("DGS10", "B", "2025-11-21", "2025-11-25 22:00"),
        # Every calendar day has a value: that of Saturday is public on Monday.
        ("DFF", "D", "2025-11-21", "2025-11-24 22:00"),
        # Wednesday's figures on Thursday, in the week of Thanksgiving on Friday.
        ("WALCL", "W-WED", "2025-11-12", "2025-11-20 22:00"),
        ("WALCL", "W-WED", "2025-11-19", "2025-11-28 22:00"),
        # The month after next begins: by the end of it the next figure is out.
        ("M2SL", "MS", "2025-09-01", "2025-11-30 22:00"),
    ],
)
def test_a_series_is_due_when_its_next_value_is_public(name: str, frequency: str, last: str, due_at: str) -> None:
    held = series(pd.date_range(end=last, periods=90, freq=frequency))

    assert series_due(name, held, moment(due_at) - pd.Timedelta(minutes=1), START) is None
    assert series_due(name, held, moment(due_at), START) is not None


def test_a_series_is_asked_again_for_a_while() -> None:
    days = pd.bdate_range("2024-01-02", "2025-11-20")

    assert series_due("DGS10", series(days), moment("2025-11-25"), START) == pd.Timestamp("2025-07-23")
    assert series_due("DGS10", series(days[-5:]), moment("2025-11-25"), START) == days[-5]
    assert series_due("DGS10", series(days[:0]), moment("2025-11-25"), START) == pd.Timestamp(START)


def test_a_company_is_due_when_its_next_quarter_is_over() -> None:
    held = pd.DataFrame({"company": ["MSFT", "MSFT"], "period_end": pd.to_datetime(["2025-03-31", "2025-06-30"])})

    assert not company_due("MSFT", held, moment("2025-09-30"))
    assert company_due("MSFT", held, moment("2025-10-01"))
    assert company_due("META", held, moment("2025-10-01"))


def test_what_is_wanted_adds_up() -> None:
    kept = FetchRecord(
        symbols=("MU",), series=("DGS10",), start=date(2020, 1, 2), answered={"DGS10": moment("2025-01-01")}
    )
    add: Callable[..., FetchRecord] = lambda **fields: all_wanted(kept, FetchRecord(**fields))  # noqa: E731

    assert add(symbols=("WDC", "MU", "BTC-USD")).symbols == ("BTC-USD", "MU", "WDC")
    assert add(companies=("MSFT",)).companies == ("MSFT",)
    assert add().answered == kept.answered
    assert add().start == date(2020, 1, 2)
    assert add(start=date(2022, 1, 3)).start == date(2020, 1, 2)
    assert add(start=date(2018, 1, 2)).start == date(2018, 1, 2)
    assert all_wanted(FetchRecord(), FetchRecord(start=date(2018, 1, 2))).start == date(2005, 1, 3)
