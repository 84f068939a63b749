"""Units: what cannot be in the unit of the catalogue is refused or told; so is a history that changed its own."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.catalogue.instruments import instrument_catalogue, instrument_entry
from data.catalogue.ranges import price_range, series_range, turnover_range
from data.catalogue.series import series_catalogue, series_entry
from data.errors import InputError
from data.fetch.fetch import fetch
from data.importing.folders import import_snapshot
from data.market.manifest import BarUnits, FetchRecord
from data.market.snapshot import Snapshot, load
from data.market.units import refuse_bar_units, refuse_changed_unit, refuse_series_unit, volume_in_units
from data.quality.report import quality_report
from fetch_world import World, made_bars, made_series

NOW = pd.Timestamp("2025-12-01 12:00", tz="UTC")


def weekly(first: float, weeks: int = 60) -> pd.DataFrame:
    """Wednesdays."""
    days = pd.date_range("2024-01-03", periods=weeks, freq="7D").as_unit("us")
    return pd.DataFrame({"date": days, "value": first * (1 + 0.001 * np.arange(weeks))})


def test_every_shipped_series_and_asset_class_has_a_plausible_range() -> None:
    for name, entry in series_catalogue().items():
        plausible = series_range(entry)
        assert plausible is not None, name
        assert plausible[0] < plausible[1]
    for entry in instrument_catalogue().values():
        assert price_range(entry)[0] < price_range(entry)[1]
        assert turnover_range(entry)[0] < turnover_range(entry)[1]


@pytest.mark.parametrize(
    ("series", "value"), [("WTREGEN", 750_000.0), ("WALCL", 7e6), ("RRPONTSYD", 2_000.0), ("M2SL", 21_000.0)]
)
def test_a_series_in_another_unit_is_refused_by_name(series: str, value: float) -> None:
    entry = series_entry(series)
    refuse_series_unit(series, weekly(value), entry)

    # Billions for millions and the other way round; for the two that are in billions, millions.
    wrong = value / 1000 if entry.unit == "usd_millions" else value * 1000
    with pytest.raises(
        InputError, match=rf"^{series}: got 60 of 60 values outside .*, wanted (m|b)illions of US dollars"
    ):
        refuse_series_unit(series, weekly(wrong), entry)


def test_a_history_that_changes_its_unit_on_the_way_is_refused_and_a_single_value_is_told(tmp_path: Path) -> None:
    values = weekly(750_000.0)
    changed = values.assign(value=values["value"].where(values.index < 50, values["value"] / 1000))
    with pytest.raises(InputError, match=r"^WTREGEN: got 10 of 60 values outside 2,000 to .*\(787.5 on 2024-12-18\)"):
        refuse_series_unit("WTREGEN", changed, series_entry("WTREGEN"))

    (tmp_path / "macro").mkdir()
    (tmp_path / "prices").mkdir()
    values.loc[7, "value"] /= 1000
    values.to_csv(tmp_path / "macro" / "WTREGEN.csv", index=False, date_format="%Y-%m-%d")
    bars = made_bars("MU", "2025-10-01", "2025-11-28")
    columns = ["date", "open", "high", "low", "close", "adj_close", "volume"]
    bars.assign(adj_close=bars["close"])[columns].to_csv(tmp_path / "prices" / "MU.csv", index=False)
    _, report = import_snapshot(tmp_path / "prices", tmp_path / "macro", None, "market")
    [told] = [finding for finding in report.findings if finding.kind == "implausible"]
    assert (told.name, told.count, str(told.first)) == ("WTREGEN", 1, "2024-02-21")


def test_an_import_in_billions_is_refused_by_file_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "prices").mkdir()
    (tmp_path / "macro").mkdir()
    bars = made_bars("MU", "2025-10-01", "2025-11-28").assign(adj_close=100.0)
    columns = ["date", "open", "high", "low", "close", "adj_close", "volume"]
    bars[columns].to_csv(tmp_path / "prices" / "MU.csv", index=False)
    weekly(750.0).to_csv(tmp_path / "macro" / "WTREGEN.csv", index=False, date_format="%Y-%m-%d")

    with pytest.raises(InputError) as refusal:
        import_snapshot(tmp_path / "prices", tmp_path / "macro", None, "market")

    assert str(refusal.value) == (
        f"{tmp_path}/macro/WTREGEN.csv: WTREGEN: got 60 of 60 values outside 2,000 to 10,000,000 (750 on 2024-01-03), "
        "wanted millions of US dollars; they are in another unit: mend the file or the catalogue entry"
    )


@given(
    factor=st.sampled_from([1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3, 2.0, 0.5, 5.0, 20.0]),
    noise=st.floats(0, 0.01),
    seed=st.integers(0, 2**32 - 1),
    days=st.integers(3, 40),
)
def test_a_step_of_a_whole_history_is_refused_and_nothing_else_is(
    factor: float, noise: float, seed: int, days: int
) -> None:
    random = np.random.default_rng(seed)
    index = pd.bdate_range("2025-01-02", periods=days)
    held = pd.Series(np.exp(random.normal(3, 1, days)), index=index)
    told = held * factor * (1 + random.uniform(-noise, noise, days))
    if factor in (1e-3, 1e-2, 1e-1, 1e1, 1e2, 1e3):
        with pytest.raises(InputError, match=rf"^X: got values {factor:g} times those held on {days} of {days} days"):
            refuse_changed_unit("X", held, told)
    else:
        refuse_changed_unit("X", held, told)
    # A revision of some days by such a factor is a revision.
    few = held.where(np.arange(days) < days // 2 + 1, held * 1000)
    refuse_changed_unit("X", held, few)


def test_a_series_that_comes_a_thousand_times_smaller_is_a_failure_of_its_own_and_the_held_one_stays() -> None:
    days = pd.bdate_range("2025-10-01", "2025-11-20").strftime("%Y-%m-%d")
    rates = {day: 4.0 + 0.001 * place for place, day in enumerate(days)}
    world = World(series={"DGS10": made_series(rates), "DGS2": made_series(rates)})
    wanted = FetchRecord(series=("DGS10", "DGS2"))
    fetch("live", wanted, world.sources(), pd.Timestamp("2025-11-24 12:00", tz="UTC"), ["fred"])
    more = rates | {"2025-11-21": 4.04, "2025-11-24": 4.05}
    world.series = {"DGS10": made_series({day: value / 1000 for day, value in more.items()}), "DGS2": made_series(more)}

    outcome = fetch("live", wanted, world.sources(), NOW, ["fred"])

    [failure] = outcome.failures
    assert failure.reason.startswith(
        "DGS10: got values 0.001 times those held on 37 of 37 days (0.004 for 4 on 2025-10-01"
    )
    market = load("live.2").series
    assert market.loc[market["series"] == "DGS10", "value"].max() == max(rates.values())
    assert market.loc[market["series"] == "DGS2", "date"].max() == pd.Timestamp("2025-11-24")


def test_prices_that_moved_by_ten_without_a_split_are_a_failure_of_the_symbol() -> None:
    bars = {symbol: made_bars(symbol, "2025-10-01", "2025-12-31") for symbol in ("MU", "WDC")}
    world = World(bars=bars)
    wanted = FetchRecord(symbols=("MU", "WDC"), start=pd.Timestamp("2025-10-01").date())
    fetch("live", wanted, world.sources(), pd.Timestamp("2025-11-24 12:00", tz="UTC"), ["yahoo"])
    world.bars = bars | {
        "MU": bars["MU"].assign(**{name: bars["MU"][name] / 10 for name in ("open", "high", "low", "close")})
    }

    outcome = fetch("live", wanted, world.sources(), NOW, ["yahoo"])

    [failure] = outcome.failures
    assert failure.reason.startswith(
        "MU: close: got values 0.1 times those held on 38 of 38 days (10 for 100 on 2025-10-01)"
    )
    held = load("live.2").bars_of("MU")
    assert (held["close"].iloc[0], held["date"].iloc[-1]) == (100.0, pd.Timestamp("2025-11-21"))


def coin_bars(volume: float) -> pd.DataFrame:
    days = pd.date_range("2020-01-01", "2020-03-31").as_unit("us")
    close = 7200.17 * np.exp(np.random.default_rng(1).normal(0, 0.01, len(days)).cumsum())
    return pd.DataFrame({"symbol": "BTC-USD", "date": days, "close": close, "volume": volume})


def test_the_volume_of_a_coin_is_told_in_coins_whichever_way_the_file_tells_it() -> None:
    entry = instrument_entry("BTC-USD")
    dollars = coin_bars(18_565_664_997.0)
    coins, known = volume_in_units(dollars, entry)
    assert known
    np.testing.assert_allclose(coins, 18_565_664_997.0 / dollars["close"])

    again, known = volume_in_units(dollars.assign(volume=coins), entry)
    assert known
    np.testing.assert_array_equal(again, coins)

    # Neither reading is what Bitcoin has ever traded: left as it is, in no known unit.
    unknown, known = volume_in_units(coin_bars(3.0), entry)
    assert not known
    assert set(unknown) == {3.0}


def test_volumes_in_dollars_that_the_entry_takes_for_coins_are_refused() -> None:
    entry = instrument_entry("BTC-USDT")
    with pytest.raises(
        InputError, match=r"^BTC-USD: got volumes that come to 1.*e\+14 USDT on the usual day, wanted at most"
    ):
        refuse_bar_units(coin_bars(18_565_664_997.0), entry)
    refuse_bar_units(coin_bars(2_578_504.0), entry)


def test_a_market_of_before_units_were_kept_is_asked_for_its_coins_anew() -> None:
    coin = made_bars("BTC-USD", "2025-10-01", "2025-12-31").assign(volume=1e6)
    world = World(bars={"BTC-USD": coin.assign(volume=1e6 * coin["close"])})
    wanted = FetchRecord(symbols=("BTC-USD",), start=pd.Timestamp("2025-10-01").date())
    fetch("live", wanted, world.sources(), pd.Timestamp("2025-11-24 12:00", tz="UTC"), ["yahoo"])
    forget_units("live.1")
    world.bars = {"BTC-USD": coin}
    world.asked.clear()

    fetch("live", wanted, world.sources(), NOW, ["yahoo"])

    assert world.asked == [("BTC-USD", "2025-10-01", "2025-11-30")]
    market: Snapshot = load("live.2")
    assert set(market.bars["volume"]) == {1e6}
    assert market.bar_units == {"BTC-USD": BarUnits(prices="as_traded", volume="units")}
    fetch("live", wanted, world.sources(), NOW + pd.Timedelta(days=1), ["yahoo"])
    assert world.asked[-1] == ("BTC-USD", "2025-10-31", "2025-12-01")


def forget_units(version: str) -> None:
    """Make a version as one of format 1 was."""
    import json

    from data.files.kept import snapshots_dir

    path = snapshots_dir() / version / "manifest.json"
    manifest = json.loads(path.read_text())
    market = load(version)
    object.__setattr__(market, "bar_units", {})
    market.__dict__.pop("content_hash", None)
    manifest |= {"bar_units": {}, "content_hash": market.content_hash}
    path.write_text(json.dumps(manifest))


def test_a_value_outside_is_told_by_the_quality_report() -> None:
    world = World(bars={"MU": made_bars("MU", "2025-10-01", "2025-11-28")})
    world.bars["MU"].loc[5, ["open", "high", "low", "close"]] = 5e6
    wanted = FetchRecord(symbols=("MU",), start=pd.Timestamp("2025-10-01").date())
    fetch("live", wanted, world.sources(), pd.Timestamp("2025-11-29 12:00", tz="UTC"), ["yahoo"])

    [told] = [finding for finding in quality_report(load("live.1")).findings if finding.kind == "implausible"]

    assert (told.name, told.count, str(told.first)) == ("MU", 1, "2025-10-08")
    assert told.text == "closes outside 0.0001 to 2,000,000 USD, in no likely unit: 1"


def test_days_of_nothing_are_not_compared() -> None:
    """Nothing times ten is nothing: such days neither tell of another unit nor against one."""
    days = pd.bdate_range("2025-01-02", periods=12)
    held = pd.Series([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0], days)
    told = held * 10
    told.iloc[[1, 2]] = 0.0
    with pytest.raises(InputError, match=r"^X: got values 10 times .* on 9 of 9 days \(30 for 3 on 2025-01-07\)"):
        refuse_changed_unit("X", held, told)
    refuse_changed_unit("X", held * 0, told)
    refuse_changed_unit("X", held, told * 0)
