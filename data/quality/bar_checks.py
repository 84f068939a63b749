"""What is odd in the bars of one instrument beside the moves of its closes: far cells, and prices that stand."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from data.quality.findings import Finding, on_days, part_of, part_of_year
from data.quality.moves import FAR, SPIKE

# Sessions in a row at one close after which it is told, and the usual move above which it is odd: a fund of bills moves
# by less, and may stand.
_STANDING, _LIVELY = 6, 0.002
_SESSIONS_OF_A_YEAR = 252


def bar_findings(
    symbol: str, bars: pd.DataFrame, moves: np.ndarray, usual: np.ndarray, inside: np.ndarray
) -> Iterator[Finding]:
    """Check the cells of one instrument's bars against its closes.

    Args:
        symbol: of them.
        bars: of the snapshot, in order of date.
        moves: `data.quality.moves.log_moves` of them.
        usual: `data.quality.moves.usual_moves` of these.
        inside: whether each bar is one that is told.
    """
    yield from _far_cells(symbol, bars, usual, inside)
    yield from _standing(symbol, pd.DatetimeIndex(bars["date"]), moves, inside)


def _far_cells(symbol: str, bars: pd.DataFrame, usual: np.ndarray, inside: np.ndarray) -> Iterator[Finding]:
    """Opens, highs and lows that lie far outside the closes before and after them."""
    days, closes = pd.DatetimeIndex(bars["date"]), np.log(bars["adj_close"].to_numpy())
    before = np.append(closes[:1], closes[:-1])
    low, high = np.fmin(before, closes), np.fmax(before, closes)
    to_adjusted = closes - np.log(bars["close"].to_numpy())
    bound = np.fmax(FAR * usual, SPIKE)
    for name in ("open", "high", "low"):
        cell = np.log(bars[name].to_numpy()) + to_adjusted
        beyond = np.nan_to_num(np.fmax(cell - high, low - cell))
        far = (beyond > bound) & inside
        if far.any():
            place = int(np.where(far, beyond, 0.0).argmax())
            size = np.expm1(np.copysign(beyond[place], cell[place] - high[place]))
            text = f"{name} far from the closes beside it (the farthest by {size:+.1%} on {days[place].date()})"
            # An open fills orders; highs and lows are for code of users alone.
            sizes = part_of(beyond[far]) if name == "open" else 0.0
            yield from on_days(symbol, "far_cell", days[far], text, name, sizes)


def _standing(symbol: str, days: pd.DatetimeIndex, moves: np.ndarray, inside: np.ndarray) -> Iterator[Finding]:
    """Stretches of one close in what else moves every day: a source that repeats its last price."""
    still = np.append(moves == 0.0, False)
    if not still.any() or not np.nanmedian(np.abs(moves)) > _LIVELY:
        return
    edges = np.flatnonzero(np.diff(still.astype(np.int8), prepend=0))
    for first, after in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if after - first < _STANDING - 1 or not inside[first:after].any():
            continue
        ends = after >= len(moves)
        size = part_of_year(after - first, _SESSIONS_OF_A_YEAR) if ends else float(part_of(moves[after : after + 1])[0])
        text = f"its close stands still for {after - first + 1} bars: a source that repeats its last price"
        yield Finding(symbol, "standing", after - first, days[first].date(), days[after - 1].date(), text, size=size)
