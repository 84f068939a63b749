"""A strategy of the user on paper: asked again, at every step, over all that its account has seen and was told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import backtrader as bt
import numpy as np
import pandas as pd

from backtests.engines.event_broker import TermsCommission
from backtests.engines.event_engine import run_strategy
from backtests.engines.event_feed import SessionFeed, feed_columns
from backtests.engines.told_broker import Past, Sent, ToldBroker
from backtests.execution.fill_rules import FillRules
from data.errors import InputError
from data.files.user_code import UserCallable, user_faults
from data.files.user_world import hear, unheard
from data.prices.panel import Panel
from strategies.policy import Plan
from strategies.trade_terms import TradeTerms

LINES = ("open", "high", "low", "close", "volume", "decision_price", "target", "rebalance", "score")
"""Of a feed: what a strategy sees of an instrument at a session."""


@dataclass(frozen=True)
class Bars:
    """What a strategy sees, by session, in order.

    Attributes:
        sessions: of the bars.
        values: by symbol, of shape (n, len(LINES)).
    """

    sessions: pd.DatetimeIndex
    values: Mapping[str, np.ndarray]

    def after(self, session: pd.Timestamp) -> "Bars":
        """The bars of the sessions after one."""
        first = int(self.sessions.searchsorted(session, side="right"))
        return Bars(self.sessions[first:], {symbol: each[first:] for symbol, each in self.values.items()})

    def of(self, row: int) -> dict[str, tuple[float, ...]]:
        """The bars of one session by symbol."""
        return {symbol: tuple(each[row].tolist()) for symbol, each in self.values.items()}


def bars_of(fills: FillRules, plan: Plan, score: pd.Series, warmup: Panel | None) -> Bars:
    """Lay out what a strategy sees; arguments as for `backtests.engines.event_engine.run_event_engine`."""
    panel = fills.panel
    earlier = [] if warmup is None else [*warmup.sessions]
    sessions = pd.DatetimeIndex([*earlier, *panel.sessions])
    values = {}
    for place, symbol in enumerate(panel.symbols):
        columns = feed_columns(fills, plan, place, score, warmup)
        values[symbol] = np.column_stack([columns[name] for name in LINES])
    return Bars(sessions, values)


@dataclass(frozen=True)
class Answer:
    """What a strategy decides.

    Attributes:
        sent: orders for the session to come, in the order of the instruments.
        left_alone: symbols that it wants to trade, but of which an order is open or no price known.
        differs: why it does not decide now as it did in the past; empty where it does.
        differs_at: number of the decision, from 0, at which it does not.
    """

    sent: Sequence[Sent] = ()
    left_alone: Sequence[str] = ()
    differs: str = ""
    differs_at: int = 0


def ask_strategy(
    user: UserCallable, bars: Bars, first_row: int, past: Mapping[int, Past], terms: TradeTerms, cash: float
) -> Answer:
    """Ask a strategy for its decision at the last bar.

    It begins anew, sees every bar, decides where its account did, and hears what its account was told.

    Args:
        user: the strategy.
        bars: all that the account has seen, and the last one.
        first_row: number of the bar, from 0, at which the account took its first decision.
        past: what was known, and decided, by number of the bar from there; the last bar's is the decision to take.
        terms: costs and limits of the instruments, in lists.
        cash: US dollars that the account began with.

    Raises:
        InputError: what the strategy raises, or an order of it that cannot be traded on paper.
        LookAheadError: it reads a later bar.
    """
    path, last = user.file.path, len(bars.sessions)
    cerebro = bt.Cerebro(stdstats=False)
    broker = ToldBroker(tuple(bars.values), first_row, past, path)
    broker.set_cash(cash)
    cerebro.setbroker(broker)
    columns = {"datetime": np.array([bt.date2num(session) for session in bars.sessions])}
    columns["openinterest"] = np.zeros(last)
    for place, (symbol, values) in enumerate(bars.values.items()):
        lines = {name: values[:, number].copy() for number, name in enumerate(LINES)}
        cerebro.adddata(SessionFeed(columns=columns | lines), name=symbol)
        broker.addcommissioninfo(TermsCommission(terms=terms, place=place), name=symbol)

    def is_asked(bar: int) -> bool:
        if bar == last:
            hear()
        return broker.is_asked(bar)

    with unheard(), user_faults(path):
        run_strategy(cerebro, user.load(), is_asked)
        if (seen := len(cerebro.datas[0])) < last:
            raise InputError(f"ended at the bar of {bars.sessions[seen - 1].date()}, wanted a decision at every bar")
    if broker.differs:
        return Answer(differs=broker.differs, differs_at=sorted(past).index(broker.differs_row))
    return Answer(broker.sendable(), broker.left_alone)
