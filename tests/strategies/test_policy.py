import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from data.errors import InputError
from strategies.policy import (
    Budget,
    PolicyConfig,
    make_plan,
    session_budgets,
    target_weights,
    trailing_volatility,
)
from strategies.universe import Universe

UNIVERSE = Universe(speculative=("S1", "S2"), cash_flow=("C1", "C2", "C3", "C4"), reserve=("R",), benchmark="B")
DAYS = pd.bdate_range("2024-01-29", periods=6)


def frames(tradable=None, prices=None, days=DAYS):
    symbols = list(UNIVERSE.symbols)
    allowed = pd.DataFrame(True, index=days, columns=symbols)
    for symbol in tradable or ():
        allowed[symbol] = False
    return allowed, pd.DataFrame(100.0, index=days, columns=symbols) if prices is None else prices


@pytest.mark.parametrize(
    ("regime", "expected"),
    [
        # Written out from the default budgets: 80/20/0, 40/40/20, 0/80/20; the cap is 30%.
        ("ABUNDANT", {"S1": 0.3, "S2": 0.3, "C1": 0.05, "C4": 0.05, "R": 0.2}),
        ("NEUTRAL", {"S1": 0.2, "S2": 0.2, "C1": 0.1, "C4": 0.1, "R": 0.2}),
        ("SCARCE", {"S1": 0.0, "S2": 0.0, "C1": 0.2, "C4": 0.2, "R": 0.2}),
    ],
)
def test_default_budgets_by_hand(regime, expected):
    allowed, prices = frames()
    weights = target_weights(pd.Series(regime, DAYS), allowed, prices, UNIVERSE, PolicyConfig())
    assert weights.iloc[0][list(expected)].to_dict() == pytest.approx(expected)
    assert weights.sum(axis=1).to_numpy() == pytest.approx(np.ones(len(DAYS)))


def test_empty_basket_goes_to_the_reserve():
    allowed, prices = frames(tradable=("S1", "S2"))
    weights = target_weights(pd.Series("NEUTRAL", DAYS), allowed, prices, UNIVERSE, PolicyConfig())
    assert weights["R"].to_numpy() == pytest.approx(0.6)


def test_what_the_cap_leaves_goes_to_the_reserve():
    allowed, prices = frames(tradable=("C3", "C4"))
    weights = target_weights(pd.Series("SCARCE", DAYS), allowed, prices, UNIVERSE, PolicyConfig())
    assert weights.iloc[0][["C1", "C2", "R"]].tolist() == pytest.approx([0.3, 0.3, 0.4])


def test_without_a_tradable_reserve_the_rest_stays_in_cash():
    allowed, prices = frames(tradable=("R",))
    weights = target_weights(pd.Series("SCARCE", DAYS), allowed, prices, UNIVERSE, PolicyConfig())
    assert weights.sum(axis=1).to_numpy() == pytest.approx(0.8)


def test_inverse_volatility_by_numpy():
    days = pd.bdate_range("2023-01-02", periods=80)
    rng = np.random.default_rng(1)
    paths = 100 * np.exp(np.cumsum(rng.normal(0, [0.01, 0.03, 0.01, 0.02, 0.02, 0.01, 0.0], (80, 7)), axis=0))
    allowed, prices = frames(days=days, prices=pd.DataFrame(paths, days, list(UNIVERSE.symbols)))
    config = PolicyConfig(weighting="inverse_volatility", volatility_sessions=30, instrument_cap=1.0)
    weights = target_weights(pd.Series("NEUTRAL", days), allowed, prices, UNIVERSE, config)
    deviation = np.std(np.diff(paths[-31:, :2], axis=0) / paths[-31:-1, :2], axis=0, ddof=1)
    wanted = 0.4 * (1 / deviation) / (1 / deviation).sum()
    assert weights.iloc[-1][["S1", "S2"]].to_numpy() == pytest.approx(wanted)
    # Before there is enough history the weights are equal.
    assert weights.iloc[10][["S1", "S2"]].tolist() == pytest.approx([0.2, 0.2])
    # Prices from before the first session are read.
    late = allowed.iloc[40:]
    assert target_weights(pd.Series("NEUTRAL", late.index), late, prices, UNIVERSE, config).equals(weights.iloc[40:])


