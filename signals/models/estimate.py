"""What a regime model says, and what it is asked."""

from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from signals.config import SignalConfig


@dataclass(frozen=True)
class RegimeEstimate:
    """The regime of every session, as its decision could tell it.

    Attributes:
        regime: names of `signals.regime.Regime`, by session.
        probability: sessions by the names of `Regime`; no NaN, rows add up to 1. None for a model that has none.
        notes: sentences on what people must know of the fit.
    """

    regime: pd.Series
    probability: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()


class RegimeModel(Protocol):
    """A function that makes regimes; the row of a session follows from the rows up to it alone."""

    def __call__(
        self, score: pd.Series, blocks: pd.DataFrame, live_blocks: pd.Series, config: SignalConfig
    ) -> RegimeEstimate:
        """Make the regimes.

        Args:
            score: one a session, + means scarcer; no NaN.
            blocks: what each block gives to the score, sessions by blocks; no NaN.
            live_blocks: number of blocks with a value, by session.
            config: of the signal; the model's own parameters are in `config.model`.
        """
