"""The price of water: changes of sovereign yields and of the credit spread. Rising is scarcer."""

import numpy as np

from data.catalogue.series import series_entry
from signals.blocks.rates import change_over, rounded_basis_points
from signals.config import SignalConfig
from signals.facts import Facts
from signals.known import known_values, latest
from signals.reading import RawBlock, RawInput
from signals.standardize import FirstPresent, Grouping, nested_mean, trailing_z

NAME = "price_of_capital"
NOMINAL_YIELD, REAL_YIELD = SOVEREIGN_YIELDS = ("DGS10", "DFII10")
JOINT_RISE = f"{NAME}.joint_rise"


def price_of_capital_series(config: SignalConfig) -> tuple[str, ...]:
    """Names of the series that the block needs: sovereign yields, then credit spreads in order of preference."""
    return (*SOVEREIGN_YIELDS, *config.credit_spread.split("_else_"))


def price_of_capital_block(facts: Facts, config: SignalConfig) -> RawBlock:
    """Half sovereign (the mean of nominal and real 10-year), half credit; each the mean over the change horizons.

    Inputs are changes in basis points over `config.change_sessions` sessions, each between the value known at the
    decision and the value known at the decision so many sessions before; NaN where one of them is missing or too old.

    Of two credit spreads, each is differenced and standardized by itself, and at each horizon the first one that has a
    z-score stands for both. With `config.mark_joint_rises` there is a third part: `joint_rise`.

    Raises:
        InputError: see `signals.facts.Facts.series`.
    """
    changes = [rate_changes(facts, config, name) for name in price_of_capital_series(config)]
    inputs = tuple(each for of_series in changes for each in of_series)
    nominal, real, *spreads = (tuple(each.name for each in of_series) for of_series in changes)
    sovereign: Grouping = (nominal, real)
    credit: Grouping = (
        spreads[0] if len(spreads) == 1 else tuple(FirstPresent(pair) for pair in zip(*spreads, strict=True))
    )
    if not config.mark_joint_rises:
        return RawBlock(NAME, inputs, (sovereign, credit))
    mark = joint_rise(inputs, sovereign, credit, config)
    return RawBlock(NAME, (*inputs, mark), (sovereign, credit, mark.name))


def joint_rise(inputs: tuple[RawInput, ...], sovereign: Grouping, credit: Grouping, config: SignalConfig) -> RawInput:
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
    names = tuple(each.name for each in inputs)
    z = trailing_z(np.column_stack([each.value for each in inputs]), config)
    smaller = np.minimum(nested_mean(sovereign, names, z), nested_mean(credit, names, z))
    return RawInput(
        name=JOINT_RISE,
        unit="standard deviations",
        value=np.where(np.isnan(smaller), np.nan, np.maximum(smaller, 0.0)),
        scarcer_when=+1,
        observed=latest([each.observed for each in inputs]),
        known=latest([each.known for each in inputs]),
    )


def rate_changes(facts: Facts, config: SignalConfig, name: str) -> list[RawInput]:
    """The changes of one yield or spread over `config.change_sessions`, in basis points."""
    known = known_values(facts.series(name), facts.sessions, series_entry(name).stale_after_days)
    return [
        RawInput(
            name=f"{NAME}.{name}_{horizon}",
            unit="basis points",
            value=rounded_basis_points(change_over(known.value, horizon)),
            scarcer_when=+1,
            observed=known.observed,
            known=known.known,
        )
        for horizon in config.change_sessions
    ]
