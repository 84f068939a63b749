"""The rows of a ledger worked out anew from one another: balances, amounts, ends of orders, decisions, closes.

What was written is compared with what follows from the rows before it, so that a ledger that was changed is found also
where its chain was written anew with it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise

import pandas as pd

from data.clock import sessions_between
from paper.ledger.reader import LedgerReader, end_of
from paper.ledger.records import AccountRecord, DecisionRecord
from paper.storage.database import Row
from paper.storage.rows import from_row, read_cell
from strategies.fills import OrderStatus

# Of what was turned over: what adding up in another order may change.
ROUNDING = 1e-9
_FINAL_WITH_UNITS = (OrderStatus.FILLED, OrderStatus.REDUCED)


def recomputed_differences(ledger: LedgerReader) -> Iterator[str]:
    """Say where the rows of a ledger do not follow from one another, a sentence each.

    Raises:
        DamagedLedger: a cell cannot be read.
    """
    rows = {table: ledger.rows_of(table) for table in ("decisions", "intents", "order_states", "entries", "closes")}
    intents = {row["client_id"]: row for row in rows["intents"]}
    yield from _account(ledger, rows["entries"])
    yield from _balances(rows["entries"])
    yield from _amounts(rows["entries"], intents)
    yield from _ends(rows["order_states"], rows["entries"], intents)
    yield from _open_intents(ledger.rows_of("open_intents"), rows["order_states"], intents)
    yield from _decisions(ledger, rows["decisions"], rows["intents"], rows["entries"])
    yield from _closes(rows["closes"], rows["entries"])


def _differ(one: float, other: float, turned: float) -> bool:
    """Whether two sums differ by more than rounding; what is no number differs from everything."""
    return not abs(one - other) <= ROUNDING * max(1.0, turned)


def _account(ledger: LedgerReader, entries: Sequence[Row]) -> Iterator[str]:
    opened = [from_row(AccountRecord, row) for row in ledger.rows_of("accounts")]
    if len(opened) > 1 or (entries and not opened):  # without either it is not open yet
        yield f"the ledger is that of {len(opened)} accounts, wanted one"
    deposits = [row["entry_id"] for row in entries if row["kind"] == "deposit"]
    if opened and (not deposits or deposits != [entries[0]["entry_id"]]):
        yield f"the account begins with the entries {deposits} as deposits, wanted its first entry alone"


def _balances(entries: Sequence[Row]) -> Iterator[str]:
    cash, turned = 0.0, 0.0
    units, moved = defaultdict[str, float](float), defaultdict[str, float](float)
    for row in entries:
        for kind, name in ((datetime, "at"), (date, "session"), (float, "fees"), (float, "price")):
            read_cell(kind, row[name], name)
        symbol = row["symbol"]
        turned, moved[symbol] = turned + abs(row["amount"]), moved[symbol] + abs(row["units"])
        if _differ(row["cash_after"], came := cash + row["amount"], turned):
            yield f"entry {row['entry_id']}: cash after it is {row['cash_after']!r}, it comes to {came!r}"
        if symbol and _differ(row["units_after"], came := units[symbol] + row["units"], moved[symbol]):
            yield f"entry {row['entry_id']}: {row['units_after']!r} units of {symbol} after it, they come to {came!r}"
        cash, units[symbol] = row["cash_after"], row["units_after"]


def _amounts(entries: Sequence[Row], intents: Mapping[str, Row]) -> Iterator[str]:
    for row in entries:
        if row["client_id"] is None:
            continue
        intent, what = intents.get(row["client_id"]), f"entry {row['entry_id']}"
        if intent is None or row["price"] is None:
            yield f"{what}: a fill without {'an intent' if intent is None else 'a price'}"
            continue
        value = row["units"] * row["price"]
        if _differ(row["amount"], -value - row["fees"], abs(value)):
            yield f"{what}: {row['amount']!r} USD for {row['units']!r} units at {row['price']!r}, fees {row['fees']!r}"
        same = all(row[name] == intent[other] for name, other in (("symbol",) * 2, ("session",) * 2, ("kind", "side")))
        if not same or (row["units"] > 0) != (row["kind"] == "buy") or not row["price"] > 0 or row["fees"] < 0:
            yield f"{what}: it is no fill of the order {row['client_id']}"


def _ends(states: Sequence[Row], entries: Sequence[Row], intents: Mapping[str, Row]) -> Iterator[str]:
    filled = defaultdict[str, float](float)
    for row in entries:
        filled[row["client_id"] or ""] += abs(row["units"])
    for row in states:
        read_cell(datetime, row["at"], "at")
        intent, client_id = intents.get(row["client_id"]), row["client_id"]
        if intent is None:
            yield f"state {row['state_id']}: the order {client_id} has no intent"
        elif row["at"] < intent["written_at"]:
            yield f"state {row['state_id']}: the order {client_id} is {row['status']} before its intent was written"
        if row["status"] in _FINAL_WITH_UNITS and _differ(row["units_filled"], filled[client_id], filled[client_id]):
            yield (
                f"state {row['state_id']}: the order {client_id} ended with {row['units_filled']!r} units, its fills "
                f"come to {filled[client_id]!r}"
            )


def _open_intents(rows: Sequence[Row], states: Sequence[Row], intents: Mapping[str, Row]) -> Iterator[str]:
    known = {row["client_id"] for row in states}
    ended = {row["client_id"] for row in states if row["status"] not in (OrderStatus.SENT, OrderStatus.OPEN)}
    wanted = {client_id: int(client_id in known) for client_id in intents if client_id not in ended}
    if {row["client_id"]: row["sent"] for row in rows} != wanted:
        yield "I8: the orders that are noted as open are not those that have not ended"


def _decisions(
    ledger: LedgerReader, rows: Sequence[Row], intents: Sequence[Row], entries: Sequence[Row]
) -> Iterator[str]:
    cash_after = {row["entry_id"]: row["cash_after"] for row in entries} | {0: 0.0}
    sessions, orders = dict[str, Row](), defaultdict[str, list[Row]](list)
    for row in intents:
        orders[row["session"]].append(row)
    for row in rows:
        made, what = from_row(DecisionRecord, row), f"the decision for {row['session']}"
        sessions[row["session"]] = row
        if sessions_between(pd.Timestamp(made.session), pd.Timestamp(made.session)).empty:
            yield f"{what}: no session"
        if orders[row["session"]] and not made.why:
            yield f"{what}: it has orders and leaves the book as it is"
        if row["last_entry"] is not None and _differ(made.cash, cash_after.get(row["last_entry"], 0.0), abs(made.cash)):
            yield f"{what}: cash {made.cash!r}, after the entry {row['last_entry']} it was another"
        for order in orders[row["session"]]:
            if order["symbol"] not in made.targets or order["written_at"] != row["decided_at"]:
                yield f"{what}: the order {order['client_id']} is none of it"
    if not all(one["decided_at"] < other["decided_at"] for one, other in pairwise(rows)):
        yield "the decisions do not follow one another in time"
    for event in ledger.events(("step",)):
        decided = event.text.startswith("decided") and "halted: " not in event.text
        if decided and event.session is not None and str(event.session) not in sessions:
            yield f"the step for {event.session} decided, and there is no decision for it"


def _closes(rows: Sequence[Row], entries: Sequence[Row]) -> Iterator[str]:
    """Cash and units at the closes, from the entries that each counts: by stamp, and what came late at the next."""
    cash, turned = 0.0, 0.0
    units, moved = defaultdict[str, float](float), defaultdict[str, float](float)
    left = list(entries)
    for row in rows:
        day = read_cell(date, row["session"], "session")
        held = read_cell(Mapping[str, float], row["positions"], "positions")
        counted = row["last_entry"] if row["last_entry"] is not None else len(entries)
        here = [each for each in left if each["entry_id"] <= counted and each["at"] < end_of(day)]
        left = [each for each in left if each["entry_id"] > counted or each["at"] >= end_of(day)]
        for each in here:
            cash, turned = cash + each["amount"], turned + abs(each["amount"])
            units[each["symbol"]] += each["units"]
            moved[each["symbol"]] += abs(each["units"])
        if _differ(row["cash"], cash, turned):
            yield f"the close of {row['session']}: cash {row['cash']!r}, the entries up to it come to {cash!r}"
        for symbol in sorted({*held, *units} - {""}):
            if _differ(there := held.get(symbol, 0.0), units[symbol], moved[symbol]):
                yield f"the close of {row['session']}: {there!r} units of {symbol}, its entries {units[symbol]!r}"
        if not row["equity"] >= row["cash"] - ROUNDING * max(1.0, turned):
            yield f"the close of {row['session']}: equity {row['equity']!r} is less than its cash"
    yield from _gaps([row["session"] for row in rows])


def _gaps(sessions: Sequence[str]) -> Iterator[str]:
    if sessions:
        days = sessions_between(pd.Timestamp(sessions[0]), pd.Timestamp(sessions[-1]))
        for day in sorted({f"{day:%Y-%m-%d}" for day in days} ^ set(sessions)):
            yield f"the close of {day} is {'no session' if day in sessions else 'not there'}"
