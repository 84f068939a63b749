"""The net catches planted leaks: each small wrong function beside its right twin, in futures cut, garbled, delayed.

They go through the very functions that whole runs go through in test_runs_no_look_ahead.py.
"""

from itertools import product

import numpy as np
import pandas as pd
import pytest

import futures
from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from data.clock import decision_times, sessions_between
from data.prices import known
from data.prices.panel import build_panel
from signals.observations import as_known, sample_at_decisions, series_observations

SESSIONS = sessions_between(pd.Timestamp("2022-01-03"), pd.Timestamp("2024-06-28"))
# After the end of a quarter and before its results, each the first decision after a long weekend.
MOMENTS = [pd.Timestamp("2024-01-02", tz="UTC"), pd.Timestamp("2024-04-01", tz="UTC")]

# What the functions read: a yield, a company's capex, prices.


def known_yield(market):
    return as_known(series_observations(market.series, "DGS10"), SESSIONS, 10)["value"]


def undelayed_yield(market):
    observations = series_observations(market.series, "DGS10")
    return as_known(observations.assign(known_at=observations["date"].dt.tz_localize("UTC")), SESSIONS, 10)["value"]


def known_capex(market):
    states = microsoft(market).set_index("capex_known_at")[["capex_usd_bn"]]
    return sample_at_decisions(states, SESSIONS)


def capex_at_period_end(market):
    return microsoft(market).set_index("period_end")["capex_usd_bn"].reindex(SESSIONS, method="ffill")


def interpolated_capex(market):
    """On the straight line from each result to the next."""
    results = microsoft(market).set_index("capex_known_at")["capex_usd_bn"]
    decisions = decision_times(SESSIONS)
    line = results.reindex(results.index.union(decisions)).interpolate("time")
    return line.reindex(decisions).set_axis(SESSIONS)


def microsoft(market):
    results = market.capex_actuals.query("company == 'MSFT'").dropna(subset="capex_usd_bn")
    return results.sort_values("capex_known_at").drop_duplicates("capex_known_at", keep="last")


def panel(market):
    return build_panel(market, ("SIM-COIN-A", "SIM-SAAS-A"), SESSIONS[0], SESSIONS[-1])


def closes_of_the_fill_session(market):
    prices = panel(market)
    return pd.DataFrame(prices.close, index=prices.sessions)


# A hidden Markov model of a calm and a wild state, its parameters given.

STAY, DEVIATIONS = 0.97, np.array([3.0, 9.0])  # a session; basis points
TRANSITION = np.array([[STAY, 1 - STAY], [1 - STAY, STAY]])


def state_probabilities(changes):
    """Probability of each state given the changes up to each session (filtered), and given all (smoothed)."""
    density = np.exp(-0.5 * (changes[:, None] / DEVIATIONS) ** 2) / DEVIATIONS
    predicted, filtered = np.full_like(density, 0.5), np.empty_like(density)
    for row in range(len(changes)):
        if row:
            predicted[row] = filtered[row - 1] @ TRANSITION
        joint = predicted[row] * density[row]
        filtered[row] = joint / joint.sum()
    smoothed = filtered.copy()
    for row in range(len(changes) - 2, -1, -1):
        smoothed[row] = filtered[row] * (TRANSITION @ (smoothed[row + 1] / predicted[row + 1]))
    return filtered, smoothed


def yield_states(market):
    changes = (100 * known_yield(market).diff()).fillna(0.0).clip(-30, 30)
    return [pd.DataFrame(path, index=SESSIONS) for path in state_probabilities(changes.to_numpy())]


def test_state_probabilities_are_those_of_every_path_weighed_by_bayes_rule():
    changes = np.array([1.0, -8.0, 12.0, 2.0, 0.5, -1.0])
    paths = np.array(list(product([0, 1], repeat=len(changes))))

    def share_of_wild(at, known):
        weights = 0.5 * np.prod(np.where(paths[:, 1:] == paths[:, :-1], STAY, 1 - STAY), axis=1)
        for row in range(known):
            deviation = DEVIATIONS[paths[:, row]]
            weights = weights * np.exp(-(changes[row] ** 2) / (2 * deviation**2)) / deviation
        return weights[paths[:, at] == 1].sum() / weights.sum()

    filtered, smoothed = state_probabilities(changes)
    np.testing.assert_allclose(filtered[:, 1], [share_of_wild(row, row + 1) for row in range(6)], rtol=1e-12)
    np.testing.assert_allclose(smoothed[:, 1], [share_of_wild(row, 6) for row in range(6)], rtol=1e-12)


# The leaks, each with its right twin.

LEAKS = {
    "centred window": (
        lambda market: known_yield(market).rolling(21, center=True, min_periods=1).mean(),
        lambda market: known_yield(market).rolling(21, min_periods=1).mean(),
    ),
    "full-sample mean": (
        lambda market: known_yield(market) - known_yield(market).mean(),
        lambda market: known_yield(market) - known_yield(market).expanding().mean(),
    ),
    "missing publication lag": (undelayed_yield, known_yield),
    "event at its period's end": (capex_at_period_end, known_capex),
    "interpolated between events": (interpolated_capex, known_capex),
    "close of the fill session": (closes_of_the_fill_session, lambda market: panel(market).decision_prices()),
    "smoothed state path": (lambda market: yield_states(market)[1], lambda market: yield_states(market)[0]),
}
# They never look at the time at which something becomes known: another time changes nothing in them.
BLIND_TO_DELAY = {"missing publication lag", "event at its period's end", "close of the fill session"}


def is_caught(market, function, perturb, moment):
    before, after = (
        {"rows": futures.decided(function(each))} for each in (market, futures.PERTURBATIONS[perturb](market, moment))
    )
    assert before["rows"][:moment].notna().any(axis=None)
    return bool(futures.changed(before, after, moment))


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: str(moment.date()))
@pytest.mark.parametrize("perturb", ["cut", "garble", "delay"])
@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_is_caught_and_its_right_twin_is_not(sample, leak, perturb, moment):
    wrong, right = LEAKS[leak]
    assert is_caught(sample, wrong, perturb, moment) == (perturb != "delay" or leak not in BLIND_TO_DELAY)
    assert not is_caught(sample, right, perturb, moment)


def test_a_leak_inside_a_whole_run_is_caught(sample, monkeypatch):
    """The decision weighs by the close of the session that it is taken for."""
    moment = MOMENTS[0]
    settings = {"policy.weighting": "inverse_volatility", "policy.volatility_sessions": 20}
    spec = load_spec("sample", settings | {"run.start": "2023-11-01", "run.end": "2024-03-28"})
    markets = (sample, futures.garble(sample, moment))

    def caught():
        before, after = (futures.run_tables(run_backtest(spec, market)) for market in markets)
        return futures.changed(before, after, moment)

    assert caught() == []
    monkeypatch.setattr(known, "_last_before", lambda closes, days: closes.reindex(days).ffill().to_numpy())
    assert "targets" in caught()
