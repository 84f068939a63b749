"""`data.fetch.fetch.fetch`: what lands, what is asked again, what a failure, a kill or a second fetch leaves behind."""

import math
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import fetch_world
from data.errors import InputError
from data.events.adding import new_row, removal
from data.events.editions import reference_events
from data.events.own_rows import append_change, own_rows, own_rows_hash
from data.fetch.fetch import FetchOutcome, fetch
from data.files.kept import snapshot_names, snapshots_dir
from data.files.locks import BusyError
from data.market.manifest import FetchRecord
from data.market.snapshot import load, read_manifest, save
from data.market.versions import locked, versions_of
from data.markets import open_market
from data.net.errors import NoNetworkError, SourceError
from data.sources.answers import FilingsAnswer, SeriesAnswer
from hand_made import make_snapshot

MONDAY = pd.Timestamp("2025-12-01 12:00", tz="UTC")  # Friday, November 28 was the last session that is over.
WANTED = FetchRecord(symbols=("MU", "BTC-USD"), series=("DGS10",), companies=("MSFT",), start=date(2025, 10, 1))
# FRED has a blank for Thanksgiving.
TEN_YEAR_YIELD = {"2025-11-20": 3.9, "2025-11-24": 4.0, "2025-11-25": 4.1, "2025-11-26": 4.2, "2025-11-27": math.nan}
KILLS = int(os.environ.get("REVERSE_QE_KILLS", "20"))

World = Any
Fetch = Callable[..., FetchOutcome]


@pytest.fixture
def world() -> World:
    """Two instruments, a series and a company; more of each than is public on MONDAY."""
    return fetch_world.World(
        bars={
            "MU": fetch_world.made_bars("MU", "2025-10-01", "2026-02-27"),
            "BTC-USD": fetch_world.made_bars("BTC-USD", "2025-10-01", "2026-02-27", 90_000.0),
        },
        series={"DGS10": fetch_world.made_series(TEN_YEAR_YIELD)},
    )


@pytest.fixture
def fetch_live(world: World) -> Fetch:
    def run(now: pd.Timestamp = MONDAY, wanted: FetchRecord = WANTED, **options: Any) -> FetchOutcome:
        world.asked.clear()
        return fetch("live", wanted, world.sources(), now, **options)

    return run


def reach_back(world: World) -> None:
    """Let the world have a month more of prices before those that it has."""
    for symbol, close in {"MU": 70.0, "BTC-USD": 80_000.0}.items():
        earlier = fetch_world.made_bars(symbol, "2025-09-02", "2025-09-30", close)
        world.bars[symbol] = pd.concat([earlier, world.bars[symbol]], ignore_index=True)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_first_fetch_keeps_what_came_as_version_1(fetch_live: Fetch, world: World) -> None:
    outcome = fetch_live()
    kept = load("live.1")

    assert (outcome.before, outcome.version, outcome.failures, outcome.lacking) == (None, "live.1", (), ())
    # Thanksgiving Friday is a session; the coin's bar of December 1 is not over at noon.
    assert world.asked == [
        ("BTC-USD", "2025-10-01", "2025-11-30"),
        ("MU", "2025-10-01", "2025-11-28"),
        ("DGS10", "2025-10-01"),
    ]
    assert str(kept.bars_of("MU")["date"].iloc[-1].date()) == "2025-11-28"
    assert str(kept.bars_of("BTC-USD")["date"].iloc[-1].date()) == "2025-11-30"
    # What was said on November 26 became public on the next business day, 22:00 UTC; the 27th was a holiday.
    last = kept.series.dropna().iloc[-1]
    assert (last["value"], str(last["known_at"])) == (4.2, "2025-11-28 22:00:00+00:00")
    for name, table in reference_events().items():
        pd.testing.assert_frame_equal(getattr(kept, name), table)
    assert read_manifest("live.1").fetched.symbols == ("BTC-USD", "MU")
    assert kept.made_at == MONDAY.to_pydatetime()
    assert sorted(kept.instruments) == ["BTC-USD", "MU"]


def test_where_nothing_is_due_nothing_is_asked_and_no_version_is_made(fetch_live: Fetch, world: World) -> None:
    fetch_live()
    before = files(snapshots_dir())
    outcome = fetch_live()

    assert world.asked == []
    assert (outcome.before, outcome.version) == ("live.1", None)
    assert outcome.current == ("BTC-USD", "MU", "DGS10", "MSFT")
    assert files(snapshots_dir()) == before


