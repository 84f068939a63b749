"""Returns by calendar: windows that end with the run, whole months and years, drawdowns from start to recovery."""

import numpy as np
import pandas as pd

from backtests.measures.holdings import drawdowns
from backtests.measures.performance import SESSIONS_PER_YEAR
from data.clock import FIRST_DAY, LAST_DAY, sessions_between


def window_return(returns: pd.Series, months: int) -> float | None:
    """Total return of the sessions after the same day some months before the last one.

    Args:
        returns: daily, by session, fractions.
        months: from 1.

    Returns:
        A fraction; None where the run begins later.
    """
    window = _window(returns, months)
    return None if window is None else float(np.prod(1.0 + window.to_numpy())) - 1.0


def window_growth(returns: pd.Series, months: int) -> float | None:
    """Compound growth a year over the window of `window_return`; None where the run begins later."""
    window = _window(returns, months)
    if window is None:
        return None
    return float(np.prod(1.0 + window.to_numpy()) ** (SESSIONS_PER_YEAR / len(window))) - 1.0


def whole_periods(returns: pd.Series, frequency: str) -> pd.Series:
    """Total return of each month, quarter or year of which the run has every NYSE session.

    Args:
        returns: daily, by session, fractions.
        frequency: ``M``, ``Q`` or ``Y``.

    Returns:
        By period; empty where there is no whole one.
    """
    days = pd.DatetimeIndex(returns.index)
    periods = days.to_period(frequency)
    growth: pd.Series = (1.0 + returns).groupby(periods).prod() - 1.0
    # Only the run's ends can cut a period.
    ends = (0, len(growth) - 1)
    return growth[[place not in ends or _is_whole(period, days) for place, period in enumerate(growth.index)]]


def drawdown_periods(returns: pd.Series) -> pd.DataFrame:
    """Every stretch of sessions at whose close wealth is below its highest before, the start included.

    Args:
        returns: daily, by session, fractions.

    Returns:
        In order of time: ``start`` and ``end``, the first and last session below; ``deepest``, its deepest session;
        ``recovered``, the session at which the highest was reached again, NaT where it was not; ``depth``, zero or
        negative; ``days``, calendar days from start to end, both counted.
    """
    fallen = drawdowns(returns)
    below = fallen < 0
    rows = []
    for _, stretch in fallen[below].groupby((~below).cumsum()[below]):
        start, end = stretch.index[0], stretch.index[-1]
        later = fallen.index[fallen.index > end]
        recovered = later[0] if len(later) else pd.NaT
        rows.append((start, end, stretch.idxmin(), recovered, float(stretch.min()), (end - start).days + 1))
    return pd.DataFrame(rows, columns=["start", "end", "deepest", "recovered", "depth", "days"])


def _window(returns: pd.Series, months: int) -> pd.Series | None:
    begin = returns.index[-1] - pd.DateOffset(months=months)
    first = sessions_between(max(begin + pd.Timedelta(days=1), FIRST_DAY), returns.index[-1])[0]
    if returns.index[0] > first:
        return None
    window: pd.Series = returns[returns.index > begin]
    return window


def _is_whole(period: pd.Period, days: pd.DatetimeIndex) -> bool:
    first, last = period.start_time, min(period.end_time.normalize(), LAST_DAY)
    sessions = sessions_between(max(first, FIRST_DAY), last)
    return bool(len(sessions)) and days[0] <= sessions[0] and days[-1] >= sessions[-1]
