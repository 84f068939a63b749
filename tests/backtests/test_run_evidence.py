"""The evidence of a run: each row against a way to it that shares none of its code."""

import math
from datetime import date

import numpy as np
import pandas as pd
import pytest

from backtests.evidence.table import Question, Verdict
from backtests.evidence.trials import TrialCount
from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from backtests.studies.evidence.markets import MARKETS, market_factors
from backtests.studies.evidence.of_run import run_evidence
from backtests.studies.evidence.reruns import crossing
from backtests.studies.stress import stress_table

pytestmark = pytest.mark.slow

FOUR_YEARS = {"run.start": "2020-01-02", "run.end": "2023-12-29"}


@pytest.fixture(scope="module")
def run(sample):
    return run_backtest(load_spec("sample", FOUR_YEARS), sample)


@pytest.fixture(scope="module")
def found(run):
    return run_evidence(run, TrialCount(5, 3.0, 0.5, 0.0), date(2022, 6, 1))


def lead_of(run):
    return float(np.log1p(run.returns["strategy"]).sum() - np.log1p(run.returns["static_mix"]).sum())


def test_every_question_is_answered(found):
    assert {row.question for row in found.rows} == set(Question) - {Question.SWEEP, Question.SINCE}
    assert [row.reason for row in found.rows if row.verdict is Verdict.UNMEASURED] == []


def test_the_benchmark_stands_in_for_markets_that_are_not_there(run, found, sample):
    row = found.row("alpha", "the markets").values
    assert (list(row["betas"]), row["missing"]) == (["SIM-MARKET"], [name for name, _ in MARKETS])
    factors, _ = market_factors(sample, run.sessions, run.risk_free, "SIM-MARKET")
    held = run.returns["benchmark"] - run.risk_free
    # Bought once at the first open, and held.
    assert factors["SIM-MARKET"].iloc[1:].to_numpy() == pytest.approx(held.iloc[1:].to_numpy(), abs=1e-6)
    assert market_factors(sample, run.sessions, run.risk_free)[0].empty


def test_the_honest_lines_are_its_short_form(run, found):
    luck = found.row("sharpe_against_the_mix", "static_mix").values
    assert [luck["difference"], luck["low"], luck["high"]] == [
        run.evidence.luck.value,
        run.evidence.luck.low,
        run.evidence.luck.high,
    ]
    for name, each in run.evidence.rivals.items():
        assert found.row("sharpe_against_a_rival", name).values["difference"] == each.value
    stay, best = found.row("best_stays", "static_mix").values, run.evidence.best_stay
    assert stay["start"] == str(best.start.date())
    assert stay["share"] == (None if best.share is None else pytest.approx(best.share))
    assert stay["without"]["1"]["growth"] * 100_000 == pytest.approx(best.final_equity_usd)


def test_every_portfolio_beside_the_strategy_is_a_rival(run, found):
    assert {row.of for row in found.of(Question.RIVALS)} == set(run.returns) - {"strategy"}


def test_alpha_by_least_squares(run, found):
    row = found.row("alpha", "its own baskets").values
    close = pd.DataFrame(run.panel.adjusted_close, run.panel.sessions, list(run.panel.symbols)).pct_change().iloc[1:]
    universe = run.spec.universe
    legs = np.column_stack([close[list(universe.members(name))].mean(axis=1) for name in ("speculative", "cash_flow")])
    bill = run.risk_free.to_numpy()
    excess = run.returns["strategy"].to_numpy() - bill
    solved = np.linalg.lstsq(np.column_stack([legs - bill[:, None], np.ones(len(bill))]), excess, rcond=None)[0]
    assert list(row["betas"].values()) == pytest.approx(solved[:2].tolist(), rel=1e-6)
    assert row["alpha"] == pytest.approx(solved[2] * 252, rel=1e-6)
    assert row["low"] < row["alpha"] < row["high"]


def test_the_shift_from_the_files_of_a_run(run, found):
    """Weights from units and closes, moved by numpy, one shift at a time."""
    row = found.row("circular_shift").values
    universe, baskets = run.spec.universe, ("speculative", "cash_flow", "reserve")
    close = pd.DataFrame(run.panel.close, run.panel.sessions, list(run.panel.symbols))
    value = run.engine.positions * close.iloc[1:]
    equity = run.engine.equity["equity"]
    weights = np.column_stack([value[list(universe.members(each))].sum(axis=1) / equity for each in baskets])
    held = np.vstack([np.zeros(3), weights[:-1]])
    daily = close.pct_change().iloc[1:]
    returns = np.column_stack([daily[list(universe.members(each))].mean(axis=1) for each in baskets])
    orders = run.engine.orders
    paid = (orders["commission"] + orders["slippage"]).groupby(orders["session"]).sum()
    before = equity.shift(fill_value=run.spec.run.initial_cash)
    costs = paid.reindex(run.sessions, fill_value=0.0).to_numpy() / before.to_numpy()
    ratios = []
    for shift in range(len(equity)):
        earned = (np.roll(held, shift, axis=0) * returns).sum(axis=1) - np.roll(costs, shift) - run.risk_free.to_numpy()
        ratios.append(earned.mean() / earned.std(ddof=1))
    assert row["p_value"] == pytest.approx(np.mean(np.array(ratios) >= ratios[0] - 1e-12))
    assert row["sharpe"] == pytest.approx(ratios[0] * math.sqrt(252))
    # The simple returns are near to those of the run.
    assert row["sharpe"] == pytest.approx(row["sharpe_of_the_run"], abs=0.15)


