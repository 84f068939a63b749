"""From a regime to target weights: what does not depend on holdings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from data.catalogue.instruments import AssetClass
from data.errors import InputError
from data.files.user_code import Reference
from strategies.limits import (
    WINDOW_HALF_LIVES,
    limit_asset_classes,
    limit_exposure,
    limit_volatility,
    proportional_shares,
)
from strategies.rebalancing import RebalanceCalendar, rebalance_sessions
from strategies.universe import BASKETS, Universe

# Probabilities of a session that miss 1 by more than this are no probabilities.
ROUNDING = 1e-9


class Budget(BaseModel):
    """Share of equity that each basket gets in one regime; what is left of 1 stays in cash."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    speculative: float = Field(ge=0, le=1)
    cash_flow: float = Field(ge=0, le=1)
    reserve: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _no_leverage(self) -> Self:
        total = self.speculative + self.cash_flow + self.reserve
        if total > 1 + 1e-12:
            parts = ", ".join(f"{name} {share:g}" for name, share in self)
            raise ValueError(
                f"the budgets add up to {total:g} ({parts}), wanted at most 1: borrowing is not supported; lower "
                "another one too"
            )
        return self


class Budgets(BaseModel):
    """The budget of every regime; a share that is left out of one keeps its default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ABUNDANT: Budget = Budget(speculative=0.8, cash_flow=0.2, reserve=0.0)
    NEUTRAL: Budget = Budget(speculative=0.4, cash_flow=0.4, reserve=0.2)
    SCARCE: Budget = Budget(speculative=0.0, cash_flow=0.8, reserve=0.2)

    @model_validator(mode="before")
    @classmethod
    def _over_defaults(cls, given: Any) -> Any:
        """Put what is given over the defaults, share by share."""
        if not isinstance(given, dict):
            return given
        merged = dict(given)
        for regime, field in cls.model_fields.items():
            if isinstance(given.get(regime), dict):
                merged[regime] = {**field.default.model_dump(), **given[regime]}
        return merged


class AssetClassCaps(BaseModel):
    """Largest weight of all instruments of an asset class outside the reserve, as a share of equity; 1 is none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    crypto: float = Field(default=1.0, ge=0, le=1)
    us_stock: float = Field(default=1.0, ge=0, le=1)
    us_etf: float = Field(default=1.0, ge=0, le=1)


