"""A strategy of the user in the event engine, its books rebuilt; and tried, before it trades on paper."""

from collections.abc import Callable
from functools import partial

import pandas as pd

from backtests.audit.rebuilt import require_rebuilt
from backtests.engines.event_broker import SessionBroker
from backtests.engines.event_engine import run_event_engine
from backtests.engines.told_broker import TryingBroker
from backtests.execution.fill_rules import FillRules
from backtests.execution.records import Sessions
from backtests.execution.result import EngineResult
from data.errors import InputError
from data.files.user_code import UserCallable, user_faults
from data.files.user_world import unheard
from data.prices.panel import Panel
from strategies.order_rules import OrderRulesConfig
from strategies.policy import Plan

MakeBroker = Callable[[Panel, Sessions, int], SessionBroker]


def run_user_strategy(
    user: UserCallable,
    fills: FillRules,
    plan: Plan,
    rules: OrderRulesConfig,
    initial_cash: float,
    score: pd.Series,
    warmup: Panel | None,
    make_broker: MakeBroker = SessionBroker,
) -> EngineResult:
    """Run a strategy of the user; arguments beside it as for `backtests.engines.event_engine.run_event_engine`.

    Raises:
        InputError: what the strategy raises, or an order of it that is not offered.
        LookAheadError: it reads a later bar.
        BooksError: its equity is not what its orders come to.
    """
    with user_faults(user.file.path):
        engine = run_event_engine(fills, plan, rules, initial_cash, user.load(), score, warmup, make_broker)
    require_rebuilt(engine, fills, initial_cash, f"{user.file.path.name}:{user.name}")
    return engine


def try_user_strategy(
    user: UserCallable,
    fills: FillRules,
    plan: Plan,
    rules: OrderRulesConfig,
    initial_cash: float,
    score: pd.Series,
    warmup: Panel | None,
) -> None:
    """Refuse a strategy that could not be traded on paper, by what it does in these sessions.

    Raises:
        InputError: it sends what paper cannot carry out, or decides otherwise when it is asked again.
    """
    brokers: list[TryingBroker] = []

    def make_broker(panel: Panel, sessions: Sessions, bars: int) -> TryingBroker:
        brokers.append(TryingBroker(panel, sessions, bars, user.file.path))
        return brokers[-1]

    run = partial(run_user_strategy, user, fills, plan, rules, initial_cash, score, warmup, make_broker)
    with unheard():
        decided, again = (run().decided for _ in range(2))
    # An order for what has no price yet is for no number of units.
    differs = (decided != again) & ~(decided.isna() & again.isna())
    if differs.any(axis=None):
        session = decided.index[differs.any(axis=1)][0]
        symbol = str(differs.columns[differs.loc[session]][0])
        row = int(decided.index.searchsorted(session))
        line = next((each.lines[row, symbol] for each in brokers if (row, symbol) in each.lines), None)
        where = f"{user.file.path}, line {line}" if line else str(user.file.path)
        raise InputError(
            f"{where}: asked twice, it orders {decided.loc[session, symbol]:g} units of {symbol} for "
            f"{session.date()}, and {again.loc[session, symbol]:g}; on paper it is asked anew at every step, so let "
            "its orders follow from bars, lines and its own book alone, not from time, chance, files or the network"
        )
