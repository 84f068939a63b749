"""Draws of names, played with the regimes as they came and moved round the run, on the compiled loop."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from typing import Any

import numpy as np
import pandas as pd

from backtests.engines.batch import COUNTS, MEASURES, Market, Outcomes, Parts, Variants, Workspace
from backtests.engines.compiled import compiled_kernel, require_numba
from backtests.engines.kernel import Valuation
from backtests.engines.vector_engine import as_arrays
from backtests.execution.records import Sessions
from backtests.prepare.plans import asset_classes
from backtests.spec.spec import Spec
from backtests.studies.lottery.world import World
from backtests.studies.sweeps.layout import workspace
from signals.regime import Regime
from strategies.policy import limit_weights, target_weights
from strategies.rebalancing import period_begins

REGIMES = (Regime.ABUNDANT, Regime.NEUTRAL, Regime.SCARCE)
# Sessions between two places to which the regimes are moved, at least.
STEP = 10
KEPT = ("cagr", "sharpe")
# Threads that play.
JOBS = 2
_PLACES = [MEASURES.index(name) for name in KEPT]


def shifts_of(sessions: int, most: int) -> np.ndarray:
    """By how many sessions the regimes are moved: equal steps round the whole run, the first by none.

    All steps together are a group, so that where timing is luck each of them is as likely to be the best.
    """
    count = min(most + 1, sessions // STEP)
    return np.round(np.arange(count) * sessions / count).astype(np.int64)


def draw_columns(world: World, draws: int, seed: int) -> np.ndarray:
    """Draw names for every place of a basket; within a draw none stands twice.

    Args:
        world: places and pools.
        draws: from 1.
        seed: the same one draws the same names.

    Returns:
        (draws, m) columns of the world by those of the spec's universe; what has no place is as in the spec.
    """
    random = np.random.default_rng(seed)
    drawn = np.tile(world.own, (draws, 1))
    for row in drawn:
        used: set[int] = set()
        for slot, pool in zip(world.slots, world.pools, strict=True):
            left = [column for column in pool.tolist() if column not in used]
            row[slot.column] = left[int(random.integers(len(left)))]
            used.add(int(row[slot.column]))
    return drawn


@dataclass(frozen=True)
class Played:
    """What becomes of draws.

    Attributes:
        cagr: (1 + draws, shifts): in the first row the names of the spec, in the first column the regimes as they came.
        sharpe: likewise.
    """

    cagr: np.ndarray
    sharpe: np.ndarray


class Table:
    """Plays draws of one world; what they share is worked out once.

    Attributes:
        world: of the draws.
        spec: that is played.
        shifts: by how many sessions the regimes are moved, the first by none.
    """

    def __init__(self, world: World, shifts: np.ndarray) -> None:
        require_numba()
        self._play = compiled_kernel().play_variants
        self.shifts = shifts
        self.world, self.spec = world, world.prepared.spec
        self._sessions = as_arrays(world.rules.sessions)
        self._begins = _begins(world, self.spec)
        self._paths = _moved(world, shifts)
        classes = asset_classes(world.prepared.snapshot, world.prepared.panel)
        self._classes = {symbol: classes[symbol] for symbol in self.spec.universe.symbols}
        self._rows: dict[bytes, np.ndarray] = {}
        self._bill = world.prepared.risk_free.loc[world.panel.sessions[1:]].to_numpy(dtype=float, copy=True)
        self._reserve = np.isin(self.spec.universe.symbols, self.spec.universe.reserve)
        interest = world.rules.interest.copy()
        interest[0] = 0.0
        self._interest = interest[np.newaxis]

    def space(self) -> Workspace:
        """Room to play in, one for each thread."""
        count = len(self.world.panel.sessions)
        return workspace(count, count, len(self.world.own))

    def play(self, columns: np.ndarray, haircut: float, space: Workspace) -> np.ndarray:
        """Play one draw.

        Args:
            columns: (m,) of the world, by those of the spec's universe.
            haircut: what is lost on the last close of a name whose end has no known price.
            space: to play in.

        Returns:
            (measures of `KEPT`, shifts).
        """
        tradable = self.tradable(columns)
        weights, line, stride = self._weights(columns, tradable)
        count = len(self._paths)
        market = Market(
            sessions=self._sessions_of(columns),
            valuation=Valuation(np.ascontiguousarray(self._sessions.close[:, columns].T), self._reserve),
            tradable=tradable,
            turns=np.append(False, (tradable[1:] != tradable[:-1]).any(axis=1)),
            begins=self._begins,
            bill=self._bill,
            first=0,
        )
        terms = np.vstack(self.world.rules.terms)[:, columns][np.newaxis]
        none = np.zeros((1, len(line[0])))
        parts = Parts(none, none.astype(np.int64), np.zeros(1, np.int64), self._paths, weights, line, stride, terms,
                      self._interest)  # fmt: skip
        outcomes = Outcomes(
            np.zeros((count, len(MEASURES))), np.zeros((count, len(COUNTS)), dtype=np.int64), np.zeros((0, 0))
        )
        self._play(0, count, self._variants(count, haircut), parts, market, space, outcomes)
        return np.ascontiguousarray(outcomes.measures[:, _PLACES].T)

    def tradable(self, columns: np.ndarray) -> np.ndarray:
        """(n, m) whether each column may be held: nothing that was drawn is, before it was chosen."""
        free = np.ascontiguousarray(self.world.tradable[:, columns])
        for slot in self.world.slots:
            free[: slot.row, slot.column] = False
        return free

    def _sessions_of(self, columns: np.ndarray) -> Sessions:
        whole = self._sessions
        taken: dict[str, Any] = {
            name: np.ascontiguousarray(value[:, columns])
            for name, value in whole._asdict().items()
            if isinstance(value, np.ndarray) and value.ndim == 2
        }
        # What has no bars is closed out at once and not bought again: only the session at which that begins changes
        # units, and not each of the years after the end of a name.
        none = np.zeros((1, len(columns)), dtype=bool)
        stale = np.vstack([none, taken["stale"][:-1] & ~np.vstack([none, taken["stale"][:-2]])])
        return whole._replace(
            **taken,
            coins=whole.coins[columns],
            changes_units=np.any(stale | taken["ended"] | (taken["split"] != 1.0), axis=1),
        )

    def _weights(self, columns: np.ndarray, tradable: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Target weights, regime by regime, which row of a regime's holds at each session, and rows of a regime."""
        config, count = self.spec.policy, len(tradable)
        if config.weighting == "inverse_volatility" or config.volatility_target is not None:
            prices = self.world.prices.iloc[:, columns].set_axis(list(self.spec.universe.symbols), axis=1)
            weights = self._made(tradable, self.world.panel.decides_for, prices)
            return weights, np.vstack([np.arange(count)] * 2), np.array([count, count])
        places = tradable @ (1 << np.arange(tradable.shape[1], dtype=np.int64))
        _, first, line = np.unique(places, return_index=True, return_inverse=True)
        patterns = tradable[first]
        parts = [self._of_pattern(pattern) for pattern in patterns]
        weights = np.concatenate([np.stack([part[regime] for part in parts]) for regime in range(len(REGIMES))])
        stride = len(patterns)
        return weights, np.vstack([line.ravel(), line.ravel()]).astype(np.int64), np.array([stride, stride])

    def _of_pattern(self, pattern: np.ndarray) -> np.ndarray:
        """(regimes, m) weights where so much may be held; the names do not matter to them."""
        key = pattern.tobytes()
        if key not in self._rows:
            self._rows[key] = self._made(pattern[np.newaxis], pd.RangeIndex(1), None)
        return self._rows[key]

    def _made(self, tradable: np.ndarray, days: pd.Index, prices: pd.DataFrame | None) -> np.ndarray:
        """What the policy makes of what may be held, regime by regime."""
        universe, config = self.spec.universe, self.spec.policy
        free = pd.DataFrame(tradable, days, list(universe.symbols))
        known = free if prices is None else prices
        rows = []
        for regime in REGIMES:
            made = target_weights(pd.Series(regime.value, days), free, known, universe, config)
            rows.append(limit_weights(made, free, known, universe, config, self._classes).to_numpy(dtype=float))
        return np.concatenate(rows)

    def _variants(self, count: int, haircut: float) -> Variants:
        rules, spec = self.spec.order_rules.rules, self.spec

        def same(value: float) -> np.ndarray:
            return np.full(count, float(value))

        def whole(value: int) -> np.ndarray:
            return np.full(count, value, dtype=np.int64)

        return Variants(
            score=whole(0),
            path=np.arange(count, dtype=np.int64),
            enter=same(0.0),
            leave=same(0.0),
            dwell=whole(0),
            table=whole(0),
            kind=whole(0),
            calendar=whole(0),
            band=same(rules.band),
            edge=same(rules.edge),
            adjustment=same(rules.adjustment),
            minimum_order=same(rules.minimum_order),
            haircut=same(haircut),
            terms=whole(0),
            settlement=whole(spec.costs.settlement_sessions),
            interest=whole(0),
            cash=same(spec.run.initial_cash),
        )


