"""What a sweep says: its best variant, what lies around it, and how much of it luck alone would find."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.engines.batch import MEASURES
from backtests.engines.ledger import run_ledger
from backtests.evidence.deflated_sharpe import expected_best
from backtests.execution.result import LedgerResult
from backtests.measures.performance import SESSIONS_PER_YEAR
from backtests.measures.run_measures import PortfolioMeasures, portfolio_measures
from backtests.prepare.plans import run_baseline_plans
from backtests.prepare.prepared import Prepared
from backtests.studies.sweeps.grid import Axis, Grid
from data.errors import InputError

STATIC_MIX = "static_mix"
# The smaller the better.
_SMALLER = {"volatility", "turnover", "costs", "costs_usd"}
# Of a random choice, the variants nearest to the best that count as its surroundings, by key.
_NEAREST = 2


@dataclass(frozen=True)
class Plateau:
    """Variants one step in one key away from a variant.

    Attributes:
        variant: in their middle.
        count: of them, with a measure.
        worst: measure of the worst of them; None where there is none.
        median: of their measures.
    """

    variant: int
    count: int
    worst: float | None
    median: float | None


@dataclass(frozen=True)
class SweepReport:
    """What a sweep says.

    Attributes:
        by: the measure that variants are ranked by.
        variants: how many were asked for.
        valid: how many of them could be run and have the measure.
        best: numbers of the best variants, the best first.
        around: the surroundings of the best.
        steadiest: the variant whose surroundings, itself among them, have the best median; None for a random choice.
        static_mix: measures of the static mix of the spec itself.
        share_above_static_mix: of the variants, a fraction.
        are_days_theirs: whether variants begin or end on days of their own, so that measures are of different sessions.
        spread: sample standard deviation of the Sharpe ratios of the variants.
        by_luck: Sharpe ratio that the best of as many independent strategies without any skill would reach over as many
            sessions, whose Sharpe ratios spread by their standard error alone; None for fewer than two.
        by_spread: the same with the spread of the variants in its place, as Bailey and López de Prado have it (2014,
            "The deflated Sharpe ratio", Journal of Portfolio Management 40); less, where they resemble each other.
    """

    by: str
    variants: int
    valid: int
    best: tuple[int, ...]
    around: Plateau
    steadiest: Plateau | None
    static_mix: PortfolioMeasures
    share_above_static_mix: float
    are_days_theirs: bool
    spread: float | None
    by_luck: float | None
    by_spread: float | None


def report_sweep(grid: Grid, table: pd.DataFrame, prepared: Prepared, by: str = "sharpe", top: int = 10) -> SweepReport:
    """Rank the variants of a sweep and look around the best.

    Args:
        grid: of the sweep.
        table: of its variants: the measure and ``sharpe``, in their order.
        prepared: the spec itself.
        by: one of `MEASURES`.
        top: how many of the best to name.

    Raises:
        InputError: no such measure, or no variant has it.
    """
    if by not in MEASURES:
        raise InputError(f"got {by!r} to rank by, wanted one of {', '.join(MEASURES)}")
    values = table[by].to_numpy(dtype=float)
    merit = -values if by in _SMALLER else values
    if not np.isfinite(merit).any():
        raise InputError(
            f"no variant of {len(table):,} has a {by}: none could be run, or none has traded; mend the grid"
        )
    order = np.argsort(np.where(np.isnan(merit), np.inf, -merit), kind="stable")
    mix = static_mix(prepared)
    own = getattr(mix, by)
    bar = math.nan if own is None else -own if by in _SMALLER else own
    found = np.isfinite(merit)
    sharpes = table["sharpe"].to_numpy(dtype=float)
    sharpes = sharpes[np.isfinite(sharpes)]
    spread = float(np.std(sharpes, ddof=1)) if len(sharpes) > 1 else None
    return SweepReport(
        by=by,
        variants=grid.size,
        valid=int(found.sum()),
        best=tuple(order[: min(top, int(found.sum()))].tolist()),
        around=_plateau(grid, values, int(order[0]), by),
        steadiest=_steadiest(grid, values, by),
        static_mix=mix,
        share_above_static_mix=float((merit[found] > bar).mean()),
        are_days_theirs=not {"run.start", "run.end"}.isdisjoint(grid.keys),
        spread=spread,
        by_luck=None if spread is None else expected_best(len(sharpes), _standard_error(prepared)),
        by_spread=None if spread is None else expected_best(len(sharpes), spread),
    )


def _standard_error(prepared: Prepared) -> float:
    """Of a Sharpe ratio a year that is truly 0."""
    return math.sqrt(SESSIONS_PER_YEAR / (len(prepared.panel.sessions) - 1))


def static_mix(prepared: Prepared) -> PortfolioMeasures:
    """Measures of the baseline that never rotates."""
    spec, (ledger, returns) = prepared.spec, static_mix_returns(prepared)
    flows = pd.concat([ledger.traded, ledger.costs], axis=1)
    risk_free, reserve = prepared.risk_free.loc[returns.index], spec.universe.reserve
    return portfolio_measures(ledger.equity, ledger.holdings, flows, returns, risk_free, reserve)


def static_mix_returns(prepared: Prepared) -> tuple[LedgerResult, pd.Series]:
    """The baseline that never rotates: its book, and its daily returns by session."""
    spec = prepared.spec
    plan = run_baseline_plans(spec, prepared.snapshot, prepared.market, prepared.signal)[STATIC_MIX]
    ledger = run_ledger(prepared.market_rules, plan, spec.order_rules, spec.run.initial_cash)
    before = ledger.equity.shift(fill_value=spec.run.initial_cash)
    return ledger, (ledger.equity / before - 1.0).where(before > 0, 0.0)


def _plateau(grid: Grid, values: np.ndarray, variant: int, by: str) -> Plateau:
    near = _neighbours(grid, variant)
    measured = values[near]
    measured = measured[np.isfinite(measured)]
    if not len(measured):
        return Plateau(variant, 0, None, None)
    worst = measured.max() if by in _SMALLER else measured.min()
    return Plateau(variant, len(measured), float(worst), float(np.median(measured)))


def _neighbours(grid: Grid, variant: int) -> np.ndarray:
    """Numbers of the variants one step in one key away; of a random choice the nearest ones by the ranks of values."""
    (place,) = grid.places(variant, variant + 1)
    if grid.chosen is not None:
        sizes = np.array([max(len(axis.values) - 1, 1) for axis in grid.axes])
        distance = np.abs((grid.chosen - place) / sizes).sum(axis=1)
        distance[variant] = np.inf
        return np.argsort(distance, kind="stable")[: min(_NEAREST * len(grid.axes), grid.size - 1)]
    strides = np.append(np.cumprod([len(axis.values) for axis in grid.axes[:0:-1]])[::-1], 1).astype(int)
    steps = [
        variant + (other - at) * stride
        for axis, at, stride in zip(grid.axes, place.tolist(), strides.tolist(), strict=True)
        for other in _steps(axis, at)
    ]
    return np.array(steps, dtype=np.int64)


def _steps(axis: Axis, at: int) -> Sequence[int]:
    """Places one step away: next to it where values have an order, else all others."""
    if is_ordered(axis):
        return [other for other in (at - 1, at + 1) if 0 <= other < len(axis.values)]
    return [other for other in range(len(axis.values)) if other != at]


def is_ordered(axis: Axis) -> bool:
    """Whether the values of a key are numbers."""
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in axis.values)


def _steadiest(grid: Grid, values: np.ndarray, by: str) -> Plateau | None:
    """The variant whose surroundings have the best median."""
    if grid.chosen is not None:
        return None
    cube = values.reshape([len(axis.values) for axis in grid.axes])
    layers = [cube]
    for at, axis in enumerate(grid.axes):
        if is_ordered(axis):
            layers += [_moved(cube, at, step) for step in (-1, 1)]
        else:
            layers += [np.roll(cube, step, axis=at) for step in range(1, len(axis.values))]
    stack = np.stack([layer.ravel() for layer in layers])
    # One that could not be run is in no middle.
    known = np.isfinite(values)
    if not known.any():
        return None
    medians = np.full(grid.size, -np.inf)
    medians[known] = np.nanmedian(stack[:, known], axis=0) * (-1 if by in _SMALLER else 1)
    return _plateau(grid, values, int(np.argmax(medians)), by)


def _moved(cube: np.ndarray, axis: int, step: int) -> np.ndarray:
    """The cube one step further along an axis; NaN where it ends."""
    moved = np.full_like(cube, np.nan)
    there, here = [slice(None)] * cube.ndim, [slice(None)] * cube.ndim
    there[axis], here[axis] = (slice(1, None), slice(None, -1)) if step > 0 else (slice(None, -1), slice(1, None))
    moved[tuple(there)] = cube[tuple(here)]
    return moved
