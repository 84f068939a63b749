"""Tests of many variants at once, against arch and ffn on the same draws, and against what can be counted by hand."""

import numpy as np
import pandas as pd
import pytest

from backtests.evidence.bootstrap import Blocks, draw_blocks
from backtests.evidence.overfitting import overfitting
from backtests.evidence.superior import drawn_counts, long_run_variance, superior, superior_of
from data.errors import InputError


def some_variants(variants, sessions, seed=1, edge=0.0):
    random = np.random.default_rng(seed)
    common = random.normal(0.0, 0.01, sessions)
    drifts = random.normal(edge, 0.0004, (variants, 1))
    noise = random.standard_t(5, (variants, sessions)) * 0.003
    return common + drifts + noise, common


@pytest.mark.slow
@pytest.mark.parametrize(("block", "edge"), [(1, 0.0), (4, -0.0002), (9, 0.0004)])
def test_arch_gives_the_same_on_the_same_draws(block, edge):
    from arch.bootstrap import SPA, StationaryBootstrap

    returns, benchmark = some_variants(30, 260, seed=block, edge=edge)
    theirs = SPA(-benchmark, -returns.T, block_size=block, reps=400, seed=7)
    theirs.compute()
    draws = StationaryBootstrap(block, np.arange(260), seed=7)
    counts = np.array([np.bincount(draws.index, minlength=260) for _ in draws.bootstrap(400)], dtype=float)
    ours = superior_of(returns - benchmark, counts, block)
    assert [ours.lower, ours.consistent, ours.upper] == pytest.approx(theirs.pvalues.to_list(), abs=1e-12)
    np.testing.assert_allclose(long_run_variance(returns - benchmark, block), theirs._loss_diff_var, rtol=1e-9)


def test_draws_are_counted_by_hand():
    """Of five sessions the last two; then three from the last on, which goes round to the first two."""
    blocks = Blocks(np.array([[3, 4]]), np.array([[2, 3]]))
    assert drawn_counts(blocks, 5).tolist() == [[1.0, 1.0, 0.0, 1.0, 2.0]]
    counts = drawn_counts(draw_blocks(300, 8, 50, 3), 300)
    assert (counts.sum(axis=1) == 300).all()
    assert counts.mean(axis=0).std() < 0.3


def test_a_variant_that_is_better_is_found_and_nothing_is_not():
    returns, benchmark = some_variants(40, 500)
    nothing = returns - benchmark - (returns - benchmark).mean(axis=1, keepdims=True)
    assert superior(nothing).consistent > 0.5
    nothing[7] += 0.001
    found = superior(nothing)
    assert (found.best, found.consistent < 0.01) == (7, True)
    assert found.lower <= found.consistent <= found.upper


def test_variants_that_are_the_benchmark_itself_are_not_better():
    found = superior(np.zeros((12, 300)))
    assert (found.lead, found.block_sessions) == (0.0, 1)
    assert overfitting(np.tile(some_variants(1, 300)[0], (12, 1))).probability == 1.0  # none is above the median


def test_pieces_make_no_difference(monkeypatch):
    returns, benchmark = some_variants(23, 300)
    whole, ways = superior(returns - benchmark), overfitting(returns, 8)
    monkeypatch.setattr("backtests.evidence.superior._AT_A_TIME", 5)
    monkeypatch.setattr("backtests.evidence.overfitting._AT_A_TIME", 3)
    told = []
    assert superior(returns - benchmark, told.append) == whole
    assert told == [5, 10, 15, 20, 23]
    again = overfitting(returns, 8)
    assert (again.probability, again.rank) == (ways.probability, pytest.approx(ways.rank))


def test_the_better_half_is_always_the_worse_one():
    """Two variants, one the other's mirror: whichever is better in one half is the worse in the other."""
    sums = np.array([3.0, 1.0, -1.5, -2.5])
    one = np.concatenate([np.array([0.5, -0.5]) * 0.01 + each for each in sums])
    found = overfitting(np.array([one, -one]), 4)
    assert (found.probability, found.ways) == (1.0, 6)


def test_one_that_is_always_the_best_is_not_overfitted():
    random = np.random.default_rng(4)
    variants = random.normal(0.0, 0.01, (9, 160))
    variants[3] = np.abs(variants[3])
    found = overfitting(variants)
    assert (found.probability, found.ways) == (0.0, 12_870)
    assert found.rank == pytest.approx(0.9)


@pytest.mark.slow
@pytest.mark.parametrize("blocks", [4, 8])
def test_ffn_gives_the_same(blocks):
    import ffn

    variants = some_variants(12, 203, seed=blocks)[0]
    frame = pd.DataFrame(variants.T, pd.bdate_range("2020-01-01", periods=203))
    theirs = ffn.core.calc_prob_backtest_overfitting(frame, blocks, full_output=True)
    ours = overfitting(variants, blocks)
    assert ours.probability == pytest.approx(theirs["pbo"])
    assert ours.rank == pytest.approx(theirs["mean_oos_rank"])


@pytest.mark.parametrize(("shape", "blocks"), [((1, 100), 4), ((5, 20), 16), ((5, 100), 5)])
def test_what_cannot_be_halved(shape, blocks):
    with pytest.raises(InputError, match=r"wanted two variants and an even number of blocks"):
        overfitting(np.zeros(shape), blocks)
