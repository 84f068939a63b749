"""What the ledger says: for the trader, for people, for the comparison with a backtest."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import pandas as pd

from paper.broker import Intent
from paper.errors import DamagedLedger
from paper.ledger.chain import all_faults, is_head_lost, newest_faults
from paper.ledger.records import AccountRecord, Close, DecisionRecord, Event, Holdings, News, SeenBar
from paper.ledger.schema import MIGRATIONS
from paper.storage.database import Database, Row
from paper.storage.rows import as_text, from_row, read_cell
from strategies.fills import HINDRANCES, Hindrance, OrderStatus, falls_short

LEDGER_FILE = "ledger.sqlite"
# Units that adding up leaves over; no instrument is traded in parts so small.
DUST = 1e-10

# What the next session would not fill either.
_FINAL = {HINDRANCES[each] for each in Hindrance if each != Hindrance.NONE and not falls_short(each)}

_CUT = (OrderStatus.REDUCED, OrderStatus.UNFILLED, OrderStatus.REJECTED)

# From one symbol to the next by the index, which is read where they begin and no further.
_UNITS = """
WITH RECURSIVE held (symbol) AS (
    SELECT min(symbol) FROM entries WHERE symbol > ''
    UNION ALL
    SELECT (SELECT min(symbol) FROM entries WHERE symbol > held.symbol) FROM held WHERE held.symbol IS NOT NULL
)
SELECT symbol, (
    SELECT units_after FROM entries WHERE entries.symbol = held.symbol ORDER BY entry_id DESC LIMIT 1
) AS units_after
FROM held WHERE symbol IS NOT NULL
"""

# What moved between two moments, and what has been written since for moments before them.
_MOVED = """
SELECT symbol, total(amount) AS amount, total(units) AS units FROM (
    SELECT symbol, amount, units FROM entries WHERE at >= ?1 AND at < ?2
    UNION ALL
    SELECT symbol, amount, units FROM entries WHERE entry_id > ?3 AND at < ?1
) GROUP BY symbol
"""

# One row an order: the words of a backtest's orders.csv, and the two before an order has ended.
_ORDERS = """
SELECT i.client_id, i.session, i.symbol, i.side,
    coalesce(f.units, 0.0) AS size, coalesce(e.units_wanted, i.units) AS size_wanted,
    f.value / f.units AS price, coalesce(f.fees, 0.0) AS commission,
    coalesce(e.status, CASE WHEN EXISTS (SELECT 1 FROM order_states AS s WHERE s.client_id = i.client_id)
        THEN 'open' ELSE 'not sent' END) AS status,
    coalesce(e.reason, '') AS reason, i.money, i.decision_price, i.written_at, f.at AS filled_at,
    (SELECT count(*) FROM order_states AS s WHERE s.client_id = i.client_id AND s.status = 'sent') AS times_sent
