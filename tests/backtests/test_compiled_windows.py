"""Compiled windows of the signal are the plain ones, to the bit and to the last NaN."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backtests.engines.compiled_windows import compiled_windows
from signals.windows import PLAIN


@st.composite
def columns(draw):
    """Rows by columns with gaps, stretches of equal values, far levels and steps, and windows longer than all."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows, width = draw(st.integers(0, 120)), draw(st.integers(1, 3))
    values = rng.normal(draw(st.sampled_from([0.0, 1e6])), draw(st.sampled_from([1.0, 1e-7, 1e4])), (rows, width))
    if draw(st.booleans()):
        values = np.round(values, draw(st.integers(-1, 1)))
    if draw(st.booleans()):
        values[: rows // 2] = 0.0
    values[rng.random((rows, width)) < draw(st.sampled_from([0.0, 0.2, 0.9, 1.0]))] = np.nan
    if draw(st.integers(0, 9)) == 0:
        values[rng.random((rows, width)) < 0.05] = np.inf
    return values, draw(st.integers(1, 140))


@pytest.mark.slow
@given(case=columns(), least=st.integers(1, 20), half_life=st.floats(0.05, 300.0))
@example(case=(np.full((3, 1), np.nan), 2), least=1, half_life=10.0)
@example(case=(np.array([[1.0], [np.nan], [2.0], [np.nan], [np.nan], [np.nan], [3.0]]), 2), least=1, half_life=10.0)
def test_they_give_the_same_bits(case, least, half_life):
    values, window = case
    ours = compiled_windows()
    with np.errstate(all="ignore"):
        assert_same(ours, values, window, least, half_life)


def assert_same(ours, values, window, least, half_life):
    for plain, compiled in zip(PLAIN.moments(values, window), ours.moments(values, window), strict=True):
        np.testing.assert_array_equal(compiled, plain)
    np.testing.assert_array_equal(ours.spread(values, window), PLAIN.spread(values, window))
    ours_root, plain_root = (each.root_mean_square(values, window, least) for each in (ours, PLAIN))
    np.testing.assert_array_equal(ours_root, plain_root)
    for column in values.T:
        np.testing.assert_array_equal(ours.median(column, window, least), PLAIN.median(column, window, least))
    filled = np.nan_to_num(values)
    np.testing.assert_array_equal(ours.smooth(filled, half_life), PLAIN.smooth(filled, half_life))


@pytest.mark.parametrize("window", [1, 3, 4])
def test_by_hand(window):
    values, ours = np.array([3.0, np.nan, 1.0, 2.0, 10.0]), compiled_windows()
    held = [[each for each in values[max(row - window + 1, 0) : row + 1] if each == each] for row in range(5)]
    medians = [np.median(each) if each else np.nan for each in held]
    np.testing.assert_array_equal(ours.median(values, window, 1), medians)
    roots = [np.sqrt(np.mean(np.square(each))) if each else np.nan for each in held]
    np.testing.assert_allclose(ours.root_mean_square(values[:, None], window, 1)[:, 0], roots, rtol=1e-15)
    found = ours.moments(values[:, None], window)
    np.testing.assert_allclose(found.mean[:, 0], [np.mean(each) if each else np.nan for each in held], rtol=1e-15)
    deviations = [np.std(each, ddof=1) if len(each) > 1 else np.nan for each in held]
    np.testing.assert_allclose(found.deviation[:, 0], deviations, rtol=1e-15)
