"""A sweep: variants of a spec through the vector engine, each stage of a run worked out once for all that share it."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pydantic import BaseModel, ValidationError

from backtests.engines.batch import COUNTS, MEASURES, Outcomes, Parts, Variants, Workspace
from backtests.engines.compiled import compiled_kernel, require_numba
from backtests.engines.vector_engine import empty_bench, empty_journal, empty_track
from backtests.prepare.prepared import prepare
from backtests.prepare.traded_units import require_traded_units
from backtests.run import until_default_end
from backtests.spec.cash import CashConfig, interest_rates
from backtests.spec.costs import Costs
from backtests.spec.spec import RunSection, Spec, load_spec, spec_values
from backtests.spec.versions import put
from backtests.studies.sweeps.grid import AnySpec, Grid, base_spec
from backtests.studies.sweeps.signal import Recall, SweepSignals
from backtests.studies.sweeps.stages import CALENDARS, Below, stacked
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


class _Group(NamedTuple):
    """Variants of one market share it; no other market has its number."""

    number: int
    below: Below
    signals: SweepSignals


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
        self._models, self._groups, self._tables, self._terms, self._rates = (
            Recall(count) for count in (20_000, 8, 256, 4096, 256)
        )
        self._groups.get((), lambda: _Group(0, Below(self.base), SweepSignals(self.base)))

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
        grid, places = self.asked.grid, self.asked.grid.places(begin, end)
        measures = np.full((end - begin, len(MEASURES)), np.nan)
        counts = np.zeros((end - begin, len(COUNTS)), dtype=np.int64)
        returns: list[list[float] | None] = [None] * (end - begin)
        valid = np.zeros(end - begin, dtype=bool)
        for rows, group in self._by_group(places):
            for part in self._batches(rows, places):
                self._run_batch(part, places[part], group, measures, counts, returns if keep_returns else None, valid)
        columns: dict[str, Any] = {"variant": np.arange(begin, end)}
        for axis, column in zip(grid.axes, places.T, strict=True):
            columns[axis.key] = [plain(axis.values[place]) for place in column.tolist()]
        columns["is_valid"] = valid
        columns |= dict(zip(MEASURES, measures.T, strict=True)) | dict(zip(COUNTS, counts.T, strict=True))
        if keep_returns:
            columns["returns"] = returns
        return pd.DataFrame(columns)

    def _by_group(self, places: np.ndarray) -> list[tuple[np.ndarray, _Group | None]]:
        """Rows of each market; None where there is no such market."""
        columns = [place for place, key in enumerate(self.asked.grid.keys) if _is_of_market(key)]
        found, inverse = _distinct(places, columns)
        return [(np.flatnonzero(inverse == at), self._group(columns, row)) for at, row in enumerate(found)]

    def _group(self, columns: Sequence[int], row: np.ndarray) -> _Group | None:
        settings = self._settings(columns, row)

        def make() -> _Group | None:
            ends = {} if "run.end" in self.asked.grid.keys else {"run.end": self._last_day()}
            try:
                spec = load_spec(self.asked.spec, {**self.asked.set, **ends, **settings})
                # All end on one day, and none looks at the signal of the preparation: that of the spec itself will do.
                prepared = prepare(spec, self.asked.snapshot, signal=self.base.signal if ends else None)
                require_opens(prepared.market)
            except InputError:
                return None
            return _Group(self._groups.made + 1, Below(prepared), SweepSignals(prepared))

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
        group: _Group | None,
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
        variants, parts, first = self._assembled(group, picked)
        market = group.below.market._replace(first=first)
        outcomes = Outcomes(
            np.zeros((len(kept), len(MEASURES))),
            np.zeros((len(kept), len(COUNTS)), dtype=np.int64),
            np.zeros((len(kept) if returns is not None else 0, len(market.bill))),
        )
        width = parts.score.shape[1]
        blocks = np.linspace(0, len(kept), self._jobs + 1).astype(int)
        spaces = [_workspace(width, *market.sessions.close.shape) for _ in range(self._jobs)]
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

    def _fits(self, section: str, model: Any, group: _Group) -> bool:
        """Whether a section that is right by itself can be run on the market."""
        if section != "costs":
            return True
        prepared = group.below.prepared
        try:
            require_traded_units(model, prepared.snapshot, prepared.market.symbols, prepared.spec.run.prices)
        except InputError:
            return False
        return True

    def _assembled(
        self, group: _Group, picked: Mapping[str, tuple[list[Any], np.ndarray]]
    ) -> tuple[Variants, Parts, int]:
        """Numbers of the variants, and what they take by number."""
        below, prepared = group.below, group.below.prepared
        signals, signal_at = picked["signal"]
        used = np.unique(signal_at)
        paths = {at: group.signals.path(signals[at]) for at in used.tolist()}
        scores = _numbered([each for each in paths.values() if len(each.score)])
        given = _numbered([each for each in paths.values() if len(each.path)])
        width = max(max(len(each.score), len(each.path)) for each in paths.values())
        score, begin = stacked([each.score for each in scores.values()], width, float)
        live, _ = stacked([each.live for each in scores.values()], width, np.int64)
        path, _ = stacked([each.path for each in given.values()], width, np.int64)
        score_number = {id(each): number for number, each in enumerate(scores.values())}
        path_number = {id(each): number for number, each in enumerate(given.values())}

        policies, policy_at = picked["policy"]
        tables = {at: self._table(group, policies[at]) for at in np.unique(policy_at).tolist()}
        starts = np.cumsum([0, *(len(each.weights) for each in tables.values())])[:-1]
        table_start = dict(zip(tables, starts.tolist(), strict=True))

        costs, cost_at = picked["costs"]
        cost_used = np.unique(cost_at)
        terms = np.stack([self._terms_of(group, costs[at]) for at in cost_used.tolist()])
        cash, cash_at = picked["cash"]
        cash_used = np.unique(cash_at)
        rates = np.stack([interest_rates(cash[at], prepared.bill_yield) for at in cash_used.tolist()])
        rates[:, 0] = 0.0

        def by(section: str, name: str, kind: type = float) -> np.ndarray:
            found, at = picked[section]
            values = np.array([kind(0) if each is None else kind(getattr(each, name)) for each in found])
            chosen: np.ndarray = values[at]
            return chosen

        rules, rule_at = picked["order_rules"]
        plain_rules = np.array([each.rules if each is not None else (0.0,) * 4 for each in rules])[rule_at]
        numbers = np.arange(len(signals))
        variants = Variants(
            score=np.array([score_number.get(id(paths.get(at)), 0) for at in numbers])[signal_at],
            path=np.array([path_number.get(id(paths.get(at)), -1) for at in numbers])[signal_at],
            enter=by("signal", "enter"),
            leave=by("signal", "leave"),
            dwell=by("signal", "dwell_sessions", int),
            table=np.array([table_start.get(at, 0) for at in range(len(policies))])[policy_at],
            kind=np.array([tables[at].kind if at in tables else 0 for at in range(len(policies))])[policy_at],
            calendar=np.array([CALENDARS.index(each.rebalance) if each else 0 for each in policies])[policy_at],
            band=plain_rules[:, 0].copy(),
            edge=plain_rules[:, 1].copy(),
            adjustment=plain_rules[:, 2].copy(),
            minimum_order=plain_rules[:, 3].copy(),
            haircut=by("order_rules", "stale_haircut"),
            terms=np.searchsorted(cost_used, cost_at),
            settlement=by("costs", "settlement_sessions", int),
            interest=np.searchsorted(cash_used, cash_at),
            cash=by("run", "initial_cash"),
        )
        weights = np.concatenate([each.weights for each in tables.values()])
        parts = Parts(score, live, begin, path, weights, below.line, below.stride, terms, rates)
        return variants, parts, width - len(below.market.begins[0])

    def _table(self, group: _Group, config: PolicyConfig) -> Any:
        return self._tables.get((group.number, config), lambda: group.below.table(config))

    def _terms_of(self, group: _Group, costs: Costs) -> Any:
        return self._terms.get((group.number, costs), lambda: group.below.terms(costs))


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


def _numbered(parts: Sequence[Any]) -> dict[int, Any]:
    """Each object once, by its identity."""
    return {id(each): each for each in parts}


def _workspace(width: int, count: int, instruments: int) -> Workspace:
    return Workspace(
        regime=np.zeros(width, dtype=np.int64),
        row=np.zeros(count, dtype=np.int64),
        rebalance=np.zeros(count, dtype=bool),
        returns=np.zeros(count - 1),
        bench=empty_bench(count, instruments),
        track=empty_track(count),
        journal=empty_journal(1, instruments),
    )
