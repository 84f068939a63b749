"""Bars on the session clock: what fills at a session, what values a book there, what its decision knows of prices."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from data.clock import next_session, previous_session, sessions_between
from data.errors import InputError
from data.snapshot import Snapshot

MAX_SHARE_WITHOUT_OPEN = 0.01


@dataclass(frozen=True)
class Panel:
    """Prices of some instruments over a run, on the dividend- and split-adjusted basis, in US dollars.

    Row i of every array stands on `sessions[i]`. The decision that stands there is the one for `decides_for[i]`, the
    session after: it is taken at 00:00 UTC of that day and sees bars of earlier dates alone.

    Attributes:
        sessions: n NYSE sessions: the one before the run's start, then the run.
        decides_for: n sessions: `sessions` moved on by one; the last is the session to come after the run.
        symbols: m instruments, the columns of every array.
        open: (n, m) price of a fill at the session; NaN where nothing can be filled (no bar, no open, not listed).
        close: (n, m) value of a unit at the session: the last close up to it; NaN before the first.
        missing: (n, m) sessions in a row, up to this one, without a bar; 0 before the first bar.
        decision_price: (n, m) last close dated before `decides_for`; NaN before the first.
    """

    sessions: pd.DatetimeIndex
    decides_for: pd.DatetimeIndex
    symbols: tuple[str, ...]
    open: np.ndarray
    close: np.ndarray
    missing: np.ndarray
    decision_price: np.ndarray

    def select(self, symbols: tuple[str, ...]) -> "Panel":
        """Return the panel of some of its instruments, in this order."""
        places = [self.symbols.index(symbol) for symbol in symbols]
        columns = {name: getattr(self, name)[:, places] for name in ("open", "close", "missing", "decision_price")}
        return replace(self, symbols=symbols, **columns)

    def bars_without_open(self) -> np.ndarray:
        """How many bars of each instrument have a close but no open, of shape (m,)."""
        count: np.ndarray = (self.has_bar() & np.isnan(self.open)).sum(axis=0)
        return count

    def has_bar(self) -> np.ndarray:
        """Whether each instrument has a bar at each session, of shape (n, m)."""
        has_bar: np.ndarray = (self.missing == 0) & ~np.isnan(self.close)
        return has_bar

    def decision_prices(self) -> pd.DataFrame:
        """The decision prices as a frame: the sessions decided for by symbols."""
        return pd.DataFrame(self.decision_price, index=self.decides_for, columns=list(self.symbols))

    def tradable(self, stale_sessions: int) -> pd.DataFrame:
        """Whether an instrument may be held at a session: its price is known and bars have not been missing too long.

        Args:
            stale_sessions: missing bars in a row after which it is no longer held.

        Returns:
            Booleans, the sessions decided for by symbols.
        """
        known = ~np.isnan(self.decision_price) & (self.missing < stale_sessions)
        return pd.DataFrame(known, index=self.decides_for, columns=list(self.symbols))


def build_panel(snapshot: Snapshot, symbols: Sequence[str], start: pd.Timestamp, end: pd.Timestamp) -> Panel:
    """Lay the bars of some instruments on the sessions from `start` to `end` and the session before.

    Bars before an instrument's listing date are left out: when-issued prices are not tradable.

    Raises:
        InputError: no session in the span, or a symbol without bars.
    """
    run = sessions_between(start, end)
    if run.empty:
        raise InputError(f"got the span {start.date()} to {end.date()}, wanted at least one NYSE session in it")
    sessions = pd.DatetimeIndex(run.insert(0, previous_session(run[0])))
    decides_for = pd.DatetimeIndex(run.append(pd.DatetimeIndex([next_session(run[-1])])))
    columns = [_column(listed_bars(snapshot, symbol), sessions, decides_for) for symbol in symbols]
    return Panel(
        sessions=sessions,
        decides_for=decides_for,
        symbols=tuple(symbols),
        open=np.column_stack([column["open"] for column in columns]),
        close=np.column_stack([column["close"] for column in columns]),
        missing=np.column_stack([column["missing"] for column in columns]),
        decision_price=np.column_stack([column["decision_price"] for column in columns]),
    )


def require_opens(panel: Panel) -> None:
    """Refuse an instrument that lacks the open on too many of its bars: it could not have been traded there.

    Raises:
        InputError: names the instrument, the count and the share.
    """
    without_open = panel.bars_without_open()
    share = without_open / np.maximum(panel.has_bar().sum(axis=0), 1)
    for symbol, count, part in zip(panel.symbols, without_open, share, strict=True):
        if part > MAX_SHARE_WITHOUT_OPEN:
            raise InputError(
                f"{symbol}: {count} bars of the run ({part:.1%}) have no open, at most {MAX_SHARE_WITHOUT_OPEN:.0%} "
                "may; take it out of the spec or choose a span in which its opens are known"
            )


def listed_bars(snapshot: Snapshot, symbol: str) -> pd.DataFrame:
    """Bars of one instrument from its listing date on, by date, with open and close on the adjusted basis.

    Returns:
        Columns ``open`` (NaN where blank) and ``close``, indexed by naive date.
    """
    bars = snapshot.bars_of(symbol).set_index("date")
    if bars.empty:
        raise InputError(f"symbol {symbol} is not in market {snapshot.name}; see: reverse-qe data show {snapshot.name}")
    bars = bars[bars.index >= pd.Timestamp(snapshot.instruments[symbol].listed)]
    adjustment = bars["adj_close"] / bars["close"]
    return pd.DataFrame({"open": bars["open"] * adjustment, "close": bars["adj_close"]})


def _column(bars: pd.DataFrame, sessions: pd.DatetimeIndex, decides_for: pd.DatetimeIndex) -> dict[str, np.ndarray]:
    dates = bars.index.to_numpy()
    # The place of the last bar dated up to a session, and of the last one dated before the session decided for.
    upto = np.searchsorted(dates, sessions.to_numpy(), side="right") - 1
    before = np.searchsorted(dates, decides_for.to_numpy(), side="left") - 1
    has_bar = (upto >= 0) & (dates[np.maximum(upto, 0)] == sessions.to_numpy()) if len(dates) else upto >= 0
    return {
        "open": np.where(has_bar, _take(bars["open"], upto), np.nan),
        "close": _take(bars["close"], upto),
        "missing": np.where(upto >= 0, _run_length(~has_bar), 0),
        "decision_price": _take(bars["close"], before),
    }


def _take(values: pd.Series, places: np.ndarray) -> np.ndarray:
    """The values at these places; NaN where the place is negative."""
    padded = np.append(values.to_numpy(dtype=float), np.nan)
    return padded[np.where(places >= 0, places, len(padded) - 1)]


def _run_length(flags: np.ndarray) -> np.ndarray:
    """How many true values in a row end at each place."""
    place = np.arange(len(flags))
    last_false = np.maximum.accumulate(np.where(flags, -1, place))
    return place - last_false
