"""What is odd in the prices of one instrument, against its own past, its actions and another source."""

import math
from collections.abc import Iterator
from datetime import date

import numpy as np
import pandas as pd

from data.errors import InputError
from data.market.snapshot import Snapshot
from data.prices.adjustment import adjusted_close
from data.prices.basis import ADJUSTMENT_TOLERANCE
from data.quality.bar_checks import bar_findings
from data.quality.findings import EVER, FLOAT_NOISE, Days, Finding, on_days, part_of
from data.quality.moves import FAR, OUTLIER_DEVIATIONS, SPIKE, alone, log_moves, usual_moves

SPLIT_RATIOS = (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100)
# The day's own move stands beside the split: within 5% of the ratio.
SPLIT_TOLERANCE = 0.05
# No news moves a price by more: it is told as if it were wrong, though it stays.
_NO_NEWS = math.log(3.0)
SOURCES_TOLERANCE = 0.01
# No later than this of its UTC day a coin's bar, or a stock's, has ended; New York closes at 21:00 in winter.
_COIN_END, _STOCK_END = pd.Timedelta(hours=24), pd.Timedelta(hours=21)


def price_findings(snapshot: Snapshot, symbol: str, span: Days = EVER) -> Iterator[Finding]:
    """Check the prices of one instrument.

    Args:
        snapshot: bars, actions, and when it was made.
        symbol: with bars.
        span: the days that are told; what is usual is judged by all.
    """
    bars = snapshot.bars_of(symbol)
    days = pd.DatetimeIndex(bars["date"])
    inside, moves = span.hold(days), log_moves(bars)
    usual = usual_moves(moves)
    yield from _moves(symbol, days, moves, usual, inside)
    yield from bar_findings(symbol, bars, moves, usual, inside)
    yield from _adjustments(symbol, bars, snapshot.actions_of(symbol), inside)
    yield from _not_ended(snapshot, symbol, days, moves, inside)
    yield from _other_source(snapshot, symbol, span)


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
    entry = snapshot.catalogue.instruments.get(symbol)
    if entry is None or entry.second_source is None:
        return None
    second = snapshot.bars_of(entry.second_source)
    if second.empty:
        return None
    closes = snapshot.bars_of(symbol).set_index("date")["close"]
    return entry.second_source, (closes / second.set_index("date")["close"] - 1).dropna()


def _moves(
    symbol: str, days: pd.DatetimeIndex, moves: np.ndarray, usual: np.ndarray, inside: np.ndarray
) -> Iterator[Finding]:
    """Moves from one adjusted close to the next that are near the ratio of a split, and others that are far out."""
    sizes, ratios = np.abs(moves), np.log(SPLIT_RATIOS)
    nearest = np.abs(sizes[:, None] - ratios).argmin(axis=1)
    split_like = np.abs(sizes - ratios[nearest]) <= np.log1p(SPLIT_TOLERANCE)
    for place in np.flatnonzero(split_like & inside).tolist():
        move, day = float(moves[place]), days[place].date()
        if place and split_like[place - 1] and _takes_back(float(moves[place - 1]), move):
            continue  # told with the bar before
        if place + 1 < len(moves) and split_like[place + 1] and _takes_back(move, float(moves[place + 1])):
            why = "and back with the bar after: a wrong price"
        else:
            ratio = SPLIT_RATIOS[nearest[place]]
            why = f"as by a split of {f'{ratio}:1' if move < 0 else f'1:{ratio}'} that was not taken out"
        text = f"the adjusted close moves by {np.expm1(move):+.1%}, {why}"
        yield Finding(symbol, "split_like_move", 1, day, day, text, size=float(part_of(moves[place])))
    far = (sizes > FAR * usual) & (usual > 0) & ~split_like & inside
    if far.any():
        size, day = _largest(pd.Series(np.expm1(moves[far]), index=days[far]))
        text = f"moves of more than {OUTLIER_DEVIATIONS:.0f} usual ones (the largest {size:+.1%} on {day})"
        doubtful = np.array([_doubtful(moves, place) for place in np.flatnonzero(far).tolist()])
        yield from on_days(symbol, "outlier", days[far], text, sizes=part_of(doubtful))
    large = np.flatnonzero(((sizes > SPIKE) & ~far & ~split_like & inside)[:-1])
    spikes = [(place, part) for place in large.tolist() if (part := _doubtful(moves, place)) > SPIKE]
    if spikes:
        places = [place for place, _ in spikes]
        size, day = _largest(pd.Series(np.expm1(moves[places]), index=days[places]))
        text = f"moves that stand alone, or that no news makes (the largest {size:+.1%} on {day})"
        doubtful = np.array([part for _, part in spikes])
        yield from on_days(symbol, "outlier", days[places], text, sizes=part_of(doubtful))


