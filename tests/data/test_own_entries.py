"""Entries of one's own: what is one, what contradicts another, and what a market keeps of them for ever."""

import json
import os
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtests.spec.spec import load_spec
from data.catalogue.catalogue import Catalogue, catalogue_of, newer_entries, shipped_catalogue
from data.catalogue.instruments import instrument_catalogue, instrument_entry, require_us_dollars
from data.catalogue.own import MOST_ENTRIES, OwnCatalogue, is_name
from data.catalogue.series import series_entry
from data.catalogue.unknown import near_miss
from data.clock import sessions_between
from data.errors import InputError
from data.files.kept import MANIFEST, snapshots_dir
from data.files.toml import validated
from data.market.entries import held_series_entry, read_by
from data.market.snapshot import load, save
from data.quality.report import quality_report
from hand_made import make_snapshot

STOCK = {
    "name": "Palantir Technologies",
    "currency": "USD",
    "calendar": "XNYS",
    "asset_class": "us_stock",
    "listed": "2020-09-30",
    "quantum": 1e-6,
}
SERIES = {
    "unit": "percent",
    "meaning": "effective federal funds rate, mean of the month",
    "publication": "following_month_end",
    "stale_after_days": 100,
    "source": "Federal Reserve H.15",
}
COMPANY = {
    "name": "IBM",
    "cik": 51143,
    "fiscal_year_end_month": 12,
    "capex_tags": ["PaymentsToAcquirePropertyPlantAndEquipment"],
}


def own(**kinds: Any) -> OwnCatalogue:
    return validated(OwnCatalogue, kinds, "the spec", "catalogue")


def stock(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in {**STOCK, **changes}.items() if value is not None}


def refused(**kinds: Any) -> str:
    with pytest.raises(InputError) as refusal:
        own(**kinds)
    told = str(refusal.value)
    assert "\n" not in told
    return told


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"calendar": "NASDAQ"}, "got the exchange calendar 'NASDAQ', wanted XNYS"),
        ({"calendar": "XNOWHERE"}, "got the exchange calendar 'XNOWHERE', wanted one of exchange_calendars: 24/5"),
        ({"currency": "GBp"}, "got GBp, hundredths of GBP, which no entry can express; import the prices in GBP"),
        ({"currency": "ILA"}, "got ILA, hundredths of ILS"),
        ({"currency": "usd"}, "got 'usd', wanted an ISO code such as USD"),
        ({"currency": "US dollars"}, "got 'US dollars', wanted an ISO code"),
        (
            {"currency": "EUR"},
            "got us_stock in EUR on XNYS, wanted USD on XNYS; what trades elsewhere is a foreign_stock",
        ),
        ({"calendar": "XLON"}, "got us_stock in USD on XLON, wanted USD on XNYS"),
        ({"asset_class": "crypto"}, "got crypto on XNYS, wanted crypto on 24/7"),
        ({"asset_class": "foreign_stock"}, "got foreign_stock on XNYS, wanted us_stock or us_etf"),
        ({"asset_class": "foreign_stock", "calendar": "24/7"}, "got foreign_stock on 24/7"),
        ({"asset_class": "bond"}, "asset_class: got 'bond'"),
        ({"listed": "2020-13-01"}, "listed: got '2020-13-01'"),
        ({"listed": "1492-10-12"}, "got listed 1492-10-12, wanted a day from 1800-01-01"),
        ({"listed": 20200930}, "listed: got 20200930"),
        ({"quantum": 0}, "quantum: got 0"),
        ({"quantum": "1e-6"}, "quantum: got '1e-6', wanted a valid number"),
        ({"quantum": True}, "quantum: got True"),
        ({"quantum": float("nan")}, "quantum"),
        ({"quantum": float("inf")}, "quantum"),
        ({"name": ""}, "name: got '', wanted one line of words"),
        ({"name": "Evil\x1b[2J"}, "wanted one line of words"),
        ({"name": "two\nlines"}, "wanted one line of words"),
        ({"name": "x" * 201}, "name: got"),
        ({"turnover": [5.0, 1.0]}, "got 5 and 1, wanted the smallest and then the largest"),
        ({"second_source": "../../etc/passwd"}, "got the name '../../etc/passwd', wanted 1 to 32 letters"),
        ({"curency": "USD"}, "unknown key instruments.PLTR.curency, the nearest is instruments.PLTR.currency"),
        ({"listed": None}, "the key instruments.PLTR.listed is missing"),
    ],
)
def test_an_instrument_that_is_none_is_refused_in_one_line(changes: dict[str, Any], told: str) -> None:
    assert told in refused(instruments={"PLTR": stock(**changes)})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"publication": "at_once"}, "publication: got 'at_once'"),
        ({"stale_after_days": 0}, "stale_after_days: got 0"),
        ({"stale_after_days": 1.5}, "stale_after_days: got 1.5"),
        ({"unit": "% a year"}, "got '% a year', wanted a unit such as percent"),
        ({"range": [1, 1]}, "wanted the smallest and then the largest"),
        ({"revised": "yes"}, "revised: got 'yes'"),
    ],
)
def test_a_series_that_is_none_is_refused_in_one_line(changes: dict[str, Any], told: str) -> None:
    assert told in refused(series={"FEDFUNDS": {**SERIES, **changes}})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"cik": 0}, "cik: got 0"),
        ({"cik": "51143"}, "cik: got '51143'"),
        ({"fiscal_year_end_month": 13}, "fiscal_year_end_month: got 13"),
        ({"capex_tags": []}, "capex_tags"),
        ({"capex_tags": ["../x"]}, "got '../x', wanted a us-gaap tag"),
    ],
)
def test_a_company_that_is_none_is_refused_in_one_line(changes: dict[str, Any], told: str) -> None:
    assert told in refused(companies={"IBM": {**COMPANY, **changes}})


