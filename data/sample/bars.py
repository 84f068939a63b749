"""From returns to daily bars: the path of the day, and volume."""

import numpy as np
import pandas as pd

from data.sample.noise import Array

DECIMALS = 6


def make_bars(
    returns: "pd.Series[float]",
    gaps: "pd.Series[float]",
    deviation: Array,
    start_price: float,
    turnover_usd: float,
    turnover_deviation: float,
    stream: np.random.Generator,
) -> pd.DataFrame:
    """Bars whose opens and closes follow the returns.

    Args:
        returns: simple, from close to close, by date, shape (n,).
        gaps: simple, from close to open, by the same dates.
        deviation: of the noise between open and close, shape (n,); 0 gives bars that reach no further than these.
        start_price: close before the first bar, USD.
        turnover_usd: median value traded a day.
        turnover_deviation: of its logarithm.
        stream: to draw ranges and volumes from.

    Returns:
        By date: ``open``, ``high``, ``low``, ``close``, ``adj_close`` (equal to close: there are no dividends),
        ``volume`` (units). Prices in USD to the millionth.
    """
    above, below, traded = stream.spawn(3)
    close = np.asarray(start_price * np.cumprod(1 + returns.to_numpy()), dtype=np.float64)
    before = np.concatenate([[start_price], close[:-1]])
    open_ = np.asarray(before * (1 + gaps.to_numpy()), dtype=np.float64)
    high = np.maximum(open_, close) * np.exp(_beyond(open_, close, deviation, above))
    low = np.minimum(open_, close) / np.exp(_beyond(open_, close, deviation, below))
    volume = turnover_usd / close * np.exp(turnover_deviation * traded.standard_normal(len(close)))
    bars = pd.DataFrame({"open": open_, "high": high, "low": low, "close": close}, index=returns.index).round(DECIMALS)
    return bars.assign(adj_close=bars["close"], volume=np.round(volume))


def _beyond(open_: Array, close: Array, deviation: Array, stream: np.random.Generator) -> Array:
    """How far a day's path goes beyond its ends, in logs: the law of a Brownian bridge's maximum.

    Drawn apart for high and low: each has its law, the two together only nearly.
    """
    moved = np.abs(np.log(close / open_))
    uniform = 1 - stream.random(len(open_))
    return np.asarray((np.sqrt(moved**2 - 2 * deviation**2 * np.log(uniform)) - moved) / 2)
