"""Whole runs under futures that are cut, garbled and delayed: nothing decided or booked before changes, to the bit."""

import pandas as pd
import pytest

import futures
from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from data.clock import decision_times, previous_session

# Every rebalance trades, and its targets follow prices up to the last day.
SETTINGS = {
    "run.start": "2023-10-02",
    "order_rules.band": 0.0,
    "policy.weighting": "inverse_volatility",
    "policy.volatility_sessions": 20,
}
LAST = "2024-06-28"
# A new regime's first decision; a month's first one, after a long weekend on whose three days coins had bars.
DECISIONS = [pd.Timestamp("2024-02-28", tz="UTC"), pd.Timestamp("2024-04-01", tz="UTC")]
# Inside that weekend: the coins' first bar is over, two are to come.
MOMENTS = [*DECISIONS, pd.Timestamp("2024-03-30", tz="UTC")]
PERTURBATIONS = ["cut", "garble", "delay"]


def session_before(moment):
    return previous_session(moment.tz_localize(None))


def run_until(market, last):
    return run_backtest(load_spec("sample", SETTINGS | {"run.end": str(pd.Timestamp(last).date())}), market)


@pytest.fixture(scope="module")
def whole(sample):
    return run_until(sample, LAST)


def test_the_run_trades_at_its_decisions_and_changes_regime_at_the_first(whole):
    trading = decision_times(pd.DatetimeIndex(whole.engine.orders["session"]))
    assert set(DECISIONS) <= set(trading)
    begins = decision_times(pd.DatetimeIndex(whole.rotations["start"]))
    assert DECISIONS[0] in set(begins)


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: str(moment.date()))
@pytest.mark.parametrize("perturb", PERTURBATIONS)
def test_the_future_changes_nothing_decided_or_booked_before(sample, whole, perturb, moment):
    market = futures.PERTURBATIONS[perturb](sample, moment)
    run = run_until(market, session_before(moment) if perturb == "cut" else LAST)
    assert futures.changed(futures.run_tables(whole), futures.run_tables(run), moment) == []


@pytest.mark.parametrize("moment", DECISIONS, ids=lambda moment: str(moment.date()))
@pytest.mark.parametrize("perturb", PERTURBATIONS)
def test_the_future_changes_no_order_decided_at_the_moment(sample, perturb, moment):
    market = futures.PERTURBATIONS[perturb](sample, moment)
    before, after = (run_until(each, session_before(moment)).engine.next_orders for each in (sample, market))
    assert len(before) > 3
    pd.testing.assert_frame_equal(after, before, check_exact=True)


@pytest.mark.parametrize("perturb", ["garble", "delay"])
def test_the_perturbed_future_is_another_one(sample, whole, perturb):
    run = run_until(futures.PERTURBATIONS[perturb](sample, DECISIONS[1]), LAST)
    end = decision_times(pd.DatetimeIndex([LAST]))[0] + pd.Timedelta(days=1)
    changed = set(futures.changed(futures.run_tables(whole), futures.run_tables(run), end))
    assert {"signal.values", "signal.score", "bill_yield"} <= changed
    if perturb == "garble":
        assert {"targets", "orders", "positions", "equity", "returns"} <= changed


def test_what_is_known_at_a_decision_does_reach_it(sample, whole):
    """The day before is a Sunday: of the prices before the decision, only the coins' of it are garbled."""
    moment = DECISIONS[1]
    run = run_until(futures.garble(sample, moment - pd.Timedelta(days=1)), LAST)
    changed = futures.changed(futures.run_tables(whole), futures.run_tables(run), moment)
    assert "targets" in changed
    assert "equity" not in changed


def test_the_end_of_a_run_moves_no_earlier_row(sample, whole):
    early = run_until(sample, "2024-03-28")
    moment = decision_times(pd.DatetimeIndex([early.plan.targets.index[-1]]))[0]
    assert futures.changed(futures.run_tables(whole), futures.run_tables(early), moment) == []