@pytest.mark.parametrize("kind", ["instruments", "series", "companies"])
@pytest.mark.parametrize(
    "name",
    ["", " ", "..", "../x", "a/b", "a\\b", "x" * 33, "-rf", "=1+1", "@x", "a b", "a\nb", "\x1b[2J", "a\x00", "ü", "A."],
)
def test_a_hostile_name_is_refused_in_one_line(kind: str, name: str) -> None:
    entry = {"instruments": STOCK, "series": SERIES, "companies": COMPANY}[kind]
    assert "wanted 1 to 32 letters" in refused(**{kind: {name: entry}})
    # A wrong entry below it does not bring the name to the terminal either.
    assert "\x1b" not in refused(**{kind: {name: {**entry, "nosuch": 1}}})


@given(st.text(max_size=40) | st.text("AZ09az./\\^=-_ \n", max_size=33))
def test_a_name_that_is_taken_stays_in_its_folder(name: str) -> None:
    if is_name(name):
        folder = Path("/files/of/prices")
        assert Path(os.path.normpath(folder / f"{name}.csv")).parent == folder
        assert name.isprintable()
        assert name[0] not in "=+-@"


def test_a_huge_catalogue_is_refused_in_one_line() -> None:
    entries = {f"T{number}": STOCK for number in range(MOST_ENTRIES + 1)}
    assert f"at most {MOST_ENTRIES} items" in refused(instruments=entries)
    own(instruments=dict(list(entries.items())[:100]))


def test_faults_without_number_are_told_in_one_short_line() -> None:
    told = refused(instruments={f"T{number}": {"name": 1} for number in range(2000)})
    assert "and 11997 more" in told or "more, in" in told
    assert len(told) < 2000


def test_one_thing_has_one_name() -> None:
    assert "got PLTR and pltr, wanted names that differ" in refused(instruments={"PLTR": STOCK, "pltr": STOCK})
    both = refused(instruments={"ABC": STOCK}, series={"ABC": SERIES})
    assert "got ABC as an instrument and as a series, wanted one of them" in both
    assert own(instruments={"IBM": STOCK}, companies={"IBM": COMPANY})


def test_the_order_of_entries_changes_no_spec() -> None:
    entries = {"ZZZ": STOCK, "AAA": STOCK}
    turned = dict(reversed(list(entries.items())))
    one, other = (load_spec("sample", {"catalogue": {"instruments": each}}) for each in (entries, turned))
    assert one.to_toml() == other.to_toml()
    assert load_spec(json.loads(json.dumps(one._values()))).catalogue == one.catalogue
    assert "catalogue" not in load_spec("sample").to_toml()


