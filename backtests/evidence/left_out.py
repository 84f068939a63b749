"""A run without some of its sessions, as if the static mix, or another rival, had been held in them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.measures.performance import performance


@dataclass(frozen=True)
class Without:
    """What is left.

    Attributes:
        growth: of a dollar over the run.
        sharpe: a year; None where it has no meaning.
        lead: log growth over the rival that is left; with sessions left out it is made in the others alone.
    """

    growth: float
    sharpe: float | None
    lead: float


def without_sessions(
    returns: pd.DataFrame, left_out: np.ndarray, risk_free: pd.Series, rival: str = "static_mix"
) -> Without:
    """Put the rival's returns in the place of the strategy's.

    Args:
        returns: by session, fractions: the columns strategy and the rival's; above -1.
        left_out: (n,) booleans.
        risk_free: daily, on the same sessions.
        rival: name of its column.
    """
    own = returns["strategy"].where(~left_out, returns[rival])
    lead = np.log1p(own.to_numpy()).sum() - np.log1p(returns[rival].to_numpy()).sum()
    return Without(float(np.prod(1.0 + own.to_numpy())), performance(own, risk_free).sharpe, float(lead))


def best_sessions(returns: pd.DataFrame, count: int, rival: str = "static_mix") -> np.ndarray:
    """The sessions in which the strategy gained most on the rival, by log growth: (n,) booleans.

    Args:
        returns: as for `without_sessions`.
        count: how many.
        rival: name of its column.
    """
    leads = np.log1p(returns["strategy"].to_numpy()) - np.log1p(returns[rival].to_numpy())
    chosen = np.zeros(len(leads), dtype=bool)
    chosen[np.argsort(-leads, kind="stable")[:count]] = True
    return chosen
