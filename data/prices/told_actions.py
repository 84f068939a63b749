"""Actions as sources and files tell them, brought into the kinds in which a market keeps them."""

from typing import Any

import pandas as pd

from data.catalogue.spin_offs import FACTOR_TOLERANCE, known_spin_off
from data.errors import InputError
from data.prices.adjustment import CASH, SPIN_OFF, SPLIT


def added_up(actions: pd.DataFrame) -> pd.DataFrame:
    """Add what is paid more than once on one ex-date: a regular dividend and a special one are both paid.

    Args:
        actions: ``date``, ``kind``, ``value`` and ``known_at`` at least, and ``symbol`` where there are several.

    Returns:
        The same columns, one row an instrument, day and kind of payment; its latest `known_at`, its first other cells.

    Raises:
        InputError: two actions of another kind on one day.
    """
    key = [name for name in ("symbol", "date", "kind") if name in actions]
    repeated = actions.duplicated(key, keep=False)
    if not repeated.any():
        return actions
    wrong = actions[repeated & ~actions["kind"].isin(CASH)]
    if len(wrong):
        row = wrong.iloc[0]
        named = " ".join(str(row[name]) for name in key if name not in ("date", "kind"))
        raise InputError(
            f"{named + ': ' if named else ''}got two of kind {row['kind']} on {row['date'].date()}, wanted one; remove "
            "the other"
        )
    how = {name: "first" for name in actions.columns if name not in key} | {"value": "sum", "known_at": "max"}
    together = actions.groupby(key, as_index=False, sort=False).agg(how)
    return together[list(actions.columns)]


def with_spin_offs(symbol: str, actions: pd.DataFrame) -> pd.DataFrame:
    """Tell what was given in the spin-offs of one instrument, which sources tell as a split of the price factor.

    Args:
        symbol: of the instrument.
        actions: ``date``, ``kind`` and ``value`` at least. A split of about the factor of a spin-off that is known on
            its day is that spin-off, and so is a spin-off that names no ``into``.

    Returns:
        The same rows, with ``into`` and ``factor`` where they belong, and as ``value`` of a spin-off the units given
        for one that was held.

    Raises:
        InputError: a spin-off that names no ``into`` and is not known, or is known with another factor.
    """
    absent = {name: blank for name, blank in (("into", ""), ("factor", float("nan"))) if name not in actions}
    told = actions.assign(**absent).astype({"value": "float64", "factor": "float64"})
    if told.empty:
        return told
    rows = [_with_what_was_given(symbol, action) for action in told.to_dict("records")]
    return pd.DataFrame(rows, index=told.index).astype(told.dtypes.to_dict())


def _with_what_was_given(symbol: str, action: dict[Any, Any]) -> dict[Any, Any]:
    """One action; a spin-off that is known says what was given."""
    if action["kind"] not in (SPLIT, SPIN_OFF) or action["into"]:
        return action
    known = known_spin_off(symbol, action["date"].date())
    if known is not None and abs(action["value"] / known.factor - 1.0) <= FACTOR_TOLERANCE:
        return action | {"kind": SPIN_OFF, "value": known.ratio, "into": known.into, "factor": known.factor}
    if action["kind"] == SPIN_OFF:
        raise InputError(
            f"{symbol} {action['date'].date()}: got a spin-off of {action['value']:g} that does not say what was "
            "given, wanted its symbol in a column into, the units of it for one held in value, and in a column factor "
            "that of the price"
        )
    return action
