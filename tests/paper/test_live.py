"""Day by day with the simulated broker: fills come with the bars, and never at a price from before the decision."""

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

import fetch_world
from accounts import write_account_files
from data.errors import InputError
from data.fetch.fetch import fetch
from data.market.manifest import FetchRecord
from data.market.snapshot import save
from data.market.tables import ACTIONS
from data.market.versions import locked, versions_of
from data.net.errors import SourceError
from hand_made import make_instrument, make_snapshot
from paper.brokers.simulated.broker import SimulatedBroker
from paper.brokers.simulated.schema import MIGRATIONS
from paper.config import PaperConfig
from paper.ledger.invariants import broken_invariants
from paper.ledger.reader import LEDGER_FILE, LedgerReader
from paper.step import account as step
from paper.step import refresh as refreshing
from paper.step import step as stepping
from paper.step.account import reconcile, resume, run_step
from paper.storage import database

# Monday March 4th to Tuesday March 12th; the coin trades on the weekend too.
STOCK = {4: (100, 101), 5: (102, 103), 6: (104, 105), 7: (106, 107), 8: (108, 109), 11: (110, 111), 12: (112, 113)}
COIN = {day: (1000 + 10 * day, 1005 + 10 * day) for day in range(4, 14)}
EARLIER = [("2024-02-29", 100.0, 100.0), ("2024-03-01", 100.0, 100.0)]
EARLIER_COIN = [("2024-03-01", 1000.0, 1000.0), ("2024-03-02", 1000.0, 1000.0), ("2024-03-03", 1000.0, 1000.0)]


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr(database, "SYNCHRONOUS", "OFF")


def moment(day, clock="00:20"):
    return datetime.fromisoformat(f"2024-03-{day:02d}T{clock}:00+00:00")


@pytest.fixture
def whole():
    """The market with all of its days."""

    def dated(prices):
        return [(f"2024-03-{day:02d}", float(first), float(last)) for day, (first, last) in prices.items()]

    bars = {"STOCK": EARLIER + dated(STOCK), "COIN": EARLIER_COIN + dated(COIN)}
    return make_snapshot(bars, {"COIN": make_instrument("crypto", quantum=1e-9)}, as_traded=True)


@pytest.fixture
def account(tmp_path, monkeypatch, whole):
    """An account, and a market that has grown up to the day of the step."""
    regimes = {"2024-02-01T00:00:00+00:00": "NEUTRAL", "2024-03-06T22:00:00+00:00": "SCARCE"}
    spec = write_account_files(tmp_path, start=date(2024, 3, 4), regimes=regimes, instrument_cap=1.0, free=True)
    config = PaperConfig(
        market="made",
        spec=str(spec),
        state={"path": tmp_path / "state"},
        limits={"largest_position": 1.0},
    )
    return Account(config, whole, monkeypatch)


class Account:
    def __init__(self, config, whole, monkeypatch):
        self.config, self.whole, self.monkeypatch = config, whole, monkeypatch

    def step(self, day, clock="00:20", **given):
        """A step at a moment of March 2024; the market has the bars of the days before."""
        grown = replace(self.whole, bars=self.whole.bars[self.whole.bars["date"] < pd.Timestamp(f"2024-03-{day:02d}")])
        self.monkeypatch.setattr(stepping, "newest_snapshot", lambda _name: grown)
        return run_step(self.config, now=moment(day, clock), **given)

    def ledger(self):
        return LedgerReader(self.config.state_folder / LEDGER_FILE)

    def holdings(self):
        with self.ledger() as ledger:
            return ledger.holdings()

    def order(self, day, symbol):
        with self.ledger() as ledger:
            orders = ledger.orders()
        (row,) = orders[(orders["session"] == f"2024-03-{day:02d}") & (orders["symbol"] == symbol)].itertuples()
        return row


