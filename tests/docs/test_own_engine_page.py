"""The examples that carry the signal into other engines, held against a ledger by hand and against our own run."""

import importlib.util
import re
import sys
import types
import warnings
from abc import ABC, abstractmethod
from pathlib import Path

import exchange_calendars
import numpy as np
import pandas as pd
import pytest

import reverse_qe

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples"
PAGE = (ROOT / "docs" / "own-engine.md").read_text()
FREE = {name: {"commission_bp": 0.0} for name in ("crypto", "us_stock", "us_etf")}
ORDERS = {"band": 0.0, "minimum_order": 0.0}
pytestmark = pytest.mark.slow


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sys.modules[name] = module  # Backtrader looks up the module of a class
        spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def reading(sample):
    return reverse_qe.signal(market=sample)


@pytest.fixture(scope="module")
def cerebro(sample):
    module = load("engine_cerebro")
    module.equity, module.trades = module.run(sample)
    return module


@pytest.fixture(scope="module")
def portfolio(sample):
    module = load("engine_vectorbt")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return module.run(sample)


@pytest.fixture(scope="module")
def ours(sample, cerebro):
    """The same rotation of the same two stocks, in our own engine, without costs."""
    shares = {
        regime: dict(zip(("speculative", "cash_flow", "reserve"), (*both, 0.0), strict=True))
        for regime, both in cerebro.SHARES.items()
    }
    spec = {
        "run": {"name": "own", "start": cerebro.FIRST, "end": cerebro.LAST, "initial_cash": cerebro.CASH},
        "universe": {"speculative": [cerebro.STOCKS[0]], "cash_flow": [cerebro.STOCKS[1]], "benchmark": "SIM-MARKET"},
        "policy": {"rebalance": "regime", "instrument_cap": 1.0, "budgets": shares},
        "order_rules": ORDERS,
        "costs": FREE,
    }
    return reverse_qe.backtest(spec, sample, count=False)


def by_hand(sample, reading, cerebro, sized):
    """A ledger of numbers: every change of regime that the run's decisions hold, filled at the opens of its session."""
    bars = sample.bars[sample.bars["symbol"].isin(cerebro.STOCKS)].pivot(index="date", columns="symbol")
    opens, closes = (bars[column][list(cerebro.STOCKS)] for column in ("open", "close"))
    regimes = reading.history.set_index("session")["regime"]
    cash, held, before, worths = cerebro.CASH, np.zeros(2), None, {}
    for day in opens.loc[cerebro.FIRST : cerebro.LAST].index:
        if regimes[day] != before:
            before, price = regimes[day], opens.loc[day].to_numpy()
            known = closes.loc[closes.index < day].iloc[-1].to_numpy()
            wanted = np.array(cerebro.SHARES[before]) * (cash + held @ (price if sized == "open" else known))
            if sized == "open":
                moved = wanted / price - held
            else:
                gap = wanted - held * known
                # Here a buy promises money; elsewhere it is a number of units.
                moved = np.where((gap > 0) & (sized == "money"), gap / price, gap / known)
            held, cash = held + moved, cash - moved @ price
        worths[day] = cash + held @ closes.loc[day].to_numpy()
    return pd.Series(worths)


def test_the_page_holds_the_examples_and_what_they_print(cerebro, portfolio):
    for name in ("cerebro", "bt", "vectorbt", "freqtrade", "too_early"):
        assert f"(examples/engine_{name}.py)" in PAGE
    for worth in (cerebro.equity.iloc[-1], portfolio.value().iloc[-1]):
        assert f"{worth:,.2f}" in PAGE
    for name in ("cerebro", "bt", "vectorbt", "freqtrade"):
        source = (EXAMPLES / f"engine_{name}.py").read_text()
        shown = re.findall(rf"```python\n# engine_{name}\.py\n(.*?)```", PAGE, re.S)
        assert shown
        assert all(part in source for part in shown), name


def test_cerebro_by_hand_and_beside_our_engine(sample, reading, cerebro, ours):
    hand = by_hand(sample, reading, cerebro, "close")
    np.testing.assert_allclose(cerebro.equity.reindex(hand.index), hand, rtol=1e-9)
    equity = ours.equity["equity"]
    np.testing.assert_allclose(equity, by_hand(sample, reading, cerebro, "money").reindex(equity.index), rtol=1e-8)
    moved = [(day, symbol, "buy" if size > 0 else "sell") for day, symbol, size in cerebro.trades]
    orders = ours.orders
    assert sorted(moved) == sorted(zip(orders["session"], orders["symbol"], orders["side"], strict=True))
    assert len(moved) == 30
    assert (cerebro.equity.reindex(equity.index) / equity - 1.0).abs().max() < 0.02


