"""Guards: whatever is decided, nothing that a limit forbids passes, and nothing that it allows is stopped."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paper.broker import Intent
from paper.config import LimitsSection
from paper.step.decision import Decision
from paper.step.guards import kill_file_reason, reasons_to_halt, sessions_behind

SYMBOLS = ("COIN", "STOCK", "FUND", "OTHER")
# A Tuesday after a holiday on Monday: the session before it is Friday's.
SESSION = date(2024, 1, 16)
# The sessions before it, the last one first.
LAST_DAYS = [date(2024, 1, day) for day in (12, 11, 10, 9, 8)]
LIMITS = LimitsSection()


def intent(symbol: str, side: str, value: float, price: float = 10.0) -> Intent:
    return Intent(
        client_id=f"paper-20240116-{symbol}-{side}",
        session=SESSION,
        symbol=symbol,
        side=side,  # type: ignore[arg-type]
        is_coin=symbol == "COIN",
        units=value / price if side == "sell" else None,
        money=value if side == "buy" else None,
        least=0.0,
        decision_price=price,
        written_at=datetime(2024, 1, 16, tzinfo=UTC),
    )


def decision(*intents: Intent, **changes: Any) -> Decision:
    values: dict[str, Any] = {
        "session": SESSION,
        "decided_at": datetime(2024, 1, 16, tzinfo=UTC),
        "market": "made",
        "content_hash": "",
        "regime": "NEUTRAL",
        "score": 0.0,
        "why": "rebalancing",
        "targets": dict.fromkeys(SYMBOLS, 0.25),
        "prices": dict.fromkeys(SYMBOLS, 10.0),
        "price_moves": dict.fromkeys(SYMBOLS, 0.0),
        "units": {},
        "cash": 1000.0,
        "equity": 1000.0,
        "newest_bars": {"stocks": date(2024, 1, 12), "coins": date(2024, 1, 15)},
        "intents": intents,
        "left_alone": (),
    }
    return Decision(**({"coins": frozenset({"COIN"})} | values | changes))


def test_an_ordinary_rotation_passes() -> None:
    orders = [intent("COIN", "sell", 400), intent("STOCK", "sell", 400), intent("FUND", "buy", 400)]
    rotated = decision(*orders, intent("OTHER", "buy", 400), units={"COIN": 40, "STOCK": 40}, cash=200.0)
    assert reasons_to_halt(rotated, 1000.0, LIMITS) == []


@pytest.mark.parametrize(
    ("halting", "peak", "named"),
    [
        (decision(intent("STOCK", "buy", 501)), 1000.0, ("largest order", "STOCK", "501.00 USD", "50.1%", "50.0%")),
        (decision(intent("STOCK", "sell", 501), units={"STOCK": 60}), 1000.0, ("largest order", "sell STOCK")),
        (
            decision(intent("STOCK", "buy", 301), units={"STOCK": 30}),
            1000.0,
            ("largest position", "STOCK", "601.00 USD", "60.1%"),
        ),
        (
            decision(*[intent(symbol, side, 300) for symbol in SYMBOLS[:2] for side in ("sell", "buy", "buy", "sell")]),
            1000.0,
            ("turnover", "2,400.00 USD", "240.0%", "180.0%"),
        ),
        (decision(equity=499.0), 1000.0, ("drawdown", "499.00 USD", "50.1%", "1,000.00")),
        (
            decision(newest_bars={"stocks": date(2024, 1, 10), "coins": date(2024, 1, 15)}),
            1000.0,
            ("stale data", "stocks", "2024-01-10", "2 sessions"),
        ),
        (
            decision(newest_bars={"stocks": date(2024, 1, 12), "coins": date(2024, 1, 8)}),
            1000.0,
            ("stale data", "coins", "2024-01-08", "4 sessions"),
        ),
        (decision(units={"ELSE": 3.0}), 1000.0, ("unexpected position", "3 units of ELSE")),
        (decision(units={"STOCK": -3.0}), 1000.0, ("unexpected position", "-3 units of STOCK")),
        (decision(intent("ELSE", "buy", 1)), 1000.0, ("unexpected order", "buy ELSE")),
        (
            decision(units={"COIN": 1.0}, price_moves={"COIN": -0.51}),
            1000.0,
            ("price too far from the last close", "COIN", "-51.0%"),
        ),
        (decision(intent("COIN", "buy", 1), price_moves={"COIN": 0.51}), 1000.0, ("price too far", "+51.0%")),
        (
            decision(units={"STOCK": 3.0}, price_moves={"STOCK": -0.48}),
            1000.0,
            ("like a split", "STOCK", "3 units", "2:1"),
        ),
        (decision(equity=0.0), 0.0, ("no equity",)),
        (decision(equity=float("nan")), 0.0, ("no equity",)),
        (decision(intent("STOCK", "buy", float("nan"))), 0.0, ("order without a value",)),
        (decision(intent("STOCK", "sell", 5, price=float("nan"))), 0.0, ("order without a value",)),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_each_guard_says_why_with_its_figures(halting: Decision, peak: float, named: tuple[str, ...]) -> None:
    (reason,) = reasons_to_halt(halting, peak, LIMITS)
    for word in named:
        assert word in reason
    assert "\n" not in reason


@pytest.mark.parametrize(
    "passing",
    [
        decision(intent("STOCK", "buy", 500)),
        decision(intent("STOCK", "buy", 300), units={"STOCK": 30}),
        decision(units={"STOCK": 90}),  # it has grown by its price alone
        decision(intent("STOCK", "sell", 100), units={"STOCK": 90}),
        decision(equity=500.0),
        decision(newest_bars={"stocks": date(2024, 1, 11), "coins": date(2024, 1, 15)}),
        decision(newest_bars={}),  # before the first bar nothing has a price, and nothing is bought
        decision(units={"ELSE": 0.0}),
        decision(price_moves={"OTHER": 5.0}),  # neither held nor traded
        decision(intent("STOCK", "buy", 1), price_moves={"STOCK": -0.48}),  # like a split, and not held
        decision(units={"COIN": 0.1}, price_moves={"COIN": -0.48}),  # like a split, and a coin
        decision(units={"STOCK": 0.1}, price_moves={"STOCK": -0.4}),  # near no split
    ],
)
def test_what_reaches_a_limit_and_does_not_pass_it_is_sent(passing: Decision) -> None:
    assert reasons_to_halt(passing, 1000.0, LIMITS) == []


def test_all_reasons_are_told_at_once() -> None:
    reasons = reasons_to_halt(decision(intent("STOCK", "buy", 900), equity=400.0), 1000.0, LIMITS)
    assert [reason.partition(":")[0] for reason in reasons] == [
        "drawdown",
        "largest order",
        "largest position",
        "turnover",
    ]


def test_sessions_behind_counts_sessions_and_not_days() -> None:
    assert sessions_behind(date(2024, 1, 12), SESSION) == 0  # a weekend and Martin Luther King's day between
    assert sessions_behind(date(2024, 1, 11), SESSION) == 1
    assert sessions_behind(date(2024, 1, 15), SESSION) == 0
    assert sessions_behind(SESSION, SESSION) == 0
    assert sessions_behind(date(2024, 2, 1), SESSION) == 0


def test_a_kill_file_is_named(tmp_path: Any) -> None:
    assert kill_file_reason(tmp_path / "STOP") is None
    (tmp_path / "STOP").touch()
    reason = kill_file_reason(tmp_path / "STOP")
    assert reason is not None
    assert str(tmp_path / "STOP") in reason


@st.composite
def decisions(draw: st.DrawFn) -> Decision:
    """Decisions about as large as the limits."""
    equity = draw(st.floats(0, 1000))
    traded = draw(st.lists(st.sampled_from(SYMBOLS), unique=True, max_size=4))
    sides = st.sampled_from(["sell", "buy"])
    orders = [intent(each, draw(sides), draw(st.floats(1e-3, 0.8)) * max(equity, 1.0)) for each in traded]
    held = draw(st.dictionaries(st.sampled_from([*SYMBOLS, *SYMBOLS, "ELSE"]), st.floats(0, 0.6), max_size=2))
    return decision(
        *orders,
        equity=equity,
        units={symbol: share * equity / 10 for symbol, share in held.items()},
        price_moves=draw(st.dictionaries(st.sampled_from(SYMBOLS), st.floats(-0.8, 0.8), max_size=2)),
        newest_bars={"stocks": LAST_DAYS[draw(st.sampled_from([0, 0, 0, 1, 2, 3, 4]))], "coins": date(2024, 1, 15)},
    )


limits = st.builds(
    LimitsSection,
    largest_order=st.floats(0.3, 1),
    largest_position=st.floats(0.3, 1.5),
    largest_turnover_a_day=st.floats(0.3, 2),
    drawdown_halt=st.floats(0.3, 1),
    price_move_halt=st.floats(0.3, 1),
    stale_sessions_halt=st.integers(1, 5),
)


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(decided=decisions(), bounds=limits, peak=st.floats(0, 1500))
def test_no_guard_lets_through_what_it_forbids(decided: Decision, bounds: LimitsSection, peak: float) -> None:
    """What passes keeps every limit, by arithmetic of this test's own."""
    if reasons_to_halt(decided, peak, bounds):
        return
    little = 1e-6 * max(decided.equity, 1.0)
    spent = {each.symbol: each.money or 0.0 for each in decided.intents}
    sold = {each.symbol: (each.units or 0.0) * each.decision_price for each in decided.intents}
    assert decided.equity > 0
    assert max([*spent.values(), *sold.values(), 0.0]) <= bounds.largest_order * decided.equity + little
    assert sum(spent.values()) + sum(sold.values()) <= bounds.largest_turnover_a_day * decided.equity + little
    for each in decided.intents:
        if each.money is not None:
            held = decided.units.get(each.symbol, 0.0) * each.decision_price
            assert held + each.money <= bounds.largest_position * decided.equity + little
        assert abs(decided.price_moves.get(each.symbol, 0.0)) <= bounds.price_move_halt
    assert decided.equity >= peak * (1 - bounds.drawdown_halt) - little
    assert {symbol for symbol, units in decided.units.items() if units} <= set(SYMBOLS)
    assert LAST_DAYS.index(decided.newest_bars["stocks"]) < bounds.stale_sessions_halt


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(decided=decisions(), peak=st.floats(0, 1500))
def test_wider_limits_never_stop_more(decided: Decision, peak: float) -> None:
    wide = LimitsSection(
        largest_order=100, largest_position=100, largest_turnover_a_day=100, drawdown_halt=1, price_move_halt=100
    )
    kinds = {reason.partition(":")[0] for reason in reasons_to_halt(decided, peak, LIMITS)}
    assert {reason.partition(":")[0] for reason in reasons_to_halt(decided, peak, wide)} <= kinds
