"""What a session does to a book: change held units, fill orders in the order of the clock, pay dividends and interest.

Written once, as functions without memory over arrays and records, in the subset of Python that numba compiles: `Book`
calls them, Backtrader's broker translates its orders to them and their answers back.
"""

import math
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from strategies.fills import LEFT_OVER, Fill, Hindrance, buy_fill, granted_share, sell_fill, units_to_sell
from strategies.trade_terms import FloatVector, TradeTerms, commission, whole_units


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


def play_session(
    cash: float, held: np.ndarray, unsettled: float, orders: Orders, row: int, sessions: Sessions
) -> PlayedSession:
    """Play one session.

    Coins trade at the UTC open, stocks later at the NYSE open; in each, sells come before buys. The buys of one moment
    share the cash that is there by one factor. Dividends go to what was held before the orders, interest to the cash
    that was there before anything.

    Args:
        cash: US dollars when the session begins.
        held: (m,) units then.
        unsettled: US dollars of the cash that cannot pay for coins yet.
        orders: decided for the session.
        row: of the session, from 1.
        sessions: of the run.
    """
    change, changed_units, change_paid = change_units(held, row, sessions)
    units, balance = (changed_units if len(change) else held).copy(), cash
    for amount in change_paid:
        balance += amount
    dividend = np.zeros(0)
    if sessions.pays_dividends[row]:
        dividend = units * sessions.dividend[row]
    stock_flow = traded = costs = 0.0
    fills = empty_fills(len(orders.place))
    step = 0
    if len(orders.place):
        for coins in (True, False):
            for sells in (True, False):
                share = 1.0
                if not sells:
                    present = balance - unsettled if coins else balance
                    share = granted_share(promised_money(orders, coins, row, sessions), present)
                value = fees = worse = 0.0
                for at in range(len(orders.place)):
                    place = orders.place[at]
                    if sessions.coins[place] != coins or orders.sells[at] != sells:
                        continue
                    fills.sequence[step] = at
                    step += 1
                    fill = fill_order(orders, at, float(units[place]), share, row, sessions)
                    fills.wanted[at], fills.hindrance[at] = fill.wanted, fill.hindrance
                    if not fill.units > 0.0:
                        continue
                    fee = commission(fill.units, fill.price, sessions.terms, place)
                    slippage = fill.units * abs(fill.price - float(sessions.open[row, place]))
                    fills.units[at], fills.price[at] = fill.units, fill.price
                    fills.commission[at], fills.slippage[at] = fee, slippage
                    units[place] += -fill.units if sells else fill.units
                    value += fill.units * fill.price
                    fees += fee
                    worse += slippage
                # The last unit may cost a hair more than there is; cash is never below 0.
                paid = fees - value if sells else min(value + fees, max(balance, 0.0))
                balance -= paid
                traded += value
                costs += fees + worse
                if not coins:
                    stock_flow -= paid
    for amount in dividend:
        balance += amount
    interest = cash * sessions.interest[row]
    balance += interest
    return PlayedSession(
        balance,
        units,
        stock_flow,
        traded,
        costs,
        fills,
        change,
        changed_units,
        change_paid,
        dividend,
        interest,
    )


def unsettled_money(stock_flows: FloatVector, row: int, settlement_sessions: int) -> float:
    """What stocks brought too few sessions ago to pay for coins, US dollars.

    Args:
        stock_flows: (n,) by session, up to the one before `row`.
        row: of the session.
        settlement_sessions: see `backtests.spec.costs.Costs`.
    """
    unsettled = 0.0
    for late in range(max(row - settlement_sessions + 1, 0), row):
        unsettled += max(stock_flows[late], 0.0)
    return unsettled


