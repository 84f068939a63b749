"""The signal over time, as a table."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from data.clock import decision_times
from signals.explain.switches import Switch
from signals.liquidity import LiquiditySignal


def signal_history(signal: LiquiditySignal, switches: Sequence[Switch] | None = None) -> pd.DataFrame:
    """Lay everything that the signal decided, and why, side by side.

    Args:
        signal: over all sessions.
        switches: of `signals.explain.switches.regime_switches`, where they are to be explained.

    Returns:
        By session: ``decided_at`` (text, UTC), ``regime``, ``turned_by`` (the event or move that did it on the first
        session of a stay, else "") where switches are given, ``score``, ``live_blocks``; ``kind`` of scarcity and the
        ``young_blocks`` (names, with a space between) in form 2; ``probability_`` of each regime
        and ``gate_ratio``, ``gate_g``, ``gate_multiplier``, where the signal has them; then what each block and what
        each input gives to the score.
    """
    sessions = pd.DatetimeIndex(signal.score.index)
    frame = pd.DataFrame(
        {
            "decided_at": decision_times(sessions).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "regime": signal.regime.astype(str),
            "score": signal.score,
            "live_blocks": signal.live_blocks,
        },
        index=sessions,
    )
    if switches is not None:
        causes = pd.Series({switch.session: switch.cause for switch in switches}, dtype="str")
        frame.insert(2, "turned_by", causes.reindex(sessions).fillna(""))
    if signal.kind is not None:
        frame["kind"] = signal.kind
    if signal.young is not None:
        names = np.array([f"{name} " for name in signal.young], dtype=object)
        frame["young_blocks"] = [text.strip() for text in signal.young.to_numpy() @ names]
    parts = [frame]
    if signal.probability is not None:
        parts.append(signal.probability.add_prefix("probability_"))
    if signal.gate is not None:
        parts.append(signal.gate.add_prefix("gate_"))
    return pd.concat([*parts, signal.blocks, signal.inputs], axis=1).rename_axis("session")
