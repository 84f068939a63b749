"""The numbers of a run: performance, and what trading cost. Fractions, not percents.

A ratio without a meaning (a portfolio that never moves, a run too short) is None, never NaN or infinite.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.errors import InputError

SESSIONS_PER_YEAR = 252
# Daily returns that differ by less than this are rounding of one and the same return: they have no dispersion.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Performance:
    """How one series of daily returns did; None where a measure is undefined.

    Attributes:
        cagr: compound growth, a fraction a year of 252 sessions. A run of less than a year is extrapolated to one.
        volatility: sample standard deviation of the daily returns, a year.
        sharpe: mean over standard deviation of the daily returns over the risk-free return, a year.
        sortino: as Sharpe, over the root mean square of the shortfalls below the risk-free return (all sessions count).
        max_drawdown: deepest fall of wealth below its highest before, the start included; zero or negative.
        calmar: CAGR over the size of the deepest fall.
    """

    cagr: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    max_drawdown: float | None
    calmar: float | None


@dataclass(frozen=True)
class RegimePerformance:
    """How the portfolio did in the sessions of one regime, which need not follow each other.

    Attributes:
        sessions: their number.
        share: of all sessions, a fraction.
        mean_return: arithmetic mean of the daily returns times 252.
        volatility: as in `Performance`, over these sessions.
        sharpe: as in `Performance`, over these sessions.
        total_return: these sessions' returns, compounded.
    """

    sessions: int
    share: float
    mean_return: float
    volatility: float | None
    sharpe: float | None
    total_return: float


@dataclass(frozen=True)
class Trading:
    """What was traded, what it cost, and how much of the wealth was invested.

    Attributes:
        turnover: one-sided, a year: half of each session's traded value over that session's closing equity.
        costs: commissions and slippage, as a fraction of the average equity, a year.
        costs_usd: commissions and slippage of the whole run, in US dollars.
        exposure: mean over the sessions of the value of positions over equity, at the close.
        exposure_without_reserve: the same without the instruments that stand in for cash.
    """

    turnover: float
    costs: float
    costs_usd: float
    exposure: float
    exposure_without_reserve: float


def performance(returns: pd.Series, risk_free: pd.Series) -> Performance:
    """Measure a series of daily returns.

    Args:
        returns: of shape (sessions,), fractions; the first is the first session's own, over the initial cash.
        risk_free: daily risk-free return, on the same index (see `backtests.spec.cash.bill_returns`).

    Raises:
        InputError: no session, a missing or infinite value, a return below -1, or indexes that differ.
    """
    _require_returns(returns, risk_free)
    own, bill = returns.to_numpy(dtype="float64"), risk_free.to_numpy(dtype="float64")
    growth, deepest = _growth(own), _deepest_fall(own)
    return Performance(
        cagr=_number(growth),
        volatility=_volatility(own),
        sharpe=_sharpe(own, bill),
        sortino=_sortino(own, bill),
        max_drawdown=_number(deepest),
        calmar=_number(growth / -deepest) if deepest < 0 else None,
    )


def by_regime(returns: pd.Series, regime: pd.Series, risk_free: pd.Series) -> dict[str, RegimePerformance]:
    """Measure the sessions of each regime apart.

    Args:
        returns: as in `performance`.
        regime: name of the regime decided for each session, on the same index; none may be missing.
        risk_free: as in `performance`.

    Returns:
        By regime, in alphabetical order; a regime without a session is absent.

    Raises:
        InputError: as in `performance`, or a session without a regime.
    """
    _require_returns(returns, risk_free)
    _require_same_index("regime", regime, returns)
    if regime.isna().any():
        raise InputError(
            f"got no regime for {regime.index[regime.isna()][0].date()}, wanted one for every session: "
            "decide the regime for all sessions of the run"
        )
    return {
        str(name): _regime_performance(own, risk_free.loc[own.index], len(returns))
        for name, own in returns.groupby(regime)
    }


def trading(flows: pd.DataFrame, equity: pd.Series, holdings: pd.DataFrame, reserve: Sequence[str] = ()) -> Trading:
    """Measure turnover, costs and exposure.

    Args:
        flows: by session, `traded` (value of everything bought and sold) and `costs`, US dollars; on the same
            index as `equity`. Of orders: see `order_flows`.
        equity: by session, at the close, US dollars.
        holdings: by session and instrument, at the close, US dollars, on the same index.
        reserve: the instruments that stand in for cash.

    Raises:
        InputError: no session, an equity below 0, a missing value, indexes that differ.
    """
    invested = holdings.sum(axis=1, skipna=False)
    _require_same_index("holdings", invested, equity)
    _require_same_index("flows", flows["traded"], equity)
    _require_numbers("equity", equity)
    _require_numbers("holdings", invested)
    if (equity < 0).any():
        raise InputError(
            f"got an equity of {equity[equity < 0].iloc[0]:g} at the close of {equity.index[equity < 0][0].date()}, "
            "wanted nothing at the least: costs and turnover are shares of it"
        )
    # Of nothing, nothing is traded or invested.
    is_something = equity > 0
    at_risk = holdings.loc[:, ~holdings.columns.isin(list(reserve))].sum(axis=1)
    costs = float(flows["costs"].sum())
    years = len(equity) / SESSIONS_PER_YEAR
    return Trading(
        turnover=float((flows["traded"] / equity)[is_something].sum()) / 2 / years,
        costs=costs / float(equity.mean()) / years,
        costs_usd=costs,
        exposure=float((invested / equity).where(is_something, 0.0).mean()),
        exposure_without_reserve=float((at_risk / equity).where(is_something, 0.0).mean()),
    )


def order_flows(orders: pd.DataFrame, sessions: pd.Index) -> pd.DataFrame:
    """Sum up orders by session.

    Args:
        orders: one row an order, with `session`, `size` (units filled, negative for a sale, 0 where nothing was),
            `price` (of the fill, US dollars; may be missing where the size is 0), `commission` and `slippage` (US
            dollars).
        sessions: of the run.

    Returns:
        By session: `traded`, value of everything bought and sold, and `costs`, commissions and slippage, US dollars.

    Raises:
        InputError: a missing value, or an order outside the sessions.
    """
    filled = orders[orders["size"] != 0]
    for column in ("size", "price"):
        _require_numbers(f"orders: {column} of a filled order", filled[column], allow_empty=True)
    for column in ("commission", "slippage"):
        _require_numbers(f"orders: {column}", orders[column], allow_empty=True)
    outside = filled[~filled["session"].isin(sessions)]
    if not outside.empty:
        raise InputError(
            f"got an order filled on {outside['session'].iloc[0].date()}, wanted only sessions of the equity: "
            "give the orders and the equity of one run"
        )
    flows = pd.DataFrame(
        {"traded": (filled["size"] * filled["price"]).abs(), "costs": filled["commission"] + filled["slippage"]}
    )
    return flows.groupby(filled["session"]).sum().reindex(sessions, fill_value=0.0)


def _regime_performance(returns: pd.Series, risk_free: pd.Series, sessions: int) -> RegimePerformance:
    own = returns.to_numpy(dtype="float64")
    return RegimePerformance(
        sessions=len(returns),
        share=len(returns) / sessions,
        mean_return=float(returns.mean()) * SESSIONS_PER_YEAR,
        volatility=_volatility(own),
        sharpe=_sharpe(own, risk_free.to_numpy(dtype="float64")),
        total_return=float(np.prod(1 + own)) - 1,
    )


def _growth(returns: np.ndarray) -> float:
    """Compound growth a year; infinite where a few sessions, extrapolated to a year, pass the largest number."""
    years = len(returns) / SESSIONS_PER_YEAR
    with np.errstate(over="ignore"):
        return float(np.prod(1 + returns) ** (1 / years) - 1)


def _deepest_fall(returns: np.ndarray) -> float:
    wealth = 100.0 * np.append(1.0, np.cumprod(1 + returns))
    highest = np.maximum.accumulate(wealth)
    return float(((wealth - highest) / highest).min())


def _volatility(returns: np.ndarray) -> float | None:
    if len(returns) < 2:
        return None
    return 0.0 if _is_constant(returns) else _number(_deviation(returns) * math.sqrt(SESSIONS_PER_YEAR))


def _sharpe(returns: np.ndarray, risk_free: np.ndarray) -> float | None:
    excess = returns - risk_free
    if _is_constant(returns) or _is_constant(excess):
        return None
    return _number(_mean(excess) / _deviation(excess) * math.sqrt(SESSIONS_PER_YEAR))


def _sortino(returns: np.ndarray, risk_free: np.ndarray) -> float | None:
    excess = returns - risk_free
    if _is_constant(returns) or _is_constant(excess):
        return None
    if excess.min() >= -ROUNDING:  # never short of the risk-free return: nothing to divide by
        return None
    shortfall = math.sqrt(_mean(np.minimum(excess, 0.0) ** 2))
    return _number(_mean(excess) * SESSIONS_PER_YEAR / (shortfall * math.sqrt(SESSIONS_PER_YEAR)))


def _mean(values: np.ndarray) -> float:
    """The mean, added up session by session: numpy's own sum goes by blocks, and its last bit by the processor."""
    return float(np.cumsum(values)[-1]) / len(values)


