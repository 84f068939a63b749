"""One instrument's rows of a panel, of a plan and of a score, as the lines of a feed."""

import numpy as np
import pandas as pd

from backtests.execution.fill_rules import FillRules
from strategies.policy import Plan


def feed_columns(fills: FillRules, plan: Plan, place: int, score: pd.Series | None) -> dict[str, np.ndarray]:
    """Lay out the bar of each session and, beside it, what the decision for the next one knows.

    Args:
        fills: prices, and which of them are stale.
        plan: by session decided for.
        place: of the instrument among the panel's symbols.
        score: of the signal by session decided for; None: no such line.

    Returns:
        Arrays of the panel's length, by the name of the line; the time is not among them.
    """
    panel, symbol = fills.panel, fills.panel.symbols[place]
    close = panel.close[:, place]
    scores = {} if score is None else {"score": score.to_numpy()}
    return {
        "open": panel.open[:, place],
        "high": close,
        "low": close,
        "close": close,
        "volume": panel.volume[:, place],
        "openinterest": np.zeros(len(close)),
        # What is about to be closed out is left alone by the order rules.
        "target": np.where(fills.stale[:, place], np.nan, plan.targets[symbol].to_numpy()),
        "decision_price": panel.decision_price[:, place],
        "rebalance": plan.rebalance.to_numpy().astype(float),
        **scores,
    }
