"""What assets answer to: weekly returns on changes of yields, spreads and liquidity, with the market held fixed.

Nothing of this is an input of the signal. Weeks are rows, known in their order: the estimate that stands on a row uses
that row and those before it alone.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

WINDOW_WEEKS = 104
LEAST_WEEKS = 52
LAGS = 5
# These three are estimated in one regression beside the market; each other factor in one of its own beside it, for
# liquidity and score are partly made of the same yields and spreads.
TOGETHER = ("real_yield", "breakeven", "credit_spread")
# What a long duration would be: the higher, the more an asset loses when real yields and credit spreads rise.
DURATION = "duration"


class Fit(NamedTuple):
    """Ordinary least squares of many assets on the same regressors.

    Attributes:
        slope: (k, m) by regressor and asset; NaN where there are too few weeks.
        error: (k, m) standard errors by Newey and West.
        weeks: (m,) of each regression.
    """

    slope: np.ndarray
    error: np.ndarray
    weeks: np.ndarray


def exposures(returns: pd.DataFrame, market: pd.Series, factors: pd.DataFrame) -> pd.DataFrame:
    """Estimate what each asset answered to over the last `WINDOW_WEEKS` weeks.

    Args:
        returns: of the week, fractions, weeks by assets; NaN where there is none.
        market: returns of the market, by the same weeks.
        factors: changes over the week, weeks by factors; those of `TOGETHER` in one regression, each other in its own.

    Returns:
        A row for each factor and asset: slope (return for a change of 1), error, shrunk (`shrink` of the factor's
        slopes), weeks. An asset with fewer than `LEAST_WEEKS` has NaN.
    """
    last = slice(-WINDOW_WEEKS, None)
    returns, market, factors = returns.iloc[last], market.iloc[last], factors.iloc[last]
    joint = [name for name in TOGETHER if name in factors]
    alone = [[str(name)] for name in factors if name not in joint]
    parts = []
    for names in [joint, *alone] if joint else alone:
        regressors = np.column_stack([np.ones(len(market)), market, factors[names]])
        fit = regress(returns.to_numpy(dtype=float), regressors)
        for place, name in enumerate(names, start=2):
            slope, error = fit.slope[place], fit.error[place]
            columns = {"slope": slope, "error": error, "shrunk": shrink(slope, error), "weeks": fit.weeks}
            parts.append(pd.DataFrame(columns, index=returns.columns).assign(factor=name))
    table = pd.concat(parts).rename_axis("asset").reset_index()
    return table.set_index(["factor", "asset"])


def regress(returns: np.ndarray, regressors: np.ndarray) -> Fit:
    """Least squares of each column on the regressors, over the rows that it has whole.

    Errors are Newey and West's (1987) with Bartlett's weights and `LAGS` lags, without a correction for the count.

    Args:
        returns: (n, m).
        regressors: (n, k), the constant among them.
    """
    width = regressors.shape[1]
    slope, error = (np.full((width, returns.shape[1]), np.nan) for _ in range(2))
    whole = ~np.isnan(regressors).any(axis=1)
    known = ~np.isnan(returns) & whole[:, np.newaxis]
    weeks = known.sum(axis=0)
    for place in np.flatnonzero(weeks >= max(LEAST_WEEKS, width + LAGS)).tolist():
        rows, values = regressors[known[:, place]], returns[known[:, place], place]
        if np.linalg.matrix_rank(rows) < width:
            continue
        inverse = np.linalg.inv(rows.T @ rows)
        slope[:, place] = inverse @ (rows.T @ values)
        moments = rows * (values - rows @ slope[:, place])[:, np.newaxis]
        middle = moments.T @ moments
        for lag in range(1, LAGS + 1):
            across = moments[lag:].T @ moments[:-lag]
            middle += (1 - lag / (LAGS + 1)) * (across + across.T)
        error[:, place] = np.sqrt(np.maximum(np.diag(inverse @ middle @ inverse), 0.0))
    return Fit(slope, error, weeks)


def shrink(slope: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Draw slopes towards their mean, the less certain the more (Vasicek 1973, Journal of Finance 28).

    Args:
        slope: (m,); NaN stays NaN and counts for nothing.
        error: (m,) standard errors.

    Returns:
        s w + mean (1 - w), with w = V / (V + error^2) and V the variance of the slopes across assets; where fewer than
        two are known there is nothing to draw them to, and they stay.
    """
    known = ~np.isnan(slope)
    if known.sum() < 2:
        return slope
    spread, mean = slope[known].var(ddof=1), slope[known].mean()
    total = spread + error**2
    weight = np.divide(spread, total, out=np.ones(len(slope)), where=total > 0)
    return np.asarray(weight * slope + (1 - weight) * mean)


def duration_score(table: pd.DataFrame) -> pd.Series:
    """Rank assets by their empirical duration: z(-real yield) + z(-credit spread) of the shrunk slopes.

    Args:
        table: as `exposures` gives it.

    Returns:
        By asset, higher for one that loses more when both rise; NaN where it has no slopes.
    """
    real, credit = (slopes_on(table, name) for name in ("real_yield", "credit_spread"))
    total: pd.Series = -(real - real.mean()) / real.std(ddof=1) - (credit - credit.mean()) / credit.std(ddof=1)
    return total.rename(DURATION)


def slopes_on(table: pd.DataFrame, factor: str) -> pd.Series:
    """The shrunk slopes of one factor by asset; `table` as `exposures` gives it."""
    slopes: pd.Series = table["shrunk"].xs(factor, level="factor")
    return slopes
