"""The idea written down in one file, without a function of ours: it is what the default run is held to."""

import ast
import importlib.util
import sys
from pathlib import Path

import pandas as pd
import pytest

from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from data.market.snapshot import Snapshot, save

FILE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "from_scratch.py"
OTHERS = {"math", "re", "sys", "pathlib", "backtrader", "exchange_calendars", "numpy", "pandas"}


def test_it_is_short_and_uses_nothing_of_ours() -> None:
    text = FILE.read_text()
    assert len(text.splitlines()) < 250
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module).split(".")[0])
    assert found <= OTHERS


@pytest.mark.real_history
@pytest.mark.slow
def test_the_default_run_equals_it(history: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_backtest(load_spec("history"), history)
    tables = {path.stem: pd.read_parquet(path) for path in save(history).glob("*.parquet")}

    spec = importlib.util.spec_from_file_location("from_scratch", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "from_scratch", module)  # Backtrader asks where a class comes from
    spec.loader.exec_module(module)

    decisions = run.prepared.market.decides_for
    score, regime = module.regimes(tables, module.CLOCK[decisions[-1] >= module.CLOCK])
    assert (run.signal.score[decisions] - score[decisions]).abs().max() < 1e-9
    assert (run.signal.regime[decisions] == regime[decisions]).all()
    assert set(regime[decisions]) == {"SCARCE", "NEUTRAL", "ABUNDANT"}

    found, wanted = module.equity(tables, regime), run.engine.equity["equity"]
    assert found.index.equals(wanted.index)
    assert (found / wanted - 1).abs().max() < 1e-9
