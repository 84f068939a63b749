"""The price of water: sovereign yields and credit spreads that move together. Rising is scarcer."""

import numpy as np

from signals.blocks.price_of_capital import NAME, price_of_capital_series, rate_changes
from signals.config import SignalConfig
from signals.facts import Facts
from signals.form_2.members import with_members
from signals.form_2.scales import NOTHING, change_over_usual, over_usual, root_mean_square, scaled
from signals.known import Array
from signals.reading import RawInput, Reading
from signals.rows import across
from signals.standardize import FirstPresent, Grouping, Weighed, clipped, weigh
from signals.windows import Windows


def price_of_capital_reading(facts: Facts, config: SignalConfig) -> Reading:
    """The joint move of sovereign yields (the mean of nominal and real 10-year) and of the credit spread.

    Each half is the mean of what its changes over `config.change_sessions` read, over its own root mean square. Where
    both rise the block is the smaller of the two, where both fall the smaller in size, and elsewhere 0; over its own
    root mean square, and clipped. Missing where one half is. All of it is given to the half that binds.

    Raises:
        InputError: see `signals.facts.Facts.series`.
    """
    inputs, weighed = facts.once("rates over what is usual", config, lambda keys: _weighed(facts, keys))
    halves = [_half(each, config, facts.windows) for each in weighed]
    joint, binds = joint_move(halves[0][0], halves[1][0])
    usual_joint = root_mean_square(joint, config, config.min_scale_sessions, facts.windows)
    block = clipped(over_usual(joint, usual_joint), config)
    with np.errstate(invalid="ignore", divide="ignore"):
        # What the block is, over the half that binds before any clip: each part keeps its share.
        share = np.where((joint == 0) | (usual_joint < NOTHING), 0.0, block / joint)
    # Where a half is missing the block is, and the row with it.
    of_sovereign, of_credit = (
        of_half * np.where(binds == place, share, 0.0)[:, None] for place, (_, of_half) in enumerate(halves)
    )
    parts = of_sovereign + of_credit
    parts[np.isnan(block)] = np.nan
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


def _changes(facts: Facts, config: SignalConfig) -> list[list[RawInput]]:
    return [rate_changes(facts, config, name) for name in price_of_capital_series(config)]


def _weighed(facts: Facts, config: SignalConfig) -> tuple[tuple[RawInput, ...], list[Weighed]]:
    """The changes, and what they read by what is usual of each, as either half weighs them."""
    changes = facts.once("changes of rates", config, lambda keys: _changes(facts, keys))
    inputs = tuple(each for of_series in changes for each in of_series)
    nominal, real, *spreads = (tuple(each.name for each in of_series) for of_series in changes)
    credit: Grouping = spreads[0] if len(spreads) == 1 else tuple(map(FirstPresent, zip(*spreads, strict=True)))
    readings = np.column_stack([change_over_usual(each.value, config, facts.windows) for each in inputs])
    names = tuple(each.name for each in inputs)
    return inputs, [weigh(readings, grouping, names) for grouping in ((nominal, real), credit)]


def _half(weighed: Weighed, config: SignalConfig, windows: Windows) -> tuple[Array, Array]:
    """One half over its own root mean square, and what each input gives to it."""
    weighted = weighed.parts(config)
    mean = across(np.add, weighted)
    half = scaled(mean, config, windows)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(mean == 0, 0.0, half / mean)
    return half, weighted * share[:, None]
