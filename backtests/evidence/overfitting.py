"""How often the variant that was best in one half of the sessions is below the median in the other.

Bailey, Borwein, López de Prado and Zhu (2017), "The probability of backtest overfitting", Journal of Computational
Finance 20: combinatorially symmetric cross-validation. The sessions are cut into blocks; every choice of half of them
is once what is chosen on, and once what is judged on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations, islice
from math import comb

import numpy as np

from backtests.measures.performance import ROUNDING
from data.errors import InputError

BLOCKS = 16
MINIMUM_SESSIONS = 100
# Ways to halve at a time: the ratios of all variants in them fit into some megabytes.
_AT_A_TIME = 128


@dataclass(frozen=True)
class Overfitting:
    """What choosing the best is worth.

    Attributes:
        probability: share of the ways in which the variant chosen is at or below the median of the others' half.
        rank: mean of its rank there, 0 the worst, 1 the best.
        ways: to halve the blocks.
        blocks: their number.
    """

    probability: float
    rank: float
    ways: int
    blocks: int


def overfitting(
    excess: np.ndarray, blocks: int = BLOCKS, report: Callable[[int], None] = lambda _done: None
) -> Overfitting:
    """Choose by the Sharpe ratio of one half, judge by that of the other, in every way.

    A variant that does not deviate in a half, such as one in cash, has a ratio of 0 there. Of several with the same
    ratio the first is chosen, and they share their ranks.

    Args:
        excess: (k, n) returns of each variant over the bill; finite.
        blocks: even; as long as each other, and what is over at the end is left out.
        report: is told how many ways are done.

    Raises:
        InputError: fewer than two variants, or blocks of less than two sessions.
    """
    variants, sessions = excess.shape
    size = sessions // blocks
    if variants < 2 or size < 2 or blocks % 2:
        raise InputError(
            f"got {variants} variants over {sessions} sessions in {blocks} blocks, wanted two variants and an even "
            "number of blocks of two sessions at least"
        )
    cut = excess[:, : size * blocks].reshape(variants, blocks, size)
    sums, squares = cut.sum(axis=2).T, np.einsum("kbs,kbs->bk", cut, cut)
    half, ways = size * blocks // 2, comb(blocks, blocks // 2)
    below, ranks, done = 0, 0.0, 0
    # The first half of the ways holds the first block; the other halves of these are the rest of the ways.
    halves = islice(combinations(range(blocks), blocks // 2), ways // 2)
    while taken := list(islice(halves, _AT_A_TIME)):
        chosen = np.zeros((len(taken), blocks))
        np.put_along_axis(chosen, np.array(taken), 1.0, axis=1)
        one, other = (_ratios(each @ sums, each @ squares, half) for each in (chosen, 1.0 - chosen))
        for train, test in ((one, other), (other, one)):
            rank = _ranks(test, train.argmax(axis=1)) / (variants + 1)
            # The logit of a rank is 0 or less at a half or less.
            below += int((rank <= 0.5 + ROUNDING).sum())
            ranks += float(rank.sum())
        done += 2 * len(taken)
        report(done)
    return Overfitting(below / ways, ranks / ways, ways, blocks)


def _ratios(sums: np.ndarray, squares: np.ndarray, count: int) -> np.ndarray:
    """Mean over deviation of each variant in each half."""
    mean = sums / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 0.0))
    ratio: np.ndarray = np.divide(mean, deviation, out=np.zeros_like(mean), where=deviation > ROUNDING)
    return ratio


def _ranks(ratios: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Rank of one variant of each row among all, 1 the lowest; equal ones share theirs."""
    own = np.take_along_axis(ratios, of[:, np.newaxis], axis=1)
    rank: np.ndarray = (ratios < own).sum(axis=1) + ((ratios == own).sum(axis=1) + 1) / 2
    return rank
