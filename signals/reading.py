"""What a block says at every session: from its inputs, each as known at every decision, to parts of the score."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from signals.block import Block
from signals.capex.gate import Gate
from signals.config import SignalConfig
from signals.known import Array, microseconds
from signals.rows import across
from signals.standardize import Grouping, nested_weights, trailing_scale, trailing_z
from signals.windows import PLAIN, Windows


class RawInput(NamedTuple):
    """One input of a block before standardization, by session.

    Attributes:
        name: "block.input".
        unit: of `value`, for people.
        value: in its unit; NaN where missing or too old.
        scarcer_when: +1 where a higher value means scarcer money, -1 where a lower one does.
        observed: the day that the newest observation known is about; `NAT` where there is none.
        known: when what is known of it last changed; `NAT` where nothing is.
    """

    name: str
    unit: str
    value: Array
    scarcer_when: int
    observed: Array
    known: Array


@dataclass(frozen=True)
class RawBlock:
    """A block before standardization.

    Attributes:
        name: of the block.
        inputs: in the order in which they are shown.
        grouping: how their z-scores are averaged, by name.
        gate: of idle money, where the block's values depend on it.
        notes: sentences on what people must know of it.
    """

    name: str
    inputs: tuple[RawInput, ...]
    grouping: Grouping
    gate: Gate | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """What a block says, before its weight and before smoothing.

    Attributes:
        name: of the block.
        inputs: as they were known.
        parts: (sessions, inputs): what each gives to the block. Rows add up to it; a missing input gives 0, and where
            the block is missing the whole row is NaN.
        gate: of idle money, where there is one.
        notes: sentences on what people must know of it.
    """

    name: str
    inputs: tuple[RawInput, ...]
    parts: Array
    gate: Gate | None = None
    notes: tuple[str, ...] = field(default=())


def standard_reading(block: RawBlock, config: SignalConfig, windows: Windows = PLAIN) -> Reading:
    """Read a block by z-scores, averaged as its grouping says, and scaled to unit trailing deviation.

    The block is missing where it has no input, or too few values for its scale.
    """
    names = tuple(each.name for each in block.inputs)
    z = trailing_z(np.column_stack([each.scarcer_when * each.value for each in block.inputs]), config, windows)
    present = ~np.isnan(z)
    parts = np.where(present, z, 0.0) * nested_weights(block.grouping, names, present)
    whole = np.where(across(np.logical_or, present), across(np.add, parts), np.nan)
    scale = np.where(np.isnan(whole), np.nan, trailing_scale(whole, config, windows))
    return Reading(block.name, block.inputs, parts / scale[:, None], block.gate, block.notes)


def silent_reading(reading: Reading) -> Reading:
    """Return the same block without data: it gives nothing and is not live."""
    inputs = tuple(each._replace(value=np.full_like(each.value, np.nan)) for each in reading.inputs)
    return Reading(reading.name, inputs, np.full_like(reading.parts, np.nan), reading.gate, reading.notes)


def raw_block(block: Block) -> RawBlock:
    """Take a block of tables apart into arrays."""
    inputs = tuple(
        RawInput(
            name=each.name,
            unit=each.unit,
            value=each.value.to_numpy(dtype=float),
            scarcer_when=each.scarcer_when,
            observed=microseconds(each.observed),
            known=microseconds(each.known),
        )
        for each in block.inputs
    )
    return RawBlock(block.name, inputs, block.grouping)
