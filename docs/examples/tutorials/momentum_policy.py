"""A policy: the budgets of the regime, given to the half of each basket that rose most in six months."""

import pandas as pd

from strategies.policy import PolicyConfig, target_weights
from strategies.universe import Universe


def weights(
    regime: pd.Series, tradable: pd.DataFrame, prices: pd.DataFrame, universe: Universe, config: PolicyConfig
) -> pd.DataFrame:
    """Target weights, sessions decided for by symbols."""
    rise = prices / prices.shift(126)
    chosen = tradable.copy()
    for basket in (universe.speculative, universe.cash_flow):
        names = list(basket)
        # A name that has no six months yet has no rank, and none of it is held.
        chosen[names] &= rise[names].where(tradable[names]).rank(axis=1, pct=True) > 0.5
    return target_weights(regime, chosen, prices, universe, config)
