"""The decisions of a replay: by the order rules over its own book, and what the account's decisions had besides."""

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from paper.explain.causes import Cause
from paper.explain.facts import Facts, Key, Ordered, World, differ
from paper.explain.recorded import OrderKey, RecordedDecision
from paper.market import PaperMarket
from paper.step.decision import planned

Made = tuple[str, dict[OrderKey, Ordered]]
"""Why the book is brought to its targets, and the orders."""


def decided(
    facts: Facts,
    world: World,
    row: int,
    units: np.ndarray,
    cash: float,
    waiting: Sequence[tuple[int, float | None]],
    undecided: int,
    short: Collection[int],
) -> Made:
    """The decision of a replay for the session of a row; arguments as for `paper.step.decision.planned`."""

    def made_on(market: PaperMarket) -> Made:
        why, orders = planned(market, row - 1, units, cash, waiting, undecided, short)
        if orders is None:
            return why, {}
        found = {}
        for place in np.flatnonzero((orders.sell_units > 0) | (orders.buy_money > 0)).tolist():
            sells = bool(orders.sell_units[place] > 0)
            key = (row, place, sells)
            sell, buy = float(orders.sell_units[place]), float(orders.buy_money[place])
            least = 0.0 if sells else float(orders.least[place])
            record = facts.recorded.orders.get(key)
            found[key] = Ordered(key, sell if sells else None, None if sells else buy, least, record)
        return why, found

    then = facts.recorded.decisions.get(row)
    if not world.swapped and then is not None:
        return _as_taken(facts, then, made_on, units, cash)
    market = facts.deciding(row, world)
    why, orders = made_on(market)
    key, more = facts.corrections.get(row, (Cause.CODE, None))
    if more is not None and world.keeps(key):
        orders = _corrected(facts, row, orders, more, units, cash, market)
    return why, orders


def _as_taken(
    facts: Facts, then: RecordedDecision, made_on: Callable[[PaperMarket], Made], units: np.ndarray, cash: float
) -> Made:
    """The decision as it was taken; what of it the markets do not give is noted with its cause."""
    newest, row = facts.versions.newest, then.row
    taken = {key: Ordered(key, order.units, order.money, order.least, order) for key, order in then.orders.items()}
    market = newest
    cause: Key = Cause.CODE
    made = made_on(newest)
    is_same = _is_same(then, taken, made[1], newest, row)
    content_hash = then.record.content_hash
    if content_hash != newest.snapshot.content_hash and not (is_same and _same_prices(then, newest, units, cash)):
        older = facts.versions.of(content_hash)
        if older is None:
            cause = content_hash
        else:
            facts.decided_on[row], market = content_hash, older
            made = made_on(older)
            is_same = _is_same(then, taken, made[1], older, row)
    if not is_same:
        prices, equity = market.panel.decision_price[row - 1], _equity(market, row, units, cash)
        more = _signed(taken, prices) - _signed(made[1], prices)
        facts.corrections[row] = (cause, more / equity if equity > 0 else np.zeros(len(units)))
        facts.note(cause, row)
        for order in then.orders.values():
            facts.note(cause, row, order.client_id)
    why = then.record.why
    return why, taken


def _is_same(
    then: RecordedDecision,
    taken: Mapping[OrderKey, Ordered],
    made: Mapping[OrderKey, Ordered],
    market: PaperMarket,
    row: int,
) -> bool:
    targets = market.targets[row - 1].tolist()
    wanted = [then.record.targets.get(symbol, 0.0) for symbol in market.panel.symbols]
    return (
        set(taken) == set(made)
        and not any(differ(taken[key].amount, made[key].amount) for key in taken)
        and not any(differ(one, other, 1.0) for one, other in zip(targets, wanted, strict=True))
    )


def _same_prices(then: RecordedDecision, market: PaperMarket, units: np.ndarray, cash: float) -> bool:
    return not differ(then.record.equity, _equity(market, then.row, units, cash))


def _equity(market: PaperMarket, row: int, units: np.ndarray, cash: float) -> float:
    return cash + float(np.where(units > 0, units * market.panel.decision_price[row - 1], 0.0).sum())


def _signed(orders: Mapping[OrderKey, Ordered], prices: np.ndarray) -> np.ndarray:
    """(m,) US dollars that orders buy for; below 0 that they sell."""
    signed = np.zeros(len(prices))
    for (_, place, sells), order in orders.items():
        price = float(prices[place]) if prices[place] > 0 else 0.0
        signed[place] += -(order.units or 0.0) * price if sells else order.money or 0.0
    return signed


def _corrected(
    facts: Facts,
    row: int,
    orders: dict[OrderKey, Ordered],
    more: np.ndarray,
    units: np.ndarray,
    cash: float,
    market: PaperMarket,
) -> dict[OrderKey, Ordered]:
    """Orders with what the account's decision had more of, as the same share of equity."""
    prices, found = market.panel.decision_price[row - 1], dict(orders)
    equity = _equity(market, row, units, cash)
    signed = _signed(orders, prices)
    for place in np.flatnonzero(more).tolist():
        wanted = float(signed[place] + more[place] * equity)
        found.pop((row, place, True), None)
        found.pop((row, place, False), None)
        price = float(prices[place])
        if abs(wanted) <= 1e-12 * equity or not price > 0:
            continue
        key = (row, place, wanted < 0)
        record = facts.recorded.orders.get(key)
        least = 0.0 if wanted < 0 or record is None else record.least
        sold = min(-wanted / price, float(units[place]))
        found[key] = Ordered(key, sold if wanted < 0 else None, None if wanted < 0 else wanted, least, record)
    return found
