"""The signal at moments of one's own, by hand, and what is refused."""

import re
from datetime import UTC, datetime

import pandas as pd
import pytest

from data.errors import InputError
from reverse_qe.moments import signal_at

# Friday, Monday, Tuesday.
SESSIONS = pd.DatetimeIndex(["2024-02-02", "2024-02-05", "2024-02-06"])
HISTORY = pd.DataFrame(
    {"session": SESSIONS, "regime": ["NEUTRAL", "SCARCE", "ABUNDANT"], "score": [0.1, 0.5, -0.5], "live_blocks": 4},
    index=SESSIONS.tz_localize("UTC").rename("decided_at"),
)


def regimes(*moments):
    return signal_at(HISTORY, moments)["regime"].tolist()


def test_a_row_is_known_from_the_moment_of_its_decision_on():
    at_last = ["2024-02-04T23:59:59.999999Z", "2024-02-05T00:00:00Z", "2024-02-05T00:00:00.000001Z"]
    assert regimes(*at_last) == ["NEUTRAL", "SCARCE", "SCARCE"]
    # 19:00 in New York is 00:00 UTC; the evening of Sunday knows Monday's decision, its afternoon does not.
    assert regimes("2024-02-04T18:59:59-05:00", "2024-02-04T19:00:00-05:00") == ["NEUTRAL", "SCARCE"]
    # A nanosecond before is before.
    assert signal_at(HISTORY, pd.DatetimeIndex(["2024-02-04T23:59:59.999999999Z"]))["regime"].tolist() == ["NEUTRAL"]


def test_it_says_when_and_for_which_session_it_was_decided():
    asked = pd.DatetimeIndex(["2024-02-05T14:30Z", "2024-02-02T14:30Z", "2024-02-03T12:00Z"])
    found = signal_at(HISTORY, asked)
    assert found.columns.tolist() == ["decided_at", "session", "regime", "score"]
    assert found.index.equals(asked)
    assert (found["decided_at"] <= found.index).all()
    assert found["session"].tolist() == [SESSIONS[1], SESSIONS[0], SESSIONS[0]]
    assert found["score"].tolist() == [0.5, 0.1, 0.1]


def test_before_the_first_decision_nothing_is_known():
    found = signal_at(HISTORY, ["2024-02-01T23:59Z", "2024-02-02T00:00Z"])
    assert found.isna().all(axis=1).tolist() == [True, False]
    assert found["score"].dtype == float
    empty = signal_at(HISTORY, pd.DatetimeIndex([], tz="UTC"))
    assert (len(empty), list(empty.columns)) == (0, ["decided_at", "session", "regime", "score"])


def test_every_way_to_write_times_is_taken():
    day = pd.DatetimeIndex(["2024-02-05 08:00"])
    for moments in (
        day.tz_localize("Asia/Tokyo"),
        pd.Series(day.tz_localize("UTC")),
        [datetime(2024, 2, 5, 8, tzinfo=UTC)],
        ["2024-02-05T08:00:00+00:00"],
        (each for each in day.tz_localize("UTC").as_unit("ns")),
    ):
        assert signal_at(HISTORY, moments)["regime"].tolist() in (["SCARCE"], ["NEUTRAL"])
    assert signal_at(HISTORY, day.tz_localize("Asia/Tokyo"))["regime"].tolist() == ["NEUTRAL"]  # 23:00 UTC of Sunday


def test_a_signal_that_has_become_old_is_not_carried_on():
    """The decision for Wednesday is due at 00:00 UTC of Wednesday; a market that ends before it does not know it."""
    assert regimes("2024-02-06T23:59:59Z") == ["ABUNDANT"]
    with pytest.raises(InputError, match=r"got the moment 2024-02-07 .*, wanted one before 2024-02-07 00:00:00\+00:00"):
        regimes("2024-02-05T00:00Z", "2024-02-07T00:00:00Z")
    friday = HISTORY.iloc[:1]
    assert signal_at(friday, ["2024-02-04T23:59:00Z"])["regime"].tolist() == ["NEUTRAL"]
    with pytest.raises(InputError, match=r"before 2024-02-05 .*fetch or import newer data"):
        signal_at(friday, ["2024-02-05T00:00:00Z"])


@pytest.mark.parametrize(
    ("moments", "told"),
    [
        (["2024-02-05"], "without an offset from UTC, 2024-02-05 00:00:00 first"),
        (pd.DatetimeIndex(["2024-02-05 14:30"]), "a day alone does not say"),
        ([pd.Timestamp("2024-02-05", tz="UTC"), pd.NaT], "a blank among the 2 moments"),
        (["2024-02-05T08:00:00Z", "soon"], "no times"),
        ([pd.Timestamp("2024-02-05", tz="UTC"), pd.Timestamp("2024-02-05", tz="Asia/Tokyo")], "no times"),
        ([pd.Timestamp("2024-02-05", tz="UTC"), pd.Timestamp("2024-02-05")], "no times"),
        ("2024-02-05T08:00:00Z", "no times|without an offset"),
        ([object()], "no times"),
        ([20240205], "without an offset"),
        (7, "no times"),
    ],
)
def test_what_is_no_moment_is_refused_in_one_line(moments, told):
    with pytest.raises(InputError, match=told) as caught:
        signal_at(HISTORY, moments)
    assert "\n" not in str(caught.value)
    assert re.search("wanted", str(caught.value))
