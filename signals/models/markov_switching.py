"""Markov switching: the score varies about one of two means, and changes between them by chance (statsmodels).

The probability of a state is the filtered one: of a session given the rows up to it, with parameters of an earlier fit.
The smoothed one knows the future.
"""

import warnings
from typing import Any

import numpy as np
import pandas as pd

from data.errors import InputError
from signals.config import SignalConfig
from signals.model_config import RegimeModelConfig
from signals.models.estimate import RegimeEstimate
from signals.models.fit_cache import Fit
from signals.models.two_states import SCORE, TwoStateModel, two_state_estimate

STAY = 0.98  # probability a session of staying in a state, at which the search begins


def markov_switching_model(
    score: pd.Series, blocks: pd.DataFrame, live_blocks: pd.Series, config: SignalConfig
) -> RegimeEstimate:
    """Make regimes of the score; see `signals.models.two_states.two_state_estimate`.

    Raises:
        InputError: statsmodels is not installed.
    """
    return two_state_estimate(MARKOV_SWITCHING, score, blocks, live_blocks, config)


def fit_markov_switching(past: pd.DataFrame, config: RegimeModelConfig) -> Fit | None:
    """Fit two means, one variance and the chances of a change to the score, by maximum likelihood.

    The variance is common to both states, so that they differ in level alone: that is what their names say. The search
    begins at the means above and below the overall mean; from the library's own start it often ends where both states
    are one.

    Args:
        past: with the column `score`.
        config: not used.

    Returns:
        `center` and `scale` of the score, and `parameters` of the standardized score in the order of statsmodels, the
        state of the lower mean first. None where the search does not converge, or the states do not differ.
    """
    values = past[SCORE].to_numpy(dtype="float64")
    center, scale = values.mean(), values.std()
    if not scale > 0:
        return None
    z = (values - center) / scale
    above = z > 0
    start = [STAY, 1 - STAY, z[~above].mean(), z[above].mean(), z[~above].var() / 2 + z[above].var() / 2]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what they say is asked for below
        try:
            result = _regression(z).fit(start_params=start, em_iter=0, cov_type="none", disp=False)
        except (ValueError, RuntimeError, np.linalg.LinAlgError):
            return None
    parameters = np.asarray(result.params, dtype="float64")
    low, high = parameters[2:4]
    if not (result.mle_retvals["converged"] and np.isfinite(parameters).all() and abs(high - low) > 1e-6):
        return None
    if low > high:
        stay, back, low, high, variance = parameters
        parameters = np.array([1 - back, 1 - stay, high, low, variance])
    return {"center": np.array(center), "scale": np.array(scale), "parameters": parameters}


def filtered_scarce(rows: pd.DataFrame, fit: Fit, config: RegimeModelConfig) -> np.ndarray:
    """Probability that a session is in the state of the higher mean, given the rows up to it.

    Args:
        rows: with the column `score`.
        fit: as `fit_markov_switching` makes it.
        config: not used.
    """
    z = (rows[SCORE].to_numpy(dtype="float64") - fit["center"]) / fit["scale"]
    result = _regression(z).filter(fit["parameters"], cov_type="none")
    probability: np.ndarray = np.asarray(result.filtered_marginal_probabilities)[:, 1]
    return probability


def _regression(values: np.ndarray) -> Any:
    try:
        from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression
    except ImportError as error:
        raise InputError(
            'got signal.model.name "markov_switching", but statsmodels is not installed; '
            "install reverse-qe[evidence] or choose another model"
        ) from error
    return MarkovRegression(values, k_regimes=2)


MARKOV_SWITCHING = TwoStateModel(
    name="markov_switching",
    packages=("statsmodels", "scipy", "numpy"),
    shapes=lambda _blocks: {"center": (), "scale": (), "parameters": (5,)},
    fit=fit_markov_switching,
    scarce=filtered_scarce,
    has_probability=True,
)