def test_a_week_by_hand(account):
    # Monday: 40% of 100,000 to each basket.
    first = account.step(4)
    assert [(each.symbol, each.side, each.money) for each in first.sent] == [
        ("COIN", "buy", 40_000),
        ("STOCK", "buy", 40_000),
    ]
    assert first.fills == []
    # What is open is reserved, and nothing is decided twice.
    assert account.step(4, "13:00").sent == []

    # Tuesday knows Monday's bars: the stock has filled at Monday's open, the coin waits for its first open since.
    (stock,) = account.step(5).fills
    assert (stock.symbol, stock.price, stock.units, stock.at) == ("STOCK", 100.0, 400.0, moment(4, "14:30"))
    assert account.holdings().units == {"STOCK": 400.0}
    assert account.order(4, "COIN").status == "open"

    # Wednesday knows Tuesday's: the coin has filled at Tuesday's UTC open, after the intent of Monday 00:20.
    (coin,) = account.step(6).fills
    assert (coin.symbol, coin.price, coin.at) == ("COIN", 1050.0, moment(5, "00:00"))
    assert coin.units == pytest.approx(40_000 / 1050)
    assert account.holdings().cash == pytest.approx(20_000)
    with account.ledger() as ledger:
        equity = ledger.equity()["equity"]
    assert equity.tolist() == pytest.approx([60_000 + 400 * 101, 20_000 + 400 * 103 + coin.units * 1055])

    # Thursday: SCARCE. All of the coin is on sale, and the stock is bought for what is there.
    sent = account.step(7).sent
    worth = 20_000 + 400 * 105 + coin.units * 1065
    assert [(each.symbol, each.side) for each in sent] == [("COIN", "sell"), ("STOCK", "buy")]
    assert sent[1].money == pytest.approx(0.8 * worth - 400 * 105)

    # Friday: the stock got the cash present; the coin's sale, at Friday's open, is not known yet, and is left alone.
    friday = account.step(8)
    assert account.order(7, "STOCK").reason == "cut to the cash present"
    assert friday.decision.left_alone == ("COIN",)
    assert friday.sent == []
    assert account.holdings().cash == pytest.approx(0, abs=1e-6)

    # Saturday has nothing to decide.
    saturday = account.step(9)
    assert saturday.session is None
    assert saturday.notes == ["nothing to decide now: the decision for 2024-03-11 is due at 2024-03-11 00:15 UTC"]
    assert (saturday.fills[0].price, saturday.fills[0].at) == (1080.0, moment(8, "00:00"))

    # Monday goes on with what the coin brought.
    (more,) = account.step(11).sent
    held = 400 + 20_000 / 106
    cash = coin.units * 1080
    assert (more.symbol, more.side) == ("STOCK", "buy")
    assert more.money == pytest.approx(0.8 * (cash + held * 109) - held * 109)
    account.step(12)
    assert account.order(11, "STOCK").status == "filled"
    assert reconcile(account.config, moment(12)) == []
    with account.ledger() as ledger:
        assert broken_invariants(ledger) == []


def test_a_coin_sold_on_friday_fills_at_saturdays_open(account):
    for day in (4, 5, 6):
        account.step(day)
    (account.config.state_folder.parent / "regimes.csv").write_text(
        "known_at,regime\n2024-02-01T00:00:00+00:00,NEUTRAL\n2024-03-07T22:00:00+00:00,SCARCE\n", encoding="utf-8"
    )
    account.step(7)
    account.step(8)
    account.step(11)
    told = account.step(12)
    assert [(fill.symbol, fill.price, fill.at) for fill in told.fills if fill.symbol == "COIN"] == [
        ("COIN", 1090.0, moment(9, "00:00"))
    ]


def test_decided_after_the_open(account):
    account.step(4, "14:31")
    assert account.order(4, "STOCK").status == "unfilled"
    assert account.order(4, "STOCK").reason == "decided too late for the open"
    told = account.step(5)
    # The next session plans anew, and leaves the coin alone, whose order is open.
    assert [(each.symbol, each.side) for each in told.sent] == [("STOCK", "buy")]
    assert told.decision.left_alone == ("COIN",)
    # 40,000 of Tuesday's equity, which is still all in cash.
    assert told.sent[0].money == pytest.approx(40_000)


def test_an_intent_is_stamped_when_it_is_decided_not_when_the_step_began(account, monkeypatch):
    """A refresh that takes its time must not let an order fill at an open that has passed meanwhile."""
    times = iter([moment(4, "14:29")])
    monkeypatch.setattr(step, "_clock", lambda _now: lambda: next(times, moment(4, "14:31")))
    account.step(4)
    assert account.order(4, "STOCK").reason == "decided too late for the open"


def test_what_open_orders_promise_is_not_spent_twice(account):
    account.step(4)
    regimes = account.config.state_folder.parent / "regimes.csv"
    regimes.write_text("known_at,regime\n2024-02-01T00:00:00+00:00,NEUTRAL\n2024-03-04T22:00:00+00:00,SCARCE\n")
    told = account.step(5)
    # The coin's 40,000 are still under way on Tuesday: 80% of all is wanted of the stock, and 20,000 are free.
    assert told.decision.left_alone == ("COIN",)
    (order,) = told.sent
    assert (order.symbol, order.side, order.money) == ("STOCK", "buy", pytest.approx(20_000))
    assert told.decision.equity == pytest.approx(60_000 + 400 * 101)


def test_before_the_time_to_decide(account):
    told = account.step(4, "00:10")
    assert told.decision is None
    assert told.notes == ["nothing to decide now: the decision for 2024-03-04 is due at 2024-03-04 00:15 UTC"]
    with account.ledger() as ledger:
        assert ledger.account() is None


