"""A finished run once more with something changed: the strategy alone, over the same sessions and prices."""

import pandas as pd

from backtests.measures.performance import order_flows
from backtests.measures.run_measures import PortfolioMeasures, portfolio_measures
from backtests.prepare.prepared import Prepared
from backtests.run import book_returns, play
from data.files.user_world import unheard


def rerun(prepared: Prepared) -> tuple[pd.Series, PortfolioMeasures]:
    """Run what is left of a finished run's preparation after a change through the event engine.

    Args:
        prepared: of the run, with another signal or other costs.

    Returns:
        Daily returns of the strategy by session, fractions; and its measures.

    Raises:
        InputError: see `backtests.run.play`.
    """
    with unheard():
        engine = play(prepared)
    returns = book_returns(engine, {}, prepared.spec.run.initial_cash)["strategy"]
    flows = order_flows(engine.orders, returns.index)
    risk_free = prepared.risk_free.loc[returns.index]
    equity, reserve = engine.equity["equity"], prepared.spec.universe.reserve
    return returns, portfolio_measures(equity, engine.holdings, flows, returns, risk_free, reserve)
