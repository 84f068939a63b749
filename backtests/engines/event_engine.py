"""The event engine: Backtrader, which is the truth.

A feed hands it the session clock's rows; a broker fills them by `backtests.execution.session` and books them by
Backtrader's own arithmetic. `backtests.engines.ledger` fills by the same rules, and is checked against this.
"""

from collections.abc import Callable
from copy import deepcopy

import backtrader as bt
import numpy as np
import pandas as pd

from backtests.engines.event_broker import SessionBroker, TermsCommission
from backtests.engines.event_feed import SessionFeed, feed_columns
from backtests.engines.user_strategies import asked_when, no_later_bar, refuse_cheating, refuse_settings
from backtests.execution.fill_rules import FillRules
from backtests.execution.records import Sessions
from backtests.execution.result import EngineResult, collect_result
from data.errors import InputError
from data.prices.panel import Panel
from strategies.order_rules import OrderRulesConfig
from strategies.policy import Plan
from strategies.rotation import Rotation


class _Recorder(bt.Analyzer):
    """Equity, cash and units at every session's close."""

    def start(self) -> None:
        self.rows: list[tuple[float, float, list[float]]] = []

    def next(self) -> None:
        """Note the book at a session of the run."""
        broker = self.strategy.broker
        if broker.row < 0:
            return
        self.rows.append((broker.get_value(), broker.get_cash(), broker.units))


def run_event_engine(
    fills: FillRules,
    plan: Plan,
    rules: OrderRulesConfig,
    initial_cash: float,
    strategy: Callable[..., bt.Strategy] | None = None,
    score: pd.Series | None = None,
    warmup: Panel | None = None,
    make_broker: Callable[[Panel, Sessions, int], SessionBroker] = SessionBroker,
) -> EngineResult:
    """Run a plan through Backtrader.

    Args:
        fills: rules of filling, with the panel of prices; its first session carries the first decision alone.
        plan: by session decided for; its columns hold the panel's symbols.
        rules: band, minimum order.
        initial_cash: US dollars.
        strategy: of a user, in the place of the rotation; the plan then is only something that it may read.
        score: of the signal by session decided for, from the warm-up on; for a strategy of a user.
        warmup: sessions before the panel's, whose bars a strategy of a user may look back on; None for none.
        make_broker: makes the broker that plays the sessions.

    Raises:
        InputError: the strategy is none, or sends an order that is not offered.
        LookAheadError: the strategy reads a bar after that of its decision.
    """
    panel = fills.panel
    cerebro = bt.Cerebro(stdstats=False)
    earlier = pd.DatetimeIndex([]) if warmup is None else warmup.sessions
    # What a strategy of the user can reach is its own: the books are rebuilt from what it cannot.
    sessions = fills.sessions if strategy is None else deepcopy(fills.sessions)
    broker = make_broker(panel, sessions, len(earlier))
    broker.set_cash(initial_cash)
    cerebro.setbroker(broker)
    times = np.array([bt.date2num(session) for session in [*earlier, *panel.sessions]])
    for place, symbol in enumerate(panel.symbols):
        columns = {"datetime": times, **feed_columns(fills, plan, place, score, warmup)}
        cerebro.adddata(SessionFeed(columns=columns), name=symbol)
        broker.addcommissioninfo(TermsCommission(terms=sessions.terms, place=place), name=symbol)
    cerebro.addanalyzer(_Recorder, _name="recorder")
    if strategy is None:
        cerebro.addstrategy(Rotation, rules=rules.rules, terms=fills.sessions.terms)
        cerebro.run()
    else:
        run_strategy(cerebro, strategy, lambda bar: bar > len(earlier))
    (ran,) = cerebro.runstrats[0]
    unsent = ran.unsent if isinstance(ran, Rotation) else []
    return collect_result(panel, broker.log(ran.analyzers.recorder.rows, unsent), initial_cash)


def run_strategy(cerebro: bt.Cerebro, strategy: Callable[..., bt.Strategy], is_asked: Callable[[int], bool]) -> None:
    """Run a strategy of the user on bars that are loaded one by one, so that a later one is not there to be read.

    Args:
        cerebro: with feeds and broker.
        strategy: of the user.
        is_asked: whether it decides at a bar, of which this is the number, from 1; its indicators see all of them.

    Raises:
        InputError: it is none, or sends an order that is not offered.
        LookAheadError: it reads a later bar.
    """
    if not (isinstance(strategy, type) and issubclass(strategy, bt.Strategy)):
        raise InputError(f"got {strategy!r}, wanted a class derived from backtrader.Strategy")
    refuse_cheating(strategy, bt.Strategy)
    refuse_settings(cerebro.broker)
    cerebro.addstrategy(asked_when(strategy, is_asked))
    with no_later_bar(cerebro.datas):
        cerebro.run(preload=False, runonce=False)
