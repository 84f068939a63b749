"""`metrics.json`: the strategy and every baseline by the same measures, and the strategy by regime and by year."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd

from backtests.execution.result import EngineResult, LedgerResult
from backtests.measures.performance import by_regime, performance, trading


def run_metrics(
    engine: EngineResult,
    flows: pd.DataFrame,
    baselines: Mapping[str, LedgerResult],
    returns: pd.DataFrame,
    regime: pd.Series,
    risk_free: pd.Series,
) -> dict[str, Any]:
    """Measure a run.

    Args:
        engine: of the strategy.
        flows: the strategy's, see `backtests.measures.performance.order_flows`.
        baselines: by name.
        returns: by session, columns strategy and each baseline.
        regime: by session, covering those of the run.
        risk_free: daily, on the run's sessions.

    Returns:
        By name, the measures of `Performance` and `Trading` and the final equity in US dollars; then the strategy
        ``by_regime`` and every column of returns ``by_year`` (total return of the year's sessions).
    """
    books = {"strategy": (engine.equity["equity"], engine.equity["cash"], flows)} | {
        name: (ledger.equity, ledger.cash, pd.concat([ledger.traded, ledger.costs], axis=1))
        for name, ledger in baselines.items()
    }
    measured = {
        name: asdict(performance(returns[name], risk_free))
        | asdict(trading(book_flows, equity, equity - cash))
        | {"final_equity_usd": float(equity.iloc[-1])}
        for name, (equity, cash, book_flows) in books.items()
    }
    regimes = by_regime(returns["strategy"], regime.reindex(returns.index), risk_free)
    return {
        **measured,
        "by_regime": {name: asdict(measures) for name, measures in regimes.items()},
        "by_year": yearly_returns(returns),
    }


def yearly_returns(returns: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Total return of each calendar year's sessions, by year and column."""
    growth = (1.0 + returns).groupby(pd.DatetimeIndex(returns.index).year).prod() - 1.0
    return {str(year): {str(name): float(value) for name, value in row.items()} for year, row in growth.iterrows()}
