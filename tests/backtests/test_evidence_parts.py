"""The parts of the evidence against published figures, other libraries, and loops that take no short cut."""

import math

import numpy as np
import pandas as pd
import pytest

from backtests.evidence.circular_shift import circular_shift
from backtests.evidence.deflated_sharpe import deflated_sharpe, expected_best, probabilistic_sharpe
from backtests.evidence.left_out import best_sessions, without_sessions
from backtests.evidence.needed_sessions import needed_sessions
from backtests.evidence.sharpe_difference import SharpeDifference
from backtests.evidence.table import EvidenceTable, Question, Row, Verdict
from data.errors import InputError

SPREAD = math.sqrt(0.5 / 250)
DAYS = pd.bdate_range("2024-01-02", periods=6)


def realised(values, sharpe):
    """Returns with exactly this Sharpe ratio a year of 250 days."""
    values = np.asarray(values, dtype=float)
    return (values - values.mean()) / values.std(ddof=1) + sharpe / math.sqrt(250)


def crash_prone():
    """Skewness -3 and kurtosis 10 are those of two values, the low one 105 times in 1250."""
    return realised([-1.0] * 105 + [0.0] * 1145, 2.5)


def test_the_example_of_bailey_and_lopez_de_prado():
    """Sharpe 2.5, skewness -3, kurtosis 10, variance of the trials 1/2 a year: 0.9004 of 100, 0.9505 of 46 trials."""
    found = deflated_sharpe(crash_prone(), 100, SPREAD)
    assert found.bar == pytest.approx(0.1132, abs=5e-5)
    assert found.probability == pytest.approx(0.9004, abs=5e-5)
    assert not found.is_above
    fewer = deflated_sharpe(crash_prone(), 46, SPREAD)
    assert fewer.probability == pytest.approx(0.9505, abs=1e-4)
    assert fewer.is_above


def test_the_same_of_normal_returns():
    """Three values have the kurtosis 3 and no skewness (in 1248 sessions, not 1250): 88 trials leave what 46 did."""
    normal = realised([-1.0] * 208 + [0.0] * 832 + [1.0] * 208, 2.5)
    assert deflated_sharpe(normal, 88, SPREAD).probability == pytest.approx(0.9505, abs=3e-4)


@pytest.mark.slow
def test_two_libraries_agree():
    import ffn
    from skfolio.measures import deflated_sharpe_ratio

    random = np.random.default_rng(5)
    returns = random.standard_t(5, 700) * 0.01 + 0.0006
    trials = random.normal(0.0, 0.03, 37)
    ours = deflated_sharpe(returns, 37, float(np.std(trials, ddof=1))).probability
    assert ours == pytest.approx(deflated_sharpe_ratio(returns, trials), rel=1e-9)
    series = pd.Series(returns, pd.bdate_range("2020-01-01", periods=700))
    theirs = ffn.calc_deflated_sharpe_ratio(series, trials, nperiods=252, annualized_trials=False)
    # It corrects skewness and kurtosis for the size of the sample.
    assert ours == pytest.approx(theirs, abs=2e-3)


def test_the_only_trial_has_no_bar():
    found = deflated_sharpe(crash_prone(), 1)
    assert found.bar == 0.0
    assert found.spread == pytest.approx(1 / math.sqrt(1250))
    assert found.probability == pytest.approx(probabilistic_sharpe(crash_prone(), 0.0))
    assert [expected_best(each, 1.0) for each in (1.0, 1.2)] == [0.0, 0.0]


def test_more_trials_never_help():
    chances = [deflated_sharpe(crash_prone(), trials, SPREAD).probability for trials in (1, 1.5, 2, 3, 10, 1000)]
    assert chances == sorted(chances, reverse=True)


@pytest.mark.parametrize(
    ("returns", "trials", "told"),
    [
        (np.zeros(50), 3, "got 50 sessions"),
        (np.full(200, 0.01), 3, "never move"),
        (np.append(np.arange(150.0), np.nan), 3, "missing or infinite"),
        (np.arange(150.0), 0.5, "got 0.5 trials"),
    ],
)
def test_what_cannot_be_deflated(returns, trials, told):
    with pytest.raises(InputError, match=told):
        deflated_sharpe(returns, trials)


