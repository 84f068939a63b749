"""The regime models by name."""

from collections.abc import Mapping

import pandas as pd

from signals.config import SignalConfig
from signals.model_config import ModelName
from signals.models.estimate import RegimeEstimate, RegimeModel
from signals.models.jump import JUMP, jump_model
from signals.models.markov_switching import MARKOV_SWITCHING, markov_switching_model
from signals.models.threshold import threshold_model

MODELS: Mapping[ModelName, RegimeModel] = {
    "threshold": threshold_model,
    "markov_switching": markov_switching_model,
    "jump": jump_model,
}


def regime_estimate(
    score: pd.Series, blocks: pd.DataFrame, live_blocks: pd.Series, config: SignalConfig
) -> RegimeEstimate:
    """Make regimes by the model that `config.model.name` names; see `signals.models.estimate.RegimeModel`."""
    return MODELS[config.model.name](score, blocks, live_blocks, config)


def model_packages(config: SignalConfig) -> tuple[str, ...]:
    """Packages, beside those of the core, on which the regimes of the configured model depend."""
    return {"markov_switching": MARKOV_SWITCHING.packages, "jump": JUMP.packages}.get(config.model.name, ())
