"""What one order gets: how it can end, what may hinder it, and the fill of a sell and of a buy at an open.

The functions keep to the subset of Python that numba compiles.
"""

import math
from enum import IntEnum, StrEnum
from typing import NamedTuple

from strategies.trade_terms import HAIR, TradeTerms, affordable_units, commission, whole_units

# US dollars: nothing smaller is owed, ordered or missed.
CENT = 0.01
# A multiple of the quantum stays what it is, whatever its division leaves over.
LEFT_OVER = 1e-6


class OrderStatus(StrEnum):
    """How an order stands, in the words of orders.csv and of the paper ledger; the last four are final."""

    NOT_SENT = "not sent"
    SENT = "sent"
    OPEN = "open"
    FILLED = "filled"
    REDUCED = "reduced"
    UNFILLED = "unfilled"
    REJECTED = "rejected"


class Hindrance(IntEnum):
    """Why an order got less than it wanted; `HINDRANCES` has the words."""

    NONE = 0
    CASH = 1
    PARTICIPATION = 2
    NO_CASH = 3
    NO_UNIT = 4
    NO_ORDER = 5
    NO_PRICE = 6
    STALE = 7
    NO_OPEN = 8


HINDRANCES = {
    Hindrance.NONE: "",
    Hindrance.CASH: "cut to the cash present",
    Hindrance.PARTICIPATION: "cut to the participation limit",
    Hindrance.NO_CASH: "too little cash at this moment",
    Hindrance.NO_UNIT: "less than the smallest unit",
    Hindrance.NO_ORDER: "less than the smallest order",
    Hindrance.NO_PRICE: "no price known to the decision",
    Hindrance.STALE: "without a bar for too long",
    Hindrance.NO_OPEN: "no open",
}


class Fill(NamedTuple):
    """What an order got.

    Attributes:
        units: filled; 0 for none.
        price: US dollars, spread and slippage included.
        wanted: units that were asked for, or that all of the promised money would have bought.
        hindrance: why it got less than it wanted.
    """

    units: float
    price: float
    wanted: float
    hindrance: Hindrance


def falls_short(hindrance: Hindrance) -> bool:
    """Whether an order got less than it wanted for want of cash or volume, which the next session may have."""
    return (
        hindrance == Hindrance.CASH
        or hindrance == Hindrance.PARTICIPATION
        or hindrance == Hindrance.NO_CASH
        or hindrance == Hindrance.NO_OPEN
    )


def order_status(units: float, hindrance: Hindrance) -> OrderStatus:
    """How an order has ended that got these units."""
    if not units > 0.0:
        return OrderStatus.UNFILLED
    return OrderStatus.FILLED if hindrance == Hindrance.NONE else OrderStatus.REDUCED


def units_to_sell(asked: float, held: float, quantum: float) -> float:
    """All that is held, or whole multiples of the quantum."""
    return held if asked >= held else min(whole_units(asked, quantum, LEFT_OVER), held)


def sell_fill(units: float, open_price: float, volume: float, terms: TradeTerms, place: int) -> Fill:
    """Fill a sell.

    Args:
        units: to sell: all that is held, or whole quanta. What costs more than it brings is not sold.
        open_price: of the session, above 0.
        volume: units traded in the session; NaN where unknown, which fills nothing under a participation limit.
        terms: costs and limits.
        place: of the instrument among them.
    """
    most, quantum, notional = most_units(volume, terms, place), terms.quantum[place], terms.notional[place]
    # Rounding by a hair may take the limit above what there is.
    granted = units if units <= most else min(whole_units(most, quantum), units)
    if granted * open_price < notional:
        granted = 0.0
    price = open_price * (1.0 - terms.spread[place] - impact(granted, volume, terms, place))
    if costs_more(granted, price, terms, place):
        granted = 0.0
    if units <= 0.0:
        hindrance = Hindrance.NO_UNIT
    elif granted > 0.0:
        hindrance = Hindrance.NONE if (units - granted) * open_price < CENT else Hindrance.PARTICIPATION
    else:
        is_small = units * open_price < notional or costs_more(units, price, terms, place)
        hindrance = Hindrance.NO_ORDER if is_small else Hindrance.PARTICIPATION
    return Fill(granted, price, units, hindrance)


def costs_more(units: float, price: float, terms: TradeTerms, place: int) -> bool:
    """Whether a sell at a price costs more than it brings, which nothing might be there to pay."""
    return commission(units, price, terms, place) > units * price


def granted_share(promised: float, cash: float) -> float:
    """The share of what all buys of one moment promise that the cash, US dollars, pays for; 1 where it pays for all."""
    there = max(cash, 0.0)
    return 1.0 if promised <= there else there / promised


def buy_fill(
    money: float, least: float, share: float, open_price: float, volume: float, terms: TradeTerms, place: int
) -> Fill:
    """Fill a buy.

    The impact is that of the units which the granted money would buy at the open, costs aside: a little too large.

    Args:
        money: US dollars promised, costs included.
        least: US dollars; a buy that is cut below it gets nothing.
        share: of its money that is there, as `granted_share` gives it.
        open_price: as for `sell_fill`.
        volume: as for `sell_fill`.
        terms: costs and limits.
        place: of the instrument among them.

    Returns:
        Units are rounded down to whole quanta; what they cost exceeds the granted money by a hair at most, so that
        money which exactly pays for the last unit buys it.
    """
    granted = money * share
    if granted < least:
        granted = 0.0
    quantum, worse = terms.quantum[place], 1.0 + terms.spread[place]
    promised = affordable_units(money, open_price * worse, terms, place)
    wanted = whole_units(promised, quantum)
    most, slippage = most_units(volume, terms, place), 0.0
    if terms.impact[place] != 0.0:
        slippage = impact(min(granted / open_price, most), volume, terms, place)
    price = open_price * (worse + slippage)
    # The same question has the same answer: most buys are granted in full, without an impact.
    is_same = granted == money and slippage == 0.0
    affordable = promised if is_same else affordable_units(granted, price, terms, place)
    is_limited = most < affordable
    units = wanted if is_same and not is_limited else whole_units(min(affordable, most), quantum)
    if is_limited and units * price < terms.notional[place]:
        units = 0.0
    if not wanted > 0.0:
        hindrance = Hindrance.NO_UNIT
    elif units > 0.0 and (wanted - units) * price < CENT:
        hindrance = Hindrance.NONE
    elif is_limited:
        hindrance = Hindrance.PARTICIPATION
    elif share < 1.0 - HAIR:
        hindrance = Hindrance.CASH if units > 0.0 else Hindrance.NO_CASH
    else:
        hindrance = Hindrance.NONE if units > 0.0 else Hindrance.NO_UNIT
    return Fill(units, price, wanted, hindrance)


def most_units(volume: float, terms: TradeTerms, place: int) -> float:
    """The participation limit in units: infinite without one, 0 where the volume is not known."""
    share = terms.participation[place]
    if share == math.inf:
        return math.inf
    return share * volume if volume > 0.0 else 0.0


def impact(units: float, volume: float, terms: TradeTerms, place: int) -> float:
    """Slippage by the square of the share of the session's volume, as zipline's ``VolumeShareSlippage`` has it.

    An order without a known volume is taken to be all of it.
    """
    if terms.impact[place] == 0.0:
        return 0.0
    share = min(units / volume, 1.0) if volume > 0.0 else 1.0
    slippage: float = terms.impact[place] * share * share
    return slippage
