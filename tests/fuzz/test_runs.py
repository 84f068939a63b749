"""Whatever a spec says and code of a user does: the books are whole, and a ledger by hand does not deny them."""

import contextlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hostile
from any_spec import any_market, assert_whole, paths, spec_of, specs
from backtests.archive.folder import write_run
from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from data.errors import ReverseQeError
from data.files.cache import cache_folder
from hostile import damaged, fuzzed
from rebuilt import rebuilt_equity
from signals.model_config import RegimeModelConfig
from signals.models.fit_cache import kept_fit
from signals.models.jump import JUMP
from signals.models.markov_switching import MARKOV_SWITCHING


@pytest.fixture(scope="module")
def market():
    return any_market()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@fuzzed("runs of specs that can be run", 0.03, 8)
@given(drawn=specs, regimes=paths)
def test_no_number_that_a_ledger_by_hand_denies(market, folder, drawn, regimes):
    hostile.COUNTS["runs of specs that can be run"] += 1
    run = run_backtest(spec_of(drawn, regimes, folder), market)
    assert_whole(run)
    place = folder / f"run-{hostile.COUNTS['runs of specs that can be run']}"
    write_run(run, place)
    written = pd.read_csv(place / "equity.csv", parse_dates=["session"], index_col="session")
    np.testing.assert_allclose(rebuilt_equity(place, run), written["equity"].to_numpy(), rtol=1e-9)


# What a function of a user may return, raise and do; `history` and `regimes` are what it is given.
BODIES = (
    "return None",
    "return 5",
    "return 'much'",
    "return {}",
    "return [[1, 2], [3]]",
    "return inputs",
    "raise ValueError('a\\nb\\x1b[31m')",
    "raise KeyError(open)",
    "raise SystemExit(3)",
    "raise GeneratorExit",
    "class E(BaseException): pass\n    raise E('odd')",
    "class E(Exception):\n        def __str__(self): raise RuntimeError\n    raise E",
    "import os; os.chdir('/'); raise OSError(5, 'x')",
    "return __import__('numpy').full((2, 2), complex(1, 1))",
    "return __import__('numpy').full(3, float('nan'))",
    "return __import__('pandas').DataFrame({'x': ['a']})",
    "return __import__('pandas').DataFrame(index=range(10**3))",
    "return f(*args)",
    "x = []\n    x.append(x)\n    return x",
    "print('\\x1b[31m'); return None",
    "import warnings; warnings.warn('odd'); return None",
    "return lambda: None",
    "yield 1",
    "1 / 0",
    "assert False",
    "import nosuch",
    "return object()",
)
PLACES = ("policy.function", "signal.blocks", "run.strategy")


@fuzzed("code of users", 0.03, 20)
@given(
    key=st.sampled_from(PLACES),
    body=st.sampled_from(BODIES),
    head=st.sampled_from(
        ["def f(*args, **kwargs):", "def f():", "async def f(*args):", "class f:\n  def __init__(self, *args):"]
    ),
    top=st.sampled_from(
        ["", "import sys", "raise ValueError", "f = 5", "def f(:", "\x00", "while 0: pass", "sys.exit(2)"]
    ),
    data=st.data(),
)
def test_code_of_users(market, sample, folder, capsys, key, body, head, top, data):
    indented = body if head.startswith(("def", "async")) else body.replace("\n", "\n  ")
    text = f"{top}\n{head}\n    {indented}\n"
    content = text.encode() if data.draw(st.integers(0, 3)) else data.draw(damaged(text.encode()))
    (folder / "f.py").write_bytes(content)
    hostile.COUNTS["code of users"] += 1
    named = str(folder / "f.py:f")
    here = Path.cwd()
    if key == "signal.blocks":
        spec, of = load_spec("sample", {"run.start": "2026-09-01", key: [named]}), sample
    else:
        spec, of = spec_of({"run.end": "2024-02-01", key: named}, ["SCARCE", "ABUNDANT"] * 6, folder), market
    with contextlib.suppress(ReverseQeError):
        assert_whole(run_backtest(spec, of))
    assert "\x1b" not in capsys.readouterr().out
    assert Path.cwd() == here


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(7)
    days = pd.bdate_range("2015-01-02", periods=300)
    level = np.where(np.arange(300) // 50 % 2, 0.4, -0.4)
    return pd.DataFrame({"drain": level, "pipes": level, "score": level}, index=days) + rng.normal(0, 0.1, (300, 3))


@fuzzed("fits that were kept", 0.03, 20)
@given(data=st.data(), model=st.sampled_from([JUMP, MARKOV_SWITCHING]))
def test_fits_that_were_kept(rows, tmp_path_factory, data, model):
    """A damaged one changes no result."""
    config = RegimeModelConfig(jump_starts=1)
    shapes = model.shapes(2)
    home = tmp_path_factory.getbasetemp() / "fits"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(home))
        made = kept_fit(model.name, model.packages, model.fit, rows, config, shapes)
        (file,) = [path for path in cache_folder().iterdir() if path.name.startswith(f"fit-{model.name}-")]
        whole = file.read_bytes()
        file.write_bytes(data.draw(damaged(whole)))
        hostile.COUNTS["fits that were kept"] += 1
        again = kept_fit(model.name, model.packages, model.fit, rows, config, shapes)
        assert file.read_bytes() == whole
    assert made is not None
    assert again is not None
    for name, value in made.items():
        np.testing.assert_array_equal(again[name], value)
