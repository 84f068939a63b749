"""Tickers and series of one's own by the command line: servers on loopback, files, runs, what is refused."""

import re
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import loopback
from backtests.spec.spec import load_spec
from data.clock import calendar_sessions
from data.files.kept import snapshot_names
from data.market.snapshot import load, read_manifest
from data.market.tables import ACTIONS, BARS
from data.net.settings import SourceSettings
from outcomes import Outcome

FRED = "/graph/fredgraph.csv"
TODAY = pd.Timestamp.now("UTC").tz_convert(None).normalize()
FIRST, LAST = TODAY - pd.Timedelta(days=60), TODAY - pd.Timedelta(days=1)
SPEC = """# my own, see below
[run]
name = "mine"              # odd   spacing
market = "mine"
start = {start}

[universe]
speculative = ["DOGE-USD"]
cash_flow = ["PLTR"]
benchmark = "MU"

[signal]
source = "regimes.csv"

[catalogue.series.FEDFUNDS]
unit = "percent"
meaning = "effective federal funds rate"
publication = "next_business_day"
stale_after_days = 10
source = "Federal Reserve H.15"

[catalogue.instruments."005380.KS"]   # only to look at
name = "Hyundai Motor"
currency = "KRW"
calendar = "XKRX"
asset_class = "foreign_stock"
listed = {first}
quantum = 1.0
# the end
"""


def days_of(calendar: str) -> pd.DatetimeIndex:
    return calendar_sessions(calendar, FIRST, LAST)


class Facts:
    """What was quoted and paid, in the units of each day, beside what servers and files tell of it."""

    def __init__(self, calendar: str, close: float) -> None:
        self.days = days_of(calendar)
        number = np.arange(len(self.days), dtype=float)
        # Of few digits, as prices are quoted: single precision tells them apart.
        self.digits = 2 if close < 1e5 else 0
        self.close = np.round(close * (1 + 0.01 * np.sin(number)), self.digits)
        self.high, self.low = (np.round(self.close * factor, self.digits) for factor in (1.01, 0.99))
        self.open = self.close
        self.volume = np.full(len(self.days), 100_000.0)
        self.dividends: dict[int, float] = {}
        self.splits: dict[int, tuple[int, int]] = {}

    def with_actions(self) -> "Facts":
        """A dividend of 0.5 and, later, two shares for one, which halve the price."""
        self.dividends, self.splits = {10: 0.5}, {20: (2, 1)}
        for column in (self.close, self.high, self.low):
            column[20:] = np.round(column[20:] / 2, 2)
        return self

    def units_to_come(self) -> np.ndarray:
        units = np.ones(len(self.days))
        for place, (new, old) in self.splits.items():
            units[:place] *= new / old
        return units

    def adjusted(self) -> np.ndarray:
        """Closes as if each dividend had bought more: by hand, the factor of a dividend is 1 less its share."""
        factor = 1 / self.units_to_come()
        for place, paid in self.dividends.items():
            factor[:place] *= 1 - paid / self.close[place - 1]
        return self.close * factor

    def chart(self, symbol: str, currency: str = "USD") -> dict[str, Any]:
        """As Yahoo tells it: prices and dividends divided by later splits; of a coin, volumes in US dollars."""
        units = self.units_to_come()
        volume = self.volume * (self.close if symbol.endswith("-USD") else units)
        columns = (self.open / units, self.high / units, self.low / units, self.close / units, self.adjusted(), volume)
        days = [f"{day:%Y-%m-%d}" for day in self.days]
        return loopback.yahoo_chart(
            symbol,
            list(zip(days, *(column.tolist() for column in columns), strict=True)),  # type: ignore[arg-type]
            dividends={days[place]: paid / units[place] for place, paid in self.dividends.items()},
            splits={days[place]: ratio for place, ratio in self.splits.items()},
            currency=currency,
        )

    def write(self, folder: Path, symbol: str) -> None:
        columns = {"open": self.open, "high": self.high, "low": self.low, "close": self.close}
        rows = pd.DataFrame({"date": self.days, **columns, "adj_close": self.adjusted(), "volume": self.volume})
        folder.mkdir(exist_ok=True)
        rows.to_csv(folder / f"{symbol}.csv", index=False)

    def action_rows(self, symbol: str) -> list[str]:
        paid = [f"{symbol},{self.days[place].date()},dividend,{value},,file" for place, value in self.dividends.items()]
        split = [
            f"{symbol},{self.days[place].date()},split,{new / old},,file" for place, (new, old) in self.splits.items()
        ]
        return paid + split


