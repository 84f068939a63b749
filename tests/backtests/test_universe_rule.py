"""Baskets by rule: the choice of each June, and runs that hold it, beside independent calculations."""

import tomllib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from backtests.archive.folder import run_tables
from backtests.measures.attribution import attribution
from backtests.measures.members import comings_and_goings
from backtests.prepare import choice
from backtests.prepare.choice import choice_sessions, with_choice
from backtests.prepare.decision import decide_from_cash
from backtests.prepare.prepared import prepare
from backtests.prepare.span import Span
from backtests.prepare.weeks import Weeks
from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from backtests.studies.audits import audit as audits
from backtests.studies.audits import probe
from backtests.studies.audits.rows import differences
from backtests.studies.event_study.events import study_events
from backtests.studies.event_study.study import event_study
from backtests.studies.sweeps.grid import make_grid
from backtests.studies.sweeps.sweep import Sweep, SweepAsked
from data.clock import decision_times
from data.errors import InputError
from data.market.tables import ACTIONS, MEMBERSHIPS
from index_market import DEAD, DIED, LATE, LEAVER, LEFT, LISTED, NAMES, planted_market
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


@pytest.fixture(scope="module")
def hand(run, market):
    return {session: by_hand(market, session) for session in run.spec.universe.choice.begins}


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


def test_each_june_chooses_what_pandas_and_statsmodels_choose(run, hand):
    choice = run.spec.universe.choice
    assert not [line for line in run.warnings if line.startswith("HINDSIGHT")]
    assert [f"{day:%Y-%m-%d}" for day in choice.begins] == ["2016-06-01", "2017-06-01", "2018-06-01", "2019-06-03"]
    for session in choice.begins:
        speculative, cash_flow, score = hand[session]
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
        ({"universe.rule.by": "cash_flow_yield"}, "0 of 20 .*market planted has no filings of them by then"),
        ({"run.strategy": "own.py:Own"}, "run.strategy: got own.py:Own beside universe.rule"),
    ],
)
def test_what_cannot_be_chosen_is_told(market, change, told):
    with pytest.raises(InputError, match=told):
        with_choice(load_spec(SPEC, change), market)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (
            {"symbol": "N20", "first": "2018-01-01", "last": "2017-01-01"},
            "N20: first 2018-01-01 is after last 2017-01-01",
        ),
        ({"symbol": "N20", "first": "soon"}, "first: got 'soon', wanted a valid date"),
        ("N00", "N00 stands twice"),
        (3, "got 3, wanted"),
    ],
)
def test_a_wrong_entry_of_the_list_is_told_once(entry, told):
    with pytest.raises(InputError, match=told) as error:
        load_spec(SPEC, {"universe.rule.names": ["N00", entry]})
    assert str(error.value).count("universe.rule") == 1


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


def test_what_was_chosen_by_what_and_what_left_stands_in_a_table(run, hand):
    members = run_tables(run)["members"]
    assert list(members) == ["chosen_at", "symbol", "basket", "value", "rank", "known_at", "left"]
    for session in run.spec.universe.choice.begins:
        speculative, cash_flow, score = hand[session]
        rows = members[members["chosen_at"] == session].set_index("symbol")
        assert set(rows.index[rows["basket"] == "speculative"]) == speculative
        assert set(rows.index[rows["basket"] == "cash_flow"]) == cash_flow
        np.testing.assert_allclose(rows["value"].dropna(), score.reindex(rows["value"].dropna().index), rtol=1e-9)
        # scipy ranks from the lowest; the highest exposure is the most speculative.
        assert rows["rank"].dropna().tolist() == stats.rankdata(-rows["value"].dropna()).tolist()
        assert set(rows["known_at"]) == {f"{session:%Y-%m-%d}T00:00:00Z"}
    left = members.dropna(subset="left").set_index("symbol")["left"]
    assert left.to_dict() == {LEAVER: LEFT + pd.Timedelta(days=1), DEAD: pd.Timestamp("2019-03-18")}
    late = members[(members["symbol"] == LATE) & (members["chosen_at"] == "2018-06-01")].iloc[0]
    assert (late["basket"], np.isnan(late["value"]), np.isnan(late["rank"])) == ("", True, True)


