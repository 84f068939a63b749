"""The range of every number of a spec's signal and policy, as the docstrings say it; its ends are taken, no more is."""

import math

import pytest
from pydantic import BaseModel, ValidationError

from signals.config import GateConfig, InputConfig, SignalConfig
from signals.model_config import RegimeModelConfig
from strategies.order_rules import OrderRulesConfig
from strategies.policy import AssetClassCaps, Budget, Budgets, PolicyConfig

HAIR = 1e-9
INPUT = {"name": "a", "block": "level", "series": "DGS10", "scarcer_when": "higher"}
# Of a model: the key, what else must be given, what it takes at its ends and between them, and what it does not take.
RANGES = [
    (Budget, "speculative", {"cash_flow": 0.0, "reserve": 0.0}, (0.0, 0.5, 1.0), (-HAIR, 1.0 + 1e-6, 2.0)),
    (Budget, "cash_flow", {"speculative": 0.0, "reserve": 0.0}, (0.0, 0.5, 1.0), (-HAIR, 1.0 + 1e-6, 2.0)),
    (Budget, "reserve", {"speculative": 0.0, "cash_flow": 0.0}, (0.0, 0.5, 1.0), (-HAIR, 1.0 + 1e-6, 2.0)),
    (AssetClassCaps, "crypto", {}, (0.0, 0.5, 1.0), (-HAIR, 1.0 + HAIR)),
    (AssetClassCaps, "us_stock", {}, (0.0, 0.5, 1.0), (-HAIR, 1.0 + HAIR)),
    (AssetClassCaps, "us_etf", {}, (0.0, 0.5, 1.0), (-HAIR, 1.0 + HAIR)),
    (PolicyConfig, "volatility_sessions", {}, (20, 60, 756), (19, 757, 20.5)),
    (PolicyConfig, "instrument_cap", {}, (HAIR, 1.0), (0.0, 1.0 + HAIR)),
    (PolicyConfig, "exposure_ceiling", {}, (HAIR, 1.0), (0.0, 1.0 + HAIR)),
    (PolicyConfig, "volatility_target", {}, (None, HAIR, 0.2, 5.0), (0.0, math.inf, math.nan)),
    (PolicyConfig, "volatility_half_life", {}, (5, 40, 252), (4, 253)),
    (PolicyConfig, "weights", {}, (None, "w"), ("",)),
    (OrderRulesConfig, "band", {}, (0.0, 0.5, 1.0 - HAIR), (-HAIR, 1.0)),
    (OrderRulesConfig, "adjustment", {}, (HAIR, 1.0), (0.0, 1.0 + HAIR)),
    (OrderRulesConfig, "minimum_order", {}, (0.0, 0.5, 1.0 - HAIR), (-HAIR, 1.0)),
    (OrderRulesConfig, "stale_sessions", {}, (1, 252), (0, 253)),
    (OrderRulesConfig, "stale_haircut", {}, (0.0, 1.0), (-HAIR, 1.0 + HAIR)),
    (InputConfig, "length", {**INPUT, "transform": "change"}, (1, 2, 500), (0, -1)),
    (InputConfig, "name", INPUT, ("a", "A-9_z"), ("", "a b", "a.b")),
    (GateConfig, "ratio", {}, (HAIR, 3.0), (0.0, math.inf)),
    (GateConfig, "width", {}, (HAIR, 3.0), (0.0, math.nan)),
    (GateConfig, "stimulus", {}, (0.0, 1.0), (-HAIR, 1.0 + HAIR)),
    (SignalConfig, "window_sessions", {"min_window_sessions": 2, "min_scale_sessions": 2}, (2, 5000), (1, 0)),
    (SignalConfig, "min_window_sessions", {}, (2, 756), (1, 757)),
    (SignalConfig, "min_scale_sessions", {}, (2, 756), (1, 757)),
    (SignalConfig, "clip", {}, (HAIR, 10.0), (0.0, math.inf)),
    (SignalConfig, "companies", {}, (("A",), ("A", "B")), ((), ("A", "A"))),
    (SignalConfig, "further_event_companies", {}, ((), ("A",)), (("A", "A"),)),
    (SignalConfig, "capex_stale_days", {}, (1, 1000), (0,)),
    (SignalConfig, "event_half_life_sessions", {}, (HAIR, 0.5, 500.0), (0.0, math.inf)),
    (SignalConfig, "funding_half_life_sessions", {}, (HAIR, 0.5, 500.0), (0.0, math.nan)),
    (SignalConfig, "change_sessions", {}, ((1,), (1, 2)), ((), (0,), (2, 2), (3, 0))),
    (SignalConfig, "level_change_sessions", {}, (1, 500), (0,)),
    (SignalConfig, "pipes_mean_observations", {}, (1, 500), (0,)),
    (SignalConfig, "half_life_sessions", {}, (HAIR, 500.0), (0.0,)),
    (SignalConfig, "enter", {"leave": 0.25}, (0.25 + HAIR, 9.0), (0.25, 0.1)),
    (SignalConfig, "leave", {"enter": 0.5}, (HAIR, 0.5 - HAIR), (0.0, 0.5)),
    (SignalConfig, "dwell_sessions", {}, (1, 500), (0,)),
    (SignalConfig, "source", {}, (None, "s"), ("",)),
    (RegimeModelConfig, "first_fit_sessions", {}, (100, 3000), (99, 3001)),
    (RegimeModelConfig, "refit_sessions", {}, (1, 9999), (0,)),
    (RegimeModelConfig, "window_sessions", {"first_fit_sessions": 100}, (100, 9999), (99,)),
    (RegimeModelConfig, "certainty", {}, (0.5, 1.0 - HAIR), (0.5 - HAIR, 1.0)),
    (RegimeModelConfig, "jump_penalty", {}, (0.0, 1e9), (-HAIR, math.inf)),
    (RegimeModelConfig, "jump_starts", {}, (1, 100), (0, 101)),
]
WITH_WHAT_THEY_NEED = [
    (Budget, {"speculative": 0.5, "cash_flow": 0.5, "reserve": 0.0}),
    (Budgets, {}),
    (AssetClassCaps, {}),
    (PolicyConfig, {}),
    (OrderRulesConfig, {}),
    (InputConfig, INPUT),
    (GateConfig, {}),
    (SignalConfig, {}),
    (RegimeModelConfig, {}),
]


