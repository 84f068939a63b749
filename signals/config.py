"""The parameters of the liquidity-regime signal."""

from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from data.files.user_code import Reference
from signals.model_config import RegimeModelConfig

EXTENSIONS = ("inputs", "blocks", "source")
Form = Literal[1, 2]
CreditSpread = Literal["BAA10Y", "BAMLH0A0HYM2", "BAMLH0A0HYM2_else_BAA10Y"]
HYPERSCALERS = ("MSFT", "GOOGL", "AMZN", "META", "ORCL")


FORM_1_ONLY: tuple[tuple[str, bool | float | str, str], ...] = (
    ("gate.enabled", True, "the drain is the level of the gate"),
    ("gate.stimulus", 0.5, "below the threshold the drain is negative by itself"),
    ("gate.level", False, "the level is not gated"),
    ("mark_joint_rises", False, "the price of capital is the joint move"),
    ("net_liquidity", "week_mean", "all members of the level are of one Wednesday"),
    ("policy_rate", "DFF", "repo is held against the interest on reserves, and before it against DFF"),
)
"""Options of form 1 that form 2 refuses: the key, the value that changes nothing, and why."""


class InputConfig(BaseModel):
    """One more input of a block, made from any series of the snapshot.

    Attributes:
        name: of the input inside its block.
        block: which block it joins, as one more member of the block's outermost average.
        series: name in the snapshot and in the catalogue, whose staleness limit holds.
        transform: "value", the newest observation known; "change" of that over `length` sessions; "mean" of the newest
            `length` observations.
        length: sessions for "change", observations for "mean", from 1; none for "value".
        scarcer_when: whether a higher or a lower value means scarcer money.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    block: str
    series: str
    transform: Literal["value", "change", "mean"] = "value"
    length: int | None = Field(default=None, ge=1)
    scarcer_when: Literal["higher", "lower"]

    @model_validator(mode="after")
    def _length_where_it_has_a_meaning(self) -> Self:
        if self.transform == "value" and self.length is not None:
            raise ValueError(f'got length {self.length} for transform "value", wanted none; take it out')
        if self.transform != "value" and self.length is None:
            unit = "sessions" if self.transform == "change" else "observations"
            raise ValueError(f'got no length for transform "{self.transform}", wanted a number of {unit}; add it')
        return self


class GateConfig(BaseModel):
    """The threshold of idle money, see `signals.capex.gate`.

    The defaults were set before any result was seen: `ratio` is the middle of 0.4 to 0.6, `width` takes the gate from
    about 0.1 to about 0.9 within 0.1 on either side of it, and `stimulus` is a half.

    Attributes:
        enabled: whether the growth of capex counts by the state of the gate. Off, the ratio is an input of the drain.
        ratio: of trailing capex to operating cash flow at which half of the idle money is gone, above 0.
        width: of the transition, in units of the ratio, above 0; 4.4 of them lead from 0.1 to 0.9.
        stimulus: strength of capex as a stimulus while idle money abounds, against its strength as a drain when it is
            gone, from 0 to 1.
        level: whether a fall of net liquidity counts by the state of the gate as well.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    enabled: bool = True
    ratio: float = Field(default=0.5, gt=0)
    width: float = Field(default=0.05, gt=0)
    stimulus: float = Field(default=0.5, ge=0, le=1)
    level: bool = False

    @model_validator(mode="after")
    def _level_needs_the_gate(self) -> Self:
        if self.level and not self.enabled:
            raise ValueError("got level true with the gate off, wanted enabled true; the level needs the gate's state")
        return self


