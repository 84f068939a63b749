"""From targets to orders: what depends on holdings. One function a session, over float arrays, that numba can compile.

A sell is a number of units. A buy is a promise of money, costs included; `strategies.fills` says what it gets.
"""

import math
from typing import Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from strategies.fills import CENT, Hindrance, costs_more
from strategies.trade_terms import FloatVector, TradeTerms, affordable_units, commission, whole_units


class OrderRules(NamedTuple):
    """What `plan_orders` asks of an `OrderRulesConfig`, as shares of equity but for the adjustment.

    Attributes:
        band: distance from the target that is left alone.
        edge: by how much an order of a held instrument stays short of its target.
        adjustment: part of the way to the target.
        minimum_order: smallest order.
    """

    band: float
    edge: float
    adjustment: float
    minimum_order: float


class SessionOrders(NamedTuple):
    """What is decided for a session, each of shape (m,).

    Attributes:
        sell_units: to sell.
        buy_money: US dollars to spend, costs included.
        least: smallest order, US dollars, never below a cent: a buy that is cut below it gets nothing.
        unsent: a `strategies.fills.Hindrance` as its number, for an order that could not be filled even at the
            decision's own price, and so is none.
    """

    sell_units: np.ndarray
    buy_money: np.ndarray
    least: np.ndarray
    unsent: np.ndarray


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
    def rules(self) -> OrderRules:
        """What `plan_orders` asks of them."""
        edge = self.band if self.trade_to == "band_edge" else 0.0
        return OrderRules(self.band, edge, self.adjustment, self.minimum_order)


def plan_orders(
    held: FloatVector,
    prices: FloatVector,
    targets: FloatVector,
    terms: TradeTerms,
    rules: OrderRules,
    cash: float,
) -> SessionOrders:
    """Orders that bring a book to its targets; arguments and answer as of `plan_orders_in`, in arrays of their own."""
    count = len(held)
    room = SessionOrders(np.zeros(count), np.zeros(count), np.zeros(count), np.zeros(count, dtype=np.int64))
    return plan_orders_in(room, held, prices, targets, terms, rules, cash)


def plan_orders_in(
    room: SessionOrders,
    held: FloatVector,
    prices: FloatVector,
    targets: FloatVector,
    terms: TradeTerms,
    rules: OrderRules,
    cash: float,
) -> SessionOrders:
    """Orders that bring a book to its targets, sized by the prices known at the decision.

    Args:
        room: for the answer.
        held: (m,) units, never negative.
        prices: (m,) last known prices in US dollars; NaN where there is none: no order, no value.
        targets: (m,) weights; NaN leaves the instrument alone (its value still counts).
        terms: costs and limits of the same instruments.
        rules: band, edge, adjustment, smallest order.
        cash: US dollars.

    Returns:
        The room. Where the buys would take more than cash and expected proceeds, all are scaled by one factor; what
        then is below the smallest order, or buys no unit, is not sent. A holding that is worth less than its smallest
        notional cannot be sold at all.
    """
    sell_units, buy_money, least, unsent = room
    equity = cash
    for i in range(len(held)):
        if held[i] > 0.0 and prices[i] > 0.0:
            equity += held[i] * prices[i]
    available = cash
    wanted = 0.0
    for i in range(len(held)):
        price, target, units = prices[i], targets[i], held[i]
        sell_units[i] = buy_money[i] = 0.0
        unsent[i] = Hindrance.NONE
        least[i] = max(rules.minimum_order * equity, terms.notional[i], CENT)
        # A comparison with NaN is false: neither an unknown price nor a target to be left alone passes.
        if not (price > 0.0 and target >= 0.0):
            continue
        gap = target * equity - units * price
        if target == 0.0:
            if unsellable(units, price, terms, i) == Hindrance.NO_ORDER:
                continue
            sold, spent = units, 0.0
        elif units > 0.0 and abs(gap) <= rules.band * equity:
            continue
        else:
            if units > 0.0:
                gap -= math.copysign(rules.edge * equity, gap)
            gap *= rules.adjustment
            if abs(gap) < least[i]:
                continue
            if gap < 0.0:
                sold, spent = min(units, whole_units(-gap / price, terms.quantum[i])), 0.0
                unsent[i] = unsellable(sold, price, terms, i)
            else:
                sold, spent = 0.0, gap
                unsent[i] = unbuyable(spent, price, terms, i)
            if unsent[i] != Hindrance.NONE:
                continue
        sell_units[i] = sold
        buy_money[i] = spent
        if sold > 0.0:
            worse = price * (1.0 - terms.spread[i])
            available += sold * worse - commission(sold, worse, terms, i)
        wanted += spent
    if wanted > max(available, 0.0):
        share = max(available, 0.0) / wanted
        for i in range(len(held)):
            buy_money[i] *= share
            if buy_money[i] < least[i]:
                buy_money[i] = 0.0
            elif buy_money[i] > 0.0:
                unsent[i] = unbuyable(buy_money[i], prices[i], terms, i)
                if unsent[i] != Hindrance.NONE:
                    buy_money[i] = 0.0
    return room


def unsellable(units: float, price: float, terms: TradeTerms, place: int) -> Hindrance:
    """Why a sell of whole quanta could not be filled even at this price."""
    if not units > 0.0:
        return Hindrance.NO_UNIT
    worse = price * (1.0 - terms.spread[place])
    is_small = units * price < terms.notional[place] or costs_more(units, worse, terms, place)
    return Hindrance.NO_ORDER if is_small else Hindrance.NONE


def unbuyable(money: float, price: float, terms: TradeTerms, place: int) -> Hindrance:
    """Why a buy for money could not be filled even at this price."""
    worse, quantum = price * (1.0 + terms.spread[place]), terms.quantum[place]
    if money >= 2.0 * (quantum * worse + commission(quantum, worse, terms, place)):
        # Twice what the smallest unit costs pays for one, however it is rounded.
        return Hindrance.NONE
    units = whole_units(affordable_units(money, worse, terms, place), quantum)
    return Hindrance.NONE if units > 0.0 else Hindrance.NO_UNIT
