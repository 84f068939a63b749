"""What happens to a held unit (dividends, splits, a delisting), and bars on either basis: adjusted or raw."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
import pandas as pd

from data.clock import decision_times
from data.errors import InputError
from data.market.snapshot import Snapshot
from data.prices.adjustment import CAPITAL_GAIN, CASH, DIVIDEND, SPIN_OFF, SPLIT
from data.prices.basis import price_basis, told_actions, unexplained_steps
from data.prices.conversions import SYMBOL_CHANGE

Basis = Literal["adjusted", "raw"]
DELISTING = "delisting"
# A split gives n units for m, both small; a factor like 1.323 is that of a spin-off.
_PARTS, _RATIO_TOLERANCE = 100, 1e-5
KINDS = (DIVIDEND, CAPITAL_GAIN, SPLIT, SPIN_OFF, SYMBOL_CHANGE, DELISTING)


@dataclass(frozen=True)
class HeldActions:
    """What happens to a held unit of one instrument, laid on n sessions.

    Attributes:
        units: (n,) units at the session that became of one unit before the first split.
        split: (n,) units that become of one unit held when the session begins.
        dividend: (n,) US dollars that it brings.
        leaving: (n,) whether the decision that stands on the session knows of a delisting, or is for a day from which
            on the instrument has another symbol.
        ended: (n,) whether what is held is paid out when the session begins.
        payout: (n,) US dollars then paid for a unit; NaN where that is not known.
        split_dates: effective days of the splits, in order.
        split_ratios: new units for one old one.
    """

    units: np.ndarray
    split: np.ndarray
    dividend: np.ndarray
    leaving: np.ndarray
    ended: np.ndarray
    payout: np.ndarray
    split_dates: np.ndarray
    split_ratios: np.ndarray

    def units_since(self, days: pd.DatetimeIndex) -> np.ndarray:
        """Units on each day that became of one unit before the first split."""
        return _units_on(days.to_numpy(), self.split_dates, self.split_ratios)


def listed_bars(snapshot: Snapshot, symbol: str, basis: Basis = "adjusted") -> pd.DataFrame:
    """Bars of one instrument from its listing date to its last day of trading, by date.

    Args:
        snapshot: bars and actions.
        symbol: of the snapshot.
        basis: of all columns but the last.

    Returns:
        Columns ``open``, ``high``, ``low`` (NaN where blank), ``close``, ``volume`` (units; NaN where blank) and
        ``adjusted_close``, indexed by naive date.

    Raises:
        InputError: the snapshot has no bars of it, or, on the raw basis, an adjustment that no action explains.
    """
    bars = _while_listed(snapshot, symbol)
    adjustment = bars["adj_close"] / bars["close"]
    if basis == "raw":
        _require_traded(snapshot, symbol)
        adjustment = pd.Series(1.0, index=bars.index)
    return pd.DataFrame(
        {
            "open": bars["open"] * adjustment,
            "high": bars["high"] * adjustment,
            "low": bars["low"] * adjustment,
            "close": bars["close"] * adjustment if basis == "raw" else bars["adj_close"],
            "volume": bars["volume"] / adjustment,
            "adjusted_close": bars["adj_close"],
        }
    )


def adjusted_closes(snapshot: Snapshot, symbol: str) -> pd.Series:
    """The column ``adjusted_close`` of `listed_bars`, by naive date; errors as there."""
    closes: pd.Series = _while_listed(snapshot, symbol)["adj_close"]
    return closes


def _last_day(actions: pd.DataFrame) -> pd.Timestamp:
    """The last day on which an instrument trades under its symbol; the end of time where no action says so."""
    ends = actions.loc[actions["kind"] == DELISTING, "date"]
    changes = actions.loc[actions["kind"] == SYMBOL_CHANGE, "date"] - pd.Timedelta(days=1)
    return min([*ends, *changes], default=pd.Timestamp.max)


def held_through(
    snapshot: Snapshot, symbol: str, sessions: pd.DatetimeIndex, decides_for: pd.DatetimeIndex, basis: Basis
) -> HeldActions:
    """Lay one instrument's actions on sessions; an action takes effect on the first session from its day on.

    A delisting is known from its `known_at` on. What is held after the last day of trading is paid out at the first
    session after it, if it is known then, or else at the first session that knows of it. On the adjusted basis
    dividends and splits are in the prices, and the payout is put on the same basis. Spin-offs and changes of symbol are
    `data.prices.conversions`.

    Args:
        snapshot: bars and actions.
        symbol: of the snapshot.
        sessions: n naive dates.
        decides_for: n naive dates: the session for which the decision that stands on each is taken.
        basis: of prices and units.
    """
    actions = snapshot.actions_of(symbol)
    none, ones = np.zeros(len(sessions), dtype=bool), np.ones(len(sessions))
    split, dividend, payout = ones.copy(), np.zeros(len(sessions)), np.full(len(sessions), np.nan)
    leaving, ended = none.copy(), none.copy()
    splits = actions[actions["kind"] == SPLIT] if basis == "raw" else actions[:0]
    columns = (
        actions["kind"],
        pd.DatetimeIndex(actions["date"]),
        actions["value"],
        pd.DatetimeIndex(actions["known_at"]),
    )
    for kind, day, value, known_at in zip(*columns, strict=True):
        at = int(sessions.searchsorted(day))
        if kind == DELISTING:
            leaving |= np.asarray(decision_times(decides_for) >= known_at)
            paid = np.asarray((sessions > day) & (decision_times(sessions) >= known_at))
            if paid.any():
                ended[int(np.argmax(paid))] = True
                payout[int(np.argmax(paid))] = value * _adjustment_of(snapshot, symbol, day, basis)
        elif kind == SYMBOL_CHANGE:
            leaving |= np.asarray(decides_for >= day)
        elif basis == "raw" and 0 < at < len(sessions):
            # What takes effect before the first session has been in its prices, and in nobody's account.
            if kind == SPLIT:
                split[at] *= value
            elif kind in CASH:
                dividend[at] += value
    dates, ratios = splits["date"].to_numpy(), splits["value"].to_numpy()
    units = _units_on(sessions.to_numpy(), dates, ratios)
    return HeldActions(units, split, dividend, leaving, ended, payout, dates, ratios)


def _while_listed(snapshot: Snapshot, symbol: str) -> pd.DataFrame:
    """The snapshot's bars of an instrument from its listing date to its last day of trading, by naive date."""
    bars = snapshot.bars_of(symbol)
    if bars.empty:
        raise InputError(f"symbol {symbol} is not in market {snapshot.name}; see: reverse-qe data show {snapshot.name}")
    last = _last_day(snapshot.actions_of(symbol))
    listed = pd.Timestamp(snapshot.instruments[symbol].listed)
    kept: pd.DataFrame = bars[((bars["date"] >= listed) & (bars["date"] <= last)).to_numpy()].set_index("date")
    return kept