def unpriced_ends(world: World) -> np.ndarray:
    """(M,) whether a column may end at no known price, so that a haircut is lost on it."""
    panel = world.panel
    ends = panel.ended.any(axis=0)
    unpriced: np.ndarray = (panel.ended & np.isnan(panel.payout)).any(axis=0) | (world.rules.stale.any(axis=0) & ~ends)
    return unpriced


def play_draws(
    table: Table,
    drawn: np.ndarray,
    haircut: float,
    report: Callable[[int], None] = lambda _done: None,
    before: Played | None = None,
) -> Played:
    """Play the spec's own names and then every draw, in threads.

    Args:
        table: of the world.
        drawn: (draws, m) as `draw_columns` gives them.
        haircut: see `Table.play`.
        report: is told how many draws are done.
        before: the same with another haircut: what it cannot have changed is taken from there.
    """
    rows = np.vstack([table.world.own, drawn])
    values = np.full((len(KEPT), len(rows), len(table.shifts)), np.nan)
    todo = np.arange(len(rows))
    if before is not None:
        values[:] = (before.cagr, before.sharpe)
        todo = np.flatnonzero(unpriced_ends(table.world)[rows].any(axis=1))
    stopped = Event()

    def work(job: int) -> None:
        space = table.space()
        for done, at in enumerate(todo[job::JOBS].tolist()):
            if stopped.is_set():
                return
            values[:, at] = table.play(rows[at], haircut, space)
            if job == 0 and done % 10 == 0:
                report(at)

    with ThreadPoolExecutor(JOBS) as pool:
        try:
            list(pool.map(work, range(JOBS)))
        finally:  # Whoever breaks off waits for one draw, and not for all.
            stopped.set()
    return Played(*values)


def _begins(world: World, spec: Spec) -> np.ndarray:
    return period_begins(world.panel.decides_for, spec.policy.rebalance).to_numpy()[np.newaxis].copy()


def _moved(world: World, shifts: np.ndarray) -> np.ndarray:
    """(shifts, n) numbers of the regimes by session decided for; the session to come, which is not played, stays."""
    numbers = {regime.value: number for number, regime in enumerate(REGIMES)}
    regime = world.prepared.signal.regime.reindex(world.panel.decides_for).map(numbers).to_numpy(dtype=np.int64)
    return np.stack([np.append(np.roll(regime[:-1], shift), regime[-1:]) for shift in shifts])
