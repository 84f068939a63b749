"""The liquidity signal: the sum of its blocks, smoothed, with what each block and input gives to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from data.errors import InputError
from signals.block import BlockBuilder, SignalData
from signals.blocks import drain, level
from signals.blocks.added_inputs import add_inputs
from signals.blocks.drain import drain_block
from signals.blocks.level import level_block
from signals.blocks.pipes import pipes_block, pipes_series
from signals.blocks.price_of_capital import price_of_capital_block, price_of_capital_series
from signals.capex.gate import Gate
from signals.config import SignalConfig
from signals.facts import Facts
from signals.form_2.drain import drain_reading
from signals.form_2.level import level_reading
from signals.form_2.pipes import RESERVES_RATE, pipes_reading
from signals.form_2.price_of_capital import price_of_capital_reading
from signals.known import Array, moments_of
from signals.models.registry import regime_estimate
from signals.reading import RawBlock, Reading, raw_block, silent_reading, standard_reading
from signals.regime import MIN_LIVE_BLOCKS
from signals.rows import across, or_zero
from signals.scarcity import scarcity
from signals.windows import PLAIN, Windows

FIRST_YEAR = 252
"""Sessions with a value in which a block is marked as young: what it compares with is short."""

RawBuilder = Callable[[Facts, SignalConfig], RawBlock]

FORM_2: tuple[Callable[[Facts, SignalConfig], Reading], ...] = (
    drain_reading,
    price_of_capital_reading,
    level_reading,
    pipes_reading,
)
BLOCKS: tuple[RawBuilder, ...] = (drain_block, price_of_capital_block, level_block, pipes_block)


@dataclass(frozen=True)
class LiquiditySignal:
    """The signal for each session, as decided at 00:00 UTC of it; everything is indexed by session.

    Attributes:
        score: + means scarcer; never NaN, 0 while nothing is known.
        regime: names of `signals.regime.Regime`.
        blocks: what each block gives to the score, smoothed as the score is; a missing block gives 0. Rows add up to
            `score`.
        inputs: the same for each input; those of a block add up to the block.
        values: each input at the decision, before standardization, in the unit of `units`; NaN where missing or too
            old.
        observed: the date that the newest observation known of an input is about, also where it is too old.
        known: when what is known of an input last changed, UTC.
        live_blocks: number of blocks with a value, from 0 to that of the columns of `blocks`.
        live: whether each block has a value; None where the regime is not made of blocks.
        units: unit of each input, for people.
        needed_blocks: live blocks below which the regime is NEUTRAL.
        is_given: True where the regime is taken as it is from a source; no threshold applies.
        probability: of each regime by session, see `signals.models.estimate`; None for a model that has none.
        notes: sentences on what people must know of the regime model.
        gate: state of the gate of idle money by session: ratio (trailing capex over operating cash flow), g (0 to 1),
            multiplier (of the growth of capex; in form 2 what the level of the gate gives to the drain); NaN where the
            ratio is missing. None where no block has one.
        kind: of scarcity by session, names of `signals.scarcity.Scarcity`, "" where the regime is not SCARCE; None in
            form 1.
        young: sessions by blocks: whether a block is in its first `FIRST_YEAR` sessions with a value; None in form 1.
    """

    score: pd.Series
    regime: pd.Series
    blocks: pd.DataFrame
    inputs: pd.DataFrame
    values: pd.DataFrame
    observed: pd.DataFrame
    known: pd.DataFrame
    live_blocks: pd.Series
    units: Mapping[str, str]
    needed_blocks: int = MIN_LIVE_BLOCKS
    is_given: bool = False
    probability: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()
    gate: pd.DataFrame | None = None
    live: pd.DataFrame | None = None
    kind: pd.Series | None = None
    young: pd.DataFrame | None = None


def required_series(config: SignalConfig) -> tuple[str, ...]:
    """Names of the series that the signal needs under this configuration, each once; none where a source is given.

    Blocks of users may read others.
    """
    if config.source is not None:
        return ()
    added = (each.series for each in config.inputs)
    tank = level.SERIES if config.form == 1 else (level.CENTRAL_BANK_ASSETS, level.REVERSE_REPO)
    return tuple(dict.fromkeys((*price_of_capital_series(config), *tank, *pipes_series(config), *added)))


def wanted_series(config: SignalConfig) -> tuple[str, ...]:
    """Names of the series that the signal reads where the market has them: those that it needs first."""
    if config.source is not None:
        return ()
    one_wednesday = config.form == 2 or config.net_liquidity == "one_wednesday"
    better = (*((level.TREASURY_WEDNESDAY,) if one_wednesday else ()), *((RESERVES_RATE,) if config.form == 2 else ()))
    return tuple(dict.fromkeys((*required_series(config), *better)))


def liquidity_signal(
    data: SignalData, config: SignalConfig, further: Sequence[BlockBuilder] = (), silenced: str | None = None
) -> LiquiditySignal:
    """Compute the liquidity regime of every session from what was known at its decision.

    z-scores, scales, smoothing and regime look back: give all sessions for which there are observations and take from
    the result those that are needed.

    Args:
        data: with the series of `required_series` and the companies of `config`.
        config: of the signal.
        further: builders of blocks beside those of `BLOCKS`; all blocks weigh the same.
        silenced: name of a block that counts as one without data.

    Raises:
        InputError: sessions are not naive dates in order; a series or company has no row or a bad one; two blocks have
            one name, or an added input does not fit (see `signals.blocks.added_inputs`).
    """
    _require_sessions(data.sessions)
    readings = read_blocks(Facts(data), config, further)
    readings = [silent_reading(each) if each.name == silenced else each for each in readings]
    live, parts, blocks, total = score_parts(readings, config.half_life_sessions)
    inputs = [each for reading in readings for each in reading.inputs]
    names = [each.name for each in inputs]

    def by_input(columns: Sequence[Array]) -> pd.DataFrame:
        return pd.DataFrame(np.column_stack(columns), data.sessions, names)

    score = pd.Series(total, data.sessions, name="score")
    live_blocks = pd.Series(live.sum(axis=1), data.sessions, name="live_blocks")
    contributions = pd.DataFrame(blocks, data.sessions, [each.name for each in readings])
    estimate = regime_estimate(score, contributions, live_blocks, config)
    known = {each.name: moments_of(each.known).tz_localize("UTC") for each in inputs}
    gate = next((each.gate for each in readings if each.gate is not None), None)
    return LiquiditySignal(
        score=score,
        regime=estimate.regime,
        blocks=contributions,
        inputs=by_input([parts[:, place] for place in range(len(names))]),
        values=by_input([each.value for each in inputs]),
        observed=by_input([each.observed.view("datetime64[us]") for each in inputs]),
        known=pd.DataFrame(known, index=data.sessions),
        live_blocks=live_blocks,
        units={each.name: each.unit for each in inputs},
        probability=estimate.probability,
        notes=(*estimate.notes, *(note for each in readings for note in each.notes)),
        gate=None if gate is None else pd.DataFrame(gate._asdict(), index=data.sessions),
        live=pd.DataFrame(live, data.sessions, contributions.columns),
        **({} if config.form == 1 or gate is None else _of_form_2(estimate.regime, contributions, gate, live, config)),
    )


class Score(NamedTuple):
    """The score of every session, and what makes it.

    Attributes:
        live: (sessions, blocks) whether a block has a value.
        parts: (sessions, inputs) what each input gives to the score.
        blocks: (sessions, blocks) what each block gives.
        total: (sessions,).
    """

    live: Array
    parts: Array
    blocks: Array
    total: Array


def score_parts(readings: Sequence[Reading], half_life: float, windows: Windows = PLAIN) -> Score:
    """Sum what blocks say, each with the same weight, and smooth it.

    Args:
        readings: of every block.
        half_life: in sessions.
        windows: what smooths.
    """
    live = np.column_stack([~across(np.logical_and, np.isnan(each.parts)) for each in readings])
    said = np.column_stack([or_zero(each.parts) for each in readings]) / len(readings)
    parts = windows.smooth(said, half_life)
    ends = np.cumsum([len(each.inputs) for each in readings])
    blocks = np.column_stack([across(np.add, part) for part in np.split(parts, ends[:-1], axis=1)])
    return Score(live, parts, blocks, across(np.add, blocks))


def _of_form_2(
    regime: pd.Series, blocks: pd.DataFrame, gate: Gate, live: Array, config: SignalConfig
) -> dict[str, Any]:
    """What form 2 tells beside form 1: the kind of scarcity, and which blocks are young."""
    young = live & (live.cumsum(axis=0) <= FIRST_YEAR)
    return {
        "kind": scarcity(regime, blocks[drain.NAME], blocks.sum(axis=1), gate.g, config),
        "young": pd.DataFrame(young, blocks.index, blocks.columns),
    }


def read_blocks(facts: Facts, config: SignalConfig, further: Sequence[BlockBuilder] = ()) -> list[Reading]:
    """Read every block, before weight and smoothing.

    Args:
        facts: what blocks are made from.
        config: of the signal.
        further: builders of blocks beside those of `BLOCKS`.

    Raises:
        InputError: see `liquidity_signal`.
    """
    theirs = facts.once(
        "further blocks", config, lambda keys: [raw_block(build(facts.data, keys)) for build in further]
    )
    if config.form == 1:
        raw = facts.once("blocks of form 1", config, lambda keys: [build(facts, keys) for build in BLOCKS])
        _require_distinct([block.name for block in (*raw, *theirs)])
        blocks = add_inputs([*raw, *theirs], facts, config.inputs)
        return [standard_reading(block, config, facts.windows) for block in blocks]
    readings = [read(facts, config) for read in FORM_2]
    names = [reading.name for reading in readings]
    _require_distinct([*names, *(block.name for block in theirs)])
    added = add_inputs(theirs, facts, [each for each in config.inputs if each.block not in names], names)
    return [*readings, *(standard_reading(block, config, facts.windows) for block in added)]


def _require_sessions(sessions: pd.DatetimeIndex) -> None:
    if sessions.tz is not None or not sessions.is_unique or not sessions.is_monotonic_increasing:
        raise InputError(
            f"sessions: got {len(sessions)} that are not naive dates in increasing order, wanted those of data.clock"
        )


def _require_distinct(names: Sequence[str]) -> None:
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"signal: got two blocks named {', '.join(doubled)}, wanted each name once; rename one")
