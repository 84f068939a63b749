"""Small inputs that went wrong in this field, from the answer of a source or a file to the orders of a run.

Others of the kind stand with what they are of: units in `tests/data/test_units.py`, calendars that lack a closing in
`tests/data/fetch/test_closings.py`, a daily series beside a weekly one in `tests/signals/test_blocks.py`, figures that
cannot be in `tests/data/sources/test_plausible.py`, faults put in at random in `tests/data/test_faults_at_random.py`.

Prices are constant unless said, and there are no costs: one instrument in the basket of cash flow, one speculative one
that is never bought, a regime file that says SCARCE from the first day on.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtests.archive.folder import manifest
from backtests.run import Backtest, run_backtest
from backtests.spec.spec import load_spec
from data.clock import sessions_between
from data.errors import InputError
from data.fetch.fetch import fetch
from data.importing.folders import import_snapshot
from data.market.manifest import FetchRecord
from data.market.snapshot import Snapshot, load
from data.quality.report import QualityReport
from fetch_world import World
from reverse_qe.pages.run import run_page
from reverse_qe.words.summary import summary_lines

FREE = "".join(f"\n[costs.{name}]\ncommission_bp = 0.0\n" for name in ("crypto", "us_stock", "us_etf"))
SPEC = """
[run]
name = "case"
start = {start}
prices = "{prices}"

[universe]
speculative = ["CRM"]
cash_flow = [{cash_flow}]
benchmark = "SPY"

[signal]
source = "regimes.csv"

[policy]
instrument_cap = 1.0
rebalance = "{rebalance}"
volatility_target = {volatility_target}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "regimes.csv").write_text("known_at,regime\n2000-01-03T22:00:00+00:00,SCARCE\n")
    (tmp_path / "prices").mkdir()
    return tmp_path


def flat(first: str, last: str, price: float = 100.0) -> pd.DataFrame:
    """A bar of one price a session."""
    days = sessions_between(pd.Timestamp(first), pd.Timestamp(last))
    prices = dict.fromkeys(("open", "high", "low", "close"), price)
    return pd.DataFrame({"date": days, **prices, "volume": 1e6})


def imported(folder: Path, **bars: pd.DataFrame) -> Snapshot:
    """The market of these bars, written as files and imported."""
    return imported_with(folder, None, **bars)[0]


def imported_with(folder: Path, actions: Path | None, **bars: pd.DataFrame) -> tuple[Snapshot, QualityReport]:
    for symbol, frame in bars.items():
        file = frame.assign(adj_close=frame.get("adj_close", frame["close"]))
        columns = ["date", "open", "high", "low", "close", "adj_close", "volume"]
        file[columns].to_csv(folder / "prices" / f"{symbol}.csv", index=False, date_format="%Y-%m-%d")
    return import_snapshot(folder / "prices", None, None, "case", actions)


def run(
    folder: Path,
    market: Snapshot,
    start: str,
    cash_flow: Sequence[str] = ("MU",),
    rebalance: str = "monthly",
    volatility_target: float | None = None,
    more: str = "",
    prices: str = "adjusted",
    costs: str = FREE,
) -> Backtest:
    text = SPEC.format(
        start=start,
        cash_flow=", ".join(f'"{symbol}"' for symbol in cash_flow),
        rebalance=rebalance,
        volatility_target=volatility_target,
        prices=prices,
    ).replace("volatility_target = None\n", "")
    (folder / "case.toml").write_text(text + costs + more)
    return run_backtest(load_spec(str(folder / "case.toml")), market)


