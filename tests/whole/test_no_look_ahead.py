"""Perturb the future: what becomes known after a decision changes no row up to it, to the bit."""

import inspect
import pkgutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import strategies
from strategies import baselines, exposures, given_weights, policy, rebalancing, rivals, rule
from strategies import limits as sizing
from strategies import weight_checks as user_weights
from strategies.fills import Hindrance
from strategies.order_rules import OrderRules, SessionOrders
from strategies.policy import AssetClassCaps, PolicyConfig
from strategies.trade_terms import FloatVector, TradeTerms
from strategies.universe import Universe
from strategies.valuation import Accounts

UNIVERSE = Universe(speculative=("S1", "S2"), cash_flow=("C1", "C2"), reserve=("R",), benchmark="B")
CLASSES = {"S1": "crypto", "S2": "us_stock", "C1": "us_stock", "C2": "us_etf"}
CONFIG = PolicyConfig(
    weighting="inverse_volatility",
    volatility_sessions=20,
    blend_by_probability=True,
    asset_class_caps=AssetClassCaps(crypto=0.2, us_stock=0.4),
    exposure_ceiling=0.7,
    volatility_target=0.1,
    volatility_half_life=10,
    rebalance="weekly",
)
DAYS = pd.bdate_range("2023-01-02", periods=360)
CUTS = (30, 290, 340)

Inputs = dict[str, pd.DataFrame | pd.Series]


def given_rows(inputs: Inputs) -> pd.DataFrame:
    """Weights that are known on the evening before each fifth session."""
    every = inputs["tradable"].iloc[::5]
    return (every / 6).set_axis(every.index.tz_localize("UTC").as_unit("us") - pd.Timedelta(hours=2))


# Public functions over time, each as a function of inputs that are indexed by session.
OVER_TIME: dict[str, Callable[[Inputs], pd.DataFrame | pd.Series]] = {
    "policy.target_weights": lambda i: policy.target_weights(
        i["regime"], i["tradable"], i["prices"], UNIVERSE, CONFIG, i["probability"]
    ),
    "policy.limit_weights": lambda i: policy.limit_weights(
        i["tradable"] / 6, i["tradable"], i["prices"], UNIVERSE, CONFIG, CLASSES
    ),
    "policy.make_plan": lambda i: pd.concat(
        [
            (
                plan := policy.make_plan(
                    i["regime"],
                    i["tradable"],
                    i["prices"],
                    UNIVERSE,
                    CONFIG,
                    asset_classes=CLASSES,
                    probability=i["probability"],
                )
            ).targets,
            plan.rebalance,
        ],
        axis=1,
    ),
    "policy.session_budgets": lambda i: policy.session_budgets(i["regime"], CONFIG, i["probability"]),
    "rebalancing.rebalance_sessions": lambda i: rebalancing.rebalance_sessions(
        i["regime"], i["tradable"] / 6, i["tradable"], "regime"
    ),
    "rebalancing.period_begins": lambda i: rebalancing.period_begins(pd.DatetimeIndex(i["regime"].index), "weekly"),
    "limits.limit_asset_classes": lambda i: sizing.limit_asset_classes(
        i["tradable"] / 6, i["tradable"], UNIVERSE, CLASSES, {"crypto": 0.1, "us_stock": 0.2}
    ),
    "limits.limit_exposure": lambda i: sizing.limit_exposure(i["tradable"] / 6, i["tradable"], UNIVERSE, 0.5),
    "limits.limit_volatility": lambda i: sizing.limit_volatility(
        i["tradable"] / 6, i["tradable"], i["prices"], UNIVERSE, 0.1, 10
    ),
    "limits.portfolio_volatility": lambda i: sizing.portfolio_volatility(i["tradable"] / 6, i["prices"], 10),
    "limits.proportional_shares": lambda i: pd.DataFrame(sizing.proportional_shares(i["prices"].to_numpy())),
    "baselines.baseline_plans": lambda i: pd.concat(
        [
            part
            for plan in baselines.baseline_plans(
                i["regime"],
                i["tradable"],
                i["prices"],
                i["prices"]["B"],
                UNIVERSE,
                CONFIG,
                asset_classes=CLASSES,
                probability=i["probability"],
            ).values()
            for part in (plan.targets, plan.rebalance)
        ],
        axis=1,
    ),
    "baselines.buy_and_hold": lambda i: baselines.buy_and_hold("B", i["tradable"]).targets,
    "baselines.moving_average": lambda i: (
        baselines.moving_average(i["prices"]["B"], i["tradable"], i["prices"], UNIVERSE, CONFIG).targets
    ),
    "baselines.unblended": lambda i: policy.target_weights(
        i["regime"], i["tradable"], i["prices"], UNIVERSE, baselines.unblended(CONFIG)
    ),
    "rivals.momentum_regimes": lambda i: rivals.momentum_regimes(i["prices"], UNIVERSE, 20).to_frame(),
    "rivals.switched_regimes": lambda i: rivals.switched_regimes(i["prices"].index, DAYS[100], "SCARCE").to_frame(),
    "given_weights.rows_in_force": lambda i: given_weights.rows_in_force(given_rows(i), DAYS[: len(i["tradable"])]),
    "given_weights.weights_in_force": lambda i: given_weights.weights_in_force(
        given_rows(i), pd.DataFrame(True, i["tradable"].index, i["tradable"].columns)
    ),
    "weight_checks.require_weights": lambda i: user_weights.require_weights(i["tradable"] / 6, i["tradable"]),
    "policy.trailing_volatility": lambda i: policy.trailing_volatility(i["prices"], 20),
}


