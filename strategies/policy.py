"""From a regime to target weights: what does not depend on holdings."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal, Self

import numpy as np
import pandas as pd
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from data.user_code import check_reference
from strategies.universe import BASKETS, Basket, Universe


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
            raise ValueError(f"the budgets add up to {total:g}, wanted at most 1: borrowing is not supported")
        return self


class Budgets(BaseModel):
    """The budget of every regime."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ABUNDANT: Budget = Budget(speculative=0.8, cash_flow=0.2, reserve=0.0)
    NEUTRAL: Budget = Budget(speculative=0.4, cash_flow=0.4, reserve=0.2)
    SCARCE: Budget = Budget(speculative=0.0, cash_flow=0.8, reserve=0.2)


class PolicyConfig(BaseModel):
    """How a regime becomes weights.

    Attributes:
        budgets: share of equity by regime and basket.
        weighting: inside a basket, equal weights or weights in inverse proportion to volatility.
        volatility_sessions: sessions of returns that the volatility is measured over (``inverse_volatility`` only).
        instrument_cap: largest weight of one instrument outside the reserve, as a share of equity.
        function: ``file.py:name`` of a function that makes the weights in the place of `target_weights`, with the same
            arguments. The baselines keep `target_weights`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    budgets: Budgets = Budgets()
    weighting: Literal["equal", "inverse_volatility"] = "equal"
    volatility_sessions: int = Field(default=60, ge=20, le=756)
    instrument_cap: float = Field(default=0.3, gt=0, le=1)
    function: Annotated[str, AfterValidator(check_reference)] | None = None


@dataclass(frozen=True)
class Plan:
    """What the policy wants, whatever is held.

    Attributes:
        targets: target weights, sessions decided for by symbols; never negative, rows add up to at most 1.
        rebalance: whether the session is one on which the book is brought back to its targets.
    """

    targets: pd.DataFrame
    rebalance: pd.Series


WeightsFunction = Callable[[pd.Series, pd.DataFrame, pd.DataFrame, Universe, PolicyConfig], pd.DataFrame]


def make_plan(
    regime: pd.Series,
    tradable: pd.DataFrame,
    prices: pd.DataFrame,
    universe: Universe,
    config: PolicyConfig,
    weights: WeightsFunction | None = None,
) -> Plan:
    """Target weights and rebalancing sessions from the regime.

    Args:
        regime: "ABUNDANT", "NEUTRAL" or "SCARCE" by session decided for.
        tradable: sessions by symbols of the universe; an instrument that is not tradable gets no weight.
        prices: last prices known at each decision, same shape; NaN before the first (inverse volatility uses them).
        universe: the baskets.
        config: budgets, weighting, cap.
        weights: makes the target weights; `target_weights` where there is none.
    """
    targets = (weights or target_weights)(regime, tradable, prices, universe, config)
    return Plan(targets, rebalance_sessions(regime))


def target_weights(
    regime: pd.Series, tradable: pd.DataFrame, prices: pd.DataFrame, universe: Universe, config: PolicyConfig
) -> pd.DataFrame:
    """Budgets by regime, shared out inside each basket; what a cap or an empty basket leaves goes to the reserve.

    Arguments as for `make_plan`. A basket's weights are equal, or in inverse proportion to trailing volatility.
    Without a tradable reserve what is left stays in cash.

    Returns:
        Weights, sessions by symbols, no NaN.
    """
    allowed = tradable.to_numpy(dtype=float)
    weights = np.zeros(allowed.shape)
    spare = np.zeros(len(allowed))
    for basket in BASKETS:
        members = list(universe.members(basket))
        places = tradable.columns.get_indexer(pd.Index(members))
        budget = _budget(regime, basket, config)
        merit = allowed[:, places]
        if config.weighting == "inverse_volatility":
            merit = merit * _calm(tradable[members], prices[members], config.volatility_sessions).to_numpy()
        shares = _shares(merit)
        if basket == "reserve":
            weights[:, places] = shares * (budget + spare)[:, np.newaxis]
            continue
        held = np.minimum(shares * budget[:, np.newaxis], config.instrument_cap)
        weights[:, places] = held
        spare += np.maximum(budget - held.sum(axis=1), 0.0)
    return pd.DataFrame(weights, index=tradable.index, columns=tradable.columns)


def rebalance_sessions(regime: pd.Series) -> pd.Series:
    """The first session, every change of regime and every month's first session.

    Args:
        regime: by session, NYSE sessions in a row.

    Returns:
        Booleans by session.
    """
    names, months = regime.to_numpy(), regime.index.to_numpy().astype("datetime64[M]")
    rebalance = np.ones(len(regime), dtype=bool)
    rebalance[1:] = (names[1:] != names[:-1]) | (months[1:] != months[:-1])
    return pd.Series(rebalance, index=regime.index)


def trailing_volatility(prices: pd.DataFrame, sessions: int) -> pd.DataFrame:
    """Standard deviation of returns over the last sessions; NaN until all of them are there.

    Args:
        prices: last prices known at each decision, sessions by symbols.
        sessions: length of the window.
    """
    return prices.pct_change(fill_method=None).rolling(sessions).std()


def _budget(regime: pd.Series, basket: Basket, config: PolicyConfig) -> np.ndarray:
    """The basket's share of equity by session."""
    names = regime.to_numpy()
    budget = np.full(len(names), np.nan)
    for name, rule in config.budgets:
        budget[names == name] = getattr(rule, basket)
    return budget


def _shares(merit: np.ndarray) -> np.ndarray:
    """Shares inside one basket, in proportion to merit: rows add up to 1, or to 0 where nothing has any."""
    total = merit.sum(axis=1, keepdims=True)
    shares: np.ndarray = np.divide(merit, total, out=np.zeros_like(merit), where=total > 0)
    return shares


def _calm(tradable: pd.DataFrame, prices: pd.DataFrame, sessions: int) -> pd.DataFrame:
    """One over volatility; an instrument without enough history gets the mean of its basket, 1 where none has any."""
    volatility = trailing_volatility(prices, sessions)
    calm = (1.0 / volatility).where(volatility > 0)
    mean = calm.where(tradable).mean(axis=1).fillna(1.0)
    filled: pd.DataFrame = calm.apply(lambda column: column.fillna(mean))
    return filled