def test_the_lines_hold_what_was_decided_for_the_session_after(sample, reading, cerebro):
    bars = sample.bars[sample.bars["symbol"] == "SIM-SAAS-A"].set_index("date").loc["2019":"2020"]
    lines = cerebro.with_signal(bars, reading)
    decided = reading.history.set_index("session")
    after = bars.index[1:]
    assert (lines["score"].to_numpy()[:-1] == decided["score"].reindex(after).to_numpy()).all()
    assert (lines["regime"].to_numpy()[:-1] == decided["regime"].reindex(after).map(cerebro.NUMBERS).to_numpy()).all()
    assert lines["regime"].nunique() == 3
    # Of the last bar nobody knows yet when the next one opens: a day later at the latest.
    assert lines["score"].iloc[-1] == decided["score"][bars.index[-1]]


def test_the_lines_reach_a_strategy(sample, reading, cerebro):
    import backtrader

    seen = []

    class Look(backtrader.Strategy):
        def next(self):
            seen.append((self.data.regime[0], self.data.score[0]))

    bars = sample.bars[sample.bars["symbol"] == "SIM-SAAS-A"].set_index("date").loc["2019-06":"2019-07"]
    given = cerebro.with_signal(bars[["open", "high", "low", "close", "volume"]], reading)
    engine = backtrader.Cerebro(stdstats=False)
    engine.adddata(cerebro.Feed(dataname=given))
    engine.addstrategy(Look)
    engine.run()
    assert seen == list(zip(given["regime"], given["score"], strict=True))
    assert not np.isnan(seen).any()


def test_bt_and_vectorbt_by_hand_and_beside_our_engine(sample, reading, cerebro, portfolio, ours):
    module = load("engine_bt")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        test = module.run(sample)
        moved = test.strategy.get_transactions()
    hand, equity = by_hand(sample, reading, cerebro, "open"), ours.equity["equity"]
    np.testing.assert_allclose(portfolio.value(), hand, rtol=1e-9)
    # bt has opens alone: on a session that is traded nothing but the prices lies between the two.
    held = test.positions[list(cerebro.STOCKS)].loc[hand.index]
    np.testing.assert_allclose(held, portfolio.assets()[list(cerebro.STOCKS)], rtol=1e-9, atol=1e-9)
    days = set(ours.orders["session"])
    assert set(portfolio.orders.records_readable["Timestamp"]) == set(moved.index.get_level_values(0)) == days
    assert f"{test.strategy.values.iloc[-1]:,.2f}" in PAGE
    assert len(portfolio.orders.records) == len(moved) == 30
    assert (hand.reindex(equity.index) / equity - 1.0).abs().max() < 0.02


class IStrategy(ABC):
    """What a strategy of freqtrade's interface 3 is derived from, as far as a back-test of freqtrade uses it."""

    @abstractmethod
    def populate_indicators(self, dataframe, metadata):
        """Return the candles with columns added."""

    @abstractmethod
    def populate_entry_trend(self, dataframe, metadata):
        """Return them with ``enter_long``."""

    @abstractmethod
    def populate_exit_trend(self, dataframe, metadata):
        """Return them with ``exit_long``."""


def freqtrade_trades(strategy, candles):
    """Days and prices of entry and exit: as in freqtrade a signal of one candle is acted on at the open of the next."""
    frame = candles.copy()
    for step in (strategy.populate_indicators, strategy.populate_entry_trend, strategy.populate_exit_trend):
        frame = step(frame, {"pair": "COIN/USD"})
        # freqtrade refuses a frame whose candles have changed.
        pd.testing.assert_frame_equal(frame[list(candles.columns)], candles)
        assert frame.index.equals(candles.index)
    signals = frame[["enter_long", "exit_long"]].fillna(0).shift(1)
    trades, opened = [], False
    for row, enter, leave in zip(candles.itertuples(), signals["enter_long"], signals["exit_long"], strict=True):
        if (leave if opened else enter) == 1:
            opened = not opened
            trades.append(("buy" if opened else "sell", row.date.tz_localize(None).normalize(), row.open))
    return trades, frame


@pytest.fixture
def strategy(monkeypatch):
    module = types.ModuleType("freqtrade.strategy")
    module.IStrategy, module.timeframe_to_minutes = IStrategy, {"1h": 60, "1d": 1440}.__getitem__
    monkeypatch.setitem(sys.modules, "freqtrade", types.ModuleType("freqtrade"))
    monkeypatch.setitem(sys.modules, "freqtrade.strategy", module)
    return load("engine_freqtrade").OutWhileScarce()


@pytest.fixture(scope="module")
def candles(sample):
    """A coin's candles as freqtrade has them: `date` is a column, when each begins (UTC)."""
    bars = sample.bars[sample.bars["symbol"] == "SIM-COIN-A"].set_index("date").loc["2019-01-01":"2023-12-29"]
    frame = bars[["open", "high", "low", "close", "volume"]].reset_index()
    return frame.assign(date=frame["date"].dt.tz_localize("UTC").astype("datetime64[ns, UTC]"))