# Names that a rule can choose from, and what they answer to.
def of_many(inputs: Inputs) -> pd.DataFrame:
    returns = inputs["prices"].pct_change()
    return pd.concat({f"{name}{lag}": returns[name].shift(lag) for name in returns for lag in range(3)}, axis=1)


def answers(inputs: Inputs) -> pd.DataFrame:
    factors = of_many(inputs)[["S10", "S20", "C12"]].set_axis(["real_yield", "credit_spread", "net_liquidity"], axis=1)
    return exposures.exposures(of_many(inputs), inputs["prices"]["B"].pct_change(), factors)


def every_fortieth(made: Callable[[Inputs], pd.Series]) -> Callable[[Inputs], pd.Series]:
    """What is estimated on all rows up to one, for each fortieth, to its last digit."""

    def rows(inputs: Inputs) -> pd.Series:
        days = inputs["prices"].index
        upto = {days[row]: {name: each.iloc[: row + 1] for name, each in inputs.items()}
                for row in range(119, len(days), 80)}  # fmt: skip
        found = {day: repr(made(each).to_dict()) for day, each in upto.items()}
        return pd.Series(found, days, dtype=object)

    return rows


def slopes(inputs: Inputs) -> tuple[np.ndarray, np.ndarray]:
    found = answers(inputs).loc["real_yield"]
    return found["slope"].to_numpy(), found["error"].to_numpy()


def chosen(inputs: Inputs) -> pd.Series:
    thirds = rule.terciles(exposures.duration_score(answers(inputs)), "duration")
    return pd.Series({name: basket for basket, names in thirds.items() for name in names})


def laid_out(inputs: Inputs) -> pd.DataFrame:
    days, names = inputs["prices"].index, of_many(inputs).columns
    thirds = {
        days[row]: rule.terciles(of_many(inputs).iloc[row].rank(), "duration") for row in range(119, len(days), 80)
    }
    leaves = {day: {each["speculative"][0]: day + pd.Timedelta(days=7)} for day, each in thirds.items()}
    if not thirds:
        return pd.DataFrame("", days, names)
    return rule.make_choice(thirds, leaves, pd.DataFrame()).on(days).reindex(columns=names, fill_value="")


def places(inputs: Inputs) -> pd.Series:
    return rule.ranks(exposures.duration_score(answers(inputs)), "duration")


OVER_TIME |= {
    "exposures.exposures": every_fortieth(lambda i: answers(i)["shrunk"]),
    "exposures.slopes_on": every_fortieth(lambda i: exposures.slopes_on(answers(i), "real_yield")),
    "exposures.regress": every_fortieth(
        lambda i: pd.Series(exposures.regress(of_many(i).to_numpy(), np.ones((len(i["prices"]), 1))).slope[0])
    ),
    "exposures.shrink": every_fortieth(lambda i: pd.Series(exposures.shrink(*slopes(i)))),
    "exposures.duration_score": every_fortieth(lambda i: exposures.duration_score(answers(i))),
    "rule.terciles": every_fortieth(chosen),
    "rule.ranks": every_fortieth(places),
    "rule.make_choice": laid_out,
}
# Public functions of one session's arrays: they are given no other session.
OF_ONE_SESSION = {
    "fills.buy_fill",
    "fills.costs_more",
    "given_weights.read_weights",
    "fills.falls_short",
    "fills.granted_share",
    "fills.impact",
    "fills.most_units",
    "fills.order_status",
    "fills.sell_fill",
    "fills.units_to_sell",
    "order_rules.plan_orders",
    "order_rules.plan_orders_in",
    "order_rules.unbuyable",
    "order_rules.unsellable",
    "trade_terms.affordable_units",
    "trade_terms.as_lists",
    "trade_terms.at_places",
    "trade_terms.commission",
    "trade_terms.promised_units",
    "trade_terms.whole_units",
    "valuation.cash_flow_yield",
    "valuation.implied_duration",
}


