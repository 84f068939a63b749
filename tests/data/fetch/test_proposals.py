"""Entries made of what a source tells, against answers of the real one, and what others have met with."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import fetch_world
import loopback
from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from data.catalogue.catalogue import Catalogue, catalogue_of
from data.catalogue.own import OwnCatalogue
from data.clock import calendar_names
from data.errors import InputError
from data.fetch.fetch import fetch, known_to
from data.fetch.proposals import CALENDARS, proposals, proposed
from data.market.manifest import FetchRecord
from data.market.snapshot import load
from data.net.errors import NoNetworkError, SourceError
from data.net.settings import SourceSettings
from data.sources.answers import Listing, Profile
from data.sources.yahoo import fetch_listing
from data.sources.yahoo_chart import read_chart

PLTR = Listing("PLTR", "Palantir Technologies Inc.", "EQUITY", "USD", "NMS", "NasdaqGS", date(2020, 9, 30))


def recorded(path: Path, symbol: str) -> Listing:
    chart = read_chart(symbol, json.loads(path.read_text(encoding="utf-8")))
    return Listing(symbol, chart.name, chart.kind, chart.currency, chart.venue, chart.exchange, chart.first_trade)


@pytest.mark.payloads
@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        ("chart-AMZN-2020-01-01-to-2020-01-03", ("us_stock", "USD", "XNYS", "1997-05-15", "Amazon.com, Inc.")),
        ("live-last-bar-AAPL", ("us_stock", "USD", "XNYS", "1980-12-12", "Apple Inc.")),
        ("chart-QQQ-2020-01-01-to-2020-01-03", ("us_etf", "USD", "XNYS", "1999-03-10", "Invesco QQQ Trust")),
        ("chart-BTC-USD-2020-01-01-to-2020-01-03", ("crypto", "USD", "24/7", "2014-09-17", "Bitcoin USD")),
        ("live-last-bar-GS2C.DE", ("foreign_stock", "EUR", "XETR", "2007-12-27", "GameStop Corp.")),
    ],
)
def test_recorded_answers_come_to_the_right_entry(payloads: Path, file: str, wanted: tuple[str, ...]) -> None:
    entry = proposed(recorded(payloads / "yahoo" / f"{file}.json", "ANY"))
    assert (entry.asset_class, entry.currency, entry.calendar, str(entry.listed), entry.name) == wanted


@pytest.mark.payloads
@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("chart-OCDO.L-2020-01-01-to-2020-01-03", "got GBp, hundredths of GBP"),
        ("chart-EURUSD=X-2020-01-01-to-2020-01-03", r"got CURRENCY \(EUR/USD\) from Yahoo"),
        ("chart-0P000071W8.TO-2020-01-01-to-2020-01-03", "got MUTUALFUND"),
        ("chart-0P0000XTS7-2024-09-12-to-2024-09-16", "got MUTUALFUND"),
    ],
)
def test_recorded_answers_that_no_entry_can_express(payloads: Path, file: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        proposed(recorded(payloads / "yahoo" / f"{file}.json", "ANY"))


def test_every_calendar_that_is_proposed_is_one() -> None:
    assert all(calendar_names()[name] == name for name in CALENDARS.values())


def test_a_stock_older_than_the_epoch_has_its_first_day(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first bar is told in seconds before 1970."""
    loopback.redirect_yahoo(server, monkeypatch)
    chart = loopback.yahoo_chart("IBM", [("2024-01-02", 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)])
    chart["chart"]["result"][0]["meta"]["firstTradeDate"] = -252_322_200
    server.answers(loopback.yahoo_path("IBM"), loopback.Answer(chart))
    listing = fetch_listing("IBM", SourceSettings(yahoo_url=server.url, yahoo_per_second=1000))
    assert proposed(listing).listed == date(1962, 1, 2)


