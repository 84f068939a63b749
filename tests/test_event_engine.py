"""Fills on tiny hand-made feeds: decision, price, cash, in the order of the clock."""

import numpy as np
import pandas as pd
import pytest

from backtests.costs import AssetClassCosts, Costs
from backtests.event_engine import EngineResult, run_event_engine
from data.panel import build_panel
from strategies.order_rules import OrderRulesConfig
from strategies.policy import Plan

FREE = Costs(
    crypto=AssetClassCosts(commission_bp=0),
    us_stock=AssetClassCosts(commission_bp=0),
    us_etf=AssetClassCosts(commission_bp=0),
)
# Monday to Monday, no holiday: six sessions.
SIX = ("2024-04-08", "2024-04-09", "2024-04-10", "2024-04-11", "2024-04-12", "2024-04-15")


def run(snapshot, targets, rebalance, start, end, costs=FREE, rules=None, cash=1000.0) -> EngineResult:
    """Run hand-made targets, {session decided for: {symbol: weight}} carried forward, rebalancing on `rebalance`."""
    symbols = tuple(sorted({symbol for weights in targets.values() for symbol in weights}))
    panel = build_panel(snapshot, symbols, pd.Timestamp(start), pd.Timestamp(end))
    frame = pd.DataFrame(np.nan, index=panel.decides_for, columns=list(symbols))
    for session, weights in targets.items():
        frame.loc[pd.Timestamp(session)] = [weights.get(symbol, 0.0) for symbol in symbols]
    plan = Plan(
        frame.ffill().fillna(0.0), pd.Series(panel.decides_for.isin(pd.to_datetime(list(rebalance))), panel.decides_for)
    )
    rules = rules or OrderRulesConfig(band=0.0, minimum_order=0.0)
    return run_event_engine(panel, plan, snapshot.instruments, costs, rules, cash)


def test_six_bars_pin_decision_fill_and_price(make_snapshot):
    closes = (10.0, 11.0, 12.0, 13.0, 14.0, 15.0)
    opens = (10.5, 11.5, 12.5, 13.5, 14.5, 15.5)
    snapshot = make_snapshot({"X": list(zip(SIX, opens, closes, strict=True))})
    result = run(snapshot, {SIX[2]: {"X": 0.5}}, [SIX[2]], start=SIX[1], end=SIX[5])
    (order,) = result.orders.to_dict("records")
    # Decided after the close of the 9th (11.00), filled at the open of the 10th (12.50): 500 dollars, 40 units.
    assert order["decided_session"] == pd.Timestamp(SIX[1])
    assert order["session"] == pd.Timestamp(SIX[2])
    assert order["price"] == 12.5
    assert order["size"] == pytest.approx(40.0, rel=1e-12)
    assert order["status"] == "filled"
    assert result.equity.loc[SIX[1], "equity"] == 1000.0
    assert result.equity.loc[SIX[2], "equity"] == pytest.approx(500.0 + 40 * 12.0, rel=1e-12)
    assert result.equity.loc[SIX[5], "equity"] == pytest.approx(500.0 + 40 * 15.0, rel=1e-12)


def test_first_fill_can_be_on_the_first_session(make_snapshot):
    snapshot = make_snapshot({"X": [(day, 10.0, 10.0) for day in SIX]})
    result = run(snapshot, {SIX[1]: {"X": 1.0}}, [SIX[1]], start=SIX[1], end=SIX[5])
    assert result.orders["session"].tolist() == [pd.Timestamp(SIX[1])]


def test_gap_up_of_a_fifth_with_the_book_fully_invested(make_snapshot):
    """A is sold for B, which opens 20% up: no rejection, no debt, the money promised is what B gets."""
    a = [(day, 10.0, 10.0) for day in SIX]
    b = [(day, 12.0 if day >= SIX[3] else 10.0, 12.0 if day >= SIX[3] else 10.0) for day in SIX]
    snapshot = make_snapshot({"A": a, "B": b})
    targets = {SIX[1]: {"A": 1.0, "B": 0.0}, SIX[3]: {"A": 0.0, "B": 1.0}}
    result = run(snapshot, targets, [SIX[1], SIX[3]], start=SIX[1], end=SIX[5])
    assert (result.orders["status"] == "filled").all()
    bought = result.orders[result.orders["symbol"] == "B"].iloc[0]
    assert bought["size"] == pytest.approx(1000.0 / 12.0, rel=1e-9)
    assert result.equity["cash"].min() >= 0.0
    assert result.equity["equity"].iloc[-1] == pytest.approx(1000.0, rel=1e-9)


