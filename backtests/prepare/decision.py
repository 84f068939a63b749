"""What one session's decision wants of an account that holds nothing but cash."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.prepare.prepared import prepare
from backtests.prepare.span import Span
from backtests.spec.spec import Spec
from data.clock import previous_session
from data.market.snapshot import Snapshot
from signals.liquidity import LiquiditySignal
from strategies.order_rules import plan_orders


@dataclass(frozen=True)
class Decision:
    """Targets and orders for one session.

    Attributes:
        targets: weights by symbol.
        buy_money: US dollars to spend by symbol, costs included, from an account of the spec's initial cash; NaN
            throughout where a strategy of the user decides on the orders, which it does in a run alone.
    """

    targets: pd.Series
    buy_money: pd.Series


def decide_from_cash(spec: Spec, snapshot: Snapshot, signal: LiquiditySignal, session: pd.Timestamp) -> Decision:
    """Take the decision for a session with the spec's initial cash and no holdings.

    Args:
        spec: universe, policy, order rules, costs.
        snapshot: prices.
        signal: reaches `session`.
        session: decided for.
    """
    # Calendar days enough for the sessions without a bar after which nothing is held any more.
    first = session - pd.Timedelta(days=2 * spec.order_rules.stale_sessions + 7)
    if spec.policy.function is not None:
        # How far a policy of the user looks back is not known: it gets what a run that goes so far gives it.
        first = min(first, pd.Timestamp(spec.run.start))
    prepared = prepare(spec, snapshot, Span(first, previous_session(session)), signal=signal)
    symbols = list(prepared.spec.universe.symbols)
    targets = prepared.plan.targets[symbols].iloc[-1]
    orders = plan_orders(
        held=np.zeros(len(symbols)),
        prices=prepared.panel.decision_price[-1],
        targets=targets.to_numpy(),
        terms=prepared.rules.sessions.terms,
        rules=spec.order_rules.rules,
        cash=spec.run.initial_cash,
    )
    money = orders.buy_money if spec.run.strategy is None else np.full(len(symbols), np.nan)
    return Decision(targets, pd.Series(money, index=symbols))