def test_a_caret_is_written_as_an_address_wants_it(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    loopback.redirect_yahoo(server, monkeypatch)
    chart = loopback.yahoo_chart("^W5000", [("2024-01-02", 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)])
    chart["chart"]["result"][0]["meta"]["instrumentType"] = "INDEX"
    server.answers(loopback.yahoo_path("%5EW5000"), loopback.Answer(chart))
    listing = fetch_listing("^W5000", SourceSettings(yahoo_url=server.url, yahoo_per_second=1000))
    with pytest.raises(InputError, match=r"instrument \^W5000: got INDEX .* wanted one of EQUITY, ETF, CRYPTOCURRENCY"):
        proposed(listing)


def test_a_source_that_fails_costs_the_others_nothing_and_one_out_of_reach_is_asked_once() -> None:
    asked = []

    def listing(symbol: str) -> Listing:
        asked.append(symbol)
        if symbol == "GONE":
            raise SourceError("Yahoo: GONE: not found")
        if symbol == "DOWN":
            raise NoNetworkError("Yahoo: no network")
        return replace(PLTR, symbol=symbol)

    sources = replace(fetch_world.World().sources(), listing=listing)
    made = proposals(["GONE", "PLTR", "DOWN", "NEXT"], [], sources, lambda _stage: None)
    assert asked == ["GONE", "PLTR", "DOWN"]
    assert [each.name for each in made.found] == ["PLTR"]
    assert [(each.name, each.how) for each in made.failures] == [
        ("GONE", "refused"),
        ("DOWN", "no_network"),
        ("NEXT", "no_network"),
    ]


def test_one_that_cannot_be_expressed_refuses_all() -> None:
    def listing(symbol: str) -> Listing:
        return replace(PLTR, symbol=symbol, currency="GBp" if symbol == "VOD.L" else "USD")

    with pytest.raises(InputError, match=r"instrument VOD\.L: from Yahoo: got GBp"):
        proposals(["PLTR", "VOD.L"], [], replace(fetch_world.World().sources(), listing=listing), lambda _stage: None)


# Markets with entries of one's own


@pytest.fixture
def world() -> fetch_world.World:
    like = {"XYZ": "MU", "SPY": "SPY"}
    return fetch_world.World({name: fetch_world.made_bars(of, "2024-01-02", "2024-06-28") for name, of in like.items()})


NOW = pd.Timestamp("2024-07-01 12:00", tz="UTC")


def own(**changes: Any) -> OwnCatalogue:
    entry = {
        "name": "mine", "currency": "USD", "calendar": "XNYS", "asset_class": "us_stock", "listed": date(2024, 1, 2),
        "quantum": 1e-6, **changes,
    }  # fmt: skip
    return OwnCatalogue(instruments={"XYZ": entry})


def fetch_mine(world: fetch_world.World, entries: OwnCatalogue | None, *symbols: str) -> Any:
    wanted = FetchRecord(symbols=symbols or ("XYZ", "SPY"), start=date(2024, 1, 2))
    return fetch("mine", wanted, world.sources(), NOW, ("yahoo",), own=entries)


def test_an_entry_that_changed_is_refused_before_anything_is_asked(world: fetch_world.World) -> None:
    assert fetch_mine(world, own()).version == "mine.1"
    world.asked.clear()
    for changed in (own(listed=date(2024, 1, 3)), own(quantum=1.0), own(asset_class="us_etf")):
        with pytest.raises(InputError, match=r"catalogue\.instruments\.XYZ\.\w+: got .* but the market was made with"):
            fetch_mine(world, changed)
        with pytest.raises(InputError, match="the market was made with"):
            known_to("mine", changed)
    assert world.asked == []
    assert fetch_mine(world, own(name="another name", turnover=(0.0, 1e12))).version is None


def test_what_nobody_knows_is_refused_before_anything_is_asked(world: fetch_world.World) -> None:
    with pytest.raises(InputError, match="instrument XYZ has no entry in the catalogue"):
        fetch_mine(world, None)
    assert world.asked == []


def test_an_own_instrument_without_a_bar_is_told_and_a_run_of_it_refused_by_name(world: fetch_world.World) -> None:
    """In other engines an asset that a bundle names and has no rows of is a bare KeyError in the midst of a run."""
    world.failing["XYZ"] = SourceError("Yahoo: XYZ: not today")
    outcome = fetch_mine(world, own())
    assert (outcome.version, outcome.lacking) == ("mine.1", ("XYZ",))
    market = load("mine.1")
    assert "XYZ" in market.instruments
    spec = load_spec(
        {
            "run": {"name": "x", "start": "2024-02-01"},
            "universe": {"cash_flow": ["XYZ"], "benchmark": "SPY"},
        }
    )
    with pytest.raises(InputError, match=r"universe.cash_flow: unknown symbol XYZ: market mine\.1 does not hold it"):
        run_backtest(spec, market)


def test_a_wrong_calendar_is_told_by_its_days(world: fetch_world.World) -> None:
    """Days of Seoul under an entry that says New York."""
    seoul = fetch_world.made_bars("005930.KS", "2024-01-02", "2024-06-28")
    world.bars["XYZ"] = seoul
    [failure] = [each for each in fetch_mine(world, own()).failures if each.name == "XYZ"]
    assert "XNYS" in failure.reason


def test_what_a_market_was_made_with_is_read_for_ever_whatever_is_shipped_later(
    world: fetch_world.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later version ships XYZ otherwise; in other engines such a file overwrites the user's."""
    fetch_mine(world, own())
    kept = load("mine.1").instruments["XYZ"]
    other = kept.model_copy(update={"listed": date(2019, 5, 6), "name": "as shipped"})
    shipped = catalogue_of(Catalogue())
    newer = replace(shipped, instruments={**shipped.instruments, "XYZ": other})
    monkeypatch.setattr("data.catalogue.catalogue.shipped_catalogue", lambda: newer)
    market = load("mine.1")
    assert market.instruments["XYZ"] == kept
    assert market.catalogue.instruments["XYZ"].listed == date(2024, 1, 2)
    # A spec of the time before still fits; a market made anew by it does not.
    assert catalogue_of(market.kept_entries, own()).instruments["XYZ"].listed == date(2024, 1, 2)
    with pytest.raises(InputError, match="but the shipped entry says 2019-05-06; take the entry"):
        catalogue_of(Catalogue(), own())
    spec = load_spec(
        {
            "run": {"name": "x", "start": "2024-02-01", "end": "2024-03-28"},
            "universe": {"cash_flow": ["XYZ"], "benchmark": "SPY"},
            "signal": {"source": "regimes.csv"},
            "catalogue": own()._in_order(),
        }
    )
    Path("regimes.csv").write_text("known_at,regime\n2018-12-31T22:00:00+00:00,SCARCE\n")
    run = run_backtest(spec, market)
    assert any(
        note.startswith("XYZ: the shipped catalogue of instruments now says listed 2019-05-06") for note in run.notes
    )
    assert run.engine.orders["symbol"].eq("XYZ").any()


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_company_is_proposed_kept_and_known_to_the_market_without_the_spec(world: fetch_world.World) -> None:
    told = Profile("IBM", "IBM", 51143, 12, ("PaymentsToAcquirePropertyPlantAndEquipment",))
    world.profiles["IBM"] = told
    world.quarters["IBM"] = fetch_world.made_quarter("IBM", "2024Q1", "2024-03-31", 0.3)
    world.failing["NOSUCH"] = SourceError("EDGAR: the SEC lists no ticker NOSUCH")
    [failure] = proposals([], ["IBM", "NOSUCH"], world.sources(), lambda _stage: None).failures
    assert (failure.source, failure.name) == ("edgar", "NOSUCH")
    made = proposals([], ["IBM"], world.sources(), lambda _stage: None)
    entries = own().with_proposed(made.found)
    wanted = FetchRecord(symbols=("XYZ", "SPY"), companies=("IBM",), start=date(2024, 1, 2))
    outcome = fetch("mine", wanted, world.sources(), NOW, ("yahoo", "edgar"), own=entries)
    assert (outcome.failures, outcome.lacking) == ((), ())
    assert load("mine.1").companies["IBM"].cik == 51143
    assert fetch("mine", FetchRecord(), world.sources(), NOW).failures == ()
    changed = entries.companies["IBM"].model_copy(update={"cik": 1})
    other = entries.model_copy(update={"companies": {"IBM": changed}})
    with pytest.raises(InputError, match=r"catalogue\.companies\.IBM\.cik: got 1, but the market was made with 51143"):
        known_to("mine", other)


def test_a_company_whose_name_is_none_is_asked_of_nobody(world: fetch_world.World) -> None:
    with pytest.raises(InputError, match="company A/B has no entry in the catalogue"):
        proposals([], ["A/B"], world.sources(), lambda _stage: None)
    assert world.asked == []
