"""What a ledger says of an account, by row of its market's panel: the facts that replays start from."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pandas as pd

from paper.broker import HALTED, OVER, TOO_LATE
from paper.explain.causes import Cause
from paper.ledger.reader import LedgerReader, end_of, fell_short
from paper.ledger.records import Close, DecisionRecord, Event
from paper.market import PaperMarket
from paper.step.requirements import was_replayed
from paper.storage.database import Row
from paper.storage.rows import from_row
from strategies.fills import OrderStatus

OrderKey = tuple[int, int, bool]
"""Row of the session decided for, place of the instrument, whether it is a sell."""

_LATE = re.compile(r"movement:late-\d+-(?P<session>\d{4}-\d\d-\d\d)-(?P<symbol>.*)-(?P<kind>[a-z_]+)")
_PAYMENTS = ("dividend", "interest")


@dataclass(frozen=True)
class RecordedFill:
    """A fill: its entry, the row of the close that counts it first, its UTC day; units, price and fees as booked."""

    entry: int
    row: int
    day: date
    units: float
    price: float
    fees: float


@dataclass(frozen=True)
class RecordedOrder:
    """An order and what became of it.

    Attributes:
        client_id: of it.
        key: see `OrderKey`.
        units: to sell; None for a buy.
        money: US dollars promised; None for a sell.
        least: US dollars.
        fills: in the order of the entries.
        ended: number of the state with which it ended; None where it has not.
        is_short: whether it ended short of what the next session may bring.
        cause: by which it got less than it wanted.
    """

    client_id: str
    key: OrderKey
    units: float | None
    money: float | None
    least: float
    fills: tuple[RecordedFill, ...]
    ended: int | None
    is_short: bool
    cause: Cause

    def share(self, fill: RecordedFill) -> float:
        """The share of what was ordered that a fill got: of the units, or of the money, costs included."""
        if self.units is not None:
            return fill.units / self.units
        return (fill.units * fill.price + fill.fees) / (self.money or 1.0)


@dataclass(frozen=True)
class RecordedMove:
    """Cash and units that no order moved.

    Attributes:
        entry: its number.
        row: of the close that counts it first.
        place: of the instrument; -1 for none.
        kind: as booked.
        amount: US dollars.
        units: that came.
        cause: by which the backtest has another, or none.
        about: row and kind that it is told late of; None where it is booked in time.
        at_end: whether it comes after the session's fills.
    """

    entry: int
    row: int
    place: int
    kind: str
    amount: float
    units: float
    cause: Cause
    about: tuple[int, str] | None = None
    at_end: bool = False


@dataclass(frozen=True)
class RecordedDecision:
    """A decision: the version that it was taken on, what it knew, and its orders by key."""

    row: int
    record: DecisionRecord
    last_entry: int
    last_state: int
    orders: Mapping[OrderKey, RecordedOrder] = field(default_factory=dict)


@dataclass(frozen=True)
class Recorded:
    """What a ledger says.

    Attributes:
        deposit: US dollars that the account was opened with.
        last: row of the last close that is written.
        closes: by row.
        decisions: by row of the session decided for.
        orders: by key.
        moves: by row.
        halted: rows without a decision because the account was halted.
    """

    deposit: float
    last: int
    closes: Mapping[int, Close]
    decisions: Mapping[int, RecordedDecision]
    orders: Mapping[OrderKey, RecordedOrder]
    moves: Mapping[int, tuple[RecordedMove, ...]]
    halted: frozenset[int]


def read_recorded(ledger: LedgerReader, market: PaperMarket) -> Recorded:
    """Read what a ledger says of the sessions of a market.

    Raises:
        DamagedLedger: a cell cannot be read.
    """
    entries = ledger.rows_of("entries")
    close_rows = ledger.rows_of("closes")
    counted = _counted(entries, close_rows, market)
    closes = {market.row(each.session): each for each in (from_row(Close, row) for row in close_rows)}
    orders = _orders(ledger, entries, counted, market)
    by_decision: defaultdict[int, dict[OrderKey, RecordedOrder]] = defaultdict(dict)
    for key, order in orders.items():
        by_decision[key[0]][key] = order
    decisions = {}
    for row in ledger.rows_of("decisions"):
        record = from_row(DecisionRecord, row)
        at = market.row(record.session)
        known = row["last_entry"]
        last_entry = known if known is not None else _known_entry(record, at, entries, counted)
        decisions[at] = RecordedDecision(at, record, last_entry, row["last_state"], by_decision[at])
    moves: defaultdict[int, list[RecordedMove]] = defaultdict(list)
    for row in entries[1:]:
        if row["client_id"] is None and row["entry_id"] in counted:
            move = _move(row, counted[row["entry_id"]], market)
            moves[move.row].append(move)
    last = max(closes, default=0)
    is_live = not all(was_replayed(each.record) for each in decisions.values())
    undecided = [at for at in range(1, last + 1) if at not in decisions]
    return Recorded(
        deposit=ledger.deposited(),
        last=last,
        closes=closes,
        decisions=decisions,
        orders=orders,
        moves={at: tuple(each) for at, each in moves.items()},
        halted=frozenset(_halted(undecided, ledger.events()[::-1], market, is_live)),
    )


def _counted(entries: Iterable[Row], closes: Iterable[Row], market: PaperMarket) -> dict[int, int]:
    """By entry, the row of the first close that counts it: by its stamp, or the next one where it was booked later."""
    left, counted = list(entries), dict[int, int]()
    for close in closes:
        day = date.fromisoformat(close["session"])
        known = close["last_entry"] if close["last_entry"] is not None else float("inf")
        here = [each for each in left if each["entry_id"] <= known and each["at"] < end_of(day)]
        counted |= {each["entry_id"]: market.row(day) for each in here}
        left = [each for each in left if each["entry_id"] not in counted]
    return counted


def _known_entry(record: DecisionRecord, at: int, entries: list[Row], counted: Mapping[int, int]) -> int:
    """The newest entry that a decision knew which did not write it down: by its cash, else by its session."""
    same = [each["entry_id"] for each in entries if each["cash_after"] == record.cash]
    near = [entry for entry in same if counted.get(entry, at) <= at]
    before = [entry for entry, row in counted.items() if row < at]
    return max(near or before, default=1)


def _orders(
    ledger: LedgerReader, entries: Iterable[Row], counted: Mapping[int, int], market: PaperMarket
) -> dict[OrderKey, RecordedOrder]:
    ends = {row["client_id"]: row for row in ledger.rows_of("order_states") if row["status"] not in ("sent", "open")}
    fills: defaultdict[str, list[RecordedFill]] = defaultdict(list)
    for row in entries:
        if row["client_id"] is not None:
            day = datetime.fromisoformat(row["at"]).astimezone(UTC).date()
            at = counted.get(row["entry_id"], len(market.panel.sessions))
            fills[row["client_id"]].append(
                RecordedFill(row["entry_id"], at, day, abs(row["units"]), row["price"], row["fees"])
            )
    found = {}
    for intent in ledger.intents():
        key = (market.row(intent.session), market.panel.symbols.index(intent.symbol), intent.side == "sell")
        end = ends.get(intent.client_id)
        reason = "" if end is None else end["reason"]
        cause = Cause.HALTS if reason == HALTED else Cause.STEPS if reason in (TOO_LATE, OVER) else Cause.CUTS
        found[key] = RecordedOrder(
            client_id=intent.client_id,
            key=key,
            units=intent.units,
            money=intent.money,
            least=intent.least,
            fills=tuple(fills[intent.client_id]),
            ended=None if end is None else end["state_id"],
            is_short=end is not None and fell_short(OrderStatus(end["status"]), reason),
            cause=cause,
        )
    return found


def _move(row: Row, counted: int, market: PaperMarket) -> RecordedMove:
    place = market.panel.symbols.index(row["symbol"]) if row["symbol"] in market.panel.symbols else -1
    about, kind = None, row["kind"]
    if row["reason"]:
        told = _LATE.fullmatch(row["source_id"])
        about = (market.row(date.fromisoformat(told["session"])), told["kind"]) if told else (counted, kind)
    at_end = about is None and kind in _PAYMENTS
    cause = _cause_of(kind, bool(row["units"]), about is not None)
    return RecordedMove(row["entry_id"], counted, place, kind, row["amount"], row["units"], cause, about, at_end)


def _cause_of(kind: str, moves_units: bool, is_late: bool) -> Cause:
    """The cause by which a backtest has another movement, or none."""
    if is_late:
        return Cause.LATE_ACTIONS
    if kind == "fee":
        return Cause.FEES
    if kind == "transfer":
        return Cause.MANUAL if moves_units else Cause.DEPOSITS
    return Cause.DIVIDENDS if kind in _PAYMENTS else Cause.LATE_ACTIONS


def _halted(undecided: Iterable[int], events: list[Event], market: PaperMarket, is_live: bool) -> Iterable[int]:
    """Rows of sessions that were not decided for because a halt was in force.

    By the order in which events were told, and, of an account that trades from day to day, by the time of its halts.
    """
    for row in undecided:
        session = market.panel.sessions[row]
        moment = session.tz_localize("UTC")
        in_force = at_moment = False
        for event in events:
            is_halt = event.kind == "halt"
            if event.session is not None and pd.Timestamp(event.session) >= session:
                told_halted = event.kind == "step" and "halted: " in event.text
                in_force |= pd.Timestamp(event.session) == session and (is_halt or told_halted)
                break
            if event.kind in ("halt", "resume"):
                in_force = is_halt
                at_moment = is_halt if is_live and event.at <= moment else at_moment
        if in_force or at_moment:
            yield row