class PolicyConfig(BaseModel):
    """How a regime becomes weights.

    The class caps, the exposure ceiling and the volatility target, in this order, also limit the weights of `function`.

    Attributes:
        budgets: share of equity by regime and basket.
        blend_by_probability: average the budgets by the probabilities of the regimes, session by session. It asks for a
            signal that has probabilities.
        weighting: inside a basket, equal weights or weights in inverse proportion to volatility.
        volatility_sessions: sessions of returns that the volatility is measured over (``inverse_volatility`` only).
        instrument_cap: largest weight of one instrument outside the reserve, as a share of equity.
        asset_class_caps: the same of all instruments of a class together.
        exposure_ceiling: largest share of equity outside the reserve.
        volatility_target: volatility, as a fraction a year, to which what is outside the reserve is scaled down where
            it is above it, never up. None: off.
        volatility_half_life: half-life of the returns behind that volatility, in sessions; 20 to 60 are usual.
        rebalance: when the book is brought to its targets: on the first session of each month or week, each session, or
            at changes of regime alone; always at those, at the start, and when a held instrument must be sold.
        function: ``file.py:name`` of a function that makes the weights in the place of `target_weights`, with the same
            first five arguments. The baselines keep `target_weights`.
        weights: CSV file of target weights that another tool has made, in the place of `target_weights`; see
            `strategies.given_weights.read_weights`. The book is brought to a row when it is known, beside the calendar;
            changes of regime mean nothing to it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    budgets: Budgets = Budgets()
    blend_by_probability: bool = False
    weighting: Literal["equal", "inverse_volatility"] = "equal"
    volatility_sessions: int = Field(default=60, ge=20, le=756)
    instrument_cap: float = Field(default=0.3, gt=0, le=1)
    asset_class_caps: AssetClassCaps = AssetClassCaps()
    exposure_ceiling: float = Field(default=1.0, gt=0, le=1)
    volatility_target: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    volatility_half_life: int = Field(default=40, ge=5, le=252)
    rebalance: RebalanceCalendar = "monthly"
    function: Reference | None = None
    weights: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _one_maker_of_weights(self) -> Self:
        if self.blend_by_probability and self.function is not None:
            raise ValueError(
                "blend_by_probability is of the built-in policy, in whose place function stands; take one of them out"
            )
        if self.weights is not None and (self.function is not None or self.blend_by_probability):
            other = "function" if self.function is not None else "blend_by_probability"
            raise ValueError(f"weights and {other} cannot stand together; take one of them out")
        return self

    @property
    def lookback_sessions(self) -> int:
        """Sessions of returns before a decision that its weights depend on."""
        weighting = self.volatility_sessions if self.weighting == "inverse_volatility" else 0
        target = WINDOW_HALF_LIVES * self.volatility_half_life if self.volatility_target is not None else 0
        return max(weighting, target)


@dataclass(frozen=True)
class Plan:
    """What the policy wants, whatever is held.

    Attributes:
        targets: target weights, sessions decided for by symbols; never negative, rows add up to at most 1.
        rebalance: whether the session is one on which the book is brought back to its targets.
    """

    targets: pd.DataFrame
    rebalance: pd.Series


def make_plan(
    regime: pd.Series,
    tradable: pd.DataFrame,
    prices: pd.DataFrame,
    universe: Universe,
    config: PolicyConfig,
    weights: pd.DataFrame | None = None,
    asset_classes: Mapping[str, AssetClass] | None = None,
    probability: pd.DataFrame | None = None,
    states: pd.Series | None = None,
) -> Plan:
    """Target weights and rebalancing sessions from the regime.

    Args:
        regime: "ABUNDANT", "NEUTRAL" or "SCARCE" by session decided for.
        tradable: sessions by symbols of the universe; an instrument that is not tradable gets no weight.
        prices: last prices known at each decision, adjusted for splits and dividends, by the same symbols: the same
            sessions and any before them, which only volatilities read; NaN before an instrument's first.
        universe: the baskets.
        config: budgets, weighting, limits, calendar.
        weights: target weights that were made elsewhere, sessions by the same symbols; None: `target_weights` makes
            them.
        asset_classes: by symbol; needed where `config` caps one.
        probability: of each regime, for `session_budgets`; needed where `config` blends by it.
        states: by session, whose changes are rebalanced in the place of those of the regime; None: the regime.

    Raises:
        InputError: what is needed is not given.
    """
    tradable = universe.allowed(tradable)
    made = target_weights(regime, tradable, prices, universe, config, probability) if weights is None else weights
    targets = limit_weights(made, tradable, prices, universe, config, asset_classes)
    rebalance = rebalance_sessions(regime if states is None else states, targets, tradable, config.rebalance)
    return Plan(targets, rebalance | universe.begins(pd.DatetimeIndex(regime.index)))


def limit_weights(
    weights: pd.DataFrame,
    tradable: pd.DataFrame,
    prices: pd.DataFrame,
    universe: Universe,
    config: PolicyConfig,
    asset_classes: Mapping[str, AssetClass] | None = None,
) -> pd.DataFrame:
    """Class caps, exposure ceiling and volatility target of a policy over weights; arguments as for `make_plan`."""
    targets = limit_asset_classes(weights, tradable, universe, asset_classes, dict(config.asset_class_caps))
    targets = limit_exposure(targets, tradable, universe, config.exposure_ceiling)
    if config.volatility_target is None:
        return targets
    return limit_volatility(targets, tradable, prices, universe, config.volatility_target, config.volatility_half_life)


def target_weights(
    regime: pd.Series,
    tradable: pd.DataFrame,
    prices: pd.DataFrame,
    universe: Universe,
    config: PolicyConfig,
    probability: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Budgets by regime, shared out inside each basket; what the instrument cap or an empty basket leaves: the reserve.

    Arguments and errors as for `make_plan`. A basket's weights are equal, or in inverse proportion to trailing
    volatility. Without a tradable reserve what is left stays in cash.

    Returns:
        Weights, sessions by symbols, no NaN.
    """
    budgets = session_budgets(regime, config, probability)
    weights = np.zeros(tradable.shape)
    spare = np.zeros(len(tradable))
    for basket in BASKETS:
        members = list(universe.members(basket))
        places = tradable.columns.get_indexer(pd.Index(members))
        budget = budgets[basket].to_numpy()
        free = universe.free(basket, tradable)
        merit = free.to_numpy(dtype=float)
        if config.weighting == "inverse_volatility":
            merit = merit * _calm(free, prices[members], config.volatility_sessions).to_numpy()
        shares = proportional_shares(merit)
        if basket == "reserve":
            weights[:, places] = shares * (budget + spare)[:, np.newaxis]
            continue
        held = np.minimum(shares * budget[:, np.newaxis], config.instrument_cap)
        # An instrument that a rule has moved from one basket to the other is in one of them at a time.
        weights[:, places] += held
        spare += np.maximum(budget - held.sum(axis=1), 0.0)
    return pd.DataFrame(weights, index=tradable.index, columns=tradable.columns)


