"""Spin-offs and changes of symbol by hand: what held units become, in Backtrader and in the ledger alike."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.engines.event_engine import run_event_engine
from backtests.engines.ledger import run_ledger
from backtests.engines.vector_engine import run_vector_engine
from backtests.execution.fill_rules import fill_rules
from backtests.execution.result import EngineResult
from backtests.spec.costs import Costs
from data.errors import InputError
from data.market.snapshot import Snapshot
from data.market.tables import ACTIONS
from data.prices.panel import Panel, build_panel
from engines import assert_same_books
from hand_made import make_instrument, make_snapshot
from strategies.order_rules import OrderRulesConfig
from strategies.policy import Plan

FREE = Costs.model_validate({name: {"commission_bp": 0.0} for name in ("crypto", "us_stock", "us_etf")})
WHOLE = Costs.model_validate({"us_stock": {"commission_bp": 0.0, "units": "whole"}})
DAYS = pd.bdate_range("2025-02-18", "2025-03-04").strftime("%Y-%m-%d").tolist()
EX = "2025-02-24"
Targets = dict[str, dict[str, float]]


def market(*actions: tuple[str, str, str, float, str, float], **closes: list[float]) -> Snapshot:
    """Bars of one price a day, the last ones of DAYS, and actions (symbol, date, kind, value, into, factor)."""
    bars = {
        symbol: [(day, price, price) for day, price in zip(DAYS[-len(prices) :], prices, strict=True)]
        for symbol, prices in closes.items()
    }
    listed = {symbol: make_instrument(listed=rows[0][0]) for symbol, rows in bars.items()}
    names = ("symbol", "date", "kind", "value", "into", "factor")
    frame = pd.DataFrame([dict(zip(names, action, strict=True)) for action in actions]).assign(source="made for a test")
    frame["date"] = pd.to_datetime(frame["date"])
    frame["known_at"] = frame["date"].dt.tz_localize("UTC")
    return replace(make_snapshot(bars, listed), actions=ACTIONS.conform(frame))


def panel_of(snapshot: Snapshot, *symbols: str, basis: str = "raw") -> Panel:
    return build_panel(snapshot, symbols, pd.Timestamp(DAYS[1]), pd.Timestamp(DAYS[-1]), basis)  # type: ignore[arg-type]


def run(
    snapshot: Snapshot, targets: Targets, costs: Costs = FREE, basis: str = "raw", cash: float = 10_000.0
) -> EngineResult:
    """Both engines over all days but the first, on targets by session decided for; they agree."""
    symbols = tuple(sorted(snapshot.instruments))
    panel = panel_of(snapshot, *symbols, basis=basis)
    frame = pd.DataFrame(np.nan, index=panel.decides_for, columns=list(symbols))
    for session, weights in targets.items():
        frame.loc[pd.Timestamp(session)] = [weights.get(symbol, 0.0) for symbol in symbols]
    frame = frame.ffill().fillna(0.0).where(panel.tradable(10), 0.0)
    plan = Plan(frame, pd.Series(panel.decides_for.isin(pd.to_datetime(list(targets))), panel.decides_for))
    config = OrderRulesConfig(band=0.0, minimum_order=0.0)
    rules = fill_rules(panel, snapshot.instruments, costs, config)
    event, ledger = run_event_engine(rules, plan, config, cash), run_ledger(rules, plan, config, cash)
    np.testing.assert_allclose(ledger.equity, event.equity["equity"], rtol=1e-12)
    np.testing.assert_allclose(ledger.cash, event.equity["cash"], rtol=1e-12, atol=1e-9)
    assert_same_books(run_vector_engine(rules, plan, config, cash), event)
    return event


def booked(result: EngineResult) -> list[tuple[object, ...]]:
    return [
        (str(row.session.date()), row.symbol, row.kind, pytest.approx(row.amount, abs=1e-9), pytest.approx(row.units))
        for row in result.cash.iloc[1:].itertuples()
    ]


@pytest.fixture
def spin_off() -> Snapshot:
    """WDC at 66.15, which gives a third of a SNDK on the ex-date: 66.15 / 1.323 = 50 and 48.45 a whole one."""
    wdc = [66.15, 66.15, 66.15, 66.15, *[50.0] * 7]
    snapshot = market(("WDC", EX, "spin_off", 1 / 3, "SNDK", 1.323), WDC=wdc, SNDK=[48.45] * 7)
    before = (snapshot.bars["symbol"] == "WDC") & (snapshot.bars["date"] < EX)
    return replace(snapshot, bars=snapshot.bars.assign(adj_close=snapshot.bars["close"].mask(before, 66.15 / 1.323)))


@pytest.mark.slow
def test_a_held_unit_of_wdc_brings_a_third_of_a_sndk(spin_off: Snapshot) -> None:
    """10,000 dollars are 151.17 units; the ex-date brings 50.39 of SNDK, and the value stays."""
    result = run(spin_off, {DAYS[1]: {"WDC": 1.0}})
    held = 10_000 / 66.15
    assert booked(result) == [(EX, "SNDK", "spin_off", 0.0, held / 3)]
    assert result.positions.loc[EX].to_dict() == pytest.approx({"SNDK": held / 3, "WDC": held})
    np.testing.assert_allclose(result.equity["equity"], 10_000, rtol=1e-7)


def test_whole_units_are_paid_for_the_part_of_one(spin_off: Snapshot) -> None:
    """151 units bring 50 of SNDK and a third of one: a third of what the factor takes from three of WDC."""
    result = run(spin_off, {DAYS[1]: {"WDC": 1.0}}, WHOLE)
    one = 3 * 66.15 * (1 - 1 / 1.323)
    assert one == pytest.approx(48.45)
    assert booked(result) == [(EX, "SNDK", "spin_off", one / 3, 50.0)]
    assert result.equity["equity"].iloc[-1] == pytest.approx(10_000.0)


def test_what_a_spin_off_brings_can_be_sold_at_the_next_decision(spin_off: Snapshot) -> None:
    result = run(spin_off, {DAYS[1]: {"WDC": 1.0}, "2025-02-26": {"WDC": 1.0}})
    sale = result.orders.query("symbol == 'SNDK'").iloc[0]
    assert (sale["side"], str(sale["session"].date()), sale["price"]) == ("sell", "2025-02-26", 48.45)
    assert result.positions["SNDK"].iloc[-1] == 0.0


def test_a_sale_on_the_ex_date_still_brings_it(spin_off: Snapshot) -> None:
    """Held when the session begins, sold at its open: the spin-off is the seller's."""
    result = run(spin_off, {DAYS[1]: {"WDC": 1.0}, EX: {"WDC": 0.0}})
    assert result.positions.loc[EX].to_dict() == pytest.approx({"SNDK": 10_000 / 66.15 / 3, "WDC": 0.0})
    bought = run(spin_off, {EX: {"WDC": 1.0}})
    assert (bought.positions["SNDK"] == 0).all()


