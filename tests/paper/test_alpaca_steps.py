"""Whole steps of paper trading over the double of Alpaca: in calm, in trouble, and killed at any moment."""

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd
import pytest

import alpaca_double
from all_tables import all_rows
from at_alpaca import at_alpaca
from data.clock import sessions_between, trading_hours
from data.market.snapshot import save
from data.market.tables import ACTIONS
from data.net.settings import SourceSettings
from hand_made import make_instrument, make_snapshot
from paper.brokers.alpaca import broker as alpaca
from paper.brokers.alpaca import requests as alpaca_requests
from paper.config import PaperConfig
from paper.ledger.invariants import broken_invariants
from paper.ledger.reader import LEDGER_FILE, LedgerReader
from paper.overview.status import read_status
from paper.service.alerts import Alerts
from paper.service.attended_step import Attendant
from paper.step.account import StepReport, reconcile, resume, run_step
from reverse_qe.words.paper_day import day_lines

pytest.importorskip("alpaca")

SYMBOLS = ("MU", "STX", "CRM", "BIL", "SPY", "BTC-USD", "ETH-USD")
FIRST, LAST = pd.Timestamp("2026-01-05"), pd.Timestamp("2026-03-20")
FIRST_PAID = date(2026, 1, 14)
MARTIN_LUTHER_KING_DAY, WASHINGTONS_BIRTHDAY = date(2026, 1, 19), date(2026, 2, 16)
# Money is scarce on every other session, so that on every session all is sold and bought anew.
SPEC = """
[run]
name = "turning"
start = 2026-01-12

[universe]
speculative = ["BTC-USD", "ETH-USD", "CRM"]
cash_flow = ["MU", "STX"]
reserve = ["BIL"]
benchmark = "SPY"

[signal]
source = "regimes.csv"

[policy]
rebalance = "daily"
instrument_cap = 0.5
"""
KILLS = int(os.environ.get("REVERSE_QE_KILLS", "50"))
SEEDS = max(1, KILLS // 50)


def bar_opens(symbol: str, day: pd.Timestamp) -> float:
    """A price of the day, a few percent around 100, unlike any other's."""
    wave = random.Random(f"{symbol} {day:%Y%m%d}").uniform(-0.03, 0.03)
    return round({"BTC-USD": 50_000.0, "ETH-USD": 2_000.0}.get(symbol, 100.0) * (1 + wave), 2)


@pytest.fixture
def world(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> "World":
    monkeypatch.setenv("ALPACA_API_KEY_ID", alpaca_double.KEY)
    monkeypatch.setenv("ALPACA_API_SECRET_KEY", alpaca_double.SECRET)
    monkeypatch.setattr(alpaca_requests, "ASKING", SourceSettings(attempts=4, pause=0.0, longest_wait=1.0))
    monkeypatch.setattr(alpaca_requests, "PER_SECOND", 1e6)
    monkeypatch.setattr(alpaca, "FILL_WAIT", 0.005)
    monkeypatch.setattr(alpaca, "POLL", 0.001)
    sessions, days = sessions_between(FIRST, LAST), pd.date_range(FIRST, LAST)
    bars = {
        symbol: [
            (f"{day:%Y-%m-%d}", bar_opens(symbol, day), bar_opens(symbol, day))
            for day in (days if "-" in symbol else sessions)
        ]
        for symbol in SYMBOLS
    }
    coins = {symbol: make_instrument("crypto") for symbol in SYMBOLS if "-" in symbol}
    # Dividends that no paper account at Alpaca is paid: they stand in the shadow book.
    paid = [
        ("MU", pd.Timestamp(day), "dividend", 0.01, pd.Timestamp("2025-12-01", tz="UTC"), "test")
        for day in ("2026-01-13", FIRST_PAID, "2026-01-15", "2026-01-22")
    ]
    actions = pd.DataFrame(paid, columns=list(ACTIONS.columns))
    save(replace(make_snapshot(bars, coins, as_traded=True), actions=actions))
    regimes = [f"{day:%Y-%m-%d}T00:00:00Z,{('SCARCE', 'ABUNDANT')[place % 2]}" for place, day in enumerate(sessions)]
    (tmp_path / "regimes.csv").write_text("\n".join(["known_at,regime", *regimes]) + "\n", encoding="utf-8")
    (tmp_path / "turning.toml").write_text(SPEC, encoding="utf-8")
    return World(tmp_path)


class World:
    """Accounts at doubles, and the days of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def account(self, name: str, cash: float = 100_000.0) -> Iterator["Trader"]:
        with alpaca_double.running(prices_of(FIRST), cash, now=datetime(2026, 1, 9, 20, tzinfo=UTC)) as double:
            double.holidays |= {MARTIN_LUTHER_KING_DAY, WASHINGTONS_BIRTHDAY}
            config = PaperConfig.model_validate(
                {
                    "market": "hand-made",
                    "spec": str(self.folder / "turning.toml"),
                    "account": {"name": name},
                    "broker": {"kind": "alpaca", "endpoint": double.url},
                    "state": {"path": self.folder / name},
                }
            )
            yield Trader(config, double)


def prices_of(day: pd.Timestamp) -> dict[str, float]:
    return {symbol.replace("-", "/"): bar_opens(symbol, day) for symbol in SYMBOLS}


def moments(first: str, last: str) -> list[datetime]:
    """When `paper run` steps: after the decision, before the open, after it, and once more."""
    found = []
    for session in sessions_between(pd.Timestamp(first), pd.Timestamp(last)):
        opens = trading_hours(session)[0]
        midnight = session.to_pydatetime().replace(tzinfo=UTC)
        found += [midnight + timedelta(minutes=15), opens + timedelta(minutes=-10), opens + timedelta(minutes=5)]
    return found


class Trader:
    """An account that steps by the clock of its double."""

    def __init__(self, config: PaperConfig, double: Any) -> None:
        self.config, self.double = config, double

    def move(self, now: datetime) -> None:
        """Let time pass: fees are posted at midnight, prices are those of the day."""
        if now.date() > self.double.now.date():
            self.double.now = datetime(now.year, now.month, now.day, tzinfo=UTC)
            self.double.post_fees()
        self.double.prices |= {
            symbol: Decimal(repr(price)) for symbol, price in prices_of(pd.Timestamp(now.date())).items()
        }
        self.double.now = now

    def step(self, now: datetime) -> StepReport:
        return run_step(self.config, now=now)

    def ledger(self) -> LedgerReader:
        return LedgerReader(self.config.state_folder / LEDGER_FILE)

    def placed(self) -> list[tuple[Any, ...]]:
        """What was ordered, without what is different each time."""
        return sorted(
            (
                order["client_order_id"].partition("-")[2],
                order["side"],
                order["notional"],
                order["qty"],
                order["status"],
            )
            for order in self.double.orders
        )


def assert_nothing_is_lost_or_done_twice(trader: Trader) -> None:
    double = trader.double
    with trader.ledger() as ledger:
        assert broken_invariants(ledger) == []
        assert ledger.halt() is None
        orders, entries, held = ledger.orders(), ledger.entries(), ledger.holdings()
    ids = [order["client_order_id"] for order in double.orders]
    assert len(set(ids)) == len(ids)
    assert set(ids) <= set(orders["client_id"])
    unplaced = orders[~orders["client_id"].isin(ids)]
    assert set(unplaced["status"]) <= {"unfilled", "not sent"}
    told = {each["id"]: float(each["qty"]) for each in double.activities if each["activity_type"] == "FILL"}
    fills = entries[entries["client_id"].notna()]
    assert dict(zip(fills["source_id"].str.removeprefix("fill:"), fills["units"].abs(), strict=True)) == told
    ours = {symbol.replace("-", ""): units for symbol, units in held.units.items()}
    for fee in double._fees:
        if "qty" in fee:
            ours[fee["symbol"]] += float(fee["qty"])
    theirs = {symbol: float(units) for symbol, units in double.positions.items()}
    assert {symbol: units for symbol, units in ours.items() if units > 1e-8} == pytest.approx(theirs, rel=1e-9)
    cash = held.cash + sum(float(each["net_amount"]) for each in double._fees)
    assert cash == pytest.approx(float(double.cash), abs=1e-4)
    assert float(double.cash) >= 0


@pytest.mark.slow
def test_calm_days(world: World) -> None:
    with world.account("calm") as trader:
        for now in moments("2026-01-16", "2026-01-22"):
            trader.move(now)
            told = trader.step(now)
            assert (told.halt, told.fault) == ("", "")
        assert_nothing_is_lost_or_done_twice(trader)
        files = [file.read_bytes() for file in world.folder.rglob("*") if file.is_file()]
        assert not [
            each for each in files if alpaca_double.KEY.encode() in each or alpaca_double.SECRET.encode() in each
        ]
        assert len(trader.double.orders) > 15
        assert {order["status"] for order in trader.double.orders} == {"filled"}
        assert {each["activity_type"] for each in trader.double.activities} == {"FILL", "CFEE"}
        with trader.ledger() as ledger:
            assert len(ledger.decisions()) == 4
            assert ledger.equity()["equity"].between(95_000, 105_000).all()


OWN = """
import backtrader as bt

class Mine(bt.Strategy):
    ended = 0

    def notify_order(self, order):
        self.ended += not order.alive()

    def next(self):
        for number, data in enumerate(self.datas):
            wanted = 0.07 * ((len(self) + self.ended + number) % 3)
            if data.decision_price[0] > 0:
                self.order_target_percent(data, target=wanted, price=data.decision_price[0])
"""


@pytest.mark.slow
def test_a_strategy_of_ones_own_hears_of_the_fills_of_the_broker(world: World) -> None:
    """Fees in coins, fills at the broker's prices, several steps a day: asked again, it decides as it did."""
    (world.folder / "s.py").write_text(OWN, encoding="utf-8")
    path = world.folder / "turning.toml"
    path.write_text(path.read_text().replace("[run]\n", '[run]\nstrategy = "s.py:Mine"\n'), encoding="utf-8")
    with world.account("own") as trader:
        for now in moments("2026-01-16", "2026-01-27"):
            trader.move(now)
            told = trader.step(now)
            assert (told.halt, told.fault) == ("", "")
        assert_nothing_is_lost_or_done_twice(trader)
        assert len(trader.double.orders) > 15
        assert {each["activity_type"] for each in trader.double.activities} == {"FILL", "CFEE"}
        assert reconcile(trader.config, now) == []
        (world.folder / "s.py").write_text(OWN.replace("0.07", "0.06"), encoding="utf-8")
        (later,) = moments("2026-01-28", "2026-01-28")[:1]
        trader.move(later)
        halted = trader.step(later).halt
        assert "does not decide as it did for 2026-01-16" in halted
        assert "its file was changed after the decision for 2026-01-16" in halted


def test_what_was_bought_is_what_the_decision_wanted(world: World) -> None:
    """All is sold and bought anew: stocks at the open of New York, coins at once, each with its own money."""
    with world.account("wanted") as trader:
        for now in moments("2026-01-12", "2026-01-14"):
            trader.move(now)
            trader.step(now)
        with trader.ledger() as ledger:
            orders, decisions = ledger.orders(), ledger.decisions()
        assert [decision.regime for decision in decisions] == ["ABUNDANT", "SCARCE", "ABUNDANT"]
        sells, buys = (orders[orders["side"] == side] for side in ("sell", "buy"))
        assert (sells["status"] == "filled").all()
        # Coins are bought at midnight, hours before the stocks are sold: then with the cash that is there.
        early = orders.loc[orders["symbol"].isin(["BTC-USD", "ETH-USD"]), "filled_at"].dropna()
        assert {moment.time().isoformat() for moment in early} == {"00:15:00"}
        at_the_open = orders.loc[orders["symbol"].isin(["MU", "STX"]) & (orders["side"] == "sell"), "filled_at"]
        assert {moment.time().isoformat() for moment in at_the_open} == {"14:30:00"}
        # On the second day stocks wait for what the sale of a stock brings.
        after_it = buys.loc[(buys["session"] == "2026-01-13") & buys["symbol"].isin(["MU", "STX"]), "filled_at"]
        assert {moment.time().isoformat() for moment in after_it} == {"14:35:00"}
        spent = buys[buys["status"] == "filled"]
        assert (spent["size"] * spent["price"]).to_numpy() == pytest.approx(spent["money"].to_numpy(), rel=1e-3)


def test_a_buy_that_was_cut_is_told_and_the_next_session_plans_anew(world: World) -> None:
    with world.account("cut") as trader:
        first, *rest = moments("2026-01-12", "2026-01-13")
        trader.move(first)
        # What the ledger does not know of is promised elsewhere.
        trader.double.blocks = {"buying_power": "30000", "non_marginable_buying_power": "30000"}
        trader.step(first)
        trader.double.blocks = {}
        with trader.ledger() as ledger:
            orders = ledger.orders()
            assert ledger.short_symbols()
        placed = orders[orders["symbol"].isin(["BTC-USD", "ETH-USD"])]
        assert list(placed["status"]) == ["reduced", "reduced"]
        assert set(placed["reason"]) == {"cut to the cash present, or to the broker's largest order"}
        assert (placed["size"] * placed["price"]).sum() <= 30_000.0
        for now in rest:
            trader.move(now)
            assert trader.step(now).halt == ""


def test_orders_larger_than_alpaca_takes_are_cut_and_told(world: World) -> None:
    with world.account("large", cash=1_000_000.0) as trader:
        for now in moments("2026-01-12", "2026-01-13"):
            trader.move(now)
            assert trader.step(now).halt == ""
        with trader.ledger() as ledger:
            orders = ledger.orders().set_index("client_id")
        buy, sell = (orders.loc[f"large-202601{day}-BTC-USD-{side}"] for day, side in ((12, "buy"), (13, "sell")))
        assert (buy["status"], sell["status"]) == ("reduced", "reduced")
        assert buy["size"] * buy["price"] == pytest.approx(200_000.0, rel=1e-6)
        assert sell["size_wanted"] > sell["size"]


# Trouble


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_order_is_lost_and_none_sent_twice_whatever_goes_wrong(world: World, seed: int) -> None:
    """Time-outs after acceptance, 429, 500, 503, cut connections, answers twice and out of order, partial fills."""
    with world.account(f"trouble-{seed}") as trader:
        trader.double.chaos, trader.double.chance = random.Random(seed), 0.3
        faults = 0
        for now in moments("2026-01-12", "2026-01-13"):
            trader.double.fill_share = Decimal(1) if now.hour == 0 else Decimal("0.4")
            trader.move(now)
            for _ in range(4):
                told = trader.step(now)
                assert told.halt == ""
                faults += bool(told.fault)
                trader.double.fill_open()
        assert faults
        trader.double.chaos = None
        trader.step(now)
        trader.double.fill_open()
        trader.step(now)
        with trader.ledger() as ledger:
            assert ledger.sent_intents() == ledger.unsent_intents() == []
        assert_nothing_is_lost_or_done_twice(trader)


def test_a_rejected_order_halts_until_somebody_resumes(world: World) -> None:
    with world.account("rejected") as trader:
        now = moments("2026-01-12", "2026-01-12")[0]
        trader.move(now)
        trader.double.faults.append(
            trader_fault(world, "POST /orders", 422, '{"code": 40010001, "message": "qty must be integer"}')
        )
        told = trader.step(now)
        words = "rejected by Alpaca: qty must be integer (HTTP 422, code 40010001)"
        assert "order rejected-20260112-BTC-USD-buy" in told.halt
        assert told.halt.endswith(words)
        placed = len(trader.double.orders)
        assert trader.step(now + timedelta(hours=15)).sent == []
        assert len(trader.double.orders) == placed


@pytest.mark.slow
def test_a_refusal_of_business_is_told_and_the_next_session_plans_anew(world: World) -> None:
    with world.account("refused") as trader:
        first, *_, later = moments("2026-01-12", "2026-01-13")
        trader.move(first)
        trader.double.faults.append(
            trader_fault(world, "POST /orders", 403, '{"code": 40310000, "message": "insufficient buying power"}')
        )
        told = trader.step(first)
        words = "refused by Alpaca: insufficient buying power (HTTP 403, code 40310000)"
        assert (told.halt, told.fault) == ("", "")
        assert f"no order to buy BTC-USD for 2026-01-12: {words}" in told.notes
        assert [each.symbol for each in told.not_taken] == ["BTC-USD"]
        assert "BTC-USD" not in [each.symbol for each in told.sent]
        assert "1 order not taken: buy BTC-USD" in " ".join(day_lines(told, trader.config))
        with trader.ledger() as ledger:
            assert "BTC-USD" in ledger.short_symbols()
        trader.move(later)
        assert trader.step(later).halt == ""


@pytest.mark.slow
def test_coins_for_less_than_ten_dollars_are_too_small_and_halt_nothing(world: World) -> None:
    """An account of 30 US dollars in whose shares every coin comes to less than Alpaca's smallest order."""
    with world.account("small", cash=30.0) as trader:
        told = []
        for now in moments("2026-01-12", "2026-01-13"):
            trader.move(now)
            told.append(trader.step(now))
        assert {(each.halt, each.fault) for each in told} == {("", "")}
        assert any(
            "no order to buy BTC-USD for 2026-01-12: less than the smallest order" in each.notes for each in told
        )
        with trader.ledger() as ledger:
            orders = ledger.orders().set_index("client_id")
        coin = orders.loc["small-20260112-BTC-USD-buy"]
        assert (coin["status"], coin["reason"]) == ("unfilled", "less than the smallest order")
        assert coin["money"] < 10
        assert not [each for each in trader.double.orders if "/" in each["symbol"]]
        assert trader.double.orders


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "change", "words"),
    [
        ("GET /orders", {"status": "reborn"}, "that it is 'reborn'"),
        ("GET /account/activities/FILL", {"side": "sell_short"}, "that its side is 'sell_short'"),
        ("GET /account/activities", {"status": "halfway"}, "that it is 'halfway'"),
    ],
)
def test_words_never_seen_halt_and_alert(world: World, where: str, change: dict[str, str], words: str) -> None:
    with world.account("words") as trader:
        first, later = moments("2026-01-12", "2026-01-12")[:2]
        trader.move(first)
        trader.step(first)
        trader.double._add_activity({"activity_type": "INT", "date": "2026-01-12", "net_amount": "0.5"})
        trader.double.cash += Decimal("0.5")
        trader.move(later)
        trader.double.mutate = lambda asked, answer: (
            [each | change for each in answer] if asked == where and isinstance(answer, list) else answer
        )
        alerts = mock.Mock(spec=Alerts)
        told = Attendant(trader.config, alerts, print).step(now=later)
        assert told.halt.startswith("the broker refuses: Alpaca says of the ")
        assert words in told.halt
        (sent,) = alerts.send.call_args_list
        assert sent.args[0] == "halt"
        assert words in sent.args[1]
        # Once it is looked at, and told in known words, the account goes on; what was paid meanwhile is booked once.
        trader.double.mutate = None
        resume(trader.config, "looked at")
        assert trader.step(later).halt == ""
        with trader.ledger() as ledger:
            assert list(ledger.entries()["kind"]).count("interest") == 1


