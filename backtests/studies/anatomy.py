"""Where a signal speaks and what it made, cut in ways that one number hides: by ratio, by year, stay by stay."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from backtests.studies.ablation import regime_shares
from signals.liquidity import LiquiditySignal
from signals.scarcity import GONE

EDGES = (0.45, 0.5, 0.6)
"""Ratios of capex to operating cash flow that part the bands."""
QUARTER = 63
"""Sessions for which a crossing must hold to be one of its own: in them every company reports once."""


def shares_by_ratio(
    signal: LiquiditySignal, sessions: pd.DatetimeIndex, edges: Sequence[float] = EDGES
) -> pd.DataFrame:
    """Share the sessions of each band of the gate's ratio among the regimes.

    Args:
        signal: with a gate.
        sessions: those of a run.
        edges: increasing.

    Returns:
        Indexed by band ("up to 0.45", "0.45 to 0.50", ..., "above 0.60"): ``sessions``, and the share of each regime
        (NaN in a band without a session). A session without a ratio is in none.
    """
    ratio = (
        np.asarray(signal.gate["ratio"].reindex(sessions))
        if signal.gate is not None
        else np.full(len(sessions), np.nan)
    )
    bounds = [-np.inf, *edges, np.inf]
    names = [
        f"up to {edges[0]:.2f}",
        *(f"{low:.2f} to {high:.2f}" for low, high in pairwise(edges)),
        f"above {edges[-1]:.2f}",
    ]
    inside = {
        name: sessions[(ratio > low) & (ratio <= high)]
        for name, (low, high) in zip(names, pairwise(bounds), strict=True)
    }
    return pd.DataFrame({name: _shares(signal, days) for name, days in inside.items()}).T


def shares_by_year(signal: LiquiditySignal, sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """Share the sessions of each year among the regimes: columns as of `shares_by_ratio`, indexed by year."""
    years = sorted(set(sessions.year))
    return pd.DataFrame({year: _shares(signal, sessions[sessions.year == year]) for year in years}).T


def gate_crossings(signal: LiquiditySignal, hold: int = QUARTER) -> pd.DataFrame:
    """Find how often the gate has passed its middle for good: each such crossing is one trial of the idea.

    Args:
        signal: with a gate.
        hold: sessions for which g must stay on the new side; a side on which it stays for less is none.

    Returns:
        Columns ``session``, the first on the new side, and ``opens``, True where g rises above a half.
    """
    g = signal.gate["g"].dropna() if signal.gate is not None else pd.Series(dtype=float)
    above = g > GONE
    stays = above.groupby((above != above.shift()).cumsum()).agg(["first", "size"])
    begins = above.index[(above != above.shift()).to_numpy()]
    rows, side = [], None
    for begin, (opens, size) in zip(begins, stays.itertuples(index=False), strict=True):
        if size >= hold and opens != side:
            if side is not None:
                rows.append({"session": begin, "opens": bool(opens)})
            side = opens
    return pd.DataFrame(rows, columns=["session", "opens"])


def first_live(signal: LiquiditySignal) -> pd.Series:
    """The first session on which each input has a value; NaT for one that never has."""
    return pd.Series(
        {name: values.first_valid_index() for name, values in signal.values.items()}, dtype="datetime64[us]"
    )


def stay_leads(rotations: pd.DataFrame) -> pd.DataFrame:
    """What each stay in a regime added to the static mix, in the order of time.

    Args:
        rotations: see `backtests.measures.rotations.rotation_table`.

    Returns:
        Columns start, end, sessions, regime; ``lead``, log growth of the strategy less that of the static mix, and
        ``share``, that over the sum of all (NaN where the sum is not above 0). A stay in which one of them lost
        everything has a lead without meaning (-inf, inf or NaN).
    """
    table = rotations[["start", "end", "sessions", "regime"]].copy()
    with np.errstate(divide="ignore", invalid="ignore"):
        table["lead"] = np.log1p(rotations["strategy"]) - np.log1p(rotations["static_mix"])
    whole = table["lead"].sum()
    return table.assign(share=table["lead"] / whole if whole > 0 else np.nan)


def _shares(signal: LiquiditySignal, sessions: pd.DatetimeIndex) -> dict[str, float]:
    shares = regime_shares(signal, sessions)
    return {"sessions": len(sessions), **(shares if len(sessions) else dict.fromkeys(shares, np.nan))}
