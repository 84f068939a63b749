"""Models of two states, fitted on the past on a schedule, and carried forward from there row by row."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from signals.config import SignalConfig
from signals.model_config import RegimeModelConfig
from signals.models.estimate import RegimeEstimate
from signals.models.fit_cache import Fit, Shapes, kept_fit
from signals.regime import MIN_LIVE_BLOCKS, Regime, held_regimes

SCORE = "score"


@dataclass(frozen=True)
class TwoStateModel:
    """A scarce state and an abundant one, told apart by the score: it is higher, on average, in the scarce one.

    Attributes:
        name: as in `RegimeModelConfig`.
        packages: what a fit depends on, besides our own code and the rows.
        shapes: of the parameters of a fit, by the number of blocks.
        fit: makes parameters of past rows; None where it does not converge or finds one state alone.
        scarce: probability of the scarce state by row, each from the rows up to itself; shape (rows,), in [0, 1].
        has_probability: False where `scarce` is 0 or 1 and no probability.
    """

    name: str
    packages: tuple[str, ...]
    shapes: Callable[[int], Shapes]
    fit: Callable[[pd.DataFrame, RegimeModelConfig], Fit | None]
    scarce: Callable[[pd.DataFrame, Fit, RegimeModelConfig], np.ndarray]
    has_probability: bool


@dataclass(frozen=True)
class ForwardPass:
    """A model's fits, each carried forward until the next.

    Attributes:
        scarce: probability of the scarce state by session; NaN before the first fit that succeeded.
        fitted_for: first session of each period for which a fit was tried.
        failed: those of them whose fit failed; the parameters of the period before stayed.
    """

    scarce: pd.Series
    fitted_for: tuple[pd.Timestamp, ...]
    failed: tuple[pd.Timestamp, ...]


def two_state_estimate(
    model: TwoStateModel, score: pd.Series, blocks: pd.DataFrame, live_blocks: pd.Series, config: SignalConfig
) -> RegimeEstimate:
    """Make regimes of a model of two states; for the arguments see `signals.models.estimate.RegimeModel`.

    SCARCE is wanted while the probability of the scarce state is above `config.model.certainty`, ABUNDANT while that of
    the other is, NEUTRAL in between: the model has no third state, NEUTRAL says that it is not sure. Before the first
    fit, and while fewer than two blocks live, the regime is NEUTRAL and so is the probability. How long a regime holds:
    see `signals.regime.held_regimes`; probabilities are shown as they are.
    """
    rows = blocks.assign(**{SCORE: score})
    live = live_blocks >= MIN_LIVE_BLOCKS
    # Rows before two blocks live are of another signal: they are not fitted on.
    begin = int(live.to_numpy().argmax()) if live.any() else len(rows)
    forward = fitted_forward(model, rows.iloc[begin:], config.model)
    scarce = forward.scarce.reindex(score.index).where(live)
    wanted = [_wanted(probability, config.model.certainty) for probability in scarce]
    regime = held_regimes(lambda _, row: wanted[row], live_blocks, config.dwell_sessions)
    probability = _probability(scarce) if model.has_probability else None
    return RegimeEstimate(regime, probability, _notes(model, forward))


def fitted_forward(model: TwoStateModel, rows: pd.DataFrame, config: RegimeModelConfig) -> ForwardPass:
    """Fit a model on a schedule, each time on earlier rows only, and carry each fit forward.

    Args:
        model: of two states.
        rows: sessions by `score` and the blocks; no NaN.
        config: `first_fit_sessions`, `refit_sessions`, `window_sessions`, and the parameters of the model.

    Returns:
        On every row what the newest fit before it and the rows up to it say.
    """
    scarce = np.full(len(rows), np.nan)
    fitted_for: list[pd.Timestamp] = []
    failed: list[pd.Timestamp] = []
    fit: Fit | None = None
    for start in range(config.first_fit_sessions, len(rows), config.refit_sessions):
        period, window = slice(start, start + config.refit_sessions), max(0, start - config.window_sessions)
        past = rows.iloc[window:start]
        newest = kept_fit(model.name, model.packages, model.fit, past, config, model.shapes(past.shape[1] - 1))
        fitted_for.append(rows.index[start])
        if newest is None:
            failed.append(rows.index[start])
        fit = newest or fit
        if fit is not None:
            scarce[period] = model.scarce(rows.iloc[window : period.stop], fit, config)[start - window :]
    return ForwardPass(pd.Series(scarce, index=rows.index), tuple(fitted_for), tuple(failed))


def _wanted(scarce: float, certainty: float) -> Regime:
    if scarce > certainty:
        return Regime.SCARCE
    if scarce < 1 - certainty:
        return Regime.ABUNDANT
    return Regime.NEUTRAL  # NaN too


def _probability(scarce: pd.Series) -> pd.DataFrame:
    silent = scarce.isna()
    columns = {
        Regime.ABUNDANT: (1.0 - scarce).mask(silent, 0.0),
        Regime.NEUTRAL: silent.astype(float),
        Regime.SCARCE: scarce.mask(silent, 0.0),
    }
    return pd.DataFrame({regime.value: column for regime, column in columns.items()})


def _notes(model: TwoStateModel, forward: ForwardPass) -> tuple[str, ...]:
    spoken = forward.scarce.dropna().index
    if spoken.empty:
        return (f"The regime model {model.name} was never fitted: the regime is NEUTRAL throughout.",)
    notes = [f"The regime model {model.name} speaks from {spoken[0].date()} on: the regime is NEUTRAL before."]
    if forward.failed:
        notes.append(
            f"{len(forward.failed)} of {len(forward.fitted_for)} fits of {model.name} failed, the first for "
            f"{forward.failed[0].date()}: the parameters before stayed."
        )
    return tuple(notes)
