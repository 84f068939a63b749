"""Delistings, splits and dividends on hand-made feeds, on the adjusted and on the raw basis; both engines."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.engines.event_engine import EngineResult, run_event_engine
from backtests.engines.ledger import run_ledger
from backtests.engines.vector_engine import run_vector_engine
from backtests.execution.fill_rules import fill_rules
from backtests.spec.costs import Costs
from data.errors import InputError
from data.market.tables import ACTIONS
from data.prices.panel import build_panel
from engines import assert_same_books
from hand_made import make_snapshot
from strategies.order_rules import OrderRulesConfig
from strategies.policy import Plan

FREE = Costs.model_validate({name: {"commission_bp": 0.0} for name in ("crypto", "us_stock", "us_etf")})
SESSIONS = pd.bdate_range("2024-04-08", "2024-04-26").strftime("%Y-%m-%d").tolist()


def acted(snapshot, *actions):
    """The snapshot with actions: (symbol, date, kind, value, known_at)."""
    rows = [dict(zip(ACTIONS.columns, (*action, "made for a test"), strict=True)) for action in actions]
    frame = pd.DataFrame(rows)
    for column, utc in (("date", False), ("known_at", True)):
        frame[column] = pd.to_datetime(frame[column], utc=utc)
    return replace(snapshot, actions=frame)


def flat(symbol, price, days=SESSIONS):
    return {symbol: [(day, price, price) for day in days]}


def run(
    snapshot, targets, basis="adjusted", costs=FREE, cash=1000.0, interest=None, adjusted=None, **rules
) -> EngineResult:
    """Both engines over all sessions but the first, targets {session decided for: {symbol: weight}}; they agree."""
    symbols = tuple(sorted({symbol for weights in targets.values() for symbol in weights}))
    panel = build_panel(snapshot, symbols, pd.Timestamp(SESSIONS[1]), pd.Timestamp(SESSIONS[-1]), basis)
    frame = pd.DataFrame(np.nan, index=panel.decides_for, columns=list(symbols))
    for session, weights in targets.items():
        frame.loc[pd.Timestamp(session)] = [weights.get(symbol, 0.0) for symbol in symbols]
    frame = frame.ffill().fillna(0.0).where(panel.tradable(10), 0.0)
    plan = Plan(frame, pd.Series(panel.decides_for.isin(pd.to_datetime(list(targets))), panel.decides_for))
    config = OrderRulesConfig(band=0.0, minimum_order=0.0, **rules)
    fills = fill_rules(panel, snapshot.instruments, costs, config, interest)
    event, ledger = run_event_engine(fills, plan, config, cash), run_ledger(fills, plan, config, cash)
    np.testing.assert_allclose(ledger.equity, event.equity["equity"], rtol=1e-12)
    np.testing.assert_allclose(ledger.cash, event.equity["cash"], rtol=1e-12, atol=1e-9)
    assert_same_books(run_vector_engine(fills, plan, config, cash), event)
    return event


def booked(result):
    """What was booked besides orders and the first deposit."""
    rows = result.cash.iloc[1:]
    return [
        (str(row.session.date()), row.symbol, row.kind, pytest.approx(row.amount), pytest.approx(row.units))
        for row in rows.itertuples()
    ]


def test_a_delisting_that_is_known_is_sold_while_it_still_trades():
    """Announced on the evening of the 10th for the 16th: sold at the open of the 11th, never paid out."""
    snapshot = acted(
        make_snapshot(flat("LEAVES", 10.0, SESSIONS[:7])),
        ("LEAVES", "2024-04-16", "delisting", 12.0, "2024-04-10 21:30"),
    )
    result = run(snapshot, {SESSIONS[1]: {"LEAVES": 1.0}, "2024-04-11": {"LEAVES": 1.0}})
    sale = result.orders.iloc[-1]
    assert (sale["side"], sale["session"], sale["price"]) == ("sell", pd.Timestamp("2024-04-11"), 10.0)
    assert result.equity["equity"].iloc[-1] == pytest.approx(1000.0)
    assert booked(result) == []


def test_a_delisting_for_cash_pays_what_it_says():
    """100 units at 10.00, taken over for 12.00 after the 16th: 1,200 dollars on the 17th, though never planned anew."""
    snapshot = acted(
        make_snapshot(flat("LEAVES", 10.0, SESSIONS[:7])),
        ("LEAVES", "2024-04-16", "delisting", 12.0, "2024-04-10 21:30"),
    )
    result = run(snapshot, {SESSIONS[1]: {"LEAVES": 1.0}})
    assert booked(result) == [("2024-04-17", "LEAVES", "delisting", 1200.0, -100.0)]
    assert result.equity.loc["2024-04-16", "equity"] == pytest.approx(1000.0)
    assert result.equity.loc["2024-04-17"].tolist() == pytest.approx([1200.0, 1200.0])


def test_a_delisting_without_a_known_payout_loses_the_haircut_when_it_is_known():
    """Trading ends on the 16th; that it stays so is known on the evening of the 18th: closed out on the 19th."""
    snapshot = acted(
        make_snapshot(flat("LEAVES", 10.0, SESSIONS[:7])),
        ("LEAVES", "2024-04-16", "delisting", np.nan, "2024-04-18 21:30"),
    )
    result = run(snapshot, {SESSIONS[1]: {"LEAVES": 1.0}}, stale_haircut=0.3)
    assert booked(result) == [("2024-04-19", "LEAVES", "delisting", 700.0, -100.0)]
    assert result.equity.loc["2024-04-18", "equity"] == pytest.approx(1000.0)


def test_bars_after_the_last_day_of_trading_are_not_traded():
    snapshot = acted(
        make_snapshot(flat("LEAVES", 10.0)), ("LEAVES", "2024-04-16", "delisting", np.nan, "2024-04-10 21:30")
    )
    panel = build_panel(snapshot, ("LEAVES",), pd.Timestamp(SESSIONS[1]), pd.Timestamp(SESSIONS[-1]))
    traded = pd.Series(~np.isnan(panel.open[:, 0]), panel.sessions)
    assert traded[:"2024-04-16"].all()
    assert not traded["2024-04-17":].any()


def test_the_end_of_a_file_is_no_delisting():
    """Valued at its last close, flagged and not traded: an order to sell it stays unfilled."""
    snapshot = make_snapshot(flat("ENDS", 10.0, SESSIONS[:7]) | flat("STAYS", 5.0))
    result = run(snapshot, {SESSIONS[1]: {"ENDS": 0.5, "STAYS": 0.5}, SESSIONS[8]: {"ENDS": 0.0, "STAYS": 1.0}})
    sale = result.orders[(result.orders["side"] == "sell")].iloc[0]
    assert (sale["status"], sale["reason"]) == ("unfilled", "no open")
    assert result.positions["ENDS"].iloc[-1] == pytest.approx(50.0)
    assert result.equity["equity"].iloc[-1] == pytest.approx(1000.0)


def quoted(basis):
    """A stock with a dividend of 0.50 on the 12th and a split of 2 for 1 on the 17th, as quoted; adjusted beside it."""
    raw = [10.0, 10.0, 10.0, 10.0, 9.5, 9.5, 9.5, 4.75, 4.75, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0]
    snapshot = make_snapshot({"X": [(day, price, price) for day, price in zip(SESSIONS, raw, strict=True)]})
    factor = np.where(pd.to_datetime(SESSIONS) < "2024-04-17", 0.5, 1.0)
    factor = np.where(pd.to_datetime(SESSIONS) < "2024-04-12", factor * (1 - 0.5 / 10.0), factor)
    bars = snapshot.bars.assign(adj_close=snapshot.bars["close"] * factor)
    return acted(
        replace(snapshot, bars=bars),
        ("X", "2024-04-12", "dividend", 0.5, "2024-04-12"),
        ("X", "2024-04-17", "split", 2.0, "2024-04-17"),
    )


def test_raw_prices_pay_dividends_in_cash_and_split_units():
    """50 units at 10.00; the dividend brings 25 dollars on the 12th, the split makes 100 units on the 17th."""
    result = run(quoted("raw"), {SESSIONS[1]: {"X": 0.5}}, basis="raw")
    assert booked(result) == [
        ("2024-04-12", "X", "dividend", 25.0, 0.0),
        ("2024-04-17", "X", "split", 0.0, 50.0),
    ]
    assert result.equity.loc["2024-04-12"].tolist() == pytest.approx([1000.0, 525.0])
    assert result.equity.loc["2024-04-17"].tolist() == pytest.approx([1000.0, 525.0])
    assert result.positions["X"].iloc[-1] == pytest.approx(100.0)
    assert result.equity["equity"].iloc[-1] == pytest.approx(525.0 + 100 * 5.0)


def test_adjusted_prices_hold_the_same_return_without_an_entry():
    """The dividend buys more of the stock at its ex-price: 500 dollars of X become 500 * 5 / (10 * 0.475)."""
    result = run(quoted("adjusted"), {SESSIONS[1]: {"X": 0.5}})
    assert booked(result) == []
    assert result.equity["equity"].iloc[-1] == pytest.approx(500.0 + 500.0 * 5.0 / 4.75)


def test_a_sale_decided_before_a_split_sells_the_units_after_it():
    """Decided on the 16th for the 17th, the day of the split: half of 100 old units is 100 new ones at 4.75."""
    result = run(quoted("raw"), {SESSIONS[1]: {"X": 1.0}, "2024-04-17": {"X": 0.5}}, basis="raw")
    sale = result.orders.iloc[-1]
    assert sale["price"] == 4.75
    # Equity is 950 and the dividend of 50; half of 1,000 is to stay: 450 dollars are sold at 9.50, in new units.
    assert sale["size"] == pytest.approx(450.0 / 9.5 * 2)
    assert result.equity.loc["2024-04-17", "equity"] == pytest.approx(1000.0)


def test_a_dividend_belongs_to_who_held_the_day_before():
    """Sold at the open of the ex-day: the dividend comes all the same; bought then: it does not."""
    snapshot = quoted("raw")
    seller = run(snapshot, {SESSIONS[1]: {"X": 1.0}, "2024-04-12": {"X": 0.0}}, basis="raw")
    assert booked(seller) == [("2024-04-12", "X", "dividend", 50.0, 0.0)]
    buyer = run(snapshot, {"2024-04-12": {"X": 1.0}}, basis="raw")
    assert [row[2] for row in booked(buyer)] == ["split"]


def test_a_dividend_cannot_be_spent_on_its_own_session():
    """Fully invested, the dividend of 50 on the 12th buys only on the session after."""
    targets = {SESSIONS[1]: {"X": 1.0}, "2024-04-12": {"X": 1.0}, "2024-04-15": {"X": 1.0}}
    result = run(quoted("raw"), targets, basis="raw")
    # What rounding leaves of the first money buys a millionth of a unit now and then.
    buys = result.orders[(result.orders["side"] == "buy") & (result.orders["size"] > 1e-3)]
    assert buys["session"].dt.strftime("%Y-%m-%d").tolist() == [SESSIONS[1], "2024-04-15"]
    assert (buys["size"] * buys["price"]).iloc[-1] == pytest.approx(50.0)


def test_whole_units_are_paid_for_the_part_that_a_split_leaves_over():
    """33 units at 3:2 are 49 and a half; the half is paid at the last close over the ratio, 10 / 1.5."""
    raw = [
        (day, 10.0 if place < 7 else 10 / 1.5, 10.0 if place < 7 else 10 / 1.5) for place, day in enumerate(SESSIONS)
    ]
    snapshot = make_snapshot({"X": raw})
    bars = snapshot.bars.assign(adj_close=10 / 1.5)
    snapshot = acted(replace(snapshot, bars=bars), ("X", SESSIONS[7], "split", 1.5, SESSIONS[7]))
    whole = Costs.model_validate({"us_stock": {"commission_bp": 0.0, "units": "whole"}})
    result = run(snapshot, {SESSIONS[1]: {"X": 1.0}}, basis="raw", costs=whole, cash=339.0)
    assert result.orders["size"].tolist() == [33.0]
    assert booked(result) == [(SESSIONS[7], "X", "split", 0.5 * 10 / 1.5, 16.0)]
    assert result.equity["equity"].iloc[-1] == pytest.approx(339.0)


def test_raw_prices_whose_adjustment_no_action_explains_are_refused():
    snapshot = quoted("raw")
    without_split = replace(snapshot, actions=snapshot.actions[snapshot.actions["kind"] == "dividend"])
    with pytest.raises(
        InputError, match=r"X: got an adjustment on 2024-04-17 \(1 in all\) without a dividend or split"
    ):
        build_panel(without_split, ("X",), pd.Timestamp(SESSIONS[1]), pd.Timestamp(SESSIONS[-1]), "raw")


def test_a_carried_close_is_split_with_its_units():
    """No bar on the day of the split: the close that is carried is that of a new unit."""
    snapshot = quoted("raw")
    halted = replace(snapshot, bars=snapshot.bars[snapshot.bars["date"] != "2024-04-17"])
    result = run(halted, {SESSIONS[1]: {"X": 0.5}}, basis="raw")
    assert result.equity.loc["2024-04-17", "equity"] == pytest.approx(525.0 + 100 * 4.75)


@pytest.mark.slow
def test_interest_accrues_on_the_cash_of_the_night_by_calendar_days():
    """1,000 dollars at 3.65% simple, actual/365: 10 cents a night, three of them over the weekend before Monday."""
    from backtests.spec.cash import CashConfig, interest_rates

    sessions = pd.DatetimeIndex(SESSIONS)
    config = CashConfig(interest="bill", spread_bp=35.0)
    rates = interest_rates(config, pd.Series(4.0, sessions))
    result = run(make_snapshot(flat("X", 10.0)), {SESSIONS[-1]: {"X": 0.0}}, interest=rates)
    assert [row[3] for row in booked(result)[:5]] == [
        pytest.approx(0.1),
        pytest.approx(0.1 * 1.0001),
        pytest.approx(0.1 * 1.0002, rel=1e-6),
        pytest.approx(0.1 * 1.0003, rel=1e-6),
        pytest.approx(0.3 * 1.0004, rel=1e-6),
    ]
    assert interest_rates(CashConfig(), pd.Series(4.0, sessions)).tolist() == [0.0] * len(sessions)
    assert interest_rates(config, pd.Series(np.nan, sessions)).tolist() == [0.0] * len(sessions)


def test_a_run_sells_what_will_be_delisted_and_goes_on_to_the_end_of_the_market(sample):
    """Without the event the end of the file ends the run; with it the stock is sold when it is known."""
    from backtests.run import run_backtest
    from backtests.spec.spec import load_spec

    scarce = {"speculative": 0.2, "cash_flow": 0.6, "reserve": 0.2}
    spec = load_spec("sample", {"policy.budgets.SCARCE": scarce, "run.start": "2022-01-03"})
    last = pd.Timestamp("2023-06-30")
    bars = sample.bars[~((sample.bars["symbol"] == "SIM-SAAS-A") & (sample.bars["date"] > last))]
    silent = run_backtest(spec, replace(sample, bars=bars))
    assert silent.sessions[-1] == last

    told = acted(replace(sample, bars=bars), ("SIM-SAAS-A", "2023-06-30", "delisting", np.nan, "2023-06-20 21:30"))
    run = run_backtest(spec, told)
    assert run.sessions[-1] == run_backtest(spec, sample).sessions[-1]
    orders = run.engine.orders[run.engine.orders["symbol"] == "SIM-SAAS-A"]
    assert orders.iloc[-1][["side", "session", "status"]].tolist() == ["sell", pd.Timestamp("2023-06-21"), "filled"]
    assert (run.engine.positions.loc["2023-06-21":, "SIM-SAAS-A"] == 0).all()
    assert run.counts.delistings == {}
