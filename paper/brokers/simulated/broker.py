"""The simulated broker: the backtest's rules of filling over a market's bars, as they arrive. No network.

It keeps a file of its own beside the ledger, as a broker would. A session is played when its bars are in the market,
and then for good: its fills stay as they are. What the market tells later of what was held then is booked as of now,
with its reason (`paper.brokers.simulated.revisions`).

An order never fills at a price that is stamped before its intent was written: stocks fill at the NYSE open of the
session decided for, coins at the first UTC open from that moment on. In a replay the intent is stamped with the
decision's moment, which is the coins' open itself, as in a backtest.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from backtests.execution.book import Book, Notes, Trade
from backtests.execution.book import Movement as BookMovement
from backtests.execution.records import Sessions
from data.clock import next_session, trading_hours
from paper.broker import TOO_LATE, Account, BrokerClock, Fill, Intent, Movement, OrderState
from paper.brokers.nyse_hours import nyse_clock
from paper.brokers.simulated.revisions import Revisions, begin_of
from paper.brokers.simulated.schema import MIGRATIONS
from paper.config import PaperConfig
from paper.market import PaperMarket
from paper.storage.database import Database, Row
from paper.storage.rows import as_row, as_text, from_row
from strategies.fills import OrderStatus
from strategies.order_rules import SessionOrders

BROKER_FILE = "simulated-broker.sqlite"

DAY = pd.Timedelta(days=1)
# What comes when a session ends; the rest changes units when it begins.
PAYMENTS = ("dividend", "interest")


@dataclass(frozen=True)
class _BookRow:
    """Cash, units and the net proceeds of stocks after a session that was played."""

    session: date
    cash: float
    units: Mapping[str, float]
    stock_flow: float


class SimulatedBroker:
    """A paper account that a market's bars fill."""

    name = "simulated"
    fills_by_stamp = True

    def __init__(self, folder: Path, market: PaperMarket, initial_cash: float, clock: Callable[[], datetime]) -> None:
        """Open the account.

        Args:
            folder: that holds its file.
            market: its panel begins with the account's first session.
            initial_cash: US dollars, of an account that is not there yet.
            clock: tells the time, UTC; what is stamped later is not known.
        """
        self._market, self._initial_cash, self._clock = market, initial_cash, clock
        self._database = Database(folder / BROKER_FILE, MIGRATIONS)
        self._revisions = Revisions(self._database, market)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def send(self, intents: Sequence[Intent]) -> list[OrderState]:
        """Take orders; one that is here already is not taken again. One that comes after its open ends at once."""
        with self._database.writing():
            for intent in intents:
                opens = trading_hours(pd.Timestamp(intent.session))[0]
                late = not intent.is_coin and intent.written_at > opens
                status = OrderStatus.UNFILLED if late else OrderStatus.OPEN
                state = {"status": status.value, "reason": TOO_LATE if late else "", "units_filled": 0.0}
                self._database.insert("orders", as_row(intent) | state, "ON CONFLICT (client_id) DO NOTHING")
        return []

    def states(self, client_ids: Collection[str]) -> list[OrderState]:
        """Say what became of orders."""
        self._play()
        return [from_row(OrderState, row) for row in self._of_orders("orders", client_ids)]

    def fills(self, client_ids: Collection[str]) -> list[Fill]:
        """All fills of these orders, in the order in which they happened."""
        self._play()
        return [from_row(Fill, row) for row in self._of_orders("fills", client_ids)]

    def movements(self, since: datetime | None) -> list[Movement]:
        """Movements stamped at `since` or later, in the order in which they happened."""
        self._play()
        begin = "" if since is None else as_text(since)
        return [
            from_row(Movement, row)
            for row in self._database.rows("SELECT * FROM movements WHERE at >= ? ORDER BY rowid", begin)
        ]

    def notices(self) -> list[str]:
        """What the market says otherwise of bars that were played."""
        self._play()
        return self._revisions.notices()

    def account(self) -> Account:
        """Cash and positions after the last session that was played."""
        self._play()
        settlement = self._market.rules.settlement_sessions
        books = self._books(settlement)
        if not books:
            return Account(self._initial_cash, self._initial_cash, {}, self._clock())
        unsettled = sum(max(each.stock_flow, 0.0) for each in books[: settlement - 1])
        cash, units = self._after(books[0])
        held = {symbol: each for symbol, each in zip(self._market.panel.symbols, units.tolist(), strict=True) if each}
        return Account(cash, cash - unsettled, held, self._clock())

    def clock(self) -> BrokerClock:
        """The time that it is given, and the hours of the session clock."""
        return nyse_clock(self._clock())

    def cancel(self, client_ids: Collection[str]) -> None:
        """End open orders."""
        self._play()
        with self._database.writing():
            for client_id in client_ids:
                self._database.change(
                    "UPDATE orders SET status = 'unfilled', reason = 'cancelled' "
                    "WHERE client_id = ? AND status = 'open'",
                    client_id,
                )

    def _play(self) -> None:
        """Play every session that has ended and is not played yet, in order."""
        panel, settlement = self._market.panel, self._market.rules.settlement_sessions
        last = self._books(settlement)
        row = self._market.row(last[0].session) if last else 0
        if last:
            self._revisions.book_late(row)
        if not self._can_play(row + 1):
            return
        cash, units = self._after(last[0]) if last else (self._initial_cash, np.zeros(len(panel.symbols)))
        flows = [0.0] * len(panel.sessions)
        for each in last:
            flows[self._market.row(each.session)] = each.stock_flow
        book = Book(cash, units, flows)
        with self._database.writing():
            while self._can_play(row + 1):
                row += 1
                self._play_session(row, book)
            self._revisions.note_known(row)

    def _can_play(self, row: int) -> bool:
        sessions = self._market.panel.sessions
        return row < len(sessions) and self._market.has_ended(sessions[row].date(), self._clock())

    def _play_session(self, row: int, book: Book) -> None:
        session = self._market.panel.sessions[row].date()
        open_orders = [
            from_row(Intent, each) for each in self._database.rows("SELECT * FROM orders WHERE status = 'open'")
        ]
        due = {self._place(each): each for each in open_orders if _due(each) == session}
        notes = Notes()
        book.play(row, self._orders(due) if due else None, self._sessions(row, due), notes)
        for trade in notes.trades:
            self._write_trade(due[trade.place], trade)
        for movement in notes.movements:
            self._write_movement(session, movement)
        units = {
            symbol: held for symbol, held in zip(self._market.panel.symbols, book.units.tolist(), strict=True) if held
        }
        bars = {"bars": self._revisions.bars_text(row)}
        self._database.insert("books", as_row(_BookRow(session, book.cash, units, book.stock_flows[row])) | bars)

    def _place(self, order: Intent) -> int:
        return self._market.panel.symbols.index(order.symbol)

    def _orders(self, due: Mapping[int, Intent]) -> SessionOrders:
        nothing = np.zeros(len(self._market.panel.symbols))
        orders = SessionOrders(nothing.copy(), nothing.copy(), nothing.copy(), nothing.astype(int))
        for place, order in due.items():
            orders.sell_units[place] = order.units or 0.0
            orders.buy_money[place] = order.money or 0.0
            orders.least[place] = order.least
        return orders

    def _sessions(self, row: int, due: Mapping[int, Intent]) -> Sessions:
        """The market's sessions, with the open that each coin fills at: that of the day from its intent's stamp on."""
        sessions, panel = self._market.rules.sessions, self._market.panel
        session = panel.sessions[row]
        later = {place: _first_open(order) for place, order in due.items() if order.is_coin}
        later = {place: day for place, day in later.items() if day != session}
        if not later:
            return sessions
        opens, volumes = sessions.open.copy(), sessions.volume.copy()
        for place, day in later.items():
            bar = self._market.bar(panel.symbols[place], day)
            opens[row, place], volumes[row, place] = (np.nan, np.nan) if bar is None else (bar["open"], bar["volume"])
        return sessions._replace(open=opens, volume=volumes)

    def _write_trade(self, order: Intent, trade: Trade) -> None:
        if trade.size > 0:
            opens = trading_hours(pd.Timestamp(order.session))[0]
            at = _first_open(order).tz_localize("UTC").to_pydatetime() if order.is_coin else opens
            fill = Fill(
                fill_id=f"{order.client_id}-fill",
                client_id=order.client_id,
                symbol=order.symbol,
                side=order.side,
                units=trade.size,
                price=trade.price,
                fees=trade.commission,
                at=at,
            )
            self._database.insert("fills", as_row(fill))
        self._database.change(
            "UPDATE orders SET status = ?, units_filled = ?, units_wanted = ?, reason = ? WHERE client_id = ?",
            trade.status.value,
            trade.size,
            trade.size_wanted,
            trade.reason,
            order.client_id,
        )

    def _write_movement(self, session: date, movement: BookMovement) -> None:
        symbol = self._market.panel.symbols[movement.place] if movement.place >= 0 else ""
        # What changes units comes before every open since the session before; what is paid, after the close.
        at = trading_hours(pd.Timestamp(session))[1] if movement.kind in PAYMENTS else begin_of(session)
        name = f"{session}-{symbol or 'cash'}-{movement.kind}"
        self._database.insert(
            "movements", as_row(Movement(name, session, symbol, movement.kind, movement.amount, movement.units, at))
        )

    def _after(self, book: _BookRow) -> tuple[float, np.ndarray]:
        """Cash and units after a session, and after what was booked late since."""
        units = np.array([book.units.get(symbol, 0.0) for symbol in self._market.panel.symbols])
        late_cash, late_units = self._revisions.booked_after(book.session)
        return book.cash + late_cash, units + late_units

    def _books(self, newest: int) -> list[_BookRow]:
        rows = self._database.rows("SELECT * FROM books ORDER BY session DESC LIMIT ?", newest)
        return [from_row(_BookRow, row) for row in rows]

    def _of_orders(self, table: str, client_ids: Collection[str]) -> list[Row]:
        wanted = ", ".join("?" * len(client_ids))
        return self._database.rows(f"SELECT * FROM {table} WHERE client_id IN ({wanted}) ORDER BY rowid", *client_ids)


def open_account(
    _config: PaperConfig, folder: Path, market: PaperMarket, initial_cash: float, clock: Callable[[], datetime]
) -> SimulatedBroker:
    """Open a simulated account; see `paper.brokers.opener.open_broker`."""
    return SimulatedBroker(folder, market, initial_cash, clock)


def _first_open(order: Intent) -> pd.Timestamp:
    """The UTC day at whose open a coin fills: the first that begins no earlier than its intent was written."""
    return pd.Timestamp(order.written_at).tz_localize(None).ceil("D")


def _due(order: Intent) -> date:
    """The session with which an order is played."""
    if not order.is_coin:
        return order.session
    return next_session(_first_open(order) - DAY).date()