def test_a_later_fetch_adds_what_is_new_to_a_new_version(fetch_live: Fetch, world: World) -> None:
    fetch_live()
    first = files(snapshots_dir() / "live.1")
    world.series["DGS10"] = fetch_world.made_series({**TEN_YEAR_YIELD, "2025-11-28": 4.3})
    outcome = fetch_live(MONDAY + pd.Timedelta(days=1))

    assert (outcome.before, outcome.version) == ("live.1", "live.2")
    # A month before the last bar is asked for again, the first day of what is held at the earliest.
    assert world.asked[:2] == [("BTC-USD", "2025-10-31", "2025-12-01"), ("MU", "2025-10-29", "2025-12-01")]
    assert [(each.table, each.name, each.what, each.count) for each in outcome.differences] == [
        ("bars", "BTC-USD", "added", 1),
        ("bars", "MU", "added", 1),
        ("series", "DGS10", "added", 1),
    ]
    assert files(snapshots_dir() / "live.1") == first
    assert versions_of("live") == ["live.1", "live.2"]
    assert open_market("live").name == "live.2"
    assert open_market("live.1").content_hash == load("live.1").content_hash


def test_one_symbol_failing_loses_nothing_and_only_it_is_asked_again(fetch_live: Fetch, world: World) -> None:
    world.failing["MU"] = SourceError("Yahoo: MU: came with 3 bars, wanted 41")
    outcome = fetch_live()

    assert [(each.source, each.name, each.reason) for each in outcome.failures] == [
        ("yahoo", "MU", "Yahoo: MU: came with 3 bars, wanted 41")
    ]
    assert (outcome.version, outcome.lacking) == ("live.1", ("MU",))
    assert outcome.answered == {"yahoo": ("BTC-USD",), "fred": ("DGS10",), "edgar": ()}
    assert read_manifest("live.1").fetched.lacking == ("MU",)

    world.failing.clear()
    again = fetch_live(wanted=FetchRecord())  # The market keeps in mind what is wanted of it.
    assert world.asked == [("MU", "2025-10-01", "2025-11-28")]
    assert (again.version, again.lacking, again.failures) == ("live.2", (), ())


def test_an_answer_that_cannot_be_used_is_a_failure_of_its_own(fetch_live: Fetch, world: World) -> None:
    world.actions["MU"] = fetch_world.made_action("2025-10-20", "dividend", 1e6)
    outcome = fetch_live()

    (failure,) = outcome.failures
    assert failure.name == "MU"
    assert failure.reason.startswith("got a dividend on 2025-10-20 of 892857% of the close before it")
    assert outcome.lacking == ("MU",)
    assert set(load("live.1").bars["symbol"]) == {"BTC-USD"}


def test_a_source_out_of_reach_is_asked_once(fetch_live: Fetch, world: World) -> None:
    world.failing = dict.fromkeys(("MU", "BTC-USD", "DGS10"), NoNetworkError("no host"))
    wanted = WANTED.model_copy(update={"series": ("DGS10", "DGS2")})
    outcome = fetch_live(wanted=wanted)

    assert [asked[0] for asked in world.asked] == ["BTC-USD", "DGS10"]
    assert outcome.no_network
    assert sorted(each.name for each in outcome.failures) == ["BTC-USD", "DGS10", "DGS2", "MU"]
    assert (outcome.version, snapshot_names(), files(snapshots_dir())) == (None, [], {})


def test_a_dividend_changes_adjusted_closes_alone_and_is_told(fetch_live: Fetch, world: World) -> None:
    fetch_live()
    before = load("live.1").bars_of("MU").set_index("date")
    # The closes of November 26 and 28 are 140 and 141.
    world.actions["MU"] = fetch_world.made_action("2025-12-01", "dividend", 1.41)
    outcome = fetch_live(MONDAY + pd.Timedelta(days=1))
    after = load("live.2").bars_of("MU").set_index("date")

    assert before["close"].iloc[-1] == 140.0 + 1.0
    pd.testing.assert_series_equal(after["close"][before.index], before["close"])
    pd.testing.assert_series_equal(after["adj_close"][before.index], before["close"] * 0.99, check_names=False)
    assert after["adj_close"].iloc[-1] == after["close"].iloc[-1]
    history = [each for each in outcome.differences if each.is_history]
    assert [(each.name, each.column, each.count, str(each.first), str(each.last)) for each in history] == [
        ("MU", "adj_close", 42, "2025-10-01", "2025-11-28")
    ]
    assert history[0].largest == pytest.approx(-0.01)
    assert load("live.2").actions["source"].tolist() == ["Yahoo"]


