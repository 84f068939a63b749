"""A strategy of the user on paper: a replay is its backtest; what cannot be traded is refused by file and line."""

import re
from dataclasses import replace
from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import write_account_files
from backtests.run import run_backtest
from backtests.spec.costs import trade_terms
from backtests.spec.spec import load_spec
from data.clock import sessions_between
from data.errors import InputError
from data.market.snapshot import save
from data.market.tables import ACTIONS
from hand_made import make_instrument, make_snapshot
from paper.config import PaperConfig
from paper.ledger.invariants import broken_invariants
from paper.ledger.reader import LEDGER_FILE, LedgerReader
from paper.overview.status import read_status
from paper.service.check import check
from paper.step import step as stepping
from paper.step.account import reconcile, resume, run_step
from paper.storage import database
from paper.template import write_config
from strategies.trade_terms import as_lists

KEY = ["session", "symbol", "side"]
# It remembers: a counter, its own last buy, what its orders came to, and an indicator over the warm-up.
REMEMBERS = """
import backtrader as bt


class Mine(bt.Strategy):
    def __init__(self):
        self.means = {data: bt.ind.SMA(data.close, period=30) for data in self.datas}
        self.asked, self.paid, self.ended = 0, 0.0, []

    def notify_order(self, order):
        if order.status in (order.Completed, order.Canceled, order.Rejected):
            self.ended.append((order.data._name, order.executed.size, bool(order.info.cut)))
            self.paid += order.executed.comm

    def notify_trade(self, trade):
        if trade.isclosed:
            self.paid -= 1e-9 * trade.pnlcomm

    def next(self):
        self.asked += 1
        if self.asked % 4 != 1:
            return
        spent = min(self.paid / self.broker.startingcash, 0.1)
        rising = [data for data, mean in self.means.items() if data.decision_price[0] > mean[0]]
        for data in self.datas:
            share = (0.95 - spent) / max(len(rising), 4) if data in rising else 0.0
            if data.decision_price[0] > 0:
                self.order_target_percent(data, target=share, price=data.decision_price[0])
        if len(self.ended) % 7 == 3 and self.getposition(self.datas[0]).size:
            print("seven")
"""


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    """Nobody pulls the plug here."""
    monkeypatch.setattr(database, "SYNCHRONOUS", "OFF")


def account(folder, code=REMEMBERS, settings=None, base="sample", market="sample"):
    """A configuration of a strategy in a file of its own."""
    (folder / "s.py").write_text(code, encoding="utf-8")
    whole = load_spec(base, settings or {}).to_toml()
    (folder / "mine.toml").write_text(whole.replace("[run]\n", '[run]\nstrategy = "s.py:Mine"\n'), encoding="utf-8")
    limits = {"largest_position": 1.0, "largest_order": 1.0, "largest_turnover_a_day": 2.0}
    return PaperConfig(market=market, spec=str(folder / "mine.toml"), state={"path": folder / "state"}, limits=limits)


def days_between(first, last):
    return [day.date() for day in sessions_between(pd.Timestamp(first), pd.Timestamp(last))]


def replay(config, days):
    for day in days:
        told = run_step(config, day)
        assert not told.halt, told.halt
        assert not told.fault


def assert_same_as_backtest(config, days, market):
    run = run_backtest(load_spec(config.spec, {"run.start": days[0], "run.end": days[-1]}), market)
    with LedgerReader(config.state_folder / LEDGER_FILE) as ledger:
        orders, equity = ledger.orders(), ledger.equity()
        assert broken_invariants(ledger) == []
    np.testing.assert_allclose(equity.to_numpy(), run.engine.equity.to_numpy(), rtol=1e-9, atol=1e-6)
    if run.engine.orders.empty:
        assert orders.empty
        return run
    ours, theirs = (frame.sort_values(KEY).reset_index(drop=True) for frame in (orders, run.engine.orders))
    pd.testing.assert_frame_equal(ours[[*KEY, "status", "reason"]], theirs[[*KEY, "status", "reason"]])
    for name in ("size", "price", "commission"):
        np.testing.assert_allclose(ours[name].to_numpy(), theirs[name].to_numpy(), rtol=1e-9, err_msg=name)
    return run


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{}, {"run.prices": "raw", "cash.interest": "bill", "run.warmup_sessions": 40}])
def test_a_replay_on_the_sample_is_the_backtest(tmp_path, sample, settings):
    config, days = account(tmp_path, settings=settings), days_between("2021-03-08", "2021-04-16")
    replay(config, days)
    run = assert_same_as_backtest(config, days, sample)
    assert len(run.engine.orders) > 20
    assert reconcile(config) == []
    compared = read_status(config).comparison
    assert compared.sessions == len(days)
    assert compared.largest_difference < 1e-9


