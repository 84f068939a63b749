"""Plans that the rotation must beat: each trades the same universe, or its benchmark, without reading the regime well.

They are plans like the rotation's own and pay the same costs.
"""

from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd

from data.catalogue.instruments import AssetClass
from strategies.policy import Budget, Budgets, Plan, PolicyConfig, make_plan, target_weights
from strategies.rebalancing import period_begins, rebalance_sessions
from strategies.universe import Universe

MOVING_AVERAGE_MONTHS = 10


def baseline_plans(
    regime: pd.Series,
    tradable: pd.DataFrame,
    prices: pd.DataFrame,
    benchmark_prices: pd.Series,
    universe: Universe,
    config: PolicyConfig,
    asset_classes: Mapping[str, AssetClass] | None = None,
    probability: pd.DataFrame | None = None,
    rivals: Mapping[str, pd.Series] = MappingProxyType({}),
) -> Mapping[str, Plan]:
    """Every baseline's plan, by name. The limits of the rotation's policy hold for all that are made by it.

    Args:
        regime: the rotation's, by session decided for.
        tradable: sessions by symbols, of the universe and of the benchmark.
        prices: last prices known at each decision, by the same symbols: the same sessions and any before them.
        benchmark_prices: the same of the benchmark, from about a year before the first session on.
        universe: the baskets and the benchmark.
        config: the rotation's policy.
        asset_classes: see `make_plan`.
        probability: see `make_plan`; the rotation's and the inverse rotation's alone are blended.
        rivals: regimes by other rules, by name; they have the rotation's budgets.
    """
    neutral = pd.Series("NEUTRAL", index=regime.index)
    swapped = config.budgets.model_copy(update={"ABUNDANT": config.budgets.SCARCE, "SCARCE": config.budgets.ABUNDANT})
    mixes = {
        "static_mix": (neutral, _of_one_regime(config, config.budgets)),
        "always_speculative": (neutral, _only(config, "speculative")),
        "always_cash_flow": (neutral, _only(config, "cash_flow")),
        "inverse_rotation": (regime, config.model_copy(update={"budgets": swapped})),
    }
    others = {name: (path, unblended(config)) for name, path in rivals.items()}

    def by_policy(paths: Mapping[str, tuple[pd.Series, PolicyConfig]]) -> dict[str, Plan]:
        return {
            name: make_plan(
                path, tradable, prices, universe, policy, asset_classes=asset_classes, probability=probability
            )
            for name, (path, policy) in paths.items()
        }

    return {
        "benchmark": buy_and_hold(universe.benchmark, tradable),
        **by_policy(mixes),
        "moving_average": moving_average(benchmark_prices, tradable, prices, universe, config),
        **by_policy(others),
    }


def buy_and_hold(symbol: str, tradable: pd.DataFrame) -> Plan:
    """All money in one instrument from the first session on which it can be traded.

    Args:
        symbol: a column of `tradable`.
        tradable: sessions decided for by symbols.
    """
    targets = pd.DataFrame(0.0, index=tradable.index, columns=tradable.columns)
    targets[symbol] = tradable[symbol].cummax().astype(float)
    return Plan(targets, targets[symbol] > targets[symbol].shift(fill_value=0.0))


def moving_average(
    benchmark_prices: pd.Series,
    tradable: pd.DataFrame,
    prices: pd.DataFrame,
    universe: Universe,
    config: PolicyConfig,
) -> Plan:
    """The benchmark while it stands above the mean of its last ten month ends, else the reserve; decided monthly.

    After Faber (2007), "A Quantitative Approach to Tactical Asset Allocation". With fewer than ten month ends known
    the money is in the reserve. Arguments as for `baseline_plans`.
    """
    # The price known at the decision for a month's first session is the close of the month before. Of the first
    # session it is not known whether it begins a month.
    begins_month = period_begins(pd.DatetimeIndex(benchmark_prices.index), "monthly").iloc[1:]
    month_ends = benchmark_prices.iloc[1:][begins_month]
    mean = month_ends.rolling(MOVING_AVERAGE_MONTHS).mean()
    # Not above where the mean is not known yet.
    above = (month_ends > mean).astype(float).reindex(tradable.index, method="ffill").fillna(0.0) > 0
    neutral = pd.Series("NEUTRAL", index=tradable.index)
    reserve = target_weights(neutral, tradable, prices, universe, _only(config, "reserve"))
    targets = reserve.mul(~above, axis=0)
    targets[universe.benchmark] = (above & tradable[universe.benchmark]).astype(float)
    return Plan(targets, rebalance_sessions(neutral, targets, tradable, "monthly"))


def unblended(config: PolicyConfig) -> PolicyConfig:
    """The policy for regimes that have no probabilities."""
    return config.model_copy(update={"blend_by_probability": False})


def _only(config: PolicyConfig, basket: str) -> PolicyConfig:
    """The policy of one regime with all money in one basket."""
    budget = Budget(**{"speculative": 0.0, "cash_flow": 0.0, "reserve": 0.0} | {basket: 1.0})
    return _of_one_regime(config, Budgets(ABUNDANT=budget, NEUTRAL=budget, SCARCE=budget))


def _of_one_regime(config: PolicyConfig, budgets: Budgets) -> PolicyConfig:
    """The policy for a regime that never changes: it has no probability, and its changes rebalance nothing."""
    calendar = "monthly" if config.rebalance == "regime" else config.rebalance
    return config.model_copy(update={"budgets": budgets, "blend_by_probability": False, "rebalance": calendar})
