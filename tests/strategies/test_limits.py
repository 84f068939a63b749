import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import InputError
from strategies.limits import (
    WINDOW_HALF_LIVES,
    limit_asset_classes,
    limit_exposure,
    limit_volatility,
    portfolio_volatility,
    proportional_shares,
)
from strategies.policy import AssetClassCaps, PolicyConfig, make_plan
from strategies.universe import Universe

UNIVERSE = Universe(speculative=("S1", "S2"), cash_flow=("C",), reserve=("R",), benchmark="B")
SYMBOLS = list(UNIVERSE.symbols)
CLASSES = {"S1": "crypto", "S2": "crypto", "C": "us_stock", "R": "us_etf"}


def days(count):
    return pd.bdate_range("2020-01-01", periods=count)


def rows(values, columns=SYMBOLS):
    return pd.DataFrame(np.atleast_2d(values), days(len(np.atleast_2d(values))), list(columns), dtype=float)


def everywhere(weights):
    return pd.DataFrame(True, weights.index, weights.columns)


def prices_of(returns):
    """Prices that begin at 100 and have these returns, from the second session on."""
    growth = np.vstack([np.ones(returns.shape[1]), 1 + returns])
    return 100 * growth.cumprod(axis=0)


def random_prices(count, symbols=SYMBOLS, seed=5):
    returns = np.random.default_rng(seed).normal(0.0, np.linspace(0.01, 0.04, len(symbols)), (count - 1, len(symbols)))
    return rows(prices_of(returns), symbols)


# --- portfolio_volatility


def test_volatility_by_hand():
    """Half-life 1: the newest return, 20%, weighs 1 and the one before, 10%, weighs 1/2."""
    prices = rows([[100.0], [110.0], [132.0]], ["X"])
    found = portfolio_volatility(prices * 0 + 0.5, prices, 1)
    by_hand = [math.nan, 0.5 * 0.1, 0.5 * math.sqrt((0.2**2 + 0.1**2 / 2) / 1.5)]
    assert found.to_numpy() / math.sqrt(252) == pytest.approx(by_hand, nan_ok=True)


def test_volatility_is_that_of_pandas_over_the_window():
    prices, half_life = random_prices(400), 20
    weights = pd.DataFrame(np.random.default_rng(6).dirichlet(np.ones(5), 400)[:, :4], prices.index, SYMBOLS)
    found = portfolio_volatility(weights, prices, half_life)
    returns = prices.pct_change().iloc[1:]
    for row in (1, 5, 60, 121, 399):
        window = returns.iloc[max(0, row - WINDOW_HALF_LIVES * half_life) : row]
        squares = (window * weights.iloc[row]).sum(axis=1) ** 2
        assert found.iloc[row] == pytest.approx(math.sqrt(252 * squares.ewm(halflife=half_life).mean().iloc[-1]))


def test_volatility_is_the_root_of_the_quadratic_form_with_the_covariance():
    prices, half_life = random_prices(100), 20
    weights = rows(np.tile([0.1, 0.3, 0.4, 0.2], (100, 1)))
    returns = prices.pct_change().to_numpy()[1:]
    decay = 0.5 ** (np.arange(len(returns))[::-1] / half_life)
    covariance = (returns.T * decay) @ returns / decay.sum()
    w = weights.iloc[-1].to_numpy()
    assert portfolio_volatility(weights, prices, half_life).iloc[-1] == pytest.approx(
        math.sqrt(252 * w @ covariance @ w)
    )


def test_prices_from_before_the_first_session_count_and_older_ones_than_the_window_do_not():
    prices, half_life = random_prices(300), 10
    weights = rows(np.tile([0.1, 0.3, 0.4, 0.2], (300, 1))).set_axis(prices.index)
    whole = portfolio_volatility(weights, prices, half_life)
    window = WINDOW_HALF_LIVES * half_life
    late = portfolio_volatility(weights.iloc[200:], prices.iloc[199 - window :], half_life)
    assert late.equals(whole.iloc[200:])
    assert not portfolio_volatility(weights.iloc[200:], prices.iloc[200:], half_life).equals(whole.iloc[200:])


