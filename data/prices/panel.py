"""Bars on the session clock: what fills at a session, what values a book there, what its decision knows of prices."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from data.clock import next_session, previous_session, sessions_between
from data.errors import InputError
from data.market.snapshot import Snapshot
from data.prices.actions import Basis, held_through, listed_bars
from data.prices.conversions import Conversion, conversions_of

# Of the bars of a run; one of them is let pass in any run, for it is an accident and no kind of data.
MAX_SHARE_WITHOUT_OPEN = 0.01


@dataclass(frozen=True)
class Panel:
    """Prices of some instruments over a run, in US dollars, on one basis: adjusted, or raw as they were quoted.

    Row i of every array stands on `sessions[i]`. The decision that stands there is the one for `decides_for[i]`, the
    session after: it is taken at 00:00 UTC of that day and sees bars of earlier dates alone.

    Attributes:
        sessions: n NYSE sessions: the one before the run's start, then the run.
        decides_for: n sessions: `sessions` moved on by one; the last is the session to come after the run.
        symbols: m instruments, the columns of every array.
        open: (n, m) price of a fill at the session; NaN where nothing can be filled (no bar, no open, not listed).
        high: (n, m) of the session's bar; NaN where there is none or it is blank.
        low: (n, m) of the session's bar; NaN where there is none or it is blank.
        close: (n, m) value of a unit at the session: the last close up to it; NaN before the first.
        volume: (n, m) units traded at the session, in units of the basis; NaN where unknown.
        missing: (n, m) sessions in a row, up to this one, without a bar; 0 before the first bar.
        decision_price: (n, m) last close dated before `decides_for`, for a unit as it is held at `sessions`; NaN before
            the first.
        adjusted_close: (n, m) `close` on the adjusted basis: its ratios are total returns.
        adjusted_decision_price: (n, m) `decision_price` on the adjusted basis.
        split: (n, m) units that become of one unit held when the session begins; 1 on the adjusted basis.
        dividend: (n, m) US dollars that a unit held when the session begins brings; 0 on the adjusted basis.
        leaving: (n, m) whether the decision knows that the instrument is delisted, or will be.
        ended: (n, m) whether what is held of a delisted instrument is paid out when the session begins.
        payout: (n, m) what then is paid for a unit, US dollars; NaN where that is not known.
        conversions: of units of one instrument into those of another, on sessions but for the first.
        fills_at_close: whether `open` is the session's own close, for the market knows no other price.
    """

    sessions: pd.DatetimeIndex
    decides_for: pd.DatetimeIndex
    symbols: tuple[str, ...]
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray
    missing: np.ndarray
    decision_price: np.ndarray
    adjusted_close: np.ndarray
    adjusted_decision_price: np.ndarray
    split: np.ndarray
    dividend: np.ndarray
    leaving: np.ndarray
    ended: np.ndarray
    payout: np.ndarray
    conversions: tuple[Conversion, ...] = ()
    fills_at_close: bool = False

    def select(self, symbols: tuple[str, ...]) -> "Panel":
        """Return the panel of some of its instruments, in this order; see `with_what_they_bring` for which."""
        places = [self.symbols.index(symbol) for symbol in symbols]
        conversions = tuple(each for each in self.conversions if each.symbol in symbols)
        arrays = {name: getattr(self, name)[:, places] for name in _ARRAYS}
        return replace(self, symbols=symbols, conversions=conversions, **arrays)

    def beside(self, others: "Sequence[Panel]") -> "Panel":
        """Return this panel with the instruments of others, of the same sessions, beside its own."""
        panels = [self, *others]
        arrays: dict[str, Any] = {name: np.hstack([getattr(panel, name) for panel in panels]) for name in _ARRAYS}
        symbols = tuple(symbol for panel in panels for symbol in panel.symbols)
        conversions = tuple(each for panel in panels for each in panel.conversions)
        return replace(self, symbols=symbols, conversions=conversions, **arrays)

    def with_what_they_bring(self, symbols: Collection[str]) -> tuple[str, ...]:
        """Return these instruments and those that their units bring or become, in the order of the panel."""
        all_of_them = set(symbols)
        for _ in self.conversions:
            all_of_them |= {each.into for each in self.conversions if each.symbol in all_of_them}
        return tuple(symbol for symbol in self.symbols if symbol in all_of_them)

    def upto(self, session: pd.Timestamp) -> "Panel":
        """Return the panel up to the row of the decision for a session."""
        rows = int(self.decides_for.searchsorted(session)) + 1
        names = ("sessions", "decides_for", *_ARRAYS)
        conversions = tuple(each for each in self.conversions if each.session <= self.sessions[rows - 1])
        return replace(self, conversions=conversions, **{name: getattr(self, name)[:rows] for name in names})

    def filled_at_close(self, coins: np.ndarray | None = None) -> "Panel":
        """Return the panel with what is decided for a session filled at the session's close, which is told by it.

        Args:
            coins: (m,) what fills at its open all the same; None: nothing.
        """
        closes = np.where(self.has_bar(), self.close, np.nan)
        return replace(self, open=closes if coins is None else np.where(coins, self.open, closes), fills_at_close=True)

    @property
    def adjusted_open(self) -> np.ndarray:
        """`open` on the adjusted basis, of shape (n, m)."""
        opens: np.ndarray = self.open * (self.adjusted_close / self.close)
        return opens

    def bars_without_open(self) -> np.ndarray:
        """How many bars of each instrument have a close but no open, of shape (m,)."""
        count: np.ndarray = (self.has_bar() & np.isnan(self.open)).sum(axis=0)
        return count

    def has_bar(self) -> np.ndarray:
        """Whether each instrument has a bar at each session, of shape (n, m)."""
        has_bar: np.ndarray = (self.missing == 0) & ~np.isnan(self.close)
        return has_bar

    def decision_prices(self) -> pd.DataFrame:
        """What decisions know of prices, on the adjusted basis: the sessions decided for by symbols."""
        return pd.DataFrame(self.adjusted_decision_price, index=self.decides_for, columns=list(self.symbols))

    def tradable(self, stale_sessions: int) -> pd.DataFrame:
        """Whether an instrument may be held at a session: its price is known, no delisting is, and bars still come.

        Args:
            stale_sessions: missing bars in a row after which it is no longer held.

        Returns:
            Booleans, the sessions decided for by symbols.
        """
        known = ~np.isnan(self.decision_price) & (self.missing < stale_sessions) & ~self.leaving
        return pd.DataFrame(known, index=self.decides_for, columns=list(self.symbols))


_NO_ARRAYS = ("sessions", "decides_for", "symbols", "conversions", "fills_at_close")
_ARRAYS = tuple(field.name for field in fields(Panel) if field.name not in _NO_ARRAYS)


def build_panel(
    snapshot: Snapshot, symbols: Sequence[str], start: pd.Timestamp, end: pd.Timestamp, basis: Basis = "adjusted"
) -> Panel:
    """Lay the bars of some instruments on the sessions from `start` to `end` and the session before.

    Bars before an instrument's listing date are left out (when-issued prices are not tradable), and so are those after
    its last day of trading. Of a market of closes alone what is decided for a session fills at the session's close;
    where its index has closes alone of one instrument all stocks do, and coins fill at their open.

    Args:
        snapshot: bars and actions.
        symbols: of the snapshot.
        start: first day.
        end: last day.
        basis: ``adjusted``: dividends and splits are in the prices. ``raw``: prices as quoted; dividends are paid in
            cash and splits change units.

    Raises:
        InputError: no session in the span, a symbol without bars, raw prices that are adjusted or that its actions do
            not explain, or units of an instrument become, or bring, those of one that is not among the symbols.
    """
    run = sessions_between(start, end)
    if run.empty:
        raise InputError(f"got the span {start.date()} to {end.date()}, wanted at least one NYSE session in it")
    sessions = pd.DatetimeIndex(run.insert(0, previous_session(run[0])))
    decides_for = pd.DatetimeIndex(run.append(pd.DatetimeIndex([next_session(run[-1])])))
    columns = [_columns(snapshot, symbol, sessions, decides_for, basis) for symbol in symbols]
    arrays = {name: np.column_stack([column[name] for column in columns]) for name in _ARRAYS}
    conversions = tuple(
        each for symbol in symbols for each in conversions_of(snapshot, symbol, sessions, basis == "adjusted")
    )
    _require_what_is_brought(conversions, symbols)
    panel = Panel(sessions, decides_for, tuple(symbols), **arrays, conversions=conversions, fills_at_close=False)
    if has_closes_alone(snapshot):
        return panel.filled_at_close()
    if any(is_member_without_opens(snapshot, symbol) for symbol in symbols):
        # Stocks that fill at the open would be bought with what others bring at the close.
        return panel.filled_at_close(np.array([snapshot.instruments[symbol].is_crypto for symbol in symbols]))
    return panel


def has_closes_alone(snapshot: Snapshot) -> bool:
    """Whether no bar of a market has an open."""
    return len(snapshot.bars) > 0 and bool(snapshot.bars["open"].isna().all())


def is_member_without_opens(snapshot: Snapshot, symbol: str) -> bool:
    """Whether an instrument is of the market's index, which tells closes alone of it."""
    if snapshot.memberships.empty or not (snapshot.memberships["symbol"] == symbol).any():
        return False
    return bool(snapshot.bars_of(symbol)["open"].isna().all())


