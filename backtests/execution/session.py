"""What a session does to a book: change held units, fill orders in the order of the clock, pay dividends and interest.

Written once, as functions without memory over arrays and records, in the subset of Python that numba compiles: `Book`
calls them, Backtrader's broker translates its orders to them and their answers back, the vector engine compiles them.
For it they are quick where they make no array: to `play_session_in` the caller brings the room for the answer.
"""

import math

import numpy as np

from backtests.execution.records import Orders, PlayedSession, Room, Sessions, UnitChange, room_for
from strategies.fills import LEFT_OVER, Fill, Hindrance, buy_fill, granted_share, sell_fill, units_to_sell
from strategies.trade_terms import FloatVector, commission, whole_units


def play_session(
    cash: float, held: np.ndarray, unsettled: float, orders: Orders, row: int, sessions: Sessions
) -> PlayedSession:
    """Play one session; arguments as for `play_session_in`, and its answer in arrays of its own."""
    return play_session_in(room_for(len(held), len(orders.place)), cash, held, unsettled, orders, row, sessions)


def play_session_in(
    room: Room, cash: float, held: np.ndarray, unsettled: float, orders: Orders, row: int, sessions: Sessions
) -> PlayedSession:
    """Play one session.

    Coins trade at the UTC open, stocks later at the NYSE open; in each, sells come before buys. The buys of one moment
    share the cash that is there by one factor. Dividends go to what was held before the orders, interest to the cash
    that was there before anything.

    Args:
        room: for the answer, whose arrays are those of the room.
        cash: US dollars when the session begins.
        held: (m,) units then.
        unsettled: US dollars of the cash that cannot pay for coins yet.
        orders: decided for the session.
        row: of the session, from 1.
        sessions: of the run.
    """
    changes = change_units_in(room, held, row, sessions)
    units, fills, balance = room.units, room.fills, cash
    for place in range(len(held)):
        units[place] = room.changed_units[place] if changes else held[place]
    for place in range(changes):
        balance += room.change_paid[place]
    payers = len(held) if sessions.pays_dividends[row] else 0
    for place in range(payers):
        room.dividend[place] = units[place] * sessions.dividend[row, place]
    stock_flow = traded = costs = 0.0
    step = 0
    if len(orders.place):
        of_coins = 0
        for at in range(len(orders.place)):
            of_coins += 1 if sessions.coins[orders.place[at]] else 0
        for coins in (True, False):
            if (of_coins if coins else len(orders.place) - of_coins) == 0:
                continue
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
                    fills.units[at], fills.price[at] = 0.0, np.nan
                    fills.commission[at] = fills.slippage[at] = 0.0
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
    for place in range(payers):
        balance += room.dividend[place]
    interest = cash * sessions.interest[row]
    balance += interest
    return PlayedSession(
        balance,
        units,
        stock_flow,
        traded,
        costs,
        fills,
        room.change[:changes],
        room.changed_units[:changes],
        room.change_paid[:changes],
        room.dividend[:payers],
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
        ``change``, ``changed_units`` and ``change_paid`` of `PlayedSession`.
    """
    room = room_for(len(held), 0)
    count = change_units_in(room, held, row, sessions)
    return room.change[:count], room.changed_units[:count], room.change_paid[:count]


def change_units_in(room: Room, held: np.ndarray, row: int, sessions: Sessions) -> int:
    """What becomes of held units when a session begins, into the room.

    A split leaves whole quanta and pays the part of one that is over, and so does a conversion, which stands at the
    instrument that it gives; what has no market any more is paid out for the whole holding.

    Returns:
        For how many instruments the room says so: all, or none where the session changes no units.
    """
    if not sessions.changes_units[row]:
        return 0
    for place in range(len(held)):
        units, split, last_close = held[place], sessions.split[row, place], sessions.close[row - 1, place]
        change, left, paid = UnitChange.NONE, units, 0.0
        if units > 0.0:
            if sessions.ended[row, place] or sessions.stale[row - 1, place]:
                change = UnitChange.DELISTING if sessions.ended[row, place] else UnitChange.CLOSE_OUT
                payout = sessions.payout[row, place]
                left = 0.0
                paid = units * (last_close * (1.0 - sessions.stale_haircut) if math.isnan(payout) else payout)
            elif split != 1.0:
                change = UnitChange.SPLIT
                left = whole_units(units * split, sessions.terms.quantum[place], LEFT_OVER)
                paid = (units * split - left) * last_close / split
        room.change[place], room.changed_units[place], room.change_paid[place] = change, left, paid
    convert_units(room, held, row, sessions)
    return len(held)


def convert_units(room: Room, held: np.ndarray, row: int, sessions: Sessions) -> None:
    """Let held units give, or become, units of other instruments; the room's changes are written to."""
    conversions, change, left, paid = sessions.conversions, room.change, room.changed_units, room.change_paid
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