FACTS = {
    "MU": Facts("XNYS", 100.0),
    "PLTR": Facts("XNYS", 40.0).with_actions(),
    "DOGE-USD": Facts("24/7", 0.25),
    "005380.KS": Facts("XKRX", 250_000.0),
}


def values(name: str) -> str:
    return f"observation_date,{name}\n" + "".join(f"{day:%Y-%m-%d},4.25\n" for day in days_of("XNYS")[:-3])


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "regimes.csv").write_text("known_at,regime\n2018-12-31T22:00:00+00:00,ABUNDANT\n")
    path = tmp_path / "my.toml"
    start = days_of("XNYS")[5]
    path.write_text(SPEC.format(start=start.date(), first=FACTS["005380.KS"].days[0].date()), encoding="utf-8")
    return path


@pytest.fixture
def sources(server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    loopback.redirect_yahoo(server, monkeypatch)
    paces = {"yahoo_per_second": 1000, "fred_per_second": 1000, "edgar_per_second": 1000}
    addresses = {"yahoo_url": server.url, "fred_graph_url": f"{server.url}{FRED}", "edgar_url": server.url}
    monkeypatch.setattr("data.net.settings.SourceSettings", partial(SourceSettings, attempts=1, **addresses, **paces))
    for symbol, facts in FACTS.items():
        chart = facts.chart(symbol, "KRW" if symbol.endswith(".KS") else "USD")
        server.answers(loopback.yahoo_path(symbol), loopback.Answer(chart))
    server.answers(FRED, loopback.Answer(values("DGS3MO")), loopback.Answer(values("FEDFUNDS")))
    return server


@pytest.fixture
def fetched(spec: Path, sources: Any, data_command: Callable[..., Outcome]) -> Outcome:
    return data_command("fetch", "--spec", spec, "--start", FIRST.date())


def told_by(outcome: Outcome) -> str:
    """The one line of a refusal."""
    assert outcome.code == 2, outcome
    assert outcome.out == ""
    assert outcome.err.count("\n") == 1, outcome.err
    return outcome.err


def test_what_nobody_knows_is_proposed_written_kept_and_hashed(fetched: Outcome, spec: Path) -> None:
    assert fetched.code == 0, fetched
    text = spec.read_text(encoding="utf-8")
    before = SPEC.format(start=days_of("XNYS")[5].date(), first=FACTS["005380.KS"].days[0].date())
    assert text.startswith(before)
    assert tomllib.loads(text[len(before) :])["catalogue"]["instruments"] == {
        "DOGE-USD": {
            "name": "DOGE-USD of the double",
            "currency": "USD",
            "calendar": "24/7",
            "asset_class": "crypto",
            "listed": FACTS["DOGE-USD"].days[0].date(),
            "quantum": 1e-8,
        },
        "PLTR": {
            "name": "PLTR of the double",
            "currency": "USD",
            "calendar": "XNYS",
            "asset_class": "us_stock",
            "listed": FACTS["PLTR"].days[0].date(),
            "quantum": 1e-6,
        },
    }
    assert "# from Yahoo: CRYPTOCURRENCY on CCC, first bar" in text
    manifest = read_manifest("mine.1")
    assert sorted(manifest.instruments) == ["005380.KS", "DOGE-USD", "MU", "PLTR"]
    assert sorted(manifest.series) == ["DGS3MO", "FEDFUNDS"]
    assert load("mine.1").content_hash == manifest.content_hash


def test_a_fetched_market_equals_one_imported_of_the_same_facts_value_by_value(
    fetched: Outcome, spec: Path, tmp_path: Path, data_command: Callable[..., Outcome]
) -> None:
    prices, macro = tmp_path / "prices", tmp_path / "macro"
    for symbol, facts in FACTS.items():
        facts.write(prices, symbol)
    FACTS["MU"].write(prices, "NOT-NAMED")
    macro.mkdir()
    for name in ("DGS3MO", "FEDFUNDS"):
        (macro / f"{name}.csv").write_text(values(name).replace("observation_date", "date").replace(name, "value"))
    rows = [row for symbol, facts in FACTS.items() for row in facts.action_rows(symbol)]
    actions = tmp_path / "actions.csv"
    actions.write_text("\n".join(["symbol,date,kind,value,known_on,source", *rows]) + "\n")

    words = ("import", "--spec", spec, "--name", "files", "--prices", prices, "--macro", macro, "--actions", actions)
    imported = data_command(*words)

    assert imported.code == 0, imported
    assert "prices not read, for the spec does not name them: NOT-NAMED" in imported.out
    ours, theirs = load("mine.1"), load("files")
    assert ours.instruments == theirs.instruments
    assert ours.series_entries == theirs.series_entries
    assert ours.bar_units == theirs.bar_units
    exact = [name for name in BARS.columns if name not in ("adj_close", "volume")]
    pd.testing.assert_frame_equal(ours.bars[exact], theirs.bars[exact], check_exact=True)
    for name in ("adj_close", "volume"):  # One is derived, of the other the US dollars of a coin are.
        np.testing.assert_allclose(ours.bars[name], theirs.bars[name], rtol=1e-9)
    pd.testing.assert_frame_equal(ours.series, theirs.series, check_exact=True)
    told = [name for name in ACTIONS.columns if name != "source"]
    pd.testing.assert_frame_equal(ours.actions[told], theirs.actions[told])
    assert len(ours.actions) == 2


def test_the_spec_names_the_market_and_the_option_wins(
    fetched: Outcome, spec: Path, run_command: Callable[..., Outcome], tmp_path: Path
) -> None:
    dry = run_command("backtest", spec, "--dry-run", "--json").json
    assert (dry["market"], dry["symbols"]) == ("mine.1", ["DOGE-USD", "PLTR"])
    ran = run_command("backtest", spec, "--no-tearsheet", "--out", tmp_path / "one", "--json").json
    assert ran["manifest"]["market"] == "mine.1"
    # What the run writes runs again, on the version that it read, whatever comes after it.
    kept = load_spec(tmp_path / "one/spec.toml")
    assert kept.run.market == "mine.1"
    again = run_command(
        "backtest", tmp_path / "one" / "spec.toml", "--no-tearsheet", "--out", tmp_path / "two", "--json"
    )
    assert again.json["manifest"]["run_id"] == ran["manifest"]["run_id"]
    for name in ("equity.csv", "orders.csv", "spec.toml", "regime.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    named = run_command("backtest", spec, "--market", "mine.1", "--no-tearsheet", "--out", tmp_path / "three", "--json")
    assert named.json["manifest"]["run_id"] == ran["manifest"]["run_id"]
    assert "market sample does not hold it" in told_by(run_command("backtest", spec, "--market", "sample"))
    assert run_command("signal", spec, "--json").json["market"] == "mine.1"
    assert run_command("runs", "show", tmp_path / "one").code == 0


def test_from_python_the_spec_names_the_market_too(fetched: Outcome, spec: Path) -> None:
    import reverse_qe

    result = reverse_qe.backtest(spec, tearsheet=False)
    assert result.run.snapshot.name == "mine.1"
    assert reverse_qe.signal(spec).snapshot.name == "mine.1"
    outcome = reverse_qe.fetch(spec=spec)
    assert (outcome.market, outcome.proposed) == ("mine", ())


def test_a_market_knows_its_own_without_the_spec(
    fetched: Outcome, sources: Any, spec: Path, data_command: Callable[..., Outcome]
) -> None:
    spec.unlink()
    sources.answers(FRED, loopback.Answer(values("DGS3MO")))
    again = data_command("fetch", "--name", "mine", "--source", "yahoo", "--json")
    assert again.code == 0, again
    assert again.json["lacking"] == []
    assert data_command("show", "mine", "--json").code == 0
    assert data_command("verify", "mine").code == 0


def test_an_own_instrument_whose_prices_failed_is_asked_for_again_without_the_spec(
    spec: Path, sources: Any, data_command: Callable[..., Outcome]
) -> None:
    sources.answers(
        loopback.yahoo_path("PLTR"), loopback.Answer(FACTS["PLTR"].chart("PLTR")), loopback.Answer("no", status=500)
    )
    first = data_command("fetch", "--spec", spec, "--start", FIRST.date())
    assert first.code == 1
    assert "! mine.1 lacks PLTR" in first.out
    assert "PLTR" in tomllib.loads(spec.read_text())["catalogue"]["instruments"]
    sources.answers(loopback.yahoo_path("PLTR"), loopback.Answer(FACTS["PLTR"].chart("PLTR")))
    again = data_command("fetch", "--name", "mine", "--source", "yahoo")
    assert again.code == 0, again
    assert not load("mine.2").bars_of("PLTR").empty


def with_meta(symbol: str, **changes: Any) -> loopback.Answer:
    chart = FACTS["PLTR"].chart(symbol)
    chart["chart"]["result"][0]["meta"].update(changes)
    return loopback.Answer(chart)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"instrumentType": "MUTUALFUND"}, "got MUTUALFUND (PLTR of the double) from Yahoo, wanted one of EQUITY"),
        ({"instrumentType": "INDEX"}, "got INDEX"),
        ({"instrumentType": "FUTURE"}, "got FUTURE"),
        (
            {"exchangeName": "XYZ", "fullExchangeName": "Xyzzy"},
            "got the exchange Xyzzy (XYZ) from Yahoo, wanted one whose",
        ),
        ({"currency": "GBp", "exchangeName": "LSE"}, "got GBp, hundredths of GBP, which no entry can express"),
        ({"currency": "EUR"}, "got us_stock in EUR on XNYS, wanted USD on XNYS"),
        ({"firstTradeDate": None}, "got no first bar from Yahoo, wanted the day of its listing"),
        ({"longName": "", "shortName": None, "instrumentType": "OPTION"}, "got OPTION (PLTR)"),
    ],
)
def test_what_no_entry_can_express_is_refused_in_one_line_and_nothing_is_written(
    spec: Path, sources: Any, data_command: Callable[..., Outcome], changes: dict[str, Any], told: str
) -> None:
    before = spec.read_bytes()
    sources.answers(loopback.yahoo_path("PLTR"), with_meta("PLTR", **changes))
    line = told_by(data_command("fetch", "--spec", spec))
    assert line.startswith("Error: instrument PLTR: ")
    assert told in line
    assert spec.read_bytes() == before
    assert snapshot_names() == []


