"""Baskets by rule: the choice of each June, and runs that hold it, beside independent calculations."""

import tomllib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from backtests.measures.attribution import attribution
from backtests.prepare.choice import choice_sessions, with_choice
from backtests.prepare.decision import decide_from_cash
from backtests.prepare.prepared import prepare
from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from backtests.studies.sweeps.grid import make_grid
from backtests.studies.sweeps.sweep import Sweep, SweepAsked
from data.clock import decision_times
from data.errors import InputError
from index_market import DEAD, DIED, LATE, LEAVER, LEFT, NAMES, planted_market
from strategies.policy import target_weights
from strategies.rule import make_choice

SPEC = {
    "run": {"name": "by-rule", "start": "2017-03-01", "end": "2019-08-30"},
    "universe": {"reserve": ["SIM-BILL"], "benchmark": "SIM-MARKET", "rule": {"by": "duration"}},
}


@pytest.fixture(scope="module")
def market(sample):
    return planted_market(sample)


@pytest.fixture(scope="module")
def run(market):
    return run_backtest(load_spec(SPEC), market)


def by_hand(market, session):
    """The terciles of a June, by pandas and statsmodels alone."""
    sessions = pd.DatetimeIndex(market.bars.loc[market.bars["symbol"] == "SIM-MARKET", "date"])
    firsts = pd.DatetimeIndex(pd.Series(sessions, sessions).groupby(sessions.to_period("W")).min())
    firsts = firsts[firsts <= session]
    close = market.bars.pivot_table(index="date", columns="symbol", values="adj_close")

    def before(values):
        return pd.DataFrame(
            {day: values[values.index < day].iloc[-1] for day in firsts if (values.index < day).any()}
        ).T

    alive = close.ffill().where(close.bfill().notna())
    returns = before(alive).pct_change(fill_method=None)
    rates = market.series[market.series["series"].isin(["DFII10", "BAA10Y"])]
    table = rates.pivot_table(index="date", columns="series", values="value")
    changes = before(table).diff()
    known = rates.pivot_table(index="date", columns="series", values="known_at", aggfunc="max").max(axis=1)
    [moment] = decision_times(pd.DatetimeIndex([session]))
    # The third session of a week is the first that counts the week before.
    told = [day for day in changes.index if sessions[sessions.searchsorted(day) + 2] <= session]
    assert all(known[known.index < day].iloc[-1] <= moment for day in told)
    weeks = changes.loc[told].dropna().index[-104:]
    members = market.memberships[market.memberships["known_at"] <= moment].drop_duplicates("symbol", keep="last")
    slopes = {}
    for name in members.loc[members["member"], "symbol"]:
        own = pd.concat([returns[name], returns["SIM-MARKET"].rename("m"), changes], axis=1).loc[weeks].dropna()
        if len(own) >= 52 and close[name][close.index < session].iloc[-5:].notna().any():
            fit = sm.OLS(own[name], sm.add_constant(own[["m", "DFII10", "BAA10Y"]]))
            fit = fit.fit(cov_type="HAC", cov_kwds={"maxlags": 5})
            slopes[name] = [fit.params["DFII10"], fit.bse["DFII10"], fit.params["BAA10Y"], fit.bse["BAA10Y"]]
    found = pd.DataFrame(slopes, ["r", "re", "c", "ce"]).T
    score = 0.0
    for key in ("r", "c"):
        weight = found[key].var() / (found[key].var() + found[f"{key}e"] ** 2)
        shrunk = weight * found[key] + (1 - weight) * found[key].mean()
        score = score - (shrunk - shrunk.mean()) / shrunk.std()
    ranked = score.sort_values(ascending=False).index
    return set(ranked[: len(ranked) // 3]), set(ranked[-(len(ranked) // 3) :]), score


def test_each_june_chooses_what_pandas_and_statsmodels_choose(run, market):
    choice = run.spec.universe.choice
    assert [f"{day:%Y-%m-%d}" for day in choice.begins] == ["2016-06-01", "2017-06-01", "2018-06-01", "2019-06-03"]
    for session in choice.begins:
        speculative, cash_flow, score = by_hand(market, session)
        row = choice.baskets.loc[session]
        assert set(row.index[row == "speculative"]) == speculative
        assert set(row.index[row == "cash_flow"]) == cash_flow
        own = choice.measures[choice.measures["session"] == session].set_index("symbol")["measure"].dropna()
        np.testing.assert_allclose(own, score.reindex(own.index), rtol=1e-9)


def test_the_planted_order_is_found(run):
    last = run.spec.universe.choice.baskets.iloc[-1]
    long, short = (sorted(last.index[last == basket]) for basket in ("speculative", "cash_flow"))
    assert np.mean([NAMES.index(name) for name in long]) < 6
    assert np.mean([NAMES.index(name) for name in short]) > 13


def test_the_choice_holds_between_junes_and_what_leaves_the_list_is_sold(run):
    universe, targets = run.spec.universe, run.plan.targets
    for basket in ("speculative", "cash_flow"):
        free = universe.free(basket, targets > -1)
        assert free.loc["2017-06-01"].sum() == len(NAMES[:-1]) // 3  # without the one that comes late
    in_force = universe.choice.on(pd.DatetimeIndex(targets.index))
    assert (targets[in_force.columns].where(in_force == "", 0.0) == 0.0).all(axis=None)
    held = run.engine.positions
    known = LEFT + pd.Timedelta(days=1)
    assert in_force.loc[LEFT, LEAVER] == "speculative"
    assert in_force.loc[known, LEAVER] == ""
    assert held.loc[LEFT, LEAVER] > 0
    assert held.loc[known, LEAVER] == 0.0


def test_a_name_is_held_to_its_death_and_no_late_one_before_it_has_a_year(run):
    assert run.spec.universe.choice.baskets.loc["2018-06-01", DEAD] == "cash_flow"
    paid = run.engine.cash[run.engine.cash["symbol"] == DEAD]
    assert (paid["session"] > DIED).all()
    assert len(paid) == 1
    measures = run.spec.universe.choice.measures.set_index(["session", "symbol"])["measure"]
    assert np.isnan(measures[pd.Timestamp("2018-06-01"), LATE])
    assert np.isfinite(measures[pd.Timestamp("2019-06-03"), LATE])


@pytest.mark.slow
def test_both_engines_do_the_same(run, market):
    other = run_backtest(load_spec(SPEC), market, engine_name="vector")
    pd.testing.assert_frame_equal(other.engine.equity, run.engine.equity, rtol=1e-9)
    pd.testing.assert_frame_equal(other.engine.positions, run.engine.positions, rtol=1e-9)


@pytest.mark.parametrize("perturb", ["garble", "cut", "members"])
@pytest.mark.parametrize("june", ["2018-06-01", "2019-06-03"])
def test_what_comes_later_changes_nothing_decided_before(run, market, perturb, june):
    # 2018-06-01 is a Friday, 2017-06-01 a Thursday; 2019-06-03 a Monday, before which the last Friday is not public.
    day = pd.Timestamp(june)
    [moment] = decision_times(pd.DatetimeIndex([day]))
    bars, series, members = market.bars.copy(), market.series.copy(), market.memberships.copy()
    late, told = bars["date"] >= day, series["known_at"] > moment
    random = np.random.default_rng(3)
    if perturb == "garble":
        columns = ["open", "high", "low", "close", "adj_close"]
        bars.loc[late, columns] = bars.loc[late, columns].mul(random.uniform(0.5, 2, int(late.sum())), axis=0)
        series.loc[told, "value"] += random.normal(0, 1, int(told.sum()))
    elif perturb == "cut":
        bars, series, members = bars[~late], series[~told], members[members["known_at"] <= moment]
    else:
        members = members[members["known_at"] <= moment]
    other = replace(market, bars=bars, series=series, memberships=members)
    spec = load_spec(SPEC, {"run.end": "2018-05-31" if june < "2019" else "2019-05-31"} if perturb == "cut" else None)
    found = prepare(spec, other).plan.targets.loc[:day]
    before = run.plan.targets.loc[:day]
    names = [name for name in before if (before[name] > 0).any()]
    assert len(names) > 10
    pd.testing.assert_frame_equal(found[names], before[names], check_exact=True)
    assert (found.drop(columns=names) == 0.0).all(axis=None)


@pytest.mark.slow
def test_a_sweep_plays_the_same(run, market):
    axes = {"policy.rebalance": ["monthly", "regime"]}
    sweep = Sweep(SweepAsked(load_spec(SPEC), {}, make_grid(load_spec(SPEC), axes), market))
    found, measures = sweep.run(0, 2), run.measures.strategy
    at = [sweep.settings(variant)["policy.rebalance"] for variant in range(2)].index("monthly")
    np.testing.assert_allclose(found[["cagr", "sharpe"]].iloc[at], [measures.cagr, measures.sharpe], rtol=1e-9)


def test_a_rule_is_not_written_where_there_is_none_and_is_written_as_it_was():
    assert "universe.rule" not in load_spec("history").by_key()
    spec = load_spec(SPEC)
    assert load_spec(spec, {}).to_toml() == spec.to_toml()
    listed = load_spec(SPEC, {"universe.rule": {"names": ["MU", {"symbol": "WDC", "last": "2025-02-21"}]}})
    assert [each.symbol for each in listed.universe.rule.listed] == ["MU", "WDC"]
    assert load_spec(tomllib.loads(listed.to_toml())) == listed


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"universe.rule.names": list(NAMES[:12])}, "11 of 12 listed names have a duration, wanted 15 or more"),
        ({"universe.rule.sectors": ["Software"]}, "universe.rule.sectors: got 'Software', wanted sectors"),
        ({"universe.rule.names": ["NONE"]}, "unknown symbol NONE"),
        ({"universe.rule.names": ["SIM-BILL"]}, "got SIM-BILL, the benchmark or of the reserve"),
        ({"run.strategy": "own.py:Own"}, "run.strategy: got own.py:Own beside universe.rule"),
    ],
)
def test_what_cannot_be_chosen_is_told(market, change, told):
    with pytest.raises(InputError, match=told):
        with_choice(load_spec(SPEC, change), market)


