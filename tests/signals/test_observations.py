import numpy as np
import pandas as pd
import pytest

from data.errors import InputError
from data.market.tables import SERIES
from signals.observations import (
    as_known,
    basis_points,
    same_day_observations,
    sample_at_decisions,
    series_observations,
    trailing_mean,
)

Row = tuple[str, float, str]


def observations(*rows: Row) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "date": pd.DatetimeIndex([row[0] for row in rows]).as_unit("us"),
            "value": pd.Series([row[1] for row in rows], dtype=float),
            "known_at": pd.DatetimeIndex([row[2] for row in rows]).as_unit("us").tz_localize("UTC"),
        }
    )


def series(name: str, *rows: Row) -> pd.DataFrame:
    return SERIES.conform(observations(*rows).assign(series=name))


def days(*names: str) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(names).as_unit("us")


def listed(frame: pd.DataFrame) -> list[tuple[str, float, str]]:
    return [
        (f"{day:%Y-%m-%d}", value, f"{known_at:%Y-%m-%d %H:%M}")
        for day, value, known_at in zip(frame["date"], frame["value"], frame["known_at"], strict=True)
    ]


def test_a_value_is_used_from_the_first_decision_at_or_after_its_known_at() -> None:
    rows = observations(
        ("2024-01-02", 1.0, "2024-01-03 22:00"),
        ("2024-01-03", 2.0, "2024-01-05 00:00"),
        ("2024-01-04", 3.0, "2024-01-08 00:00:00.000001"),
    )
    known = as_known(rows, days("2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09"), 10)
    assert known["value"].tolist() == pytest.approx([np.nan, 1, 2, 2, 3], nan_ok=True)
    assert known["observed"].tolist()[1:] == list(days("2024-01-02", "2024-01-03", "2024-01-03", "2024-01-04"))
    assert known["observed"].isna().tolist() == known["known"].isna().tolist() == [True] + [False] * 4
    assert known["known"].iloc[2] == pd.Timestamp("2024-01-05", tz="UTC")


def test_the_newest_date_wins_and_of_one_date_the_newest_vintage() -> None:
    rows = observations(
        ("2024-01-03", 2.0, "2024-01-04 22:00"),
        ("2024-01-03", 2.5, "2024-01-06 22:00"),  # a revision
        ("2024-01-02", 1.5, "2024-01-05 22:00"),  # late news of the past
        ("2024-01-04", 4.0, "2024-01-09 22:00"),
        ("2024-01-05", 5.0, "2024-01-09 22:00"),  # two dates at once
    )
    known = as_known(rows, days("2024-01-05", "2024-01-06", "2024-01-07", "2024-01-10"), 10)
    assert known["value"].tolist() == [2.0, 2.0, 2.5, 5.0]
    assert known["known"].dt.day.tolist() == [4, 4, 6, 9]


def test_a_value_older_than_its_limit_is_missing_and_still_dated() -> None:
    rows = observations(("2024-01-02", 1.0, "2024-01-03 22:00"))
    known = as_known(rows, days("2024-01-12", "2024-01-13"), 10)
    assert known["value"].tolist() == pytest.approx([1.0, np.nan], nan_ok=True)
    assert known["observed"].tolist() == [pd.Timestamp("2024-01-02")] * 2


