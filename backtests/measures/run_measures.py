"""The measures of a run: strategy and baselines by the same ones, and the strategy by regime and by year."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import pandas as pd

from backtests.execution.result import EngineResult, LedgerResult
from backtests.measures.performance import (
    Performance,
    RegimePerformance,
    Trading,
    by_regime,
    performance,
    trading,
)


@dataclass(frozen=True)
class PortfolioMeasures(Trading, Performance):
    """How a portfolio did and what it traded, see `Performance` and `Trading`.

    Attributes:
        final_equity_usd: at the close of the last session, US dollars.
    """

    final_equity_usd: float


@dataclass(frozen=True)
class RunMeasures:
    """The numbers of a run.

    Attributes:
        portfolios: measures of the strategy and of each baseline, by name; the strategy stands first.
        by_regime: the strategy's sessions of each regime, by its name.
        by_year: total return of each calendar year's sessions, by year and portfolio.
    """

    portfolios: Mapping[str, PortfolioMeasures]
    by_regime: Mapping[str, RegimePerformance]
    by_year: Mapping[str, Mapping[str, float]]

    @property
    def strategy(self) -> PortfolioMeasures:
        """Those of the strategy."""
        return self.portfolios["strategy"]


def run_measures(
    engine: EngineResult,
    flows: pd.DataFrame,
    baselines: Mapping[str, LedgerResult],
    returns: pd.DataFrame,
    regime: pd.Series,
    risk_free: pd.Series,
    reserve: Sequence[str],
) -> RunMeasures:
    """Measure a run.

    Args:
        engine: of the strategy.
        flows: the strategy's, see `backtests.measures.performance.order_flows`.
        baselines: by name.
        returns: by session, columns strategy and each baseline.
        regime: by session, covering those of the run.
        risk_free: daily, on the run's sessions.
        reserve: the universe's instruments that stand in for cash.
    """
    own = portfolio_measures(engine.equity["equity"], engine.holdings, flows, returns["strategy"], risk_free, reserve)
    others = {
        name: portfolio_measures(ledger.equity, ledger.holdings, _flows(ledger), returns[name], risk_free, reserve)
        for name, ledger in baselines.items()
    }
    return RunMeasures(
        portfolios={"strategy": own, **others},
        by_regime=by_regime(returns["strategy"], regime.reindex(returns.index), risk_free),
        by_year=yearly_returns(returns),
    )


def portfolio_measures(
    equity: pd.Series,
    holdings: pd.DataFrame,
    flows: pd.DataFrame,
    returns: pd.Series,
    risk_free: pd.Series,
    reserve: Sequence[str],
) -> PortfolioMeasures:
    """Measure one portfolio, every argument by session of the run.

    Args:
        equity: at the close, US dollars.
        holdings: at the close, US dollars by instrument.
        flows: columns traded and costs, US dollars.
        returns: fractions.
        risk_free: daily returns, fractions.
        reserve: the instruments that stand in for cash.
    """
    return PortfolioMeasures(
        **asdict(performance(returns, risk_free)),
        **asdict(trading(flows, equity, holdings, reserve)),
        final_equity_usd=float(equity.iloc[-1]),
    )


def yearly_returns(returns: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Total return of each calendar year's sessions, by year and column."""
    growth = (1.0 + returns).groupby(pd.DatetimeIndex(returns.index).year).prod() - 1.0
    return {str(year): {str(name): float(value) for name, value in row.items()} for year, row in growth.iterrows()}


def _flows(ledger: LedgerResult) -> pd.DataFrame:
    return pd.concat([ledger.traded, ledger.costs], axis=1)
