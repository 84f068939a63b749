"""What code of users may do to the process, and what is heard of it."""

import json
import threading
import unicodedata
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from data.errors import InputError
from data.files.plain_text import printable
from data.files.user_code import read_user_file, user_faults
from data.files.user_world import unheard
from reverse_qe import cli

DAYS = {"run.start": "2023-01-03", "run.end": "2023-03-31"}
HOSTILE = {
    "raise BaseException('at last')": r"line \d+: BaseException: at last",
    "class Mute(Exception):\n    def __str__(self): raise ValueError\nraise Mute()": "its text cannot be made",
    "class Mute(BaseException):\n    def __str__(self): raise KeyError\nraise Mute()": "its text cannot be made",
    "import os\nos.chdir('/')": "changed the current folder to /, wanted",
    "import threading, time\nthreading.Thread(target=time.sleep, args=(0.2,), name='naps').start()": (
        "left the thread naps running"
    ),
    "import threading\nfails = threading.Thread(target=lambda: 1 / 0)\nfails.start()\nfails.join()": (
        "a thread failed: ZeroDivisionError"
    ),
    "raise GeneratorExit": "GeneratorExit",
    "raise StopIteration": "StopIteration",
    "raise RecursionError('too deep')": "RecursionError: too deep",
    "import sys\nsys.exit('done')": "SystemExit: done",
    "class Odd(type(__import__('data.errors').errors.InputError('x'))):\n    pass\nraise Odd('a\\n b')": "a b",
}


@pytest.mark.parametrize(("code", "told"), HOSTILE.items())
def test_what_code_does_to_the_process_is_told_in_one_line_and_undone(tmp_path, code, told):
    path, folder, errors = tmp_path / "hostile.py", Path.cwd(), np.geterr()
    path.write_text(code)
    file = read_user_file(path)
    with pytest.raises(InputError, match=told) as caught, user_faults(path):
        exec(compile(file.content, str(path), "exec"), {"__name__": "hostile"})
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert Path.cwd() == folder
    assert np.geterr() == errors
    for thread in threading.enumerate():
        if thread.name == "naps":
            thread.join()


def test_an_interrupt_is_the_users_own(tmp_path):
    with pytest.raises(KeyboardInterrupt), user_faults(tmp_path / "any.py"):
        raise KeyboardInterrupt


def test_settings_of_numpy_are_put_back(tmp_path):
    before = np.geterr()
    with user_faults(tmp_path / "any.py"):
        np.seterr(all="raise")
    assert np.geterr() == before != dict.fromkeys(before, "raise")


def test_what_is_printed_goes_to_stderr_in_plain_text(tmp_path, capsys):
    with user_faults(tmp_path / "any.py"):
        print("one\ttwo\nthree \x1b[2J\u202e")
    with unheard(), user_faults(tmp_path / "any.py"):
        print("again")
    assert capsys.readouterr() == ("", "one\ttwo\nthree \\x1b[2J\\u202e\n")


STRATEGY = """
import backtrader as bt
print("loaded")
class Mine(bt.Strategy):
    def next(self):
        if len(self) == 2: print("decided", flush=True)
    def stop(self):
        print("stopped")
"""
POLICY = """
from strategies.policy import target_weights
def weights(*given):
    print("asked")
    return target_weights(*given)
"""


@pytest.mark.slow
@pytest.mark.parametrize("end", ["run.end=2023-03-31", "run.name=x"])
def test_a_strategy_that_prints_is_heard_once_and_stdout_is_json_alone(tmp_path, capsys, monkeypatch, end):
    """However often it runs: for the end of the run, for the run, and for the checks."""
    (tmp_path / "s.py").write_text(STRATEGY)
    (tmp_path / "p.py").write_text(POLICY)
    monkeypatch.chdir(tmp_path)
    settings = {"run.start": "2023-01-03", "run.warmup_sessions": "0"}
    settings |= {"run.strategy": '"s.py:Mine"', "policy.function": '"p.py:weights"'}
    options = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    arguments = ["backtest", "sample", *options, "--set", end, "--json", "--no-tearsheet", "--out", "run", "--stress"]
    monkeypatch.setattr("sys.argv", ["reverse-qe", *arguments])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert not stop.value.code
    out, err = capsys.readouterr()
    assert json.loads(out)["folder"] == "run"
    lines = [line for line in err.splitlines() if line in ("loaded", "decided", "stopped", "asked")]
    assert sorted(lines) == ["asked", "decided", "loaded", "stopped"]


@given(text=st.text(max_size=40))
def test_whatever_is_printed_never_reaches_stdout_nor_steers_a_terminal(text):
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        with user_faults(Path("any.py")):
            print(text)
        with unheard(), user_faults(Path("any.py")):
            print(text)
    assert out.getvalue() == ""
    assert err.getvalue() == printable(text, keep="\n\t") + "\n"
    steering = {each for each in err.getvalue() if unicodedata.category(each) in ("Cc", "Cf", "Zl", "Zp")}
    assert steering <= {"\n", "\t"}


def test_complex_weights_are_refused(tmp_path, sample):
    (tmp_path / "p.py").write_text("def weights(regime, tradable, *rest):\n    return tradable * 1j\n")
    with pytest.raises(InputError, match=r"p\.py: got target weights that are complex numbers"):
        run_backtest(load_spec("sample", DAYS | {"policy.function": str(tmp_path / "p.py:weights")}), sample)


def test_a_strategy_of_ones_own_is_shown_by_what_it_holds_and_sends(tmp_path, capsys, monkeypatch):
    """It holds one coin that the policy does not want most of; summary, JSON and manifest say so, and name it."""
    code = "import backtrader as bt\nclass Mine(bt.Strategy):\n    def next(self):\n"
    code += "        if len(self) == 2: self.order_target_percent(self.datas[0], 0.5)\n"
    code += "        if str(self.data.datetime.date(0)) == '2023-03-31': self.sell(self.datas[0], size=0.25)\n"
    (tmp_path / "s.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    settings = {**DAYS, "run.strategy": '"s.py:Mine"', "run.warmup_sessions": 0}
    options = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]

    def ran(*more):
        monkeypatch.setattr("sys.argv", ["reverse-qe", "backtest", "sample", *options, "--no-tearsheet", *more])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        assert not stop.value.code
        return capsys.readouterr().out

    told = json.loads(ran("--json", "--out", "one"))
    assert told["next_session"]["targets"] is None
    assert list(told["next_session"]["held"]) == ["SIM-COIN-A"]
    assert [(order["symbol"], order["side"]) for order in told["next_session"]["orders"]] == [("SIM-COIN-A", "sell")]
    assert told["manifest"]["strategy"] == "s.py:Mine"
    summary = ran("--out", "two")
    assert "Held on 2023-03-31: SIM-COIN-A " in summary
    assert "Targets for" not in summary