def test_blanks_are_skipped_and_a_series_of_blanks_is_missing() -> None:
    rows = series("DGS10", ("2024-01-02", 4.0, "2024-01-03 22:00"), ("2024-01-03", np.nan, "2024-01-04 22:00"))
    assert listed(series_observations(rows, "DGS10")) == [("2024-01-02", 4.0, "2024-01-03 22:00")]
    blank = series("DGS10", ("2024-01-03", np.nan, "2024-01-04 22:00"))
    none = series_observations(blank, "DGS10")
    assert as_known(none, days("2024-01-05"), 10).isna().all(axis=None)
    assert trailing_mean(none, 1).empty


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (series("DGS2", ("2024-01-02", 4.0, "2024-01-03")), "series DGS10: got no row"),
        (series("DGS10", ("2024-01-02", np.inf, "2024-01-03")), "infinite"),
        (series("DGS10", ("2024-01-02", 4.0, "NaT")), "2024-01-02 without known_at"),
        (
            pd.concat([series("DGS10", ("2024-01-02", v, "2024-01-03")) for v in (4.0, 4.1)]),
            "two values for 2024-01-02",
        ),
    ],
)
def test_bad_series_are_refused_in_one_line(rows: pd.DataFrame, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as refused:
        series_observations(rows, "DGS10")
    assert "\n" not in str(refused.value)
    assert "DGS10" in str(refused.value)


def test_series_are_brought_together_on_dates_that_all_have_when_the_last_is_known() -> None:
    together = same_day_observations(
        {
            "a": observations(
                ("2024-01-03", 1.0, "2024-01-04 22:00"),
                ("2024-01-10", 2.0, "2024-01-11 22:00"),
                ("2024-01-17", 3.0, "2024-01-18 22:00"),
            ),
            "b": observations(("2024-01-03", 10.0, "2024-01-04 20:00"), ("2024-01-10", 20.0, "2024-01-12 22:00")),
            "c": observations(("2024-01-03", 100.0, "2024-01-03 22:00"), ("2024-01-10", 200.0, "2024-01-10 22:00")),
        }
    )
    assert list(together.columns) == ["date", "a", "known_at", "b", "c"]
    assert together[["a", "b", "c"]].to_numpy().tolist() == [[1, 10, 100], [2, 20, 200]]
    assert [f"{moment:%d %H}" for moment in together["known_at"]] == ["04 22", "12 22"]


def test_a_revision_of_one_series_makes_a_new_vintage_of_the_day() -> None:
    together = same_day_observations(
        {
            "a": observations(
                ("2024-01-03", 1.0, "2024-01-04"), ("2024-01-03", 2.0, "2024-01-05"), ("2024-01-03", 3.0, "2024-01-08")
            ),
            "b": observations(("2024-01-03", 10.0, "2024-01-06"), ("2024-01-03", 20.0, "2024-01-09")),
        }
    )
    assert [(f"{row.known_at:%d}", row.a, row.b) for row in together.itertuples()] == [
        ("06", 2.0, 10.0),
        ("08", 3.0, 10.0),
        ("09", 3.0, 20.0),
    ]


def test_a_trailing_mean_counts_dates_and_follows_revisions() -> None:
    rows = observations(
        ("2024-01-02", 1.0, "2024-01-03 22:00"),
        ("2024-01-03", 2.0, "2024-01-04 22:00"),
        ("2024-01-05", 6.0, "2024-01-08 22:00"),
        ("2024-01-04", 4.0, "2024-01-09 22:00"),  # a gap that is filled late
        ("2024-01-05", 8.0, "2024-01-10 22:00"),  # a revision inside the mean
        ("2024-01-02", 9.0, "2024-01-11 22:00"),  # a revision outside it
    )
    assert listed(trailing_mean(rows, 2)) == [
        ("2024-01-03", 1.5, "2024-01-04 22:00"),
        ("2024-01-05", 4.0, "2024-01-08 22:00"),
        ("2024-01-05", 5.0, "2024-01-09 22:00"),
        ("2024-01-05", 6.0, "2024-01-10 22:00"),
    ]


def test_a_trailing_mean_of_what_is_known_in_order_is_a_rolling_mean() -> None:
    dates = pd.date_range("2024-01-01", periods=60).as_unit("us")
    values = np.random.default_rng(1).normal(size=60)
    rows = pd.DataFrame({"date": dates, "value": values, "known_at": dates.tz_localize("UTC")})
    np.testing.assert_allclose(trailing_mean(rows, 5)["value"], pd.Series(values).rolling(5).mean()[4:], rtol=1e-12)


def test_a_state_holds_until_the_next_even_where_it_is_nan() -> None:
    moments = pd.DatetimeIndex(["2024-01-03 12:00", "2024-01-05", "2024-01-08 01:00"], tz="UTC").as_unit("us")
    states = pd.DataFrame({"value": [1.0, np.nan, 3.0]}, index=moments)
    sessions = days("2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09")
    sampled = sample_at_decisions(states, sessions)
    assert sampled["value"].tolist() == pytest.approx([np.nan, 1, np.nan, np.nan, 3], nan_ok=True)
    assert sampled.index.equals(sessions)


def test_a_rate_that_did_not_move_changed_by_exactly_nothing() -> None:
    changes = basis_points(pd.Series([3.88 - 3.87, 4.33 - 4.32, 0.3 - (0.1 + 0.2), np.nan]))
    assert changes.iloc[0] == changes.iloc[1] == 1.0
    assert changes.iloc[2] == 0.0
    assert np.isnan(changes.iloc[3])
