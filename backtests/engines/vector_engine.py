"""The vector engine: a run as one compiled loop over arrays, with the same tables as the event engine's.

`tests/backtests/test_vector_engine.py` runs it beside Backtrader and the ledger. It needs numba, which single runs of
the event engine do not.
"""

from typing import NamedTuple

import numpy as np

from backtests.engines.compiled import compiled_kernel
from backtests.engines.kernel import Bench, Journal, OrderLines, PlanRows, Track, Valuation
from backtests.execution.book import Movement, payments, trades, unit_movements
from backtests.execution.fill_rules import FillRules
from backtests.execution.records import Fills, Orders, PlayedSession, Room, Sessions
from backtests.execution.result import EngineLog, EngineResult, collect_result
from strategies.fills import Hindrance
from strategies.order_rules import OrderRulesConfig, SessionOrders
from strategies.policy import Plan
from strategies.trade_terms import TradeTerms


class _Kept(NamedTuple):
    """Of a run that was played."""

    track: Track
    journal: Journal


def run_vector_engine(fills: FillRules, plan: Plan, rules: OrderRulesConfig, initial_cash: float) -> EngineResult:
    """Run a plan; arguments as for `backtests.engines.event_engine.run_event_engine`.

    Raises:
        InputError: numba is not installed.
    """
    panel, sessions = fills.panel, as_arrays(fills.sessions)
    count, width = sessions.close.shape
    targets = plan.targets.reindex(columns=list(panel.symbols)).to_numpy(dtype=float)
    rows = PlanRows(np.ascontiguousarray(targets), np.arange(count), plan.rebalance.to_numpy(dtype=bool, copy=True))
    valuation = Valuation(np.ascontiguousarray(sessions.close.T), np.zeros(width, dtype=bool))
    track, journal = empty_track(count), empty_journal(count + 1, width)
    bench = empty_bench(count, width)
    compiled_kernel().play_run(initial_cash, rows, rules.rules, sessions, valuation, bench, track, journal)
    return collect_result(panel, _log(fills, _Kept(track, journal)), initial_cash)


def as_arrays(sessions: Sessions) -> Sessions:
    """The same with every array laid out row by row, and the terms in arrays, as compiled code takes them."""
    laid_out = (np.ascontiguousarray(each) if isinstance(each, np.ndarray) else each for each in sessions)
    terms = TradeTerms._make(np.asarray(column, dtype=float) for column in sessions.terms)
    return Sessions._make(laid_out)._replace(terms=terms)


def empty_track(count: int) -> Track:
    """Room for a run of n sessions."""
    return Track._make(np.zeros(count) for _ in Track._fields)


def empty_bench(count: int, width: int) -> Bench:
    """Room for the loop over n sessions of m instruments."""
    return Bench(np.zeros(width), np.zeros(width), np.zeros(width, dtype=bool), np.zeros(count))


def empty_journal(lines: int, width: int) -> Journal:
    """Room for so many sessions of m instruments; one line for a run of which nothing is kept."""

    def numbers() -> np.ndarray:
        return np.zeros((lines, width))

    def whole() -> np.ndarray:
        return np.zeros((lines, width), dtype=np.int64)

    fills = Fills(numbers(), numbers(), numbers(), numbers(), numbers(), whole(), whole())
    return Journal(
        planned=SessionOrders(numbers(), numbers(), numbers(), whole()),
        sent=np.zeros(lines, dtype=np.int64),
        # Places below 0 count from the end, which compiled code would look out for at every use.
        orders=OrderLines(
            np.zeros((lines, width), dtype=np.uint64),
            np.zeros((lines, width), dtype=bool),
            numbers(),
            numbers(),
            numbers(),
        ),
        room=Room(numbers(), fills, whole(), numbers(), numbers(), numbers()),
        changes=np.zeros(lines, dtype=bool),
        pays=np.zeros(lines, dtype=bool),
        interest=np.zeros(lines),
        is_due=np.zeros(lines, dtype=bool),
    )


def _log(fills: FillRules, kept: _Kept) -> EngineLog:
    """What the event engine notes on its way, from the journal."""
    panel, (track, journal) = fills.panel, kept
    dates, symbols, count = panel.sessions.date, panel.symbols, len(panel.sessions)
    equity = track.cash + track.reserve + track.at_risk
    closes = list(zip(equity.tolist(), track.cash.tolist(), journal.room.units[:count].tolist(), strict=True))
    orders: list[tuple[object, ...]] = []
    cash: list[tuple[object, ...]] = []
    decided: list[tuple[int, int, float]] = []
    unsent: list[tuple[int, int, Hindrance]] = []
    sent: dict[int, Orders] = {}
    for row in range(1, count + 1):
        asked = _first(journal.orders, row, int(journal.sent[row]))
        units = np.where(asked.sells, -np.asarray(asked.units), asked.units).tolist()
        decided += [(row - 1, place, size) for place, size in zip(asked.place, units, strict=True)]
        if journal.is_due[row]:
            hindered = journal.planned.unsent[row]
            unsent += [(row - 1, place, Hindrance(hindered[place])) for place in np.flatnonzero(hindered).tolist()]
        if row == count:
            break
        if asked.place:
            sent[row] = asked
        played = _played(kept, row)
        for trade in trades(asked, played):
            orders.append((len(orders) + 1, dates[row - 1], dates[row], symbols[trade.place], *trade[1:]))
        movements: list[Movement] = [*unit_movements(journal.room.units[row - 1], played), *payments(played)]
        cash += [(dates[row], symbols[each.place] if each.place >= 0 else "", *each[1:]) for each in movements]
    coming = _first(journal.orders, count, int(journal.sent[count]))
    waiting = [
        (symbols[place], "sell" if sells else "buy", units, np.nan if sells else money)
        for place, sells, units, money, _ in zip(*coming, strict=True)
    ]
    return EngineLog(closes, orders, cash, waiting, decided, unsent, sent)


def _played(kept: _Kept, row: int) -> PlayedSession:
    """A session as it was played."""
    journal, count = kept.journal, int(kept.journal.sent[row])
    room, width = journal.room, journal.room.units.shape[1]
    changes, pays = (width if each[row] else 0 for each in (journal.changes, journal.pays))
    return PlayedSession(
        cash=float(kept.track.cash[row]),
        units=room.units[row],
        stock_flow=0.0,
        traded=float(kept.track.traded[row]),
        costs=float(kept.track.costs[row]),
        fills=Fills._make(part[row, :count] for part in room.fills),
        change=room.change[row, :changes],
        changed_units=room.changed_units[row, :changes],
        change_paid=room.change_paid[row, :changes],
        dividend=room.dividend[row, :pays],
        interest=float(journal.interest[row]),
    )


def _first(orders: OrderLines, row: int, count: int) -> Orders:
    """The orders of a session in lists, as the event engine keeps them."""
    return Orders._make(np.asarray(part)[row, :count].tolist() for part in orders)
