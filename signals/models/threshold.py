"""The default regime model: two thresholds of the score, nothing fitted."""

import pandas as pd

from signals.config import SignalConfig
from signals.models.estimate import RegimeEstimate
from signals.regime import regime_path


def threshold_model(
    score: pd.Series, blocks: pd.DataFrame, live_blocks: pd.Series, config: SignalConfig
) -> RegimeEstimate:
    """Walk the thresholds of `signals.regime.regime_path`; see `signals.models.estimate.RegimeModel`."""
    return RegimeEstimate(regime_path(score, live_blocks, config))