def _require_what_is_brought(conversions: Collection[Conversion], symbols: Sequence[str]) -> None:
    for each in conversions:
        if each.into not in symbols:
            what = f"brings {each.units:g} of {each.into}" if each.keeps else f"becomes {each.units:g} of {each.into}"
            remedy = ', or run on prices = "adjusted"' if each.keeps else ""
            raise InputError(
                f"{each.symbol}: on {each.session.date()} a held unit {what}, which is not in the run; add {each.into} "
                f"to the universe, take {each.symbol} out of it{remedy}"
            )


def require_opens(panel: Panel) -> None:
    """Refuse an instrument that lacks the open on too many of its bars: it could not have been traded there.

    Raises:
        InputError: names the instrument, the count and the share.
    """
    without_open = panel.bars_without_open()
    share = without_open / np.maximum(panel.has_bar().sum(axis=0), 1)
    for symbol, count, part in zip(panel.symbols, without_open, share, strict=True):
        if count > 1 and part > MAX_SHARE_WITHOUT_OPEN:
            raise InputError(
                f"{symbol}: {count} bars of the run ({part:.1%}) have no open, at most {MAX_SHARE_WITHOUT_OPEN:.0%} "
                "may; take it out of the spec or choose a span in which its opens are known"
            )


def _columns(
    snapshot: Snapshot, symbol: str, sessions: pd.DatetimeIndex, decides_for: pd.DatetimeIndex, basis: Basis
) -> dict[str, np.ndarray]:
    """One instrument's column of every array."""
    bars = listed_bars(snapshot, symbol, basis)
    dates = bars.index.to_numpy()
    # The place of the last bar dated up to a session, and of the last one dated before the session decided for.
    upto = np.searchsorted(dates, sessions.to_numpy(), side="right") - 1
    before = np.searchsorted(dates, decides_for.to_numpy(), side="left") - 1
    has_bar = (upto >= 0) & (dates[np.maximum(upto, 0)] == sessions.to_numpy()) if len(dates) else upto >= 0
    actions = held_through(snapshot, symbol, sessions, decides_for, basis)
    # A carried price is that of the unit which its bar quoted; a unit held at the session may be a part of it.
    units = actions.units_since(pd.DatetimeIndex(bars.index))
    return {
        **{name: np.where(has_bar, _take(bars[name], upto), np.nan) for name in ("open", "high", "low", "volume")},
        "close": _take(bars["close"] * units, upto) / actions.units,
        "missing": np.where(upto >= 0, _run_length(~has_bar), 0),
        "decision_price": _take(bars["close"] * units, before) / actions.units,
        "adjusted_close": _take(bars["adjusted_close"], upto),
        "adjusted_decision_price": _take(bars["adjusted_close"], before),
        "split": actions.split,
        "dividend": actions.dividend,
        "leaving": actions.leaving,
        "ended": actions.ended,
        "payout": actions.payout,
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
