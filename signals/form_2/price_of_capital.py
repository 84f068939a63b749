"""The price of water: sovereign yields and credit spreads that move together. Rising is scarcer."""

import numpy as np

from signals.blocks.price_of_capital import NAME, price_of_capital_series, rate_changes
from signals.config import SignalConfig
from signals.facts import Facts
from signals.form_2.members import with_members
from signals.form_2.scales import change_reading, root_mean_square, scaled
from signals.known import Array
from signals.reading import RawInput, Reading
from signals.standardize import FirstPresent, Grouping, nested_mean, nested_weights


def price_of_capital_reading(facts: Facts, config: SignalConfig) -> Reading:
    """The joint move of sovereign yields (the mean of nominal and real 10-year) and of the credit spread.

    Each half is the mean of what its changes over `config.change_sessions` read, over its own root mean square. Where
    both rise the block is the smaller of the two, where both fall the smaller in size, and elsewhere 0; over its own
    root mean square, and clipped. Missing where one half is. All of it is given to the half that binds.

    Raises:
        InputError: see `signals.facts.Facts.series`.
    """
    changes = [rate_changes(facts, config, name) for name in price_of_capital_series(config)]
    inputs = tuple(each for of_series in changes for each in of_series)
    nominal, real, *spreads = (tuple(each.name for each in of_series) for of_series in changes)
    credit: Grouping = spreads[0] if len(spreads) == 1 else tuple(map(FirstPresent, zip(*spreads, strict=True)))
    readings = np.column_stack([change_reading(each.value, config) for each in inputs])
    halves = [_half(grouping, inputs, readings, config) for grouping in ((nominal, real), credit)]
    joint, binds = joint_move(halves[0][0], halves[1][0])
    usual = root_mean_square(joint, config, config.min_scale_sessions)
    block = scaled(joint, config, config.clip)
    with np.errstate(invalid="ignore", divide="ignore"):
        # What the block is, over the half that binds before any clip: each part keeps its share.
        share = np.where((joint == 0) | (usual < 1e-9), 0.0, block / joint)
    parts = sum(
        np.where((binds == place)[:, None], of_half * share[:, None], 0.0) for place, (_, of_half) in enumerate(halves)
    )
    parts = np.where(np.isnan(block)[:, None], np.nan, parts)
    return with_members(Reading(NAME, inputs, parts), facts, config)


def joint_move(sovereign: Array, credit: Array) -> tuple[Array, Array]:
    """Find how far two halves have moved together.

    Args:
        sovereign: by session, + rising; NaN where missing.
        credit: likewise.

    Returns:
        The smaller where both are above 0, the larger where both are below, else 0; NaN where one is missing. And which
        half that is: 0 sovereign, 1 credit, -1 neither.
    """
    low, high = np.minimum(sovereign, credit), np.maximum(sovereign, credit)
    joint = np.where(low > 0, low, np.where(high < 0, high, 0.0))
    joint = np.where(np.isnan(low), np.nan, joint)
    binds = np.where(joint == sovereign, 0, 1)
    return joint, np.where((joint == 0) | np.isnan(joint), -1, binds)


def _half(
    grouping: Grouping, inputs: tuple[RawInput, ...], readings: Array, config: SignalConfig
) -> tuple[Array, Array]:
    """One half over its own root mean square, and what each input gives to it."""
    names = tuple(each.name for each in inputs)
    mean = nested_mean(grouping, names, readings)
    half = scaled(mean, config)
    weighted = np.nan_to_num(readings) * nested_weights(grouping, names, ~np.isnan(readings))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(mean == 0, 0.0, half / mean)
    return half, weighted * share[:, None]