def change_units(held: np.ndarray, row: int, sessions: Sessions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What becomes of held units when a session begins.

    Returns:
        ``change``, ``changed_units`` and ``change_paid`` of `PlayedSession`. A split leaves whole quanta and pays the
        part of one that is over, and so does a conversion, which stands at the instrument that it gives; what has no
        market any more is paid out for the whole holding.
    """
    count = len(held) if sessions.changes_units[row] else 0
    change, left, paid = np.zeros(count, dtype=np.int64), np.zeros(count), np.zeros(count)
    for place in range(count):
        units, split, last_close = held[place], sessions.split[row, place], sessions.close[row - 1, place]
        left[place] = units
        if not units > 0.0:
            continue
        if sessions.ended[row, place] or sessions.stale[row - 1, place]:
            change[place] = UnitChange.DELISTING if sessions.ended[row, place] else UnitChange.CLOSE_OUT
            payout = sessions.payout[row, place]
            left[place] = 0.0
            paid[place] = units * (last_close * (1.0 - sessions.stale_haircut) if math.isnan(payout) else payout)
        elif split != 1.0:
            change[place] = UnitChange.SPLIT
            quantum = sessions.terms.quantum[place]
            left[place] = whole_units(units * split, quantum, LEFT_OVER)
            paid[place] = (units * split - left[place]) * last_close / split
    convert_units(held, row, sessions, change, left, paid)
    return change, left, paid


def convert_units(
    held: np.ndarray, row: int, sessions: Sessions, change: np.ndarray, left: np.ndarray, paid: np.ndarray
) -> None:
    """Let held units give, or become, units of other instruments; the last three arrays are written to."""
    conversions = sessions.conversions
    for at in range(len(conversions.row)):
        place, into = conversions.place[at], conversions.into[at]
        if conversions.row[at] != row or not held[place] > 0.0:
            continue
        given = held[place] * conversions.units[at]
        whole = whole_units(given, sessions.terms.quantum[into], LEFT_OVER)
        left[into] += whole
        paid[into] += (given - whole) * conversions.price[at]
        change[into] = UnitChange.SPIN_OFF if conversions.keeps[at] else UnitChange.SYMBOL_CHANGE
        if not conversions.keeps[at]:
            left[place] = 0.0
            change[place] = UnitChange.SYMBOL_CHANGE


def fill_order(orders: Orders, at: int, held: float, share: float, row: int, sessions: Sessions) -> Fill:
    """Fill one order of a session.

    Args:
        orders: of the session.
        at: which of them.
        held: units of its instrument at this moment.
        share: of the promised money that is there.
        row: of the session.
        sessions: of the run.
    """
    place, asked = orders.place[at], orders.units[at]
    if orders.sells[at] and sessions.changes_units[row]:
        asked *= float(sessions.split[row, place])
    hindrance = obstacle(orders, at, row, sessions)
    if hindrance != Hindrance.NONE:
        return Fill(0.0, np.nan, asked, hindrance)
    terms, open_price, volume = sessions.terms, float(sessions.open[row, place]), float(sessions.volume[row, place])
    if orders.sells[at]:
        fill = sell_fill(units_to_sell(asked, held, terms.quantum[place]), open_price, volume, terms, place)
    else:
        fill = buy_fill(orders.money[at], orders.least[at], share, open_price, volume, terms, place)
    return fill if fill.units > 0.0 else Fill(0.0, np.nan, asked, fill.hindrance)


def obstacle(orders: Orders, at: int, row: int, sessions: Sessions) -> Hindrance:
    """Why an order cannot fill at a session, whatever the cash is."""
    place = orders.place[at]
    wanted = orders.units[at] if orders.sells[at] else orders.money[at]
    if math.isnan(wanted) or math.isnan(sessions.decision_price[row - 1, place]):
        return Hindrance.NO_PRICE
    if sessions.stale[row - 1, place]:
        return Hindrance.STALE
    return Hindrance.NO_OPEN if math.isnan(sessions.open[row, place]) else Hindrance.NONE


def promised_money(orders: Orders, coins: bool, row: int, sessions: Sessions) -> float:
    """What the buys of one moment promise that can fill, US dollars."""
    promised = 0.0
    for at in range(len(orders.place)):
        if orders.sells[at] or sessions.coins[orders.place[at]] != coins:
            continue
        if obstacle(orders, at, row, sessions) == Hindrance.NONE:
            promised += orders.money[at]
    return promised


def empty_fills(count: int) -> Fills:
    """Fills of orders of which none is played yet."""
    return Fills(
        np.zeros(count),
        np.full(count, np.nan),
        np.zeros(count),
        np.zeros(count),
        np.zeros(count),
        np.zeros(count, dtype=np.int64),
        np.zeros(count, dtype=np.int64),
    )
