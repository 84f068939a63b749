"""A run with its costs multiplied and its signal late: worked by hand on ten sessions, and against the run itself."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import futures
from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from backtests.studies.stress import COST_FACTORS, DELAYS, MEASURES, delayed_signal, stress_table
from data.errors import InputError
from hand_made import make_instrument, make_snapshot
from reverse_qe import cli

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
# The regime changes in it.
SHORT = {"run.start": "2024-01-02", "run.end": "2024-04-30"}
# Monday the 8th to Friday the 19th: ten sessions, the first of which only decides.
DAYS = pd.bdate_range("2024-04-08", "2024-04-19").strftime("%Y-%m-%d").tolist()
# 40.9% of equity, in whole units, go into C when money is scarce, at 50 bp; otherwise everything is cash.
SPEC = """
[run]
name = "by-hand"
start = 2024-04-09
initial_cash = 1000.0
[universe]
speculative = ["S"]
cash_flow = ["C"]
benchmark = "B"
[signal]
source = "regimes.csv"
[policy]
instrument_cap = 1.0
[policy.budgets]
ABUNDANT = { speculative = 0.0, cash_flow = 0.0, reserve = 0.0 }
NEUTRAL = { speculative = 0.0, cash_flow = 0.0, reserve = 0.0 }
SCARCE = { speculative = 0.0, cash_flow = 0.409, reserve = 0.0 }
[costs.us_stock]
commission_bp = 50.0
"""


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory):
    """The stress of a run whose regime becomes SCARCE with the decision for the 11th; every fill has its own price."""
    folder = tmp_path_factory.mktemp("by-hand")
    (folder / "spec.toml").write_text(SPEC)
    (folder / "regimes.csv").write_text("known_at,regime\n2024-04-10T20:00:00+00:00,SCARCE\n")
    opens = dict.fromkeys(DAYS, 99.0) | {"2024-04-11": 10.0, "2024-04-12": 8.5, "2024-04-18": 30.0}
    flat = [(day, 10.0, 10.0) for day in DAYS]
    snapshot = make_snapshot(
        {"S": flat, "B": flat, "C": [(day, opens[day], 12.0) for day in DAYS]}, {"C": make_instrument(quantum=1.0)}
    )
    return stress_table(run_backtest(load_spec(str(folder / "spec.toml")), snapshot))


# By delay: the units that 409 dollars buy at the open of the session that many after the 11th, and that open. Costs
# times 1, 2 and 4 (50, 100, 200 bp) leave their number as it is: 409 / 10.00 / 1.02 = 40.1, 409 / 8.50 / 1.02 = 47.2,
# 409 / 30.00 / 1.02 = 13.4. Ten sessions after the 11th the run is over.
FILLS = {0: (40, 10.0), 1: (47, 8.5), 5: (13, 30.0), 10: (0, 99.0)}


@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("factor", COST_FACTORS)
def test_ten_sessions_by_hand(by_hand, factor, delay):
    units, price = FILLS[delay]
    paid = factor * 0.005 * units * price
    final = 1000.0 + units * (12.0 - price) - paid
    (cell,) = by_hand.query(f"cost_factor == {factor} and delay_sessions == {delay}").to_dict("records")
    assert cell["costs_usd"] == pytest.approx(paid, rel=1e-12)
    assert cell["cagr"] == pytest.approx((final / 1000.0) ** (252 / 9) - 1, rel=1e-9)
    # C closes at 12 throughout: whatever is lost is lost at the fill.
    assert cell["max_drawdown"] == pytest.approx(min(final / 1000.0 - 1, 0.0), abs=1e-12)
    assert cell["turnover"] == pytest.approx(units * price / final / 2 * 252 / 9, rel=1e-9)


@pytest.fixture(scope="module")
def run(sample):
    return run_backtest(load_spec("sample", SHORT), sample)


@pytest.fixture(scope="module")
def table(run):
    return stress_table(run)


def assert_first_cell_is_the_run(table, run):
    first = table.iloc[0]
    assert (first["cost_factor"], first["delay_sessions"]) == (1, 0)
    for name in MEASURES:
        assert first[name] == getattr(run.measures.strategy, name), name


def test_the_first_cell_is_the_run_itself(run, table):
    assert_first_cell_is_the_run(table, run)


def test_every_cell_is_there_once_and_is_told(run, table):
    told = []
    pd.testing.assert_frame_equal(stress_table(run, told.append), table, check_exact=True)
    assert told == [f"stress {number} of 12" for number in range(1, 13)]
    cells = list(table[["cost_factor", "delay_sessions"]].itertuples(index=False, name=None))
    assert cells == [(factor, delay) for factor in COST_FACTORS for delay in DELAYS]


def test_dearer_pays_more_and_later_is_another_run(table):
    for _, later in table.groupby("delay_sessions"):
        assert later["costs_usd"].is_monotonic_increasing
    assert table.query("cost_factor == 1")["cagr"].nunique() == len(DELAYS)


def test_a_run_of_other_regimes_is_the_delayed_cell(sample, run, table, tmp_path):
    """The same delay by another way: a source that says each regime five sessions later."""
    regime = run.signal.regime
    starts = regime[regime != regime.shift()].index
    late = regime.index[regime.index.get_indexer(starts)[regime.index.get_indexer(starts) + 5 < len(regime)] + 5]
    lines = [f"{day:%Y-%m-%d}T00:00:00+00:00,{regime[start]}" for start, day in zip(starts, late, strict=False)]
    source = tmp_path / "late.csv"
    source.write_text("\n".join(["known_at,regime", *lines]) + "\n")
    other = run_backtest(load_spec("sample", SHORT | {"signal.source": str(source)}), sample)
    cell = table.query("cost_factor == 1 and delay_sessions == 5").iloc[0]
    for name in MEASURES:
        assert cell[name] == getattr(other.measures.strategy, name), name


@pytest.mark.parametrize("delay", DELAYS)
def test_a_delay_moves_the_regime_and_reads_nothing_later(run, delay):
    moved = delayed_signal(run.signal, delay)
    sessions = len(run.signal.regime)
    assert moved.regime.iloc[delay:].tolist() == run.signal.regime.iloc[: sessions - delay].tolist()
    assert moved.score.iloc[delay:].tolist() == run.signal.score.iloc[: sessions - delay].tolist()
    assert set(moved.regime.iloc[:delay]) <= {"NEUTRAL"}
    rng = np.random.default_rng(3)
    for row in (delay + 1, sessions // 2):
        regime, score = run.signal.regime.copy(), run.signal.score.copy()
        regime.iloc[row:] = rng.choice(["ABUNDANT", "NEUTRAL", "SCARCE"], sessions - row)
        score.iloc[row:] = rng.normal(size=sessions - row)
        garbled = delayed_signal(replace(run.signal, regime=regime, score=score), delay)
        known = row + delay
        assert garbled.regime.iloc[:known].equals(moved.regime.iloc[:known])
        assert garbled.score.iloc[:known].equals(moved.score.iloc[:known])


def test_probabilities_come_as_late_as_the_regime(run):
    sessions = run.signal.regime.index
    names = ["ABUNDANT", "NEUTRAL", "SCARCE"]
    chances = pd.DataFrame(np.random.default_rng(3).dirichlet(np.ones(3), len(sessions)), sessions, names)
    moved = delayed_signal(replace(run.signal, probability=chances), 5).probability
    # Without probabilities the budgets are those of the regime, which is NEUTRAL then.
    assert moved.iloc[:5].isna().all(axis=None)
    np.testing.assert_array_equal(moved.iloc[5:].to_numpy(), chances.iloc[:-5].to_numpy())


def test_the_future_changes_no_cell(sample, run, table):
    moment = pd.Timestamp(SHORT["run.end"], tz="UTC") + pd.Timedelta(days=1)
    market = futures.PERTURBATIONS["cut"](sample, moment)
    assert len(market.bars) < len(sample.bars)
    again = stress_table(run_backtest(run.spec, market))
    pd.testing.assert_frame_equal(again, table, check_exact=True)


@pytest.mark.slow
def test_a_strategy_of_the_users_is_stressed_too(sample):
    spec = load_spec(str(EXAMPLES / "strategy.toml"), SHORT)
    run = run_backtest(spec, sample)
    table = stress_table(run)
    assert_first_cell_is_the_run(table, run)
    assert table.query("cost_factor == 1")["cagr"].nunique() > 1
    assert table.query("delay_sessions == 0")["costs_usd"].is_monotonic_increasing


def test_costs_that_no_trade_could_bear_four_times_are_refused(sample):
    run = run_backtest(load_spec("sample", {"costs.crypto.commission_bp": 3000} | SHORT), sample)
    with pytest.raises(InputError, match="times 4"):
        stress_table(run)


@pytest.fixture
def call(monkeypatch, capsys, tmp_path, sample):
    """Run `backtest` in an empty folder over a quarter of the sample: stdout, and the folder of the run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("reverse_qe.api.open_market", lambda _name: sample)

    def backtest(*options):
        days = ("--start", "2026-01-02", "--end", "2026-03-31", "--no-tearsheet", "--out", "run")
        monkeypatch.setattr(sys, "argv", ["reverse-qe", "backtest", *days, *options])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        assert not stop.value.code
        return capsys.readouterr().out, tmp_path / "run"

    return backtest


