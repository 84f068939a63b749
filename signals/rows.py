"""What is done to each row of a few columns, quickly: numpy's own reductions begin anew for every row."""

import numpy as np

Array = np.ndarray

# From here on numpy adds a row up in another order, and so to other last bits.
_FEW = 8


def across(operation: np.ufunc, values: Array) -> Array:
    """Reduce each row, as ``operation.reduce(values, axis=1)`` does, to the bit.

    Args:
        operation: such as ``np.add`` or ``np.logical_or``.
        values: (rows, columns).
    """
    count = values.shape[1]
    if not 0 < count < _FEW:
        reduced: Array = operation.reduce(values, axis=1)
        return reduced
    total = values[:, 0].copy()
    for place in range(1, count):
        operation(total, values[:, place], out=total)
    return total


def or_zero(values: Array) -> Array:
    """Put 0 where a value is missing."""
    filled: Array = np.where(np.isnan(values), 0.0, values)
    return filled
