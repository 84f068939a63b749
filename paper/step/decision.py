"""What is decided for a session: what the backtest would decide, given the account's units and cash."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np

from paper.broker import Intent, Side
from paper.ledger.records import Holdings
from paper.market import PaperMarket
from strategies.order_rules import SessionOrders, plan_orders

if TYPE_CHECKING:
    from backtests.engines.strategy_replay import Answer

REBALANCING = "rebalancing"
OWN_STRATEGY = "your strategy"
PLANNED_ANEW = "an order was open, cut or not filled"


@dataclass(frozen=True)
class Decision:
    """Targets and orders for one session.

    Attributes:
        session: decided for.
        decided_at: UTC; the stamp of its intents.
        market: name of the snapshot.
        content_hash: of the snapshot.
        regime: of the signal.
        score: of the signal; None where there is none yet.
        why: the book is brought to the targets; empty where it is left as it is.
        left_alone: symbols that it is not brought to them in, for orders of theirs are open.
        targets: weights by symbol; with a strategy of the user those that its orders come to at the prices known.
        prices: last ones known by symbol, US dollars; what has none has no entry.
        price_moves: largest change of each from one session to the next since the last decision, splits and dividends
            taken out.
        coins: those of the symbols that trade around the clock.
        units: held by symbol.
        cash: US dollars.
        equity: cash and units at `prices`, US dollars.
        newest_bars: date of the newest bar known, of ``stocks`` and of ``coins``.
        intents: the orders; none where the book is left as it is.
    """

    session: date
    decided_at: datetime
    market: str
    content_hash: str
    regime: str
    score: float | None
    why: str
    left_alone: tuple[str, ...]
    targets: Mapping[str, float]
    prices: Mapping[str, float]
    price_moves: Mapping[str, float]
    coins: frozenset[str]
    units: Mapping[str, float]
    cash: float
    equity: float
    newest_bars: Mapping[str, date]
    intents: tuple[Intent, ...]


def decide(
    market: PaperMarket,
    account: str,
    session: date,
    decided_at: datetime,
    held: Holdings,
    open_intents: Sequence[Intent],
    decided_before: date | None,
    moved_since: date | None,
    short: Collection[str],
    answer: "Answer | None" = None,
) -> Decision:
    """Take the decision for a session.

    An instrument with an open order is left alone. What an open buy promises counts as held already, so that it is
    neither spent twice nor missing from equity.

    Args:
        market: reaches the session.
        account: its name, the beginning of client ids.
        session: decided for.
        decided_at: UTC.
        held: cash and units of the account.
        open_intents: whose orders have not ended.
        decided_before: the last session that was decided for; a rebalancing that fell between is made up for.
        moved_since: the session from which on moves of prices count; None: that before the decision alone.
        short: symbols for which that decision was not carried out in full; without a rebalancing they alone are planned
            for anew.
        answer: of a strategy of the user, which decides in the place of the order rules; None where there is none.
    """
    row = market.row(session) - 1
    panel, symbols = market.panel, market.panel.symbols
    prices = panel.decision_price[row]
    units = np.array([held.units.get(symbol, 0.0) for symbol in symbols])
    targets = market.targets[row]
    values = np.where(units > 0, units * prices, 0.0)
    intents: tuple[Intent, ...] = ()
    if answer is None:
        undecided = 0 if decided_before is None else market.row(decided_before)
        waiting = [(symbols.index(each.symbol), each.money) for each in open_intents]
        why, orders = planned(
            market, row, units, held.cash, waiting, undecided, {symbols.index(symbol) for symbol in short}
        )
        left_alone = [each.symbol for each in open_intents] if why else []
        if orders is not None:
            intents = _intents(market, account, session, decided_at, prices, orders)
    else:
        why, left_alone = OWN_STRATEGY if answer.sent else "", list(answer.left_alone)
        sent = _orders_of(answer, symbols)
        intents = _intents(market, account, session, decided_at, prices, sent)
        equity = held.cash + float(values.sum())
        left = values + sent.buy_money - np.where(sent.sell_units > 0, sent.sell_units * prices, 0.0)
        targets = left / equity if equity > 0 else np.zeros(len(symbols))
    score = float(market.signal.score[panel.decides_for[row]])
    return Decision(
        session=session,
        decided_at=decided_at,
        market=market.snapshot.name,
        content_hash=market.snapshot.content_hash,
        regime=str(market.signal.regime[panel.decides_for[row]]),
        score=None if np.isnan(score) else score,
        why=why,
        left_alone=tuple(left_alone),
        targets=dict(zip(symbols, targets.tolist(), strict=True)),
        prices={symbol: price for symbol, price in zip(symbols, prices.tolist(), strict=True) if price > 0},
        price_moves=market.price_moves(session, moved_since),
        coins=frozenset(compress(symbols, market.rules.coins.tolist())),
        units=held.units,
        cash=held.cash,
        equity=held.cash + float(values.sum()),
        newest_bars=market.newest_bars(session),
        intents=intents,
    )


def planned(
    market: PaperMarket,
    row: int,
    units: np.ndarray,
    cash: float,
    waiting: Sequence[tuple[int, float | None]],
    undecided: int,
    short: Collection[int],
) -> tuple[str, SessionOrders | None]:
    """What the order rules make of the plan for a book.

    Args:
        market: reaches the session.
        row: of the decision.
        units: (m,) held.
        cash: US dollars.
        waiting: places of instruments with an open order, and the money that it promises; None for a sell.
        undecided: first row that was not decided yet; a rebalancing that fell between is made up for.
        short: places for which the last decision was not carried out in full.

    Returns:
        Why the book is brought to its targets, empty where it is left as it is; and the orders, None then.
    """
    prices, due = market.panel.decision_price[row], bool(market.rebalance[undecided : row + 1].any())
    why = REBALANCING if due else PLANNED_ANEW if short else ""
    if not why:
        return why, None
    # What is about to be closed out is left alone by the order rules.
    is_left = market.rules.stale[row] | ~(due | np.array([place in short for place in range(len(units))]))
    wanted = np.where(is_left, np.nan, market.targets[row])
    free_units, free_cash = units.copy(), cash
    for place, money in waiting:
        wanted[place] = np.nan
        if money is not None:
            free_units[place] += money / prices[place]
            free_cash -= money
    rules, terms = market.spec.order_rules.rules, market.rules.sessions.terms
    return why, plan_orders(free_units.tolist(), prices.tolist(), wanted.tolist(), terms, rules, free_cash)


def _orders_of(answer: "Answer", symbols: Sequence[str]) -> SessionOrders:
    nothing = np.zeros(len(symbols))
    orders = SessionOrders(nothing.copy(), nothing.copy(), nothing.copy(), nothing.astype(int))
    for each in answer.sent:
        place = symbols.index(each.symbol)
        orders.sell_units[place], orders.buy_money[place] = each.units or 0.0, each.money or 0.0
        orders.least[place] = each.least
    return orders


def client_id(account: str, session: date, symbol: str, side: Side) -> str:
    """The id under which a broker knows an order: letters, digits, - and _; the same for the same order, always."""
    # An instrument's symbol is plain but for dots, carets and the like: their code keeps two symbols apart.
    plain = re.sub(r"[^A-Za-z0-9-]", lambda match: f"_{ord(match[0]):x}_", symbol)
    return f"{account}-{session:%Y%m%d}-{plain}-{side}"


def _intents(
    market: PaperMarket,
    account: str,
    session: date,
    decided_at: datetime,
    prices: np.ndarray,
    orders: SessionOrders,
) -> tuple[Intent, ...]:
    """The orders as intents, in the order of the clock: coins before stocks, in each sells before buys."""
    intents = []
    sell_units, buy_money, least, _ = orders
    for place in np.flatnonzero((sell_units > 0) | (buy_money > 0)).tolist():
        symbol, sells = market.panel.symbols[place], bool(sell_units[place] > 0)
        side: Side = "sell" if sells else "buy"
        intents.append(
            Intent(
                client_id=client_id(account, session, symbol, side),
                session=session,
                symbol=symbol,
                side=side,
                is_coin=bool(market.rules.coins[place]),
                units=float(sell_units[place]) if sells else None,
                money=None if sells else float(buy_money[place]),
                least=0.0 if sells else float(least[place]),
                decision_price=float(prices[place]),
                written_at=decided_at,
            )
        )
    return tuple(sorted(intents, key=lambda intent: (not intent.is_coin, intent.side == "buy")))
