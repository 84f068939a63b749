"""A strategy of the user on paper: what it may not do, and what it decides, asked again over all it has seen."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd

from backtests.audit.paper_lines import require_paper_lines
from backtests.engines.strategy_replay import Answer, Bars, ask_strategy, bars_of
from backtests.engines.strategy_run import try_user_strategy
from backtests.engines.told_broker import Booked, Ended, Past, Sent
from backtests.prepare.prepared import prepare
from backtests.prepare.span import Span
from data.clock import FIRST_DAY, previous_session, sessions_between
from data.files.user_code import UserCallable
from paper.ledger.reader import LedgerReader, fell_short
from paper.ledger.records import News, SeenBar
from paper.market import PaperMarket
from strategies.fills import OrderStatus
from strategies.policy import Plan

# Sessions before an account's first that a strategy is tried on.
TRIED = 252


def require_paper_strategy(market: PaperMarket, session: date) -> None:
    """Refuse a strategy that cannot be traded on paper: by its lines, and by what it does in the year before.

    Args:
        market: of the account.
        session: its first.

    Raises:
        InputError: names the file, the line and why.
    """
    user = market.strategy
    if user is None:
        return
    require_paper_lines(user)
    last = previous_session(pd.Timestamp(session))
    oldest = market.snapshot.bars_of(market.spec.universe.benchmark)["date"].min()
    days = sessions_between(max(oldest + pd.Timedelta(days=1), FIRST_DAY), last)[-TRIED:]
    if len(days) < 2:
        return
    extensions = market.prepared.extensions
    tried = prepare(market.spec, market.snapshot, Span(days[1], last), extensions, market.signal)
    terms = (tried.rules, tried.plan, tried.spec.order_rules, tried.spec.run.initial_cash)
    try_user_strategy(user, *terms, tried.score, tried.warmup)


def ask(
    market: PaperMarket, ledger: LedgerReader, session: date, decided_before: date | None
) -> tuple[Answer, list[SeenBar]]:
    """Ask the account's strategy for its decision.

    It sees what it saw at the decisions before, whatever the market says of these sessions now, and the bars since.

    Args:
        market: reaches the session.
        ledger: of the account, which is open.
        session: decided for.
        decided_before: the last session that was decided for.

    Returns:
        The answer, and the bars that it saw first for it.

    Raises:
        InputError: what the strategy raises, or an order of it that cannot be traded on paper.
        LookAheadError: it reads a later bar.
    """
    user, seen = market.strategy, ledger.seen_bars()
    assert user is not None
    fresh = _bars_upto(market, session, decided_before)
    if seen:
        fresh = fresh.after(pd.Timestamp(seen[-1].session))
    code, known = code_of(user), (ledger.last_entry(), ledger.last_state())
    new = [
        SeenBar(day.date(), session if row + 1 == len(fresh.sessions) else None, *known, code, fresh.of(row))
        for row, day in enumerate(fresh.sessions)
    ]
    answer = _asked(user, market, ledger, [*seen, *new])
    return answer, new


def asked_again(market: PaperMarket, ledger: LedgerReader) -> Answer:
    """Ask the account's strategy for the decision that it took last; see `ask`."""
    user = market.strategy
    assert user is not None
    return _asked(user, market, ledger, ledger.seen_bars())


def difference_words(answer: Answer, ledger: LedgerReader, user: UserCallable) -> str:
    """Why an account halts whose strategy does not decide now as it did."""
    decided = [bar for bar in ledger.seen_bars() if bar.decided_for is not None]
    at = decided[answer.differs_at]
    changed = next((bar for bar in decided if bar.code != code_of(user)), None)
    cause = (
        f"its file was changed after the decision for {changed.decided_for}"
        if changed is not None
        else "it follows from more than bars, lines and its own book, or a package was changed"
    )
    return (
        f"the strategy does not decide as it did for {at.decided_for}: {answer.differs}; {cause}: put back what it "
        "was, or choose another account.name"
    )


def code_of(user: UserCallable) -> str:
    """The hash of a strategy's file."""
    return hashlib.sha256(user.file.content).hexdigest()


def _bars_upto(market: PaperMarket, session: date, decided_before: date | None) -> Bars:
    """What there is to be seen at a decision; a rebalancing that fell between the last one and it is made up for."""
    prepared, row = market.prepared, market.row(session) - 1
    cut = prepared.upto(pd.Timestamp(session))
    rebalance = cut.plan.rebalance.copy()
    undecided = 0 if decided_before is None else market.row(decided_before)
    rebalance.iloc[row] = rebalance.iloc[undecided:].any()
    warmup = prepared.warmup
    before = 0 if warmup is None else len(warmup.sessions)
    return bars_of(cut.rules, Plan(cut.plan.targets, rebalance), prepared.score.iloc[: before + row + 1], warmup)


def _asked(user: UserCallable, market: PaperMarket, ledger: LedgerReader, seen: Sequence[SeenBar]) -> Answer:
    first = next(row for row, bar in enumerate(seen) if bar.decided_for is not None)
    symbols = market.panel.symbols
    values = {symbol: np.array([bar.bars[symbol] for bar in seen], dtype=float) for symbol in symbols}
    bars = Bars(pd.DatetimeIndex([pd.Timestamp(bar.session) for bar in seen]), values)
    past = _past(ledger, seen, first)
    return ask_strategy(user, bars, first, past, market.rules.sessions.terms, ledger.deposited())


def _past(ledger: LedgerReader, seen: Sequence[SeenBar], first: int) -> dict[int, Past]:
    """What was known and decided, by number of the bar from the first decision's on; the last one is to be decided."""
    rows: dict[date | None, int] = {}
    rows |= {bar.decided_for: row - first for row, bar in enumerate(seen) if bar.decided_for is not None}
    news = ledger.news()
    sent: dict[date, list[Sent]] = {}
    for each in ledger.intents():
        sent.setdefault(each.session, []).append(Sent(each.symbol, each.units, each.money, each.least))
    past, entry, state = {}, 0, 0
    last = seen[-1].decided_for
    for bar in seen:
        if bar.decided_for is None:
            continue
        told = [
            _told(each, rows)
            for each in news
            if (state < each.number <= bar.last_state if each.status else entry < each.number <= bar.last_entry)
        ]
        entry, state = bar.last_entry, bar.last_state
        decided = None if bar.decided_for == last else sent.get(bar.decided_for, [])
        past[rows[bar.decided_for]] = Past(told, decided)
    return past


def _told(each: News, rows: Mapping[date | None, int]) -> Booked | Ended:
    order = rows.get(each.session)
    if each.status is not None and order is not None:
        short = fell_short(each.status, each.reason)
        return Ended(order, each.symbol, each.status == OrderStatus.REJECTED, bool(each.reason), short)
    return Booked(order, each.symbol, each.units, each.price or 0.0, each.fees, each.cash_after, each.units_after)