def test_names_beside_a_rule_are_refused():
    with pytest.raises(InputError, match="got names in cash_flow and a rule"):
        load_spec(SPEC, {"universe.cash_flow": ["MU"]})


@pytest.mark.parametrize(
    ("first", "last", "begins"),
    [
        ("2017-06-01", "2018-05-01", ["2017-06-01"]),
        ("2017-05-31", "2018-06-01", ["2016-06-01", "2017-06-01", "2018-06-01"]),
        ("2019-06-01", "2019-06-10", ["2019-06-03"]),
    ],
)
def test_a_run_begins_with_the_choice_of_the_june_before(first, last, begins):
    found = choice_sessions(pd.Timestamp(first), pd.Timestamp(last))
    assert [f"{day:%Y-%m-%d}" for day in found] == begins


def test_profits_by_basket_add_up_to_the_equity(run):
    table = attribution(run.engine, run.regime, run.spec.universe)
    gained = run.engine.equity["equity"].iloc[-1] - run.spec.run.initial_cash
    assert table["profit"].sum() == pytest.approx(gained, rel=1e-9)
    assert set(table["basket"]) <= {"speculative", "cash_flow", "reserve", "cash"}


def test_a_name_may_move_from_one_basket_to_the_other():
    junes = pd.DatetimeIndex(["2017-06-01", "2018-06-01"])
    thirds = [{"speculative": ["X"], "cash_flow": ["Y"]}, {"speculative": ["Z"], "cash_flow": ["X"]}]
    leaves = {junes[0]: {"Y": pd.Timestamp("2017-09-01"), "X": pd.Timestamp("2018-07-02")}, junes[1]: {}}
    choice = make_choice(dict(zip(junes, thirds, strict=True)), leaves, pd.DataFrame())
    universe = load_spec(SPEC).universe.chosen(choice)
    assert universe.symbols == ("X", "Y", "Z", "SIM-BILL")
    days = pd.DatetimeIndex(["2017-05-31", "2017-06-01", "2017-08-31", "2017-09-01", "2018-05-31", "2018-06-01"])
    everything = pd.DataFrame(True, days, [*universe.symbols, "SIM-MARKET"])
    assert universe.free("speculative", everything)["X"].tolist() == [False, True, True, True, True, False]
    assert universe.free("cash_flow", everything)["X"].tolist() == [False, False, False, False, False, True]
    assert universe.allowed(everything)["Y"].tolist() == [False, True, True, False, False, False]
    assert universe.allowed(everything)["SIM-MARKET"].all()
    # What is left of a name that could not be sold is still of the basket that it was in.
    assert universe.part("cash_flow", everything * 1.0)["Y"].tolist() == [0.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    assert universe.begins(days).tolist() == [False, True, False, False, False, True]
    assert universe.key_of("X", days[2]) == "universe.speculative"
    assert universe.key_of("X", days[5]) == "universe.cash_flow"
    config = load_spec(SPEC).policy
    weights = target_weights(pd.Series("NEUTRAL", days), everything, everything, universe, config)
    assert weights["X"].tolist() == [0.0, 0.3, 0.3, 0.3, 0.3, 0.3]
    assert weights["Z"].tolist() == [0.0] * 5 + [0.3]


def test_a_decision_from_cash_is_that_of_the_plan(run, market):
    session = pd.Timestamp("2018-06-04")
    found = decide_from_cash(load_spec(SPEC), market, run.signal, session)
    wanted = run.plan.targets.loc[session]
    assert found.targets[found.targets > 0].to_dict() == pytest.approx(wanted[wanted > 0].to_dict())
    assert (found.buy_money > 0).sum() > 10
