"""Plans on the sample market: what the policy is given there."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import futures
from backtests.prepare.decision import decide_from_cash
from backtests.prepare.plans import make_run_plan, run_baseline_plans
from backtests.prepare.signal import read_signal
from backtests.spec.spec import load_spec
from data.clock import decision_times
from data.errors import InputError
from data.prices.panel import build_panel
from strategies.limits import portfolio_volatility

START, END = "2023-06-01", "2024-06-28"
COINS = ["SIM-COIN-A", "SIM-COIN-B"]
BASELINES_BY_POLICY = ["static_mix", "always_speculative", "always_cash_flow", "inverse_rotation"]


@pytest.fixture(scope="module")
def signal(sample):
    return read_signal(load_spec("sample"), sample, pd.Timestamp("2024-07-01"))


def spec_with(**policy):
    settings = {f"policy.{key}": value for key, value in policy.items()}
    return load_spec("sample", {"run.start": START, "run.end": END} | settings)


def market_of(spec, snapshot, start=START):
    symbols = (*spec.universe.symbols, spec.universe.benchmark)
    return build_panel(snapshot, symbols, pd.Timestamp(start), pd.Timestamp(END))


def plan_of(spec, snapshot, signal, start=START):
    return make_run_plan(spec, snapshot, market_of(spec, snapshot, start), signal)


def baselines_of(spec, snapshot, signal):
    return run_baseline_plans(spec, snapshot, market_of(spec, snapshot), signal)


def outside(spec, weights):
    return weights[[*spec.universe.speculative, *spec.universe.cash_flow]]


@pytest.mark.parametrize(
    "policy",
    [
        {"volatility_target": 0.1, "volatility_half_life": 20},
        {"weighting": "inverse_volatility", "volatility_sessions": 60},
    ],
)
def test_volatilities_are_known_at_the_first_session_and_do_not_depend_on_it(sample, signal, policy):
    spec = spec_with(**policy)
    whole = plan_of(spec, sample, signal).targets
    assert (outside(spec, whole).iloc[0] > 0).any()
    equal = plan_of(spec_with(), sample, signal).targets
    assert not whole.iloc[:20].equals(equal.iloc[:20])
    late = plan_of(spec, sample, signal, "2024-03-01").targets
    pd.testing.assert_frame_equal(late, whole.loc[late.index], rtol=1e-12)
    session = late.index[-1]
    pd.testing.assert_series_equal(
        decide_from_cash(spec, sample, signal, session).targets,
        whole.loc[session, list(spec.universe.symbols)],
        rtol=1e-12,
    )


def test_the_target_binds_for_the_plan_and_for_the_baselines_that_the_policy_makes(sample, signal):
    spec = spec_with(volatility_target=0.1)
    longer = build_panel(sample, spec.universe.symbols, pd.Timestamp("2022-01-03"), pd.Timestamp(END))
    prices = longer.decision_prices()
    plans = {"strategy": plan_of(spec, sample, signal), **baselines_of(spec, sample, signal)}
    for name in ("strategy", *BASELINES_BY_POLICY):
        held = outside(spec, plans[name].targets)
        volatility = portfolio_volatility(held, prices[held.columns], 40)
        assert volatility.max() == pytest.approx(0.1), name


# A delay moves what becomes known of series and events, not prices.
@pytest.mark.parametrize("perturb", ["cut", "garble"])
def test_the_future_changes_no_target(sample, signal, perturb):
    spec = spec_with(volatility_target=0.1, rebalance="weekly", weighting="inverse_volatility")
    session = pd.Timestamp("2024-01-02")
    market = futures.PERTURBATIONS[perturb](sample, decision_times(pd.DatetimeIndex([session]))[0])
    before, after = (plan_of(spec, each, signal) for each in (sample, market))
    assert after.targets.loc[:session].equals(before.targets.loc[:session])
    assert after.rebalance.loc[:session].equals(before.rebalance.loc[:session])
    assert not after.targets.equals(before.targets)


def test_coins_are_capped_by_the_catalogue_of_the_market(sample, signal):
    spec = spec_with(asset_class_caps={"crypto": 0.05})
    plans = {"strategy": plan_of(spec, sample, signal), **baselines_of(spec, sample, signal)}
    for name in ("strategy", *BASELINES_BY_POLICY):
        assert plans[name].targets[COINS].sum(axis=1).max() <= 0.05 + 1e-12
    free = plan_of(spec_with(), sample, signal).targets[COINS].sum(axis=1)
    assert free.max() > 0.1
    assert plans["strategy"].targets[COINS].sum(axis=1).to_numpy() == pytest.approx(free.clip(upper=0.05).to_numpy())


def test_a_signal_without_probabilities_cannot_be_blended(sample, signal):
    with pytest.raises(InputError, match="blend_by_probability: got a signal without probabilities"):
        plan_of(spec_with(blend_by_probability=True), sample, signal)


def test_probabilities_reach_the_plan_and_the_inverse_rotation_alone(sample, signal):
    """ABUNDANT for sure by its probability, whatever the regime says."""
    sure = pd.DataFrame({"ABUNDANT": 1.0, "NEUTRAL": 0.0, "SCARCE": 0.0}, index=signal.regime.index)
    spec, plain = spec_with(blend_by_probability=True), spec_with()
    blended, regimes = replace(signal, probability=sure), signal.regime.copy()
    regimes[:] = "ABUNDANT"
    constant = replace(signal, regime=regimes)
    np.testing.assert_array_equal(
        plan_of(spec, sample, blended).targets.to_numpy(), plan_of(plain, sample, constant).targets.to_numpy()
    )
    found, wanted = baselines_of(spec, sample, blended), baselines_of(plain, sample, constant)
    for name, plan in found.items():
        np.testing.assert_array_equal(plan.targets.to_numpy(), wanted[name].targets.to_numpy(), err_msg=name)


def test_a_mix_that_has_no_changes_of_regime_is_rebalanced_monthly(sample, signal):
    plans = baselines_of(spec_with(rebalance="regime"), sample, signal)
    # June 2023 to July 2024.
    assert plans["static_mix"].rebalance.sum() == 14
    inverse = plans["inverse_rotation"].rebalance
    regime = signal.regime.reindex(inverse.index)
    assert inverse.tolist() == (regime != regime.shift()).tolist()
    assert baselines_of(spec_with(rebalance="daily"), sample, signal)["static_mix"].rebalance.all()
