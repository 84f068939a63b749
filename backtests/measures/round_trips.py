"""The round trips of a run: from the first unit of an instrument to the last, what went in and what came out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from strategies.universe import Universe

TRADE_COLUMNS = (
    "symbol",
    "basket",
    "opened",
    "closed",
    "sessions",
    "regime_opened",
    "regime_closed",
    "buys",
    "sells",
    "paid",
    "received",
    "payments",
    "value_at_end",
    "profit",
    "return",
    "costs",
)
# US dollars: who holds less of an instrument holds none.
CENT = 0.01


@dataclass
class _Trip:
    """One round trip, as far as it has gone; money in US dollars."""

    opened: int
    closed: int | None = None
    counts: dict[str, int] = field(default_factory=lambda: {"buy": 0, "sell": 0})
    paid: float = 0.0
    received: float = 0.0
    payments: float = 0.0
    costs: float = 0.0


@dataclass
class _Holding:
    """Units of one instrument as the events of a run move them, and its round trips."""

    units: float = 0.0
    trips: list[_Trip] = field(default_factory=list)

    def trip(self, row: int) -> _Trip:
        """The one that is under way, or a new one."""
        if not self.trips or self.trips[-1].closed is not None:
            self.trips.append(_Trip(row))
        return self.trips[-1]

    def move(self, row: int, units: float, price: float) -> None:
        """Change the units; where less than a cent is left the round trip ends."""
        self.units += units
        if units < 0 and abs(self.units) * price < CENT:
            self.trip(row).closed = row


def round_trips(
    orders: pd.DataFrame, cash: pd.DataFrame, final_value: pd.Series, regime: pd.Series, universe: Universe
) -> pd.DataFrame:
    """Lay the round trips of a run out.

    A round trip begins with the first units of an instrument that is not held and ends when less than a cent of it is
    left; buys and sells between add to it. What is left then is part of the next one, at no cost. A dividend
    belongs to the round trip that was under way when its session began. Units that a spin-off or a change of symbol
    brings have cost nothing; what they were taken from shows the loss.

    Args:
        orders: see `backtests.execution.result.ORDER_COLUMNS`.
        cash: see `backtests.execution.result.CASH_COLUMNS`.
        final_value: of what is held at the end, US dollars, by symbol; its index are the instruments.
        regime: decided for each session of the run.
        universe: the baskets.

    Returns:
        A row a round trip in the order in which they began, `TRADE_COLUMNS`: sessions opened and closed (none: held at
        the end), closes at which it was held, the regimes of both sessions, orders that filled, US dollars paid for
        buys and received for sales after costs, payments (dividends, delistings, parts of units), the value of what is
        held at the end, profit, profit over what was paid (none where nothing was), commissions and slippage. The
        profits add up, with the interest on cash, to the final equity less the initial cash.
    """
    rows = {session: row for row, session in enumerate(regime.index)}
    holdings = {str(symbol): _Holding() for symbol in final_value.index}
    moved = _by_row(cash[cash["symbol"] != ""], rows)
    filled = _by_row(orders[orders["size"] > 0].sort_values("order_id", kind="stable"), rows)
    for row in sorted({*moved, *filled}):
        at_start = {symbol: each.trips[-1] if each.trips else None for symbol, each in holdings.items()}
        _begin_session(row, moved.get(row, []), holdings)
        for order in filled.get(row, []):
            _fill(row, order, holdings[order["symbol"]])
        for each in moved.get(row, []):
            if not each["units"]:
                trip = at_start[each["symbol"]] or holdings[each["symbol"]].trip(row)
                trip.payments += each["amount"]
    table = [
        _as_row(symbol, trip, float(final_value[symbol]) if trip is holding.trips[-1] else 0.0, regime, universe)
        for symbol, holding in holdings.items()
        for trip in holding.trips
    ]
    found = pd.DataFrame(table, columns=list(TRADE_COLUMNS))
    found["closed"] = pd.to_datetime(found["closed"])
    return found.sort_values("opened", kind="stable", ignore_index=True)


def _by_row(table: pd.DataFrame, rows: Mapping[Any, int]) -> dict[int, list[dict[str, Any]]]:
    """The records of a table by the row of their session."""
    found: dict[int, list[dict[str, Any]]] = {}
    for record in table.to_dict("records"):
        found.setdefault(rows[record["session"]], []).append({str(key): value for key, value in record.items()})
    return found


def _begin_session(row: int, records: list[dict[str, Any]], holdings: Mapping[str, _Holding]) -> None:
    """Splits, payouts and conversions, which move units before any order is filled."""
    for each in records:
        if each["units"]:
            holding = holdings[each["symbol"]]
            holding.trip(row).payments += each["amount"]
            ends = abs(holding.units + each["units"]) <= 1e-9 * abs(holding.units)
            holding.move(row, each["units"], 0.0 if ends else float("inf"))


def _fill(row: int, order: dict[str, Any], holding: _Holding) -> None:
    trip, value = holding.trip(row), order["size"] * order["price"]
    trip.counts[order["side"]] += 1
    trip.costs += order["commission"] + order["slippage"]
    if order["side"] == "buy":
        trip.paid += value + order["commission"]
        holding.move(row, order["size"], order["price"])
    else:
        trip.received += value - order["commission"]
        holding.move(row, -order["size"], order["price"])


def _as_row(symbol: str, trip: _Trip, value: float, regime: pd.Series, universe: Universe) -> tuple[object, ...]:
    last = len(regime) if trip.closed is None else trip.closed
    profit = trip.received + trip.payments + value - trip.paid
    return (
        symbol,
        universe.key_of(symbol, regime.index[trip.opened]).removeprefix("universe."),
        regime.index[trip.opened],
        None if trip.closed is None else regime.index[trip.closed],
        last - trip.opened,
        str(regime.iloc[trip.opened]),
        "" if trip.closed is None else str(regime.iloc[trip.closed]),
        trip.counts["buy"],
        trip.counts["sell"],
        trip.paid,
        trip.received,
        trip.payments,
        value,
        profit,
        profit / trip.paid if trip.paid > 0 else float("nan"),
        trip.costs,
    )
