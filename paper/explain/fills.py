"""What orders of a replay get as the account's did: at its times, prices and fees, and as much less as no rule says.

How much of an order is filled is what the rules give in the replay's own book, times what the account got of what they
gave in its own: 1, but for an order that the broker cut, refused or never had.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from backtests.execution.records import Orders, Sessions
from backtests.execution.session import play_session
from paper.explain.causes import Cause
from paper.explain.facts import SAME, Facts, Ordered, World, differ
from paper.explain.recorded import RecordedFill
from strategies.fills import Hindrance, buy_fill, falls_short, sell_fill

# An order that got less by more than this share of it is named; less is a broker's rounding, which has its replay too.
CUT = 1e-6


@dataclass(frozen=True)
class Due:
    """An order that fills in a session, and which of the account's fills it is: None for all of them at once."""

    order: Ordered
    fill: RecordedFill | None
    day: date

    @property
    def fills(self) -> tuple[RecordedFill, ...]:
        """Of the account."""
        if self.fill is not None:
            return (self.fill,)
        return self.order.record.fills if self.order.record is not None else ()


class Got(NamedTuple):
    """Units, their price, fees as a fraction of their value; whether the next session may bring what they lack."""

    units: float
    price: float
    rate: float
    is_short: bool


class Ruled(NamedTuple):
    """What the rules give an order: the share of a sell's units or of a buy's money, price, fees, as in `Got`."""

    share: float
    price: float
    rate: float
    is_short: bool


class Present(NamedTuple):
    """A book in a session: US dollars, (m,) units, US dollars that cannot pay for coins yet, (m,) units by a split."""

    cash: float
    units: np.ndarray
    unsettled: float
    factor: np.ndarray


def fee_rate(fills: Sequence[RecordedFill]) -> float:
    """The fees of fills as a fraction of their value."""
    value = sum(fill.units * fill.price for fill in fills)
    return sum(fill.fees for fill in fills) / value if value else 0.0


def as_the_account(
    facts: Facts,
    world: World,
    due: Sequence[Due],
    row: int,
    present: Present,
    sessions: Sessions,
    swaps: Cause | None,
) -> list[Got]:
    """Fill orders as the account's were.

    Args:
        facts: of the account.
        world: what of it stands.
        due: orders of the replay; what the account has not of them fills by the rules.
        row: of the session.
        present: the replay's book.
        sessions: that the replay plays.
        swaps: the cause that the replay is the first to swap.
    """
    found = []
    for each, ruled in zip(due, by_rule(facts, world, due, row, present, sessions), strict=True):
        order = each.order
        granted = _granted(facts, world, each, ruled)
        # What the rules gave nothing of in the account's book is taken as it was.
        share = ruled.share * granted if granted >= 0 else -granted
        is_short = ruled.is_short if granted == 1.0 or order.record is None else order.record.is_short
        amount = order.amount * share
        if not amount > 0:
            found.append(Got(0.0, 0.0, 0.0, is_short))
            continue
        price = _price(facts, world, each, amount, ruled.price if granted == 1.0 else float("nan"), row, swaps)
        rate = fee_rate(each.fills) if each.fills else ruled.rate
        units = amount if order.units is not None else amount / (price * (1.0 + rate))
        found.append(Got(units, price, rate, is_short))
    return found


def _granted(facts: Facts, world: World, due: Due, ruled: Ruled) -> float:
    """What the account got of what the rules gave; the first replay finds it out."""
    record = due.order.record
    if record is None or record.ended is None or not world.keeps(record.cause):
        return 1.0
    name = (due.order.key, due.fill.entry if due.fill is not None else 0)
    if not world.swapped:
        own = sum(record.share(fill) for fill in due.fills)
        more = own / ruled.share if ruled.share > 0 else 1.0 if own == 0 else -own
        facts.granted[name] = 1.0 if abs(more - 1.0) <= SAME else more
        _sum_up(facts, due.order)
        if abs(facts.granted[name] - 1.0) > CUT and record.cause == Cause.CUTS:
            facts.note(Cause.CUTS, due.order.key[0], record.client_id)
    return facts.granted.get(name, 1.0)


def _sum_up(facts: Facts, order: Ordered) -> None:
    """What an order got in all of its fills, of what the rules gave at the first."""
    record = order.record
    assert record is not None
    parts = [facts.granted.get((order.key, fill.entry)) for fill in record.fills]
    if not parts or any(part is None for part in parts):
        return
    first, whole = parts[0] or 1.0, sum(record.share(fill) for fill in record.fills)
    share = record.share(record.fills[0])
    facts.granted[(order.key, 0)] = first * whole / share if first > 0 and share and len(parts) > 1 else first


