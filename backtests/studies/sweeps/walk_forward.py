"""Walk-forward: at the beginning of each test the variant that did best before it is chosen, and the tests are chained.

A choice for a session sees returns of sessions before it alone. The chain is a run like any other: its target weights
are those of the chosen variants, row by row, in a file that stands in the place of the policy.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from backtests.prepare.prepared import prepare
from backtests.spec.spec import Spec, load_spec, spec_values
from backtests.spec.versions import put
from backtests.studies.sweeps.grid import Grid
from backtests.studies.sweeps.spans import Rows, read_returns, sharpe_over
from backtests.studies.sweeps.sweep import Sweep
from data.clock import decision_times
from data.errors import InputError

_LENGTH = re.compile(r"([0-9]{1,5})\s*([ymd])")
_UNITS = {"y": "years", "m": "months", "d": "days"}
# Of each unit, a century: no run is longer, and no calendar goes on for ever.
_MOST = {"y": 100, "m": 1_200, "d": 36_525}


class Fold(NamedTuple):
    """Rows of the sessions of a run, the ends left out: what a choice looks at, and what it is for.

    Attributes:
        train_begin: first row of the train span.
        train_end: of it.
        test_begin: first row of the test.
        test_end: of it.
        embargoed: rows of the train span that it leaves out, for they follow an earlier test; in order of time.
    """

    train_begin: int
    train_end: int
    test_begin: int
    test_end: int
    embargoed: tuple[Rows, ...] = ()

    @property
    def train(self) -> tuple[Rows, ...]:
        """What the choice looks at."""
        begins = [self.train_begin, *(each.end for each in self.embargoed)]
        ends = [*(each.begin for each in self.embargoed), self.train_end]
        return tuple(Rows(begin, end) for begin, end in zip(begins, ends, strict=True) if begin < end)


@dataclass(frozen=True)
class Choice:
    """What is chosen for one test.

    Attributes:
        fold: rows of its sessions.
        variant: the one with the best Sharpe ratio of the train span; the first of several.
        train: that ratio, a year.
        test: that of the same variant in the test.
        best_test: that of the variant which was the best in the test, for nobody could have known it.
    """

    fold: Fold
    variant: int
    train: float
    test: float
    best_test: float


@dataclass(frozen=True)
class WalkForward:
    """Choices, test by test.

    Attributes:
        choices: in order of time.
        sessions: of the run.
        best_fixed: the variant with the best Sharpe ratio over all tests together, known only afterwards.
        best_fixed_sharpe: that ratio.
        median_sharpe: over all tests, of all variants.
    """

    choices: tuple[Choice, ...]
    sessions: pd.DatetimeIndex
    best_fixed: int
    best_fixed_sharpe: float
    median_sharpe: float

    @property
    def changes(self) -> int:
        """How often the choice was another than that before it."""
        chosen = [each.variant for each in self.choices]
        return sum(one != other for one, other in pairwise(chosen))

    def table(self, grid: Grid) -> pd.DataFrame:
        """A row a test: its days, those of its train span, the variant that was chosen and its keys, the ratios."""
        rows = []
        for each in self.choices:
            fold = each.fold
            ends = (fold.train_begin, fold.train_end - 1, fold.test_begin, fold.test_end - 1)
            days = [self.sessions[row].date() for row in ends]
            named = dict(zip(("train_begin", "train_end", "test_begin", "test_end"), days, strict=True))
            ratios = {"sharpe_train": each.train, "sharpe_test": each.test, "best_sharpe_test": each.best_test}
            rows.append({**named, "variant": each.variant, **grid.settings(each.variant), **ratios})
        return pd.DataFrame(rows)


def make_folds(sessions: pd.DatetimeIndex, train: str, test: str, purge: int = 0, embargo: int = 0) -> list[Fold]:
    """Cut the sessions of a run into train and test spans; the last test may be shorter.

    Args:
        sessions: of the run.
        train: length of what a choice looks at, such as ``5y``, ``18m`` or ``400d``, by the calendar.
        test: length of what it is for.
        purge: sessions left out between the two.
        embargo: sessions after a test that no later train span holds. They begin the next test: the choice for that
            looks at none of them anyway, and it is those after it that leave them out.

    Raises:
        InputError: no such length, or no session is left for a test.
    """
    behind, ahead = _offset(train, "train"), _offset(test, "test")
    for name, value in (("purge", purge), ("embargo", embargo)):
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise InputError(f"got {value!r} for {name}, wanted a whole number of sessions from 0")
    begin, folds = sessions[0] + behind, list[Fold]()
    while begin <= sessions[-1]:
        test_begin, test_end = (int(sessions.searchsorted(day)) for day in (begin, begin + ahead))
        train_begin, train_end = int(sessions.searchsorted(begin - behind)), test_begin - purge
        left_out = _embargoed(folds, embargo, train_begin, train_end)
        fold = Fold(train_begin, train_end, test_begin, test_end, left_out)
        if sum(each.end - each.begin for each in fold.train) < 2:
            without = f" and an embargo of {embargo} sessions" if embargo else ""
            raise InputError(
                f"got a train span of {train} less {purge} sessions{without}, wanted two sessions in it at least"
            )
        if test_end > test_begin:
            folds.append(fold)
        begin += ahead
    if not folds:
        raise InputError(
            f"got a train span of {train} in a run of {sessions[0].date()} to {sessions[-1].date()}, wanted sessions "
            "left for a test; shorten it"
        )
    return folds


def _embargoed(folds: Sequence[Fold], embargo: int, begin: int, end: int) -> tuple[Rows, ...]:
    """What follows earlier tests, as far as it lies in a train span; what two of them share stands once."""
    found = list[Rows]()
    for each in folds:
        first = max(each.test_end, begin, found[-1].end if found else begin)
        last = min(each.test_end + embargo, end)
        if first < last:
            found.append(Rows(first, last))
    return tuple(found)


def require_chained(grid: Grid) -> None:
    """Refuse keys that one run cannot have several values of."""
    for key in grid.keys:
        if not key.startswith(("signal.", "policy.")):
            raise InputError(f"{key}: varies, but a chain of tests is one run; wanted keys of signal and policy alone")


def walk_forward(sweep: Sweep, table: Path, folds: Sequence[Fold]) -> WalkForward:
    """Choose a variant for each test.

    Args:
        sweep: of the variants.
        table: of them, with their daily returns.
        folds: of their sessions.

    Raises:
        InputError: no variant has a ratio in a train span.
    """
    sessions = sweep.base.panel.sessions[1:]
    bill = sweep.base.risk_free.loc[sessions].to_numpy()
    tested = Fold(folds[0].test_begin, folds[-1].test_end, 0, 0)
    parts = [
        np.column_stack([_ratios(excess, fold) for fold in (*folds, tested)])
        for excess in (returns - bill for returns in read_returns(table, len(sessions)))
    ]
    ratios = np.concatenate(parts)
    train, test, whole = ratios[:, 0:-2:2], ratios[:, 1:-2:2], ratios[:, -2]
    choices = []
    for place, fold in enumerate(folds):
        if not np.isfinite(train[:, place]).any():
            raise InputError(
                f"no variant has a Sharpe ratio from {sessions[fold.train_begin].date()} to "
                f"{sessions[fold.train_end - 1].date()}; lengthen the train span"
            )
        best = int(np.nanargmax(train[:, place]))
        ahead = test[:, place]
        most = float(np.nanmax(ahead)) if np.isfinite(ahead).any() else np.nan
        choices.append(Choice(fold, best, float(train[best, place]), float(ahead[best]), most))
    fixed = int(np.nanargmax(whole))
    return WalkForward(tuple(choices), sessions, fixed, float(whole[fixed]), float(np.nanmedian(whole)))


def chained_weights(sweep: Sweep, walk: WalkForward) -> pd.DataFrame:
    """The target weights of the chain: a row, by the moment of the decision, for each session that is rebalanced."""
    plans = {
        variant: prepare(load_spec(sweep.asked.spec, sweep.settings(variant)), sweep.asked.snapshot).plan
        for variant in sorted({each.variant for each in walk.choices})
    }
    symbols, rows, before = list(sweep.spec.universe.symbols), [], -1
    for each in walk.choices:
        plan, sessions = plans[each.variant], walk.sessions[each.fold.test_begin : each.fold.test_end]
        due = plan.rebalance.loc[sessions].copy()
        due.iloc[0] = due.iloc[0] or each.variant != before
        rows.append(plan.targets.loc[sessions[due], symbols])
        before = each.variant
    weights = pd.concat(rows)
    return weights.set_axis(pd.Index(decision_times(pd.DatetimeIndex(weights.index)), name="known_at"))


def chain_spec(sweep: Sweep, walk: WalkForward, weights: Path) -> Spec:
    """The spec of the chain: the spec itself from the first test on, with weights in the place of the policy."""
    values = spec_values(sweep.asked.spec, sweep.asked.set)
    policy: dict[str, Any] = {"weights": str(weights), "rebalance": "regime", "exposure_ceiling": 1.0}
    # The rows hold every limit already.
    values["policy"] = {**values.get("policy", {}), **policy, "asset_class_caps": {}}
    values["policy"].pop("volatility_target", None)
    put(values, "run.start", walk.sessions[walk.choices[0].fold.test_begin].date())
    put(values, "run.end", walk.sessions[-1].date())
    put(values, "run.name", f"{values['run']['name'][:80]}-walk-forward")
    return load_spec(values)


def write_weights(weights: pd.DataFrame, path: Path) -> None:
    """Write weights as `strategies.given_weights.read_weights` reads them, to the last digit."""
    moments = [moment.isoformat() for moment in weights.index]
    weights.set_axis(pd.Index(moments, name="known_at")).to_csv(path, lineterminator="\n")


def _ratios(excess: np.ndarray, fold: Fold) -> np.ndarray:
    """Sharpe ratios a year of the train and of the test span, of every variant: (variants, 2)."""
    tested = [Rows(fold.test_begin, fold.test_end)]
    return np.column_stack([sharpe_over(excess, fold.train or [Rows(0, 0)]), sharpe_over(excess, tested)])


def _offset(length: str, what: str) -> pd.DateOffset:
    found = _LENGTH.fullmatch(length.strip()) if isinstance(length, str) else None
    if found is None or not 0 < int(found.group(1)) <= _MOST[found.group(2)]:
        raise InputError(f"got {length!r} for {what}, wanted a length such as 5y, 6m or 90d, up to a century")
    units: dict[str, Any] = {_UNITS[found.group(2)]: int(found.group(1))}
    return pd.DateOffset(**units)
