"""The signal's array functions on tables of pandas, by session: for tests that read better so."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from signals.block import Block, BlockInput, SignalData
from signals.blocks import added_inputs, drain, level, pipes, price_of_capital
from signals.capex import funding, gate, impulses, news, spending
from signals.capex.expectations import quarters_between as _quarters_between
from signals.capex.spending import Quarters
from signals.config import GateConfig, InputConfig, SignalConfig
from signals.facts import Facts
from signals.known import Known, microseconds, moments_of
from signals.liquidity import RawBuilder
from signals.reading import RawBlock, RawInput, raw_block, standard_reading
from signals.standardize import Grouping
from signals.standardize import nested_mean as _nested_mean
from signals.standardize import nested_weights as _nested_weights
from signals.standardize import trailing_scale as _trailing_scale
from signals.standardize import trailing_z as _trailing_z
from signals.windows import smooth


def known_frame(known: Known, sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """``value``, ``observed`` and ``known`` by session."""
    columns = {
        "value": known.value,
        "observed": moments_of(known.observed),
        "known": moments_of(known.known).tz_localize("UTC"),
    }
    return pd.DataFrame(columns, index=sessions)


def gate_frame(state: gate.Gate | None, sessions: pd.DatetimeIndex) -> pd.DataFrame | None:
    return None if state is None else pd.DataFrame(state._asdict(), index=sessions)


def block_input(raw: RawInput, sessions: pd.DatetimeIndex) -> BlockInput:
    frame = known_frame(Known(raw.value, raw.observed, raw.known), sessions)
    return BlockInput(raw.name, raw.unit, frame["value"], raw.scarcer_when, frame["observed"], frame["known"])


def block(raw: RawBlock, sessions: pd.DatetimeIndex) -> Block:
    inputs = tuple(block_input(each, sessions) for each in raw.inputs)
    return Block(raw.name, inputs, raw.grouping, gate_frame(raw.gate, sessions))


def _built(build: RawBuilder, data: SignalData, config: SignalConfig) -> Block:
    return block(build(Facts(data), config), data.sessions)


def drain_block(data: SignalData, config: SignalConfig) -> Block:
    return _built(drain.drain_block, data, config)


def level_block(data: SignalData, config: SignalConfig) -> Block:
    return _built(level.level_block, data, config)


def pipes_block(data: SignalData, config: SignalConfig) -> Block:
    return _built(pipes.pipes_block, data, config)


def price_of_capital_block(data: SignalData, config: SignalConfig) -> Block:
    return _built(price_of_capital.price_of_capital_block, data, config)


def joint_rise(inputs: Sequence[BlockInput], sovereign: Grouping, credit: Grouping, config: SignalConfig) -> BlockInput:
    given = raw_block(Block("price_of_capital", tuple(inputs), (sovereign, credit))).inputs
    made = price_of_capital.joint_rise(given, sovereign, credit, config)
    return block_input(made, pd.DatetimeIndex(inputs[0].value.index))


def configured_input(data: SignalData, config: InputConfig) -> BlockInput:
    return block_input(added_inputs.configured_input(Facts(data), config), data.sessions)


def add_inputs(blocks: Sequence[Block], data: SignalData, inputs: Sequence[InputConfig]) -> list[Block]:
    added = added_inputs.add_inputs([raw_block(each) for each in blocks], Facts(data), inputs)
    return [block(each, data.sessions) for each in added]


def raw_contributions(given: Block, config: SignalConfig) -> pd.DataFrame:
    """What each input gives to its block."""
    reading = standard_reading(raw_block(given), config)
    return pd.DataFrame(reading.parts, given.inputs[0].value.index, [each.name for each in given.inputs])


def smoothed(contributions: pd.DataFrame, config: SignalConfig) -> pd.DataFrame:
    made = smooth(contributions.to_numpy(dtype=float), config.half_life_sessions)
    return pd.DataFrame(made, contributions.index, contributions.columns)


def trailing_z(values: pd.DataFrame, config: SignalConfig) -> pd.DataFrame:
    return pd.DataFrame(_trailing_z(values.to_numpy(dtype=float), config), values.index, values.columns)


def trailing_scale(values: pd.Series, config: SignalConfig) -> pd.Series:
    return pd.Series(_trailing_scale(values.to_numpy(dtype=float), config), values.index)


def nested_weights(grouping: Grouping, present: pd.DataFrame) -> pd.DataFrame:
    names = tuple(map(str, present.columns))
    return pd.DataFrame(_nested_weights(grouping, names, present.to_numpy(dtype=bool)), present.index, names)


def nested_mean(grouping: Grouping, z: pd.DataFrame) -> pd.Series:
    return pd.Series(_nested_mean(grouping, tuple(map(str, z.columns)), z.to_numpy(dtype=float)), z.index)


def gate_state(ratio: pd.Series, config: GateConfig) -> pd.DataFrame:
    return pd.DataFrame(gate.gate_state(ratio.to_numpy(dtype=float), config)._asdict(), index=ratio.index)


def idle_money_gate(data: SignalData, config: SignalConfig) -> pd.DataFrame | None:
    return gate_frame(gate.idle_money_gate(Facts(data), config), data.sessions)


def capex_growth(companies: Sequence[Quarters], sessions: pd.DatetimeIndex, config: SignalConfig) -> pd.DataFrame:
    return known_frame(spending.capex_growth(companies, microseconds(sessions), config), sessions)


def capex_to_cash_flow(companies: Sequence[Quarters], sessions: pd.DatetimeIndex, config: SignalConfig) -> pd.DataFrame:
    return known_frame(spending.capex_to_cash_flow(companies, microseconds(sessions), config), sessions)


def trailing_capex(quarters: Quarters, moments: pd.DatetimeIndex, config: SignalConfig) -> pd.Series:
    return pd.Series(spending.trailing_capex(quarters, microseconds(moments), config), moments)


def fading_sum(
    events: pd.DataFrame, sessions: pd.DatetimeIndex, half_life_sessions: float, stale_after_days: int | None
) -> pd.DataFrame:
    """Of ``date``, ``value`` and ``known_at``."""
    days, known = microseconds(events["date"]), microseconds(events["known_at"])
    value = events["value"].to_numpy(dtype=float)
    faded = impulses.fading_sum(days, value, known, microseconds(sessions), half_life_sessions, stale_after_days)
    return known_frame(faded, sessions)


def capex_news(quarters: Mapping[str, Quarters], guidance: pd.DataFrame, config: SignalConfig) -> pd.DataFrame:
    return news.capex_news(quarters, guidance, config).table()


def fading_news(table: pd.DataFrame, kind: str, sessions: pd.DatetimeIndex, config: SignalConfig) -> pd.DataFrame:
    rows = zip(
        microseconds(table["known_at"]).tolist(),
        microseconds(table["date"]).tolist(),
        *(table[name].tolist() for name in ("company", "kind", "about", "usd_bn", "expected_usd_bn", "rests_on")),
        strict=True,
    )
    given = news.News(tuple(news.Announced(*row) for row in rows), table["news"].to_numpy(), table["weight"].to_numpy())
    return known_frame(news.fading_news(given, kind, microseconds(sessions), config), sessions)


def funding_shares(events: pd.DataFrame, quarters: Mapping[str, Quarters], config: SignalConfig) -> pd.DataFrame:
    return funding.funding_shares(events, quarters, config).table()


def outside_funding(shares: pd.DataFrame, sessions: pd.DatetimeIndex, config: SignalConfig) -> pd.DataFrame:
    counted = shares.dropna(subset="value")
    return fading_sum(counted, sessions, config.funding_half_life_sessions, config.capex_stale_days)


def quarters_between(earlier: np.datetime64, later: np.datetime64) -> int | None:
    days = pd.DatetimeIndex([earlier, later]).as_unit("us").asi8.tolist()
    return _quarters_between(*days)