def _doubtful(moves: np.ndarray, place: int) -> float:
    """What of a move may be wrong: all of one that no news makes, else what of it stands alone."""
    size = abs(float(moves[place]))
    return size if size > _NO_NEWS else alone(moves, place)


def _takes_back(move: float, after: float) -> bool:
    """Whether a move brings the price back to where it was before the one before it, but for the day's own move."""
    return abs(move + after) <= 2 * math.log1p(SPLIT_TOLERANCE)


def _adjustments(symbol: str, bars: pd.DataFrame, actions: pd.DataFrame, inside: np.ndarray) -> Iterator[Finding]:
    """Steps of adjusted over raw close without an action, and actions without their step."""
    try:
        derived = adjusted_close(bars, actions)
    except InputError as error:
        first, last = actions["date"].min().date(), actions["date"].max().date()
        text = f"its actions cannot be used: {error}"
        yield Finding(symbol, "action_not_adjusted", len(actions), first, last, text, size=1.0)
        return
    days = pd.DatetimeIndex(bars["date"])
    step, due = _steps(bars["adj_close"], bars["close"]), _steps(derived, bars["close"])
    apart = np.nan_to_num(np.abs(step / due - 1))
    has_action, told = np.abs(due - 1) > FLOAT_NOISE, (apart > ADJUSTMENT_TOLERANCE) & inside
    unexplained, unfollowed = told & ~has_action, told & has_action
    text = "days on which adjusted over raw close moves without a dividend or split"
    yield from on_days(symbol, "unexplained_adjustment", days[unexplained], text, sizes=apart[unexplained])
    text = "days with a dividend or split that adjusted over raw close does not follow"
    yield from on_days(symbol, "action_not_adjusted", days[unfollowed], text, sizes=apart[unfollowed])


def _steps(adjusted: pd.Series, raw: pd.Series) -> np.ndarray:
    """Adjusted over raw close, over what it was at the bar before; NaN at the first."""
    factor = adjusted.to_numpy() / raw.to_numpy()
    return np.append(np.nan, factor[1:] / factor[:-1])


def _not_ended(
    snapshot: Snapshot, symbol: str, days: pd.DatetimeIndex, moves: np.ndarray, inside: np.ndarray
) -> Iterator[Finding]:
    """Bars of days that went on when the snapshot was made; none where that is not known."""
    if snapshot.made_at is None:
        return
    end = _COIN_END if snapshot.instruments[symbol].is_crypto else _STOCK_END
    made = pd.Timestamp(snapshot.made_at).tz_convert("UTC").tz_localize(None)
    going_on = (days > made - end) & inside
    text = "bars of a day that had not ended when they were taken"
    yield from on_days(symbol, "bar_not_ended", days[going_on], text, sizes=part_of(moves[going_on]))


def _other_source(snapshot: Snapshot, symbol: str, span: Days) -> Iterator[Finding]:
    compared = source_difference(snapshot, symbol)
    if compared is None:
        return
    other, difference = compared
    difference = difference[span.hold(pd.DatetimeIndex(difference.index))]
    apart = difference[difference.abs() > SOURCES_TOLERANCE]
    if len(apart):
        size, day = _largest(apart)
        text = (
            f"closes more than {SOURCES_TOLERANCE:.0%} from those of {other} (of {len(difference)} days in both; the "
            f"largest {size:+.1%} on {day}, the median {difference.abs().median():.2%})"
        )
        sizes = part_of(np.log1p(apart.to_numpy()))
        yield from on_days(symbol, "sources_differ", pd.DatetimeIndex(apart.index), text, sizes=sizes)


def _largest(values: pd.Series) -> tuple[float, date]:
    """The value of the largest size, and its day."""
    place = int(values.abs().to_numpy().argmax())
    return float(values.iloc[place]), values.index[place].date()