def test_a_split_leaves_the_prices_of_its_time_and_divides_the_adjusted_ones(fetch_live: Fetch, world: World) -> None:
    fetch_live()
    bars = world.bars["MU"]
    later = bars["date"] >= "2025-12-01"
    prices = ["open", "high", "low", "close"]
    # Restored by a source that serves 32-bit floats, the old prices come back with other last bits.
    world.bars["MU"] = bars.assign(
        **{column: (bars[column] / 10).where(later, bars[column] * (1 + 3e-8)) for column in prices}
    )
    world.actions["MU"] = fetch_world.made_action("2025-12-01", "split", 10.0)
    outcome = fetch_live(MONDAY + pd.Timedelta(days=1))
    after = load("live.2").bars_of("MU")

    assert after["close"].tolist()[-2:] == [141.0, 14.2]
    assert after["adj_close"].tolist()[-2:] == [14.1, 14.2]
    assert [each.column for each in outcome.differences if each.is_history] == ["adj_close"]
    assert len(world.asked) == 3  # nothing was asked anew


def test_a_rewritten_past_is_asked_for_in_whole(fetch_live: Fetch, world: World) -> None:
    fetch_live()
    bars = world.bars["MU"]
    world.bars["MU"] = bars.assign(close=bars["close"].mask(bars["date"] == "2025-10-02", 95.0) * 1.01)
    outcome = fetch_live(MONDAY + pd.Timedelta(days=1))

    assert [asked for asked in world.asked if asked[0] == "MU"] == [
        ("MU", "2025-10-29", "2025-12-01"),
        ("MU", "2025-10-01", "2025-12-01"),
    ]
    close = next(each for each in outcome.differences if each.column == "close")
    assert (close.count, str(close.first)) == (42, "2025-10-01")
    assert close.largest == pytest.approx(95.0 * 1.01 / 101 - 1)
    assert load("live.2").bars_of("MU")["close"].iloc[1] == 95.0 * 1.01


def test_where_the_whole_past_does_not_come_the_old_one_is_kept_whole(fetch_live: Fetch, world: World) -> None:
    fetch_live()
    bars = world.bars["MU"]
    world.bars["MU"] = bars.assign(close=bars["close"] * 1.01)
    answers = world.sources()

    def once(symbols: list[str], first: pd.Timestamp, *rest: Any) -> dict[str, Any]:
        told = dict(answers.prices(symbols, first, *rest))
        return told if str(first.date()) != "2025-10-01" else dict.fromkeys(symbols, SourceError("too many requests"))

    world.asked.clear()
    outcome = fetch("live", WANTED, replace(answers, prices=once), MONDAY + pd.Timedelta(days=1))

    assert [each.name for each in outcome.failures] == ["MU"]
    before, after = (load(version).bars_of("MU").reset_index(drop=True) for version in ("live.1", "live.2"))
    pd.testing.assert_frame_equal(after, before)


def test_results_of_companies_follow_on_the_reference_set(fetch_live: Fetch, world: World) -> None:
    newest = reference_events()["capex_actuals"].query("company == 'MSFT'").iloc[-1]
    end = newest["period_end"] + pd.DateOffset(months=3)
    world.quarters["MSFT"] = pd.concat(
        [
            fetch_world.made_quarter("MSFT", newest["fiscal_period"], str(newest["period_end"].date()), 1.0),
            fetch_world.made_quarter("MSFT", "2099Q1", str(end.date()), 99.0),
        ]
    )
    fetch_live(end.tz_localize("UTC") + pd.Timedelta(days=60))
    kept = load("live.1").capex_actuals.query("company == 'MSFT'")

    assert ("MSFT",) in world.asked
    assert kept["capex_usd_bn"].iloc[-2:].tolist() == [newest["capex_usd_bn"], 99.0]
    assert kept["capex_known_at"].iloc[-1] == (end + pd.Timedelta(days=30, hours=21, minutes=30)).tz_localize("UTC")


def test_sources_that_are_not_chosen_are_not_asked_nor_wanted(fetch_live: Fetch, world: World) -> None:
    outcome = fetch_live(chosen=["fred"])

    assert world.asked == [("DGS10", "2025-10-01")]
    assert outcome.lacking == ()
    assert read_manifest("live.1").fetched.symbols == ()


