"""The universe lottery: names and timing apart, by what was known, equal to the ledger draw by draw."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.engines.ledger import run_ledger
from backtests.execution.fill_rules import fill_rules
from backtests.measures.performance import performance
from backtests.prepare.plans import policy_prices
from backtests.prepare.prepared import prepare
from backtests.spec.spec import load_spec
from backtests.studies.lottery.draws import KEPT, STEP, Table, draw_columns, play_draws, shifts_of
from backtests.studies.lottery.lottery import universe_lottery
from backtests.studies.lottery.pools import Asked
from backtests.studies.lottery.shares import shares_of
from backtests.studies.lottery.world import make_world
from data.errors import InputError
from data.importing.universe import read_universe
from data.market.tables import ACTIONS
from data.markets import open_market
from data.prices.panel import build_panel
from made_index import MEMORY, NAMES, SOFTWARE, with_exchangeable_names, write_index
from strategies.policy import make_plan

DAYS = {"run.start": "2019-01-02", "run.end": "2021-06-30"}
SECTORS = {"speculative": [SOFTWARE], "cash_flow": [MEMORY]}


def two_baskets(set=None):
    """A rotation between names of two sectors."""
    universe = {
        "universe.speculative": NAMES[SOFTWARE][:6],
        "universe.cash_flow": NAMES[MEMORY][:4],
        "policy.instrument_cap": 0.5,
    }
    return load_spec("sample", DAYS | universe | (set or {}))


def test_a_result_parts_into_four_that_add_up_to_it():
    table = np.array([[0.50, 0.20, 0.10], [0.30, 0.10, 0.00], [0.20, 0.05, 0.05]])
    found = shares_of(table)
    assert found.neither == pytest.approx(0.05)
    assert found.names_alone == pytest.approx(0.10)
    assert found.timing_alone == pytest.approx(0.20)
    assert found.together == pytest.approx(0.15)
    assert found.neither + found.names_alone + found.timing_alone + found.together == pytest.approx(0.50)
    assert found.names.value == pytest.approx(0.25)
    assert found.names.percentile == 1.0
    # At the moved moments the draws make 0.075 and 0.025 in the mean, at the true ones 0.25.
    assert found.timing.value == pytest.approx(0.20)
    # Of so few, the interval reaches to the outermost.
    assert (found.timing.low, found.timing.high) == (pytest.approx(0.175), pytest.approx(0.225))
    assert found.own_timing.value == pytest.approx(0.35)


def test_chance_that_does_as_well_holds_zero_and_ties_count_half():
    draws = np.linspace(0, 1, 101)
    table = np.column_stack([np.append(0.5, draws), np.append(0.5, draws)])
    found = shares_of(table)
    assert found.names.holds_zero
    assert found.names.percentile == pytest.approx(0.5)
    # Two of 102 lie outside on either side: the largest and smallest of 101, and what is one more.
    assert (found.drawn_low, found.drawn_high) == (pytest.approx(0.01), pytest.approx(0.99))
    assert not shares_of(np.vstack([[2.0, 2.0], table[1:]])).names.holds_zero


@pytest.mark.parametrize("count", [39, 40, 100, 1000])
def test_one_more_of_the_same_kind_lies_outside_in_five_percent_at_most(count):
    outside = 0
    for rank in range(count + 1):
        values = np.delete(np.arange(count + 1.0), rank)
        outside += not shares_of(np.column_stack([np.append(rank, values)] * 2)).names.holds_zero
    assert 0 < outside / (count + 1) <= 0.05
    assert outside == 2 * int((count + 1) * 0.025)


def test_shifts_are_equal_steps_round_the_run():
    assert shifts_of(500, 100).tolist() == [10 * step for step in range(50)]
    assert len(shifts_of(100 * STEP * 2, 100)) == 101
    assert shifts_of(1000, 4).tolist() == [0, 200, 400, 600, 800]


@pytest.fixture(scope="module")
def made(sample):
    return with_exchangeable_names(sample, 1)


@pytest.fixture(scope="module")
def world(made):
    return make_world(prepare(two_baskets(), made), Asked())


def test_names_are_drawn_once_from_the_sector_of_their_basket(world):
    drawn = draw_columns(world, 200, 3)
    names = [world.names(columns) for columns in drawn]
    assert all(len({*each}) == len(each) for each in names)
    assert {name for each in names for name in each[:6]} == {*NAMES[SOFTWARE]}
    assert {name for each in names for name in each[6:10]} == {*NAMES[MEMORY]}
    assert {each[10] for each in names} == {"SIM-BILL"}
    np.testing.assert_array_equal(drawn, draw_columns(world, 200, 3))
    assert not np.array_equal(drawn, draw_columns(world, 200, 4))


def ledger_measures(snapshot, spec, names, prepared, chosen_at=(), at_close=False):
    """A draw by the ledger, from the names themselves: panel, plan and book made anew."""
    universe = spec.universe.model_copy(
        update={
            "speculative": tuple(names[: len(spec.universe.speculative)]),
            "cash_flow": tuple(names[len(spec.universe.speculative) : -len(spec.universe.reserve)]),
        }
    )
    sessions = prepared.panel.sessions
    panel = build_panel(snapshot, universe.symbols, sessions[1], sessions[-1])
    if at_close:
        coins = [snapshot.instruments[symbol].is_crypto for symbol in panel.symbols]
        panel = replace(panel, open=np.where(coins, panel.open, panel.filled_at_close().open))
    rules = fill_rules(
        panel, snapshot.instruments, spec.costs, spec.order_rules, prepared.market_rules.interest[: len(sessions)]
    )
    tradable = panel.tradable(spec.order_rules.stale_sessions)
    for symbol, row in chosen_at:
        tradable.iloc[:row, list(panel.symbols).index(symbol)] = False
    regime = prepared.signal.regime.reindex(panel.decides_for)
    plan = make_plan(regime, tradable, policy_prices(spec, snapshot, panel), universe, spec.policy)
    ledger = run_ledger(rules, plan, spec.order_rules, spec.run.initial_cash)
    returns = ledger.equity / ledger.equity.shift(fill_value=spec.run.initial_cash) - 1.0
    found = performance(returns, prepared.risk_free.loc[returns.index])
    return [getattr(found, name) for name in KEPT]


@pytest.mark.slow
@pytest.mark.parametrize(
    "set",
    [
        {},
        pytest.param({"policy.weighting": "inverse_volatility", "cash.interest": "bill"}, marks=pytest.mark.slow),
    ],
)
def test_a_draw_is_what_the_ledger_makes_of_its_names(made, set):
    spec = two_baskets(set)
    prepared = prepare(spec, made)
    world = make_world(prepared, Asked())
    table = Table(world, shifts_of(len(world.panel.sessions) - 1, 2))
    (columns,) = draw_columns(world, 1, 11)
    played = table.play(columns, spec.order_rules.stale_haircut, table.space())
    by_ledger = ledger_measures(made, spec, world.names(columns), world.prepared)
    np.testing.assert_allclose(played[:, 0], by_ledger, rtol=1e-10)
    assert abs(played[0, 0] - played[0, 1]) > 1e-3


@pytest.mark.slow
def test_the_first_row_is_the_run_itself(made):
    from backtests.run import run_backtest

    spec = two_baskets()
    run = run_backtest(spec, made, engine_name="vector")
    world = make_world(run.prepared, Asked())
    table = Table(world, np.array([0]))
    cagr, sharpe = table.play(world.own, spec.order_rules.stale_haircut, table.space())[:, 0]
    assert cagr == pytest.approx(run.measures.strategy.cagr, rel=1e-11)
    assert sharpe == pytest.approx(run.measures.strategy.sharpe, rel=1e-11)


def index_of(made, tmp_path, dead=None):
    """An index of the same names by closes alone, of which some have died."""
    closes = made.bars[made.bars["symbol"].isin([name for names in NAMES.values() for name in names])]
    closes = closes.pivot(index="date", columns="symbol", values="close").loc["2018":]
    for symbol in dead or {}:
        closes.loc["2020-02-14":, symbol] = np.nan
    members = [("2018-01-02", symbol, sector) for sector, names in NAMES.items() for symbol in names]
    return read_universe(write_index(tmp_path / "index", closes, members, dead), "index")[0]


@pytest.mark.slow
def test_a_draw_of_closes_alone_with_dead_names_is_what_the_ledger_makes_of_it(made, tmp_path):
    spec = two_baskets({"universe.speculative": ["SIM-COIN-A", *NAMES[SOFTWARE][:5]]})
    dead = {"SW07": "0 on 2020-02-18", "SW08": "", "ME05": ""}
    index = index_of(made, tmp_path, dead)
    prepared = prepare(spec, made)
    world = make_world(prepared, Asked(index, SECTORS))
    assert world.at_close
    # Coins are of no index: they are drawn from the market of the run, by class.
    assert [
        world.names(pool) for slot, pool in zip(world.slots, world.pools, strict=True) if slot.asset_class == "crypto"
    ] == [["SIM-COIN-A", "SIM-COIN-B"]]
    both = replace(
        made,
        bars=made.bars[~made.bars["symbol"].isin([*index.instruments])],
    )
    both = replace(both, bars=pd.concat([both.bars, index.bars]), actions=index.actions)
    table = Table(world, np.array([0]))
    names = ["SIM-COIN-B", "SW07", "SW08", "SW00", "SW01", "SW02", "ME05", "ME00", "ME01", "ME02"]
    places = {symbol: place for place, symbol in enumerate(world.panel.symbols)}
    columns = world.own.copy()
    columns[:10] = [places.get(f"index:{name}", places.get(name)) for name in names]
    for haircut in (0.3, 0.0):
        lost = spec.model_copy(update={"order_rules": spec.order_rules.model_copy(update={"stale_haircut": haircut})})
        played = table.play(columns, haircut, table.space())
        by_ledger = ledger_measures(both, lost, [*names, "SIM-BILL"], world.prepared, at_close=True)
        np.testing.assert_allclose(played[:, 0], by_ledger, rtol=1e-10)


@pytest.mark.slow
def test_a_name_is_not_held_before_the_day_on_which_it_was_chosen(sample, made):
    spec = two_baskets({"universe.cash_flow": ["SIM-MEMORY-C"], "run.end": "2024-06-28", "run.start": "2021-01-04"})
    world = make_world(prepare(spec, made), Asked(made, SECTORS))
    slot = next(slot for slot in world.slots if slot.symbol == "SIM-MEMORY-C")
    assert world.panel.decides_for[slot.row] == pd.Timestamp("2023-03-02")
    (columns,) = draw_columns(world, 1, 0)
    assert world.names(columns)[slot.column] in NAMES[MEMORY]
    held = Table(world, np.array([0])).tradable(columns)
    assert held[:, slot.column].tolist() == [False] * slot.row + [True] * (len(held) - slot.row)
    table = Table(world, np.array([0]))
    played = table.play(columns, 0.3, table.space())
    by_ledger = ledger_measures(
        made, spec, world.names(columns), world.prepared, [(world.names(columns)[slot.column], slot.row)]
    )
    np.testing.assert_allclose(played[:, 0], by_ledger, rtol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("perturb", ["garble", "delay", "cut"])
def test_the_future_changes_no_draw_and_no_result_before_it(made, perturb):
    cut = pd.Timestamp("2020-12-31")
    spec = two_baskets({"run.end": "2020-12-31"})
    table, bars, rng = made.memberships, made.bars.copy(), np.random.default_rng(5)
    leaves = table.iloc[[0, 1, 25]].assign(
        date=cut + pd.Timedelta(days=4), known_at=pd.Timestamp("2021-01-05", tz="UTC"), member=False, sector=""
    )
    later = (bars["date"] > cut).to_numpy()
    if perturb == "garble":
        table = pd.concat([table, leaves.assign(sector="Garbled", member=True)])
        names = ["open", "high", "low", "close", "adj_close"]
        bars.loc[later, names] = np.tile(rng.uniform(1, 1e6, (later.sum(), 1)), len(names))
    elif perturb == "delay":
        table = pd.concat([table, leaves.assign(known_at=leaves["known_at"] + pd.Timedelta(days=9))])
    else:
        bars = bars[~later]
    changed = replace(made, bars=bars, memberships=table)
    results = []
    for market in (replace(made, memberships=pd.concat([made.memberships, leaves])), changed):
        world = make_world(prepare(spec, market), Asked())
        drawn = draw_columns(world, 3, 1)
        results.append((drawn, play_draws(Table(world, np.array([0, 100])), drawn, 0.3)))
    np.testing.assert_array_equal(results[0][0], results[1][0])
    np.testing.assert_array_equal(results[0][1].cagr, results[1][1].cagr)


@pytest.mark.slow
def test_names_that_are_exchangeable_explain_nothing_and_an_edge_is_timing(sample):
    outside = late = 0
    for seed in range(10):
        market = with_exchangeable_names(sample, seed)
        spec = two_baskets({"run.start": "2016-01-04", "run.end": "2026-06-30"})
        found = universe_lottery(prepare(spec, market), Asked(), draws=120, shifts=30, seed=seed).endings[0].cagr
        outside += not found.names.holds_zero
        late += not found.timing.low > 0
    # Of ten at 5% more than three are as rare as one in a thousand.
    assert outside <= 3
    assert late == 0


@pytest.mark.slow
def test_names_that_were_known_to_win_explain_it_and_without_an_edge_timing_explains_nothing():
    held = missed = 0
    ahead = dict.fromkeys([*NAMES[SOFTWARE][:6], *NAMES[MEMORY][:4]], 0.001)
    for seed in range(1, 9):
        market = with_exchangeable_names(open_market(f"sample:null@{seed}"), seed, ahead)
        spec = two_baskets({"run.start": "2016-01-04", "run.end": "2026-06-30"})
        found = universe_lottery(prepare(spec, market), Asked(), draws=120, shifts=30, seed=seed).endings[0].cagr
        missed += not found.names.low > 0
        held += found.timing.holds_zero
    assert missed == 0
    assert held >= 5


@pytest.mark.slow
def test_a_lottery_tells_what_it_drew_from(made, tmp_path):
    index = index_of(made, tmp_path, {"SW07": "", "ME05": ""})
    told: list[str] = []
    found = universe_lottery(
        prepare(two_baskets(), made), Asked(index, SECTORS), draws=40, shifts=3, report=told.append
    )
    assert found.pool_sizes == {**dict.fromkeys(NAMES[SOFTWARE][:6], 20), **dict.fromkeys(NAMES[MEMORY][:4], 15)}
    assert [ending.haircut for ending in found.endings] == [0.3, 0.0]
    assert found.dead == 2
    # What the haircut cannot have changed is not played again.
    table = Table(found.world, shifts_of(len(found.world.panel.sessions) - 1, 3))
    again = play_draws(table, found.drawn, 0.0)
    np.testing.assert_array_equal(again.cagr[1:, 0], found.endings[1].drawn_cagr)
    assert (again.cagr[1:, 0] != found.endings[0].drawn_cagr).any()
    assert found.shifts == 3
    assert "prices" in told


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "set", "how", "told"),
    [
        ({}, {}, {"draws": 0}, "got 0 for draws, wanted a whole number from 39"),
        ({}, {}, {"draws": 38}, "got 38 for draws"),
        ({}, {}, {"draws": True}, "got True for draws"),
        ({}, {}, {"seed": -1}, "got -1 for seed"),
        ({"sectors": {"speculative": ["Softwear"]}}, {}, {}, "got the sector 'Softwear', wanted one that market made"),
        ({"sectors": {"reserve": [MEMORY]}}, {}, {}, "got a sector of the basket 'reserve'"),
        ({"labels": "later"}, {}, {}, "got 'later' for labels, wanted one of then, today"),
        (
            {},
            {"universe.cash_flow": [*NAMES[MEMORY], "SIM-MEMORY-A"]},
            {},
            "got 15 names for the place of SIM-MEMORY-A",
        ),
        ({}, {"policy.weights": "w.csv"}, {}, "policy.weights"),
        ({}, {"run.end": "2019-06-28"}, {}, "wanted at least 400"),
        (
            {},
            {"universe.cash_flow": ["SIM-MEMORY-A"], "universe.speculative": NAMES[SOFTWARE][:2]},
            {},
            "cash_flow: none of its stocks was a known member of market made",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(made, tmp_path, monkeypatch, asked, set, how, told):
    monkeypatch.chdir(tmp_path)
    pd.DataFrame({"known_at": ["2018-01-01T00:00:00Z"], "SW00": [0.5]}).to_csv("w.csv", index=False)
    with pytest.raises(InputError) as refused:
        universe_lottery(prepare(two_baskets(set), made), Asked(**asked), **({"draws": 40, "shifts": 2} | how))
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_lottery_that_can_draw_nothing_else_is_refused(sample):
    names = {"universe.speculative": ["SIM-COIN-A", "SIM-COIN-B"], "universe.cash_flow": []}
    with pytest.raises(InputError, match="got no name beside the spec's own to draw"):
        universe_lottery(prepare(load_spec("sample", DAYS | names), sample), Asked(), draws=40)


@pytest.mark.slow
def test_what_cannot_be_held_to_its_end_is_left_out_and_told(sample):
    changed = ACTIONS.conform(
        pd.DataFrame(
            {
                "symbol": ["SIM-SAAS-D"],
                "date": [pd.Timestamp("2025-03-03")],
                "kind": ["symbol_change"],
                "value": [1.0],
                "known_at": [pd.Timestamp("2025-02-03", tz="UTC")],
                "source": ["made"],
                "into": ["SIM-MARKET"],
            }
        )
    )
    abroad = sample.instruments["SIM-COIN-B"].model_copy(update={"currency": "USDT"})
    market = replace(sample, instruments={**sample.instruments, "SIM-COIN-B": abroad}, actions=changed)
    names = {"universe.speculative": ["SIM-COIN-A", "SIM-SAAS-A"]}
    world = make_world(prepare(load_spec("sample", DAYS | names), market), Asked())
    drawable = {name for pool in world.pools for name in world.names(pool)}
    assert not drawable & {"SIM-COIN-B", "SIM-SAAS-D", "SIM-MARKET", "SIM-BILL"}
    assert "left out of the draws, not priced in US dollars: SIM-COIN-B" in world.notes
    assert "left out of the draws, that became another symbol: SIM-SAAS-D" in world.notes


def test_sectors_need_a_market_that_tells_them(sample):
    with pytest.raises(InputError, match="market sample tells none"):
        make_world(prepare(load_spec("sample", DAYS), sample), Asked(sectors=SECTORS))


@pytest.mark.slow
def test_a_universe_needs_prices_for_the_span(made, tmp_path):
    index = index_of(made, tmp_path)
    early = prepare(two_baskets({"run.start": "2017-01-03"}), made)
    with pytest.raises(
        InputError, match=r"market index holds prices from 2018-01-02 to .*, wanted those of the run's span"
    ):
        make_world(early, Asked(index, SECTORS))


def test_what_needs_volumes_is_refused_on_closes_alone(made, tmp_path):
    index = index_of(made, tmp_path)
    spec = two_baskets({"costs.us_stock.participation": 0.1})
    prepared = prepare(two_baskets(), made)
    with pytest.raises(InputError, match="a market of closes alone"):
        make_world(replace(prepared, spec=spec), Asked(index, SECTORS))


@pytest.mark.slow
def test_a_run_on_closes_alone_says_so_and_fills_there(made, tmp_path):
    from backtests.run import run_backtest

    index = index_of(made, tmp_path)
    values = {"universe.reserve": [], "universe.benchmark": "SW19", "run.start": "2020-01-02", "run.end": "2020-12-31"}
    regimes = tmp_path / "regimes.csv"
    regimes.write_text("known_at,regime\n2019-01-02T00:00:00Z,ABUNDANT\n2020-06-01T00:00:00Z,SCARCE\n")
    run = run_backtest(two_baskets(values | {"signal.source": str(regimes)}), index)
    assert run.warnings[0].startswith("CLOSES ALONE: market index")
    orders = run.engine.orders
    closes = index.bars.set_index(["symbol", "date"])["close"]
    filled = orders[orders["status"] == "filled"]
    assert len(filled) > 30
    told = [closes[symbol, pd.Timestamp(day)] for symbol, day in zip(filled["symbol"], filled["session"], strict=True)]
    np.testing.assert_allclose(filled["price"], told, rtol=1e-9)
