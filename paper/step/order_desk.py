"""Between ledger and broker: what is sent, what became of it, and whether both say the same."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from data.clock import decision_times, next_session, trading_hours
from paper.broker import GONE, HALTED, OVER, UNKNOWN, Account, Broker, Fill, Intent, Movement, OrderState
from paper.ledger.ledger import Ledger
from paper.ledger.records import Close, Holdings
from paper.market import PaperMarket
from strategies.fills import OrderStatus

ROUNDING = 1e-9
# Movements that nobody expects are told of when they are booked.
TOLD = ("transfer", "reorganisation", "miscellaneous", UNKNOWN)
# An order that falls short by more than this share was cut; less is rounding, or a fee in units not posted yet.
CUT = 5e-3
# Movements may be posted late and stamped earlier; asked for again, those known already are told apart by their ids.
POSTED_LATE = timedelta(days=10)


@dataclass(frozen=True)
class Desk:
    """One step's ledger, broker and market, and the clock (UTC).

    Attributes:
        ledger: of the account.
        broker: of the account.
        market: of the account.
        clock: tells the time, UTC.
        notes: what was booked late, and what else people should know, a sentence each.
        not_taken: orders that the broker ended when they were sent.
    """

    ledger: Ledger
    broker: Broker
    market: PaperMarket
    clock: Callable[[], datetime]
    notes: list[str] = field(default_factory=list)
    not_taken: list[Intent] = field(default_factory=list)

    def settle(self) -> list[Fill]:
        """Write down what became of the orders that were sent, what moved besides, and the closes that have passed.

        An order is not taken for ended before all of its fills are told.

        Returns:
            The fills of the orders that were open.
        """
        if not self.broker.fills_by_stamp:
            self._note_arrivals()
        sent = {intent.client_id: intent for intent in self.ledger.sent_intents()}
        # First the states: what fills after they are told belongs to the next time.
        states = self.broker.states(sent)
        fills = self.broker.fills(sent)
        told = [state for state in states if _is_told(state, fills)]
        if not self.broker.fills_by_stamp:
            told = [_measured(state, sent[state.client_id], fills) for state in told]
        new = self.ledger.write_answers(fills, self.broker.movements(self._movements_since()), told, self.clock())
        self.notes.extend(_booked_words(each) for each in new if each.reason or each.kind in TOLD)
        for text in self.broker.notices():
            if self.ledger.write_notice(text, self.clock()):
                self.notes.append(text)
        self.ledger.write_closes(self._closes())
        return fills

    def differences(self) -> list[str]:
        """What ledger and broker do not agree on, a sentence each; orders may fill in between, so it is asked twice."""
        found = self._differences()
        if found:
            self.settle()
            found = self._differences()
        return found

    def send(self) -> list[Intent]:
        """Send what is not sent yet and may be now, and write down that it is; what is not taken is told.

        Returns:
            What the broker has taken.
        """
        sent = []
        for coins in (True, False):
            for side in ("sell", "buy"):
                waiting = [each for each in self.ledger.unsent_intents() if each.is_coin == coins and each.side == side]
                if not waiting or (side == "buy" and self._has_open_sells(coins)):
                    continue
                ended = {state.client_id: state for state in self.broker.send(waiting)}
                self.ledger.write_sent(waiting, ended.values(), self.clock())
                self.notes.extend(
                    f"no order to {each.side} {each.symbol} for {each.session}: {ended[each.client_id].reason}"
                    for each in waiting
                    if each.client_id in ended
                )
                self.not_taken.extend(each for each in waiting if each.client_id in ended)
                sent += [each for each in waiting if each.client_id not in ended]
        return sent

    def end_outdated(self) -> None:
        """Let no order outlive its session: what is not sent is not sent any more, what is open is cancelled."""
        self._note_arrivals()
        for intent in self.ledger.unsent_intents():
            if _is_outdated(intent, self.clock()):
                self.ledger.write_unsent_end(intent, OVER, self.clock())
        outdated = [each for each in self.ledger.sent_intents() if _is_outdated(each, self.clock())]
        if not outdated:
            return
        self.broker.cancel([each.client_id for each in outdated])
        # A broker may say that it ends an order, and leave it open.
        closed = self.ledger.last_close()
        for each in outdated:
            text = (
                f"the order {each.client_id} is not over at the broker, which was asked to end it after its session; "
                f"{each.symbol} is not traded until it is: look for it there, and end it"
            )
            if closed is not None and each.session < closed and self.ledger.write_notice(text, self.clock()):
                self.notes.append(text)

    def end_vanished(self) -> None:
        """End orders that the broker has lost, once their session is over and somebody has resumed the trader.

        Else it would halt for them for ever: whoever resumes it after a halt that named them has looked for what became
        of them. Not before their session is over, for until then one could fill beside another that is planned anew.
        One that comes back and fills makes ledger and broker disagree.
        """
        vanished = self._lost([each for each in self.ledger.sent_intents() if _is_outdated(each, self.clock())])
        if not vanished:
            return
        events = self.ledger.events(("halt", "resume"))
        if not events or events[0].kind == "halt":
            return
        for each in vanished:
            if any(each.client_id in event.text for event in events if event.kind == "halt"):
                filled = self.ledger.filled(each.client_id)
                status = OrderStatus.REDUCED if filled else OrderStatus.UNFILLED
                self.ledger.write_answers([], [], [OrderState(each.client_id, status, filled, GONE)], self.clock())
                self.notes.append(f"the order {each.client_id} ends: {GONE}; {filled:g} units were filled")

    def end_unsent(self) -> None:
        """End what is not sent when the trader is halted: whoever resumes it may know the prices that have passed."""
        self._note_arrivals()
        for intent in self.ledger.unsent_intents():
            self.ledger.write_unsent_end(intent, HALTED, self.clock())

    def _note_arrivals(self) -> None:
        """Write down as sent what the broker has, though nobody lived, or got an answer, to write it down then."""
        unsent = self.ledger.unsent_intents()
        arrived = {state.client_id for state in self.broker.states([intent.client_id for intent in unsent])}
        self.ledger.write_sent([intent for intent in unsent if intent.client_id in arrived], [], self.clock())

    def _movements_since(self) -> datetime | None:
        """The moment from which movements are asked for: none is of the time before the account was opened.

        A broker that fills by stamp may stamp one earlier on that day, but has none of another account's.
        """
        account, last = self.ledger.account(), self.ledger.last_movement_at()
        if account is None or self.broker.fills_by_stamp:
            return None if last is None else last - POSTED_LATE
        return account.opened_at if last is None else max(account.opened_at, last - POSTED_LATE)

    def _has_open_sells(self, coins: bool) -> bool:
        """Whether sells of a moment have not ended, at a broker that does not itself fill them before the buys."""
        if self.broker.fills_by_stamp:
            return False
        self.settle()
        waiting = [*self.ledger.unsent_intents(), *self.ledger.sent_intents()]
        return any(each.is_coin == coins and each.side == "sell" for each in waiting)

    def _differences(self) -> list[str]:
        told = self.broker.account()
        return [
            # After a resume no close may have been counted for the peak yet.
            *differences(self.ledger.holdings(), told, max(self.ledger.peak_equity(), self.ledger.deposited())),
            *(
                f"order {each.client_id}: the ledger has it sent, the broker does not know it; look for it there, and "
                "resume when its session is over: it then ends as it is"
                for each in self._lost(self.ledger.sent_intents())
            ),
        ]

    def _lost(self, sent: list[Intent]) -> list[Intent]:
        """Orders that were sent and that the broker does not know."""
        known = {state.client_id for state in self.broker.states([each.client_id for each in sent])}
        return [each for each in sent if each.client_id not in known]

    def _closes(self) -> list[Close]:
        account, last = self.ledger.account(), self.ledger.last_close()
        if account is None:
            return []
        panel, closes = self.market.panel, []
        first = self.market.row(account.first_session if last is None else next_session(pd.Timestamp(last)).date())
        for row in range(first, len(panel.sessions)):
            session = panel.sessions[row].date()
            if not self.market.has_ended(session, self.clock()):
                break
            held = self.ledger.holdings_at_close(session)
            units = np.array([held.units.get(symbol, 0.0) for symbol in panel.symbols])
            value = float(np.where(units > 0, units * panel.close[row], 0.0).sum())
            closes.append(Close(session, held.cash + value, held.cash, self.market.snapshot.content_hash, held.units))
        return closes


def _booked_words(movement: Movement) -> str:
    moved = [f"{movement.units:+,.6g} units of {movement.symbol}"] if movement.units else []
    # A split's hair of cash is not worth a word.
    moved += [f"{movement.amount:+,.2f} USD"] if not moved or abs(movement.amount) >= 0.005 else []
    return f"booked {' and '.join(moved)}, {movement.reason or f'{movement.kind} at the broker'}"


def differences(held: Holdings, told: Account, turned: float = 0.0) -> list[str]:
    """What a ledger and a broker's account do not agree on, a sentence each.

    Args:
        held: by the ledger.
        told: by the broker; what it says of fees that are not posted yet is allowed for.
        turned: US dollars that may have been paid at one time, of whose adding up a rounding is left.
    """
    found = []
    rounding = ROUNDING * max(abs(held.cash), abs(told.cash), turned, 1.0)
    if abs(held.cash - told.cash) > told.cash_tolerance + rounding:
        found.append(f"cash: the ledger has {held.cash:,.4f} USD, the broker {told.cash:,.4f}")
    for symbol in sorted({*held.units, *told.positions}):
        ours, theirs = held.units.get(symbol, 0.0), told.positions.get(symbol, 0.0)
        unposted = told.unposted_units.get(symbol, 0.0)
        # Running balances end a hair beside 0.
        rounding = ROUNDING * max(abs(ours), abs(theirs), 1.0)
        if not -rounding <= ours - theirs <= unposted + rounding:
            found.append(f"{symbol}: the ledger has {ours!r} units, the broker {theirs!r}")
    return found


def _is_told(state: OrderState, fills: list[Fill]) -> bool:
    """Whether an order has ended and the fills told of it are all of them."""
    filled = sum(fill.units for fill in fills if fill.client_id == state.client_id)
    return state.status != OrderStatus.OPEN and abs(filled - state.units_filled) <= ROUNDING * max(
        filled, state.units_filled
    )


def _measured(state: OrderState, intent: Intent, fills: list[Fill]) -> OrderState:
    """The state of an order at a broker that cuts it when it is sent, and then fills all of what is left."""
    if state.status != OrderStatus.FILLED:
        return state
    if intent.units is not None:
        is_whole = state.units_filled >= intent.units * (1.0 - CUT)
        reason = "cut to what could be sold, or to the broker's largest order"
        return (
            state if is_whole else replace(state, status=OrderStatus.REDUCED, reason=reason, units_wanted=intent.units)
        )
    spent = sum(fill.units * fill.price + fill.fees for fill in fills if fill.client_id == state.client_id)
    is_whole = spent >= (intent.money or 0.0) * (1.0 - CUT)
    short = replace(
        state, status=OrderStatus.REDUCED, reason="cut to the cash present, or to the broker's largest order"
    )
    return state if is_whole else short


def _is_outdated(intent: Intent, now: datetime) -> bool:
    """Whether a session's trading is over: for a stock at the close, for a coin when the next decision is due."""
    session = pd.Timestamp(intent.session)
    if intent.is_coin:
        coming = pd.DatetimeIndex([next_session(session)])
        return bool(now >= decision_times(coming)[0])
    return now >= trading_hours(session)[1]