def test_what_is_written_of_a_spec_holds_what_judges_too() -> None:
    changes = {"second_source": "PLTR2", "volume_in": "usd", "turnover": [1.0, 1e12]}
    spec = load_spec("sample", {"catalogue": {"instruments": {"PLTR": stock(**changes)}, "series": {"FF": SERIES}}})
    assert spec.catalogue.instruments["PLTR"].turnover == (1.0, 1e12)
    assert spec._values()["catalogue"]["instruments"]["PLTR"] == {**STOCK, **changes}
    # A market keeps nothing of it.
    assert spec.catalogue.instruments["PLTR"].kept().model_dump(mode="json") == STOCK


# Agreement


def contradiction(spec: OwnCatalogue, kept: Catalogue | None = None) -> str:
    with pytest.raises(InputError) as refusal:
        catalogue_of(kept or Catalogue(), spec)
    told = str(refusal.value)
    assert "\n" not in told
    return told


def test_an_entry_that_contradicts_a_shipped_one_is_refused_in_one_line() -> None:
    micron = instrument_entry("MU").model_dump(mode="json")
    told = contradiction(own(instruments={"MU": {**micron, "listed": "1990-01-02"}}))
    assert told == (
        "catalogue.instruments.MU.listed: got 1990-01-02, but the shipped entry says 1984-06-01; take the entry of MU "
        "out of the spec"
    )
    yields = series_entry("DGS10").model_dump(mode="json", exclude_none=True)
    assert "publication: got same_day" in contradiction(own(series={"DGS10": {**yields, "publication": "same_day"}}))
    assert "stale_after_days: got 99, but the shipped" in contradiction(
        own(series={"DGS10": {**yields, "stale_after_days": 99}})
    )
    assert "cik: got 51143, but the shipped entry says 789019" in contradiction(own(companies={"MSFT": COMPANY}))
    # The same again contradicts nothing.
    assert catalogue_of(Catalogue(), own(instruments={"MU": micron}, series={"DGS10": yields}))


def test_a_name_of_something_else_is_refused() -> None:
    assert "SPY is an instrument of the shipped catalogue" in contradiction(own(series={"SPY": SERIES}))
    assert "VIXCLS is a series of the shipped catalogue" in contradiction(own(instruments={"VIXCLS": STOCK}))
    assert "got mu, which is shipped as MU" in contradiction(own(instruments={"mu": STOCK}))


def test_an_entry_that_changed_since_the_market_was_made_is_refused_in_one_line() -> None:
    kept = Catalogue(instruments={"PLTR": own(instruments={"PLTR": STOCK}).instruments["PLTR"].kept()})
    told = contradiction(own(instruments={"PLTR": stock(listed="2020-10-01")}), kept)
    assert told == (
        "catalogue.instruments.PLTR.listed: got 2020-10-01, but the market was made with 2020-09-30; put it back, or "
        "make another market of the new entry"
    )
    # What people read, and what judges, may change.
    changed = own(instruments={"PLTR": stock(name="Palantir", turnover=[0.0, 1e9])})
    assert catalogue_of(kept, changed).instruments["PLTR"].turnover == (0.0, 1e9)


def test_a_newer_shipped_entry_is_a_note_and_the_markets_is_read() -> None:
    older = instrument_entry("MU").model_copy(update={"listed": date(1990, 1, 2)})
    kept = Catalogue(instruments={"MU": older})
    assert catalogue_of(kept).instruments["MU"].listed == date(1990, 1, 2)
    [note] = newer_entries(kept)
    assert note.startswith(
        "MU: the shipped catalogue of instruments now says listed 1984-06-01; the market was made with"
    )
    # A spec of the time before agrees with the market, and goes on to be taken.
    spec = own(instruments={"MU": {**older.model_dump(mode="json")}})
    assert catalogue_of(kept, spec).instruments["MU"].listed == date(1990, 1, 2)
    assert newer_entries(Catalogue(instruments=instrument_catalogue())) == []


def test_what_judges_is_todays() -> None:
    before = series_entry("DGS10").model_copy(update={"stale_after_days": 3, "publication": "same_day"})
    read = catalogue_of(Catalogue(series={"DGS10": before})).series["DGS10"]
    assert (read.publication, read.stale_after_days) == ("same_day", 10)
    mine = own(series={"FF": SERIES}).series["FF"].kept()
    spec = own(series={"FF": {**SERIES, "stale_after_days": 400}})
    assert catalogue_of(Catalogue(series={"FF": mine}), spec).series["FF"].stale_after_days == 400
    assert catalogue_of(Catalogue(series={"FF": mine})).series["FF"].stale_after_days == 100