def test_an_earlier_start_asks_for_everything_once(fetch_live: Fetch, world: World) -> None:
    fetch_live()
    reach_back(world)
    earlier = WANTED.model_copy(update={"start": date(2025, 9, 2)})
    fetch_live(wanted=earlier)

    assert [asked[:2] for asked in world.asked] == [
        ("BTC-USD", "2025-09-02"),
        ("MU", "2025-09-02"),
        ("DGS10", "2025-09-02"),
    ]
    assert load("live.2").bars_of("MU")["close"].iloc[0] == 70.0
    fetch_live(wanted=earlier)
    assert world.asked == []


def test_an_earlier_start_is_not_reached_before_everything_came(fetch_live: Fetch, world: World) -> None:
    fetch_live()
    reach_back(world)
    earlier = WANTED.model_copy(update={"start": date(2025, 9, 2)})
    world.failing["DGS10"] = SourceError("too slow")
    tomorrow = MONDAY + pd.Timedelta(days=1)
    fetch_live(tomorrow, wanted=earlier)
    assert read_manifest("live.2").fetched.start == date(2025, 10, 1)

    world.failing.clear()
    fetch_live(tomorrow, wanted=earlier, chosen=["fred"])
    fetch_live(tomorrow, wanted=earlier)
    assert [asked[:2] for asked in world.asked] == [
        ("BTC-USD", "2025-09-02"),
        ("MU", "2025-09-02"),
        ("DGS10", "2025-09-02"),
    ]


def test_what_the_catalogues_do_not_know_is_refused_before_anything_is_asked(fetch_live: Fetch, world: World) -> None:
    for unknown, reason in (
        ({"symbols": ("NOPE",)}, "instrument NOPE has no entry"),
        ({"series": ("NOPE",)}, "series NOPE has no entry"),
        ({"companies": ("NOPE",)}, "company NOPE has no entry"),
    ):
        with pytest.raises(InputError, match=reason):
            fetch_live(wanted=FetchRecord(**unknown))
    assert world.asked == []


def test_names_that_cannot_have_versions_are_refused(world: World, fetch_live: Fetch) -> None:
    save(make_snapshot({"MU": [("2024-01-02", 1.0, 1.0)]}, name="imported"))
    save(make_snapshot({"MU": [("2024-01-02", 1.0, 1.0)]}, name="old.7"))
    fetch_live()
    for name, reason in {
        "sample": "which is built in",
        "imported": "imported is a snapshot without versions",
        "live.1": "got live.1, the name of one version; wanted that of the market: live",
        "old": "old.7 was not made by data fetch",
    }.items():
        with pytest.raises(InputError, match=reason):
            fetch(name, WANTED, world.sources(), MONDAY)


def test_a_damaged_newest_version_is_not_extended(fetch_live: Fetch) -> None:
    fetch_live()
    path = snapshots_dir() / "live.1" / "bars.parquet"
    path.write_bytes(path.read_bytes()[:-1])

    with pytest.raises(InputError, match=r"snapshot live\.1 was changed"):
        fetch_live(MONDAY + pd.Timedelta(days=1))
    assert versions_of("live") == ["live.1"]


def test_two_fetches_at_once_are_one(fetch_live: Fetch, world: World) -> None:
    context = multiprocessing.get_context("fork")
    held, release = context.Event(), context.Event()

    def hold() -> None:
        with locked("live"):
            held.set()
            release.wait(20)

    other = context.Process(target=hold)
    other.start()
    assert held.wait(20)
    with pytest.raises(BusyError, match=f"market live is under way already, by process {other.pid}"):
        fetch_live()
    assert world.asked == []
    release.set()
    other.join(20)
    assert fetch_live().version == "live.1"


