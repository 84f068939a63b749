import numpy as np
import pandas as pd
import pytest

from data.errors import InputError
from signals.config import SignalConfig
from signals.regime import Regime, held_regimes, regime_path

LETTERS = {"A": "ABUNDANT", "N": "NEUTRAL", "S": "SCARCE"}


def walk(scores: list[float], dwell: int = 1, live: list[int] | None = None) -> str:
    """The path, a letter a session."""
    sessions = pd.date_range("2024-01-01", periods=len(scores))
    blocks = pd.Series(live or [4] * len(scores), index=sessions)
    path = regime_path(pd.Series(scores, index=sessions), blocks, SignalConfig(dwell_sessions=dwell))
    assert path.index.equals(sessions)
    assert set(path) <= set(LETTERS.values())
    return "".join(name[0] for name in path)


def test_names() -> None:
    assert [str(regime) for regime in Regime] == list(LETTERS.values())


@pytest.mark.parametrize(
    ("scores", "path"),
    [
        ([0.0, 0.3, 0.39], "NNN"),
        # The start holds one session; entering needs more than 0.4, leaving less than 0.2.
        ([0.9, 0.4, 0.41, 0.3, 0.2, 0.19, 0.3], "NNSSSNN"),
        ([0.0, -0.4, -0.41, -0.3, -0.2, -0.19, -0.3], "NNAAANN"),
        # Straight across past the opposite threshold; short of it only back to NEUTRAL.
        ([0.0, 0.5, -0.5, 0.5], "NSAS"),
        ([0.0, 0.5, -0.4, -0.41], "NSNA"),
        ([0.0, -0.5, 0.4, 0.41], "NANS"),
        ([0.0, 0.5, 0.0, -0.3, 0.3], "NSNNN"),
    ],
)
def test_thresholds(scores: list[float], path: str) -> None:
    assert walk(scores) == path


def test_a_regime_holds_at_least_so_many_sessions_and_the_start_does_too() -> None:
    assert walk([1.0] * 6, dwell=3) == "NNNSSS"
    assert walk([1.0, 1, 1, 1, 0, 0, 0, 0], dwell=3) == "NNNSSSNN"
    # A wish that passes within the dwell is forgotten.
    assert walk([1.0, 1, 1, 1, -1, 1, 1], dwell=3) == "NNNSSSS"
    # Straight across waits for the dwell as well, and what then begins holds anew.
    assert walk([1.0, 1, 1, 1, -1, -1, -1, 1, 1, 1], dwell=3) == "NNNSSSAAAS"


def test_fewer_than_two_live_blocks_give_neutral_at_once() -> None:
    live = [4, 4, 4, 2, 1, 0, 2, 2, 2, 2]
    assert walk([1.0] * 10, dwell=3, live=live) == "NNNSNNNSSS"
    # It is a NEUTRAL like any other: it began with the first dead session and holds its three.
    assert walk([1.0] * 8, dwell=3, live=[4, 4, 4, 4, 1, 4, 4, 4]) == "NNNSNNNS"
    # A NEUTRAL that was there already does not begin again.
    assert walk([1.0] * 5, dwell=3, live=[4, 1, 1, 4, 4]) == "NNNSS"


def test_the_default_dwell_is_ten_sessions() -> None:
    scores = pd.Series([1.0] * 15 + [0.0] * 15)
    path = regime_path(scores, pd.Series([4] * 30), SignalConfig())
    assert (path == "SCARCE").tolist() == [False] * 10 + [True] * 10 + [False] * 10


def test_no_regime_is_shorter_than_its_dwell_on_a_random_walk() -> None:
    scores = pd.Series(np.random.default_rng(5).normal(size=2_000))
    path = regime_path(scores, pd.Series([4] * 2_000), SignalConfig(dwell_sessions=7))
    lengths = path.groupby((path != path.shift()).cumsum()).size()
    assert lengths[:-1].min() == 7
    assert set(path) == set(LETTERS.values())


def test_a_score_of_nan_is_refused() -> None:
    with pytest.raises(InputError, match="got NaN at 1"):
        regime_path(pd.Series([0.0, np.nan]), pd.Series([4, 4]), SignalConfig())


@pytest.mark.parametrize(
    ("wanted", "live", "dwell", "path"),
    [
        ("SSSSSS", "444444", 1, "NSSSSS"),
        ("SSSSSS", "444444", 3, "NNNSSS"),
        ("SSSAAAAA", "44444444", 3, "NNNAAAAA"),
        # The first regime, and each after it, holds three sessions; only blocks that fall silent end it sooner.
        ("SSSSAAAASSSS", "4" * 12, 3, "NNNSSSAAASSS"),
        ("SSSSSSSSSS", "4444441222", 3, "NNNSSSNNNS"),
        ("SSSSSS", "000222", 2, "NNNSSS"),
    ],
)
def test_a_regime_that_a_model_wants_is_held(wanted: str, live: str, dwell: int, path: str) -> None:
    sessions = pd.bdate_range("2024-01-01", periods=len(wanted))
    asked = [Regime(LETTERS[each]) for each in wanted]
    held = held_regimes(lambda _, row: asked[row], pd.Series(list(map(int, live)), sessions), dwell)
    assert "".join(name[0] for name in held) == path
    assert (held.name, held.index.equals(sessions)) == ("regime", True)


def test_what_a_model_wants_may_depend_on_what_holds() -> None:
    seen = []

    def other(regime: Regime, row: int) -> Regime:
        seen.append((regime.value[0], row))
        return Regime.ABUNDANT if regime is Regime.SCARCE else Regime.SCARCE

    held = held_regimes(other, pd.Series([4, 4, 1, 4, 4]), 1)
    assert "".join(name[0] for name in held) == "NSNSA"
    assert seen == [("N", 0), ("N", 1), ("N", 3), ("S", 4)]
