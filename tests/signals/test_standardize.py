import numpy as np
import pandas as pd
import pytest

from frames import nested_weights, trailing_scale, trailing_z
from signals.config import SignalConfig
from signals.standardize import Grouping

SMALL = SignalConfig(window_sessions=4, min_window_sessions=2, min_scale_sessions=3, clip=1.2)


def frame(*values: float) -> pd.DataFrame:
    return pd.DataFrame({"x": values}, index=pd.date_range("2024-01-01", periods=len(values)))


def test_z_by_hand() -> None:
    # The windows of the 3rd and 5th value: (1, 2, 6): mean 3, deviation sqrt(7); (2, 6, 3, 3): mean 3.5, sqrt(3).
    z = trailing_z(frame(1, 2, 6, 3, 3), SMALL)["x"].tolist()
    assert np.isnan(z[0])
    assert z[1] == pytest.approx(0.5 / np.sqrt(0.5))
    assert z[2] == pytest.approx(3 / np.sqrt(7))
    assert z[3] == pytest.approx((3 - 3) / np.std([1, 2, 6, 3], ddof=1))
    assert z[4] == pytest.approx(-0.5 / np.sqrt(3))


def test_z_is_clipped_on_both_sides() -> None:
    z = trailing_z(frame(0, 0, 0, 10, -30), SMALL)["x"]
    assert z.tolist()[3:] == [1.2, -1.2]


def test_z_skips_blanks_and_is_missing_where_the_value_is_or_nothing_deviates() -> None:
    z = trailing_z(frame(1, np.nan, 3, 3, 3, 3, 3), SMALL)["x"].tolist()
    assert np.isnan(z[1])
    assert z[2] == pytest.approx(1 / np.sqrt(2))
    assert np.isnan(z[6])  # the window holds 3, 3, 3, 3


def test_an_unmoved_value_with_rounding_noise_has_no_z() -> None:
    noisy = 0.3 + np.array([0, 1, -1, 0, 1, 0]) * 5e-17
    assert trailing_z(frame(*noisy), SMALL)["x"].isna().all()


def test_a_value_at_rest_has_no_z_though_it_moved_before() -> None:
    # Updated windows keep a trace of what has left them; after a gap it looked like a deviation of 1e-9.
    values = [0.387] * 30 + [0.41] * 10 + [np.nan] * 5 + [0.361421] * 45
    config = SignalConfig(window_sessions=40, min_window_sessions=10, min_scale_sessions=10)
    z = trailing_z(frame(*values), config)["x"]
    at_rest = slice(30 + 10 + 39, None)
    assert z[at_rest].isna().all()
    assert trailing_scale(frame(*values)["x"], config)[at_rest].isna().all()
    assert z[: at_rest.start].notna().any()


def test_z_agrees_with_numpy_on_every_full_and_growing_window() -> None:
    config = SignalConfig(window_sessions=50, min_window_sessions=20, min_scale_sessions=20)
    values = np.random.default_rng(2).normal(1e6, 3e5, size=300)
    values[np.random.default_rng(3).random(300) < 0.1] = np.nan
    z = trailing_z(frame(*values), config)["x"].to_numpy()
    scale = trailing_scale(frame(*values)["x"], config).to_numpy()
    for row in range(300):
        window = values[max(0, row - 49) : row + 1]
        window = window[~np.isnan(window)]
        enough = len(window) >= 20
        mean, deviation = (np.mean(window), np.std(window, ddof=1)) if enough else (np.nan, np.nan)
        expected = np.clip((values[row] - mean) / deviation, -3, 3)
        assert z[row] == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)
        assert scale[row] == pytest.approx(deviation, rel=1e-9, nan_ok=True)


def test_the_scale_by_hand() -> None:
    scale = trailing_scale(frame(1, 2, 3, 2, np.nan, 2, 2, 2)["x"], SMALL).tolist()
    assert np.isnan(scale[:2]).all()  # fewer than three values
    assert scale[2] == 1.0
    assert scale[3] == pytest.approx(np.sqrt(2 / 3))  # 1, 2, 3, 2
    assert scale[4] == pytest.approx(np.sqrt(1 / 3))  # 2, 3, 2
    assert np.isnan(scale[7])  # no deviation


GROUPING: Grouping = ((("n20", "n60"), ("r20", "r60")), ("c20", "c60"))


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ("", {"n20": 1 / 8, "n60": 1 / 8, "r20": 1 / 8, "r60": 1 / 8, "c20": 1 / 4, "c60": 1 / 4}),
        ("n20", {"n20": 0, "n60": 1 / 4, "r20": 1 / 8, "r60": 1 / 8, "c20": 1 / 4, "c60": 1 / 4}),
        ("r20 r60", {"n20": 1 / 4, "n60": 1 / 4, "r20": 0, "r60": 0, "c20": 1 / 4, "c60": 1 / 4}),
        ("c20 c60 n60", {"n20": 1 / 2, "n60": 0, "r20": 1 / 4, "r60": 1 / 4, "c20": 0, "c60": 0}),
        ("n20 n60 r20 r60 c60", {"n20": 0, "n60": 0, "r20": 0, "r60": 0, "c20": 1, "c60": 0}),
        ("n20 n60 r20 r60 c20 c60", dict.fromkeys(["n20", "n60", "r20", "r60", "c20", "c60"], 0)),
    ],
)
def test_missing_parts_drop_out_at_every_level(missing: str, expected: dict[str, float]) -> None:
    present = pd.DataFrame({name: [name not in missing.split()] for name in expected})
    assert nested_weights(GROUPING, present).iloc[0].to_dict() == pytest.approx(expected)


def test_each_session_drops_its_own() -> None:
    present = pd.DataFrame({"a": [True, False, True], "b": [True, True, False]})
    assert nested_weights(("a", "b"), present).to_numpy().tolist() == [[0.5, 0.5], [0, 1], [1, 0]]
    assert nested_weights("b", present)["b"].tolist() == [1, 1, 0]
