"""One rule for the 3-month bill: what idle cash earns by it is no better than what ratios are over."""

import numpy as np
import pandas as pd
import pytest

from backtests.measures.performance import performance
from backtests.run import run_backtest
from backtests.spec.cash import CashConfig, bill_returns, interest_rates
from backtests.spec.spec import load_spec

# A Thursday, a Friday, the Monday and the Tuesday after.
DAYS = pd.DatetimeIndex(["2024-04-04", "2024-04-05", "2024-04-08", "2024-04-09"])


def yields(*percents):
    return pd.Series(percents, DAYS, dtype="float64")


def test_simple_interest_by_the_nights_before_each_session():
    """At 3.65% a dollar earns a hundredth of a cent a night, and three of them over a weekend."""
    assert bill_returns(yields(3.65, 3.65, 3.65, 3.65)).tolist() == pytest.approx([0.0, 1e-4, 3e-4, 1e-4], rel=1e-12)


def test_a_year_of_nights_brings_a_year_s_yield():
    days = pd.bdate_range("2022-12-30", "2023-12-29")
    assert bill_returns(pd.Series(5.0, days)).sum() == pytest.approx(0.05 * 364 / 365, rel=1e-12)


def test_what_is_not_known_or_negative_brings_nothing():
    assert bill_returns(yields(1.0, np.nan, -0.05, 7.3)).tolist() == pytest.approx([0.0, 0.0, 0.0, 2e-4], rel=1e-12)


def test_the_spread_is_taken_from_the_interest_alone():
    config = CashConfig(interest="bill", spread_bp=35.0)
    assert interest_rates(config, yields(4.0, 4.0, 0.2, 4.0)).tolist() == pytest.approx(
        [0.0, 1e-4, 0.0, 1e-4], rel=1e-9
    )
    assert interest_rates(CashConfig(), yields(4.0, 4.0, 4.0, 4.0)).tolist() == [0.0] * 4


@pytest.mark.parametrize("market", ["sample", "history"])
def test_cash_at_the_bill_s_interest_has_no_sharpe_ratio(market, request):
    """Everything idle for years: the returns are the bill's own, whatever day count they have."""
    if market == "history":
        request.applymarker(pytest.mark.real_history)
    nothing = {"speculative": 0.0, "cash_flow": 0.0, "reserve": 0.0}
    idle = {f"policy.budgets.{name}": nothing for name in ("ABUNDANT", "NEUTRAL", "SCARCE")}
    days = {"run.start": "2022-01-03", "run.end": "2024-06-28", "cash.interest": "bill"}
    run = run_backtest(load_spec(market, idle | days), request.getfixturevalue(market))
    strategy = run.measures.strategy
    assert strategy.final_equity_usd > 104_000
    assert (strategy.sharpe, strategy.sortino) == (None, None)
    assert strategy.volatility > 0
    np.testing.assert_allclose(run.returns["strategy"], run.risk_free, rtol=0, atol=1e-15)


def test_half_the_interest_is_worse_than_the_bill():
    days = pd.bdate_range("2020-01-02", "2023-12-29")
    percent = pd.Series(np.linspace(1.0, 5.0, len(days)), days)
    earned = pd.Series(interest_rates(CashConfig(interest="bill", spread_bp=50.0), percent), days)
    assert performance(earned, bill_returns(percent)).sharpe < 0
