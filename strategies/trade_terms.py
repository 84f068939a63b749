"""What trading an instrument costs and what bounds a trade: the same for Backtrader, the ledger and paper trading.

Everything here is over float arrays, one place an instrument, and in the subset of Python that numba compiles.
"""

from typing import NamedTuple, TypeVar

import numpy as np

# A promise of money that is short by less than this share is kept in full: it is rounding, not want of cash.
ROUNDING = 1e-9


FloatOrArray = TypeVar("FloatOrArray", float, np.ndarray)


class TradeTerms(NamedTuple):
    """Costs and limits by instrument, each of shape (m,).

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
        by_volume: whether any instrument has an impact or a participation limit; otherwise volumes are not looked at.
        by_rate: whether `rate` alone makes the commission of all of them.
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
    by_volume: bool
    by_rate: bool


def at_places(terms: TradeTerms, places: np.ndarray) -> TradeTerms:
    """Return the terms of some of the instruments, in this order."""
    return TradeTerms._make([*(column[places] for column in terms[:-2]), *terms[-2:]])


def as_lists(terms: TradeTerms) -> TradeTerms:
    """Return the terms with Python's floats in lists, which are read one by one three times as fast."""
    return TradeTerms._make([*(column.tolist() for column in terms[:-2]), *terms[-2:]])


def commission(units: np.ndarray, prices: np.ndarray, terms: TradeTerms) -> np.ndarray:
    """Commission of orders in US dollars, of shape (m,).

    Args:
        units: traded, never negative; none costs nothing.
        prices: of the fills, above 0.
        terms: of the same instruments.
    """
    fee: np.ndarray = terms.rate * (units * prices)
    if not terms.by_rate:
        traded = units > 0.0
        # Nothing times no maximum would be no number.
        value = np.where(traded, units * prices, 1.0)
        charged = np.maximum(terms.rate * value + terms.per_unit * units, terms.minimum)
        fee = np.where(traded, np.minimum(charged, terms.maximum * value), 0.0)
    return fee


def affordable_units(money: np.ndarray, prices: np.ndarray, terms: TradeTerms) -> np.ndarray:
    """Most units that money buys at a price, commission included, not yet rounded; the inverse of `commission`.

    Args:
        money: US dollars, never negative.
        prices: of the fills, above 0.
        terms: of the same instruments.

    Returns:
        (m,) units, 0 where the money does not pay for the commission.
    """
    units: np.ndarray = money / (prices * (1.0 + terms.rate) + terms.per_unit)
    if not terms.by_rate:
        at_minimum = (money - terms.minimum) / prices
        at_maximum = money / (prices * (1.0 + terms.maximum))
        units = np.maximum(np.maximum(np.minimum(units, at_minimum), at_maximum), 0.0)
    return units


def promised_units(money: FloatOrArray, price: FloatOrArray, spread: FloatOrArray, rate: FloatOrArray) -> FloatOrArray:
    """Units that a promise of money comes to at the price known to the decision, for people; the open decides."""
    return money / (price * (1.0 + spread) * (1.0 + rate))


# Why an order got less than it wanted, by the number in `Fills.cause`.
CAUSES = (
    "",
    "cut to the cash present",
    "cut to the participation limit",
    "too little cash at this moment",
    "less than the smallest unit",
    "less than the smallest order",
)
_CASH, _PARTICIPATION, _NO_CASH, _NO_UNIT, _NO_ORDER = 1, 2, 3, 4, 5


class Fills(NamedTuple):
    """What orders of one moment got, each of shape (m,).

    Attributes:
        units: filled; 0 for none.
        prices: US dollars, spread and slippage included.
        wanted: units that were asked for, or that all of the promised money would have bought.
        cause: place in `CAUSES`; 0 where all of it was filled.
    """

    units: np.ndarray
    prices: np.ndarray
    wanted: np.ndarray
    cause: np.ndarray


