"""Adjusted closes against ledgers worked out by hand, and against a vendor's own."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from data.errors import InputError
from data.prices.adjustment import adjusted_close, units_to_come


def actions(*rows: tuple[str, str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["date", "kind", "value"])
    return frame.assign(date=pd.to_datetime(frame["date"]))


def closes(*rows: tuple[str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["date", "close"], index=range(7, 7 + len(rows)))
    return frame.assign(date=pd.to_datetime(frame["date"]))


def adjusted(bars: pd.DataFrame, *rows: tuple[str, str, float]) -> Sequence[float]:
    result = adjusted_close(bars, actions(*rows))
    assert result.index.equals(bars.index)
    return list(result)


WEEK = closes(("2024-06-03", 100.0), ("2024-06-04", 104.0), ("2024-06-05", 51.0), ("2024-06-06", 52.0))


def test_without_actions_a_close_is_its_own() -> None:
    assert adjusted(WEEK) == [100.0, 104.0, 51.0, 52.0]


def test_a_split_divides_what_was_before() -> None:
    assert adjusted(WEEK, ("2024-06-05", "split", 2.0)) == [50.0, 52.0, 51.0, 52.0]


def test_a_dividend_takes_its_share_of_the_close_before() -> None:
    close = closes(("2024-06-03", 99.0), ("2024-06-04", 100.0), ("2024-06-05", 97.0))

    assert adjusted(close, ("2024-06-05", "dividend", 2.0)) == pytest.approx([99 * 0.98, 98.0, 97.0])


def test_the_example_of_yahoo() -> None:
    """Yahoo's help page "What is the adjusted close?": Microsoft in 2003, to the cent."""
    close = closes(("2003-02-13", 46.99), ("2003-02-14", 48.30), ("2003-02-18", 24.96), ("2003-02-19", 24.53))

    result = adjusted(close, ("2003-02-18", "split", 2.0), ("2003-02-19", "dividend", 0.08))

    assert np.round(result, 2).tolist() == [23.42, 24.07, 24.88, 24.53]


def test_dividends_multiply() -> None:
    close = closes(("2024-06-03", 100.0), ("2024-06-04", 50.0), ("2024-06-05", 40.0))

    result = adjusted(close, ("2024-06-05", "dividend", 5.0), ("2024-06-04", "dividend", 20.0))

    assert result == pytest.approx([100 * 0.8 * 0.9, 50 * 0.9, 40.0])


def test_a_dividend_before_a_split_is_in_units_of_its_day() -> None:
    """1 US dollar on 100, then two for one: half a dollar on 50."""
    close = closes(("2024-06-03", 100.0), ("2024-06-04", 98.0), ("2024-06-05", 50.0))

    result = adjusted(close, ("2024-06-04", "dividend", 1.0), ("2024-06-05", "split", 2.0))

    assert result == pytest.approx([50 * 0.99, 49.0, 50.0])


def test_a_dividend_on_the_day_of_a_split_is_for_the_new_unit() -> None:
    """Held: 1 unit of 100. After: 2 units, 1 US dollar each, of a price that was 50 the day before."""
    close = closes(("2024-06-04", 100.0), ("2024-06-05", 49.0))

    assert adjusted(close, ("2024-06-05", "dividend", 1.0), ("2024-06-05", "split", 2.0)) == pytest.approx([49.0, 49.0])


def test_an_ex_date_without_a_bar_counts_from_the_next_and_on_the_last_close() -> None:
    close = closes(("2024-06-03", 100.0), ("2024-06-04", np.nan), ("2024-06-06", 90.0))

    assert adjusted(close, ("2024-06-05", "dividend", 10.0)) == pytest.approx([90.0, np.nan, 90.0], nan_ok=True)


def test_actions_outside_the_closes_change_nothing() -> None:
    outside = [
        ("2024-06-03", "dividend", 1.0),
        ("2024-06-03", "split", 2.0),
        ("2024-06-07", "dividend", 1.0),
        ("2024-06-07", "split", 2.0),
        ("2024-06-06", "delisting", 3.0),
    ]

    assert adjusted(WEEK, *outside) == list(WEEK["close"])
    assert adjusted(WEEK[:0], *outside) == []


@pytest.mark.parametrize("amount", [104.0, 200.0, float("nan")])
def test_a_dividend_that_takes_the_whole_price_is_refused(amount: float) -> None:
    with pytest.raises(InputError, match=r"got a dividend on 2024-06-05 of .*% of the close"):
        adjusted(WEEK, ("2024-06-05", "dividend", amount))


def test_units_to_come_are_the_product_of_later_splits() -> None:
    splits = actions(("2021-07-20", "split", 4.0), ("2024-06-10", "split", 10.0), ("2024-06-11", "dividend", 0.01))
    days = pd.DatetimeIndex(["2024-06-10", "2024-06-07", "2021-07-20", "2021-07-19"])

    assert list(units_to_come(days, splits)) == [1.0, 10.0, 10.0, 40.0]