def test_which_names_came_and_went():
    rows = [("2017-06-01", name, basket, 1.0) for name, basket in (("A", "speculative"), ("B", "cash_flow"), ("C", ""))]
    rows += [
        ("2018-06-01", "A", "cash_flow", 1.0),
        ("2018-06-01", "C", "speculative", 1.0),
        ("2018-06-01", "D", "", None),
    ]
    found = comings_and_goings(pd.DataFrame(rows, columns=["chosen_at", "symbol", "basket", "value"]))
    assert found[["listed", "ranked"]].to_numpy().tolist() == [[3, 3], [3, 3], [3, 2], [3, 2]]
    assert found["came"].tolist() == [("A",), ("B",), ("C",), ("A",)]
    assert found["went"].tolist() == [(), (), ("A",), ("B",)]


def test_who_leaves_pays_for_its_sale_and_who_dies_is_paid_its_last_price(run):
    orders, cash = run.engine.orders, run.engine.cash
    sold = orders[(orders["symbol"] == LEAVER) & (orders["session"] == LEFT + pd.Timedelta(days=1))]
    assert sold["side"].tolist() == ["sell"]
    assert sold["commission"].iloc[0] + sold["slippage"].iloc[0] > 0
    parts = attribution(run.engine, run.regime, run.spec.universe)
    for name in (LEAVER, DEAD):
        paid = orders.loc[orders["symbol"] == name, ["commission", "slippage"]].to_numpy().sum()
        assert parts.loc[parts["symbol"] == name, "costs"].sum() == pytest.approx(paid, rel=1e-9)
    [dead] = cash.index[cash["symbol"] == DEAD]
    held = run.engine.positions.loc[DIED, DEAD]
    assert cash.loc[dead, "amount"] == pytest.approx(held * 7.0, rel=1e-9)  # the value of its delisting


@pytest.mark.slow
def test_an_event_study_has_each_name_in_its_basket_while_it_is_chosen(market):
    spec = load_spec(SPEC)
    found = event_study(spec, market, kinds=["results"])
    mean = found.tests[(found.tests["leg"] == "speculative")].iloc[0]
    again = with_choice(spec, market, Span(pd.Timestamp(spec.run.start), market.bars["date"].max()))
    alone = spec.model_copy(update={"universe": spec.universe.chosen(again.universe.choice)})
    # By hand: the market model of each name that is chosen on the day, averaged by day, then by week.
    close = market.bars.pivot_table(index="date", columns="symbol", values="adj_close")
    returns = close.reindex(close["SIM-MARKET"].dropna().index).pct_change(fill_method=None)
    days = study_events(market, alone.signal, pd.DatetimeIndex(returns.index))
    places = sorted(set(days.loc[days["kind"] == "results", "stocks"]))
    in_force = again.universe.choice.on(pd.DatetimeIndex(returns.index))
    (begin, end), (first, last) = found.config.estimation, found.config.windows[0]
    by_week = {}
    for place in places:
        row = in_force.iloc[place]
        cars = []
        for name in row.index[row == "speculative"]:
            own, index = (returns[each].to_numpy() for each in (name, "SIM-MARKET"))
            fit, around = slice(place + begin, place + end + 1), slice(place + first, place + last + 1)
            slope, level = np.polyfit(index[fit], own[fit], 1) if place + begin > 0 else (np.nan, np.nan)
            cars.append((own[around] - level - slope * index[around]).sum())
        if np.isfinite(cars).any():
            by_week.setdefault(returns.index[place].to_period("W"), []).append(np.nanmean(cars))
    assert mean["weeks"] == len(by_week)
    assert mean["mean"] == pytest.approx(np.mean([np.mean(each) for each in by_week.values()]), rel=1e-9)


DATED = [{"symbol": name, "first": "2015-01-02"} for name in NAMES]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ([], ""),  # of the index, whose members are dated
        (DATED, ""),
        ([*DATED[:-2], *NAMES[-2:]], "2 of 21 names of universe.rule.names have no first day"),
        (list(NAMES), "21 of 21 names"),
    ],
)
def test_a_list_without_days_is_hindsight_and_one_with_them_is_none(names, told):
    spec = load_spec(SPEC, {"universe.rule.names": names})
    assert spec.universe.hindsight.startswith(told)
    assert bool(spec.universe.hindsight) == bool(told)
    assert load_spec(tomllib.loads(spec.to_toml())) == spec


@pytest.mark.slow
@pytest.mark.parametrize(("names", "banners"), [(DATED, 0), (list(NAMES), 1)])
def test_a_run_of_a_list_without_days_has_the_banner(market, names, banners):
    short = load_spec(SPEC, {"universe.rule.names": names, "run.end": "2017-07-31"})
    assert sum(line.startswith("HINDSIGHT: 21 of 21") for line in run_backtest(short, market).warnings) == banners


def test_what_a_user_says_of_hindsight_stands():
    assert load_spec(SPEC, {"universe.hindsight": "mine", "universe.rule.names": ["MU"]}).universe.hindsight == "mine"