def trader_fault(world: World, on: str, status: int, body: str | None = None) -> Any:
    return alpaca_double.Fault(on, status, body=body)


def test_a_position_changed_by_hand_halts(world: World) -> None:
    with world.account("by-hand") as trader:
        days = moments("2026-01-12", "2026-01-13")
        for now in days[:3]:
            trader.move(now)
            assert trader.step(now).halt == ""
        symbol, units = next(iter(trader.double.positions.items()))
        trader.double.positions[symbol] = units + 1
        trader.move(days[3])
        told = trader.step(days[3])
        assert told.halt.startswith("ledger and broker do not agree: ")
        assert f"{float(units + 1)!r}" in told.halt
        assert told.sent == []
        assert reconcile(trader.config, now=days[3]) == [told.halt.removeprefix("ledger and broker do not agree: ")]
        trader.double.positions[symbol] = units
        resume(trader.config, "put back")
        assert trader.step(days[3]).halt == ""


def test_a_position_that_vanishes_halts(world: World) -> None:
    with world.account("vanished") as trader:
        days = moments("2026-01-12", "2026-01-13")
        for now in days[:3]:
            trader.move(now)
            trader.step(now)
        trader.double.positions.clear()
        trader.move(days[3])
        assert "the broker 0.0" in trader.step(days[3]).halt


