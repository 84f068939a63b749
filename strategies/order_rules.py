"""From targets to orders: what depends on holdings. One function a session, over float arrays, that numba can compile.

A sell is a number of units. A buy is a promise of money, costs included: it is cut to the cash that is there when it
fills, and all buys of one moment are cut by one factor, so that the order of the symbols changes nothing.
"""

import math
from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

# A promise of money that is short by less than this share is kept in full: it is rounding, not want of cash.
ROUNDING = 1e-9

# Lists of Python's floats are read three times as fast, one by one, as arrays; compiled code takes arrays.
FloatVector = np.ndarray | Sequence[float]


class OrderRulesConfig(BaseModel):
    """When a difference between target and holding becomes an order.

    Attributes:
        band: distance of a held instrument's weight from its target, as a share of equity, that is left alone.
            Entering and leaving an instrument heed no band.
        minimum_order: smallest order, as a share of equity; leaving an instrument heeds no minimum.
        stale_sessions: sessions without a bar after which a holding is closed out at its last close.
        stale_haircut: what is lost on that last close, as a fraction. The default is the mean loss at a delisting for
            cause from the NYSE and AMEX (Shumway 1997, Journal of Finance 52).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    band: float = Field(default=0.02, ge=0, lt=1)
    minimum_order: float = Field(default=0.001, ge=0, lt=1)
    stale_sessions: int = Field(default=10, ge=1)
    stale_haircut: float = Field(default=0.3, ge=0, le=1)


def plan_orders(
    units: FloatVector,
    prices: FloatVector,
    targets: FloatVector,
    costs: FloatVector,
    quanta: FloatVector,
    cash: float,
    band: float,
    minimum_order: float,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Orders that bring a book to its targets, sized by the prices known at the decision.

    Args:
        units: (m,) held, never negative.
        prices: (m,) last known prices in US dollars; NaN where there is none: no order, no value.
        targets: (m,) weights; NaN leaves the instrument alone (its value still counts).
        costs: (m,) costs of a trade as a fraction of its value.
        quanta: (m,) smallest tradable units.
        cash: US dollars.
        band: see `OrderRulesConfig`.
        minimum_order: see `OrderRulesConfig`.

    Returns:
        ``sell_units`` (m,) and ``buy_money`` (m,): units to sell; US dollars to spend, costs included. Where the buys
        would take more than cash and expected proceeds, all are scaled by one factor; what then is below the minimum is
        not sent. Last the smallest order in US dollars.
    """
    count = len(units)
    sell_units = np.zeros(count)
    buy_money = np.zeros(count)
    equity = cash
    for i in range(count):
        if units[i] > 0.0 and prices[i] > 0.0:
            equity += units[i] * prices[i]
    minimum = minimum_order * equity
    available = cash
    wanted = 0.0
    for i in range(count):
        price, target, held = prices[i], targets[i], units[i]
        # A comparison with NaN is false: neither an unknown price nor a target to be left alone passes.
        if not (price > 0.0 and target >= 0.0):
            continue
        gap = target * equity - held * price
        if target == 0.0:
            sold, spent = held, 0.0
        elif abs(gap) < minimum or (held > 0.0 and abs(gap) <= band * equity):
            continue
        elif gap < 0.0:
            sold, spent = min(held, math.floor(-gap / price / quanta[i]) * quanta[i]), 0.0
        else:
            sold, spent = 0.0, gap
        sell_units[i] = sold
        buy_money[i] = spent
        available += sold * price * (1.0 - costs[i])
        wanted += spent
    if wanted > available:
        buy_money *= max(available, 0.0) / wanted
        buy_money[buy_money < minimum] = 0.0
    return sell_units, buy_money, minimum


def units_for_money(
    money: np.ndarray, minimum: np.ndarray, prices: np.ndarray, costs: np.ndarray, quanta: np.ndarray, cash: float
) -> np.ndarray:
    """Units that buys of one moment get: the promised money, cut by one factor where it exceeds the cash.

    Args:
        money: (m,) US dollars promised, costs included.
        minimum: (m,) US dollars; a buy that is cut below it gets nothing.
        prices: (m,) fill prices, above 0.
        costs: (m,) as fractions.
        quanta: (m,) units are rounded down to whole multiples.
        cash: US dollars that are there at this moment.

    Returns:
        (m,) units; what they cost never exceeds the cash.
    """
    promised = money.sum()
    # A hair below 1, so that rounding never asks for more than there is.
    factor = min(1.0, max(cash, 0.0) * (1.0 - 1e-12) / promised) if promised > 0.0 else 0.0
    granted = np.where(money * factor < minimum, 0.0, money * factor)
    units: np.ndarray = np.floor(granted / (prices * (1.0 + costs)) / quanta) * quanta
    return units