def test_a_missing_bar_is_waited_for_until_the_next_session_has_one(account):
    account.step(4)
    lacking = account.whole.bars[
        (account.whole.bars["symbol"] != "STOCK") | (account.whole.bars["date"] != "2024-03-04")
    ]
    complete, account.whole = account.whole, replace(account.whole, bars=lacking)
    assert account.step(5).fills == []
    assert account.order(4, "STOCK").status == "open"
    # It has come late.
    account.whole = complete
    assert [fill.price for fill in account.step(5, "10:00").fills] == [100.0]
    # Tuesday's never comes, and Wednesday's does.
    account.whole = replace(
        complete, bars=complete.bars[(complete.bars["symbol"] != "STOCK") | (complete.bars["date"] != "2024-03-05")]
    )
    account.step(6)
    with account.ledger() as ledger:
        assert ledger.last_close() == date(2024, 3, 4)
    account.step(7)
    with account.ledger() as ledger:
        assert ledger.last_close() == date(2024, 3, 6)


def test_splits_and_dividends_of_what_is_held(account):
    rows = [
        ("STOCK", pd.Timestamp("2024-03-06"), "split", 2.0, pd.Timestamp("2024-03-01", tz="UTC"), "test"),
        ("STOCK", pd.Timestamp("2024-03-07"), "dividend", 0.5, pd.Timestamp("2024-03-01", tz="UTC"), "test"),
    ]
    bars = account.whole.bars.copy()
    after = (bars["symbol"] == "STOCK") & (bars["date"] >= "2024-03-06")
    bars.loc[after, ["open", "high", "low", "close", "adj_close"]] /= 2
    bars.loc[bars["date"] < "2024-03-07", "adj_close"] *= 0.99
    bars.loc[(bars["symbol"] == "STOCK") & ~after, "adj_close"] /= 2
    bars.loc[bars["symbol"] == "COIN", "adj_close"] = bars["close"]
    account.whole = replace(account.whole, bars=bars, actions=pd.DataFrame(rows, columns=list(ACTIONS.columns)))
    for day in (4, 5, 6):
        account.step(day)
    before = account.holdings()
    account.step(7)
    assert account.holdings().units["STOCK"] == 2 * before.units["STOCK"] == 800.0
    account.step(8)
    with account.ledger() as ledger:
        entries = ledger.entries()
        assert broken_invariants(ledger) == []
    dividends = entries[entries["kind"] == "dividend"]
    assert dividends["amount"].tolist() == [400.0]
    assert reconcile(account.config, moment(8)) == []


def test_ledger_and_broker_that_disagree_halt_the_trader(account):
    account.step(4)
    account.step(5)
    broker = database.Database(account.config.state_folder / "simulated-broker.sqlite", MIGRATIONS)
    with broker.writing():
        broker.change("UPDATE books SET cash = cash - 1000")
    broker.close()
    told = account.step(6)
    assert told.halt == "ledger and broker do not agree: cash: the ledger has 20,000.0000 USD, the broker 19,000.0000"
    assert told.decision is None
    assert account.step(7).sent == []
    resume(account.config, "to see")
    assert account.step(7, "01:00").halt.startswith("ledger and broker do not agree")


def test_a_guard_and_a_kill_file_halt_until_somebody_resumes(account):
    limited = account.config.model_copy(
        update={"limits": account.config.limits.model_copy(update={"largest_order": 0.3})}
    )
    free, account.config = account.config, limited
    told = account.step(4)
    assert "largest order" in told.halt
    assert told.sent == []
    assert account.step(4, "01:00").decision is None
    account.config = free
    account.config.kill_file.touch()
    with pytest.raises(Exception, match="kill file"):
        resume(account.config, "mended")
    account.config.kill_file.unlink()
    resume(account.config, "mended")
    assert len(account.step(4, "02:00").sent) == 2
    account.config.kill_file.touch()
    told = account.step(5)
    assert "kill file" in told.halt
    # What was sent before is settled all the same.
    assert [fill.symbol for fill in told.fills] == ["STOCK"]


def test_what_a_halt_finds_unsent_is_never_sent(account, monkeypatch):
    def break_off(_self, _intents):
        raise RuntimeError("broken off")

    with monkeypatch.context() as patch:
        patch.setattr(SimulatedBroker, "send", break_off)
        with pytest.raises(RuntimeError, match="broken off"):
            account.step(4)
    account.config.kill_file.touch()
    assert account.step(5).sent == []
    account.config.kill_file.unlink()
    resume(account.config, "go on")
    told = account.step(5, "01:00")
    assert account.order(4, "STOCK").reason == "the trader was halted before it could be sent"
    assert account.order(4, "COIN").status == "unfilled"
    # The session plans anew.
    assert [each.client_id for each in told.sent] == ["paper-20240305-COIN-buy", "paper-20240305-STOCK-buy"]


