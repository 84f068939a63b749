"""An account played again, session by session, with some of its causes as in the backtest.

Where nothing is swapped, the account's own orders, fills and movements give its own equity. A cause that is swapped
is worked out by the rules of the backtest over the replay's own book; what still stands of the account is taken
relative to that book: a fill by its share of the order, a fee by its rate, a dividend by its units. Where everything is
swapped, it is the backtest's session that is played.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from backtests.execution.records import Orders, PlayedSession
from backtests.execution.session import play_session, unsettled_money
from paper.explain.causes import Cause
from paper.explain.decisions import decided
from paper.explain.facts import SAME, Facts, Ordered, World, differ, sessions_of
from paper.explain.fills import Due, Present, as_the_account, fee_rate
from paper.explain.moves import scaled
from paper.explain.recorded import OrderKey, RecordedMove
from strategies.fills import Hindrance, falls_short

# Of equity: interest so small says nothing of its rate.
DUST = 1e-13


@dataclass
class Replay:
    """A replay under way.

    Attributes:
        facts: of the account.
        world: what of it still stands.
        swaps: the cause that this replay is the first to swap; what stands behind it is noted.
    """

    facts: Facts
    world: World
    swaps: Cause | None = None
    cash: float = field(init=False)
    units: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        """Open the book with the first deposit."""
        market = self.facts.versions.newest
        self.cash, self.units = self.facts.recorded.deposit, np.zeros(len(market.panel.symbols))
        self._sessions = sessions_of(self.facts, self.world)
        self._flows = [0.0] * len(market.panel.sessions)
        self._open: dict[OrderKey, Ordered] = {}
        # What the book has that the next decision may not know: entry, US dollars, place, units.
        self._news: list[tuple[int, float, int, float]] = []
        self._shorts: list[int] = []
        self._anchor, self._left_alone, self._undecided = 0, set[int](), 0
        self._opening: dict[int, np.ndarray] = {}
        self._taken = set[int]()
        self._cash_before = self._equity_before = self.cash
        self._is_short: dict[OrderKey, bool] = {}
        self._late = self.facts.late_dividends()

    def run(self) -> np.ndarray:
        """Equity at the closes, US dollars: element i is of row i + 1."""
        equity = np.zeros(self.facts.recorded.last)
        before = self.cash
        for row in range(1, self.facts.recorded.last + 1):
            self._play(row, before)
            before = equity[row - 1] = self._value(row)
        return equity

    def _play(self, row: int, equity: float) -> None:
        self._cash_before, self._equity_before = self.cash, equity
        moves = [move for move in self.facts.recorded.moves.get(row, ()) if self._stands(move)]
        then = self.facts.recorded.decisions.get(row)
        known = then.last_entry if then is not None else 0
        factor = np.ones(len(self.units))
        early = [move for move in moves if move.entry <= known and not move.at_end]
        self._move(early, row, equity, factor)
        self._take(self._due(row, known), row, factor)
        ordered = self._decide(row)
        self._move([move for move in moves if move not in early and not move.at_end], row, equity, factor)
        self._opening[row] = self.units.copy()
        if not self.world.swapped:
            self.facts.opening[row] = self.units.copy()
            self._note_interest(row)
        if self.world.keeps(Cause.CUTS):
            day, due = self.facts.versions.newest.panel.sessions[row].date(), self._due(row)
            now = [each for each in ordered if each.record is None or not self._keeps_times]
            self._take([*due, *(Due(order, None, day) for order in now)], row, factor)
            ordered = []
        self._play_by_rule([order for order in ordered if not self._is_unsent(order)], row, factor)
        self._move([move for move in moves if move.at_end], row, equity, factor)

    # Decisions.

    def _decide(self, row: int) -> list[Ordered]:
        recorded = self.facts.recorded
        then = recorded.decisions.get(row)
        if then is None:
            cause = Cause.HALTS if row in recorded.halted else Cause.STEPS
            if self.swaps == cause:
                self.facts.note(cause, row)
            if self.world.keeps(cause):
                return []
        elif self._keeps_times:
            self._hear(then.last_state)
        cash, units = self._known(row, then.last_entry if then is not None else None)
        if not self.world.swapped:
            for order in self._open.values():
                self.facts.note(Cause.FILL_TIMES, order.key[0], order.record.client_id if order.record else "")
        waiting = [(order.key[1], order.money) for order in self._open.values()]
        short = set(self._shorts[self._anchor :]) | self._left_alone
        why, orders = decided(self.facts, self.world, row, units, cash, waiting, self._undecided, short)
        self._undecided = row
        self._left_alone = {place for place, _ in waiting} if why else set()
        if not self._left_alone:
            self._anchor = len(self._shorts)
        if self._keeps_times:
            self._open |= {key: order for key, order in orders.items() if order.record is not None}
        return list(orders.values())

    def _hear(self, last_state: int) -> None:
        """Learn how orders ended by the time of a decision."""
        for key, order in list(self._open.items()):
            record = order.record
            if record is not None and record.ended is not None and record.ended <= last_state:
                del self._open[key]
                self._shorts += [key[1]] if self._is_short.get(key, record.is_short) else []

    def _known(self, row: int, last_entry: int | None) -> tuple[float, np.ndarray]:
        """Cash and units as far as a decision knows them."""
        cash, units = self.cash, self.units.copy()
        if last_entry is None:
            return cash, units
        self._news = [each for each in self._news if each[0] > last_entry]
        for _, amount, place, moved in self._news:
            cash -= amount
            if place >= 0:
                units[place] -= moved
        if self._news and not self.world.swapped:
            self.facts.note(Cause.FILL_TIMES, row)
        return cash, units

    # Fills.

    @property
    def _keeps_times(self) -> bool:
        return self.world.keeps(Cause.FILL_TIMES)

    def _is_unsent(self, order: Ordered) -> bool:
        """Whether an order is not sent for a halt; it is then short of what the next session may bring."""
        record = order.record
        if record is None or record.cause != Cause.HALTS or not self.world.keeps(Cause.HALTS):
            return False
        self._shorts.append(order.key[1])
        return True

    def _due(self, row: int, known: int | None = None) -> list[Due]:
        """Fills of the account that belong to a session; those up to a known entry come before its decision."""
        if not self._keeps_times:
            return []
        found = []
        for order in self._open.values():
            record = order.record
            assert record is not None
            for fill in record.fills:
                if fill.row == row and fill.entry not in self._taken and (known is None or fill.entry <= known):
                    found.append(Due(order, fill, fill.day))
            if not record.fills and record.ended is not None and order.key[0] == row and known is None:
                found.append(Due(order, None, self.facts.versions.newest.panel.sessions[row].date()))
        return found

    def _take(self, due: Sequence[Due], row: int, factor: np.ndarray) -> None:
        """Fill orders as the account's were, in the order of the clock."""
        if not due:
            return
        sessions = self._sessions
        unsettled = unsettled_money(self._flows, row, sessions.settlement_sessions)
        present = Present(self.cash, self.units, unsettled, factor)
        all_got = as_the_account(self.facts, self.world, due, row, present, sessions, self.swaps)
        for each, got in zip(due, all_got, strict=True):
            _, place, sells = each.order.key
            units = min(got.units, float(self.units[place])) if sells else got.units
            value, fees = units * got.price, got.rate * units * got.price
            paid = fees - value if sells else value + fees
            self._book(each.fill.entry if each.fill is not None else None, -paid, place, -units if sells else units)
            if not sessions.coins[place]:
                self._flows[row] -= paid
            self._taken |= {fill.entry for fill in each.fills}
            self._is_short[each.order.key] = got.is_short
            if got.is_short and (each.order.record is None or not self._keeps_times):
                self._shorts.append(place)
            if each.order.record is not None and self.swaps == Cause.STEPS == each.order.record.cause:
                self.facts.note(Cause.STEPS, row, each.order.record.client_id)

    def _play_by_rule(self, ordered: Sequence[Ordered], row: int, factor: np.ndarray) -> None:
        """Play a session's orders, and what of its movements are the backtest's, as the backtest does."""
        sessions = self._sessions
        quiet = not (sessions.changes_units[row] or sessions.pays_dividends[row] or sessions.interest[row])
        if not ordered and quiet:
            return
        ordered = sorted(ordered, key=lambda order: order.key[1])
        places, sells = [order.key[1] for order in ordered], [order.key[2] for order in ordered]
        sold = [(order.units or 0.0) * float(factor[order.key[1]]) for order in ordered]
        orders = Orders(
            places, sells, sold, [order.money or 0.0 for order in ordered], [each.least for each in ordered]
        )
        unsettled = unsettled_money(self._flows, row, sessions.settlement_sessions)
        played = play_session(self.cash, self.units, unsettled, orders, row, sessions)
        self._note_played(row, played)
        cash = played.cash
        if self.world.keeps(Cause.CUTS):
            # Filled already: what is paid goes to what was there before.
            cash += (self._cash_before - self.cash) * float(sessions.interest[row])
            if sessions.pays_dividends[row]:
                cash += float(((self._opening[row] - self.units) * sessions.dividend[row]).sum())
        units = played.units.copy()
        for at, order in enumerate(ordered):
            if falls_short(Hindrance(int(played.fills.hindrance[at]))):
                self._shorts.append(order.key[1])
            got, charged = float(played.fills.units[at]), float(played.fills.commission[at])
            self._note_order(order, got * float(played.fills.price[at]) if got > 0 else 0.0, charged, row)
            record = order.record
            if not got > 0 or record is None or not record.fills or not self.world.keeps(Cause.FEES):
                continue
            value, rate = got * float(played.fills.price[at]), fee_rate(record.fills)
            if order.key[2]:
                cash += charged - rate * value
                self._flows[row] += 0.0 if sessions.coins[order.key[1]] else charged - rate * value
            else:
                # The same money buys more where it pays less of fees.
                units[order.key[1]] += got * ((value + charged) / (value * (1.0 + rate)) - 1.0)
        self.cash, self.units = cash, units
        self._flows[row] += played.stock_flow

    def _note_order(self, order: Ordered, value: float, charged: float, row: int) -> None:
        """What differs between an order by rule and the account's."""
        record = order.record
        if record is None or record.ended is None:
            return
        if self.swaps == record.cause == Cause.HALTS:
            self.facts.note(record.cause, row, record.client_id)
        if self.swaps == Cause.FEES and record.fills and value and differ(charged / value, fee_rate(record.fills)):
            self.facts.note(Cause.FEES, row, record.client_id)

    # Movements.

    def _stands(self, move: RecordedMove) -> bool:
        """Whether a movement of the account stands; a dividend of which something was told late goes with that."""
        cause = Cause.LATE_ACTIONS if move.kind == "dividend" and (move.row, move.place) in self._late else move.cause
        if self.swaps == cause and (cause in (Cause.DEPOSITS, Cause.MANUAL, Cause.FEES) or move.about is not None):
            self.facts.note(cause, move.row)
        return self.world.keeps(cause)

    def _move(self, moves: Iterable[RecordedMove], row: int, equity: float, factor: np.ndarray) -> None:
        for move in moves:
            if self.world.swapped and move.kind == "interest" and row in self.facts.without_interest:
                continue
            held = self._basis(move, row, self._opening)
            here = (held, self._cash_before, equity)
            if not self.world.swapped:
                self.facts.moved[move.entry] = here
            amount, units = scaled(move, here, self.facts.moved[move.entry])
            if move.kind == "split" and move.about is None and held > 0:
                factor[move.place] *= (held + units) / held
            self._book(move.entry, amount, move.place, units)
            # What comes from outside bears interest from the session on, as all that is there before it.
            self._cash_before += amount if move.kind == "transfer" else 0.0

    def _basis(self, move: RecordedMove, row: int, opening: dict[int, np.ndarray]) -> float:
        """The units that a movement is taken of."""
        if move.place < 0:
            return 0.0
        about = move.about[0] if move.about is not None else row if move.at_end else -1
        units = opening.get(about, self.units) if about >= 0 else self.units
        return float(units[move.place] or self.units[move.place])

    def _book(self, entry: int | None, amount: float, place: int, units: float) -> None:
        self.cash += amount
        if place >= 0 and units:
            self.units = self.units.copy()
            self.units[place] += units
        if entry is not None and (self._keeps_times or self.world.keeps(Cause.DIVIDENDS)):
            self._news.append((entry, amount, place, units))

    def _note_interest(self, row: int) -> None:
        """Find out whether there was cash that interest could have been paid on."""
        due = self._cash_before * float(self.facts.versions.newest.rules.sessions.interest[row])
        if abs(due) <= DUST * self._equity_before:
            self.facts.without_interest.add(row)

    def _note_played(self, row: int, played: PlayedSession) -> None:
        """Which movements of a session the account has not, or has otherwise."""
        if self.swaps not in (Cause.DIVIDENDS, Cause.LATE_ACTIONS):
            return
        had = {
            (move.place, move.kind): move
            for move in self.facts.recorded.moves.get(row, ())
            if move.about is None and move.cause in (Cause.DIVIDENDS, Cause.LATE_ACTIONS)
        }
        if self.swaps == Cause.LATE_ACTIONS:
            changed = {place for place, _ in had if (place, "dividend") not in had and (place, "interest") not in had}
            if set(np.flatnonzero(played.change).tolist()) ^ changed:
                self.facts.note(Cause.LATE_ACTIONS, row)
            return
        paid = {(place, "dividend"): float(amount) for place, amount in enumerate(played.dividend.tolist()) if amount}
        paid |= {(-1, "interest"): float(played.interest)} if played.interest else {}
        for key in {*paid, *((place, kind) for place, kind in had if kind in ("dividend", "interest"))}:
            move, own = had.get(key), 0.0
            if move is not None:
                held, cash, _ = self.facts.moved.get(move.entry, (0.0, 0.0, 0.0))
                own = move.amount / held if held else move.amount / cash if cash and key[0] < 0 else 0.0
            held_none = row in self.facts.without_interest if key[0] < 0 else not self.facts.opening[row][key[0]] > 0
            if (row, key[0]) in self._late or (held_none and (move is None or key[0] < 0)):
                continue
            units = float(self._opening[row][key[0]]) if key[0] >= 0 else self._cash_before
            if abs(own * units - paid.get(key, 0.0)) > SAME * self._equity_before:
                self.facts.note(Cause.DIVIDENDS, row)

    # Values.

    def _value(self, row: int) -> float:
        close = self.facts.seen(row, self.world).panel.close[row]
        value = self.cash + float(np.where(self.units > 0, self.units * close, 0.0).sum())
        if not self.world.swapped and self._note_value(row, value):
            return self._value(row)
        key, more = self.facts.values.get(row, (Cause.CODE, 0.0))
        return value * (1.0 + more) if more and self.world.keeps(key) else value

    def _note_value(self, row: int, value: float) -> bool:
        """Find out whether the account's close was valued on other bars; whether that was not known."""
        close, newest = self.facts.recorded.closes.get(row), self.facts.versions.newest
        if close is None or row in self.facts.values or not differ(close.equity, value):
            return False
        if close.content_hash == newest.snapshot.content_hash:
            return False
        older = self.facts.versions.of(close.content_hash)
        if older is not None:
            prices = older.panel.close[row]
            value = self.cash + float(np.where(self.units > 0, self.units * prices, 0.0).sum())
            if not differ(close.equity, value):
                self.facts.bars[row] = close.content_hash
                self.facts.note(close.content_hash, row)
                return True
        self.facts.values[row] = (close.content_hash, close.equity / value - 1.0)
        self.facts.note(close.content_hash, row)
        return True
