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
from backtests.engines.user_strategies import no_later_bar, refuse_cheating, refuse_settings
from backtests.execution.fill_rules import FillRules
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

    Raises:
        InputError: the strategy is none, or sends an order that is not offered.
        LookAheadError: the strategy reads a bar after that of its decision.
    """
    panel = fills.panel
    cerebro = bt.Cerebro(stdstats=False)
    earlier = pd.DatetimeIndex([]) if warmup is None else warmup.sessions
    # What a strategy of the user can reach is its own: the books are rebuilt from what it cannot.
    sessions = fills.sessions if strategy is None else deepcopy(fills.sessions)
    broker = SessionBroker(panel, sessions, len(earlier))
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
        _run_strategy(cerebro, strategy, len(earlier))
    (ran,) = cerebro.runstrats[0]
    unsent = ran.unsent if isinstance(ran, Rotation) else []
    return collect_result(panel, broker.log(ran.analyzers.recorder.rows, unsent), initial_cash)


def _run_strategy(cerebro: bt.Cerebro, strategy: Callable[..., bt.Strategy], warmup: int) -> None:
    """Run a strategy of the user on bars that are loaded one by one, so that a later one is not there to be read."""
    if not (isinstance(strategy, type) and issubclass(strategy, bt.Strategy)):
        raise InputError(f"got {strategy!r}, wanted a class derived from backtrader.Strategy")
    refuse_cheating(strategy, bt.Strategy)
    refuse_settings(cerebro.broker)
    cerebro.addstrategy(_asked_after(strategy, warmup) if warmup else strategy)
    with no_later_bar(cerebro.datas):
        cerebro.run(preload=False, runonce=False)


def _asked_after(strategy: type[bt.Strategy], warmup: int) -> type[bt.Strategy]:
    """The strategy, asked for its decisions after so many bars; before, its indicators alone see them."""

    class Asked(strategy):
        began = False

        def prenext(self) -> None:
            if len(self) > warmup:
                super().prenext()

        def nextstart(self) -> None:
            self.next()

        def next(self) -> None:
            if len(self) <= warmup:
                return
            if self.began:
                super().next()
            else:
                self.began = True
                super().nextstart()

    Asked.__name__, Asked.__qualname__ = strategy.__name__, strategy.__qualname__
    return Asked
