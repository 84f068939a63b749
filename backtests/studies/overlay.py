"""A regime laid over one asset: in it, or out of it in cash. What published studies of regime models account."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.measures.performance import Performance, performance
from data.errors import InputError

BASIS_POINTS = 10_000.0


@dataclass(frozen=True)
class Overlay:
    """What an overlay came to.

    Attributes:
        returns: daily, by session, after costs; fractions.
        performance: of `returns`, over cash that earns nothing.
        switches: changes of the position in these sessions.
    """

    returns: pd.Series
    performance: Performance
    switches: int


def overlay(path: pd.Series, asset_returns: pd.Series, delay_sessions: int = 1, cost_bp: float = 10.0) -> Overlay:
    """Hold an asset on the sessions on which a path says so, and cash, which earns nothing, on the others.

    The path of a session is known at its close. With a delay of 0 it earns the next session's return; each session of
    delay moves that one further. The account begins in its first position, without a cost; every later change costs.

    Args:
        path: 1 in the asset, 0 out of it, by session.
        asset_returns: daily returns of the asset, fractions, on the sessions of `path`.
        delay_sessions: from 0.
        cost_bp: of a change of position, basis points of the value traded, one way; from 0.

    Returns:
        The account, from the first session on which a position is known.

    Raises:
        InputError: a path of other values than 0 and 1, other sessions, a negative delay or cost, or too few sessions.
    """
    _require(path, asset_returns, delay_sessions, cost_bp)
    position = path.astype("float64").shift(1 + delay_sessions).iloc[1 + delay_sessions :]
    changes = position.diff().abs().fillna(0.0)
    returns = position * asset_returns.reindex(position.index) - changes * cost_bp / BASIS_POINTS
    without_interest = pd.Series(0.0, index=returns.index)
    return Overlay(returns, performance(returns, without_interest), int(changes.sum()))


def _require(path: pd.Series, asset_returns: pd.Series, delay_sessions: int, cost_bp: float) -> None:
    if not path.isin([0, 1]).all():
        raise InputError(f"path: got {path[~path.isin([0, 1])].iloc[0]}, wanted 0 (out) or 1 (in) for every session")
    if not path.index.equals(asset_returns.index):
        raise InputError(
            f"asset_returns: got {len(asset_returns)} sessions, wanted the {len(path)} of the path; align them first"
        )
    if delay_sessions < 0 or not (np.isfinite(cost_bp) and cost_bp >= 0):
        raise InputError(f"got a delay of {delay_sessions} and a cost of {cost_bp} bp, wanted 0 or more of both")
    if len(path) <= 1 + delay_sessions:
        raise InputError(f"path: got {len(path)} sessions, wanted more than the {1 + delay_sessions} of the delay")