@pytest.mark.parametrize("by", ["duration", pytest.param("net_liquidity", marks=pytest.mark.slow)])
def test_another_future_after_each_june_leaves_its_choice_as_it_was(market, by):
    spec = load_spec(SPEC, {"universe.rule.by": by})
    whole = with_choice(spec, market).universe.choice
    random = np.random.default_rng(11)
    for june in whole.begins:
        [moment] = decision_times(pd.DatetimeIndex([june]))
        bars, series, members, actions = (
            getattr(market, name).copy() for name in ("bars", "series", "memberships", "actions")
        )
        late = (bars["date"] >= june).to_numpy()
        columns = ["open", "high", "low", "close", "adj_close"]
        bars.loc[late, columns] = bars.loc[late, columns].mul(random.uniform(0.2, 5, int(late.sum())), axis=0)
        told = (series["known_at"] > moment).to_numpy()
        series.loc[told, "value"] = series.loc[told, "value"] * random.uniform(0.2, 5, int(told.sum())) + 1.0
        # Who comes later goes, and who goes comes; a name that never was on the list, or died, is on it from then on.
        later = (members["known_at"] > moment).to_numpy()
        members.loc[later, "member"] = ~members.loc[later, "member"]
        coming = members.iloc[[0]].assign(symbol="SIM-COIN-A", member=True, known_at=moment + pd.Timedelta(hours=1))
        dying = actions.iloc[[0]].assign(
            symbol=NAMES[0], kind="delisting", date=june, known_at=moment + pd.Timedelta(hours=1)
        )
        other = replace(
            market,
            bars=bars,
            series=series,
            memberships=MEMBERSHIPS.conform(pd.concat([members, coming])),
            actions=ACTIONS.conform(pd.concat([actions, dying])),
        )
        again = with_choice(spec, other, Span(pd.Timestamp("2017-03-01"), june)).universe.choice
        rows = [each.measures[each.measures["session"] == june].reset_index(drop=True) for each in (whole, again)]
        pd.testing.assert_frame_equal(*rows, check_exact=True)
        assert "SIM-COIN-A" not in set(rows[1]["symbol"])


def test_who_is_on_the_list_later_cannot_be_chosen_before(market):
    measures = with_choice(load_spec(SPEC), market).universe.choice.measures
    assert LATE not in set(measures.loc[measures["session"] < LISTED, "symbol"])
    listed = [each if each["symbol"] != "N00" else each | {"first": "2018-06-02"} for each in DATED]
    choice = with_choice(load_spec(SPEC, {"universe.rule.names": listed}), market).universe.choice
    assert choice.baskets.loc[:"2019-06-02", "N00"].eq("").all()
    assert choice.baskets.loc["2019-06-03", "N00"] == "speculative"


LEAKS = {
    "": "",
    "weeks": "measure of N00",  # of which the market does not know yet
    "members": "basket of N00",  # who leaves the list later
}


@pytest.mark.slow
@pytest.mark.parametrize("leak", LEAKS)
def test_the_audit_lets_the_rule_choose_anew_and_finds_one_that_knows_more(market, monkeypatch, leak):
    spec = load_spec(SPEC, {"run.start": "2017-05-25", "run.end": "2017-06-30"})
    june = pd.Timestamp("2017-06-01")
    if leak == "weeks":
        at, lay_out, later = Weeks.at, choice.weeks_of, pd.Timedelta(days=28)
        monkeypatch.setattr(Weeks, "at", lambda self, day: at(self, day + later))
        monkeypatch.setattr(choice, "weeks_of", lambda *given: lay_out(*given[:3], given[3] + later, given[4]))
    if leak == "members":
        known = choice.members_known
        monkeypatch.setattr(choice, "members_known", lambda told, day: known(told, day + pd.Timedelta(days=28)))
        leaves = pd.DataFrame({"symbol": ["N00"], "date": [june], "member": [False], "sector": "", "industry": ""})
        leaves["known_at"] = pd.Timestamp("2017-06-05", tz="UTC")
        market = replace(market, memberships=MEMBERSHIPS.conform(pd.concat([market.memberships, leaves])))
    world = audits._world(spec, market, ())
    span = probe.own_span(world)
    made = probe.run_probe(world, span, probe.Probe("none"))
    found = []
    for change in ("cut", "up", "late"):
        other = probe.run_probe(world, span, probe.Probe(change, june))
        found += differences(made.columns, other.columns, lambda column: column.upto(june))
    assert bool(found) == bool(leak)
    assert {each.column for each in found} >= ({LEAKS[leak]} if leak else set())
