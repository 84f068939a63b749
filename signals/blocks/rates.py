"""Changes of yields and spreads, in basis points."""

import numpy as np

from signals.known import Array


def change_over(values: Array, sessions: int) -> Array:
    """What a value is above that of so many sessions before; NaN where one of them is missing.

    Args:
        values: by session.
        sessions: from 1.
    """
    change = np.full(len(values), np.nan)
    change[sessions:] = values[sessions:] - values[: max(len(values) - sessions, 0)]
    return change


def rounded_basis_points(difference: Array) -> Array:
    """Turn differences of rates from percentage points into basis points; NaN stays NaN.

    Rounded to a millionth: this takes off what binary fractions add, so that a rate that did not move gives exactly 0.
    """
    points: Array = np.round(100 * difference, 6)
    return points
