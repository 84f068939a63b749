"""Faults of price data that users of other projects have reported in public, each tried on the import.

The project and the number of the report stand with each, so that it can be looked up. A fault is refused by name or
told; what is true, however rare, is taken.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.clock import sessions_between
from data.errors import InputError
from data.importing.folders import import_snapshot
from data.market.snapshot import Snapshot
from data.quality.findings import Finding

PRICES = ["open", "high", "low", "close", "adj_close"]
PLACE = 200
HOLIDAYS = pd.DatetimeIndex(["2021-01-18", "2021-02-15", "2021-04-02", "2021-05-31", "2021-07-05", "2021-09-06"])


def walk(seed: int, price: float = 100.0) -> pd.DataFrame:
    """Bars of eighteen months that move by 1.5% a day, with opens and closes inside high and low."""
    days = sessions_between(pd.Timestamp("2021-01-04"), pd.Timestamp("2022-06-30"))
    chance = np.random.default_rng(seed)
    close = price * np.exp(np.cumsum(chance.normal(0, 0.015, len(days))))
    open_ = close * np.exp(chance.normal(0, 0.003, len(days)))
    high, low = np.maximum(open_, close) * 1.004, np.minimum(open_, close) * 0.996
    prices = {"open": open_, "high": high, "low": low, "close": close, "adj_close": close}
    return pd.DataFrame({"date": days, **prices, "volume": 1e6})


@pytest.fixture
def bars() -> pd.DataFrame:
    return walk(1)


@pytest.fixture
def imported(tmp_path: Path) -> Callable[..., tuple[Snapshot, list[Finding]]]:
    """Import MU beside SPY: the market, and what was found of MU and its exchange."""

    def import_them(
        stock: pd.DataFrame | str, other: pd.DataFrame | None = None, actions: str = ""
    ) -> tuple[Snapshot, list[Finding]]:
        folder = tmp_path / "prices"
        folder.mkdir()
        (folder / "MU.csv").write_text(stock if isinstance(stock, str) else text(stock))
        (folder / "SPY.csv").write_text(text(walk(2) if other is None else other))
        (tmp_path / "actions.csv").write_text(f"symbol,date,kind,value,known_on,source\n{actions}")
        snapshot, report = import_snapshot(folder, None, None, "case", tmp_path / "actions.csv" if actions else None)
        return snapshot, [each for each in report.findings if each.name != "SPY"]

    return import_them


def text(bars: pd.DataFrame) -> str:
    return bars.to_csv(index=False, date_format="%Y-%m-%d")


def scaled(bars: pd.DataFrame, places: slice, factor: float, columns: list[str] = PRICES) -> pd.DataFrame:
    changed = bars.copy()
    changed.loc[places, columns] *= factor
    return changed


def day(bars: pd.DataFrame, place: int = PLACE) -> str:
    return str(bars["date"][place].date())


def test_a_day_at_a_hundred_times_its_price(bars: pd.DataFrame, imported: Callable) -> None:
    """yfinance 1106: high and close of one day times 100, open and low as they were."""
    _, [told] = imported(scaled(bars, slice(PLACE, PLACE), 100.0, ["high", "close", "adj_close"]))
    assert (told.kind, str(told.first)) == ("split_like_move", day(bars))
    assert "and back with the bar after: a wrong price" in told.text
    assert told.size == pytest.approx(0.99, abs=0.001)


def test_a_split_that_was_not_applied(imported: Callable) -> None:
    """yfinance 2002: one share for 190, and the prices before it left as they were; no split told, or told."""
    odd = scaled(walk(1, 0.02), slice(PLACE, None), 132.0)
    _, [told] = imported(odd)
    assert (told.kind, str(told.first)) == ("outlier", day(odd))
    assert told.size > 0.99  # no news moves a price so


def test_a_split_that_prices_follow_and_adjusted_prices_do_not_is_refused(imported: Callable) -> None:
    """yfinance 2002, and 2076: the split is told, and the adjusted close has it in it."""
    odd = scaled(walk(1, 0.02), slice(PLACE, None), 132.0)
    with pytest.raises(
        InputError, match=rf"^MU: got a split of 0\.00526\d+ for 1 on {day(odd)} that the close follows"
    ):
        imported(odd, actions=f"MU,{day(odd)},split,0.0052631579,,told\n")


def test_a_split_that_was_applied_to_one_day_alone(bars: pd.DataFrame, imported: Callable) -> None:
    """yfinance 1531: prices before the split are left times four, but for one day."""
    odd = scaled(scaled(bars, slice(None, PLACE), 4.0), slice(PLACE - 5, PLACE - 5), 0.25)
    _, [wrong, split] = imported(odd)
    assert (str(wrong.first), str(split.first)) == (day(bars, PLACE - 5), day(bars, PLACE + 1))
    assert "as by a split of 4:1" in split.text


def test_two_rows_of_one_day(bars: pd.DataFrame, imported: Callable) -> None:
    """fix-yahoo-finance 17, pandas-datareader 610: a day comes twice, once with an open of 0."""
    twice = pd.concat([bars.iloc[: PLACE + 1], bars.iloc[[PLACE]].assign(open=0.0), bars.iloc[PLACE + 1 :]])
    with pytest.raises(InputError, match=f"MU.csv, line {PLACE + 3}: date {day(bars)} stands twice"):
        imported(twice)


def test_two_days_alike_are_two_days(bars: pd.DataFrame, imported: Callable) -> None:
    """yfinance 793: a day whose prices are those of another one was dropped as its double."""
    alike = bars.copy()
    alike.loc[PLACE + 1, PRICES] = alike.loc[PLACE, PRICES].to_numpy()
    market, found = imported(alike)
    assert (len(market.bars_of("MU")), found) == (len(bars), [])


@pytest.mark.parametrize("all_of_them", [False, True])
def test_dates_a_day_early(bars: pd.DataFrame, imported: Callable, all_of_them: bool) -> None:
    """pandas-datareader 409, vectorbt 640: Sundays in the place of Fridays, in one file or in all."""
    early, other = (each.assign(date=each["date"] - pd.Timedelta(days=1)) for each in (bars, walk(2)))
    with pytest.raises(InputError, match=r"^MU: got 79 of 376 rows on days that are no session of XNYS"):
        imported(early, other if all_of_them else None)


@pytest.mark.parametrize("all_of_them", [False, True])
def test_holidays_that_are_filled_with_the_close_before(
    bars: pd.DataFrame, imported: Callable, all_of_them: bool
) -> None:
    """pandas-datareader 17, pandas 9571: the price of the day before, without volume, in one file or in all."""

    def filled(sound: pd.DataFrame) -> pd.DataFrame:
        by_day = sound.set_index("date")
        whole = by_day.reindex(by_day.index.union(HOLIDAYS)).ffill()
        whole.loc[HOLIDAYS, ["open", "high", "low"]] = whole.loc[HOLIDAYS, ["close"]].to_numpy()
        whole.loc[HOLIDAYS, "volume"] = 0.0
        return whole.reset_index(names="date")

    market, [told] = imported(filled(bars), filled(walk(2)) if all_of_them else None)
    assert (told.name, told.kind, told.count) == ("MU", "unknown_sessions", len(HOLIDAYS))
    assert len(market.bars_of("MU")) == len(bars)


def test_a_volume_beyond_what_32_bits_hold(bars: pd.DataFrame, imported: Callable) -> None:
    """zipline 1572: 4,472,550,000 was left out, and the whole bar with it."""
    market, found = imported(bars.assign(volume=4_472_550_000.0))
    assert (set(market.bars_of("MU")["volume"]), found) == ({4_472_550_000.0}, [])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda file: text(walk(1).iloc[::-1]), "line 3: date 2022-06-29 stands after 2022-06-30, wanted ascending"),
        (
            lambda file: file.replace(file.splitlines()[5], "2021-01-08" + ",null" * 6),
            "line 6: open 'null' is no number",
        ),
        (lambda file: file.replace(",", ";"), "line 1: missing column date"),
        (lambda file: file.replace("2021-01-05,", "2021-01-05 02-AM,"), "line 3: date '2021-01-05 02-AM' is no day"),
    ],
    ids=["backtrader 88: newest first", "backtrader 6: null", "zipline 2162: semicolons", "RLTrader 28: AM and PM"],
)
def test_files_of_another_kind(imported: Callable, change: Callable[[str], str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        imported(change(text(walk(1))))


def test_missing_bars_and_a_price_ten_times_as_high_after_them(bars: pd.DataFrame, imported: Callable) -> None:
    """freqtrade 7407: a position that is held over 40 missing bars gains 1,000%."""
    holes = bars.drop(index=range(PLACE, PLACE + 40)).reset_index(drop=True)
    _, found = imported(scaled(holes, slice(PLACE, None), 11.0))
    missing, move = found
    assert (missing.kind, missing.count, str(missing.first)) == ("missing_sessions", 40, day(bars))
    assert str(move.first) == day(bars, PLACE + 40)
    assert min(missing.size, move.size) > 0.85


def test_a_squeeze_is_told_and_taken(bars: pd.DataFrame, imported: Callable) -> None:
    """yfinance 2660: GME of January 2021 as it was; a repair of prices took it for splits."""
    closes = [39.12, 43.03, 65.01, 76.79, 147.98, 347.51, 193.60, 325.00, 225.00, 90.00]
    true, after = bars.copy(), PLACE + len(closes)
    true.loc[: PLACE - 1, PRICES] *= 39.36 / true["close"][PLACE - 1]
    true.loc[PLACE : after - 1, PRICES] = np.array(closes)[:, None] * np.array([1.0, 1.01, 0.99, 1.0, 1.0])
    true.loc[after:, PRICES] *= closes[-1] / true["close"][after]
    market, found = imported(true)
    assert market.bars_of("MU")["close"].tolist()[PLACE : PLACE + len(closes)] == closes
    assert {each.kind for each in found} == {"split_like_move", "outlier"}


def test_prices_that_stand_still(bars: pd.DataFrame, imported: Callable) -> None:
    """yfinance 2966: the dates go on, the price is that of the last good day."""
    frozen = bars.copy()
    frozen.loc[PLACE : PLACE + 30, PRICES] = float(bars["close"][PLACE])
    frozen.loc[PLACE + 1 : PLACE + 30, "volume"] = 0.0
    _, [told] = imported(frozen)
    assert (told.kind, str(told.first), str(told.last)) == ("standing", day(bars, PLACE + 1), day(bars, PLACE + 30))
    assert told.size == pytest.approx(abs(1 - bars["close"][PLACE + 31] / bars["close"][PLACE]), rel=0.2)


def test_prices_of_another_instrument(bars: pd.DataFrame, imported: Callable) -> None:
    """yfinance 2557: of two answers at the same time one was written over the other."""
    _, [told] = imported(bars, bars)
    assert (told.kind, told.count, told.size) == ("alike", len(bars), 1.0)
    assert told.text.startswith("closes that are those of SPY: one of the two is not its own")


@pytest.mark.parametrize(("cell", "factor", "size"), [("open", 0.01, 0.99), ("low", 0.057, 0.0), ("high", 100.0, 0.0)])
def test_a_cell_far_from_the_closes_beside_it(
    bars: pd.DataFrame, imported: Callable, cell: str, factor: float, size: float
) -> None:
    """polygon 267: a low of 0.9242 between closes of 16; an open like that would fill an order."""
    columns = ["open", "low"] if cell == "open" else [cell]
    _, found = imported(scaled(bars, slice(PLACE, PLACE), factor, columns))
    told = {each.column: each for each in found}
    assert set(told) == set(columns)
    assert (told[cell].kind, str(told[cell].first)) == ("far_cell", day(bars))
    assert told[cell].size == pytest.approx(size, abs=0.005)


def test_a_last_bar_without_a_close(bars: pd.DataFrame, imported: Callable) -> None:
    """yfinance 2925: the last days are missing, one as a row of blanks, one without a row."""
    odd = bars.drop(index=len(bars) - 4)
    odd.loc[len(bars) - 2, PRICES] = np.nan
    with pytest.raises(InputError, match=f"MU.csv, line {len(bars) - 1}: close is blank"):
        imported(odd)