def sell_fills(units: np.ndarray, opens: np.ndarray, volumes: np.ndarray, terms: TradeTerms) -> Fills:
    """Fill sells of one moment.

    Args:
        units: to sell: all that is held, or whole quanta.
        opens: of the session, above 0.
        volumes: units traded in the session; NaN where unknown, which fills nothing under a participation limit.
        terms: of the same instruments.
    """
    most = _most_units(volumes, terms)
    granted = np.where(units <= most, units, np.floor(most / terms.quantum) * terms.quantum)
    granted = np.where(granted * opens < terms.notional, 0.0, granted)
    prices = opens * (1.0 - terms.spread - _impact(granted, volumes, terms))
    none = np.where(units <= 0.0, _NO_UNIT, np.where(units * opens < terms.notional, _NO_ORDER, _PARTICIPATION))
    cause = np.where(granted <= 0.0, none, np.where(granted < units, _PARTICIPATION, 0))
    return Fills(granted, prices, units, cause)


def buy_fills(
    money: np.ndarray, least: np.ndarray, opens: np.ndarray, volumes: np.ndarray, terms: TradeTerms, cash: float
) -> Fills:
    """Fill buys of one moment: the promised money, cut by one factor where it exceeds the cash.

    The impact is that of the units which the granted money would buy at the open, costs aside: a little too large.

    Args:
        money: (m,) US dollars promised, costs included.
        least: (m,) US dollars; a buy that is cut below it gets nothing.
        opens: as for `sell_fills`.
        volumes: as for `sell_fills`.
        terms: of the same instruments.
        cash: US dollars that are there at this moment.

    Returns:
        Units are rounded down to whole quanta; what they cost never exceeds the cash.
    """
    promised = money.sum()
    # A hair below 1, so that rounding never asks for more than there is.
    factor = min(1.0, max(cash, 0.0) * (1.0 - 1e-12) / promised) if promised > 0.0 else 0.0
    short = cash < promised * (1.0 - ROUNDING)
    granted = np.where(money * factor < least, 0.0, money * factor)
    prices = opens * (1.0 + terms.spread)
    wanted = np.floor(affordable_units(money, prices, terms) / terms.quantum) * terms.quantum
    if not terms.by_volume and (granted == money).all():
        return Fills(wanted, prices, wanted, np.where(wanted > 0.0, 0, _NO_UNIT))
    most = _most_units(volumes, terms)
    prices = opens * (1.0 + terms.spread + _impact(np.minimum(granted / opens, most), volumes, terms))
    affordable = affordable_units(granted, prices, terms)
    units = np.floor(np.minimum(affordable, most) / terms.quantum) * terms.quantum
    limited = most < affordable
    units = np.where(limited & (units * prices < terms.notional), 0.0, units)
    none = np.where(limited, _PARTICIPATION, np.where(wanted > 0.0, _NO_CASH, _NO_UNIT))
    cut = np.where(limited, _PARTICIPATION, _CASH if short else 0)
    return Fills(units, prices, wanted, np.where(units <= 0.0, none, cut))


def _most_units(volumes: np.ndarray, terms: TradeTerms) -> np.ndarray:
    """The participation limit in units: infinite without one, 0 where the volume is not known."""
    most = np.full(len(volumes), np.inf)
    if terms.by_volume:
        limited = np.isfinite(terms.participation)
        known = np.where(np.isnan(volumes), 0.0, volumes)
        most = np.where(limited, np.where(limited, terms.participation, 0.0) * known, np.inf)
    return most


def _impact(units: np.ndarray, volumes: np.ndarray, terms: TradeTerms) -> np.ndarray:
    """Slippage by the square of the share of the session's volume, as zipline's ``VolumeShareSlippage`` has it.

    An order without a known volume is taken to be all of it.
    """
    slippage = np.zeros(len(units))
    if terms.by_volume:
        known = volumes > 0.0
        share = np.where(known, np.minimum(units / np.where(known, volumes, 1.0), 1.0), 1.0)
        slippage = terms.impact * share * share
    return slippage
