"""Interest on idle cash."""

from typing import Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from backtests.spec.costs import BP

DAYS_A_YEAR = 365


class CashConfig(BaseModel):
    """What idle cash brings.

    Attributes:
        interest: nothing, or the yield of the 3-month bill as known at each decision.
        spread_bp: what the broker keeps of that yield, in basis points a year; interest is never negative.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    interest: Literal["none", "bill"] = "none"
    spread_bp: float = Field(default=0.0, ge=0, lt=BP)


def interest_rates(config: CashConfig, bill_yield: pd.Series, sessions: pd.DatetimeIndex) -> np.ndarray:
    """What a US dollar that is in the account over the night before a session brings, simple interest, actual/365.

    Args:
        config: of the cash.
        bill_yield: percent a year, by session, as known at its decision; NaN brings nothing.
        sessions: n naive dates; the first begins with no night before.

    Returns:
        (n,) fractions.
    """
    if config.interest == "none":
        return np.zeros(len(sessions))
    annual = (bill_yield.reindex(sessions) / 100.0 - config.spread_bp / BP).clip(lower=0.0).fillna(0.0)
    nights = sessions.to_series().diff().dt.days.fillna(0.0)
    rates: np.ndarray = (annual * nights / DAYS_A_YEAR).to_numpy()
    return rates