def test_every_shift_by_hand():
    random = np.random.default_rng(2)
    count = 130
    weights, returns = random.random((count, 2)), random.normal(0, 0.01, (count, 2))
    costs, bill = random.random(count) * 1e-4, np.full(count, 1e-5)
    ratios = []
    for shift in range(count):
        held, paid = np.roll(weights, shift, axis=0), np.roll(costs, shift)
        earned = pd.Series((held * returns).sum(axis=1) - paid - bill)
        ratios.append(earned.mean() / earned.std() * math.sqrt(252))
    found = circular_shift(weights, returns, costs, bill)
    assert found.p_value == sum(each >= ratios[0] for each in ratios) / count
    assert (found.sharpe, found.median) == pytest.approx((ratios[0], np.median(ratios)))
    assert found.shifts == count


def test_weights_that_never_change_have_no_timing():
    returns = np.random.default_rng(3).normal(0, 0.01, (200, 2))
    assert circular_shift(np.full((200, 2), 0.4), returns, np.zeros(200), np.zeros(200)).p_value == 1.0


def test_weights_that_know_the_returns_have_it():
    returns = np.random.default_rng(3).normal(0, 0.01, (200, 1))
    assert circular_shift((returns > 0) * 1.0, returns, np.zeros(200), np.zeros(200)).p_value == 1 / 200


def test_shifts_of_too_little():
    some = np.full((200, 1), 0.5)
    with pytest.raises(InputError, match="got 60 sessions"):
        circular_shift(some[:60], some[:60], np.zeros(60), np.zeros(60))
    with pytest.raises(InputError, match="never move"):
        circular_shift(some * 0, some, np.zeros(200), np.zeros(200))
    with pytest.raises(InputError, match="missing or infinite"):
        circular_shift(some * np.nan, some, np.zeros(200), np.zeros(200))


def test_the_wait_by_hand():
    """A standard error of 0.5 over 100 sessions: (1.96 + 0.8416) x 0.5 squared, times 100."""
    found = SharpeDifference(1.0, 1.0 - 1.959964 * 0.5, 1.0 + 1.959964 * 0.5, 3)
    assert needed_sessions(found, 100) == pytest.approx(100 * ((1.959964 + 0.841621) * 0.5) ** 2, rel=1e-5)
    assert needed_sessions(SharpeDifference(-0.1, -1.0, 1.0, 3), 100) is None


def test_sessions_left_out_by_hand():
    returns = pd.DataFrame(
        {"strategy": [0.5, 0.0, 0.2, -0.1, 0.0, 0.0], "static_mix": [0.0, 0.0, 0.1, 0.0, 0.0, 0.1]}, DAYS
    )
    bill = pd.Series(0.0, DAYS)
    assert best_sessions(returns, 2).tolist() == [True, False, True, False, False, False]
    left = without_sessions(returns, best_sessions(returns, 2), bill)
    assert left.growth == pytest.approx(1.1 * 0.9)
    assert left.lead == pytest.approx(math.log(0.9 / 1.1))
    whole = without_sessions(returns, np.zeros(6, dtype=bool), bill)
    assert whole.lead == pytest.approx(math.log(1.5 * 1.2 * 0.9 / 1.1 / 1.1))


def test_what_is_called_skill():
    rows = {
        name: Row(Question.RIVALS, name, Verdict.FOR)
        for name in ("sharpe_against_the_mix", "deflated_sharpe", "circular_shift")
    }
    assert EvidenceTable(tuple(rows.values())).is_skill is True
    for name in rows:
        for verdict, wanted in ((Verdict.OPEN, False), (Verdict.AGAINST, False), (Verdict.UNMEASURED, None)):
            changed = {**rows, name: Row(Question.RIVALS, name, verdict)}
            assert EvidenceTable(tuple(changed.values())).is_skill is wanted
    assert EvidenceTable(()).is_skill is None
