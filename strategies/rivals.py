"""Regimes by rules that need no signal: rivals that it must beat, at the same budgets and costs."""

import numpy as np
import pandas as pd

from strategies.universe import Basket, Universe

CHOSEN: tuple[Basket, ...] = ("cash_flow", "speculative")

MOMENTUM_SESSIONS = 126


def momentum_regimes(prices: pd.DataFrame, universe: Universe, sessions: int = MOMENTUM_SESSIONS) -> pd.Series:
    """SCARCE while the cash_flow basket has beaten the speculative one of late, else ABUNDANT.

    Args:
        prices: last prices known at each decision, on the adjusted basis, sessions by symbols of the universe; NaN
            before an instrument's first.
        universe: the baskets. A basket's return of a session is the mean of those of its members that have one, under
            a rule of those that are in it then.
        sessions: of returns that are compared, from 1.

    Returns:
        By session of `prices`; NEUTRAL where the returns of both baskets are not known so far back.
    """
    returns = prices.pct_change(fill_method=None)
    there = returns.notna()
    growth = {
        basket: np.log1p(returns.where(universe.free(basket, there)).mean(axis=1)).rolling(sessions).sum()
        for basket in CHOSEN
    }
    lead = growth["cash_flow"] - growth["speculative"]
    regimes = np.where(lead > 0, "SCARCE", np.where(lead.isna(), "NEUTRAL", "ABUNDANT"))
    return pd.Series(regimes, prices.index, dtype="str", name="regime")


def switched_regimes(sessions: pd.DatetimeIndex, day: pd.Timestamp, regime: str) -> pd.Series:
    """NEUTRAL before a day, and one regime from it on.

    Args:
        sessions: decided for.
        day: of the switch.
        regime: from then on.
    """
    return pd.Series(np.where(sessions >= day, regime, "NEUTRAL"), sessions, dtype="str", name="regime")
