"""What the paper trader asks of a broker, and the words that both speak.

Every call can be made again: an order is known by its client id, a fill and a movement by an id of their own.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, Protocol

from strategies.fills import OrderStatus

# A kind of movement that this version does not know: it is booked, and halts the trader.
UNKNOWN = "unknown"
Side = Literal["sell", "buy"]
# Why orders ended that no market has seen.
TOO_LATE = "decided too late for the open"
OVER = "its session was over before it could be sent"
HALTED = "the trader was halted before it could be sent"
# Why one ended that was sent, and that somebody has looked for.
GONE = "the broker does not know it any more"


@dataclass(frozen=True)
class Intent:
    """An order as it was decided; it is written to the ledger before it is sent.

    Attributes:
        client_id: the same for the same account, session, instrument and side: an intent sent twice is one order.
        session: decided for.
        symbol: of the instrument catalogue, such as ``BTC-USD``.
        side: a sell is a number of units, a buy a promise of money.
        is_coin: whether the instrument trades around the clock; coins come before stocks.
        units: to sell; None for a buy.
        money: US dollars to spend, costs included; None for a sell.
        least: US dollars below which a buy that must be cut is not made at all; 0 for a sell.
        decision_price: the last price known to the decision, US dollars.
        written_at: UTC; no fill may be stamped earlier.
    """

    client_id: str
    session: date
    symbol: str
    side: Side
    is_coin: bool
    units: float | None
    money: float | None
    least: float
    decision_price: float
    written_at: datetime


@dataclass(frozen=True)
class Fill:
    """Units that changed hands.

    Attributes:
        fill_id: unique at the broker; the same fill always bears the same one.
        client_id: of the order.
        symbol: as in the intent.
        side: as in the intent.
        units: above 0.
        price: US dollars a unit, spread and slippage included.
        fees: US dollars, paid in cash with the fill; fees that are posted later, or in units, are movements.
        at: UTC.
    """

    fill_id: str
    client_id: str
    symbol: str
    side: Side
    units: float
    price: float
    fees: float
    at: datetime


@dataclass(frozen=True)
class Movement:
    """Cash and units that no order moved: dividend, interest, split, delisting, close-out, fee.

    Attributes:
        movement_id: unique at the broker; told with other figures than before it is corrected, with none taken back.
        session: to which it belongs.
        symbol: empty where no instrument moved.
        kind: ``dividend``, ``interest``, ``split``, ``delisting``, ``close_out``, ``fee``; ``transfer`` to or from
            the account, ``reorganisation``: mergers and the like, ``miscellaneous``, ``unknown``: of a kind that this
            version does not know; it halts the trader.
        amount: US dollars received; negative where they were paid.
        units: received; negative where they were taken.
        at: UTC.
        reason: why it is booked only now; empty where it is booked in time.
    """

    movement_id: str
    session: date
    symbol: str
    kind: str
    amount: float
    units: float
    at: datetime
    reason: str = ""


@dataclass(frozen=True)
class OrderState:
    """What became of an order.

    Attributes:
        client_id: of the intent.
        status: ``open``: can still fill. The others are final: ``filled`` wholly, ``reduced``, ``unfilled``,
            ``rejected`` by the broker.
        units_filled: so far.
        reason: why it got less than it wanted; empty where it did not.
        units_wanted: asked for, or what all of the promised money would have bought; None where that is not known.
    """

    client_id: str
    status: OrderStatus
    units_filled: float
    reason: str = ""
    units_wanted: float | None = None


@dataclass(frozen=True)
class Account:
    """What the broker says that the account holds.

    Attributes:
        cash: US dollars.
        settled_cash: US dollars that can be spent on coins now.
        positions: units by symbol of the instrument catalogue; nothing held, no entry.
        at: UTC.
        unposted_units: by symbol, units by which a position may lie below the ledger's because a fee in units is not
            posted yet.
        cash_tolerance: US dollars by which cash may differ from the ledger's: the broker's rounding.
    """

    cash: float
    settled_cash: float
    positions: Mapping[str, float]
    at: datetime
    unposted_units: Mapping[str, float] = field(default_factory=dict)
    cash_tolerance: float = 0.0


@dataclass(frozen=True)
class BrokerClock:
    """The broker's clock and calendar: UTC; `next_open` and `next_close` are those of US stocks."""

    now: datetime
    is_open: bool
    next_open: datetime
    next_close: datetime


class Broker(Protocol):
    """A paper account at a broker.

    Every method may raise `paper.errors.BrokerUnavailable` (the step ends, the next one asks again) or
    `paper.errors.BrokerRefused` (the trader is halted).

    Attributes:
        name: for people.
        fills_by_stamp: True: an order fills at the first open after its intent's stamp, whenever it is sent, and the
            broker itself fills a moment's sells before its buys. False: an order works from when it is sent; the step
            sends the buys of a moment when its sells have ended, lets no intent outlive its session and cancels what
            is still open then.
    """

    name: str
    fills_by_stamp: bool

    def send(self, intents: Sequence[Intent]) -> list[OrderState]:
        """Take orders of one side and one moment; one that it has already, by client id, is not taken again.

        Returns:
            How those ended that it did not take: ``rejected``, or ``unfilled`` because they could not be made.
        """
        ...

    def states(self, client_ids: Collection[str]) -> list[OrderState]:
        """Say what became of orders; one that never arrived is left out."""
        ...

    def fills(self, client_ids: Collection[str]) -> list[Fill]:
        """All fills of these orders so far."""
        ...

    def movements(self, since: datetime | None) -> list[Movement]:
        """Movements stamped at `since` or later; all of them where it is None."""
        ...

    def notices(self) -> list[str]:
        """The newest things that people should know of sessions that are past, a sentence each, oldest first.

        Each is told again and again, in the same words.
        """
        ...

    def account(self) -> Account:
        """Cash and positions as they are now."""
        ...

    def clock(self) -> BrokerClock:
        """The time now, and when US stocks trade."""
        ...

    def cancel(self, client_ids: Collection[str]) -> None:
        """Ask for open orders to end; what is not open any more stays as it is."""
        ...

    def close(self) -> None:
        """Let go of what is held open; the account stays as it is."""
        ...
