"""The honest lines: the best stay by hand, rivals as runs that say so, and how a run tells them."""

import math

import numpy as np
import pandas as pd
import pytest

from backtests.evidence.best_stay import best_stay
from backtests.evidence.honest_lines import honest_lines
from backtests.evidence.sharpe_difference import sharpe_difference
from backtests.measures.performance import performance
from backtests.prepare.plans import GATE_ALONE, ONE_SWITCH, PRICE_MOMENTUM, WITHOUT_DRAIN
from backtests.run import RIVALS, run_backtest
from backtests.spec.spec import load_spec
from backtests.studies.ablation import Variant, run_variant

DAYS = pd.bdate_range("2024-01-02", periods=6)


def stays(*rows):
    return pd.DataFrame(rows, columns=["start", "end", "sessions", "regime", "strategy", "static_mix"])


def made_returns(strategy, mix):
    return pd.DataFrame({"strategy": strategy, "static_mix": mix}, index=DAYS)


def nothing():
    return pd.Series(0.0, DAYS)


def test_the_best_stay_by_hand():
    """Three stays of two sessions: behind by 1 in 1.1, ahead by 1.5, level. Without the second, behind."""
    returns = made_returns([0.0, 0.0, 0.5, 0.0, 0.1, 0.0], [0.1, 0.0, 0.0, 0.0, 0.1, 0.0])
    rotations = stays(
        (DAYS[0], DAYS[1], 2, "NEUTRAL", 0.0, 0.1),
        (DAYS[2], DAYS[3], 2, "SCARCE", 0.5, 0.0),
        (DAYS[4], DAYS[5], 2, "ABUNDANT", 0.1, 0.1),
    )
    found = best_stay(rotations, returns, nothing(), 1_000.0)
    assert (found.start, found.end, found.sessions, found.regime) == (DAYS[2], DAYS[3], 2, "SCARCE")
    assert found.gain == pytest.approx(0.5)
    assert found.whole_gain == pytest.approx(1.65 / 1.21 - 1)
    assert found.share == pytest.approx(math.log(1.5) / math.log(1.65 / 1.21))  # above 1: the others lost
    assert found.final_equity_usd == pytest.approx(1_100.0)
    without = pd.Series([0.0, 0.0, 0.0, 0.0, 0.1, 0.0], DAYS)
    assert found.sharpe == pytest.approx(performance(without, nothing()).sharpe)


def test_where_nothing_was_gained_there_is_no_share():
    returns = made_returns([0.0] * 6, [0.1, 0.0, 0.0, 0.0, 0.0, 0.0])
    rotations = stays((DAYS[0], DAYS[2], 3, "NEUTRAL", 0.0, 0.1), (DAYS[3], DAYS[5], 3, "SCARCE", 0.0, 0.0))
    found = best_stay(rotations, returns, nothing(), 1_000.0)
    assert (found.start, found.gain, found.share) == (DAYS[3], 0.0, None)
    assert found.sharpe is None or found.sharpe > 0


def test_whoever_lost_everything_has_no_best_stay():
    returns = made_returns([0.0, -1.0, 0.0, 0.0, 0.0, 0.0], [0.0] * 6)
    rotations = stays((DAYS[0], DAYS[5], 6, "SCARCE", -1.0, 0.0))
    assert best_stay(rotations, returns, nothing(), 1_000.0) is None


def test_too_few_sessions_are_no_luck_and_say_why():
    returns = made_returns([0.01, -0.01] * 3, [0.0, 0.01] * 3)
    lines = honest_lines(returns, [], nothing(), None, "chosen afterwards")
    assert (lines.luck, lines.rivals, lines.names) == (None, {}, "chosen afterwards")
    assert "got 6 sessions of returns, wanted at least 100" in lines.unknown


@pytest.fixture(scope="module")
def run(sample):
    return run_backtest(load_spec("sample", {"run.start": "2022-01-03", "run.end": "2024-06-28"}), sample)


def test_a_run_draws_its_lines_over_its_own_returns(run):
    lines = run.evidence
    assert tuple(lines.rivals) == RIVALS
    assert lines.names == run.spec.universe.hindsight
    assert lines.unknown == ""
    assert lines.luck.value == pytest.approx(
        run.measures.strategy.sharpe - run.measures.portfolios["static_mix"].sharpe, rel=1e-12
    )
    for name, difference in lines.rivals.items():
        wanted = run.measures.strategy.sharpe - run.measures.portfolios[name].sharpe
        assert difference.value == pytest.approx(wanted, rel=1e-9)
        assert difference.low < difference.value < difference.high
    alone = sharpe_difference(run.returns["strategy"], run.returns["static_mix"], run.risk_free)
    assert lines.luck.low == pytest.approx(alone.low, abs=0.1)
    assert lines.luck.high == pytest.approx(alone.high, abs=0.1)


def test_the_best_stay_of_a_run_is_one_of_its_rotations(run):
    stay = run.evidence.best_stay
    leads = np.log1p(run.rotations["strategy"]) - np.log1p(run.rotations["static_mix"])
    best = run.rotations.loc[leads.idxmax()]
    assert (stay.start, stay.end, stay.regime) == (best["start"], best["end"], best["regime"])
    assert math.log1p(stay.whole_gain) == pytest.approx(
        math.log(run.measures.strategy.final_equity_usd / run.measures.portfolios["static_mix"].final_equity_usd)
    )
    assert math.log1p(stay.gain) / math.log1p(stay.whole_gain) == pytest.approx(stay.share)


