"""What the simulated broker knew of the sessions that it played, and what it does when the market says otherwise.

What is owed for what was held then is booked as of now, with its reason; bars that have changed, or come late, are
told: fills and closes stay as they were booked.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime

import numpy as np
import pandas as pd

from data.clock import next_session, previous_session
from paper.broker import Movement
from paper.brokers.simulated.late import INTEREST, Key, Owed, Played, owed_by_now
from paper.errors import BrokerRefused
from paper.market import PaperMarket
from paper.storage.database import Database
from paper.storage.rows import as_row

DAY = pd.Timedelta(days=1)
# Notices that are told again: the ledger takes each once.
NEWEST = 20
# Of the differences of bars, so many are told one by one.
NAMED = 3


class Revisions:
    """Compares the played sessions of one account with its market."""

    def __init__(self, database: Database, market: PaperMarket) -> None:
        """Compare nothing yet.

        Args:
            database: of the broker.
            market: as it is now.
        """
        self._database, self._market = database, market
        # They read all sessions up to a row, and a step asks for them a dozen times.
        self._hashes = market.kept_hashes

    def notices(self) -> list[str]:
        """The newest ones, oldest first."""
        rows = self._database.rows("SELECT text FROM notices ORDER BY notice_id DESC LIMIT ?", NEWEST)
        return [row["text"] for row in reversed(rows)]

    def note_known(self, row: int) -> None:
        """Note, within `writing`, what the market says of the sessions up to a row, the last that was played."""
        self._database.change(
            "UPDATE books SET known_actions = ?, known_bars = ? WHERE session = ?",
            *self._hashes_of(row),
            str(self._session(row)),
        )

    def bars_text(self, row: int) -> str:
        """Open and close of a session by symbol, to be kept with it; what has no bar has no entry."""
        return json.dumps(self._bars(row))

    def booked_after(self, session: date) -> tuple[float, np.ndarray]:
        """US dollars and (m,) units that were booked late after a session and before the next."""
        units, cash = np.zeros(len(self._market.panel.symbols)), 0.0
        for each in self._database.rows("SELECT symbol, units, amount FROM late WHERE after = ?", str(session)):
            cash += each["amount"]
            if each["symbol"]:
                units[self._market.panel.symbols.index(each["symbol"])] += each["units"]
        return cash, units

    def book_late(self, row: int) -> None:
        """Book what the market says by now of the sessions up to a row, the last that was played, and tell of bars.

        Raises:
            BrokerRefused: it takes away what has been sold.
        """
        (known,) = self._database.rows(
            "SELECT known_actions, known_bars FROM books WHERE session = ?", str(self._session(row))
        )
        actions, bars = self._hashes_of(row)
        same_actions, same_bars = known["known_actions"] == actions, known["known_bars"] == bars
        if same_actions and same_bars:
            return
        with self._database.writing():
            if not same_actions:
                self._write_owed(row)
            if not same_bars:
                self._tell_bars(row)
            self.note_known(row)

    def _write_owed(self, row: int) -> None:
        after = self._session(row)
        booked_for = next_session(pd.Timestamp(after)).date()
        owed, impossible = owed_by_now(self._played(row), self._market.rules.sessions)
        if impossible is not None:
            raise BrokerRefused(
                f"{self._what(impossible)}, by the market {self._market.snapshot.name}, which said otherwise when that "
                "session was played; it takes away units that have been sold since, so the account cannot follow: name "
                "the version of the market that it was played on, or begin another account.name"
            )
        (before,) = self._database.rows("SELECT count(*) AS count FROM late")
        for number, (key, due) in enumerate(owed.items(), start=before["count"] + 1):
            session, symbol = self._session(key.row), self._symbol(key.place)
            found = {"after": str(after), "session": str(session), "symbol": symbol, "kind": key.kind}
            self._database.insert("late", found | due._asdict())
            movement = Movement(
                movement_id=f"late-{number}-{session}-{symbol or 'cash'}-{key.kind}",
                session=booked_for,
                symbol=symbol,
                kind=key.kind,
                amount=due.amount,
                units=due.units,
                at=begin_of(booked_for),
                reason=f"told late by the market {self._market.snapshot.name}: {self._what(key)}",
            )
            self._database.insert("movements", as_row(movement))

    def _played(self, row: int) -> list[Played]:
        """The sessions up to a row, as they were played."""
        symbols = self._market.panel.symbols
        booked: defaultdict[str, dict[Key, Owed]] = defaultdict(dict)
        rows = self._database.rows("SELECT * FROM movements WHERE reason = '' AND kind <> ?", INTEREST)
        for each in rows:
            booked[each["session"]][self._key(each)] = Owed(each["units"], each["amount"])
        late: defaultdict[str, dict[Key, Owed]] = defaultdict(dict)
        for each in self._database.rows("SELECT * FROM late ORDER BY late_id"):
            key = self._key(each)
            before = late[each["after"]].get(key, Owed(0.0, 0.0))
            late[each["after"]][key] = Owed(before.units + each["units"], before.amount + each["amount"])
        played, held = [], np.zeros(len(symbols))
        for book in self._database.rows("SELECT session, units FROM books ORDER BY session"):
            units = json.loads(book["units"])
            left = np.array([units.get(symbol, 0.0) for symbol in symbols])
            played.append(Played(held, left, booked[book["session"]], late[book["session"]]))
            held = left.copy()
            for key, owed in played[-1].late.items():
                if key.place >= 0:
                    held[key.place] += owed.units
        return played[:row]

    def _key(self, row: dict[str, str]) -> Key:
        place = self._market.panel.symbols.index(row["symbol"]) if row["symbol"] else -1
        return Key(self._market.row(date.fromisoformat(row["session"])), place, row["kind"])

    def _what(self, key: Key) -> str:
        """What a difference is about, in words."""
        if key.kind == INTEREST:
            return "interest on what was owed"
        panel, day = self._market.panel, self._session(key.row)
        value = {"split": f", {panel.split[key.row, key.place]:g} for 1"}
        value |= {"dividend": f", {panel.dividend[key.row, key.place]:g} USD a unit"}
        return f"{key.kind.replace('_', ' ')} of {self._symbol(key.place)} on {day}{value.get(key.kind, '')}"

    def _tell_bars(self, row: int) -> None:
        """Tell which bars of played sessions are others now, and keep them as they are now."""
        found: list[str] = []
        for book in self._database.rows("SELECT session, bars FROM books WHERE bars IS NOT NULL ORDER BY session"):
            at = self._market.row(date.fromisoformat(book["session"]))
            now = self.bars_text(at) if at <= row else book["bars"]
            if now != book["bars"]:
                found += _changes(book["session"], json.loads(book["bars"]), json.loads(now))
                self._database.change("UPDATE books SET bars = ? WHERE session = ?", now, book["session"])
        if found:
            more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
            text = (
                f"the market {self._market.snapshot.name} has other bars of sessions that were played: "
                f"{'; '.join(found[:NAMED])}{more}; fills and closes stay as they were booked"
            )
            self._database.insert("notices", {"text": text}, "ON CONFLICT (text) DO NOTHING")

    def _bars(self, row: int) -> dict[str, list[float | None]]:
        panel = self._market.panel
        pairs = zip(panel.symbols, panel.open[row].tolist(), panel.close[row].tolist(), strict=True)
        present = panel.has_bar()[row].tolist()
        return {
            symbol: [None if first != first else first, last]
            for (symbol, first, last), here in zip(pairs, present, strict=True)
            if here
        }

    def _hashes_of(self, row: int) -> tuple[str, str]:
        """Of the actions, and of the bars, of the sessions up to a row."""
        if row not in self._hashes:
            self._hashes[row] = self._hash_of_actions(row), self._hash_of_bars(row)
        return self._hashes[row]

    def _hash_of_actions(self, row: int) -> str:
        sessions = self._market.rules.sessions
        upto = slice(1, row + 1)
        parts = (sessions.split, sessions.dividend, sessions.ended, sessions.payout)
        told = sessions.conversions
        conversions = (told.row, told.place, told.into, told.units, told.keeps)
        of_these = told.row <= row
        # A market without any has the hash that it had before conversions were in it.
        more = [part[of_these] for part in conversions] if of_these.any() else []
        return _hash(*(part[upto] for part in parts), sessions.stale[:row], *more)

    def _hash_of_bars(self, row: int) -> str:
        panel = self._market.panel
        return _hash(panel.open[1 : row + 1], panel.close[1 : row + 1])

    def _session(self, row: int) -> date:
        session: date = self._market.panel.sessions[row].date()
        return session

    def _symbol(self, place: int) -> str:
        return self._market.panel.symbols[place] if place >= 0 else ""


def begin_of(session: date) -> datetime:
    """The moment, UTC, from which an open counts for a session: the end of the session before."""
    begin = previous_session(pd.Timestamp(session)).tz_localize("UTC") + DAY
    moment: datetime = begin.to_pydatetime()
    return moment


def _changes(session: str, before: dict[str, list[float]], now: dict[str, list[float]]) -> Iterator[str]:
    for symbol in sorted({*before, *now}):
        if symbol not in before:
            yield f"{symbol} {session} came late"
        elif symbol not in now:
            yield f"{symbol} {session} is gone"
        elif before[symbol] != now[symbol]:
            opened, closed = before[symbol], now[symbol]
            yield f"{symbol} {session} open and close {_pair(opened)}, now {_pair(closed)}"


def _pair(bar: list[float]) -> str:
    return " and ".join("none" if price is None else f"{price:g}" for price in bar)


def _hash(*arrays: np.ndarray) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
