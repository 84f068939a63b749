"""The decision for a session without a run: what it must look back to, and what it sends."""

import pandas as pd
import pytest

from backtests.prepare.decision import decide_from_cash
from backtests.prepare.signal import read_signal
from backtests.spec.spec import load_spec
from data.clock import sessions_between
from hand_made import make_instrument, make_snapshot

SESSIONS = sessions_between(pd.Timestamp("2023-11-01"), pd.Timestamp("2024-01-08"))
DAYS = [f"{day:%Y-%m-%d}" for day in SESSIONS]


def decided(tmp_path, silent, **settings):
    """PAUSES has no bar on the last sessions before 2024-01-08; two Mondays without one lie among them."""
    (tmp_path / "regimes.csv").write_text("known_at,regime\n2023-11-01T00:00:00Z,SCARCE\n")
    values = {
        "run": {"name": "decided", "start": DAYS[1], "initial_cash": 1000.0},
        "universe": {"speculative": ["RISKY"], "cash_flow": ["STAYS", "PAUSES"], "benchmark": "STAYS"},
        "signal.source": str(tmp_path / "regimes.csv"),
        "policy.instrument_cap": 1.0,
    }
    bars = {symbol: [(day, 10.0, 10.0) for day in DAYS[:-1]] for symbol in ("RISKY", "STAYS", "PAUSES")}
    bars["PAUSES"] = bars["PAUSES"][: len(bars["PAUSES"]) - silent]
    spec, market = load_spec("sample", values | settings), make_snapshot(bars)
    session = SESSIONS[-1]
    return decide_from_cash(spec, market, read_signal(spec, market, session), session)


@pytest.mark.parametrize("silent", [0, 1, 8, 9])
def test_what_has_paused_for_less_than_the_stale_sessions_still_counts(tmp_path, silent):
    decision = decided(tmp_path, silent)
    assert decision.targets.to_dict() == {"RISKY": 0.0, "STAYS": pytest.approx(0.4), "PAUSES": pytest.approx(0.4)}
    assert decision.buy_money.to_dict() == {"RISKY": 0.0, "STAYS": pytest.approx(400), "PAUSES": pytest.approx(400)}


def test_what_has_paused_for_longer_gets_nothing(tmp_path):
    decision = decided(tmp_path, 10)
    assert decision.targets.to_dict() == {"RISKY": 0.0, "STAYS": pytest.approx(0.8), "PAUSES": 0.0}
    # Thirty sessions are six weeks.
    assert decided(tmp_path, 29, **{"order_rules.stale_sessions": 30}).targets["PAUSES"] == pytest.approx(0.4)
    assert decided(tmp_path, 30, **{"order_rules.stale_sessions": 30}).targets["PAUSES"] == 0.0


@pytest.mark.parametrize(("close", "money"), [(390.0, 400.0), (410.0, 0.0)])
def test_orders_are_sized_by_the_last_close(tmp_path, close, money):
    """400 dollars buy a whole unit of 390, and none of 410, whatever it was the day before."""
    (tmp_path / "regimes.csv").write_text("known_at,regime\n2023-11-01T00:00:00Z,SCARCE\n")
    values = {
        "run": {"name": "decided", "start": DAYS[1], "initial_cash": 1000.0},
        "universe": {"speculative": ["RISKY"], "cash_flow": ["STAYS", "LEAPS"], "benchmark": "STAYS"},
        "signal.source": str(tmp_path / "regimes.csv"),
        "policy.instrument_cap": 1.0,
        "costs.us_stock": {"commission_bp": 0.0, "half_spread_bp": 0.0, "slippage_bp": 0.0},
    }
    bars = {symbol: [(day, 10.0, 10.0) for day in DAYS[:-1]] for symbol in ("RISKY", "STAYS")}
    bars["LEAPS"] = [(day, 800.0 - close, 800.0 - close) for day in DAYS[:-2]] + [(DAYS[-2], close, close)]
    market = make_snapshot(bars, {"LEAPS": make_instrument(quantum=1.0)})
    spec, session = load_spec("sample", values), SESSIONS[-1]
    decision = decide_from_cash(spec, market, read_signal(spec, market, session), session)
    assert decision.buy_money["LEAPS"] == pytest.approx(money)