def test_freqtrade_trades_when_our_engine_does(sample, strategy, candles):
    trades, frame = freqtrade_trades(strategy, candles)
    one = {"speculative": 1.0, "cash_flow": 0.0, "reserve": 0.0}
    spec = {
        "run": {"name": "coin", "start": "2019-01-02", "end": "2023-12-29", "initial_cash": 1000.0},
        "universe": {"speculative": ["SIM-COIN-A"], "benchmark": "SIM-MARKET"},
        "policy": {
            "rebalance": "regime",
            "instrument_cap": 1.0,
            "budgets": {"ABUNDANT": one, "NEUTRAL": one, "SCARCE": one | {"speculative": 0.0}},
        },
        "order_rules": ORDERS,
        "costs": FREE,
    }
    run = reverse_qe.backtest(spec, sample, count=False)
    orders = run.orders.query("size > 0")
    found = list(zip(orders["side"], orders["session"], orders["price"], strict=True))
    assert [each[:2] for each in trades] == [each[:2] for each in found]
    assert [each[2] for each in trades] == pytest.approx([each[2] for each in found], rel=1e-12)
    assert len(trades) > 8
    assert frame["score"].notna().all()


def test_freqtrade_on_hours_knows_a_decision_with_the_candle_that_ends_as_it_is_taken(strategy, reading):
    strategy.timeframe = "1h"
    begins = pd.date_range("2023-05-05", "2023-05-09", freq="1h", tz="UTC").as_unit("ns")
    frame = pd.DataFrame({"date": begins, "open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0, "volume": 0.0})
    found = strategy.populate_indicators(frame, {})["score"].to_numpy()
    changes = begins[1:][found[1:] != found[:-1]]
    # Friday's candle from 23:00 says nothing new; Sunday's does: Monday is decided as it ends.
    assert list(changes) == list(pd.DatetimeIndex(["2023-05-07 23:00", "2023-05-08 23:00"], tz="UTC"))
    assert found[-1] == reading.history.set_index("session")["score"]["2023-05-09"]


def test_what_is_joined_by_date_is_traded_before_it_was_decided(reading):
    module = load("engine_too_early")
    for name, worth in module.results().items():
        assert re.search(rf"{re.escape(name)} +{worth:,.2f}", PAGE), name
    early, late = module.results().values()
    assert early > 100 * late
    # By hand: all that it gains is between the closes that it buys and sells at and the opens that it was told of.
    bars = reverse_qe.open_market("sample").bars.query("symbol == @module.STOCK").set_index("date")
    bars = bars.loc[module.FIRST : module.LAST]
    rises = bars["open"].shift(-1) > bars["close"]
    # The decision for a Monday has Sunday's date in New York, and meets no bar.
    fridays = bars.index.to_series().diff().shift(-1) > pd.Timedelta("1D")
    gains = (bars["close"].shift(-1) / bars["close"])[rises & ~fridays].iloc[: len(bars)]
    assert early == pytest.approx(1e5 * gains.dropna().prod(), rel=1e-9)
    # No fill at a close stands after the decision that has its date in New York; each is hours before.
    closes = exchange_calendars.get_calendar("XNYS", start="2013-01-02").schedule["close"]
    moved = reading.history.index
    days = moved.tz_convert("America/New_York").normalize().tz_localize(None)
    met = days.isin(closes.index) & (days >= "2014-01-02")
    assert met.sum() > 2000
    assert (pd.DatetimeIndex(closes.reindex(days[met])) < moved[met]).all()


def test_a_market_that_opens_before_the_decision_is_told_the_one_before(reading):
    """Sydney opens at 23:00 UTC of the day before, in summer there: its session's own decision comes an hour later."""
    opens = exchange_calendars.get_calendar("XASX", start="2019-01-02").schedule["open"].loc["2020":"2023"]
    known = reading.at(opens)
    assert (known["decided_at"] <= known.index).all()
    own = pd.DatetimeIndex(opens.index).tz_localize("UTC")
    assert (own > opens).sum() > 400
    assert (known["session"].to_numpy()[own > opens] < opens.index[own > opens].to_numpy()).all()


def test_the_past_stays_as_it_was_when_a_market_grows(sample, reading):
    """What an earlier reading says of its moments, the later one says too: the future is not in them."""
    earlier = reverse_qe.signal(market=sample, day="2022-06-01")
    moments = pd.date_range("2020-01-01 07:30", "2022-06-01 07:30", freq="17h", tz="UTC")
    pd.testing.assert_frame_equal(earlier.at(moments), reading.at(moments), check_exact=True)
