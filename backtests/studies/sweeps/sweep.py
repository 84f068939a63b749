"""A sweep: variants of a spec through the vector engine, each stage of a run worked out once for all that share it."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ValidationError

from backtests.engines.batch import COUNTS, MEASURES, Outcomes
from backtests.engines.compiled import compiled_kernel, require_numba
from backtests.prepare.prepared import prepare
from backtests.prepare.traded_units import require_traded_units
from backtests.run import until_default_end
from backtests.spec.cash import CashConfig
from backtests.spec.costs import Costs
from backtests.spec.spec import RunSection, Spec, load_spec, spec_values
from backtests.spec.versions import put
from backtests.studies.sweeps.grid import AnySpec, Grid, base_spec
from backtests.studies.sweeps.layout import Group, Layout, workspace
from backtests.studies.sweeps.signal import Recall, SweepSignals
from backtests.studies.sweeps.stages import Below
from data.errors import InputError
from data.market.snapshot import Snapshot
from data.prices.panel import require_opens
from signals.config import SignalConfig
from strategies.order_rules import OrderRulesConfig
from strategies.policy import PolicyConfig

SECTIONS: Mapping[str, type[BaseModel]] = {
    "run": RunSection,
    "signal": SignalConfig,
    "policy": PolicyConfig,
    "order_rules": OrderRulesConfig,
    "costs": Costs,
    "cash": CashConfig,
}
# Bytes of scores and tables of plans that one batch may hold.
BUDGET = 100_000_000
_THRESHOLDS = ("signal.enter", "signal.leave", "signal.dwell_sessions")


@dataclass(frozen=True)
class SweepAsked:
    """What a sweep is of.

    Attributes:
        spec: that varies, as it was given.
        set: values that all variants have.
        grid: the variants.
        snapshot: the market.
    """

    spec: AnySpec
    set: Mapping[str, Any]
    grid: Grid
    snapshot: Snapshot


class Sweep:
    """Runs variants by their number. All of them end where the spec itself does, unless `run.end` varies.

    Attributes:
        asked: what it is of.
        base: the spec itself, prepared.
        values: of the spec by section, as they were given.
    """

    def __init__(self, asked: SweepAsked, jobs: int = 1) -> None:
        require_numba()
        self.asked, self._jobs = asked, jobs
        self._spec = base_spec(asked.spec, asked.set)
        prepared = prepare(self._spec, asked.snapshot)
        self.base = until_default_end(prepared) if self._spec.run.end is None else prepared
        require_opens(self.base.market)
        self.values = spec_values(asked.spec, asked.set)
        self._models, self._groups = Recall(20_000), Recall(8)
        self._layout = Layout()
        self._groups.get((), lambda: Group(0, Below(self.base), SweepSignals(self.base)))

    @property
    def spec(self) -> Spec:
        """The spec that varies, complete."""
        return self._spec

    def run(self, begin: int, end: int, keep_returns: bool = False) -> pd.DataFrame:
        """Run the variants from one number up to another.

        Returns:
            A row a variant: ``variant``, a column for each key that varies, ``is_valid``, `MEASURES`, `COUNTS`, and
            ``returns`` (daily, a list) where they are kept. A combination that is no spec has no measures.
        """
        return self.run_numbers(np.arange(begin, end), keep_returns)

    def run_numbers(self, numbers: np.ndarray, keep_returns: bool = False) -> pd.DataFrame:
        """Run variants by number; a row each, as `run` gives it."""
        grid, places, size = self.asked.grid, self.asked.grid.places_of(numbers), len(numbers)
        measures = np.full((size, len(MEASURES)), np.nan)
        counts = np.zeros((size, len(COUNTS)), dtype=np.int64)
        returns: list[list[float] | None] = [None] * size
        valid = np.zeros(size, dtype=bool)
        for rows, group in self._by_group(places):
            for part in self._batches(rows, places):
                self._run_batch(part, places[part], group, measures, counts, returns if keep_returns else None, valid)
        columns: dict[str, Any] = {"variant": numbers}
        for axis, column in zip(grid.axes, places.T, strict=True):
            columns[axis.key] = [plain(axis.values[place]) for place in column.tolist()]
        columns["is_valid"] = valid
        columns |= dict(zip(MEASURES, measures.T, strict=True)) | dict(zip(COUNTS, counts.T, strict=True))
        if keep_returns:
            columns["returns"] = returns
        return pd.DataFrame(columns)

    def _by_group(self, places: np.ndarray) -> list[tuple[np.ndarray, Group | None]]:
        """Rows of each market; None where there is no such market."""
        columns = [place for place, key in enumerate(self.asked.grid.keys) if _is_of_market(key)]
        found, inverse = _distinct(places, columns)
        return [(np.flatnonzero(inverse == at), self._group(columns, row)) for at, row in enumerate(found)]

    def _group(self, columns: Sequence[int], row: np.ndarray) -> Group | None:
        settings = self._settings(columns, row)

        def make() -> Group | None:
            ends = {} if "run.end" in self.asked.grid.keys else {"run.end": self._last_day()}
            try:
                spec = load_spec(self.asked.spec, {**self.asked.set, **ends, **settings})
                # All end on one day, and none looks at the signal of the preparation: that of the spec itself will do.
                prepared = prepare(spec, self.asked.snapshot, signal=self.base.signal if ends else None)
                require_opens(prepared.market)
            except InputError:
                return None
            return Group(self._groups.made + 1, Below(prepared), SweepSignals(prepared))

        return self._groups.get(tuple(row.tolist()) if settings else (), make)  # type: ignore[no-any-return]

    def settings(self, variant: int) -> dict[str, Any]:
        """What makes a run of a variant of its own the same: its keys, and the day on which all variants end."""
        ends = {} if {"run.end"} & {*self.asked.grid.keys, *self.asked.set} else {"run.end": self._last_day()}
        return {**self.asked.set, **ends, **self.asked.grid.settings(variant)}

    def _last_day(self) -> Any:
        return self.base.panel.sessions[-1].date()

    def _batches(self, rows: np.ndarray, places: np.ndarray) -> list[np.ndarray]:
        """Rows that together need no more than the budget."""
        keys = self.asked.grid.keys
        signal = [at for at, key in enumerate(keys) if key.startswith("signal.") and key not in _THRESHOLDS]
        policy = [at for at, key in enumerate(keys) if key.startswith("policy.")]
        score_bytes = 16 * len(self.base.signal.score)
        table_bytes = 24 * self.base.panel.open.size
        scores, tables = (len(_distinct(places[rows], columns)[0]) for columns in (signal, policy))
        if len(rows) > 1 and scores * score_bytes + tables * table_bytes > BUDGET:
            middle = len(rows) // 2
            return [*self._batches(rows[:middle], places), *self._batches(rows[middle:], places)]
        return [rows]

    def _settings(self, columns: Sequence[int], row: np.ndarray) -> dict[str, Any]:
        axes = self.asked.grid.axes
        return {axes[at].key: axes[at].values[place] for at, place in zip(columns, row.tolist(), strict=True)}

    def _models_of(self, section: str, places: np.ndarray) -> tuple[list[Any], np.ndarray]:
        """The distinct configurations of a section, None where one is wrong, and which of them each row has."""
        columns = [at for at, key in enumerate(self.asked.grid.keys) if key.startswith(f"{section}.")]
        found, inverse = _distinct(places, columns)
        return [self._model(section, columns, row) for row in found], inverse

    def _model(self, section: str, columns: Sequence[int], row: np.ndarray) -> Any:
        if not columns:
            return getattr(self._spec, section)

        def make() -> Any:
            values = json_copy(self.values.get(section, {}))
            for key, value in self._settings(columns, row).items():
                put(values, key.partition(".")[2], value)
            try:
                return SECTIONS[section].model_validate(values)
            except ValidationError:
                return None

        return self._models.get((section, *row.tolist()), make)

    def _run_batch(
        self,
        rows: np.ndarray,
        places: np.ndarray,
        group: Group | None,
        measures: np.ndarray,
        counts: np.ndarray,
        returns: list[list[float] | None] | None,
        valid: np.ndarray,
    ) -> None:
        """Play the variants of one market, and write what becomes of them into their rows."""
        if group is None:
            return
        models = {section: self._models_of(section, places) for section in SECTIONS}
        usable = np.ones(len(rows), dtype=bool)
        for section, (found, inverse) in models.items():
            fit = [each is not None and self._fits(section, each, group) for each in found]
            usable &= np.array(fit)[inverse]
        if not usable.any():
            return
        kept = rows[usable]
        picked = {section: (found, inverse[usable]) for section, (found, inverse) in models.items()}
        variants, parts, first = self._layout.of(group, picked)
        market = group.below.market._replace(first=first)
        outcomes = Outcomes(
            np.zeros((len(kept), len(MEASURES))),
            np.zeros((len(kept), len(COUNTS)), dtype=np.int64),
            np.zeros((len(kept) if returns is not None else 0, len(market.bill))),
        )
        width = parts.score.shape[1]
        blocks = np.linspace(0, len(kept), self._jobs + 1).astype(int)
        spaces = [workspace(width, *market.sessions.close.shape) for _ in range(self._jobs)]
        play = compiled_kernel().play_variants

        def work(job: int) -> None:
            play(int(blocks[job]), int(blocks[job + 1]), variants, parts, market, spaces[job], outcomes)

        if self._jobs == 1:
            work(0)
        else:
            with ThreadPoolExecutor(self._jobs) as pool:
                list(pool.map(work, range(self._jobs)))
        measures[kept], counts[kept], valid[kept] = outcomes.measures, outcomes.counts, True
        if returns is not None:
            for row, daily in zip(kept.tolist(), outcomes.returns.tolist(), strict=True):
                returns[row] = daily

    def _fits(self, section: str, model: Any, group: Group) -> bool:
        """Whether a section that is right by itself can be run on the market."""
        if section != "costs":
            return True
        prepared = group.below.prepared
        try:
            require_traded_units(model, prepared.snapshot, prepared.market.symbols, prepared.spec.run.prices)
        except InputError:
            return False
        return True


def plain(value: Any) -> Any:
    """A value as a table keeps it: what is no number or text is written out as JSON."""
    return value if isinstance(value, str | int | float | bool) else json.dumps(value, default=str)


def json_copy(values: Mapping[str, Any]) -> dict[str, Any]:
    """A copy whose sections can be changed."""
    return {key: json_copy(value) if isinstance(value, Mapping) else value for key, value in values.items()}


def _is_of_market(key: str) -> bool:
    return (key.startswith(("run.", "universe.")) and key != "run.initial_cash") or key == "order_rules.stale_sessions"


def _distinct(places: np.ndarray, columns: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Distinct rows of some columns, and which of them each row is."""
    if not columns:
        return np.zeros((1, 0), dtype=np.int64), np.zeros(len(places), dtype=np.int64)
    found, inverse = np.unique(places[:, list(columns)], axis=0, return_inverse=True)
    return found, inverse.ravel()
