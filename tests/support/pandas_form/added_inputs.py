"""Inputs that a spec adds to the blocks: any series of the snapshot, as known at each decision."""

from collections.abc import Sequence
from dataclasses import replace

from data.catalogue.series import series_entry
from data.errors import InputError
from pandas_form.observations import as_known, basis_points, series_observations, trailing_mean
from signals.block import Block, BlockInput, SignalData
from signals.config import InputConfig


def add_inputs(blocks: Sequence[Block], data: SignalData, inputs: Sequence[InputConfig]) -> list[Block]:
    """Let each input join its block as one more member of the block's outermost average.

    Args:
        blocks: before standardization.
        data: what inputs are made from.
        inputs: in the order in which they join.

    Raises:
        InputError: there is no such block, or it has an input of that name; see `configured_input` too.
    """
    by_name = {block.name: block for block in blocks}
    for config in inputs:
        if config.block not in by_name:
            raise InputError(
                f"signal input {config.name}: got the block {config.block}, wanted one of {', '.join(by_name)}"
            )
        block, added = by_name[config.block], configured_input(data, config)
        if added.name in {each.name for each in block.inputs}:
            raise InputError(f"signal input {added.name} stands twice; give one another name")
        outermost = block.grouping if isinstance(block.grouping, tuple) else (block.grouping,)
        by_name[config.block] = replace(block, inputs=(*block.inputs, added), grouping=(*outermost, added.name))
    return list(by_name.values())


def configured_input(data: SignalData, config: InputConfig) -> BlockInput:
    """Make one input as its configuration says.

    A change of a series in percent is in basis points; everything else is in the unit of the series.

    Raises:
        InputError: the catalogue or the snapshot lacks the series; see `signals.observations.series_observations`.
    """
    entry = series_entry(config.series)
    observations = series_observations(data.series, config.series)
    if config.transform == "mean" and config.length is not None:
        observations = trailing_mean(observations, config.length)
    known = as_known(observations, data.sessions, entry.stale_after_days)
    value, unit = known["value"], entry.unit
    if config.transform == "change" and config.length is not None:
        value = value.diff(config.length)
        if unit == "percent":
            value, unit = basis_points(value), "basis points"
    return BlockInput(
        name=f"{config.block}.{config.name}",
        unit=unit.replace("_", " "),
        value=value,
        scarcer_when=+1 if config.scarcer_when == "higher" else -1,
        observed=known["observed"],
        known=known["known"],
    )
