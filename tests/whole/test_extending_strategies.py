"""Strategies of users: plain orders of Backtrader, filled by the same rules; what is not offered is refused by name."""

import numpy as np
import pandas as pd
import pytest

from backtests.engines.event_engine import run_event_engine
from backtests.execution.fill_rules import fill_rules
from backtests.run import run_backtest
from backtests.spec.costs import AssetClassCosts, Costs, trade_terms
from backtests.spec.spec import load_spec
from data.errors import InputError
from data.files.user_code import UserCallable, read_user_file
from data.prices.panel import build_panel
from hand_made import make_instrument, make_snapshot
from strategies.order_rules import OrderRulesConfig
from strategies.policy import Plan
from strategies.trade_terms import as_lists

COSTS = Costs(
    crypto=AssetClassCosts(commission_bp=0),
    us_stock=AssetClassCosts(commission_bp=100),
    us_etf=AssetClassCosts(commission_bp=0),
)
SIX = ("2024-04-08", "2024-04-09", "2024-04-10", "2024-04-11", "2024-04-12", "2024-04-15")
DAYS = {"run.start": "2023-01-03", "run.end": "2023-06-30"}
ROTATION = """
import backtrader as bt
from numpy import inf
from strategies.order_rules import OrderRulesConfig
from strategies.rotation import Rotation
from strategies.trade_terms import TradeTerms

class Mine(Rotation):
    params = (("rules", OrderRulesConfig().rules), ("terms", TERMS))
"""


@pytest.fixture
def play(tmp_path):
    """Run the body of `next` over hand-made bars, {symbol: [(date, open, close), ...]}, with a thousand dollars."""

    def run(body, bars, instruments=None, rules=None, score=None, head=""):
        lines = "".join(f"        {line}\n" for line in body.splitlines())
        code = f"import backtrader as bt\n\nclass Mine(bt.Strategy):\n{head}    def next(self):\n{lines}"
        (tmp_path / "s.py").write_text(code)
        snapshot = make_snapshot(bars, instruments)
        panel = build_panel(snapshot, tuple(sorted(bars)), pd.Timestamp(SIX[1]), pd.Timestamp(SIX[5]))
        plan = Plan(
            pd.DataFrame(0.25, panel.decides_for, list(panel.symbols)), pd.Series(False, index=panel.decides_for)
        )
        rules = rules or OrderRulesConfig()
        strategy = UserCallable(read_user_file(tmp_path / "s.py"), "Mine").load()
        scores = pd.Series(0.5 if score is None else score, index=panel.decides_for)
        fills = fill_rules(panel, snapshot.instruments, COSTS, rules)
        return run_event_engine(fills, plan, rules, 1000.0, strategy, scores)

    return run


def flat(price=10.0, days=SIX):
    return [(day, price, price) for day in days]


def test_six_bars_of_plain_orders_by_hand(play):
    bars = {
        "X": list(zip(SIX, (10.5, 11.5, 12.5, 13.5, 14.5, 15.5), (10.0, 11.0, 12.0, 13.0, 14.0, 15.0), strict=True))
    }
    body = "if len(self) == 2: self.buy(size=10)\nif len(self) == 4: self.sell(size=3)\nif len(self) == 5: self.close()"
    result = play(body, bars)
    buy, sell, close = result.orders.to_dict("records")
    # Decided on the close of the 9th, 11.00: 110 dollars, costs of 1% in them, at the open of the 10th.
    assert (buy["session"], buy["price"]) == (pd.Timestamp(SIX[2]), 12.5)
    units = 110.0 / 12.5 / 1.01
    assert buy["size"] == pytest.approx(units, abs=2e-9)
    assert (sell["session"], sell["price"], sell["size"]) == (pd.Timestamp(SIX[4]), 14.5, 3.0)
    assert (close["session"], close["price"]) == (pd.Timestamp(SIX[5]), 15.5)
    assert close["size"] == pytest.approx(units - 3.0, abs=2e-9)
    cash = 1000.0 - 110.0 + 3 * 14.5 * 0.99 + (units - 3) * 15.5 * 0.99
    assert result.equity["equity"].iloc[-1] == pytest.approx(cash, rel=1e-9)
    assert result.equity["equity"].iloc[2] == pytest.approx(890.0 + units * 13.0, rel=1e-9)
    assert result.decided["X"].tolist() == [0.0, 10.0, 0.0, -3.0, pytest.approx(3.0 - units), 0.0]