def test_a_hostile_answer_steers_nothing(spec: Path, sources: Any, data_command: Callable[..., Outcome]) -> None:
    name = 'Evil\x1b[2J"\n[run]\nmarket = "x'
    sources.answers(loopback.yahoo_path("PLTR"), with_meta("PLTR", longName=name))
    outcome = data_command("fetch", "--spec", spec, "--start", FIRST.date())
    assert outcome.code == 0, outcome
    assert "\x1b" not in outcome.out + outcome.err + spec.read_text(encoding="utf-8")
    assert load_spec(spec).run.market == "mine"
    assert load_spec(spec).catalogue.instruments["PLTR"].name.startswith("Evil")


@pytest.mark.parametrize(
    ("symbol", "told"),
    [
        ("VIXCLS", "VIXCLS is a series"),
        ("mu", "is MU meant?"),
        ("BTC/USD", "is BTC-USD meant?"),
        ("../../PLTR", "instrument ../../PLTR has no entry in the catalogue"),
        ("A B", "has no entry in the catalogue"),
    ],
)
def test_a_name_of_something_else_is_asked_of_nobody(
    spec: Path, sources: Any, data_command: Callable[..., Outcome], symbol: str, told: str
) -> None:
    spec.write_text(spec.read_text().replace('"PLTR"', f'"{symbol}"'))
    before = spec.read_bytes()
    assert told in told_by(data_command("fetch", "--spec", spec))
    assert (sources.asked, spec.read_bytes()) == ([], before)