@pytest.mark.slow
@pytest.mark.parametrize("share", ["0", "0.25"])
def test_an_order_that_vanishes_halts_until_somebody_has_looked_for_it(tmp_path: Path, share: str) -> None:
    """It then ends as it is, a part that was filled kept, and the session after plans anew."""
    with at_alpaca(tmp_path) as world:
        world.double.fill_share = Decimal(share)
        world.step(world.sessions[0])
        world.double.now = during = datetime(2026, 3, 2, 16, tzinfo=UTC)
        world.double.fill_share = Decimal(0)
        with mock.patch("paper.step.step.newest_snapshot", return_value=world.market(world.sessions[0])):
            run_step(world.config, now=during)
        world.double.orders.clear()
        world.double.fill_share = Decimal(1)
        told = world.step(world.sessions[1])
        vanished = "paper-20260302-MU-buy"
        assert f"order {vanished}: the ledger has it sent, the broker does not know it; look for it" in told.halt
        told = world.step(world.sessions[2])
        filled = float(world.double.positions.get("MU", 0))
        assert (told.halt, told.fault) == ("", "")
        assert told.notes[0].startswith(f"the order {vanished} ends: the broker does not know it any more")
        for session in world.sessions[3:5]:
            assert world.step(session).halt == ""
        with world.ledger() as ledger:
            assert broken_invariants(ledger) == []
            orders = ledger.orders().set_index("client_id")
            held = ledger.holdings()
        assert held.units["MU"] == pytest.approx(float(world.double.positions["MU"]))
        assert held.units["MU"] == pytest.approx(1000.0, rel=1e-6)
    assert (filled > 0) == (share != "0")
    assert orders.loc[vanished, "status"] == ("unfilled" if share == "0" else "reduced")
    assert orders.loc[vanished, "size"] == pytest.approx(filled, abs=1e-9)
    assert list(orders["status"])[1:] == ["filled"]


