"""The loop over the sessions of a run, in the subset of Python that numba compiles, around the one implementation.

What a session does to a book is `backtests.execution.session`, what is decided for it `strategies.order_rules`. Here is
what lies between: which sessions have something to plan, what fell short, what is kept of it. Nothing here makes an
array: the caller brings the room.
"""

import math
from typing import NamedTuple

import numpy as np

from backtests.execution.records import Fills, Orders, Room, Sessions
from backtests.execution.session import play_session_in, unsettled_money
from strategies.fills import Hindrance, falls_short
from strategies.order_rules import OrderRules, SessionOrders, plan_orders_in
from strategies.trade_terms import promised_units

# Sessions that are valued at once: several sums of several numbers each.
STRETCH = 16


class PlanRows(NamedTuple):
    """A plan of n sessions as few distinct rows.

    Attributes:
        weights: (k, m) target weights.
        row: (n,) which of them is decided for the session after each of the panel's.
        rebalance: (n,) whether the book is brought to it.
    """

    weights: np.ndarray
    row: np.ndarray
    rebalance: np.ndarray


class Valuation(NamedTuple):
    """What values a book.

    Attributes:
        closes: (m, n) closes of the panel, one row an instrument.
        is_reserve: (m,) whether it stands in for cash.
    """

    closes: np.ndarray
    is_reserve: np.ndarray


class Track(NamedTuple):
    """A book at the close of each of the panel's sessions, each of shape (n,), US dollars.

    Attributes:
        cash: what it is.
        reserve: value of what stands in for cash.
        at_risk: value of all else that is held.
        traded: value of everything bought and sold in the session.
        costs: commissions and slippage of the session.
    """

    cash: np.ndarray
    reserve: np.ndarray
    at_risk: np.ndarray
    traded: np.ndarray
    costs: np.ndarray


class OrderLines(NamedTuple):
    """Orders of several sessions, each of shape (lines, m); see `backtests.execution.records.Orders`."""

    place: np.ndarray
    sells: np.ndarray
    units: np.ndarray
    money: np.ndarray
    least: np.ndarray


class Journal(NamedTuple):
    """What is decided for a session and what becomes of it: a line a session where it is kept, else one line for all.

    Attributes:
        planned: (lines, m) each; see `strategies.order_rules.SessionOrders`.
        sent: (lines,) how many orders were sent.
        orders: of which the first `sent` count.
        room: (lines, m) each; units are those held at the close.
        changes: (lines,) whether the session changed units.
        pays: (lines,) whether it paid dividends.
        interest: (lines,) US dollars.
        is_due: (lines,) whether the book was brought to the plan, and not what fell short alone.
    """

    planned: SessionOrders
    sent: np.ndarray
    orders: OrderLines
    room: Room
    changes: np.ndarray
    pays: np.ndarray
    interest: np.ndarray
    is_due: np.ndarray


class Counts(NamedTuple):
    """Orders of a run by how they ended."""

    orders: int
    filled: int
    reduced: int
    unfilled: int


class Bench(NamedTuple):
    """What the loop writes on.

    Attributes:
        units: (m,) held.
        wanted: (m,) target weights of the session; NaN leaves an instrument alone.
        short: (m,) whether its last order fell short.
        stock_flows: (n,) see `backtests.execution.records.PlayedSession`.
    """

    units: np.ndarray
    wanted: np.ndarray
    short: np.ndarray
    stock_flows: np.ndarray


def play_run(
    initial_cash: float,
    plan: PlanRows,
    rules: OrderRules,
    sessions: Sessions,
    valuation: Valuation,
    bench: Bench,
    track: Track,
    journal: Journal,
) -> Counts:
    """Play a run.

    Args:
        initial_cash: US dollars.
        plan: of the run.
        rules: band, edge, adjustment, smallest order.
        sessions: of the run; the first carries the first decision alone. Terms are in arrays.
        valuation: of the book.
        bench: to write on.
        track: is written to.
        journal: is written to. With a line more than there are sessions, everything is kept, and the last line is what
            is decided for the session to come; with one line nothing is.
    """
    lines, last = len(journal.sent), len(track.cash)
    is_kept = lines > 1
    cash, units, short = initial_cash, bench.units, bench.short
    units[:] = 0.0
    short[:] = False
    is_short = False
    total = filled = unfilled = valued = 0
    track.cash[0] = cash
    track.traded[:] = 0.0
    track.costs[:] = 0.0
    bench.stock_flows[:] = 0.0
    row = 0
    while row < (last if is_kept else last - 1):
        row += 1
        if not (is_kept or is_short):
            row, cash = pass_quiet(row, cash, plan, sessions, track)
            if row == last:
                break
        line, sent, is_due = row if is_kept else 0, 0, plan.rebalance[row - 1]
        if is_due or is_short:
            for place in range(len(units)):
                is_asked = (is_due or short[place]) and not sessions.stale[row - 1, place]
                bench.wanted[place] = plan.weights[plan.row[row - 1], place] if is_asked else math.nan
            planned = planned_at(journal.planned, line)
            prices = sessions.decision_price[row - 1]
            plan_orders_in(planned, units, prices, bench.wanted, sessions.terms, rules, cash)
            sent = list_orders_in(journal.orders, line, planned, row, sessions, is_kept)
            if is_short:
                short[:] = False
                is_short = False
        if is_kept:
            journal.sent[line], journal.is_due[line] = sent, is_due
            if row == last:
                break
        if sent or sessions.changes_units[row] or sessions.pays_dividends[row]:
            value_book(track, units, valued, row, valuation)
            room, orders = room_at(journal.room, line), orders_at(journal.orders, line, sent)
            unsettled = unsettled_money(bench.stock_flows, row, sessions.settlement_sessions)
            played = play_session_in(room, cash, units, unsettled, orders, row, sessions)
            cash, bench.stock_flows[row] = played.cash, played.stock_flow
            track.traded[row], track.costs[row] = played.traded, played.costs
            journal.changes[line], journal.pays[line] = len(played.change) > 0, len(played.dividend) > 0
            journal.interest[line] = played.interest
            for at in range(sent):
                hindrance = room.fills.hindrance[at]
                if not room.fills.units[at] > 0.0:
                    unfilled += 1
                elif hindrance == Hindrance.NONE:
                    filled += 1
                if falls_short(hindrance):
                    short[orders.place[at]] = is_short = True
            total += sent
            copy_units(room.units, units)
            valued = row
        else:
            interest = cash * sessions.interest[row]
            cash += interest
            if is_kept:
                journal.interest[line] = interest
                copy_units(units, journal.room.units[line])
        track.cash[row] = cash
    value_book(track, units, valued, last, valuation)
    return Counts(total, filled, total - filled - unfilled, unfilled)