def test_a_ticker_that_yahoo_does_not_know_is_told_and_costs_the_others_nothing(
    spec: Path, sources: Any, data_command: Callable[..., Outcome]
) -> None:
    spec.write_text(spec.read_text().replace('["PLTR"]', '["PLTR", "BRK.B"]'))
    outcome = data_command("fetch", "--spec", spec, "--start", FIRST.date())
    assert outcome.code == 1
    assert "! yahoo did not give BRK.B: Yahoo: BRK.B: " in outcome.out
    assert "is BRK-B meant?" in outcome.out
    assert sorted(tomllib.loads(spec.read_text())["catalogue"]["instruments"]) == ["005380.KS", "DOGE-USD", "PLTR"]
    assert "data fetch --name mine --spec" in outcome.err


def test_a_series_that_nobody_knows_is_never_proposed(
    spec: Path, sources: Any, data_command: Callable[..., Outcome]
) -> None:
    added = '[[signal.inputs]]\nname = "x"\nblock = "pipes"\nseries = "VIX"\nscarcer_when = "higher"\n'
    spec.write_text(spec.read_text().replace('[signal]\nsource = "regimes.csv"', added))
    line = told_by(data_command("fetch", "--spec", spec))
    assert "series VIX has no entry in the catalogue; is VIXCLS meant?" in line
    assert "under [catalogue.series]" in line
    assert not sources.asked_for(FRED)