def test_the_signal_without_its_drain_is_the_ablation_s(run):
    """The ablation computes the signal anew and runs it through Backtrader; the rival runs in the ledger."""
    other = run_variant(run, Variant("without drain", run.spec.signal, "drain"))
    np.testing.assert_allclose(run.returns[WITHOUT_DRAIN], other.returns, rtol=0, atol=1e-12)
    assert run.measures.portfolios[WITHOUT_DRAIN].sharpe == pytest.approx(other.measures.sharpe, rel=1e-9)


def regimes_as_source(folder, name, regimes):
    """A CSV file that says each change of a path of regimes at its decision."""
    changes = regimes[regimes != regimes.shift()]
    lines = [f"{day:%Y-%m-%d}T00:00:00+00:00,{regime}" for day, regime in changes.items()]
    (folder / name).write_text("\n".join(["known_at,regime", *lines]) + "\n")
    return str(folder / name)


def test_rivals_are_what_specs_come_to_that_take_their_regimes_from_a_file(run, sample, tmp_path):
    """Momentum by hand from the closes, the gate through its own thresholds, one switch at the best stay."""
    bars = sample.bars.pivot(index="date", columns="symbol", values="adj_close").ffill()
    universe, sessions = run.spec.universe, run.prepared.market.decides_for
    closes = bars.reindex(bars.index.union(sessions)).ffill().shift().reindex(sample_sessions(bars, sessions))
    daily = closes.pct_change(fill_method=None)
    growth = [
        (1 + daily[list(members)].mean(axis=1)).rolling(126).apply(np.prod, raw=True)
        for members in (universe.cash_flow, universe.speculative)
    ]
    momentum = pd.Series(np.where(growth[0] > growth[1], "SCARCE", "ABUNDANT"), closes.index).reindex(sessions)
    g, regime, gate = run.signal.gate["g"], "NEUTRAL", {}
    for day, score in (2 * g - 1).items():  # no stay is as short as the shortest that is allowed
        if score > 0.4 or (regime == "SCARCE" and score >= 0.2):
            regime = "SCARCE"
        elif score < -0.4 or (regime == "ABUNDANT" and score <= -0.2):
            regime = "ABUNDANT"
        else:
            regime = "NEUTRAL"
        gate[day] = regime
    stay = run.evidence.best_stay
    switch = pd.Series(np.where(sessions >= stay.start, stay.regime, "NEUTRAL"), sessions)
    paths = {PRICE_MOMENTUM: momentum, GATE_ALONE: pd.Series(gate).reindex(sessions), ONE_SWITCH: switch}
    days = {"run.start": "2022-01-03", "run.end": "2024-06-28"}
    for name, path in paths.items():
        source = regimes_as_source(tmp_path, f"{name}.csv", path)
        other = run_backtest(load_spec("sample", days | {"signal.source": source}), sample)
        np.testing.assert_allclose(other.returns["strategy"], run.returns[name], rtol=0, atol=1e-12, err_msg=name)


def sample_sessions(bars, sessions):
    """Sessions of the half year before the run, and of the run."""
    from data.clock import sessions_between

    return sessions_between(sessions[0] - pd.Timedelta(days=250), sessions[-1])


def test_a_source_has_no_drain_and_no_gate(sample, tmp_path):
    source = tmp_path / "always.csv"
    source.write_text("known_at,regime\n2020-01-02T00:00:00+00:00,SCARCE\n")
    days = {"run.start": "2023-01-03", "run.end": "2023-12-29", "signal.source": str(source)}
    found = run_backtest(load_spec("sample", days), sample)
    assert list(found.evidence.rivals) == [PRICE_MOMENTUM, ONE_SWITCH]
    assert not {WITHOUT_DRAIN, GATE_ALONE} & set(found.returns)


OLD = {"signal.form": 1, "signal.events": "2026-10"}


@pytest.mark.real_history
@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "best", "share", "without_drain"),
    [
        ({}, ("2025-09-02", "2026-10-09"), 0.77, 1.28),
        (OLD, ("2025-09-08", "2026-05-21"), 0.90, 1.41),
    ],
    ids=["form 2", "form 1 on the events of then"],
)
def test_on_real_history_one_stay_makes_most_of_it_and_no_rival_is_beaten_for_sure(
    settings, best, share, without_drain, history
):
    run = run_backtest(load_spec("history", settings), history)
    stay = run.evidence.best_stay
    assert (str(stay.start.date()), str(stay.end.date())) == best
    assert stay.share == pytest.approx(share, abs=0.05)
    sharpes = {name: round(run.measures.portfolios[name].sharpe, 2) for name in (PRICE_MOMENTUM, WITHOUT_DRAIN)}
    assert sharpes == {PRICE_MOMENTUM: 1.24, WITHOUT_DRAIN: without_drain}
    assert not any(each.excludes_zero for each in (run.evidence.luck, *run.evidence.rivals.values()))
