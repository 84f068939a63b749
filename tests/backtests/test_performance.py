"""The numbers of a run, against published examples, hand-made ledgers and plain formulas."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from statistics import mean, stdev

import empyrical
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtests.measures.performance import Performance, by_regime, order_flows, performance, trading
from data.errors import InputError

SHARED = Path(__file__).resolve().parents[3] / "shared"
YEAR = 252


def daily(*values: float, first: str = "2024-01-02") -> pd.Series:
    return pd.Series(values, index=pd.bdate_range(first, periods=len(values)), dtype="float64")


def without_risk_free(returns: pd.Series) -> Performance:
    return performance(returns, returns * 0)


def test_sortino_of_the_published_example():
    # Rollinger and Hoffman, "Sortino: A 'Sharper' Ratio", Red Rock Capital: eight returns, target 0, 4.417 a period.
    returns = daily(0.17, 0.15, 0.23, -0.05, 0.12, 0.09, 0.13, -0.04)
    sortino = without_risk_free(returns).sortino
    assert sortino == pytest.approx(4.417 * math.sqrt(YEAR), rel=2e-4)


def test_sharpe_of_a_coin_toss():
    # Gain 3% or lose 1% over a risk-free 0.1%, equally often: mean 0.9%, standard deviation 2% (n over n - 1 for 1000).
    returns = daily(*[0.03, -0.01] * 500)
    found = performance(returns, returns * 0 + 0.001).sharpe
    assert found == pytest.approx(0.45 * math.sqrt(999 / 1000) * math.sqrt(YEAR), rel=1e-12)


@pytest.mark.real_history
def test_drawdown_of_the_sp500_in_2008_is_the_published_one():
    prices = SHARED / "market" / "prices" / "SPY.csv"
    if not prices.exists():
        pytest.skip(f"needs the real prices in {prices.parent}")
    close = pd.read_csv(prices, index_col="date", parse_dates=True)["adj_close"].loc["2007":"2009"]
    # S&P 500 total return, 2007-10-09 to 2009-03-09: -55.2% (Shu, Yu and Mulvey 2024, table of 1990 to 2023).
    assert without_risk_free(close.pct_change().dropna()).max_drawdown == pytest.approx(-0.552, abs=0.003)


def test_every_measure_equals_its_plain_formula():
    angles = np.arange(600)
    returns = daily(*(0.0004 + 0.012 * np.sin(angles * 1.7) + 0.006 * np.cos(angles * angles)))
    risk_free = daily(*(0.0001 + 0.00005 * np.sin(angles / 50)))
    excess = (returns - risk_free).to_list()
    wealth = np.concatenate([[1.0], np.cumprod(1 + returns.to_numpy())])
    deepest = min(wealth[i] / max(wealth[: i + 1]) - 1 for i in range(len(wealth)))
    cagr = wealth[-1] ** (YEAR / 600) - 1
    shortfall = math.sqrt(mean(min(value, 0.0) ** 2 for value in excess))
    assert asdict(performance(returns, risk_free)) == pytest.approx(
        {
            "cagr": cagr,
            "volatility": stdev(returns.to_list()) * math.sqrt(YEAR),
            "sharpe": mean(excess) / stdev(excess) * math.sqrt(YEAR),
            "sortino": mean(excess) / shortfall * math.sqrt(YEAR),
            "max_drawdown": deepest,
            "calmar": cagr / -deepest,
        },
        rel=1e-9,
    )


def test_loss_of_the_first_day_counts_in_the_drawdown():
    assert without_risk_free(daily(-0.10, 0.05, 0.02)).max_drawdown == pytest.approx(-0.10, rel=1e-12)


def test_growth_of_exactly_one_year():
    # 252 sessions that double the money, whatever the way: CAGR 100%; a year of halving: -50%.
    returns = daily(1.0, *[0.0] * 251)
    assert without_risk_free(returns).cagr == pytest.approx(1.0, rel=1e-12)
    assert without_risk_free(-returns / 2).cagr == pytest.approx(-0.5, rel=1e-12)


def test_losing_run_has_negative_ratios():
    found = without_risk_free(daily(*[-0.01, 0.002] * 200))
    assert all(value < 0 for value in (found.cagr, found.sharpe, found.sortino, found.max_drawdown, found.calmar))


def test_everything_lost():
    found = without_risk_free(daily(0.01, -1.0, 0.0))
    assert (found.cagr, found.max_drawdown, found.calmar) == (-1.0, -1.0, -1.0)


def test_one_session_has_growth_and_drawdown_only():
    found = without_risk_free(daily(-0.01))
    assert found.cagr == pytest.approx(0.99**252 - 1, rel=1e-12)
    assert found.max_drawdown == pytest.approx(-0.01, rel=1e-12)
    assert (found.volatility, found.sharpe, found.sortino) == (None, None, None)


@pytest.mark.parametrize("risk_free", [[0.0] * 30, list(np.linspace(0.0001, 0.0002, 30))])
def test_all_cash_without_interest_has_no_ratios(risk_free):
    nothing = Performance(cagr=0.0, volatility=0.0, sharpe=None, sortino=None, max_drawdown=0.0, calmar=None)
    found = performance(daily(*[0.0] * 30), daily(*risk_free))
    assert found == nothing
    assert json.dumps(asdict(found)).count("-") == 0


def test_all_cash_with_interest_has_no_ratios():
    interest = daily(*np.linspace(0.0001, 0.0002, 300))
    equity = 1e5 * (1 + interest).cumprod()  # the returns of such an equity differ from the interest by rounding
    found = performance(equity.pct_change().fillna(interest.iloc[0]), interest)
    assert (found.sharpe, found.sortino, found.calmar) == (None, None, None)
    assert found.volatility > 0


def test_constant_gain_has_no_ratios():
    found = without_risk_free(daily(*[0.0001] * 300))
    assert (found.volatility, found.sharpe, found.sortino, found.calmar) == (0.0, None, None, None)


def test_growth_past_the_largest_number_is_none():
    assert without_risk_free(daily(20.0)).cagr is None


@settings(max_examples=60, deadline=None)
@given(sessions=st.integers(2, 1500), seed=st.integers(0, 2**32 - 1), size=st.sampled_from([1e-4, 0.01, 0.1]))
def test_every_measure_equals_that_of_empyrical(sessions, seed, size):
    random = np.random.default_rng(seed)
    returns = daily(*(0.0003 + size * random.standard_t(3, sessions)).clip(min=-0.95))
    risk_free = daily(*random.uniform(0.0, 2e-4, sessions))
    found = performance(returns, risk_free)
    assert {name: math.nan if value is None else value for name, value in asdict(found).items()} == pytest.approx(
        {
            "cagr": empyrical.cagr(returns),
            "volatility": empyrical.annual_volatility(returns),
            "sharpe": empyrical.sharpe_ratio(returns, risk_free),
            "sortino": empyrical.sortino_ratio(returns, risk_free) if found.sortino is not None else math.nan,
            "max_drawdown": empyrical.max_drawdown(returns),
            "calmar": empyrical.calmar_ratio(returns),
        },
        rel=1e-12,
        nan_ok=True,
    )
    assert (found.sortino is None) == bool((returns - risk_free).min() >= -1e-12)


@given(st.lists(st.floats(-1, 2, allow_nan=False), min_size=1, max_size=40))
def test_no_measure_is_ever_nan_or_infinite(values):
    json.dumps(asdict(without_risk_free(daily(*values))), allow_nan=False)


@pytest.mark.parametrize(
    ("returns", "risk_free", "message"),
    [
        (daily(), daily(), "returns: got no session"),
        (daily(0.1, math.nan), daily(0, 0), "1 missing or infinite values, the first at 2024-01-03"),
        (daily(0.1, math.inf), daily(0, 0), "1 missing or infinite values"),
        (daily(0.1, 0.2), daily(0, math.nan), "risk_free: got 1 missing"),
        (daily(0.1, -5.0), daily(0, 0), "fractions, not percents"),
        (daily(0.1, 0.2), daily(0, 0, first="2023-01-02"), "align them first"),
    ],
)
def test_unusable_returns_are_refused(returns, risk_free, message):
    with pytest.raises(InputError, match=message):
        performance(returns, risk_free)


def test_regimes_part_the_sessions():
    returns = daily(0.01, -0.02, 0.03, 0.005, 0.0, -0.01)
    regime = pd.Series(["SCARCE", "NEUTRAL", "SCARCE", "ABUNDANT", "SCARCE", "NEUTRAL"], index=returns.index)
    found = by_regime(returns, regime, returns * 0 + 0.0001)
    assert list(found) == ["ABUNDANT", "NEUTRAL", "SCARCE"]
    scarce = [0.01, 0.03, 0.0]
    excess = [value - 0.0001 for value in scarce]
    assert asdict(found["SCARCE"]) == pytest.approx(
        {
            "sessions": 3,
            "share": 0.5,
            "mean_return": mean(scarce) * YEAR,
            "volatility": stdev(scarce) * math.sqrt(YEAR),
            "sharpe": mean(excess) / stdev(excess) * math.sqrt(YEAR),
            "total_return": 1.01 * 1.03 - 1,
        },
        rel=1e-12,
    )
    assert (found["ABUNDANT"].volatility, found["ABUNDANT"].sharpe) == (None, None)
    assert found["NEUTRAL"].total_return == pytest.approx(0.98 * 0.99 - 1, rel=1e-12)
    assert math.prod(1 + part.total_return for part in found.values()) == pytest.approx(np.prod(1 + returns), rel=1e-12)


def test_session_without_a_regime_is_refused():
    returns = daily(0.01, 0.02)
    with pytest.raises(InputError, match="no regime for 2024-01-03"):
        by_regime(returns, pd.Series(["SCARCE", None], index=returns.index), returns * 0)


def orders(*rows: tuple[str, float, float, float, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["session", "size", "price", "commission", "slippage"])
    return frame.astype(
        {"session": "datetime64[us]", "size": float, "price": float, "commission": float, "slippage": float}
    )


def test_trading_of_a_hand_made_ledger():
    # 100,000 in cash. 01-02: 100 at 500 bought for 25, closes at 500. 01-03: closes at 520.
    # 01-04: 100 sold at 510 for 25.50; 200 bought at 100 for 10, closes at 101; one more order found no price.
    equity = daily(99_975.0, 101_975.0, 101_139.5)
    assert equity.iloc[0] == 100_000 - 25
    assert equity.iloc[2] == 100_000 - 25 - 50_000 + 51_000 - 25.5 - 20_000 - 10 + 200 * 101
    holdings = pd.DataFrame({"A": daily(50_000.0, 52_000.0, 0.0), "R": daily(0.0, 0.0, 20_200.0)})
    booked = orders(
        ("2024-01-02", 100, 500, 20.0, 5.0),
        ("2024-01-04", -100, 510, 25.5, 0.0),
        ("2024-01-04", 200, 100, 10.0, 0.0),
        ("2024-01-04", 0, math.nan, 0.0, 0.0),
    )
    found = trading(order_flows(booked, equity.index), equity, holdings, ("R",))
    years = 3 / 252
    assert found.turnover == pytest.approx((50_000 / 99_975 + 71_000 / 101_139.5) / 2 / years, rel=1e-12)
    assert found.costs_usd == pytest.approx(60.5, rel=1e-12)
    assert found.costs == pytest.approx(60.5 / mean(equity) / years, rel=1e-12)
    assert found.exposure == pytest.approx(mean([50_000 / 99_975, 52_000 / 101_975, 20_200 / 101_139.5]), rel=1e-12)
    assert found.exposure_without_reserve == pytest.approx(mean([50_000 / 99_975, 52_000 / 101_975, 0.0]), rel=1e-12)


def test_whole_portfolio_exchanged_once_a_year_is_a_turnover_of_one():
    equity = daily(*[1000.0] * 252)
    exchanged = orders(("2024-03-01", -10, 100, 0, 0), ("2024-03-01", 20, 50, 0, 0))
    found = trading(order_flows(exchanged, equity.index), equity, equity.to_frame())
    assert (found.turnover, found.exposure, found.costs) == (pytest.approx(1.0), 1.0, 0.0)


def test_run_without_orders_trades_nothing():
    equity = daily(100.0, 100.0)
    for none in (orders(), orders().astype(object)):
        found = trading(order_flows(none, equity.index), equity, equity.to_frame() * 0)
        assert set(asdict(found).values()) == {0.0}


def test_what_has_lost_everything_trades_nothing_more():
    equity, holdings = daily(100.0, 0.0, 0.0), daily(50.0, 0.0, 0.0).to_frame()
    found = trading(order_flows(orders(("2024-01-02", 1, 50, 0, 0)), equity.index), equity, holdings)
    assert found.turnover == pytest.approx(0.5 / 2 / (3 / 252))
    assert found.exposure == pytest.approx(0.5 / 3)


@pytest.mark.parametrize(
    ("order", "equity", "message"),
    [
        (("2024-01-02", 1, math.nan, 0, 0), daily(100, 100), "price of a filled order: got 1 missing"),
        (("2024-01-02", math.nan, 1, 0, 0), daily(100, 100), "size of a filled order: got 1 missing"),
        (("2024-01-02", 1, 1, math.nan, 0), daily(100, 100), "commission: got 1 missing"),
        (("2024-01-02", 1, 1, 0, math.nan), daily(100, 100), "slippage: got 1 missing"),
        (("2025-01-02", 1, 1, 0, 0), daily(100, 100), "filled on 2025-01-02"),
        (("2024-01-02", 1, 1, 0, 0), daily(100, -1), "equity of -1 at the close of 2024-01-03"),
    ],
)
def test_unusable_books_are_refused(order, equity, message):
    with pytest.raises(InputError, match=message):
        trading(order_flows(orders(order), equity.index), equity, equity.to_frame() * 0.5)


def test_a_book_without_a_session_is_refused():
    none = daily()
    with pytest.raises(InputError, match="equity: got no session"):
        trading(order_flows(orders(), none.index), none, none.to_frame())
