"""What would turn the regime: of everything that may move, the smallest move that does."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import isnan
from typing import NamedTuple

import pandas as pd

from data.errors import InputError
from signals.block import BlockBuilder, SignalData
from signals.config import SignalConfig
from signals.facts import Facts
from signals.regime import Regime
from signals.turn.candidates import held_series, levers
from signals.turn.held import HORIZON
from signals.turn.levers import Lever, Span
from signals.turn.world import Path, World

BLOCK = "block"
SCANNED = 8
"""Places at which the range on either side is tried; between the first that turns and the one before is bisected."""

_BLOCK_STEP = 0.01

Tell = Callable[[str], None]


class Turning(NamedTuple):
    """A value that turns the regime.

    Attributes:
        value: the nearest one to what is held.
        before: the published step before it, towards what is held, which does not; None where what is held does.
        session: first one of another regime than if nothing moved.
        regime: that holds on it.
    """

    value: float
    before: float | None
    session: pd.Timestamp
    regime: str


@dataclass(frozen=True)
class Move:
    """One thing that may move, and what it takes to turn the regime.

    A regime turns where another holds than if nothing moved: it ends that would stay, or stays that would end.

    Attributes:
        name: series, company or block.
        kind: ``series``, ``result``, ``guidance``, ``funding``, ``pace`` or ``block``.
        about: the fiscal quarter, the year guided; "" where the name says it.
        unit: of the values; of a block it is what it reads, in its own deviations.
        inputs: of the signal that it moves.
        held: value at which nothing would be new; of a block 0, for its values are changes; NaN where nothing could be
            expected of an announcement: it does not count.
        low: smallest value tried.
        high: largest value tried.
        step: published precision.
        next: what turns the regime of the next session; None: nothing in the range.
        within: what turns a regime within the sessions to come; None: nothing in the range.
        lever: by which it can be put into the tables; None of a block.
    """

    name: str
    kind: str
    about: str
    unit: str
    inputs: tuple[str, ...]
    held: float
    low: float
    high: float
    step: float
    next: Turning | None
    within: Turning | None
    lever: Lever | None = field(default=None, repr=False, compare=False)

    @property
    def share(self) -> float:
        """How far off the nearest value that turns is, as a share of the way to the end of the range; inf: none."""
        return min(
            (self._share(each.value) for each in (self.next, self.within) if each is not None), default=float("inf")
        )

    def _share(self, value: float) -> float:
        way = self.high - self.held if value > self.held else self.held - self.low
        return abs(value - self.held) / way if way > 0 else 0.0


@dataclass(frozen=True)
class Turn:
    """What would turn the regime of one session.

    Attributes:
        session: of the decision.
        regime: on it.
        score: of it.
        dwells_until: first session on which the regime may change.
        coming: the sessions to come.
        base: their regimes if nothing moves.
        moves: everything that may move, or the nearest ones that turn it.
    """

    session: pd.Timestamp
    regime: str
    score: float
    dwells_until: pd.Timestamp
    coming: pd.DatetimeIndex
    base: tuple[str, ...]
    moves: tuple[Move, ...]

    @property
    def nearest(self) -> list[Move]:
        """What turns it, the nearest first, as a share of the largest move ever seen; no blocks."""
        turning = [each for each in self.moves if each.kind != BLOCK and each.share < float("inf")]
        return sorted(turning, key=lambda each: (each.share, each.kind, each.name, each.about))

    @property
    def turns_by_itself(self) -> pd.Timestamp | None:
        """The first session of another regime if nothing moves; None where it stays."""
        return next((day for day, name in zip(self.coming, self.base, strict=True) if name != self.regime), None)


def score_ends(regime: str, config: SignalConfig) -> tuple[float, ...]:
    """The scores at which a regime ends: SCARCE below it, ABUNDANT above it, NEUTRAL outside the two."""
    match Regime(regime):
        case Regime.SCARCE:
            return (config.leave,)
        case Regime.ABUNDANT:
            return (-config.leave,)
        case _:
            return (-config.enter, config.enter)


def what_would_turn(
    data: SignalData,
    session: pd.Timestamp,
    config: SignalConfig,
    further: Sequence[BlockBuilder] = (),
    tell: Tell = lambda _: None,
    nearest: int | None = None,
) -> Turn:
    """Find for everything that may move the smallest move that turns the regime, everything else as it is.

    What is known at the decision is carried on: series keep their last level and are published on, so changes roll
    off; news fade; smoothing and shortest stay count. One thing moves: a series from its next publication on; an event
    that is told before the next decision; a block from the next decision on. Its range, as wide as the largest move
    that was seen until then, is tried at `SCANNED` places on either side, for a score does not move one way only, and
    bisected to the published precision. Blocks of the user stay as they are.

    Args:
        data: of the signal; what became known after the decision is not looked at.
        session: one of its sessions.
        config: of the signal.
        further: builders of blocks beside those of the form.
        tell: is told what is under way.
        nearest: moves that are asked for, the nearest ones, which is quicker; None: all, and the blocks.

    Raises:
        InputError: regimes are given, or those of a model that is fitted; see `signals.liquidity.liquidity_signal` too.
    """
    if config.source is not None or config.model.name != "threshold":
        what = "a source" if config.source is not None else f"the model {config.model.name}"
        raise InputError(
            f"got the regimes of {what}, wanted those of thresholds: only there is told what would turn them; "
            'set signal.model.name to "threshold" and take signal.source out'
        )
    tell("what is known")
    names = held_series(Facts(data), config)
    world = World.of(data, session, config, tuple(names), further)
    found = levers(world)
    if nearest is None:
        moves = [_block_move(world, name) for name in world.blocks]
        for lever in found:
            tell(f"{lever.name} {lever.about}".strip())
            moves.append(_move(lever, _paths(world, lever)))
    else:
        tell("the nearest moves")
        moves = list(_nearest_levers(world, found, nearest))
    remaining = max(config.dwell_sessions - world.stay.held, 0)
    return Turn(
        session=session,
        regime=str(world.stay.regime),
        score=world.score,
        dwells_until=world.coming[min(remaining, HORIZON - 1)],
        coming=world.coming,
        base=tuple(map(str, world.base)),
        moves=tuple(moves),
    )


class _Paths:
    """The regimes to come by the value of one thing, each worked out once."""

    def __init__(self, world: World, span: Span, path_at: Callable[[float], Path]) -> None:
        self.world, self.span, self._path_at = world, span, path_at
        self._kept: dict[int, Path] = {}

    def at(self, steps: int) -> Path:
        if steps not in self._kept:
            self._kept[steps] = self._path_at(self.span.value(steps))
        return self._kept[steps]

    def turns_next(self, steps: int) -> bool:
        return self.at(steps)[0] is not self.world.base[0]

    def turns_within(self, steps: int) -> bool:
        now = self.world.stay.regime
        return any(each is not now for each in self.at(steps)) != any(each is not now for each in self.world.base)

    def turns(self, steps: int) -> bool:
        return self.turns_next(steps) or self.turns_within(steps)

    def turning(self, turns: Callable[[int], bool]) -> Turning | None:
        nearest = nearest_turn(self.span, turns)
        if nearest is None:
            return None
        steps, before = nearest
        pairs = zip(self.at(steps), self.world.base, strict=True)
        place = next(place for place, (moved, still) in enumerate(pairs) if moved is not still)
        step_before = None if before is None else self.span.value(before)
        return Turning(self.span.value(steps), step_before, self.world.coming[place], str(self.at(steps)[place]))


def _paths(world: World, lever: Lever) -> _Paths:
    return _Paths(world, lever.span, lambda value: world.path(lever, value))


def _move(lever: Lever, paths: _Paths) -> Move:
    named = (lever.name, lever.kind, lever.about, lever.unit, lever.inputs)
    # Of an announcement of which nothing could be expected the signal says nothing.
    counts = not isnan(lever.span.held)
    turnings = (paths.turning(paths.turns_next), paths.turning(paths.turns_within)) if counts else (None, None)
    return Move(*named, *lever.span, *turnings, lever)


def _block_move(world: World, block: str) -> Move:
    most = 2 * world.config.clip
    span = Span(0.0, -most, most, _BLOCK_STEP)
    paths = _Paths(world, span, lambda value: world.path_with(block, value))
    live = world.live[:, world.blocks.index(block)].all()
    turnings = (paths.turning(paths.turns_next), paths.turning(paths.turns_within)) if live else (None, None)
    return Move(block, BLOCK, "", "of what it reads", (), *span, *turnings)


def _nearest_levers(world: World, found: Sequence[Lever], count: int) -> Iterator[Move]:
    """The first that turn as the places of all ranges are tried from within, as many as are asked for or a few more."""
    tried = {place: _paths(world, lever) for place, lever in enumerate(found) if not isnan(lever.span.held)}
    turned: list[int] = []
    for place in range(SCANNED + 1):
        for which in [each for each in tried if each not in turned]:
            if any(map(tried[which].turns, _places(tried[which].span, place))):
                turned.append(which)
        if len(turned) >= count:
            break
    return (_move(found[which], tried[which]) for which in turned)


def _places(span: Span, place: int) -> list[int]:
    """The steps on either side at one of the places at which a range is tried, the upper one first."""
    held, low, high = span.steps
    return list(dict.fromkeys(held + round((end - held) * place / SCANNED) for end in (high, low)))


def nearest_turn(span: Span, turns: Callable[[int], bool]) -> tuple[int, int | None] | None:
    """Find the nearest whole number of steps that turns, and the one before it, which does not.

    Returns:
        None in the place of the latter where what is held turns; None alone where nothing in the span does.
    """
    (held,) = _places(span, 0)
    if turns(held):
        return held, None
    _, low, high = span.steps
    last = {low: held, high: held}
    for place in range(1, SCANNED + 1):
        found = []
        for end in dict.fromkeys((high, low)):
            at = held + round((end - held) * place / SCANNED)
            if at != last[end] and turns(at):
                found.append(_bisected(last[end], at, turns))
            last[end] = at
        if found:
            return min(found, key=lambda pair: abs(span.value(pair[0]) - span.held))
    return None


def _bisected(still: int, turned: int, turns: Callable[[int], bool]) -> tuple[int, int]:
    """Two neighbours between two numbers of steps, the first of which turns and the second does not."""
    while abs(turned - still) > 1:
        middle = (turned + still) // 2
        if turns(middle):
            turned = middle
        else:
            still = middle
    return turned, still
