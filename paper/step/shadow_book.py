"""What the market's actions owe to an account and its broker has not booked: beside the ledger, never in its cash.

Paper accounts at some brokers book neither dividends nor splits. What they would have been is worked out anew, whenever
it is asked for, from the units of the ledger at its closes and the actions of the market: it has no state that could be
lost or counted twice, and what is told late of a session that is past is in it from then on.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from backtests.execution.records import UnitChange
from backtests.execution.session import change_units
from paper.config import BrokerSection
from paper.ledger.reader import LedgerReader
from paper.market import PaperMarket

# Units and US dollars that adding up leaves over, as a share of what they are taken of.
ROUNDING = 1e-9
DIVIDEND = "dividend"
# Units by which what the broker booked of a change may differ: parts of one may be paid in cash.
PART = 1.0
# Calendar days by which a broker may book an action before the session that the market names.
BOOKED_BEFORE = timedelta(days=5)
# Calendar days: a market may tell late. What it tells later still is in the shadow book, and halts nothing.
LOOKED_AT = timedelta(days=100)
# What moves with an order, or has nothing to do with an action.
_NO_ACTIONS = ("fee", "interest", "transfer")


@dataclass(frozen=True)
class Unbooked:
    """One action of the market, as far as the broker has not booked it.

    Attributes:
        session: at whose beginning units change, or at whose end a dividend is earned.
        symbol: of the instrument whose units or dollars are owed.
        kind: ``dividend``, ``split``, ``spin_off``, ``symbol_change``, ``delisting``, ``close_out``.
        units: owed; below 0 where they are to be given back; 0 of a dividend.
        amount: owed, US dollars.
    """

    session: date
    symbol: str
    kind: str
    units: float
    amount: float


@dataclass(frozen=True)
class ShadowBook:
    """What an account would have besides, had its broker booked all actions.

    Attributes:
        rows: oldest first.
        cash: US dollars.
        value: of the units that are owed, US dollars, at the prices of the status.
    """

    rows: tuple[Unbooked, ...] = ()
    cash: float = 0.0
    value: float = 0.0

    @property
    def total(self) -> float:
        """US dollars by which equity would be higher."""
        return self.cash + self.value


@dataclass(frozen=True)
class _Booked:
    """What the broker has booked of actions, by symbol; it pays for the oldest first."""

    units: dict[str, float]
    amounts: dict[str, float]

    def pay(self, symbol: str, units: float, amount: float) -> tuple[float, float]:
        """What is left of something owed."""
        return _paid_by(self.units, symbol, units), _paid_by(self.amounts, symbol, amount)


def unbooked_actions(market: PaperMarket, ledger: LedgerReader, since: date | None = None) -> tuple[Unbooked, ...]:
    """What the market's actions of played sessions owe, and the broker has not booked.

    Args:
        market: of the account, as it is now.
        ledger: of the account.
        since: the first session that is looked at; None: the account's first.
    """
    account = ledger.account()
    if account is None:
        return ()
    first = max(account.first_session, since or account.first_session)
    held = ledger.positions(first - BOOKED_BEFORE)
    if held.empty:
        return ()
    panel, sessions = market.panel, market.rules.sessions
    units = held.reindex(columns=list(panel.symbols), fill_value=0.0)
    booked = _booked(ledger, first)
    missing, found = np.zeros(len(panel.symbols)), list[Unbooked]()
    rows = range(market.row(first), market.row(held.index[-1].date()) + 1)
    for row in rows:
        if not (sessions.changes_units[row] or sessions.pays_dividends[row]):
            continue
        began = _before(units, panel.sessions[row])
        change, left, paid = change_units(began + missing, row, sessions)
        for place in np.flatnonzero(change).tolist():
            kind = UnitChange(change[place]).name.lower()
            owed = float(left[place] - began[place] - missing[place]), float(paid[place])
            unbooked = _owed(booked, panel.sessions[row], panel.symbols[place], kind, *owed)
            missing[place] += sum(each.units for each in unbooked)
            found += unbooked
        if sessions.pays_dividends[row]:
            dividends = (left if len(change) else began + missing) * sessions.dividend[row]
            for place in np.flatnonzero(dividends).tolist():
                owed = 0.0, float(dividends[place])
                found += _owed(booked, panel.sessions[row], panel.symbols[place], DIVIDEND, *owed)
    return tuple(found)


def unbooked_changes(market: PaperMarket, ledger: LedgerReader, broker: BrokerSection) -> list[str]:
    """Say which splits and the like of the last hundred days the broker has not booked, a sentence each, by name.

    Nothing is said of a broker that books all actions by itself, from the same market.

    A session is looked at when it has ended: an activity may come on its day. Whoever resumes the trader takes what was
    there by then as it is.
    """
    close = ledger.last_close()
    if close is None or not broker.entry.unpaid:
        return []
    resumed = next(iter(ledger.events(("resume",), newest=1)), None)
    since = max(close - LOOKED_AT, date.min if resumed is None else resumed.at.date())
    return [
        f"{each.symbol}: the market tells of a {each.kind.replace('_', ' ')} on {each.session} that the broker has not "
        f"booked: {_units_words(each.units)} at it; see: reverse-qe paper status; what is decided would be wrong"
        for each in unbooked_actions(market, ledger, since)
        if each.units
    ]


def _units_words(units: float) -> str:
    return f"{units:+g} units are missing" if units > 0 else f"{-units:g} units are left that should be gone"


def shadow_book(rows: Sequence[Unbooked], prices: dict[str, float]) -> ShadowBook:
    """Add up what is owed.

    Args:
        rows: as `unbooked_actions` gives them.
        prices: US dollars, by symbol; units without one are worth nothing.
    """
    value = sum(each.units * prices.get(each.symbol, 0.0) for each in rows)
    return ShadowBook(tuple(rows), sum(each.amount for each in rows), value)


def _before(units: pd.DataFrame, session: pd.Timestamp) -> np.ndarray:
    """Units at the close before a session: none before the first."""
    place = int(units.index.searchsorted(session)) - 1
    return units.iloc[place].to_numpy() if place >= 0 else np.zeros(units.shape[1])


def _owed(
    booked: _Booked, session: pd.Timestamp, symbol: str, kind: str, units: float, amount: float
) -> list[Unbooked]:
    left_units, left_amount = booked.pay(symbol, units, amount)
    if left_units != units and abs(left_units) < PART:
        left_units = left_amount = 0.0
    is_owed = abs(left_units) > ROUNDING * max(1.0, abs(units)) or abs(left_amount) > ROUNDING * max(1.0, abs(amount))
    return [Unbooked(session.date(), symbol, kind, left_units, left_amount)] if is_owed else []


def _booked(ledger: LedgerReader, first: date) -> _Booked:
    units, amounts = defaultdict[str, float](float), defaultdict[str, float](float)
    for row in ledger.movements(first - BOOKED_BEFORE):
        if row["kind"] not in _NO_ACTIONS:
            units[row["symbol"]] += row["units"]
            amounts[row["symbol"]] += row["amount"]
    return _Booked(units, amounts)


def _paid_by(booked: dict[str, float], symbol: str, owed: float) -> float:
    """Take from what is booked of a symbol, in the direction of what is owed, and say how much is left owed."""
    there = booked.get(symbol, 0.0)
    if owed * there <= 0:
        return owed
    taken = min(abs(owed), abs(there)) * (1.0 if owed > 0 else -1.0)
    booked[symbol] = there - taken
    return owed - taken