def test_targets_in_percent_are_fractions_of_units_too(play):
    days = pd.date_range(SIX[0], SIX[5]).strftime("%Y-%m-%d")
    body = "if len(self) == 1: self.order_target_percent(target=0.1)"
    result = play(body, {"COIN": flat(40_000.0, days)}, {"COIN": make_instrument("crypto")})
    (order,) = result.orders.to_dict("records")
    assert order["size"] == pytest.approx(0.0025, abs=2e-9)


def test_a_full_target_is_not_cut_and_never_makes_debt(play):
    result = play("if len(self) == 1: self.order_target_percent(target=1.0)", {"X": flat()})
    assert result.orders["status"].tolist() == ["filled"]
    assert result.equity["cash"].min() >= 0.0
    gap = [(day, 12.0 if day == SIX[1] else 10.0, 10.0) for day in SIX]
    result = play("if len(self) == 1: self.buy(size=150)", {"X": gap})
    assert result.orders["status"].tolist() == ["reduced"]
    assert 0.0 <= result.equity["cash"].iloc[0] < 1e-6


def test_two_buys_share_the_cash_by_one_factor(play):
    body = "if len(self) == 1:\n    self.buy(self.datas[0], size=150)\n    self.buy(self.datas[1], size=50)"
    result = play(body, {"A": flat(), "B": flat()})
    assert (result.orders["size"] / [150, 50]).tolist() == pytest.approx([1000 / 2000 / 1.01] * 2, rel=1e-9)


def test_what_has_no_price_yet_is_left_unfilled_and_told(play):
    bars = {"X": flat(), "Y": flat()}
    body = "self.buy(self.datas[1], size=1)\nself.order_target_percent(self.datas[1], 0.5)"
    result = play(body, bars, {"Y": make_instrument(listed=SIX[3])})
    early = result.orders[result.orders["session"] <= SIX[3]]
    assert set(early["reason"]) == {"no price known to the decision"}
    assert len(early) == 6
    assert result.orders.loc[result.orders["status"] == "filled", "session"].min() == pd.Timestamp(SIX[4])


def test_what_is_closed_out_is_not_sold_again_nor_bought(play):
    sessions = list(SIX)
    bars = {"GONE": flat(10.0, sessions[:2]), "STAYS": flat(10.0, sessions)}
    body = (
        "gone = self.datas[0]\nif len(self) == 1: self.buy(gone, size=10)\n"
        "if len(self) == 4: self.sell(gone, size=1)\nif len(self) == 5: self.buy(gone, size=1)"
    )
    result = play(body, bars, rules=OrderRulesConfig(stale_sessions=2, stale_haircut=0.5))
    assert result.cash["kind"].tolist() == ["deposit", "close_out"]
    assert result.orders["reason"].tolist() == ["", "without a bar for too long", "without a bar for too long"]
    assert result.positions["GONE"].iloc[-1] == 0.0


def test_the_lines_that_a_decision_may_read(play):
    body = (
        "if len(self) == 3:\n"
        "    assert (self.data.close[0], self.data.decision_price[0]) == (12.0, 12.0)\n"
        "    assert (self.data.score[0], self.data.target[0], self.data.rebalance[0]) == (0.5, 0.25, 0.0)\n"
        "    self.buy(size=1)"
    )
    bars = {
        "X": list(zip(SIX, (10.5, 11.5, 12.5, 13.5, 14.5, 15.5), (10.0, 11.0, 12.0, 13.0, 14.0, 15.0), strict=True))
    }
    assert len(play(body, bars).orders) == 1


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("self.buy(exectype=bt.Order.Limit, price=9)", "got a Limit order for X, wanted market orders"),
        ("self.buy(exectype=bt.Order.Stop, price=9)", "got a Stop order for X"),
        ("self.buy(exectype=bt.Order.Close)", "got a Close order for X"),
        ("self.buy_bracket(limitprice=12, stopprice=8, exectype=bt.Order.Market)", "order for X with transmit"),
        ("self.buy(valid=0)", "order for X with valid"),
        ("self.buy(oco=self.buy())", "order for X with oco"),
        ("self.sell(size=1)", "got a sell of 1 X of which 0 are held"),
        ("self.order_target_percent(target=-0.5)", "wanted no short sale"),
        (
            "if len(self) == 1: self.buy(size=9)\nif len(self) == 3: self.sell(size=5), self.sell(size=5)",
            "got a sell of 5",
        ),
        ("self.buy(size=float('inf'))", "got an order for inf X"),
        ("self.broker.set_coo(True)", r"got broker\.set_coo\(\), which a strategy may not call"),
        ("self.broker.set_coc(True)", r"broker\.set_coc"),
        ("self.broker.add_cash(1e6)", r"broker\.add_cash"),
        ("self.broker.setcommission(0.0)", r"broker\.setcommission"),
    ],
)
def test_orders_that_are_not_offered_are_refused_by_name(play, body, wanted):
    with pytest.raises(InputError, match=wanted):
        play(body, {"X": flat()})