def test_a_step_that_was_broken_off_goes_on_as_if_it_had_not_been(account, monkeypatch):
    def break_off(_self, _intents):
        raise RuntimeError("broken off")

    with monkeypatch.context() as patch:
        patch.setattr(SimulatedBroker, "send", break_off)
        with pytest.raises(RuntimeError, match="broken off"):
            account.step(4)
    told = account.step(5)
    # The intent was written before Monday's open, and the broker gets it before it plays Monday.
    assert [(fill.symbol, fill.at) for fill in told.fills] == [("STOCK", moment(4, "14:30"))]


def test_the_newest_version_of_a_market_is_read(account, whole, tmp_path):
    for number, until in enumerate(("2024-03-04", "2024-03-05"), start=1):
        save(replace(whole, name=f"made.{number}", bars=whole.bars[whole.bars["date"] < until]))
        told = run_step(account.config, now=moment(3 + number))
        assert told.decision.market == f"made.{number}"
    assert [fill.symbol for fill in told.fills] == ["STOCK"]


def test_a_step_in_another_time_zone_is_the_same(account):
    account.step(4)
    eastern = moment(5).astimezone(ZoneInfo("America/New_York"))
    assert eastern.date() == date(2024, 3, 4)
    grown = replace(account.whole, bars=account.whole.bars[account.whole.bars["date"] < "2024-03-05"])
    account.monkeypatch.setattr(stepping, "newest_snapshot", lambda _name: grown)
    assert run_step(account.config, now=eastern).session == date(2024, 3, 5)


@pytest.fixture
def fetched(account, monkeypatch):
    """A market that is fetched, whose first version ends before the account's first session; and its sources."""
    world = fetch_world.World(
        bars={name: fetch_world.made_bars(name, "2024-02-01", "2024-03-08") for name in ("BTC-USD", "MU")}
    )
    monkeypatch.setattr(refreshing, "public_sources", lambda _settings: world.sources())
    spec = account.config.load_spec().to_toml().replace('"COIN"', '"BTC-USD"').replace('"STOCK"', '"MU"')
    (account.config.state_folder.parent / "spec.toml").write_text(spec, encoding="utf-8")
    wanted = FetchRecord(symbols=("BTC-USD", "MU"), start=date(2024, 2, 1))
    fetch("live", wanted, world.sources(), pd.Timestamp(moment(2)), ("yahoo",))
    return account.config.model_copy(update={"market": "live", "refresh": True}), world


def test_a_market_is_refreshed_first(fetched):
    config, _ = fetched
    told = run_step(config, now=moment(4))
    assert (told.decision.market, told.halt, told.notes) == ("live.2", "", [])
    assert told.decision.newest_bars == {"coins": date(2024, 3, 3), "stocks": date(2024, 3, 1)}
    # Nothing new, no new version; and a dry run asks nobody.
    run_step(config, now=moment(4, "00:30"))
    assert run_step(config, now=moment(5), dry_run=True).decision.market == "live.2"
    assert versions_of("live") == ["live.1", "live.2"]


def test_a_refresh_that_fails_is_told_and_stale_data_halt(fetched):
    config, world = fetched
    world.failing = {name: SourceError(f"{name} did not come") for name in ("BTC-USD", "MU")}
    told = run_step(config, now=moment(4))
    # Friday's bar of the stock is there already.
    assert told.notes == ["BTC-USD was not refreshed by yahoo: BTC-USD did not come"]
    assert told.halt == ""
    told = run_step(config, now=moment(6))
    assert told.halt.startswith("stale data: the newest bar of")
    assert told.sent == []


def test_a_refresh_while_another_process_fetches(fetched):
    config, _ = fetched
    with locked("live"):
        (note,) = run_step(config, now=moment(4)).notes
    assert note.startswith("the market live was not refreshed: a change of the market live is under way already")


def test_a_market_that_is_not_there_is_made_of_what_the_spec_reads(fetched):
    config, world = fetched
    world.series = {"DGS3MO": fetch_world.made_series({"2024-03-01": 5.0})}
    told = run_step(config.model_copy(update={"market": "tonight"}), now=moment(4))
    assert (told.decision.market, told.halt) == ("tonight.1", "")
    assert {intent.symbol for intent in told.sent} == {"BTC-USD", "MU"}


def test_a_market_that_cannot_be_made_is_refused_in_one_line(fetched):
    config, world = fetched
    world.failing = {name: SourceError(f"{name} did not come") for name in ("BTC-USD", "MU", "DGS3MO")}
    other = config.model_copy(update={"market": "nowhere"})
    told = r"by yahoo: BTC-USD did not come \(2 more\); see: reverse-qe data fetch --name nowhere"
    with pytest.raises(InputError, match=told):
        run_step(other, now=moment(4))
    assert versions_of("nowhere") == []