@pytest.mark.real_history
@pytest.mark.slow
def test_a_replay_of_real_history_is_the_backtest(tmp_path, history):
    save(history)
    config = account(tmp_path, base="history", market="history")
    days = days_between("2024-03-01", "2024-05-10")
    replay(config, days)
    run = assert_same_as_backtest(config, days, history)
    assert len(run.engine.orders) > 40


ROTATION = """
import backtrader as bt
from numpy import inf
from strategies.order_rules import OrderRulesConfig
from strategies.rotation import Rotation
from strategies.trade_terms import TradeTerms

class Mine(Rotation):
    params = (("rules", OrderRulesConfig().rules), ("terms", TERMS))
"""


@pytest.mark.slow
def test_the_rotation_as_a_file_of_a_user_decides_as_the_rotation(tmp_path, sample):
    """It plans anew what was cut: how an order ended reaches the strategy as in a backtest."""
    settings = {"policy.rebalance": "weekly", "costs.crypto.participation": 1e-7}
    plain = run_backtest(load_spec("sample", settings | {"run.start": "2021-03-08", "run.end": "2021-03-26"}), sample)
    terms = trade_terms(plain.panel.symbols, sample.instruments, plain.spec.costs)
    config = account(tmp_path, ROTATION.replace("TERMS", repr(as_lists(terms))), settings)
    days = days_between("2021-03-08", "2021-03-26")
    replay(config, days)
    run = assert_same_as_backtest(config, days, sample)
    assert "reduced" in set(run.engine.orders["status"])
    pd.testing.assert_frame_equal(run.engine.orders, plain.engine.orders)


def test_an_account_that_orders_nothing_is_one_too(tmp_path):
    """It reconciles, and has a status: there is no order, and no fill, whose moment could be looked at."""
    config = account(tmp_path, "import backtrader as bt\nclass Mine(bt.Strategy):\n    pass\n")
    replay(config, days_between("2021-03-08", "2021-03-10"))
    assert reconcile(config) == []
    assert read_status(config).comparison.largest_difference == 0.0


START = "import backtrader as bt\nclass Mine(bt.Strategy):\n    def next(self):\n"
REFUSED = {
    "self.buy(exectype=bt.Order.Stop, price=9)": "buy sends a Stop order",
    "self.buy(size=1, exectype=bt.Order.Limit, price=9.0)": "buy sends a Limit order",
    "self.sell(exectype=bt.Order.StopTrail, trailamount=1)": "sell sends a StopTrail order",
    "self.order_target_percent(target=0.1, exectype=bt.Order.Close)": "order_target_percent sends a Close order",
    "self.buy_bracket(limitprice=12, stopprice=8)": "buy_bracket sends limit and stop orders",
    "self.buy(valid=self.data.datetime.date(0))": "buy with valid makes an order that waits",
    "self.sell(oco=self.buy())": "sell with oco",
    "self.buy(transmit=False)": "buy with transmit",
    "self.broker.set_coo(True)": r"broker\.set_coo changes cash, costs or fills",
    "held = self.broker.orders_log": r"broker\.orders_log is a note of the backtest's own engine",
}