@pytest.mark.slow
@pytest.mark.parametrize("kills", [pytest.param(KILLS, id="kills")])
def test_a_fetch_killed_at_any_moment_leaves_the_store_as_before_or_as_after(
    fetch_live: Fetch, world: World, kills: int
) -> None:
    """Set REVERSE_QE_KILLS for more of them."""
    fetch_live()
    first = files(snapshots_dir() / "live.1")
    tomorrow = MONDAY + pd.Timedelta(days=1)
    begin = time.perf_counter()
    after = load(fetch_live(tomorrow).version).content_hash
    usual = time.perf_counter() - begin
    dice, seen, before = random.Random(20251201), set(), load("live.1").content_hash
    # The first before anything is done and the last long after all is, however busy the machine.
    for moment in (0.0, *(dice.uniform(0, 1.5 * usual) for _ in range(kills - 2)), 10 * usual):
        for version in versions_of("live")[1:]:
            for path in (snapshots_dir() / version).iterdir():
                path.unlink()
            (snapshots_dir() / version).rmdir()
        child = os.fork()
        if child == 0:
            try:
                fetch_live(tomorrow)
            finally:
                os._exit(0)
        time.sleep(moment)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)

        found = [load(name).content_hash for name in versions_of("live")]
        assert found in ([before], [before, after])
        assert files(snapshots_dir() / "live.1") == first
        seen.add(len(found))
        fetch_live(tomorrow)
        assert [load(name).content_hash for name in versions_of("live")] == [before, after]
        left = [path.name for path in snapshots_dir().iterdir() if path.name.startswith(".")]
        assert left == []
    assert seen == {1, 2}


# A user's own rows of events


META_QUARTER = {
    **{"company": "META", "fiscal_period": "2026Q3", "announced_at": "2026-10-28", "session": "amc"},
    **{"capex_usd_bn": "38.5", "ocf_usd_bn": "36.25", "source": "8-K", "confidence": "high"},
}


def give(kind: str, cells: dict[str, str]) -> None:
    append_change(new_row(kind, cells, reference_events(), own_rows(), LATER).change)


LATER = pd.Timestamp("2026-12-20 12:00", tz="UTC")


def meta(market: str, period: str) -> list[tuple[float, str]]:
    rows = load(market).capex_actuals
    mine = rows[(rows["company"] == "META") & (rows["fiscal_period"] == period)]
    return list(mine[["capex_usd_bn", "by_user"]].itertuples(index=False, name=None))


def test_own_rows_make_a_version_of_their_own_and_the_one_before_stays(fetch_live: Fetch) -> None:
    fetch_live()
    hashes = {"live.1": load("live.1").content_hash}
    give("result", META_QUARTER)
    outcome = fetch_live()
    assert (outcome.version, outcome.failures) == ("live.2", ())
    assert outcome.notes == ("events: capex_actuals META 2026-09-30 (added) lies over the shipped ones",)
    assert (meta("live.1", "2026Q3"), meta("live.2", "2026Q3")) == ([], [(38.5, "added")])
    assert read_manifest("live.2").own_events == own_rows_hash(own_rows()) != ""
    assert fetch_live().version is None
    append_change(removal("result", {"company": "META"}, own_rows(), LATER).change)
    assert fetch_live().version == "live.3"
    assert load("live.3").content_hash == load("live.1").content_hash == hashes["live.1"]


def test_a_quarter_of_the_user_holds_against_a_filing_and_gives_way_when_it_is_removed(
    fetch_live: Fetch, world: World
) -> None:
    wanted = replace_wanted(companies=("META",))
    world.quarters["META"] = pd.concat(
        [
            fetch_world.made_quarter("META", "2026Q3", "2026-09-30", 38.0),
            fetch_world.made_quarter("META", "2026Q4", "2026-12-31", 40.0),
        ]
    )
    give("result", META_QUARTER)
    fetch_live(now=pd.Timestamp("2027-02-10 12:00", tz="UTC"), wanted=wanted)
    assert (meta("live.1", "2026Q3"), meta("live.1", "2026Q4")) == ([(38.5, "added")], [(40.0, "")])
    append_change(removal("result", {"company": "META"}, own_rows(), LATER).change)
    fetch_live(now=pd.Timestamp("2027-05-10 12:00", tz="UTC"), wanted=wanted)
    assert (meta("live.2", "2026Q3"), meta("live.2", "2026Q4")) == ([(38.0, "")], [(40.0, "")])


def test_without_a_network_own_rows_make_no_version(fetch_live: Fetch, world: World) -> None:
    fetch_live()
    give("result", META_QUARTER)
    for name in ("MU", "BTC-USD", "DGS10", "MSFT"):
        world.failing[name] = NoNetworkError("no network")
    outcome = fetch_live(now=MONDAY + pd.Timedelta(days=2))
    assert (outcome.no_network, outcome.version) == (True, None)


def replace_wanted(**names: tuple[str, ...]) -> FetchRecord:
    return WANTED.model_copy(update={"symbols": (), "series": (), **names})