def test_a_price_of_0_from_a_source_is_a_blank_that_fills_nothing_and_is_told(folder: Path) -> None:
    """Open and low of 0 on the one day on which a buy is due: nothing is bought then, and the run ends well."""
    bars = flat("2025-01-02", "2025-02-11")
    assert len(bars) == 27
    due = bars["date"] == "2025-01-06"
    odd = bars.copy()
    odd.loc[due, ["open", "low"]] = 0.0
    world = World(bars={"MU": odd, "CRM": bars, "SPY": bars})
    wanted = FetchRecord(symbols=("MU", "CRM", "SPY"), start=pd.Timestamp("2025-01-02").date())

    outcome = fetch("live", wanted, world.sources(), pd.Timestamp("2025-02-12 06:00", tz="UTC"), ["yahoo"])
    result = run(folder, load("live.1"), "2025-01-06")

    assert not outcome.failures
    assert {"MU: open of 0, read as blank: 2025-01-06", "MU: low of 0, read as blank: 2025-01-06"} <= set(outcome.notes)
    first, second = result.engine.orders.iloc[0], result.engine.orders.iloc[1]
    assert (str(first["session"].date()), first["status"], first["reason"]) == ("2025-01-06", "unfilled", "no open")
    assert (str(second["session"].date()), second["status"], second["price"]) == ("2025-01-07", "filled", 100.0)
    np.testing.assert_allclose(result.engine.equity["equity"], 100_000.0, rtol=1e-9)
    assert any(warning.startswith("MU has 1 bar without an open") for warning in result.warnings)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"high": 90.0}, "high 90 is below low 100"),
        ({"volume": -5.0}, "volume -5, wanted 0 or more"),
        ({"close": -100.0}, "close -100, wanted a price above 0"),
    ],
)
def test_a_fetched_bar_meets_the_same_refusal_as_an_imported_one(
    folder: Path, cells: dict[str, float], words: str
) -> None:
    bars = flat("2025-01-02", "2025-02-11").assign(**dict.fromkeys(("open", "high", "low", "close"), 100.0))
    for name, value in cells.items():
        bars[name] = bars[name].astype(float)
        bars.loc[4, name] = value
    world = World(bars={"MU": bars, "SPY": flat("2025-01-02", "2025-02-11")})
    wanted = FetchRecord(symbols=("MU", "SPY"), start=pd.Timestamp("2025-01-02").date())

    outcome = fetch("live", wanted, world.sources(), pd.Timestamp("2025-02-12 06:00", tz="UTC"), ["yahoo"])
    with pytest.raises(InputError) as refusal:
        imported(folder, MU=bars.astype({"volume": int}))

    [failure] = outcome.failures
    assert failure.reason.startswith(f"MU 2025-01-08: {words}")
    assert (outcome.version, outcome.lacking) == ("live.1", ("MU",))
    line = str(refusal.value).replace(".0 ", " ").replace(".0,", ",")
    assert line.startswith(f"{folder}/prices/MU.csv, line 6: {words}")


def test_a_row_of_a_closed_day_changes_no_order_and_no_valuation(folder: Path) -> None:
    """A row of 10 for MU on the day of mourning, 100 before and after; weights by volatility, daily."""
    bars = {symbol: flat("2024-01-02", "2025-02-11") for symbol in ("MU", "WDC", "CRM", "SPY")}
    for symbol, factors in {"MU": (1.05, 0.97), "WDC": (0.99, 1.02)}.items():
        for place, factor in enumerate(factors):
            bars[symbol].loc[place::3, ["open", "high", "low", "close"]] *= factor
    phantom = bars["MU"].iloc[[0]].assign(date=pd.Timestamp("2025-01-09"), open=10, high=10, low=10, close=10)
    odd = bars | {"MU": pd.concat([bars["MU"], phantom]).sort_values("date", ignore_index=True)}
    more = "\n[order_rules]\nband = 0.0\n"

    def orders(market: Snapshot) -> Backtest:
        return run(folder, market, "2025-01-03", ("MU", "WDC"), "daily", volatility_target=0.1, more=more)

    sound = orders(imported(folder, **bars))
    market = imported(folder, **odd)
    other = orders(market)

    assert market.bars_aside[["symbol", "close"]].to_numpy().tolist() == [["MU", 10.0]]
    assert len(sound.engine.orders) > 20
    pd.testing.assert_frame_equal(other.engine.orders, sound.engine.orders)
    pd.testing.assert_frame_equal(other.engine.equity, sound.engine.equity)
    pd.testing.assert_frame_equal(other.returns, sound.returns)


def test_a_participation_in_the_volume_of_a_coin_is_one_in_coins(folder: Path) -> None:
    """Bitcoin of 2020-01-01: 18,565,664,997 US dollars at 7,200.17 are 2,578,504 coins; 1e-10 of them is hardly any."""
    days = pd.date_range("2020-01-01", "2020-02-10").as_unit("us")
    prices = dict.fromkeys(("open", "high", "low", "close"), 7200.17)
    coin = pd.DataFrame({"date": days, **prices, "volume": 18_565_664_997})
    stocks = {symbol: flat("2020-01-02", "2020-02-10") for symbol in ("CRM", "SPY")}
    market = imported(folder, **stocks, **{"BTC-USD": coin})

    held = run(folder, market, "2020-01-03", ("BTC-USD",), more="\n[order_rules]\nminimum_order = 0.0\n")
    limited = run_backtest(
        load_spec(str(folder / "case.toml"), {"costs.crypto.participation": 1e-10, "run.initial_cash": 1000.0}), market
    )

    assert market.bar_units["BTC-USD"].volume == "units"
    np.testing.assert_allclose(market.bars_of("BTC-USD")["volume"], 2_578_504, rtol=1e-6)
    assert held.engine.positions["BTC-USD"].iloc[-1] == pytest.approx(0.8 * 100_000 / 7200.17, rel=1e-6)
    wanted, got = limited.engine.orders.iloc[0][["size_wanted", "size"]]
    assert wanted == pytest.approx(0.11, rel=0.02)
    assert got == pytest.approx(2_578_504e-10, abs=1e-8)


