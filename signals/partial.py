"""The regimes that a part of the signal would give by itself: rivals that the whole must beat."""

import pandas as pd

from signals.config import SignalConfig
from signals.liquidity import LiquiditySignal
from signals.models.registry import regime_estimate
from signals.regime import MIN_LIVE_BLOCKS, regime_path


def regimes_without(signal: LiquiditySignal, block: str, config: SignalConfig) -> pd.Series | None:
    """The regimes that the other blocks give: the block counts as one without data, and the others are not raised.

    Args:
        signal: whole.
        block: that is taken away.
        config: of the signal; its regime model is asked again.

    Returns:
        Names of `signals.regime.Regime` by session of the signal; None where it has no such block.
    """
    if signal.live is None or block not in signal.live:
        return None
    contributions = signal.blocks.assign(**{block: 0.0})
    live_blocks = signal.live.drop(columns=block).sum(axis=1).astype(int)
    score = pd.Series(contributions.to_numpy().sum(axis=1), contributions.index, name="score")
    return regime_estimate(score, contributions, live_blocks, config).regime


def gate_regimes(signal: LiquiditySignal, config: SignalConfig) -> pd.Series | None:
    """The regimes that the gate of idle money gives alone: its g, from -1 to +1, walks the thresholds as a score does.

    Args:
        signal: whole.
        config: `enter`, `leave`, `dwell_sessions`.

    Returns:
        Names of `signals.regime.Regime` by session of the signal, NEUTRAL where the gate is not known; None where the
        signal has no gate.
    """
    if signal.gate is None:
        return None
    g = signal.gate["g"]
    return regime_path((2.0 * g - 1.0).fillna(0.0).rename("score"), g.notna() * MIN_LIVE_BLOCKS, config)
