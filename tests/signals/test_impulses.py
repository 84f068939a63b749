"""How events fade: by hand, from calendar days that the reader can count."""

import math

import pandas as pd
import pytest

from data.clock import sessions_between
from frames import fading_sum

MONTH = sessions_between(pd.Timestamp("2024-03-01"), pd.Timestamp("2024-03-28"))


def impulses(*rows: tuple[str, str, float]) -> pd.DataFrame:
    """Rows of known_at, date and value."""
    return pd.DataFrame(
        {
            "date": pd.to_datetime([date for _, date, _ in rows]).astype("datetime64[us]"),
            "value": [value for _, _, value in rows],
            "known_at": pd.to_datetime([known for known, _, _ in rows], utc=True).astype("datetime64[us, UTC]"),
        }
    )


def test_an_impulse_counts_in_full_at_the_first_decision_that_knows_it_and_halves_from_there() -> None:
    # Known on Friday the 8th after the close: for Monday the 11th. Five sessions later is Monday the 18th.
    faded = fading_sum(impulses(("2024-03-08 21:30", "2024-03-08", 0.8)), MONTH, 5, 30)
    assert faded["value"][:"2024-03-08"].isna().all()
    assert faded["known"][:"2024-03-08"].isna().all()
    assert faded.loc["2024-03-11", "value"] == 0.8
    assert faded.loc["2024-03-18", "value"] == pytest.approx(0.4, rel=1e-12)
    assert faded.loc["2024-03-25", "value"] == pytest.approx(0.2, rel=1e-12)
    assert faded.loc["2024-03-12", "value"] == pytest.approx(0.8 * 0.5**0.2, rel=1e-12)
    assert (faded["observed"]["2024-03-11":] == pd.Timestamp("2024-03-08")).all()
    assert (faded["known"]["2024-03-11":] == pd.Timestamp("2024-03-08 21:30", tz="UTC")).all()


def test_known_at_midnight_is_known_at_that_decision() -> None:
    faded = fading_sum(impulses(("2024-03-12 00:00", "2024-03-10", 1.0)), MONTH, 5, 30)
    assert math.isnan(faded.loc["2024-03-11", "value"])
    assert faded.loc["2024-03-12", "value"] == 1.0


def test_impulses_add_up() -> None:
    faded = fading_sum(
        impulses(
            ("2024-03-11 22:00", "2024-03-11", 1.0),
            ("2024-03-04 22:00", "2024-03-05", 0.4),
            ("2024-03-11 21:00", "2024-03-01", -0.5),
        ),
        MONTH,
        5,
        30,
    )
    assert faded.loc["2024-03-05", "value"] == 0.4
    assert faded.loc["2024-03-12", "value"] == pytest.approx(0.2 + 0.5, rel=1e-12)
    assert faded.loc["2024-03-19", "value"] == pytest.approx(0.1 + 0.25, rel=1e-12)
    assert faded.loc["2024-03-11", "observed"] == pd.Timestamp("2024-03-05")
    assert faded.loc["2024-03-12", "observed"] == pd.Timestamp("2024-03-11")
    assert faded.loc["2024-03-12", "known"] == pd.Timestamp("2024-03-11 22:00", tz="UTC")


def test_late_news_of_an_old_day_does_not_make_the_newest_day_older() -> None:
    faded = fading_sum(
        impulses(("2024-03-04 22:00", "2024-03-04", 1.0), ("2024-03-11 22:00", "2024-02-01", 1.0)), MONTH, 5, 30
    )
    assert faded.loc["2024-03-12", "observed"] == pd.Timestamp("2024-03-04")
    assert faded.loc["2024-03-12", "known"] == pd.Timestamp("2024-03-11 22:00", tz="UTC")


def test_without_further_news_it_is_missing_and_not_zero() -> None:
    faded = fading_sum(impulses(("2024-03-04 22:00", "2024-03-04", 1.0)), MONTH, 5, 10)
    assert faded.loc["2024-03-14", "value"] > 0
    assert faded["value"]["2024-03-15":].isna().all()
    assert (faded["observed"]["2024-03-15":] == pd.Timestamp("2024-03-04")).all()


def test_the_value_of_a_session_does_not_depend_on_where_the_sessions_begin() -> None:
    events = impulses(("2024-03-04 22:00", "2024-03-04", 1.0), ("2024-02-13 22:00", "2024-02-13", 0.3))
    whole = fading_sum(events, sessions_between(pd.Timestamp("2024-02-01"), MONTH[-1]), 7, 60)
    pd.testing.assert_frame_equal(fading_sum(events, MONTH, 7, 60), whole.loc[MONTH], check_freq=False)


def test_without_any_impulse_everything_is_missing() -> None:
    for events in (impulses(), impulses(("2024-05-01 22:00", "2024-05-01", 1.0))):
        faded = fading_sum(events, MONTH, 5, 30)
        assert faded.index.equals(MONTH)
        assert faded.isna().all(axis=None)
        assert [str(kind) for kind in faded.dtypes] == ["float64", "datetime64[us]", "datetime64[us, UTC]"]
