"""`reverse-qe data fetch`, `diff` and `remove` against servers on loopback: what is asked, kept and said."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import fetch_world
import loopback
from data.clock import sessions_between
from data.fetch.fetch import fetch
from data.files.kept import snapshot_names, snapshots_dir
from data.files.locks import only_one
from data.market.manifest import FetchRecord
from data.market.snapshot import load, read_manifest
from data.net.settings import SourceSettings

FRED = "/graph/fredgraph.csv"
SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def call(data_command: Callable[..., Any]) -> Callable[..., Any]:
    return data_command


@pytest.fixture
def sources(server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The loopback server in the place of Yahoo, FRED and the SEC."""
    loopback.redirect_yahoo(server, monkeypatch)
    at_loopback(monkeypatch, server.url)
    return server


def at_loopback(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    settings = partial(
        SourceSettings,
        yahoo_url=url,
        fred_graph_url=f"{url}{FRED}",
        edgar_url=url,
        edgar_tickers_url=f"{url}/company_tickers.json",
        attempts=1,
        yahoo_per_second=1000,
        fred_per_second=1000,
        edgar_per_second=1000,
    )
    monkeypatch.setattr("data.net.settings.SourceSettings", settings)
    monkeypatch.setenv("REVERSE_QE_CONTACT", "Jane Doe jane@example.org")
    monkeypatch.setenv("FRED_API_KEY", SECRET)


def days_until_yesterday() -> list[str]:
    today = pd.Timestamp.now("UTC").tz_convert(None).normalize()
    return [f"{day:%Y-%m-%d}" for day in sessions_between(today - pd.Timedelta(days=40), today - pd.Timedelta(days=1))]


def bars(days: list[str], close: float = 100.0) -> list[tuple[Any, ...]]:
    return [(day, close, close + 1, close - 1, close, close, 1000.0) for day in days]


def yields(days: list[str]) -> str:
    return "observation_date,DGS10\n" + "".join(f"{day},4.0\n" for day in days)


@pytest.fixture
def words() -> list[str]:
    """One instrument, one series, no company."""
    start = days_until_yesterday()[0]
    only = ["--source", "yahoo", "--source", "fred"]
    return ["fetch", "--name", "live", "--symbols", "MU", "--series", "DGS10", "--start", start, *only]


@pytest.fixture
def fetched(call: Callable[..., Any], sources: Any, words: list[str]) -> Any:
    """A market `live` whose newest day is one session short."""
    days = days_until_yesterday()
    sources.answers(loopback.yahoo_path("MU"), loopback.Answer(loopback.yahoo_chart("MU", bars(days))))
    sources.answers(FRED, loopback.Answer(yields(days[:-1])))
    return call(*words)


def test_fetch_says_what_came_and_what_follows(fetched: Any, call: Callable[..., Any]) -> None:
    days = days_until_yesterday()
    rows = [line.split() for line in fetched.out.splitlines()]

    assert fetched.code == 0
    assert fetched.out.splitlines()[0] == "live.1: the first version"
    assert ["MU", "bars", str(len(days)), days[0], days[-1]] in rows
    assert ["DGS10", "series", str(len(days) - 1), days[0], days[-2]] in rows
    assert fetched.err == "Next: reverse-qe backtest --market live\n"
    assert load("live.1").bars["adj_close"].tolist() == [100.0] * len(days)
    assert read_manifest("live.1").fetched.companies == ()
    listed = call("list").out
    assert "live.1" in listed


def test_run_again_it_asks_for_nothing_that_is_there(
    fetched: Any, call: Callable[..., Any], sources: Any, words: list[str]
) -> None:
    asked = len(sources.asked)
    outcome = call(*words, "--json")

    assert outcome.code == 0
    assert [request.path for request in sources.asked[asked:]] in ([], [FRED])  # the newest yield may be due by now
    assert (outcome.json["version"], outcome.json["before"]) == (None, "live.1")
    assert snapshot_names() == ["live.1"]


def test_one_that_fails_is_told_with_exit_1_and_asked_for_again(
    fetched: Any, call: Callable[..., Any], sources: Any, words: list[str]
) -> None:
    days = days_until_yesterday()
    sources.answers(loopback.yahoo_path("WDC"), loopback.Answer(loopback.HTML_PAGE))
    sources.answers(loopback.yahoo_path("STX"), loopback.Answer(loopback.yahoo_chart("STX", bars(days, 50.0))))
    outcome = call("fetch", "--symbols", "WDC,STX", "--source", "yahoo")

    assert outcome.code == 1
    assert outcome.out.splitlines()[0] == "live.2: follows live.1"
    assert "! yahoo did not give WDC: Yahoo: WDC: " in outcome.out
    assert outcome.out.splitlines()[-1] == "! live.2 lacks WDC"
    assert sorted(load("live.2").bars["symbol"].unique()) == ["MU", "STX"]
    assert call("list").err == "! live.2 lacks WDC\n"

    asked = len(sources.asked)
    sources.answers(loopback.yahoo_path("WDC"), loopback.Answer(loopback.yahoo_chart("WDC", bars(days, 70.0))))
    again = call("fetch", "--source", "yahoo", "--json")
    assert again.code == 0
    symbols = [request.path for request in sources.asked[asked:] if "/chart/" in request.path]
    assert set(symbols) == {loopback.yahoo_path("WDC")}
    assert (again.json["version"], again.json["lacking"]) == ("live.3", [])
    assert again.json["answered"]["yahoo"] == ["WDC"]


def test_changed_history_is_told(
    call: Callable[..., Any],
    sources: Any,
) -> None:
    days = days_until_yesterday()
    before = pd.Timestamp(days[-2], tz="UTC") + pd.Timedelta(hours=6)  # the last two sessions are not over
    world = fetch_world.World(bars={"MU": fetch_world.made_bars("MU", days[0], days[-1])})
    world.bars["MU"][["open", "high", "low", "close"]] = [100.0, 101.0, 99.0, 100.0]
    record = FetchRecord(symbols=("MU",), start=date.fromisoformat(days[0]))
    assert fetch("live", record, world.sources(), before).version == "live.1"

    rewritten = [(day, 100.0, 111.0, 99.0, 110.0, 110.0, 1000.0) if day == days[-6] else bars([day])[0] for day in days]
    sources.answers(loopback.yahoo_path("MU"), loopback.Answer(loopback.yahoo_chart("MU", rewritten)))
    outcome = call("fetch")
    lines = [line.split() for line in outcome.out.splitlines()]

    assert outcome.code == 0
    assert ["MU", "bars", "2", days[-2], days[-1]] in lines
    assert "Changed history against live.1" in outcome.out.splitlines()
    assert ["MU", "bars", "close", "changed", "1", days[-6], days[-6], "+10.00%"] in lines
    assert ["MU", "bars", "adj_close", "changed", "1", days[-6], days[-6], "+10.00%"] in lines


def test_diff_names_what_changed_and_by_how_much(fetched: Any, call: Callable[..., Any]) -> None:
    from data.market.snapshot import save

    first = load("live.1")
    changed = first.bars.assign(close=first.bars["close"].mask(first.bars.index == 1, 110.0))
    save(replace(first, name="other", bars=changed))
    days = days_until_yesterday()

    rows = [line.split() for line in call("diff", "live", "other").out.splitlines()]
    assert ["MU", "bars", "close", "changed", "1", days[1], days[1], "+10.00%"] in rows
    (told,) = call("diff", "live", "other", "--json").json["differences"]
    assert (told["name"], told["column"], told["count"], told["largest"]) == ("MU", "close", 1, pytest.approx(0.1))
    assert call("diff", "live", "live.1").out == "live.1 and live.1 hold the same.\n"
    assert call("diff", "live", "nothing").code == 2


def test_remove_lists_what_it_deletes_and_keeps_the_newest(
    fetched: Any, call: Callable[..., Any], sources: Any
) -> None:
    days = days_until_yesterday()
    sources.answers(loopback.yahoo_path("STX"), loopback.Answer(loopback.yahoo_chart("STX", bars(days))))
    call("fetch", "--symbols", "STX", "--source", "yahoo")

    assert call("remove", "live", "--keep", "1", "--dry-run").out == "Would delete: live.1. Kept: live.2.\n"
    assert snapshot_names() == ["live.1", "live.2"]
    assert call("remove", "live", "--keep", "1", "--json").json == {
        "market": "live",
        "dry_run": False,
        "deleted": ["live.1"],
        "kept": ["live.2"],
    }
    assert snapshot_names() == ["live.2"]
    assert call("remove", "live", "--keep", "1").out == "Deleted: none. Kept: live.2.\n"
    assert call("remove", "live", "--keep", "0").code == 2
    assert call("remove", "nothing").code == 2


def test_without_a_network_one_line_says_so_and_nothing_is_touched(
    call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, server: Any
) -> None:
    loopback.redirect_yahoo(server, monkeypatch)
    at_loopback(monkeypatch, loopback.closed_port_url())
    server.close()
    outcome = call("fetch")

    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("Error: no source can be reached, and nothing was changed: ")
    assert outcome.err.count("\n") == 1
    assert [path for path in snapshots_dir().rglob("*") if path.is_file()] == []


def test_a_fetch_under_way_is_told(fetched: Any, call: Callable[..., Any], words: list[str]) -> None:
    with only_one(snapshots_dir() / ".live.lock", "a test"):
        for command in (words, ["remove", "live", "--keep", "1"]):
            outcome = call(*command)
            assert (outcome.code, outcome.out) == (1, "")
            assert outcome.err.startswith("Error: a change of the market live is under way already, by process ")
            assert outcome.err.count("\n") == 1
    assert call("remove", "live", "--keep", "1").code == 0


def test_secrets_are_nowhere(call: Callable[..., Any], sources: Any, words: list[str], fetched: Any) -> None:
    sources.answers(FRED, loopback.Answer(status=403))
    later = call(*words, "--series", "DGS2")

    assert later.code == 1
    for text in (fetched.out, fetched.err, later.out, later.err):
        assert SECRET not in text
        assert "jane@" not in text
    for path in snapshots_dir().rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes()
            assert b"jane@" not in path.read_bytes()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["fetch", "--name", "sample"], "got the name sample, which is built in"),
        (["fetch", "--name", "live.2"], "got live.2, the name of one version; wanted that of the market: live"),
        (["fetch", "--symbols", "NOPE"], "instrument NOPE has no entry in the catalogue; add"),
        (["fetch", "--series", "NOPE"], "series NOPE has no entry in the catalogue; add"),
        (["fetch", "--companies", "NOPE"], "company NOPE has no entry in the catalogue; add"),
        (["fetch", "--spec", "nosuch"], "no spec nosuch"),
        (["fetch", "--source", "bloomberg"], "'bloomberg' is not one of"),
        (["fetch", "--start", "soon"], "--start"),
    ],
)
def test_wrong_input_is_refused_before_anything_is_asked(
    call: Callable[..., Any], sources: Any, words: list[str], reason: str
) -> None:
    outcome = call(*words)

    assert (outcome.code, outcome.out) == (2, "")
    assert reason in outcome.err
    assert outcome.err.count("\n") == 1
    assert sources.asked == []


