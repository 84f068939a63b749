"""What a strategy of a user is shown, and what is shown of it: properties of whatever bars and orders there are."""

import backtrader as bt
import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from backtests.engines.event_engine import run_event_engine
from backtests.execution.fill_rules import fill_rules
from backtests.run import run_backtest
from backtests.spec.costs import Costs
from backtests.spec.spec import load_spec
from data.clock import sessions_between
from data.prices.panel import build_panel
from hand_made import make_snapshot
from reverse_qe.commands.backtest import _as_json
from reverse_qe.results import BacktestResult
from strategies.order_rules import OrderRulesConfig
from strategies.policy import Plan

DAYS = sessions_between(pd.Timestamp("2024-01-02"), pd.Timestamp("2024-03-28"))
SEEN = ("open", "high", "low", "close", "volume")
bar = st.tuples(
    st.floats(1.0, 900.0), st.floats(0.9, 1.1), st.floats(0.0, 0.2), st.sampled_from([True, True, True, False])
)


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(bar, min_size=12, max_size=30), warmup=st.integers(0, 5), blanks=st.sets(st.integers(2, 29)))
def test_a_strategy_sees_the_bars_known_and_blanks_where_they_are(rows, warmup, blanks):
    """A bar that is not there is blank in all but its close, which is carried on; one without an open lacks that."""
    days = DAYS[: len(rows)]
    closes = [close for close, *_ in rows]
    there = [place < 2 or kept for place, (*_, kept) in enumerate(rows)]
    opens = [None if place in blanks else rows[place][0] * rows[place][1] for place in range(len(rows))]
    snapshot = make_snapshot(
        {"X": [(f"{day:%Y-%m-%d}", opens[at], closes[at]) for at, day in enumerate(days) if there[at]]}
    )
    wide = np.array([rows[at][2] for at in range(len(rows)) if there[at]])
    bars = snapshot.bars
    bars["high"], bars["low"] = bars["high"] * (1.0 + wide), bars["low"] * (1.0 - wide)
    bars["volume"] = np.arange(100.0, 100.0 + len(bars))
    first = 1 + warmup
    panel = build_panel(snapshot, ("X",), days[first], days[-1])
    earlier = build_panel(snapshot, ("X",), days[1], days[-1]).upto(days[first - 1]) if warmup else None
    seen = []

    class Mine(bt.Strategy):
        def next(self):
            seen.append([getattr(self.data, name)[0] for name in SEEN])

    decided = panel.decides_for
    plan = Plan(pd.DataFrame(0.0, decided, ["X"]), pd.Series(False, decided))
    rules = OrderRulesConfig()
    fills = fill_rules(panel, snapshot.instruments, Costs(), rules)
    known = decided if earlier is None else earlier.decides_for.append(decided)
    run_event_engine(fills, plan, rules, 1000.0, Mine, pd.Series(0.0, known), earlier)
    table = bars.set_index("date").reindex(days)
    table["close"] = table["close"].ffill()
    np.testing.assert_array_equal(np.array(seen), table[list(SEEN)].to_numpy()[first - 1 :])


AVERAGE = """
import backtrader as bt
class Mine(bt.Strategy):
    def __init__(self):
        self.mean = bt.ind.SMA(self.data.close, period={period})
    def next(self):
        self.buy(size=self.mean[0])
"""
NOTHING_NEEDED = {
    "universe": {"speculative": ["B"], "cash_flow": ["A"], "benchmark": "A"},
    "costs": {name: {"commission_bp": 0.0} for name in ("crypto", "us_stock", "us_etf")},
}


def spec_of(folder, code, **run):
    (folder / "mine.py").write_text(code)
    (folder / "regimes.csv").write_text("known_at,regime\n2023-12-01T00:00:00+00:00,NEUTRAL\n")
    given = {
        "run": {"name": "mine", "initial_cash": 1e6, "strategy": str(folder / "mine.py:Mine"), **run},
        "signal.source": str(folder / "regimes.csv"),
    }
    return load_spec("sample", NOTHING_NEEDED | given)


def waves(seed):
    rng = np.random.default_rng(seed)
    return {
        name: [
            (f"{day:%Y-%m-%d}", price, price) for day, price in zip(DAYS, rng.uniform(5, 90, len(DAYS)), strict=True)
        ]
        for name in ("A", "B")
    }


@settings(max_examples=10, deadline=None)
@given(period=st.integers(1, 30), start=st.integers(31, 50), seed=st.integers(0, 999))
def test_an_average_of_any_length_is_there_at_the_first_decision(tmp_path_factory, period, start, seed):
    bars = waves(seed)
    code = AVERAGE.format(period=period)
    spec = spec_of(tmp_path_factory.mktemp("mean"), code, start=DAYS[start].date(), end=DAYS[start + 3].date())
    run = run_backtest(spec, make_snapshot(bars))
    first = spec.universe.symbols[0]
    closes = [close for _, _, close in bars[first]]
    wanted = [np.mean(closes[at - period : at]) for at in range(start, start + 4)]
    np.testing.assert_allclose(run.engine.decided[first].to_numpy()[:4], wanted, rtol=1e-12)


@settings(max_examples=10, deadline=None)
@given(
    orders=st.lists(st.tuples(st.integers(0, 9), st.sampled_from("AB"), st.floats(1.0, 500.0)), max_size=8),
    seed=st.integers(0, 999),
)
def test_what_is_shown_is_what_it_holds_and_sends(tmp_path_factory, orders, seed):
    """By the orders themselves: units bought so far at the last close, and what was ordered on the last bar."""
    code = "import backtrader as bt\nclass Mine(bt.Strategy):\n    def next(self):\n"
    code += f"        for when, name, size in {orders!r}:\n            if len(self) == when + 1:\n"
    code += "                self.buy(self.getdatabyname(name), size=size)\n"
    folder = tmp_path_factory.mktemp("shown")
    spec = spec_of(folder, code, start=DAYS[1].date(), end=DAYS[9].date(), warmup_sessions=0)
    run = run_backtest(spec, make_snapshot(waves(seed)))
    told = _as_json(BacktestResult(run, None, None))["next_session"]
    assert told["targets"] is None
    sent = [(name, "buy", size) for when, name, size in orders if when == 9]
    assert sorted((each["symbol"], each["side"], each["size_wanted"]) for each in told["orders"]) == sorted(sent)
    # A buy promises the money that its size costs at the close before.
    prices = {
        name: {"open": [row[1] for row in rows], "close": [row[2] for row in rows]}
        for name, rows in waves(seed).items()
    }
    held = dict.fromkeys("AB", 0.0)
    cash = 1e6
    for day in range(9):
        promised = {name: sum(size for when, each, size in orders if (when, each) == (day, name)) for name in "AB"}
        for name, size in promised.items():
            money = size * prices[name]["close"][day]
            held[name] += money / prices[name]["open"][day + 1]
            cash -= money
    equity = cash + sum(units * prices[name]["close"][9] for name, units in held.items())
    wanted = {name: units * prices[name]["close"][9] / equity for name, units in held.items() if units}
    assert set(told["held"]) == set(wanted)
    for name, weight in wanted.items():
        assert abs(told["held"][name] - weight) < 1e-6
