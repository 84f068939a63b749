"""Closes, decisions and orders of a ledger against the bars of the market on which they were written."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from paper.ledger.reader import LedgerReader
from paper.ledger.records import Close, DecisionRecord
from paper.market import MarketVersions, PaperMarket
from paper.storage.database import Row
from paper.storage.rows import from_row

ROUNDING = 1e-9


def differences_from_market(versions: MarketVersions, ledger: LedgerReader) -> Iterator[str]:
    """Say what of a ledger does not follow from the bars that it was written on, a sentence each.

    What follows from the newest version is right; else the version that the row names is read. Of one that is not kept
    nothing can be said but by the chain of the ledger.

    Raises:
        DamagedLedger: a cell cannot be read.
    """
    for row in ledger.rows_of("closes"):
        close = from_row(Close, row)
        found = [_close_value(market, close) for market in _markets(versions, close.content_hash)]
        if found and all(_differ(close.equity, value) for value in found):
            yield f"the close of {close.session}: equity {close.equity!r}, by its bars it is {found[-1]!r}"
    orders: dict[str, list[Row]] = defaultdict(list)
    for row in ledger.rows_of("intents"):
        orders[row["session"]].append(row)
    units = dict[str, float]()
    entries, counted = ledger.rows_of("entries"), 0
    for row in ledger.rows_of("decisions"):
        decision = from_row(DecisionRecord, row)
        if row["last_entry"] is None:  # Written before decisions noted what they knew.
            continue
        for entry in entries[counted : row["last_entry"]]:
            units[entry["symbol"]] = entry["units_after"]
        counted = max(counted, row["last_entry"])
        told = [
            _decision(market, decision, units, orders[row["session"]])
            for market in _markets(versions, decision.content_hash)
        ]
        if told and all(told):
            yield from told[-1]


def _markets(versions: MarketVersions, content_hash: str) -> Iterator[PaperMarket]:
    """The newest market, then that which was there; nothing where that is not kept and the newest is another."""
    if versions.name_of(content_hash) is None:
        return
    yield versions.newest
    if content_hash != versions.newest.snapshot.content_hash and (then := versions.of(content_hash)) is not None:
        yield then


def _differ(one: float, other: float) -> bool:
    return not abs(one - other) <= ROUNDING * max(1.0, abs(one), abs(other))


def _close_value(market: PaperMarket, close: Close) -> float:
    return close.cash + _value(close.positions, market, market.panel.close[market.row(close.session)])


def _value(held: Mapping[str, float], market: PaperMarket, prices: np.ndarray) -> float:
    units = np.array([held.get(symbol, 0.0) for symbol in market.panel.symbols])
    return float(np.where(units > 0, units * prices, 0.0).sum())


def _decision(
    market: PaperMarket, decision: DecisionRecord, units: Mapping[str, float], orders: Sequence[Row]
) -> list[str]:
    """What of a decision and its orders does not follow from a market."""
    prices = market.panel.decision_price[market.row(decision.session) - 1]
    equity, found = decision.cash + _value(units, market, prices), []
    if _differ(decision.equity, equity):
        found.append(f"the decision for {decision.session}: equity {decision.equity!r}, by its prices it is {equity!r}")
    for order in orders:
        symbols = market.panel.symbols
        price = float(prices[symbols.index(order["symbol"])]) if order["symbol"] in symbols else np.nan
        if _differ(order["decision_price"], price):
            found.append(
                f"the order {order['client_id']}: decided at {order['decision_price']!r}, by its bars {price!r}"
            )
    return found