def test_buys_are_cut_by_one_factor_when_the_sale_brings_less(make_snapshot):
    """A opens 20% down: B and C, promised 600 and 400 of its money, get 480 and 320."""
    a = [(day, 8.0 if day >= SIX[3] else 10.0, 8.0 if day >= SIX[3] else 10.0) for day in SIX]
    snapshot = make_snapshot({"A": a, "B": [(d, 5.0, 5.0) for d in SIX], "C": [(d, 2.0, 2.0) for d in SIX]})
    targets = {SIX[1]: {"A": 1.0, "B": 0.0, "C": 0.0}, SIX[3]: {"A": 0.0, "B": 0.6, "C": 0.4}}
    result = run(snapshot, targets, [SIX[1], SIX[3]], start=SIX[1], end=SIX[3])
    cut = result.orders[result.orders["status"] == "reduced"].set_index("symbol")
    assert cut["size"].to_dict() == pytest.approx({"B": 480 / 5, "C": 320 / 2}, rel=1e-9)
    assert cut["size_wanted"].to_dict() == pytest.approx({"B": 600 / 5, "C": 400 / 2}, rel=1e-9)
    assert 0.0 <= result.equity["cash"].iloc[-1] < 1e-6


def test_stock_proceeds_reach_coins_one_session_later(make_snapshot, make_instrument):
    days = pd.date_range(SIX[0], SIX[5]).strftime("%Y-%m-%d")
    coin = [(day, 100.0 + place, 101.0 + place) for place, day in enumerate(days)]
    snapshot = make_snapshot(
        {"COIN": coin, "STOCK": [(day, 10.0, 10.0) for day in SIX]},
        {"COIN": make_instrument("crypto")},
    )
    targets = {SIX[1]: {"STOCK": 1.0, "COIN": 0.0}, SIX[3]: {"STOCK": 0.0, "COIN": 1.0}}
    result = run(snapshot, targets, [SIX[1], SIX[3]], start=SIX[1], end=SIX[5])
    log = result.orders[["session", "symbol", "side", "status", "reason"]].astype(str).values.tolist()
    assert log == [
        [SIX[1], "STOCK", "buy", "filled", ""],
        [SIX[3], "COIN", "buy", "unfilled", "too little cash at this moment"],
        [SIX[3], "STOCK", "sell", "filled", ""],
        [SIX[4], "COIN", "buy", "filled", ""],
    ]
    # The fill on Friday the 12th is at the UTC open of that day, 100 + 4.
    assert result.orders["price"].iloc[-1] == 104.0


def test_coins_sold_pay_for_stocks_the_same_session(make_snapshot, make_instrument):
    days = pd.date_range(SIX[0], SIX[5]).strftime("%Y-%m-%d")
    snapshot = make_snapshot(
        {"COIN": [(day, 100.0, 100.0) for day in days], "STOCK": [(day, 10.0, 10.0) for day in SIX]},
        {"COIN": make_instrument("crypto")},
    )
    targets = {SIX[1]: {"COIN": 1.0, "STOCK": 0.0}, SIX[3]: {"COIN": 0.0, "STOCK": 1.0}}
    result = run(snapshot, targets, [SIX[1], SIX[3]], start=SIX[1], end=SIX[5])
    assert result.orders["status"].tolist() == ["filled"] * 3
    assert result.orders["session"].iloc[-1] == pd.Timestamp(SIX[3])


def test_monday_decision_knows_the_coins_sunday_close(make_snapshot, make_instrument):
    days = pd.date_range(SIX[0], SIX[5]).strftime("%Y-%m-%d")
    coin = [(day, 100.0, 200.0 if day == "2024-04-14" else 100.0) for day in days]
    snapshot = make_snapshot({"COIN": coin}, {"COIN": make_instrument("crypto")})
    panel = build_panel(snapshot, ("COIN",), pd.Timestamp(SIX[1]), pd.Timestamp(SIX[5]))
    assert panel.decision_prices().loc[SIX[5], "COIN"] == 200.0
    assert panel.decision_prices().loc[SIX[4], "COIN"] == 100.0


def test_bar_without_an_open_fills_nothing_and_keeps_its_value(make_snapshot, make_instrument):
    """A blank open of a coin, as BTC-USD has one on 2026-03-27."""
    days = pd.date_range("2023-06-01", "2024-04-15").strftime("%Y-%m-%d")
    coin = [(day, None if day == SIX[2] else 100.0, 110.0 if day == SIX[2] else 100.0) for day in days]
    snapshot = make_snapshot({"COIN": coin}, {"COIN": make_instrument("crypto")})
    targets = {SIX[1]: {"COIN": 0.5}, SIX[2]: {"COIN": 1.0}}
    result = run(snapshot, targets, [SIX[1], SIX[2]], start="2023-06-05", end=SIX[5])
    assert result.orders["status"].tolist() == ["filled", "unfilled", "filled"]
    assert result.orders["reason"].tolist() == ["", "no open", ""]
    assert result.orders["session"].iloc[-1] == pd.Timestamp(SIX[3])
    assert result.equity.loc[SIX[2], "equity"] == pytest.approx(500.0 + 5.0 * 110.0, rel=1e-9)
    assert result.equity["equity"].notna().all()


