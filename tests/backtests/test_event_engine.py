"""Fills on tiny hand-made feeds: decision, price, cash, in the order of the clock."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.engines.event_engine import EngineResult, run_event_engine
from backtests.execution.fill_rules import fill_rules
from backtests.spec.costs import AssetClassCosts, Costs
from data.prices.panel import build_panel
from hand_made import make_instrument, make_snapshot
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
    return run_event_engine(fill_rules(panel, snapshot.instruments, costs, rules), plan, rules, cash)


def test_six_bars_pin_decision_fill_and_price():
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


def test_first_fill_can_be_on_the_first_session():
    snapshot = make_snapshot({"X": [(day, 10.0, 10.0) for day in SIX]})
    result = run(snapshot, {SIX[1]: {"X": 1.0}}, [SIX[1]], start=SIX[1], end=SIX[5])
    assert result.orders["session"].tolist() == [pd.Timestamp(SIX[1])]


def test_gap_up_of_a_fifth_with_the_book_fully_invested():
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


def test_buys_are_cut_by_one_factor_when_the_sale_brings_less():
    """A opens 20% down: B and C, promised 600 and 400 of its money, get 480 and 320."""
    a = [(day, 8.0 if day >= SIX[3] else 10.0, 8.0 if day >= SIX[3] else 10.0) for day in SIX]
    snapshot = make_snapshot({"A": a, "B": [(d, 5.0, 5.0) for d in SIX], "C": [(d, 2.0, 2.0) for d in SIX]})
    targets = {SIX[1]: {"A": 1.0, "B": 0.0, "C": 0.0}, SIX[3]: {"A": 0.0, "B": 0.6, "C": 0.4}}
    result = run(snapshot, targets, [SIX[1], SIX[3]], start=SIX[1], end=SIX[3])
    cut = result.orders[result.orders["status"] == "reduced"].set_index("symbol")
    assert cut["size"].to_dict() == pytest.approx({"B": 480 / 5, "C": 320 / 2}, rel=1e-9)
    assert cut["size_wanted"].to_dict() == pytest.approx({"B": 600 / 5, "C": 400 / 2}, rel=1e-9)
    assert 0.0 <= result.equity["cash"].iloc[-1] < 1e-6


def test_stock_proceeds_reach_coins_one_session_later():
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


def test_coins_sold_pay_for_stocks_the_same_session():
    days = pd.date_range(SIX[0], SIX[5]).strftime("%Y-%m-%d")
    snapshot = make_snapshot(
        {"COIN": [(day, 100.0, 100.0) for day in days], "STOCK": [(day, 10.0, 10.0) for day in SIX]},
        {"COIN": make_instrument("crypto")},
    )
    targets = {SIX[1]: {"COIN": 1.0, "STOCK": 0.0}, SIX[3]: {"COIN": 0.0, "STOCK": 1.0}}
    result = run(snapshot, targets, [SIX[1], SIX[3]], start=SIX[1], end=SIX[5])
    assert result.orders["status"].tolist() == ["filled"] * 3
    assert result.orders["session"].iloc[-1] == pd.Timestamp(SIX[3])


def test_monday_decision_knows_the_coins_sunday_close():
    days = pd.date_range(SIX[0], SIX[5]).strftime("%Y-%m-%d")
    coin = [(day, 100.0, 200.0 if day == "2024-04-14" else 100.0) for day in days]
    snapshot = make_snapshot({"COIN": coin}, {"COIN": make_instrument("crypto")})
    panel = build_panel(snapshot, ("COIN",), pd.Timestamp(SIX[1]), pd.Timestamp(SIX[5]))
    assert panel.decision_prices().loc[SIX[5], "COIN"] == 200.0
    assert panel.decision_prices().loc[SIX[4], "COIN"] == 100.0


def test_bar_without_an_open_fills_nothing_and_keeps_its_value():
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


def test_feed_that_has_not_started_is_neither_bought_nor_valued():
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


def test_when_issued_rows_before_the_listing_date_are_not_traded():
    snapshot = make_snapshot({"SPUN": [(day, 36.0, 36.0) for day in SIX]}, {"SPUN": make_instrument(listed=SIX[3])})
    result = run(snapshot, {SIX[1]: {"SPUN": 1.0}}, SIX[1:], start=SIX[1], end=SIX[5])
    assert result.orders["session"].min() == pd.Timestamp(SIX[4])


def test_position_without_bars_is_valued_then_closed_out_with_the_haircut():
    sessions = pd.date_range("2024-04-08", "2024-04-26", freq="B").strftime("%Y-%m-%d").tolist()
    snapshot = make_snapshot(
        {"GONE": [(day, 10.0, 10.0) for day in sessions[:3]], "STAYS": [(day, 1.0, 1.0) for day in sessions]}
    )
    rules = OrderRulesConfig(band=0.0, minimum_order=0.0, stale_sessions=3, stale_haircut=0.25)
    targets = {sessions[1]: {"GONE": 0.4, "STAYS": 0.0}}
    result = run(snapshot, targets, [sessions[1]], start=sessions[1], end=sessions[-1], rules=rules)
    # The bars of sessions 3, 4 and 5 are missing: that is known when session 6 is decided.
    assert result.cash.iloc[1].tolist() == [
        pd.Timestamp(sessions[6]),
        "GONE",
        "close_out",
        pytest.approx(300.0),
        pytest.approx(-40.0),
    ]
    assert result.equity.loc[sessions[5], "equity"] == pytest.approx(1000.0)
    assert result.equity.loc[sessions[6], "equity"] == pytest.approx(900.0)
    assert result.positions.loc[sessions[6], "GONE"] == 0.0


def test_permuting_symbols_changes_no_fill():
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


def test_orders_for_the_session_to_come():
    snapshot = make_snapshot({"X": [(day, 10.0, 10.0) for day in SIX]})
    targets = {SIX[1]: {"X": 0.2}, "2024-04-16": {"X": 0.7}}
    result = run(snapshot, targets, [SIX[1], "2024-04-16"], start=SIX[1], end=SIX[5])
    (order,) = result.next_orders.to_dict("records")
    assert (order["symbol"], order["side"]) == ("X", "buy")
    assert order["money"] == pytest.approx(500.0)
    assert len(result.orders) == 1


def flat(days, price=10.0):
    return [(day, price, price) for day in days]


def test_a_halted_stock_is_neither_sold_nor_forgotten():
    """No bar on the 11th, when it is to be sold: unfilled, and sold on the 12th."""
    rows = [row for row in flat(SIX) if row[0] != SIX[3]]
    snapshot = make_snapshot({"HALTED": rows, "OTHER": flat(SIX, 5.0)})
    targets = {SIX[1]: {"HALTED": 1.0, "OTHER": 0.0}, SIX[3]: {"HALTED": 0.0, "OTHER": 1.0}}
    rules = OrderRulesConfig(band=0.0)
    result = run(snapshot, targets, [SIX[1], SIX[3]], start=SIX[1], end=SIX[5], rules=rules)
    log = result.orders[["session", "symbol", "side", "status", "reason"]].astype(str).values.tolist()
    assert log == [
        [SIX[1], "HALTED", "buy", "filled", ""],
        [SIX[3], "HALTED", "sell", "unfilled", "no open"],
        [SIX[3], "OTHER", "buy", "unfilled", "too little cash at this moment"],
        [SIX[4], "HALTED", "sell", "filled", ""],
        [SIX[4], "OTHER", "buy", "filled", ""],
    ]
    assert result.equity["equity"].tolist() == pytest.approx([1000.0] * 5)


def test_a_split_and_a_dividend_leave_no_trace_on_the_adjusted_basis():
    """Two for one on the 10th, one dollar on 50 on the 12th: raw closes fall, the value of the holding does not."""
    snapshot = make_snapshot({"X": flat(SIX)})
    raw_close = [100.0, 100.0, 50.0, 50.0, 49.0, 49.0]
    adjusted = [49.0] * 6  # 100 / 2 * (1 - 1/50)
    bars = snapshot.bars.assign(open=raw_close, high=raw_close, low=raw_close, close=raw_close, adj_close=adjusted)
    result = run(replace(snapshot, bars=bars), {SIX[1]: {"X": 1.0}}, [SIX[1]], start=SIX[1], end=SIX[5])
    assert result.equity["equity"].tolist() == pytest.approx([1000.0] * 5, rel=1e-9)
    assert result.orders["price"].tolist() == pytest.approx([49.0])


def test_a_weekend_of_a_coin_shows_as_the_gap():
    """It doubles on Sunday: Friday's equity does not know it, Monday's fill is at Monday's open."""
    days = pd.date_range(SIX[0], "2024-04-16").strftime("%Y-%m-%d")
    coin = [(day, 200.0 if day >= "2024-04-15" else 100.0, 200.0 if day >= "2024-04-14" else 100.0) for day in days]
    snapshot = make_snapshot({"COIN": coin}, {"COIN": make_instrument("crypto")})
    targets = {SIX[1]: {"COIN": 1.0}, SIX[5]: {"COIN": 0.5}}
    result = run(snapshot, targets, [SIX[1], SIX[5]], start=SIX[1], end=SIX[5])
    assert result.equity["equity"].tolist() == pytest.approx([1000.0] * 4 + [2000.0])
    sold = result.orders.iloc[-1]
    # Decided on Sunday's close of 200: half of 2,000 dollars is 5 of its 10 units.
    assert (sold["side"], sold["price"], sold["size"]) == ("sell", 200.0, pytest.approx(5.0))


