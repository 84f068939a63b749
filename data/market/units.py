"""Units: values that cannot be in the unit that the catalogue names, and histories that have changed theirs.

A single value outside the plausible range is told by the quality report; a history that lies outside it, or that has
moved as a whole by a factor of ten, a hundred or a thousand since it was last told, is refused by name.
"""

import numpy as np
import pandas as pd

from data.catalogue.instruments import Instrument
from data.catalogue.ranges import Range, price_range, range_text, series_range, turnover_range
from data.catalogue.series import SeriesEntry
from data.errors import InputError

# So many values outside are accidents; more of them, and it is the unit.
_FEW, _FEW_OF_ALL = 3, 0.05
# Factors by which a change of unit moves a history, and how near to one of them its days have to lie.
_FACTORS = np.array([1e-3, 1e-2, 1e-1, 1e1, 1e2, 1e3])
_NEAR, _MOST = 0.02, 0.9
_MIN_DAYS = 3


def outside(values: pd.Series, plausible: Range) -> np.ndarray:
    """Whether each value lies outside what is plausible, of the shape of `values`; a blank does not."""
    low, high = plausible
    numbers = values.to_numpy()
    return np.asarray((numbers < low) | (numbers > high))


def refuse_series_unit(name: str, observations: pd.DataFrame, entry: SeriesEntry) -> None:
    """Refuse values of a series that are in another unit than its entry says.

    Args:
        name: of the series.
        observations: ``date`` and ``value``.
        entry: of the catalogue.

    Raises:
        InputError: more than a few values lie outside what is plausible.
    """
    plausible = series_range(entry)
    if plausible is not None:
        _refuse_outside(name, observations["date"], observations["value"], plausible, _words(entry.unit))


def refuse_bar_units(bars: pd.DataFrame, entry: Instrument) -> None:
    """Refuse prices or volumes that are in another unit than the instrument's.

    Args:
        bars: ``symbol``, ``date``, ``close`` and ``volume`` (units) of one instrument.
        entry: of the catalogue.

    Raises:
        InputError: more than a few closes lie outside what is plausible, or the turnover of the usual day does above.
    """
    if bars.empty:
        return
    symbol = bars["symbol"].iloc[0]
    _refuse_outside(symbol, bars["date"], bars["close"], price_range(entry), f"{entry.currency} a unit")
    usual, most = _usual(bars["close"] * bars["volume"]), turnover_range(entry)[1]
    if usual > most:
        raise InputError(
            f"{symbol}: got volumes that come to {usual:.2g} {entry.currency} on the usual day, wanted at most "
            f"{most:.2g}: they are not in {'coins' if entry.is_crypto else 'shares'}; mend the file, or volume_in in "
            "the catalogue entry"
        )


def volume_in_units(bars: pd.DataFrame, entry: Instrument) -> tuple[pd.Series, bool]:
    """Return volumes in units, and whether that is what they are known to be.

    Where the entry says that volumes are told in US dollars, they are, unless only the other reading is plausible on
    the usual day; where neither is, they are left as they are told.

    Args:
        bars: ``close`` and ``volume`` as told, of one instrument.
        entry: of the catalogue.
    """
    if entry.volume_in == "units":
        return bars["volume"], True
    low, high = turnover_range(entry)
    if low <= _usual(bars["volume"]) <= high:
        return coin_volume(bars), True
    return bars["volume"], low <= _usual(bars["close"] * bars["volume"]) <= high


def refuse_changed_unit(name: str, held: pd.Series, told: pd.Series) -> None:
    """Refuse values that have all moved by a factor of ten, a hundred or a thousand.

    Args:
        name: of what, for the message: a series, or a symbol and its cell.
        held: by date, as they were told before.
        told: by date, as they are told now.

    Raises:
        InputError: on most of the days that both have, the one is such a multiple of the other.
    """
    both = pd.DataFrame({"held": held, "told": told}).dropna()
    both = both[(both["held"] != 0) & (both["told"] != 0)]
    if len(both) < _MIN_DAYS:
        return
    ratios = (both["told"] / both["held"]).to_numpy()
    near = np.abs(ratios[:, None] / _FACTORS - 1.0) <= _NEAR
    place = int(near.sum(axis=0).argmax())
    if near[:, place].mean() >= _MOST:
        row, count = int(near[:, place].argmax()), int(near[:, place].sum())
        before, now = both.iloc[row]
        raise InputError(
            f"{name}: got values {_FACTORS[place]:g} times those held on {count} of {len(both)} days ({now:g} for "
            f"{before:g} on {both.index[row].date()}), wanted the same unit; the source has changed it, or missed a "
            "split: ask again later, or begin a market of another name"
        )


def coin_volume(bars: pd.DataFrame) -> pd.Series:
    """Volumes in coins, from volumes in US dollars: at the close of their day."""
    volume: pd.Series = bars["volume"] / bars["close"]
    return volume


def _usual(turnover: pd.Series) -> float:
    """The median of the days on which something was traded; 0 where there is none."""
    traded = turnover[turnover > 0]
    return float(traded.median()) if len(traded) else 0.0


def _refuse_outside(name: str, days: pd.Series, values: pd.Series, plausible: Range, unit: str) -> None:
    wrong = outside(values, plausible)
    known = int(values.notna().sum())
    if int(wrong.sum()) > max(_FEW, _FEW_OF_ALL * known):
        row = int(wrong.argmax())
        raise InputError(
            f"{name}: got {int(wrong.sum())} of {known} values outside {range_text(plausible)} "
            f"({values.iloc[row]:g} on {days.iloc[row].date()}), wanted {unit}; they are in another unit: mend the "
            "file or the catalogue entry"
        )


def _words(unit: str) -> str:
    """The unit of a series for people: ``usd_millions`` is millions of US dollars."""
    currency, _, scale = unit.partition("_")
    return f"{scale} of US dollars" if currency == "usd" and scale else unit
