"""Contradictions of told actions and adjusted closes are settled: set aside with a reason, added up, or refused."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import InputError
from data.prices.adjustment import adjusted_close
from data.prices.settlement import _apart, refuse_followed_splits, settled
from data.prices.told_actions import added_up, with_spin_offs

DAYS = pd.bdate_range("2024-01-02", periods=60).as_unit("us")
Row = tuple[str, str, float]


def actions_of(*rows: Row) -> pd.DataFrame:
    frame = pd.DataFrame(
        [{"date": pd.Timestamp(day), "kind": kind, "value": float(value)} for day, kind, value in rows],
        columns=["date", "kind", "value"],
    )
    return frame.astype({"date": "datetime64[us]", "value": "float64"}).assign(
        known_at=lambda each: each["date"].dt.tz_localize("UTC"), factor=np.nan
    )


def bars_of(close: Any, true: pd.DataFrame) -> pd.DataFrame:
    """Closes as traded, and the adjusted closes that the true actions give them."""
    bars = pd.DataFrame({"date": DAYS, "close": np.broadcast_to(np.asarray(close, dtype=float), len(DAYS))})
    return bars.assign(adj_close=adjusted_close(bars, true))


def day(place: int) -> str:
    return str(DAYS[place].date())


def test_a_dividend_of_a_hundredfold_is_set_aside_with_how_far_apart_the_two_are() -> None:
    bars = bars_of(100.0, actions_of((day(20), "dividend", 0.5)))
    told = settled(bars, actions_of((day(20), "dividend", 50.0)))
    assert told.actions.empty
    [row] = told.aside.to_dict("records")
    assert row["value"] == 50.0
    assert row["reason"] == ("its own adjusted close moves by 0.50% there, the dividend of 50 by 50.00%: 49.50% apart")


def test_of_two_payments_the_one_that_the_adjusted_close_has_twice_over_is_set_aside() -> None:
    """A fund's capital gain that its dividend already holds: the adjusted close takes it once."""
    bars = bars_of(100.0, actions_of((day(20), "dividend", 6.0)))
    told = settled(bars, actions_of((day(20), "dividend", 6.0), (day(20), "capital_gain", 5.0)))
    assert told.actions["kind"].tolist() == ["dividend"]
    assert told.aside["kind"].tolist() == ["capital_gain"]


def test_a_split_that_neither_closes_nor_adjusted_closes_know_is_set_aside() -> None:
    bars = bars_of(100.0, actions_of())
    told = settled(bars, actions_of((day(20), "split", 2.0)))
    assert told.actions.empty
    assert "the split of 2 by 50.00%" in told.aside["reason"].iloc[0]


def test_a_split_that_the_closes_follow_and_the_adjusted_closes_do_not_is_refused() -> None:
    close = np.where(np.arange(60) < 20, 200.0, 100.0)
    bars = bars_of(close, actions_of())
    reason = f"got a split of 2 for 1 on {day(20)} that the close follows \\(200 before, 100 after\\)"
    with pytest.raises(InputError, match=reason):
        settled(bars, actions_of((day(20), "split", 2.0)))
    with pytest.raises(InputError, match=reason):
        refuse_followed_splits(bars, actions_of((day(20), "split", 2.0)))
    refuse_followed_splits(bars_of(100.0, actions_of()), actions_of((day(20), "split", 2.0)))


def test_what_no_step_can_confirm_is_used() -> None:
    bars = bars_of(100.0, actions_of((day(20), "dividend", 0.5)))
    outside = actions_of((day(0), "dividend", 40.0), ("2025-01-02", "dividend", 40.0))
    assert len(settled(bars, outside).actions) == 2


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    true=st.lists(
        st.tuples(
            st.integers(1, 59),
            st.one_of(
                st.tuples(st.sampled_from(["dividend", "capital_gain"]), st.floats(0.001, 0.1)),
                st.tuples(st.just("split"), st.sampled_from([0.1, 0.5, 1.5, 2.0, 3.0, 10.0])),
            ),
        ),
        max_size=5,
        unique_by=lambda each: each[0],
    ),
    fault=st.one_of(
        st.none(),
        st.tuples(st.integers(1, 59), st.sampled_from(["times", "phantom dividend", "phantom split"])),
    ),
    rounding=st.sampled_from([0, 6, 4]),
)
def test_what_is_right_is_used_and_what_is_wrong_is_set_aside(
    seed: int, true: list[tuple[int, tuple[str, float]]], fault: tuple[int, str] | None, rounding: int
) -> None:
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.02, 60)))
    for place, (kind, value) in true:
        if kind == "split":
            close[place:] /= value
    rows = [(day(place), kind, value if kind == "split" else value * close[place - 1]) for place, (kind, value) in true]
    bars = bars_of(close, actions_of(*rows))
    if rounding:
        bars["adj_close"] = [float(f"{value:.{rounding + 1}g}") for value in bars["adj_close"]]
    told, wrong = list(rows), []
    if fault is not None:
        place, what = fault
        if what == "times":
            cash = [row for row in rows if row[1] != "split" and row[2] < 40 * close.min() / 100]
            if cash:
                row = cash[place % len(cash)]
                at = next(i for i, each in enumerate(DAYS) if str(each.date()) == row[0])
                worse = min(100 * row[2], 0.9 * close[at - 1])
                if worse / close[at - 1] > 5.5 * row[2] / close[at - 1] and (worse - row[2]) / close[at - 1] > 0.001:
                    told[rows.index(row)] = wrong_row = (row[0], row[1], worse)
                    wrong.append(wrong_row)
        elif day(place) not in {row[0] for row in rows}:
            phantom = (day(place), "dividend", 0.3 * close[place - 1])
            if what == "phantom split":
                phantom = (day(place), "split", 4.0)
            told.append(phantom)
            wrong.append(phantom)

    result = settled(bars, actions_of(*told))

    used = {(str(each.date.date()), each.kind, each.value) for each in result.actions.itertuples()}
    denied = {(str(each.date.date()), each.kind, each.value) for each in result.aside.itertuples()}
    assert denied == set(wrong)
    assert used == set(told) - set(wrong)


