"""The stationary bootstrap against arch, on the very same draws."""

import math

import numpy as np
import pytest
from arch.bootstrap import StationaryBootstrap, optimal_block_length
from hypothesis import given, settings
from hypothesis import strategies as st

from backtests.evidence.bootstrap import Blocks, block_length, draw_blocks, resampled_moments


def autoregressive(seed: int, sessions: int, persistence: float, columns: int = 1) -> np.ndarray:
    """Returns of about 1% a day that hang on the day before."""
    random = np.random.default_rng(seed)
    noise = random.standard_t(5, (sessions, columns)) * 0.01
    values = noise.copy()
    for row in range(1, sessions):
        values[row] += persistence * values[row - 1]
    return values + 0.0004


def blocks_of(indices: np.ndarray) -> Blocks:
    """The blocks in which arch drew its indices, a resample a row."""
    sessions = indices.shape[1]
    begins = np.ones(indices.shape, dtype=bool)
    begins[:, 1:] = indices[:, 1:] != (indices[:, :-1] + 1) % sessions
    width = int(begins.sum(axis=1).max())
    starts, lengths = (np.zeros((len(indices), width), dtype=np.int64) for _ in range(2))
    for row, (drawn, first) in enumerate(zip(indices, begins, strict=True)):
        places = np.flatnonzero(first)
        starts[row, : len(places)] = drawn[places]
        lengths[row, : len(places)] = np.diff(np.append(places, sessions))
    return Blocks(starts, lengths)


@pytest.mark.parametrize(("sessions", "block"), [(120, 1), (500, 3), (757, 25)])
def test_the_moments_of_arch_s_own_draws_are_those_of_its_resamples(sessions, block):
    values = autoregressive(3, sessions, 0.2, columns=2)
    bootstrap = StationaryBootstrap(block, values, seed=11)
    indices = np.array([bootstrap.update_indices() for _ in range(200)])
    means, deviations = resampled_moments(values, blocks_of(indices))
    np.testing.assert_allclose(means, values[indices].mean(axis=1), rtol=0, atol=1e-15)
    np.testing.assert_allclose(deviations, values[indices].std(axis=1, ddof=1), rtol=1e-10)

    def difference(drawn: np.ndarray) -> np.ndarray:
        own, other = drawn.mean(axis=0) / drawn.std(axis=0, ddof=1)
        return np.array([own - other])

    wanted = StationaryBootstrap(block, values, seed=11).conf_int(difference, 200, method="percentile", size=0.95)
    ratios = means / deviations
    np.testing.assert_allclose(np.percentile(ratios[:, 0] - ratios[:, 1], [2.5, 97.5]), wanted.ravel(), rtol=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    sessions=st.integers(100, 1200),
    persistence=st.sampled_from([-0.5, 0.0, 0.1, 0.5, 0.9, 0.99]),
)
def test_the_length_of_blocks_is_that_of_arch(seed, sessions, persistence):
    values = autoregressive(seed, sessions, persistence)
    wanted = max(1.0, float(optimal_block_length(values)["stationary"].iloc[0]))
    assert block_length(values[:, 0]) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize(("sessions", "mean"), [(100, 1), (1000, 2), (1000, 7), (400, 60), (5, 300)])
def test_blocks_fill_every_resample_and_are_as_long_as_they_should_be(sessions, mean):
    blocks = draw_blocks(sessions, mean, 3_000, seed=1)
    assert (blocks.lengths.sum(axis=1) == sessions).all()
    assert blocks.lengths.min() >= 0
    assert (blocks.starts.min(), blocks.starts.max()) == (0, sessions - 1)
    begun = blocks.lengths > 0
    # A block begins at the first session of a resample, and at each later one with a chance of one over the mean.
    expected = 1 + (sessions - 1) / mean
    error = math.sqrt((sessions - 1) / mean * (1 - 1 / mean) / 3_000)
    assert begun.sum(axis=1).mean() == pytest.approx(expected, abs=5 * error + 1e-9)
    starts = blocks.starts[begun]
    assert starts.mean() == pytest.approx((sessions - 1) / 2, abs=5 * sessions / math.sqrt(12 * len(starts)))


def test_the_same_seed_draws_the_same_blocks():
    one, same, other = (draw_blocks(50, 5, 10, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.starts, same.starts)
    np.testing.assert_array_equal(one.lengths, same.lengths)
    assert not np.array_equal(one.starts, other.starts)
