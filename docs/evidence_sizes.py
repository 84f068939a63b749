"""Worlds in which each test's null holds, by seed: how often the evidence finds something that is not there.

Each function draws a world from a seed and puts the test of the real code to it. `write_evidence_sizes.py` counts.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.evidence.any_day import any_day, mixture, running_mean, running_slope
from backtests.evidence.circular_shift import circular_shift
from backtests.evidence.overfitting import overfitting
from backtests.evidence.sharpe_difference import sharpe_difference
from backtests.evidence.table import Verdict
from backtests.evidence.trials import TrialCount, Tried, count_trials
from backtests.studies.evidence.of_returns import alpha_rows, tried_rows
from backtests.studies.evidence.of_sweep import SweptReturns, superior_tests

SESSIONS, SINCE = 1_260, 170
TRIALS, VARIANTS = 200, 50
MIX = "static_mix"


@dataclass(frozen=True)
class Null:
    """A test and a world in which it ought to find nothing.

    Attributes:
        test: for people.
        null: what holds in the world.
        kind: ``exact``, ``conservative`` or ``interval``: what the share of findings may come to.
        finds: whether it finds something all the same, by seed.
    """

    test: str
    null: str
    kind: str
    finds: Callable[[int], bool]


def clustered(random: np.random.Generator, sessions: int, columns: int) -> np.ndarray:
    """Shocks with fat tails (Student's t, five degrees) whose volatility comes in waves that all columns share.

    Their log volatility is an autoregression with a half-life of 35 sessions and a standard deviation of 0.4.
    """
    keep = 0.5 ** (1 / 35)
    steps = random.normal(0.0, 0.4 * math.sqrt(1 - keep**2), sessions)
    level = np.empty(sessions)
    level[0] = random.normal(0.0, 0.4)
    for at in range(1, sessions):
        level[at] = keep * level[at - 1] + steps[at]
    return random.standard_t(5, (sessions, columns)) / math.sqrt(5 / 3) * np.exp(level)[:, np.newaxis]


def dated(values: np.ndarray, *names: str) -> pd.DataFrame:
    """Columns by session."""
    return pd.DataFrame(values, pd.bdate_range("2015-01-01", periods=len(values)), list(names))


def nothing(table: pd.DataFrame) -> pd.Series:
    """A bill that brings nothing."""
    return pd.Series(0.0, table.index)


def equal_sharpes(seed: int, sessions: int = SESSIONS) -> bool:
    """Two portfolios, correlated by 0.8, of volatilities 35% and 25%, both with a true Sharpe ratio of 0.8."""
    shocks = clustered(np.random.default_rng(seed), sessions, 2)
    both = np.column_stack([shocks[:, 0], 0.8 * shocks[:, 0] + 0.6 * shocks[:, 1]])
    table = dated((both + 0.8 / math.sqrt(252)) * np.array([0.35, 0.25]) / math.sqrt(252), "strategy", MIX)
    return sharpe_difference(table["strategy"], table[MIX], nothing(table), 2_000).excludes_zero


def best_of_unrelated(seed: int) -> bool:
    """The best of 200 trials that earn the static mix and noise of their own."""
    return _best_is_called(seed, 0.0)


def best_of_alike(seed: int) -> bool:
    """The best of 200 trials whose returns over the static mix are correlated by 0.7."""
    return _best_is_called(seed, 0.7)


def _best_is_called(seed: int, correlation: float) -> bool:
    random = np.random.default_rng(seed)
    mix = random.normal(0.0004, 0.015, SESSIONS)
    shocks = random.standard_t(5, (TRIALS + 1, SESSIONS)) * 0.006
    excess = math.sqrt(correlation) * shocks[0] + math.sqrt(1 - correlation) * shocks[1:]
    best = int(np.argmax(excess.mean(axis=1) / excess.std(axis=1)))
    table = dated(np.column_stack([mix + excess[best], mix]), "strategy", MIX)
    trials: TrialCount = count_trials([Tried(pd.Series(each, table.index)) for each in excess])
    (row,) = tried_rows(table, MIX, trials)
    return row.verdict is Verdict.FOR


def blind_weights(seed: int) -> bool:
    """Weights of three baskets that change every 60 sessions or so, and returns that know nothing of them."""
    random = np.random.default_rng(seed)
    regime = np.cumsum(random.random(SESSIONS) < 1 / 60) % 3
    weights = np.array([[0.6, 0.2, 0.2], [0.3, 0.5, 0.2], [0.0, 0.8, 0.2]])[random.permutation(3)][regime]
    returns = random.standard_t(5, (SESSIONS, 3)) * np.array([0.02, 0.015, 0.0]) + np.array([0.001, 0.0007, 0.0001])
    costs = np.append(0.0, np.abs(np.diff(weights, axis=0)).sum(axis=1)) * 0.001
    return circular_shift(weights, returns, costs, np.full(SESSIONS, 0.0001)).p_value <= 0.05


def only_its_markets(seed: int) -> bool:
    """A strategy of two markets in fixed weights, and noise of its own: no alpha."""
    shocks = clustered(np.random.default_rng(seed), SESSIONS, 3) * 0.012
    markets = shocks[:, :2] + 0.0005
    strategy = markets @ np.array([0.4, 0.6]) + 0.5 * shocks[:, 2]
    table = dated(np.column_stack([strategy, markets]), "strategy", "one", "other")
    (row,) = alpha_rows(table["strategy"], table[["one", "other"]], nothing(table), "two markets")
    return row.verdict is not Verdict.OPEN


def looked_at_daily_mean(seed: int) -> bool:
    """What an account earns over its static mix, without a mean; looked at on every day of ten years."""
    lead = clustered(np.random.default_rng(seed), 2 * SESSIONS, 1)[:, 0] * 0.005
    return any_day(*running_mean(lead), mixture(10, 252), 1.0).yes_at is not None


def looked_at_daily_slope(seed: int) -> bool:
    """A slow predictor, and an outcome that knows nothing of it but is wilder where it is high; as above."""
    random = np.random.default_rng(seed)
    sessions, keep = 2 * SESSIONS, 0.99
    predictor = np.empty(sessions)
    predictor[0] = random.normal()
    for at, step in enumerate(random.normal(0.0, math.sqrt(1 - keep**2), sessions - 1)):
        predictor[at + 1] = keep * predictor[at] + step
    outcome = clustered(random, sessions, 1)[:, 0] * 0.01 * (1 + 0.5 * (predictor > 1))
    return any_day(*running_slope(predictor, outcome), mixture(10, 252), 1.0).yes_at is not None


def no_better_variant(seed: int) -> bool:
    """Fifty variants of the static mix with noise of their own; all have its true mean."""
    random = np.random.default_rng(seed)
    mix = clustered(random, SESSIONS, 1)[:, 0] * 0.015 + 0.0005
    variants = mix + random.standard_t(5, (VARIANTS, SESSIONS)) * random.uniform(0.001, 0.006, (VARIANTS, 1))
    return _superior(variants, mix, "as they are")


def no_better_variant_at_equal_volatility(seed: int) -> bool:
    """Fifty variants of half to one and a half times its volatility, correlated by 0.9; all have its Sharpe ratio."""
    random = np.random.default_rng(seed)
    shocks = clustered(random, SESSIONS, VARIANTS + 1).T
    own = 0.9 * shocks[0] + math.sqrt(1 - 0.9**2) * shocks[1:]
    sharpe = 0.8 / math.sqrt(252)
    variants = (own + sharpe) * random.uniform(0.5, 1.5, (VARIANTS, 1)) * 0.015
    return _superior(variants, (shocks[0] + sharpe) * 0.015, "at equal volatility")


def _superior(variants: np.ndarray, mix: np.ndarray, of: str) -> bool:
    days = pd.bdate_range("2015-01-01", periods=SESSIONS)
    swept = SweptReturns("made", days, variants, np.arange(VARIANTS), VARIANTS, mix, np.zeros(SESSIONS))
    (row,) = superior_tests(swept)[of]()
    return row.verdict is Verdict.FOR


def equal_variants(seed: int) -> bool:
    """Twenty variants with one true Sharpe ratio: the best of one half is no better than any other in the other."""
    random = np.random.default_rng(seed)
    variants = random.normal(0.0005, 0.012, SESSIONS) + random.standard_t(5, (20, SESSIONS)) * 0.004
    return overfitting(variants).probability <= 0.05


NULLS = (
    Null(
        "Sharpe against the static mix or a rival",
        "both have the true Sharpe ratio 0.8; correlated by 0.8, volatilities of 35% and 25%, waves of volatility",
        "interval",
        equal_sharpes,
    ),
    Null(
        "the same over 170 sessions, as after the idea",
        "as above",
        "interval",
        lambda seed: equal_sharpes(seed, SINCE),
    ),
    Null(
        "deflated Sharpe ratio of the best of 200",
        "200 unrelated trials that earn the static mix and noise",
        "conservative",
        best_of_unrelated,
    ),
    Null(
        "deflated Sharpe ratio of the best of 200 alike",
        "200 trials that earn the static mix and noise which is correlated by 0.7",
        "conservative",
        best_of_alike,
    ),
    Null(
        "circular shift",
        "weights of three baskets that know nothing of independent returns; stays of 60 sessions on average",
        "exact",
        blind_weights,
    ),
    Null(
        "alpha",
        "two markets in fixed weights and noise of its own, waves of volatility",
        "interval",
        only_its_markets,
    ),
    Null(
        "superior ability, as they are",
        "50 variants that earn the static mix and noise",
        "conservative",
        no_better_variant,
    ),
    Null(
        "superior ability, at equal volatility",
        "50 variants of half to one and a half times its volatility with its Sharpe ratio; correlated by 0.9, waves of "
        "volatility",
        "conservative",
        no_better_variant_at_equal_volatility,
    ),
    Null(
        "overfitting by halves, 5% or less",
        "20 variants with one Sharpe ratio",
        "conservative",
        equal_variants,
    ),
    Null(
        "bound of every day, the lead of an account",
        "a lead of nothing over ten years, waves of volatility; looked at on every session",
        "conservative",
        looked_at_daily_mean,
    ),
    Null(
        "bound of every day, the slope of a registration",
        "a predictor with a half-life of 69 sessions, an outcome that is wilder where it is high; looked at as above",
        "conservative",
        looked_at_daily_slope,
    ),
)


def bounds(seeds: int, share: float = 0.05, outside: float = 0.01) -> tuple[float, float]:
    """Between which shares the findings of an exact test lie in 99% of all cases.

    Args:
        seeds: worlds.
        share: that it finds on average.
        outside: of the cases, half of it on either side.
    """
    chances = [math.comb(seeds, hit) * share**hit * (1 - share) ** (seeds - hit) for hit in range(seeds + 1)]
    low = next(hit for hit in range(seeds + 1) if math.fsum(chances[: hit + 1]) >= outside / 2)
    high = next(hit for hit in range(seeds + 1) if math.fsum(chances[: hit + 1]) >= 1 - outside / 2)
    return low / seeds, high / seeds


def allowed(kind: str, seeds: int) -> tuple[float, float]:
    """Lowest and highest share that a kind of test may find where there is nothing."""
    low, high = bounds(seeds)
    return {"exact": (low, high), "conservative": (0.0, high), "interval": (0.0, 0.075)}[kind]
