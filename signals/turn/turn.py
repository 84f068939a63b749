"""What would turn the regime: of everything that may move, the smallest move that does."""

from collections.abc import Callable, Sequence
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
        moves: everything that may move.
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
    moves = [_block_move(world, name) for name in world.blocks]
    found = levers(world)
    for lever in found:
        tell(f"{lever.name} {lever.about}".strip())
        moves.append(_move(world, lever))
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


def _move(world: World, lever: Lever) -> Move:
    span = lever.span
    # Of an announcement of which nothing could be expected the signal says nothing.
    counts = not isnan(span.held)
    turnings = _turnings(world, span, lambda value: world.path(lever, value)) if counts else (None, None)
    named = (lever.name, lever.kind, lever.about, lever.unit, lever.inputs)
    return Move(*named, span.held, span.low, span.high, span.step, *turnings, lever)


def _block_move(world: World, block: str) -> Move:
    most = 2 * world.config.clip
    span = Span(0.0, -most, most, _BLOCK_STEP)
    live = world.live[:, world.blocks.index(block)].all()
    none: tuple[Turning | None, Turning | None] = (None, None)
    turnings = _turnings(world, span, lambda value: world.path_with(block, value)) if live else none
    return Move(block, BLOCK, "", "of what it reads", (), 0.0, span.low, span.high, span.step, *turnings)


def _turnings(world: World, span: Span, path_at: Callable[[float], Path]) -> tuple[Turning | None, Turning | None]:
    """The nearest value that turns the regime of the next session, and of one of the sessions to come."""
    kept: dict[int, Path] = {}

    def path(steps: int) -> Path:
        if steps not in kept:
            kept[steps] = path_at(span.value(steps))
        return kept[steps]

    now, base = world.stay.regime, world.base

    def turns_next(steps: int) -> bool:
        return path(steps)[0] is not base[0]

    def turns_within(steps: int) -> bool:
        return any(each is not now for each in path(steps)) != any(each is not now for each in base)

    found: list[Turning | None] = []
    for turns in (turns_next, turns_within):
        nearest = nearest_turn(span, turns)
        if nearest is None:
            found.append(None)
            continue
        steps, before = nearest
        place = next(place for place, pair in enumerate(zip(path(steps), base, strict=True)) if pair[0] is not pair[1])
        found.append(
            Turning(
                span.value(steps),
                None if before is None else span.value(before),
                world.coming[place],
                str(path(steps)[place]),
            )
        )
    return found[0], found[1]


def nearest_turn(span: Span, turns: Callable[[int], bool]) -> tuple[int, int | None] | None:
    """Find the nearest whole number of steps that turns, and the one before it, which does not.

    Returns:
        None in the place of the latter where what is held turns; None alone where nothing in the span does.
    """
    held, low, high = span.steps
    if turns(held):
        return held, None
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