def test_cheat_on_open_is_refused_by_name(play):
    with pytest.raises(InputError, match=r"Mine\.next_open: cheat-on-open is not offered"):
        play("pass", {"X": flat()}, head="    def next_open(self): self.buy()\n")


def write_strategy(folder, code, days=DAYS):
    spec = load_spec("sample", days).to_toml()
    (folder / "s.py").write_text(code)
    path = folder / "mine.toml"
    path.write_text(spec.replace("[run]\n", '[run]\nstrategy = "s.py:Mine"\n'))
    return str(path)


def test_the_rotation_as_a_file_of_a_user_finds_the_same_equity(sample, tmp_path):
    """Bars one by one and plain cerebro options change nothing: what a user's run goes through is the same engine."""
    plain = run_backtest(load_spec("sample", DAYS), sample)
    terms = trade_terms(plain.panel.symbols, sample.instruments, plain.spec.costs)
    code = ROTATION.replace("TERMS", repr(as_lists(terms)))
    run = run_backtest(load_spec(write_strategy(tmp_path, code)), sample)
    pd.testing.assert_frame_equal(run.engine.equity, plain.engine.equity, check_exact=True)
    pd.testing.assert_frame_equal(run.engine.orders, plain.engine.orders, check_exact=True)
    pd.testing.assert_frame_equal(run.engine.decided, plain.engine.decided, check_exact=True)
    assert run.run_id != plain.run_id


def test_an_unsaid_end_is_that_of_what_the_strategy_holds(sample, tmp_path):
    from dataclasses import replace

    bars = sample.bars
    last = bars.loc[bars["symbol"] == "SIM-COIN-A", "date"].max()
    ended = replace(
        sample, bars=bars[~((bars["symbol"] == "SIM-COIN-A") & (bars["date"] > last - pd.Timedelta("20D")))]
    )
    ends = {}
    for symbol in ("SIM-COIN-A", "SIM-BILL"):
        code = (
            "import backtrader as bt\nclass Mine(bt.Strategy):\n    def next(self):\n"
            f"        if len(self) == 2: self.buy(self.getdatabyname({symbol!r}), size=1)\n"
        )
        path = write_strategy(tmp_path, code, {"run.start": "2026-06-01", "run.warmup_sessions": 0})
        ends[symbol] = run_backtest(load_spec(path), ended).sessions[-1]
    assert ends["SIM-COIN-A"] < ends["SIM-BILL"]
    assert ends["SIM-COIN-A"] <= last - pd.Timedelta("20D")


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("Mine = 3\n", "of type int"),
        ("class Mine:\n    pass\n", r"s\.py: got <class .*, wanted a class derived from backtrader\.Strategy"),
        (
            "import backtrader as bt\nclass Mine(bt.Strategy):\n    def next(self):\n        self.nothing()\n",
            r"s\.py, line 4: AttributeError",
        ),
        (
            "import backtrader as bt\nclass Mine(bt.Strategy):\n    def __init__(self, wanted):\n        pass\n",
            r"s\.py: TypeError",
        ),
        (
            "import backtrader as bt\nclass Mine(bt.Strategy):\n    def next(self):\n        self.sell(size=1)\n",
            r"s\.py, line 4: got a sell of 1 SIM-COIN-A of which 0 are held",
        ),
    ],
)
def test_what_a_strategy_raises_is_one_line(sample, tmp_path, code, wanted):
    with pytest.raises(InputError, match=wanted) as refused:
        run_backtest(load_spec(write_strategy(tmp_path, code)), sample)
    assert "\n" not in str(refused.value)


def test_a_signal_does_not_guess_the_orders_of_a_strategy(sample, tmp_path):
    from backtests.prepare.decision import decide_from_cash

    code = "import backtrader as bt\nclass Mine(bt.Strategy):\n    pass\n"
    run = run_backtest(load_spec(write_strategy(tmp_path, code)), sample)
    decision = decide_from_cash(run.spec, sample, run.signal, run.panel.decides_for[-1])
    assert decision.buy_money.isna().all()
    assert np.isfinite(decision.targets).all()
    assert run.engine.orders.empty
