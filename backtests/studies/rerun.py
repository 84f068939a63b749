"""A finished run once more with something changed: the strategy alone, over the same sessions and prices."""

from typing import Any

import pandas as pd

from backtests.measures.performance import daily_bill_return, order_flows
from backtests.measures.run_measures import run_metrics
from backtests.run import Backtest, book_returns, run_plan
from backtests.spec.spec import Spec
from data.files.user_code import UserCallable
from signals.liquidity import LiquiditySignal
from strategies.policy import Plan


def rerun(
    run: Backtest, spec: Spec, signal: LiquiditySignal, plan: Plan, strategy: UserCallable | None
) -> tuple[pd.Series, dict[str, Any]]:
    """Run a plan through the event engine over the panel of a finished run.

    Args:
        run: finished.
        spec: the run's, or one that differs from it in costs.
        signal: behind the plan.
        plan: over the run's panel.
        strategy: of the user, in the place of the rotation.

    Returns:
        Daily returns of the strategy by session, fractions; and its measures by name, as `metrics.json` has them.

    Raises:
        InputError: see `backtests.run.run_plan`.
    """
    engine = run_plan(spec, run.snapshot, run.panel, plan, signal, strategy)
    returns = book_returns(engine, {}, spec.run.initial_cash)
    flows = order_flows(engine.orders, returns.index)
    bill = daily_bill_return(run.bill_yield)
    return returns["strategy"], run_metrics(engine, flows, {}, returns, signal.regime, bill)["strategy"]
