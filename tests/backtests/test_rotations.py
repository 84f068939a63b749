"""What the baskets earned, with those of their members that left the market."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtests.execution.fill_rules import fill_rules
from backtests.measures.rotations import basket_returns
from backtests.run import run_backtest
from backtests.spec.costs import Costs
from backtests.spec.spec import load_spec
from data.clock import sessions_between
from data.market.tables import ACTIONS
from data.prices.panel import build_panel
from hand_made import make_snapshot
from strategies.order_rules import OrderRulesConfig
from strategies.universe import Universe

DAYS = [f"{day:%Y-%m-%d}" for day in sessions_between(pd.Timestamp("2024-04-08"), pd.Timestamp("2024-05-10"))]
FREE = {name: {"commission_bp": 0.0} for name in ("crypto", "us_stock", "us_etf")}


def market_with_leaver(last: int, payout: float, known: int, closes=None, opens=None):
    """LEAVES trades up to session `last`; what it pays is known on the evening of session `known`."""
    closes = [100.0] * len(DAYS) if closes is None else closes
    opens = closes if opens is None else opens
    bars = {"LEAVES": list(zip(DAYS, opens, closes, strict=True))[: last + 1]}
    bars |= {symbol: [(day, 50.0, 50.0) for day in DAYS] for symbol in ("STAYS", "UNUSED")}
    snapshot = make_snapshot(bars)
    action = ("LEAVES", DAYS[last], "delisting", payout, f"{DAYS[known]} 21:30", "made for a test")
    frame = pd.DataFrame([dict(zip(ACTIONS.columns, action, strict=True))])
    frame = frame.assign(date=pd.to_datetime(frame["date"]), known_at=pd.to_datetime(frame["known_at"], utc=True))
    return replace(snapshot, actions=frame)


def growth(snapshot, members=("LEAVES",), basis="adjusted", **rules):
    universe = Universe(speculative=("UNUSED",), cash_flow=members, benchmark="UNUSED")
    panel = build_panel(snapshot, universe.symbols, pd.Timestamp(DAYS[1]), pd.Timestamp(DAYS[-1]), basis)
    config = OrderRulesConfig(**rules)
    fills = fill_rules(panel, snapshot.instruments, Costs(), config)
    daily = basket_returns(fills, panel.tradable(config.stale_sessions), universe)["cash_flow"]
    assert daily.notna().all()
    return (1.0 + daily).prod() - 1.0


def test_a_basket_whose_only_member_is_delisted_for_nothing_loses_everything(tmp_path):
    (tmp_path / "regimes.csv").write_text("known_at,regime\n2024-01-01T00:00:00+00:00,SCARCE\n")
    values = {
        "run": {"name": "leaves", "start": DAYS[1], "end": DAYS[-1]},
        "universe": {"speculative": ["UNUSED"], "cash_flow": ["LEAVES"], "benchmark": "UNUSED"},
        "signal.source": str(tmp_path / "regimes.csv"),
        "policy.instrument_cap": 1.0,
        "costs": FREE,
    }
    run = run_backtest(load_spec("sample", values), market_with_leaver(last=10, payout=0.0, known=10))
    (stay,) = run.rotations.to_dict("records")
    assert stay["cash_flow"] == -1.0
    # What the rotation held of it (80% in SCARCE, by the shipped budgets) is lost too.
    assert stay["strategy"] == pytest.approx(-0.8, abs=1e-6)


def test_a_member_that_is_sold_while_it_trades_earns_up_to_the_open_of_its_sale():
    """Known on the evening of session 5: sold at the next open, at 90 after a close of 100; then it is worth 10."""
    closes = [100.0] * 6 + [10.0] * (len(DAYS) - 6)
    opens = [100.0] * 6 + [90.0] + [10.0] * (len(DAYS) - 7)
    assert growth(market_with_leaver(10, 0.0, 5, closes, opens)) == pytest.approx(-0.1)


def test_a_payout_that_is_not_known_loses_the_haircut():
    assert growth(market_with_leaver(10, np.nan, 12), stale_haircut=0.3) == pytest.approx(-0.3)


def test_a_file_that_ends_is_closed_out_after_the_stale_sessions():
    snapshot = replace(market_with_leaver(10, 0.0, 10), actions=make_snapshot({"X": [(DAYS[0], 1.0, 1.0)]}).actions)
    assert growth(snapshot, stale_sessions=5, stale_haircut=0.25) == pytest.approx(-0.25)
    assert growth(snapshot, stale_sessions=100, stale_haircut=0.25) == 0.0


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    last=st.integers(3, 15),
    later=st.integers(0, 5),
    payout=st.one_of(st.just(0.0), st.floats(1.0, 300.0)),
    moves=st.lists(st.floats(-0.1, 0.1), min_size=len(DAYS), max_size=len(DAYS)),
    basis=st.sampled_from(["adjusted", "raw"]),
)
def test_a_basket_earns_what_a_holder_of_its_only_member_does(last, later, payout, moves, basis):
    """Told when it is over: from the close before the run to the payout, whatever lies between."""
    closes = (100.0 * np.cumprod(1.0 + np.array(moves))).tolist()
    snapshot = market_with_leaver(last, payout, last + later, closes)
    assert growth(snapshot, basis=basis) == pytest.approx(payout / closes[0] - 1.0, abs=1e-9)
