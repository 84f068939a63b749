"""A regime or a score from a file, by hand: what holds at which decision, and what is refused at which line."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.errors import InputError
from signals.config import SignalConfig
from signals.source import read_source, source_signal

SESSIONS = pd.DatetimeIndex(["2024-02-05", "2024-02-06", "2024-02-07", "2024-02-08"])
CONFIG = SignalConfig(source="s.csv", enter=0.5, leave=0.25, dwell_sessions=1)


def read(text):
    return read_source(Path("s.csv"), text.encode())


def signal(text):
    return source_signal(read(text), SESSIONS, CONFIG)


def test_a_regime_holds_from_the_decision_that_knows_it_and_has_a_score():
    """The decision for a session is taken at its 00:00 UTC: a row of that moment counts, one a second later waits."""
    made = signal(
        "known_at,regime\n2024-02-06T00:00:00+00:00,SCARCE\n2024-02-06T19:00:01-05:00,ABUNDANT\n"
        "2024-02-08T00:00:00Z,NEUTRAL\n"
    )
    assert made.regime.tolist() == ["NEUTRAL", "SCARCE", "SCARCE", "NEUTRAL"]
    later = signal("known_at,regime\n2024-02-06T19:00:00-05:00,ABUNDANT\n")
    assert later.regime.tolist() == ["NEUTRAL", "NEUTRAL", "ABUNDANT", "ABUNDANT"]
    assert made.score.tolist() == [0.0, 1.0, 1.0, 0.0]
    assert later.score.tolist() == [0.0, 0.0, -1.0, -1.0]
    assert made.values["source.regime"].tolist()[1:] == [1.0, 1.0, 0.0]
    assert np.isnan(made.values["source.regime"].iloc[0])
    assert made.live_blocks.tolist() == [0, 1, 1, 1]
    assert (made.needed_blocks, made.is_given) == (1, True)
    assert made.observed["source.regime"].iloc[1] == pd.Timestamp("2024-02-06")
    assert made.known["source.regime"].iloc[1] == pd.Timestamp("2024-02-06", tz="UTC")
    assert made.blocks.columns.tolist() == ["source"]
    assert made.units == {"source.regime": "-1 ABUNDANT, +1 SCARCE"}


def test_a_score_goes_by_the_thresholds_as_it_is():
    made = signal(
        "score,known_at\n0.6,2024-02-04T00:00:00+00:00\n0.3,2024-02-07T00:00:00+00:00\n0.2,2024-02-08T00:00:00+00:00\n"
    )
    assert made.score.tolist() == [0.6, 0.6, 0.3, 0.2]
    # Before the first session nothing was in force: it begins NEUTRAL, and holds that for one session.
    assert made.regime.tolist() == ["NEUTRAL", "SCARCE", "SCARCE", "NEUTRAL"]
    assert not made.is_given
    assert made.units == {"source.score": "score"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1: got the columns none and 0 rows"),
        ("known_at,regime\n", "line 1: got the columns known_at,regime and 0 rows"),
        ("known_at,level\n2024-01-01T00:00:00Z,1\n", "line 1: got the columns known_at,level and 1 rows"),
        ("known_at,regime\n2024-01-01T00:00:00Z,SCARCE\n\n2024-01-02T00:00:00Z,scarce\n", "line 4: regime 'scarce'"),
        ("known_at,score\n2024-01-01T00:00:00Z,inf\n", "line 2: score 'inf', wanted a number"),
        ("known_at,score\n2024-01-01T00:00:00Z,much\n", "line 2: score 'much', wanted a number"),
        ("known_at,score\n2024-01-01T00:00:00Z\n", "line 2: "),
        ("known_at,score\n2024-01-01T00:00:00,1\n", "line 2: known_at '2024-01-01T00:00:00', wanted a time with its"),
        ("known_at,score\nnever,1\n", "line 2: known_at 'never', wanted a time with its offset"),
        ("known_at,score\n2024-01-02T00:00:00Z,1\n2024-01-02T01:00:00+01:00,2\n", "line 3: .*stands twice"),
        ("known_at,score\n2024-01-02T00:00:00Z,1\n2024-01-01T00:00:00Z,2\n", "line 3: .*stands after"),
        ("known_at,score\n0001-01-01T00:00:00+14:00,1\n", "line 2: .*wanted a time"),
        ("known_at,score\n9999-12-31T23:00:00-14:00,1\n", "line 2: .*wanted a time"),
        ("known_at,score\n2024-01-02T00:00:00Z,0_0.5\n", "line 2: score '0_0.5', wanted a number"),
        ("known_at,score\n2024-01-02T00:00:00Z,\u0661\n", "line 2: score .*wanted a number"),
        ('known_at,score\n"2024', "wanted a CSV file in UTF-8"),
    ],
)
def test_the_first_fault_is_told_by_its_line(text, told):
    with pytest.raises(InputError, match=f"^s.csv.*{told}"):
        read(text)


def test_what_a_spreadsheet_adds_is_taken():
    rows = read("\ufeffknown_at, score\r\n 2024-01-01T00:00:00Z , 0.25 \r\n\r\n2024-01-02T00:00:00Z,-1e-3\r\n")
    assert rows["score"].tolist() == [0.25, -0.001]
    assert rows["known_at"].tolist() == [pd.Timestamp("2024-01-01", tz="UTC"), pd.Timestamp("2024-01-02", tz="UTC")]