def test_feed_that_has_not_started_is_neither_bought_nor_valued(make_snapshot):
    """Anchor fact: a feed before its first bar would show the last close of the whole file."""
    late = [(day, 50.0, 90.0 if day == SIX[5] else 50.0) for day in SIX[3:]]
    snapshot = make_snapshot({"EARLY": [(day, 10.0, 10.0) for day in SIX], "LATE": late})
    targets = {SIX[1]: {"EARLY": 0.5, "LATE": 0.5}}
    result = run(snapshot, targets, SIX[1:], start=SIX[1], end=SIX[5])
    first = result.orders[result.orders["symbol"] == "LATE"].iloc[0]
    # Its first close, on the 11th, is known to the decision for the 12th.
    assert first["session"] == pd.Timestamp(SIX[4])
    assert first["size"] == pytest.approx(10.0, rel=1e-9)
    assert result.equity.loc[SIX[1] : SIX[3], "equity"].tolist() == [1000.0] * 3


def test_when_issued_rows_before_the_listing_date_are_not_traded(make_snapshot, make_instrument):
    snapshot = make_snapshot({"SPUN": [(day, 36.0, 36.0) for day in SIX]}, {"SPUN": make_instrument(listed=SIX[3])})
    result = run(snapshot, {SIX[1]: {"SPUN": 1.0}}, SIX[1:], start=SIX[1], end=SIX[5])
    assert result.orders["session"].min() == pd.Timestamp(SIX[4])


def test_position_without_bars_is_valued_then_closed_out_with_the_haircut(make_snapshot):
    sessions = pd.date_range("2024-04-08", "2024-04-26", freq="B").strftime("%Y-%m-%d").tolist()
    snapshot = make_snapshot(
        {"GONE": [(day, 10.0, 10.0) for day in sessions[:3]], "STAYS": [(day, 1.0, 1.0) for day in sessions]}
    )
    rules = OrderRulesConfig(band=0.0, minimum_order=0.0, stale_sessions=3, stale_haircut=0.25)
    targets = {sessions[1]: {"GONE": 0.4, "STAYS": 0.0}}
    result = run(snapshot, targets, [sessions[1]], start=sessions[1], end=sessions[-1], rules=rules)
    # The bars of sessions 3, 4 and 5 are missing: that is known when session 6 is decided.
    assert result.cash.iloc[1].tolist() == [pd.Timestamp(sessions[6]), "GONE", "close_out", pytest.approx(300.0)]
    assert result.equity.loc[sessions[5], "equity"] == pytest.approx(1000.0)
    assert result.equity.loc[sessions[6], "equity"] == pytest.approx(900.0)
    assert result.positions.loc[sessions[6], "GONE"] == 0.0


def test_permuting_symbols_changes_no_fill(make_snapshot):
    rng = np.random.default_rng(7)
    days = pd.date_range("2024-01-02", "2024-04-15", freq="B")
    days = [day.strftime("%Y-%m-%d") for day in days if day.strftime("%m-%d") not in ("01-15", "02-19", "03-29")]
    paths = {name: 20 * np.exp(np.cumsum(rng.normal(0, 0.03, len(days)))) for name in "ABCDE"}
    bars = {name: [(d, p * 1.01, p) for d, p in zip(days, path, strict=True)] for name, path in paths.items()}
    weights = {days[1]: dict(zip("ABCDE", (0.2, 0.3, 0.1, 0.2, 0.2), strict=True)), days[40]: {"A": 0.9, "E": 0.1}}
    weights[days[40]] |= dict.fromkeys("BCD", 0.0)
    fills = []
    for renamed in ("ABCDE", "EDCBA"):
        names = dict(zip("ABCDE", renamed, strict=True))
        snapshot = make_snapshot({names[key]: rows for key, rows in bars.items()})
        targets = {day: {names[key]: weight for key, weight in row.items()} for day, row in weights.items()}
        result = run(snapshot, targets, days[1::5], start=days[1], end=days[-1], costs=Costs())
        back = {new: old for old, new in names.items()}
        orders = result.orders.assign(symbol=result.orders["symbol"].map(back))
        fills.append(orders.drop(columns="order_id").sort_values(["session", "side", "symbol"], ignore_index=True))
    pd.testing.assert_frame_equal(fills[0], fills[1], rtol=1e-12)


def test_orders_for_the_session_to_come(make_snapshot):
    snapshot = make_snapshot({"X": [(day, 10.0, 10.0) for day in SIX]})
    targets = {SIX[1]: {"X": 0.2}, "2024-04-16": {"X": 0.7}}
    result = run(snapshot, targets, [SIX[1], "2024-04-16"], start=SIX[1], end=SIX[5])
    (order,) = result.next_orders.to_dict("records")
    assert (order["symbol"], order["side"]) == ("X", "buy")
    assert order["money"] == pytest.approx(500.0)
    assert len(result.orders) == 1
