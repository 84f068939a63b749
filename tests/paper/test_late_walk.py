"""What is owed for played sessions, by hand: units, cash, interest on what was missing, and what is booked already."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from backtests.execution.records import Sessions
from paper.brokers.simulated.late import Key, Owed, Played, owed_by_now
from strategies.trade_terms import TradeTerms


def sessions(rows: int, **given: Any) -> Sessions:
    """One instrument at 100 USD for so many sessions (and the one before), where nothing happens but what is given."""
    shape = (rows + 1, 1)
    price, nothing = np.full(shape, 100.0), np.zeros(shape)
    values: dict[str, Any] = {
        "open": price,
        "close": price,
        "volume": price,
        "decision_price": price,
        "split": np.ones(shape),
        "dividend": nothing.copy(),
        "ended": nothing.astype(bool),
        "payout": np.full(shape, np.nan),
        "stale": nothing.astype(bool),
        "coins": np.zeros(1, dtype=bool),
        "interest": np.zeros(rows + 1),
        "stale_haircut": 0.3,
        "settlement_sessions": 1,
    }
    for name, rows_of in given.items():
        for row, value in rows_of.items():
            values[name][row] = value
    free = dict.fromkeys(TradeTerms._fields, np.zeros(1)) | {"quantum": np.full(1, 1e-9)}
    terms = TradeTerms(**free | dict.fromkeys(("maximum", "participation"), np.full(1, np.inf)))
    return Sessions(
        terms=terms,
        changes_units=np.ones(rows + 1, dtype=bool),
        pays_dividends=np.any(values["dividend"] > 0, axis=1),
        **values,
    )


def played(*held: float, **more: Any) -> list[Played]:
    """Sessions by the units at their end; none were held before the first."""
    begins = [0.0, *held[:-1]]
    found = [Played(np.array([begin]), np.array([end])) for begin, end in zip(begins, held, strict=True)]
    for name, rows in more.items():
        for row, value in rows.items():
            setattr(found[row - 1], name, value)
    return found


def owed_for(sessions_played: list[Played], now: Sessions) -> Mapping[Key, Owed]:
    reckoning = owed_by_now(sessions_played, now)
    assert reckoning.impossible is None
    return reckoning.owed


def test_nothing_is_owed_where_all_was_told_in_time() -> None:
    booked = {2: {Key(2, 0, "split"): Owed(10.0, 0.0)}, 3: {Key(3, 0, "dividend"): Owed(0.0, 40.0)}}
    now = sessions(3, split={2: 2.0}, dividend={3: 2.0})
    assert owed_for(played(10.0, 20.0, 20.0, booked=booked), now) == {}


def test_a_split_and_what_units_of_it_would_have_brought() -> None:
    """10 units, 2:1 at session 2, a dividend of 3 at session 3, 3:1 at session 4: both were paid on 10 units."""
    booked = {3: {Key(3, 0, "dividend"): Owed(0.0, 30.0)}, 4: {Key(4, 0, "split"): Owed(20.0, 0.0)}}
    now = sessions(4, split={2: 2.0, 4: 3.0}, dividend={3: 3.0})
    owed = owed_for(played(10.0, 10.0, 10.0, 30.0, booked=booked), now)
    assert {key: (round(units, 9), round(amount, 9) + 0.0) for key, (units, amount) in owed.items()} == {
        Key(2, 0, "split"): (10.0, 0.0),
        Key(3, 0, "dividend"): (0.0, 30.0),
        Key(4, 0, "split"): (20.0, 0.0),
    }


def test_trades_in_between_stay_as_they_were() -> None:
    """10 units, 2:1 at session 2; 4 of them sold at session 3: 16 should be there, and 6 are."""
    owed = owed_for(played(10.0, 10.0, 6.0), sessions(3, split={2: 2.0}))
    assert owed == {Key(2, 0, "split"): Owed(10.0, 0.0)}


def test_interest_on_what_was_missing() -> None:
    """50 USD missing from the end of session 2 on, at 1% a session: 0.50, then 0.505."""
    now = sessions(4, dividend={2: 5.0}, interest={3: 0.01, 4: 0.01})
    owed = owed_for(played(10.0, 10.0, 10.0, 10.0), now)
    assert owed == {
        Key(2, 0, "dividend"): Owed(0.0, 50.0),
        Key(4, -1, "interest"): Owed(0.0, pytest.approx(0.5 + 0.505)),
    }
    # Booked after session 4, it is not owed again, and bears no further interest.
    now = sessions(6, dividend={2: 5.0}, interest={3: 0.01, 4: 0.01, 5: 0.01, 6: 0.01})
    assert owed_for(played(*[10.0] * 6, late={4: owed}), now) == {}


def test_a_delisting_pays_for_units_that_are_still_booked() -> None:
    now = sessions(3, ended={2: True}, payout={2: 40.0})
    assert owed_for(played(10.0, 10.0, 10.0), now) == {Key(2, 0, "delisting"): Owed(-10.0, 400.0)}
    unknown = sessions(3, ended={2: True})
    assert owed_for(played(10.0, 10.0, 10.0), unknown) == {Key(2, 0, "delisting"): Owed(-10.0, 700.0)}


def test_a_close_out_that_bars_which_came_late_do_not_ask_for() -> None:
    """It was closed out at 70 for want of bars; they are there now."""
    booked = {2: {Key(2, 0, "close_out"): Owed(-10.0, 700.0)}}
    assert owed_for(played(10.0, 0.0, 0.0, booked=booked), sessions(3)) == {Key(2, 0, "close_out"): Owed(10.0, -700.0)}


def test_an_action_that_is_withdrawn_is_given_back_and_one_that_changes_by_the_difference() -> None:
    booked = {2: {Key(2, 0, "dividend"): Owed(0.0, 500.0)}}
    assert owed_for(played(10.0, 10.0, booked=booked), sessions(2)) == {Key(2, 0, "dividend"): Owed(0.0, -500.0)}
    now = sessions(2, dividend={2: 0.5})
    assert owed_for(played(10.0, 10.0, booked=booked), now) == {Key(2, 0, "dividend"): Owed(0.0, -495.0)}


def test_what_is_booked_and_then_withdrawn_is_given_back() -> None:
    late = {3: {Key(2, 0, "dividend"): Owed(0.0, 500.0)}}
    owed = owed_for(played(10.0, 10.0, 10.0, 10.0, late=late), sessions(4))
    assert owed == {Key(2, 0, "dividend"): Owed(0.0, -500.0)}


def test_units_that_were_sold_and_were_not_there() -> None:
    """10 units, 1:10 at session 2, 8 sold at session 3: only 1 was there."""
    assert owed_by_now(played(10.0, 10.0, 2.0), sessions(3, split={2: 0.1})) == ({}, Key(2, 0, "split"))
