"""Costs and limits made for a test."""

import numpy as np

from strategies.trade_terms import TradeTerms


def terms_of(count: int, rate: float = 0.0, quantum: float = 1e-9, **others: float) -> TradeTerms:
    """Terms of `count` instruments alike: free, divisible and without a limit but for what is given."""
    values = {
        "per_unit": 0.0,
        "minimum": 0.0,
        "maximum": np.inf,
        "spread": 0.0,
        "impact": 0.0,
        "participation": np.inf,
        "notional": 0.0,
    } | others
    return TradeTerms(
        rate=np.full(count, rate),
        quantum=np.full(count, quantum),
        **{name: np.full(count, float(value)) for name, value in values.items()},
    )
