"""The gate of bars: nothing wrong passes unseen, nothing right is refused, whichever way it comes."""

import json
import re
import tempfile
from collections.abc import Mapping
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.clock import calendar_sessions
from data.errors import InputError
from data.fetch.fetch import FetchOutcome, fetch
from data.importing.folders import import_snapshot
from data.market.gate import _require_few, blank_zeros, refuse_faults
from data.market.manifest import FORMAT, FetchRecord
from data.market.snapshot import Snapshot, load, read_manifest, save
from data.market.tables import BARS, PRICE_COLUMNS
from data.prices.panel import build_panel
from data.quality.report import quality_report
from fetch_world import World
from hand_made import make_instrument, make_snapshot

NOW = pd.Timestamp("2025-03-01 12:00", tz="UTC")
FIRST, LAST = pd.Timestamp("2025-01-02"), pd.Timestamp("2025-02-28")
SYMBOLS: Mapping[str, str] = {"MU": "XNYS", "BTC-USD": "24/7", "005930.KS": "XKRX"}
CLOSED: Mapping[str, tuple[str, ...]] = {
    "MU": ("2025-01-09", "2025-01-11", "2025-01-20"),  # mourning, a Saturday, a holiday
    "005930.KS": ("2025-01-28", "2025-02-09"),  # the lunar new year, a Sunday
}
PRICES = ("open", "high", "low", "close")
KINDS = ("negative", "crossed", "volume", "infinite", "zero", "blank", "closed_day")
REFUSED = ("negative", "crossed", "volume", "infinite")
MARKETS = count()

Faults = Mapping[tuple[str, int], tuple[str, str]]
"""By symbol and row: kind, and the cell at fault."""


def sound_bars(symbol: str, seed: int) -> pd.DataFrame:
    """A random walk with a bar a session."""
    days = calendar_sessions(SYMBOLS[symbol], FIRST, LAST)
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.05, len(days))))
    open_ = close * np.exp(random.normal(0, 0.02, len(days)))
    return pd.DataFrame(
        {
            "date": days,
            "open": open_,
            "high": np.maximum(open_, close) * 1.01,
            "low": np.minimum(open_, close) / 1.01,
            "close": close,
            "volume": random.integers(0, 1000, len(days)).astype(float),
        }
    )


@st.composite
def faults(draw: st.DrawFn) -> Faults:
    put = {}
    for _ in range(draw(st.integers(0, 5))):
        symbol = draw(st.sampled_from(sorted(SYMBOLS)))
        kind = draw(st.sampled_from(KINDS))
        cells = {"crossed": ("high",), "volume": ("volume",), "blank": ("open", "high", "low", "volume")}
        put[symbol, draw(st.integers(0, 37))] = (kind, draw(st.sampled_from(cells.get(kind, PRICES))))
    return put


