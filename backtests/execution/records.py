"""The records of a session: what it needs to know, what is ordered, what becomes of a book.

All of them are arrays and numbers, so that compiled code takes them as they are.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from strategies.trade_terms import FloatVector, TradeTerms


class Conversions(NamedTuple):
    """Of k conversions of held units into units of another instrument, each of shape (k,).

    Attributes:
        row: of the session that begins with it.
        place: of the instrument that is held.
        into: of the one that is given for it, or beside it.
        units: given for one held unit.
        price: US dollars for a unit of what is given less than its smallest unit.
        keeps: whether the held unit stays.
    """

    row: np.ndarray
    place: np.ndarray
    into: np.ndarray
    units: np.ndarray
    price: np.ndarray
    keeps: np.ndarray


_NOWHERE, _NOTHING = np.zeros(0, dtype=np.int64), np.zeros(0)
NO_CONVERSIONS = Conversions(_NOWHERE, _NOWHERE, _NOWHERE, _NOTHING, _NOTHING, np.zeros(0, dtype=np.bool_))


class Sessions(NamedTuple):
    """Of n sessions and m instruments, all that an engine must know, besides plan and orders, to play them.

    Attributes:
        open: (n, m); see `data.prices.panel.Panel`, as of the next seven.
        close: (n, m).
        volume: (n, m).
        decision_price: (n, m).
        split: (n, m).
        dividend: (n, m).
        ended: (n, m).
        payout: (n, m).
        stale: (n, m); see `backtests.execution.fill_rules.FillRules`, as of all that is not said here.
        coins: (m,).
        terms: costs and limits, in lists; compiled code takes arrays.
        interest: (n,).
        changes_units: (n,) whether a split, a payout or a close-out can change units when the session begins.
        pays_dividends: (n,) whether a dividend is paid when the session ends.
        stale_haircut: fraction.
        settlement_sessions: count.
        conversions: spin-offs and changes of symbol.
    """

    open: np.ndarray
    close: np.ndarray
    volume: np.ndarray
    decision_price: np.ndarray
    split: np.ndarray
    dividend: np.ndarray
    ended: np.ndarray
    payout: np.ndarray
    stale: np.ndarray
    coins: np.ndarray
    terms: TradeTerms
    interest: np.ndarray
    changes_units: np.ndarray
    pays_dividends: np.ndarray
    stale_haircut: float
    settlement_sessions: int
    conversions: Conversions = NO_CONVERSIONS


class UnitChange(IntEnum):
    """What becomes of held units when a session begins."""

    NONE = 0
    SPLIT = 1
    DELISTING = 2
    CLOSE_OUT = 3
    SPIN_OFF = 4
    SYMBOL_CHANGE = 5


class Orders(NamedTuple):
    """Orders for one session, each of shape (k,); an instrument may have several.

    Attributes:
        place: of the instrument.
        sells: whether it is a sell.
        units: to sell, or, for people, what the money of a buy comes to; NaN where that is not known.
        money: US dollars that a buy promises, costs included; NaN where that is not known, 0 for a sell.
        least: US dollars; a buy that is cut below it gets nothing.
    """

    place: np.ndarray | list[int]
    sells: np.ndarray | list[bool]
    units: FloatVector
    money: FloatVector
    least: FloatVector


class Fills(NamedTuple):
    """What orders got, each of shape (k,).

    Attributes:
        units: filled; 0 for none.
        price: US dollars, spread and slippage included; NaN where nothing was filled.
        wanted: units that were asked for, or that all of the promised money would have bought.
        commission: US dollars.
        slippage: US dollars by which the price was worse than the open.
        hindrance: a `Hindrance`, as its number.
        sequence: the orders in the order in which they were played.
    """

    units: np.ndarray
    price: np.ndarray
    wanted: np.ndarray
    commission: np.ndarray
    slippage: np.ndarray
    hindrance: np.ndarray
    sequence: np.ndarray


class Room(NamedTuple):
    """Arrays that a session writes to, so that compiled code asks for no memory while it plays.

    Attributes:
        units: (m,).
        fills: of as many orders as there are.
        change: (m,), as of the next two.
        changed_units: (m,).
        change_paid: (m,).
        dividend: (m,).
    """

    units: np.ndarray
    fills: Fills
    change: np.ndarray
    changed_units: np.ndarray
    change_paid: np.ndarray
    dividend: np.ndarray


def room_for(instruments: int, orders: int) -> Room:
    """Room for a session of so many instruments and orders."""
    count = orders
    fills = Fills(
        np.zeros(count),
        np.zeros(count),
        np.zeros(count),
        np.zeros(count),
        np.zeros(count),
        np.zeros(count, dtype=np.int64),
        np.zeros(count, dtype=np.int64),
    )
    width = instruments
    return Room(
        np.zeros(width), fills, np.zeros(width, dtype=np.int64), np.zeros(width), np.zeros(width), np.zeros(width)
    )


class PlayedSession(NamedTuple):
    """A book after a session, and what happened to it.

    Attributes:
        cash: US dollars.
        units: (m,) held.
        stock_flow: net proceeds of stocks, US dollars, which coins may have to wait for.
        traded: value of everything bought and sold, US dollars.
        costs: commissions and slippage, US dollars.
        fills: of the orders.
        change: (m,) a `UnitChange` as its number; empty where the session changes no units.
        changed_units: (m,) units that it left; empty as `change` is.
        change_paid: (m,) US dollars that it paid; empty as `change` is.
        dividend: (m,) US dollars; empty where the session pays none.
        interest: US dollars.
    """

    cash: float
    units: np.ndarray
    stock_flow: float
    traded: float
    costs: float
    fills: Fills
    change: np.ndarray
    changed_units: np.ndarray
    change_paid: np.ndarray
    dividend: np.ndarray
    interest: float