@pytest.mark.parametrize(("line", "why"), REFUSED.items(), ids=REFUSED)
def test_a_line_that_cannot_be_traded_is_refused_when_the_account_is_made(tmp_path, line, why):
    """Though it has not run yet: the file and the line, and nothing is opened."""
    code = START + f"        if len(self) > 1_000_000:\n            {line}\n"
    config = account(tmp_path, code)
    with pytest.raises(InputError, match=rf"s\.py, line 5: {why}") as refused:
        run_step(config, date(2021, 3, 8))
    assert "\n" not in str(refused.value)
    with LedgerReader(config.state_folder / LEDGER_FILE) as ledger:
        assert ledger.account() is None
    (found,) = [each for each in check(config) if each.what == "strategy"]
    assert (found.verdict, "line 5" in found.says) == ("fault", True)
    with pytest.raises(InputError, match=r"s\.py, line 5"):
        write_config(tmp_path / "new.toml", "sample", config.spec, "simulated")


def test_next_open_is_refused_by_its_line(tmp_path):
    code = START + "        pass\n    def next_open(self):\n        self.buy()\n"
    with pytest.raises(InputError, match=r"s\.py, line 5: next_open decides at the open that it sees"):
        run_step(account(tmp_path, code), date(2021, 3, 8))


TRIED = {
    "kind = bt.Order.Stop\n        self.buy(size=1, exectype=kind, price=9)": "line 5: got a Stop order",
    "self.buy(size=1)\n        self.buy(size=2)": "line 5: got a second order for SIM-COIN-A at one decision",
    "pass\n    def stop(self):\n        self.buy(size=1)": "line 6: got an order for SIM-COIN-A in stop",
    "import random\n        self.buy(size=random.random())": "line 5: asked twice, it orders",
    "self.sell(size=1)": "line 4: got a sell of 1 SIM-COIN-A of which 0 are held",
}


