"""The universe lottery of a run: its rotation, played with names that could have been chosen as well."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from backtests.prepare.prepared import Prepared
from backtests.studies.lottery.draws import Table, draw_columns, play_draws, shifts_of, unpriced_ends
from backtests.studies.lottery.pools import Asked
from backtests.studies.lottery.shares import FEWEST, Shares, shares_of
from backtests.studies.lottery.world import World, make_world
from data.errors import InputError
from data.market.snapshot import Snapshot

DRAWS, SHIFTS = 1000, 100
MOST_DRAWS = 100_000


@dataclass(frozen=True, eq=False)
class Ending:
    """A lottery with one rule for names that die at no known price.

    Attributes:
        haircut: that is lost on their last close.
        cagr: shares of the growth a year.
        sharpe: shares of the Sharpe ratio.
        drawn_cagr: (draws,) of each draw at the true moments.
        drawn_sharpe: likewise.
    """

    haircut: float
    cagr: Shares
    sharpe: Shares
    drawn_cagr: np.ndarray
    drawn_sharpe: np.ndarray


@dataclass(frozen=True, eq=False)
class Lottery:
    """What the lottery of a run says.

    Attributes:
        world: what was drawn from.
        market: that has the names.
        draws: how many pairs of baskets.
        shifts: to how many other moments the regimes were moved.
        seed: of the draws.
        endings: with the haircut of the spec, and with none where a name that can be drawn dies at no known price.
        drawn: (draws, m) columns of the world.
        labels: whether sectors are those known then, or those of today.
    """

    world: World
    market: Snapshot
    draws: int
    shifts: int
    seed: int
    endings: tuple[Ending, ...]
    drawn: np.ndarray
    labels: str

    @property
    def pool_sizes(self) -> Mapping[str, int]:
        """How many names could have been chosen for each place, by the spec's name there."""
        return {slot.symbol: len(pool) for slot, pool in zip(self.world.slots, self.world.pools, strict=True)}

    @property
    def columns(self) -> np.ndarray:
        """Columns of the world that could have been chosen for one place at least."""
        return np.unique(np.concatenate(self.world.pools))

    @property
    def names(self) -> list[str]:
        """What they are called."""
        return self.world.names(self.columns)

    @property
    def dead(self) -> int:
        """How many of them no longer trade at the end."""
        return int(self.world.panel.ended[:, self.columns].any(axis=0).sum())


def universe_lottery(
    prepared: Prepared,
    asked: Asked,
    draws: int = DRAWS,
    seed: int = 0,
    shifts: int = SHIFTS,
    report: Callable[[str], None] = lambda _stage: None,
) -> Lottery:
    """Play a run with names drawn from what could have been chosen, at the true moments and at moved ones.

    Args:
        prepared: the run, as far as it goes.
        asked: what names are drawn from.
        draws: pairs of baskets.
        seed: of the draws; the same one gives the same lottery.
        shifts: moments to move the regimes to, at most; fewer where the run is short.
        report: is told what is under way.

    Raises:
        InputError: too few draws, numba is not installed, or see `backtests.studies.lottery.world.make_world`.
    """
    _require_whole("draws", draws, FEWEST, MOST_DRAWS)
    _require_whole("seed", seed, 0, 2**63 - 1)
    report("prices")
    world = make_world(prepared, asked)
    moved = shifts_of(len(world.panel.sessions) - 1, shifts)
    table, drawn = Table(world, moved), draw_columns(world, draws, seed)
    haircut = prepared.spec.order_rules.stale_haircut
    endings: list[Ending] = []
    played = None
    may_lose = haircut > 0 and bool(unpriced_ends(world)[np.append(drawn.ravel(), world.own)].any())
    for lost in (haircut, 0.0) if may_lose else (haircut,):
        told = f"{lost:.0%} lost at an unpriced end, " if endings else ""
        played = play_draws(table, drawn, lost, partial(_tell, report, told, draws), played)
        cagr, sharpe = shares_of(played.cagr), shares_of(played.sharpe)
        endings.append(Ending(lost, cagr, sharpe, played.cagr[1:, 0], played.sharpe[1:, 0]))
    market = prepared.snapshot if asked.universe is None else asked.universe
    return Lottery(world, market, draws, len(moved) - 1, seed, tuple(endings), drawn, asked.labels)


def _tell(report: Callable[[str], None], told: str, draws: int, done: int) -> None:
    report(f"{told}{done:,} of {draws:,} draws")


def _require_whole(name: str, value: Any, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InputError(f"got {value!r} for {name}, wanted a whole number from {least} to {most:,}")