def test_from_stocks_into_coins_and_back():
    sessions = pd.bdate_range("2024-04-08", "2024-04-19").strftime("%Y-%m-%d").tolist()
    days = pd.date_range("2024-04-08", "2024-04-19").strftime("%Y-%m-%d")
    snapshot = make_snapshot({"COIN": flat(days, 100.0), "STOCK": flat(sessions)}, {"COIN": make_instrument("crypto")})
    stock, coin = {"STOCK": 1.0, "COIN": 0.0}, {"STOCK": 0.0, "COIN": 1.0}
    targets = {sessions[1]: stock, sessions[3]: coin, sessions[6]: stock}
    rebalance = [sessions[1], sessions[3], sessions[6]]
    result = run(snapshot, targets, rebalance, start=sessions[1], end=sessions[-1], costs=Costs())
    filled = result.orders.query("status == 'filled'")[["session", "symbol", "side"]].astype(str).values.tolist()
    assert filled == [
        [sessions[1], "STOCK", "buy"],
        [sessions[3], "STOCK", "sell"],
        [sessions[4], "COIN", "buy"],
        [sessions[6], "COIN", "sell"],
        [sessions[6], "STOCK", "buy"],
    ]
    # Five trades of everything: three of stocks at 5 bp, two of coins at 25 bp; a buy pays its cost out of the money.
    kept = (1 / 1.0005) * (1 - 0.0005) * (1 / 1.0025) * (1 - 0.0025) * (1 / 1.0005)
    assert result.equity["equity"].iloc[-1] == pytest.approx(1000.0 * kept, rel=1e-9)


