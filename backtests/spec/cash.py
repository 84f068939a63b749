"""Interest on idle cash, and the risk-free return: one rule for the 3-month bill."""

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


def interest_rates(config: CashConfig, bill_yield: pd.Series) -> np.ndarray:
    """What a US dollar of idle cash brings by session.

    Args:
        config: of the cash.
        bill_yield: as for `bill_returns`.

    Returns:
        (n,) fractions.
    """
    if config.interest == "none":
        return np.zeros(len(bill_yield))
    return bill_returns(bill_yield, config.spread_bp).to_numpy()


def bill_returns(bill_yield: pd.Series, spread_bp: float = 0.0) -> pd.Series:
    """What the 3-month bill brings over the nights before each session: simple interest, actual/365.

    Idle cash earns by it and ratios are over it, so that cash at the bill's interest is no better than the bill.

    Args:
        bill_yield: percent a year, by n sessions, as known at the decision for each; the first begins with no night
            before. NaN brings nothing, which the caller counts and tells.
        spread_bp: what is kept of the yield, basis points a year; the rest is never negative.

    Returns:
        Fractions, on the same index.
    """
    sessions = pd.DatetimeIndex(bill_yield.index)
    annual = (bill_yield / 100.0 - spread_bp / BP).clip(lower=0.0).fillna(0.0)
    nights = sessions.to_series().diff().dt.days.fillna(0.0)
    returns: pd.Series = annual * nights / DAYS_A_YEAR
    return returns