def inputs() -> Inputs:
    rng = np.random.default_rng(11)
    symbols = [*UNIVERSE.symbols, UNIVERSE.benchmark]
    regime = np.repeat(rng.choice(["ABUNDANT", "NEUTRAL", "SCARCE"], 36), 10)
    return {
        "regime": pd.Series(regime, DAYS),
        "tradable": pd.DataFrame(rng.random((360, 6)) > 0.1, DAYS, symbols),
        "prices": pd.DataFrame(100 * np.exp(np.cumsum(rng.normal(0, 0.02, (360, 6)), axis=0)), DAYS, symbols),
        "probability": pd.DataFrame(rng.dirichlet(np.ones(3), 360), DAYS, ["ABUNDANT", "NEUTRAL", "SCARCE"]),
    }


def cut(given: Inputs, row: int) -> Inputs:
    return {name: frame.iloc[:row] for name, frame in given.items()}


def garble(given: Inputs, row: int) -> Inputs:
    rng = np.random.default_rng(row)
    garbled = {name: frame.copy() for name, frame in given.items()}
    garbled["regime"].iloc[row:] = rng.choice(["ABUNDANT", "NEUTRAL", "SCARCE"], len(DAYS) - row)
    garbled["tradable"].iloc[row:] = rng.random((len(DAYS) - row, 6)) > 0.5
    garbled["prices"].iloc[row:] = rng.uniform(1, 1e6, (len(DAYS) - row, 6))
    garbled["probability"].iloc[row:] = rng.dirichlet(np.ones(3), len(DAYS) - row)
    return garbled


def delay(given: Inputs, row: int) -> Inputs:
    """Everything from the row on comes five sessions later."""
    late = {}
    for name, frame in given.items():
        held = frame.iloc[[row - 1] * 5]
        rows = pd.concat([frame.iloc[:row], held, frame.iloc[row:-5]])
        late[name] = rows.set_axis(DAYS)
    return late


@pytest.mark.parametrize("perturb", [cut, garble, delay])
@pytest.mark.parametrize("name", sorted(OVER_TIME))
def test_the_future_changes_no_earlier_row(name, perturb):
    function, given = OVER_TIME[name], inputs()
    whole = function(given)
    for row in CUTS:
        assert function(perturb(given, row)).iloc[:row].equals(whole.iloc[:row])


@pytest.mark.parametrize("perturb", [cut, garble, delay])
def test_the_net_catches_a_centred_window(perturb):
    given = inputs()
    leak = lambda i: i["prices"].rolling(21, center=True).mean()  # noqa: E731
    row = CUTS[1]
    assert not leak(perturb(given, row)).iloc[:row].equals(leak(given).iloc[:row])


def test_every_public_function_of_strategies_is_listed():
    found = set()
    for module in pkgutil.iter_modules(strategies.__path__):
        loaded = import_module(f"strategies.{module.name}")
        for name, function in inspect.getmembers(loaded, inspect.isfunction):
            if not name.startswith("_") and function.__module__ == loaded.__name__:
                found.add(f"{module.name}.{name}")
    assert found == set(OVER_TIME) | OF_ONE_SESSION


def test_functions_of_one_session_take_no_frame():
    for name in OF_ONE_SESSION:
        module, _, function = name.partition(".")
        parameters = inspect.signature(getattr(import_module(f"strategies.{module}"), function)).parameters.values()
        allowed = {
            np.ndarray,
            FloatVector,
            float,
            int,
            TradeTerms,
            OrderRules,
            SessionOrders,
            Hindrance,
            Path,
            bytes,
            Accounts,
        }
        assert {parameter.annotation for parameter in parameters} <= allowed