def test_a_dividend_that_its_own_adjusted_close_denies_is_not_paid_and_is_told_everywhere(folder: Path) -> None:
    """50 told for 0.50 at a price of 100: the adjusted close has the half dollar."""
    bars = flat("2025-01-02", "2025-02-11")
    ex_date = pd.Timestamp("2025-01-21")
    adjusted = bars.assign(adj_close=bars["close"].mask(bars["date"] < ex_date, 99.5))
    (folder / "actions.csv").write_text(
        "symbol,date,kind,value,known_on,source\nMU,2025-01-21,dividend,50,,told\nSPY,2025-01-21,dividend,0.5,,told\n"
    )
    spy = adjusted.assign(close=bars["close"])
    market, report = imported_with(folder, folder / "actions.csv", MU=adjusted, CRM=bars, SPY=spy)

    result = run(folder, market, "2025-01-06", more="", prices="raw")

    assert market.actions["symbol"].tolist() == ["SPY"]
    [denied] = [finding for finding in report.findings if finding.kind == "action_denied"]
    assert (denied.name, str(denied.first)) == ("MU", "2025-01-21")
    assert denied.text == (
        "dividend of 50, set aside: its own adjusted close moves by 0.50% there, the dividend of 50 by 50.00%: 49.50% "
        "apart"
    )
    assert "dividend" not in set(result.engine.cash["kind"])
    np.testing.assert_allclose(result.engine.equity["equity"], 100_000.0, rtol=1e-9)


def test_a_regular_and_a_special_dividend_of_one_day_are_both_paid(folder: Path) -> None:
    """1 and 10 on one ex-date at a price of 100: 11 dollars for each of 800 units."""
    ex_date = pd.Timestamp("2025-01-21")
    flat_bars = flat("2025-01-02", "2025-02-11")
    after = flat_bars["date"] >= ex_date
    bars = flat_bars.assign(**{name: flat_bars[name].mask(after, 89.0) for name in ("open", "high", "low", "close")})
    bars = bars.assign(adj_close=89.0)
    (folder / "actions.csv").write_text(
        "symbol,date,kind,value,known_on,source\n"
        "MU,2025-01-21,dividend,1,,regular\nMU,2025-01-21,dividend,10,,special\n"
    )
    market, report = imported_with(folder, folder / "actions.csv", MU=bars, CRM=flat_bars, SPY=flat_bars)

    result = run(folder, market, "2025-01-06", prices="raw")

    assert market.actions[["symbol", "kind", "value"]].to_numpy().tolist() == [["MU", "dividend", 11.0]]
    assert not [finding for finding in report.findings if finding.kind.startswith("action")]
    paid = result.engine.cash[result.engine.cash["kind"] == "dividend"]
    assert paid["amount"].tolist() == pytest.approx([800 * 11.0])
    np.testing.assert_allclose(result.engine.equity["equity"], 100_000.0, rtol=1e-9)


def test_prices_that_nobody_quoted_are_no_ground_for_a_raw_run(folder: Path) -> None:
    """Close equals adjusted close throughout and the market has no action: what was traded is not known."""
    bars = flat("2025-01-02", "2025-02-11")
    market = imported(folder, MU=bars, CRM=bars, SPY=bars)
    notional = "\n[costs.us_stock]\ncommission_bp = 0.0\nminimum_notional = 5.0\n"

    with pytest.raises(
        InputError, match=r"^CRM: got adjusted prices \(its close equals its adjusted close throughout\)"
    ):
        run(folder, market, "2025-01-06", prices="raw")
    warned = run(
        folder, market, "2025-01-06", costs=FREE.replace("\n[costs.us_stock]\ncommission_bp = 0.0\n", notional)
    )
    assert any(warning.startswith("costs.us_stock.minimum_notional") for warning in warned.warnings)
    assert not any("raw" in warning for warning in warned.warnings)


