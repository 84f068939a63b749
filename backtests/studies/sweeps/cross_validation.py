"""Combinatorial purged cross-validation: how far the outcome of choosing a variant hangs on the years it is made on.

The sessions are cut into groups. Each choice of test groups is a split: the variant with the best Sharpe ratio of the
other groups is chosen for them. The tests of all splits make up several paths through the whole time, and the paths a
distribution (López de Prado 2018, "Advances in Financial Machine Learning", chapters 7 and 12). A split is trained on
sessions after its tests too: the paths say how far a choice can be trusted, and nobody could have traded one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backtests.studies.sweeps.grid import Grid
from backtests.studies.sweeps.spans import Rows, moments_of, read_returns, sharpe_ratios, together
from backtests.studies.sweeps.sweep import Sweep, plain
from data.errors import InputError

# Splits of one cross-validation: each is a choice among all variants.
MOST_SPLITS = 5_000
# Keys that change which sessions there are.
_DAYS = ("run.start", "run.end")


@dataclass(frozen=True)
class Split:
    """What is chosen on the groups that are not tested.

    Attributes:
        test_groups: their numbers, from 0.
        train_sessions: how many sessions the choice looks at, those that are purged and embargoed left out.
        variant: the one with the best Sharpe ratio of them; the first of several.
        train: that ratio, a year.
    """

    test_groups: tuple[int, ...]
    train_sessions: int
    variant: int
    train: float


@dataclass(frozen=True)
class BacktestPath:
    """One way through all groups, each tested once.

    Attributes:
        variants: that were chosen, by group.
        sharpe: ratio a year over the whole time; NaN where its returns do not deviate.
    """

    variants: tuple[int, ...]
    sharpe: float


@dataclass(frozen=True)
class CrossValidation:
    """Splits and paths.

    Attributes:
        groups: into how many the sessions are cut.
        test_groups: how many of them each split tests.
        purge: sessions left out of the training on both sides of a test.
        embargo: sessions after a test that are left out beside them.
        splits: all of them.
        paths: that their tests make up.
        static_mix: Sharpe ratio of the static mix over the same time; None where it has none.
    """

    groups: int
    test_groups: int
    purge: int
    embargo: int
    splits: tuple[Split, ...]
    paths: tuple[BacktestPath, ...]
    static_mix: float | None

    @property
    def sharpes(self) -> np.ndarray:
        """Sharpe ratios of the paths that have one, the lowest first."""
        found = np.array([each.sharpe for each in self.paths])
        return np.sort(found[np.isfinite(found)])

    def percentile(self, percent: float) -> float | None:
        """Of the Sharpe ratios of the paths, by linear interpolation; None where no path has one."""
        return float(np.percentile(self.sharpes, percent)) if len(self.sharpes) else None

    @property
    def share_below_static_mix(self) -> float | None:
        """Share of the paths that are below the static mix; None where there is nothing to compare."""
        if self.static_mix is None or not len(self.sharpes):
            return None
        return float((self.sharpes < self.static_mix).mean())

    @property
    def chosen(self) -> int:
        """How many different variants the splits choose."""
        return len({each.variant for each in self.splits})

    def as_json(self, grid: Grid) -> dict[str, Any]:
        """All of it, for machines; numbers of groups count from 0."""
        return {
            "groups": self.groups,
            "test_groups": self.test_groups,
            "purge": self.purge,
            "embargo": self.embargo,
            "median_sharpe": self.percentile(50),
            "p5_sharpe": self.percentile(5),
            "p95_sharpe": self.percentile(95),
            "static_mix_sharpe": self.static_mix,
            "share_below_static_mix": self.share_below_static_mix,
            "chosen_variants": {
                str(variant): {key: plain(value) for key, value in grid.settings(variant).items()}
                for variant in sorted({each.variant for each in self.splits})
            },
            "splits": [
                {
                    "test_groups": list(each.test_groups),
                    "train_sessions": each.train_sessions,
                    "variant": each.variant,
                    "sharpe_train": each.train,
                }
                for each in self.splits
            ],
            "paths": [
                {"variants": list(each.variants), "sharpe": each.sharpe if math.isfinite(each.sharpe) else None}
                for each in self.paths
            ],
        }


@dataclass(frozen=True)
class Folds:
    """The splits, laid out.

    Attributes:
        groups: rows of the sessions of each.
        tests: of each split, the numbers of its test groups.
        trains: of each split, what it is trained on; no span crosses the end of a group.
        paths: of each path, the split that tests each group.
        purge: as asked for.
        embargo: likewise.
    """

    groups: tuple[Rows, ...]
    tests: tuple[tuple[int, ...], ...]
    trains: tuple[tuple[Rows, ...], ...]
    paths: tuple[tuple[int, ...], ...]
    purge: int
    embargo: int


def make_splits(sessions: int, groups: int, test_groups: int, purge: int = 0, embargo: int = 0) -> Folds:
    """Lay out the splits, by skfolio.

    Args:
        sessions: of the run.
        groups: into how many they are cut, as long as each other; the last takes what is over.
        test_groups: how many of them each split tests, from 2.
        purge: sessions left out of the training on both sides of a test.
        embargo: sessions after a test that are left out beside them.

    Raises:
        InputError: skfolio is not installed, or such splits cannot be.
    """
    _require_possible(sessions, groups, test_groups, purge, embargo)
    splitter = require_splitter()(n_folds=groups, n_test_folds=test_groups, purged_size=purge, embargo_size=embargo)
    trains, found = [], dict[int, Rows]()
    tests = tuple(tuple(each) for each in splitter.test_set_index.tolist())
    for numbers, (train, tested) in zip(tests, splitter.split(np.zeros((sessions, 1))), strict=True):
        found |= {group: Rows(int(at[0]), int(at[-1]) + 1) for group, at in zip(numbers, tested, strict=True)}
        trains.append(train)
    bounds = tuple(found[group] for group in range(groups))
    spans = tuple(_spans(train, bounds) for train in trains)
    if any(sum(end - begin for begin, end in each) < 2 for each in spans):
        raise InputError(
            f"got a purge of {purge} and an embargo of {embargo} sessions, which leave fewer than two to choose on; "
            "wanted less of them, or fewer groups"
        )
    paths = tuple(tuple(int(split) for split in each) for each in splitter.recombined_paths.T)
    return Folds(bounds, tests, spans, paths, purge, embargo)


def require_splitter() -> Any:
    """The class that lays out the splits.

    Raises:
        InputError: skfolio is not installed.
    """
    try:
        from skfolio.model_selection import CombinatorialPurgedCV
    except ImportError:
        raise InputError(
            "cross-validation needs skfolio, which is not installed; install it by: "
            "pip install '.[evidence]' in the checkout"
        ) from None
    return CombinatorialPurgedCV


def require_same_sessions(grid: Grid) -> None:
    """Refuse keys that change which sessions there are: groups of sessions are those of all variants."""
    for key in grid.keys:
        if key in _DAYS:
            raise InputError(f"{key}: varies, but cross-validation wants the same sessions for all; take it out")


def cross_validate(sweep: Sweep, table: Path, folds: Folds, static_mix: float | None) -> CrossValidation:
    """Choose a variant in each split and follow the paths.

    Args:
        sweep: of the variants.
        table: of them, with their daily returns.
        folds: of their sessions.
        static_mix: Sharpe ratio of the static mix over the same time.

    Raises:
        InputError: no variant has a ratio in what a split is trained on.
    """
    sessions = sweep.base.panel.sessions[1:]
    bill = sweep.base.risk_free.loc[sessions].to_numpy()
    best = np.full(len(folds.trains), -1)
    ratio = np.full(len(folds.trains), -np.inf)
    first = 0
    for returns in read_returns(table, len(sessions)):
        excess = returns - bill
        parts = {rows: moments_of(excess, rows) for rows in {rows for train in folds.trains for rows in train}}
        for split, train in enumerate(folds.trains):
            found = np.nan_to_num(sharpe_ratios(together([parts[rows] for rows in train])), nan=-np.inf)
            at = int(np.argmax(found))
            if found[at] > ratio[split]:
                best[split], ratio[split] = first + at, found[at]
        first += len(returns)
    if (best < 0).any():
        tested = ", ".join(str(group + 1) for group in folds.tests[int(np.argmax(best < 0))])
        raise InputError(f"no variant has a Sharpe ratio where groups {tested} are tested; wanted one that trades")
    chosen = _returns_of(table, len(sessions), np.unique(best))
    splits = tuple(
        Split(tests, sum(end - begin for begin, end in train), int(variant), float(reached))
        for tests, train, variant, reached in zip(folds.tests, folds.trains, best, ratio, strict=True)
    )
    paths = []
    for path in folds.paths:
        variants = tuple(int(best[split]) for split in path)
        daily = np.concatenate(
            [chosen[variant][begin:end] for variant, (begin, end) in zip(variants, folds.groups, strict=True)]
        )
        (sharpe,) = sharpe_ratios(moments_of((daily - bill)[np.newaxis], Rows(0, len(daily))))
        paths.append(BacktestPath(variants, float(sharpe)))
    count = len(folds.tests[0])
    return CrossValidation(len(folds.groups), count, folds.purge, folds.embargo, splits, tuple(paths), static_mix)


def _require_possible(sessions: int, groups: int, test_groups: int, purge: int, embargo: int) -> None:
    for name, value in (("purge", purge), ("embargo", embargo)):
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise InputError(f"got {value!r} for {name}, wanted a whole number of sessions from 0")
    if not 3 <= groups <= 1_000 or not 2 <= test_groups < groups:
        raise InputError(
            f"got {groups} groups of which {test_groups} are tested, wanted 3 to 1,000 groups, and from 2 of them, but "
            "not all, tested, as in 6,2"
        )
    if (splits := math.comb(groups, test_groups)) > MOST_SPLITS:
        raise InputError(
            f"got {groups} groups of which {test_groups} are tested, which makes {splits:,} splits, wanted at most "
            f"{MOST_SPLITS:,}; take fewer groups"
        )
    if purge + embargo >= (size := sessions // groups) - 1:
        raise InputError(
            f"got a purge of {purge} and an embargo of {embargo} sessions for groups of {size}, wanted both together "
            "to be shorter than a group by two at least"
        )


def _spans(rows: np.ndarray, groups: Sequence[Rows]) -> tuple[Rows, ...]:
    """Rows as spans, none of which crosses the end of a group: splits then have most of their spans in common."""
    ends = {group.begin for group in groups}
    cuts = [at for at in range(1, len(rows)) if rows[at] != rows[at - 1] + 1 or int(rows[at]) in ends]
    return tuple(Rows(int(part[0]), int(part[-1]) + 1) for part in np.split(rows, cuts) if len(part))


def _returns_of(table: Path, sessions: int, variants: np.ndarray) -> dict[int, np.ndarray]:
    """Daily returns of some variants, by number."""
    found, first = dict[int, np.ndarray](), 0
    for returns in read_returns(table, sessions):
        found |= {int(at): returns[at - first] for at in variants if first <= at < first + len(returns)}
        first += len(returns)
    return found