def with_faults(symbol: str, bars: pd.DataFrame, put: Faults) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The bars with their faults, and what is to be kept of them when they come from a source."""
    wrong, wanted = bars.copy(), bars.copy()
    extra = []
    for (name, row), (kind, cell) in put.items():
        if name != symbol:
            continue
        if kind == "negative":
            wrong.loc[row, cell] = -wrong.loc[row, cell]
        elif kind == "infinite":
            wrong.loc[row, cell] = np.inf
        elif kind == "crossed":
            wrong.loc[row, "high"] = wrong.loc[row, "low"] / 2
        elif kind == "volume":
            wrong.loc[row, "volume"] = -5.0
        elif kind == "zero":
            wrong.loc[row, cell], wanted.loc[row, cell] = 0.0, np.nan
        elif kind == "blank":
            wrong.loc[row, cell] = wanted.loc[row, cell] = np.nan
        elif symbol in CLOSED:
            day = pd.Timestamp(CLOSED[symbol][row % len(CLOSED[symbol])])
            extra.append(bars.iloc[[0]].assign(date=day))
    wrong = pd.concat([wrong, *extra]).drop_duplicates("date").sort_values("date", ignore_index=True)
    return wrong, wanted[wanted["close"].notna()].reset_index(drop=True)


def first_refused(symbol: str, bars: pd.DataFrame, put: Faults) -> tuple[str, str] | None:
    """Day and cell of the first fault for which an instrument is refused."""
    rows = [(row, kind, cell) for (name, row), (kind, cell) in put.items() if name == symbol and kind in REFUSED]
    if not rows:
        return None
    row, _, cell = min(rows)
    return str(bars["date"][row].date()), cell


def fetched(world: World) -> tuple[FetchOutcome, Snapshot]:
    name = f"live{next(MARKETS)}"
    wanted = FetchRecord(symbols=tuple(SYMBOLS), start=FIRST.date())
    outcome = fetch(name, wanted, world.sources(), NOW, ["yahoo"])
    return outcome, load(str(outcome.version))


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), put=faults())
def test_what_a_source_tells_wrongly_is_refused_blanked_or_kept_aside_and_told(seed: int, put: Faults) -> None:
    sound = {symbol: sound_bars(symbol, seed) for symbol in SYMBOLS}
    told = {symbol: with_faults(symbol, bars, put) for symbol, bars in sound.items()}
    refused = {symbol: first_refused(symbol, sound[symbol], put) for symbol in SYMBOLS}
    if all(refused.values()):
        return

    outcome, market = fetched(World(bars={symbol: wrong for symbol, (wrong, _) in told.items()}))

    reasons = {failure.name: failure.reason for failure in outcome.failures}
    assert set(reasons) == {symbol for symbol, fault in refused.items() if fault}
    for symbol, fault in refused.items():
        if fault:
            assert reasons[symbol].startswith(f"{symbol} {fault[0]}: {fault[1]} ")
            continue
        wrong, wanted = told[symbol]
        kept = market.bars_of(symbol).reset_index(drop=True)
        pd.testing.assert_frame_equal(kept[["date", *PRICES, "volume"]], wanted, check_exact=True)
        extra = set(wrong["date"]) - set(sound[symbol]["date"])
        assert set(market.bars_aside.loc[market.bars_aside["symbol"] == symbol, "date"]) == extra
        findings = [each for each in quality_report(market).findings if each.name == symbol]
        assert sum(each.count for each in findings if each.kind == "unknown_sessions") == len(extra)
        blank = {each.column: each.count for each in findings if each.kind == "blank_cells"}
        assert blank == {name: n for name, n in wanted.isna().sum().items() if n}
        zeros = {cell for (name, _), (kind, cell) in put.items() if name == symbol and kind == "zero"}
        for cell in zeros:
            assert any(note.startswith(f"{symbol}: {cell} of 0, read as blank: 2025-") for note in outcome.notes)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), put=faults())
def test_what_a_file_tells_wrongly_is_refused_by_line_or_kept_aside_and_told(seed: int, put: Faults) -> None:
    sound = {symbol: sound_bars(symbol, seed) for symbol in SYMBOLS}
    told = {symbol: with_faults(symbol, bars, put)[0] for symbol, bars in sound.items()}
    with tempfile.TemporaryDirectory() as folder:
        for symbol, bars in told.items():
            file = bars.assign(adj_close=bars["close"])[list(PRICE_COLUMNS)]
            file.to_csv(Path(folder) / f"{symbol}.csv", index=False, date_format="%Y-%m-%d")
        if any(kind in (*REFUSED, "zero") for kind, _ in put.values()):
            with pytest.raises(InputError) as refusal:
                import_snapshot(Path(folder), None, None, "market")
            match = re.match(r".*/(.+)\.csv, line (\d+): (\w+) ", str(refusal.value))
            assert match is not None
            day = told[match[1]]["date"][int(match[2]) - 2]
            row = sound[match[1]].set_index("date").index.get_loc(day)
            assert put[match[1], row][0] in (*REFUSED, "zero")
            assert match[3] in (put[match[1], row][1], "high", "adj_close")
            return
        market, report = import_snapshot(Path(folder), None, None, "market")
    for symbol, bars in told.items():
        kept = bars[bars["date"].isin(sound[symbol]["date"])].reset_index(drop=True)
        held = market.bars_of(symbol).reset_index(drop=True)
        pd.testing.assert_frame_equal(held[["date", *PRICES, "volume"]], kept, check_exact=True)
        found = [each for each in report.findings if (each.name, each.kind) == (symbol, "unknown_sessions")]
        assert sum(each.count for each in found) == len(bars) - len(kept)


def test_a_price_of_0_is_blank_and_a_row_without_a_close_is_none() -> None:
    bars = sound_bars("MU", 1)
    bars.loc[3, ["open", "low"]] = 0.0
    bars.loc[7, "close"] = 0.0

    blanked, notes = blank_zeros(bars)

    assert blanked.isna().sum().to_dict() == dict.fromkeys(bars.columns, 0) | {"open": 1, "low": 1}
    assert bars["date"][7] not in set(blanked["date"])
    assert notes == (
        "open of 0, read as blank: 2025-01-07",
        "low of 0, read as blank: 2025-01-07",
        "close of 0, read as blank: 2025-01-14",
    )


def test_the_first_row_at_fault_is_named_with_its_cell() -> None:
    bars = sound_bars("MU", 1).assign(symbol="MU", adj_close=1.0)
    bars.loc[9, "volume"] = -5.0
    bars.loc[4, "high"] = bars.loc[4, "low"] / 2

    with pytest.raises(InputError, match=r"^MU 2025-01-08: high [0-9.]+ is below low [0-9.]+; correct or blank them$"):
        refuse_faults(BARS.conform(bars))


def test_an_instrument_with_many_rows_outside_its_sessions_has_another_calendar() -> None:
    days = pd.date_range(FIRST, LAST)
    with pytest.raises(InputError, match=r"^COIN: got 19 of 58 rows on days that are no session of XNYS, wanted"):
        make_snapshot({"COIN": [(str(day.date()), 1.0, 1.0) for day in days]})
    coins = make_snapshot({"COIN": [(str(day.date()), 1.0, 1.0) for day in days]}, {"COIN": make_instrument("crypto")})
    assert len(coins.bars) == 58


def test_a_row_of_a_closed_day_reaches_no_price_of_a_decision() -> None:
    rows = [(str(day.date()), 100.0, 100.0) for day in calendar_sessions("XNYS", FIRST, LAST)]
    market = make_snapshot({"MU": sorted([*rows, ("2025-01-09", 10.0, 10.0)])})

    panel = build_panel(market, ["MU"], pd.Timestamp("2025-01-06"), LAST)

    assert market.bars_aside["date"].dt.strftime("%Y-%m-%d").tolist() == ["2025-01-09"]
    for prices in (panel.open, panel.close, panel.decision_price, panel.adjusted_decision_price):
        assert set(prices.ravel()) == {100.0}


def test_what_is_kept_aside_stays_aside_from_version_to_version() -> None:
    bars = sound_bars("MU", 1)
    odd = bars.iloc[[0]].assign(date=pd.Timestamp("2025-01-09"))
    wrong = pd.concat([bars, odd]).sort_values("date", ignore_index=True)
    wanted = FetchRecord(symbols=("MU",), start=FIRST.date())
    first = fetch(
        "grows", wanted, World(bars={"MU": wrong.iloc[:20]}).sources(), NOW - pd.Timedelta(days=33), ["yahoo"]
    )
    second = fetch("grows", wanted, World(bars={"MU": wrong}).sources(), NOW, ["yahoo"])

    assert [outcome.version for outcome in (first, second)] == ["grows.1", "grows.2"]
    market = load("grows.2")
    assert market.bars_aside["date"].dt.strftime("%Y-%m-%d").tolist() == ["2025-01-09"]
    assert (len(market.bars), market.bars["date"].is_unique) == (len(bars), True)


def test_a_snapshot_from_before_the_gate_opens_through_it_under_its_old_identity() -> None:
    rows = [(str(day.date()), 100.0, 100.0) for day in calendar_sessions("XNYS", FIRST, LAST)]
    days = sorted([*rows, ("2025-01-09", 10.0, 10.0)])
    ungated = Snapshot(
        **{
            **{
                name: getattr(make_snapshot({"MU": rows}), name)
                for name in ("simulated", "instruments", "series", "capex_actuals", "capex_guidance", "funding_events")
            },
            "name": "old",
            "bars": make_snapshot({"MU": days}, {"MU": make_instrument("crypto")}).bars,
        },
        gate=False,
    )
    path = save(ungated) / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 1}))

    opened = load("old")

    assert len(opened.bars) == len(rows)
    assert opened.bars_aside["date"].dt.strftime("%Y-%m-%d").tolist() == ["2025-01-09"]
    assert opened.content_hash == read_manifest("old").content_hash
    assert FORMAT == 2


@pytest.mark.parametrize(("many", "few"), [(120, 6), (40, 5), (100, 5)])
def test_a_few_rows_on_days_without_a_session_are_a_slip_and_more_are_another_calendar(many: int, few: int) -> None:
    """Five are few, and so is a twentieth of all."""
    instruments = {"A": make_instrument(), "B": make_instrument()}
    symbols = pd.Series(["B"] * many + ["A"] * many)
    extra = np.zeros(2 * many, dtype=bool)
    extra[:few] = True
    _require_few(symbols, extra, instruments)
    extra[few] = True
    with pytest.raises(InputError, match=f"^B: got {few + 1} of {many} rows on days that are no session of XNYS"):
        _require_few(symbols, extra, instruments)
    # Of several the first in the table is named, whichever has more.
    extra[:] = True
    extra[0] = False
    with pytest.raises(InputError, match=f"^B: got {many - 1} of {many} rows"):
        _require_few(symbols, extra, instruments)


def test_prices_of_nothing_are_blank_and_their_days_are_named() -> None:
    days = pd.date_range("2024-02-01", periods=6)
    bars = pd.DataFrame({"date": days, "open": [0.0] * 4 + [1.0, 1.0], "close": [1.0, 1.0, 0.0, 1.0, 1.0, np.nan]})
    kept, notes = blank_zeros(bars)
    assert notes == (
        "open of 0, read as blank: 2024-02-01, 2024-02-02, 2024-02-03 and 1 more",
        "close of 0, read as blank: 2024-02-03",
    )
    assert kept["date"].tolist() == [days[0], days[1], days[3], days[4]]
    assert kept["open"].isna().tolist() == [True, True, True, False]
    assert kept.index.tolist() == [0, 1, 2, 3]
    three = bars.assign(open=[0.0] * 3 + [1.0] * 3)
    assert blank_zeros(three)[1][0] == "open of 0, read as blank: 2024-02-01, 2024-02-02, 2024-02-03"
