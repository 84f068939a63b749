"""The statistical jump model: two centers among the blocks, and a penalty on every change between them (jumpmodels).

Shu, Yu and Mulvey, "Downside risk reduction using regime-switching signals: a statistical jump model approach", Journal
of Asset Management 25 (2024). States are told online: of a session from the rows up to it, with centers of an earlier
fit. The library's `predict` and `labels_` know the future.
"""

from types import ModuleType

import numpy as np
import pandas as pd

from data.errors import InputError
from signals.config import SignalConfig
from signals.model_config import RegimeModelConfig
from signals.models.estimate import RegimeEstimate
from signals.models.fit_cache import Fit
from signals.models.two_states import SCORE, TwoStateModel, two_state_estimate

CLIP = 3.0  # standard deviations, on either side, as in the paper


def jump_model(score: pd.Series, blocks: pd.DataFrame, live_blocks: pd.Series, config: SignalConfig) -> RegimeEstimate:
    """Make regimes of the blocks; see `signals.models.two_states.two_state_estimate`. It has no probability.

    Raises:
        InputError: jumpmodels is not installed.
    """
    return two_state_estimate(JUMP, score, blocks, live_blocks, config)


def fit_jump(past: pd.DataFrame, config: RegimeModelConfig) -> Fit | None:
    """Fit two centers to the clipped and standardized blocks.

    Args:
        past: blocks, and the column `score` that tells the states apart.
        config: `jump_penalty`, `jump_starts`.

    Returns:
        Bounds of the clip, `mean` and `scale` of each clipped block in these rows alone, and `centers` (states by
        blocks) of the standardized ones, the state of the lower mean score first. None where all rows are in one state.
    """
    jump, preprocess = _jumpmodels()
    features = past.drop(columns=SCORE)
    clip, scaler = preprocess.DataClipperStd(mul=CLIP), preprocess.StandardScalerPD()
    standardized = scaler.fit_transform(clip.fit_transform(features))
    model = jump.JumpModel(
        n_components=2, jump_penalty=config.jump_penalty, n_init=config.jump_starts, random_state=0
    ).fit(standardized)
    means = past[SCORE].groupby(np.asarray(model.labels_)).mean()
    if len(means) < 2:
        return None
    return {
        "lower": np.asarray(clip.lb),
        "upper": np.asarray(clip.ub),
        "mean": scaler.scaler.mean_,
        "scale": scaler.scaler.scale_,
        "centers": np.asarray(model.centers_)[means.sort_values().index],
    }


def online_scarce(rows: pd.DataFrame, fit: Fit, config: RegimeModelConfig) -> np.ndarray:
    """1 where the rows up to a session put it into the scarce state, else 0.

    Args:
        rows: blocks, and the column `score`.
        fit: as `fit_jump` makes it.
        config: `jump_penalty`.
    """
    jump, _ = _jumpmodels()
    features = rows.drop(columns=SCORE).to_numpy(dtype="float64")
    standardized = (np.clip(features, fit["lower"], fit["upper"]) - fit["mean"]) / fit["scale"]
    model = jump.JumpModel(n_components=2, jump_penalty=config.jump_penalty)
    model.centers_, model.feat_weights = fit["centers"], None
    model.check_jump_penalty_mx()
    states: np.ndarray = np.asarray(model.predict_online(standardized), dtype="float64")
    return states


def _jumpmodels() -> tuple[ModuleType, ModuleType]:
    try:
        from jumpmodels import jump, preprocess
    except ImportError as error:
        raise InputError(
            'got signal.model.name "jump", but jumpmodels is not installed; '
            "install reverse-qe[evidence] or choose another model"
        ) from error
    return jump, preprocess


JUMP = TwoStateModel(
    name="jump",
    packages=("jumpmodels", "scikit-learn", "scipy", "numpy"),
    shapes=lambda blocks: dict.fromkeys(("lower", "upper", "mean", "scale"), (blocks,)) | {"centers": (2, blocks)},
    fit=fit_jump,
    scarce=online_scarce,
    has_probability=False,
)
