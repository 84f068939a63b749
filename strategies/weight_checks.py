"""What target weights must be, whoever made them."""

import pandas as pd

from data.errors import InputError

# Weights that add up to 1 by more than this are leverage, not rounding.
ROUNDING = 1e-9


def require_weights(weights: pd.DataFrame, tradable: pd.DataFrame) -> pd.DataFrame:
    """Return target weights as floats, if they are such: for policies that others have written.

    Args:
        weights: what a policy returned.
        tradable: sessions by symbols, as it was given.

    Raises:
        InputError: another shape, or a weight that is blank, negative, of what is not tradable, or makes the session's
            weights add up to more than 1; names the first session and symbol.
    """
    if not isinstance(weights, pd.DataFrame):
        raise InputError(f"got {type(weights).__name__}, wanted target weights as a DataFrame: sessions by symbols")
    if not weights.index.equals(tradable.index) or list(weights.columns) != list(tradable.columns):
        raise InputError(
            f"got target weights of shape {weights.shape}, wanted the index and the columns of tradable, "
            f"{tradable.shape}"
        )
    if any(dtype.kind == "c" for dtype in weights.dtypes):
        raise InputError("got target weights that are complex numbers, wanted fractions of equity")
    try:
        wanted = weights.astype(float)
    except (TypeError, ValueError) as error:
        raise InputError(f"got target weights that are no numbers ({error}), wanted fractions of equity") from error
    _refuse(wanted.isna(), wanted, "wanted a number; 0 for none")
    _refuse(wanted < 0, wanted, "wanted 0 or more: short sales are not offered")
    _refuse((wanted != 0) & ~tradable, wanted, "but it cannot be traded then (see tradable), wanted 0")
    total = wanted.sum(axis=1)
    excess = wanted.gt(0).mul(total > 1 + ROUNDING, axis=0)
    _refuse(excess, wanted, "and the session's weights add up to more than 1, wanted at most 1: no borrowing")
    return wanted


def _refuse(faults: pd.DataFrame, weights: pd.DataFrame, wanted: str) -> None:
    if not faults.any(axis=None):
        return
    session = faults.index[faults.any(axis=1)][0]
    symbol = faults.columns[faults.loc[session]][0]
    raise InputError(
        f"target weights for {session.date()}: got {weights.loc[session, symbol]:g} for {symbol}, {wanted}"
    )