def test_a_day_on_which_a_held_instrument_has_no_return_is_left_out():
    prices = random_prices(60, ["X", "Y"])
    prices.loc[prices.index[:20], "Y"] = math.nan
    both, one = rows(np.tile([0.5, 0.5], (60, 1)), ["X", "Y"]), rows(np.tile([0.5, 0.0], (60, 1)), ["X", "Y"])
    found = portfolio_volatility(both, prices, 10)
    assert found.iloc[:21].isna().all()
    later = portfolio_volatility(both.iloc[20:], prices.iloc[20:], 10)
    assert found.iloc[20:].equals(later)
    assert portfolio_volatility(one, prices, 10).iloc[1:].notna().all()


def test_nothing_held_has_no_volatility():
    prices = random_prices(30)
    assert (portfolio_volatility(prices * 0.0, prices, 5) == 0.0).all()


def test_prices_of_other_sessions_are_refused():
    prices = random_prices(30)
    with pytest.raises(InputError, match="do not end with the 10 sessions of the weights"):
        portfolio_volatility(prices.iloc[:10] * 0.0, prices, 5)
    with pytest.raises(InputError, match="do not end with the 30 sessions of the weights"):
        portfolio_volatility(prices * 0.0, prices.iloc[10:], 5)


# --- limit_volatility


def zigzag(count=60):
    """S1 gains and loses 1% in turn, C does the opposite by 2%; S2 stands still."""
    sign = np.where(np.arange(count - 1) % 2, -1.0, 1.0)
    return rows(prices_of(np.column_stack([0.01 * sign, 0.0 * sign, -0.02 * sign, 0.0 * sign])))


def test_the_target_by_hand():
    """0.4 of S1 and 0.4 of C: 0.4% a day, as one hedges the other; 6.35% a year against a target of 3%."""
    prices = zigzag()
    weights = rows(np.tile([0.4, 0.0, 0.4, 0.2], (60, 1)))
    limited = limit_volatility(weights, everywhere(weights), prices, UNIVERSE, 0.03, 20)
    factor = 0.03 / (0.004 * math.sqrt(252))
    assert factor == pytest.approx(0.472, abs=1e-3)
    assert limited.iloc[-1].tolist() == pytest.approx([0.4 * factor, 0.0, 0.4 * factor, 0.2 + 0.8 * (1 - factor)])


def test_below_the_target_nothing_changes():
    weights = rows(np.tile([0.4, 0.0, 0.4, 0.2], (60, 1)))
    limited = limit_volatility(weights, everywhere(weights), zigzag(), UNIVERSE, 0.07, 20)
    assert limited.iloc[20:].equals(weights.iloc[20:])


def test_nothing_is_held_before_it_has_a_half_life_of_returns():
    prices = zigzag()
    prices.loc[prices.index[:30], "C"] = math.nan
    weights = rows(np.tile([0.4, 0.1, 0.2, 0.3], (60, 1)))
    limited = limit_volatility(weights, everywhere(weights), prices, UNIVERSE, 1.0, 20)
    # S1 has its 20th return at the 21st session; C has its first price at the 31st.
    assert (limited["S1"] > 0).tolist() == [False] * 20 + [True] * 40
    assert (limited["C"] > 0).tolist() == [False] * 50 + [True] * 10
    assert limited["R"].to_numpy() == pytest.approx([1.0] * 20 + [0.5] * 30 + [0.3] * 10)


def test_instruments_that_have_no_return_in_common_are_not_held():
    """S1 has returns in the first half, C in the second: of both together nothing is known."""
    prices = random_prices(600)
    prices.loc[prices.index[300:], "S1"] = math.nan
    prices.loc[prices.index[:300], "C"] = math.nan
    weights = rows(np.tile([0.4, 0.0, 0.4, 0.2], (600, 1)))
    limited = limit_volatility(weights, everywhere(weights), prices, UNIVERSE, 1.0, 20)
    assert limited.iloc[-1].tolist() == pytest.approx([0.0, 0.0, 0.0, 1.0])


