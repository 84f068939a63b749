"""The records of the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class AccountRecord:
    """How an account was opened; that never changes.

    Attributes:
        name: of the account.
        broker: its name.
        first_session: the first that was decided for; a backtest to compare with starts there.
        prices: basis of prices and units, ``adjusted`` or ``raw``.
        spec: complete, as TOML.
        opened_at: UTC.
    """

    name: str
    broker: str
    first_session: date
    prices: str
    spec: str
    opened_at: datetime


@dataclass(frozen=True)
class Holdings:
    """Cash in US dollars, and units by symbol; what is not held has no entry."""

    cash: float
    units: Mapping[str, float]


@dataclass(frozen=True)
class DecisionRecord:
    """What was decided for a session, and on what.

    Attributes:
        session: decided for.
        decided_at: UTC.
        market: name of the snapshot.
        content_hash: of the snapshot.
        regime: of the signal.
        score: of the signal; None where there was none yet.
        equity: US dollars at the prices known.
        cash: US dollars.
        targets: weights by symbol.
        why: the book is brought to them; empty where it is left as it is.
        left_alone: symbols that it was not brought to them in, for orders of theirs were open.
    """

    session: date
    decided_at: datetime
    market: str
    content_hash: str
    regime: str
    score: float | None
    equity: float
    cash: float
    targets: Mapping[str, float]
    why: str
    left_alone: tuple[str, ...]


@dataclass(frozen=True)
class SeenBar:
    """A session's bars as a strategy of the user saw them; what the market says of them later changes nothing here.

    Attributes:
        session: of the bars.
        decided_for: session that was decided for on them; None where none was: of the warm-up, or without a step.
        last_entry: number of the newest entry of the ledger that was known then.
        last_state: number of the newest state of an order that was known then.
        code: hash of the strategy's file.
        bars: by symbol, the values of the lines that `backtests.engines.strategy_replay.LINES` names.
    """

    session: date
    decided_for: date | None
    last_entry: int
    last_state: int
    code: str
    bars: Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class News:
    """An entry of the ledger, or the end of an order, as a strategy of the user hears of it.

    Attributes:
        number: of the entry, or of the order's state.
        session: that the order was for; None for what no order moved.
        symbol: of the instrument; empty where none moved.
        units: that came; negative for what went.
        price: of a fill, US dollars; None for what is none.
        fees: of a fill, US dollars.
        cash_after: US dollars.
        units_after: of the instrument.
        status: how the order ended; None for an entry.
        reason: why it got less than it wanted.
    """

    number: int
    session: date | None
    symbol: str
    units: float
    price: float | None
    fees: float
    cash_after: float
    units_after: float
    status: str | None
    reason: str


@dataclass(frozen=True)
class Close:
    """What an account was worth at a session's close.

    Attributes:
        session: that has ended.
        equity: US dollars.
        cash: US dollars.
        content_hash: of the snapshot whose closes value it.
        positions: units by symbol.
    """

    session: date
    equity: float
    cash: float
    content_hash: str
    positions: Mapping[str, float]


@dataclass(frozen=True)
class Event:
    """Something that people are told: ``halt``, ``resume``, ``migration``, ``notice``, or ``step`` and how it ended."""

    at: datetime
    kind: str
    session: date | None
    text: str
