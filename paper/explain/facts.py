"""What replays need besides the ledger: its markets, and what of its facts no replay can make from them."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from backtests.execution.records import NO_CONVERSIONS, Sessions
from paper.explain.causes import Cause
from paper.explain.recorded import OrderKey, Recorded, RecordedOrder
from paper.market import MarketVersions, PaperMarket

SAME = 1e-9
"""Relative: what differs by less is the same."""

Key = Cause | str
"""A cause, or the hash of the version of the market that is one for itself."""


@dataclass(frozen=True)
class World:
    """What of the account still stands in a replay.

    Attributes:
        swapped: causes that are as in the backtest.
        gone: hashes of versions of the market in whose place the newest stands; the others stand as they were.
    """

    swapped: frozenset[Cause]
    gone: frozenset[str] = frozenset()

    def keeps(self, key: Key) -> bool:
        """Whether the account's own facts stand for a cause."""
        return key not in (self.swapped if isinstance(key, Cause) else self.gone)


@dataclass(frozen=True)
class Ordered:
    """An order of a replay.

    Attributes:
        key: see `paper.explain.recorded.OrderKey`.
        units: to sell; None for a buy.
        money: US dollars promised; None for a sell.
        least: US dollars.
        record: the account's order of this key; None where it has none.
    """

    key: OrderKey
    units: float | None
    money: float | None
    least: float
    record: RecordedOrder | None

    @property
    def amount(self) -> float:
        """Units, or money."""
        return self.money if self.units is None else self.units  # type: ignore[return-value]


@dataclass
class Facts:
    """The account, and what its first replay finds out.

    Attributes:
        recorded: of the ledger.
        versions: of the market, with the spec that the account was opened with.
        now: the newest market with the spec and its files as they are now.
        follows_market: whether fills are at the market's own opens.
        bars: by row, the hash of the version whose bars the account saw, where the newest has others.
        decided_on: by row, the hash of the version that a decision was taken on, where the newest gives another.
        corrections: by row, what a decision has more than its market gives, (m,) shares of equity, and by which key.
        values: by row, what a close has more than its bars give, as a share of equity, and by which key.
        granted: by order and entry of a fill (0: all of them), what the account got of what the rules gave in its own
            book; 1 but for an order that was cut; below 0 the share itself, where they gave nothing.
        opening: by row, (m,) units of the account when fills began.
        without_interest: rows on which the account had no cash that would have borne any.
        moved: by entry, units, cash and equity of the account before a movement.
        found: by key, the rows and orders behind it.
    """

    recorded: Recorded
    versions: MarketVersions
    now: PaperMarket
    follows_market: bool
    bars: dict[int, str] = field(default_factory=dict)
    decided_on: dict[int, str] = field(default_factory=dict)
    corrections: dict[int, tuple[Key, np.ndarray]] = field(default_factory=dict)
    values: dict[int, tuple[Key, float]] = field(default_factory=dict)
    granted: dict[tuple[OrderKey, int], float] = field(default_factory=dict)
    opening: dict[int, np.ndarray] = field(default_factory=dict)
    without_interest: set[int] = field(default_factory=set)
    moved: dict[int, tuple[float, float, float]] = field(default_factory=dict)
    found: defaultdict[Key, set[tuple[int, str]]] = field(default_factory=lambda: defaultdict(set))

    def note(self, key: Key, row: int, order: str = "") -> None:
        """Note a session, and an order where it is about one, behind a cause."""
        self.found[key].add((row, order))

    def market(self, world: World) -> PaperMarket:
        """The newest market, with the spec of then or of now."""
        return self.versions.newest if world.keeps(Cause.CODE) else self.now

    def deciding(self, row: int, world: World) -> PaperMarket:
        """The market that a decision is taken on."""
        return self._then(self.decided_on.get(row), world) or self.market(world)

    def seen(self, row: int, world: World) -> PaperMarket:
        """The market whose bars a session is played and valued on."""
        return self._then(self.bars.get(row), world) or self.market(world)

    def _then(self, content_hash: str | None, world: World) -> PaperMarket | None:
        return self.versions.of(content_hash) if content_hash is not None and world.keeps(content_hash) else None

    def hashes(self) -> list[str]:
        """Versions that something of the account stands on which the newest has otherwise, the oldest first."""
        first: dict[str, int] = {}
        keyed = [(row, key) for table in (self.corrections, self.values) for row, (key, _) in table.items()]
        for row, key in [*self.bars.items(), *self.decided_on.items(), *keyed]:
            if not isinstance(key, Cause):
                first[key] = min(row, first.get(key, row))
        return sorted(first, key=lambda each: first[each])

    def late_dividends(self) -> set[tuple[int, int]]:
        """Row and place of the dividends of which something was told late."""
        moves = [move for each in self.recorded.moves.values() for move in each]
        return {(move.about[0], move.place) for move in moves if move.about is not None and move.about[1] == "dividend"}


def sessions_of(facts: Facts, world: World) -> Sessions:
    """The sessions that a replay plays: without what of the market the account has not, or has otherwise."""
    sessions = facts.market(world).rules.sessions
    rows = [row for row, content_hash in facts.bars.items() if world.keeps(content_hash)]
    if rows:
        names = ("open", "close", "volume")
        copies = {name: getattr(sessions, name).copy() for name in names}
        for row in rows:
            for name in names:
                copies[name][row] = getattr(facts.seen(row, world).rules.sessions, name)[row]
        sessions = sessions._replace(**copies)
    nowhere = np.zeros(len(sessions.changes_units), dtype=bool)
    if world.keeps(Cause.LATE_ACTIONS):
        dividend = sessions.dividend.copy()
        for row, place in facts.late_dividends():
            dividend[row, place] = 0.0
        sessions = sessions._replace(changes_units=nowhere, conversions=NO_CONVERSIONS, dividend=dividend)
    if world.keeps(Cause.DIVIDENDS):
        # Where the account held nothing that is paid on, nothing says that it would not have been paid.
        dividend, interest = np.zeros_like(sessions.dividend), np.zeros(len(sessions.interest))
        for row, held in facts.opening.items():
            dividend[row] = np.where(held > 0, 0.0, sessions.dividend[row])
        bare = list(facts.without_interest)
        interest[bare] = sessions.interest[bare]
        sessions = sessions._replace(dividend=dividend, pays_dividends=np.any(dividend > 0, axis=1), interest=interest)
    return sessions


def differ(one: float, other: float, scale: float = 0.0) -> bool:
    """Whether two numbers are not the same."""
    return not abs(one - other) <= SAME * max(abs(one), abs(other), scale)