def test_the_command_prints_and_keeps_the_table(call):
    out, folder = call("--stress")
    printed = out[out.index("Stress:") :].splitlines()
    assert sum(line.startswith("x") for line in printed) == 12
    assert printed[-1].startswith("To compare, at costs x1: the benchmark SIM-MARKET has a Sharpe of ")
    kept = pd.read_csv(folder / "stress.csv")
    assert list(kept.columns) == ["cost_factor", "delay_sessions", *MEASURES]
    metrics = json.loads((folder / "metrics.json").read_text())["strategy"]
    assert kept.loc[0, "sharpe"] == metrics["sharpe"]


def test_json_has_every_cell_and_null_where_a_measure_has_no_meaning(call):
    nothing = "{speculative=0.0, cash_flow=0.0, reserve=0.0}"
    budgets = [f"policy.budgets.{regime}={nothing}" for regime in ("ABUNDANT", "NEUTRAL", "SCARCE")]
    out, _ = call("--stress", "--json", *(part for budget in budgets for part in ("--set", budget)))
    cells = json.loads(out)["stress"]
    assert len(cells) == 12
    assert {cell["sharpe"] for cell in cells} == {None}
    assert {cell["costs_usd"] for cell in cells} == {0.0}


def test_without_the_option_there_is_no_stress(call):
    out, folder = call("--json")
    assert "stress" not in json.loads(out)
    assert not (folder / "stress.csv").exists()
