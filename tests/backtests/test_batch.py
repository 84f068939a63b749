"""What the compiled variants do beside playing a book is what the signal, the policy and the measures say."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtests.engines import batch
from backtests.engines.compiled import compiled_kernel
from backtests.engines.kernel import Track
from backtests.measures.performance import SESSIONS_PER_YEAR, performance, trading
from signals.config import SignalConfig
from signals.regime import MIN_LIVE_BLOCKS, Regime, walk_thresholds

NUMBERS = {Regime.ABUNDANT: batch.ABUNDANT, Regime.NEUTRAL: batch.NEUTRAL, Regime.SCARCE: batch.SCARCE}


def test_the_numbers_of_other_rooms():
    assert (batch.LEAST_LIVE, batch.YEAR) == (MIN_LIVE_BLOCKS, SESSIONS_PER_YEAR)


@given(
    seed=st.integers(0, 2**32 - 1),
    leave=st.floats(0.01, 0.5),
    above=st.floats(0.01, 1.0),
    dwell=st.integers(1, 30),
)
def test_thresholds(seed, leave, above, dwell):
    rng = np.random.default_rng(seed)
    score = np.round(np.cumsum(rng.normal(0, 0.2, 300)), 1)  # rounded: scores meet the thresholds too
    live = rng.choice([0, 1, 2, 4], 300, p=[0.02, 0.02, 0.16, 0.8])
    leave = round(leave, 1) or 0.1
    config = SignalConfig(enter=leave + above, leave=leave, dwell_sessions=dwell)
    path, _ = walk_thresholds(score.tolist(), live.tolist(), config)
    found = np.zeros(300, dtype=np.int64)
    compiled_kernel().walk_regimes(score, live, config.enter, config.leave, dwell, found)
    assert found.tolist() == [NUMBERS[regime] for regime in path]


def measured(track: Track, cash: float, bill: np.ndarray) -> dict[str, float]:
    found = np.zeros(len(batch.MEASURES))
    compiled_kernel().measure(cash, track, bill, np.zeros((2, len(track.cash))), np.zeros(len(bill)), found)
    return dict(zip(batch.MEASURES, found.tolist(), strict=True))


def plain_measures(track: Track, cash: float, bill: np.ndarray) -> dict[str, float | None]:
    days = pd.date_range("2020-01-01", periods=len(bill))
    equity = pd.Series((track.cash + track.reserve + track.at_risk)[1:], days)
    before = equity.shift(fill_value=cash)
    returns = (equity / before - 1.0).where(before > 0, 0.0)
    holdings = pd.DataFrame({"R": track.reserve[1:], "X": track.at_risk[1:]}, days)
    flows = pd.DataFrame({"traded": track.traded[1:], "costs": track.costs[1:]}, days)
    found = vars(performance(returns, pd.Series(bill, days))) | vars(trading(flows, equity, holdings, ["R"]))
    return found | {"final_equity_usd": float(equity.iloc[-1])}


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", ["usual", "one day", "two days", "flat", "ruined", "never below the bill"])
def test_measures(seed, kind):
    rng = np.random.default_rng(seed)
    count = {"one day": 2, "two days": 3}.get(kind, 400)
    wealth = 1e5 * np.exp(np.cumsum(np.append(0.0, rng.normal(0, 0.02, count - 1))))
    if kind == "flat":
        wealth = np.full(count, 1e5)
    elif kind == "ruined":
        wealth[200:] = 0.0
    elif kind == "never below the bill":
        wealth = 1e5 * np.exp(np.cumsum(np.append(0.0, rng.uniform(0.001, 0.01, count - 1))))
    # What never moves is all cash: of sums that come out even the last bit may not be.
    shares = np.array([[1.0], [0.0], [0.0]]) if kind == "flat" else rng.dirichlet([1, 1, 1], count).T
    track = Track(*(wealth * shares), rng.uniform(0, 1e4, count), rng.uniform(0, 10, count))
    bill = rng.uniform(0, 2e-4, count - 1)
    ours, theirs = measured(track, 1e5, bill), plain_measures(track, 1e5, bill)
    assert set(ours) == set(theirs)
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], np.nan if value is None else value, rtol=1e-11, atol=1e-13, err_msg=name)