# --- limit_asset_classes, limit_exposure and the reserve


def test_a_class_cap_by_hand():
    """Crypto has 0.6 and may have 0.3: both coins are halved. The reserve, an ETF, counts for no cap."""
    weights = rows([0.4, 0.2, 0.2, 0.2])
    caps = {"crypto": 0.3, "us_stock": 1.0, "us_etf": 0.0}
    limited = limit_asset_classes(weights, everywhere(weights), UNIVERSE, CLASSES, caps)
    assert limited.iloc[0].tolist() == pytest.approx([0.2, 0.1, 0.2, 0.5])


def test_a_class_cap_that_does_not_bind_changes_nothing():
    weights = rows([0.4, 0.2, 0.2, 0.2])
    assert limit_asset_classes(weights, everywhere(weights), UNIVERSE, CLASSES, {"crypto": 0.7}).equals(weights)


def test_without_a_tradable_reserve_the_rest_stays_in_cash():
    weights = rows([0.4, 0.2, 0.2, 0.0])
    tradable = everywhere(weights).assign(R=False)
    assert limit_asset_classes(weights, tradable, UNIVERSE, CLASSES, {"crypto": 0.3}).iloc[0].tolist() == pytest.approx(
        [0.2, 0.1, 0.2, 0.0]
    )
    assert limit_exposure(weights, tradable, UNIVERSE, 0.4).iloc[0].tolist() == pytest.approx([0.2, 0.1, 0.1, 0.0])


def test_a_universe_without_a_reserve_keeps_cash():
    universe = UNIVERSE.model_copy(update={"reserve": ()})
    weights = rows([0.4, 0.2, 0.2], ["S1", "S2", "C"])
    assert limit_exposure(weights, everywhere(weights), universe, 0.4).iloc[0].tolist() == pytest.approx(
        [0.2, 0.1, 0.1]
    )


def test_the_ceiling_by_hand():
    weights = rows([[0.4, 0.2, 0.2, 0.2], [0.1, 0.1, 0.1, 0.0]])
    limited = limit_exposure(weights, everywhere(weights), UNIVERSE, 0.5)
    assert limited.iloc[0].tolist() == pytest.approx([0.25, 0.125, 0.125, 0.5])
    assert limited.iloc[1].equals(weights.iloc[1])


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        # 0.4 is taken away: shared as the reserve's weights are, equally where it has none.
        ([0.8, 0.15, 0.05], [0.4, 0.45, 0.15]),
        ([0.8, 0.0, 0.0], [0.4, 0.2, 0.2]),
    ],
)
def test_a_reserve_of_two(before, expected):
    universe = Universe(speculative=("S",), cash_flow=("C",), reserve=("R1", "R2"), benchmark="B")
    weights = rows(before, ["S", "R1", "R2"]).assign(C=0.0)
    limited = limit_exposure(weights, everywhere(weights), universe, 0.4)
    assert limited[["S", "R1", "R2"]].iloc[0].tolist() == pytest.approx(expected)


def test_shares_add_up_to_one_or_to_none():
    assert proportional_shares(np.array([[1.0, 3.0], [0.0, 0.0]])).tolist() == [[0.25, 0.75], [0.0, 0.0]]


def test_a_cap_needs_to_know_the_asset_class():
    weights = rows([0.4, 0.2, 0.2, 0.2])
    with pytest.raises(InputError, match=r"asset_class_caps: got no asset class of S2, C, wanted one"):
        limit_asset_classes(weights, everywhere(weights), UNIVERSE, {"S1": "crypto"}, {"crypto": 0.5})


# --- all of them in a plan


