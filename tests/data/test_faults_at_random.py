"""Bars and series made at random, with faults put in at random: nothing wrong passes unseen, nothing right is refused.

Every fault is either refused by the name of its file, or told for its day by a finding of its kind. Faults lie
apart, so that none stands in another's place.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.clock import sessions_between
from data.errors import InputError
from data.importing.folders import import_snapshot
from data.market.snapshot import Snapshot
from data.quality.findings import Finding

PRICES = ["open", "high", "low", "close", "adj_close"]
APART, EDGE = 25, 10


class Fault(NamedTuple):
    """What is done to the row at a place, and the kinds of finding that tell it; none: the file is refused."""

    change: Callable[[pd.DataFrame, int], pd.DataFrame]
    told: tuple[str, ...] = ()


def cells(factor: float, columns: list[str], rows: int = 1) -> Callable[[pd.DataFrame, int], pd.DataFrame]:
    def change(frame: pd.DataFrame, place: int) -> pd.DataFrame:
        frame.loc[place : place + rows - 1, columns] *= factor
        return frame

    return change


def put(column: str, value: float) -> Callable[[pd.DataFrame, int], pd.DataFrame]:
    def change(frame: pd.DataFrame, place: int) -> pd.DataFrame:
        frame.loc[place, column] = value
        return frame

    return change


def stand_still(frame: pd.DataFrame, place: int) -> pd.DataFrame:
    frame.loc[place : place + 8, PRICES] = float(frame["close"][place])
    return frame


def lack(rows: int = 1) -> Callable[[pd.DataFrame, int], pd.DataFrame]:
    def change(frame: pd.DataFrame, place: int) -> pd.DataFrame:
        return frame.drop(index=range(place, place + rows))

    return change


def on_a_saturday(frame: pd.DataFrame, place: int) -> pd.DataFrame:
    saturday = frame["date"][place] + pd.Timedelta(days=5 - frame["date"][place].day_of_week)
    return pd.concat([frame, frame.loc[[place]].assign(date=saturday)])


def twice(frame: pd.DataFrame, place: int) -> pd.DataFrame:
    return pd.concat([frame, frame.loc[[place]]])


WRONG_MOVE = ("split_like_move", "outlier")
OF_BARS = {
    "a day at a hundredth": Fault(cells(0.01, PRICES), WRONG_MOVE),
    "a day at a half": Fault(cells(0.5, PRICES), WRONG_MOVE),
    "a day of another price": Fault(cells(1.7, PRICES), WRONG_MOVE),
    "three days at ten times": Fault(cells(10.0, PRICES, rows=3), WRONG_MOVE),
    "an open at a hundredth": Fault(cells(0.01, ["open", "low"]), ("far_cell",)),
    "a high at a hundredfold": Fault(cells(100.0, ["high"]), ("far_cell",)),
    "a close above the high": Fault(cells(1.2, ["close", "adj_close"]), ("close_outside_range",)),
    "an adjusted close alone": Fault(cells(1.3, ["adj_close"]), ("unexplained_adjustment",)),
    "no open": Fault(put("open", np.nan), ("blank_cells",)),
    "no row": Fault(lack(), ("missing_sessions",)),
    "a row of a Saturday": Fault(on_a_saturday, ("unknown_sessions",)),
    "a price that stands": Fault(stand_still, ("standing",)),
    "a close of 0": Fault(put("close", 0.0)),
    "a low below 0": Fault(put("low", -1.0)),
    "a high below the low": Fault(cells(0.5, ["high"])),
    "a volume below 0": Fault(put("volume", -5.0)),
    "no close": Fault(put("close", np.nan)),
    "a row twice": Fault(twice),
}
OF_SERIES = {
    "a value at a tenth": Fault(cells(0.1, ["value"]), ("outlier",)),
    "a value at a hundredfold": Fault(cells(100.0, ["value"]), ("outlier", "implausible")),
    "two values at ten times": Fault(cells(10.0, ["value"], rows=2), ("outlier", "implausible")),
    "no value": Fault(put("value", np.nan), ("blank_cells",)),
    "a gap": Fault(lack(16), ("long_gap",)),
    "a row twice": Fault(twice),
}
SERIES = {"DGS10": (4.0, "B"), "RRPONTSYD": (500.0, "B"), "WALCL": (7e6, "W-WED"), "WTREGEN": (7e5, "W-WED")}


@st.composite
def placed(draw: st.DrawFn, faults: dict[str, Fault], rows: int) -> dict[int, str]:
    """Some faults by place, apart from each other and from both ends."""
    count = draw(st.integers(0, 4))
    places = draw(st.permutations(range(EDGE, rows - 2 * EDGE, APART)))[:count]
    return {place: draw(st.sampled_from(sorted(faults))) for place in places}


def walk(seed: int, rows: int, usual: float, level: float) -> np.ndarray:
    moves = np.random.default_rng(seed).normal(0.0, usual, rows).clip(-4 * usual, 4 * usual)
    moves = np.where(np.abs(moves) < usual / 100, usual / 10, moves)  # no two closes alike
    return np.asarray(level * np.exp(np.cumsum(moves)))


def sound_bars(seed: int, rows: int, usual: float, level: float) -> pd.DataFrame:
    days = sessions_between(pd.Timestamp("2019-01-02"), pd.Timestamp("2024-01-02"))[:rows]
    close = walk(seed, rows, usual, level)
    open_ = close * np.exp(np.random.default_rng(seed + 1).uniform(-usual, usual, rows))
    high, low = np.maximum(open_, close) * 1.002, np.minimum(open_, close) * 0.998
    columns = {"open": open_, "high": high, "low": low, "close": close, "adj_close": close, "volume": 1e6}
    return pd.DataFrame({"date": days, **columns})


def changed(frame: pd.DataFrame, faults: dict[str, Fault], at: dict[int, str]) -> pd.DataFrame:
    for place, name in at.items():
        frame = faults[name].change(frame, place)
    return frame.sort_values("date", kind="stable", ignore_index=True)


def imported(bars: pd.DataFrame, series: dict[str, pd.DataFrame]) -> tuple[Snapshot, list[Finding]]:
    with tempfile.TemporaryDirectory() as temporary:
        for folder, frames in {"prices": {"MU": bars}, "macro": series}.items():
            Path(temporary, folder).mkdir()
            for name, frame in frames.items():
                frame.to_csv(Path(temporary, folder, f"{name}.csv"), index=False, date_format="%Y-%m-%d")
        macro = Path(temporary, "macro") if series else None
        snapshot, report = import_snapshot(Path(temporary, "prices"), macro, None, "made")
    return snapshot, [each for each in report.findings if each.kind not in ("short", "stale")]


def require_told(
    name: str, faults: dict[str, Fault], at: dict[int, str], days: pd.Series, take: Callable[[], list[Finding]]
) -> None:
    """Refused by name where a fault asks for it; else every fault is told, and nothing else is."""
    refusing = [fault for fault in at.values() if not faults[fault].told]
    if refusing:
        with pytest.raises(InputError, match=name):
            take()
        return
    found = [each for each in take() if each.name == name]
    for place, fault in at.items():
        first, last = days[place].date(), days[place + 5].date()  # a Saturday lies up to five sessions on
        assert any(each.kind in faults[fault].told and each.first <= last and each.last >= first for each in found), (
            f"{fault} on {first}: {found}"
        )
    allowed = {kind for fault in at.values() for kind in faults[fault].told}
    # What moves the close moves what is judged by it.
    beside = {"far_cell", "split_like_move", "outlier", "close_outside_range"} if at else set()
    assert {each.kind for each in found} <= allowed | beside


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.sampled_from([0.004, 0.01, 0.03]), st.sampled_from([0.5, 80.0]), placed(OF_BARS, 240))
def test_no_fault_of_bars_passes_unseen(seed: int, usual: float, level: float, at: dict[int, str]) -> None:
    sound = sound_bars(seed, 240, usual, level)
    odd = changed(sound.copy(), OF_BARS, at)

    require_told("MU", OF_BARS, at, sound["date"], lambda: imported(odd, {})[1])


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.sampled_from(sorted(SERIES)), st.data())
def test_no_fault_of_a_series_passes_unseen(seed: int, name: str, data: st.DataObject) -> None:
    level, frequency = SERIES[name]
    days = pd.date_range("2018-01-03", periods=240, freq=frequency)
    sound = pd.DataFrame({"date": days, "value": walk(seed, 240, 0.01, level)})
    at = data.draw(placed(OF_SERIES, 240))
    odd = changed(sound.copy(), OF_SERIES, at)
    bars = sound_bars(seed, 240, 0.01, 80.0)

    require_told(name, OF_SERIES, at, sound["date"], lambda: imported(bars, {name: odd})[1])


@settings(max_examples=20)
@given(st.sampled_from(sorted(SERIES)), st.sampled_from([1e-3, 1e3]), st.integers(0, 10_000))
def test_a_series_in_another_unit_is_refused_or_unlike_what_can_be(name: str, factor: float, seed: int) -> None:
    """A thousandth of a yield of 4% is a yield that was: only its next version tells, and says so."""
    level, frequency = SERIES[name]
    values = factor * walk(seed, 240, 0.01, level)
    days = pd.date_range("2018-01-03", periods=240, freq=frequency)
    bars = sound_bars(seed, 240, 0.01, 80.0)
    file = {name: pd.DataFrame({"date": days, "value": values})}

    if (name, factor) in {("DGS10", 1e-3), ("RRPONTSYD", 1e-3)}:
        assert imported(bars, file)[1] == []
    else:
        with pytest.raises(InputError, match=name):
            imported(bars, file)


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.sampled_from([0.004, 0.03]), st.sampled_from([0.01, 5.0, 90_000.0]))
def test_what_is_right_arrives_to_the_bit(seed: int, usual: float, level: float) -> None:
    sound = sound_bars(seed, 300, usual, level)
    snapshot, found = imported(sound, {})

    assert found == []
    pd.testing.assert_frame_equal(
        snapshot.bars_of("MU")[list(sound.columns)].reset_index(drop=True), sound, check_dtype=False
    )