def test_a_participation_does_not_depend_on_dividends_to_come(folder: Path) -> None:
    """Adjusted prices of a stock times 0.8, volumes left, a thousandth of the volume, 5 million: refused both times."""
    limited = FREE.replace("[costs.us_stock]\n", "[costs.us_stock]\nparticipation = 0.001\n")
    reasons = []
    for factor in (1.0, 0.8):
        bars = flat("2025-01-02", "2025-02-11", 100.0 * factor)
        market = imported(folder, STX=bars, CRM=flat("2025-01-02", "2025-02-11"), SPY=flat("2025-01-02", "2025-02-11"))
        with pytest.raises(InputError) as refusal:
            run(folder, market, "2025-01-06", ("STX",), costs=limited)
        reasons.append(str(refusal.value))
    assert reasons[0] == reasons[1]
    assert reasons[0].startswith("costs.us_stock.participation: got 0.001 on adjusted prices of CRM")


def test_a_day_at_a_hundredth_of_its_price_is_told_by_the_import_and_by_the_run(folder: Path) -> None:
    """One day of one stock at 1/100 of its price: on the screen, in the manifest and at the head of the page."""
    bars = flat("2024-01-02", "2025-02-11")
    odd, day = bars.copy(), "2025-01-21"
    odd.loc[odd["date"] == day, ["open", "high", "low", "close"]] = 1.0
    market, report = imported_with(folder, None, MU=odd, WDC=bars, CRM=bars, SPY=bars)

    result = run(folder, market, "2025-01-06", ("MU", "WDC"))

    told = f"MU: the adjusted close moves by -99.0%, and back with the bar after: a wrong price ({day})"
    assert report.lines()[0] == told
    # Half of the 80% of the basket is held; nothing says that it could not be all of it.
    warning = f"{told}: it can move the result by up to 79.2%."
    assert warning in result.warnings
    assert summary_lines(result, None, above=20)[-2] == f"! {result.warnings[0]}" == f"! {warning}"
    assert manifest(result)["warnings"][0] == warning
    assert warning in run_page(result).split('class="said"')[0].replace("&#39;", "'")


def test_a_fault_that_a_run_does_not_read_is_no_warning_of_it(folder: Path) -> None:
    """A hundredth of the price of an instrument that is not in the spec, and one before the run begins."""
    bars = flat("2024-01-02", "2025-02-11")
    odd = bars.copy()
    odd.loc[odd["date"] == "2024-03-05", ["open", "high", "low", "close"]] = 1.0
    market = imported(folder, MU=odd, STX=odd, CRM=bars, SPY=bars)

    early = run(folder, market, "2025-01-06")
    within = run(folder, market, "2024-02-01")
    looking_back = run(folder, market, "2025-01-06", volatility_target=0.1)

    assert early.findings == ()
    assert not [warning for warning in early.warnings if "MU" in warning or "STX" in warning]
    assert {each.finding.name for each in within.findings} == {"MU"}
    assert {each.finding.name for each in looking_back.findings} == {"MU"}


def test_an_end_that_the_end_of_a_file_has_cut_is_told(folder: Path) -> None:
    """MU's file ends on 2020-09-30, the market on 2022-12-30, and nothing says where the run is to end."""
    market = imported(
        folder,
        MU=flat("2020-01-02", "2020-09-30"),
        CRM=flat("2020-01-02", "2022-12-30"),
        SPY=flat("2020-01-02", "2022-12-30"),
    )

    result = run(folder, market, "2020-02-03")

    assert str(result.sessions[-1].date()) == "2020-09-30"
    told = (
        "The run ends on 2020-09-30, not with the market on 2022-12-30: the file of MU ends on 2020-09-30, and it "
        "would be held longer; take it out of the spec, or set run.end."
    )
    assert result.warnings[0] == told
    assert f"! {told}" in summary_lines(result, None, above=20)
    assert manifest(result)["warnings"][0] == told
    assert told in run_page(result).split('class="said"')[0]


def test_two_closings_that_no_calendar_knows_cost_nothing_else(folder: Path) -> None:
    """New York closes on two days: all instruments lack them, nothing fills there, and the run says so."""
    closed = pd.DatetimeIndex(["2025-01-22", "2025-01-23"])
    bars = flat("2024-01-02", "2025-02-11")
    held = bars[~bars["date"].isin(closed)].reset_index(drop=True)
    market, report = imported_with(folder, None, MU=held, WDC=held, CRM=held, SPY=held)

    result = run(folder, market, "2025-01-06", ("MU", "WDC"), rebalance="daily")

    [told] = [finding for finding in report.findings if finding.kind == "unknown_closing"]
    assert (told.name, told.count, str(told.first), str(told.last)) == ("XNYS", 2, "2025-01-22", "2025-01-23")
    assert "closings that exchange_calendars" in told.text
    assert any("XNYS: no instrument has a bar" in warning for warning in result.warnings)
    assert not set(result.engine.orders.loc[result.engine.orders["status"] == "filled", "session"]) & set(closed)
    np.testing.assert_allclose(result.engine.equity["equity"], 100_000.0, rtol=1e-9)