def test_costs_and_delay_by_the_event_engine(run, sample, found):
    costs = {each["at"]: each for each in found.row("break_even_costs", "static_mix").values["leads"]}
    dear = run.spec.model_copy(update={"costs": run.spec.costs.scaled(2)})
    assert costs[1]["growth"] == pytest.approx(lead_of(run), abs=1e-8)
    if 2 in costs:
        assert costs[2]["growth"] == pytest.approx(lead_of(run_backtest(dear, sample)), abs=1e-8)
    late = {each["at"]: each for each in found.row("break_even_delay", "static_mix").values["leads"]}
    stressed = stress_table(run).set_index(["cost_factor", "delay_sessions"])["sharpe"]
    mix = run.measures.portfolios["static_mix"].sharpe
    for delay in {0, 1, 5, 10} & set(late):
        assert late[delay]["sharpe"] == pytest.approx(stressed[(1, delay)] - mix, abs=1e-6)


def test_without_the_best_name_by_a_run_of_its_own(run, sample, found):
    row = found.row("best_names", "static_mix").values
    (name,) = row["without"]["1"]["names"]
    gains = row["gains_usd"]
    assert gains[name] == max(gains.values())
    assert sum(gains.values()) == pytest.approx(run.engine.equity["equity"].iloc[-1] - 100_000, rel=1e-6)
    universe = run.spec.universe
    left = {key: [each for each in getattr(universe, key) if each != name] for key in ("speculative", "cash_flow")}
    fewer = load_spec("sample", {**FOUR_YEARS, **{f"universe.{key}": names for key, names in left.items()}})
    assert row["without"]["1"]["lead"] == pytest.approx(lead_of(run_backtest(fewer, sample)), abs=1e-8)


def test_before_and_after_the_idea(run, found):
    after = found.row("published", "after").values
    inside = run.returns[run.returns.index >= "2022-06-01"]
    excess = inside[["strategy", "static_mix"]].sub(run.risk_free[inside.index], axis=0)
    ratios = excess.mean() / excess.std() * math.sqrt(252)
    assert after["sessions"] == len(inside)
    assert after["difference"] == pytest.approx(ratios["strategy"] - ratios["static_mix"])
    assert found.row("published", "before").values["sessions"] == len(run.returns) - len(inside)


def test_the_trials_are_deflated_by_their_effective_number(run, found):
    row = found.row("deflated_sharpe", "static_mix").values
    excess = run.returns["strategy"] - run.returns["static_mix"]
    assert (row["trials"], row["effective_trials"]) == (5, 3.0)
    assert row["sharpe"] == pytest.approx(excess.mean() / excess.std() * math.sqrt(252))
    # They spread by chance at least, though these all have one ratio.
    assert row["spread"] == pytest.approx(math.sqrt(252 / len(excess)))
    wide = run_evidence(run, TrialCount(5, 3.0, 0.5, 0.04)).row("deflated_sharpe", "static_mix").values
    assert wide["spread"] == pytest.approx(0.2 * math.sqrt(252))
    assert wide["bar"] == pytest.approx(0.2 * math.sqrt(252) * 0.8525, rel=1e-3)  # of three, by the published formula


def test_years_and_stays_add_up(run, found):
    years = found.row("by_year", "static_mix").values
    assert list(years["lead"]) == ["2020", "2021", "2022", "2023"]
    assert sum(years["lead"].values()) == pytest.approx(lead_of(run))
    stays = found.row("best_stays", "static_mix").values
    assert sum(each["lead"] for each in stays["stays"]) == pytest.approx(lead_of(run))
    two = sorted((each["lead"] for each in stays["stays"]), reverse=True)[:2]
    assert stays["without"]["2"]["lead"] == pytest.approx(lead_of(run) - sum(two))


def test_where_a_lead_is_gone():
    assert crossing({1: 0.4, 2: 0.2, 3: -0.2}) == 2.5
    assert crossing({1: 0.4, 2: 0.2}) is None
    assert crossing({1: -0.1}) == 1