def test_an_entry_that_contradicts_is_refused_before_anything_is_asked_or_run(
    fetched: Outcome,
    spec: Path,
    sources: Any,
    run_command: Callable[..., Outcome],
    data_command: Callable[..., Outcome],
) -> None:
    asked, text = len(sources.asked), spec.read_text()
    day = FACTS["PLTR"].days[0].date()
    changed = re.sub(rf"(PLTR\][^[]*listed = ){day}", r"\g<1>2001-01-02", text)
    assert changed != text
    spec.write_text(changed)
    for outcome in (
        data_command("fetch", "--spec", spec),
        run_command("backtest", spec),
        run_command("backtest", spec, "--dry-run"),
        run_command("signal", spec),
    ):
        line = told_by(outcome)
        assert f"catalogue.instruments.PLTR.listed: got 2001-01-02, but the market was made with {day}" in line
    spec.write_text(text + '[catalogue.series.DGS3MO]\nunit = "index"\nmeaning = "m"\npublication = "same_day"\n'
                    'stale_after_days = 10\nsource = "s"\n')  # fmt: skip
    assert "catalogue.series.DGS3MO.unit: got index, but the market was made with percent" in told_by(
        run_command("backtest", spec)
    )
    assert "unit: got index, but the shipped entry says percent" in told_by(
        data_command("fetch", "--spec", spec, "--name", "other")
    )
    assert len(sources.asked) == asked