def test_adjusted_prices_have_the_spin_off_in_them(spin_off: Snapshot) -> None:
    result = run(spin_off, {DAYS[1]: {"WDC": 1.0}}, basis="adjusted")
    assert booked(result) == []
    np.testing.assert_allclose(result.equity["equity"], 10_000, rtol=1e-7)


def test_a_run_without_what_is_brought_is_refused_by_name(spin_off: Snapshot) -> None:
    reason = (
        f"^WDC: on {EX} a held unit brings 0.333333 of SNDK, which is not in the run; add SNDK to the universe, take "
        'WDC out of it, or run on prices = "adjusted"$'
    )
    with pytest.raises(InputError, match=reason):
        panel_of(spin_off, "WDC")
    lacking = replace(spin_off, bars=spin_off.bars[spin_off.bars["symbol"] == "WDC"])
    with pytest.raises(InputError, match="SNDK, of which market hand-made has no price then; import or fetch it too"):
        panel_of(lacking, "WDC")


def test_a_split_that_is_a_spin_off_in_disguise_is_refused_raw() -> None:
    wdc = [66.15, 66.15, 66.15, 66.15, *[50.0] * 7]
    snapshot = market(("X", EX, "split", 1.323, "", np.nan), X=wdc)
    before = snapshot.bars["date"] < EX
    snapshot = replace(snapshot, bars=snapshot.bars.assign(adj_close=snapshot.bars["close"].mask(before, 50.0)))
    with pytest.raises(InputError, match=rf"^X: got a split of 1.323 for 1 on {EX}, which is no ratio of whole units"):
        panel_of(snapshot, "X")
    panel_of(snapshot, "X", basis="adjusted")


