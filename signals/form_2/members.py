"""Inputs that a spec adds to a block of form 2: one more member of its average."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from data.errors import InputError
from signals.blocks.added_inputs import configured_input
from signals.config import InputConfig, SignalConfig
from signals.facts import Facts
from signals.form_2.scales import change_over_usual
from signals.known import Array
from signals.reading import RawInput, Reading
from signals.rows import across, or_zero
from signals.standardize import clipped, unclipped_z
from signals.windows import Windows


def added_members(facts: Facts, block: str, config: SignalConfig) -> tuple[list[RawInput], list[Array]]:
    """Make and read the inputs that a spec adds to a block: a change by its usual size, anything else by its z-score.

    None of it is clipped yet.

    Returns:
        The inputs, and what each reads, + scarcer.

    Raises:
        InputError: two inputs have one name; see `signals.blocks.added_inputs.configured_input` too.
    """
    inputs, readings = list[RawInput](), list[Array]()
    for each, made in facts.once(f"added to {block}", config, lambda keys: _made(facts, block, keys)):
        if made.name in {one.name for one in inputs}:
            raise InputError(f"signal input {made.name} stands twice; give one another name")
        inputs.append(made)
        readings.append(made.scarcer_when * _reading(made.value, each, config, facts.windows))
    return inputs, readings


def with_members(reading: Reading, facts: Facts, config: SignalConfig) -> Reading:
    """Average a block with the inputs that a spec adds to it; what is missing drops out.

    Raises:
        InputError: an added input has the name of one that is there; see `added_members`.
    """
    inputs, readings = added_members(facts, reading.name, config)
    if not inputs:
        return reading
    require_new(inputs, reading.inputs)
    added = clipped(np.column_stack(readings), config)
    block = ~across(np.logical_and, np.isnan(reading.parts))
    live = block.astype(float) + (~np.isnan(added)).sum(axis=1)
    parts = np.column_stack([np.where(block[:, None], reading.parts, 0.0), or_zero(added)])
    with np.errstate(invalid="ignore"):
        mean = np.where(live[:, None] > 0, parts / live[:, None], np.nan)
    return replace(reading, inputs=(*reading.inputs, *inputs), parts=mean)


def require_new(added: Sequence[RawInput], there: Sequence[RawInput]) -> None:
    """Refuse an added input with the name of one that is there."""
    names = {each.name for each in there}
    if doubled := [each.name for each in added if each.name in names]:
        raise InputError(f"signal input {doubled[0]} stands twice; give one another name")


def _made(facts: Facts, block: str, config: SignalConfig) -> list[tuple[InputConfig, RawInput]]:
    return [(each, configured_input(facts, each)) for each in config.inputs if each.block == block]


def _reading(value: Array, config: InputConfig, signal: SignalConfig, windows: Windows) -> Array:
    if config.transform == "change":
        return change_over_usual(value, signal, windows)
    z: Array = unclipped_z(value[:, None], signal, windows)[:, 0]
    return z