def test_names_in_the_place_of_those_of_the_spec_are_asked_for_alone(
    spec: Path, sources: Any, data_command: Callable[..., Outcome]
) -> None:
    spec.write_text(spec.read_text().replace('"DOGE-USD"', '"NOSUCH"'))
    words = ("fetch", "--spec", spec, "--symbols", "PLTR", "--source", "yahoo", "--start", FIRST.date())
    assert data_command(*words).code == 0
    assert sorted(load("mine.1").bars["symbol"].unique()) == ["PLTR"]
    assert not sources.asked_for(loopback.yahoo_path("NOSUCH"))


def test_what_a_shipped_spec_or_none_lacks_is_refused_with_what_to_write(
    sources: Any, data_command: Callable[..., Outcome]
) -> None:
    for words in (("--symbols", "PLTR"), ("--spec", "history", "--symbols", "PLTR")):
        line = told_by(data_command("fetch", *words))
        assert "instrument PLTR has no entry in the catalogue; add to the spec, under [catalogue.instruments]" in line
        assert ".toml" not in line
    assert sources.asked == []


# Files


def imports(spec: Path, folder: Path) -> tuple[object, ...]:
    return ("import", "--spec", spec, "--prices", folder)


def test_entries_are_proposed_from_the_days_of_files(
    spec: Path, tmp_path: Path, data_command: Callable[..., Outcome], run_command: Callable[..., Outcome]
) -> None:
    days = calendar_sessions("XNYS", pd.Timestamp("2024-01-02"), pd.Timestamp("2024-12-31"))
    for symbol, facts in {
        "PLTR": Facts("XNYS", 40.0),
        "MU": Facts("XNYS", 90.0),
        "DOGE-USD": Facts("24/7", 0.2),
    }.items():
        facts.days = days if symbol != "DOGE-USD" else pd.date_range("2024-01-02", "2024-12-31")
        for name in ("open", "high", "low", "close"):
            setattr(facts, name, np.full(len(facts.days), facts.close[0]))
        facts.volume = np.full(len(facts.days), 1e6)
        facts.write(tmp_path / "prices", symbol)

    outcome = data_command(*imports(spec, tmp_path / "prices"), "--json")

    assert outcome.code == 0, outcome
    proposed = outcome.json["proposed"]["instruments"]
    assert proposed["PLTR"] | {"name": ""} == {
        "name": "", "currency": "USD", "calendar": "XNYS", "asset_class": "us_stock", "listed": "2024-01-02",
        "quantum": 1e-6,
    }  # fmt: skip
    assert (proposed["DOGE-USD"]["asset_class"], proposed["DOGE-USD"]["calendar"]) == ("crypto", "24/7")
    assert outcome.json["name"] == "mine"
    assert "prices without a file, which the spec names: 005380.KS" in " ".join(outcome.json["quality"]["notes"])
    assert set(load_spec(spec).catalogue.instruments) == {"005380.KS", "DOGE-USD", "PLTR"}
    ran = run_command("backtest", spec, "--no-tearsheet", "--set", "run.start=2024-03-01", "--json")
    assert ran.json["manifest"]["market"] == "mine"


def test_days_that_tell_no_exchange_are_refused_and_nothing_is_written(
    spec: Path, tmp_path: Path, data_command: Callable[..., Outcome]
) -> None:
    before = spec.read_bytes()
    london = Facts("XLON", 40.0)
    london.days = calendar_sessions("XLON", pd.Timestamp("2024-01-02"), pd.Timestamp("2024-12-31"))
    short = Facts("XNYS", 40.0)
    short.days = calendar_sessions("XNYS", pd.Timestamp("2024-03-04"), pd.Timestamp("2024-03-15"))
    for facts in (london, short):
        for name in ("open", "high", "low", "close"):
            setattr(facts, name, np.full(len(facts.days), 40.0))
        facts.volume = np.full(len(facts.days), 1e6)
        facts.write(tmp_path / "prices", "PLTR")
        line = told_by(data_command(*imports(spec, tmp_path / "prices")))
        assert "that do not tell the exchange, wanted those of XNYS" in line
        assert "PLTR" in line
    # Another file at fault writes nothing either.
    FACTS["MU"].write(tmp_path / "prices", "MU")
    (tmp_path / "prices" / "PLTR.csv").write_text("date,open\n")
    told_by(data_command(*imports(spec, tmp_path / "prices")))
    assert spec.read_bytes() == before
    assert snapshot_names() == []