@pytest.mark.parametrize(("lines", "why"), TRIED.items())
def test_what_shows_only_when_it_runs_is_found_by_trying_it(tmp_path, lines, why):
    config = account(tmp_path, START + f"        {lines}\n")
    with pytest.raises(InputError, match=rf"s\.py, {why}"):
        run_step(config, date(2021, 3, 8))
    with LedgerReader(config.state_folder / LEDGER_FILE) as ledger:
        assert ledger.account() is None


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("% 4 != 1", "% 2 != 1", "now it would"),
        pytest.param(
            "0.95 - spent",
            "0.85 - spent",
            r"line 28: now it would .* its file was changed after the decision for 2021-03-",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "self.asked % 4",
            "random.random() > 2 or self.asked % 3",
            "the strategy fails: .*name 'random' is not defined",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_one_that_decides_otherwise_than_it_did_halts_by_name(tmp_path, before, after, told):
    config, days = account(tmp_path), days_between("2021-03-08", "2021-03-16")
    replay(config, days[:6])
    (tmp_path / "s.py").write_text(REMEMBERS.replace(before, after), encoding="utf-8")
    step = run_step(config, days[6])
    assert re.search(told, step.halt)
    assert step.sent == []
    assert "\n" not in step.halt
    assert any(re.search(told, each) for each in reconcile(config))
    # What it was is put back, and a person lets it go on.
    (tmp_path / "s.py").write_text(REMEMBERS, encoding="utf-8")
    resume(config, "put back")
    assert not run_step(config, days[6]).halt


def test_a_file_that_was_changed_and_decides_the_same_goes_on(tmp_path):
    config, days = account(tmp_path), days_between("2021-03-08", "2021-03-11")
    replay(config, days[:2])
    (tmp_path / "s.py").write_text("# A word more.\n" + REMEMBERS, encoding="utf-8")
    replay(config, days[2:])


def test_bars_that_are_told_otherwise_later_change_no_decision_that_was_taken(tmp_path, sample, monkeypatch):
    """What it saw is written down: a corrected close, and volumes, change the decisions to come alone."""
    days = days_between("2021-03-08", "2021-03-19")
    config = account(tmp_path)
    replay(config, days[:5])
    bars = sample.bars.copy()
    earlier = bars["date"] < pd.Timestamp(days[3])
    bars.loc[earlier, ["open", "high", "low", "close", "adj_close"]] *= 1.001
    corrected = replace(sample, bars=bars)
    monkeypatch.setattr(stepping, "newest_snapshot", lambda _name: corrected)
    replay(config, days[5:])
    with LedgerReader(config.state_folder / LEDGER_FILE) as ledger:
        assert len(ledger.seen_bars()) == 252 + len(days)


def test_a_session_without_a_step_is_seen_and_not_decided_for(tmp_path):
    config, days = account(tmp_path), days_between("2021-03-08", "2021-03-19")
    replay(config, [*days[:2], *days[4:]])
    with LedgerReader(config.state_folder / LEDGER_FILE) as ledger:
        decided = [bar.decided_for for bar in ledger.seen_bars()[252:]]
    assert decided == [*days[:2], None, None, *days[4:]]
    assert reconcile(config) == []


def test_what_it_prints_is_heard_once(tmp_path, capsys):
    code = START + "        print('bar', self.data.datetime.date(0))\n"
    config, days = account(tmp_path, code), days_between("2021-03-08", "2021-03-10")
    replay(config, days)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == ["bar 2021-03-05", "bar 2021-03-08", "bar 2021-03-09"]


@pytest.fixture
def day_by_day(tmp_path, monkeypatch):
    """An account that trades from day to day, on a market that has grown up to the day of the step."""
    days = [f"2024-03-{day:02d}" for day in (4, 5, 6, 7, 8, 11, 12)]
    every = [f"{day:%Y-%m-%d}" for day in pd.date_range("2024-03-01", "2024-03-12")]
    stock = [(day, 100.0 + at, 101.0 + at) for at, day in enumerate(["2024-02-29", "2024-03-01", *days])]
    coin = [(day, 1000.0 + 10 * at, 1005.0 + 10 * at) for at, day in enumerate(every)]
    whole = make_snapshot(
        {"STOCK": stock, "COIN": coin}, {"COIN": make_instrument("crypto", quantum=1e-9)}, as_traded=True
    )
    path = write_account_files(
        tmp_path, start=date(2024, 3, 4), regimes={"2024-02-01T00:00:00+00:00": "NEUTRAL"}, free=True
    )
    path.write_text(path.read_text().replace("[run]\n", '[run]\nstrategy = "s.py:Mine"\n'))
    config = PaperConfig(market="made", spec=str(path), state={"path": tmp_path / "state"})

    def step(day, clock="00:20"):
        grown = replace(whole, bars=whole.bars[whole.bars["date"] < pd.Timestamp(f"2024-03-{day:02d}")])
        monkeypatch.setattr(stepping, "newest_snapshot", lambda _name: grown)
        return run_step(config, now=datetime.fromisoformat(f"2024-03-{day:02d}T{clock}:00+00:00"))

    return config, step


def test_from_day_to_day_it_hears_of_fills_when_they_are_told(tmp_path, day_by_day):
    """By hand: the coin of Monday's order fills at Tuesday's UTC open, which Wednesday's decision is told."""
    config, step = day_by_day
    (tmp_path / "s.py").write_text(
        "import backtrader as bt\nclass Mine(bt.Strategy):\n"
        "    def notify_order(self, order):\n"
        "        if not order.alive():\n"
        "            print('ended', order.data._name, f'{order.executed.size:.4f}', order.executed.price)\n"
        "    def next(self):\n"
        "        for data in self.datas:\n"
        "            if not self.getposition(data).size:\n"
        "                self.buy(data, size=40_000 / data.decision_price[0])\n"
        "        print('holds', [round(self.getposition(data).size, 4) for data in self.datas])\n"
    )
    first = step(4)
    assert {each.symbol: each.money for each in first.sent} == {"COIN": pytest.approx(40_000), "STOCK": 40_000}
    # Tuesday: the stock has filled; the coin's order is open, and the strategy, which holds none yet, wants it again.
    tuesday = step(5)
    assert tuesday.sent == []
    assert tuesday.decision.left_alone == ("COIN",)
    assert any(each.startswith("COIN: an order of the strategy is not sent") for each in tuesday.notes)
    # Wednesday: it holds both, and wants no more.
    wednesday = step(6)
    assert (wednesday.sent, wednesday.decision.left_alone, wednesday.halt) == ([], (), "")
    with LedgerReader(config.state_folder / LEDGER_FILE) as ledger:
        held = ledger.holdings().units
        assert len(ledger.orders()) == 2
    assert held == {"STOCK": pytest.approx(40_000 / 102), "COIN": pytest.approx(40_000 / 1040)}
    for day in (7, 8, 11, 12):
        assert not step(day).halt
    assert reconcile(config, datetime.fromisoformat("2024-03-12T00:30:00+00:00")) == []


def test_from_day_to_day_it_is_told_in_the_words_of_backtrader(tmp_path, day_by_day, capsys):
    _, step = day_by_day
    (tmp_path / "s.py").write_text(
        "import backtrader as bt\nclass Mine(bt.Strategy):\n    told = ()\n"
        "    def notify_order(self, order):\n"
        "        self.told += ((order.data._name, order.getstatusname()),)\n"
        "    def next(self):\n"
        "        print(self.told)\n"
        "        self.told = ()\n"
        "        if len(self) == 2:\n"
        "            self.buy(self.datas[0], size=1)\n"
        "            self.buy(self.datas[1], size=1)\n"
    )
    for day in (4, 5, 6):
        assert not step(day).halt
    begun = [f"('{symbol}', '{word}')" for symbol in ("COIN", "STOCK") for word in ("Submitted", "Accepted")]
    _, monday, tuesday, wednesday = ["", *capsys.readouterr().err.splitlines()]
    assert monday == "()"
    assert tuesday.startswith("(('")
    assert "('STOCK', 'Completed')" in tuesday
    assert "'COIN', 'Completed'" not in tuesday
    assert wednesday == "(('COIN', 'Completed'),)"
    assert all(each.split(",")[0] in tuesday for each in begun)


def test_splits_and_dividends_reach_it_as_in_the_backtest(tmp_path, monkeypatch):
    """It sells all but one unit on the eve of a split of 3 for 1; then it buys by what it holds and has in cash."""
    days = [f"{day:%Y-%m-%d}" for day in sessions_between(pd.Timestamp("2024-03-01"), pd.Timestamp("2024-04-12"))]
    bars = [(day, 90.0 if at < 12 else 30.0, 91.0 if at < 12 else 30.5) for at, day in enumerate(days)]
    snapshot = make_snapshot(
        {"STOCK": bars, "COIN": [(day, 50.0, 51.0) for day in days]}, {"COIN": make_instrument()}, as_traded=True
    )
    snapshot.bars["adj_close"] = 30.0
    told = [("STOCK", days[12], "split", 3.0), ("STOCK", days[16], "dividend", 0.75), ("STOCK", days[20], "split", 0.5)]
    rows = [dict(zip(ACTIONS.columns, (*each, each[1], "made for a test"), strict=True)) for each in told]
    actions = pd.DataFrame(rows)
    actions["date"], actions["known_at"] = (
        pd.to_datetime(actions["date"]),
        pd.to_datetime(actions["known_at"], utc=True),
    )
    snapshot = replace(snapshot, actions=actions)
    path = write_account_files(tmp_path, start=date(2024, 3, 5), regimes={"2024-02-01T00:00:00+00:00": "NEUTRAL"})
    text = path.read_text().replace("[run]\n", '[run]\nstrategy = "s.py:Mine"\nprices = "raw"\nwarmup_sessions = 0\n')
    path.write_text(text)
    (tmp_path / "s.py").write_text(
        "import backtrader as bt\nclass Mine(bt.Strategy):\n    def next(self):\n"
        "        stock = self.getdatabyname('STOCK')\n        held = self.getposition(stock)\n"
        "        if len(self) == 2: self.buy(stock, size=300)\n"
        "        if len(self) == 11: self.sell(stock, size=held.size - 1)\n"
        "        if len(self) in (14, 17, 22): self.buy(stock, size=held.size + self.broker.getcash() / 1000)\n"
        "        if len(self) == 24: self.buy(self.getdatabyname('COIN'), size=held.price)\n"
    )
    config = PaperConfig(market="made", spec=str(path), state={"path": tmp_path / "state"})
    monkeypatch.setattr(stepping, "newest_snapshot", lambda _name: snapshot)
    stepped = [pd.Timestamp(day).date() for day in days[2:-1]]
    for day in stepped:
        step = run_step(config, day)
        if step.halt.startswith("like a split"):
            resume(config, "it was one")
            step = run_step(config, day)
        assert not step.halt, step.halt
    run = assert_same_as_backtest(config, stepped, snapshot)
    assert {"split", "dividend"} <= set(run.engine.cash["kind"])
    assert len(run.engine.orders) == 6


SCRIPTED = """
import backtrader as bt

class Mine(bt.Strategy):
    ended = 0

    def notify_order(self, order):
        self.ended += not order.alive()

    def next(self):
        for when, name, kind, size in {script!r}:
            if when != len(self):
                continue
            data = self.getdatabyname(name)
            held = self.getposition(data).size
            if kind == "buy":
                self.buy(data, size=size * (1 + self.ended % 3))
            elif kind == "sell" and held:
                self.sell(data, size=held * min(size / 400, 1.0))
            elif kind == "close":
                self.close(data)
            elif kind == "target":
                self.order_target_percent(data, target=size / 800, price=data.decision_price[0])
            elif kind == "cancel":
                self.cancel(self.buy(data, size=size))
"""
order = st.tuples(
    st.integers(1, 9),
    st.sampled_from(["COIN", "STOCK", "OTHER"]),
    st.sampled_from(["buy", "buy", "sell", "close", "target", "target", "cancel"]),
    st.floats(0.5, 500.0),
)


@pytest.mark.slow
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=st.lists(order, max_size=20, unique_by=lambda each: each[:2]), seed=st.integers(0, 99))
def test_whatever_it_orders_a_replay_is_its_backtest(tmp_path_factory, monkeypatch, script, seed):
    """Orders beyond the cash, of nothing held, taken back; prices that jump."""
    rng, folder = np.random.default_rng(seed), tmp_path_factory.mktemp("scripted")
    days = [f"{day:%Y-%m-%d}" for day in sessions_between(pd.Timestamp("2024-03-01"), pd.Timestamp("2024-03-15"))]
    bars = {}
    for name in ("COIN", "STOCK", "OTHER"):
        closes = 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.08, len(days))))
        opens = (closes * rng.uniform(0.9, 1.1, len(days))).tolist()
        bars[name] = list(zip(days, opens, closes.tolist(), strict=True))
    snapshot = make_snapshot(bars, {"COIN": make_instrument("crypto")}, as_traded=True)
    path = write_account_files(folder, start=date(2024, 3, 4), regimes={"2024-02-01T00:00:00+00:00": "NEUTRAL"})
    text = path.read_text().replace("[run]\n", '[run]\nstrategy = "s.py:Mine"\nwarmup_sessions = 0\n')
    text = text.replace('cash_flow = [\n    "STOCK",\n]', 'cash_flow = ["STOCK", "OTHER"]')
    path.write_text(text)
    assert "OTHER" in text
    (folder / "s.py").write_text(SCRIPTED.format(script=script))
    limits = {"largest_position": 9.0, "largest_order": 9.0, "largest_turnover_a_day": 99.0, "drawdown_halt": 1.0}
    config = PaperConfig(market="made", spec=str(path), state={"path": folder / "state"}, limits=limits)
    monkeypatch.setattr(stepping, "newest_snapshot", lambda _name: snapshot)
    stepped = [pd.Timestamp(day).date() for day in days[1:-1]]
    replay(config, stepped)
    assert_same_as_backtest(config, stepped, snapshot)
