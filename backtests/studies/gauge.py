"""The gauge: how prices answered the signal. It reads the signal and is never read by it.

Crypto lives on liquidity, so what it does after the score has risen says whether the score measures liquidity. Only
what came after a decision counts: the score known for session D stands against the returns from D's open on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from backtests.evidence.newey_west import newey_west, require_statsmodels
from backtests.measures.performance import SESSIONS_PER_YEAR
from backtests.prepare.prepared import prepare
from backtests.prepare.span import Span
from backtests.spec.spec import Spec
from data.errors import InputError
from data.market.snapshot import Snapshot
from data.prices.panel import Panel
from signals.liquidity import LiquiditySignal
from signals.regime import Regime
from strategies.universe import BASKETS

WEEK = 5
"""Sessions over which returns are measured, and over which the score has changed."""
MINIMUM_WEEKS = 20
"""Weeks below which nothing is estimated."""
CRYPTO = "crypto"
DIFFERENCE = "speculative less cash_flow"
DRIVERS = ("score", "change")


@dataclass(frozen=True)
class Gauge:
    """How prices answered the signal, from week to week; fractions. Intervals are of 95%, by Newey and West.

    Attributes:
        first: first session whose decision is followed.
        last: last such session; its return ends on the open five sessions later.
        responses: columns leg, driver ("score", or "change" over the week before), slope (return of the week that
            follows, per standard deviation of the driver), low, high, weeks.
        partings: columns regime, leg, mean (return a year of the weeks that begin in the regime), low, high, weeks. The
            last leg is the difference between speculative and cash flow, where there are both.

        hindsight: why the choice of instruments knows the outcome; empty where it does not.

    Numbers are NaN where there are fewer than `MINIMUM_WEEKS` weeks, or the driver never moved.
    """

    first: pd.Timestamp
    last: pd.Timestamp
    responses: pd.DataFrame
    partings: pd.DataFrame
    hindsight: str = ""


def gauge_spec(spec: Spec, snapshot: Snapshot, signal: LiquiditySignal, last: pd.Timestamp) -> Gauge:
    """Gauge the signal by the instruments of a spec, from the start of its run.

    Args:
        spec: universe and start.
        snapshot: prices.
        signal: reaches the session after `last`.
        last: session on whose open the last return may end.

    Raises:
        InputError: the run begins after `last`, or the extra `evidence` is not installed.
    """
    require_statsmodels("the gauge")
    prepared = prepare(spec, snapshot, Span(pd.Timestamp(spec.run.start), last), signal=signal)
    panel, spec = prepared.panel, prepared.spec
    tradable = panel.tradable(spec.order_rules.stale_sessions)
    returns = week_returns(panel, tradable, legs_of(spec, snapshot), chosen_by_rule(spec, tradable))
    return replace(gauge(signal, returns), hindsight=spec.universe.hindsight)


def chosen_by_rule(spec: Spec, tradable: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """By basket, which instruments are tradable in it for a session, where a rule chooses them; else nothing."""
    universe = spec.universe
    if universe.rule is None:
        return {}
    return {
        str(basket): universe.free(basket, tradable).reindex(columns=tradable.columns, fill_value=False)
        for basket in BASKETS
    }


def legs_of(spec: Spec, snapshot: Snapshot) -> dict[str, tuple[str, ...]]:
    """Symbols of crypto and of each basket of a spec; none where it has none."""
    coins = tuple(symbol for symbol in spec.universe.symbols if snapshot.instruments[symbol].is_crypto)
    return {CRYPTO: coins} | {str(basket): spec.universe.members(basket) for basket in BASKETS}


def week_returns(
    panel: Panel,
    tradable: pd.DataFrame,
    legs: Mapping[str, tuple[str, ...]],
    chosen: Mapping[str, pd.DataFrame] = MappingProxyType({}),
) -> pd.DataFrame:
    """Returns of some legs over weeks that follow one another, each from the open that a decision could buy at.

    Args:
        panel: prices.
        tradable: sessions decided for by symbols, as `Panel.tradable` gives it.
        legs: symbols by name of the leg.
        chosen: what is tradable in a leg whose members a rule chooses, in place of `tradable`.

    Returns:
        By session, every fifth: the return from its open to the open five sessions later, the mean of the members that
        are tradable at its decision and have both opens; NaN where a leg has none. A leg without members is left out.
    """
    opens = pd.DataFrame(panel.adjusted_open, index=panel.sessions, columns=list(panel.symbols)).iloc[1:]
    returns = opens.shift(-WEEK) / opens - 1.0
    return leg_means(returns, tradable, legs, chosen).iloc[:-WEEK:WEEK]


def leg_means(
    returns: pd.DataFrame,
    tradable: pd.DataFrame,
    legs: Mapping[str, tuple[str, ...]],
    chosen: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """Mean return of the members of each leg that are tradable; arguments as for `week_returns`."""
    return pd.DataFrame(
        {
            leg: returns.where(chosen.get(leg, tradable).reindex(returns.index))[list(members)].mean(axis=1)
            for leg, members in legs.items()
            if members
        }
    )


def gauge(signal: LiquiditySignal, returns: pd.DataFrame) -> Gauge:
    """Set the returns of legs against the score, its change, and the regime known when each week begins.

    Args:
        signal: over the sessions of `returns` and the week before.
        returns: as `week_returns` gives them.

    Raises:
        InputError: not a whole week, or the extra `evidence` is not installed.
    """
    if returns.empty:
        raise InputError(
            f"gauge: got no week of {WEEK} sessions in the run, wanted at least one; begin earlier: mend run.start"
        )
    score = signal.score
    drivers = pd.DataFrame({"score": score, "change": score.diff(WEEK)}).reindex(returns.index)
    regime = signal.regime.reindex(returns.index)
    parting = returns
    if {"speculative", "cash_flow"} <= set(returns):
        parting = returns.assign(**{DIFFERENCE: returns["speculative"] - returns["cash_flow"]})
    return Gauge(
        first=returns.index[0],
        last=returns.index[-1],
        responses=pd.DataFrame(
            [
                {"leg": leg, "driver": driver, **_response(returns[leg], drivers[driver])}
                for leg in returns
                for driver in DRIVERS
            ]
        ),
        partings=pd.concat(
            [_means_by_regime(values, regime).assign(leg=str(leg)) for leg, values in parting.items()],
            ignore_index=True,
        )[["regime", "leg", "mean", "low", "high", "weeks"]],
    )


def _response(returns: pd.Series, driver: pd.Series) -> dict[str, Any]:
    """The slope of a leg's returns on a driver in its standard deviations."""
    pairs = pd.DataFrame({"driver": driver, "returns": returns}).dropna()
    deviation = pairs["driver"].std(ddof=1)
    if len(pairs) < MINIMUM_WEEKS or not deviation > 0:
        return {"slope": np.nan, "low": np.nan, "high": np.nan, "weeks": len(pairs)}
    regressors = pd.DataFrame({"constant": 1.0, "driver": pairs["driver"] / deviation})
    slope = newey_west(pairs["returns"], regressors).loc["driver"]
    return {"slope": slope["value"], "low": slope["low"], "high": slope["high"], "weeks": len(pairs)}


def _means_by_regime(returns: pd.Series, regime: pd.Series) -> pd.DataFrame:
    """A leg's mean return a year in the weeks that begin in each regime."""
    pairs = pd.DataFrame({"regime": regime, "returns": returns}).dropna()
    counts = pairs["regime"].value_counts().reindex(list(Regime), fill_value=0)
    enough = [name for name, count in counts.items() if count >= MINIMUM_WEEKS]
    pairs = pairs[pairs["regime"].isin(enough)]
    fit = pd.DataFrame(columns=["value", "low", "high"], dtype=float)
    if enough:
        dummies = pd.DataFrame({name: (pairs["regime"] == name).astype(float) for name in enough})
        fit = newey_west(pairs["returns"], dummies) * SESSIONS_PER_YEAR / WEEK
    means = fit.rename(columns={"value": "mean"}).reindex(list(Regime)).assign(weeks=counts)
    return means.rename_axis("regime").reset_index()