def test_an_import_needs_a_name_or_a_spec_that_names_a_market(
    spec: Path, tmp_path: Path, data_command: Callable[..., Outcome]
) -> None:
    FACTS["MU"].write(tmp_path / "prices", "MU")
    spec.write_text(spec.read_text().replace('market = "mine"', ""))
    assert "got no name for the market, wanted one, or a spec that names it: run.market" in told_by(
        data_command(*imports(spec, tmp_path / "prices"))
    )


def test_the_page_shows_what_the_spec_says_of_its_own(fetched: Outcome, spec: Path) -> None:
    import reverse_qe
    from reverse_qe.pages.run_parts.settings import settings

    page = str(settings(reverse_qe.backtest(spec).run).body)
    assert "Entries of the spec itself" in page
    assert "005380.KS" in page
    assert "asset_class foreign_stock" in page
    assert "catalogue." not in page


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ('"nosuch"', "no market nosuch; there are: sample"),
        ('"../x"', "run.market: got '../x'"),
        ('""', "run.market: got ''"),
        ("3", "run.market: got 3"),
        ('"sample:nosuch"', "nosuch"),
    ],
)
def test_a_market_that_is_none_is_refused_in_one_line(
    spec: Path, run_command: Callable[..., Outcome], name: str, told: str
) -> None:
    spec.write_text(spec.read_text().replace('market = "mine"', f"market = {name}"))
    assert told in told_by(run_command("backtest", spec))


def test_a_fetch_refuses_a_spec_that_names_what_has_no_versions(
    spec: Path, sources: Any, data_command: Callable[..., Outcome]
) -> None:
    text, before = spec.read_text(), []
    for name, told in (("mine.3", "wanted that of the market: mine"), ("sample", "which is built in")):
        spec.write_text(text.replace('market = "mine"', f'market = "{name}"'))
        before.append(spec.read_bytes())
        assert told in told_by(data_command("fetch", "--spec", spec))
        assert spec.read_bytes() == before[-1]
    assert sources.asked == []


def test_an_account_begins_with_the_market_of_its_spec(
    spec: Path, run_command: Callable[..., Outcome], tmp_path: Path
) -> None:
    outcome = run_command("paper", "init", tmp_path / "paper.toml", "--spec", spec)
    assert "market mine" in outcome.out
    assert 'market = "mine"' in (tmp_path / "paper.toml").read_text()
    other = run_command("paper", "init", tmp_path / "other.toml", "--spec", spec, "--market", "sample")
    assert "market sample" in other.out


def test_what_a_proposed_name_may_stand_for_is_asked_back(
    spec: Path, sources: Any, data_command: Callable[..., Outcome]
) -> None:
    """BTC is a fund at Yahoo; the coin is BTC-USD."""
    spec.write_text(spec.read_text().replace('"PLTR"', '"BTC"'))
    chart = FACTS["PLTR"].chart("BTC")
    chart["chart"]["result"][0]["meta"] |= {"instrumentType": "ETF", "exchangeName": "PCX"}
    sources.answers(loopback.yahoo_path("BTC"), loopback.Answer(chart))
    outcome = data_command("fetch", "--spec", spec, "--start", FIRST.date())
    assert outcome.code == 0, outcome
    [line] = [each for each in outcome.err.splitlines() if ": BTC, " in each]
    assert line.endswith("Read it before you believe it; is BTC-USD meant?")
    assert f"us_etf in USD on XNYS since {FACTS['PLTR'].days[0].date()}." in line
