"""The variants of a sweep: every combination of some values of some keys of a spec, or a random choice of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from backtests.spec.spec import Spec, load_spec
from data.errors import InputError

AnySpec = str | Path | Mapping[str, Any] | Spec
# Without a yes of the user no more are run.
MANY = 100_000
# With one no more than these: what a sweep says is read into memory.
MOST = 10_000_000
# Of an end of a range: beyond it floats skip whole numbers.
_LARGEST = 1e15
# Keys by the stage of a run that they first change: variants that share the early ones stand together.
_STAGES = (
    *("run.", "universe.", "order_rules.stale_sessions", "signal."),
    *("signal.window_sessions", "signal.min_window_sessions", "signal.min_scale_sessions", "signal.clip"),
    *("signal.half_life_sessions", "signal.enter", "signal.leave", "signal.dwell_sessions"),
    *("policy.", "order_rules.", "costs.", "cash."),
)
_FIXED = {
    "run.name": "it changes no result",
    "run.market": "a sweep is of one market",
    "run.idea_known": "it changes no result",
    "run.strategy": "a strategy of the user runs in the event engine alone",
    "run.warmup_sessions": "it is read by code of the user alone",
    "signal.source": "files of the user stay as they are",
    "signal.blocks": "files of the user stay as they are",
    "policy.function": "files of the user stay as they are",
    "policy.weights": "files of the user stay as they are",
    "policy.blend_by_probability": "blended budgets have a plan for each session, and no table of plans",
    "universe.hindsight": "it changes no result",
    "catalogue": "what an instrument or a series is stays as it is",
    "version": "a sweep is of one version",
}
_TRIED = 200
# Combinations that a whole number of 64 bits can count.
_COUNTED = 2**62


class Span(NamedTuple):
    """A range of values that a random choice draws from, evenly; whole numbers where both ends are."""

    low: float
    high: float


@dataclass(frozen=True)
class Axis:
    """A key that varies.

    Attributes:
        key: dotted.
        values: of it; numbers from low to high, others in the order in which they were given.
    """

    key: str
    values: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Grid:
    """The variants of a sweep, numbered in an order in which neighbours share the early stages of a run.

    Attributes:
        axes: in the order of the stages.
        chosen: (variants, axes) places among the values of each axis; None: every combination.
    """

    axes: tuple[Axis, ...]
    chosen: np.ndarray | None

    @property
    def keys(self) -> tuple[str, ...]:
        """Those that vary."""
        return tuple(axis.key for axis in self.axes)

    @cached_property
    def size(self) -> int:
        """How many variants there are."""
        return _combinations(self.axes) if self.chosen is None else len(self.chosen)

    def places(self, begin: int, end: int) -> np.ndarray:
        """Places among the values of each axis, of the variants from one number up to another: (variants, axes)."""
        return self.places_of(np.arange(begin, end))

    def places_of(self, numbers: np.ndarray) -> np.ndarray:
        """Places among the values of each axis, of variants by number: (variants, axes)."""
        if self.chosen is not None:
            chosen: np.ndarray = self.chosen[numbers]
            return chosen
        columns = []
        for axis in reversed(self.axes):
            numbers, place = np.divmod(numbers, len(axis.values))
            columns.append(place)
        return np.column_stack(columns[::-1])

    def settings(self, number: int) -> dict[str, Any]:
        """What one variant sets, by key."""
        (places,) = self.places(number, number + 1)
        return {axis.key: axis.values[place] for axis, place in zip(self.axes, places, strict=True)}


def make_grid(
    spec: AnySpec,
    values: Mapping[str, Sequence[Any] | Span],
    set: Mapping[str, Any] | None = None,
    random: int | None = None,
    seed: int = 0,
    yes: bool = False,
) -> Grid:
    """Make the grid of a sweep.

    Args:
        spec: that varies.
        values: of each key that varies: several, or a `Span` where variants are drawn.
        set: of keys that do not.
        random: how many variants to draw, each once; None: all.
        seed: of the draw.
        yes: whether more than `MANY` variants are wanted.

    Raises:
        InputError: no key, a key without a value or that cannot vary, a value that no spec can have, or too many.
    """
    if not values:
        raise InputError("got no key that varies, wanted one at least, as in signal.enter=0.3,0.4")
    if random is not None and (not isinstance(random, int) or isinstance(random, bool) or random < 1):
        raise InputError(f"got {random!r} random variants, wanted 1 or more")
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise InputError(f"got {seed!r} for seed, wanted a whole number from 0")
    if random is not None:
        _require_few(random, yes)
    rng = np.random.default_rng(seed)
    order = sorted(values, key=lambda key: (_stage(key), key))
    axes = tuple(_axis(key, values[key], random, rng) for key in order)
    if random is None:
        _require_few(_combinations(axes), yes)
    _require_possible(spec, axes, set or {})
    if random is None:
        return Grid(axes, None)
    return Grid(axes, _draw(axes, values, random, rng))


def base_spec(spec: AnySpec, set: Mapping[str, Any] | None = None) -> Spec:
    """The spec that varies.

    Raises:
        InputError: it is wrong, or names code of the user in whose place no table of plans can stand.
    """
    base = load_spec(spec, set)
    for key, value in (
        ("run.strategy", base.run.strategy),
        ("policy.function", base.policy.function),
        ("policy.weights", base.policy.weights),
        ("policy.blend_by_probability", base.policy.blend_by_probability),
    ):
        if value:
            raise InputError(f"{key}: got {value} for a sweep, which cannot run it: {_FIXED[key]}; take it out")
    return base


def _require_few(count: int, yes: bool) -> None:
    """Refuse more variants than are wanted, before anything is made of them."""
    if count > MOST:
        raise InputError(f"got {count:,} variants, wanted at most {MOST:,}; take fewer values, or draw some at random")
    if count > MANY and not yes:
        raise InputError(
            f"got {count:,} variants, wanted at most {MANY:,} without --yes; pass it, or draw some at random"
        )


def _require_each_once(key: str, values: Sequence[Any]) -> None:
    seen = set()
    for value in values:
        mark = value if isinstance(value, str | int | float) else (repr(value),)
        if mark in seen:
            raise InputError(f"{key}: got {value!r} twice, wanted each value once")
        seen.add(mark)


def _stage(key: str) -> int:
    found = [
        place for place, stage in enumerate(_STAGES) if key == stage or (stage[-1] == "." and key.startswith(stage))
    ]
    return max(found, default=0)


def _combinations(axes: Sequence[Axis]) -> int:
    return math.prod(len(axis.values) for axis in axes)


def _axis(key: str, given: Sequence[Any] | Span, random: int | None, rng: np.random.Generator) -> Axis:
    fixed = next((each for each in _FIXED if key == each or key.startswith(f"{each}.")), None)
    if fixed is not None:
        raise InputError(f"{key} cannot vary: {_FIXED[fixed]}; take it out of the grid")
    if isinstance(given, Span):
        if random is None:
            raise InputError(f"{key}: got the range {given.low:g} to {given.high:g}, wanted values, or random variants")
        if not (abs(given.low) <= _LARGEST and abs(given.high) <= _LARGEST):
            raise InputError(f"{key}: got a range with an end beyond {_LARGEST:g}, wanted numbers up to it")
        if not given.low < given.high:
            raise InputError(f"{key}: got the range {given.low:g} to {given.high:g}, wanted the lower end first")
        whole = isinstance(given.low, int) and isinstance(given.high, int)
        drawn = rng.integers(int(given.low), int(given.high) + 1, random) if whole else rng.uniform(*given, random)
        return Axis(key, tuple(np.sort(drawn).tolist()))
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise InputError(f"{key}: got {given!r}, wanted a list of values")
    values = tuple(given)
    if not values:
        raise InputError(f"{key}: got no value, wanted one at least, as in {key}=1,2")
    _require_each_once(key, values)
    is_number = [isinstance(value, int | float) and not isinstance(value, bool) for value in values]
    return Axis(key, tuple(sorted(values)) if all(is_number) else values)


def _draw(axes: Sequence[Axis], values: Mapping[str, Any], count: int, rng: np.random.Generator) -> np.ndarray:
    """Places of variants that were drawn, in the order of the stages; no combination stands twice."""
    spans = [isinstance(values[axis.key], Span) for axis in axes]
    listed = [axis for axis, is_span in zip(axes, spans, strict=True) if not is_span]
    whole = _combinations(listed)
    columns = {}
    if whole > _COUNTED:
        # No number counts them; of so many, ten million are drawn without a double 99,999 times of 100,000.
        columns = {axis.key: rng.integers(0, len(axis.values), count) for axis in reversed(listed)}
    else:
        if any(spans):
            numbers = rng.integers(0, whole, count)
        elif count > whole:
            raise InputError(f"got {count:,} random variants, wanted at most {whole:,}: so many combinations there are")
        else:
            numbers = rng.choice(whole, count, replace=False)
        for axis in reversed(listed):
            numbers, columns[axis.key] = np.divmod(numbers, len(axis.values))
    columns |= {axis.key: rng.permutation(count) for axis in axes if axis.key not in columns}
    places = np.column_stack([columns[axis.key] for axis in axes])
    return places[np.lexsort(places.T[::-1])]


def _require_possible(spec: AnySpec, axes: Sequence[Axis], set: Mapping[str, Any]) -> None:
    """Refuse a key that there is not, a value that it cannot have, and a key none of whose values makes a spec.

    What is wrong only beside a value of another key stays: such a combination is a variant without measures.
    """
    for axis in axes:
        section = axis.key.partition(".")[0]
        others = [each for each in axes if each is not axis and each.key.startswith(f"{section}.")]
        first, fits, tried = None, False, _tried(axis)
        for value in tried:
            for mates in islice(product(*(each.values for each in others)), _TRIED):
                settings = {each.key: mate for each, mate in zip(others, mates, strict=True)}
                try:
                    load_spec(spec, {**set, axis.key: value, **settings})
                    fits = True
                    break
                except InputError as error:
                    if f"{axis.key}: got" in str(error) or "unknown key" in str(error):
                        raise
                    first = first or error
        if first and not fits and len(tried) == len(axis.values) and _combinations(others) <= _TRIED:
            raise first


def _tried(axis: Axis) -> Sequence[Any]:
    """Of many numbers the least and the largest of each kind; everything else."""
    if len(axis.values) <= _TRIED:
        return axis.values
    numbers = [value for value in axis.values if type(value) in (int, float)]
    kinds = [sorted(value for value in numbers if type(value) is kind) for kind in (int, float)]
    ends = [end for kind in kinds if kind for end in (kind[0], kind[-1])]
    odd = [value for value in numbers if value != value]
    return [*odd, *ends, *(value for value in axis.values if type(value) not in (int, float))]
