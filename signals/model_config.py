"""The parameters of the regime models."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

ModelName = Literal["threshold", "markov_switching", "jump"]


class RegimeModelConfig(BaseModel):
    """Which model makes a regime of the score. Only `name` has a meaning for the threshold model.

    Attributes:
        name: "threshold", the two thresholds of the score; "markov_switching", two means of the score; "jump", two
            centers among the blocks. The last two are fitted on the past.
        first_fit_sessions: sessions, from the first on which two blocks live, before a model is first fitted, from 100;
            the regime is NEUTRAL before.
        refit_sessions: sessions from one fit to the next, from 1.
        window_sessions: newest earlier sessions that a fit uses at most, from `first_fit_sessions`.
        certainty: probability of a state above which its regime is wanted, from 0.5 to below 1; NEUTRAL where no state
            reaches it ("markov_switching" only).
        jump_penalty: what a change of state costs, in halves of squared distance to a center, where every block has
            unit deviation; from 0 ("jump" only).
        jump_starts: random starts of a fit, the best of which stands, from 1 to 100 ("jump" only).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: ModelName = "threshold"
    first_fit_sessions: int = Field(default=756, ge=100)
    refit_sessions: int = Field(default=126, ge=1)
    window_sessions: int = Field(default=3000, ge=100)
    certainty: float = Field(default=0.8, ge=0.5, lt=1)
    jump_penalty: float = Field(default=50.0, ge=0)
    jump_starts: int = Field(default=10, ge=1, le=100)

    @model_validator(mode="after")
    def _window_holds_the_first_fit(self) -> Self:
        if self.window_sessions < self.first_fit_sessions:
            raise ValueError(
                f"got window_sessions {self.window_sessions}, wanted at least first_fit_sessions, which is "
                f"{self.first_fit_sessions}"
            )
        return self
