"""What always holds of a ledger, worked out anew from its rows; numbered as in docs/paper-trading.md.

I5, that ledger and broker agree or the trader is halted, and I6, that a halted trader sends nothing, are of the step.
"""

from collections.abc import Mapping

import pandas as pd

from paper.errors import DamagedLedger
from paper.ledger.reader import LedgerReader
from paper.ledger.recomputed import recomputed_differences

# Of the cash and units that ever moved: what adding up in another order may change.
ROUNDING = 1e-9


def broken_invariants(ledger: LedgerReader) -> list[str]:
    """What does not hold of a ledger, a sentence each; nothing where all does."""
    found = [f"I9: {fault}" for fault in ledger.faults_of_file()]
    try:
        found += _of_entries(ledger)
        found += recomputed_differences(ledger)
    except DamagedLedger as error:
        found.append(str(error))
    return found


def _of_entries(ledger: LedgerReader) -> list[str]:
    entries, orders, held = ledger.entries(), ledger.orders(), ledger.holdings()
    fills = entries[entries["client_id"].notna()]
    return [
        *_without_intent(fills, orders),
        *_sent_twice(orders),
        *_positions(entries, held.units),
        *_cash(entries, fills, held.cash),
        *_early(fills, orders),
    ]


def _without_intent(fills: pd.DataFrame, orders: pd.DataFrame) -> list[str]:
    lacking = fills.loc[~fills["client_id"].isin(orders["client_id"]), "client_id"].unique()
    return [f"I1: the order {client_id} has fills and no intent" for client_id in lacking]


def _sent_twice(orders: pd.DataFrame) -> list[str]:
    twice = orders.loc[orders["times_sent"] > 1, "client_id"]
    return [f"I2: the intent {client_id} was sent twice" for client_id in twice]


def _positions(entries: pd.DataFrame, held: Mapping[str, float]) -> list[str]:
    by_symbol = entries[entries["symbol"] != ""].groupby("symbol")["units"]
    moved = by_symbol.agg(total="sum", turned=lambda units: units.abs().sum())
    return [
        f"I3: {symbol}: the ledger has {held.get(symbol, 0.0)!r} units, its fills and movements come to {total!r}"
        for symbol, total, turned in moved.itertuples()
        if abs(total - held.get(symbol, 0.0)) > ROUNDING * turned
    ]


def _cash(entries: pd.DataFrame, fills: pd.DataFrame, cash: float) -> list[str]:
    paid = -fills["units"] * fills["price"] - fills["fees"]
    moved = entries.loc[entries["client_id"].isna(), "amount"]
    total, turned = paid.sum() + moved.sum(), paid.abs().sum() + moved.abs().sum()
    if abs(total - cash) <= ROUNDING * turned:
        return []
    return [f"I4: the ledger has {cash!r} USD, deposits, movements, sells less buys and fees come to {total!r}"]


def _early(fills: pd.DataFrame, orders: pd.DataFrame) -> list[str]:
    # Not by `map`, which takes an account without an order for one of numbers.
    written = orders.set_index("client_id")["written_at"].reindex(fills["client_id"])
    early = fills.loc[fills["at"].to_numpy() < written.to_numpy(), "client_id"].unique()
    return [f"I7: the order {client_id} has a fill stamped before its intent was written" for client_id in early]