def filed(symbol: str, figure: str, *values: tuple[str, float, str]) -> tuple[str, SeriesAnswer]:
    rows = pd.DataFrame(values, columns=["date", "value", "known_at"])
    rows = rows.assign(date=pd.to_datetime(rows["date"]), known_at=pd.to_datetime(rows["known_at"], utc=True))
    return f"{symbol}.{figure}", SeriesAnswer(f"{symbol}.{figure}", rows)


BOOK = (("2024-08-29", 45_131.0, "2024-10-04 20:05"), ("2025-08-28", 54_165.0, "2025-10-03 20:05"))


def test_filings_are_asked_for_on_wish_and_kept_up_to_date_from_then_on(fetch_live: Fetch, world: World) -> None:
    world.filings["MU"] = FilingsAnswer("MU", dict([filed("MU", "book", *BOOK)]), ("its filings do not tell: sales",))
    plain = fetch_live()
    assert plain.lacking == ()
    assert not any(asked[-1] == "filings" for asked in world.asked)
    outcome = fetch_live(filings=True)
    kept = load("live.2")
    # Of a coin nobody files; the ten-year yield of before is as it was.
    assert world.asked == [("MU", "filings")]
    assert outcome.answered["edgar"] == ("MU filings",)
    assert outcome.notes == ("MU: its filings do not tell: sales", "figures of 1 of 1 companies came")
    book = kept.series[kept.series["series"] == "MU.book"]
    assert book["value"].tolist() == [45_131.0, 54_165.0]
    assert [str(moment) for moment in book["known_at"]] == ["2024-10-04 20:05:00+00:00", "2025-10-03 20:05:00+00:00"]
    assert kept.series_entries["MU.book"].source == "SEC EDGAR"
    pd.testing.assert_frame_equal(kept.series[kept.series["series"] == "DGS10"].reset_index(drop=True),
                                  load("live.1").series)  # fmt: skip
    assert read_manifest("live.2").fetched.filings == ("MU",)
    # The quarter to November is over on December 1 at noon, 95 days after that to August; asked again, it tells a
    # restatement and a figure that was there before and had not been told.
    world.filings["MU"] = FilingsAnswer(
        "MU", dict([filed("MU", "book", *BOOK[:1], ("2025-05-29", 50_000.0, "2025-06-26 20:05"), BOOK[1],
                          ("2025-08-28", 54_000.0, "2025-12-01 14:00"))])
    )  # fmt: skip
    assert fetch_live(MONDAY + pd.Timedelta(hours=3)).version == "live.3"
    again = load("live.3").series
    assert [(str(row.date.date()), row.value, str(row.known_at)[:16]) for row in again[again["series"] == "MU.book"]
            .itertuples()] == [
        ("2024-08-29", 45_131.0, "2024-10-04 20:05"),
        ("2025-05-29", 50_000.0, "2025-12-01 15:00"),
        ("2025-08-28", 54_165.0, "2025-10-03 20:05"),
        ("2025-08-28", 54_000.0, "2025-12-01 14:00"),
    ]  # fmt: skip


def test_a_company_without_figures_is_counted_and_what_failed_costs_nothing_else(
    fetch_live: Fetch, world: World
) -> None:
    world.bars["WDC"] = fetch_world.made_bars("WDC", "2025-10-01", "2026-02-27")
    world.bars["STX"] = fetch_world.made_bars("STX", "2025-10-01", "2026-02-27")
    world.filings["MU"] = FilingsAnswer("MU", dict([filed("MU", "book", *BOOK)]))
    world.filings["STX"] = FilingsAnswer("STX", {}, ("it seems to be a foreign filer",))
    world.failing["WDC"] = SourceError("EDGAR: WDC: got no JSON")
    outcome = fetch_live(wanted=FetchRecord(symbols=("MU", "STX", "WDC"), start=date(2025, 10, 1)), filings=True)
    assert ("edgar", "WDC filings") in [(each.source, each.name) for each in outcome.failures]
    assert outcome.lacking == ("WDC", "STX filings", "WDC filings")
    assert "figures of 1 of 2 companies came; none of STX" in outcome.notes
    assert sorted(load("live.1").series["series"].unique()) == ["MU.book"]


def test_filings_without_a_stock_are_refused(fetch_live: Fetch) -> None:
    with pytest.raises(InputError, match="got --filings, wanted a stock of the US"):
        fetch_live(wanted=FetchRecord(symbols=("BTC-USD",)), filings=True)
    assert versions_of("live") == []