@pytest.mark.slow
def test_an_order_that_the_broker_does_not_end_is_told_once(tmp_path: Path) -> None:
    """Its requests to cancel are answered as done, and it stays open."""
    with at_alpaca(tmp_path) as world:
        world.double.fill_share = Decimal(0)
        told = [world.step(world.sessions[0])]
        world.double.orders[0]["time_in_force"] = "gtc"
        with mock.patch.object(type(world.double), "_cancel", return_value=None):
            told += [world.step(session) for session in world.sessions[1:5]]
        words = "the order paper-20260302-MU-buy is not over at the broker, which was asked to end it"
        assert [sum(words in note for note in each.notes) for each in told] == [0, 0, 0, 1, 0]
        assert [each.halt for each in told] == [""] * 5
        assert len(world.double.orders) == 1
        # Ended there by hand, it is over here, and planned anew.
        world.double.orders[0]["status"] = "canceled"
        world.double.fill_share = Decimal(1)
        assert len(world.step(world.sessions[5]).sent) == 1


def test_an_order_that_arrived_unnoticed_on_the_last_step_of_its_session_is_not_forgotten(world: World) -> None:
    """Alpaca took it, its answer was lost, and no step came before the session was over."""
    with world.account("unnoticed") as trader:
        decided, *_, after_open = moments("2026-01-12", "2026-01-12")
        trader.move(decided)
        trader.step(decided)
        trader.move(after_open)
        with trader.ledger() as ledger:
            before = {intent.client_id for intent in ledger.unsent_intents()}
        trader.double.faults.append(alpaca_double.Fault("POST /orders", 500, accepted=True))
        trader.double.faults += [alpaca_double.Fault("GET /orders:by_client_order_id", 500) for _ in range(20)]
        told = trader.step(after_open)
        trader.double.faults.clear()
        later = moments("2026-01-13", "2026-01-13")[0]
        trader.move(later)
        assert (told.fault != "") or not before
        assert trader.step(later).halt == ""
        assert_nothing_is_lost_or_done_twice(trader)