def test_the_class_cap_follows_the_instrument_cap():
    """NEUTRAL gives 0.4 to the coins, 0.2 each: the instrument cap leaves 0.15 of each, the class cap 0.1."""
    weights = rows([0.0, 0.0, 0.0, 0.0])
    caps = AssetClassCaps(crypto=0.2)
    config = PolicyConfig(instrument_cap=0.15, asset_class_caps=caps)
    plan = make_plan(
        pd.Series("NEUTRAL", weights.index), everywhere(weights), weights, UNIVERSE, config, asset_classes=CLASSES
    )
    assert plan.targets.iloc[0].tolist() == pytest.approx([0.1, 0.1, 0.15, 0.65])


def test_limits_hold_for_weights_that_were_made_elsewhere():
    prices = random_prices(100)
    run = prices.index[60:]
    config = PolicyConfig(exposure_ceiling=0.5, volatility_target=0.1, volatility_half_life=20)
    tradable = pd.DataFrame(True, run, SYMBOLS)
    weights = tradable * [0.5, 0.0, 0.5, 0.0]
    plan = make_plan(pd.Series("SCARCE", run), tradable, prices, UNIVERSE, config, weights)
    outside = plan.targets.drop(columns="R")
    assert outside.sum(axis=1).max() <= 0.5 + 1e-12
    assert portfolio_volatility(outside, prices.drop(columns="R"), 20).to_numpy() == pytest.approx(0.1)
    assert plan.targets.sum(axis=1).to_numpy() == pytest.approx(1.0)


FRACTIONS = st.floats(0.01, 1.0)


@given(
    regimes=st.lists(st.sampled_from(["ABUNDANT", "NEUTRAL", "SCARCE"]), min_size=20, max_size=20),
    seed=st.integers(0, 2**16),
    instrument_cap=FRACTIONS,
    crypto=st.floats(0.0, 1.0),
    us_stock=st.floats(0.0, 1.0),
    ceiling=FRACTIONS,
    target=st.none() | st.floats(0.01, 1.0),
)
def test_whatever_the_limits_they_hold_and_nothing_outside_the_reserve_grows(
    regimes, seed, instrument_cap, crypto, us_stock, ceiling, target
):
    prices = random_prices(40, seed=seed)
    random = np.random.default_rng(seed)
    for symbol in ("S2", "C"):
        prices.loc[prices.index[: random.integers(0, 40)], symbol] = math.nan
    run = prices.index[20:]
    tradable = prices.loc[run].notna() & (random.random((20, 4)) > 0.1)
    free = PolicyConfig(instrument_cap=instrument_cap)
    config = PolicyConfig(
        instrument_cap=instrument_cap,
        asset_class_caps=AssetClassCaps(crypto=crypto, us_stock=us_stock),
        exposure_ceiling=ceiling,
        volatility_target=target,
        volatility_half_life=5,
    )
    before, after = (
        make_plan(pd.Series(regimes, run), tradable, prices, UNIVERSE, each, asset_classes=CLASSES).targets
        for each in (free, config)
    )
    outside = after.drop(columns="R")
    assert (after.to_numpy() >= 0).all()
    assert after.sum(axis=1).max() <= 1 + 1e-12
    assert (after.to_numpy()[~tradable.to_numpy()] == 0).all()
    assert outside.to_numpy().max() <= instrument_cap + 1e-12
    assert after[["S1", "S2"]].sum(axis=1).max() <= crypto + 1e-12
    assert after["C"].max() <= us_stock + 1e-12
    assert outside.sum(axis=1).max() <= ceiling + 1e-12
    assert (outside <= before.drop(columns="R") + 1e-12).all(axis=None)
    if target is not None:
        assert (portfolio_volatility(outside, prices.drop(columns="R"), 5).fillna(0.0) <= target + 1e-9).all()
    # What is taken away is in the reserve, where that can be held.
    held = tradable["R"]
    assert after[held].sum(axis=1).to_numpy() == pytest.approx(before[held].sum(axis=1).to_numpy())
