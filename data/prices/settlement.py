"""Contradictions between what a source tells of an instrument and its own adjusted close, settled.

The adjusted close says by how much each dividend and split moved the price, and Yahoo's is right far more often than
its list of them. What it denies is set aside, with the reason; what the prices as traded confirm and it denies is
refused.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from data.errors import InputError
from data.prices.adjustment import CASH, SPIN_OFF, SPLIT, cash_shares, units_to_come

# A step of the adjusted close and what explains it may lie apart by so much of the price. Where the adjusted close says
# that something was paid, several times as much is denied too, if that is more than adjusted closes are rounded by.
BOUND, TIMES, LEAST = 0.02, 5.0, 5e-4
# A split of a few percent cannot be told from a move of the day.
_TOLD_FROM_A_MOVE = np.log(1.25)


@dataclass(frozen=True)
class Settled:
    """Actions of one instrument.

    Attributes:
        actions: that are used, in the columns that were given.
        aside: that are not, with a column ``reason``.
    """

    actions: pd.DataFrame
    aside: pd.DataFrame


def settled(bars: pd.DataFrame, actions: pd.DataFrame) -> Settled:
    """Part the actions that the source's own adjusted close confirms from those that it denies.

    Actions of one day stand and fall together, unless some of them alone explain the step. Those before the first bar
    and after the last, which no step can confirm, are used.

    Args:
        bars: ``date`` (ascending), ``close`` as traded and ``adj_close`` as the source tells it, of one instrument.
        actions: ``date``, ``kind``, ``value`` and, for spin-offs, ``factor`` at least.

    Raises:
        InputError: prices follow a split that the adjusted close does not follow, or what is paid is no less than the
            close before it.
    """
    priced = bars[bars["close"].notna() & bars["adj_close"].notna()]
    days = pd.DatetimeIndex(priced["date"])
    places = days.searchsorted(pd.DatetimeIndex(actions["date"]))
    reasons = pd.Series("", index=actions.index)
    close, adjusted = priced["close"].to_numpy(dtype=float), priced["adj_close"].to_numpy(dtype=float)
    for place in sorted(set(places.tolist()) - {0, len(days)}):
        there = actions[places == place]
        step = float(close[place] / close[place - 1] * adjusted[place - 1] / adjusted[place])
        confirmed = _confirmed(there, days[: place + 1], close[: place + 1], step)
        for index, action in there[~there.index.isin(confirmed)].iterrows():
            _require_no_jump(action, close[place - 1], close[place])
            told = _explained(there.loc[[index]], days[: place + 1], close[: place + 1])
            reasons[index] = (
                f"its own adjusted close moves by {1 - step:.2%} there, the {action['kind'].replace('_', ' ')} of "
                f"{action['value']:g} by {1 - told:.2%}: {abs(step - told):.2%} apart"
            )
    denied = reasons != ""
    return Settled(actions[~denied], actions[denied].assign(reason=reasons[denied]))


def _confirmed(there: pd.DataFrame, days: pd.DatetimeIndex, close: np.ndarray, step: float) -> tuple[Hashable, ...]:
    """Labels of the most of the actions of one day that together explain the step of the adjusted close."""
    for count in range(len(there), 0, -1):
        told = {chosen: _explained(there.loc[list(chosen)], days, close) for chosen in combinations(there.index, count)}
        fitting = [chosen for chosen, explained in told.items() if not _apart(step, explained)]
        if fitting:
            return min(fitting, key=lambda chosen: abs(step - told[chosen]))
    return ()


def _explained(chosen: pd.DataFrame, days: pd.DatetimeIndex, close: np.ndarray) -> float:
    """Adjusted over raw close before the day, over what it is on it, as these actions alone have it."""
    price = close / units_to_come(days, chosen)
    shares = cash_shares(days, price, chosen[chosen["kind"].isin(CASH) | (chosen["kind"] == SPLIT)])
    factor = np.prod([1.0 - share for share in shares.values()])
    ratios = np.prod(chosen.loc[chosen["kind"] == SPLIT, "value"].to_numpy(dtype=float))
    spun = (
        np.prod(chosen.loc[chosen["kind"] == SPIN_OFF, "factor"].to_numpy(dtype=float)) if "factor" in chosen else 1.0
    )
    return float(factor / ratios / spun)


def _apart(step: float, told: float) -> bool:
    """Whether a step of the adjusted close denies what is told."""
    gap, paid = abs(step - told), 1.0 - step
    return gap > BOUND * max(1.0, step) or (paid > LEAST and gap > LEAST and 1.0 - told > TIMES * paid)


def refuse_followed_splits(bars: pd.DataFrame, actions: pd.DataFrame) -> None:
    """Refuse splits that the closes follow where the adjusted close equals them throughout, and so does not.

    Args:
        bars: as for `settled`.
        actions: as for `settled`.

    Raises:
        InputError: names the first of them.
    """
    days, close = pd.DatetimeIndex(bars["date"]), bars["close"].to_numpy(dtype=float)
    for _, split in actions[actions["kind"] == SPLIT].iterrows():
        place = int(days.searchsorted(split["date"]))
        if 0 < place < len(days):
            _require_no_jump(split, close[place - 1], close[place])


def _require_no_jump(action: pd.Series, before: float, after: float) -> None:
    """Refuse to set a split aside that the prices themselves follow: then it is the adjusted close that is wrong."""
    if action["kind"] != SPLIT:
        return
    ratio = float(action["value"])
    size = abs(np.log(ratio))
    if size > _TOLD_FROM_A_MOVE and abs(np.log(after * ratio / before)) < size / 2:
        raise InputError(
            f"got a split of {ratio:g} for 1 on {action['date'].date()} that the close follows ({before:g} before, "
            f"{after:g} after) and the adjusted close does not, wanted both to; correct adj_close, or take the split "
            "out"
        )
