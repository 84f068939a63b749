"""The ledger of a paper account: append-only, intent before action.

Cash and units are running balances: every entry carries what they came to, added up in the order of the entries.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from data.files.locks import BusyError
from paper.broker import UNKNOWN, Fill, Intent, Movement, OrderState
from paper.ledger.chain import last_hash, link_newest, write_head
from paper.ledger.reader import LedgerReader
from paper.ledger.records import AccountRecord, Close, DecisionRecord, Event, SeenBar
from paper.storage.database import Row
from paper.storage.rows import as_row, as_text
from strategies.fills import OrderStatus

DEPOSIT = "deposit"
NOTICE = "notice"

# Of what was corrected, what it was booked with and every correction.
_BOOKED = "SELECT amount, units FROM entries WHERE source_id = ?1 OR (source_id > ?2 AND source_id < ?3)"
_CORRECTED = "/corrected/"
_ROUNDING = 1e-9


class Ledger(LedgerReader):
    """The ledger of one account, to be read and written.

    Every method raises `InputError` where the file cannot be written, and `BusyError` where another process has written
    to it since it was opened here; what was written before stays. What was told already and is told again changes
    nothing.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            self._hash = last_hash(self._database)
        except BaseException:
            super().close()
            raise

    def close(self) -> None:
        """Name the newest row beside the ledger, and close the file."""
        write_head(self._database)
        super().close()

    def open_account(self, account: AccountRecord, cash: float) -> None:
        """Open the account with its first deposit, US dollars."""
        with self._writing():
            self._append("accounts", as_row(account))
            source: Row = {"source_id": DEPOSIT, "client_id": None, "kind": DEPOSIT, "price": None, "fees": 0.0}
            self._add_entry(source, account.opened_at, account.first_session, "", cash, 0.0)

    def write_decision(self, decision: DecisionRecord, intents: Sequence[Intent], bars: Sequence[SeenBar] = ()) -> None:
        """Write a decision, all its intents and the bars that a strategy of the user saw first for it, or nothing."""
        with self._writing():
            known: Row = {"last_state": self.last_state(), "last_entry": self.last_entry()}
            self._append("decisions", as_row(decision) | known)
            for intent in intents:
                self._append("intents", as_row(intent))
                self._database.insert("open_intents", {"client_id": intent.client_id, "sent": 0})
            for bar in bars:
                self._append("strategy_bars", as_row(bar))

    def write_sent(self, taken: Iterable[Intent], refused: Iterable[OrderState], at: datetime) -> None:
        """Note which orders the broker has taken, and which it has not."""
        with self._writing():
            for intent in taken:
                self._add_state(OrderState(intent.client_id, OrderStatus.SENT, 0.0), at)
            for state in refused:
                self._add_state(state, at)

    def write_unsent_end(self, intent: Intent, reason: str, at: datetime) -> None:
        """Note that an intent ends without having been sent."""
        with self._writing():
            self._add_state(OrderState(intent.client_id, OrderStatus.UNFILLED, 0.0, reason), at)

    def write_answers(
        self, fills: Sequence[Fill], movements: Sequence[Movement], states: Sequence[OrderState], at: datetime
    ) -> list[Movement]:
        """Note what the broker told: fills and movements by their stamps, and which orders have ended.

        A movement that is told with other figures than it was booked with is corrected by the difference.

        Returns:
            The movements, and corrections of them, that were not there yet.
        """
        new = []
        # Of one moment, movements come first: a session begins with what changes held units.
        told: list[Movement | Fill] = sorted([*movements, *fills], key=lambda each: each.at)
        with self._writing():
            for each in told:
                if isinstance(each, Fill):
                    self._add_fill(each)
                else:
                    new += self._add_movement(each, at)
            for state in states:
                if state.status != OrderStatus.OPEN:
                    self._add_state(state, at)
        return new

    def write_closes(self, closes: Iterable[Close]) -> None:
        """Write what the account was worth at the closes of sessions."""
        with self._writing():
            for close in closes:
                self._append("closes", as_row(close) | {"last_entry": self.last_entry()})

    def write_event(self, kind: str, text: str, at: datetime, session: date | None = None) -> None:
        """Write something that people are told."""
        with self._writing():
            self._append("events", as_row(Event(at, kind, session, text)))

    def write_notice(self, text: str, at: datetime, session: date | None = None) -> bool:
        """Write something that people should know, unless it stands there already; return whether it is new."""
        with self._writing():
            if self._database.rows("SELECT 1 FROM events WHERE kind = ? AND text = ?", NOTICE, text):
                return False
            self._append("events", as_row(Event(at, NOTICE, session, text)))
        return True

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Everything inside is written, or nothing is; by one process alone, whatever the lock of its folder says."""
        before = self._hash
        try:
            with self._database.writing():
                if last_hash(self._database) != before:
                    raise BusyError(
                        f"another process has written to {self.path} while this one was at it, where the lock of its "
                        "folder does not hold (as on some network drives): this one ends; let one alone step it"
                    )
                yield
        except BaseException:
            self._hash = before
            raise

    def _append(self, table: str, row: Row, clash: str = "") -> bool:
        """Add a row to a table and to the chain, within `_writing`; return whether it is new."""
        is_new = self._database.insert(table, row, clash)
        if is_new:
            self._hash = link_newest(self._database, table)
        return is_new

    def _add_fill(self, fill: Fill) -> None:
        (order,) = self._database.rows("SELECT session FROM intents WHERE client_id = ?", fill.client_id)
        sign = 1.0 if fill.side == "buy" else -1.0
        source: Row = {"source_id": f"fill:{fill.fill_id}", "client_id": fill.client_id, "kind": fill.side}
        source |= {"price": fill.price, "fees": fill.fees}
        amount = -sign * fill.units * fill.price - fill.fees
        self._add_entry(source, fill.at, order["session"], fill.symbol, amount, sign * fill.units)

    def _add_movement(self, told: Movement, at: datetime) -> list[Movement]:
        """Add a movement, or what it is told otherwise than it stands; return what was added.

        What was added of a kind that nobody knows halts the trader.
        """
        name = f"movement:{told.movement_id}"
        booked = self._database.rows(_BOOKED, name, f"{name}{_CORRECTED}", f"{name}{_CORRECTED}\uffff")
        amount = told.amount - sum(row["amount"] for row in booked)
        units = told.units - sum(row["units"] for row in booked)
        if not (_matters(amount, told.amount) or _matters(units, told.units)) and (booked or not (amount or units)):
            return []
        new = told
        if booked:
            name = f"{name}{_CORRECTED}{len(booked)}"
            reason = f"corrected by the broker, who told of {told.session} otherwise before"
            new = replace(told, amount=amount, units=units, at=at, reason=reason)
        source: Row = {"source_id": name, "client_id": None, "kind": new.kind}
        source |= {"price": None, "fees": 0.0, "reason": new.reason}
        self._add_entry(source, new.at, new.session, new.symbol, new.amount, new.units)
        if new.kind == UNKNOWN:
            why = (
                f"the broker moved {new.amount:+,.2f} USD and {new.units:+g} units of {new.symbol or 'nothing'} for "
                f"{new.session} by an activity of a kind that is not known ({new.movement_id}): it is booked; look at "
                "the account, then: reverse-qe paper resume"
            )
            self._append("events", as_row(Event(at, "halt", None, why)))
        return [new]

    def _add_entry(
        self, source: Row, at: datetime, session: date | str, symbol: str, amount: float, units: float
    ) -> bool:
        """Add an entry, unless its source has one, and carry the balances on; return whether it is new."""
        if self._database.rows("SELECT 1 FROM entries WHERE source_id = ?", source["source_id"]):
            return False
        held = self._database.rows(
            "SELECT units_after FROM entries WHERE symbol = ? ORDER BY entry_id DESC LIMIT 1", symbol
        )
        cash = self._database.rows("SELECT cash_after FROM entries ORDER BY entry_id DESC LIMIT 1")
        row = source | {"at": as_text(at), "session": str(session), "symbol": symbol, "amount": amount, "units": units}
        row["cash_after"] = (cash[0]["cash_after"] if cash else 0.0) + amount
        row["units_after"] = (held[0]["units_after"] if held else 0.0) + units
        return self._append("entries", row)

    def _add_state(self, state: OrderState, at: datetime) -> None:
        """Add a state of an order; one that was sent, or has ended, is so once. A rejection halts the trader."""
        row: Row = {"client_id": state.client_id, "at": as_text(at), "status": state.status.value}
        row |= {"units_filled": state.units_filled, "units_wanted": state.units_wanted, "reason": state.reason}
        is_new = self._append("order_states", row, "ON CONFLICT DO NOTHING")
        if state.status == OrderStatus.SENT:
            self._database.change("UPDATE open_intents SET sent = 1 WHERE client_id = ?", state.client_id)
        else:
            self._database.change("DELETE FROM open_intents WHERE client_id = ?", state.client_id)
        if is_new and state.status == OrderStatus.REJECTED:
            why = f"the broker rejected the order {state.client_id}: {state.reason}"
            self._append("events", as_row(Event(at, "halt", None, why)))


def _matters(difference: float, told: float) -> bool:
    return abs(difference) > _ROUNDING * max(1.0, abs(told))