def _units_on(days: np.ndarray, split_dates: np.ndarray, ratios: np.ndarray) -> np.ndarray:
    cumulative = np.append(1.0, np.cumprod(ratios))
    units: np.ndarray = cumulative[np.searchsorted(split_dates, days, side="right")]
    return units


def _adjustment_of(snapshot: Snapshot, symbol: str, day: pd.Timestamp, basis: Basis) -> float:
    """Adjusted over raw price at the last bar up to a day."""
    bars = snapshot.bars_of(symbol)
    bars = bars[bars["date"] <= day]
    return 1.0 if basis == "raw" or bars.empty else float(bars["adj_close"].iloc[-1] / bars["close"].iloc[-1])


def _require_traded(snapshot: Snapshot, symbol: str) -> None:
    """Refuse prices that were not quoted, or whose adjustment no action explains: it is in neither cash nor units.

    Raises:
        InputError: see there.
    """
    bars, actions = snapshot.bars_of(symbol), told_actions(snapshot, symbol)
    faults = unexplained_steps(bars[bars["date"] >= pd.Timestamp(snapshot.instruments[symbol].listed)], actions)
    if len(faults):
        raise InputError(
            f"{symbol}: got an adjustment on {faults[0].date()} ({len(faults)} in all) without a dividend or split, "
            'wanted each of them in the market\'s actions; import them, or run on prices = "adjusted"'
        )
    if price_basis(snapshot, symbol) == "adjusted":
        raise InputError(
            f"{symbol}: got adjusted prices (its close equals its adjusted close throughout), wanted prices as traded "
            'for run.prices = "raw"; import them with their dividends and splits (data import --actions), fetch them '
            '(data fetch), or run on prices = "adjusted"'
        )
    for split in actions[actions["kind"] == SPLIT].to_dict("records"):
        if abs(float(Fraction(split["value"]).limit_denominator(_PARTS)) / split["value"] - 1.0) > _RATIO_TOLERANCE:
            raise InputError(
                f"{symbol}: got a split of {split['value']:g} for 1 on {split['date'].date()}, which is no ratio of "
                "whole units but a spin-off told as a split: what was given is not known; give it as an action of kind "
                'spin_off, or run on prices = "adjusted"'
            )