def test_volatility_is_missing_until_its_window_is_full():
    prices = pd.DataFrame({"X": [100.0, 110.0, 99.0, 99.0]})
    assert trailing_volatility(prices, 2)["X"].isna().tolist() == [True, True, False, False]
    assert trailing_volatility(prices, 2)["X"].iloc[2] == pytest.approx(np.std([0.1, -0.1], ddof=1))


def test_rebalanced_at_a_change_of_regime_and_at_the_first_session_of_a_month():
    allowed, prices = frames()
    plan = make_plan(pd.Series(["NEUTRAL"] * 4 + ["SCARCE"] * 2, DAYS), allowed, prices, UNIVERSE, PolicyConfig())
    # Jan 29 (first), Feb 1 (month), Feb 2 (regime).
    assert plan.rebalance.tolist() == [True, False, False, True, True, False]


def test_the_plan_holds_targets_and_rebalancing_sessions():
    allowed, prices = frames()
    plan = make_plan(pd.Series("SCARCE", DAYS), allowed, prices, UNIVERSE, PolicyConfig())
    assert plan.targets.index.equals(plan.rebalance.index)


@given(
    st.lists(st.sampled_from(["ABUNDANT", "NEUTRAL", "SCARCE"]), min_size=6, max_size=6),
    st.lists(st.booleans(), min_size=42, max_size=42),
    st.floats(0.05, 1.0),
)
def test_weights_are_never_negative_and_never_more_than_one(regimes, flags, cap):
    allowed = pd.DataFrame(np.array(flags).reshape(6, 7), DAYS, list(UNIVERSE.symbols))
    prices = pd.DataFrame(100.0, DAYS, list(UNIVERSE.symbols))
    weights = target_weights(pd.Series(regimes, DAYS), allowed, prices, UNIVERSE, PolicyConfig(instrument_cap=cap))
    assert (weights.to_numpy() >= 0).all()
    assert (weights.sum(axis=1) <= 1 + 1e-12).all()
    assert (weights.drop(columns="R").to_numpy() <= cap + 1e-12).all()
    assert (weights.to_numpy()[~allowed.to_numpy()] == 0).all()


BLENDED = PolicyConfig(blend_by_probability=True)


def chances(*rows):
    return pd.DataFrame(rows, DAYS[: len(rows)], ["ABUNDANT", "NEUTRAL", "SCARCE"], dtype=float)


def test_blended_budgets_by_hand():
    """Default budgets 80/20/0, 40/40/20 and 0/80/20."""
    regime = pd.Series(["NEUTRAL", "SCARCE", "ABUNDANT", "ABUNDANT"], DAYS[:4])
    probability = chances([0.5, 0.5, 0], [0.1, 0.2, 0.7], [0, 1, 0], [np.nan] * 3)
    # The order of the columns says nothing.
    found = session_budgets(regime, BLENDED, probability[["SCARCE", "ABUNDANT", "NEUTRAL"]])
    assert list(found.columns) == ["speculative", "cash_flow", "reserve"]
    assert found.to_numpy() == pytest.approx(
        np.array([[0.6, 0.3, 0.1], [0.16, 0.66, 0.18], [0.4, 0.4, 0.2], [0.8, 0.2, 0.0]])
    )


def test_a_plan_is_blended_where_the_policy_says_so():
    allowed, prices = frames()
    regime, probability = pd.Series("NEUTRAL", DAYS), chances(*[[0.5, 0.5, 0]] * 6)
    plain = make_plan(regime, allowed, prices, UNIVERSE, PolicyConfig(), probability=probability)
    assert plain.targets.iloc[0][["S1", "C1", "R"]].tolist() == pytest.approx([0.2, 0.1, 0.2])
    blended = make_plan(regime, allowed, prices, UNIVERSE, BLENDED, probability=probability)
    # 0.6 to two, 0.3 to four, 0.1 to the reserve.
    assert blended.targets.iloc[0][["S1", "C1", "R"]].tolist() == pytest.approx([0.3, 0.075, 0.1])