# Killed


def run_and_kill(trader: Trader, now: datetime, after: float) -> bool:
    """Step in a forked child of this warm process, and kill it; whether it was still at it."""
    child = os.fork()
    if not child:
        status = 1
        try:
            trader.step(now)
            status = 0
        finally:
            os._exit(status)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.slow
def test_killed_at_any_moment_and_started_again_it_does_the_same(world: World) -> None:
    chance = random.Random(7)
    with world.account("calm") as calm, world.account("killed") as trader:
        killed, took = 0, 0.5
        for now in moments("2026-01-12", f"{LAST:%Y-%m-%d}"):
            if killed >= KILLS and now.date() > FIRST_PAID:
                break
            for each in (calm, trader):
                each.move(now)
            begin = time.monotonic()
            calm.step(now)
            took = time.monotonic() - begin
            killed += sum(
                run_and_kill(trader, now, chance.uniform(0.0, took)) for _ in range(7 if killed < KILLS else 0)
            )
            told = trader.step(now)
            assert (told.halt, told.fault) == ("", "")
        assert killed >= KILLS
        assert_nothing_is_lost_or_done_twice(trader)
        assert trader.placed() == calm.placed()
        assert trader.double.positions == calm.double.positions
        assert float(trader.double.cash) == pytest.approx(float(calm.double.cash), rel=1e-12)
        # And every table of the ledger, but for what the double numbers anew; the shadow book follows from them.
        found, wanted = (all_rows(each.config.state_folder) for each in (trader, calm))
        assert {table: len(rows) for table, rows in found.items()} == {
            table: len(rows) for table, rows in wanted.items()
        }
        stands = [read_status(each.config, now) for each in (trader, calm)]
        shadows = [[(*each,) for each in map(astuple, told.shadow.rows)] for told in stands]
        assert len(shadows[1]) > 0
        assert [row[:3] for row in shadows[0]] == [row[:3] for row in shadows[1]]
        assert [row[3:] for row in shadows[0]] == [pytest.approx(row[3:], rel=1e-9) for row in shadows[1]]
