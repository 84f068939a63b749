"""What is odd in the prices of one instrument, against its own past, its actions and another source."""

import math
from collections.abc import Iterator
from datetime import date

import numpy as np
import pandas as pd

from data.catalogue.instruments import instrument_catalogue
from data.errors import InputError
from data.market.snapshot import Snapshot
from data.prices.adjustment import adjusted_close
from data.prices.basis import ADJUSTMENT_TOLERANCE
from data.quality.findings import FLOAT_NOISE, Finding, on_days

SPLIT_RATIOS = (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100)
# The day's own move stands beside the split: within 5% of the ratio.
SPLIT_TOLERANCE = 0.05
# Robust deviations of daily moves beyond which one is told; in 38 instruments over 20 years some twenty are.
OUTLIER_DEVIATIONS = 15.0
_DEVIATION_OF_MEDIAN = 1.4826  # of a normal variable, over its median size
_WINDOW, _MIN_WINDOW = 252, 60
SOURCES_TOLERANCE = 0.01
# No later than this of its UTC day a coin's bar, or a stock's, has ended; New York closes at 21:00 in winter.
_COIN_END, _STOCK_END = pd.Timedelta(hours=24), pd.Timedelta(hours=21)


def price_findings(snapshot: Snapshot, symbol: str) -> Iterator[Finding]:
    """Check the prices of one instrument.

    Args:
        snapshot: bars, actions, and when it was made.
        symbol: with bars.
    """
    bars = snapshot.bars_of(symbol)
    yield from _moves(symbol, bars.set_index("date")["adj_close"])
    yield from _adjustments(symbol, bars, snapshot.actions_of(symbol))
    yield from _not_ended(snapshot, symbol, pd.DatetimeIndex(bars["date"]))
    yield from _other_source(snapshot, symbol)


def split_like_ratio(move: float) -> str:
    """The split that a move is near the ratio of, as ``2:1`` (two new units for one); empty where it is near none.

    Args:
        move: of an adjusted close, as a fraction of the one before.
    """
    if not move > -1.0:
        return ""
    size = abs(math.log1p(move))
    ratio = min(SPLIT_RATIOS, key=lambda each: abs(size - math.log(each)))
    if abs(size - math.log(ratio)) > math.log1p(SPLIT_TOLERANCE):
        return ""
    return f"{ratio}:1" if move < 0 else f"1:{ratio}"


def source_difference(snapshot: Snapshot, symbol: str) -> tuple[str, pd.Series] | None:
    """Compare the closes of an instrument with those of its second source.

    Returns:
        The second source's symbol, and by date, where both have a close, the one over the other less 1; None where the
        catalogue names no second source or the snapshot does not hold it.
    """
    entry = instrument_catalogue().get(symbol)
    if entry is None or entry.second_source is None:
        return None
    second = snapshot.bars_of(entry.second_source)
    if second.empty:
        return None
    closes = snapshot.bars_of(symbol).set_index("date")["close"]
    return entry.second_source, (closes / second.set_index("date")["close"] - 1).dropna()


def _moves(symbol: str, closes: pd.Series) -> Iterator[Finding]:
    """Moves from one adjusted close to the next that are near the ratio of a split, and others that are far out."""
    move = np.log(closes).diff()
    ratios = np.log(SPLIT_RATIOS)
    nearest = np.abs(np.abs(move.to_numpy())[:, None] - ratios).argmin(axis=1)
    split_like = np.abs(move.abs() - ratios[nearest]) <= np.log1p(SPLIT_TOLERANCE)
    for day in closes.index[split_like]:
        ratio = SPLIT_RATIOS[nearest[closes.index.get_loc(day)]]
        told = f"{ratio}:1" if move[day] < 0 else f"1:{ratio}"
        text = f"the adjusted close moves by {np.expm1(move[day]):+.1%}, as by a split of {told} that was not taken out"
        yield Finding(symbol, "split_like_move", 1, day.date(), day.date(), text)
    usual = move.abs().rolling(_WINDOW, min_periods=_MIN_WINDOW).median().shift() * _DEVIATION_OF_MEDIAN
    far = (move.abs() > OUTLIER_DEVIATIONS * usual) & (usual > 0) & ~split_like
    if far.any():
        size, day = _largest(np.expm1(move[far]))
        text = f"moves of more than {OUTLIER_DEVIATIONS:.0f} usual ones (the largest {size:+.1%} on {day})"
        yield from on_days(symbol, "outlier", pd.DatetimeIndex(closes.index[far]), text)


def _adjustments(symbol: str, bars: pd.DataFrame, actions: pd.DataFrame) -> Iterator[Finding]:
    """Steps of adjusted over raw close without an action, and actions without their step."""
    try:
        derived = adjusted_close(bars, actions)
    except InputError as error:
        first, last = actions["date"].min().date(), actions["date"].max().date()
        yield Finding(symbol, "action_not_adjusted", len(actions), first, last, f"its actions cannot be used: {error}")
        return
    days = pd.DatetimeIndex(bars["date"])
    step, due = _steps(bars["adj_close"], bars["close"]), _steps(derived, bars["close"])
    apart = (step / due - 1).abs() > ADJUSTMENT_TOLERANCE
    has_action = (due - 1).abs() > FLOAT_NOISE
    text = "days on which adjusted over raw close moves without a dividend or split"
    yield from on_days(symbol, "unexplained_adjustment", days[apart & ~has_action], text)
    text = "days with a dividend or split that adjusted over raw close does not follow"
    yield from on_days(symbol, "action_not_adjusted", days[apart & has_action], text)


def _steps(adjusted: pd.Series, raw: pd.Series) -> pd.Series:
    """Adjusted over raw close, over what it was at the bar before; NaN at the first."""
    factor = adjusted / raw
    return factor / factor.shift()


def _not_ended(snapshot: Snapshot, symbol: str, days: pd.DatetimeIndex) -> Iterator[Finding]:
    """Bars of days that went on when the snapshot was made; none where that is not known."""
    if snapshot.made_at is None:
        return
    end = _COIN_END if snapshot.instruments[symbol].is_crypto else _STOCK_END
    going_on = days[(days + end).tz_localize("UTC") > pd.Timestamp(snapshot.made_at)]
    yield from on_days(symbol, "bar_not_ended", going_on, "bars of a day that had not ended when they were taken")


def _other_source(snapshot: Snapshot, symbol: str) -> Iterator[Finding]:
    compared = source_difference(snapshot, symbol)
    if compared is None:
        return
    other, difference = compared
    apart = difference[difference.abs() > SOURCES_TOLERANCE]
    if len(apart):
        size, day = _largest(apart)
        text = (
            f"closes more than {SOURCES_TOLERANCE:.0%} from those of {other} (of {len(difference)} days in both; the "
            f"largest {size:+.1%} on {day}, the median {difference.abs().median():.2%})"
        )
        yield from on_days(symbol, "sources_differ", pd.DatetimeIndex(apart.index), text)


def _largest(values: pd.Series) -> tuple[float, date]:
    """The value of the largest size, and its day."""
    place = int(values.abs().to_numpy().argmax())
    return float(values.iloc[place]), values.index[place].date()
