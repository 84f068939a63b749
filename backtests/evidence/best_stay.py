"""How much of a result is one decision: the stay in a regime in which the strategy gained most on the static mix."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.evidence.left_out import without_sessions


@dataclass(frozen=True)
class BestStay:
    """A stay in a regime, and the run without what it brought: as if the static mix had been held in it.

    Attributes:
        start: first session.
        end: last session.
        sessions: their number.
        regime: that was held.
        gain: by which the strategy outgrew the static mix in the stay, as a fraction.
        whole_gain: the same over the run.
        share: of the gain of the run, in log growth; above 1 where the other stays lost. None where there was no gain.
        final_equity_usd: of the run without the stay.
        sharpe: of the run without the stay; None where it has no meaning.
    """

    start: pd.Timestamp
    end: pd.Timestamp
    sessions: int
    regime: str
    gain: float
    whole_gain: float
    share: float | None
    final_equity_usd: float
    sharpe: float | None


def best_stay(
    rotations: pd.DataFrame, returns: pd.DataFrame, risk_free: pd.Series, initial_cash: float
) -> BestStay | None:
    """Find the stay that made most, and take it away.

    Args:
        rotations: see `backtests.measures.rotations.rotation_table`.
        returns: by session, the columns strategy and static_mix.
        risk_free: daily, on the same sessions.
        initial_cash: US dollars.

    Returns:
        None where one of the two lost everything, so that growth has no logarithm.
    """
    if (returns[["strategy", "static_mix"]] <= -1.0).any(axis=None):
        return None
    leads = (np.log1p(rotations["strategy"]) - np.log1p(rotations["static_mix"])).to_numpy()
    stay, lead, whole = rotations.iloc[int(leads.argmax())], float(leads.max()), float(leads.sum())
    without = without_sessions(returns, sessions_of(returns.index, rotations.iloc[[int(leads.argmax())]]), risk_free)
    return BestStay(
        start=stay["start"],
        end=stay["end"],
        sessions=int(stay["sessions"]),
        regime=str(stay["regime"]),
        gain=float(np.expm1(lead)),
        whole_gain=float(np.expm1(whole)),
        share=lead / whole if whole > 0 else None,
        final_equity_usd=initial_cash * without.growth,
        sharpe=without.sharpe,
    )


def sessions_of(sessions: pd.Index, stays: pd.DataFrame) -> np.ndarray:
    """Whether each session lies in one of some stays: (n,) booleans."""
    inside = np.zeros(len(sessions), dtype=bool)
    for start, end in zip(stays["start"], stays["end"], strict=True):
        inside |= np.asarray((sessions >= start) & (sessions <= end))
    return inside
