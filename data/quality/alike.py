"""Instruments whose closes are those of another: one of the two files, or answers, is not its own."""

from collections.abc import Collection, Iterator

import numpy as np
import pandas as pd

from data.market.snapshot import Snapshot
from data.quality.findings import Days, Finding, on_days

# Equal closes on some days are chance; so many, and on nearly all days from the first to the last, are none.
_MIN_DAYS, _MOST = 10, 0.9


def alike_findings(snapshot: Snapshot, symbols: Collection[str], span: Days) -> Iterator[Finding]:
    """Compare the closes of all instruments, where they move, with each other's.

    Args:
        snapshot: bars of all instruments.
        symbols: that are told.
        span: the days that are told.
    """
    bars = snapshot.bars[["symbol", "date", "close"]]
    moves = bars["close"].to_numpy() != np.append(np.nan, bars["close"].to_numpy()[:-1])
    rows = bars[bars.duplicated(["date", "close"], keep=False) & moves]
    if len(rows) < 2 * _MIN_DAYS:
        return
    pairs = rows.merge(rows, on=["date", "close"])
    pairs = pairs[pairs["symbol_x"] != pairs["symbol_y"]]
    for (symbol, other), same in pairs.groupby(["symbol_x", "symbol_y"]):
        days = pd.DatetimeIndex(same["date"])
        if symbol not in symbols or len(days) < _MIN_DAYS:
            continue
        held = pd.DatetimeIndex(snapshot.bars_of(str(symbol))["date"])
        if len(days) >= _MOST * int(Days(days[0], days[-1]).hold(held).sum()):
            text = f"closes that are those of {other}: one of the two is not its own"
            yield from on_days(str(symbol), "alike", days[span.hold(days)], text, sizes=1.0)
