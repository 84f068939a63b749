import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from strategies.policy import Budget, PolicyConfig, make_plan, rebalance_sessions, target_weights, trailing_volatility
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


def test_volatility_is_missing_until_its_window_is_full():
    prices = pd.DataFrame({"X": [100.0, 110.0, 99.0, 99.0]})
    assert trailing_volatility(prices, 2)["X"].isna().tolist() == [True, True, False, False]
    assert trailing_volatility(prices, 2)["X"].iloc[2] == pytest.approx(np.std([0.1, -0.1], ddof=1))


def test_rebalanced_at_a_change_of_regime_and_at_the_first_session_of_a_month():
    regime = pd.Series(["NEUTRAL"] * 4 + ["SCARCE"] * 2, DAYS)
    # Jan 29 (first), Feb 1 (month), Feb 2 (regime).
    assert rebalance_sessions(regime).tolist() == [True, False, False, True, True, False]


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


def test_leverage_is_refused():
    with pytest.raises(ValidationError, match="borrowing is not supported"):
        Budget(speculative=0.8, cash_flow=0.3, reserve=0.0)


def test_a_symbol_in_two_baskets_is_refused():
    with pytest.raises(ValidationError, match="more than one place"):
        Universe(speculative=("A",), cash_flow=("A",), benchmark="B")
