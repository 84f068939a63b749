"""How variants are laid out for compiled code: what they share stands once, and each takes it by its number."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from backtests.engines.batch import Parts, Variants, Workspace
from backtests.engines.vector_engine import empty_bench, empty_journal, empty_track
from backtests.spec.cash import interest_rates
from backtests.studies.sweeps.signal import Recall, SignalPath, SweepSignals
from backtests.studies.sweeps.stages import CALENDARS, Below, PlanTable, stacked
from signals.config import SignalConfig

Picked = Mapping[str, tuple[list[Any], np.ndarray]]
"""By section of a spec, the distinct configurations (None for one that is wrong), and which one each variant has."""


class Group(NamedTuple):
    """Variants of one market share it; no other market has its number."""

    number: int
    below: Below
    signals: SweepSignals


class _Scores(NamedTuple):
    """What the regimes of a batch are made from.

    Attributes:
        score: see `backtests.engines.batch.Parts`, as of the next three.
        live: as above.
        begin: as above.
        path: as above.
        score_at: number of the score of each configuration.
        path_at: number of its path; -1 where thresholds make one.
    """

    score: np.ndarray
    live: np.ndarray
    begin: np.ndarray
    path: np.ndarray
    score_at: np.ndarray
    path_at: np.ndarray


class Layout:
    """Lays variants out; tables of plans and terms of trading are worked out once for all batches that take them."""

    def __init__(self) -> None:
        self._tables, self._terms = Recall(256), Recall(4096)

    def of(self, group: Group, picked: Picked) -> tuple[Variants, Parts, int]:
        """Numbers of some variants of one market, what they take by number, and `backtests.engines.batch.Market.first`.

        Args:
            group: of the market.
            picked: configurations of the variants; those that none of them has may be wrong.
        """
        below = group.below
        signals, signal_at = picked["signal"]
        scores = _scores_of(group.signals, signals, signal_at)
        policies, policy_at = picked["policy"]
        tables = {at: self._table(group, policies[at]) for at in np.unique(policy_at).tolist()}
        starts = np.cumsum([0, *(len(each.weights) for each in tables.values())])[:-1]
        table_start = dict(zip(tables, starts.tolist(), strict=True))
        costs, cost_at = picked["costs"]
        cost_used = np.unique(cost_at)
        terms = np.stack([self._terms_of(group, costs[at]) for at in cost_used.tolist()])
        cash, cash_at = picked["cash"]
        cash_used = np.unique(cash_at)
        rates = np.stack([interest_rates(cash[at], below.prepared.bill_yield) for at in cash_used.tolist()])
        rates[:, 0] = 0.0

        def by(section: str, name: str, kind: type = float) -> np.ndarray:
            found, at = picked[section]
            values = np.array([kind(0) if each is None else kind(getattr(each, name)) for each in found])
            chosen: np.ndarray = values[at]
            return chosen

        rules, rule_at = picked["order_rules"]
        plain_rules = np.array([each.rules if each is not None else (0.0,) * 4 for each in rules])[rule_at]
        variants = Variants(
            score=scores.score_at[signal_at],
            path=scores.path_at[signal_at],
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
        parts = Parts(
            scores.score, scores.live, scores.begin, scores.path, weights, below.line, below.stride, terms, rates
        )
        return variants, parts, scores.score.shape[1] - len(below.market.begins[0])

    def _table(self, group: Group, config: Any) -> PlanTable:
        found: PlanTable = self._tables.get((group.number, config), lambda: group.below.table(config))
        return found

    def _terms_of(self, group: Group, costs: Any) -> np.ndarray:
        found: np.ndarray = self._terms.get((group.number, costs), lambda: group.below.terms(costs))
        return found


def workspace(width: int, count: int, instruments: int) -> Workspace:
    """Room for one variant after the other.

    Args:
        width: sessions of the signal.
        count: sessions of the market.
        instruments: of it.
    """
    return Workspace(
        regime=np.zeros(width, dtype=np.int64),
        row=np.zeros(count, dtype=np.int64),
        rebalance=np.zeros(count, dtype=bool),
        values=np.zeros((2, count)),
        returns=np.zeros(count - 1),
        bench=empty_bench(count, instruments),
        track=empty_track(count),
        journal=empty_journal(1, instruments),
    )


def _scores_of(signals: SweepSignals, configs: Sequence[SignalConfig], chosen: np.ndarray) -> _Scores:
    """Scores and paths of the configurations that are chosen, each once however many share it."""
    paths: dict[int, SignalPath] = {at: signals.path(configs[at]) for at in np.unique(chosen).tolist()}
    scores = _numbered([each for each in paths.values() if len(each.score)])
    given = _numbered([each for each in paths.values() if len(each.path)])
    width = max(max(len(each.score), len(each.path)) for each in paths.values())
    score, begin = stacked([each.score for each in scores.values()], width, float)
    live, _ = stacked([each.live for each in scores.values()], width, np.int64)
    path, _ = stacked([each.path for each in given.values()], width, np.int64)
    score_number = {key: number for number, key in enumerate(scores)}
    path_number = {key: number for number, key in enumerate(given)}
    numbers = range(len(configs))
    return _Scores(
        score,
        live,
        begin,
        path,
        np.array([score_number.get(id(paths.get(at)), 0) for at in numbers]),
        np.array([path_number.get(id(paths.get(at)), -1) for at in numbers]),
    )


def _numbered(parts: Sequence[SignalPath]) -> dict[int, SignalPath]:
    """Each object once, by its identity."""
    return {id(each): each for each in parts}