@pytest.fixture
def renamed() -> Snapshot:
    """FB becomes META on the ex-date: its file ends, the other begins."""
    return market(("FB", EX, "symbol_change", 1.0, "META", np.nan), FB=[200.0] * 11, META=[210.0] * 7)


def test_a_change_of_symbol_keeps_the_holding(renamed: Snapshot) -> None:
    """50 units of FB become 50 of META; bars of the old symbol from then on are none of it."""
    result = run(renamed, {DAYS[1]: {"FB": 1.0}})
    assert booked(result) == [(EX, "FB", "symbol_change", 0.0, -50.0), (EX, "META", "symbol_change", 0.0, 50.0)]
    assert result.equity["equity"].iloc[-1] == pytest.approx(10_500.0)
    assert (result.positions.loc[EX:, "FB"] == 0).all()


def test_the_old_symbol_is_not_wanted_for_a_day_on_which_it_is_gone(renamed: Snapshot) -> None:
    panel = panel_of(renamed, "FB", "META")
    tradable = panel.tradable(10)
    assert tradable.loc[:"2025-02-21", "FB"].all()
    assert not tradable.loc[EX:, "FB"].any()


def test_a_change_of_symbol_keeps_the_value_on_adjusted_prices_too(renamed: Snapshot) -> None:
    """Both files are adjusted for dividends of their own future; the holding is worth what it was quoted at."""
    bars = renamed.bars
    factor = bars["symbol"].map({"FB": 0.5, "META": 0.8})
    adjusted = replace(renamed, bars=bars.assign(adj_close=bars["close"] * factor))
    result = run(adjusted, {DAYS[1]: {"FB": 1.0}}, basis="adjusted")
    # 100 units at 100.00 are 50 as quoted, and 62.5 of META at 168.00.
    assert booked(result) == [(EX, "FB", "symbol_change", 0.0, -100.0), (EX, "META", "symbol_change", 0.0, 62.5)]
    assert result.equity["equity"].iloc[-1] == pytest.approx(10_500.0)


def test_a_merger_for_stock_is_a_change_of_symbol_with_another_ratio(renamed: Snapshot) -> None:
    halved = replace(renamed, actions=renamed.actions.assign(value=0.95))
    result = run(halved, {DAYS[1]: {"FB": 1.0}})
    assert result.positions["META"].iloc[-1] == pytest.approx(47.5)


def test_a_capital_gain_is_paid_in_cash_beside_the_dividend() -> None:
    """50 units of a fund at 200: a dividend of 1 and a gain of 9 on one day are 500 dollars."""
    fund = [200.0] * 4 + [190.0] * 7
    snapshot = market(("F", EX, "dividend", 1.0, "", np.nan), ("F", EX, "capital_gain", 9.0, "", np.nan), F=fund)
    before = snapshot.bars["date"] < EX
    snapshot = replace(snapshot, bars=snapshot.bars.assign(adj_close=snapshot.bars["close"].mask(before, 190.0)))
    result = run(snapshot, {DAYS[1]: {"F": 1.0}})
    assert booked(result) == [(EX, "F", "dividend", 500.0, 0.0)]
    assert result.equity["equity"].iloc[-1] == pytest.approx(10_000.0)


def test_conversions_are_kept_with_a_part_of_the_panel_and_cut_with_its_end(spin_off: Snapshot) -> None:
    panel = panel_of(spin_off, "SNDK", "WDC")
    [conversion] = panel.conversions
    assert (conversion.symbol, conversion.into, conversion.units) == ("WDC", "SNDK", pytest.approx(1 / 3))
    assert panel.with_what_they_bring(["WDC"]) == ("SNDK", "WDC")
    assert panel.with_what_they_bring(["SNDK"]) == ("SNDK",)
    assert panel.select(("SNDK",)).conversions == ()
    assert panel.upto(pd.Timestamp("2025-02-21")).conversions == ()
    assert panel.upto(pd.Timestamp("2025-02-25")).conversions == panel.conversions
