"""The signal in the form that it had in version 0.1.0, table by table in pandas: what the arrays must equal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from data.errors import InputError
from pandas_form import level
from pandas_form.added_inputs import add_inputs
from pandas_form.drain import drain_block
from pandas_form.level import level_block
from pandas_form.pipes import pipes_block, pipes_series
from pandas_form.price_of_capital import price_of_capital_block, price_of_capital_series
from pandas_form.regime import regime_path
from pandas_form.standardize import nested_weights, trailing_scale, trailing_z
from signals.block import Block, BlockBuilder, SignalData
from signals.config import SignalConfig

BLOCKS: tuple[BlockBuilder, ...] = (drain_block, price_of_capital_block, level_block, pipes_block)


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
        units: unit of each input, for people.
        needed_blocks: live blocks below which the regime is NEUTRAL.
        is_given: True where the regime is taken as it is from a source; no threshold applies.
        probability: of each regime by session, see `signals.models.estimate`; None for a model that has none.
        notes: sentences on what people must know of the regime model.
        gate: state of the gate of idle money by session: ratio (trailing capex over operating cash flow), g (0 to 1),
            multiplier (of the growth of capex); NaN where the ratio is missing. None where no block has one.
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
    needed_blocks: int = 2
    is_given: bool = False
    probability: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()
    gate: pd.DataFrame | None = None


def required_series(config: SignalConfig) -> tuple[str, ...]:
    """Names of the series that the signal needs under this configuration, each once; none where a source is given.

    Blocks of users may read others.
    """
    if config.source is not None:
        return ()
    added = (each.series for each in config.inputs)
    return tuple(dict.fromkeys((*price_of_capital_series(config), *level.SERIES, *pipes_series(config), *added)))


def liquidity_signal(
    data: SignalData, config: SignalConfig, builders: Sequence[BlockBuilder] = BLOCKS
) -> LiquiditySignal:
    """Compute the liquidity regime of every session from what was known at its decision.

    z-scores, scales, smoothing and regime look back: give all sessions for which there are observations and take from
    the result those that are needed.

    Args:
        data: with the series of `required_series` and the companies of `config`.
        config: of the signal.
        builders: of the blocks; all blocks weigh the same.

    Raises:
        InputError: sessions are not naive dates in order; a series or company has no row or a bad one; two blocks have
            one name, or an added input does not fit (see `signals.blocks.added_inputs`).
    """
    _require_sessions(data.sessions)
    blocks = [build(data, config) for build in builders]
    _require_distinct([block.name for block in blocks])
    blocks = add_inputs(blocks, data, config.inputs)
    weight = 1 / len(blocks)
    raw = {block.name: raw_contributions(block, config) for block in blocks}
    live_blocks = sum(
        (parts.notna().any(axis=1).astype(int) for parts in raw.values()), start=pd.Series(0, index=data.sessions)
    )
    smooth = {name: smoothed(weight * parts.fillna(0.0), config) for name, parts in raw.items()}
    contributions = pd.DataFrame({name: parts.sum(axis=1) for name, parts in smooth.items()})
    score = contributions.sum(axis=1).rename("score")
    inputs = [each for block in blocks for each in block.inputs]
    return LiquiditySignal(
        score=score,
        regime=regime_path(score, live_blocks, config),
        blocks=contributions,
        inputs=pd.concat(smooth.values(), axis=1),
        values=pd.DataFrame({each.name: each.value for each in inputs}),
        observed=pd.DataFrame({each.name: each.observed for each in inputs}),
        known=pd.DataFrame({each.name: each.known for each in inputs}),
        live_blocks=live_blocks.rename("live_blocks"),
        units={each.name: each.unit for each in inputs},
        gate=next((block.gate for block in blocks if block.gate is not None), None),
    )


def raw_contributions(block: Block, config: SignalConfig) -> pd.DataFrame:
    """What each input gives to its block, scaled to unit trailing deviation, before block weight and smoothing.

    Returns:
        Sessions by inputs. Rows add up to the block; a missing input gives 0, and where the block is missing (no input,
        or too few values for its scale) the whole row is NaN.
    """
    scarcity = pd.DataFrame({each.name: each.scarcer_when * each.value for each in block.inputs})
    z = trailing_z(scarcity, config)
    weights = nested_weights(block.grouping, z.notna())[list(z.columns)]
    parts = (z * weights).fillna(0.0)
    whole = parts.sum(axis=1).where(z.notna().any(axis=1))
    return parts.div(trailing_scale(whole, config).where(whole.notna()), axis=0)


def smoothed(contributions: pd.DataFrame, config: SignalConfig) -> pd.DataFrame:
    """Smooth exponentially, from the first row on: s = a x + (1 - a) s before, with `config.half_life_sessions`.

    Being linear, it leaves parts adding up to their sum. No NaN in, none out; same shape.
    """
    return contributions.ewm(halflife=config.half_life_sessions, adjust=False).mean()


def _require_sessions(sessions: pd.DatetimeIndex) -> None:
    if sessions.tz is not None or not sessions.is_unique or not sessions.is_monotonic_increasing:
        raise InputError(
            f"sessions: got {len(sessions)} that are not naive dates in increasing order, wanted those of data.clock"
        )


def _require_distinct(names: Sequence[str]) -> None:
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"signal: got two blocks named {', '.join(doubled)}, wanted each name once; rename one")
