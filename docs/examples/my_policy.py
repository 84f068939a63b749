"""A policy: the built-in weights, but nothing of what trades below its own mean of a hundred sessions."""

import pandas as pd

from strategies.policy import PolicyConfig, target_weights
from strategies.universe import Universe


def weights(
    regime: pd.Series, tradable: pd.DataFrame, prices: pd.DataFrame, universe: Universe, config: PolicyConfig
) -> pd.DataFrame:
    """Target weights, sessions decided for by symbols; what is left out stays in cash."""
    wanted = target_weights(regime, tradable, prices, universe, config)
    rising = prices >= prices.rolling(100, min_periods=1).mean()
    return wanted.where(rising, 0.0)
