"""The pair: the cash-flow basket less the speculative one at equal volatility, measured and never traded.

It is the idea without its universe's rise: what both baskets have gained alike falls out, and so does that one of them
moves more. Before costs.
"""

import numpy as np
import pandas as pd

from backtests.measures.performance import SESSIONS_PER_YEAR

NAME = "pair"
LONG, SHORT = "cash_flow", "speculative"
VOLATILITY = 0.10
"""Of each leg, a year."""
HALF_LIFE = 40
"""Sessions after which a return counts half in the volatility; also those before the first value."""
MOST = 5.0
"""Times that a leg is raised at most."""


def pair_returns(baskets: pd.DataFrame) -> pd.Series:
    """Daily returns of the pair.

    Each leg is scaled to `VOLATILITY` by what was known at the close before the session: the exponentially weighted
    mean of its squared returns up to then (RiskMetrics 1996, here with a half-life of `HALF_LIFE` sessions).

    Args:
        baskets: as `backtests.measures.rotations.basket_returns` gives it.

    Returns:
        By session; NaN in the first `HALF_LIFE` sessions, and while one of the legs has never moved.
    """
    legs = baskets[[LONG, SHORT]]
    variance = (legs**2).ewm(halflife=HALF_LIFE, min_periods=HALF_LIFE).mean().shift()
    scale = (VOLATILITY / np.sqrt(SESSIONS_PER_YEAR) / np.sqrt(variance.where(variance > 0))).clip(upper=MOST)
    scaled = legs * scale
    found: pd.Series = scaled[LONG] - scaled[SHORT]
    return found.rename(NAME)