def test_an_instrument_too_dear_for_one_unit_is_told():
    snapshot = make_snapshot({"DEAR": flat(SIX, 5_000.0)}, {"DEAR": make_instrument(quantum=1.0)})
    result = run(snapshot, {SIX[1]: {"DEAR": 1.0}}, [SIX[1]], start=SIX[1], end=SIX[1])
    assert result.orders.empty
    assert result.unsent.to_dict() == {("DEAR", "less than the smallest unit"): 1}
    assert result.equity["cash"].tolist() == [1000.0]


def test_dust_below_the_minimum_is_not_ordered():
    snapshot = make_snapshot({"X": flat(SIX)})
    rules = OrderRulesConfig(band=0.0, minimum_order=0.01)
    targets = {SIX[1]: {"X": 0.5}, SIX[2]: {"X": 0.505}, SIX[3]: {"X": 0.52}}
    result = run(snapshot, targets, SIX[1:4], start=SIX[1], end=SIX[5], rules=rules)
    assert result.orders["session"].tolist() == [pd.Timestamp(SIX[1]), pd.Timestamp(SIX[3])]


@pytest.mark.parametrize(
    ("before", "session", "after"),
    [
        ("2024-07-02", "2024-07-03", "2024-07-05"),  # a half day, then a holiday
        ("2024-11-27", "2024-11-29", "2024-12-02"),  # a holiday, a half day, a weekend
        ("2024-03-08", "2024-03-11", "2024-03-12"),  # New York's clock goes forward on the 10th
        ("2024-11-01", "2024-11-04", "2024-11-05"),  # and back on the 3rd
    ],
)
def test_holidays_half_days_and_clock_changes(before, session, after):
    """A decision knows the stock's close of the session before and the coin's of the day before."""
    days = pd.date_range(before, after)
    coin = [(day.strftime("%Y-%m-%d"), 100.0 + place, 100.5 + place) for place, day in enumerate(days)]
    stock = [(before, 10.0, 11.0), (session, 20.0, 21.0), (after, 30.0, 31.0)]
    snapshot = make_snapshot({"COIN": coin, "STOCK": stock}, {"COIN": make_instrument("crypto")})
    panel = build_panel(snapshot, ("COIN", "STOCK"), pd.Timestamp(session), pd.Timestamp(after))
    assert panel.decides_for[:2].strftime("%Y-%m-%d").tolist() == [session, after]
    days_between = (pd.Timestamp(session) - pd.Timestamp(before)).days
    assert panel.decision_price[0].tolist() == [100.5 + days_between - 1, 11.0]
    result = run(snapshot, {session: {"COIN": 0.5, "STOCK": 0.5}}, [session], start=session, end=after)
    assert result.orders.set_index("symbol")["price"].to_dict() == {"COIN": 100.0 + days_between, "STOCK": 20.0}