@pytest.mark.parametrize(("model", "key", "others", "taken", "refused"), RANGES)
def test_a_key_takes_the_ends_of_its_range_and_nothing_beyond(model, key, others, taken, refused):
    for value in taken:
        assert getattr(model(**{**others, key: value}), key) == value
    for value in refused:
        with pytest.raises(ValidationError):
            model(**{**others, key: value})


def test_every_key_with_a_range_stands_here():
    named = {(model, key) for model, key, *_ in RANGES}
    for model, _ in WITH_WHAT_THEY_NEED:
        for key, field in model.model_fields.items():
            assert not field.metadata or key == "source" or (model, key) in named, (model.__name__, key)


@pytest.mark.parametrize(("model", "given"), WITH_WHAT_THEY_NEED)
def test_a_configuration_takes_no_further_key_and_never_changes(model: type[BaseModel], given):
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        model(**given, nosuch=1)
    made = model(**given)
    key = next(iter(model.model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(made, key, getattr(made, key))


def test_the_defaults_of_the_policy_and_of_the_order_rules():
    assert PolicyConfig().model_dump() == {
        "budgets": {
            "ABUNDANT": {"speculative": 0.8, "cash_flow": 0.2, "reserve": 0.0},
            "NEUTRAL": {"speculative": 0.4, "cash_flow": 0.4, "reserve": 0.2},
            "SCARCE": {"speculative": 0.0, "cash_flow": 0.8, "reserve": 0.2},
        },
        "blend_by_probability": False,
        "weighting": "equal",
        "volatility_sessions": 60,
        "instrument_cap": 0.3,
        "asset_class_caps": {"crypto": 1.0, "us_stock": 1.0, "us_etf": 1.0},
        "exposure_ceiling": 1.0,
        "volatility_target": None,
        "volatility_half_life": 40,
        "rebalance": "monthly",
        "function": None,
        "weights": None,
    }
    assert OrderRulesConfig().model_dump() == {
        "band": 0.02,
        "trade_to": "target",
        "adjustment": 1.0,
        "minimum_order": 0.001,
        "stale_sessions": 10,
        "stale_haircut": 0.3,
    }


def test_a_budget_that_names_one_share_keeps_the_others():
    budgets = Budgets(SCARCE={"cash_flow": 0.5})
    assert Budget(speculative=0.0, cash_flow=0.5, reserve=0.2) == budgets.SCARCE
    assert (budgets.NEUTRAL, budgets.ABUNDANT) == (Budgets().NEUTRAL, Budgets().ABUNDANT)
    assert Budgets.model_validate(budgets) == budgets
    with pytest.raises(ValidationError, match="at most 1: borrowing is not supported"):
        Budgets(NEUTRAL={"speculative": 0.5})


def test_only_one_thing_makes_the_weights():
    named = "policy.py:f"
    for crowd in (
        {"function": named, "blend_by_probability": True},
        {"function": named, "weights": "w.csv"},
        {"blend_by_probability": True, "weights": "w.csv"},
    ):
        with pytest.raises(ValidationError, match="take one of them out"):
            PolicyConfig(**crowd)
    with pytest.raises(ValidationError, match="weights and blend_by_probability"):
        PolicyConfig(blend_by_probability=True, weights="w.csv")
    with pytest.raises(ValidationError, match="weights and function"):
        PolicyConfig(function=named, weights="w.csv")
    for alone in ({"function": named}, {"weights": "w.csv"}, {"blend_by_probability": True}):
        PolicyConfig(**alone)


def test_how_far_back_weights_look():
    assert PolicyConfig().lookback_sessions == 0
    assert PolicyConfig(weighting="inverse_volatility").lookback_sessions == 60
    assert PolicyConfig(weighting="inverse_volatility", volatility_sessions=33).lookback_sessions == 33
    targeted = PolicyConfig(volatility_target=0.2, volatility_half_life=10).lookback_sessions
    assert targeted == 10 * PolicyConfig(volatility_target=0.2, volatility_half_life=20).lookback_sessions // 20
    both = PolicyConfig(
        weighting="inverse_volatility", volatility_sessions=756, volatility_target=0.2, volatility_half_life=5
    )
    assert both.lookback_sessions == 756


@pytest.mark.parametrize(
    "crowd",
    [
        {"source": "s.csv", "inputs": (INPUT,)},
        {"source": "s.csv", "blocks": ("b.py:b",)},
        {"source": "s.csv", "model": {"name": "jump"}},
        {"form": 2, "gate": {"enabled": False}},
        {"form": 2, "gate": {"stimulus": 0.25}},
        {"form": 2, "gate": {"level": True}},
        {"form": 2, "mark_joint_rises": True},
        {"form": 2, "net_liquidity": "one_wednesday"},
        {"form": 2, "policy_rate": "IORB"},
        {"gate": {"enabled": False, "level": True}},
        {"inputs": ({**INPUT, "transform": "change"},)},
        {"inputs": ({**INPUT, "length": 3},)},
    ],
)
def test_what_contradicts_itself_is_refused(crowd):
    with pytest.raises(ValidationError):
        SignalConfig(**crowd)


def test_a_signal_without_extensions_names_none():
    assert not {"inputs", "blocks", "source"} & SignalConfig().model_dump().keys()
    assert SignalConfig(source="s.csv").model_dump()["source"] == "s.csv"
    assert len(SignalConfig(inputs=(INPUT,)).model_dump()["inputs"]) == 1
    assert SignalConfig(form=2).model_dump()["form"] == 2
