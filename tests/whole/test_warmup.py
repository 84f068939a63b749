"""What lies before a run: a policy or strategy of the user looks back on it, and decides nothing there."""

import pandas as pd
import pytest

from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from data.clock import sessions_between
from data.errors import InputError
from data.files.user_code import LookAheadError
from hand_made import make_snapshot

DAYS = [f"{day:%Y-%m-%d}" for day in sessions_between(pd.Timestamp("2016-12-01"), pd.Timestamp("2018-03-29"))]
START = "2018-01-02"
UNIVERSE = {"speculative": ["UP"], "cash_flow": ["DOWN"], "benchmark": "UP"}
MOMENTUM = """
def weights(regime, tradable, prices, universe, config):
    momentum = prices / prices.shift(252) - 1.0
    return (momentum > 0).astype(float).where(tradable, 0.0) / 2
"""
AVERAGE = """
import backtrader as bt

class Mine(bt.Strategy):
    def __init__(self):
        self.average = bt.ind.SMA(self.data, period=200)
        self.highest = bt.ind.Highest(self.data.high, period=20)
        self.asked = []

    def nextstart(self):
        self.began = len(self)
        self.next()

    def next(self):
        self.asked.append(len(self))
        if self.data.close[0] > self.average[0] and not self.getposition(self.data).size:
            self.buy(self.data, size=1)
            assert self.began == self.asked[0]
            assert self.highest[0] == max(self.data.high.get(size=20))
"""


def market():
    """One rises by a thousandth a session, one falls by as much; highs stand a tenth above the closes."""
    bars = {
        name: [(day, price, price) for day, price in zip(DAYS, prices, strict=True)]
        for name, prices in {
            "UP": [100.0 * 1.001**place for place in range(len(DAYS))],
            "DOWN": [100.0 * 0.999**place for place in range(len(DAYS))],
        }.items()
    }
    snapshot = make_snapshot(bars)
    snapshot.bars["high"] = snapshot.bars["close"] * 1.1
    return snapshot


def run_with(folder, code, **values):
    (folder / "mine.py").write_text(code)
    (folder / "regimes.csv").write_text("known_at,regime\n2017-12-01T00:00:00+00:00,SCARCE\n")
    given = {
        "run": {"name": "mine", "start": START},
        "universe": UNIVERSE,
        "signal.source": str(folder / "regimes.csv"),
    }
    return run_backtest(load_spec("sample", given | values), market())


def policy(folder):
    return {"policy.function": str(folder / "mine.py:weights")}


def strategy(folder):
    return {"run.strategy": str(folder / "mine.py:Mine")}


def test_a_policy_of_twelve_months_is_invested_from_the_first_session_on(tmp_path):
    run = run_with(tmp_path, MOMENTUM, **policy(tmp_path))
    assert run.plan.targets.iloc[0].to_dict() == {"UP": 0.5, "DOWN": 0.0}
    assert run.engine.orders["session"].iloc[0] == pd.Timestamp(START)
    without = run_with(tmp_path, MOMENTUM, **policy(tmp_path), **{"run.warmup_sessions": 0})
    assert (without.plan.targets == 0.0).all(axis=None)


def test_a_spec_of_the_first_version_has_none(tmp_path):
    run = run_with(tmp_path, MOMENTUM, **policy(tmp_path), version=1)
    assert run.spec.run.warmup_sessions == 0
    assert run.engine.orders.empty


def test_a_strategy_has_its_indicators_at_its_first_decision_and_decides_nothing_before(tmp_path):
    run = run_with(tmp_path, AVERAGE, **strategy(tmp_path))
    assert run.engine.orders["session"].tolist() == [pd.Timestamp(START)]
    assert run.engine.equity.index[0] == pd.Timestamp(START)
    without = run_with(tmp_path, AVERAGE, **strategy(tmp_path), **{"run.warmup_sessions": 0})
    assert without.engine.orders.empty


@pytest.mark.parametrize("sessions", [1, 2, 50, 252])
def test_as_many_sessions_as_are_asked_for(tmp_path, sessions):
    code = "import backtrader as bt\nclass Mine(bt.Strategy):\n    def next(self):\n        self.buy(size=len(self))\n"
    run = run_with(tmp_path, code, **strategy(tmp_path), **{"run.warmup_sessions": sessions})
    # The bar of the first decision is that of the session before the start.
    assert run.engine.decided["UP"].iloc[0] == sessions + 1.0


def test_without_a_number_it_is_a_year_and_less_where_the_market_has_less(tmp_path):
    code = "import backtrader as bt\nclass Mine(bt.Strategy):\n    def next(self):\n        self.buy(size=len(self))\n"
    assert run_with(tmp_path, code, **strategy(tmp_path)).engine.decided["UP"].iloc[0] == 253.0
    early = {"run": {"name": "mine", "start": DAYS[40], "end": DAYS[60]}}
    assert run_with(tmp_path, code, **strategy(tmp_path), **early).engine.decided["UP"].iloc[0] == 40.0


def test_more_than_the_market_has_is_refused_by_key_and_number(tmp_path):
    before = DAYS.index(START) - 1
    with pytest.raises(
        InputError, match=rf"run.warmup_sessions: got 300, wanted at most {before}: .* the first decision on 2017-12-29"
    ):
        run_with(tmp_path, MOMENTUM, **policy(tmp_path), **{"run.warmup_sessions": 300})


def test_orders_before_the_first_decision_are_refused(tmp_path):
    code = "import backtrader as bt\nclass Mine(bt.Strategy):\n    def notify_cashvalue(self, cash, value):\n"
    code += "        self.buy(size=1)\n"
    with pytest.raises(InputError, match=r"mine\.py, line 4: got an order for UP before the first decision"):
        run_with(tmp_path, code, **strategy(tmp_path))


def test_a_policy_that_looks_ahead_before_the_run_is_found(tmp_path):
    """It takes the last price that it is given for known on every session of the warm-up, and on none of the run."""
    code = (
        "import pandas as pd\n"
        "def weights(regime, tradable, prices, universe, config):\n"
        "    early = (prices.index < pd.Timestamp('2018-01-02'))[:, None]\n"
        "    rises = prices.iloc[-1] > prices\n"
        "    return (rises & early & tradable).astype(float) / 2\n"
    )
    with pytest.raises(LookAheadError, match=r"mine\.py looks ahead: target weight of UP for 2017-"):
        run_with(tmp_path, code, **policy(tmp_path))


@pytest.mark.real_history
def test_the_average_true_range_of_a_day_is_that_of_true_highs_and_lows(history, tmp_path):
    """Of QQQ on 2020-03-20, fourteen sessions by Wilder: 10.50, where highs and lows that are closes give 7.44."""
    (tmp_path / "mine.py").write_text(
        "import backtrader as bt\nclass Mine(bt.Strategy):\n    def __init__(self):\n"
        "        self.range = bt.ind.ATR(self.getdatabyname('QQQ'), period=14)\n    def next(self):\n"
        "        if str(self.data.datetime.date(0)) == '2020-03-20': self.buy(size=round(self.range[0], 2))\n"
    )
    values = {
        "run": {"name": "mine", "start": "2020-01-02", "end": "2020-03-31"},
        "universe": {"speculative": ["SPY"], "cash_flow": ["QQQ"], "benchmark": "SPY"},
        **strategy(tmp_path),
    }
    run = run_backtest(load_spec("history", values), history)
    assert run.engine.decided.loc["2020-03-23", "SPY"] == 10.50