class SignalConfig(BaseModel):
    """How observations become a score and a regime. The defaults were set before any result was seen.

    All blocks weigh the same; their weights are no parameter.

    Attributes:
        form: of the signal: 1, that of version 0.1.0; 2, see docs/decisions/form-2.md. What a parameter below is said
            to do holds for form 1; form 2 uses those with a meaning in it, and refuses the others (`FORM_1_ONLY`).
        events: tables of capex, guidance, funding, paces and coverage: "market", those of the market; "2026-10", the
            edition that version 0.1.0 shipped.
        window_sessions: length of the trailing window of every z-score and block scale, in sessions, from 2.
        min_window_sessions: values that a z-score needs inside its window, from 2 to `window_sessions`.
        clip: bound of a z-score on either side, in standard deviations, above 0.
        min_scale_sessions: values that a block's scale needs inside its window, from 2 to `window_sessions`.
        companies: whose capex and operating cash flow are summed; every one is needed, at least one.
        capex_stale_days: calendar days from the end of a company's newest quarter to the decision after which its
            figures are too old to use, from 1; and from the newest event on, after which news or funding are missing.
        gate: the threshold of idle money.
        capex_events: whether news in results and in guidance are inputs of the drain, see `signals.capex.news`.
        further_event_companies: whose announcements are news beside those of `companies`. None of them is needed: each
            counts from when enough of its quarters are known.
        event_half_life_sessions: half-life of the news of an announcement, in sessions, above 0; a quarter's worth.
        outside_funding: whether money raised outside is a second reading of the drain, see `signals.capex.funding`.
        funding_half_life_sessions: half-life of the money of one act of funding, in sessions, above 0; a quarter's
            worth.
        change_sessions: horizons of the changes of yields and spreads, in sessions, each from 1.
        credit_spread: series of the credit spread: that of Baa companies (default), that of high-yield ones, or the
            high-yield one where its change has a z-score and the other elsewhere.
        mark_joint_rises: whether an input of its own marks sovereign yields and credit spreads rising together.
        level_change_sessions: horizon of the change of net liquidity, in sessions, from 1.
        net_liquidity: how form 1 joins its members: with the mean of the week of the Treasury's account, as version
            0.1.0, or all of one Wednesday, as form 2.
        policy_rate: what the repo rate is compared with: the effective federal funds rate, or the interest on reserve
            balances, which starts in 2021-07.
        pipes_mean_observations: observations in the mean of the repo rate less the policy rate, from 1.
        half_life_sessions: half-life of the score's exponential smoothing, in sessions, above 0.
        enter: score beyond which NEUTRAL becomes SCARCE (below minus `enter`: ABUNDANT), above `leave`.
        leave: score below which SCARCE returns to NEUTRAL (above minus `leave`: ABUNDANT does), above 0.
        dwell_sessions: sessions that a regime holds at least, from 1.
        inputs: further inputs of the blocks.
        blocks: further blocks, ``file.py:name`` each, of the kind `signals.block.BlockBuilder`.
        source: path of a CSV file of regimes or scores that stands in the place of all blocks; see `signals.source`.
        model: what makes a regime of the score, see `signals.model_config`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    form: Form = 2
    events: Literal["market", "2026-10"] = "market"
    window_sessions: int = Field(default=756, ge=2)
    min_window_sessions: int = Field(default=252, ge=2)
    clip: float = Field(default=3.0, gt=0)
    min_scale_sessions: int = Field(default=126, ge=2)
    companies: tuple[str, ...] = Field(default=HYPERSCALERS, min_length=1)
    capex_stale_days: int = Field(default=200, ge=1)
    gate: GateConfig = GateConfig()
    capex_events: bool = True
    further_event_companies: tuple[str, ...] = ("CRWV",)
    event_half_life_sessions: float = Field(default=63.0, gt=0)
    outside_funding: bool = True
    funding_half_life_sessions: float = Field(default=63.0, gt=0)
    change_sessions: tuple[int, ...] = Field(default=(20, 60), min_length=1)
    credit_spread: CreditSpread = "BAA10Y"
    mark_joint_rises: bool = False
    level_change_sessions: int = Field(default=63, ge=1)
    net_liquidity: Literal["week_mean", "one_wednesday"] = "week_mean"
    policy_rate: Literal["DFF", "IORB"] = "DFF"
    pipes_mean_observations: int = Field(default=5, ge=1)
    half_life_sessions: float = Field(default=10.0, gt=0)
    enter: float = 0.4
    leave: float = Field(default=0.2, gt=0)
    dwell_sessions: int = Field(default=10, ge=1)
    inputs: tuple[InputConfig, ...] = ()
    blocks: tuple[Reference, ...] = ()
    source: str | None = Field(default=None, min_length=1)
    model: RegimeModelConfig = RegimeModelConfig()

    @field_validator("companies", "further_event_companies", "change_sessions")
    @classmethod
    def _name_each_once(cls, items: tuple[str | int, ...]) -> tuple[str | int, ...]:
        if len(set(items)) < len(items):
            raise ValueError(f"got {', '.join(map(str, items))}, wanted each once")
        return items

    @field_validator("change_sessions")
    @classmethod
    def _look_back(cls, horizons: tuple[int, ...]) -> tuple[int, ...]:
        if min(horizons) < 1:
            raise ValueError(f"got a change over {min(horizons)} sessions, wanted 1 or more")
        return horizons

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if not self.leave < self.enter:
            raise ValueError(f"got enter {self.enter} and leave {self.leave}, wanted leave below enter")
        for name in ("min_window_sessions", "min_scale_sessions"):
            if getattr(self, name) > self.window_sessions:
                raise ValueError(
                    f"got {name} {getattr(self, name)}, wanted at most window_sessions, which is {self.window_sessions}"
                )
        return self

    @model_validator(mode="after")
    def _form_has_a_meaning_for_all(self) -> Self:
        if self.form == 1:
            return self
        for name, default, reason in FORM_1_ONLY:
            value = getattr(self.gate, name[5:]) if name.startswith("gate.") else getattr(self, name)
            if value != default:
                got, wanted = (str(each).lower() if isinstance(each, bool) else each for each in (value, default))
                raise ValueError(f"got {name} {got} in form 2, wanted {wanted}: {reason}; take it out, or set form 1")
        return self

    @model_validator(mode="after")
    def _source_alone(self) -> Self:
        if self.source is not None and (self.inputs or self.blocks):
            raise ValueError("got a source beside inputs or blocks, wanted one of them: a source replaces all blocks")
        if self.source is not None and self.model.name != "threshold":
            raise ValueError(
                f'got a source beside the model "{self.model.name}", wanted the model "threshold": '
                "nothing is fitted to a source"
            )
        return self

    @model_serializer(mode="wrap")
    def _without_unused_extensions(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A spec that names no files and no inputs reads as if there were none to name."""
        values: dict[str, Any] = dump(self)
        return {name: value for name, value in values.items() if value or name not in EXTENSIONS}
