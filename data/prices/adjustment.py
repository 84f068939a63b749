"""Prices as they were traded, and the adjusted prices that follow from them, from splits and from dividends.

The convention is that of CRSP and of Yahoo: at a dividend D, every earlier price is multiplied by 1 - D / P, where P is
the last close before the ex-date; at a split of n units for one, every earlier price is divided by n, at a spin-off by
its factor. What is paid in money on one day is added before. The last price is its own adjusted price.
"""

import numpy as np
import pandas as pd

from data.errors import InputError

# What is paid in money for a unit: of a fund, its gains beside its dividends.
CASH = (DIVIDEND, CAPITAL_GAIN) = ("dividend", "capital_gain")
SPLIT, SPIN_OFF = "split", "spin_off"


def units_to_come(days: pd.DatetimeIndex, actions: pd.DataFrame) -> np.ndarray:
    """How many units one unit of each day has become by the splits after that day.

    Args:
        days: naive dates, shape (n,), in any order.
        actions: ``date``, ``kind`` and ``value`` at least, see `data.market.tables.ACTIONS`; of one instrument.

    Returns:
        Shape (n,). A price that a source has divided by later splits, times this, is the price as it was traded.
    """
    splits = actions[actions["kind"] == SPLIT].sort_values("date", kind="stable")
    ratios = splits["value"].to_numpy(dtype=float)
    to_come = np.append(np.cumprod(ratios[::-1])[::-1], 1.0)
    units: np.ndarray = to_come[splits["date"].searchsorted(days, side="right")]
    return units


def adjusted_close(bars: pd.DataFrame, actions: pd.DataFrame) -> pd.Series:
    """Adjust the closes of one instrument for the splits and dividends after each day.

    Args:
        bars: ``date`` (naive, ascending) and ``close`` (as traded; NaN where a day has none) at least.
        actions: ``date`` (ex-date), ``kind`` and ``value`` at least, see `data.market.tables.ACTIONS`; of one
        instrument. An
            action after the last bar changes nothing yet, one up to the first changes nothing any more.

    Returns:
        Indexed as `bars`; NaN where the close is.

    Raises:
        InputError: a dividend is no less than the close before it.
    """
    if actions.empty:
        return bars["close"].rename("adj_close")
    days = pd.DatetimeIndex(bars["date"])
    applied = actions[actions["date"] <= days.max()]
    price = bars["close"].to_numpy(dtype=float) / units_to_come(days, applied)
    factor = np.ones(len(days))
    for ex_date, share in cash_shares(days, price, applied).items():
        factor[np.asarray(days < ex_date)] *= 1.0 - share
    for spin_off in applied[applied["kind"] == SPIN_OFF].to_dict("records"):
        if not spin_off["factor"] > 0:
            raise InputError(f"got a spin-off on {spin_off['date'].date()} without a factor; wanted one above 1")
        factor[np.asarray(days < spin_off["date"])] /= spin_off["factor"]
    return pd.Series(price * factor, index=bars.index, name="adj_close")


def cash_shares(days: pd.DatetimeIndex, price: np.ndarray, actions: pd.DataFrame) -> dict[pd.Timestamp, float]:
    """What is paid in money on each ex-date, as a share of the last close before it.

    Args:
        days: naive dates, ascending, shape (n,).
        price: closes divided by later splits, shape (n,); NaN where a day has none.
        actions: see `adjusted_close`.

    Returns:
        In order of the ex-dates; those without a close before are left out.

    Raises:
        InputError: what is paid is no less than the close before it.
    """
    paid = actions[actions["kind"].isin(CASH)]
    ex_dates = pd.DatetimeIndex(paid["date"])
    amounts = paid["value"].to_numpy(dtype=float) / units_to_come(ex_dates, actions)
    shares = {}
    for ex_date in ex_dates.unique().sort_values():
        before = price[np.asarray(days < ex_date) & ~np.isnan(price)]
        if len(before):
            shares[ex_date] = share = float(amounts[np.asarray(ex_dates == ex_date)].sum() / before[-1])
            if not share < 1.0:
                raise InputError(
                    f"got a dividend on {ex_date.date()} of {share:.0%} of the close before it; wanted less than that "
                    "close; correct one of the two"
                )
    return shares
