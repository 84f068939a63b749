"""Returns by calendar, by hand: windows, whole periods, drawdowns."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtests.measures.periods import drawdown_periods, whole_periods, window_growth, window_return
from data.clock import sessions_between


def over(first: str, last: str, daily: float = 0.001) -> pd.Series:
    """The same return in every NYSE session of a span."""
    return pd.Series(daily, sessions_between(pd.Timestamp(first), pd.Timestamp(last)))


def test_a_window_begins_after_the_day_some_months_before() -> None:
    """The last session is Friday 2024-06-28: of Thursday 2024-03-28 the return is not of the last three months."""
    returns = over("2024-01-02", "2024-06-28", 0.0)
    returns["2024-03-28"], returns["2024-04-01"] = 0.5, 0.1
    assert window_return(returns, 3) == pytest.approx(0.1)
    assert window_return(returns, 4) == pytest.approx(0.65)


def test_a_window_that_reaches_back_before_the_run_is_none() -> None:
    assert window_return(over("2024-04-02", "2024-06-28"), 3) is None
    # Good Friday and the weekend lie between the day and the first session: nothing is missing.
    assert window_return(over("2024-04-01", "2024-06-28"), 3) == pytest.approx(1.001**63 - 1)
    assert window_return(over("2024-04-01", "2024-06-28"), 12) is None


def test_the_growth_of_a_window_is_a_year_s() -> None:
    returns = over("2019-01-02", "2024-06-28")
    assert window_growth(returns, 36) == pytest.approx(1.001**252 - 1)
    assert window_growth(returns, 120) is None


def test_whole_periods_are_those_with_every_session() -> None:
    """From the last session of 2021 to the last but one of 2023."""
    returns = over("2021-12-31", "2023-12-28")
    assert [str(year) for year in whole_periods(returns, "Y").index] == ["2022"]
    assert whole_periods(returns, "Y").iloc[0] == pytest.approx(1.001**251 - 1)
    quarters = [str(quarter) for quarter in whole_periods(returns, "Q").index]
    assert (quarters[0], quarters[-1], len(quarters)) == ("2022Q1", "2023Q3", 7)
    months = whole_periods(returns, "M")
    assert (str(months.index[0]), str(months.index[-1]), len(months)) == ("2022-01", "2023-11", 23)
    assert whole_periods(over("2024-02-01", "2024-02-29"), "M").iloc[0] == pytest.approx(1.001**20 - 1)
    assert whole_periods(over("2024-02-02", "2024-02-28"), "M").empty


def test_drawdowns_by_hand() -> None:
    """Down at once, back on the fourth session; then a fall that does not recover."""
    days = pd.bdate_range("2024-01-02", periods=8)
    returns = pd.Series([-0.1, 0.0, -0.1, 0.5, 0.1, -0.2, 0.1, 0.0], days)
    found = drawdown_periods(returns)
    assert found["start"].tolist() == [days[0], days[5]]
    assert found["deepest"].tolist() == [days[2], days[5]]
    assert found["end"].tolist() == [days[2], days[7]]
    assert found["recovered"].iloc[0] == days[3]
    assert pd.isna(found["recovered"].iloc[1])
    assert found["depth"].tolist() == pytest.approx([-0.19, -0.2])
    assert found["days"].tolist() == [3, 3]


def test_what_never_falls_has_no_drawdown() -> None:
    assert drawdown_periods(over("2024-01-02", "2024-03-28")).empty


@given(st.lists(st.floats(-0.3, 0.3), min_size=1, max_size=60))
def test_drawdowns_cover_exactly_the_sessions_below_the_highest(values: list[float]) -> None:
    days = pd.bdate_range("2020-01-01", periods=len(values))
    wealth = np.concatenate([[1.0], np.cumprod(1 + np.array(values))])
    below = [wealth[row] < wealth[: row + 1].max() for row in range(1, len(wealth))]
    covered = pd.Series(False, days)
    for row in drawdown_periods(pd.Series(values, days)).itertuples():
        assert not covered[row.start : row.end].any()
        covered[row.start : row.end] = True
        assert row.depth == pytest.approx(
            min(
                wealth[i + 1] / wealth[: i + 2].max() - 1 for i in range(len(values)) if row.start <= days[i] <= row.end
            )
        )
        assert pd.isna(row.recovered) == (row.end == days[-1])
    assert covered.tolist() == below