def _deviation(values: np.ndarray) -> float:
    """The sample standard deviation, added up as the mean is."""
    return math.sqrt(float(np.cumsum((values - _mean(values)) ** 2)[-1]) / (len(values) - 1))


def _is_constant(values: np.ndarray) -> bool:
    return bool(values.max() - values.min() < ROUNDING)


def _number(value: float) -> float | None:
    return float(value) + 0.0 if math.isfinite(value) else None  # + 0.0: no negative zero


def _require_returns(returns: pd.Series, risk_free: pd.Series) -> None:
    _require_numbers("returns", returns)
    _require_same_index("risk_free", risk_free, returns)
    _require_numbers("risk_free", risk_free)
    if (returns < -1).any():
        raise InputError(
            f"got a return of {returns.min():g}, wanted -1 (all is lost) or more: returns are fractions, not percents"
        )


def _require_numbers(name: str, values: pd.Series, *, allow_empty: bool = False) -> None:
    if values.empty and not allow_empty:
        raise InputError(f"{name}: got no session, wanted at least one")
    unusable = ~np.isfinite(values.to_numpy(dtype="float64"))
    if unusable.any():
        raise InputError(
            f"{name}: got {int(unusable.sum())} missing or infinite values, the first at "
            f"{values.index[int(unusable.argmax())]}, wanted a number for each"
        )


def _require_same_index(name: str, values: pd.Series, wanted: pd.Series) -> None:
    if not values.index.equals(wanted.index):
        raise InputError(
            f"{name}: got {len(values)} sessions, wanted the same {len(wanted)} as the other series: align them first"
        )
