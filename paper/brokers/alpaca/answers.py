"""Alpaca's words in ours: symbols, orders, fills and movements, from answers as they came."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pandas as pd

from data.clock import next_session
from paper.broker import Fill, Movement, OrderState
from paper.errors import BrokerUnavailable
from strategies.fills import OrderStatus

Raw = Mapping[str, Any]

CRYPTO = "crypto"
# Orders for parts of a share are good for the day: what is done for the day is done for good.
_FINAL = frozenset({"filled", "canceled", "expired", "rejected", "done_for_day", "replaced"})
_KINDS = {
    "CFEE": "fee",
    "FEE": "fee",
    "PTC": "fee",
    "INT": "interest",
    "INTPNL": "interest",
    "SPLIT": "split",
    "SSP": "split",
    "CSD": "transfer",
    "CSW": "transfer",
    "JNLC": "transfer",
    "JNLS": "transfer",
    "ACATC": "transfer",
    "ACATS": "transfer",
    "TRANS": "transfer",
}


@contextmanager
def understood(what: str) -> Iterator[None]:
    """Tell in one line of an answer that is not as Alpaca's documentation has it."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BrokerUnavailable(
            f"Alpaca: {what} that cannot be understood ({type(error).__name__}: {error}); try again later, or update "
            "reverse-qe"
        ) from error


def number(text: Any) -> float:
    """A number as Alpaca writes it; 0 where it writes none."""
    found = float(text or 0)
    if not math.isfinite(found):
        raise ValueError(f"got the number {text}")
    return found


def to_alpaca(symbol: str, coin: bool) -> str:
    """Alpaca's symbol: ``BTC-USD`` is ``BTC/USD`` there, ``BRK-B`` is ``BRK.B``."""
    return symbol.replace("-", "/" if coin else ".")


def from_alpaca(symbol: str, coin: bool) -> str:
    """Our symbol; a coin's position and fee come without the stroke: ``BTCUSD``."""
    if not coin:
        return symbol.replace(".", "-")
    plain = symbol.replace("/", "")
    return f"{plain[:-3]}-USD" if plain.endswith("USD") else symbol


def is_coin(symbol: str) -> bool:
    """Whether a symbol at Alpaca is that of a coin in US dollars: no ticker of a stock is so long."""
    return "/" in symbol or (len(symbol) > 5 and symbol.endswith("USD"))


def moment(text: str) -> datetime:
    """A stamp, UTC; what it has beyond microseconds is cut off."""
    return datetime.fromisoformat(text).astimezone(UTC)


def order_state(order: Raw) -> OrderState:
    """What became of an order that is at Alpaca."""
    client_id, status = order["client_order_id"], str(order["status"])
    filled = number(order["filled_qty"])
    wanted = None if order["qty"] is None else number(order["qty"])
    if status not in _FINAL:
        return OrderState(client_id, OrderStatus.OPEN, filled, units_wanted=wanted)
    if status == "filled":
        return OrderState(client_id, OrderStatus.FILLED, filled, units_wanted=wanted)
    if wanted is None and filled:
        wanted = number(order["notional"]) / number(order["filled_avg_price"])
    refused = OrderStatus.REJECTED if status == "rejected" else OrderStatus.UNFILLED
    ended = OrderStatus.REDUCED if filled else refused
    return OrderState(client_id, ended, filled, f"{status.replace('_', ' ')} at Alpaca", wanted)


def fill_of(activity: Raw, client_id: str) -> Fill:
    """A fill of an order."""
    return Fill(
        fill_id=activity["id"],
        client_id=client_id,
        symbol=from_alpaca(activity["symbol"], is_coin(activity["symbol"])),
        side=activity["side"],
        units=number(activity["qty"]),
        price=number(activity["price"]),
        fees=0.0,
        at=moment(activity["transaction_time"]),
    )


def movement_of(activity: Raw) -> Movement:
    """An activity that is no fill.

    The fee of a coin that was bought is taken in units of it (``qty`` below 0, ``net_amount`` 0), that of one that was
    sold in US dollars. Elsewhere ``qty`` says how many units an amount was paid on, but where there is no amount units
    themselves moved.
    """
    kind = _kind(activity["activity_type"])
    amount, units = number(activity.get("net_amount")), number(activity.get("qty"))
    day = date.fromisoformat(activity["date"][:10])
    symbol = activity.get("symbol") or ""
    return Movement(
        movement_id=activity["id"],
        session=next_session(pd.Timestamp(day) - pd.Timedelta(days=1)).date(),
        symbol=from_alpaca(symbol, is_coin(symbol)),
        kind=kind,
        amount=amount,
        units=0.0 if amount or not symbol else units,
        at=posted_at(activity),
    )


def coin_fee_of(activity: Raw) -> Movement:
    """The fee of a coin, stamped with the day that it is dated on, however late it was posted."""
    day = date.fromisoformat(activity["date"][:10])
    return replace(movement_of(activity), at=datetime.combine(day, time(), UTC))


def posted_at(activity: Raw) -> datetime:
    """When an activity that is no fill was booked, UTC: its own stamp, or else the end of its day.

    Transfers, which may be of the day on which an account is opened, are then taken for older than that.
    """
    if activity.get("created_at"):
        return moment(activity["created_at"])
    day = date.fromisoformat(activity["date"][:10])
    is_transfer = _kind(activity["activity_type"]) == "transfer"
    return datetime.combine(day + timedelta(days=0 if is_transfer else 1), time(), UTC)


def _kind(activity_type: str) -> str:
    if activity_type.startswith("DIV"):
        return "dividend"
    # Mergers, spin-offs, changes of name and the like.
    return _KINDS.get(activity_type, "reorganisation")
