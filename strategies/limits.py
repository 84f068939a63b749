"""Limits on target weights that do not depend on holdings. What a limit takes away goes to the reserve.

Each step takes target weights and returns target weights of the same shape: no NaN, none negative, none outside the
reserve larger than before. Without a tradable reserve what is taken away stays in cash. `strategies.policy` says in
which order the steps follow each other.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from data.catalogue.instruments import AssetClass
from data.errors import InputError
from strategies.universe import Universe

SESSIONS_PER_YEAR = 252
# Older returns are left out: all of them together would weigh less than 2%. So a volatility does not depend on when
# the prices begin, once they reach that far back.
WINDOW_HALF_LIVES = 6


def limit_asset_classes(
    weights: pd.DataFrame,
    tradable: pd.DataFrame,
    universe: Universe,
    asset_classes: Mapping[str, AssetClass] | None,
    caps: Mapping[str, float],
) -> pd.DataFrame:
    """Scale the instruments of an asset class down, all by one factor, to the cap of the class.

    Args:
        weights: sessions by symbols, of the universe and perhaps others, no NaN.
        tradable: booleans, same shape.
        universe: the baskets; instruments of the reserve count for no cap.
        asset_classes: by symbol; needed where a cap is below 1.
        caps: largest weight of all instruments of a class together, by class; a class that is not named has none, nor
            has one whose cap is 1.

    Raises:
        InputError: the asset class of an instrument is not given.
    """
    binding = {name: cap for name, cap in caps.items() if cap < 1}
    if not binding:
        return weights
    outside = _outside_reserve(universe)
    if missing := [symbol for symbol in outside if symbol not in (asset_classes or {})]:
        raise InputError(
            f"policy.asset_class_caps: got no asset class of {', '.join(missing)}, wanted one for every instrument; "
            "give it or set the caps to 1"
        )
    classes = np.array([(asset_classes or {})[symbol] for symbol in outside])
    held = weights[outside].to_numpy()
    kept = np.ones(held.shape)
    for name, cap in binding.items():
        kept[:, classes == name] = _factor(cap, held[:, classes == name].sum(axis=1))
    return _keep(weights, kept, tradable, universe)


def limit_exposure(weights: pd.DataFrame, tradable: pd.DataFrame, universe: Universe, ceiling: float) -> pd.DataFrame:
    """Scale everything outside the reserve down by one factor, to a ceiling.

    Args:
        weights: sessions by symbols, of the universe and perhaps others, no NaN.
        tradable: booleans, same shape.
        universe: the baskets.
        ceiling: largest share of equity outside the reserve; 1 is none.
    """
    if ceiling >= 1:
        return weights
    held = weights[_outside_reserve(universe)].to_numpy()
    return _keep(weights, _factor(ceiling, held.sum(axis=1)), tradable, universe)


def limit_volatility(
    weights: pd.DataFrame,
    tradable: pd.DataFrame,
    prices: pd.DataFrame,
    universe: Universe,
    target: float,
    half_life: int,
) -> pd.DataFrame:
    """Scale everything outside the reserve down by one factor, to a volatility: min(1, target / volatility).

    The volatility is `portfolio_volatility` of what stands outside the reserve; the reserve counts as free of risk.
    What has no estimate is not held: an instrument gets no weight before it has `half_life` returns, nor does any where
    the instruments have no return in common.

    Harvey et al. (2018), "The Impact of Volatility Targeting", Journal of Portfolio Management 45, with a leverage of
    at most 1.

    Args:
        weights: sessions by symbols, of the universe and perhaps others, no NaN.
        tradable: booleans, same shape.
        prices: last prices known at each decision, adjusted for splits and dividends, the same sessions and any before
            them; NaN before an instrument's first.
        universe: the baskets.
        target: fraction a year, above 0.
        half_life: sessions.
    """
    outside = _outside_reserve(universe)
    known = prices[outside].pct_change(fill_method=None).notna().cumsum() >= half_life
    measured = known.loc[weights.index].to_numpy(dtype=float)
    volatility = portfolio_volatility(weights[outside] * measured, prices[outside], half_life).to_numpy()
    factor = np.where(np.isnan(volatility)[:, np.newaxis], 0.0, _factor(target, volatility))
    return _keep(weights, measured * factor, tradable, universe)


def portfolio_volatility(weights: pd.DataFrame, prices: pd.DataFrame, half_life: int) -> pd.Series:
    """Volatility that each session's portfolio would have had: of the daily returns at the weights of that session.

    The root of the exponentially weighted mean of squared returns (mean return 0), which is the root of w' C w with the
    exponentially weighted covariance C: RiskMetrics Technical Document (1996), section 5.2.

    Args:
        weights: sessions by symbols, no NaN.
        prices: last prices known at each decision, by the same symbols; the same sessions and any before them.
        half_life: sessions after which a return weighs half. The last `WINDOW_HALF_LIVES` half-lives count.

    Returns:
        Fractions a year, by session. Where a held instrument has no return, that day is left out for the portfolio; NaN
        where no day is left. 0 where nothing is held.

    Raises:
        InputError: the sessions of the weights are not the last ones of the prices.
    """
    if not prices.index[len(prices) - len(weights) :].equals(weights.index):
        raise InputError(
            f"got prices of {len(prices)} sessions that do not end with the {len(weights)} sessions of the weights, "
            "wanted the same sessions and any before them"
        )
    window = WINDOW_HALF_LIVES * half_life
    # Symbols by sessions: sums over symbols then run along whole rows of memory.
    held = np.ascontiguousarray(weights.to_numpy(dtype=float).T)
    idle = held == 0
    returns = prices[weights.columns].pct_change(fill_method=None).to_numpy().T
    padded = np.concatenate([np.full((len(held), window), np.nan), returns], axis=1)
    squares, mass = np.zeros(len(weights)), np.zeros(len(weights))
    for lag in range(window):
        last = padded.shape[1] - lag
        parts = held * padded[:, last - len(weights) : last]
        parts[idle] = 0.0
        portfolio = parts.sum(axis=0)
        weight = np.where(np.isnan(portfolio), 0.0, 0.5 ** (lag / half_life))
        squares += weight * np.nan_to_num(portfolio) ** 2
        mass += weight
    mean = np.divide(squares, mass, out=np.full(len(weights), np.nan), where=mass > 0)
    return pd.Series(np.sqrt(SESSIONS_PER_YEAR * mean), index=weights.index)


def _outside_reserve(universe: Universe) -> list[str]:
    return list(universe.outside_reserve)


def _factor(limit: float, value: np.ndarray) -> np.ndarray:
    """What brings each value down to the limit, at most 1, of shape (n, 1); 1 where there is no value."""
    factor: np.ndarray = np.divide(limit, value, out=np.ones_like(value), where=value > limit)
    return factor.reshape(-1, 1)


def _keep(weights: pd.DataFrame, kept: np.ndarray, tradable: pd.DataFrame, universe: Universe) -> pd.DataFrame:
    """The weights with a part of those outside the reserve kept and the rest of them moved to the reserve.

    The reserve shares it out as its weights are, equally where it has none.

    Args:
        weights: sessions by symbols.
        kept: fractions, sessions by instruments outside the reserve, or by 1.
        tradable: booleans, same shape as `weights`.
        universe: the baskets.
    """
    reserve = list(universe.reserve)
    before = weights[_outside_reserve(universe)].to_numpy()
    after = before * kept
    stock = weights[reserve].to_numpy()
    merit = np.where(stock.sum(axis=1, keepdims=True) > 0, stock, tradable[reserve].to_numpy(dtype=float))
    freed = (before - after).sum(axis=1, keepdims=True)
    limited = weights.copy()
    limited[_outside_reserve(universe)] = after
    limited[reserve] = stock + freed * proportional_shares(merit)
    return limited


def proportional_shares(merit: np.ndarray) -> np.ndarray:
    """Shares in proportion to merit: rows add up to 1, or to 0 where nothing has any.

    Args:
        merit: sessions by instruments, never negative, no NaN.
    """
    total = merit.sum(axis=1, keepdims=True)
    shares: np.ndarray = np.divide(merit, total, out=np.zeros_like(merit), where=total > 0)
    return shares