def test_what_is_paid_twice_on_a_day_is_added_up_and_two_splits_are_refused() -> None:
    rows = actions_of((day(3), "dividend", 1.0), (day(3), "dividend", 10.0), (day(3), "capital_gain", 2.0))
    assert added_up(rows)[["kind", "value"]].to_numpy().tolist() == [["dividend", 11.0], ["capital_gain", 2.0]]
    with pytest.raises(InputError, match=f"^MU: got two of kind split on {day(3)}, wanted one"):
        added_up(actions_of((day(3), "split", 2.0), (day(3), "split", 3.0)).assign(symbol="MU"))


def test_payments_of_one_day_are_adjusted_for_together() -> None:
    bars = pd.DataFrame({"date": DAYS, "close": 100.0})
    both = adjusted_close(bars, actions_of((day(3), "dividend", 1.0), (day(3), "capital_gain", 10.0)))
    assert both.iloc[0] == pytest.approx(89.0, rel=1e-15)


def test_a_known_spin_off_says_what_was_given_however_it_is_told() -> None:
    for kind, value in (("split", 1.323), ("spin_off", 1.323), ("split", 1.3227)):
        told = with_spin_offs("WDC", actions_of(("2025-02-24", kind, value)))
        [row] = told.to_dict("records")
        assert (row["kind"], row["into"], row["factor"]) == ("spin_off", "SNDK", 1.323)
        assert row["value"] == pytest.approx(1 / 3, rel=1e-15)
    assert with_spin_offs("WDC", actions_of(("2025-02-25", "split", 1.323)))["kind"].tolist() == ["split"]
    assert with_spin_offs("WDC", actions_of(("2025-02-24", "split", 2.0)))["kind"].tolist() == ["split"]
    with pytest.raises(InputError, match=r"^MU 2025-02-24: got a spin-off of 1\.5 that does not say what was given"):
        with_spin_offs("MU", actions_of(("2025-02-24", "spin_off", 1.5)))


def test_prices_from_before_a_spin_off_are_divided_by_its_factor() -> None:
    bars = pd.DataFrame({"date": pd.to_datetime(["2025-02-21", "2025-02-24"]), "close": [68.71, 51.0]})
    adjusted = adjusted_close(bars, with_spin_offs("WDC", actions_of(("2025-02-24", "split", 1.323))))
    assert adjusted.tolist() == pytest.approx([68.71 / 1.323, 51.0], rel=1e-15)


@pytest.mark.parametrize(
    ("ratio", "after", "refused"),
    [
        # Four for one: the log of four is 1.386. A close within half of it of a quarter has followed the split.
        (4.0, 25.0, True),
        (4.0, 25.0 * np.exp(0.69), True),
        (4.0, 25.0 * np.exp(-0.69), True),
        (4.0, 25.0 * np.exp(0.70), False),
        (4.0, 25.0 * np.exp(-0.70), False),
        (4.0, 50.0, False),  # half of it, exactly
        (4.0, 100.0, False),
        # One for four, backwards.
        (0.25, 400.0, True),
        (0.25, 100.0, False),
        # A split of five for four is told from no move of a day.
        (1.25, 80.0, False),
        (1.26, 100.0 / 1.26, True),
    ],
)
def test_a_close_follows_a_split_where_it_moves_by_more_than_half_of_it(
    ratio: float, after: float, refused: bool
) -> None:
    days = pd.DatetimeIndex(["2024-06-03", "2024-06-04", "2024-06-05"])
    bars = pd.DataFrame({"date": days, "close": [100.0, after, after]})
    split = pd.DataFrame({"date": [days[1]], "kind": ["split"], "value": [ratio]})
    if not refused:
        refuse_followed_splits(bars, split)
        return
    with pytest.raises(InputError, match="2024-06-04 that the close follows"):
        refuse_followed_splits(bars, split)
    # Before the first bar, on it and after the last it is followed by nothing.
    for day in ("2024-06-01", "2024-06-03", "2024-06-06"):
        refuse_followed_splits(bars, split.assign(date=pd.Timestamp(day)))


@pytest.mark.parametrize(
    ("step", "told", "apart"),
    [
        # By more than two hundredths, of the larger of the step and 1.
        (1.0, 1.0 - 0.0199, False),
        (1.0, 1.0 - 0.0201, True),
        (1.0, 1.0 + 0.0201, True),
        (4.0, 4.0 - 0.079, False),
        (4.0, 4.0 - 0.081, True),
        # A payment of more than five times what the adjusted close took for it, where both are worth looking at.
        (0.998, 1.0 - 0.0099, False),
        (0.998, 1.0 - 0.0101, True),
        (0.9996, 1.0 - 0.003, False),  # it took less than half a thousandth
        (0.9994, 1.0 - 0.0031, True),
        (0.9994, 1.0 - 0.0029, False),
    ],
)
def test_when_the_adjusted_close_denies_what_is_told(step: float, told: float, apart: bool) -> None:
    assert _apart(step, told) == apart