@pytest.mark.parametrize(
    ("probability", "wanted"),
    [
        (None, "got a signal without probabilities of the regimes, wanted one that has them"),
        (chances([0.5, 0.5, 0]).drop(columns="SCARCE"), "wanted ABUNDANT, NEUTRAL, SCARCE"),
        (chances([0.5, 0.5, 0], [0.5, 0.5, 0]), "for 2 sessions"),
        (chances([0.5, 0.4, 0]), "2024-01-29.* a sum of 1"),
        (chances([1.5, -0.5, 0]), "none below 0"),
        (chances([0.5, 0.5, np.nan]), "or NaN for all"),
    ],
)
def test_what_are_no_probabilities_is_refused(probability, wanted):
    allowed, prices = frames(days=DAYS[:1])
    with pytest.raises(InputError, match=wanted):
        make_plan(pd.Series("NEUTRAL", DAYS[:1]), allowed, prices, UNIVERSE, BLENDED, probability=probability)


@pytest.mark.parametrize(
    ("faulty", "wanted"),
    [
        ([1.2, -0.2, 0.0], "none below 0"),
        ([0.5, 0.6, 0.0], "a sum of 1"),
        ([0.5, np.nan, np.nan], "or NaN for all"),
    ],
)
@pytest.mark.parametrize("place", [0, 2, 5])
def test_one_faulty_session_among_good_ones_is_named(faulty, wanted, place):
    allowed, prices = frames()
    rows = [[0.2, 0.3, 0.5]] * place + [faulty] + [[np.nan] * 3] * (5 - place)
    with pytest.raises(InputError, match=f"probabilities for {DAYS[place].date()}: got .*{wanted}"):
        make_plan(pd.Series("NEUTRAL", DAYS), allowed, prices, UNIVERSE, BLENDED, probability=chances(*rows))


@given(
    st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda p: sum(p) > 0.01), min_size=6, max_size=6)
)
def test_blended_weights_lie_between_those_of_the_regimes(parts):
    allowed, prices = frames()
    probability = chances(*[np.array(part) / sum(part) for part in parts])
    config = BLENDED.model_copy(update={"instrument_cap": 1.0})
    blended = target_weights(pd.Series("NEUTRAL", DAYS), allowed, prices, UNIVERSE, config, probability)
    pure = [
        target_weights(pd.Series(name, DAYS), allowed, prices, UNIVERSE, PolicyConfig(instrument_cap=1.0)).to_numpy()
        for name in probability.columns
    ]
    assert (blended.to_numpy() >= np.min(pure, axis=0) - 1e-12).all()
    assert (blended.to_numpy() <= np.max(pure, axis=0) + 1e-12).all()
    assert blended.sum(axis=1).to_numpy() == pytest.approx(1.0)


def test_a_function_in_the_place_of_the_policy_and_blending_exclude_each_other():
    with pytest.raises(ValidationError, match="take one of them out"):
        PolicyConfig(blend_by_probability=True, function="my_policy.py:weights")


@pytest.mark.parametrize(
    ("settings", "sessions"),
    [
        ({}, 0),
        ({"weighting": "inverse_volatility", "volatility_sessions": 90}, 90),
        ({"volatility_target": 0.2, "volatility_half_life": 20}, 120),
        ({"volatility_target": 0.2, "volatility_half_life": 20, "weighting": "inverse_volatility"}, 120),
    ],
)
def test_how_far_a_policy_looks_back(settings, sessions):
    assert PolicyConfig(**settings).lookback_sessions == sessions


def test_leverage_is_refused():
    with pytest.raises(ValidationError, match="borrowing is not supported"):
        Budget(speculative=0.8, cash_flow=0.3, reserve=0.0)


def test_a_symbol_in_two_baskets_is_refused():
    with pytest.raises(ValidationError, match="more than one place"):
        Universe(speculative=("A",), cash_flow=("A",), benchmark="B")


def test_of_several_faulty_sessions_the_first_is_named():
    allowed, prices = frames()
    rows = [[0.2, 0.3, 0.5], [0.5, 0.4, 0.0], [0.2, 0.3, 0.5], [1.5, -0.5, 0.0], [0.2, 0.3, 0.5], [0.2, 0.3, 0.4]]
    with pytest.raises(InputError, match=f"probabilities for {DAYS[1].date()}: "):
        make_plan(pd.Series("NEUTRAL", DAYS), allowed, prices, UNIVERSE, BLENDED, probability=chances(*rows))