def test_a_fetched_market_equals_one_imported_from_csv_of_the_same_facts(
    call: Callable[..., Any], sources: Any, tmp_path: Path
) -> None:
    days = days_until_yesterday()
    closes = {day: round(269.7 + 1.37 * place, 2) for place, day in enumerate(days)}
    paid, split = days[4], days[9]
    # Before the split a unit traded at twice the price, and half as many of them.
    traded = {day: (2 if day < split else 1) for day in days}
    adjusted = {day: close * (1 - 0.5 / (2 * closes[days[3]]) if day < paid else 1) for day, close in closes.items()}
    rows = [(day, close - 0.11, close + 1.2, close - 1.3, close, adjusted[day], 1e6) for day, close in closes.items()]
    chart = loopback.yahoo_chart("MU", rows, dividends={paid: 0.25}, splits={split: (2, 1)})
    sources.answers(loopback.yahoo_path("MU"), loopback.Answer(chart))
    sources.answers(FRED, loopback.Answer(yields(days)))
    only = ["--source", "yahoo", "--source", "fred"]
    fetched = call("fetch", "--name", "live", "--symbols", "MU", "--series", "DGS10", "--start", days[0], *only)
    assert fetched.code == 0, fetched.err

    written = [
        (day, *(round(price * traded[day], 2) for price in row[:4]), adjusted[day], volume / traded[day])
        for day, *row, _, volume in rows
    ]
    files = {
        "prices/MU.csv": "date,open,high,low,close,adj_close,volume\n"
        + "".join(f"{','.join(map(str, row))}\n" for row in written),
        "macro/DGS10.csv": yields(days).replace("observation_date,DGS10", "date,value"),
        "actions.csv": "symbol,date,kind,value,known_on,source\n"
        f"MU,{paid},dividend,0.5,{paid},Yahoo\nMU,{split},split,2,{split},Yahoo\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    folders = [f"--{kind}={tmp_path / kind}" for kind in ("prices", "macro")]
    imported = call("import", *folders, f"--actions={tmp_path / 'actions.csv'}", "--name", "written")
    assert imported.code == 0, imported.err

    of_server, of_files = load("live.1"), load("written")
    for table in ("bars", "series"):
        pd.testing.assert_frame_equal(getattr(of_server, table), getattr(of_files, table), check_exact=True)
    # A file says the day on which an action was public, and is taken at the end of it; Yahoo says none.
    told = [market.actions.drop(columns="known_at") for market in (of_server, of_files)]
    pd.testing.assert_frame_equal(*told, check_exact=True)


def test_filings_come_by_the_ticker_on_wish_are_told_and_go_with_an_exported_market(
    call: Callable[..., Any], sources: Any, tmp_path: Path
) -> None:
    facts = [{"end": "2024-08-29", "val": 45_131_000_000, "accn": "24", "form": "10-K", "filed": "2024-10-04"}]
    stamps = {
        "accessionNumber": ["24"],
        "filingDate": ["2024-10-04"],
        "acceptanceDateTime": ["2024-10-04T20:05:00.000Z"],
    }
    sources.answers("/company_tickers.json", loopback.Answer({"0": {"cik_str": 723125, "ticker": "MU", "title": "M"}}))
    sources.answers(
        "/api/xbrl/companyfacts/CIK0000723125.json",
        loopback.Answer({"cik": 723125, "facts": {"us-gaap": {"StockholdersEquity": {"units": {"USD": facts}}}}}),
    )
    sources.answers("/submissions/CIK0000723125.json", loopback.Answer({"filings": {"recent": stamps, "files": []}}))
    words = ("fetch", "--name", "mine", "--symbols", "MU", "--source", "edgar", "--filings")
    told = call(*words)
    assert "MU.book" in told.out
    assert "figures of 1 of 1 companies came" in told.out
    assert "its filings do not tell: shares, earnings, sales, free_cash_flow; shares counted by class" in told.out
    assert [each.path for each in sources.asked if "723125" in each.path or "tickers" in each.path] == [
        "/company_tickers.json",
        "/api/xbrl/companyfacts/CIK0000723125.json",
        "/submissions/CIK0000723125.json",
    ]
    assert call("export", "mine", str(tmp_path / "out"), "--format", "parquet").code == 0
    assert call("import", "--parquet", str(tmp_path / "out"), "--name", "theirs").code == 0
    assert load("theirs").content_hash == load("mine.1").content_hash
    assert load("theirs").series_entries["MU.book"].publication == "filing"
    # A few figures a year are not called short.
    assert "short" not in call("verify", "mine", "--json").out.replace("short_history", "")
    refused = call("fetch", "--name", "mine", "--source", "fred", "--filings")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "got filings without the source edgar" in refused.err
