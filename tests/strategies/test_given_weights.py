"""Weights that another tool has made, by hand: which row holds at which decision, and what is refused."""

from pathlib import Path

import pandas as pd
import pytest

from data.errors import InputError
from strategies.given_weights import read_weights, rows_in_force, weights_in_force

SESSIONS = pd.DatetimeIndex(["2024-02-05", "2024-02-06", "2024-02-07", "2024-02-08"])
ROWS = "known_at,A,B\n2024-02-06T00:00:00Z,0.5,0.25\n2024-02-07T00:00:01Z,0,1\n"


def read(text):
    return read_weights(Path("w.csv"), text.encode())


def tradable(**flags):
    return pd.DataFrame({"A": True, "B": True, "C": True} | flags, index=SESSIONS)


def test_a_row_holds_from_the_decision_that_knows_it():
    rows = read(ROWS)
    assert rows_in_force(rows, SESSIONS).tolist() == [-1, 0, 0, 1]
    weights = weights_in_force(rows, tradable())
    assert weights["A"].tolist() == [0.0, 0.5, 0.5, 0.0]
    assert weights["B"].tolist() == [0.0, 0.25, 0.25, 1.0]
    assert weights["C"].tolist() == [0.0] * 4


def test_what_cannot_be_held_any_more_gets_nothing_and_what_cannot_be_bought_is_refused():
    gone = weights_in_force(read(ROWS), tradable(A=[True, True, False, False]))
    assert gone["A"].tolist() == [0.0, 0.5, 0.0, 0.0]
    assert gone["B"].tolist() == [0.0, 0.25, 0.25, 1.0]
    with pytest.raises(InputError, match=r"weights for 2024-02-06: got 0\.5 for A, but it cannot be traded then"):
        weights_in_force(read(ROWS), tradable(A=[True, False, True, True]))
    with pytest.raises(InputError, match=r"weights for 2024-02-06: got .* for A"):
        weights_in_force(read(ROWS), tradable(A=[True, False, True, True], B=[True, False, True, True]))
    with pytest.raises(InputError, match="target weights for 2024-02-08: got 1 for B"):
        weights_in_force(read(ROWS), tradable(B=[True, True, True, False]))
    with pytest.raises(InputError, match=r"weights for 2024-02-06: got 0\.5 for A"):
        weights_in_force(read(ROWS), tradable(A=[True, False, True, True], B=[True, True, True, False]))
    # A weight of nothing asks for nothing.
    weights_in_force(read(ROWS), tradable(A=[True, True, True, False], C=[False] * 4))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1: got the columns none and 0 rows"),
        ("known_at\n2024-01-01T00:00:00Z\n", "line 1: got the columns known_at and 1 rows"),
        ("known_at,A,A\n2024-01-01T00:00:00Z,0,0\n", "line 1: got the columns known_at,A,A and 1 rows"),
        ("known_at,A\n", "line 1: got the columns known_at,A and 0 rows"),
        ("known_at,A\n2024-01-01T00:00:00Z,1\n2024-01-01T00:00:00Z,1\n", "line 3: .*stands twice"),
        ("known_at,A,B\n2024-01-01T00:00:00Z,0.6,0.5\n", "line 2: weights of 1.1 together, wanted at most 1"),
        ("known_at,A\n2024-01-01T00:00:00Z,1.01\n", "line 2: A: '1.01', wanted a fraction of equity from 0 to 1"),
        ("known_at,A\n2024-01-01T00:00:00Z,-0.01\n", "line 2: A: '-0.01', wanted a fraction of equity from 0 to 1"),
        ("known_at,A\n2024-01-01T00:00:00Z,all\n", "line 2: A: 'all', wanted a fraction of equity from 0 to 1"),
        ("known_at,A\n2024-01-01T00:00:00Z,0_0.5\n", "line 2: A: '0_0.5', wanted a fraction of equity from 0 to 1"),
        ("known_at,A\n2024-01-01T00:00:00Z,\u0661\n", "line 2: A: '\u0661', wanted a fraction of equity from 0 to 1"),
        ("known_at,A\n2024-01-01T00:00:00Z,nan\n", "line 2: A: 'nan', wanted a fraction of equity from 0 to 1"),
        ("known_at,A\n0001-01-01T00:00:00+14:00,1\n", "line 2: known_at '0001-01-01T00:00:00.14:00', wanted a time"),
        ("known_at,A\n9999-12-31T23:00:00-14:00,1\n", "line 2: known_at '9999-12-31T23:00:00-14:00', wanted a time"),
        ("known_at,A\n2024-01-01T00:00:00Z,1,1\n", "line 2: 3 cells, wanted 2"),
    ],
)
def test_the_first_fault_is_told_by_its_line(text, told):
    with pytest.raises(InputError, match=f"^w.csv, {told}"):
        read(text)


def test_the_ends_are_taken():
    rows = read("known_at,A,B\n2024-01-01T00:00:00Z,0,1\n2024-01-02T00:00:00Z,0.3,0.7\n2024-01-03T00:00:00Z,0.1,0.2\n")
    assert rows.to_numpy().tolist() == [[0.0, 1.0], [0.3, 0.7], [0.1, 0.2]]
