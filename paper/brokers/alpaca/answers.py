"""Alpaca's words in ours: symbols, orders, fills and movements, from answers as they came."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pandas as pd

from data.clock import next_session
from paper.broker import UNKNOWN, Fill, Movement, OrderState
from paper.errors import BrokerRefused, BrokerUnavailable
from strategies.fills import OrderStatus

Raw = Mapping[str, Any]

_ROUNDING = 1e-9
_NEVER_SEEN = "which this version does not know; look at the account there, and update reverse-qe"
# Orders for parts of a share are good for the day: what is done for the day is done for good.
_FINAL = frozenset({"filled", "canceled", "expired", "rejected", "done_for_day", "replaced"})
_OPEN = frozenset(
    {
        *("new", "accepted", "pending_new", "partially_filled", "accepted_for_bidding", "stopped", "suspended"),
        *("calculated", "held", "pending_cancel", "pending_replace", "pending_review"),
    }
)
# Activities by Alpaca's words; those that begin with DIV or INT are dividends and interest, whatever is behind.
_WORDS = {
    "fee": "CFEE FEE PTC PTR WH DIVFEE DIVWH",
    "dividend": "CGD DVF",
    "split": "SPLIT SSP",
    "transfer": "TRANS CSD CSW JNL JNLC JNLS ACATC ACATS",
    "miscellaneous": "CORR MISC ALLOC SUB",
    "reorganisation": "MA NC SC REORG SPIN SSO CIL EXTRD OPASN OPCA OPCSH OPEXC OPEXP OPTRD OPXRC ECEXP",
}
_KINDS = {word: kind for kind, words in _WORDS.items() for word in words.split()}
_PREFIXES = {"DIV": "dividend", "INT": "interest"}
# What is not booked: it was taken back, or has not happened yet.
_NOT_BOOKED = frozenset({"canceled", "pending", "rejected"})
_BOOKED = frozenset({"executed", "correct", ""})


@contextmanager
def understood(what: str) -> Iterator[None]:
    """Tell in one line of an answer that is not as Alpaca's documentation has it."""
    try:
        yield
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise BrokerUnavailable(
            f"Alpaca: {what} that cannot be understood ({type(error).__name__}: {error}); try again later, or update "
            "reverse-qe"
        ) from error


def number(text: Any) -> float:
    """A number as Alpaca writes it; 0 where it writes none."""
    if isinstance(text, bool):
        raise TypeError(f"got {text} for a number")
    found = float(0 if text is None or text == "" else text)
    if not math.isfinite(found):
        raise ValueError(f"got the number {text}")
    return found


def amount_above_zero(text: Any) -> float:
    """A number that can be nothing else.

    Raises:
        ValueError: it is 0 or less.
    """
    found = number(text)
    if not found > 0:
        raise ValueError(f"got {text}, wanted a number above 0")
    return found


def units_of(text: Any) -> str:
    """Units as Alpaca writes them, to be read as decimals.

    Raises:
        ValueError, TypeError: they are no number.
    """
    number(text)
    return str(text)


def flag(value: Any) -> bool:
    """True or false, and no word for it.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(value, bool):
        raise TypeError(f"got {value!r}, wanted true or false")
    return value


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
    stamp = datetime.fromisoformat(text)
    if stamp.tzinfo is None:
        raise ValueError(f"got the moment {text}, wanted one with its offset to UTC")
    return stamp.astimezone(UTC)


def order_state(order: Raw) -> OrderState:
    """What became of an order that is at Alpaca.

    Raises:
        BrokerRefused: its status is none that is known.
    """
    client_id, status = order["client_order_id"], str(order["status"])
    if status not in _FINAL | _OPEN:
        raise BrokerRefused(f"Alpaca says of the order {client_id} that it is {status!r}, {_NEVER_SEEN}")
    filled = number(order["filled_qty"])
    wanted = None if order["qty"] is None else number(order["qty"])
    if filled < 0 or (wanted is not None and wanted < filled * (1 - _ROUNDING)):
        raise ValueError(f"got {order['filled_qty']} filled of {order['qty']}")
    if status not in _FINAL:
        return OrderState(client_id, OrderStatus.OPEN, filled, units_wanted=wanted)
    if status == "filled":
        if not filled:
            raise ValueError(f"got a filled order of {order['filled_qty']} units")
        return OrderState(client_id, OrderStatus.FILLED, filled, units_wanted=wanted)
    if wanted is None and filled:
        wanted = number(order["notional"]) / number(order["filled_avg_price"])
    refused = OrderStatus.REJECTED if status == "rejected" else OrderStatus.UNFILLED
    ended = OrderStatus.REDUCED if filled else refused
    return OrderState(client_id, ended, filled, f"{status.replace('_', ' ')} at Alpaca", wanted)


def fill_of(activity: Raw, client_id: str, order: Raw | None = None) -> Fill:
    """A fill of an order.

    Args:
        activity: as Alpaca tells it.
        client_id: of the order.
        order: as Alpaca tells it; None: it is not looked at.

    Raises:
        BrokerRefused: its side is none that is known, or it is not that of its order.
    """
    symbol, side = from_alpaca(activity["symbol"], is_coin(activity["symbol"])), activity["side"]
    if side not in ("buy", "sell"):
        raise BrokerRefused(f"Alpaca says of the fill {activity['id']} that its side is {side!r}, {_NEVER_SEEN}")
    if order is not None:
        of_order = from_alpaca(order["symbol"], is_coin(order["symbol"])), order["side"]
        if (symbol, side) != of_order:
            raise BrokerRefused(
                f"Alpaca says that the fill {activity['id']} of an order to {' '.join(reversed(of_order))} was to "
                f"{side} {symbol}"
            )
    return Fill(
        fill_id=_id_of(activity),
        client_id=client_id,
        symbol=symbol,
        side=side,
        units=amount_above_zero(activity["qty"]),
        price=amount_above_zero(activity["price"]),
        fees=0.0,
        at=moment(activity["transaction_time"]),
    )


def movement_of(activity: Raw) -> Movement:
    """An activity that is no fill.

    The fee of a coin that was bought is taken in units of it (``qty`` below 0, ``net_amount`` 0), that of one that was
    sold in US dollars. Elsewhere ``qty`` says how many units an amount was paid on, but where there is no amount units
    themselves moved. What was taken back moves nothing any more.

    Raises:
        BrokerRefused: its status is none that is known.
    """
    kind, status = _kind(activity["activity_type"]), activity.get("status") or ""
    if status not in _BOOKED | _NOT_BOOKED:
        raise BrokerRefused(f"Alpaca says of the activity {activity['id']} that it is {status!r}, {_NEVER_SEEN}")
    is_booked = status in _BOOKED
    amount, units = (number(activity.get(name)) if is_booked else 0.0 for name in ("net_amount", "qty"))
    day = date.fromisoformat(activity["date"][:10])
    symbol = activity.get("symbol") or ""
    return Movement(
        movement_id=str(activity.get("previous_id") or _id_of(activity)),
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
    by_prefix = _PREFIXES.get(activity_type[:3], UNKNOWN)
    return _KINDS.get(activity_type, by_prefix)


def _id_of(activity: Raw) -> str:
    found = activity["id"]
    if not isinstance(found, str) or not found:
        raise ValueError(f"got the id {found!r}")
    return found