FROM intents AS i
LEFT JOIN order_states AS e ON e.client_id = i.client_id AND e.status NOT IN ('sent', 'open')
LEFT JOIN (
    SELECT client_id, sum(abs(units)) AS units, sum(abs(units) * price) AS value, sum(fees) AS fees, max(at) AS at
    FROM entries WHERE client_id IS NOT NULL GROUP BY client_id
) AS f ON f.client_id = i.client_id
ORDER BY i.intent_id
"""


class LedgerReader:
    """The ledger of one account, to be read.

    Every method raises `InputError` where the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._database = Database(path, MIGRATIONS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def account(self) -> AccountRecord | None:
        """How the account was opened; None before its first decision."""
        rows = self._database.rows("SELECT * FROM accounts")
        return from_row(AccountRecord, rows[0]) if rows else None

    def holdings(self) -> Holdings:
        """Cash and units now."""
        cash = self._database.rows("SELECT cash_after FROM entries ORDER BY entry_id DESC LIMIT 1")
        units = self._database.rows(_UNITS)
        held = {row["symbol"]: row["units_after"] for row in units if abs(row["units_after"]) > DUST}
        return Holdings(cash[0]["cash_after"] if cash else 0.0, held)

    def holdings_at_close(self, session: date) -> Holdings:
        """Cash and units at the end of a session's UTC day; from those of the close before, where it is written."""
        before = self._database.rows(
            "SELECT * FROM closes WHERE session < ? AND last_entry IS NOT NULL ORDER BY session DESC LIMIT 1",
            str(session),
        )
        cash, units = 0.0, dict[str, float]()
        since, counted = "", 0
        if before:
            close = from_row(Close, before[0])
            cash, units = close.cash, dict(close.positions)
            since, counted = end_of(close.session), before[0]["last_entry"]
        for row in self._database.rows(_MOVED, since, end_of(session), counted):
            cash += row["amount"]
            if row["symbol"]:
                units[row["symbol"]] = units.get(row["symbol"], 0.0) + row["units"]
        return Holdings(cash, {symbol: held for symbol, held in units.items() if abs(held) > DUST})

    def last_entry(self) -> int:
        """The number of the newest entry; 0 before the first."""
        (row,) = self._database.rows("SELECT coalesce(max(entry_id), 0) AS last FROM entries")
        last: int = row["last"]
        return last

    def last_state(self) -> int:
        """The number of the newest state of an order; 0 before the first."""
        (row,) = self._database.rows("SELECT coalesce(max(state_id), 0) AS last FROM order_states")
        last: int = row["last"]
        return last

    def deposited(self) -> float:
        """What the account was opened with, US dollars."""
        (row,) = self._database.rows("SELECT total(amount) AS amount FROM entries WHERE source_id = 'deposit'")
        amount: float = row["amount"]
        return amount

    def seen_bars(self) -> list[SeenBar]:
        """What a strategy of the user has seen, oldest first; nothing of an account that the rotation trades."""
        return [from_row(SeenBar, row) for row in self._database.rows("SELECT * FROM strategy_bars ORDER BY bar_id")]

    def intents(self) -> list[Intent]:
        """Every intent, in the order in which they were written."""
        return [from_row(Intent, row) for row in self._database.rows("SELECT * FROM intents ORDER BY intent_id")]

    def news(self) -> list[News]:
        """Every entry after the first deposit and every end of an order, in the order in which they became known."""
        entries = self._database.rows(
            "SELECT e.entry_id AS number, i.session, e.symbol, e.units, e.price, e.fees, e.cash_after, e.units_after, "
            "NULL AS status, '' AS reason FROM entries AS e LEFT JOIN intents AS i ON i.client_id = e.client_id "
            "WHERE e.kind <> 'deposit' ORDER BY e.entry_id"
        )
        ends = self._database.rows(
            "SELECT s.state_id AS number, i.session, i.symbol, 0.0 AS units, NULL AS price, 0.0 AS fees, "
            "0.0 AS cash_after, 0.0 AS units_after, s.status, s.reason FROM order_states AS s "
            "JOIN intents AS i ON i.client_id = s.client_id WHERE s.status NOT IN ('sent', 'open') ORDER BY s.state_id"
        )
        return [from_row(News, row) for row in (*entries, *ends)]

    def decisions(self, newest: int = -1) -> list[DecisionRecord]:
        """The newest decisions, newest first; all of them where the number is negative."""
        rows = self._database.rows("SELECT * FROM decisions ORDER BY session DESC LIMIT ?", newest)
        return [from_row(DecisionRecord, row) for row in rows]

    def last_decision(self) -> DecisionRecord | None:
        """The newest decision; None before the first."""
        return next(iter(self.decisions(1)), None)

    def unsent_intents(self) -> list[Intent]:
        """Intents that no broker has taken yet and that have not ended, in the order in which they were written."""
        return self._intents(sent=False)

    def sent_intents(self) -> list[Intent]:
        """Intents that a broker has taken and that have not ended, in the order in which they were written."""
        return self._intents(sent=True)

    def filled(self, client_id: str) -> float:
        """Units that an order has got, or given, so far."""
        (row,) = self._database.rows("SELECT total(abs(units)) AS units FROM entries WHERE client_id = ?", client_id)
        units: float = row["units"]
        return units

    def short_symbols(self) -> set[str]:
        """Instruments for which the last decision was not carried out in full.

        An order of theirs has ended short of what it wanted, unless it was too small to be filled, or was open at that
        decision. While orders are open, cash is bound: what fell short since the last decision without such counts too.
        """
        last = self.last_decision()
        ended = self._database.rows(
            "SELECT i.symbol, s.reason FROM order_states AS s JOIN intents AS i ON i.client_id = s.client_id "
            "WHERE s.status IN ('reduced', 'unfilled', 'rejected') AND s.state_id > "
            "coalesce((SELECT last_state FROM decisions WHERE left_alone = '[]' ORDER BY session DESC LIMIT 1), 0)"
        )
        short = {row["symbol"] for row in ended if row["reason"] not in _FINAL}
        return set() if last is None else short | set(last.left_alone)

    def last_close(self) -> date | None:
        """The newest session whose close is written."""
        (row,) = self._database.rows("SELECT max(session) AS session FROM closes")
        session: date | None = read_cell(date | None, row["session"] or None, "session")
        return session

    def events(self, kinds: Sequence[str] = (), newest: int = -1) -> list[Event]:
        """The newest events of these kinds, newest first; of all kinds where none is named."""
        wanted = f"WHERE kind IN ({', '.join('?' * len(kinds))})" if kinds else ""
        rows = self._database.rows(f"SELECT * FROM events {wanted} ORDER BY event_id DESC LIMIT ?", *kinds, newest)
        return [from_row(Event, row) for row in rows]

    def halt(self) -> Event | None:
        """The halt that is in force; None where there is none."""
        last = next(iter(self.events(("halt", "resume"), newest=1)), None)
        return last if last is not None and last.kind == "halt" else None

    def peak_equity(self) -> float:
        """The highest equity at a close since the account was opened or resumed, US dollars; 0 before the first."""
        resumed = next(iter(self.events(("resume",), newest=1)), None)
        since = str(resumed.session) if resumed is not None and resumed.session is not None else ""
        (row,) = self._database.rows("SELECT max(equity) AS peak FROM closes WHERE session >= ?", since)
        return row["peak"] or 0.0

    def last_movement_at(self) -> datetime | None:
        """The newest stamp of a movement that is written."""
        rows = self._database.rows(
            "SELECT at FROM entries WHERE client_id IS NULL AND kind <> 'deposit' ORDER BY at DESC LIMIT 1"
        )
        return read_cell(datetime, rows[0]["at"], "at") if rows else None

    def rows_of(self, table: str) -> list[Row]:
        """The rows of a table as they stand in the file, in the order in which they were written."""
        return self._database.rows(f"SELECT * FROM {table} ORDER BY rowid")

    def faults_of_newest_rows(self) -> list[str]:
        """Where the end of the ledger is not as it was written, a sentence each; its length costs nothing."""
        return newest_faults(self._database)

    def faults_of_file(self) -> list[str]:
        """Where the file, its tables and the chain of its rows are not as they were written, a sentence each."""
        return [*self._database.faults(), *all_faults(self._database)]

    def is_head_lost(self) -> bool:
        """Whether the file beside the ledger that names its newest row is gone."""
        return is_head_lost(self._database)

    def orders(self) -> pd.DataFrame:
        """Every order, in the order of the decisions.

        Returns:
            client_id, session, symbol, side, size (units filled), size_wanted (NaN where not known), price, commission,
            status (filled, reduced, unfilled, rejected; open; not sent), reason, money (US dollars promised; NaN for a
            sell), decision_price, written_at, filled_at (UTC), times_sent.
        """
        return self._frame(_ORDERS, days=("session",), moments=("written_at", "filled_at"))

    def entries(self) -> pd.DataFrame:
        """Every deposit, fill and movement, in the order in which they were written: the columns of the table."""
        return self._frame("SELECT * FROM entries ORDER BY entry_id", days=("session",), moments=("at",))

    def equity(self) -> pd.DataFrame:
        """US dollars at the closes: columns equity and cash, by session."""
        return self._frame("SELECT session, equity, cash FROM closes ORDER BY session", ("session",)).set_index(
            "session"
        )

    def movements(self, since: date) -> list[Row]:
        """What moved without an order since the beginning of a day, UTC: kind, symbol, amount and units, by time."""
        return self._database.rows(
            "SELECT kind, symbol, amount, units FROM entries WHERE at >= ? AND client_id IS NULL AND kind <> 'deposit' "
            "ORDER BY at, entry_id",
            str(since),
        )

    def positions(self, since: date | None = None) -> pd.DataFrame:
        """Units at the closes: one column an instrument that was held at one of them, by session.

        Args:
            since: the first day that is wanted; None: all.
        """
        rows = self._database.rows(
            "SELECT session, positions FROM closes WHERE session >= ? ORDER BY session", str(since or date.min)
        )
        days = [read_cell(date, row["session"], "session") for row in rows]
        index = pd.to_datetime(days).as_unit("us").rename("session")
        kept = [read_cell(Mapping[str, float], row["positions"], "positions") for row in rows]
        held = pd.DataFrame(kept, index=index, dtype=float)
        return held.fillna(0.0).sort_index(axis=1)

    def _intents(self, sent: bool) -> list[Intent]:
        rows = self._database.rows(
            "SELECT i.* FROM open_intents AS o JOIN intents AS i ON i.client_id = o.client_id WHERE o.sent = ? "
            "ORDER BY i.intent_id",
            int(sent),
        )
        return [from_row(Intent, row) for row in rows]

    def _frame(self, query: str, days: Sequence[str] = (), moments: Sequence[str] = ()) -> pd.DataFrame:
        frame = self._database.frame(query)
        try:
            for name in days:
                frame[name] = pd.to_datetime(frame[name], format="ISO8601").astype("datetime64[us]")
            for name in moments:
                frame[name] = pd.to_datetime(frame[name], format="ISO8601", utc=True).astype("datetime64[us, UTC]")
        except (ValueError, TypeError, OverflowError) as error:
            raise DamagedLedger(f"{self.path} was changed by hand: {error}; put back a copy of its folder") from error
        return frame


def fell_short(status: str, reason: str) -> bool:
    """Whether an order that ended so got less than it wanted for want of what the next session may have."""
    return status in _CUT and reason not in _FINAL


def end_of(session: date) -> str:
    """The end of a session's UTC day, as the ledger writes moments."""
    return as_text(datetime.combine(session + timedelta(days=1), time(), UTC))