def test_two_specs_in_one_process_know_nothing_of_each_other() -> None:
    catalogue_of(Catalogue(), own(instruments={"PLTR": STOCK}))
    assert "PLTR" not in catalogue_of(Catalogue(), own()).instruments
    assert "PLTR" not in shipped_catalogue().instruments


def test_what_trades_abroad_is_not_traded_whatever_its_currency() -> None:
    abroad = own(instruments={"X.L": stock(asset_class="foreign_stock", calendar="XLON")}).instruments
    with pytest.raises(InputError, match=r"the spec trades X\.L \(XLON\): got a stock of an exchange abroad"):
        require_us_dollars(["X.L"], abroad)


@pytest.mark.parametrize(
    ("kind", "name", "wanted"),
    [
        ("series", "VIX", "is VIXCLS meant?"),
        ("series", "^VIX", "is VIXCLS meant?"),
        ("series", "SPY", "SPY is an instrument"),
        ("instrument", "VIXCLS", "VIXCLS is a series"),
        ("instrument", "VIX", "is VIXCLS meant, a series?"),
        ("instrument", "mu", "is MU meant?"),
        ("instrument", "BTCUSD", "is BTC-USD meant?"),
        ("instrument", "BTC/USD", "is BTC-USD meant?"),
        ("company", "GOOG", "is GOOGL meant?"),
        ("instrument", "PLTR", ""),
        ("series", "FEDFUNDS", ""),
    ],
)
def test_a_near_miss_is_named(kind: Any, name: str, wanted: str) -> None:
    assert near_miss(kind, name) == wanted


# What a market keeps


@pytest.fixture
def market() -> Any:
    days = sessions_between(pd.Timestamp("2024-01-02"), pd.Timestamp("2024-03-28"))
    made = make_snapshot({"PLTR": [(str(day.date()), 10.0, 10.0) for day in days]}, name="market")
    entry = own(instruments={"PLTR": STOCK}).instruments["PLTR"].kept()
    moments = pd.date_range("2024-01-01", periods=6, freq="MS")
    series = pd.DataFrame({"series": "FF", "date": moments, "value": 5.0}).assign(
        known_at=(moments + pd.Timedelta(days=60)).tz_localize("UTC")
    )
    kept = own(series={"FF": SERIES}).series["FF"].kept()
    return replace(made, instruments={"PLTR": entry}, series=series, series_entries={"FF": kept}, gate=False)


def test_entries_are_kept_and_hashed(market: Any) -> None:
    save(market)
    read = load("market")
    assert read.content_hash == market.content_hash
    assert (read.instruments, read.series_entries) == (market.instruments, market.series_entries)
    other = market.series_entries["FF"].model_copy(update={"publication": "same_day"})
    assert replace(market, series_entries={"FF": other}, gate=False).content_hash != market.content_hash
    # In the manifest they cannot be changed unseen.
    path = snapshots_dir() / "market" / MANIFEST
    path.write_text(path.read_text().replace("following_month_end", "same_day"))
    with pytest.raises(InputError, match="its content has hash"):
        load("market")


def test_a_market_is_read_by_a_spec_and_stays_what_it_was(market: Any) -> None:
    spec = own(series={"FF": {**SERIES, "stale_after_days": 5}})
    read = read_by(spec, market)
    assert read.content_hash == market.content_hash
    assert read.catalogue.series["FF"].stale_after_days == 5
    assert market.catalogue.series["FF"].stale_after_days == 100
    with pytest.raises(InputError, match="publication: got same_day, but the market was made with following_month_end"):
        read_by(own(series={"FF": {**SERIES, "publication": "same_day"}}), market)


def test_a_series_of_which_nobody_knows_anything_asks_in_one_line_to_be_imported_again(market: Any) -> None:
    assert quality_report(market)
    assert held_series_entry(market, "FF").unit == "percent"
    older = replace(market, series_entries={}, gate=False)
    with pytest.raises(
        InputError, match=r"market market holds the series FF, .*: import or fetch it again, with a spec"
    ):
        quality_report(older)
    assert quality_report(read_by(own(series={"FF": SERIES}), older))
