"""A variant of a sweep is the run of its spec, whatever shares a stage with it; a killed sweep ends as any other."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from backtests.evidence.deflated_sharpe import expected_best
from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from backtests.studies.sweeps import folder as sweep_folder
from backtests.studies.sweeps import report as sweep_report
from backtests.studies.sweeps.confirm import confirm
from backtests.studies.sweeps.folder import read_table, run_into
from backtests.studies.sweeps.grid import Axis, Grid, Span, make_grid
from backtests.studies.sweeps.report import report_sweep
from backtests.studies.sweeps.signal import Recall
from backtests.studies.sweeps.sweep import Sweep, SweepAsked
from data.errors import InputError
from signals.config import SignalConfig

DAYS = {"run.start": "2022-01-03", "run.end": "2023-06-30"}
MEASURES = ("cagr", "volatility", "sharpe", "sortino", "max_drawdown", "calmar", "turnover", "costs", "exposure")


def a_sweep(snapshot, values, set=None, jobs=1, **how):
    fixed = DAYS | (set or {})
    return Sweep(SweepAsked("sample", fixed, make_grid("sample", values, fixed, **how), snapshot), jobs)


def assert_is_a_run(sweep, table, variant):
    run = run_backtest(load_spec("sample", sweep.settings(variant)), sweep.asked.snapshot)
    row, measures, orders = table.iloc[variant], run.measures.strategy, run.counts.orders
    for name in (*MEASURES, "exposure_without_reserve", "costs_usd", "final_equity_usd"):
        value = getattr(measures, name)
        np.testing.assert_allclose(row[name], np.nan if value is None else value, rtol=1e-11, atol=1e-13, err_msg=name)
    assert (row["orders"], row["filled"], row["reduced"], row["unfilled"]) == (
        orders.total,
        orders.filled,
        orders.reduced,
        orders.unfilled,
    )
    regime = run.signal.regime.loc[run.panel.decides_for]
    assert row["regime_changes"] == (regime != regime.shift()).sum() - 1


# A key of every stage, and the values that two variants of it have.
EVERY_STAGE = {
    "run.start": ["2022-01-03", "2022-03-01"],
    "run.initial_cash": [1_000.0, 1e6],
    "universe.reserve": [["BOND-SHORT"], []],
    "order_rules.stale_sessions": [2, 10],
    "signal.form": [1, 2],
    "signal.window_sessions": [500, 756],
    "signal.capex_events": [True, False],
    "signal.half_life_sessions": [5.0, 10.0],
    "signal.enter": [0.3, 0.5],
    "signal.dwell_sessions": [1, 15],
    "policy.weighting": ["equal", "inverse_volatility"],
    "policy.volatility_target": [0.1, 0.3],
    "policy.rebalance": ["monthly", "daily"],
    "policy.asset_class_caps.crypto": [0.1, 1.0],
    "order_rules.band": [0.0, 0.05],
    "order_rules.trade_to": ["target", "band_edge"],
    "costs.preset": ["alpaca", "interactive_brokers"],
    "costs.us_stock.minimum_notional": [0.0, 500.0],
    "costs.settlement_sessions": [1, 3],
    "cash.interest": ["none", "bill"],
}


@pytest.fixture(scope="module")
def drawn(sample):
    universe = load_spec("sample").universe
    values = EVERY_STAGE | {"universe.reserve": [list(universe.reserve), []]}
    fee = {f"costs.{name}.commission_per_unit": 0.0 for name in ("us_stock", "us_etf")}
    sweep = a_sweep(sample, values, {"run.end": "2023-06-30", **fee}, random=16, seed=3)
    return sweep, sweep.run(0, 16)


@pytest.mark.parametrize("variant", [0, 7, 15])
def test_a_variant_is_the_run_of_its_spec(drawn, variant):
    assert_is_a_run(*drawn, variant)


@pytest.mark.slow
def test_every_variant_is_the_run_of_its_spec(drawn):
    sweep, table = drawn
    assert table["is_valid"].all()
    for variant in range(len(table)):
        assert_is_a_run(sweep, table, variant)


def test_how_it_is_cut_and_by_how_many_threads_changes_nothing(drawn, sample):
    sweep, whole = drawn
    parts = pd.concat([sweep.run(begin, begin + 8) for begin in (0, 8)], ignore_index=True)
    pd.testing.assert_frame_equal(parts, whole, check_exact=True)
    three = a_sweep(sample, {"signal.enter": [0.3, 0.4, 0.5], "order_rules.band": [0.0, 0.05]}, jobs=3)
    one = Sweep(three.asked, jobs=1)
    pd.testing.assert_frame_equal(three.run(0, 6), one.run(0, 6), check_exact=True)


@pytest.mark.slow
@pytest.mark.real_history
def test_variants_on_real_history(history):
    values = {"signal.enter": [0.3, 0.4], "policy.instrument_cap": [0.2, 0.3], "order_rules.band": [0.0, 0.02]}
    sweep = Sweep(SweepAsked("history", {}, make_grid("history", values), history))
    table = sweep.run(0, 8)
    for variant in (0, 5):
        run = run_backtest(load_spec("history", sweep.settings(variant)), history)
        np.testing.assert_allclose(
            table["final_equity_usd"][variant], run.measures.strategy.final_equity_usd, rtol=1e-12
        )
        assert table["orders"][variant] == run.counts.orders.total


@pytest.mark.slow
@pytest.mark.real_history
def test_variants_that_share_no_window_and_no_clip_on_real_history(history):
    values = {"signal.window_sessions": Span(300, 1000), "signal.clip": Span(2.0, 4.0), "signal.enter": [0.3, 0.4]}
    sweep = Sweep(SweepAsked("history", {}, make_grid("history", values, random=8, seed=5), history))
    table = sweep.run(0, 8)
    for variant in (0, 3, 7):
        run = run_backtest(load_spec("history", sweep.settings(variant)), history)
        np.testing.assert_allclose(
            table["final_equity_usd"][variant], run.measures.strategy.final_equity_usd, rtol=1e-12
        )
        assert table["orders"][variant] == run.counts.orders.total


def test_the_best_are_confirmed_in_backtrader(sample):
    sweep = a_sweep(sample, {"signal.enter": [0.3, 0.4]})
    told = []
    (found,) = confirm(sweep, [1], told.append)
    assert found.difference < 1e-12
    assert found.orders == found.orders_event > 0
    assert told == ["confirming 1 of 1"]


def test_daily_returns_are_kept_by_choice(sample):
    sweep = a_sweep(sample, {"signal.enter": [0.3, 0.4]})
    assert "returns" not in sweep.run(0, 2)
    table = sweep.run(0, 2, keep_returns=True)
    grown = [100_000.0 * np.prod(1.0 + np.array(each)) for each in table["returns"]]
    np.testing.assert_allclose(grown, table["final_equity_usd"], rtol=1e-12)


def test_a_combination_that_is_no_spec_has_no_measures(sample):
    sweep = a_sweep(sample, {"signal.enter": [0.3, 0.5], "signal.leave": [0.2, 0.4]})
    table = sweep.run(0, 4)
    wrong = (table["signal.enter"] == 0.3) & (table["signal.leave"] == 0.4)
    assert table["is_valid"].tolist() == (~wrong).tolist()
    assert table["sharpe"].isna().tolist() == wrong.tolist()


def test_grids_count_in_the_order_of_the_stages():
    values = {"cash.interest": ["none", "bill"], "signal.enter": [0.5, 0.3], "policy.weighting": ["equal"]}
    grid = make_grid("sample", values)
    assert grid.keys == ("signal.enter", "policy.weighting", "cash.interest")
    found = [tuple(grid.settings(number).values()) for number in range(grid.size)]
    assert found == list(itertools.product([0.3, 0.5], ["equal"], ["none", "bill"]))


def test_of_more_combinations_than_can_be_counted_some_are_drawn():
    values = {f"costs.{name}.commission_bp": [0.01 * step for step in range(5_000)] for name in ("us_stock", "us_etf")}
    values |= {"signal.enter": [0.3 + 1e-4 * step for step in range(5_000)]}
    values |= {f"signal.{name}": [0.1 + 1e-4 * step for step in range(5_000)] for name in ("clip", "gate.ratio")}
    values |= {"signal.half_life_sessions": [1.0 + 1e-3 * step for step in range(5_000)]}
    grid = make_grid("sample", values, random=50, seed=1)
    assert len(np.unique(grid.chosen, axis=0)) == 50
    assert (grid.chosen.max(axis=0) > 4_000).all()
    assert (grid.chosen == make_grid("sample", values, random=50, seed=1).chosen).all()


def test_a_random_choice_stands_no_variant_twice_and_follows_its_seed():
    values = {"signal.enter": [0.3, 0.4, 0.5], "signal.dwell_sessions": [1, 5, 10, 20]}
    grids = [make_grid("sample", values, random=8, seed=seed) for seed in (0, 0, 1)]
    assert len({tuple(row) for row in grids[0].chosen.tolist()}) == 8
    assert (grids[0].chosen == grids[1].chosen).all()
    assert (grids[0].chosen != grids[2].chosen).any()
    spans = make_grid("sample", {"signal.clip": Span(2.0, 4.0), "signal.window_sessions": Span(300, 900)}, random=50)
    drawn = [spans.settings(number) for number in range(50)]
    assert len({each["signal.clip"] for each in drawn}) == 50
    assert all(2.0 <= each["signal.clip"] <= 4.0 and 300 <= each["signal.window_sessions"] <= 900 for each in drawn)
    assert all(isinstance(each["signal.window_sessions"], int) for each in drawn)


REFUSED = {
    "no key": ({}, {}, "got no key that varies"),
    "unknown key": ({"signal.entr": [1.0]}, {}, "entr"),
    "unknown section": ({"sgnal.enter": [1.0]}, {}, "sgnal"),
    "empty": ({"signal.enter": []}, {}, "signal.enter: got no value"),
    "wrong type": ({"signal.enter": ["high"]}, {}, "signal.enter"),
    "one wrong type": ({"signal.enter": [0.3, "high", 0.5]}, {}, "signal.enter: got 'high'"),
    "one out of range": ({"order_rules.band": [0.1, -1.0, 0.2]}, {}, "order_rules.band: got -1.0"),
    "one wrong type of many": ({"order_rules.band": [*(n / 1000 for n in range(300)), "high", 0.9]}, {}, "got 'high'"),
    "one part of many": ({"signal.dwell_sessions": [*range(1, 300), 2.5]}, {}, "dwell_sessions: got 2.5, wanted"),
    "one nothing of many": ({"order_rules.band": [*(n / 1000 for n in range(300)), math.nan]}, {}, "band: got nan"),
    "many of no key": ({"signal.entr": [n / 1000 for n in range(300)]}, {}, "entr"),
    "impossible": ({"signal.leave": [0.8, 0.9]}, {}, "got enter 0.4 and leave 0.8, wanted leave below enter"),
    "impossible together": ({"signal.leave": [0.8, 0.9], "signal.enter": [0.3, 0.5]}, {}, "wanted leave below enter"),
    "no list": ({"signal.enter": 0.3}, {}, "wanted a list of values"),
    "twice": ({"signal.enter": [0.3, 0.3]}, {}, "0.3 twice"),
    "a list twice": ({"universe.reserve": [[], ["BOND-SHORT"], []]}, {}, r"\[\] twice"),
    "long lists are read at once": ({"signal.enter": [n / 1e6 for n in range(200_001)]}, {}, "got 200,001 variants"),
    "more money than floats count": ({"run.initial_cash": [1e308]}, {}, "run.initial_cash: got 1e.308, wanted"),
    "cannot vary": ({"signal.source": ["a.csv", "b.csv"]}, {}, "signal.source cannot vary"),
    "nor this": ({"policy.blend_by_probability": [True]}, {}, "policy.blend_by_probability cannot vary"),
    "range of a grid": ({"signal.clip": Span(2.0, 4.0)}, {}, "wanted values, or random variants"),
    "range upside down": ({"signal.clip": Span(4.0, 2.0)}, {"random": 5}, "wanted the lower end first"),
    "too many": (
        {"run.initial_cash": [float(n) for n in range(1, 400)], "signal.dwell_sessions": range(1, 300)},
        {},
        "119,301",
    ),
    "none": ({"signal.enter": [0.3]}, {"random": 0}, "got 0 random variants"),
    "range beyond floats": ({"signal.clip": Span(-1e308, 1e308)}, {"random": 2}, "got a range with an end beyond 1e"),
    "range beyond integers": ({"signal.dwell_sessions": Span(1, 10**400)}, {"random": 2}, "an end beyond 1e"),
    "range of no numbers": ({"signal.clip": Span(math.nan, math.nan)}, {"random": 2}, "an end beyond 1e"),
    "more than fit": ({"signal.clip": Span(2.0, 4.0)}, {"random": 10**11, "yes": True}, "wanted at most 10,000,000"),
    "no yes": ({"signal.clip": Span(2.0, 4.0)}, {"random": 200_000}, "wanted at most 100,000 without --yes"),
    "seed": ({"signal.clip": Span(2.0, 4.0)}, {"random": 2, "seed": -1}, "got -1 for seed"),
    "more than there are": ({"signal.enter": [0.3]}, {"random": 2}, "wanted at most 1"),
}


@pytest.mark.parametrize(("values", "how", "says"), REFUSED.values(), ids=REFUSED)
def test_a_grid_that_is_none_is_refused_in_one_line(values, how, says):
    with pytest.raises(InputError, match=says) as refused:
        make_grid("sample", values, **how)
    assert "\n" not in str(refused.value)


def test_a_value_that_is_wrong_beside_others_alone_refuses_nothing(sample):
    """It is a variant without measures, counted; the good ones run."""
    sweep = a_sweep(sample, {"signal.leave": [0.1, 0.9]})
    assert sweep.run(0, 2)["is_valid"].tolist() == [True, False]
    report = report_sweep(sweep.asked.grid, sweep.run(0, 2), sweep.base)
    assert (report.variants, report.valid) == (2, 1)
    many = make_grid("sample", {"signal.leave": [0.95], "signal.enter": [n / 1000 for n in range(100, 1100)]})
    assert many.size == 1000


@pytest.mark.parametrize("key", ["run.strategy", "policy.function"])
def test_a_spec_with_code_of_the_user_is_refused(sample, key):
    with pytest.raises(InputError, match=f"{key}: got mine.py:mine for a sweep"):
        a_sweep(sample, {"signal.enter": [0.3]}, {key: "mine.py:mine"})


# A sweep that is killed, and goes on.


class Killed(BaseException):
    pass


@pytest.mark.parametrize("seed", range(3))
def test_a_killed_sweep_ends_with_the_same_bytes(sample, tmp_path, monkeypatch, seed):
    monkeypatch.setattr(sweep_folder, "PART", 2)
    values = {"signal.enter": [0.3, 0.4, 0.5], "order_rules.band": [0.0, 0.02, 0.05]}
    sweep = a_sweep(sample, values)
    whole = run_into(tmp_path / "whole", sweep).read_bytes()
    rng, write = np.random.default_rng(seed), sweep_folder.write_whole
    kills = 0
    while not (tmp_path / "killed" / sweep_folder.TABLE).exists():

        def dies(target, content, *rest, **more):
            if rng.random() < 0.4:
                raise Killed
            write(target, content, *rest, **more)

        with monkeypatch.context() as patch:
            patch.setattr(sweep_folder, "write_whole", dies)
            try:
                run_into(tmp_path / "killed", sweep)
            except Killed:
                kills += 1
    assert kills > 0
    assert (tmp_path / "killed" / sweep_folder.TABLE).read_bytes() == whole
    assert sorted(path.name for path in (tmp_path / "killed").iterdir()) == [
        "spec.toml",
        "sweep.json",
        "variants.parquet",
    ]


def test_what_is_done_is_not_run_again_and_told(sample, tmp_path, monkeypatch):
    monkeypatch.setattr(sweep_folder, "PART", 2)
    sweep = a_sweep(sample, {"signal.enter": [0.3, 0.4, 0.5]})
    told = []
    run_into(tmp_path / "it", sweep, report=lambda done, size, rate: told.append((done, size, rate > 0)))
    assert told == [(0, 3, False), (2, 3, True), (3, 3, True)]
    monkeypatch.setattr(sweep, "run", None)
    assert len(read_table(run_into(tmp_path / "it", sweep))) == 3


def test_a_folder_of_something_else_is_refused(sample, tmp_path):
    sweep = a_sweep(sample, {"signal.enter": [0.3]})
    (tmp_path / "mine").mkdir()
    with pytest.raises(InputError, match="is there and no sweep"):
        run_into(tmp_path / "mine", sweep)
    run_into(tmp_path / "it", sweep)
    with pytest.raises(InputError, match="is of another sweep: it differs in keys, grid"):
        run_into(tmp_path / "it", a_sweep(sample, {"signal.enter": [0.4]}))


def test_damaged_files_of_a_sweep_are_named(sample, tmp_path):
    sweep = a_sweep(sample, {"signal.enter": [0.3]})
    table = run_into(tmp_path / "it", sweep)
    table.write_bytes(table.read_bytes()[:50])
    with pytest.raises(
        InputError, match=r"variants\.parquet cannot be read: .*; remove it, and the sweep makes it again"
    ):
        read_table(run_into(tmp_path / "it", sweep), ["sharpe"])
    table.unlink()
    (table.parent / "parts").mkdir()
    (table.parent / "parts" / "000000000.parquet").write_bytes(b"none")
    with pytest.raises(InputError, match=r"000000000\.parquet cannot be read: .*; remove it"):
        run_into(tmp_path / "it", sweep)
    assert not table.exists()
    (table.parent / "sweep.json").write_text("[" * 100_000)
    with pytest.raises(InputError, match="is there and no sweep"):
        run_into(tmp_path / "it", sweep)


# What it says.


def a_report(prepared, axes, sharpes, chosen=None):
    return report_sweep(Grid(axes, chosen), pd.DataFrame({"sharpe": np.asarray(sharpes, float).ravel()}), prepared)


@pytest.fixture(scope="module")
def prepared(sample):
    return a_sweep(sample, {"signal.enter": [0.3]}).base


def test_the_best_is_told_with_what_is_around_it(prepared):
    """A peak of one variant, and a plateau that is lower: the numbers by hand."""
    axes = (Axis("signal.enter", (0.1, 0.2, 0.3, 0.4)), Axis("policy.weighting", ("a", "b", "c")))
    report = a_report(prepared, axes, [[0.1, 2.0, 0.2], [0.1, 0.4, np.nan], [1.0, 1.1, 1.0], [1.0, 0.9, 1.0]])
    assert report.best[:3] == (1, 7, 6)
    assert (report.variants, report.valid) == (12, 11)
    # Next to the peak in one key: 0.4 below it, and the two other weightings of its row.
    assert (report.around.count, report.around.worst, report.around.median) == (3, 0.1, 0.2)
    assert report.steadiest.median == 1.0
    assert report.steadiest.variant in (6, 7, 8, 9, 10, 11)


def test_a_variant_that_could_not_be_run_is_no_plateau(prepared):
    """Medians by hand, itself among them: 1, 2 (of the second, which has no measure), 1.75, 1.75."""
    axes = (Axis("signal.enter", (0.1, 0.2, 0.3, 0.4)),)
    report = a_report(prepared, axes, [1.0, np.nan, 3.0, 0.5])
    assert (report.valid, report.steadiest.variant, report.steadiest.median) == (3, 2, 0.5)


def test_of_a_random_choice_the_nearest_are_around(prepared):
    axes = (Axis("signal.enter", tuple(np.linspace(0.1, 1.0, 5))),)
    report = a_report(prepared, axes, [0.0, 1.0, 3.0, 2.0, 9.0], np.array([[0], [1], [2], [3], [4]]))
    assert report.best[0] == 4
    assert (report.around.count, report.around.worst, report.around.median) == (2, 2.0, 2.5)
    assert report.steadiest is None


def test_the_share_above_the_static_mix(prepared):
    bar = sweep_report.static_mix(prepared).sharpe
    report = a_report(prepared, (Axis("signal.enter", (1, 2, 3, 4)),), bar + np.array([-1.0, 0.1, 0.2, -0.1]))
    assert report.share_above_static_mix == 0.5


def test_the_static_mix_is_that_of_a_run(prepared, sample):
    run = run_backtest(prepared.spec, sample)
    assert sweep_report.static_mix(prepared) == run.measures.portfolios["static_mix"]


@pytest.mark.parametrize("trials", [10, 100, 1000])
def test_the_expected_best_by_drawing(trials):
    """Against the mean of the largest of so many normal numbers, which the formula comes near to."""
    drawn = np.random.default_rng(0).normal(0, 0.5, (4000, trials)).max(axis=1)
    assert math.isclose(expected_best(trials, 0.5), drawn.mean(), rel_tol=0.02)


def test_by_a_measure_that_is_better_when_smaller(prepared):
    axes = (Axis("signal.enter", (0.1, 0.2, 0.3)),)
    table = pd.DataFrame({"volatility": [0.3, 0.1, 0.2], "sharpe": [1.0, 2.0, 3.0]})
    report = report_sweep(Grid(axes, None), table, prepared, "volatility")
    assert report.best == (1, 2, 0)
    assert (report.around.worst, report.around.median) == (0.3, 0.25)


# Stages are shared by what they read.


def test_what_a_stage_does_not_read_does_not_change_it():
    recall, made = Recall(4), []

    def stage(config):
        made.append(config.clip)
        return config.window_sessions

    one, other, third = (SignalConfig(clip=2.0, enter=enter) for enter in (0.3, 0.5, 0.7))
    assert [recall.by_keys_read("x", each, stage) for each in (one, other, third)] == [756] * 3
    assert made == [2.0]
    recall.by_keys_read("x", SignalConfig(clip=3.0), stage)
    assert made == [2.0, 3.0]


def test_a_stage_that_takes_the_whole_configuration_is_shared_with_none():
    recall = Recall(4)
    one, other = SignalConfig(enter=0.3), SignalConfig(enter=0.5)
    found = [recall.by_keys_read("x", each, lambda config: config.model_dump()["enter"]) for each in (one, other)]
    assert found == [0.3, 0.5]


def test_more_markets_than_are_kept_take_none_of_one_another(sample):
    """What was worked out for a market that is forgotten is not found by the next one."""
    values = {"order_rules.stale_sessions": list(range(1, 12)), "costs.us_stock.commission_bp": [0.0, 50.0]}
    sweep = a_sweep(sample, values, {"run.start": "2023-01-03"})
    whole = sweep.run(0, 22)
    alone = [sweep.run(number, number + 1) for number in range(22)]
    pd.testing.assert_frame_equal(pd.concat(alone, ignore_index=True), whole, check_exact=True)
    assert whole["costs_usd"].nunique() > 1