def by_rule(
    facts: Facts, world: World, due: Sequence[Due], row: int, present: Present, sessions: Sessions
) -> list[Ruled]:
    """What the rules give each order in a book."""
    if not due:
        return []
    opened, volume = sessions.open, sessions.volume
    if any(_is_elsewhere(facts, each, row) for each in due):
        opened, volume = opened.copy(), volume.copy()
        for each in due:
            opened[row, each.order.key[1]], volume[row, each.order.key[1]] = _open_of(facts, world, each, row)
    sequence = sorted(range(len(due)), key=lambda at: due[at].order.key[1])
    orders = [due[at].order for at in sequence]
    asked = [(order.units or 0.0) * float(present.factor[order.key[1]]) for order in orders]
    placed = Orders(
        [order.key[1] for order in orders],
        [order.key[2] for order in orders],
        asked,
        [order.money or 0.0 for order in orders],
        [order.least for order in orders],
    )
    nothing = np.zeros(len(sessions.changes_units), dtype=bool)
    terms = sessions._replace(open=opened, volume=volume, changes_units=nothing, pays_dividends=nothing)
    played = play_session(present.cash, present.units, present.unsettled, placed, row, terms)
    found = [Ruled(0.0, float("nan"), 0.0, False)] * len(due)
    for number, at in enumerate(sequence):
        units, price = float(played.fills.units[number]), float(played.fills.price[number])
        value, order = units * price if units > 0 else 0.0, orders[number]
        fees = float(played.fills.commission[number])
        share = units / order.units if order.units else (value + fees) / (order.money or 1.0)
        is_short = falls_short(Hindrance(int(played.fills.hindrance[number])))
        found[at] = Ruled(share, price, fees / value if value else 0.0, is_short)
    return found


def _price(facts: Facts, world: World, due: Due, amount: float, ruled: float, row: int, swaps: Cause | None) -> float:
    """The account's price, or what the rules make of an open: `ruled` where they have filled the order as it is."""
    value, units = sum(fill.units * fill.price for fill in due.fills), sum(fill.units for fill in due.fills)
    own = value / units if units else float("nan")
    if world.keeps(Cause.FILL_PRICES):
        if not world.swapped and facts.follows_market:
            _note_bars(facts, world, due, amount, own, row)
        if own == own:
            return own
    ruled = ruled if ruled == ruled else rule_price(facts, world, due, amount, row)
    if swaps == Cause.FILL_PRICES and own == own and differ(ruled, own):
        facts.note(Cause.FILL_PRICES, row, due.order.record.client_id if due.order.record else "")
    return ruled if ruled == ruled else own


def rule_price(facts: Facts, world: World, due: Due, amount: float, row: int) -> float:
    """The price that the spec's costs make of an open; NaN where there is none."""
    terms, place = facts.market(world).rules.sessions.terms, due.order.key[1]
    opened, volume = _open_of(facts, world, due, row)
    if not opened > 0:
        return float("nan")
    if due.order.units is not None:
        return sell_fill(amount, opened, volume, terms, place).price
    return buy_fill(amount, 0.0, 1.0, opened, volume, terms, place).price


def _is_elsewhere(facts: Facts, due: Due, row: int) -> bool:
    """Whether a coin fills at the open of another day than its session's."""
    market = facts.versions.newest
    return bool(market.rules.coins[due.order.key[1]]) and due.day != market.panel.sessions[row].date()


def _open_of(facts: Facts, world: World, due: Due, row: int) -> tuple[float, float]:
    """Open and volume at which an order fills; NaN where there is none."""
    market, place = facts.seen(row, world), due.order.key[1]
    if not _is_elsewhere(facts, due, row):
        return float(market.panel.open[row, place]), float(market.panel.volume[row, place])
    bar = market.bar(market.panel.symbols[place], pd.Timestamp(due.day))
    return (float("nan"), float("nan")) if bar is None else (float(bar["open"]), float(bar["volume"]))


def _note_bars(facts: Facts, world: World, due: Due, amount: float, price: float, row: int) -> None:
    """Find out whether the account filled at other bars than the newest."""
    close, newest = facts.recorded.closes.get(row), facts.versions.newest
    if close is None or close.content_hash == newest.snapshot.content_hash or row in facts.bars:
        return
    ruled = rule_price(facts, world, due, amount, row)
    if not differ(ruled, price) or facts.versions.of(close.content_hash) is None:
        return
    facts.bars[row] = close.content_hash
    if differ(rule_price(facts, world, due, amount, row), ruled):
        facts.note(close.content_hash, row, due.order.record.client_id if due.order.record else "")
    else:
        del facts.bars[row]