def session_budgets(regime: pd.Series, config: PolicyConfig, probability: pd.DataFrame | None = None) -> pd.DataFrame:
    """The share of equity of each basket: the budget of the regime, or the mean of all budgets by their probability.

    Args:
        regime: by session decided for.
        config: budgets, and whether they are blended.
        probability: of each regime, sessions by regimes; rows add up to 1 or are NaN, which gives the regime's own
            budget. Read only where budgets are blended.

    Returns:
        Sessions by baskets.

    Raises:
        InputError: budgets are blended and there are no probabilities, or they are none.
    """
    budgets = pd.DataFrame(config.budgets.model_dump()).T
    own = budgets.reindex(regime.to_numpy()).set_axis(regime.index)
    if not config.blend_by_probability:
        return own
    chances = _require_probability(probability, regime, list(budgets.index))
    # Term by term and not as a product of matrices, whose last bits may depend on the number of rows.
    blended = sum((np.outer(chances[name], budgets.loc[name]) for name in budgets.index), np.zeros(own.shape))
    return own.where(chances.isna().any(axis=1), pd.DataFrame(blended, own.index, own.columns))


def trailing_volatility(prices: pd.DataFrame, sessions: int) -> pd.DataFrame:
    """Standard deviation of returns over the last sessions; NaN until all of them are there.

    Args:
        prices: last prices known at each decision, sessions by symbols.
        sessions: length of the window.
    """
    return prices.pct_change(fill_method=None).rolling(sessions).std()


def _require_probability(probability: pd.DataFrame | None, regime: pd.Series, names: list[str]) -> pd.DataFrame:
    """The probabilities, if they are such, with the regimes as columns."""
    if probability is None:
        raise InputError(
            "policy.blend_by_probability: got a signal without probabilities of the regimes, wanted one that has them; "
            "choose another signal.model.name, such as markov_switching, or set it to false"
        )
    if not probability.index.equals(regime.index) or set(probability.columns) != set(names):
        raise InputError(
            f"got probabilities of {', '.join(map(str, probability.columns))} for {len(probability)} sessions, wanted "
            f"{', '.join(names)} for each of the {len(regime)} sessions of the regime"
        )
    chances = probability[names].astype(float)
    faulty = (chances < 0).any(axis=1) | ((chances.sum(axis=1, skipna=False) - 1).abs() > ROUNDING)
    faulty |= chances.isna().any(axis=1) & chances.notna().any(axis=1)
    if faulty.any():
        session = faulty.index[faulty][0]
        raise InputError(
            f"probabilities for {session.date()}: got {chances.loc[session].to_dict()}, wanted none below 0 and a sum "
            "of 1, or NaN for all"
        )
    return chances


def _calm(tradable: pd.DataFrame, prices: pd.DataFrame, sessions: int) -> pd.DataFrame:
    """One over volatility; an instrument without enough history gets the mean of its basket, 1 where none has any."""
    volatility = trailing_volatility(prices, sessions).loc[tradable.index]
    calm = (1.0 / volatility).where(volatility > 0)
    mean = calm.where(tradable).mean(axis=1).fillna(1.0)
    filled: pd.DataFrame = calm.apply(lambda column: column.fillna(mean))
    return filled
