"""Inputs that a spec adds to the blocks: any series of the snapshot, as known at each decision."""

from collections.abc import Sequence
from dataclasses import replace

from data.errors import InputError
from signals.blocks.rates import change_over, rounded_basis_points
from signals.config import InputConfig
from signals.facts import Facts
from signals.known import known_values, mean_of_newest
from signals.reading import RawBlock, RawInput


def add_inputs(
    blocks: Sequence[RawBlock], facts: Facts, inputs: Sequence[InputConfig], others: Sequence[str] = ()
) -> list[RawBlock]:
    """Let each input join its block as one more member of the block's outermost average.

    Args:
        blocks: before standardization.
        facts: what inputs are made from.
        inputs: in the order in which they join.
        others: names of blocks that have taken theirs already.

    Raises:
        InputError: there is no such block, or it has an input of that name; see `configured_input` too.
    """
    by_name = {block.name: block for block in blocks}
    for config in inputs:
        if config.block not in by_name:
            wanted = ", ".join([*others, *by_name])
            raise InputError(f"signal input {config.name}: got the block {config.block}, wanted one of {wanted}")
        block, added = by_name[config.block], configured_input(facts, config)
        if added.name in {each.name for each in block.inputs}:
            raise InputError(f"signal input {added.name} stands twice; give one another name")
        outermost = block.grouping if isinstance(block.grouping, tuple) else (block.grouping,)
        by_name[config.block] = replace(block, inputs=(*block.inputs, added), grouping=(*outermost, added.name))
    return list(by_name.values())


def configured_input(facts: Facts, config: InputConfig) -> RawInput:
    """Make one input as its configuration says.

    A change of a series in percent is in basis points; everything else is in the unit of the series.

    Raises:
        InputError: the catalogue or the snapshot lacks the series; see `signals.facts.Facts.series`.
    """
    entry = facts.data.catalogue.series_entry(config.series)
    observations = facts.series(config.series)
    if config.transform == "mean" and config.length is not None:
        observations = mean_of_newest(observations, config.length)
    known = known_values(observations, facts.sessions, entry.stale_after_days)
    value, unit = known.value, entry.unit
    if config.transform == "change" and config.length is not None:
        value = change_over(value, config.length)
        if unit == "percent":
            value, unit = rounded_basis_points(value), "basis points"
    return RawInput(
        name=f"{config.block}.{config.name}",
        unit=unit.replace("_", " "),
        value=value,
        scarcer_when=+1 if config.scarcer_when == "higher" else -1,
        observed=known.observed,
        known=known.known,
    )
