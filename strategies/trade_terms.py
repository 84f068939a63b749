"""What trading an instrument costs and what bounds a trade: the same for Backtrader, the ledger and paper trading.

The functions take one order of one instrument and keep to the subset of Python that numba compiles.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

# What the arithmetic of floats may add to or take from a sum that comes out even, as a share of it.
HAIR = 1e-12
# Lists of Python's floats are read three times as fast, one by one, as arrays; compiled code takes arrays.
FloatVector = np.ndarray | Sequence[float]


class TradeTerms(NamedTuple):
    """Costs and limits by instrument, each of shape (m,); `as_lists` puts lists in the place of the arrays.

    Attributes:
        rate: commission as a fraction of the traded value.
        per_unit: commission in US dollars a unit; it is added to that by rate.
        minimum: smallest commission of an order, US dollars.
        maximum: largest commission of an order, as a fraction of its value; infinite where there is none. It wins over
            the minimum.
        spread: by how much a fill is worse than the open (half the bid-ask spread and slippage), as a fraction.
        impact: further slippage of an order that takes all of a session's volume, as a fraction; it falls with the
            square of the share taken.
        participation: largest share of a session's volume that one order may take; infinite where there is no limit.
        notional: smallest order, US dollars.
        quantum: smallest tradable unit.
    """

    rate: np.ndarray
    per_unit: np.ndarray
    minimum: np.ndarray
    maximum: np.ndarray
    spread: np.ndarray
    impact: np.ndarray
    participation: np.ndarray
    notional: np.ndarray
    quantum: np.ndarray


def at_places(terms: TradeTerms, places: np.ndarray) -> TradeTerms:
    """Return the terms of some of the instruments, in this order."""
    return TradeTerms._make(column[places] for column in terms)


def as_lists(terms: TradeTerms) -> TradeTerms:
    """Return the terms with Python's floats in lists."""
    return TradeTerms._make(column.tolist() for column in terms)


def whole_units(units: float, quantum: float, left_over: float = 0.0) -> float:
    """Units rounded down to whole quanta, once a part of a quantum and a hair are added.

    It stays a float all the way: `math.floor` of compiled code ends at the largest integer. The floor is numpy's, for a
    floor division by 1 takes compiled code several times as long.
    """
    return float(np.floor(units / quantum * (1.0 + HAIR) + left_over)) * quantum


def commission(units: float, price: float, terms: TradeTerms, place: int) -> float:
    """Commission of an order, US dollars; none where nothing is traded.

    Args:
        units: traded, never negative.
        price: of the fill, above 0.
        terms: costs.
        place: of the instrument among them.
    """
    if not units > 0.0:
        return 0.0
    value = units * price
    charged = max(terms.rate[place] * value + terms.per_unit[place] * units, terms.minimum[place])
    fee: float = min(charged, terms.maximum[place] * value)
    return fee


def affordable_units(money: float, price: float, terms: TradeTerms, place: int) -> float:
    """Most units that money buys at a price, commission included, not yet rounded; the inverse of `commission`.

    Args:
        money: US dollars, never negative.
        price: of the fill, above 0.
        terms: costs.
        place: of the instrument among them.

    Returns:
        Units; 0 where the money does not pay for the commission.
    """
    by_rate = money / (price * (1.0 + terms.rate[place]) + terms.per_unit[place])
    if terms.minimum[place] == 0.0 and terms.maximum[place] == math.inf:
        # What the two divisions below come to, and most terms have neither.
        most: float = max(by_rate, 0.0)
        return most
    at_minimum = (money - terms.minimum[place]) / price
    at_maximum = money / (price * (1.0 + terms.maximum[place]))
    units: float = max(min(by_rate, at_minimum), at_maximum, 0.0)
    return units


def promised_units(money: float, price: float, terms: TradeTerms, place: int) -> float:
    """Units that a promise of money comes to at the price known to the decision, for people; the open decides."""
    units: float = money / (price * (1.0 + terms.spread[place]) * (1.0 + terms.rate[place]))
    return units