def pass_quiet(row: int, cash: float, plan: PlanRows, sessions: Sessions, track: Track) -> tuple[int, float]:
    """Let cash earn interest as long as nothing is to be done; return the session that has something, and the cash.

    Most sessions are such, and beside all that the others need they would take several times as long.
    """
    last = len(track.cash)
    due, interest, path = plan.rebalance[row - 1 : last - 1], sessions.interest[row:last], track.cash[row:last]
    changes, pays = sessions.changes_units[row:last], sessions.pays_dividends[row:last]
    for at in range(len(path)):
        if due[at] or changes[at] or pays[at]:
            return row + at, cash
        cash += cash * interest[at]
        path[at] = cash
    return last, cash


def list_orders_in(
    orders: OrderLines, line: int, planned: SessionOrders, row: int, sessions: Sessions, is_told: bool
) -> int:
    """List what was planned for a session as it is sent: sells, then buys, by instrument; return how many they are.

    What the money of a buy comes to in units is for people, and left out where it is told to none.
    """
    sent = 0
    for place in range(len(planned.sell_units)):
        if planned.sell_units[place] > 0.0:
            orders.place[line, sent], orders.sells[line, sent] = place, True
            orders.units[line, sent], orders.money[line, sent] = planned.sell_units[place], 0.0
            orders.least[line, sent] = 0.0
            sent += 1
    for place in range(len(planned.buy_money)):
        money = planned.buy_money[place]
        if money > 0.0:
            price = sessions.decision_price[row - 1, place]
            orders.place[line, sent], orders.sells[line, sent] = place, False
            orders.units[line, sent] = promised_units(money, price, sessions.terms, place) if is_told else math.nan
            orders.money[line, sent], orders.least[line, sent] = money, planned.least[place]
            sent += 1
    return sent


def value_book(track: Track, units: np.ndarray, first: int, end: int, valuation: Valuation) -> None:
    """Value what is held from one session on, up to another, at the closes; what is not held needs no price.

    Some sessions beyond are valued too, and again when it is their turn: whole `STRETCH`es take a fraction of the time.
    """
    end = min(first + (end - first + STRETCH - 1) // STRETCH * STRETCH, len(track.reserve))
    track.reserve[first:end] = 0.0
    track.at_risk[first:end] = 0.0
    for place in range(len(units)):
        held = units[place]
        if held > 0.0:
            # Parts that are counted from 0 compile to several sums at once; rows from `first` on do not.
            closes = valuation.closes[place, first:end]
            value = track.reserve[first:end] if valuation.is_reserve[place] else track.at_risk[first:end]
            for row in range(len(closes)):
                value[row] += held * closes[row]


def value_closes(cash: float, track: Track, values: np.ndarray, returns: np.ndarray) -> None:
    """Value a book at each close, and find its returns, in loops that compile to several sessions at once.

    Args:
        cash: at the start, US dollars.
        track: of the book, n sessions.
        values: (2, n), is written to: US dollars, and the part of them that one is; 0 where there are none.
        returns: (n - 1,), is written to; 0 from nothing.
    """
    wealth, share = values
    for row in range(1, len(wealth)):
        wealth[row] = track.cash[row] + (track.reserve[row] + track.at_risk[row])
    wealth[0] = cash
    after = wealth[1:]
    for row in range(len(returns)):
        returns[row] = after[row] / wealth[row] - 1.0 if wealth[row] > 0.0 else 0.0
    for row in range(len(wealth)):
        share[row] = 1.0 / wealth[row] if wealth[row] > 0.0 else 0.0


def copy_units(source: np.ndarray, target: np.ndarray) -> None:
    """Copy number by number: an assignment of whole arrays would ask for memory, lest they overlap."""
    for place in range(len(source)):
        target[place] = source[place]


def planned_at(planned: SessionOrders, line: int) -> SessionOrders:
    """Room for the plan of one session."""
    return SessionOrders(planned.sell_units[line], planned.buy_money[line], planned.least[line], planned.unsent[line])


def orders_at(orders: OrderLines, line: int, count: int) -> Orders:
    """The orders that were sent for one session."""
    return Orders(
        orders.place[line, :count],
        orders.sells[line, :count],
        orders.units[line, :count],
        orders.money[line, :count],
        orders.least[line, :count],
    )


def room_at(room: Room, line: int) -> Room:
    """Room for one session."""
    fills = room.fills
    return Room(
        room.units[line],
        Fills(
            fills.units[line],
            fills.price[line],
            fills.wanted[line],
            fills.commission[line],
            fills.slippage[line],
            fills.hindrance[line],
            fills.sequence[line],
        ),
        room.change[line],
        room.changed_units[line],
        room.change_paid[line],
        room.dividend[line],
    )
