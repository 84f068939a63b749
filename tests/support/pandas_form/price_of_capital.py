"""The price of water: changes of sovereign yields and of the credit spread. Rising is scarcer."""

import pandas as pd

from data.catalogue.series import series_entry
from pandas_form.observations import as_known, basis_points, series_observations
from pandas_form.standardize import nested_mean, trailing_z
from signals.block import Block, BlockInput, SignalData
from signals.config import SignalConfig
from signals.standardize import FirstPresent, Grouping

NAME = "price_of_capital"
NOMINAL_YIELD, REAL_YIELD = SOVEREIGN_YIELDS = ("DGS10", "DFII10")
JOINT_RISE = f"{NAME}.joint_rise"


def price_of_capital_series(config: SignalConfig) -> tuple[str, ...]:
    """Names of the series that the block needs: sovereign yields, then credit spreads in order of preference."""
    return (*SOVEREIGN_YIELDS, *config.credit_spread.split("_else_"))


def price_of_capital_block(data: SignalData, config: SignalConfig) -> Block:
    """Half sovereign (the mean of nominal and real 10-year), half credit; each the mean over the change horizons.

    Inputs are changes in basis points over `config.change_sessions` sessions, each between the value known at the
    decision and the value known at the decision so many sessions before; NaN where one of them is missing or too old.

    Of two credit spreads, each is differenced and standardized by itself, and at each horizon the first one that has a
    z-score stands for both. With `config.mark_joint_rises` there is a third part: `joint_rise`.

    Raises:
        InputError: see `signals.observations.series_observations`.
    """
    changes = {name: _changes(data, config, name) for name in price_of_capital_series(config)}
    inputs = [each for of_series in changes.values() for each in of_series]
    nominal, real, *spreads = (tuple(each.name for each in of_series) for of_series in changes.values())
    sovereign: Grouping = (nominal, real)
    credit: Grouping = (
        spreads[0] if len(spreads) == 1 else tuple(FirstPresent(pair) for pair in zip(*spreads, strict=True))
    )
    if not config.mark_joint_rises:
        return Block(name=NAME, inputs=tuple(inputs), grouping=(sovereign, credit))
    mark = joint_rise(inputs, sovereign, credit, config)
    return Block(name=NAME, inputs=(*inputs, mark), grouping=(sovereign, credit, mark.name))


def joint_rise(inputs: list[BlockInput], sovereign: Grouping, credit: Grouping, config: SignalConfig) -> BlockInput:
    """Mark sovereign yields and credit spreads that rise together, which is what scarcity looks like.

    Yields that rise on growth come with falling spreads, spreads that rise on fear with falling yields. The mark is the
    smaller of the two z-scores where both are above 0, and 0 elsewhere: how far both have risen beyond what is usual.

    Args:
        inputs: changes of yields and spreads.
        sovereign: how the former are averaged, by name.
        credit: how the latter are.
        config: of the z-scores.

    Returns:
        An input in standard deviations, from 0; NaN where one of the two is missing.
    """
    z = trailing_z(pd.DataFrame({each.name: each.value for each in inputs}), config)
    halves = pd.concat([nested_mean(sovereign, z), nested_mean(credit, z)], axis=1)
    return BlockInput(
        name=JOINT_RISE,
        unit="standard deviations",
        value=halves.min(axis=1, skipna=False).clip(lower=0.0),
        scarcer_when=+1,
        observed=pd.concat([each.observed for each in inputs], axis=1).max(axis=1),
        known=pd.concat([each.known for each in inputs], axis=1).max(axis=1),
    )


def _changes(data: SignalData, config: SignalConfig, name: str) -> list[BlockInput]:
    observations = series_observations(data.series, name)
    known = as_known(observations, data.sessions, series_entry(name).stale_after_days)
    return [
        BlockInput(
            name=f"{NAME}.{name}_{horizon}",
            unit="basis points",
            value=basis_points(known["value"].diff(horizon)),
            scarcer_when=+1,
            observed=known["observed"],
            known=known["known"],
        )
        for horizon in config.change_sessions
    ]
