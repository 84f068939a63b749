"""Small inputs that went wrong in this field, from the answer of a source or a file to the orders of a run.

Prices are constant unless said, and there are no costs: one instrument in the basket of cash flow, one speculative one
that is never bought, a regime file that says SCARCE from the first day on.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtests.run import Backtest, run_backtest
from backtests.spec.spec import load_spec
from data.clock import sessions_between
from data.errors import InputError
from data.fetch.fetch import fetch
from data.importing.folders import import_snapshot
from data.market.manifest import FetchRecord
from data.market.snapshot import Snapshot, load
from fetch_world import World

FREE = "".join(f"\n[costs.{name}]\ncommission_bp = 0.0\n" for name in ("crypto", "us_stock", "us_etf"))
SPEC = """
[run]
name = "case"
start = {start}

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
    for symbol, frame in bars.items():
        file = frame.assign(adj_close=frame.get("adj_close", frame["close"]))
        columns = ["date", "open", "high", "low", "close", "adj_close", "volume"]
        file[columns].to_csv(folder / "prices" / f"{symbol}.csv", index=False, date_format="%Y-%m-%d")
    return import_snapshot(folder / "prices", None, None, "case")[0]


def run(
    folder: Path,
    market: Snapshot,
    start: str,
    cash_flow: Sequence[str] = ("MU",),
    rebalance: str = "monthly",
    volatility_target: float | None = None,
    more: str = "",
) -> Backtest:
    text = SPEC.format(
        start=start,
        cash_flow=", ".join(f'"{symbol}"' for symbol in cash_flow),
        rebalance=rebalance,
        volatility_target=volatility_target,
    ).replace("volatility_target = None\n", "")
    (folder / "case.toml").write_text(text + FREE + more)
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
