"""From targets to orders: what depends on holdings. One function a session, over float arrays, that numba can compile.

A sell is a number of units. A buy is a promise of money, costs included; `strategies.trade_terms` says what it gets.
"""

import math
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from strategies.trade_terms import TradeTerms

# Lists of Python's floats are read three times as fast, one by one, as arrays; compiled code takes arrays.
FloatVector = np.ndarray | list[float]


class OrderRulesConfig(BaseModel):
    """When a difference between target and holding becomes an order, and how large.

    Attributes:
        band: distance of a held instrument's weight from its target, as a share of equity, that is left alone.
            Entering and leaving an instrument heed no band.
        trade_to: where an order outside the band goes: to the target, or to the edge of the band only.
        adjustment: part of the way to the target that one rebalancing goes, as a fraction; 1 is all of it. Leaving an
            instrument is never done in parts: what has no target may be about to lose its market.
        minimum_order: smallest order, as a share of equity; leaving an instrument heeds no minimum.
        stale_sessions: sessions without a bar after which a holding is closed out at its last close; at most a year.
        stale_haircut: what is lost on that last close, as a fraction. The default is the mean loss at a delisting for
            cause from the NYSE and AMEX (Shumway 1997, Journal of Finance 52).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    band: float = Field(default=0.02, ge=0, lt=1)
    trade_to: Literal["target", "band_edge"] = "target"
    adjustment: float = Field(default=1.0, gt=0, le=1)
    minimum_order: float = Field(default=0.001, ge=0, lt=1)
    stale_sessions: int = Field(default=10, ge=1, le=252)
    stale_haircut: float = Field(default=0.3, ge=0, le=1)

    @property
    def edge(self) -> float:
        """What of the band an order leaves untraded, as a share of equity."""
        return self.band if self.trade_to == "band_edge" else 0.0


def plan_orders(
    units: FloatVector,
    prices: FloatVector,
    targets: FloatVector,
    terms: TradeTerms,
    cash: float,
    band: float,
    edge: float,
    adjustment: float,
    minimum_order: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Orders that bring a book to its targets, sized by the prices known at the decision.

    Args:
        units: (m,) held, never negative.
        prices: (m,) last known prices in US dollars; NaN where there is none: no order, no value.
        targets: (m,) weights; NaN leaves the instrument alone (its value still counts).
        terms: costs and limits of the same instruments; their arrays may be lists.
        cash: US dollars.
        band: see `OrderRulesConfig`.
        edge: share of equity by which an order of a held instrument stays short of its target.
        adjustment: see `OrderRulesConfig`.
        minimum_order: see `OrderRulesConfig`.

    Returns:
        ``sell_units`` (m,) and ``buy_money`` (m,): units to sell; US dollars to spend, costs included. Where the buys
        would take more than cash and expected proceeds, all are scaled by one factor; what then is below the smallest
        order is not sent. Last ``least`` (m,), that smallest order in US dollars. A holding that is worth less than its
        smallest notional cannot be sold at all.
    """
    count = len(units)
    sell_units = np.zeros(count)
    buy_money = np.zeros(count)
    least = np.zeros(count)
    equity = cash
    for i in range(count):
        if units[i] > 0.0 and prices[i] > 0.0:
            equity += units[i] * prices[i]
    available = cash
    wanted = 0.0
    for i in range(count):
        price, target, held = prices[i], targets[i], units[i]
        least[i] = max(minimum_order * equity, terms.notional[i])
        # A comparison with NaN is false: neither an unknown price nor a target to be left alone passes.
        if not (price > 0.0 and target >= 0.0):
            continue
        gap = target * equity - held * price
        if target == 0.0:
            if held * price < terms.notional[i]:
                continue
            sold, spent = held, 0.0
        elif held > 0.0 and abs(gap) <= band * equity:
            continue
        else:
            if held > 0.0:
                gap -= math.copysign(edge * equity, gap)
            gap *= adjustment
            if abs(gap) < least[i]:
                continue
            if gap < 0.0:
                sold, spent = min(held, math.floor(-gap / price / terms.quantum[i]) * terms.quantum[i]), 0.0
            else:
                sold, spent = 0.0, gap
        sell_units[i] = sold
        buy_money[i] = spent
        if sold > 0.0:
            value = sold * price * (1.0 - terms.spread[i])
            fee = max(terms.rate[i] * value + terms.per_unit[i] * sold, terms.minimum[i])
            available += value - min(fee, terms.maximum[i] * value)
        wanted += spent
    if wanted > max(available, 0.0):
        buy_money *= max(available, 0.0) / wanted
        buy_money[buy_money < least] = 0.0
    return sell_units, buy_money, least
