"""The vector engine, Backtrader and the ledger find the same books for the same plan."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings

from any_spec import any_market, paths, spec_of, specs
from backtests.archive.folder import manifest
from backtests.engines import compiled, kernel
from backtests.prepare.prepared import prepare
from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from data.errors import InputError
from data.markets import open_market
from engines import assert_engines_agree, assert_same_books, random_run
from strategies import trade_terms


@pytest.fixture(scope="module")
def market():
    return any_market()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("any-spec")


def agree(spec, snapshot):
    prepared = prepare(spec, snapshot)
    return assert_engines_agree(prepared.rules, prepared.plan, spec.order_rules, spec.run.initial_cash)


@pytest.mark.parametrize("seed", range(12))
def test_random_panels(seed):
    assert_engines_agree(*random_run(seed))


def test_in_random_panels_everything_happens():
    runs = [assert_engines_agree(*random_run(seed)) for seed in (100, 101, 102, 103, 104, 105)]
    assert {status for run in runs for status in run.orders["status"]} == {"filled", "reduced", "unfilled"}
    kinds = {kind for run in runs for kind in run.cash["kind"]}
    assert kinds >= {"deposit", "split", "dividend", "delisting", "close_out", "interest", "spin_off", "symbol_change"}
    assert sum(len(run.unsent) for run in runs) > 0


@settings(max_examples=5, derandomize=True, database=None)
@given(drawn=specs, regimes=paths)
def test_any_spec_on_a_market_full_of_trouble(market, folder, drawn, regimes):
    agree(spec_of(drawn, regimes, folder), market)


EVERYTHING = {
    "policy.weighting": "inverse_volatility",
    "policy.volatility_target": 0.15,
    "policy.asset_class_caps.crypto": 0.2,
    "policy.rebalance": "weekly",
    "order_rules.trade_to": "band_edge",
    "order_rules.adjustment": 0.7,
    "costs.preset": "interactive_brokers",
    "cash.interest": "bill",
}


@pytest.mark.parametrize("name", ["sample", "sample:null"])
@pytest.mark.parametrize("set", [{}, EVERYTHING], ids=["default", "everything"])
def test_the_shipped_spec_on_the_sample(name, set):
    if set:
        set = set | {f"costs.{each}.commission_per_unit": 0.0 for each in ("us_stock", "us_etf")}
    agree(load_spec("sample", {"run.start": "2022-01-03", "run.end": "2023-12-29"} | set), open_market(name))


@pytest.mark.real_history
@pytest.mark.parametrize("rebalance", ["monthly", "daily"])
def test_real_history(history, rebalance):
    agree(load_spec("history", {"policy.rebalance": rebalance}), history)


def test_the_run_is_the_same_but_for_its_engine(sample):
    spec = load_spec("sample", {"run.start": "2023-01-03", "run.end": "2023-06-30"})
    event, vector = (run_backtest(spec, sample, engine_name=name) for name in ("event", "vector"))
    assert_same_books(vector.engine, event.engine)
    mine, theirs = manifest(vector), manifest(event)
    assert (mine["engine"], theirs["engine"]) == ("vector", "event")
    assert mine["run_id"] != theirs["run_id"]
    assert mine["packages"].keys() - theirs["packages"].keys() == {"numba"}
    for key in mine.keys() - {"engine", "run_id", "packages"}:
        assert mine[key] == theirs[key]
    pd.testing.assert_frame_equal(vector.returns, event.returns, atol=1e-12)
    assert vector.counts == event.counts
    again = run_backtest(spec, sample, engine_name="vector")
    assert again.run_id == vector.run_id
    pd.testing.assert_frame_equal(again.engine.equity, vector.engine.equity, check_exact=True)


def test_a_strategy_of_the_user_is_refused(sample):
    spec = load_spec("sample", {"run.strategy": "mine.py:Mine"})
    with pytest.raises(InputError, match=r"run\.strategy: got mine\.py:Mine for the vector engine"):
        run_backtest(spec, sample, engine_name="vector")


def test_an_engine_that_there_is_not_is_refused(sample):
    with pytest.raises(InputError, match="got 'fast' for engine, wanted one of event, vector"):
        run_backtest(load_spec("sample"), sample, engine_name="fast")


def test_without_numba_it_is_refused_in_one_line(sample, monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(InputError, match=r"pip install '\.\[sweep\]' in the checkout"):
        run_backtest(load_spec("sample"), sample, engine_name="vector")


CODE = """
import sys
from reverse_qe.cli import main
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
assert "numba" not in sys.modules and "llvmlite" not in sys.modules
"""


def test_the_signal_imports_no_numba(tmp_path):
    """Nor does a run of the event engine: `tests/whole/test_imports_of_a_run.py`."""
    words = ["signal", "--date", "2024-02-01"]
    subprocess.run([sys.executable, "-c", CODE, *words], cwd=tmp_path, capture_output=True, check=True)


def load(path: Path, name: str):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def test_an_edit_of_a_rule_that_is_called_is_seen(tmp_path):
    """The cache of numba alone would not see it: the file of the function that is called here stays as it is."""
    rules, caller, kept = tmp_path / "rules_copy.py", tmp_path / "caller.py", tmp_path / "kept"
    shutil.copy(trade_terms.__file__, rules)
    caller.write_text(
        "from rules_copy import whole_units\n\ndef twice(units, step):\n    return 2.0 * whole_units(units, step)\n"
    )

    def answer() -> float:
        modules = [load(rules, "rules_copy"), load(caller, "caller")]
        return compiled.compile_functions(modules, kept).twice(7.6, 0.5)

    assert answer() == 15.0
    assert answer() == 15.0
    assert len(list(kept.iterdir())) == 1
    text = rules.read_text()
    rules.write_text(text.replace("left_over)) * quantum", "left_over)) * quantum + 1.0"))
    assert rules.read_text() != text
    assert answer() == 17.0
    assert len(list(kept.iterdir())) == 2


def test_what_is_compiled_takes_its_numbers_from_no_other_module():
    """The name of the kept folder hashes these sources: a number from elsewhere could change unseen."""
    known = {module.__name__ for module in compiled.MODULES}
    for module in compiled.MODULES:
        for name, value in vars(module).items():
            home = getattr(value, "__module__", None)
            if isinstance(value, int | float) and not isinstance(value, bool) and not name.startswith("__"):
                assert f"\n{name} = " in Path(module.__file__).read_text() or any(
                    getattr(other, name, None) == value for other in compiled.MODULES if other is not module
                ), name
            elif callable(value) and home and home.partition(".")[0] in ("backtests", "strategies", "data"):
                assert home in known, f"{module.__name__}.{name}"


def test_the_loop_itself_is_plain_code_too(sample):
    """Uncompiled, number by number the same: what numba makes of it is what it says."""
    from backtests.engines import vector_engine

    fills, plan, rules, cash = random_run(7)
    mine = vector_engine.run_vector_engine(fills, plan, rules, cash)
    plain = replace_kernel(vector_engine, fills, plan, rules, cash)
    pd.testing.assert_frame_equal(plain.equity, mine.equity, rtol=1e-15)
    pd.testing.assert_frame_equal(plain.orders, mine.orders, rtol=1e-15)


def replace_kernel(module, *given):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "compiled_kernel", lambda: kernel)
        return module.run_vector_engine(*given)
